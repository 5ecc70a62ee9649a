// SPDX-License-Identifier: MIT
// Every byte of a segment against what it says of itself.
#include "base/bytes.h"
#include "base/memory.h"
#include "base/nanotime.h"
#include "snapshots/codec.h"
#include "snapshots/crc32c.h"
#include "snapshots/segment_cursor.h"
#include "snapshots/segment_format.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

struct verification {
	const struct segment *s;
	const char *name;
	struct segment_verdict *verdict;
	struct segment counted; // what the records say; compared with the footer
	struct segment_cursor cursor, table;
	uint32_t table_crc;
	uint8_t *content; // one chunk
};

static int damage(struct verification *v, uint64_t byte, const char *why)
{
	if (v->verdict->damaged)
		return 0;
	v->verdict->damaged = true;
	v->verdict->byte = byte;
	(void)error_set(&v->verdict->damage, "%s: byte %" PRIu64 ": %s", v->name, byte, why);
	return 0;
}

static int check_header(struct verification *v, struct error *err)
{
	uint8_t wanted[SEGMENT_HEADER_BYTES];
	const uint8_t *found = segment_cursor_bytes(&v->cursor, 0, SEGMENT_HEADER_BYTES, err);

	if (!found)
		return -1;
	segment_format_header(v->s->number, v->s->first_seq, v->s->uuid, wanted);
	for (size_t i = 0; i < sizeof(wanted); i++)
		// 16..19: compatible flags, which we may ignore; the checksum over them was checked when the segment was opened.
		if (found[i] != wanted[i] && (i < 16 || (i >= 20 && i < 124)))
			return damage(v, i, "the segment's header differs from what it must be");
	return 0;
}

// Decompresses all of it: a checksum over stored bytes says nothing about whether they can be decoded.
static void check_content(struct verification *v, const struct record *r, const uint8_t *stored, uint64_t position)
{
	struct error why;

	if (r->codec == RECORD_RAW)
		return;
	for (uint64_t at = 0; at < r->length_bytes; at += CODEC_CHUNK_BYTES) {
		uint64_t left = r->length_bytes - at;

		if (codec_decode(r->codec, stored, r->stored_bytes, r->length_bytes, at, v->content,
				 left < CODEC_CHUNK_BYTES ? (size_t)left : CODEC_CHUNK_BYTES, &why) < 0) {
			damage(v, position, why.message);
			return;
		}
	}
}

// The row of the record that was just walked over, against the table.
static int check_row(struct verification *v, const struct record *r, uint64_t position, struct error *err)
{
	uint64_t at = v->s->records_end + v->counted.record_count * SEGMENT_ROW_BYTES;
	const uint8_t *found = segment_cursor_bytes(&v->table, at, SEGMENT_ROW_BYTES, err);
	uint8_t wanted[SEGMENT_ROW_BYTES];
	struct segment_row row;

	if (!found)
		return -1;
	segment_row_of(r, position, &row);
	segment_format_row(&row, wanted);
	v->table_crc = crc32c_update(v->table_crc, found, SEGMENT_ROW_BYTES);
	return memcmp(found, wanted, sizeof(wanted)) == 0 ? 0 : damage(v, at, "a row of the request table differs from its record");
}

static int check_records(struct verification *v, struct error *err)
{
	const uint8_t *header, *stored;
	enum segment_step step;
	struct error why;
	struct record r;

	while ((step = segment_cursor_next(&v->cursor, &r, &header, &stored, &why)) == SEGMENT_STEP_RECORD) {
		uint64_t position = v->counted.records_end;

		if (r.seq != v->s->first_seq + v->counted.record_count)
			return damage(v, position, "the record's sequence number does not follow");
		if (v->s->sealed && v->counted.record_count == v->s->record_count)
			return damage(v, position, "more records than the footer says");
		check_content(v, &r, stored, position);
		if (v->s->sealed && check_row(v, &r, position, err) < 0)
			return -1;
		segment_count(&v->counted, &r);
		v->verdict->records++;
		if (r.type == RECORD_WRITE)
			v->verdict->bytes += r.length_bytes;
	}
	if (step == SEGMENT_STEP_FAILED) {
		*err = why;
		return -1;
	}
	if (step == SEGMENT_STEP_BAD && !v->verdict->damaged) {
		v->verdict->damaged = true;
		v->verdict->byte = v->cursor.position;
		v->verdict->damage = why;
	}
	return 0;
}

static int check_footer(struct verification *v, struct error *err)
{
	uint64_t at = v->s->records_end + v->s->record_count * SEGMENT_ROW_BYTES;
	const uint8_t *found = segment_cursor_bytes(&v->table, at, SEGMENT_FOOTER_BYTES, err);
	uint8_t wanted[SEGMENT_FOOTER_BYTES];

	if (!found)
		return -1;
	v->counted.compressed = v->s->compressed;
	segment_format_footer(&v->counted, ~v->table_crc, wanted);
	for (size_t i = 0; i < sizeof(wanted); i++)
		if (found[i] != wanted[i])
			return damage(v, at + i, "the footer differs from the records");
	return 0;
}

int segment_verify(const struct segment *s, const char *name, struct segment_verdict *ret, struct error *err)
{
	uint8_t *content AUTO_FREE = malloc(CODEC_CHUNK_BYTES);
	struct verification v = {.s = s, .name = name, .verdict = ret, .counted = *s, .table_crc = UINT32_MAX, .content = content};
	struct stat status;

	memset(ret, 0, sizeof(*ret));
	if (!content)
		return error_set(err, "out of memory");
	if (fstat(s->fd, &status) < 0)
		return error_set_errno(err, errno, "%s: cannot read", name);
	uint64_t file_bytes = (uint64_t)status.st_size, end = s->sealed ? s->records_end : file_bytes;

	if (file_bytes < SEGMENT_HEADER_BYTES)
		return damage(&v, file_bytes, "the header of the segment is cut short");
	segment_start(&v.counted);
	segment_cursor_init(&v.cursor, s->fd, name, SEGMENT_HEADER_BYTES, end);
	v.cursor.from = 0;
	segment_cursor_init(&v.table, s->fd, name, s->records_end, file_bytes);
	int result = check_header(&v, err);

	if (result == 0)
		result = check_records(&v, err);
	if (result == 0 && !ret->damaged && s->sealed) {
		if (v.counted.record_count != s->record_count)
			damage(&v, v.counted.records_end, "fewer records than the footer says");
		else
			result = check_footer(&v, err);
	}
	segment_cursor_release(&v.cursor);
	segment_cursor_release(&v.table);
	return result;
}
