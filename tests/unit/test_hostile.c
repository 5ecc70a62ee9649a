// SPDX-License-Identifier: MIT
// Every hostile string in every place of a picture, in every format that a browser, a spreadsheet or a parser may open:
// well-formed, inert, and nothing of the string outside of values.
//
//     test_hostile                 the test
//     test_hostile FILE.svg|.html|.dot   writes one picture that holds them all, for tests/cli/hostile-*.sh
#include "graph/write.h"

#include "base/fileio.h"
#include "base/memory.h"
#include "base/text.h"
#include "graph/svg.h"
#include "tests/unit/hostile_pictures.h"
#include "tests/unit/unit.h"
#include "tests/unit/xml_check.h"

#include <json-c/json.h>

static const char *const svg_elements[] = {"svg", "title", "desc", "style", "g", "rect", "path", "text", "tspan", "metadata", "script"};
static const char *const svg_attributes[] = {
	"xmlns", "width", "height", "viewBox", "role", "aria-labelledby", "aria-label", "id", "class", "x", "y", "rx", "d", "text-anchor", "dx", "transform",
	"data-zone", "data-from", "data-to", "data-style", "data-walk", "data-strong", "data-both", "data-t", "data-last", "data-until", "data-open",
	"data-steps", "data-kind", "data-box", "data-fold", "data-edge", "data-node", "data-step", "data-top", "data-bottom", "data-axis", "data-filter",
	"data-of", "data-key", "data-list", "data-record", "data-serial", "data-pid", "data-inode", "data-score",
};

static const char *unexpected; // an element or attribute that is not ours

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void on_svg_element(void *context, const char *name)
{
	(void)context;
	if (!is_one_of(name, svg_elements, ARRAY_LENGTH(svg_elements)))
		unexpected = "element";
}

static void on_svg_attribute(void *context, const char *element, const char *name, const char *value, size_t length)
{
	static const char digits[] = "0123456789.,- ";
	static const char ours[] = "abcdefghijklmnopqrstuvwxyz0123456789- ";
	static const char values[] = "abcdefghijklmnopqrstuvwxyz0123456789 .,:+-";

	(void)context;
	(void)element;
	if (!is_one_of(name, svg_attributes, ARRAY_LENGTH(svg_attributes)))
		unexpected = "attribute";
	if ((strcmp(name, "id") == 0 || strcmp(name, "class") == 0) && strspn(value, ours) != length)
		unexpected = "id or class";
	if (is_one_of(name, (const char *const[]){"x", "y", "rx", "dx", "width", "height", "viewBox"}, 7) && strspn(value, digits) != length)
		unexpected = "number";
	if (strncmp(name, "data-", 5) == 0 && strspn(value, values) != length)
		unexpected = "data";
	if (strcmp(name, "d") == 0 && strspn(value, "MLCZ0123456789.,- ") != length)
		unexpected = "path";
}

// Style sheet and script are the same in every picture: constants of the program.
static void on_svg_text(void *context, const char *element, const char *value, size_t length)
{
	(void)context;
	if (strcmp(element, "style") == 0 && (strlen(page_css) != length || memcmp(page_css, value, length) != 0))
		unexpected = "style";
	if (strcmp(element, "script") == 0 && (strlen(page_js) != length || memcmp(page_js, value, length) != 0))
		unexpected = "script";
}

static void check_svg(const struct picture *p, const char *where)
{
	struct buffer out = {0};
	struct xml_check x = {.element = on_svg_element, .attribute = on_svg_attribute, .text = on_svg_text};

	unexpected = NULL;
	CHECK_EQUAL(write_svg(p, &out, NULL), 0);
	const char *problem = xml_check_run(&x, buffer_string(&out), out.length);
	if (problem || unexpected)
		fprintf(stderr, "svg: %s: %s near: %.60s\n", where, problem ? problem : unexpected, problem ? x.at : "");
	CHECK(!problem && !unexpected);
	buffer_release(&out);
}

static void check_graphml(const struct picture *p, const char *where)
{
	struct buffer out = {0};
	struct xml_check x = {0};

	CHECK_EQUAL(write_graphml(p, &out, NULL), 0);
	const char *problem = xml_check_run(&x, buffer_string(&out), out.length);
	if (problem)
		fprintf(stderr, "graphml: %s: %s near: %.60s\n", where, problem, x.at);
	CHECK(!problem);
	buffer_release(&out);
}

static bool is_plain(const struct buffer *out, const char *where)
{
	for (size_t i = 0; i < out->length;) {
		uint32_t code;
		size_t used = unicode_decode((const unsigned char *)out->bytes + i, out->length - i, &code);

		if (used == 0 || (code != '\n' && code != '\r' && code != 0xfffd && unicode_is_hidden(code))) {
			fprintf(stderr, "%s: byte %zu must not be raw\n", where, i);
			return false;
		}
		i += used;
	}
	return true;
}

static void check_json(const struct picture *p, const char *where)
{
	struct buffer out = {0};
	struct json_tokener *reader = json_tokener_new_ex(32);

	CHECK_EQUAL(write_json(p, &out, NULL), 0);
	CHECK(is_plain(&out, where));
	json_tokener_set_flags(reader, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *root = json_tokener_parse_ex(reader, buffer_string(&out), (int)out.length + 1);
	CHECK(root != NULL);
	CHECK(json_object_object_length(root) >= 16); // more: NAME_b64 of what is no UTF-8
	json_object_put(root);
	json_tokener_free(reader);
	buffer_release(&out);
}

// The number of cells in each row, read as RFC 4180 says; 0 when a row differs from the first.
static size_t csv_cells(const struct buffer *out)
{
	size_t cells = 1, first = 0;
	bool quoted = false;

	for (size_t i = 0; i < out->length; i++) {
		char c = out->bytes[i];

		if (c == '"')
			quoted = !quoted;
		else if (!quoted && c == ',')
			cells++;
		else if (!quoted && c == '\n') {
			if (first != 0 && cells != first)
				return 0;
			first = cells;
			cells = 1;
		}
	}
	return quoted ? 0 : first;
}

static void check_csv(const struct picture *p, const char *where)
{
	struct buffer out = {0};

	for (int raw = 0; raw < 2; raw++) {
		buffer_clear(&out);
		CHECK_EQUAL(write_csv(p, raw == 1, &out, NULL), 0);
		CHECK(is_plain(&out, where));
		CHECK_EQUAL(csv_cells(&out), 25);
	}
	buffer_release(&out);
}

static void check_dot(const struct picture *p, const char *where)
{
	struct buffer out = {0};

	CHECK_EQUAL(write_dot(p, &out, NULL), 0);
	CHECK(is_plain(&out, where));
	// A line per node and edge, whatever their names are, and every quote closed (test_dot reads it with libcgraph).
	size_t lines = 0, quotes = 0;
	for (size_t i = 0; i < out.length; i++) {
		lines += out.bytes[i] == '\n';
		if (out.bytes[i] == '\\')
			i++;
		else
			quotes += out.bytes[i] == '"';
	}
	CHECK_EQUAL(lines, 6 + p->nodes.count + p->edges.count);
	CHECK_EQUAL(quotes % 2, 0);
	buffer_release(&out);
}

static void test_each(void)
{
	for (enum place place = 0; place < PLACE_COUNT; place++)
		for (size_t i = 0; i < ARRAY_LENGTH(hostile_strings); i++) {
			struct picture *p = hostile_picture();
			char where[64];

			(void)snprintf(where, sizeof(where), "place %d, string %zu", place, i);
			*place_of(p, place) = made_bytes(hostile_strings[i].bytes, hostile_strings[i].length);
			CHECK_EQUAL(layout_run(p, (struct layout_options){.program = NULL}, NULL), 0);
			check_svg(p, where);
			check_json(p, where);
			check_csv(p, where);
			check_dot(p, where);
			check_graphml(p, where);
			made_free(p);
		}
}

// The same string in everything that a recorded disk says.
static void hostile_disk(struct picture *p, uint32_t file, uint32_t edge, struct text t, size_t i)
{
	struct picture_node *f = &p->nodes.items[file];

	if (i % 3 == 0)
		f->disk_verdict = t;
	else
		made_disk_state(p, file, "+~vx>"[i % 5], at(10, 1, (unsigned)i, 500), i, "x");
	if (f->disk_state_count > 0)
		f->disk_states[0].verdict = t;
	f->recovered = p->edges.items[edge].recovered = i % 2 == 0;
	p->edges.items[edge].no_write_seen = i % 2 == 1;
	made_disk(p, "x", "x", "x");
	struct picture_disk *disk = &p->disks.items[p->disks.count - 1];
	disk->dev = disk->name = disk->mount = disk->words = disk->clock[0].source = t;
	disk->clock[1].stepped = i < 3;
	made_log_finding(p, at(10, 1, (unsigned)i, 0), at(10, 2, (unsigned)i, 0), edge, "x", i % 2 ? "x" : "");
	struct picture_log_finding *finding = &p->log_findings.items[p->log_findings.count - 1];
	finding->log = finding->was = t;
	finding->is = i % 2 ? t : finding->is;
	made_recovery(p, file, at(10, 1, (unsigned)i, 0), "x", "x");
	struct picture_recovery *r = &p->recoveries.items[p->recoveries.count - 1];
	r->words = r->command = r->command_after = r->verdict = r->before_sha256 = r->after_sha256 = r->executed_sha256 = r->preview = t;
}

// A picture in which all strings stand everywhere.
static struct picture *all_strings(void)
{
	struct picture *p = hostile_picture();

	for (size_t i = 0; i < ARRAY_LENGTH(hostile_strings); i++) {
		struct text t = made_bytes(hostile_strings[i].bytes, hostile_strings[i].length);
		uint32_t process = made_process(p, "x", 100, 99, "x", "x", at(10, 1, (unsigned)i, 0), 0);
		uint32_t file = made_file(p, "/", "x", i, at(10, 1, (unsigned)i, 0));
		struct picture_node *n = &p->nodes.items[process], *f = &p->nodes.items[file];

		n->name = n->detail = n->full = n->user = n->exe = n->comm = n->cwd = n->tty = n->argv[0] = n->reason = t;
		f->name = f->detail = f->full = f->names[0] = f->reason = t;
		made_state(p, file, '~', at(10, 1, (unsigned)i, 0), "x");
		p->nodes.items[file].states[0].words = t;
		uint32_t edge = made_edge(p, process, file, FLOW_WRITE, at(10, 1, (unsigned)i, 0), 1, "x");
		p->edges.items[edge].label = t;
		if (i > 0)
			made_on_path(p, made_edge(p, process - 2, process, FLOW_FORK, at(10, 1, (unsigned)i, 0), 1, "started")); // the files: below it
		made_step(p, edge, at(10, 1, (unsigned)i, 0), false, "x");
		p->steps.items[p->steps.count - 1].words = t;
		made_note(p, NOTE_RAN, at(10, 1, (unsigned)i, 0), process, false, "x");
		p->notes.items[p->notes.count - 1].words = t;
		made_missing(p, i % 2 == 0, at(10, 1, 0, 0), at(10, 1, 1, 0), "x", "x");
		p->missing.items[p->missing.count - 1].words = p->missing.items[p->missing.count - 1].rule = t;
		made_input(p, "x", "x", 1);
		p->inputs.items[p->inputs.count - 1].name = t;
		hostile_disk(p, file, edge, t, i);
	}
	struct buffer all = {0};
	for (size_t i = 0; i < ARRAY_LENGTH(hostile_strings); i++)
		buffer_add(&all, hostile_strings[i].bytes, hostile_strings[i].length);
	p->title = p->host = p->command = p->alert_signature = made_bytes(all.bytes, all.length);
	buffer_release(&all);
	return p;
}

static void test_all(void)
{
	struct picture *p = all_strings();

	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = NULL}, NULL), 0);
	CHECK(p->around_y > 0 && p->edges.items[p->edges.count - 2].apart);
	check_svg(p, "all strings");
	check_json(p, "all strings");
	check_csv(p, "all strings");
	check_graphml(p, "all strings");
	made_free(p);
}

static int write_all(const char *path)
{
	struct picture *p = all_strings();
	struct buffer out = {0};
	struct error err = {{0}};
	bool dot = strstr(path, ".dot") != NULL, html = strstr(path, ".html") != NULL;
	int result = layout_run(p, (struct layout_options){.program = NULL}, &err);

	if (result == 0)
		result = dot ? write_dot(p, &out, &err) : html ? write_html(p, &out, &err) : write_svg(p, &out, &err);
	if (result == 0)
		result = fileio_write(path, out.bytes, out.length, 0644, true, &err);
	if (result < 0)
		fprintf(stderr, "%s\n", err.message);
	buffer_release(&out);
	made_free(p);
	return result < 0;
}

// The checker itself sees what it is there for.
static void test_checker(void)
{
	static const char *const bad[] = {
		"<a>", "<a></b>", "<a b=\"1\" b=\"2\"/>", "<a b='1'/>", "<a>&x;</a>", "<a>\x01</a>", "<a>\xff</a>", "<a/>text", "<a b=\"<\"/>", "<!DOCTYPE x><a/>",
		"<a>\xe2\x80\xae</a>", "<![CDATA[x]]>",
	};

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		char document[200];
		struct xml_check x = {0};

		(void)snprintf(document, sizeof(document), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n%s", bad[i]);
		CHECK(xml_check_run(&x, document, strlen(document)) != NULL);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return write_all(argv[1]);
	test_checker();
	test_each();
	test_all();
	return unit_end();
}
