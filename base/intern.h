// SPDX-License-Identifier: MIT
// Strings that occur often, kept once and named by a number.
//
// Ids are dense and given in order of first sight, so the same input gives the same
// ids. Id 0 is the empty string, which also stands for "absent". A string may hold
// any byte, NUL too; a NUL follows it for C functions. Strings live until
// intern_free(). One thread.
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intern;

struct intern *intern_new(void); // NULL: out of memory
void intern_free(struct intern *in);
// The id of (bytes, length). 0 also when out of memory: see intern_failed().
uint32_t intern_add(struct intern *in, const void *bytes, size_t length);
uint32_t intern_add_string(struct intern *in, const char *string);
// The id if it is known, else 0. Never adds.
uint32_t intern_find(const struct intern *in, const void *bytes, size_t length);
const char *intern_string(const struct intern *in, uint32_t id);
size_t intern_length(const struct intern *in, uint32_t id);
size_t intern_count(const struct intern *in); // ids are 0 .. count-1
bool intern_failed(const struct intern *in);  // some add ran out of memory

#endif
