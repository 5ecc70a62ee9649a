// SPDX-License-Identifier: MIT
// Stretches to pieces: offset, drift, error, steps.
#include "snapshots/guest_clock_work.h"

#include "base/nanotime.h"

#define STEP_NS (10 * MILLISECOND)   /* as for the recorder's clock (clock.h): less may be slewing */
#define STAMP_DELAY_NS (4 * MILLISECOND) /* of the earliest of many audit stamps: 3.2 and 5.2 ms were seen */
#define USUAL_SLOPE (20 * PPM)       /* of undisciplined clocks; draws a line that few samples leave free towards zero */
#define WANDER (5 * PPM)             /* how far a clock's rate may go from its mean between two samples */
#define GREATEST_ERROR_NS 4e18       /* 127 years: whoever forges stamps makes it no number that does not fit */

static double choose_slope(const struct guest_lines *lines)
{
	double least, greatest;

	guest_lines_slopes(lines, &least, &greatest);
	double middle = (least + greatest) / 2, half = (greatest - least) / 2;

	return fmin(fmax(middle * USUAL_SLOPE * USUAL_SLOPE / (USUAL_SLOPE * USUAL_SLOPE + half * half), least), greatest);
}

// How wide a bundle must be, however many samples agree: the earliest of all is late, too. Of windows of samples that are late by chance, it is
// the less late the more there are.
static double least_width(const struct guest_fit *f, const struct guest_stretch *s)
{
	double windows = (double)s->samples / WINDOW_SAMPLES;

	return f->by_windows ? fmin(STAMP_ERROR_NS + WINDOW_NOISE * f->noise / fmax(windows, 1), GREATEST_DELAY_NS) : LEAST_WIDTH_NS;
}

// How far a line of the bundle, or one that is not narrower than what we believe in, may lie from ours at t.
static double reach_at(const struct guest_lines *lines, double t, double least, double ours)
{
	double low, high;

	guest_lines_at(lines, t, &low, &high);
	low = fmin(low, high - least);
	return fmax(high - ours, ours - low);
}

static uint64_t error_of(double ns)
{
	return (uint64_t)ceil(fmin(ns, GREATEST_ERROR_NS));
}

static struct timeline_clock_piece make_piece(const struct guest_fit *f, const struct guest_stretch *s)
{
	const struct guest_interval *first = &f->intervals.items[s->first], *last = &f->intervals.items[s->last];
	struct timeline_clock_piece p = {.sampled_from_ns = first->host_ns, .sampled_to_ns = last->until_ns, .source = f->source};

	if (p.sampled_to_ns < p.sampled_from_ns)
		p.sampled_to_ns = p.sampled_from_ns;
	p.base_ns = p.sampled_from_ns + (p.sampled_to_ns - p.sampled_from_ns) / 2;

	double from = guest_fit_time(f, p.sampled_from_ns), base = guest_fit_time(f, p.base_ns), to = guest_fit_time(f, p.sampled_to_ns);
	double slope = choose_slope(&s->lines), low, high, least, greatest, width = least_width(f, s);
	double wander = WANDER * s->widest_gap_s / 2;

	guest_lines_with_slope(&s->lines, slope, base, &low, &high);
	low = fmin(low, high - width);
	// Without lower ends the truth is near the upper one: how late the earliest may be is a guess on the safe side.
	double value = f->by_windows ? high - fmin(STAMP_DELAY_NS, (high - low) / 2) : (low + high) / 2; // at base

	p.offset_ns = f->reference + (int64_t)llround(value);
	p.drift = slope / 1e9;
	p.base_error_ns = error_of(reach_at(&s->lines, base, width, value) + wander);
	p.error_ns = error_of(fmax(reach_at(&s->lines, from, width, value + slope * (from - base)),
				   reach_at(&s->lines, to, width, value + slope * (to - base))) + wander);
	if (p.error_ns < p.base_error_ns)
		p.error_ns = p.base_error_ns;
	guest_lines_slopes(&s->lines, &least, &greatest);
	p.drift_error = (fmax(greatest - slope, slope - least) + WANDER) / 1e9;
	p.samples = s->samples;
	p.contradicting = s->contradicting;
	return p;
}

// Whether the guest's clock jumped between two pieces: more than their errors and the time between explain.
static void judge_step(const struct guest_fit *f, const struct timeline_clock_piece *before, struct timeline_clock_piece *now)
{
	double apart = (double)(int64_t)(now->sampled_from_ns - before->sampled_to_ns);
	double there = (double)before->offset_ns - (double)now->offset_ns + before->drift * (double)(int64_t)(now->sampled_from_ns - before->base_ns) -
		       now->drift * (double)(int64_t)(now->sampled_from_ns - now->base_ns);
	double allowed = (double)before->error_ns + (double)now->error_ns + fmax(apart, 0) * (before->drift_error + now->drift_error) + STEP_NS;

	if (f->by_windows)
		allowed += guest_fit_window_delay(f);
	now->stepped = fabs(there) > allowed;
	if (now->stepped)
		now->step_ns = (int64_t)llround(there); // the offset fell: the guest's clock went forward
}

static int put_piece(struct guest_fit *f, struct timeline_clock_piece p, struct error *err)
{
	struct timeline_clock_pieces *all = &f->pieces;

	// A clock of the host that was put back shows times again: the later piece counts from there on.
	while (all->count > 0 && all->items[all->count - 1].from_ns >= p.from_ns)
		all->count--;
	if (all->count > 0)
		all->items[all->count - 1].to_ns = p.from_ns;
	p.to_ns = NANOTIME_NONE;
	if (all->count == 0)
		p.from_ns = 0;
	return timeline_clock_pieces_append(all, p) < 0 ? error_set(err, "out of memory") : 0;
}

// An epoch of the host's clock without a sample: its offset is unknown.
static int put_unknown(struct guest_fit *f, const struct u64_vector *epochs, uint32_t epoch, struct error *err)
{
	const struct timeline_clock_piece *last = f->pieces.count > 0 ? &f->pieces.items[f->pieces.count - 1] : NULL;
	struct timeline_clock_piece p = {.from_ns = epochs->items[epoch], .host_stepped = epoch > 0, .source = f->source};

	if (last && last->samples > 0 && p.from_ns <= last->sampled_to_ns)
		p.from_ns = last->sampled_to_ns + 1;
	return put_piece(f, p, err);
}

int guest_fit_make_pieces(struct guest_fit *f, const struct guest_stretches *all, const struct u64_vector *epochs, struct error *err)
{
	uint32_t next = 0; // the epoch that has no piece yet

	for (size_t i = 0; i < all->count; i++) {
		struct timeline_clock_piece p = make_piece(f, &all->items[i]);
		uint32_t epoch = f->intervals.items[all->items[i].first].epoch;

		for (; next < epoch && next < epochs->count; next++)
			if (put_unknown(f, epochs, next, err) < 0)
				return -1;
		p.from_ns = p.sampled_from_ns;
		if (next == epoch) { // its first piece
			p.host_stepped = epoch > 0;
			p.from_ns = epoch < epochs->count ? epochs->items[epoch] : p.from_ns;
			next++;
		} else if (f->pieces.count > 0) {
			judge_step(f, &f->pieces.items[f->pieces.count - 1], &p);
		}
		if (put_piece(f, p, err) < 0)
			return -1;
	}
	for (; next < epochs->count; next++)
		if (put_unknown(f, epochs, next, err) < 0)
			return -1;
	return 0;
}
