// SPDX-License-Identifier: MIT
// provgraph disk log HISTORY PATH: every state of a file.
#include "base/text.h"
#include "cmd/disk_span.h"
#include "cmd/report.h"

#include <inttypes.h>
#include <string.h>

static void add_bytes(struct buffer *out, const char *before, uint64_t bytes, const char *after)
{
	buffer_add_string(out, before);
	text_count(out, bytes);
	buffer_add_string(out, bytes == 1 ? " byte" : " bytes");
	buffer_add_string(out, after);
}

static void add_part(struct buffer *out, size_t start)
{
	if (out->length > start)
		buffer_add_string(out, "; ");
}

// What a state changed, against the one before it (NULL: none).
static void add_words(struct buffer *out, const struct timeline_state *s, const struct timeline_state *before)
{
	size_t start = out->length;
	uint64_t old_size = before ? before->size_bytes : 0;

	if (s->change == 0)
		buffer_add_string(out, "as the span begins");
	if (s->change & TIMELINE_DELETED)
		buffer_add_string(out, s->change & TIMELINE_RENAMED ? "moved away: lives on under another name" : "deleted");
	if (s->change & TIMELINE_APPEARED) {
		add_part(out, start);
		buffer_add_string(out, s->change & TIMELINE_DELETED ? "its inode is used anew" : "appeared");
	}
	if (s->change & TIMELINE_REPLACED) {
		if (before && before->inode == s->inode)
			buffer_printf(out, "replaced by another file that has inode %" PRIu64 " again", s->inode);
		else
			buffer_printf(out, "replaced by inode %" PRIu64, s->inode);
		if (s->change & TIMELINE_RENAMED)
			buffer_add_string(out, "; what was there lives on under another name");
	}
	if (s->change & TIMELINE_REWRITTEN) {
		add_part(out, start);
		buffer_printf(out, "rewritten from byte %" PRIu64 " on", s->changed_from);
	}
	if (s->change & TIMELINE_GREW) {
		add_part(out, start);
		add_bytes(out, "grew by ", s->size_bytes > old_size ? s->size_bytes - old_size : 0, "");
	}
	if (s->change & TIMELINE_CUT) {
		add_part(out, start);
		add_bytes(out, "cut by ", old_size > s->size_bytes ? old_size - s->size_bytes : 0, "");
	}
	if (s->change & TIMELINE_ARRIVED) {
		add_part(out, start);
		add_bytes(out, "", s->changed_to - s->changed_from, " came in");
	}
	if (s->change & TIMELINE_METADATA) {
		add_part(out, start);
		buffer_add_string(out, "metadata");
	}
	if (s->pending_bytes > 0)
		add_bytes(out, " (", s->pending_bytes, " still to come)");
}

static void add_text(struct buffer *out, const struct disk_options *o, const struct timeline_states *states)
{
	buffer_printf(out, "%-35s %10s %10s %12s %-35s %s\n", "ON DISK", "SEQ", "INODE", "SIZE", "MODIFIED (GUEST)", "WHAT");
	for (size_t i = 0; i < states->count; i++) {
		const struct timeline_state *s = &states->items[i];

		disk_add_time(out, o, s->arrival_ns);
		buffer_printf(out, " %10" PRIu64 " %10" PRIu64, s->seq, s->inode);
		if (s->change == TIMELINE_DELETED || s->change == (TIMELINE_DELETED | TIMELINE_RENAMED))
			buffer_printf(out, " %12s ", "-");
		else
			buffer_printf(out, " %12" PRIu64 " ", s->size_bytes);
		disk_add_time(out, o, s->mtime_ns);
		buffer_add_byte(out, ' ');
		add_words(out, s, i > 0 ? &states->items[i - 1] : NULL);
		buffer_add_byte(out, '\n');
	}
}

static void add_json(struct buffer *out, const struct disk_options *o, const struct timeline_states *states)
{
	for (size_t i = 0; i < states->count; i++) {
		const struct timeline_state *s = &states->items[i];

		buffer_printf(out, "{\"seq\":%" PRIu64, s->seq);
		disk_add_json_time(out, o, "arrival", s->arrival_ns);
		disk_add_json_number(out, "inode", s->inode);
		disk_add_json_number(out, "generation", s->generation);
		disk_add_json_number(out, "size", s->size_bytes);
		disk_add_json_time(out, o, "modified", s->mtime_ns);
		disk_add_json_time(out, o, "changed", s->ctime_ns);
		disk_add_json_time(out, o, "born", s->crtime_ns);
		buffer_printf(out, ",\"mode\":\"%06" PRIo32 "\"", s->mode);
		disk_add_json_number(out, "uid", s->uid);
		disk_add_json_number(out, "gid", s->gid);
		disk_add_json_number(out, "links", s->links);
		disk_add_json_change(out, s->change);
		disk_add_json_number(out, "changed_from", s->changed_from);
		disk_add_json_number(out, "changed_to", s->changed_to);
		disk_add_json_number(out, "pending_bytes", s->pending_bytes);
		buffer_printf(out, ",\"from_journal\":%s", s->from_journal ? "true" : "false");
		if (s->tid > 0)
			disk_add_json_number(out, "transaction", s->tid);
		buffer_add_string(out, "}\n");
	}
}

int disk_log(const struct disk_options *o)
{
	struct disk_span span;
	struct timeline_states states = {0};
	struct buffer out AUTO_RELEASE_BUFFER = {0};
	struct error err;
	int status = STATUS_ERROR, result;

	if (disk_span_of_file(o, &span, &err) < 0) {
		report_error(&err);
		return STATUS_ERROR;
	}
	span.file.warnings = &span.warnings;
	result = timeline_states(&span.file, span.from_seq, span.to_seq, &states, &err);
	disk_span_report(o, &span);
	if (result == 1)
		status = STATUS_NO_MATCH;
	if (result == 0) {
		(o->json ? add_json : add_text)(&out, o, &states);
		if (disk_print(o, &out, &err) == 0)
			status = STATUS_WRITTEN;
	}
	if (status != STATUS_WRITTEN)
		report_error(&err);
	timeline_states_release(&states);
	disk_span_release(&span);
	return status;
}
