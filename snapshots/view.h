// SPDX-License-Identifier: MIT
// Moments of a disk, named by text that somebody outside chose, as read-only disks.
//
//     2026-11-21T09:00:00Z    @1795252951.562320442    1763600400.123:4567    seq:N
//     raw:MOMENT              the recorded bytes; without it, journals are replayed, so that the disk mounts read only
//
// Only absolute times: a name has to mean one state for as long as anybody uses it. It is bound to a seq at its first opening and keeps
// it until the last connection that uses it is gone.
#ifndef SNAPSHOTS_VIEW_H
#define SNAPSHOTS_VIEW_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/nanotime.h"

#include <stdbool.h>
#include <stdint.h>

struct views; // those of one history
struct view;  // one connection's

int views_open(const char *folder, struct timezone_choice zone, struct views **ret, struct error *err);
void views_free(struct views *v); // every view must be closed

// Any thread. Sees what was recorded up to now. err names `name` with bytes as they came.
int view_open(struct views *v, const char *name, struct view **ret, struct error *err);
void view_free(struct view *v);
uint64_t view_size_bytes(const struct view *v);
uint64_t view_seq(const struct view *v);
// What could not be replayed, a line each; only of the view that bound its name.
const struct buffer *view_warnings(const struct view *v);
// Calls for one view may come from several threads; they take turns.
int view_read(struct view *v, uint64_t offset, void *bytes, size_t length, struct error *err);
// Runs of [offset, offset + length), in order from offset on, perhaps not up to its end. visit() returns -1 to fail.
typedef int view_extent(void *context, uint64_t offset, uint64_t length, bool zero);
int view_extents(struct view *v, uint64_t offset, uint64_t length, view_extent *visit, void *context, struct error *err);

#endif
