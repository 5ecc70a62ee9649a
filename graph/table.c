// SPDX-License-Identifier: MIT
#include "graph/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_SLOTS 256

void table_init(struct table *t)
{
	memset(t, 0, sizeof(*t));
	// Without the kernel's random numbers (a very early boot) only the protection against chosen numbers is lost.
	if (getrandom(t->key, sizeof(t->key), GRND_NONBLOCK) != (ssize_t)sizeof(t->key))
		memcpy(t->key, "provgraph tables", sizeof(t->key));
}

void table_release(struct table *t)
{
	free(t->slots);
	t->slots = NULL;
	t->mask = t->used = 0;
}

// Both halves of the 128-bit product, folded: each bit of the input reaches each bit of the output.
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint32_t table_hash(const struct table *t, uint64_t a, uint64_t b)
{
	uint64_t h = mix(a ^ t->key[0], b ^ UINT64_C(0x9e3779b97f4a7c15));
	h = mix(h ^ t->key[1], b ^ UINT64_C(0xbf58476d1ce4e5b9));
	return (uint32_t)(h ^ h >> 32);
}

uint32_t table_next(const struct table *t, uint32_t hash, size_t *cursor)
{
	while (t->slots) {
		const struct table_slot *slot = &t->slots[(hash + *cursor) & t->mask];
		if (slot->item_plus_1 == 0)
			break;
		++*cursor;
		if (slot->hash == hash)
			return slot->item_plus_1 - 1;
	}
	return TABLE_NONE;
}

static void place(struct table *t, struct table_slot item)
{
	size_t at = item.hash & t->mask;
	while (t->slots[at].item_plus_1 != 0)
		at = (at + 1) & t->mask;
	t->slots[at] = item;
}

static int grow(struct table *t)
{
	struct table bigger = *t;
	size_t count = t->slots ? 2 * (t->mask + 1) : FIRST_SLOTS;
	bigger.slots = calloc(count, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -1;
	bigger.mask = count - 1;
	for (size_t i = 0; t->slots && i <= t->mask; i++)
		if (t->slots[i].item_plus_1)
			place(&bigger, t->slots[i]);
	free(t->slots);
	*t = bigger;
	return 0;
}

int table_add(struct table *t, uint32_t hash, uint32_t item)
{
	if ((!t->slots || 3 * (t->used + 1) > 2 * (t->mask + 1)) && grow(t) < 0)
		return -1;
	place(t, (struct table_slot){hash, item + 1});
	t->used++;
	return 0;
}

void table_replace(struct table *t, uint32_t hash, uint32_t item, uint32_t by)
{
	for (size_t cursor = 0; t->slots; cursor++) {
		struct table_slot *slot = &t->slots[(hash + cursor) & t->mask];
		assert(slot->item_plus_1 != 0);
		if (slot->hash == hash && slot->item_plus_1 == item + 1) {
			slot->item_plus_1 = by + 1;
			return;
		}
	}
}
