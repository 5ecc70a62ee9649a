// SPDX-License-Identifier: MIT
// How far the guest's clock was from the host's around a time of the guest's: enough to compare an inode's times with records. Told by
// the commit blocks that lie in the journal at the moment, without a walk; timeline_clock() is the exact answer, over the whole record.
#ifndef SNAPSHOTS_FS_GUEST_OFFSET_H
#define SNAPSHOTS_FS_GUEST_OFFSET_H

#include "snapshots/fs_job.h"

// Host minus guest, at most the delay of a write too large. *ret_known false: no journal, or no commit in it that a record brought.
int fs_guest_offset(struct fs_job *job, struct fs_moment *m, uint64_t guest_ns, int64_t *ret_offset_ns, bool *ret_known, struct error *err);

#endif
