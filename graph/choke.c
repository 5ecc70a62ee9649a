// SPDX-License-Identifier: MIT
#include "graph/choke.h"

#include "graph/structure.h"

#include <stdlib.h>
#include <string.h>

#define CHOKE_SHARE 10         /* a choke point has at least a tenth of all causes behind it */
#define CHOKE_POINTS_MAX 8

// The sliced cause edges turned round, from one root that stands before all seeds. Nodes keep their numbers; root is the last.
static int cause_edges(const struct trace *t, uint32_t root, struct u32_vector *from, struct u32_vector *to)
{
	for (size_t i = 0; i < t->graph->edges.count; i++) {
		const struct flow_edge *e = &t->graph->edges.items[i];
		uint8_t a = t->nodes[e->from].side, b = t->nodes[e->to].side;
		bool causes = (a == TRACE_CAUSE || a == TRACE_SEED) && (b == TRACE_CAUSE || b == TRACE_SEED);
		if (!causes || e->failed || flow_is_effect_only(e->op) || e->start_ns > t->nodes[e->to].usable_ns)
			continue;
		if (u32_vector_append(from, e->to) < 0 || u32_vector_append(to, e->from) < 0)
			return -1;
	}
	for (size_t i = 0; i < t->seeds.count; i++)
		if (u32_vector_append(from, root) < 0 || u32_vector_append(to, t->seeds.items[i]) < 0)
			return -1;
	return 0;
}

// How many causes lie behind each node: sums over the dominator tree, deepest first.
static int count_behind(uint32_t count, uint32_t root, const uint32_t *idom, uint32_t *behind, uint32_t *depth)
{
	struct u32_vector stack = {0};
	memset(depth, 0xff, count * sizeof(*depth));
	depth[root] = 0;
	uint32_t deepest = 0;
	int result = 0;
	for (uint32_t n = 0; n < count && result == 0; n++) {
		stack.count = 0;
		uint32_t at = n;
		while (at != GRAPH_NONE && depth[at] == GRAPH_NONE && result == 0) {
			result = u32_vector_append(&stack, at);
			at = idom[at];
		}
		uint32_t d = at == GRAPH_NONE ? GRAPH_NONE : depth[at];
		while (stack.count && d != GRAPH_NONE) {
			depth[stack.items[--stack.count]] = ++d;
			deepest = d > deepest ? d : deepest;
		}
	}
	u32_vector_release(&stack);
	if (result < 0)
		return -1;
	// bucket by depth: from the deepest up
	uint32_t *start = calloc((size_t)deepest + 2, sizeof(*start)), *sorted = malloc((count + 1) * sizeof(*sorted));
	if (start && sorted) {
		for (uint32_t n = 0; n < count; n++)
			if (depth[n] != GRAPH_NONE)
				start[depth[n] + 1]++;
		for (uint32_t d = 0; d <= deepest; d++)
			start[d + 1] += start[d];
		uint32_t total = start[deepest + 1];
		for (uint32_t n = 0; n < count; n++)
			if (depth[n] != GRAPH_NONE)
				sorted[start[depth[n]]++] = n;
		for (uint32_t i = total; i-- > 0;)
			if (idom[sorted[i]] != GRAPH_NONE)
				behind[idom[sorted[i]]] += behind[sorted[i]] + 1;
	} else {
		result = -1;
	}
	free(start);
	free(sorted);
	return result;
}

// Nearest the root cause first; at one depth by number. One pass: a chain of 100,000 processes is as deep as it is long.
static int take_choke_points(struct trace *t, uint32_t count, const uint32_t *behind, const uint32_t *depth)
{
	uint32_t best[CHOKE_POINTS_MAX], taken = 0;
	for (uint32_t n = 0; n < count; n++) {
		if (depth[n] == GRAPH_NONE || depth[n] == 0 || !behind[n] || behind[n] * CHOKE_SHARE < t->cause_count ||
		    t->nodes[n].side != TRACE_CAUSE)
			continue;
		uint32_t at = taken < CHOKE_POINTS_MAX ? taken++ : CHOKE_POINTS_MAX;
		for (; at > 0 && depth[best[at - 1]] < depth[n]; at--)
			if (at < CHOKE_POINTS_MAX)
				best[at] = best[at - 1];
		if (at < CHOKE_POINTS_MAX)
			best[at] = n;
	}
	for (uint32_t i = 0; i < taken; i++)
		if (u32_vector_append(&t->choke_points, best[i]) < 0)
			return -1;
	return 0;
}

int choke_points_find(struct trace *t, struct error *err)
{
	uint32_t root = (uint32_t)t->graph->nodes.count, count = root + 1;
	struct u32_vector from = {0}, to = {0};
	uint32_t *idom = malloc(count * sizeof(*idom)), *behind = calloc(count, sizeof(*behind));
	uint32_t *depth = malloc(count * sizeof(*depth));
	int result = -1;
	if (!idom || !behind || !depth || cause_edges(t, root, &from, &to) < 0)
		error_set(err, "choke points: out of memory");
	else if (structure_dominators(count, from.items, to.items, from.count, root, idom, err) == 0) {
		result = count_behind(count, root, idom, behind, depth);
		if (result == 0)
			result = take_choke_points(t, root, behind, depth);
		if (result < 0)
			error_set(err, "choke points: out of memory");
	}
	u32_vector_release(&from);
	u32_vector_release(&to);
	free(idom);
	free(behind);
	free(depth);
	return result;
}
