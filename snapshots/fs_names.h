// SPDX-License-Identifier: MIT
// Paths and folders as a cursor shows them at its moment, and which bytes decided the answer.
//
// Looking a path up again is only needed when one of those bytes changes: that is how a timeline follows a name through renames, deletions
// and folders that move.
#ifndef SNAPSHOTS_FS_NAMES_H
#define SNAPSHOTS_FS_NAMES_H

#include "snapshots/fs_cursor.h"
#include "snapshots/fs_map.h"

#define FS_INODE_BYTES 4096u // what we read of an inode at most

struct fs_inode { // as the cursor shows it
	uint64_t number, place; // place: on the volume
	size_t length;
	uint8_t raw[FS_INODE_BYTES];
};
// Inode numbers outside the file system: *ret_found false.
int fs_inode_read(struct fs_cursor *c, struct fs_ext *fs, uint64_t number, struct fs_inode *ret, bool *ret_found, struct error *err);
unsigned fs_inode_kind(const struct fs_inode *i); // enum fs_kind
uint32_t fs_inode_links(const struct fs_inode *i);
uint32_t fs_inode_generation(const struct fs_inode *i);
bool fs_inode_lives(const uint8_t *raw); // it is in use and was not deleted; raw: at least 128 bytes

// Entries of one folder block, whatever its bytes. 1 when visit ended it.
typedef int fs_names_entry(void *context, const void *name, size_t length, uint64_t inode);
int fs_names_scan(const uint8_t *block, size_t length, fs_names_entry *visit, void *context);
// All names of a folder, . and .. among them. Its blocks are appended to watch (may be NULL).
int fs_names_list(struct fs_cursor *c, const struct fs_inode *folder, fs_names_entry *visit, void *context, struct fs_runs *watch, struct error *err);

// *ret_inode 0: the path leads nowhere. Symlinks inside it are followed but for the last part. What decided is appended to watch:
// runs of the volume (file_offset unused).
int fs_names_find(struct fs_cursor *c, struct fs_ext *fs, const void *path, size_t length, struct fs_runs *watch, uint64_t *ret_inode,
		  struct error *err);

// For fs_map.h: context is the cursor.
int fs_names_read(void *cursor, uint64_t offset, void *bytes, size_t length, struct error *err);

#endif
