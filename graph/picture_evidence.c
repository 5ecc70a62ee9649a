// SPDX-License-Identifier: MIT
// The first events behind each picture edge, by time, so that its lines can be found and printed again.
#include "graph/picture_work.h"

#include "base/buffer.h"

#define SERIALS_MAX 20  /* with the places of their lines */
#define FURTHER_MAX 80  /* serials only */
#define KEPT_MAX (SERIALS_MAX + FURTHER_MAX)

static int compare_evidence(const void *a, const void *b)
{
	const struct edge_evidence *x = a, *y = b;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

// Keeps the earliest KEPT_MAX, each serial once. (picture_list_serials() parts them.)
static void keep_evidence(struct picture_edge *edge, const struct edge_evidence *e)
{
	size_t n = edge->evidence_count;
	for (size_t i = 0; i < n; i++)
		if (edge->evidence[i].serial == e->serial && edge->evidence[i].time_ns == e->time_ns)
			return;
	if (n == KEPT_MAX && compare_evidence(e, &edge->evidence[n - 1]) >= 0)
		return;
	size_t at = n < KEPT_MAX ? edge->evidence_count++ : KEPT_MAX - 1;
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
		edge->evidence = picture_allocate(w->p, KEPT_MAX * sizeof(*edge->evidence));
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
	size_t shown = e->evidence_count < SERIALS_MAX ? e->evidence_count : SERIALS_MAX;

	e->serials = picture_allocate(w->p, shown * sizeof(*e->serials));
	for (size_t i = 0; e->serials && i < shown; i++)
		e->serials[e->serial_count++] = e->evidence[i].serial;
	e->further_serials = picture_allocate(w->p, (e->evidence_count - shown) * sizeof(*e->further_serials));
	for (size_t i = shown; e->further_serials && i < e->evidence_count; i++)
		e->further_serials[e->further_serial_count++] = e->evidence[i].serial;
	e->evidence_count = shown;
}

// --- raw lines

static int note_record(struct picture *p, struct picture_edge *e, uint32_t record)
{
	if (!e->records)
		e->records = picture_allocate(p, e->evidence_count * sizeof(*e->records));
	if (!e->records)
		return -1;
	e->records[e->record_count++] = record;
	return 0;
}

bool picture_has_record(struct picture *p, uint32_t edge, size_t index)
{
	struct picture_edge *e = &p->edges.items[edge];
	const struct edge_evidence *wanted = &e->evidence[index];

	for (uint32_t i = 0; i < p->records.count; i++) {
		const struct picture_record *r = &p->records.items[i];
		if (r->serial == wanted->serial && r->ref.log == wanted->ref.log && r->ref.offset == wanted->ref.offset)
			return note_record(p, e, i) == 0;
	}
	return false;
}

int picture_add_record(struct picture *p, uint32_t edge, size_t index, const char *lines, size_t length, struct error *err)
{
	struct picture_edge *e = &p->edges.items[edge];
	const struct edge_evidence *from = &e->evidence[index];
	struct picture_record record = {from->serial, from->time_ns, from->ref, picture_text(p, lines, length)};

	if (picture_record_vector_append(&p->records, record) < 0 || note_record(p, e, (uint32_t)p->records.count - 1) < 0 || picture_failed(p))
		return error_set(err, "picture: out of memory");
	return 0;
}

// --- scores

int picture_explain(struct picture_work *w)
{
	struct buffer words = {0};
	int result = 0;

	for (uint32_t i = 0; i < w->p->nodes.count && result == 0; i++) {
		uint32_t subject = w->subject_of_node[i];
		if (subject == GRAPH_NONE || w->s.items[subject].side == TRACE_NONE)
			continue;
		result = trace_explain(w->t, w->s.items[subject].best, &words, NULL);
		w->p->nodes.items[i].explanation = picture_take_text(w->p, &words);
	}
	buffer_release(&words);
	return result < 0 || picture_failed(w->p) ? -1 : 0;
}
