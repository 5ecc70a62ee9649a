// SPDX-License-Identifier: MIT
#include "graph/build.h"

#include "base/nanotime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct graph *graph_new(struct intern *strings)
{
	struct graph *g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->strings = strings;
	g->first_ns = NANOTIME_NONE;
	g->builder = calloc(1, sizeof(*g->builder));
	if (!g->builder) {
		graph_free(g);
		return NULL;
	}
	return g;
}

static void builder_free(struct graph_builder *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->states.count; i++) {
		descriptor_vector_release(&b->states.items[i].descriptors);
		held_pipe_vector_release(&b->states.items[i].pipes);
	}
	process_state_vector_release(&b->states);
	file_state_vector_release(&b->file_states);
	birth_vector_release(&b->birth_list);
	draft_vector_release(&b->draft_list);
	evidence_link_vector_release(&b->evidence);
	start_vector_release(&b->starts);
	table_release(&b->processes);
	table_release(&b->births);
	table_release(&b->files);
	table_release(&b->symlinks);
	table_release(&b->sockets);
	table_release(&b->drafts);
	table_release(&b->kernels);
	free(b);
}

void graph_drop_builder(struct graph *g)
{
	builder_free(g->builder);
	g->builder = NULL;
}

void graph_free(struct graph *g)
{
	if (!g)
		return;
	graph_drop_builder(g);
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

static int add_claim(struct graph *g, const struct event *e)
{
	struct claim c = {
		.time_ns = e->earliest_ns, .serial = e->serial, .host = e->host, .epoch = e->epoch, .type = e->type, .type_name = e->type_name,
		.pid = e->pid, .auid = e->present & EVENT_HAS_AUID ? e->auid : EVENT_ID_UNSET,
		.session = e->present & EVENT_HAS_SESSION ? e->session : EVENT_ID_UNSET, .uid = e->ids.uid,
		.op = e->claim_op, .account = e->claim_account, .hostname = e->claim_hostname, .terminal = e->claim_terminal,
		.exe = e->claim_exe, .unit = e->claim_unit, .address = e->claim_address, .success = e->claim_success, .trust = e->trust,
	};
	return claim_vector_append(&g->claims, c);
}

// Reads and writes that are audited one by one prove what an open only allows.
static int transfer(struct graph *g, uint32_t process, const struct event *e)
{
	bool copy = e->op == OP_COPY, write = e->op == OP_WRITE;
	uint32_t node = builder_segment_node(g, process);
	// sendfile(out, in), copy_file_range(in, off, out, off), splice(in, off, out, off)
	bool out_first = copy && strncmp(intern_string(g->strings, e->syscall_name), "sendfile", 8) == 0;
	for (int side = 0; side < (copy ? 2 : 1); side++) {
		const struct descriptor *d = builder_descriptor(g, process, (int32_t)e->args[side == 0 ? 0 : out_first ? 1 : 2]);
		bool into = copy ? (side == 0) == out_first : write;
		if (d && d->kind == DESCRIPTOR_FILE &&
		    builder_file_edge(g, node, d->file, into ? FLOW_WRITE : FLOW_READ, into, false, false, CLASS_OBSERVED, e, NULL) < 0)
			return -1;
	}
	return 0;
}

static void duplicate(struct graph *g, uint32_t process, const struct event *e)
{
	const struct descriptor *d = builder_descriptor(g, process, (int32_t)e->args[0]);
	if (!d)
		return;
	struct descriptor copy = *d;
	copy.fd = (int32_t)e->exit;
	copy.cloexec = false;
	for (size_t i = 0; i < 2; i++)
		if (copy.drafts[i] != GRAPH_NONE)
			g->builder->draft_list.items[copy.drafts[i]].count++; // two descriptors hold it: no single close ends it
	builder_descriptor_set(g, process, copy);
}

static int dispatch(struct graph *g, uint32_t process, const struct event *e)
{
	switch (e->op) {
	case OP_EXEC: return builder_exec(g, process, e);
	case OP_FORK: return builder_fork(g, process, e);
	case OP_EXIT: return builder_exit(g, process, e);
	case OP_OPEN: return builder_open(g, process, e);
	case OP_READ:
	case OP_WRITE:
	case OP_COPY: return transfer(g, process, e);
	case OP_TRUNCATE: return builder_truncate(g, process, e);
	case OP_RENAME:
	case OP_LINK:
	case OP_SYMLINK:
	case OP_UNLINK:
	case OP_MKDIR:
	case OP_MKNOD: return builder_names(g, process, e);
	case OP_ATTRIBUTE: return builder_attribute(g, process, e);
	case OP_ACCEPT: return builder_accept(g, process, e);
	case OP_BIND: return builder_bind(g, process, e);
	case OP_SEND:
	case OP_RECEIVE: return builder_send(g, process, e);
	case OP_PIPE:
	case OP_SOCKETPAIR: return builder_pipe(g, process, e);
	case OP_MEMFD: return builder_memfd(g, process, e);
	case OP_PTRACE:
	case OP_VM_WRITE:
	case OP_VM_READ: return builder_inject(g, process, e);
	case OP_KILL: return builder_signal(g, process, e);
	case OP_MODULE:
	case OP_BPF:
	case OP_MOUNT:
	case OP_NAMESPACE: return builder_kernel(g, process, e);
	case OP_DUP: duplicate(g, process, e); return 0;
	case OP_CLOSE: builder_descriptor_close(g, process, (int32_t)e->args[0], e->earliest_ns); return 0;
	default: return 0;
	}
}

// success=no carries no flow (a search through PATH is most of it), but the attempt to connect or to load a module is evidence.
static bool carries_flow(const struct event *e)
{
	return e->op == OP_CONNECT || e->op == OP_SEND || e->op == OP_MODULE || !(e->present & EVENT_HAS_SUCCESS) || e->success;
}

static int add_syscall(struct graph *g, const struct event *e)
{
	if (!(e->present & EVENT_HAS_PID) || e->pid == 0)
		return 0; // records whose SYSCALL is lost: counted as partial by ingest, nobody to blame them on
	uint32_t process = builder_process(g, e);
	if (process == GRAPH_NONE || builder_identity(g, process, e) < 0)
		return -1;
	if (!(e->present & EVENT_HAS_SYSCALL) || !carries_flow(e))
		return 0;
	return e->op == OP_CONNECT ? builder_connect(g, process, e) : dispatch(g, process, e);
}

int graph_add_event(struct graph *g, const struct event *e, struct error *err)
{
	g->events++;
	if (e->earliest_ns < g->first_ns)
		g->first_ns = e->earliest_ns;
	if (e->latest_ns > g->last_ns)
		g->last_ns = e->latest_ns;
	int result = 0;
	if (e->kind == EVENT_SYSCALL)
		result = add_syscall(g, e);
	else if (e->kind == EVENT_CLAIM)
		result = add_claim(g, e);
	return result < 0 ? error_set(err, "building the graph: out of memory after %llu events", (unsigned long long)g->events) : 0;
}

int contacts_find(const struct graph *g, const struct event_address *address, uint16_t port, struct u32_vector *out, struct error *err)
{
	for (uint32_t i = 0; i < g->connections.count; i++) {
		const struct event_address *a = &g->connections.items[i].address;
		if (a->kind == address->kind && memcmp(a->ip, address->ip, a->kind == ADDRESS_IPV4 ? 4 : 16) == 0 &&
		    (port == 0 || a->port == port) && u32_vector_append(out, i) < 0)
			return error_set(err, "contacts: out of memory");
	}
	return 0;
}
