// SPDX-License-Identifier: MIT
#include "ingest/completeness.h"

#include <string.h>

#define LOOK_BACK 8 /* gaps of so many causes and hosts can overlap and still be joined */

void completeness_release(struct completeness *c)
{
	gap_vector_release(&c->gaps);
	memset(c, 0, sizeof(*c));
}

bool completeness_loss_in(const struct completeness *c, uint64_t from_ns, uint64_t to_ns)
{
	// Neither has a time that could be believed or that is kept: what was read was the window and its margins.
	if (c->rejected > 0 || c->partial > 0)
		return true;
	for (size_t i = 0; i < c->gaps.count; i++) {
		const struct completeness_gap *gap = &c->gaps.items[i];

		if (gap->cause != GAP_CONFIG && gap->from_ns < to_ns && gap->to_ns >= from_ns)
			return true;
	}
	return false;
}

static int compare_gaps(const void *a, const void *b)
{
	const struct completeness_gap *x = a, *y = b;

	if (x->from_ns != y->from_ns)
		return x->from_ns < y->from_ns ? -1 : 1;
	if (x->to_ns != y->to_ns)
		return x->to_ns < y->to_ns ? -1 : 1;
	if (x->cause != y->cause)
		return x->cause < y->cause ? -1 : 1;
	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	return (x->first_serial > y->first_serial) - (x->first_serial < y->first_serial);
}

// Two gaps that touch and mean the same are one. The serials of gaps that a few records interrupt stay apart: each is its own evidence.
static bool same_gap(const struct completeness_gap *a, const struct completeness_gap *b)
{
	if (a->cause != b->cause || a->host != b->host || a->epoch != b->epoch)
		return false;
	if (a->cause == GAP_SERIALS_MISSING)
		return a->last_serial + 1 == b->first_serial;
	return (a->cause == GAP_REJECTED || a->cause == GAP_DAEMON_DOWN) && b->from_ns <= a->to_ns;
}

// The one among the last few kept that `next` carries on; others of other causes may stand between. NULL: none.
static struct completeness_gap *carried_on(struct completeness_gap *kept, size_t count, const struct completeness_gap *next)
{
	for (size_t i = count; i > 0 && i + LOOK_BACK > count; i--) {
		if (same_gap(&kept[i - 1], next))
			return &kept[i - 1];
	}
	return NULL;
}

void completeness_sort_gaps(struct completeness *c)
{
	struct completeness_gap *gaps = c->gaps.items;
	size_t kept = 0;

	if (c->gaps.count > 1)
		qsort(gaps, c->gaps.count, sizeof(gaps[0]), compare_gaps);
	for (size_t i = 0; i < c->gaps.count; i++) {
		struct completeness_gap next = gaps[i], *earlier = carried_on(gaps, kept, &next);

		if (!earlier) {
			gaps[kept++] = next;
			continue;
		}
		if (next.to_ns > earlier->to_ns)
			earlier->to_ns = next.to_ns;
		earlier->last_serial = next.last_serial;
		earlier->count += next.count;
	}
	c->gaps.count = kept;
}
