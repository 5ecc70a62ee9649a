// SPDX-License-Identifier: MIT
#include "base/vector.h"

#define FIRST_ITEMS 16

int vector_grow(void **items, size_t *capacity, size_t needed, size_t size)
{
	size_t larger = *capacity ? *capacity : FIRST_ITEMS;

	while (larger < needed) {
		if (larger > SIZE_MAX / 2)
			return -1;
		larger *= 2;
	}
	if (larger > SIZE_MAX / size)
		return -1;
	void *moved = realloc(*items, larger * size);
	if (!moved)
		return -1;
	*items = moved;
	*capacity = larger;
	return 0;
}
