// SPDX-License-Identifier: MIT
// The picture in Graphviz's language, for people who want their own layout:  dot -Tsvg, gvpr.
//
// Node names are our ids. Outside text stands in quoted labels, tooltips and data attributes only, as text_dot() writes it (visible, backslashes
// doubled, & as &amp;: dot decodes entities and escapes in labels); none in URL, href, fontname, stylesheet or HTML-like labels, where
// dot would let markup through.
#include "graph/write_words.h"
#include "graph/write.h"

#include "base/text.h"
#include "graph/disk_words.h"

#include <inttypes.h>

struct look { const char *shape, *style, *fill, *line; };

static struct look look_of(const struct picture_node *n)
{
	static const struct look looks[] = {
		[PICTURE_PROCESS] = {"box", "rounded,filled", "#e8f1fb", "#1f6fb5"},
		[PICTURE_FILE] = {"note", "filled", "#fff6dc", "#8a6100"},
		[PICTURE_ADDRESS] = {"hexagon", "filled", "#f1e8fb", "#7239ab"},
		[PICTURE_CHANNEL] = {"cds", "filled", "#ffffff", "#59636e"},
		[PICTURE_KERNEL] = {"octagon", "filled", "#f6f8fa", "#1f2328"},
		[PICTURE_FOLD] = {"folder", "dashed,filled", "#f3f4f6", "#6e7781"},
	};
	struct look look = looks[n->kind];

	if (n->alert) {
		look.fill = "#fdecec";
		look.line = "#c1121f";
	}
	return look;
}

static void add_text(struct buffer *out, struct text t)
{
	text_dot(out, t.bytes, t.length);
}

static void text_attribute(struct buffer *out, const char *name, struct text t)
{
	if (t.length == 0)
		return;
	buffer_printf(out, ", %s=\"", name);
	add_text(out, t);
	buffer_add_byte(out, '"');
}

static void time_attribute(struct buffer *out, const char *name, uint64_t ns, struct timezone_choice zone)
{
	if (ns == 0 || ns == NANOTIME_NONE) // 0: before all that was recorded
		return;
	buffer_printf(out, ", %s=\"", name);
	nanotime_format(out, ns, NANOTIME_FULL, zone);
	buffer_add_byte(out, '"');
}

static void node_line(struct buffer *out, const struct picture *p, const struct picture_node *n)
{
	struct look look = look_of(n);

	buffer_printf(out, "  n%" PRIu32 " [label=\"", n->id);
	add_text(out, n->name);
	if (n->kind == PICTURE_PROCESS)
		buffer_printf(out, " [%" PRIu32 "]", n->pid);
	if (n->detail.length > 0) {
		buffer_add_string(out, "\\n");
		add_text(out, n->detail);
	}
	buffer_printf(out, "\", kind=\"%s\"", words_of_kind(n->kind));
	text_attribute(out, "full", words_full_name(n));
	// Without it dot makes the tooltip from the label, whose escapes it then shows.
	buffer_add_string(out, ", tooltip=\"");
	add_text(out, words_full_name(n));
	buffer_add_byte(out, '"');
	if (n->kind == PICTURE_PROCESS)
		buffer_printf(out, ", pid=\"%" PRIu32 "\"", n->pid);
	text_attribute(out, "user", n->user);
	text_attribute(out, "disk", n->disk_verdict);
	if (n->recovered)
		buffer_add_string(out, ", recovered=\"yes\"");
	time_attribute(out, "first", n->first_ns, p->zone);
	time_attribute(out, "last", n->last_ns, p->zone);
	buffer_printf(out, ", shape=\"%s\", style=\"%s\", fillcolor=\"%s\", color=\"%s\", penwidth=\"%s\"", look.shape, look.style, look.fill,
		      look.line, n->on_path ? "2.6" : "1.2");
	buffer_printf(out, ", on_path=\"%s\", alert=\"%s\"];\n", n->on_path ? "yes" : "no", n->alert ? "yes" : "no");
}

static const char *edge_style(const struct picture_edge *e)
{
	if (e->correlation || e->op == FLOW_DELETE || e->op == FLOW_TRUNCATE)
		return "dotted";
	switch (e->op) {
	case FLOW_OPEN_READ:
	case FLOW_READ:
	case FLOW_INTERPRET:
	case FLOW_SYMLINK:
	case FLOW_CONNECT:
	case FLOW_ACCEPT:
	case FLOW_RECEIVE:
		return "dashed";
	default:
		return "solid";
	}
}

static const char *edge_head(const struct picture_edge *e)
{
	return e->correlation ? "none" : e->failed ? "tee" : e->class == CLASS_OBSERVED ? "normal" : "empty";
}

static void edge_line(struct buffer *out, const struct picture *p, const struct picture_edge *e)
{
	buffer_printf(out, "  n%" PRIu32 " -> n%" PRIu32 " [id=\"e%" PRIu32 "\", label=\"", p->nodes.items[e->from].id, p->nodes.items[e->to].id, e->id);
	struct buffer label = {0};
	disk_edge_label(&label, e);
	add_text(out, (struct text){buffer_string(&label), label.length});
	out->failed = out->failed || label.failed;
	buffer_release(&label);
	buffer_printf(out, "\", op=\"%s\", class=\"%s\", count=\"%" PRIu64 "\"", words_edge_op(p, e),
		      flow_class_name(e->class), e->count);
	time_attribute(out, "first", e->first_ns, p->zone);
	time_attribute(out, "last", e->last_ns, p->zone);
	if (e->recovered)
		buffer_add_string(out, ", recovered=\"yes\"");
	if (e->no_write_seen)
		buffer_add_string(out, ", no_write_seen=\"yes\"");
	if (e->step)
		buffer_printf(out, ", step=\"%" PRIu32 "\"", e->step);
	buffer_printf(out, ", style=\"%s\", arrowhead=\"%s\", dir=\"%s\", color=\"%s\", penwidth=\"%s\", on_path=\"%s\"%s];\n", edge_style(e), edge_head(e),
		      e->both_ways ? "both" : "forward", e->on_path ? "#b5460f" : "#7d8590", e->on_path ? "3" : "1.3", e->on_path ? "yes" : "no",
		      e->correlation ? ", constraint=\"false\"" : "");
}

// What is missing and where it all came from, where every reader of the file sees it: under the picture.
static void graph_label(struct buffer *out, const struct picture *p)
{
	buffer_add_string(out, "  graph [label=\"");
	add_text(out, p->title);
	for (size_t i = 0; i < p->missing.count; i++) {
		buffer_add_string(out, p->missing.items[i].loss ? "\\nMISSING: " : "\\nnot recorded: ");
		add_text(out, p->missing.items[i].words);
	}
	struct disk_finding at = {0};
	while (disk_finding_next(p, &at)) {
		struct buffer words = {0};

		buffer_add_string(out, "\\nDISK: ");
		disk_finding_words(&words, p, &at);
		add_text(out, (struct text){buffer_string(&words), words.length});
		out->failed = out->failed || words.failed;
		buffer_release(&words);
	}
	buffer_add_string(out, "\\nprovgraph ");
	add_text(out, p->version);
	buffer_add_string(out, ": ");
	add_text(out, p->command);
	buffer_printf(out, "\", loss=\"%s\"];\n", words_has_loss(p) ? "yes" : "no");
}

int write_dot(const struct picture *p, struct buffer *out, struct error *err)
{
	buffer_add_string(out, "digraph provgraph {\n  graph [rankdir=\"LR\", nodesep=\"0.32\", ranksep=\"1.12\", fontname=\"sans-serif\", labelloc=\"t\", labeljust=\"l\"];\n");
	graph_label(out, p);
	buffer_add_string(out, "  node [fontname=\"monospace\", fontsize=\"10\"];\n  edge [fontname=\"sans-serif\", fontsize=\"9\"];\n");
	for (size_t i = 0; i < p->nodes.count; i++)
		node_line(out, p, &p->nodes.items[i]);
	for (size_t i = 0; i < p->edges.count; i++)
		edge_line(out, p, &p->edges.items[i]);
	buffer_add_string(out, "}\n");
	return buffer_check(out, err);
}
