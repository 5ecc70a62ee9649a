// SPDX-License-Identifier: MIT
// Front door of graph/: events in, a picture out.
//
//   graph_new -> graph_add_event (each event of the window) -> [graph_missing_ancestors -> source_find -> graph_add_past_event]
//   -> graph_finish -> contacts_find -> trace_run (slice + rank) -> picture_build (fold, story) -> picture_write_*
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "base/error.h"
#include "graph/model.h"
#include "graph/picture.h"
#include "graph/trace.h"
#include "graph/write.h"

struct graph *graph_new(struct intern *strings); // NULL: out of memory
void graph_free(struct graph *g);                // NULL is fine

// Takes one event in (events may come somewhat out of time order). 0, or -1 out of memory.
int graph_add_event(struct graph *g, const struct event *event, struct error *err);

// Processes that are known only as somebody's parent, or whose program is not known, and that are ancestors of a process with a
// contact to `address` (NULL: of any process): what to ask source_find for, before the window. Pids by host, each once per call;
// call again after graph_add_past_event until none is left or enough was asked (asked ones are not named again).
struct ancestor_wanted { uint32_t host, epoch, pid; uint64_t before_ns; };
VECTOR_DEFINE(ancestor_vector, struct ancestor_wanted)
int graph_missing_ancestors(struct graph *g, const struct event_address *address, struct ancestor_vector *out, struct error *err);
// An older event about a wanted process (its exec, its fork, or any record of it): fills in who it was and who its parent is.
// *ret_satisfied: the program and the parent of `wanted` are known now; the search may stop.
int graph_add_past_event(struct graph *g, const struct ancestor_wanted *wanted, const struct event *event, bool *ret_satisfied, struct error *err);

// Late parents, heirs of descriptors, pipes without pipe2, sessions and trees, df, interval ends, merging, sorting, CSR.
// No event can be added afterwards.
int graph_finish(struct graph *g, struct error *err);

// Connections with the address (port 0: any), oldest first; indices into g->connections.
int contacts_find(const struct graph *g, const struct event_address *address, uint16_t port, struct u32_vector *out, struct error *err);

#endif
