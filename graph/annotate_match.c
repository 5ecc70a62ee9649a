// SPDX-License-Identifier: MIT
// Which record accounts for a state: the one whose time the inode itself tells. Inode times and audit stamps are both the guest's clock; when
// the state reached the disk does not matter here. mtime can be set by anybody, ctime cannot: where no record lies at mtime, ctime is asked.
//
// A record of a moment (a write, a truncation) goes before an open that only contains it; of opens the latest goes first. Where several
// processes had the file open, the state says so (candidates).
#include "graph/annotate_work.h"

#include <inttypes.h>
#include <stdlib.h>

#define CONTENT (TIMELINE_APPEARED | TIMELINE_GREW | TIMELINE_CUT | TIMELINE_REWRITTEN)
#define CANDIDATES_MAX 16u /* our limit: more than that many processes are told as that many */
#define LOOK_BACK 256u     /* our limit for opens that are looked through for further candidates */

struct record { uint64_t start_ns, end_ns; uint32_t edge, from; uint8_t op; bool moment; };
VECTOR_DEFINE(record_vector, struct record)

// Which of the records before a place last until a time? A tree of maxima over their ends: an attacker can open a file 20,000 times, and
// have it change 100,000 times.
struct lasting { uint64_t *tree; size_t leaves; };

struct list {
	struct record_vector items;  // by start
	struct lasting ends, openers; // until when the record may have acted; until when the process that it belongs to lived
};
struct records { struct list content, names; };

// ---- records of a file

static bool counts(enum flow_op op)
{
	switch (op) {
	case FLOW_OPEN_WRITE:
	case FLOW_WRITE:
	case FLOW_CREATE:
	case FLOW_RENAME:
	case FLOW_LINK:
	case FLOW_TRUNCATE:
	case FLOW_DELETE:
	case FLOW_ATTRIBUTE:
		return true;
	default:
		return false;
	}
}

// An edge stands for several events: each of those that were kept is a record, and what was not kept lies between the first and the last.
static int add_edge(const struct graph *g, uint32_t edge, struct record_vector *out)
{
	const struct flow_edge *e = &g->edges.items[edge];
	bool moment = e->op != FLOW_OPEN_WRITE;
	struct record r = {
		.start_ns = e->start_ns, .end_ns = e->end_ns, .edge = edge, .from = g->nodes.items[e->from].entity, .op = e->op, .moment = moment,
	};
	uint32_t kept = 1;
	uint64_t serial = e->serial;

	if (moment && e->count > 1)
		r.end_ns = r.start_ns;
	if (record_vector_append(out, r) < 0)
		return -1;
	for (uint32_t i = 0; e->count > 1 && i < e->evidence_count; i++) {
		const struct edge_evidence *v = &g->evidence.items[e->evidence + i];
		if (v->serial == serial || v->time_ns < e->start_ns)
			continue;
		serial = v->serial;
		r.start_ns = v->time_ns;
		r.end_ns = moment ? v->time_ns : e->end_ns;
		kept++;
		if (record_vector_append(out, r) < 0)
			return -1;
	}
	if (moment && e->count > kept) {
		r.start_ns = e->start_ns;
		r.end_ns = e->last_ns > e->start_ns ? e->last_ns : e->start_ns;
		r.moment = false;
		return record_vector_append(out, r);
	}
	return 0;
}

static int compare_records(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->edge != y->edge)
		return x->edge < y->edge ? -1 : 1;
	return (int)x->moment - (int)y->moment;
}

static int lasting_init(struct lasting *l, size_t count)
{
	l->leaves = 1;
	while (l->leaves <= count) // one more than there are, so that the end has a place
		l->leaves *= 2;
	l->tree = calloc(2 * l->leaves, sizeof(*l->tree));
	return l->tree ? 0 : -1;
}

static void lasting_settle(struct lasting *l)
{
	for (size_t i = l->leaves; i-- > 1;)
		l->tree[i] = l->tree[2 * i] > l->tree[2 * i + 1] ? l->tree[2 * i] : l->tree[2 * i + 1];
}

// The last before `limit` that lasts until ns; SIZE_MAX: none.
static size_t lasting_before(const struct lasting *l, size_t limit, uint64_t ns)
{
	for (size_t i = l->leaves + limit; i > 1; i /= 2) {
		if (i % 2 == 0 || l->tree[i - 1] < ns)
			continue; // nothing of that kind in what lies to the left
		for (i--; i < l->leaves;)
			i = l->tree[2 * i + 1] >= ns ? 2 * i + 1 : 2 * i;
		return i - l->leaves;
	}
	return SIZE_MAX;
}

static int list_settle(const struct graph *g, struct list *list)
{
	const struct record_vector *v = &list->items;

	if (v->count)
		qsort(v->items, v->count, sizeof(*v->items), compare_records);
	if (lasting_init(&list->ends, v->count) < 0 || lasting_init(&list->openers, v->count) < 0)
		return -1;
	for (size_t i = 0; i < v->count; i++) {
		const struct record *r = &v->items[i];
		list->ends.tree[list->ends.leaves + i] = r->end_ns == NANOTIME_NONE ? NANOTIME_NONE : annotate_add(r->end_ns, ANNOTATE_TICK_NS);
		if (r->op == FLOW_OPEN_WRITE)
			list->openers.tree[list->openers.leaves + i] = g->nodes.items[g->edges.items[r->edge].from].end_ns;
	}
	lasting_settle(&list->ends);
	lasting_settle(&list->openers);
	return 0;
}

static bool changes_content(enum flow_op op)
{
	return op == FLOW_OPEN_WRITE || op == FLOW_WRITE || op == FLOW_CREATE || op == FLOW_TRUNCATE;
}

static int records_find(const struct graph *g, const struct file *f, struct records *ret)
{
	for (size_t v = 0; v < f->versions.count; v++) {
		uint32_t node = f->versions.items[v];
		for (uint32_t i = g->in_start.items[node]; i < g->in_start.items[node + 1]; i++) {
			const struct flow_edge *e = &g->edges.items[g->in_edges.items[i]];
			struct list *list = changes_content(e->op) ? &ret->content : &ret->names;
			if (!e->failed && counts(e->op) && g->nodes.items[e->from].kind == NODE_PROCESS &&
			    add_edge(g, g->in_edges.items[i], &list->items) < 0)
				return -1;
		}
	}
	return list_settle(g, &ret->content) < 0 || list_settle(g, &ret->names) < 0 ? -1 : 0;
}

static void list_release(struct list *list)
{
	record_vector_release(&list->items);
	free(list->ends.tree);
	free(list->openers.tree);
}

static void records_release(struct records *r)
{
	list_release(&r->content);
	list_release(&r->names);
}

// ---- one time against them

struct account { const struct record *record; uint32_t candidates; };

// Behind the last record that begins early enough.
static size_t list_until(const struct list *r, uint64_t ns)
{
	size_t low = 0, high = r->items.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (r->items.items[middle].start_ns <= ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

// Is x the better explanation of what happened at ns?
static bool explains_better(const struct record *x, const struct record *best, uint64_t ns)
{
	if (!best || x->moment != best->moment)
		return !best || x->moment;
	if (x->moment) {
		uint64_t a = annotate_apart(x->start_ns, ns), b = annotate_apart(best->start_ns, ns);
		return a != b && a < b;
	}
	return false; // asked from the latest start back
}

struct processes { uint32_t items[CANDIDATES_MAX], count; };

static void note_process(struct processes *p, uint32_t process)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (p->items[i] == process)
			return;
	if (p->count < CANDIDATES_MAX)
		p->items[p->count++] = process;
}

// The record that was under way at ns.
static struct account account_for(const struct list *list, uint64_t ns)
{
	struct account a = {0};
	struct processes with_moment = {.count = 0}, with_open = {.count = 0};
	size_t at = ns == NANOTIME_NONE ? SIZE_MAX : lasting_before(&list->ends, list_until(list, annotate_add(ns, ANNOTATE_TICK_NS)), ns);

	for (size_t looked = 0; at != SIZE_MAX && looked < LOOK_BACK; looked++) {
		const struct record *x = &list->items.items[at];
		note_process(x->moment ? &with_moment : &with_open, x->from);
		if (explains_better(x, a.record, ns))
			a.record = x;
		at = lasting_before(&list->ends, at, ns);
	}
	if (a.record)
		a.candidates = a.record->moment ? with_moment.count : with_open.count;
	return a;
}

// Who had it open for writing, closed it, and lived on: a mapping outlives its descriptor.
static struct account account_mapped(const struct list *content, uint64_t ns)
{
	struct account a = {0};
	size_t at = ns == NANOTIME_NONE ? SIZE_MAX : lasting_before(&content->openers, list_until(content, ns), ns);

	if (at != SIZE_MAX)
		a.record = &content->items.items[at];
	return a;
}

// The last removal of a name that had happened by then.
static struct account account_deleted(const struct list *names, uint64_t latest_ns)
{
	struct account a = {0};

	for (size_t i = latest_ns == NANOTIME_NONE ? names->items.count : list_until(names, annotate_add(latest_ns, ANNOTATE_TICK_NS)); i-- > 0;) {
		if (names->items.items[i].op != FLOW_DELETE)
			continue;
		a.record = &names->items.items[i];
		a.candidates = 1;
		break;
	}
	return a;
}

// ---- one state

static void set_account(struct annotate_state *s, struct account a)
{
	if (!a.record)
		return;
	s->syscall_ns = a.record->start_ns;
	s->edge = a.record->edge;
	s->candidates = a.candidates;
}

// Nobody accounts for it. Whether that says something depends on whether the log tells of that time.
static enum annotate_state_verdict unexplained(const struct annotation *a, uint64_t ns)
{
	if (ns == NANOTIME_NONE || ns < annotate_add(a->from_ns, ANNOTATE_TICK_NS))
		return ANNOTATE_STATE_BEFORE;
	return ns > annotate_subtract(a->to_ns, ANNOTATE_TICK_NS) ? ANNOTATE_STATE_AFTER : ANNOTATE_STATE_UNSEEN;
}

static void judge_deleted(const struct annotation *a, const struct annotate_volume *v, const struct records *r, struct annotate_state *s)
{
	uint64_t earliest = NANOTIME_NONE, latest = NANOTIME_NONE;
	bool known = annotate_to_guest(v, s->disk.arrival_ns, &earliest, &latest);

	set_account(s, account_deleted(&r->names, known ? latest : NANOTIME_NONE));
	s->verdict = ANNOTATE_STATE_NAME;
	// It happened up to patience before it arrived: only where the log tells of all of that time is it missing there.
	if (s->edge == GRAPH_NONE && known && annotate_subtract(earliest, ANNOTATE_PATIENCE_NS) > a->from_ns && latest < a->to_ns)
		s->verdict = ANNOTATE_STATE_UNSEEN;
}

// Data goes to the disk ahead of its inode where it is sent there at once (fsync), and behind it elsewhere. Bytes that changed under an
// unchanged mtime were written at that time where the state before told of it first and showed no other content of it; else at the time
// of the next inode, if it was written before they arrived.
static uint64_t written_ns(const struct annotate_volume *v, const struct annotate_state *before, const struct annotate_state *s,
			   const struct annotate_state *after)
{
	uint64_t mtime_ns = s->disk.mtime_ns, earliest, latest = NANOTIME_NONE;

	if (!(s->disk.change & TIMELINE_REWRITTEN) || !before || before->disk.mtime_ns != mtime_ns || before->disk.change == TIMELINE_METADATA ||
	    !after || after->disk.mtime_ns == NANOTIME_NONE || after->disk.mtime_ns <= mtime_ns || after->disk.change & (CONTENT | TIMELINE_DELETED))
		return mtime_ns;
	if (!annotate_to_guest(v, s->disk.arrival_ns, &earliest, &latest))
		return mtime_ns;
	return after->disk.mtime_ns <= latest ? after->disk.mtime_ns : mtime_ns;
}

static void judge_change(const struct annotation *a, const struct records *r, const struct annotate_state *before, struct annotate_state *s,
			 uint64_t mtime_ns)
{
	const struct timeline_state *d = &s->disk;
	bool same_mtime = before && before->disk.mtime_ns == d->mtime_ns;
	bool content = (d->change & CONTENT) || !same_mtime;
	struct account account = {0};

	// A write sets both times to one; an mtime of its own and no other content: somebody set it (touch), to a time when others may have written.
	if (!(d->change & CONTENT) && d->mtime_ns != d->ctime_ns)
		account = account_for(&r->names, d->ctime_ns);
	if (content && !account.record) {
		account = account_for(&r->content, mtime_ns);
		if (!account.record && (d->change & TIMELINE_APPEARED))
			account = account_for(&r->content, d->crtime_ns);
		if (!account.record && (d->change & CONTENT))
			account = account_for(&r->content, d->ctime_ns);
	}
	if (!account.record)
		account = account_for(&r->names, d->ctime_ns);
	if (!account.record && content)
		account = account_mapped(&r->content, mtime_ns);
	set_account(s, account);
	if (!account.record)
		s->verdict = unexplained(a, d->ctime_ns != NANOTIME_NONE ? d->ctime_ns : d->mtime_ns);
	else
		s->verdict = changes_content(account.record->op) && content ? ANNOTATE_STATE_WRITTEN : ANNOTATE_STATE_NAME;
}

// Content that came in: whoever accounts for the state before has written it.
static void judge_arrived(const struct annotate_state *before, struct annotate_state *s)
{
	s->syscall_ns = before->syscall_ns;
	s->edge = before->edge;
	s->candidates = before->candidates;
	s->verdict = before->verdict == ANNOTATE_STATE_CONTENT_PENDING ? ANNOTATE_STATE_WRITTEN : before->verdict;
}

static void judge(const struct annotation *a, const struct annotate_answer *answer, const struct file *f, const struct records *r,
		  const struct annotate_state *before, struct annotate_state *s, const struct annotate_state *after)
{
	const struct annotate_volume *v = &a->volumes[answer->volume];
	const struct timeline_state *d = &s->disk;

	if (d->change == 0 || d->arrival_ns == 0) {
		s->verdict = ANNOTATE_STATE_BEFORE;
		return;
	}
	if (d->change & TIMELINE_DELETED) {
		judge_deleted(a, v, r, s);
		return;
	}
	if (d->change == TIMELINE_ARRIVED && before && before->disk.mtime_ns == d->mtime_ns && before->disk.ctime_ns == d->ctime_ns)
		judge_arrived(before, s);
	else
		judge_change(a, r, before, s, written_ns(v, before, s, after));
	// A folder changes with each of its entries, whose records are theirs.
	if (f->kind == FILE_FOLDER && s->verdict == ANNOTATE_STATE_UNSEEN)
		s->verdict = ANNOTATE_STATE_NAME;
	if (d->pending_bytes > 0 && s->verdict == ANNOTATE_STATE_WRITTEN)
		s->verdict = ANNOTATE_STATE_CONTENT_PENDING;
}

// ---- the file

// It is there with nothing in it, although something was written after it was made or cut (its mtime says so), or it was executed.
static bool is_hollow(const struct annotation *a, const struct file *f, const struct records *r, const struct timeline_state *last)
{
	uint64_t emptied = last->crtime_ns == NANOTIME_NONE ? 0 : last->crtime_ns;
	bool opened = false;

	if (last->size_bytes > 0 || f->kind != FILE_REGULAR)
		return false;
	for (size_t i = 0; i < r->content.items.count; i++) {
		const struct record *x = &r->content.items.items[i];
		opened |= x->op == FLOW_OPEN_WRITE || x->op == FLOW_WRITE || x->op == FLOW_CREATE;
		if ((x->op == FLOW_TRUNCATE || x->op == FLOW_CREATE) && x->start_ns > emptied && x->start_ns <= annotate_add(last->mtime_ns, ANNOTATE_TICK_NS))
			emptied = x->start_ns;
	}
	if (opened && emptied && last->mtime_ns != NANOTIME_NONE && last->mtime_ns > annotate_add(emptied, ANNOTATE_TICK_NS))
		return true;
	for (size_t v = 0; opened && v < f->versions.count; v++) {
		uint32_t node = f->versions.items[v];
		for (uint32_t i = a->g->out_start.items[node]; i < a->g->out_start.items[node + 1]; i++)
			if (a->g->edges.items[a->g->out_edges.items[i]].op == FLOW_EXECUTE)
				return true;
	}
	return false;
}

// Of its last state with names: did content never come in?
static bool is_pending(const struct annotation *a, const struct file *f, const struct records *r, const struct annotate_states *states)
{
	for (size_t i = states->count; i-- > 0;)
		if (!(states->items[i].disk.change & TIMELINE_DELETED))
			return states->items[i].disk.pending_bytes > 0 || is_hollow(a, f, r, &states->items[i].disk);
	return false;
}

int annotate_match(const struct annotation *a, uint32_t file, struct error *err)
{
	struct annotate_answer *answer = &a->answers[file];
	const struct file *f = &a->g->files.items[file];
	struct records r = {0};

	if (answer->states.count == 0)
		return 0;
	if (records_find(a->g, f, &r) < 0) {
		records_release(&r);
		return error_set(err, "states of inode %" PRIu64 ": out of memory", f->inode);
	}
	for (size_t i = 0; i < answer->states.count; i++)
		judge(a, answer, f, &r, i ? &answer->states.items[i - 1] : NULL, &answer->states.items[i],
		      i + 1 < answer->states.count ? &answer->states.items[i + 1] : NULL);
	annotate_mark_losses(a->g, f, &answer->states);
	if (answer->verdict == ANNOTATE_SHOWN && is_pending(a, f, &r, &answer->states))
		answer->verdict = ANNOTATE_PENDING;
	records_release(&r);
	return 0;
}
