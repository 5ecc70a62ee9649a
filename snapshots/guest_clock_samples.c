// SPDX-License-Identifier: MIT
// Samples to intervals.
#include "snapshots/guest_clock_work.h"

#include "base/nanotime.h"

#include <stdlib.h>

// What lies between the moment of a commit and its stamp: the kernel stamps with its coarse clock, which goes on once a tick (4 ms at the
// usual 250 Hz); a guest that waits for its processor has its ticks late. 7 ms were seen in an emulated guest with loaded cores.
#define LAG_NS (8 * MILLISECOND)
#define LAG_OF_SLOW_TICKS_NS (14 * MILLISECOND) /* 100 Hz */
#define SLACK_NS (0.3 * MILLISECOND) /* of each end: what a straight line leaves of a real clock's wander */
#define WINDOW_S 120.0

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double offset_of(const struct guest_fit *f, uint64_t host_ns, uint64_t guest_ns)
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

static int take_each(struct guest_fit *f, const struct guest_clock_samples *samples, struct error *err)
{
	double lag = ticks_are_slow(samples) ? LAG_OF_SLOW_TICKS_NS : LAG_NS;

	for (size_t i = 0; i < samples->count; i++) {
		const struct guest_clock_sample *s = &samples->items[i];
		struct guest_interval n = {.host_ns = s->host_ns, .samples = 1, .epoch = s->epoch};

		n.t = guest_fit_time(f, s->host_ns);
		n.high = offset_of(f, s->host_ns, s->guest_ns) + SLACK_NS;
		n.low = s->not_before_ns ? offset_of(f, s->not_before_ns, s->guest_ns) - lag - SLACK_NS : n.high - GREATEST_DELAY_NS;
		n.low = fmin(n.low, n.high - LEAST_WIDTH_NS);
		n.until_ns = s->not_before_ns ? s->not_before_ns : s->host_ns;
		if (guest_intervals_append(&f->intervals, n) < 0)
			return error_set(err, "out of memory");
	}
	return 0;
}

// How much the earliest of a window varies from one to the next: the median. One window: how far its middle lies above its earliest.
static double noise_of_windows(const struct guest_fit *f, const struct guest_clock_samples *samples, double *scratch)
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

int guest_fit_take_windows(struct guest_fit *f, const struct guest_clock_samples *samples, struct error *err)
{
	double *scratch = malloc((samples->count + 1) * sizeof(*scratch)), window_t = 0, delay;

	if (!scratch)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < samples->count; i++) {
		const struct guest_clock_sample *s = &samples->items[i];
		struct guest_interval *last = f->intervals.count > 0 ? &f->intervals.items[f->intervals.count - 1] : NULL;
		struct guest_interval n = {.host_ns = s->host_ns, .samples = 1};

		n.until_ns = s->host_ns;
		n.epoch = s->epoch;
		n.t = guest_fit_time(f, s->host_ns);
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
		if (guest_intervals_append(&f->intervals, n) < 0) {
			free(scratch);
			return error_set(err, "out of memory");
		}
	}
	f->by_windows = true;
	f->noise = noise_of_windows(f, samples, scratch);
	delay = guest_fit_window_delay(f);
	for (size_t i = 0; i < f->intervals.count; i++) {
		struct guest_interval *n = &f->intervals.items[i];

		n->low = n->high - delay;
		n->until_ns = n->until_ns > (uint64_t)delay ? n->until_ns - (uint64_t)delay : 0; // when it was stamped, at the earliest
	}
	free(scratch);
	return 0;
}

int guest_fit_take(struct guest_fit *f, const struct guest_clock_samples *samples, struct error *err)
{
	size_t bounded = 0;

	f->origin_ns = samples->items[0].host_ns;
	f->reference = (int64_t)(samples->items[0].host_ns - samples->items[0].guest_ns);
	for (size_t i = 0; i < samples->count; i++)
		bounded += samples->items[i].not_before_ns != 0;
	return bounded * 2 > samples->count ? take_each(f, samples, err) : guest_fit_take_windows(f, samples, err);
}
