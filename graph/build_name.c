// SPDX-License-Identifier: MIT
// What a PATH item is called. The kernel records names as they were given: relative to the working folder, or to a folder's
// descriptor, which the record does not resolve. So names are put together from
//   - cwd=, for calls that begin there
//   - the folder that PARENT's inode is known to be, or the descriptor's folder, for openat and its kind
// PARENT's own name= is no help there: for a name without a slash the kernel prints cwd, whatever dirfd is.
// A name that cannot be resolved stays as it was given and is marked (absolute = false): better an honest label than a wrong path.
#include "graph/build.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES_MAX 8192          /* our limit for a name that we put together; PATH_MAX is 4096 */
#define RESOLVE_IN_ROOT_FLAG 0x10u   /* linux/openat2.h: "/" means dirfd */

// Which arguments are folders' descriptors.
static const struct { const char *name; int8_t dirfd, second_dirfd; } shapes[] = {
	{"openat", 0, -1}, {"openat2", 0, -1}, {"mkdirat", 0, -1}, {"mknodat", 0, -1}, {"unlinkat", 0, -1}, {"symlinkat", 1, -1},
	{"renameat", 0, 2}, {"renameat2", 0, 2}, {"linkat", 0, 2}, {"fchmodat", 0, -1}, {"fchmodat2", 0, -1}, {"fchownat", 0, -1},
	{"utimensat", 0, -1}, {"utimensat_time64", 0, -1}, {"futimesat", 0, -1}, {"execveat", 0, -1}, {"setxattrat", 0, -1},
	{"removexattrat", 0, -1}, {"name_to_handle_at", 0, -1},
};

static uint32_t name_id(struct graph_builder *b, const char *name)
{
	return intern_add_string(b->g->strings, name);
}

void name_init(struct graph_builder *b)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct call_shape s = {name_id(b, shapes[i].name), shapes[i].dirfd, shapes[i].second_dirfd};
		if (call_shape_vector_append(&b->shapes, s) < 0 ||
		    table_add(&b->shape_table, table_hash(&b->shape_table, s.name, 0), (uint32_t)i) < 0)
			b->failed = true;
	}
	b->call_clone = name_id(b, "clone");
	b->call_clone3 = name_id(b, "clone3");
	b->call_open = name_id(b, "open");
	b->call_creat = name_id(b, "creat");
	b->call_openat2 = name_id(b, "openat2");
	b->call_open_by_handle = name_id(b, "open_by_handle_at");
	b->call_sendfile = name_id(b, "sendfile");
	b->call_sendfile64 = name_id(b, "sendfile64");
	b->call_tee = name_id(b, "tee");
	b->call_delete_module = name_id(b, "delete_module");
	b->call_execveat = name_id(b, "execveat");
	b->call_unshare = name_id(b, "unshare");
	b->call_kill = name_id(b, "kill");
	b->call_pipe2 = name_id(b, "pipe2");
}

struct call_shape call_shape(const struct graph_builder *b, uint32_t name)
{
	uint32_t hash = table_hash(&b->shape_table, name, 0), item;
	for (size_t cursor = 0; (item = table_next(&b->shape_table, hash, &cursor)) != TABLE_NONE;)
		if (b->shapes.items[item].name == name)
			return b->shapes.items[item];
	return (struct call_shape){name, -1, -1};
}

bool name_starts(const struct graph_builder *b, uint32_t name, const char *prefix)
{
	size_t length = strlen(prefix);
	return intern_length(b->g->strings, name) >= length && memcmp(intern_string(b->g->strings, name), prefix, length) == 0;
}

// --- putting together

struct joined { char bytes[NAME_BYTES_MAX]; size_t length; bool exact; };

// A path without "//", "/./" and a "/" at its end is already what tidying would give.
static bool is_tidy(const char *path, size_t length)
{
	if (length == 0 || path[0] != '/' || (length > 1 && path[length - 1] == '/'))
		return false;
	for (size_t i = 0; i + 1 < length; i++)
		if (path[i] == '/' && (path[i + 1] == '/' || path[i + 1] == '.'))
			return false; // "/.hidden" too: tidying looks closer
	return true;
}

// Appends the parts of `path`. ".." takes a part off while `exact` holds: behind the working folder, which the kernel gave free of links.
// Behind a part that was given by name it stays, since that could be a link.
static void add_parts(struct joined *j, const char *path, size_t length)
{
	for (size_t i = 0; i < length;) {
		while (i < length && path[i] == '/')
			i++;
		size_t end = i;
		while (end < length && path[end] != '/')
			end++;
		size_t part = end - i;
		if (part == 2 && memcmp(path + i, "..", 2) == 0 && j->exact) {
			while (j->length > 0 && j->bytes[--j->length] != '/')
				;
		} else if (part > 0 && !(part == 1 && path[i] == '.') && j->length + part + 1 < NAME_BYTES_MAX) {
			if (part != 2 || memcmp(path + i, "..", 2) != 0)
				j->exact = false;
			j->bytes[j->length++] = '/';
			memcpy(j->bytes + j->length, path + i, part);
			j->length += part;
		}
		i = end;
	}
}

static uint32_t join(struct graph_builder *b, uint32_t folder, const char *path, size_t length)
{
	struct joined j = {.length = 0};
	j.exact = false;
	if (folder) {
		add_parts(&j, intern_string(b->g->strings, folder), intern_length(b->g->strings, folder));
		j.exact = true;
	}
	add_parts(&j, path, length);
	if (j.length == 0)
		j.bytes[j.length++] = '/';
	return intern_add(b->g->strings, j.bytes, j.length);
}

// --- folders

static uint32_t folder_find(const struct graph_builder *b, uint32_t dev, uint64_t inode)
{
	uint32_t hash = table_hash(&b->folder_table, (uint64_t)b->file_realm << 32 | dev, inode), item;
	for (size_t cursor = 0; (item = table_next(&b->folder_table, hash, &cursor)) != TABLE_NONE;) {
		const struct folder *f = &b->folders.items[item];
		if (f->realm == b->file_realm && f->dev == dev && f->inode == inode)
			return item;
	}
	return GRAPH_NONE;
}

void folder_learn(struct graph_builder *b, uint32_t dev, uint64_t inode, uint32_t name)
{
	uint32_t known = folder_find(b, dev, inode);
	if (known != GRAPH_NONE) {
		b->folders.items[known].name = name; // a number that came back, or a new name
		return;
	}
	struct folder f = {.realm = b->file_realm, .dev = dev, .inode = inode, .name = name};
	if (folder_vector_append(&b->folders, f) < 0 ||
	    table_add(&b->folder_table, table_hash(&b->folder_table, (uint64_t)b->file_realm << 32 | dev, inode), (uint32_t)(b->folders.count - 1)) < 0)
		b->failed = true;
}

// The folder part of a name that was resolved without PARENT is PARENT's name.
static void learn_parent(struct graph_builder *b, const struct event_path *parent, uint32_t name)
{
	const char *path = intern_string(b->g->strings, name);
	size_t length = intern_length(b->g->strings, name);
	if (!parent || !parent->has_inode || length < 2)
		return;
	while (length > 1 && path[length - 1] != '/')
		length--;
	if (length > 1)
		length--;
	uint32_t known = folder_find(b, parent->dev, parent->inode);
	if (known != GRAPH_NONE) { // mostly the same as before: compare before interning
		uint32_t had = b->folders.items[known].name;
		if (intern_length(b->g->strings, had) == length && memcmp(intern_string(b->g->strings, had), path, length) == 0)
			return;
	}
	folder_learn(b, parent->dev, parent->inode, intern_add(b->g->strings, path, length));
}

// Where a name relative to a descriptor begins; 0: the records do not say.
static uint32_t folder_of_descriptor(struct graph_builder *b, uint32_t process, int32_t dirfd)
{
	const struct descriptor *d = descriptor_get(b, process, dirfd);
	if (!d || d->kind != DESCRIPTOR_FILE)
		return 0;
	const struct file *f = &b->g->files.items[d->item];
	uint32_t known = folder_find(b, f->dev, f->inode);
	if (known != GRAPH_NONE)
		return b->folders.items[known].name;
	for (size_t i = f->names.count; i-- > 0;)
		if (f->names.items[i].absolute)
			return f->names.items[i].name;
	return 0;
}

static uint32_t working_folder(const struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	if (event_has(e, EVENT_HAS_CWD) && e->cwd)
		return e->cwd;
	return b->g->segments.items[process_segment(b, process)].cwd;
}

// --- ways to a descriptor

static int32_t number_at(const char *text)
{
	char *end;
	unsigned long n = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : INT32_MAX;
	return n < INT32_MAX && *end == '\0' ? (int32_t)n : -1;
}

// "/proc/self/fd/3", "/proc/4711/fd/3" of the process itself, "/dev/fd/3", "/dev/stdin": the descriptor, else -1.
static int32_t descriptor_named(const struct graph_builder *b, uint32_t process, const char *path)
{
	static const char *const standard[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
	const char *rest = path;
	for (int32_t i = 0; i < 3; i++)
		if (strcmp(path, standard[i]) == 0)
			return i;
	if (strncmp(path, "/dev/fd/", 8) == 0)
		return number_at(path + 8);
	if (strncmp(path, "/proc/", 6) != 0)
		return -1;
	rest = strstr(path, "/fd/");
	if (!rest)
		return -1;
	char *end;
	bool own = strncmp(path + 6, "self/", 5) == 0 || strncmp(path + 6, "thread-self/", 12) == 0 ||
		   (strtoul(path + 6, &end, 10) == b->g->processes.items[process].pid && *end == '/');
	return own ? number_at(rest + 4) : -1;
}

// "/proc/N/exe", "/proc/N/root/...", "/proc/N/fd/...": links into other places, no names of files.
static bool is_magic_link(const char *path)
{
	if (strncmp(path, "/dev/fd/", 8) == 0 || strcmp(path, "/dev/stdin") == 0 || strcmp(path, "/dev/stdout") == 0 || strcmp(path, "/dev/stderr") == 0)
		return true;
	if (strncmp(path, "/proc/", 6) != 0)
		return false;
	const char *entry = strchr(path + 6, '/');
	if (entry && strncmp(entry, "/task/", 6) == 0)
		entry = strchr(entry + 6, '/');
	return entry && (strncmp(entry, "/fd/", 4) == 0 || strcmp(entry, "/exe") == 0 || strncmp(entry, "/root/", 6) == 0 || strncmp(entry, "/cwd/", 5) == 0);
}

// --- the whole

static uint32_t resolve_at(struct graph_builder *b, uint32_t process, const struct event_path *path, int32_t dirfd, const struct event_path *parent)
{
	const char *given = intern_string(b->g->strings, path->name);
	size_t length = intern_length(b->g->strings, path->name);
	uint32_t folder = parent && parent->has_inode ? folder_find(b, parent->dev, parent->inode) : GRAPH_NONE;
	if (folder != GRAPH_NONE) {
		size_t base = length;
		while (base > 0 && given[base - 1] == '/')
			base--;
		while (base > 0 && given[base - 1] != '/')
			base--;
		return join(b, b->folders.items[folder].name, given + base, length - base);
	}
	uint32_t start = folder_of_descriptor(b, process, dirfd);
	if (!start)
		return 0;
	uint32_t name = join(b, start, given, length);
	learn_parent(b, parent, name);
	return name;
}

struct resolved name_resolve(struct graph_builder *b, uint32_t process, const struct event_path *path, int32_t dirfd, const struct event_path *parent)
{
	struct resolved r = {.descriptor = -1};
	const char *given = intern_string(b->g->strings, path->name);
	size_t length = intern_length(b->g->strings, path->name);
	bool in_root = event_has(b->event, EVENT_HAS_OPEN_HOW) && (b->event->open_resolve & RESOLVE_IN_ROOT_FLAG);
	if (!path->has_name || length == 0)
		return r;
	if (given[0] == '/' && !in_root) {
		r.descriptor = descriptor_named(b, process, given);
		if (r.descriptor >= 0 || is_magic_link(given))
			return r;
		r.name = is_tidy(given, length) ? path->name : join(b, 0, given, length);
		learn_parent(b, parent, r.name);
	} else if (dirfd != AT_FDCWD) {
		r.name = resolve_at(b, process, path, dirfd, parent);
	} else if (working_folder(b, process)) {
		r.name = join(b, working_folder(b, process), given, length);
		learn_parent(b, parent, r.name);
	}
	r.absolute = r.name != 0;
	if (!r.name)
		r.name = path->name;
	return r;
}
