// SPDX-License-Identifier: MIT
// The newest answers about what lies below the maps in memory, so that reading on in a large record asks no file.
//
// A slot for each 64 KiB of the disk, modulo the table. Everything is called under live.c's lock. An answer holds for one generation:
// live.c's head says why that is enough.
#ifndef SNAPSHOTS_LIVE_RECENT_H
#define SNAPSHOTS_LIVE_RECENT_H

#include "snapshots/extent_map.h"

#include <stdbool.h>
#include <stdint.h>

#define LIVE_RECENT_BYTES 65536u // of the disk for one slot
#define LIVE_RECENT_SLOTS 16384u // 640 KiB of memory; a GiB of disk without collisions

struct live_recent; // calloc'ed and freed by the next two

struct live_recent *live_recent_new(void); // NULL: out of memory
void live_recent_free(struct live_recent *r);
// An answer that holds offset: *piece, which asks from offset on, becomes it, never longer than it was.
bool live_recent_find(const struct live_recent *r, uint64_t generation, struct piece *piece);
void live_recent_keep(struct live_recent *r, uint64_t generation, const struct piece *piece);

#endif
