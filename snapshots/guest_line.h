// SPDX-License-Identifier: MIT
// All lines that pass through a series of intervals: a convex polygon of (value at 0, slope), cut smaller by each interval.
#ifndef SNAPSHOTS_GUEST_LINE_H
#define SNAPSHOTS_GUEST_LINE_H

#include <stdbool.h>
#include <stddef.h>

#define GUEST_LINE_CORNERS 64u

struct guest_line_corner { double value, slope; }; // value + slope * t
struct guest_lines {
	struct guest_line_corner corners[GUEST_LINE_CORNERS];
	size_t count; // 0: no line is left
};

// Through [low, high] at t, with a slope of at most +-limit.
void guest_lines_init(struct guest_lines *ret, double t, double low, double high, double limit);
// Keeps those that pass [low, high] at t. False, and nothing is changed: none does.
bool guest_lines_cut(struct guest_lines *lines, double t, double low, double high);
// The least and the greatest value at t.
void guest_lines_at(const struct guest_lines *lines, double t, double *ret_low, double *ret_high);
// The same for the slope.
void guest_lines_slopes(const struct guest_lines *lines, double *ret_low, double *ret_high);
// Values at t of the lines with that slope, which must be one that some line has.
void guest_lines_with_slope(const struct guest_lines *lines, double slope, double t, double *ret_low, double *ret_high);

#endif
