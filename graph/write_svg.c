// SPDX-License-Identifier: MIT
// The page: header, causality pane, story, legend, provenance. Static: no script, no links, nothing fetched.
#include "graph/write.h"

#include "base/text.h"
#include "graph/svg.h"

#include <math.h>

#define LEAST_WIDTH 1400.0
#define PANE_PAD 22.0 /* room for pills on borders and labels at the rim */

static double page_width(const struct picture *p)
{
	return fmax(LEAST_WIDTH, ceil(p->width + 2 * SVG_MARGIN + 2 * PANE_PAD));
}

static void pane_content(struct buffer *out, const struct picture *p)
{
	struct svg_label *labels = svg_labels_place(p);

	if (!labels) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < p->edges.count; i++)
		svg_edge(out, p, &p->edges.items[i]);
	for (size_t i = 0; i < p->nodes.count; i++)
		svg_node(out, p, &p->nodes.items[i]);
	for (size_t i = 0; i < p->edges.count; i++)
		svg_edge_label(out, &p->edges.items[i], &labels[i]);
	svg_labels_free(labels, p->edges.count);
}

static double causality(struct svg_page *page, double y)
{
	static const char hint[] = "left = cause, right = effect \u00b7 thick = path from the root cause to the alert \u00b7 numbers follow the story, in time order";
	static const char rows[] = "left = cause, right = effect, row after row \u00b7 thick = path from the root cause to the alert \u00b7 numbers follow the story, in time order";
	static const char simple[] = "simple layout: Graphviz gave no answer in time; lines may cross boxes";
	const struct picture *p = page->p;
	double height = ceil(p->height + 2 * PANE_PAD);

	svg_text(page->out, SVG_MARGIN, y + 12, SVG_START, "h2", svg_words("Causality"), 20);
	svg_text(page->out, SVG_MARGIN + 78, y + 12, SVG_START, "t11 muted",
		 svg_words(p->layout_fell_back ? simple : p->layout_rows > 1 ? rows : hint), SIZE_MAX);
	y += 22;
	svg_rect(page->out, "panel", SVG_MARGIN, y, page->width - 2 * SVG_MARGIN, height, 6);
	// A graph that is narrower than the page stands in the middle.
	buffer_add_string(page->out, "\n<g role=\"group\" aria-label=\"causality graph\" transform=\"translate(");
	svg_point(page->out, round((page->width - p->width) / 2), y + PANE_PAD);
	buffer_add_string(page->out, ")\">\n");
	pane_content(page->out, p);
	buffer_add_string(page->out, "</g>\n");
	if (p->nodes.count == 0)
		svg_text(page->out, page->width / 2, y + height / 2 + 4, SVG_MIDDLE, "t12 muted", svg_words("nothing to draw"), 40);
	return y + height;
}

static void open_root(struct buffer *out, const struct picture *p, double width, double height)
{
	buffer_add_string(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"");
	svg_number(out, width);
	buffer_add_string(out, "\" height=\"");
	svg_number(out, height);
	buffer_add_string(out, "\" viewBox=\"0 0 ");
	svg_number(out, width);
	buffer_add_byte(out, ' ');
	svg_number(out, height);
	buffer_add_string(out, "\" role=\"graphics-document\" aria-labelledby=\"title desc\">\n<title id=\"title\">");
	text_xml(out, p->title.bytes, p->title.length);
	buffer_add_string(out, "</title>\n<desc id=\"desc\">provgraph: what led to the contact and what followed from it.");
	for (size_t i = 0; i < p->steps.count; i++) {
		const struct picture_step *s = &p->steps.items[i];

		buffer_add_byte(out, ' ');
		if (!s->alert)
			buffer_printf(out, "%u. ", s->number);
		svg_time(out, p, s->time_ns);
		buffer_add_byte(out, ' ');
		text_xml(out, s->words.bytes, s->words.length);
		buffer_add_byte(out, '.');
	}
	buffer_add_string(out, "</desc>\n");
}

int write_svg(const struct picture *p, struct buffer *out, struct error *err)
{
	struct buffer body = {0};
	struct svg_page page = {&body, p, page_width(p)};
	double y = svg_header(&page, SVG_MARGIN);

	y = causality(&page, y + 2);
	y = svg_story(&page, y + 10);
	y = svg_legend(&page, y + 14);
	y = svg_provenance(&page, y);
	double height = ceil(y + SVG_MARGIN / 2);

	open_root(out, p, page.width, height);
	svg_style(out);
	svg_rect(out, "bg", 0, 0, page.width, height, 0);
	buffer_add_byte(out, '\n');
	buffer_add(out, buffer_string(&body), body.length);
	buffer_add_string(out, "</svg>\n");
	if (body.failed)
		out->failed = true;
	buffer_release(&body);
	return buffer_check(out, err);
}
