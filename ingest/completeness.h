// SPDX-License-Identifier: MIT
// What the evidence does not hold. Counted while reading, never merged into one number, shown in every output.
//
// Each detector misses what the other sees (a kernel that drops records takes no serial for them), so:
// serials missing, kernel-lost, rejected lines, partial events, coverage changes stand apart, each with its interval.
#ifndef INGEST_COMPLETENESS_H
#define INGEST_COMPLETENESS_H

#include "base/vector.h"
#include "ingest/event.h"

#include <stdbool.h>
#include <stdint.h>

// One interval in which something is missing or changed.
struct completeness_gap {
	enum gap_cause cause;
	uint32_t host, epoch;
	uint64_t from_ns, to_ns; // the gap lies within
	uint64_t count;          // at least so many (serials, records)
	uint64_t first_serial, last_serial; // GAP_SERIALS_MISSING
};
VECTOR_DEFINE(gap_vector, struct completeness_gap)

#define COMPLETENESS_FIRST_LINES 10 /* so many rejected lines are named */

struct rejected_line { uint32_t log; uint64_t offset; uint64_t line; /* 0 = unknown */ const char *reason; };

struct completeness {
	uint64_t bytes, lines, records, events;
	uint64_t rejected;               // lines that are no audit record
	struct rejected_line rejected_first[COMPLETENESS_FIRST_LINES];
	uint64_t partial;                // events with missing records
	uint64_t duplicate;              // events that two rotated files both held
	uint64_t serials_missing;        // >=
	uint64_t kernel_lost;            // sum of old= of "lost=0 old=N" and of audit_lost= lines; counts records under a rate limit
	bool loss_ledger;                // false: "kernel loss: unknown", not 0
	uint64_t daemon_starts, config_changes;
	uint64_t events_by_op[OP_COUNT]; // successful or not; 0 in the whole log part read = never audited there
	uint64_t io_uring_setups;        // work beyond may be invisible
	uint64_t claims;
	uint64_t first_ns, last_ns;      // stamps read
	struct gap_vector gaps;          // in order of time
	uint64_t self_noise;             // events of the audit daemon and of provgraph itself
};

void completeness_release(struct completeness *c);
// Measured loss inside [from_ns, to_ns): gaps (serials, kernel-lost, daemon down), rejected lines or partial events. Exit status 3.
// Rejected lines and partial events count wherever they were read: their time is not known or not kept.
bool completeness_loss_in(const struct completeness *c, uint64_t from_ns, uint64_t to_ns);
// Puts the gaps in order of time and joins those that touch and mean the same.
void completeness_sort_gaps(struct completeness *c);

#endif
