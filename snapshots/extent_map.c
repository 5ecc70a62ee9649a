// SPDX-License-Identifier: MIT
#include "snapshots/extent_map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// Fields apart, so that an extent takes 20 bytes and a search reads offsets only.
struct extent_leaf {
	uint64_t offsets[EXTENT_LEAF_ITEMS];
	uint64_t origins[EXTENT_LEAF_ITEMS]; // seq << 8 | type
	uint32_t lengths[EXTENT_LEAF_ITEMS];
	uint32_t count;
};

struct place { size_t leaf, item; };

void extent_map_release(struct extent_map *m)
{
	for (size_t i = 0; i < m->leaf_count; i++)
		free(m->leaves[i]);
	free(m->leaves);
	free(m->first_offsets);
	free(m->spare[0]);
	free(m->spare[1]);
	memset(m, 0, sizeof(*m));
}

size_t extent_map_bytes(const struct extent_map *m)
{
	size_t leaves = m->leaf_count + (m->spare[0] != NULL) + (m->spare[1] != NULL);

	return leaves * sizeof(struct extent_leaf) + m->leaf_capacity * (sizeof(*m->leaves) + sizeof(*m->first_offsets));
}

static uint64_t end_of(const struct extent_leaf *leaf, size_t item)
{
	return leaf->offsets[item] + leaf->lengths[item];
}

static struct extent get(const struct extent_leaf *leaf, size_t item)
{
	return (struct extent){.offset = leaf->offsets[item], .seq = leaf->origins[item] >> 8, .length = leaf->lengths[item],
			       .type = (uint8_t)leaf->origins[item]};
}

// The first extent that ends behind offset. It lies in the leaf where an extent at offset belongs, or first in the next one: then item
// is that leaf's count.
static struct place locate(const struct extent_map *m, uint64_t offset)
{
	size_t low = 0, high = m->leaf_count;

	while (low < high) { // leaves that begin at or before offset
		size_t middle = low + (high - low) / 2;
		if (m->first_offsets[middle] <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	struct place p = {.leaf = low > 0 ? low - 1 : 0};
	if (m->leaf_count == 0)
		return p;
	const struct extent_leaf *leaf = m->leaves[p.leaf];
	low = 0;
	high = leaf->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (end_of(leaf, middle) <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	p.item = low;
	return p;
}

// From "behind the last of a leaf" to the first of the next. false: there is none.
static bool settle(const struct extent_map *m, struct place *p)
{
	if (p->leaf < m->leaf_count && p->item == m->leaves[p->leaf]->count) {
		p->leaf++;
		p->item = 0;
	}
	return p->leaf < m->leaf_count;
}

struct piece extent_map_lookup(const struct extent_map *m, uint64_t offset, uint64_t length)
{
	struct piece piece = {.offset = offset, .length = length};
	struct place p = locate(m, offset);

	if (!settle(m, &p))
		return piece;
	struct extent e = get(m->leaves[p.leaf], p.item);
	if (e.offset > offset) {
		if (e.offset - offset < length)
			piece.length = e.offset - offset;
		return piece;
	}
	uint64_t rest = e.offset + e.length - offset;
	if (rest < length)
		piece.length = rest;
	piece.seq = e.seq;
	piece.type = e.type;
	return piece;
}

bool extent_map_next(const struct extent_map *m, struct extent_cursor *c, struct extent *ret)
{
	while (c->leaf < m->leaf_count && c->item >= m->leaves[c->leaf]->count) {
		c->leaf++;
		c->item = 0;
	}
	if (c->leaf >= m->leaf_count)
		return false;
	*ret = get(m->leaves[c->leaf], c->item++);
	return true;
}

// ---- changing

static int grow_directory(struct extent_map *m)
{
	size_t capacity = m->leaf_capacity ? m->leaf_capacity + m->leaf_capacity / 2 : 4;
	struct extent_leaf **leaves = realloc(m->leaves, capacity * sizeof(*leaves));

	if (!leaves)
		return -1;
	m->leaves = leaves;
	uint64_t *first_offsets = realloc(m->first_offsets, capacity * sizeof(*first_offsets));
	if (!first_offsets)
		return -1;
	m->first_offsets = first_offsets;
	m->leaf_capacity = capacity;
	return 0;
}

// Everything that an insert may need: it adds two extents at most, so it makes two leaves at most.
static int reserve(struct extent_map *m)
{
	while (m->leaf_count + 2 > m->leaf_capacity) {
		if (grow_directory(m) < 0)
			return -1;
	}
	for (size_t i = 0; i < 2; i++) {
		if (!m->spare[i] && !(m->spare[i] = malloc(sizeof(*m->spare[i]))))
			return -1;
	}
	return 0;
}

static struct extent_leaf *take_spare(struct extent_map *m)
{
	struct extent_leaf **spare = &m->spare[m->spare[0] ? 0 : 1];
	struct extent_leaf *leaf = *spare;

	assert(leaf);
	*spare = NULL;
	leaf->count = 0;
	return leaf;
}

static void directory_add(struct extent_map *m, size_t index, struct extent_leaf *leaf)
{
	assert(m->leaf_count < m->leaf_capacity);
	memmove(m->leaves + index + 1, m->leaves + index, (m->leaf_count - index) * sizeof(*m->leaves));
	memmove(m->first_offsets + index + 1, m->first_offsets + index, (m->leaf_count - index) * sizeof(*m->first_offsets));
	m->leaves[index] = leaf;
	m->leaf_count++;
}

static void directory_remove(struct extent_map *m, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		free(m->leaves[i]);
	memmove(m->leaves + from, m->leaves + to, (m->leaf_count - to) * sizeof(*m->leaves));
	memmove(m->first_offsets + from, m->first_offsets + to, (m->leaf_count - to) * sizeof(*m->first_offsets));
	m->leaf_count -= to - from;
}

// Items [from, from + count) of one leaf to another place, of the same leaf or of another.
static void move_items(struct extent_leaf *to, size_t to_item, const struct extent_leaf *from, size_t from_item, size_t count)
{
	memmove(to->offsets + to_item, from->offsets + from_item, count * sizeof(*to->offsets));
	memmove(to->origins + to_item, from->origins + from_item, count * sizeof(*to->origins));
	memmove(to->lengths + to_item, from->lengths + from_item, count * sizeof(*to->lengths));
}

static void leaf_put(struct extent_map *m, size_t index, size_t item, const struct extent *e)
{
	struct extent_leaf *leaf = m->leaves[index];

	assert(leaf->count < EXTENT_LEAF_ITEMS);
	move_items(leaf, item + 1, leaf, item, leaf->count - item);
	leaf->offsets[item] = e->offset;
	leaf->origins[item] = e->seq << 8 | e->type;
	leaf->lengths[item] = e->length;
	leaf->count++;
	m->first_offsets[index] = leaf->offsets[0];
	m->count++;
}

// Behind the last item of a full leaf: the next leaf takes it when it has room, else a new one, so that a sequential stream fills leaves.
static void put_behind_full(struct extent_map *m, size_t index, const struct extent *e)
{
	if (index + 1 == m->leaf_count || m->leaves[index + 1]->count == EXTENT_LEAF_ITEMS)
		directory_add(m, index + 1, take_spare(m));
	leaf_put(m, index + 1, 0, e);
}

static void split_leaf(struct extent_map *m, size_t index)
{
	struct extent_leaf *left = m->leaves[index], *right = take_spare(m);
	uint32_t kept = EXTENT_LEAF_ITEMS / 2;

	move_items(right, 0, left, kept, left->count - kept);
	right->count = left->count - kept;
	left->count = kept;
	directory_add(m, index + 1, right);
	m->first_offsets[index + 1] = right->offsets[0];
}

// e overlaps nothing.
static void put(struct extent_map *m, const struct extent *e)
{
	if (m->leaf_count == 0)
		directory_add(m, 0, take_spare(m));
	struct place p = locate(m, e->offset);
	if (m->leaves[p.leaf]->count < EXTENT_LEAF_ITEMS) {
		leaf_put(m, p.leaf, p.item, e);
	} else if (p.item == EXTENT_LEAF_ITEMS) {
		put_behind_full(m, p.leaf, e);
	} else {
		split_leaf(m, p.leaf);
		uint32_t kept = m->leaves[p.leaf]->count;
		if (p.item <= kept)
			leaf_put(m, p.leaf, p.item, e);
		else
			leaf_put(m, p.leaf + 1, p.item - kept, e);
	}
}

static void leaf_cut(struct extent_map *m, size_t index, size_t from, size_t to)
{
	struct extent_leaf *leaf = m->leaves[index];

	move_items(leaf, from, leaf, to, leaf->count - to);
	leaf->count -= (uint32_t)(to - from);
	m->count -= to - from;
	if (leaf->count > 0)
		m->first_offsets[index] = leaf->offsets[0];
}

// After a cut: no empty leaf, and no two neighbours that fit in half of one.
static void tidy(struct extent_map *m, size_t index)
{
	if (index < m->leaf_count && m->leaves[index]->count == 0)
		directory_remove(m, index, index + 1);
	if (index + 1 >= m->leaf_count)
		return;
	struct extent_leaf *left = m->leaves[index], *right = m->leaves[index + 1];
	if (left->count + right->count <= EXTENT_LEAF_ITEMS / 2) {
		move_items(left, left->count, right, 0, right->count);
		left->count += right->count;
		directory_remove(m, index + 1, index + 2);
	}
}

// Removes [from, to).
static void erase(struct extent_map *m, struct place from, struct place to)
{
	if (from.leaf == to.leaf) {
		leaf_cut(m, from.leaf, from.item, to.item);
	} else {
		leaf_cut(m, from.leaf, from.item, m->leaves[from.leaf]->count);
		if (to.leaf < m->leaf_count)
			leaf_cut(m, to.leaf, 0, to.item);
		for (size_t i = from.leaf + 1; i < to.leaf; i++)
			m->count -= m->leaves[i]->count;
		directory_remove(m, from.leaf + 1, to.leaf);
		if (from.leaf + 1 < m->leaf_count)
			tidy(m, from.leaf + 1);
	}
	tidy(m, from.leaf);
	if (from.leaf > 0)
		tidy(m, from.leaf - 1);
}

// Ends the extent at p where `offset` is; what lay behind `end` becomes an extent of its own. true: e's range had lain inside that extent.
static bool cut_end(struct extent_map *m, struct place p, uint64_t offset, uint64_t end)
{
	struct extent_leaf *leaf = m->leaves[p.leaf];
	struct extent whole = get(leaf, p.item);
	uint64_t whole_end = whole.offset + whole.length;

	leaf->lengths[p.item] = (uint32_t)(offset - whole.offset);
	if (whole_end <= end)
		return false;
	whole.offset = end;
	whole.length = (uint32_t)(whole_end - end);
	put(m, &whole);
	return true;
}

static void cut_begin(struct extent_map *m, struct place p, uint64_t end)
{
	struct extent_leaf *leaf = m->leaves[p.leaf];

	leaf->lengths[p.item] = (uint32_t)(end_of(leaf, p.item) - end);
	leaf->offsets[p.item] = end;
	if (p.item == 0)
		m->first_offsets[p.leaf] = end;
}

int extent_map_insert(struct extent_map *m, const struct extent *e)
{
	uint64_t end = e->offset + e->length;

	assert(e->length > 0 && end > e->offset);
	if (reserve(m) < 0)
		return -1;
	struct place from = locate(m, e->offset);
	if (settle(m, &from) && m->leaves[from.leaf]->offsets[from.item] < e->offset) {
		if (cut_end(m, from, e->offset, end)) {
			put(m, e);
			return 0;
		}
		from.item++;
	}
	if (settle(m, &from) && m->leaves[from.leaf]->offsets[from.item] < end) {
		struct place to = locate(m, end);
		if (settle(m, &to) && m->leaves[to.leaf]->offsets[to.item] < end)
			cut_begin(m, to, end);
		erase(m, from, to);
	}
	put(m, e);
	return 0;
}
