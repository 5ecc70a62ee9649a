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

// Files that rank well and whose making no event of the graph shows: what to ask source_find for, before the window. `asked` is how many
// of the best nodes are looked at; a file is asked for only while its score is at least min_score.
struct creator_wanted { uint32_t host, epoch, dev; uint64_t inode, before_ns; double score; };
VECTOR_DEFINE(creator_vector, struct creator_wanted)
int graph_missing_creators(const struct graph *g, const struct trace *t, double min_score, size_t limit, struct creator_vector *out, struct error *err);
// What one system call did to one inode.
enum earlier_call {
	EARLIER_OTHER,  // reads it, or is about something else
	EARLIER_WRITES, // opens it for writing, cuts it, names it: the file was there
	EARLIER_LINKS,  // gives it a further name
	EARLIER_MAKES,  // brings it into being: nothing before is about this file
	EARLIER_GONE,   // removes a name; of its only one: what came before had the number, but was another file
};
enum earlier_call earlier_call_of(const struct event *event, const struct intern *strings, uint32_t dev, uint64_t inode);
bool earlier_forks(const struct event *event, uint32_t pid); // returned this pid
// An event from before the window, before any of the window's: who made, wrote or renamed such a file, and what that process did.
// file_epoch: the boot in which the window knows the file; the event's own may be an older one. maker: its ancestors are wanted as well.
int graph_add_earlier_event(struct graph *g, const struct event *event, uint32_t file_epoch, bool maker, struct error *err);

// Late parents, heirs of descriptors, pipes without pipe2, sessions and trees, df, interval ends, merging, sorting, CSR.
// No event can be added afterwards.
int graph_finish(struct graph *g, struct error *err);

// Connections with the address (port 0: any), oldest first; indices into g->connections.
int contacts_find(const struct graph *g, const struct event_address *address, uint16_t port, struct u32_vector *out, struct error *err);

#endif
