// SPDX-License-Identifier: MIT
// Calls that make, move and remove entries of folders, and those that change a file without opening it.
#include "graph/build.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define ARCH_I386 0x40000003u /* AUDIT_ARCH_I386, linux/audit.h */

// The two sides of rename and link: where the old and where the new name begins.
struct sides { int32_t dirfd[2]; const struct event_path *parents[2]; };

static int32_t folder_argument(const struct event *e, int8_t argument)
{
	return argument >= 0 && event_has(e, EVENT_HAS_ARGS) ? (int32_t)e->args[argument] : AT_FDCWD;
}

static struct sides sides_of(const struct graph_builder *b)
{
	const struct event *e = b->event;
	struct call_shape shape = call_shape(b, e->syscall_name);
	struct sides s = {.dirfd = {folder_argument(e, shape.dirfd), folder_argument(e, shape.second_dirfd >= 0 ? shape.second_dirfd : shape.dirfd)}};
	size_t found = 0;
	for (size_t i = 0; i < e->path_count && found < 2; i++)
		if (e->paths[i].nametype == NAMETYPE_PARENT)
			s.parents[found++] = &e->paths[i];
	if (found == 1)
		s.parents[1] = s.parents[0]; // link: only the new name has one
	return s;
}

static struct resolved name_on(struct graph_builder *b, uint32_t process, const struct event_path *path, const struct sides *s, int side)
{
	return name_resolve(b, process, path, s->dirfd[side], s->parents[side]);
}

static bool comes_back(const struct event *e, const struct event_path *gone)
{
	for (size_t i = 0; i < e->path_count; i++)
		if (e->paths[i].nametype == NAMETYPE_CREATE && e->paths[i].has_inode && e->paths[i].inode == gone->inode && e->paths[i].dev == gone->dev)
			return true;
	return false;
}

static void entry_deleted(struct graph_builder *b, uint32_t process, const struct event_path *path, struct resolved name)
{
	uint32_t file = file_deleted(b, path, name);
	if (file == GRAPH_NONE)
		return;
	bool moved = b->event->op == OP_RENAME && comes_back(b->event, path);
	if (moved) {
		// Only this name ends; the new one follows. Not file_name_end: the file is never without a name.
		struct file_name_vector *v = &b->g->files.items[file].names;
		for (size_t i = 0; i < v->count; i++)
			if (v->items[i].name == name.name && v->items[i].to_ns == NANOTIME_NONE)
				v->items[i].to_ns = b->event->earliest_ns;
		return;
	}
	file_name_end(b, file, name.name);
	flow_now(b, process_node(b, process), file_node(b, file), FLOW_DELETE, CLASS_OBSERVED);
}

static void symlink_created(struct graph_builder *b, uint32_t file, struct resolved name)
{
	const struct event *e = b->event;
	// symlink("target", "link"): the target is an item without an inode
	for (size_t i = 0; i < e->path_count; i++)
		if (!e->paths[i].has_inode && e->paths[i].has_name && e->paths[i].nametype != NAMETYPE_PARENT)
			b->g->files.items[file].symlink_target = e->paths[i].name;
	file_symlink_set(b, file, name.name);
}

static void entry_created(struct graph_builder *b, uint32_t process, const struct event_path *path, struct resolved name)
{
	enum syscall_op op = b->event->op;
	bool is_new = op != OP_RENAME && op != OP_LINK;
	uint32_t file = is_new ? file_create(b, path, name) : file_of(b, path, name);
	if (file == GRAPH_NONE)
		return;
	file_name_add(b, file, name.name, name.absolute, true);
	b->g->files.items[file].deleted_ns = NANOTIME_NONE; // linkat of an unnamed file
	if (op == OP_SYMLINK)
		symlink_created(b, file, name);
	else if (!is_new && b->g->files.items[file].kind == FILE_SYMLINK)
		file_symlink_set(b, file, name.name);
	enum flow_op flow = op == OP_RENAME ? FLOW_RENAME : op == OP_LINK ? FLOW_LINK : FLOW_CREATE;
	flow_now(b, process_node(b, process), file_node(b, file), flow, CLASS_OBSERVED);
}

// rename shows DELETE of the old name, DELETE of a victim under the new name, CREATE of the new name. An exchange shows DELETE of both and
// CREATE of both, crosswise. So the first DELETE and the second CREATE are on the old side.
void link_entry(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	struct sides s = sides_of(b);
	bool two_sides = e->op == OP_RENAME;
	int deleted = 0, created = 0;
	for (size_t i = 0; i < e->path_count; i++) {
		const struct event_path *path = &e->paths[i];
		if (path->nametype == NAMETYPE_DELETE)
			entry_deleted(b, process, path, name_on(b, process, path, &s, two_sides && deleted++ > 0 ? 1 : 0));
	}
	for (size_t i = 0; i < e->path_count; i++) {
		const struct event_path *path = &e->paths[i];
		if (path->nametype == NAMETYPE_CREATE)
			entry_created(b, process, path, name_on(b, process, path, &s, two_sides && created++ > 0 ? 0 : 1));
	}
}

// --- truncate, and attributes

// The file of a call that names a path or, without PATH items, a descriptor (ftruncate has none).
static uint32_t subject(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	const struct event_path *path = event_object(e);
	if (path)
		return file_of(b, path, name_resolve(b, process, path, folder_argument(e, call_shape(b, e->syscall_name).dirfd), NULL));
	const struct descriptor *d = event_has(e, EVENT_HAS_ARGS) && e->path_count == 0 ? descriptor_get(b, process, (int32_t)e->args[0]) : NULL;
	return d && d->kind == DESCRIPTOR_FILE ? d->item : GRAPH_NONE;
}

// To a length above 0, what lies before it stays.
static bool empties(const struct event *e, const struct intern *strings)
{
	if (!event_has(e, EVENT_HAS_ARGS))
		return false;
	size_t length = intern_length(strings, e->syscall_name);
	bool split = e->arch == ARCH_I386 && length > 2 && memcmp(intern_string(strings, e->syscall_name) + length - 2, "64", 2) == 0;
	return e->args[1] == 0 && (!split || e->args[2] == 0); // truncate64: low and high half
}

void link_truncate(struct graph_builder *b, uint32_t process)
{
	uint32_t file = subject(b, process);
	if (file == GRAPH_NONE)
		return;
	if (empties(b->event, b->g->strings))
		file_cut(b, file);
	flow_now(b, process_node(b, process), file_node(b, file), FLOW_TRUNCATE, CLASS_OBSERVED);
}

void link_attribute(struct graph_builder *b, uint32_t process)
{
	uint32_t file = subject(b, process);
	if (file != GRAPH_NONE)
		flow_now(b, process_node(b, process), file_node(b, file), FLOW_ATTRIBUTE, CLASS_OBSERVED);
}
