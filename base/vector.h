// SPDX-License-Identifier: MIT
// A typed, growing array with open fields.
//
//     VECTOR_DEFINE(u32_vector, uint32_t);      // struct u32_vector { uint32_t *items; size_t count, capacity; }
//     struct u32_vector v = {0};
//     if (u32_vector_append(&v, 7) < 0) ...     // -1: out of memory, v unchanged
//     v.items[0]; v.count;
//     u32_vector_release(&v);                   // frees and zeroes
#ifndef BASE_VECTOR_H
#define BASE_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Grows `items` so that `needed` items of `size` bytes fit. 0, or -1 when out of memory (nothing changed).
int vector_grow(void **items, size_t *capacity, size_t needed, size_t size);

#define VECTOR_DEFINE(name, type)                                              \
	struct name {                                                          \
		type *items;                                                   \
		size_t count, capacity;                                        \
	};                                                                     \
	__attribute__((unused)) static inline int                              \
	name##_reserve(struct name *v, size_t extra)                           \
	{                                                                      \
		if (v->count + extra <= v->capacity)                           \
			return 0;                                              \
		void *items = v->items;                                        \
		if (vector_grow(&items, &v->capacity, v->count + extra,        \
				sizeof(type)) < 0)                             \
			return -1;                                             \
		v->items = items;                                              \
		return 0;                                                      \
	}                                                                      \
	__attribute__((unused)) static inline int                              \
	name##_append(struct name *v, type item)                               \
	{                                                                      \
		if (v->count == v->capacity && name##_reserve(v, 1) < 0)       \
			return -1;                                             \
		v->items[v->count++] = item;                                   \
		return 0;                                                      \
	}                                                                      \
	__attribute__((unused)) static inline void                             \
	name##_release(struct name *v)                                         \
	{                                                                      \
		free(v->items);                                                \
		memset(v, 0, sizeof(*v));                                      \
	}

VECTOR_DEFINE(u32_vector, uint32_t)
VECTOR_DEFINE(u64_vector, uint64_t)

#endif
