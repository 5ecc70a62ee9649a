// SPDX-License-Identifier: MIT
#include "snapshots/live.h"

#include "base/vector.h"
#include "snapshots/extent_map.h"

#include <pthread.h>
#include <stdlib.h>

struct live_map { // of one segment that has no table yet
	uint64_t segment_number;
	struct extent_map map;
};
VECTOR_DEFINE(live_map_vector, struct live_map *)

struct live {
	uint64_t size_bytes;
	pthread_mutex_t lock; // guards maps; held for searches in memory only
	struct live_map_vector maps; // oldest first; only the last one grows
};

int live_open(const char *folder, uint64_t size_bytes, struct live **ret, struct error *err)
{
	(void)folder;
	struct live *l = calloc(1, sizeof(*l));

	if (!l)
		return error_set(err, "out of memory");
	l->size_bytes = size_bytes;
	(void)pthread_mutex_init(&l->lock, NULL);
	*ret = l;
	return 0;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->maps.count; i++) {
		extent_map_release(&l->maps.items[i]->map);
		free(l->maps.items[i]);
	}
	live_map_vector_release(&l->maps);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

// The map of the newest segment; a new one when segment_number is newer.
static struct live_map *newest_map(struct live *l, uint64_t segment_number)
{
	if (l->maps.count > 0 && l->maps.items[l->maps.count - 1]->segment_number == segment_number)
		return l->maps.items[l->maps.count - 1];
	struct live_map *map = calloc(1, sizeof(*map));
	if (!map)
		return NULL;
	map->segment_number = segment_number;
	if (live_map_vector_append(&l->maps, map) < 0) {
		free(map);
		return NULL;
	}
	return map;
}

int live_note(struct live *l, uint64_t segment_number, uint64_t seq, uint8_t type, uint64_t offset, uint64_t length, struct error *err)
{
	struct extent e = {.offset = offset, .seq = seq, .length = (uint32_t)length, .type = type};
	int result = -1;

	(void)pthread_mutex_lock(&l->lock);
	struct live_map *map = newest_map(l, segment_number);
	if (map)
		result = extent_map_insert(&map->map, &e);
	(void)pthread_mutex_unlock(&l->lock);
	return result < 0 ? error_set(err, "out of memory") : 0;
}

int live_indexed(struct live *l, uint64_t segment_number, struct error *err)
{
	(void)l;
	(void)segment_number;
	(void)err;
	return 0;
}

int live_resolve(struct live *l, uint64_t offset, uint64_t length, struct live_piece *ret, struct error *err)
{
	struct piece piece = {.offset = offset, .length = length};

	(void)err;
	(void)pthread_mutex_lock(&l->lock);
	for (size_t i = l->maps.count; i-- > 0 && piece.seq == 0;)
		piece = extent_map_lookup(&l->maps.items[i]->map, offset, piece.length);
	(void)pthread_mutex_unlock(&l->lock);
	*ret = (struct live_piece){.offset = piece.offset, .length = piece.length, .seq = piece.seq, .type = piece.type};
	return 0;
}
