// SPDX-License-Identifier: MIT
#include "graph/build.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

int builder_grow(void **items, size_t *capacity, size_t count, size_t item_bytes)
{
	if (count < *capacity)
		return 0;
	size_t larger = *capacity ? 2 * *capacity : 1;
	void *moved = realloc(*items, larger * item_bytes);
	if (!moved)
		return -1;
	*items = moved;
	*capacity = larger;
	return 0;
}

// --- life

struct graph_builder *builder_new(struct graph *g)
{
	struct graph_builder *b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->g = g;
	table_init(&b->edge_table);
	table_init(&b->realm_table);
	table_init(&b->process_table);
	table_init(&b->birth_table);
	table_init(&b->file_table);
	table_init(&b->folder_table);
	table_init(&b->symlink_table);
	table_init(&b->socket_table);
	table_init(&b->datagram_table);
	table_init(&b->shape_table);
	name_init(b);
	if (b->failed || intern_failed(g->strings)) {
		builder_free(b);
		return NULL;
	}
	return b;
}

void builder_free(struct graph_builder *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->process_states.count; i++)
		descriptors_free(b->process_states.items[i].descriptors);
	for (size_t i = 0; i < b->births.count; i++)
		descriptors_free(b->births.items[i].descriptors);
	table_release(&b->edge_table);
	table_release(&b->realm_table);
	table_release(&b->process_table);
	table_release(&b->birth_table);
	table_release(&b->file_table);
	table_release(&b->folder_table);
	table_release(&b->symlink_table);
	table_release(&b->socket_table);
	table_release(&b->datagram_table);
	table_release(&b->shape_table);
	edge_state_vector_release(&b->edge_states);
	proof_vector_release(&b->proofs);
	realm_vector_release(&b->realms);
	process_state_vector_release(&b->process_states);
	segment_state_vector_release(&b->segment_states);
	birth_vector_release(&b->births);
	file_state_vector_release(&b->file_states);
	folder_vector_release(&b->folders);
	symlink_vector_release(&b->symlinks);
	u32_vector_release(&b->socket_realms);
	pipe_state_vector_release(&b->pipe_states);
	unix_client_vector_release(&b->unix_clients);
	local_accept_vector_release(&b->local_accepts);
	start_vector_release(&b->starts);
	u32_vector_release(&b->asked);
	u32_vector_release(&b->recovered);
	u32_vector_release(&b->creators);
	call_shape_vector_release(&b->shapes);
	free(b);
}

struct graph *graph_new(struct intern *strings)
{
	struct graph *g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->strings = strings;
	g->first_ns = NANOTIME_NONE;
	g->builder = builder_new(g);
	if (!g->builder) {
		free(g);
		return NULL;
	}
	return g;
}

void graph_free(struct graph *g)
{
	if (!g)
		return;
	builder_free(g->builder);
	for (size_t i = 0; i < g->processes.count; i++) {
		u32_vector_release(&g->processes.items[i].segments);
		identity_vector_release(&g->processes.items[i].identities);
	}
	for (size_t i = 0; i < g->files.count; i++) {
		file_name_vector_release(&g->files.items[i].names);
		u32_vector_release(&g->files.items[i].versions);
	}
	node_vector_release(&g->nodes);
	edge_vector_release(&g->edges);
	evidence_vector_release(&g->evidence);
	process_vector_release(&g->processes);
	segment_vector_release(&g->segments);
	u32_vector_release(&g->arguments);
	file_vector_release(&g->files);
	connection_vector_release(&g->connections);
	pipe_vector_release(&g->pipes);
	socket_vector_release(&g->sockets);
	kernel_vector_release(&g->kernels);
	claim_vector_release(&g->claims);
	u32_vector_release(&g->out_start);
	u32_vector_release(&g->out_edges);
	u32_vector_release(&g->in_start);
	u32_vector_release(&g->in_edges);
	free(g);
}

int builder_check(struct graph_builder *b, const char *what, struct error *err)
{
	if (b->failed || intern_failed(b->g->strings))
		return error_set(err, "%s: out of memory after %llu events", what, (unsigned long long)b->g->events);
	return 0;
}

// --- taking events in

void builder_begin(struct graph_builder *b, const struct event *e)
{
	b->event = e;
	b->evidence_count = 0;
	b->fresh = GRAPH_NONE;
	b->realm = b->file_realm = realm_of(b, e->host, e->epoch);
	if (b->other_file_epoch)
		b->file_realm = realm_of(b, e->host, b->file_epoch);
}

static void add_claim(struct graph_builder *b)
{
	const struct event *e = b->event;
	bool has_ids = event_has(e, EVENT_HAS_IDS) || event_has(e, EVENT_HAS_UID);
	struct claim c = {
		.time_ns = e->earliest_ns, .serial = e->serial, .host = e->host, .epoch = e->epoch, .type = e->type, .type_name = e->type_name,
		.pid = event_has(e, EVENT_HAS_PID) ? e->pid : 0, .auid = event_has(e, EVENT_HAS_AUID) ? e->auid : EVENT_ID_UNSET,
		.session = event_has(e, EVENT_HAS_SESSION) ? e->session : EVENT_ID_UNSET, .uid = has_ids ? e->ids.uid : EVENT_ID_UNSET,
		.op = e->claim_op, .account = e->claim_account, .hostname = e->claim_hostname, .terminal = e->claim_terminal,
		.exe = e->claim_exe, .unit = e->claim_unit, .address = e->claim_address, .success = e->claim_success, .trust = e->trust,
	};
	if (claim_vector_append(&b->g->claims, c) < 0)
		b->failed = true;
}

// A LOGIN record is the kernel's own word: from now on the process has this auid and session.
static void note_login(struct graph_builder *b)
{
	const struct event *e = b->event;
	if (e->trust != TRUST_KERNEL || !event_has(e, EVENT_HAS_PID) || !e->claim_success)
		return;
	// With the SYSCALL that wrote the loginuid it is a record of the process like any other.
	uint32_t process = event_has(e, EVENT_HAS_PPID) ? process_of_event(b) : process_find(b, b->realm, e->pid);
	if (process != GRAPH_NONE && b->process_states.items[process].exit_latest_ns == NANOTIME_NONE)
		identity_note(b, process, e);
}

static void link_event(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	switch (e->op) {
	case OP_EXEC: link_exec(b, process); break;
	case OP_FORK: link_fork(b, process); break;
	case OP_OPEN: link_open(b, process); break;
	case OP_READ:
	case OP_WRITE:
	case OP_COPY:
	case OP_MMAP: link_transfer(b, process); break;
	case OP_TRUNCATE: link_truncate(b, process); break;
	case OP_RENAME:
	case OP_LINK:
	case OP_SYMLINK:
	case OP_UNLINK:
	case OP_MKDIR:
	case OP_MKNOD: link_entry(b, process); break;
	case OP_ATTRIBUTE: link_attribute(b, process); break;
	case OP_ACCEPT: link_accept(b, process); break;
	case OP_BIND: link_bind(b, process); break;
	case OP_RECEIVE: link_send(b, process); break;
	case OP_PIPE:
	case OP_SOCKETPAIR: link_pipe(b, process); break;
	case OP_DUP: descriptor_copy(b, process, (int32_t)e->args[0], (int32_t)e->exit); break;
	case OP_CLOSE: descriptor_close(b, process, (int32_t)e->args[0]); break;
	case OP_MEMFD: link_memfd(b, process); break;
	case OP_PTRACE:
	case OP_VM_WRITE:
	case OP_VM_READ: link_reach(b, process); break;
	case OP_KILL: link_signal(b, process); break;
	case OP_MOUNT:
	case OP_NAMESPACE: link_kernel(b, process); break;
	default: break; // who did it, and as whom, is noted all the same
	}
}

// io_uring's records name the operation, and have PATHs and addresses, but no arguments; exit= is no descriptor.
static enum syscall_op uring_op(const struct graph_builder *b, const struct event *e)
{
	static const struct { const char *name; enum syscall_op op; } ops[] = {
		{"uring_openat", OP_OPEN}, {"uring_openat2", OP_OPEN}, {"uring_unlinkat", OP_UNLINK}, {"uring_renameat", OP_RENAME},
		{"uring_mkdirat", OP_MKDIR}, {"uring_symlinkat", OP_SYMLINK}, {"uring_linkat", OP_LINK}, {"uring_connect", OP_CONNECT},
		{"uring_accept", OP_ACCEPT}, {"uring_setxattr", OP_ATTRIBUTE},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(ops); i++)
		if (strcmp(intern_string(b->g->strings, e->syscall_name), ops[i].name) == 0)
			return ops[i].op;
	return OP_OTHER;
}

// success=no carries no flow (looking through PATH is most of it), but for attempts that are evidence themselves.
static void link_call(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	if (e->op == OP_CONNECT)
		link_connect(b, process);
	else if (e->op == OP_SEND)
		link_send(b, process);
	else if (e->op == OP_MODULE || e->op == OP_BPF)
		link_kernel(b, process);
	else if (!event_has(e, EVENT_HAS_SUCCESS) || e->success)
		link_event(b, process);
}

static void link_uring(struct graph_builder *b, uint32_t process)
{
	struct event inner = *b->event;
	inner.op = uring_op(b, b->event);
	inner.present &= ~(uint32_t)(EVENT_HAS_ARGS | EVENT_HAS_EXIT);
	b->event = &inner;
	link_call(b, process);
	b->event = NULL; // inner goes
}

static void add_syscall(struct graph_builder *b)
{
	const struct event *e = b->event;
	if (!event_has(e, EVENT_HAS_PID) || e->pid == 0)
		return; // the SYSCALL record is lost: counted as partial by ingest, and nobody to blame it on
	uint32_t process = process_of_event(b);
	if (process == GRAPH_NONE)
		return;
	if (e->type == AUDIT_ANOM_ABEND_TYPE || e->op == OP_EXIT)
		link_exit(b, process);
	if (!event_has(e, EVENT_HAS_SYSCALL) || event_has(e, EVENT_HAS_LOGIN))
		return;
	if (e->op == OP_IO_URING)
		link_uring(b, process);
	else
		link_call(b, process);
}

int graph_add_event(struct graph *g, const struct event *event, struct error *err)
{
	struct graph_builder *b = g->builder;
	builder_begin(b, event);
	g->events++;
	if (event->earliest_ns < g->first_ns)
		g->first_ns = event->earliest_ns;
	if (event->latest_ns > g->last_ns)
		g->last_ns = event->latest_ns;
	if (event->kind == EVENT_SYSCALL) {
		add_syscall(b);
	} else if (event->kind == EVENT_CLAIM) {
		add_claim(b);
		note_login(b);
	}
	return builder_check(b, "building the graph", err);
}

// --- contacts

int contacts_find(const struct graph *g, const struct event_address *address, uint16_t port, struct u32_vector *out, struct error *err)
{
	size_t length = address->kind == ADDRESS_IPV4 ? 4 : 16;
	for (uint32_t i = 0; i < g->connections.count; i++) {
		const struct event_address *a = &g->connections.items[i].address;
		if (a->kind == address->kind && memcmp(a->ip, address->ip, length) == 0 && (port == 0 || a->port == port) &&
		    u32_vector_append(out, i) < 0)
			return error_set(err, "contacts: out of memory");
	}
	return 0;
}
