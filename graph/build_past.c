// SPDX-License-Identifier: MIT
// Ancestors that were born before the window: which to ask for, and what an older event tells of them. Answers come newest first.
#include "graph/build.h"

#define LINE_MAX_HOPS 1000 /* our limit for one line: a chain of forks must not become a search for each of its links */

// What is still unknown of a process that matters: what it runs, with which arguments, and who started it.
static bool program_known(const struct graph_builder *b, uint32_t process)
{
	const struct process *p = &b->g->processes.items[process];
	const struct segment *first = &b->g->segments.items[p->segments.items[0]];
	// A forked copy is as well known as what it was copied from; whoever executed since is known by that.
	return b->segment_states.items[p->segments.items[0]].executed || first->forked_stub || p->segments.count > 1;
}

// Known only as a child of the first process: perhaps its own, perhaps adopted by it.
static bool is_adopted(const struct graph_builder *b, uint32_t process)
{
	const struct process *p = &b->g->processes.items[process];
	return !p->birth_seen && p->parent != GRAPH_NONE && b->g->processes.items[p->parent].pid == 1;
}

static bool is_known(const struct graph_builder *b, uint32_t process)
{
	const struct process *p = &b->g->processes.items[process];
	if (p->birth_seen) // born inside the window: it is what its parent was
		return true;
	return program_known(b, process) && p->parent != GRAPH_NONE && !is_adopted(b, process);
}

static void want_line(struct graph_builder *b, uint32_t process, struct ancestor_vector *out)
{
	for (unsigned hops = 0; hops < LINE_MAX_HOPS && process != GRAPH_NONE; hops++, process = b->g->processes.items[process].parent) {
		const struct process *p = &b->g->processes.items[process];
		struct process_state *s = &b->process_states.items[process];
		if (s->asked)
			continue;
		s->asked = true;
		if (p->pid <= 1 || is_known(b, process)) // the first process of a boot has no record
			continue;
		struct ancestor_wanted w = {.host = p->host, .epoch = p->epoch, .pid = p->pid, .before_ns = s->first_ns};
		if (ancestor_vector_append(out, w) < 0 || u32_vector_append(&b->asked, process) < 0)
			b->failed = true;
	}
}

int graph_missing_ancestors(struct graph *g, const struct event_address *address, struct ancestor_vector *out, struct error *err)
{
	struct graph_builder *b = g->builder;
	struct u32_vector contacts = {0};
	if (!address) {
		for (uint32_t i = 0; i < g->processes.count; i++)
			want_line(b, i, out);
		return builder_check(b, "ancestors", err);
	}
	int result = contacts_find(g, address, 0, &contacts, err);
	for (size_t i = 0; result == 0 && i < contacts.count; i++)
		want_line(b, g->connections.items[contacts.items[i]].process, out);
	for (size_t i = 0; i < b->creators.count; i++)
		want_line(b, b->creators.items[i], out);
	u32_vector_release(&contacts);
	return result < 0 ? -1 : builder_check(b, "ancestors", err);
}

// The process that was asked for; instances of one pid differ in the time before which they were wanted.
static uint32_t asked_process(const struct graph_builder *b, const struct ancestor_wanted *w)
{
	for (size_t i = b->asked.count; i-- > 0;) {
		const struct process *p = &b->g->processes.items[b->asked.items[i]];
		if (p->pid == w->pid && p->host == w->host && p->epoch == w->epoch && b->process_states.items[b->asked.items[i]].first_ns == w->before_ns)
			return b->asked.items[i];
	}
	return GRAPH_NONE;
}

static void begin_earlier(struct graph_builder *b, uint32_t process, uint64_t ns)
{
	struct process *p = &b->g->processes.items[process];
	struct segment *s = &b->g->segments.items[p->segments.items[0]];
	if (ns >= s->start_ns)
		return;
	s->start_ns = p->birth_ns = ns;
	b->g->nodes.items[s->node].start_ns = ns;
}

static void past_exec(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	uint32_t segment = b->g->processes.items[process].segments.items[0];
	struct segment *s = &b->g->segments.items[segment];
	struct segment_state *state = &b->segment_states.items[segment];
	if (state->executed || (s->exe && event_has(e, EVENT_HAS_EXE) && s->exe != e->exe))
		return; // a newer one is known already; or it became something else since, and nobody recorded how
	state->executed = true;
	state->exec_end_ns = e->latest_ns;
	evidence_keep(b, &state->evidence, &state->evidence_count);
	segment_fill(b, segment, e);
	segment_arguments(b, segment, e);
	begin_earlier(b, process, e->earliest_ns);
	b->g->segments.items[segment].serial = e->serial;
	segment_files(b, process, segment);
}

static void past_parent(struct graph_builder *b, uint32_t process, uint32_t pid, enum flow_class class_)
{
	const struct event *e = b->event;
	struct process_state *s = &b->process_states.items[process];
	const struct process *p = &b->g->processes.items[process];
	// What init or a subreaper adopted had another parent before: the older record knows better.
	bool adopted = is_adopted(b, process) && pid != 1;
	if (p->parent != GRAPH_NONE && !adopted && (class_ != CLASS_OBSERVED || p->birth_seen))
		return;
	uint32_t parent = process_before(b, pid, e->earliest_ns);
	if (parent == GRAPH_NONE)
		return;
	process_set_parent(b, process, parent, class_);
	s = &b->process_states.items[process];
	s->fork_start_ns = e->earliest_ns;
	s->fork_end_ns = e->latest_ns;
	s->fork_serial = e->serial;
	// Its segment of then: the first, as far as the window knows.
	s->origin = b->g->processes.items[parent].segments.items[0];
	evidence_keep(b, &s->fork_evidence, &s->fork_evidence_count);
	if (class_ == CLASS_OBSERVED) {
		b->g->processes.items[process].birth_seen = true;
		begin_earlier(b, process, e->earliest_ns);
	}
}

static void own_record(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	struct process *p = &b->g->processes.items[process];
	if (e->op == OP_EXIT) { // an older process with this pid ended here: nothing before is about ours
		b->process_states.items[process].past_closed = true;
		return;
	}
	if (p->implied) {
		p->implied = false;
		p->ppid = event_has(e, EVENT_HAS_PPID) ? e->ppid : 0;
	}
	if (p->identities.count == 0)
		identity_note(b, process, e);
	if (e->op == OP_EXEC && e->success)
		past_exec(b, process);
	else if (!b->segment_states.items[p->segments.items[0]].executed)
		segment_fill(b, p->segments.items[0], e);
	if (event_has(e, EVENT_HAS_PPID) && e->ppid != 0 && e->ppid != e->pid)
		past_parent(b, process, e->ppid, CLASS_INFERRED);
}

int graph_add_past_event(struct graph *g, const struct ancestor_wanted *wanted, const struct event *event, bool *ret_satisfied, struct error *err)
{
	struct graph_builder *b = g->builder;
	uint32_t process = asked_process(b, wanted);
	*ret_satisfied = process == GRAPH_NONE || b->process_states.items[process].past_closed;
	if (*ret_satisfied || event->kind != EVENT_SYSCALL || event->epoch != wanted->epoch || event->host != wanted->host || !event_has(event, EVENT_HAS_PID))
		return 0;
	builder_begin(b, event);
	b->past = true;
	if (event->pid == wanted->pid) {
		own_record(b, process);
	} else if (event->op == OP_FORK && event->success && event->exit == (int64_t)wanted->pid) {
		past_parent(b, process, event->pid, CLASS_OBSERVED);
		b->process_states.items[process].past_closed = true; // its birth
	}
	b->past = false;
	b->event = NULL;
	*ret_satisfied = b->process_states.items[process].past_closed || is_known(b, process);
	return builder_check(b, "ancestors", err);
}
