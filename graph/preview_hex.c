// SPDX-License-Identifier: MIT
#include "graph/preview_hex.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define ROW 16u

static size_t row_length(const struct preview_content *c, size_t row)
{
	size_t at = row * ROW;

	return at >= c->length ? 0 : c->length - at < ROW ? c->length - at : ROW;
}

static const unsigned char *row_bytes(const struct preview_content *c, size_t row)
{
	return (const unsigned char *)c->bytes + row * ROW;
}

static size_t row_count(const struct preview_content *c)
{
	return (c->length + ROW - 1) / ROW;
}

static void add_row(struct buffer *out, const char *glyph, const struct preview_content *c, size_t row)
{
	size_t length = row_length(c, row);
	const unsigned char *bytes = length > 0 ? row_bytes(c, row) : NULL;

	buffer_printf(out, "%s%08zx ", glyph, row * ROW);
	for (size_t i = 0; i < ROW; i++) {
		buffer_add_string(out, i == ROW / 2 ? "  " : " ");
		if (i < length)
			buffer_printf(out, "%02x", bytes[i]);
		else
			buffer_add_string(out, "  ");
	}
	buffer_add_string(out, "  |");
	for (size_t i = 0; i < length; i++)
		buffer_add_byte(out, bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '.');
	buffer_add_string(out, "|\n");
}

static bool differs(const struct preview_content *a, const struct preview_content *b, size_t row)
{
	size_t length = row_length(a, row);

	if (length != row_length(b, row))
		return true;
	return length > 0 && memcmp(row_bytes(a, row), row_bytes(b, row), length) != 0;
}

static void rows_left(struct buffer *out, size_t rows, const char *words, bool *ret_is_cut)
{
	if (rows == 0)
		return;
	buffer_add_string(out, "@ ");
	text_count(out, rows);
	buffer_printf(out, " more row%s of 16 bytes%s\n", rows == 1 ? "" : "s", words);
	*ret_is_cut = true;
}

static void summary(const struct preview_content *a, const struct preview_content *b, size_t rows, size_t differing, struct buffer *out)
{
	buffer_add_string(out, "@ ");
	text_count(out, differing);
	buffer_add_string(out, " of ");
	text_count(out, rows);
	buffer_add_string(out, " rows of 16 bytes differ (");
	text_size(out, a->size_bytes);
	buffer_add_string(out, " before, ");
	text_size(out, b->size_bytes);
	buffer_add_string(out, " after)\n");
}

void preview_hex_two(const struct preview_content *before, const struct preview_content *after, size_t max_lines, struct buffer *out, bool *ret_is_cut)
{
	size_t a = row_count(before), b = row_count(after), rows = a > b ? a : b, differing = 0, shown = 0, lines = 1, last = SIZE_MAX;

	for (size_t i = 0; i < rows; i++)
		differing += differs(before, after, i);
	summary(before, after, rows, differing, out);
	for (size_t i = 0; i < rows && lines + 3 <= max_lines; i++) {
		if (!differs(before, after, i))
			continue;
		if (i > 0 && last != i - 1) { // the row before, for orientation: the same in both
			add_row(out, "  ", before, i - 1);
			lines++;
		}
		if (row_length(before, i) > 0)
			add_row(out, "- ", before, i);
		if (row_length(after, i) > 0)
			add_row(out, "+ ", after, i);
		lines += row_length(before, i) > 0 && row_length(after, i) > 0 ? 2 : 1;
		last = i;
		shown++;
	}
	rows_left(out, differing - shown, " differ", ret_is_cut);
}

void preview_hex_one(const struct preview_content *c, const char *glyph, size_t max_lines, struct buffer *out, bool *ret_is_cut)
{
	size_t rows = row_count(c), shown = rows < max_lines ? rows : max_lines;

	for (size_t i = 0; i < shown; i++)
		add_row(out, glyph, c, i);
	rows_left(out, rows - shown, "", ret_is_cut);
}
