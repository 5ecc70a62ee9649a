// SPDX-License-Identifier: MIT
// Several logs -> one stream of lines into an assembler. Private to ingest/.
//
// Logs that follow one another are fed one after another, in large steps. Where the times of two logs overlap (copies, rotated files
// that a copy was made of, extracts of one log by key, logs of several hosts) their lines are merged by time, and a line that another of
// these logs held too is fed once.
#ifndef INGEST_LOG_MERGE_H
#define INGEST_LOG_MERGE_H

#include "base/error.h"
#include "ingest/assemble.h"
#include "ingest/completeness.h"
#include "ingest/log_file.h"

#include <stddef.h>
#include <stdint.h>

struct log_part {
	struct log_file *f;
	uint32_t log;            // its number in the source
	uint64_t begin, end;     // whole lines of the text
	uint64_t start_ns;       // first stamp in the part
};

// Parts in order of start_ns. Returns 0, 1 when the assembler's callback asked to stop, -1 with err. Does not finish the assembler.
// Lines that were left out count in c->duplicate, by event.
int log_merge_feed(const struct log_part *parts, size_t count, struct assembler *a, struct completeness *c, struct error *err);

#endif
