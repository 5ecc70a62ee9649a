// SPDX-License-Identifier: MIT
#include "snapshots/inode_map.h"

#include <stdlib.h>

#define FIRST_SIZE 256

// The place of the inode, or the free one where it belongs. At most half of the places are taken, and whoever chose the inode numbers can
// at worst make neighbours of them: the walk ends at the first free place.
static struct inode_map_entry *place(const struct inode_map *m, uint64_t inode)
{
	size_t at = (size_t)(inode * UINT64_C(0x9E3779B97F4A7C15) >> 24) & (m->size - 1);

	while (m->entries[at].inode != 0 && m->entries[at].inode != inode)
		at = (at + 1) & (m->size - 1);
	return &m->entries[at];
}

static int grow(struct inode_map *m, struct error *err)
{
	struct inode_map bigger = {.count = m->count, .size = m->size ? m->size * 2 : FIRST_SIZE};

	if (m->count >= INODE_MAP_MAX)
		return error_set(err, "more than %zu files have to be remembered", INODE_MAP_MAX);
	bigger.entries = calloc(bigger.size, sizeof(*bigger.entries));
	if (!bigger.entries)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < m->size; i++)
		if (m->entries[i].inode != 0)
			*place(&bigger, m->entries[i].inode) = m->entries[i];
	free(m->entries);
	*m = bigger;
	return 0;
}

int inode_map_add(struct inode_map *m, uint64_t inode, uint64_t value, bool *ret_new, uint64_t *ret_value, struct error *err)
{
	if (m->count * 2 >= m->size && grow(m, err) < 0)
		return -1;
	struct inode_map_entry *entry = place(m, inode);

	*ret_new = entry->inode == 0;
	if (*ret_new) {
		*entry = (struct inode_map_entry){inode, value};
		m->count++;
	}
	if (ret_value)
		*ret_value = entry->value;
	return 0;
}

bool inode_map_find(const struct inode_map *m, uint64_t inode, uint64_t *ret_value)
{
	if (m->size == 0 || inode == 0)
		return false;
	const struct inode_map_entry *entry = place(m, inode);

	if (entry->inode == 0)
		return false;
	*ret_value = entry->value;
	return true;
}

void inode_map_release(struct inode_map *m)
{
	free(m->entries);
	*m = (struct inode_map){0};
}
