// SPDX-License-Identifier: MIT
#include "snapshots/fs_tracks.h"

#include "snapshots/fs_track_work.h"

#include <stdlib.h>

#define SURE_PART 8u /* of what there is a limit: a track that is quiet has its part of one of so many */

// ---- one step, many tracks

static int concern(struct fs_tracks *t, uint32_t track)
{
	struct fs_tracks_own *own = &t->own[track];

	if (own->step == t->step)
		return 0;
	own->step = t->step;
	own->changes.count = 0;
	return u32_vector_append(&t->concerned, track);
}

// Deals the step's changes out to who watches them. all: everybody is concerned.
static int deal(struct fs_tracks *t, const struct fs_step *step, bool all, struct error *err)
{
	bool room = true;

	t->step++;
	t->concerned.count = 0;
	for (size_t i = 0; room && all && i < t->count; i++)
		room = t->items[i].stopped || concern(t, (uint32_t)i) == 0;
	for (size_t i = 0; room && i < step->changes.count; i++) {
		const struct fs_change *change = &step->changes.items[i];

		room = concern(t, change->owner) == 0 && fs_changes_append(&t->own[change->owner].changes, *change) == 0;
	}
	return room ? 0 : error_set(err, "out of memory");
}

static struct fs_step step_of(const struct fs_tracks *t, const struct fs_step *step, uint32_t track)
{
	struct fs_step own = *step;

	own.changes = t->own[track].changes;
	return own;
}

static int before_step(void *context, const struct fs_step *step, struct error *err)
{
	struct fs_tracks *t = context;

	if (deal(t, step, false, err) < 0)
		return -1;
	for (size_t i = 0; i < t->concerned.count; i++) {
		struct fs_step own = step_of(t, step, t->concerned.items[i]);

		if (fs_track_before(&t->items[t->concerned.items[i]], &own, err) < 0)
			return -1;
	}
	return 0;
}

static int retire(struct fs_tracks *t, uint32_t track, struct error *err)
{
	t->running--;
	t->cut += t->items[track].too_many;
	t->items[track].stopped = true;
	t->room.ranges.count = 0;
	return fs_cursor_watch(t->cursor, track, &t->room.ranges, err);
}

static int after_step(void *context, const struct fs_step *step, struct error *err)
{
	struct fs_tracks *t = context;

	if (step->tail_moved && deal(t, step, step->unsure, err) < 0) // no before_step() for it
		return -1;
	for (size_t i = 0; i < t->concerned.count; i++) {
		uint32_t track = t->concerned.items[i];
		struct fs_step own = step_of(t, step, track);
		int result = fs_track_after(&t->items[track], &own, err);

		if (result < 0 || (result > 0 && retire(t, track, err) < 0))
			return -1;
	}
	return t->running == 0;
}

// ---- from outside

int fs_tracks_init(struct fs_tracks *t, struct fs_cursor *c, struct fs_ext *fs, const uint64_t *inodes, size_t count, struct error *err)
{
	*t = (struct fs_tracks){.cursor = c, .running = count};
	t->items = calloc(count + 1, sizeof(*t->items));
	t->own = calloc(count + 1, sizeof(*t->own));
	if (!t->items || !t->own)
		return error_set(err, "out of memory");
	t->count = count;
	if (fs_track_room_init(&t->room, err) < 0)
		return -1;
	if (count > 1) {
		t->room.states = (struct fs_track_share){.left = FS_TRACK_MAX_STATES, .sure = FS_TRACK_MAX_STATES / SURE_PART / count};
		t->room.work = (struct fs_track_share){.left = FS_TRACK_MAX_WORK, .sure = FS_TRACK_MAX_WORK / SURE_PART / count};
	}
	for (size_t i = 0; i < count; i++) {
		t->items[i] = (struct fs_track){.cursor = c, .fs = fs, .owner = (uint32_t)i, .room = &t->room};
		if (fs_track_begin(&t->items[i], inodes[i], err) < 0 || (t->items[i].stopped && retire(t, (uint32_t)i, err) < 0))
			return -1;
	}
	return 0;
}

void fs_tracks_release(struct fs_tracks *t)
{
	for (size_t i = 0; i < t->count; i++) {
		fs_track_release(&t->items[i]);
		fs_changes_release(&t->own[i].changes);
	}
	free(t->items);
	free(t->own);
	u32_vector_release(&t->concerned);
	fs_track_room_release(&t->room);
	*t = (struct fs_tracks){0};
}

int fs_tracks_run(struct fs_tracks *t, uint64_t to_seq, struct error *err)
{
	if (t->running == 0)
		return 0;
	return fs_cursor_walk(t->cursor, to_seq, before_step, after_step, t, err) < 0 ? -1 : 0;
}

int fs_tracks_settle(struct fs_tracks *t, uint64_t to_seq, uint64_t patience_seq, struct error *err)
{
	for (size_t i = 0; i < t->count; i++) {
		struct fs_track *track = &t->items[i];
		bool pending;

		if (track->stopped)
			continue;
		if (fs_track_may_be_pending(track, &pending, err) < 0)
			return -1;
		track->stop_inode_change_seq = to_seq;
		if (!pending && retire(t, (uint32_t)i, err) < 0)
			return -1;
	}
	if (fs_tracks_run(t, patience_seq, err) < 0)
		return -1;
	for (size_t i = 0; i < t->count; i++)
		fs_track_cut(&t->items[i], to_seq);
	return 0;
}
