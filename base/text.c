// SPDX-License-Identifier: MIT
#include "base/text.h"

#include "base/memory.h"
#include "base/text_unicode.h"

#include <string.h>

static bool is_plain_ascii(unsigned char c)
{
	return c >= 0x20 && c < 0x7f;
}

static size_t plain_run(const unsigned char *p, size_t length)
{
	size_t n = 0;

	while (n < length && is_plain_ascii(p[n]))
		n++;
	return n;
}

void text_visible(struct buffer *out, const void *bytes, size_t length)
{
	const unsigned char *p = bytes;

	while (length > 0) {
		size_t run = plain_run(p, length), used = run;

		if (run > 0) {
			buffer_add(out, p, run);
		} else {
			uint32_t code;

			used = unicode_decode(p, length, &code);
			if (used == 0) {
				buffer_printf(out, "\\x%02x", *p);
				used = 1;
			} else if (code < 0x80) {
				buffer_printf(out, "\\x%02x", code);
			} else if (!unicode_is_hidden(code)) {
				buffer_add(out, p, used);
			} else if (code <= 0xffff) {
				buffer_printf(out, "\\u%04x", code);
			} else {
				buffer_printf(out, "\\u{%x}", code);
			}
		}
		p += used;
		length -= used;
	}
}

void text_terminal(struct buffer *out, const void *bytes, size_t length)
{
	text_visible(out, bytes, length);
}

// What a character of visible text becomes in one place; NULL: itself.
typedef const char *replacement(char c);

static void add_replaced(struct buffer *out, const void *bytes, size_t length, replacement *replace)
{
	struct buffer visible = {0};

	text_visible(&visible, bytes, length);
	size_t from = 0;
	for (size_t i = 0; i < visible.length; i++) {
		const char *instead = replace(visible.bytes[i]);

		if (!instead)
			continue;
		buffer_add(out, visible.bytes + from, i - from);
		buffer_add_string(out, instead);
		from = i + 1;
	}
	if (visible.length > from)
		buffer_add(out, visible.bytes + from, visible.length - from);
	if (visible.failed)
		out->failed = true;
	buffer_release(&visible);
}

static const char *xml_entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void text_xml(struct buffer *out, const void *bytes, size_t length)
{
	add_replaced(out, bytes, length, xml_entity);
}

static const char *dot_escape(char c)
{
	return c == '\\' ? "\\\\" : c == '"' ? "\\\"" : c == '&' ? "&amp;" : NULL;
}

void text_dot(struct buffer *out, const void *bytes, size_t length)
{
	add_replaced(out, bytes, length, dot_escape);
}

static const char *csv_double(char c)
{
	return c == '"' ? "\"\"" : NULL;
}

// What a spreadsheet takes for the start of a formula. The wide forms count too: some programs fold them to ASCII.
static bool starts_formula(const char *visible, size_t length)
{
	static const char *const wide[] = {"\uff1d", "\uff0b", "\uff0d", "\uff20"};

	if (length == 0)
		return false;
	if (strchr("=+-@\t\r", visible[0]))
		return true;
	for (size_t i = 0; i < ARRAY_LENGTH(wide); i++)
		if (length >= 3 && memcmp(visible, wide[i], 3) == 0)
			return true;
	return false;
}

// Beyond RFC 4180: ; and tab separate cells in some locales, and a space at either end is dropped by some readers.
static bool needs_csv_quotes(const char *cell, size_t length)
{
	if (length == 0)
		return false;
	if (cell[0] == ' ' || cell[length - 1] == ' ')
		return true;
	for (size_t i = 0; i < length; i++)
		if (strchr(",;\"'\t\r\n", cell[i]))
			return true;
	return false;
}

void text_csv(struct buffer *out, const void *bytes, size_t length, bool raw)
{
	struct buffer cell = {0};

	text_visible(&cell, bytes, length);
	if (!raw && starts_formula(buffer_string(&cell), cell.length)) {
		struct buffer marked = {0};

		buffer_add_byte(&marked, '\'');
		buffer_add(&marked, cell.bytes, cell.length);
		buffer_release(&cell);
		cell = marked;
	}
	bool quoted = needs_csv_quotes(buffer_string(&cell), cell.length);
	if (quoted)
		buffer_add_byte(out, '"');
	add_replaced(out, buffer_string(&cell), cell.length, csv_double);
	if (quoted)
		buffer_add_byte(out, '"');
	if (cell.failed)
		out->failed = true;
	buffer_release(&cell);
}

static void json_character(struct buffer *out, const unsigned char *p, size_t length, uint32_t code)
{
	if (code == '"' || code == '\\') {
		buffer_add_byte(out, '\\');
		buffer_add_byte(out, (char)code);
	} else if (code >= 0x20 && code != 0x7f && !unicode_is_hidden(code)) {
		buffer_add(out, p, length);
	} else if (code <= 0xffff) {
		buffer_printf(out, "\\u%04x", code);
	} else {
		// RFC 8259 section 7: beyond the basic plane as a pair of surrogates.
		uint32_t above = code - 0x10000;

		buffer_printf(out, "\\u%04x\\u%04x", 0xd800 + (above >> 10), 0xdc00 + (above & 0x3ff));
	}
}

// What is not visible is written as \uNNNN: a parser gives back the same characters, and a terminal that shows the file obeys none.
void text_json(struct buffer *out, const void *bytes, size_t length, bool *ret_lossy)
{
	const unsigned char *p = bytes;
	bool lossy = false;

	buffer_add_byte(out, '"');
	while (length > 0) {
		uint32_t code;
		size_t used = unicode_decode(p, length, &code);

		if (used == 0 || (code >= 0xd800 && code <= 0xdfff)) {
			used = 1;
			lossy = true;
			buffer_add_string(out, "\xef\xbf\xbd");
		} else {
			json_character(out, p, used, code);
		}
		p += used;
		length -= used;
	}
	buffer_add_byte(out, '"');
	if (ret_lossy)
		*ret_lossy = lossy;
}

void text_base64(struct buffer *out, const void *bytes, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = bytes;

	for (size_t i = 0; i < length; i += 3) {
		size_t here = length - i < 3 ? length - i : 3;
		uint32_t word = (uint32_t)p[i] << 16;

		if (here > 1)
			word |= (uint32_t)p[i + 1] << 8;
		if (here > 2)
			word |= p[i + 2];
		char four[4] = {digits[word >> 18], digits[(word >> 12) & 63], digits[(word >> 6) & 63], digits[word & 63]};

		if (here < 3)
			four[3] = '=';
		if (here < 2)
			four[2] = '=';
		buffer_add(out, four, sizeof(four));
	}
}

static const char *shell_quote(char c)
{
	return c == '\'' ? "'\\''" : NULL;
}

void text_shell(struct buffer *out, const void *bytes, size_t length, bool *ret_exact)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+,-";
	struct buffer visible = {0};

	text_visible(&visible, bytes, length);
	if (ret_exact)
		*ret_exact = visible.length == length && (length == 0 || memcmp(visible.bytes, bytes, length) == 0);
	bool plain = visible.length > 0 && strspn(buffer_string(&visible), safe) == visible.length;
	if (!plain)
		buffer_add_byte(out, '\'');
	add_replaced(out, buffer_string(&visible), visible.length, shell_quote);
	if (!plain)
		buffer_add_byte(out, '\'');
	if (visible.failed)
		out->failed = true;
	buffer_release(&visible);
}

void text_split_path(const char *path, size_t length, const char **ret_base, size_t *ret_base_length, size_t *ret_folder_length)
{
	size_t end = length;

	while (end > 1 && path[end - 1] == '/')
		end--;
	size_t start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	if (end == 1 && path[0] == '/')
		start = 0;
	size_t folder = start;
	while (folder > 1 && path[folder - 1] == '/')
		folder--;
	*ret_base = path + start;
	*ret_base_length = end - start;
	*ret_folder_length = end == 1 && path[0] == '/' ? 1 : folder;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool text_unhex(uint8_t *out, const char *hex, size_t hex_length)
{
	if (hex_length % 2 != 0)
		return false;
	for (size_t i = 0; i < hex_length; i += 2) {
		int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void text_count(struct buffer *out, uint64_t n)
{
	if (n >= 1000) {
		text_count(out, n / 1000);
		buffer_printf(out, ",%03u", (unsigned)(n % 1000));
	} else {
		buffer_printf(out, "%u", (unsigned)n);
	}
}

void text_size(struct buffer *out, uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t unit = 0;

	if (bytes < 1024) {
		buffer_printf(out, "%u B", (unsigned)bytes);
		return;
	}
	// Tenths, rounded down, in whole numbers: the same digits on every machine.
	uint64_t rest = bytes;
	while (rest >= 1024 * 1024 && unit + 1 < ARRAY_LENGTH(units)) {
		rest /= 1024;
		unit++;
	}
	uint64_t tenths = rest % 1024 * 10 / 1024;
	buffer_printf(out, "%u.%u %s", (unsigned)(rest / 1024), (unsigned)tenths, units[unit]);
}
