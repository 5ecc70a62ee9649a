// SPDX-License-Identifier: MIT
#include "snapshots/guest_clock.h"

#include "base/nanotime.h"
#include "snapshots/guest_line.h"

#include <math.h>
#include <string.h>

#define MILLISECOND 1e6
#define PPM 1e3                      /* ns per second */
// What lies between the moment of a commit and its stamp: the kernel stamps with its coarse clock, which goes on once a tick (4 ms at the
// usual 250 Hz); a guest that waits for its processor has its ticks late. 7 ms were seen in an emulated guest with loaded cores.
#define LAG_NS (8 * MILLISECOND)
#define LAG_OF_SLOW_TICKS_NS (14 * MILLISECOND) /* 100 Hz */
#define SLACK_NS (0.3 * MILLISECOND) /* of each end: what a straight line leaves of a real clock's wander */
#define LEAST_WIDTH_NS (5 * MILLISECOND) /* no interval is believed to be narrower: the best of some tens of commits came 0.7 to 3.3 ms late */
#define GREATEST_DELAY_NS (60 * 1e9) /* between a stamp and its arrival, where no lower end is known: delayed writing waits 30 s, and 5 s more */
#define STEP_NS (10 * MILLISECOND)   /* as for the recorder's clock (clock.h): less may be slewing */
#define LOOK_AHEAD 8u                /* samples that decide who is wrong, the line or the one that does not fit it */
#define CONFIRMATIONS 2u
#define USUAL_SLOPE (20 * PPM)       /* of undisciplined clocks; draws a line that few samples leave free towards zero */
#define WANDER (5 * PPM)             /* how far a clock's rate may go from its mean between two samples */
#define BURST_S 2.0                  /* a piece so short between two that are one line is no step there and back */
#define WINDOW_SAMPLES 16u           /* of stamps without lower ends: the earliest of so many stands for all */
#define WINDOW_S 120.0
#define WINDOW_NOISE 10.0            /* times the noise: so late is one window of a thousand */
#define GREATEST_ERROR_NS 4e18       /* 127 years: whoever forges stamps makes it no number that does not fit */
#define NOISE_SAMPLES 3u             /* a piece, at least, on the average */
#define STAMP_ERROR_NS (20 * MILLISECOND) /* the earliest of many audit stamps reached the disk 3 to 5 ms late where auditd syncs each record */

// How steep a line may be, in turn: the clock of a machine; one that ntpd slews; one that is wrong over a long span.
static const struct { double slope, least_span_s; } limits[] = {{100 * PPM, 0}, {500 * PPM, 0}, {5000 * PPM, 60}};
#define LIMIT_COUNT (sizeof(limits) / sizeof(limits[0]))

struct interval {
	double t;          // host time, seconds since the first sample
	double low, high;  // offset less `reference`
	uint64_t host_ns;  // of the first sample that it stands for: by then the clock ran so
	uint64_t until_ns; // not before of the last one: until then it did
	uint64_t samples;
	uint32_t epoch;
	bool excluded;
};
VECTOR_DEFINE(intervals, struct interval)

struct fit {
	struct intervals intervals;
	int64_t reference;
	uint64_t origin_ns;
	enum timeline_clock_source source;
	bool by_windows;   // intervals are windows of samples without lower ends
	double noise;      // from one window to the next
	struct timeline_clock_pieces pieces;
};

struct stretch { // a piece to be
	size_t first, last, end; // last: the last that lies on it; end: where the next one begins
	struct guest_lines lines;
	uint64_t samples, contradicting;
	double widest_gap_s;
};
VECTOR_DEFINE(stretches, struct stretch)

// ---- samples to intervals

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double time_of(const struct fit *f, uint64_t host_ns)
{
	return (double)(int64_t)(host_ns - f->origin_ns) / 1e9;
}

static double offset_of(const struct fit *f, uint64_t host_ns, uint64_t guest_ns)
{
	return (double)((int64_t)(host_ns - guest_ns) - f->reference);
}

// Whether the stamps of short intervals are multiples of 10 ms apart.
static bool ticks_are_slow(const struct guest_clock_samples *s)
{
	size_t seen = 0, slow = 0;

	for (size_t i = 1; i < s->count; i++) {
		uint64_t apart = s->items[i].guest_ns - s->items[i - 1].guest_ns, rest = apart % 10000000;

		if (apart < 1000000 || apart > 300000000)
			continue;
		seen++;
		slow += rest < 50000 || rest > 9950000;
	}
	return seen >= 8 && slow * 10 >= seen * 9;
}

static int take_each(struct fit *f, const struct guest_clock_samples *samples, struct error *err)
{
	double lag = ticks_are_slow(samples) ? LAG_OF_SLOW_TICKS_NS : LAG_NS;

	for (size_t i = 0; i < samples->count; i++) {
		const struct guest_clock_sample *s = &samples->items[i];
		struct interval n = {.host_ns = s->host_ns, .samples = 1, .epoch = s->epoch};

		n.t = time_of(f, s->host_ns);
		n.high = offset_of(f, s->host_ns, s->guest_ns) + SLACK_NS;
		n.low = s->not_before_ns ? offset_of(f, s->not_before_ns, s->guest_ns) - lag - SLACK_NS : n.high - GREATEST_DELAY_NS;
		n.low = fmin(n.low, n.high - LEAST_WIDTH_NS);
		n.until_ns = s->not_before_ns ? s->not_before_ns : s->host_ns;
		if (intervals_append(&f->intervals, n) < 0)
			return error_set(err, "out of memory");
	}
	return 0;
}

// How much the earliest of a window varies from one to the next: the median. One window: how far its middle lies above its earliest.
static double noise_of_windows(const struct fit *f, const struct guest_clock_samples *samples, double *scratch)
{
	size_t count = 0;

	for (size_t i = 1; i < f->intervals.count; i++)
		scratch[count++] = fabs(f->intervals.items[i].high - f->intervals.items[i - 1].high);
	if (count < 2) {
		count = 0;
		for (size_t i = 0; i < samples->count; i++)
			scratch[count++] = offset_of(f, samples->items[i].host_ns, samples->items[i].guest_ns);
		qsort(scratch, count, sizeof(*scratch), compare_doubles);
		return scratch[count / 2] - scratch[0];
	}
	qsort(scratch, count, sizeof(*scratch), compare_doubles);
	return scratch[count / 2];
}

// How late the earliest of a window may be.
static double delay_of_windows(const struct fit *f)
{
	return fmin(STAMP_ERROR_NS + WINDOW_NOISE * f->noise, GREATEST_DELAY_NS);
}

static int take_windows(struct fit *f, const struct guest_clock_samples *samples, struct error *err)
{
	double *scratch = malloc((samples->count + 1) * sizeof(*scratch)), window_t = 0, delay;

	if (!scratch)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < samples->count; i++) {
		const struct guest_clock_sample *s = &samples->items[i];
		struct interval *last = f->intervals.count > 0 ? &f->intervals.items[f->intervals.count - 1] : NULL, n = {.host_ns = s->host_ns, .samples = 1};

		n.until_ns = s->host_ns;
		n.epoch = s->epoch;
		n.t = time_of(f, s->host_ns);
		n.high = offset_of(f, s->host_ns, s->guest_ns) + SLACK_NS;
		if (last && last->epoch == n.epoch && last->samples < WINDOW_SAMPLES &&
		    n.t - window_t < WINDOW_S) {
			if (n.high < last->high) {
				last->high = n.high;
				last->t = n.t;
				last->host_ns = last->until_ns = n.host_ns;
			}
			last->samples++;
			continue;
		}
		window_t = n.t;
		if (intervals_append(&f->intervals, n) < 0) {
			free(scratch);
			return error_set(err, "out of memory");
		}
	}
	f->by_windows = true;
	f->noise = noise_of_windows(f, samples, scratch);
	delay = delay_of_windows(f);
	for (size_t i = 0; i < f->intervals.count; i++) {
		struct interval *n = &f->intervals.items[i];

		n->low = n->high - delay;
		n->until_ns = n->until_ns > (uint64_t)delay ? n->until_ns - (uint64_t)delay : 0; // when it was stamped, at the earliest
	}
	free(scratch);
	return 0;
}

static int take_samples(struct fit *f, const struct guest_clock_samples *samples, struct error *err)
{
	size_t bounded = 0;

	f->origin_ns = samples->items[0].host_ns;
	f->reference = (int64_t)(samples->items[0].host_ns - samples->items[0].guest_ns);
	for (size_t i = 0; i < samples->count; i++)
		bounded += samples->items[i].not_before_ns != 0;
	return bounded * 2 > samples->count ? take_each(f, samples, err) : take_windows(f, samples, err);
}

// ---- intervals to stretches

// Sample i does not fit the lines: whether those behind it say that the lines have come to their end.
static bool lines_have_ended(const struct fit *f, const struct guest_lines *lines, size_t i, double limit)
{
	const struct interval *at = &f->intervals.items[i];
	struct guest_lines old = *lines, new;
	unsigned for_old = 0, for_new = 0, looked = 0;

	guest_lines_init(&new, at->t, at->low, at->high, limit);
	for (size_t j = i + 1; j < f->intervals.count && looked < LOOK_AHEAD && for_old < CONFIRMATIONS && for_new < CONFIRMATIONS; j++) {
		const struct interval *n = &f->intervals.items[j];

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

static struct stretch grow(const struct fit *f, size_t first, double limit)
{
	const struct interval *all = f->intervals.items, *last = &all[first];
	struct stretch s = {.first = first, .last = first, .samples = last->samples};

	guest_lines_init(&s.lines, last->t, last->low, last->high, limit);
	for (s.end = first + 1; s.end < f->intervals.count && all[s.end].epoch == all[first].epoch; s.end++) {
		const struct interval *n = &all[s.end];

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

static bool ends_with_epoch(const struct fit *f, const struct stretch *s)
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
static struct stretch grow_best(const struct fit *f, size_t first)
{
	struct stretch best = grow(f, first, limits[0].slope);

	for (size_t i = 1; i < LIMIT_COUNT; i++) {
		bool leans = lines_lean(&best.lines, limits[i - 1].slope);

		if (ends_with_epoch(f, &best) && !leans)
			break;
		struct stretch steeper = grow(f, first, limits[i].slope);

		if (steeper.end >= best.end + (leans ? 0 : CONFIRMATIONS + 1) &&
		    f->intervals.items[steeper.last].t - f->intervals.items[first].t >= limits[i].least_span_s)
			best = steeper;
	}
	return best;
}

static int find_stretches(struct fit *f, struct stretches *ret, struct error *err)
{
	ret->count = 0;
	for (size_t first = 0; first < f->intervals.count;) {
		while (first < f->intervals.count && f->intervals.items[first].excluded)
			first++;
		if (first == f->intervals.count)
			break;
		struct stretch s = grow_best(f, first);

		if (stretches_append(ret, s) < 0)
			return error_set(err, "out of memory");
		first = s.end;
	}
	return 0;
}

// Hardly a sample that agrees with the next one: no clock is set that often. Stamps that are far coarser than those we know look so.
static bool is_noise(const struct stretches *all)
{
	uint64_t samples = 0, contradicting = 0;

	for (size_t i = 0; i < all->count; i++) {
		samples += all->items[i].samples;
		contradicting += all->items[i].contradicting;
	}
	return all->count > 3 && (all->count * NOISE_SAMPLES > samples || contradicting > samples);
}

// A burst between two stretches that are one line: who wrote it was not the clock. Excludes it.
static bool exclude_burst(struct fit *f, const struct stretches *all)
{
	struct interval *items = f->intervals.items;
	bool found = false;

	for (size_t i = 1; i + 1 < all->count; i++) {
		const struct stretch *before = &all->items[i - 1], *burst = &all->items[i], *behind = &all->items[i + 1];
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

// ---- stretches to pieces

static double choose_slope(const struct guest_lines *lines)
{
	double least, greatest;

	guest_lines_slopes(lines, &least, &greatest);
	double middle = (least + greatest) / 2, half = (greatest - least) / 2;

	return fmin(fmax(middle * USUAL_SLOPE * USUAL_SLOPE / (USUAL_SLOPE * USUAL_SLOPE + half * half), least), greatest);
}

// How wide a bundle must be, however many samples agree: the earliest of all is late, too. Of windows of samples that are late by chance, it is
// the less late the more there are.
static double least_width(const struct fit *f, const struct stretch *s)
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

static struct timeline_clock_piece make_piece(const struct fit *f, const struct stretch *s)
{
	const struct interval *first = &f->intervals.items[s->first], *last = &f->intervals.items[s->last];
	struct timeline_clock_piece p = {.sampled_from_ns = first->host_ns, .sampled_to_ns = last->until_ns, .source = f->source};

	if (p.sampled_to_ns < p.sampled_from_ns)
		p.sampled_to_ns = p.sampled_from_ns;
	p.base_ns = p.sampled_from_ns + (p.sampled_to_ns - p.sampled_from_ns) / 2;

	double from = time_of(f, p.sampled_from_ns), base = time_of(f, p.base_ns), to = time_of(f, p.sampled_to_ns);
	double slope = choose_slope(&s->lines), low, high, least, greatest, width = least_width(f, s);
	double wander = WANDER * s->widest_gap_s / 2;

	guest_lines_with_slope(&s->lines, slope, base, &low, &high);
	low = fmin(low, high - width);
	double value = (low + high) / 2; // at base

	p.offset_ns = f->reference + (int64_t)llround(value);
	p.drift = slope / 1e9;
	p.base_error_ns = error_of(reach_at(&s->lines, base, width, value) + wander);
	p.error_ns = error_of(fmax(reach_at(&s->lines, from, width, value + slope * (from - base)), reach_at(&s->lines, to, width, value + slope * (to - base))) + wander);
	if (p.error_ns < p.base_error_ns)
		p.error_ns = p.base_error_ns;
	guest_lines_slopes(&s->lines, &least, &greatest);
	p.drift_error = (fmax(greatest - slope, slope - least) + WANDER) / 1e9;
	p.samples = s->samples;
	p.contradicting = s->contradicting;
	return p;
}

// Whether the guest's clock jumped between two pieces: more than their errors and the time between explain.
static void judge_step(const struct fit *f, const struct timeline_clock_piece *before, struct timeline_clock_piece *now)
{
	double apart = (double)(int64_t)(now->sampled_from_ns - before->sampled_to_ns);
	double there = (double)before->offset_ns - (double)now->offset_ns + before->drift * (double)(int64_t)(now->sampled_from_ns - before->base_ns) -
		       now->drift * (double)(int64_t)(now->sampled_from_ns - now->base_ns);
	double allowed = (double)before->error_ns + (double)now->error_ns + fmax(apart, 0) * (before->drift_error + now->drift_error) + STEP_NS;

	if (f->by_windows)
		allowed += delay_of_windows(f);
	now->stepped = fabs(there) > allowed;
	if (now->stepped)
		now->step_ns = (int64_t)llround(there); // the offset fell: the guest's clock went forward
}

static int put_piece(struct fit *f, struct timeline_clock_piece p, struct error *err)
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
static int put_unknown(struct fit *f, const struct u64_vector *epochs, uint32_t epoch, struct error *err)
{
	const struct timeline_clock_piece *last = f->pieces.count > 0 ? &f->pieces.items[f->pieces.count - 1] : NULL;
	struct timeline_clock_piece p = {.from_ns = epochs->items[epoch], .host_stepped = epoch > 0, .source = f->source};

	if (last && last->samples > 0 && p.from_ns <= last->sampled_to_ns)
		p.from_ns = last->sampled_to_ns + 1;
	return put_piece(f, p, err);
}

static int make_pieces(struct fit *f, const struct stretches *all, const struct u64_vector *epochs, struct error *err)
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

int guest_clock_fit(const struct guest_clock_samples *samples, const struct u64_vector *epochs, enum timeline_clock_source source,
		    struct timeline_clock *ret, struct error *err)
{
	struct fit f = {.source = source};
	struct stretches stretches = {0};
	int result = 0;

	if (samples->count > 0) {
		result = take_samples(&f, samples, err);
		if (result == 0)
			result = find_stretches(&f, &stretches, err);
		if (result == 0 && is_noise(&stretches)) {
			f.intervals.count = 0;
			if (take_windows(&f, samples, err) < 0 || find_stretches(&f, &stretches, err) < 0)
				result = -1;
		}
		if (result == 0 && exclude_burst(&f, &stretches))
			result = find_stretches(&f, &stretches, err);
		if (result == 0)
			result = make_pieces(&f, &stretches, epochs, err);
	}
	intervals_release(&f.intervals);
	stretches_release(&stretches);
	if (result == 0)
		ret->pieces = f.pieces;
	else
		timeline_clock_pieces_release(&f.pieces);
	return result;
}
