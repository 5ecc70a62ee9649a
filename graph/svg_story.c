// SPDX-License-Identifier: MIT
// Below the picture: the numbered story, what an investigator asks first (who logged in, what ran, what persists ...), and what is
// missing. Somebody who has this file only can retell the incident.
//
// Everything becomes a block of wrapped lines first; then the blocks are dealt out to columns of about equal height.
#include "graph/svg.h"

#include "base/memory.h"
#include "base/text.h"
#include "base/vector.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMN_WIDTH 400.0 /* at least */
#define COLUMN_GAP 36.0
#define FONT 11.0
#define LINE 15.0
#define RECOVERIES_SHOWN 8
#define NOTES_OF_A_KIND 8  /* then "+5 more": json has all */
#define MISSING_SHOWN 14
#define CHIP_COLUMN 26.0
#define HEADING_HEIGHT 26.0
#define LEAST_COLUMN 150.0 /* a short story is not torn apart */

enum block_kind { BLOCK_HEADING, BLOCK_STEP, BLOCK_NOTE, BLOCK_RULE, BLOCK_COMMAND };

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

static struct block *block_add(struct block_vector *blocks, enum block_kind kind, struct text words)
{
	struct block block = {.kind = kind, .time_ns = NANOTIME_NONE, .node = GRAPH_NONE};

	text_visible(&block.words, words.bytes, words.length);
	if (block.words.failed || block_vector_append(blocks, block) < 0) {
		buffer_release(&block.words);
		return NULL;
	}
	return &blocks->items[blocks->count - 1];
}

static void blocks_release(struct block_vector *blocks)
{
	for (size_t i = 0; i < blocks->count; i++)
		buffer_release(&blocks->items[i].words);
	block_vector_release(blocks);
}

// ---- what is said

static int add_steps(struct block_vector *out, const struct picture *p)
{
	if (p->steps.count > 0 && !block_add(out, BLOCK_HEADING, svg_words("Story")))
		return -1;
	for (size_t i = 0; i < p->steps.count; i++) {
		struct block *block = block_add(out, BLOCK_STEP, p->steps.items[i].words);

		if (!block)
			return -1;
		block->step = &p->steps.items[i];
		block->bad = block->step->alert;
		block->time_ns = block->step->time_ns;
	}
	return 0;
}

// Files whose content an attacker took away come first; then what ran, stays, or lies on the path.
static bool is_worth(const struct picture *p, const struct picture_recovery *r, bool lost)
{
	const struct picture_node *n = &p->nodes.items[r->node];

	return r->lost == lost && (lost || n->on_path || n->persistence);
}

static int add_recovery(struct block_vector *out, const struct picture *p, const struct picture_recovery *r)
{
	const struct picture_node *n = &p->nodes.items[r->node];
	struct buffer words = {0};

	buffer_add(&words, n->full.bytes, n->full.length);
	buffer_add_string(&words, ", ");
	buffer_add(&words, r->words.bytes, r->words.length);
	struct block *block = block_add(out, BLOCK_NOTE, (struct text){buffer_string(&words), words.length});
	buffer_release(&words);
	if (!block)
		return -1;
	block->node = r->node;
	block = block_add(out, BLOCK_COMMAND, r->command);
	if (!block)
		return -1;
	block->node = r->node;
	return 0;
}

static int add_recoveries(struct block_vector *out, const struct picture *p)
{
	static const char honest[] = "By the audited machine's clock. HISTORY is the history of the file's disk; this case was made without one.";
	size_t shown = 0, worth = 0;

	for (int lost = 1; lost >= 0; lost--)
		for (size_t i = 0; i < p->recoveries.count; i++) {
			if (!is_worth(p, &p->recoveries.items[i], lost == 1) || ++worth > RECOVERIES_SHOWN)
				continue;
			if (shown++ == 0 && (!block_add(out, BLOCK_HEADING, svg_words("What can be recovered")) ||
					!block_add(out, BLOCK_NOTE, svg_words(honest))))
				return -1;
			if (add_recovery(out, p, &p->recoveries.items[i]) < 0)
				return -1;
		}
	if (worth > shown) {
		char more[96];

		(void)snprintf(more, sizeof(more), "+%zu more files: each one's details have its command", worth - shown);
		return block_add(out, BLOCK_NOTE, svg_words(more)) ? 0 : -1;
	}
	return 0;
}

static int add_more(struct block_vector *out, size_t hidden)
{
	char words[64];

	if (hidden == 0)
		return 0;
	(void)snprintf(words, sizeof(words), "+%zu more (all of them in the json output)", hidden);
	return block_add(out, BLOCK_NOTE, svg_words(words)) ? 0 : -1;
}

static int add_notes(struct block_vector *out, const struct picture *p, enum note_kind kind, const char *heading)
{
	size_t shown = 0, hidden = 0;

	for (size_t i = 0; i < p->notes.count; i++) {
		const struct picture_note *note = &p->notes.items[i];

		if (note->kind != kind)
			continue;
		if (shown == NOTES_OF_A_KIND) {
			hidden++;
			continue;
		}
		if (shown++ == 0 && !block_add(out, BLOCK_HEADING, svg_words(heading)))
			return -1;
		struct block *block = block_add(out, BLOCK_NOTE, note->words);
		if (!block)
			return -1;
		block->time_ns = note->time_ns;
		block->node = note->node;
		if (note->claimed)
			buffer_add_string(&block->words, " (claimed by a program)");
	}
	return add_more(out, hidden);
}

static int add_missing(struct block_vector *out, const struct picture *p)
{
	size_t shown = 0;

	if (p->missing.count > 0 && !block_add(out, BLOCK_HEADING, svg_words("What is missing")))
		return -1;
	for (int loss = 1; loss >= 0; loss--)
		for (size_t i = 0; i < p->missing.count; i++) {
			const struct picture_missing *m = &p->missing.items[i];

			if (m->loss != (loss == 1) || shown == MISSING_SHOWN)
				continue;
			struct block *block = block_add(out, BLOCK_NOTE, m->words);
			if (!block)
				return -1;
			block->bad = m->loss;
			if (m->loss && m->from_ns != 0)
				block->time_ns = m->from_ns;
			if (m->rule.length > 0 && !block_add(out, BLOCK_RULE, m->rule))
				return -1;
			shown++;
		}
	return add_more(out, p->missing.count - shown);
}

static int add_rest(struct block_vector *out, const struct picture *p)
{
	static const struct { enum note_kind kind; const char *heading; } kinds[] = {
		{NOTE_LOGIN, "Who logged in"}, {NOTE_RAN, "What ran"}, {NOTE_DROPPED, "What was dropped"},
		{NOTE_PERSISTS, "What persists"}, {NOTE_PRIVILEGE, "Changes of privilege"}, {NOTE_CLEANED, "What was cleaned"},
		{NOTE_CONTACT, "Contacts"}, {NOTE_OTHER_CONTACT, "Other contacts"},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
		if (add_notes(out, p, kinds[i].kind, kinds[i].heading) < 0)
			return -1;
	return add_missing(out, p);
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

	if (block->kind == BLOCK_RULE || block->kind == BLOCK_COMMAND)
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

	while (left > 0) {
		size_t next;

		(void)svg_line(words, left, room, &next);
		words += next;
		left -= next;
		lines++;
	}
	block->height = block->kind == BLOCK_HEADING ? HEADING_HEIGHT : (double)(lines > 0 ? lines :
			1) * (block->kind >= BLOCK_RULE ? 13 : LINE) + (block->kind == BLOCK_COMMAND ? 7 : 3);
	buffer_release(&time);
}

// What the script joins with the picture.
static void open_block(struct svg_page *page, const struct block *block)
{
	static const char *const classes[] = {"heading", "step", "note", "remedy", "restore"};
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

static void draw_block(struct svg_page *page, const struct block *block, double x, double y, double width)
{
	static const char *const classes[][2] = {{"h2", "h2"}, {"t11", "t11 bad strong"}, {"t11", "t11 bad"},
			{"detail", "detail"}, {"detail command", "detail command"}};
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
	while (rest > 0) {
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
		draw_block(page, block, x + (double)column * (width + COLUMN_GAP), y + here, width);
		here += block->height;
		if (here > tallest)
			tallest = here;
	}
	return tallest;
}

static void measure_all(const struct svg_page *page, struct block_vector *blocks, double width)
{
	for (size_t i = 0; i < blocks->count; i++)
		measure(page, &blocks->items[i], width);
}

double svg_story(struct svg_page *page, double x, double y, double width)
{
	struct block_vector story = {0};

	if (add_steps(&story, page->p) < 0 || add_recoveries(&story, page->p) < 0) {
		page->out->failed = true;
	} else if (story.count > 0) {
		measure_all(page, &story, width);
		y += draw_columns(page, &story, x, y, width, 1);
	}
	blocks_release(&story);
	return y;
}

double svg_notes(struct svg_page *page, double y, double right)
{
	double room = right - SVG_MARGIN + COLUMN_GAP;
	size_t columns = (size_t)(room / (COLUMN_WIDTH + COLUMN_GAP));
	double width = room / (double)columns - COLUMN_GAP;
	struct block_vector notes = {0};

	if (add_rest(&notes, page->p) < 0) {
		page->out->failed = true;
	} else if (notes.count > 0) {
		measure_all(page, &notes, width);
		y += draw_columns(page, &notes, SVG_MARGIN, y, width, columns);
	}
	blocks_release(&notes);
	return y;
}
