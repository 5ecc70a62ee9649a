// SPDX-License-Identifier: MIT
// How the layers change without a request waiting for it, and without a stale answer:
//
// - A resolve takes, under one lock, what the maps in memory know and a reference to what lies below them (struct below: the tables).
//   Everything else it does without a lock.
// - When segment n is indexed, the sealing thread raises `generation`, writes n's extents into the block map, and only then, under the lock,
//   replaces `below` and drops n's map. Until then n's map hides whatever n changed, so no answer depends on slots that are being written.
// - A resolve that began before the generation was raised may have missed records of n that came later: it looks again when it has used the
//   block map meanwhile, and what it found never gets into it. A resolve that began after it sees n's map: what it finds below is not n's.
// - Requests never write the block map: a write may wait for the disk. They leave what they found in a ring, and the sealing thread, which
//   alone writes the map and raises the generation, fills it in. A ring that is full takes nothing: it is a cache.
#include "snapshots/live.h"

#include "base/memory.h"
#include "base/vector.h"
#include "snapshots/extent_map.h"
#include "snapshots/live_blocks.h"
#include "snapshots/live_recent.h"
#include "snapshots/table_cover.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_TRIES 64u              // of one resolve: each finds a damaged table, or indexing at work
#define TRIES_WITH_BLOCKS 4u       // then without the block map
#define BLOCKS_BEHIND 4u           // so many segments wait: to forget the block map is cheaper than to bring it up to date
#define RING_ITEMS 1024u           // found pieces that wait to be filled in; the sealing thread is woken when half of them are there

struct live_map { // of one segment that has no table yet
	uint64_t segment_number;
	struct extent_map map;
};
VECTOR_DEFINE(live_map_vector, struct live_map *)

struct below {
	atomic_uint references; // one is the live's own; others are taken under the lock
	struct table_cover *cover;
};

struct fact { // what tables ask of a sealed segment; a history can have many
	uint64_t first_seq, record_count, least_realtime_ns, greatest_realtime_ns, last_flush_seq;
};
VECTOR_DEFINE(fact_vector, struct fact)

struct found {
	struct piece piece;
	uint64_t generation;
};

struct live {
	char *folder;
	uint64_t size_bytes;
	uint8_t uuid[16];
	pthread_mutex_t lock;        // maps and below; held for searches in memory only
	struct live_map_vector maps; // oldest first; only the last one grows
	struct below *below;
	struct live_recent *recent;  // under lock; NULL: none
	struct live_blocks *blocks;  // NULL: none
	pthread_mutex_t facts_lock;
	struct fact_vector facts;    // of segment index + 1
	pthread_mutex_t below_lock;  // whoever replaces below
	pthread_mutex_t ring_lock;   // what follows
	struct found ring[RING_ITEMS];
	size_t ring_count;
	void (*wake)(void *context);
	void *wake_context;
	atomic_uint_fast64_t generation;
	atomic_bool incomplete;
};

// ---- sealed segments

bool live_segment(void *context, uint64_t number, struct segment *ret)
{
	struct live *l = context;
	bool known;

	(void)pthread_mutex_lock(&l->facts_lock);
	known = number >= 1 && number <= l->facts.count;
	if (known) {
		const struct fact *f = &l->facts.items[number - 1];
		*ret = (struct segment){.fd = -1, .number = number, .first_seq = f->first_seq, .record_count = f->record_count,
					.least_realtime_ns = f->least_realtime_ns, .greatest_realtime_ns = f->greatest_realtime_ns,
					.last_flush_seq = f->last_flush_seq, .sealed = true};
		memcpy(ret->uuid, l->uuid, sizeof(ret->uuid));
	}
	(void)pthread_mutex_unlock(&l->facts_lock);
	return known;
}

uint64_t live_sealed_count(struct live *l)
{
	(void)pthread_mutex_lock(&l->facts_lock);
	uint64_t count = l->facts.count;
	(void)pthread_mutex_unlock(&l->facts_lock);
	return count;
}

int live_sealed(struct live *l, const struct segment *segment, struct error *err)
{
	struct fact fact = {.first_seq = segment->first_seq, .record_count = segment->record_count,
			    .least_realtime_ns = segment->least_realtime_ns, .greatest_realtime_ns = segment->greatest_realtime_ns,
			    .last_flush_seq = segment->last_flush_seq};
	int result = 0;

	(void)pthread_mutex_lock(&l->facts_lock);
	if (segment->number != l->facts.count + 1)
		result = error_set(err, "%s: segment %llu was sealed out of order", l->folder, (unsigned long long)segment->number);
	else if (fact_vector_append(&l->facts, fact) < 0)
		result = error_set(err, "out of memory");
	else if (segment->number == 1)
		memcpy(l->uuid, segment->uuid, sizeof(l->uuid));
	(void)pthread_mutex_unlock(&l->facts_lock);
	return result;
}

// 1: sealed; 0: the sealed ones end here.
static int load_segment(struct live *l, uint64_t number, struct error *err)
{
	char *name AUTO_FREE = NULL;
	struct segment s;

	if (asprintf(&name, "%s/segments/%08llu.segment", l->folder, (unsigned long long)number) < 0) {
		name = NULL;
		return error_set(err, "out of memory");
	}
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : error_set_errno(err, errno, "%s: cannot open", name);
	struct error why;
	int opened = segment_open(&s, fd, name, &why);
	(void)close(fd);
	if (opened < 0 || !s.sealed) // what is wrong with it, recovery has told already
		return 0;
	if (s.number != number || (number > 1 && memcmp(l->uuid, s.uuid, sizeof(l->uuid)) != 0))
		return error_set(err, "%s: is not segment %llu of this history", name, (unsigned long long)number);
	return live_sealed(l, &s, err) < 0 ? -1 : 1;
}

// ---- what lies below the maps

static void below_put(struct below *b)
{
	if (atomic_fetch_sub(&b->references, 1) > 1)
		return;
	table_cover_free(b->cover);
	free(b);
}

static struct table_cover_plan plan_for(struct live *l, uint64_t segment_count)
{
	return (struct table_cover_plan){.folder = l->folder, .uuid = l->uuid, .segment_count = segment_count, .segment = live_segment,
					 .context = l, .keep = true};
}

// Tables of the first segment_count segments.
static int below_new(struct live *l, uint64_t segment_count, struct below **ret, struct error *err)
{
	struct table_cover_plan plan = plan_for(l, segment_count);
	struct below *b = calloc(1, sizeof(*b));

	if (!b || table_cover_open(&plan, &b->cover, err) < 0) {
		if (!b)
			(void)error_set(err, "out of memory");
		free(b);
		return -1;
	}
	if (table_cover_made(b->cover) > 0)
		atomic_store(&l->incomplete, true);
	atomic_init(&b->references, 1);
	*ret = b;
	return 0;
}

// indexed: the map of this segment (NULL: none) is dropped in the same step.
static void below_replace(struct live *l, struct below *b, const struct live_map *indexed)
{
	(void)pthread_mutex_lock(&l->lock);
	struct below *old = l->below;
	l->below = b;
	if (indexed) { // it is the oldest
		memmove(l->maps.items, l->maps.items + 1, (l->maps.count - 1) * sizeof(*l->maps.items));
		l->maps.count--;
	}
	(void)pthread_mutex_unlock(&l->lock);
	if (old)
		below_put(old);
}

// ---- opening

int live_open(const char *folder, uint64_t size_bytes, struct live **ret, struct error *err)
{
	struct live *l = calloc(1, sizeof(*l));
	struct below *b;
	int result;

	if (!l || !(l->folder = strdup(folder))) {
		free(l);
		return error_set(err, "out of memory");
	}
	l->size_bytes = size_bytes;
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)pthread_mutex_init(&l->facts_lock, NULL);
	(void)pthread_mutex_init(&l->below_lock, NULL);
	(void)pthread_mutex_init(&l->ring_lock, NULL);
	do {
		result = load_segment(l, l->facts.count + 1, err);
	} while (result == 1);
	l->blocks = live_blocks_new(folder, size_bytes);
	l->recent = live_recent_new();
	if (result < 0 || below_new(l, l->facts.count, &b, err) < 0) {
		live_free(l);
		return -1;
	}
	below_replace(l, b, NULL);
	*ret = l;
	return 0;
}

static void map_free(struct live_map *map)
{
	extent_map_release(&map->map);
	free(map);
}

void live_free(struct live *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->maps.count; i++)
		map_free(l->maps.items[i]);
	live_map_vector_release(&l->maps);
	if (l->below)
		below_put(l->below);
	live_blocks_free(l->blocks);
	live_recent_free(l->recent);
	fact_vector_release(&l->facts);
	(void)pthread_mutex_destroy(&l->lock);
	(void)pthread_mutex_destroy(&l->facts_lock);
	(void)pthread_mutex_destroy(&l->below_lock);
	(void)pthread_mutex_destroy(&l->ring_lock);
	free(l->folder);
	free(l);
}

// ---- new records

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

	if (length == 0 || length > UINT32_MAX || length > UINT64_MAX - offset)
		return error_set(err, "record %llu: a length that no record has", (unsigned long long)seq);
	(void)pthread_mutex_lock(&l->lock);
	struct live_map *map = newest_map(l, segment_number);
	if (map)
		result = extent_map_insert(&map->map, &e);
	(void)pthread_mutex_unlock(&l->lock);
	return result < 0 ? error_set(err, "out of memory") : 0;
}

uint64_t live_waiting(struct live *l)
{
	(void)pthread_mutex_lock(&l->lock);
	uint64_t count = l->maps.count;
	(void)pthread_mutex_unlock(&l->lock);
	return count;
}

// ---- asking

// Whoever finds the ring in use leaves it.
static void remember(struct live *l, uint64_t generation, const struct piece *piece)
{
	if (pthread_mutex_trylock(&l->ring_lock) != 0)
		return;
	if (l->ring_count < RING_ITEMS) {
		l->ring[l->ring_count++] = (struct found){.piece = *piece, .generation = generation};
		if (l->ring_count == RING_ITEMS / 2 && l->wake)
			l->wake(l->wake_context); // under the lock: live_set_wake() ends such calls
	}
	(void)pthread_mutex_unlock(&l->ring_lock);
}

// A damaged table goes out of index/, and what it was made from takes its place.
static int mend(struct live *l, struct below *seen, size_t damaged, struct error *err)
{
	struct below *b;
	int result = 0;

	(void)pthread_mutex_lock(&l->below_lock);
	(void)pthread_mutex_lock(&l->lock);
	bool current = l->below == seen;
	(void)pthread_mutex_unlock(&l->lock);
	if (current) { // else somebody was here before
		table_cover_discard(seen->cover, damaged);
		atomic_store(&l->incomplete, true);
		result = below_new(l, table_cover_segments(seen->cover), &b, err);
		if (result == 0)
			below_replace(l, b, NULL);
	}
	(void)pthread_mutex_unlock(&l->below_lock);
	return result;
}

enum answer { ANSWER, AGAIN, FAILED };

// *piece: what to ask for, as far as no map in memory knows it; the block map is asked for at most `length` of it.
static enum answer ask_below(struct live *l, struct below *b, uint64_t generation, bool use_blocks, uint64_t length, struct piece *piece,
			     struct error *err)
{
	struct piece found;
	struct error why;
	size_t damaged;

	if (use_blocks && live_blocks_lookup(l->blocks, piece->offset, length < piece->length ? length : piece->length, &found)) {
		if (atomic_load(&l->generation) != generation)
			return AGAIN;
		*piece = found;
		return ANSWER;
	}
	if (table_cover_lookup(b->cover, piece->offset, piece->length, &found, NULL, &damaged, &why) < 0)
		return mend(l, b, damaged, err) < 0 ? FAILED : AGAIN;
	if (use_blocks)
		remember(l, generation, &found);
	*piece = found;
	return ANSWER;
}

// What was found below at a generation that still holds answers those that come after.
static void keep_recent(struct live *l, uint64_t generation, const struct piece *piece)
{
	(void)pthread_mutex_lock(&l->lock);
	if (l->recent && atomic_load(&l->generation) == generation)
		live_recent_keep(l->recent, generation, piece);
	(void)pthread_mutex_unlock(&l->lock);
}

int live_resolve(struct live *l, uint64_t offset, uint64_t length, struct live_piece *ret, struct error *err)
{
	// Small reads out of a large record: more of it is found at the same cost, and the block map then answers those that follow.
	uint64_t wide = LIVE_PAGE_BLOCKS * LIVE_BLOCK_BYTES, near = LIVE_RECENT_BYTES - offset % LIVE_RECENT_BYTES;
	enum answer answer = AGAIN;
	struct piece piece;

	if (offset < l->size_bytes && wide > l->size_bytes - offset)
		wide = l->size_bytes - offset;
	if (wide < length)
		wide = length;
	if (near < length)
		near = length;

	for (unsigned tries = 0; answer == AGAIN && tries < MAX_TRIES; tries++) {
		uint64_t generation = atomic_load(&l->generation);
		struct below *b = NULL;
		piece = (struct piece){.offset = offset, .length = wide};
		(void)pthread_mutex_lock(&l->lock);
		for (size_t i = l->maps.count; i-- > 0 && piece.seq == 0;)
			piece = extent_map_lookup(&l->maps.items[i]->map, offset, piece.length);
		// What is kept is of the generation that holds now: its answer is not older than the maps just looked at.
		if (piece.seq == 0 && !(l->recent && live_recent_find(l->recent, atomic_load(&l->generation), &piece))) {
			b = l->below;
			atomic_fetch_add(&b->references, 1);
		}
		(void)pthread_mutex_unlock(&l->lock);
		answer = ANSWER;
		if (b) {
			bool use_blocks = tries < TRIES_WITH_BLOCKS && l->blocks;
			answer = ask_below(l, b, generation, use_blocks, near, &piece, err);
			below_put(b);
			if (answer == ANSWER)
				keep_recent(l, generation, &piece);
		}
	}
	if (answer == AGAIN)
		return error_set(err, "%s: the index cannot be read", l->folder);
	if (answer == FAILED)
		return -1;
	*ret = (struct live_piece){.offset = piece.offset, .length = piece.length < length ? piece.length : length, .seq = piece.seq,
				    .type = piece.type};
	return 0;
}

// ---- indexing

static void update_blocks(struct live *l, const struct live_map *map, size_t waiting)
{
	if (!l->blocks)
		return;
	if (waiting > BLOCKS_BEHIND)
		live_blocks_forget(l->blocks);
	else if (map)
		live_blocks_update(l->blocks, &map->map);
}

int live_indexed(struct live *l, uint64_t segment_number, struct error *err)
{
	struct live_map *map = NULL;
	struct below *b;

	(void)pthread_mutex_lock(&l->below_lock);
	(void)pthread_mutex_lock(&l->lock);
	size_t waiting = l->maps.count;
	if (waiting > 0 && l->maps.items[0]->segment_number <= segment_number)
		map = l->maps.items[0];
	(void)pthread_mutex_unlock(&l->lock);
	int result = 0;
	if (map && map->segment_number != segment_number)
		result = error_set(err, "%s: segment %llu was indexed out of order", l->folder, (unsigned long long)segment_number);
	if (result == 0) {
		atomic_fetch_add(&l->generation, 1);
		update_blocks(l, map, waiting);
		result = below_new(l, segment_number, &b, err);
	}
	if (result == 0)
		below_replace(l, b, map);
	(void)pthread_mutex_unlock(&l->below_lock);
	if (result == 0 && map)
		map_free(map);
	return result;
}

void live_fill(struct live *l)
{
	struct found *taken AUTO_FREE = malloc(sizeof(l->ring));
	size_t count;

	if (!taken)
		return;
	(void)pthread_mutex_lock(&l->ring_lock);
	count = l->ring_count;
	memcpy(taken, l->ring, count * sizeof(*taken));
	l->ring_count = 0;
	(void)pthread_mutex_unlock(&l->ring_lock);
	(void)pthread_mutex_lock(&l->below_lock);
	for (size_t i = 0; l->blocks && i < count; i++) {
		if (taken[i].generation == atomic_load(&l->generation))
			live_blocks_fill(l->blocks, &taken[i].piece);
	}
	(void)pthread_mutex_unlock(&l->below_lock);
}

void live_set_wake(struct live *l, void (*wake)(void *context), void *context)
{
	(void)pthread_mutex_lock(&l->ring_lock);
	l->wake = wake;
	l->wake_context = context;
	(void)pthread_mutex_unlock(&l->ring_lock);
}

int live_refresh(struct live *l, struct error *err)
{
	struct below *b;

	(void)pthread_mutex_lock(&l->below_lock);
	int result = below_new(l, table_cover_segments(l->below->cover), &b, err);
	if (result == 0)
		below_replace(l, b, NULL);
	(void)pthread_mutex_unlock(&l->below_lock);
	return result;
}

bool live_index_incomplete(struct live *l)
{
	return atomic_exchange(&l->incomplete, false);
}
