// SPDX-License-Identifier: MIT
// What recorded disks say, in words, and in every format that is no drawing (test_svg.c has that).
//
//     test_disk_words                           the test
//     test_disk_words FILE.svg|.html|.json      writes a case with a disk, for tests/cli/case-disk.sh
#include "graph/disk_words.h"

#include "base/fileio.h"
#include "graph/write.h"
#include "tests/unit/pictures.h"
#include "tests/unit/unit.h"

#include <json-c/json.h>

static struct buffer said;

#define SAID(call) (buffer_clear(&said), (call), buffer_string(&said))

static void test_states(void)
{
	struct picture *p = made_incident();
	struct picture_disk_state state = {.glyph = '~', .size_bytes = 3, .verdict = made_text("written here, or by 2 others that had it open"),
					   .arrival_ns = at(11, 1, 2, 0), .time_ns = at(10, 1, 2, 0)};

	CHECK_STRING(SAID(disk_state_time(&said, p, &state)), "10:01:02");
	CHECK_STRING(SAID(disk_state_words(&said, &state)), "3 B written here, or by 2 others that had it open");
	CHECK_STRING(SAID(disk_state_short(&said, &state)), "3 B written here");
	state.verdict = made_text("grew: content pending (3 bytes), by sh [9]");
	CHECK_STRING(SAID(disk_state_short(&said, &state)), "3 B grew: content pending");
	state.time_ns = NANOTIME_NONE;
	CHECK_STRING(SAID(disk_state_time(&said, p, &state)), "host 11:01:02");
	state.arrival_ns = NANOTIME_NONE;
	CHECK_STRING(SAID(disk_state_time(&said, p, &state)), "earlier");
	state.verdict = made_text("no record accounts for it; open since before the log?");
	CHECK_STRING(SAID(disk_state_short(&said, &state)), "3 B no record accounts for it");
	state.verdict = made_text("content pending (217,088 bytes)");
	CHECK_STRING(SAID(disk_state_short(&said, &state)), "3 B content pending");
	state.verdict = (struct text){NULL, 0};
	CHECK_STRING(SAID(disk_state_short(&said, &state)), "3 B");
	struct picture_node node = {.disk_verdict = made_text("not asked")};
	CHECK(disk_node_verdict(&node) == &node.disk_verdict);
	node.disk_state_count = 1;
	CHECK(disk_node_verdict(&node) == NULL);
	made_free(p);
}

static void test_labels(void)
{
	struct picture_edge e = {.label = made_text("opened for writing x7")};

	CHECK_STRING(SAID(disk_edge_label(&said, &e)), "opened for writing x7");
	e.no_write_seen = true;
	CHECK_STRING(SAID(disk_edge_label(&said, &e)), "opened for writing x7, no write seen");
	e.recovered = true;
	CHECK_STRING(SAID(disk_edge_label(&said, &e)), "opened for writing x7, no write seen (recovered)");
	e.label = made_text("recovered: opened for writing, no write seen"); // it says so already
	CHECK_STRING(SAID(disk_edge_label(&said, &e)), "recovered: opened for writing, no write seen");
	made_free(made_picture());
}

static void test_findings(void)
{
	struct picture *p = made_incident();
	struct disk_finding finding = {0};

	CHECK(!disk_finding_next(p, &finding) && disk_finding_count(p) == 0 && !disk_is_asked(p));
	made_drop(p);
	p = made_witnessed();
	CHECK(disk_finding_count(p) == 3 && disk_is_asked(p));
	CHECK(disk_finding_next(p, &finding) && finding.first == 0 && finding.count == 3 && !finding.is_clock);
	p->log_findings.items[1].edge = p->log_findings.items[1].node = GRAPH_NONE;
	CHECK_STRING(SAID(disk_finding_words(&said, p, &finding)), "3 records of /var/log/audit/audit.log were removed at 11:15:52 "
		     "(on the disk, host clock); 2 of them are drawn from the disk");
	CHECK(disk_finding_next(p, &finding) && finding.first == 3 && finding.count == 1);
	p->log_findings.items[3].gone_ns = NANOTIME_NONE;
	p->log_findings.items[3].node = 0;
	CHECK_STRING(SAID(disk_finding_words(&said, p, &finding)), "1 record of /var/log/audit/audit.log was changed and is drawn from the disk");
	CHECK(disk_finding_next(p, &finding) && finding.is_clock && finding.disk == 0 && finding.piece == 1);
	p->disks.items[0].clock[1].offset_ns = INT64_C(4021374) * 1000000;
	CHECK_STRING(SAID(disk_finding_words(&said, p, &finding)), "the clock of the machine on fe:00 was set back by 0.500 s at 10:20:00 (on the disk, host clock)");
	CHECK(!disk_finding_next(p, &finding));
	// Line by line, and after an hour once more.
	for (unsigned i = 0; i < 5; i++)
		made_log_finding(p, at(10, 9, i, 0), at(11, 20, 30 + i, 0), GRAPH_NONE, "a line", "");
	made_log_finding(p, at(10, 9, 9, 0), at(12, 20, 30, 0), GRAPH_NONE, "a line", "");
	finding = (struct disk_finding){.first = 3, .count = 1};
	CHECK(disk_finding_next(p, &finding) && finding.count == 5);
	CHECK_STRING(SAID(disk_finding_words(&said, p, &finding)), "5 records of /var/log/audit/audit.log were removed between 11:20:30 and 11:20:34 "
		     "(on the disk, host clock); nothing in this picture rests on them");
	CHECK(disk_finding_next(p, &finding) && finding.count == 1);
	// One record of an event, the story's first.
	size_t index[4];
	finding = (struct disk_finding){.first = 4, .count = 5};
	p->log_findings.items[5].serial = p->log_findings.items[4].serial; // and the same event
	p->log_findings.items[5].time_ns = p->log_findings.items[4].time_ns;
	p->log_findings.items[8].edge = 15; // a step of the story
	CHECK(p->edges.items[15].step_count > 0);
	CHECK(disk_finding_records(p, &finding, index, 4) == 4 && index[0] == 4 && index[1] == 6 && index[2] == 7 && index[3] == 8);
	CHECK(disk_finding_records(p, &finding, index, 2) == 2 && index[0] == 4 && index[1] == 8);
	CHECK(disk_finding_records(p, &finding, index, 0) == 0);
	made_free(p);
}

static bool holds(const char *words)
{
	bool found = strstr(buffer_string(&said), words) != NULL;

	if (!found)
		fprintf(stderr, "no \"%s\"\n", words);
	return found;
}

static void test_text(void)
{
	struct picture *p = made_witnessed();

	buffer_clear(&said);
	CHECK_EQUAL(write_text(p, (struct write_text_options){.columns = 200}, &said, NULL), 0);
	CHECK(holds("\nWhat the disk contradicts\n  3 records of /var/log/audit/audit.log were removed"));
	CHECK(holds("\n  10:08:41.203 event 100: SYSCALL, PATH removed; stage2 [2341] "));
	CHECK(holds("\n  10:08:44.000 event 103: USER_CMD changed; was: type=USER_CMD msg=audit(1795136924.0:8207): uid=0 auid=1000; is: type=USER_CMD"));
	CHECK(holds("\nDisks\n  fe:00 is ws17.history: 12 of 12 births match"));
	CHECK(holds("stage2 [2341] deleted /var/log/auth.log [recovered]"));
	struct picture_step alert = {.edge = 15, .node = GRAPH_NONE, .alert = true}, step = {.edge = 15, .node = GRAPH_NONE}, other = {.edge = GRAPH_NONE, .node = 14};
	CHECK(!disk_step_is_recovered(p, &alert) && disk_step_is_recovered(p, &step) && disk_step_is_recovered(p, &other));
	for (int i = 0; i < 30; i++)
		made_log_finding(p, at(10, 9, 0, 0), at(10, 9, 30, 0), GRAPH_NONE, "one", "");
	buffer_clear(&said);
	CHECK_EQUAL(write_text(p, (struct write_text_options){.columns = 200}, &said, NULL), 0);
	CHECK(holds("\n  10:09:00.000 event 104: was: one\n"));
	CHECK(holds("+24 more records; the lines of all: add --format json"));
	made_free(p);
}

// All records of one event are one line; what an attacker wrote into one is cut, and never a type without end.
static void test_events(void)
{
	struct picture *p = made_witnessed();
	struct disk_finding lost = {.first = 4, .count = 3};

	CHECK_EQUAL(p->log_findings.count, 4);
	for (int i = 0; i < 3; i++) {
		made_log_finding(p, at(10, 9, 0, 0), at(10, 9, 30, 0), i == 1 ? 15 : GRAPH_NONE, i == 2 ? "node=web01 type=CWD msg=audit(1.0:7): cwd=\"/\"" :
				 "type=SYSCALL_WITH_A_NAME_THAT_DOES_NOT_END msg=audit(1.0:7): x", "");
		p->log_findings.items[4 + i].serial = 7;
	}
	buffer_clear(&said);
	CHECK_EQUAL(disk_event_words(&said, p, &lost, 4), 7);
	CHECK(holds("10:09:00.000 event 7: SYSCALL_WITH_A_NAME_THAT x2, CWD removed; stage2 [2341] "));
	p->log_findings.items[5].serial = 8;
	buffer_clear(&said);
	CHECK_EQUAL(disk_event_words(&said, p, &lost, 4), 5);
	buffer_clear(&said);
	CHECK_EQUAL(disk_event_words(&said, p, &lost, 6), 7);
	CHECK(holds("event 7: CWD removed"));
	made_free(p);
}

// Said once for a device, whatever a folder is called.
static void test_coverage(void)
{
	struct picture *p = made_witnessed();

	buffer_clear(&said);
	for (size_t i = 0; i < p->nodes.count; i++)
		p->nodes.items[i].disk = 0;
	disk_coverage_words(&said, p);
	CHECK_STRING(buffer_string(&said), "");
	size_t files = 0;
	for (size_t i = 0; i < p->nodes.count; i++)
		if (p->nodes.items[i].kind == PICTURE_FILE && files++ < 2) {
			p->nodes.items[i].disk = GRAPH_NONE;
			p->nodes.items[i].dev = 0x2;
			p->nodes.items[i].inode = 7;
			p->nodes.items[i].full = made_text(files == 1 ? "/\x1b]0;title-without-end-of-it/a" : "/etc/b");
		}
	disk_coverage_words(&said, p);
	CHECK(holds("1 of 2 devices of the drawn files is recorded; not covered: 00:02 (/\x1b]0;title-without-end-o, ...)"));
	buffer_clear(&said);
	CHECK_EQUAL(write_text(p, (struct write_text_options){.columns = 200}, &said, NULL), 0);
	CHECK(memchr(said.bytes, 0x1b, said.length) == NULL && holds("not covered: 00:02 (/"));
	struct picture_node *n = &p->nodes.items[0];
	for (size_t i = 0; i < p->nodes.count; i++)
		if (p->nodes.items[i].kind == PICTURE_FILE && p->nodes.items[i].disk == GRAPH_NONE)
			n = &p->nodes.items[i];
	n->disk_state_count = 0;
	n->disk_verdict = made_text("disk not covered");
	CHECK(disk_node_verdict(n) == NULL);
	n->disk = 0; // a named disk that recorded nothing of that time
	CHECK(disk_node_verdict(n) == &n->disk_verdict);
	made_free(p);
}

static const char *string_at(struct json_object *o, const char *key)
{
	const char *value = json_object_get_string(json_object_object_get(o, key));

	return value ? value : "(null)";
}

static struct json_object *item(struct json_object *o, const char *key, size_t index)
{
	return json_object_array_get_idx(json_object_object_get(o, key), index);
}

static void check_json(struct json_object *root)
{
	struct json_object *disk = item(root, "disks", 0), *clock = item(disk, "clock", 1), *log = item(root, "nodes", 13), *state = item(log, "disk_states", 7);

	CHECK_STRING(string_at(disk, "dev"), "fe:00");
	CHECK_STRING(string_at(disk, "history"), "ws17.history");
	CHECK_STRING(string_at(disk, "births_matched"), "12");
	CHECK_STRING(string_at(clock, "offset_seconds"), "420.874000000");
	CHECK_STRING(string_at(clock, "drift"), "0.000001000");
	CHECK_STRING(string_at(clock, "error_seconds"), "0.003000000");
	CHECK_STRING(string_at(clock, "to"), "(null)");
	CHECK_STRING(string_at(clock, "stepped"), "true");
	CHECK_STRING(string_at(state, "glyph"), "v");
	CHECK_STRING(string_at(state, "syscall"), "(null)");
	CHECK_STRING(string_at(state, "inode_ns"), "1795136921203000000");
	CHECK_STRING(string_at(state, "arrival"), "2026-11-20T11:15:42.874+09:00");
	CHECK_STRING(string_at(state, "seq"), "2100");
	CHECK_STRING(string_at(log, "born"), "2026-11-03T18:00:00+09:00");
	CHECK_STRING(string_at(item(root, "nodes", 10), "disk_verdict"), "never reached the disk");
	CHECK_STRING(string_at(item(root, "nodes", 14), "recovered"), "true");
	CHECK_STRING(string_at(item(root, "edges", 16), "recovered"), "true");
	CHECK_STRING(string_at(item(root, "edges", 10), "no_write_seen"), "true");
	struct json_object *finding = item(root, "log_findings", 3), *recovery = item(root, "recover", 0);
	CHECK_STRING(string_at(finding, "changed"), "true");
	CHECK_STRING(string_at(finding, "is"), "type=USER_CMD msg=audit(1795136924.0:8207): uid=0 auid=0");
	CHECK_STRING(string_at(finding, "edge"), "(null)");
	CHECK_STRING(string_at(item(root, "log_findings", 0), "edge"), "e16");
	CHECK_STRING(string_at(item(root, "log_findings", 0), "node"), "n14");
	CHECK(json_object_array_length(json_object_object_get(root, "findings")) == 3);
	CHECK_STRING(string_at(recovery, "command_after"), "provgraph --restore-at @2100 --disk ws17.history --inode 262144");
	CHECK_STRING(string_at(recovery, "preview_is_cut"), "true");
	CHECK(strncmp(string_at(recovery, "preview"), "@ 3 lines gone", 14) == 0);
	CHECK_STRING(string_at(item(root, "recover", 1), "executed_sha256"), "3f9a6cf2c0e8f3f0a5a1f6b1e2c3d4e5f60718293a4b5c6d7e8f90a1b2c3c210");
}

static void test_json(void)
{
	struct picture *p = made_witnessed();

	p->disks.items[0].clock[0].offset_ns = INT64_MIN; // the widest that there is
	buffer_clear(&said);
	CHECK_EQUAL(write_json(p, &said, NULL), 0);
	struct json_object *root = json_tokener_parse(buffer_string(&said));
	CHECK(root != NULL);
	if (root)
		check_json(root);
	CHECK(holds("\"offset_seconds\":-9223372036.854775808"));
	json_object_put(root);
	made_free(p);
}

static void test_tables(void)
{
	struct picture *p = made_witnessed();

	buffer_clear(&said);
	CHECK_EQUAL(write_csv(p, false, &said, NULL), 0);
	CHECK(holds("serials,recovered,no_write_seen\r\n"));
	CHECK(holds(",yes,no\r\n") && holds(",no,yes\r\n") && holds(",no,no\r\n"));
	buffer_clear(&said);
	CHECK_EQUAL(write_dot(p, &said, NULL), 0);
	CHECK(holds("disk=\"never reached the disk\"") && holds("recovered=\"yes\"") && holds("no_write_seen=\"yes\"") && holds("created, no write seen"));
	CHECK(holds("\\nDISK: 3 records of /var/log/audit/audit.log were removed"));
	buffer_clear(&said);
	CHECK_EQUAL(write_graphml(p, &said, NULL), 0);
	CHECK(holds("<data key=\"v_disk\">never reached the disk</data>") && holds("v_recovered") && holds("e_no_write_seen"));
	made_free(p);
}

static int write_case(const char *path)
{
	struct picture *p = made_witnessed();
	struct error err = {{0}};
	bool json = strstr(path, ".json") != NULL, html = strstr(path, ".html") != NULL;
	int result = layout_run(p, (struct layout_options){.program = NULL}, &err);

	if (result == 0)
		result = json ? write_json(p, &said, &err) : html ? write_html(p, &said, &err) : write_svg(p, &said, &err);
	if (result == 0)
		result = fileio_write(path, said.bytes, said.length, 0644, true, &err);
	if (result < 0)
		fprintf(stderr, "%s\n", err.message);
	buffer_release(&said);
	made_free(p);
	return result < 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return write_case(argv[1]);
	test_states();
	test_labels();
	test_findings();
	test_text();
	test_events();
	test_coverage();
	test_json();
	test_tables();
	buffer_release(&said);
	return unit_end();
}
