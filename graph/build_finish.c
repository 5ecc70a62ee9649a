// SPDX-License-Identifier: MIT
// The end of building: what only the whole log shows, ends of segments and edges, order, indices.
#include "graph/build.h"

#include <stdlib.h>
#include <string.h>

// --- forks and execs, which late records may have changed until now

static void fork_flow(struct graph_builder *b, uint32_t process)
{
	const struct process *p = &b->g->processes.items[process];
	const struct process_state *s = &b->process_states.items[process];
	if (s->origin == GRAPH_NONE)
		return;
	// The child has its copy by the time at which it first acts.
	uint64_t acted_ns = s->first_ns > s->fork_start_ns ? s->first_ns : s->fork_start_ns;
	struct flow f = {
		.from = b->g->segments.items[s->origin].node, .to = b->g->segments.items[p->segments.items[0]].node, .op = FLOW_FORK,
		.class = p->parent_class, .start_ns = s->fork_start_ns, .end_ns = s->fork_end_ns < acted_ns ? s->fork_end_ns : acted_ns,
		.serial = s->fork_serial, .evidence = s->fork_evidence, .evidence_count = s->fork_evidence_count,
	};
	flow_add(b, &f);
}

static void exec_flows(struct graph_builder *b, uint32_t process)
{
	const struct process *p = &b->g->processes.items[process];
	for (size_t i = 1; i < p->segments.count; i++) {
		const struct segment *s = &b->g->segments.items[p->segments.items[i]];
		const struct segment_state *state = &b->segment_states.items[p->segments.items[i]];
		struct flow f = {
			.from = b->g->segments.items[p->segments.items[i - 1]].node, .to = s->node, .op = FLOW_EXEC, .class = state->exec_class,
			.start_ns = s->start_ns, .end_ns = state->exec_end_ns, .serial = s->serial, .evidence = state->evidence,
			.evidence_count = state->evidence_count,
		};
		flow_add(b, &f);
	}
}

// --- ends

// The last moment at which it may have acted: its exit had happened by then, or somebody else has its pid.
static uint64_t process_end(const struct graph_builder *b, uint32_t process)
{
	const struct process_state *s = &b->process_states.items[process];
	if (s->exit_latest_ns == NANOTIME_NONE)
		return NANOTIME_NONE;
	return s->exit_latest_ns > s->last_ns ? s->exit_latest_ns : s->last_ns;
}

static void end_segments(struct graph_builder *b)
{
	for (uint32_t i = 0; i < b->g->processes.count; i++) {
		const struct process *p = &b->g->processes.items[i];
		uint64_t end_ns = process_end(b, i);
		uint32_t next = b->process_states.items[i].next_instance;
		// Nobody saw it end: it had, at the latest, when its pid was given out again.
		if (next != GRAPH_NONE && end_ns == NANOTIME_NONE)
			end_ns = b->g->processes.items[next].birth_ns;
		for (size_t k = p->segments.count; k-- > 0;) {
			struct segment *s = &b->g->segments.items[p->segments.items[k]];
			s->end_ns = end_ns > s->start_ns ? end_ns : s->start_ns;
			b->g->nodes.items[s->node].end_ns = s->end_ns;
			end_ns = s->start_ns;
		}
	}
}

static void end_edges(struct graph_builder *b)
{
	for (size_t i = 0; i < b->g->edges.count; i++) {
		struct flow_edge *e = &b->g->edges.items[i];
		uint64_t end_ns = NANOTIME_NONE;
		if (b->edge_states.items[i].until != UNTIL_SEGMENT)
			continue;
		const uint32_t ends[] = {e->from, e->to};
		for (size_t side = 0; side < 2; side++)
			if (b->g->nodes.items[ends[side]].end_ns < end_ns)
				end_ns = b->g->nodes.items[ends[side]].end_ns;
		e->end_ns = end_ns > e->start_ns ? end_ns : e->start_ns;
	}
}

// Who has a file open while it is cut has the next version open as well.
static void continue_edge(struct graph_builder *b, uint32_t edge, bool file_is_from)
{
	const struct flow_edge e = b->g->edges.items[edge];
	uint32_t file_end = file_is_from ? e.from : e.to, process_end_node = file_is_from ? e.to : e.from;
	const struct graph_node *n = &b->g->nodes.items[file_end];
	const struct u32_vector *versions = &b->g->files.items[n->entity].versions;
	uint64_t until_ns = b->g->nodes.items[process_end_node].end_ns;
	if (n->kind != NODE_FILE)
		return;
	for (size_t v = n->part + 1; v < versions->count; v++) {
		uint64_t start_ns = b->g->nodes.items[versions->items[v]].start_ns;
		if (start_ns > until_ns || start_ns < e.start_ns)
			break;
		struct flow f = {.from = e.from, .to = e.to, .op = e.op, .class = e.class, .until = UNTIL_SEGMENT, .start_ns = start_ns, .end_ns = NANOTIME_NONE,
				 .serial = e.serial, .evidence = e.evidence, .evidence_count = e.evidence_count};
		*(file_is_from ? &f.from : &f.to) = versions->items[v];
		flow_add(b, &f);
	}
}

static void continue_edges(struct graph_builder *b)
{
	size_t count = b->g->edges.count; // those that follow are the continuations
	for (uint32_t i = 0; i < count; i++) {
		const struct flow_edge *e = &b->g->edges.items[i];
		if (b->edge_states.items[i].until != UNTIL_SEGMENT || b->edge_states.items[i].dead)
			continue;
		bool from_file = b->g->nodes.items[e->from].kind == NODE_FILE, to_file = b->g->nodes.items[e->to].kind == NODE_FILE;
		uint32_t file_end = from_file ? e->from : e->to;
		if ((from_file || to_file) && b->g->nodes.items[file_end].end_ns != NANOTIME_NONE)
			continue_edge(b, i, from_file);
	}
}

// --- evidence: an edge's events side by side

static void gather_evidence(struct graph_builder *b, uint32_t edge)
{
	struct graph *g = b->g;
	struct flow_edge *e = &g->edges.items[edge];
	uint32_t first = (uint32_t)g->evidence.count, from = e->evidence, count = e->evidence_count;
	uint32_t next = b->edge_states.items[edge].proof_head;
	if (next == GRAPH_NONE)
		return;
	for (;;) {
		for (uint32_t i = 0; i < count; i++) {
			struct edge_evidence copy = g->evidence.items[from + i];
			if (evidence_vector_append(&g->evidence, copy) < 0)
				b->failed = true;
		}
		if (next == GRAPH_NONE)
			break;
		from = b->proofs.items[next].evidence;
		count = b->proofs.items[next].count;
		next = b->proofs.items[next].next;
	}
	e->evidence = first;
	e->evidence_count = (uint32_t)g->evidence.count - first;
}

// --- order and indices

struct edge_key { uint64_t start_ns, serial; uint32_t from, to, op, index; };

static int compare_keys(const void *a, const void *b)
{
	const struct edge_key *x = a, *y = b;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->serial != y->serial)
		return x->serial < y->serial ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	if (x->op != y->op)
		return x->op < y->op ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void sort_edges(struct graph_builder *b)
{
	struct graph *g = b->g;
	struct edge_key *keys = malloc((g->edges.count + 1) * sizeof(*keys));
	struct edge_vector sorted = {0};
	size_t count = 0;
	if (!keys || edge_vector_reserve(&sorted, g->edges.count + 1) < 0) {
		free(keys);
		b->failed = true;
		return;
	}
	for (uint32_t i = 0; i < g->edges.count; i++) {
		const struct flow_edge *e = &g->edges.items[i];
		if (!b->edge_states.items[i].dead)
			keys[count++] = (struct edge_key){e->start_ns, e->serial, e->from, e->to, e->op, i};
	}
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < count; i++)
		sorted.items[sorted.count++] = g->edges.items[keys[i].index];
	free(keys);
	edge_vector_release(&g->edges);
	g->edges = sorted;
}

static void index_side(struct graph_builder *b, bool in, struct u32_vector *starts, struct u32_vector *list)
{
	const struct graph *g = b->g;
	size_t n = g->nodes.count, m = g->edges.count;
	uint32_t *next = malloc((n + 1) * sizeof(*next));
	if (!next || u32_vector_reserve(starts, n + 2) < 0 || u32_vector_reserve(list, m + 1) < 0) {
		free(next);
		b->failed = true;
		return;
	}
	memset(starts->items, 0, (n + 2) * sizeof(*starts->items));
	for (size_t i = 0; i < m; i++)
		starts->items[(in ? g->edges.items[i].to : g->edges.items[i].from) + 1]++;
	for (size_t i = 1; i <= n; i++)
		starts->items[i] += starts->items[i - 1];
	starts->count = n + 1;
	memcpy(next, starts->items, (n + 1) * sizeof(*next));
	for (uint32_t i = 0; i < m; i++) // in order of edges, so that each node's edges are in order of start
		list->items[next[in ? g->edges.items[i].to : g->edges.items[i].from]++] = i;
	list->count = m;
	free(next);
}

int graph_finish(struct graph *g, struct error *err)
{
	struct graph_builder *b = g->builder;
	if (!b)
		return 0;
	births_settle(b);
	descriptors_settle(b);
	pipes_settle(b);
	pipes_guess(b);
	unix_settle(b);
	locals_settle(b);
	starts_settle(b);
	for (uint32_t i = 0; i < g->processes.count; i++) {
		fork_flow(b, i);
		exec_flows(b, i);
	}
	end_segments(b);
	continue_edges(b);
	end_edges(b);
	for (uint32_t i = 0; i < g->edges.count; i++)
		gather_evidence(b, i);
	sort_edges(b);
	trees_settle(b);
	if (builder_check(b, "building the graph", err) < 0)
		return -1;
	index_side(b, false, &g->out_start, &g->out_edges);
	index_side(b, true, &g->in_start, &g->in_edges);
	if (builder_check(b, "building the graph", err) < 0)
		return -1;
	trees_count(b);
	if (builder_check(b, "building the graph", err) < 0)
		return -1;
	builder_free(b);
	g->builder = NULL;
	return 0;
}
