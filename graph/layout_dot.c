// SPDX-License-Identifier: MIT
// provgraph-layout: sizes and edges in, positions and splines out. The only user of Graphviz.
//
// It is a process of its own because Graphviz cannot be cancelled, is not thread-safe, may run without end, and carries another
// licence. It never sees a byte of a log: nodes are numbers, labels are empty, so no font is asked and the answer depends on the
// request only. Lengths are hundredths of a px (= pt), whole numbers; y grows downward.
//
//   request                                       answer
//     provgraph-layout 1                            provgraph-layout 1
//     graph NODES EDGES splines|lines               graph WIDTH HEIGHT
//     node WIDTH HEIGHT                  x NODES    node X Y                    x NODES, centres, in the same order
//     edge FROM TO CONSTRAINS WEIGHT ARROW BOTH     edge POINTS X Y X Y ...     x EDGES; POINTS = 1 + 3k, or 0: no route
//     end                                           end
//
// ARROW is the length that is kept free for an arrow head (0: none), at both ends if BOTH. Exit 2: another version, or no request
// of this form; 1: Graphviz failed.
#include <cgraph.h>
#include <gvc.h>

#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_NODES 5000   /* our limits: the caller draws 60 */
#define MAX_EDGES 50000
#define MAX_LENGTH 100000 /* hundredths of a px: the side of one node */

struct request {
	unsigned nodes, edges;
	bool lines;
	Agraph_t *graph;
	Agnode_t **node;
	Agedge_t **edge;
};

static int quiet(char *message)
{
	(void)message;
	return 0;
}

static void set(void *object, const char *name, const char *value)
{
	(void)agsafeset(object, (char *)(uintptr_t)name, (char *)(uintptr_t)value, (char *)(uintptr_t)"");
}

__attribute__((format(printf, 3, 4))) static void set_number(void *object, const char *name, const char *format, ...)
{
	char value[64];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(value, sizeof(value), format, arguments);
	va_end(arguments);
	set(object, name, value);
}

// Attributes have to be declared with a default before one object gets its own value.
static void declare(Agraph_t *graph, bool lines)
{
	static const char *const attributes[][3] = {
		{"g", "rankdir", "LR"}, {"g", "nodesep", "0.32"}, {"g", "ranksep", "1.12"}, {"n", "shape", "box"}, {"n", "fixedsize", "true"},
		{"n", "label", ""}, {"n", "width", "1"}, {"n", "height", "1"}, {"e", "constraint", "true"},
		{"e", "weight", "1"}, {"e", "arrowsize", "1"}, {"e", "arrowhead", "normal"}, {"e", "dir", "forward"},
	};

	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		int kind = attributes[i][0][0] == 'g' ? AGRAPH : attributes[i][0][0] == 'n' ? AGNODE : AGEDGE;

		(void)agattr(graph, kind, (char *)(uintptr_t)attributes[i][1], (char *)(uintptr_t)attributes[i][2]);
	}
	(void)agattr(graph, AGRAPH, (char *)(uintptr_t)"splines", (char *)(uintptr_t)(lines ? "line" : "true"));
	// Few nodes: look long for an order with few crossings (of three recorded incidents: 467 -> 196, 1739 -> 558, 124 -> 118 crossings,
	// in 10 ms as before). Many nodes: the limits that keep dot from running for minutes.
	(void)agattr(graph, AGRAPH, (char *)(uintptr_t)"mclimit", (char *)(uintptr_t)(lines ? "0.1" : "4"));
	if (lines) {
		(void)agattr(graph, AGRAPH, (char *)(uintptr_t)"nslimit", (char *)(uintptr_t)"0.1");
		(void)agattr(graph, AGRAPH, (char *)(uintptr_t)"nslimit1", (char *)(uintptr_t)"1");
	}
}

static int read_nodes(struct request *r, FILE *in)
{
	for (unsigned i = 0; i < r->nodes; i++) {
		unsigned width, height;
		char name[16];

		if (fscanf(in, " node %u %u", &width, &height) != 2 || width > MAX_LENGTH || height > MAX_LENGTH)
			return -1;
		(void)snprintf(name, sizeof(name), "n%u", i);
		r->node[i] = agnode(r->graph, name, 1);
		if (!r->node[i])
			return -1;
		// Inches; written with whole numbers, so that no locale has a say.
		set_number(r->node[i], "width", "%u.%04u", width / 7200, width % 7200 * 10000 / 7200);
		set_number(r->node[i], "height", "%u.%04u", height / 7200, height % 7200 * 10000 / 7200);
	}
	return 0;
}

static int read_edges(struct request *r, FILE *in)
{
	for (unsigned i = 0; i < r->edges; i++) {
		unsigned from, to, constrains, weight, arrow, both;

		if (fscanf(in, " edge %u %u %u %u %u %u", &from, &to, &constrains, &weight, &arrow, &both) != 6 ||
		    from >= r->nodes || to >= r->nodes || weight > 1000 || arrow > 10000)
			return -1;
		r->edge[i] = agedge(r->graph, r->node[from], r->node[to], NULL, 1);
		if (!r->edge[i])
			return -1;
		set(r->edge[i], "constraint", constrains ? "true" : "false");
		set_number(r->edge[i], "weight", "%u", weight);
		// A head of size 1 is 10 pt long (lib/common/arrows.c, ARROW_LENGTH).
		set_number(r->edge[i], "arrowsize", "%u.%03u", arrow / 1000, arrow % 1000);
		set(r->edge[i], "dir", arrow == 0 ? "none" : both ? "both" : "forward");
	}
	return 0;
}

static int request_read(struct request *r, FILE *in)
{
	char style[16], last[8];

	if (fscanf(in, " graph %u %u %15s", &r->nodes, &r->edges, style) != 3 || r->nodes > MAX_NODES || r->edges > MAX_EDGES)
		return -1;
	r->lines = strcmp(style, "lines") == 0;
	r->node = calloc(r->nodes + 1, sizeof(*r->node));
	r->edge = calloc(r->edges + 1, sizeof(*r->edge));
	r->graph = agopen((char *)(uintptr_t)"g", Agdirected, NULL);
	if (!r->node || !r->edge || !r->graph)
		return -1;
	declare(r->graph, r->lines);
	if (read_nodes(r, in) < 0 || read_edges(r, in) < 0)
		return -1;
	return fscanf(in, " %7s", last) == 1 && strcmp(last, "end") == 0 ? 0 : -1;
}

static long rounded(double pt)
{
	double scaled = pt * 100;

	if (!(scaled > -1e9 && scaled < 1e9)) // also NaN
		return 999999999; // beyond what the caller accepts
	return (long)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

static void print_point(FILE *out, pointf at, double height)
{
	(void)fprintf(out, " %ld %ld", rounded(at.x), rounded(height - at.y));
}

// One route per edge. Two pieces would mean that dot broke the edge at something in its way: the caller draws a line then.
static void print_edge(FILE *out, Agedge_t *edge, double height)
{
	splines *routes = ED_spl(edge);

	if (!routes || routes->size != 1 || routes->list[0].size < 4) {
		(void)fputs("edge 0\n", out);
		return;
	}
	const bezier *route = &routes->list[0];

	(void)fprintf(out, "edge %d", route->size);
	for (int i = 0; i < route->size; i++)
		print_point(out, route->list[i], height);
	(void)fputc('\n', out);
}

static void answer_write(const struct request *r, FILE *out)
{
	boxf all = GD_bb(r->graph);
	double height = all.UR.y;

	(void)fprintf(out, "provgraph-layout 1\ngraph %ld %ld\n", rounded(all.UR.x), rounded(height));
	for (unsigned i = 0; i < r->nodes; i++) {
		(void)fputs("node", out);
		print_point(out, ND_coord(r->node[i]), height);
		(void)fputc('\n', out);
	}
	for (unsigned i = 0; i < r->edges; i++)
		print_edge(out, r->edge[i], height);
	(void)fputs("end\n", out);
}

// Ends at once: the kernel takes the memory back faster than Graphviz can (and Graphviz keeps 15 KB of its own in any case).
__attribute__((noreturn)) static void end(int status)
{
	if (fflush(stdout) != 0 && status == 0)
		status = 1;
	_exit(status);
}

int main(void)
{
	struct request r = {0};
	unsigned version;

	(void)setlocale(LC_ALL, "C");
	(void)agseterrf(quiet);
	if (scanf("provgraph-layout %u", &version) != 1 || version != 1 || request_read(&r, stdin) < 0)
		end(2);
	GVC_t *context = gvContext();
	if (!context || gvLayout(context, r.graph, "dot") != 0)
		end(1);
	answer_write(&r, stdout);
	end(ferror(stdout) != 0);
}
