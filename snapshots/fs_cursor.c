// SPDX-License-Identifier: MIT
#include "snapshots/fs_cursor_work.h"

#include "base/nanotime.h"

#include <stdlib.h>

#define MAX_WRITTEN ((size_t)1 << 20) /* extents, and */
#define MAX_PAGES ((size_t)1 << 17)   /* pages of blocks kept in memory, about 50 MB each, before the base moves up */
#define SMALL_BLOCKS 4u /* of a write that is noted by block */

static int rebase(struct fs_cursor *c, struct error *err)
{
	struct disk_at *base = NULL;

	if (disk_at_open(c->history, c->seq, &base, err) < 0)
		return -1;
	if (c->base != c->origin)
		disk_at_free(c->base);
	c->base = base;
	extent_map_release(&c->written);
	fs_pages_release(&c->blocks);
	return 0;
}

int fs_cursor_open(struct history *h, const struct partition *p, uint32_t block_bytes, uint64_t seq, struct fs_cursor **ret, struct error *err)
{
	struct fs_cursor *c = calloc(1, sizeof(*c));

	if (!c)
		return error_set(err, "out of memory");
	c->history = h;
	c->partition = *p;
	c->block_bytes = block_bytes;
	c->seq = seq;
	if (disk_at_open(h, seq, &c->origin, err) < 0) {
		free(c);
		return -1;
	}
	c->base = c->origin;
	if (fs_cursor_journal_open(c, err) < 0) {
		fs_cursor_free(c);
		return -1;
	}
	*ret = c;
	return 0;
}

void fs_cursor_free(struct fs_cursor *c)
{
	if (!c)
		return;
	fs_cursor_journal_release(c);
	if (c->base != c->origin)
		disk_at_free(c->base);
	disk_at_free(c->origin);
	extent_map_release(&c->written);
	fs_pages_release(&c->blocks);
	fs_watches_release(&c->watches);
	fs_changes_release(&c->step.changes);
	free(c);
}

uint64_t fs_cursor_seq(const struct fs_cursor *c)
{
	return c->seq;
}

uint64_t fs_cursor_time(const struct fs_cursor *c)
{
	uint64_t time_ns;

	return c->seq > 0 && history_time_of(c->history, c->seq, &time_ns, NULL) == 0 && time_ns != NANOTIME_NONE ? time_ns : 0;
}

uint32_t fs_cursor_block_bytes(const struct fs_cursor *c)
{
	return c->block_bytes;
}

bool fs_cursor_has_journal(const struct fs_cursor *c)
{
	return c->has_journal;
}

// ---- what is watched

void fs_cursor_watch_all(struct fs_cursor *c)
{
	c->watch_all = true;
}

int fs_cursor_watch(struct fs_cursor *c, uint32_t owner, struct fs_ranges *ranges, struct error *err)
{
	uint64_t size = c->partition.length_bytes;
	size_t kept = 0;

	for (size_t i = 0; i < ranges->count; i++) {
		struct fs_range r = ranges->items[i];

		r.to = r.to < size ? r.to : size;
		if (r.from < r.to)
			ranges->items[kept++] = r;
	}
	ranges->count = kept;
	return fs_watches_set(&c->watches, owner, ranges, err);
}

int fs_cursor_clip(struct fs_cursor *c, uint64_t from, uint64_t to, fs_cursor_piece *add, void *context, struct error *err)
{
	struct fs_watches_at at;
	struct fs_range range;
	uint32_t owner;

	if (c->watch_all)
		return add(c, (struct fs_range){from, to}, 0, context, err);
	at = fs_watches_find(&c->watches, from);
	while (fs_watches_next(&c->watches, &at, from, to, &range, &owner)) {
		range.from = range.from > from ? range.from : from;
		range.to = range.to < to ? range.to : to;
		if (add(c, range, owner, context, err) < 0)
			return -1;
	}
	return 0;
}

// ---- reading

int fs_cursor_read_written(struct fs_cursor *c, uint64_t seq, uint64_t disk_offset, void *bytes, size_t length, struct error *err)
{
	struct segment_row row;
	struct disk_at *then = NULL;
	int result;

	if (history_row(c->history, seq, &row, err) < 0)
		return -1;
	if (row.type == RECORD_WRITE && disk_offset >= row.offset_bytes && disk_offset + length <= row.offset_bytes + row.length_bytes)
		return history_content(c->history, seq, disk_offset - row.offset_bytes, bytes, length, err);
	// The record wrote only a part of it (a guest that writes in sectors).
	if (disk_at_open(c->history, seq, &then, err) < 0)
		return -1;
	result = disk_at_read(then, disk_offset, bytes, length, err);
	disk_at_free(then);
	return result;
}

struct piece fs_cursor_written_at(const struct fs_cursor *c, uint64_t offset, uint64_t length)
{
	struct piece piece = extent_map_lookup(&c->written, c->partition.start_bytes + offset, length);
	uint64_t end = offset + piece.length, at = offset, value, first = 0;

	// The newer of both wins, block by block; blocks of one record stay together.
	for (; at < end; at = (at / c->block_bytes + 1) * c->block_bytes) {
		value = fs_pages_get(&c->blocks, at / c->block_bytes);
		if (value >> 8 < piece.seq)
			value = 0;
		if (at == offset)
			first = value;
		else if (value != first)
			break;
	}
	piece.offset = offset;
	piece.length = (at < end ? at : end) - offset;
	if (first != 0) {
		piece.seq = first >> 8;
		piece.type = (uint8_t)first;
	}
	return piece;
}

int fs_cursor_read_home(struct fs_cursor *c, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	uint8_t *at = bytes;

	while (length > 0) {
		uint64_t disk_offset = c->partition.start_bytes + offset;
		struct piece piece = fs_cursor_written_at(c, offset, length);
		size_t part = (size_t)piece.length;

		if (piece.seq == 0) {
			if (disk_at_read(c->base, disk_offset, at, part, err) < 0)
				return -1;
		} else if (piece.type == RECORD_WRITE) {
			if (fs_cursor_read_written(c, piece.seq, disk_offset, at, part, err) < 0)
				return -1;
		} else {
			memset(at, 0, part);
		}
		at += part;
		offset += part;
		length -= part;
	}
	return 0;
}

int fs_cursor_read(struct fs_cursor *c, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	uint8_t *at = bytes;
	uint64_t size = c->partition.length_bytes;

	if (offset >= size || length > size - offset) {
		size_t inside = offset >= size ? 0 : (size_t)(size - offset);

		memset(at + inside, 0, length - inside);
		length = inside;
	}
	if (fs_cursor_overlay_is_empty(c))
		return fs_cursor_read_home(c, offset, at, length, err);
	while (length > 0) {
		uint64_t block = offset / c->block_bytes, within = offset % c->block_bytes;
		size_t part = length < c->block_bytes - within ? length : (size_t)(c->block_bytes - within);
		const struct fs_overlay_copy *copy;

		if (fs_cursor_sure_copy(c, block, &copy, err) < 0)
			return -1;
		if (copy ? fs_cursor_read_copy(c, copy, within, at, part, err) < 0 : fs_cursor_read_home(c, offset, at, part, err) < 0)
			return -1;
		at += part;
		offset += part;
		length -= part;
	}
	return 0;
}

int fs_cursor_new_bytes(struct fs_cursor *c, const struct fs_change *change, uint64_t within, void *bytes, size_t length, struct error *err)
{
	struct fs_overlay_copy copy;

	switch (change->source) {
	case FS_FROM_ZEROS:
		memset(bytes, 0, length);
		return 0;
	case FS_FROM_RECORD:
		return history_content(c->history, change->source_seq, change->source_within + within, bytes, length, err);
	case FS_FROM_HOME:
		return fs_cursor_read_home(c, change->offset + within, bytes, length, err);
	case FS_FROM_COPY:
		break;
	}
	copy = (struct fs_overlay_copy){.seq = change->source_seq, .disk_offset = change->source_within, .escaped = change->escaped};
	return fs_cursor_read_copy(c, &copy, change->offset % c->block_bytes + within, bytes, length, err);
}

// ---- moving

struct home_write { uint64_t seq, offset; bool zeros; }; // offset: of the record on the volume; may lie before its start

static int add_home_change(struct fs_cursor *c, struct fs_change change, const struct home_write *w, struct error *err)
{
	change.source = w->zeros ? FS_FROM_ZEROS : FS_FROM_RECORD;
	change.source_seq = w->seq;
	change.source_within = change.offset - w->offset; // modulo 2^64: right also where the record begins before the volume
	if (fs_changes_append(&c->step.changes, change) < 0)
		return error_set(err, "out of memory");
	return 0;
}

// Splits where the journal holds newer copies.
static int add_home_piece(struct fs_cursor *c, struct fs_range piece, uint32_t owner, void *context, struct error *err)
{
	const struct home_write *w = context;
	struct fs_change change = {.offset = piece.from, .length = piece.to - piece.from, .owner = owner};

	if (fs_cursor_overlay_is_empty(c))
		return add_home_change(c, change, w, err);
	for (uint64_t begin = piece.from; begin < piece.to;) {
		uint64_t end = (begin / c->block_bytes + 1) * c->block_bytes;
		const struct fs_overlay_copy *copy, *next = NULL;

		if (fs_cursor_sure_copy(c, begin / c->block_bytes, &copy, err) < 0)
			return -1;
		for (; end < piece.to; end += c->block_bytes) {
			if (fs_cursor_sure_copy(c, end / c->block_bytes, &next, err) < 0)
				return -1;
			if ((next != NULL) != (copy != NULL))
				break;
		}
		if (end > piece.to)
			end = piece.to;
		change.offset = begin;
		change.length = end - begin;
		change.shadowed = copy != NULL;
		if (add_home_change(c, change, w, err) < 0)
			return -1;
		begin = end;
	}
	return 0;
}

static int remember_blocks(struct fs_cursor *c, uint64_t seq, const struct segment_row *row, uint64_t first, struct error *err)
{
	for (uint64_t i = 0; i < row->length_bytes / c->block_bytes; i++) {
		if (fs_pages_put(&c->blocks, first + i, seq << 8 | row->type) < 0)
			return error_set(err, "out of memory");
	}
	c->seq = seq;
	return 0;
}

static int remember(struct fs_cursor *c, uint64_t seq, const struct segment_row *row, struct error *err)
{
	uint64_t offset = row->offset_bytes - c->partition.start_bytes; // huge where the record begins before the volume: then it is no small one

	if (offset % c->block_bytes == 0 && row->length_bytes % c->block_bytes == 0 && row->length_bytes / c->block_bytes <= SMALL_BLOCKS &&
	    offset < c->partition.length_bytes)
		return remember_blocks(c, seq, row, offset / c->block_bytes, err);
	struct extent e = {.offset = row->offset_bytes, .seq = seq, .length = row->length_bytes, .type = row->type};

	if (extent_map_insert(&c->written, &e) < 0)
		return error_set(err, "out of memory");
	c->seq = seq;
	return 0;
}

static int step_over(void *context, uint64_t seq, const struct segment_row *row, struct error *err)
{
	struct fs_cursor *c = context;
	uint64_t start = c->partition.start_bytes, end = start + c->partition.length_bytes;
	uint64_t from = row->offset_bytes, to = from + row->length_bytes;
	struct home_write w = {.seq = seq, .offset = from - start, .zeros = row->type != RECORD_WRITE};
	int result = 0;

	if (row->type < RECORD_WRITE || row->type > RECORD_TRIM || from >= end || to <= start) {
		c->seq = seq;
		return row->type == RECORD_FLUSH && c->seeks_journal ? fs_cursor_journal_note(c, seq, row, 0, 0, err) : 0;
	}
	from = from > start ? from - start : 0;
	to = (to < end ? to : end) - start;
	c->step.changes.count = 0;
	if (fs_cursor_clip(c, from, to, add_home_piece, &w, err) < 0)
		return -1;
	c->step.seq = seq;
	c->step.realtime_ns = row->realtime_ns;
	c->step.commit = c->step.tail_moved = false;
	c->step.tid = 0;
	if (c->step.changes.count > 0 && (result = c->before(c->context, &c->step, err)) != 0)
		return result;
	if ((c->written.count >= MAX_WRITTEN || c->blocks.count >= MAX_PAGES) && rebase(c, err) < 0)
		return -1;
	if (remember(c, seq, row, err) < 0)
		return -1;
	if (c->step.changes.count > 0 && (result = c->after(c->context, &c->step, err)) != 0)
		return result;
	return fs_cursor_journal_note(c, seq, row, from, to - from, err);
}

int fs_cursor_walk(struct fs_cursor *c, uint64_t to_seq, fs_cursor_visit *before, fs_cursor_visit *after, void *context, struct error *err)
{
	if (to_seq <= c->seq)
		return 0;
	c->before = before;
	c->after = after;
	c->context = context;
	c->ended = false;
	return history_walk(c->history, c->seq, to_seq, step_over, c, err);
}
