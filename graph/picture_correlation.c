// SPDX-License-Identifier: MIT
// The same destination (the third linking of Suetsugu, Hashimoto and Okubo): processes outside the slice that contacted an address
// which is drawn. Nothing is walked through an address, so these are no causes and no effects; a dotted edge says what they share.
// The alert's own address needs none of this: everybody who contacted it in the window is a seed.
#include "graph/picture_work.h"

#include "base/nanotime.h"
#include "graph/picture_choose.h"

#define ADDRESSES_MAX 3 /* folds (or single nodes) that one picture spends on this */

size_t picture_count_drawn(const struct picture_work *w)
{
	size_t n = w->folds.items.count;
	for (uint32_t i = 0; i < w->s.count; i++)
		n += (w->s.items[i].marks & MARK_SHOWN) != 0;
	return n;
}

// Processes outside the slice with a connection to the address, each once, in order of their numbers.
static int find_others(const struct picture_work *w, uint32_t address, uint8_t *seen, struct u32_vector *out)
{
	for (uint32_t i = w->s.member_start[address]; i < w->s.member_start[address + 1]; i++) {
		uint32_t node = w->s.members[i];
		for (uint32_t k = w->g->in_start.items[node]; k < w->g->in_start.items[node + 1]; k++) {
			const struct flow_edge *e = &w->g->edges.items[w->g->in_edges.items[k]];
			uint32_t process = w->s.of[e->from];
			if (w->s.items[process].side != TRACE_NONE || w->s.items[process].kind != PICTURE_PROCESS || seen[process])
				continue;
			seen[process] = 1;
			if (u32_vector_append(out, process) < 0)
				return -1;
		}
	}
	return 0;
}

static int add_others(struct picture_work *w, uint32_t address, struct u32_vector *others)
{
	if (others->count == 1) {
		w->s.items[others->items[0]].marks |= MARK_SHOWN;
		return 0;
	}
	struct fold fold = {.anchor = address, .side = TRACE_NONE, .op = FLOW_CONNECT, .kind = PICTURE_PROCESS, .correlation = true};
	fold.members = *others;
	if (fold_vector_append(&w->folds.items, fold) < 0)
		return -1;
	for (size_t i = 0; i < others->count; i++)
		w->folds.of[others->items[i]] = (uint32_t)(w->folds.items.count - 1);
	*others = (struct u32_vector){0};
	return 0;
}

int picture_find_correlation(struct picture_work *w)
{
	size_t drawn = picture_count_drawn(w), taken = 0;
	struct u32_vector others = {0};
	uint8_t *seen = picture_allocate(w->p, (size_t)w->s.count + 1);
	int result = seen ? 0 : -1;
	for (size_t i = 0; i < w->t->order.count && result == 0 && taken < ADDRESSES_MAX && drawn < PICTURE_DRAWN_MAX; i++) {
		uint32_t address = w->s.of[w->t->order.items[i]];
		const struct subject *it = &w->s.items[address];
		if (it->best != w->t->order.items[i] || it->kind != PICTURE_ADDRESS || !(it->marks & MARK_SHOWN) || (it->marks & MARK_ALERT))
			continue;
		others.count = 0;
		result = find_others(w, address, seen, &others);
		if (result == 0 && others.count) {
			result = add_others(w, address, &others);
			drawn++;
			taken++;
		}
	}
	u32_vector_release(&others);
	return result;
}
