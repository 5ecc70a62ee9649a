// SPDX-License-Identifier: MIT
// A reader per open log. Its key is the largest stamp so far, which never falls, so "the smallest key goes first" merges nearly sorted
// logs without sorting inside one: within a log the order of lines stays.
//
//   one reader open, the next log begins later     whole steps go to the assembler without a look at their lines
//   two or more                                    runs of lines, cut where another reader's key is reached
//
// Copies of a line stand at about the same time in both logs, so a small table of the lines fed last finds them. It is keyed with a
// random number: nobody can write a line that makes another one disappear.
#include "ingest/log_merge.h"

#include "base/line_hash.h"
#include "base/memory.h"
#include "ingest/record.h"
#include "ingest/stamp.h"
#include "ingest/time_index.h"

#include <stdbool.h>
#include <string.h>

#define STEP_BYTES ((size_t)1 << 19)
#define TABLE_SETS 65536u                /* x 4 ways x 16 bytes = 4 MiB: a quarter of a million lines */
#define TABLE_WAYS 4u
#define DUPLICATES 1024u                 /* the lines of an event may stand among those of others: count it once */

struct reader {
	struct log_part part;
	uint64_t last_ns;        // of the whole log
	uint64_t key_ns;
	char *bytes;             // STEP_BYTES
	size_t length, used;     // filled; already fed
	uint64_t at;             // offset of bytes[used] in the log
	uint64_t line_ns;        // stamp of the line at `used`, 0 without one
	size_t line_length;      // with its newline; 0: not looked at yet
	const struct log_part *limit_for; // `limit` is where this next part begins to overlap
	uint64_t limit;
	bool in_long_line;       // the rest of a line that is longer than a step is skipped
};

struct line_seen { uint64_t hash; uint32_t log; uint32_t used; };
struct duplicate { uint64_t serial, ns; };

struct merge {
	struct reader *open[64]; // our limit for logs that overlap at one moment
	size_t open_count;
	const struct log_part *pending;
	size_t pending_count;
	struct completeness *c;
	struct line_seen *seen;  // TABLE_SETS x TABLE_WAYS
	uint8_t *turn;           // which way of a set is replaced next
	struct duplicate duplicates[DUPLICATES]; // by serial: the events that were counted last
	struct line_key key;
	uint64_t overlap_ns;     // largest key at which two readers were open: copies may stand up to here
};

static void reader_free(struct reader *r)
{
	if (!r)
		return;
	free(r->bytes);
	free(r);
}

static bool reader_ended(const struct reader *r)
{
	return r->at >= r->part.end;
}

// Moves what is left to the front and reads on. After it `used` is 0.
static int reader_fill(struct reader *r, uint64_t limit, struct error *err)
{
	size_t got = 0, left = r->length - r->used, want = STEP_BYTES - left;
	uint64_t next = r->at + left;

	memmove(r->bytes, r->bytes + r->used, left);
	r->used = 0;
	r->length = left;
	if (next >= limit)
		return 0;
	if (want > limit - next)
		want = (size_t)(limit - next);
	if (log_file_read(r->part.f, next, r->bytes + left, want, &got, err) < 0)
		return -1;
	r->length += got;
	if (got < want) // became shorter: its end is here
		r->part.end = next + got < r->part.end ? next + got : r->part.end;
	return 0;
}

static void reader_skip(struct reader *r, size_t length)
{
	r->used += length;
	r->at += length;
	r->line_length = 0;
}

// Feeds bytes[used .. used + length).
static int reader_feed(struct reader *r, size_t length, bool last, size_t *ret_used, struct error *err)
{
	int result = assembler_feed(r->part.assembler, r->part.log, r->at, r->bytes + r->used, length, last, ret_used, err);

	if (result < 0)
		return -1;
	reader_skip(r, *ret_used);
	return result;
}

// A line longer than a step is no audit record (the kernel's are below 9 KiB): its beginning is fed, to be rejected and counted, the
// rest is passed over.
static int feed_long_line(struct reader *r, struct error *err)
{
	size_t used = 0;
	int result = reader_feed(r, r->length - r->used, true, &used, err);

	r->in_long_line = true;
	return result;
}

static void pass_over_long_line(struct reader *r)
{
	size_t end = stamp_line_end(r->bytes + r->used, r->length - r->used, 0);

	r->in_long_line = end == r->length - r->used;
	reader_skip(r, r->in_long_line ? end : end + 1);
}

// Everything up to `limit` (where a line begins, or the end), in steps. The buffer may hold more than that already.
static int feed_steps(struct reader *r, uint64_t limit, struct error *err)
{
	while (r->at < limit && !reader_ended(r)) {
		size_t used = 0, length;
		int result;

		if (reader_fill(r, limit, err) < 0)
			return -1;
		if (r->length == 0)
			break;
		if (r->in_long_line) {
			pass_over_long_line(r);
			continue;
		}
		uint64_t end = limit < r->part.end ? limit : r->part.end;

		length = r->length < end - r->at ? r->length : (size_t)(end - r->at);
		result = reader_feed(r, length, r->at + length >= end, &used, err);
		if (result == 0 && used == 0 && r->length == STEP_BYTES)
			result = feed_long_line(r, err);
		else if (result == 0 && used == 0)
			break;
		if (result != 0)
			return result;
	}
	return 0;
}

// Looks at the line at `used`; reads on when the buffer holds only a part of it. At the end of the part line_length stays 0.
static int look_at_line(struct reader *r, struct error *err)
{
	struct record record;

	while (r->line_length == 0 && !reader_ended(r)) {
		size_t left = r->length - r->used, end = stamp_line_end(r->bytes + r->used, left, 0);

		if (r->in_long_line && left > 0) {
			pass_over_long_line(r);
			continue;
		}
		if (end < left || (left > 0 && r->at + left >= r->part.end)) {
			r->line_length = end < left ? end + 1 : left;
			r->line_ns = record_parse(r->bytes + r->used, end, &record) ? 0 : record.time_ns;
			if (r->line_ns > r->key_ns)
				r->key_ns = r->line_ns;
			return 0;
		}
		if (left == STEP_BYTES) {
			int result = feed_long_line(r, err);

			if (result != 0)
				return result;
		} else if (reader_fill(r, r->part.end, err) < 0) {
			return -1;
		}
	}
	return 0;
}

// True when another log held the same line; else it is remembered. A copy is used up, so that two equal lines of one event in one log
// stand against two in the other.
static bool seen_elsewhere(struct merge *m, uint64_t hash, uint32_t log)
{
	size_t set = hash % TABLE_SETS;
	struct line_seen *ways = m->seen + set * TABLE_WAYS;

	for (unsigned i = 0; i < TABLE_WAYS; i++) {
		if (ways[i].used && ways[i].hash == hash && ways[i].log != log)
			return true;
	}
	struct line_seen *oldest = ways + m->turn[set]++ % TABLE_WAYS;

	*oldest = (struct line_seen){ .hash = hash, .log = log, .used = 1 };
	return false;
}

static void count_duplicate(struct merge *m, const struct reader *r)
{
	struct record record;

	if (record_parse(r->bytes + r->used, r->line_length, &record))
		return;
	struct duplicate *place = &m->duplicates[record.serial % DUPLICATES];

	m->c->duplicate += place->serial != record.serial || place->ns != record.time_ns;
	*place = (struct duplicate){ record.serial, record.time_ns };
}

static bool line_is_duplicate(struct merge *m, struct reader *r)
{
	size_t length = r->line_length;

	if (r->line_ns == 0)
		return false; // junk is counted wherever it stands
	if (length > 0 && r->bytes[r->used + length - 1] == '\n')
		length--;
	return seen_elsewhere(m, line_hash(&m->key, r->bytes + r->used, length), r->part.log);
}

// Lines of r as long as its key does not pass `limit_ns`.
static int feed_run(struct merge *m, struct reader *r, uint64_t limit_ns, struct error *err)
{
	while (!reader_ended(r) && r->key_ns <= limit_ns) {
		int result = look_at_line(r, err);
		size_t used = 0;

		if (result != 0)
			return result;
		if (r->line_length == 0 || r->key_ns > limit_ns)
			break;
		if (line_is_duplicate(m, r)) {
			count_duplicate(m, r);
			reader_skip(r, r->line_length);
			continue;
		}
		result = reader_feed(r, r->line_length, true, &used, err);
		if (result != 0)
			return result;
	}
	return 0;
}

static int open_next(struct merge *m, struct error *err)
{
	struct reader *r;

	if (m->open_count == ARRAY_LENGTH(m->open))
		return error_set(err, "%s: more than %zu logs overlap in time", m->pending->f->name, ARRAY_LENGTH(m->open));
	// The estimate for a compressed log is replaced by the truth: it is decoded now anyway.
	if (log_file_find_last(m->pending->f, err) < 0)
		return -1;
	r = calloc(1, sizeof(*r));
	if (r)
		r->bytes = malloc(STEP_BYTES);
	if (!r || !r->bytes) {
		reader_free(r);
		return error_set(err, "out of memory");
	}
	r->part = *m->pending++;
	m->pending_count--;
	r->at = r->part.begin;
	r->key_ns = r->part.start_ns;
	r->last_ns = r->part.f->last_ns;
	m->open[m->open_count++] = r;
	return 0;
}

static void close_ended(struct merge *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->open_count; i++) {
		if (reader_ended(m->open[i]))
			reader_free(m->open[i]);
		else
			m->open[kept++] = m->open[i];
	}
	m->open_count = kept;
}

// One open reader: in steps up to where the next log begins to overlap, or to its end.
static int feed_alone(struct merge *m, struct reader *r, bool *ret_overlap, struct error *err)
{
	uint64_t end;

	*ret_overlap = m->pending_count > 0 && m->pending->start_ns <= r->last_ns;
	if (!*ret_overlap)
		return feed_steps(r, r->part.end, err);
	if (r->limit_for != m->pending && time_index_range(r->part.f, m->pending->start_ns, UINT64_MAX, &r->limit, &end, err) < 0)
		return -1;
	r->limit_for = m->pending;
	return feed_steps(r, r->limit < r->part.end ? r->limit : r->part.end, err);
}

static int need_table(struct merge *m, struct error *err)
{
	if (m->seen)
		return 0;
	m->seen = calloc((size_t)TABLE_SETS * TABLE_WAYS, sizeof(*m->seen));
	m->turn = calloc(TABLE_SETS, 1);
	if (!m->seen || !m->turn)
		return error_set(err, "out of memory");
	return line_key_random(&m->key, err);
}

static struct reader *smallest(struct merge *m, uint64_t *ret_next_ns)
{
	struct reader *best = m->open[0];
	bool alone = m->open_count == 1;

	for (size_t i = 1; i < m->open_count; i++) {
		if (m->open[i]->key_ns < best->key_ns)
			best = m->open[i];
	}
	*ret_next_ns = m->pending_count > 0 ? m->pending->start_ns : UINT64_MAX;
	if (alone && m->overlap_ns < *ret_next_ns)
		*ret_next_ns = best->key_ns > m->overlap_ns ? best->key_ns : m->overlap_ns;
	for (size_t i = 0; i < m->open_count; i++) {
		if (m->open[i] != best && m->open[i]->key_ns < *ret_next_ns)
			*ret_next_ns = m->open[i]->key_ns;
	}
	return best;
}

// Several readers, or one that comes to where the next one begins.
static int feed_merged(struct merge *m, struct error *err)
{
	uint64_t next_ns;
	struct reader *r;

	if (need_table(m, err) < 0)
		return -1;
	for (size_t i = 0; i < m->open_count; i++) {
		int result = look_at_line(m->open[i], err);

		if (result != 0)
			return result;
		if (m->open_count > 1 && m->open[i]->key_ns > m->overlap_ns)
			m->overlap_ns = m->open[i]->key_ns;
	}
	r = smallest(m, &next_ns);
	if (m->pending_count > 0 && m->pending->start_ns <= r->key_ns)
		return open_next(m, err);
	return feed_run(m, r, next_ns, err);
}

static int merge_run(struct merge *m, struct error *err)
{
	for (;;) {
		bool overlap = false;
		int result = 0;

		close_ended(m);
		if (m->open_count == 0) {
			if (m->pending_count == 0)
				return 0;
			result = open_next(m, err);
		} else {
			bool merged = m->open_count > 1 || m->open[0]->key_ns <= m->overlap_ns;

			if (!merged)
				result = feed_alone(m, m->open[0], &overlap, err);
			if (result == 0 && (merged || overlap) && !reader_ended(m->open[0]))
				result = feed_merged(m, err);
		}
		if (result != 0)
			return result;
	}
}

int log_merge_feed(const struct log_part *parts, size_t count, struct completeness *c, struct error *err)
{
	struct merge m = { .pending = parts, .pending_count = count, .c = c };
	int result = merge_run(&m, err);

	for (size_t i = 0; i < m.open_count; i++)
		reader_free(m.open[i]);
	free(m.seen);
	free(m.turn);
	return result;
}
