// SPDX-License-Identifier: MIT
// Two moments side by side, folder by folder, in the order of names.
#include "snapshots/fs_diff.h"

#include "base/memory.h"
#include "snapshots/fs_table.h"
#include "snapshots/timeline_wire.h"

#include <string.h>

#define ROOT_INODE 2u          /* EXT4_ROOT_INO, fs/ext4/ext4.h */
#define MAX_NAMES ((size_t)1 << 22) /* our limit for one folder */

// ---- names

static int take_name(void *context, const void *name, size_t length, uint64_t inode, unsigned file_type, struct error *err)
{
	struct fs_name_vector *v = context;
	struct fs_name n = {.bytes = malloc(length + 1), .length = length, .inode = inode};

	(void)file_type;
	if (v->count >= MAX_NAMES) {
		free(n.bytes);
		return error_set(err, "a folder holds more than %zu names", MAX_NAMES);
	}
	if (!n.bytes || fs_name_vector_append(v, n) < 0) {
		free(n.bytes);
		return error_set(err, "out of memory");
	}
	memcpy(n.bytes, name, length);
	n.bytes[length] = '\0';
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct fs_name *x = a, *y = b;
	int order = memcmp(x->bytes, y->bytes, x->length < y->length ? x->length : y->length);

	if (order != 0)
		return order;
	return x->length < y->length ? -1 : x->length > y->length;
}

int fs_names_sorted(struct fs_ext *fs, uint64_t folder, struct fs_name_vector *ret, struct error *err)
{
	*ret = (struct fs_name_vector){0};
	if (folder == 0)
		return 0;
	if (fs_ext_list(fs, folder, take_name, ret, err) < 0) {
		fs_name_vector_free(ret);
		return -1;
	}
	if (ret->count > 1)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_names);
	return 0;
}

void fs_name_vector_free(struct fs_name_vector *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i].bytes);
	fs_name_vector_release(v);
}

// ---- walking both

struct folder { char *path; size_t length; uint64_t inode_a, inode_b; };
VECTOR_DEFINE(folder_vector, struct folder)

struct comparison {
	struct fs_job *job;
	struct fs_moment a, b;
	struct folder_vector folders; // still to be walked, the next one last
	struct fs_table seen_a, seen_b; // folders walked: a loop of folders must end
	struct buffer payload;
	uint64_t too_deep;
};

static int send_difference(struct comparison *c, const struct timeline_difference *d, struct error *err)
{
	buffer_clear(&c->payload);
	timeline_put_difference(&c->payload, d);
	return buffer_check(&c->payload, err) < 0 ? -1 : fs_job_send(c->job, FSREAD_FRAME_CHANGE, &c->payload, err);
}

// What a name means at one moment; no such inode: kind FS_OTHER, which compares as any other.
static void stat_or_nothing(struct fs_moment *m, uint64_t inode, struct fs_file *ret)
{
	struct error ignored;

	memset(ret, 0, sizeof(*ret));
	if (inode != 0 && fs_ext_stat(m->fs, inode, ret, &ignored) < 0)
		memset(ret, 0, sizeof(*ret));
}

static bool same_target(const struct fs_file *a, const struct fs_file *b)
{
	return a->target_length == b->target_length && (a->target_length == 0 || memcmp(a->target, b->target, a->target_length) == 0);
}

// 0: nothing differs.
static int judge(struct comparison *c, const struct fs_file *a, const struct fs_file *b, enum timeline_what *ret, struct error *err)
{
	bool equal = true, attributes = a->mode != b->mode || a->uid != b->uid || a->gid != b->gid;

	*ret = 0;
	if (a->kind != b->kind) {
		*ret = TIMELINE_KIND;
		return 0;
	}
	if (a->kind == FS_REGULAR && a->size_bytes != b->size_bytes) {
		*ret = TIMELINE_SIZE;
		return 0;
	}
	if (a->kind == FS_REGULAR && fs_content_equal(&c->a, a->inode, &c->b, b->inode, a->size_bytes, &equal, err) < 0)
		return -1;
	if (a->kind == FS_SYMLINK)
		equal = same_target(a, b);
	// A folder's times change with every name in it: those are told one by one.
	attributes |= a->kind != FS_FOLDER && a->mtime_ns != b->mtime_ns;
	*ret = !equal ? TIMELINE_CONTENT : attributes ? TIMELINE_ATTRIBUTES : 0;
	return 0;
}

static int push_folder(struct comparison *c, const char *path, size_t length, uint64_t a, uint64_t b, struct error *err)
{
	struct folder f = {.length = length, .inode_a = a, .inode_b = b};

	f.path = malloc(length + 1);
	if (!f.path || folder_vector_append(&c->folders, f) < 0) {
		free(f.path);
		return error_set(err, "out of memory");
	}
	memcpy(f.path, path, length);
	f.path[length] = '\0';
	return 0;
}

// One name, at one or both moments. inode 0: not there.
static int compare_name(struct comparison *c, const char *path, size_t length, uint64_t inode_a, uint64_t inode_b, struct error *err)
{
	struct fs_file a, b;
	struct timeline_difference d = {.path = (char *)(uintptr_t)path, .path_length = length, .inode_before = inode_a, .inode_after = inode_b};
	enum timeline_what what = 0;
	int result = 0;

	stat_or_nothing(&c->a, inode_a, &a);
	stat_or_nothing(&c->b, inode_b, &b);
	if (inode_a == 0)
		what = TIMELINE_ADDED;
	else if (inode_b == 0)
		what = TIMELINE_REMOVED;
	else
		result = judge(c, &a, &b, &what, err);
	d.what = what;
	d.size_before = a.size_bytes;
	d.size_after = b.size_bytes;
	d.kind_before = a.kind;
	d.kind_after = b.kind;
	if (result == 0 && what != 0)
		result = send_difference(c, &d, err);
	if (result == 0 && (a.kind == FS_FOLDER || b.kind == FS_FOLDER))
		result = push_folder(c, path, length, a.kind == FS_FOLDER ? inode_a : 0, b.kind == FS_FOLDER ? inode_b : 0, err);
	fs_file_release(&a);
	fs_file_release(&b);
	return result;
}

static int compare_joined(struct comparison *c, const struct folder *f, const struct fs_name *name, uint64_t a, uint64_t b, struct error *err)
{
	struct buffer path AUTO_RELEASE_BUFFER = {0};

	buffer_add(&path, f->path, f->length);
	buffer_add_byte(&path, '/');
	buffer_add(&path, name->bytes, name->length);
	if (path.length > TIMELINE_PATH_BYTES) {
		c->too_deep++;
		return 0;
	}
	return buffer_check(&path, err) < 0 ? -1 : compare_name(c, path.bytes, path.length, a, b, err);
}

// A folder is walked once at each moment, whatever names lead to it.
static uint64_t first_visit(struct fs_table *seen, uint64_t inode, struct error *err, int *result)
{
	uint64_t value;

	if (inode == 0 || fs_table_get(seen, inode, &value))
		return 0;
	if (fs_table_put(seen, inode, 1) < 0)
		*result = error_set(err, "out of memory");
	return inode;
}

// A damaged folder is told and passed over: the rest can still be compared.
static int list_folder(struct comparison *c, struct fs_moment *m, uint64_t inode, struct fs_name_vector *ret, struct error *err)
{
	struct error why;

	return fs_names_sorted(m->fs, inode, ret, &why) < 0 ? fs_job_warn(c->job, why.message, err) : 0;
}

static int compare_folder(struct comparison *c, const struct folder *f, struct error *err)
{
	struct fs_name_vector a = {0}, b = {0};
	size_t i = 0, k = 0, first = c->folders.count;
	int result = 0;
	uint64_t inode_a = first_visit(&c->seen_a, f->inode_a, err, &result), inode_b = first_visit(&c->seen_b, f->inode_b, err, &result);

	if (result == 0)
		result = list_folder(c, &c->a, inode_a, &a, err);
	if (result == 0)
		result = list_folder(c, &c->b, inode_b, &b, err);
	while (result == 0 && (i < a.count || k < b.count)) {
		int order = i == a.count ? 1 : k == b.count ? -1 : compare_names(&a.items[i], &b.items[k]);

		const struct fs_name *x = order <= 0 ? &a.items[i++] : NULL, *y = order >= 0 ? &b.items[k++] : NULL;

		result = compare_joined(c, f, x ? x : y, x ? x->inode : 0, y ? y->inode : 0, err);
	}
	// The next one is taken from the end: turn them round, so that the answer is in the order of paths.
	for (size_t low = first, high = c->folders.count; low + 1 < high; low++) {
		struct folder swap = c->folders.items[low];

		c->folders.items[low] = c->folders.items[--high];
		c->folders.items[high] = swap;
	}
	fs_name_vector_free(&a);
	fs_name_vector_free(&b);
	return result;
}

static int compare_all(struct comparison *c, struct error *err)
{
	int result = push_folder(c, "", 0, ROOT_INODE, ROOT_INODE, err);

	while (result == 0 && c->folders.count > 0) {
		struct folder f = c->folders.items[--c->folders.count];

		result = compare_folder(c, &f, err);
		free(f.path);
	}
	for (size_t i = 0; i < c->folders.count; i++)
		free(c->folders.items[i].path);
	folder_vector_release(&c->folders);
	if (result == 0 && c->too_deep > 0)
		result = fs_job_warn(c->job, "names deeper than a path may be long were left out", err);
	return result;
}

int fs_job_diff(struct fs_job *job, struct error *err)
{
	struct comparison c = {.job = job};
	int result = fs_moment_open(job, job->question->from_seq, true, &c.a, err);

	if (result < 0)
		return -1;
	result = fs_moment_open(job, job->question->to_seq, true, &c.b, err);
	if (result == 0) {
		result = compare_all(&c, err);
		fs_moment_release(&c.b);
	}
	fs_moment_release(&c.a);
	fs_table_release(&c.seen_a);
	fs_table_release(&c.seen_b);
	buffer_release(&c.payload);
	return result;
}
