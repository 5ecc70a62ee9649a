// SPDX-License-Identifier: MIT
// The top of the page: what the alert is about, the numbers, and, before any picture, what the evidence does not hold.
#include "graph/svg.h"

#include "base/memory.h"
#include "base/text.h"
#include "graph/describe.h"
#include "graph/disk_words.h"

#include <string.h>

#define LOSS_LINES 4  /* the rest is counted, and listed below the picture */
#define BLIND_LINES 2
#define DISK_LINES 2     /* of one disk */
#define DISKS_SHOWN 6

// Lines of visible words at the page's width; returns the y below. max_lines 0: all.
static double paragraph(struct svg_page *page, double x, double y, const char *class, double font_px, const char *words, size_t length,
			size_t max_lines)
{
	size_t room = svg_cells(page->width - SVG_MARGIN - x, font_px) * 9 / 8; // sentences in the page's type: 0.49 em a letter, 0.54 at most

	for (size_t line = 1; length > 0; line++) {
		size_t next, end = svg_line(words, length, room, &next);

		if (line == max_lines && next < length) {
			svg_text(page->out, x, y, SVG_START, class, (struct text){words, length}, room);
			return y + font_px + 5;
		}
		svg_text(page->out, x, y, SVG_START, class, (struct text){words, end}, SIZE_MAX);
		y += font_px + 5;
		words += next;
		length -= next;
	}
	return y;
}

// The title, with the address that the alert names in red where the title ends with it.
static void title_line(struct svg_page *page, double y)
{
	const struct picture *p = page->p;
	struct buffer address = {0}, visible = {0}, cut = {0};
	struct event_address remote = p->alert_address;

	remote.port = p->alert_port;
	if (remote.kind == ADDRESS_IPV4 || remote.kind == ADDRESS_IPV6)
		describe_address(NULL, &remote, &address);
	text_visible(&visible, p->title.bytes, p->title.length);
	text_cut_middle(&cut, buffer_string(&visible), visible.length, svg_cells(page->width - 2 * SVG_MARGIN, 18) * 10 / 11);
	buffer_add_string(page->out, "<text class=\"h1\" x=\"24\" y=\"");
	svg_number(page->out, y);
	buffer_add_string(page->out, "\">");
	const char *red = address.length > 0 ? strstr(buffer_string(&cut), buffer_string(&address)) : NULL;
	size_t plain = red ? (size_t)(red - cut.bytes) : cut.length;
	size_t reds = red ? address.length : 0;
	while (red && (red[reds] == ':' || (red[reds] >= '0' && red[reds] <= '9'))) // the port, when the alert named none
		reds++;
	text_xml(page->out, buffer_string(&cut), plain);
	if (red) {
		buffer_add_string(page->out, "<tspan class=\"bad\">");
		text_xml(page->out, red, reds);
		buffer_add_string(page->out, "</tspan>");
		text_xml(page->out, red + reds, cut.length - plain - reds);
	}
	buffer_add_string(page->out, "</text>");
	buffer_release(&address);
	buffer_release(&visible);
	buffer_release(&cut);
}

static void add_count(struct buffer *out, size_t count, const char *one, const char *many)
{
	if (count == 0)
		return;
	buffer_add_string(out, ", ");
	text_count(out, count);
	buffer_printf(out, " %s", count == 1 ? one : many);
}

static void add_moment(struct buffer *out, const struct picture *p, uint64_t ns)
{
	nanotime_format(out, ns, NANOTIME_DATE, p->zone);
	buffer_add_byte(out, ' ');
	nanotime_format(out, ns, NANOTIME_SECONDS, p->zone);
	buffer_add_byte(out, ' ');
	nanotime_format_offset(out, ns, p->zone);
}

static void context_words(struct buffer *out, const struct picture *p)
{
	size_t kinds[PICTURE_FOLD + 1] = {0};
	uint64_t folded = 0;

	for (size_t i = 0; i < p->nodes.count; i++)
		kinds[p->nodes.items[i].kind]++;
	for (size_t i = 0; i < p->folds.count; i++)
		folded += p->folds.items[i].member_count;
	buffer_add_string(out, p->alert_ns != NANOTIME_NONE ? "Alert " : "Contact ");
	add_moment(out, p, p->alert_ns != NANOTIME_NONE ? p->alert_ns : p->contact_ns);
	if (p->alert_signature.length > 0) {
		buffer_add_string(out, " \u00b7 ");
		text_visible(out, p->alert_signature.bytes, p->alert_signature.length);
	}
	if (p->host.length > 0) {
		buffer_add_string(out, " \u00b7 host ");
		text_visible(out, p->host.bytes, p->host.length);
	}
	buffer_add_string(out, " \u00b7 window ");
	svg_time(out, p, p->from_ns);
	buffer_add_string(out, " \u2013 ");
	svg_time(out, p, p->to_ns);
	buffer_add_string(out, " \u00b7 ");
	text_count(out, kinds[PICTURE_PROCESS]);
	buffer_add_string(out, kinds[PICTURE_PROCESS] == 1 ? " process" : " processes");
	add_count(out, kinds[PICTURE_FILE], "file", "files");
	add_count(out, kinds[PICTURE_ADDRESS], "address", "addresses");
	add_count(out, kinds[PICTURE_CHANNEL] + kinds[PICTURE_KERNEL], "channel", "channels");
	if (p->folds.count > 0) {
		buffer_add_string(out, ", ");
		text_count(out, folded);
		buffer_add_string(out, p->folds.count == 1 ? " more in one fold" : " more in ");
		if (p->folds.count != 1) {
			text_count(out, p->folds.count);
			buffer_add_string(out, " folds");
		}
	}
	buffer_add_string(out, " \u00b7 ");
	text_count(out, p->events);
	buffer_add_string(out, " events reduced to ");
	text_count(out, p->edges.count);
	buffer_add_string(out, p->edges.count == 1 ? " link" : " links");
}

static void loss_words(struct buffer *out, const struct picture *p, const struct picture_missing *m)
{
	text_visible(out, m->words.bytes, m->words.length);
	if (m->from_ns != NANOTIME_NONE && m->to_ns != NANOTIME_NONE && m->from_ns != 0) {
		buffer_add_string(out, ", ");
		svg_time(out, p, m->from_ns);
		buffer_add_string(out, " \u2013 ");
		svg_time(out, p, m->to_ns);
	}
}

// A red box: what it is about, and room for `count` lines.
static double open_box(struct svg_page *page, double y, const char *heading, size_t count)
{
	size_t shown = count > LOSS_LINES ? LOSS_LINES + 1 : count;

	svg_rect(page->out, "lossbox", SVG_MARGIN, y, page->width - 2 * SVG_MARGIN, 26 + 16 * (double)shown, 5);
	svg_text(page->out, SVG_MARGIN + 12, y + 18, SVG_START, "t12 bad strong", svg_words(heading), SIZE_MAX);
	return y + 35;
}

static double box_line(struct svg_page *page, double y, const struct buffer *words)
{
	svg_text(page->out, SVG_MARGIN + 24, y, SVG_START, "t11 bad", (struct text){buffer_string(words), words->length},
		 svg_cells(page->width - 2 * SVG_MARGIN - 48, 11));
	if (words->failed)
		page->out->failed = true;
	return y + 16;
}

static double close_box(struct svg_page *page, double y, size_t hidden)
{
	struct buffer words = {0};

	if (hidden > 0) {
		buffer_printf(&words, "and %zu more, listed below", hidden);
		y = box_line(page, y, &words);
	}
	buffer_release(&words);
	return y + 10;
}

static double loss_banner(struct svg_page *page, double y, size_t losses)
{
	const struct picture *p = page->p;
	size_t shown = losses > LOSS_LINES ? LOSS_LINES : losses, done = 0;

	y = open_box(page, y, "! Evidence is missing in this window: that no link is drawn there does not mean that nothing happened.", losses);
	for (size_t i = 0; i < p->missing.count && done < shown; i++) {
		struct buffer words = {0};

		if (!p->missing.items[i].loss)
			continue;
		loss_words(&words, p, &p->missing.items[i]);
		y = box_line(page, y, &words);
		buffer_release(&words);
		done++;
	}
	return close_box(page, y, losses - shown);
}

// What the disks show to be otherwise than the log says.
static double findings_banner(struct svg_page *page, double y)
{
	size_t all = disk_finding_count(page->p), done = 0;
	struct disk_finding at = {0};

	if (all == 0)
		return y;
	y = open_box(page, y, "! What the disk shows is not what the log says:", all);
	while (done < LOSS_LINES && disk_finding_next(page->p, &at)) {
		struct buffer words = {0};

		disk_finding_words(&words, page->p, &at);
		y = box_line(page, y, &words);
		buffer_release(&words);
		done++;
	}
	return close_box(page, y, all - done) - 11; // the next box, or line, stands close below
}

static double coverage_line(struct svg_page *page, double y)
{
	struct buffer words = {0}, visible = {0};

	disk_coverage_words(&words, page->p);
	text_visible(&visible, buffer_string(&words), words.length);
	if (visible.length > 0)
		y = paragraph(page, SVG_MARGIN, y, "t11 muted", 11, buffer_string(&visible), visible.length, DISK_LINES);
	page->out->failed = page->out->failed || words.failed || visible.failed;
	buffer_release(&words);
	buffer_release(&visible);
	return y;
}

// "fe:10 is web01.history: 12 of 12 births match; guest clock ..."
static double disk_lines(struct svg_page *page, double y)
{
	const struct picture *p = page->p;

	for (size_t i = 0; i < p->disks.count && i < DISKS_SHOWN; i++) {
		struct buffer words = {0};

		buffer_add_string(&words, i == 0 ? "Disks: " : "");
		text_visible(&words, p->disks.items[i].words.bytes, p->disks.items[i].words.length);
		y = paragraph(page, SVG_MARGIN, y, "t11 muted", 11, buffer_string(&words), words.length, DISK_LINES);
		page->out->failed = page->out->failed || words.failed;
		buffer_release(&words);
	}
	return coverage_line(page, y);
}

static double completeness(struct svg_page *page, double y)
{
	static const char none[] = "Completeness: no loss was measured in this window.";
	const struct picture *p = page->p;
	struct buffer blind = {0};
	size_t losses = 0, blinds = 0;

	for (size_t i = 0; i < p->missing.count; i++) {
		const struct picture_missing *m = &p->missing.items[i];

		if (m->loss) {
			losses++;
			continue;
		}
		buffer_add_string(&blind, blinds++ == 0 ? "Blind spots: " : "; ");
		text_visible(&blind, m->words.bytes, m->words.length);
	}
	y = findings_banner(page, y);
	if (losses > 0)
		y = loss_banner(page, y, losses);
	else
		y = paragraph(page, SVG_MARGIN, y + 11, "t11 muted", 11, none, sizeof(none) - 1, 1);
	if (blinds > 0)
		y = paragraph(page, SVG_MARGIN, y, "t11 muted", 11, buffer_string(&blind), blind.length, BLIND_LINES);
	y = disk_lines(page, y);
	if (blind.failed)
		page->out->failed = true;
	buffer_release(&blind);
	return y;
}

double svg_header(struct svg_page *page, double y)
{
	struct buffer context = {0};

	title_line(page, y + 12);
	context_words(&context, page->p);
	y = paragraph(page, SVG_MARGIN, y + 33, "t12 muted", 12, buffer_string(&context), context.length, 3);
	if (context.failed)
		page->out->failed = true;
	buffer_release(&context);
	buffer_add_byte(page->out, '\n');
	y = svg_way(page, y - 4);
	y = completeness(page, y - 6);
	buffer_add_byte(page->out, '\n');
	return y;
}
