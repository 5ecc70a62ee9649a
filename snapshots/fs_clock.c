// SPDX-License-Identifier: MIT
#include "snapshots/fs_clock.h"

#include "base/bytes.h"
#include "base/nanotime.h"
#include "snapshots/journal_block.h"

#include <stdlib.h>
#include <string.h>

// A chain of held commits is live when it spans at least PROOF_NS, with PROOF_COMMITS, and both clocks went on alike, but for PROOF_SLACK_NS:
// a commit is written a few ms after its stamp; under load some tenths of a second.
#define PROOF_COMMITS 3u
#define PROOF_NS (5 * NANOTIME_SECOND)
#define PROOF_SLACK_NS NANOTIME_SECOND
#define NO_TIME_NS 100u  /* an import without times counts its records in ns; a commit waits for what it commits */
#define PROOF_TIDS 1024u /* between two of them: a gap in the recording */

static int compare_places(const void *a, const void *b)
{
	const struct fs_clock_place *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

int fs_clock_ring_init(struct fs_clock_ring *ret, const struct journal_geometry *g, uint64_t partition_start, struct error *err)
{
	struct fs_clock_ring r = {.block_bytes = g->block_bytes, .asynchronous = g->incompatible & JOURNAL_ASYNC_COMMIT};

	for (size_t i = 0; i < g->extents.count; i++) {
		const struct journal_extent *e = &g->extents.items[i];
		uint64_t skip = e->journal_block == 0; // the superblock is written at any time
		uint64_t from = partition_start + (e->fs_block + skip) * g->block_bytes;
		struct fs_clock_place place = {from, from + (e->count - skip) * g->block_bytes};

		if (place.from < place.to && fs_clock_places_append(&r.places, place) < 0) {
			fs_clock_ring_release(&r);
			return error_set(err, "out of memory");
		}
	}
	if (r.places.count > 0) {
		qsort(r.places.items, r.places.count, sizeof(*r.places.items), compare_places);
		r.from = r.places.items[0].from;
		r.to = r.places.items[r.places.count - 1].to;
	}
	*ret = r;
	return 0;
}

void fs_clock_ring_release(struct fs_clock_ring *r)
{
	fs_clock_places_release(&r->places);
}

bool fs_clock_ring_same(const struct fs_clock_ring *a, const struct fs_clock_ring *b)
{
	return a->block_bytes == b->block_bytes && a->places.count == b->places.count &&
	       (a->places.count == 0 || memcmp(a->places.items, b->places.items, a->places.count * sizeof(*a->places.items)) == 0);
}

// The first place that ends behind `at`.
static size_t place_behind(const struct fs_clock_ring *r, uint64_t at)
{
	size_t low = 0, high = r->places.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->places.items[middle].to <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool fs_clock_ring_touched(const struct fs_clock_ring *r, uint64_t offset, uint64_t length)
{
	if (offset >= r->to || offset + length <= r->from)
		return false;
	size_t at = place_behind(r, offset);

	return at < r->places.count && r->places.items[at].from < offset + length;
}

// The kernel writes a commit block by itself, between two flushes. Where the guest has switched them off, it may end a longer write. Copies of
// whole journals come in long writes, too: a commit block in the middle of one is none.
bool fs_clock_ring_commit_at(const struct fs_clock_ring *r, uint64_t offset, uint64_t length, uint64_t *ret_within)
{
	if (length < r->block_bytes)
		return false;
	uint64_t last = offset + length - r->block_bytes;
	size_t at = place_behind(r, last);

	if (at >= r->places.count || last < r->places.items[at].from || (last - r->places.items[at].from) % r->block_bytes != 0)
		return false;
	*ret_within = length - r->block_bytes;
	return true;
}

static int emit(struct guest_clock_samples *samples, const struct guest_clock_sample *s, struct error *err)
{
	return guest_clock_samples_append(samples, *s) < 0 ? error_set(err, "out of memory") : 0;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static bool follows(const struct fs_clock_held *before, const struct fs_clock_held *now)
{
	const struct guest_clock_sample *a = &before->sample, *b = &now->sample;

	return now->tid - before->tid - 1 < PROOF_TIDS && b->guest_ns >= a->guest_ns && b->host_ns >= a->host_ns && a->epoch == b->epoch &&
	       distance(b->host_ns - a->host_ns, b->guest_ns - a->guest_ns) <= PROOF_SLACK_NS;
}

static int release_held(struct fs_clock_ring *r, struct guest_clock_samples *samples, struct error *err)
{
	for (size_t i = 0; i < r->held_count; i++)
		if (emit(samples, &r->held[i].sample, err) < 0)
			return -1;
	if (r->held_count > 0)
		r->last_tid = r->held[r->held_count - 1].tid;
	r->known = r->known || r->held_count > 0;
	r->held_count = 0;
	return 0;
}

// A chain that is none of those before: a journal made anew, the first that we see, a copy.
static int hold(struct fs_clock_ring *r, const struct fs_clock_held *h, struct guest_clock_samples *samples, struct error *err)
{
	const struct guest_clock_sample *first = &r->held[0].sample;

	if (r->held_count > 0 && (!follows(&r->held[r->held_count - 1], h) ||
				  distance(h->sample.host_ns - first->host_ns, h->sample.guest_ns - first->guest_ns) > PROOF_SLACK_NS)) {
		r->dropped += r->held_count;
		r->held_count = 0;
	}
	if (r->held_count == FS_CLOCK_HELD) { // many within PROOF_NS: the older ones prove no more than the newer
		memmove(r->held + 1, r->held + FS_CLOCK_HELD / 2, FS_CLOCK_HELD / 2 * sizeof(r->held[0]));
		r->held_count = 1 + FS_CLOCK_HELD / 2;
	}
	r->held[r->held_count++] = *h;
	if (r->held_count < PROOF_COMMITS || h->sample.host_ns - first->host_ns < PROOF_NS)
		return 0;
	return release_held(r, samples, err);
}

static int note_commit(struct fs_clock_ring *r, const uint8_t *header, const struct guest_clock_sample *sample, struct guest_clock_samples *samples,
		       struct error *err)
{
	struct fs_clock_held h = {.tid = journal_block_tid(header), .sample = *sample};

	if (!r->known || h.tid - r->last_tid - 1 >= PROOF_TIDS)
		return hold(r, &h, samples, err);
	r->last_tid = h.tid;
	r->held_count = 0;
	return emit(samples, sample, err);
}

int fs_clock_ring_note(struct fs_clock_ring *r, const uint8_t *header, bool alone, uint64_t host_ns, uint32_t epoch, struct guest_clock_samples *samples,
		       struct error *err)
{
	struct guest_clock_sample sample = {.host_ns = host_ns, .epoch = epoch};
	int result = 0;

	if (header && journal_block_kind(header) == JOURNAL_COMMIT && (sample.guest_ns = journal_commit_time(header, NULL)) != 0) {
		// What came before a commit was answered before the commit was made; not what came together with it.
		if (alone && !r->asynchronous && r->last_epoch == epoch && r->last_write_ns <= host_ns)
			sample.not_before_ns = r->last_write_ns;
		if (r->last_epoch == epoch && host_ns - r->last_write_ns < NO_TIME_NS)
			r->dropped++;
		else if (guest_clock_sample_holds(&sample))
			result = note_commit(r, header, &sample, samples, err);
	}
	r->last_write_ns = host_ns;
	r->last_epoch = epoch;
	return result;
}

int fs_clock_ring_end(struct fs_clock_ring *r, struct guest_clock_samples *samples, struct error *err)
{
	return samples->count == 0 && r->dropped == 0 ? release_held(r, samples, err) : 0;
}

// ---- stamps in text

// Digits at *at; false: none, or more than fit.
static bool take_number(const char **at, const char *end, uint64_t *ret)
{
	const char *begin = *at;
	uint64_t n = 0;

	while (*at < end && **at >= '0' && **at <= '9' && *at - begin < 18)
		n = n * 10 + (uint64_t)(*(*at)++ - '0');
	*ret = n;
	return *at > begin;
}

static bool take_stamp(const char *at, const char *end, uint64_t *ret_ns, uint64_t *ret_serial)
{
	uint64_t seconds, milliseconds, serial;
	const char *dot;

	if (!take_number(&at, end, &seconds) || at >= end || *at++ != '.')
		return false;
	dot = at;
	if (!take_number(&at, end, &milliseconds) || at - dot != 3 || at >= end || *at++ != ':' || !take_number(&at, end, &serial) || at >= end || *at != ')')
		return false;
	if (seconds == 0 || seconds > INT64_MAX / NANOTIME_SECOND - 1)
		return false;
	*ret_ns = seconds * NANOTIME_SECOND + milliseconds * (NANOTIME_SECOND / 1000);
	*ret_serial = serial;
	return true;
}

bool fs_clock_stamp(const void *bytes, size_t length, uint64_t *ret_ns, uint64_t *ret_serial)
{
	static const char word[] = "audit(";
	const char *begin = bytes, *end = begin + length;
	bool found = false;

	for (const char *at = begin; (at = memmem(at, (size_t)(end - at), word, sizeof(word) - 1)) != NULL;) {
		at += sizeof(word) - 1;
		found |= take_stamp(at, end, ret_ns, ret_serial);
	}
	return found;
}
