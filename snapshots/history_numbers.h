// SPDX-License-Identifier: MIT
// Inside of history.h: which segment files a folder has, and whether something durable stands behind a bad place.
#ifndef SNAPSHOTS_HISTORY_NUMBERS_H
#define SNAPSHOTS_HISTORY_NUMBERS_H

#include "base/error.h"
#include "base/vector.h"

struct history_numbers {
	struct u64_vector list; // sorted; u64_vector_release()
};
int history_numbers_read(struct history_numbers *ret, const char *folder, struct error *err);

// Searches, from byte `from` of the file at `index` of the list up to the end of the last file, for a proof (record.h) that `seq` was
// durable. A crash loses only what was not. *ret_seq: up to where it was, or 0: no proof.
int history_find_proof(const char *folder, const struct history_numbers *numbers, const uint8_t uuid[16], size_t index, uint64_t from, uint64_t seq,
		       uint64_t *ret_seq, struct error *err);

#endif
