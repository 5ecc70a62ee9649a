// SPDX-License-Identifier: MIT
#include "ingest/slot.h"

#include <stdlib.h>
#include <string.h>

// Above this an extra's memory is given back instead of kept for the next event.
#define KEEP_BYTES 16384u

static size_t extra_capacity_bytes(const struct slot_extra *x)
{
	return x->paths.capacity * sizeof(*x->paths.items) + x->argv.capacity * sizeof(*x->argv.items) +
	       x->addresses.capacity * sizeof(*x->addresses.items) + x->targets.capacity * sizeof(*x->targets.items) +
	       x->evidence.capacity * sizeof(*x->evidence.items) + x->argument.capacity;
}

static void extra_release(struct slot_extra *x)
{
	path_vector_release(&x->paths);
	u32_vector_release(&x->argv);
	address_vector_release(&x->addresses);
	target_vector_release(&x->targets);
	evidence_vector_release(&x->evidence);
	buffer_release(&x->argument);
}

// Empty again, but with the memory of its vectors.
static void extra_clear(struct slot_extra *x)
{
	struct slot_extra kept = {.paths = x->paths, .argv = x->argv, .addresses = x->addresses, .targets = x->targets,
				  .evidence = x->evidence, .argument = x->argument};

	kept.paths.count = kept.argv.count = kept.addresses.count = kept.targets.count = kept.evidence.count = 0;
	buffer_clear(&kept.argument);
	*x = kept;
}

struct slot_extra *slot_extra(struct slot *s, struct slot_pool *pool)
{
	if (s->extra)
		return s->extra;
	struct slot_extra *x = pool->free;

	if (x) {
		pool->free = x->next_free;
		x->next_free = NULL;
	} else {
		x = calloc(1, sizeof(*x));
	}
	if (!x) {
		pool->failed = true;
		return NULL;
	}
	x->bytes = sizeof(*x) + extra_capacity_bytes(x);
	pool->bytes += x->bytes;
	s->extra = x;
	return x;
}

void slot_count_bytes(struct slot *s, struct slot_pool *pool)
{
	struct slot_extra *x = s->extra;
	size_t now = sizeof(*x) + extra_capacity_bytes(x);

	pool->bytes += now - x->bytes;
	x->bytes = now;
}

// Told a constant, gcc 12 clears with "rep stos", which takes longer to start than memset() takes altogether.
static size_t slot_bytes(void)
{
	static volatile const size_t bytes = sizeof(struct slot);

	return bytes;
}

void slot_clear(struct slot *s, struct slot_pool *pool)
{
	struct slot_extra *x = s->extra;

	if (x) {
		pool->bytes -= x->bytes;
		if (extra_capacity_bytes(x) > KEEP_BYTES)
			extra_release(x);
		extra_clear(x);
		x->next_free = pool->free;
		pool->free = x;
	}
	memset(s, 0, slot_bytes());
}

void slot_pool_release(struct slot_pool *pool)
{
	while (pool->free) {
		struct slot_extra *x = pool->free;

		pool->free = x->next_free;
		extra_release(x);
		free(x);
	}
}

void slot_add_span(struct slot *s, struct slot_pool *pool, const struct evidence_ref *span)
{
	struct slot_extra *x = slot_extra(s, pool);
	size_t more = x ? x->evidence.count : 0;

	if (!x || (more && evidence_extends(&x->evidence.items[more - 1], span)) || more + 1 >= SLOT_MAX_EVIDENCE)
		return;
	if (evidence_vector_append(&x->evidence, *span) < 0)
		pool->failed = true;
	slot_count_bytes(s, pool);
}

// In order of item: the kernel writes them so, but lines of a damaged log may not stand so. The same item twice is the same line
// read twice.
static void insert_path(struct event_path *paths, size_t count, const struct event_path *path)
{
	size_t at = count;

	while (at > 0 && paths[at - 1].item > path->item)
		at--;
	memmove(&paths[at + 1], &paths[at], (count - at) * sizeof(*paths));
	paths[at] = *path;
}

static bool has_item(const struct event_path *paths, size_t count, uint32_t item)
{
	for (size_t i = count; i-- > 0;)
		if (paths[i].item <= item)
			return paths[i].item == item;
	return false;
}

void slot_add_path(struct slot *s, struct slot_pool *pool, const struct event_path *path)
{
	struct event_path *paths = s->paths;

	if (s->path_count >= SLOT_PATHS) {
		struct slot_extra *x = slot_extra(s, pool);

		if (!x || s->path_count >= SLOT_MAX_PATHS || path_vector_reserve(&x->paths, s->path_count + 1u - x->paths.count) < 0) {
			s->seen |= SEEN_CUT;
			return;
		}
		if (s->path_count == SLOT_PATHS)
			memcpy(x->paths.items, s->paths, sizeof(s->paths));
		slot_count_bytes(s, pool);
		paths = x->paths.items;
	}
	if (has_item(paths, s->path_count, path->item))
		return;
	insert_path(paths, s->path_count, path);
	s->path_count++;
	if (s->path_count > SLOT_PATHS)
		s->extra->paths.count = s->path_count;
}

void slot_end_argument(struct slot *s, struct slot_pool *pool, struct intern *strings)
{
	struct slot_extra *x = s->extra;

	if (!x || !x->argument_open)
		return;
	x->argument_open = false;
	if (u32_vector_append(&x->argv, intern_add(strings, buffer_string(&x->argument), x->argument.length)) < 0 ||
	    x->argument.failed)
		pool->failed = true;
	buffer_clear(&x->argument);
	slot_count_bytes(s, pool);
}
