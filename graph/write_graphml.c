// SPDX-License-Identifier: MIT
// GraphML for Gephi, yEd, networkx: written by igraph, from attributes that are visible text already (igraph escapes XML's own
// characters, and refuses or mangles the others). One thread: igraph keeps global state.
#include "graph/write_words.h"
#include "graph/structure.h"
#include "graph/write.h"

#include "base/text.h"
#include "graph/disk_words.h"

#include <igraph/igraph.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct writer {
	igraph_t graph;
	igraph_error_t code; // the first that failed
	bool out_of_memory;
};

static void note(struct writer *w, igraph_error_t code)
{
	if (w->code == IGRAPH_SUCCESS)
		w->code = code;
}

typedef void describe(const struct picture *p, size_t index, struct buffer *out);

static void set_strings(struct writer *w, const struct picture *p, bool nodes, const char *name, describe *what)
{
	size_t count = nodes ? p->nodes.count : p->edges.count;

	for (size_t i = 0; i < count && w->code == IGRAPH_SUCCESS; i++) {
		struct buffer raw = {0};

		what(p, i, &raw);
		w->out_of_memory = w->out_of_memory || raw.failed;
		if (nodes)
			note(w, igraph_cattribute_VAS_set(&w->graph, name, (igraph_integer_t)i, buffer_string(&raw)));
		else
			note(w, igraph_cattribute_EAS_set(&w->graph, name, (igraph_integer_t)i, buffer_string(&raw)));
		buffer_release(&raw);
	}
}

static void visible(struct buffer *out, struct text t)
{
	text_visible(out, t.bytes, t.length);
}

static void node_id(const struct picture *p, size_t i, struct buffer *out)
{
	buffer_printf(out, "n%" PRIu32, p->nodes.items[i].id);
}

static void node_kind(const struct picture *p, size_t i, struct buffer *out)
{
	buffer_add_string(out, words_of_kind(p->nodes.items[i].kind));
}

static void node_name(const struct picture *p, size_t i, struct buffer *out)
{
	visible(out, p->nodes.items[i].name);
}

static void node_full(const struct picture *p, size_t i, struct buffer *out)
{
	visible(out, words_full_name(&p->nodes.items[i]));
}

static void node_user(const struct picture *p, size_t i, struct buffer *out)
{
	visible(out, p->nodes.items[i].user);
}

static void node_pid(const struct picture *p, size_t i, struct buffer *out)
{
	if (p->nodes.items[i].kind == PICTURE_PROCESS)
		buffer_printf(out, "%" PRIu32, p->nodes.items[i].pid);
}

static void time_of(const struct picture *p, uint64_t ns, struct buffer *out)
{
	if (ns != 0 && ns != NANOTIME_NONE) // 0: before all that was recorded
		nanotime_format(out, ns, NANOTIME_FULL, p->zone);
}

static void node_first(const struct picture *p, size_t i, struct buffer *out)
{
	time_of(p, p->nodes.items[i].first_ns, out);
}

static void node_last(const struct picture *p, size_t i, struct buffer *out)
{
	time_of(p, p->nodes.items[i].last_ns, out);
}

static void node_disk(const struct picture *p, size_t i, struct buffer *out)
{
	visible(out, p->nodes.items[i].disk_verdict);
}

static void edge_id(const struct picture *p, size_t i, struct buffer *out)
{
	buffer_printf(out, "e%" PRIu32, p->edges.items[i].id);
}

static void edge_op(const struct picture *p, size_t i, struct buffer *out)
{
	buffer_add_string(out, words_edge_op(p, &p->edges.items[i]));
}

static void edge_class(const struct picture *p, size_t i, struct buffer *out)
{
	buffer_add_string(out, flow_class_name(p->edges.items[i].class));
}

static void edge_label(const struct picture *p, size_t i, struct buffer *out)
{
	struct buffer label = {0};

	disk_edge_label(&label, &p->edges.items[i]);
	visible(out, (struct text){buffer_string(&label), label.length});
	out->failed = out->failed || label.failed;
	buffer_release(&label);
}

static void edge_first(const struct picture *p, size_t i, struct buffer *out)
{
	time_of(p, p->edges.items[i].first_ns, out);
}

static void edge_last(const struct picture *p, size_t i, struct buffer *out)
{
	time_of(p, p->edges.items[i].last_ns, out);
}

static void set_numbers(struct writer *w, const struct picture *p)
{
	for (size_t i = 0; i < p->nodes.count && w->code == IGRAPH_SUCCESS; i++) {
		const struct picture_node *n = &p->nodes.items[i];
		igraph_integer_t id = (igraph_integer_t)i;

		note(w, igraph_cattribute_VAN_set(&w->graph, "rank", id, n->rank));
		note(w, igraph_cattribute_VAB_set(&w->graph, "on_path", id, n->on_path));
		note(w, igraph_cattribute_VAB_set(&w->graph, "alert", id, n->alert));
		if (disk_is_asked(p))
			note(w, igraph_cattribute_VAB_set(&w->graph, "recovered", id, n->recovered));
	}
	for (size_t i = 0; i < p->edges.count && w->code == IGRAPH_SUCCESS; i++) {
		const struct picture_edge *e = &p->edges.items[i];
		igraph_integer_t id = (igraph_integer_t)i;

		note(w, igraph_cattribute_EAN_set(&w->graph, "count", id, (double)e->count));
		note(w, igraph_cattribute_EAN_set(&w->graph, "step", id, e->step));
		note(w, igraph_cattribute_EAB_set(&w->graph, "on_path", id, e->on_path));
		note(w, igraph_cattribute_EAB_set(&w->graph, "failed", id, e->failed));
		note(w, igraph_cattribute_EAB_set(&w->graph, "both_ways", id, e->both_ways));
		if (disk_is_asked(p)) {
			note(w, igraph_cattribute_EAB_set(&w->graph, "recovered", id, e->recovered));
			note(w, igraph_cattribute_EAB_set(&w->graph, "no_write_seen", id, e->no_write_seen));
		}
	}
}

static void set_graph(struct writer *w, const struct picture *p)
{
	struct buffer words = {0};

	visible(&words, p->title);
	note(w, igraph_cattribute_GAS_set(&w->graph, "title", buffer_string(&words)));
	buffer_clear(&words);
	visible(&words, p->command);
	note(w, igraph_cattribute_GAS_set(&w->graph, "command", buffer_string(&words)));
	buffer_clear(&words);
	for (size_t i = 0; i < p->missing.count; i++) {
		buffer_add_string(&words, i ? "; " : "");
		buffer_add_string(&words, p->missing.items[i].loss ? "MISSING: " : "not recorded: ");
		visible(&words, p->missing.items[i].words);
	}
	note(w, igraph_cattribute_GAS_set(&w->graph, "missing", buffer_string(&words)));
	note(w, igraph_cattribute_GAB_set(&w->graph, "loss", words_has_loss(p)));
	w->out_of_memory = w->out_of_memory || words.failed;
	buffer_release(&words);
}

static void set_attributes(struct writer *w, const struct picture *p)
{
	static const struct { bool node; const char *name; describe *what; } strings[] = {
		{true, "provgraph_id", node_id}, {true, "kind", node_kind}, {true, "name", node_name}, {true, "full", node_full}, {true, "user", node_user},
		{true, "pid", node_pid}, {true, "first", node_first}, {true, "last", node_last}, {false, "provgraph_id", edge_id}, {false, "op", edge_op},
		{false, "class", edge_class}, {false, "label", edge_label}, {false, "first", edge_first}, {false, "last", edge_last},
	};

	set_graph(w, p);
	if (disk_is_asked(p))
		set_strings(w, p, true, "disk", node_disk);
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		set_strings(w, p, strings[i].node, strings[i].name, strings[i].what);
	set_numbers(w, p);
}

// igraph writes to a FILE.
static int print(struct writer *w, struct buffer *out)
{
	char *bytes = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&bytes, &length);

	if (!file)
		return -1;
	note(w, igraph_write_graph_graphml(&w->graph, file, true));
	if (fclose(file) != 0)
		w->out_of_memory = true;
	buffer_add(out, bytes, length);
	free(bytes);
	return 0;
}

int write_graphml(const struct picture *p, struct buffer *out, struct error *err)
{
	struct writer w = {.code = IGRAPH_SUCCESS};
	igraph_vector_int_t ends;

	structure_setup();
	if (igraph_vector_int_init(&ends, (igraph_integer_t)(2 * p->edges.count)) != IGRAPH_SUCCESS)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < p->edges.count; i++) {
		VECTOR(ends)[2 * i] = (igraph_integer_t)p->edges.items[i].from;
		VECTOR(ends)[2 * i + 1] = (igraph_integer_t)p->edges.items[i].to;
	}
	igraph_error_t code = igraph_create(&w.graph, &ends, (igraph_integer_t)p->nodes.count, IGRAPH_DIRECTED);
	igraph_vector_int_destroy(&ends);
	if (code != IGRAPH_SUCCESS)
		return error_set(err, "igraph: %s", igraph_strerror(code));
	set_attributes(&w, p);
	if (w.code == IGRAPH_SUCCESS && !w.out_of_memory && print(&w, out) < 0)
		w.out_of_memory = true;
	igraph_destroy(&w.graph);
	if (w.out_of_memory)
		return error_set(err, "out of memory");
	if (w.code != IGRAPH_SUCCESS)
		return error_set(err, "igraph: %s", igraph_strerror(w.code));
	return buffer_check(out, err);
}
