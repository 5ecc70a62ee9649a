// SPDX-License-Identifier: MIT
// The axis of the timeline: private to graph/svg_timeline.c and graph/svg_axis.c.
//
// Hours and milliseconds share it: the way between two moments grows with the logarithm of the time between them, within bounds; or
// with the time itself, when the picture's linear_time says so.
#ifndef GRAPH_SVG_AXIS_H
#define GRAPH_SVG_AXIS_H

#include "base/vector.h"
#include "graph/picture.h"

#include <stdbool.h>
#include <stdint.h>

struct moment { uint64_t ns; bool story; double x; }; // story: a step or the alert
VECTOR_DEFINE(moment_vector, struct moment)

bool axis_is_time(uint64_t ns); // neither unknown nor zero
// Every moment of the picture once, in order, each with its x between left and right. *ret must be released. -1: out of memory.
int axis_lay(const struct picture *p, double left, double right, struct moment_vector *ret);
double axis_x(const struct moment_vector *axis, uint64_t ns); // 0 when there are no moments
double axis_seconds(const struct moment *before, const struct moment *after);

#endif
