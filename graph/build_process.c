// SPDX-License-Identifier: MIT
// Process instances. A pid is a number that returns; who acts is decided by these rules:
//   - a fork that names the pid begins a new instance, or attaches to the one that has acted already (build_birth.c)
//   - after an exit, the next record with the pid begins a new instance
//   - a changed ppid= is reparenting, and never a new instance
// A process without a fork record is born when it is first seen, and its parent is who ppid= names: inferred.
#include "graph/build.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

// A child's ppid= may still name a parent whose exit record is written: the kernel writes it before it reparents the children.
#define EXIT_GRACE_NS NANOTIME_SECOND

uint32_t realm_of(struct graph_builder *b, uint32_t host, uint32_t epoch)
{
	uint32_t hash = table_hash(&b->realm_table, host, epoch), item;
	for (size_t cursor = 0; (item = table_next(&b->realm_table, hash, &cursor)) != TABLE_NONE;)
		if (b->realms.items[item].host == host && b->realms.items[item].epoch == epoch)
			return item;
	if (realm_vector_append(&b->realms, (struct realm){host, epoch, GRAPH_NONE}) < 0) {
		b->failed = true;
		return 0;
	}
	if (table_add(&b->realm_table, hash, (uint32_t)(b->realms.count - 1)) < 0)
		b->failed = true;
	return (uint32_t)(b->realms.count - 1);
}

static uint32_t pid_hash(const struct graph_builder *b, uint32_t realm, uint32_t pid)
{
	return table_hash(&b->process_table, realm, pid);
}

uint32_t process_find(const struct graph_builder *b, uint32_t realm, uint32_t pid)
{
	uint32_t hash = pid_hash(b, realm, pid), item;
	for (size_t cursor = 0; (item = table_next(&b->process_table, hash, &cursor)) != TABLE_NONE;)
		if (b->g->processes.items[item].pid == pid && b->process_states.items[item].realm == realm)
			return item;
	return GRAPH_NONE;
}

uint32_t segment_add(struct graph_builder *b, uint32_t process, uint64_t start_ns, uint64_t serial)
{
	struct process *p = &b->g->processes.items[process];
	struct segment s = {
		.process = process, .ordinal = (uint32_t)p->segments.count, .start_ns = start_ns, .end_ns = NANOTIME_NONE,
		.serial = serial, .program_file = GRAPH_NONE,
	};
	s.node = node_add(b, NODE_PROCESS, process, s.ordinal, start_ns);
	if (s.node == GRAPH_NONE || segment_state_vector_append(&b->segment_states, (struct segment_state){0}) < 0 ||
	    segment_vector_append(&b->g->segments, s) < 0 ||
	    builder_grow((void **)&p->segments.items, &p->segments.capacity, p->segments.count, sizeof(*p->segments.items)) < 0) {
		b->failed = true;
		return GRAPH_NONE;
	}
	uint32_t index = (uint32_t)(b->g->segments.count - 1);
	p->segments.items[p->segments.count++] = index;
	return index;
}

uint32_t process_new(struct graph_builder *b, uint32_t realm, uint32_t pid, uint64_t since_ns)
{
	struct graph *g = b->g;
	uint32_t older = process_find(b, realm, pid), index = (uint32_t)g->processes.count, hash = pid_hash(b, realm, pid);
	struct process p = {
		.host = b->realms.items[realm].host, .epoch = b->realms.items[realm].epoch, .pid = pid,
		.instance = older == GRAPH_NONE ? 1 : g->processes.items[older].instance + 1,
		.birth_ns = since_ns, .exit_ns = NANOTIME_NONE, .parent = GRAPH_NONE, .parent_class = CLASS_INFERRED,
		.auid = EVENT_ID_UNSET, .session = EVENT_ID_UNSET,
	};
	struct process_state state = {.realm = realm, .first_ns = since_ns, .last_ns = since_ns, .exit_latest_ns = NANOTIME_NONE, .origin = GRAPH_NONE,
				      .next_instance = GRAPH_NONE};
	if (process_state_vector_append(&b->process_states, state) < 0 || process_vector_append(&g->processes, p) < 0 ||
	    (older == GRAPH_NONE && table_add(&b->process_table, hash, index) < 0)) {
		b->failed = true;
		return GRAPH_NONE;
	}
	if (older != GRAPH_NONE) {
		b->process_states.items[older].next_instance = index;
		table_replace(&b->process_table, hash, older, index);
	}
	return segment_add(b, index, since_ns, b->event->serial) == GRAPH_NONE ? GRAPH_NONE : index;
}

uint32_t process_segment(const struct graph_builder *b, uint32_t process)
{
	const struct process *p = &b->g->processes.items[process];
	return p->segments.items[p->segments.count - 1];
}

uint32_t process_node(const struct graph_builder *b, uint32_t process)
{
	return process == GRAPH_NONE ? GRAPH_NONE : b->g->segments.items[process_segment(b, process)].node;
}

void segment_fill(struct graph_builder *b, uint32_t segment, const struct event *e)
{
	struct segment *s = &b->g->segments.items[segment];
	if (!s->exe && event_has(e, EVENT_HAS_EXE))
		s->exe = e->exe;
	if (!s->comm && event_has(e, EVENT_HAS_COMM))
		s->comm = e->comm;
	if (!s->cwd && event_has(e, EVENT_HAS_CWD))
		s->cwd = e->cwd;
	if (!s->tty && event_has(e, EVENT_HAS_TTY))
		s->tty = e->tty;
	if (!s->title && event_has(e, EVENT_HAS_TITLE))
		s->title = e->title;
}

// Is `ancestor` above `process`, or the same? Only a process that was named before it showed itself can be above its own parent.
static bool is_above(const struct graph_builder *b, uint32_t ancestor, uint32_t process)
{
	for (uint32_t p = process; p != GRAPH_NONE; p = b->g->processes.items[p].parent)
		if (p == ancestor)
			return true;
	return false;
}

void process_set_parent(struct graph_builder *b, uint32_t child, uint32_t parent, enum flow_class class_)
{
	struct process *p = &b->g->processes.items[child];
	// A pid that came round: better no parent than a circle. Who has no child is above nobody, which keeps long chains cheap.
	if (parent != GRAPH_NONE && b->g->processes.items[child].parent == parent) {
		p->parent_class = (uint8_t)class_; // confirmed: nothing above it changes
		b->process_states.items[child].origin = process_segment(b, parent);
		return;
	}
	if (parent == GRAPH_NONE || parent == child || (b->process_states.items[child].has_child && is_above(b, child, parent)))
		return;
	b->process_states.items[parent].has_child = true;
	p->parent = parent;
	p->parent_class = (uint8_t)class_;
	b->process_states.items[child].origin = process_segment(b, parent);
	b->process_states.items[child].depth = b->process_states.items[parent].depth + 1;
}

uint32_t process_named(struct graph_builder *b, uint32_t pid, uint64_t time_ns, enum flow_class *ret_class)
{
	enum flow_class class_ = CLASS_INFERRED;
	uint32_t known = process_find(b, b->realm, pid), birth = birth_find(b, b->realm, pid);
	bool ended = known != GRAPH_NONE && b->process_states.items[known].exit_latest_ns < time_ns;
	if (ended && birth == GRAPH_NONE && time_ns - b->process_states.items[known].exit_latest_ns <= EXIT_GRACE_NS) {
		class_ = CLASS_UNCERTAIN;
		ended = false;
	}
	if (known == GRAPH_NONE || ended) {
		if (birth != GRAPH_NONE && b->births.items[birth].start_ns <= time_ns) {
			known = birth_become(b, birth, CLASS_OBSERVED);
		} else {
			known = process_new(b, b->realm, pid, time_ns);
			if (known != GRAPH_NONE)
				b->g->processes.items[known].implied = true;
		}
	}
	if (ret_class)
		*ret_class = class_;
	return known;
}

// Who had this pid before the window. The newest that is known may have been born later: then it was somebody else, of whom only
// the number is known, and who must not take the newer one's place.
uint32_t process_before(struct graph_builder *b, uint32_t pid, uint64_t time_ns)
{
	uint32_t newest = process_find(b, b->realm, pid);
	if (newest == GRAPH_NONE || !b->g->processes.items[newest].birth_seen || b->g->processes.items[newest].birth_ns <= time_ns)
		return process_named(b, pid, time_ns, NULL);
	uint32_t index = process_new(b, b->realm, pid, time_ns);
	if (index == GRAPH_NONE)
		return GRAPH_NONE;
	table_replace(&b->process_table, pid_hash(b, b->realm, pid), index, newest);
	b->g->processes.items[index].implied = true;
	b->process_states.items[newest].next_instance = GRAPH_NONE;
	b->process_states.items[index].next_instance = newest;
	return index;
}

// Who ppid= names, for a process without a fork record.
static void parent_by_ppid(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	enum flow_class class_;
	if (!event_has(e, EVENT_HAS_PPID) || e->ppid == 0 || e->ppid == e->pid)
		return;
	uint32_t parent = process_named(b, e->ppid, e->earliest_ns, &class_);
	if (parent == GRAPH_NONE)
		return;
	process_set_parent(b, process, parent, class_);
	struct process_state *state = &b->process_states.items[process];
	state->fork_start_ns = state->fork_end_ns = e->earliest_ns;
	state->fork_serial = e->serial;
	evidence_keep(b, &state->fork_evidence, &state->fork_evidence_count);
	if (!state->descriptors)
		state->descriptors = descriptors_share(b->process_states.items[parent].descriptors);
	pipe_take_heir(b, process);
}

static uint32_t first_seen(struct graph_builder *b)
{
	const struct event *e = b->event;
	uint32_t process = process_new(b, b->realm, e->pid, e->earliest_ns);
	if (process == GRAPH_NONE)
		return GRAPH_NONE;
	b->g->processes.items[process].ppid = event_has(e, EVENT_HAS_PPID) ? e->ppid : 0;
	parent_by_ppid(b, process);
	b->fresh = process;
	return process;
}

// An implied process shows itself: now its own records say who it is.
static void show_implied(struct graph_builder *b, uint32_t process)
{
	struct process *p = &b->g->processes.items[process];
	p->implied = false;
	p->ppid = event_has(b->event, EVENT_HAS_PPID) ? b->event->ppid : 0;
	if (p->parent == GRAPH_NONE)
		parent_by_ppid(b, process);
}

// After its exit a process says no more; what its other threads were about is written within the same tick.
static bool has_ended(const struct graph_builder *b, uint32_t process, const struct event *e)
{
	const struct process_state *s = &b->process_states.items[process];
	if (s->exit_latest_ns == NANOTIME_NONE)
		return false;
	bool straggler = e->earliest_ns <= s->exit_latest_ns && e->op != OP_EXEC && e->op != OP_EXIT &&
			 (!event_has(e, EVENT_HAS_PPID) || e->ppid == s->ppid);
	return !straggler;
}

static void note_record(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	if (b->g->processes.items[process].implied)
		show_implied(b, process);
	struct process_state *s = &b->process_states.items[process];
	if (event_has(e, EVENT_HAS_PPID))
		s->ppid = e->ppid;
	if (e->latest_ns > s->last_ns)
		s->last_ns = e->latest_ns;
	if (!(e->op == OP_EXEC && e->success)) { // else the words are those of the new program
		segment_watch(b, process);
		segment_fill(b, process_segment(b, process), e);
	}
	identity_note(b, process, e);
}

uint32_t process_of_event(struct graph_builder *b)
{
	const struct event *e = b->event;
	uint32_t process = process_find(b, b->realm, e->pid), birth = birth_find(b, b->realm, e->pid);
	enum flow_class class_;
	b->fresh = GRAPH_NONE;
	if (birth != GRAPH_NONE && birth_fits(b, birth, process, e, &class_)) {
		process = birth_become(b, birth, class_);
		if (process != GRAPH_NONE)
			b->g->processes.items[process].ppid = event_has(e, EVENT_HAS_PPID) ? e->ppid : 0;
	} else if (process == GRAPH_NONE || has_ended(b, process, e)) {
		process = first_seen(b);
	}
	if (process != GRAPH_NONE)
		note_record(b, process);
	return process;
}

bool process_is_shell(const struct graph_builder *b, uint32_t process)
{
	static const char *const shells[] = {"sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "busybox", "mksh"};
	const struct segment *s = &b->g->segments.items[process_segment(b, process)];
	uint32_t name = s->exe ? s->exe : s->comm;
	const char *base;
	size_t base_length, folder_length;
	text_split_path(intern_string(b->g->strings, name), intern_length(b->g->strings, name), &base, &base_length, &folder_length);
	for (size_t i = 0; i < ARRAY_LENGTH(shells); i++)
		if (strlen(shells[i]) == base_length && memcmp(shells[i], base, base_length) == 0)
			return true;
	return false;
}
