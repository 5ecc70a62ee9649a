// SPDX-License-Identifier: MIT
#include "tests/unit/unit.h"

#include "base/memory.h"
#include "base/nanotime.h"
#include "snapshots/codec.h"
#include "snapshots/segment_format.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t uuid[16] = "history of test";

// Appends one record to the file behind s->records_end.
static void put(struct segment *s, enum record_type type, enum record_codec wanted, uint64_t offset, const void *bytes, size_t length)
{
	struct buffer stored = {0};
	uint8_t header[RECORD_HEADER_BYTES];
	struct record r = {.type = (uint8_t)type, .seq = s->first_seq + s->record_count, .offset_bytes = offset, .length_bytes = length,
			   .realtime_ns = 1000 * (s->first_seq + s->record_count), .boottime_ns = 5};

	if (bytes && type != RECORD_WRITE)
		buffer_add(&stored, bytes, length);
	else if (bytes)
		r.codec = (uint8_t)codec_encode(wanted, bytes, length, &stored);
	r.stored_bytes = (uint32_t)stored.length;
	record_encode(&r, stored.bytes, header);
	buffer_add(&stored, "\0\0\0\0\0\0\0", 7);
	CHECK(pwrite(s->fd, header, sizeof(header), (off_t)s->records_end) == sizeof(header));
	size_t rest = (size_t)record_total_bytes(&r) - sizeof(header);
	CHECK(pwrite(s->fd, stored.bytes, rest, (off_t)s->records_end + RECORD_HEADER_BYTES) == (ssize_t)rest);
	CHECK(segment_reserve_row(s, NULL) == 0);
	segment_add_row(s, &r);
	buffer_release(&stored);
}

static void start(struct segment *s)
{
	uint8_t header[SEGMENT_HEADER_BYTES];
	struct error err;

	memset(s, 0, sizeof(*s));
	s->fd = open("a.segment", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	segment_format_header(3, 100, uuid, header);
	CHECK(pwrite(s->fd, header, sizeof(header), 0) == sizeof(header));
	CHECK(segment_open(s, s->fd, "a.segment", &err) == 0);
	CHECK_EQUAL(s->number, 3);
	CHECK_EQUAL(s->first_seq, 100);
	CHECK(!s->sealed);
}

static uint8_t big[300000];

static void fill(struct segment *s)
{
	static uint8_t zeros[4096];
	uint8_t seq[8] = {0};

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i / 100 * 7 + (i & 3));
	start(s);
	put(s, RECORD_OPEN, RECORD_RAW, 0, "0123456789-boot-id-0123456789-012345test", 40);
	put(s, RECORD_WRITE, RECORD_RAW, 4096, "hello\0\0\0\0", 9);
	put(s, RECORD_WRITE, RECORD_LZ4, 1 << 20, big, sizeof(big));
	put(s, RECORD_WRITE, RECORD_ZSTD, 1 << 21, big, sizeof(big));
	put(s, RECORD_WRITE, RECORD_ZSTD, 0, zeros, sizeof(zeros));
	put(s, RECORD_TRIM, RECORD_RAW, 0, NULL, UINT32_MAX);
	put(s, RECORD_FLUSH, RECORD_RAW, 0, seq, 8);
	put(s, RECORD_CLOSE, RECORD_RAW, 0, NULL, 0);
}

static void check_contents(const struct segment *s)
{
	struct segment_row row;
	struct record record;
	struct error err;
	uint8_t *got AUTO_FREE = malloc(sizeof(big));

	CHECK(segment_read_rows(s, 1, 1, &row, "a.segment", &err) == 0);
	CHECK_EQUAL(row.stored_bytes, 5);
	CHECK(segment_read_content(s, &row, 3, got, 6, "a.segment", &err) == 0 && memcmp(got, "lo\0\0\0\0", 6) == 0);
	CHECK(segment_read_content(s, &row, 3, got, 7, "a.segment", &err) < 0);
	for (uint64_t i = 2; i < 4; i++) {
		CHECK(segment_read_rows(s, i, 1, &row, "a.segment", &err) == 0);
		CHECK_EQUAL(row.codec, i == 2 ? RECORD_LZ4 : RECORD_ZSTD);
		for (size_t from = 0; from < sizeof(big); from += 70001) {
			size_t length = sizeof(big) - from < 140000 ? sizeof(big) - from : 140000;

			CHECK(segment_read_content(s, &row, from, got, length, "a.segment", &err) == 0 && memcmp(got, big + from, length) == 0);
		}
		CHECK(segment_read_record(s, &row, &record, "a.segment", &err) == 0);
		CHECK_EQUAL(record.seq, 100 + i);
	}
	CHECK(segment_read_rows(s, 4, 1, &row, "a.segment", &err) == 0);
	CHECK_EQUAL(row.stored_bytes, 0);
	CHECK(segment_read_content(s, &row, 0, got, 4096, "a.segment", &err) == 0 && got[0] == 0 && got[4095] == 0);
	CHECK(segment_read_rows(s, 5, 1, &row, "a.segment", &err) == 0 && row.length_bytes == UINT32_MAX);
	CHECK(segment_read_content(s, &row, 0, got, 1, "a.segment", &err) < 0);
	CHECK(segment_read_rows(s, 8, 1, &row, "a.segment", &err) < 0);
}

static void check_round_trip(void)
{
	struct segment written, s;
	struct segment_verdict verdict;
	struct error err, reason;
	enum segment_end end;

	fill(&written);
	CHECK(segment_open(&s, open("a.segment", O_RDWR | O_CLOEXEC), "a.segment", &err) == 0);
	CHECK(segment_scan(&s, "a.segment", &end, &reason, &err) == 0 && end == SEGMENT_END_CLEAN);
	CHECK_EQUAL(s.record_count, 8);
	CHECK_EQUAL(s.records_end, written.records_end);
	for (size_t i = 0; i < 8 && i < s.record_count; i++) {
		uint8_t scanned[SEGMENT_ROW_BYTES], made[SEGMENT_ROW_BYTES];

		segment_format_row(&s.rows[i], scanned);
		segment_format_row(&written.rows[i], made);
		CHECK(memcmp(scanned, made, sizeof(made)) == 0);
	}
	check_contents(&s);
	CHECK(segment_verify(&s, "a.segment", &verdict, &err) == 0 && !verdict.damaged && verdict.records == 8);
	CHECK_EQUAL(verdict.bytes, 9 + 2 * sizeof(big) + 4096);
	CHECK(ftruncate(s.fd, (off_t)s.records_end + 100000) == 0); // as where room was kept
	CHECK(segment_seal(&s, "a.segment", &err) == 0 && s.sealed && !s.rows);
	segment_release(&s);

	CHECK(segment_open(&s, open("a.segment", O_RDONLY | O_CLOEXEC), "a.segment", &err) == 0);
	CHECK(s.sealed && !s.compressed);
	CHECK_EQUAL(s.record_count, 8);
	CHECK_EQUAL(s.last_flush_seq, 106);
	CHECK_EQUAL(s.clock_count, 1);
	CHECK_EQUAL(s.least_realtime_ns, 100000);
	CHECK_EQUAL(s.greatest_realtime_ns, 107000);
	check_contents(&s);
	CHECK(segment_verify(&s, "a.segment", &verdict, &err) == 0 && !verdict.damaged && verdict.records == 8);
	segment_release(&s);
	segment_release(&written);
}

// Whatever byte is flipped, something says so: the segment is refused, found damaged, or ends there.
static void check_flips(bool sealed)
{
	struct segment s;
	struct segment_verdict verdict;
	struct error err, reason;
	enum segment_end end;
	unsigned unseen = 0;

	fill(&s);
	uint64_t records_end = s.records_end;

	if (sealed)
		CHECK(segment_seal(&s, "a.segment", &err) == 0);
	struct stat status;

	CHECK(fstat(s.fd, &status) == 0);
	segment_release(&s);
	int fd AUTO_CLOSE = open("a.segment", O_RDWR | O_CLOEXEC);

	// Every byte of headers, rows, footer and small contents; a sample of the large contents.
	for (off_t at = 0; at < status.st_size; at += at > 1000 && at + 3000 < (off_t)records_end ? 997 : 1) {
		uint8_t byte, flipped;

		CHECK(pread(fd, &byte, 1, at) == 1);
		flipped = byte ^ (uint8_t)(1 << at % 8);
		CHECK(pwrite(fd, &flipped, 1, at) == 1);
		bool seen = segment_open(&s, dup(fd), "a.segment", &err) < 0;

		if (!seen && s.sealed != sealed)
			seen = true;
		if (!seen) {
			CHECK(segment_verify(&s, "a.segment", &verdict, &err) == 0);
			seen = verdict.damaged && strncmp(verdict.damage.message, "a.segment: byte ", 16) == 0;
		}
		if (!seen && !sealed)
			seen = segment_scan(&s, "a.segment", &end, &reason, &err) == 0 && end == SEGMENT_END_TORN;
		unseen += !seen;
		if (!seen)
			fprintf(stderr, "byte %jd flipped: nothing says so\n", (intmax_t)at);
		segment_release(&s);
		CHECK(pwrite(fd, &byte, 1, at) == 1);
	}
	CHECK_EQUAL(unseen, 0);
}

// Cut anywhere: what is left is whole records, in order.
static void check_cuts(void)
{
	struct segment s, written;
	struct error err, reason;
	enum segment_end end;

	start(&written);
	put(&written, RECORD_WRITE, RECORD_RAW, 512, "one", 3);
	put(&written, RECORD_WRITE, RECORD_RAW, 512, "twelve bytes", 12);
	put(&written, RECORD_TRIM, RECORD_RAW, 0, NULL, 512);
	for (uint64_t length = written.records_end; length-- > 0;) {
		CHECK(ftruncate(written.fd, (off_t)length) == 0);
		int opened = segment_open(&s, dup(written.fd), "a.segment", &err);

		CHECK(opened == (length < SEGMENT_HEADER_BYTES ? -1 : 0));
		if (opened < 0)
			continue;
		CHECK(segment_scan(&s, "a.segment", &end, &reason, &err) == 0);
		uint64_t whole = 0;

		while (whole < 3 && (whole == 2 ? written.records_end : written.rows[whole + 1].position) <= length)
			whole++;
		CHECK_EQUAL(s.record_count, whole);
		CHECK_EQUAL(end, s.records_end == length ? SEGMENT_END_CLEAN : SEGMENT_END_TORN);
		segment_release(&s);
	}
	segment_release(&written);
}

int main(void)
{
	check_round_trip();
	check_flips(false);
	check_flips(true);
	check_cuts();
	return unit_end();
}
