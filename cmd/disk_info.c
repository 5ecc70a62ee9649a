// SPDX-License-Identifier: MIT
// provgraph disk info HISTORY: from when to when, how large, how fast it grows, whether it is sound.
#include "cmd/disk.h"

#include "base/buffer.h"
#include "base/text.h"
#include "snapshots/history.h"

#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#define DAY_NS (24 * 3600 * NANOTIME_SECOND)
#define LEAST_SPAN_NS (60 * NANOTIME_SECOND) /* a rate out of less says nothing about a day */

struct info {
	struct history_facts facts;
	struct history_space space;
	uint64_t used_bytes, free_bytes, span_ns;
	bool has_growth;
	double bytes_per_day;
};

static int look(const struct disk_options *o, struct history *h, struct info *ret, struct error *err)
{
	struct statvfs space;

	*ret = (struct info){0};
	if (history_facts(h, &ret->facts, err) < 0 || history_space(h, &ret->space, err) < 0)
		return -1;
	if (statvfs(o->history, &space) == 0)
		ret->free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
	ret->used_bytes = ret->space.stored_bytes + ret->space.index_bytes;
	if (ret->facts.first_ns != NANOTIME_NONE && ret->facts.last_ns > ret->facts.first_ns)
		ret->span_ns = ret->facts.last_ns - ret->facts.first_ns;
	ret->has_growth = ret->span_ns >= LEAST_SPAN_NS;
	if (ret->has_growth)
		ret->bytes_per_day = (double)ret->used_bytes * (double)DAY_NS / (double)ret->span_ns;
	return 0;
}

static void add_uuid(struct buffer *out, const uint8_t uuid[16])
{
	for (int i = 0; i < 16; i++)
		buffer_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

// ---- for people

static void add_label(struct buffer *out, const char *label)
{
	buffer_printf(out, "%-14s ", label);
}

static void add_visible(struct buffer *out, const char *text)
{
	text_terminal(out, text, strlen(text));
}

static void add_size_exact(struct buffer *out, uint64_t bytes)
{
	text_size(out, bytes);
	buffer_add_string(out, " (");
	text_count(out, bytes);
	buffer_add_string(out, " bytes)");
}

static void add_span(struct buffer *out, const struct info *i, struct timezone_choice zone)
{
	add_label(out, "recorded:");
	if (i->facts.record_count == 0 || i->facts.first_ns == NANOTIME_NONE) {
		buffer_add_string(out, "nothing yet\n");
		return;
	}
	nanotime_format(out, i->facts.first_ns, NANOTIME_FULL, zone);
	buffer_add_string(out, " to ");
	nanotime_format(out, i->facts.last_ns, NANOTIME_FULL, zone);
	buffer_add_string(out, " (");
	nanotime_format_duration(out, i->span_ns);
	buffer_add_string(out, "), ");
	text_count(out, i->facts.record_count);
	buffer_printf(out, " records, the last is seq:%" PRIu64 "\n", i->facts.last_seq);
	add_label(out, "last flush:");
	if (i->facts.last_flush_seq == 0) {
		buffer_add_string(out, "none\n");
		return;
	}
	nanotime_format(out, i->facts.last_flush_ns, NANOTIME_FULL, zone);
	buffer_printf(out, " (seq:%" PRIu64 ")\n", i->facts.last_flush_seq);
}

static void add_growth(struct buffer *out, const struct info *i)
{
	add_label(out, "growth:");
	if (!i->has_growth) {
		buffer_add_string(out, "unknown: less than a minute is recorded\n");
		return;
	}
	text_size(out, (uint64_t)i->bytes_per_day);
	buffer_add_string(out, " per day; ");
	text_size(out, i->free_bytes);
	buffer_add_string(out, " are free");
	if (i->bytes_per_day > 0) {
		double days = (double)i->free_bytes / i->bytes_per_day;

		if (days < 36500)
			buffer_printf(out, days < 10 ? ", full in %.1f days" : ", full in %.0f days", days);
		else
			buffer_add_string(out, ", full in more than 100 years");
	}
	buffer_add_byte(out, '\n');
}

static void add_text(struct buffer *out, const struct info *i, struct timezone_choice zone)
{
	const struct history_facts *f = &i->facts;

	add_label(out, "history:");
	add_visible(out, f->folder);
	buffer_add_byte(out, '\n');
	add_label(out, "identity:");
	add_uuid(out, f->uuid);
	buffer_add_byte(out, '\n');
	add_label(out, "disk:");
	add_size_exact(out, f->size_bytes);
	buffer_add_byte(out, '\n');
	if (f->has_base) {
		add_label(out, "base image:");
		add_visible(out, f->base_path);
		buffer_add_byte(out, '\n');
	}
	add_span(out, i, zone);
	add_label(out, "size:");
	add_size_exact(out, i->used_bytes);
	buffer_printf(out, " in %" PRIu64 " segment%s, ", f->segment_count, f->segment_count == 1 ? "" : "s");
	text_size(out, i->space.index_bytes);
	buffer_add_string(out, " of it index; the guest wrote ");
	text_size(out, i->space.written_bytes);
	buffer_add_byte(out, '\n');
	add_growth(out, i);
	add_label(out, "recording:");
	buffer_add_string(out, f->being_written ? "now\n" : "not now\n");
	add_label(out, "health:");
	if (f->torn && f->being_written) {
		buffer_add_string(out, "sound; the writer is in the middle of a record\n");
	} else if (f->torn) {
		buffer_add_string(out, "the end is unfinished, as after a crash: ");
		add_visible(out, f->torn_reason.message);
		buffer_add_byte(out, '\n');
	} else {
		buffer_add_string(out, "opens without complaint; disk verify reads every byte\n");
	}
}

// ---- for programs

static void add_json_text(struct buffer *out, const char *key, const char *text)
{
	bool lossy = false;

	buffer_printf(out, "  \"%s\": ", key);
	text_json(out, text, strlen(text), &lossy);
	buffer_add_string(out, ",\n");
	if (!lossy)
		return;
	buffer_printf(out, "  \"%s_b64\": \"", key);
	text_base64(out, text, strlen(text));
	buffer_add_string(out, "\",\n");
}

static void add_json_number(struct buffer *out, const char *key, uint64_t value, bool present)
{
	if (present)
		buffer_printf(out, "  \"%s\": %" PRIu64 ",\n", key, value);
	else
		buffer_printf(out, "  \"%s\": null,\n", key);
}

static void add_json(struct buffer *out, const struct info *i)
{
	const struct history_facts *f = &i->facts;
	bool any = f->record_count > 0 && f->first_ns != NANOTIME_NONE;

	buffer_add_string(out, "{\n  \"schema\": 1,\n");
	add_json_text(out, "history", f->folder);
	buffer_add_string(out, "  \"uuid\": \"");
	add_uuid(out, f->uuid);
	buffer_add_string(out, "\",\n");
	if (f->has_base)
		add_json_text(out, "base", f->base_path);
	add_json_number(out, "disk_bytes", f->size_bytes, true);
	add_json_number(out, "first_ns", f->first_ns, any);
	add_json_number(out, "last_ns", f->last_ns, any);
	add_json_number(out, "last_seq", f->last_seq, true);
	add_json_number(out, "records", f->record_count, true);
	add_json_number(out, "last_flush_seq", f->last_flush_seq, f->last_flush_seq > 0);
	add_json_number(out, "last_flush_ns", f->last_flush_ns, f->last_flush_seq > 0);
	add_json_number(out, "segments", f->segment_count, true);
	add_json_number(out, "segment_bytes", i->space.stored_bytes, true);
	add_json_number(out, "index_bytes", i->space.index_bytes, true);
	add_json_number(out, "written_bytes", i->space.written_bytes, true);
	add_json_number(out, "growth_bytes_per_day", (uint64_t)i->bytes_per_day, i->has_growth);
	add_json_number(out, "free_bytes", i->free_bytes, true);
	if (f->torn)
		add_json_text(out, "torn", f->torn_reason.message);
	buffer_printf(out, "  \"recording\": %s\n}\n", f->being_written ? "true" : "false");
}

int disk_info(const struct disk_options *o)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};
	struct history *h = NULL;
	struct info info;
	struct error err;
	int result = history_open(o->history, &h, &err);

	if (result == 0)
		result = look(o, h, &info, &err);
	if (result == 0) {
		if (o->json)
			add_json(&text, &info);
		else
			add_text(&text, &info, o->zone);
		result = disk_print(o, &text, &err);
	}
	history_free(h);
	if (result < 0)
		report_error(&err);
	return result < 0 ? STATUS_ERROR : STATUS_WRITTEN;
}
