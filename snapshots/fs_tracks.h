// SPDX-License-Identifier: MIT
// Follows many inodes through time in one walk: one fs_track for each along one cursor. A step touches only the tracks that watch what it
// changes, and each track's states are what it would tell alone.
#ifndef SNAPSHOTS_FS_TRACKS_H
#define SNAPSHOTS_FS_TRACKS_H

#include "snapshots/fs_track.h"

struct fs_tracks {
	struct fs_track *items; // in the order of the inodes asked for
	size_t count;
	size_t cut;             // so many were stopped before the end: they had more than their share of states or work (fs_track.h)
	// The rest belongs to fs_tracks.c.
	struct fs_cursor *cursor;
	struct fs_track_room room;
	struct fs_tracks_own { struct fs_changes changes; uint64_t step; } *own; // by track: of the present step
	struct u32_vector concerned; // tracks with changes in the present step
	uint64_t step;               // counts
	size_t running;              // tracks that are not stopped
};

// The states in force at the cursor's moment are the first ones (fs_track.h).
int fs_tracks_init(struct fs_tracks *t, struct fs_cursor *c, struct fs_ext *fs, const uint64_t *inodes, size_t count, struct error *err);
void fs_tracks_release(struct fs_tracks *t);
int fs_tracks_run(struct fs_tracks *t, uint64_t to_seq, struct error *err);
// Behind the span: only for content that may still be on its way, up to patience_seq. States that begin there are cut off.
int fs_tracks_settle(struct fs_tracks *t, uint64_t to_seq, uint64_t patience_seq, struct error *err);

#endif
