// SPDX-License-Identifier: MIT
// Opens, and what is done with descriptors where that is audited. An open is a licence until the segment ends or the descriptor is
// closed, not a read or a write at its moment: audit time is entry time, and reads and writes are rarely on record.
#include "graph/build.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

// Flags as on x86 and arm64 (asm-generic/fcntl.h); O_DIRECTORY and O_NOFOLLOW differ between architectures and are not used here.
#define FLAG_TMPFILE 020000000u /* __O_TMPFILE */
#define FLAG_PATH 010000000u    /* O_PATH */
#define MFD_CLOEXEC_FLAG 1u     /* linux/memfd.h */
#define LABEL_BYTES_MAX 8192

struct open_call { uint64_t flags; bool known; int32_t dirfd; };

static struct open_call open_call_of(const struct graph_builder *b)
{
	const struct event *e = b->event;
	struct open_call c = {.known = event_has(e, EVENT_HAS_ARGS), .dirfd = AT_FDCWD};
	if (e->syscall_name == b->call_creat) {
		c.flags = O_WRONLY | O_CREAT | O_TRUNC;
		c.known = true;
	} else if (e->syscall_name == b->call_openat2) {
		c.flags = e->open_flags; // they lie in memory: without the OPENAT2 record nobody knows them
		c.known = event_has(e, EVENT_HAS_OPEN_HOW);
	} else {
		c.flags = e->args[e->syscall_name == b->call_open ? 1 : 2];
	}
	if (call_shape(b, e->syscall_name).dirfd >= 0 && event_has(e, EVENT_HAS_ARGS))
		c.dirfd = (int32_t)e->args[0];
	return c;
}

static const struct event_path *event_parent(const struct event *e)
{
	for (size_t i = 0; i < e->path_count; i++)
		if (e->paths[i].nametype == NAMETYPE_PARENT)
			return &e->paths[i];
	return NULL;
}

// An O_TMPFILE has no name of its own: its record carries the folder's name with the new file's inode.
static struct resolved unnamed_in(struct graph_builder *b, struct resolved folder)
{
	char label[LABEL_BYTES_MAX];
	int length = snprintf(label, sizeof(label), "(unnamed in %s)", intern_string(b->g->strings, folder.name));
	size_t kept = length < (int)sizeof(label) ? (size_t)length : sizeof(label) - 1;
	return (struct resolved){.name = intern_add(b->g->strings, label, kept), .descriptor = -1};
}

// What the open means for a program that the process starts next.
static enum descriptor_use use_of(const struct graph_builder *b, uint32_t process, const struct descriptor *d)
{
	bool is_stub = b->g->segments.items[process_segment(b, process)].forked_stub, is_shell;
	if (d->cloexec || (!is_stub && !d->writes))
		return USE_OWN;
	is_shell = process_is_shell(b, process);
	if (is_stub)
		return is_shell ? USE_REDIRECT : d->writes ? USE_OUTPUT : USE_OWN;
	return is_shell ? USE_SHELL_OUTPUT : USE_OUTPUT;
}

static void open_flows(struct graph_builder *b, uint32_t process, uint32_t file, struct open_call call, bool created)
{
	uint64_t mode = call.flags & O_ACCMODE;
	uint32_t node = process_node(b, process);
	enum flow_class class_ = call.known ? CLASS_OBSERVED : CLASS_UNCERTAIN;
	struct descriptor d = {.fd = (int32_t)b->event->exit, .kind = DESCRIPTOR_FILE, .item = file, .edges = {GRAPH_NONE, GRAPH_NONE}};
	if (created) {
		flow_now(b, node, file_node(b, file), FLOW_CREATE, CLASS_OBSERVED);
	} else if (call.flags & O_TRUNC) {
		file_cut(b, file);
		flow_now(b, node, file_node(b, file), FLOW_TRUNCATE, class_);
	}
	d.reads = !call.known || mode != O_WRONLY;
	d.writes = !call.known || mode != O_RDONLY;
	d.cloexec = (call.flags & O_CLOEXEC) != 0;
	d.use = (uint8_t)use_of(b, process, &d);
	if (d.writes)
		d.edges[1] = flow_from_now(b, node, file_node(b, file), FLOW_OPEN_WRITE, class_);
	if (d.reads)
		d.edges[0] = flow_from_now(b, file_node(b, file), node, FLOW_OPEN_READ, class_);
	if (event_has(b->event, EVENT_HAS_EXIT))
		descriptor_put(b, process, d);
}

void link_symlink(struct graph_builder *b, uint32_t node, uint32_t name, uint32_t file)
{
	uint32_t link = file_symlink_at(b, b->file_realm, name);
	if (link != GRAPH_NONE && link != file)
		flow_now(b, file_node(b, link), node, FLOW_SYMLINK, CLASS_OBSERVED);
}

// The memory file behind /proc/self/fd/N, whose inode no record has told so far.
static uint32_t reopened_memfd(struct graph_builder *b, uint32_t process, const struct event_path *path, struct resolved name)
{
	const struct descriptor *d = name.descriptor >= 0 ? descriptor_get(b, process, name.descriptor) : NULL;
	if (!d || d->kind != DESCRIPTOR_FILE || b->g->files.items[d->item].kind != FILE_MEMFD)
		return GRAPH_NONE;
	file_bind_inode(b, d->item, path);
	return d->item;
}

void link_open(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	const struct event_path *path = event_object(e);
	struct open_call call = open_call_of(b);
	if (!path)
		return;
	bool is_unnamed = call.known && (call.flags & FLAG_TMPFILE) && (path->mode & S_IFMT) == S_IFREG;
	struct resolved name = name_resolve(b, process, path, call.dirfd, event_parent(e));
	if (reach_by_name(b, process, name.name, (call.flags & O_ACCMODE) != O_RDONLY))
		return;
	if (is_unnamed)
		name = unnamed_in(b, name);
	bool created = path->nametype == NAMETYPE_CREATE || is_unnamed;
	uint32_t file = reopened_memfd(b, process, path, name);
	if (file == GRAPH_NONE)
		file = created ? file_create(b, path, name) : file_of(b, path, name);
	if (file == GRAPH_NONE)
		return;
	if (call.known && (call.flags & FLAG_PATH)) { // carries no data; only a place where names begin
		struct descriptor d = {.fd = (int32_t)e->exit, .kind = DESCRIPTOR_FILE, .item = file, .cloexec = true, .edges = {GRAPH_NONE, GRAPH_NONE}};
		descriptor_put(b, process, d);
		return;
	}
	link_symlink(b, process_node(b, process), name.name, file);
	open_flows(b, process, file, call, created);
}

void link_memfd(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	uint32_t file = file_create_memfd(b), node = process_node(b, process);
	if (file == GRAPH_NONE)
		return;
	bool cloexec = event_has(e, EVENT_HAS_ARGS) && (e->args[1] & MFD_CLOEXEC_FLAG);
	struct descriptor d = {.fd = (int32_t)e->exit, .kind = DESCRIPTOR_FILE, .item = file, .cloexec = cloexec, .reads = true, .writes = true};
	file_name_add(b, file, intern_add_string(b->g->strings, "/memfd:"), false, false);
	flow_now(b, node, file_node(b, file), FLOW_CREATE, CLASS_OBSERVED);
	d.edges[1] = flow_from_now(b, node, file_node(b, file), FLOW_OPEN_WRITE, CLASS_OBSERVED);
	d.edges[0] = flow_from_now(b, file_node(b, file), node, FLOW_OPEN_READ, CLASS_OBSERVED);
	descriptor_put(b, process, d);
}

// --- reads and writes, where they are audited one by one

static void transfer(struct graph_builder *b, uint32_t process, uint64_t fd, bool into)
{
	const struct descriptor *d = descriptor_get(b, process, (int32_t)fd);
	uint32_t node = process_node(b, process);
	if (!d || d->kind != DESCRIPTOR_FILE)
		return; // connections and pipes have edges for as long as they are open
	if (into)
		flow_now(b, node, file_node(b, d->item), FLOW_WRITE, CLASS_OBSERVED);
	else
		flow_now(b, file_node(b, d->item), node, FLOW_READ, CLASS_OBSERVED);
}

static void copy(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	uint64_t in = e->args[0], out = e->args[2]; // copy_file_range(in, offset, out, ...), splice(in, offset, out, ...)
	if (e->syscall_name == b->call_sendfile || e->syscall_name == b->call_sendfile64)
		out = e->args[0], in = e->args[1];
	else if (e->syscall_name == b->call_tee)
		out = e->args[1];
	transfer(b, process, in, false);
	transfer(b, process, out, true);
}

void link_transfer(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	if (e->op == OP_MMAP) {
		if (!event_has(e, EVENT_HAS_MMAP) || e->fds[0] < 0)
			return;
		uint64_t protection = event_has(e, EVENT_HAS_ARGS) ? e->args[2] : PROT_READ;
		transfer(b, process, (uint64_t)e->fds[0], false);
		if ((protection & PROT_WRITE) && (e->mmap_flags & MAP_SHARED))
			transfer(b, process, (uint64_t)e->fds[0], true);
		return;
	}
	if (!event_has(e, EVENT_HAS_ARGS))
		return;
	if (e->op == OP_COPY)
		copy(b, process);
	else
		transfer(b, process, e->args[0], e->op == OP_WRITE);
}
