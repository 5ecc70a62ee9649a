// SPDX-License-Identifier: MIT
// Contents: of one file, and of a folder with all below. Holes are not sent.
#include "snapshots/fs_job.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "snapshots/fs_verdict.h"
#include "snapshots/inode_map.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES (512u << 10)
#define PIECE_HEADER_BYTES 12                       // u64 offset, u32 length
#define MAX_FOLDERS_BYTES ((size_t)128 << 20)       // our limit for the folders of a tree that wait or are known
#define MAX_FOLDERS ((size_t)1 << 20)
#define MAX_SEARCHES 200                            // our limit: each may take some hundredths of a second

int fs_job_send_file(struct fs_job *job, struct fs_moment *m, uint64_t inode, const void *path, size_t length, struct fs_file *ret,
		     struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};
	struct fs_file file;

	if (fs_ext_stat(m->fs, inode, &file, err) < 0)
		return -1;
	if (path) {
		file.path = strndup(path, length);
		file.path_length = length;
		if (!file.path) {
			fs_file_release(&file);
			return error_set(err, "out of memory");
		}
	}
	fs_file_put(&payload, &file);
	int result = fs_job_send(job, FSREAD_FRAME_FILE, &payload, err);

	if (result == 0 && ret)
		*ret = file;
	else
		fs_file_release(&file);
	return result;
}

struct sending {
	struct fs_job *job;
	struct fs_moment *m;
	uint64_t size_bytes;
	uint8_t *piece; // PIECE_HEADER_BYTES + PIECE_BYTES
};

static int send_piece(struct sending *s, uint64_t offset, size_t length, struct error *err)
{
	put_le64(s->piece, offset);
	put_le32(s->piece + 8, (uint32_t)length);
	return wire_send(s->job->out_fd, FSREAD_FRAME_DATA, s->piece, PIECE_HEADER_BYTES + length, err);
}

static int send_run(void *context, const struct fs_run *run, struct error *err)
{
	struct sending *s = context;
	uint64_t length = run->length, done = 0;

	if (run->unwritten || run->file_offset >= s->size_bytes)
		return 0;
	if (length > s->size_bytes - run->file_offset)
		length = s->size_bytes - run->file_offset;
	while (done < length) {
		size_t step = length - done < PIECE_BYTES ? (size_t)(length - done) : PIECE_BYTES;

		if (volume_read(s->m->volume, run->volume_offset + done, s->piece + PIECE_HEADER_BYTES, step, err) < 0 ||
		    send_piece(s, run->file_offset + done, step, err) < 0)
			return -1;
		done += step;
	}
	return 0;
}

// Inline content is at most an inode long.
static int send_inline(struct sending *s, uint64_t inode, struct error *err)
{
	size_t got;

	if (fs_ext_read(s->m->fs, inode, 0, s->piece + PIECE_HEADER_BYTES, PIECE_BYTES, &got, err) < 0)
		return -1;
	return got > 0 ? send_piece(s, 0, got, err) : 0;
}

static int send_content(struct fs_job *job, struct fs_moment *m, const struct fs_file *file, struct error *err)
{
	uint8_t *piece AUTO_FREE = malloc(PIECE_HEADER_BYTES + PIECE_BYTES);
	struct sending s = {job, m, file->size_bytes, piece};

	if (!piece)
		return error_set(err, "out of memory");
	if (file->flags & FS_FLAG_INLINE)
		return send_inline(&s, file->inode, err);
	return fs_ext_runs(m->fs, file->inode, send_run, &s, err) == 0 ? 0 : -1;
}

static int warn_encrypted(struct fs_job *job, const struct fs_file *file, struct error *err)
{
	char line[FS_PATH_BYTES + 128];

	if (!(file->flags & FS_FLAG_ENCRYPTED))
		return 0;
	(void)snprintf(line, sizeof(line), "inode %" PRIu64 ": the guest encrypted it; its bytes are given as the disk has them", file->inode);
	return fs_job_warn(job, line, err);
}

static int check_size(const struct fs_file *file, uint64_t left, struct error *err)
{
	if (file->size_bytes <= left)
		return 0;
	return error_set(err, "the file has %" PRIu64 " bytes, and --max-bytes leaves %" PRIu64, file->size_bytes, left);
}

static uint64_t budget(const struct fs_job *job)
{
	return job->question->max_bytes > 0 ? job->question->max_bytes : UINT64_MAX;
}

// FILE; of a regular file DATA. What to make of other kinds is up to the one who asks.
static int send_one(struct fs_job *job, struct fs_moment *m, uint64_t inode, struct error *err)
{
	struct fs_file file = {0};
	int result = fs_job_send_file(job, m, inode, job->question->path, job->question->path_length, &file, err);

	if (result == 0 && file.kind == FS_REGULAR) {
		if (check_size(&file, budget(job), err) < 0 || warn_encrypted(job, &file, err) < 0 || send_content(job, m, &file, err) < 0)
			result = -1;
	}
	fs_file_release(&file);
	return result;
}

// What is known about the content, or about an absence (inode 0). Not knowing it takes nothing from the content.
static int send_verdict(struct fs_job *job, struct fs_moment *m, uint64_t inode, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};
	struct fs_verdict verdict;
	struct error reason;
	char line[sizeof(reason.message) + 64];

	if (job->question->raw)
		return 0;
	if (fs_verdict_judge(job, m, inode, &verdict, &reason) < 0) {
		(void)snprintf(line, sizeof(line), "%s could not be judged: %s",
			       inode ? "whether the content is whole" : "whether it was there before or comes later", reason.message);
		return fs_job_warn(job, line, err);
	}
	fs_verdict_put(&payload, &verdict);
	return fs_job_send(job, FSREAD_FRAME_VERDICT, &payload, err);
}

int fs_job_content(struct fs_job *job, struct error *err)
{
	struct fs_moment m;
	uint64_t inode = 0;

	if (fs_moment_open(job, job->question->to_seq, !job->question->raw, &m, err) < 0)
		return -1;
	int result = fs_moment_find(job, &m, &inode, err);

	if (result == 0)
		result = send_one(job, &m, inode, err) < 0 ? -1 : send_verdict(job, &m, inode, err);
	else if (job->failure == FSREAD_NO_SUCH_FILE && send_verdict(job, &m, 0, NULL) == 0)
		job->failure = FSREAD_NO_SUCH_FILE;
	fs_moment_release(&m);
	return result;
}

// ---- a tree: folders wait in the order in which they were found, so that a guest that nests deeply costs memory and no stack

struct waiting { uint64_t inode; size_t parent; size_t name_at; uint32_t name_length; }; // parent: index; the first is its own
VECTOR_DEFINE(waiting_vector, struct waiting)

struct tree {
	struct fs_job *job;
	struct fs_moment *m;
	struct waiting_vector folders;
	struct buffer names;
	struct inode_map seen;   // folders, and files with several names
	size_t current;          // folder that is read
	uint64_t left;           // of the bytes that may be sent
	unsigned searches;       // for content that comes in later
};

static int add_folder(struct tree *t, uint64_t inode, size_t parent, const void *name, size_t length, struct error *err)
{
	struct waiting folder = {.inode = inode, .parent = parent, .name_at = t->names.length, .name_length = (uint32_t)length};

	if (t->folders.count >= MAX_FOLDERS || t->names.length + length > MAX_FOLDERS_BYTES)
		return error_set(err, "the tree has more than %zu folders", t->folders.count);
	buffer_add(&t->names, name, length);
	if (buffer_check(&t->names, err) < 0 || waiting_vector_append(&t->folders, folder) < 0)
		return error_set(err, "out of memory");
	return 0;
}

// The path of folder `index` and of `name` in it. False: longer than a path may be.
static bool make_path(const struct tree *t, size_t index, const void *name, size_t length, struct buffer *out)
{
	char bytes[FS_PATH_BYTES + 1];
	size_t at = FS_PATH_BYTES;

	for (;;) {
		if (length > at)
			return false;
		at -= length;
		memcpy(bytes + at, name, length);
		if (index == SIZE_MAX)
			break;
		const struct waiting *folder = &t->folders.items[index];

		if (at == 0)
			return false;
		bytes[--at] = '/';
		name = t->names.bytes + folder->name_at;
		length = folder->name_length;
		index = index == 0 ? SIZE_MAX : folder->parent;
	}
	buffer_clear(out);
	buffer_add(out, bytes + at, FS_PATH_BYTES - at);
	return !out->failed;
}

static int skip(struct tree *t, const char *path, size_t length, const char *why, struct error *err)
{
	char line[1600];

	(void)snprintf(line, sizeof(line), "%.*s: %s", (int)(length < 512 ? length : 512), path, why);
	return fs_job_warn(t->job, line, err);
}

// VERDICT behind the content of a file in a tree; none: not judged.
static int send_content_verdict(struct tree *t, const struct fs_file *file, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};
	struct fs_verdict verdict;
	struct error ignored;
	bool searched = false;

	if (t->job->question->raw || t->searches >= MAX_SEARCHES ||
	    fs_verdict_content(t->job, t->m, file->inode, &verdict, &searched, &ignored) < 0)
		return 0;
	t->searches += searched;
	if (t->searches == MAX_SEARCHES && fs_job_warn(t->job, "many files end in NUL bytes: those that follow are not judged", err) < 0)
		return -1;
	fs_verdict_put(&payload, &verdict);
	return fs_job_send(t->job, FSREAD_FRAME_VERDICT, &payload, err);
}

static int send_tree_file(struct tree *t, const struct fs_file *file, struct error *err)
{
	bool first = true;

	// A file with several names is sent once.
	if (file->links > 1 && inode_map_add(&t->seen, file->inode, 0, &first, NULL, err) < 0)
		return -1;
	if (!first)
		return 0;
	struct error reason = {""};

	if (check_size(file, t->left, &reason) < 0)
		return skip(t, file->path, file->path_length, reason.message, err);
	t->left -= file->size_bytes;
	if (warn_encrypted(t->job, file, err) < 0)
		return -1;
	// What could not be read is told, and the other side knows by the missing WHOLE that the content is not whole.
	if (send_content(t->job, t->m, file, &reason) < 0)
		return skip(t, file->path, file->path_length, reason.message, err);
	struct buffer nothing = {0};

	if (send_content_verdict(t, file, err) < 0)
		return -1;
	return fs_job_send(t->job, FSREAD_FRAME_WHOLE, &nothing, err);
}

static int visit_entry(void *context, const void *name, size_t length, uint64_t inode, unsigned file_type, struct error *err)
{
	struct tree *t = context;
	struct buffer path AUTO_RELEASE_BUFFER = {0};
	struct fs_file file = {0};
	struct error reason = {""};
	bool is_new = true;

	(void)file_type;
	if (!make_path(t, t->current, name, length, &path))
		return skip(t, name, length, "lies too deep: its path would be too long", err);
	if (fs_ext_stat(t->m->fs, inode, &file, &reason) < 0)
		return skip(t, path.bytes, path.length, reason.message, err);
	enum fs_kind kind = file.kind;

	fs_file_release(&file);
	if (kind == FS_FOLDER) {
		if (inode_map_add(&t->seen, inode, 0, &is_new, NULL, err) < 0)
			return -1;
		if (!is_new)
			return skip(t, path.bytes, path.length, "is a folder that was met before: the file system is damaged", err);
	}
	if (fs_job_send_file(t->job, t->m, inode, path.bytes, path.length, &file, err) < 0)
		return -1;
	int result = 0;

	if (kind == FS_FOLDER)
		result = add_folder(t, inode, t->current, name, length, err);
	else if (kind == FS_REGULAR)
		result = send_tree_file(t, &file, err);
	fs_file_release(&file);
	return result;
}

// The root has the path that was asked for (without slashes at its end), what is below follows it.
static int send_tree(struct tree *t, uint64_t inode, struct error *err)
{
	const struct fsread_question *q = t->job->question;
	const char *path = q->path ? q->path : "";
	size_t length = q->path_length;
	struct fs_file file = {0};
	bool is_new;

	while (length > 0 && path[length - 1] == '/')
		length--;
	if (fs_job_send_file(t->job, t->m, inode, path, length, &file, err) < 0)
		return -1;
	enum fs_kind kind = file.kind;

	fs_file_release(&file);
	if (kind != FS_FOLDER)
		return error_set(err, "%.*s is a %s, not a folder", (int)length, path, fs_kind_name(kind));
	if (inode_map_add(&t->seen, inode, 0, &is_new, NULL, err) < 0 || add_folder(t, inode, 0, path, length, err) < 0)
		return -1;
	for (t->current = 0; t->current < t->folders.count; t->current++) {
		struct error reason = {""};
		struct buffer where AUTO_RELEASE_BUFFER = {0};

		if (fs_ext_list(t->m->fs, t->folders.items[t->current].inode, visit_entry, t, &reason) == 0)
			continue;
		// A folder that cannot be read to its end; when the pipe is closed, this fails, too.
		const struct waiting *folder = &t->folders.items[t->current];

		buffer_add(&where, t->names.bytes + folder->name_at, folder->name_length);
		if (skip(t, buffer_string(&where), where.length, reason.message, err) < 0)
			return -1;
	}
	return 0;
}

int fs_job_tree(struct fs_job *job, struct error *err)
{
	struct fs_moment m;
	struct tree t = {.job = job, .m = &m, .left = budget(job)};
	uint64_t inode;

	if (fs_moment_open(job, job->question->to_seq, !job->question->raw, &m, err) < 0)
		return -1;
	int result = fs_moment_find(job, &m, &inode, err);

	if (result == 0)
		result = send_tree(&t, inode, err);
	waiting_vector_release(&t.folders);
	buffer_release(&t.names);
	inode_map_release(&t.seen);
	fs_moment_release(&m);
	return result;
}
