// SPDX-License-Identifier: MIT
// A keyed hash of lines, to know again one that was seen before. The key is random: nobody can write a line that passes for another one.
// Only for telling lines apart within one run: nothing that is printed may depend on it.
#ifndef BASE_LINE_HASH_H
#define BASE_LINE_HASH_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct line_key { uint64_t word[2]; };
int line_key_random(struct line_key *ret, struct error *err);
uint64_t line_hash(const struct line_key *key, const void *bytes, size_t length);

#endif
