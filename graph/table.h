// SPDX-License-Identifier: MIT
// A hash table from 64-bit keys to numbers, for finding entities while a graph is built. Never iterated: order cannot leak.
#ifndef GRAPH_TABLE_H
#define GRAPH_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_slot { uint64_t key; uint32_t value; };
struct table { struct table_slot *slots; size_t capacity, used; };

#define TABLE_NONE UINT32_MAX

// The value of key, or TABLE_NONE.
uint32_t table_get(const struct table *t, uint64_t key);
// Sets it; -1: out of memory, nothing changed. value must not be TABLE_NONE (see table_forget).
int table_put(struct table *t, uint64_t key, uint32_t value);
// The key has no value any more (its slot stays).
void table_forget(struct table *t, uint64_t key);
void table_release(struct table *t);

// Mixes up to four numbers into a key. 64 bits over at most some 10^7 entities: a chance meeting is less likely than a memory error.
uint64_t table_key(uint64_t a, uint64_t b, uint64_t c, uint64_t d);

#endif
