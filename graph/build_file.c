// SPDX-License-Identifier: MIT
// Files. Identity is (host, epoch, dev, inode, generation): inode numbers return within milliseconds, so a bare inode would link
// strangers. A generation begins when a call that makes inodes shows nametype=CREATE; names are labels over time. A node is one
// version of the content: what was there before a truncation does not flow on.
#include "graph/build.h"

#include <string.h>
#include <sys/stat.h>

#define VERSIONS_MAX 64 /* our limit: later truncations stay in the last version, which only loses precision */
#define NAMES_MAX 64    /* our limit: of more names the first and the newest are kept */
#define MEMFD_DEV 1u    /* 00:01: the kernel's internal tmpfs, where memory files live */

static enum file_kind kind_of(uint32_t mode)
{
	switch (mode & S_IFMT) {
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

// Nothing flows from one process to another through these (admin-guide/devices.txt): null, zero, full, random, urandom; the own
// terminal and the console, and the master of all ptys. A pty itself (136:*), a FIFO and /dev/shm are channels.
static bool is_sink_device(uint32_t rdev)
{
	uint32_t major = rdev >> 20, minor = rdev & 0xfffff;
	if (major == 1)
		return minor == 3 || minor == 5 || minor == 7 || minor == 8 || minor == 9;
	return major == 5 && minor <= 2;
}

// The kernel's own pseudo-files are made by it for each reader. Those under /proc/sys keep what is written to them.
static bool is_sink(const struct graph_builder *b, const struct event_path *path, uint32_t name)
{
	if ((path->mode & S_IFMT) == S_IFCHR)
		return is_sink_device(path->rdev);
	if (path->dev >> 20 != 0 || path->nametype == NAMETYPE_CREATE)
		return false; // on a disk, or made by somebody
	return (name_starts(b, name, "/proc/") && !name_starts(b, name, "/proc/sys/")) || name_starts(b, name, "/sys/");
}

// --- names

void file_name_add(struct graph_builder *b, uint32_t file, uint32_t name, bool absolute, bool given)
{
	struct file_name_vector *v = &b->g->files.items[file].names;
	if (!name)
		return;
	for (size_t i = v->count; i-- > 0;)
		if (v->items[i].name == name && v->items[i].to_ns == NANOTIME_NONE) {
			v->items[i].given |= given;
			return;
		}
	if (v->count >= NAMES_MAX) { // the first name and the newest ones tell most: the oldest that is over makes room
		size_t over = 1;
		while (over < v->count && v->items[over].to_ns == NANOTIME_NONE)
			over++;
		if (over == v->count)
			return;
		memmove(&v->items[over], &v->items[over + 1], (v->count - over - 1) * sizeof(*v->items));
		v->count--;
	}
	if (builder_grow((void **)&v->items, &v->capacity, v->count, sizeof(*v->items)) < 0) {
		b->failed = true;
		return;
	}
	v->items[v->count++] = (struct file_name){.name = name, .from_ns = b->event->earliest_ns, .to_ns = NANOTIME_NONE, .absolute = absolute, .given = given};
}

// The name is gone. With the last entry that is known the file counts as deleted: nlink is not on record.
void file_name_end(struct graph_builder *b, uint32_t file, uint32_t name)
{
	struct file *f = &b->g->files.items[file];
	bool left = false;
	for (size_t i = 0; i < f->names.count; i++) {
		struct file_name *n = &f->names.items[i];
		if (n->name == name && n->to_ns == NANOTIME_NONE)
			n->to_ns = b->event->earliest_ns;
		left |= n->given && n->to_ns == NANOTIME_NONE;
	}
	if (left)
		return;
	f->deleted_ns = b->event->earliest_ns;
	for (size_t i = 0; i < f->names.count; i++)
		if (f->names.items[i].to_ns == NANOTIME_NONE)
			f->names.items[i].to_ns = b->event->earliest_ns;
}

static bool has_name(const struct graph_builder *b, uint32_t file, uint32_t name)
{
	const struct file_name_vector *v = &b->g->files.items[file].names;
	for (size_t i = 0; i < v->count; i++)
		if (v->items[i].name == name && v->items[i].to_ns == NANOTIME_NONE)
			return true;
	return false;
}

// --- generations

static uint32_t inode_hash(const struct graph_builder *b, uint32_t realm, uint32_t dev, uint64_t inode)
{
	return table_hash(&b->file_table, (uint64_t)realm << 32 | dev, inode);
}

uint32_t file_find(const struct graph_builder *b, uint32_t realm, uint32_t dev, uint64_t inode)
{
	uint32_t hash = inode_hash(b, realm, dev, inode), item;
	for (size_t cursor = 0; (item = table_next(&b->file_table, hash, &cursor)) != TABLE_NONE;) {
		const struct file *f = &b->g->files.items[item];
		if (f->inode == inode && f->dev == dev && b->file_states.items[item].realm == realm)
			return item;
	}
	return GRAPH_NONE;
}

static uint32_t version_add(struct graph_builder *b, uint32_t file, uint64_t start_ns)
{
	struct u32_vector *v = &b->g->files.items[file].versions;
	uint32_t node = node_add(b, NODE_FILE, file, (uint32_t)v->count, start_ns);
	if (node == GRAPH_NONE || builder_grow((void **)&v->items, &v->capacity, v->count, sizeof(*v->items)) < 0) {
		b->failed = true;
		return GRAPH_NONE;
	}
	v->items[v->count++] = node;
	return node;
}

static uint32_t file_append(struct graph_builder *b, uint32_t dev, uint64_t inode, uint32_t mode, uint32_t older, uint64_t start_ns)
{
	const struct realm *realm = &b->realms.items[b->file_realm];
	struct file f = {
		.host = realm->host, .epoch = realm->epoch, .dev = dev, .inode = inode, .kind = (uint8_t)kind_of(mode),
		.generation = older == GRAPH_NONE ? 1 : b->g->files.items[older].generation + 1,
		.created_ns = NANOTIME_NONE, .deleted_ns = NANOTIME_NONE,
	};
	struct file_state state = {.realm = b->file_realm, .older = older, .first_ns = b->event->earliest_ns};
	uint32_t file = (uint32_t)b->g->files.count;
	if (file_state_vector_append(&b->file_states, state) < 0 || file_vector_append(&b->g->files, f) < 0) {
		b->failed = true;
		return GRAPH_NONE;
	}
	return version_add(b, file, start_ns) == GRAPH_NONE ? GRAPH_NONE : file;
}

static void file_enter(struct graph_builder *b, uint32_t file)
{
	const struct file *f = &b->g->files.items[file];
	uint32_t hash = inode_hash(b, b->file_realm, f->dev, f->inode), older = b->file_states.items[file].older;
	if (older != GRAPH_NONE)
		table_replace(&b->file_table, hash, older, file);
	else if (table_add(&b->file_table, hash, file) < 0)
		b->failed = true;
}

// The number was free, so whatever had it is gone: no name, no open descriptor.
static void generation_end(struct graph_builder *b, uint32_t file)
{
	struct file *f = &b->g->files.items[file];
	uint64_t now = b->event->earliest_ns;
	if (f->deleted_ns == NANOTIME_NONE)
		f->deleted_ns = now;
	for (size_t i = 0; i < f->names.count; i++)
		if (f->names.items[i].to_ns == NANOTIME_NONE)
			f->names.items[i].to_ns = now;
	b->g->nodes.items[f->versions.items[f->versions.count - 1]].end_ns = b->event->latest_ns;
}

static void note_path(struct graph_builder *b, uint32_t file, const struct event_path *path, struct resolved name, bool given)
{
	struct file *f = &b->g->files.items[file];
	if (f->kind == FILE_UNKNOWN)
		f->kind = (uint8_t)kind_of(path->mode);
	f->sink |= is_sink(b, path, name.name);
	if (given || (name.absolute && f->deleted_ns < b->event->earliest_ns))
		f->deleted_ns = NANOTIME_NONE; // it has a name, after all
	file_name_add(b, file, name.name, name.absolute, given);
	if (f->kind == FILE_FOLDER && name.absolute)
		folder_learn(b, path->dev, path->inode, name.name);
}

// A past event (build_past.c) about a number that was created later: another, older generation. Newer ones count one up.
static uint32_t oldest_before(struct graph_builder *b, uint32_t newest, const struct event_path *path)
{
	uint32_t oldest = newest;
	while (b->file_states.items[oldest].older != GRAPH_NONE)
		oldest = b->file_states.items[oldest].older;
	const struct file *f = &b->g->files.items[oldest];
	if (!f->created_seen || f->created_ns <= b->event->latest_ns)
		return oldest;
	uint32_t file = file_append(b, path->dev, path->inode, path->mode, GRAPH_NONE, 0);
	if (file == GRAPH_NONE)
		return GRAPH_NONE;
	b->file_states.items[oldest].older = file;
	for (uint32_t i = newest; i != file; i = b->file_states.items[i].older)
		b->g->files.items[i].generation++;
	return file;
}

uint32_t file_of(struct graph_builder *b, const struct event_path *path, struct resolved name)
{
	if (!path->has_inode)
		return GRAPH_NONE;
	uint32_t file = file_find(b, b->file_realm, path->dev, path->inode);
	if (file != GRAPH_NONE && b->past) {
		file = oldest_before(b, file, path);
	} else if (file == GRAPH_NONE) {
		file = file_append(b, path->dev, path->inode, path->mode, GRAPH_NONE, 0);
		if (file != GRAPH_NONE)
			file_enter(b, file);
	}
	if (file != GRAPH_NONE)
		note_path(b, file, path, name, false);
	return file;
}

uint32_t file_create(struct graph_builder *b, const struct event_path *path, struct resolved name)
{
	if (!path->has_inode)
		return GRAPH_NONE;
	uint32_t older = file_find(b, b->file_realm, path->dev, path->inode), file = older;
	// Somebody was quicker to report that he opened it than its creator that he made it.
	// But one that has been deleted meanwhile was another.
	bool late = older != GRAPH_NONE && !b->g->files.items[older].created_seen && b->g->files.items[older].deleted_ns == NANOTIME_NONE &&
		    b->file_states.items[older].first_ns >= b->event->earliest_ns;
	if (!late) {
		if (older != GRAPH_NONE)
			generation_end(b, older);
		file = file_append(b, path->dev, path->inode, path->mode, older, b->event->earliest_ns);
		if (file == GRAPH_NONE)
			return GRAPH_NONE;
		file_enter(b, file);
	}
	struct file *f = &b->g->files.items[file];
	f->created_seen = true;
	f->created_ns = b->event->earliest_ns;
	b->g->nodes.items[f->versions.items[0]].start_ns = b->event->earliest_ns;
	note_path(b, file, path, name, true);
	return file;
}

// unlink frees the number before its record is written: the DELETE of the old generation may come after the CREATE of the new one.
// It is the old one's if that had the name until its number was taken, and the new one has it not, or not yet.
uint32_t file_deleted(struct graph_builder *b, const struct event_path *path, struct resolved name)
{
	uint32_t file = path->has_inode ? file_find(b, b->file_realm, path->dev, path->inode) : GRAPH_NONE;
	uint32_t older = file == GRAPH_NONE ? GRAPH_NONE : b->file_states.items[file].older;
	if (older != GRAPH_NONE && name.name) {
		uint64_t taken_ns = b->g->files.items[file].created_ns;
		const struct file_name_vector *names = &b->g->files.items[older].names;
		bool until_taken = false;
		for (size_t i = 0; i < names->count; i++)
			until_taken |= names->items[i].name == name.name && names->items[i].to_ns >= taken_ns;
		if (until_taken && (!has_name(b, file, name.name) || b->event->earliest_ns < taken_ns))
			return older;
	}
	return file_of(b, path, name);
}

// --- memory files: memfd_create's record holds neither inode nor name

uint32_t file_create_memfd(struct graph_builder *b)
{
	uint32_t file = file_append(b, MEMFD_DEV, 0, S_IFREG, GRAPH_NONE, b->event->earliest_ns);
	if (file == GRAPH_NONE)
		return GRAPH_NONE;
	struct file *f = &b->g->files.items[file];
	f->kind = FILE_MEMFD;
	f->created_seen = true;
	f->created_ns = b->event->earliest_ns;
	return file;
}

void file_bind_inode(struct graph_builder *b, uint32_t file, const struct event_path *path)
{
	struct file *f = &b->g->files.items[file];
	if (f->inode || !path->has_inode || b->past)
		return;
	uint32_t older = file_find(b, b->file_realm, path->dev, path->inode);
	f->dev = path->dev;
	f->inode = path->inode;
	if (older != GRAPH_NONE)
		f->generation = b->g->files.items[older].generation + 1;
	b->file_states.items[file].older = older;
	file_enter(b, file);
}

// --- versions

uint32_t file_node(const struct graph_builder *b, uint32_t file)
{
	if (file == GRAPH_NONE)
		return GRAPH_NONE;
	const struct u32_vector *v = &b->g->files.items[file].versions;
	return v->items[b->past ? 0 : v->count - 1];
}

uint32_t file_node_at(const struct graph_builder *b, uint32_t file, uint64_t ns)
{
	const struct u32_vector *v = &b->g->files.items[file].versions;
	size_t i = v->count - 1;
	while (i > 0 && b->g->nodes.items[v->items[i]].start_ns > ns)
		i--;
	return v->items[i];
}

void file_cut(struct graph_builder *b, uint32_t file)
{
	const struct file *f = &b->g->files.items[file];
	if (f->kind != FILE_REGULAR && f->kind != FILE_MEMFD)
		return; // a terminal or a FIFO keeps nothing that O_TRUNC could cut
	if (f->versions.count >= VERSIONS_MAX)
		return;
	uint32_t last = f->versions.items[f->versions.count - 1];
	if (version_add(b, file, b->event->earliest_ns) != GRAPH_NONE)
		b->g->nodes.items[last].end_ns = b->event->latest_ns;
}

// --- symlinks that were made in this log

static uint32_t symlink_find(const struct graph_builder *b, uint32_t realm, uint32_t name)
{
	uint32_t hash = table_hash(&b->symlink_table, realm, name), item;
	for (size_t cursor = 0; (item = table_next(&b->symlink_table, hash, &cursor)) != TABLE_NONE;)
		if (b->symlinks.items[item].name == name && b->symlinks.items[item].realm == realm)
			return item;
	return GRAPH_NONE;
}

uint32_t file_symlink_at(const struct graph_builder *b, uint32_t realm, uint32_t name)
{
	uint32_t known = name && b->symlinks.count ? symlink_find(b, realm, name) : GRAPH_NONE;
	if (known == GRAPH_NONE)
		return GRAPH_NONE;
	uint32_t file = b->symlinks.items[known].file;
	return has_name(b, file, name) ? file : GRAPH_NONE;
}

void file_symlink_set(struct graph_builder *b, uint32_t file, uint32_t name)
{
	uint32_t known = symlink_find(b, b->file_realm, name);
	if (known != GRAPH_NONE) {
		b->symlinks.items[known].file = file;
		return;
	}
	struct symlink_name s = {.realm = b->file_realm, .name = name, .file = file};
	if (symlink_vector_append(&b->symlinks, s) < 0 ||
	    table_add(&b->symlink_table, table_hash(&b->symlink_table, b->file_realm, name), (uint32_t)(b->symlinks.count - 1)) < 0)
		b->failed = true;
}

const struct event_path *event_object(const struct event *e)
{
	for (size_t i = e->path_count; i-- > 0;)
		if (e->paths[i].nametype != NAMETYPE_PARENT && e->paths[i].has_inode)
			return &e->paths[i];
	return NULL;
}
