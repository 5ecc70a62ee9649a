// SPDX-License-Identifier: MIT
// The timeline: a lane for every drawn process, file and address; a bar is a life, an arrow from lane to lane is a step of the story.
//
// Waits of more than GAP_SECONDS are a grey band with their length below, so that nobody takes a short way on the axis
// (graph/svg_axis.h) for a short time.
#include "graph/svg.h"

#include "base/memory.h"
#include "base/text.h"
#include "base/vector.h"
#include "graph/svg_axis.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LANE 21.0
#define HEADING 22.0
#define BAR 9.0
#define LABELS 172.0      /* the column of names */
#define INDENT 8.0
#define INDENT_MOST 6
#define LEAST_BAR 2.5
#define AXIS_STATES 8u    /* of one file; of more those that would hide each other are one bar */
#define GAP_SECONDS 30.0
#define LABEL_APART 58.0  /* between two times on the axis */
#define CHIP_HALF 9.0     /* of a chip with one number, and a little air */

struct lane { uint32_t node; unsigned depth; double y; };
VECTOR_DEFINE(lane_vector, struct lane)
struct mark { double x, y; uint32_t number; bool on_path; uint64_t ns; };
VECTOR_DEFINE(mark_vector, struct mark)

struct timeline {
	struct svg_page *page;
	const struct picture *p;
	struct buffer *out;
	struct moment_vector moments;
	struct lane_vector lanes;
	struct mark_vector marks;
	double *lane_y;          // per node; NAN: no lane
	double left, right, top, bottom; // of the plot
	bool failed;
};

static double x_of(const struct timeline *t, uint64_t ns)
{
	return axis_x(&t->moments, ns);
}

// ---- the lanes

// The drawn process that started this one.
static uint32_t parent_of(const struct picture *p, uint32_t node)
{
	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		if (e->to == node && e->from != node && (e->ops & (UINT32_C(1) << FLOW_FORK | UINT32_C(1) << FLOW_EXEC)) &&
		    p->nodes.items[e->from].kind == PICTURE_PROCESS)
			return e->from;
	}
	return GRAPH_NONE;
}

static void add_lane(struct timeline *t, uint32_t node, unsigned depth, double *y)
{
	if (!isnan(t->lane_y[node]))
		return;
	t->lane_y[node] = *y + LANE / 2;
	if (lane_vector_append(&t->lanes, (struct lane){node, depth, *y + LANE / 2}) < 0)
		t->failed = true;
	*y += LANE;
}

// Nodes are in order of their first time, so children come in that order too.
static void add_family(struct timeline *t, uint32_t node, unsigned depth, double *y)
{
	add_lane(t, node, depth, y);
	for (uint32_t i = 0; i < t->p->nodes.count; i++)
		if (t->p->nodes.items[i].kind == PICTURE_PROCESS && isnan(t->lane_y[i]) && parent_of(t->p, i) == node)
			add_family(t, i, depth + 1, y);
}

static void heading(struct timeline *t, const char *words, double *y)
{
	svg_text(t->out, SVG_MARGIN, *y + 15, SVG_START, "h3 muted", svg_words(words), 40);
	*y += HEADING;
}

static bool has_kind(const struct picture *p, enum picture_kind a, enum picture_kind b)
{
	for (size_t i = 0; i < p->nodes.count; i++)
		if (p->nodes.items[i].kind == a || p->nodes.items[i].kind == b)
			return true;
	return false;
}

static void add_kinds(struct timeline *t, const char *words, enum picture_kind a, enum picture_kind b, double *y)
{
	if (!has_kind(t->p, a, b))
		return;
	heading(t, words, y);
	for (uint32_t i = 0; i < t->p->nodes.count; i++)
		if (t->p->nodes.items[i].kind == a || t->p->nodes.items[i].kind == b)
			add_lane(t, i, 0, y);
}

static double add_lanes(struct timeline *t, double y)
{
	if (has_kind(t->p, PICTURE_PROCESS, PICTURE_PROCESS)) {
		heading(t, "PROCESSES", &y);
		for (uint32_t i = 0; i < t->p->nodes.count; i++)
			if (t->p->nodes.items[i].kind == PICTURE_PROCESS && parent_of(t->p, i) == GRAPH_NONE)
				add_family(t, i, 0, &y);
		for (uint32_t i = 0; i < t->p->nodes.count; i++) // parents in a circle: nobody is left out
			if (t->p->nodes.items[i].kind == PICTURE_PROCESS)
				add_lane(t, i, 0, &y);
	}
	add_kinds(t, "FILES", PICTURE_FILE, PICTURE_FILE, &y);
	add_kinds(t, "NETWORK", PICTURE_ADDRESS, PICTURE_ADDRESS, &y);
	add_kinds(t, "CHANNELS AND KERNEL", PICTURE_CHANNEL, PICTURE_KERNEL, &y);
	return y;
}

// ---- bars

static void bar(struct timeline *t, const char *class, double from, double to, double y)
{
	svg_rect(t->out, class, from, y - BAR / 2, fmax(to - from, LEAST_BAR), BAR, 1.5);
}

static void dotted(struct timeline *t, double from, double to, double y)
{
	buffer_add_string(t->out, "<path class=\"gone\" d=\"M");
	svg_point(t->out, from, y);
	buffer_add_string(t->out, " L");
	svg_point(t->out, to, y);
	buffer_add_string(t->out, "\"/>");
}

// From state to state; what lies before the first one is unchanged as far as is known.
static void file_bars(struct timeline *t, const struct picture_node *n, double y)
{
	size_t count = n->disk_state_count ? n->disk_state_count : n->state_count;
	const char *class = "bar version v0";
	double from = x_of(t, n->first_ns);
	bool gone = false;

	for (size_t i = 0; i <= count; i++) {
		bool last = i == count;
		char glyph = last ? 0 : n->disk_state_count ? n->disk_states[i].glyph : n->states[i].glyph;
		uint64_t ns = last ? 0 : n->disk_state_count ? n->disk_states[i].time_ns : n->states[i].time_ns;
		double to = last ? t->right : x_of(t, ns);

		bool is_crowded = !last && glyph != 'x' && i > 0 && to - from < LEAST_BAR && n->disk_state_count > AXIS_STATES;

		if (is_crowded || (!last && !axis_is_time(ns))) // no time: a state that is older than what was recorded
			continue;
		if (gone)
			dotted(t, from, to, y);
		else if (to > from)
			bar(t, class, from, to, y);
		from = to;
		gone = glyph == 'x';
		class = glyph == '+' ? "bar version v1" : "bar version v2";
	}
}

static void lane_bars(struct timeline *t, const struct picture_node *n, double y)
{
	double from = x_of(t, n->first_ns), to = n->ended ? x_of(t, n->last_ns) : t->right;

	if (!axis_is_time(n->first_ns) && n->disk_state_count == 0)
		return;
	if (n->kind == PICTURE_FILE)
		file_bars(t, n, y);
	else if (n->kind == PICTURE_PROCESS)
		bar(t, n->on_path ? "bar life pathlife" : "bar life", from, to, y);
	else
		bar(t, n->alert ? "bar peer alarm" : "bar peer", from, axis_is_time(n->last_ns) && n->last_ns > n->first_ns ? x_of(t, n->last_ns) : to, y);
}

static void lane_label(struct timeline *t, const struct lane *lane)
{
	const struct picture_node *n = &t->p->nodes.items[lane->node];
	unsigned depth = lane->depth < INDENT_MOST ? lane->depth : INDENT_MOST;
	double x = SVG_MARGIN + 4 + INDENT * depth, room = LABELS - 12 - INDENT * depth;
	char pid[16] = "";

	if (n->kind == PICTURE_PROCESS)
		(void)snprintf(pid, sizeof(pid), "%" PRIu32, n->pid);
	size_t cells = svg_cells(room - (pid[0] ? svg_width(6, 11) : 0), 11);
	buffer_printf(t->out, "<text class=\"t11 mono%s\" x=\"", n->alert ? " bad strong" : n->on_path ? " strong" : "");
	svg_number(t->out, x);
	buffer_add_string(t->out, "\" y=\"");
	svg_number(t->out, lane->y + 4);
	buffer_add_string(t->out, "\">");
	svg_cut(t->out, n->name, cells);
	if (pid[0])
		buffer_printf(t->out, "<tspan class=\"%s\" dx=\"5\">%s</tspan>", n->root || n->user_changed ? "bad strong" : "muted", pid);
	buffer_add_string(t->out, "</text>");
}

static void draw_lanes(struct timeline *t)
{
	for (size_t i = 0; i < t->lanes.count; i++) {
		const struct lane *lane = &t->lanes.items[i];
		const struct picture_node *n = &t->p->nodes.items[lane->node];

		buffer_printf(t->out, "<g class=\"lane\" data-node=\"n%" PRIu32 "\"><title>", n->id);
		svg_node_words(t->out, n);
		buffer_add_string(t->out, "</title>");
		svg_rect(t->out, "lanerow", SVG_MARGIN, lane->y - LANE / 2, t->right - SVG_MARGIN, LANE, 0);
		lane_label(t, lane);
		lane_bars(t, n, lane->y);
		buffer_add_string(t->out, "</g>\n");
	}
}

// ---- what happened

static void arrow(struct timeline *t, const struct picture_edge *e, uint64_t ns, bool story)
{
	double from = t->lane_y[e->from], to = t->lane_y[e->to], x = x_of(t, ns);

	if (isnan(from) && isnan(to))
		return;
	buffer_printf(t->out, "<g class=\"tick%s%s\" data-edge=\"e%" PRIu32 "\" data-t=\"", e->on_path &&
			story ? " onpath" : "", story ? " story" : "", e->id);
	svg_seconds(t->out, ns);
	buffer_add_string(t->out, "\">");
	if (!isnan(from) && !isnan(to) && from != to) {
		double down = to > from ? 1 : -1, tip = to - down * (BAR / 2 - 1);

		buffer_printf(t->out, "<path class=\"link %s\" d=\"M", svg_edge_line_class(e));
		svg_point(t->out, x, from);
		buffer_add_string(t->out, " L");
		svg_point(t->out, x, tip - down * 5);
		buffer_add_string(t->out, "\"/><path class=\"tip\" d=\"M");
		svg_point(t->out, x, tip);
		buffer_add_string(t->out, " L");
		svg_point(t->out, x - 3, tip - down * 6);
		buffer_add_string(t->out, " L");
		svg_point(t->out, x + 3, tip - down * 6);
		buffer_add_string(t->out, " Z\"/>");
	}
	double dot = isnan(from) ? to : from;
	svg_rect(t->out, "dot", x - 2, dot - 2, 4, 4, 2);
	buffer_add_string(t->out, "</g>\n");
}

static void draw_events(struct timeline *t)
{
	for (size_t i = 0; i < t->p->edges.count; i++) {
		const struct picture_edge *e = &t->p->edges.items[i];

		if (e->step_count == 0 && !e->correlation && !e->attached && axis_is_time(e->first_ns))
			arrow(t, e, e->first_ns, false);
	}
	for (size_t i = 0; i < t->p->steps.count; i++) {
		const struct picture_step *s = &t->p->steps.items[i];
		double y = NAN;

		if (s->alert || !axis_is_time(s->time_ns))
			continue;
		if (s->edge < t->p->edges.count) {
			const struct picture_edge *e = &t->p->edges.items[s->edge];
			bool process_last = t->p->nodes.items[e->from].kind != PICTURE_PROCESS && t->p->nodes.items[e->to].kind == PICTURE_PROCESS;

			arrow(t, e, s->time_ns, true);
			y = t->lane_y[process_last ? e->to : e->from];
			y = isnan(y) ? t->lane_y[process_last ? e->from : e->to] : y;
		} else if (s->node < t->p->nodes.count) {
			y = t->lane_y[s->node];
		}
		if (!isnan(y) && mark_vector_append(&t->marks, (struct mark){x_of(t, s->time_ns), y, s->number, s->on_path, s->time_ns}) < 0)
			t->failed = true;
	}
}

static int compare_marks(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->y != y->y)
		return x->y < y->y ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

struct chip { uint32_t numbers[32]; size_t count; double left, right; bool on_path; char label[24]; }; // left, right: of its moments

static double chip_end(const struct chip *c)
{
	return (c->left + c->right + svg_chip_width(c->label)) / 2;
}

static void chip_take(struct chip *c, const struct mark *m)
{
	c->left = c->count ? c->left : m->x;
	c->right = m->x;
	c->on_path = c->on_path || m->on_path;
	c->numbers[c->count++] = m->number;
	svg_chip_label(c->label, sizeof(c->label), c->numbers, c->count);
}

static void draw_chip(struct timeline *t, const struct chip *c, const struct mark *first)
{
	double width = svg_chip_width(c->label), x = (c->left + c->right - width) / 2;

	buffer_add_string(t->out, "<g class=\"mark-of\" data-steps=\"");
	for (size_t k = 0; k < c->count; k++)
		buffer_printf(t->out, "%s%" PRIu32, k ? " " : "", c->numbers[k]);
	buffer_add_string(t->out, "\" data-t=\"");
	svg_seconds(t->out, first->ns);
	buffer_add_string(t->out, "\">");
	x = fmin(fmax(x, t->left - 4), t->right - width + 4);
	svg_chip(t->out, x, first->y, c->label, c->on_path ? "chip pathchip" : "chip");
	buffer_add_string(t->out, "</g>\n");
}

// Numbers that would cover each other share a chip.
static void draw_chips(struct timeline *t)
{
	struct mark *m = t->marks.items;

	if (t->marks.count > 0)
		qsort(m, t->marks.count, sizeof(*m), compare_marks);
	for (size_t i = 0; i < t->marks.count;) {
		size_t first = i;
		struct chip chip = {.count = 0};

		do
			chip_take(&chip, &m[i++]);
		while (i < t->marks.count && m[i].y == m[first].y && chip.count < ARRAY_LENGTH(chip.numbers) && m[i].x - CHIP_HALF < chip_end(&chip));
		draw_chip(t, &chip, &m[first]);
	}
}

// ---- around it

static void draw_gaps(struct timeline *t)
{
	double free_from = 0;

	for (size_t i = 1; i < t->moments.count; i++) {
		const struct moment *m = &t->moments.items[i];
		struct buffer words = {0};

		if (axis_seconds(m - 1, m) <= GAP_SECONDS)
			continue;
		svg_rect(t->out, "gapband", m[-1].x + 1, t->top, m->x - m[-1].x - 2, t->bottom - t->top, 0);
		nanotime_format_duration(&words, m->ns - m[-1].ns);
		double middle = (m->x + m[-1].x) / 2, half = svg_width(words.length, 10) / 2;
		if (middle - half > free_from) {
			svg_text(t->out, middle, t->bottom + 13, SVG_MIDDLE, "detail", (struct text){buffer_string(&words), words.length}, 20);
			free_from = middle + half + 8;
		}
		buffer_release(&words);
	}
}

static void vertical(struct timeline *t, const char *class, double x)
{
	buffer_printf(t->out, "<path class=\"%s\" d=\"M", class);
	svg_point(t->out, x, t->top);
	buffer_add_string(t->out, " L");
	svg_point(t->out, x, t->bottom);
	buffer_add_string(t->out, "\"/>");
}

// Times of the story first, then of the rest, where there is room.
static void draw_times(struct timeline *t)
{
	double *taken AUTO_FREE = malloc((t->moments.count + 1) * sizeof(*taken));
	size_t count = 0;

	for (int story = 1; story >= 0 && taken; story--)
		for (size_t i = 0; i < t->moments.count; i++) {
			const struct moment *m = &t->moments.items[i];
			bool room = m->story == (story == 1);
			struct buffer words = {0};
			double x = fmin(fmax(m->x, t->left + 18), t->right - 34); // of the words: inside the rims, clear of the handle

			for (size_t k = 0; k < count && room; k++)
				room = fabs(taken[k] - x) >= LABEL_APART;
			if (!room)
				continue;
			taken[count++] = x;
			vertical(t, "grid", m->x);
			nanotime_format(&words, m->ns, NANOTIME_SECONDS, t->p->zone);
			svg_text(t->out, x, t->top - 5, SVG_MIDDLE, "detail", (struct text){buffer_string(&words), words.length}, 12);
			buffer_release(&words);
		}
}

static void draw_alert(struct timeline *t)
{
	uint64_t ns = axis_is_time(t->p->alert_ns) ? t->p->alert_ns : t->p->contact_ns;

	if (!axis_is_time(ns))
		return;
	const char *words = axis_is_time(t->p->alert_ns) ? "! ALERT" : "CONTACT";
	double x = x_of(t, ns), width = svg_pill_width(words);
	vertical(t, "alarmline", x);
	svg_pill(t->out, fmin(x - width / 2, t->right - width), t->bottom + 22, words, "pill alarm");
	buffer_add_byte(t->out, '\n');
}

// What the script needs to go from a place to a time and back.
static void open_plot(struct timeline *t)
{
	buffer_add_string(t->out, "<g id=\"plot\" data-top=\"");
	svg_number(t->out, t->top);
	buffer_add_string(t->out, "\" data-bottom=\"");
	svg_number(t->out, t->bottom);
	buffer_add_string(t->out, "\" data-axis=\"");
	for (size_t i = 0; i < t->moments.count; i++) {
		buffer_add_string(t->out, i ? " " : "");
		svg_seconds(t->out, t->moments.items[i].ns);
		buffer_add_byte(t->out, ':');
		svg_number(t->out, t->moments.items[i].x);
	}
	buffer_add_string(t->out, "\">\n");
}

static double draw(struct timeline *t, double y)
{
	struct buffer lanes = {0}, *page = t->out;

	t->top = y + 42;
	t->out = &lanes; // the headings are drawn while lanes are dealt out, and come after what lies behind them
	t->bottom = add_lanes(t, t->top) + 4;
	t->out = page;
	if (axis_lay(t->p, t->left, t->right, &t->moments) < 0)
		t->failed = true;
	svg_text(t->out, SVG_MARGIN, y + 12, SVG_START, "h2", svg_words("Timeline"), 20);
	static const char scale[] = "bars = lives of processes, versions of files \u00b7 to scale";

	static const char waits[] = "bars = lives of processes, versions of files \u00b7 waits over 30 s are grey, with their length below";

	svg_text(t->out, SVG_MARGIN + 70, y + 12, SVG_START, "t11 muted", svg_words(t->p->linear_time ? scale : waits), SIZE_MAX);
	open_plot(t);
	if (!t->p->linear_time)
		draw_gaps(t);
	draw_times(t);
	buffer_add(t->out, buffer_string(&lanes), lanes.length);
	draw_lanes(t);
	draw_alert(t);
	draw_events(t);
	draw_chips(t);
	buffer_add_string(t->out, "</g>\n");
	if (lanes.failed)
		t->failed = true;
	buffer_release(&lanes);
	return t->bottom + 34;
}

double svg_timeline(struct svg_page *page, double y, double right)
{
	struct timeline t = {
		.page = page, .p = page->p, .out = page->out, .left = SVG_MARGIN + LABELS, .right = right,
		.lane_y = malloc((page->p->nodes.count + 1) * sizeof(*t.lane_y)),
	};

	if (t.lane_y && page->p->nodes.count > 0) {
		for (size_t i = 0; i < page->p->nodes.count; i++)
			t.lane_y[i] = NAN;
		y = draw(&t, y);
	}
	if (!t.lane_y || t.failed)
		page->out->failed = true;
	free(t.lane_y);
	moment_vector_release(&t.moments);
	lane_vector_release(&t.lanes);
	mark_vector_release(&t.marks);
	return y;
}
