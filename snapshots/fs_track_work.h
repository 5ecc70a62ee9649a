// SPDX-License-Identifier: MIT
// Between fs_track.c (states) and fs_track_note.c (what a step brings).
#ifndef SNAPSHOTS_FS_TRACK_WORK_H
#define SNAPSHOTS_FS_TRACK_WORK_H

#include "snapshots/fs_track.h"

#define FS_TRACK_COMPARE_BYTES (64u << 10) /* the buffers for comparing */

uint64_t fs_track_hash(const uint8_t *bytes, size_t length); // FNV-1a: only tells our own states apart
int fs_track_before(void *track, const struct fs_step *step, struct error *err); // for fs_cursor_walk()

#endif
