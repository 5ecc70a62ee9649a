// SPDX-License-Identifier: MIT
// Many inodes in one walk: who watches what, against a naive list; and with arguments, timeline_inodes() against timeline_states(). It lies
// beside provgraph-fsread then.
//
//     test_fs_tracks compare HISTORY PARTITION INODES SPANS   inodes 1 .. INODES over SPANS stretches of the history, the first of them the
//                                                             whole; PARTITION -1: the only one
//     test_fs_tracks busy IMAGE FOLDER REQUESTS DAMAGED       makes a history (busy_guest.h)
//     test_fs_tracks share HISTORY INODES                     with a limit for states that they meet: each has its share
//     test_fs_tracks ask HISTORY FROM TO INODE...             what timeline_inodes() says
#include "snapshots/fs_tracks.h"
#include "snapshots/fs_watches.h"
#include "snapshots/history.h"
#include "snapshots/timeline.h"
#include "snapshots/volume.h"

#include "tests/unit/busy_guest.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static uint64_t random_state = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

// ---- who watches what

#define OWNERS 40u
#define SPACE 20000u

struct naive { struct fs_ranges owned[OWNERS]; };

static bool naive_has(const struct naive *n, uint32_t owner, uint64_t byte)
{
	for (size_t i = 0; i < n->owned[owner].count; i++)
		if (byte >= n->owned[owner].items[i].from && byte < n->owned[owner].items[i].to)
			return true;
	return false;
}

// Every byte of [from, to) that somebody watches is told once for each who does, and no other; in the order promised.
static void compare_with_naive(const struct fs_watches *w, const struct naive *n, uint64_t from, uint64_t to)
{
	uint64_t told[OWNERS] = {0}, wanted[OWNERS] = {0}, last = 0;
	struct fs_watches_at at = fs_watches_find(w, from);
	struct fs_range range;
	uint32_t owner, last_owner = 0;
	bool ordered = true, right = true;

	while (fs_watches_next(w, &at, from, to, &range, &owner)) {
		ordered &= range.from > last || (range.from == last && owner >= last_owner);
		last = range.from;
		last_owner = owner;
		for (uint64_t b = range.from > from ? range.from : from; b < range.to && b < to; b++) {
			told[owner]++;
			right &= naive_has(n, owner, b);
		}
	}
	for (uint32_t o = 0; o < OWNERS; o++) {
		for (uint64_t b = from; b < to; b++)
			wanted[o] += naive_has(n, o, b);
		right &= told[o] == wanted[o];
	}
	CHECK(ordered);
	CHECK(right);
}

static void test_watches(void)
{
	struct fs_watches w = {0};
	struct naive n = {0};
	struct error err;

	for (unsigned round = 0; round < 600; round++) {
		uint32_t owner = (uint32_t)draw(OWNERS);
		size_t count = (size_t)draw(round % 50 == 0 ? 400 : 12);
		struct fs_ranges given = {0};

		n.owned[owner].count = 0;
		for (size_t i = 0; i < count; i++) {
			uint64_t at = draw(SPACE);
			struct fs_range r = {at, at + 1 + draw(draw(20) == 0 ? 3000 : 60)};

			CHECK(fs_ranges_append(&given, r) == 0 && fs_ranges_append(&n.owned[owner], r) == 0);
		}
		CHECK_EQUAL(fs_watches_set(&w, owner, &given, &err), 0);
		fs_ranges_release(&given);
		for (unsigned i = 0; i < 3; i++) {
			uint64_t from = draw(SPACE);

			compare_with_naive(&w, &n, from, from + 1 + draw(200));
		}
	}
	for (uint32_t o = 0; o < OWNERS; o++) {
		struct fs_ranges nothing = {0};

		CHECK_EQUAL(fs_watches_set(&w, o, &nothing, &err), 0);
		fs_ranges_release(&n.owned[o]);
	}
	CHECK_EQUAL(w.count, 0);
	CHECK_EQUAL(w.leaf_count, 0);
	fs_watches_release(&w);
}

// ---- a history that was recorded

static bool same_state(const struct timeline_state *a, const struct timeline_state *b)
{
	return a->seq == b->seq && a->arrival_ns == b->arrival_ns && a->inode == b->inode && a->generation == b->generation &&
	       a->size_bytes == b->size_bytes && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->crtime_ns == b->crtime_ns &&
	       a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->links == b->links && a->change == b->change &&
	       a->changed_from == b->changed_from && a->changed_to == b->changed_to && a->pending_bytes == b->pending_bytes &&
	       a->from_journal == b->from_journal && a->tid == b->tid;
}

// The states of one inode as it would be told alone, against those at *at of what was told of all.
static void compare_inode(struct timeline_file *file, uint64_t inode, uint64_t from, uint64_t to, const struct timeline_states *all, size_t *at)
{
	struct timeline_states alone = {0};
	struct error err = {0};
	size_t first = *at;
	bool same = true;

	file->inode = inode;
	int result = timeline_states(file, from, to, &alone, &err);

	if (result < 0) {
		fprintf(stderr, "inode %" PRIu64 ": %s\n", inode, err.message);
		CHECK(result >= 0);
	}
	while (*at < all->count && all->items[*at].inode == inode)
		++*at;
	for (size_t i = 0; i < alone.count && i < *at - first; i++)
		same &= same_state(&alone.items[i], &all->items[first + i]);
	if (!same || alone.count != *at - first)
		fprintf(stderr, "inode %" PRIu64 " from seq:%" PRIu64 " to seq:%" PRIu64 ": %zu states alone, %zu with others\n", inode, from, to, alone.count,
			*at - first);
	CHECK(same);
	CHECK_EQUAL(*at - first, alone.count);
	timeline_states_release(&alone);
}

static void compare_span(struct timeline_file *file, uint64_t inodes, uint64_t from, uint64_t to)
{
	uint64_t *asked = calloc(inodes, sizeof(*asked));
	struct timeline_states all = {0};
	struct error err = {0};
	size_t at = 0;

	for (uint64_t i = 0; i < inodes; i++) // not in their order on the disk
		asked[i] = i % 2 ? inodes - i / 2 : i / 2 + 1;
	if (timeline_inodes(file, asked, inodes, from, to, &all, &err) < 0) {
		struct timeline_states none = {0};

		file->inode = 2;
		CHECK(timeline_states(file, from, to, &none, &(struct error){0}) < 0); // then there is nothing to be read for anybody
	} else {
		for (uint64_t i = 0; i < inodes; i++)
			compare_inode(file, asked[i], from, to, &all, &at);
		CHECK_EQUAL(at, all.count);
		printf("seq:%" PRIu64 " to seq:%" PRIu64 ": %zu states\n", from, to, all.count);
	}
	timeline_states_release(&all);
	free(asked);
}

static void compare_history(const char *folder, int partition, uint64_t inodes, unsigned spans)
{
	struct timeline_file file = {.history = folder, .partition = partition};
	struct history *h;
	struct history_facts facts;
	struct error err;

	if (history_open(folder, &h, &err) < 0 || history_facts(h, &facts, &err) < 0) {
		CHECK_STRING(err.message, "");
		return;
	}
	compare_span(&file, inodes, 0, facts.last_seq);
	for (unsigned i = 1; i < spans; i++) {
		uint64_t from = draw(facts.last_seq), to = from + 1 + draw(facts.last_seq - from);

		compare_span(&file, inodes, from, to);
	}
	history_free(h);
}

// ---- a limit that is met

struct opened { struct history *history; struct history_facts facts; struct partition partition; struct disk_at *disk; struct volume *volume; struct fs_ext *fs; };

static bool open_end(const char *folder, struct opened *o)
{
	struct error err;
	int result = history_open(folder, &o->history, &err) < 0 || history_facts(o->history, &o->facts, &err) < 0 ||
		     disk_at_open(o->history, o->facts.last_seq, &o->disk, &err) < 0 || volume_open(o->disk, NULL, true, &o->volume, &err) < 0 ||
		     fs_ext_open(o->volume, &o->fs, &err) < 0;

	o->partition = (struct partition){.length_bytes = o->facts.size_bytes};
	CHECK_STRING(result ? err.message : "", "");
	return result == 0;
}

static void follow(const struct opened *o, uint64_t count, const struct fs_track_share *states, const struct fs_track_share *work, struct fs_tracks *ret)
{
	uint64_t *inodes = calloc(count, sizeof(*inodes));
	struct fs_cursor *cursor = NULL;
	struct error err;

	for (uint64_t i = 0; i < count; i++)
		inodes[i] = BUSY_FIRST_FILE + i;
	CHECK_EQUAL(fs_cursor_open(o->history, &o->partition, BUSY_BLOCK, 0, &cursor, &err), 0);
	CHECK_EQUAL(fs_tracks_init(ret, cursor, o->fs, inodes, count, &err), 0);
	if (states)
		ret->room.states = *states;
	if (work)
		ret->room.work = *work;
	CHECK_EQUAL(fs_tracks_run(ret, o->facts.last_seq, &err), 0);
	CHECK_EQUAL(fs_tracks_settle(ret, o->facts.last_seq, o->facts.last_seq, &err), 0);
	fs_cursor_free(cursor);
	free(inodes);
}

// What is told of each is right, whole where nothing says that it was cut, and nobody has less than what is sure.
static void compare_cut(const struct fs_tracks *all, const struct fs_tracks *some, uint64_t sure)
{
	size_t cut = 0, whole = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct timeline_states *a = &all->items[i].states, *s = &some->items[i].states;
		bool same = s->count <= a->count;

		for (size_t k = 0; same && k < s->count; k++) // how long content was on its way may be told later than the cut
			same = a->items[k].seq == s->items[k].seq && a->items[k].change == s->items[k].change;
		CHECK(same);
		CHECK(some->items[i].too_many || s->count == a->count);
		CHECK(s->count == a->count || s->count >= sure);
		cut += some->items[i].too_many;
		whole += s->count == a->count;
	}
	CHECK_EQUAL(some->cut, cut);
	CHECK(cut > 0);
	CHECK(whole > 0);
}

static void compare_shares(const char *folder, uint64_t inodes)
{
	struct opened o = {0};
	struct fs_tracks all = {0}, some = {0};

	if (!open_end(folder, &o))
		return;
	follow(&o, inodes, NULL, NULL, &all);
	CHECK_EQUAL(all.cut, 0);
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < all.count; i++)
		least = all.items[i].states.count < least ? all.items[i].states.count : least;
	follow(&o, inodes, &(struct fs_track_share){.left = 20, .sure = least}, NULL, &some);
	compare_cut(&all, &some, least);
	fs_tracks_release(&some);
	follow(&o, inodes, NULL, &(struct fs_track_share){.left = 300, .sure = all.items[inodes / 2].work_taken}, &some);
	compare_cut(&all, &some, 0);
	fs_tracks_release(&some);
	fs_tracks_release(&all);
	fs_ext_free(o.fs);
	volume_free(o.volume);
	disk_at_free(o.disk);
	history_free(o.history);
}

static void record_busy(char **argv)
{
	struct busy b = {.wanted = strtoull(argv[2], NULL, 10), .damaged = (unsigned)atoi(argv[3])};

	busy_open_image(&b, argv[0]);
	busy_record(&b, argv[1]);
	CHECK(b.sent >= b.wanted);
	busy_release(&b);
}

static void ask(int argc, char **argv)
{
	struct timeline_file file = {.history = argv[0], .partition = -1};
	uint64_t inodes[TIMELINE_MAX_INODES + 1];
	struct timeline_states states = {0};
	struct error err = {0};
	size_t count = 0;

	for (int i = 3; i < argc && count <= TIMELINE_MAX_INODES; i++)
		inodes[count++] = strtoull(argv[i], NULL, 10);
	CHECK_EQUAL(timeline_inodes(&file, inodes, count, strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10), &states, &err), 0);
	for (size_t i = 0; i < states.count; i++)
		printf("%" PRIu64 " %" PRIu64 " %u\n", states.items[i].inode, states.items[i].seq, states.items[i].change);
	if (err.message[0])
		printf("%s\n", err.message);
	timeline_states_release(&states);
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "compare") == 0)
		compare_history(argv[2], atoi(argv[3]), strtoull(argv[4], NULL, 10), (unsigned)atoi(argv[5]));
	else if (argc == 6 && strcmp(argv[1], "busy") == 0)
		record_busy(argv + 2);
	else if (argc == 4 && strcmp(argv[1], "share") == 0)
		compare_shares(argv[2], strtoull(argv[3], NULL, 10));
	else if (argc > 5 && strcmp(argv[1], "ask") == 0)
		ask(argc - 2, argv + 2);
	else
		test_watches();
	return unit_end();
}
