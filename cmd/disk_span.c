// SPDX-License-Identifier: MIT
#include "cmd/disk_span.h"

#include "base/text.h"
#include "cmd/disk_ask.h"
#include "cmd/report.h"

#include <inttypes.h>
#include <string.h>

#define TIME_CELLS 35 /* 2026-11-20T10:06:00.123456789+09:00 */

static int choose_file(const struct disk_options *o, struct disk_span *s, struct error *err)
{
	const char *path = o->operand_count > 0 ? o->operands[0] : o->path;
	bool by_inode = o->has_inode || o->inode != 0;

	if ((o->operand_count > 0) + (o->path != NULL) + by_inode > 1)
		return error_set(err, "disk %s: a path and an inode, or two paths: which?", o->verb);
	if (!path && !by_inode)
		return error_set(err, "disk %s: which file? Give its path or --inode N", o->verb);
	if (path && strlen(path) > 4096)
		return error_set(err, "disk %s: the path is longer than 4096 bytes", o->verb);
	s->file.path = path;
	s->file.path_length = path ? strlen(path) : 0;
	s->file.inode = o->inode;
	return 0;
}

static int begin(const struct disk_options *o, struct disk_span *s, struct error *err)
{
	struct history_facts facts;

	if (history_open(o->history, &s->history, err) < 0)
		return -1;
	if (history_facts(s->history, &facts, err) < 0) {
		history_free(s->history);
		return -1;
	}
	s->file.history = o->history;
	s->file.partition = o->partition;
	s->to_seq = facts.last_seq;
	return 0;
}

static int check_order(const struct disk_options *o, const struct disk_span *s, struct error *err)
{
	return s->from_seq > s->to_seq ? error_set(err, "disk %s: the span ends before it begins", o->verb) : 0;
}

int disk_span_of_volume(const struct disk_options *o, struct disk_span *ret, struct error *err)
{
	*ret = (struct disk_span){0};
	if (begin(o, ret, err) < 0)
		return -1;
	if ((o->from && disk_moment(ret->history, o->from, o, &ret->from_seq, err) < 0) ||
	    (o->to && disk_moment(ret->history, o->to, o, &ret->to_seq, err) < 0) || check_order(o, ret, err) < 0) {
		history_free(ret->history);
		return -1;
	}
	return 0;
}

int disk_span_of_file(const struct disk_options *o, struct disk_span *ret, struct error *err)
{
	struct disk_span file = {0};

	if (choose_file(o, &file, err) < 0 || disk_span_of_volume(o, ret, err) < 0)
		return -1;
	ret->file.path = file.file.path;
	ret->file.path_length = file.file.path_length;
	ret->file.inode = file.file.inode;
	return 0;
}

int disk_span_of_moments(const struct disk_options *o, struct disk_span *ret, struct error *err)
{
	*ret = (struct disk_span){0};
	if (begin(o, ret, err) < 0)
		return -1;
	if (disk_moment(ret->history, o->operands[0], o, &ret->from_seq, err) < 0 ||
	    disk_moment(ret->history, o->operands[1], o, &ret->to_seq, err) < 0 || check_order(o, ret, err) < 0) {
		history_free(ret->history);
		return -1;
	}
	return 0;
}

void disk_span_release(struct disk_span *s)
{
	history_free(s->history);
	buffer_release(&s->warnings);
}

void disk_span_report(const struct disk_options *o, struct disk_span *s)
{
	struct buffer from AUTO_RELEASE_BUFFER = {0}, to AUTO_RELEASE_BUFFER = {0};

	disk_ask_warn(o, &s->warnings);
	if (o->quiet)
		return;
	disk_ask_moment(&from, o, s->history, s->from_seq);
	disk_ask_moment(&to, o, s->history, s->to_seq);
	report_line("from %s to %s", buffer_string(&from), buffer_string(&to));
}

void disk_add_time(struct buffer *out, const struct disk_options *o, uint64_t ns)
{
	size_t before = out->length;

	if (ns == 0 || ns == NANOTIME_NONE)
		buffer_add_byte(out, '-');
	else
		nanotime_format(out, ns, NANOTIME_FULL, o->zone);
	while (out->length < before + TIME_CELLS && !out->failed)
		buffer_add_byte(out, ' ');
}

void disk_add_json_text(struct buffer *out, const char *key, const char *bytes, size_t length)
{
	bool lossy = false;

	buffer_printf(out, ",\"%s\":", key);
	text_json(out, length > 0 ? bytes : "", length, &lossy);
	if (!lossy)
		return;
	buffer_printf(out, ",\"%s_b64\":\"", key);
	text_base64(out, bytes, length);
	buffer_add_byte(out, '"');
}

void disk_add_json_time(struct buffer *out, const struct disk_options *o, const char *key, uint64_t ns)
{
	if (ns == 0 || ns == NANOTIME_NONE)
		return;
	buffer_printf(out, ",\"%s\":\"", key);
	nanotime_format(out, ns, NANOTIME_FULL, o->zone);
	buffer_printf(out, "\",\"%s_ns\":%" PRIu64, key, ns);
}

void disk_add_json_number(struct buffer *out, const char *key, uint64_t value)
{
	buffer_printf(out, ",\"%s\":%" PRIu64, key, value);
}

const char *disk_change_word(unsigned bit)
{
	static const char *const words[] = {"appeared", "grew", "cut", "rewritten", "arrived", "metadata", "deleted", "replaced", "renamed"};

	return bit < sizeof(words) / sizeof(words[0]) ? words[bit] : NULL;
}

void disk_add_json_change(struct buffer *out, unsigned change)
{
	bool first = true;

	buffer_add_string(out, ",\"change\":[");
	for (unsigned bit = 0; disk_change_word(bit); bit++) {
		if (!(change & 1u << bit))
			continue;
		buffer_printf(out, "%s\"%s\"", first ? "" : ",", disk_change_word(bit));
		first = false;
	}
	buffer_add_byte(out, ']');
}
