// SPDX-License-Identifier: MIT
#include "graph/structure.h"

#include <igraph/igraph.h>

void structure_setup(void)
{
	igraph_set_error_handler(igraph_error_handler_ignore);
	igraph_set_warning_handler(igraph_warning_handler_ignore);
	igraph_set_attribute_table(&igraph_cattribute_table);
}

static int structure_error(igraph_error_t code, struct error *err)
{
	return error_set(err, "igraph: %s", igraph_strerror(code));
}

// igraph takes one flat vector: from, to, from, to ...
static igraph_error_t build(igraph_t *ret_graph, uint32_t node_count, const uint32_t *from,
			    const uint32_t *to, size_t edge_count)
{
	igraph_vector_int_t pairs;
	igraph_error_t code = igraph_vector_int_init(&pairs, (igraph_integer_t)(2 * edge_count));
	if (code != IGRAPH_SUCCESS)
		return code;
	for (size_t i = 0; i < edge_count; i++) {
		VECTOR(pairs)[2 * i] = (igraph_integer_t)from[i];
		VECTOR(pairs)[2 * i + 1] = (igraph_integer_t)to[i];
	}
	code = igraph_create(ret_graph, &pairs, (igraph_integer_t)node_count, IGRAPH_DIRECTED);
	igraph_vector_int_destroy(&pairs);
	return code;
}

int structure_dominators(uint32_t node_count, const uint32_t *from, const uint32_t *to, size_t edge_count,
			 uint32_t root, uint32_t *ret_idom, struct error *err)
{
	structure_setup();
	igraph_t graph;
	igraph_error_t code = build(&graph, node_count, from, to, edge_count);
	if (code != IGRAPH_SUCCESS)
		return structure_error(code, err);
	igraph_vector_int_t dominators;
	code = igraph_vector_int_init(&dominators, 0);
	if (code == IGRAPH_SUCCESS) {
		code = igraph_dominator_tree(&graph, (igraph_integer_t)root, &dominators, NULL, NULL, IGRAPH_OUT);
		// -1 marks the root, -2 what is not reached
		for (uint32_t n = 0; code == IGRAPH_SUCCESS && n < node_count; n++) {
			igraph_integer_t d = VECTOR(dominators)[n];
			ret_idom[n] = d < 0 ? UINT32_MAX : (uint32_t)d;
		}
		igraph_vector_int_destroy(&dominators);
	}
	igraph_destroy(&graph);
	return code == IGRAPH_SUCCESS ? 0 : structure_error(code, err);
}
