// SPDX-License-Identifier: MIT
#include "tests/unit/unit.h"

#include "snapshots/crc32c.h"

#include <stdlib.h>

static uint32_t by_bits(uint32_t crc, const uint8_t *bytes, size_t length)
{
	while (length-- > 0) {
		crc ^= *bytes++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ UINT32_C(0x82f63b78) : crc >> 1;
	}
	return crc;
}

// RFC 3720 appendix B.4
static void check_published(void)
{
	uint8_t bytes[32];

	memset(bytes, 0, sizeof(bytes));
	CHECK_EQUAL(crc32c(bytes, 32), UINT32_C(0x8a9136aa));
	memset(bytes, 0xff, sizeof(bytes));
	CHECK_EQUAL(crc32c(bytes, 32), UINT32_C(0x62a8ab43));
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	CHECK_EQUAL(crc32c(bytes, 32), UINT32_C(0x46dd794e));
	CHECK_EQUAL(crc32c("123456789", 9), UINT32_C(0xe3069283));
}

static void check_lengths(void)
{
	enum { MOST = 3 * 1360 * 3 + 700 };
	static uint8_t bytes[MOST + 8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * i + i / 7);
	for (size_t length = 0; length <= MOST; length += length < 64 ? 1 : 61) {
		size_t from = length % 8;
		uint32_t want = by_bits(0x12345678, bytes + from, length);

		CHECK_EQUAL(crc32c_update(0x12345678, bytes + from, length), want);
		CHECK_EQUAL(crc32c_update_portable(0x12345678, bytes + from, length), want);
		size_t cut = length / 3;
		uint32_t joined = crc32c_shift(crc32c_update(0x12345678, bytes + from, cut), (uint32_t)(length - cut)) ^
				  crc32c_update(0, bytes + from + cut, length - cut);

		CHECK_EQUAL(joined, want);
	}
	CHECK_EQUAL(crc32c_shift(0xdeadbeef, 0), UINT32_C(0xdeadbeef));
	uint32_t two = crc32c_shift(crc32c_shift(0xdeadbeef, UINT32_MAX - 70000), 70000);

	CHECK_EQUAL(crc32c_shift(0xdeadbeef, UINT32_MAX), two);
}

int main(void)
{
	check_published();
	check_lengths();
	return unit_end();
}
