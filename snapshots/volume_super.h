// SPDX-License-Identifier: MIT
// The two superblocks after recovery: what the kernel and e2fsck leave there, so that the volume mounts read only as it is.
#ifndef SNAPSHOTS_VOLUME_SUPER_H
#define SNAPSHOTS_VOLUME_SUPER_H

#include "snapshots/ext_layout.h"

// The replayed superblock, in l->super: no recovery needed; the error that the journal recorded; the sums of free blocks and inodes,
// which the kernel keeps in the group descriptors only; the checksum. Reads the group descriptors.
int volume_super_recover(struct ext_layout *l, bool journal_error, ext_read *read, void *context, struct error *err);

#endif
