// SPDX-License-Identifier: MIT
// Opening an ext2, ext3 or ext4 file system, and the words for what goes wrong.
//
// Of libext2fs we use what is intricate and not driven by single files: superblock, group descriptors (meta_bg, flex_bg, 64bit) and extent
// trees. Inodes, folders, block maps and inline data are read by our own functions on (bytes, length), because their loops are
// the ones a guest can drive: each of them is bounded here, and fuzzed.
#include "snapshots/fs_ext_parts.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUPERBLOCK_AT 1024
#define SUPERBLOCK_BYTES 1024

// Features that change how everything is read (incompat), linux fs/ext4/ext4.h. `why`: not readable here.
static const struct incompat { uint32_t bit; const char *name, *why; } incompat_features[] = {
	{0x1, "compression", "never part of Linux"},
	{0x2, "filetype", NULL},
	{0x4, "needs_recovery", NULL},
	{0x8, "journal_dev", "an external journal, not a file system"},
	{0x10, "meta_bg", NULL},
	{0x40, "extents", NULL},
	{0x80, "64bit", NULL},
	{0x100, "mmp", NULL},
	{0x200, "flex_bg", NULL},
	{0x400, "ea_inode", NULL},
	{0x1000, "dirdata", "Lustre's, never part of Linux"},
	{0x2000, "metadata_csum_seed", NULL},
	{0x4000, "large_dir", NULL},
	{0x8000, "inline_data", NULL},
	{0x10000, "encrypt", NULL},
	{0x20000, "casefold", NULL},
};

void fs_ext_warn(struct fs_ext *fs, const char *format, ...)
{
	char line[512];
	va_list arguments;

	fs->warning_count++;
	if (fs->warning_count > FS_EXT_WARNINGS)
		return;
	if (fs->warning_count == FS_EXT_WARNINGS) {
		buffer_add_string(&fs->warnings, "more is damaged than is told here\n");
		return;
	}
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	// A name in the line may hold a newline; the lines are counted by it.
	for (char *at = line; *at; at++)
		if (*at == '\n')
			*at = '?';
	buffer_add_string(&fs->warnings, line);
	buffer_add_byte(&fs->warnings, '\n');
}

int fs_ext_sentence(struct fs_ext *fs, long code, struct error *err, const char *format, ...)
{
	char what[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	if (fs->io_failed) {
		fs->io_failed = false;
		return error_set(err, "%s: %.400s", what, fs->io_error.message);
	}
	return error_set(err, "%s: %s", what, code == EXT2_ET_NO_MEMORY ? "out of memory" : error_message(code));
}

bool fs_ext_forgive(struct fs_ext *fs, long code, const char *what)
{
	if (code != EXT2_ET_SB_CSUM_INVALID && code != EXT2_ET_EXTENT_CSUM_INVALID && code != EXT2_ET_INODE_CSUM_INVALID)
		return false;
	if (fs->fs)
		fs->fs->flags |= EXT2_FLAG_IGNORE_CSUM_ERRORS;
	fs_ext_warn(fs, "the checksum of %s is wrong: it is shown as it lies on the disk", what);
	return true;
}

static int check_features(uint32_t incompat, struct error *err)
{
	uint32_t known = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(incompat_features); i++) {
		const struct incompat *f = &incompat_features[i];

		known |= f->bit;
		if ((incompat & f->bit) && f->why)
			return error_set(err, "this file system has the feature %s (%s) and is not read here; \"provgraph disk views\" serves "
					 "the disk as it was to a system that can mount it", f->name, f->why);
	}
	if (incompat & ~known)
		return error_set(err, "this file system has features that are not known here (incompat 0x%" PRIx32 "); \"provgraph disk views\" "
				 "serves the disk as it was to a system that can mount it", incompat & ~known);
	return 0;
}

// Sizes that decide about memory and loops are judged before libext2fs sees them.
static int check_superblock(struct fs_ext *fs, struct error *err)
{
	uint8_t sb[SUPERBLOCK_BYTES];
	uint64_t volume_bytes = volume_size(fs->volume);

	if (volume_bytes < SUPERBLOCK_AT + SUPERBLOCK_BYTES)
		return error_set(err, "%" PRIu64 " bytes are too few for a file system", volume_bytes);
	if (volume_read(fs->volume, SUPERBLOCK_AT, sb, sizeof(sb), err) < 0)
		return -1;
	if (get_le16(sb + 0x38) != 0xEF53) // EXT2_SUPER_MAGIC
		return error_set(err, "no ext2, ext3 or ext4 file system: its superblock is missing");
	uint32_t log_block = get_le32(sb + 0x18), revision = get_le32(sb + 0x4C);
	uint32_t incompat = revision > 0 ? get_le32(sb + 0x60) : 0, ro_compat = revision > 0 ? get_le32(sb + 0x64) : 0;
	uint64_t blocks = get_le32(sb + 0x04) | (incompat & 0x80 ? (uint64_t)get_le32(sb + 0x150) << 32 : 0);

	if (check_features(incompat, err) < 0)
		return -1;
	if (log_block > 6) // EXT2_MAX_BLOCK_LOG_SIZE: 64 KiB
		return error_set(err, "the superblock is damaged: blocks of 2^%" PRIu32 " KiB", log_block);
	fs->block_bytes = 1024u << log_block;
	fs->inode_bytes = revision > 0 ? get_le16(sb + 0x58) : INODE_BASE_BYTES;
	if (fs->inode_bytes < INODE_BASE_BYTES || fs->inode_bytes > fs->block_bytes || (fs->inode_bytes & (fs->inode_bytes - 1)))
		return error_set(err, "the superblock is damaged: inodes of %" PRIu32 " bytes", fs->inode_bytes);
	if (blocks == 0 || blocks > volume_bytes / fs->block_bytes)
		return error_set(err, "the superblock claims %" PRIu64 " blocks of %" PRIu32 " bytes, and there are only %" PRIu64
				 " bytes: it or the partition table is damaged", blocks, fs->block_bytes, volume_bytes);
	fs->size_bytes = blocks * fs->block_bytes;
	fs->huge_files = ro_compat & 0x8;
	fs->large_folders = incompat & 0x4000;
	fs->checksums = ro_compat & 0x400;
	return 0;
}

static int open_library(struct fs_ext *fs, struct error *err)
{
	int flags = EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP;
	errcode_t code;

	initialize_ext2_error_table();
	for (;;) {
		fs_ext_io_opening(fs);
		code = ext2fs_open2("volume", NULL, flags, 0, 0, (io_manager)(uintptr_t)&fs_ext_io_manager, &fs->fs);
		if (code == 0 || (flags & EXT2_FLAG_IGNORE_CSUM_ERRORS))
			break;
		fs->fs = NULL;
		if (!fs_ext_forgive(fs, code, "the superblock"))
			break;
		flags |= EXT2_FLAG_IGNORE_CSUM_ERRORS;
	}
	if (code == 0)
		return 0;
	fs->fs = NULL;
	return fs_ext_sentence(fs, code, err, "cannot read the file system");
}

int fs_ext_open(struct volume *v, struct fs_ext **ret, struct error *err)
{
	struct fs_ext *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return error_set(err, "out of memory");
	fs->volume = v;
	if (check_superblock(fs, err) < 0 || open_library(fs, err) < 0) {
		fs_ext_free(fs);
		return -1;
	}
	*ret = fs;
	return 0;
}

void fs_ext_free(struct fs_ext *fs)
{
	if (!fs)
		return;
	if (fs->fs)
		ext2fs_free(fs->fs); // and not ext2fs_close(), which would write what it thinks has changed
	fs_content_release(&fs->content);
	buffer_release(&fs->warnings);
	free(fs);
}

uint32_t fs_ext_block_bytes(const struct fs_ext *fs)
{
	return fs->block_bytes;
}

const struct buffer *fs_ext_warnings(const struct fs_ext *fs)
{
	return &fs->warnings;
}
