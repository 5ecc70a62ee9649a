// SPDX-License-Identifier: MIT
// Intervals to stretches that one line passes; and the whole.
#include "snapshots/guest_clock_work.h"

#define LOOK_AHEAD 8u                /* samples that decide who is wrong, the line or the one that does not fit it */
#define CONFIRMATIONS 2u
#define BURST_S 2.0                  /* a piece so short between two that are one line is no step there and back */
#define NOISE_SAMPLES 3u             /* a piece, at least, on the average */

// How steep a line may be, in turn: the clock of a machine; one that ntpd slews; one that is wrong over a long span.
static const struct { double slope, least_span_s; } limits[] = {{100 * PPM, 0}, {500 * PPM, 0}, {5000 * PPM, 60}};
#define LIMIT_COUNT (sizeof(limits) / sizeof(limits[0]))

// Sample i does not fit the lines: whether those behind it say that the lines have come to their end.
static bool lines_have_ended(const struct guest_fit *f, const struct guest_lines *lines, size_t i, double limit)
{
	const struct guest_interval *at = &f->intervals.items[i];
	struct guest_lines old = *lines, new;
	unsigned for_old = 0, for_new = 0, looked = 0;

	guest_lines_init(&new, at->t, at->low, at->high, limit);
	for (size_t j = i + 1; j < f->intervals.count && looked < LOOK_AHEAD && for_old < CONFIRMATIONS && for_new < CONFIRMATIONS; j++) {
		const struct guest_interval *n = &f->intervals.items[j];

		if (n->excluded)
			continue;
		if (n->epoch != at->epoch)
			break;
		bool fits_old = guest_lines_cut(&old, n->t, n->low, n->high), fits_new = guest_lines_cut(&new, n->t, n->low, n->high);

		for_old += fits_old && !fits_new;
		for_new += fits_new && !fits_old;
		looked++;
	}
	return for_new > for_old || (for_old == 0 && !f->by_windows);
}

static struct guest_stretch grow(const struct guest_fit *f, size_t first, double limit)
{
	const struct guest_interval *all = f->intervals.items, *last = &all[first];
	struct guest_stretch s = {.first = first, .last = first, .samples = last->samples};

	guest_lines_init(&s.lines, last->t, last->low, last->high, limit);
	for (s.end = first + 1; s.end < f->intervals.count && all[s.end].epoch == all[first].epoch; s.end++) {
		const struct guest_interval *n = &all[s.end];

		if (n->excluded || !guest_lines_cut(&s.lines, n->t, n->low, n->high)) {
			if (!n->excluded && lines_have_ended(f, &s.lines, s.end, limit))
				return s;
			s.contradicting += n->samples;
			continue;
		}
		s.widest_gap_s = fmax(s.widest_gap_s, n->t - last->t);
		s.samples += n->samples;
		s.last = s.end;
		last = n;
	}
	return s;
}

static bool ends_with_epoch(const struct guest_fit *f, const struct guest_stretch *s)
{
	return s->end == f->intervals.count || f->intervals.items[s->end].epoch != f->intervals.items[s->first].epoch;
}

// Whether the lines would rather be steeper than the limit lets them.
static bool lines_lean(const struct guest_lines *lines, double limit)
{
	double least, greatest;

	guest_lines_slopes(lines, &least, &greatest);
	return least > limit / 2 || greatest < -limit / 2;
}

// The flattest lines that get as far as steeper ones do.
static struct guest_stretch grow_best(const struct guest_fit *f, size_t first)
{
	struct guest_stretch best = grow(f, first, limits[0].slope);

	for (size_t i = 1; i < LIMIT_COUNT; i++) {
		bool leans = lines_lean(&best.lines, limits[i - 1].slope);

		if (ends_with_epoch(f, &best) && !leans)
			break;
		struct guest_stretch steeper = grow(f, first, limits[i].slope);

		if (steeper.end >= best.end + (leans ? 0 : CONFIRMATIONS + 1) &&
		    f->intervals.items[steeper.last].t - f->intervals.items[first].t >= limits[i].least_span_s)
			best = steeper;
	}
	return best;
}

static int find_stretches(struct guest_fit *f, struct guest_stretches *ret, struct error *err)
{
	ret->count = 0;
	for (size_t first = 0; first < f->intervals.count;) {
		while (first < f->intervals.count && f->intervals.items[first].excluded)
			first++;
		if (first == f->intervals.count)
			break;
		struct guest_stretch s = grow_best(f, first);

		if (guest_stretches_append(ret, s) < 0)
			return error_set(err, "out of memory");
		first = s.end;
	}
	return 0;
}

// Hardly a sample that agrees with the next one: no clock is set that often. Stamps that are far coarser than those we know look so.
static bool is_noise(const struct guest_stretches *all)
{
	uint64_t samples = 0, contradicting = 0;

	for (size_t i = 0; i < all->count; i++) {
		samples += all->items[i].samples;
		contradicting += all->items[i].contradicting;
	}
	return all->count > 3 && (all->count * NOISE_SAMPLES > samples || contradicting > samples);
}

// A burst between two stretches that are one line: who wrote it was not the clock. Excludes it.
static bool exclude_burst(struct guest_fit *f, const struct guest_stretches *all)
{
	struct guest_interval *items = f->intervals.items;
	bool found = false;

	for (size_t i = 1; i + 1 < all->count; i++) {
		const struct guest_stretch *before = &all->items[i - 1], *burst = &all->items[i], *behind = &all->items[i + 1];
		struct guest_lines joined = before->lines;
		bool fits = items[before->first].epoch == items[behind->first].epoch && items[burst->last].t - items[burst->first].t <= BURST_S;

		for (size_t j = behind->first; fits && j <= behind->last && j < behind->first + LOOK_AHEAD; j++)
			fits = items[j].excluded || guest_lines_cut(&joined, items[j].t, items[j].low, items[j].high);
		if (!fits)
			continue;
		for (size_t j = burst->first; j < burst->end; j++)
			items[j].excluded = true;
		found = true;
		i++;
	}
	return found;
}

int guest_clock_fit(const struct guest_clock_samples *samples, const struct u64_vector *epochs, enum timeline_clock_source source,
		    struct timeline_clock *ret, struct error *err)
{
	struct guest_fit f = {.source = source};
	struct guest_stretches stretches = {0};
	int result = 0;

	if (samples->count > 0) {
		result = guest_fit_take(&f, samples, err);
		if (result == 0)
			result = find_stretches(&f, &stretches, err);
		if (result == 0 && is_noise(&stretches)) {
			f.intervals.count = 0;
			if (guest_fit_take_windows(&f, samples, err) < 0 || find_stretches(&f, &stretches, err) < 0)
				result = -1;
		}
		if (result == 0 && exclude_burst(&f, &stretches))
			result = find_stretches(&f, &stretches, err);
		if (result == 0)
			result = guest_fit_make_pieces(&f, &stretches, epochs, err);
	}
	guest_intervals_release(&f.intervals);
	guest_stretches_release(&stretches);
	if (result == 0)
		ret->pieces = f.pieces;
	else
		timeline_clock_pieces_release(&f.pieces);
	return result;
}
