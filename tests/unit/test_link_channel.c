// SPDX-License-Identifier: MIT
// Ways between processes that are no files: connections, pipes and their heirs, unix sockets, requests to start, injection, the kernel;
// and who was there before the window.
#include "tests/unit/events.h"

#include <errno.h>
#include <string.h>

#define MS NANOTIME_MILLISECOND

static size_t edges_at(const struct script *s, const char *node)
{
	size_t count = 0;
	for (size_t i = 0; i < s->g->edges.count; i++)
		count += script_is(s, s->g->edges.items[i].from, node) || script_is(s, s->g->edges.items[i].to, node);
	return count;
}

// --- connections

static void test_connections(void)
{
	struct script s = script_begin();
	events_connect(&s, 8, 100, 3, 5, 0);
	events_connect(&s, 12, 100, 4, 5, -EINPROGRESS);
	events_connect(&s, 14, 100, 4, 5, -EISCONN);      // how did it go? the same socket
	events_connect(&s, 16, 100, 5, 6, -ECONNREFUSED); // an attempt
	events_connect(&s, 20, 101, 3, 5, 0);             // another process has another connection to the same address
	script_end(&s);
	CHECK_EQUAL(s.g->connections.count, 4);
	CHECK_EQUAL(s.g->connections.items[1].result, CONNECTION_DONE);
	CHECK_EQUAL(s.g->connections.items[2].result, CONNECTION_REFUSED);
	CHECK_EQUAL(s.g->connections.items[2].error, ECONNREFUSED);
	CHECK(script_edge(&s, FLOW_CONNECT, "100", "address:6")->failed && !script_edge(&s, FLOW_RECEIVE, "address:6", "100"));
	CHECK_EQUAL(script_count(&s, FLOW_CONNECT, "100", "address:5"), 2);
	CHECK(script_edge(&s, FLOW_RECEIVE, "address:5", "100"));
	CHECK(!script_reaches(&s, "100", "101")); // an address is no way through
	script_release(&s);
}

// An accept waits for hours: it counts from its return, not from its stamp.
static void test_accept_counts_from_its_return(void)
{
	struct script s = script_begin();
	struct event e = events_call(&s, "accept4", OP_ACCEPT, 8, 100);
	struct event_address peer = events_address(9, 40000);
	e.latest_ns = 5000 * MS;
	e.args[0] = 3, e.exit = 4;
	e.addresses = &peer, e.address_count = 1;
	events_add(&s, e);
	script_end(&s);
	CHECK_EQUAL(s.g->connections.items[0].direction, CONNECTION_IN);
	CHECK_EQUAL(s.g->connections.items[0].time_ns, 5000 * MS);
	CHECK_EQUAL(script_edge(&s, FLOW_RECEIVE, "address:9", "100")->start_ns, 5000 * MS);
	script_release(&s);
}

// 10,000 datagrams from one socket to one peer are one node; what comes back is of it.
static void test_datagrams(void)
{
	struct script s = script_begin();
	for (uint32_t i = 0; i < 10000; i++)
		events_socket(&s, "sendto", OP_SEND, 8 + i, 100, 3, events_address(53, 53), 10);
	events_socket(&s, "recvfrom", OP_RECEIVE, 9000, 100, 3, events_address(53, 53), 10);
	events_socket(&s, "sendto", OP_SEND, 20000, 100, 4, events_address(53, 53), 10);
	script_end(&s);
	CHECK_EQUAL(s.g->connections.count, 2);
	CHECK(s.g->connections.items[0].datagram);
	CHECK_EQUAL(script_edge(&s, FLOW_CONNECT, "100", "address:53")->count, 10001); // the answer says once more that it is open
	script_release(&s);
}

// connect, dup2, execve /bin/sh: the shell talks over the connection, and so do its children; not theirs.
static void test_reverse_shell(void)
{
	struct script s = script_begin();
	events_connect(&s, 8, 100, 3, 5, 0);
	events_exec(&s, 12, 100, "/bin/sh", 9);
	events_fork(&s, 16, 100, 101);
	events_exec(&s, 20, 101, "/usr/bin/id", 10);
	events_fork(&s, 24, 101, 102);
	events_exec(&s, 28, 102, "/usr/bin/tool", 11);
	script_end(&s);
	const struct flow_edge *shell = script_edge(&s, FLOW_RECEIVE, "address:5", "100#1"), *child = script_edge(&s, FLOW_CONNECT, "101#1", "address:5");
	CHECK(shell && shell->class == CLASS_INFERRED && child && child->class == CLASS_INFERRED);
	CHECK(!script_edge(&s, FLOW_CONNECT, "102", "address:5"));
	CHECK(!script_edge(&s, FLOW_CONNECT, "101#0", "address:5")); // the forked copy only executes
	script_release(&s);
}

// A program that is no shell hands its connection to a shell or a forked copy, not to every tool that it runs.
static void test_connection_of_a_program(void)
{
	struct script s = script_begin();
	events_connect(&s, 8, 100, 3, 5, 0);
	for (uint32_t pid = 101; pid <= 103; pid++)
		events_fork(&s, 12, 100, pid);
	events_exec(&s, 16, 101, "/bin/sh", 9);
	events_exec(&s, 16, 102, "/usr/bin/tar", 10);
	script_end(&s);
	CHECK(script_edge(&s, FLOW_RECEIVE, "address:5", "101#1") && script_edge(&s, FLOW_RECEIVE, "address:5", "103#0"));
	CHECK(!script_edge(&s, FLOW_RECEIVE, "address:5", "102"));
	script_release(&s);
}

static struct event_address loopback(uint16_t port)
{
	return (struct event_address){.kind = ADDRESS_IPV4, .family = 2, .port = port, .ip = {127, 0, 0, 1}};
}

// A web server asks its application over the loopback: bind tells the port.
static void test_local_connection(void)
{
	struct script s = script_begin();
	events_who(&s, 300, 1, "/usr/sbin/php-fpm");
	events_socket(&s, "bind", OP_BIND, 4, 300, 3, loopback(9000), 0);
	events_fork(&s, 6, 300, 301);
	events_connect(&s, 8, 100, 7, 66, 0); // a request from outside, as far as the web server goes
	events_socket(&s, "connect", OP_CONNECT, 12, 100, 8, loopback(9000), 0);
	events_socket(&s, "accept", OP_ACCEPT, 12, 301, 3, loopback(40000), 5); // a worker takes it
	events_socket(&s, "connect", OP_CONNECT, 16, 101, 8, loopback(9999), 0); // nobody here
	script_end(&s);
	CHECK(script_reaches(&s, "100", "301") && script_reaches(&s, "301", "100"));
	CHECK(!script_reaches(&s, "101", "301") && !script_reaches(&s, "101", "300"));
	script_release(&s);
}

// --- pipes

// writer | reader: one heir each; the shell that made the pipe keeps out, and so does what it starts afterwards.
static void test_pipeline(void)
{
	struct script s = script_begin();
	events_who(&s, 100, 1, "/bin/bash");
	events_pipe(&s, 8, 100, 3, 4);
	events_fork(&s, 8, 100, 101);
	events_fork(&s, 8, 100, 102);
	events_exec(&s, 12, 101, "/usr/bin/curl", 9);
	events_exec(&s, 12, 102, "/bin/sh", 10);
	events_exit(&s, 20, 101);
	events_exit(&s, 20, 102);
	events_fork(&s, 24, 100, 103);
	events_exec(&s, 28, 103, "/usr/bin/ls", 11);
	script_end(&s);
	CHECK(script_edge(&s, FLOW_PIPE, "101#1", "pipe:100") && script_edge(&s, FLOW_PIPE, "pipe:100", "102#1"));
	CHECK_EQUAL(script_edge(&s, FLOW_PIPE, "101#1", "pipe:100")->class, CLASS_INFERRED);
	CHECK(script_reaches(&s, "101", "102"));
	CHECK(!script_edge(&s, FLOW_PIPE, "pipe:100", "100") && !script_edge(&s, FLOW_PIPE, "pipe:100", "103"));
	script_release(&s);
}

// $(command): the maker reads; the next child has nothing to do with it.
static void test_command_substitution(void)
{
	struct script s = script_begin();
	events_who(&s, 100, 1, "/bin/bash");
	events_pipe(&s, 8, 100, 3, 4);
	events_fork(&s, 8, 100, 101);
	events_exec(&s, 12, 101, "/usr/bin/curl", 9);
	events_connect(&s, 12, 101, 5, 5, 0);
	events_exit(&s, 20, 101);
	events_fork(&s, 28, 100, 102);
	events_exec(&s, 32, 102, "/usr/bin/tool", 10);
	script_end(&s);
	CHECK(script_edge(&s, FLOW_PIPE, "101#1", "pipe:100") && script_edge(&s, FLOW_PIPE, "pipe:100", "100"));
	CHECK(!script_edge(&s, FLOW_PIPE, "pipe:100", "102"));
	CHECK(script_reaches(&s, "address:5", "102")); // by what the shell read, and then forked
	script_release(&s);
}

// A shell that runs 3,000 children does not give each of them everything that it ever had open.
static void test_inheritance_is_bounded(void)
{
	struct script s = script_begin();
	events_who(&s, 100, 1, "/bin/bash");
	for (int fd = 3; fd < 60; fd++)
		events_open(&s, 4, 100, "/tmp/x", (uint64_t)fd + 100, fd % 2 ? O_WRONLY | O_CREAT : O_RDONLY, fd);
	for (int fd = 60; fd < 100; fd += 2)
		events_pipe(&s, 5, 100, fd, fd + 1);
	for (uint32_t i = 0; i < 3000; i++) {
		events_fork(&s, 8 + i, 100, 1000 + i);
		events_exec(&s, 8 + i, 1000 + i, "/usr/bin/true", 9);
		events_exit(&s, 8 + i, 1000 + i);
	}
	script_end(&s);
	CHECK(s.g->edges.count < 6 * 3000);
	script_release(&s);
}

// (a; b) > file | c: the subshell's children write into what it inherited and opened.
static void test_subshell(void)
{
	struct script s = script_begin();
	events_who(&s, 100, 1, "/bin/bash");
	events_pipe(&s, 8, 100, 3, 4);
	events_fork(&s, 8, 100, 101);
	events_fork(&s, 8, 100, 102);
	events_exec(&s, 12, 102, "/usr/bin/tee", 10);
	events_open(&s, 12, 101, "/tmp/errors", 20, O_WRONLY | O_CREAT, 3);
	events_fork(&s, 16, 101, 103);
	events_exec(&s, 20, 103, "/usr/bin/curl", 9);
	script_end(&s);
	CHECK(script_edge(&s, FLOW_PIPE, "103#1", "pipe:100"));
	CHECK(script_reaches(&s, "103", "102"));
	CHECK_EQUAL(script_edge(&s, FLOW_OPEN_WRITE, "103#1", "file:20")->class, CLASS_INFERRED);
	script_release(&s);
}

// What a daemon's forked copy opened is its own business: sshd's pid file is not written by every command of every session.
static void test_daemon_files_stay(void)
{
	struct script s = script_begin();
	events_who(&s, 100, 1, "/usr/sbin/sshd");
	events_fork(&s, 4, 100, 101);
	events_open(&s, 8, 101, "/run/sshd.pid", 20, O_WRONLY | O_CREAT, 3);
	events_fork(&s, 12, 101, 102);
	events_open(&s, 16, 102, "/etc/login.defs", 21, O_RDONLY, 3);
	events_exec(&s, 20, 102, "/bin/bash", 9);
	script_end(&s);
	CHECK(!script_edge(&s, FLOW_OPEN_WRITE, "102", "file:20") && !script_edge(&s, FLOW_OPEN_READ, "file:21", "102#1"));
	script_release(&s);
}

// --- unix sockets

static void unix_call(struct script *s, const char *call, enum syscall_op op, uint64_t ms, uint32_t pid, const char *path, uint64_t inode)
{
	struct event e = events_call(s, call, op, ms, pid);
	struct event_address a = {.kind = ADDRESS_UNIX, .family = 1, .path = script_id(s, path)};
	struct event_path p = events_path(s, path, inode, op == OP_BIND ? NAMETYPE_CREATE : NAMETYPE_NORMAL);
	p.mode = S_IFSOCK | 0755;
	e.args[0] = 3;
	e.addresses = &a, e.address_count = 1;
	e.paths = &p, e.path_count = inode ? 1 : 0;
	events_add(s, e);
}

static void test_unix_sockets(void)
{
	struct script s = script_begin();
	unix_call(&s, "bind", OP_BIND, 4, 200, "/run/app.sock", 7);
	unix_call(&s, "connect", OP_CONNECT, 8, 100, "/run/app.sock", 7);
	unix_call(&s, "connect", OP_CONNECT, 8, 101, "/run/other.sock", 8); // its server was there before
	unix_call(&s, "connect", OP_CONNECT, 8, 102, "/run/other.sock", 8);
	unix_call(&s, "connect", OP_CONNECT, 8, 103, "/run/gone.sock", 0);
	script_end(&s);
	CHECK_EQUAL(s.g->sockets.count, 2);
	CHECK(script_reaches(&s, "100", "200") && script_reaches(&s, "200", "100"));
	CHECK(script_edge(&s, FLOW_UNIX, "101", "socket:8") && !script_reaches(&s, "101", "102"));
	CHECK_EQUAL(edges_at(&s, "103"), 1); // its fork
	script_release(&s);
}

// "Please start this": the manager's socket was bound before the log began. Uncertain.
static void test_start_requests(void)
{
	struct script s = script_begin();
	events_who(&s, 1, 0, "/usr/lib/systemd/systemd");
	events_open(&s, 4, 1, "/proc/x", 30, O_RDONLY, 3);
	events_who(&s, 50, 1, "/usr/bin/dockerd");
	events_open(&s, 4, 50, "/tmp/x", 31, O_RDONLY, 3);
	unix_call(&s, "connect", OP_CONNECT, 8, 100, "/run/systemd/private", 7);
	unix_call(&s, "connect", OP_CONNECT, 8, 101, "/var/run/docker.sock", 8);
	unix_call(&s, "connect", OP_CONNECT, 8, 102, "/run/nothing", 9);
	events_fork(&s, 12, 1, 60);
	script_end(&s);
	CHECK_EQUAL(script_edge(&s, FLOW_START, "100", "1")->class, CLASS_UNCERTAIN);
	CHECK(script_edge(&s, FLOW_START, "101", "50") && !script_edge(&s, FLOW_START, "102", "1"));
	CHECK(script_reaches(&s, "100", "60"));
	script_release(&s);
}

// --- injection, signals, the kernel

static void reach_call(struct script *s, const char *call, enum syscall_op op, uint64_t ms, uint32_t pid, uint64_t a0, uint32_t target)
{
	struct event e = events_call(s, call, op, ms, pid);
	struct event_target t = {.pid = target};
	e.args[0] = a0;
	e.args[1] = 9;
	e.targets = &t, e.target_count = target ? 1 : 0;
	events_add(s, e);
}

static void test_injection(void)
{
	struct script s = script_begin();
	events_open(&s, 4, 200, "/tmp/x", 30, O_RDONLY, 3);
	reach_call(&s, "ptrace", OP_PTRACE, 8, 100, 16, 200);    // ATTACH
	reach_call(&s, "ptrace", OP_PTRACE, 8, 101, 0, 200);     // TRACEME is its own wish
	reach_call(&s, "ptrace", OP_PTRACE, 8, 102, 1, 200);     // PEEKTEXT
	reach_call(&s, "process_vm_writev", OP_VM_WRITE, 8, 103, 200, 0);
	reach_call(&s, "process_vm_readv", OP_VM_READ, 8, 104, 200, 0);
	events_open(&s, 8, 105, "/proc/200/mem", 40, O_RDWR, 3);
	events_open(&s, 8, 106, "/proc/self/mem", 41, O_RDWR, 3);
	reach_call(&s, "kill", OP_KILL, 12, 107, 200, 200);
	events_connect(&s, 20, 200, 3, 5, 0);
	script_end(&s);
	CHECK_EQUAL(script_edge(&s, FLOW_INJECT, "100", "200")->class, CLASS_OBSERVED);
	CHECK(!script_edge(&s, FLOW_INJECT, "101", "200") && !script_edge(&s, FLOW_INJECT, "102", "200"));
	CHECK(script_edge(&s, FLOW_INJECT, "103", "200") && script_edge(&s, FLOW_INJECT, "200", "104"));
	CHECK_EQUAL(script_edge(&s, FLOW_INJECT, "105", "200")->class, CLASS_INFERRED);
	CHECK(script_edge(&s, FLOW_SIGNAL, "107", "200"));
	CHECK(script_reaches(&s, "100", "address:5") && !script_reaches(&s, "107", "address:5"));
	script_release(&s);
}

static void test_kernel(void)
{
	struct script s = script_begin();
	struct event e = events_call(&s, "finit_module", OP_MODULE, 8, 100);
	e.success = false, e.exit = -ENOEXEC;
	events_add(&s, e);
	e = events_call(&s, "finit_module", OP_MODULE, 12, 101);
	events_add(&s, e);
	e = events_call(&s, "bpf", OP_BPF, 12, 102);
	e.args[0] = 1; // MAP_LOOKUP_ELEM
	events_add(&s, e);
	e = events_call(&s, "unshare", OP_NAMESPACE, 12, 103);
	e.args[0] = 0x400; // CLONE_FILES: no namespace
	events_add(&s, e);
	e = events_call(&s, "unshare", OP_NAMESPACE, 12, 104);
	e.args[0] = 0x20000000; // CLONE_NEWPID
	events_add(&s, e);
	script_end(&s);
	CHECK(script_edge(&s, FLOW_KERNEL, "100", "kernel")->failed && !script_edge(&s, FLOW_KERNEL, "101", "kernel")->failed);
	CHECK_EQUAL(s.g->kernels.items[0].module_loaded_ns, 12 * MS);
	CHECK(!script_edge(&s, FLOW_KERNEL, "102", "kernel") && !script_edge(&s, FLOW_KERNEL, "103", "kernel"));
	CHECK(script_edge(&s, FLOW_KERNEL, "104", "kernel"));
	script_release(&s);
}

// --- before the window

static struct event past_exec(struct script *s, uint64_t ms, uint32_t pid, uint32_t ppid, const char *exe, const struct event_path *path, const uint32_t *argv, size_t argc)
{
	events_who(s, pid, ppid, exe);
	struct event e = events_call(s, "execve", OP_EXEC, ms, pid);
	e.argv = argv, e.argv_count = argc, e.argc = (uint32_t)argc;
	e.present |= EVENT_HAS_ARGV;
	e.paths = path, e.path_count = 1;
	return e;
}

static void test_ancestors(void)
{
	struct script s = script_begin();
	struct event_address address = events_address(5, 0);
	struct ancestor_vector wanted = {0};
	struct error err = {""};
	bool satisfied;
	events_who(&s, 300, 200, "/tmp/stage2");
	events_exec(&s, 5000, 300, "/tmp/stage2", 9);
	events_connect(&s, 5004, 300, 3, 5, 0);
	events_open(&s, 5008, 400, "/data/evil.py", 21, O_WRONLY | O_CREAT, 3); // the same inode number, later: another file
	CHECK(graph_missing_ancestors(s.g, &address, &wanted, &err) == 0);
	CHECK(wanted.count == 1 && wanted.items[0].pid == 200 && wanted.items[0].before_ns == 5000 * MS);

	struct event_path script = events_path(&s, "/data/evil.py", 21, NAMETYPE_NORMAL);
	uint32_t argv[] = {script_id(&s, "python3"), script_id(&s, "evil.py")};
	struct event older = past_exec(&s, 50, 200, 7, "/usr/bin/other", &script, argv, 1);
	struct event exec = past_exec(&s, 100, 200, 90, "/usr/bin/python3", &script, argv, 2);
	struct event plain = events_call(&s, "openat", OP_OPEN, 200, 200);
	CHECK(graph_add_past_event(s.g, &wanted.items[0], &plain, &satisfied, &err) == 0 && !satisfied);
	CHECK(graph_add_past_event(s.g, &wanted.items[0], &exec, &satisfied, &err) == 0 && satisfied);
	CHECK(graph_add_past_event(s.g, &wanted.items[0], &older, &satisfied, &err) == 0 && satisfied); // too old: known already
	wanted.count = 0;
	CHECK(graph_missing_ancestors(s.g, &address, &wanted, &err) == 0);
	CHECK(wanted.count == 1 && wanted.items[0].pid == 90);
	struct event gone = events_call(&s, "exit_group", OP_EXIT, 60, 90); // another process with this number ended before ours
	events_who(&s, 90, 1, "/bin/bash");
	CHECK(graph_add_past_event(s.g, &wanted.items[0], &gone, &satisfied, &err) == 0 && satisfied);
	wanted.count = 0;
	CHECK(graph_missing_ancestors(s.g, &address, &wanted, &err) == 0 && wanted.count == 0);
	script_end(&s);
	const struct process *python = script_process(&s, 200, 1);
	CHECK(!python->implied);
	CHECK_EQUAL(script_parent(&s, 200, 1), 90);
	const struct segment *segment = &s.g->segments.items[python->segments.items[0]];
	CHECK_STRING(intern_string(s.strings, segment->exe), "/usr/bin/python3");
	CHECK_EQUAL(segment->argv_count, 2);
	CHECK_EQUAL(segment->start_ns, 100 * MS);
	CHECK(script_edge(&s, FLOW_EXECUTE, "file:21/1", "200") && script_file(&s, 21, 2)->created_seen); // the later file is the second
	CHECK(script_reaches(&s, "90", "address:5"));
	ancestor_vector_release(&wanted);
	script_release(&s);
}

// Its fork, found in the past, says who its parent was and that nothing older is about it.
static void test_ancestor_by_fork(void)
{
	struct script s = script_begin();
	struct ancestor_vector wanted = {0};
	struct error err = {""};
	bool satisfied;
	events_who(&s, 300, 200, "/tmp/stage2");
	events_exec(&s, 5000, 300, "/tmp/stage2", 9);
	events_connect(&s, 5004, 300, 3, 5, 0);
	CHECK(graph_missing_ancestors(s.g, NULL, &wanted, &err) == 0 && wanted.count == 1);
	events_who(&s, 77, 1, "/usr/sbin/cron");
	struct event fork = events_call(&s, "clone", OP_FORK, 100, 77);
	fork.exit = 200;
	CHECK(graph_add_past_event(s.g, &wanted.items[0], &fork, &satisfied, &err) == 0 && satisfied);
	script_end(&s);
	CHECK_EQUAL(script_parent(&s, 200, 1), 77);
	CHECK(script_process(&s, 200, 1)->birth_seen);
	ancestor_vector_release(&wanted);
	script_release(&s);
}

// --- claims

static void test_claims(void)
{
	struct script s = script_begin();
	events_open(&s, 4, 100, "/tmp/x", 7, O_RDONLY, 3);
	struct event e = {.kind = EVENT_CLAIM, .trust = TRUST_CLAIMED, .type = 1112, .serial = 5, .earliest_ns = 8 * MS, .latest_ns = 8 * MS, .pid = 100,
			  .auid = 1000, .session = 4, .claim_account = script_id(&s, "alice"), .claim_success = true,
			  .present = EVENT_HAS_PID | EVENT_HAS_AUID | EVENT_HAS_SESSION | EVENT_HAS_TEXT};
	events_add(&s, e);
	e.trust = TRUST_KERNEL, e.type = 1006, e.present |= EVENT_HAS_LOGIN;
	events_add(&s, e);
	script_end(&s);
	CHECK_EQUAL(s.g->claims.count, 2);
	CHECK_STRING(intern_string(s.strings, s.g->claims.items[0].account), "alice");
	CHECK_EQUAL(s.g->claims.items[0].uid, EVENT_ID_UNSET); // not in the record: absent is not root
	CHECK_EQUAL(script_process(&s, 100, 1)->session, 4);    // the kernel's word, not the program's
	script_release(&s);
}

int main(void)
{
	test_connections();
	test_accept_counts_from_its_return();
	test_datagrams();
	test_reverse_shell();
	test_connection_of_a_program();
	test_local_connection();
	test_pipeline();
	test_command_substitution();
	test_inheritance_is_bounded();
	test_subshell();
	test_daemon_files_stay();
	test_unix_sockets();
	test_start_requests();
	test_injection();
	test_kernel();
	test_ancestors();
	test_ancestor_by_fork();
	test_claims();
	return unit_end();
}
