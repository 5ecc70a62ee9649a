// SPDX-License-Identifier: MIT
// A slot is a little-endian u64: bits 0-1 type (0: no record), 2-47 seq, 48-63 a check over these and the block's number, never zero; a slot
// of zero says nothing. The check is there because a read of the file beside a write of it may, by the letter, see half of a slot.
#include "snapshots/live_blocks.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "snapshots/table_cover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define SEQ_BITS 46 // 7e13 records: a million a second for two years
#define SLOT_BYTES 8u

struct live_blocks {
	int fd;
	uint64_t count;
	atomic_bool broken;
	atomic_uint references;
};

struct live_blocks *live_blocks_new(const char *folder, uint64_t size_bytes)
{
	struct live_blocks *b = calloc(1, sizeof(*b));
	char *path AUTO_FREE = NULL;
	struct error why;

	if (!b)
		return NULL;
	atomic_init(&b->references, 1);
	b->count = size_bytes / LIVE_BLOCK_BYTES; // a last block that is not whole always asks the tables
	b->fd = table_create_temporary(folder, &path, &why);
	if (b->fd < 0) {
		free(b);
		return NULL;
	}
	(void)unlink(path);
	// As large as it can get, without a block: reads need no special case. A file system may not know files that large.
	if (ftruncate(b->fd, (off_t)(b->count * SLOT_BYTES)) < 0) {
		live_blocks_release(b);
		return NULL;
	}
	return b;
}

struct live_blocks *live_blocks_hold(struct live_blocks *b)
{
	if (b)
		atomic_fetch_add(&b->references, 1);
	return b;
}

void live_blocks_release(struct live_blocks *b)
{
	if (!b || atomic_fetch_sub(&b->references, 1) > 1)
		return;
	(void)close(b->fd);
	free(b);
}

bool live_blocks_usable(const struct live_blocks *b)
{
	return !atomic_load(&b->broken);
}

static uint64_t encode(uint64_t block, uint64_t seq, uint8_t type)
{
	uint64_t value = seq << 2 | type;
	uint64_t mixed = (value ^ block * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xD6E8FEB86659FD93); // any odd constants do

	return value | (mixed >> 48 ? mixed >> 48 : 1) << 48;
}

static bool decode(uint64_t block, uint64_t slot, uint64_t *ret_seq, uint8_t *ret_type)
{
	uint64_t value = slot & ((UINT64_C(1) << 48) - 1);

	if (slot == 0 || slot != encode(block, value >> 2, value & 3))
		return false;
	*ret_seq = value >> 2;
	*ret_type = value & 3;
	return true;
}

bool live_blocks_lookup(struct live_blocks *b, uint64_t offset, uint64_t length, struct piece *ret)
{
	uint8_t slots[LIVE_BLOCKS_AT_ONCE * SLOT_BYTES];
	uint64_t first = offset / LIVE_BLOCK_BYTES, seq, other_seq;
	uint64_t wanted = (length - 1 + offset % LIVE_BLOCK_BYTES) / LIVE_BLOCK_BYTES + 1;
	uint8_t type, other_type;

	if (atomic_load(&b->broken) || first >= b->count)
		return false;
	if (wanted > LIVE_BLOCKS_AT_ONCE)
		wanted = LIVE_BLOCKS_AT_ONCE;
	if (wanted > b->count - first)
		wanted = b->count - first;
	struct iovec io = {.iov_base = slots, .iov_len = (size_t)wanted * SLOT_BYTES};
	ssize_t got = preadv2(b->fd, &io, 1, (off_t)(first * SLOT_BYTES), RWF_NOWAIT);
	if (got < 0 && errno == EOPNOTSUPP) // a file system that cannot promise it
		got = pread(b->fd, slots, io.iov_len, (off_t)(first * SLOT_BYTES));
	if (got < (ssize_t)SLOT_BYTES || !decode(first, get_le64(slots), &seq, &type))
		return false;
	uint64_t same = 1;
	while (same < (uint64_t)got / SLOT_BYTES && decode(first + same, get_le64(slots + same * SLOT_BYTES), &other_seq, &other_type) &&
	       other_seq == seq && other_type == type)
		same++;
	uint64_t end = (first + same) * LIVE_BLOCK_BYTES;
	*ret = (struct piece){.offset = offset, .length = end - offset < length ? end - offset : length, .seq = seq, .type = type};
	return true;
}

// ---- changing

static void store(struct live_blocks *b, uint64_t first, const uint8_t *slots, uint64_t count)
{
	if (count > 0 && pwrite(b->fd, slots, (size_t)count * SLOT_BYTES, (off_t)(first * SLOT_BYTES)) != (ssize_t)(count * SLOT_BYTES))
		atomic_store(&b->broken, true);
}

void live_blocks_fill(struct live_blocks *b, const struct piece *piece)
{
	uint8_t slots[LIVE_BLOCKS_AT_ONCE * SLOT_BYTES];
	uint64_t first = piece->offset / LIVE_BLOCK_BYTES + (piece->offset % LIVE_BLOCK_BYTES != 0);
	uint64_t end = (piece->offset + piece->length) / LIVE_BLOCK_BYTES;

	if (end > b->count)
		end = b->count;
	if (first >= end || atomic_load(&b->broken) || piece->seq >> SEQ_BITS != 0)
		return;
	uint64_t count = end - first < LIVE_BLOCKS_AT_ONCE ? end - first : LIVE_BLOCKS_AT_ONCE;
	for (uint64_t i = 0; i < count; i++)
		put_le64(slots + i * SLOT_BYTES, encode(first + i, piece->seq, piece->type));
	store(b, first, slots, count);
}

struct update { // slots that lie side by side are written together
	struct live_blocks *blocks;
	uint64_t first, count;
	uint8_t slots[LIVE_BLOCKS_AT_ONCE * SLOT_BYTES];
};

static void update_flush(struct update *u)
{
	store(u->blocks, u->first, u->slots, u->count);
	u->count = 0;
}

static void update_slot(struct update *u, uint64_t block, uint64_t slot)
{
	if (block >= u->blocks->count)
		return;
	// Two extents may share a block: both say "ask".
	if (u->count > 0 && block == u->first + u->count - 1) {
		put_le64(u->slots + (u->count - 1) * SLOT_BYTES, slot);
		return;
	}
	if (u->count == LIVE_BLOCKS_AT_ONCE || (u->count > 0 && block != u->first + u->count))
		update_flush(u);
	if (u->count == 0)
		u->first = block;
	put_le64(u->slots + u->count * SLOT_BYTES, slot);
	u->count++;
}

static void forget(struct live_blocks *b, uint64_t first, uint64_t end)
{
	if (end > b->count)
		end = b->count;
	if (first < end && fallocate(b->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(first * SLOT_BYTES),
				     (off_t)((end - first) * SLOT_BYTES)) < 0)
		atomic_store(&b->broken, true);
}

void live_blocks_update(struct live_blocks *b, const struct extent_map *map)
{
	struct update u = {.blocks = b};
	struct extent_cursor c = {0};
	struct extent e;

	while (extent_map_next(map, &c, &e) && !atomic_load(&b->broken)) {
		uint64_t end_offset = e.offset + e.length;
		uint64_t first = e.offset / LIVE_BLOCK_BYTES, last = (end_offset - 1) / LIVE_BLOCK_BYTES; // touched at all
		uint64_t whole_end = end_offset / LIVE_BLOCK_BYTES;
		bool known = e.seq >> SEQ_BITS == 0;

		if (last - first >= LIVE_BLOCKS_AT_ONCE) {
			update_flush(&u);
			forget(b, first, last + 1);
			continue;
		}
		for (uint64_t block = first; block <= last; block++) {
			bool whole = block * LIVE_BLOCK_BYTES >= e.offset && block < whole_end;
			update_slot(&u, block, whole && known ? encode(block, e.seq, e.type) : 0);
		}
	}
	update_flush(&u);
}
