// SPDX-License-Identifier: MIT
#include "snapshots/live_recent.h"

#include <stdlib.h>

struct slot {
	struct piece piece;   // length 0: nothing
	uint64_t generation;
};

struct live_recent {
	struct slot slots[LIVE_RECENT_SLOTS];
};

struct live_recent *live_recent_new(void)
{
	return calloc(1, sizeof(struct live_recent));
}

void live_recent_free(struct live_recent *r)
{
	free(r);
}

bool live_recent_find(const struct live_recent *r, uint64_t generation, struct piece *piece)
{
	const struct slot *s = &r->slots[piece->offset / LIVE_RECENT_BYTES % LIVE_RECENT_SLOTS];
	const struct piece *p = &s->piece;

	if (p->length == 0 || s->generation != generation || piece->offset < p->offset || piece->offset - p->offset >= p->length)
		return false;
	uint64_t left = p->length - (piece->offset - p->offset);

	piece->length = left < piece->length ? left : piece->length;
	piece->seq = p->seq;
	piece->type = p->type;
	return true;
}

void live_recent_keep(struct live_recent *r, uint64_t generation, const struct piece *piece)
{
	r->slots[piece->offset / LIVE_RECENT_BYTES % LIVE_RECENT_SLOTS] = (struct slot){.piece = *piece, .generation = generation};
}
