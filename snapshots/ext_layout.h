// SPDX-License-Identifier: MIT
// The few places of an ext2/3/4 file system that are needed before its journal is replayed: superblock, group descriptors, an inode.
// Source: Linux Documentation/filesystems/ext4/ (super, group_descr, inodes), fs/ext4/ext4.h.
#ifndef SNAPSHOTS_EXT_LAYOUT_H
#define SNAPSHOTS_EXT_LAYOUT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXT_SUPER_OFFSET 1024u
#define EXT_SUPER_BYTES 1024u
#define EXT_MAGIC 0xef53u

// Offsets in the superblock.
enum {
	EXT_S_INODES = 0x00, EXT_S_BLOCKS_LO = 0x04, EXT_S_FREE_BLOCKS_LO = 0x0c, EXT_S_FREE_INODES = 0x10,
	EXT_S_FIRST_DATA_BLOCK = 0x14, EXT_S_LOG_BLOCK = 0x18, EXT_S_LOG_CLUSTER = 0x1c, EXT_S_BLOCKS_PER_GROUP = 0x20,
	EXT_S_INODES_PER_GROUP = 0x28, EXT_S_MOUNT_TIME = 0x2c, EXT_S_MOUNT_COUNT = 0x34, EXT_S_MAGIC = 0x38, EXT_S_STATE = 0x3a,
	EXT_S_REVISION = 0x4c, EXT_S_INODE_BYTES = 0x58,
	EXT_S_COMPATIBLE = 0x5c, EXT_S_INCOMPATIBLE = 0x60, EXT_S_READ_ONLY_COMPATIBLE = 0x64, EXT_S_JOURNAL_UUID = 0xd0,
	EXT_S_JOURNAL_INODE = 0xe0, EXT_S_JOURNAL_DEVICE = 0xe4, EXT_S_JOURNAL_BACKUP_TYPE = 0xfd, EXT_S_DESCRIPTOR_BYTES = 0xfe,
	EXT_S_FIRST_META_GROUP = 0x104, EXT_S_JOURNAL_BLOCKS = 0x10c, EXT_S_BLOCKS_HI = 0x150, EXT_S_FREE_BLOCKS_HI = 0x158,
	EXT_S_BACKUP_GROUPS = 0x24c, EXT_S_CHECKSUM = 0x3fc,
};

#define EXT_COMPAT_HAS_JOURNAL 0x4u
#define EXT_COMPAT_SPARSE_SUPER2 0x200u
#define EXT_INCOMPAT_FILETYPE 0x2u
#define EXT_INCOMPAT_RECOVER 0x4u
#define EXT_INCOMPAT_JOURNAL_DEVICE 0x8u
#define EXT_INCOMPAT_META_BG 0x10u
#define EXT_INCOMPAT_EXTENTS 0x40u
#define EXT_INCOMPAT_64BIT 0x80u
#define EXT_RO_COMPAT_SPARSE_SUPER 0x1u
#define EXT_RO_COMPAT_LARGE_FILE 0x2u
#define EXT_RO_COMPAT_BTREE_DIR 0x4u
#define EXT_RO_COMPAT_BIGALLOC 0x200u
#define EXT_RO_COMPAT_METADATA_CSUM 0x400u

#define EXT_STATE_ERROR 2u // EXT4_ERROR_FS

struct ext_layout {
	uint8_t super[EXT_SUPER_BYTES];
	uint32_t block_bytes, inode_bytes, descriptor_bytes;
	uint32_t inodes, inodes_per_group, blocks_per_group, first_data_block;
	uint32_t cluster_blocks; // 1 without bigalloc
	uint64_t blocks;
	uint32_t groups;
	uint32_t compatible, incompatible, read_only_compatible;
};

// Bytes of the file system, as journal_read and partition_read.
typedef int ext_read(void *context, uint64_t offset, void *bytes, size_t length, struct error *err);

// *ret_present false: no ext superblock. -1: one that cannot be true, or a failed read.
int ext_layout_read(ext_read *read, void *context, struct ext_layout *ret, bool *ret_present, struct error *err);
// Where the descriptor of a group lies, in bytes of the file system.
uint64_t ext_layout_descriptor(const struct ext_layout *l, uint32_t group);
#define EXT_INODE_BYTES 128u // the part of an inode that every revision has
int ext_layout_inode(const struct ext_layout *l, ext_read *read, void *context, uint64_t inode, uint8_t ret[EXT_INODE_BYTES],
		     struct error *err);

#endif
