// SPDX-License-Identifier: MIT
// Content by offset.
#include "snapshots/fs_ext_parts.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RUNS ((size_t)4 << 20) // our limit: 128 MiB of map for one file

struct collecting { struct fs_runs *runs; };

static int collect(void *context, const struct fs_run *run, struct error *err)
{
	struct collecting *c = context;

	if (c->runs->count == MAX_RUNS)
		return error_set(err, "a file in more than %zu pieces is beyond the limit", MAX_RUNS);
	return fs_runs_append(c->runs, *run) < 0 ? error_set(err, "out of memory") : 0;
}

// fs->content holds the inode with its map.
static int load_mapped(struct fs_ext *fs, uint64_t inode, struct error *err)
{
	struct fs_content *c = &fs->content;
	struct collecting collecting = {&c->runs};

	if (fs_ext_load(fs, inode, err) < 0)
		return -1;
	if (c->mapped)
		return 0;
	if (fs_ext_runs_of(fs, inode, (const uint8_t *)c->bytes.bytes, c->bytes.length, collect, &collecting, err) != 0) {
		fs_content_release(c);
		return -1;
	}
	c->mapped = true;
	return 0;
}

// The first run that ends behind offset; runs.count: none.
static size_t first_run(const struct fs_runs *runs, uint64_t offset)
{
	size_t low = 0, high = runs->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (runs->items[middle].file_offset + runs->items[middle].length <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int read_runs(struct fs_ext *fs, uint64_t offset, uint8_t *bytes, size_t length, struct error *err)
{
	const struct fs_runs *runs = &fs->content.runs;
	uint64_t end = offset + length;

	memset(bytes, 0, length);
	for (size_t i = first_run(runs, offset); i < runs->count && runs->items[i].file_offset < end; i++) {
		const struct fs_run *run = &runs->items[i];
		uint64_t from = run->file_offset > offset ? run->file_offset : offset;
		uint64_t to = run->file_offset + run->length < end ? run->file_offset + run->length : end;

		if (run->unwritten)
			continue;
		if (volume_read(fs->volume, run->volume_offset + (from - run->file_offset), bytes + (from - offset), (size_t)(to - from), err) < 0)
			return -1;
	}
	return 0;
}

int fs_ext_read(struct fs_ext *fs, uint64_t inode, uint64_t offset, void *bytes, size_t length, size_t *ret_read, struct error *err)
{
	if (load_mapped(fs, inode, err) < 0)
		return -1;
	const struct fs_content *c = &fs->content;
	uint64_t size = c->file.size_bytes;

	if (offset >= size) {
		*ret_read = 0;
		return 0;
	}
	if (length > size - offset)
		length = (size_t)(size - offset);
	if (c->is_inline)
		memcpy(bytes, c->inline_data.bytes + offset, length); // as long as the size: fs_ext_inline_of()
	else if (read_runs(fs, offset, bytes, length, err) < 0)
		return -1;
	*ret_read = length;
	return 0;
}

int fs_ext_target(struct fs_ext *fs, uint64_t inode, char **ret, size_t *ret_length, struct error *err)
{
	if (fs_ext_load(fs, inode, err) < 0)
		return -1;
	const struct fs_content *c = &fs->content;
	uint64_t size = c->file.size_bytes;

	if (size == 0 || size > FS_PATH_BYTES)
		return error_set(err, "symlink inode %" PRIu64 " is damaged: a target of %" PRIu64 " bytes", inode, size);
	char *target = malloc((size_t)size + 1);
	size_t got = (size_t)size;

	if (!target)
		return error_set(err, "out of memory");
	if (size < INODE_BLOCK_BYTES && !(c->file.flags & (INODE_FLAG_EXTENTS | INODE_FLAG_INLINE))) {
		memcpy(target, c->bytes.bytes + INODE_BLOCK_AT, got);
	} else if (fs_ext_read(fs, inode, 0, target, got, &got, err) < 0) {
		free(target);
		return -1;
	}
	target[got] = '\0';
	*ret = target;
	*ret_length = strlen(target); // Linux ends it at a NUL, too
	return 0;
}
