// SPDX-License-Identifier: MIT
// Picture edges: everything that flowed between two drawn nodes, merged into one edge, most severe first.
#include "graph/picture_work.h"

#include "base/nanotime.h"
#include "base/text.h"
#include "graph/label.h"
#include "graph/picture_session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FLOWS_NAMED 2 /* kinds of flow in one label; then "+n" */

// --- flows: (from, to, op, failed) -> one drawn_flow

struct flow_table { uint32_t *index; size_t nodes; };

static uint32_t *flow_slot(const struct flow_table *t, uint32_t from, uint32_t to, enum flow_op op, bool failed)
{
	return &t->index[((from * t->nodes + to) * FLOW_COUNT + op) * 2 + failed];
}

bool picture_draws(const struct picture_work *w, uint32_t subject)
{
	return (w->s.items[subject].marks & MARK_SHOWN) != 0;
}

static int add_flow(struct picture_work *w, const struct flow_table *t, uint32_t from, uint32_t to, uint32_t edge)
{
	const struct flow_edge *e = &w->g->edges.items[edge];
	uint32_t *slot = flow_slot(t, from, to, e->op, e->failed);
	uint64_t last = e->last_ns > e->start_ns ? e->last_ns : e->start_ns;
	if (*slot == GRAPH_NONE) {
		*slot = (uint32_t)w->flows.count;
		struct drawn_flow f = {.from = from, .to = to, .op = e->op, .class = e->class, .failed = e->failed,
				       .first_ns = e->start_ns, .last_ns = last, .serial = e->serial, .sample = edge,
				       .edge = GRAPH_NONE};
		if (flow_vector_append(&w->flows, f) < 0)
			return -1;
	}
	struct drawn_flow *f = &w->flows.items[*slot];
	f->count += e->count ? e->count : 1;
	f->class = e->class < f->class ? e->class : f->class;
	f->last_ns = last > f->last_ns ? last : f->last_ns;
	f->until_ns = e->end_ns > f->until_ns ? e->end_ns : f->until_ns;
	f->on_path |= picture_path_has(&w->path, edge);
	f->recovered |= e->recovered;
	f->perhaps_written |= !e->no_write_seen;
	f->ended_by_disk |= e->ended_by_disk;
	return 0;
}

static bool can_be_inherited(const struct picture_work *w, const struct flow_edge *e)
{
	return w->g->nodes.items[e->from].kind == NODE_CONNECTION || w->g->nodes.items[e->to].kind == NODE_CONNECTION ||
	       e->op == FLOW_OPEN_READ || e->op == FLOW_OPEN_WRITE;
}

// Addresses and files that a drawn process was seen to use. Those that merely inherited the descriptor add lines and tell nothing then.
static uint8_t *find_used(struct picture_work *w)
{
	uint8_t *used = picture_allocate(w->p, w->p->nodes.count + 1);
	for (size_t i = 0; used && i < w->g->edges.count; i++) {
		const struct flow_edge *e = &w->g->edges.items[i];
		if (!can_be_inherited(w, e) || e->class != CLASS_OBSERVED || !picture_draws(w, w->s.of[e->from]) || !picture_draws(w, w->s.of[e->to]))
			continue;
		used[w->s.items[w->s.of[e->from]].drawn] = 1;
		used[w->s.items[w->s.of[e->to]].drawn] = 1;
	}
	return used;
}

static bool only_inherited(const struct picture_work *w, uint32_t edge, const uint8_t *used)
{
	const struct flow_edge *e = &w->g->edges.items[edge];
	if (!can_be_inherited(w, e) || e->class == CLASS_OBSERVED || picture_path_has(&w->path, edge))
		return false;
	uint32_t thing = w->g->nodes.items[e->from].kind == NODE_PROCESS ? w->s.of[e->to] : w->s.of[e->from];
	return used[w->s.items[thing].drawn];
}

static int add_direct_flows(struct picture_work *w, const struct flow_table *t)
{
	const uint8_t *used = find_used(w);
	if (!used)
		return -1;
	for (uint32_t i = 0; i < w->g->edges.count; i++) {
		const struct flow_edge *e = &w->g->edges.items[i];
		uint32_t a = w->s.of[e->from], b = w->s.of[e->to];
		if (a == b || !picture_draws(w, a) || !picture_draws(w, b))
			continue;
		// A process outside the slice is there for its contact only, a file for having been read.
		if (w->s.items[b].side == TRACE_NONE || (w->s.items[a].side == TRACE_NONE && e->op != FLOW_CONNECT &&
							 e->op != FLOW_OPEN_READ && e->op != FLOW_READ))
			continue;
		if (only_inherited(w, i, used))
			continue;
		if (add_flow(w, t, w->s.items[a].drawn, w->s.items[b].drawn, i) < 0)
			return -1;
	}
	return 0;
}

// Through a pipe: writer -> reader, for the two sides of a pipeline. Not between a parent and its child: the fork edge is there.
static int add_pipe_flows(struct picture_work *w, const struct flow_table *t)
{
	for (size_t i = 0; i < w->g->pipes.count; i++) {
		uint32_t node = w->g->pipes.items[i].node;
		if (w->t->nodes[node].side == TRACE_NONE)
			continue;
		for (uint32_t in = w->g->in_start.items[node]; in < w->g->in_start.items[node + 1]; in++) {
			uint32_t writer = w->g->edges.items[w->g->in_edges.items[in]].from;
			if (!picture_draws(w, w->s.of[writer]))
				continue;
			for (uint32_t out = w->g->out_start.items[node]; out < w->g->out_start.items[node + 1]; out++) {
				uint32_t edge = w->g->out_edges.items[out], reader = w->g->edges.items[edge].to;
				if (!picture_draws(w, w->s.of[reader]) || !session_pipeline(w->g, writer, reader))
					continue;
				if (add_flow(w, t, w->s.items[w->s.of[writer]].drawn, w->s.items[w->s.of[reader]].drawn, edge) < 0)
					return -1;
			}
		}
	}
	return 0;
}

static int compare_flows(const void *a, const void *b)
{
	const struct drawn_flow *x = a, *y = b;
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	if (x->serial != y->serial)
		return x->serial < y->serial ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return (int)x->op * 2 + x->failed - (int)y->op * 2 - y->failed;
}

// The path names one flow of a writer into a file; its creation of the same file is as much on it.
static void mark_creations(struct picture_work *w)
{
	for (size_t i = 0; i < w->flows.count; i++) {
		struct drawn_flow *f = &w->flows.items[i];
		for (size_t k = 0; f->op == FLOW_CREATE && !f->on_path && k < w->flows.count; k++) {
			const struct drawn_flow *other = &w->flows.items[k];
			if (other->from == f->from && other->to == f->to && other->on_path &&
			    (other->op == FLOW_OPEN_WRITE || other->op == FLOW_WRITE))
				f->on_path = true;
		}
	}
}

static int collect_flows(struct picture_work *w)
{
	struct flow_table t = {.nodes = w->p->nodes.count};
	size_t slots = t.nodes * t.nodes * FLOW_COUNT * 2;
	t.index = malloc((slots + 1) * sizeof(*t.index));
	if (!t.index)
		return -1;
	memset(t.index, 0xff, (slots + 1) * sizeof(*t.index)); // GRAPH_NONE
	int result = add_direct_flows(w, &t);
	if (result == 0)
		result = add_pipe_flows(w, &t);
	free(t.index);
	mark_creations(w);
	if (result == 0 && w->flows.count)
		qsort(w->flows.items, w->flows.count, sizeof(*w->flows.items), compare_flows);
	return result;
}

// --- which flows share an edge

static bool plain_file_flow(enum flow_op op)
{
	return op == FLOW_OPEN_READ || op == FLOW_READ || op == FLOW_OPEN_WRITE || op == FLOW_WRITE || op == FLOW_CREATE ||
	       op == FLOW_ATTRIBUTE;
}

// Both directions between the same two become one edge where that loses nothing: a connection, a socket, a file that was opened for
// both. What was executed or removed keeps an edge of its own.
static bool may_share(const struct picture_work *w, const struct picture_edge *edge, const struct drawn_flow *f)
{
	const struct picture_node *a = &w->p->nodes.items[f->from], *b = &w->p->nodes.items[f->to];
	if (edge->on_path != f->on_path && !(a->kind == PICTURE_ADDRESS || b->kind == PICTURE_ADDRESS))
		return false;
	if (a->kind == PICTURE_ADDRESS || b->kind == PICTURE_ADDRESS || a->kind == PICTURE_CHANNEL || b->kind == PICTURE_CHANNEL)
		return true;
	if (a->kind != PICTURE_FILE && b->kind != PICTURE_FILE)
		return false;
	for (uint32_t op = 0; op < FLOW_COUNT; op++)
		if ((edge->ops >> op & 1) && !plain_file_flow(op))
			return false;
	return plain_file_flow(f->op);
}

// The edge that a flow joins; GRAPH_NONE: it needs a new one. A deletion keeps off an edge of the path: that edge tells of the writing.
static uint32_t find_edge(const struct picture_work *w, const struct drawn_flow *f)
{
	uint32_t reverse = GRAPH_NONE;
	for (uint32_t i = 0; i < w->p->edges.count; i++) {
		const struct picture_edge *e = &w->p->edges.items[i];
		bool apart = e->on_path != f->on_path && (f->op == FLOW_DELETE) != (e->ops == 1u << FLOW_DELETE);
		if (e->from == f->from && e->to == f->to && !apart)
			return i;
		if (e->from == f->to && e->to == f->from && may_share(w, e, f))
			reverse = i;
	}
	return reverse;
}

// An edge with a peer points to who was asked: out for connect, in for accept. Else the flow that came first decides.
static void set_direction(const struct picture_work *w, struct picture_edge *e, const struct drawn_flow *f)
{
	bool to_address = w->p->nodes.items[f->to].kind == PICTURE_ADDRESS;
	bool from_address = w->p->nodes.items[f->from].kind == PICTURE_ADDRESS;
	bool flip = (to_address && f->op == FLOW_ACCEPT) || (from_address && f->op == FLOW_RECEIVE && !(e->ops & 1u << FLOW_ACCEPT));
	if (flip && e->count == 0) {
		uint32_t swapped = e->from;
		e->from = e->to;
		e->to = swapped;
	}
}

static bool is_correlation(const struct picture_work *w, const struct drawn_flow *f)
{
	return w->p->nodes.items[f->from].side == TRACE_NONE && w->p->nodes.items[f->to].kind == PICTURE_ADDRESS;
}

static int merge_flow(struct picture_work *w, uint32_t index)
{
	struct drawn_flow *f = &w->flows.items[index];
	uint32_t at = find_edge(w, f);
	if (at == GRAPH_NONE) {
		struct picture_edge e = {.from = f->from, .to = f->to, .op = f->op, .class = f->class, .failed = true,
					 .first_ns = f->first_ns, .last_ns = f->last_ns, .correlation = is_correlation(w, f)};
		set_direction(w, &e, f);
		at = (uint32_t)w->p->edges.count;
		if (picture_edge_vector_append(&w->p->edges, e) < 0)
			return -1;
	}
	struct picture_edge *e = &w->p->edges.items[at];
	bool reverse = e->from != f->from;
	f->edge = at;
	e->ops |= 1u << f->op;
	bool asked = (e->ops & (1u << FLOW_CONNECT | 1u << FLOW_ACCEPT)) != 0;
	if (w->p->nodes.items[e->to].kind == PICTURE_ADDRESS || w->p->nodes.items[e->from].kind == PICTURE_ADDRESS)
		e->both_ways = asked && (e->ops & 1u << FLOW_RECEIVE);
	else
		e->both_ways |= reverse;
	if (label_severity(f->op) > label_severity(e->op))
		e->op = f->op;
	e->class = f->class < e->class ? f->class : e->class;
	e->failed &= f->failed;
	e->on_path |= f->on_path;
	e->recovered |= f->recovered;
	e->count += f->op == FLOW_RECEIVE ? 0 : f->count; // what came back is the same connection
	e->last_ns = f->last_ns > e->last_ns ? f->last_ns : e->last_ns;
	e->until_ns = f->until_ns > e->until_ns ? f->until_ns : e->until_ns;
	return 0;
}

// --- labels

static bool says_nothing_new(const struct picture_work *w, uint32_t edge, const struct drawn_flow *f)
{
	uint32_t ops = w->p->edges.items[edge].ops;
	if (f->op == FLOW_RECEIVE)
		return (ops & (1u << FLOW_CONNECT | 1u << FLOW_ACCEPT)) != 0;
	if (f->op != FLOW_OPEN_WRITE || !(ops & 1u << FLOW_CREATE))
		return false;
	for (size_t i = 0; i < w->flows.count; i++) { // the open that created it is the one that wanted to write
		const struct drawn_flow *g = &w->flows.items[i];
		if (g->edge == edge && g->op == FLOW_CREATE && g->count >= f->count)
			return true;
	}
	return false;
}

static const struct drawn_flow *next_severe(const struct picture_work *w, uint32_t edge, const struct drawn_flow *after)
{
	const struct drawn_flow *best = NULL;
	for (size_t i = 0; i < w->flows.count; i++) {
		const struct drawn_flow *f = &w->flows.items[i];
		if (f->edge != edge || says_nothing_new(w, edge, f))
			continue;
		unsigned severity = label_severity(f->op) * 2 + !f->failed;
		if (after && severity >= label_severity(after->op) * 2 + !after->failed)
			continue;
		if (!best || severity > label_severity(best->op) * 2 + !best->failed)
			best = f;
	}
	return best;
}

static void label_edge(struct picture_work *w, uint32_t edge, struct buffer *b)
{
	unsigned named = 0, more = 0;
	for (const struct drawn_flow *f = next_severe(w, edge, NULL); f; f = next_severe(w, edge, f)) {
		if (named == FLOWS_NAMED) {
			more++;
			continue;
		}
		buffer_add_string(b, named++ ? ", " : "");
		label_flow(w->g, &w->g->edges.items[f->sample], b);
		if (f->count > 1)
			buffer_printf(b, " x%" PRIu64, f->count);
	}
	if (more)
		buffer_printf(b, " +%u", more);
	if (w->p->edges.items[edge].correlation)
		buffer_add_string(b, ", same destination");
	w->p->edges.items[edge].label = picture_take_text(w->p, b);
}

// --- order and numbers

static int compare_edges(const void *a, const void *b)
{
	const struct picture_edge *x = a, *y = b;
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return (int)x->op - (int)y->op;
}

// Flows follow their edges to the new places: `id` carries the old one through the sort.
static int number_edges(struct picture_work *w)
{
	size_t n = w->p->edges.count;
	uint32_t *place = malloc((n + 1) * sizeof(*place));
	if (!place)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		w->p->edges.items[i].id = i;
	if (n)
		qsort(w->p->edges.items, n, sizeof(*w->p->edges.items), compare_edges);
	for (uint32_t i = 0; i < n; i++) {
		place[w->p->edges.items[i].id] = i;
		w->p->edges.items[i].id = i + 1;
		picture_list_serials(w, &w->p->edges.items[i]);
	}
	for (size_t i = 0; i < w->flows.count; i++)
		w->flows.items[i].edge = place[w->flows.items[i].edge];
	if (w->flows.count) // those of folds came last
		qsort(w->flows.items, w->flows.count, sizeof(*w->flows.items), compare_flows);
	free(place);
	return 0;
}

// Known by inference alone: every edge that joins it to the rest is.
static void flag_inferred(struct picture_work *w)
{
	for (uint32_t n = 0; n < w->p->nodes.count; n++) {
		bool any = false, observed = false;
		for (size_t i = 0; i < w->p->edges.count; i++) {
			const struct picture_edge *e = &w->p->edges.items[i];
			if ((e->from != n && e->to != n) || e->correlation)
				continue;
			any = true;
			observed |= e->class == CLASS_OBSERVED;
		}
		w->p->nodes.items[n].inferred_only = any && !observed;
	}
}

int picture_make_edges(struct picture_work *w)
{
	struct buffer b = {0};
	int result = collect_flows(w);
	for (uint32_t i = 0; i < w->flows.count && result == 0; i++)
		result = merge_flow(w, i);
	if (result == 0)
		picture_collect_evidence(w);
	for (uint32_t i = 0; i < w->p->edges.count && result == 0; i++)
		label_edge(w, i, &b);
	buffer_release(&b);
	if (result == 0)
		result = picture_add_fold_edges(w);
	if (result == 0)
		result = number_edges(w);
	flag_inferred(w);
	return result < 0 || picture_failed(w->p) ? -1 : 0;
}
