// SPDX-License-Identifier: MIT
#include "snapshots/fs_map.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

// Offsets in the inode, and values: fs/ext4/ext4.h
#define INODE_MODE 0x00
#define INODE_SIZE_LOW 0x04
#define INODE_FLAGS 0x20
#define INODE_BLOCK 0x28
#define INODE_BLOCK_BYTES 60u
#define INODE_SIZE_HIGH 0x6C
#define INODE_EXTRA_SIZE 0x80
#define GOOD_OLD_INODE_BYTES 128u
#define FLAG_EXTENTS 0x00080000u
#define FLAG_INLINE_DATA 0x10000000u
#define MODE_KIND 0xF000u
#define MODE_REGULAR 0x8000u
#define MODE_FOLDER 0x4000u
#define MODE_SYMLINK 0xA000u
// fs/ext4/ext4_extents.h
#define EXTENT_MAGIC 0xF30Au
#define EXTENT_MAX_LENGTH 32768u /* EXT_INIT_MAX_LEN: longer means unwritten */
#define EXTENT_MAX_DEPTH 5u
// fs/ext4/xattr.h
#define XATTR_MAGIC 0xEA020000u
#define XATTR_INDEX_SYSTEM 7u

#define DIRECT_BLOCKS 12u
#define MAX_RUNS ((size_t)1 << 20)  /* our limit: 32 MB */
#define MAX_NODES ((size_t)1 << 16) /* our limit: blocks of one map; 16 GiB of a file that has no extents and blocks of 1 KiB */

struct decoding {
	struct fs_map *map;
	fs_map_read *read;
	void *context;
	uint32_t block_bytes;
};

void fs_map_release(struct fs_map *m)
{
	fs_runs_release(&m->runs);
	u64_vector_release(&m->nodes);
	free(m->inline_bytes);
	memset(m, 0, sizeof(*m));
}

static int add_run(struct decoding *d, uint64_t file_block, uint64_t block, uint64_t count, bool unwritten, struct error *err)
{
	struct fs_map *m = d->map;
	struct fs_run run = {.file_offset = file_block * d->block_bytes, .volume_offset = block * d->block_bytes, .length = count * d->block_bytes};
	struct fs_run *last = m->runs.count > 0 ? &m->runs.items[m->runs.count - 1] : NULL;

	run.unwritten = unwritten;
	if (last && run.file_offset < last->file_offset + last->length) {
		m->damaged = true; // overlaps or runs backwards
		return 0;
	}
	if (last && last->unwritten == unwritten && last->file_offset + last->length == run.file_offset &&
	    last->volume_offset + last->length == run.volume_offset) {
		last->length += run.length;
		return 0;
	}
	if (m->runs.count >= MAX_RUNS) {
		m->damaged = true;
		return 0;
	}
	return fs_runs_append(&m->runs, run) < 0 ? error_set(err, "out of memory") : 0;
}

// A block of the map itself. *ret NULL: not to be followed (limits).
static int read_node(struct decoding *d, uint64_t block, uint8_t **ret, struct error *err)
{
	*ret = NULL;
	if (block == 0 || d->map->nodes.count >= MAX_NODES) {
		d->map->damaged = true;
		return 0;
	}
	uint8_t *bytes = malloc(d->block_bytes);

	if (!bytes || u64_vector_append(&d->map->nodes, block * d->block_bytes) < 0) {
		free(bytes);
		return error_set(err, "out of memory");
	}
	if (d->read(d->context, block * d->block_bytes, bytes, d->block_bytes, err) < 0) {
		free(bytes);
		return -1;
	}
	*ret = bytes;
	return 0;
}

// ---- extents

static int add_leaf(struct decoding *d, const uint8_t *entry, unsigned count, struct error *err)
{
	for (; count > 0; count--, entry += 12) {
		uint32_t length = get_le16(entry + 4);
		bool unwritten = length > EXTENT_MAX_LENGTH;
		uint64_t block = (uint64_t)get_le16(entry + 6) << 32 | get_le32(entry + 8);

		if (unwritten)
			length -= EXTENT_MAX_LENGTH;
		if (length > 0 && add_run(d, get_le32(entry), block, length, unwritten, err) < 0)
			return -1;
	}
	return 0;
}

// depth: what the parent promises; the root's own word counts. It falls with every level, so this ends.
static int walk_extents(struct decoding *d, const uint8_t *node, size_t length, unsigned depth, struct error *err)
{
	unsigned count = get_le16(node + 2);
	int result = 0;

	if (get_le16(node) != EXTENT_MAGIC || get_le16(node + 6) != depth || depth > EXTENT_MAX_DEPTH || 12 + count * 12u > length) {
		d->map->damaged = true;
		return 0;
	}
	if (depth == 0)
		return add_leaf(d, node + 12, count, err);
	for (const uint8_t *entry = node + 12; count > 0 && result == 0; count--, entry += 12) {
		uint8_t *child;

		if (read_node(d, (uint64_t)get_le16(entry + 8) << 32 | get_le32(entry + 4), &child, err) < 0)
			return -1;
		if (child)
			result = walk_extents(d, child, d->block_bytes, depth - 1, err);
		free(child);
	}
	return result;
}

// ---- block maps of ext2 and ext3

// levels 0: the block holds data. *file_block moves behind what the pointer stands for.
static int walk_pointer(struct decoding *d, uint32_t block, unsigned levels, uint64_t *file_block, uint64_t end_block, struct error *err)
{
	uint32_t fanout = d->block_bytes / 4;
	uint64_t covers = 1;
	uint8_t *node;
	int result = 0;

	for (unsigned i = 0; i < levels; i++)
		covers *= fanout;
	if (*file_block >= end_block || block == 0) {
		*file_block += covers;
		return 0;
	}
	if (levels == 0)
		return add_run(d, (*file_block)++, block, 1, false, err);
	if (read_node(d, block, &node, err) < 0)
		return -1;
	for (uint32_t i = 0; node && i < fanout && result == 0 && *file_block < end_block; i++)
		result = walk_pointer(d, get_le32(node + i * 4), levels - 1, file_block, end_block, err);
	free(node);
	return result;
}

static int walk_block_map(struct decoding *d, const uint8_t *pointers, struct error *err)
{
	uint64_t file_block = 0, end_block = (d->map->size_bytes + d->block_bytes - 1) / d->block_bytes;

	for (unsigned i = 0; i < DIRECT_BLOCKS + 3; i++) {
		unsigned levels = i < DIRECT_BLOCKS ? 0 : i - DIRECT_BLOCKS + 1;

		if (walk_pointer(d, get_le32(pointers + i * 4), levels, &file_block, end_block, err) < 0)
			return -1;
	}
	return 0;
}

// ---- content in the inode

// The rest of inline data, behind the 60 bytes of i_block: the attribute system.data in the inode's own attribute space.
static const uint8_t *find_inline_rest(const uint8_t *inode, size_t length, size_t *ret_length)
{
	size_t begin = GOOD_OLD_INODE_BYTES + (length > GOOD_OLD_INODE_BYTES + 2 ? get_le16(inode + INODE_EXTRA_SIZE) : 0);

	*ret_length = 0;
	if (begin + 8 > length || get_le32(inode + begin) != XATTR_MAGIC)
		return NULL;
	begin += 4; // value offsets count from the first entry
	for (size_t at = begin; at + 16 <= length && get_le32(inode + at) != 0;) {
		unsigned name_length = inode[at];
		size_t value = begin + get_le16(inode + at + 2), value_length = get_le32(inode + at + 8);

		if (at + 16 + name_length > length)
			return NULL;
		if (inode[at + 1] == XATTR_INDEX_SYSTEM && name_length == 4 && memcmp(inode + at + 16, "data", 4) == 0) {
			if (value > length || value_length > length - value)
				return NULL;
			*ret_length = value_length;
			return inode + value;
		}
		at += (16 + name_length + 3) & ~(size_t)3;
	}
	return NULL;
}

static int take_inline(struct fs_map *m, const uint8_t *inode, size_t length, struct error *err)
{
	size_t rest_length, first = INODE_BLOCK_BYTES;
	const uint8_t *rest = find_inline_rest(inode, length, &rest_length);

	m->inline_bytes = malloc(first + rest_length);
	if (!m->inline_bytes)
		return error_set(err, "out of memory");
	memcpy(m->inline_bytes, inode + INODE_BLOCK, first);
	if (rest_length > 0)
		memcpy(m->inline_bytes + first, rest, rest_length);
	m->inline_length = first + rest_length;
	return 0;
}

int fs_map_decode(const uint8_t *inode, size_t length, uint32_t block_bytes, fs_map_read *read, void *context, struct fs_map *ret, struct error *err)
{
	struct decoding d = {.map = ret, .read = read, .context = context, .block_bytes = block_bytes};
	uint32_t flags, kind;
	const uint8_t *root = inode + INODE_BLOCK;

	fs_map_release(ret);
	if (length < GOOD_OLD_INODE_BYTES) {
		ret->damaged = true;
		return 0;
	}
	flags = get_le32(inode + INODE_FLAGS);
	kind = get_le16(inode + INODE_MODE) & MODE_KIND;
	ret->size_bytes = get_le32(inode + INODE_SIZE_LOW) | (uint64_t)get_le32(inode + INODE_SIZE_HIGH) << 32;
	if (flags & FLAG_INLINE_DATA)
		return take_inline(ret, inode, length, err);
	if (kind == MODE_SYMLINK && !(flags & FLAG_EXTENTS) && ret->size_bytes < INODE_BLOCK_BYTES) {
		int result = take_inline(ret, inode, length, err); // a fast symlink's target

		ret->inline_length = (size_t)ret->size_bytes;
		return result;
	}
	if (kind != MODE_REGULAR && kind != MODE_FOLDER && kind != MODE_SYMLINK)
		return 0;
	if (flags & FLAG_EXTENTS)
		return walk_extents(&d, root, INODE_BLOCK_BYTES, get_le16(root + 6), err);
	return walk_block_map(&d, root, err);
}

bool fs_map_equal(const struct fs_map *a, const struct fs_map *b)
{
	if (a->runs.count != b->runs.count || a->inline_length != b->inline_length || !a->inline_bytes != !b->inline_bytes)
		return false;
	for (size_t i = 0; i < a->runs.count; i++) {
		const struct fs_run *x = &a->runs.items[i], *y = &b->runs.items[i];

		if (x->file_offset != y->file_offset || x->volume_offset != y->volume_offset || x->length != y->length || x->unwritten != y->unwritten)
			return false;
	}
	return a->inline_length == 0 || memcmp(a->inline_bytes, b->inline_bytes, a->inline_length) == 0;
}

struct fs_run fs_map_at(const struct fs_map *m, uint64_t offset, uint64_t length, bool *ret_hole)
{
	size_t low = 0, high = m->runs.count;
	struct fs_run piece = {.file_offset = offset, .length = length};

	while (low < high) { // the first run that ends behind offset
		size_t middle = low + (high - low) / 2;

		if (m->runs.items[middle].file_offset + m->runs.items[middle].length <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_hole = true;
	if (low == m->runs.count)
		return piece;
	const struct fs_run *run = &m->runs.items[low];

	if (run->file_offset > offset) {
		if (run->file_offset - offset < length)
			piece.length = run->file_offset - offset;
		return piece;
	}
	*ret_hole = false;
	piece.volume_offset = run->volume_offset + (offset - run->file_offset);
	piece.unwritten = run->unwritten;
	if (run->length - (offset - run->file_offset) < length)
		piece.length = run->length - (offset - run->file_offset);
	return piece;
}

static void inline_content(const struct fs_map *m, uint64_t offset, uint8_t *bytes, size_t length)
{
	size_t part = offset >= m->inline_length ? 0 : m->inline_length - (size_t)offset;

	if (part > length)
		part = length;
	if (part > 0)
		memcpy(bytes, m->inline_bytes + offset, part);
	memset(bytes + part, 0, length - part);
}

int fs_map_content(const struct fs_map *m, fs_map_read *read, void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	uint8_t *at = bytes;

	if (m->inline_bytes) {
		inline_content(m, offset, bytes, length);
		return 0;
	}
	while (length > 0) {
		bool hole;
		struct fs_run piece = fs_map_at(m, offset, length, &hole);

		if (hole || piece.unwritten)
			memset(at, 0, (size_t)piece.length);
		else if (read(context, piece.volume_offset, at, (size_t)piece.length, err) < 0)
			return -1;
		at += piece.length;
		offset += piece.length;
		length -= (size_t)piece.length;
	}
	return 0;
}
