// SPDX-License-Identifier: MIT
// The guest's clock: the question to provgraph-fsread, and looking up its answer.
#include "snapshots/timeline.h"

#include "base/memory.h"
#include "base/nanotime.h"
#include "snapshots/fsread.h"
#include "snapshots/guest_clock.h"

#include <math.h>
#include <string.h>

#define MAX_SAMPLES ((size_t)1 << 21) /* our limits for one answer: whoever sends more is not our own reader */
#define MAX_TIMES ((size_t)1 << 20) /* epochs, mounts */

void timeline_clock_release(struct timeline_clock *c)
{
	timeline_clock_pieces_release(&c->pieces);
	u64_vector_release(&c->mounts);
}

// ---- asking

struct clock_answer {
	enum timeline_clock_source source;
	struct guest_clock_samples samples;
	struct u64_vector epochs, mounts;
};

static int take_times(struct u64_vector *times, struct wire_reader *r, const char *what, struct error *err)
{
	while (!r->failed && r->at < r->end && times->count < MAX_TIMES)
		if (u64_vector_append(times, wire_get_u64(r)) < 0)
			return error_set(err, "out of memory");
	return wire_end(r, what, err);
}

static int on_sample(void *context, uint32_t type, const void *payload, size_t length, struct error *err)
{
	struct clock_answer *a = context;
	struct wire_reader r = wire_read(payload, length);
	uint64_t source = wire_get_u64(&r);

	if (type != FSREAD_FRAME_SAMPLE || source > FSREAD_MOUNTS || a->samples.count >= MAX_SAMPLES)
		return error_set(err, "provgraph-fsread: sent a frame of kind %u that nobody asked for", type);
	if (source == 0)
		return take_times(&a->epochs, &r, "the epochs of a clock", err);
	if (source == FSREAD_MOUNTS)
		return take_times(&a->mounts, &r, "when a disk was mounted", err);
	a->source = (enum timeline_clock_source)source;
	while (!r.failed && r.at < r.end) {
		struct guest_clock_sample s = {.host_ns = wire_get_u64(&r)};

		s.not_before_ns = wire_get_u64(&r);
		s.guest_ns = wire_get_u64(&r);
		s.epoch = (uint32_t)wire_get_u64(&r);
		if (!guest_clock_sample_holds(&s) || (a->samples.count > 0 && s.epoch < a->samples.items[a->samples.count - 1].epoch) ||
		    s.epoch > a->epochs.count)
			return error_set(err, "provgraph-fsread: sent a sample of the clock that cannot be");
		if (guest_clock_samples_append(&a->samples, s) < 0)
			return error_set(err, "out of memory");
	}
	return wire_end(&r, "a sample of the clock", err);
}

int timeline_clock(const struct timeline_file *volume, uint64_t from_seq, uint64_t to_seq, struct timeline_clock *ret, struct error *err)
{
	struct fsread_question q = {.job = FSREAD_CLOCK, .history = volume->history, .partition = volume->partition, .from_seq = from_seq, .to_seq = to_seq};
	struct fsread_answer told = {0};
	struct clock_answer answer = {0};
	struct timeline_clock clock = {0};
	int result = fsread_ask(&q, on_sample, &answer, &told, err);

	if (volume->warnings && told.warnings.length > 0)
		buffer_add(volume->warnings, told.warnings.bytes, told.warnings.length);
	if (result == 0)
		result = guest_clock_fit(&answer.samples, &answer.epochs, answer.source, &clock, err);
	if (result == 0) {
		result = clock.pieces.count == 0;
		if (result == 0) {
			clock.mounts = answer.mounts;
			answer.mounts = (struct u64_vector){0};
		}
		*ret = clock;
	}
	buffer_release(&told.warnings);
	guest_clock_samples_release(&answer.samples);
	u64_vector_release(&answer.epochs);
	u64_vector_release(&answer.mounts);
	return result;
}

// ---- looking up

static double since(uint64_t a, uint64_t b)
{
	return (double)(int64_t)(a - b);
}

static int64_t piece_offset(const struct timeline_clock_piece *p, uint64_t host_ns)
{
	return p->offset_ns + (int64_t)llround(p->drift * since(host_ns, p->base_ns));
}

// The lines that pass all samples form a bundle that is narrowest in the middle: between two of its places it is no wider than a straight line.
static uint64_t piece_error(const struct timeline_clock_piece *p, uint64_t host_ns)
{
	uint64_t end = host_ns < p->base_ns ? p->sampled_from_ns : p->sampled_to_ns;
	double whole = fabs(since(end, p->base_ns)), part = fabs(since(host_ns, p->base_ns));

	if (part >= whole)
		return p->error_ns + (uint64_t)ceil((part - whole) * p->drift_error);
	return p->base_error_ns + (uint64_t)ceil((double)(p->error_ns - p->base_error_ns) * (part / whole));
}

// The error that also covers what another piece says.
static uint64_t cover(const struct timeline_clock_piece *other, uint64_t host_ns, int64_t offset_ns, uint64_t error_ns)
{
	int64_t there = piece_offset(other, host_ns);
	uint64_t apart = (there > offset_ns ? (uint64_t)there - (uint64_t)offset_ns : (uint64_t)offset_ns - (uint64_t)there) + piece_error(other, host_ns);

	return apart > error_ns ? apart : error_ns;
}

// The piece that holds the moment; NULL: unknown.
static const struct timeline_clock_piece *piece_at(const struct timeline_clock *c, uint64_t host_ns)
{
	size_t low = 0, high = c->pieces.count;

	while (low < high) { // the first that ends behind it
		size_t middle = low + (high - low) / 2;

		if (c->pieces.items[middle].to_ns <= host_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->pieces.count && c->pieces.items[low].samples > 0 ? &c->pieces.items[low] : NULL;
}

bool timeline_clock_at(const struct timeline_clock *c, uint64_t host_ns, int64_t *ret_offset_ns, uint64_t *ret_error_ns)
{
	const struct timeline_clock_piece *p = piece_at(c, host_ns), *end = c->pieces.items + c->pieces.count;

	if (!p)
		return false;
	int64_t offset = piece_offset(p, host_ns);
	uint64_t error = piece_error(p, host_ns);

	if (host_ns > p->sampled_to_ns && p + 1 < end && p[1].samples > 0 && !p[1].host_stepped)
		error = cover(p + 1, host_ns, offset, error);
	*ret_offset_ns = offset;
	*ret_error_ns = error;
	return true;
}

int timeline_clock_to_guest(const struct timeline_clock *c, uint64_t host_ns, uint64_t *ret_guest_ns, uint64_t *ret_error_ns)
{
	int64_t offset;

	if (host_ns == NANOTIME_NONE || !timeline_clock_at(c, host_ns, &offset, ret_error_ns))
		return -1;
	*ret_guest_ns = host_ns - (uint64_t)offset;
	return 0;
}

// The host time at which a clock of this piece's rate shows guest_ns. host - offset(host) = guest, and offset is linear.
static double piece_to_host(const struct timeline_clock_piece *p, uint64_t guest_ns)
{
	return since(guest_ns + (uint64_t)p->offset_ns, p->base_ns) / (1 - p->drift); // since base_ns
}

int timeline_clock_to_host(const struct timeline_clock *c, uint64_t guest_ns, uint64_t *ret_host_ns, uint64_t *ret_error_ns)
{
	unsigned found = 0;
	uint64_t host = 0, skipped = NANOTIME_NONE;
	int64_t ignored;

	for (size_t i = 0; i < c->pieces.count; i++) {
		const struct timeline_clock_piece *p = &c->pieces.items[i];

		if (p->samples == 0)
			continue;
		double from = p->from_ns == 0 ? -INFINITY : since(p->from_ns, p->base_ns), to = p->to_ns == NANOTIME_NONE ? INFINITY : since(p->to_ns, p->base_ns);
		double at = piece_to_host(p, guest_ns);

		if (at >= from && at < to) {
			host = p->base_ns + (uint64_t)(int64_t)llround(at);
			found++;
		} else if (at < from && skipped == NANOTIME_NONE) {
			skipped = p->from_ns; // its clock never showed less
		}
	}
	if (found == 0 && skipped == NANOTIME_NONE)
		return -1;
	*ret_host_ns = found > 0 ? host : skipped;
	if (!timeline_clock_at(c, *ret_host_ns, &ignored, ret_error_ns))
		return -1;
	return found > 1 ? 1 : 0;
}
