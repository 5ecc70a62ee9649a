// SPDX-License-Identifier: MIT
// What a process was from one execve to the next, how it ended, and who it was.
#include "graph/build.h"

#include <fcntl.h>
#include <string.h>

#define DELETED_MARK " (deleted)" /* d_path() appends it to the path of a running program that has no name any more */
#define IDENTITIES_MAX 256        /* our limit: a file server changes its fsuid with each request */

// --- identities

static bool same_identity(const struct identity_change *a, const struct identity_change *b)
{
	return a->ids.uid == b->ids.uid && a->ids.euid == b->ids.euid && a->ids.suid == b->ids.suid && a->auid == b->auid &&
	       a->session == b->session;
}

static void identity_insert(struct graph_builder *b, struct process *p, size_t at, struct identity_change change)
{
	struct identity_vector *v = &p->identities;
	if (v->count >= IDENTITIES_MAX)
		return;
	if (builder_grow((void **)&v->items, &v->capacity, v->count, sizeof(*v->items)) < 0) {
		b->failed = true;
		return;
	}
	memmove(v->items + at + 1, v->items + at, (v->count - at) * sizeof(*v->items));
	v->items[at] = change;
	v->count++;
}

// Every record carries the ids, so a change shows at the next record, whatever call made it.
void identity_note(struct graph_builder *b, uint32_t process, const struct event *e)
{
	struct process *p = &b->g->processes.items[process];
	struct segment *s = &b->g->segments.items[process_segment(b, process)];
	struct identity_change now = {.time_ns = e->earliest_ns, .serial = e->serial, .ids = p->ids, .auid = p->auid, .session = p->session};
	if (!event_has(e, EVENT_HAS_IDS) && !event_has(e, EVENT_HAS_AUID) && !event_has(e, EVENT_HAS_SESSION))
		return;
	if (event_has(e, EVENT_HAS_IDS))
		now.ids = e->ids;
	if (event_has(e, EVENT_HAS_AUID))
		now.auid = e->auid;
	if (event_has(e, EVENT_HAS_SESSION))
		now.session = e->session;
	p->ids = now.ids;
	p->auid = now.auid;
	p->session = now.session;
	if (p->identities.count == 0 || !same_identity(&p->identities.items[p->identities.count - 1], &now)) {
		if (p->identities.count == 0)
			s->ids = now.ids;
		identity_insert(b, p, p->identities.count, now);
	}
}

// A child begins as who its parent was: what it becomes before its first record is a change too.
void identity_inherit(struct graph_builder *b, uint32_t child, uint32_t creator, uint64_t time_ns, uint64_t serial)
{
	struct process *p = &b->g->processes.items[child];
	const struct process *from = &b->g->processes.items[creator];
	const struct identity_change *then = NULL;
	for (size_t i = from->identities.count; i-- > 0 && !then;)
		if (from->identities.items[i].time_ns <= time_ns || i == 0)
			then = &from->identities.items[i];
	if (!then || (p->identities.count && same_identity(then, &p->identities.items[0])))
		return;
	struct identity_change first = *then;
	first.time_ns = time_ns;
	first.serial = serial;
	identity_insert(b, p, 0, first);
}

// --- programs

void segment_arguments(struct graph_builder *b, uint32_t segment, const struct event *e)
{
	struct segment *s = &b->g->segments.items[segment];
	if (!event_has(e, EVENT_HAS_ARGV))
		return;
	s->argv = (uint32_t)b->g->arguments.count;
	s->argv_count = (uint32_t)e->argv_count;
	s->argc = e->argc;
	for (size_t i = 0; i < e->argv_count; i++)
		if (u32_vector_append(&b->g->arguments, e->argv[i]) < 0)
			b->failed = true;
}

static bool ends_deleted(const struct graph_builder *b, uint32_t name)
{
	size_t length = intern_length(b->g->strings, name), mark = strlen(DELETED_MARK);
	return length >= mark && memcmp(intern_string(b->g->strings, name) + length - mark, DELETED_MARK, mark) == 0;
}

// The memory file that was executed by its descriptor: only now its inode and name are on record.
static void name_memfd(struct graph_builder *b, uint32_t file, const struct event_path *path, uint32_t exe)
{
	static const char prefix[] = "/memfd:";
	const char *name = intern_string(b->g->strings, exe);
	size_t length = intern_length(b->g->strings, exe);
	file_bind_inode(b, file, path);
	if (!name_starts(b, exe, prefix))
		return;
	if (ends_deleted(b, exe))
		length -= strlen(DELETED_MARK);
	file_name_add(b, file, intern_add(b->g->strings, name, length), false, true);
}

static uint32_t executed_file(struct graph_builder *b, uint32_t process, const struct event_path *path, bool is_program)
{
	const struct event *e = b->event;
	int32_t dirfd = e->syscall_name == b->call_execveat ? (int32_t)e->args[0] : AT_FDCWD;
	struct resolved name = name_resolve(b, process, path, dirfd, NULL);
	int32_t fd = name.descriptor;
	if (is_program && fd < 0 && !name.name && dirfd != AT_FDCWD)
		fd = dirfd; // execveat(fd, "", AT_EMPTY_PATH)
	const struct descriptor *d = fd >= 0 ? descriptor_get(b, process, fd) : NULL;
	if (d && d->kind == DESCRIPTOR_FILE && b->g->files.items[d->item].kind == FILE_MEMFD) {
		name_memfd(b, d->item, path, e->exe);
		return d->item;
	}
	return file_of(b, path, name);
}

// execve of a script rewrites argv: "#!/bin/sh" puts the interpreter, item 1, in front.
static bool is_script(const struct event *e)
{
	return e->path_count > 1 && e->argv_count > 1 && e->argv[0] == e->paths[1].name;
}

void segment_files(struct graph_builder *b, uint32_t process, uint32_t segment)
{
	const struct event *e = b->event;
	uint32_t node = b->g->segments.items[segment].node;
	size_t image = is_script(e) ? 1 : 0; // which item exe= names
	for (size_t i = 0; i < e->path_count; i++) {
		const struct event_path *path = &e->paths[i];
		bool is_program = path->item == 0;
		if (path->nametype == NAMETYPE_PARENT || !path->has_inode)
			continue;
		uint32_t file = executed_file(b, process, path, is_program);
		if (file == GRAPH_NONE)
			continue;
		if (is_program)
			b->g->segments.items[segment].program_file = file;
		if (i == image && e->exe && !ends_deleted(b, e->exe))
			file_name_add(b, file, e->exe, true, true); // where it really stands, whatever link it was called by
		flow_now(b, file_node(b, file), node, is_program ? FLOW_EXECUTE : FLOW_INTERPRET, CLASS_OBSERVED);
		struct resolved name = name_resolve(b, process, path, AT_FDCWD, NULL);
		link_symlink(b, node, name.name, file);
	}
}

static void begin_segment(struct graph_builder *b, uint32_t process, uint32_t segment, enum flow_class class_)
{
	const struct event *e = b->event;
	struct segment_state *state = &b->segment_states.items[segment];
	state->executed = true;
	state->exec_class = (uint8_t)class_;
	state->exec_end_ns = e->latest_ns;
	evidence_keep(b, &state->evidence, &state->evidence_count);
	segment_fill(b, segment, e);
	b->g->segments.items[segment].ids = b->g->processes.items[process].ids;
}

void link_exec(struct graph_builder *b, uint32_t process)
{
	// Known by this record only: there was another image before, but nothing tells of it until its fork does.
	uint32_t segment = b->fresh == process ? process_segment(b, process) :
						 segment_add(b, process, b->event->earliest_ns, b->event->serial);
	if (segment == GRAPH_NONE)
		return;
	begin_segment(b, process, segment, CLASS_OBSERVED);
	segment_arguments(b, segment, b->event);
	segment_files(b, process, segment);
	descriptors_execute(b, process);
}

// exe= without the mark of a program that was unlinked while it ran.
static size_t exe_length(const struct graph_builder *b, uint32_t exe)
{
	return intern_length(b->g->strings, exe) - (ends_deleted(b, exe) ? strlen(DELETED_MARK) : 0);
}

// Another program under the same pid without an execve on record: not audited, or lost. A renamed program changes exe= only, and
// a thread or prctl changes comm= only, so both have to differ.
void segment_watch(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	const struct segment *s = &b->g->segments.items[process_segment(b, process)];
	if (!event_has(e, EVENT_HAS_EXE) || !e->exe || !s->exe || e->exe == s->exe || !s->comm || !e->comm || s->comm == e->comm)
		return;
	size_t length = exe_length(b, e->exe);
	if (length == exe_length(b, s->exe) &&
	    memcmp(intern_string(b->g->strings, e->exe), intern_string(b->g->strings, s->exe), length) == 0)
		return;
	uint32_t segment = segment_add(b, process, e->earliest_ns, e->serial);
	if (segment == GRAPH_NONE)
		return;
	begin_segment(b, process, segment, CLASS_INFERRED);
	descriptors_execute(b, process);
}

void link_exit(struct graph_builder *b, uint32_t process)
{
	struct process *p = &b->g->processes.items[process];
	struct process_state *s = &b->process_states.items[process];
	b->exits_audited = true;
	p->exit_ns = b->event->earliest_ns;
	s->exit_latest_ns = b->event->latest_ns;
	// A forked worker's inheritance is looked at in the end; nobody else's is needed any more.
	if (p->segments.count > 1 || !b->g->segments.items[p->segments.items[0]].forked_stub) {
		descriptors_free(s->descriptors);
		s->descriptors = NULL;
	}
}
