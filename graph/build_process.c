// SPDX-License-Identifier: MIT
// Process instances. What makes this hard is the order of records: a vfork or clone3 reports after its child has acted, pids
// return, ppid= changes when a parent ends, and exit= of a clone is a pid in the caller's pid namespace. So:
//   - a fork is a birth that waits for its child, or attaches to the child that has already acted; it never replaces it
//   - a new instance of a pid begins at a fork that names it, or after its exit; never at a change of ppid
//   - a birth counts only if the child's own ppid agrees; else the parent is who ppid names, inferred
#include "graph/build.h"

#include "base/memory.h"
#include "base/nanotime.h"
#include "base/text.h"

#include <string.h>

#define CLONE_THREAD_FLAG 0x10000u /* linux/sched.h */
#define CLONE_PARENT_FLAG 0x8000u  /* linux/sched.h */

static uint64_t pid_key(uint32_t host, uint32_t epoch, uint32_t pid)
{
	return table_key(host, epoch, pid, 1);
}

uint32_t builder_segment_node(const struct graph *g, uint32_t process)
{
	const struct process *p = &g->processes.items[process];
	return g->segments.items[p->segments.items[p->segments.count - 1]].node;
}

uint32_t builder_segment_node_at(const struct graph *g, uint32_t process, uint64_t time_ns)
{
	const struct process *p = &g->processes.items[process];
	size_t i = p->segments.count - 1;
	while (i > 0 && g->segments.items[p->segments.items[i]].start_ns > time_ns)
		i--;
	return g->segments.items[p->segments.items[i]].node;
}

static int add_segment(struct graph *g, uint32_t process, uint64_t start_ns, uint64_t serial, struct segment s)
{
	struct process *p = &g->processes.items[process];
	s.process = process;
	s.ordinal = (uint32_t)p->segments.count;
	s.start_ns = start_ns;
	s.end_ns = NANOTIME_NONE;
	s.serial = serial;
	s.node = builder_add_node(g, NODE_PROCESS, process, s.ordinal, start_ns);
	if (s.node == GRAPH_NONE || segment_vector_append(&g->segments, s) < 0)
		return -1;
	return u32_vector_append(&p->segments, (uint32_t)(g->segments.count - 1));
}

static uint32_t new_process(struct graph *g, uint32_t host, uint32_t epoch, uint32_t pid, uint64_t time_ns, uint64_t serial,
			    struct segment first)
{
	struct graph_builder *b = g->builder;
	uint64_t key = pid_key(host, epoch, pid);
	uint32_t older = table_get(&b->processes, key), index = (uint32_t)g->processes.count;
	struct process p = {
		.host = host, .epoch = epoch, .pid = pid, .birth_ns = time_ns, .exit_ns = NANOTIME_NONE, .parent = GRAPH_NONE,
		.parent_class = CLASS_INFERRED, .auid = EVENT_ID_UNSET, .session = EVENT_ID_UNSET,
		.instance = older == TABLE_NONE ? 1 : g->processes.items[older].instance + 1,
	};
	struct process_state state = {.first_ns = time_ns, .last_ns = time_ns, .parent_node = GRAPH_NONE, .fork_evidence = GRAPH_NONE};
	if (process_vector_append(&g->processes, p) < 0 || process_state_vector_append(&b->states, state) < 0 ||
	    table_put(&b->processes, key, index) < 0 || add_segment(g, index, time_ns, serial, first) < 0)
		return GRAPH_NONE;
	return index;
}

uint32_t builder_process_by_pid(struct graph *g, uint32_t host, uint32_t epoch, uint32_t pid, uint64_t time_ns)
{
	uint32_t known = table_get(&g->builder->processes, pid_key(host, epoch, pid));
	if (known != TABLE_NONE)
		return known;
	uint32_t index = new_process(g, host, epoch, pid, time_ns, 0, (struct segment){.program_file = GRAPH_NONE});
	if (index != GRAPH_NONE)
		g->processes.items[index].implied = true;
	return index;
}

static void set_strings(struct graph *g, struct segment *s, const struct event *e)
{
	(void)g;
	if (e->present & EVENT_HAS_EXE)
		s->exe = e->exe;
	if (e->present & EVENT_HAS_COMM)
		s->comm = e->comm;
	if (e->present & EVENT_HAS_CWD)
		s->cwd = e->cwd;
	if (e->present & EVENT_HAS_TTY)
		s->tty = e->tty;
	if (e->present & EVENT_HAS_TITLE)
		s->title = e->title;
	if (e->present & EVENT_HAS_IDS)
		s->ids = e->ids;
}

int builder_fill_segment(struct graph *g, struct segment *s, const struct event *e)
{
	set_strings(g, s, e);
	if (!(e->present & EVENT_HAS_ARGV))
		return 0;
	s->argv = (uint32_t)g->arguments.count;
	s->argv_count = (uint32_t)e->argv_count;
	s->argc = e->argc;
	for (size_t i = 0; i < e->argv_count; i++)
		if (u32_vector_append(&g->arguments, e->argv[i]) < 0)
			return -1;
	return 0;
}

// A forked child runs its parent's image until it execs.
static struct segment stub_of(const struct graph *g, uint32_t parent_node)
{
	struct segment s = {.program_file = GRAPH_NONE, .forked_stub = true};
	const struct segment *parent = parent_node == GRAPH_NONE ? NULL : graph_segment_of(g, parent_node);
	if (parent) {
		s.exe = parent->exe, s.comm = parent->comm, s.cwd = parent->cwd, s.tty = parent->tty;
		s.argv = parent->argv, s.argv_count = parent->argv_count, s.argc = parent->argc;
		s.program_file = parent->program_file;
	}
	return s;
}

// A child begins with the identity of its forker: a change before its first record shows against that.
static int begin_identity(struct process *p, const struct birth *birth)
{
	struct identity_change first = birth->identity;
	if (!birth->has_identity || identity_vector_reserve(&p->identities, 1) < 0)
		return birth->has_identity ? -1 : 0;
	if (p->identities.count && memcmp(&p->identities.items[0].ids, &first.ids, sizeof(first.ids)) == 0)
		return 0;
	memmove(p->identities.items + 1, p->identities.items, p->identities.count * sizeof(first));
	p->identities.items[0] = first;
	if (p->identities.count++ == 0)
		p->ids = first.ids, p->auid = first.auid, p->session = first.session;
	return 0;
}

static int set_parent(struct graph *g, uint32_t child, const struct birth *birth)
{
	struct process *p = &g->processes.items[child];
	struct process_state *state = &g->builder->states.items[child];
	// With CLONE_PARENT the new process is the forker's sibling, though it is the forker's copy.
	p->parent = birth->same_parent ? g->processes.items[birth->parent].parent : birth->parent;
	p->parent_class = CLASS_OBSERVED;
	p->birth_seen = true;
	if (birth->start_ns < p->birth_ns)
		p->birth_ns = birth->start_ns;
	state->parent_node = birth->parent_node;
	state->fork_start_ns = birth->start_ns;
	state->fork_end_ns = birth->end_ns;
	state->fork_serial = birth->serial;
	state->fork_evidence = birth->evidence;
	return begin_identity(p, birth);
}

// Does the child's own record agree with the fork that may have made it? Its ppid is the forker's, unless that ended before the
// child's first record (its exit may be written later): then it was handed to init, or to a subreaper. A pid of another namespace
// agrees with nothing.
static bool birth_agrees(const struct graph *g, const struct birth *birth, uint32_t ppid, uint64_t first_ns)
{
	const struct process *parent = &g->processes.items[birth->parent];
	if (birth->same_parent)
		return ppid == birth->ppid_of_parent;
	return ppid == parent->pid || ppid == 1 || parent->exit_ns <= first_ns;
}

// The waiting fork that made the process of this event, or TABLE_NONE. One that does not agree was about another pid namespace.
static uint32_t birth_of(const struct graph *g, const struct event *e)
{
	uint32_t birth = table_get(&g->builder->births, pid_key(e->host, e->epoch, e->pid));
	if (birth == TABLE_NONE || e->earliest_ns < g->builder->birth_list.items[birth].start_ns)
		return TABLE_NONE;
	if ((e->present & EVENT_HAS_PPID) && !birth_agrees(g, &g->builder->birth_list.items[birth], e->ppid, e->earliest_ns))
		return TABLE_NONE;
	return birth;
}

// First event of an instance: who is its parent?
static int adopt(struct graph *g, uint32_t child, const struct event *e, uint32_t birth)
{
	struct graph_builder *b = g->builder;
	struct process *p = &g->processes.items[child];
	if (birth != TABLE_NONE) {
		const struct birth known = b->birth_list.items[birth];
		table_forget(&b->births, pid_key(e->host, e->epoch, e->pid));
		if (set_parent(g, child, &known) < 0)
			return -1;
		return builder_inherit(g, known.parent, child, known.start_ns, e);
	}
	if (!(e->present & EVENT_HAS_PPID) || e->ppid == 0 || e->ppid == e->pid)
		return 0;
	uint32_t parent = builder_process_by_pid(g, e->host, e->epoch, e->ppid, e->earliest_ns);
	if (parent == GRAPH_NONE)
		return -1;
	p = &g->processes.items[child];
	p->parent = parent;
	struct process_state *state = &b->states.items[child];
	state->parent_node = builder_segment_node_at(g, parent, e->earliest_ns);
	state->fork_start_ns = state->fork_end_ns = e->earliest_ns;
	state->fork_serial = e->serial;
	return 0;
}

static uint32_t first_seen(struct graph *g, const struct event *e, uint32_t birth)
{
	struct graph_builder *b = g->builder;
	bool exec = e->op == OP_EXEC && e->success;
	bool forked = birth != TABLE_NONE;
	uint64_t since = forked ? b->birth_list.items[birth].start_ns : e->earliest_ns;
	uint32_t ppid_parent = TABLE_NONE;
	if (!forked && (e->present & EVENT_HAS_PPID))
		ppid_parent = table_get(&b->processes, pid_key(e->host, e->epoch, e->ppid));
	struct segment first = {.program_file = GRAPH_NONE};
	// Before an execve there always was another image: the parent's, as far as anybody knows.
	if (forked || exec)
		first = stub_of(g, forked ? b->birth_list.items[birth].parent_node :
				   ppid_parent != TABLE_NONE ? builder_segment_node_at(g, ppid_parent, e->earliest_ns) : GRAPH_NONE);
	if (!exec)
		set_strings(g, &first, e);
	if (e->present & EVENT_HAS_IDS)
		first.ids = e->ids;
	uint32_t index = new_process(g, e->host, e->epoch, e->pid, since, forked ? b->birth_list.items[birth].serial : e->serial, first);
	if (index == GRAPH_NONE)
		return GRAPH_NONE;
	b->states.items[index].first_ns = e->earliest_ns;
	g->processes.items[index].ppid = e->ppid;
	return adopt(g, index, e, birth) < 0 ? GRAPH_NONE : index;
}

// An implied process shows itself: now its own records say who it is.
static int show_implied(struct graph *g, uint32_t index, const struct event *e)
{
	struct process *p = &g->processes.items[index];
	struct segment *s = &g->segments.items[p->segments.items[0]];
	bool exec = e->op == OP_EXEC && e->success;
	p->implied = false;
	p->ppid = e->ppid;
	g->builder->states.items[index].first_ns = e->earliest_ns;
	if (!exec)
		set_strings(g, s, e);
	else if (e->present & EVENT_HAS_IDS)
		s->ids = e->ids;
	return adopt(g, index, e, birth_of(g, e));
}

uint32_t builder_process(struct graph *g, const struct event *e)
{
	struct graph_builder *b = g->builder;
	uint64_t key = pid_key(e->host, e->epoch, e->pid);
	uint32_t known = table_get(&b->processes, key), birth = birth_of(g, e);
	if (known != TABLE_NONE) {
		struct process *p = &g->processes.items[known];
		bool ended = p->exit_ns != NANOTIME_NONE && e->earliest_ns > p->exit_ns;
		bool waiting = birth != TABLE_NONE && !p->implied;
		bool itself = waiting && !p->birth_seen && b->states.items[known].first_ns >= b->birth_list.items[birth].start_ns;
		if (ended || (waiting && !itself))
			return first_seen(g, e, birth);
		if (itself) { // it had acted before anything told whose child it is
			const struct birth late = b->birth_list.items[birth];
			table_forget(&b->births, key);
			if (set_parent(g, known, &late) < 0 || builder_inherit(g, late.parent, known, late.start_ns, e) < 0)
				return GRAPH_NONE;
			p = &g->processes.items[known];
		}
		if (p->implied && show_implied(g, known, e) < 0)
			return GRAPH_NONE;
	} else {
		known = first_seen(g, e, birth);
		if (known == GRAPH_NONE)
			return GRAPH_NONE;
	}
	if (e->earliest_ns > b->states.items[known].last_ns)
		b->states.items[known].last_ns = e->earliest_ns;
	// A process met in the middle of its life: its own records fill in what is not known yet.
	struct process *p = &g->processes.items[known];
	struct segment *s = &g->segments.items[p->segments.items[p->segments.count - 1]];
	if (!s->exe && !(e->op == OP_EXEC && e->success))
		set_strings(g, s, e);
	if (!s->cwd && (e->present & EVENT_HAS_CWD))
		s->cwd = e->cwd;
	return known;
}

static bool is_thread(const struct graph *g, const struct event *e)
{
	return (e->present & EVENT_HAS_ARGS) && (e->args[0] & CLONE_THREAD_FLAG) &&
	       strcmp(intern_string(g->strings, e->syscall_name), "clone") == 0;
}

// The child acted before this record was written: it is known since then, and by nobody's fork yet.
static bool child_came_first(const struct graph *g, uint32_t child, const struct birth *birth)
{
	const struct process *p = &g->processes.items[child];
	return !p->birth_seen && g->builder->states.items[child].first_ns >= birth->start_ns &&
	       (p->implied || birth_agrees(g, birth, p->ppid, g->builder->states.items[child].first_ns));
}

int builder_fork(struct graph *g, uint32_t process, const struct event *e)
{
	struct graph_builder *b = g->builder;
	if (e->exit <= 0 || e->exit > UINT32_MAX || is_thread(g, e))
		return 0;
	uint64_t key = pid_key(e->host, e->epoch, (uint32_t)e->exit);
	struct birth birth = {
		.parent = process, .parent_node = builder_segment_node_at(g, process, e->earliest_ns), .ppid_of_parent = e->ppid,
		.start_ns = e->earliest_ns, .end_ns = e->latest_ns, .serial = e->serial,
		.same_parent = (e->present & EVENT_HAS_ARGS) && (e->args[0] & CLONE_PARENT_FLAG) &&
			       strcmp(intern_string(g->strings, e->syscall_name), "clone") == 0,
		.has_identity = (e->present & EVENT_HAS_IDS) != 0,
		.identity = {.time_ns = e->earliest_ns, .serial = e->serial, .ids = e->ids,
			     .auid = e->present & EVENT_HAS_AUID ? e->auid : EVENT_ID_UNSET,
			     .session = e->present & EVENT_HAS_SESSION ? e->session : EVENT_ID_UNSET},
	};
	if (builder_evidence(g, e, &birth.evidence) < 0)
		return -1;
	uint32_t child = table_get(&b->processes, key);
	if (child != TABLE_NONE && child_came_first(g, child, &birth)) {
		if (set_parent(g, child, &birth) < 0)
			return -1;
		struct segment *stub = &g->segments.items[g->processes.items[child].segments.items[0]];
		if (stub->forked_stub && !stub->exe) {
			struct segment from = stub_of(g, birth.parent_node);
			stub->exe = from.exe, stub->comm = from.comm, stub->argv = from.argv, stub->argv_count = from.argv_count;
			stub->argc = from.argc, stub->program_file = from.program_file;
		}
		stub->start_ns = birth.start_ns < stub->start_ns ? birth.start_ns : stub->start_ns;
		g->nodes.items[stub->node].start_ns = stub->start_ns;
		return builder_inherit(g, process, child, birth.start_ns, e);
	}
	if (birth_vector_append(&b->birth_list, birth) < 0)
		return -1;
	return table_put(&b->births, key, (uint32_t)(b->birth_list.count - 1));
}

int builder_exec(struct graph *g, uint32_t process, const struct event *e)
{
	struct process *p = &g->processes.items[process];
	uint32_t before = p->segments.items[p->segments.count - 1], from = g->segments.items[before].node, evidence;
	struct segment next = {.program_file = GRAPH_NONE};
	if (builder_fill_segment(g, &next, e) < 0 || builder_evidence(g, e, &evidence) < 0 ||
	    add_segment(g, process, e->earliest_ns, e->serial, next) < 0)
		return -1;
	g->segments.items[before].end_ns = e->earliest_ns;
	g->builder->states.items[process].exec_seen = true;
	uint32_t segment = (uint32_t)(g->segments.count - 1);
	if (builder_plain_edge(g, from, g->segments.items[segment].node, FLOW_EXEC, CLASS_OBSERVED, e->earliest_ns, e->earliest_ns, e->serial, evidence) < 0)
		return -1;
	if (builder_exec_files(g, process, segment, e) < 0) // execveat may name a descriptor that closes now
		return -1;
	builder_descriptors_exec(g, process);
	return 0;
}

int builder_exit(struct graph *g, uint32_t process, const struct event *e)
{
	g->processes.items[process].exit_ns = e->earliest_ns;
	return 0;
}

int builder_identity(struct graph *g, uint32_t process, const struct event *e)
{
	struct process *p = &g->processes.items[process];
	struct identity_change now = {.time_ns = e->earliest_ns, .serial = e->serial, .ids = p->ids, .auid = p->auid, .session = p->session};
	if (e->present & EVENT_HAS_IDS)
		now.ids = e->ids;
	if (e->present & EVENT_HAS_AUID)
		now.auid = e->auid;
	if (e->present & EVENT_HAS_SESSION)
		now.session = e->session;
	bool changed = p->identities.count == 0 || memcmp(&now.ids, &p->ids, sizeof(now.ids)) != 0 || now.auid != p->auid ||
		       now.session != p->session;
	p->ids = now.ids;
	p->auid = now.auid;
	p->session = now.session;
	return changed ? identity_vector_append(&p->identities, now) : 0;
}

bool builder_is_shell(const struct graph *g, uint32_t process)
{
	static const char *const shells[] = {"sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "busybox", "mksh"};
	const struct segment *s = graph_segment_of(g, builder_segment_node(g, process));
	const char *base;
	size_t base_length, folder_length;
	text_split_path(intern_string(g->strings, s->exe), intern_length(g->strings, s->exe), &base, &base_length, &folder_length);
	for (size_t i = 0; i < ARRAY_LENGTH(shells); i++)
		if (strlen(shells[i]) == base_length && memcmp(shells[i], base, base_length) == 0)
			return true;
	return false;
}
