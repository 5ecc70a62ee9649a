// SPDX-License-Identifier: MIT
#include "graph/fold.h"

#include "base/nanotime.h"
#include "base/text.h"
#include "graph/label.h"
#include "graph/persistence.h"

#include <stdlib.h>
#include <string.h>

// --- siblings

#define MARKED (MARK_DROPPED | MARK_PERSISTS | MARK_CLEANED | MARK_REMOVED | MARK_PRIVILEGE | MARK_KERNEL)
#define NEVER_SIBLINGS (MARK_PATH | MARK_LINE | MARK_LOGIN_PEER | MARK_CHOKE | MARK_ALERT)

struct sibling_key {
	uint32_t next;
	uint8_t op, kind, side;
	bool marked, library;
	struct label_span name; // a file's folder, a process's program
};

static bool sibling_key_of(const struct subjects *s, uint32_t subject, struct sibling_key *ret)
{
	const struct subject *it = &s->items[subject];
	uint32_t edge = GRAPH_NONE;
	if (!subjects_wanted(it) || (it->marks & NEVER_SIBLINGS))
		return false;
	uint32_t next = subjects_next(s, subject, &edge);
	if (next == GRAPH_NONE)
		return false;
	*ret = (struct sibling_key){.next = next, .op = s->graph->edges.items[edge].op, .kind = it->kind, .side = it->side,
				    .marked = (it->marks & MARKED) != 0};
	if (it->kind == PICTURE_FILE) {
		uint32_t name = file_name_at(subjects_file(s, subject), NANOTIME_NONE);
		const char *base;
		size_t base_length;
		ret->name.bytes = intern_string(s->graph->strings, name);
		size_t length = intern_length(s->graph->strings, name);
		if (!(it->marks & MARK_WRITTEN) && persistence_is_library(ret->name.bytes, length))
			ret->library = true; // whatever their folder: the loader opened them
		else
			text_split_path(ret->name.bytes, length, &base, &base_length, &ret->name.length);
	} else if (it->kind == PICTURE_PROCESS) {
		ret->name = label_program(s->graph, subjects_segment(s, subject));
	} else if (it->kind != PICTURE_ADDRESS) {
		return false;
	}
	return true;
}

// Names with every run of digits as one '0', so that /proc/17 and /proc/18 are one class of folder. Steps to the next character.
static char class_character(struct label_span name, size_t *at)
{
	char c = name.bytes[(*at)++];
	if (c < '0' || c > '9')
		return c;
	while (*at < name.length && name.bytes[*at] >= '0' && name.bytes[*at] <= '9')
		++*at;
	return '0';
}

static bool same_class(struct label_span a, struct label_span b)
{
	size_t i = 0, k = 0;
	while (i < a.length && k < b.length)
		if (class_character(a, &i) != class_character(b, &k))
			return false;
	return i == a.length && k == b.length;
}

static bool same_key(const struct sibling_key *a, const struct sibling_key *b)
{
	return a->next == b->next && a->op == b->op && a->kind == b->kind && a->side == b->side && a->marked == b->marked &&
	       a->library == b->library && (a->library || same_class(a->name, b->name));
}

static uint64_t hash_key(const struct sibling_key *k)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ k->next;
	h = h * UINT64_C(0x100000001b3) ^ (uint64_t)(k->op << 16 | k->kind << 8 | k->side << 1 | k->marked);
	for (size_t i = 0; !k->library && i < k->name.length;)
		h = (h ^ (unsigned char)class_character(k->name, &i)) * UINT64_C(0x100000001b3);
	return (h ^ h >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
}

// Open addressing, never iterated in its own order: groups are numbered by their first member.
struct sibling_group { struct sibling_key key; uint32_t first, count, fold; };
VECTOR_DEFINE(group_vector, struct sibling_group)

static size_t table_size(uint32_t count)
{
	size_t size = 64;
	while (size < 2 * (size_t)count)
		size *= 2;
	return size;
}

static int group_siblings(const struct subjects *s, struct group_vector *groups, uint32_t *group_of)
{
	size_t size = table_size(s->count);
	uint32_t *table = malloc(size * sizeof(*table));
	if (!table)
		return -1;
	memset(table, 0xff, size * sizeof(*table)); // GRAPH_NONE
	int result = 0;
	for (uint32_t i = 0; i < s->count && result == 0; i++) {
		struct sibling_key key;
		group_of[i] = GRAPH_NONE;
		if (!sibling_key_of(s, i, &key))
			continue;
		size_t slot = (size_t)(hash_key(&key) >> 7) & (size - 1);
		while (table[slot] != GRAPH_NONE && !same_key(&key, &groups->items[table[slot]].key))
			slot = (slot + 1) & (size - 1);
		if (table[slot] == GRAPH_NONE) {
			table[slot] = (uint32_t)groups->count;
			result = group_vector_append(groups, (struct sibling_group){.key = key, .first = i, .fold = GRAPH_NONE});
		}
		if (result == 0) {
			groups->items[table[slot]].count++;
			group_of[i] = table[slot];
		}
	}
	free(table);
	return result;
}

static int add_fold(struct folds *f, const struct subjects *s, const struct sibling_group *g, uint32_t *ret_fold)
{
	uint32_t edge = GRAPH_NONE;
	struct fold fold = {.siblings = true, .side = s->items[g->first].side, .kind = s->items[g->first].kind};
	fold.anchor = subjects_next(s, g->first, &edge);
	fold.op = s->graph->edges.items[edge].op;
	*ret_fold = (uint32_t)f->items.count;
	return fold_vector_append(&f->items, fold);
}

// Members are added in order of rank, so that the first one tells the fold's own rank.
static int fill_siblings(struct folds *f, const struct subjects *s, struct group_vector *groups, const uint32_t *group_of)
{
	const struct u32_vector *order = &s->trace->order;
	for (size_t i = 0; i < order->count; i++) {
		uint32_t subject = s->of[order->items[i]];
		if (s->items[subject].best != order->items[i] || group_of[subject] == GRAPH_NONE)
			continue;
		struct sibling_group *g = &groups->items[group_of[subject]];
		uint32_t needed = s->items[subject].marks & MARKED ? FOLD_SIBLINGS_MARKED : g->key.library ? FOLD_LIBRARIES : FOLD_SIBLINGS;
		if (g->count < needed)
			continue;
		if (g->fold == GRAPH_NONE && add_fold(f, s, g, &g->fold) < 0)
			return -1;
		f->of[subject] = g->fold;
		if (u32_vector_append(&f->items.items[g->fold].members, subject) < 0)
			return -1;
	}
	return 0;
}

int folds_init(const struct subjects *s, struct folds *ret, struct error *err)
{
	struct folds f = {0};
	struct group_vector groups = {0};
	uint32_t *group_of = malloc(((size_t)s->count + 1) * sizeof(*group_of));
	f.of = malloc(((size_t)s->count + 1) * sizeof(*f.of));
	int result = group_of && f.of ? 0 : -1;
	if (result == 0) {
		memset(f.of, 0xff, ((size_t)s->count + 1) * sizeof(*f.of)); // GRAPH_NONE
		result = group_siblings(s, &groups, group_of);
	}
	if (result == 0)
		result = fill_siblings(&f, s, &groups, group_of);
	group_vector_release(&groups);
	free(group_of);
	if (result < 0) {
		folds_release(&f);
		return error_set(err, "folding %u nodes: out of memory", s->count);
	}
	*ret = f;
	return 0;
}

void folds_release(struct folds *f)
{
	for (size_t i = 0; i < f->items.count; i++)
		u32_vector_release(&f->items.items[i].members);
	fold_vector_release(&f->items);
	free(f->of);
	memset(f, 0, sizeof(*f));
}

// --- the remainder

#define REMAINDER_CACHE 1024

struct gatherer {
	struct folds *f;
	struct subjects *s;
	uint32_t *anchor;         // per subject; GRAPH_NONE not known yet
	struct u32_vector walked;
	uint32_t last_anchor;
	uint32_t cached[REMAINDER_CACHE]; // fold by (anchor, kind, side); checked when used
};

#define ANCHOR_BUSY (UINT32_MAX - 1) /* on the walk just now: a ring would end here */

static uint32_t anchor_here(const struct gatherer *g, uint32_t subject)
{
	return g->s->items[subject].marks & MARK_SHOWN ? subject : g->anchor[subject];
}

// The nearest shown subject on the best path. No recursion: chains can be 10^5 long.
static int find_anchor(struct gatherer *g, uint32_t subject)
{
	uint32_t at = subject, found;
	g->walked.count = 0;
	for (;;) {
		found = anchor_here(g, at);
		if (found == ANCHOR_BUSY)
			found = g->last_anchor;
		if (found != GRAPH_NONE)
			break;
		g->anchor[at] = ANCHOR_BUSY;
		if (u32_vector_append(&g->walked, at) < 0)
			return -1;
		at = subjects_next(g->s, at, NULL);
		if (at == GRAPH_NONE) {
			found = g->last_anchor;
			break;
		}
	}
	for (size_t i = 0; i < g->walked.count; i++)
		g->anchor[g->walked.items[i]] = found;
	return 0;
}

static bool is_remainder(const struct gatherer *g, size_t fold, uint32_t anchor, uint8_t kind, uint8_t side)
{
	const struct fold *f = &g->f->items.items[fold];
	return f->anchor == anchor && f->kind == kind && f->side == side;
}

static uint32_t remainder_fold(struct gatherer *g, uint32_t anchor, uint8_t kind, uint8_t side, size_t first)
{
	uint32_t *cached = &g->cached[(anchor * 31u + kind * 7u + side) % REMAINDER_CACHE];
	if (*cached >= first && *cached < g->f->items.count && is_remainder(g, *cached, anchor, kind, side))
		return *cached;
	for (size_t i = first; i < g->f->items.count; i++)
		if (is_remainder(g, i, anchor, kind, side))
			return *cached = (uint32_t)i;
	struct fold fold = {.anchor = anchor, .kind = kind, .side = side, .op = FLOW_COUNT};
	if (fold_vector_append(&g->f->items, fold) < 0)
		return GRAPH_NONE;
	return *cached = (uint32_t)(g->f->items.count - 1);
}

// A fold's flow is named only if all its members have it with the anchor itself.
static void note_flow(struct gatherer *g, struct fold *fold, uint32_t subject)
{
	uint32_t edge = GRAPH_NONE, next = subjects_next(g->s, subject, &edge);
	uint8_t op = next == fold->anchor && edge != GRAPH_NONE ? g->s->graph->edges.items[edge].op : FLOW_COUNT;
	fold->op = fold->members.count == 0 || fold->op == op ? op : FLOW_COUNT;
}

static int add_remainder(struct gatherer *g, uint32_t subject, size_t first)
{
	if (find_anchor(g, subject) < 0)
		return -1;
	const struct subject *it = &g->s->items[subject];
	uint8_t side = it->side == TRACE_EFFECT ? TRACE_EFFECT : TRACE_CAUSE;
	uint32_t fold = remainder_fold(g, anchor_here(g, subject), it->kind, side, first);
	if (fold == GRAPH_NONE)
		return -1;
	struct fold *f = &g->f->items.items[fold];
	note_flow(g, f, subject);
	g->f->of[subject] = fold;
	return u32_vector_append(&f->members, subject);
}

// Sibling groups that did not win a place lose their members to the remainder; shown subjects leave their groups.
static int drop_unchosen(struct folds *f, const struct subjects *s)
{
	size_t kept = 0;
	for (size_t i = 0; i < f->items.count; i++) {
		struct fold fold = f->items.items[i];
		size_t members = 0;
		for (size_t k = 0; k < fold.members.count; k++) {
			uint32_t subject = fold.members.items[k];
			f->of[subject] = GRAPH_NONE;
			if (fold.chosen && !(s->items[subject].marks & MARK_SHOWN)) {
				f->of[subject] = (uint32_t)kept;
				fold.members.items[members++] = subject;
			}
		}
		fold.members.count = members;
		if (members == 0)
			u32_vector_release(&fold.members);
		else
			f->items.items[kept++] = fold;
	}
	f->items.count = kept;
	return 0;
}

static int merge_into(struct folds *f, size_t from, size_t to)
{
	struct fold *a = &f->items.items[to], *b = &f->items.items[from];
	for (size_t i = 0; i < b->members.count; i++) {
		f->of[b->members.items[i]] = (uint32_t)to;
		if (u32_vector_append(&a->members, b->members.items[i]) < 0)
			return -1;
	}
	a->kind = a->kind == b->kind ? a->kind : PICTURE_FOLD;
	a->op = a->op == b->op && a->anchor == b->anchor ? a->op : FLOW_COUNT;
	u32_vector_release(&b->members);
	*b = f->items.items[--f->items.count];
	if (from < f->items.count)
		for (size_t i = 0; i < b->members.count; i++)
			f->of[b->members.items[i]] = (uint32_t)from;
	return 0;
}

// Where the smallest remainder goes: same anchor and side, whatever kind; else the same side at the next shown subject on
// the anchor's path; else the last anchor's.
static size_t merge_target(struct gatherer *g, size_t smallest, size_t first)
{
	const struct fold *fold = &g->f->items.items[smallest];
	uint32_t anchor = fold->anchor;
	for (int hop = 0; hop < 64; hop++) {
		for (size_t i = first; i < g->f->items.count; i++) {
			const struct fold *other = &g->f->items.items[i];
			if (i != smallest && other->anchor == anchor && other->side == fold->side)
				return i;
		}
		uint32_t next = subjects_next(g->s, anchor, NULL);
		if (next == GRAPH_NONE || find_anchor(g, next) < 0)
			break;
		anchor = anchor_here(g, next);
	}
	for (size_t i = first; i < g->f->items.count; i++)
		if (i != smallest && g->f->items.items[i].side == fold->side)
			return i;
	return smallest == first ? first + 1 : first;
}

static int merge_smallest(struct gatherer *g, size_t first)
{
	size_t smallest = first;
	for (size_t i = first + 1; i < g->f->items.count; i++)
		if (g->f->items.items[i].members.count <= g->f->items.items[smallest].members.count)
			smallest = i;
	size_t to = merge_target(g, smallest, first);
	// The one whose anchor is nearer to the contact keeps its place.
	if (g->s->items[g->f->items.items[smallest].anchor].rank < g->s->items[g->f->items.items[to].anchor].rank) {
		size_t swapped = smallest;
		smallest = to;
		to = swapped;
	}
	return merge_into(g->f, smallest, to);
}

// A fold of one is drawn as what it is: it takes the same room and says more.
static void show_single_members(struct gatherer *g)
{
	for (size_t i = 0; i < g->f->items.count;) {
		struct fold *f = &g->f->items.items[i];
		uint32_t subject = f->members.count ? f->members.items[0] : GRAPH_NONE;
		bool joined = f->members.count == 1 && subjects_next(g->s, subject, NULL) == f->anchor;
		if (!joined) {
			i++;
			continue;
		}
		g->s->items[subject].marks |= MARK_SHOWN;
		g->f->of[subject] = GRAPH_NONE;
		u32_vector_release(&f->members);
		*f = g->f->items.items[--g->f->items.count];
		if (i < g->f->items.count)
			for (size_t k = 0; k < f->members.count; k++)
				g->f->of[f->members.items[k]] = (uint32_t)i;
	}
}

// A pipe is never drawn: it goes where the next subject on its way went.
static void fold_pipes(struct folds *f, const struct subjects *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		if (!s->items[i].pipe || s->items[i].side == TRACE_NONE)
			continue;
		uint32_t next = subjects_next(s, i, NULL);
		f->of[i] = next == GRAPH_NONE ? GRAPH_NONE : f->of[next];
	}
}

// Members by rank: merging has mixed them.
static int order_members(struct folds *f, const struct subjects *s)
{
	for (size_t i = 0; i < f->items.count; i++)
		f->items.items[i].members.count = 0;
	for (size_t i = 0; i < s->trace->order.count; i++) {
		uint32_t node = s->trace->order.items[i], subject = s->of[node];
		if (s->items[subject].best == node && f->of[subject] != GRAPH_NONE &&
		    u32_vector_append(&f->items.items[f->of[subject]].members, subject) < 0)
			return -1;
	}
	return 0;
}

int folds_gather(struct folds *f, struct subjects *s, size_t room, uint32_t last_anchor, struct error *err)
{
	struct gatherer g = {.f = f, .s = s, .last_anchor = last_anchor};
	g.anchor = malloc(((size_t)s->count + 1) * sizeof(*g.anchor));
	int result = g.anchor ? drop_unchosen(f, s) : -1;
	if (result == 0)
		memset(g.anchor, 0xff, ((size_t)s->count + 1) * sizeof(*g.anchor)); // GRAPH_NONE
	size_t first = f->items.count;
	for (uint32_t i = 0; i < s->count && result == 0; i++)
		if (subjects_wanted(&s->items[i]) && !(s->items[i].marks & MARK_SHOWN) && f->of[i] == GRAPH_NONE)
			result = add_remainder(&g, i, first);
	while (result == 0 && f->items.count - first > (room ? room : 1))
		result = merge_smallest(&g, first);
	if (result == 0)
		show_single_members(&g);
	if (result == 0) {
		fold_pipes(f, s);
		result = order_members(f, s);
	}
	free(g.anchor);
	u32_vector_release(&g.walked);
	return result < 0 ? error_set(err, "folding %u nodes: out of memory", s->count) : 0;
}
