// SPDX-License-Identifier: MIT
// Processes: who is who when pids return, forks report late, threads look like children, and parents end.
#include "tests/unit/events.h"

#define CLONE_THREAD_FLAG 0x10000
#define CLONE_PARENT_FLAG 0x8000

static void test_fork_then_exec(void)
{
	struct script s = script_begin();
	events_who(&s, 100, 1, "/bin/sh");
	events_fork(&s, 8, 100, 101);
	events_exec(&s, 12, 101, "/bin/true", 9);
	events_exit(&s, 16, 101);
	script_end(&s);
	CHECK_EQUAL(script_process(&s, 101, 1)->segments.count, 2);
	CHECK(s.g->segments.items[script_process(&s, 101, 1)->segments.items[0]].forked_stub);
	CHECK_STRING(script_exe(&s, 101, 1, 0), "/bin/sh");
	CHECK_STRING(script_exe(&s, 101, 1, 1), "/bin/true");
	const struct flow_edge *fork = script_edge(&s, FLOW_FORK, "100", "101#0"), *exec = script_edge(&s, FLOW_EXEC, "101#0", "101#1");
	CHECK(fork && fork->class == CLASS_OBSERVED && fork->start_ns == 8 * NANOTIME_MILLISECOND && fork->end_ns >= fork->start_ns);
	CHECK(exec && exec->class == CLASS_OBSERVED);
	CHECK(script_edge(&s, FLOW_EXECUTE, "file:9", "101#1"));
	CHECK_EQUAL(s.g->nodes.items[exec->to].end_ns, 16 * NANOTIME_MILLISECOND);
	script_release(&s);
}

// 69 % of vforks: the child has executed, and even forked itself, before the parent's record is written.
static void test_late_vfork(void)
{
	struct script s = script_begin();
	events_who(&s, 100, 1, "/usr/bin/make");
	events_open(&s, 4, 100, "/data/Makefile", 5, O_RDONLY, 3);
	events_who(&s, 101, 100, "/usr/bin/make");
	events_exec(&s, 12, 101, "/usr/bin/gcc", 9);
	events_fork(&s, 16, 101, 102);
	events_exec(&s, 16, 102, "/usr/bin/as", 10);
	events_fork_by(&s, "vfork", 0, 8, 100, 101);
	script_end(&s);
	CHECK(script_process(&s, 101, 2) == NULL);
	CHECK_EQUAL(script_parent(&s, 101, 1), 100);
	CHECK_EQUAL(script_process(&s, 101, 1)->parent_class, CLASS_OBSERVED);
	CHECK_EQUAL(script_process(&s, 101, 1)->birth_ns, 8 * NANOTIME_MILLISECOND);
	CHECK_STRING(script_exe(&s, 101, 1, 0), "/usr/bin/make");
	CHECK_STRING(script_exe(&s, 101, 1, 1), "/usr/bin/gcc");
	CHECK(script_edge(&s, FLOW_EXEC, "101#0", "101#1"));
	CHECK(script_edge(&s, FLOW_FORK, "101#1", "102#0")); // what it did stays where it was
	CHECK(script_edge(&s, FLOW_EXECUTE, "file:9", "101#1"));
	CHECK(script_reaches(&s, "file:5", "102#1"));
	script_release(&s);
}

// A late record attaches to a child that did other things than executing: its first segment is the copy.
static void test_late_clone3_of_a_worker(void)
{
	struct script s = script_begin();
	events_who(&s, 100, 1, "/usr/sbin/daemon");
	events_who(&s, 101, 100, "/usr/sbin/daemon");
	events_open(&s, 12, 101, "/tmp/x", 5, O_RDONLY, 3);
	events_fork_by(&s, "clone3", 0x7fff0000, 8, 100, 101);
	events_open(&s, 16, 101, "/tmp/y", 6, O_RDONLY, 3);
	script_end(&s);
	CHECK_EQUAL(script_process(&s, 101, 1)->segments.count, 1);
	CHECK(s.g->segments.items[script_process(&s, 101, 1)->segments.items[0]].forked_stub);
	CHECK(script_edge(&s, FLOW_OPEN_READ, "file:5", "101#0") && script_edge(&s, FLOW_OPEN_READ, "file:6", "101#0"));
	CHECK_EQUAL(script_edge(&s, FLOW_FORK, "100", "101#0")->start_ns, 8 * NANOTIME_MILLISECOND);
	script_release(&s);
}

static void test_threads_are_no_processes(void)
{
	struct script s = script_begin();
	events_fork_by(&s, "clone", CLONE_THREAD_FLAG | 0xf00, 8, 100, 101);
	events_fork_by(&s, "clone3", 0x7ffd1000, 8, 100, 102); // hides its flags, and never shows as pid=
	events_fork_by(&s, "fork", 0, 12, 100, 103);           // silent, but surely a process
	script_end(&s);
	CHECK(!script_process(&s, 101, 1) && !script_process(&s, 102, 1));
	CHECK(script_edge(&s, FLOW_FORK, "100", "103#0"));
	script_release(&s);
}

// The flags of clone are its second argument on s390.
static void test_thread_on_s390(void)
{
	struct script s = script_begin();
	struct event e = events_call(&s, "clone", OP_FORK, 8, 100);
	e.arch = 0x80000016;
	e.args[0] = 0x3ff0000, e.args[1] = CLONE_THREAD_FLAG;
	e.exit = 101;
	events_add(&s, e);
	script_end(&s);
	CHECK(!script_process(&s, 101, 1));
	script_release(&s);
}

static void test_sibling_by_clone_parent(void)
{
	struct script s = script_begin();
	events_fork(&s, 8, 100, 101);
	events_who(&s, 102, 100, "/bin/prog");
	events_fork_by(&s, "clone", CLONE_PARENT_FLAG, 12, 101, 102);
	events_open(&s, 16, 102, "/tmp/x", 5, O_RDONLY, 3);
	script_end(&s);
	CHECK_EQUAL(script_parent(&s, 102, 1), 100);
	CHECK(script_edge(&s, FLOW_FORK, "101#0", "102#0") && !script_edge(&s, FLOW_FORK, "100", "102"));
	script_release(&s);
}

// Its exit is on record: the next with the number is another one, with or without a fork record.
static void test_pid_returns_after_exit(void)
{
	struct script s = script_begin();
	events_open(&s, 8, 200, "/tmp/x", 5, O_RDONLY, 3);
	events_exit(&s, 12, 200);
	events_who(&s, 200, 50, "/bin/other");
	events_exec(&s, 9000, 200, "/bin/other", 9);
	script_end(&s);
	CHECK_EQUAL(script_parent(&s, 200, 2), 50);
	CHECK(script_edge(&s, FLOW_OPEN_READ, "file:5", "200/1") && !script_edge(&s, FLOW_OPEN_READ, "file:5", "200/2"));
	CHECK(!script_reaches(&s, "200/1", "200/2"));
	script_release(&s);
}

// A thread that was in a call when another one ended the process is written after the exit: no new process.
static void test_straggler_after_exit(void)
{
	struct script s = script_begin();
	events_open(&s, 8, 200, "/tmp/x", 5, O_RDONLY, 3);
	events_exit(&s, 12, 200);
	events_open(&s, 12, 200, "/tmp/y", 6, O_RDONLY, 3);
	script_end(&s);
	CHECK(!script_process(&s, 200, 2));
	CHECK(script_edge(&s, FLOW_OPEN_READ, "file:6", "200/1"));
	script_release(&s);
}

// Killed: no exit on record. A fork that names the number again says so; the old one ended by then.
static void test_pid_returns_after_kill(void)
{
	struct script s = script_begin();
	events_fork(&s, 8, 100, 200);
	events_open(&s, 12, 200, "/tmp/x", 5, O_WRONLY, 3);
	events_fork(&s, 5000, 100, 200);
	events_open(&s, 5004, 200, "/tmp/y", 6, O_RDONLY, 3);
	script_end(&s);
	CHECK(script_process(&s, 200, 2) && !script_process(&s, 200, 3));
	CHECK_EQUAL(script_edge(&s, FLOW_OPEN_WRITE, "200/1", "file:5")->end_ns, 5000 * NANOTIME_MILLISECOND);
	script_release(&s);
}

static void test_ppid_change_is_reparenting(void)
{
	struct script s = script_begin();
	events_fork(&s, 8, 100, 101);
	events_open(&s, 12, 101, "/tmp/x", 5, O_RDONLY, 3);
	events_exit(&s, 16, 100);
	events_who(&s, 101, 1, "/bin/prog");
	events_open(&s, 20, 101, "/tmp/y", 6, O_RDONLY, 3);
	script_end(&s);
	CHECK(!script_process(&s, 101, 2));
	CHECK_EQUAL(script_parent(&s, 101, 1), 100);
	CHECK(!script_edge(&s, FLOW_FORK, "1", "101"));
	script_release(&s);
}

// A daemon: its parent is gone before its first record. The fork still tells.
static void test_orphan_before_first_record(void)
{
	struct script s = script_begin();
	events_fork(&s, 8, 100, 101);
	events_exit(&s, 8, 100);
	events_who(&s, 101, 1, "/bin/prog");
	events_open(&s, 12, 101, "/tmp/x", 5, O_RDONLY, 3);
	script_end(&s);
	CHECK_EQUAL(script_parent(&s, 101, 1), 100);
	CHECK(!script_process(&s, 101, 2));
	script_release(&s);
}

// In a container clone returns 7; 7 here is somebody else, and goes on being him.
static void test_pid_of_another_namespace(void)
{
	struct script s = script_begin();
	events_who(&s, 7, 2, "/bin/host");
	events_open(&s, 4, 7, "/tmp/host", 5, O_RDONLY, 3);
	events_who(&s, 500, 499, "/usr/bin/init");
	events_fork_by(&s, "fork", 0, 8, 500, 7);
	events_open(&s, 12, 7, "/tmp/host2", 6, O_RDONLY, 3);
	events_who(&s, 5007, 500, "/usr/bin/init");
	events_open(&s, 16, 5007, "/tmp/inside", 8, O_RDONLY, 3);
	script_end(&s);
	CHECK(!script_process(&s, 7, 2));
	CHECK_EQUAL(script_parent(&s, 7, 1), 2);
	CHECK_EQUAL(script_parent(&s, 5007, 1), 500);
	const struct flow_edge *e = script_edge(&s, FLOW_FORK, "500", "5007");
	CHECK(e && e->class == CLASS_INFERRED && e->start_ns == 8 * NANOTIME_MILLISECOND); // the fork's time, though not by its number
	CHECK(!script_edge(&s, FLOW_FORK, "500", "7"));
	script_release(&s);
}

// With execve alone: a tree by ppid, inferred; the parent is there though it never spoke.
static void test_few_rules(void)
{
	struct script s = script_begin();
	events_who(&s, 101, 100, "/bin/sh");
	events_exec(&s, 8, 101, "/usr/bin/curl", 9);
	events_who(&s, 102, 101, "/usr/bin/curl");
	events_exec(&s, 12, 102, "/tmp/stage", 10);
	script_end(&s);
	CHECK(script_process(&s, 100, 1)->implied);
	CHECK_EQUAL(script_process(&s, 101, 1)->segments.count, 1);
	CHECK_EQUAL(script_edge(&s, FLOW_FORK, "101", "102")->class, CLASS_INFERRED);
	CHECK(script_reaches(&s, "100", "102"));
	script_release(&s);
}

// A parent that is only named, then shows itself, is one process; its own parent comes with its first record.
static void test_implied_parent_shows_itself(void)
{
	struct script s = script_begin();
	events_who(&s, 101, 100, "/bin/sh");
	events_exec(&s, 8, 101, "/usr/bin/curl", 9);
	events_who(&s, 100, 90, "/bin/sh");
	events_open(&s, 20, 100, "/tmp/x", 5, O_RDONLY, 3);
	script_end(&s);
	CHECK(!script_process(&s, 100, 1)->implied && !script_process(&s, 100, 2));
	CHECK_EQUAL(script_parent(&s, 100, 1), 90);
	CHECK_STRING(script_exe(&s, 100, 1, 0), "/bin/sh");
	script_release(&s);
}

// Pids that name each other as parents, as after a wrap with many records lost: no circle, and no endless walk.
static void test_no_circles(void)
{
	struct script s = script_begin();
	events_who(&s, 10, 20, "/bin/a");
	events_who(&s, 20, 30, "/bin/b");
	events_who(&s, 30, 10, "/bin/c");
	for (uint32_t pid = 10; pid <= 30; pid += 10)
		events_open(&s, 8 + pid, pid, "/tmp/x", 5, O_RDONLY, 3);
	script_end(&s);
	for (uint32_t pid = 10; pid <= 30; pid += 10) {
		uint32_t hops = 0;
		for (const struct process *p = script_process(&s, pid, 1); p->parent != GRAPH_NONE && hops < 10; hops++)
			p = &s.g->processes.items[p->parent];
		CHECK(hops < 10);
	}
	script_release(&s);
}

// execve of another thread, and a failed one: PATH is searched until one works.
static void test_failed_exec_is_nothing(void)
{
	struct script s = script_begin();
	events_fork(&s, 8, 100, 101);
	struct event e = events_call(&s, "execve", OP_EXEC, 12, 101);
	e.success = false, e.exit = -2;
	events_add(&s, e);
	events_exec(&s, 12, 101, "/usr/bin/true", 9);
	script_end(&s);
	CHECK_EQUAL(script_process(&s, 101, 1)->segments.count, 2);
	script_release(&s);
}

// execve is not audited, or its record is lost: another program and another name under one pid.
static void test_unseen_exec(void)
{
	struct script s = script_begin();
	events_fork(&s, 8, 100, 101);
	events_open(&s, 12, 101, "/tmp/secret", 5, O_RDONLY, 3);
	events_who(&s, 101, 100, "/usr/bin/nc");
	events_connect(&s, 16, 101, 3, 5, 0);
	script_end(&s);
	CHECK_EQUAL(script_process(&s, 101, 1)->segments.count, 2);
	CHECK_EQUAL(script_edge(&s, FLOW_EXEC, "101#0", "101#1")->class, CLASS_INFERRED);
	CHECK(script_edge(&s, FLOW_CONNECT, "101#1", "address:5"));
	script_release(&s);
}

// A program that was unlinked or renamed while it runs is the same program; so is one that changes its comm.
static void test_exe_changes_without_exec(void)
{
	struct script s = script_begin();
	events_exec(&s, 8, 101, "/tmp/stage2", 9);
	events_who(&s, 101, 1, "/tmp/stage2 (deleted)");
	events_open(&s, 12, 101, "/tmp/x", 5, O_RDONLY, 3);
	struct event e = events_call(&s, "kill", OP_KILL, 16, 101);
	e.comm = script_id(&s, "[kworker/0:1]");
	events_add(&s, e);
	script_end(&s);
	CHECK_EQUAL(script_process(&s, 101, 1)->segments.count, 1);
	script_release(&s);
}

// Ids stand on every record: a change shows at the next one. A child begins as its parent was.
static void test_privilege(void)
{
	struct script s = script_begin();
	s.who[100].uid = 1000;
	events_open(&s, 4, 100, "/tmp/x", 5, O_RDONLY, 3);
	events_fork(&s, 8, 100, 101);
	s.who[101].uid = 0;
	events_exec(&s, 12, 101, "/usr/bin/sudo", 9);
	events_open(&s, 16, 101, "/etc/shadow", 6, O_RDONLY, 3);
	script_end(&s);
	const struct identity_vector *v = &script_process(&s, 101, 1)->identities;
	CHECK_EQUAL(v->count, 2);
	CHECK_EQUAL(v->items[0].ids.euid, 1000);
	CHECK_EQUAL(v->items[1].ids.euid, 0);
	CHECK_EQUAL(v->items[1].time_ns, 12 * NANOTIME_MILLISECOND);
	CHECK_EQUAL(script_process(&s, 100, 1)->identities.count, 1);
	script_release(&s);
}

// A boot starts pids and inodes anew.
static void test_epochs_are_strangers(void)
{
	struct script s = script_begin();
	events_open(&s, 8, 100, "/tmp/x", 5, O_WRONLY, 3);
	s.epoch = 1;
	events_open(&s, 9000, 100, "/tmp/x", 5, O_RDONLY, 3);
	script_end(&s);
	CHECK_EQUAL(s.g->files.count, 2);
	size_t count = 0;
	for (size_t i = 0; i < s.g->processes.count; i++)
		count += s.g->processes.items[i].pid == 100;
	CHECK_EQUAL(count, 2);
	script_release(&s);
}

// Sessions and services: what is common counts these.
static void test_trees(void)
{
	struct script s = script_begin();
	s.who[100].session = s.who[300].session = 4;
	events_open(&s, 4, 100, "/tmp/x", 5, O_RDONLY, 3);
	events_open(&s, 4, 300, "/tmp/x", 5, O_RDONLY, 3); // same session
	events_open(&s, 4, 200, "/tmp/x", 5, O_RDONLY, 3); // a service ...
	events_fork(&s, 8, 200, 201);
	events_fork(&s, 8, 201, 202);
	events_open(&s, 12, 202, "/tmp/x", 5, O_RDONLY, 3); // ... and below it
	events_open(&s, 12, 400, "/tmp/x", 5, O_WRONLY, 3); // another service writes
	script_end(&s);
	CHECK_EQUAL(script_process(&s, 100, 1)->tree, script_process(&s, 300, 1)->tree);
	CHECK_EQUAL(script_process(&s, 202, 1)->tree, script_process(&s, 200, 1)->tree);
	CHECK(script_process(&s, 200, 1)->tree != script_process(&s, 100, 1)->tree);
	CHECK_EQUAL(script_file(&s, 5, 1)->readers_trees, 2);
	CHECK_EQUAL(script_file(&s, 5, 1)->accessors_trees, 3);
	script_release(&s);
}

// A chain of 60,000 forks: neither a deep recursion nor a walk per link.
static void test_deep_chain(void)
{
	struct script s = script_begin();
	for (uint32_t pid = 10; pid < 60000; pid++)
		events_fork(&s, pid, pid, pid + 1);
	script_end(&s);
	CHECK_EQUAL(script_process(&s, 60000, 1)->tree, script_process(&s, 10, 1)->tree);
	script_release(&s);
}

int main(void)
{
	test_fork_then_exec();
	test_late_vfork();
	test_late_clone3_of_a_worker();
	test_threads_are_no_processes();
	test_thread_on_s390();
	test_sibling_by_clone_parent();
	test_pid_returns_after_exit();
	test_straggler_after_exit();
	test_pid_returns_after_kill();
	test_ppid_change_is_reparenting();
	test_orphan_before_first_record();
	test_pid_of_another_namespace();
	test_few_rules();
	test_implied_parent_shows_itself();
	test_no_circles();
	test_failed_exec_is_nothing();
	test_unseen_exec();
	test_exe_changes_without_exec();
	test_privilege();
	test_epochs_are_strangers();
	test_trees();
	test_deep_chain();
	return unit_end();
}
