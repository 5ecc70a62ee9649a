// SPDX-License-Identifier: MIT
// Trees: a login session, or a service below the first process. How common a file is counts trees and not processes, so that nobody
// makes a stage common by running it 3,000 times.
#include "graph/build.h"

#include <stdlib.h>

struct tree { uint32_t realm, session, top; }; // session, or the topmost process of a service
VECTOR_DEFINE(tree_vector, struct tree)
struct trees { struct tree_vector list; struct table table; };

static uint32_t tree_of(struct graph_builder *b, struct trees *t, struct tree key)
{
	uint32_t hash = table_hash(&t->table, (uint64_t)key.realm << 32 | key.session, key.top), item;
	for (size_t cursor = 0; (item = table_next(&t->table, hash, &cursor)) != TABLE_NONE;) {
		const struct tree *known = &t->list.items[item];
		if (known->realm == key.realm && known->session == key.session && known->top == key.top)
			return item;
	}
	if (tree_vector_append(&t->list, key) < 0 || table_add(&t->table, hash, (uint32_t)(t->list.count - 1)) < 0) {
		b->failed = true;
		return 0;
	}
	return (uint32_t)(t->list.count - 1);
}

// The last process on the way up that is not the first of its host (nor kthreadd).
static uint32_t top_of(const struct graph_builder *b, uint32_t *tops, uint32_t process)
{
	uint32_t top = process;
	while (tops[top] == GRAPH_NONE) {
		uint32_t parent = b->g->processes.items[top].parent;
		if (parent == GRAPH_NONE || b->g->processes.items[parent].pid <= 2)
			break;
		top = parent;
	}
	if (tops[top] != GRAPH_NONE)
		top = tops[top];
	for (uint32_t p = process; p != top && tops[p] == GRAPH_NONE; p = b->g->processes.items[p].parent)
		tops[p] = top; // so that a chain of n processes costs n
	tops[top] = top;
	return top;
}

void trees_settle(struct graph_builder *b)
{
	struct trees t = {0};
	uint32_t *tops = malloc((b->g->processes.count + 1) * sizeof(*tops));
	table_init(&t.table);
	if (!tops) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < b->g->processes.count; i++)
		tops[i] = GRAPH_NONE;
	for (uint32_t i = 0; i < b->g->processes.count; i++) {
		struct process *p = &b->g->processes.items[i];
		struct tree key = {.realm = b->process_states.items[i].realm, .session = p->session, .top = GRAPH_NONE};
		if (p->session == EVENT_ID_UNSET)
			key.top = top_of(b, tops, i);
		p->tree = tree_of(b, &t, key);
	}
	b->g->trees = (uint32_t)t.list.count;
	free(tops);
	tree_vector_release(&t.list);
	table_release(&t.table);
}

// Distinct trees at one side of a file's versions. `mark[tree]` is the last file that counted it.
static uint32_t count_side(const struct graph *g, const struct file *f, const struct u32_vector *start, const struct u32_vector *list, bool other_is_to,
			   uint32_t *mark, uint32_t stamp)
{
	uint32_t count = 0;
	for (size_t v = 0; v < f->versions.count; v++) {
		uint32_t node = f->versions.items[v];
		for (uint32_t i = start->items[node]; i < start->items[node + 1]; i++) {
			const struct flow_edge *e = &g->edges.items[list->items[i]];
			const struct segment *s = graph_segment_of(g, other_is_to ? e->to : e->from);
			uint32_t tree = s ? g->processes.items[s->process].tree : GRAPH_NONE;
			if (tree != GRAPH_NONE && mark[tree] != stamp) {
				mark[tree] = stamp;
				count++;
			}
		}
	}
	return count;
}

void trees_count(struct graph_builder *b)
{
	struct graph *g = b->g;
	uint32_t *mark = calloc(g->trees + 1, sizeof(*mark));
	if (!mark) {
		b->failed = true;
		return;
	}
	for (uint32_t i = 0; i < g->files.count; i++) {
		struct file *f = &g->files.items[i];
		f->readers_trees = count_side(g, f, &g->out_start, &g->out_edges, true, mark, i + 1);
		f->accessors_trees = f->readers_trees + count_side(g, f, &g->in_start, &g->in_edges, false, mark, i + 1);
	}
	free(mark);
}
