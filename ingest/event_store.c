// SPDX-License-Identifier: MIT
#include "ingest/event_store.h"

#include "base/vector.h"

#include <string.h>

#define MAX_STORE_BYTES ((size_t)48 << 20) /* our limit: the events of one search block and its margins */

// Bytes of an array, kept aligned for whatever comes next.
static size_t array_bytes(size_t count, size_t size)
{
	return (count * size + 7) & ~(size_t)7;
}

// Moves the array behind *free_bytes and returns where it lies now.
static void *put_array(char **free_bytes, const void *array, size_t count, size_t size)
{
	char *place = *free_bytes;

	if (count == 0)
		return NULL;
	memcpy(place, array, count * size);
	*free_bytes += array_bytes(count, size);
	return place;
}

static size_t event_bytes(const struct event *event)
{
	return array_bytes(1, sizeof(*event)) + array_bytes(event->argv_count, sizeof(*event->argv)) +
	       array_bytes(event->path_count, sizeof(*event->paths)) + array_bytes(event->address_count, sizeof(*event->addresses)) +
	       array_bytes(event->target_count, sizeof(*event->targets)) + array_bytes(event->evidence_count, sizeof(*event->evidence));
}

struct event *event_copy(const struct event *event)
{
	struct event *copy = malloc(event_bytes(event));

	if (!copy)
		return NULL;
	char *free_bytes = (char *)copy + array_bytes(1, sizeof(*event));

	*copy = *event;
	copy->argv = put_array(&free_bytes, event->argv, event->argv_count, sizeof(*event->argv));
	copy->paths = put_array(&free_bytes, event->paths, event->path_count, sizeof(*event->paths));
	copy->addresses = put_array(&free_bytes, event->addresses, event->address_count, sizeof(*event->addresses));
	copy->targets = put_array(&free_bytes, event->targets, event->target_count, sizeof(*event->targets));
	copy->evidence = put_array(&free_bytes, event->evidence, event->evidence_count, sizeof(*event->evidence));
	return copy;
}

int event_store_add(struct event_store *store, const struct event *event, struct error *err)
{
	size_t size = event_bytes(event);
	void *items = store->items;
	struct event *copy;

	if (store->bytes + size > MAX_STORE_BYTES)
		return error_set(err, "too many events match within one part of the log");
	if (store->count == store->capacity && vector_grow(&items, &store->capacity, store->count + 1, sizeof(copy)) < 0)
		return error_set(err, "out of memory");
	store->items = items;
	copy = event_copy(event);
	if (!copy)
		return error_set(err, "out of memory");
	store->items[store->count++] = copy;
	store->bytes += size;
	return 0;
}

void event_store_clear(struct event_store *store)
{
	for (size_t i = 0; i < store->count; i++)
		free(store->items[i]);
	store->count = 0;
	store->bytes = 0;
}

void event_store_release(struct event_store *store)
{
	event_store_clear(store);
	free(store->items);
	memset(store, 0, sizeof(*store));
}
