// SPDX-License-Identifier: MIT
// A file system's bytes at a moment: a partition of the disk, with the ext4 journal replayed into an overlay in memory.
// Interprets guest bytes: linked into the main command, but run only inside provgraph-fsread (and tests).
#ifndef SNAPSHOTS_VOLUME_H
#define SNAPSHOTS_VOLUME_H

#include "snapshots/disk_at.h"
#include "snapshots/partition.h"

struct volume;

struct volume_journal { // what the replay found
	bool present, dirty;         // a journal at all; it held committed transactions
	uint64_t transactions, blocks, revoked, escaped, damaged; // as in journal.h
	uint32_t first_tid, last_tid;
};

// replay: false gives the home blocks (--raw). A journal that cannot be replayed (fast commits, external) is an error by name.
// d must stay open. p NULL: the whole disk.
int volume_open(struct disk_at *d, const struct partition *p, bool replay, struct volume **ret, struct error *err);
void volume_free(struct volume *v);
uint64_t volume_size(const struct volume *v);
uint64_t volume_start(const struct volume *v); // on the disk, bytes
int volume_read(struct volume *v, uint64_t offset, void *bytes, size_t length, struct error *err); // offset within the volume
const struct volume_journal *volume_journal_of(const struct volume *v);
// Which record the byte came from, overlay included (the journal copy's record).
int volume_resolve(struct volume *v, uint64_t offset, uint64_t length, struct disk_piece *ret, struct error *err);

// What the overlay changes against the recorded bytes, for a server that may not interpret guest bytes itself:
// disk bytes [disk_offset, +length) read as `bytes`.
typedef int volume_patch(void *context, uint64_t disk_offset, const uint8_t *bytes, size_t length, struct error *err);
int volume_patches(struct volume *v, volume_patch *visit, void *context, struct error *err);

#endif
