// SPDX-License-Identifier: MIT
// Rows, records and contents out of a segment.
#include "base/bytes.h"
#include "base/fileio.h"
#include "base/memory.h"
#include "snapshots/codec.h"
#include "snapshots/segment_format.h"

#include <inttypes.h>
#include <string.h>

#define ROWS_AT_ONCE 512

void segment_format_row(const struct segment_row *row, uint8_t ret[SEGMENT_ROW_BYTES])
{
	put_le64(ret, row->realtime_ns);
	put_le64(ret + 8, row->offset_bytes);
	put_le32(ret + 16, row->length_bytes);
	put_le32(ret + 20, (uint32_t)(row->position / 8));
	put_le32(ret + 24, row->stored_bytes);
	ret[28] = row->type;
	ret[29] = row->codec;
	put_le16(ret + 30, row->flags);
}

int segment_parse_row(const struct segment *s, const uint8_t bytes[SEGMENT_ROW_BYTES], struct segment_row *ret, const char *name, struct error *err)
{
	struct segment_row row = {
		.realtime_ns = get_le64(bytes),
		.offset_bytes = get_le64(bytes + 8),
		.length_bytes = get_le32(bytes + 16),
		.position = (uint64_t)get_le32(bytes + 20) * 8,
		.stored_bytes = get_le32(bytes + 24),
		.type = bytes[28],
		.codec = bytes[29],
		.flags = get_le16(bytes + 30),
	};
	// The rules for a header are the rules for a row.
	struct record r = {.offset_bytes = row.offset_bytes, .length_bytes = row.length_bytes,
			   .stored_bytes = row.stored_bytes, .flags = row.flags, .type = row.type, .codec = row.codec};
	struct error why;

	if (record_judge(&r, &why) < 0)
		return error_set(err, "%s: a row of the request table is damaged: %s", name, why.message);
	if (row.position < SEGMENT_HEADER_BYTES || row.position > s->records_end || record_total_bytes(&r) > s->records_end - row.position)
		return error_set(err, "%s: a row of the request table leads to byte %" PRIu64 ", outside of the records", name, row.position);
	*ret = row;
	return 0;
}

int segment_read_rows(const struct segment *s, uint64_t first, size_t count, struct segment_row *ret, const char *name, struct error *err)
{
	uint8_t bytes[ROWS_AT_ONCE * SEGMENT_ROW_BYTES];

	if (first > s->record_count || count > s->record_count - first)
		return error_set(err, "%s: has no row %" PRIu64, name, first + count - 1);
	if (!s->sealed) {
		memcpy(ret, s->rows + first, count * sizeof(*ret));
		return 0;
	}
	while (count > 0) {
		size_t part = count < ROWS_AT_ONCE ? count : ROWS_AT_ONCE, got;

		if (fileio_pread(s->fd, bytes, part * SEGMENT_ROW_BYTES, s->records_end + first * SEGMENT_ROW_BYTES, &got, name, err) < 0)
			return -1;
		if (got != part * SEGMENT_ROW_BYTES)
			return error_set(err, "%s: the request table is cut short", name);
		for (size_t i = 0; i < part; i++)
			if (segment_parse_row(s, bytes + i * SEGMENT_ROW_BYTES, ret + i, name, err) < 0)
				return -1;
		first += part;
		count -= part;
		ret += part;
	}
	return 0;
}

int segment_judge_record(const struct segment_row *row, const uint8_t *header, size_t length, struct record *ret, const char *name, struct error *err)
{
	struct error why;
	struct segment_row found;
	struct record r;

	if (record_decode(header, length, &r, &why) < 0)
		return error_set(err, "%s: byte %" PRIu64 ": %s", name, row->position, why.message);
	segment_row_of(&r, row->position, &found);
	if (found.realtime_ns != row->realtime_ns || found.offset_bytes != row->offset_bytes || found.length_bytes != row->length_bytes ||
	    found.stored_bytes != row->stored_bytes || found.type != row->type || found.codec != row->codec || found.flags != row->flags)
		return error_set(err, "%s: byte %" PRIu64 ": the record and its row of the request table differ", name, row->position);
	*ret = r;
	return 0;
}

int segment_read_record(const struct segment *s, const struct segment_row *row, struct record *ret, const char *name, struct error *err)
{
	uint8_t header[RECORD_HEADER_BYTES];
	size_t got;

	if (fileio_pread(s->fd, header, sizeof(header), row->position, &got, name, err) < 0)
		return -1;
	return segment_judge_record(row, header, got, ret, name, err);
}

int segment_read_stored(const struct segment *s, const struct segment_row *row, size_t from, size_t to, void *bytes, const char *name,
			struct error *err)
{
	uint64_t at = row->position + RECORD_HEADER_BYTES + from;
	size_t got;

	if (to == from)
		return 0;
	if (fileio_pread(s->fd, bytes, to - from, at, &got, name, err) < 0)
		return -1;
	return got == to - from ? 0 : error_set(err, "%s: byte %" PRIu64 ": the record is cut short", name, at + got);
}

static int read_coded(const struct segment *s, const struct segment_row *row, uint64_t within, void *bytes, size_t length, const char *name,
		      struct error *err)
{
	size_t table_bytes = codec_table_bytes(row->codec, row->length_bytes), from, to;
	struct error why;

	if (table_bytes > row->stored_bytes)
		return error_set(err, "%s: byte %" PRIu64 ": the table of chunks is cut short", name, row->position);
	uint8_t *table AUTO_FREE = malloc(table_bytes);

	if (!table)
		return error_set(err, "out of memory");
	if (segment_read_stored(s, row, 0, table_bytes, table, name, err) < 0)
		return -1;
	if (codec_locate(row->codec, table, row->stored_bytes, row->length_bytes, within, length, &from, &to, &why) < 0)
		return error_set(err, "%s: byte %" PRIu64 ": %s", name, row->position, why.message);
	uint8_t *part AUTO_FREE = malloc(to - from + 1);

	if (!part)
		return error_set(err, "out of memory");
	if (segment_read_stored(s, row, from, to, part, name, err) < 0)
		return -1;
	if (codec_decode_part(row->codec, table, part, to - from, row->length_bytes, within, bytes, length, &why) < 0)
		return error_set(err, "%s: byte %" PRIu64 ": %s", name, row->position, why.message);
	return 0;
}

int segment_read_content(const struct segment *s, const struct segment_row *row, uint64_t within, void *bytes, size_t length, const char *name,
			 struct error *err)
{
	if (within > row->length_bytes || length > row->length_bytes - within || row->type == RECORD_ZERO || row->type == RECORD_TRIM)
		return error_set(err, "%s: byte %" PRIu64 ": the record has no such content", name, row->position);
	if (length == 0)
		return 0;
	if (row->codec != RECORD_RAW)
		return read_coded(s, row, within, bytes, length, name, err);
	size_t from = within < row->stored_bytes ? (size_t)within : row->stored_bytes;
	size_t have = row->stored_bytes - from < length ? row->stored_bytes - from : length;

	if (segment_read_stored(s, row, from, from + have, bytes, name, err) < 0)
		return -1;
	memset((uint8_t *)bytes + have, 0, length - have);
	return 0;
}
