// SPDX-License-Identifier: MIT
// Rows of 16 bytes, for graph/preview.c: offset, hexadecimal, what can be printed.
//
//     - 00001040  7f 45 4c 46 02 01 01 00  00 00 00 00 00 00 00 00  |.ELF............|
#ifndef GRAPH_PREVIEW_HEX_H
#define GRAPH_PREVIEW_HEX_H

#include "graph/preview.h"

// The rows that differ, byte against byte at the same offset; at most max_lines.
void preview_hex_two(const struct preview_content *before, const struct preview_content *after, size_t max_lines, struct buffer *out, bool *ret_is_cut);
// The first rows of one content.
void preview_hex_one(const struct preview_content *c, const char *glyph, size_t max_lines, struct buffer *out, bool *ret_is_cut);

#endif
