// SPDX-License-Identifier: MIT
// A few short strings looked for in many bytes, in one pass. Private to ingest/.
//
// memmem() of glibc walks at 1 to 3 GB/s and takes one string. Here 16 (or 32) positions at once are compared at the three rarest
// letters of each string; only where all three agree the whole string is compared.
#ifndef INGEST_NEEDLE_H
#define INGEST_NEEDLE_H

#include <stdbool.h>
#include <stddef.h>

#define NEEDLE_MAX_BYTES 64
#define NEEDLE_MAX_COUNT 8

struct needle {
	char bytes[NEEDLE_MAX_BYTES];
	size_t length;
	size_t probe[3]; // offsets of its rarest letters
};

struct needles {
	struct needle items[NEEDLE_MAX_COUNT];
	size_t count;
	size_t longest;
};

// False when the set is full, or the string is empty or too long.
bool needles_add(struct needles *n, const char *bytes, size_t length);

// The first place at or behind `from` where one of them stands in full within [0, length), and which one; `length` when there is none.
size_t needles_find(const struct needles *n, const char *bytes, size_t length, size_t from, size_t *ret_which);

#endif
