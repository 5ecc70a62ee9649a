// SPDX-License-Identifier: MIT
// Where the content of an inode lies: extent trees by libext2fs, block maps of ext2 and ext3 by ourselves.
//
// Every loop has a bound that no guest can move: extents have to ascend and the blocks that they name may not be more than the file system
// has, a tree may not be deeper than Linux makes it, and a walk that meets no leaf for EMPTY_STEPS steps is damage.
#include "snapshots/fs_ext_parts.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 5      // EXT4_MAX_EXTENT_DEPTH
#define EMPTY_STEPS 4096 // our limit
#define DIRECT_BLOCKS 12 // EXT2_NDIR_BLOCKS
#define MAP_SLOTS 15     // EXT2_N_BLOCKS

// Joins neighbouring runs and judges each.
struct mapper {
	struct fs_ext *fs;
	uint64_t inode;
	fs_ext_run *visit;
	void *context;
	struct fs_run run;      // not yet told; length 0: none
	uint64_t next_block;    // of the file: the first that may come now
	uint64_t mapped_blocks;
	int stopped;            // what visit() returned
};

static int mapper_flush(struct mapper *m, struct error *err)
{
	if (m->run.length == 0 || m->stopped)
		return m->stopped;
	m->stopped = m->visit(m->context, &m->run, err);
	m->run.length = 0;
	return m->stopped;
}

// Blocks [block, block + count) of the file lie at `at`.
static int mapper_add(struct mapper *m, uint64_t block, uint64_t at, uint64_t count, bool unwritten, struct error *err)
{
	uint64_t fs_blocks = m->fs->size_bytes / m->fs->block_bytes, unit = m->fs->block_bytes;

	m->mapped_blocks += count;
	if (count == 0 || at >= fs_blocks || count > fs_blocks - at)
		return error_set(err, "inode %" PRIu64 " is damaged: its block %" PRIu64 " lies outside the file system", m->inode, block);
	if (block < m->next_block || m->mapped_blocks > fs_blocks)
		return error_set(err, "inode %" PRIu64 " is damaged: its blocks overlap or are in a loop", m->inode);
	m->next_block = block + count;
	struct fs_run run = {.file_offset = block * unit, .volume_offset = at * unit, .length = count * unit, .unwritten = unwritten};

	if (m->run.length > 0 && m->run.unwritten == unwritten && m->run.file_offset + m->run.length == run.file_offset &&
	    m->run.volume_offset + m->run.length == run.volume_offset) {
		m->run.length += run.length;
		return 0;
	}
	if (mapper_flush(m, err) != 0)
		return m->stopped;
	m->run = run;
	return 0;
}

static int walk_tree(struct mapper *m, ext2_extent_handle_t handle, struct error *err)
{
	int operation = EXT2_EXTENT_ROOT;
	unsigned empty = 0;

	for (;;) {
		struct ext2fs_extent extent;
		errcode_t code = ext2fs_extent_get(handle, operation, &extent);

		if (code == EXT2_ET_EXTENT_NO_NEXT || code == EXT2_ET_NO_CURRENT_NODE)
			return 0;
		if (fs_ext_forgive(m->fs, code, "an extent block"))
			continue;
		if (code != 0)
			return fs_ext_sentence(m->fs, code, err, "inode %" PRIu64 ": cannot read its extents", m->inode);
		operation = EXT2_EXTENT_NEXT;
		if (++empty > EMPTY_STEPS)
			return error_set(err, "inode %" PRIu64 " is damaged: its extent tree leads nowhere", m->inode);
		if (!(extent.e_flags & EXT2_EXTENT_FLAGS_LEAF) || (extent.e_flags & EXT2_EXTENT_FLAGS_SECOND_VISIT))
			continue;
		empty = 0;
		int result = mapper_add(m, extent.e_lblk, extent.e_pblk, extent.e_len, extent.e_flags & EXT2_EXTENT_FLAGS_UNINIT, err);

		if (result != 0)
			return result;
	}
}

// What libext2fs needs to know of an inode, in its own struct.
static struct ext2_inode library_inode(const uint8_t *bytes, const struct fs_file *file)
{
	struct ext2_inode inode = {0};

	inode.i_mode = (uint16_t)file->mode;
	inode.i_flags = file->flags;
	inode.i_size = (uint32_t)file->size_bytes;
	inode.i_size_high = (uint32_t)(file->size_bytes >> 32);
	inode.i_generation = file->generation;
	memcpy(inode.i_block, bytes + INODE_BLOCK_AT, INODE_BLOCK_BYTES); // extents are little endian on every machine
	return inode;
}

static int map_extents(struct mapper *m, const uint8_t *bytes, const struct fs_file *file, struct error *err)
{
	struct ext2_inode inode = library_inode(bytes, file);
	ext2_extent_handle_t handle;
	uint16_t depth = get_le16(bytes + INODE_BLOCK_AT + 6); // eh_depth

	if (depth > MAX_DEPTH)
		return error_set(err, "inode %" PRIu64 " is damaged: an extent tree %u levels deep", m->inode, depth);
	errcode_t code = ext2fs_extent_open2(m->fs->fs, (ext2_ino_t)m->inode, &inode, &handle);

	if (code != 0)
		return fs_ext_sentence(m->fs, code, err, "inode %" PRIu64 ": cannot read its extents", m->inode);
	// libext2fs forgets that our copy is not on the disk: nothing here writes, so that it never finds out.
	int result = walk_tree(m, handle, err);

	ext2fs_extent_free(handle);
	return result;
}

// The block map: 12 blocks, then an index block of blocks, one of index blocks, one of those. Iterative: a cursor per level.
struct level { uint8_t *block; uint32_t next; };

static int read_index(struct mapper *m, uint32_t number, uint8_t *block, struct error *err)
{
	if (number >= m->fs->size_bytes / m->fs->block_bytes)
		return error_set(err, "inode %" PRIu64 " is damaged: an index block lies outside the file system", m->inode);
	return volume_read(m->fs->volume, (uint64_t)number * m->fs->block_bytes, block, m->fs->block_bytes, err);
}

// Everything below the index block `number` of a tree with `depth` levels (1 .. 3). *file_block: the first block of the file that it maps;
// moved on.
static int walk_index(struct mapper *m, uint32_t number, unsigned depth, uint64_t *file_block, uint64_t end_block, uint8_t *space,
		      struct error *err)
{
	uint32_t per_block = m->fs->block_bytes / 4;
	uint64_t span[4] = {1, per_block, (uint64_t)per_block * per_block, (uint64_t)per_block * per_block * per_block};
	struct level levels[4] = {{0}}; // [depth - 1] is the top
	unsigned level = depth - 1;

	for (unsigned i = 0; i < depth; i++)
		levels[i].block = space + (size_t)i * m->fs->block_bytes;
	if (read_index(m, number, levels[level].block, err) < 0)
		return -1;
	while (*file_block < end_block) {
		struct level *at = &levels[level];

		if (at->next == per_block) {
			if (++level == depth)
				return 0;
			continue;
		}
		uint32_t entry = get_le32(at->block + 4 * (size_t)at->next++);

		if (entry == 0) {
			*file_block += span[level];
		} else if (level > 0) {
			level--;
			levels[level].next = 0;
			if (read_index(m, entry, levels[level].block, err) < 0)
				return -1;
		} else {
			int result = mapper_add(m, (*file_block)++, entry, 1, false, err);

			if (result != 0)
				return result;
		}
	}
	return 0;
}

static int map_blocks(struct mapper *m, const uint8_t *bytes, const struct fs_file *file, struct error *err)
{
	uint64_t unit = m->fs->block_bytes, file_block = 0, per_block = unit / 4;
	uint64_t end_block = file->size_bytes / unit + (file->size_bytes % unit != 0);
	uint8_t *space AUTO_FREE = malloc(3 * (size_t)unit);

	if (!space)
		return error_set(err, "out of memory");
	for (unsigned slot = 0; slot < MAP_SLOTS && file_block < end_block; slot++) {
		uint32_t entry = get_le32(bytes + INODE_BLOCK_AT + 4 * (size_t)slot);
		unsigned depth = slot < DIRECT_BLOCKS ? 0 : slot - DIRECT_BLOCKS + 1;
		uint64_t span = depth == 0 ? 1 : depth == 1 ? per_block : depth == 2 ? per_block * per_block : per_block * per_block * per_block;
		uint64_t after = file_block + span;
		int result = 0;

		if (entry != 0 && depth == 0)
			result = mapper_add(m, file_block, entry, 1, false, err);
		else if (entry != 0)
			result = walk_index(m, entry, depth, &file_block, end_block, space, err);
		if (result != 0)
			return result;
		file_block = after;
	}
	return 0;
}

// Which kinds keep their content in blocks. A symlink shorter than i_block lies in i_block.
static bool has_blocks(const struct fs_file *file)
{
	if (file->flags & INODE_FLAG_INLINE)
		return false;
	if (file->kind == FS_SYMLINK)
		return (file->flags & INODE_FLAG_EXTENTS) || file->size_bytes >= INODE_BLOCK_BYTES;
	return file->kind == FS_REGULAR || file->kind == FS_FOLDER;
}

int fs_ext_runs_of(struct fs_ext *fs, uint64_t inode, const uint8_t *bytes, size_t length, fs_ext_run *visit, void *context,
		   struct error *err)
{
	struct mapper m = {.fs = fs, .inode = inode, .visit = visit, .context = context};
	struct fs_file file;

	if (fs_ext_decode_inode(fs, inode, bytes, length, &file, err) < 0)
		return -1;
	if (!has_blocks(&file))
		return 0;
	int result = file.flags & INODE_FLAG_EXTENTS ? map_extents(&m, bytes, &file, err) : map_blocks(&m, bytes, &file, err);

	return result != 0 ? result : mapper_flush(&m, err);
}

int fs_ext_runs(struct fs_ext *fs, uint64_t inode, fs_ext_run *visit, void *context, struct error *err)
{
	if (fs_ext_load(fs, inode, err) < 0)
		return -1;
	// The visitor may load another inode.
	struct buffer bytes AUTO_RELEASE_BUFFER = {0};

	buffer_add(&bytes, fs->content.bytes.bytes, fs->content.bytes.length);
	if (buffer_check(&bytes, err) < 0)
		return -1;
	return fs_ext_runs_of(fs, inode, (const uint8_t *)bytes.bytes, bytes.length, visit, context, err);
}
