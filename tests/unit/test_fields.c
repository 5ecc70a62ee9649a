// SPDX-License-Identifier: MIT
#include "ingest/cursor.h"
#include "ingest/fields.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static void check_pair(const char **cursor, const char *end, const char *key, const char *value, bool quoted)
{
	struct field f = {0};
	char got[64];

	CHECK(field_next(cursor, end, &f));
	CHECK(field_is(&f, key));
	(void)snprintf(got, sizeof(got), "%.*s", (int)f.value_length, f.value);
	CHECK_STRING(got, value);
	CHECK_EQUAL(f.quoted, quoted);
}

static void test_pairs(void)
{
	const char text[] = " a=1  b=\"x y\" label=/usr/sbin/cupsd (enforce) key=(null) empty= d=\"no end";
	const char *p = text, *end = text + sizeof(text) - 1;
	struct field f;

	check_pair(&p, end, "a", "1", false);
	check_pair(&p, end, "b", "x y", true);
	check_pair(&p, end, "label", "/usr/sbin/cupsd", false);
	check_pair(&p, end, "key", "(null)", false);
	check_pair(&p, end, "empty", "", false);
	check_pair(&p, end, "d", "no end", true);
	CHECK(!field_next(&p, end, &f));
	CHECK(p == end);
}

#define NUMBER(function, text, ret) function(text, strlen(text), ret)

static void test_numbers(void)
{
	uint64_t n = 7;
	uint32_t small = 7;
	int64_t i = 7;

	CHECK(NUMBER(number_decimal, "18446744073709551615", &n) && n == UINT64_MAX);
	CHECK(!NUMBER(number_decimal, "18446744073709551616", &n));
	CHECK(!NUMBER(number_decimal, "", &n) && !NUMBER(number_decimal, "1a", &n) && !NUMBER(number_decimal, "-1", &n));
	CHECK(n == UINT64_MAX);
	CHECK(NUMBER(number_decimal32, "4294967295", &small) && small == UINT32_MAX);
	CHECK(!NUMBER(number_decimal32, "4294967296", &small));
	CHECK(NUMBER(number_signed, "-115", &i) && i == -115);
	CHECK(NUMBER(number_signed, "-9223372036854775808", &i) && i == INT64_MIN);
	CHECK(!NUMBER(number_signed, "9223372036854775808", &i) && !NUMBER(number_signed, "-", &i));
	CHECK(NUMBER(number_hex, "ffffffffffffff9c", &n) && n == (uint64_t)-100);
	CHECK(NUMBER(number_hex, "0x8", &n) && n == 8);
	CHECK(!NUMBER(number_hex, "0x", &n) && !NUMBER(number_hex, "11112222333344445", &n) && !NUMBER(number_hex, "g", &n));
	CHECK(NUMBER(number_octal, "0102", &n) && n == 0102);
	CHECK(NUMBER(number_octal, "00", &n) && n == 0);
	CHECK(!NUMBER(number_octal, "08", &n) && !NUMBER(number_octal, "77777777777777777777777", &n));
}

// Eight digits at once must be the same as one after another, for every length and every stop.
static void test_cursor_hex(void)
{
	static const char stops[] = " \n\"G/:`gz\x80\xff";

	for (size_t digits = 0; digits <= 18; digits++) {
		for (size_t k = 0; k < sizeof(stops); k++) {
			char text[40];
			uint64_t fast = 1, slow = 1;

			memset(text, ' ', sizeof(text));
			for (size_t i = 0; i < digits; i++)
				text[i] = "0123456789abcdef"[(i * 7 + k) % 16];
			text[digits] = stops[k];
			struct cursor a = {text, text + sizeof(text)}, b = {text, text + sizeof(text)};
			bool got = cursor_hex(&a, &fast), want = cursor_hex_by_digit(&b, &slow);

			CHECK(got == want);
			CHECK(!want || (fast == slow && a.at == b.at));
		}
	}
}

static void check_string(const char *value, bool quoted, const char *want, size_t want_length)
{
	struct buffer scratch = {0};
	const char *bytes;
	size_t length;
	bool present = field_string(value, strlen(value), quoted, &scratch, &bytes, &length);

	CHECK_EQUAL(present, want != NULL);
	if (present && want) {
		CHECK_EQUAL(length, want_length);
		CHECK(length == want_length && memcmp(bytes, want, length) == 0);
	}
	buffer_release(&scratch);
}

// The quotes decide, never the look of the text.
static void test_strings(void)
{
	check_string("DEADBEEF", true, "DEADBEEF", 8);
	check_string("DEADBEEF", false, "\xde\xad\xbe\xef", 4);
	check_string("(null)", true, "(null)", 6);
	check_string("(null)", false, NULL, 0);
	check_string("(none)", false, NULL, 0);
	check_string("?", false, NULL, 0);
	check_string("", true, "", 0);
	check_string("", false, NULL, 0);
	check_string("6100620A", false, "a\0b\n", 4);
	check_string("pts0", false, "pts0", 4);
	check_string("ABC", false, "ABC", 3); // odd: no hex
	check_string("1D415549443D22726F6F7422", false, "\x1d" "AUID=\"root\"", 12);
}

static void test_hex(void)
{
	uint8_t out[4];

	CHECK(hex_decode("00fFA1", 6, out) && out[0] == 0 && out[1] == 0xff && out[2] == 0xa1);
	CHECK(hex_decode("", 0, out));
	CHECK(!hex_decode("0", 1, out) && !hex_decode("0g", 2, out) && !hex_decode("g0", 2, out) && !hex_decode("0 ", 2, out));
}

int main(void)
{
	test_pairs();
	test_numbers();
	test_cursor_hex();
	test_strings();
	test_hex();
	return unit_end();
}
