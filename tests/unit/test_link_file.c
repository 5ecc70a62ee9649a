// SPDX-License-Identifier: MIT
// Files: generations of inodes, versions of content, names over time, and for how long an open counts.
#include "tests/unit/events.h"

#include <string.h>
#include <sys/sysmacros.h>

#define MS NANOTIME_MILLISECOND
#define TMPFILE_FLAG 020200000
#define PATH_FLAG 010000000

static const char *name_of(const struct script *s, uint64_t inode, uint32_t generation, uint64_t ms)
{
	const struct file *f = script_file(s, inode, generation);
	return f ? intern_string(s->strings, file_name_at(f, ms == NANOTIME_NONE ? ms : ms * MS)) : "(no file)";
}

// An inode number returns within milliseconds: the dropped tool is not the download before it.
static void test_generations(void)
{
	struct script s = script_begin();
	events_open(&s, 8, 100, "/tmp/dl6 50", 7, O_WRONLY | O_CREAT, 3);
	events_exit(&s, 10, 100);
	events_delete(&s, 12, 101, "/tmp/dl6 50", 7);
	events_open(&s, 12, 102, "/tmp/tool é.sh", 7, O_WRONLY | O_CREAT, 3);
	events_exec(&s, 20, 103, "/tmp/tool é.sh", 7);
	script_end(&s);
	CHECK_EQUAL(s.g->files.count, 2);
	CHECK(script_edge(&s, FLOW_DELETE, "101", "file:7/1"));
	CHECK(script_edge(&s, FLOW_EXECUTE, "file:7/2", "103"));
	CHECK(script_reaches(&s, "102", "103") && !script_reaches(&s, "100", "103"));
	CHECK_STRING(name_of(&s, 7, 1, NANOTIME_NONE), "/tmp/dl6 50");
	CHECK_STRING(name_of(&s, 7, 2, NANOTIME_NONE), "/tmp/tool é.sh");
	CHECK_EQUAL(script_file(&s, 7, 1)->deleted_ns, 12 * MS);
	script_release(&s);
}

// unlink frees the number before its record is written: the DELETE comes after the CREATE that took it.
static void test_delete_after_reuse(void)
{
	struct script s = script_begin();
	events_open(&s, 8, 100, "/tmp/old", 7, O_WRONLY | O_CREAT, 3);
	events_open(&s, 12, 101, "/tmp/new", 7, O_WRONLY | O_CREAT, 3);
	events_delete(&s, 12, 100, "/tmp/old", 7);
	events_exec(&s, 20, 103, "/tmp/new", 7);
	script_end(&s);
	CHECK(script_edge(&s, FLOW_DELETE, "100", "file:7/1") && !script_edge(&s, FLOW_DELETE, "100", "file:7/2"));
	CHECK_EQUAL(script_file(&s, 7, 2)->deleted_ns, NANOTIME_NONE);
	CHECK(script_edge(&s, FLOW_EXECUTE, "file:7/2", "103"));
	script_release(&s);
}

// Somebody opened it before its creator's record was written: one file, and it was created.
static void test_create_reported_late(void)
{
	struct script s = script_begin();
	events_open(&s, 12, 101, "/tmp/x", 7, O_RDONLY, 3);
	events_open(&s, 8, 100, "/tmp/x", 7, O_WRONLY | O_CREAT, 3);
	script_end(&s);
	CHECK_EQUAL(s.g->files.count, 1);
	CHECK(script_file(&s, 7, 1)->created_seen);
	CHECK(script_reaches(&s, "100", "101"));
	script_release(&s);
}

// An open is a licence until the segment ends, not a read at its moment.
static void test_open_lasts(void)
{
	struct script s = script_begin();
	events_open(&s, 8, 100, "/tmp/x", 7, O_WRONLY | O_CREAT | O_CLOEXEC, 3);
	events_open(&s, 12, 101, "/tmp/x", 7, O_RDONLY | O_CLOEXEC, 3);
	events_open(&s, 20, 100, "/etc/secret", 8, O_RDONLY | O_CLOEXEC, 4); // read after the other has opened
	events_exit(&s, 40, 101);
	script_end(&s);
	CHECK(script_reaches(&s, "file:8", "101"));
	CHECK_EQUAL(script_edge(&s, FLOW_OPEN_READ, "file:7", "101")->end_ns, 40 * MS);
	CHECK_EQUAL(script_edge(&s, FLOW_OPEN_WRITE, "100", "file:7")->end_ns, NANOTIME_NONE);
	script_release(&s);
}

static void test_close_ends_an_open(void)
{
	struct script s = script_begin();
	events_open(&s, 8, 100, "/tmp/x", 7, O_WRONLY | O_CREAT, 3);
	struct event e = events_call(&s, "close", OP_CLOSE, 12, 100);
	e.args[0] = 3;
	events_add(&s, e);
	events_open(&s, 20, 100, "/etc/secret", 8, O_RDONLY, 3);
	events_open(&s, 24, 101, "/tmp/x", 7, O_RDONLY, 3);
	script_end(&s);
	CHECK_EQUAL(script_edge(&s, FLOW_OPEN_WRITE, "100", "file:7")->end_ns, 12 * MS);
	CHECK(script_reaches(&s, "100", "101") && !script_reaches(&s, "file:8", "101"));
	script_release(&s);
}

// dup holds the file open after the first descriptor is closed.
static void test_dup_holds(void)
{
	struct script s = script_begin();
	events_open(&s, 8, 100, "/tmp/x", 7, O_WRONLY | O_CREAT, 3);
	struct event e = events_call(&s, "dup2", OP_DUP, 9, 100);
	e.args[0] = 3, e.exit = 1;
	events_add(&s, e);
	e = events_call(&s, "close", OP_CLOSE, 12, 100);
	e.args[0] = 3;
	events_add(&s, e);
	script_end(&s);
	CHECK_EQUAL(script_edge(&s, FLOW_OPEN_WRITE, "100", "file:7")->end_ns, NANOTIME_NONE);
	script_release(&s);
}

// Truncation cuts; who has the file open while it is cut has the new version open as well.
static void test_versions(void)
{
	struct script s = script_begin();
	events_open(&s, 4, 100, "/var/log/auth.log", 7, O_WRONLY, 3); // the logger, all the time
	events_open(&s, 8, 101, "/var/log/auth.log", 7, O_WRONLY, 3);
	events_exit(&s, 9, 101);
	events_open(&s, 20, 102, "/var/log/auth.log", 7, O_WRONLY | O_TRUNC, 3);
	events_open(&s, 24, 103, "/var/log/auth.log", 7, O_RDONLY, 3);
	script_end(&s);
	CHECK_EQUAL(script_file(&s, 7, 1)->versions.count, 2);
	CHECK(script_edge(&s, FLOW_TRUNCATE, "102", "file:7#1"));
	CHECK(!script_reaches(&s, "101", "103"));
	CHECK(script_reaches(&s, "100", "103") && script_reaches(&s, "102", "103"));
	CHECK_EQUAL(script_edge(&s, FLOW_OPEN_WRITE, "100", "file:7#0")->end_ns, 20 * MS);
	CHECK_EQUAL(script_edge(&s, FLOW_OPEN_WRITE, "100", "file:7#1")->start_ns, 20 * MS);
	script_release(&s);
}

// truncate to a length keeps what lies before it.
static void test_truncate_to_length(void)
{
	struct script s = script_begin();
	events_open(&s, 8, 100, "/tmp/x", 7, O_WRONLY | O_CREAT, 3);
	events_exit(&s, 9, 100);
	struct event_path path = events_path(&s, "/tmp/x", 7, NAMETYPE_NORMAL);
	struct event e = events_call(&s, "truncate", OP_TRUNCATE, 12, 101);
	e.args[1] = 100;
	e.paths = &path, e.path_count = 1;
	events_add(&s, e);
	events_open(&s, 16, 102, "/tmp/x", 7, O_RDONLY, 3);
	e = events_call(&s, "truncate", OP_TRUNCATE, 20, 101);
	e.args[1] = 0;
	e.paths = &path, e.path_count = 1;
	events_add(&s, e);
	events_open(&s, 24, 103, "/tmp/x", 7, O_RDONLY, 3);
	script_end(&s);
	CHECK(script_reaches(&s, "100", "102") && !script_reaches(&s, "100", "103"));
	CHECK_EQUAL(script_count(&s, FLOW_TRUNCATE, "101", "file:7"), 2);
	script_release(&s);
}

// A log that is emptied 3,000 times does not get 3,000 versions.
static void test_versions_are_bounded(void)
{
	struct script s = script_begin();
	events_open(&s, 1, 100, "/tmp/x", 7, O_RDONLY, 3);
	for (uint32_t i = 0; i < 3000; i++)
		events_open(&s, 8 + i, 1000 + i, "/tmp/x", 7, O_WRONLY | O_TRUNC, 3);
	script_end(&s);
	CHECK(script_file(&s, 7, 1)->versions.count <= 64);
	CHECK(s.g->edges.count < 20 * 3000);
	CHECK(script_reaches(&s, "3999", "100"));
	script_release(&s);
}

static void rename_paths(struct script *s, uint64_t ms, uint32_t pid, const char *old, const char *new, uint64_t inode, uint64_t victim)
{
	struct event_path p[] = {
		events_path(s, "/data/", 2, NAMETYPE_PARENT), events_path(s, "/data/", 2, NAMETYPE_PARENT), events_path(s, old, inode, NAMETYPE_DELETE),
		events_path(s, new, victim, NAMETYPE_DELETE), events_path(s, new, inode, NAMETYPE_CREATE),
	};
	if (!victim)
		p[3] = p[4];
	events_paths(s, "rename", OP_RENAME, ms, pid, p, victim ? 5 : 4);
}

// The name goes on with the new inode, the file with the new name; the victim is gone for whoever opens the name afterwards.
static void test_rename_over(void)
{
	struct script s = script_begin();
	events_open(&s, 4, 99, "/data/config", 7, O_WRONLY | O_CREAT, 3);
	events_open(&s, 8, 100, "/data/config.new", 8, O_WRONLY | O_CREAT, 3);
	rename_paths(&s, 12, 101, "config.new", "config", 8, 7);
	events_open(&s, 16, 102, "config", 8, O_RDONLY, 3);
	script_end(&s);
	CHECK_EQUAL(s.g->files.count, 2);
	CHECK(script_edge(&s, FLOW_RENAME, "101", "file:8") && script_edge(&s, FLOW_DELETE, "101", "file:7"));
	CHECK(script_reaches(&s, "100", "102") && !script_reaches(&s, "99", "102"));
	CHECK_STRING(name_of(&s, 8, 1, 10), "/data/config.new");
	CHECK_STRING(name_of(&s, 8, 1, NANOTIME_NONE), "/data/config");
	CHECK_STRING(name_of(&s, 7, 1, NANOTIME_NONE), "/data/config");
	CHECK_EQUAL(script_file(&s, 7, 1)->deleted_ns, 12 * MS);
	CHECK_EQUAL(script_file(&s, 8, 1)->deleted_ns, NANOTIME_NONE);
	CHECK_EQUAL(script_file(&s, 8, 1)->generation, 1);
	script_release(&s);
}

// A hard link is a further name: the file lives until the last one goes.
static void test_hard_links(void)
{
	struct script s = script_begin();
	events_open(&s, 4, 100, "/data/a", 7, O_WRONLY | O_CREAT, 3);
	struct event_path p[] = {events_path(&s, "/data/", 2, NAMETYPE_PARENT), events_path(&s, "/data/a", 7, NAMETYPE_NORMAL), events_path(&s, "/data/b", 7, NAMETYPE_CREATE)};
	events_paths(&s, "link", OP_LINK, 8, 100, p, 3);
	events_delete(&s, 12, 100, "/data/a", 7);
	events_open(&s, 16, 101, "/data/b", 7, O_RDONLY, 3);
	events_delete(&s, 20, 100, "/data/b", 7);
	script_end(&s);
	CHECK_EQUAL(s.g->files.count, 1);
	CHECK(script_edge(&s, FLOW_LINK, "100", "file:7"));
	CHECK_STRING(name_of(&s, 7, 1, 14), "/data/b");
	CHECK_EQUAL(script_file(&s, 7, 1)->deleted_ns, 20 * MS);
	script_release(&s);
}

static void test_unnamed_file(void)
{
	struct script s = script_begin();
	events_open(&s, 4, 100, "/tmp", 7, O_RDWR | TMPFILE_FLAG, 3);
	struct event_path p[] = {events_path(&s, "/data/", 2, NAMETYPE_PARENT), events_path(&s, "/proc/self/fd/3", 7, NAMETYPE_NORMAL), events_path(&s, "/data/named", 7, NAMETYPE_CREATE)};
	events_open(&s, 6, 101, "/tmp/other", 9, O_RDONLY, 3);
	events_paths(&s, "linkat", OP_LINK, 8, 100, p, 3);
	events_exec(&s, 12, 102, "/data/named", 7);
	script_end(&s);
	CHECK_EQUAL(script_file(&s, 7, 1)->kind, FILE_REGULAR);
	CHECK_STRING(name_of(&s, 7, 1, 6), "(unnamed in /tmp)");
	CHECK_STRING(name_of(&s, 7, 1, NANOTIME_NONE), "/data/named");
	CHECK(script_reaches(&s, "100", "102"));
	script_release(&s);
}

// A symlink's name with the target's inode: the target is what runs, the link is a cause.
static void test_symlinks(void)
{
	struct script s = script_begin();
	struct event_path p[] = {events_path(&s, "/data/", 2, NAMETYPE_PARENT), events_path(&s, "/usr/bin/python3", 0, NAMETYPE_UNKNOWN), events_path(&s, "/data/update", 7, NAMETYPE_CREATE)};
	p[2].mode = S_IFLNK | 0777;
	events_paths(&s, "symlink", OP_SYMLINK, 8, 100, p, 3);
	events_who(&s, 101, 1, "/usr/bin/python3");
	struct event e = events_call(&s, "execve", OP_EXEC, 12, 101);
	struct event_path exec = events_path(&s, "./update", 9, NAMETYPE_NORMAL);
	e.paths = &exec, e.path_count = 1;
	events_add(&s, e);
	events_open(&s, 16, 102, "/data/update", 9, O_RDONLY, 3);
	events_delete(&s, 20, 100, "/data/update", 7);
	events_open(&s, 24, 103, "/data/update", 11, O_RDONLY, 3); // another file of that name
	script_end(&s);
	CHECK_EQUAL(script_file(&s, 7, 1)->kind, FILE_SYMLINK);
	CHECK_STRING(intern_string(s.strings, script_file(&s, 7, 1)->symlink_target), "/usr/bin/python3");
	CHECK(script_edge(&s, FLOW_EXECUTE, "file:9", "101") && script_edge(&s, FLOW_SYMLINK, "file:7", "101"));
	CHECK(script_edge(&s, FLOW_SYMLINK, "file:7", "102") && !script_edge(&s, FLOW_SYMLINK, "file:7", "103"));
	CHECK_STRING(name_of(&s, 9, 1, NANOTIME_NONE), "/usr/bin/python3"); // the kernel's own path, not the link's
	script_release(&s);
}

static struct event_path named(struct script *s, const char *name, uint64_t inode, enum path_nametype nametype, uint32_t mode)
{
	struct event_path p = events_path(s, name, inode, nametype);
	p.mode = mode;
	return p;
}

static void open_at(struct script *s, uint64_t ms, uint32_t pid, int dirfd, struct event_path path, uint64_t flags, int fd)
{
	struct event e = events_call(s, "openat", OP_OPEN, ms, pid);
	e.args[0] = (uint64_t)(int64_t)dirfd;
	e.args[2] = flags;
	e.exit = fd;
	e.paths = &path, e.path_count = 1;
	events_add(s, e);
}

// cwd does not say where openat(dirfd) is; the folder's descriptor does, or the inode of PARENT.
static void test_names_at_descriptors(void)
{
	struct script s = script_begin();
	open_at(&s, 4, 100, AT_FDCWD, named(&s, "../srv/./data", 20, NAMETYPE_NORMAL, S_IFDIR | 0755), O_RDONLY | O_DIRECTORY, 5);
	open_at(&s, 8, 100, 5, named(&s, "inside", 21, NAMETYPE_NORMAL, S_IFREG | 0644), O_RDONLY, 6);
	open_at(&s, 8, 100, 9, named(&s, "nowhere", 22, NAMETYPE_NORMAL, S_IFREG | 0644), O_RDONLY, 7);
	struct event_path p[] = {named(&s, "/data", 20, NAMETYPE_PARENT, S_IFDIR | 0755), named(&s, "made", 23, NAMETYPE_CREATE, S_IFREG | 0644)};
	struct event e = events_call(&s, "openat", OP_OPEN, 12, 200); // another process, whose descriptor nobody knows
	e.args[0] = 9, e.args[2] = O_WRONLY | O_CREAT, e.exit = 3;
	e.paths = p, e.path_count = 2;
	events_add(&s, e);
	script_end(&s);
	CHECK_STRING(name_of(&s, 20, 1, NANOTIME_NONE), "/srv/data");
	CHECK_STRING(name_of(&s, 21, 1, NANOTIME_NONE), "/srv/data/inside");
	CHECK_STRING(name_of(&s, 22, 1, NANOTIME_NONE), "nowhere");
	CHECK(!script_file(&s, 22, 1)->names.items[0].absolute && script_file(&s, 21, 1)->names.items[0].absolute);
	CHECK_STRING(name_of(&s, 23, 1, NANOTIME_NONE), "/srv/data/made");
	script_release(&s);
}

// ".." behind a part that was given could step out of a link: it stays. Behind cwd, which the kernel gave, it does not.
static void test_dots(void)
{
	static const struct { const char *cwd, *given, *want; } cases[] = {
		{"/data/here", "../x", "/data/x"}, {"/data", "../../../x", "/x"}, {"/data", "./a/./b//c", "/data/a/b/c"},
		{"/data", "link/../x", "/data/link/../x"}, {"/data", "/abs//./x", "/abs/x"}, {"/data", "/abs/../x", "/abs/../x"},
		{"/", "x", "/x"}, {"/data", "/", "/"}, {"/data", "..", "/"}, {"/data", ".hidden/..x", "/data/.hidden/..x"}, {"/data", "/a/.b", "/a/.b"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct script s = script_begin();
		s.cwd = cases[i].cwd;
		events_open(&s, 8, 100, cases[i].given, 7, O_RDONLY, 3);
		script_end(&s);
		CHECK_STRING(name_of(&s, 7, 1, NANOTIME_NONE), cases[i].want);
		script_release(&s);
	}
}

// Names are bytes: a NUL, 8,000 bytes, an empty one.
static void test_hostile_names(void)
{
	struct script s = script_begin();
	char *long_name = malloc(20000);
	memset(long_name, 'a', 19999);
	long_name[19999] = '\0';
	events_open(&s, 8, 100, long_name, 7, O_RDONLY, 3);
	events_open(&s, 8, 100, "", 8, O_RDONLY, 4);
	events_open(&s, 8, 100, "\n\x1b[31m\xff/../..", 9, O_RDONLY, 5);
	struct event e = events_call(&s, "openat", OP_OPEN, 12, 100);
	struct event_path p = events_path(&s, "x", 10, NAMETYPE_NORMAL);
	p.name = intern_add(s.strings, "/a\0b/../c", 9);
	e.paths = &p, e.path_count = 1;
	events_add(&s, e);
	script_end(&s);
	CHECK_EQUAL(s.g->files.count, 4);
	CHECK_EQUAL(script_file(&s, 8, 1)->names.count, 0);
	CHECK_EQUAL(intern_length(s.strings, file_name_at(script_file(&s, 10, 1), NANOTIME_NONE)), 9);
	free(long_name);
	script_release(&s);
}

static void test_sinks_and_channels(void)
{
	struct script s = script_begin();
	static const struct { const char *name; uint32_t mode, major, minor, dev; bool sink; } files[] = {
		{"/dev/null", S_IFCHR, 1, 3, 5, true}, {"/dev/urandom", S_IFCHR, 1, 9, 5, true}, {"/dev/tty", S_IFCHR, 5, 0, 5, true},
		{"/dev/pts/0", S_IFCHR, 136, 0, 23, false}, {"/dev/shm/x", S_IFREG, 0, 0, 24, false}, {"/tmp/fifo", S_IFIFO, 0, 0, EVENTS_DEV, false},
		{"/proc/self/status", S_IFREG, 0, 0, 21, true}, {"/sys/kernel/x", S_IFREG, 0, 0, 22, true}, {"/proc/sys/kernel/core_pattern", S_IFREG, 0, 0, 21, false},
		{"/proc/fake", S_IFREG, 0, 0, EVENTS_DEV, false}, // a folder on a disk that is called so
	};
	for (uint32_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		for (uint32_t k = 0; k < 2; k++) {
			struct event_path p = named(&s, files[i].name, 50 + i, NAMETYPE_NORMAL, files[i].mode | 0666);
			p.dev = files[i].dev;
			p.rdev = files[i].major << 20 | files[i].minor;
			open_at(&s, 8 + 4 * k, 100 + 2 * i + k, AT_FDCWD, p, k ? O_RDONLY : O_WRONLY, 3);
		}
	script_end(&s);
	for (uint32_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char writer[16], reader[16];
		snprintf(writer, sizeof(writer), "%u", 100 + 2 * i);
		snprintf(reader, sizeof(reader), "%u", 101 + 2 * i);
		CHECK_EQUAL(script_file(&s, 50 + i, 1)->sink, files[i].sink);
		CHECK_EQUAL(script_reaches(&s, writer, reader), !files[i].sink);
	}
	script_release(&s);
}

static void test_open_flags(void)
{
	struct script s = script_begin();
	struct event_path p = events_path(&s, "/tmp/x", 7, NAMETYPE_NORMAL);
	struct event e = events_call(&s, "open", OP_OPEN, 8, 100);
	e.args[1] = O_WRONLY, e.args[2] = O_RDWR, e.exit = 3; // flags are a1 of open
	e.paths = &p, e.path_count = 1;
	events_add(&s, e);
	e = events_call(&s, "creat", OP_OPEN, 8, 101);
	e.args[1] = 0644, e.exit = 3;
	e.paths = &p, e.path_count = 1;
	events_add(&s, e);
	e = events_call(&s, "openat2", OP_OPEN, 8, 102);
	e.args[2] = O_RDWR, e.open_flags = O_RDONLY, e.present |= EVENT_HAS_OPEN_HOW, e.exit = 3;
	e.paths = &p, e.path_count = 1;
	events_add(&s, e);
	events_open(&s, 8, 103, "/tmp/x", 7, PATH_FLAG, 3);
	e = events_call(&s, "openat2", OP_OPEN, 8, 104); // the record with its flags is lost
	e.exit = 3;
	e.paths = &p, e.path_count = 1;
	events_add(&s, e);
	script_end(&s);
	CHECK(script_edge(&s, FLOW_OPEN_WRITE, "100", "file:7") && !script_edge(&s, FLOW_OPEN_READ, "file:7", "100"));
	CHECK(script_edge(&s, FLOW_OPEN_WRITE, "101", "file:7") && script_edge(&s, FLOW_TRUNCATE, "101", "file:7#1"));
	CHECK(script_edge(&s, FLOW_OPEN_READ, "file:7", "102") && !script_edge(&s, FLOW_OPEN_WRITE, "102", "file:7"));
	CHECK(!script_edge(&s, FLOW_OPEN_READ, "file:7", "103"));
	CHECK_EQUAL(script_edge(&s, FLOW_OPEN_WRITE, "104", "file:7")->class, CLASS_UNCERTAIN);
	script_release(&s);
}

// 10,000 opens of one file are one edge, with the first 20 events; interleaved reads and writes under opens are too.
static void test_merging(void)
{
	struct script s = script_begin();
	for (uint32_t i = 0; i < 10000; i++)
		events_open(&s, 8 + i, 100, "/tmp/x", 7, O_RDONLY, 3);
	events_open(&s, 8, 101, "/tmp/in", 8, O_RDONLY, 3);
	events_open(&s, 8, 101, "/tmp/out", 9, O_WRONLY, 4);
	for (uint32_t i = 0; i < 1000; i++) {
		struct event e = events_call(&s, "read", OP_READ, 12 + i, 101);
		e.args[0] = 3;
		events_add(&s, e);
		e = events_call(&s, "write", OP_WRITE, 12 + i, 101);
		e.args[0] = 4;
		events_add(&s, e);
	}
	script_end(&s);
	const struct flow_edge *e = script_edge(&s, FLOW_OPEN_READ, "file:7", "100");
	CHECK_EQUAL(script_count(&s, FLOW_OPEN_READ, "file:7", "100"), 1);
	CHECK_EQUAL(e->count, 10000);
	CHECK_EQUAL(e->evidence_count, 20);
	CHECK_EQUAL(e->last_ns, 10007 * MS);
	for (uint32_t i = 1; i < e->evidence_count; i++)
		CHECK(s.g->evidence.items[e->evidence + i].time_ns == (8 + i) * MS);
	CHECK_EQUAL(script_count(&s, FLOW_READ, "file:8", "101"), 1);
	CHECK_EQUAL(script_edge(&s, FLOW_WRITE, "101", "file:9")->count, 1000);
	script_release(&s);
}

// What must not merge: 100 reads from 5 all the time, and 101 reads x until 70. One interval over both chmods would let what 5 held at 50 reach
// 101 and what it wrote.
static void test_merging_opens_no_way(void)
{
	struct script s = script_begin();
	struct event_path p = events_path(&s, "/tmp/x", 7, NAMETYPE_NORMAL);
	events_open(&s, 4, 100, "/tmp/in", 5, O_RDONLY, 3);
	events_open(&s, 4, 101, "/tmp/x", 7, O_RDONLY, 3);
	events_open(&s, 4, 101, "/tmp/y", 8, O_WRONLY, 4);
	events_paths(&s, "chmod", OP_ATTRIBUTE, 8, 100, &p, 1);
	events_paths(&s, "chmod", OP_ATTRIBUTE, 8, 100, &p, 1); // within a tick: one edge
	events_open(&s, 50, 102, "/tmp/in", 5, O_WRONLY, 3);
	events_exit(&s, 70, 101);
	events_paths(&s, "chmod", OP_ATTRIBUTE, 100, 100, &p, 1);
	script_end(&s);
	CHECK_EQUAL(script_count(&s, FLOW_ATTRIBUTE, "100", "file:7"), 2);
	CHECK_EQUAL(script_edge(&s, FLOW_ATTRIBUTE, "100", "file:7")->count, 2);
	CHECK(script_reaches(&s, "file:5", "file:8") && !script_reaches(&s, "102", "file:8"));
	script_release(&s);
}

// ftruncate's record has no PATH: the descriptor tells which file.
static void test_ftruncate_by_descriptor(void)
{
	struct script s = script_begin();
	events_open(&s, 8, 100, "/var/log/auth.log", 7, O_RDWR, 5);
	struct event e = events_call(&s, "ftruncate", OP_TRUNCATE, 12, 100);
	e.args[0] = 5, e.args[1] = 0;
	events_add(&s, e);
	e.args[0] = 6; // nobody knows it
	events_add(&s, e);
	script_end(&s);
	CHECK_EQUAL(script_count(&s, FLOW_TRUNCATE, "100", "file:7#1"), 1);
	script_release(&s);
}

// A script runs its interpreter; argv begins with it, and exe= is its real path.
static void test_interpreters(void)
{
	struct script s = script_begin();
	events_who(&s, 100, 1, "/usr/bin/dash");
	struct event e = events_call(&s, "execve", OP_EXEC, 8, 100);
	struct event_path p[] = {events_path(&s, "./x.sh", 7, NAMETYPE_NORMAL), events_path(&s, "/bin/sh", 8, NAMETYPE_NORMAL), events_path(&s, "/lib64/ld-linux-x86-64.so.2", 9, NAMETYPE_NORMAL)};
	for (uint32_t i = 0; i < 3; i++)
		p[i].item = i;
	uint32_t argv[] = {script_id(&s, "/bin/sh"), script_id(&s, "./x.sh")};
	e.argv = argv, e.argv_count = e.argc = 2, e.present |= EVENT_HAS_ARGV;
	e.paths = p, e.path_count = 3;
	events_add(&s, e);
	script_end(&s);
	CHECK(script_edge(&s, FLOW_EXECUTE, "file:7", "100") && script_edge(&s, FLOW_INTERPRET, "file:8", "100") && script_edge(&s, FLOW_INTERPRET, "file:9", "100"));
	CHECK_EQUAL(script_count(&s, FLOW_EXECUTE, "file:8", "100"), 0);
	CHECK_STRING(name_of(&s, 7, 1, NANOTIME_NONE), "/data/x.sh");
	CHECK_STRING(name_of(&s, 8, 1, NANOTIME_NONE), "/usr/bin/dash");
	const struct segment *segment = &s.g->segments.items[script_process(&s, 100, 1)->segments.items[0]];
	CHECK_EQUAL(s.g->files.items[segment->program_file].inode, 7);
	script_release(&s);
}

// io_uring's own records: an operation without arguments, names and descriptor.
static void test_io_uring(void)
{
	struct script s = script_begin();
	struct event e = events_call(&s, "uring_openat", OP_IO_URING, 8, 100);
	struct event_path p[] = {events_path(&s, "", 2, NAMETYPE_PARENT), events_path(&s, "", 0, NAMETYPE_CREATE), events_path(&s, "", 7, NAMETYPE_CREATE)};
	e.present &= ~(uint32_t)(EVENT_HAS_ARGS | EVENT_HAS_EXE | EVENT_HAS_COMM | EVENT_HAS_ARCH);
	e.paths = p, e.path_count = 3;
	events_add(&s, e);
	e.syscall_name = script_id(&s, "uring_unlinkat");
	e.serial = ++s.serial;
	p[2].nametype = NAMETYPE_DELETE;
	events_add(&s, e);
	e.syscall_name = script_id(&s, "uring_nop");
	events_add(&s, e);
	script_end(&s);
	CHECK_EQUAL(script_edge(&s, FLOW_CREATE, "100", "file:7")->class, CLASS_OBSERVED);
	CHECK_EQUAL(script_edge(&s, FLOW_OPEN_WRITE, "100", "file:7")->class, CLASS_UNCERTAIN); // its flags are not on record
	CHECK_EQUAL(script_count(&s, FLOW_DELETE, "100", "file:7"), 1);
	script_release(&s);
}

int main(void)
{
	test_io_uring();
	test_generations();
	test_delete_after_reuse();
	test_create_reported_late();
	test_open_lasts();
	test_close_ends_an_open();
	test_dup_holds();
	test_versions();
	test_truncate_to_length();
	test_versions_are_bounded();
	test_rename_over();
	test_hard_links();
	test_unnamed_file();
	test_symlinks();
	test_names_at_descriptors();
	test_dots();
	test_hostile_names();
	test_sinks_and_channels();
	test_open_flags();
	test_merging();
	test_merging_opens_no_way();
	test_ftruncate_by_descriptor();
	test_interpreters();
	return unit_end();
}
