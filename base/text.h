// SPDX-License-Identifier: MIT
// Every byte that came from a log or a disk was chosen by somebody. Nothing leaves the
// program but through here.
//
// text_visible() makes bytes safe to look at: valid UTF-8 out, each invalid byte as \xNN; C0 and DEL as \xNN; C1, zero
// width, direction marks and overrides, line/paragraph separators, BOM, non-characters as \uNNNN (\u{NNNNN} beyond the
// basic plane). A backslash stays as it is (paths on Linux rarely hold one and doubling hurts reading). The other
// functions escape for one place each, and call text_visible() first.
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void text_visible(struct buffer *out, const void *bytes, size_t length);
// For a terminal, the story, error messages: text_visible.
void text_terminal(struct buffer *out, const void *bytes, size_t length);
// XML text and attribute values: & < > " ' become entities.
void text_xml(struct buffer *out, const void *bytes, size_t length);
// One CSV cell, RFC 4180, quoted when needed; a cell that starts with = + - @ tab or CR gets a ' in front unless `raw`.
void text_csv(struct buffer *out, const void *bytes, size_t length, bool raw);
// A JSON string with its quotes. Valid UTF-8 is kept (control characters as \u00NN); each invalid byte becomes U+FFFD;
// *ret_lossy (may be NULL) says so, and the caller adds NAME_b64 with text_base64().
void text_json(struct buffer *out, const void *bytes, size_t length, bool *ret_lossy);
void text_base64(struct buffer *out, const void *bytes, size_t length);
// Inside a quoted DOT string: visible text, \ doubled, " as \", & as &amp; (labels decode entities). Without the quotes.
void text_dot(struct buffer *out, const void *bytes, size_t length);
// For a POSIX shell: single-quoted when needed. Visible text only; *ret_exact (may be NULL) = false when the bytes had to be changed.
void text_shell(struct buffer *out, const void *bytes, size_t length, bool *ret_exact);

// Cells that visible text takes on a grid: 2 for wide (East Asian) characters, 0 for combining marks, else 1.
size_t text_cells(const char *visible, size_t length);
// Cuts visible text in the middle to at most max_cells: 1/3 head, U+2026, 2/3 tail (the end of a path identifies it).
void text_cut_middle(struct buffer *out, const char *visible, size_t length, size_t max_cells);
// Base name and folder of a path as spans; "/" and "" behave as basename(1)/dirname(1) do.
void text_split_path(const char *path, size_t length, const char **ret_base, size_t *ret_base_length, size_t *ret_folder_length);

// Hex digits -> bytes, both cases. False when length is odd or a digit is not one; out may then be partly written.
bool text_unhex(uint8_t *out, const char *hex, size_t hex_length);
// Thousands separated by commas: 18,204.
void text_count(struct buffer *out, uint64_t n);
// 0 B, 4.1 KiB, 1.8 MiB.
void text_size(struct buffer *out, uint64_t bytes);

#endif
