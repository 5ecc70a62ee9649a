// SPDX-License-Identifier: MIT
// Where two versions of a text differ, told in lines. Streams: a 1 GB log needs a few buffers.
#ifndef SNAPSHOTS_FS_LINES_H
#define SNAPSHOTS_FS_LINES_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fs_text { // a version
	uint64_t size;
	// Bytes [offset, offset + length) of it; never asked beyond its size.
	int (*read)(void *context, uint64_t offset, void *bytes, size_t length, struct error *err);
	void *context;
};

struct fs_lines {
	bool differ;       // before is not a beginning of after
	uint64_t offset;   // first byte that differs (or the end of the shorter one)
	uint64_t line;     // the line that holds it, from 1
	uint64_t removed, added; // lines of before that are not in after, and the other way round, between equal ends
	char *before, *after;    // those lines, at most max_bytes each; malloc, the caller frees
	size_t before_length, after_length;
};
// equal_until: bytes that are known to be equal and are not compared again.
int fs_lines_compare(const struct fs_text *before, const struct fs_text *after, uint64_t equal_until, size_t max_bytes, struct fs_lines *ret,
		     struct error *err);
void fs_lines_release(struct fs_lines *l);

#endif
