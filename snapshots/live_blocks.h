// SPDX-License-Identifier: MIT
// A cache in an unlinked file: for each block of 4 KiB of the disk, the one record that holds all of it now. It lives in the page cache, not in
// our memory. Anything may be forgotten: then the tables are asked.
//
// One thread at a time fills and updates; others look up beside it.
#ifndef SNAPSHOTS_LIVE_BLOCKS_H
#define SNAPSHOTS_LIVE_BLOCKS_H

#include "snapshots/extent_map.h"

#define LIVE_BLOCK_BYTES 4096u
#define LIVE_PAGE_BLOCKS 512u // a page of the file: 2 MiB of the disk

struct live_blocks;

// In the folder's index/, so that it takes no memory where /tmp or /var/tmp does. NULL: there can be none.
struct live_blocks *live_blocks_new(const char *folder, uint64_t size_bytes);
void live_blocks_free(struct live_blocks *b);

// The piece that begins at offset, when it is known and in memory; false: ask the tables. seq 0 of a known one: no record holds it.
// Never waits for the disk, nor for whoever writes.
bool live_blocks_lookup(const struct live_blocks *b, uint64_t offset, uint64_t length, struct piece *ret);
// The tables said so: whole blocks of the piece within its first page are remembered.
void live_blocks_fill(struct live_blocks *b, const struct piece *piece);
// The newest segment's extents win. Only pages that hold something are touched, and of these no more than a few MiB: others are forgotten.
void live_blocks_update(struct live_blocks *b, const struct extent_map *map);
void live_blocks_forget(struct live_blocks *b); // all of it

#endif
