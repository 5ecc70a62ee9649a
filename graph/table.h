// SPDX-License-Identifier: MIT
// A hash table that finds numbers (indices of entities) while a graph is built. It keeps hashes and numbers only; whoever asks
// compares the keys, which stand in the entities themselves.
//
//     uint32_t hash = table_hash(&t, a, b), item;
//     for (size_t cursor = 0; (item = table_next(&t, hash, &cursor)) != TABLE_NONE;)
//             if (things[item] is the one) ...
//
// Hashes are keyed with random numbers, so that nobody can write a log whose numbers all land in one place. It is never walked
// from end to end: its order cannot reach a result.
#ifndef GRAPH_TABLE_H
#define GRAPH_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_NONE UINT32_MAX

struct table_slot { uint32_t hash, item_plus_1; }; // item_plus_1 == 0: empty
struct table {
	struct table_slot *slots;
	size_t mask, used;
	uint64_t key[2];
};

void table_init(struct table *t);
void table_release(struct table *t);
uint32_t table_hash(const struct table *t, uint64_t a, uint64_t b);
// The next item with this hash; *cursor starts at 0. TABLE_NONE: no more.
uint32_t table_next(const struct table *t, uint32_t hash, size_t *cursor);
// Adds an item (there may be others of the same hash). -1: out of memory, nothing changed.
int table_add(struct table *t, uint32_t hash, uint32_t item);
// `by` takes the place of `item`, which must be there.
void table_replace(struct table *t, uint32_t hash, uint32_t item, uint32_t by);

#endif
