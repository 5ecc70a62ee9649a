// SPDX-License-Identifier: MIT
// Records of a history: by seq, and in order.
#include "snapshots/history_inside.h"

#include "base/bytes.h"
#include "base/fileio.h"
#include "base/memory.h"
#include "snapshots/crc32c.h"

#include <inttypes.h>
#include <string.h>

#define WALK_ROWS 1024 // 40 KiB of rows at once
#define SUM_BYTES ((size_t)64 << 10)

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

// ---- a record and its content

static struct history_checked *checked_slot(struct history *h, const struct history_place *p)
{
	return &h->checked[(p->seq * 31 + p->file->serial) % HISTORY_CHECKED];
}

static int find_place(struct history *h, uint64_t seq, struct history_place *ret, struct error *err)
{
	(void)pthread_mutex_lock(&h->lock);
	int result = history_read_at(h, seq, &ret->row, &ret->file, err);
	if (result == 0) {
		const struct history_checked *slot;

		ret->seq = seq;
		ret->segment = ret->file->segment;
		ret->name = h->segments.items[history_find(h, seq)].name;
		slot = checked_slot(h, ret);
		ret->checked = slot->seq == seq && slot->serial == ret->file->serial;
	}
	(void)pthread_mutex_unlock(&h->lock);
	return result;
}

static void leave_place(struct history *h, struct history_place *p)
{
	(void)pthread_mutex_lock(&h->lock);
	if (p->checked)
		*checked_slot(h, p) = (struct history_checked){ .serial = p->file->serial, .seq = p->seq };
	history_file_put(p->file);
	(void)pthread_mutex_unlock(&h->lock);
}

static int sum_content(const struct history_place *p, uint32_t *crc, struct error *err)
{
	uint8_t *step AUTO_FREE = malloc(SUM_BYTES);
	uint64_t at = p->row.position + RECORD_HEADER_BYTES, end = at + p->row.stored_bytes;
	size_t got;

	if (!step)
		return error_set(err, "out of memory");
	for (; at < end; at += got) {
		size_t want = end - at < SUM_BYTES ? (size_t)(end - at) : SUM_BYTES;

		if (fileio_pread(p->segment.fd, step, want, at, &got, p->name, err) < 0)
			return -1;
		if (got != want)
			return error_set(err, "%s: byte %" PRIu64 ": the record is cut short", p->name, at + got);
		*crc = crc32c_update(*crc, step, got);
	}
	return 0;
}

// Nothing of a record is handed out before all of it has its checksum: a flipped bit is an error, not evidence.
static int check_place(struct history_place *p, struct record *ret, struct error *err)
{
	uint8_t header[RECORD_HEADER_BYTES];
	struct record record;
	uint32_t crc;
	size_t got;

	if (segment_read_record(&p->segment, &p->row, &record, p->name, err) < 0)
		return -1;
	if (record.seq != p->seq)
		return error_set(err, "%s: byte %" PRIu64 ": holds seq:%" PRIu64 " where seq:%" PRIu64 " belongs", p->name, p->row.position,
				 record.seq, p->seq);
	if (!p->checked) {
		if (fileio_pread(p->segment.fd, header, sizeof(header), p->row.position, &got, p->name, err) < 0)
			return -1;
		put_le32(header + RECORD_CHECKSUM_AT, 0);
		crc = crc32c_update(UINT32_MAX, header, sizeof(header));
		if (sum_content(p, &crc, err) < 0)
			return -1;
		if (got != sizeof(header) || ~crc != record.checksum)
			return error_set(err, "%s: byte %" PRIu64 ": record %" PRIu64 ": checksum differs", p->name, p->row.position, p->seq);
		p->checked = true;
	}
	if (ret)
		*ret = record;
	return 0;
}

int history_record(struct history *h, uint64_t seq, struct record *ret, struct error *err)
{
	struct history_place place;

	if (find_place(h, seq, &place, err) < 0)
		return -1;
	int result = check_place(&place, ret, err);
	leave_place(h, &place);
	return result;
}

static int read_place(struct history *h, struct history_place *p, uint64_t within, void *bytes, size_t length, struct error *err)
{
	if (history_is_small(&p->row))
		return history_chunks_read_small(h, p, within, bytes, length, err);
	if (!p->checked && check_place(p, NULL, err) < 0)
		return -1;
	return history_chunks_read(h, p, within, bytes, length, err);
}

int history_content(struct history *h, uint64_t seq, uint64_t within, void *bytes, size_t length, struct error *err)
{
	struct history_place place;

	if (find_place(h, seq, &place, err) < 0)
		return -1;
	int result = read_place(h, &place, within, bytes, length, err);
	leave_place(h, &place);
	return result;
}

static int check_range(const struct history *h, const struct history_place *p, uint64_t offset, size_t length, struct error *err)
{
	const struct segment_row *row = &p->row;

	if (row->type == RECORD_WRITE && offset >= row->offset_bytes && length <= row->length_bytes &&
	    offset - row->offset_bytes <= row->length_bytes - length)
		return 0;
	return error_set(err, "%s/index: a table says that seq:%" PRIu64 " holds byte %" PRIu64 " of the disk, but it does not; remove that folder, "
			 "it is derived", h->folder, p->seq, offset);
}

int history_content_at(struct history *h, uint64_t seq, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	struct history_place place;

	if (find_place(h, seq, &place, err) < 0)
		return -1;
	int result = check_range(h, &place, offset, length, err);
	if (result == 0)
		result = read_place(h, &place, offset - place.row.offset_bytes, bytes, length, err);
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
