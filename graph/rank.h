// SPDX-License-Identifier: MIT
// Conductance: how strongly an edge ties its two ends together, as a product of factors that can be printed.
//
//   conductance = op x class x prior x fan x rare x disk          each in (0, 1], product clamped to [1e-6, 0.98]
//
//   op     what kind of flow it is (execute 1, create 0.95, fork 0.9, read 0.85 ...)
//   class  observed 1, inferred 0.5 (a parent known by ppid only: 0.8; either end of a pipe: 0.75), uncertain 0.3
//   prior  of the file at one end: max(0.02, 1 - ln(df) / ln(1 + N)); df = distinct session and service trees that read it (for a
//          write: that touched it, square root), N = all trees. Trees, not processes: running a stage 3,000 times changes nothing.
//   fan    of the source: 1 / log2(1 + df) for a file; for a process that touches files 1 / sqrt(log2(2 + degree)), at least 0.5
//   rare   0.3 when the baseline that the user names holds the same (program, flow, folder), else 1
//   disk   0.3 for an open for writing during which nothing was written, as a recorded disk proves (graph/annotate.h); 1 where the disk shows
//          that it was written, and 1 where no disk can tell: an open that no disk speaks of is not worth less for that
//
// There is no list of paths here: what is common is measured, and nothing is deleted by it.
#ifndef GRAPH_RANK_H
#define GRAPH_RANK_H

#include "base/error.h"
#include "graph/model.h"
#include "graph/trace.h"

#include <stdint.h>

struct baseline; // what is normal, from a log that the user names

// Takes names and counts out of a finished graph; the graph may be freed afterwards. NULL and err: out of memory.
struct baseline *baseline_new(const struct graph *g, struct error *err);
void baseline_free(struct baseline *b);

// Cost of each edge of the graph in micro-units of -ln(conductance). The caller frees *ret_costs.
int rank_edge_costs(const struct graph *g, const struct baseline *baseline, uint32_t **ret_costs, struct error *err);
// The factors behind one edge's cost.
void rank_edge_factors(const struct graph *g, const struct baseline *baseline, uint32_t edge, struct trace_factors *ret);
uint32_t rank_cost_of(const struct trace_factors *f);

#endif
