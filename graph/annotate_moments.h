// SPDX-License-Identifier: MIT
// Inside annotation_moments(): the moments of one file, from what its disk answered. Apart, so that tests can hand it any answer.
#ifndef GRAPH_ANNOTATE_MOMENTS_H
#define GRAPH_ANNOTATE_MOMENTS_H

#include "graph/annotate.h"

int annotate_moments_of(const struct annotate_answer *answer, const struct timeline_clock *clock, const struct graph *g, uint32_t file,
			struct annotate_moments *ret, struct error *err);

#endif
