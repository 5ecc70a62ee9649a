// SPDX-License-Identifier: MIT
#include "snapshots/fs_file.h"

#include <stdlib.h>
#include <string.h>

void fs_file_release(struct fs_file *f)
{
	free(f->path);
	free(f->target);
	*f = (struct fs_file){0};
}

// A byte string that may be NULL: u64 present, then the bytes.
static void put_optional(struct buffer *out, const char *bytes, size_t length)
{
	wire_put_u64(out, bytes != NULL);
	wire_put_bytes(out, bytes, bytes ? length : 0);
}

static char *get_optional(struct wire_reader *r, size_t *ret_length)
{
	uint64_t present = wire_get_u64(r);
	char *string = wire_get_string(r, FS_PATH_BYTES);

	*ret_length = 0;
	if (present > 1 || (present == 0 && string && *string))
		r->failed = true;
	if (present != 1 || r->failed) {
		free(string);
		return NULL;
	}
	*ret_length = strlen(string);
	return string;
}

void fs_file_put(struct buffer *out, const struct fs_file *f)
{
	wire_put_u64(out, f->inode);
	wire_put_u64(out, f->size_bytes);
	wire_put_u64(out, f->blocks_512);
	wire_put_u64(out, f->generation);
	wire_put_u64(out, f->mode);
	wire_put_u64(out, f->uid);
	wire_put_u64(out, f->gid);
	wire_put_u64(out, f->links);
	wire_put_u64(out, f->flags);
	wire_put_u64(out, f->kind);
	wire_put_u64(out, f->mtime_ns);
	wire_put_u64(out, f->ctime_ns);
	wire_put_u64(out, f->atime_ns);
	wire_put_u64(out, f->crtime_ns);
	wire_put_u64(out, f->dtime_ns);
	put_optional(out, f->path, f->path_length);
	put_optional(out, f->target, f->target_length);
}

static uint32_t get_u32(struct wire_reader *r)
{
	uint64_t value = wire_get_u64(r);

	if (value > UINT32_MAX)
		r->failed = true;
	return (uint32_t)value;
}

int fs_file_get(struct wire_reader *r, struct fs_file *ret, struct error *err)
{
	struct fs_file f = {0};

	f.inode = wire_get_u64(r);
	f.size_bytes = wire_get_u64(r);
	f.blocks_512 = wire_get_u64(r);
	f.generation = get_u32(r);
	f.mode = get_u32(r);
	f.uid = get_u32(r);
	f.gid = get_u32(r);
	f.links = get_u32(r);
	f.flags = get_u32(r);
	uint32_t kind = get_u32(r);

	f.mtime_ns = wire_get_u64(r);
	f.ctime_ns = wire_get_u64(r);
	f.atime_ns = wire_get_u64(r);
	f.crtime_ns = wire_get_u64(r);
	f.dtime_ns = wire_get_u64(r);
	f.path = get_optional(r, &f.path_length);
	f.target = get_optional(r, &f.target_length);
	if (kind > FS_SOCKET)
		r->failed = true;
	f.kind = (enum fs_kind)kind;
	if (r->failed) {
		fs_file_release(&f);
		return error_set(err, "what was told about a file is cut or out of bounds");
	}
	*ret = f;
	return 0;
}

const char *fs_kind_name(enum fs_kind kind)
{
	static const char *const names[] = {
		[FS_OTHER] = "unknown",		   [FS_REGULAR] = "file",      [FS_FOLDER] = "folder", [FS_SYMLINK] = "symlink",
		[FS_CHARACTER] = "character device", [FS_BLOCK] = "block device", [FS_FIFO] = "FIFO",	  [FS_SOCKET] = "socket",
	};

	return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}
