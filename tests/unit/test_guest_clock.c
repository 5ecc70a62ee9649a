// SPDX-License-Identifier: MIT
// The guest's clock out of samples whose truth is known: whatever the seed, the true offset lies within the error, and steps are found where
// they were. The delays are those that recorded guests show.
#include "base/nanotime.h"
#include "snapshots/guest_clock.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>

#define SECOND NANOTIME_SECOND
#define MS NANOTIME_MILLISECOND
#define START UINT64_C(1795252951000000000)
#define MAX_STEPS 4

static uint64_t state;

static double random_unit(void)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(state >> 11) / 9007199254740992.0;
}

static double random_exponential(double mean)
{
	return -mean * log(1 - random_unit());
}

struct world {
	double offset_ns, drift; // host minus guest at START
	struct { uint64_t at_ns; double by_ns; } steps[MAX_STEPS]; // of the guest's clock
	size_t step_count;
	double tick_ns;
	bool without_bounds; // no lower ends
	bool lazy;           // stamps of a log that waits to be written
};

static double true_offset(const struct world *w, uint64_t host_ns)
{
	double offset = w->offset_ns + w->drift * (double)(int64_t)(host_ns - START);

	for (size_t i = 0; i < w->step_count; i++)
		offset -= host_ns >= w->steps[i].at_ns ? w->steps[i].by_ns : 0;
	return offset;
}

// A commit at a moment of host time.
static struct guest_clock_sample commit_at(const struct world *w, uint64_t host_ns)
{
	struct guest_clock_sample s = {0};
	double lag = random_unit() * w->tick_ns, delay = 0.6e6 + random_exponential(3e6);

	if (random_unit() < 0.2)
		lag += fmin(random_exponential(1.5e6), 4e6);
	if (random_unit() < 0.1)
		delay += random_exponential(60e6);
	if (w->lazy)
		delay = 2e6 + random_unit() * 5e9;
	s.guest_ns = host_ns - (uint64_t)(int64_t)llround(true_offset(w, host_ns) + lag);
	if (w->lazy)
		s.guest_ns -= s.guest_ns % 1000000;
	s.host_ns = host_ns + (uint64_t)delay;
	s.not_before_ns = w->without_bounds || w->lazy ? 0 : host_ns - (uint64_t)(0.2e6 + random_exponential(0.8e6));
	return s;
}

// Until to_ns, where a step may wait: with commits before it. Bursts of fsync, a commit every 5 seconds, and now and then nothing for minutes.
static void fill(const struct world *w, struct guest_clock_samples *samples, uint64_t from_ns, uint64_t to_ns)
{
	for (uint64_t at = from_ns; at < to_ns;) {
		double kind = random_unit();
		unsigned burst = kind < 0.1 ? 20 : 1;

		for (unsigned i = 0; i < burst; i++) {
			struct guest_clock_sample s = commit_at(w, at);

			CHECK(guest_clock_samples_append(samples, s) == 0);
			at = s.host_ns + (uint64_t)(20e6 * random_unit());
		}
		uint64_t pause = (uint64_t)(kind > 0.98 ? 300e9 * random_unit() : 5e9 + 0.2e9 * random_unit());

		at += kind > 0.98 && to_ns > at && pause > (to_ns - at) / 2 ? (to_ns - at) / 2 : pause;
	}
}

static struct timeline_clock fit(const struct guest_clock_samples *samples, const struct u64_vector *epochs, enum timeline_clock_source source)
{
	static const struct u64_vector none;
	struct timeline_clock clock = {0};
	struct error err;

	CHECK_EQUAL(guest_clock_fit(samples, epochs ? epochs : &none, source, &clock, &err), 0);
	return clock;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

struct verdict { size_t moments, wrong; double median_ns, median_error_ns; };

static struct verdict judge(const struct world *w, const struct timeline_clock *c, uint64_t from_ns, uint64_t to_ns)
{
	enum { MOMENTS = 2001 };
	static double apart[MOMENTS], errors[MOMENTS];
	struct verdict v = {.moments = MOMENTS};

	for (size_t i = 0; i < MOMENTS; i++) {
		uint64_t at = from_ns + (to_ns - from_ns) / (MOMENTS - 1) * i, error;
		int64_t offset;

		if (!timeline_clock_at(c, at, &offset, &error)) {
			v.wrong++;
			continue;
		}
		apart[i] = fabs((double)offset - true_offset(w, at));
		errors[i] = (double)error;
		v.wrong += apart[i] > (double)error;
	}
	qsort(apart, MOMENTS, sizeof(double), compare);
	qsort(errors, MOMENTS, sizeof(double), compare);
	v.median_ns = apart[MOMENTS / 2];
	v.median_error_ns = errors[MOMENTS / 2];
	return v;
}

static void check_times(const struct timeline_clock *c, uint64_t host_ns)
{
	uint64_t guest, error, back, back_error;

	CHECK_EQUAL(timeline_clock_to_guest(c, host_ns, &guest, &error), 0);
	int result = timeline_clock_to_host(c, guest, &back, &back_error);

	CHECK(result == 0 || result == 1);
	if (result == 0)
		CHECK(back - host_ns + 2 <= 4); // rounding
}

// ---- whatever the seed

static void test_property(void)
{
	enum { SEEDS = 400 };
	static double errors[SEEDS];

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world w = {.tick_ns = 4e6};
		struct guest_clock_samples samples = {0};
		uint64_t span = (uint64_t)(pow(10, 1 + 3 * random_unit()) * 1e9), end; // 10 s to 3 hours
		size_t stepped = 0;

		state = seed * 77777;
		w.offset_ns = (random_unit() - 0.5) * 8000e9;
		w.drift = (random_unit() - 0.5) * (seed % 10 == 0 && span > 1200 * SECOND ? 800e-6 : 80e-6);
		w.step_count = span > 100 * SECOND ? seed % 3 : 0;
		for (size_t i = 0; i < w.step_count; i++) {
			w.steps[i].at_ns = START + span / (w.step_count + 1) * (i + 1);
			w.steps[i].by_ns = (random_unit() < 0.5 ? -1 : 1) * pow(10, 8 + 4.6 * random_unit()); // 0.1 s to 1 h
		}
		for (size_t i = 0; i <= w.step_count; i++)
			fill(&w, &samples, START + span / (w.step_count + 1) * i, START + span / (w.step_count + 1) * (i + 1));
		struct timeline_clock c = fit(&samples, NULL, TIMELINE_CLOCK_JOURNAL);

		end = samples.items[samples.count - 1].host_ns;
		struct verdict v = judge(&w, &c, samples.items[0].host_ns, end), around = judge(&w, &c, START - 3600 * SECOND, end + 3600 * SECOND);

		if (v.wrong || around.wrong || v.median_ns > 5e6 || getenv("SHOW"))
			fprintf(stderr, "seed %" PRIu64 ": %zu samples, %zu pieces, %zu and %zu wrong, median %.3f ms, error %.3f ms\n", seed, samples.count,
				c.pieces.count, v.wrong, around.wrong, v.median_ns / 1e6, v.median_error_ns / 1e6);
		CHECK_EQUAL(v.wrong, 0);
		CHECK_EQUAL(around.wrong, 0);
		CHECK(v.median_ns <= 5e6);
		errors[seed - 1] = v.median_error_ns;
		for (size_t i = 0; i < c.pieces.count; i++) {
			const struct timeline_clock_piece *p = &c.pieces.items[i];

			CHECK(i == 0 ? p->from_ns == 0 : p->from_ns == p[-1].to_ns && p->from_ns < p->to_ns);
			if (!p->stepped)
				continue;
			CHECK(stepped < w.step_count && p->from_ns >= w.steps[stepped].at_ns && p[-1].sampled_to_ns <= w.steps[stepped].at_ns + SECOND &&
			      fabs((double)p->step_ns - w.steps[stepped].by_ns) < 0.1 * fabs(w.steps[stepped].by_ns) + 20e6);
			stepped++;
		}
		CHECK_EQUAL(stepped, w.step_count);
		CHECK(c.pieces.items[c.pieces.count - 1].to_ns == NANOTIME_NONE);
		check_times(&c, START + span / 3);
		timeline_clock_release(&c);
		guest_clock_samples_release(&samples);
	}
	qsort(errors, SEEDS, sizeof(double), compare);
	CHECK(errors[SEEDS / 2] <= 5e6);
}

int main(void)
{
	test_property();
	return unit_end();
}
