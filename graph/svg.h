// SPDX-License-Identifier: MIT
// The pieces of write_svg(): private to graph/write_svg.c and graph/svg_*.c.
//
// Rules of the page: ids, classes and data-* values are ours (n12, e40, "process onpath", numbers); text from outside goes into text
// content and aria-label only, through svg_cut() or text_xml(); no links; script and style are constants of the program. Widths come
// from counting cells (0.61 em each), never from a font. Numbers are printed without printf's locale.
//
// Everything is drawn and reads well without the script: controls are made by the script, and are not in the file.
#ifndef GRAPH_SVG_H
#define GRAPH_SVG_H

#include "base/buffer.h"
#include "graph/picture.h"

#include <stdbool.h>
#include <stddef.h>

#define SVG_MARGIN 24.0
#define SVG_CELL_EM 0.61 /* DejaVu Sans Mono takes 0.602, the others of our lists less */

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

// ---- svg.c: primitives
void svg_number(struct buffer *out, double value); // one decimal at most: 12.5, -3
void svg_point(struct buffer *out, double x, double y); // "12.5,3"
size_t svg_cells(double px, double font_px);       // cells that fit
double svg_width(size_t cells, double font_px);
struct text svg_words(const char *words);          // a constant of ours as a text
size_t svg_text_cells(struct text t);              // of its visible form
void svg_cut(struct buffer *out, struct text t, size_t max_cells); // visible, cut in the middle, escaped
// <text>: class is ours.
void svg_text(struct buffer *out, double x, double y, enum svg_anchor anchor, const char *class, struct text t, size_t max_cells);
void svg_time(struct buffer *out, const struct picture *p, uint64_t ns); // 10:05:02, or 11-19 10:05:02 on another day
void svg_node_words(struct buffer *out, const struct picture_node *node); // "python3 [2311]", escaped
// Bytes of the first line of visible text that takes at most max_cells; *ret_next: where the next line starts.
size_t svg_line(const char *visible, size_t length, size_t max_cells, size_t *ret_next);
void svg_rect(struct buffer *out, const char *class, double x, double y, double width, double height, double radius);
double svg_chip_width(const char *label);
void svg_chip(struct buffer *out, double x, double y, const char *label, const char *class); // x left, y centre
double svg_pill_width(const char *label);
void svg_pill(struct buffer *out, double x, double y, const char *label, const char *class); // x left, y centre
// "4", "10-11", "3,7": story numbers for one chip.
void svg_chip_label(char *ret, size_t size, const uint32_t *steps, size_t count);

void svg_seconds(struct buffer *out, uint64_t ns); // 1795136400.123456: what the script computes with
void svg_data_time(struct buffer *out, const char *key, uint64_t ns); // data-KEY="..."; nothing for no time

// ---- graph/page.css and graph/page.js, compiled in by the Makefile; the same for every case
extern const char page_css[], page_js[];
void svg_style(struct buffer *out);
void svg_script(struct buffer *out);

// ---- svg_node.c, svg_edge.c, svg_labels.c: the causality pane, in its own coordinates
#define SVG_LABEL_LINES 3
struct svg_label {
	double x, y, width, height; // centre and size; width 0: no label
	char chip[24];              // story numbers, "" = none
	double chip_width;
	struct buffer text;         // visible text of all lines, one after the other
	size_t line_count, line_length[SVG_LABEL_LINES]; // bytes
};
// One label per edge; NULL when out of memory. Freed by svg_labels_free().
struct svg_label *svg_labels_place(const struct picture *p);
void svg_labels_free(struct svg_label *labels, size_t count);

// How an edge is drawn: one of a fold stands for many things, and looks plain when they differ; one of the path shows what carries it.
struct picture_edge svg_edge_shown(const struct picture *p, const struct picture_edge *edge);
bool svg_edge_is_cut(const struct picture_edge *edge);          // ends in an X
const char *svg_edge_line_class(const struct picture_edge *edge); // "solid", "read", "connect", "cut", "unsure", "same"
void svg_edge_line(struct buffer *out, const struct picture_edge *edge); // line and heads only
void svg_edge(struct buffer *out, const struct picture *p, const struct picture_edge *edge);
void svg_edge_label(struct buffer *out, const struct picture_edge *edge, const struct svg_label *label);
void svg_node_shape(struct buffer *out, enum picture_kind kind, double x, double y, double width, double height);
const char *svg_kind_class(enum picture_kind kind);
void svg_node(struct buffer *out, const struct picture *p, const struct picture_node *node);

// ---- blocks of the page: draw at y, return the y below
struct svg_page { struct buffer *out; const struct picture *p; double width; };
double svg_header(struct svg_page *page, double y); // title, context, completeness
double svg_way(struct svg_page *page, double y);    // the path from the root cause to the alert, in one line
double svg_timeline(struct svg_page *page, double y, double right);
double svg_story(struct svg_page *page, double x, double y, double width); // the story, and what can be recovered
double svg_notes(struct svg_page *page, double y, double right); // what else is asked, and what is missing, in columns
double svg_legend(struct svg_page *page, double y);
double svg_provenance(struct svg_page *page, double y);

// ---- svg_facts.c, svg_facts_disk.c: what is not drawn and the script shows when it is asked for: details, raw records, members of folds
// `all`: previews and records in full, else their beginnings.
void svg_facts(struct buffer *out, const struct picture *p, bool all);

struct facts {
	struct buffer *out;
	const struct picture *p;
	bool all;
	char of[16]; // n7
};
void facts_open(struct facts *f, const char *key);
void facts_close(struct facts *f);
void facts_text(struct facts *f, const char *key, struct text t);        // nothing for an empty one
void facts_lines(struct facts *f, const char *key, struct text t);       // lines stay lines
void facts_add_lines(struct buffer *out, struct text t);
void facts_of_disk_states(struct facts *f, const struct picture_node *n); // svg_facts_disk.c
void facts_of_recoveries(struct facts *f, uint32_t node);
void facts_of_disks(struct facts *f);

// ---- write_svg.c: the <svg> element, alone or inside a page
void svg_sheet(struct buffer *out, const struct picture *p, bool alone);

#endif
