// SPDX-License-Identifier: MIT
// Ways between processes that are no files: descriptors and their heirs, pipes, ptrace and its kind, signals, the kernel.
#include "graph/build.h"

#include "base/nanotime.h"

#include <stdlib.h>
#include <string.h>

#define HEIR_APART_NS (4 * NANOTIME_MILLISECOND) /* a tick: stamps are that coarse */
#define DESCRIPTORS_INHERITED 16 /* a child knows so many of its parent's newest descriptors */
#define CONNECTIONS_INHERITED 2  /* ... may talk over so many of the connections that a shell holds */
#define FILES_INHERITED 2        /* ... and may have written to so many of the files that it opened for writing */

// --- descriptors

// A number that is given out again was free: the pipe's end that had it is closed here.
static void close_pipe_end(struct graph *g, uint32_t process, int32_t fd)
{
	struct held_pipe_vector *held = &g->builder->states.items[process].pipes;
	size_t kept = 0;
	for (size_t i = 0; i < held->count; i++) {
		struct held_pipe h = held->items[i];
		for (size_t end = 0; end < 2; end++)
			h.open[end] &= g->pipes.items[h.pipe].fds[end] != fd;
		if (h.open[0] || h.open[1])
			held->items[kept++] = h;
	}
	held->count = kept;
}

void builder_descriptor_set(struct graph *g, uint32_t process, struct descriptor d)
{
	struct descriptor_vector *v = &g->builder->states.items[process].descriptors;
	if (d.fd < 0)
		return;
	close_pipe_end(g, process, d.fd);
	for (size_t i = v->count; i-- > 0;)
		if (v->items[i].fd == d.fd) { // the number was free: its old meaning is over, when exactly nobody recorded
			memmove(&v->items[i], &v->items[i + 1], (v->count - i - 1) * sizeof(d));
			v->count--;
			break;
		}
	if (v->count == DESCRIPTORS_MAX) {
		memmove(v->items, v->items + 1, (v->count - 1) * sizeof(d));
		v->count--;
	}
	(void)descriptor_vector_append(v, d); // out of memory only costs a name or an end
}

struct descriptor *builder_descriptor(struct graph *g, uint32_t process, int32_t fd)
{
	struct descriptor_vector *v = &g->builder->states.items[process].descriptors;
	for (size_t i = v->count; i-- > 0;)
		if (v->items[i].fd == fd)
			return &v->items[i];
	return NULL;
}

// An audited close: the licence that the open gave ends here. A draft that took in several opens stays open.
void builder_descriptor_close(struct graph *g, uint32_t process, int32_t fd, uint64_t time_ns)
{
	struct descriptor_vector *v = &g->builder->states.items[process].descriptors;
	struct descriptor *d = builder_descriptor(g, process, fd);
	if (!d)
		return;
	for (size_t i = 0; i < 2; i++) {
		if (d->drafts[i] == GRAPH_NONE)
			continue;
		struct draft_edge *draft = &g->builder->draft_list.items[d->drafts[i]];
		if (draft->count == 1)
			draft->end_ns = time_ns;
	}
	size_t at = (size_t)(d - v->items);
	memmove(d, d + 1, (v->count - at - 1) * sizeof(*d));
	v->count--;
}

void builder_descriptors_exec(struct graph *g, uint32_t process)
{
	struct descriptor_vector *v = &g->builder->states.items[process].descriptors;
	size_t kept = 0;
	for (size_t i = 0; i < v->count; i++)
		if (!v->items[i].cloexec)
			v->items[kept++] = v->items[i];
	v->count = kept;
}

// --- heirs

static int heir_edge(struct graph *g, uint32_t node, uint32_t other, bool is_file, enum flow_op op, bool into, uint64_t time_ns, const struct event *e)
{
	struct draft_edge d = {
		.process_node = node, .other = other, .is_file = is_file, .into_other = into, .until_end = true, .survives_exec = true,
		.op = (uint8_t)op, .class = CLASS_INFERRED, .start_ns = time_ns, .end_ns = NANOTIME_NONE,
	};
	if (is_file)
		d.version = g->builder->file_states.items[other].cuts;
	return builder_draft(g, d, e, NULL);
}

// The members of a pipeline are forked one after the other, without waiting. If the first heir has ended well before the next
// fork, somebody waited for it, as after $(command): the next child has nothing to do with that pipe.
static bool waited_for(const struct graph *g, const struct held_pipe *h, uint64_t fork_ns)
{
	return h->heirs > 0 && g->processes.items[h->first_heir].exit_ns < fork_ns - HEIR_APART_NS;
}

static int inherit_pipes(struct graph *g, uint32_t parent, uint32_t child, uint64_t time_ns, const struct event *e)
{
	struct process_state_vector *states = &g->builder->states;
	uint32_t node = g->segments.items[g->processes.items[child].segments.items[0]].node;
	size_t taken = 0;
	for (size_t i = states->items[parent].pipes.count; i-- > 0 && taken < PIPES_INHERITED;) {
		struct held_pipe *h = &states->items[parent].pipes.items[i];
		const struct pipe_channel *pipe = &g->pipes.items[h->pipe];
		if (h->heirs >= PIPE_HEIRS || pipe->time_ns > time_ns || waited_for(g, h, time_ns))
			continue;
		if (h->heirs++ == 0)
			h->first_heir = child;
		taken++;
		struct held_pipe heir = {.pipe = h->pipe, .open = {h->open[0], h->open[1]}};
		if ((heir.open[1] && heir_edge(g, node, pipe->node, false, FLOW_PIPE, true, time_ns, e) < 0) ||
		    (heir.open[0] && heir_edge(g, node, pipe->node, false, FLOW_PIPE, false, time_ns, e) < 0) ||
		    held_pipe_vector_append(&states->items[child].pipes, heir) < 0)
			return -1;
	}
	return 0;
}

static bool shares_descriptors(const struct graph *g, uint32_t process)
{
	return graph_segment_of(g, builder_segment_node(g, process))->forked_stub || builder_is_shell(g, process);
}

// `exec 3<>/dev/tcp/...; cat file >&3`: the child talks over its parent's connection.
static int inherit_connections(struct graph *g, uint32_t parent, uint32_t child, uint64_t time_ns, const struct event *e)
{
	uint32_t node = g->segments.items[g->processes.items[child].segments.items[0]].node;
	size_t taken = 0;
	for (size_t i = g->builder->states.items[parent].descriptors.count; i-- > 0 && taken < CONNECTIONS_INHERITED;) {
		const struct descriptor d = g->builder->states.items[parent].descriptors.items[i];
		if (d.kind != DESCRIPTOR_CONNECTION)
			continue;
		taken++;
		if (heir_edge(g, node, d.connection, false, FLOW_CONNECT, true, time_ns, e) < 0 ||
		    heir_edge(g, node, d.connection, false, FLOW_RECEIVE, false, time_ns, e) < 0)
			return -1;
	}
	return 0;
}

// A child may write on where its parent opened (`{ a; b; } > file`). Closes are hardly ever recorded, so only shells and forked copies
// that have not run a program of their own are taken to share what they opened, and only the newest files.
static int inherit_files(struct graph *g, uint32_t parent, uint32_t child, uint64_t time_ns, const struct event *e)
{
	const struct descriptor_vector *from = &g->builder->states.items[parent].descriptors;
	uint32_t node = g->segments.items[g->processes.items[child].segments.items[0]].node;
	size_t first = from->count > DESCRIPTORS_INHERITED ? from->count - DESCRIPTORS_INHERITED : 0, written = 0;
	bool shares = shares_descriptors(g, parent);
	for (size_t i = from->count; shares && i-- > first && written < FILES_INHERITED;) {
		const struct descriptor d = from->items[i];
		if (d.kind != DESCRIPTOR_FILE || d.cloexec || d.drafts[0] == GRAPH_NONE || g->files.items[d.file].sink)
			continue;
		written++;
		if (heir_edge(g, node, d.file, true, FLOW_OPEN_WRITE, true, time_ns, e) < 0)
			return -1;
	}
	for (size_t i = first; i < from->count; i++) {
		struct descriptor d = g->builder->states.items[parent].descriptors.items[i];
		d.drafts[0] = d.drafts[1] = GRAPH_NONE; // the child's close ends nothing of the parent's
		builder_descriptor_set(g, child, d);
		from = &g->builder->states.items[parent].descriptors;
	}
	return 0;
}

int builder_inherit(struct graph *g, uint32_t parent, uint32_t child, uint64_t time_ns, const struct event *e)
{
	if (inherit_pipes(g, parent, child, time_ns, e) < 0 ||
	    (shares_descriptors(g, parent) && inherit_connections(g, parent, child, time_ns, e) < 0))
		return -1;
	return inherit_files(g, parent, child, time_ns, e);
}

int builder_pipe(struct graph *g, uint32_t process, const struct event *e)
{
	g->builder->pipes_audited = true;
	if (!(e->present & EVENT_HAS_FD_PAIR))
		return 0;
	struct pipe_channel pipe = {.host = e->host, .epoch = e->epoch, .process = process, .fds = {e->fds[0], e->fds[1]},
				    .time_ns = e->earliest_ns, .serial = e->serial};
	uint32_t index = (uint32_t)g->pipes.count, node = builder_segment_node(g, process);
	for (size_t end = 0; end < 2; end++)
		builder_descriptor_set(g, process, (struct descriptor){.fd = e->fds[end], .kind = DESCRIPTOR_OTHER, .drafts = {GRAPH_NONE, GRAPH_NONE}});
	pipe.node = builder_add_node(g, NODE_PIPE, index, 0, e->earliest_ns);
	if (pipe.node == GRAPH_NONE || pipe_vector_append(&g->pipes, pipe) < 0 ||
	    held_pipe_vector_append(&g->builder->states.items[process].pipes, (struct held_pipe){.pipe = index, .open = {true, true}}) < 0)
		return -1;
	if (builder_node_edge(g, node, pipe.node, FLOW_PIPE, true, true, CLASS_INFERRED, e, NULL) < 0)
		return -1;
	return builder_node_edge(g, node, pipe.node, FLOW_PIPE, false, true, CLASS_INFERRED, e, NULL);
}

// --- one process reaches into another

static int reach_into(struct graph *g, uint32_t process, uint32_t victim_pid, bool reads, enum flow_class class_, const struct event *e)
{
	uint32_t victim = builder_process_by_pid(g, e->host, e->epoch, victim_pid, e->earliest_ns);
	if (victim == GRAPH_NONE)
		return -1;
	if (victim == process)
		return 0;
	return builder_node_edge(g, builder_segment_node(g, process), builder_segment_node_at(g, victim, e->earliest_ns), FLOW_INJECT, !reads, false, class_, e, NULL);
}

// ptrace requests that change the other process or open the way to it (linux/ptrace.h, asm/ptrace-abi.h).
static bool ptrace_changes(uint64_t request)
{
	return request == 4 || request == 5 || request == 6 /* POKE* */ || request == 13 || request == 15 /* SETREGS, SETFPREGS */ ||
	       request == 16 /* ATTACH */ || request == 0x4205 /* SETREGSET */ || request == 0x4206 /* SEIZE */;
}

int builder_inject(struct graph *g, uint32_t process, const struct event *e)
{
	if (e->op == OP_PTRACE && !ptrace_changes(e->args[0]))
		return 0;
	bool reads = e->op == OP_VM_READ;
	for (size_t i = 0; i < e->target_count; i++)
		if (reach_into(g, process, e->targets[i].pid, reads, CLASS_OBSERVED, e) < 0)
			return -1;
	if (e->target_count || e->op == OP_PTRACE || !(e->present & EVENT_HAS_ARGS))
		return 0;
	// process_vm_*: only a0 tells whom, and it is a pid in the caller's namespace
	return reach_into(g, process, (uint32_t)e->args[0], reads, CLASS_INFERRED, e);
}

int builder_inject_by_path(struct graph *g, uint32_t process, uint32_t name, bool write, const struct event *e, bool *ret_was_memory)
{
	const char *path = intern_string(g->strings, name);
	*ret_was_memory = false;
	if (strncmp(path, "/proc/", 6) != 0)
		return 0;
	char *end;
	unsigned long pid = strtoul(path + 6, &end, 10);
	if (end == path + 6 || strcmp(end, "/mem") != 0 || pid == 0 || pid > UINT32_MAX)
		return 0;
	*ret_was_memory = true;
	return reach_into(g, process, (uint32_t)pid, !write, CLASS_INFERRED, e);
}

int builder_signal(struct graph *g, uint32_t process, const struct event *e)
{
	for (size_t i = 0; i < e->target_count; i++) {
		uint32_t target = builder_process_by_pid(g, e->host, e->epoch, e->targets[i].pid, e->earliest_ns);
		if (target == GRAPH_NONE)
			return -1;
		if (target != process &&
		    builder_node_edge(g, builder_segment_node(g, process), builder_segment_node(g, target), FLOW_SIGNAL, true, false, CLASS_OBSERVED, e, NULL) < 0)
			return -1;
	}
	return 0;
}

// --- the kernel

int builder_kernel(struct graph *g, uint32_t process, const struct event *e)
{
	uint64_t key = table_key(e->host, e->epoch, 6, 6);
	uint32_t kernel = table_get(&g->builder->kernels, key);
	if (kernel == TABLE_NONE) {
		kernel = (uint32_t)g->kernels.count;
		uint32_t node = builder_add_node(g, NODE_KERNEL, kernel, 0, 0);
		if (node == GRAPH_NONE ||
		    kernel_vector_append(&g->kernels, (struct kernel_entity){.host = e->host, .node = node, .module_loaded_ns = NANOTIME_NONE}) < 0 ||
		    table_put(&g->builder->kernels, key, kernel) < 0)
			return -1;
	}
	struct kernel_entity *k = &g->kernels.items[kernel];
	bool failed = (e->present & EVENT_HAS_SUCCESS) && !e->success;
	if (e->op == OP_MODULE && !failed && e->earliest_ns < k->module_loaded_ns && !strstr(intern_string(g->strings, e->syscall_name), "delete"))
		k->module_loaded_ns = e->earliest_ns;
	uint32_t draft;
	if (builder_node_edge(g, builder_segment_node(g, process), k->node, FLOW_KERNEL, true, false, CLASS_OBSERVED, e, &draft) < 0)
		return -1;
	g->builder->draft_list.items[draft].failed = failed;
	return 0;
}
