// SPDX-License-Identifier: MIT
#include "snapshots/ext_layout.h"

#include "base/bytes.h"

#include <string.h>

#define EXT_MAX_LOG_BLOCK 6u       // EXT4_MAX_BLOCK_LOG_SIZE 16: 64 KiB
#define EXT_OLD_INODE_BYTES 128u   // EXT4_GOOD_OLD_INODE_SIZE
#define EXT_OLD_DESCRIPTOR_BYTES 32u // EXT4_MIN_DESC_SIZE
#define EXT_MAX_GROUPS (1u << 25)  // our limit: 4 PiB with the usual 128 MiB groups

static int layout_descriptor_bytes(struct ext_layout *l, struct error *err)
{
	l->descriptor_bytes = EXT_OLD_DESCRIPTOR_BYTES;
	if (l->incompatible & EXT_INCOMPAT_64BIT) {
		l->descriptor_bytes = get_le16(l->super + EXT_S_DESCRIPTOR_BYTES);
		if (l->descriptor_bytes < 64 || l->descriptor_bytes > 1024 || (l->descriptor_bytes & (l->descriptor_bytes - 1)) != 0)
			return error_set(err, "ext superblock: group descriptors of %u bytes", l->descriptor_bytes);
	}
	return 0;
}

static int layout_inode_bytes(struct ext_layout *l, struct error *err)
{
	l->inode_bytes = EXT_OLD_INODE_BYTES;
	if (get_le32(l->super + EXT_S_REVISION) > 0) {
		l->inode_bytes = get_le16(l->super + EXT_S_INODE_BYTES);
		if (l->inode_bytes < EXT_OLD_INODE_BYTES || l->inode_bytes > l->block_bytes || (l->inode_bytes & (l->inode_bytes - 1)) != 0)
			return error_set(err, "ext superblock: inodes of %u bytes", l->inode_bytes);
	}
	return 0;
}

static int layout_groups(struct ext_layout *l, struct error *err)
{
	uint64_t groups;

	if (l->inodes == 0 || l->inodes_per_group == 0 || l->blocks_per_group == 0)
		return error_set(err, "ext superblock: groups without blocks or inodes");
	if (l->blocks <= l->first_data_block || l->blocks > (UINT64_MAX >> 16) / 2)
		return error_set(err, "ext superblock: %llu blocks", (unsigned long long)l->blocks);
	groups = (l->blocks - l->first_data_block - 1) / l->blocks_per_group + 1;
	if (groups > EXT_MAX_GROUPS)
		return error_set(err, "ext superblock: %llu groups of blocks, more than %u", (unsigned long long)groups, EXT_MAX_GROUPS);
	l->groups = (uint32_t)groups;
	return 0;
}

static int layout_decode(struct ext_layout *l, struct error *err)
{
	const uint8_t *s = l->super;
	uint32_t log_block = get_le32(s + EXT_S_LOG_BLOCK), log_cluster = get_le32(s + EXT_S_LOG_CLUSTER);

	if (log_block > EXT_MAX_LOG_BLOCK)
		return error_set(err, "ext superblock: blocks of 2^%u KiB", log_block);
	l->block_bytes = 1024u << log_block;
	l->inodes = get_le32(s + EXT_S_INODES);
	l->inodes_per_group = get_le32(s + EXT_S_INODES_PER_GROUP);
	l->blocks_per_group = get_le32(s + EXT_S_BLOCKS_PER_GROUP);
	l->first_data_block = get_le32(s + EXT_S_FIRST_DATA_BLOCK);
	if (get_le32(s + EXT_S_REVISION) > 0) {
		l->compatible = get_le32(s + EXT_S_COMPATIBLE);
		l->incompatible = get_le32(s + EXT_S_INCOMPATIBLE);
		l->read_only_compatible = get_le32(s + EXT_S_READ_ONLY_COMPATIBLE);
	}
	l->blocks = get_le32(s + EXT_S_BLOCKS_LO);
	if (l->incompatible & EXT_INCOMPAT_64BIT)
		l->blocks |= (uint64_t)get_le32(s + EXT_S_BLOCKS_HI) << 32;
	l->cluster_blocks = 1;
	if (l->read_only_compatible & EXT_RO_COMPAT_BIGALLOC) {
		if (log_cluster < log_block || log_cluster > 20) // EXT4_MAX_CLUSTER_LOG_SIZE 30: 1 GiB
			return error_set(err, "ext superblock: clusters of 2^%u KiB", log_cluster);
		l->cluster_blocks = 1u << (log_cluster - log_block);
	}
	if (l->incompatible & EXT_INCOMPAT_JOURNAL_DEVICE) // has neither groups nor inodes
		return 0;
	if (layout_descriptor_bytes(l, err) < 0 || layout_inode_bytes(l, err) < 0)
		return -1;
	return layout_groups(l, err);
}

int ext_layout_read(ext_read *read, void *context, struct ext_layout *ret, bool *ret_present, struct error *err)
{
	memset(ret, 0, sizeof(*ret));
	*ret_present = false;
	if (read(context, EXT_SUPER_OFFSET, ret->super, sizeof(ret->super), err) < 0)
		return -1;
	if (get_le16(ret->super + EXT_S_MAGIC) != EXT_MAGIC)
		return 0;
	*ret_present = true;
	return layout_decode(ret, err);
}

static bool is_power_of(uint32_t n, uint32_t base)
{
	while (n > 1 && n % base == 0)
		n /= base;
	return n == 1;
}

// Whether a group begins with a copy of the superblock (ext4_bg_has_super()).
static bool group_has_super(const struct ext_layout *l, uint32_t group)
{
	if (group == 0)
		return true;
	if (l->compatible & EXT_COMPAT_SPARSE_SUPER2)
		return group == get_le32(l->super + EXT_S_BACKUP_GROUPS) || group == get_le32(l->super + EXT_S_BACKUP_GROUPS + 4);
	if (group == 1 || !(l->read_only_compatible & EXT_RO_COMPAT_SPARSE_SUPER))
		return true;
	return is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

uint64_t ext_layout_descriptor(const struct ext_layout *l, uint32_t group)
{
	uint32_t per_block = l->block_bytes / l->descriptor_bytes, index = group / per_block;
	uint64_t block = (uint64_t)l->first_data_block + 1 + index;

	// The superblock lies in block 1 of 1 KiB blocks, although bigalloc counts its groups from block 0.
	if (l->block_bytes == 1024 && l->first_data_block == 0)
		block++;
	if ((l->incompatible & EXT_INCOMPAT_META_BG) && index >= get_le32(l->super + EXT_S_FIRST_META_GROUP) && index > 0) {
		uint32_t first = index * per_block;

		block = l->first_data_block + (uint64_t)first * l->blocks_per_group + (group_has_super(l, first) ? 1 : 0);
	}
	return block * l->block_bytes + (uint64_t)(group % per_block) * l->descriptor_bytes;
}

int ext_layout_inode(const struct ext_layout *l, ext_read *read, void *context, uint64_t inode, uint8_t ret[EXT_INODE_BYTES],
		     struct error *err)
{
	uint8_t descriptor[64] = {0};
	uint64_t table, offset;
	uint32_t group;

	if (l->groups == 0 || inode == 0 || inode > l->inodes || (inode - 1) / l->inodes_per_group >= l->groups)
		return error_set(err, "inode %llu is outside the file system", (unsigned long long)inode);
	group = (uint32_t)((inode - 1) / l->inodes_per_group);
	if (read(context, ext_layout_descriptor(l, group), descriptor, l->descriptor_bytes < 64 ? l->descriptor_bytes : 64, err) < 0)
		return -1;
	table = get_le32(descriptor + 0x08); // bg_inode_table_lo
	if (l->descriptor_bytes >= 64)
		table |= (uint64_t)get_le32(descriptor + 0x28) << 32; // bg_inode_table_hi
	if (table == 0 || table >= l->blocks)
		return error_set(err, "the inode table of group %u is outside the file system", group);
	offset = table * l->block_bytes + (inode - 1) % l->inodes_per_group * l->inode_bytes;
	return read(context, offset, ret, EXT_INODE_BYTES, err);
}
