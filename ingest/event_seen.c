// SPDX-License-Identifier: MIT
#include "ingest/event_seen.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 1024

static size_t place_of(const struct event_key *key, size_t size)
{
	uint64_t mixed = (key->serial + ((uint64_t)key->host << 40)) * 0x9e3779b97f4a7c15u ^ key->ns * 0xc2b2ae3d27d4eb4fu;

	return (size_t)(mixed >> 32) & (size - 1);
}

// Where the key stands, or the empty place where it would.
static struct event_key *find(struct event_key *table, size_t size, const struct event_key *key)
{
	size_t at = place_of(key, size);

	while (table[at].used && (table[at].serial != key->serial || table[at].ns != key->ns || table[at].host != key->host))
		at = (at + 1) & (size - 1);
	return &table[at];
}

static int grow(struct event_seen *seen, struct error *err)
{
	size_t size = seen->young_size ? seen->young_size * 2 : FIRST_SIZE;
	struct event_key *table = calloc(size, sizeof(*table));

	if (!table)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < seen->young_size; i++) {
		if (seen->young[i].used)
			*find(table, size, &seen->young[i]) = seen->young[i];
	}
	free(seen->young);
	seen->young = table;
	seen->young_size = size;
	return 0;
}

int event_seen_add(struct event_seen *seen, const struct event *event, bool *ret_new, struct error *err)
{
	struct event_key key = { .serial = event->serial, .ns = event->earliest_ns, .host = event->host, .used = 1 };

	*ret_new = false;
	if (seen->old_size > 0 && find(seen->old, seen->old_size, &key)->used)
		return 0;
	if (seen->young_count * 2 >= seen->young_size && grow(seen, err) < 0)
		return -1;
	struct event_key *place = find(seen->young, seen->young_size, &key);

	if (place->used)
		return 0;
	*place = key;
	seen->young_count++;
	*ret_new = true;
	return 0;
}

void event_seen_age(struct event_seen *seen)
{
	free(seen->old);
	seen->old = seen->young;
	seen->old_size = seen->young_size;
	seen->young = NULL;
	seen->young_size = seen->young_count = 0;
}

void event_seen_release(struct event_seen *seen)
{
	free(seen->young);
	free(seen->old);
	memset(seen, 0, sizeof(*seen));
}
