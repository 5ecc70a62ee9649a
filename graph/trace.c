// SPDX-License-Identifier: MIT
// Slice and rank: two searches (search.h), backward from the contacts and forward from the chosen causes.
#include "graph/trace.h"

#include "base/nanotime.h"
#include "graph/choke.h"
#include "graph/rank.h"
#include "graph/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CHOSEN 100

// --- backward

// Fork and exec edges from a seed's segment up to where its line begins.
static void mark_line(const struct graph *g, uint32_t node, uint64_t time, uint8_t *free_edge, struct trace_node *nodes)
{
	while (!nodes[node].free_line) {
		nodes[node].free_line = true;
		for (uint32_t i = g->in_start.items[node]; i < g->in_start.items[node + 1]; i++) {
			const struct flow_edge *e = &g->edges.items[g->in_edges.items[i]];
			if (e->start_ns > time)
				break;
			if ((e->op == FLOW_FORK || e->op == FLOW_EXEC) && e->class != CLASS_UNCERTAIN) {
				free_edge[g->in_edges.items[i]] = 1;
				node = e->from;
				break;
			}
		}
	}
}

// Labels of one contact: at its time, or (sent) at the end of its connection.
static int seed_labels(struct search *s, const struct connection *c, uint32_t edge, bool sent)
{
	const struct flow_edge *e = &s->g->edges.items[edge];
	struct label seed = {
		.node = c->node, .edge = GRAPH_NONE, .parent = GRAPH_NONE, .time = sent ? e->end_ns : c->time_ns,
		.cost = sent ? TRACE_SENT_COST : 0, .line_cost = sent ? TRACE_SENT_COST : 0, .sent = sent,
	};
	uint32_t label = (uint32_t)s->labels->count;
	if (search_push(s, seed) < 0)
		return -1;
	if (label == s->labels->count) // nothing new: another contact of the same connection
		return 0;
	seed.node = e->from;
	seed.edge = edge;
	seed.parent = label;
	return search_push(s, seed);
}

static int add_seed(struct trace *t, uint32_t node)
{
	if (!t->nodes[node].seed && u32_vector_append(&t->seeds, node) < 0)
		return -1;
	t->nodes[node].seed = true;
	return 0;
}

// A contact: its connection, and the segment that made it even if the kernel refused it.
static int seed_contact(struct search *s, struct trace *t, uint8_t *free_edge, uint32_t contact)
{
	const struct graph *g = s->g;
	const struct connection *c = &g->connections.items[contact];
	for (uint32_t i = g->in_start.items[c->node]; i < g->in_start.items[c->node + 1]; i++) {
		uint32_t edge = g->in_edges.items[i];
		const struct flow_edge *e = &g->edges.items[edge];
		if ((e->op != FLOW_CONNECT && e->op != FLOW_ACCEPT) || e->class != CLASS_OBSERVED)
			continue; // an heir of the descriptor made no contact
		free_edge[edge] = 1;
		if (add_seed(t, c->node) < 0 || add_seed(t, e->from) < 0 || seed_labels(s, c, edge, false) < 0 ||
		    (!e->failed && e->end_ns > c->time_ns && seed_labels(s, c, edge, true) < 0))
			return -1;
		mark_line(g, e->from, c->time_ns, free_edge, t->nodes);
	}
	return 0;
}

static void take_causes(const struct search *s, struct trace *t)
{
	for (uint32_t n = 0; n < s->g->nodes.count; n++) {
		struct trace_node *node = &t->nodes[n];
		node->cost = TRACE_COST_UNREACHED;
		node->next_edge = node->next_label = GRAPH_NONE;
		if (s->first_label[n] == GRAPH_NONE)
			continue;
		const struct label *l = &s->labels->items[s->first_label[n]];
		node->side = node->seed ? TRACE_SEED : TRACE_CAUSE;
		node->cost = l->cost;
		node->usable_ns = s->best_time[n];
		node->sent = l->sent;
		node->next_edge = l->edge;
		node->next_label = s->first_label[n];
		t->cause_count++;
	}
}

// --- order

// Of causes that are equally strong the latest comes first (the last visitor before the page was abused), of effects the earliest.
struct order_key { uint32_t node, cost; uint64_t start_ns; bool effect; };

static int compare_order(const void *a, const void *b)
{
	const struct order_key *x = a, *y = b;
	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	if (x->effect != y->effect)
		return x->effect ? 1 : -1;
	if (x->start_ns != y->start_ns)
		return (x->start_ns < y->start_ns) == x->effect ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static int sort_nodes(struct trace *t)
{
	size_t n = t->graph->nodes.count, used = 0;
	struct order_key *keys = malloc((n + 1) * sizeof(*keys));
	if (!keys)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		if (t->nodes[i].cost != TRACE_COST_UNREACHED)
			keys[used++] = (struct order_key){i, t->nodes[i].cost, t->graph->nodes.items[i].start_ns, t->nodes[i].side == TRACE_EFFECT};
	qsort(keys, used, sizeof(*keys), compare_order);
	t->order.count = 0;
	int result = u32_vector_reserve(&t->order, used + 1);
	for (size_t i = 0; result == 0 && i < used; i++) {
		t->order.items[t->order.count++] = keys[i].node;
		t->nodes[keys[i].node].rank = (uint32_t)i + 1;
		t->nodes[keys[i].node].score = exp(-(double)keys[i].cost / 1e6);
	}
	free(keys);
	return result;
}

// --- forward

// Walks one chosen path toward its seed and notes how early each node on it could have been reached.
static void reach_along_path(const struct trace *t, const struct label_vector *labels, uint32_t node, uint64_t *earliest)
{
	uint64_t time = t->graph->nodes.items[node].start_ns;
	uint32_t label = t->nodes[node].next_label;
	while (label != GRAPH_NONE) {
		const struct label *l = &labels->items[label];
		if (earliest[l->node] <= time)
			return; // somebody got here as early: the rest of this path is known
		earliest[l->node] = time;
		if (l->edge != GRAPH_NONE && t->graph->edges.items[l->edge].start_ns > time)
			time = t->graph->edges.items[l->edge].start_ns;
		label = l->parent;
	}
}

static int start_forward(struct search *s, const struct trace *t, const struct label_vector *causes, uint32_t chosen)
{
	size_t n = s->g->nodes.count;
	uint64_t *earliest = malloc((n + 1) * sizeof(*earliest));
	if (!earliest)
		return -1;
	memset(earliest, 0xff, (n + 1) * sizeof(*earliest)); // NANOTIME_NONE: not on a chosen path
	uint32_t taken = 0;
	for (size_t i = 0; i < t->order.count; i++) {
		uint32_t node = t->order.items[i];
		if (t->nodes[node].free_line || t->nodes[node].seed || taken++ < chosen)
			reach_along_path(t, causes, node, earliest);
	}
	int result = 0;
	for (uint32_t node = 0; result == 0 && node < n; node++) {
		if (earliest[node] == NANOTIME_NONE)
			continue;
		struct label start = {.node = node, .edge = GRAPH_NONE, .parent = GRAPH_NONE, .time = earliest[node]};
		start.cost = causes->items[t->nodes[node].next_label].line_cost;
		result = search_push(s, start);
	}
	free(earliest);
	return result;
}

static void take_effects(const struct search *s, struct trace *t)
{
	for (uint32_t n = 0; n < s->g->nodes.count; n++) {
		struct trace_node *node = &t->nodes[n];
		if ((node->side != TRACE_NONE && !node->sent) || node->seed || s->first_label[n] == GRAPH_NONE)
			continue;
		const struct label *l = &s->labels->items[s->first_label[n]];
		// What followed from the contact and may also have been sent is shown as the stronger of both.
		if (node->side != TRACE_NONE && node->cost <= l->cost)
			continue;
		t->cause_count -= node->side == TRACE_CAUSE;
		node->side = TRACE_EFFECT;
		node->cost = l->cost;
		node->usable_ns = s->best_time[n] == NANOTIME_NONE ? l->time : s->best_time[n];
		node->next_edge = l->edge;
		node->next_label = s->first_label[n];
		t->effect_count++;
	}
}

// --- the whole

static int trace_backward(struct trace *t, const uint32_t *contacts, size_t count, const uint32_t *costs)
{
	struct labels *labels = t->labels;
	uint8_t *free_edge = calloc(t->graph->edges.count + 1, 1);
	struct search s = {.edge_costs = costs, .free_edge = free_edge};
	int result = free_edge ? search_init(&s, t->graph, &labels->cause, false) : -1;
	// Latest first: at one process the labels of earlier contacts are then no better in anything, and are dropped at once.
	for (size_t i = count; result == 0 && i-- > 0;)
		result = seed_contact(&s, t, free_edge, contacts[i]);
	if (result == 0)
		result = search_run(&s);
	if (result == 0)
		take_causes(&s, t);
	t->edges_walked += s.edges_walked;
	search_release(&s);
	free(free_edge);
	return result;
}

static int trace_forward(struct trace *t, const uint32_t *costs, uint32_t chosen)
{
	struct labels *labels = t->labels;
	struct search s = {.edge_costs = costs};
	int result = search_init(&s, t->graph, &labels->effect, true);
	if (result == 0)
		result = start_forward(&s, t, &labels->cause, chosen);
	if (result == 0)
		result = search_run(&s);
	if (result == 0)
		take_effects(&s, t);
	t->edges_walked += s.edges_walked;
	search_release(&s);
	return result;
}

int trace_run(const struct graph *g, const uint32_t *contacts, size_t count, uint32_t main_contact,
	      struct trace_options options, struct trace *ret, struct error *err)
{
	struct trace t = {.graph = g, .contact = main_contact, .baseline = options.baseline};
	t.nodes = calloc(g->nodes.count + 1, sizeof(*t.nodes));
	t.labels = calloc(1, sizeof(struct labels));
	uint32_t *costs = NULL;
	bool done = t.nodes && t.labels && rank_edge_costs(g, options.baseline, &costs, err) == 0 &&
		    trace_backward(&t, contacts, count, costs) == 0 && sort_nodes(&t) == 0 &&
		    trace_forward(&t, costs, options.chosen ? options.chosen : DEFAULT_CHOSEN) == 0 &&
		    sort_nodes(&t) == 0;
	free(costs);
	if (!done) {
		trace_release(&t);
		return error_set(err, "tracing %zu edges: out of memory", g->edges.count);
	}
	if (choke_points_find(&t, err) < 0) {
		trace_release(&t);
		return -1;
	}
	*ret = t;
	return 0;
}

void trace_release(struct trace *t)
{
	struct labels *labels = t->labels;
	if (labels) {
		label_vector_release(&labels->cause);
		label_vector_release(&labels->effect);
	}
	free(labels);
	free(t->nodes);
	u32_vector_release(&t->seeds);
	u32_vector_release(&t->order);
	u32_vector_release(&t->choke_points);
	memset(t, 0, sizeof(*t));
}
