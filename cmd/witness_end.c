// SPDX-License-Identifier: MIT
// Up to where a record can be asked. Whoever covers their tracks wipes the disk in the end: what was on it before is still recorded, and a
// record that is asked up to the moment before the wipe tells it.
#include "cmd/witness_volume.h"

#include "snapshots/fsread.h"
#include "snapshots/history.h"

#define PROBES 16u // moments of the record that are tried for one at which the file system can be read

static int on_frame(void *context, uint32_t type, const void *payload, size_t length, struct error *err)
{
	(void)context, (void)type, (void)payload, (void)length, (void)err;
	return 0;
}

// The root folder of the file system opens at this moment.
static bool is_readable(const struct witness_volume *v, uint64_t seq, struct error *reason)
{
	struct fsread_question q = {.job = FSREAD_STAT, .history = v->mapping.history, .partition = v->mapping.partition, .to_seq = seq, .path = "/", .path_length = 1};
	struct fsread_answer answer = {0};
	int result = fsread_ask(&q, on_frame, NULL, &answer, reason);

	buffer_release(&answer.warnings);
	return result == 0;
}

static uint64_t latest_readable_probe(const struct witness_volume *v)
{
	struct error ignored;

	for (uint64_t i = PROBES; i-- > 1;) {
		uint64_t seq = v->last_seq / PROBES * i + v->last_seq % PROBES * i / PROBES;

		if (seq > 0 && is_readable(v, seq, &ignored))
			return seq;
	}
	return 0;
}

int witness_volume_find_end(struct witness_volume *v, struct error *err)
{
	struct error ignored;

	if (v->last_seq == 0 || is_readable(v, v->last_seq, &ignored))
		return 0;
	uint64_t low = latest_readable_probe(v), high = v->last_seq;

	if (low == 0)
		return 0; // at no moment: whoever asks is told why
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (is_readable(v, middle, &ignored))
			low = middle;
		else
			high = middle;
	}
	v->end_seq = low;
	return history_time_of(v->history, high, &v->unreadable_ns, err);
}
