// SPDX-License-Identifier: MIT
// The bottom of the page: what the signs mean (only those that are on the page), and where everything came from.
#include "graph/svg.h"

#include "base/memory.h"
#include "base/text.h"
#include "graph/layout.h"

#include <inttypes.h>
#include <string.h>

#define ITEM_GAP 18.0
#define ICON_WIDTH 34.0
#define ROW 20.0
#define INPUTS_SHOWN 8

struct pen { struct svg_page *page; double x, y; };

// Moves to where the next item fits, and says where its icon goes. `filter`: what of the picture it stands for, in a word of ours; the
// script makes a switch of it. NULL: nothing.
static void begin_item(struct pen *pen, const char *words, const char *filter)
{
	double need = ICON_WIDTH + 6 + svg_width(strlen(words), 11) + ITEM_GAP;

	if (pen->x + need > pen->page->width - SVG_MARGIN && pen->x > SVG_MARGIN) {
		pen->x = SVG_MARGIN;
		pen->y += ROW;
	}
	buffer_add_string(pen->page->out, "<g class=\"key\"");
	if (filter)
		buffer_printf(pen->page->out, " data-filter=\"%s\"", filter);
	buffer_add_byte(pen->page->out, '>');
}

static void end_item(struct pen *pen, const char *words)
{
	svg_text(pen->page->out, pen->x + ICON_WIDTH + 6, pen->y + 4, SVG_START, "t11 muted", svg_words(words), SIZE_MAX);
	buffer_add_string(pen->page->out, "</g>");
	pen->x += ICON_WIDTH + 6 + svg_width(strlen(words), 11) * 0.94 + ITEM_GAP;
}

static void node_item(struct pen *pen, enum picture_kind kind, const char *more, const char *words)
{
	begin_item(pen, words, more[0] ? NULL : svg_kind_class(kind));
	buffer_printf(pen->page->out, "<g class=\"%s%s\">", svg_kind_class(kind), more);
	svg_node_shape(pen->page->out, kind, pen->x + ICON_WIDTH / 2, pen->y, 26, 15);
	buffer_add_string(pen->page->out, "</g>");
	end_item(pen, words);
}

// An edge of one style, drawn by the same code as those of the picture.
static void edge_item(struct pen *pen, struct picture_edge edge, const char *words)
{
	double length = layout_arrow(&edge);
	struct buffer drawn = {0};

	begin_item(pen, words, edge.failed || edge.both_ways || edge.class == CLASS_INFERRED || edge.on_path || edge.recovered ? NULL : svg_edge_line_class(&edge));
	double x0 = pen->x + (edge.both_ways ? length : 0), x1 = pen->x + ICON_WIDTH - length;
	double points[] = {x0, pen->y, x0 + (x1 - x0) / 3, pen->y, x1 - (x1 - x0) / 3, pen->y, x1, pen->y};
	edge.points = points;
	edge.point_count = 4;
	svg_edge_line(&drawn, &edge);
	buffer_printf(pen->page->out, "<g class=\"edge%s\">", edge.on_path ? " onpath" : "");
	buffer_add(pen->page->out, buffer_string(&drawn), drawn.length);
	buffer_add_string(pen->page->out, "</g>");
	buffer_release(&drawn);
	end_item(pen, words);
}

// `more`: the room that the glyphs take beyond an icon's.
static void glyph_item(struct pen *pen, const char *glyphs, double more, const char *meaning)
{
	begin_item(pen, meaning, NULL);
	pen->x += more;
	svg_text(pen->page->out, pen->x - more + 2, pen->y + 4, SVG_START, "detail strong", svg_words(glyphs), 10);
	end_item(pen, meaning);
}

static void node_items(struct pen *pen)
{
	static const char *const words[] = {"process", "file", "remote address", "pipe or socket", "kernel", "folded: several in one box"};
	const struct picture *p = pen->page->p;
	bool seen[PICTURE_FOLD + 1] = {false}, gap = false, states = false, disk = false, recovered = false;

	for (size_t i = 0; i < p->nodes.count; i++) {
		seen[p->nodes.items[i].kind] = true;
		gap = gap || p->nodes.items[i].gap_overlap;
		states = states || (p->nodes.items[i].state_count > 0 && p->nodes.items[i].disk_state_count == 0);
		disk = disk || p->nodes.items[i].disk_state_count > 0;
		recovered = recovered || p->nodes.items[i].recovered;
	}
	for (enum picture_kind kind = PICTURE_PROCESS; kind <= PICTURE_FOLD; kind++)
		if (seen[kind])
			node_item(pen, kind, "", words[kind]);
	if (gap)
		node_item(pen, PICTURE_PROCESS, " gap", "evidence is missing in its life");
	if (recovered)
		node_item(pen, PICTURE_FILE, " recovered", "known by records that a disk gave back");
	if (states)
		glyph_item(pen, "+ ~ v x", 10, "created, opened for writing, truncated, deleted");
	if (disk)
		glyph_item(pen, "+ ~ v x >", 24, "on the disk: appeared, changed, cut, deleted, name or attributes");
}

static void edge_items(struct pen *pen)
{
	static const struct { const char *class, *words; enum flow_op op; } styles[] = {
		{"solid", "started, executed, opened for writing", FLOW_FORK}, {"read", "opened for reading", FLOW_OPEN_READ},
		{"connect", "connected", FLOW_CONNECT}, {"cut", "deleted, truncated", FLOW_DELETE},
	};
	const struct picture *p = pen->page->p;
	bool path = false, failed = false, inferred = false, unsure = false, same = false, both = false, recovered = false, unwritten = false;

	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		path = path || e->on_path;
		failed = failed || e->failed;
		same = same || e->correlation;
		both = both || e->both_ways;
		recovered = recovered || e->recovered;
		struct picture_edge shown = svg_edge_shown(p, e);
		unwritten = unwritten || strcmp(svg_edge_line_class(&shown), "unwritten") == 0;
		inferred = inferred || (!e->correlation && e->class == CLASS_INFERRED);
		unsure = unsure || (!e->correlation && e->class == CLASS_UNCERTAIN);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(styles); i++)
		for (size_t j = 0; j < p->edges.count; j++) {
			struct picture_edge shown = svg_edge_shown(p, &p->edges.items[j]);

			if (strcmp(svg_edge_line_class(&shown), styles[i].class) == 0) {
				edge_item(pen, (struct picture_edge){.op = styles[i].op}, styles[i].words);
				break;
			}
		}
	if (path)
		edge_item(pen, (struct picture_edge){.op = FLOW_FORK, .on_path = true}, "path from the root cause to the alert");
	if (unwritten)
		edge_item(pen, (struct picture_edge){.op = FLOW_OPEN_WRITE, .no_write_seen = true}, "opened for writing, no write seen on the disk");
	if (recovered)
		edge_item(pen, (struct picture_edge){.op = FLOW_FORK, .recovered = true}, "rests on records that a disk gave back");
	if (both)
		edge_item(pen, (struct picture_edge){.op = FLOW_FORK, .both_ways = true}, "both ways");
	if (failed)
		edge_item(pen, (struct picture_edge){.op = FLOW_CONNECT, .failed = true}, "refused by the kernel");
	if (inferred)
		edge_item(pen, (struct picture_edge){.op = FLOW_FORK, .class = CLASS_INFERRED}, "inferred");
	if (unsure)
		edge_item(pen, (struct picture_edge){.op = FLOW_FORK, .class = CLASS_UNCERTAIN}, "uncertain (?)");
	if (same)
		edge_item(pen, (struct picture_edge){.op = FLOW_CONNECT, .correlation = true}, "same destination, no flow");
}

static void chip_items(struct pen *pen)
{
	static const char number[] = "step of the story";
	const struct picture *p = pen->page->p;
	bool bad = false;

	for (size_t i = 0; i < p->nodes.count; i++)
		bad = bad || p->nodes.items[i].root || p->nodes.items[i].user_changed;
	if (p->steps.count > 0) {
		begin_item(pen, number, NULL);
		svg_chip(pen->page->out, pen->x + ICON_WIDTH - 22, pen->y, "1", "chip");
		end_item(pen, number);
	}
	if (bad) {
		static const char meaning[] = "another user than at the login";

		begin_item(pen, meaning, NULL);
		svg_text(pen->page->out, pen->x + ICON_WIDTH, pen->y + 4, SVG_END, "detail bad strong", svg_words("root"), 5);
		end_item(pen, meaning);
	}
}

double svg_legend(struct svg_page *page, double y)
{
	struct pen pen = {page, SVG_MARGIN, y + 16};

	if (page->p->nodes.count == 0)
		return y;
	buffer_add_string(page->out, "<path class=\"rule\" d=\"M");
	svg_point(page->out, SVG_MARGIN, y);
	buffer_add_byte(page->out, ' ');
	svg_point(page->out, page->width - SVG_MARGIN, y);
	buffer_add_string(page->out, "\"/><g aria-label=\"legend\">");
	node_items(&pen);
	edge_items(&pen);
	chip_items(&pen);
	buffer_add_string(page->out, "</g>\n");
	return pen.y + ROW;
}

static double provenance_line(struct svg_page *page, double y, const struct buffer *words)
{
	const char *at = buffer_string(words);
	size_t left = words->length, room = svg_cells(page->width - 2 * SVG_MARGIN, 10);

	while (left > 0) {
		size_t next, end = svg_line(at, left, room, &next);

		svg_text(page->out, SVG_MARGIN, y, SVG_START, "detail", (struct text){at, end}, SIZE_MAX);
		at += next;
		left -= next;
		y += 14;
	}
	if (words->failed)
		page->out->failed = true;
	return y;
}

double svg_provenance(struct svg_page *page, double y)
{
	const struct picture *p = page->p;
	struct buffer words = {0};

	y += 10;
	buffer_add_string(&words, "provgraph ");
	text_visible(&words, p->version.bytes, p->version.length);
	buffer_add_string(&words, " \u00b7 ");
	text_visible(&words, p->command.bytes, p->command.length);
	buffer_add_string(&words, " \u00b7 times ");
	nanotime_format_offset(&words, p->contact_ns == NANOTIME_NONE ? 0 : p->contact_ns, p->zone);
	y = provenance_line(page, y, &words);
	size_t read = 0;
	for (size_t i = 0; i < p->inputs.count; i++) {
		const struct picture_input *input = &p->inputs.items[i];

		if (input->to == 0 || read++ >= INPUTS_SHOWN)
			continue;
		buffer_clear(&words);
		buffer_add_string(&words, "input ");
		text_visible(&words, input->name.bytes, input->name.length);
		buffer_printf(&words, ", bytes %" PRIu64 " - %" PRIu64, input->from, input->to);
		if (input->sha256.length > 0) {
			buffer_add_string(&words, ", sha256 ");
			text_visible(&words, input->sha256.bytes, input->sha256.length);
		}
		y = provenance_line(page, y, &words);
	}
	if (read > INPUTS_SHOWN) {
		buffer_clear(&words);
		buffer_printf(&words, "and %zu more inputs (all of them in the json output)", read - INPUTS_SHOWN);
		y = provenance_line(page, y, &words);
	}
	buffer_release(&words);
	return y;
}
