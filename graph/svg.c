// SPDX-License-Identifier: MIT
#include "graph/svg.h"

#include "base/text.h"
#include "graph/write_words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHIP_HEIGHT 14.0
#define PILL_HEIGHT 13.0

void svg_number(struct buffer *out, double value)
{
	long tenths = lround(value * 10);

	if (tenths < 0) {
		buffer_add_byte(out, '-');
		tenths = -tenths;
	}
	buffer_printf(out, "%ld", tenths / 10);
	if (tenths % 10)
		buffer_printf(out, ".%ld", tenths % 10);
}

void svg_point(struct buffer *out, double x, double y)
{
	svg_number(out, x);
	buffer_add_byte(out, ',');
	svg_number(out, y);
}

size_t svg_cells(double px, double font_px)
{
	return px <= 0 ? 0 : (size_t)(px / (font_px * SVG_CELL_EM));
}

double svg_width(size_t cells, double font_px)
{
	return (double)cells * font_px * SVG_CELL_EM;
}

struct text svg_words(const char *words)
{
	return (struct text){words, strlen(words)};
}

size_t svg_text_cells(struct text t)
{
	struct buffer visible = {0};

	text_visible(&visible, t.bytes, t.length);
	size_t cells = text_cells(buffer_string(&visible), visible.length);
	buffer_release(&visible);
	return cells;
}

void svg_cut(struct buffer *out, struct text t, size_t max_cells)
{
	struct buffer visible = {0}, cut = {0};

	text_visible(&visible, t.bytes, t.length);
	text_cut_middle(&cut, buffer_string(&visible), visible.length, max_cells);
	text_xml(out, buffer_string(&cut), cut.length);
	if (visible.failed || cut.failed)
		out->failed = true;
	buffer_release(&visible);
	buffer_release(&cut);
}

void svg_text(struct buffer *out, double x, double y, enum svg_anchor anchor, const char *class, struct text t, size_t max_cells)
{
	static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};

	buffer_printf(out, "<text class=\"%s\"%s x=\"", class, anchors[anchor]);
	svg_number(out, x);
	buffer_add_string(out, "\" y=\"");
	svg_number(out, y);
	buffer_add_string(out, "\">");
	svg_cut(out, t, max_cells);
	buffer_add_string(out, "</text>");
}

void svg_time(struct buffer *out, const struct picture *p, uint64_t ns)
{
	words_time(out, p, ns);
}

void svg_seconds(struct buffer *out, uint64_t ns)
{
	buffer_printf(out, "%" PRIu64 ".%06u", ns / NANOTIME_SECOND, (unsigned)(ns % NANOTIME_SECOND / 1000));
}

void svg_data_time(struct buffer *out, const char *key, uint64_t ns)
{
	if (ns == 0 || ns == NANOTIME_NONE)
		return;
	buffer_printf(out, " data-%s=\"", key);
	svg_seconds(out, ns);
	buffer_add_byte(out, '"');
}

void svg_node_words(struct buffer *out, const struct picture_node *node)
{
	text_xml(out, node->name.bytes, node->name.length);
	if (node->kind == PICTURE_PROCESS)
		buffer_printf(out, " [%" PRIu32 "]", node->pid);
}

// After these a long word may be broken.
static bool breaks_after(char c)
{
	return c == '/' || c == ',' || c == '=' || c == ':' || c == '-' || c == '&';
}

size_t svg_line(const char *visible, size_t length, size_t max_cells, size_t *ret_next)
{
	size_t at = 0, best = 0, soft = 0;

	if (text_cells(visible, length) <= max_cells) {
		*ret_next = length;
		return length;
	}
	while (at < length) {
		size_t step = 1;

		while (at + step < length && ((unsigned char)visible[at + step] & 0xc0) == 0x80)
			step++;
		if (text_cells(visible, at + step) > max_cells && at > 0)
			break;
		if (visible[at] == ' ')
			best = at;
		at += step;
		if (breaks_after(visible[at - 1]))
			soft = at;
	}
	// A space is the better place, unless it would waste most of the line.
	size_t end = best > at / 2 || (best > 0 && soft <= best) ? best : soft > at / 3 ? soft : at;
	size_t next = end;

	while (next < length && visible[next] == ' ')
		next++;
	*ret_next = next;
	return end;
}

void svg_rect(struct buffer *out, const char *class, double x, double y, double width, double height, double radius)
{
	buffer_printf(out, "<rect class=\"%s\" x=\"", class);
	svg_number(out, x);
	buffer_add_string(out, "\" y=\"");
	svg_number(out, y);
	buffer_add_string(out, "\" width=\"");
	svg_number(out, width);
	buffer_add_string(out, "\" height=\"");
	svg_number(out, height);
	if (radius > 0) {
		buffer_add_string(out, "\" rx=\"");
		svg_number(out, radius);
	}
	buffer_add_string(out, "\"/>");
}

static void tag(struct buffer *out, double x, double y, double width, double height, const char *label, const char *class)
{
	buffer_printf(out, "<g class=\"%s\">", class);
	svg_rect(out, "back", x, y - height / 2, width, height, height / 2);
	// Digits and capitals have no descenders: their middle lies 3.2 px above the base line at 9 px.
	svg_text(out, x + width / 2, y + 3.2, SVG_MIDDLE, "t9", svg_words(label), 40);
	buffer_add_string(out, "</g>");
}

double svg_chip_width(const char *label)
{
	double width = 6.2 * (double)strlen(label) + 8;

	return width < CHIP_HEIGHT + 1 ? CHIP_HEIGHT + 1 : width;
}

void svg_chip(struct buffer *out, double x, double y, const char *label, const char *class)
{
	tag(out, x, y, svg_chip_width(label), CHIP_HEIGHT, label, class);
}

double svg_pill_width(const char *label)
{
	return svg_width(strlen(label), 9) * 1.12 + 12; // bold capitals are wider than a cell
}

void svg_pill(struct buffer *out, double x, double y, const char *label, const char *class)
{
	tag(out, x, y, svg_pill_width(label), PILL_HEIGHT, label, class);
}

void svg_chip_label(char *ret, size_t size, const uint32_t *steps, size_t count)
{
	size_t used = 0, runs = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < count;) {
		size_t end = i + 1;

		while (end < count && steps[end] == steps[end - 1] + 1)
			end++;
		if (runs == 3) {
			(void)snprintf(ret + used, size - used, "+");
			return;
		}
		int wrote = snprintf(ret + used, size - used, end - i > 1 ? "%s%" PRIu32 "-%" PRIu32 : "%s%" PRIu32, runs ? "," : "", steps[i],
				     steps[end - 1]);
		if (wrote < 0 || (size_t)wrote >= size - used) {
			ret[used] = '\0';
			return;
		}
		used += (size_t)wrote;
		runs++;
		i = end;
	}
}
