// SPDX-License-Identifier: MIT
// Is it the right disk? What the log saw being made must have been born there at that time.
//
// Only what can be compared counts. An inode that does not show up proves nothing: it may never have reached the disk. But while one file
// lives, its number is nobody else's: a life on the disk that surely lasted while the log has another file under the number is of another disk.
// "Surely": what is gone on the disk was gone in the guest up to patience before.
#include "graph/annotate_work.h"

static bool was_made(const struct file *f)
{
	return f->created_seen && f->kind != FILE_MEMFD && !f->sink; // rename and link make no file: the graph's own rule
}

// By the inode's birth time, or by when it first appeared: within a second, or up to patience later.
static bool born_then(const struct annotate_life *life, const struct annotate_claim *claim, const struct annotate_volume *v)
{
	uint64_t earliest, latest;

	if (life->crtime_ns != NANOTIME_NONE)
		return annotate_claims(claim, life->crtime_ns);
	return life->appear_ns != 0 && annotate_to_host(v, claim->f->created_ns, &earliest, &latest) && life->appear_ns >= earliest &&
	       life->appear_ns <= annotate_add(latest, ANNOTATE_PATIENCE_NS);
}

// The last moment at which the life surely went on, by the guest's clock; 0: none can be told.
static uint64_t lasted_until(const struct annotate_life *life, const struct annotate_volume *v)
{
	uint64_t last = life->gone_ns != NANOTIME_NONE ? life->gone_ns : v->to_ns, earliest, latest;

	if (life->gone_ns == NANOTIME_NONE && v->break_count > 0 && v->breaks[0].from_ns < last)
		last = v->breaks[0].from_ns;
	if (!annotate_has_clock(v)) // the span that was asked about is the log's, as far as anybody knows
		return life->gone_ns == NANOTIME_NONE && life->crtime_ns != NANOTIME_NONE ? NANOTIME_NONE : 0;
	return annotate_to_guest(v, last, &earliest, &latest) ? annotate_subtract(earliest, ANNOTATE_PATIENCE_NS) : 0;
}

// The first moment at which it surely had begun.
static uint64_t lasted_from(const struct annotate_life *life, const struct annotate_volume *v)
{
	uint64_t earliest, latest;

	if (life->crtime_ns != NANOTIME_NONE)
		return life->crtime_ns;
	if (life->appear_ns == 0)
		return annotate_to_guest(v, v->from_ns, &earliest, &latest) ? latest : NANOTIME_NONE;
	return annotate_to_guest(v, life->appear_ns, &earliest, &latest) ? latest : NANOTIME_NONE;
}

// Both had the number at once.
static bool overlaps(const struct annotate_life *life, const struct file *f, const struct annotate_volume *v)
{
	uint64_t from = lasted_from(life, v), to = lasted_until(life, v);

	return from != NANOTIME_NONE && from < to && annotate_add(f->created_ns, ANNOTATE_BIRTH_NS) < to &&
	       (f->deleted_ns == NANOTIME_NONE || annotate_add(from, ANNOTATE_BIRTH_NS) < f->deleted_ns);
}

static bool is_recorded(const struct file *f, const struct annotate_volume *v)
{
	uint64_t earliest, latest;

	if (!annotate_has_clock(v))
		return true;
	return annotate_to_host(v, f->created_ns, &earliest, &latest) && latest >= v->from_ns && earliest <= v->to_ns;
}

enum annotate_birth annotate_birth_compare(const struct annotate_lives *lives, const struct annotate_claim *claim, const struct annotate_volume *v)
{
	const struct file *f = claim->f;
	bool other = false;

	if (!was_made(f) || !is_recorded(f, v))
		return ANNOTATE_BIRTH_UNCOMPARED;
	for (size_t i = 0; i < lives->count; i++) {
		if (born_then(&lives->items[i], claim, v))
			return ANNOTATE_BIRTH_MATCHED;
		other |= overlaps(&lives->items[i], f, v);
	}
	return other ? ANNOTATE_BIRTH_OTHER : ANNOTATE_BIRTH_UNCOMPARED;
}

int annotation_births(const struct annotation *a, uint32_t volume, struct annotate_births *ret, struct error *err)
{
	struct annotate_births births = {0};

	if (volume >= a->volume_count)
		return error_set(err, "births: there is no disk %u", volume);
	for (size_t i = 0; i < a->asked.count; i++) {
		const struct annotate_asked *asked = &a->asked.items[i];
		if (asked->volume != volume || !asked->taken || asked->birth == ANNOTATE_BIRTH_UNCOMPARED)
			continue;
		births.compared++;
		births.matched += asked->birth == ANNOTATE_BIRTH_MATCHED;
	}
	*ret = births;
	return 0;
}
