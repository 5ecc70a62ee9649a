// SPDX-License-Identifier: MIT
// A whole small file system that somebody wrote: opened, walked, listed and read, within a bounded amount of work.
#include "snapshots/fs_ext.h"
#include "tests/unit/volume_double.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_READS 20000    // of the image, for one input: all that a walk of it may cost
#define MAX_FILES 64
#define READ_BYTES 4096

struct walk { struct fs_ext *fs; unsigned files; uint64_t folders[MAX_FILES]; unsigned folder_count; };

static int on_run(void *context, const struct fs_run *run, struct error *err)
{
	const uint64_t *size = context;

	(void)err;
	if (run->length == 0 || run->volume_offset > *size || run->length > *size - run->volume_offset)
		abort();
	return 0;
}

static int on_entry(void *context, const void *name, size_t length, uint64_t inode, unsigned file_type, struct error *err)
{
	struct walk *w = context;
	struct error reason;
	struct fs_file file;

	(void)file_type, (void)err;
	if (length == 0 || length > FS_NAME_BYTES || memchr(name, '/', length) || memchr(name, 0, length))
		abort();
	if (++w->files > MAX_FILES)
		return 1;
	if (fs_ext_stat(w->fs, inode, &file, &reason) < 0)
		return 0;
	if (file.kind == FS_FOLDER && w->folder_count < MAX_FILES)
		w->folders[w->folder_count++] = inode;
	fs_file_release(&file);
	return 0;
}

static void read_some(struct fs_ext *fs, uint64_t inode, uint64_t image_bytes)
{
	uint8_t bytes[READ_BYTES];
	struct error err;
	struct fs_file file;
	size_t got;

	if (fs_ext_stat(fs, inode, &file, &err) < 0)
		return;
	uint64_t offsets[] = {0, 1, READ_BYTES * 3 + 7, file.size_bytes / 2, file.size_bytes - 1, UINT64_MAX};

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		if (fs_ext_read(fs, inode, offsets[i], bytes, sizeof(bytes), &got, &err) == 0 && got > sizeof(bytes))
			abort();
	(void)fs_ext_runs(fs, inode, on_run, &image_bytes, &err);
	fs_file_release(&file);
}

static int on_inode(void *context, const struct fs_file *file, struct error *err)
{
	unsigned *left = context;

	(void)file, (void)err;
	return --*left == 0 ? 1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {"/", "/a/b", "/link/../a", "a//./link/x"};
	struct volume volume = {.bytes = data, .size = size, .fd = -1, .max_reads = MAX_READS};
	struct fs_ext *fs;
	struct error err;
	bool found;
	unsigned inodes = 1000;

	if (fs_ext_open(&volume, &fs, &err) < 0)
		return 0;
	struct walk w = {.fs = fs, .folders = {2}, .folder_count = 1};

	for (unsigned i = 0; i < w.folder_count && w.files <= MAX_FILES; i++)
		(void)fs_ext_list(fs, w.folders[i], on_entry, &w, &err);
	for (uint64_t inode = 1; inode < 20; inode++)
		read_some(fs, inode, size);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		uint64_t inode;

		(void)fs_ext_lookup(fs, paths[i], strlen(paths[i]), &inode, &found, &err);
	}
	(void)fs_ext_inodes(fs, on_inode, &inodes, &err);
	fs_ext_free(fs);
	return 0;
}
