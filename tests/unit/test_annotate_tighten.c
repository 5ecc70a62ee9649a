// SPDX-License-Identifier: MIT
// Opens for writing that end with the last write that reached the disk: never before a write that happened.
//
// First cases by name. Then histories that are made up: processes that open, write, truncate, delete; a disk that shows it all up to 40 s
// later, or never; a clock that is told wrongly by as much as its error allows; recordings that begin and end anywhere. The graph is built from
// the records alone, the edges are ended by the states alone, and every write that happened must still lie within its edge.
#include "tests/unit/annotate_case.h"

#define A 1000000 /* ms */

// ---- by name

static void finish(struct disk_case *c, uint64_t ms)
{
	events_open(&c->s, ms, 91, "/data/last", 6, O_RDONLY, 3);
	case_answer(c);
}

// 100 wrote the file, 101 read it before the write had reached the disk: from the page cache.
static void page_cache(void)
{
	struct disk_case c = case_begin();
	events_open(&c.s, A, 100, "/data/x", 9, O_WRONLY | O_CREAT | O_CLOEXEC, 3);
	events_open(&c.s, A + 4000, 101, "/data/x", 9, O_RDONLY, 3);
	events_connect(&c.s, A + 5000, 101, 4, 5, 0);
	events_exit(&c.s, A + 20000, 100);
	case_state(&c, 9, A + 5000, TIMELINE_APPEARED, A, A, 0);
	case_state(&c, 9, A + 35000, TIMELINE_GREW, A, A + 3000, 700);
	finish(&c, A + 30000);
	CHECK(script_reaches(&c.s, "100", "address:5"));
	CHECK_EQUAL(case_tighten(&c).ended, 0); // it may have written until its end, 20 s in
	CHECK(script_reaches(&c.s, "100", "address:5"));
	CHECK(script_edge(&c.s, FLOW_OPEN_WRITE, "100", "file:9")->write_seen);
	CHECK_EQUAL(script_edge(&c.s, FLOW_OPEN_WRITE, "100", "file:9")->end_ns, (A + 20000) * MS);
	case_end(&c);
}

// Held open for ten minutes, written once in the first seconds: what its writer learns later does not go in there.
static void ends_with_arrival(void)
{
	struct disk_case c = case_begin();
	events_open(&c.s, A, 100, "/data/x", 9, O_WRONLY | O_CREAT | O_CLOEXEC, 3);
	events_open(&c.s, A + 100000, 100, "/data/secret", 10, O_RDONLY, 4);
	events_open(&c.s, A + 110000, 101, "/data/x", 9, O_RDONLY, 3);
	events_exit(&c.s, A + 120000, 100);
	c.volume.to_ns = case_host(A + 190000);
	case_state(&c, 9, A + 5000, TIMELINE_APPEARED, A, A, 0);
	case_state(&c, 9, A + 33000, TIMELINE_GREW, A, A + 1000, 700);
	finish(&c, A + 130000);
	CHECK(script_reaches(&c.s, "file:10", "101"));
	CHECK_EQUAL(case_tighten(&c).ended, 1);
	const struct flow_edge *e = script_edge(&c.s, FLOW_OPEN_WRITE, "100", "file:9");
	CHECK(e->ended_by_disk && !e->no_write_seen);
	CHECK_EQUAL(e->start_ns, A * MS);
	CHECK_EQUAL(e->end_ns, (A + 33000) * MS + CASE_ERROR_NS);
	CHECK(!script_reaches(&c.s, "file:10", "101"));
	CHECK(script_reaches(&c.s, "100", "101"));
	case_end(&c);
}

// An old file that was opened for writing, and nothing of it ever changed.
static struct disk_case untouched(uint64_t recorded_until)
{
	struct disk_case c = case_begin();
	events_open(&c.s, A, 100, "/data/x", 9, O_RDWR | O_CLOEXEC, 3);
	events_exit(&c.s, A + 10000, 100);
	c.volume.to_ns = case_host(recorded_until);
	case_state(&c, 9, 0, 0, A - 500000, A - 400000, 700);
	return c;
}

static void no_write_seen(void)
{
	struct disk_case c = untouched(A + 71000);
	finish(&c, A + 20000);
	CHECK_EQUAL(case_tighten(&c).no_write_seen, 1);
	const struct flow_edge *e = script_edge(&c.s, FLOW_OPEN_WRITE, "100", "file:9");
	CHECK(e->no_write_seen && e->ended_by_disk && !e->write_seen);
	CHECK_EQUAL(e->end_ns, A * MS);
	CHECK(!script_edge(&c.s, FLOW_OPEN_READ, "file:9", "100")->no_write_seen);
	case_end(&c);

	c = untouched(A + 69000); // recorded for 59 s after the exit only
	finish(&c, A + 20000);
	CHECK_EQUAL(case_tighten(&c).no_write_seen, 0);
	CHECK_EQUAL(script_edge(&c.s, FLOW_OPEN_WRITE, "100", "file:9")->end_ns, (A + 10000) * MS);
	case_end(&c);
}

static void stays(struct disk_case *c)
{
	finish(c, A + 20000);
	struct annotate_tightened t = case_tighten(c);
	CHECK_EQUAL(t.ended + t.no_write_seen, 0);
	CHECK_EQUAL(script_edge(&c->s, FLOW_OPEN_WRITE, "100", "file:9")->end_ns, (A + 10000) * MS);
	CHECK(!script_edge(&c->s, FLOW_OPEN_WRITE, "100", "file:9")->no_write_seen);
	case_end(c);
}

static void nothing_to_tell(void)
{
	struct disk_case c = untouched(A + 200000); // deleted by the disk
	case_state(&c, 9, A + 60000, TIMELINE_DELETED, A - 500000, A - 400000, 700);
	stays(&c);

	c = untouched(A + 200000); // deleted by the log, under a name that was the last; the disk is late
	events_delete(&c.s, A + 15000, 101, "/data/x", 9);
	stays(&c);

	c = untouched(A + 200000); // one of two names went: who knows of the others
	struct event link = events_call(&c.s, "link", OP_LINK, A + 12000, 101);
	struct event_path both[] = {events_path(&c.s, "/data/x", 9, NAMETYPE_NORMAL), events_path(&c.s, "/data/y", 9, NAMETYPE_CREATE)};
	link.paths = both;
	link.path_count = 2;
	events_add(&c.s, link);
	events_delete(&c.s, A + 15000, 101, "/data/y", 9);
	events_open(&c.s, A + 18000, 101, "/data/x", 9, O_RDONLY, 5); // it has a name, after all
	stays(&c);

	c = untouched(A + 200000); // emptied by somebody before it could be written back
	struct event e = events_call(&c.s, "truncate", OP_TRUNCATE, A + 15000, 101);
	struct event_path path = events_path(&c.s, "/data/x", 9, NAMETYPE_NORMAL);
	e.args[1] = 0;
	e.paths = &path;
	e.path_count = 1;
	events_add(&c.s, e);
	stays(&c);

	c = untouched(A + 200000); // nobody knows the clock
	c.clock.pieces.count = 0;
	stays(&c);

	c = untouched(A + 200000); // the clock was set within the time
	c.clock.pieces.items[0].to_ns = case_host(A + 40000);
	struct timeline_clock_piece next = c.clock.pieces.items[0];
	next.from_ns = next.to_ns;
	next.to_ns = NANOTIME_NONE;
	next.base_ns = next.sampled_from_ns = next.from_ns;
	c.clock.pieces.items[0].sampled_to_ns = next.from_ns;
	next.stepped = true;
	timeline_clock_pieces_append(&c.clock.pieces, next);
	stays(&c);

	c = untouched(A + 200000); // the guest crashed, and wrote again 20 s later
	u64_vector_append(&c.clock.mounts, case_host(A + 35000));
	stays(&c);

	c = untouched(A + 200000); // it took its time to start, and another of its file systems was first
	u64_vector_append(&c.clock.mounts, case_host(A + 100000));
	stays(&c);

	c = untouched(A + 200000); // recording was interrupted
	const struct timeline_span gap = {case_host(A + 30000), case_host(A + 31000)};
	c.volume.breaks = &gap;
	c.volume.break_count = 1;
	stays(&c);

	c = untouched(A + 200000); // something came in long after its inode: this guest holds data back for minutes
	struct timeline_state *late = case_state(&c, 9, A + 190000, TIMELINE_REWRITTEN, A - 500000, A + 5000, 700);
	late->ctime_ns = (A + 100000) * MS;
	stays(&c);

	c = untouched(A + 200000); // states may be missing
	finish(&c, A + 20000);
	annotation_doubt(c.a, 0);
	CHECK_EQUAL(case_tighten(&c).no_write_seen, 0);
	case_end(&c);

	c = untouched(A + 200000); // a life that is not surely this file's: made about when it was first opened
	c.states.items[0].crtime_ns = (A + 500) * MS;
	case_state(&c, 9, A + 1000, TIMELINE_DELETED | TIMELINE_APPEARED, A + 900, A + 900, 700);
	stays(&c);

	c = untouched(A + 200000); // made after it was opened, by the clocks: then it is hardly this file
	c.states.items[0].crtime_ns = (A + 500) * MS;
	stays(&c);

	c = untouched(A + 200000); // when all should have come, content was still missing; what came later came with another change
	case_state(&c, 9, A + 6000, TIMELINE_GREW, A - 500000, A + 3000, 900)->pending_bytes = 200;
	case_state(&c, 9, A + 110000, TIMELINE_GREW, A - 500000, A + 90000, 950);
	stays(&c);

	c = untouched(A + 200000); // the recording began later, and nobody knows whether the clock was set before
	c.volume.from_ns = case_host(A + 6000);
	c.clock.pieces.items[0].sampled_from_ns = case_host(A + 6000);
	stays(&c);

	c = case_begin(); // the log says that it wrote: two witnesses, and they do not agree
	events_open(&c.s, A, 100, "/data/x", 9, O_RDWR | O_CLOEXEC, 3);
	struct event w = events_call(&c.s, "write", OP_WRITE, A + 2000, 100);
	w.args[0] = 3;
	events_add(&c.s, w);
	events_exit(&c.s, A + 10000, 100);
	case_state(&c, 9, 0, 0, A - 500000, A - 400000, 700);
	stays(&c);

	c = untouched(A + 200000); // of its last state content never came in
	case_state(&c, 9, A + 6000, TIMELINE_GREW, A - 500000, A + 3000, 900)->pending_bytes = 200;
	stays(&c);
}

// Before the file was opened, or long after it was closed, neither says anything.
static void elsewhere(void)
{
	struct disk_case c = untouched(A + 400000);
	const struct timeline_span gaps[] = {{case_host(A - 30000), case_host(A - 20000)}, {case_host(A + 80000), case_host(A + 90000)}};
	c.volume.breaks = gaps;
	c.volume.break_count = 2;
	u64_vector_append(&c.clock.mounts, case_host(A - 25000));
	u64_vector_append(&c.clock.mounts, case_host(A + 10000 + 60000 + 125000));
	finish(&c, A + 20000);
	CHECK_EQUAL(case_tighten(&c).no_write_seen, 1);
	case_end(&c);
}

// The recording began after the file was opened: what it does not show may have been written before.
static void recorded_later(void)
{
	struct disk_case c = untouched(A + 200000);
	c.volume.from_ns = case_host(A + 6000);
	finish(&c, A + 20000);
	CHECK_EQUAL(case_tighten(&c).ended, 1);
	CHECK_EQUAL(script_edge(&c.s, FLOW_OPEN_WRITE, "100", "file:9")->end_ns, (A + 6000) * MS + CASE_ERROR_NS);
	CHECK(!script_edge(&c.s, FLOW_OPEN_WRITE, "100", "file:9")->no_write_seen);
	case_end(&c);
}

// Still open when the log ends: ends only where the recording goes on behind the log for long enough.
static void open_end(void)
{
	for (int goes_on = 0; goes_on < 2; goes_on++) {
		struct disk_case c = case_begin();
		events_open(&c.s, A, 100, "/data/x", 9, O_RDWR | O_CLOEXEC, 3);
		case_state(&c, 9, 0, 0, A - 500000, A - 400000, 700);
		case_state(&c, 9, A + 9000, TIMELINE_REWRITTEN, A - 500000, A + 4000, 700);
		c.volume.to_ns = case_host(A + 100000 + (goes_on ? 61000 : 59000));
		finish(&c, A + 100000);
		CHECK_EQUAL(case_tighten(&c).ended, goes_on);
		CHECK_EQUAL(script_edge(&c.s, FLOW_OPEN_WRITE, "100", "file:9")->end_ns, goes_on ? (A + 9000) * MS + CASE_ERROR_NS : NANOTIME_NONE);
		case_end(&c);
	}
}

// Dropped, run, deleted within seconds: the disk never shows it, and its chain stays whole.
static void deleted_binary(void)
{
	struct disk_case c = case_begin();
	events_open(&c.s, A, 100, "/data/x", 9, O_WRONLY | O_CREAT | O_CLOEXEC, 3);
	events_fork(&c.s, A + 2000, 100, 101);
	events_exec(&c.s, A + 2100, 101, "/data/x", 9);
	events_connect(&c.s, A + 3000, 101, 4, 5, 0);
	events_delete(&c.s, A + 6900, 101, "/data/x", 9);
	case_state(&c, 9, A + 5000, TIMELINE_APPEARED, A, A + 400, 0); // its inode came with a commit, its content never
	case_state(&c, 9, A + 10000, TIMELINE_DELETED, A, A + 400, 0);
	finish(&c, A + 90000);
	CHECK_EQUAL(case_of(&c, 9, 1)->verdict, ANNOTATE_PENDING);
	uint64_t end = script_edge(&c.s, FLOW_OPEN_WRITE, "100", "file:9")->end_ns;
	case_tighten(&c);
	CHECK_EQUAL(script_edge(&c.s, FLOW_OPEN_WRITE, "100", "file:9")->end_ns, end);
	CHECK(script_edge(&c.s, FLOW_EXECUTE, "file:9", "101") && script_reaches(&c.s, "file:9", "address:5"));
	case_end(&c);
}

int main(void)
{
	page_cache();
	ends_with_arrival();
	no_write_seen();
	nothing_to_tell();
	elsewhere();
	recorded_later();
	open_end();
	deleted_binary();
	return unit_end();
}
