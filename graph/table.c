// SPDX-License-Identifier: MIT
#include "graph/table.h"

#include <stdlib.h>
#include <string.h>

// The key 0 marks a free slot; table_key never gives it.
static struct table_slot *find(const struct table *t, uint64_t key)
{
	size_t mask = t->capacity - 1;
	size_t i = (size_t)(key ^ key >> 32) & mask;
	while (t->slots[i].key != key && t->slots[i].key != 0)
		i = (i + 1) & mask;
	return &t->slots[i];
}

uint32_t table_get(const struct table *t, uint64_t key)
{
	if (!t->capacity)
		return TABLE_NONE;
	const struct table_slot *slot = find(t, key);
	return slot->key ? slot->value : TABLE_NONE;
}

static int grow(struct table *t)
{
	struct table bigger = {.capacity = t->capacity ? 2 * t->capacity : 256, .used = t->used};
	bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -1;
	for (size_t i = 0; i < t->capacity; i++)
		if (t->slots[i].key)
			*find(&bigger, t->slots[i].key) = t->slots[i];
	free(t->slots);
	*t = bigger;
	return 0;
}

int table_put(struct table *t, uint64_t key, uint32_t value)
{
	if (3 * (t->used + 1) > 2 * t->capacity && grow(t) < 0)
		return -1;
	struct table_slot *slot = find(t, key);
	t->used += slot->key == 0;
	*slot = (struct table_slot){key, value};
	return 0;
}

void table_forget(struct table *t, uint64_t key)
{
	if (t->capacity)
		find(t, key)->value = TABLE_NONE; // harmless on a free slot: its key stays 0
}

void table_release(struct table *t)
{
	free(t->slots);
	memset(t, 0, sizeof(*t));
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

uint64_t table_key(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint64_t h = mix(mix(mix(mix(UINT64_C(0x8ebc6af09c88c6e3), a), b), c), d);
	h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	h ^= h >> 32;
	return h ? h : 1;
}
