// SPDX-License-Identifier: MIT
// Linking, on events made by hand: the orders and absences that recordings (tests/syscalls) cannot be made to show at will.
#include "base/nanotime.h"
#include "graph/graph.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <sys/stat.h>

#define MS NANOTIME_MILLISECOND

static struct intern *strings;
static uint64_t next_serial;

static uint32_t id(const char *text)
{
	return intern_add_string(strings, text);
}

static struct event call(const char *name, enum syscall_op op, uint64_t ms, uint32_t pid, uint32_t ppid, const char *exe)
{
	return (struct event){
		.kind = EVENT_SYSCALL, .type = 1300, .serial = ++next_serial, .earliest_ns = ms * MS, .latest_ns = ms * MS, .op = op,
		.syscall_name = id(name), .success = true, .pid = pid, .ppid = ppid, .exe = id(exe), .comm = id(exe),
		.auid = EVENT_ID_UNSET, .session = EVENT_ID_UNSET, .args = {(uint64_t)-100},
		.present = EVENT_HAS_SYSCALL | EVENT_HAS_SUCCESS | EVENT_HAS_EXIT | EVENT_HAS_ARGS | EVENT_HAS_PID | EVENT_HAS_PPID |
			   EVENT_HAS_EXE | EVENT_HAS_COMM | EVENT_HAS_IDS,
	};
}

static void add(struct graph *g, struct event e)
{
	struct error err = {""};
	CHECK(graph_add_event(g, &e, &err) == 0);
}

static void forks(struct graph *g, uint64_t ms, uint32_t pid, uint32_t ppid, uint32_t child, const char *exe)
{
	struct event e = call("vfork", OP_FORK, ms, pid, ppid, exe);
	e.exit = child;
	add(g, e);
}

static void runs(struct graph *g, uint64_t ms, uint32_t pid, uint32_t ppid, const char *exe, uint64_t inode)
{
	struct event e = call("execve", OP_EXEC, ms, pid, ppid, exe);
	uint32_t argv = id(exe);
	struct event_path path = {.name = id(exe), .inode = inode, .dev = 0x100001, .mode = S_IFREG | 0755, .nametype = NAMETYPE_NORMAL,
				  .has_inode = true, .has_name = true};
	e.argv = &argv, e.argv_count = e.argc = 1, e.present |= EVENT_HAS_ARGV;
	e.paths = &path, e.path_count = 1;
	add(g, e);
}

static void opens(struct graph *g, uint64_t ms, uint32_t pid, uint32_t ppid, const char *exe, const char *name, uint64_t inode,
		  uint64_t flags, enum path_nametype nametype)
{
	struct event e = call("openat", OP_OPEN, ms, pid, ppid, exe);
	struct event_path path = {.name = id(name), .inode = inode, .dev = 0x100001, .mode = S_IFREG | 0644, .nametype = nametype,
				  .has_inode = true, .has_name = true};
	e.args[2] = flags, e.exit = 3;
	e.paths = &path, e.path_count = 1;
	add(g, e);
}

static void connects(struct graph *g, uint64_t ms, uint32_t pid, uint32_t ppid, const char *exe, bool success, int64_t result)
{
	struct event e = call("connect", OP_CONNECT, ms, pid, ppid, exe);
	struct event_address a = {.kind = ADDRESS_IPV4, .family = 2, .port = 443, .ip = {10, 0, 0, 5}};
	e.args[0] = 3, e.success = success, e.exit = result;
	e.addresses = &a, e.address_count = 1;
	add(g, e);
}

static struct graph *finished(struct graph *g)
{
	struct error err = {""};
	CHECK(graph_finish(g, &err) == 0);
	return g;
}

static const struct process *process(const struct graph *g, uint32_t pid, uint32_t instance)
{
	for (size_t i = 0; i < g->processes.count; i++)
		if (g->processes.items[i].pid == pid && g->processes.items[i].instance == instance)
			return &g->processes.items[i];
	return NULL;
}

static size_t count_edges(const struct graph *g, enum flow_op op, enum flow_class class_)
{
	size_t count = 0;
	for (size_t i = 0; i < g->edges.count; i++)
		count += g->edges.items[i].op == op && g->edges.items[i].class == class_;
	return count;
}

static bool reads_what_was_written(const struct graph *g, uint32_t writer, uint32_t reader)
{
	for (size_t i = 0; i < g->edges.count; i++)
		for (size_t k = 0; k < g->edges.count; k++) {
			const struct flow_edge *w = &g->edges.items[i], *r = &g->edges.items[k];
			if (w->op == FLOW_OPEN_WRITE && r->op == FLOW_OPEN_READ && w->to == r->from && w->start_ns <= r->end_ns &&
			    g->processes.items[g->nodes.items[w->from].entity].pid == writer &&
			    g->processes.items[g->nodes.items[r->to].entity].pid == reader)
				return true;
		}
	return false;
}

// The parent's vfork is written after the child has executed: it attaches, and the child keeps what it did.
static void test_late_fork_attaches(void)
{
	struct graph *g = graph_new(strings);
	opens(g, 8, 100, 1, "/bin/sh", "/tmp/x", 7, 0, NAMETYPE_NORMAL);
	runs(g, 16, 101, 100, "/bin/true", 9);
	forks(g, 12, 100, 1, 101, "/bin/sh");
	finished(g);
	const struct process *child = process(g, 101, 1);
	CHECK(child && child->birth_seen && child->parent_class == CLASS_OBSERVED && g->processes.items[child->parent].pid == 100);
	CHECK(process(g, 101, 2) == NULL);
	CHECK_EQUAL(child ? child->segments.count : 0, 2);
	CHECK_EQUAL(child ? child->birth_ns : 0, 12 * MS);
	CHECK_STRING(child ? intern_string(strings, g->segments.items[child->segments.items[0]].exe) : "", "/bin/sh");
	CHECK_EQUAL(count_edges(g, FLOW_FORK, CLASS_OBSERVED), 1);
	graph_free(g);
}

// The fork comes after several of the child's records, whose ppid is already init's.
static void test_orphan_keeps_its_parent(void)
{
	struct graph *g = graph_new(strings);
	forks(g, 12, 100, 1, 101, "/bin/sh");
	opens(g, 12, 101, 1, "/bin/sh", "/tmp/x", 7, 0, NAMETYPE_NORMAL);
	opens(g, 16, 101, 1, "/bin/sh", "/tmp/y", 8, 0, NAMETYPE_NORMAL);
	finished(g);
	const struct process *child = process(g, 101, 1);
	CHECK(child && g->processes.items[child->parent].pid == 100);
	CHECK(process(g, 101, 2) == NULL);
	graph_free(g);
}

// A pid returns: after its exit, and when a fork names it that began after the old one was seen.
static void test_pid_reuse(void)
{
	struct graph *g = graph_new(strings);
	opens(g, 8, 200, 1, "/bin/old", "/tmp/x", 7, 0, NAMETYPE_NORMAL);
	add(g, call("exit_group", OP_EXIT, 20, 200, 1, "/bin/old"));
	forks(g, 24, 100, 1, 200, "/bin/sh");
	opens(g, 28, 200, 100, "/bin/sh", "/tmp/x", 7, 0, NAMETYPE_NORMAL);
	forks(g, 40, 100, 1, 200, "/bin/sh"); // nobody saw the second one end
	opens(g, 44, 200, 100, "/bin/sh", "/tmp/x", 7, 0, NAMETYPE_NORMAL);
	finished(g);
	CHECK(process(g, 200, 3) != NULL && process(g, 200, 4) == NULL);
	CHECK_EQUAL(process(g, 200, 1)->exit_ns, 20 * MS);
	graph_free(g);
}

// A change of ppid is an adoption, not another process.
static void test_new_ppid_is_no_new_process(void)
{
	struct graph *g = graph_new(strings);
	opens(g, 8, 200, 100, "/bin/a", "/tmp/x", 7, 0, NAMETYPE_NORMAL);
	opens(g, 12, 200, 1, "/bin/a", "/tmp/x", 7, 0, NAMETYPE_NORMAL);
	finished(g);
	CHECK(process(g, 200, 2) == NULL && g->processes.items[process(g, 200, 1)->parent].pid == 100);
	graph_free(g);
}

// exit= of a clone in a container is a pid of that namespace: it must not name a stranger.
static void test_namespace_pid_names_nobody(void)
{
	struct graph *g = graph_new(strings);
	forks(g, 8, 100, 1, 7, "/bin/runc");
	opens(g, 12, 7, 2, "[kworker]", "/tmp/x", 7, 0, NAMETYPE_NORMAL);
	opens(g, 16, 5007, 100, "/bin/runc", "/tmp/x", 7, 0, NAMETYPE_NORMAL);
	finished(g);
	CHECK(g->processes.items[process(g, 7, 1)->parent].pid == 2);
	CHECK(g->processes.items[process(g, 5007, 1)->parent].pid == 100);
	CHECK_EQUAL(process(g, 5007, 1)->parent_class, CLASS_INFERRED);
	graph_free(g);
}

// One inode number, two files: what the first held reaches no reader of the second.
static void test_generations(void)
{
	struct graph *g = graph_new(strings);
	opens(g, 8, 100, 1, "/bin/a", "/tmp/one", 7, 0101, NAMETYPE_CREATE);
	opens(g, 20, 101, 1, "/bin/b", "/tmp/two", 7, 0101, NAMETYPE_CREATE);
	opens(g, 24, 102, 1, "/bin/c", "/tmp/two", 7, 0, NAMETYPE_NORMAL);
	finished(g);
	CHECK_EQUAL(g->files.count, 2);
	CHECK_EQUAL(g->files.items[1].generation, 2);
	CHECK(reads_what_was_written(g, 101, 102));
	CHECK(!reads_what_was_written(g, 100, 102));
	graph_free(g);
}

// Truncation cuts: the old writer has ended, so its content is gone. Without O_TRUNC it is still there.
static void test_truncation_cuts(void)
{
	for (int truncates = 0; truncates < 2; truncates++) {
		struct graph *g = graph_new(strings);
		opens(g, 8, 100, 1, "/bin/a", "/tmp/f", 7, 01, NAMETYPE_NORMAL);
		add(g, call("exit_group", OP_EXIT, 12, 100, 1, "/bin/a"));
		opens(g, 20, 101, 1, "/bin/b", "/tmp/f", 7, truncates ? 01001 : 01, NAMETYPE_NORMAL);
		opens(g, 24, 102, 1, "/bin/c", "/tmp/f", 7, 0, NAMETYPE_NORMAL);
		finished(g);
		CHECK_EQUAL(reads_what_was_written(g, 100, 102), !truncates);
		CHECK(reads_what_was_written(g, 101, 102));
		CHECK_EQUAL(g->files.items[0].versions.count, 1 + truncates);
		graph_free(g);
	}
}

// 10,000 opens of one file by one process are one edge that tells how many.
static void test_parallel_opens_join(void)
{
	struct graph *g = graph_new(strings);
	for (uint64_t i = 0; i < 10000; i++)
		opens(g, 8 + i, 100, 1, "/bin/a", "/tmp/f", 7, 0, NAMETYPE_NORMAL);
	finished(g);
	CHECK_EQUAL(g->edges.count, 2); // and the fork that ppid tells of
	const struct flow_edge *e = &g->edges.items[g->edges.items[0].op == FLOW_FORK];
	CHECK_EQUAL(e->count, 10000);
	CHECK_EQUAL(e->start_ns, 8 * MS);
	CHECK_EQUAL(e->last_ns, 10007 * MS);
	CHECK_EQUAL(e->evidence_count, 20);
	graph_free(g);
}

static void test_connection_results(void)
{
	struct graph *g = graph_new(strings);
	connects(g, 8, 100, 1, "/bin/a", true, 0);
	connects(g, 12, 100, 1, "/bin/a", false, -115); // EINPROGRESS: a real one
	connects(g, 16, 100, 1, "/bin/a", false, -111); // ECONNREFUSED: an attempt
	finished(g);
	CHECK_EQUAL(g->connections.count, 3);
	CHECK_EQUAL(g->connections.items[1].result, CONNECTION_IN_PROGRESS);
	CHECK_EQUAL(g->connections.items[2].result, CONNECTION_REFUSED);
	CHECK_EQUAL(count_edges(g, FLOW_CONNECT, CLASS_OBSERVED), 3);
	CHECK_EQUAL(count_edges(g, FLOW_RECEIVE, CLASS_OBSERVED), 2);
	graph_free(g);
}

// curl X | sh under rules that record execve only: siblings under one shell, born together.
static void test_pipes_nobody_audited(void)
{
	struct graph *g = graph_new(strings);
	opens(g, 4, 100, 1, "/bin/bash", "/tmp/f", 7, 0, NAMETYPE_NORMAL);
	runs(g, 8, 101, 100, "/usr/bin/curl", 9);
	runs(g, 8, 102, 100, "/bin/sh", 10);
	runs(g, 9000, 103, 100, "/bin/ls", 11); // much later: no pipe
	finished(g);
	CHECK_EQUAL(count_edges(g, FLOW_PIPE, CLASS_UNCERTAIN), 1);
	graph_free(g);
}

// A parent known by ppid only is asked for, and an older exec says who it was; its own parent is asked for next.
static void test_ancestors_before_the_window(void)
{
	struct graph *g = graph_new(strings);
	struct error err = {""};
	struct ancestor_vector wanted = {0};
	struct event_address address = {.kind = ADDRESS_IPV4, .ip = {10, 0, 0, 5}};
	bool satisfied;
	runs(g, 5000, 300, 200, "/tmp/stage2", 9);
	connects(g, 5004, 300, 200, "/tmp/stage2", true, 0);
	CHECK(graph_missing_ancestors(g, &address, &wanted, &err) == 0);
	CHECK(wanted.count == 1 && wanted.items[0].pid == 200);

	struct event exec = call("execve", OP_EXEC, 100, 200, 90, "/usr/bin/python3");
	uint32_t argv[] = {id("python3"), id("evil.py")};
	exec.argv = argv, exec.argv_count = exec.argc = 2, exec.present |= EVENT_HAS_ARGV;
	CHECK(graph_add_past_event(g, &wanted.items[0], &exec, &satisfied, &err) == 0);
	CHECK(satisfied);
	wanted.count = 0;
	CHECK(graph_missing_ancestors(g, &address, &wanted, &err) == 0);
	CHECK(wanted.count == 1 && wanted.items[0].pid == 90);
	wanted.count = 0;
	CHECK(graph_missing_ancestors(g, &address, &wanted, &err) == 0);
	CHECK_EQUAL(wanted.count, 0); // never asked twice
	finished(g);
	const struct process *python = process(g, 200, 1);
	const struct segment *s = &g->segments.items[python->segments.items[0]];
	CHECK(!python->implied && s->argv_count == 2);
	CHECK_STRING(intern_string(strings, g->arguments.items[s->argv + 1]), "evil.py");
	CHECK_EQUAL(g->processes.items[python->parent].pid, 90);
	ancestor_vector_release(&wanted);
	graph_free(g);
}

// A stage that runs 3,000 times keeps its rank: trees count, not processes.
static void test_repetition_changes_no_rank(void)
{
	uint32_t rank[2];
	for (int often = 0; often < 2; often++) {
		struct graph *g = graph_new(strings);
		struct u32_vector contacts = {0};
		struct event_address address = {.kind = ADDRESS_IPV4, .ip = {10, 0, 0, 5}};
		struct trace t;
		struct error err = {""};
		for (uint32_t tree = 0; tree < 40; tree++) // an ordinary host: everybody reads what everybody reads
			for (uint64_t file = 1; file <= 10; file++)
				opens(g, 4, 500 + tree, 1, "/bin/data", "/lib/x", file, 0, NAMETYPE_NORMAL);
		opens(g, 8, 100, 1, "/usr/bin/mutt", "/tmp/stage2", 77, 0101, NAMETYPE_CREATE);
		for (uint32_t run = 0; run < (often ? 3000 : 1); run++)
			runs(g, 20 + run, 10000 + run, 101, "/tmp/stage2", 77);
		uint32_t last = 10000 + (often ? 2999 : 0);
		for (uint64_t file = 1; file <= 10; file++)
			opens(g, 4000, last, 101, "/tmp/stage2", "/lib/x", file, 0, NAMETYPE_NORMAL);
		connects(g, 4004, last, 101, "/tmp/stage2", true, 0);
		finished(g);
		CHECK(contacts_find(g, &address, 443, &contacts, &err) == 0 && contacts.count == 1);
		CHECK(trace_run(g, contacts.items, contacts.count, contacts.items[0], (struct trace_options){0}, &t, &err) == 0);
		rank[often] = 0;
		for (uint32_t n = 0; n < g->nodes.count; n++)
			if (graph_file_of(g, n) && graph_file_of(g, n)->inode == 77)
				rank[often] = t.nodes[n].rank;
		CHECK(rank[often] > 0 && rank[often] <= 6);
		trace_release(&t);
		u32_vector_release(&contacts);
		graph_free(g);
	}
	CHECK_EQUAL(rank[1], rank[0]);
}

int main(void)
{
	strings = intern_new();
	test_late_fork_attaches();
	test_orphan_keeps_its_parent();
	test_pid_reuse();
	test_new_ppid_is_no_new_process();
	test_namespace_pid_names_nobody();
	test_generations();
	test_truncation_cuts();
	test_parallel_opens_join();
	test_connection_results();
	test_pipes_nobody_audited();
	test_ancestors_before_the_window();
	test_repetition_changes_no_rank();
	intern_free(strings);
	return unit_end();
}
