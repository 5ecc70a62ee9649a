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
	double late = 0, delay = 0.6e6 + random_exponential(3e6);
	uint64_t tick = (uint64_t)w->tick_ns;

	if (random_unit() < 0.2)
		late = fmin(random_exponential(1.5e6), 4e6);
	if (random_unit() < 0.1)
		delay += random_exponential(60e6);
	if (w->lazy)
		delay = 2e6 + random_unit() * 5e9;
	s.guest_ns = host_ns - (uint64_t)(int64_t)llround(true_offset(w, host_ns) + late);
	s.guest_ns -= s.guest_ns % tick; // its coarse clock goes on with ticks, which may be late
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

// ---- single cases

// `count` commits, 5 s apart, by a world without surprises.
static void fill_evenly(const struct world *w, struct guest_clock_samples *samples, uint64_t from_ns, size_t count, uint32_t epoch)
{
	for (size_t i = 0; i < count; i++) {
		struct guest_clock_sample s = commit_at(w, from_ns + i * 5 * SECOND);

		s.epoch = epoch;
		CHECK(guest_clock_samples_append(samples, s) == 0);
	}
}

static void test_none(void)
{
	struct guest_clock_samples samples = {0};
	struct timeline_clock c = fit(&samples, NULL, TIMELINE_CLOCK_JOURNAL);
	uint64_t time, error;
	int64_t offset;

	CHECK_EQUAL(c.pieces.count, 0);
	CHECK(!timeline_clock_at(&c, START, &offset, &error));
	CHECK_EQUAL(timeline_clock_to_host(&c, START, &time, &error), -1);
	CHECK_EQUAL(timeline_clock_to_guest(&c, START, &time, &error), -1);
}

// One commit: its interval, and an error that grows on both sides.
static void test_one(void)
{
	struct guest_clock_samples samples = {0};
	struct guest_clock_sample s = {.host_ns = START + 6 * MS, .not_before_ns = START, .guest_ns = START - SECOND};
	uint64_t error, later;
	int64_t offset;

	CHECK(guest_clock_samples_append(&samples, s) == 0);
	struct timeline_clock c = fit(&samples, NULL, TIMELINE_CLOCK_JOURNAL);

	CHECK_EQUAL(c.pieces.count, 1);
	CHECK(timeline_clock_at(&c, START + 6 * MS, &offset, &error));
	CHECK(offset - (int64_t)error < (int64_t)(SECOND - 8 * MS) && offset + (int64_t)error > (int64_t)(SECOND + 6 * MS) && error < 10 * MS);
	CHECK(timeline_clock_at(&c, START + 3600 * SECOND, &offset, &later) && later > error + 100 * MS);
	CHECK(timeline_clock_at(&c, START - 3600 * SECOND, &offset, &later) && later > error + 100 * MS);
	timeline_clock_release(&c);
	guest_clock_samples_release(&samples);
}

static uint64_t contradicting(const struct timeline_clock *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->pieces.count; i++)
		n += c->pieces.items[i].contradicting;
	return n;
}

// A commit that somebody forged, in the guest's past or future, and a burst of them within a second: counted, and the line stays.
static void test_forged(void)
{
	for (int sign = -1; sign <= 1; sign += 2) {
		for (size_t forged = 1; forged <= 40; forged += 39) {
			struct world w = {.offset_ns = 5e9, .tick_ns = 4e6};
			struct guest_clock_samples samples = {0};

			fill_evenly(&w, &samples, START, 50, 0);
			for (size_t i = 0; i < forged; i++) {
				struct guest_clock_sample s = commit_at(&w, START + 250 * SECOND + i * 10 * MS);

				s.guest_ns += (uint64_t)(sign * (int64_t)(60 * SECOND));
				CHECK(guest_clock_samples_append(&samples, s) == 0);
			}
			fill_evenly(&w, &samples, START + 252 * SECOND, 50, 0);
			struct timeline_clock c = fit(&samples, NULL, TIMELINE_CLOCK_JOURNAL);

			CHECK_EQUAL(c.pieces.count, 1);
			CHECK_EQUAL(contradicting(&c), forged);
			CHECK_EQUAL(judge(&w, &c, START, START + 500 * SECOND).wrong, 0);
			timeline_clock_release(&c);
			guest_clock_samples_release(&samples);
		}
	}
}

// Forged for a minute: two steps, there and back; before and behind nothing is moved.
static void test_forged_long(void)
{
	struct world w = {.offset_ns = 5e9, .tick_ns = 4e6}, other = {.offset_ns = -55e9, .tick_ns = 4e6};
	struct guest_clock_samples samples = {0};

	fill_evenly(&w, &samples, START, 50, 0);
	fill_evenly(&other, &samples, START + 250 * SECOND, 12, 0);
	fill_evenly(&w, &samples, START + 310 * SECOND, 50, 0);
	struct timeline_clock c = fit(&samples, NULL, TIMELINE_CLOCK_JOURNAL);

	CHECK_EQUAL(c.pieces.count, 3);
	CHECK(!c.pieces.items[0].stepped && c.pieces.items[1].stepped && c.pieces.items[2].stepped);
	CHECK(c.pieces.items[1].step_ns > 59900 * (int64_t)MS && c.pieces.items[2].step_ns < -59900 * (int64_t)MS);
	CHECK_EQUAL(judge(&w, &c, START, START + 245 * SECOND).wrong, 0);
	CHECK_EQUAL(judge(&w, &c, START + 311 * SECOND, START + 550 * SECOND).wrong, 0);
	timeline_clock_release(&c);
	guest_clock_samples_release(&samples);
}

// A clock that is set by less than commits are late: no step is claimed, and what is told is off by no more than that step.
static void test_small_step(void)
{
	for (int by = -6; by <= 6; by++) {
		struct world w = {.offset_ns = 5e9, .tick_ns = 4e6, .steps = {{START + 250 * SECOND, by * 1e6}}, .step_count = 1};
		struct guest_clock_samples samples = {0};

		fill_evenly(&w, &samples, START, 100, 0);
		struct timeline_clock c = fit(&samples, NULL, TIMELINE_CLOCK_JOURNAL);

		for (size_t i = 0; i < c.pieces.count; i++)
			CHECK(!c.pieces.items[i].stepped);
		for (uint64_t at = START; at < START + 500 * SECOND; at += SECOND) {
			uint64_t error;
			int64_t offset;

			CHECK(timeline_clock_at(&c, at, &offset, &error) && fabs((double)offset - true_offset(&w, at)) <= (double)error + abs(by) * 1e6 + 2e6);
		}
		timeline_clock_release(&c);
		guest_clock_samples_release(&samples);
	}
}

// Set back: a time that the guest showed twice; set forward: one that it never showed.
static void test_lookup(void)
{
	struct world w = {.tick_ns = 4e6, .steps = {{START + 300 * SECOND, -120e9}, {START + 600 * SECOND, 3600e9}}, .step_count = 2};
	struct guest_clock_samples samples = {0};
	uint64_t host, guest, error;
	int64_t offset;

	fill_evenly(&w, &samples, START, 60, 0);
	fill_evenly(&w, &samples, START + 301 * SECOND, 59, 0);
	fill_evenly(&w, &samples, START + 601 * SECOND, 60, 0);
	struct timeline_clock c = fit(&samples, NULL, TIMELINE_CLOCK_JOURNAL);

	CHECK_EQUAL(c.pieces.count, 3);
	CHECK_EQUAL(timeline_clock_to_host(&c, START + 100 * SECOND, &host, &error), 0);
	CHECK(host + error >= START + 100 * SECOND && host <= START + 100 * SECOND + error && error < 10 * MS);
	CHECK_EQUAL(timeline_clock_to_host(&c, START + 250 * SECOND, &host, &error), 1);
	CHECK(host + error >= START + 370 * SECOND && host <= START + 370 * SECOND + error && error < 10 * MS);
	CHECK_EQUAL(timeline_clock_to_host(&c, START + 1800 * SECOND, &host, &error), 0); // between 480 s and 4080 s
	CHECK(host > START + 600 * SECOND && host < START + 603 * SECOND);
	CHECK_EQUAL(timeline_clock_to_guest(&c, START + 700 * SECOND, &guest, &error), 0);
	CHECK(guest + error >= START + 4180 * SECOND && guest <= START + 4180 * SECOND + error);
	CHECK(timeline_clock_at(&c, START + 600 * SECOND, &offset, &error) && error > 3000 * SECOND); // somewhere here it was set
	CHECK_EQUAL(timeline_clock_to_guest(&c, NANOTIME_NONE, &guest, &error), -1);
	timeline_clock_release(&c);
	guest_clock_samples_release(&samples);
}

// Steps of the host's clock begin a piece, and are no steps of the guest's. An epoch without a sample is unknown.
static void test_epochs(void)
{
	struct world before = {.offset_ns = 1e9, .tick_ns = 4e6}, behind = {.offset_ns = 31e9, .tick_ns = 4e6};
	struct guest_clock_samples samples = {0};
	struct u64_vector epochs = {0};
	uint64_t error;
	int64_t offset;

	CHECK(u64_vector_append(&epochs, START) == 0 && u64_vector_append(&epochs, START + 300 * SECOND) == 0 &&
	      u64_vector_append(&epochs, START + 900 * SECOND) == 0);
	fill_evenly(&before, &samples, START, 50, 0);
	fill_evenly(&behind, &samples, START + 305 * SECOND, 50, 1);
	struct timeline_clock c = fit(&samples, &epochs, TIMELINE_CLOCK_JOURNAL);

	CHECK_EQUAL(c.pieces.count, 3);
	CHECK(!c.pieces.items[1].stepped && c.pieces.items[1].host_stepped && c.pieces.items[1].from_ns == START + 300 * SECOND);
	CHECK(timeline_clock_at(&c, START + 299 * SECOND, &offset, &error) && offset < (int64_t)(2 * SECOND) && error < 100 * MS);
	CHECK(timeline_clock_at(&c, START + 300 * SECOND, &offset, &error) && offset > (int64_t)(30 * SECOND));
	CHECK(!timeline_clock_at(&c, START + 900 * SECOND, &offset, &error));
	timeline_clock_release(&c);
	// Put back over what it had shown: the later epoch counts where both are.
	epochs.items[1] = START + 100 * SECOND;
	epochs.count = 2;
	c = fit(&samples, &epochs, TIMELINE_CLOCK_JOURNAL);
	CHECK_EQUAL(c.pieces.count, 2);
	CHECK(timeline_clock_at(&c, START + 99 * SECOND, &offset, &error) && offset < (int64_t)(2 * SECOND));
	CHECK(timeline_clock_at(&c, START + 100 * SECOND, &offset, &error) && offset > (int64_t)(30 * SECOND));
	timeline_clock_release(&c);
	u64_vector_release(&epochs);
	guest_clock_samples_release(&samples);
}

// Without lower ends: a guest with ticks of 10 ms, commits that wait for nothing, stamps of a log that is written seconds later.
static void test_other_sources(void)
{
	const struct world worlds[] = {
		{.offset_ns = -3e9, .tick_ns = 10e6},
		{.offset_ns = -3e9, .drift = 20e-6, .tick_ns = 4e6, .without_bounds = true},
		{.offset_ns = -3e9, .tick_ns = 4e6, .lazy = true},
		{.offset_ns = -3e9, .tick_ns = 4e6, .lazy = true, .steps = {{START + 1800 * SECOND, -600e9}}, .step_count = 1},
	};

	for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++) {
		for (uint64_t seed = 1; seed <= 50; seed++) {
			struct guest_clock_samples samples = {0};

			state = seed * 99991 + i;
			fill(&worlds[i], &samples, START, START + 1800 * SECOND);
			fill(&worlds[i], &samples, START + 1800 * SECOND, START + 3600 * SECOND);
			struct timeline_clock c = fit(&samples, NULL, worlds[i].lazy ? TIMELINE_CLOCK_AUDIT : TIMELINE_CLOCK_JOURNAL);
			struct verdict v = judge(&worlds[i], &c, samples.items[0].host_ns, samples.items[samples.count - 1].host_ns);
			size_t stepped = 0;

			for (size_t k = 0; k < c.pieces.count; k++)
				stepped += c.pieces.items[k].stepped;
			if (v.wrong || stepped != worlds[i].step_count)
				fprintf(stderr, "world %zu, seed %" PRIu64 ": %zu samples, %zu wrong, %zu steps, median %.3f of %.3f ms\n", i, seed,
					samples.count, v.wrong, stepped, v.median_ns / 1e6, v.median_error_ns / 1e6);
			CHECK_EQUAL(v.wrong, 0);
			CHECK_EQUAL(stepped, worlds[i].step_count);
			timeline_clock_release(&c);
			guest_clock_samples_release(&samples);
		}
	}
}

// Stamps in whole seconds: no two agree, and yet the clock was not set at each of them.
static void test_coarse_stamps(void)
{
	struct world w = {.offset_ns = 7e9, .tick_ns = 4e6};
	struct guest_clock_samples samples = {0};
	struct timeline_clock c;

	fill_evenly(&w, &samples, START, 200, 0);
	for (size_t i = 0; i < samples.count; i++) {
		samples.items[i].host_ns += i * 137 * MS; // not in step with the seconds
		samples.items[i].not_before_ns += i * 137 * MS;
		samples.items[i].guest_ns += i * 137 * MS;
		samples.items[i].guest_ns -= samples.items[i].guest_ns % SECOND;
	}
	c = fit(&samples, NULL, TIMELINE_CLOCK_JOURNAL);
	CHECK_EQUAL(judge(&w, &c, START, START + 1000 * SECOND).wrong, 0);
	for (size_t i = 0; i < c.pieces.count; i++)
		CHECK(!c.pieces.items[i].stepped);
	timeline_clock_release(&c);
	guest_clock_samples_release(&samples);
}

// Numbers that no clock shows: nothing overflows, and each piece has its place. (The sanitizers watch.)
static void test_hostile(void)
{
	static const uint64_t odd[] = {1, 1000000000, UINT64_C(1) << 62, UINT64_C(1) << 63, UINT64_MAX - 1, START, START * 2};

	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct guest_clock_samples samples = {0};
		uint64_t host = START, error, time;
		int64_t offset;

		state = seed;
		for (size_t i = 0; i < 50; i++) {
			struct guest_clock_sample s = {.host_ns = host += (uint64_t)(random_unit() * 1e10)};

			s.guest_ns = random_unit() < 0.5 ? host : odd[(size_t)(random_unit() * 7)] + (uint64_t)(random_unit() * 1e9);
			s.not_before_ns = random_unit() < 0.8 ? host - 1000000 : 0;
			if (guest_clock_sample_holds(&s))
				CHECK(guest_clock_samples_append(&samples, s) == 0);
		}
		struct timeline_clock c = fit(&samples, NULL, TIMELINE_CLOCK_JOURNAL);

		for (size_t i = 0; i < c.pieces.count; i++)
			CHECK(i == 0 ? c.pieces.items[i].from_ns == 0 : c.pieces.items[i].from_ns == c.pieces.items[i - 1].to_ns);
		for (size_t i = 0; i < 7; i++) {
			(void)timeline_clock_at(&c, odd[i], &offset, &error);
			(void)timeline_clock_to_host(&c, odd[i], &time, &error);
			(void)timeline_clock_to_guest(&c, odd[i], &time, &error);
		}
		timeline_clock_release(&c);
		guest_clock_samples_release(&samples);
	}
}

int main(void)
{
	test_property();
	test_none();
	test_one();
	test_forged();
	test_forged_long();
	test_small_step();
	test_lookup();
	test_epochs();
	test_other_sources();
	test_coarse_stamps();
	test_hostile();
	return unit_end();
}
