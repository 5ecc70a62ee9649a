// SPDX-License-Identifier: MIT
// Records of a history: by seq, and in order.
#include "snapshots/history_inside.h"

#include "base/memory.h"

#include <inttypes.h>
#include <string.h>

#define WALK_ROWS 1024 // 40 KiB of rows at once

uint64_t history_last_seq(const struct history *h)
{
	if (h->segments.count == 0)
		return 0;
	const struct history_segment *last = &h->segments.items[h->segments.count - 1];
	return last->first_seq + last->record_count - 1;
}

size_t history_find(const struct history *h, uint64_t seq)
{
	size_t low = 0, high = h->segments.count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (h->segments.items[middle].first_seq <= seq)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int history_check_seq(const struct history *h, uint64_t seq, struct error *err)
{
	uint64_t last = history_last_seq(h);

	if (seq >= 1 && seq <= last)
		return 0;
	return error_set(err, "%s: there is no seq:%" PRIu64 ", the last one is seq:%" PRIu64, h->folder, seq, last);
}

int history_read_at(struct history *h, uint64_t seq, struct segment_row *ret_row, struct history_file **ret_file, struct error *err)
{
	if (history_check_seq(h, seq, err) < 0)
		return -1;
	size_t index = history_find(h, seq);
	return history_one_row(h, index, seq - h->segments.items[index].first_seq, ret_row, ret_file, err);
}

int history_row(struct history *h, uint64_t seq, struct segment_row *ret, struct error *err)
{
	(void)pthread_mutex_lock(&h->lock);
	int result = history_read_at(h, seq, ret, NULL, err);
	(void)pthread_mutex_unlock(&h->lock);
	return result;
}

int history_time_of(struct history *h, uint64_t seq, uint64_t *ret_ns, struct error *err)
{
	struct segment_row row;

	if (seq == 0) {
		*ret_ns = NANOTIME_NONE;
		return 0;
	}
	if (history_row(h, seq, &row, err) < 0)
		return -1;
	*ret_ns = row.realtime_ns;
	return 0;
}

// A row with what is needed to read its record while the lock is not held.
struct place {
	struct segment_row row;
	struct history_file *file;
	struct segment segment; // a copy: of an unsealed one, rows and counts go on growing
	const char *name;       // lives as long as the history
};

static int find_place(struct history *h, uint64_t seq, struct place *ret, struct error *err)
{
	(void)pthread_mutex_lock(&h->lock);
	int result = history_read_at(h, seq, &ret->row, &ret->file, err);
	if (result == 0) {
		ret->segment = ret->file->segment;
		ret->name = h->segments.items[history_find(h, seq)].name;
	}
	(void)pthread_mutex_unlock(&h->lock);
	return result;
}

static void leave_place(struct history *h, struct place *p)
{
	(void)pthread_mutex_lock(&h->lock);
	history_file_put(p->file);
	(void)pthread_mutex_unlock(&h->lock);
}

int history_record(struct history *h, uint64_t seq, struct record *ret, struct error *err)
{
	struct place place;
	struct record record;

	if (find_place(h, seq, &place, err) < 0)
		return -1;
	int result = segment_read_record(&place.segment, &place.row, &record, place.name, err);
	if (result == 0 && record.seq != seq)
		result = error_set(err, "%s: byte %" PRIu64 ": holds seq:%" PRIu64 " where seq:%" PRIu64 " belongs", place.name,
				   place.row.position, record.seq, seq);
	leave_place(h, &place);
	if (result == 0)
		*ret = record;
	return result;
}

int history_content(struct history *h, uint64_t seq, uint64_t within, void *bytes, size_t length, struct error *err)
{
	struct place place;

	if (find_place(h, seq, &place, err) < 0)
		return -1;
	int result = segment_read_content(&place.segment, &place.row, within, bytes, length, place.name, err);
	leave_place(h, &place);
	return result;
}

int history_content_at(struct history *h, uint64_t seq, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	struct place place;
	int result;

	if (find_place(h, seq, &place, err) < 0)
		return -1;
	const struct segment_row *row = &place.row;
	if (row->type != RECORD_WRITE || offset < row->offset_bytes || length > row->length_bytes ||
	    offset - row->offset_bytes > row->length_bytes - length)
		result = error_set(err, "%s/index: a table says that seq:%" PRIu64 " holds byte %" PRIu64 " of the disk, but it does not; "
				   "remove that folder, it is derived", h->folder, seq, offset);
	else
		result = segment_read_content(&place.segment, row, offset - row->offset_bytes, bytes, length, place.name, err);
	leave_place(h, &place);
	return result;
}

bool history_segment_facts(struct history *h, size_t index, struct segment *ret)
{
	(void)pthread_mutex_lock(&h->lock);
	bool there = index < h->segments.count;
	if (there) {
		const struct history_segment *s = &h->segments.items[index];

		*ret = (struct segment){ .fd = -1, .number = s->number, .first_seq = s->first_seq, .record_count = s->record_count,
			.records_end = s->records_end, .least_realtime_ns = s->least_realtime_ns, .greatest_realtime_ns = s->greatest_realtime_ns,
			.last_flush_seq = s->last_flush_seq, .clock_count = s->clock_count, .sealed = s->sealed, .compressed = s->compressed };
		memcpy(ret->uuid, h->fixed.uuid, sizeof(ret->uuid));
	}
	(void)pthread_mutex_unlock(&h->lock);
	return there;
}

// ---- in order

static int walk_rows(struct history *h, uint64_t from, uint64_t to, struct segment_row *rows, size_t *ret_count, struct error *err)
{
	(void)pthread_mutex_lock(&h->lock);
	size_t index = history_find(h, from);
	const struct history_segment *s = &h->segments.items[index];
	uint64_t end = s->first_seq + s->record_count - 1 < to ? s->first_seq + s->record_count - 1 : to;
	size_t count = end - from + 1 < WALK_ROWS ? (size_t)(end - from + 1) : WALK_ROWS;
	int result = history_rows(h, index, from - s->first_seq, count, rows, NULL, err);
	(void)pthread_mutex_unlock(&h->lock);
	*ret_count = count;
	return result;
}

int history_walk(struct history *h, uint64_t from_seq, uint64_t to_seq, history_visit *visit, void *context, struct error *err)
{
	struct segment_row *rows AUTO_FREE = malloc(WALK_ROWS * sizeof(*rows));
	size_t count;

	if (!rows)
		return error_set(err, "out of memory");
	if (to_seq <= from_seq)
		return 0;
	(void)pthread_mutex_lock(&h->lock);
	int result = history_check_seq(h, to_seq, err);
	(void)pthread_mutex_unlock(&h->lock);
	if (result < 0)
		return -1;
	for (uint64_t seq = from_seq + 1; seq <= to_seq; seq += count) {
		if (walk_rows(h, seq, to_seq, rows, &count, err) < 0)
			return -1;
		for (size_t i = 0; i < count; i++) {
			result = visit(context, seq + i, &rows[i], err);
			if (result != 0)
				return result < 0 ? -1 : 1;
		}
	}
	return 0;
}
