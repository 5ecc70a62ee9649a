// SPDX-License-Identifier: MIT
#include "ingest/needle.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_VECTORS 1
#endif

// Letters of audit logs, the most frequent first (counted over a recorded log of 30 MB). What is not here is rare.
static const char common_letters[] = "0= 612e7i3dsat5pc9fu4o8mgr\":y/n_FlDCE.()";

static size_t commonness(char letter)
{
	const char *at = letter ? strchr(common_letters, letter) : NULL;

	return at ? sizeof(common_letters) - (size_t)(at - common_letters) : 0;
}

// The three rarest offsets; fewer letters repeat the last choice.
static void choose_probes(struct needle *needle)
{
	bool taken[NEEDLE_MAX_BYTES] = { false };

	for (size_t i = 0; i < 3; i++) {
		size_t best = SIZE_MAX;

		for (size_t at = 0; at < needle->length; at++) {
			if (!taken[at] && (best == SIZE_MAX || commonness(needle->bytes[at]) < commonness(needle->bytes[best])))
				best = at;
		}
		if (best == SIZE_MAX)
			best = needle->probe[i - 1];
		needle->probe[i] = best;
		taken[best] = true;
	}
}

bool needles_add(struct needles *n, const char *bytes, size_t length)
{
	struct needle *needle = &n->items[n->count];

	if (n->count == NEEDLE_MAX_COUNT || length == 0 || length > NEEDLE_MAX_BYTES)
		return false;
	memcpy(needle->bytes, bytes, length);
	needle->length = length;
	choose_probes(needle);
	n->count++;
	if (length > n->longest)
		n->longest = length;
	return true;
}

static bool stands_at(const struct needle *needle, const char *bytes, size_t length, size_t at)
{
	return length - at >= needle->length && memcmp(bytes + at, needle->bytes, needle->length) == 0;
}

// Letter by letter: the last bytes of a block, and processors without vectors.
static size_t find_slowly(const struct needles *n, const char *bytes, size_t length, size_t from, size_t *ret_which)
{
	for (size_t at = from; at < length; at++) {
		for (size_t i = 0; i < n->count; i++) {
			if (bytes[at] == n->items[i].bytes[0] && stands_at(&n->items[i], bytes, length, at)) {
				*ret_which = i;
				return at;
			}
		}
	}
	return length;
}

#ifdef HAVE_VECTORS
// Of the places in `mask` (bit i: at + i), the first one where the needle stands; SIZE_MAX when there is none.
static inline size_t first_in_mask(const struct needle *needle, const char *bytes, size_t length, size_t at, uint32_t mask)
{
	for (; mask != 0; mask &= mask - 1) {
		size_t place = at + (size_t)__builtin_ctz(mask);

		if (stands_at(needle, bytes, length, place))
			return place;
	}
	return SIZE_MAX;
}

// Each block is compared with all needles; the earliest place in it wins.
#define FIND_BY_VECTORS(NAME, TARGET, WIDTH, VECTOR, SET, LOAD, EQUAL, AND, MASK)                                       \
	TARGET static size_t NAME(const struct needles *n, const char *bytes, size_t length, size_t from, size_t *ret_which) \
	{                                                                                                                \
		VECTOR letter[NEEDLE_MAX_COUNT][3];                                                                      \
		size_t at = from;                                                                                        \
                                                                                                                         \
		for (size_t i = 0; i < n->count; i++) {                                                                  \
			for (size_t k = 0; k < 3; k++)                                                                   \
				letter[i][k] = SET(n->items[i].bytes[n->items[i].probe[k]]);                             \
		}                                                                                                        \
		for (; at < length && length - at >= WIDTH + n->longest; at += WIDTH) {                                  \
			size_t best = SIZE_MAX;                                                                          \
                                                                                                                         \
			for (size_t i = 0; i < n->count; i++) {                                                          \
				const size_t *probe = n->items[i].probe;                                                 \
				VECTOR equal = EQUAL(LOAD((const void *)(bytes + at + probe[0])), letter[i][0]);         \
                                                                                                                         \
				equal = AND(equal, EQUAL(LOAD((const void *)(bytes + at + probe[1])), letter[i][1]));    \
				equal = AND(equal, EQUAL(LOAD((const void *)(bytes + at + probe[2])), letter[i][2]));    \
				uint32_t mask = (uint32_t)MASK(equal);                                                   \
				if (mask == 0)                                                                           \
					continue;                                                                        \
				size_t place = first_in_mask(&n->items[i], bytes, length, at, mask);                     \
				if (place < best) {                                                                      \
					best = place;                                                                    \
					*ret_which = i;                                                                  \
				}                                                                                        \
			}                                                                                                \
			if (best != SIZE_MAX)                                                                            \
				return best;                                                                             \
		}                                                                                                        \
		return find_slowly(n, bytes, length, at, ret_which);                                                     \
	}

FIND_BY_VECTORS(find_sse2, , 16, __m128i, _mm_set1_epi8, _mm_loadu_si128, _mm_cmpeq_epi8, _mm_and_si128, _mm_movemask_epi8)
FIND_BY_VECTORS(find_avx2, __attribute__((target("avx2"))), 32, __m256i, _mm256_set1_epi8, _mm256_loadu_si256, _mm256_cmpeq_epi8,
		_mm256_and_si256, _mm256_movemask_epi8)
#endif

size_t needles_find(const struct needles *n, const char *bytes, size_t length, size_t from, size_t *ret_which)
{
	if (n->count == 0 || from >= length)
		return length;
#ifdef HAVE_VECTORS
	if (__builtin_cpu_supports("avx2"))
		return find_avx2(n, bytes, length, from, ret_which);
	return find_sse2(n, bytes, length, from, ret_which);
#else
	return find_slowly(n, bytes, length, from, ret_which);
#endif
}
