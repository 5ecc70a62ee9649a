// SPDX-License-Identifier: MIT
// The picture as a whole: what is drawn, what is folded, what is on the path, and that nothing disappears.
#include "graph/picture.h"
#include "graph/write.h"
#include "tests/unit/incident.h"
#include "tests/unit/unit.h"

static struct picture *build(struct incident *i, const uint32_t *contacts, size_t count, struct trace *t, uint32_t drawn)
{
	struct error err = {""};
	CHECK(trace_run(&i->g, contacts, count, contacts[count - 1], (struct trace_options){0}, t, &err) == 0);
	struct picture_options options = {.drawn = drawn, .zone = {.utc = true}, .alert_ns = AT(66), .from_ns = T0, .to_ns = AT(1200),
					  .alert_address = i->g.connections.items[contacts[0]].address, .alert_port = 443,
					  .command = "provgraph --alert-ip 10.0.0.5", .version = "test"};
	struct picture *p = picture_build(&i->g, t, &options, &err);
	CHECK_STRING(err.message, "");
	return p;
}

static bool text_is(struct text t, const char *want)
{
	return t.length == strlen(want) && memcmp(t.bytes ? t.bytes : "", want, t.length) == 0;
}

// The picture node that stands for a graph node itself, not through a fold.
static struct picture_node *drawn(const struct picture *p, uint32_t node)
{
	for (size_t i = 0; i < p->nodes.count; i++)
		for (size_t k = 0; k < p->nodes.items[i].graph_node_count; k++)
			if (p->nodes.items[i].graph_nodes[k] == node)
				return &p->nodes.items[i];
	return NULL;
}

static size_t times_folded(const struct graph *g, const struct picture *p, uint32_t node)
{
	size_t times = 0;
	for (size_t i = 0; i < p->folds.count; i++)
		for (size_t k = 0; k < p->folds.items[i].member_count; k++) {
			const struct graph_node *a = &g->nodes.items[p->folds.items[i].members[k].graph_node], *b = &g->nodes.items[node];
			bool peer = a->kind == NODE_CONNECTION && b->kind == NODE_CONNECTION &&
				    g->connections.items[a->entity].address.port == g->connections.items[b->entity].address.port &&
				    memcmp(g->connections.items[a->entity].address.ip, g->connections.items[b->entity].address.ip, 16) == 0;
			times += peer || (a->kind == b->kind && a->entity == b->entity);
		}
	return times;
}

// Every sliced node is drawn or in exactly one fold; a process with several images may be both.
static void check_nothing_lost(const struct graph *g, const struct trace *t, const struct picture *p)
{
	for (uint32_t n = 0; n < g->nodes.count; n++) {
		if (t->nodes[n].side == TRACE_NONE)
			continue;
		size_t folded = times_folded(g, p, n);
		if (drawn(p, n))
			CHECK(g->nodes.items[n].kind == NODE_PROCESS || folded == 0);
		else
			CHECK(folded >= 1 && (g->nodes.items[n].kind == NODE_PROCESS || folded == 1));
	}
}

// Everything hangs together with an address of the alert.
static void check_connected(const struct picture *p)
{
	bool reached[64] = {false};
	for (size_t i = 0; i < p->nodes.count; i++)
		reached[i] = p->nodes.items[i].alert;
	for (size_t round = 0; round < p->nodes.count; round++)
		for (size_t i = 0; i < p->edges.count; i++) {
			const struct picture_edge *e = &p->edges.items[i];
			reached[e->from] |= reached[e->to];
			reached[e->to] |= reached[e->from];
		}
	for (size_t i = 0; i < p->nodes.count; i++)
		CHECK(reached[i]);
}

static const struct picture_edge *edge(const struct picture *p, const struct picture_node *from, const struct picture_node *to)
{
	for (size_t i = 0; i < p->edges.count; i++)
		if (&p->nodes.items[p->edges.items[i].from] == from && &p->nodes.items[p->edges.items[i].to] == to)
			return &p->edges.items[i];
	return NULL;
}

static bool on_path(const struct picture *p, uint32_t node)
{
	const struct picture_node *n = drawn(p, node);
	return n && n->on_path;
}

static void test_mail_incident(unsigned noise)
{
	struct mail_incident m;
	struct trace t;
	mail_incident_init(&m);
	mail_incident_add_noise(&m, noise);
	incident_finish(&m.i);
	struct picture *p = build(&m.i, &m.contact, 1, &t, 0);
	CHECK(p != NULL);
	if (!p)
		return;
	CHECK(p->nodes.count <= 60);
	check_nothing_lost(&m.i.g, &t, p);
	check_connected(p);
	CHECK(text_is(p->title, "stage2 (started from mutt) contacted 10.0.0.5:443"));

	CHECK(on_path(p, m.mutt) && on_path(p, m.attachment) && on_path(p, m.python) && on_path(p, m.stage2_file) && on_path(p, m.stage2));
	CHECK(!on_path(p, m.bash) && !on_path(p, m.mailbox) && !on_path(p, m.passwd));
	CHECK(drawn(p, m.mutt) && drawn(p, m.mutt)->root_cause);
	CHECK(drawn(p, m.bash) != NULL && drawn(p, m.sshd) != NULL); // the contact's own line
	const uint32_t must_see[] = {m.auth_log, m.cron_job, m.archive, m.tar};
	for (size_t i = 0; i < sizeof(must_see) / sizeof(must_see[0]); i++)
		CHECK(drawn(p, must_see[i]) != NULL);
	const struct picture_edge *ran = edge(p, drawn(p, m.stage2_file), drawn(p, m.stage2));
	CHECK(ran && ran->on_path && ran->op == FLOW_EXECUTE);
	const struct picture_edge *deleted = edge(p, drawn(p, m.stage2), drawn(p, m.stage2_file));
	CHECK(deleted && !deleted->on_path && deleted->op == FLOW_DELETE);
	uint32_t contact_node = m.i.g.connections.items[m.contact].node;
	const struct picture_edge *contact = edge(p, drawn(p, m.stage2), drawn(p, contact_node));
	CHECK(contact && contact->on_path && contact->both_ways && text_is(contact->label, "connected"));
	CHECK(drawn(p, contact_node)->alert && text_is(drawn(p, contact_node)->name, "10.0.0.5"));
	const struct picture_node *attachment = drawn(p, m.attachment);
	CHECK(attachment->state_count == 2 && attachment->states[0].glyph == '+' && attachment->states[1].glyph == 'x');
	CHECK(text_is(drawn(p, m.python)->user, "alice"));
	for (size_t i = 0; i < p->nodes.count; i++) // numbered in order of first time
		CHECK(p->nodes.items[i].id == i + 1 && (i == 0 || p->nodes.items[i - 1].first_ns <= p->nodes.items[i].first_ns));
	picture_free(p);
	trace_release(&t);
	incident_release(&m.i);
}

// Twice the same: ids, labels, folds and story are the same bytes.
static void test_same_bytes(void)
{
	struct buffer out[2] = {{0}, {0}};
	for (int k = 0; k < 2; k++) {
		struct mail_incident m;
		struct trace t;
		struct error err;
		mail_incident_init(&m);
		mail_incident_add_noise(&m, 40);
		incident_finish(&m.i);
		struct picture *p = build(&m.i, &m.contact, 1, &t, 0);
		CHECK(write_text(p, (struct write_text_options){0}, &out[k], &err) == 0);
		picture_free(p);
		trace_release(&t);
		incident_release(&m.i);
	}
	CHECK_STRING(buffer_string(&out[0]), buffer_string(&out[1]));
	buffer_release(&out[0]);
	buffer_release(&out[1]);
}

// The job that contacts runs from another tree than the one that dropped it: the path goes over to the dropper, through both the
// program and the cron job, and ends at the service that was made to run it.
static void test_other_tree(void)
{
	struct incident i;
	struct trace t;
	incident_init(&i);
	uint32_t httpd = incident_process(&i, 500, GRAPH_NONE, "/usr/sbin/lighttpd", "lighttpd -D", AT(0), 33, UINT32_MAX);
	uint32_t sh = incident_process(&i, 510, httpd, "/usr/bin/dash", "sh -c ping", AT(10), 33, UINT32_MAX);
	uint32_t curl = incident_process(&i, 511, sh, "/usr/bin/curl", "curl http://10.0.0.9/x.sh", AT(11), 33, UINT32_MAX);
	uint32_t runner = incident_process(&i, 512, sh, "/usr/bin/dash", "sh", AT(11), 33, UINT32_MAX);
	incident_contact(&i, curl, "10.0.0.9", 80, AT(12));
	incident_edge(&i, curl, runner, FLOW_PIPE, AT(11), AT(20));
	uint32_t dropped = incident_file(&i, "/var/tmp/.cache", 41, 1);
	uint32_t job = incident_file(&i, "/etc/cron.d/php", 42, 2);
	incident_edge(&i, runner, dropped, FLOW_CREATE, AT(14), AT(15));
	incident_edge(&i, runner, job, FLOW_CREATE, AT(16), AT(17));
	uint32_t cron = incident_process(&i, 300, GRAPH_NONE, "/usr/sbin/cron", "cron -f", AT(0), UINT32_MAX, UINT32_MAX);
	incident_edge(&i, job, cron, FLOW_OPEN_READ, AT(58), AT(59));
	uint32_t child = incident_process(&i, 600, cron, "/usr/sbin/cron", "cron -f", AT(60), 0, 7);
	uint32_t shell = incident_process(&i, 601, child, "/usr/bin/dash", "sh -c /var/tmp/.cache", AT(61), 0, 7);
	uint32_t beacon = incident_process(&i, 602, shell, "/var/tmp/.cache", "/var/tmp/.cache", AT(62), 0, 7);
	incident_edge(&i, dropped, beacon, FLOW_EXECUTE, AT(62) + NANOTIME_MILLISECOND, AT(90));
	uint32_t contact = incident_contact(&i, beacon, "10.0.0.5", 443, AT(63));
	incident_finish(&i);
	struct picture *p = build(&i, &contact, 1, &t, 0);
	const uint32_t want[] = {httpd, sh, curl, runner, dropped, job, cron, beacon};
	for (size_t k = 0; p && k < sizeof(want) / sizeof(want[0]); k++)
		CHECK(on_path(p, want[k]));
	CHECK(p && drawn(p, httpd)->root_cause);
	CHECK(p && text_is(p->title, ".cache (traced back to lighttpd) contacted 10.0.0.5:443"));
	if (p)
		check_nothing_lost(&i.g, &t, p);
	picture_free(p);
	trace_release(&t);
	incident_release(&i);
}

// A stage that runs 300 times, each run a contact: one fold of processes, and the picture stays small.
static void test_many_seeds(void)
{
	struct incident i;
	struct trace t;
	uint32_t contacts[300];
	incident_init(&i);
	uint32_t cron = incident_process(&i, 300, GRAPH_NONE, "/usr/sbin/cron", "cron -f", AT(0), UINT32_MAX, UINT32_MAX);
	uint32_t program = incident_file(&i, "/tmp/beacon", 5, 20);
	for (uint32_t k = 0; k < 300; k++) {
		uint32_t run = incident_process(&i, 1000 + k, cron, "/tmp/beacon", "/tmp/beacon", AT(10 + k), 0, 50 + k);
		incident_edge(&i, program, run, FLOW_EXECUTE, AT(10 + k) + NANOTIME_MILLISECOND, AT(11 + k));
		contacts[k] = incident_contact(&i, run, "10.0.0.5", 443, AT(10 + k) + 2 * NANOTIME_MILLISECOND);
	}
	incident_finish(&i);
	struct picture *p = build(&i, contacts, 300, &t, 0);
	CHECK(p && p->nodes.count <= 20);
	if (p) {
		check_nothing_lost(&i.g, &t, p);
		check_connected(p);
	}
	size_t addresses = 0;
	for (size_t k = 0; p && k < p->nodes.count; k++)
		addresses += p->nodes.items[k].kind == PICTURE_ADDRESS;
	CHECK_EQUAL(addresses, 1);
	picture_free(p);
	trace_release(&t);
	incident_release(&i);
}

// A chain of 100,000 processes: no recursion, no more than 60 nodes, quick.
static void test_deep_chain(void)
{
	struct incident i;
	struct trace t;
	incident_init(&i);
	uint32_t at = incident_process(&i, 2, GRAPH_NONE, "/usr/bin/sh", "sh", T0, 1000, 3);
	for (uint32_t k = 0; k < 100000; k++)
		at = incident_process(&i, 3 + k, at, "/usr/bin/sh", "sh x", T0 + k * 4 * NANOTIME_MILLISECOND, 1000, 3);
	uint32_t contact = incident_contact(&i, at, "10.0.0.5", 443, AT(1000));
	incident_finish(&i);
	struct picture *p = build(&i, &contact, 1, &t, 0);
	CHECK(p && p->nodes.count <= 60);
	size_t folded = 0;
	for (size_t k = 0; p && k < p->folds.count; k++)
		folded += p->folds.items[k].member_count;
	CHECK(folded > 99900);
	picture_free(p);
	trace_release(&t);
	incident_release(&i);
}

// Random graphs of every shape: the promises hold.
static uint64_t random_state = 7;

static uint32_t below(uint32_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % n;
}

static void random_incident(struct incident *i, uint32_t *processes, uint32_t process_count, uint32_t files)
{
	char name[64];
	static const char *const folders[] = {"/etc/cron.d", "/tmp", "/var/log", "/home/alice", "/usr/lib"};
	for (uint32_t k = 0; k < process_count; k++)
		processes[k] = incident_process(i, 10 + k, k == 0 ? GRAPH_NONE : processes[below(k)], below(2) ? "/usr/bin/sh" : "/usr/bin/tool",
						"tool a", AT(k), 1000 + below(2), below(3));
	for (uint32_t k = 0; k < files; k++) {
		snprintf(name, sizeof(name), "%s/f%u", folders[below(5)], k);
		uint32_t file = incident_file(i, name, k, 1 + below(19));
		for (uint32_t times = 1 + below(4); times > 0; times--) {
			static const enum flow_op in[] = {FLOW_OPEN_READ, FLOW_EXECUTE, FLOW_INTERPRET}, out[] = {FLOW_CREATE, FLOW_OPEN_WRITE, FLOW_DELETE, FLOW_TRUNCATE, FLOW_RENAME};
			uint64_t start = AT(below(process_count + 20));
			uint32_t process = processes[below(process_count)];
			if (below(2))
				incident_edge(i, file, process, in[below(3)], start, start + below(100) * NANOTIME_SECOND);
			else
				incident_edge(i, process, file, out[below(5)], start, start + below(100) * NANOTIME_SECOND);
		}
	}
}

static void test_random(void)
{
	uint32_t processes[80], contacts[5];
	size_t folds = 0;
	for (int round = 0; round < 150; round++) {
		struct incident i;
		struct trace t;
		incident_init(&i);
		uint32_t process_count = 2 + below(78), count = 1 + below(5);
		random_incident(&i, processes, process_count, below(200));
		for (uint32_t k = 0; k < count; k++)
			contacts[k] = incident_contact(&i, processes[below(process_count)], "10.0.0.5", (uint16_t)(443 + below(2)), AT(50 + k));
		for (uint32_t k = below(6); k > 0; k--)
			incident_contact(&i, processes[below(process_count)], below(2) ? "10.0.0.9" : "10.0.0.53", 80, AT(below(100)));
		incident_finish(&i);
		uint32_t aim = below(3) ? 0 : 5 + below(100);
		struct picture *p = build(&i, contacts, count, &t, aim);
		CHECK(p && p->nodes.count <= 60);
		if (p) {
			check_nothing_lost(&i.g, &t, p);
			check_connected(p);
			folds += p->folds.count;
		}
		picture_free(p);
		trace_release(&t);
		incident_release(&i);
	}
	CHECK(folds > 100);
}

// Other processes that contacted the same further address are told of by a dotted edge, and never walked through.
static void test_same_destination(void)
{
	struct mail_incident m;
	struct trace t;
	mail_incident_init(&m);
	incident_contact(&m.i, m.stage2, "10.0.0.9", 8080, AT(65));
	for (uint32_t k = 0; k < 3; k++) {
		uint32_t other = incident_process(&m.i, 7000 + k, GRAPH_NONE, "/usr/bin/wget", "wget", AT(5), 1005, 60 + k);
		incident_contact(&m.i, other, "10.0.0.9", 8080, AT(6 + k));
	}
	incident_finish(&m.i);
	struct picture *p = build(&m.i, &m.contact, 1, &t, 0);
	size_t dotted = 0;
	for (size_t i = 0; p && i < p->edges.count; i++)
		dotted += p->edges.items[i].correlation;
	CHECK_EQUAL(dotted, 1);
	bool found = false;
	for (size_t i = 0; p && i < p->folds.count; i++)
		found |= p->folds.items[i].member_count == 3 && text_is(p->nodes.items[p->folds.items[i].node].name, "3 processes");
	CHECK(found);
	picture_free(p);
	trace_release(&t);
	incident_release(&m.i);
}

static void test_added_lines(void)
{
	struct mail_incident m;
	struct trace t;
	struct error err;
	mail_incident_init(&m);
	incident_finish(&m.i);
	struct picture *p = build(&m.i, &m.contact, 1, &t, 0);
	CHECK(picture_add_missing(p, true, AT(85), AT(88), "4 events are missing", "", &err) == 0);
	CHECK(drawn(p, m.stage2)->gap_overlap);
	CHECK(picture_add_missing(p, false, T0, AT(1200), "pipe is never audited here", "-S pipe2", &err) == 0);
	CHECK(picture_add_input(p, "audit.log", "00ff", 0, 10, &err) == 0);
	CHECK(p->missing.count == 2 && p->inputs.count == 1);
	picture_free(p);
	trace_release(&t);
	incident_release(&m.i);
}

int main(void)
{
	test_mail_incident(0);
	test_mail_incident(300);
	test_same_bytes();
	test_other_tree();
	test_many_seeds();
	test_deep_chain();
	test_random();
	test_same_destination();
	test_added_lines();
	return unit_end();
}
