// SPDX-License-Identifier: MIT
// Walking folders of a file system in order, and comparing contents between two moments.
#ifndef SNAPSHOTS_FS_DIFF_H
#define SNAPSHOTS_FS_DIFF_H

#include "base/vector.h"
#include "snapshots/fs_job.h"

struct fs_name { char *bytes; size_t length; uint64_t inode; };
VECTOR_DEFINE(fs_name_vector, struct fs_name)
// The names in a folder, sorted by bytes; 0 and none for an inode that is no folder.
int fs_names_sorted(struct fs_ext *fs, uint64_t folder, struct fs_name_vector *ret, struct error *err);
void fs_name_vector_free(struct fs_name_vector *v);

// Whether two files have the same content. Blocks that come from the same record in both views are not read.
int fs_content_equal(struct fs_moment *a, uint64_t inode_a, struct fs_moment *b, uint64_t inode_b, uint64_t size, bool *ret, struct error *err);

#endif
