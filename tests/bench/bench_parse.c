// SPDX-License-Identifier: MIT
// How fast audit text becomes events.
//
//     bench_parse LOG            parse, assemble and intern; CPU seconds, MB/s and counts
//     bench_parse --auparse LOG  the same fields, walked with libauparse
//     bench_parse --read LOG     only reads the file (the part of both that is the kernel's)
#include "base/intern.h"
#include "ingest/assemble.h"
#include "ingest/completeness.h"

#include <auparse.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)1 << 20)

struct sums {
	uint64_t events, paths, arguments, addresses, partial, check;
};

static double cpu_seconds(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
	       1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static long peak_kib(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static int on_event(void *context, const struct event *e, struct error *err)
{
	struct sums *sums = context;

	(void)err;
	sums->events++;
	sums->paths += e->path_count;
	sums->arguments += e->argv_count;
	sums->addresses += e->address_count;
	sums->partial += (e->present & EVENT_PARTIAL) != 0;
	sums->check += e->pid ^ e->comm ^ e->exe ^ (uint64_t)e->exit;
	return 0;
}

// The buffer keeps the end of the last read, a line that is not complete, in front of the next.
static int feed_file(int fd, struct assembler *a, struct error *err)
{
	char *buffer = malloc(2 * CHUNK_BYTES);
	size_t held = 0, used = 0;
	uint64_t offset = 0;
	ssize_t got = 1;

	while (buffer && got > 0) {
		got = read(fd, buffer + held, CHUNK_BYTES);
		if (got < 0 || assembler_feed(a, 0, offset, buffer, held + (size_t)got, got == 0, &used, err) < 0)
			break;
		held = held + (size_t)got - used;
		offset += used;
		memmove(buffer, buffer + used, held);
	}
	free(buffer);
	return got < 0 ? -1 : assembler_finish(a, err);
}

static int run_own(const char *path)
{
	struct intern *strings = intern_new();
	struct completeness c = {0};
	struct sums sums = {0};
	struct error err = {""};
	struct assembler *a = strings ? assembler_new(strings, 0, &c, on_event, &sums) : NULL;
	int fd = open(path, O_RDONLY);
	double start = cpu_seconds();

	if (!a || fd < 0 || feed_file(fd, a, &err) < 0) {
		fprintf(stderr, "%s: %s\n", path, err.message);
		return 1;
	}
	double seconds = cpu_seconds() - start;

	printf("own: %.3f s CPU, %.0f MB/s, %" PRIu64 " bytes, %" PRIu64 " lines, %" PRIu64 " rejected, %" PRIu64 " events, %" PRIu64
	       " partial, %" PRIu64 " missing, %" PRIu64 " paths, %" PRIu64 " arguments, %" PRIu64 " addresses, %zu strings, %ld KiB\n",
	       seconds, (double)c.bytes / 1e6 / seconds, c.bytes, c.lines, c.rejected, sums.events, sums.partial, c.serials_missing,
	       sums.paths, sums.arguments, sums.addresses, intern_count(strings), peak_kib());
	assembler_free(a);
	completeness_release(&c);
	intern_free(strings);
	(void)close(fd);
	return 0;
}

static int run_auparse(const char *path)
{
	auparse_state_t *state = auparse_init(AUSOURCE_FILE, path);
	uint64_t events = 0, fields = 0, check = 0;
	double start = cpu_seconds();

	if (!state)
		return 1;
	while (auparse_next_event(state) > 0) {
		events++;
		do {
			if (auparse_first_field(state) <= 0)
				continue;
			do {
				const char *value = auparse_get_field_str(state);

				fields++;
				check += value ? (unsigned char)value[0] : 0;
			} while (auparse_next_field(state) > 0);
		} while (auparse_next_record(state) > 0);
	}
	double seconds = cpu_seconds() - start;

	printf("auparse: %.3f s CPU, %" PRIu64 " events, %" PRIu64 " fields (%" PRIu64 "), %ld KiB\n", seconds, events, fields, check,
	       peak_kib());
	auparse_destroy(state);
	return 0;
}

static int run_read(const char *path)
{
	char *buffer = malloc(CHUNK_BYTES);
	int fd = open(path, O_RDONLY);
	double start = cpu_seconds();
	uint64_t bytes = 0;
	ssize_t got;

	if (!buffer || fd < 0)
		return 1;
	while ((got = read(fd, buffer, CHUNK_BYTES)) > 0)
		bytes += (uint64_t)got;
	double seconds = cpu_seconds() - start;

	printf("read: %.3f s CPU, %.0f MB/s\n", seconds, (double)bytes / 1e6 / seconds);
	free(buffer);
	(void)close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return run_own(argv[1]);
	if (argc == 3 && strcmp(argv[1], "--auparse") == 0)
		return run_auparse(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--read") == 0)
		return run_read(argv[2]);
	fprintf(stderr, "usage: %s [--auparse|--read] LOG\n", argv[0]);
	return 2;
}
