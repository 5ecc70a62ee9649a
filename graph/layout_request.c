// SPDX-License-Identifier: MIT
// Which edges may pull their nodes apart. Left to right means time only if most edges do not: the one that first touched a node,
// executions, and the path from the root cause do; every later edge is drawn but has no say. (It is also what keeps dot fast:
// 1,000 dense nodes from more than 45 s to 0.43 s.)
#include "graph/layout.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_WEIGHT 8
#define SPLINES_BELOW 150 /* nodes; above, straight lines: routing costs 4 times the rest at 300 nodes */

static long hundredths(double px)
{
	return (long)(px * 100 + 0.5);
}

static bool is_earlier(const struct picture_edge *a, const struct picture_edge *b)
{
	return a->first_ns != b->first_ns ? a->first_ns < b->first_ns : a->id < b->id;
}

static void take_first(const struct picture *p, uint32_t *first, uint32_t node, uint32_t edge)
{
	if (first[node] == GRAPH_NONE || is_earlier(&p->edges.items[edge], &p->edges.items[first[node]]))
		first[node] = edge;
}

static bool is_execution(enum flow_op op)
{
	return op == FLOW_EXEC || op == FLOW_EXECUTE;
}

void layout_request(const struct picture *p, struct buffer *out)
{
	uint32_t *first AUTO_FREE = malloc((p->nodes.count + 1) * sizeof(*first));
	size_t edges = 0;

	if (!first) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < p->nodes.count; i++)
		first[i] = GRAPH_NONE;
	for (uint32_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		if (e->from == e->to)
			continue;
		edges++;
		if (e->correlation)
			continue;
		take_first(p, first, e->from, i);
		take_first(p, first, e->to, i);
	}
	buffer_printf(out, "provgraph-layout 1\ngraph %zu %zu %s\n", p->nodes.count, edges,
		      p->nodes.count < SPLINES_BELOW ? "splines" : "lines");
	for (size_t i = 0; i < p->nodes.count; i++)
		buffer_printf(out, "node %ld %ld\n", hundredths(p->nodes.items[i].width), hundredths(p->nodes.items[i].height));
	for (uint32_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		if (e->from == e->to)
			continue;
		bool constrains = e->on_path || is_execution(e->op) || first[e->from] == i || first[e->to] == i;
		buffer_printf(out, "edge %" PRIu32 " %" PRIu32 " %d %d %ld %d\n", e->from, e->to, constrains,
			      e->on_path ? PATH_WEIGHT : 1, hundredths(layout_arrow(e)), e->both_ways);
	}
	buffer_add_string(out, "end\n");
}
