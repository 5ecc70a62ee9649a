// SPDX-License-Identifier: MIT
// The page: header, causality pane, timeline with story, notes, legend, provenance. One drawing for three uses: a picture that needs no
// script (<img>, rsvg-convert, print), the same file in a browser, and the same drawing inside a page (graph/write_html.c).
#include "graph/write.h"

#include "base/text.h"
#include "graph/svg.h"

#include <math.h>

#define LEAST_WIDTH 1400.0
#define PANE_PAD 22.0     /* room for pills on borders and labels at the rim */
#define STORY_WIDTH 400.0
#define STORY_GAP 34.0

static double page_width(const struct picture *p)
{
	return fmax(LEAST_WIDTH, ceil(p->width + 2 * SVG_MARGIN + 2 * PANE_PAD));
}

// Over what is not on the path.
static void around_heading(struct buffer *out, const struct picture *p)
{
	double y = p->around_y + 34;

	buffer_add_string(out, "<path class=\"rule\" d=\"M");
	svg_point(out, 0, y);
	buffer_add_string(out, " L");
	svg_point(out, p->width, y);
	buffer_add_string(out, "\"/>");
	svg_text(out, 0, y - 5, SVG_START, "h3", svg_words("Around the path"), 40);
	svg_text(out, 110, y - 5, SVG_START, "t11 muted",
		 svg_words("in parts, by time \u00b7 words over a box tell what came to it from a box elsewhere, words under it where something went"), SIZE_MAX);
}

static void pane_content(struct buffer *out, const struct picture *p)
{
	struct svg_label *labels = svg_labels_place(p);

	if (!labels) {
		out->failed = true;
		return;
	}
	if (p->around_y > 0)
		around_heading(out, p);
	for (size_t i = 0; i < p->edges.count; i++)
		svg_edge(out, p, &p->edges.items[i]);
	for (size_t i = 0; i < p->nodes.count; i++)
		svg_node(out, p, &p->nodes.items[i]);
	for (size_t i = 0; i < p->edges.count; i++)
		svg_edge_label(out, &p->edges.items[i], &labels[i]);
	svg_labels_free(labels, p->edges.count);
}

// A window onto the graph in the graph's own coordinates: to move and to zoom is to change its viewBox. A graph that is narrower than
// the page stands in the middle.
static void open_view(struct svg_page *page, double y, double height)
{
	const struct picture *p = page->p;
	double width = page->width - 2 * SVG_MARGIN;

	buffer_add_string(page->out, "\n<svg id=\"view\" x=\"");
	svg_number(page->out, SVG_MARGIN);
	buffer_add_string(page->out, "\" y=\"");
	svg_number(page->out, y);
	buffer_add_string(page->out, "\" width=\"");
	svg_number(page->out, width);
	buffer_add_string(page->out, "\" height=\"");
	svg_number(page->out, height);
	buffer_add_string(page->out, "\" viewBox=\"");
	svg_number(page->out, -round((width - p->width) / 2));
	buffer_add_byte(page->out, ' ');
	svg_number(page->out, -PANE_PAD);
	buffer_add_byte(page->out, ' ');
	svg_number(page->out, width);
	buffer_add_byte(page->out, ' ');
	svg_number(page->out, height);
	buffer_add_string(page->out, "\"><g id=\"graph\" role=\"group\" aria-label=\"causality graph\">\n");
}

static double causality(struct svg_page *page, double y)
{
	static const char hint[] = "left = cause, right = effect \u00b7 thick = path from the root cause to the alert \u00b7 numbers follow the story, in time order";
	static const char rows[] = "left = cause, right = effect, row after row \u00b7 thick = path from the root cause to the alert \u00b7 numbers follow the story, in time order";
	static const char path[] = "top = the path from the root cause to the alert, left to right \u00b7 numbers follow the story, in time order";
	static const char simple[] = "simple layout: Graphviz gave no answer in time; lines may cross boxes";
	const struct picture *p = page->p;
	double height = ceil(p->height + 2 * PANE_PAD);

	svg_text(page->out, SVG_MARGIN, y + 12, SVG_START, "h2", svg_words("Causality"), 20);
	svg_text(page->out, SVG_MARGIN + 78, y + 12, SVG_START, "t11 muted",
		 svg_words(p->layout_fell_back ? simple : p->around_y > 0 ? path : p->layout_rows > 1 ? rows : hint), SIZE_MAX);
	y += 22;
	svg_rect(page->out, "panel", SVG_MARGIN, y, page->width - 2 * SVG_MARGIN, height, 6);
	open_view(page, y, height);
	pane_content(page->out, p);
	buffer_add_string(page->out, "</g></svg>\n");
	if (p->nodes.count == 0)
		svg_text(page->out, page->width / 2, y + height / 2 + 4, SVG_MIDDLE, "t12 muted", svg_words("nothing to draw"), 40);
	return y + height;
}

static void open_root(struct buffer *out, const struct picture *p, double width, double height, bool alone)
{
	buffer_add_string(out, alone ? "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"" : "<svg");
	buffer_add_string(out, " id=\"sheet\" width=\"");
	svg_number(out, width);
	buffer_add_string(out, "\" height=\"");
	svg_number(out, height);
	buffer_add_string(out, "\" viewBox=\"0 0 ");
	svg_number(out, width);
	buffer_add_byte(out, ' ');
	svg_number(out, height);
	buffer_add_string(out, "\" data-zone=\"");
	nanotime_format_offset(out, p->contact_ns == NANOTIME_NONE ? 0 : p->contact_ns, p->zone);
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

// Blocks that are not torn apart by a page break (graph/page.js moves them when it prints).
static void open_pane(struct svg_page *page, double y)
{
	buffer_add_string(page->out, "<g class=\"pane\" data-top=\"");
	svg_number(page->out, y);
	buffer_add_string(page->out, "\">\n");
}

static double close_pane(struct svg_page *page, double y)
{
	buffer_add_string(page->out, "</g>\n");
	return y;
}

// Left the timeline and what else is asked, right the story and what can be recovered.
static double below_graph(struct svg_page *page, double y)
{
	double split = page->width - SVG_MARGIN - STORY_WIDTH, gap = split - STORY_GAP;
	double left = svg_timeline(page, y, gap), right = svg_story(page, split, y - 6, STORY_WIDTH);

	return fmax(svg_notes(page, left + 4, gap), right);
}

static double sheet_body(struct svg_page *page)
{
	open_pane(page, 0);
	double y = svg_header(page, SVG_MARGIN);
	y = close_pane(page, causality(page, y + 2));
	open_pane(page, y + 16);
	y = svg_legend(page, below_graph(page, y + 16) + 14);
	return close_pane(page, svg_provenance(page, y));
}

void svg_style(struct buffer *out)
{
	buffer_add_string(out, "<style>");
	buffer_add_string(out, page_css);
	buffer_add_string(out, "</style>\n");
}

void svg_script(struct buffer *out)
{
	buffer_add_string(out, "<script>");
	for (const char *c = page_js; *c; c++) {
		if (*c == '&')
			buffer_add_string(out, "&amp;");
		else if (*c == '<')
			buffer_add_string(out, "&lt;");
		else if (*c == '>')
			buffer_add_string(out, "&gt;");
		else
			buffer_add_byte(out, *c);
	}
	buffer_add_string(out, "</script>\n");
}

void svg_sheet(struct buffer *out, const struct picture *p, bool alone)
{
	struct buffer body = {0};
	struct svg_page page = {&body, p, page_width(p)};
	double height = ceil(sheet_body(&page) + SVG_MARGIN / 2);

	open_root(out, p, page.width, height, alone);
	if (alone)
		svg_style(out);
	svg_rect(out, "bg", 0, 0, page.width, height, 0);
	buffer_add_byte(out, '\n');
	buffer_add(out, buffer_string(&body), body.length);
	svg_facts(out, p, !alone); // the page has room for every preview, the picture for their first lines
	if (alone)
		svg_script(out);
	buffer_add_string(out, "</svg>\n");
	if (body.failed)
		out->failed = true;
	buffer_release(&body);
}

int write_svg(const struct picture *p, struct buffer *out, struct error *err)
{
	svg_sheet(out, p, true);
	return buffer_check(out, err);
}
