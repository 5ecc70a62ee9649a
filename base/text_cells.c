// SPDX-License-Identifier: MIT
// Widths of visible text on a grid, so that labels are cut and boxes are drawn without asking a font.
#include "base/text.h"

#include "base/text_unicode.h"

#include <string.h>

// One character of visible text: its bytes and its cells. Bytes that are no UTF-8 count as one cell each.
static size_t next_character(const char *visible, size_t length, size_t *ret_cells)
{
	uint32_t code;
	size_t used = unicode_decode((const unsigned char *)visible, length, &code);

	if (used == 0) {
		*ret_cells = 1;
		return 1;
	}
	*ret_cells = unicode_cells(code);
	return used;
}

size_t text_cells(const char *visible, size_t length)
{
	size_t cells = 0, at = 0;

	while (at < length) {
		size_t wide;

		at += next_character(visible + at, length - at, &wide);
		cells += wide;
	}
	return cells;
}

// Bytes of the longest head that takes at most max_cells.
static size_t head_length(const char *visible, size_t length, size_t max_cells)
{
	size_t at = 0, cells = 0;

	while (at < length) {
		size_t wide, used = next_character(visible + at, length - at, &wide);

		if (cells + wide > max_cells)
			break;
		cells += wide;
		at += used;
	}
	return at;
}

void text_cut_middle(struct buffer *out, const char *visible, size_t length, size_t max_cells)
{
	size_t cells = text_cells(visible, length);

	if (cells <= max_cells) {
		buffer_add(out, visible, length);
		return;
	}
	if (max_cells == 0)
		return;
	size_t head_cells = (max_cells - 1) / 3, tail_cells = max_cells - 1 - head_cells;
	size_t head = head_length(visible, length, head_cells);
	// The tail begins at the first character from which what is left fits.
	size_t tail = head, left = cells - text_cells(visible, head);

	while (tail < length && left > tail_cells) {
		size_t wide, used = next_character(visible + tail, length - tail, &wide);

		tail += used;
		left -= wide;
	}
	buffer_add(out, visible, head);
	buffer_add_string(out, "\u2026");
	buffer_add(out, visible + tail, length - tail);
}
