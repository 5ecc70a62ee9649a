// SPDX-License-Identifier: MIT
// Notes: the questions of an analyst, answered before the story is told. Who logged in from where, what ran, what it dropped,
// what persists, which privileges changed, what was cleaned, whom else it contacted.
#include "graph/notes.h"

#include "base/nanotime.h"
#include "base/text.h"
#include "graph/label.h"
#include "graph/persistence.h"
#include "graph/story.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RAN_MAX 12
#define COMMAND_BYTES 160

static uint32_t limit_of(enum note_kind kind)
{
	return kind == NOTE_RAN ? RAN_MAX : NOTES_PER_KIND;
}

void notes_put(struct note_taker *n, enum note_kind kind, uint64_t time_ns, uint32_t node, bool claimed)
{
	if (n->counts[kind] >= limit_of(kind)) {
		n->more[kind]++;
		buffer_clear(&n->b);
		return;
	}
	n->counts[kind]++;
	struct picture_note note = {.kind = kind, .time_ns = time_ns, .words = picture_take_text(n->w->p, &n->b), .node = node, .claimed = claimed};
	if (picture_note_vector_append(&n->w->p->notes, note) < 0)
		n->result = -1;
}

static bool in_incident(const struct subject *it)
{
	return (it->marks & MARK_OURS) != 0;
}

// --- what ran

static void note_ran(struct note_taker *n, uint32_t index)
{
	const struct picture_node *node = &n->w->p->nodes.items[index];
	uint32_t subject = n->w->subject_of_node[index];
	const struct segment *s = subjects_segment(&n->w->s, subject);
	if (!s || !in_incident(&n->w->s.items[subject]) || (n->w->s.items[subject].marks & MARK_ABOVE) || node->side == TRACE_NONE)
		return;
	story_name(node, &n->b);
	if (s->argv_count > 1) {
		buffer_add_string(&n->b, ": ");
		label_command(n->w->g, s, COMMAND_BYTES, &n->b);
	}
	buffer_add_string(&n->b, " (");
	story_user(n->w, &n->w->g->processes.items[s->process], node->euid, &n->b);
	buffer_add_string(&n->b, ")");
	notes_put(n, NOTE_RAN, node->first_ns, index, false);
}

// --- files: dropped, persisting, cleaned

// The last sliced process that did `ops` to the file; its picture node names it.
static uint32_t actor_of(const struct picture_work *w, uint32_t subject, uint32_t ops, bool first, uint64_t *ret_ns)
{
	uint32_t found = GRAPH_NONE;
	for (uint32_t i = w->s.member_start[subject]; i < w->s.member_start[subject + 1]; i++) {
		uint32_t node = w->s.members[i];
		for (uint32_t k = w->g->in_start.items[node]; k < w->g->in_start.items[node + 1]; k++) {
			const struct flow_edge *e = &w->g->edges.items[w->g->in_edges.items[k]];
			if (!(ops >> e->op & 1) || e->failed || w->t->nodes[e->from].side == TRACE_NONE)
				continue;
			if (found != GRAPH_NONE && (first ? e->start_ns >= *ret_ns : e->start_ns <= *ret_ns))
				continue;
			found = e->from;
			*ret_ns = e->start_ns;
		}
	}
	return found;
}

#define OPS_WRITE (1u << FLOW_CREATE | 1u << FLOW_OPEN_WRITE | 1u << FLOW_WRITE | 1u << FLOW_RENAME | 1u << FLOW_LINK)
#define OPS_CLEAN (1u << FLOW_DELETE | 1u << FLOW_TRUNCATE | 1u << FLOW_RENAME)

static void add_actor(struct note_taker *n, uint32_t node)
{
	if (node != GRAPH_NONE)
		label_process(n->w->g, graph_segment_of(n->w->g, node), &n->b);
	else
		buffer_add_string(&n->b, "an unknown process");
}

static void note_dropped(struct note_taker *n, uint32_t subject)
{
	const struct subject *it = &n->w->s.items[subject];
	const struct file *f = subjects_file(&n->w->s, subject);
	uint64_t ns = it->written_ns;
	label_file(n->w->g, f, NANOTIME_NONE, &n->b);
	buffer_printf(&n->b, " was %s by ", it->marks & MARK_CREATED ? "created" : "opened for writing");
	add_actor(n, actor_of(n->w, subject, OPS_WRITE, true, &ns));
	if (it->marks & MARK_DROPPED)
		buffer_add_string(&n->b, it->marks & MARK_REMOVED ? ", run, then deleted" : " and run");
	notes_put(n, NOTE_DROPPED, ns, picture_node_of(n->w, subject), false);
}

static void note_persists(struct note_taker *n, uint32_t subject)
{
	const struct file *f = subjects_file(&n->w->s, subject);
	uint64_t ns = n->w->s.items[subject].written_ns;
	uint32_t actor = actor_of(n->w, subject, OPS_WRITE, false, &ns);
	size_t start = n->b.length;
	label_file(n->w->g, f, ns, &n->b);
	const char *what = persistence_of_path(buffer_string(&n->b) + start, n->b.length - start);
	buffer_printf(&n->b, "%s%s%s opened for writing or put in place by ", what ? " (" : "", what ? what : "", what ? ")" : "");
	add_actor(n, actor);
	if (f->deleted_ns != NANOTIME_NONE)
		buffer_add_string(&n->b, "; deleted later");
	notes_put(n, NOTE_PERSISTS, ns, picture_node_of(n->w, subject), false);
}

static bool replaced_at(const struct picture_work *w, uint32_t subject, uint64_t ns)
{
	for (uint32_t i = w->s.member_start[subject]; i < w->s.member_start[subject + 1]; i++) {
		uint32_t node = w->s.members[i];
		for (uint32_t k = w->g->in_start.items[node]; k < w->g->in_start.items[node + 1]; k++) {
			const struct flow_edge *e = &w->g->edges.items[w->g->in_edges.items[k]];
			if (e->op == FLOW_DELETE && e->start_ns == ns && story_replaces(w->g, e))
				return true;
		}
	}
	return false;
}

static bool is_told(const struct note_taker *n, uint32_t subject)
{
	for (uint32_t i = 0; i < n->lost_count; i++)
		if (n->lost[i] == subject)
			return true;
	return false;
}

static void note_cleaned(struct note_taker *n, uint32_t subject)
{
	const struct file *f = subjects_file(&n->w->s, subject);
	static const struct { enum flow_op op; const char *words; } ways[] = {
		{FLOW_TRUNCATE, "truncated by "}, {FLOW_RENAME, "put in place or renamed by "}, {FLOW_DELETE, "deleted by "}};
	bool any = false;
	uint64_t first_ns = NANOTIME_NONE;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		uint64_t ns = 0;
		uint32_t actor = actor_of(n->w, subject, 1u << ways[i].op, true, &ns);
		if (actor == GRAPH_NONE)
			continue;
		if (!any)
			label_file(n->w->g, f, ns, &n->b);
		bool replaced = ways[i].op == FLOW_DELETE && replaced_at(n->w, subject, ns);
		buffer_printf(&n->b, "%s %s", any ? "," : "", replaced ? "replaced by another file, by " : ways[i].words);
		add_actor(n, actor);
		first_ns = ns < first_ns ? ns : first_ns;
		any = true;
	}
	if (any)
		notes_put(n, NOTE_CLEANED, first_ns, picture_node_of(n->w, subject), false);
}

static void note_removed(struct note_taker *n, uint32_t subject)
{
	uint64_t ns = 0;
	uint32_t actor = actor_of(n->w, subject, 1u << FLOW_DELETE, false, &ns);
	if (actor == GRAPH_NONE)
		return;
	label_file(n->w->g, subjects_file(&n->w->s, subject), ns, &n->b);
	buffer_add_string(&n->b, ", which had been run, was deleted by ");
	add_actor(n, actor);
	notes_put(n, NOTE_CLEANED, ns, picture_node_of(n->w, subject), false);
}

// --- privilege

static void note_privilege(struct note_taker *n, uint32_t subject)
{
	const struct segment *s = subjects_segment(&n->w->s, subject);
	const struct process *p = &n->w->g->processes.items[s->process];
	const struct identity_change *first = NULL, *told = NULL;
	for (size_t i = 0; i < p->identities.count; i++) {
		const struct identity_change *c = &p->identities.items[i];
		if (c->time_ns >= s->end_ns)
			break;
		if (!first || c->time_ns <= s->start_ns)
			first = c;
		else if (c->ids.euid != first->ids.euid && (!told || told->ids.euid != 0))
			told = c;
		else if (c->ids.euid == first->ids.euid && told && told->ids.euid != 0)
			told = NULL; // a change for a moment and back: sudo and its kind do that all the time
	}
	if (!told)
		return;
	label_process(n->w->g, s, &n->b);
	buffer_add_string(&n->b, " went from ");
	user_name(n->w, p->host, first->ids.euid, &n->b);
	buffer_add_string(&n->b, " to ");
	user_name(n->w, p->host, told->ids.euid, &n->b);
	notes_put(n, NOTE_PRIVILEGE, told->time_ns, picture_node_of(n->w, subject), false);
}

// A child or image that runs as somebody else than what started it.
static void note_started_as(struct note_taker *n, const struct drawn_flow *f)
{
	const struct picture_node *from = &n->w->p->nodes.items[f->from], *to = &n->w->p->nodes.items[f->to];
	if ((f->op != FLOW_FORK && f->op != FLOW_EXEC) || from->euid == to->euid || n->w->subject_of_node[f->to] == GRAPH_NONE ||
	    from->euid == EVENT_ID_UNSET || to->euid == EVENT_ID_UNSET)
		return;
	const struct subject *it = &n->w->s.items[n->w->subject_of_node[f->to]];
	if (!in_incident(it))
		return;
	story_name(to, &n->b);
	buffer_add_string(&n->b, " runs as ");
	buffer_add(&n->b, to->user.bytes, to->user.length);
	buffer_add_string(&n->b, ", started by ");
	story_name(from, &n->b);
	buffer_add_string(&n->b, " as ");
	buffer_add(&n->b, from->user.bytes, from->user.length);
	notes_put(n, NOTE_PRIVILEGE, f->first_ns, f->to, false);
}

// --- contacts

struct contact_sum { uint64_t count, refused, first_ns, last_ns; uint32_t processes, last_process; };

static struct contact_sum sum_contacts(const struct picture_work *w, uint32_t subject)
{
	struct contact_sum sum = {.first_ns = NANOTIME_NONE, .last_process = GRAPH_NONE};
	for (uint32_t i = w->s.member_start[subject]; i < w->s.member_start[subject + 1]; i++) {
		const struct connection *c = graph_connection_of(w->g, w->s.members[i]);
		if (w->t->nodes[w->s.members[i]].side == TRACE_NONE)
			continue;
		sum.count++;
		sum.refused += c->result == CONNECTION_REFUSED;
		sum.processes += c->process != sum.last_process;
		sum.last_process = c->process;
		sum.first_ns = c->time_ns < sum.first_ns ? c->time_ns : sum.first_ns;
		sum.last_ns = c->time_ns > sum.last_ns ? c->time_ns : sum.last_ns;
	}
	return sum;
}

static void note_contact(struct note_taker *n, uint32_t subject)
{
	const struct subject *it = &n->w->s.items[subject];
	const struct connection *c = graph_connection_of(n->w->g, it->best);
	if (it->kind != PICTURE_ADDRESS || it->side == TRACE_NONE || (!(it->marks & (MARK_ALERT | MARK_LOGIN_PEER)) && !in_incident(it)) ||
	    (c->address.kind != ADDRESS_IPV4 && c->address.kind != ADDRESS_IPV6))
		return;
	struct contact_sum sum = sum_contacts(n->w, subject);
	struct event_address address = c->address;
	if (c->direction == CONNECTION_IN)
		address.port = 0;
	label_address(n->w->g, &address, &n->b);
	buffer_add_string(&n->b, ": ");
	text_count(&n->b, sum.count);
	buffer_printf(&n->b, " connection%s%s by %" PRIu32 " process%s", sum.count == 1 ? "" : "s",
		      c->direction == CONNECTION_IN ? " came in, accepted" : "", sum.processes, sum.processes == 1 ? "" : "es");
	if (sum.refused)
		buffer_printf(&n->b, ", %" PRIu64 " refused", sum.refused);
	if (sum.count > 1) {
		buffer_add_string(&n->b, ", over ");
		nanotime_format_duration(&n->b, sum.last_ns - sum.first_ns);
	}
	notes_put(n, it->marks & MARK_ALERT ? NOTE_CONTACT : NOTE_OTHER_CONTACT, sum.first_ns, picture_node_of(n->w, subject), false);
}

// --- the whole

static int compare_notes(const void *a, const void *b)
{
	const struct picture_note *x = a, *y = b;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	int order = memcmp(x->words.bytes ? x->words.bytes : "", y->words.bytes ? y->words.bytes : "",
			   x->words.length < y->words.length ? x->words.length : y->words.length);
	return order ? order : (x->words.length < y->words.length ? -1 : x->words.length > y->words.length);
}

static void say_more(struct note_taker *n)
{
	for (uint32_t kind = 0; kind <= NOTE_OTHER_CONTACT; kind++) {
		if (!n->more[kind])
			continue;
		buffer_printf(&n->b, "and %" PRIu32 " more", n->more[kind]);
		struct picture_note note = {.kind = kind, .time_ns = NANOTIME_NONE, .words = picture_take_text(n->w->p, &n->b), .node = GRAPH_NONE};
		if (picture_note_vector_append(&n->w->p->notes, note) < 0)
			n->result = -1;
	}
}

// By rank, so that the limits of a kind keep the best.
static void note_subjects(struct note_taker *n)
{
	const struct u32_vector *order = &n->w->t->order;
	for (size_t i = 0; i < order->count && n->result == 0; i++) {
		uint32_t subject = n->w->s.of[order->items[i]];
		const struct subject *it = &n->w->s.items[subject];
		if (it->best != order->items[i] || it->pipe)
			continue;
		note_contact(n, subject);
		if (!in_incident(it))
			continue;
		if (it->marks & MARK_DROPPED)
			note_dropped(n, subject);
		if (it->marks & MARK_PERSISTS)
			note_persists(n, subject);
		if ((it->marks & MARK_CLEANED) && !is_told(n, subject))
			note_cleaned(n, subject);
		if (it->marks & MARK_REMOVED)
			note_removed(n, subject);
		if ((it->marks & MARK_PRIVILEGE) && it->kind == PICTURE_PROCESS)
			note_privilege(n, subject);
	}
}

int notes_take(struct picture_work *w)
{
	struct note_taker n = {.w = w};
	notes_take_logins(&n);
	for (uint32_t i = 0; i < w->p->nodes.count; i++)
		if (w->p->nodes.items[i].kind == PICTURE_PROCESS)
			note_ran(&n, i);
	notes_take_losses(&n);
	note_subjects(&n);
	for (size_t i = 0; i < w->flows.count; i++)
		note_started_as(&n, &w->flows.items[i]);
	say_more(&n);
	if (w->p->notes.count)
		qsort(w->p->notes.items, w->p->notes.count, sizeof(*w->p->notes.items), compare_notes);
	bool failed = n.b.failed || n.result < 0 || picture_failed(w->p);
	buffer_release(&n.b);
	return failed ? -1 : 0;
}
