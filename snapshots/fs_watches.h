// SPDX-License-Identifier: MIT
// Who watches which bytes of a volume: ranges of many owners, which may overlap, and who is concerned when bytes are written.
//
// Ranges lie in sorted leaves, the leaves in a sorted directory, as in extent_map.h; beside each range stands how far it and those before it
// reach, so that the first one that can matter is found by bisection. A write that nobody watches costs two of them.
#ifndef SNAPSHOTS_FS_WATCHES_H
#define SNAPSHOTS_FS_WATCHES_H

#include "base/error.h"
#include "base/vector.h"

#include <stdbool.h>
#include <stdint.h>

struct fs_range { uint64_t from, to; };
VECTOR_DEFINE(fs_ranges, struct fs_range)
void fs_ranges_unite(struct fs_ranges *r); // sorts, and joins what overlaps or touches

struct fs_watches_leaf;
struct fs_watches { // zeroed = empty; the fields belong to fs_watches.c
	struct fs_watches_leaf **leaves;
	uint64_t *reach; // the largest `to` in this leaf and those before it
	size_t leaf_count, leaf_capacity, count;
	struct fs_ranges *owned; // by owner: united
	size_t owner_count;
};

void fs_watches_release(struct fs_watches *w);
// What the owner watches from now on; united by this call. Costs its own ranges, and a few ns for each that is new or gone.
int fs_watches_set(struct fs_watches *w, uint32_t owner, struct fs_ranges *ranges, struct error *err);

// The next range that has bytes of [from, to), in the order of beginnings, then owners:
//     struct fs_watches_at at = fs_watches_find(&w, from); while (fs_watches_next(&w, &at, from, to, &range, &owner)) ...
// Nothing may be set meanwhile.
struct fs_watches_at { size_t leaf, item; };
struct fs_watches_at fs_watches_find(const struct fs_watches *w, uint64_t from);
bool fs_watches_next(const struct fs_watches *w, struct fs_watches_at *at, uint64_t from, uint64_t to, struct fs_range *ret, uint32_t *ret_owner);

#endif
