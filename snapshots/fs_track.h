// SPDX-License-Identifier: MIT
// Follows one file through time: an inode, or whatever a path means.
//
// A state begins where the replayed view shows something else than before: another inode (commit or home write of its block), other
// content (a data block was written, or the map points elsewhere), another inode under the name. Content is compared only where it can
// differ: blocks that were written, places where the map changed. So 100,000 states of a 1 GB log cost their own blocks.
#ifndef SNAPSHOTS_FS_TRACK_H
#define SNAPSHOTS_FS_TRACK_H

#include "snapshots/fs_names.h"
#include "snapshots/timeline.h"

// Dirty data reaches the disk within 30 s (vm.dirty_expire_centisecs) + 5 s, more on a loaded guest: what fills NUL bytes within this
// time of the inode's arrival was pending; later, it is a change.
#define FS_TRACK_PATIENCE_NS (120 * UINT64_C(1000000000))
#define FS_TRACK_LEFT_NS (60 * UINT64_C(1000000000)) /* a file that loses its last name so soon after its known one was removed, not moved */
#define FS_TRACK_MAX_STATES 500000u /* our limit: about 100 MB */
// Our limit, some minutes: entries of maps that are decoded, KiB that are compared, and what costs as much as those, some 0.3 us each.
#define FS_TRACK_MAX_WORK (UINT64_C(1) << 30)

struct fs_track_extra { // beside each state
	uint64_t raw_hash; // of the inode's bytes
	uint64_t pending_from, complete_seq, complete_ns; // set with pending_bytes
	uint64_t previous_inode; // REPLACED, DELETED: what the name meant before
	bool previous_lives;     // that inode still has a name somewhere: it was moved, not removed
};
VECTOR_DEFINE(fs_track_extras, struct fs_track_extra)

struct fs_content_change { // begins as {.old_was_nul = true}
	bool any, old_was_nul;
	uint64_t from, to; // bytes of the file: the first that differs, and behind the last
};

// Of what there is a limit. A guest makes a file with any number of states, or of pieces that are looked at again with each: it must not take
// the others' share. Each has `sure` for itself; of the rest one takes at most as much as it leaves.
struct fs_track_share { uint64_t left, sure; bool whole; }; // whole: there is but one track, and it may have all
static inline bool fs_track_share_take(struct fs_track_share *s, uint64_t *taken, uint64_t count)
{
	uint64_t sum = count < UINT64_MAX - *taken ? *taken + count : UINT64_MAX, rest = sum > s->sure ? sum - s->sure : 0;
	uint64_t more = rest < count ? rest : count;

	if (more > s->left || (!s->whole && rest > s->left - more))
		return false;
	s->left -= more;
	*taken = sum;
	return true;
}

// What tracks along one cursor share: buffers for comparing, and how many states and how much work all of them may have.
struct fs_track_room {
	uint8_t *old_bytes, *new_bytes;
	struct fs_ranges ranges;
	struct fs_track_share states, work;
};

struct fs_track {
	struct timeline_states states;
	struct fs_track_extras extras; // one for each state
	bool too_many;                 // stopped at its share of FS_TRACK_MAX_STATES or FS_TRACK_MAX_WORK
	// The rest belongs to fs_track.c.
	struct fs_cursor *cursor;
	uint32_t owner; // as what it watches there
	struct fs_track_room *room;
	bool own_room;
	struct fs_ext *fs;
	uint64_t states_taken, work_taken;
	uint64_t began_ns; // host time of the cursor's first moment; 0: before the first record
	const void *path;
	size_t path_length;
	uint64_t inode_number; // 0: nothing there
	bool alive;            // it has links
	struct fs_inode inode;
	struct fs_file file;
	struct fs_map map;
	struct fs_runs path_watch, by_volume; // by_volume: map.runs in the order of the volume
	bool path_dirty, inode_dirty;         // in the present step
	struct fs_content_change content;
	// What the name meant before, while it may still turn out to have been removed rather than moved: without a journal its folder is
	// written before its inode, and a file may be moved aside in order to be removed.
	struct fs_track_left { uint64_t inode, place, until_ns; size_t length, state; uint32_t generation; bool dirty; } left;
	uint64_t stop_inode_change_seq; // 0, or: stop at the first change after this record that is not content coming in
	bool stopped;
};

// fs gives the places of inodes; path NULL: by inode. The state in force at the cursor's moment (if any) is the first, with change 0.
int fs_track_init(struct fs_track *t, struct fs_cursor *c, struct fs_ext *fs, const void *path, size_t path_length, uint64_t inode, struct error *err);
void fs_track_release(struct fs_track *t);
// Moves the cursor on to to_seq and appends the states on the way.
int fs_track_run(struct fs_track *t, uint64_t to_seq, struct error *err);
void fs_track_cut(struct fs_track *t, uint64_t to_seq); // forgets states that begin behind it
// Whether content of the present state may still be on its way: NUL bytes at its end, or unwritten blocks.
int fs_track_may_be_pending(struct fs_track *t, bool *ret, struct error *err);

// ---- what a change means; pure, for tests

// Bytes of the file from file_offset on, before and after.
void fs_content_compare(struct fs_content_change *seen, const uint8_t *old_bytes, const uint8_t *new_bytes, size_t length, uint64_t file_offset);
void fs_content_clip(struct fs_content_change *seen, uint64_t size); // forgets what lies behind `size`

struct fs_track_seen { // a state against the one before it
	uint64_t old_size, new_size;
	bool same_metadata; // mode, owner, links, mtime, ctime
	bool content_differs, old_was_nul; // in the bytes that both have
	uint64_t content_from, content_to;
	bool within_patience;
};
// Bits of timeline_change, 0: nothing that counts; and the bytes that changed.
unsigned fs_track_classify(const struct fs_track_seen *seen, uint64_t *ret_from, uint64_t *ret_to);
// Content [from, to) came in with record seq: earlier states that showed NUL bytes there were waiting for it.
void fs_track_mark_pending(struct timeline_states *states, struct fs_track_extras *extras, uint64_t from, uint64_t to, uint64_t seq, uint64_t ns);

#endif
