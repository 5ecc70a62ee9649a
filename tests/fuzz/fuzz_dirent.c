// SPDX-License-Identifier: MIT
// A block of a folder, and an inode with its content inside: whatever the bytes, only what lies within them is shown.
#include "base/buffer.h"
#include "snapshots/fs_ext_parts.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bounds { const uint8_t *from, *to, *last; };

static int visit(void *context, const struct fs_dirent *entry, struct error *err)
{
	struct bounds *b = context;

	(void)err;
	// Inside, in order, and never what begins or ends a folder.
	if (entry->name < b->last || entry->name + entry->name_length > b->to || entry->name_length > 255 || entry->inode == 0)
		abort();
	if ((entry->name_length == 1 && entry->name[0] == '.') || (entry->name_length == 2 && memcmp(entry->name, "..", 2) == 0))
		abort();
	b->last = entry->name + entry->name_length;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bounds b = {data, data + size, data};
	struct buffer content = {0};
	struct error err = {""};
	size_t bad_at = SIZE_MAX;
	bool is_inline = false;

	if (fs_dirent_walk(data, size, visit, &b, &bad_at, &err) != 0 || bad_at > size)
		abort();
	if (fs_ext_inline_of(data, size, &content, &is_inline, &err) == 0 && content.length > size)
		abort();
	buffer_release(&content);
	return 0;
}
