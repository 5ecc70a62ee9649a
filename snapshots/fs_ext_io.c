// SPDX-License-Identifier: MIT
// libext2fs reads through this: a channel over a volume. It cannot write.
#include "snapshots/fs_ext_parts.h"

#include <string.h>

#define CHANNEL_MAGIC EXT2_ET_MAGIC_IO_CHANNEL

static _Thread_local struct fs_ext *opening;

void fs_ext_io_opening(struct fs_ext *fs)
{
	opening = fs;
}

static errcode_t io_open(const char *name, int flags, io_channel *ret)
{
	io_channel channel;
	char *copy;

	(void)flags;
	if (!opening)
		return EXT2_ET_BAD_DEVICE_NAME;
	if (ext2fs_get_memzero(sizeof(*channel), &channel))
		return EXT2_ET_NO_MEMORY;
	if (ext2fs_get_mem(strlen(name) + 1, &copy)) {
		ext2fs_free_mem(&channel);
		return EXT2_ET_NO_MEMORY;
	}
	memcpy(copy, name, strlen(name) + 1);
	channel->magic = CHANNEL_MAGIC;
	channel->manager = (io_manager)(uintptr_t)&fs_ext_io_manager;
	channel->name = copy;
	channel->block_size = 1024; // until the superblock is known; set_blksize() follows
	channel->refcount = 1;
	channel->private_data = opening;
	opening = NULL;
	*ret = channel;
	return 0;
}

static errcode_t io_close(io_channel channel)
{
	if (--channel->refcount > 0)
		return 0;
	ext2fs_free_mem(&channel->name);
	ext2fs_free_mem(&channel);
	return 0;
}

static errcode_t io_set_blksize(io_channel channel, int block_bytes)
{
	channel->block_size = block_bytes;
	return 0;
}

// A negative count is a number of bytes.
static errcode_t io_read_blk64(io_channel channel, unsigned long long block, int count, void *data)
{
	struct fs_ext *fs = channel->private_data;
	uint64_t length = count < 0 ? (uint64_t)-(int64_t)count : (uint64_t)count * (unsigned)channel->block_size;
	uint64_t size = volume_size(fs->volume), offset;

	if (__builtin_mul_overflow((uint64_t)block, (uint64_t)(unsigned)channel->block_size, &offset) || offset > size || length > size - offset)
		return EXT2_ET_SHORT_READ;
	if (volume_read(fs->volume, offset, data, length, &fs->io_error) < 0) {
		fs->io_failed = true;
		return EXT2_ET_SHORT_READ;
	}
	return 0;
}

static errcode_t io_read_blk(io_channel channel, unsigned long block, int count, void *data)
{
	return io_read_blk64(channel, block, count, data);
}

static errcode_t io_write_blk64(io_channel channel, unsigned long long block, int count, const void *data)
{
	(void)channel, (void)block, (void)count, (void)data;
	return EXT2_ET_RO_FILSYS;
}

static errcode_t io_write_blk(io_channel channel, unsigned long block, int count, const void *data)
{
	return io_write_blk64(channel, block, count, data);
}

static errcode_t io_flush(io_channel channel)
{
	(void)channel;
	return 0;
}

const struct struct_io_manager fs_ext_io_manager = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "provgraph volume, read only",
	.open = io_open,
	.close = io_close,
	.set_blksize = io_set_blksize,
	.read_blk = io_read_blk,
	.write_blk = io_write_blk,
	.flush = io_flush,
	.read_blk64 = io_read_blk64,
	.write_blk64 = io_write_blk64,
};
