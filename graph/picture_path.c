// SPDX-License-Identifier: MIT
#include "graph/picture_path.h"

#include "base/nanotime.h"
#include "graph/label.h"
#include "graph/persistence.h"
#include "graph/picture_motive.h"
#include "graph/picture_session.h"

#include <stdlib.h>
#include <string.h>

#define STEP_BACK 0.8
#define RIVAL 0.75 /* of the strongest input of one process: weaker ones are left out */
#define INPUTS_MAX 10
#define LINES_MAX 8
#define LINE_ITEMS_MAX 100000 /* our limit: a chain this long is an attack on us; what is above is folded like everything else */
#define EDGES_PER_STEP 65536 /* our limit on edges looked at around one node */

struct line_item {
	uint32_t node;     // process node
	uint32_t edge;     // fork or exec edge to the item below; GRAPH_NONE at the bottom
	uint64_t time_ns;  // usable until then
};
VECTOR_DEFINE(item_vector, struct line_item)

VECTOR_DEFINE(motive_vector, struct motive)

struct line {
	struct item_vector items; // bottom first
	size_t top;          // items [0, top] are on the path
	size_t root;         // the item at which the line's story begins: top, or below it
	size_t begin;        // items [0, begin] belong to the session or service
	uint32_t joins, joins_item, join_edge; // line that it runs into, GRAPH_NONE; where; by which fork or exec
	uint32_t best_line;  // line of its strongest input, GRAPH_NONE
	bool has_input;
	bool pipeline;       // its bottom stands left of a process of the line that it runs into: one command, one beginning
	double strength;
};
VECTOR_DEFINE(line_vector, struct line)

struct finder {
	struct subjects *s;
	const struct graph *g;
	struct line_vector lines;
	struct motive_vector waiting; // not yet followed
	uint32_t *line_of;       // per subject: line + 1, 0 none
	struct u32_vector edges;
	size_t inputs;
};

// --- lines

static const struct process *process_of(const struct graph *g, uint32_t node)
{
	return &g->processes.items[graph_segment_of(g, node)->process];
}

// The fork or exec that made `node`, usable by `time`; GRAPH_NONE at the top.
static uint32_t edge_up(const struct graph *g, uint32_t node, uint64_t time)
{
	for (uint32_t i = g->in_start.items[node]; i < g->in_start.items[node + 1]; i++) {
		const struct flow_edge *e = &g->edges.items[g->in_edges.items[i]];
		if (e->start_ns > time)
			break;
		if ((e->op == FLOW_FORK || e->op == FLOW_EXEC) && e->class != CLASS_UNCERTAIN && !e->failed)
			return g->in_edges.items[i];
	}
	return GRAPH_NONE;
}

// Goes up from `node` until a line that is already there, or the top. Process 1 is no part of any story.
static int walk_line(struct finder *f, uint32_t node, uint64_t time, double strength)
{
	struct line line = {.joins = GRAPH_NONE, .join_edge = GRAPH_NONE, .best_line = GRAPH_NONE, .strength = strength, .begin = SIZE_MAX};
	struct line_item item = {.node = node, .edge = GRAPH_NONE, .time_ns = time};
	uint32_t number = (uint32_t)f->lines.count;
	for (;;) {
		uint32_t subject = f->s->of[item.node];
		if (f->line_of[subject] && f->line_of[subject] != number + 1) {
			line.joins = f->line_of[subject] - 1;
			const struct item_vector *there = &f->lines.items[line.joins].items;
			for (size_t i = 0; i < there->count; i++)
				if (f->s->of[there->items[i].node] == subject)
					line.joins_item = (uint32_t)i;
			line.join_edge = item.edge;
			break;
		}
		f->line_of[subject] = number + 1;
		if (item_vector_append(&line.items, item) < 0)
			goto out_of_memory;
		uint32_t edge = edge_up(f->g, item.node, item.time_ns);
		if (edge == GRAPH_NONE || line.items.count >= LINE_ITEMS_MAX)
			break;
		const struct flow_edge *e = &f->g->edges.items[edge];
		bool leaves = graph_segment_of(f->g, e->from) && process_of(f->g, e->from) != process_of(f->g, item.node);
		if (line.begin == SIZE_MAX && leaves && session_begins(f->g, graph_segment_of(f->g, item.node)->process))
			line.begin = line.items.count - 1;
		if (!graph_segment_of(f->g, e->from) || process_of(f->g, e->from)->pid == 1)
			break;
		item = (struct line_item){e->from, edge, e->end_ns < item.time_ns ? e->end_ns : item.time_ns};
	}
	if (line.begin == SIZE_MAX)
		line.begin = line.items.count ? line.items.count - 1 : 0;
	if (line_vector_append(&f->lines, line) == 0)
		return 0;
out_of_memory:
	item_vector_release(&line.items);
	return -1;
}

// --- inputs

static int gather_motives(struct finder *f, uint32_t number)
{
	for (size_t i = 0; i < f->lines.items[number].items.count; i++) {
		struct motive best[MOTIVES_MAX];
		const struct line *line = &f->lines.items[number];
		const struct line_item *item = &line->items.items[i];
		size_t count = motives_of(f->s, item->node, item->time_ns, best);
		for (size_t k = 0; k < count; k++) {
			if (best[k].strength < RIVAL * best[0].strength)
				break; // what made it do this is known: the rest it merely read
			best[k].strength *= line->strength;
			best[k].line = number;
			// Above the session's begin (sshd's listener, cron itself) only what persists there matters.
			bool above = i > line->begin && best[k].strength < 0.9 * line->strength;
			if (!above && best[k].strength >= MOTIVE_MIN && motive_vector_append(&f->waiting, best[k]) < 0)
				return -1;
		}
	}
	return 0;
}

// --- what of a line is on the path

static void raise_top(struct finder *f, uint32_t line, uint32_t subject)
{
	struct line *l = &f->lines.items[line];
	for (size_t i = l->top; i < l->items.count; i++)
		if (f->s->of[l->items.items[i].node] == subject) {
			l->top = i;
			return;
		}
}

static bool same_program(const struct finder *f, uint32_t a, uint32_t b)
{
	const struct segment *x = subjects_segment(f->s, f->s->of[a]), *y = subjects_segment(f->s, f->s->of[b]);
	return x->exe && x->exe == y->exe;
}

static bool first_interesting(const struct finder *f, const struct line *l, size_t *ret_item)
{
	for (size_t i = l->begin + 1; i-- > 0;) {
		if (!motive_has_own_story(f->s, l->items.items[i].node))
			continue;
		// A daemon that forked itself into the background, or into workers, is the last of its kind.
		while (i > 0 && same_program(f, l->items.items[i].node, l->items.items[i - 1].node))
			i--;
		*ret_item = i;
		return true;
	}
	return false;
}

// Follows one input to its writer: a line that is there already, or a new one.
static int follow(struct finder *f, struct motive in)
{
	const struct flow_edge *read = &f->g->edges.items[in.read_edge];
	uint32_t writer = in.write_edge == GRAPH_NONE ? read->from : f->g->edges.items[in.write_edge].from;
	uint32_t subject = f->s->of[writer];
	if (u32_vector_append(&f->edges, in.read_edge) < 0 ||
	    (in.write_edge != GRAPH_NONE && u32_vector_append(&f->edges, in.write_edge) < 0))
		return -1;
	raise_top(f, in.line, f->s->of[read->to]);
	f->lines.items[in.line].has_input = true;
	uint32_t there = f->line_of[subject];
	if (!there) {
		if (f->lines.count >= LINES_MAX)
			return 0;
		if (walk_line(f, writer, in.time_ns, in.strength * STEP_BACK) < 0)
			return -1;
		there = (uint32_t)f->lines.count;
		f->lines.items[there - 1].pipeline = read->op == FLOW_PIPE;
		if (gather_motives(f, there - 1) < 0)
			return -1;
	} else {
		raise_top(f, there - 1, subject);
	}
	if (f->lines.items[in.line].best_line == GRAPH_NONE && there - 1 != in.line)
		f->lines.items[in.line].best_line = there - 1;
	return 0;
}

static int follow_all(struct finder *f)
{
	while (f->waiting.count && f->inputs < INPUTS_MAX) {
		size_t best = 0;
		for (size_t i = 1; i < f->waiting.count; i++)
			if (motive_stronger(f->g, &f->waiting.items[i], &f->waiting.items[best]))
				best = i;
		struct motive in = f->waiting.items[best];
		f->waiting.items[best] = f->waiting.items[--f->waiting.count];
		f->inputs++;
		if (follow(f, in) < 0)
			return -1;
	}
	return 0;
}

// The last peer that a process heard from by `time`: what it wrote or did then may have come from there. `incoming`: only peers that
// came to us; `connection`: only this node (GRAPH_NONE: any).
static uint32_t last_peer(const struct finder *f, uint32_t node, uint64_t time, bool incoming, uint32_t connection)
{
	uint32_t best = GRAPH_NONE, looked = 0;
	for (uint32_t i = f->g->in_start.items[node]; i < f->g->in_start.items[node + 1]; i++) {
		const struct flow_edge *e = &f->g->edges.items[f->g->in_edges.items[i]];
		if (e->start_ns > time || ++looked > EDGES_PER_STEP)
			break;
		const struct connection *c = graph_connection_of(f->g, e->from);
		bool wanted = c && !e->failed && (!incoming || c->direction == CONNECTION_IN) &&
			      (connection == GRAPH_NONE || e->from == connection);
		if (wanted && (c->address.kind == ADDRESS_IPV4 || c->address.kind == ADDRESS_IPV6) &&
		    !(f->s->items[f->s->of[e->from]].marks & MARK_ALERT))
			best = f->g->in_edges.items[i];
	}
	return best;
}

// The connection that a line was asked through. A child that inherited it tells which of a server's many it was; the process that
// accepted it, further up, is where it came in.
static uint32_t asked_through(const struct finder *f, const struct line *l, size_t from)
{
	uint32_t found = GRAPH_NONE, connection = GRAPH_NONE;
	for (size_t i = from; i <= l->top; i++) {
		const struct line_item *item = &l->items.items[i];
		uint32_t edge = last_peer(f, item->node, item->time_ns, true, connection);
		if (edge == GRAPH_NONE)
			continue;
		found = edge;
		connection = f->g->edges.items[edge].from;
		if (f->g->edges.items[edge].class == CLASS_OBSERVED)
			break;
	}
	return found;
}

// With nothing known that was fed to the line, the shell in which its first command was typed is where the path begins.
static size_t typed_in(const struct finder *f, const struct line *l)
{
	for (size_t i = l->top + 1; i <= l->begin && i < l->items.count; i++) {
		struct label_span p = label_program(f->g, subjects_segment(f->s, f->s->of[l->items.items[i].node]));
		if (f->s->of[l->items.items[i].node] == f->s->of[l->items.items[l->top].node])
			continue;
		return persistence_is_shell(p.bytes, p.length) ? i : l->top;
	}
	return l->top;
}

// The top of a line. One that runs into the path's part of an earlier line belongs to the path as a whole; one that runs into an
// earlier line above that (two commands of one shell) has its own beginning, if it has an interesting process.
static void take_line(struct finder *f, uint32_t number)
{
	struct line *l = &f->lines.items[number];
	size_t interesting = 0;
	bool found = first_interesting(f, l, &interesting);
	if (l->joins == GRAPH_NONE) {
		if (found && interesting > l->top)
			l->top = interesting;
		l->root = l->top;
		if (number == 0 && !l->has_input)
			l->top = typed_in(f, l);
		if (l->top != l->root)
			f->s->items[f->s->of[l->items.items[l->top].node]].marks |= MARK_SHELL;
		return;
	}
	struct line *there = &f->lines.items[l->joins];
	if (l->joins_item > there->top && found && !l->pipeline) {
		l->top = interesting > l->top ? interesting : l->top;
		l->root = l->top;
		l->joins = GRAPH_NONE;
		return;
	}
	l->root = l->top = l->items.count ? l->items.count - 1 : 0;
	if (l->joins_item > there->top)
		there->root = there->top = l->joins_item;
}

// The peers of a line: the bottom of a further line wrote something, perhaps what it had just heard; the process nearest to the
// bottom that accepts connections (a web server) may have done what it was asked for; a line without such a process may have begun with
// what its first process heard.
static int take_peers(struct finder *f, const struct line *l, bool first_line)
{
	uint32_t peers[2] = {GRAPH_NONE, GRAPH_NONE};
	const struct line_item *bottom = &l->items.items[0], *top = &l->items.items[l->top];
	if (!first_line)
		peers[0] = last_peer(f, bottom->node, bottom->time_ns, false, GRAPH_NONE);
	if (l->joins == GRAPH_NONE)
		peers[1] = asked_through(f, l, first_line);
	if (peers[1] == GRAPH_NONE && l->joins == GRAPH_NONE && l->best_line == GRAPH_NONE && (l->top > 0 || !first_line))
		peers[1] = last_peer(f, top->node, top->time_ns, false, GRAPH_NONE);
	if (peers[0] != GRAPH_NONE && f->g->edges.items[peers[0]].class != CLASS_OBSERVED)
		peers[0] = GRAPH_NONE;
	for (int k = 0; k < 2; k++)
		if (peers[k] != GRAPH_NONE && u32_vector_append(&f->edges, peers[k]) < 0)
			return -1;
	return 0;
}

static int take_edges(struct finder *f, const struct line *l, bool first_line)
{
	for (size_t i = 0; i <= l->top && i < l->items.count; i++) {
		f->s->items[f->s->of[l->items.items[i].node]].marks |= MARK_PATH;
		if (l->items.items[i].edge != GRAPH_NONE && u32_vector_append(&f->edges, l->items.items[i].edge) < 0)
			return -1;
	}
	if (l->joins != GRAPH_NONE && l->join_edge != GRAPH_NONE && u32_vector_append(&f->edges, l->join_edge) < 0)
		return -1;
	if (!l->items.count)
		return 0;
	return take_peers(f, l, first_line);
}

// --- the whole

// Back over the strongest inputs; a line that ran into one seen before ends there.
static uint32_t root_of(const struct finder *f, bool *ret_same_line)
{
	bool seen[LINES_MAX + 1] = {true};
	uint32_t line = 0;
	for (;;) {
		const struct line *l = &f->lines.items[line];
		uint32_t next = l->best_line != GRAPH_NONE && !seen[l->best_line] ? l->best_line : l->joins;
		if (next == GRAPH_NONE)
			break;
		line = next;
		if (seen[line])
			break;
		seen[line] = true;
	}
	*ret_same_line = line == 0;
	const struct line *l = &f->lines.items[line];
	return f->s->of[l->items.items[l->root].node];
}

static int compare_edges(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void sort_edges(struct u32_vector *v)
{
	if (v->count)
		qsort(v->items, v->count, sizeof(*v->items), compare_edges);
	size_t kept = 0;
	for (size_t i = 0; i < v->count; i++)
		if (!kept || v->items[kept - 1] != v->items[i])
			v->items[kept++] = v->items[i];
	v->count = kept;
}

// Who logged in from where, as the kernel saw it: the listener that forked the session's first process had accepted a connection
// before. Both are shown with the line, though they are no part of the path.
static void take_login_peer(struct finder *f, const struct line *own, size_t last)
{
	if (last + 1 >= own->items.count || process_of(f->g, own->items.items[last].node)->session == SESSION_UNSET)
		return;
	const struct line_item *listener = &own->items.items[last + 1];
	uint32_t edge = last_peer(f, listener->node, listener->time_ns, true, GRAPH_NONE);
	if (edge == GRAPH_NONE)
		return;
	f->s->items[f->s->of[listener->node]].marks |= MARK_LOGIN_PEER;
	f->s->items[f->s->of[f->g->edges.items[edge].from]].marks |= MARK_LOGIN_PEER;
}

static int take_all(struct finder *f, struct picture_path *ret)
{
	for (uint32_t i = 0; i < f->lines.count; i++)
		take_line(f, i);
	for (size_t i = 0; i < f->lines.count; i++)
		if (take_edges(f, &f->lines.items[i], i == 0) < 0)
			return -1;
	const struct line *own = &f->lines.items[0];
	size_t last = own->begin > own->top ? own->begin : own->top;
	for (size_t i = last + 1; i-- > 0;) {
		uint32_t subject = f->s->of[own->items.items[i].node];
		f->s->items[subject].marks |= MARK_LINE;
		if ((!ret->line.count || ret->line.items[ret->line.count - 1] != subject) &&
		    u32_vector_append(&ret->line, subject) < 0)
			return -1;
	}
	take_login_peer(f, own, last);
	for (size_t i = 0; i < f->lines.count; i++)
		for (size_t k = f->lines.items[i].begin + 1; k < f->lines.items[i].items.count; k++)
			f->s->items[f->s->of[f->lines.items[i].items.items[k].node]].marks |= MARK_ABOVE;
	for (size_t i = 0; i < f->edges.count; i++) {
		const struct flow_edge *e = &f->g->edges.items[f->edges.items[i]];
		f->s->items[f->s->of[e->from]].marks |= MARK_PATH;
		f->s->items[f->s->of[e->to]].marks |= MARK_PATH;
	}
	ret->root = root_of(f, &ret->same_line);
	return 0;
}

// The edge by which the contact was made, whichever way it went.
static uint32_t contact_edge(const struct graph *g, uint32_t contact)
{
	uint32_t node = g->connections.items[contact].node;
	for (uint32_t i = g->in_start.items[node]; i < g->in_start.items[node + 1]; i++) {
		const struct flow_edge *e = &g->edges.items[g->in_edges.items[i]];
		if (e->op == FLOW_CONNECT || e->op == FLOW_ACCEPT)
			return g->in_edges.items[i];
	}
	return GRAPH_NONE;
}

int picture_path_find(struct subjects *s, struct picture_path *ret, struct error *err)
{
	struct finder f = {.s = s, .g = s->graph};
	struct picture_path path = {.contact = GRAPH_NONE, .root = GRAPH_NONE};
	uint32_t edge = s->trace->contact == GRAPH_NONE ? GRAPH_NONE : contact_edge(s->graph, s->trace->contact);
	if (edge == GRAPH_NONE) {
		*ret = path;
		return 0;
	}
	uint32_t node = s->graph->edges.items[edge].from;
	uint64_t time = s->graph->connections.items[s->trace->contact].time_ns;
	f.line_of = calloc((size_t)s->count + 1, sizeof(*f.line_of));
	path.contact = s->of[node];
	int result = f.line_of ? u32_vector_append(&f.edges, edge) : -1;
	if (result == 0)
		result = walk_line(&f, node, time, 1.0);
	if (result == 0)
		result = gather_motives(&f, 0);
	if (result == 0)
		result = follow_all(&f);
	if (result == 0)
		result = take_all(&f, &path);
	path.edges = f.edges;
	sort_edges(&path.edges);
	for (size_t i = 0; i < f.lines.count; i++)
		item_vector_release(&f.lines.items[i].items);
	line_vector_release(&f.lines);
	motive_vector_release(&f.waiting);
	free(f.line_of);
	if (result < 0) {
		picture_path_release(&path);
		return error_set(err, "path to the contact: out of memory");
	}
	*ret = path;
	return 0;
}

void picture_path_release(struct picture_path *p)
{
	u32_vector_release(&p->edges);
	u32_vector_release(&p->line);
	memset(p, 0, sizeof(*p));
}

bool picture_path_has(const struct picture_path *p, uint32_t edge)
{
	return p->edges.count && bsearch(&edge, p->edges.items, p->edges.count, sizeof(edge), compare_edges) != NULL;
}
