// SPDX-License-Identifier: MIT
// The path from the root cause to the alert in one line, for somebody who has ten seconds: the boxes of the path in the order in which
// the story comes to them, without anything around them.
#include "graph/svg.h"

#include "base/memory.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STOP_HEIGHT 24.0
#define NAME_CELLS 22
#define ARROW 20.0
#define LINE 34.0

struct stop { uint32_t node; uint64_t ns; uint32_t number; };

static int compare_stops(const void *a, const void *b)
{
	const struct stop *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->ns != y->ns ? (x->ns < y->ns ? -1 : 1) : x->node < y->node ? -1 : x->node > y->node;
}

// A box comes when a step of the path first leads into it; one that none leads into, right before the first step that leads out of it.
static struct stop stop_of(const struct picture *p, uint32_t node)
{
	const struct picture_node *n = &p->nodes.items[node];
	uint32_t into = UINT32_MAX / 4, out = UINT32_MAX / 4;

	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		if (!e->on_path || e->step_count == 0)
			continue;
		if (e->to == node && e->steps[0] < into)
			into = e->steps[0];
		if (e->from == node && e->steps[0] < out)
			out = e->steps[0];
	}
	return (struct stop){node, n->first_ns, n->alert ? UINT32_MAX : into < UINT32_MAX / 4 ? 2 * into : 2 * out - 1};
}

static double draw_stop(struct svg_page *page, uint32_t node, double x, double y)
{
	const struct picture_node *n = &page->p->nodes.items[node];
	size_t cells = svg_text_cells(n->name);
	char pid[16] = "";

	if (n->kind == PICTURE_PROCESS)
		(void)snprintf(pid, sizeof(pid), "%" PRIu32, n->pid);
	cells = cells > NAME_CELLS ? NAME_CELLS : cells;
	double width = svg_width(cells, 11) + (pid[0] ? svg_width(strlen(pid), 10) + 5 : 0) + 24 + (n->kind == PICTURE_ADDRESS ?
			12 : n->kind == PICTURE_FILE ? 9 : 0);
	buffer_printf(page->out, "<g class=\"stop %s%s\" data-node=\"n%" PRIu32 "\">", svg_kind_class(n->kind), n->alert ? " alert" : "", n->id);
	svg_node_shape(page->out, n->kind, x + width / 2, y, width, STOP_HEIGHT);
	buffer_add_string(page->out, "<text class=\"name\" x=\"");
	svg_number(page->out, x + 12 + (n->kind == PICTURE_ADDRESS ? 6 : 0));
	buffer_add_string(page->out, "\" y=\"");
	svg_number(page->out, y + 4);
	buffer_add_string(page->out, "\">");
	svg_cut(page->out, n->name, cells);
	if (pid[0])
		buffer_printf(page->out, "<tspan class=\"detail\" dx=\"5\">%s</tspan>", pid);
	buffer_add_string(page->out, "</text></g>");
	return width;
}

static void draw_arrow(struct svg_page *page, double x, double y)
{
	buffer_add_string(page->out, "<path class=\"then\" d=\"M");
	svg_point(page->out, x + 3, y);
	buffer_add_string(page->out, " L");
	svg_point(page->out, x + ARROW - 8, y);
	buffer_add_string(page->out, "\"/><path class=\"tip\" d=\"M");
	svg_point(page->out, x + ARROW - 9, y - 4);
	buffer_add_string(page->out, " L");
	svg_point(page->out, x + ARROW - 2, y);
	buffer_add_string(page->out, " L");
	svg_point(page->out, x + ARROW - 9, y + 4);
	buffer_add_string(page->out, " Z\"/>");
}

double svg_way(struct svg_page *page, double y)
{
	const struct picture *p = page->p;
	struct stop *stops AUTO_FREE = malloc((p->nodes.count + 1) * sizeof(*stops));
	size_t count = 0;
	double x = SVG_MARGIN;

	for (uint32_t i = 0; stops && i < p->nodes.count; i++)
		if (p->nodes.items[i].on_path)
			stops[count++] = stop_of(p, i);
	if (!stops)
		page->out->failed = true;
	if (count < 2)
		return y;
	qsort(stops, count, sizeof(*stops), compare_stops);
	y += STOP_HEIGHT / 2 + 2;
	buffer_add_string(page->out, "<g class=\"way\" role=\"group\" aria-label=\"path from the root cause to the alert\">");
	for (size_t i = 0; i < count; i++) {
		struct buffer drawn = {0}, *out = page->out;

		page->out = &drawn; // how wide a stop is shows when it is drawn: one that does not fit is drawn again on the next line
		double width = draw_stop(page, stops[i].node, x + (i ? ARROW : 0), y);
		page->out = out;
		bool fits = x + (i ? ARROW : 0) + width <= page->width - SVG_MARGIN || x == SVG_MARGIN;
		if (i > 0)
			draw_arrow(page, x, y);
		x += i ? ARROW : 0;
		if (!fits) {
			x = SVG_MARGIN;
			y += LINE;
			(void)draw_stop(page, stops[i].node, x, y);
		} else {
			buffer_add(page->out, buffer_string(&drawn), drawn.length);
		}
		x += width;
		buffer_release(&drawn);
	}
	buffer_add_string(page->out, "</g>\n");
	return y + STOP_HEIGHT / 2 + 18;
}
