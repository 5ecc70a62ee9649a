// SPDX-License-Identifier: MIT
// The DOT file, read back with libcgraph: what dot would show is the visible text and nothing else.
#include "graph/write.h"

#include "base/memory.h"
#include "base/text.h"
#include "tests/unit/hostile_pictures.h"
#include "tests/unit/unit.h"

#include <graphviz/cgraph.h>

static Agraph_t *parsed(const struct picture *p)
{
	struct buffer out = {0};

	CHECK_EQUAL(write_dot(p, &out, NULL), 0);
	Agraph_t *graph = agmemread(buffer_string(&out));
	CHECK(graph != NULL);
	buffer_release(&out);
	return graph;
}

static char *name_of(const char *string)
{
	return (char *)(uintptr_t)string; // cgraph takes char * and changes nothing
}

static const char *attribute(Agraph_t *graph, const char *node, const char *name)
{
	Agnode_t *n = agnode(graph, name_of(node), 0);
	const char *value = n ? agget(n, name_of(name)) : NULL;

	return value ? value : "(none)";
}

// What dot makes of a label: lib/common/labels.c expands \n and \l, drops other backslashes, doubled ones once; htmlEntityUTF8()
// decodes entities, of which we write one.
static void shown(const char *label, struct buffer *out)
{
	for (; *label; label++) {
		if (label[0] == '\\' && label[1]) {
			label++;
			buffer_add_byte(out, *label == 'n' ? '\n' : *label);
		} else if (strncmp(label, "&amp;", 5) == 0) {
			buffer_add_byte(out, '&');
			label += 4;
		} else {
			buffer_add_byte(out, *label);
		}
	}
}

static void test_incident(void)
{
	struct picture *p = made_incident();
	Agraph_t *graph = parsed(p);

	CHECK_EQUAL(agnnodes(graph), p->nodes.count);
	CHECK_EQUAL(agnedges(graph), p->edges.count);
	CHECK_STRING(attribute(graph, "n4", "label"), "python3 [2311]\\npython3 /home/alice/Downloads/invoice.py");
	CHECK_STRING(attribute(graph, "n4", "pid"), "2311");
	CHECK_STRING(attribute(graph, "n4", "kind"), "process");
	CHECK_STRING(attribute(graph, "n7", "shape"), "hexagon");
	CHECK_STRING(attribute(graph, "n7", "alert"), "yes");
	CHECK_STRING(attribute(graph, "n3", "first"), "2026-11-20T10:04:37.080+09:00");
	CHECK_STRING(agget(graph, name_of("loss")), "yes");
	CHECK(strstr(agget(graph, name_of("label")), "\\nMISSING: 41 serials never came") != NULL);
	agclose(graph);
	made_free(p);
}

static void test_strings(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(hostile_strings); i++) {
		struct picture *p = hostile_picture();
		struct text t = made_bytes(hostile_strings[i].bytes, hostile_strings[i].length);
		struct buffer want = {0}, got = {0};

		for (enum place place = 0; place < PLACE_COUNT; place++)
			*place_of(p, place) = t;
		Agraph_t *graph = parsed(p);
		CHECK_EQUAL(graph ? agnnodes(graph) : 0, p->nodes.count);
		CHECK_EQUAL(graph ? agnedges(graph) : 0, p->edges.count);
		text_visible(&want, t.bytes, t.length);
		if (t.length > 0)
			buffer_add_byte(&want, '\n');
		text_visible(&want, t.bytes, t.length);
		shown(graph ? attribute(graph, "n2", "label") : "", &got);
		CHECK_STRING(buffer_string(&got), buffer_string(&want));
		// Nothing declares an attribute that dot would turn into a link, a file name or markup.
		static const char *const never[] = {"URL", "href", "edgeURL", "labelURL", "headURL", "tailURL", "target", "stylesheet", "image", "shapefile", "imagepath"};
		for (size_t k = 0; graph && k < ARRAY_LENGTH(never); k++)
			for (int kind = AGRAPH; kind <= AGEDGE; kind++)
				CHECK(agattr(graph, kind, name_of(never[k]), NULL) == NULL);
		if (graph)
			agclose(graph);
		buffer_release(&want);
		buffer_release(&got);
		made_free(p);
	}
}

int main(void)
{
	test_incident();
	test_strings();
	return unit_end();
}
