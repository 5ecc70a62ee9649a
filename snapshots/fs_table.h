// SPDX-License-Identifier: MIT
// A hash table from u64 (but the largest) to u64, for inode and block numbers. Never asked for its order.
#ifndef SNAPSHOTS_FS_TABLE_H
#define SNAPSHOTS_FS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct fs_table { // zeroed = empty
	struct fs_table_slot { uint64_t key_and_1, value; } *slots; // 0: free
	size_t capacity, count; // capacity: a power of two
};

static inline void fs_table_release(struct fs_table *t)
{
	free(t->slots);
	*t = (struct fs_table){0};
}

static inline struct fs_table_slot *fs_table_slot_of(const struct fs_table *t, uint64_t key)
{
	size_t at = (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (t->capacity - 1);

	while (t->slots[at].key_and_1 != 0 && t->slots[at].key_and_1 != key + 1)
		at = (at + 1) & (t->capacity - 1);
	return &t->slots[at];
}

static inline bool fs_table_get(const struct fs_table *t, uint64_t key, uint64_t *ret)
{
	const struct fs_table_slot *slot = t->capacity > 0 ? fs_table_slot_of(t, key) : NULL;

	if (!slot || slot->key_and_1 == 0)
		return false;
	*ret = slot->value;
	return true;
}

// Sets or replaces. -1: out of memory.
static inline int fs_table_put(struct fs_table *t, uint64_t key, uint64_t value)
{
	if ((t->count + 1) * 2 > t->capacity) {
		struct fs_table grown = {.capacity = t->capacity ? t->capacity * 2 : 256, .count = t->count};

		grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
		if (!grown.slots)
			return -1;
		for (size_t i = 0; i < t->capacity; i++) {
			if (t->slots[i].key_and_1 != 0)
				*fs_table_slot_of(&grown, t->slots[i].key_and_1 - 1) = t->slots[i];
		}
		free(t->slots);
		*t = grown;
	}
	struct fs_table_slot *slot = fs_table_slot_of(t, key);

	t->count += slot->key_and_1 == 0;
	*slot = (struct fs_table_slot){.key_and_1 = key + 1, .value = value};
	return 0;
}

#endif
