// SPDX-License-Identifier: MIT
#include "graph/search.h"

#include "base/nanotime.h"
#include "graph/trace.h"

#include <stdlib.h>
#include <string.h>

// --- heap of labels: keys are cost << 32 | index, so that equal costs come in the order in which they were pushed

static bool better_time(const struct search *s, uint64_t a, uint64_t b)
{
	return s->forward ? a < b : a > b;
}

#define HEAP_WAYS 4 /* shallower than a binary heap, and the children of a node share a cache line */

static int heap_push(struct search *s, uint64_t key)
{
	if (u64_vector_append(&s->heap, key) < 0)
		return -1;
	uint64_t *h = s->heap.items;
	size_t i = s->heap.count - 1;
	while (i > 0 && key < h[(i - 1) / HEAP_WAYS]) {
		h[i] = h[(i - 1) / HEAP_WAYS];
		i = (i - 1) / HEAP_WAYS;
	}
	h[i] = key;
	return 0;
}

static uint32_t heap_pop(struct search *s)
{
	uint64_t *h = s->heap.items, top = h[0], last = h[--s->heap.count];
	size_t i = 0, n = s->heap.count;
	for (size_t child = 1; child < n; child = HEAP_WAYS * i + 1) {
		size_t least = child, end = child + HEAP_WAYS < n ? child + HEAP_WAYS : n;
		for (size_t c = child + 1; c < end; c++)
			if (h[c] < h[least])
				least = c;
		if (h[least] >= last)
			break;
		h[i] = h[least];
		i = least;
	}
	if (n)
		h[i] = last;
	return (uint32_t)top;
}

// What an ancestor of the contact started besides is half as telling for each generation between (-ln 0.5, in micro-units): a shell's
// other commands, then a session's other shells, then a daemon's other sessions.
#define GENERATION_COST 693147u

// --- the search

int search_init(struct search *s, const struct graph *g, struct label_vector *labels, bool forward)
{
	size_t n = g->nodes.count + 1;
	s->g = g;
	s->labels = labels;
	s->forward = forward;
	s->best_time = malloc(n * sizeof(*s->best_time));
	s->first_label = malloc(n * sizeof(*s->first_label));
	if (!s->best_time || !s->first_label)
		return -1;
	memset(s->first_label, 0xff, n * sizeof(*s->first_label)); // GRAPH_NONE
	return 0;
}

void search_release(struct search *s)
{
	u64_vector_release(&s->heap);
	free(s->best_time);
	free(s->first_label);
}

static uint32_t add_cost(uint32_t a, uint32_t b)
{
	return a + (uint64_t)b >= TRACE_COST_UNREACHED ? TRACE_COST_UNREACHED - 1 : a + b;
}

// Dominated: something at least as cheap was popped there with a time at least as good.
static bool dominated(const struct search *s, uint32_t node, uint64_t time)
{
	return s->first_label[node] != GRAPH_NONE && !better_time(s, time, s->best_time[node]);
}

int search_push(struct search *s, struct label label)
{
	if (dominated(s, label.node, label.time))
		return 0;
	if (label_vector_append(s->labels, label) < 0)
		return -1;
	return heap_push(s, (uint64_t)label.cost << 32 | (s->labels->count - 1));
}

static bool is_sink(const struct graph *g, uint32_t node)
{
	const struct file *f = graph_file_of(g, node);
	return f && f->sink;
}

static int relax_backward(struct search *s, uint32_t from_label)
{
	const struct label at = s->labels->items[from_label];
	const struct graph *g = s->g;
	for (uint32_t i = g->in_start.items[at.node]; i < g->in_start.items[at.node + 1]; i++) {
		uint32_t edge = g->in_edges.items[i];
		const struct flow_edge *e = &g->edges.items[edge];
		if (e->start_ns > at.time)
			break; // edges of a node are in order of start
		s->edges_walked++;
		if (e->failed || flow_is_effect_only(e->op))
			continue;
		struct label next = {.node = e->from, .edge = edge, .parent = from_label, .sent = at.sent};
		next.time = e->end_ns < at.time ? e->end_ns : at.time;
		next.cost = s->free_edge[edge] ? at.cost : add_cost(at.cost, s->edge_costs[edge]);
		next.line_cost = add_cost(at.line_cost, s->edge_costs[edge]);
		if (s->free_edge[edge] && e->op == FLOW_FORK)
			next.line_cost = add_cost(next.line_cost, GENERATION_COST);
		if (search_push(s, next) < 0)
			return -1;
	}
	return 0;
}

static int relax_forward(struct search *s, uint32_t from_label)
{
	const struct label at = s->labels->items[from_label];
	const struct graph *g = s->g;
	if (at.terminal)
		return 0;
	for (uint32_t i = g->out_start.items[at.node]; i < g->out_start.items[at.node + 1]; i++) {
		uint32_t edge = g->out_edges.items[i];
		const struct flow_edge *e = &g->edges.items[edge];
		s->edges_walked++;
		if (e->end_ns < at.time)
			continue;
		struct label next = {.node = e->to, .edge = edge, .parent = from_label};
		next.time = e->start_ns > at.time ? e->start_ns : at.time;
		next.cost = add_cost(at.cost, s->edge_costs[edge]);
		next.terminal = e->failed || flow_is_effect_only(e->op);
		if (search_push(s, next) < 0)
			return -1;
	}
	return 0;
}

int search_run(struct search *s)
{
	while (s->heap.count) {
		uint32_t label = heap_pop(s);
		const struct label *l = &s->labels->items[label];
		if (dominated(s, l->node, l->time))
			continue;
		bool first = s->first_label[l->node] == GRAPH_NONE;
		if (first)
			s->first_label[l->node] = label;
		// A terminal label must not keep out a later one that can be walked on.
		if (!l->terminal)
			s->best_time[l->node] = l->time;
		else if (first)
			s->best_time[l->node] = NANOTIME_NONE;
		if (is_sink(s->g, l->node))
			continue;
		if ((s->forward ? relax_forward(s, label) : relax_backward(s, label)) < 0)
			return -1;
	}
	return 0;
}
