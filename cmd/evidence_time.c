// SPDX-License-Identifier: MIT
#include "cmd/evidence_time.h"

#include "snapshots/history.h"

uint64_t evidence_time_of(const struct witness_volume *v, uint64_t seq)
{
	struct error ignored;
	uint64_t ns;

	return history_time_of(v->history, seq, &ns, &ignored) < 0 ? NANOTIME_NONE : ns;
}
