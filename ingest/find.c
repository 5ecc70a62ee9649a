// SPDX-License-Identifier: MIT
// find(keys, before) over log files: walk back in blocks, look for the keys' digits, parse around what was found.
//
// A cursor per log; the one whose next block is the youngest goes on. Within a block the places found are widened by a margin, joined,
// parsed in one go, and what matches is handed on newest first. Lines of one event can stand 16,000 apart: an event that comes out
// incomplete is put together once more from all lines of its serial within 4 MiB.
#include "ingest/find_keys.h"
#include "ingest/find_parse.h"
#include "ingest/source_files.h"

#include "ingest/epoch.h"
#include "ingest/event_seen.h"
#include "ingest/event_store.h"
#include "ingest/record.h"
#include "ingest/stamp.h"
#include "ingest/time_index.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES FIND_BUFFER_BYTES
#define SAMPLE_BYTES ((uint64_t)65536)         /* a serial is looked at that often, for boots */
#define HEAD_BYTES ((size_t)16384)             /* the youngest stamp in a block's head tells how young the block before can be */
#define SEEN_BLOCKS 8                          /* an event's lines lie within 4 MiB on either side */

struct cursor {
	struct log_file *f;
	uint32_t log;
	bool started, ended;
	uint64_t at;         // everything from here on was searched
	uint64_t young_ns;   // no record before `at` is younger (but for stragglers)
};

struct find {
	struct files_source *source;
	struct find_parser parser;
	struct find_text text;
	uint64_t max_bytes;
	event_callback *callback;
	void *context;
	struct find_report report;
	struct cursor *cursors;
	char *bytes;                    // BLOCK_BYTES + FIND_TEXT_MARGIN
	struct span_vector spans;       // of the block, ascending
	struct event_store found;
	struct event_seen delivered;    // margins of neighbouring blocks overlap, and so can two logs: each event is handed on once
	uint32_t block;                 // counts blocks
	struct epoch_walk epochs;
};

// ---- handing on

static int newest_first(const void *a, const void *b)
{
	const struct event *x = *(struct event *const *)a, *y = *(struct event *const *)b;

	if (x->earliest_ns != y->earliest_ns)
		return x->earliest_ns > y->earliest_ns ? -1 : 1;
	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	return (x->serial < y->serial) - (x->serial > y->serial);
}

static int deliver_one(struct find *find, const struct event *event, struct error *err)
{
	struct event_store whole = { .count = 0 };
	int result = find_parse_whole(&find->parser, &whole, &event, err);

	if (result == 0) {
		struct event copy = *event;

		if (event->evidence_count > 0)
			copy.epoch = epoch_walk_of(&find->epochs, event->host, event->evidence[0].log, event->evidence[0].offset,
						   event->serial, event->earliest_ns);
		result = find->callback(find->context, &copy, err);
	}
	event_store_release(&whole);
	return result;
}

static int deliver_found(struct find *find, struct error *err)
{
	int result = 0;

	if (find->found.count > 1)
		qsort(find->found.items, find->found.count, sizeof(find->found.items[0]), newest_first);
	for (size_t i = 0; result == 0 && i < find->found.count; i++) {
		bool is_new = false;

		result = event_seen_add(&find->delivered, find->found.items[i], &is_new, err);
		if (result == 0 && is_new)
			result = deliver_one(find, find->found.items[i], err);
	}
	event_store_clear(&find->found);
	return result;
}

// ---- one block

// Serials at regular distances, from the back to the front.
static int sample_epochs(struct find *find, const struct cursor *cursor, uint64_t start, size_t length, struct error *err)
{
	for (size_t at = length - length % SAMPLE_BYTES;; at -= SAMPLE_BYTES) {
		size_t line = at == 0 && start == 0 ? 0 : stamp_line_end(find->bytes, length, at) + 1;
		struct record record;

		while (line < length) {
			size_t end = stamp_line_end(find->bytes, length, line);

			if (!record_parse(find->bytes + line, end - line, &record) &&
			    (record.type_length < 7 || memcmp(record.type, "DAEMON_", 7) != 0)) {
				uint32_t host = record.node ? intern_find(find->source->strings, record.node, record.node_length) :
							      cursor->f->host;

				if (epoch_walk_line(&find->epochs, host, cursor->log, start + line, record.serial, record.time_ns, err) < 0)
					return -1;
				break;
			}
			line = end + 1;
			if (line > at + SAMPLE_BYTES)
				break;
		}
		if (at == 0)
			return 0;
	}
}

static void look_at_head(struct find *find, struct cursor *cursor, uint64_t start, size_t length)
{
	struct stamp_block head;

	stamp_block_read(find->bytes, length < HEAD_BYTES ? length : HEAD_BYTES, start == 0, &head);
	if (head.count == 0)
		return;
	if (head.max_ns < cursor->young_ns)
		cursor->young_ns = head.max_ns;
	if (head.min_ns < find->report.reached_ns)
		find->report.reached_ns = head.min_ns;
}

static int search_block(struct find *find, struct cursor *cursor, struct error *err)
{
	uint64_t start = cursor->at > BLOCK_BYTES ? cursor->at - BLOCK_BYTES : 0;
	size_t wanted = (size_t)(cursor->at - start), length = 0;

	if (log_file_read(cursor->f, start, find->bytes, wanted + FIND_TEXT_MARGIN, &length, err) < 0)
		return -1;
	find->spans.count = 0;
	if (++find->block % SEEN_BLOCKS == 0)
		event_seen_age(&find->delivered);
	for (size_t at = 0; (at = find_text_next(&find->text, find->bytes, length, at)) < wanted && at < length; at++) {
		if (find_parse_add(&find->spans, start + at, err) < 0)
			return -1;
	}
	if (sample_epochs(find, cursor, start, length, err) < 0)
		return -1;
	look_at_head(find, cursor, start, length);
	find->report.bytes += wanted;
	cursor->at = start;
	cursor->ended = start == 0;
	if (find->spans.count == 0)
		return 0;
	if (find_parse_spans(&find->parser, cursor->log, &find->spans, &find->found, err) < 0)
		return -1;
	return deliver_found(find, err);
}

// ---- the walk

// The log is opened for real when its turn comes: older, compressed ones may never be needed.
static int start_cursor(struct find *find, struct cursor *cursor, struct error *err)
{
	uint64_t begin = 0;

	if (log_file_find_last(cursor->f, err) < 0)
		return -1;
	cursor->started = true;
	if (time_index_range(cursor->f, 0, files_time_after(find->source, find->parser.before_ns), &begin, &cursor->at, err) < 0)
		return -1;
	if (cursor->f->last_ns < cursor->young_ns)
		cursor->young_ns = cursor->f->last_ns;
	cursor->ended = cursor->at == 0;
	return 0;
}

static struct cursor *youngest(struct find *find)
{
	struct cursor *best = NULL;

	for (size_t i = 0; i < find->source->set.count; i++) {
		struct cursor *cursor = &find->cursors[i];

		if (!cursor->ended && (!best || cursor->young_ns >= best->young_ns))
			best = cursor;
	}
	return best;
}

static int walk_back(struct find *find, struct error *err)
{
	struct cursor *cursor;

	while ((cursor = youngest(find))) {
		int result;

		if (files_time_after(find->source, cursor->young_ns) < find->parser.not_before_ns)
			break; // and every other one is older
		if (find->max_bytes > 0 && find->report.bytes >= find->max_bytes) {
			find->report.complete = false;
			break;
		}
		result = cursor->started ? search_block(find, cursor, err) : start_cursor(find, cursor, err);
		if (result != 0) {
			find->report.complete = false;
			return result;
		}
	}
	return 0;
}

static int set_up(struct find *find, struct error *err)
{
	struct log_set *set = &find->source->set;

	find->cursors = calloc(set->count, sizeof(*find->cursors));
	find->bytes = malloc((size_t)BLOCK_BYTES + FIND_TEXT_MARGIN);
	find->parser.bytes = malloc((size_t)BLOCK_BYTES);
	if (!find->cursors || !find->bytes || !find->parser.bytes)
		return error_set(err, "out of memory");
	if (log_set_find_last(set, err) < 0)
		return -1;
	for (size_t i = 0; i < set->count; i++) {
		struct cursor *cursor = &find->cursors[i];

		cursor->f = set->logs[i];
		cursor->log = (uint32_t)i;
		cursor->young_ns = find->parser.before_ns;
		if (cursor->f->has_last && cursor->f->last_ns < find->parser.before_ns)
			cursor->young_ns = cursor->f->last_ns;
		cursor->ended = !cursor->f->has_last || cursor->f->first_ns > files_time_after(find->source, find->parser.before_ns);
	}
	return find_text_init(&find->text, find->parser.keys, err);
}

int files_find(struct source *source, const struct find_keys *keys, uint64_t before_ns, struct find_limit limit, event_callback *callback,
	       void *context, struct find_report *ret_report, struct error *err)
{
	struct files_source *s = (struct files_source *)source;
	struct find find = { .source = s, .max_bytes = limit.max_bytes, .callback = callback, .context = context,
			     .parser = { .source = s, .keys = keys, .before_ns = before_ns, .not_before_ns = limit.not_before_ns },
			     .report = { .reached_ns = before_ns, .complete = true }, .epochs = { .source = s } };
	int result;

	result = set_up(&find, err);
	if (result == 0)
		result = walk_back(&find, err);
	find_text_release(&find.text);
	epoch_walk_release(&find.epochs);
	event_store_release(&find.found);
	event_seen_release(&find.delivered);
	span_vector_release(&find.spans);
	free(find.cursors);
	free(find.bytes);
	free(find.parser.bytes);
	if (result < 0)
		return -1;
	if (ret_report)
		*ret_report = find.report;
	return 0;
}
