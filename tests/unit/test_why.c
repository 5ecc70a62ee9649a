// SPDX-License-Identifier: MIT
// --why answers for drawn, folded and unsliced nodes, by path, pid, pid@time, address and printed id.
#include "graph/picture.h"
#include "tests/unit/incident.h"
#include "tests/unit/unit.h"

static struct mail_incident m;
static struct trace t;
static struct picture *p;
static struct buffer out;

static const char *ask(const char *node, int want)
{
	static struct error err;
	err.message[0] = '\0';
	buffer_clear(&out);
	int got = picture_why(p, &m.i.g, &t, node, &out, &err);
	CHECK_EQUAL(got, want);
	if (got != want)
		fprintf(stderr, "%s: %s\n", node, err.message);
	return got < 0 ? err.message : buffer_string(&out);
}

static void check_has(const char *answer, const char *words)
{
	CHECK(strstr(answer, words) != NULL);
	if (!strstr(answer, words))
		fprintf(stderr, "no \"%s\" in:\n%s\n", words, answer);
}

static void test_answers(void)
{
	check_has(ask("/tmp/.x/stage2", 0), "drawn as n");
	check_has(ask("/tmp/.x/stage2", 0), "execute");
	check_has(ask("stage2", 0), "/tmp/.x/stage2: "); // the end of a path will do
	check_has(ask("940", 0), "python3.11 [940]");
	check_has(ask("940@2026-11-21 10:01:00", 0), "python3.11 [940]");
	check_has(ask("10.0.0.5", 0), "10.0.0.5:443");
	check_has(ask("10.0.0.5:443", 0), "10.0.0.5:443");
	check_has(ask("/usr/lib/python3.11/module7.py", 0), "folded into n");
	check_has(ask("/etc/late", 0), "not in the slice");
	check_has(ask("/etc/late", 0), "after the last moment at which that could lead to the contact");
	check_has(ask("/opt/alone", 0), "not in the slice");
	char id[16];
	for (size_t i = 0; i < p->nodes.count; i++) { // every printed id has an answer
		snprintf(id, sizeof(id), "n%u", p->nodes.items[i].id);
		CHECK(*ask(id, 0) != '\0');
	}
}

static void test_no_such_node(void)
{
	static const char *const unknown[] = {"/no/such/file", "4294967295", "n0", "n999", "10.9.9.9", "10.0.0.5:99999", "", "[::1", "[", "]",
					      "940@2020-01-01 00:00:00", "n", "@", ":", "99999999999999999999"};
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		ask(unknown[i], 1);
	ask("940@nonsense", -1);
}

// Nothing of an answer can move a terminal's cursor.
static void test_visible(void)
{
	const char *answer = ask("/opt/\033[2Jx", 0);
	CHECK(strchr(answer, '\033') == NULL);
	check_has(answer, "\\x1b[2Jx");
}

int main(void)
{
	struct error err;
	mail_incident_init(&m);
	mail_incident_add_noise(&m, 40);
	uint32_t late = incident_file(&m.i, "/etc/late", 70, 1);
	incident_edge(&m.i, late, m.mutt, FLOW_OPEN_READ, AT(500), AT(501)); // mutt's part in it was over
	incident_file(&m.i, "/opt/alone", 71, 1);
	incident_file(&m.i, "/opt/\033[2Jx", 72, 1);
	incident_finish(&m.i);
	// the connection is not held open for ever, so that what comes late cannot leave through it
	for (size_t i = 0; i < m.i.g.edges.count; i++)
		if (m.i.g.edges.items[i].op == FLOW_CONNECT || m.i.g.edges.items[i].op == FLOW_RECEIVE)
			m.i.g.edges.items[i].end_ns = AT(61);
	CHECK(trace_run(&m.i.g, &m.contact, 1, m.contact, (struct trace_options){0}, &t, &err) == 0);
	struct picture_options options = {.zone = {.utc = true}, .alert_ns = AT(66), .from_ns = T0, .to_ns = AT(1200),
					  .alert_address = m.i.g.connections.items[m.contact].address, .alert_port = 443};
	p = picture_build(&m.i.g, &t, &options, &err);
	CHECK(p != NULL);
	if (p) {
		test_answers();
		test_no_such_node();
		test_visible();
	}
	picture_free(p);
	trace_release(&t);
	incident_release(&m.i);
	buffer_release(&out);
	return unit_end();
}
