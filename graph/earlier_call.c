// SPDX-License-Identifier: MIT
// What one system call did to one inode, as far as following a file back is concerned.
#include "graph/graph.h"

#include <fcntl.h>
#include <string.h>

static bool has(const struct event *e, uint32_t fields)
{
	return (e->present & fields) == fields;
}

#define FLAG_TMPFILE 020000000u /* __O_TMPFILE, asm-generic/fcntl.h: the record holds the folder's name with the new file's inode */

// Flags of an open as the record has them; where they are unknown it may well write.
static uint64_t open_flags(const struct event *e, const struct intern *strings)
{
	const char *name = intern_string(strings, e->syscall_name);

	if (has(e, EVENT_HAS_OPEN_HOW))
		return e->open_flags;
	if (strcmp(name, "creat") == 0 || !has(e, EVENT_HAS_ARGS) || strcmp(name, "openat2") == 0 || e->op == OP_IO_URING)
		return O_WRONLY;
	return e->args[strcmp(name, "open") == 0 ? 1 : 2];
}

static enum earlier_call open_call(const struct event *e, const struct intern *strings)
{
	uint64_t flags = open_flags(e, strings);

	if (flags & FLAG_TMPFILE)
		return EARLIER_MAKES;
	return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) ? EARLIER_WRITES : EARLIER_OTHER;
}

static bool makes_inodes(enum syscall_op op)
{
	return op == OP_OPEN || op == OP_MKDIR || op == OP_MKNOD || op == OP_SYMLINK || op == OP_BIND;
}

enum earlier_call earlier_call_of(const struct event *event, const struct intern *strings, uint32_t dev, uint64_t inode)
{
	bool created = false, deleted = false, named = false;

	if (has(event, EVENT_HAS_SUCCESS) && !event->success)
		return EARLIER_OTHER;
	for (size_t i = 0; i < event->path_count; i++) {
		const struct event_path *p = &event->paths[i];

		if (!p->has_inode || p->dev != dev || p->inode != inode || p->nametype == NAMETYPE_PARENT)
			continue;
		named = true;
		created |= p->nametype == NAMETYPE_CREATE;
		deleted |= p->nametype == NAMETYPE_DELETE;
	}
	if (!named)
		return EARLIER_OTHER;
	if (created && event->op == OP_LINK)
		return EARLIER_LINKS;
	if (created)
		return makes_inodes(event->op) || event->op == OP_IO_URING ? EARLIER_MAKES : EARLIER_WRITES; // rename: it was there before
	if (deleted)
		return EARLIER_GONE;
	if (event->op == OP_OPEN || event->op == OP_IO_URING)
		return open_call(event, strings);
	return event->op == OP_TRUNCATE || event->op == OP_WRITE ? EARLIER_WRITES : EARLIER_OTHER;
}

bool earlier_forks(const struct event *event, uint32_t pid)
{
	return event->op == OP_FORK && event->success && event->exit == (int64_t)pid;
}
