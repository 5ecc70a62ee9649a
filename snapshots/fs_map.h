// SPDX-License-Identifier: MIT
// Where a file's content lies, from the raw bytes of its inode: also of inodes that only the journal still holds, which no open file
// system would give.
// Source of the layout: Linux fs/ext4/ext4_extents.h, fs/ext4/ext4.h, Documentation/filesystems/ext4/.
#ifndef SNAPSHOTS_FS_MAP_H
#define SNAPSHOTS_FS_MAP_H

#include "base/error.h"
#include "base/vector.h"
#include "snapshots/fs_ext.h"

VECTOR_DEFINE(fs_runs, struct fs_run)

struct fs_map {
	uint64_t size_bytes;
	struct fs_runs runs;      // sorted by file_offset, disjoint, merged where they touch; holes are left out
	struct u64_vector nodes;  // blocks of the extent tree or of the indirect map, as volume offsets
	uint8_t *inline_bytes;    // content kept in the inode; NULL: in blocks
	size_t inline_length;
	bool damaged;             // something in it made no sense: the runs are those before it
};

// Bytes of the volume.
typedef int fs_map_read(void *context, uint64_t offset, void *bytes, size_t length, struct error *err);
// inode: `length` bytes as on disk. Devices, FIFOs and fast symlinks have no runs. ret is zeroed or released before.
int fs_map_decode(const uint8_t *inode, size_t length, uint32_t block_bytes, fs_map_read *read, void *context, struct fs_map *ret, struct error *err);
void fs_map_release(struct fs_map *m);
bool fs_map_equal(const struct fs_map *a, const struct fs_map *b); // same places; sizes may differ

// Content through the map: holes and unwritten runs read as zeros. offset + length may pass the end: zeros.
int fs_map_content(const struct fs_map *m, fs_map_read *read, void *context, uint64_t offset, void *bytes, size_t length, struct error *err);
// The run that holds the byte, or the hole up to the next one (then *ret_hole): length is what follows from offset on, at most `length`.
struct fs_run fs_map_at(const struct fs_map *m, uint64_t offset, uint64_t length, bool *ret_hole);

#endif
