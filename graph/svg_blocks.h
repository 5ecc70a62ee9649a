// SPDX-License-Identifier: MIT
// The page's text below the picture: blocks of wrapped lines, dealt out to columns of about equal height. Private to graph/svg_*.c.
#ifndef GRAPH_SVG_BLOCKS_H
#define GRAPH_SVG_BLOCKS_H

#include "base/buffer.h"
#include "base/vector.h"
#include "graph/svg.h"

// BLOCK_RULE and later: in the type of the log, and never the first of a column.
enum block_kind { BLOCK_HEADING, BLOCK_STEP, BLOCK_NOTE, BLOCK_RULE, BLOCK_COMMAND, BLOCK_HASH, BLOCK_PREVIEW /* one line of it, never wrapped */ };

struct block {
	enum block_kind kind;
	const struct picture_step *step; // BLOCK_STEP
	uint32_t node;                   // picture node that it is about; GRAPH_NONE
	bool bad;
	uint64_t time_ns;                // NANOTIME_NONE: no time is shown
	struct buffer words;             // visible
	double height;
};
VECTOR_DEFINE(block_vector, struct block)

#define SVG_COLUMN_GAP 36.0

struct block *block_add(struct block_vector *blocks, enum block_kind kind, struct text words); // NULL: out of memory
int block_add_more(struct block_vector *blocks, size_t hidden); // "+5 more"; nothing for 0. -1: out of memory
void blocks_release(struct block_vector *blocks);
// Into `columns` columns from x on; the height of the tallest.
double blocks_draw(struct svg_page *page, struct block_vector *blocks, double x, double y, double width, size_t columns);

// svg_recover.c. -1: out of memory.
int svg_add_recoveries(struct block_vector *out, const struct picture *p);
int svg_add_findings(struct block_vector *out, const struct picture *p);

#endif
