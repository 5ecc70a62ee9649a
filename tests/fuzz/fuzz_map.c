// SPDX-License-Identifier: MIT
// A raw inode and the disk behind it: byte 0 how large the inode is, then the inode, then blocks of 1 KiB that its map may lead to. Then the same
// blocks as blocks of folders.
#include "snapshots/fs_names.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 1024u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct disk { const uint8_t *bytes; size_t size; };

static int read_disk(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	const struct disk *d = context;
	uint64_t at = d->size > 0 ? offset % (d->size + BLOCK) : 0; // wherever a map leads, there may be bytes

	(void)err;
	memset(bytes, 0, length);
	if (at < d->size)
		memcpy(bytes, d->bytes + at, length < d->size - at ? length : d->size - (size_t)at);
	return 0;
}

static int check_name(void *context, const void *name, size_t length, uint64_t inode)
{
	const struct disk *block = context;
	const uint8_t *at = name;

	if (length == 0 || length > 255 || inode == 0 || at < block->bytes || at + length > block->bytes + block->size)
		abort();
	return 0;
}

static void check_map(const struct fs_map *m, struct disk *d)
{
	uint8_t bytes[3000];
	struct error err;
	uint64_t end = 0;
	bool hole;

	for (size_t i = 0; i < m->runs.count; i++) {
		const struct fs_run *run = &m->runs.items[i];

		if (run->length == 0 || run->file_offset < end)
			abort();
		end = run->file_offset + run->length;
		struct fs_run at = fs_map_at(m, run->file_offset + run->length / 2, 10, &hole);
		if (hole || at.length == 0 || at.length > 10 || at.volume_offset != run->volume_offset + run->length / 2)
			abort();
	}
	for (uint64_t offset = 0; offset < 20000; offset += 997) {
		if (fs_map_content(m, read_disk, d, offset, bytes, sizeof(bytes), &err) < 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length = size > 0 ? (size_t)data[0] * 4 : 0, rest = size > 0 ? size - 1 : 0;
	struct fs_map map = {0};
	struct error err;

	if (length > rest)
		length = rest;
	uint8_t *inode = malloc(length ? length : 1), *blocks = malloc(rest - length + 1); // exact sizes: one byte beyond is caught
	struct disk d = {.bytes = blocks, .size = rest - length};

	if (!inode || !blocks)
		abort();
	if (length > 0)
		memcpy(inode, data + 1, length);
	if (length >= 0x70) // a size of up to 256 KiB: a map of pointers in a circle takes long enough with that
		inode[7] = inode[0x6C] = inode[0x6D] = inode[0x6E] = inode[0x6F] = 0, inode[6] &= 0x3;
	if (d.size > 0)
		memcpy(blocks, data + 1 + length, d.size);
	if (fs_map_decode(inode, length, BLOCK, read_disk, &d, &map, &err) < 0)
		abort();
	check_map(&map, &d);
	fs_map_release(&map);
	(void)fs_names_scan(blocks, d.size, check_name, &d);
	free(inode);
	free(blocks);
	return 0;
}
