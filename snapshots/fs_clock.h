// SPDX-License-Identifier: MIT
// Which commit blocks of a journal tell what time it is in the guest.
//
// A commit block holds the guest's time at which it was made. It tells the guest's clock only if it was made just before it was written:
// not when an image is copied, a disk restored, a block written again. A live journal counts its transactions up; what does not is held
// back until its times go on as those of the host do, which a copy's never do.
#ifndef SNAPSHOTS_FS_CLOCK_H
#define SNAPSHOTS_FS_CLOCK_H

#include "base/error.h"
#include "snapshots/guest_clock.h"
#include "snapshots/journal.h"
#include "snapshots/segment.h"

#define FS_CLOCK_HEADER_BYTES 60u /* of a commit block: up to h_commit_nsec */
#define FS_CLOCK_HELD 512u

struct fs_clock_place { uint64_t from, to; }; // bytes of the disk
VECTOR_DEFINE(fs_clock_places, struct fs_clock_place)

struct fs_clock_held { uint32_t tid; struct guest_clock_sample sample; };

struct fs_clock_ring { // one journal
	struct fs_clock_places places; // sorted; without the journal's superblock
	uint64_t from, to;             // of the first, of the last
	uint32_t block_bytes;
	bool asynchronous;             // commit blocks do not wait for what they commit
	bool known;                    // last_tid: of the newest commit
	uint32_t last_tid;
	uint64_t last_write_ns;        // of the newest write to the ring; 0: none yet
	uint32_t last_epoch;
	struct fs_clock_held held[FS_CLOCK_HELD]; // do not go on from last_tid
	size_t held_count;
	uint64_t dropped;                         // that were held and did not become a chain
};

int fs_clock_ring_init(struct fs_clock_ring *ret, const struct journal_geometry *g, uint64_t partition_start, struct error *err);
void fs_clock_ring_release(struct fs_clock_ring *r);
bool fs_clock_ring_same(const struct fs_clock_ring *a, const struct fs_clock_ring *b);
// Whether a write of the disk touches the ring.
bool fs_clock_ring_touched(const struct fs_clock_ring *r, uint64_t offset, uint64_t length);
// Bytes [*ret_within, + FS_CLOCK_HEADER_BYTES) of a write that touches the ring: where the commit block would be, if it holds one. False: none.
bool fs_clock_ring_commit_at(const struct fs_clock_ring *r, uint64_t offset, uint64_t length, uint64_t *ret_within);
// A write to the ring at host_ns. header: what fs_clock_ring_commit_at() told to look at; NULL: none. Appends what it proves to *samples.
int fs_clock_ring_note(struct fs_clock_ring *r, const uint8_t *header, bool alone, uint64_t host_ns, uint32_t epoch, struct guest_clock_samples *samples,
		       struct error *err);
// After the last write. When nothing else was found, what was held back has to do, unless some of it was dropped.
int fs_clock_ring_end(struct fs_clock_ring *r, struct guest_clock_samples *samples, struct error *err);

// The last stamp audit(SECONDS.mmm:SERIAL in bytes. False: none.
bool fs_clock_stamp(const void *bytes, size_t length, uint64_t *ret_ns, uint64_t *ret_serial);

#endif
