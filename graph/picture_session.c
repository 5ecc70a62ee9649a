// SPDX-License-Identifier: MIT
#include "graph/picture_session.h"

#include "graph/persistence.h"

#define DEPTH_MAX 100000 /* our limit on ancestors: see LINE_ITEMS_MAX in picture_path.c */

const struct segment *session_image_at(const struct graph *g, uint32_t process, uint64_t ns)
{
	const struct u32_vector *segments = &g->processes.items[process].segments;
	const struct segment *best = NULL;
	for (size_t i = 0; i < segments->count; i++) {
		const struct segment *s = &g->segments.items[segments->items[i]];
		if (!best || s->start_ns <= ns)
			best = s;
	}
	return best;
}

static bool same_program(const struct segment *a, const struct segment *b)
{
	return a && b && a->exe && a->exe == b->exe;
}

// A daemon's own fork into the background is no begin: its parent is the same program and is gone before any child comes. A daemon's
// helper (sshd's unprivileged half) is none either: its parent is the same program, and lives.
static bool started_by_daemon(const struct graph *g, const struct process *p)
{
	const struct process *daemon = &g->processes.items[p->parent];
	const struct segment *image = session_image_at(g, p->parent, p->birth_ns);
	struct label_span name = image ? label_program(g, image) : (struct label_span){NULL, 0};
	if (!persistence_starts_for_others(name.bytes, name.length))
		return false;
	if (daemon->parent == GRAPH_NONE)
		return true;
	const struct process *above = &g->processes.items[daemon->parent];
	return !same_program(session_image_at(g, daemon->parent, daemon->birth_ns), image) || above->exit_ns <= p->birth_ns;
}

bool session_begins(const struct graph *g, uint32_t process)
{
	const struct process *p = &g->processes.items[process];
	if (p->parent == GRAPH_NONE)
		return true;
	const struct process *parent = &g->processes.items[p->parent];
	if (parent->pid == 1 || (p->session != parent->session && p->session != SESSION_UNSET))
		return true;
	return started_by_daemon(g, p);
}

uint32_t session_first(const struct graph *g, uint32_t process)
{
	for (int depth = 0; depth < DEPTH_MAX && !session_begins(g, process); depth++)
		process = g->processes.items[process].parent;
	return process;
}

static uint64_t birth_serial(const struct graph *g, const struct process *p)
{
	return g->segments.items[p->segments.items[0]].serial;
}

// The serial of the last thing a process was seen to do.
static uint64_t last_serial(const struct graph *g, const struct process *p)
{
	const struct segment *s = &g->segments.items[p->segments.items[p->segments.count - 1]];
	uint32_t end = g->out_start.items[s->node + 1], in_end = g->in_start.items[s->node + 1];
	uint64_t last = s->serial;
	for (uint32_t i = g->out_start.items[s->node]; i < end; i++) {
		uint64_t serial = g->edges.items[g->out_edges.items[i]].serial;
		last = serial > last ? serial : last;
	}
	for (uint32_t i = g->in_start.items[s->node]; i < in_end; i++) {
		uint64_t serial = g->edges.items[g->in_edges.items[i]].serial;
		last = serial > last ? serial : last;
	}
	return last;
}

bool session_pipeline(const struct graph *g, uint32_t writer, uint32_t reader)
{
	const struct segment *a = graph_segment_of(g, writer), *b = graph_segment_of(g, reader);
	if (!a || !b || a->process == b->process)
		return false;
	const struct process *w = &g->processes.items[a->process], *r = &g->processes.items[b->process];
	if (w->parent != r->parent || w->birth_ns > r->birth_ns || w->exit_ns < r->birth_ns)
		return false;
	if (w->birth_ns == r->birth_ns && birth_serial(g, w) >= birth_serial(g, r))
		return false;
	// Stamps lie on a 4 ms tick; within one, serials tell. `x=$(dirname "$0"); ln ...` is no pipeline: dirname was done when ln came.
	return w->exit_ns > r->birth_ns || last_serial(g, w) > birth_serial(g, r);
}
