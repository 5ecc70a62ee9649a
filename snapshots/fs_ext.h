// SPDX-License-Identifier: MIT
// ext2, ext3 and ext4 through libext2fs (its only home), over a volume. Only inside provgraph-fsread and tests.
#ifndef SNAPSHOTS_FS_EXT_H
#define SNAPSHOTS_FS_EXT_H

#include "snapshots/fs_file.h"
#include "snapshots/volume.h"

struct fs_ext;

// Refuses, by name and with the way that works, what it cannot read.
int fs_ext_open(struct volume *v, struct fs_ext **ret, struct error *err);
void fs_ext_free(struct fs_ext *fs);
uint32_t fs_ext_block_bytes(const struct fs_ext *fs);
// What was read although something is wrong with it (checksums, damaged folders, encrypted or case-insensitive names): one line each, at
// most FS_EXT_WARNINGS of them. Grows while the file system is used.
#define FS_EXT_WARNINGS 100
const struct buffer *fs_ext_warnings(const struct fs_ext *fs);

// Path from the root of the file system; symlinks inside it are followed but for the last part, at most 40 of them.
// *ret_found false: no such file (err says which part).
int fs_ext_lookup(struct fs_ext *fs, const void *path, size_t length, uint64_t *ret_inode, bool *ret_found, struct error *err);
int fs_ext_stat(struct fs_ext *fs, uint64_t inode, struct fs_file *ret, struct error *err);
// Content, also of inline data. Holes and unwritten extents read as zeros. *ret_read is short at the end of the file.
int fs_ext_read(struct fs_ext *fs, uint64_t inode, uint64_t offset, void *bytes, size_t length, size_t *ret_read, struct error *err);

// Names in a folder but "." and ".."; names are bytes, checked: not empty, no '/', no NUL, at most FS_NAME_BYTES.
typedef int fs_ext_entry(void *context, const void *name, size_t length, uint64_t inode, unsigned file_type, struct error *err);
int fs_ext_list(struct fs_ext *fs, uint64_t folder_inode, fs_ext_entry *visit, void *context, struct error *err);

// Where the content lies: runs of the volume's bytes. Unwritten (preallocated) runs are told as such.
struct fs_run { uint64_t file_offset, volume_offset, length; bool unwritten; };
typedef int fs_ext_run(void *context, const struct fs_run *run, struct error *err);
// In order of file_offset, without overlap, each within the volume; else an error says what is damaged. None for inline data.
int fs_ext_runs(struct fs_ext *fs, uint64_t inode, fs_ext_run *visit, void *context, struct error *err);
// The same for an old copy of the inode (bytes as on disk); its extent or index blocks are read as the volume has them now.
int fs_ext_runs_of(struct fs_ext *fs, uint64_t inode, const uint8_t *bytes, size_t length, fs_ext_run *visit, void *context,
		   struct error *err);
// Content that lies in the inode itself: appends it to out and sets *ret_inline; leaves both alone for other files.
int fs_ext_inline_of(const uint8_t *bytes, size_t length, struct buffer *out, bool *ret_inline, struct error *err);

// Where the inode itself lies on the volume, and its raw bytes decoded (for old copies out of the journal).
int fs_ext_inode_place(struct fs_ext *fs, uint64_t inode, uint64_t *ret_volume_offset, uint32_t *ret_bytes, struct error *err);
int fs_ext_decode_inode(struct fs_ext *fs, uint64_t inode, const uint8_t *bytes, size_t length, struct fs_file *ret, struct error *err);
// All inodes in use, in order. Cheap: reads the inode tables only.
// visit() returning other than 0 stops the walk and is returned.
typedef int fs_ext_inode(void *context, const struct fs_file *file, struct error *err);
int fs_ext_inodes(struct fs_ext *fs, fs_ext_inode *visit, void *context, struct error *err);

#endif
