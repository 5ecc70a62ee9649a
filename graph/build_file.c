// SPDX-License-Identifier: MIT
// Files: identity is (host, epoch, dev, inode, generation); names are labels over time. A generation begins when a call that makes
// inodes (open, creat, mkdir, mknod, symlink, bind, memfd_create) shows nametype=CREATE; rename and link show CREATE as well, for
// a name only. Inode numbers return within milliseconds, so a bare inode would link strangers.
#include "graph/build.h"

#include "base/nanotime.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#ifndef O_TMPFILE
#define O_TMPFILE 020200000 /* asm-generic/fcntl.h */
#endif
#define O_TMPFILE_BIT 020000000u /* __O_TMPFILE, asm-generic/fcntl.h */
#define O_PATH_BIT 010000000u    /* O_PATH, asm-generic/fcntl.h */
#define NAME_MAX_BYTES 8192      /* our limit for a resolved name */

static bool has_prefix(const struct graph *g, uint32_t name, const char *prefix)
{
	return strncmp(intern_string(g->strings, name), prefix, strlen(prefix)) == 0;
}

static enum file_kind kind_of(const struct event_path *path)
{
	switch (path->mode & S_IFMT) {
	case S_IFREG: return FILE_REGULAR;
	case S_IFDIR: return FILE_FOLDER;
	case S_IFLNK: return FILE_SYMLINK;
	case S_IFIFO: return FILE_FIFO;
	case S_IFCHR: return FILE_CHARACTER;
	case S_IFBLK: return FILE_BLOCK;
	case S_IFSOCK: return FILE_SOCKET;
	}
	return FILE_UNKNOWN;
}

// Nothing flows from one process to another through these: memory devices (1:*), the controlling terminal and consoles (5:*), and the
// kernel's own pseudo-files. Ptys, FIFOs and /dev/shm are channels.
static bool is_sink(const struct graph *g, const struct event_path *path, uint32_t name)
{
	if ((path->mode & S_IFMT) == S_IFCHR && (path->rdev >> 20 == 1 || path->rdev >> 20 == 5))
		return true;
	return has_prefix(g, name, "/proc/") || has_prefix(g, name, "/sys/");
}

// --- names

// Appends the parts of `path` to `out`, without "//", "/./"; ".." takes one part off.
static size_t add_parts(char *out, size_t length, const char *path, size_t path_length)
{
	for (size_t i = 0; i < path_length;) {
		while (i < path_length && path[i] == '/')
			i++;
		size_t end = i;
		while (end < path_length && path[end] != '/')
			end++;
		size_t part = end - i;
		if (part == 2 && memcmp(path + i, "..", 2) == 0) {
			while (length > 0 && out[--length] != '/')
				;
		} else if (part > 0 && !(part == 1 && path[i] == '.') && length + part + 1 < NAME_MAX_BYTES) {
			out[length++] = '/';
			memcpy(out + length, path + i, part);
			length += part;
		}
		i = end;
	}
	return length;
}

static uint32_t join_names(struct graph *g, uint32_t base, uint32_t name)
{
	char joined[NAME_MAX_BYTES];
	size_t length = 0;
	if (base)
		length = add_parts(joined, 0, intern_string(g->strings, base), intern_length(g->strings, base));
	length = add_parts(joined, length, intern_string(g->strings, name), intern_length(g->strings, name));
	if (length == 0)
		joined[length++] = '/';
	return intern_add(g->strings, joined, length);
}

// Where relative names begin: the folder behind dirfd, else the working folder. 0: the records do not say.
static uint32_t base_folder(struct graph *g, uint32_t process, const struct event *e, int32_t dirfd)
{
	if (dirfd != AT_FDCWD) {
		const struct descriptor *d = builder_descriptor(g, process, dirfd);
		return d && d->kind == DESCRIPTOR_FILE ? file_name_at(&g->files.items[d->file], NANOTIME_NONE) : 0;
	}
	if (e->present & EVENT_HAS_CWD)
		return e->cwd;
	const struct process *p = &g->processes.items[process];
	return g->segments.items[p->segments.items[p->segments.count - 1]].cwd;
}

uint32_t builder_path_name(struct graph *g, uint32_t process, const struct event *e, const struct event_path *path, int32_t dirfd)
{
	if (!path->has_name || !path->name)
		return 0;
	if (intern_string(g->strings, path->name)[0] == '/')
		return join_names(g, 0, path->name);
	uint32_t base = base_folder(g, process, e, dirfd);
	if (base)
		return join_names(g, base, path->name);
	// "relative to fd 7": better an honest label than a wrong one
	char label[NAME_MAX_BYTES];
	int length = snprintf(label, sizeof(label), "(fd %d)/%s", dirfd, intern_string(g->strings, path->name));
	return intern_add(g->strings, label, length < (int)sizeof(label) ? (size_t)length : sizeof(label) - 1);
}

int builder_add_name(struct graph *g, uint32_t file, uint32_t name, uint64_t time_ns)
{
	struct file *f = &g->files.items[file];
	if (!name)
		return 0;
	for (size_t i = f->names.count; i-- > 0;)
		if (f->names.items[i].name == name && f->names.items[i].to_ns == NANOTIME_NONE)
			return 0;
	struct file_name n = {.name = name, .from_ns = time_ns, .to_ns = NANOTIME_NONE,
			      .absolute = intern_string(g->strings, name)[0] == '/'};
	return file_name_vector_append(&f->names, n);
}

// The name is gone; with the last known one the file counts as deleted.
static void end_name(struct graph *g, uint32_t file, uint32_t name, uint64_t time_ns)
{
	struct file *f = &g->files.items[file];
	bool left = false;
	for (size_t i = 0; i < f->names.count; i++) {
		if (f->names.items[i].name == name && f->names.items[i].to_ns == NANOTIME_NONE)
			f->names.items[i].to_ns = time_ns;
		left |= f->names.items[i].to_ns == NANOTIME_NONE;
	}
	if (!left)
		f->deleted_ns = time_ns;
}

// --- identity

static uint64_t inode_key(uint32_t host, uint32_t epoch, uint32_t dev, uint64_t inode)
{
	return table_key((uint64_t)host << 32 | epoch, dev, inode, 2);
}

static int new_generation(struct graph *g, const struct event *e, const struct event_path *path, uint32_t older, uint32_t *ret)
{
	struct graph_builder *b = g->builder;
	struct file f = {
		.host = e->host, .epoch = e->epoch, .dev = path->dev, .inode = path->inode, .kind = (uint8_t)kind_of(path),
		.generation = older == TABLE_NONE ? 1 : g->files.items[older].generation + 1,
		.created_ns = NANOTIME_NONE, .deleted_ns = NANOTIME_NONE,
	};
	uint32_t index = (uint32_t)g->files.count;
	uint32_t node = builder_add_node(g, NODE_FILE, index, 0, 0);
	if (node == GRAPH_NONE || u32_vector_append(&f.versions, node) < 0 || file_vector_append(&g->files, f) < 0 ||
	    file_state_vector_append(&b->file_states, (struct file_state){.older = older == TABLE_NONE ? GRAPH_NONE : older}) < 0 ||
	    table_put(&b->files, inode_key(e->host, e->epoch, path->dev, path->inode), index) < 0)
		return -1;
	if (older != TABLE_NONE) {
		// the number was free, so the old generation ended at the latest now
		if (g->files.items[older].deleted_ns == NANOTIME_NONE)
			g->files.items[older].deleted_ns = e->earliest_ns;
		g->nodes.items[node].start_ns = e->earliest_ns;
	}
	*ret = index;
	return 0;
}

int builder_file(struct graph *g, uint32_t process, const struct event *e, const struct event_path *path, uint32_t name, bool created, uint32_t *ret)
{
	(void)process;
	*ret = GRAPH_NONE;
	if (!path->has_inode)
		return 0;
	uint32_t known = table_get(&g->builder->files, inode_key(e->host, e->epoch, path->dev, path->inode));
	if (known == TABLE_NONE || (created && !g->builder->past)) {
		if (new_generation(g, e, path, known, &known) < 0)
			return -1;
		if (created) {
			struct file *f = &g->files.items[known];
			f->created_seen = true;
			f->created_ns = e->earliest_ns;
			g->nodes.items[f->versions.items[0]].start_ns = e->earliest_ns;
		}
	}
	struct file *f = &g->files.items[known];
	if (f->kind == FILE_UNKNOWN)
		f->kind = (uint8_t)kind_of(path);
	f->sink |= is_sink(g, path, name);
	*ret = known;
	return builder_add_name(g, known, name, e->earliest_ns);
}

int builder_cut(struct graph *g, uint32_t file, uint64_t time_ns)
{
	struct file *f = &g->files.items[file];
	uint32_t last = f->versions.items[f->versions.count - 1];
	uint32_t node = builder_add_node(g, NODE_FILE, file, (uint32_t)f->versions.count, time_ns);
	if (node == GRAPH_NONE || u32_vector_append(&f->versions, node) < 0)
		return -1;
	g->nodes.items[last].end_ns = time_ns;
	g->builder->file_states.items[file].cuts++;
	return 0;
}

// --- open

struct open_call { uint64_t flags; int32_t dirfd; };

static struct open_call open_call_of(const struct graph *g, const struct event *e)
{
	const char *name = intern_string(g->strings, e->syscall_name);
	struct open_call c = {.flags = e->args[2], .dirfd = (int32_t)e->args[0]};
	if (strcmp(name, "open") == 0)
		c = (struct open_call){e->args[1], AT_FDCWD};
	else if (strcmp(name, "creat") == 0)
		c = (struct open_call){O_WRONLY | O_CREAT | O_TRUNC, AT_FDCWD};
	else if (strcmp(name, "open_by_handle_at") == 0)
		c.dirfd = AT_FDCWD;
	if (e->present & EVENT_HAS_OPEN_HOW)
		c.flags = e->open_flags;
	else if (strcmp(name, "openat2") == 0)
		c.flags = O_RDWR; // its flags lie in memory and the record is missing: it may have been either
	return c;
}

// The PATH item that was opened: the last that is not a folder above it.
static const struct event_path *opened_path(const struct event *e)
{
	const struct event_path *found = NULL;
	for (size_t i = 0; i < e->path_count; i++)
		if (e->paths[i].nametype != NAMETYPE_PARENT && e->paths[i].has_inode)
			found = &e->paths[i];
	return found;
}

// An O_TMPFILE has no name of its own: its record carries the folder's.
static uint32_t unnamed_in(struct graph *g, uint32_t folder)
{
	char label[NAME_MAX_BYTES];
	int length = snprintf(label, sizeof(label), "(unnamed in %s)", intern_string(g->strings, folder));
	return intern_add(g->strings, label, length < (int)sizeof(label) ? (size_t)length : sizeof(label) - 1);
}

// /proc/self/fd/N, /dev/fd/N: the name is a way to the descriptor, not a name of the file.
static bool is_descriptor_path(const struct graph *g, uint32_t name)
{
	const char *s = intern_string(g->strings, name);
	return strncmp(s, "/dev/fd/", 8) == 0 || (strncmp(s, "/proc/", 6) == 0 && strstr(s, "/fd/"));
}

static int open_edges(struct graph *g, uint32_t process, uint32_t file, uint64_t flags, bool created, const struct event *e)
{
	uint32_t node = builder_segment_node(g, process), drafts[2] = {GRAPH_NONE, GRAPH_NONE};
	bool survives = !(flags & O_CLOEXEC), writes = (flags & O_ACCMODE) != O_RDONLY;
	if (created && builder_file_edge(g, node, file, FLOW_CREATE, true, false, false, CLASS_OBSERVED, e, NULL) < 0)
		return -1;
	if (!created && (flags & O_TRUNC) && g->files.items[file].kind == FILE_REGULAR &&
	    (builder_cut(g, file, e->earliest_ns) < 0 ||
	     builder_file_edge(g, node, file, FLOW_TRUNCATE, true, false, false, CLASS_OBSERVED, e, NULL) < 0))
		return -1;
	if (writes && builder_file_edge(g, node, file, FLOW_OPEN_WRITE, true, true, survives, CLASS_OBSERVED, e, &drafts[0]) < 0)
		return -1;
	if ((flags & O_ACCMODE) != O_WRONLY &&
	    builder_file_edge(g, node, file, FLOW_OPEN_READ, false, true, survives, CLASS_OBSERVED, e, &drafts[1]) < 0)
		return -1;
	builder_descriptor_set(g, process, (struct descriptor){.fd = (int32_t)e->exit, .kind = DESCRIPTOR_FILE, .cloexec = !survives,
				.file = file, .drafts = {drafts[0], drafts[1]}});
	return 0;
}

int builder_open(struct graph *g, uint32_t process, const struct event *e)
{
	const struct event_path *path = opened_path(e);
	struct open_call call = open_call_of(g, e);
	if (!path)
		return 0;
	bool unnamed = (call.flags & O_TMPFILE_BIT) != 0;
	bool created = path->nametype == NAMETYPE_CREATE || unnamed, memory;
	uint32_t name = builder_path_name(g, process, e, path, call.dirfd), file;
	if (unnamed)
		name = unnamed_in(g, name);
	if (builder_inject_by_path(g, process, name, (call.flags & O_ACCMODE) != O_RDONLY, e, &memory) < 0)
		return -1;
	if (builder_file(g, process, e, path, is_descriptor_path(g, name) ? 0 : name, created, &file) < 0)
		return -1;
	if (file == GRAPH_NONE || memory)
		return 0;
	if (call.flags & O_PATH_BIT) { // carries no data; only a folder to start names from
		builder_descriptor_set(g, process, (struct descriptor){.fd = (int32_t)e->exit, .kind = DESCRIPTOR_FILE,
					.cloexec = true, .file = file, .drafts = {GRAPH_NONE, GRAPH_NONE}});
		return 0;
	}
	if (builder_follow_link(g, builder_segment_node(g, process), e->host, name, file, e) < 0)
		return -1;
	return open_edges(g, process, file, call.flags, created, e);
}

int builder_follow_link(struct graph *g, uint32_t process_node, uint32_t host, uint32_t name, uint32_t file, const struct event *e)
{
	uint32_t link = name ? table_get(&g->builder->symlinks, table_key(host, name, 0, 3)) : TABLE_NONE;
	if (link == TABLE_NONE || link == file || g->files.items[link].deleted_ns < e->earliest_ns)
		return 0;
	return builder_file_edge(g, process_node, link, FLOW_SYMLINK, false, false, false, CLASS_OBSERVED, e, NULL);
}

// --- names that come and go

// openat, fchmodat, renameat2 ...: the names of calls that take a folder's descriptor end so.
static bool is_at_call(const char *name)
{
	size_t length = strlen(name);
	length -= length > 0 && name[length - 1] == '2';
	return length > 2 && name[length - 1] == 't' && name[length - 2] == 'a';
}

// Which descriptor a relative name of item `second` (new name) or the first belongs to.
static int32_t name_dirfd(const struct graph *g, const struct event *e, bool second)
{
	if (!is_at_call(intern_string(g->strings, e->syscall_name)))
		return AT_FDCWD;
	if (e->op == OP_RENAME || e->op == OP_LINK)
		return (int32_t)e->args[second ? 2 : 0];
	return (int32_t)e->args[e->op == OP_SYMLINK ? 1 : 0];
}

static bool created_in_same_event(const struct event *e, const struct event_path *gone)
{
	for (size_t i = 0; i < e->path_count; i++)
		if (e->paths[i].nametype == NAMETYPE_CREATE && e->paths[i].has_inode && e->paths[i].inode == gone->inode &&
		    e->paths[i].dev == gone->dev)
			return true;
	return false;
}

static int remember_symlink(struct graph *g, uint32_t file, uint32_t name, const struct event *e)
{
	struct file *f = &g->files.items[file];
	f->kind = FILE_SYMLINK;
	// symlink("target", "link"): the target is the item without an inode, if the record holds it at all
	for (size_t i = 0; i < e->path_count; i++)
		if (!e->paths[i].has_inode && e->paths[i].has_name)
			f->symlink_target = e->paths[i].name;
	return name ? table_put(&g->builder->symlinks, table_key(e->host, name, 0, 3), file) : 0;
}

static int name_created(struct graph *g, uint32_t process, const struct event *e, const struct event_path *path)
{
	bool new_inode = e->op != OP_RENAME && e->op != OP_LINK;
	uint32_t name = builder_path_name(g, process, e, path, name_dirfd(g, e, true)), file;
	enum flow_op op = e->op == OP_RENAME ? FLOW_RENAME : e->op == OP_LINK ? FLOW_LINK : FLOW_CREATE;
	if (builder_file(g, process, e, path, name, new_inode, &file) < 0)
		return -1;
	if (file == GRAPH_NONE)
		return 0;
	g->files.items[file].deleted_ns = NANOTIME_NONE; // it has a name (again): linkat of an unnamed file, rename
	if (e->op == OP_SYMLINK && remember_symlink(g, file, name, e) < 0)
		return -1;
	if (e->op == OP_RENAME && g->files.items[file].kind == FILE_SYMLINK &&
	    table_put(&g->builder->symlinks, table_key(e->host, name, 0, 3), file) < 0)
		return -1;
	return builder_file_edge(g, builder_segment_node(g, process), file, op, true, false, false, CLASS_OBSERVED, e, NULL);
}

static int name_deleted(struct graph *g, uint32_t process, const struct event *e, const struct event_path *path)
{
	bool moved = created_in_same_event(e, path);
	uint32_t file;
	// rename: the old name is relative to the first descriptor; a victim has the new name
	uint32_t name = builder_path_name(g, process, e, path, name_dirfd(g, e, e->op == OP_RENAME && !moved));
	if (builder_file(g, process, e, path, name, false, &file) < 0)
		return -1;
	if (file == GRAPH_NONE)
		return 0;
	end_name(g, file, name, e->earliest_ns);
	if (moved)
		return 0;
	return builder_file_edge(g, builder_segment_node(g, process), file, FLOW_DELETE, true, false, false, CLASS_OBSERVED, e, NULL);
}

int builder_names(struct graph *g, uint32_t process, const struct event *e)
{
	for (size_t i = 0; i < e->path_count; i++) // first what goes, then what comes: a rename over its victim
		if (e->paths[i].nametype == NAMETYPE_DELETE && name_deleted(g, process, e, &e->paths[i]) < 0)
			return -1;
	for (size_t i = 0; i < e->path_count; i++)
		if (e->paths[i].nametype == NAMETYPE_CREATE && name_created(g, process, e, &e->paths[i]) < 0)
			return -1;
	return 0;
}

// --- the rest

// The file of a call that names a path or, without PATH items, a descriptor (ftruncate, fchmod).
static int subject_file(struct graph *g, uint32_t process, const struct event *e, int32_t dirfd, uint32_t *ret)
{
	const struct event_path *path = opened_path(e);
	const struct descriptor *d = builder_descriptor(g, process, (int32_t)e->args[0]);
	const char *call = intern_string(g->strings, e->syscall_name);
	bool by_descriptor = call[0] == 'f' && !is_at_call(call);
	*ret = GRAPH_NONE;
	if (by_descriptor && !path) {
		if (d && d->kind == DESCRIPTOR_FILE)
			*ret = d->file;
		return 0;
	}
	if (!path)
		return 0;
	uint32_t name = by_descriptor ? 0 : builder_path_name(g, process, e, path, dirfd);
	return builder_file(g, process, e, path, name, false, ret);
}

int builder_truncate(struct graph *g, uint32_t process, const struct event *e)
{
	uint32_t file;
	if (subject_file(g, process, e, AT_FDCWD, &file) < 0)
		return -1;
	// ftruncate to a length above 0 keeps what lies before it
	if (file == GRAPH_NONE)
		return 0;
	bool empties = (e->present & EVENT_HAS_ARGS) && e->args[1] == 0;
	if (empties && builder_cut(g, file, e->earliest_ns) < 0)
		return -1;
	return builder_file_edge(g, builder_segment_node(g, process), file, FLOW_TRUNCATE, true, false, false, CLASS_OBSERVED, e, NULL);
}

int builder_attribute(struct graph *g, uint32_t process, const struct event *e)
{
	bool at = is_at_call(intern_string(g->strings, e->syscall_name));
	uint32_t file;
	if (subject_file(g, process, e, at ? (int32_t)e->args[0] : AT_FDCWD, &file) < 0)
		return -1;
	if (file == GRAPH_NONE)
		return 0;
	return builder_file_edge(g, builder_segment_node(g, process), file, FLOW_ATTRIBUTE, true, false, false, CLASS_OBSERVED, e, NULL);
}

// memfd_create's record has no inode and no name: both are known when the file is executed.
int builder_memfd(struct graph *g, uint32_t process, const struct event *e)
{
	struct event_path path = {.mode = S_IFREG};
	uint32_t file;
	bool cloexec = (e->present & EVENT_HAS_ARGS) && (e->args[1] & 1); // MFD_CLOEXEC, linux/memfd.h
	path.inode = e->serial; // a stand-in, unique within the epoch
	path.dev = UINT32_MAX;
	path.has_inode = true;
	uint32_t name = intern_add_string(g->strings, "memfd:");
	if (builder_file(g, process, e, &path, name, true, &file) < 0)
		return -1;
	g->files.items[file].kind = FILE_MEMFD;
	uint32_t node = builder_segment_node(g, process), draft;
	if (builder_file_edge(g, node, file, FLOW_CREATE, true, false, false, CLASS_OBSERVED, e, NULL) < 0 ||
	    builder_file_edge(g, node, file, FLOW_OPEN_WRITE, true, true, !cloexec, CLASS_OBSERVED, e, &draft) < 0)
		return -1;
	builder_descriptor_set(g, process, (struct descriptor){.fd = (int32_t)e->exit, .kind = DESCRIPTOR_FILE, .cloexec = cloexec,
				.file = file, .drafts = {draft, GRAPH_NONE}});
	return 0;
}

// --- what an execve ran

// execveat(fd, "", AT_EMPTY_PATH): the file is the descriptor's, and now it has a name and an inode.
static int executed_descriptor(struct graph *g, uint32_t process, const struct event *e, const struct event_path *path, uint32_t *ret)
{
	const struct descriptor *d = builder_descriptor(g, process, (int32_t)e->args[0]);
	*ret = GRAPH_NONE;
	if (d && d->kind == DESCRIPTOR_FILE && g->files.items[d->file].kind == FILE_MEMFD) {
		*ret = d->file;
		if (path->has_inode && g->files.items[d->file].dev == UINT32_MAX) {
			g->files.items[d->file].dev = path->dev;
			g->files.items[d->file].inode = path->inode;
			if (table_put(&g->builder->files, inode_key(e->host, e->epoch, path->dev, path->inode), d->file) < 0)
				return -1;
		}
		return builder_add_name(g, d->file, e->exe, e->earliest_ns);
	}
	return builder_file(g, process, e, path, e->exe, false, ret);
}

int builder_exec_files(struct graph *g, uint32_t process, uint32_t segment, const struct event *e)
{
	uint32_t node = g->segments.items[segment].node;
	int32_t dirfd = strcmp(intern_string(g->strings, e->syscall_name), "execveat") == 0 ? (int32_t)e->args[0] : AT_FDCWD;
	for (size_t i = 0; i < e->path_count; i++) {
		const struct event_path *path = &e->paths[i];
		bool program = path->item == 0;
		uint32_t file, name = builder_path_name(g, process, e, path, dirfd);
		if (path->nametype == NAMETYPE_PARENT || !path->has_inode)
			continue;
		if (program && !name) {
			if (executed_descriptor(g, process, e, path, &file) < 0)
				return -1;
		} else if (builder_file(g, process, e, path, is_descriptor_path(g, name) ? 0 : name, false, &file) < 0) {
			return -1;
		}
		if (file == GRAPH_NONE)
			continue;
		if (program)
			g->segments.items[segment].program_file = file;
		if (builder_file_edge(g, node, file, program ? FLOW_EXECUTE : FLOW_INTERPRET, false, false, false, CLASS_OBSERVED, e, NULL) < 0 ||
		    builder_follow_link(g, node, e->host, name, file, e) < 0)
			return -1;
	}
	return 0;
}
