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

// Two files of one number within a second, and the first of them never reached the disk.
static void quick_successor(void)
{
	struct disk_case c = begin();
	events_open(&c.s, A, 100, FILE_9, 9, O_WRONLY | O_CREAT, 3);
	events_delete(&c.s, A + 400, 100, FILE_9, 9);
	events_open(&c.s, A + 800, 101, "/data/y", 9, O_WRONLY | O_CREAT, 3);
	case_state(&c, 9, A + 4000, TIMELINE_APPEARED, A + 804, A + 804, 0);
	finish(&c);
	CHECK_EQUAL(case_of(&c, 9, 1)->verdict, ANNOTATE_NEVER_REACHED);
	CHECK_EQUAL(case_of(&c, 9, 2)->verdict, ANNOTATE_SHOWN);
	CHECK_EQUAL(case_births(&c).compared, 1);
	CHECK_EQUAL(case_births(&c).matched, 1);
	case_end(&c);
}

// Files that the log did not see being made: the life in force at their first access.
static void in_force(void)
{
	struct disk_case c = begin();
	events_open(&c.s, A + 20000, 100, FILE_9, 9, O_RDONLY, 3);
	case_state(&c, 9, 0, 0, A - 800000, A - 700000, 10);
	case_state(&c, 9, A + 2000, TIMELINE_DELETED | TIMELINE_APPEARED, A + 1000, A + 1000, 20);
	case_state(&c, 9, A + 40000, TIMELINE_DELETED | TIMELINE_APPEARED, A + 39000, A + 39000, 30);
	finish(&c);
	const struct annotate_answer *x = case_of(&c, 9, 1);
	CHECK_EQUAL(x->crtime_ns, (A + 1000) * MS);
	CHECK_EQUAL(x->states.count, 2);
	CHECK_EQUAL(case_births(&c).compared, 0);
	case_end(&c);

	c = begin(); // what had gone from the disk before the first access was something else
	events_open(&c.s, A + 20000, 100, FILE_9, 9, O_RDONLY, 3);
	case_state(&c, 9, 0, 0, A - 800000, A - 700000, 10);
	case_state(&c, 9, A + 2000, TIMELINE_DELETED, A - 800000, A - 700000, 10);
	finish(&c);
	CHECK_EQUAL(case_of(&c, 9, 1)->verdict, ANNOTATE_NEVER_REACHED);
	case_end(&c);

	c = begin(); // 128-byte inodes: the number that appeared before, not the one that appeared later
	events_open(&c.s, A + 20000, 100, FILE_9, 9, O_RDONLY, 3);
	case_state(&c, 9, A + 2000, TIMELINE_APPEARED, A + 1000, A + 1000, 20)->crtime_ns = NANOTIME_NONE;
	case_state(&c, 9, A + 90000, TIMELINE_DELETED | TIMELINE_APPEARED, A + 89000, A + 89000, 30)->crtime_ns = NANOTIME_NONE;
	finish(&c);
	CHECK_EQUAL(case_of(&c, 9, 1)->states.items[0].disk.size_bytes, 20);
	CHECK_EQUAL(case_of(&c, 9, 1)->crtime_ns, NANOTIME_NONE);
	case_end(&c);
}

// It lost its last name while it was open, and was given one again: one life.
static void linked_again(void)
{
	struct disk_case c = begin();
	events_open(&c.s, A, 100, FILE_9, 9, O_RDWR | O_CREAT, 3);
	case_state(&c, 9, A + 1000, TIMELINE_APPEARED, A, A, 0);
	case_state(&c, 9, A + 2000, TIMELINE_DELETED, A, A, 0);
	case_state(&c, 9, A + 5000, TIMELINE_APPEARED, A, A, 0);
	finish(&c);
	CHECK_EQUAL(case_of(&c, 9, 1)->states.count, 3);
	CHECK_EQUAL(case_of(&c, 9, 1)->verdict, ANNOTATE_SHOWN);
	case_end(&c);
}

// ---- which record

static void kinds_of_states(void)
{
	struct disk_case c = begin();
	events_open(&c.s, A, 100, FILE_9, 9, O_RDWR, 3);
	events_open(&c.s, A + 10000, 101, FILE_9, 9, O_WRONLY, 3);
	struct event e = events_call(&c.s, "truncate", OP_TRUNCATE, A + 20000, 102);
	struct event_path path = events_path(&c.s, FILE_9, 9, NAMETYPE_NORMAL);
	e.args[1] = 5;
	e.paths = &path;
	e.path_count = 1;
	events_add(&c.s, e);
	e = events_call(&c.s, "chmod", OP_ATTRIBUTE, A + 30000, 102);
	e.paths = &path;
	e.path_count = 1;
	events_add(&c.s, e);
	case_state(&c, 9, 0, 0, A - 800000, A - 700000, 10);
	case_state(&c, 9, A + 9000, TIMELINE_GREW, A - 800000, A + 6000, 12);             // 1: only 100 had it open
	case_state(&c, 9, A + 15500, TIMELINE_GREW, A - 800000, A + 15000, 14);           // 2: 100 or 101
	case_state(&c, 9, A + 21000, TIMELINE_CUT, A - 800000, A + 20004, 5);             // 3: 102 cut it
	case_state(&c, 9, A + 33000, TIMELINE_METADATA, A - 800000, A + 20004, 5)->ctime_ns = (A + 30001) * MS; // 4: chmod
	case_state(&c, 9, A + 34000, TIMELINE_REWRITTEN, A - 800000, A - 600000, 5)->ctime_ns = (A - 600000) * MS; // 5: older than the log
	case_state(&c, 9, A + 36000, TIMELINE_METADATA, A - 800000, A + 12000, 5)->ctime_ns = (A + 30002) * MS; // 6: touch -d, to a time of 100 or 101
	case_state(&c, 9, A + 99990, TIMELINE_GREW, A - 800000, A + 150000, 6);           // 7: behind the log
	finish(&c);
	const struct annotate_state *s = case_of(&c, 9, 1)->states.items;
	CHECK_EQUAL(case_of(&c, 9, 1)->states.count, 8);
	CHECK_EQUAL(s[0].verdict, ANNOTATE_STATE_BEFORE);
	CHECK_EQUAL(s[0].guest_ns, NANOTIME_NONE);
	CHECK_EQUAL(s[1].verdict, ANNOTATE_STATE_WRITTEN);
	CHECK_EQUAL(s[1].candidates, 1);
	CHECK_EQUAL(s[2].verdict, ANNOTATE_STATE_WRITTEN);
	CHECK_EQUAL(s[2].candidates, 2);
	CHECK_EQUAL(s[2].syscall_ns, (A + 10000) * MS); // the one that was opened last
	CHECK_EQUAL(s[3].verdict, ANNOTATE_STATE_WRITTEN);
	CHECK_EQUAL(c.s.g->edges.items[s[3].edge].op, FLOW_TRUNCATE);
	CHECK_EQUAL(s[3].candidates, 1);
	CHECK_EQUAL(s[4].verdict, ANNOTATE_STATE_NAME);
	CHECK_EQUAL(s[4].inode_ns, (A + 30001) * MS);
	CHECK_EQUAL(s[4].syscall_ns, (A + 30000) * MS);
	CHECK_EQUAL(s[5].verdict, ANNOTATE_STATE_BEFORE);
	CHECK_EQUAL(s[6].verdict, ANNOTATE_STATE_NAME);
	CHECK_EQUAL(s[6].syscall_ns, (A + 30000) * MS);
	CHECK_EQUAL(s[7].inode_ns, (A + 150000) * MS);
	CHECK_EQUAL(annotate_glyph(&s[3].disk), 'v');
	CHECK_EQUAL(annotate_glyph(&s[4].disk), '>');
	case_end(&c);
}

// Changed, and nobody had it open: the finding. With a process that had closed it by then, a mapping may have done it.
static void unseen(void)
{
	for (int mapped = 0; mapped < 2; mapped++) {
		struct disk_case c = begin();
		events_open(&c.s, A, 100, FILE_9, 9, O_RDWR, 3);
		struct event e = events_call(&c.s, "close", OP_CLOSE, A + 1000, 100);
		e.args[0] = 3;
		events_add(&c.s, e);
		if (!mapped)
			events_exit(&c.s, A + 2000, 100);
		case_state(&c, 9, 0, 0, A - 800000, A - 700000, 10);
		case_state(&c, 9, A + 25000, TIMELINE_REWRITTEN, A - 800000, A + 20000, 10);
		case_state(&c, 9, A + 90000, TIMELINE_DELETED, A - 800000, A + 20000, 10);
		finish(&c);
		const struct annotate_answer *x = case_of(&c, 9, 1);
		CHECK_EQUAL(x->states.items[1].verdict, mapped ? ANNOTATE_STATE_WRITTEN : ANNOTATE_STATE_UNSEEN);
		CHECK_EQUAL(x->states.items[1].candidates, 0);
		CHECK_EQUAL(x->states.items[1].edge == GRAPH_NONE, !mapped);
		CHECK_EQUAL(x->states.items[2].verdict, ANNOTATE_STATE_UNSEEN); // nor did anybody remove it
		case_tighten(&c);
		CHECK(!script_edge(&c.s, FLOW_OPEN_WRITE, "100", "file:9")->write_seen);
		case_end(&c);
	}
}

// What was told of the same time by its window only.
static void window(void)
{
	struct disk_case c = begin();
	events_open(&c.s, A + 1000, 100, FILE_9, 9, O_RDONLY, 3);
	case_state(&c, 9, 0, 0, A - 800000, A - 700000, 10);
	case_state(&c, 9, A + 25000, TIMELINE_REWRITTEN, A - 800000, A + 20000, 10);
	finish(&c);
	CHECK_EQUAL(case_of(&c, 9, 1)->states.items[1].verdict, ANNOTATE_STATE_UNSEEN);
	struct error err = {""};
	annotation_set_window(c.a, (A + 30000) * MS, (A + 100000) * MS);
	CHECK(annotation_take(c.a, 0, &c.states, &err) == 0);
	CHECK_EQUAL(case_of(&c, 9, 1)->states.count, 2);
	CHECK_EQUAL(case_of(&c, 9, 1)->states.items[1].verdict, ANNOTATE_STATE_BEFORE);
	case_end(&c);
}

static void pending(void)
{
	struct disk_case c = begin();
	events_open(&c.s, A, 100, FILE_9, 9, O_WRONLY | O_APPEND, 3);
	case_state(&c, 9, 0, 0, A - 800000, A - 700000, 10);
	case_state(&c, 9, A + 5000, TIMELINE_GREW, A - 800000, A + 3000, 43)->pending_bytes = 33;
	case_state(&c, 9, A + 35000, TIMELINE_ARRIVED, A - 800000, A + 3000, 43);
	finish(&c);
	const struct annotate_answer *x = case_of(&c, 9, 1);
	CHECK_EQUAL(x->verdict, ANNOTATE_SHOWN);
	CHECK_EQUAL(x->states.items[1].verdict, ANNOTATE_STATE_CONTENT_PENDING);
	CHECK_EQUAL(x->states.items[2].verdict, ANNOTATE_STATE_WRITTEN);
	CHECK_EQUAL(x->states.items[2].syscall_ns, A * MS);
	c.states.count--;
	case_answer(&c);
	CHECK_EQUAL(case_of(&c, 9, 1)->verdict, ANNOTATE_PENDING);
	case_end(&c);
}

// ---- which disk

static void wrong_disk(void)
{
	struct disk_case c = begin();
	for (unsigned i = 0; i < 6; i++) {
		char name[] = "/data/0";
		name[6] = (char)('0' + i);
		events_open(&c.s, A + 1000 * i, 100, name, 20 + i, O_WRONLY | O_CREAT, 3);
		// 20, 21: other files had these numbers all the time. 22: one that was gone soon after. 23: another, made later.
		if (i < 3)
			case_state(&c, 20 + i, 0, 0, A - 800000, A - 800000, 1);
		if (i == 2)
			case_state(&c, 22, A + 30000, TIMELINE_DELETED, A - 800000, A - 800000, 1);
		if (i == 3)
			case_state(&c, 23, A + 40000, TIMELINE_APPEARED, A + 35000, A + 35000, 1);
		if (i == 4)
			case_state(&c, 24, A + 40000, TIMELINE_APPEARED, A + 4900, A + 4900, 1); // 900 ms after its record
		if (i == 5)
			case_state(&c, 25, A + 64000, TIMELINE_APPEARED, A, A, 1)->crtime_ns = NANOTIME_NONE; // 59 s after it
	}
	events_open(&c.s, A + 1000, 101, "/data/renamed", 30, O_RDWR, 4);
	struct event_path moved[] = {events_path(&c.s, "/data/renamed", 30, NAMETYPE_DELETE), events_path(&c.s, "/data/to", 30, NAMETYPE_CREATE)};
	events_paths(&c.s, "rename", OP_RENAME, A + 2000, 101, moved, 2);
	struct event_path linked = events_path(&c.s, "/data/also", 30, NAMETYPE_CREATE);
	events_paths(&c.s, "link", OP_LINK, A + 3000, 101, &linked, 1);
	case_state(&c, 30, 0, 0, A - 800000, A - 800000, 1);
	finish(&c);
	CHECK_EQUAL(case_births(&c).compared, 5);
	CHECK_EQUAL(case_births(&c).matched, 2);
	case_end(&c);
}

static void every_kind_of_birth(void)
{
	static const struct { const char *call; enum syscall_op op; } calls[] = {{"mkdir", OP_MKDIR}, {"mknod", OP_MKNOD}, {"symlink", OP_SYMLINK}, {"creat", OP_OPEN}};
	struct disk_case c = begin();
	for (unsigned i = 0; i < 4; i++) {
		struct event_path path = events_path(&c.s, "/data/new", 40 + i, NAMETYPE_CREATE);
		path.mode = i == 0 ? S_IFDIR | 0755 : i == 2 ? S_IFLNK | 0777 : S_IFREG | 0644;
		events_paths(&c.s, calls[i].call, calls[i].op, A + i, 100, &path, 1);
		case_state(&c, 40 + i, A + 4000, TIMELINE_APPEARED, A + 500, A + 500, 0);
	}
	struct event memfd = events_call(&c.s, "memfd_create", OP_MEMFD, A + 9, 100);
	memfd.exit = 9;
	events_add(&c.s, memfd);
	struct event unnamed = events_call(&c.s, "openat", OP_OPEN, A + 100, 100); // O_TMPFILE, and a name later
	struct event_path folder = events_path(&c.s, "/data", 50, NAMETYPE_NORMAL);
	unnamed.args[2] = O_TMPFILE | O_RDWR;
	unnamed.exit = 10;
	unnamed.paths = &folder;
	unnamed.path_count = 1;
	events_add(&c.s, unnamed);
	struct event_path named = events_path(&c.s, "/data/named", 50, NAMETYPE_CREATE);
	events_paths(&c.s, "linkat", OP_LINK, A + 30000, 100, &named, 1);
	unnamed.earliest_ns = unnamed.latest_ns = (A + 200) * MS;
	unnamed.serial++;
	folder.inode = 51; // and one that was never given a name
	events_add(&c.s, unnamed);
	case_state(&c, 50, A + 34000, TIMELINE_APPEARED, A + 100, A + 200, 7);
	finish(&c);
	CHECK_EQUAL(case_births(&c).compared, 5);
	CHECK_EQUAL(case_births(&c).matched, 5);
	CHECK_EQUAL(case_of(&c, 50, 1)->verdict, ANNOTATE_SHOWN);
	CHECK_EQUAL(case_of(&c, 51, 1)->verdict, ANNOTATE_NOT_COVERED);
	case_end(&c);
}

// Made near the end of the recording: nothing can be said, unless it was deleted again before.
static void ends_too_soon(void)
{
	for (int deleted = 0; deleted < 2; deleted++) {
		struct disk_case c = begin();
		c.volume.to_ns = case_host(A + 30000);
		events_open(&c.s, A, 100, FILE_9, 9, O_WRONLY | O_CREAT, 3);
		if (deleted)
			events_delete(&c.s, A + 7000, 100, FILE_9, 9);
		events_open(&c.s, A + 40000, 100, "/data/z", 11, O_WRONLY | O_CREAT, 4);
		finish(&c);
		CHECK_EQUAL(case_of(&c, 9, 1)->verdict, deleted ? ANNOTATE_NEVER_REACHED : ANNOTATE_NOT_COVERED);
		CHECK_EQUAL(case_of(&c, 11, 1)->verdict, ANNOTATE_NOT_COVERED); // after its end
		CHECK_EQUAL(case_of(&c, 11, 1)->volume, 0);
		case_end(&c);
	}
}

// What came while recording was interrupted is unknown: a file that was made then may be there, and one that had the number before may be gone.
static void interrupted(void)
{
	struct disk_case c = begin();
	const struct timeline_span gap = {case_host(A + 20000), case_host(A + 25000)};
	c.volume.breaks = &gap;
	c.volume.break_count = 1;
	events_open(&c.s, A + 10000, 100, FILE_9, 9, O_WRONLY | O_CREAT, 3);
	events_open(&c.s, A + 30000, 100, "/data/n", 20, O_WRONLY | O_CREAT, 4);
	events_open(&c.s, A + 40000, 100, "/data/o", 21, O_WRONLY | O_CREAT, 5);
	case_state(&c, 20, 0, 0, A - 800000, A - 800000, 1);
	finish(&c);
	CHECK_EQUAL(case_of(&c, 9, 1)->verdict, ANNOTATE_NOT_COVERED);
	CHECK_EQUAL(case_of(&c, 21, 1)->verdict, ANNOTATE_NEVER_REACHED); // behind it
	CHECK_EQUAL(case_births(&c).compared, 0);
	case_end(&c);
}

// One number, two files: told apart by the inode's generation where it has no birth time, and by that where the generation is the same.
static void two_lives(void)
{
	for (int by_birth = 0; by_birth < 2; by_birth++) {
		struct disk_case c = begin();
		events_open(&c.s, A + 30000, 100, FILE_9, 9, O_WRONLY | O_CREAT, 3);
		struct timeline_state *first = case_state(&c, 9, 0, 0, A - 800000, A - 800000, 1);
		first->generation = 5;
		first->crtime_ns = by_birth ? first->crtime_ns : NANOTIME_NONE;
		struct timeline_state *second = case_state(&c, 9, A + 33000, TIMELINE_APPEARED | TIMELINE_DELETED, A + 30000, A + 30000, 2);
		second->generation = by_birth ? 5 : 6;
		second->crtime_ns = by_birth ? second->crtime_ns : NANOTIME_NONE;
		finish(&c);
		const struct annotate_answer *x = case_of(&c, 9, 1);
		CHECK_EQUAL(x->verdict, ANNOTATE_SHOWN);
		CHECK_EQUAL(x->generation, by_birth ? 5 : 6);
		CHECK_EQUAL(x->states.count, 1);
		CHECK(x->states.count == 1 && x->states.items[0].disk.size_bytes == 2);
		CHECK_EQUAL(case_births(&c).matched, 1);
		case_end(&c);
	}
}

// Two disks with one number on two hosts, and two recordings of one disk, one after the other.
static void several_disks(void)
{
	struct disk_case c = begin();
	events_open(&c.s, A, 100, FILE_9, 9, O_RDONLY, 3);
	events_open(&c.s, A + 90000, 100, "/data/y", 10, O_RDONLY, 3);
	finish(&c);
	struct error err = {""};
	struct annotate_volume v[4] = {c.volume, c.volume, c.volume, c.volume};
	v[0].host = 77;
	v[1].to_ns = case_host(A + 50000);
	v[2].from_ns = case_host(A + 50001);
	v[3].dev = EVENTS_DEV + 1;
	struct annotation *a = annotation_new(c.s.g, v, 4, &err);
	const struct file *f = script_file(&c.s, 9, 1), *later = script_file(&c.s, 10, 1);
	CHECK_EQUAL(annotation_of(a, (uint32_t)(f - c.s.g->files.items))->volume, 1);
	CHECK_EQUAL(annotation_of(a, (uint32_t)(later - c.s.g->files.items))->volume, 2);
	CHECK_EQUAL(annotation_of(a, (uint32_t)(later - c.s.g->files.items))->verdict, ANNOTATE_NOT_ASKED);
	CHECK_STRING(annotation_volume(a, 2)->name, "disk.history");
	annotation_free(a);
	a = annotation_new(c.s.g, v + 3, 1, &err);
	CHECK_EQUAL(annotation_of(a, (uint32_t)(f - c.s.g->files.items))->verdict, ANNOTATE_NOT_COVERED);
	CHECK_EQUAL(annotation_of(a, (uint32_t)(f - c.s.g->files.items))->volume, GRAPH_NONE);
	annotation_free(a);
	case_end(&c);
}

int main(void)
{
	written_here();
	never_reached();
	reused();
	quick_successor();
	in_force();
	linked_again();
	kinds_of_states();
	unseen();
	window();
	pending();
	wrong_disk();
	every_kind_of_birth();
	ends_too_soon();
	interrupted();
	two_lives();
	several_disks();
	return unit_end();
}
