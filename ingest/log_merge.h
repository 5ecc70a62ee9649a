// SPDX-License-Identifier: MIT
// Several logs -> one stream of lines into the assembler of each. Private to ingest/.
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
	struct assembler *assembler; // of the part's host
};

// Parts in order of start_ns. Returns 0, 1 when an assembler's callback asked to stop, -1 with err. Does not finish the assemblers.
// Lines that were left out count in c->duplicate, by event.
int log_merge_feed(const struct log_part *parts, size_t count, struct completeness *c, struct error *err);

#endif
