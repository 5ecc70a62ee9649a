// SPDX-License-Identifier: MIT
// A folder with all below goes into a new folder (0700), which gets its name when everything is there. Regular files (0600), folders
// and hard links are made; symlinks, devices, FIFOs and sockets are only listed in the manifest. No owner, mode or time of the guest is applied.
#include "snapshots/restore_parts.h"

#include "base/memory.h"
#include "snapshots/inode_map.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_HARD_LINKS 1000u              // our limit for the names of one file
#define MAX_ENTRIES ((size_t)16 << 20)    // our limits: of made files and folders, and of their paths
#define MAX_PATHS_BYTES ((size_t)1 << 30)
#define MAX_MANIFEST_BYTES ((size_t)1 << 30)

struct made { size_t path_at; uint64_t inode; uint32_t hard_links; bool is_folder; };
VECTOR_DEFINE(made_vector, struct made)

struct restore_tree {
	const char *path;          // where it goes
	char temporary[PATH_MAX];  // where it is; "" when nothing is there
	int root_fd, parent_fd;    // parent: of the last file, kept for the next
	struct buffer parent;      // its path
	struct restore_report *report;
	uint64_t left;             // bytes that may still be written
	bool has_root;
	struct buffer root;        // path of the folder in the guest
	struct made_vector made;   // in order: a folder before what is in it
	struct buffer paths;       // of what was made, each with its NUL
	struct inode_map linked;   // files with several names -> index of the first that was made
	// the file whose content comes now
	bool open, whole, judged;
	struct fs_verdict verdict;
	struct fs_file file;
	int fd;
	struct restore_stream stream;
};

static const char *made_path(const struct restore_tree *t, size_t index)
{
	return t->paths.bytes + t->made.items[index].path_at;
}

// Beside its place, so that the last step is a rename.
static int make_root(struct restore_tree *t, struct error *err)
{
	const char *path = t->path;
	size_t folder = strlen(path);
	struct stat status;
	char name[PATH_MAX];

	while (folder > 1 && path[folder - 1] == '/')
		folder--;
	while (folder > 0 && path[folder - 1] != '/')
		folder--;
	if (lstat(path, &status) == 0)
		return error_set(err, "%s: exists already; a folder is restored into a new one", path);
	if (snprintf(name, sizeof(name), "%.*s.provgraph-restore-XXXXXX", (int)folder, path) >= (int)sizeof(name))
		return error_set(err, "%s: the name is too long", path);
	if (!mkdtemp(name)) // mode 0700
		return error_set_errno(err, errno, "%s: cannot create a folder there", path);
	memcpy(t->temporary, name, sizeof(name));
	t->root_fd = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return t->root_fd < 0 ? error_set_errno(err, errno, "%s: cannot open the new folder", path) : 0;
}

int restore_tree_new(const char *path, uint64_t max_bytes, struct restore_report *report, struct restore_tree **ret, struct error *err)
{
	struct restore_tree *t = calloc(1, sizeof(*t));

	if (!t)
		return error_set(err, "out of memory");
	*t = (struct restore_tree){.path = path, .root_fd = -1, .parent_fd = -1, .fd = -1, .report = report,
				   .left = max_bytes > 0 ? max_bytes : UINT64_MAX};
	if (make_root(t, err) < 0) {
		restore_tree_free(t);
		return -1;
	}
	*ret = t;
	return 0;
}

// ---- making

static void leave_out(struct restore_tree *t, const struct fs_file *file, const char *why)
{
	t->report->skipped++;
	restore_manifest_add(&t->report->manifest, file, &(struct restore_line){.skipped = why});
}

// The open folder in which `path` lies. -1 with errno.
static int parent_of(struct restore_tree *t, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;

	if (t->parent_fd >= 0 && length == t->parent.length && memcmp(buffer_string(&t->parent), path, length) == 0) {
		*ret_name = slash ? slash + 1 : path;
		return t->parent_fd;
	}
	if (t->parent_fd >= 0)
		(void)close(t->parent_fd);
	t->parent_fd = -1;
	if (restore_beneath_open(t->root_fd, path, &t->parent_fd, ret_name) < 0)
		return -1;
	buffer_clear(&t->parent);
	buffer_add(&t->parent, path, length);
	return t->parent_fd;
}

static int remember(struct restore_tree *t, const char *path, const struct fs_file *file, bool is_folder, struct error *err)
{
	struct made made = {.path_at = t->paths.length, .inode = file->inode, .is_folder = is_folder};

	buffer_add(&t->paths, path, strlen(path) + 1);
	if (t->made.count >= MAX_ENTRIES || t->paths.length > MAX_PATHS_BYTES)
		return error_set(err, "%s: more files than the limit of %zu", t->path, MAX_ENTRIES);
	if (buffer_check(&t->paths, err) < 0 || made_vector_append(&t->made, made) < 0)
		return error_set(err, "out of memory");
	return 0;
}

// Trouble of one name is told and the rest goes on; trouble of the disk ends it.
static int name_trouble(struct restore_tree *t, const struct fs_file *file, const char *path, int reason, struct error *err)
{
	char why[256];

	switch (reason) {
	case EEXIST: case ENOENT: case ENOTDIR: case ENAMETOOLONG: case EILSEQ: case EINVAL: case ELOOP: case EXDEV: case EMLINK:
		(void)snprintf(why, sizeof(why), "cannot be made here: %s", reason == EEXIST ? "its folder has this name already" :
			       reason == ENOENT ? "its folder is missing" : strerror(reason));
		leave_out(t, file, why);
		return 0;
	default:
		return error_set_errno(err, reason, "%s/%.200s: cannot create", t->path, path);
	}
}

static int make_folder(struct restore_tree *t, const char *path, const struct fs_file *file, struct error *err)
{
	const char *name;
	int parent = parent_of(t, path, &name);

	if (parent < 0 || mkdirat(parent, name, 0700) < 0)
		return name_trouble(t, file, path, errno, err);
	t->report->folders++;
	restore_manifest_add(&t->report->manifest, file, &(struct restore_line){0});
	return remember(t, path, file, true, err);
}

// Another name of a file that is there.
static int make_link(struct restore_tree *t, size_t first, const char *path, const struct fs_file *file, struct error *err)
{
	const char *name, *first_name;
	int from AUTO_CLOSE = -1;
	int parent = parent_of(t, path, &name);

	if (t->made.items[first].hard_links >= MAX_HARD_LINKS) {
		leave_out(t, file, "one file has more names than the limit");
		return 0;
	}
	if (parent < 0 || restore_beneath_open(t->root_fd, made_path(t, first), &from, &first_name) < 0 ||
	    linkat(from, first_name, parent, name, 0) < 0)
		return name_trouble(t, file, path, errno, err);
	t->made.items[first].hard_links++;
	t->report->files++;
	restore_manifest_add(&t->report->manifest, file, &(struct restore_line){.hard_link_to = made_path(t, first)});
	return remember(t, path, file, false, err);
}

static int open_file(struct restore_tree *t, const char *path, struct fs_file *file, struct error *err)
{
	const char *name;
	uint64_t first;

	if (file->links > 1 && inode_map_find(&t->linked, file->inode, &first))
		return make_link(t, (size_t)first, path, file, err);
	// The other process has judged this, too; it may lie.
	if (file->size_bytes > t->left) {
		leave_out(t, file, "it is larger than what --max-bytes leaves");
		return 0;
	}
	t->left -= file->size_bytes;
	int parent = parent_of(t, path, &name);

	t->fd = parent < 0 ? -1 : openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (t->fd < 0)
		return name_trouble(t, file, path, errno, err);
	t->open = true;
	t->whole = t->judged = false;
	t->file = *file;
	*file = (struct fs_file){0}; // it is ours now
	if (remember(t, path, &t->file, false, err) < 0)
		return -1;
	return restore_stream_init(&t->stream, t->fd, made_path(t, t->made.count - 1), t->file.size_bytes, err);
}

// The content of the open file has ended.
static int close_file(struct restore_tree *t, struct error *err)
{
	char sha256[65];
	bool is_new;
	int result = 0;

	if (!t->open)
		return 0;
	if (!t->whole) {
		const char *name, *path = made_path(t, t->made.count - 1);
		int parent = parent_of(t, path, &name);

		if (parent >= 0)
			(void)unlinkat(parent, name, 0);
		t->made.count--;
		leave_out(t, &t->file, "its content could not be read in full");
	} else {
		result = restore_stream_finish(&t->stream, sha256, err);
		if (result == 0) {
			t->report->files++;
			t->report->bytes += t->file.size_bytes;
			t->report->pending_files += t->judged && t->verdict.kind == FS_PENDING;
			restore_manifest_add(&t->report->manifest, &t->file,
					     &(struct restore_line){.sha256 = sha256, .verdict = t->judged ? &t->verdict : NULL});
		}
		if (result == 0 && t->file.links > 1 && t->file.inode != 0)
			result = inode_map_add(&t->linked, t->file.inode, t->made.count - 1, &is_new, NULL, err);
	}
	restore_stream_release(&t->stream);
	(void)close(t->fd);
	t->fd = -1;
	t->open = false;
	fs_file_release(&t->file);
	return result;
}

// ---- frames

// The path below the folder that was asked for; NULL: it does not lie there.
static const char *below_root(const struct restore_tree *t, const struct fs_file *file, const char **ret_why)
{
	const char *root = buffer_string(&t->root);
	size_t length = t->root.length;

	*ret_why = "it does not lie in the folder that was asked for";
	if (!file->path || file->path_length <= length || memcmp(file->path, root, length) != 0 || file->path[length] != '/')
		return NULL;
	*ret_why = restore_beneath_check(file->path + length + 1, file->path_length - length - 1);
	return *ret_why ? NULL : file->path + length + 1;
}

static int take_file(struct restore_tree *t, struct fs_file *file, struct error *err)
{
	const char *why;

	if (!t->has_root) {
		if (file->kind != FS_FOLDER || !file->path)
			return error_set(err, "the answer does not begin with the folder");
		t->has_root = true;
		buffer_add(&t->root, file->path, file->path_length);
		t->report->file = *file;
		*file = (struct fs_file){0};
		restore_manifest_add(&t->report->manifest, &t->report->file, &(struct restore_line){0});
		return buffer_check(&t->root, err);
	}
	const char *path = below_root(t, file, &why);

	if (!path) {
		leave_out(t, file, why);
		return 0;
	}
	switch (file->kind) {
	case FS_FOLDER:
		return make_folder(t, path, file, err);
	case FS_REGULAR:
		return open_file(t, path, file, err);
	case FS_SYMLINK:
		leave_out(t, file, "symlinks are listed, not made");
		return 0;
	default:
		leave_out(t, file, "no regular file");
		return 0;
	}
}

int restore_tree_frame(struct restore_tree *t, uint32_t type, const void *payload, size_t length, struct error *err)
{
	struct wire_reader r = wire_read(payload, length);
	struct fs_file file;
	uint64_t offset;
	const uint8_t *bytes;
	size_t count;

	switch (type) {
	case FSREAD_FRAME_FILE:
		if (close_file(t, err) < 0 || fs_file_get(&r, &file, err) < 0)
			return -1;
		int result = wire_end(&r, "a file of the tree", err) < 0 ? -1 : take_file(t, &file, err);

		fs_file_release(&file);
		if (result == 0 && t->report->manifest.length > MAX_MANIFEST_BYTES)
			result = error_set(err, "%s: its manifest is longer than the limit of %zu bytes", t->path, MAX_MANIFEST_BYTES);
		return result < 0 ? -1 : buffer_check(&t->report->manifest, err);
	case FSREAD_FRAME_DATA:
		if (fsread_get_piece(payload, length, &offset, &bytes, &count, err) < 0)
			return -1;
		// Of a file that could not be made, content comes all the same.
		return t->open ? restore_stream_add(&t->stream, offset, bytes, count, err) : 0;
	case FSREAD_FRAME_VERDICT:
		if (fs_verdict_get(&r, &t->verdict, err) < 0)
			return -1;
		t->judged = t->open;
		return 0;
	case FSREAD_FRAME_WHOLE:
		t->whole = t->open;
		return 0;
	default:
		return 0;
	}
}

// ---- the end

int restore_tree_commit(struct restore_tree *t, struct error *err)
{
	if (close_file(t, err) < 0)
		return -1;
	if (!t->has_root)
		return error_set(err, "%s: the answer held nothing", t->path);
	if (syncfs(t->root_fd) < 0)
		return error_set_errno(err, errno, "%s: cannot write to the disk", t->path);
	if (renameat2(AT_FDCWD, t->temporary, AT_FDCWD, t->path, RENAME_NOREPLACE) < 0) {
		struct stat status;

		// A file system that cannot rename so; rename(2) replaces an empty folder at most.
		if ((errno != EINVAL && errno != ENOSYS) || lstat(t->path, &status) == 0 || rename(t->temporary, t->path) < 0)
			return error_set_errno(err, errno, "%s: cannot give the new folder its name", t->path);
	}
	t->temporary[0] = '\0';
	return 0;
}

// What was made, newest first: each folder is empty when its turn comes.
static void remove_made(struct restore_tree *t)
{
	for (size_t i = t->made.count; i-- > 0;) {
		const char *name;
		int parent = parent_of(t, made_path(t, i), &name);

		if (parent >= 0)
			(void)unlinkat(parent, name, t->made.items[i].is_folder ? AT_REMOVEDIR : 0);
	}
	(void)rmdir(t->temporary);
}

void restore_tree_free(struct restore_tree *t)
{
	if (!t)
		return;
	if (t->temporary[0])
		remove_made(t);
	if (t->open)
		restore_stream_release(&t->stream);
	if (t->fd >= 0)
		(void)close(t->fd);
	if (t->parent_fd >= 0)
		(void)close(t->parent_fd);
	if (t->root_fd >= 0)
		(void)close(t->root_fd);
	fs_file_release(&t->file);
	buffer_release(&t->parent);
	buffer_release(&t->root);
	buffer_release(&t->paths);
	made_vector_release(&t->made);
	inode_map_release(&t->linked);
	free(t);
}
