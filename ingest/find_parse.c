// SPDX-License-Identifier: MIT
#include "ingest/find_parse.h"

#include "ingest/assemble.h"
#include "ingest/find_keys.h"
#include "ingest/needle.h"
#include "ingest/record.h"
#include "ingest/stamp.h"
#include "ingest/time_index.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MARGIN_BYTES ((uint64_t)32768)         /* about 150 lines: records of an event are 2 or 3 lines apart as a rule */
#define WIDE_BYTES ((uint64_t)4 << 20)         /* and 16,338 lines, 3.7 MB at worst (measured) */
#define MAX_FRUITLESS 64                       /* each costs 1.5 ms */

int find_parse_add(struct span_vector *spans, uint64_t place, struct error *err)
{
	struct span span = { .from = place > MARGIN_BYTES ? place - MARGIN_BYTES : 0, .to = place + MARGIN_BYTES };

	if (spans->count > 0 && span.from <= spans->items[spans->count - 1].to) {
		spans->items[spans->count - 1].to = span.to;
		return 0;
	}
	return span_vector_append(spans, span) < 0 ? error_set(err, "out of memory") : 0;
}

static int align_spans(struct log_file *f, struct span_vector *spans, struct error *err)
{
	for (size_t i = 0; i < spans->count; i++) {
		struct span *span = &spans->items[i];

		if (time_index_line(f, span->from, &span->from, err) < 0)
			return -1;
		if (span->to >= f->size_bytes)
			span->to = f->size_bytes;
		else if (time_index_line(f, span->to, &span->to, err) < 0)
			return -1;
	}
	return 0;
}

struct collect {
	const struct find_parser *parser;
	struct event_store *store;
	bool only;                      // one event is wanted, whatever the keys
	uint64_t serial, ns;
	uint32_t host;
};

static int on_parsed(void *context, const struct event *event, struct error *err)
{
	struct collect *c = context;
	const struct find_parser *p = c->parser;

	if (c->only) {
		if (event->serial != c->serial || event->earliest_ns != c->ns || event->host != c->host)
			return 0;
	} else if (event->earliest_ns > p->before_ns || event->earliest_ns < p->not_before_ns ||
		   !files_host_wanted(p->source, event->host) || !find_keys_match(p->keys, event)) {
		return 0;
	}
	return event_store_add(c->store, event, err);
}

// Feeds [span.from, span.to) of the log, whole lines, to the assembler.
static int feed_span(struct find_parser *p, struct assembler *a, uint32_t log, struct span span, struct error *err)
{
	while (span.from < span.to) {
		uint64_t left = span.to - span.from;
		size_t length = left < FIND_BUFFER_BYTES ? (size_t)left : (size_t)FIND_BUFFER_BYTES, got = 0, used = 0;

		if (log_file_read(p->source->set.logs[log], span.from, p->bytes, length, &got, err) < 0)
			return -1;
		if (got == 0)
			break;
		if (assembler_feed(a, log, span.from, p->bytes, got, got == left, &used, err) < 0)
			return -1;
		span.from += used > 0 ? used : got; // a line longer than the buffer is no record
	}
	return 0;
}

// The margins of a span at the beginning or end of a log reach into its neighbour: rotation cuts between the records of an event.
static int feed_neighbour(struct find_parser *p, struct assembler *a, uint32_t log, bool tail, struct error *err)
{
	struct log_file *f = p->source->set.logs[log];
	struct span span = { .from = 0 };

	if (log_file_prepare(f, err) < 0)
		return -1;
	span.to = f->size_bytes;
	if (tail && f->size_bytes > MARGIN_BYTES && time_index_line(f, f->size_bytes - MARGIN_BYTES, &span.from, err) < 0)
		return -1;
	if (!tail && f->size_bytes > MARGIN_BYTES && time_index_line(f, MARGIN_BYTES, &span.to, err) < 0)
		return -1;
	return feed_span(p, a, log, span, err);
}

static bool follows(const struct find_parser *p, uint32_t first, uint32_t second)
{
	const struct log_file *a = p->source->set.logs[first], *b = p->source->set.logs[second];

	return a->host == b->host && a->has_last && files_time_after(p->source, a->last_ns) >= b->first_ns &&
	       files_time_after(p->source, b->first_ns) >= a->last_ns;
}

int find_parse_spans(struct find_parser *p, uint32_t log, struct span_vector *spans, struct event_store *found, struct error *err)
{
	struct completeness unused = { .bytes = 0 };
	struct collect collect = { .parser = p, .store = found };
	struct assembler *a = assembler_new(p->source->strings, p->source->set.logs[log]->host, &unused, on_parsed, &collect);
	uint32_t last_log = (uint32_t)p->source->set.count - 1;
	int result = a ? align_spans(p->source->set.logs[log], spans, err) : error_set(err, "out of memory");

	if (a)
		assembler_know_logs(a, p->source->set.logs, p->source->set.count);
	if (result == 0 && spans->items[0].from == 0 && log > 0 && follows(p, log - 1, log))
		result = feed_neighbour(p, a, log - 1, true, err);
	for (size_t i = 0; result == 0 && i < spans->count; i++)
		result = feed_span(p, a, log, spans->items[i], err);
	if (result == 0 && log < last_log && spans->items[spans->count - 1].to == p->source->set.logs[log]->size_bytes &&
	    follows(p, log, log + 1))
		result = feed_neighbour(p, a, log + 1, false, err);
	if (result == 0)
		result = assembler_finish(a, err);
	assembler_free(a);
	completeness_release(&unused);
	return result < 0 ? -1 : 0;
}

// ---- events that came out incomplete

static bool is_incomplete(const struct event *event)
{
	if (event->present & EVENT_PARTIAL)
		return true;
	if (event->kind != EVENT_SYSCALL)
		return false;
	switch (event->op) {
	case OP_EXEC:
		return event->success && event->argv_count == 0;
	case OP_CONNECT:
	case OP_BIND:
		return event->address_count == 0;
	default:
		return event->path_count > 0 && !(event->present & EVENT_HAS_CWD);
	}
}

struct lines_of {
	struct needles needle;           // ":SERIAL)"
	uint64_t serial, ns;
};

// Feeds the event's own lines out of [from, to).
static int feed_lines_of(struct find_parser *p, struct assembler *a, const struct lines_of *wanted, uint32_t log, struct span span,
			 struct error *err)
{
	while (span.from < span.to) {
		uint64_t left = span.to - span.from;
		size_t length = left < FIND_BUFFER_BYTES ? (size_t)left : (size_t)FIND_BUFFER_BYTES, got = 0, at = 0, which;

		if (log_file_read(p->source->set.logs[log], span.from, p->bytes, length, &got, err) < 0)
			return -1;
		size_t whole = got < left ? stamp_line_start(p->bytes, got) : got; // the last line may be cut

		if (whole == 0)
			whole = got;
		while ((at = needles_find(&wanted->needle, p->bytes, whole, at, &which)) < whole) {
			size_t start = stamp_line_start(p->bytes, at), end = stamp_line_end(p->bytes, whole, at), used;
			struct record record;

			at = end;
			if (record_parse(p->bytes + start, end - start, &record) || record.serial != wanted->serial ||
			    record.time_ns != wanted->ns)
				continue;
			if (assembler_feed(a, log, span.from + start, p->bytes + start, end < whole ? end + 1 - start : end - start,
					   true, &used, err) < 0)
				return -1;
		}
		if (whole == 0)
			break;
		span.from += whole;
	}
	return 0;
}

// What a disk gave back may be records of an event whose others were left standing: both logs have to be looked at.
static bool is_shared(const struct find_parser *p, const struct log_file *own)
{
	bool shared = own->recovered;

	for (size_t i = 0; i < p->source->set.count && !shared; i++)
		shared = p->source->set.logs[i]->recovered;
	return shared;
}

static int feed_lines_elsewhere(struct find_parser *p, struct assembler *a, const struct lines_of *wanted, const struct log_file *own, struct error *err)
{
	for (size_t i = 0; i < p->source->set.count; i++) {
		struct log_file *f = p->source->set.logs[i];
		struct span span;

		if (f == own || f->host != own->host || (!f->recovered && !own->recovered))
			continue;
		if (time_index_range(f, files_time_before(p->source, wanted->ns), files_time_after(p->source, wanted->ns), &span.from, &span.to, err) < 0 ||
		    feed_lines_of(p, a, wanted, (uint32_t)i, span, err) < 0)
			return -1;
	}
	return 0;
}

int find_parse_whole(struct find_parser *p, struct event_store *store, const struct event **event, struct error *err)
{
	const struct event *e = *event;

	if (e->evidence_count == 0 || p->fruitless >= MAX_FRUITLESS || (!e->recovered && !is_incomplete(e)))
		return 0;
	struct completeness unused = { .bytes = 0 };
	struct collect collect = { .parser = p, .store = store, .only = true, .serial = e->serial, .ns = e->earliest_ns, .host = e->host };
	struct lines_of wanted = { .serial = e->serial & UINT32_MAX, .ns = e->earliest_ns };
	struct log_file *f = p->source->set.logs[e->evidence[0].log];
	uint64_t middle = e->evidence[0].offset;
	struct span span = { .from = middle > WIDE_BYTES ? middle - WIDE_BYTES : 0,
			     .to = f->size_bytes - middle > WIDE_BYTES ? middle + WIDE_BYTES : f->size_bytes };
	char text[32];

	(void)snprintf(text, sizeof(text), ":%" PRIu64 ")", wanted.serial);
	(void)needles_add(&wanted.needle, text, strlen(text));
	struct assembler *a = assembler_new(p->source->strings, f->host, &unused, on_parsed, &collect);
	int result = a ? 0 : error_set(err, "out of memory");

	if (result == 0) {
		assembler_know_logs(a, p->source->set.logs, p->source->set.count);
		result = time_index_line(f, span.from, &span.from, err);
	}
	if (result == 0)
		result = feed_lines_of(p, a, &wanted, e->evidence[0].log, span, err);
	if (result == 0 && is_shared(p, f))
		result = feed_lines_elsewhere(p, a, &wanted, f, err);
	if (result == 0)
		result = assembler_finish(a, err);
	assembler_free(a);
	completeness_release(&unused);
	if (result < 0)
		return -1;
	p->fruitless += store->count != 1 || store->items[0]->evidence_count <= e->evidence_count;
	if (store->count == 1 && store->items[0]->evidence_count >= e->evidence_count) {
		store->items[0]->latest_ns = e->latest_ns; // alone, it does not know what passed meanwhile
		*event = store->items[0];
	}
	return 0;
}
