// SPDX-License-Identifier: MIT
#include "ingest/ring.h"

#include <stdlib.h>
#include <string.h>

int ring_init(struct ring *r, size_t size)
{
	*r = (struct ring){.mask = size - 1};
	// Pages of zeros cost nothing until a slot on them is used.
	r->slots = calloc(size, sizeof(*r->slots));
	r->occupied = calloc(size / 64, sizeof(*r->occupied));
	if (r->slots && r->occupied)
		return 0;
	ring_release(r);
	return -1;
}

void ring_release(struct ring *r)
{
	free(r->slots);
	free(r->occupied);
	*r = (struct ring){0};
}

void ring_start(struct ring *r, uint64_t head)
{
	r->head = head;
	r->next = head - r->mask;
}

bool ring_first(const struct ring *r, uint64_t from, uint64_t limit, uint64_t *ret_serial)
{
	if (limit - from > r->mask + 1)
		limit = from + r->mask + 1; // more serials than slots
	while (from < limit) {
		uint64_t at = from & r->mask, word = r->occupied[at / 64] >> (at % 64), left = 64 - at % 64;

		if (word) {
			from += (uint64_t)__builtin_ctzll(word);
			*ret_serial = from;
			return from < limit;
		}
		from += left;
	}
	return false;
}
