// SPDX-License-Identifier: MIT
// Births. Three things make a fork record less than it seems:
//   - a vfork or clone3 returns in the parent after the child has acted: the record attaches a parent to the instance that is there,
//     and never replaces it
//   - exit= is the child's pid in the caller's pid namespace: it counts only if the child's own ppid= agrees
//   - clone3 hides its flags, so its "child" may be a thread, which never shows as pid=
// So a birth waits here until its child shows itself.
#include "graph/build.h"

#include <string.h>

#define CLONE_THREAD_FLAG 0x10000u /* linux/sched.h */
#define CLONE_PARENT_FLAG 0x8000u  /* linux/sched.h */
#define ARCH_S390 0x16u            /* EM_S390, linux/elf-em.h: clone takes its flags second there */
#define ANCESTORS_MAX 64           /* our limit when we ask whether a pid is above a process */

static uint32_t birth_hash(const struct graph_builder *b, uint32_t realm, uint32_t pid)
{
	return table_hash(&b->birth_table, realm, pid);
}

static uint32_t birth_newest(const struct graph_builder *b, uint32_t realm, uint32_t pid)
{
	uint32_t hash = birth_hash(b, realm, pid), item;
	for (size_t cursor = 0; (item = table_next(&b->birth_table, hash, &cursor)) != TABLE_NONE;)
		if (b->births.items[item].pid == pid && b->births.items[item].realm == realm)
			return item;
	return GRAPH_NONE;
}

uint32_t birth_find(const struct graph_builder *b, uint32_t realm, uint32_t pid)
{
	uint32_t birth = birth_newest(b, realm, pid);
	return birth != GRAPH_NONE && b->births.items[birth].child == GRAPH_NONE ? birth : GRAPH_NONE;
}

static bool is_above_pid(const struct graph_builder *b, uint32_t process, uint32_t pid)
{
	if (pid == 1)
		return true;
	for (unsigned i = 0; i < ANCESTORS_MAX && process != GRAPH_NONE; i++) {
		if (b->g->processes.items[process].pid == pid)
			return true;
		process = b->g->processes.items[process].parent;
	}
	return false;
}

// The first thing a forked child does, it does as its parent's image, or it executes.
static bool acts_like_child(const struct graph_builder *b, const struct birth *birth, const struct event *e)
{
	return e->op == OP_EXEC || !event_has(e, EVENT_HAS_COMM) || e->comm == b->g->segments.items[birth->origin].comm;
}

bool birth_fits(const struct graph_builder *b, uint32_t birth, uint32_t current, const struct event *e, enum flow_class *ret_class)
{
	const struct birth *f = &b->births.items[birth];
	const struct process_state *creator = &b->process_states.items[f->creator];
	*ret_class = CLASS_OBSERVED;
	if (e->earliest_ns < f->start_ns)
		return false;
	if (!event_has(e, EVENT_HAS_PPID) || e->ppid == (f->sibling ? creator->ppid : b->g->processes.items[f->creator].pid))
		return true;
	if (current != GRAPH_NONE && b->process_states.items[current].exit_latest_ns == NANOTIME_NONE &&
	    b->process_states.items[current].ppid == e->ppid)
		return false; // the one that we know goes on; the number was of another pid namespace
	// An orphan was adopted before it first spoke: its parent is gone, and its new one stood above that.
	*ret_class = CLASS_INFERRED;
	bool gone = creator->exit_latest_ns != NANOTIME_NONE || !b->exits_audited;
	return gone && is_above_pid(b, f->creator, e->ppid) && acts_like_child(b, f, e);
}

static void copy_image(struct segment *to, const struct segment *from)
{
	to->exe = from->exe;
	to->comm = from->comm;
	to->cwd = from->cwd;
	to->tty = from->tty;
	to->argv = from->argv;
	to->argv_count = from->argv_count;
	to->argc = from->argc;
	to->program_file = from->program_file;
	to->forked_stub = true;
}

static void set_birth(struct graph_builder *b, const struct birth *f, uint32_t child, enum flow_class class_)
{
	uint32_t parent = f->creator;
	if (f->sibling) { // CLONE_PARENT: the image came from the creator, the kernel's parent is the creator's
		parent = b->g->processes.items[f->creator].parent;
		if (parent == GRAPH_NONE && b->process_states.items[f->creator].ppid)
			parent = process_named(b, b->process_states.items[f->creator].ppid, f->start_ns, NULL);
	}
	process_set_parent(b, child, parent, class_);
	struct process *p = &b->g->processes.items[child];
	struct process_state *state = &b->process_states.items[child];
	p->birth_seen = true;
	p->birth_ns = f->start_ns;
	state->origin = f->origin;
	state->fork_start_ns = f->start_ns;
	state->fork_end_ns = f->end_ns;
	state->fork_serial = f->serial;
	state->fork_evidence = f->evidence;
	state->fork_evidence_count = f->evidence_count;
}

uint32_t birth_become(struct graph_builder *b, uint32_t birth, enum flow_class class_)
{
	const struct birth f = b->births.items[birth];
	uint32_t child = process_new(b, f.realm, f.pid, f.start_ns);
	if (child == GRAPH_NONE)
		return GRAPH_NONE;
	b->births.items[birth].child = child;
	b->births.items[birth].descriptors = NULL;
	b->process_states.items[child].descriptors = f.descriptors;
	b->process_states.items[child].first_ns = b->event->earliest_ns > f.start_ns ? b->event->earliest_ns : f.start_ns;
	set_birth(b, &f, child, class_);
	struct segment *stub = &b->g->segments.items[process_segment(b, child)];
	copy_image(stub, &b->g->segments.items[f.origin]);
	stub->serial = f.serial;
	const struct process *creator = &b->g->processes.items[f.creator];
	struct process *p = &b->g->processes.items[child];
	p->auid = creator->auid;
	p->session = creator->session;
	p->ids = stub->ids = creator->ids;
	identity_inherit(b, child, f.creator, f.start_ns, f.serial);
	pipe_take_heir(b, child);
	return child;
}

// The copy of the parent's image that ran before the first execve that we saw.
static void insert_stub(struct graph_builder *b, uint32_t child, const struct birth *f)
{
	uint32_t stub = segment_add(b, child, f->start_ns, f->serial);
	if (stub == GRAPH_NONE)
		return;
	struct process *p = &b->g->processes.items[child];
	memmove(p->segments.items + 1, p->segments.items, (p->segments.count - 1) * sizeof(*p->segments.items));
	p->segments.items[0] = stub;
	for (uint32_t i = 0; i < p->segments.count; i++) {
		struct segment *s = &b->g->segments.items[p->segments.items[i]];
		s->ordinal = i;
		b->g->nodes.items[s->node].part = i;
	}
	copy_image(&b->g->segments.items[stub], &b->g->segments.items[f->origin]);
	b->g->segments.items[stub].ids = b->g->processes.items[f->creator].ids;
}

void birth_attach(struct graph_builder *b, uint32_t birth, uint32_t child, enum flow_class class_)
{
	const struct birth f = b->births.items[birth];
	b->births.items[birth].child = child;
	set_birth(b, &f, child, class_);
	identity_inherit(b, child, f.creator, f.start_ns, f.serial);
	uint32_t first = b->g->processes.items[child].segments.items[0];
	struct segment *s = &b->g->segments.items[first];
	const struct segment *origin = &b->g->segments.items[f.origin];
	if (b->segment_states.items[first].executed) {
		insert_stub(b, child, &f);
		return;
	}
	if (!s->exe || s->exe == origin->exe) {
		uint32_t cwd = s->cwd, tty = s->tty, comm = s->comm;
		copy_image(s, origin);
		s->cwd = cwd ? cwd : s->cwd;
		s->tty = tty ? tty : s->tty;
		s->comm = comm ? comm : s->comm;
	}
	s->start_ns = f.start_ns;
	b->g->nodes.items[s->node].start_ns = f.start_ns;
}

// The child acted before this record was written.
static bool came_first(const struct graph_builder *b, uint32_t child, const struct birth *f)
{
	const struct process *p = &b->g->processes.items[child];
	const struct process_state *s = &b->process_states.items[child];
	if (p->birth_seen || s->first_ns < f->start_ns)
		return false;
	return p->implied || p->ppid == (f->sibling ? b->process_states.items[f->creator].ppid : b->g->processes.items[f->creator].pid);
}

static uint64_t clone_flags(const struct graph_builder *b, const struct event *e)
{
	if (e->syscall_name != b->call_clone || !event_has(e, EVENT_HAS_ARGS))
		return 0;
	return e->args[(e->arch & 0xffff) == ARCH_S390 ? 1 : 0];
}

void link_fork(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	uint64_t flags = clone_flags(b, e);
	if (!event_has(e, EVENT_HAS_EXIT) || e->exit <= 0 || e->exit > UINT32_MAX || (flags & CLONE_THREAD_FLAG))
		return;
	struct birth f = {
		.realm = b->realm, .pid = (uint32_t)e->exit, .creator = process, .origin = process_segment(b, process), .child = GRAPH_NONE,
		.start_ns = e->earliest_ns, .end_ns = e->latest_ns, .serial = e->serial, .sibling = (flags & CLONE_PARENT_FLAG) != 0,
		.maybe_thread = e->syscall_name == b->call_clone3 || (e->syscall_name == b->call_clone && !event_has(e, EVENT_HAS_ARGS)),
	};
	uint32_t older = birth_newest(b, b->realm, f.pid), birth = (uint32_t)b->births.count, hash = birth_hash(b, b->realm, f.pid);
	uint32_t child = process_find(b, b->realm, f.pid);
	evidence_keep(b, &f.evidence, &f.evidence_count);
	if (birth_vector_append(&b->births, f) < 0 || (older == GRAPH_NONE && table_add(&b->birth_table, hash, birth) < 0)) {
		b->failed = true;
		return;
	}
	if (older != GRAPH_NONE)
		table_replace(&b->birth_table, hash, older, birth);
	if (child != GRAPH_NONE && came_first(b, child, &f))
		birth_attach(b, birth, child, CLASS_OBSERVED);
	else
		b->births.items[birth].descriptors = descriptors_share(b->process_states.items[process].descriptors);
}
