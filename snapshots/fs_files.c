// SPDX-License-Identifier: MIT
// All files that changed in a span, also those that came and went within it.
//
// Every write is classed by where it lands: an inode table (which inodes in it differ?), a folder's block (which names does it hold?), a
// file's data. So one pass over the span is enough, whatever the number of files.
#include "snapshots/fs_files_work.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "base/nanotime.h"

#include <string.h>

#define EXT_SUPERBLOCK_OFFSET 1024u
#define MAX_INODE_BYTES 4096u
#define MAX_TOUCHED ((size_t)1 << 21) /* our limit: 100 MB */
#define READ_BYTES ((size_t)64 << 10)
#define MAX_OWNED ((size_t)1 << 24)   /* our limit: 400 MB; inodes can share one map */

// ---- where things lie

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

static int find_groups(struct files *f, struct error *err)
{
	uint8_t super[256];
	uint64_t count;

	if (volume_read(f->span.end.volume, EXT_SUPERBLOCK_OFFSET, super, sizeof(super), err) < 0)
		return -1;
	count = get_le32(super);                       // s_inodes_count
	f->inodes_per_group = get_le32(super + 0x28);
	if (f->inodes_per_group == 0)
		return error_set(err, "the superblock says that a group has no inodes");
	for (uint64_t first = 1; first <= count; first += f->inodes_per_group) {
		struct group g = {.first_inode = first};
		struct error ignored;

		if (fs_ext_inode_place(f->span.end.fs, first, &g.place, &f->inode_bytes, &ignored) < 0)
			continue;
		if (group_vector_append(&f->groups, g) < 0)
			return error_set(err, "out of memory");
	}
	if (f->groups.count > 1)
		qsort(f->groups.items, f->groups.count, sizeof(*f->groups.items), compare_groups);
	if (f->inode_bytes == 0 || f->inode_bytes > MAX_INODE_BYTES)
		return error_set(err, "inodes of %u bytes", f->inode_bytes);
	f->table_bytes = f->inodes_per_group * f->inode_bytes;
	return 0;
}

struct owner { struct files *files; uint64_t inode; };

static int note_data_run(void *context, const struct fs_run *run, struct error *err)
{
	struct owner *o = context;
	struct owned data = {.volume_offset = run->volume_offset, .length = run->length, .inode = o->inode};

	if (o->files->owned.count >= MAX_OWNED)
		return files_warn_full(o->files, err) < 0 ? -1 : 1;
	return owned_vector_append(&o->files->owned, data) < 0 ? error_set(err, "out of memory") : 0;
}

static int note_owner(void *context, const struct fs_file *file, struct error *err)
{
	struct files *f = context;
	struct owner o = {f, file->inode};
	struct error ignored;

	if (file->kind != FS_REGULAR || file->links == 0)
		return 0;
	// A damaged map: its inode still tells that it changed.
	(void)err;
	(void)fs_ext_runs(f->span.end.fs, file->inode, note_data_run, &o, &ignored);
	return 0;
}

static int compare_owned(const void *a, const void *b)
{
	const struct owned *x = a, *y = b;

	return x->volume_offset < y->volume_offset ? -1 : x->volume_offset > y->volume_offset;
}

// ---- what changed

// Tools that write file systems without a kernel leave generations 0: the time of birth helps there.
uint32_t files_mark(uint32_t generation, uint32_t birth_seconds)
{
	return generation ^ birth_seconds * UINT32_C(0x9E3779B1);
}

static uint32_t mark_of_raw(const uint8_t *inode, uint32_t length)
{
	return files_mark(get_le32(inode + 0x64), length >= 0x94 ? get_le32(inode + 0x90) : 0); // i_generation, i_crtime
}

static int note_touched(struct files *f, uint64_t inode, uint32_t mark, uint64_t now_ns, struct touched **ret, struct error *err)
{
	uint64_t index, any = files_key(inode, 0) | UINT32_MAX;

	if (!fs_table_get(&f->by_incarnation, files_key(inode, mark), &index)) {
		struct touched t = {.inode = inode, .mark = mark};

		if (f->touched.count >= MAX_TOUCHED)
			return error_set(err, "more than %zu files changed: ask for a shorter span", MAX_TOUCHED);
		index = f->touched.count;
		if (touched_vector_append(&f->touched, t) < 0 || fs_table_put(&f->by_incarnation, files_key(inode, mark), index) < 0 ||
		    fs_table_put(&f->by_incarnation, any, index) < 0)
			return error_set(err, "out of memory");
	}
	*ret = &f->touched.items[index];
	(*ret)->changed_ns = now_ns;
	return 0;
}

// Whether an inode differs in more than when it was read, and the checksum over that. Offsets: fs/ext4/ext4.h.
static bool inode_differs(const uint8_t *old, const uint8_t *new, uint32_t length)
{
	static const struct { uint16_t at, bytes; } ignored[] = {
		{0x08, 4}, {0x24, 4}, {0x7C, 2}, {0x82, 2}, {0x8C, 4}, {0x98, 4}, // i_atime, i_version, checksum, checksum_hi, atime_extra, version_hi
	};
	uint8_t a[MAX_INODE_BYTES], b[MAX_INODE_BYTES];

	if (memcmp(old, new, length) == 0)
		return false;
	memcpy(a, old, length);
	memcpy(b, new, length);
	for (size_t i = 0; i < ARRAY_LENGTH(ignored); i++) {
		if (ignored[i].at + ignored[i].bytes <= length) {
			memset(a + ignored[i].at, 0, ignored[i].bytes);
			memset(b + ignored[i].at, 0, ignored[i].bytes);
		}
	}
	return memcmp(a, b, length) != 0;
}

static bool bytes_differ(const uint8_t *a, const uint8_t *b, size_t from, size_t to)
{
	return memcmp(a + from, b + from, to - from) != 0;
}

static int note_folder_of(struct files *f, const struct fs_inode *inode, struct error *err)
{
	struct fs_map map = {0};
	uint32_t size = fs_cursor_block_bytes(f->span.cursor);
	int result = fs_map_decode(inode->raw, inode->length, size, fs_names_read, f->span.cursor, &map, err);

	for (size_t i = 0; result == 0 && i < map.runs.count; i++) {
		for (uint64_t at = 0; at < map.runs.items[i].length && result == 0; at += size)
			result = files_note_folder_block(f, (map.runs.items[i].volume_offset + at) / size, inode->number, err);
	}
	fs_map_release(&map);
	return result < 0 ? -1 : 0;
}

// One incarnation of an inode that differs; content: in more than names and owners.
static int note_inode(struct files *f, uint64_t number, const uint8_t *raw, bool content, uint64_t now_ns, struct error *err)
{
	struct fs_inode *inode = calloc(1, sizeof(*inode));
	struct touched *t;
	int result;

	if (!inode)
		return error_set(err, "out of memory");
	inode->number = number;
	inode->length = f->inode_bytes;
	memcpy(inode->raw, raw, f->inode_bytes);
	result = note_touched(f, number, mark_of_raw(raw, f->inode_bytes), now_ns, &t, err);
	if (result == 0) {
		t->kind = fs_inode_kind(inode);
		t->itself = true;
		t->content |= content;
		if (fs_inode_lives(raw))
			t->size_bytes = get_le32(raw + 4) | (uint64_t)get_le32(raw + 0x6C) << 32;
		if (t->kind == FS_FOLDER && fs_inode_lives(raw))
			result = note_folder_of(f, inode, err);
	}
	free(inode);
	return result;
}

static int compare_inode(struct files *f, uint64_t number, const uint8_t *old, const uint8_t *new, uint64_t now_ns, struct error *err)
{
	bool was = fs_inode_lives(old), is = get_le16(new) != 0; // i_mode: one that was nothing and stays nothing is a table being initialised
	// i_size, i_mtime, flags and map, i_size_high
	bool content = bytes_differ(old, new, 0x04, 0x08) || bytes_differ(old, new, 0x10, 0x14) || bytes_differ(old, new, 0x28, 0x64) ||
		       bytes_differ(old, new, 0x6C, 0x70);

	if (!inode_differs(old, new, f->inode_bytes) || (number < 11 && number != 2)) // reserved inodes: EXT4_GOOD_OLD_FIRST_INO
		return 0;
	// Wiped, or used again at once: the old one went.
	if (was && (!is || mark_of_raw(old, f->inode_bytes) != mark_of_raw(new, f->inode_bytes)) && note_inode(f, number, old, content, now_ns, err) < 0)
		return -1;
	return is ? note_inode(f, number, new, content, now_ns, err) : 0;
}

// The part of a change that lies in the table of group g.
static int note_table(struct files *f, const struct fs_step *step, const struct fs_change *change, const struct group *g, struct error *err)
{
	uint64_t end = g->place + f->table_bytes, from = change->offset > g->place ? change->offset : g->place;
	uint64_t to = change->offset + change->length < end ? change->offset + change->length : end;

	from = g->place + (from - g->place + f->inode_bytes - 1) / f->inode_bytes * f->inode_bytes; // whole inodes
	while (from + f->inode_bytes <= to) {
		size_t part = (size_t)((to - from < READ_BYTES ? to - from : READ_BYTES) / f->inode_bytes * f->inode_bytes);

		if (fs_cursor_read(f->span.cursor, from, f->old_block, part, err) < 0 ||
		    fs_cursor_new_bytes(f->span.cursor, change, from - change->offset, f->new_block, part, err) < 0)
			return -1;
		for (size_t at = 0; at < part && memcmp(f->old_block + at, f->new_block + at, part - at) != 0; at += f->inode_bytes) {
			uint64_t number = g->first_inode + (from + at - g->place) / f->inode_bytes;

			if (compare_inode(f, number, f->old_block + at, f->new_block + at, step->realtime_ns, err) < 0)
				return -1;
		}
		from += part;
	}
	return 0;
}

struct seen_names { struct files *files; uint64_t folder; struct error *err; int result; };

// An entry that was not at this place of the block before.
static int keep_name(void *context, const void *name, size_t length, uint64_t inode)
{
	struct seen_names *s = context;
	struct files *f = s->files;
	size_t at = (size_t)((const uint8_t *)name - f->new_block);
	struct new_name n = {.begin = f->name_bytes.length, .length = length, .inode = inode, .folder = s->folder};

	if ((length <= 2 && memcmp(name, "..", length) == 0) ||
	    (at >= 8 && memcmp(f->old_block + at, name, length) == 0 && memcmp(f->old_block + at - 8, f->new_block + at - 8, 4) == 0))
		return 0;
	buffer_add(&f->name_bytes, name, length);
	if (new_names_append(&f->new_names, n) < 0 || buffer_check(&f->name_bytes, s->err) < 0)
		s->result = error_set(s->err, "out of memory");
	return s->result < 0;
}

static int note_folder_blocks(struct files *f, const struct fs_change *change, struct error *err)
{
	struct seen_names names = {.files = f, .err = err};
	uint32_t size = fs_cursor_block_bytes(f->span.cursor);

	for (uint64_t at = 0; at + size <= change->length && names.result == 0; at += size) {
		if (!fs_table_get(&f->folder_blocks, (change->offset + at) / size, &names.folder))
			continue;
		if (fs_cursor_read(f->span.cursor, change->offset + at, f->old_block, size, err) < 0 ||
		    fs_cursor_new_bytes(f->span.cursor, change, at, f->new_block, size, err) < 0)
			return -1;
		(void)fs_names_scan(f->new_block, size, keep_name, &names);
	}
	return names.result;
}

static int note_data(struct files *f, const struct fs_step *step, const struct fs_change *change, struct error *err)
{
	size_t low = 0, high = f->owned.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->owned.items[middle].volume_offset + f->owned.items[middle].length <= change->offset)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < f->owned.count && f->owned.items[low].volume_offset < change->offset + change->length; low++) {
		struct fs_file file = {0};
		struct touched *t;
		struct error ignored;

		if (low > 0 && f->owned.items[low - 1].inode == f->owned.items[low].inode && f->owned.items[low - 1].volume_offset >= change->offset)
			continue; // the run before was the same file's
		if (fs_ext_stat(f->span.end.fs, f->owned.items[low].inode, &file, &ignored) < 0)
			continue;
		int result = note_touched(f, file.inode, files_mark_of(&file), step->realtime_ns, &t, err);

		if (result == 0) {
			t->kind = file.kind;
			t->data = true;
		}
		fs_file_release(&file);
		if (result < 0)
			return -1;
	}
	return 0;
}

static int before_step(void *context, const struct fs_step *step, struct error *err)
{
	struct files *f = context;
	uint32_t size = fs_cursor_block_bytes(f->span.cursor);

	for (size_t i = 0; i < step->changes.count; i++) {
		const struct fs_change *change = &step->changes.items[i];
		uint64_t end = change->offset + change->length, folder;
		size_t low = 0, high = f->groups.count;

		if (change->shadowed)
			continue;
		while (low < high) { // the first table that ends behind the change's beginning
			size_t middle = low + (high - low) / 2;

			if (f->groups.items[middle].place + f->table_bytes <= change->offset)
				low = middle + 1;
			else
				high = middle;
		}
		for (; low < f->groups.count && f->groups.items[low].place < end; low++) {
			if (note_table(f, step, change, &f->groups.items[low], err) < 0)
				return -1;
		}
		if (change->source == FS_FROM_ZEROS) // mkfs and discards: no names, and who owned the data has changed itself
			continue;
		if ((change->length > size || fs_table_get(&f->folder_blocks, change->offset / size, &folder)) && note_folder_blocks(f, change, err) < 0)
			return -1;
		if (note_data(f, step, change, err) < 0)
			return -1;
	}
	return 0;
}

// Which incarnation a new name means is known now that the step shows: the inode comes in the same commit.
static int after_step(void *context, const struct fs_step *step, struct error *err)
{
	struct files *f = context;
	int result = 0;

	(void)step;
	for (size_t i = 0; i < f->new_names.count && result == 0; i++) {
		const struct new_name *n = &f->new_names.items[i];
		struct tree_name name = {.inode = n->inode, .parent = n->folder, .bytes = f->name_bytes.bytes + n->begin, .length = n->length};
		uint8_t inode[0x94] = {0};
		uint64_t place;
		uint32_t bytes;
		struct error ignored;

		if (fs_ext_inode_place(f->span.end.fs, n->inode, &place, &bytes, &ignored) < 0)
			continue;
		if (fs_cursor_read(f->span.cursor, place, inode, bytes < sizeof(inode) ? bytes : sizeof(inode), err) < 0)
			return -1;
		// Without a journal a folder may be written before the inode that it names: whose name it is, is not known then.
		uint64_t key = fs_inode_lives(inode) ? files_key(n->inode, mark_of_raw(inode, bytes)) : files_unclaimed(n->inode);

		result = files_add_name(&f->between, key, true, &name, err);
		if (result == 0)
			result = files_add_name(&f->between, n->inode, true, &name, err); // for what lies below it, where it is a folder
	}
	f->new_names.count = 0;
	buffer_clear(&f->name_bytes);
	return result;
}

// ----

static int prepare(struct files *f, struct error *err)
{
	struct error no_file_system;

	// At the beginning there may be no file system yet: then every file was added.
	if (fs_moment_open(f->job, f->job->question->from_seq, true, &f->begin, &no_file_system) < 0)
		f->begin = (struct fs_moment){0};
	f->job->failure = FSREAD_BROKEN;
	f->old_block = malloc(READ_BYTES);
	f->new_block = malloc(READ_BYTES);
	if (!f->old_block || !f->new_block)
		return error_set(err, "out of memory");
	if (find_groups(f, err) < 0 || fs_ext_inodes(f->span.end.fs, note_owner, f, err) < 0)
		return -1;
	if (f->owned.count > 1)
		qsort(f->owned.items, f->owned.count, sizeof(*f->owned.items), compare_owned);
	// Once for the blocks of the folders, once more behind the walk for the names of what changed.
	return f->begin.fs ? files_read_tree(f, &f->begin, true, &f->before, err) : 0;
}

static int run(struct files *f, struct error *err)
{
	struct tree folders = {0};
	int result = prepare(f, err);

	if (result == 0)
		result = files_read_tree(f, &f->span.end, true, &folders, err);
	files_release_tree(&folders);
	files_release_tree(&f->before);
	fs_cursor_watch_all(f->span.cursor);
	if (result == 0)
		result = fs_cursor_walk(f->span.cursor, f->job->question->to_seq, before_step, after_step, f, err) < 0 ? -1 : 0;
	if (result == 0)
		result = fs_span_warn(f->job, &f->span, err);
	if (result == 0 && f->begin.fs)
		result = files_read_tree(f, &f->begin, false, &f->before, err);
	if (result == 0)
		result = files_read_tree(f, &f->span.end, false, &f->after, err);
	for (size_t i = 0; result == 0 && i < f->touched.count; i++)
		result = files_tell(f, &f->touched.items[i], err);
	return result;
}

int fs_job_files(struct fs_job *job, struct error *err)
{
	struct files f = {.job = job};
	int result;

	if (fs_span_open(job, job->question->from_seq, job->question->to_seq, &f.span, err) < 0)
		return -1;
	result = run(&f, err);
	files_release_tree(&f.before);
	files_release_tree(&f.after);
	files_release_tree(&f.between);
	fs_table_release(&f.folder_blocks);
	fs_table_release(&f.by_incarnation);
	group_vector_release(&f.groups);
	owned_vector_release(&f.owned);
	touched_vector_release(&f.touched);
	new_names_release(&f.new_names);
	buffer_release(&f.name_bytes);
	free(f.old_block);
	free(f.new_block);
	buffer_release(&f.payload);
	if (f.begin.fs)
		fs_moment_release(&f.begin);
	fs_span_release(&f.span);
	return result;
}
