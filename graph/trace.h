// SPDX-License-Identifier: MIT
// Slice and rank: which nodes can have led to the contact, which can have followed from it, and how strongly.
//
// Backward from the seeds, twice in one search: T(seed) = the contact for what led to it, and, dearer by TRACE_SENT_COST, T(seed) = the
// connection's end for what may have been sent over it. T(v) = the latest time at which information at v could still reach a seed. An edge u -> v is usable iff
// start <= T(v); it gives T(u) = min(end, T(v)). Forward from every node on the chosen backward paths, from the time at which it
// could first have been reached. Both exact, O(E log V).
//
// A node's score is its single best path to a seed, and that path is possible in time: labels are (node, time), popped by cost; a
// label is kept only if its time is later (backward; earlier, forward) than those already popped at that node. The cost of a path
// is the sum of -ln(conductance) in integer micro-units, so that results are byte-stable. Conductance = product of printed factors.
#ifndef GRAPH_TRACE_H
#define GRAPH_TRACE_H

#include "base/error.h"
#include "base/vector.h"
#include "graph/model.h"

#include <stdbool.h>
#include <stdint.h>

#define TRACE_COST_UNREACHED UINT32_MAX
#define TRACE_SENT_COST 510826u /* -ln 0.6 in micro-units: it may have been sent, but it did not lead to the contact */

struct baseline;               // how common things are in a log that the user names: graph/rank.h

struct trace_options {
	const struct baseline *baseline; // NULL: common = in this window
	uint32_t chosen;           // so many best nodes have their backward paths followed forward; 0 = default
};

enum trace_side { TRACE_NONE, TRACE_SEED, TRACE_CAUSE, TRACE_EFFECT };

struct trace_factors {         // of one edge, each in (0, 1]; their product is the conductance
	double op, class_, prior, fan, rare, disk;
	uint32_t df, trees, fan_degree; // what prior and fan were computed from
};

struct trace_node {
	uint8_t side;              // enum trace_side; a node that is both is a cause
	bool free_line;            // on a seed's own line of fork and exec: free and always shown
	bool seed;
	bool sent;                 // did not lead to the contact, but may have been sent over the connection (side: cause, or the stronger effect)
	uint32_t cost;             // of the best possible path, micro-units of -ln; TRACE_COST_UNREACHED: not in the slice
	double score;              // exp(-cost / 1e6)
	uint64_t usable_ns;        // cause: latest time usable to reach the seed; effect: earliest time reached
	uint32_t next_edge;        // cause: first edge of its path toward the seed; effect: last edge of its path from the seed's line
	uint32_t next_label;       // private: the chain of labels that makes the path (trace_path)
	uint32_t rank;             // 1 = best
};

struct trace {
	const struct graph *graph;
	struct trace_node *nodes;  // one per graph node
	struct u32_vector seeds;   // nodes (the segments that made contact, and their connection nodes)
	struct u32_vector order;   // sliced nodes, best first; ties by (time, serial, index)
	uint32_t contact;          // connection that the window was built around, GRAPH_NONE
	uint32_t cause_count, effect_count;
	uint64_t edges_walked;
	// Nodes behind which at least a tenth of all causes lie: every path from those to the contact runs through it (igraph's
	// dominators of the sliced causes; a possible path is a path, so this holds for possible ones too). Nearest the root first.
	struct u32_vector choke_points;
	const struct baseline *baseline;
	void *labels;              // private
};

// Traces from the connections `contacts` (indices; all of them are seeds). *ret must be released.
int trace_run(const struct graph *g, const uint32_t *contacts, size_t count, uint32_t main_contact,
	      struct trace_options options, struct trace *ret, struct error *err);
void trace_release(struct trace *t);

// Edges of a node's best path in order of time: cause: from the node to the seed; effect: from the seed's line to the node.
// Checked: possible in time. 0, or -1.
int trace_path(const struct trace *t, uint32_t node, struct u32_vector *ret_edges, struct error *err);
void trace_edge_factors(const struct trace *t, uint32_t edge, struct trace_factors *ret);
// "0.28 = execute 1.00 x prior 0.90 (read by 8 of 412 trees) x fan 0.35; via ...": every factor of a node's path, a line per edge.
struct buffer;
int trace_explain(const struct trace *t, uint32_t node, struct buffer *out, struct error *err);

#endif
