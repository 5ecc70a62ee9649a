// SPDX-License-Identifier: MIT
// From a path to an inode, as Linux would walk it inside this file system alone.
#include "snapshots/fs_ext_parts.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SYMLINKS 40 // MAXSYMLINKS, linux/namei.h
#define MAX_STEPS 65536 // our limit: symlinks can make a path long, never endless

struct walk {
	struct fs_ext *fs;
	struct u64_vector folders; // from the root to where we are, for ".."
	struct buffer rest;        // of the path, from `at` on
	size_t at;
	unsigned symlinks;
};

struct finding { const char *name; size_t length; uint64_t inode; };

static int match(void *context, const void *name, size_t length, uint64_t inode, unsigned file_type, struct error *err)
{
	struct finding *f = context;

	(void)file_type, (void)err;
	if (length != f->length || memcmp(name, f->name, length) != 0)
		return 0;
	f->inode = inode;
	return 1;
}

// The next part of the path: *ret_length 0 at its end.
static const char *next_part(struct walk *w, size_t *ret_length)
{
	const char *bytes = buffer_string(&w->rest);

	while (w->at < w->rest.length && bytes[w->at] == '/')
		w->at++;
	size_t from = w->at;

	while (w->at < w->rest.length && bytes[w->at] != '/')
		w->at++;
	*ret_length = w->at - from;
	return bytes + from;
}

// A slash behind the last part asks for a folder, so that a symlink there is followed.
static bool is_last(const struct walk *w)
{
	return w->at == w->rest.length;
}

// The target takes the place of the part that was just read.
static int follow(struct walk *w, uint64_t inode, struct error *err)
{
	struct buffer rest = {0};
	char *target AUTO_FREE = NULL;
	size_t length;

	if (++w->symlinks > MAX_SYMLINKS)
		return error_set(err, "more than %d symlinks lie on the way", MAX_SYMLINKS);
	if (fs_ext_target(w->fs, inode, &target, &length, err) < 0)
		return -1;
	buffer_add(&rest, target, length);
	buffer_add(&rest, buffer_string(&w->rest) + w->at, w->rest.length - w->at);
	if (buffer_check(&rest, err) < 0)
		return -1;
	if (target[0] == '/')
		w->folders.count = 1;
	buffer_release(&w->rest);
	w->rest = rest;
	w->at = 0;
	return 0;
}

static int not_found(struct walk *w, const char *name, size_t length, uint64_t folder, struct error *err)
{
	const char *hint = "";

	if (w->fs->content.inode == folder && (w->fs->content.file.flags & INODE_FLAG_CASEFOLD))
		hint = " (this folder ignores upper and lower case: give the name as it was made)";
	else if (w->fs->content.inode == folder && (w->fs->content.file.flags & INODE_FLAG_ENCRYPTED))
		hint = " (its names are encrypted)";
	return error_set(err, "no \"%.*s\" in folder inode %" PRIu64 "%s", (int)(length > 255 ? 255 : length), name, folder, hint);
}

// One part: 0 go on, 1 not there (err says why), -1.
static int step(struct walk *w, const char *name, size_t length, uint64_t *current, struct error *err)
{
	uint64_t folder = w->folders.items[w->folders.count - 1];
	struct finding finding = {.name = name, .length = length};

	if (length == 1 && name[0] == '.') {
		*current = folder;
		return 0;
	}
	if (length == 2 && memcmp(name, "..", 2) == 0) {
		if (w->folders.count > 1)
			w->folders.count--;
		*current = w->folders.items[w->folders.count - 1];
		return 0;
	}
	int found = length > FS_NAME_BYTES ? 0 : fs_ext_list(w->fs, folder, match, &finding, err);

	if (found < 0)
		return -1;
	if (found == 0) {
		(void)not_found(w, name, length, folder, err);
		return 1;
	}
	if (fs_ext_load(w->fs, finding.inode, err) < 0)
		return -1;
	enum fs_kind kind = w->fs->content.file.kind;

	*current = finding.inode;
	if (kind == FS_SYMLINK && !is_last(w)) {
		*current = folder;
		return follow(w, finding.inode, err);
	}
	if (kind == FS_FOLDER)
		return u64_vector_append(&w->folders, finding.inode) < 0 ? error_set(err, "out of memory") : 0;
	if (is_last(w))
		return 0;
	(void)error_set(err, "\"%.*s\" is a %s, not a folder", (int)length, name, fs_kind_name(kind));
	return 1;
}

static int walk_path(struct walk *w, uint64_t *ret_inode, bool *ret_found, struct error *err)
{
	uint64_t current = INODE_ROOT;

	if (u64_vector_append(&w->folders, INODE_ROOT) < 0)
		return error_set(err, "out of memory");
	for (unsigned steps = 0; steps < MAX_STEPS; steps++) {
		size_t length;
		const char *name = next_part(w, &length);

		if (length == 0) {
			*ret_inode = current;
			*ret_found = true;
			return 0;
		}
		int result = step(w, name, length, &current, err);

		if (result > 0)
			*ret_found = false;
		if (result != 0)
			return result < 0 ? -1 : 0;
	}
	return error_set(err, "the path has more than %d parts", MAX_STEPS);
}

int fs_ext_lookup(struct fs_ext *fs, const void *path, size_t length, uint64_t *ret_inode, bool *ret_found, struct error *err)
{
	struct walk w = {.fs = fs};

	if (length > FS_PATH_BYTES)
		return error_set(err, "the path is longer than %d bytes", FS_PATH_BYTES);
	buffer_add(&w.rest, path, length);
	int result = buffer_check(&w.rest, err) < 0 ? -1 : walk_path(&w, ret_inode, ret_found, err);

	buffer_release(&w.rest);
	u64_vector_release(&w.folders);
	return result;
}
