// SPDX-License-Identifier: MIT
// Pipes and socket pairs (FD_PAIR). Who kept which end nobody audits, so flows are inferred, from what shells and libraries do:
//   `a | b`            two children, forked one after the other while both live, that execute: the shell itself keeps out
//   `$(a)`, popen      one child, and the maker at the other end
//   a pool of workers  children that never execute, and the maker
#include "graph/build.h"

#include <fcntl.h>
#include <sys/socket.h>

void link_pipe(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	b->pipes_audited = true;
	if (!event_has(e, EVENT_HAS_FD_PAIR))
		return;
	struct pipe_channel pipe = {.host = e->host, .epoch = e->epoch, .process = process, .fds = {e->fds[0], e->fds[1]},
				    .time_ns = e->earliest_ns, .serial = e->serial};
	struct pipe_state state = {.segment = process_segment(b, process), .two_way = e->op == OP_SOCKETPAIR};
	uint32_t index = (uint32_t)b->g->pipes.count;
	pipe.node = node_add(b, NODE_PIPE, index, 0, e->earliest_ns);
	evidence_keep(b, &state.evidence, &state.evidence_count);
	if (pipe_state_vector_append(&b->pipe_states, state) < 0 || pipe_vector_append(&b->g->pipes, pipe) < 0) {
		b->failed = true;
		return;
	}
	bool has_args = event_has(e, EVENT_HAS_ARGS);
	bool cloexec = has_args && ((e->op == OP_SOCKETPAIR && (e->args[1] & SOCK_CLOEXEC)) || (e->syscall_name == b->call_pipe2 && (e->args[1] & O_CLOEXEC)));
	for (int side = 0; side < 2; side++) {
		struct descriptor d = {.fd = e->fds[side], .kind = DESCRIPTOR_PIPE, .item = index, .edges = {GRAPH_NONE, GRAPH_NONE},
				       .cloexec = cloexec, .reads = side == 0 || state.two_way, .writes = side == 1 || state.two_way};
		descriptor_put(b, process, d);
	}
}

bool pipe_has_heir(const struct graph_builder *b, uint32_t pipe, uint32_t process)
{
	const struct pipe_state *s = &b->pipe_states.items[pipe];
	for (uint32_t i = 0; i < s->heir_count; i++)
		if (s->heirs[i] == process)
			return true;
	return false;
}

// The shell waits for `$(a)` to end before it goes on: whom it starts then has nothing to do with that pipe.
static bool is_over(const struct graph_builder *b, const struct pipe_state *s, uint64_t fork_ns)
{
	return s->heir_count > 0 && b->g->processes.items[s->heirs[0]].exit_ns < fork_ns;
}

// A new process takes what its parent's pipes offer.
void pipe_take_heir(struct graph_builder *b, uint32_t child)
{
	const struct process_state *state = &b->process_states.items[child];
	const struct descriptors *t = state->descriptors;
	for (uint32_t i = 0; t && i < t->count; i++) {
		const struct descriptor *d = &t->items[i];
		if (d->kind != DESCRIPTOR_PIPE || d->owner == child || d->owner_depth + 1 != state->depth)
			continue;
		struct pipe_state *s = &b->pipe_states.items[d->item];
		if (s->heir_count < PIPE_HEIRS && !pipe_has_heir(b, d->item, child) && !is_over(b, s, b->g->processes.items[child].birth_ns))
			s->heirs[s->heir_count++] = child;
	}
}

void pipe_join_heir(struct graph_builder *b, uint32_t pipe, uint32_t segment, bool reads, bool writes, uint64_t start_ns, uint64_t serial,
		    uint32_t evidence, uint32_t evidence_count)
{
	uint32_t node = b->g->segments.items[segment].node, other = b->g->pipes.items[pipe].node;
	struct flow f = {.op = FLOW_PIPE, .class = CLASS_INFERRED, .until = UNTIL_SEGMENT, .start_ns = start_ns, .end_ns = NANOTIME_NONE,
			 .serial = serial, .evidence = evidence, .evidence_count = evidence_count};
	if (writes) {
		f.from = node, f.to = other;
		flow_add(b, &f);
	}
	if (reads) {
		f.from = other, f.to = node;
		flow_add(b, &f);
	}
}

static bool has_executed(const struct graph_builder *b, uint32_t process)
{
	return b->segment_states.items[process_segment(b, process)].executed;
}

void pipes_settle(struct graph_builder *b)
{
	for (uint32_t i = 0; i < b->g->pipes.count; i++) {
		const struct pipe_state *s = &b->pipe_states.items[i];
		const struct pipe_channel *p = &b->g->pipes.items[i];
		bool between_children = s->heir_count == PIPE_HEIRS && !s->two_way && has_executed(b, s->heirs[0]) && has_executed(b, s->heirs[1]);
		if (s->heir_count > 0 && !between_children)
			pipe_join_heir(b, i, s->segment, true, true, p->time_ns, p->serial, s->evidence, s->evidence_count);
	}
}
