// SPDX-License-Identifier: MIT
// Events made by hand, for what recordings cannot be made to show at will.
//
//     struct script s = script_begin();
//     events_fork(&s, 8, 100, 101);                     // at 8 ms process 100 forks 101
//     events_exec(&s, 12, 101, "/bin/true", 9);         // ... which executes inode 9
//     const struct graph *g = script_end(&s);
//     CHECK(script_edge(&s, FLOW_EXECUTE, "file:9", "101#1"));
//     script_release(&s);
//
// A process's ppid, program and ids are remembered from call to call: set them with events_who(). Times are milliseconds, serials go up by
// one per event; events_at_serial() lets the next ones come late.
#ifndef TESTS_UNIT_EVENTS_H
#define TESTS_UNIT_EVENTS_H

#include "base/nanotime.h"
#include "graph/graph.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define EVENTS_DEV 0x100001u /* 01:01, any disk */
#define EVENTS_PIDS 70000

struct who { uint32_t ppid, uid, session; const char *exe; };

struct script {
	struct intern *strings;
	struct graph *g;
	struct who *who; // by pid
	uint64_t serial;
	uint32_t epoch;
	const char *cwd;
};

__attribute__((unused)) static struct script script_begin(void)
{
	struct script s = {.strings = intern_new(), .who = calloc(EVENTS_PIDS, sizeof(struct who)), .serial = 1000, .cwd = "/data"};
	s.g = graph_new(s.strings);
	for (size_t i = 0; i < EVENTS_PIDS; i++)
		s.who[i] = (struct who){.ppid = 1, .session = EVENT_ID_UNSET, .exe = "/bin/prog"};
	return s;
}

__attribute__((unused)) static void script_release(struct script *s)
{
	graph_free(s->g);
	intern_free(s->strings);
	free(s->who);
}

__attribute__((unused)) static uint32_t script_id(const struct script *s, const char *text)
{
	return intern_add_string(s->strings, text);
}

__attribute__((unused)) static const struct graph *script_end(struct script *s)
{
	struct error err = {""};
	CHECK(graph_finish(s->g, &err) == 0);
	return s->g;
}

__attribute__((unused)) static void events_who(struct script *s, uint32_t pid, uint32_t ppid, const char *exe)
{
	s->who[pid].ppid = ppid;
	s->who[pid].exe = exe;
}

// A system call that succeeded, by what is known of the process.
__attribute__((unused)) static struct event events_call(struct script *s, const char *name, enum syscall_op op, uint64_t ms, uint32_t pid)
{
	const struct who *w = &s->who[pid];
	const char *base = strrchr(w->exe, '/');
	return (struct event){
		.kind = EVENT_SYSCALL, .type = 1300, .serial = ++s->serial, .earliest_ns = ms * NANOTIME_MILLISECOND, .latest_ns = ms * NANOTIME_MILLISECOND,
		.epoch = s->epoch, .arch = 0xc000003e, .op = op, .syscall_name = script_id(s, name), .success = true, .pid = pid, .ppid = w->ppid,
		.exe = script_id(s, w->exe), .comm = script_id(s, base ? base + 1 : w->exe), .cwd = script_id(s, s->cwd), .auid = EVENT_ID_UNSET,
		.session = w->session, .ids = {.uid = w->uid, .euid = w->uid, .suid = w->uid, .fsuid = w->uid}, .args = {(uint64_t)AT_FDCWD},
		.present = EVENT_HAS_ARCH | EVENT_HAS_SYSCALL | EVENT_HAS_SUCCESS | EVENT_HAS_EXIT | EVENT_HAS_ARGS | EVENT_HAS_PID | EVENT_HAS_PPID |
			   EVENT_HAS_IDS | EVENT_HAS_AUID | EVENT_HAS_SESSION | EVENT_HAS_COMM | EVENT_HAS_EXE | EVENT_HAS_CWD,
	};
}

__attribute__((unused)) static void events_add(struct script *s, struct event e)
{
	struct error err = {""};
	CHECK(graph_add_event(s->g, &e, &err) == 0);
}

__attribute__((unused)) static struct event_path events_path(struct script *s, const char *name, uint64_t inode, enum path_nametype nametype)
{
	return (struct event_path){.name = script_id(s, name), .inode = inode, .dev = EVENTS_DEV, .mode = S_IFREG | 0644, .nametype = nametype,
				   .has_inode = inode != 0, .has_name = true};
}

// --- the usual calls

__attribute__((unused)) static void events_fork_by(struct script *s, const char *call, uint64_t flags, uint64_t ms, uint32_t pid, uint32_t child)
{
	struct event e = events_call(s, call, OP_FORK, ms, pid);
	e.exit = child;
	e.args[0] = flags;
	events_add(s, e);
}

__attribute__((unused)) static void events_fork(struct script *s, uint64_t ms, uint32_t pid, uint32_t child)
{
	s->who[child] = s->who[pid];
	s->who[child].ppid = pid;
	events_fork_by(s, "fork", 0, ms, pid, child);
}

__attribute__((unused)) static void events_exec(struct script *s, uint64_t ms, uint32_t pid, const char *exe, uint64_t inode)
{
	s->who[pid].exe = exe;
	struct event e = events_call(s, "execve", OP_EXEC, ms, pid);
	struct event_path path = events_path(s, exe, inode, NAMETYPE_NORMAL);
	uint32_t argv = script_id(s, exe);
	e.argv = &argv;
	e.argv_count = e.argc = 1;
	e.present |= EVENT_HAS_ARGV;
	e.paths = &path;
	e.path_count = 1;
	events_add(s, e);
}

__attribute__((unused)) static void events_exit(struct script *s, uint64_t ms, uint32_t pid)
{
	struct event e = events_call(s, "exit_group", OP_EXIT, ms, pid);
	e.present &= ~(uint32_t)(EVENT_HAS_EXIT | EVENT_HAS_SUCCESS);
	e.success = false;
	events_add(s, e);
}

__attribute__((unused)) static void events_open(struct script *s, uint64_t ms, uint32_t pid, const char *name, uint64_t inode, uint64_t flags, int fd)
{
	struct event e = events_call(s, "openat", OP_OPEN, ms, pid);
	struct event_path path = events_path(s, name, inode, flags & O_CREAT ? NAMETYPE_CREATE : NAMETYPE_NORMAL);
	e.args[2] = flags;
	e.exit = fd;
	e.paths = &path;
	e.path_count = 1;
	events_add(s, e);
}

__attribute__((unused)) static void events_delete(struct script *s, uint64_t ms, uint32_t pid, const char *name, uint64_t inode)
{
	struct event e = events_call(s, "unlink", OP_UNLINK, ms, pid);
	struct event_path path = events_path(s, name, inode, NAMETYPE_DELETE);
	e.paths = &path;
	e.path_count = 1;
	events_add(s, e);
}

__attribute__((unused)) static void events_paths(struct script *s, const char *call, enum syscall_op op, uint64_t ms, uint32_t pid,
						 const struct event_path *paths, size_t count)
{
	struct event e = events_call(s, call, op, ms, pid);
	e.paths = paths;
	e.path_count = count;
	events_add(s, e);
}

__attribute__((unused)) static struct event_address events_address(uint8_t last, uint16_t port)
{
	return (struct event_address){.kind = ADDRESS_IPV4, .family = 2, .port = port, .ip = {10, 0, 0, last}};
}

__attribute__((unused)) static void events_socket(struct script *s, const char *call, enum syscall_op op, uint64_t ms, uint32_t pid, int fd,
						  struct event_address address, int64_t result)
{
	struct event e = events_call(s, call, op, ms, pid);
	e.args[0] = (uint64_t)fd;
	e.exit = result;
	e.success = result >= 0;
	e.addresses = &address;
	e.address_count = 1;
	events_add(s, e);
}

__attribute__((unused)) static void events_connect(struct script *s, uint64_t ms, uint32_t pid, int fd, uint8_t last, int64_t result)
{
	events_socket(s, "connect", OP_CONNECT, ms, pid, fd, events_address(last, 443), result);
}

__attribute__((unused)) static void events_pipe(struct script *s, uint64_t ms, uint32_t pid, int in, int out)
{
	struct event e = events_call(s, "pipe2", OP_PIPE, ms, pid);
	e.fds[0] = in;
	e.fds[1] = out;
	e.args[1] = 0;
	e.present |= EVENT_HAS_FD_PAIR;
	events_add(s, e);
}

// --- what came out. Nodes are written "101" (any segment), "101#1", "101/2" (2nd instance), "101/2#0", "file:9", "file:9/2",
// "file:9/2#1" (version), "address:5" (last byte), "pipe:101" (maker), "socket:9", "kernel".

__attribute__((unused)) static bool script_is(const struct script *s, uint32_t node, const char *word)
{
	const struct graph *g = s->g;
	const struct graph_node *n = &g->nodes.items[node];
	const char *part = strchr(word, '#'), *instance = strchr(word, '/'), *colon = strchr(word, ':');
	unsigned long number = strtoul(colon ? colon + 1 : word, NULL, 10), which = instance ? strtoul(instance + 1, NULL, 10) : 0;
	if (part && n->part != strtoul(part + 1, NULL, 10))
		return false;
	switch ((enum node_kind)n->kind) {
	case NODE_PROCESS:
		return !colon && word[0] != 'k' && g->processes.items[n->entity].pid == number && (!which || g->processes.items[n->entity].instance == which);
	case NODE_FILE:
		return strncmp(word, "file:", 5) == 0 && g->files.items[n->entity].inode == number && (!which || g->files.items[n->entity].generation == which);
	case NODE_CONNECTION:
		return strncmp(word, "address:", 8) == 0 && g->connections.items[n->entity].address.ip[3] == number;
	case NODE_PIPE:
		return strncmp(word, "pipe:", 5) == 0 && g->processes.items[g->pipes.items[n->entity].process].pid == number;
	case NODE_UNIX_SOCKET:
		return strncmp(word, "socket:", 7) == 0 && g->sockets.items[n->entity].inode == number;
	case NODE_KERNEL:
		return strcmp(word, "kernel") == 0;
	}
	return false;
}

// The first edge of that kind, NULL: none.
__attribute__((unused)) static const struct flow_edge *script_edge(const struct script *s, enum flow_op op, const char *from, const char *to)
{
	for (size_t i = 0; i < s->g->edges.count; i++) {
		const struct flow_edge *e = &s->g->edges.items[i];
		if (e->op == op && script_is(s, e->from, from) && script_is(s, e->to, to))
			return e;
	}
	return NULL;
}

__attribute__((unused)) static size_t script_count(const struct script *s, enum flow_op op, const char *from, const char *to)
{
	size_t count = 0;
	for (size_t i = 0; i < s->g->edges.count; i++) {
		const struct flow_edge *e = &s->g->edges.items[i];
		count += e->op == op && script_is(s, e->from, from) && script_is(s, e->to, to);
	}
	return count;
}

__attribute__((unused)) static const struct process *script_process(const struct script *s, uint32_t pid, uint32_t instance)
{
	for (size_t i = 0; i < s->g->processes.count; i++)
		if (s->g->processes.items[i].pid == pid && s->g->processes.items[i].instance == instance)
			return &s->g->processes.items[i];
	return NULL;
}

__attribute__((unused)) static uint32_t script_parent(const struct script *s, uint32_t pid, uint32_t instance)
{
	const struct process *p = script_process(s, pid, instance);
	return p && p->parent != GRAPH_NONE ? s->g->processes.items[p->parent].pid : 0;
}

__attribute__((unused)) static const struct file *script_file(const struct script *s, uint64_t inode, uint32_t generation)
{
	for (size_t i = 0; i < s->g->files.count; i++)
		if (s->g->files.items[i].inode == inode && s->g->files.items[i].generation == generation)
			return &s->g->files.items[i];
	return NULL;
}

__attribute__((unused)) static const char *script_exe(const struct script *s, uint32_t pid, uint32_t instance, size_t segment)
{
	const struct process *p = script_process(s, pid, instance);
	return p && segment < p->segments.count ? intern_string(s->strings, s->g->segments.items[p->segments.items[segment]].exe) : "(none)";
}

// Can information go from one node to the other at all? Time-respecting, over every edge that carries: the plainest search there is.
__attribute__((unused)) static bool script_reaches(const struct script *s, const char *from, const char *to)
{
	const struct graph *g = s->g;
	uint64_t *earliest = malloc((g->nodes.count + 1) * sizeof(*earliest));
	bool changed = true, reached = false;
	for (uint32_t n = 0; n < g->nodes.count; n++)
		earliest[n] = script_is(s, n, from) ? g->nodes.items[n].start_ns : NANOTIME_NONE;
	while (changed) {
		changed = false;
		for (size_t i = 0; i < g->edges.count; i++) {
			const struct flow_edge *e = &g->edges.items[i];
			const struct file *f = graph_file_of(g, e->from);
			if (e->failed || flow_is_effect_only(e->op) || (f && f->sink) || earliest[e->from] == NANOTIME_NONE || earliest[e->from] > e->end_ns)
				continue;
			uint64_t at = e->start_ns > earliest[e->from] ? e->start_ns : earliest[e->from];
			if (at < earliest[e->to]) {
				earliest[e->to] = at;
				changed = true;
			}
		}
	}
	for (uint32_t n = 0; n < g->nodes.count; n++)
		reached |= script_is(s, n, to) && earliest[n] != NANOTIME_NONE;
	free(earliest);
	return reached;
}

#endif
