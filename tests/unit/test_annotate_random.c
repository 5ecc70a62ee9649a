// SPDX-License-Identifier: MIT
// Histories that are made up: processes that open, write, truncate, delete; a disk that shows it all up to 40 s later, or never; a clock that
// is told wrongly by as much as its error allows; recordings that begin and end anywhere. The graph is built from the records alone, edges
// are ended by the disk's states alone, and every write that happened must still lie within every edge that had room for it before.
#include "graph/annotate_work.h"
#include "tests/unit/annotate_case.h"

#define SEEDS 6000
#define A 1000000 /* ms */
#define PROCESSES 4u
#define INODES 3u
#define DATA_DELAY_MS 40000u   /* 30 s until dirty pages are old enough, 5 s between the flusher's rounds, and some */
#define COMMIT_DELAY_MS 20000u /* an inode that goes or comes; in truth 5 s */

static uint64_t random_state;

static uint32_t below(uint32_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % n;
}

// ---- what happens: all times in ms, as a clock of the guest's would show them that nobody sets

struct life { uint64_t inode, made_ms, gone_ms, appears_ms, vanishes_ms; uint32_t id; bool logged_end; };
VECTOR_DEFINE(lives, struct life)
struct change { uint32_t life; uint64_t ms, arrives_ms; uint32_t process; bool cuts; };
VECTOR_DEFINE(changes, struct change)
struct held { uint32_t life; int fd; }; // a descriptor that may write

struct world {
	struct disk_case c;
	struct lives lives;
	struct changes changes;
	uint32_t alive[INODES];            // life, GRAPH_NONE
	struct held held[PROCESSES];
	bool exited[PROCESSES], busy;
	uint64_t now, from_ms, to_ms;      // recorded
	uint64_t step_at_ms;               // the guest's clock is set there, by step_ms; NANOTIME_NONE: never
	int64_t step_ms;
	struct timeline_span broken;       // recording was interrupted (host clock)
};

static const char *name_of(uint64_t inode)
{
	static const char *const names[] = {"/data/a", "/data/b", "/data/c"};
	return names[inode - 10];
}

// What the guest's clock shows.
static uint64_t guest(const struct world *w, uint64_t ms)
{
	return ms >= w->step_at_ms ? (uint64_t)((int64_t)ms + w->step_ms) : ms;
}

// A stamp is on a tick of 4 ms, and runs early by up to one more.
static uint64_t stamp(const struct world *w)
{
	uint64_t ms = guest(w, w->now);
	return ms - ms % 4 - 4 * below(2);
}

static uint64_t never(void)
{
	return NANOTIME_NONE;
}

static void make(struct world *w, uint32_t index, uint64_t ms, bool old)
{
	struct life l = {.inode = 10 + index, .made_ms = ms, .gone_ms = never(), .vanishes_ms = never(), .id = (uint32_t)w->lives.count + 1};
	l.appears_ms = old ? 0 : ms + below(COMMIT_DELAY_MS);
	for (size_t i = 0; i < w->lives.count; i++) { // commits are in order: what had the number before has gone by then
		struct life *before = &w->lives.items[i];
		if (before->inode == l.inode && before->vanishes_ms > l.appears_ms)
			before->vanishes_ms = l.appears_ms;
	}
	w->alive[index] = (uint32_t)w->lives.count;
	lives_append(&w->lives, l);
}

static void change(struct world *w, uint32_t life, uint32_t process, bool cuts)
{
	struct change x = {.life = life, .ms = w->now, .process = process, .cuts = cuts};
	x.arrives_ms = w->now + (below(4) == 0 ? below(20) : below(DATA_DELAY_MS));
	if (x.arrives_ms < w->lives.items[life].appears_ms)
		x.arrives_ms = w->lives.items[life].appears_ms;
	if (cuts) // nothing that has not been written yet will be
		for (size_t i = 0; i < w->changes.count; i++)
			if (w->changes.items[i].life == life && w->changes.items[i].arrives_ms >= w->now)
				w->changes.items[i].arrives_ms = never();
	changes_append(&w->changes, x);
}

static void end_life(struct world *w, uint32_t index, bool logged)
{
	struct life *l = &w->lives.items[w->alive[index]];
	l->gone_ms = w->now;
	l->vanishes_ms = w->now + below(logged ? DATA_DELAY_MS : COMMIT_DELAY_MS);
	for (size_t i = 0; i < w->changes.count; i++)
		if (w->changes.items[i].life == w->alive[index] && w->changes.items[i].arrives_ms >= w->now)
			w->changes.items[i].arrives_ms = never();
	w->alive[index] = GRAPH_NONE;
}

static void open_file(struct world *w, uint32_t process, uint32_t index)
{
	bool make_it = w->alive[index] == GRAPH_NONE, cut = !make_it && below(5) == 0;
	uint64_t flags = (below(2) ? O_WRONLY : O_RDWR) | O_CLOEXEC | (make_it ? O_CREAT : 0) | (cut ? O_TRUNC : 0);
	if (make_it && below(4) == 0) { // by somebody whom nobody recorded
		make(w, index, w->now, false);
		return;
	}
	if (make_it)
		make(w, index, w->now, false);
	if (cut)
		change(w, w->alive[index], process, true);
	events_open(&w->c.s, stamp(w), 100 + process, name_of(10 + index), 10 + index, flags, 3 + (int)index);
	w->held[process] = (struct held){w->alive[index], 3 + (int)index};
}

static void delete_file(struct world *w, uint32_t process, uint32_t index)
{
	bool logged = below(5) != 0;
	if (logged)
		events_delete(&w->c.s, stamp(w), 100 + process, name_of(10 + index), 10 + index);
	end_life(w, index, logged);
	for (uint32_t p = 0; p < PROCESSES; p++) // who has it open writes on into nothing
		if (w->held[p].life != GRAPH_NONE && w->lives.items[w->held[p].life].gone_ms != never())
			w->held[p].life = GRAPH_NONE;
}

static void let_go(struct world *w, uint32_t process)
{
	if (w->held[process].life != GRAPH_NONE && below(3)) {
		struct event e = events_call(&w->c.s, "close", OP_CLOSE, stamp(w), 100 + process);
		e.args[0] = (uint64_t)w->held[process].fd;
		events_add(&w->c.s, e);
	}
	w->held[process].life = GRAPH_NONE;
}

static void act(struct world *w)
{
	uint32_t process = below(PROCESSES), index = below(INODES), what = below(20);
	if (w->exited[process])
		return;
	if (what < 5 && w->held[process].life == GRAPH_NONE) {
		open_file(w, process, index);
	} else if (what < 12 && w->held[process].life != GRAPH_NONE) {
		change(w, w->held[process].life, process, false);
	} else if (what < 14) {
		let_go(w, process);
	} else if ((what == 14 || (w->busy && what == 18)) && w->alive[index] != GRAPH_NONE) {
		delete_file(w, process, index);
	} else if (what == 15 && below(4) == 0) {
		w->held[process].life = GRAPH_NONE;
		w->exited[process] = true;
		events_exit(&w->c.s, stamp(w), 100 + process);
	} else if (what == 16) {
		w->now += w->busy && below(2) ? below(20000) : below(90000); // nothing happens for a while
	} else if (what == 17 && w->alive[index] != GRAPH_NONE) {
		events_open(&w->c.s, stamp(w), 100 + process, name_of(10 + index), 10 + index, O_RDONLY | O_CLOEXEC, 20);
	}
}

// ---- what the disk shows of it

struct shown { uint64_t inode, arrives_ms, mtime_ms; uint32_t life; unsigned change; };
VECTOR_DEFINE(shown_vector, struct shown)

static int compare_shown(const void *a, const void *b)
{
	const struct shown *x = a, *y = b;
	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->arrives_ms != y->arrives_ms)
		return x->arrives_ms < y->arrives_ms ? -1 : 1;
	if (x->life != y->life)
		return x->life < y->life ? -1 : 1;
	return (x->change == TIMELINE_APPEARED ? 0 : x->change == TIMELINE_DELETED ? 2 : 1) -
	       (y->change == TIMELINE_APPEARED ? 0 : y->change == TIMELINE_DELETED ? 2 : 1);
}

static void list_shown(const struct world *w, struct shown_vector *out)
{
	for (uint32_t i = 0; i < w->lives.count; i++) {
		const struct life *l = &w->lives.items[i];
		if (l->gone_ms != never() && l->vanishes_ms <= l->appears_ms && l->appears_ms != 0)
			continue; // made and gone within one commit
		shown_vector_append(out, (struct shown){l->inode, l->appears_ms, l->made_ms, i, TIMELINE_APPEARED});
		if (l->gone_ms != never())
			shown_vector_append(out, (struct shown){l->inode, l->vanishes_ms, l->made_ms, i, TIMELINE_DELETED});
	}
	for (size_t i = 0; i < w->changes.count; i++) {
		const struct change *x = &w->changes.items[i];
		const struct life *l = &w->lives.items[x->life];
		if (x->arrives_ms != never() && x->arrives_ms < l->vanishes_ms)
			shown_vector_append(out, (struct shown){l->inode, x->arrives_ms, x->ms, x->life, x->cuts ? TIMELINE_CUT : below(5) ? TIMELINE_REWRITTEN : TIMELINE_METADATA});
	}
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare_shown);
}

static void add_state(struct world *w, const struct shown *x, unsigned changes)
{
	uint64_t made = guest(w, w->lives.items[x->life].made_ms);
	case_state(&w->c, x->inode, changes ? x->arrives_ms : 0, changes, made, guest(w, x->mtime_ms), 100)->generation = w->lives.items[x->life].id;
}

static void record(struct world *w)
{
	struct shown_vector all = {0};
	list_shown(w, &all);
	for (size_t i = 0; i < all.count; i++) {
		const struct shown *x = &all.items[i], *next = i + 1 < all.count ? &all.items[i + 1] : NULL;
		if (x->arrives_ms > w->to_ms || (case_host(x->arrives_ms) >= w->broken.from_ns && case_host(x->arrives_ms) <= w->broken.to_ns))
			continue;
		if (x->arrives_ms <= w->from_ms) { // in force when recording began: the last of these that is there
			bool last = !next || next->inode != x->inode || next->arrives_ms > w->from_ms;
			if (last && x->change != TIMELINE_DELETED)
				add_state(w, x, 0);
			continue;
		}
		bool taken = x->change == TIMELINE_DELETED && next && next->inode == x->inode && next->arrives_ms == x->arrives_ms && next->life != x->life;
		if (taken)
			continue; // one state shows both
		bool takes = i && x->change == TIMELINE_APPEARED && all.items[i - 1].inode == x->inode && all.items[i - 1].arrives_ms == x->arrives_ms;
		add_state(w, x, x->change | (takes ? TIMELINE_DELETED : 0));
	}
	shown_vector_release(&all);
}

// ---- one history

static void begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->c = case_begin();
	w->now = A;
	w->busy = below(2) == 0;
	for (uint32_t p = 0; p < PROCESSES; p++)
		w->held[p].life = GRAPH_NONE;
	for (uint32_t i = 0; i < INODES; i++) {
		w->alive[i] = GRAPH_NONE;
		if (below(2))
			make(w, i, A - 500000 - 1000 * i, true);
	}
	w->from_ms = A - 60000 + below(160000);
	// what the clock is told to be: off by no more than its error
	int64_t off = (int64_t)below(2 * CASE_ERROR_NS + 1) - (int64_t)CASE_ERROR_NS;
	w->c.clock.pieces.items[0].offset_ns += off;
	w->step_at_ms = never();
	if (below(8))
		return;
	struct timeline_clock_piece next = w->c.clock.pieces.items[0];
	w->step_at_ms = A + below(200000);
	w->step_ms = below(2) ? 1000 * (int64_t)below(4000) : -1000 * (int64_t)below(200);
	next.from_ns = next.base_ns = next.sampled_from_ns = case_host(w->step_at_ms);
	w->c.clock.pieces.items[0].to_ns = w->c.clock.pieces.items[0].sampled_to_ns = next.from_ns;
	next.offset_ns -= w->step_ms * (int64_t)MS;
	next.stepped = true;
	timeline_clock_pieces_append(&w->c.clock.pieces, next);
}

// The guest stops dead: what has not reached the disk by then never does. Then it starts anew, and other things write.
static void crash(struct world *w)
{
	for (size_t i = 0; i < w->changes.count; i++)
		if (w->changes.items[i].arrives_ms >= w->now)
			w->changes.items[i].arrives_ms = never();
	for (size_t i = 0; i < w->lives.count; i++) {
		struct life *l = &w->lives.items[i];
		l->appears_ms = l->appears_ms >= w->now ? never() : l->appears_ms;
		l->vanishes_ms = l->vanishes_ms >= w->now ? never() : l->vanishes_ms;
	}
	u64_vector_append(&w->c.clock.mounts, case_host(w->now + 1000 + below(100000)));
}

static void interrupt(struct world *w)
{
	uint64_t from_ms = A + below(200000);
	w->broken = (struct timeline_span){case_host(from_ms), case_host(from_ms + 1000 + below(60000))};
	w->c.volume.breaks = &w->broken;
	w->c.volume.break_count = 1;
}

static bool covers(const struct flow_edge *e, uint64_t end_ns, uint64_t ns)
{
	return e->op == FLOW_OPEN_WRITE && e->start_ns <= ns && end_ns >= ns;
}

// Up to which moment the log and the recording tell of an open without an end.
static bool is_told(const struct world *w, const struct flow_edge *e, uint64_t old_end, uint64_t ns)
{
	uint64_t log = w->c.s.g->last_ns;
	if (w->step_at_ms != never() && old_end == NANOTIME_NONE)
		return e->end_ns == NANOTIME_NONE; // the log has two orders of time
	return old_end != NANOTIME_NONE || ns <= log || (e->end_ns != NANOTIME_NONE && ns + ANNOTATE_PATIENCE_NS <= w->to_ms * MS);
}

static size_t check_writes(const struct world *w, const uint64_t *ends, uint64_t seed)
{
	const struct graph *g = w->c.s.g;
	size_t covered = 0;
	for (size_t i = 0; i < w->changes.count; i++) {
		const struct change *x = &w->changes.items[i];
		uint64_t ns = guest(w, x->ms) * MS, inode = w->lives.items[x->life].inode;
		for (size_t k = 0; k < g->edges.count; k++) {
			const struct flow_edge *e = &g->edges.items[k];
			const struct file *f = graph_file_of(g, e->to);
			if (!f || f->inode != inode || g->nodes.items[e->from].kind != NODE_PROCESS ||
			    g->processes.items[g->nodes.items[e->from].entity].pid != 100 + x->process || !covers(e, ends[k], ns) || !is_told(w, e, ends[k], ns))
				continue;
			// Its file is the one that was written: a number's older file may seem open still.
			if (f->created_seen ? f->created_ns / MS > x->ms || w->lives.items[x->life].made_ms + 10 < f->created_ns / MS : f->deleted_ns / MS + 10 < x->ms)
				continue;
			covered++;
			if (!covers(e, e->end_ns, ns))
				fprintf(stderr, "seed %" PRIu64 ": write of %u at %" PRIu64 " ms lies behind the end %" PRIu64 " ms\n", seed,
					100 + x->process, x->ms, e->end_ns / MS);
			CHECK(covers(e, e->end_ns, ns));
		}
	}
	return covered;
}

// Is the file that a number meant at a moment on the recorded disk at all?
static const struct life *life_at(const struct world *w, uint64_t inode, uint64_t guest_ns)
{
	for (size_t i = 0; i < w->lives.count; i++) {
		const struct life *l = &w->lives.items[i];
		if (l->inode == inode && guest(w, l->made_ms) * MS <= guest_ns + 8 * MS && (l->gone_ms == never() || guest(w, l->gone_ms) * MS > guest_ns + 8 * MS))
			return l;
	}
	return NULL;
}

// Each file is the life that it truly is, or none.
static void check_lives(const struct world *w, uint64_t seed)
{
	for (size_t i = 0; i < w->c.s.g->files.count; i++) {
		const struct file *f = &w->c.s.g->files.items[i];
		const struct annotate_answer *x = annotation_of(w->c.a, (uint32_t)i);
		uint64_t first = NANOTIME_NONE;
		bool sure = false;
		for (size_t k = 0; k < w->c.a->asked.count; k++)
			if (w->c.a->asked.items[k].file == i) {
				first = w->c.a->asked.items[k].first_ns;
				sure = w->c.a->asked.items[k].sure;
			}
		const struct life *l = first == NANOTIME_NONE ? NULL : life_at(w, f->inode, first);
		if (!l || w->step_at_ms != never() || x->generation == 0 || (!f->created_seen && (l->appears_ms > w->to_ms || l->appears_ms >= l->vanishes_ms)))
			continue;
		if (!sure) // taken up again within a second, by nobody's record
			continue;
		if (x->generation != l->id)
			fprintf(stderr, "seed %" PRIu64 ": inode %" PRIu64 " generation %u is life %u, not %u\n", seed, f->inode, f->generation, l->id, x->generation);
		CHECK_EQUAL(x->generation, l->id);
	}
}

struct totals { size_t covered, ended, no_write_seen, edges, births, others; };

static void run(uint64_t seed, struct totals *totals)
{
	struct world w;
	random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	begin(&w);
	uint64_t log_until = A + 20000 + below(300000);
	while (w.now < log_until) {
		act(&w);
		w.now += below(w.busy ? 1500 : 6000);
	}
	bool crashes = w.step_at_ms == never() && below(16) == 0;
	if (crashes)
		crash(&w);
	else if (below(12) == 0)
		interrupt(&w);
	for (uint32_t p = 0; !crashes && p < PROCESSES && below(2); p++) // the log ends, and they write on
		if (w.held[p].life != GRAPH_NONE)
			change(&w, w.held[p].life, p, false);
	w.to_ms = A + below((uint32_t)(log_until - A) + 200000);
	w.c.volume.from_ns = case_host(w.from_ms);
	w.c.volume.to_ns = case_host(w.to_ms);
	if (w.to_ms > w.from_ms)
		record(&w);
	case_answer(&w.c);
	uint64_t *ends = malloc((w.c.s.g->edges.count + 1) * sizeof(*ends));
	for (size_t k = 0; k < w.c.s.g->edges.count; k++) {
		ends[k] = w.c.s.g->edges.items[k].end_ns;
		totals->edges += w.c.s.g->edges.items[k].op == FLOW_OPEN_WRITE;
	}
	struct annotate_tightened t = case_tighten(&w.c);
	totals->ended += t.ended;
	totals->no_write_seen += t.no_write_seen;
	totals->covered += check_writes(&w, ends, seed);
	for (size_t k = 1; k < w.c.s.g->edges.count; k++) {
		CHECK(w.c.s.g->edges.items[k - 1].start_ns <= w.c.s.g->edges.items[k].start_ns);
		CHECK(!w.c.s.g->edges.items[k].ended_by_disk || w.c.s.g->edges.items[k].end_ns >= w.c.s.g->edges.items[k].start_ns);
	}
	free(ends);
	if (w.c.clock.mounts.count + w.c.volume.break_count == 0) // else a life may have come and gone that no disk knows
		check_lives(&w, seed);
	struct annotate_births births = case_births(&w.c);
	CHECK(births.compared < 3 || 2 * births.matched >= births.compared); // it is the right disk
	totals->others += births.compared - births.matched;
	totals->births += births.compared;
	lives_release(&w.lives);
	changes_release(&w.changes);
	case_end(&w.c);
}

// ---- states that no disk has: everything in them is of an attacker's choosing

static uint64_t any(void)
{
	static const uint64_t edges[] = {0, 1, NANOTIME_NONE, NANOTIME_NONE - 1, UINT64_C(1) << 63, UINT32_MAX, A * MS, (A + 5000) * MS};
	uint64_t high = below(UINT32_MAX);
	return below(3) ? edges[below(8)] : high << 32 | below(UINT32_MAX);
}

static void scramble(struct timeline_state *s)
{
	uint64_t *const times[] = {&s->arrival_ns, &s->mtime_ns, &s->ctime_ns, &s->crtime_ns, &s->size_bytes, &s->pending_bytes};
	for (size_t i = 0; i < 6; i++)
		if (below(3) == 0)
			*times[i] = any();
	if (below(3) == 0)
		s->change = below(1024);
	if (below(4) == 0)
		s->generation = below(3);
}

static void hostile(uint64_t seed)
{
	struct world w;
	random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 7;
	begin(&w);
	while (w.now < A + 100000) {
		act(&w);
		w.now += below(3000);
	}
	w.to_ms = A + 300000;
	record(&w);
	for (size_t i = 0; i < w.c.states.count; i++)
		scramble(&w.c.states.items[i]);
	for (size_t i = 0; i < w.c.clock.pieces.count && below(2); i++)
		w.c.clock.pieces.items[i].offset_ns = (int64_t)any();
	case_answer(&w.c);
	case_births(&w.c);
	case_tighten(&w.c);
	for (size_t k = 0; k < w.c.s.g->edges.count; k++) {
		const struct flow_edge *e = &w.c.s.g->edges.items[k];
		CHECK(!e->ended_by_disk || e->end_ns >= e->start_ns);
		CHECK(!k || w.c.s.g->edges.items[k - 1].start_ns <= e->start_ns);
	}
	for (uint32_t i = 0; i < w.c.s.g->files.count; i++)
		CHECK(strcmp(annotate_verdict_words(annotation_of(w.c.a, i)->verdict), "?") != 0);
	lives_release(&w.lives);
	changes_release(&w.changes);
	case_end(&w.c);
}

int main(int argc, char **argv)
{
	struct totals totals = {0};
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1, seeds = argc > 2 ? strtoull(argv[2], NULL, 10) : SEEDS;
	for (uint64_t seed = first; seed < first + seeds && unit_failures < 10; seed++)
		run(seed, &totals);
	for (uint64_t seed = 0; seed < 300; seed++)
		hostile(seed);
	if (argc > 1)
		printf("%zu edges, %zu ended, %zu without a write; %zu writes lie within theirs; %zu births, %zu of others\n", totals.edges, totals.ended, totals.no_write_seen,
		       totals.covered, totals.births, totals.others);
	// that it is a test at all
	CHECK(totals.covered > seeds);
	CHECK(totals.ended > seeds / 10);
	CHECK(totals.no_write_seen > seeds / 40);
	CHECK(totals.births > seeds / 2);
	CHECK(totals.others < totals.births / 50); // nobody recorded that the file went, nor that its number was taken again
	return unit_end();
}
