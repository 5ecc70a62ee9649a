// SPDX-License-Identifier: MIT
// Which moments of a file matter: right before, and at the first state after, each event that can change it; and each execution.
//
// An audit stamp is the entry of the system call on a tick of 4 ms: it is early, never late. The way to the host's clock adds an error to
// both sides. So whoever wants a state that is surely from before the event takes the last record not after host_ns - error_ns; a state
// can come from the event when it arrived after that. A program runs what its file held when execve read it, after the stamp: there the
// last record not after host_ns is meant.
#include "graph/annotate_moments.h"

#include "base/nanotime.h"

#include <stdlib.h>

struct gathering {
	const struct annotate_answer *answer;
	const struct timeline_clock *clock;
	const struct graph *g;
	bool set_back;             // the guest's clock, at some time: then an earlier time of the guest can be later
	struct annotate_moments moments;
};

static bool changes_content(enum flow_op op)
{
	switch (op) {
	case FLOW_OPEN_WRITE:
	case FLOW_WRITE:
	case FLOW_CREATE:
	case FLOW_TRUNCATE:
	case FLOW_RENAME:
	case FLOW_DELETE:
		return true;
	default:
		return false;
	}
}

// The inode's own time of change, which no program can set, is as late as its last change, and a stamp is never late: sizes and attributes
// of an earlier time are not what the event made. Data goes to the disk ahead of its inode, and tells nothing by the inode's time.
static bool is_earlier(const struct timeline_state *s, uint64_t guest_ns)
{
	return (s->change & ~(unsigned)(TIMELINE_APPEARED | TIMELINE_GREW | TIMELINE_CUT | TIMELINE_METADATA)) == 0 && s->ctime_ns != NANOTIME_NONE &&
	       s->ctime_ns < guest_ns;
}

// Content that came in belongs to a change that was seen before: no event after that one made it. A deletion is looked for first; of a file
// with several names it leaves only another count of links.
static uint64_t first_state_after(const struct gathering *w, enum flow_op op, uint64_t guest_ns, uint64_t surely_before_ns)
{
	const struct annotate_states *states = &w->answer->states;
	uint64_t first = 0, came_in = 0;

	for (size_t i = 0; i < states->count; i++) {
		const struct timeline_state *s = &states->items[i].disk;

		if (s->change == 0 || s->arrival_ns <= surely_before_ns || (!w->set_back && is_earlier(s, guest_ns)))
			continue;
		if (op == FLOW_DELETE && (s->change & TIMELINE_DELETED))
			return s->seq;
		if (s->change == TIMELINE_ARRIVED)
			came_in = came_in != 0 ? came_in : s->seq;
		else
			first = first != 0 ? first : s->seq;
		if (first != 0 && op != FLOW_DELETE)
			return first;
	}
	return first != 0 ? first : came_in;
}

static int add(struct gathering *w, const struct annotate_moment *m, struct error *err)
{
	return annotate_moments_append(&w->moments, *m) < 0 ? error_set(err, "out of memory") : 0;
}

static int add_event(struct gathering *w, uint32_t edge, uint64_t serial, uint64_t guest_ns, struct error *err)
{
	enum flow_op op = (enum flow_op)w->g->edges.items[edge].op;
	struct annotate_moment m = {.kind = ANNOTATE_EXECUTED, .edge = edge, .serial = serial, .guest_ns = guest_ns};

	if (timeline_clock_to_host(w->clock, guest_ns, &m.host_ns, &m.error_ns) < 0)
		return 0;
	if (op == FLOW_EXECUTE)
		return add(w, &m, err);
	m.kind = ANNOTATE_BEFORE;
	if (add(w, &m, err) < 0)
		return -1;
	m.kind = ANNOTATE_AFTER;
	m.seq = first_state_after(w, op, guest_ns, m.host_ns > m.error_ns ? m.host_ns - m.error_ns : 0);
	return add(w, &m, err);
}

// An event has one entry for each place in the log where lines of it lie, one behind the other. Of more events than are kept, the last one's
// time is known, and its serial is not.
static int add_edge(struct gathering *w, uint32_t edge, struct error *err)
{
	const struct flow_edge *e = &w->g->edges.items[edge];
	const struct edge_evidence *last = NULL;
	uint32_t events = 0;
	uint64_t latest_ns = 0;

	for (uint32_t i = 0; i < e->evidence_count; i++) {
		const struct edge_evidence *event = &w->g->evidence.items[e->evidence + i];

		if (last && last->serial == event->serial && last->time_ns == event->time_ns)
			continue;
		last = event;
		events++;
		latest_ns = event->time_ns > latest_ns ? event->time_ns : latest_ns;
		if (add_event(w, edge, event->serial, event->time_ns, err) < 0)
			return -1;
	}
	if (events == 0)
		return add_event(w, edge, e->serial, e->start_ns, err);
	return events < e->count && e->last_ns > latest_ns ? add_event(w, edge, 0, e->last_ns, err) : 0;
}

static int add_node(struct gathering *w, uint32_t node, struct error *err)
{
	const struct graph *g = w->g;

	for (uint32_t i = g->in_start.items[node]; i < g->in_start.items[node + 1]; i++) {
		const struct flow_edge *e = &g->edges.items[g->in_edges.items[i]];

		if (changes_content((enum flow_op)e->op) && !e->failed && add_edge(w, g->in_edges.items[i], err) < 0)
			return -1;
	}
	for (uint32_t i = g->out_start.items[node]; i < g->out_start.items[node + 1]; i++) {
		const struct flow_edge *e = &g->edges.items[g->out_edges.items[i]];

		if (e->op == FLOW_EXECUTE && !e->failed && add_edge(w, g->out_edges.items[i], err) < 0)
			return -1;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct annotate_moment *x = a, *y = b;

	if (x->guest_ns != y->guest_ns)
		return x->guest_ns < y->guest_ns ? -1 : 1;
	if (x->serial != y->serial)
		return x->serial < y->serial ? -1 : 1;
	if (x->edge != y->edge)
		return x->edge < y->edge ? -1 : 1;
	return x->kind < y->kind ? -1 : x->kind > y->kind;
}

int annotate_moments_of(const struct annotate_answer *answer, const struct timeline_clock *clock, const struct graph *g, uint32_t file,
			struct annotate_moments *ret, struct error *err)
{
	struct gathering w = {.answer = answer, .clock = clock, .g = g};
	const struct file *f = &g->files.items[file];

	for (size_t i = 0; i < clock->pieces.count; i++)
		w.set_back |= clock->pieces.items[i].stepped && clock->pieces.items[i].step_ns < 0;
	for (size_t i = 0; i < f->versions.count; i++) {
		if (add_node(&w, f->versions.items[i], err) < 0) {
			annotate_moments_release(&w.moments);
			return -1;
		}
	}
	if (w.moments.count > 1)
		qsort(w.moments.items, w.moments.count, sizeof(*w.moments.items), compare);
	*ret = w.moments;
	return 0;
}

int annotation_moments(const struct annotation *a, const struct graph *g, uint32_t file, struct annotate_moments *ret, struct error *err)
{
	const struct annotate_answer *answer = annotation_of(a, file);
	const struct timeline_clock *clock = answer->volume != GRAPH_NONE ? annotation_volume(a, answer->volume)->clock : NULL;

	if (!clock) {
		*ret = (struct annotate_moments){0};
		return 0;
	}
	return annotate_moments_of(answer, clock, g, file, ret, err);
}
