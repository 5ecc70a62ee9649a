// SPDX-License-Identifier: MIT
#include "graph/svg_blocks.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

#define FONT 11.0
#define LINE 15.0
#define CHIP_COLUMN 26.0
#define HEADING_HEIGHT 26.0
#define LEAST_COLUMN 150.0 /* a short story is not torn apart */

struct block *block_add(struct block_vector *blocks, enum block_kind kind, struct text words)
{
	struct block block = {.kind = kind, .time_ns = NANOTIME_NONE, .node = GRAPH_NONE};

	text_visible(&block.words, words.bytes, words.length);
	if (block.words.failed || block_vector_append(blocks, block) < 0) {
		buffer_release(&block.words);
		return NULL;
	}
	return &blocks->items[blocks->count - 1];
}

void blocks_release(struct block_vector *blocks)
{
	for (size_t i = 0; i < blocks->count; i++)
		buffer_release(&blocks->items[i].words);
	block_vector_release(blocks);
}

int block_add_more(struct block_vector *out, size_t hidden)
{
	char words[64];

	if (hidden == 0)
		return 0;
	(void)snprintf(words, sizeof(words), "+%zu more (all of them in the json output)", hidden);
	return block_add(out, BLOCK_NOTE, svg_words(words)) ? 0 : -1;
}

// ---- where it goes

// Time in front of the words of a step or a note.
static double time_width(const struct svg_page *page, const struct block *block, struct buffer *ret)
{
	if (block->time_ns == NANOTIME_NONE || block->time_ns == 0)
		return 0;
	svg_time(ret, page->p, block->time_ns);
	return svg_width(ret->length, FONT) + 7;
}

static double words_left(const struct svg_page *page, const struct block *block, struct buffer *ret_time)
{
	double left = block->kind == BLOCK_STEP ? CHIP_COLUMN : block->kind == BLOCK_NOTE ? 8 : 0;

	if (block->kind == BLOCK_HASH) // 64 digits in one line of a column
		return 4;
	if (block->kind >= BLOCK_RULE)
		return 16;
	return block->kind == BLOCK_HEADING ? 0 : left + time_width(page, block, ret_time);
}

static size_t words_room(const struct block *block, double width)
{
	return svg_cells(width, block->kind >= BLOCK_RULE ? 10 : block->kind == BLOCK_HEADING ? 13 : FONT);
}

static void measure(const struct svg_page *page, struct block *block, double width)
{
	struct buffer time = {0};
	size_t room = words_room(block, width - words_left(page, block, &time)), left = block->words.length, lines = 0;
	const char *words = buffer_string(&block->words);

	while (left > 0 && block->kind != BLOCK_PREVIEW) {
		size_t next;

		(void)svg_line(words, left, room, &next);
		words += next;
		left -= next;
		lines++;
	}
	static const double after[] = {0, 3, 3, 3, 7, 1, 0};
	block->height = block->kind == BLOCK_HEADING ? HEADING_HEIGHT : (double)(lines > 0 ? lines :
			1) * (block->kind >= BLOCK_RULE ? 13 : LINE) + after[block->kind];
	buffer_release(&time);
}

// What the script joins with the picture.
static void open_block(struct svg_page *page, const struct block *block)
{
	static const char *const classes[] = {"heading", "step", "note", "remedy", "restore", "restore", "restore"};
	const struct picture *p = page->p;
	uint32_t node = block->step ? block->step->node : block->node;

	buffer_printf(page->out, "<g class=\"%s\"", classes[block->kind]);
	if (block->step) {
		if (!block->step->alert)
			buffer_printf(page->out, " data-step=\"%" PRIu32 "\"", block->step->number);
		if (block->step->edge < p->edges.count)
			buffer_printf(page->out, " data-edge=\"e%" PRIu32 "\"", p->edges.items[block->step->edge].id);
	}
	if (node < p->nodes.count)
		buffer_printf(page->out, " data-node=\"n%" PRIu32 "\"", p->nodes.items[node].id);
	if (block->time_ns != NANOTIME_NONE && block->time_ns != 0) {
		buffer_add_string(page->out, " data-t=\"");
		svg_seconds(page->out, block->time_ns);
		buffer_add_byte(page->out, '"');
	}
	buffer_add_byte(page->out, '>');
}

// The sign in a column of its own: leading blanks are lost in a picture.
static void preview_line(struct svg_page *page, const struct block *block, double x, double y, size_t room)
{
	static const size_t sign_length = 2; // graph/preview.h
	const char *words = buffer_string(&block->words), *class = "detail pre";
	char sign[2] = {words[0], '\0'};
	size_t skip = block->words.length < sign_length ? block->words.length : sign_length;

	if (sign[0] == '+' || sign[0] == '-') {
		class = sign[0] == '+' ? "detail pre plus" : "detail pre minus";
		svg_text(page->out, x, y, SVG_START, class, svg_words(sign), 1);
	}
	svg_text(page->out, x + 12, y, SVG_START, class, (struct text){words + skip, block->words.length - skip}, room > 2 ? room - 2 : 1);
}

static void draw_block(struct svg_page *page, const struct block *block, double x, double y, double width)
{
	static const char *const classes[][2] = {{"h2", "h2"}, {"t11", "t11 bad strong"}, {"t11", "t11 bad"},
			{"detail", "detail"}, {"detail command", "detail command"}, {"detail", "detail"}};
	struct buffer time = {0};
	double left = words_left(page, block, &time), line = block->kind >= BLOCK_RULE ? 13 : LINE;
	size_t room = words_room(block, width - left), rest = block->words.length;
	const char *words = buffer_string(&block->words);

	open_block(page, block);
	y += block->kind == BLOCK_HEADING ? 19 : 11;
	if (block->step && !block->step->alert) {
		char number[16];

		(void)snprintf(number, sizeof(number), "%" PRIu32, block->step->number);
		svg_chip(page->out, x, y - 4, number, block->step->on_path ? "chip pathchip" : "chip");
	}
	if (time.length > 0)
		svg_text(page->out, x + (block->kind == BLOCK_STEP ? CHIP_COLUMN : 8), y, SVG_START, block->bad ? "t11 mono bad" : "t11 mono muted",
			 (struct text){buffer_string(&time), time.length}, 40);
	if (block->kind == BLOCK_PREVIEW)
		preview_line(page, block, x + left, y, room);
	while (rest > 0 && block->kind != BLOCK_PREVIEW) {
		size_t next, end = svg_line(words, rest, room, &next);

		svg_text(page->out, x + left, y, SVG_START, classes[block->kind][block->bad], (struct text){words, end}, SIZE_MAX);
		y += line;
		words += next;
		rest -= next;
	}
	if (time.failed)
		page->out->failed = true;
	buffer_release(&time);
	buffer_add_string(page->out, "</g>\n");
}

static double total_height(const struct block_vector *blocks)
{
	double height = 0;

	for (size_t i = 0; i < blocks->count; i++)
		height += blocks->items[i].height;
	return height;
}

// Deals blocks out to `columns` columns from x on; returns the height of the tallest. A heading is never the last of a column.
static double draw_columns(struct svg_page *page, const struct block_vector *blocks, double x, double y, double width, size_t columns)
{
	double continued = HEADING_HEIGHT * (double)(columns - 1); // the empty line above what goes on
	double share = (total_height(blocks) + continued) / (double)columns, here = 0, tallest = 0;
	size_t column = 0;

	if (share < LEAST_COLUMN)
		share = LEAST_COLUMN;
	for (size_t i = 0; i < blocks->count; i++) {
		const struct block *block = &blocks->items[i];
		double need = block->height;

		if (block->kind == BLOCK_HEADING && i + 1 < blocks->count)
			need += blocks->items[i + 1].height;
		// A rule line stays with the hole that it closes, the first line with its heading.
		bool apart = block->kind < BLOCK_RULE && (i == 0 || blocks->items[i - 1].kind != BLOCK_HEADING);
		if (apart && column + 1 < columns && here > 0 && here + need / 2 > share) {
			column++;
			// What goes on from the column before starts beside the first line under a heading.
			here = block->kind == BLOCK_HEADING ? 0 : HEADING_HEIGHT;
		}
		draw_block(page, block, x + (double)column * (width + SVG_COLUMN_GAP), y + here, width);
		here += block->height;
		if (here > tallest)
			tallest = here;
	}
	return tallest;
}

double blocks_draw(struct svg_page *page, struct block_vector *blocks, double x, double y, double width, size_t columns)
{
	for (size_t i = 0; i < blocks->count; i++)
		measure(page, &blocks->items[i], width);
	return draw_columns(page, blocks, x, y, width, columns);
}

