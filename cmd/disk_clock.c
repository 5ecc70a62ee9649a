// SPDX-License-Identifier: MIT
// provgraph disk clock HISTORY: how far the guest's clock is away from the host's.
#include "base/text.h"
#include "cmd/disk_ask.h"
#include "cmd/disk_span.h"
#include "cmd/report.h"

#include <inttypes.h>
#include <string.h>

#define SHOWN_TWICE_NS (10 * 60 * NANOTIME_SECOND) /* a piece longer than this is shown as it begins and as it ends, a shorter one in its middle */

struct shown { uint64_t from_ns, to_ns; }; // host time; to_ns is part of it

static const char *source_of(const struct timeline_clock_piece *p)
{
	return p->source == TIMELINE_CLOCK_AUDIT ? "audit" : "journal";
}

// Where a piece and the span meet, between its samples when they are not all outside. False: they do not meet.
static bool clip(const struct timeline_clock_piece *p, const struct shown *span, struct shown *ret)
{
	uint64_t from = p->from_ns > span->from_ns ? p->from_ns : span->from_ns, to = p->to_ns - 1 < span->to_ns ? p->to_ns - 1 : span->to_ns;

	if (from > to)
		return false;
	*ret = (struct shown){from, to};
	if (p->samples > 0 && p->sampled_from_ns <= to && p->sampled_to_ns >= from) {
		ret->from_ns = p->sampled_from_ns > from ? p->sampled_from_ns : from;
		ret->to_ns = p->sampled_to_ns < to ? p->sampled_to_ns : to;
	}
	return true;
}

static bool is_long(const struct shown *part)
{
	return part->to_ns - part->from_ns > SHOWN_TWICE_NS;
}

// Six decimals; the error is rounded up.
static void add_seconds(struct buffer *out, int64_t ns)
{
	uint64_t us = ((ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns) + 500) / 1000;

	buffer_printf(out, "%c%" PRIu64 ".%06" PRIu64, ns < 0 ? '-' : '+', us / 1000000, us % 1000000);
}

static void add_error(struct buffer *out, uint64_t ns)
{
	uint64_t us = ns / 1000 + 1;

	buffer_printf(out, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

static void add_column(struct buffer *out, const struct buffer *text, int cells)
{
	buffer_printf(out, " %*s", cells, buffer_string(text));
}

static void add_row(struct buffer *out, const struct disk_options *o, const struct timeline_clock *clock, uint64_t host_ns)
{
	struct buffer offset AUTO_RELEASE_BUFFER = {0}, error AUTO_RELEASE_BUFFER = {0};
	int64_t offset_ns;
	uint64_t error_ns;

	disk_add_time(out, o, host_ns);
	if (timeline_clock_at(clock, host_ns, &offset_ns, &error_ns)) {
		add_seconds(&offset, offset_ns);
		add_error(&error, error_ns);
	}
	add_column(out, &offset, 18);
	add_column(out, &error, 12);
}

static void add_step(struct buffer *out, const struct disk_options *o, const struct timeline_clock_piece *before, const struct timeline_clock_piece *p)
{
	uint64_t size = p->step_ns < 0 ? 0 - (uint64_t)p->step_ns : (uint64_t)p->step_ns;

	buffer_printf(out, "the guest's clock was set %s by ", p->step_ns < 0 ? "back" : "forward");
	nanotime_format_duration(out, size);
	buffer_add_string(out, " (");
	add_error(out, size);
	buffer_add_string(out, " s) between ");
	nanotime_format(out, before->sampled_to_ns, NANOTIME_FULL, o->zone);
	buffer_add_string(out, " and ");
	nanotime_format(out, p->sampled_from_ns, NANOTIME_FULL, o->zone);
	buffer_add_byte(out, '\n');
}

static void add_contradicting(struct buffer *out, const struct timeline_clock_piece *p)
{
	if (p->contradicting == 0)
		return;
	text_count(out, p->contradicting);
	buffer_add_string(out, p->contradicting == 1 ? " stamp contradicts the others and is" : " stamps contradict the others and are");
	buffer_add_string(out, " left out: forged, or the clock was set there and back\n");
}

static void add_text(struct buffer *out, const struct disk_options *o, const struct timeline_clock *clock, const struct shown *span)
{
	buffer_printf(out, "%-35s %18s %12s %10s %9s %s\n", "HOST TIME", "HOST - GUEST (s)", "ERROR (s)", "DRIFT PPM", "SAMPLES", "SOURCE");
	for (size_t i = 0; i < clock->pieces.count; i++) {
		const struct timeline_clock_piece *p = &clock->pieces.items[i];
		struct shown part;

		if (!clip(p, span, &part))
			continue;
		if (p->host_stepped)
			buffer_add_string(out, "the recorder's clock was set\n");
		if (p->stepped && p->sampled_from_ns >= span->from_ns)
			add_step(out, o, p - 1, p);
		if (p->samples == 0) {
			disk_add_time(out, o, part.from_ns);
			buffer_add_string(out, " nothing tells the guest's time\n");
			continue;
		}
		add_row(out, o, clock, is_long(&part) ? part.from_ns : part.from_ns + (part.to_ns - part.from_ns) / 2);
		buffer_printf(out, " %+10.1f %9" PRIu64 " %s\n", p->drift * 1e6, p->samples, source_of(p));
		if (is_long(&part)) {
			add_row(out, o, clock, part.to_ns);
			buffer_add_string(out, "\n");
		}
		add_contradicting(out, p);
	}
}

static void add_json_edge(struct buffer *out, const struct disk_options *o, const struct timeline_clock *clock, const char *key, uint64_t host_ns)
{
	int64_t offset_ns;
	uint64_t error_ns;

	disk_add_json_time(out, o, key, host_ns);
	if (!timeline_clock_at(clock, host_ns, &offset_ns, &error_ns))
		return;
	buffer_printf(out, ",\"%s_offset_ns\":%" PRId64 ",\"%s_offset_seconds\":", key, offset_ns, key);
	buffer_printf(out, "%s%" PRIu64 ".%09" PRIu64, offset_ns < 0 ? "-" : "", (offset_ns < 0 ? 0 - (uint64_t)offset_ns : (uint64_t)offset_ns) / NANOTIME_SECOND,
		      (offset_ns < 0 ? 0 - (uint64_t)offset_ns : (uint64_t)offset_ns) % NANOTIME_SECOND);
	buffer_printf(out, ",\"%s_error_ns\":%" PRIu64, key, error_ns);
}

static void add_json(struct buffer *out, const struct disk_options *o, const struct timeline_clock *clock, const struct shown *span)
{
	for (size_t i = 0; i < clock->pieces.count; i++) {
		const struct timeline_clock_piece *p = &clock->pieces.items[i];
		struct shown part;

		if (!clip(p, span, &part))
			continue;
		buffer_printf(out, "{\"source\":\"%s\"", p->samples > 0 ? source_of(p) : "none");
		add_json_edge(out, o, clock, "from", part.from_ns);
		add_json_edge(out, o, clock, "middle", part.from_ns + (part.to_ns - part.from_ns) / 2);
		add_json_edge(out, o, clock, "to", part.to_ns);
		buffer_printf(out, ",\"drift_ppm\":%.3f", p->drift * 1e6);
		disk_add_json_number(out, "samples", p->samples);
		disk_add_json_number(out, "contradicting", p->contradicting);
		buffer_printf(out, ",\"stepped\":%s,\"host_stepped\":%s", p->stepped ? "true" : "false", p->host_stepped ? "true" : "false");
		if (p->stepped)
			buffer_printf(out, ",\"step_ns\":%" PRId64, p->step_ns);
		buffer_add_string(out, "}\n");
	}
}

// The moment that one end of the span stands for.
static int judge_end(const struct disk_options *o, struct disk_span *s, const char *text, uint64_t seq, uint64_t *ret_ns, struct error *err)
{
	if (strncmp(text, "seq:", 4) != 0)
		return disk_time(text, o, true, ret_ns, err);
	return history_time_of(s->history, seq, ret_ns, err);
}

static int judge_span(const struct disk_options *o, struct disk_span *s, struct shown *ret, struct error *err)
{
	*ret = (struct shown){0, NANOTIME_NONE - 1};
	if (o->from && judge_end(o, s, o->from, s->from_seq, &ret->from_ns, err) < 0)
		return -1;
	if (ret->from_ns == NANOTIME_NONE) // seq:0
		ret->from_ns = 0;
	return o->to ? judge_end(o, s, o->to, s->to_seq, &ret->to_ns, err) : 0;
}

static int run(const struct disk_options *o, struct disk_span *span, struct error *err)
{
	struct timeline_clock clock = {0};
	struct buffer out AUTO_RELEASE_BUFFER = {0};
	struct history_facts facts;
	struct shown shown;

	// All commits together tell more of each moment than those of a short span do.
	if (history_facts(span->history, &facts, err) < 0 || judge_span(o, span, &shown, err) < 0)
		return -1;
	int result = timeline_clock(&span->file, 0, facts.last_seq, &clock, err);

	disk_ask_warn(o, &span->warnings);
	if (result == 0) {
		(o->json ? add_json : add_text)(&out, o, &clock, &shown);
		result = disk_print(o, &out, err);
	} else if (result == 1) {
		(void)error_set(err, "%s: nothing on this disk tells the guest's time: no ext3 or ext4 journal was written, and no audit log", o->history);
	}
	timeline_clock_release(&clock);
	return result;
}

int disk_clock(const struct disk_options *o)
{
	struct disk_span span;
	struct error err;

	if (disk_span_of_volume(o, &span, &err) < 0) {
		report_error(&err);
		return STATUS_ERROR;
	}
	span.file.warnings = &span.warnings;
	int result = run(o, &span, &err);

	if (result != 0)
		report_error(&err);
	disk_span_release(&span);
	return result == 0 ? STATUS_WRITTEN : result == 1 ? STATUS_NO_MATCH : STATUS_ERROR;
}
