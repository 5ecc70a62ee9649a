// SPDX-License-Identifier: MIT
// Positions. layout_run() (graph/write.h) asks provgraph-layout, and falls back to layout_own() when that fails.
//
//   picture -> layout_sizes -> layout_request -> child -> layout_answer -> positions and splines in the picture
//                                            \-> (limit, crash, nonsense) -> layout_own
//
// The child sees numbers only. What it answers is checked number by number: it runs a large library that can be made to misbehave.
#ifndef GRAPH_LAYOUT_H
#define GRAPH_LAYOUT_H

#include "base/buffer.h"
#include "base/error.h"
#include "graph/picture.h"

#include <stdbool.h>
#include <stddef.h>

// Lengths are px; 1 px = 1 pt of Graphviz. Splines end this far before the border of the node: the arrow head fills the rest.
#define LAYOUT_ARROW 7.0
#define LAYOUT_ARROW_ON_PATH 11.0
#define LAYOUT_FOLD_CELLS 25 /* of a fold's name, in bold 12 px; a longer one takes two lines */
#define LAYOUT_STATES_SHOWN 4 /* states of a file that are listed in its box; then "+5 more" */

// Which states of a file fit into its box: ends and cuts first, then the oldest, then the newest. In order of time.
struct layout_states { size_t index[LAYOUT_STATES_SHOWN]; size_t count, hidden; };
struct layout_states layout_states_shown(const struct picture_node *node);

void layout_sizes(struct picture *p); // width and height of every node, from its kind and its states
double layout_arrow(const struct picture_edge *edge); // length of its head; 0 = none

// layout_attach.c: folds with one neighbour stand at that neighbour, and the layout gets a picture without them.
#define LAYOUT_ATTACHED_HEIGHT 31.0
#define LAYOUT_ATTACHED_GAP 11.0
#define LAYOUT_ATTACHED_STEP (LAYOUT_ATTACHED_HEIGHT + LAYOUT_ATTACHED_GAP)
struct layout_reduced {
	struct picture *whole, picture; // picture: what is laid out; its texts are those of the whole
	uint32_t *node_of, *edge_of;    // of the reduced picture -> of the whole
	uint32_t *place, *edge_of_fold, *anchor, *hanging, *causes; // per node of the whole
};
int layout_reduce(struct picture *p, struct layout_reduced *ret); // -1: out of memory. Must be released either way
int layout_restore(struct layout_reduced *r);                     // positions back into the whole
void layout_reduced_release(struct layout_reduced *r);

// The request, in the words of graph/layout_dot.c. Edges from a node to itself are not in it.
void layout_request(const struct picture *p, struct buffer *out);
// Takes the answer in, or refuses it and changes nothing: -1 when a number is missing, out of bounds or of a wrong kind.
int layout_answer(struct picture *p, const char *bytes, size_t length, struct error *err);
// Our own: processes by depth in their tree, the rest beside the first process that touched it, rows by time. -1: out of memory.
int layout_own(struct picture *p, struct error *err);

// Shared by both: gives an edge its points (copied). -1: out of memory.
int layout_set_points(struct picture_edge *edge, const double *xy, size_t point_count);
// Edges that leave and enter one node: a small loop above its right corner.
int layout_self_loops(struct picture *p);
// Breaks a graph that is much wider than a screen into rows, with p->layout_rows; positions have to be normalized before and after.
// -1: out of memory.
int layout_wrap(struct picture *p);
// One of many alike that read the same file, the dynamic linker as a rule, or of many files that one process reads: told once, drawn faintly.
bool layout_is_common(const struct picture *p, const struct picture_edge *edge);
// Of such edges that are stems at one box: how many share one stem, and the first of them, whose words stand for all; 0: it has its own.
size_t layout_shared_stem(const struct picture *p, const struct picture_edge *edge, size_t *ret_first);
// Takes a graph that is too large for a screen, and is laid out already, into parts: the path from the root cause to the alert first, the
// rest below (layout_parts.c). `place` lays one of them out. -1: out of memory, or what `place` answered.
typedef int layout_place(struct picture *p, void *context);
struct layout_part { struct picture picture; uint32_t *node_of, *edge_of; }; // its nodes and edges -> those of the whole
int layout_parts(struct picture *p, layout_place *place, void *context);
// The stem of an edge whose other end stands in another part: straight, from its tag to its box or back. -1: out of memory.
int layout_stem(struct picture_edge *edge, double x, double tag, double box);
// Moves everything so that the smallest x and y are 0; sets width and height.
void layout_normalize(struct picture *p);

#endif
