// SPDX-License-Identifier: MIT
// Where the journal lies. Depth of trees, number of extents and of blocks read are bounded, whatever the bytes say.
#include "snapshots/ext_layout.h"
#include "snapshots/journal_block.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <string.h>

#define INODE_MODE 0x00
#define INODE_SIZE_LO 0x04
#define INODE_LINKS 0x1a
#define INODE_FLAGS 0x20
#define INODE_BLOCKS 0x28
#define INODE_SIZE_HI 0x6c
#define INODE_MAP_BYTES 60u          // i_block
#define INODE_FLAG_EXTENTS 0x80000u  // EXT4_EXTENTS_FL
#define MODE_KIND 0xf000u
#define MODE_REGULAR 0x8000u
#define BACKUP_BLOCKS 1u             // EXT3_JNL_BACKUP_BLOCKS
#define EXTENT_MAGIC 0xf30au
#define EXTENT_MAX_DEPTH 5u          // EXT4_MAX_EXTENT_DEPTH
#define EXTENT_MAX_LENGTH 32768u     // EXT_INIT_MAX_LEN; more means unwritten
#define MAX_EXTENTS (1u << 16)       // our limit: a 4 GiB journal in pieces of 64 KiB
#define MAX_TREE_BLOCKS (1u << 15)   // our limit for the blocks of the tree or map itself: a full ring's map of 1 KiB blocks has half

struct finder {
	const struct ext_layout *layout;
	journal_read *read;
	void *context;
	struct journal_geometry *geometry;
	uint64_t wanted_blocks; // of the journal's file
	uint32_t tree_blocks;   // read so far
};

// Adds the next run of the file; runs come in order and without holes.
static int finder_add(struct finder *f, uint64_t journal_block, uint64_t fs_block, uint64_t count, struct error *err)
{
	struct journal_geometry *g = f->geometry;
	struct journal_extent *last = g->extents.count ? &g->extents.items[g->extents.count - 1] : NULL;

	if (journal_block >= f->wanted_blocks)
		return 0;
	if (journal_block != g->journal_blocks)
		return error_set(err, "journal: its file has a hole at block %llu", (unsigned long long)g->journal_blocks);
	if (fs_block == 0 || count == 0 || fs_block >= f->layout->blocks || count > f->layout->blocks - fs_block)
		return error_set(err, "journal: block %llu of its file lies outside the file system", (unsigned long long)journal_block);
	if (count > f->wanted_blocks - journal_block)
		count = f->wanted_blocks - journal_block;
	g->journal_blocks += count;
	if (last && last->fs_block + last->count == fs_block) {
		last->count += count;
		return 0;
	}
	if (g->extents.count >= MAX_EXTENTS)
		return error_set(err, "journal: its file lies in more than %u pieces", MAX_EXTENTS);
	if (journal_extents_append(&g->extents, (struct journal_extent){journal_block, fs_block, count}) < 0)
		return error_set(err, "out of memory");
	return 0;
}

static int finder_read_block(struct finder *f, uint64_t fs_block, uint8_t *bytes, struct error *err)
{
	if (fs_block == 0 || fs_block >= f->layout->blocks)
		return error_set(err, "journal: the map of its file points outside the file system");
	if (++f->tree_blocks > MAX_TREE_BLOCKS)
		return error_set(err, "journal: the map of its file has more than %u blocks", MAX_TREE_BLOCKS);
	return f->read(f->context, fs_block * f->layout->block_bytes, bytes, f->layout->block_bytes, err);
}

// A node of the extent tree: header (magic, entries, maximum, depth), then entries of 12 bytes.
static int finder_extents(struct finder *f, const uint8_t *node, uint32_t node_bytes, unsigned depth, struct error *err)
{
	uint32_t entries = get_le16(node + 2);
	uint8_t *child AUTO_FREE = NULL;

	if (get_le16(node) != EXTENT_MAGIC || get_le16(node + 6) != depth || entries > (node_bytes - 12) / 12)
		return error_set(err, "journal: the extent tree of its file is damaged");
	if (depth > 0) {
		child = malloc(f->layout->block_bytes);
		if (!child)
			return error_set(err, "out of memory");
	}
	for (uint32_t i = 0; i < entries; i++) {
		const uint8_t *e = node + 12 + 12 * i;
		uint32_t length = get_le16(e + 4);

		if (depth > 0) {
			if (finder_read_block(f, get_le32(e + 4) | (uint64_t)get_le16(e + 8) << 32, child, err) < 0 ||
			    finder_extents(f, child, f->layout->block_bytes, depth - 1, err) < 0)
				return -1;
		} else if (finder_add(f, get_le32(e), get_le32(e + 8) | (uint64_t)get_le16(e + 6) << 32,
				      length > EXTENT_MAX_LENGTH ? length - EXTENT_MAX_LENGTH : length, err) < 0) {
			return -1;
		}
	}
	return 0;
}

// Block numbers of ext2 and ext3: `depth` levels of blocks full of numbers.
static int finder_map(struct finder *f, uint32_t fs_block, unsigned depth, struct error *err)
{
	uint8_t *numbers AUTO_FREE = NULL;

	if (f->geometry->journal_blocks >= f->wanted_blocks)
		return 0;
	if (depth == 0)
		return finder_add(f, f->geometry->journal_blocks, fs_block, 1, err);
	numbers = malloc(f->layout->block_bytes);
	if (!numbers)
		return error_set(err, "out of memory");
	if (finder_read_block(f, fs_block, numbers, err) < 0)
		return -1;
	for (uint32_t i = 0; i < f->layout->block_bytes / 4 && f->geometry->journal_blocks < f->wanted_blocks; i++)
		if (finder_map(f, get_le32(numbers + 4 * i), depth - 1, err) < 0)
			return -1;
	return 0;
}

static int finder_walk(struct finder *f, const uint8_t map[INODE_MAP_BYTES], uint64_t size_bytes, bool extents, struct error *err)
{
	f->wanted_blocks = size_bytes / f->layout->block_bytes;
	f->geometry->journal_blocks = 0;
	f->geometry->extents.count = 0;
	f->tree_blocks = 0;
	if (f->wanted_blocks == 0)
		return error_set(err, "journal: its file is empty");
	if (f->wanted_blocks > JOURNAL_MAX_BLOCKS || size_bytes > JOURNAL_MAX_BYTES)
		return error_set(err, "journal: its file has %llu blocks, %llu bytes: more than this program follows",
				 (unsigned long long)f->wanted_blocks, (unsigned long long)size_bytes);
	if (extents) {
		unsigned depth = get_le16(map + 6);

		if (depth > EXTENT_MAX_DEPTH)
			return error_set(err, "journal: the extent tree of its file is damaged");
		if (finder_extents(f, map, INODE_MAP_BYTES, depth, err) < 0)
			return -1;
	} else {
		for (unsigned i = 0; i < 15; i++) // 12 direct blocks, then one tree of each depth
			if (finder_map(f, get_le32(map + 4 * i), i < 12 ? 0 : i - 11, err) < 0)
				return -1;
	}
	if (f->geometry->journal_blocks < f->wanted_blocks)
		return error_set(err, "journal: its file has a hole at block %llu", (unsigned long long)f->geometry->journal_blocks);
	return 0;
}

static int finder_inode(struct finder *f, struct error *err)
{
	uint8_t inode[EXT_INODE_BYTES];

	if (ext_layout_inode(f->layout, f->read, f->context, get_le32(f->layout->super + EXT_S_JOURNAL_INODE), inode, err) < 0)
		return -1;
	if ((get_le16(inode + INODE_MODE) & MODE_KIND) != MODE_REGULAR || get_le16(inode + INODE_LINKS) == 0)
		return error_set(err, "journal: inode %u is not its file", get_le32(f->layout->super + EXT_S_JOURNAL_INODE));
	return finder_walk(f, inode + INODE_BLOCKS, get_le32(inode + INODE_SIZE_LO) | (uint64_t)get_le32(inode + INODE_SIZE_HI) << 32,
			   get_le32(inode + INODE_FLAGS) & INODE_FLAG_EXTENTS, err);
}

// The superblock keeps a copy of the inode's map, its size behind it (upper half first).
static int finder_backup(struct finder *f, struct error *err)
{
	const uint8_t *map = f->layout->super + EXT_S_JOURNAL_BLOCKS;

	if (f->layout->super[EXT_S_JOURNAL_BACKUP_TYPE] != BACKUP_BLOCKS)
		return error_set(err, "journal: its inode cannot be read, and the superblock has no copy");
	return finder_walk(f, map, get_le32(map + 64) | (uint64_t)get_le32(map + 60) << 32,
			   (f->layout->incompatible & EXT_INCOMPAT_EXTENTS) && get_le16(map) == EXTENT_MAGIC, err);
}

static int finder_super(struct finder *f, struct error *err)
{
	uint8_t bytes[JOURNAL_SUPER_BYTES];
	struct journal_super super;

	if (f->read(f->context, f->geometry->extents.items[0].fs_block * f->layout->block_bytes, bytes, sizeof(bytes), err) < 0)
		return -1;
	return journal_super_decode(bytes, f->geometry, &super, err);
}

// Does the file system have a journal that we can look for?
static int journal_expected(const struct ext_layout *l, bool *ret_expected, struct error *err)
{
	static const uint8_t no_uuid[16];

	*ret_expected = false;
	if (l->incompatible & EXT_INCOMPAT_JOURNAL_DEVICE)
		return error_set(err, "this is the external journal of another file system, not a file system");
	if (!(l->compatible & EXT_COMPAT_HAS_JOURNAL))
		return 0;
	if (get_le32(l->super + EXT_S_JOURNAL_INODE) == 0) {
		if (get_le32(l->super + EXT_S_JOURNAL_DEVICE) != 0 || memcmp(l->super + EXT_S_JOURNAL_UUID, no_uuid, sizeof(no_uuid)) != 0)
			return error_set(err, "external journal: the file system keeps its journal on another device, which this history does not hold");
		return error_set(err, "journal: the superblock names no inode for it");
	}
	*ret_expected = true;
	return 0;
}

int journal_locate(journal_read *read, void *context, struct journal_geometry *ret, bool *ret_present, struct error *err)
{
	struct ext_layout layout;
	struct journal_geometry g = {0};
	struct finder f = {.layout = &layout, .read = read, .context = context, .geometry = &g};
	struct error reason; // of the inode's failure: the copy's would say less
	bool present;

	memset(ret, 0, sizeof(*ret));
	*ret_present = false;
	if (ext_layout_read(read, context, &layout, &present, err) < 0)
		return -1;
	if (!present)
		return 0;
	if (journal_expected(&layout, &present, err) < 0)
		return -1;
	if (!present)
		return 0;
	g.block_bytes = layout.block_bytes;
	g.fs_blocks = layout.blocks;
	if ((finder_inode(&f, &reason) < 0 || finder_super(&f, &reason) < 0) && (finder_backup(&f, NULL) < 0 || finder_super(&f, NULL) < 0)) {
		journal_extents_release(&g.extents);
		return error_set(err, "%s", reason.message);
	}
	*ret = g;
	*ret_present = true;
	return 0;
}

static const struct journal_extent *extent_before(const struct journal_geometry *g, uint64_t journal_block)
{
	size_t low = 0, high = g->extents.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (g->extents.items[middle].journal_block <= journal_block)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &g->extents.items[low - 1] : NULL;
}

bool journal_to_fs(const struct journal_geometry *g, uint64_t journal_block, uint64_t *ret_fs_block)
{
	const struct journal_extent *e = extent_before(g, journal_block);

	if (!e || journal_block - e->journal_block >= e->count)
		return false;
	*ret_fs_block = e->fs_block + (journal_block - e->journal_block);
	return true;
}

bool journal_from_fs(const struct journal_geometry *g, uint64_t fs_block, uint64_t *ret_journal_block)
{
	for (size_t i = 0; i < g->extents.count; i++) { // few, and in no order of fs_block
		const struct journal_extent *e = &g->extents.items[i];

		if (fs_block >= e->fs_block && fs_block - e->fs_block < e->count) {
			*ret_journal_block = e->journal_block + (fs_block - e->fs_block);
			return true;
		}
	}
	return false;
}
