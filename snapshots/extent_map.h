// SPDX-License-Identifier: MIT
// Which record holds each byte, in memory: disjoint extents in the order of their offsets. What is inserted wins over what was there.
//
// Extents lie in sorted leaves of EXTENT_LEAF_ITEMS, the leaves in a sorted directory. 20 bytes an extent in a full leaf, 20 to 30 in
// practice. An insert is two binary searches and moves within a leaf; the directory moves only when a leaf is split.
#ifndef SNAPSHOTS_EXTENT_MAP_H
#define SNAPSHOTS_EXTENT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct extent { // part of what a WRITE, ZERO or TRIM holds
	uint64_t offset, seq; // seq 1 .. 2^56-1
	uint32_t length;      // one record touches less than 4 GiB (record.h)
	uint8_t type;         // RECORD_WRITE, RECORD_ZERO, RECORD_TRIM
};

struct piece { // an answer for a range: its beginning, all of it from one record; seq 0: nobody wrote there
	uint64_t offset, length, seq;
	uint8_t type;
};

#define EXTENT_LEAF_ITEMS 204u // of 20 bytes: a leaf is a page of memory

struct extent_leaf;
struct extent_map { // zeroed = empty; the fields belong to extent_map.c
	struct extent_leaf **leaves;
	uint64_t *first_offsets; // of each leaf
	size_t leaf_count, leaf_capacity, count;
	struct extent_leaf *spare[2]; // so that an insert cannot run out of memory half-way
};

void extent_map_release(struct extent_map *m);
// 0, or -1 when out of memory (m is as it was). length > 0, offset + length does not overflow.
int extent_map_insert(struct extent_map *m, const struct extent *e);
// The piece that begins at offset, at most length bytes.
struct piece extent_map_lookup(const struct extent_map *m, uint64_t offset, uint64_t length);
size_t extent_map_bytes(const struct extent_map *m); // memory in use

// In order:  struct extent_cursor c = {0}; struct extent e; while (extent_map_next(&m, &c, &e)) ...
struct extent_cursor { size_t leaf, item; };
bool extent_map_next(const struct extent_map *m, struct extent_cursor *c, struct extent *ret);

#endif
