// SPDX-License-Identifier: MIT
// The one home of igraph: dominators. (GraphML stands in write_graphml.c, which uses the same set-up.)
//
// igraph aborts the process by default, keeps global state and is not thread-safe in Debian's build: structure_setup() installs
// an error handler that returns codes, and everything runs on one thread.
#ifndef GRAPH_STRUCTURE_H
#define GRAPH_STRUCTURE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

void structure_setup(void);

// Immediate dominators of `node_count` nodes, walking edges from[i] -> to[i] from `root`: ret_idom[n] is the node through which every
// path from root to n last has to pass; UINT32_MAX for root itself and for nodes that root does not reach.
int structure_dominators(uint32_t node_count, const uint32_t *from, const uint32_t *to, size_t edge_count,
			 uint32_t root, uint32_t *ret_idom, struct error *err);

#endif
