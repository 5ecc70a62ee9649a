// SPDX-License-Identifier: MIT
// A cache in an unlinked file: for each block of 4 KiB of the disk, the one record that holds all of it now. A page of it lives in the
// page cache, not in our memory. Anything may be forgotten: then the tables are asked.
#ifndef SNAPSHOTS_LIVE_BLOCKS_H
#define SNAPSHOTS_LIVE_BLOCKS_H

#include "snapshots/extent_map.h"

#define LIVE_BLOCK_BYTES 4096u
#define LIVE_BLOCKS_AT_ONCE 512u // looked at in one step: a page of the file, 2 MiB of the disk

struct live_blocks;

// In the folder's index/, so that it takes no memory where /tmp or /var/tmp does. NULL: there can be none.
struct live_blocks *live_blocks_new(const char *folder, uint64_t size_bytes);
struct live_blocks *live_blocks_hold(struct live_blocks *b); // one more reference; NULL is fine
void live_blocks_release(struct live_blocks *b);             // one less
bool live_blocks_usable(const struct live_blocks *b); // false after the first failed write

// The piece that begins at offset, when it is known and in memory; false: ask the tables. seq 0 of a known one: no record holds it.
// Never waits for the disk, nor for whoever writes.
bool live_blocks_lookup(struct live_blocks *b, uint64_t offset, uint64_t length, struct piece *ret);
// The tables said so: whole blocks of the piece's first LIVE_BLOCKS_AT_ONCE are remembered. This and update: one thread at a time.
void live_blocks_fill(struct live_blocks *b, const struct piece *piece);
// The newest segment's extents win. Ranges beyond LIVE_BLOCKS_AT_ONCE blocks are forgotten by punching a hole.
void live_blocks_update(struct live_blocks *b, const struct extent_map *map);

#endif
