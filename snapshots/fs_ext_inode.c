// SPDX-License-Identifier: MIT
// Inodes: where they lie and what they say. Layout: Linux fs/ext4/ext4.h, struct ext4_inode.
#include "snapshots/fs_ext_parts.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "base/nanotime.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_STEP_BYTES (256u << 10)

static enum fs_kind kind_of(uint32_t mode)
{
	switch (mode & 0xF000) { // S_IFMT as Linux stores it
	case 0x8000: return FS_REGULAR;
	case 0x4000: return FS_FOLDER;
	case 0xA000: return FS_SYMLINK;
	case 0x2000: return FS_CHARACTER;
	case 0x6000: return FS_BLOCK;
	case 0x1000: return FS_FIFO;
	case 0xC000: return FS_SOCKET;
	default: return FS_OTHER;
	}
}

// Seconds are signed; two bits of the extra word carry on beyond 2038, the rest are nanoseconds. A moment before 1970 has
// no place in our times and is told as absent.
static uint64_t time_of(const uint8_t *bytes, size_t at, size_t extra_at, size_t extra_end)
{
	int64_t seconds = (int32_t)get_le32(bytes + at);
	uint32_t extra = extra_at + 4 <= extra_end ? get_le32(bytes + extra_at) : 0, ns = extra >> 2;

	seconds += (int64_t)(extra & 3) << 32;
	if (seconds < 0)
		return NANOTIME_NONE;
	return (uint64_t)seconds * NANOTIME_SECOND + (ns < NANOTIME_SECOND ? ns : 0);
}

int fs_ext_decode_inode(struct fs_ext *fs, uint64_t inode, const uint8_t *bytes, size_t length, struct fs_file *ret, struct error *err)
{
	struct fs_file f = {.inode = inode};

	if (length < INODE_BASE_BYTES)
		return error_set(err, "inode %" PRIu64 ": %zu bytes are too few", inode, length);
	size_t extra_end = INODE_BASE_BYTES; // of the fields that this inode has

	if (length >= INODE_BASE_BYTES + 4)
		extra_end += get_le16(bytes + 0x80);
	if (extra_end > length)
		extra_end = length;
	f.mode = get_le16(bytes);
	f.kind = kind_of(f.mode);
	f.uid = get_le16(bytes + 0x02) | (uint32_t)get_le16(bytes + 0x78) << 16;
	f.gid = get_le16(bytes + 0x18) | (uint32_t)get_le16(bytes + 0x7A) << 16;
	f.links = get_le16(bytes + 0x1A);
	f.flags = get_le32(bytes + 0x20);
	f.generation = get_le32(bytes + 0x64);
	f.size_bytes = get_le32(bytes + 0x04);
	if (f.kind == FS_REGULAR || fs->large_folders)
		f.size_bytes |= (uint64_t)get_le32(bytes + 0x6C) << 32;
	f.blocks_512 = get_le32(bytes + 0x1C);
	if (fs->huge_files)
		f.blocks_512 |= (uint64_t)get_le16(bytes + 0x74) << 32;
	if (fs->huge_files && (f.flags & INODE_FLAG_HUGE))
		f.blocks_512 *= fs->block_bytes / 512;
	f.atime_ns = time_of(bytes, 0x08, 0x8C, extra_end);
	f.ctime_ns = time_of(bytes, 0x0C, 0x84, extra_end);
	f.mtime_ns = time_of(bytes, 0x10, 0x88, extra_end);
	f.crtime_ns = extra_end >= 0x94 ? time_of(bytes, 0x90, 0x94, extra_end) : NANOTIME_NONE;
	f.dtime_ns = get_le32(bytes + 0x14) * NANOTIME_SECOND;
	*ret = f;
	return 0;
}

// crc32c over the file system's seed, the inode's number, its generation and its bytes without the checksum.
static bool checksum_holds(const struct fs_ext *fs, uint64_t inode, const uint8_t *bytes)
{
	static const uint8_t nothing[2];
	uint8_t number[4], *inode_bytes = (uint8_t *)(uintptr_t)bytes;
	bool has_high = fs->inode_bytes >= INODE_BASE_BYTES + 4 && get_le16(bytes + 0x80) >= 4;
	uint32_t stored = get_le16(bytes + 0x7C), crc;

	put_le32(number, (uint32_t)inode);
	crc = ext2fs_crc32c_le(fs->fs->csum_seed, number, sizeof(number));
	crc = ext2fs_crc32c_le(crc, inode_bytes + 0x64, 4);
	crc = ext2fs_crc32c_le(crc, inode_bytes, 0x7C);
	crc = ext2fs_crc32c_le(crc, nothing, 2);
	crc = ext2fs_crc32c_le(crc, inode_bytes + 0x7E, INODE_BASE_BYTES - 0x7E);
	if (has_high) {
		stored |= (uint32_t)get_le16(bytes + 0x82) << 16;
		crc = ext2fs_crc32c_le(crc, inode_bytes + 0x80, 2);
		crc = ext2fs_crc32c_le(crc, nothing, 2);
		crc = ext2fs_crc32c_le(crc, inode_bytes + 0x84, fs->inode_bytes - 0x84);
	} else if (fs->inode_bytes > INODE_BASE_BYTES) {
		crc = ext2fs_crc32c_le(crc, inode_bytes + INODE_BASE_BYTES, fs->inode_bytes - INODE_BASE_BYTES);
	}
	return has_high ? crc == stored : (crc & 0xFFFF) == stored;
}

// Where the table of a group begins, on the volume. Its whole length lies there.
static int table_place(struct fs_ext *fs, uint64_t group, uint64_t *ret, struct error *err)
{
	if (group >= fs->fs->group_desc_count)
		return error_set(err, "the file system has no group %" PRIu64, group);
	uint64_t offset, bytes = (uint64_t)fs->fs->super->s_inodes_per_group * fs->inode_bytes;

	if (__builtin_mul_overflow((uint64_t)ext2fs_inode_table_loc(fs->fs, (dgrp_t)group), (uint64_t)fs->block_bytes, &offset) ||
	    offset == 0 || offset > fs->size_bytes || bytes > fs->size_bytes - offset)
		return error_set(err, "the descriptor of block group %" PRIu64 " is damaged: its inode table lies outside", group);
	*ret = offset;
	return 0;
}

int fs_ext_inode_place(struct fs_ext *fs, uint64_t inode, uint64_t *ret_volume_offset, uint32_t *ret_bytes, struct error *err)
{
	uint64_t table;
	uint32_t per_group = fs->fs->super->s_inodes_per_group;

	if (inode == 0 || inode > fs->fs->super->s_inodes_count)
		return error_set(err, "the file system has no inode %" PRIu64, inode);
	if (table_place(fs, (inode - 1) / per_group, &table, err) < 0)
		return -1;
	*ret_volume_offset = table + (inode - 1) % per_group * fs->inode_bytes;
	*ret_bytes = fs->inode_bytes;
	return 0;
}

void fs_content_release(struct fs_content *c)
{
	buffer_release(&c->bytes);
	fs_file_release(&c->file);
	buffer_release(&c->inline_data);
	fs_runs_release(&c->runs);
	*c = (struct fs_content){0};
}

int fs_ext_load(struct fs_ext *fs, uint64_t inode, struct error *err)
{
	struct fs_content *c = &fs->content;
	uint64_t offset;
	uint32_t length;

	if (c->inode == inode && inode != 0)
		return 0;
	fs_content_release(c);
	if (fs_ext_inode_place(fs, inode, &offset, &length, err) < 0)
		return -1;
	uint8_t *bytes AUTO_FREE = malloc(length);

	if (!bytes)
		return error_set(err, "out of memory");
	if (volume_read(fs->volume, offset, bytes, length, err) < 0 ||
	    fs_ext_decode_inode(fs, inode, bytes, length, &c->file, err) < 0 ||
	    fs_ext_inline_of(bytes, length, &c->inline_data, &c->is_inline, err) < 0)
		return -1;
	if (fs->checksums && c->file.mode != 0 && !checksum_holds(fs, inode, bytes))
		fs_ext_warn(fs, "the checksum of inode %" PRIu64 " is wrong: it is shown as it lies on the disk", inode);
	buffer_add(&c->bytes, bytes, length);
	if (buffer_check(&c->bytes, err) < 0)
		return -1;
	c->inode = inode;
	return 0;
}

int fs_ext_stat(struct fs_ext *fs, uint64_t inode, struct fs_file *ret, struct error *err)
{
	struct fs_file file;

	if (fs_ext_load(fs, inode, err) < 0)
		return -1;
	file = fs->content.file;
	if (file.mode == 0)
		return error_set(err, "inode %" PRIu64 " is not in use", inode);
	if (file.kind == FS_SYMLINK && fs_ext_target(fs, inode, &file.target, &file.target_length, err) < 0)
		return -1;
	*ret = file;
	return 0;
}

// The inodes of one piece of a table.
static int visit_piece(struct fs_ext *fs, const uint8_t *bytes, size_t length, uint64_t first, fs_ext_inode *visit, void *context,
		       struct error *err)
{
	uint32_t first_plain = fs->fs->super->s_rev_level > 0 ? fs->fs->super->s_first_ino : 11; // EXT2_GOOD_OLD_FIRST_INO

	for (size_t at = 0; at + fs->inode_bytes <= length; at += fs->inode_bytes) {
		uint64_t inode = first + at / fs->inode_bytes;
		struct fs_file file;

		if (inode < first_plain && inode != INODE_ROOT)
			continue;
		if (get_le16(bytes + at) == 0 || get_le16(bytes + at + 0x1A) == 0) // mode, links
			continue;
		if (fs_ext_decode_inode(fs, inode, bytes + at, fs->inode_bytes, &file, err) < 0)
			return -1;
		int result = visit(context, &file, err);

		if (result != 0)
			return result;
	}
	return 0;
}

// How many inodes of the group's table were ever used.
static uint64_t used_inodes(const struct fs_ext *fs, dgrp_t group)
{
	uint64_t count = fs->fs->super->s_inodes_per_group;

	if (!ext2fs_has_group_desc_csum(fs->fs))
		return count;
	if (ext2fs_bg_flags_test(fs->fs, group, EXT2_BG_INODE_UNINIT))
		return 0;
	uint64_t unused = ext2fs_bg_itable_unused(fs->fs, group);

	return unused < count ? count - unused : 0;
}

int fs_ext_inodes(struct fs_ext *fs, fs_ext_inode *visit, void *context, struct error *err)
{
	uint8_t *step AUTO_FREE = malloc(TABLE_STEP_BYTES);

	if (!step)
		return error_set(err, "out of memory");
	for (dgrp_t group = 0; group < fs->fs->group_desc_count; group++) {
		uint64_t left = used_inodes(fs, group) * fs->inode_bytes, table = 0, done = 0;

		if (left > 0 && table_place(fs, group, &table, err) < 0)
			return -1;
		while (done < left) {
			size_t length = left - done < TABLE_STEP_BYTES ? (size_t)(left - done) : TABLE_STEP_BYTES;
			uint64_t first = (uint64_t)group * fs->fs->super->s_inodes_per_group + done / fs->inode_bytes + 1;

			if (volume_read(fs->volume, table + done, step, length, err) < 0)
				return -1;
			int result = visit_piece(fs, step, length, first, visit, context, err);

			if (result != 0)
				return result;
			done += length;
		}
	}
	return 0;
}
