// SPDX-License-Identifier: MIT
#include "base/line_hash.h"

#include <string.h>
#include <sys/random.h>

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

int line_key_random(struct line_key *ret, struct error *err)
{
	if (getrandom(ret->word, sizeof(ret->word), 0) != (ssize_t)sizeof(ret->word))
		return error_set(err, "the system gives no random numbers");
	ret->word[1] |= 1;
	return 0;
}

uint64_t line_hash(const struct line_key *key, const void *bytes, size_t length)
{
	const char *at = bytes;
	uint64_t state = key->word[0] ^ length, word;

	for (; length >= 8; at += 8, length -= 8) {
		memcpy(&word, at, 8);
		state = fold(state ^ word, key->word[1]) + word;
	}
	word = 0;
	if (length > 0)
		memcpy(&word, at, length);
	state = fold(state ^ word, key->word[1]);
	return fold(state ^ key->word[0], key->word[1]);
}
