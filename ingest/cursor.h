// SPDX-License-Identifier: MIT
// Steps through a body whose fields stand in the order in which the kernel writes them.
//
// Numbers end at the first byte that is no digit; the byte at `end` is one (see slot.h), so no step looks at a length. Each step
// returns false as soon as the text is not as expected, and the caller goes the generic way. Private to ingest/.
#ifndef INGEST_CURSOR_H
#define INGEST_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// A record has twenty steps of a few nanoseconds: a call for each would cost as much as the step.
#define CURSOR_STEP static inline __attribute__((always_inline))

struct cursor {
	const char *at, *end;
};

CURSOR_STEP bool cursor_skip(struct cursor *c, const char *word, size_t length)
{
	if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
		return false;
	c->at += length;
	return true;
}
#define CURSOR_SKIP(c, word) cursor_skip(c, word, sizeof(word) - 1)

CURSOR_STEP bool cursor_decimal(struct cursor *c, uint64_t *ret)
{
	const char *start = c->at, *p = start;
	uint64_t number = 0;
	unsigned digit;

	while ((digit = (unsigned)(unsigned char)*p - '0') <= 9) {
		number = number * 10 + digit;
		p++;
	}
	c->at = p;
	*ret = number;
	return p != start && p - start <= 19; // 19 digits always fit 64 bits
}

CURSOR_STEP bool cursor_decimal32(struct cursor *c, uint32_t *ret)
{
	uint64_t number;

	if (!cursor_decimal(c, &number) || number > UINT32_MAX)
		return false;
	*ret = (uint32_t)number;
	return true;
}

CURSOR_STEP bool cursor_signed(struct cursor *c, int64_t *ret)
{
	bool negative = *c->at == '-';
	uint64_t number;

	c->at += negative && c->at < c->end;
	if (!cursor_decimal(c, &number) || number > INT64_MAX)
		return false;
	*ret = negative ? -(int64_t)number : (int64_t)number;
	return true;
}

static inline bool cursor_hex_by_digit(struct cursor *c, uint64_t *ret)
{
	const char *start = c->at, *p = start;
	uint64_t number = 0;

	for (;; p++) {
		unsigned byte = (unsigned char)*p, digit = byte - '0';

		if (digit > 9) {
			digit = byte - 'a' + 10;
			if (byte - 'a' > 5)
				break;
		}
		number = number << 4 | digit;
	}
	c->at = p;
	*ret = number;
	return p != start && p - start <= 16;
}

#define CURSOR_ONES 0x0101010101010101u
#define CURSOR_HIGHS 0x8080808080808080u

// In each byte of the word, the highest bit: set where the byte (below 128) is `least` or more.
CURSOR_STEP uint64_t cursor_at_least(uint64_t word, unsigned least)
{
	return (word + (0x80 - least) * CURSOR_ONES) & CURSOR_HIGHS;
}

// Where the first byte stands that is no lower-case hex digit: 0..8. Bytes from 128 on are none.
CURSOR_STEP unsigned cursor_hex_digits(uint64_t word)
{
	uint64_t low = word & ~CURSOR_HIGHS;
	uint64_t digit = cursor_at_least(low, '0') & ~cursor_at_least(low, '9' + 1);
	uint64_t letter = cursor_at_least(low, 'a') & ~cursor_at_least(low, 'f' + 1);
	uint64_t other = ~((digit | letter) & ~word) & CURSOR_HIGHS;

	return other ? (unsigned)__builtin_ctzll(other) / 8 : 8;
}

// The number of the first `count` (1..8) digits of the word.
CURSOR_STEP uint64_t cursor_hex_word(uint64_t word, unsigned count)
{
	word <<= 8 * (8 - count); // zeros in front
	word = (word & 0x0f * CURSOR_ONES) + 9 * (word >> 6 & CURSOR_ONES);
	word = (word << 4 | word >> 8) & 0x00ff00ff00ff00ffu;
	word = (word << 8 | word >> 16) & 0x0000ffff0000ffffu;
	return (word << 16 | word >> 32) & 0xffffffffu;
}

// Lower case, as %lx writes. Addresses have 12 digits, four of them in each SYSCALL: eight digits at once.
CURSOR_STEP bool cursor_hex(struct cursor *c, uint64_t *ret)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (c->end - c->at >= 17) {
		uint64_t word, number;

		memcpy(&word, c->at, 8);
		unsigned count = cursor_hex_digits(word);

		if (count == 0)
			return false;
		number = cursor_hex_word(word, count);
		c->at += count;
		if (count == 8) {
			memcpy(&word, c->at, 8);
			count = cursor_hex_digits(word);
			if (count > 0)
				number = number << 4 * count | cursor_hex_word(word, count);
			c->at += count;
			if (count == 8 && cursor_hex_digits((unsigned char)*c->at) > 0)
				return false; // more than 64 bits
		}
		*ret = number;
		return true;
	}
#endif
	return cursor_hex_by_digit(c, ret);
}

CURSOR_STEP bool cursor_octal(struct cursor *c, uint64_t *ret)
{
	const char *start = c->at, *p = start;
	uint64_t number = 0;
	unsigned digit;

	while ((digit = (unsigned)(unsigned char)*p - '0') <= 7) {
		number = number << 3 | digit;
		p++;
	}
	c->at = p;
	*ret = number;
	return p != start && p - start <= 20;
}

// "text" or bare hex or (null): up to the closing quote, or the next space, or the end. Leaves the cursor behind it.
CURSOR_STEP bool cursor_string(struct cursor *c, const char **ret, size_t *ret_length, bool *ret_quoted)
{
	bool quoted = c->at < c->end && *c->at == '"';
	const char *start = c->at + quoted;
	const char *stop = memchr(start, quoted ? '"' : ' ', (size_t)(c->end - start));

	if (!stop && quoted)
		return false;
	if (!stop)
		stop = c->end;
	*ret = start;
	*ret_length = (size_t)(stop - start);
	*ret_quoted = quoted;
	c->at = stop + quoted;
	return true;
}

#endif
