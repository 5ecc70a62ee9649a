// SPDX-License-Identifier: MIT
// Any file as a segment, and any bytes as the header of a history: refused, or every row, record and content of it can be asked for.
//
// The first byte says how: 'r' puts right all checksums first, so that what lies behind them is reached; anything else leaves them.
#include "base/bytes.h"
#include "snapshots/crc32c.h"
#include "snapshots/history_header.h"
#include "snapshots/segment.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_ROWS 64

static void read_all(const struct segment *s)
{
	static uint8_t bytes[300000];
	struct segment_row row;
	struct record record;
	struct error err;

	for (uint64_t i = 0; i < s->record_count && i < MAX_ROWS; i++) {
		if (segment_read_rows(s, i, 1, &row, "fuzz", &err) < 0)
			continue;
		if (row.position + RECORD_HEADER_BYTES + row.stored_bytes > s->records_end)
			abort();
		(void)segment_read_record(s, &row, &record, "fuzz", &err);
		size_t length = row.length_bytes < sizeof(bytes) ? row.length_bytes : sizeof(bytes);

		(void)segment_read_content(s, &row, 0, bytes, length, "fuzz", &err);
		(void)segment_read_content(s, &row, row.length_bytes - length, bytes, length, "fuzz", &err);
		(void)segment_read_content(s, &row, row.length_bytes / 2, bytes, length / 2, "fuzz", &err);
	}
}

// What a scan accepts, a verification accepts, and the other way round.
static void check_unsealed(struct segment *s)
{
	struct segment_verdict verdict;
	enum segment_end end;
	struct error reason, err;

	if (segment_scan(s, "fuzz", &end, &reason, &err) < 0 || segment_verify(s, "fuzz", &verdict, &err) < 0)
		abort();
	if (end == SEGMENT_END_TORN && !verdict.damaged)
		abort();
	if (!verdict.damaged && verdict.records != s->record_count)
		abort();
	read_all(s);
	if (segment_seal(s, "fuzz", &err) < 0 || segment_verify(s, "fuzz", &verdict, &err) < 0)
		abort();
	read_all(s);
}

static void put_checksums_right(uint8_t *bytes, size_t size)
{
	struct record r;
	struct error err;
	size_t end = size;

	if (size < SEGMENT_HEADER_BYTES)
		return;
	put_le32(bytes + 124, crc32c(bytes, 124));
	if (size >= SEGMENT_HEADER_BYTES + SEGMENT_FOOTER_BYTES) {
		uint8_t *footer = bytes + size - SEGMENT_FOOTER_BYTES;
		uint64_t records_end = get_le64(footer + 32);

		if (records_end < size) {
			put_le32(footer + 72, crc32c(bytes + records_end, size - SEGMENT_FOOTER_BYTES > records_end ?
							     size - SEGMENT_FOOTER_BYTES - records_end : 0));
			end = records_end;
		}
		memcpy(footer + 76, bytes + 24, 16); // the UUID, too
		put_le32(footer + 124, crc32c(footer, 124));
	}
	for (size_t at = SEGMENT_HEADER_BYTES; at < end; at += record_total_bytes(&r)) {
		if (record_decode(bytes + at, end - at, &r, &err) < 0 || record_total_bytes(&r) > end - at)
			return;
		record_encode(&r, bytes + at + RECORD_HEADER_BYTES, bytes + at);
	}
}

static void open_as_segment(const uint8_t *data, size_t size)
{
	struct segment_verdict verdict;
	struct segment s;
	struct error err;
	int fd = memfd_create("segment", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (segment_open(&s, fd, "fuzz", &err) < 0) {
		(void)close(fd);
		return;
	}
	if (s.sealed) {
		(void)segment_verify(&s, "fuzz", &verdict, &err);
		read_all(&s);
	} else {
		check_unsealed(&s);
	}
	segment_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct history_header header;
	struct error err;
	uint8_t *bytes = size > 0 ? malloc(size) : NULL;

	if (!bytes)
		return 0;
	size--;
	memcpy(bytes, data + 1, size);
	(void)history_header_decode(bytes, size, "fuzz", &header, &err);
	if (data[0] == 'r')
		put_checksums_right(bytes, size);
	(void)history_header_decode(bytes, size, "fuzz", &header, &err);
	open_as_segment(bytes, size);
	free(bytes);
	return 0;
}
