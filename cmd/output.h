// SPDX-License-Identifier: MIT
// Where results go: standard output, a file, the two default files, a pager.
#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

#include "base/buffer.h"
#include "base/error.h"
#include "cmd/options.h"

#include <stdbool.h>

// Whether text for standard output is coloured: --color, NO_COLOR, a terminal.
bool output_wants_color(const struct options *o);
// Columns of the terminal on standard output, 100 when it is none.
size_t output_columns(void);
// Writes text to standard output, through the user's pager when that is a terminal.
int output_text(const struct options *o, const struct buffer *text, struct error *err);
// To FILE or, for "-", standard output. Refuses to put a picture onto a terminal.
int output_file(const struct options *o, const char *path, enum output_format format, const struct buffer *bytes, struct error *err);
// -1 and err when `path` may not be written (exists, no --force): asked before the work.
int output_check(const struct options *o, const char *path, struct error *err);

#endif
