// SPDX-License-Identifier: MIT
#include "ingest/completeness.h"

#include <string.h>

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

void completeness_sort_gaps(struct completeness *c)
{
	size_t kept = 0;

	if (c->gaps.count == 0)
		return;
	qsort(c->gaps.items, c->gaps.count, sizeof(c->gaps.items[0]), compare_gaps);
	for (size_t i = 1; i < c->gaps.count; i++) {
		struct completeness_gap *last = &c->gaps.items[kept], *next = &c->gaps.items[i];

		if (!same_gap(last, next)) {
			c->gaps.items[++kept] = *next;
			continue;
		}
		if (next->to_ns > last->to_ns)
			last->to_ns = next->to_ns;
		last->last_serial = next->last_serial;
		last->count += next->count;
	}
	c->gaps.count = kept + 1;
}
