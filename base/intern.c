// SPDX-License-Identifier: MIT
// An open-addressing table of (hash, id) over strings that lie in an arena.
//
//   slots:   [hash32 | id+1] ...      power of two, linear probing, at most half full
//   entries: id -> (bytes, length)    dense, in order of first sight
//   arena:   chunks that never move, so that a string's address is good for ever
//
// The hash is keyed with random numbers: whoever writes the log cannot choose strings that all land in one place. Ids do not
// depend on the key (they follow the order of first sight), so the same input still gives the same ids.
#include "base/intern.h"

#include "base/vector.h"

#include <string.h>
#include <sys/random.h>

#define FIRST_SLOTS 4096
#define CHUNK_BYTES ((size_t)1 << 20)
#define MAX_STRINGS (UINT32_MAX - 2) /* ids are 32 bits, and a slot keeps id + 1 */

struct slot {
	uint32_t hash, id_plus_1; // id_plus_1 == 0: empty
};

struct entry {
	const char *bytes;
	size_t length;
};

VECTOR_DEFINE(entry_vector, struct entry)

struct chunk {
	struct chunk *older;
	char bytes[];
};

struct intern {
	struct slot *slots;
	size_t mask;
	struct entry_vector entries;
	struct chunk *chunks;
	char *free_bytes;
	size_t free_length;
	uint64_t key[3];
	bool failed;
};

static inline uint64_t read_word(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

// Both halves of the 128-bit product, folded: each bit of the input reaches each bit of the output.
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// The last (or only) 0 to 16 bytes as two words. Overlapping reads replace a loop over bytes.
static inline void read_tail(const char *p, size_t length, uint64_t *ret_low, uint64_t *ret_high)
{
	if (length >= 8) {
		*ret_low = read_word(p);
		*ret_high = read_word(p + length - 8);
	} else if (length >= 4) {
		uint32_t head, tail;

		memcpy(&head, p, sizeof(head));
		memcpy(&tail, p + length - 4, sizeof(tail));
		*ret_low = head;
		*ret_high = tail;
	} else if (length > 0) {
		*ret_low = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[length / 2] << 8 |
			   (unsigned char)p[length - 1];
		*ret_high = 0;
	} else {
		*ret_low = *ret_high = 0;
	}
}

static inline uint32_t hash_bytes(const struct intern *in, const char *p, size_t length)
{
	uint64_t state = in->key[0] ^ length, low, high;
	size_t left = length;

	while (left > 16) {
		state = mix(read_word(p) ^ in->key[1], read_word(p + 8) ^ state);
		p += 16;
		left -= 16;
	}
	read_tail(p, left, &low, &high);
	state = mix(low ^ in->key[1], high ^ state);
	return (uint32_t)(mix(state ^ in->key[2], length ^ in->key[1]) >> 16);
}

struct intern *intern_new(void)
{
	struct intern *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	// Without the kernel's random numbers (a very early boot) the fixed key only loses the protection against chosen strings.
	if (getrandom(in->key, sizeof(in->key), GRND_NONBLOCK) != (ssize_t)sizeof(in->key))
		memcpy(in->key, "provgraph intern key 24b", sizeof(in->key));
	in->key[1] |= 1;
	in->slots = calloc(FIRST_SLOTS, sizeof(*in->slots));
	in->mask = FIRST_SLOTS - 1;
	if (!in->slots || intern_add(in, "", 0) != 0 || in->failed) {
		intern_free(in);
		return NULL;
	}
	return in;
}

void intern_free(struct intern *in)
{
	if (!in)
		return;
	for (struct chunk *c = in->chunks; c;) {
		struct chunk *older = c->older;

		free(c);
		c = older;
	}
	free(in->slots);
	entry_vector_release(&in->entries);
	free(in);
}

// The slot that holds the string, or the empty one where it belongs.
static inline struct slot *find_slot(const struct intern *in, uint32_t hash, const void *bytes, size_t length)
{
	for (size_t i = hash & in->mask;; i = (i + 1) & in->mask) {
		struct slot *s = &in->slots[i];

		if (s->id_plus_1 == 0)
			return s;
		if (s->hash == hash) {
			const struct entry *e = &in->entries.items[s->id_plus_1 - 1];

			if (e->length == length && memcmp(e->bytes, bytes, length) == 0)
				return s;
		}
	}
}

static int double_slots(struct intern *in)
{
	size_t count = (in->mask + 1) * 2;
	struct slot *slots = calloc(count, sizeof(*slots));

	if (!slots)
		return -1;
	for (size_t i = 0; i <= in->mask; i++) {
		if (in->slots[i].id_plus_1 == 0)
			continue;
		size_t at = in->slots[i].hash & (count - 1);

		while (slots[at].id_plus_1 != 0)
			at = (at + 1) & (count - 1);
		slots[at] = in->slots[i];
	}
	free(in->slots);
	in->slots = slots;
	in->mask = count - 1;
	return 0;
}

// A place for length bytes that will never move. NULL: out of memory.
static char *arena_take(struct intern *in, size_t length)
{
	if (length > in->free_length) {
		size_t size = length > CHUNK_BYTES / 4 ? length : CHUNK_BYTES;

		if (size > SIZE_MAX - sizeof(struct chunk))
			return NULL;
		struct chunk *c = malloc(sizeof(*c) + size);
		if (!c)
			return NULL;
		c->older = in->chunks;
		in->chunks = c;
		if (size == length)
			return c->bytes; // a large string has a chunk to itself; the open one goes on
		in->free_bytes = c->bytes;
		in->free_length = size;
	}
	char *taken = in->free_bytes;

	in->free_bytes += length;
	in->free_length -= length;
	return taken;
}

static int add_new(struct intern *in, const void *bytes, size_t length, uint32_t hash, uint32_t *ret_id)
{
	if (in->entries.count >= MAX_STRINGS || length == SIZE_MAX)
		return -1;
	if (in->entries.count * 2 >= in->mask && double_slots(in) < 0)
		return -1;
	if (entry_vector_reserve(&in->entries, 1) < 0)
		return -1;
	char *place = arena_take(in, length + 1);
	if (!place)
		return -1;
	if (length > 0)
		memcpy(place, bytes, length);
	place[length] = '\0';

	uint32_t id = (uint32_t)in->entries.count;
	struct slot *s = find_slot(in, hash, bytes, length);

	in->entries.items[in->entries.count++] = (struct entry){.bytes = place, .length = length};
	s->hash = hash;
	s->id_plus_1 = id + 1;
	*ret_id = id;
	return 0;
}

uint32_t intern_add(struct intern *in, const void *bytes, size_t length)
{
	if (!bytes)
		bytes = "";
	uint32_t hash = hash_bytes(in, bytes, length);
	const struct slot *s = find_slot(in, hash, bytes, length);
	uint32_t id = 0;

	if (s->id_plus_1 != 0)
		return s->id_plus_1 - 1;
	if (add_new(in, bytes, length, hash, &id) < 0) {
		in->failed = true;
		return 0;
	}
	return id;
}

uint32_t intern_add_string(struct intern *in, const char *string)
{
	return intern_add(in, string, strlen(string));
}

uint32_t intern_find(const struct intern *in, const void *bytes, size_t length)
{
	if (length == 0)
		return 0;
	const struct slot *s = find_slot(in, hash_bytes(in, bytes, length), bytes, length);

	return s->id_plus_1 != 0 ? s->id_plus_1 - 1 : 0;
}

const char *intern_string(const struct intern *in, uint32_t id)
{
	return id < in->entries.count ? in->entries.items[id].bytes : "";
}

size_t intern_length(const struct intern *in, uint32_t id)
{
	return id < in->entries.count ? in->entries.items[id].length : 0;
}

size_t intern_count(const struct intern *in)
{
	return in->entries.count;
}

bool intern_failed(const struct intern *in)
{
	return in->failed;
}
