// SPDX-License-Identifier: MIT
#include "snapshots/fs_track_work.h"

#include "base/nanotime.h"

#include <stdlib.h>

#define WORK_OF_A_NODE 64u       /* reading a block of a map */
#define WORK_OF_A_LOOK 16u       /* at an inode */
#define STATES_MARKED_AT_ONCE 8u /* for one piece of work */

uint64_t fs_track_hash(const uint8_t *bytes, size_t length) // FNV-1a: only tells our own states apart
{
	uint64_t hash = UINT64_C(0xCBF29CE484222325);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3);
	return hash;
}

// ---- the present state

static int compare_places(const void *a, const void *b)
{
	const struct fs_run *x = a, *y = b;

	return x->volume_offset < y->volume_offset ? -1 : x->volume_offset > y->volume_offset;
}

static int add_range(struct fs_track *t, uint64_t from, uint64_t length, struct error *err)
{
	if (fs_ranges_append(&t->room->ranges, (struct fs_range){from, length < UINT64_MAX - from ? from + length : UINT64_MAX}) < 0)
		return error_set(err, "out of memory");
	return 0;
}

static int watch_again(struct fs_track *t, struct error *err)
{
	uint32_t block = fs_cursor_block_bytes(t->cursor);

	t->room->ranges.count = 0;
	for (size_t i = 0; i < t->path_watch.count; i++) {
		if (add_range(t, t->path_watch.items[i].volume_offset, t->path_watch.items[i].length, err) < 0)
			return -1;
	}
	if (t->inode_number != 0 && add_range(t, t->inode.place, t->inode.length, err) < 0)
		return -1;
	if (t->left.inode != 0 && add_range(t, t->left.place, t->left.length, err) < 0)
		return -1;
	for (size_t i = 0; i < t->map.nodes.count; i++) {
		if (add_range(t, t->map.nodes.items[i], block, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < t->by_volume.count; i++) {
		const struct fs_run *run = &t->by_volume.items[i];

		if (!run->unwritten && add_range(t, run->volume_offset, run->length, err) < 0)
			return -1;
	}
	return fs_cursor_watch(t->cursor, t->owner, &t->room->ranges, err);
}

static int order_runs(struct fs_track *t, struct error *err)
{
	t->by_volume.count = 0;
	if (fs_runs_reserve(&t->by_volume, t->map.runs.count) < 0)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < t->map.runs.count; i++)
		t->by_volume.items[t->by_volume.count++] = t->map.runs.items[i];
	if (t->by_volume.count > 1)
		qsort(t->by_volume.items, t->by_volume.count, sizeof(*t->by_volume.items), compare_places);
	return 0;
}

void fs_track_work(struct fs_track *t, uint64_t pieces)
{
	if (!fs_track_share_take(&t->room->work, &t->work_taken, pieces))
		t->too_many = t->stopped = true;
}

// Reads inode, facts and map of t->inode_number. It may turn out to be nothing (t->alive false).
static int load_inode(struct fs_track *t, struct error *err)
{
	bool found = false;
	struct error ignored;

	fs_file_release(&t->file);
	fs_map_release(&t->map);
	t->by_volume.count = 0;
	t->alive = false;
	if (fs_inode_read(t->cursor, t->fs, t->inode_number, &t->inode, &found, err) < 0)
		return -1;
	if (!found) {
		t->inode_number = 0;
		return 0;
	}
	// Bytes that are no inode (in the middle of mkfs, freed) are no failure of ours.
	if (fs_ext_decode_inode(t->fs, t->inode_number, t->inode.raw, t->inode.length, &t->file, &ignored) < 0)
		memset(&t->file, 0, sizeof(t->file));
	t->alive = t->file.mode != 0 && fs_inode_lives(t->inode.raw);
	if (!t->alive)
		return 0;
	if (fs_map_decode(t->inode.raw, t->inode.length, fs_cursor_block_bytes(t->cursor), fs_names_read, t->cursor, &t->map, err) < 0)
		return -1;
	fs_track_work(t, t->map.runs.count + WORK_OF_A_NODE * t->map.nodes.count + WORK_OF_A_LOOK);
	return order_runs(t, err);
}

static int find_path(struct fs_track *t, uint64_t *ret_inode, struct error *err)
{
	t->path_watch.count = 0;
	return fs_names_find(t->cursor, t->fs, t->path, t->path_length, &t->path_watch, ret_inode, err);
}

static void fill_state(const struct fs_track *t, struct timeline_state *s)
{
	const struct fs_file *f = &t->file;

	s->inode = t->inode_number;
	s->generation = f->generation;
	s->size_bytes = f->size_bytes;
	s->mtime_ns = f->mtime_ns;
	s->ctime_ns = f->ctime_ns;
	s->crtime_ns = f->crtime_ns;
	s->mode = f->mode;
	s->uid = f->uid;
	s->gid = f->gid;
	s->links = f->links;
}

static int append_state(struct fs_track *t, const struct timeline_state *s, const struct fs_track_extra *e, struct error *err)
{
	if (!fs_track_share_take(&t->room->states, &t->states_taken, 1)) {
		t->too_many = t->stopped = true;
		return 0;
	}
	if (fs_track_extras_append(&t->extras, *e) < 0 || timeline_states_append(&t->states, *s) < 0)
		return error_set(err, "out of memory");
	return 0;
}

// ---- a step, once it shows

// Where both files have bytes but the maps differ.
static int compare_maps(struct fs_track *t, const struct fs_map *old, uint64_t common, struct error *err)
{
	for (uint64_t at = 0; at < common;) {
		bool old_hole, new_hole;
		struct fs_run a = fs_map_at(old, at, common - at, &old_hole), b = fs_map_at(&t->map, at, a.length, &new_hole);
		bool a_zero = old_hole || a.unwritten, b_zero = new_hole || b.unwritten;
		uint64_t length = b.length;

		if (!old->inline_bytes && !t->map.inline_bytes && ((a_zero && b_zero) || (!a_zero && !b_zero && a.volume_offset == b.volume_offset))) {
			at += length;
			continue;
		}
		if (length > FS_TRACK_COMPARE_BYTES)
			length = FS_TRACK_COMPARE_BYTES;
		if (fs_map_content(old, fs_names_read, t->cursor, at, t->room->old_bytes, (size_t)length, err) < 0 ||
		    fs_map_content(&t->map, fs_names_read, t->cursor, at, t->room->new_bytes, (size_t)length, err) < 0)
			return -1;
		fs_content_compare(&t->content, t->room->old_bytes, t->room->new_bytes, (size_t)length, at);
		at += length;
	}
	return 0;
}

static bool same_metadata(const struct fs_file *a, const struct fs_file *b)
{
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->links == b->links && a->mtime_ns == b->mtime_ns &&
	       a->ctime_ns == b->ctime_ns;
}

static void begin_state(const struct fs_track *t, const struct fs_step *step, struct timeline_state *s, struct fs_track_extra *e)
{
	*s = (struct timeline_state){.seq = step->seq, .arrival_ns = step->realtime_ns, .from_journal = step->commit, .tid = step->tid};
	fill_state(t, s);
	*e = (struct fs_track_extra){.raw_hash = fs_track_hash(t->inode.raw, t->inode.length)};
}

// The time of the last state that the inode itself made. When the one in force at the beginning arrived is not known: from there on, then.
static uint64_t last_inode_arrival(const struct fs_track *t)
{
	for (size_t i = t->states.count; i-- > 0;) {
		if (t->states.items[i].change != TIMELINE_ARRIVED)
			return t->states.items[i].arrival_ns != 0 ? t->states.items[i].arrival_ns : t->began_ns;
	}
	return 0;
}

static int add_compared(struct fs_track *t, const struct fs_step *step, const struct fs_track_seen *seen, struct error *err)
{
	struct timeline_state s;
	struct fs_track_extra e;
	uint64_t from, to;
	unsigned change = fs_track_classify(seen, &from, &to);

	if (change == 0)
		return 0;
	if (change & TIMELINE_ARRIVED) {
		fs_track_work(t, t->states.count / STATES_MARKED_AT_ONCE);
		fs_track_mark_pending(&t->states, &t->extras, seen->content_from, seen->content_to, step->seq, step->realtime_ns);
	}
	begin_state(t, step, &s, &e);
	s.change = change;
	s.changed_from = from;
	s.changed_to = to;
	if (change == TIMELINE_ARRIVED && !t->inode_dirty && t->states.count > 0) { // the inode is as it was: so is where it comes from
		s.from_journal = t->states.items[t->states.count - 1].from_journal;
		s.tid = t->states.items[t->states.count - 1].tid;
	}
	if (t->stop_inode_change_seq != 0 && step->seq > t->stop_inode_change_seq && (change & (TIMELINE_CUT | TIMELINE_REWRITTEN)))
		t->stopped = true;
	return append_state(t, &s, &e, err);
}

static int add_gone(struct fs_track *t, const struct fs_step *step, const struct timeline_state *last, unsigned change, bool lives, struct error *err)
{
	struct timeline_state s = *last; // sizes and times of what went: the inode itself is wiped by then
	struct fs_track_extra e = {.previous_inode = last->inode, .previous_lives = lives};

	s.seq = step->seq;
	s.arrival_ns = step->realtime_ns;
	s.from_journal = step->commit;
	s.tid = step->tid;
	s.change = change;
	s.pending_bytes = s.changed_from = 0;
	s.changed_to = s.size_bytes;
	s.links = lives ? s.links : 0;
	t->stopped |= t->stop_inode_change_seq != 0;
	return append_state(t, &s, &e, err);
}

static int add_new(struct fs_track *t, const struct fs_step *step, unsigned change, uint64_t previous, bool lives, struct error *err)
{
	struct timeline_state s;
	struct fs_track_extra e;

	begin_state(t, step, &s, &e);
	s.change = change;
	s.changed_to = s.size_bytes;
	e.previous_inode = previous;
	e.previous_lives = lives;
	t->stopped |= t->stop_inode_change_seq != 0;
	return append_state(t, &s, &e, err);
}

// The inode that the name meant, now that the name means something else: does it still have a name?
static int still_lives(struct fs_track *t, uint64_t inode, uint32_t generation, bool *ret, struct error *err)
{
	struct fs_inode *i = malloc(sizeof(*i));
	bool found;

	if (!i)
		return error_set(err, "out of memory");
	int result = fs_inode_read(t->cursor, t->fs, inode, i, &found, err);

	*ret = result == 0 && found && fs_inode_lives(i->raw) && fs_inode_generation(i) == generation;
	free(i);
	return result;
}

// The inode that the name left: it is watched for a while.
static void leave(struct fs_track *t, const struct fs_step *step, const struct fs_inode *inode, uint32_t generation)
{
	t->left = (struct fs_track_left){.inode = inode->number, .place = inode->place, .length = inode->length, .generation = generation};
	t->left.until_ns = step->realtime_ns + FS_TRACK_LEFT_NS;
	t->left.state = t->states.count; // the one that is told next
}

static int judge_left(struct fs_track *t, const struct fs_step *step, struct error *err)
{
	bool lives = true;

	if (step->realtime_ns < t->left.until_ns && still_lives(t, t->left.inode, t->left.generation, &lives, err) < 0)
		return -1;
	if (!lives && t->left.state < t->states.count) {
		t->states.items[t->left.state].change &= ~(unsigned)TIMELINE_RENAMED;
		t->states.items[t->left.state].links = t->states.items[t->left.state].change & TIMELINE_DELETED ? 0 : t->states.items[t->left.state].links;
		t->extras.items[t->left.state].previous_lives = false;
	}
	if (!lives || step->realtime_ns >= t->left.until_ns)
		t->left.inode = 0;
	return 0;
}

static struct timeline_state last_facts(const struct fs_track *t)
{
	struct timeline_state s = t->states.count > 0 ? t->states.items[t->states.count - 1] : (struct timeline_state){0};

	fill_state(t, &s);
	return s;
}

// The name means `now`, which is not what it meant.
static int switch_inode(struct fs_track *t, uint64_t now, const struct fs_step *step, struct error *err)
{
	bool was_there = t->inode_number != 0 && t->alive, lives = false;
	uint64_t before = t->inode_number;
	struct timeline_state last = last_facts(t);

	if (was_there && still_lives(t, before, last.generation, &lives, err) < 0)
		return -1;
	if (lives)
		leave(t, step, &t->inode, last.generation);
	t->inode_number = now;
	if (load_inode(t, err) < 0)
		return -1;
	unsigned moved = lives ? TIMELINE_RENAMED : 0;

	if (t->alive)
		return add_new(t, step, was_there ? TIMELINE_REPLACED | moved : TIMELINE_APPEARED, was_there ? before : 0, lives, err);
	return was_there ? add_gone(t, step, &last, TIMELINE_DELETED | moved, lives, err) : 0;
}

// The same inode number with other bytes.
static int reload_inode(struct fs_track *t, const struct fs_step *step, struct error *err)
{
	struct timeline_state last = last_facts(t);
	struct fs_file old_file = t->file;
	struct fs_map old_map = t->map;
	bool was_alive = t->alive;
	int result;

	t->file = (struct fs_file){0};
	t->map = (struct fs_map){0};
	result = load_inode(t, err);
	bool reused = was_alive && t->alive && (old_file.generation != t->file.generation || old_file.crtime_ns != t->file.crtime_ns);

	if (result < 0) {
		// told already
	} else if (was_alive && !t->alive) {
		result = add_gone(t, step, &last, TIMELINE_DELETED, false, err);
	} else if (t->alive && (!was_alive || reused)) {
		unsigned change = !was_alive ? TIMELINE_APPEARED : t->path ? TIMELINE_REPLACED : TIMELINE_DELETED | TIMELINE_APPEARED;

		result = add_new(t, step, change, reused ? last.inode : 0, false, err);
	} else if (t->alive) {
		uint64_t common = old_file.size_bytes < t->file.size_bytes ? old_file.size_bytes : t->file.size_bytes;
		struct fs_track_seen seen = {.old_size = old_file.size_bytes, .new_size = t->file.size_bytes};

		result = compare_maps(t, &old_map, common, err);
		fs_content_clip(&t->content, common);
		seen.same_metadata = same_metadata(&old_file, &t->file);
		seen.content_differs = t->content.any;
		seen.old_was_nul = t->content.old_was_nul;
		seen.content_from = t->content.from;
		seen.content_to = t->content.to;
		seen.within_patience = step->realtime_ns < last_inode_arrival(t) + FS_TRACK_PATIENCE_NS;
		if (result == 0)
			result = add_compared(t, step, &seen, err);
	}
	fs_file_release(&old_file);
	fs_map_release(&old_map);
	return result;
}

static int content_only(struct fs_track *t, const struct fs_step *step, struct error *err)
{
	struct fs_track_seen seen = {.old_size = t->file.size_bytes, .new_size = t->file.size_bytes, .same_metadata = true, .content_differs = true};

	seen.old_was_nul = t->content.old_was_nul;
	seen.content_from = t->content.from;
	seen.content_to = t->content.to;
	seen.within_patience = step->realtime_ns < last_inode_arrival(t) + FS_TRACK_PATIENCE_NS;
	return add_compared(t, step, &seen, err);
}

int fs_track_after(void *context, const struct fs_step *step, struct error *err)
{
	struct fs_track *t = context;
	uint64_t now = t->inode_number;
	int result = 0;

	if (step->tail_moved) { // rare: look at everything again
		t->content = (struct fs_content_change){.old_was_nul = true};
		t->path_dirty = t->path != NULL;
		t->inode_dirty = t->inode_number != 0;
	}
	if (t->left.dirty && judge_left(t, step, err) < 0)
		return -1;
	if (!t->path_dirty && !t->inode_dirty && !t->content.any)
		return t->stopped;
	if (t->path_dirty && find_path(t, &now, err) < 0)
		return -1;
	if (now != t->inode_number)
		result = switch_inode(t, now, step, err);
	else if (t->inode_dirty)
		result = reload_inode(t, step, err);
	else if (t->content.any && t->alive)
		result = content_only(t, step, err);
	if (result == 0 && (t->path_dirty || t->inode_dirty))
		result = watch_again(t, err);
	return result < 0 ? -1 : t->stopped;
}

// ---- from outside

int fs_track_room_init(struct fs_track_room *r, struct error *err)
{
	*r = (struct fs_track_room){.states = {.left = FS_TRACK_MAX_STATES, .whole = true}, .work = {.left = FS_TRACK_MAX_WORK, .whole = true}};
	r->old_bytes = malloc(FS_TRACK_COMPARE_BYTES);
	r->new_bytes = malloc(FS_TRACK_COMPARE_BYTES);
	return r->old_bytes && r->new_bytes ? 0 : error_set(err, "out of memory");
}

void fs_track_room_release(struct fs_track_room *r)
{
	free(r->old_bytes);
	free(r->new_bytes);
	fs_ranges_release(&r->ranges);
}

int fs_track_begin(struct fs_track *t, uint64_t inode, struct error *err)
{
	t->began_ns = fs_cursor_time(t->cursor);
	t->inode_number = inode;
	if (load_inode(t, err) < 0)
		return -1;
	if (t->alive) {
		struct timeline_state s = {.seq = fs_cursor_seq(t->cursor), .arrival_ns = 0};
		struct fs_track_extra e = {.raw_hash = fs_track_hash(t->inode.raw, t->inode.length)};

		fill_state(t, &s);
		if (append_state(t, &s, &e, err) < 0)
			return -1;
	}
	return watch_again(t, err);
}

int fs_track_init(struct fs_track *t, struct fs_cursor *c, struct fs_ext *fs, const void *path, size_t path_length, uint64_t inode, struct error *err)
{
	uint64_t now = inode;

	*t = (struct fs_track){.cursor = c, .fs = fs, .path = path, .path_length = path_length, .own_room = true};
	t->room = malloc(sizeof(*t->room));
	if (!t->room)
		return error_set(err, "out of memory");
	if (fs_track_room_init(t->room, err) < 0 || (path && find_path(t, &now, err) < 0))
		return -1;
	return fs_track_begin(t, now, err);
}

void fs_track_release(struct fs_track *t)
{
	timeline_states_release(&t->states);
	fs_track_extras_release(&t->extras);
	fs_file_release(&t->file);
	fs_map_release(&t->map);
	fs_runs_release(&t->path_watch);
	fs_runs_release(&t->by_volume);
	if (t->own_room && t->room)
		fs_track_room_release(t->room);
	if (t->own_room)
		free(t->room);
	memset(t, 0, sizeof(*t));
}

int fs_track_run(struct fs_track *t, uint64_t to_seq, struct error *err)
{
	if (t->stopped)
		return 0;
	return fs_cursor_walk(t->cursor, to_seq, fs_track_before, fs_track_after, t, err) < 0 ? -1 : 0;
}

int fs_track_may_be_pending(struct fs_track *t, bool *ret, struct error *err)
{
	uint64_t size = t->file.size_bytes, from = size > FS_TRACK_COMPARE_BYTES ? size - FS_TRACK_COMPARE_BYTES : 0;

	*ret = false;
	if (!t->alive || size == 0 || t->file.kind != FS_REGULAR)
		return 0;
	for (size_t i = 0; i < t->map.runs.count && !*ret; i++)
		*ret = t->map.runs.items[i].unwritten && t->map.runs.items[i].file_offset < size;
	if (fs_map_content(&t->map, fs_names_read, t->cursor, from, t->room->old_bytes, (size_t)(size - from), err) < 0)
		return -1;
	*ret |= t->room->old_bytes[size - from - 1] == 0;
	return 0;
}

void fs_track_cut(struct fs_track *t, uint64_t to_seq)
{
	while (t->states.count > 0 && t->states.items[t->states.count - 1].seq > to_seq)
		t->states.count--;
	t->extras.count = t->states.count;
}
