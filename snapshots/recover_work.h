// SPDX-License-Identifier: MIT
// Inside of recover.h: what its files share. Nobody else includes this.
#ifndef SNAPSHOTS_RECOVER_WORK_H
#define SNAPSHOTS_RECOVER_WORK_H

#include "snapshots/recover.h"

struct recovery {
	const char *folder;
	const struct history_header *header;
	int segments_fd;
	uint64_t segment_count;
	bool clean; // the last segment ends with a CLOSE, or is sealed
	uint64_t file_bytes; // of the segment that was opened last
	uint64_t last_sealed;          // number of the last sealed segment that has records; 0: none
	struct u64_vector with_clock;  // numbers of sealed segments that have CLOCK or OPEN records
	struct recovered *out;
	struct writer_recovery *recovery;
	// Where the log ends before the end of the files, and why. Position 0: nothing of that file belongs to it.
	uint64_t end_number, end_position;
	struct error why;
};

bool recover_is_clean(const struct recovery *r);
char *recover_name(const struct recovery *r, uint64_t number); // of a segment's file; free()
// Keeps what lies behind the end and cuts it off, unless it proves that more was durable: then -EBADMSG, and nothing is changed.
int recover_cut(struct recovery *r, struct error *err);

#endif
