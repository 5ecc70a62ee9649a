// SPDX-License-Identifier: MIT
// Folders. Entries are read block after block, never by the hash tree: its inner nodes are made to look like unused entries, so
// that the same reader serves plain, indexed, large and damaged folders. Layout: Linux fs/ext4/ext4.h, struct ext4_dir_entry_2.
#include "snapshots/fs_ext_parts.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_HEADER_BYTES 8
#define STEP_BYTES (64u << 10) // a multiple of every block size
#define INLINE_PARENT_BYTES 4  // an inline folder begins with its parent's inode number instead of "." and ".."

int fs_dirent_walk(const uint8_t *bytes, size_t length, fs_dirent_visit *visit, void *context, size_t *ret_bad_at, struct error *err)
{
	size_t at = 0;

	*ret_bad_at = length;
	while (at < length) {
		size_t record = 0, left = length - at;

		if (left >= ENTRY_HEADER_BYTES) {
			record = get_le16(bytes + at + 4);
			// A block of 64 KiB that is one entry: its length does not fit.
			if (length == 65536 && (record == 0 || record == 65535))
				record = 65536;
		}
		struct fs_dirent entry = {.name = bytes + at + ENTRY_HEADER_BYTES};

		if (record >= ENTRY_HEADER_BYTES && record % 4 == 0 && record <= left) {
			entry.inode = get_le32(bytes + at);
			entry.name_length = bytes[at + 6];
			entry.file_type = bytes[at + 7];
		}
		if (record < ENTRY_HEADER_BYTES || record % 4 != 0 || record > left || entry.name_length > record - ENTRY_HEADER_BYTES) {
			*ret_bad_at = at;
			return 0;
		}
		at += record;
		if (entry.inode == 0 || (entry.name_length == 1 && entry.name[0] == '.') ||
		    (entry.name_length == 2 && memcmp(entry.name, "..", 2) == 0))
			continue;
		int result = visit(context, &entry, err);

		if (result != 0)
			return result;
	}
	return 0;
}

struct listing {
	struct fs_ext *fs;
	uint64_t folder;
	bool encrypted;
	fs_ext_entry *visit;
	void *context;
};

// Only names that can be one step of a path are passed on.
static int list_entry(void *context, const struct fs_dirent *entry, struct error *err)
{
	struct listing *l = context;
	const char *bad = NULL;

	if (entry->inode > l->fs->fs->super->s_inodes_count)
		bad = "with an inode number that does not exist";
	else if (entry->name_length == 0)
		bad = "without a name";
	else if (memchr(entry->name, '/', entry->name_length) || memchr(entry->name, 0, entry->name_length))
		bad = l->encrypted ? "whose encrypted name cannot be part of a path" : "whose name holds a slash or a NUL";
	if (!bad)
		return l->visit(l->context, entry->name, entry->name_length, entry->inode, entry->file_type, err);
	fs_ext_warn(l->fs, "folder inode %" PRIu64 " has an entry %s: left out (inode %" PRIu32 ")", l->folder, bad, entry->inode);
	return 0;
}

static int list_block(struct listing *l, const uint8_t *bytes, size_t length, struct error *err)
{
	size_t bad_at;
	int result = fs_dirent_walk(bytes, length, list_entry, l, &bad_at, err);

	if (result == 0 && bad_at < length)
		fs_ext_warn(l->fs, "folder inode %" PRIu64 " is damaged: the rest of one of its blocks cannot be read", l->folder);
	return result;
}

static int list_inline(struct listing *l, struct error *err)
{
	struct buffer data AUTO_RELEASE_BUFFER = {0};

	buffer_add(&data, l->fs->content.inline_data.bytes, l->fs->content.inline_data.length);
	if (buffer_check(&data, err) < 0)
		return -1;
	const uint8_t *bytes = (const uint8_t *)data.bytes;
	size_t first = data.length < INODE_BLOCK_BYTES ? data.length : INODE_BLOCK_BYTES;
	int result = 0;

	if (first > INLINE_PARENT_BYTES)
		result = list_block(l, bytes + INLINE_PARENT_BYTES, first - INLINE_PARENT_BYTES, err);
	if (result == 0 && data.length > first)
		result = list_block(l, bytes + first, data.length - first, err);
	return result;
}

static int list_run(void *context, const struct fs_run *run, struct error *err)
{
	struct listing *l = context;
	uint8_t *step AUTO_FREE = malloc(STEP_BYTES);
	size_t block = l->fs->block_bytes;

	if (!step)
		return error_set(err, "out of memory");
	for (uint64_t done = 0; !run->unwritten && done < run->length;) {
		size_t length = run->length - done < STEP_BYTES ? (size_t)(run->length - done) : STEP_BYTES;

		if (volume_read(l->fs->volume, run->volume_offset + done, step, length, err) < 0)
			return -1;
		for (size_t at = 0; at < length; at += block) {
			int result = list_block(l, step + at, block, err);

			if (result != 0)
				return result;
		}
		done += length;
	}
	return 0;
}

int fs_ext_list(struct fs_ext *fs, uint64_t folder_inode, fs_ext_entry *visit, void *context, struct error *err)
{
	struct listing l = {.fs = fs, .folder = folder_inode, .visit = visit, .context = context};

	if (fs_ext_load(fs, folder_inode, err) < 0)
		return -1;
	const struct fs_file *file = &fs->content.file;

	if (file->kind != FS_FOLDER)
		return error_set(err, "inode %" PRIu64 " is a %s, not a folder", folder_inode, fs_kind_name(file->kind));
	l.encrypted = file->flags & INODE_FLAG_ENCRYPTED;
	if (l.encrypted && !fs->told_encrypted) {
		fs->told_encrypted = true;
		fs_ext_warn(fs, "names in folder inode %" PRIu64 " are encrypted: they are shown as the disk has them", folder_inode);
	}
	if (fs->content.is_inline)
		return list_inline(&l, err);
	return fs_ext_runs(fs, folder_inode, list_run, &l, err);
}
