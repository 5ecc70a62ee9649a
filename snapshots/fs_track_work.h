// SPDX-License-Identifier: MIT
// Between fs_track.c (states), fs_track_note.c (what a step brings) and fs_tracks.c (many at once).
#ifndef SNAPSHOTS_FS_TRACK_WORK_H
#define SNAPSHOTS_FS_TRACK_WORK_H

#include "snapshots/fs_track.h"

#define FS_TRACK_COMPARE_BYTES (64u << 10) /* the buffers for comparing */

uint64_t fs_track_hash(const uint8_t *bytes, size_t length); // FNV-1a: only tells our own states apart
// For fs_cursor_walk(); a step with the track's own changes.
int fs_track_before(void *track, const struct fs_step *step, struct error *err);
int fs_track_after(void *track, const struct fs_step *step, struct error *err);

int fs_track_room_init(struct fs_track_room *r, struct error *err); // released also when it failed
void fs_track_room_release(struct fs_track_room *r);
void fs_track_work(struct fs_track *t, uint64_t pieces); // was done, or will be; too much of it stops the track
// The rest of fs_track_init(): cursor, owner, room, fs (and path) are set.
int fs_track_begin(struct fs_track *t, uint64_t inode, struct error *err);

#endif
