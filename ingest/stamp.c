// SPDX-License-Identifier: MIT
#include "ingest/stamp.h"

#include "ingest/record.h"

#include <stdlib.h>
#include <string.h>

size_t stamp_line_start(const char *bytes, size_t at)
{
	const char *newline = at ? memrchr(bytes, '\n', at) : NULL;

	return newline ? (size_t)(newline - bytes) + 1 : 0;
}

size_t stamp_line_end(const char *bytes, size_t length, size_t at)
{
	const char *newline = at < length ? memchr(bytes + at, '\n', length - at) : NULL;

	return newline ? (size_t)(newline - bytes) : length;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void block_add(struct stamp_block *block, uint64_t *all, const struct record *record)
{
	if (block->count == 0) {
		block->first_ns = block->min_ns = block->max_ns = record->time_ns;
		block->has_node = record->node != NULL;
	}
	block->last_ns = record->time_ns;
	if (record->time_ns < block->min_ns)
		block->min_ns = record->time_ns;
	if (record->time_ns > block->max_ns)
		block->max_ns = record->time_ns;
	if (block->count < STAMP_BLOCK_LINES)
		all[block->count] = record->time_ns;
	block->count++;
}

void stamp_block_read(const char *bytes, size_t length, bool at_line_start, struct stamp_block *ret)
{
	uint64_t all[STAMP_BLOCK_LINES];
	struct stamp_block block = { .count = 0 };
	size_t at = at_line_start ? 0 : stamp_line_end(bytes, length, 0) + 1;

	while (at < length) {
		size_t end = stamp_line_end(bytes, length, at);
		struct record record;

		// Only the header at the start of a line counts: text further on was chosen by programs, and may hold stamps of its own.
		if (!record_parse(bytes + at, end - at, &record))
			block_add(&block, all, &record);
		at = end + 1;
	}
	if (block.count > 0) {
		size_t kept = block.count < STAMP_BLOCK_LINES ? block.count : STAMP_BLOCK_LINES;

		qsort(all, kept, sizeof(all[0]), compare_u64);
		block.median_ns = all[kept / 2];
	}
	*ret = block;
}
