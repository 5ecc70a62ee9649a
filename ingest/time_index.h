// SPDX-License-Identifier: MIT
// Where in a log a time stands, by bisection. Private to ingest/.
//
// Stamps are nearly monotone in a log: records are written in order of syscall exit and carry the time of entry, so a few stand too
// late, by milliseconds as a rule. The largest stamp of a block of 64 KiB hides that. A clock that was set back, or a boot with a wrong
// clock, breaks the order for good: 64 samples show it, and then a wider part is read instead of a wrong one.
#ifndef INGEST_TIME_INDEX_H
#define INGEST_TIME_INDEX_H

#include "base/error.h"
#include "ingest/log_file.h"

#include <stdint.h>

#define TIME_INDEX_BLOCK_BYTES 65536

// The part [begin, end) of the text, whole lines, outside of which no record has a stamp in [from_ns, to_ns] (but stragglers that were
// written after `to_ns` had passed). Both ends err to the outside. Reads at most about 5 MB, whatever the size of the log.
int time_index_range(struct log_file *f, uint64_t from_ns, uint64_t to_ns, uint64_t *ret_begin, uint64_t *ret_end, struct error *err);

// The start of the first line at or behind `offset`; the size when there is none.
int time_index_line(struct log_file *f, uint64_t offset, uint64_t *ret_offset, struct error *err);

#endif
