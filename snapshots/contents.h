// SPDX-License-Identifier: MIT
// Front door: the contents of many files at many moments, in one walk over the history.
//
// A question per moment would replay the journal for each. provgraph-fsread moves one replayed view (fs_cursor.h) through the wishes in
// order of time, and sends what it holds there.
#ifndef SNAPSHOTS_CONTENTS_H
#define SNAPSHOTS_CONTENTS_H

#include "base/buffer.h"
#include "base/error.h"
#include "snapshots/fs_file.h"
#include "snapshots/timeline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTENTS_MAX_WISHES 65536u /* our limit for one question */

struct contents_wish {
	uint64_t seq, inode;
	bool has_generation;       // else whatever has this number then
	uint32_t generation;       // another one there: the file is not there
	uint64_t max_bytes;        // of the content; 0: all of it
};

// What the replayed view held. The digest is computed by the asking side, over the bytes that it was sent, holes as zeros.
struct contents_answer {
	size_t wish;               // index into the wishes
	bool there;                // the inode lives at that moment (has a name); else nothing below counts but reason: "", or why the disk cannot be read then
	struct fs_file file;       // valid during the callback
	bool whole;                // all of the content came (a regular file, not cut by max_bytes, readable)
	bool judged;               // of a regular file that was read: whether content is pending was found out
	uint64_t pending_bytes, pending_from; // of it that read as NUL and came in later, or never did (as fs_verdict.h judges)
	uint64_t complete_seq, complete_ns;   // first later moment that has them; 0: none
	char sha256[65];           // of what came; "" when not whole
	struct error reason;       // there and not whole: why
};
struct contents_visit {
	// Content in ascending order, holes left out. May be NULL.
	int (*data)(void *context, size_t wish, uint64_t offset, const void *bytes, size_t length, struct error *err);
	int (*end)(void *context, const struct contents_answer *answer, struct error *err); // once for each wish, in the order of the walk
	void *context;
};
// wishes in any order. volume: history, partition, warnings; its path and inode are not used.
int contents_read(const struct timeline_file *volume, const struct contents_wish *wishes, size_t count, const struct contents_visit *visit, struct error *err);

#endif
