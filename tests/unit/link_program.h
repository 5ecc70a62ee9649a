// SPDX-License-Identifier: MIT
// Any bytes as a little log: eight bytes are one event on a few pids, inodes and descriptors, so that they collide all the time. What must
// hold of every graph is checked, whatever the events were: link_program_check() aborts where it does not.
#ifndef TESTS_UNIT_LINK_PROGRAM_H
#define TESTS_UNIT_LINK_PROGRAM_H

#include "base/nanotime.h"
#include "graph/graph.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINK_PROGRAM_EVENT_BYTES 8
#define LINK_PROGRAM_REQUIRE(condition) do { if (!(condition)) abort(); } while (0)

struct link_call { enum syscall_op op; const char *name; };

static const struct link_call link_calls[] = {
	{OP_EXEC, "execve"}, {OP_EXEC, "execveat"}, {OP_FORK, "fork"}, {OP_FORK, "clone"}, {OP_FORK, "clone3"}, {OP_FORK, "vfork"}, {OP_EXIT, "exit_group"},
	{OP_OPEN, "openat"}, {OP_OPEN, "open"}, {OP_OPEN, "openat2"}, {OP_OPEN, "creat"}, {OP_OPEN, "openat"}, {OP_OPEN, "openat"}, {OP_READ, "read"},
	{OP_WRITE, "write"}, {OP_COPY, "sendfile"}, {OP_COPY, "splice"}, {OP_TRUNCATE, "truncate"}, {OP_TRUNCATE, "ftruncate"}, {OP_RENAME, "renameat2"},
	{OP_LINK, "linkat"}, {OP_SYMLINK, "symlinkat"}, {OP_UNLINK, "unlinkat"}, {OP_MKDIR, "mkdir"}, {OP_MKNOD, "mknod"}, {OP_ATTRIBUTE, "fchmodat"},
	{OP_CONNECT, "connect"}, {OP_ACCEPT, "accept4"}, {OP_BIND, "bind"}, {OP_SEND, "sendto"}, {OP_RECEIVE, "recvfrom"}, {OP_PIPE, "pipe2"},
	{OP_SOCKETPAIR, "socketpair"}, {OP_DUP, "dup2"}, {OP_CLOSE, "close"}, {OP_MEMFD, "memfd_create"}, {OP_MMAP, "mmap"}, {OP_PTRACE, "ptrace"},
	{OP_VM_WRITE, "process_vm_writev"}, {OP_VM_READ, "process_vm_readv"}, {OP_KILL, "kill"}, {OP_SETID, "setuid"}, {OP_MODULE, "finit_module"},
	{OP_BPF, "bpf"}, {OP_NAMESPACE, "unshare"}, {OP_OTHER, "getpid"},
};

static const char *const link_names[] = {
	"/tmp/a", "/tmp/b", "b", "../c", "", "/proc/self/fd/3", "/dev/null", "/proc/5/mem", "/tmp", "/bin/sh", "/bin/prog (deleted)", "/run/systemd/private", "//x/../y/",
	"/memfd:evil (deleted)", "link/../z", "/bin/prog",
};

struct link_program { struct intern *strings; struct graph *g; uint64_t now_ms, serial; };

static uint32_t link_name(const struct link_program *p, uint8_t byte)
{
	return intern_add_string(p->strings, link_names[byte % (sizeof(link_names) / sizeof(link_names[0]))]);
}

static size_t link_paths(const struct link_program *p, const uint8_t *d, struct event_path *paths)
{
	size_t count = d[4] >> 6;
	for (size_t i = 0; i < count; i++)
		paths[i] = (struct event_path){
			.name = link_name(p, (uint8_t)(d[2] + i * d[3])), .item = (uint32_t)i, .inode = 2 + (d[2] + i * (d[4] & 3)) % 6, .dev = d[5] & 1 ? 0x15 : 0x100001,
			.mode = (d[3] & 0xf) == 1 ? S_IFDIR : (d[3] & 0xf) == 2 ? S_IFCHR : (d[3] & 0xf) == 3 ? S_IFLNK : (d[3] & 0xf) == 4 ? S_IFSOCK : S_IFREG,
			.rdev = 1u << 20 | 3, .nametype = (enum path_nametype)((d[3] + 3 * i + (d[4] >> 3)) % 5), .has_inode = (d[7] & 0x30) != 0x30, .has_name = (d[7] & 0xc0) != 0xc0,
		};
	return count;
}

static void link_program_step(struct link_program *p, const uint8_t *d)
{
	static const uint64_t flags[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDONLY | O_CLOEXEC, O_WRONLY | O_CREAT | O_TRUNC, O_RDWR | O_CLOEXEC, 020200002, 010000000};
	const struct link_call *call = &link_calls[d[0] % (sizeof(link_calls) / sizeof(link_calls[0]))];
	struct event_path paths[3];
	struct event_address address = {.kind = (enum address_family_kind)(d[3] % 6), .family = 2, .port = d[4] & 3, .ip = {d[3] & 8 ? 127 : 10, 0, 0, 1}, .path = link_name(p, d[2])};
	struct event_target target = {.pid = 2 + d[2] % 12};
	uint32_t argv[2] = {link_name(p, d[2]), link_name(p, d[3])};
	struct event e = {
		.kind = EVENT_SYSCALL, .type = 1300, .serial = ++p->serial, .op = call->op, .syscall_name = intern_add_string(p->strings, call->name), .arch = 0xc000003e,
		.success = d[7] & 1, .exit = d[7] & 1 ? d[2] % 12 + 2 : -(int64_t)(d[3] % 120), .pid = 2 + d[1] % 12, .ppid = d[6] % 14, .comm = link_name(p, d[1] & 7),
		.exe = link_name(p, (d[1] & 8) + 7), .cwd = link_name(p, 8), .session = d[6] & 0x10 ? 7 : EVENT_ID_UNSET, .auid = EVENT_ID_UNSET, .ids = {.uid = d[6] >> 6},
		.args = {d[3] % 8, d[4], flags[d[4] & 7], d[3]}, .argv = argv, .argv_count = 2, .argc = 2, .paths = paths, .path_count = link_paths(p, d, paths),
		.addresses = &address, .address_count = d[7] >> 1 & 1, .targets = &target, .target_count = d[7] >> 2 & 1, .fds = {d[3] % 8, d[4] % 8}, .mmap_flags = 1,
		.open_flags = flags[d[4] >> 3 & 7], .epoch = d[5] == 255, .claim_success = true, .trust = TRUST_KERNEL,
		.present = ~(uint32_t)(EVENT_PARTIAL | EVENT_HAS_LOGIN) & ~(1u << (d[7] >> 3)),
	};
	if (d[7] & 8)
		e.args[0] = (uint64_t)(int64_t)AT_FDCWD;
	if (d[5] == 254)
		e.kind = EVENT_CLAIM;
	p->now_ms += d[5] & 0x3f;
	e.earliest_ns = (p->now_ms - (d[5] >> 6 == 3 ? (d[5] & 0x3f) * 2 : 0)) * NANOTIME_MILLISECOND;
	e.latest_ns = p->now_ms * NANOTIME_MILLISECOND;
	struct error err;
	LINK_PROGRAM_REQUIRE(graph_add_event(p->g, &e, &err) == 0);
}

// Wanted ancestors get answers made of the same bytes.
static void link_program_past(struct link_program *p, const uint8_t *data, size_t size)
{
	struct ancestor_vector wanted = {0};
	struct error err;
	for (unsigned round = 0; round < 4; round++) {
		wanted.count = 0;
		LINK_PROGRAM_REQUIRE(graph_missing_ancestors(p->g, NULL, &wanted, &err) == 0);
		for (size_t i = 0; i < wanted.count; i++) {
			const uint8_t *d = data + (i * 8) % (size - 7);
			struct event_path paths[3];
			uint32_t argv[1] = {link_name(p, d[1])};
			struct event e = {
				.kind = EVENT_SYSCALL, .serial = ++p->serial, .op = d[0] & 1 ? OP_EXEC : d[0] & 2 ? OP_FORK : OP_OPEN, .success = true, .pid = d[0] & 4 ? wanted.items[i].pid : d[1] % 14,
				.exit = wanted.items[i].pid, .ppid = d[2] % 14, .exe = link_name(p, d[3]), .argv = argv, .argv_count = 1, .epoch = wanted.items[i].epoch,
				.earliest_ns = d[4] * NANOTIME_MILLISECOND, .latest_ns = d[4] * NANOTIME_MILLISECOND, .paths = paths, .path_count = link_paths(p, d, paths),
				.present = EVENT_HAS_PID | EVENT_HAS_PPID | EVENT_HAS_EXE | EVENT_HAS_ARGV | EVENT_HAS_EXIT | EVENT_HAS_SUCCESS | EVENT_HAS_SYSCALL,
			};
			bool satisfied;
			LINK_PROGRAM_REQUIRE(graph_add_past_event(p->g, &wanted.items[i], &e, &satisfied, &err) == 0);
		}
	}
	ancestor_vector_release(&wanted);
}

static void link_check_nodes(const struct graph *g)
{
	for (uint32_t i = 0; i < g->processes.count; i++) {
		const struct process *p = &g->processes.items[i];
		uint32_t hops = 0;
		LINK_PROGRAM_REQUIRE(p->segments.count > 0 && p->tree < g->trees);
		for (uint32_t k = 0; k < p->segments.count; k++) {
			const struct segment *s = &g->segments.items[p->segments.items[k]];
			const struct graph_node *n = &g->nodes.items[s->node];
			LINK_PROGRAM_REQUIRE(s->process == i && s->ordinal == k && n->kind == NODE_PROCESS && n->entity == i && n->part == k && s->start_ns <= s->end_ns);
		}
		for (uint32_t up = p->parent; up != GRAPH_NONE; up = g->processes.items[up].parent)
			LINK_PROGRAM_REQUIRE(hops++ < g->processes.count);
	}
	for (uint32_t i = 0; i < g->files.count; i++) {
		const struct file *f = &g->files.items[i];
		LINK_PROGRAM_REQUIRE(f->versions.count > 0 && f->generation > 0 && f->readers_trees <= g->trees && f->accessors_trees <= g->trees && f->readers_trees <= f->accessors_trees);
		for (uint32_t v = 0; v < f->versions.count; v++) {
			const struct graph_node *n = &g->nodes.items[f->versions.items[v]];
			LINK_PROGRAM_REQUIRE(n->kind == NODE_FILE && n->entity == i && n->part == v);
		}
	}
	for (uint32_t i = 0; i < g->connections.count; i++)
		LINK_PROGRAM_REQUIRE(g->nodes.items[g->connections.items[i].node].entity == i);
}

static void link_check_edges(const struct graph *g)
{
	for (uint32_t i = 0; i < g->edges.count; i++) {
		const struct flow_edge *e = &g->edges.items[i], *before = i ? e - 1 : e;
		LINK_PROGRAM_REQUIRE(e->from < g->nodes.count && e->to < g->nodes.count && e->from != e->to && e->op < FLOW_COUNT && e->class <= CLASS_UNCERTAIN);
		LINK_PROGRAM_REQUIRE(e->start_ns <= e->end_ns && e->count > 0 && before->start_ns <= e->start_ns);
		LINK_PROGRAM_REQUIRE(e->evidence_count > 0 && e->evidence + e->evidence_count <= g->evidence.count);
		LINK_PROGRAM_REQUIRE(!e->failed || (e->op == FLOW_CONNECT || e->op == FLOW_KERNEL));
		// A flow into or out of a file needs a version that was alive.
		const struct graph_node *file = g->nodes.items[e->from].kind == NODE_FILE ? &g->nodes.items[e->from] : &g->nodes.items[e->to];
		LINK_PROGRAM_REQUIRE(file->kind != NODE_FILE || e->op == FLOW_DELETE || e->start_ns <= file->end_ns || g->files.items[file->entity].versions.count == 1);
	}
	uint32_t seen[2] = {0};
	for (uint32_t n = 0; n < g->nodes.count; n++) {
		for (uint32_t i = g->out_start.items[n]; i < g->out_start.items[n + 1]; i++, seen[0]++)
			LINK_PROGRAM_REQUIRE(g->edges.items[g->out_edges.items[i]].from == n && (i == g->out_start.items[n] || g->out_edges.items[i - 1] < g->out_edges.items[i]));
		for (uint32_t i = g->in_start.items[n]; i < g->in_start.items[n + 1]; i++, seen[1]++)
			LINK_PROGRAM_REQUIRE(g->edges.items[g->in_edges.items[i]].to == n && (i == g->in_start.items[n] || g->in_edges.items[i - 1] < g->in_edges.items[i]));
	}
	LINK_PROGRAM_REQUIRE(seen[0] == g->edges.count && seen[1] == g->edges.count);
}

static struct link_program link_program_build(const uint8_t *data, size_t size)
{
	struct link_program p = {.strings = intern_new(), .now_ms = 1000};
	struct error err;
	p.g = graph_new(p.strings);
	for (size_t i = 0; i + LINK_PROGRAM_EVENT_BYTES <= size; i += LINK_PROGRAM_EVENT_BYTES)
		link_program_step(&p, data + i);
	if (size >= LINK_PROGRAM_EVENT_BYTES && data[0] & 1)
		link_program_past(&p, data, size);
	LINK_PROGRAM_REQUIRE(graph_finish(p.g, &err) == 0);
	return p;
}

static bool link_edges_equal(const struct flow_edge *a, const struct flow_edge *b)
{
	return a->from == b->from && a->to == b->to && a->op == b->op && a->class == b->class && a->failed == b->failed && a->start_ns == b->start_ns &&
	       a->end_ns == b->end_ns && a->serial == b->serial && a->count == b->count && a->last_ns == b->last_ns && a->evidence == b->evidence &&
	       a->evidence_count == b->evidence_count;
}

// Tables are keyed by random numbers: the same events have to give the same graph under other ones. Returns how many edges there were.
__attribute__((unused)) static size_t link_program_check(const uint8_t *data, size_t size)
{
	struct link_program one = link_program_build(data, size), two = link_program_build(data, size);
	size_t edges = one.g->edges.count;
	link_check_nodes(one.g);
	link_check_edges(one.g);
	LINK_PROGRAM_REQUIRE(two.g->edges.count == edges && two.g->nodes.count == one.g->nodes.count && two.g->files.count == one.g->files.count);
	for (size_t i = 0; i < edges; i++)
		LINK_PROGRAM_REQUIRE(link_edges_equal(&one.g->edges.items[i], &two.g->edges.items[i]));
	graph_free(one.g);
	graph_free(two.g);
	intern_free(one.strings);
	intern_free(two.strings);
	return edges;
}

#endif
