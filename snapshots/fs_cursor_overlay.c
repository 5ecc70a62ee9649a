// SPDX-License-Identifier: MIT
// The newest committed copy of each block that the journal holds, over the blocks at home.
#include "snapshots/fs_cursor_work.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static size_t slot_of(const struct fs_overlay *o, uint64_t fs_block)
{
	size_t at = (size_t)((fs_block * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (o->capacity - 1);

	while (o->slots[at].used && o->slots[at].fs_block != fs_block)
		at = (at + 1) & (o->capacity - 1);
	return at;
}

bool fs_cursor_copy_lives(const struct fs_cursor *c, const struct fs_overlay_copy *copy)
{
	return copy->used && !copy->dead && !c->journal_empty && !fs_cursor_tid_before(copy->tid, c->tail_tid);
}

// Doubles, or only throws the dead out.
static int overlay_grow(struct fs_cursor *c, struct error *err)
{
	struct fs_overlay old = c->overlay, grown = {0};
	size_t live = 0;

	for (size_t i = 0; i < old.capacity; i++)
		live += fs_cursor_copy_lives(c, &old.slots[i]);
	for (grown.capacity = 1024; grown.capacity < live * 4;)
		grown.capacity *= 2;
	grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
	if (!grown.slots)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < old.capacity; i++) {
		if (fs_cursor_copy_lives(c, &old.slots[i])) {
			grown.slots[slot_of(&grown, old.slots[i].fs_block)] = old.slots[i];
			grown.used++;
		}
	}
	free(old.slots);
	c->overlay = grown;
	return 0;
}

int fs_cursor_overlay_put(struct fs_cursor *c, const struct fs_overlay_copy *copy, struct error *err)
{
	if ((c->overlay.used + 1) * 2 > c->overlay.capacity && overlay_grow(c, err) < 0)
		return -1;
	struct fs_overlay_copy *slot = &c->overlay.slots[slot_of(&c->overlay, copy->fs_block)];

	c->overlay.used += !slot->used;
	*slot = *copy;
	return 0;
}

void fs_cursor_overlay_clear(struct fs_cursor *c)
{
	free(c->overlay.slots);
	c->overlay = (struct fs_overlay){0};
}

void fs_cursor_overlay_revoke(struct fs_cursor *c, uint64_t fs_block)
{
	if (c->overlay.capacity > 0)
		c->overlay.slots[slot_of(&c->overlay, fs_block)].dead = true;
}

bool fs_cursor_overlay_is_empty(const struct fs_cursor *c)
{
	return c->overlay.used == 0 || c->journal_empty;
}

const struct fs_overlay_copy *fs_cursor_live_copy(const struct fs_cursor *c, uint64_t fs_block)
{
	if (fs_cursor_overlay_is_empty(c))
		return NULL;
	const struct fs_overlay_copy *copy = &c->overlay.slots[slot_of(&c->overlay, fs_block)];

	return fs_cursor_copy_lives(c, copy) ? copy : NULL;
}

int fs_cursor_sure_copy(struct fs_cursor *c, uint64_t fs_block, const struct fs_overlay_copy **ret, struct error *err)
{
	const struct fs_overlay_copy *copy = fs_cursor_live_copy(c, fs_block);
	uint8_t *bytes;

	*ret = copy;
	if (!copy || !copy->unchecked)
		return 0;
	const struct journal_copy told = {.fs_block = fs_block, .escaped = copy->escaped, .tid = copy->tid, .checksum = copy->checksum};

	bytes = malloc(c->block_bytes);
	if (!bytes)
		return error_set(err, "out of memory");
	int result = fs_cursor_read_written(c, copy->seq, copy->disk_offset, bytes, c->block_bytes, err);

	if (result == 0 && !journal_follow_holds(c->follow, &told, bytes)) {
		c->doubts = true;
		result = error_set(err, "journal: the copy of block %" PRIu64 " is not what its descriptor says", fs_block);
	}
	if (result == 0)
		c->overlay.slots[slot_of(&c->overlay, fs_block)].unchecked = false;
	free(bytes);
	return result;
}

int fs_cursor_read_copy(struct fs_cursor *c, const struct fs_overlay_copy *copy, uint64_t within, void *bytes, size_t length, struct error *err)
{
	static const uint8_t magic[4] = {0xC0, 0x3B, 0x39, 0x98};
	uint64_t offset = copy->disk_offset + within;

	if (copy->seq == 0 ? disk_at_read(c->origin, offset, bytes, length, err) < 0
			   : fs_cursor_read_written(c, copy->seq, offset, bytes, length, err) < 0)
		return -1;
	for (size_t i = 0; copy->escaped && within + i < sizeof(magic) && i < length; i++)
		((uint8_t *)bytes)[i] = magic[within + i];
	return 0;
}
