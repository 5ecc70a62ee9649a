// SPDX-License-Identifier: MIT
// The newest state of the disk, for the writer: which record holds each byte now.
//
// Three layers, newest first: extent maps in memory, one for each segment that is not indexed yet; a map of one u64 per 4 KiB block in an
// unlinked file (page cache, not our memory), filled by sealing and by reading; the sorted tables of index/. The second is only a
// cache of the third: a zero there means "ask the tables".
//
// The writer calls live_note() in the order of seq under its append lock. live_resolve() runs beside it from other threads.
#ifndef SNAPSHOTS_LIVE_H
#define SNAPSHOTS_LIVE_H

#include "base/error.h"
#include "snapshots/segment.h"

struct live;

// tables of sealed segments are found (or rebuilt) under folder; rows of the unsealed ones come by live_note().
int live_open(const char *folder, uint64_t size_bytes, struct live **ret, struct error *err);
void live_free(struct live *l);
// A record of WRITE, ZERO or TRIM now exists. segment_number: of the segment that holds it.
int live_note(struct live *l, uint64_t segment_number, uint64_t seq, uint8_t type, uint64_t offset, uint64_t length, struct error *err);

struct live_piece { uint64_t offset, length, seq; uint8_t type; }; // seq 0: no record ever (base image, or zeros)
// The piece that begins at offset, at most length long: all of it from one record. Pieces of [offset, ..) follow by calling again.
int live_resolve(struct live *l, uint64_t offset, uint64_t length, struct live_piece *ret, struct error *err);

// ---- for the sealing thread, the only one that calls these

// The next segment is sealed: live_segment() knows it. Its extent map stays until it is indexed.
int live_sealed(struct live *l, const struct segment *segment, struct error *err);
// The segment got its table in index/: its extent map is dropped, the block map updated.
int live_indexed(struct live *l, uint64_t segment_number, struct error *err);
// Tables were merged: use the larger ones. (live_indexed() does so, too.)
int live_refresh(struct live *l, struct error *err);
// What requests found in tables goes into the block map. wake (any thread calls it; NULL: nobody): there is much of it.
void live_fill(struct live *l);
void live_set_wake(struct live *l, void (*wake)(void *context), void *context);
uint64_t live_sealed_count(struct live *l);
// Header and footer of a sealed segment (no fd, no rows); false: not sealed. Fits struct table_cover_plan; any thread.
bool live_segment(void *l, uint64_t number, struct segment *ret);
// Whether a table had to be made or turned out to be damaged since the last call: index/ is to be looked through.
bool live_index_incomplete(struct live *l);
uint64_t live_waiting(struct live *l); // segments in memory only

#endif
