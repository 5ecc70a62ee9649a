// SPDX-License-Identifier: MIT
// Opens for writing that end with the last write that reached the disk.
//
// Let an edge say: P may have written at any t in [a, b] (guest clock), and let every change of the file's inode or content that arrived on
// the disk be known from `from` to `to` (host clock; to: a WRITE, so the guest was alive). Assume PATIENCE: a write at t of a file that
// lives on changes something on the disk at some d with t <= d <= t + PATIENCE (data is written back after 30 s + 5 s, a file's end by the
// next commit, 5 s). Let D be the latest known arrival that is not after b + PATIENCE, or `from`, where that is later.
//
//   Every write at t in [a, b] arrived by d <= t + PATIENCE <= b + PATIENCE, so it is among the known ones, or came before `from`: t <= d <= D.
//   So the edge may end at D; and where nothing at all arrived from a on, nothing was written.
//
// For this the file has to live until b + PATIENCE, by the disk and by the log, since what is deleted first never comes; the recording has
// to go on until then; and nothing may be pending still. A removed name counts as the file's end, whether or not the log knows of others: a
// number that was taken again without a record looks like a file that got another name. A truncation by somebody within that time takes
// what was not written yet with it, and shows itself up to PATIENCE after that: no tightening.
//
// The guest has to live on as well: one that crashes writes nothing of what it held, and when it is back, others write. So nothing is told
// where the file system was mounted within that time, or a little later (a machine needs its time to start). The recording, too: what came
// while it was interrupted is unknown, and what waited for its return came late.
//
// A guest that is paused by its host keeps what it held for as long. Its clock stands still meanwhile, which is a step; where somebody sets
// it right at once, before a commit tells of it, only content that is late against its inode's time does (annotate.c, is_late).
//
// Clocks: an arrival counts as early as its error allows when it is looked for, and as late as its error allows when it ends an edge; and
// there is one clock only, no step in between. Where the recording began after a, the clock's samples have to reach back to a: a guest's
// clock that was set back shows one time twice, and an arrival would stand before the writes of the other.
//
// An edge without an end was open when the log ended, and who knows until when. The recording shows what was written up to PATIENCE before
// its own end (b = that); what P wrote later no disk tells, but no record of the log reads it either if the log ends before. So the recording
// has to go on for PATIENCE behind the last record of the log, every arrival up to its end counts, and the edge ends only if the last of them
// lies before the log's end. Where recording stopped with the log (the guest was switched off) the edge stays.
//
// Writes through a shared mapping count like others: a page that is written to is made writable anew after each writeback, which sets mtime
// and its 30 s. Where the descriptor was closed before, the edge ends there (graph/build_descriptor.c), and what the mapping writes after that
// lies outside it with and without a disk; such an arrival can only move D later.
#include "graph/annotate_work.h"

#include <stdlib.h>

struct span { uint64_t from_ns, to_ns; };
VECTOR_DEFINE(span_vector, struct span)

// What is known of one file, ready to be asked for each of its edges.
struct known {
	const struct annotate_volume *v;
	const struct file *f;
	const struct annotate_states *states; // in order of arrival
	uint64_t gone_ns;                     // host clock
	bool *pending;                        // per state: content was still missing when it had arrived
	struct u64_vector cuts;               // truncations on record, in order (guest clock)
	struct span_vector removals;          // of names, by start (guest clock); to: the latest end so far
	struct u32_vector writers;            // segments with write records, in order
};

static int compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static int compare_u32(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	if (x->from_ns != y->from_ns)
		return x->from_ns < y->from_ns ? -1 : 1;
	return x->to_ns < y->to_ns ? -1 : x->to_ns > y->to_ns;
}

static void known_release(struct known *k)
{
	free(k->pending);
	u64_vector_release(&k->cuts);
	span_vector_release(&k->removals);
	u32_vector_release(&k->writers);
}

static int know_edges(const struct graph *g, struct known *k)
{
	int result = 0;

	for (size_t v = 0; v < k->f->versions.count; v++) {
		uint32_t node = k->f->versions.items[v];
		for (uint32_t i = g->in_start.items[node]; result == 0 && i < g->in_start.items[node + 1]; i++) {
			const struct flow_edge *e = &g->edges.items[g->in_edges.items[i]];
			if (e->op == FLOW_TRUNCATE) // several within one tick are one edge
				result = u64_vector_append(&k->cuts, e->start_ns) < 0 || u64_vector_append(&k->cuts, e->last_ns) < 0 ? -1 : 0;
			else if (e->op == FLOW_DELETE)
				result = span_vector_append(&k->removals, (struct span){e->start_ns, e->last_ns > e->start_ns ? e->last_ns : e->start_ns});
			else if (e->op == FLOW_WRITE)
				result = u32_vector_append(&k->writers, e->from);
		}
	}
	if (k->cuts.count)
		qsort(k->cuts.items, k->cuts.count, sizeof(*k->cuts.items), compare_u64);
	if (k->removals.count)
		qsort(k->removals.items, k->removals.count, sizeof(*k->removals.items), compare_spans);
	for (size_t i = 1; i < k->removals.count; i++)
		if (k->removals.items[i].to_ns < k->removals.items[i - 1].to_ns)
			k->removals.items[i].to_ns = k->removals.items[i - 1].to_ns;
	if (k->writers.count)
		qsort(k->writers.items, k->writers.count, sizeof(*k->writers.items), compare_u32);
	return result;
}

static int know_pending(struct known *k)
{
	const unsigned content = TIMELINE_GREW | TIMELINE_CUT | TIMELINE_REWRITTEN | TIMELINE_ARRIVED;

	k->pending = calloc(k->states->count + 1, sizeof(*k->pending));
	for (size_t i = 0; k->pending && i < k->states->count; i++) {
		const struct timeline_state *s = &k->states->items[i].disk;
		k->pending[i] = s->pending_bytes > 0 || (i && k->pending[i - 1] && !(s->change & content));
	}
	return k->pending ? 0 : -1;
}

// ---- one edge

// The last moment at which P may have written, as far as any record of the log could have read it.
static uint64_t last_moment(const struct graph *g, const struct flow_edge *e)
{
	uint64_t last = e->end_ns == NANOTIME_NONE ? g->last_ns : e->end_ns;

	return last > e->start_ns ? last : e->start_ns;
}

// Was a name of the file removed between two times? It may have been the last one, whatever the log knows of others.
static bool is_removed(const struct known *k, uint64_t from_ns, uint64_t to_ns)
{
	size_t low = 0, high = k->removals.count;

	while (low < high) { // behind the last that begins by then
		size_t middle = low + (high - low) / 2;
		if (k->removals.items[middle].from_ns <= to_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && k->removals.items[low - 1].to_ns >= from_ns;
}

// Does the log tell something of the file that takes unwritten content away?
static bool log_forbids(const struct known *k, uint64_t start_ns, uint64_t last_ns, uint64_t until_ns)
{
	size_t low = 0, high = k->cuts.count;

	while (low < high) { // the first truncation after the edge
		size_t middle = low + (high - low) / 2;
		if (k->cuts.items[middle] <= last_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return k->f->deleted_ns < until_ns || is_removed(k, annotate_subtract(start_ns, ANNOTATE_TICK_NS), until_ns) ||
	       (low < k->cuts.count && k->cuts.items[low] <= until_ns);
}

// The host's time from the edge's start (or the recording's) until all must have arrived. False: nothing can be told.
static bool find_span(const struct annotate_volume *v, const struct flow_edge *e, uint64_t until_ns, struct span *ret)
{
	uint64_t earliest, latest;

	if (!annotate_to_host(v, until_ns, &earliest, &latest) || latest > v->to_ns)
		return false;
	ret->to_ns = e->end_ns == NANOTIME_NONE ? v->to_ns : latest;
	if (!annotate_to_host(v, e->start_ns, &earliest, &latest))
		return false;
	ret->from_ns = earliest > v->from_ns ? earliest : v->from_ns;
	// Where the recording began later, it is only the clock's own samples that tell that nobody set it since the edge began.
	if (earliest < v->from_ns && !annotate_sampled(v, earliest))
		return false;
	return ret->from_ns <= ret->to_ns && !annotate_stepped(v, earliest, ret->to_ns) && !annotate_interrupted(v, earliest, ret->to_ns) &&
	       !annotate_mounted(v, earliest, annotate_add(ret->to_ns, ANNOTATE_START_NS));
}

// How many states had arrived by then.
static size_t arrived_by(const struct annotate_states *states, uint64_t host_ns)
{
	size_t low = 0, high = states->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (states->items[middle].disk.arrival_ns <= host_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_write_record(const struct known *k, const struct flow_edge *e)
{
	return k->writers.count && bsearch(&e->from, k->writers.items, k->writers.count, sizeof(*k->writers.items), compare_u32);
}

static void tighten_edge(const struct known *k, const struct graph *g, struct flow_edge *e, struct annotate_tightened *ret)
{
	uint64_t last_ns = last_moment(g, e), until_ns = annotate_add(last_ns, ANNOTATE_PATIENCE_NS + ANNOTATE_TICK_NS), earliest, latest;
	struct span span; // host clock

	if (!find_span(k->v, e, until_ns, &span) || k->gone_ns <= span.to_ns || log_forbids(k, e->start_ns, last_ns, until_ns))
		return;
	size_t arrived = arrived_by(k->states, span.to_ns);
	uint64_t arrival = arrived ? k->states->items[arrived - 1].disk.arrival_ns : 0;
	if (arrived && k->pending[arrived - 1])
		return;
	if (!annotate_to_guest(k->v, arrival > k->v->from_ns ? arrival : k->v->from_ns, &earliest, &latest))
		return;
	if (latest < e->start_ns) { // nothing since, and the recording began before the edge
		if (has_write_record(k, e))
			return; // two witnesses that contradict each other
		e->no_write_seen = true;
		ret->no_write_seen++;
		latest = e->start_ns;
	}
	if (latest >= last_ns)
		return;
	ret->ended += !e->no_write_seen;
	e->ended_by_disk = true;
	e->end_ns = latest;
}

// ---- files

static bool can_tighten(const struct annotation *a, const struct annotate_asked *asked)
{
	const struct annotate_answer *answer = &a->answers[asked->file];

	if (!asked->taken || !asked->sure || answer->verdict != ANNOTATE_SHOWN || a->g->files.items[asked->file].kind != FILE_REGULAR ||
	    a->doubts[asked->volume] || !annotate_has_clock(&a->volumes[asked->volume]))
		return false;
	for (size_t i = 1; i < answer->states.count; i++)
		if (answer->states.items[i].disk.arrival_ns < answer->states.items[i - 1].disk.arrival_ns)
			return false; // the host's clock was set back between two records: its times are no order
	return true;
}

static int tighten_file(const struct annotation *a, const struct annotate_asked *asked, struct graph *g, struct annotate_tightened *ret)
{
	struct known k = {
		.v = &a->volumes[asked->volume], .f = &g->files.items[asked->file], .states = &a->answers[asked->file].states, .gone_ns = asked->gone_ns,
	};
	int result = know_edges(g, &k) < 0 || know_pending(&k) < 0 ? -1 : 0;

	for (size_t v = 0; result == 0 && v < k.f->versions.count; v++) {
		uint32_t node = k.f->versions.items[v];
		for (uint32_t i = g->in_start.items[node]; i < g->in_start.items[node + 1]; i++) {
			struct flow_edge *e = &g->edges.items[g->in_edges.items[i]];
			if (e->op == FLOW_OPEN_WRITE && !e->failed)
				tighten_edge(&k, g, e, ret);
		}
	}
	known_release(&k);
	return result;
}

// A state that one process alone can have written proves that it wrote.
static void mark_written(const struct annotate_states *states, struct graph *g)
{
	for (size_t i = 0; i < states->count; i++) {
		const struct annotate_state *s = &states->items[i];
		bool written = s->verdict == ANNOTATE_STATE_WRITTEN || s->verdict == ANNOTATE_STATE_CONTENT_PENDING;
		if (written && s->candidates == 1 && s->edge != GRAPH_NONE)
			g->edges.items[s->edge].write_seen = true;
	}
}

int annotation_tighten(struct annotation *a, struct graph *g, struct annotate_tightened *ret, struct error *err)
{
	struct annotate_tightened done = {0};

	if (g != a->g)
		return error_set(err, "annotation: it was made for another graph");
	for (size_t i = 0; i < a->asked.count; i++) {
		mark_written(&a->answers[a->asked.items[i].file].states, g);
		if (can_tighten(a, &a->asked.items[i]) && tighten_file(a, &a->asked.items[i], g, &done) < 0)
			return error_set(err, "ending edges by what a disk shows: out of memory");
	}
	*ret = done;
	return 0;
}
