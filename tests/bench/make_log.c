// SPDX-License-Identifier: MIT
// A big log out of a recorded one: its lines again and again, with stamps and serials that go on.
//
//     make_log RECORDED BYTES [EVENTS_PER_SECOND] > BIG
//
// Everything else stays as recorded. With a rate, stamps are stretched or squeezed to it; without, each repetition takes as long as the
// recording did. Records of auditd's own counter (DAEMON_*) are left out.
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct log {
	char *bytes;
	size_t length;
	uint64_t first_serial, last_serial, first_ms, last_ms;
};

struct stamp {
	const char *start, *end; // "1763600400.123:4567" in the line
	uint64_t ms, serial;
};

static bool find_stamp(const char *line, const char *end, struct stamp *ret)
{
	const char *p = memmem(line, (size_t)(end - line), "msg=audit(", 10);
	char *after;

	if (!p || memmem(line, (size_t)(end - line), "type=DAEMON_", 12))
		return false;
	ret->start = p + 10;
	ret->ms = strtoull(ret->start, &after, 10) * 1000;
	if (*after != '.')
		return false;
	ret->ms += strtoull(after + 1, &after, 10);
	if (*after != ':')
		return false;
	ret->serial = strtoull(after + 1, &after, 10);
	ret->end = after;
	return *after == ')';
}

static bool read_log(const char *path, struct log *log)
{
	FILE *file = fopen(path, "rb");
	size_t capacity = (size_t)1 << 20, got = 1;

	log->bytes = malloc(capacity + 1);
	while (file && log->bytes && got > 0) {
		if (log->length == capacity) {
			capacity *= 2;
			log->bytes = realloc(log->bytes, capacity + 1);
			if (!log->bytes)
				return false;
		}
		got = fread(log->bytes + log->length, 1, capacity - log->length, file);
		log->length += got;
	}
	if (!file || !log->bytes)
		return false;
	log->bytes[log->length] = '\0';
	(void)fclose(file);
	return true;
}

static bool measure(struct log *log)
{
	const char *end = log->bytes + log->length, *newline;
	struct stamp s;

	log->first_serial = log->first_ms = UINT64_MAX;
	for (const char *line = log->bytes; (newline = memchr(line, '\n', (size_t)(end - line))); line = newline + 1) {
		if (!find_stamp(line, newline, &s))
			continue;
		log->first_serial = s.serial < log->first_serial ? s.serial : log->first_serial;
		log->last_serial = s.serial > log->last_serial ? s.serial : log->last_serial;
		log->first_ms = s.ms < log->first_ms ? s.ms : log->first_ms;
		log->last_ms = s.ms > log->last_ms ? s.ms : log->last_ms;
	}
	return log->last_serial >= log->first_serial;
}

// Kernel serials have 32 bits: a log that is too big for them begins again from 0, as the kernel does.
static uint64_t write_round(const struct log *log, uint64_t serial, uint64_t ms, double stretch, uint64_t left)
{
	const char *end = log->bytes + log->length, *newline;
	uint64_t written = 0;
	struct stamp s;

	for (const char *line = log->bytes; written < left && (newline = memchr(line, '\n', (size_t)(end - line))); line = newline + 1) {
		if (!find_stamp(line, newline, &s))
			continue;
		uint64_t at = ms + (uint64_t)((double)(s.ms - log->first_ms) * stretch);
		int head = printf("%.*s%" PRIu64 ".%03" PRIu64 ":%" PRIu32, (int)(s.start - line), line, at / 1000, at % 1000,
				  (uint32_t)(serial + s.serial - log->first_serial));

		if (head < 0 || fwrite(s.end, 1, (size_t)(newline + 1 - s.end), stdout) != (size_t)(newline + 1 - s.end))
			return 0;
		written += (uint64_t)head + (uint64_t)(newline + 1 - s.end);
	}
	return written;
}

int main(int argc, char **argv)
{
	struct log log = {0};

	if (argc < 3 || argc > 4 || !read_log(argv[1], &log) || !measure(&log)) {
		fprintf(stderr, "usage: make_log RECORDED BYTES [EVENTS_PER_SECOND] > BIG\n");
		return 2;
	}
	uint64_t bytes = strtoull(argv[2], NULL, 10), serials = log.last_serial - log.first_serial + 1;
	double span_ms = (double)(log.last_ms - log.first_ms + 4), rate = argc == 4 ? strtod(argv[3], NULL) : 0;
	double stretch = rate > 0 ? (double)serials * 1000 / rate / span_ms : 1;
	uint64_t serial = log.first_serial, ms = log.first_ms;
	double at_ms = 0;

	while (bytes > 0) {
		uint64_t written = write_round(&log, serial, ms + (uint64_t)at_ms, stretch, bytes);

		if (written == 0) {
			fprintf(stderr, "make_log: cannot write\n");
			return 1;
		}
		bytes -= written < bytes ? written : bytes;
		serial += serials;
		at_ms += span_ms * stretch;
	}
	free(log.bytes);
	return fflush(stdout) == 0 ? 0 : 1;
}
