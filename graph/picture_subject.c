// SPDX-License-Identifier: MIT
#include "graph/picture_subject.h"

#include "base/nanotime.h"
#include "graph/label.h"
#include "graph/persistence.h"

#include <stdlib.h>
#include <string.h>

#define HOPS_IN_ONE_SUBJECT 4096 /* our limit: images and pipes passed through on the way to the next subject */

// --- which nodes belong together: leader[n] is the node that stands for n's subject

// An image that left no trace but the next image. What it read may have mattered, and goes with it into the next one's box.
static bool only_led_on(const struct graph *g, const struct segment *s, uint32_t next_node)
{
	for (uint32_t i = g->out_start.items[s->node]; i < g->out_start.items[s->node + 1]; i++) {
		const struct flow_edge *e = &g->edges.items[g->out_edges.items[i]];
		if (e->to == next_node)
			continue;
		if (!s->forked_stub)
			return false;
		// A stub that opens files prepares its program's redirections, and what it inherited says nothing of it; one that
		// connects, injects or forks acts for itself.
		if (e->class == CLASS_OBSERVED && (e->op == FLOW_CONNECT || e->op == FLOW_ACCEPT || e->op == FLOW_INJECT ||
						   e->op == FLOW_KERNEL || e->op == FLOW_FORK))
			return false;
	}
	return true;
}

static void lead_processes(const struct graph *g, uint32_t *leader)
{
	for (size_t p = 0; p < g->processes.count; p++) {
		const struct u32_vector *segments = &g->processes.items[p].segments;
		for (size_t i = segments->count; i-- > 0;) {
			const struct segment *s = &g->segments.items[segments->items[i]];
			leader[s->node] = s->node;
			if (i + 1 == segments->count)
				continue;
			uint32_t next = g->segments.items[segments->items[i + 1]].node;
			if (only_led_on(g, s, next))
				leader[s->node] = leader[next];
		}
	}
}

static void lead_files(const struct graph *g, uint32_t *leader)
{
	for (size_t f = 0; f < g->files.count; f++) {
		const struct u32_vector *versions = &g->files.items[f].versions;
		for (size_t i = 0; i < versions->count; i++)
			leader[versions->items[i]] = versions->items[0];
	}
}

struct peer { uint32_t connection; const struct connection *c; };

static int compare_u32(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

// Same peer: equal addresses; ports count for outgoing ones only.
static int compare_peer(const struct connection *a, const struct connection *b)
{
	int order = compare_u32(a->address.kind, b->address.kind);
	order = order ? order : compare_u32(a->direction, b->direction);
	order = order ? order : memcmp(a->address.ip, b->address.ip, sizeof(a->address.ip));
	order = order ? order : compare_u32(a->address.path, b->address.path);
	order = order ? order : compare_u32(a->address.family, b->address.family);
	if (order == 0 && a->direction == CONNECTION_OUT)
		order = compare_u32(a->address.port, b->address.port);
	return order;
}

static int compare_peers(const void *a, const void *b)
{
	const struct peer *x = a, *y = b;
	int order = compare_peer(x->c, y->c);
	return order ? order : compare_u32(x->connection, y->connection);
}

static int lead_connections(const struct graph *g, uint32_t *leader)
{
	size_t n = g->connections.count;
	struct peer *peers = malloc((n + 1) * sizeof(*peers));
	if (!peers)
		return -1;
	for (size_t i = 0; i < n; i++)
		peers[i] = (struct peer){(uint32_t)i, &g->connections.items[i]};
	qsort(peers, n, sizeof(*peers), compare_peers);
	for (size_t i = 0, first = 0; i < n; i++) {
		if (compare_peer(peers[first].c, peers[i].c) != 0)
			first = i;
		leader[peers[i].c->node] = peers[first].c->node;
	}
	free(peers);
	return 0;
}

// --- subjects in order of their first node

static enum picture_kind picture_kind_of(enum node_kind kind)
{
	switch (kind) {
	case NODE_PROCESS:
		return PICTURE_PROCESS;
	case NODE_FILE:
		return PICTURE_FILE;
	case NODE_CONNECTION:
		return PICTURE_ADDRESS;
	case NODE_PIPE:
	case NODE_UNIX_SOCKET:
		return PICTURE_CHANNEL;
	case NODE_KERNEL:
		return PICTURE_KERNEL;
	}
	return PICTURE_CHANNEL;
}

static void add_member(struct subjects *s, uint32_t subject, uint32_t node)
{
	const struct graph_node *n = &s->graph->nodes.items[node];
	const struct trace_node *t = &s->trace->nodes[node];
	struct subject *it = &s->items[subject];
	if (n->start_ns < it->first_ns)
		it->first_ns = n->start_ns;
	if (t->side == TRACE_NONE)
		return;
	if (t->rank < it->rank) {
		it->rank = t->rank;
		it->cost = t->cost;
		it->best = node;
	}
	// Seed before cause before effect: what both led to the contact and followed from it is shown as a cause.
	if (it->side == TRACE_NONE || t->side < it->side)
		it->side = t->side;
}

static int number_subjects(struct subjects *s, const uint32_t *leader)
{
	size_t n = s->graph->nodes.count;
	memset(s->of, 0xff, (n + 1) * sizeof(*s->of)); // GRAPH_NONE
	for (uint32_t i = 0; i < n; i++) {
		if (s->of[leader[i]] == GRAPH_NONE)
			s->of[leader[i]] = s->count++;
		s->of[i] = s->of[leader[i]];
	}
	s->items = calloc((size_t)s->count + 1, sizeof(*s->items));
	s->member_start = calloc((size_t)s->count + 2, sizeof(*s->member_start));
	if (!s->items || !s->member_start)
		return -1;
	for (uint32_t i = 0; i < s->count; i++)
		s->items[i] = (struct subject){.best = GRAPH_NONE, .rank = UINT32_MAX, .cost = TRACE_COST_UNREACHED,
					       .drawn = GRAPH_NONE, .actor = GRAPH_NONE, .sole = GRAPH_NONE,
					       .first_ns = NANOTIME_NONE, .written_ns = NANOTIME_NONE};
	for (uint32_t i = 0; i < n; i++) {
		struct subject *it = &s->items[s->of[i]];
		const struct graph_node *node = &s->graph->nodes.items[i];
		it->kind = (uint8_t)picture_kind_of(node->kind);
		it->pipe = node->kind == NODE_PIPE;
		if (it->best == GRAPH_NONE)
			it->best = i;
		add_member(s, s->of[i], i);
		s->member_start[s->of[i] + 1]++;
	}
	return 0;
}

static void list_members(struct subjects *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		s->member_start[i + 1] += s->member_start[i];
	for (uint32_t i = (uint32_t)s->graph->nodes.count; i-- > 0;)
		s->members[--s->member_start[s->of[i] + 1]] = i;
	// member_start[k + 1] now holds the start of k: move down
	for (uint32_t i = 0; i < s->count; i++)
		s->member_start[i] = s->member_start[i + 1];
	s->member_start[s->count] = (uint32_t)s->graph->nodes.count;
}

// --- what the records say of each subject

static bool writes(enum flow_op op)
{
	return op == FLOW_CREATE || op == FLOW_OPEN_WRITE || op == FLOW_WRITE || op == FLOW_RENAME || op == FLOW_LINK;
}

// What its names say of a file, asked once: patterns cost more than edges.
enum { PLACE_KNOWN = 1, PLACE_PERSISTS = 2, PLACE_LOG = 4, PLACE_SECRET = 8 };

static uint8_t places_of(const struct subjects *s, struct subject *file, uint32_t node)
{
	const struct file *f = graph_file_of(s->graph, node);
	if (file->places & PLACE_KNOWN)
		return file->places;
	for (size_t i = 0; i < f->names.count; i++) {
		const char *bytes = intern_string(s->graph->strings, f->names.items[i].name);
		size_t length = intern_length(s->graph->strings, f->names.items[i].name);
		file->places |= persistence_of_path(bytes, length) ? PLACE_PERSISTS : 0;
		file->places |= persistence_is_log(bytes, length) ? PLACE_LOG : 0;
		file->places |= persistence_is_secret(bytes, length) ? PLACE_SECRET : 0;
	}
	return file->places |= PLACE_KNOWN;
}

static void mark_to_file(const struct subjects *s, struct subject *file, const struct flow_edge *e)
{
	bool cuts = e->op == FLOW_DELETE || e->op == FLOW_TRUNCATE || e->op == FLOW_RENAME;
	if (e->op == FLOW_DELETE && (file->marks & MARK_DROPPED) && e->start_ns >= file->run_ns)
		file->marks |= MARK_REMOVED;
	if (!cuts && !writes(e->op))
		return;
	uint8_t places = places_of(s, file, e->to);
	if (cuts && (places & PLACE_LOG))
		file->marks |= MARK_CLEANED;
	if (!writes(e->op))
		return;
	file->marks |= MARK_WRITTEN | (e->op == FLOW_CREATE ? MARK_CREATED : 0) | (places & PLACE_PERSISTS ? MARK_PERSISTS : 0);
	if (e->start_ns < file->written_ns)
		file->written_ns = e->start_ns;
}

static void mark_from_file(const struct subjects *s, struct subject *file, const struct flow_edge *e)
{
	bool read = e->op == FLOW_OPEN_READ || e->op == FLOW_READ, run = e->op == FLOW_EXECUTE || e->op == FLOW_SYMLINK;
	if (read && (places_of(s, file, e->from) & PLACE_SECRET))
		file->marks |= MARK_SECRET;
	if (read && (file->marks & MARK_WRITTEN))
		run = label_is_script_of(s->graph, graph_file_of(s->graph, e->from), graph_segment_of(s->graph, e->to));
	if (!run)
		return;
	file->marks |= MARK_RUN;
	if (e->start_ns > file->run_ns)
		file->run_ns = e->start_ns;
	if (file->written_ns <= e->start_ns)
		file->marks |= MARK_DROPPED;
}

static void note_user(struct subject *file, uint32_t process)
{
	if (file->sole == GRAPH_NONE)
		file->sole = process;
	else if (file->sole != process)
		file->sole = SUBJECT_SEVERAL;
}

// Edges come in order of time, so a file's writes are known when it is run, and its runs when it is deleted.
static void mark_edge(struct subjects *s, const struct flow_edge *e)
{
	struct subject *from = &s->items[s->of[e->from]], *to = &s->items[s->of[e->to]];
	if (from->kind == PICTURE_FILE || to->kind == PICTURE_FILE)
		note_user(from->kind == PICTURE_FILE ? from : to, from->kind == PICTURE_FILE ? s->of[e->to] : s->of[e->from]);
	if (e->failed || s->trace->nodes[e->from].side == TRACE_NONE)
		return;
	if (to->kind == PICTURE_FILE && from->kind == PICTURE_PROCESS)
		mark_to_file(s, to, e);
	else if (from->kind == PICTURE_FILE && to->kind == PICTURE_PROCESS)
		mark_from_file(s, from, e);
	else if (e->op == FLOW_KERNEL || e->op == FLOW_INJECT)
		to->marks |= MARK_KERNEL;
}

// Its effective user changed while it lived, or from its parent to it, towards root or towards another user.
static bool privilege_changed(const struct graph *g, const struct segment *s)
{
	const struct process *p = &g->processes.items[s->process];
	for (size_t i = 1; i < p->identities.count; i++) {
		const struct identity_change *a = &p->identities.items[i - 1], *b = &p->identities.items[i];
		if (a->ids.euid != b->ids.euid && b->time_ns >= s->start_ns && b->time_ns < s->end_ns)
			return true;
	}
	return false;
}

// Not this host: neither a loopback address nor the unspecified one, by which resolvers ask for the best source address.
static bool is_elsewhere(const struct event_address *a)
{
	static const uint8_t none[16], loopback[16] = {[15] = 1};
	if (a->kind == ADDRESS_IPV4)
		return a->ip[0] != 127 && memcmp(a->ip, none, 4) != 0;
	return a->kind == ADDRESS_IPV6 && memcmp(a->ip, none, 16) != 0 && memcmp(a->ip, loopback, 16) != 0;
}

static void mark_subjects(struct subjects *s)
{
	for (size_t i = 0; i < s->graph->edges.count; i++)
		mark_edge(s, &s->graph->edges.items[i]);
	for (uint32_t i = 0; i < s->count; i++) {
		struct subject *it = &s->items[i];
		const struct segment *segment = it->kind == PICTURE_PROCESS ? subjects_segment(s, i) : NULL;
		if (it->side == TRACE_NONE)
			continue;
		if (segment && privilege_changed(s->graph, segment))
			it->marks |= MARK_PRIVILEGE;
		if (it->kind == PICTURE_FILE && (it->marks & MARK_CREATED) && it->sole != SUBJECT_SEVERAL &&
		    graph_file_of(s->graph, it->best)->deleted_ns != NANOTIME_NONE)
			it->marks |= MARK_SCRATCH;
		if (it->kind == PICTURE_ADDRESS && it->side == TRACE_SEED)
			it->marks |= MARK_ALERT;
		else if (it->kind == PICTURE_ADDRESS && is_elsewhere(&graph_connection_of(s->graph, it->best)->address))
			it->marks |= MARK_CONTACT;
	}
	for (size_t i = 0; i < s->trace->choke_points.count; i++)
		s->items[s->of[s->trace->choke_points.items[i]]].marks |= MARK_CHOKE;
}

// --- the module

int subjects_init(struct subjects *ret, const struct graph *g, const struct trace *t, struct error *err)
{
	struct subjects s = {.graph = g, .trace = t};
	size_t n = g->nodes.count;
	uint32_t *leader = malloc((n + 1) * sizeof(*leader));
	s.of = malloc((n + 1) * sizeof(*s.of));
	s.members = malloc((n + 1) * sizeof(*s.members));
	int result = leader && s.of && s.members ? 0 : -1;
	if (result == 0) {
		for (uint32_t i = 0; i < n; i++)
			leader[i] = i;
		lead_processes(g, leader);
		lead_files(g, leader);
		result = lead_connections(g, leader);
	}
	if (result == 0)
		result = number_subjects(&s, leader);
	free(leader);
	if (result < 0) {
		subjects_release(&s);
		return error_set(err, "picture of %zu nodes: out of memory", n);
	}
	list_members(&s);
	mark_subjects(&s);
	*ret = s;
	return 0;
}

void subjects_release(struct subjects *s)
{
	free(s->items);
	free(s->of);
	free(s->member_start);
	free(s->members);
	memset(s, 0, sizeof(*s));
}

uint32_t subjects_next(const struct subjects *s, uint32_t subject, uint32_t *ret_edge)
{
	uint32_t node = s->items[subject].best, left = GRAPH_NONE;
	for (int hop = 0; hop < HOPS_IN_ONE_SUBJECT; hop++) {
		const struct trace_node *t = &s->trace->nodes[node];
		if (t->side == TRACE_NONE || t->next_edge == GRAPH_NONE)
			return GRAPH_NONE;
		const struct flow_edge *e = &s->graph->edges.items[t->next_edge];
		if (left == GRAPH_NONE || s->of[node] == subject)
			left = t->next_edge;
		node = t->side == TRACE_EFFECT ? e->from : e->to;
		uint32_t at = s->of[node];
		if (at != subject && !s->items[at].pipe) {
			if (ret_edge)
				*ret_edge = left;
			return at;
		}
	}
	return GRAPH_NONE;
}

const struct segment *subjects_segment(const struct subjects *s, uint32_t subject)
{
	if (s->items[subject].kind != PICTURE_PROCESS)
		return NULL;
	// Members are in order of number, images are numbered in order of first sight: the last in time is looked for.
	const struct segment *last = NULL;
	for (uint32_t i = s->member_start[subject]; i < s->member_start[subject + 1]; i++) {
		const struct segment *segment = graph_segment_of(s->graph, s->members[i]);
		if (!last || segment->ordinal > last->ordinal)
			last = segment;
	}
	return last;
}

const struct file *subjects_file(const struct subjects *s, uint32_t subject)
{
	return graph_file_of(s->graph, s->items[subject].best);
}

bool subjects_wanted(const struct subject *subject)
{
	return subject->side != TRACE_NONE && !subject->pipe;
}
