// SPDX-License-Identifier: MIT
// What the files fs_ext*.c share and nobody else sees.
#ifndef SNAPSHOTS_FS_EXT_PARTS_H
#define SNAPSHOTS_FS_EXT_PARTS_H

#include "base/vector.h"
#include "snapshots/fs_ext.h"

#include <ext2fs/ext2fs.h>

#define INODE_BASE_BYTES 128     // EXT2_GOOD_OLD_INODE_SIZE
#define INODE_BLOCK_AT 0x28      // i_block, 60 bytes
#define INODE_BLOCK_BYTES 60
#define INODE_FLAG_EXTENTS 0x80000u    // EXT4_EXTENTS_FL, linux fs/ext4/ext4.h, as are the following
#define INODE_FLAG_INLINE 0x10000000u  // EXT4_INLINE_DATA_FL
#define INODE_FLAG_ENCRYPTED 0x800u    // EXT4_ENCRYPT_FL
#define INODE_FLAG_CASEFOLD 0x40000000u
#define INODE_FLAG_HUGE 0x40000u       // EXT4_HUGE_FILE_FL: i_blocks counts file system blocks
#define INODE_ROOT 2                   // EXT2_ROOT_INO

VECTOR_DEFINE(fs_runs, struct fs_run)

// The inode that was read last, so that a file read piece by piece is mapped once.
struct fs_content {
	uint64_t inode;       // 0: none
	struct buffer bytes;  // of the inode, as on disk
	struct fs_file file;  // without path
	bool is_inline, mapped;
	struct buffer inline_data;
	struct fs_runs runs;  // once mapped
};

struct fs_ext {
	struct volume *volume;
	ext2_filsys fs;
	uint64_t size_bytes;  // as the superblock says, checked against the volume
	uint32_t block_bytes, inode_bytes;
	bool large_folders, huge_files, checksums;
	struct error io_error; // what the volume said, for the sentence of a libext2fs error
	bool io_failed;
	struct buffer warnings;
	unsigned warning_count;
	bool told_encrypted, told_casefold;
	struct fs_content content;
};

extern const struct struct_io_manager fs_ext_io_manager; // fs_ext_io.c
// The channel's private_data is the struct fs_ext; ext2fs_open2() takes only a name, so the next open() takes this one.
void fs_ext_io_opening(struct fs_ext *fs);

void fs_ext_warn(struct fs_ext *fs, const char *format, ...) __attribute__((format(printf, 2, 3)));
// "what: reason of libext2fs (what the volume said)". Always -1.
int fs_ext_sentence(struct fs_ext *fs, long code, struct error *err, const char *format, ...) __attribute__((format(printf, 4, 5)));
// True when only a checksum is wrong: it is told once per kind, no longer asked for, and the caller tries again.
bool fs_ext_forgive(struct fs_ext *fs, long code, const char *what);

// Loads the inode into fs->content (raw bytes and struct fs_file).
int fs_ext_load(struct fs_ext *fs, uint64_t inode, struct error *err);
void fs_content_release(struct fs_content *c);

// Target of a symlink, NUL-terminated; the caller frees.
int fs_ext_target(struct fs_ext *fs, uint64_t inode, char **ret, size_t *ret_length, struct error *err);

// The entries in `bytes`, a block of a folder or its inline part. Unused ones, "." and ".." are left out. *ret_bad_at: position of the
// first entry that makes no sense (the rest is not read), or length. visit's other than 0 stops and is returned.
struct fs_dirent { const uint8_t *name; size_t name_length; uint32_t inode; unsigned file_type; };
typedef int fs_dirent_visit(void *context, const struct fs_dirent *entry, struct error *err);
int fs_dirent_walk(const uint8_t *bytes, size_t length, fs_dirent_visit *visit, void *context, size_t *ret_bad_at, struct error *err);

#endif
