// SPDX-License-Identifier: MIT
#include "graph/picture_near.h"

#include "base/vector.h"
#include "graph/label.h"
#include "graph/persistence.h"

#include <stdlib.h>
#include <string.h>

#define ANCESTORS_MAX 64

enum { SERVES_UNKNOWN, SERVES_OTHERS, SERVES_NOBODY };

struct nearness {
	struct subjects *s;
	uint32_t *origin;          // per subject: see find_origin
	uint8_t *serves;           // per subject, as far as asked: see serves_others
	struct u32_vector walked;
};

#define ORIGIN_BUSY (UINT32_MAX - 1)

// A subject whose nearness to the incident is known without looking further along its path: on the path or the contact's line, a
// seed, or an ancestor above the line (sshd's listener, cron itself, process 1), through which everything hangs together.
static bool is_origin(const struct nearness *c, uint32_t subject)
{
	const struct subject *it = &c->s->items[subject];
	return (it->marks & (MARK_PATH | MARK_LINE)) || it->side == TRACE_SEED || c->s->trace->nodes[it->best].free_line;
}

// A file that nobody wrote in this log: what else read or ran it follows from the file's maker, not from the incident.
static bool only_read(const struct nearness *c, uint32_t subject)
{
	const struct subject *it = &c->s->items[subject];
	return it->kind == PICTURE_FILE && it->side == TRACE_CAUSE && !(it->marks & (MARK_WRITTEN | MARK_PATH));
}

// The first such subject on the best path. No recursion: chains can be 10^5 long.
static int find_origin(struct nearness *c, uint32_t subject, uint32_t *ret)
{
	uint32_t at = subject, found;
	c->walked.count = 0;
	for (;;) {
		found = at != subject && only_read(c, at) ? at : c->origin[at];
		if (found == ORIGIN_BUSY)
			found = at;
		if (found != GRAPH_NONE)
			break;
		uint32_t next = subjects_next(c->s, at, NULL);
		if (next == GRAPH_NONE || is_origin(c, at)) {
			found = at;
			break;
		}
		c->origin[at] = ORIGIN_BUSY;
		if (u32_vector_append(&c->walked, at) < 0)
			return -1;
		at = next;
	}
	for (size_t i = 0; i < c->walked.count; i++)
		c->origin[c->walked.items[i]] = found;
	*ret = found;
	return 0;
}

// A server does the work of all its clients, and what begins sessions (a cron child, sudo) reads and writes for its own purposes.
static bool serves_others(const struct nearness *c, uint32_t subject)
{
	const struct segment *s = subjects_segment(c->s, subject);
	if (!s)
		return false;
	if (c->s->items[subject].marks & MARK_SHELL)
		return true;
	struct label_span name = label_program(c->s->graph, s);
	if (persistence_begins_sessions(name.bytes, name.length))
		return true;
	for (uint32_t i = c->s->member_start[subject]; i < c->s->member_start[subject + 1]; i++) {
		uint32_t node = c->s->members[i];
		for (uint32_t k = c->s->graph->out_start.items[node]; k < c->s->graph->out_start.items[node + 1]; k++)
			if (c->s->graph->edges.items[c->s->graph->out_edges.items[k]].op == FLOW_ACCEPT)
				return true;
	}
	return false;
}

static uint32_t mark_for(struct nearness *c, uint32_t subject, uint32_t origin)
{
	const struct subject *from = &c->s->items[origin];
	if (from->marks & MARK_ABOVE)
		return origin == subject && (from->marks & MARK_PATH) ? MARK_INCIDENT : 0;
	if (!(from->marks & MARK_PATH) && from->side != TRACE_SEED)
		return from->marks & MARK_LINE ? MARK_SESSION : 0;
	if (origin == subject)
		return MARK_INCIDENT;
	if (c->serves[origin] == SERVES_UNKNOWN)
		c->serves[origin] = serves_others(c, origin) ? SERVES_OTHERS : SERVES_NOBODY;
	return c->serves[origin] == SERVES_OTHERS ? MARK_SESSION : MARK_INCIDENT;
}

// What the incident itself did to files that must be seen, whatever else those files have to do with the contact: a start file that
// it wrote may long before have been read by the login shell, and then counts as a far cause only.
static bool must_be_seen(const struct subject *file, enum flow_op op, bool to_file)
{
	if (!to_file)
		return (file->marks & MARK_SECRET) && (op == FLOW_OPEN_READ || op == FLOW_READ);
	if (op == FLOW_DELETE || op == FLOW_TRUNCATE || op == FLOW_RENAME)
		return (file->marks & (MARK_CLEANED | MARK_REMOVED | MARK_PERSISTS)) != 0;
	return (file->marks & MARK_PERSISTS) && (op == FLOW_CREATE || op == FLOW_OPEN_WRITE || op == FLOW_WRITE || op == FLOW_LINK);
}

static void note_actors(struct nearness *c)
{
	const struct graph *g = c->s->graph;
	for (size_t i = 0; i < g->edges.count; i++) {
		const struct flow_edge *e = &g->edges.items[i];
		struct subject *from = &c->s->items[c->s->of[e->from]], *to = &c->s->items[c->s->of[e->to]];
		bool to_file = to->kind == PICTURE_FILE && from->kind == PICTURE_PROCESS;
		if (e->failed || e->class != CLASS_OBSERVED || (!to_file && !(from->kind == PICTURE_FILE && to->kind == PICTURE_PROCESS)))
			continue;
		struct subject *file = to_file ? to : from, *process = to_file ? from : to;
		uint32_t actor = (uint32_t)(process - c->s->items);
		if (file->side == TRACE_NONE || !(process->marks & MARK_INCIDENT) || !must_be_seen(file, e->op, to_file) ||
		    c->serves[actor] == SERVES_OTHERS)
			continue;
		if (file->actor == GRAPH_NONE || process->cost < c->s->items[file->actor].cost)
			file->actor = actor;
		file->marks |= MARK_INCIDENT;
	}
}

// Started, at whatever remove, by a process on the path that works for nobody else.
static bool started_by_path(const struct nearness *c, uint32_t subject, const uint8_t *path_process)
{
	const struct graph *g = c->s->graph;
	uint32_t process = g->nodes.items[c->s->items[subject].best].entity;
	for (int up = 0; up < ANCESTORS_MAX && process != GRAPH_NONE; up++) {
		if (path_process[process])
			return true;
		process = g->processes.items[process].parent;
	}
	return false;
}

static int mark_ours(struct nearness *c)
{
	uint8_t *path_process = calloc(c->s->graph->processes.count + 1, 1);
	if (!path_process)
		return -1;
	for (uint32_t i = 0; i < c->s->count; i++)
		if (c->s->items[i].kind == PICTURE_PROCESS && (c->s->items[i].marks & MARK_PATH) && c->serves[i] == SERVES_NOBODY)
			path_process[c->s->graph->nodes.items[c->s->items[i].best].entity] = 1;
	for (uint32_t i = 0; i < c->s->count; i++) {
		struct subject *it = &c->s->items[i];
		bool follows = it->side == TRACE_EFFECT || it->side == TRACE_SEED || it->actor != GRAPH_NONE;
		if (it->marks & MARK_PATH)
			it->marks |= MARK_OURS;
		else if ((it->marks & MARK_INCIDENT) && (follows || (it->kind == PICTURE_PROCESS && started_by_path(c, i, path_process))))
			it->marks |= MARK_OURS;
	}
	free(path_process);
	return 0;
}

static int mark_all(struct nearness *c)
{
	for (uint32_t i = 0; i < c->s->count; i++) {
		struct subject *it = &c->s->items[i];
		uint32_t origin = i;
		if (it->side == TRACE_NONE)
			continue;
		if (find_origin(c, i, &origin) < 0)
			return -1;
		it->marks |= mark_for(c, i, origin);
		if (it->kind == PICTURE_PROCESS && (it->marks & MARK_INCIDENT) && c->serves[i] == SERVES_UNKNOWN)
			c->serves[i] = serves_others(c, i) ? SERVES_OTHERS : SERVES_NOBODY;
	}
	note_actors(c);
	return mark_ours(c);
}

int picture_mark_near(struct subjects *s, struct error *err)
{
	struct nearness c = {.s = s};
	c.origin = malloc(((size_t)s->count + 1) * sizeof(*c.origin));
	c.serves = calloc((size_t)s->count + 1, sizeof(*c.serves));
	int result = c.origin && c.serves ? 0 : -1;
	if (result == 0) {
		memset(c.origin, 0xff, ((size_t)s->count + 1) * sizeof(*c.origin)); // GRAPH_NONE
		result = mark_all(&c);
	}
	free(c.origin);
	free(c.serves);
	u32_vector_release(&c.walked);
	return result < 0 ? error_set(err, "choosing among %u nodes: out of memory", s->count) : 0;
}
