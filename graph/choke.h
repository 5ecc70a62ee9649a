// SPDX-License-Identifier: MIT
// Choke points of a trace: see trace.h, trace.choke_points. Private to graph/trace*.c.
#ifndef GRAPH_CHOKE_H
#define GRAPH_CHOKE_H

#include "base/error.h"
#include "graph/trace.h"

// Fills t->choke_points from the sliced causes.
int choke_points_find(struct trace *t, struct error *err);

#endif
