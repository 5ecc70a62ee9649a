// SPDX-License-Identifier: MIT
// A fold hangs on its anchor by one edge, which tells what its members have in common.
#include "graph/picture_work.h"

#include "base/nanotime.h"
#include "graph/label.h"

#include <inttypes.h>

static void count_fold_flow(struct picture_work *w, const struct fold *f, struct picture_edge *e)
{
	e->no_write_seen = true;
	for (size_t k = 0; k < f->members.count; k++) {
		uint32_t edge = GRAPH_NONE, subject = f->members.items[k];
		if (subjects_next(&w->s, subject, &edge) == GRAPH_NONE || edge == GRAPH_NONE)
			continue;
		const struct flow_edge *g = &w->g->edges.items[edge];
		e->count += g->count ? g->count : 1;
		e->ops |= 1u << g->op;
		if (k == 0 || label_severity(g->op) > label_severity(e->op))
			e->op = g->op;
		e->class = k == 0 || g->class < e->class ? g->class : e->class;
		e->recovered |= g->recovered;
		e->no_write_seen &= g->op == FLOW_OPEN_WRITE ? g->no_write_seen : g->op != FLOW_WRITE && g->op != FLOW_TRUNCATE;
		e->first_ns = g->start_ns < e->first_ns ? g->start_ns : e->first_ns;
		e->last_ns = g->last_ns > e->last_ns ? g->last_ns : e->last_ns;
		if (k < 64) // evidence holds 20; the best members have it
			picture_add_evidence(w, e, edge);
	}
	e->no_write_seen &= (e->ops >> FLOW_OPEN_WRITE & 1) != 0;
}

static bool is_collected_by(const struct picture_work *w, const struct fold *f, uint32_t edge)
{
	uint32_t file = w->s.of[w->g->edges.items[edge].from];
	return w->s.items[file].side == TRACE_NONE && w->folds.of[file] != GRAPH_NONE && &w->folds.items.items[w->folds.of[file]] == f;
}

// Counts the reader's edges from its fold; *ret_first is the earliest.
static void count_collected(struct picture_work *w, const struct fold *f, struct picture_edge *e, uint32_t *ret_first)
{
	for (uint32_t i = w->s.member_start[f->anchor]; i < w->s.member_start[f->anchor + 1]; i++) {
		uint32_t node = w->s.members[i];
		for (uint32_t k = w->g->in_start.items[node]; k < w->g->in_start.items[node + 1]; k++) {
			uint32_t edge = w->g->in_edges.items[k];
			const struct flow_edge *g = &w->g->edges.items[edge];
			if (!is_collected_by(w, f, edge))
				continue;
			if (*ret_first == GRAPH_NONE || g->start_ns < e->first_ns)
				*ret_first = edge;
			e->count += g->count ? g->count : 1;
			e->first_ns = g->start_ns < e->first_ns ? g->start_ns : e->first_ns;
			e->last_ns = g->last_ns > e->last_ns ? g->last_ns : e->last_ns;
			picture_add_evidence(w, e, edge);
		}
	}
	e->op = FLOW_OPEN_READ;
	e->ops = 1u << FLOW_OPEN_READ;
}

// What a whole group of files has in common with its anchor is one flow, which the story can tell: "tar opened 41 files ...".
static int add_fold_flow(struct picture_work *w, const struct fold *f, const struct picture_edge *e, uint32_t sample)
{
	if (f->siblings && f->kind == PICTURE_FILE && f->op != FLOW_COUNT)
		(void)subjects_next(&w->s, f->members.items[0], &sample);
	if (sample == GRAPH_NONE)
		return 0;
	struct drawn_flow flow = {.from = e->from, .to = e->to, .op = w->g->edges.items[sample].op, .class = (uint8_t)e->class, .count = e->count,
				  .first_ns = e->first_ns, .last_ns = e->last_ns, .serial = w->g->edges.items[sample].serial,
				  .sample = sample, .edge = (uint32_t)w->p->edges.count};
	return flow_vector_append(&w->flows, flow);
}

static int add_fold_edge(struct picture_work *w, uint32_t fold, struct buffer *b)
{
	const struct fold *f = &w->folds.items.items[fold];
	uint32_t node = w->p->folds.items[fold].node, anchor = w->s.items[f->anchor].drawn;
	uint32_t first = GRAPH_NONE; // edge of the graph, of collected ones
	bool effect = f->side == TRACE_EFFECT;
	if (anchor == GRAPH_NONE || anchor == node)
		return 0;
	struct picture_edge e = {.from = effect ? anchor : node, .to = effect ? node : anchor, .first_ns = NANOTIME_NONE,
				 .correlation = f->correlation};
	if (f->correlation) {
		e.count = f->members.count;
		e.op = FLOW_CONNECT;
		e.ops = 1u << FLOW_CONNECT;
		e.first_ns = w->p->nodes.items[node].first_ns;
		e.last_ns = w->p->nodes.items[node].last_ns;
		buffer_add_string(b, "same destination");
	} else {
		if (f->collected)
			count_collected(w, f, &e, &first);
		else
			count_fold_flow(w, f, &e);
		if (f->op == FLOW_COUNT)
			buffer_add_string(b, effect ? "further effects" : "further causes");
		else if (f->op == FLOW_FORK)
			buffer_add_string(b, "started");
		else
			buffer_add_string(b, flow_op_words(f->op));
		if (f->op != FLOW_COUNT && e.count > 1)
			buffer_printf(b, " x%" PRIu64, e.count);
	}
	if (e.first_ns == NANOTIME_NONE)
		e.first_ns = e.last_ns = w->p->nodes.items[node].first_ns;
	e.label = picture_take_text(w->p, b);
	if (add_fold_flow(w, f, &e, first) < 0)
		return -1;
	return picture_edge_vector_append(&w->p->edges, e);
}

int picture_add_fold_edges(struct picture_work *w)
{
	struct buffer b = {0};
	int result = 0;
	for (uint32_t i = 0; i < w->folds.items.count && result == 0; i++)
		result = add_fold_edge(w, i, &b);
	buffer_release(&b);
	return result;
}
