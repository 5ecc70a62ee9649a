// SPDX-License-Identifier: MIT
#include "graph/picture_choose.h"

#include "graph/persistence.h"
#include "graph/picture_near.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REMAINDER_FOLDS 8      /* places kept for folds of everything else */
#define CORRELATION_FOLDS 2    /* and for others that contacted the same address */
#define LINE_NEAR 8            /* of the contact's line: nearest to the contact */
#define LINE_FAR 3             /* and where it begins */
#define PATH_PLACES 30
#define ALERT_ADDRESSES 3
#define CHOKE_PLACES 3
#define ENTRY_ADDRESSES 2
#define SEED_PROCESSES 4       /* further processes that contacted the address, as nodes of their own */
#define PULLED_MAX 6           /* a candidate may bring so many others that are not shown yet */
#define SIDE_SHARE_PERCENT 70
#define GOOD_WEIGHT 7000000    /* score 0.001: better ones hold their side's share */
#define PLENTY 28              /* with so many drawn, only what is quite near is drawn besides: a picture is to be read */
#define WEIGHT_LIMIT 6000000
#define WEIGHT_LIMIT_PLENTY 1000000
#define ORDINARY_MAX 3000000
#define ORDINARY_PRIOR_MIN 0.05 /* e^-3 */
#define CANDIDATES_PER_SIDE 4000 /* looked at; a picture takes 50 */

// Bonuses and handicap, micro-units of -ln, as the trace's costs: 1,000,000 makes a score 2.7 times as good.
#define BONUS_MUST_SEE 3000000 /* what persists, a log cleaned, a program removed after it ran, a secret opened */
#define BONUS_DROPPED 2500000
#define BONUS_KERNEL 2000000
#define BONUS_TELLING 1000000  /* privilege, another contact, a file that may have been sent */
#define DEAD_END_HANDICAP 1500000 /* a file that was read or run, and that nobody wrote in this log; an address of this host: nothing lies behind */
#define SCRATCH_HANDICAP 1500000 /* a file that one process made, used and removed */
#define SESSION_HANDICAP 2000000 /* hangs on the contact's session, not on the path */
#define FOREIGN_HANDICAP 3000000 /* hangs on an ancestor above it */

struct candidate {
	int64_t weight;
	uint32_t rank;
	uint32_t subject;
};
VECTOR_DEFINE(candidate_vector, struct candidate)

struct chooser {
	struct subjects *s;
	struct folds *folds;
	const struct picture_path *path;
	uint32_t places, used;         // for shown subjects and sibling folds
	uint32_t seeds_shown;
};

// --- showing

static bool is_shown(const struct chooser *c, uint32_t subject)
{
	return (c->s->items[subject].marks & MARK_SHOWN) != 0;
}

static uint32_t places_left(const struct chooser *c)
{
	return c->places > c->used ? c->places - c->used : 0;
}

static void show(struct chooser *c, uint32_t subject)
{
	if (is_shown(c, subject) || c->s->items[subject].pipe)
		return;
	c->s->items[subject].marks |= MARK_SHOWN;
	c->used++;
}

// Shows what lies between `subject` and something shown. False when that would take more than `places`.
static bool pull_path(struct chooser *c, uint32_t subject, uint32_t places)
{
	uint32_t chain[PULLED_MAX + 1], count = 0;
	for (uint32_t at = subject; at != GRAPH_NONE && !is_shown(c, at); at = subjects_next(c->s, at, NULL)) {
		if (count == PULLED_MAX + 1 || count == places)
			return false;
		chain[count++] = at;
	}
	for (uint32_t i = 0; i < count; i++)
		show(c, chain[i]);
	return true;
}

// --- what is always shown

static void show_path(struct chooser *c)
{
	const struct u32_vector *line = &c->path->line;
	for (size_t i = 0; i < line->count; i++)
		if (i < LINE_FAR || i + LINE_NEAR >= line->count)
			show(c, line->items[i]);
	if (c->path->root != GRAPH_NONE)
		show(c, c->path->root);
	uint32_t taken = 0;
	const struct u32_vector *order = &c->s->trace->order;
	for (size_t i = 0; i < order->count && taken < PATH_PLACES; i++) {
		uint32_t subject = c->s->of[order->items[i]];
		if ((c->s->items[subject].marks & (MARK_PATH | MARK_LOGIN_PEER)) && !is_shown(c, subject) && !c->s->items[subject].pipe) {
			show(c, subject);
			taken++;
		}
	}
}

// The process subject on the other end of a connection; GRAPH_NONE for other nodes.
static uint32_t contacting(const struct subjects *s, uint32_t node)
{
	const struct graph *g = s->graph;
	for (uint32_t i = g->in_start.items[node]; i < g->in_start.items[node + 1]; i++) {
		const struct flow_edge *e = &g->edges.items[g->in_edges.items[i]];
		if (e->op == FLOW_CONNECT || e->op == FLOW_ACCEPT)
			return s->of[e->from];
	}
	return GRAPH_NONE;
}

static void show_alert(struct chooser *c)
{
	const struct trace *t = c->s->trace;
	uint32_t shown = 0;
	if (t->contact != GRAPH_NONE) {
		show(c, c->s->of[c->s->graph->connections.items[t->contact].node]);
		shown++;
	}
	if (c->path->contact != GRAPH_NONE)
		show(c, c->path->contact);
	for (size_t i = 0; i < t->seeds.count && shown < ALERT_ADDRESSES; i++) {
		uint32_t subject = c->s->of[t->seeds.items[i]], process = contacting(c->s, t->seeds.items[i]);
		if (!(c->s->items[subject].marks & MARK_ALERT) || is_shown(c, subject) || process == GRAPH_NONE)
			continue;
		show(c, subject);
		show(c, process); // an address without anybody who contacted it would hang in the air
		shown++;
	}
}

static void show_choke_points_and_entries(struct chooser *c)
{
	const struct trace *t = c->s->trace;
	uint32_t taken = 0;
	for (size_t i = 0; i < t->choke_points.count && taken < CHOKE_PLACES; i++) {
		uint32_t subject = c->s->of[t->choke_points.items[i]];
		// What lies above the session or service on the contact's own line is a choke point of everything.
		if (!(c->s->items[subject].marks & MARK_INCIDENT))
			continue;
		if (!is_shown(c, subject) && pull_path(c, subject, places_left(c)))
			taken++;
	}
	taken = 0;
	for (size_t i = 0; i < t->order.count && taken < ENTRY_ADDRESSES; i++) {
		uint32_t subject = c->s->of[t->order.items[i]];
		const struct subject *it = &c->s->items[subject];
		if (it->kind != PICTURE_ADDRESS || it->side != TRACE_CAUSE || !(it->marks & MARK_INCIDENT))
			continue;
		if (is_shown(c, subject) || (c->folds->of[subject] == GRAPH_NONE && pull_path(c, subject, places_left(c))))
			taken++;
	}
}

// --- candidates

// How ordinary a process of the same session is: its program, by the sessions and services that ran it in this log. `ls` in the
// shell next door says less than the mail program does.
static int64_t ordinary(const struct chooser *c, const struct subject *it)
{
	const struct graph *g = c->s->graph;
	const struct segment *s = it->kind == PICTURE_PROCESS ? subjects_segment(c->s, (uint32_t)(it - c->s->items)) : NULL;
	if (!s || s->program_file == GRAPH_NONE)
		return 0;
	double trees = g->files.items[s->program_file].readers_trees, all = g->trees ? g->trees : 1;
	if (trees <= 1)
		return 0;
	double prior = 1.0 - log(trees) / log(1.0 + all);
	return prior < ORDINARY_PRIOR_MIN ? ORDINARY_MAX : (int64_t)(-log(prior) * 1e6);
}

// Read only after the contact was made, by something that led on to it: not what made it happen, but what may have left through it.
static bool may_have_been_sent(const struct chooser *c, const struct subject *it)
{
	const struct trace *t = c->s->trace;
	if (it->side != TRACE_CAUSE || it->kind != PICTURE_FILE || t->contact == GRAPH_NONE || t->nodes[it->best].next_edge == GRAPH_NONE)
		return false;
	if (c->s->graph->edges.items[t->nodes[it->best].next_edge].start_ns <= c->s->graph->connections.items[t->contact].time_ns)
		return false;
	uint32_t name = file_name_at(subjects_file(c->s, c->s->of[it->best]), NANOTIME_NONE);
	return !persistence_is_library(intern_string(c->s->graph->strings, name), intern_length(c->s->graph->strings, name));
}

static int64_t weight_of(const struct chooser *c, const struct subject *it)
{
	int64_t weight = it->cost;
	bool effect = it->side == TRACE_EFFECT;
	if (it->actor != GRAPH_NONE)
		return (int64_t)c->s->items[it->actor].cost - BONUS_MUST_SEE;
	if (!(it->marks & MARK_INCIDENT))
		return weight + ordinary(c, it) + (it->marks & MARK_SESSION ? SESSION_HANDICAP : FOREIGN_HANDICAP);
	if ((it->marks & MARK_SCRATCH) && !(it->marks & MARK_DROPPED))
		weight += SCRATCH_HANDICAP;
	if (it->kind == PICTURE_ADDRESS && !(it->marks & (MARK_CONTACT | MARK_ALERT)))
		weight += DEAD_END_HANDICAP;
	if (may_have_been_sent(c, it))
		weight -= BONUS_TELLING;
	else if (it->side == TRACE_CAUSE && it->kind == PICTURE_FILE && !(it->marks & MARK_WRITTEN))
		weight += DEAD_END_HANDICAP;
	if (it->marks & MARK_DROPPED)
		weight -= BONUS_DROPPED;
	if (effect && (it->marks & MARK_KERNEL))
		weight -= BONUS_KERNEL;
	if (it->marks & (MARK_PRIVILEGE | MARK_CONTACT))
		weight -= BONUS_TELLING;
	return weight;
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static bool has_bonus(const struct subject *it)
{
	return it->actor != GRAPH_NONE || (it->marks & (MARK_DROPPED | MARK_KERNEL | MARK_PRIVILEGE |
			     MARK_CONTACT)) != 0;
}

// The best of one side in the trace's order, and those further down that a bonus may bring forward.
static int list_candidates(struct chooser *c, bool effects, struct candidate_vector *out)
{
	const struct u32_vector *order = &c->s->trace->order;
	uint32_t plain = 0, promoted = 0;
	for (size_t i = 0; i < order->count; i++) {
		uint32_t subject = c->s->of[order->items[i]];
		const struct subject *it = &c->s->items[subject];
		if (it->best != order->items[i] || (it->side == TRACE_EFFECT) != effects || !subjects_wanted(it) || is_shown(c, subject))
			continue;
		bool bonus = has_bonus(it);
		if (bonus ? promoted++ >= CANDIDATES_PER_SIDE : plain++ >= CANDIDATES_PER_SIDE)
			continue;
		struct candidate candidate = {weight_of(c, it), it->rank, subject};
		if (candidate_vector_append(out, candidate) < 0)
			return -1;
	}
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare_candidates);
	return 0;
}

// Gives a candidate its place, or its fold's. False when there is none.
static bool place(struct chooser *c, uint32_t subject)
{
	uint32_t left = places_left(c), fold = c->folds->of[subject];
	if (fold == GRAPH_NONE) {
		const struct subject *it = &c->s->items[subject];
		if (it->side == TRACE_SEED && it->kind == PICTURE_PROCESS && c->seeds_shown++ >= SEED_PROCESSES)
			return false;
		if (it->side == TRACE_SEED && it->kind == PICTURE_ADDRESS)
			return false;
		if (it->actor == GRAPH_NONE)
			return pull_path(c, subject, left);
		if (left < 2 || !pull_path(c, it->actor, left - 1)) // its own best path may lead elsewhere: it hangs on who acted
			return false;
		show(c, subject);
		return true;
	}
	struct fold *f = &c->folds->items.items[fold];
	if (f->chosen)
		return true;
	if (left < 2 || !pull_path(c, f->anchor, left - 1))
		return false;
	f->chosen = true;
	c->used++;
	return true;
}

static bool already_there(const struct chooser *c, const struct candidate *candidate)
{
	uint32_t fold = c->folds->of[candidate->subject];
	return is_shown(c, candidate->subject) || (fold != GRAPH_NONE && c->folds->items.items[fold].chosen);
}

static void choose_by_weight(struct chooser *c, const struct candidate_vector sides[2])
{
	size_t next[2] = {0, 0};
	uint32_t room = c->places > c->used ? c->places - c->used : 0, taken[2] = {0, 0};
	uint32_t share = room * SIDE_SHARE_PERCENT / 100;
	while (c->used < c->places) {
		int64_t limit = c->used < PLENTY ? WEIGHT_LIMIT : WEIGHT_LIMIT_PLENTY;
		for (int k = 0; k < 2; k++)
			while (next[k] < sides[k].count && already_there(c, &sides[k].items[next[k]]))
				next[k]++;
		bool any[2] = {next[0] < sides[0].count, next[1] < sides[1].count};
		if (!any[0] && !any[1])
			break;
		int k = !any[0] || (any[1] && sides[1].items[next[1]].weight < sides[0].items[next[0]].weight);
		if (taken[k] >= share && any[!k] && sides[!k].items[next[!k]].weight < GOOD_WEIGHT)
			k = !k;
		if (sides[k].items[next[k]].weight > limit)
			break;
		uint32_t before = c->used;
		place(c, sides[k].items[next[k]++].subject);
		taken[k] += c->used - before;
	}
}

int picture_choose(struct subjects *s, const struct picture_path *path, struct folds *folds, uint32_t aim, struct error *err)
{
	struct chooser c = {.s = s, .folds = folds, .path = path};
	struct candidate_vector sides[2] = {{0}, {0}};
	aim = aim ? aim : PICTURE_DRAWN_DEFAULT;
	aim = aim > PICTURE_DRAWN_MAX - CORRELATION_FOLDS ? PICTURE_DRAWN_MAX - CORRELATION_FOLDS : aim;
	c.places = aim > REMAINDER_FOLDS + 2 ? aim - REMAINDER_FOLDS : 2;
	if (picture_mark_near(s, err) < 0)
		return -1;
	show_alert(&c);
	show_path(&c);
	show_choke_points_and_entries(&c);
	int result = list_candidates(&c, false, &sides[0]);
	if (result == 0)
		result = list_candidates(&c, true, &sides[1]);
	if (result == 0)
		choose_by_weight(&c, sides);
	candidate_vector_release(&sides[0]);
	candidate_vector_release(&sides[1]);
	if (result < 0)
		return error_set(err, "choosing among %u nodes: out of memory", s->count);
	uint32_t anchor = path->contact != GRAPH_NONE ? path->contact : s->trace->seeds.count ? s->of[s->trace->seeds.items[0]] : 0;
	return s->count ? folds_gather(folds, s, REMAINDER_FOLDS, anchor, err) : 0;
}
