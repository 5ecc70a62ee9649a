// SPDX-License-Identifier: MIT
// The instruction of SSE4.2 takes 3 cycles but one can start each cycle: three independent runs side by side keep it busy. Their results
// are joined by moving a checksum over the bytes that follow it, which is a multiplication modulo the polynomial.
#include "snapshots/crc32c.h"

#include "base/bytes.h"

#include <pthread.h>
#include <string.h>

#define POLYNOMIAL UINT32_C(0x82f63b78) // Castagnoli, bits reversed (RFC 3720 appendix B.4)
#define LANE_BYTES 1360                 // three of them and 16 bytes more are 4096
#define SHORT_LANE_BYTES 168

static uint32_t slices[8][256]; // checksum of a byte that 0 .. 7 zero bytes follow
static uint32_t zeros[4][256];  // x^(8 * digit * 256^place): the factor that moves a checksum over so many bytes
static uint32_t (*update)(uint32_t crc, const uint8_t *bytes, size_t length);
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

// a * b modulo the polynomial; the top bit is x^0.
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (; a != 0; a <<= 1) {
		product ^= b & (0 - (a >> 31));
		b = b >> 1 ^ (POLYNOMIAL & (0 - (b & 1)));
	}
	return product;
}

static uint32_t factor_of(uint32_t length)
{
	uint32_t factor = UINT32_C(1) << 31; // x^0

	for (unsigned place = 0; length != 0; place++, length >>= 8)
		if (length & 255)
			factor = multiply(zeros[place][length & 255], factor);
	return factor;
}

static uint32_t update_by_table(uint32_t crc, const uint8_t *bytes, size_t length)
{
	for (; length >= 8; bytes += 8, length -= 8) {
		uint32_t low = crc ^ get_le32(bytes), high = get_le32(bytes + 4);

		crc = slices[7][low & 255] ^ slices[6][low >> 8 & 255] ^ slices[5][low >> 16 & 255] ^ slices[4][low >> 24] ^
		      slices[3][high & 255] ^ slices[2][high >> 8 & 255] ^ slices[1][high >> 16 & 255] ^ slices[0][high >> 24];
	}
	while (length-- > 0)
		crc = slices[0][(crc ^ *bytes++) & 255] ^ crc >> 8;
	return crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

static uint32_t lane_moves[4][256], short_lane_moves[4][256]; // moves over a lane: one table for each byte of the checksum

static void prepare_moves(uint32_t moves[4][256], uint32_t lane_bytes)
{
	uint32_t factor = factor_of(lane_bytes);

	for (unsigned place = 0; place < 4; place++)
		for (uint32_t byte = 0; byte < 256; byte++)
			moves[place][byte] = multiply(factor, byte << 8 * place);
}

static uint32_t move(uint32_t moves[4][256], uint32_t crc)
{
	return moves[0][crc & 255] ^ moves[1][crc >> 8 & 255] ^ moves[2][crc >> 16 & 255] ^ moves[3][crc >> 24];
}

static uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

__attribute__((target("sse4.2"))) static uint32_t update_three_lanes(uint32_t crc, const uint8_t *bytes, size_t lane_bytes, uint32_t moves[4][256])
{
	uint64_t first = crc, second = 0, third = 0;

	for (size_t i = 0; i < lane_bytes; i += 8) {
		first = _mm_crc32_u64(first, word_at(bytes + i));
		second = _mm_crc32_u64(second, word_at(bytes + lane_bytes + i));
		third = _mm_crc32_u64(third, word_at(bytes + 2 * lane_bytes + i));
	}
	return move(moves, move(moves, (uint32_t)first) ^ (uint32_t)second) ^ (uint32_t)third;
}

__attribute__((target("sse4.2"))) static uint32_t update_by_instruction(uint32_t crc, const uint8_t *bytes, size_t length)
{
	for (; length >= 3 * LANE_BYTES; bytes += 3 * LANE_BYTES, length -= 3 * LANE_BYTES)
		crc = update_three_lanes(crc, bytes, LANE_BYTES, lane_moves);
	for (; length >= 3 * SHORT_LANE_BYTES; bytes += 3 * SHORT_LANE_BYTES, length -= 3 * SHORT_LANE_BYTES)
		crc = update_three_lanes(crc, bytes, SHORT_LANE_BYTES, short_lane_moves);
	for (; length >= 8; bytes += 8, length -= 8)
		crc = (uint32_t)_mm_crc32_u64(crc, word_at(bytes));
	while (length-- > 0)
		crc = _mm_crc32_u8(crc, *bytes++);
	return crc;
}
#endif

static void prepare(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (POLYNOMIAL & (0 - (crc & 1)));
		slices[0][byte] = crc;
	}
	for (unsigned i = 1; i < 8; i++)
		for (uint32_t byte = 0; byte < 256; byte++)
			slices[i][byte] = slices[0][slices[i - 1][byte] & 255] ^ slices[i - 1][byte] >> 8;
	for (unsigned place = 0; place < 4; place++) {
		zeros[place][0] = UINT32_C(1) << 31;
		zeros[place][1] = place == 0 ? UINT32_C(1) << 23 : multiply(zeros[place - 1][255], zeros[place - 1][1]);
		for (unsigned digit = 2; digit < 256; digit++)
			zeros[place][digit] = multiply(zeros[place][digit - 1], zeros[place][1]);
	}
	update = update_by_table;
#if defined(__x86_64__)
	prepare_moves(lane_moves, LANE_BYTES);
	prepare_moves(short_lane_moves, SHORT_LANE_BYTES);
	if (__builtin_cpu_supports("sse4.2"))
		update = update_by_instruction;
#endif
}

uint32_t crc32c_update(uint32_t crc, const void *bytes, size_t length)
{
	pthread_once(&prepared, prepare);
	return update(crc, bytes, length);
}

uint32_t crc32c_update_portable(uint32_t crc, const void *bytes, size_t length)
{
	pthread_once(&prepared, prepare);
	return update_by_table(crc, bytes, length);
}

uint32_t crc32c_shift(uint32_t crc, uint32_t length)
{
	pthread_once(&prepared, prepare);
	return multiply(factor_of(length), crc);
}
