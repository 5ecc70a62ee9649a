// SPDX-License-Identifier: MIT
// A slot is a little-endian u64: bits 0-1 type (0: no record), 2-47 seq, 48-63 a check over these and the block's number, never zero; a slot
// of zero says nothing. The check is there because a read of the file beside a write of it may, by the letter, see half of a slot.
//
// Which pages of the file hold something is a bit each in memory (64 KiB for 1 TiB of disk). So what nobody reads is never written, forgetting
// a page is clearing its bit, and the first fill of a page writes all of it: nothing here ever reads the file from the disk. A page that has
// left the page cache is not known while it is away, and is forgotten when it should change.
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
#define PAGE_BYTES (LIVE_PAGE_BLOCKS * SLOT_BYTES)
#define MAX_DISK_BYTES (UINT64_C(1) << 50) // 1 PiB has 64 MiB of bits
#define MAX_UPDATE_PAGES 1024u             // made dirty by one update: 4 MiB for 64 MiB of segment

struct live_blocks {
	int fd;
	uint64_t count, page_count;
	atomic_bool broken;
	atomic_uint *held; // bits
};

struct live_blocks *live_blocks_new(const char *folder, uint64_t size_bytes)
{
	struct live_blocks *b = size_bytes <= MAX_DISK_BYTES ? calloc(1, sizeof(*b)) : NULL;
	char *path AUTO_FREE = NULL;
	struct error why;

	if (!b)
		return NULL;
	b->count = size_bytes / LIVE_BLOCK_BYTES; // a last block that is not whole always asks the tables
	b->page_count = b->count / LIVE_PAGE_BLOCKS + 1;
	b->held = calloc((size_t)(b->page_count / 32 + 1), sizeof(*b->held));
	b->fd = b->held ? table_create_temporary(folder, &path, &why) : -1;
	if (b->fd < 0) {
		free(b->held);
		free(b);
		return NULL;
	}
	(void)unlink(path);
	return b;
}

void live_blocks_free(struct live_blocks *b)
{
	if (!b)
		return;
	(void)close(b->fd);
	free(b->held);
	free(b);
}

static bool is_held(const struct live_blocks *b, uint64_t page)
{
	return atomic_load(&b->held[page / 32]) >> page % 32 & 1;
}

static void set_held(struct live_blocks *b, uint64_t page, bool held)
{
	unsigned bit = 1u << page % 32;

	if (held)
		atomic_fetch_or(&b->held[page / 32], bit);
	else
		atomic_fetch_and(&b->held[page / 32], ~bit);
}

void live_blocks_forget(struct live_blocks *b)
{
	for (uint64_t i = 0; i <= b->page_count / 32; i++)
		atomic_store(&b->held[i], 0);
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

// Slots that are in memory; *ret how many bytes. A file system that cannot promise not to wait may wait.
static ssize_t read_in_memory(const struct live_blocks *b, uint64_t first, uint8_t *slots, size_t length)
{
	struct iovec io = {.iov_base = slots, .iov_len = length};
	ssize_t got = preadv2(b->fd, &io, 1, (off_t)(first * SLOT_BYTES), RWF_NOWAIT);

	if (got < 0 && errno == EOPNOTSUPP)
		got = pread(b->fd, slots, length, (off_t)(first * SLOT_BYTES));
	return got;
}

bool live_blocks_lookup(const struct live_blocks *b, uint64_t offset, uint64_t length, struct piece *ret)
{
	uint8_t slots[PAGE_BYTES];
	uint64_t first = offset / LIVE_BLOCK_BYTES, seq, other_seq;
	uint64_t wanted = (length - 1 + offset % LIVE_BLOCK_BYTES) / LIVE_BLOCK_BYTES + 1;
	uint64_t in_page = LIVE_PAGE_BLOCKS - first % LIVE_PAGE_BLOCKS;
	uint8_t type, other_type;

	if (first >= b->count || atomic_load(&b->broken) || !is_held(b, first / LIVE_PAGE_BLOCKS))
		return false;
	if (wanted > in_page)
		wanted = in_page;
	ssize_t got = read_in_memory(b, first, slots, (size_t)wanted * SLOT_BYTES);
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
	if (pwrite(b->fd, slots, (size_t)count * SLOT_BYTES, (off_t)(first * SLOT_BYTES)) != (ssize_t)(count * SLOT_BYTES))
		atomic_store(&b->broken, true);
}

void live_blocks_fill(struct live_blocks *b, const struct piece *piece)
{
	uint8_t slots[PAGE_BYTES] = {0};
	uint64_t first = piece->offset / LIVE_BLOCK_BYTES + (piece->offset % LIVE_BLOCK_BYTES != 0);
	uint64_t end = (piece->offset + piece->length) / LIVE_BLOCK_BYTES;
	uint64_t page = first / LIVE_PAGE_BLOCKS, page_first = page * LIVE_PAGE_BLOCKS;

	if (end > b->count)
		end = b->count;
	if (end > page_first + LIVE_PAGE_BLOCKS)
		end = page_first + LIVE_PAGE_BLOCKS;
	if (first >= end || atomic_load(&b->broken) || piece->seq >> SEQ_BITS != 0)
		return;
	for (uint64_t block = first; block < end; block++)
		put_le64(slots + (block - page_first) * SLOT_BYTES, encode(block, piece->seq, piece->type));
	if (is_held(b, page)) {
		store(b, first, slots + (first - page_first) * SLOT_BYTES, end - first);
	} else {
		store(b, page_first, slots, LIVE_PAGE_BLOCKS);
		set_held(b, page, true);
	}
}

struct update { // slots of one page that lie side by side are written together
	struct live_blocks *blocks;
	uint64_t first, count;
	unsigned pages_left;
	uint64_t last_page; // that was written to; UINT64_MAX: none
	uint8_t slots[PAGE_BYTES];
};

static void update_flush(struct update *u)
{
	uint64_t page = u->first / LIVE_PAGE_BLOCKS;
	uint8_t probe[SLOT_BYTES];

	if (u->count == 0)
		return;
	if (page != u->last_page && u->pages_left > 0) {
		u->pages_left--;
		u->last_page = page;
	}
	if (page == u->last_page && read_in_memory(u->blocks, u->first, probe, sizeof(probe)) == (ssize_t)sizeof(probe))
		store(u->blocks, u->first, u->slots, u->count);
	else
		set_held(u->blocks, page, false);
	u->count = 0;
}

static void update_slot(struct update *u, uint64_t block, uint64_t slot)
{
	// Two extents may share a block: both say "ask".
	if (u->count > 0 && block == u->first + u->count - 1) {
		put_le64(u->slots + (u->count - 1) * SLOT_BYTES, slot);
		return;
	}
	if (u->count > 0 && (block != u->first + u->count || block % LIVE_PAGE_BLOCKS == 0))
		update_flush(u);
	if (u->count == 0)
		u->first = block;
	put_le64(u->slots + u->count * SLOT_BYTES, slot);
	u->count++;
}

// The part of an extent that lies in one page.
static void update_page(struct update *u, uint64_t page, const struct extent *e)
{
	uint64_t end_offset = e->offset + e->length;
	uint64_t first = e->offset / LIVE_BLOCK_BYTES, last = (end_offset - 1) / LIVE_BLOCK_BYTES; // touched at all
	uint64_t page_first = page * LIVE_PAGE_BLOCKS, page_last = page_first + LIVE_PAGE_BLOCKS - 1;

	if (first < page_first)
		first = page_first;
	if (last > page_last)
		last = page_last;
	if (last >= u->blocks->count)
		last = u->blocks->count - 1;
	if (first == page_first && last == page_last) { // no slot of it stays
		set_held(u->blocks, page, false);
		return;
	}
	for (uint64_t block = first; block <= last; block++) {
		bool whole = block * LIVE_BLOCK_BYTES >= e->offset && (block + 1) * LIVE_BLOCK_BYTES <= end_offset;
		update_slot(u, block, whole && e->seq >> SEQ_BITS == 0 ? encode(block, e->seq, e->type) : 0);
	}
}

void live_blocks_update(struct live_blocks *b, const struct extent_map *map)
{
	struct update u = {.blocks = b, .pages_left = MAX_UPDATE_PAGES, .last_page = UINT64_MAX};
	struct extent_cursor c = {0};
	struct extent e;

	while (extent_map_next(map, &c, &e)) {
		uint64_t first = e.offset / LIVE_BLOCK_BYTES, last = (e.offset + e.length - 1) / LIVE_BLOCK_BYTES;
		for (uint64_t page = first / LIVE_PAGE_BLOCKS; page <= last / LIVE_PAGE_BLOCKS && page * LIVE_PAGE_BLOCKS < b->count; page++) {
			if (is_held(b, page))
				update_page(&u, page, &e);
		}
	}
	update_flush(&u);
}
