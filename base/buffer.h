// SPDX-License-Identifier: MIT
// Bytes that grow. Appending never fails in the middle of a page of output:
// out of memory is remembered and told once, by buffer_check().
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
	char *bytes; // always NUL-terminated once anything was appended; may hold NULs
	size_t length, capacity;
	bool failed; // out of memory at some append; later appends do nothing
};

void buffer_release(struct buffer *b);           // frees; b is empty and usable again
void buffer_clear(struct buffer *b);             // length 0, keeps the memory
void buffer_add(struct buffer *b, const void *bytes, size_t length);
void buffer_add_string(struct buffer *b, const char *string);
void buffer_add_byte(struct buffer *b, char byte);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *buffer_string(const struct buffer *b); // "" when empty; valid until the next change
// 0, or -1 with "out of memory" when any append failed.
int buffer_check(const struct buffer *b, struct error *err);

// struct buffer line AUTO_RELEASE_BUFFER = {0};
#define AUTO_RELEASE_BUFFER __attribute__((cleanup(buffer_release)))

#endif
