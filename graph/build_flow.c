// SPDX-License-Identifier: MIT
// Edges. A process that opens one file 10,000 times must not cost 10,000 edges, but merging must not open a way that was not there:
// other edges at u or v may be open all the time, so two flows u -> v become one interval only if
//   - the earlier one is open until its segment ends: it covers the later one, or
//   - they overlap, as what happens within one tick of the audit clock does, or
//   - it is a read or write under an open of the same file, whose interval covers both, or an effect, which nothing flows through.
#include "graph/build.h"

#define EDGE_EVENTS_MAX 20   /* events kept per edge; edge.count tells all */
#define EVENT_SPANS_MAX 8    /* places in the log kept per event: its lines can lie apart */

uint32_t node_add(struct graph_builder *b, enum node_kind kind, uint32_t entity, uint32_t part, uint64_t start_ns)
{
	struct graph_node node = {.kind = (uint8_t)kind, .entity = entity, .part = part, .start_ns = start_ns, .end_ns = NANOTIME_NONE};
	if (node_vector_append(&b->g->nodes, node) < 0) {
		b->failed = true;
		return GRAPH_NONE;
	}
	return (uint32_t)(b->g->nodes.count - 1);
}

void evidence_keep(struct graph_builder *b, uint32_t *ret_first, uint32_t *ret_count)
{
	const struct event *e = b->event;
	if (b->evidence_count == 0) {
		if (e->recovered && u32_vector_append(&b->recovered, (uint32_t)b->g->evidence.count) < 0)
			b->failed = true;
		struct edge_evidence one = {.serial = e->serial, .time_ns = e->earliest_ns};
		b->evidence = (uint32_t)b->g->evidence.count;
		size_t spans = e->evidence_count < EVENT_SPANS_MAX ? e->evidence_count : EVENT_SPANS_MAX;
		for (size_t i = 0; i < spans || i == 0; i++) { // an event whose source keeps no lines still has its serial
			if (spans)
				one.ref = e->evidence[i];
			if (evidence_vector_append(&b->g->evidence, one) < 0)
				b->failed = true;
		}
		b->evidence_count = (uint32_t)b->g->evidence.count - b->evidence;
	}
	*ret_first = b->evidence;
	*ret_count = b->evidence_count;
}

static uint32_t edge_hash(const struct graph_builder *b, uint32_t from, uint32_t to, uint32_t op, uint32_t class_, bool failed)
{
	return table_hash(&b->edge_table, (uint64_t)from << 32 | to, op | class_ << 8 | (uint32_t)failed << 16);
}

static uint32_t edge_find(const struct graph_builder *b, const struct flow *f, enum flow_op op, uint32_t hash)
{
	uint32_t item;
	for (size_t cursor = 0; (item = table_next(&b->edge_table, hash, &cursor)) != TABLE_NONE;) {
		const struct flow_edge *e = &b->g->edges.items[item];
		if (e->from == f->from && e->to == f->to && e->op == op && e->class == f->class && e->failed == f->failed)
			return item;
	}
	return GRAPH_NONE;
}

// A read or write says no more about reachability than the open that allowed it.
static bool covered_by_open(const struct graph_builder *b, const struct flow_edge *e, const struct flow *f)
{
	enum flow_op open = f->op == FLOW_READ ? FLOW_OPEN_READ : FLOW_OPEN_WRITE;
	if (f->op != FLOW_READ && f->op != FLOW_WRITE)
		return false;
	uint32_t edge = edge_find(b, f, open, edge_hash(b, f->from, f->to, open, f->class, f->failed));
	return edge != GRAPH_NONE && b->edge_states.items[edge].until == UNTIL_SEGMENT && b->g->edges.items[edge].start_ns <= e->start_ns &&
	       e->start_ns <= f->start_ns;
}

static bool can_merge(const struct graph_builder *b, uint32_t edge, const struct flow *f)
{
	const struct flow_edge *e = &b->g->edges.items[edge];
	if (b->edge_states.items[edge].until == UNTIL_SEGMENT && f->start_ns >= e->start_ns)
		return true;
	if (f->start_ns <= e->end_ns && f->end_ns >= e->start_ns)
		return true;
	return flow_is_effect_only(f->op) || covered_by_open(b, e, f);
}

// One more event behind an edge, of which the first is in the edge itself.
static void add_proof(struct graph_builder *b, uint32_t edge, const struct flow *f)
{
	struct edge_state *s = &b->edge_states.items[edge];
	struct proof proof = {.evidence = f->evidence, .count = f->evidence_count, .next = GRAPH_NONE};
	if (f->evidence_count == 0 || b->g->edges.items[edge].count >= EDGE_EVENTS_MAX)
		return;
	if (proof_vector_append(&b->proofs, proof) < 0) {
		b->failed = true;
		return;
	}
	uint32_t index = (uint32_t)(b->proofs.count - 1);
	if (s->proof_tail == GRAPH_NONE)
		s->proof_head = index;
	else
		b->proofs.items[s->proof_tail].next = index;
	s->proof_tail = index;
}

static void merge(struct graph_builder *b, uint32_t edge, const struct flow *f)
{
	struct flow_edge *e = &b->g->edges.items[edge];
	add_proof(b, edge, f);
	e->count++;
	if (f->start_ns < e->start_ns)
		e->start_ns = f->start_ns;
	if (f->start_ns > e->last_ns)
		e->last_ns = f->start_ns;
	if (f->until == UNTIL_SEGMENT)
		b->edge_states.items[edge].until = UNTIL_SEGMENT;
	if (f->end_ns > e->end_ns)
		e->end_ns = f->end_ns;
}

static uint32_t append(struct graph_builder *b, const struct flow *f)
{
	struct flow_edge e = {
		.from = f->from, .to = f->to, .op = (uint8_t)f->op, .class = (uint8_t)f->class, .failed = f->failed,
		.start_ns = f->start_ns, .end_ns = f->end_ns < f->start_ns ? f->start_ns : f->end_ns, .serial = f->serial,
		.count = 1, .last_ns = f->start_ns, .evidence = f->evidence, .evidence_count = f->evidence_count,
	};
	struct edge_state s = {.proof_head = GRAPH_NONE, .proof_tail = GRAPH_NONE, .until = (uint8_t)f->until};
	if (edge_state_vector_append(&b->edge_states, s) < 0 || edge_vector_append(&b->g->edges, e) < 0) {
		b->failed = true;
		return GRAPH_NONE;
	}
	return (uint32_t)(b->g->edges.count - 1);
}

static bool rests_on_recovered(const struct graph_builder *b, const struct flow *f)
{
	size_t low = 0, high = b->recovered.count; // ascending

	if (f->evidence_count == 0)
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (b->recovered.items[middle] < f->evidence)
			low = middle + 1;
		else
			high = middle;
	}
	return low < b->recovered.count && b->recovered.items[low] == f->evidence;
}

static void mark_recovered(struct graph_builder *b, uint32_t edge, const struct flow *f)
{
	bool recovered = b->recovered.count > 0 && rests_on_recovered(b, f), given = f->evidence_count > 0 && !recovered;
	const uint32_t ends[] = {f->from, f->to};
	b->g->edges.items[edge].recovered |= recovered;
	for (size_t i = 0; i < 2; i++) {
		b->g->nodes.items[ends[i]].recovered |= recovered;
		b->g->nodes.items[ends[i]].given |= given;
	}
}

uint32_t flow_add(struct graph_builder *b, const struct flow *f)
{
	if (f->from == GRAPH_NONE || f->to == GRAPH_NONE || f->from == f->to)
		return GRAPH_NONE;
	uint32_t hash = edge_hash(b, f->from, f->to, f->op, f->class, f->failed), known = edge_find(b, f, f->op, hash), edge;
	if (known != GRAPH_NONE && can_merge(b, known, f)) {
		merge(b, known, f);
		edge = known;
	} else {
		edge = append(b, f);
		if (edge == GRAPH_NONE)
			return GRAPH_NONE;
		if (known != GRAPH_NONE)
			table_replace(&b->edge_table, hash, known, edge);
		else if (table_add(&b->edge_table, hash, edge) < 0)
			b->failed = true;
	}
	mark_recovered(b, edge, f);
	return edge;
}

static uint32_t flow_of_event(struct graph_builder *b, uint32_t from, uint32_t to, enum flow_op op, enum flow_class class_,
			      enum edge_until until)
{
	struct flow f = {.from = from, .to = to, .op = op, .class = class_, .until = until, .start_ns = b->event->earliest_ns,
			 .end_ns = until == UNTIL_FIXED ? b->event->latest_ns : NANOTIME_NONE, .serial = b->event->serial};
	evidence_keep(b, &f.evidence, &f.evidence_count);
	return flow_add(b, &f);
}

uint32_t flow_now(struct graph_builder *b, uint32_t from, uint32_t to, enum flow_op op, enum flow_class class_)
{
	return flow_of_event(b, from, to, op, class_, UNTIL_FIXED);
}

uint32_t flow_from_now(struct graph_builder *b, uint32_t from, uint32_t to, enum flow_op op, enum flow_class class_)
{
	return flow_of_event(b, from, to, op, class_, UNTIL_SEGMENT);
}
