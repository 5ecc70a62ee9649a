// SPDX-License-Identifier: MIT
// The lines of the causality pane: their style says what happened, their head how sure that is.
#include "graph/svg.h"

#include "base/text.h"
#include "graph/disk_words.h"
#include "graph/layout.h"

#include <inttypes.h>
#include <math.h>

bool svg_edge_is_cut(const struct picture_edge *edge)
{
	return edge->op == FLOW_DELETE || edge->op == FLOW_TRUNCATE;
}

const char *svg_edge_line_class(const struct picture_edge *edge)
{
	if (edge->correlation)
		return "same";
	if (edge->class == CLASS_UNCERTAIN)
		return "unsure";
	if (edge->no_write_seen && edge->op != FLOW_DELETE && edge->op != FLOW_TRUNCATE)
		return "unwritten";
	switch (edge->op) {
	case FLOW_OPEN_READ:
	case FLOW_READ:
	case FLOW_INTERPRET:
	case FLOW_SYMLINK:
		return "read";
	case FLOW_CONNECT:
	case FLOW_ACCEPT:
	case FLOW_RECEIVE:
	case FLOW_UNIX:
		return "connect";
	case FLOW_DELETE:
	case FLOW_TRUNCATE:
		return "cut";
	default:
		return "solid";
	}
}

struct picture_edge svg_edge_shown(const struct picture *p, const struct picture_edge *edge)
{
	struct picture_edge shown = *edge;
	bool folded = p->nodes.items[edge->from].kind == PICTURE_FOLD || p->nodes.items[edge->to].kind == PICTURE_FOLD;

	static const uint32_t carrying = 1u << FLOW_CREATE | 1u << FLOW_WRITE | 1u << FLOW_OPEN_WRITE | 1u << FLOW_RENAME | 1u << FLOW_LINK;

	if (folded && (edge->ops & (edge->ops - 1)) != 0)
		shown.op = FLOW_FORK;
	else if (edge->on_path && (edge->ops & carrying) && svg_edge_is_cut(edge))
		shown.op = FLOW_CREATE; // what was deleted as well had been written before: that is why the path runs here
	return shown;
}

struct direction { double x, y; };

// From the point before the end to the end; points that coincide are skipped.
static struct direction direction_at(const double *points, size_t count, bool at_start)
{
	const double *end = at_start ? points : points + 2 * (count - 1);

	for (size_t i = 1; i < count; i++) {
		const double *other = at_start ? points + 2 * i : points + 2 * (count - 1 - i);
		double x = end[0] - other[0], y = end[1] - other[1], length = hypot(x, y);

		if (length > 0.05)
			return (struct direction){x / length, y / length};
	}
	return (struct direction){1, 0};
}

static void segment(struct buffer *out, double x0, double y0, double x1, double y1)
{
	buffer_add_byte(out, 'M');
	svg_point(out, x0, y0);
	buffer_add_string(out, " L");
	svg_point(out, x1, y1);
}

static void head_triangle(struct buffer *out, const char *class, const double *end, struct direction d, double length)
{
	double half = length * 0.42, x = end[0] - d.x * 0.5, y = end[1] - d.y * 0.5; // half a px over the line's end: no gap

	buffer_printf(out, "<path class=\"%s\" d=\"M", class);
	svg_point(out, x - d.y * half, y + d.x * half);
	buffer_add_string(out, " L");
	svg_point(out, end[0] + d.x * length, end[1] + d.y * length);
	buffer_add_string(out, " L");
	svg_point(out, x + d.y * half, y - d.x * half);
	buffer_add_string(out, " Z\"/>");
}

// An X (deleted, truncated) or a bar (the kernel refused), in place of a head.
static void head_mark(struct buffer *out, const struct picture_edge *edge, const double *end, struct direction d, double length)
{
	double x = end[0] + d.x * length * 0.5, y = end[1] + d.y * length * 0.5, r = length * 0.5;

	buffer_add_string(out, "<path class=\"mark\" d=\"");
	if (edge->failed) {
		segment(out, x - d.y * r * 1.3, y + d.x * r * 1.3, x + d.y * r * 1.3, y - d.x * r * 1.3);
	} else {
		segment(out, x - r, y - r, x + r, y + r);
		buffer_add_byte(out, ' ');
		segment(out, x + r, y - r, x - r, y + r);
	}
	buffer_add_string(out, "\"/>");
}

static void edge_heads(struct buffer *out, const struct picture_edge *edge)
{
	double length = layout_arrow(edge);
	const double *end = edge->points + 2 * (edge->point_count - 1);
	const char *class = edge->class == CLASS_OBSERVED ? "head" : "head hollow";

	if (length <= 0)
		return;
	if (edge->failed || svg_edge_is_cut(edge))
		head_mark(out, edge, end, direction_at(edge->points, edge->point_count, false), length);
	else
		head_triangle(out, class, end, direction_at(edge->points, edge->point_count, false), length);
	if (edge->both_ways)
		head_triangle(out, class, edge->points, direction_at(edge->points, edge->point_count, true), length);
}

static void edge_title(struct buffer *out, const struct picture *p, const struct picture_edge *e)
{
	static const char *const classes[] = {"observed", "inferred", "uncertain"};

	buffer_add_string(out, "<title>");
	svg_node_words(out, &p->nodes.items[e->from]);
	buffer_add_string(out, e->both_ways ? " \u2194 " : " \u2192 ");
	svg_node_words(out, &p->nodes.items[e->to]);
	buffer_add_string(out, ": ");
	struct buffer label = {0};
	disk_edge_label(&label, e);
	text_xml(out, buffer_string(&label), label.length);
	out->failed = out->failed || label.failed;
	buffer_release(&label);
	buffer_add_byte(out, '\n');
	svg_time(out, p, e->first_ns);
	if (e->count > 1) {
		buffer_add_string(out, " \u2013 ");
		svg_time(out, p, e->last_ns);
	}
	buffer_printf(out, "\n%s%s", e->correlation ? "same destination: not a flow" : classes[e->class],
			e->failed ? ", refused by the kernel" : "");
	for (size_t i = 0; i < e->serial_count; i++)
		buffer_printf(out, "%s%" PRIu64, i == 0 ? "\nserials " : " ", e->serials[i]);
	if (e->serial_count > 0 && e->count > e->serial_count)
		buffer_printf(out, " and more: %" PRIu64 " in all", e->count);
	buffer_add_string(out, "</title>");
}

static void curve(struct buffer *out, const struct picture_edge *edge)
{
	svg_point(out, edge->points[0], edge->points[1]);
	for (size_t i = 1; i < edge->point_count; i++) {
		buffer_add_string(out, i % 3 == 1 ? " C" : " ");
		svg_point(out, edge->points[2 * i], edge->points[2 * i + 1]);
	}
	buffer_add_string(out, "\"/>");
}

// Records that a disk gave back: short strokes across the line, as on a map's railway. Its own style stays as it is.
void svg_edge_line(struct buffer *out, const struct picture_edge *edge)
{
	buffer_printf(out, "<path class=\"line %s\" d=\"M", svg_edge_line_class(edge));
	curve(out, edge);
	if (edge->recovered) {
		buffer_add_string(out, "<path class=\"ticks\" d=\"M");
		curve(out, edge);
	}
	edge_heads(out, edge);
}

// Births, executions and what was written: the chain that the page shows at full strength.
static bool is_strong(const struct picture_edge *e)
{
	static const uint32_t strong = 1u << FLOW_FORK | 1u << FLOW_EXEC | 1u << FLOW_EXECUTE | 1u << FLOW_CREATE | 1u << FLOW_WRITE |
				       1u << FLOW_OPEN_WRITE | 1u << FLOW_RENAME | 1u << FLOW_START | 1u << FLOW_CONNECT | 1u << FLOW_INJECT;

	return (e->ops & strong) || e->on_path;
}

// What the script needs to walk: where from, where to, when, and how. "walk": effects (deleted, signalled) lead nowhere back, a
// correlation and what the kernel refused lead nowhere at all.
static void edge_data(struct buffer *out, const struct picture *p, const struct picture_edge *e)
{
	bool effect = true;

	for (unsigned op = 0; op < FLOW_COUNT; op++)
		if ((e->ops & UINT32_C(1) << op) && !flow_is_effect_only((enum flow_op)op))
			effect = false;
	struct picture_edge shown = svg_edge_shown(p, e);
	buffer_printf(out, " data-from=\"n%" PRIu32 "\" data-to=\"n%" PRIu32 "\" data-style=\"%s\" data-walk=\"%s\"", p->nodes.items[e->from].id,
		      p->nodes.items[e->to].id, svg_edge_line_class(&shown), e->correlation || e->failed ? "none" : effect && e->ops ? "effect" : "flow");
	if (is_strong(e))
		buffer_add_string(out, " data-strong=\"1\"");
	if (e->both_ways)
		buffer_add_string(out, " data-both=\"1\"");
	svg_data_time(out, "t", e->first_ns);
	svg_data_time(out, "last", e->last_ns);
	svg_data_time(out, "until", e->until_ns);
	if (e->until_ns == NANOTIME_NONE)
		buffer_add_string(out, " data-open=\"1\"");
	if (e->step_count > 0) {
		buffer_add_string(out, " data-steps=\"");
		for (size_t i = 0; i < e->step_count; i++)
			buffer_printf(out, "%s%" PRIu32, i ? " " : "", e->steps[i]);
		buffer_add_byte(out, '"');
	}
	buffer_add_byte(out, '>');
}

void svg_edge(struct buffer *out, const struct picture *p, const struct picture_edge *edge)
{
	if (edge->point_count < 4)
		return;
	buffer_printf(out, "<g class=\"edge%s%s\" id=\"e%" PRIu32 "\"", edge->on_path ? " onpath" : "",
			layout_is_common(p, edge) ? " common" : "", edge->id);
	edge_data(out, p, edge);
	struct picture_edge shown = svg_edge_shown(p, edge);
	edge_title(out, p, edge);
	svg_edge_line(out, &shown);
	buffer_add_string(out, "</g>\n");
}

void svg_edge_label(struct buffer *out, const struct picture_edge *edge, const struct svg_label *label)
{
	double x = label->x - label->width / 2, y = label->y;
	const char *line = buffer_string(&label->text);

	if (label->width <= 0)
		return;
	buffer_printf(out, "<g class=\"label\" data-edge=\"e%" PRIu32 "\">", edge->id);
	if (label->chip[0]) {
		svg_chip(out, x, y, label->chip, edge->on_path ? "chip pathchip" : "chip");
		x += label->chip_width + 3;
	}
	for (size_t i = 0; i < label->line_count; i++) {
		double baseline = y + 3.5 + ((double)i - (double)(label->line_count - 1) / 2) * 12;

		svg_text(out, x, baseline, SVG_START, "halo", (struct text){line, label->line_length[i]}, SIZE_MAX);
		line += label->line_length[i];
	}
	buffer_add_string(out, "</g>\n");
}
