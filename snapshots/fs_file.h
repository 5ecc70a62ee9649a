// SPDX-License-Identifier: MIT
// A file as its inode tells it; the same struct on both sides of the pipe.
#ifndef SNAPSHOTS_FS_FILE_H
#define SNAPSHOTS_FS_FILE_H

#include "snapshots/wire.h"

#define FS_NAME_BYTES 255  // EXT4_NAME_LEN, linux/fs/ext4
#define FS_PATH_BYTES 4096 // PATH_MAX, linux/limits.h

#define FS_FLAG_INLINE 0x10000000u // of fs_file.flags: EXT4_INLINE_DATA_FL
#define FS_FLAG_ENCRYPTED 0x800u   // EXT4_ENCRYPT_FL

enum fs_kind { FS_OTHER, FS_REGULAR, FS_FOLDER, FS_SYMLINK, FS_CHARACTER, FS_BLOCK, FS_FIFO, FS_SOCKET };

struct fs_file {
	uint64_t inode, size_bytes, blocks_512;
	uint32_t generation, mode, uid, gid, links, flags;
	enum fs_kind kind;
	uint64_t mtime_ns, ctime_ns, atime_ns, crtime_ns; // the guest's clock; NANOTIME_NONE: not there
	uint64_t dtime_ns;   // deletion time; 0: not deleted
	char *path;          // bytes as on disk, relative to the root of the file system; "" for the root; may be NULL (asked by inode)
	size_t path_length;
	char *target;        // of a symlink; NULL
	size_t target_length;
};

void fs_file_release(struct fs_file *f);
void fs_file_put(struct buffer *out, const struct fs_file *f);
int fs_file_get(struct wire_reader *r, struct fs_file *ret, struct error *err);
const char *fs_kind_name(enum fs_kind kind); // "file", "folder", "symlink", ...

#endif
