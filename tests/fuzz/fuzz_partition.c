// SPDX-License-Identifier: MIT
// Any bytes as a disk: partitions lie within it, their numbers rise, their words end; each can be chosen; few reads suffice.
#include "snapshots/partition.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

struct disk { const uint8_t *bytes; uint64_t size, reads; };

static int disk_read(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	struct disk *d = context;

	d->reads++;
	if (length > d->size || offset > d->size - length)
		return error_set(err, "beyond the end");
	memcpy(bytes, d->bytes + offset, length);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct disk d = {data, size, 0};
	struct partition_vector all;
	struct partition p;
	struct error err;

	require(partition_find(disk_read, &d, size, &all, &err) == 0);
	require(all.count >= 1);
	for (size_t i = 0; i < all.count; i++) {
		const struct partition *q = &all.items[i];

		require(q->start_bytes <= size && q->length_bytes <= size - q->start_bytes);
		require(memchr(q->kind, 0, sizeof(q->kind)) && q->kind[0] && memchr(q->reason, 0, sizeof(q->reason)));
		require(i == 0 || all.items[i - 1].number <= q->number);
		require(partition_choose(&all, (int)q->number, &p, &err) == 0);
	}
	(void)partition_choose(&all, -1, &p, &err);
	require(partition_choose(&all, 9999, &p, &err) < 0 && memchr(err.message, 0, sizeof(err.message)));
	require(d.reads < 1000000);
	partition_vector_release(&all);
	return 0;
}
