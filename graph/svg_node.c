// SPDX-License-Identifier: MIT
// The boxes of the causality pane.
#include "graph/svg.h"

#include "base/text.h"
#include "graph/disk_words.h"
#include "graph/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAD 10.0
#define FOLD_CORNER 12.0 /* a file's dog-ear */
#define TIP 16.0         /* how far a hexagon's points stand out */
#define CUT 9.0          /* an octagon's corners */
#define TITLE_STATES 12u /* of a disk: in what a resting pointer shows */

const char *svg_kind_class(enum picture_kind kind)
{
	static const char *const names[] = {"process", "file", "address", "channel", "kernel", "fold"};

	return names[kind];
}

static void path_begin(struct buffer *out, const char *class)
{
	buffer_printf(out, "<path class=\"%s\" d=\"", class);
}

static void path_points(struct buffer *out, const double (*xy)[2], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buffer_add_string(out, i == 0 ? "M" : " L");
		svg_point(out, xy[i][0], xy[i][1]);
	}
}

static void shape_file(struct buffer *out, double l, double t, double r, double b)
{
	const double sheet[][2] = {{l, t}, {r - FOLD_CORNER, t}, {r, t + FOLD_CORNER}, {r, b}, {l, b}};
	const double ear[][2] = {{r - FOLD_CORNER, t}, {r - FOLD_CORNER, t + FOLD_CORNER}, {r, t + FOLD_CORNER}};

	path_begin(out, "shape");
	path_points(out, sheet, 5);
	buffer_add_string(out, " Z ");
	path_points(out, ear, 3);
	buffer_add_string(out, "\"/>");
}

static void shape_corners(struct buffer *out, const double (*xy)[2], size_t count)
{
	path_begin(out, "shape");
	path_points(out, xy, count);
	buffer_add_string(out, " Z\"/>");
}

void svg_node_shape(struct buffer *out, enum picture_kind kind, double x, double y, double width, double height)
{
	double l = x - width / 2, t = y - height / 2, r = x + width / 2, b = y + height / 2;
	double tip = height < 2 * TIP ? height / 3 : TIP, cut = height < 2 * TIP ? height / 3 : CUT;
	const double hexagon[][2] = {{l, y}, {l + tip, t}, {r - tip, t}, {r, y}, {r - tip, b}, {l + tip, b}};
	const double octagon[][2] = {{l, t + cut}, {l + cut, t}, {r - cut, t}, {r, t + cut}, {r, b - cut}, {r - cut, b},
			{l + cut, b}, {l, b - cut}};

	switch (kind) {
	case PICTURE_PROCESS:
		svg_rect(out, "shape", l, t, width, height, height < 2 * TIP ? 4 : 9);
		break;
	case PICTURE_FILE:
		shape_file(out, l, t, r, b);
		break;
	case PICTURE_ADDRESS:
		shape_corners(out, hexagon, 6);
		break;
	case PICTURE_CHANNEL:
		svg_rect(out, "shape", l, t, width, height, height / 2);
		break;
	case PICTURE_KERNEL:
		shape_corners(out, octagon, 8);
		break;
	case PICTURE_FOLD:
		svg_rect(out, "shape", l + 4, t, width - 4, height - 4, 0);
		svg_rect(out, "shape", l, t + 4, width - 4, height - 4, 0);
		break;
	}
}

// "10:05:02 - 10:09:31", "from 10:05:02"
static void life(struct buffer *out, const struct picture *p, const struct picture_node *node)
{
	if (node->first_ns == NANOTIME_NONE || node->first_ns == 0)
		return;
	if (!node->ended)
		buffer_add_string(out, "from ");
	svg_time(out, p, node->first_ns);
	if (node->ended) {
		buffer_add_string(out, " \u2013 ");
		svg_time(out, p, node->last_ns);
	}
}

static void life_line(struct buffer *out, const struct picture *p, const struct picture_node *node, double x, double y,
		enum svg_anchor anchor)
{
	struct buffer words = {0};

	life(&words, p, node);
	if (words.length > 0)
		svg_text(out, x, y, anchor, "detail", (struct text){words.bytes, words.length}, 34);
	if (words.failed)
		out->failed = true;
	buffer_release(&words);
}

static void process_text(struct buffer *out, const struct picture *p, const struct picture_node *n, double l, double t)
{
	double inner = n->width - 2 * PAD;
	char pid[16];
	size_t user = svg_text_cells(n->user), pid_cells;

	pid_cells = (size_t)snprintf(pid, sizeof(pid), "%" PRIu32, n->pid);
	if (user > 9)
		user = 9;
	size_t room = svg_cells(inner - svg_width(user, 10) - (user ? 10 : 0) - svg_width(pid_cells, 12) - 7, 12);
	buffer_add_string(out, "<text class=\"name\" x=\"");
	svg_number(out, l + PAD);
	buffer_add_string(out, "\" y=\"");
	svg_number(out, t + 17);
	buffer_add_string(out, "\">");
	svg_cut(out, n->name, room);
	// A leading space would be dropped by some viewers: dx makes the gap.
	buffer_printf(out, "<tspan class=\"pid\" dx=\"6\">%s</tspan></text>", pid);
	if (user > 0)
		svg_text(out, l + n->width - PAD, t + 17, SVG_END, n->root || n->user_changed ? "detail bad strong" : "detail", n->user, user);
	svg_text(out, l + PAD, t + 31, SVG_START, "detail", n->detail, svg_cells(inner, 10));
	life_line(out, p, n, l + PAD, t + 45, SVG_START);
}

// One state of a file: glyph, time, words. Severe: content went.
static void state_row(struct buffer *out, char sign, bool severe, const struct buffer *time, struct text words, double x, double y, double room)
{
	char glyph[2] = {sign, '\0'};

	svg_text(out, x, y, SVG_START, severe ? "detail bad strong" : "detail strong", svg_words(glyph), 1);
	size_t cells = text_cells(buffer_string(time), time->length);
	svg_text(out, x + 11, y, SVG_START, "detail", (struct text){buffer_string(time), time->length}, cells);
	double used = 11 + svg_width(cells, 10) + 5;
	svg_text(out, x + used, y, SVG_START, severe ? "detail bad" : "detail", words, svg_cells(room - used, 10));
	if (time->failed)
		out->failed = true;
}

// What the records say of its content, or, where a disk was asked, what that showed.
static void file_state(struct buffer *out, const struct picture *p, const struct picture_node *n, size_t index, double x, double y, double room)
{
	struct buffer time = {0}, words = {0};

	if (n->disk_state_count > 0) {
		const struct picture_disk_state *disk = &n->disk_states[index];

		disk_state_time(&time, p, disk);
		disk_state_short(&words, disk);
		state_row(out, disk->glyph, disk->loss || disk->glyph == 'x' || disk->glyph == 'v', &time, (struct text){buffer_string(&words), words.length}, x, y, room);
	} else {
		char glyph = n->states[index].glyph;

		svg_time(&time, p, n->states[index].time_ns);
		state_row(out, glyph, glyph == 'x' || glyph == 'v', &time, n->states[index].words, x, y, room);
	}
	if (words.failed)
		out->failed = true;
	buffer_release(&time);
	buffer_release(&words);
}

static void file_text(struct buffer *out, const struct picture *p, const struct picture_node *n, double l, double t)
{
	double inner = n->width - 2 * PAD, y = t + 47;
	struct layout_states shown = layout_states_shown(n);

	svg_text(out, l + PAD, t + 16, SVG_START, "name", n->name, svg_cells(inner - 6, 12));
	svg_text(out, l + PAD, t + 29, SVG_START, "detail", n->detail, svg_cells(inner, 10));
	for (size_t i = 0; i < shown.count; i++, y += 14)
		file_state(out, p, n, shown.index[i], l + PAD, y, inner);
	if (shown.hidden > 0) {
		char more[40];

		(void)snprintf(more, sizeof(more), "+%zu more", shown.hidden);
		svg_text(out, l + PAD + 11, y, SVG_START, "detail", svg_words(more), 30);
		y += 14;
	}
	const struct text *verdict = disk_node_verdict(n);
	if (verdict) {
		bool named = verdict->length > 4 && memcmp(verdict->bytes, "disk", 4) == 0; // "disk not covered"
		double before = named ? 0 : svg_width(6, 10);

		if (!named)
			svg_text(out, l + PAD, y, SVG_START, "detail verdict", svg_words("disk:"), 5);
		svg_text(out, l + PAD + before, y, SVG_START, "detail verdict", *verdict, svg_cells(inner - before, 10));
	}
}

static void fold_text(struct buffer *out, const struct picture_node *n, double l, double t)
{
	struct buffer visible = {0};
	size_t next, end;

	text_visible(&visible, n->name.bytes, n->name.length);
	const char *name = buffer_string(&visible);
	end = svg_line(name, visible.length, LAYOUT_FOLD_CELLS, &next);
	svg_text(out, l + PAD, t + 20, SVG_START, "name", (struct text){name, end}, LAYOUT_FOLD_CELLS);
	if (next < visible.length)
		svg_text(out, l + PAD, t + 34, SVG_START, "name", (struct text){name + next, visible.length - next}, LAYOUT_FOLD_CELLS);
	svg_text(out, l + PAD, t + n->height - 8, SVG_START, "detail", n->detail, svg_cells(n->width - 2 * PAD - 4, 10));
	if (visible.failed)
		out->failed = true;
	buffer_release(&visible);
}

// A fold at the box that it belongs to: what it holds, and what flowed. Its line is too short for words.
static void attached_text(struct buffer *out, const struct picture *p, const struct picture_node *n, double l, double t)
{
	uint32_t index = (uint32_t)(n - p->nodes.items);
	struct buffer words = {0};
	size_t room = svg_cells(n->width - 2 * PAD + 4, 10);
	bool folder = false;

	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		if (e->from != index && e->to != index)
			continue;
		// "further causes: bash, sed ...": which side it stands on says the first word.
		static const char further[] = "further ";
		bool plain = e->label.length > sizeof(further) - 1 && memcmp(e->label.bytes, further, sizeof(further) - 1) == 0;
		size_t skip = plain ? sizeof(further) - 1 : 0;
		buffer_add(&words, e->label.bytes + skip, e->label.length - skip);
		if (plain && n->detail.length > 0) {
			buffer_add_string(&words, ": ");
			buffer_add(&words, n->detail.bytes, n->detail.length);
		}
		folder = !plain;
	}
	size_t name = svg_text_cells(n->name);
	svg_text(out, l + PAD - 2, t + 13, SVG_START, "detail strong ink", n->name, room);
	if (folder && name + 6 < room)
		svg_text(out, l + n->width - PAD + 2, t + 13, SVG_END, "detail", n->detail, room - name - 1);
	// The script puts its switch at the end of the second line.
	svg_text(out, l + PAD - 2, t + 25, SVG_START, "detail", (struct text){buffer_string(&words), words.length}, room - 2);
	if (words.failed)
		out->failed = true;
	buffer_release(&words);
}

static void node_text(struct buffer *out, const struct picture *p, const struct picture_node *n)
{
	double l = n->x - n->width / 2, t = n->y - n->height / 2, inner = n->width - 2 * PAD;

	switch (n->kind) {
	case PICTURE_PROCESS:
		process_text(out, p, n, l, t);
		break;
	case PICTURE_FILE:
		file_text(out, p, n, l, t);
		break;
	case PICTURE_ADDRESS:
		svg_text(out, n->x, t + 18, SVG_MIDDLE, "name", n->name, svg_cells(inner - 8, 12));
		svg_text(out, n->x, t + 31, SVG_MIDDLE, "detail", n->detail, svg_cells(inner, 10));
		life_line(out, p, n, n->x, t + 44, SVG_MIDDLE);
		break;
	case PICTURE_FOLD:
		if (n->attached)
			attached_text(out, p, n, l, t);
		else
			fold_text(out, n, l, t);
		break;
	case PICTURE_CHANNEL:
	case PICTURE_KERNEL:
		svg_text(out, n->x, t + 18, SVG_MIDDLE, "name", n->name, svg_cells(inner - 6, 12));
		svg_text(out, n->x, t + 32, SVG_MIDDLE, "detail", n->detail, svg_cells(inner - 6, 10));
		break;
	}
}

// Words on the border: what a node is in this incident.
static void node_pills(struct buffer *out, const struct picture_node *n)
{
	const struct { bool set; const char *words; } below[] = {
		{n->persistence, "persists"}, {n->choke_point, "choke point"}, {n->login, "login"},
		{n->after_module_load, "after module load"}, {n->inferred_only, "inferred"}, {n->gap_overlap, "evidence gap"},
		{n->recovered, "recovered"},
	};
	double top = n->y - n->height / 2, x = n->x + n->width / 2 - 8, bottom = n->y + n->height / 2;
	const char *head = n->alert ? "! ALERT" : n->root_cause ? "ROOT CAUSE" : NULL;

	if (head)
		svg_pill(out, n->x - svg_pill_width(head) / 2, top, head, n->alert ? "pill alarm" : "pill root");
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		if (!below[i].set)
			continue;
		x -= svg_pill_width(below[i].words);
		svg_pill(out, x, bottom, below[i].words, "pill");
		x -= 4;
	}
}

// Story lines that belong to the node and to no edge.
static void node_chip(struct buffer *out, const struct picture *p, const struct picture_node *n)
{
	uint32_t numbers[8], index = (uint32_t)(n - p->nodes.items);
	size_t count = 0;
	bool on_path = false;
	char label[24];

	for (size_t i = 0; i < p->steps.count && count < 8; i++) {
		const struct picture_step *s = &p->steps.items[i];

		if (s->edge == GRAPH_NONE && s->node == index && !s->alert) {
			numbers[count++] = s->number;
			on_path = on_path || s->on_path;
		}
	}
	if (count == 0)
		return;
	svg_chip_label(label, sizeof(label), numbers, count);
	svg_chip(out, n->x - n->width / 2 - 7, n->y - n->height / 2, label, on_path ? "chip pathchip" : "chip");
}

static void add_line(struct buffer *out, const char *before, struct text t)
{
	if (t.length == 0)
		return;
	buffer_add_string(out, before);
	text_xml(out, t.bytes, t.length);
}

static void disk_title(struct buffer *out, const struct picture *p, const struct picture_node *n)
{
	for (size_t i = 0; i < n->disk_state_count && i < TITLE_STATES; i++) {
		struct buffer words = {0};

		buffer_printf(out, "\n%c ", n->disk_states[i].glyph);
		disk_state_time(out, p, &n->disk_states[i]);
		disk_state_words(&words, &n->disk_states[i]);
		add_line(out, " on disk: ", (struct text){buffer_string(&words), words.length});
		buffer_release(&words);
	}
	if (n->disk_state_count > TITLE_STATES)
		buffer_printf(out, "\n+%zu more on disk", n->disk_state_count - TITLE_STATES);
	if (disk_node_verdict(n))
		add_line(out, "\ndisk: ", *disk_node_verdict(n));
}

// What a pointer that rests on the node shows: everything that the box had to cut.
static void node_title(struct buffer *out, const struct picture *p, const struct picture_node *n)
{
	buffer_add_string(out, "<title>");
	svg_node_words(out, n);
	add_line(out, "\n", n->full);
	add_line(out, "\nuser ", n->user);
	add_line(out, "\nfolder ", n->cwd);
	for (size_t i = 1; i < n->name_count; i++)
		add_line(out, "\nalso named ", n->names[i]);
	if (n->first_ns != NANOTIME_NONE && n->first_ns != 0) {
		buffer_add_byte(out, '\n');
		life(out, p, n);
	}
	disk_title(out, p, n);
	for (size_t i = 0; i < n->state_count; i++) {
		buffer_printf(out, "\n%c ", n->states[i].glyph);
		svg_time(out, p, n->states[i].time_ns);
		add_line(out, " ", n->states[i].words);
	}
	if (n->fold != GRAPH_NONE && n->fold < p->folds.count)
		add_line(out, "\n", p->folds.items[n->fold].rule);
	add_line(out, "\nshown because: ", n->reason);
	buffer_add_string(out, "</title>");
}

static void node_label(struct buffer *out, const struct picture_node *n)
{
	static const char *const kinds[] = {"process ", "file ", "address ", "channel ", "kernel ", "folded: "};

	buffer_add_string(out, kinds[n->kind]);
	text_xml(out, n->full.length && n->kind == PICTURE_FILE ? n->full.bytes : n->name.bytes,
		 n->full.length && n->kind == PICTURE_FILE ? n->full.length : n->name.length);
	if (n->kind == PICTURE_PROCESS)
		buffer_printf(out, " %" PRIu32, n->pid);
	add_line(out, ", user ", n->user);
	if (n->alert)
		buffer_add_string(out, ", the alert's address");
	if (n->root_cause)
		buffer_add_string(out, ", root cause");
	if (n->on_path)
		buffer_add_string(out, ", on the path to the alert");
	if (n->recovered)
		buffer_add_string(out, ", known by recovered records");
}

void svg_node(struct buffer *out, const struct picture *p, const struct picture_node *node)
{
	buffer_printf(out, "<g class=\"node %s%s%s%s%s\" id=\"n%" PRIu32 "\" role=\"img\" aria-label=\"", svg_kind_class(node->kind),
		      node->on_path ? " onpath" : "", node->alert ? " alert" : "", node->gap_overlap ? " gap" : "", node->recovered ? " recovered" : "", node->id);
	node_label(out, node);
	buffer_printf(out, "\" data-kind=\"%s\" data-box=\"", svg_kind_class(node->kind));
	svg_point(out, node->x - node->width / 2, node->y - node->height / 2);
	buffer_add_byte(out, ' ');
	svg_point(out, node->width, node->height);
	buffer_add_byte(out, '"');
	svg_data_time(out, "t", node->first_ns);
	svg_data_time(out, "last", node->ended ? node->last_ns : NANOTIME_NONE);
	if (node->kind == PICTURE_FOLD)
		buffer_printf(out, " data-fold=\"f%" PRIu32 "\"", node->fold + 1);
	buffer_add_byte(out, '>');
	node_title(out, p, node);
	if (node->attached)
		svg_rect(out, "shape", node->x - node->width / 2, node->y - node->height / 2, node->width, node->height, 2);
	else
		svg_node_shape(out, node->kind, node->x, node->y, node->width, node->height);
	node_text(out, p, node);
	node_pills(out, node);
	node_chip(out, p, node);
	buffer_add_string(out, "</g>\n");
}
