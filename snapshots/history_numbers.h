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

// Searches, from byte `from` of the file at `index` of the list up to the end of the last file, for a whole FLUSH record with a seq
// of `seq` or later. A crash loses what was not durable; where a FLUSH follows, everything before it was. *ret_seq: its seq, or 0.
int history_find_flush(const char *folder, const struct history_numbers *numbers, size_t index, uint64_t from, uint64_t seq,
		       uint64_t *ret_seq, struct error *err);

#endif
