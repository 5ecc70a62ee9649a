// SPDX-License-Identifier: MIT
// Segments made directly, without a writer: for tests of what is derived from them.
#ifndef TESTS_UNIT_MAKE_SEGMENTS_H
#define TESTS_UNIT_MAKE_SEGMENTS_H

#include "base/fileio.h"
#include "snapshots/codec.h"
#include "snapshots/crc32c.h"
#include "snapshots/segment_format.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t made_uuid[16] = "provgraph-tests!";

struct maker {
	const char *folder;
	const uint8_t *uuid;    // NULL: made_uuid
	struct segment segment; // the one in the making
	uint64_t last_seq;
	char name[256];
	struct buffer output;
};

__attribute__((unused, noreturn)) static void maker_fail(const char *what, const struct error *err)
{
	fprintf(stderr, "%s: %s\n", what, err->message);
	exit(1);
}

// An empty history but for its header.
__attribute__((unused)) static void maker_folder(const char *folder)
{
	char path[256];

	(void)mkdir(folder, 0700);
	(void)snprintf(path, sizeof(path), "%s/segments", folder);
	(void)mkdir(path, 0700);
	(void)snprintf(path, sizeof(path), "%s/index", folder);
	(void)mkdir(path, 0700);
}

__attribute__((unused)) static void maker_begin(struct maker *m, uint64_t number)
{
	uint8_t header[SEGMENT_HEADER_BYTES];

	memset(&m->segment, 0, sizeof(m->segment));
	(void)snprintf(m->name, sizeof(m->name), "%s/segments/%08llu.segment", m->folder, (unsigned long long)number);
	m->segment.fd = open(m->name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (m->segment.fd < 0) {
		perror(m->name);
		exit(1);
	}
	m->segment.number = number;
	m->segment.first_seq = m->last_seq + 1;
	memcpy(m->segment.uuid, m->uuid ? m->uuid : made_uuid, 16);
	segment_start(&m->segment);
	segment_format_header(number, m->last_seq + 1, m->segment.uuid, header);
	buffer_clear(&m->output);
	buffer_add(&m->output, header, sizeof(header));
}

__attribute__((unused)) static void maker_flush(struct maker *m)
{
	struct error err = {{0}};

	if (buffer_check(&m->output, &err) < 0 || fileio_write_fd(m->segment.fd, m->output.bytes, m->output.length, m->name, &err) < 0)
		maker_fail("flush", &err);
	buffer_clear(&m->output);
}

// bytes: of a WRITE; NULL: a WRITE of zeros, which stores nothing.
__attribute__((unused)) static uint64_t maker_add(struct maker *m, enum record_type type, uint64_t offset, uint32_t length, const void *bytes)
{
	struct record r = {.seq = ++m->last_seq, .type = (uint8_t)type, .offset_bytes = offset, .length_bytes = length};
	uint8_t header[RECORD_HEADER_BYTES];
	struct error err = {{0}};

	r.realtime_ns = UINT64_C(1795252951000000000) + r.seq * 1000000;
	r.boottime_ns = r.seq * 1000000;
	r.stored_bytes = type == RECORD_WRITE && bytes ? (uint32_t)codec_trim(bytes, length) : 0;
	record_encode(&r, bytes, header);
	if (segment_reserve_row(&m->segment, &err) < 0)
		maker_fail("row", &err);
	buffer_add(&m->output, header, sizeof(header));
	buffer_add(&m->output, bytes, r.stored_bytes);
	buffer_add(&m->output, "\0\0\0\0\0\0\0", (size_t)(record_total_bytes(&r) - sizeof(header) - r.stored_bytes));
	segment_add_row(&m->segment, &r);
	if (m->output.length > 1 << 20)
		maker_flush(m);
	return r.seq;
}

// As segment_seal() does it, but without waiting for the disk.
__attribute__((unused)) static void maker_seal(struct maker *m)
{
	size_t table_bytes = (size_t)m->segment.record_count * SEGMENT_ROW_BYTES, before = m->output.length;
	uint8_t bytes[SEGMENT_FOOTER_BYTES];

	for (uint64_t i = 0; i < m->segment.record_count; i++) {
		segment_format_row(&m->segment.rows[i], bytes);
		buffer_add(&m->output, bytes, SEGMENT_ROW_BYTES);
	}
	segment_format_footer(&m->segment, crc32c(m->output.bytes + before, table_bytes), bytes);
	buffer_add(&m->output, bytes, sizeof(bytes));
	maker_flush(m);
	segment_release(&m->segment);
}

#endif
