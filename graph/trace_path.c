// SPDX-License-Identifier: MIT
// The way of one node to the contact, checked and explained.
#include "graph/trace.h"

#include "graph/describe.h"
#include "graph/rank.h"
#include "graph/search.h"

#include <inttypes.h>
#include <math.h>

// Can information travel along these edges, one after the other? Checked forward again, independently of the search.
static bool path_possible(const struct graph *g, const struct u32_vector *edges)
{
	uint64_t now = 0;
	for (size_t i = 0; i < edges->count; i++) {
		const struct flow_edge *e = &g->edges.items[edges->items[i]];
		now = e->start_ns > now ? e->start_ns : now;
		if (now > e->end_ns || (i && g->edges.items[edges->items[i - 1]].to != e->from))
			return false;
	}
	return true;
}

int trace_path(const struct trace *t, uint32_t node, struct u32_vector *ret_edges, struct error *err)
{
	const struct labels *labels = t->labels;
	const struct trace_node *n = &t->nodes[node];
	bool effect = n->side == TRACE_EFFECT;
	const struct label_vector *chain = effect ? &labels->effect : &labels->cause;
	ret_edges->count = 0;
	for (uint32_t label = n->next_label; label != GRAPH_NONE; label = chain->items[label].parent)
		if (chain->items[label].edge != GRAPH_NONE && u32_vector_append(ret_edges, chain->items[label].edge) < 0)
			return error_set(err, "path: out of memory");
	if (effect) // collected from the end back
		for (size_t i = 0, j = ret_edges->count; i + 1 < j; i++) {
			uint32_t swapped = ret_edges->items[i];
			ret_edges->items[i] = ret_edges->items[--j];
			ret_edges->items[j] = swapped;
		}
	if (!path_possible(t->graph, ret_edges))
		return error_set(err, "node %" PRIu32 ": its path is not possible in time (a defect of the search)", node);
	return 0;
}

void trace_edge_factors(const struct trace *t, uint32_t edge, struct trace_factors *ret)
{
	rank_edge_factors(t->graph, t->baseline, edge, ret);
}

static void explain_edge(const struct trace *t, uint32_t edge, struct buffer *out)
{
	const struct flow_edge *e = &t->graph->edges.items[edge];
	struct trace_factors f;
	trace_edge_factors(t, edge, &f);
	uint32_t cost = rank_cost_of(&f);
	buffer_add_string(out, "  ");
	describe_node(t->graph, e->from, out);
	buffer_printf(out, " -> ");
	describe_node(t->graph, e->to, out);
	buffer_printf(out, ": %.2f = %s %.2f", exp(-(double)cost / 1e6), flow_op_name(e->op), f.op);
	if (f.class_ < 1)
		buffer_printf(out, " x %s %.2f", flow_class_name(e->class), f.class_);
	if (f.df)
		buffer_printf(out, " x prior %.2f (used by %" PRIu32 " of %" PRIu32 " session and service trees)", f.prior, f.df, f.trees);
	if (f.fan < 1)
		buffer_printf(out, " x fan %.2f (%" PRIu32 ")", f.fan, f.fan_degree);
	if (f.rare < 1)
		buffer_printf(out, " x in baseline %.2f", f.rare);
	if (e->no_write_seen)
		buffer_printf(out, " x no write seen on the disk %.2f", f.disk);
	else if (e->write_seen)
		buffer_printf(out, " x written here, as the disk shows %.2f", f.disk);
	if (e->ended_by_disk && !e->no_write_seen)
		buffer_add_string(out, "; ended with the last write that reached the disk");
	buffer_printf(out, "; serial %" PRIu64 "\n", e->serial);
}

int trace_explain(const struct trace *t, uint32_t node, struct buffer *out, struct error *err)
{
	static const char *const sides[] = {"not in the slice", "contact", "cause", "effect"};
	const struct trace_node *n = &t->nodes[node];
	describe_node(t->graph, node, out);
	if (n->side == TRACE_NONE) {
		buffer_add_string(out, ": not in the slice: no flow that is possible in time joins it with the contact\n");
		return buffer_check(out, err);
	}
	buffer_printf(out, ": %s, score %.3g, rank %" PRIu32 " of %zu%s\n", sides[n->side], n->score, n->rank,
		      t->order.count, n->sent ? "; not before the contact: it may have been sent over it" : n->free_line ? "; on the contact's own line of fork and exec (free, always shown)" : "");
	struct u32_vector path = {0};
	int result = trace_path(t, node, &path, err);
	for (size_t i = 0; result == 0 && i < path.count; i++)
		explain_edge(t, path.items[i], out);
	u32_vector_release(&path);
	return result < 0 ? -1 : buffer_check(out, err);
}
