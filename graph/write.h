// SPDX-License-Identifier: MIT
// Writers: a picture as bytes. Same picture, same bytes. All of them append to `out`; -1 only when out of memory.
#ifndef GRAPH_WRITE_H
#define GRAPH_WRITE_H

#include "base/buffer.h"
#include "base/error.h"
#include "graph/picture.h"

#include <stdbool.h>

// Positions for nodes and edges: Graphviz in a limited child (program = path of provgraph-layout, NULL: do not try), else our own
// layout; p->layout_fell_back says so. Node sizes come from layout_sizes (writers and layout agree by it).
struct layout_options { const char *program; uint64_t wall_ns; /* 0 = 3 s */ };
int layout_run(struct picture *p, struct layout_options options, struct error *err);

struct write_text_options { bool color; size_t columns; /* 0 = 100 */ };
int write_text(const struct picture *p, struct write_text_options options, struct buffer *out, struct error *err);
int write_svg(const struct picture *p, struct buffer *out, struct error *err);   // after layout_run
int write_html(const struct picture *p, struct buffer *out, struct error *err);  // the same drawing in a page; after layout_run
int write_dot(const struct picture *p, struct buffer *out, struct error *err);
int write_csv(const struct picture *p, bool raw, struct buffer *out, struct error *err); // a row per edge
int write_json(const struct picture *p, struct buffer *out, struct error *err);  // the case file
int write_graphml(const struct picture *p, struct buffer *out, struct error *err); // through igraph (graph/structure.c)

#endif
