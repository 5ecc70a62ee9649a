// SPDX-License-Identifier: MIT
#include "snapshots/fs_watches.h"

#include <stdlib.h>
#include <string.h>

#define LEAF_ITEMS 127u // of 32 bytes: a leaf is a page of memory

struct item { uint64_t from, to, reach; uint32_t owner; }; // reach: the largest `to` of this leaf up to here
struct fs_watches_leaf { size_t count; struct item items[LEAF_ITEMS]; };

static int compare_ranges(const void *a, const void *b)
{
	const struct fs_range *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

void fs_ranges_unite(struct fs_ranges *r)
{
	size_t kept = 0;
	bool sorted = true;

	for (size_t i = 1; i < r->count && sorted; i++)
		sorted = r->items[i - 1].from <= r->items[i].from;
	if (!sorted)
		qsort(r->items, r->count, sizeof(*r->items), compare_ranges);
	for (size_t i = 1; i < r->count; i++) {
		struct fs_range *last = &r->items[kept], next = r->items[i];

		if (next.from > last->to)
			r->items[++kept] = next;
		else if (next.to > last->to)
			last->to = next.to;
	}
	if (r->count > 0)
		r->count = kept + 1;
}

void fs_watches_release(struct fs_watches *w)
{
	for (size_t i = 0; i < w->leaf_count; i++)
		free(w->leaves[i]);
	free(w->leaves);
	free(w->reach);
	for (size_t i = 0; i < w->owner_count; i++)
		fs_ranges_release(&w->owned[i]);
	free(w->owned);
	*w = (struct fs_watches){0};
}

// ---- the leaves

static bool item_before(const struct item *a, const struct item *b)
{
	if (a->from != b->from)
		return a->from < b->from;
	return a->owner < b->owner; // an owner's ranges are disjoint: no two begin at one place
}

// The leaf that holds the item, or would: the last one that does not begin behind it.
static size_t leaf_of(const struct fs_watches *w, const struct item *item)
{
	size_t low = 0, high = w->leaf_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (item_before(item, &w->leaves[middle]->items[0]))
			high = middle;
		else
			low = middle;
	}
	return low;
}

static size_t place_of(const struct fs_watches_leaf *leaf, const struct item *item) // the first that is not before it
{
	size_t low = 0, high = leaf->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (item_before(&leaf->items[middle], item))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void tell_reach(struct fs_watches *w, size_t leaf, size_t item)
{
	struct fs_watches_leaf *l = w->leaves[leaf];

	for (size_t i = item; i < l->count; i++) {
		uint64_t before = i > 0 ? l->items[i - 1].reach : 0;

		l->items[i].reach = l->items[i].to > before ? l->items[i].to : before;
	}
	for (size_t i = leaf; i < w->leaf_count; i++) {
		uint64_t before = i > 0 ? w->reach[i - 1] : 0, own = w->leaves[i]->items[w->leaves[i]->count - 1].reach;
		uint64_t reach = own > before ? own : before;

		if (i > leaf && w->reach[i] == reach)
			break; // and so are those behind it
		w->reach[i] = reach;
	}
}

// Room for one leaf more, at `at`.
static struct fs_watches_leaf *open_leaf(struct fs_watches *w, size_t at)
{
	struct fs_watches_leaf *leaf = malloc(sizeof(*leaf));

	if (leaf && w->leaf_count == w->leaf_capacity) {
		size_t capacity = w->leaf_capacity ? 2 * w->leaf_capacity : 16;
		struct fs_watches_leaf **leaves = realloc(w->leaves, capacity * sizeof(*leaves));
		uint64_t *reach = leaves ? realloc(w->reach, capacity * sizeof(*reach)) : NULL;

		w->leaves = leaves ? leaves : w->leaves;
		w->reach = reach ? reach : w->reach;
		if (!reach) {
			free(leaf);
			return NULL;
		}
		w->leaf_capacity = capacity;
	}
	if (!leaf)
		return NULL;
	memmove(w->leaves + at + 1, w->leaves + at, (w->leaf_count - at) * sizeof(struct fs_watches_leaf *));
	memmove(w->reach + at + 1, w->reach + at, (w->leaf_count - at) * sizeof(*w->reach));
	w->leaves[at] = leaf;
	w->leaf_count++;
	leaf->count = 0;
	return leaf;
}

static int insert(struct fs_watches *w, const struct item *item)
{
	if (w->leaf_count == 0 && !open_leaf(w, 0))
		return -1;
	size_t at = leaf_of(w, item);
	struct fs_watches_leaf *leaf = w->leaves[at];

	if (leaf->count == LEAF_ITEMS) {
		struct fs_watches_leaf *half = open_leaf(w, at + 1);

		if (!half)
			return -1;
		half->count = LEAF_ITEMS / 2;
		leaf->count -= half->count;
		memcpy(half->items, leaf->items + leaf->count, half->count * sizeof(*half->items));
		tell_reach(w, at + 1, 0);
		tell_reach(w, at, leaf->count);
		if (!item_before(item, &half->items[0]))
			leaf = w->leaves[++at];
	}
	size_t place = place_of(leaf, item);

	memmove(leaf->items + place + 1, leaf->items + place, (leaf->count - place) * sizeof(*leaf->items));
	leaf->items[place] = *item;
	leaf->count++;
	w->count++;
	tell_reach(w, at, place);
	return 0;
}

static void take_out(struct fs_watches *w, const struct item *item)
{
	size_t at = leaf_of(w, item);
	struct fs_watches_leaf *leaf = w->leaves[at];
	size_t place = place_of(leaf, item);

	memmove(leaf->items + place, leaf->items + place + 1, (leaf->count - place - 1) * sizeof(*leaf->items));
	leaf->count--;
	w->count--;
	if (leaf->count == 0) {
		free(leaf);
		w->leaf_count--;
		memmove(w->leaves + at, w->leaves + at + 1, (w->leaf_count - at) * sizeof(struct fs_watches_leaf *));
		memmove(w->reach + at, w->reach + at + 1, (w->leaf_count - at) * sizeof(*w->reach));
		place = SIZE_MAX; // no item of what follows changed
	}
	if (at < w->leaf_count)
		tell_reach(w, at, place);
}

// ---- from outside

static struct fs_ranges *owned_by(struct fs_watches *w, uint32_t owner)
{
	if (owner >= w->owner_count) {
		size_t count = (size_t)owner + 1 + owner / 2;
		struct fs_ranges *grown = realloc(w->owned, count * sizeof(*grown));

		if (!grown)
			return NULL;
		memset(grown + w->owner_count, 0, (count - w->owner_count) * sizeof(*grown));
		w->owned = grown;
		w->owner_count = count;
	}
	return &w->owned[owner];
}

int fs_watches_set(struct fs_watches *w, uint32_t owner, struct fs_ranges *ranges, struct error *err)
{
	struct fs_ranges *old = owned_by(w, owner);
	size_t i = 0, k = 0;
	bool room = old != NULL;

	fs_ranges_unite(ranges);
	if (!room || fs_ranges_reserve(old, ranges->count) < 0)
		return error_set(err, "out of memory");
	// Both are sorted: what stands in both stays where it is. An owner has no two ranges with one beginning, so what goes goes first.
	for (; room && (i < old->count || k < ranges->count);) {
		const struct fs_range *gone = i < old->count ? &old->items[i] : NULL, *come = k < ranges->count ? &ranges->items[k] : NULL;

		if (gone && come && gone->from == come->from && gone->to == come->to) {
			i++;
			k++;
		} else if (gone && (!come || gone->from <= come->from)) {
			take_out(w, &(struct item){.from = gone->from, .owner = owner});
			i++;
		} else {
			room = insert(w, &(struct item){.from = come->from, .to = come->to, .owner = owner}) == 0;
			k++;
		}
	}
	if (ranges->count > 0)
		memcpy(old->items, ranges->items, ranges->count * sizeof(*old->items));
	old->count = ranges->count;
	return room ? 0 : error_set(err, "out of memory");
}

struct fs_watches_at fs_watches_find(const struct fs_watches *w, uint64_t from)
{
	struct fs_watches_at at = {0};
	size_t high = w->leaf_count;

	while (at.leaf < high) { // the first leaf with something that ends behind `from`
		size_t middle = at.leaf + (high - at.leaf) / 2;

		if (w->reach[middle] <= from)
			at.leaf = middle + 1;
		else
			high = middle;
	}
	if (at.leaf == w->leaf_count)
		return at;
	const struct fs_watches_leaf *leaf = w->leaves[at.leaf];

	for (high = leaf->count; at.item < high;) {
		size_t middle = at.item + (high - at.item) / 2;

		if (leaf->items[middle].reach <= from)
			at.item = middle + 1;
		else
			high = middle;
	}
	return at;
}

bool fs_watches_next(const struct fs_watches *w, struct fs_watches_at *at, uint64_t from, uint64_t to, struct fs_range *ret, uint32_t *ret_owner)
{
	for (; at->leaf < w->leaf_count; at->leaf++, at->item = 0) {
		const struct fs_watches_leaf *leaf = w->leaves[at->leaf];

		if (leaf->items[0].from >= to)
			return false;
		if (leaf->items[leaf->count - 1].reach <= from)
			continue; // a long range before it made us begin so early
		for (; at->item < leaf->count; at->item++) {
			const struct item *item = &leaf->items[at->item];

			if (item->from >= to)
				return false;
			if (item->to <= from)
				continue;
			*ret = (struct fs_range){item->from, item->to};
			*ret_owner = item->owner;
			at->item++;
			return true;
		}
	}
	return false;
}
