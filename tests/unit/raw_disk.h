// SPDX-License-Identifier: MIT
// A disk in memory behind the door of disk_at.h, for tests of what lies above it. Linked instead of snapshots/disk_at.c.
#ifndef TESTS_UNIT_RAW_DISK_H
#define TESTS_UNIT_RAW_DISK_H

#include "snapshots/disk_at.h"

#include <string.h>

struct disk_at { const uint8_t *bytes; uint64_t size; };

uint64_t disk_at_size(const struct disk_at *d)
{
	return d->size;
}

int disk_at_read(struct disk_at *d, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	(void)err;
	memset(bytes, 0, length);
	if (offset < d->size)
		memcpy(bytes, d->bytes + offset, length < d->size - offset ? length : d->size - offset);
	return 0;
}

// Every KiB is a record of its own.
int disk_at_resolve(struct disk_at *d, uint64_t offset, uint64_t length, struct disk_piece *ret, uint64_t *probes, struct error *err)
{
	uint64_t rest = 1024 - offset % 1024;

	(void)d;
	(void)probes;
	(void)err;
	*ret = (struct disk_piece){.offset = offset, .length = length < rest ? length : rest, .seq = 1 + offset / 1024};
	return 0;
}

// Reads of a whole disk, as journal_read and partition_read.
__attribute__((unused)) static int raw_disk_read(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	struct disk_at *d = context;

	if (length > d->size || offset > d->size - length)
		return error_set(err, "beyond the end");
	return disk_at_read(d, offset, bytes, length, err);
}

#endif
