// SPDX-License-Identifier: MIT
// What a step is about to change of the followed file: looked at while the cursor still shows the old bytes.
#include "snapshots/fs_track_work.h"

#include <string.h>

#define LOOK_BACK_STATES 4096u /* states whose inode a home write may bring: those of one lap of the journal, roughly */

// Compares bytes that `change` brings to [from, to) of the volume, which hold the file from file_offset on.
static int compare_new(struct fs_track *t, const struct fs_change *change, uint64_t from, uint64_t to, uint64_t file_offset, struct error *err)
{
	struct fs_content_change *seen = &t->content;

	while (from < to && file_offset < t->file.size_bytes) {
		size_t part = to - from < FS_TRACK_COMPARE_BYTES ? (size_t)(to - from) : FS_TRACK_COMPARE_BYTES;

		if (part > t->file.size_bytes - file_offset)
			part = (size_t)(t->file.size_bytes - file_offset);
		if (fs_cursor_read(t->cursor, from, t->room->old_bytes, part, err) < 0 ||
		    fs_cursor_new_bytes(t->cursor, change, from - change->offset, t->room->new_bytes, part, err) < 0)
			return -1;
		fs_track_work(t, part / 1024 + 1);
		fs_content_compare(seen, t->room->old_bytes, t->room->new_bytes, part, file_offset);
		from += part;
		file_offset += part;
	}
	return 0;
}

static int note_data(struct fs_track *t, const struct fs_change *change, struct error *err)
{
	uint64_t from = change->offset, to = from + change->length;
	size_t low = 0, high = t->by_volume.count;

	while (low < high) { // the first run that ends behind `from`
		size_t middle = low + (high - low) / 2;

		if (t->by_volume.items[middle].volume_offset + t->by_volume.items[middle].length <= from)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < t->by_volume.count && t->by_volume.items[low].volume_offset < to; low++) {
		const struct fs_run *run = &t->by_volume.items[low];
		uint64_t begin = run->volume_offset > from ? run->volume_offset : from;
		uint64_t end = run->volume_offset + run->length < to ? run->volume_offset + run->length : to;

		if (!run->unwritten && compare_new(t, change, begin, end, run->file_offset + begin - run->volume_offset, err) < 0)
			return -1;
	}
	return 0;
}

// Whether the change brings other bytes to [offset, offset + length) of the volume.
static int brings_other(struct fs_track *t, const struct fs_change *change, uint64_t offset, uint64_t length, bool *dirty, struct error *err)
{
	uint64_t from = change->offset > offset ? change->offset : offset;
	uint64_t to = change->offset + change->length < offset + length ? change->offset + change->length : offset + length;

	for (; from < to && !*dirty; from += FS_TRACK_COMPARE_BYTES) {
		size_t part = to - from < FS_TRACK_COMPARE_BYTES ? (size_t)(to - from) : FS_TRACK_COMPARE_BYTES;

		if (fs_cursor_read(t->cursor, from, t->room->old_bytes, part, err) < 0 ||
		    fs_cursor_new_bytes(t->cursor, change, from - change->offset, t->room->new_bytes, part, err) < 0)
			return -1;
		*dirty = memcmp(t->room->old_bytes, t->room->new_bytes, part) != 0;
	}
	return 0;
}

// A home write brings an inode that so far only a commit had shown.
static int note_home_inode(struct fs_track *t, const struct fs_change *change, struct error *err)
{
	uint64_t end = t->inode.place + t->inode.length;

	if (t->inode_number == 0 || change->source != FS_FROM_RECORD || change->offset > t->inode.place || change->offset + change->length < end)
		return 0;
	if (fs_cursor_new_bytes(t->cursor, change, t->inode.place - change->offset, t->room->new_bytes, t->inode.length, err) < 0)
		return -1;
	uint64_t hash = fs_track_hash(t->room->new_bytes, t->inode.length);

	for (size_t back = 1; back <= t->states.count && back <= LOOK_BACK_STATES; back++) {
		struct timeline_state *s = &t->states.items[t->states.count - back];

		if (t->extras.items[t->states.count - back].raw_hash == hash)
			s->from_journal = false;
	}
	return 0;
}

int fs_track_before(void *context, const struct fs_step *step, struct error *err)
{
	struct fs_track *t = context;

	t->path_dirty = t->inode_dirty = t->left.dirty = false;
	t->content = (struct fs_content_change){.old_was_nul = true};
	for (size_t i = 0; i < step->changes.count; i++) {
		const struct fs_change *change = &step->changes.items[i];

		if (!step->commit && note_home_inode(t, change, err) < 0)
			return -1;
		if (change->shadowed)
			continue;
		for (size_t k = 0; k < t->path_watch.count && !t->path_dirty; k++) {
			if (brings_other(t, change, t->path_watch.items[k].volume_offset, t->path_watch.items[k].length, &t->path_dirty, err) < 0)
				return -1;
		}
		if (t->left.inode != 0 && brings_other(t, change, t->left.place, t->left.length, &t->left.dirty, err) < 0)
			return -1;
		if (t->inode_number == 0)
			continue;
		if (brings_other(t, change, t->inode.place, t->inode.length, &t->inode_dirty, err) < 0)
			return -1;
		for (size_t k = 0; k < t->map.nodes.count && !t->inode_dirty; k++) {
			if (brings_other(t, change, t->map.nodes.items[k], fs_cursor_block_bytes(t->cursor), &t->inode_dirty, err) < 0)
				return -1;
		}
		if (note_data(t, change, err) < 0)
			return -1;
	}
	return 0;
}
