// SPDX-License-Identifier: MIT
#include "graph/build.h"

#include "base/nanotime.h"

uint32_t builder_add_node(struct graph *g, enum node_kind kind, uint32_t entity, uint32_t part, uint64_t start_ns)
{
	struct graph_node node = {.kind = (uint8_t)kind, .entity = entity, .part = part, .start_ns = start_ns, .end_ns = NANOTIME_NONE};
	if (node_vector_append(&g->nodes, node) < 0)
		return GRAPH_NONE;
	return (uint32_t)(g->nodes.count - 1);
}

int builder_evidence(struct graph *g, const struct event *e, uint32_t *ret_link)
{
	*ret_link = GRAPH_NONE;
	if (!e)
		return 0;
	struct evidence_link link = {.evidence = {.serial = e->serial, .time_ns = e->earliest_ns}, .next = GRAPH_NONE};
	if (e->evidence_count)
		link.evidence.ref = e->evidence[0];
	if (evidence_link_vector_append(&g->builder->evidence, link) < 0)
		return -1;
	*ret_link = (uint32_t)(g->builder->evidence.count - 1);
	return 0;
}

// One more event behind a draft.
static int draft_add_evidence(struct graph *g, struct draft_edge *d, const struct event *e)
{
	uint32_t link;
	if (!e || d->evidence_count >= EDGE_EVIDENCE_MAX)
		return 0;
	if (builder_evidence(g, e, &link) < 0)
		return -1;
	if (d->evidence_count++)
		g->builder->evidence.items[d->evidence_tail].next = link;
	else
		d->evidence_head = link;
	d->evidence_tail = link;
	return 0;
}

int builder_draft(struct graph *g, struct draft_edge draft, const struct event *e, uint32_t *ret_index)
{
	draft.count = 1;
	draft.last_ns = draft.start_ns;
	if (e)
		draft.serial = e->serial;
	if (draft_add_evidence(g, &draft, e) < 0 || draft_vector_append(&g->builder->draft_list, draft) < 0)
		return -1;
	if (ret_index)
		*ret_index = (uint32_t)(g->builder->draft_list.count - 1);
	return 0;
}

// Both are open until the segment ends, so the earlier one covers the later: joining them changes no reachability.
static int join_draft(struct graph *g, uint32_t index, const struct event *e, bool survives_exec)
{
	struct draft_edge *d = &g->builder->draft_list.items[index];
	if (e->earliest_ns < d->start_ns)
		d->start_ns = e->earliest_ns;
	if (e->earliest_ns > d->last_ns)
		d->last_ns = e->earliest_ns;
	d->survives_exec |= survives_exec;
	d->count++;
	return draft_add_evidence(g, d, e);
}

int builder_file_edge(struct graph *g, uint32_t process_node, uint32_t file, enum flow_op op, bool into_file, bool until_end,
		      bool survives_exec, enum flow_class class_, const struct event *e, uint32_t *ret_index)
{
	struct graph_builder *b = g->builder;
	uint64_t key = table_key((uint64_t)process_node << 32 | file, op, (uint64_t)class_ << 1 | into_file, b->file_states.items[file].cuts);
	uint32_t known = until_end ? table_get(&b->drafts, key) : TABLE_NONE;
	if (ret_index)
		*ret_index = known;
	if (known != TABLE_NONE && b->draft_list.items[known].end_ns == NANOTIME_NONE)
		return join_draft(g, known, e, survives_exec);
	struct draft_edge d = {
		.process_node = process_node, .other = file, .is_file = true, .into_other = into_file, .until_end = until_end,
		.survives_exec = survives_exec, .op = (uint8_t)op, .class = (uint8_t)class_, .start_ns = e->earliest_ns,
		.end_ns = until_end ? NANOTIME_NONE : e->earliest_ns, .version = b->past ? 0 : b->file_states.items[file].cuts,
	};
	uint32_t index;
	if (builder_draft(g, d, e, &index) < 0 || (until_end && table_put(&b->drafts, key, index) < 0))
		return -1;
	if (ret_index)
		*ret_index = index;
	return 0;
}

int builder_node_edge(struct graph *g, uint32_t process_node, uint32_t other, enum flow_op op, bool into_other, bool until_end,
		      enum flow_class class_, const struct event *e, uint32_t *ret_index)
{
	struct draft_edge d = {
		.process_node = process_node, .other = other, .into_other = into_other, .until_end = until_end,
		.op = (uint8_t)op, .class = (uint8_t)class_, .start_ns = e->earliest_ns,
		.end_ns = until_end ? NANOTIME_NONE : e->earliest_ns,
	};
	return builder_draft(g, d, e, ret_index);
}

int builder_plain_edge(struct graph *g, uint32_t from, uint32_t to, enum flow_op op, enum flow_class class_, uint64_t start_ns,
		       uint64_t end_ns, uint64_t serial, uint32_t evidence)
{
	struct draft_edge d = {
		.process_node = GRAPH_NONE, .from = from, .other = to, .op = (uint8_t)op, .class = (uint8_t)class_,
		.start_ns = start_ns, .end_ns = end_ns < start_ns ? start_ns : end_ns, .last_ns = start_ns, .serial = serial, .count = 1,
	};
	if (evidence != GRAPH_NONE)
		d.evidence_head = d.evidence_tail = evidence, d.evidence_count = 1;
	return draft_vector_append(&g->builder->draft_list, d);
}
