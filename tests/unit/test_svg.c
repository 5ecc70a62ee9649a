// SPDX-License-Identifier: MIT
#include "graph/write.h"

#include "base/memory.h"
#include "base/text.h"
#include "graph/layout.h"
#include "graph/svg.h"
#include "graph/svg_axis.h"
#include "tests/unit/hostile_pictures.h"
#include "tests/unit/unit.h"
#include "tests/unit/xml_check.h"

#include <math.h>

static char *drawn(struct picture *p)
{
	struct buffer out = {0};
	struct xml_check x = {0};

	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = NULL}, NULL), 0);
	CHECK_EQUAL(write_svg(p, &out, NULL), 0);
	const char *problem = xml_check_run(&x, buffer_string(&out), out.length);
	CHECK_STRING(problem ? problem : "", "");
	struct text kept = made_bytes(out.bytes, out.length);
	buffer_release(&out);
	return (char *)(uintptr_t)kept.bytes;
}

static size_t count_of(const char *svg, const char *what)
{
	size_t count = 0;

	for (; (svg = strstr(svg, what)) != NULL; svg++)
		count++;
	return count;
}

#define HAS(svg, what) CHECK(strstr(svg, what) != NULL)
#define LACKS(svg, what) CHECK(strstr(svg, what) == NULL)

static void test_incident(void)
{
	struct picture *p = made_incident(), *again = made_incident();
	char *svg = drawn(p);

	CHECK_STRING(svg, drawn(again)); // the same picture, the same bytes
	HAS(svg, "python3 (started from thunderbird) contacted <tspan class=\"bad\">10.0.0.5:443</tspan>");
	HAS(svg, "Alert 2026-11-20 10:06:00 +09:00");
	HAS(svg, "18,204 events reduced to 19 links");
	HAS(svg, "! Evidence is missing in this window");
	HAS(svg, "41 serials never came (serials 8120 to 8160), 10:07:55");
	HAS(svg, "Blind spots: accept was never audited");
	HAS(svg, "-a always,exit -F arch=b64 -S accept,accept4 -k provgraph-net");
	CHECK_EQUAL(count_of(svg, "<g class=\"node "), p->nodes.count);
	CHECK_EQUAL(count_of(svg, "<g class=\"edge"), p->edges.count + 6); // and six line styles in the legend
	for (uint32_t i = 1; i <= p->nodes.count; i++) {
		char id[24];

		(void)snprintf(id, sizeof(id), " id=\"n%u\" ", i);
		CHECK_EQUAL(count_of(svg, id), 1);
	}
	HAS(svg, "! ALERT");
	HAS(svg, "ROOT CAUSE");
	HAS(svg, ">choke point<");
	HAS(svg, ">persists<");
	HAS(svg, "aria-label=\"process python3 2311, user alice, on the path to the alert\"");
	HAS(svg, "role=\"graphics-document\"");
	// Every step of the story is on the page, with its number, and on the graph.
	for (size_t i = 0; i < p->steps.count; i++) {
		char words[200];

		(void)snprintf(words, sizeof(words), "%.*s", 20, p->steps.items[i].words.bytes);
		CHECK(count_of(svg, words) >= 2); // in the story and in <desc>
	}
	HAS(svg, ">10-11<"); // truncated and deleted: one edge, two steps
	HAS(svg, "Who logged in");
	HAS(svg, "(claimed by a program)");
	HAS(svg, "input audit.log, bytes 0 - 41234567, sha256 3f9a6cf2c0e8f3f0a5a1f6b1e2c3d4e5f60718293a4b5c6d7e8f90a1b2c3c210");
	HAS(svg, "Graphviz gave no answer");
	// One script, ours; never links, files, fonts from elsewhere.
	CHECK_EQUAL(count_of(svg, "<script"), 1);
	LACKS(svg, "href");
	LACKS(svg, "url(");
	LACKS(svg, "@import");
	made_drop(again);
	made_free(p);
}

// Light colours need no variables (rsvg-convert knows none); a dark screen and a reader's choice give the same dark ones.
static void test_dark(void)
{
	const char *media = strstr(page_css, "@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){"), *chosen = strstr(page_css, "\n:root[data-theme=dark]{");
	size_t length = chosen ? strcspn(strchr(chosen, '{'), "}") : 0;

	HAS(page_css, ".alert .shape{fill:#fdecec;fill:var(--alertfill,#fdecec);stroke:#c1121f;stroke:var(--alert,#c1121f)}");
	CHECK(media && chosen && strncmp(strstr(media, "]){") + 2, strchr(chosen, '{'), length) == 0);
	CHECK_EQUAL(count_of(page_css, "{"), count_of(page_css, "}"));
	LACKS(page_css, "url(");
	LACKS(page_css, "<");
	LACKS(page_js, "</");
	LACKS(page_js, "<!--");
	LACKS(page_js, "innerHTML");
	LACKS(page_js, "eval");
}

// A second witness: its states, its verdicts, what it gave back, what it contradicts.
static void test_witnessed(void)
{
	struct picture *p = made_witnessed(), *again = made_witnessed();
	char *svg = drawn(p);

	CHECK_STRING(svg, drawn(again));
	HAS(svg, "Disks: fe:00 is ws17.history: 12 of 12 births match");
	HAS(svg, "3 records of /var/log/audit/audit.log were removed at 11:15:52 (on the disk, host clock) and are drawn from the disk");
	HAS(svg, "1 record of /var/log/audit/audit.log was changed at 11:15:53 (on the disk, host clock); nothing in this picture rests on it");
	HAS(svg, "the clock of the machine on fe:00 was set forward by 3,600.000 s at 10:20:00 (on the disk, host clock)");
	HAS(svg, ">10:08:41.203 event 100: SYSCALL, PATH removed; stage2 [2341] ");
	HAS(svg, ">10:08:44.000 event 103: USER_CMD changed; was: type=USER_CMD msg=audit(1795136924.0:8207): uid=0 auid=1000; is: type=USER_CMD");
	HAS(svg, "data-key=\"event\">10:08:41.203 event 100: SYSCALL, PATH removed; ");
	// In the boxes, with room for the longest.
	HAS(svg, ">6.7 KiB written here</text>");
	HAS(svg, ">0 B content pending</text>");
	HAS(svg, ">87.8 KiB no record accounts for it</text>");
	HAS(svg, ">earlier</text>");
	HAS(svg, ">+4 more</text>");
	HAS(svg, "<text class=\"detail verdict\" x=");
	CHECK(strstr(svg, ">disk not covered</text>") == NULL); // said once, in the header
	HAS(svg, ">never reached the disk</text>");
	HAS(svg, ">not asked</text>");
	// Three times of a state.
	HAS(svg, "data-key=\"on disk\">+ 2026-11-20T10:05:09.600+09:00 6.7 KiB written here\nsystem call 2026-11-20T10:04:37.900+09:00\n"
		 "inode       2026-11-20T10:04:37.903+09:00\non the disk 2026-11-20T11:12:10.474+09:00 (host clock), seq 1042</desc>");
	HAS(svg, "data-key=\"born\">2026-11-03T18:00:00+09:00, by its inode</desc>");
	// Marked by more than colour.
	CHECK_EQUAL(count_of(svg, "<path class=\"ticks\""), 3); // two edges and the legend
	HAS(svg, "class=\"node file recovered\"");
	HAS(svg, ">recovered</text>");
	HAS(svg, "data-style=\"unwritten\"");
	HAS(svg, "created, no write seen");
	HAS(svg, "data-filter=\"unwritten\"");
	HAS(svg, "rests on records that a disk gave back");
	CHECK(count_of(svg, "(recovered)</text>") >= 5); // three steps, two links
	// What can be had back: a few lines of the preview in the drawing, more of it as data.
	HAS(svg, "sha256 as executed");
	HAS(svg, "before: provgraph --restore-at");
	HAS(svg, "<text class=\"detail pre minus\"");
	HAS(svg, "+2 more lines: the file&#39;s details");
	HAS(svg, "data-key=\"preview\">@ 3 lines gone, none new (88.1 KiB before, 87.8 KiB after)\n@ line 1204");
	HAS(svg, "data-key=\"sha256-executed\">3f9a6cf2");
	made_drop(again);
	made_free(p);
}

// A picture holds the beginnings of long previews, the page all of them.
static void test_long_preview(void)
{
	struct picture *p = made_witnessed();
	struct buffer html = {0}, preview = {0};

	for (int i = 0; i < 40; i++)
		buffer_printf(&preview, "%s+ line %d", i ? "\n" : "", i);
	p->recoveries.items[0].preview = made_bytes(preview.bytes, preview.length);
	char *svg = drawn(p);
	HAS(svg, "+ line 11\n@ the rest: in the html and json output</desc>");
	LACKS(svg, "line 12");
	CHECK_EQUAL(write_html(p, &html, NULL), 0);
	HAS(buffer_string(&html), "+ line 38\n+ line 39</desc>");
	buffer_release(&html);
	buffer_release(&preview);
	made_free(p);
}

// A log that is synced line by line has a thousand states: they do not fill the axis, nor the lane.
static void test_many_states(void)
{
	struct picture *p = made_incident();
	struct moment_vector axis = {0};

	for (unsigned i = 0; i < 1000; i++)
		made_disk_state(p, 13, i ? '~' : '+', at(10, 1, 0, 0) + i * 400 * NANOTIME_MILLISECOND, i * 100, "written here, or by 2 others that had it open");
	CHECK_EQUAL(axis_lay(p, 0, 800, &axis), 0);
	CHECK(axis.count < 60);
	moment_vector_release(&axis);
	char *svg = drawn(p);
	CHECK(count_of(svg, "bar version") < 330);
	HAS(svg, ">+996 more</text>");
	HAS(svg, "\n+988 more on disk");
	HAS(svg, ">97.5 KiB written here</text>"); // the box has the short form
	CHECK(count_of(svg, "data-key=\"on disk\"") < 70);
	made_free(p);
}

static void test_no_loss(void)
{
	struct picture *p = made_large(12, 3);
	char *svg = drawn(p);

	HAS(svg, "Completeness: no loss was measured in this window.");
	LACKS(svg, "lossbox\" x");
	made_free(p);
	p = made_picture();
	svg = drawn(p);
	HAS(svg, "nothing to draw");
	made_free(p);
}

static void test_styles(void)
{
	struct picture *p = hostile_picture();

	p->edges.items[HOSTILE_CONNECT].failed = true;
	p->edges.items[HOSTILE_READ].both_ways = true;
	p->edges.items[HOSTILE_READ].class = CLASS_INFERRED;
	p->nodes.items[HOSTILE_PROCESS].gap_overlap = true;
	p->nodes.items[HOSTILE_PROCESS].after_module_load = true;
	p->edges.items[made_edge(p, HOSTILE_KERNEL, HOSTILE_ADDRESS, FLOW_CONNECT, at(10, 1, 0, 0), 1, "same destination")].correlation = true;
	char *svg = drawn(p);
	HAS(svg, ", refused by the kernel\nserials ");
	HAS(svg, "class=\"line unsure\"");
	HAS(svg, ">? connected<");
	HAS(svg, "class=\"line same\"");
	HAS(svg, "same destination: not a flow");
	HAS(svg, "head hollow");
	made_free(p);
}

// An edge whose other end stands in another part: a stem with words that name that end.
static void test_stems(void)
{
	struct picture *p = made_picture();
	uint32_t before = GRAPH_NONE;

	for (unsigned i = 0; i < 9; i++) {
		uint32_t node = made_process(p, "sh", 100 + i, 99 + i, "sh", "alice", at(10, 0, i, 0), 0);

		if (before != GRAPH_NONE)
			made_on_path(p, made_edge(p, before, node, FLOW_FORK, at(10, 0, i, 0), 1, "started"));
		before = node;
	}
	uint32_t file = made_file(p, "/tmp/", "<made>", 2, at(10, 2, 0, 0));
	made_edge(p, before, file, FLOW_CREATE, at(10, 2, 0, 0), 1, "created, opened for writing x3, and a lot more");
	p->edges.items[made_edge(p, file, 0, FLOW_PIPE, at(10, 2, 1, 0), 1, "piped to")].class = CLASS_UNCERTAIN;
	char *svg = drawn(p);
	HAS(svg, ">Around the path<");
	HAS(svg, ">sh 108 \u00b7 created,");
	HAS(svg, ">? sh 100 \u00b7 piped to<");
	CHECK_EQUAL(count_of(svg, "<g class=\"label\""), p->edges.count);
	made_free(p);

	p = made_incident(); // what one screen holds stays together
	p->nodes.count = 4;
	p->edges.count = 0;
	p->steps.count = p->notes.count = p->recoveries.count = p->folds.count = 0;
	svg = drawn(p);
	LACKS(svg, "Around the path");
	made_free(p);
}

static void test_shown(void)
{
	struct picture *p = hostile_picture();
	struct picture_edge *write = &p->edges.items[HOSTILE_WRITE], *fold = &p->edges.items[HOSTILE_READ];

	write->op = FLOW_DELETE;
	write->ops = 1u << FLOW_DELETE | 1u << FLOW_CREATE;
	CHECK(svg_edge_shown(p, write).op == FLOW_DELETE);
	write->on_path = true; // the path runs through what was written, not through its end
	CHECK(svg_edge_shown(p, write).op == FLOW_CREATE);
	CHECK(svg_edge_shown(p, fold).op == FLOW_OPEN_READ);
	fold->ops |= 1u << FLOW_DELETE;
	CHECK(svg_edge_shown(p, fold).op == FLOW_FORK);
	made_free(p);
}

// Cells are counted, not bytes; what is cut keeps its end; what is cut stands in full in the title.
static void test_cut(void)
{
	struct picture *p = hostile_picture();
	char long_name[301];

	memset(long_name, 'a', 300);
	memcpy(long_name + 290, "-the-end.x", 10);
	long_name[300] = '\0';
	*place_of(p, PLACE_FILE_NAME) = made_text(long_name);
	*place_of(p, PLACE_PATH) = made_text(long_name);
	*place_of(p, PLACE_USER) = made_text("a-very-long-user-name-of-nobody");
	*place_of(p, PLACE_PROCESS_NAME) = made_text("\xe3\x83\x95\xe3\x82\xa1\xe3\x82\xa4\xe3\x83\xab\xe3\x83\x95\xe3\x82\xa1\xe3\x82\xa4\xe3\x83\xab");
	char *svg = drawn(p);
	HAS(svg, "-the-end.x</text>");
	HAS(svg, long_name);
	LACKS(svg, "\">a-very-long-user-name-of-nobody</text>");
	made_free(p);

	struct buffer out = {0};
	svg_number(&out, -0.04);
	buffer_add_byte(&out, ' ');
	svg_number(&out, -12.25);
	buffer_add_byte(&out, ' ');
	svg_number(&out, 1e6);
	CHECK_STRING(buffer_string(&out), "0 -12.3 1000000");
	buffer_release(&out);
}

static void check_lines(const char *words, size_t cells, const char *want)
{
	struct buffer got = {0};
	size_t length = strlen(words);

	while (length > 0) {
		size_t next, end = svg_line(words, length, cells, &next);

		CHECK(next > 0);
		if (next == 0)
			break;
		CHECK(text_cells(words, end) <= cells || end == next);
		buffer_add(&got, words, end);
		buffer_add_byte(&got, '|');
		words += next;
		length -= next;
	}
	CHECK_STRING(buffer_string(&got), want);
	buffer_release(&got);
}

static void test_lines(void)
{
	check_lines("opened for writing x7", 12, "opened for|writing x7|");
	check_lines("/usr/lib/python3.11/site-packages", 14, "/usr/lib/|python3.11/|site-packages|");
	check_lines("aaaaaaaaaaaaaaaaaaaa", 8, "aaaaaaaa|aaaaaaaa|aaaa|");
	check_lines("\xe3\x83\x95\xe3\x82\xa1\xe3\x82\xa4", 4, "\xe3\x83\x95\xe3\x82\xa1|\xe3\x82\xa4|");
	check_lines("\xe3\x83\x95\xe3\x82\xa1", 1, "\xe3\x83\x95|\xe3\x82\xa1|"); // wider than a line: a character all the same
	check_lines("x", 0, "x|");
}

static void test_chips(void)
{
	char label[24];

	svg_chip_label(label, sizeof(label), (const uint32_t[]){3}, 1);
	CHECK_STRING(label, "3");
	svg_chip_label(label, sizeof(label), (const uint32_t[]){10, 11, 12}, 3);
	CHECK_STRING(label, "10-12");
	svg_chip_label(label, sizeof(label), (const uint32_t[]){1, 3, 5, 7}, 4);
	CHECK_STRING(label, "1,3,5+");
	svg_chip_label(label, sizeof(label), NULL, 0);
	CHECK_STRING(label, "");
	svg_chip_label(label, 8, (const uint32_t[]){4000000000u, 7}, 2); // no room: nothing half-written
	CHECK_STRING(label, "");
}

// What a disk showed stands in the file's box and in its lane, in place of what the records say; a file without it is as before.
static void test_disk_states(void)
{
	struct picture *p = hostile_picture();
	char *svg = drawn(p);

	HAS(svg, ">100 B written here</text>");
	HAS(svg, "data-key=\"on disk\">~ 2026-11-20T10:00:06+09:00 100 B written here</desc>");
	CHECK_EQUAL(layout_states_shown(&p->nodes.items[HOSTILE_DISK_FILE]).count, 1);
	made_disk_state(p, HOSTILE_DISK_FILE, 'x', at(10, 0, 8, 0), 0, "pending");
	svg = drawn(p);
	HAS(svg, "detail bad\" x=");
	HAS(svg, ">0 B pending</text>");
	HAS(svg, "class=\"gone\"");
	made_free(p);
}

// The page is the drawing with a policy that names our script and our style, and nothing else.
static void test_html(void)
{
	struct picture *p = hostile_picture();
	struct buffer page = {0}, alone = {0};

	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = NULL}, NULL), 0);
	CHECK_EQUAL(write_html(p, &page, NULL), 0);
	CHECK_EQUAL(write_svg(p, &alone, NULL), 0);
	HAS(buffer_string(&page), "content=\"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-");
	CHECK_EQUAL(count_of(buffer_string(&page), "<script>"), 1);
	CHECK_EQUAL(count_of(buffer_string(&page), "<style>"), 1);
	LACKS(buffer_string(&page), "unsafe");
	const char *body = strstr(buffer_string(&page), "<rect class=\"bg\""), *same = strstr(buffer_string(&alone), "<rect class=\"bg\"");
	CHECK(body && same && strncmp(body, same, (size_t)(strstr(body, "</metadata>") - body)) == 0);
	buffer_release(&page);
	buffer_release(&alone);
	made_free(p);
}

// The times on the axis are never closer than their words are wide, at the rims neither.
static void test_times_apart(void)
{
	size_t seen = 0;

	for (uint32_t seed = 1; seed <= 12; seed++) {
		struct picture *p = made_large(30, seed);
		double x[200], y, top = 0;
		size_t count = 0;

		for (const char *at = drawn(p); (at = strstr(at, "<text class=\"detail\" text-anchor=\"middle\" x=\"")) != NULL; at++) {
			unsigned h, m, s;

			if (sscanf(at, "<text class=\"detail\" text-anchor=\"middle\" x=\"%lf\" y=\"%lf\">%2u:%2u:%2u<", &x[count], &y, &h, &m, &s) != 5)
				continue;
			top = count == 0 ? y : top;
			count += y == top && count < 199;
		}
		for (size_t i = 0; i < count; i++)
			for (size_t j = 0; j < i; j++)
				CHECK(fabs(x[i] - x[j]) >= 54);
		seen += count;
		made_free(p);
	}
	CHECK(seen > 24);
}

// Every drawn thing has a lane, every step its number on the timeline, and the axis runs one way, within its bounds.
static void test_timeline(void)
{
	struct picture *p = made_incident();
	struct moment_vector axis = {0};
	char *svg = drawn(p);
	size_t lanes = 0;

	for (size_t i = 0; i < p->nodes.count; i++)
		lanes += p->nodes.items[i].kind != PICTURE_FOLD;
	CHECK_EQUAL(count_of(svg, "<g class=\"lane\""), lanes);
	CHECK_EQUAL(count_of(svg, " data-step=\""), p->steps.count - 1); // all but the alert
	for (size_t i = 0; i < p->steps.count; i++) {
		char number[40];

		(void)snprintf(number, sizeof(number), "data-steps=\"%u\"", p->steps.items[i].number);
		bool alone = count_of(svg, number) >= 2; // on the edge and on the timeline
		(void)snprintf(number, sizeof(number), "%u ", p->steps.items[i].number);
		CHECK(alone || p->steps.items[i].alert || strstr(svg, number)); // or beside others
	}
	HAS(svg, ">3m25s</text>"); // a wait, as long as it was
	HAS(svg, "class=\"alarmline\"");
	CHECK_EQUAL(axis_lay(p, 100, 700, &axis), 0);
	CHECK(axis.count > 20 && axis.items[0].x == 108 && fabs(axis.items[axis.count - 1].x - 692) < 0.01);
	for (size_t i = 1; i < axis.count; i++)
		CHECK(axis.items[i].ns > axis.items[i - 1].ns && axis.items[i].x > axis.items[i - 1].x);
	for (size_t i = 0; i < axis.count; i++)
		CHECK(axis_x(&axis, axis.items[i].ns) == axis.items[i].x);
	CHECK(axis_x(&axis, 1) == axis.items[0].x);
	// To scale: a minute is as wide as any other.
	moment_vector_release(&axis);
	p->linear_time = true;
	CHECK_EQUAL(axis_lay(p, 100, 700, &axis), 0);
	double minute = axis_x(&axis, at(10, 2, 0, 0)) - axis_x(&axis, at(10, 1, 0, 0));
	CHECK(minute > 10 && fabs(axis_x(&axis, at(10, 8, 0, 0)) - axis_x(&axis, at(10, 7, 0, 0)) - minute) < 0.01);
	svg = drawn(p);
	HAS(svg, "to scale</text>");
	LACKS(svg, "class=\"gapband\"");
	moment_vector_release(&axis);
	CHECK(axis_x(&axis, 1) == 0);
	made_free(p);
}

int main(void)
{
	test_timeline();
	test_times_apart();
	test_disk_states();
	test_html();
	test_incident();
	test_dark();
	test_witnessed();
	test_long_preview();
	test_many_states();
	test_no_loss();
	test_styles();
	test_stems();
	test_shown();
	test_cut();
	test_lines();
	test_chips();
	return unit_end();
}
