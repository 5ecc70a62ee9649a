// SPDX-License-Identifier: MIT
// Audit text for tests: lines as the kernel writes them (recorded shapes), with times, serials and ids of the test's choice.
#ifndef TESTS_UNIT_AUDIT_LINES_H
#define TESTS_UNIT_AUDIT_LINES_H

#include "base/buffer.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_START_MS UINT64_C(1795263700000)
#define LINES_NS(ms) ((ms) * UINT64_C(1000000))

struct lines {
	struct buffer text;
	const char *node; // NULL: no node=
};

static inline void lines_head(struct lines *l, const char *type, uint64_t ms, unsigned serial)
{
	if (l->node)
		buffer_printf(&l->text, "node=%s ", l->node);
	buffer_printf(&l->text, "type=%s msg=audit(%" PRIu64 ".%03u:%u): ", type, ms / 1000, (unsigned)(ms % 1000), serial);
}

static inline void lines_syscall(struct lines *l, uint64_t ms, unsigned serial, unsigned number, long result, unsigned items, unsigned pid)
{
	lines_head(l, "SYSCALL", ms, serial);
	buffer_printf(&l->text,
		      "arch=c000003e syscall=%u success=%s exit=%ld a0=3 a1=7ffca2b81a40 a2=10 a3=0 items=%u ppid=1 pid=%u auid=1000 uid=1000 "
		      "gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=(none) ses=3 comm=\"tool\" "
		      "exe=\"/usr/bin/tool\" key=\"provgraph\"\n",
		      number, result < 0 ? "no" : "yes", result, items, pid);
}

static inline void lines_title(struct lines *l, uint64_t ms, unsigned serial)
{
	lines_head(l, "PROCTITLE", ms, serial);
	buffer_add_string(&l->text, "proctitle=746F6F6C002D78\n");
}

static inline void lines_path(struct lines *l, uint64_t ms, unsigned serial, const char *name, uint64_t inode)
{
	lines_head(l, "PATH", ms, serial);
	buffer_printf(&l->text,
		      "item=0 name=\"%s\" inode=%" PRIu64 " dev=fd:01 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 "
		      "cap_fe=0 cap_fver=0 cap_frootid=0\n",
		      name, inode);
}

// openat(2): 4 lines.
static inline void lines_open(struct lines *l, uint64_t ms, unsigned serial, unsigned pid, const char *name, uint64_t inode)
{
	lines_syscall(l, ms, serial, 257, 3, 1, pid);
	lines_head(l, "CWD", ms, serial);
	buffer_add_string(&l->text, "cwd=\"/home/alice\"\n");
	lines_path(l, ms, serial, name, inode);
	lines_title(l, ms, serial);
}

// connect(2) with the sockaddr's hex: 3 lines.
static inline void lines_connect(struct lines *l, uint64_t ms, unsigned serial, unsigned pid, const char *saddr)
{
	lines_syscall(l, ms, serial, 42, 0, 0, pid);
	lines_head(l, "SOCKADDR", ms, serial);
	buffer_printf(&l->text, "saddr=%s\n", saddr);
	lines_title(l, ms, serial);
}

// fork(2): 2 lines.
static inline void lines_fork(struct lines *l, uint64_t ms, unsigned serial, unsigned pid, unsigned child)
{
	lines_syscall(l, ms, serial, 57, (long)child, 0, pid);
	lines_title(l, ms, serial);
}

// sshd's claim about who came from where.
static inline void lines_login(struct lines *l, uint64_t ms, unsigned serial, unsigned pid, const char *address)
{
	lines_head(l, "USER_LOGIN", ms, serial);
	buffer_printf(&l->text,
		      "pid=%u uid=0 auid=1000 ses=3 msg='op=login id=1000 exe=\"/usr/sbin/sshd\" hostname=%s addr=%s terminal=ssh res=success'\n", pid,
		      address, address);
}

// A folder of the test's own; removed by folder_remove().
struct folder { char path[64]; };

static inline struct folder folder_make(void)
{
	struct folder f = { "/tmp/provgraph-test-XXXXXX" };

	if (!mkdtemp(f.path))
		abort();
	return f;
}

static inline const char *folder_file(const struct folder *f, const char *name)
{
	static char paths[8][160];
	static unsigned turn;
	char *path = paths[turn++ % 8];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", f->path, name);
	return path;
}

static inline const char *folder_write(const struct folder *f, const char *name, const void *bytes, size_t length)
{
	const char *path = folder_file(f, name);
	FILE *file = fopen(path, "we");

	if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
		abort();
	return path;
}

static inline void folder_remove(const struct folder *f)
{
	DIR *folder = opendir(f->path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
	}
	if (folder)
		(void)closedir(folder);
	(void)rmdir(f->path);
}

#endif
