// SPDX-License-Identifier: MIT
// What a writer finds when it opens a history: the log that is there, made to end behind its last whole record.
#ifndef SNAPSHOTS_RECOVER_H
#define SNAPSHOTS_RECOVER_H

#include "base/vector.h"
#include "snapshots/clock.h"
#include "snapshots/history_header.h"
#include "snapshots/writer.h"

VECTOR_DEFINE(segment_vector, struct segment)

struct recovered {
	struct u64_vector first_seqs, segment_bytes; // of segment number 1, 2 ...; the latter 0 for unsealed ones
	struct segment_vector unsealed; // the last ones, older first, open for writing, with their rows
	uint64_t last_seq;              // 0: no record
	uint64_t stored_bytes;          // of all segments
	struct record last;             // the last record, when last_seq is not 0
	char boot_id[CLOCK_BOOT_ID_BYTES]; // of the last OPEN; zeros: none
};

// Cuts a torn end (*ret_recovery tells), unless a proof of durability lies behind it: then -EBADMSG, and nothing is changed.
// 0 or a negative errno.
int recover(const char *folder, const struct history_header *header, struct recovered *ret, struct writer_recovery *ret_recovery, struct error *err);
void recovered_release(struct recovered *r);

#endif
