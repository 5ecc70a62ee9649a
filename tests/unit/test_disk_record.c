// SPDX-License-Identifier: MIT
#include "tests/unit/unit.h"

#include "base/bytes.h"
#include "snapshots/crc32c.h"
#include "snapshots/record.h"

static const uint8_t content[16] = "eleven byte"; // and padding

static struct record example(void)
{
	return (struct record){.type = RECORD_WRITE, .codec = RECORD_LZ4, .flags = RECORD_FUA, .stored_bytes = 11, .seq = 7,
			       .realtime_ns = UINT64_C(1795252951562320442), .boottime_ns = 5, .offset_bytes = 4096, .length_bytes = 12};
}

static void check_round_trip(void)
{
	struct record r = example(), back;
	uint8_t header[RECORD_HEADER_BYTES], again[RECORD_HEADER_BYTES], identity[RECORD_IDENTITY_BYTES], same[RECORD_IDENTITY_BYTES];
	struct error err;

	record_encode(&r, content, header);
	CHECK(memcmp(header, "PGR1", 4) == 0);
	CHECK(record_decode(header, sizeof(header), &back, &err) == 0);
	CHECK(back.seq == 7 && back.realtime_ns == r.realtime_ns && back.boottime_ns == 5 && back.offset_bytes == 4096 && back.length_bytes == 12 &&
	      back.stored_bytes == 11 && back.flags == RECORD_FUA && back.type == RECORD_WRITE && back.codec == RECORD_LZ4);
	CHECK(record_check(&back, header, content));
	CHECK_EQUAL(record_total_bytes(&back), 72);
	record_encode_summed(&r, crc32c_update(0, content, 11), again);
	CHECK(memcmp(header, again, sizeof(header)) == 0);
	// Compressing changes no identity.
	record_identity(&r, identity);
	r.codec = RECORD_ZSTD;
	r.stored_bytes = 3;
	r.checksum = 0;
	record_identity(&r, same);
	CHECK(memcmp(identity, same, sizeof(identity)) == 0);
	CHECK(get_le64(identity) == 7 && identity[24] == RECORD_WRITE && get_le64(identity + 40) == 12);
}

static void check_flips(void)
{
	uint8_t bytes[RECORD_HEADER_BYTES + sizeof(content)];
	struct record r = example(), back;
	struct error err;

	record_encode(&r, content, bytes);
	memcpy(bytes + RECORD_HEADER_BYTES, content, sizeof(content));
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		bool accepted = record_decode(bytes, RECORD_HEADER_BYTES, &back, &err) == 0 && back.stored_bytes <= sizeof(content) &&
				record_check(&back, bytes, bytes + RECORD_HEADER_BYTES);

		CHECK(!accepted);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t length = 0; length < RECORD_HEADER_BYTES; length++)
		CHECK(record_decode(bytes, length, &back, &err) < 0);
}

// What a header must not say, even with the right checksum.
static void check_judgement(void)
{
	static const struct { struct record r; bool fine; } cases[] = {
		{{.type = RECORD_WRITE, .length_bytes = 512, .stored_bytes = 512}, true},
		{{.type = RECORD_WRITE, .length_bytes = 512, .stored_bytes = 0}, true},
		{{.type = RECORD_WRITE, .length_bytes = 512, .stored_bytes = 513}, false},
		{{.type = RECORD_WRITE, .length_bytes = 0}, false},
		{{.type = RECORD_WRITE, .length_bytes = RECORD_MAX_WRITE_BYTES}, true},
		{{.type = RECORD_WRITE, .length_bytes = RECORD_MAX_WRITE_BYTES + 1}, false},
		{{.type = RECORD_WRITE, .length_bytes = UINT64_MAX}, false},
		{{.type = RECORD_WRITE, .length_bytes = 512, .offset_bytes = UINT64_MAX - 511}, false},
		{{.type = RECORD_WRITE, .length_bytes = 512, .offset_bytes = UINT64_MAX - 512}, true},
		{{.type = RECORD_TRIM, .length_bytes = UINT32_MAX}, true},
		{{.type = RECORD_TRIM, .length_bytes = UINT64_C(1) << 32}, false},
		{{.type = RECORD_ZERO, .length_bytes = 512, .stored_bytes = 1}, false},
		{{.type = RECORD_ZERO, .length_bytes = 0}, false},
		{{.type = RECORD_FLUSH}, true},
		{{.type = RECORD_FLUSH, .offset_bytes = 1}, false},
		{{.type = RECORD_MARK, .length_bytes = 4, .stored_bytes = 4}, true},
		{{.type = RECORD_MARK, .length_bytes = 4, .stored_bytes = 3}, false},
		{{.type = RECORD_MARK, .length_bytes = 4, .stored_bytes = 4, .codec = RECORD_ZSTD}, false},
		{{.type = RECORD_MARK, .length_bytes = RECORD_MAX_NOTE_BYTES + 1, .stored_bytes = RECORD_MAX_NOTE_BYTES + 1}, false},
		{{.type = 0}, false},
		{{.type = RECORD_KEY + 1}, false},
		{{.type = RECORD_CLOSE, .codec = RECORD_ZSTD + 1}, false},
		{{.type = RECORD_CLOSE, .flags = 8}, false},
	};
	struct error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_EQUAL(record_judge(&cases[i].r, &err) == 0, cases[i].fine);
}

int main(void)
{
	check_round_trip();
	check_flips();
	check_judgement();
	CHECK_STRING(record_type_name(RECORD_TRIM), "trim");
	CHECK_STRING(record_type_name(200), "unknown");
	return unit_end();
}
