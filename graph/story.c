// SPDX-License-Identifier: MIT
// The story: the flows among drawn nodes that matter most, numbered in order of time.
#include "graph/story.h"

#include "base/nanotime.h"
#include "graph/label.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 20
#define WEIGHT_MIN 20 /* below it a flow is drawn but not told */

// What a flow weighs in the story. Only the order matters: the path first, then what must not be missed, then what the incident's
// own processes did, then the rest.
#define WEIGHT_PATH 100

static bool has_mark(const struct picture_work *w, uint32_t node, uint32_t marks)
{
	uint32_t subject = w->subject_of_node[node];
	return subject != GRAPH_NONE && (w->s.items[subject].marks & marks) != 0;
}

static int weigh_to_file(const struct picture_work *w, const struct drawn_flow *f)
{
	bool incident = has_mark(w, f->to, MARK_OURS) && has_mark(w, f->from, MARK_OURS);
	if (f->op == FLOW_DELETE && story_removes_a_name(w, f))
		return 9;
	if (f->op == FLOW_DELETE || f->op == FLOW_TRUNCATE)
		return has_mark(w, f->to, MARK_CLEANED) ? 88 : has_mark(w, f->to, MARK_REMOVED | MARK_DROPPED) ? 82 : incident ? 40 : 10;
	if (f->op == FLOW_ATTRIBUTE)
		return has_mark(w, f->to, MARK_DROPPED) ? 30 : 8;
	if (has_mark(w, f->to, MARK_PERSISTS))
		return incident ? 85 : 15;
	if (has_mark(w, f->to, MARK_CLEANED))
		return f->op == FLOW_RENAME ? 86 : incident ? 45 : 8;
	if (has_mark(w, f->to, MARK_DROPPED))
		return f->op == FLOW_LINK || f->op == FLOW_RENAME ? 22 : 75;
	return incident ? 40 : 8;
}

static int weigh_processes(const struct picture_work *w, const struct drawn_flow *f)
{
	const struct picture_node *from = &w->p->nodes.items[f->from], *to = &w->p->nodes.items[f->to];
	if (f->op == FLOW_INJECT)
		return 85;
	if (f->op == FLOW_FORK || f->op == FLOW_EXEC) {
		if (from->euid != to->euid && has_mark(w, f->to, MARK_OURS))
			return 72;
		if (!has_mark(w, f->to, MARK_OURS) && has_mark(w, f->to, MARK_LINE))
			return 26;
		if (has_mark(w, f->to, MARK_PATH))
			return 60;
		return has_mark(w, f->to, MARK_OURS) ? (f->first_ns >= w->p->contact_ns ? 38 : 33) : 12;
	}
	if (f->op == FLOW_PIPE)
		return has_mark(w, f->to, MARK_OURS) ? 50 : 10;
	return 25;
}

// An address is on the path by what came back; what the story tells is that it was asked, or that it came.
static bool tells_of_peer(const struct picture_work *w, const struct drawn_flow *f)
{
	return w->p->nodes.items[f->to].kind == PICTURE_ADDRESS && w->p->edges.items[f->edge].on_path;
}

// A group of files: told when the incident's own process opened them at or after the contact, or wrote or removed them.
static int weigh_group(const struct picture_work *w, const struct drawn_flow *f)
{
	bool read = f->op == FLOW_OPEN_READ || f->op == FLOW_READ;
	if (!has_mark(w, read ? f->to : f->from, MARK_OURS) || f->op == FLOW_INTERPRET || f->op == FLOW_EXECUTE)
		return 0;
	return read && f->first_ns < w->p->contact_ns ? 0 : 42;
}

static int weigh_flow(const struct picture_work *w, const struct drawn_flow *f)
{
	const struct picture_node *from = &w->p->nodes.items[f->from], *to = &w->p->nodes.items[f->to];
	int weight = 0;
	if (from->kind == PICTURE_FOLD || to->kind == PICTURE_FOLD)
		return weigh_group(w, f);
	if (f->op == FLOW_RECEIVE || f->op == FLOW_INTERPRET || w->p->edges.items[f->edge].correlation)
		return 0;
	if (to->kind == PICTURE_ADDRESS)
		weight = to->alert ? 90 : has_mark(w, f->from, MARK_OURS) ? 56 : 15;
	else if (to->kind == PICTURE_KERNEL)
		weight = 85;
	else if (to->kind == PICTURE_FILE)
		weight = weigh_to_file(w, f);
	else if (from->kind == PICTURE_PROCESS && to->kind == PICTURE_PROCESS)
		weight = weigh_processes(w, f);
	else if (from->kind == PICTURE_FILE && (f->op == FLOW_EXECUTE || f->op == FLOW_SYMLINK))
		weight = has_mark(w, f->from, MARK_DROPPED) ? 80 : 10;
	else if (from->kind == PICTURE_FILE)
		weight = has_mark(w, f->from, MARK_DROPPED) && has_mark(w, f->to, MARK_OURS) ? 48 :
			 has_mark(w, f->to, MARK_OURS) && !from->persistence ? 24 : 8;
	bool on_path = f->on_path || tells_of_peer(w, f);
	if (f->class == CLASS_UNCERTAIN && !on_path)
		weight /= 2;
	return weight + (on_path ? WEIGHT_PATH : 0);
}

// The open that created a file is told as its creation.
static bool told_by_another(const struct picture_work *w, const struct drawn_flow *f)
{
	bool read = f->op == FLOW_OPEN_READ || f->op == FLOW_READ;
	if (!read && f->op != FLOW_OPEN_WRITE && f->op != FLOW_TRUNCATE && f->op != FLOW_RENAME)
		return false;
	for (size_t i = 0; i < w->flows.count; i++) {
		const struct drawn_flow *g = &w->flows.items[i];
		if (read && g->from == f->from && g->to == f->to && g->op == FLOW_EXECUTE)
			return true; // an interpreter opens the script that was executed
		if (!read && g->from == f->from && g->to == f->to && g->op == FLOW_CREATE && f->op != FLOW_RENAME && !g->failed && g->first_ns <= f->first_ns &&
		    (f->op == FLOW_OPEN_WRITE || g->serial == f->serial))
			return true;
		if (f->op == FLOW_RENAME && g->op == FLOW_DELETE && g->from == f->from && g->serial == f->serial)
			return true; // told as the replacement of what had that name
		if (f->op == FLOW_OPEN_WRITE && g->from == f->from && g->to == f->to && g->op == FLOW_TRUNCATE && g->serial == f->serial)
			return true;
	}
	return false;
}

struct chosen_flow { int weight; uint32_t flow; };

static int compare_chosen(const void *a, const void *b)
{
	const struct chosen_flow *x = a, *y = b;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return x->flow < y->flow ? -1 : x->flow > y->flow;
}

static int compare_by_time(const void *a, const void *b)
{
	const struct chosen_flow *x = a, *y = b; // flows are sorted by time already
	return x->flow < y->flow ? -1 : x->flow > y->flow;
}

// Stamps lie on a 4 ms tick, and a fork's record comes when it returned, after the child's first ones: within one tick a process is
// started before it acts.
static void start_before_acting(const struct picture_work *w, struct chosen_flow *chosen, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t k = i; k > 0; k--) {
			const struct drawn_flow *start = &w->flows.items[chosen[k].flow], *act = &w->flows.items[chosen[k - 1].flow];
			if (start->op != FLOW_FORK || start->first_ns != act->first_ns || (act->from != start->to && act->to != start->to))
				break;
			struct chosen_flow swapped = chosen[k];
			chosen[k] = chosen[k - 1];
			chosen[k - 1] = swapped;
		}
}

static size_t choose_flows(const struct picture_work *w, struct chosen_flow *chosen)
{
	size_t count = 0;
	for (uint32_t i = 0; i < w->flows.count; i++) {
		int weight = weigh_flow(w, &w->flows.items[i]);
		if (weight >= WEIGHT_MIN && !told_by_another(w, &w->flows.items[i]))
			chosen[count++] = (struct chosen_flow){weight, i};
	}
	if (count)
		qsort(chosen, count, sizeof(*chosen), compare_chosen);
	count = count < STEPS_MAX ? count : STEPS_MAX;
	if (count)
		qsort(chosen, count, sizeof(*chosen), compare_by_time);
	start_before_acting(w, chosen, count);
	return count;
}

// --- the alert's own line

static uint32_t alert_node(const struct picture_work *w)
{
	uint32_t contact = w->t->contact == GRAPH_NONE ? GRAPH_NONE : w->g->connections.items[w->t->contact].node;
	return contact == GRAPH_NONE ? GRAPH_NONE : picture_node_of(w, w->s.of[contact]);
}

static int add_alert(struct picture_work *w, struct buffer *b)
{
	struct picture_step step = {.alert = true, .edge = GRAPH_NONE, .node = alert_node(w), .on_path = true};
	step.time_ns = w->p->alert_ns != NANOTIME_NONE ? w->p->alert_ns : w->p->contact_ns;
	if (step.time_ns == NANOTIME_NONE)
		return 0;
	buffer_add_string(b, w->p->alert_ns != NANOTIME_NONE ? "alert on " : "the contact that was asked about: ");
	struct event_address address = w->p->alert_address;
	address.port = w->p->alert_port;
	const struct connection *contact = w->t->contact == GRAPH_NONE ? NULL : &w->g->connections.items[w->t->contact];
	if (!address.port && contact && contact->direction == CONNECTION_OUT)
		address.port = contact->address.port;
	label_address(w->g, &address, b);
	if (w->p->alert_signature.length) {
		buffer_add_string(b, ": ");
		buffer_add(b, w->p->alert_signature.bytes, w->p->alert_signature.length);
	}
	step.words = picture_take_text(w->p, b);
	return picture_step_vector_append(&w->p->steps, step);
}

static int add_step(struct picture_work *w, const struct drawn_flow *f, uint32_t number, struct buffer *b)
{
	struct picture_step step = {.number = number, .time_ns = f->first_ns, .edge = f->edge, .on_path = f->on_path || tells_of_peer(w, f)};
	// The node that the sentence is about: who acted.
	bool from_acts = w->p->nodes.items[f->from].kind == PICTURE_PROCESS;
	step.node = from_acts ? f->from : f->to;
	story_sentence(w, f, b);
	step.words = picture_take_text(w->p, b);
	return picture_step_vector_append(&w->p->steps, step);
}

static void link_edges(struct picture_work *w)
{
	for (size_t i = 0; i < w->p->steps.count; i++) {
		const struct picture_step *step = &w->p->steps.items[i];
		if (step->edge == GRAPH_NONE)
			continue;
		struct picture_edge *e = &w->p->edges.items[step->edge];
		if (!e->steps)
			e->steps = picture_allocate(w->p, STEPS_MAX * sizeof(*e->steps));
		if (!e->steps)
			return;
		e->steps[e->step_count++] = step->number;
		if (!e->step)
			e->step = step->number;
	}
}

int story_tell(struct picture_work *w)
{
	struct buffer b = {0};
	struct chosen_flow *chosen = malloc((w->flows.count + 1) * sizeof(*chosen));
	bool alert_told = false;
	int result = chosen ? 0 : -1;
	size_t count = chosen ? choose_flows(w, chosen) : 0;
	uint64_t alert_ns = w->p->alert_ns != NANOTIME_NONE ? w->p->alert_ns : w->p->contact_ns;
	for (size_t i = 0; i < count && result == 0; i++) {
		const struct drawn_flow *f = &w->flows.items[chosen[i].flow];
		if (!alert_told && f->first_ns > alert_ns) {
			result = add_alert(w, &b);
			alert_told = true;
		}
		if (result == 0)
			result = add_step(w, f, (uint32_t)i + 1, &b);
	}
	if (result == 0 && !alert_told)
		result = add_alert(w, &b);
	link_edges(w);
	free(chosen);
	buffer_release(&b);
	return result < 0 || picture_failed(w->p) ? -1 : 0;
}
