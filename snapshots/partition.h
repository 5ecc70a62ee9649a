// SPDX-License-Identifier: MIT
// Where file systems lie on a disk, and what they are. Interprets guest bytes.
#ifndef SNAPSHOTS_PARTITION_H
#define SNAPSHOTS_PARTITION_H

#include "base/error.h"
#include "base/vector.h"

#include <stdbool.h>
#include <stdint.h>

struct partition {
	unsigned number;         // 1, 2 ... as Linux counts them; 0: the whole disk is one file system
	uint64_t start_bytes, length_bytes;
	char kind[32];           // what is there: "ext4", "ext3", "ext2", "xfs", "btrfs", "LVM", "LUKS", "swap" ... "unknown"
	bool readable;           // by fs_ext.h
	char reason[160];        // why not, and what works instead
};
VECTOR_DEFINE(partition_vector, struct partition)

// Reads bytes of the disk. 0, or -1 and err.
typedef int partition_read(void *context, uint64_t offset, void *bytes, size_t length, struct error *err);
// MBR with logical partitions, GPT (main or backup table), or none. Never loops, whatever the bytes. Sorted by number.
int partition_find(partition_read *read, void *context, uint64_t disk_bytes, struct partition_vector *ret, struct error *err);
// What lies at a place, by its magic numbers and feature flags.
void partition_probe(partition_read *read, void *context, struct partition *p);
// The one that is meant: number > 0 that one; number < 0 the only one that holds a file system. Else -1, and err holds the list.
int partition_choose(const struct partition_vector *all, int number, struct partition *ret, struct error *err);

#endif
