// SPDX-License-Identifier: MIT
// Between the three steps of guest_clock_fit(): samples to intervals (guest_clock_samples.c), intervals to stretches that one line passes
// (guest_clock.c), stretches to pieces (guest_clock_pieces.c).
#ifndef SNAPSHOTS_GUEST_CLOCK_WORK_H
#define SNAPSHOTS_GUEST_CLOCK_WORK_H

#include "snapshots/guest_clock.h"
#include "snapshots/guest_line.h"

#include <math.h>

#define MILLISECOND 1e6
#define PPM 1e3 /* ns per second */
#define LEAST_WIDTH_NS (5 * MILLISECOND) /* no interval is believed to be narrower: the best of some tens of commits came 0.7 to 3.3 ms late */
#define GREATEST_DELAY_NS (60 * 1e9) /* between a stamp and its arrival, where no lower end is known: delayed writing waits 30 s, and 5 s more */
#define WINDOW_SAMPLES 16u           /* of stamps without lower ends: the earliest of so many stands for all */
#define WINDOW_NOISE 10.0            /* times the noise: so late is one window of a thousand */
#define STAMP_ERROR_NS (20 * MILLISECOND) /* the earliest of many audit stamps reached the disk 3 to 5 ms late where auditd syncs each record */

struct guest_interval {
	double t;          // host time, seconds since the first sample
	double low, high;  // offset less `reference`
	uint64_t host_ns;  // of the first sample that it stands for: by then the clock ran so
	uint64_t until_ns; // not before of the last one: until then it did
	uint64_t samples;
	uint32_t epoch;
	bool excluded;
};
VECTOR_DEFINE(guest_intervals, struct guest_interval)

struct guest_fit {
	struct guest_intervals intervals;
	int64_t reference;
	uint64_t origin_ns;
	enum timeline_clock_source source;
	bool by_windows;   // intervals are windows of samples without lower ends
	double noise;      // from one window to the next
	struct timeline_clock_pieces pieces;
};

struct guest_stretch { // a piece to be
	size_t first, last, end; // last: the last that lies on it; end: where the next one begins
	struct guest_lines lines;
	uint64_t samples, contradicting;
	double widest_gap_s;
};
VECTOR_DEFINE(guest_stretches, struct guest_stretch)

static inline double guest_fit_time(const struct guest_fit *f, uint64_t host_ns)
{
	return (double)(int64_t)(host_ns - f->origin_ns) / 1e9;
}

// How late the earliest of a window may be.
static inline double guest_fit_window_delay(const struct guest_fit *f)
{
	return fmin(STAMP_ERROR_NS + WINDOW_NOISE * f->noise, GREATEST_DELAY_NS);
}

// An interval for each sample, or, where most of them have no lower end, for each window of samples.
int guest_fit_take(struct guest_fit *f, const struct guest_clock_samples *samples, struct error *err);
int guest_fit_take_windows(struct guest_fit *f, const struct guest_clock_samples *samples, struct error *err);
int guest_fit_make_pieces(struct guest_fit *f, const struct guest_stretches *all, const struct u64_vector *epochs, struct error *err);

#endif
