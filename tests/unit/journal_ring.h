// SPDX-License-Identifier: MIT
// Writes jbd2 transactions into the ring of a disk in memory: all layouts of tags, all checksums, revokes, escapes, wrap.
// Written from Documentation/filesystems/ext4/journal.rst, apart from the reader's code, so that both do not share a mistake.
#ifndef TESTS_UNIT_JOURNAL_RING_H
#define TESTS_UNIT_JOURNAL_RING_H

#include "base/bytes.h"
#include "snapshots/crc32c.h"
#include "snapshots/journal.h"

#include <stdlib.h>
#include <string.h>

struct ring {
	uint8_t *disk;
	const struct journal_geometry *g; // extents only: the features are `features`
	uint32_t features, compatible;
	uint32_t first, last, at, tid;
	uint64_t seconds; // of the next commit
	uint32_t nanoseconds; // 0: 123456789
	uint8_t uuid[16];
	uint32_t legacy_sum;
	// Told of each block that is written, in order; may be NULL.
	void (*written)(void *context, uint32_t journal_block, const uint8_t *bytes);
	void *context;
};

enum { RING_64BIT = 2, RING_V2 = 8, RING_V3 = 16 };

static uint8_t *ring_block(const struct ring *r, uint32_t journal_block)
{
	uint64_t fs_block = 0;

	if (!journal_to_fs(r->g, journal_block, &fs_block))
		abort();
	return r->disk + fs_block * r->g->block_bytes;
}

static uint32_t ring_seed(const struct ring *r)
{
	return crc32c_update(UINT32_MAX, r->uuid, 16);
}

static uint32_t ring_checksums(const struct ring *r)
{
	return r->features & (RING_V2 | RING_V3);
}

static uint32_t ring_crc32_be(uint32_t crc, const uint8_t *bytes, size_t length) // bit by bit, on purpose unlike the reader's
{
	while (length--) {
		crc ^= (uint32_t)*bytes++ << 24;
		for (int i = 0; i < 8; i++)
			crc = crc & 0x80000000u ? crc << 1 ^ 0x04c11db7u : crc << 1;
	}
	return crc;
}

static uint32_t ring_next(const struct ring *r, uint32_t at)
{
	return at + 1 >= r->last ? r->first : at + 1;
}

static void ring_put(struct ring *r, const uint8_t *bytes)
{
	memcpy(ring_block(r, r->at), bytes, r->g->block_bytes);
	if (r->written)
		r->written(r->context, r->at, bytes);
	r->at = ring_next(r, r->at);
}

static void ring_head(const struct ring *r, uint8_t *block, uint32_t kind)
{
	memset(block, 0, r->g->block_bytes);
	put_be32(block, 0xc03b3998u);
	put_be32(block + 4, kind);
	put_be32(block + 8, r->tid);
}

static void ring_tail(const struct ring *r, uint8_t *block)
{
	if (ring_checksums(r))
		put_be32(block + r->g->block_bytes - 4, crc32c_update(ring_seed(r), block, r->g->block_bytes));
}

__attribute__((unused)) static uint32_t ring_tags_fit(const struct ring *r)
{
	uint32_t tag = r->features & RING_V3 ? 16 : 8u + (r->features & RING_64BIT ? 4u : 0) + (r->features & RING_V2 ? 2u : 0);

	return (r->g->block_bytes - 12 - 16 - 4) / tag;
}

// One descriptor and its copies. contents: count blocks.
static void ring_descriptor(struct ring *r, const uint64_t *blocks, const uint8_t *contents, uint32_t count)
{
	uint32_t size = r->g->block_bytes;
	uint8_t *block = malloc(size), *data = malloc((size_t)size * count + 1), number[4];
	uint32_t at = 12;

	ring_head(r, block, 1);
	put_be32(number, r->tid);
	memcpy(data, contents, (size_t)size * count);
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *stored = data + (size_t)i * size, *tag = block + at;
		uint32_t flags = (i ? 2u : 0) | (i + 1 == count ? 8u : 0), sum;

		if (get_be32(stored) == 0xc03b3998u) {
			memset(stored, 0, 4);
			flags |= 1;
		}
		sum = crc32c_update(crc32c_update(ring_seed(r), number, 4), stored, size);
		put_be32(tag, (uint32_t)blocks[i]);
		put_be32(tag + 4, flags);
		if (r->features & RING_V3) {
			put_be32(tag + 8, (uint32_t)(blocks[i] >> 32));
			put_be32(tag + 12, sum);
			at += 16;
		} else {
			if (r->features & RING_V2)
				put_be32(tag + 4, sum << 16 | flags);
			if (r->features & RING_64BIT)
				put_be32(tag + 8, (uint32_t)(blocks[i] >> 32));
			at += 8 + (r->features & RING_64BIT ? 4u : 0) + (r->features & RING_V2 ? 2u : 0);
		}
		if (i == 0) {
			memcpy(block + at, r->uuid, 16);
			at += 16;
		}
	}
	ring_tail(r, block);
	r->legacy_sum = ring_crc32_be(r->legacy_sum, block, r->compatible & 1 ? size : 0);
	ring_put(r, block);
	for (uint32_t i = 0; i < count; i++) {
		r->legacy_sum = ring_crc32_be(r->legacy_sum, data + (size_t)i * size, r->compatible & 1 ? size : 0);
		ring_put(r, data + (size_t)i * size);
	}
	free(block);
	free(data);
}

__attribute__((unused)) static void ring_revoke(struct ring *r, const uint64_t *blocks, uint32_t count)
{
	uint8_t *block = malloc(r->g->block_bytes);
	uint32_t width = r->features & RING_64BIT ? 8 : 4;

	ring_head(r, block, 5);
	put_be32(block + 12, 16 + width * count);
	for (uint32_t i = 0; i < count; i++) {
		if (width == 8)
			put_be32(block + 16 + 8 * i, (uint32_t)(blocks[i] >> 32));
		put_be32(block + 16 + width * i + (width - 4), (uint32_t)blocks[i]);
	}
	ring_tail(r, block);
	ring_put(r, block);
	free(block);
}

static void ring_commit(struct ring *r)
{
	uint8_t *block = malloc(r->g->block_bytes);

	ring_head(r, block, 2);
	put_be32(block + 48, (uint32_t)(r->seconds >> 32));
	put_be32(block + 52, (uint32_t)r->seconds);
	put_be32(block + 56, r->nanoseconds ? r->nanoseconds : 123456789);
	if (r->compatible & 1) {
		block[12] = 1;
		block[13] = 4;
		put_be32(block + 16, r->legacy_sum);
	} else if (ring_checksums(r)) {
		put_be32(block + 16, crc32c_update(ring_seed(r), block, r->g->block_bytes));
	}
	ring_put(r, block);
	r->legacy_sum = UINT32_MAX;
	r->seconds++;
	r->tid++;
	free(block);
}

// The journal's superblock: the log begins at `start` (0: empty) with the ring's present tid.
static void ring_super(struct ring *r, uint32_t start)
{
	uint8_t *s = ring_block(r, 0);

	put_be32(s + 4, 4);
	put_be32(s + 20, r->first);
	put_be32(s + 24, r->tid);
	put_be32(s + 28, start);
	put_be32(s + 36, r->compatible);
	put_be32(s + 40, r->features | 1);
	memcpy(s + 48, r->uuid, 16);
	s[80] = ring_checksums(r) ? 4 : 0;
	put_be32(s + 252, 0);
	if (ring_checksums(r))
		put_be32(s + 252, crc32c_update(UINT32_MAX, s, 1024));
	if (r->written)
		r->written(r->context, 0, s);
}

#endif
