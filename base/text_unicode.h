// SPDX-License-Identifier: MIT
// What base/text has to know of Unicode, and nothing else.
#ifndef BASE_TEXT_UNICODE_H
#define BASE_TEXT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Decodes one character of UTF-8 at p (length > 0). The number of its bytes, or 0 when the first byte begins no valid
// sequence (cut, overlong, above U+10FFFF). A surrogate that was encoded as three bytes is decoded, so that it can be named:
// it is hidden by unicode_is_hidden(), and text_json() refuses it.
size_t unicode_decode(const unsigned char *p, size_t length, uint32_t *ret_code);

// Characters that show nothing, change the direction or the lines of the text around them, or are none at all.
bool unicode_is_hidden(uint32_t code);

// Cells on a grid: 0 combining, 2 wide (East Asian W and F, emoji), else 1.
unsigned unicode_cells(uint32_t code);

#endif
