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
	s->popped = calloc(n, sizeof(*s->popped));
	if (!s->best_time || !s->first_label || !s->popped)
		return -1;
	memset(s->first_label, 0xff, n * sizeof(*s->first_label)); // GRAPH_NONE
	return 0;
}

void search_release(struct search *s)
{
	u64_vector_release(&s->heap);
	free(s->best_time);
	free(s->first_label);
	free(s->popped);
	free(s->possible);
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

// The label on the other side of an edge, or false when the edge is closed to it.
static bool step_backward(const struct search *s, const struct label *at, uint32_t edge, struct label *ret)
{
	const struct flow_edge *e = &s->g->edges.items[edge];
	uint64_t life = s->g->nodes.items[e->from].end_ns;
	if (e->failed || flow_is_effect_only(e->op))
		return false;
	*ret = (struct label){.node = e->from, .edge = edge, .sent = at->sent};
	ret->time = e->end_ns < at->time ? e->end_ns : at->time;
	ret->time = life < ret->time ? life : ret->time;
	ret->cost = s->free_edge[edge] ? at->cost : add_cost(at->cost, s->edge_costs[edge]);
	ret->line_cost = add_cost(at->line_cost, s->edge_costs[edge]);
	if (s->free_edge[edge] && e->op == FLOW_FORK)
		ret->line_cost = add_cost(ret->line_cost, GENERATION_COST);
	return true;
}

static bool step_forward(const struct search *s, const struct label *at, uint32_t edge, struct label *ret)
{
	const struct flow_edge *e = &s->g->edges.items[edge];
	uint64_t life = s->g->nodes.items[e->to].start_ns;
	if (at->terminal || e->end_ns < at->time)
		return false;
	*ret = (struct label){.node = e->to, .edge = edge};
	ret->time = e->start_ns > at->time ? e->start_ns : at->time;
	ret->time = life > ret->time ? life : ret->time;
	ret->cost = add_cost(at->cost, s->edge_costs[edge]);
	ret->terminal = e->failed || flow_is_effect_only(e->op);
	return true;
}

typedef int search_visit(struct search *s, const struct label *next, void *context);

// Every label that one step away from `at` is possible.
static int search_steps(struct search *s, const struct label *at, search_visit *visit, void *context)
{
	const struct u32_vector *start = s->forward ? &s->g->out_start : &s->g->in_start;
	const struct u32_vector *list = s->forward ? &s->g->out_edges : &s->g->in_edges;
	if (is_sink(s->g, at->node))
		return 0;
	for (uint32_t i = start->items[at->node]; i < start->items[at->node + 1]; i++) {
		struct label next;
		uint32_t edge = list->items[i];
		if (!s->forward && s->g->edges.items[edge].start_ns > at->time)
			break; // edges of a node are in order of start
		s->edges_walked++;
		bool open = s->forward ? step_forward(s, at, edge, &next) : step_backward(s, at, edge, &next);
		if (open && visit(s, &next, context) < 0)
			return -1;
	}
	return 0;
}

// --- by time alone: what the best possible time at each node is

struct moment { uint64_t time; uint32_t node; bool terminal; };
VECTOR_DEFINE(moment_vector, struct moment)

static int moment_push(struct search *s, const struct label *l, void *context)
{
	struct moment_vector *heap = context;
	if (!better_time(s, l->time, s->possible[l->node]))
		return 0;
	if (!l->terminal)
		s->possible[l->node] = l->time;
	if (moment_vector_append(heap, (struct moment){l->time, l->node, l->terminal}) < 0)
		return -1;
	struct moment *h = heap->items, m = h[heap->count - 1];
	size_t i = heap->count - 1;
	for (; i > 0 && better_time(s, m.time, h[(i - 1) / 2].time); i = (i - 1) / 2)
		h[i] = h[(i - 1) / 2];
	h[i] = m;
	return 0;
}

static struct moment moment_pop(const struct search *s, struct moment_vector *heap)
{
	struct moment *h = heap->items, top = h[0], last = h[--heap->count];
	size_t i = 0, n = heap->count;
	for (size_t child = 1; child < n; child = 2 * i + 1) {
		child += child + 1 < n && better_time(s, h[child + 1].time, h[child].time);
		if (!better_time(s, h[child].time, last.time))
			break;
		h[i] = h[child];
		i = child;
	}
	if (n)
		h[i] = last;
	return top;
}

static int find_possible(struct search *s)
{
	size_t n = s->g->nodes.count + 1;
	struct moment_vector heap = {0};
	s->possible = malloc(n * sizeof(*s->possible));
	if (!s->possible)
		return -1;
	for (size_t i = 0; i < n; i++)
		s->possible[i] = s->forward ? NANOTIME_NONE : 0;
	int result = 0;
	for (size_t i = 0; result == 0 && i < s->starts; i++)
		result = moment_push(s, &s->labels->items[i], &heap);
	while (result == 0 && heap.count) {
		struct moment m = moment_pop(s, &heap);
		struct label at = {.node = m.node, .time = m.time, .terminal = m.terminal};
		if (m.time == s->possible[m.node])
			result = search_steps(s, &at, moment_push, &heap);
	}
	moment_vector_release(&heap);
	return result;
}

// --- by cost

static int push_step(struct search *s, const struct label *next, void *context)
{
	struct label label = *next;
	label.parent = *(const uint32_t *)context;
	return search_push(s, label);
}

// Does a further label at this node count? 1, 0, or -1 when out of memory.
static int label_counts(struct search *s, const struct label *l)
{
	if (dominated(s, l->node, l->time))
		return 0;
	if (s->popped[l->node] < SEARCH_LABELS) {
		s->popped[l->node]++;
		return 1;
	}
	if (!s->possible && find_possible(s) < 0)
		return -1;
	return l->time == s->possible[l->node];
}

int search_run(struct search *s)
{
	s->starts = s->labels->count;
	while (s->heap.count) {
		uint32_t label = heap_pop(s);
		const struct label l = s->labels->items[label];
		int counts = label_counts(s, &l);
		if (counts < 0)
			return -1;
		if (counts == 0)
			continue;
		bool first = s->first_label[l.node] == GRAPH_NONE;
		if (first)
			s->first_label[l.node] = label;
		// A terminal label must not keep out a later one that can be walked on.
		if (!l.terminal)
			s->best_time[l.node] = l.time;
		else if (first)
			s->best_time[l.node] = NANOTIME_NONE;
		if (search_steps(s, &l, push_step, &label) < 0)
			return -1;
	}
	return 0;
}
