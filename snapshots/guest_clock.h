// SPDX-License-Identifier: MIT
// From samples to the offset between two clocks over time. Pure: no history, no process.
//
// A sample says: the guest stamped something with guest_ns, by its own clock, at a moment that lay between two records of the host,
// not_before_ns <= moment <= host_ns. So host_ns - guest_ns is never less than the true offset (host minus guest), and
// not_before_ns - guest_ns is never more than it by more than the guest's tick:
//
//     offset           o     o                o          host_ns - guest_ns      upper end: a stamp is written after it is taken
//       ^      o         o        o   o    o
//       |  ------------------------------------------    the true offset
//       |      x    x    x         x  x    x
//       |   x          x   x    x                        not_before_ns - guest_ns - tick
//       +------------------------------------------> host time
//
// A line must pass all of these intervals. Where none does any more, a new piece begins: the guest's clock was stepped, or runs at another
// rate. Single samples that contradict those before and behind them are left out and counted.
//
// The guest's coarse clock goes on in ticks of 1 to 10 ms, and ticks come late in a guest that waits for its processor: the lower ends are
// only as good as that. Samples without a lower end (stamps in an audit log) leave the lower envelope of the upper ends alone; how far
// above the truth it lies is a guess from how much it varies.
#ifndef SNAPSHOTS_GUEST_CLOCK_H
#define SNAPSHOTS_GUEST_CLOCK_H

#include "base/error.h"
#include "base/vector.h"
#include "snapshots/timeline.h"

#include <stdbool.h>
#include <stdint.h>

struct guest_clock_sample {
	uint64_t host_ns;       // the record that brought the stamp to the disk
	uint64_t not_before_ns; // a record that the guest had an answer to before it took the stamp; 0: none is known
	uint64_t guest_ns;      // the stamp
	uint32_t epoch;         // of the host's clock, from 0: a step of the host's between two samples gives them different ones
};
// Times so late (the year 2116) would not leave room for differences in 64 bits; such a stamp is none.
#define GUEST_CLOCK_END_NS (UINT64_C(1) << 62)
static inline bool guest_clock_sample_holds(const struct guest_clock_sample *s)
{
	return s->host_ns < GUEST_CLOCK_END_NS && s->guest_ns < GUEST_CLOCK_END_NS && s->not_before_ns <= s->host_ns;
}
VECTOR_DEFINE(guest_clock_samples, struct guest_clock_sample)

// samples: in the order of their records; each holds. epochs: the host time at which each epoch of its clock begins; none: one epoch.
// No samples: no pieces, and 0.
int guest_clock_fit(const struct guest_clock_samples *samples, const struct u64_vector *epochs, enum timeline_clock_source source,
		    struct timeline_clock *ret, struct error *err);

#endif
