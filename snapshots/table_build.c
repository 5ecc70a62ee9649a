// SPDX-License-Identifier: MIT
// Making tables in one pass over sorted extents, in little memory: one page of each level and an output buffer.
#include "base/bytes.h"
#include "base/fileio.h"
#include "snapshots/table_page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_PAGES 256u // written at once: 1 MiB
#define STOP_ENTRIES 4096u // how often a merge asks whether to stop

struct level {
	uint8_t page[TABLE_PAGE_BYTES];
	unsigned count;
	bool flushed; // an earlier page of this level was written
};

struct builder {
	int fd; // -1: into memory
	struct table_memory *memory;
	const char *name;
	const struct table_identity *id;
	struct level levels[TABLE_MAX_HEIGHT];
	uint8_t *output;
	unsigned output_pages;
	uint64_t page_count, entry_count; // page_count: with page 0 and what is in output
	struct extent pending;            // the last extent, which the next one may continue; length 0: none
};

static int builder_start(struct builder **ret, int fd, struct table_memory *memory, const char *name, const struct table_identity *id,
			 struct error *err)
{
	struct builder *b = calloc(1, sizeof(*b));

	if (!b || !(b->output = malloc(OUTPUT_PAGES * TABLE_PAGE_BYTES))) {
		free(b);
		return error_set(err, "out of memory");
	}
	b->fd = fd;
	b->memory = memory;
	b->name = name;
	b->id = id;
	b->page_count = 1;
	*ret = b;
	return 0;
}

static void builder_free(struct builder *b)
{
	free(b->output);
	free(b);
}

static int memory_write(struct table_memory *m, const char *name, const uint8_t *bytes, size_t length, uint64_t offset, struct error *err)
{
	uint64_t end = offset + length, capacity = m->capacity;

	if (end > m->most)
		return error_set(err, "%s: is missing, and too large to be made again in memory; recording (disk serve) makes it", name);
	while (capacity < end)
		capacity = capacity ? capacity * 2 : OUTPUT_PAGES * TABLE_PAGE_BYTES;
	if (capacity > m->most)
		capacity = m->most;
	if (capacity > m->capacity) {
		uint8_t *grown = realloc(m->bytes, (size_t)capacity);

		if (!grown)
			return error_set(err, "out of memory");
		memset(grown + m->capacity, 0, (size_t)capacity - m->capacity);
		m->bytes = grown;
		m->capacity = (size_t)capacity;
	}
	memcpy(m->bytes + offset, bytes, length);
	if (end > m->length)
		m->length = (size_t)end;
	return 0;
}

static int write_at(struct builder *b, const uint8_t *bytes, size_t length, uint64_t offset, struct error *err)
{
	if (b->memory)
		return memory_write(b->memory, b->name, bytes, length, offset, err);
	while (length > 0) {
		ssize_t written = pwrite(b->fd, bytes, length, (off_t)offset);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return error_set_errno(err, errno, "%s: cannot write", b->name);
		bytes += written;
		length -= (size_t)written;
		offset += (uint64_t)written;
	}
	return 0;
}

// Writeback starts at once and the chunk before is waited for, so that a large merge never leaves so many dirty pages behind that the
// writer of the segments is throttled for them.
static int write_output(struct builder *b, struct error *err)
{
	uint64_t length = (uint64_t)b->output_pages * TABLE_PAGE_BYTES, offset = b->page_count * TABLE_PAGE_BYTES - length;

	if (length == 0)
		return 0;
	if (write_at(b, b->output, length, offset, err) < 0)
		return -1;
	if (b->output_pages == OUTPUT_PAGES && !b->memory) {
		(void)sync_file_range(b->fd, (off_t)offset, (off_t)length, SYNC_FILE_RANGE_WRITE);
		if (offset > length)
			(void)sync_file_range(b->fd, (off_t)(offset - length), (off_t)length, SYNC_FILE_RANGE_WAIT_BEFORE);
	}
	b->output_pages = 0;
	return 0;
}

static int add_child(struct builder *b, unsigned level, uint64_t least_offset, uint64_t page, struct error *err);

// Completes the page of a level, which then is a child of the level above.
static int flush_level(struct builder *b, unsigned level, uint64_t next_offset, struct error *err)
{
	struct level *l = &b->levels[level];
	uint64_t number = b->page_count;

	if (number > UINT32_MAX)
		return error_set(err, "%s: an index table cannot be larger", b->name);
	l->page[4] = (uint8_t)level;
	put_le16(l->page + 6, (uint16_t)l->count);
	put_le64(l->page + 8, level == 0 ? next_offset : 0);
	put_le32(l->page, table_page_checksum(b->id, number, l->page));
	uint64_t least_offset = get_le64(l->page + TABLE_PAGE_HEADER_BYTES);
	memcpy(b->output + b->output_pages * TABLE_PAGE_BYTES, l->page, TABLE_PAGE_BYTES);
	b->output_pages++;
	b->page_count++;
	memset(l->page, 0, sizeof(l->page));
	l->count = 0;
	l->flushed = true;
	if (b->output_pages == OUTPUT_PAGES && write_output(b, err) < 0)
		return -1;
	return add_child(b, level + 1, least_offset, number, err);
}

static int add_child(struct builder *b, unsigned level, uint64_t least_offset, uint64_t page, struct error *err)
{
	if (level == TABLE_MAX_HEIGHT)
		return error_set(err, "%s: an index table cannot be larger", b->name);
	struct level *l = &b->levels[level];
	if (l->count == TABLE_UPPER_ITEMS && flush_level(b, level, 0, err) < 0)
		return -1;
	uint8_t *child = l->page + TABLE_PAGE_HEADER_BYTES + l->count * TABLE_CHILD_BYTES;
	put_le64(child, least_offset);
	put_le32(child + 8, (uint32_t)page);
	l->count++;
	return 0;
}

static int add_entry(struct builder *b, const struct extent *e, struct error *err)
{
	struct level *leaf = &b->levels[0];

	if (leaf->count == TABLE_LEAF_ITEMS && flush_level(b, 0, e->offset, err) < 0)
		return -1;
	uint8_t *entry = leaf->page + TABLE_PAGE_HEADER_BYTES + leaf->count * TABLE_ENTRY_BYTES;
	uint64_t behind = e->seq - b->id->first_seq;
	put_le64(entry, e->offset);
	put_le32(entry + 8, e->length);
	put_le32(entry + 12, (uint32_t)behind);
	entry[16] = (uint8_t)(behind >> 32);
	entry[17] = e->type;
	leaf->count++;
	b->entry_count++;
	return 0;
}

// In order, disjoint. Neighbours of one record become one extent again.
static int builder_add(struct builder *b, const struct extent *e, struct error *err)
{
	struct extent *p = &b->pending;

	if (p->length > 0 && p->seq == e->seq && p->offset + p->length == e->offset && p->length <= UINT32_MAX - e->length) {
		p->length += e->length;
		return 0;
	}
	if (p->length > 0 && add_entry(b, p, err) < 0)
		return -1;
	*p = *e;
	return 0;
}

// The rest of the pages, then the header: a file without one is no table.
static int builder_finish(struct builder *b, struct error *err)
{
	struct table_shape shape = {0};
	uint8_t header[TABLE_PAGE_BYTES];

	if (b->pending.length > 0 && add_entry(b, &b->pending, err) < 0)
		return -1;
	if (b->entry_count > 0) {
		unsigned level = 0;
		do {
			if (flush_level(b, level, UINT64_MAX, err) < 0)
				return -1;
			level++;
		} while (level < TABLE_MAX_HEIGHT && (b->levels[level].count > 1 || b->levels[level].flushed));
		if (level == TABLE_MAX_HEIGHT)
			return error_set(err, "%s: an index table cannot be larger", b->name);
		shape.height = level;
		shape.root_page = get_le32(b->levels[level].page + TABLE_PAGE_HEADER_BYTES + 8);
	}
	shape.page_count = b->page_count;
	shape.entry_count = b->entry_count;
	table_encode_header(b->id, &shape, header);
	if (write_output(b, err) < 0)
		return -1;
	return write_at(b, header, sizeof(header), 0, err);
}

// What was made in memory takes no more of it than it needs; nothing of it when it failed.
static int memory_finish(struct table_memory *m, int result)
{
	if (result != 0) {
		free(m->bytes);
		*m = (struct table_memory){.most = m->most};
		return result;
	}
	uint8_t *fitting = realloc(m->bytes, m->length);

	if (fitting) {
		m->bytes = fitting;
		m->capacity = m->length;
	}
	return 0;
}

static int build(int fd, struct table_memory *memory, const char *name, const struct table_identity *id, const struct extent_map *map,
		 struct error *err)
{
	struct extent_cursor cursor = {0};
	struct builder *b;
	struct extent e;

	if (builder_start(&b, fd, memory, name, id, err) < 0)
		return -1;
	int result = 0;
	while (result == 0 && extent_map_next(map, &cursor, &e))
		result = builder_add(b, &e, err);
	if (result == 0)
		result = builder_finish(b, err);
	builder_free(b);
	return result;
}

int table_build(int fd, const char *name, const struct table_identity *id, const struct extent_map *map, struct error *err)
{
	return build(fd, NULL, name, id, map, err);
}

int table_build_memory(struct table_memory *m, const char *name, const struct table_identity *id, const struct extent_map *map, struct error *err)
{
	return memory_finish(m, build(-1, m, name, id, map, err));
}

// ---- merging

struct input {
	struct table_cursor cursor;
	struct extent now; // the rest of it; length 0: this table has ended
};

static int input_next(struct input *in, struct error *err)
{
	int result = table_cursor_next(&in->cursor, &in->now, err);

	if (result == 0)
		in->now.length = 0;
	return result < 0 ? -1 : 0;
}

// Moves everything to `offset`: extents that end before it are left behind, others lose their beginning.
static int inputs_advance(struct input *inputs, size_t count, uint64_t offset, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		struct input *in = &inputs[i];
		while (in->now.length > 0 && in->now.offset < offset) {
			uint64_t passed = offset - in->now.offset;
			if (passed < in->now.length) {
				in->now.offset = offset;
				in->now.length -= (uint32_t)passed;
			} else if (input_next(in, err) < 0) {
				return -1;
			}
		}
	}
	return 0;
}

// The next extent of the union: begins where the first input begins, is of the newest input that begins there, and ends where it ends
// or a newer one begins. false: all inputs have ended.
static bool inputs_first(const struct input *inputs, size_t count, struct extent *ret)
{
	size_t chosen = count;

	for (size_t i = 0; i < count; i++) { // oldest first: a newer one wins at the same offset
		if (inputs[i].now.length > 0 && (chosen == count || inputs[i].now.offset <= inputs[chosen].now.offset))
			chosen = i;
	}
	if (chosen == count)
		return false;
	*ret = inputs[chosen].now;
	for (size_t i = chosen + 1; i < count; i++) {
		if (inputs[i].now.length > 0 && inputs[i].now.offset - ret->offset < ret->length)
			ret->length = (uint32_t)(inputs[i].now.offset - ret->offset);
	}
	return true;
}

static int merge_inputs(struct builder *b, struct input *inputs, size_t count, table_stop *stop, void *context, struct error *err)
{
	struct extent e;

	for (uint64_t done = 0; inputs_first(inputs, count, &e); done++) {
		if (stop && done % STOP_ENTRIES == 0 && stop(context))
			return 1;
		if (builder_add(b, &e, err) < 0 || inputs_advance(inputs, count, e.offset + e.length, err) < 0)
			return -1;
	}
	return builder_finish(b, err);
}

static int merge(int fd, struct table_memory *memory, const char *name, const struct table_identity *id, const struct table *const *tables,
		 size_t count, table_stop *stop, void *context, struct error *err)
{
	struct builder *b;

	if (count > TABLE_MAX_MERGE)
		return error_set(err, "%s: too many tables to merge", name);
	struct input *inputs = calloc(count, sizeof(*inputs));
	if (!inputs)
		return error_set(err, "out of memory");
	int result = builder_start(&b, fd, memory, name, id, err);
	if (result == 0) {
		for (size_t i = 0; i < count && result == 0; i++) {
			table_cursor_start(&inputs[i].cursor, tables[i]);
			result = input_next(&inputs[i], err);
		}
		if (result == 0)
			result = merge_inputs(b, inputs, count, stop, context, err);
		builder_free(b);
	}
	free(inputs);
	return result;
}

int table_merge(int fd, const char *name, const struct table_identity *id, const struct table *const *tables, size_t count,
		table_stop *stop, void *context, struct error *err)
{
	return merge(fd, NULL, name, id, tables, count, stop, context, err);
}

int table_merge_memory(struct table_memory *m, const char *name, const struct table_identity *id, const struct table *const *tables, size_t count,
		       table_stop *stop, void *context, struct error *err)
{
	return memory_finish(m, merge(-1, m, name, id, tables, count, stop, context, err));
}

// ---- out of requests

#define REPLAY_ROWS 4096u // read at once: 128 KiB of request table

int table_replay(struct extent_map *map, const struct segment *s, uint64_t to_seq, const char *name, struct error *err)
{
	struct segment_row *rows = malloc(REPLAY_ROWS * sizeof(*rows));
	uint64_t wanted = to_seq < s->first_seq ? 0 : to_seq - s->first_seq + 1;
	int result = 0;

	if (!rows)
		return error_set(err, "out of memory");
	if (wanted > s->record_count)
		wanted = s->record_count;
	if (s->sealed)
		result = segment_check_table(s, name, err);
	for (uint64_t at = 0; at < wanted && result == 0; at += REPLAY_ROWS) {
		size_t count = wanted - at < REPLAY_ROWS ? (size_t)(wanted - at) : REPLAY_ROWS;
		result = segment_read_rows(s, at, count, rows, name, err);
		for (size_t i = 0; i < count && result == 0; i++) {
			const struct segment_row *row = &rows[i];
			if (row->type < RECORD_WRITE || row->type > RECORD_TRIM || row->length_bytes == 0)
				continue;
			struct extent e = {.offset = row->offset_bytes, .seq = s->first_seq + at + i, .length = row->length_bytes, .type = row->type};
			if (e.length > UINT64_MAX - e.offset)
				result = error_set(err, "%s: record %llu lies beyond any disk", name, (unsigned long long)e.seq);
			else if (extent_map_insert(map, &e) < 0)
				result = error_set(err, "out of memory");
		}
	}
	free(rows);
	return result;
}
