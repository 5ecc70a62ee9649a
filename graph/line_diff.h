// SPDX-License-Identifier: MIT
// Which lines differ between two texts. Pure, and of bounded work whatever the texts are: both may be an attacker's.
//
// E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), forward, up to LINE_DIFF_EDITS edits and LINE_DIFF_WORK
// steps. Beyond that the way found so far stands, and everything after it counts as one change (`gave_up`): a preview shows the first
// changes only.
#ifndef GRAPH_LINE_DIFF_H
#define GRAPH_LINE_DIFF_H

#include "base/vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_DIFF_EDITS 512u               /* 1 MiB of what Myers keeps to find the way back */
#define LINE_DIFF_WORK (UINT64_C(8) << 20) /* lines and 16-byte pieces of lines compared: about 30 ms */

struct diff_line { const char *bytes; size_t length; uint64_t hash; }; // bytes: with the line feed at its end, if it has one
VECTOR_DEFINE(diff_lines, struct diff_line)
// Lines `before` .. + before_count became lines `after` .. + after_count; either count may be 0, not both.
struct diff_run { size_t before, before_count, after, after_count; };
VECTOR_DEFINE(diff_runs, struct diff_run)

// Spans into bytes, which must outlive them. -1: out of memory.
int line_diff_split(const char *bytes, size_t length, struct diff_lines *ret);
// In order; between two runs lines are equal. `gave_up`: the last one was not looked into. -1: out of memory.
int line_diff_find(const struct diff_lines *before, const struct diff_lines *after, struct diff_runs *ret, bool *ret_gave_up);

#endif
