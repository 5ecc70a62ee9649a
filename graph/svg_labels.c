// SPDX-License-Identifier: MIT
// Where the words of an edge go: along its line from the middle outward, on it or beside it, wherever they hide least of the nodes,
// of labels that stand already, and of other lines. (Graphviz would do it too, 3 to 34 times slower, and move the nodes for it.)
#include "graph/svg.h"

#include "base/memory.h"
#include "base/text.h"
#include "graph/disk_words.h"
#include "graph/layout.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FONT 10.0
#define LINE_CELLS 17      /* of a line: what fits between two columns */
#define CHIP_LINE_CELLS 13 /* with a number beside it */
#define LINE_HEIGHT 12.0
#define SAMPLE_PX 8.0      /* distance of the points that stand for a line */
#define MAX_SAMPLES 400    /* per edge */
#define MARGIN 3.0         /* kept free around boxes */
#define NEAR 110.0
#define ELAPSED_LEAST NANOTIME_SECOND
#define HOPELESS 5.0       /* a label that costs more hides more than it tells */

struct box { double left, top, right, bottom; };
struct samples { double (*xy)[2]; size_t count; struct box bounds; };

struct placing {
	const struct picture *p;
	struct svg_label *labels;
	struct samples *samples; // one per edge
	bool *placed;
};

static double overlap(struct box a, struct box b)
{
	double width = fmin(a.right, b.right) - fmax(a.left, b.left), height = fmin(a.bottom, b.bottom) - fmax(a.top, b.top);

	return width > 0 && height > 0 ? width * height : 0;
}

static struct box box_around(double x, double y, double width, double height)
{
	return (struct box){x - width / 2, y - height / 2, x + width / 2, y + height / 2};
}

static void bezier(const double *p, double t, double *ret)
{
	double s = 1 - t;

	for (int i = 0; i < 2; i++)
		ret[i] = s * s * s * p[i] + 3 * s * s * t * p[2 + i] + 3 * s * t * t * p[4 + i] + t * t * t * p[6 + i];
}

// Points along an edge, about SAMPLE_PX apart.
static int samples_take(struct samples *s, const struct picture_edge *edge)
{
	s->xy = malloc((MAX_SAMPLES + 1) * sizeof(*s->xy));
	if (!s->xy)
		return -1;
	size_t pieces = edge->point_count >= 4 ? (edge->point_count - 1) / 3 : 0;
	for (size_t i = 0; i < pieces && s->count < MAX_SAMPLES; i++) {
		const double *p = edge->points + 6 * i;
		double length = hypot(p[2] - p[0], p[3] - p[1]) + hypot(p[4] - p[2], p[5] - p[3]) + hypot(p[6] - p[4], p[7] - p[5]);
		size_t steps = (size_t)fmin(ceil(length / SAMPLE_PX), MAX_SAMPLES) + 1;

		for (size_t j = i == 0 ? 0 : 1; j <= steps && s->count < MAX_SAMPLES; j++)
			bezier(p, (double)j / (double)steps, s->xy[s->count++]);
	}
	s->bounds = (struct box){INFINITY, INFINITY, -INFINITY, -INFINITY};
	for (size_t i = 0; i < s->count; i++)
		s->bounds = (struct box){fmin(s->bounds.left, s->xy[i][0]), fmin(s->bounds.top, s->xy[i][1]),
					 fmax(s->bounds.right, s->xy[i][0]), fmax(s->bounds.bottom, s->xy[i][1])};
	return 0;
}

// How long after its source was first seen, where that says something: "after 25s". A file that was there before has no such moment.
static void add_elapsed(struct buffer *out, const struct picture *p, const struct picture_edge *edge)
{
	const struct picture_node *from = &p->nodes.items[edge->from];
	bool new_file = from->kind == PICTURE_FILE && from->state_count > 0 && from->states[0].glyph == '+';

	if (edge->correlation || (from->kind != PICTURE_PROCESS && !new_file) || edge->first_ns == NANOTIME_NONE ||
	    edge->first_ns < from->first_ns + ELAPSED_LEAST)
		return;
	buffer_add_string(out, "after ");
	nanotime_format_duration(out, edge->first_ns - from->first_ns);
}

static void visible_label(struct buffer *out, const struct picture_edge *edge)
{
	struct buffer raw = {0};

	disk_edge_label(&raw, edge);
	text_visible(out, buffer_string(&raw), raw.length);
	out->failed = out->failed || raw.failed;
	buffer_release(&raw);
}

// The words in a few short lines; what does not fit is cut in its middle (the whole stands in the edge's <title>).
static void label_text(struct svg_label *label, const struct picture *p, const struct picture_edge *edge)
{
	struct buffer visible = {0};
	size_t cells = edge->step_count > 0 ? CHIP_LINE_CELLS : LINE_CELLS;

	if (edge->class == CLASS_UNCERTAIN && !edge->correlation)
		buffer_add_string(&visible, "? ");
	visible_label(&visible, edge);
	const char *words = buffer_string(&visible);
	size_t left = visible.length;
	while (left > 0) {
		size_t before = label->text.length, next, end = svg_line(words, left, cells, &next);

		if (label->line_count + 1 == SVG_LABEL_LINES) {
			text_cut_middle(&label->text, words, left, cells + 3);
			next = left;
		} else {
			buffer_add(&label->text, words, end);
		}
		label->line_length[label->line_count++] = label->text.length - before;
		words += next;
		left -= next;
	}
	size_t before = label->text.length;
	if (label->line_count > 0 && label->line_count < SVG_LABEL_LINES)
		add_elapsed(&label->text, p, edge);
	if (label->text.length > before)
		label->line_length[label->line_count++] = label->text.length - before;
	if (visible.failed)
		label->text.failed = true;
	buffer_release(&visible);
}

#define TAG_CELLS 34
#define TAG_NAME_CELLS 18

// One line beside a stem: who stands at its other end, and what happened.
static void tag_text(struct svg_label *label, const struct picture *p, const struct picture_edge *edge)
{
	const struct picture_node *other = &p->nodes.items[edge->apart_into ? edge->from : edge->to];
	struct buffer visible = {0};
	size_t first, shared = layout_shared_stem(p, edge, &first);

	if (shared > 0 && edge != &p->edges.items[first])
		return;
	if (edge->class == CLASS_UNCERTAIN && !edge->correlation)
		buffer_add_string(&label->text, "? ");
	text_visible(&visible, other->name.bytes, other->name.length);
	if (shared > 0)
		buffer_printf(&label->text, "%zu boxes", shared);
	else
		text_cut_middle(&label->text, buffer_string(&visible), visible.length, TAG_NAME_CELLS);
	if (shared == 0 && other->kind == PICTURE_PROCESS)
		buffer_printf(&label->text, " %" PRIu32, other->pid);
	buffer_add_string(&label->text, " \u00b7 ");
	buffer_clear(&visible);
	visible_label(&visible, edge);
	size_t used = text_cells(buffer_string(&label->text), label->text.length);
	text_cut_middle(&label->text, buffer_string(&visible), visible.length, used + 8 < TAG_CELLS ? TAG_CELLS - used : 8);
	label->line_length[0] = label->text.length;
	label->line_count = 1;
	if (visible.failed)
		label->text.failed = true;
	buffer_release(&visible);
}

static void label_size(struct svg_label *label, const struct picture_edge *edge)
{
	const char *line = buffer_string(&label->text);
	size_t widest = 0;

	for (size_t i = 0; i < label->line_count; i++) {
		size_t cells = text_cells(line, label->line_length[i]);

		widest = cells > widest ? cells : widest;
		line += label->line_length[i];
	}
	svg_chip_label(label->chip, sizeof(label->chip), edge->steps, edge->step_count);
	label->chip_width = label->chip[0] ? svg_chip_width(label->chip) : 0;
	// The page's type is proportional: 0.56 em is its mean for lower-case words, which is what labels are.
	label->width = (double)widest * FONT * 0.56 + (label->chip[0] ? label->chip_width + 3 : 0);
	label->height = fmax(LINE_HEIGHT * (double)label->line_count, label->chip[0] ? 15 : 0);
}

static double cost_at(const struct placing *placing, size_t edge, double x, double y)
{
	const struct picture *p = placing->p;
	const struct svg_label *label = &placing->labels[edge];
	struct box here = box_around(x, y, label->width + 2 * MARGIN, label->height + 2 * MARGIN);
	double area = (here.right - here.left) * (here.bottom - here.top), cost = 0;

	for (size_t i = 0; i < p->nodes.count; i++) {
		const struct picture_node *n = &p->nodes.items[i];

		cost += 14 * overlap(here, box_around(n->x, n->y, n->width + 8, n->height + 12)) / area;
	}
	for (size_t i = 0; i < p->edges.count; i++) {
		const struct svg_label *other = &placing->labels[i];
		const struct samples *line = &placing->samples[i];
		size_t hidden = 0;

		if (placing->placed[i])
			cost += 18 * overlap(here, box_around(other->x, other->y, other->width + 2 * MARGIN, other->height + 2)) / area;
		if (i == edge || line->bounds.left > here.right || line->bounds.right < here.left || line->bounds.top > here.bottom ||
		    line->bounds.bottom < here.top)
			continue;
		for (size_t j = 0; j < line->count; j++)
			hidden += line->xy[j][0] > here.left && line->xy[j][0] < here.right && line->xy[j][1] > here.top && line->xy[j][1] < here.bottom;
		cost += (p->edges.items[i].on_path ? 0.25 : 0.12) * (double)(hidden < 12 ? hidden : 12);
	}
	if (here.left < -10 || here.top < -14 || here.right > p->width + 10 || here.bottom > p->height + 14)
		cost += 6;
	return cost;
}

static int importance(const struct picture_edge *edge)
{
	return edge->apart ? 3 : edge->on_path ? 2 : edge->step_count > 0 ? 1 : 0; // a tag has no other place
}

// In a graph of several rows a line may be long: its words stand near one of its ends.
static double distance_cost(const struct placing *placing, size_t edge, double x, double y)
{
	const struct picture_edge *e = &placing->p->edges.items[edge];
	double nearest = INFINITY;

	if (placing->p->layout_rows < 2)
		return 0;
	for (int end = 0; end < 2; end++) {
		const struct picture_node *n = &placing->p->nodes.items[end ? e->to : e->from];
		double across = fmax(fabs(x - n->x) - n->width / 2, 0), down = fmax(fabs(y - n->y) - n->height / 2, 0);

		nearest = fmin(nearest, hypot(across, down));
	}
	return fmax(nearest - NEAR, 0) * 0.006;
}

static void place(struct placing *placing, size_t edge)
{
	struct svg_label *label = &placing->labels[edge];
	const struct samples *line = &placing->samples[edge];
	double best = INFINITY, step_length = placing->p->layout_rows < 2 ? 0.045 : 0.02;
	int steps = placing->p->layout_rows < 2 ? 19 : 48;
	const struct picture_edge *e = &placing->p->edges.items[edge];

	if (e->attached) { // its number stands at the corner of the fold
		const struct picture_node *from = &placing->p->nodes.items[e->from], *fold = from->attached ? from : &placing->p->nodes.items[e->to];

		label->x = fold->x - fold->width / 2 - 6;
		label->y = fold->y;
		placing->placed[edge] = true;
		return;
	}

	if (e->apart) {
		const double *tag = e->points + (e->apart_into ? 0 : 2 * (e->point_count - 1)), *box = e->points + (e->apart_into ? 2 * (e->point_count - 1) : 0);

		double head = e->apart_into && e->both_ways ? layout_arrow(e) : 0; // the line begins after it, the words do not

		label->x = tag[0] + (e->apart_into ? 6 : 9) + label->width / 2;
		label->y = tag[1] + (tag[1] < box[1] ? -head : head) + (tag[1] < box[1] ? 4 : e->apart_into ? -4 : 3);
		placing->placed[edge] = true;
		return;
	}

	for (int step = 0; step < steps && line->count > 0; step++) {
		int steps_away = (step + 1) / 2; // 0, +1, -1, +2, -2 ...
		double away = steps_away * step_length * (step % 2 ? 1 : -1);
		const double *at = line->xy[(size_t)((0.5 + away) * (double)(line->count - 1))];

		for (int side = 0; side < 5; side++) { // on it, right above and below it, further above and below
			double shift = side == 0 ? 0 : (label->height / 2 + (side < 3 ? 5 : 18)) * (side % 2 ? -1 : 1);
			double cost = cost_at(placing, edge, at[0], at[1] + shift) + distance_cost(placing, edge, at[0], at[1] + shift) +
				      fabs(away) * 2 + (side > 2 ? 1.2 : side ? 0.35 : label->line_count > 1 ? 0.8 : 0); // several lines of words stand beside it

			if (cost < best - 1e-9) {
				best = cost;
				label->x = at[0];
				label->y = at[1] + shift;
			}
		}
	}
	if (best > HOPELESS && importance(&placing->p->edges.items[edge]) == 0)
		label->width = 0; // no room: the line's style and its <title> have to do
	else
		placing->placed[edge] = true;
}

static int prepare(struct placing *placing)
{
	for (size_t i = 0; i < placing->p->edges.count; i++) {
		const struct picture_edge *edge = &placing->p->edges.items[i];
		struct svg_label *label = &placing->labels[i];

		if (samples_take(&placing->samples[i], edge) < 0)
			return -1;
		if (placing->samples[i].count == 0)
			continue;
		if (edge->apart)
			tag_text(label, placing->p, edge);
		else
			label_text(label, placing->p, edge);
		if (label->text.failed)
			return -1;
		if (edge->attached || (!edge->apart && layout_is_common(placing->p, edge)))
			buffer_clear(&label->text), label->line_count = 0; // the fold's box has the words; many alike need none
		if (label->text.length > 0 || edge->step_count > 0)
			label_size(label, edge);
	}
	return 0;
}

struct svg_label *svg_labels_place(const struct picture *p)
{
	struct placing placing = {
		.p = p,
		.labels = calloc(p->edges.count + 1, sizeof(*placing.labels)),
		.samples = calloc(p->edges.count + 1, sizeof(*placing.samples)),
		.placed = calloc(p->edges.count + 1, sizeof(*placing.placed)),
	};
	bool good = placing.labels && placing.samples && placing.placed && prepare(&placing) == 0;

	// What tells the story chooses first.
	for (int level = 3; good && level >= 0; level--)
		for (size_t i = 0; i < p->edges.count; i++)
			if (placing.labels[i].width > 0 && importance(&p->edges.items[i]) == level)
				place(&placing, i);
	for (size_t i = 0; placing.samples && i < p->edges.count; i++)
		free(placing.samples[i].xy);
	free(placing.samples);
	free(placing.placed);
	if (good)
		return placing.labels;
	svg_labels_free(placing.labels, p->edges.count);
	return NULL;
}

void svg_labels_free(struct svg_label *labels, size_t count)
{
	for (size_t i = 0; labels && i < count; i++)
		buffer_release(&labels[i].text);
	free(labels);
}
