// SPDX-License-Identifier: MIT
// The two kinds of partition tables. Both add partitions in the order of their numbers, without looking at what lies there.
#ifndef SNAPSHOTS_PARTITION_TABLE_H
#define SNAPSHOTS_PARTITION_TABLE_H

#include "snapshots/partition.h"

#include <stddef.h>

#define PARTITION_MAX_SECTOR_BYTES 4096u

struct partition_disk { partition_read *read; void *context; uint64_t bytes; };

enum mbr_state {
	MBR_NONE,       // no signature, or a boot sector of something else
	MBR_TABLE,
	MBR_PROTECTIVE, // the disk has a GPT
};
// What the first sector is; sector_bytes is the unit of its numbers. Logical partitions are followed (5, 6 ...), as block/partitions/msdos.c.
int partition_mbr(const struct partition_disk *d, uint32_t sector_bytes, enum mbr_state *ret, struct partition_vector *out,
		  struct error *err);
// *ret_found false: no GPT with sectors of that size, neither at the start nor at the end of the disk.
int partition_gpt(const struct partition_disk *d, uint32_t sector_bytes, bool *ret_found, struct partition_vector *out, struct error *err);

// Adds one; what lies partly beyond the disk's end is cut there, what lies behind it is left out.
int partition_add(const struct partition_disk *d, struct partition_vector *out, unsigned number, uint64_t start_bytes,
		  uint64_t length_bytes, struct error *err);

#endif
