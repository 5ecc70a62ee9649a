// SPDX-License-Identifier: MIT
// Is the content of a file, as the replayed view at a moment shows it, really what the guest had written?
//
// ext4 journals size and extents before delayed data arrives, so a view can show NUL bytes that never were in the file.
#ifndef SNAPSHOTS_FS_VERDICT_H
#define SNAPSHOTS_FS_VERDICT_H

#include "snapshots/fs_job.h"

enum fs_verdict_kind {
	FS_ON_DISK = 1,       // the content is there
	FS_PENDING,           // committed, content pending: pending_bytes of it read as zeros and arrive later (complete_seq), or never did
	FS_NOT_YET,           // the name is not there at the moment, and appears later (complete_seq) with a birth before it
	FS_NEVER,             // the name appears nowhere in the history
	FS_GONE,              // the name was there before the moment, the last time at complete_seq; arrival_seq took it away
	FS_UNBORN,            // the name appears later only (complete_seq), and as far as its inode tells it was made after the moment
};
struct fs_verdict {
	enum fs_verdict_kind kind;
	uint64_t pending_bytes, pending_from;     // FS_PENDING: how many bytes, from which offset
	uint64_t complete_seq, complete_ns;       // first later moment that has the bytes (or the name; FS_GONE: the last earlier one); 0: none
	uint64_t arrival_seq, arrival_ns;         // when this state of the file became visible to a replayed view (disk arrival); 0: unknown
};
// inode 0: the question's file is not there at the moment; looks for it before and after. -1 also when the history is too long for that.
int fs_verdict_judge(struct fs_job *job, struct fs_moment *m, uint64_t inode, struct fs_verdict *ret, struct error *err);
// The content alone, without its arrival: cheap where it does not end in NUL bytes. *ret_searched: it had to look forward through the history.
int fs_verdict_content(struct fs_job *job, struct fs_moment *m, uint64_t inode, struct fs_verdict *ret, bool *ret_searched, struct error *err);
void fs_verdict_put(struct buffer *out, const struct fs_verdict *v);
int fs_verdict_get(struct wire_reader *r, struct fs_verdict *ret, struct error *err);

#endif
