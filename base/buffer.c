// SPDX-License-Identifier: MIT
#include "base/buffer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

void buffer_release(struct buffer *b)
{
	free(b->bytes);
	memset(b, 0, sizeof(*b));
}

void buffer_clear(struct buffer *b)
{
	b->length = 0;
	b->failed = false;
	if (b->bytes)
		b->bytes[0] = '\0';
}

// Room for `extra` bytes and the NUL after them.
static bool make_room(struct buffer *b, size_t extra)
{
	if (b->failed)
		return false;
	if (extra >= SIZE_MAX - b->length - 1) {
		b->failed = true;
		return false;
	}
	size_t needed = b->length + extra + 1;
	if (needed <= b->capacity)
		return true;

	size_t capacity = b->capacity ? b->capacity : FIRST_CAPACITY;
	while (capacity < needed)
		capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
	char *bytes = realloc(b->bytes, capacity);
	if (!bytes) {
		b->failed = true;
		return false;
	}
	b->bytes = bytes;
	b->capacity = capacity;
	return true;
}

void buffer_add(struct buffer *b, const void *bytes, size_t length)
{
	if (!make_room(b, length))
		return;
	if (length > 0)
		memcpy(b->bytes + b->length, bytes, length);
	b->length += length;
	b->bytes[b->length] = '\0';
}

void buffer_add_string(struct buffer *b, const char *string)
{
	buffer_add(b, string, strlen(string));
}

void buffer_add_byte(struct buffer *b, char byte)
{
	buffer_add(b, &byte, 1);
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
	va_list arguments, again;

	va_start(arguments, format);
	va_copy(again, arguments);
	char small[256];
	int length = vsnprintf(small, sizeof(small), format, arguments);
	va_end(arguments);
	if (length < 0) {
		b->failed = true;
	} else if ((size_t)length < sizeof(small)) {
		buffer_add(b, small, (size_t)length);
	} else if (make_room(b, (size_t)length)) {
		(void)vsnprintf(b->bytes + b->length, (size_t)length + 1, format, again);
		b->length += (size_t)length;
	}
	va_end(again);
}

const char *buffer_string(const struct buffer *b)
{
	return b->bytes ? b->bytes : "";
}

int buffer_check(const struct buffer *b, struct error *err)
{
	return b->failed ? error_set(err, "out of memory") : 0;
}
