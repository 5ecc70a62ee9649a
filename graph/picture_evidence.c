// SPDX-License-Identifier: MIT
// The first events behind each picture edge, by time, so that its lines can be found and printed again.
#include "graph/picture_work.h"

#define SERIALS_MAX 20


static int compare_evidence(const void *a, const void *b)
{
	const struct edge_evidence *x = a, *y = b;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

// Keeps the earliest SERIALS_MAX, each serial once.
static void keep_evidence(struct picture_edge *edge, const struct edge_evidence *e)
{
	size_t n = edge->evidence_count;
	for (size_t i = 0; i < n; i++)
		if (edge->evidence[i].serial == e->serial && edge->evidence[i].time_ns == e->time_ns)
			return;
	if (n == SERIALS_MAX && compare_evidence(e, &edge->evidence[n - 1]) >= 0)
		return;
	size_t at = n < SERIALS_MAX ? edge->evidence_count++ : SERIALS_MAX - 1;
	while (at > 0 && compare_evidence(e, &edge->evidence[at - 1]) < 0) {
		edge->evidence[at] = edge->evidence[at - 1];
		at--;
	}
	edge->evidence[at] = *e;
}

void picture_add_evidence(struct picture_work *w, struct picture_edge *edge, uint32_t graph_edge)
{
	const struct flow_edge *e = &w->g->edges.items[graph_edge];
	if (!edge->evidence)
		edge->evidence = picture_allocate(w->p, SERIALS_MAX * sizeof(*edge->evidence));
	if (!edge->evidence)
		return;
	uint32_t kept = e->evidence_count < SERIALS_MAX ? e->evidence_count : SERIALS_MAX;
	for (uint32_t i = 0; i < kept && e->evidence + i < w->g->evidence.count; i++)
		keep_evidence(edge, &w->g->evidence.items[e->evidence + i]);
	if (kept == 0) {
		struct edge_evidence only = {.serial = e->serial, .time_ns = e->start_ns};
		keep_evidence(edge, &only);
	}
}

static uint32_t edge_between(const struct picture_work *w, uint32_t a, uint32_t b, uint32_t op)
{
	for (uint32_t i = 0; i < w->p->edges.count; i++) {
		const struct picture_edge *e = &w->p->edges.items[i];
		if ((e->ops >> op & 1) && ((e->from == a && e->to == b) || (e->from == b && e->to == a && e->both_ways)))
			return i;
	}
	return GRAPH_NONE;
}

void picture_collect_evidence(struct picture_work *w)
{
	for (uint32_t i = 0; i < w->g->edges.count; i++) {
		const struct flow_edge *e = &w->g->edges.items[i];
		uint32_t a = w->s.of[e->from], b = w->s.of[e->to];
		if (a == b || !picture_draws(w, a) || !picture_draws(w, b))
			continue;
		uint32_t edge = edge_between(w, w->s.items[a].drawn, w->s.items[b].drawn, e->op);
		if (edge != GRAPH_NONE)
			picture_add_evidence(w, &w->p->edges.items[edge], i);
	}
	for (size_t i = 0; i < w->flows.count; i++) // flows through pipes have no direct edge
		if (w->flows.items[i].op == FLOW_PIPE)
			picture_add_evidence(w, &w->p->edges.items[w->flows.items[i].edge], w->flows.items[i].sample);
}

void picture_list_serials(struct picture_work *w, struct picture_edge *e)
{
	e->serials = picture_allocate(w->p, e->evidence_count * sizeof(*e->serials));
	for (size_t i = 0; e->serials && i < e->evidence_count; i++)
		e->serials[e->serial_count++] = e->evidence[i].serial;
}
