// SPDX-License-Identifier: MIT
#include "ingest/fields.h"

// One more than the value of a hex digit, 0 for every other byte. Lower case too: a0= and saddr= of other writers have it.
static const uint8_t hex_plus_1[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

// 0..15, or 0xff.
static inline uint8_t hex_value(char c)
{
	return (uint8_t)(hex_plus_1[(unsigned char)c] - 1);
}

// The end of a value: the closing quote's place for quoted text, else the next space. Without a closing quote (a cut line) the
// value goes on to the end.
static const char *value_end(const char *value, const char *end, bool quoted)
{
	const char *found = memchr(value, quoted ? '"' : ' ', (size_t)(end - value));

	return found ? found : end;
}

bool field_next(const char **cursor, const char *end, struct field *ret)
{
	const char *p = *cursor;

	while (p < end) {
		if (*p == ' ') {
			p++;
			continue;
		}
		const char *key = p;

		while (p < end && *p != '=' && *p != ' ')
			p++;
		if (p == end || *p == ' ')
			continue; // a word that belongs to the value before it
		ret->key = key;
		ret->key_length = (size_t)(p - key);
		p++;
		ret->quoted = p < end && *p == '"';
		if (ret->quoted)
			p++;
		ret->value = p;
		p = value_end(p, end, ret->quoted);
		ret->value_length = (size_t)(p - ret->value);
		*cursor = ret->quoted && p < end ? p + 1 : p;
		return true;
	}
	*cursor = end;
	return false;
}

bool field_is(const struct field *f, const char *key)
{
	size_t length = strlen(key);

	return f->key_length == length && memcmp(f->key, key, length) == 0;
}

bool number_decimal(const char *bytes, size_t length, uint64_t *ret)
{
	uint64_t number = 0;

	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned)(unsigned char)bytes[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(number, 10u, &number) || __builtin_add_overflow(number, digit, &number))
			return false;
	}
	*ret = number;
	return true;
}

bool number_decimal32(const char *bytes, size_t length, uint32_t *ret)
{
	uint64_t number;

	if (!number_decimal(bytes, length, &number) || number > UINT32_MAX)
		return false;
	*ret = (uint32_t)number;
	return true;
}

bool number_signed(const char *bytes, size_t length, int64_t *ret)
{
	bool negative = length > 0 && bytes[0] == '-';
	uint64_t number;

	if (!number_decimal(bytes + negative, length - negative, &number))
		return false;
	if (number > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = (int64_t)(negative ? 0 - number : number);
	return true;
}

bool number_hex(const char *bytes, size_t length, uint64_t *ret)
{
	uint64_t number = 0;

	if (length > 2 && bytes[0] == '0' && (bytes[1] | 0x20) == 'x') {
		bytes += 2;
		length -= 2;
	}
	if (length == 0 || length > 16)
		return false;
	for (size_t i = 0; i < length; i++) {
		uint8_t digit = hex_value(bytes[i]);

		if (digit > 15)
			return false;
		number = number << 4 | digit;
	}
	*ret = number;
	return true;
}

bool number_octal(const char *bytes, size_t length, uint64_t *ret)
{
	uint64_t number = 0;

	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned)(unsigned char)bytes[i] - '0';

		if (digit > 7 || number >> 61)
			return false;
		number = number << 3 | digit;
	}
	*ret = number;
	return true;
}

bool hex_decode(const char *hex, size_t length, uint8_t *out)
{
	uint8_t bad = 0;

	if (length % 2 != 0)
		return false;
	for (size_t i = 0; i < length; i += 2) {
		uint8_t high = hex_value(hex[i]), low = hex_value(hex[i + 1]);

		bad |= high | low; // 0xff leaves its upper half behind
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	return (bad & 0xf0) == 0;
}

static bool is_absent(const char *value, size_t length)
{
	return (length == 6 && (memcmp(value, "(null)", 6) == 0 || memcmp(value, "(none)", 6) == 0)) ||
	       (length == 1 && value[0] == '?') || length == 0;
}

bool field_string(const char *value, size_t length, bool quoted, struct buffer *scratch, const char **ret_bytes, size_t *ret_length)
{
	uint8_t piece[256];

	*ret_bytes = value;
	*ret_length = length;
	if (quoted)
		return true;
	if (is_absent(value, length))
		return false;
	if (length % 2 != 0)
		return true;
	buffer_clear(scratch);
	for (size_t i = 0; i < length; i += 2 * sizeof(piece)) {
		size_t part = length - i < 2 * sizeof(piece) ? length - i : 2 * sizeof(piece);

		if (!hex_decode(value + i, part, piece))
			return true; // bare text
		buffer_add(scratch, piece, part / 2);
	}
	if (scratch->failed)
		return true;
	*ret_bytes = scratch->bytes;
	*ret_length = scratch->length;
	return true;
}

uint32_t field_intern(struct intern *strings, struct buffer *scratch, const char *value, size_t length, bool quoted, bool *ret_present)
{
	const char *bytes;
	size_t bytes_length;

	*ret_present = field_string(value, length, quoted, scratch, &bytes, &bytes_length);
	return *ret_present ? intern_add(strings, bytes, bytes_length) : 0;
}
