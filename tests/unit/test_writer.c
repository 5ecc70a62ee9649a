// SPDX-License-Identifier: MIT
// One writer on a real folder: what was written reads back, also after closing and opening again.
#include "tests/unit/unit.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "snapshots/lock.h"
#include "snapshots/segment.h"
#include "snapshots/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DISK_BYTES (4u << 20)

static uint8_t wanted[DISK_BYTES], got[DISK_BYTES];
static uint32_t random_state = 1;

static uint32_t next_random(void)
{
	random_state = random_state * 1664525 + 1013904223;
	return random_state >> 8;
}

static struct writer *open_writer(const char *folder, const struct writer_options *options)
{
	struct writer *w = NULL;
	struct error err = {""};

	if (writer_open(folder, options, &w, NULL, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	return w;
}

static void close_writer(struct writer *w)
{
	struct error err = {""};

	CHECK(writer_close(w, &err) == 0);
	CHECK_STRING(err.message, "");
}

static void check_disk(struct writer *w)
{
	struct error err;

	memset(got, 0xee, sizeof(got));
	for (uint64_t at = 0, part; at < DISK_BYTES; at += part) {
		part = 1 + next_random() % 200000;
		if (part > DISK_BYTES - at)
			part = DISK_BYTES - at;
		CHECK(writer_read(w, at, got + at, part, &err) == 0);
	}
	CHECK(memcmp(got, wanted, sizeof(got)) == 0);
}

static void one_request(struct writer *w)
{
	static uint8_t bytes[1 << 21];
	struct error err = {""};
	uint32_t kind = next_random() % 100, most = kind < 3 ? (uint32_t)sizeof(bytes) : kind < 60 ? 4096 : 70000;
	uint64_t length = 1 + next_random() % most, offset = next_random() % (DISK_BYTES - length);

	if (kind % 2 == 0) {
		offset &= ~UINT64_C(511);
		length = (length + 511) & ~UINT64_C(511);
	}
	if (offset + length > DISK_BYTES)
		length = DISK_BYTES - offset;
	if (kind < 85) {
		for (uint64_t i = 0; i < length; i++)
			bytes[i] = i > length / 2 && kind % 3 == 0 ? 0 : (uint8_t)(next_random() >> 4);
		memcpy(wanted + offset, bytes, length);
		CHECK(writer_write(w, offset, bytes, length, kind == 7, &err) == 0);
	} else if (kind < 90) {
		memset(wanted + offset, 0, length);
		CHECK(writer_zero(w, offset, length, kind % 2, false, &err) == 0);
	} else if (kind < 95) {
		memset(wanted + offset, 0, length);
		CHECK(writer_trim(w, offset, length, kind == 94, &err) == 0);
	} else {
		CHECK(writer_flush(w, &err) == 0);
	}
	CHECK_STRING(err.message, "");
}

static void check_round_trip(const struct writer_options *options, uint64_t segment_bytes, const char *folder)
{
	struct history_plan plan = {.size_bytes = DISK_BYTES, .segment_bytes = segment_bytes};
	struct error err = {""};

	memset(wanted, 0, sizeof(wanted));
	CHECK(history_init(folder, &plan, &err) == 0);
	CHECK_STRING(err.message, "");
	for (unsigned round = 0; round < 4; round++) {
		struct writer *w = open_writer(folder, options);

		CHECK_EQUAL(writer_size_bytes(w), DISK_BYTES);
		check_disk(w);
		for (unsigned i = 0; i < 150; i++) {
			one_request(w);
			if (i % 50 == 49)
				check_disk(w);
		}
		CHECK(writer_mark(w, "a mark", &err) == 0);
		close_writer(w);
	}
}

struct extents { uint64_t end; unsigned count; char shape[64]; };
static int note_extent(void *context, uint64_t offset, uint64_t length, bool hole_and_zero)
{
	struct extents *e = context;

	CHECK_EQUAL(offset, e->end);
	e->end = offset + length;
	e->shape[e->count++] = hole_and_zero ? 'h' : 'd';
	return 0;
}

static void check_extents(void)
{
	struct history_plan plan = {.size_bytes = 1 << 20};
	struct writer_options options = {.compress = WRITER_COMPRESS_NEVER};
	struct error err;
	struct extents seen = {.end = 0};

	CHECK(history_init("extents", &plan, &err) == 0);
	struct writer *w = open_writer("extents", &options);

	CHECK(writer_write(w, 4096, "x", 1, false, &err) == 0);
	CHECK(writer_write(w, 4097, "y", 1, false, &err) == 0);
	CHECK(writer_zero(w, 8192, 4096, true, false, &err) == 0);
	CHECK(writer_extents(w, 0, 1 << 20, note_extent, &seen, &err) == 0);
	CHECK_EQUAL(seen.end, 1 << 20);
	CHECK_STRING(seen.shape, "hdh");
	CHECK_EQUAL(writer_write(w, (1 << 20) - 1, "xy", 2, false, &err), -EINVAL);
	CHECK_EQUAL(writer_read(w, UINT64_MAX, got, 2, &err), -EINVAL);
	CHECK_EQUAL(writer_write(w, 0, "", 0, false, &err), -EINVAL);
	close_writer(w);
}

static void check_second_writer(void)
{
	struct writer_options options = {.compress = WRITER_COMPRESS_NEVER};
	struct writer *w = open_writer("extents", &options), *second;
	struct error err;
	char wanted_message[200];
	bool held = false;

	CHECK(lock_is_held("extents", &held, &err) == 0 && held);
	CHECK_EQUAL(writer_open("extents", &options, &second, NULL, &err), -EBUSY);
	(void)snprintf(wanted_message, sizeof(wanted_message), "extents: process %ld is recording into it", (long)getpid());
	CHECK_STRING(err.message, wanted_message);
	close_writer(w);
	CHECK(lock_is_held("extents", &held, &err) == 0 && !held);
}

int main(void)
{
	static const struct writer_options staged = {.compress = WRITER_COMPRESS_NEVER}, direct = {.direct = true, .compress = WRITER_COMPRESS_NEVER},
					   now = {.compress = WRITER_COMPRESS_NOW}, lz4 = {.inline_codec = RECORD_LZ4, .compress = WRITER_COMPRESS_NEVER};

	check_round_trip(&staged, 0, "staged");
	check_round_trip(&staged, 1 << 18, "small-segments");
	check_round_trip(&now, 1 << 18, "compressed");
	check_round_trip(&direct, 1 << 20, "direct");
	check_round_trip(&lz4, 1 << 20, "lz4");
	check_extents();
	check_second_writer();
	return unit_end();
}
