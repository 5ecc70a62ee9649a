// SPDX-License-Identifier: MIT
// What a hostile provgraph-layout may answer: refused without a change, or taken with every number finite and in bounds.
#include "graph/layout.h"

#include "tests/unit/pictures.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct picture *p = made_picture();
	uint32_t a = made_process(p, "a", 1, 0, "a", "alice", at(10, 0, 0, 0), 0), b = made_process(p, "b", 2, 1, "b", "alice", at(10, 0, 0, 0), 0);

	made_edge(p, a, b, FLOW_FORK, at(10, 0, 0, 0), 1, "started");
	made_edge(p, b, b, FLOW_SIGNAL, at(10, 0, 0, 0), 1, "itself");
	layout_sizes(p);
	if (layout_answer(p, (const char *)data, size, NULL) < 0) {
		if (p->nodes.items[a].x != 0 || p->edges.items[0].points)
			abort();
	} else {
		if (layout_self_loops(p) < 0)
			abort();
		layout_normalize(p);
		if (!(p->width >= 0 && p->width < 300000 && p->height >= 0 && p->height < 300000))
			abort();
		for (size_t i = 0; i < p->edges.count; i++)
			for (size_t j = 0; j < 2 * p->edges.items[i].point_count; j++)
				if (!isfinite(p->edges.items[i].points[j]))
					abort();
	}
	made_free(p);
	return 0;
}
