// SPDX-License-Identifier: MIT
#include "snapshots/fs_track.h"

#include <string.h>

void fs_content_compare(struct fs_content_change *seen, const uint8_t *old_bytes, const uint8_t *new_bytes, size_t length, uint64_t file_offset)
{
	if (memcmp(old_bytes, new_bytes, length) == 0)
		return;
	for (size_t i = 0; i < length; i++) {
		if (old_bytes[i] == new_bytes[i])
			continue;
		if (!seen->any || file_offset + i < seen->from)
			seen->from = file_offset + i;
		if (!seen->any || file_offset + i >= seen->to)
			seen->to = file_offset + i + 1;
		seen->any = true;
		seen->old_was_nul &= old_bytes[i] == 0;
	}
}

void fs_content_clip(struct fs_content_change *seen, uint64_t size)
{
	if (!seen->any)
		return;
	if (seen->from >= size)
		*seen = (struct fs_content_change){.old_was_nul = true};
	else if (seen->to > size)
		seen->to = size;
}

unsigned fs_track_classify(const struct fs_track_seen *seen, uint64_t *ret_from, uint64_t *ret_to)
{
	uint64_t from = UINT64_MAX, to = 0;
	unsigned change = 0;

	if (seen->content_differs) {
		// NUL bytes that become something while nobody touched the inode: data that was written before it was committed.
		bool arrived = seen->old_was_nul && seen->within_patience;

		change |= arrived ? TIMELINE_ARRIVED : TIMELINE_REWRITTEN;
		from = seen->content_from;
		to = seen->content_to;
	}
	if (seen->new_size > seen->old_size) {
		change |= TIMELINE_GREW;
		from = from < seen->old_size ? from : seen->old_size;
		to = seen->new_size;
	} else if (seen->new_size < seen->old_size) {
		change |= TIMELINE_CUT;
		from = from < seen->new_size ? from : seen->new_size;
		to = seen->old_size;
	}
	if (change == 0 && !seen->same_metadata)
		change = TIMELINE_METADATA;
	*ret_from = to > 0 ? from : 0;
	*ret_to = to;
	return change;
}

void fs_track_mark_pending(struct timeline_states *states, struct fs_track_extras *extras, uint64_t from, uint64_t to, uint64_t seq, uint64_t ns)
{
	if (states->count == 0)
		return;
	uint64_t inode = states->items[states->count - 1].inode, generation = states->items[states->count - 1].generation;

	for (size_t i = states->count; i-- > 0;) {
		struct timeline_state *s = &states->items[i];
		struct fs_track_extra *e = &extras->items[i];

		if (s->inode != inode || s->generation != generation || (s->change & TIMELINE_DELETED) || s->size_bytes <= from)
			return;
		if (s->pending_bytes == 0 || from < e->pending_from)
			e->pending_from = from;
		s->pending_bytes += (to < s->size_bytes ? to : s->size_bytes) - from;
		e->complete_seq = seq;
		e->complete_ns = ns;
		// What lies before it had other content there, or another length.
		if (s->change & (TIMELINE_REWRITTEN | TIMELINE_CUT | TIMELINE_APPEARED | TIMELINE_REPLACED))
			return;
	}
}
