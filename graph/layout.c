// SPDX-License-Identifier: MIT
#include "graph/layout.h"

#include "base/child.h"
#include "base/memory.h"
#include "base/nanotime.h"
#include "base/text.h"
#include "graph/disk_words.h"
#include "graph/write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_WALL_NS (3 * NANOTIME_SECOND) /* DESIGN: 60 nodes take 30 ms, some graphs never end */
#define CPU_SECONDS 4
#define OUTPUT_BYTES (UINT64_C(4) << 20) /* 60 nodes and their splines are 20 KB */
// AddressSanitizer reserves terabytes of address space, so its builds run without this limit.
#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_BYTES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_BYTES 0
#endif
#endif
#ifndef MEMORY_BYTES
#define MEMORY_BYTES (UINT64_C(1) << 30) /* measured: 104 MB at 1,000 dense nodes */
#endif

// Wide enough for "NetworkMana... 2103 alice" and "~ 10:05:09 opened for writing x7". A process and an address have a line for their
// time, so that the order can be read without hovering.
#define PROCESS_WIDTH 188.0
#define PROCESS_HEIGHT 54.0
#define FILE_WIDTH 200.0
#define FILE_WIDTH_MOST 320.0 /* "~ 10:05:09 1023.9 KiB content pending (104857 bytes)" is cut */
#define FILE_PAD 20.0
#define STATE_GAPS 18.0 /* after the glyph, after the time */
#define STATE_CELL 6.1  /* of 10 px type */
#define FILE_HEIGHT 38.0
#define STATE_HEIGHT 14.0
#define ADDRESS_WIDTH 170.0
#define ADDRESS_HEIGHT 52.0
#define FOLD_WIDTH 200.0
#define FOLD_LINE 14.0
#define SMALL_WIDTH 164.0
#define SMALL_HEIGHT 42.0

// Ends and cuts; of a disk also another name or attributes, and what no record accounts for. Growth is plain.
static unsigned weight_of(const struct picture_node *node, size_t index)
{
	const struct picture_disk_state *disk = node->disk_state_count ? &node->disk_states[index] : NULL;
	char glyph = disk ? disk->glyph : node->states[index].glyph;

	if (glyph == 'x' || glyph == 'v' || (disk && disk->loss))
		return 2;
	bool is_unseen = disk && disk->arrival_ns != NANOTIME_NONE && disk->arrival_ns != 0 && disk->syscall_ns == NANOTIME_NONE;
	return disk && (glyph == '>' || is_unseen) ? 1 : 0;
}

static bool is_among(const size_t *chosen, size_t count, size_t index)
{
	for (size_t i = 0; i < count; i++)
		if (chosen[i] == index)
			return true;
	return false;
}

struct layout_states layout_states_shown(const struct picture_node *node)
{
	struct layout_states shown = {0};
	size_t all = node->disk_state_count ? node->disk_state_count : node->state_count;

	if (all <= LAYOUT_STATES_SHOWN) {
		for (size_t i = 0; i < all; i++)
			shown.index[shown.count++] = i;
		return shown;
	}
	// The first, then up to two that weigh most from the newest back, then the newest of the rest.
	size_t chosen[LAYOUT_STATES_SHOWN], count = 0;

	chosen[count++] = 0;
	for (unsigned weight = 2; weight > 0; weight--)
		for (size_t i = all; i-- > 1 && count < LAYOUT_STATES_SHOWN - 1;)
			if (weight_of(node, i) == weight)
				chosen[count++] = i;
	for (size_t i = all; i-- > 1 && count < LAYOUT_STATES_SHOWN;)
		if (!is_among(chosen, count, i))
			chosen[count++] = i;
	for (size_t i = 0; i < count; i++) { // insertion by index: they are shown in order of time
		size_t at = shown.count++;

		while (at > 0 && shown.index[at - 1] > chosen[i]) {
			shown.index[at] = shown.index[at - 1];
			at--;
		}
		shown.index[at] = chosen[i];
	}
	shown.hidden = all - shown.count;
	return shown;
}

static double file_height(const struct picture_node *node)
{
	struct layout_states shown = layout_states_shown(node);
	size_t rows = shown.count + (shown.hidden > 0) + (disk_node_verdict(node) != NULL);

	return FILE_HEIGHT + STATE_HEIGHT * (double)rows + (rows > 0 ? 4 : 0);
}

// What a disk showed is not cut where a little more room holds it.
static double file_width(const struct picture *p, const struct picture_node *node)
{
	struct layout_states shown = layout_states_shown(node);
	double width = FILE_WIDTH;

	for (size_t i = 0; i < shown.count && node->disk_state_count > 0; i++) {
		struct buffer words = {0}, visible = {0};

		disk_state_time(&words, p, &node->disk_states[shown.index[i]]);
		disk_state_short(&words, &node->disk_states[shown.index[i]]);
		text_visible(&visible, buffer_string(&words), words.length);
		width = fmax(width, FILE_PAD + STATE_GAPS + STATE_CELL * (double)text_cells(buffer_string(&visible), visible.length));
		buffer_release(&words);
		buffer_release(&visible);
	}
	return ceil(fmin(width, FILE_WIDTH_MOST));
}

static double fold_height(const struct picture_node *node)
{
	struct buffer visible = {0};

	text_visible(&visible, node->name.bytes, node->name.length);
	bool two_lines = text_cells(buffer_string(&visible), visible.length) > LAYOUT_FOLD_CELLS;
	buffer_release(&visible);
	return SMALL_HEIGHT + (two_lines ? FOLD_LINE : 0);
}

void layout_sizes(struct picture *p)
{
	for (size_t i = 0; i < p->nodes.count; i++) {
		struct picture_node *node = &p->nodes.items[i];

		switch (node->kind) {
		case PICTURE_PROCESS:
			node->width = PROCESS_WIDTH;
			node->height = PROCESS_HEIGHT;
			break;
		case PICTURE_FILE:
			node->width = file_width(p, node);
			node->height = file_height(node);
			break;
		case PICTURE_ADDRESS:
			node->width = ADDRESS_WIDTH;
			node->height = ADDRESS_HEIGHT;
			break;
		case PICTURE_FOLD:
			node->width = FOLD_WIDTH;
			node->height = fold_height(node);
			break;
		case PICTURE_CHANNEL:
		case PICTURE_KERNEL:
			node->width = SMALL_WIDTH;
			node->height = SMALL_HEIGHT;
			break;
		}
	}
}

double layout_arrow(const struct picture_edge *edge)
{
	if (edge->correlation)
		return 0;
	return edge->on_path ? LAYOUT_ARROW_ON_PATH : LAYOUT_ARROW;
}

int layout_set_points(struct picture_edge *edge, const double *xy, size_t point_count)
{
	double *points = malloc(point_count * 2 * sizeof(*points));

	if (!points)
		return -1;
	memcpy(points, xy, point_count * 2 * sizeof(*points));
	free(edge->points);
	edge->points = points;
	edge->point_count = point_count;
	return 0;
}

int layout_self_loops(struct picture *p)
{
	for (size_t i = 0; i < p->edges.count; i++) {
		struct picture_edge *edge = &p->edges.items[i];

		if (edge->from != edge->to)
			continue;
		const struct picture_node *node = &p->nodes.items[edge->from];
		double right = node->x + node->width / 2, top = node->y - node->height / 2;
		double xy[] = {right - 46, top, right - 46, top - 26, right - 14, top - 26, right - 14, top - layout_arrow(edge)};

		if (layout_set_points(edge, xy, 4) < 0)
			return -1;
	}
	return 0;
}

#define TAG_WIDTH 216.0 /* the longest that svg_labels.c writes beside a stem: 34 cells, and the number of its step */

struct box { double left, top, right, bottom; };

static void box_take(struct box *b, double left, double top, double right, double bottom)
{
	b->left = fmin(b->left, left);
	b->top = fmin(b->top, top);
	b->right = fmax(b->right, right);
	b->bottom = fmax(b->bottom, bottom);
}

void layout_normalize(struct picture *p)
{
	struct box all = {INFINITY, INFINITY, -INFINITY, -INFINITY};

	for (size_t i = 0; i < p->nodes.count; i++) {
		const struct picture_node *n = &p->nodes.items[i];

		box_take(&all, n->x - n->width / 2, n->y - n->height / 2, n->x + n->width / 2, n->y + n->height / 2);
	}
	for (size_t i = 0; i < p->edges.count; i++) {
		double words = p->edges.items[i].apart ? TAG_WIDTH : 0;

		for (size_t j = 0; j < p->edges.items[i].point_count; j++) {
			const double *xy = p->edges.items[i].points + 2 * j;

			box_take(&all, xy[0], xy[1], xy[0] + words, xy[1]);
		}
	}
	if (p->nodes.count == 0)
		all = (struct box){0, 0, 0, 0};
	for (size_t i = 0; i < p->nodes.count; i++) {
		p->nodes.items[i].x -= all.left;
		p->nodes.items[i].y -= all.top;
	}
	for (size_t i = 0; i < p->edges.count; i++)
		for (size_t j = 0; j < p->edges.items[i].point_count; j++) {
			p->edges.items[i].points[2 * j] -= all.left;
			p->edges.items[i].points[2 * j + 1] -= all.top;
		}
	p->width = all.right - all.left;
	p->height = all.bottom - all.top;
}

// 0: the picture has its positions. 1: the child could not, or gave nonsense. -1: our own side failed.
static int ask_child(struct picture *p, struct layout_options options, struct error *err)
{
	struct buffer request = {0}, answer = {0};
	const char *const argv[] = {options.program, NULL};
	struct child_limits limits = {
		.wall_ns = options.wall_ns ? options.wall_ns : DEFAULT_WALL_NS,
		.cpu_seconds = CPU_SECONDS,
		.memory_bytes = MEMORY_BYTES,
		.output_bytes = OUTPUT_BYTES,
	};
	enum child_end end = CHILD_FAILED;

	layout_request(p, &request);
	int result = buffer_check(&request, err);
	if (result == 0)
		result = child_run(argv, request.bytes, request.length, limits, &answer, &end, err);
	if (result == 0 && (end != CHILD_OK || layout_answer(p, buffer_string(&answer), answer.length, NULL) < 0))
		result = 1;
	buffer_release(&request);
	buffer_release(&answer);
	return result;
}

struct asking { struct layout_options options; struct error *err; bool failed; };

static int place(struct picture *p, void *context)
{
	struct asking *asking = context;
	struct layout_options options = asking->options;
	struct error *err = asking->err;

	asking->failed = true; // unless it comes to its end
	p->layout_fell_back = false;
	bool alone = p->nodes.count <= 1; // there is nothing to ask
	int result = options.program && !alone ? ask_child(p, options, err) : 1;
	if (result < 0)
		return -1;
	if (result > 0) {
		p->layout_fell_back = !alone;
		if (layout_own(p, err) < 0)
			return -1;
	}
	if (layout_self_loops(p) < 0)
		return error_set(err, "out of memory");
	layout_normalize(p);
	if (layout_wrap(p) < 0)
		return error_set(err, "out of memory");
	layout_normalize(p);
	asking->failed = false;
	return 0;
}

static int lay_out(struct picture *p, struct layout_options options, struct error *err)
{
	struct asking asking = {.options = options, .err = err};

	if (place(p, &asking) < 0)
		return -1;
	if (p->layout_fell_back) // it would not answer for the parts either
		asking.options.program = NULL;
	if (layout_parts(p, place, &asking) < 0)
		return asking.failed ? -1 : error_set(err, "out of memory");
	layout_normalize(p);
	return 0;
}

int layout_run(struct picture *p, struct layout_options options, struct error *err)
{
	struct layout_reduced reduced;

	layout_sizes(p);
	int result = layout_reduce(p, &reduced) < 0 ? error_set(err, "out of memory") : lay_out(&reduced.picture, options, err);
	if (result == 0 && (layout_restore(&reduced) < 0 || layout_self_loops(p) < 0)) // loops again: at the box itself
		result = error_set(err, "out of memory");
	layout_reduced_release(&reduced);
	return result;
}
