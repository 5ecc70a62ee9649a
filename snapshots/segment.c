// SPDX-License-Identifier: MIT
// Header, footer, and the scan of what is unsealed.
#include "snapshots/segment.h"

#include "base/bytes.h"
#include "base/fileio.h"
#include "base/nanotime.h"
#include "snapshots/crc32c.h"
#include "snapshots/segment_cursor.h"
#include "snapshots/segment_format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECKED_BYTES 124 // of header and footer; the checksum follows

static const char header_magic[8] = "PGSEGMT\n", footer_magic[8] = "PGFOOTR\n";

void segment_format_header(uint64_t number, uint64_t first_seq, const uint8_t uuid[16], uint8_t ret[SEGMENT_HEADER_BYTES])
{
	memset(ret, 0, SEGMENT_HEADER_BYTES);
	memcpy(ret, header_magic, 8);
	put_le32(ret + 8, SEGMENT_VERSION);
	put_le32(ret + 12, SEGMENT_HEADER_BYTES);
	memcpy(ret + 24, uuid, 16);
	put_le64(ret + 40, number);
	put_le64(ret + 48, first_seq);
	put_le32(ret + CHECKED_BYTES, crc32c(ret, CHECKED_BYTES));
}

static int parse_header(const uint8_t *bytes, size_t length, struct segment *ret, const char *name, struct error *err)
{
	if (length < SEGMENT_HEADER_BYTES)
		return error_set(err, "%s: byte %zu: the header of the segment is cut short", name, length);
	if (memcmp(bytes, header_magic, 8) != 0)
		return error_set(err, "%s: byte 0: this is no segment of a history", name);
	if (crc32c(bytes, CHECKED_BYTES) != get_le32(bytes + CHECKED_BYTES))
		return error_set(err, "%s: byte 0: checksum of the segment's header differs", name);
	if (get_le32(bytes + 8) != SEGMENT_VERSION || get_le32(bytes + 12) != SEGMENT_HEADER_BYTES)
		return error_set(err, "%s: byte 8: segment of version %" PRIu32 ", this program reads version %d", name, get_le32(bytes + 8),
				 SEGMENT_VERSION);
	if (get_le32(bytes + 20) != 0)
		return error_set(err, "%s: byte 20: the segment needs the unknown feature 0x%" PRIx32, name, get_le32(bytes + 20));
	memcpy(ret->uuid, bytes + 24, 16);
	ret->number = get_le64(bytes + 40);
	ret->first_seq = get_le64(bytes + 48);
	if (ret->number == 0 || ret->first_seq == 0)
		return error_set(err, "%s: byte 40: segment without a number", name);
	return 0;
}

void segment_format_footer(const struct segment *s, uint32_t table_crc, uint8_t ret[SEGMENT_FOOTER_BYTES])
{
	memset(ret, 0, SEGMENT_FOOTER_BYTES);
	memcpy(ret, footer_magic, 8);
	put_le64(ret + 8, s->number);
	put_le64(ret + 16, s->first_seq);
	put_le64(ret + 24, s->record_count);
	put_le64(ret + 32, s->records_end);
	put_le64(ret + 40, s->least_realtime_ns);
	put_le64(ret + 48, s->greatest_realtime_ns);
	put_le64(ret + 56, s->last_flush_seq);
	put_le32(ret + 64, s->clock_count);
	put_le32(ret + 68, s->compressed ? SEGMENT_FLAG_COMPRESSED : 0);
	put_le32(ret + 72, table_crc);
	memcpy(ret + 76, s->uuid, 16);
	put_le32(ret + CHECKED_BYTES, crc32c(ret, CHECKED_BYTES));
}

// 1: sealed, 0: no footer there (also a damaged one: what it tells is found again by a scan; or a guest's content that ends like one), -1: a
// valid footer of something else.
static int parse_footer(const uint8_t *bytes, uint64_t file_bytes, struct segment *s, const char *name, struct error *err)
{
	if (memcmp(bytes, footer_magic, 8) != 0 || memcmp(bytes + 76, s->uuid, 16) != 0 ||
	    crc32c(bytes, CHECKED_BYTES) != get_le32(bytes + CHECKED_BYTES))
		return 0;
	uint64_t count = get_le64(bytes + 24), end = get_le64(bytes + 32), footer_at = file_bytes - SEGMENT_FOOTER_BYTES;

	if (get_le64(bytes + 8) != s->number || get_le64(bytes + 16) != s->first_seq)
		return error_set(err, "%s: byte %" PRIu64 ": the footer is another segment's", name, footer_at);
	if (count > SEGMENT_MAX_RECORDS || end < SEGMENT_HEADER_BYTES || end % 8 != 0 || end > footer_at ||
	    footer_at - end != count * SEGMENT_ROW_BYTES || count > (end - SEGMENT_HEADER_BYTES) / RECORD_HEADER_BYTES ||
	    s->first_seq > UINT64_MAX - count || (get_le32(bytes + 68) & ~SEGMENT_FLAG_COMPRESSED))
		return error_set(err, "%s: byte %" PRIu64 ": the footer does not fit the file", name, footer_at);
	s->record_count = count;
	s->records_end = end;
	s->least_realtime_ns = get_le64(bytes + 40);
	s->greatest_realtime_ns = get_le64(bytes + 48);
	s->last_flush_seq = get_le64(bytes + 56);
	s->clock_count = get_le32(bytes + 64);
	s->compressed = get_le32(bytes + 68) & SEGMENT_FLAG_COMPRESSED;
	s->sealed = true;
	return 1;
}

void segment_start(struct segment *s)
{
	s->record_count = 0;
	s->records_end = SEGMENT_HEADER_BYTES;
	s->least_realtime_ns = NANOTIME_NONE;
	s->greatest_realtime_ns = s->last_flush_seq = 0;
	s->clock_count = 0;
	s->sealed = s->compressed = false;
}

int segment_open(struct segment *ret, int fd, const char *name, struct error *err)
{
	struct segment s = {.fd = fd};
	uint8_t bytes[SEGMENT_HEADER_BYTES];
	struct stat status;
	size_t got;

	if (fstat(fd, &status) < 0)
		return error_set_errno(err, errno, "%s: cannot read", name);
	uint64_t file_bytes = (uint64_t)status.st_size;

	if (fileio_pread(fd, bytes, sizeof(bytes), 0, &got, name, err) < 0 || parse_header(bytes, got, &s, name, err) < 0)
		return -1;
	segment_start(&s);
	if (file_bytes >= SEGMENT_HEADER_BYTES + SEGMENT_FOOTER_BYTES) {
		if (fileio_pread(fd, bytes, SEGMENT_FOOTER_BYTES, file_bytes - SEGMENT_FOOTER_BYTES, &got, name, err) < 0)
			return -1;
		if (got == SEGMENT_FOOTER_BYTES && parse_footer(bytes, file_bytes, &s, name, err) < 0)
			return -1;
	}
	*ret = s;
	return 0;
}

void segment_release(struct segment *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->rows);
	s->fd = -1;
	s->rows = NULL;
	s->row_capacity = 0;
}

void segment_row_of(const struct record *r, uint64_t position, struct segment_row *ret)
{
	*ret = (struct segment_row){.realtime_ns = r->realtime_ns, .offset_bytes = r->offset_bytes, .position = position,
				    .length_bytes = (uint32_t)r->length_bytes, .stored_bytes = r->stored_bytes, .flags = r->flags,
				    .type = r->type, .codec = r->codec};
}

int segment_reserve_row(struct segment *s, struct error *err)
{
	if (s->record_count < s->row_capacity)
		return 0;
	size_t capacity = s->row_capacity ? s->row_capacity * 2 : 1024;
	struct segment_row *rows = realloc(s->rows, capacity * sizeof(*rows));

	if (!rows)
		return error_set(err, "out of memory");
	s->rows = rows;
	s->row_capacity = capacity;
	return 0;
}

void segment_count(struct segment *s, const struct record *r)
{
	s->record_count++;
	s->records_end += record_total_bytes(r);
	if (r->realtime_ns < s->least_realtime_ns)
		s->least_realtime_ns = r->realtime_ns;
	if (r->realtime_ns > s->greatest_realtime_ns)
		s->greatest_realtime_ns = r->realtime_ns;
	if (r->type == RECORD_FLUSH)
		s->last_flush_seq = r->seq;
	if (r->type == RECORD_CLOCK || r->type == RECORD_OPEN)
		s->clock_count++;
}

void segment_add_row(struct segment *s, const struct record *r)
{
	segment_row_of(r, s->records_end, &s->rows[s->record_count]);
	segment_count(s, r);
}

int segment_scan(struct segment *s, const char *name, enum segment_end *ret_end, struct error *ret_reason, struct error *err)
{
	struct segment_cursor cursor;
	const uint8_t *header, *stored;
	enum segment_step step;
	struct error why;
	struct stat status;
	struct record r;

	if (fstat(s->fd, &status) < 0)
		return error_set_errno(err, errno, "%s: cannot read", name);
	uint64_t file_bytes = (uint64_t)status.st_size;

	segment_cursor_init(&cursor, s->fd, name, s->records_end, file_bytes > s->records_end ? file_bytes : s->records_end);
	while ((step = segment_cursor_next(&cursor, &r, &header, &stored, &why)) == SEGMENT_STEP_RECORD) {
		if (r.seq != s->first_seq + s->record_count || s->record_count >= SEGMENT_MAX_RECORDS) {
			(void)error_set(&why, "%s: byte %" PRIu64 ": record %" PRIu64 " stands where %" PRIu64 " belongs", name, s->records_end,
					r.seq, s->first_seq + s->record_count);
			step = SEGMENT_STEP_BAD;
			break;
		}
		if (segment_reserve_row(s, &why) < 0) {
			step = SEGMENT_STEP_FAILED;
			break;
		}
		segment_add_row(s, &r);
	}
	segment_cursor_release(&cursor);
	if (step == SEGMENT_STEP_FAILED) {
		*err = why;
		return -1;
	}
	*ret_end = step == SEGMENT_STEP_END ? SEGMENT_END_CLEAN : SEGMENT_END_TORN;
	if (step == SEGMENT_STEP_BAD && ret_reason)
		*ret_reason = why;
	return 0;
}
