// SPDX-License-Identifier: MIT
#include "snapshots/record.h"

#include "base/bytes.h"
#include "snapshots/crc32c.h"

#include <inttypes.h>
#include <string.h>

#define MAGIC UINT32_C(0x31524750) // "PGR1"

static void put_header(const struct record *r, uint8_t header[RECORD_HEADER_BYTES])
{
	put_le32(header, MAGIC);
	put_le32(header + 4, 0);
	header[8] = r->type;
	header[9] = r->codec;
	put_le16(header + 10, r->flags);
	put_le32(header + 12, r->stored_bytes);
	put_le64(header + 16, r->seq);
	put_le64(header + 24, r->realtime_ns);
	put_le64(header + 32, r->boottime_ns);
	put_le64(header + 40, r->offset_bytes);
	put_le64(header + 48, r->length_bytes);
}

void record_encode_summed(struct record *r, uint32_t content_crc, uint8_t header[RECORD_HEADER_BYTES])
{
	put_header(r, header);
	uint32_t crc = crc32c_update(UINT32_MAX, header, RECORD_HEADER_BYTES);

	if (r->stored_bytes != 0)
		crc = crc32c_shift(crc, r->stored_bytes) ^ content_crc;
	r->checksum = ~crc;
	put_le32(header + 4, r->checksum);
}

void record_encode(struct record *r, const void *stored, uint8_t header[RECORD_HEADER_BYTES])
{
	record_encode_summed(r, crc32c_update(0, stored, r->stored_bytes), header);
}

// What the lengths may be for each type. NULL: fine; else what is wrong.
static const char *length_fault(const struct record *r)
{
	switch (r->type) {
	case RECORD_WRITE:
		if (r->length_bytes == 0 || r->length_bytes > RECORD_MAX_WRITE_BYTES)
			return "its length is out of range";
		// A codec that gains nothing is not used, so the stored form is never longer.
		return r->stored_bytes > r->length_bytes ? "more is stored than was written" : NULL;
	case RECORD_ZERO:
	case RECORD_TRIM:
		if (r->length_bytes == 0 || r->length_bytes > UINT32_MAX)
			return "its length is out of range";
		return r->stored_bytes != 0 || r->codec != RECORD_RAW ? "it has content" : NULL;
	default:
		if (r->length_bytes > RECORD_MAX_NOTE_BYTES)
			return "its length is out of range";
		if (r->offset_bytes != 0)
			return "it has an offset";
		return r->stored_bytes != r->length_bytes || r->codec != RECORD_RAW ? "its stored length differs from its length" : NULL;
	}
}

int record_judge(const struct record *r, struct error *err)
{
	if (r->type < RECORD_WRITE || r->type > RECORD_KEY)
		return error_set(err, "record of the unknown type %u", r->type);
	if (r->codec > RECORD_ZSTD)
		return error_set(err, "record in the unknown coding %u", r->codec);
	if (r->flags & ~RECORD_FLAGS_KNOWN)
		return error_set(err, "record with the unknown flags 0x%x", r->flags);
	const char *fault = length_fault(r);

	if (fault)
		return error_set(err, "record (%s): %s", record_type_name(r->type), fault);
	if (r->offset_bytes > UINT64_MAX - r->length_bytes)
		return error_set(err, "record (%s): its range ends beyond 2^64", record_type_name(r->type));
	return 0;
}

int record_decode(const uint8_t *bytes, size_t length, struct record *ret, struct error *err)
{
	if (length < RECORD_HEADER_BYTES)
		return error_set(err, "the header of a record is cut short: %zu of %d bytes", length, RECORD_HEADER_BYTES);
	if (get_le32(bytes) != MAGIC)
		return error_set(err, "no record begins here");
	struct record r = {
		.checksum = get_le32(bytes + 4),
		.type = bytes[8],
		.codec = bytes[9],
		.flags = get_le16(bytes + 10),
		.stored_bytes = get_le32(bytes + 12),
		.seq = get_le64(bytes + 16),
		.realtime_ns = get_le64(bytes + 24),
		.boottime_ns = get_le64(bytes + 32),
		.offset_bytes = get_le64(bytes + 40),
		.length_bytes = get_le64(bytes + 48),
	};

	if (r.seq == 0)
		return error_set(err, "record without a sequence number");
	if (record_judge(&r, err) < 0)
		return -1;
	*ret = r;
	return 0;
}

bool record_check(const struct record *r, const uint8_t *header, const uint8_t *stored)
{
	static const uint8_t no_checksum[4];
	uint32_t crc = crc32c_update(UINT32_MAX, header, 4);

	crc = crc32c_update(crc, no_checksum, 4);
	crc = crc32c_update(crc, header + 8, RECORD_HEADER_BYTES - 8);
	if (~crc32c_update(crc, stored, r->stored_bytes) != r->checksum)
		return false;
	for (uint64_t at = r->stored_bytes; at < record_total_bytes(r) - RECORD_HEADER_BYTES; at++)
		if (stored[at] != 0)
			return false;
	return true;
}

void record_identity(const struct record *r, uint8_t ret[RECORD_IDENTITY_BYTES])
{
	memset(ret, 0, RECORD_IDENTITY_BYTES);
	put_le64(ret, r->seq);
	put_le64(ret + 8, r->realtime_ns);
	put_le64(ret + 16, r->boottime_ns);
	ret[24] = r->type;
	put_le16(ret + 26, r->flags);
	put_le64(ret + 32, r->offset_bytes);
	put_le64(ret + 40, r->length_bytes);
}

const char *record_type_name(unsigned type)
{
	static const char *const names[] = {"unknown", "write", "zero", "trim", "flush", "clock", "mark", "gap", "open", "close", "checkpoint", "key"};

	return names[type < sizeof(names) / sizeof(names[0]) ? type : 0];
}
