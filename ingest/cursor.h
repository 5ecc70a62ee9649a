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

struct cursor {
	const char *at, *end;
};

static inline bool cursor_skip(struct cursor *c, const char *word, size_t length)
{
	if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
		return false;
	c->at += length;
	return true;
}
#define CURSOR_SKIP(c, word) cursor_skip(c, word, sizeof(word) - 1)

static inline bool cursor_decimal(struct cursor *c, uint64_t *ret)
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

static inline bool cursor_decimal32(struct cursor *c, uint32_t *ret)
{
	uint64_t number;

	if (!cursor_decimal(c, &number) || number > UINT32_MAX)
		return false;
	*ret = (uint32_t)number;
	return true;
}

static inline bool cursor_signed(struct cursor *c, int64_t *ret)
{
	bool negative = *c->at == '-';
	uint64_t number;

	c->at += negative && c->at < c->end;
	if (!cursor_decimal(c, &number) || number > INT64_MAX)
		return false;
	*ret = negative ? -(int64_t)number : (int64_t)number;
	return true;
}

// Lower case, as %lx writes.
static inline bool cursor_hex(struct cursor *c, uint64_t *ret)
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

static inline bool cursor_octal(struct cursor *c, uint64_t *ret)
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
static inline bool cursor_string(struct cursor *c, const char **ret, size_t *ret_length, bool *ret_quoted)
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
