// SPDX-License-Identifier: MIT
// Front door: the recorded bytes of the whole disk at a moment. Nothing of the guest is interpreted here.
#ifndef SNAPSHOTS_DISK_AT_H
#define SNAPSHOTS_DISK_AT_H

#include "snapshots/history.h"

struct disk_at;

// The state after record seq (0: before any record). h must stay open. Several may be open at once, also of one history, each used by
// one thread at a time.
int disk_at_open(struct history *h, uint64_t seq, struct disk_at **ret, struct error *err);
void disk_at_free(struct disk_at *d);
uint64_t disk_at_size(const struct disk_at *d);
uint64_t disk_at_seq(const struct disk_at *d);
// Reads beyond the end give zeros.
int disk_at_read(struct disk_at *d, uint64_t offset, void *bytes, size_t length, struct error *err);

struct disk_piece { uint64_t offset, length, seq; bool zero; }; // seq 0: base image or never written (then zero)
// The piece that begins at offset, all of it from one record: which write was it? *probes (may be NULL) counts index pages read.
int disk_at_resolve(struct disk_at *d, uint64_t offset, uint64_t length, struct disk_piece *ret, uint64_t *probes, struct error *err);

#endif
