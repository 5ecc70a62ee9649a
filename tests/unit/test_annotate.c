// SPDX-License-Identifier: MIT
// Which life of an inode a file is, and which record accounts for a state.
#include "tests/unit/annotate_case.h"

#define A 1000000 /* the log begins */
#define FILE_9 "/data/x"

// The log from A to A + 100 s, so that what happens in between is covered.
static struct disk_case begin(void)
{
	struct disk_case c = case_begin();
	events_open(&c.s, A - 10000, 90, "/data/first", 5, O_RDONLY, 3);
	return c;
}

static void finish(struct disk_case *c)
{
	events_open(&c->s, A + 100000, 91, "/data/last", 6, O_RDONLY, 3);
	case_answer(c);
}

static void written_here(void)
{
	struct disk_case c = begin();
	events_open(&c.s, A, 100, FILE_9, 9, O_WRONLY | O_CREAT | O_CLOEXEC, 3);
	events_exit(&c.s, A + 2000, 100);
	case_state(&c, 9, A + 5000, TIMELINE_APPEARED, A, A, 0);
	case_state(&c, 9, A + 32000, TIMELINE_GREW, A, A + 1500, 700);
	finish(&c);
	const struct annotate_answer *x = case_of(&c, 9, 1);
	CHECK_EQUAL(x->verdict, ANNOTATE_SHOWN);
	CHECK_EQUAL(x->crtime_ns, A * MS);
	CHECK_EQUAL(x->states.count, 2);
	if (x->states.count == 2) {
		const struct annotate_state *made = &x->states.items[0], *grew = &x->states.items[1];
		CHECK_EQUAL(made->verdict, ANNOTATE_STATE_WRITTEN);
		CHECK_EQUAL(c.s.g->edges.items[made->edge].op, FLOW_CREATE);
		CHECK_EQUAL(grew->verdict, ANNOTATE_STATE_WRITTEN);
		CHECK_EQUAL(c.s.g->edges.items[grew->edge].op, FLOW_OPEN_WRITE);
		CHECK_EQUAL(grew->syscall_ns, A * MS);
		CHECK_EQUAL(grew->inode_ns, (A + 1500) * MS);
		CHECK_EQUAL(grew->guest_ns, (A + 32000) * MS);
		CHECK_EQUAL(grew->candidates, 1);
	}
	CHECK_EQUAL(case_births(&c).compared, 1);
	CHECK_EQUAL(case_births(&c).matched, 1);
	case_end(&c);
}

// The number's older file is still on the disk; the log's was made and deleted before anything of it was written.
static void never_reached(void)
{
	struct disk_case c = begin();
	events_delete(&c.s, A, 99, "/data/old", 9);
	events_open(&c.s, A + 500, 100, FILE_9, 9, O_WRONLY | O_CREAT, 3);
	events_delete(&c.s, A + 1500, 100, FILE_9, 9);
	case_state(&c, 9, 0, 0, A - 800000, A - 700000, 10);
	case_state(&c, 9, A + 3000, TIMELINE_DELETED, A - 800000, A - 700000, 10);
	finish(&c);
	CHECK_EQUAL(case_of(&c, 9, 1)->verdict, ANNOTATE_SHOWN);
	CHECK_EQUAL(case_of(&c, 9, 1)->states.count, 2);
	CHECK_EQUAL(case_of(&c, 9, 1)->states.items[1].verdict, ANNOTATE_STATE_NAME);
	CHECK_EQUAL(case_of(&c, 9, 1)->states.items[1].syscall_ns, A * MS);
	CHECK_EQUAL(case_of(&c, 9, 2)->verdict, ANNOTATE_NEVER_REACHED);
	CHECK_EQUAL(case_of(&c, 9, 2)->states.count, 0);
	CHECK_EQUAL(case_births(&c).compared, 0);
	CHECK_EQUAL(c.wishes.count, 4); // both lives of it, and the two others
	case_end(&c);
}

// The same number, once more: gone and taken again between two commits, shown as one state.
static void reused(void)
{
	struct disk_case c = begin();
	events_open(&c.s, A, 99, "/data/old", 9, O_RDONLY, 3);
	events_delete(&c.s, A + 1000, 99, "/data/old", 9);
	events_open(&c.s, A + 1002, 100, FILE_9, 9, O_WRONLY | O_CREAT, 3);
	case_state(&c, 9, 0, 0, A - 800000, A - 700000, 10);
	case_state(&c, 9, A + 3000, TIMELINE_DELETED | TIMELINE_APPEARED, A + 1003, A + 1003, 0);
	finish(&c);
	const struct annotate_answer *old = case_of(&c, 9, 1), *new = case_of(&c, 9, 2);
	CHECK_EQUAL(old->states.count, 2);
	CHECK_EQUAL(old->states.items[1].disk.change, TIMELINE_DELETED);
	CHECK_EQUAL(old->states.items[1].disk.size_bytes, 10);
	CHECK_EQUAL(old->states.items[1].syscall_ns, (A + 1000) * MS);
	CHECK_EQUAL(new->states.count, 1);
	CHECK_EQUAL(new->states.items[0].disk.change, TIMELINE_APPEARED);
	CHECK_EQUAL(annotate_glyph(&new->states.items[0].disk), '+');
	CHECK_EQUAL(annotate_glyph(&old->states.items[1].disk), 'x');
	CHECK_EQUAL(case_births(&c).matched, 1);
	case_end(&c);
}

int main(void)
{
	written_here();
	never_reached();
	reused();
	return unit_end();
}
