// SPDX-License-Identifier: MIT
#include "tests/unit/unit.h"

#include "snapshots/codec.h"

#include <stdlib.h>

#define MOST (3 * CODEC_CHUNK_BYTES + 1000)

static uint8_t content[MOST], got[MOST];

static void check_trim(void)
{
	uint8_t bytes[64] = {0};

	CHECK_EQUAL(codec_trim(bytes, 0), 0);
	for (size_t length = 0; length <= sizeof(bytes); length++) {
		CHECK_EQUAL(codec_trim(bytes, length), 0);
		for (size_t last = 0; last < length; last++) {
			bytes[last] = 1;
			CHECK_EQUAL(codec_trim(bytes, length), last + 1);
			bytes[last] = 0;
		}
	}
}

enum kind { TEXT, NOISE, MIXED, ENDING_IN_ZEROS, KINDS };
static void fill(enum kind kind, size_t length)
{
	uint32_t random = 1;

	for (size_t i = 0; i < length; i++) {
		random = random * 1664525 + 1013904223;
		bool noisy = kind == NOISE || (kind == MIXED && i / CODEC_CHUNK_BYTES % 2 == 1);

		content[i] = noisy ? (uint8_t)(random >> 16) : (uint8_t)("a line of a log\n"[i % 16] + (i % 4096 == 0));
		if (kind == ENDING_IN_ZEROS && i > length / 2)
			content[i] = 0;
	}
}

// Any piece of what was stored comes back; whatever is stored in its place gives an error or some bytes, never more.
static void check_round_trip(enum record_codec wanted, enum kind kind, size_t length)
{
	struct buffer stored = {0};
	struct error err;

	fill(kind, length);
	buffer_add(&stored, "before", 6);
	enum record_codec codec = codec_encode(wanted, content, length, &stored);
	const char *bytes = stored.bytes + 6;
	size_t stored_bytes = stored.length - 6;

	CHECK(stored_bytes <= length && memcmp(stored.bytes, "before", 6) == 0);
	if (wanted == RECORD_RAW || kind == NOISE || length < 16)
		CHECK_EQUAL(codec, RECORD_RAW);
	else
		CHECK(codec == wanted && stored_bytes < length * 3 / 4);
	for (size_t from = 0; from < length; from += length / 7 + 1) {
		for (size_t piece = 1; piece <= length - from; piece = piece * 5 + 3) {
			memset(got, 0xee, sizeof(got));
			CHECK(codec_decode(codec, bytes, stored_bytes, length, from, got, piece, &err) == 0);
			CHECK(memcmp(got, content + from, piece) == 0 && (from + piece == MOST || got[piece] == 0xee));
		}
	}
	CHECK(codec_decode(codec, bytes, stored_bytes, length, length, got, 1, &err) < 0);
	CHECK(codec_decode(codec, bytes, stored_bytes, length, UINT64_MAX, got, 2, &err) < 0);
	for (size_t cut = 0; codec != RECORD_RAW && cut < stored_bytes; cut += 1 + stored_bytes / 50) {
		char *shorter = malloc(cut + 1); // exactly as long, so that a read beyond it is seen

		memcpy(shorter, bytes, cut);
		CHECK(codec_decode(codec, shorter, cut, length, 0, got, length, &err) < 0);
		free(shorter);
	}
	buffer_release(&stored);
}

int main(void)
{
	static const size_t lengths[] = {1, 8, 9, 512, 4096, CODEC_CHUNK_BYTES, CODEC_CHUNK_BYTES + 1, MOST};

	check_trim();
	for (unsigned codec = RECORD_RAW; codec <= RECORD_ZSTD; codec++)
		for (unsigned kind = 0; kind < KINDS; kind++)
			for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
				if (kind != MIXED || lengths[i] == MOST)
					check_round_trip(codec, kind, lengths[i]);
	return unit_end();
}
