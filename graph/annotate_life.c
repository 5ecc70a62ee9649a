// SPDX-License-Identifier: MIT
// Which life of an inode number is this file? The log and the disk give the same number to one file after the other, and neither saw all:
// a file that was made and deleted within seconds never reached the disk, and the log does not reach back to every birth.
//
// With a birth time in the inode (crtime) both clocks are the guest's: a birth that the log saw is that of the life that was born then, and
// else the file is the youngest life that was born before its first access. Without one (128-byte inodes) only the first appearance on the
// disk tells, up to patience late.
#include "graph/annotate_work.h"

static bool same_file(const struct timeline_state *a, const struct timeline_state *b)
{
	return a->generation == b->generation && a->crtime_ns == b->crtime_ns;
}

static int begin_life(struct annotate_lives *lives, const struct timeline_state *s, size_t index)
{
	struct annotate_life life = {
		.from = index, .to = index + 1, .crtime_ns = s->crtime_ns, .appear_ns = s->arrival_ns, .gone_ns = NANOTIME_NONE,
		.replaced_by = SIZE_MAX, .generation = s->generation,
	};
	return annotate_lives_append(lives, life);
}

int annotate_lives_find(const struct timeline_state *states, size_t count, struct annotate_lives *ret, struct error *err)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < count; i++) {
		const struct timeline_state *s = &states[i];
		struct annotate_life *last = ret->count ? &ret->items[ret->count - 1] : NULL;
		// A file that lost its last name and is given one again is the same file.
		if (last && same_file(&states[last->from], s)) {
			last->to = i + 1;
			last->gone_ns = (s->change & TIMELINE_DELETED) && !(s->change & TIMELINE_APPEARED) ? s->arrival_ns : NANOTIME_NONE;
			continue;
		}
		if (last && last->gone_ns == NANOTIME_NONE) {
			last->gone_ns = s->arrival_ns;
			last->replaced_by = i;
		}
		result = begin_life(ret, s, i);
	}
	return result == 0 ? 0 : error_set(err, "lives of an inode: out of memory");
}

// ---- births that the log saw

// A stamp is never later than what it stamps: an inode that was born at or after a record of its making, and before that of the next file
// under the number, is that file's. What lies before the file's own record (a clock that was set) is its own as far as no other claims it.
bool annotate_claims(const struct annotate_claim *claim, uint64_t crtime_ns)
{
	if (claim->after_ns != NANOTIME_NONE && crtime_ns >= claim->after_ns)
		return false;
	if (!claim->f->created_seen)
		return true;
	if (annotate_apart(crtime_ns, claim->f->created_ns) > ANNOTATE_BIRTH_NS)
		return false;
	bool of_before = claim->before_ns != NANOTIME_NONE && crtime_ns >= claim->before_ns && crtime_ns - claim->before_ns <= ANNOTATE_BIRTH_NS;
	return crtime_ns >= claim->f->created_ns || !of_before;
}

// How far a life's birth is from the file's; NANOTIME_NONE: it is another's.
static uint64_t birth_distance(const struct annotate_life *life, const struct annotate_claim *claim, const struct annotate_volume *v)
{
	uint64_t earliest, latest, next_earliest, next_latest;

	if (life->crtime_ns != NANOTIME_NONE)
		return annotate_claims(claim, life->crtime_ns) ? annotate_apart(life->crtime_ns, claim->f->created_ns) : NANOTIME_NONE;
	if (!annotate_to_host(v, claim->f->created_ns, &earliest, &latest) || life->appear_ns < earliest ||
	    life->appear_ns > annotate_add(latest, ANNOTATE_PATIENCE_NS))
		return NANOTIME_NONE;
	// What a commit shows is not older than the commit: by then the number was the next file's.
	if (claim->after_ns != NANOTIME_NONE && annotate_to_host(v, claim->after_ns, &next_earliest, &next_latest) && life->appear_ns > next_latest)
		return NANOTIME_NONE;
	return annotate_subtract(life->appear_ns, latest);
}

static size_t life_born(const struct annotate_lives *lives, const struct annotate_claim *claim, const struct annotate_volume *v, bool *ret_sure)
{
	size_t best = SIZE_MAX;
	uint64_t best_distance = NANOTIME_NONE, second = NANOTIME_NONE;

	for (size_t i = 0; i < lives->count; i++) {
		uint64_t distance = birth_distance(&lives->items[i], claim, v);
		if (distance < best_distance) {
			second = best_distance;
			best_distance = distance;
			best = i;
		} else if (distance < second) {
			second = distance;
		}
	}
	bool by_crtime = best != SIZE_MAX && lives->items[best].crtime_ns != NANOTIME_NONE;
	*ret_sure = by_crtime ? best_distance <= ANNOTATE_SURE_NS && second > ANNOTATE_SURE_NS : best != SIZE_MAX && second == NANOTIME_NONE;
	return best;
}

// ---- files that were there before

// Bounds of a life's birth by the guest's clock.
static void birth_bounds(const struct annotate_life *life, const struct annotate_volume *v, uint64_t *ret_from, uint64_t *ret_to)
{
	uint64_t earliest, latest;

	if (life->crtime_ns != NANOTIME_NONE) {
		*ret_from = *ret_to = life->crtime_ns;
	} else if (life->appear_ns && annotate_to_guest(v, life->appear_ns, &earliest, &latest)) {
		*ret_from = annotate_subtract(earliest, ANNOTATE_PATIENCE_NS);
		*ret_to = latest;
	} else { // before the first record, or nobody knows
		*ret_from = 0;
		*ret_to = life->appear_ns ? NANOTIME_NONE : 0;
	}
}

// Was its end on the disk before the file's first access? Then it is not what was accessed.
static bool gone_before(const struct annotate_life *life, uint64_t first_ns, const struct annotate_volume *v)
{
	uint64_t earliest, latest;

	return life->gone_ns != NANOTIME_NONE && annotate_to_host(v, first_ns, &earliest, &latest) && life->gone_ns < earliest;
}

// The youngest life that was born before the first access. Those before it had ended by then: a number has one file at a time. Where none
// certainly was, the oldest that may have been: born about when it was first accessed, or, without a birth time, some time before it appeared.
static size_t life_in_force(const struct annotate_lives *lives, const struct annotate_claim *claim, const struct annotate_volume *v, bool *ret_sure)
{
	const uint64_t first_ns = claim->first_ns;
	size_t perhaps = SIZE_MAX;

	for (size_t i = lives->count; i-- > 0;) {
		uint64_t from, to;
		birth_bounds(&lives->items[i], v, &from, &to);
		bool next = lives->items[i].crtime_ns != NANOTIME_NONE && !annotate_claims(claim, lives->items[i].crtime_ns);
		if (next || gone_before(&lives->items[i], first_ns, v) || from > annotate_add(first_ns, ANNOTATE_BIRTH_NS))
			continue;
		if (to <= annotate_add(first_ns, ANNOTATE_TICK_NS)) {
			*ret_sure = perhaps == SIZE_MAX;
			return i;
		}
		perhaps = i;
	}
	// With a birth time it was born after the first access, by the records: that is likely, but not sure.
	*ret_sure = perhaps != SIZE_MAX && lives->count == 1 && lives->items[perhaps].crtime_ns == NANOTIME_NONE;
	return perhaps;
}

size_t annotate_life_of(const struct annotate_lives *lives, const struct annotate_claim *claim, const struct annotate_volume *v, bool *ret_sure)
{
	*ret_sure = false;
	if (claim->f->created_seen)
		return life_born(lives, claim, v, ret_sure);
	return claim->first_ns == NANOTIME_NONE ? SIZE_MAX : life_in_force(lives, claim, v, ret_sure);
}
