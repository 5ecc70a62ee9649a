// SPDX-License-Identifier: MIT
// What is told of a file that changed: from what both moments know of it.
#include "snapshots/fs_files_work.h"

#include "base/memory.h"
#include "base/nanotime.h"

#include <string.h>

#define LEAST_DELETION_NS (NANOTIME_SECOND << 26) /* see fs_inode_lives() */

uint32_t files_mark_of(const struct fs_file *file)
{
	return files_mark(file->generation, file->crtime_ns == NANOTIME_NONE ? 0 : (uint32_t)(file->crtime_ns / NANOTIME_SECOND));
}

static int send(struct files *f, enum timeline_what what, const struct touched *t, const struct fs_file *a, const struct fs_file *b,
		const struct buffer *path, struct error *err)
{
	struct timeline_difference d = {.what = what, .changed_ns = t->changed_ns, .path = path->bytes, .path_length = path->length};

	d.inode_before = a ? t->inode : 0;
	d.inode_after = b ? t->inode : 0;
	d.size_before = a ? a->size_bytes : 0;
	d.size_after = b ? b->size_bytes : 0;
	d.kind_before = a ? a->kind : FS_OTHER;
	d.kind_after = b ? b->kind : FS_OTHER;
	if (what == TIMELINE_CAME_AND_WENT) {
		d.inode_before = d.inode_after = t->inode;
		d.kind_before = d.kind_after = t->kind;
		d.size_after = t->size_bytes;
	}
	buffer_clear(&f->payload);
	timeline_put_difference(&f->payload, &d);
	return buffer_check(&f->payload, err) < 0 ? -1 : fs_job_send(f->job, FSREAD_FRAME_CHANGE, &f->payload, err);
}

// The incarnation at one moment; false: not there.
static bool stat_incarnation(struct fs_moment *m, const struct touched *t, struct fs_file *ret)
{
	struct error ignored;

	*ret = (struct fs_file){0};
	if (!m->fs || fs_ext_stat(m->fs, t->inode, ret, &ignored) < 0)
		return false;
	if (files_mark_of(ret) == t->mark && ret->links > 0 && ret->mode != 0 && ret->dtime_ns < LEAST_DELETION_NS)
		return true;
	fs_file_release(ret);
	*ret = (struct fs_file){0};
	return false;
}

// The root has no name.
static void path_of(const struct files *f, const struct touched *t, const struct tree *leaf, struct buffer *out)
{
	const struct tree *trees[] = {leaf, &f->before, &f->between, &f->after};
	bool known;

	if (t->inode == 2) {
		buffer_add_byte(out, '/');
		return;
	}
	if (leaf != &f->between)
		known = files_path(leaf, t->inode, trees, ARRAY_LENGTH(trees), out);
	else
		known = files_path(leaf, files_key(t->inode, t->mark), trees, ARRAY_LENGTH(trees), out) ||
			files_path(leaf, files_unclaimed(t->inode), trees, ARRAY_LENGTH(trees), out);
	if (!known)
		buffer_clear(out); // it never reached the disk
}

// Data that was written with the bytes that were there, while nothing else of the file changed, changes nothing.
static int is_unchanged(struct files *f, const struct touched *t, const struct fs_file *a, const struct fs_file *b, bool *ret, struct error *err)
{
	*ret = false;
	if (t->itself || a->kind != FS_REGULAR || a->size_bytes != b->size_bytes)
		return 0;
	return fs_content_equal(&f->begin, t->inode, &f->span.end, t->inode, a->size_bytes, ret, err);
}

static int tell_both(struct files *f, const struct touched *t, const struct fs_file *a, const struct fs_file *b, struct error *err)
{
	struct buffer old AUTO_RELEASE_BUFFER = {0}, new AUTO_RELEASE_BUFFER = {0};
	bool moved, unchanged, attributes = a->mode != b->mode || a->uid != b->uid || a->gid != b->gid;

	if (is_unchanged(f, t, a, b, &unchanged, err) < 0)
		return -1;
	if (unchanged)
		return 0;
	path_of(f, t, &f->before, &old);
	path_of(f, t, &f->after, &new);
	if (buffer_check(&old, err) < 0 || buffer_check(&new, err) < 0)
		return -1;
	moved = old.length != new.length || memcmp(buffer_string(&old), buffer_string(&new), old.length) != 0;
	if (moved && (send(f, TIMELINE_REMOVED, t, a, NULL, &old, err) < 0 || send(f, TIMELINE_ADDED, t, NULL, b, &new, err) < 0))
		return -1;
	if (a->kind == FS_REGULAR && a->size_bytes != b->size_bytes)
		return send(f, TIMELINE_SIZE, t, a, b, &new, err);
	if (a->kind == FS_REGULAR && (t->content || t->data))
		return send(f, TIMELINE_CONTENT, t, a, b, &new, err);
	if (attributes || (a->kind != FS_FOLDER && !moved))
		return send(f, TIMELINE_ATTRIBUTES, t, a, b, &new, err);
	return 0; // a folder: its names are told one by one
}

int files_tell(struct files *f, const struct touched *t, struct error *err)
{
	struct buffer path AUTO_RELEASE_BUFFER = {0};
	struct fs_file a, b;
	bool was = stat_incarnation(&f->begin, t, &a), is = stat_incarnation(&f->span.end, t, &b);
	int result;

	if (was && is) {
		result = tell_both(f, t, &a, &b, err);
	} else {
		enum timeline_what what = was ? TIMELINE_REMOVED : is ? TIMELINE_ADDED : TIMELINE_CAME_AND_WENT;

		path_of(f, t, was ? &f->before : is ? &f->after : &f->between, &path);
		result = buffer_check(&path, err) < 0 ? -1 : send(f, what, t, was ? &a : NULL, is ? &b : NULL, &path, err);
	}
	fs_file_release(&a);
	fs_file_release(&b);
	return result;
}
