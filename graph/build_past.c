// SPDX-License-Identifier: MIT
// Ancestors that were born before the window: which to ask for, and what an older event tells of them.
#include "graph/build.h"

#include "base/nanotime.h"

#include <string.h>

#define ANCESTORS_MAX 1000 /* our limit for one line: a chain of forks must not become a search for each of its links */

// What is still unknown of a process that matters?
static bool incomplete(const struct graph *g, uint32_t process)
{
	const struct process *p = &g->processes.items[process];
	const struct segment *first = &g->segments.items[p->segments.items[0]];
	bool program_known = first->argv_count > 0 || g->builder->states.items[process].exec_seen;
	if (p->birth_seen)
		return false; // born inside the window: it is what its parent was
	return !program_known || p->parent == GRAPH_NONE;
}

static int want_line(struct graph *g, uint32_t process, struct ancestor_vector *out)
{
	for (uint32_t hops = 0; process != GRAPH_NONE && hops < ANCESTORS_MAX; hops++) {
		const struct process *p = &g->processes.items[process];
		struct process_state *state = &g->builder->states.items[process];
		if (!state->asked && p->pid > 1 && incomplete(g, process)) {
			state->asked = true;
			struct ancestor_wanted w = {.host = p->host, .epoch = p->epoch, .pid = p->pid, .before_ns = state->first_ns};
			if (ancestor_vector_append(out, w) < 0)
				return -1;
		}
		process = p->parent;
	}
	return 0;
}

int graph_missing_ancestors(struct graph *g, const struct event_address *address, struct ancestor_vector *out, struct error *err)
{
	struct u32_vector contacts = {0};
	int result = 0;
	if (address) {
		result = contacts_find(g, address, 0, &contacts, err);
		for (size_t i = 0; result == 0 && i < contacts.count; i++)
			result = want_line(g, g->connections.items[contacts.items[i]].process, out);
	} else {
		for (uint32_t i = 0; result == 0 && i < g->processes.count; i++)
			result = want_line(g, i, out);
	}
	u32_vector_release(&contacts);
	return result < 0 ? error_set(err, "ancestors: out of memory") : 0;
}

static int past_exec(struct graph *g, uint32_t process, const struct event *e)
{
	struct process *p = &g->processes.items[process];
	uint32_t index = p->segments.items[0];
	struct segment *s = &g->segments.items[index];
	struct process_state *state = &g->builder->states.items[process];
	if (s->argv_count || state->exec_seen)
		return 0; // a newer exec is known already
	if (builder_fill_segment(g, s, e) < 0)
		return -1;
	s->forked_stub = false;
	s->start_ns = e->earliest_ns;
	s->serial = e->serial;
	g->nodes.items[s->node].start_ns = e->earliest_ns;
	if (e->earliest_ns < p->birth_ns)
		p->birth_ns = e->earliest_ns;
	p->implied = false;
	return builder_exec_files(g, process, index, e);
}

static int past_parent(struct graph *g, uint32_t process, uint32_t parent_pid, enum flow_class class_, const struct event *e)
{
	if (parent_pid == 0 || parent_pid == g->processes.items[process].pid)
		return 0;
	uint32_t parent = builder_process_by_pid(g, e->host, e->epoch, parent_pid, e->earliest_ns);
	if (parent == GRAPH_NONE || evidence_link_vector_reserve(&g->builder->evidence, 1) < 0)
		return -1;
	struct process *p = &g->processes.items[process];
	struct process_state *state = &g->builder->states.items[process];
	if (p->parent != GRAPH_NONE && p->parent_class == CLASS_OBSERVED)
		return 0;
	for (uint32_t up = parent, hops = 0; up != GRAPH_NONE && hops < g->processes.count; up = g->processes.items[up].parent, hops++)
		if (up == process)
			return 0; // a pid that came round: better no parent than a circle
	p->parent = parent;
	p->parent_class = (uint8_t)class_;
	p->birth_seen = class_ == CLASS_OBSERVED;
	if (e->earliest_ns < p->birth_ns)
		p->birth_ns = e->earliest_ns;
	state->parent_node = builder_segment_node_at(g, parent, e->earliest_ns);
	state->fork_start_ns = state->fork_end_ns = e->earliest_ns;
	state->fork_serial = e->serial;
	return builder_evidence(g, e, &state->fork_evidence);
}

int graph_add_past_event(struct graph *g, const struct ancestor_wanted *wanted, const struct event *e, bool *ret_satisfied, struct error *err)
{
	int result = 0;
	*ret_satisfied = false;
	uint32_t process = builder_process_by_pid(g, wanted->host, wanted->epoch, wanted->pid, wanted->before_ns);
	if (process == GRAPH_NONE)
		return error_set(err, "ancestors: out of memory");
	if (e->kind != EVENT_SYSCALL || e->epoch != wanted->epoch || !(e->present & EVENT_HAS_PID))
		return 0;
	g->builder->past = true;
	struct segment *s = &g->segments.items[g->processes.items[process].segments.items[0]];
	if (e->pid == wanted->pid) {
		if (e->op == OP_EXIT && g->builder->states.items[process].first_ns > e->earliest_ns) {
			*ret_satisfied = true; // an older process with the same pid ended here: nothing before is about ours
			g->builder->past = false;
			return 0;
		}
		if (e->op == OP_EXEC && e->success)
			result = past_exec(g, process, e);
		else if (!s->exe)
			result = builder_fill_segment(g, s, e);
		if (e->present & EVENT_HAS_EXE)
			g->processes.items[process].implied = false;
		if (result == 0 && (e->present & EVENT_HAS_PPID) && g->processes.items[process].parent == GRAPH_NONE)
			result = past_parent(g, process, e->ppid, CLASS_INFERRED, e);
		if (result == 0 && g->processes.items[process].identities.count == 0)
			result = builder_identity(g, process, e);
	} else if (e->op == OP_FORK && e->success && e->exit == (int64_t)wanted->pid) {
		result = past_parent(g, process, e->pid, CLASS_OBSERVED, e);
		*ret_satisfied = true; // its birth: older records are about another process
	}
	g->builder->past = false;
	if (!incomplete(g, process))
		*ret_satisfied = true;
	return result < 0 ? error_set(err, "ancestors: out of memory") : 0;
}
