// SPDX-License-Identifier: MIT
// Which edges may pull their nodes apart. Left to right means time only if most edges do not: the one that first touched a node,
// executions, and the path from the root cause do; every later edge is drawn but has no say. (It is also what keeps dot fast:
// 1,000 dense nodes from more than 45 s to 0.43 s.)
#include "graph/layout.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PATH_WEIGHT 8
#define SPLINES_BELOW 150 /* nodes; above, straight lines: routing costs 4 times the rest at 300 nodes */

static long hundredths(double px)
{
	return (long)(px * 100 + 0.5);
}

// What says best where a node belongs: how a process came to be, then whatever was seen to happen first, then what everybody does (the
// dynamic linker) or what was not seen.
static int standing(const struct picture *p, const struct picture_edge *e, uint32_t node)
{
	bool birth = e->op == FLOW_FORK || e->op == FLOW_EXEC || e->op == FLOW_START;

	if (e->to == node && birth && p->nodes.items[node].kind == PICTURE_PROCESS)
		return 0;
	return e->op == FLOW_INTERPRET || e->class != CLASS_OBSERVED ? 2 : 1;
}

static bool is_better(const struct picture *p, const struct picture_edge *a, const struct picture_edge *b, uint32_t node)
{
	int here = standing(p, a, node), there = standing(p, b, node);

	if (here != there)
		return here < there;
	return a->first_ns != b->first_ns ? a->first_ns < b->first_ns : a->id < b->id;
}

static void take_first(const struct picture *p, uint32_t *first, uint32_t node, uint32_t edge)
{
	if (first[node] == GRAPH_NONE || is_better(p, &p->edges.items[edge], &p->edges.items[first[node]], node))
		first[node] = edge;
}

static bool is_execution(enum flow_op op)
{
	return op == FLOW_EXEC || op == FLOW_EXECUTE;
}

struct request {
	const struct picture *p;
	uint32_t *first;  // per node: the edge that says where it belongs
	bool *constrains; // per edge
	bool *seen;       // per node, for reaches()
	uint32_t *stack;  // per node
};

static bool reaches(struct request *r, uint32_t from, uint32_t to)
{
	size_t depth = 0;

	memset(r->seen, 0, r->p->nodes.count);
	r->stack[depth++] = from;
	r->seen[from] = true;
	while (depth > 0) {
		uint32_t node = r->stack[--depth];

		if (node == to)
			return true;
		for (size_t i = 0; i < r->p->edges.count; i++) {
			const struct picture_edge *e = &r->p->edges.items[i];

			if (r->constrains[i] && e->from == node && !r->seen[e->to]) {
				r->seen[e->to] = true;
				r->stack[depth++] = e->to;
			}
		}
	}
	return false;
}

// The path decides, then how processes came to be, then the rest.
static int importance(const struct request *r, uint32_t index)
{
	const struct picture_edge *e = &r->p->edges.items[index];
	bool first = r->first[e->from] == index || r->first[e->to] == index;

	if (e->from == e->to || e->correlation || (!first && !e->on_path && !is_execution(e->op)))
		return 3; // no say
	return e->on_path ? 0 : standing(r->p, e, e->to) == 0 ? 1 : 2;
}

// dot turns edges around where they make a circle, and does not care which: so no circle is handed to it, and what is less important
// gives way.
static void find_constraints(struct request *r)
{
	for (uint32_t i = 0; i < r->p->edges.count; i++) {
		const struct picture_edge *e = &r->p->edges.items[i];

		if (e->from == e->to || e->correlation)
			continue;
		take_first(r->p, r->first, e->from, i);
		take_first(r->p, r->first, e->to, i);
	}
	for (int level = 0; level < 3; level++)
		for (uint32_t i = 0; i < r->p->edges.count; i++) {
			const struct picture_edge *e = &r->p->edges.items[i];

			if (importance(r, i) == level)
				r->constrains[i] = !reaches(r, e->to, e->from);
		}
}

static void add_lines(const struct request *r, struct buffer *out)
{
	const struct picture *p = r->p;
	size_t edges = 0;

	for (size_t i = 0; i < p->edges.count; i++)
		edges += p->edges.items[i].from != p->edges.items[i].to;
	buffer_printf(out, "provgraph-layout 1\ngraph %zu %zu %s\n", p->nodes.count, edges,
		      p->nodes.count < SPLINES_BELOW ? "splines" : "lines");
	for (size_t i = 0; i < p->nodes.count; i++)
		buffer_printf(out, "node %ld %ld\n", hundredths(p->nodes.items[i].width), hundredths(p->nodes.items[i].height));
	for (uint32_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		if (e->from != e->to)
			buffer_printf(out, "edge %" PRIu32 " %" PRIu32 " %d %d %ld %d\n", e->from, e->to, r->constrains[i],
				      e->on_path ? PATH_WEIGHT : 1, hundredths(layout_arrow(e)), e->both_ways);
	}
	buffer_add_string(out, "end\n");
}

void layout_request(const struct picture *p, struct buffer *out)
{
	struct request r = {
		.p = p,
		.first = malloc((p->nodes.count + 1) * sizeof(*r.first)),
		.constrains = calloc(p->edges.count + 1, sizeof(*r.constrains)),
		.seen = calloc(p->nodes.count + 1, sizeof(*r.seen)),
		.stack = malloc((p->nodes.count + 1) * sizeof(*r.stack)),
	};

	if (r.first && r.constrains && r.seen && r.stack) {
		memset(r.first, 0xff, (p->nodes.count + 1) * sizeof(*r.first)); // GRAPH_NONE
		find_constraints(&r);
		add_lines(&r, out);
	} else {
		out->failed = true;
	}
	free(r.first);
	free(r.constrains);
	free(r.seen);
	free(r.stack);
}
