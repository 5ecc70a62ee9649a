// SPDX-License-Identifier: MIT
// The label-setting search under trace.h, in both directions. Private to graph/trace*.c.
//
// A label says "information at `node` at `time` can still reach a seed, at this cost, through `edge`" (backward), or "could be at
// `node` as early as `time`" (forward). Labels are popped by cost. At one node only a label with a better time than all popped
// before is of use: it costs more, but opens edges that the cheaper ones could not take. What is popped first is the best path;
// the best time over all labels is the slice.
//
//   backward   T(seed) = contact                     forward   E(start) from the chosen backward paths
//              u -> v usable iff start <= T(v)                 u -> v usable iff end >= E(u)
//              T(u) = min(end, T(v), u's end)                  E(v) = max(start, E(u), v's start)
//
// At most SEARCH_LABELS labels count at one node; after that only the one with the best possible time, which a search by time alone
// finds. So the slice stays exact on any graph; only a node with more alternatives than that may show a dearer path than its best.
#ifndef GRAPH_SEARCH_H
#define GRAPH_SEARCH_H

#include "base/vector.h"
#include "graph/model.h"

#include <stdbool.h>
#include <stdint.h>

struct label {
	uint64_t time;
	uint32_t node, edge, parent; // parent label: one step nearer the seed (backward) or the start (forward)
	uint32_t cost;
	uint32_t line_cost;          // backward: as cost, but with nothing free
	bool terminal;               // an effect only: reached, not walked through
	bool sent;                   // backward: reaches the seed only after the contact began, while the connection lasted
};
VECTOR_DEFINE(label_vector, struct label)

#define SEARCH_LABELS 64 /* our limit: a chain of siblings can make as many labels as it has links, at each of them */

struct search {
	const struct graph *g;
	const uint32_t *edge_costs;
	const uint8_t *free_edge;    // backward: on a seed's own line
	bool forward;
	struct label_vector *labels;
	struct u64_vector heap;      // cost << 32 | index of a label, best first
	uint64_t *best_time;         // per node, over popped labels
	uint32_t *first_label;       // per node; GRAPH_NONE: not reached
	uint8_t *popped;             // labels that counted, per node
	uint64_t *possible;          // best possible time per node; NULL until a node has SEARCH_LABELS labels
	size_t starts;               // labels that the search began with
	uint64_t edges_walked;
};

// All return -1 only when out of memory. The caller sets edge_costs and free_edge; labels outlive the search.
int search_init(struct search *s, const struct graph *g, struct label_vector *labels, bool forward);
void search_release(struct search *s);
int search_push(struct search *s, struct label label);
int search_run(struct search *s);

// What a trace keeps of its two searches (struct trace.labels).
struct labels { struct label_vector cause, effect; };

#endif
