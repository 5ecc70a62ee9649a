// SPDX-License-Identifier: MIT
// Apart, because a history's header and the graph's both have a struct segment.
#ifndef CMD_EVIDENCE_TIME_H
#define CMD_EVIDENCE_TIME_H

#include "cmd/witness_volume.h"

// Host time of a record; NANOTIME_NONE: before the first, or it cannot be told.
uint64_t evidence_time_of(const struct witness_volume *v, uint64_t seq);

#endif
