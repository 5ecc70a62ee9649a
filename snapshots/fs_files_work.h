// SPDX-License-Identifier: MIT
// Between fs_files.c (what changed), fs_files_tree.c (which names it has) and fs_files_tell.c (what is told of it).
#ifndef SNAPSHOTS_FS_FILES_WORK_H
#define SNAPSHOTS_FS_FILES_WORK_H

#include "snapshots/fs_diff.h"
#include "snapshots/fs_states.h"
#include "snapshots/fs_table.h"
#include "snapshots/timeline_wire.h"

struct touched { // an incarnation of an inode that changed in the span
	uint64_t inode, changed_ns, size_bytes;
	uint32_t mark; // tells it from others under the same number: generation and time of birth
	unsigned kind;
	bool content;  // its map, size or mtime changed
	bool data;     // its data was written; perhaps with the same bytes
	bool itself;   // its inode changed
};
VECTOR_DEFINE(touched_vector, struct touched)

struct group { uint64_t place, first_inode; }; // where an inode table begins on the volume
VECTOR_DEFINE(group_vector, struct group)

struct owned { uint64_t volume_offset, length, inode; }; // data of a file at the end of the span
VECTOR_DEFINE(owned_vector, struct owned)

struct tree_name { uint64_t inode, parent; char *bytes; size_t length; };
VECTOR_DEFINE(tree_names, struct tree_name)
struct tree { // names at one moment: of all folders, and of the files that changed
	struct tree_names names;
	struct fs_table by_inode; // -> index of a name; keys are inode numbers, in `between` also files_key()
};
struct new_name { size_t begin, length; uint64_t inode, folder; }; // bytes lie in files.name_bytes
VECTOR_DEFINE(new_names, struct new_name)

struct files {
	struct fs_job *job;
	struct fs_moment begin; // no file system there yet: begin.fs NULL
	struct fs_span span;
	struct group_vector groups; // sorted by place
	uint64_t table_bytes, inodes_per_group;
	uint32_t inode_bytes;
	struct owned_vector owned;  // sorted by volume_offset
	struct fs_table folder_blocks; // volume block -> inode of the folder
	bool told_full;                // that there are more of these than are kept
	struct touched_vector touched;
	struct fs_table by_incarnation; // inode << 32 | mark -> index in touched (inode numbers of ext4 have 32 bits)
	struct tree before, after, between; // between: names as folder blocks on the way held them, each for one incarnation
	struct new_names new_names;         // of the present step: the generations are known once it shows
	struct buffer name_bytes;
	uint8_t *old_block, *new_block;
	struct buffer payload;
};

static inline uint64_t files_key(uint64_t inode, uint32_t mark)
{
	return inode << 32 | mark;
}
// A name whose inode was no file yet when the name reached the disk.
static inline uint64_t files_unclaimed(uint64_t inode)
{
	return inode << 32 | UINT32_MAX;
}

// The mark of an incarnation.
uint32_t files_mark(uint32_t generation, uint32_t birth_seconds);
uint32_t files_mark_of(const struct fs_file *file);
int files_tell(struct files *f, const struct touched *t, struct error *err);

// Notes a block of a folder. 1: there are too many, which was told; -1.
int files_note_folder_block(struct files *f, uint64_t block, uint64_t folder, struct error *err);
// Tells once that not everything is followed.
int files_warn_full(struct files *f, struct error *err);
// All folders below the root, and the names of inodes for which wanted() holds; folders' blocks go to f->folder_blocks.
int files_read_tree(struct files *f, struct fs_moment *m, bool only_folders, struct tree *ret, struct error *err);
// under key: the first name stays; newest: it is replaced.
int files_add_name(struct tree *t, uint64_t key, bool newest, const struct tree_name *name, struct error *err);
// The path of what `leaf` knows under key; its folders by the first of the trees that knows each. False: unknown.
bool files_path(const struct tree *leaf, uint64_t key, const struct tree *const *trees, size_t count, struct buffer *out);
void files_release_tree(struct tree *t);

#endif
