// SPDX-License-Identifier: MIT
// What the questions of a source cost on one log: a window in its middle, the latest contact, an address that never occurs.
//
//     bench_window [--window SECONDS] LOG...
//
// Prints a line per question: name, CPU ms, wall ms, MiB looked at, events, MB of CPU per second.
#include "base/nanotime.h"
#include "ingest/ingest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct stopwatch { double cpu, wall; };

static double seconds(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct stopwatch start(void)
{
	return (struct stopwatch){ seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC) };
}

static void report(const char *name, struct stopwatch since, uint64_t bytes, uint64_t events)
{
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - since.cpu, wall = seconds(CLOCK_MONOTONIC) - since.wall;

	printf("%-34s %10.2f %10.2f %12.1f %10" PRIu64 " %10.0f\n", name, cpu * 1e3, wall * 1e3, (double)bytes / 1048576, events,
	       cpu > 0 ? (double)bytes / cpu / 1e6 : 0);
}

struct context { uint64_t events; struct event_address address; bool first_only; };

static int count_event(void *context, const struct event *e, struct error *err)
{
	struct context *c = context;

	(void)err;
	c->events++;
	if (e->address_count > 0 && (e->addresses[0].kind == ADDRESS_IPV4 || e->addresses[0].kind == ADDRESS_IPV6))
		c->address = e->addresses[0];
	return c->first_only;
}

static void fail(const struct error *err)
{
	fprintf(stderr, "bench_window: %s\n", err->message);
	exit(2);
}

static void bench_window(struct source *s, uint64_t from_ns, uint64_t to_ns, const char *name, struct context *context)
{
	struct completeness c = { .bytes = 0 };
	struct error err;
	struct stopwatch since = start();

	context->events = 0;
	if (source_scan(s, from_ns, to_ns, count_event, context, &c, &err) < 0)
		fail(&err);
	report(name, since, c.bytes, context->events);
	completeness_release(&c);
}

static void bench_find(struct source *s, const struct find_keys *keys, const char *name, bool first_only)
{
	struct context context = { .first_only = first_only };
	struct find_report found = { 0 };
	struct error err;
	struct stopwatch since = start();

	if (source_find(s, keys, NANOTIME_NONE, (struct find_limit){ 0 }, count_event, &context, &found, &err) < 0)
		fail(&err);
	report(name, since, found.bytes, context.events);
}

static void bench_addresses(struct source *s)
{
	struct address_seen *seen = NULL;
	size_t count = 0;
	struct completeness c = { .bytes = 0 };
	struct error err;
	struct stopwatch since = start();

	if (source_addresses(s, 0, NANOTIME_NONE, &seen, &count, &c, &err) < 0)
		fail(&err);
	report("addresses of the whole log", since, c.bytes, count);
	free(seen);
}

int main(int argc, char **argv)
{
	bool named = argc > 3 && strcmp(argv[1], "--window") == 0;
	uint64_t window_ns = (named ? strtoull(argv[2], NULL, 10) : 1200) * NANOTIME_SECOND, first = 0, last = 0;
	const char *const *paths = (const char *const *)argv + (named ? 3 : 1);
	struct intern *strings = intern_new();
	struct context context = { .events = 0 };
	struct error err = { "" };
	uint32_t pids[] = { 4194303, 4194302, 4194301 };

	if (argc < 2) {
		fprintf(stderr, "usage: bench_window [--window SECONDS] LOG...\n");
		return 2;
	}
	printf("%-34s %10s %10s %12s %10s %10s\n", "question", "CPU ms", "wall ms", "MiB read", "events", "MB/s CPU");
	struct stopwatch since = start();
	struct source *s = source_open_files(paths, (size_t)(argc - (paths - (const char *const *)argv)), (struct source_options){ 0 }, strings, &err);

	if (!s || source_span(s, &first, &last, &err) < 0)
		fail(&err);
	report("open, span", since, 0, 0);
	uint64_t middle = first + (last - first) / 2;

	bench_window(s, middle, middle + window_ns, "window in the middle", &context);
	bench_window(s, middle, middle + window_ns, "  once more", &context);
	struct find_keys keys = { .by_address = true, .address = context.address };

	if (context.address.kind != ADDRESS_NONE) {
		bench_find(s, &keys, "latest contact with an address", true);
		bench_find(s, &keys, "every contact with it", false);
	}
	(void)address_parse("203.0.113.250", &keys.address, NULL);
	bench_find(s, &keys, "an address that never occurs", false);
	bench_find(s, &(struct find_keys){ .pids = pids, .pid_count = 1 }, "a pid that never occurs", false);
	bench_find(s, &(struct find_keys){ .pids = pids, .pid_count = 3 }, "three pids that never occur", false);
	bench_find(s, &(struct find_keys){ .inodes = &(struct find_inode){ 1, UINT64_C(99999999999) }, .inode_count = 1 }, "an inode that never occurs", false);
	bench_addresses(s);
	source_free(s);
	intern_free(strings);
	return 0;
}
