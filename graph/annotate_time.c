// SPDX-License-Identifier: MIT
// Between the guest's clock and the host's: always both ends of what the error allows.
#include "graph/annotate_work.h"

bool annotate_has_clock(const struct annotate_volume *v)
{
	return v->clock && v->clock->pieces.count > 0;
}

bool annotate_to_host(const struct annotate_volume *v, uint64_t guest_ns, uint64_t *ret_earliest_ns, uint64_t *ret_latest_ns)
{
	uint64_t ns, error;

	if (!annotate_has_clock(v) || timeline_clock_to_host(v->clock, guest_ns, &ns, &error) != 0)
		return false;
	*ret_earliest_ns = annotate_subtract(ns, error);
	*ret_latest_ns = annotate_add(ns, error);
	return true;
}

bool annotate_to_guest(const struct annotate_volume *v, uint64_t host_ns, uint64_t *ret_earliest_ns, uint64_t *ret_latest_ns)
{
	uint64_t ns, error;

	if (!annotate_has_clock(v) || timeline_clock_to_guest(v->clock, host_ns, &ns, &error) != 0)
		return false;
	*ret_earliest_ns = annotate_subtract(ns, error);
	*ret_latest_ns = annotate_add(ns, error);
	return true;
}

bool annotate_stepped(const struct annotate_volume *v, uint64_t from_ns, uint64_t to_ns)
{
	for (size_t i = 0; v->clock && i < v->clock->pieces.count; i++) {
		const struct timeline_clock_piece *p = &v->clock->pieces.items[i];
		if ((p->stepped || p->host_stepped) && p->from_ns > from_ns && p->from_ns <= to_ns)
			return true;
	}
	return false;
}

bool annotate_interrupted(const struct annotate_volume *v, uint64_t from_ns, uint64_t to_ns)
{
	for (size_t i = 0; i < v->break_count; i++)
		if (v->breaks[i].to_ns >= from_ns && v->breaks[i].from_ns <= to_ns)
			return true;
	return false;
}

bool annotate_mounted(const struct annotate_volume *v, uint64_t from_ns, uint64_t to_ns)
{
	for (size_t i = 0; v->clock && i < v->clock->mounts.count; i++)
		if (v->clock->mounts.items[i] > from_ns && v->clock->mounts.items[i] <= to_ns)
			return true;
	return false;
}

bool annotate_sampled(const struct annotate_volume *v, uint64_t host_ns)
{
	for (size_t i = 0; v->clock && i < v->clock->pieces.count; i++) {
		const struct timeline_clock_piece *p = &v->clock->pieces.items[i];
		if (p->samples > 0 && p->from_ns <= host_ns && host_ns < p->to_ns)
			return p->sampled_from_ns <= host_ns;
	}
	return false;
}
