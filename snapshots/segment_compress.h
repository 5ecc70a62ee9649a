// SPDX-License-Identifier: MIT
// A sealed segment written again with its contents compressed: the same records, seqs and identities in fewer bytes.
#ifndef SNAPSHOTS_SEGMENT_COMPRESS_H
#define SNAPSHOTS_SEGMENT_COMPRESS_H

#include "snapshots/segment.h"

typedef bool segment_compress_stop(void *context); // asked after each record; true: give up

// Segment `number` of the history in folder: the compressed form is written beside, synced, compared with the old one record by record after
// decompressing, and renamed over it. Every checksum of the old one is checked on the way: damage is told and never copied.
// 0: *ret is the new segment, open; 1: nothing to do (compressed already, not sealed, or stopped); -1: err, and nothing has changed.
int segment_compress(const char *folder, uint64_t number, segment_compress_stop *stop, void *context, struct segment *ret, struct error *err);

#endif
