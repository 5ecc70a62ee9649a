// SPDX-License-Identifier: MIT
// Between the jobs that look along time: the cursor and the places of inodes that they start from.
#ifndef SNAPSHOTS_FS_STATES_H
#define SNAPSHOTS_FS_STATES_H

#include "snapshots/fs_job.h"
#include "snapshots/fs_track.h"

struct fs_span { // the question's span, ready to be walked
	struct fs_moment end;     // the file system at to_seq: where its inodes lie
	struct fs_cursor *cursor; // at from_seq
};
int fs_span_open(struct fs_job *job, uint64_t from_seq, uint64_t to_seq, struct fs_span *ret, struct error *err);
void fs_span_release(struct fs_span *s);
// Of what the walk could not take in.
int fs_span_warn(struct fs_job *job, const struct fs_span *s, struct error *err);

// The last record within patience of seq: how far one has to look for content that is on its way.
uint64_t fs_span_patience(struct history *h, uint64_t seq);
// Follows the question's file over the span, and behind it for as long as content may be on its way. States behind to_seq are cut off.
int fs_span_track(struct fs_job *job, struct fs_span *span, struct fs_track *ret, struct error *err);
// Sends each as a STATE.
int fs_job_send_states(struct fs_job *job, const struct timeline_states *states, struct error *err);
// "/var/log/auth.log" or "inode 12", for messages.
void fs_span_name(const struct fsread_question *q, struct buffer *out);

#endif
