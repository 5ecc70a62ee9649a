// SPDX-License-Identifier: MIT
// A span of the guest's time -> the span of host time that holds it. A guest's clock that was set back showed some times twice: then all
// of it is taken, since nobody can say which of the two the log means.
#include "cmd/witness_span.h"

// Far beyond any clock, and so far below INT64_MAX that sums stay inside.
#define FURTHEST ((int64_t)1 << 62)

static int64_t bounded(uint64_t ns)
{
	return ns < (uint64_t)FURTHEST ? (int64_t)ns : FURTHEST;
}

static uint64_t moment(int64_t ns)
{
	return ns < 0 ? 0 : (uint64_t)ns;
}

// The moment at which this piece's clock showed guest_ns, were there no other piece. From "host - offset(host) = guest".
static int64_t host_of(const struct timeline_clock_piece *p, uint64_t guest_ns)
{
	int64_t since = bounded(guest_ns) / 2 - bounded(p->base_ns) / 2 + p->offset_ns / 2; // halves: the sum of three stays inside
	double drifted = (double)since * 2 * p->drift / (1 - p->drift);
	int64_t host = bounded(guest_ns) + p->offset_ns;

	if (drifted > -9e15 && drifted < 9e15) // a hundred days: more is no drift
		host += (int64_t)drifted;
	return host;
}

bool witness_span(const struct timeline_clock *clock, uint64_t from_ns, uint64_t to_ns, uint64_t *ret_from_ns, uint64_t *ret_to_ns)
{
	int64_t first = INT64_MAX, last = INT64_MIN;

	for (size_t i = 0; i < clock->pieces.count; i++) {
		const struct timeline_clock_piece *p = &clock->pieces.items[i];
		int64_t error = bounded(p->error_ns), begin = bounded(p->from_ns), end = bounded(p->to_ns);
		int64_t from = host_of(p, from_ns) - error, to = host_of(p, to_ns) + error;

		from = from > begin ? from : begin;
		to = to < end ? to : end;
		if (from > to || (from == to && i + 1 < clock->pieces.count))
			continue;
		first = from < first ? from : first;
		last = to > last ? to : last;
	}
	if (clock->pieces.count == 0)
		return false;
	// A guest that was set forward never showed these times: what is nearest is the step.
	if (first > last) {
		uint64_t from, to, error;

		if (timeline_clock_to_host(clock, from_ns, &from, &error) < 0 || timeline_clock_to_host(clock, to_ns, &to, &error) < 0)
			return false;
		first = bounded(from < to ? from : to);
		last = bounded(from < to ? to : from);
	}
	*ret_from_ns = moment(first);
	*ret_to_ns = moment(last);
	return true;
}
