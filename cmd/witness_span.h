// SPDX-License-Identifier: MIT
// The window of the log is told by the guest's clock, the history by the host's.
#ifndef CMD_WITNESS_SPAN_H
#define CMD_WITNESS_SPAN_H

#include "snapshots/timeline.h"

#include <stdbool.h>
#include <stdint.h>

// [from_ns, to_ns) of the guest -> all moments of the host that can belong to it, errors included. False: the clock is unknown.
bool witness_span(const struct timeline_clock *clock, uint64_t from_ns, uint64_t to_ns, uint64_t *ret_from_ns, uint64_t *ret_to_ns);

#endif
