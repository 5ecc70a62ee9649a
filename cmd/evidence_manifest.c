// SPDX-License-Identifier: MIT
// manifest.jsonl: a line for each moment, also where there is no content. What a guest chose (paths, targets) is escaped; names of files are
// made of it only with what every system and terminal takes.
#include "cmd/evidence_parts.h"

#include "base/memory.h"
#include "base/text.h"
#include "cmd/evidence_time.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BASE_NAME_BYTES 32u // of a file's own name in ours

static const char *const what_words[] = {"before", "after", "executed", "complete"};

// ---- names

// The end of a name tells more than its beginning; only the base name's harmless characters.
static void add_base_name(struct buffer *out, const char *path, size_t length)
{
	const char *base;
	size_t base_length, folder_length;

	text_split_path(path, length, &base, &base_length, &folder_length);
	if (base_length > BASE_NAME_BYTES) {
		base += base_length - BASE_NAME_BYTES;
		base_length = BASE_NAME_BYTES;
	}
	for (size_t i = 0; i < base_length; i++) {
		unsigned char c = (unsigned char)base[i];

		buffer_add_byte(out, c < 0x80 && (isalnum(c) || (i > 0 && strchr("._-+", c))) ? (char)c : '_');
	}
	if (base_length == 0)
		buffer_add_byte(out, '_');
}

void evidence_name(const struct evidence *e, const struct evidence_entry *entry, char ret[EVIDENCE_NAME_BYTES])
{
	const struct picture_node *n = &e->in->picture->nodes.items[entry->node];
	struct buffer text AUTO_RELEASE_BUFFER = {0};

	buffer_printf(&text, "n%" PRIu32 "-%02u-%s-", n->id, entry->event, what_words[entry->what]);
	nanotime_format(&text, entry->guest_ns, NANOTIME_COMPACT, (struct timezone_choice){.utc = true});
	if (entry->what == EVIDENCE_COMPLETE)
		buffer_printf(&text, "-seq%" PRIu64, entry->seq); // before and after of one event may each have one
	buffer_add_byte(&text, '-');
	add_base_name(&text, n->full.bytes ? n->full.bytes : "", n->full.length);
	buffer_add_string(&text, ".bin");
	(void)snprintf(ret, EVIDENCE_NAME_BYTES, "%s", buffer_string(&text));
}

// ---- words

const char *evidence_verdict(const struct evidence *e, const struct evidence_entry *entry)
{
	if (entry->content == SIZE_MAX)
		return entry->reason;
	const struct contents_answer *a = &e->contents.items[entry->content].answer;

	if (!a->there)
		return a->reason.message[0] != '\0' ? "unreadable" : evidence_is_not_yet(e, entry) ? "not yet on disk" : "not on disk";
	if (a->file.kind != FS_REGULAR)
		return "no content";
	if (!a->whole)
		return "unreadable";
	return !a->judged ? "not judged" : a->pending_bytes > 0 ? "committed, content pending" : "on disk";
}

// The drawn link that an edge of the graph is part of: between the same nodes, with this kind among its own.
static const struct picture_edge *drawn_edge(const struct evidence *e, uint32_t edge)
{
	const struct flow_edge *f = &e->in->graph->edges.items[edge];
	uint32_t from = e->node_of[f->from], to = e->node_of[f->to];

	for (size_t i = 0; i < e->in->picture->edges.count; i++) {
		const struct picture_edge *p = &e->in->picture->edges.items[i];

		if (((p->from == from && p->to == to) || (p->from == to && p->to == from)) && (p->ops & UINT32_C(1) << f->op))
			return p;
	}
	return NULL;
}

// ---- json

static void add_key(struct buffer *out, const char *key)
{
	buffer_printf(out, "%s\"%s\":", out->length > 0 && out->bytes[out->length - 1] != '\n' ? "," : "{", key);
}

static void add_number(struct buffer *out, const char *key, uint64_t value)
{
	add_key(out, key);
	buffer_printf(out, "%" PRIu64, value);
}

// Nanoseconds, as CASE.md has them: many readers keep 53 bits only.
static void add_digits(struct buffer *out, const char *key, uint64_t value)
{
	add_key(out, key);
	buffer_printf(out, "\"%" PRIu64 "\"", value);
}

static void add_text(struct buffer *out, const char *key, const void *bytes, size_t length)
{
	char second[32];
	bool lossy = false;

	add_key(out, key);
	text_json(out, bytes, length, &lossy);
	if (!lossy)
		return;
	(void)snprintf(second, sizeof(second), "%s_b64", key);
	add_key(out, second);
	buffer_add_byte(out, '"');
	text_base64(out, bytes, length);
	buffer_add_byte(out, '"');
}

static void add_string(struct buffer *out, const char *key, const char *string)
{
	add_text(out, key, string, strlen(string));
}

// In the zone of the case, and as digits.
static void add_time(const struct evidence *e, struct buffer *out, const char *key, uint64_t ns)
{
	char second[32];

	if (ns == NANOTIME_NONE)
		return;
	add_key(out, key);
	buffer_add_byte(out, '"');
	nanotime_format(out, ns, NANOTIME_FULL, e->in->options->zone);
	buffer_add_byte(out, '"');
	(void)snprintf(second, sizeof(second), "%s_ns", key);
	add_digits(out, second, ns);
}

static void add_who(const struct evidence *e, const struct evidence_entry *entry, struct buffer *out)
{
	const struct picture_node *n = &e->in->picture->nodes.items[entry->node];
	const struct file *f = &e->in->graph->files.items[entry->file];
	const struct annotate_answer *a = annotation_of(e->witness->annotation, entry->file);
	char text[32];

	(void)snprintf(text, sizeof(text), "n%" PRIu32, n->id);
	add_string(out, "node", text);
	add_text(out, "path", n->full.bytes ? n->full.bytes : "", n->full.length);
	(void)snprintf(text, sizeof(text), "%02x:%02x", f->dev >> 20, f->dev & 0xFFFFFu);
	add_string(out, "dev", text);
	add_string(out, "history", entry->volume->name);
	add_number(out, "inode", f->inode);
	if (a->verdict == ANNOTATE_SHOWN || a->verdict == ANNOTATE_PENDING)
		add_number(out, "generation", a->generation);
}

static void add_event(const struct evidence *e, const struct evidence_entry *entry, struct buffer *out)
{
	const struct picture_edge *drawn = drawn_edge(e, entry->edge);
	char text[32];

	add_number(out, "event", entry->event);
	if (drawn) {
		(void)snprintf(text, sizeof(text), "e%" PRIu32, drawn->id);
		add_string(out, "edge", text);
	}
	add_string(out, "op", flow_op_name((enum flow_op)e->in->graph->edges.items[entry->edge].op));
	add_key(out, "ops");
	for (unsigned op = 0, count = 0; op < FLOW_COUNT; op++) {
		if (entry->ops & UINT32_C(1) << op)
			buffer_printf(out, "%s\"%s\"", count++ ? "," : "[", flow_op_name((enum flow_op)op));
	}
	buffer_add_byte(out, ']');
	if (entry->serial != 0)
		add_number(out, "serial", entry->serial);
	add_time(e, out, "audit_time", entry->guest_ns);
	add_time(e, out, "host_time", entry->host_ns);
	add_digits(out, "host_error_ns", entry->error_ns);
}

// Every part as a shell reads it.
static void add_command(const struct evidence *e, const struct evidence_entry *entry, struct buffer *out)
{
	struct buffer command AUTO_RELEASE_BUFFER = {0};

	buffer_add_string(&command, "provgraph --restore-at ");
	witness_volume_moment(entry->volume, entry->seq, e->in->options->zone, &command);
	buffer_add_string(&command, " --disk ");
	text_shell(&command, entry->volume->argument, strlen(entry->volume->argument), NULL);
	buffer_printf(&command, " --inode %" PRIu64 " -o FILE", e->in->graph->files.items[entry->file].inode);
	add_text(out, "command", command.bytes, command.length);
}

static void add_file(const struct evidence *e, const struct contents_answer *a, struct buffer *out)
{
	char mode[16];

	add_string(out, "kind", fs_kind_name(a->file.kind));
	(void)snprintf(mode, sizeof(mode), "%06" PRIo32, a->file.mode);
	add_string(out, "mode", mode);
	add_number(out, "uid", a->file.uid);
	add_number(out, "gid", a->file.gid);
	add_time(e, out, "modified", a->file.mtime_ns);
	add_time(e, out, "changed", a->file.ctime_ns);
	add_time(e, out, "born", a->file.crtime_ns);
	add_number(out, "size", a->file.size_bytes);
	if (a->file.target)
		add_string(out, "target", a->file.target);
}

static void add_content(const struct evidence *e, const struct evidence_entry *entry, struct buffer *out)
{
	const struct evidence_content *c = &e->contents.items[entry->content];
	const struct contents_answer *a = &c->answer;

	if (a->reason.message[0] != '\0')
		add_string(out, "reason", a->reason.message);
	if (a->there)
		add_file(e, a, out);
	if (!a->whole)
		return;
	add_number(out, "pending_bytes", a->pending_bytes);
	if (a->pending_bytes > 0)
		add_number(out, "pending_from", a->pending_from);
	add_string(out, "sha256", a->sha256);
	add_string(out, "file", e->contents.items[c->same_as].name);
}

// The record whose state it is.
static void add_moment(const struct evidence *e, const struct evidence_entry *entry, struct buffer *out)
{
	if (entry->content == SIZE_MAX)
		return;
	add_number(out, "seq", entry->seq);
	add_time(e, out, "moment", evidence_time_of(entry->volume, entry->seq));
	if (entry->after_the_end) {
		add_key(out, "recording_ended");
		buffer_add_string(out, "true");
	}
}

int evidence_manifest(const struct evidence *e, struct buffer *out, struct error *err)
{
	for (size_t i = 0; i < e->entries.count; i++) {
		const struct evidence_entry *entry = &e->entries.items[i];

		add_who(e, entry, out);
		add_event(e, entry, out);
		add_string(out, "what", what_words[entry->what]);
		add_moment(e, entry, out);
		add_string(out, "verdict", evidence_verdict(e, entry));
		if (entry->content != SIZE_MAX) {
			add_content(e, entry, out);
			if (entry->complete_seq != 0)
				add_number(out, "complete_seq", entry->complete_seq);
			if (entry->later_seq != 0) {
				add_key(out, "newer_content_came_later");
				buffer_add_string(out, "true");
			}
			add_command(e, entry, out);
		}
		buffer_add_string(out, "}\n");
	}
	return buffer_check(out, err);
}
