// SPDX-License-Identifier: MIT
#include "graph/write.h"

#include "base/memory.h"
#include "base/text.h"
#include "tests/unit/hostile_pictures.h"
#include "tests/unit/unit.h"
#include "tests/unit/xml_check.h"

struct seen {
	unsigned nodes, edges;
	struct text wanted;
	bool found;
};

static void element(void *context, const char *name)
{
	struct seen *seen = context;

	seen->nodes += strcmp(name, "node") == 0;
	seen->edges += strcmp(name, "edge") == 0;
}

static void text(void *context, const char *name, const char *value, size_t length)
{
	struct seen *seen = context;

	if (strcmp(name, "data") == 0 && length == seen->wanted.length && memcmp(value, seen->wanted.bytes, length) == 0)
		seen->found = true;
}

static struct seen reread(const struct picture *p, struct text wanted)
{
	struct buffer out = {0}, again = {0};
	struct seen seen = {.wanted = wanted};
	struct xml_check x = {.element = element, .text = text, .context = &seen};

	CHECK_EQUAL(write_graphml(p, &out, NULL), 0);
	CHECK_EQUAL(write_graphml(p, &again, NULL), 0);
	CHECK_STRING(buffer_string(&out), buffer_string(&again));
	const char *problem = xml_check_run(&x, buffer_string(&out), out.length);
	CHECK_STRING(problem ? problem : "", "");
	buffer_release(&out);
	buffer_release(&again);
	return seen;
}

int main(void)
{
	struct picture *p = made_incident();
	struct seen seen = reread(p, made_text("/home/alice/Downloads/invoice.py"));

	CHECK_EQUAL(seen.nodes, p->nodes.count);
	CHECK_EQUAL(seen.edges, p->edges.count);
	CHECK(seen.found);
	made_free(p);

	p = made_picture(); // an empty graph
	seen = reread(p, made_text("provgraph --alert-ip 10.0.0.5 --window 20m"));
	CHECK_EQUAL(seen.nodes, 0);
	CHECK(seen.found);
	made_free(p);

	for (size_t i = 0; i < ARRAY_LENGTH(hostile_strings); i++) {
		struct buffer visible = {0};

		if (hostile_strings[i].length == 0)
			continue;
		p = hostile_picture();
		*place_of(p, PLACE_PATH) = made_bytes(hostile_strings[i].bytes, hostile_strings[i].length);
		text_visible(&visible, hostile_strings[i].bytes, hostile_strings[i].length);
		seen = reread(p, made_bytes(visible.bytes, visible.length));
		CHECK(seen.found);
		buffer_release(&visible);
		made_free(p);
	}
	return unit_end();
}
