// SPDX-License-Identifier: MIT
// The disk at a moment, from three layers, newest first:
//
//     recent   an extent map of what the segment of that moment (and unsealed ones before it) did, replayed from the request tables
//     cover    the sorted tables of all sealed segments before it
//     base     the image that the disk started from, or zeros
//
// Records after the moment are in none of them, so nothing has to be compared by time.
#include "snapshots/disk_at.h"

#include "snapshots/extent_map.h"
#include "snapshots/history_inside.h"
#include "snapshots/table_cover.h"

#include <inttypes.h>
#include <string.h>

struct disk_at {
	struct history *history;
	uint64_t seq, size_bytes;
	struct extent_map recent;
	struct table_cover *cover; // NULL: no sealed segment lies wholly before the moment
	struct base_image *base;   // the history's; NULL: none
};

// ---- opening

static int replay_row(void *context, uint64_t seq, const struct segment_row *row, struct error *err)
{
	struct disk_at *d = context;
	struct extent e = { .offset = row->offset_bytes, .seq = seq, .length = row->length_bytes, .type = row->type };

	if (row->type < RECORD_WRITE || row->type > RECORD_TRIM)
		return 0;
	if (e.length == 0 || e.offset > d->size_bytes || e.length > d->size_bytes - e.offset)
		return error_set(err, "seq:%" PRIu64 ": lies beyond the end of the disk", seq);
	return extent_map_insert(&d->recent, &e) < 0 ? error_set(err, "out of memory") : 0;
}

static bool cover_segment(void *context, uint64_t number, struct segment *ret)
{
	return number > 0 && history_segment_facts(context, (size_t)(number - 1), ret);
}

// How many segments from the first on are sealed and end at or before the moment; *ret_seq is the last seq of these.
static size_t sealed_before(struct history *h, uint64_t seq, uint64_t *ret_seq)
{
	size_t count = 0;

	*ret_seq = 0;
	(void)pthread_mutex_lock(&h->lock);
	for (; count < h->segments.count; count++) {
		const struct history_segment *s = &h->segments.items[count];

		if (!s->sealed || s->first_seq + s->record_count - 1 > seq)
			break;
		*ret_seq = s->first_seq + s->record_count - 1;
	}
	(void)pthread_mutex_unlock(&h->lock);
	return count;
}

static int open_layers(struct disk_at *d, struct error *err)
{
	struct history *h = d->history;
	uint64_t covered_seq;
	size_t covered = sealed_before(h, d->seq, &covered_seq);

	if (history_base(h, &d->base, err) < 0)
		return -1;
	if (covered > 0) {
		struct table_cover_plan plan = { .folder = h->folder, .uuid = h->fixed.uuid, .segment_count = covered, .segment = cover_segment,
			.context = h };

		if (table_cover_open(&plan, &d->cover, err) < 0)
			return -1;
	}
	return history_walk(h, covered_seq, d->seq, replay_row, d, err);
}

int disk_at_open(struct history *h, uint64_t seq, struct disk_at **ret, struct error *err)
{
	(void)pthread_mutex_lock(&h->lock);
	int known = seq == 0 ? 0 : history_check_seq(h, seq, err);
	(void)pthread_mutex_unlock(&h->lock);
	if (known < 0)
		return -1;
	struct disk_at *d = calloc(1, sizeof(*d));
	if (!d)
		return error_set(err, "out of memory");
	d->history = h;
	d->seq = seq;
	d->size_bytes = h->fixed.size_bytes;
	if (open_layers(d, err) < 0) {
		disk_at_free(d);
		return -1;
	}
	*ret = d;
	return 0;
}

void disk_at_free(struct disk_at *d)
{
	if (!d)
		return;
	extent_map_release(&d->recent);
	table_cover_free(d->cover);
	free(d);
}

uint64_t disk_at_size(const struct disk_at *d)
{
	return d->size_bytes;
}

uint64_t disk_at_seq(const struct disk_at *d)
{
	return d->seq;
}

// ---- reading

static int resolve_piece(struct disk_at *d, uint64_t offset, uint64_t length, struct piece *ret, uint64_t *probes, struct error *err)
{
	struct piece p = extent_map_lookup(&d->recent, offset, length);

	if (p.seq == 0 && d->cover && table_cover_resolve(d->cover, offset, p.length, &p, probes, err) < 0)
		return -1;
	*ret = p;
	return 0;
}

int disk_at_resolve(struct disk_at *d, uint64_t offset, uint64_t length, struct disk_piece *ret, uint64_t *probes, struct error *err)
{
	uint64_t base_size = d->base ? base_image_size(d->base) : 0;
	struct piece p;

	if (offset >= d->size_bytes) {
		*ret = (struct disk_piece){ .offset = offset, .length = length, .zero = true };
		return 0;
	}
	if (length > d->size_bytes - offset)
		length = d->size_bytes - offset;
	if (resolve_piece(d, offset, length, &p, probes, err) < 0)
		return -1;
	*ret = (struct disk_piece){ .offset = offset, .length = p.length, .seq = p.seq, .zero = p.type != RECORD_WRITE };
	if (p.seq > 0)
		return 0;
	ret->zero = offset >= base_size;
	if (!ret->zero && p.length > base_size - offset)
		ret->length = base_size - offset;
	return 0;
}

int disk_at_read(struct disk_at *d, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	uint8_t *at = bytes;

	while (length > 0) {
		struct disk_piece p;
		int result = 0;

		if (disk_at_resolve(d, offset, length, &p, NULL, err) < 0)
			return -1;
		if (p.zero)
			memset(at, 0, (size_t)p.length);
		else if (p.seq == 0)
			result = base_image_read(d->base, offset, at, (size_t)p.length, err);
		else
			result = history_content_at(d->history, p.seq, offset, at, (size_t)p.length, err);
		if (result < 0)
			return -1;
		at += p.length;
		offset += p.length;
		length -= (size_t)p.length;
	}
	return 0;
}
