// SPDX-License-Identifier: MIT
// The ring as its writes arrive. For each journal block: which record wrote it last, whether that was after the transaction that used
// the place before ("fresh"), and what it is. When a commit block arrives, the walk goes backward from it:
//
//     ... commit 6 | descriptor 7, data, data | revoke 7 | descriptor 7, data | commit 7
//                 ^ ends here                                          begins here
//
// over fresh blocks of its tid, until the blocks before belong to something else. What the walk took is used up. So a ring that
// comes round, blocks out of order, and leftovers of an earlier life need no rules of their own. Checksums of version 1, over whole
// transactions, are not verified here: they tell a torn commit from a whole one after a crash, and here nothing is lost.
#include "snapshots/journal_block.h"

#include "base/bytes.h"
#include "snapshots/crc32c.h"

#include <string.h>

#define MAX_HELD (8u << 20) // our limit for tags and revoked blocks that wait for their commit block
#define LONG_WALK 1024u     // over blocks that turn out to be no whole transaction: they are not walked over again

struct control { // a descriptor or revoke block that waits
	uint32_t tid;
	struct journal_tags tags;
	struct u64_vector revoked;
};

struct place {
	uint64_t seq;
	struct control *control;
	uint32_t crc;       // of a data block, from 0: the tid need not be known yet
	uint32_t announcer; // the place of the descriptor that said last what comes here; 0: none
	uint8_t kind;       // enum journal_kind
	bool fresh, unread;
};

struct walk { // backward from a commit block
	bool active;
	uint32_t commit_at, tid, at; // `at` is looked at next
	uint32_t data, steps;        // data blocks since the last control block
	uint64_t commit_ns;
};
enum walk_end { WALK_WHOLE, WALK_HOLE, WALK_BROKEN };

VECTOR_DEFINE(copy_vector, struct journal_copy)

struct journal_follow {
	struct journal_geometry g; // without extents
	uint8_t uuid[16];
	bool uuid_known;
	uint32_t tail;             // s_start: nothing reaches back over it; 0: not known
	uint32_t last_commit;      // where the last whole transaction ended; 0: not known
	journal_on_commit *on_commit;
	void *context;
	struct place *places;
	size_t held;
	uint32_t shift[32];        // CRC-32C of a block of zeros, from each single bit
	struct walk waiting;       // async commit: the blocks may come later
	struct copy_vector copies;
	struct u64_vector seqs, revoked;
	struct journal_follow_counts counts;
	struct journal_reads reads; // all NULL: every block is shown
	uint8_t *block;             // for them
	bool doubts;
};

static uint32_t ring_before(const struct journal_follow *f, uint32_t at)
{
	return at <= f->g.first ? f->g.last - 1 : at - 1;
}

static uint32_t ring_after(const struct journal_follow *f, uint32_t at)
{
	return at + 1 >= f->g.last ? f->g.first : at + 1;
}

// ---- places

static void place_forget_control(struct journal_follow *f, struct place *p)
{
	if (!p->control)
		return;
	f->held -= p->control->tags.count + p->control->revoked.count;
	journal_tags_release(&p->control->tags);
	u64_vector_release(&p->control->revoked);
	free(p->control);
	p->control = NULL;
}

static bool announces(const struct journal_follow *f, uint32_t descriptor, uint32_t at)
{
	const struct place *p = &f->places[descriptor];
	uint32_t distance = at > descriptor ? at - descriptor : at + (f->g.last - f->g.first) - descriptor;

	return descriptor != 0 && p->control && p->fresh && p->kind == JOURNAL_DESCRIPTOR && distance <= p->control->tags.count;
}

// Looks at a block that was taken for what its descriptor said.
static int place_read(struct journal_follow *f, uint32_t at, struct error *err)
{
	struct place *p = &f->places[at];

	if (f->reads.read(f->reads.context, at, p->seq, f->block, err) < 0)
		return -1;
	if (journal_block_kind(f->block) != JOURNAL_DATA) {
		f->doubts = true;
		return error_set(err, "journal: block %u is not what its descriptor says", at);
	}
	p->crc = journal_has_checksums(&f->g) ? crc32c_update(0, f->block, f->g.block_bytes) : 0;
	p->unread = false;
	return 0;
}

// The descriptor is overwritten before its transaction committed: blocks that were taken on its word must stand for themselves.
static int place_let_go(struct journal_follow *f, uint32_t at, struct error *err)
{
	struct place *p = &f->places[at];
	size_t count = p->control ? p->control->tags.count : 0;

	for (uint32_t next = ring_after(f, at); count > 0; count--, next = ring_after(f, next)) {
		struct place *data = &f->places[next];

		if (data->unread && data->fresh && data->announcer == at && place_read(f, next, err) < 0)
			return -1;
	}
	place_forget_control(f, p);
	return 0;
}

static void follow_forget_all(struct journal_follow *f)
{
	for (uint64_t i = 0; i < f->g.journal_blocks; i++) {
		place_forget_control(f, &f->places[i]);
		f->places[i].fresh = false;
	}
	f->waiting.active = false;
	f->last_commit = 0;
}

static void follow_make_shift(struct journal_follow *f)
{
	static const uint8_t zeros[65536];

	for (unsigned i = 0; i < 32; i++)
		f->shift[i] = crc32c_update(UINT32_C(1) << i, zeros, f->g.block_bytes);
}

// The checksum of a copy as the tag should have it, from the block's own.
static uint32_t follow_copy_crc(const struct journal_follow *f, uint32_t tid, uint32_t block_crc)
{
	uint8_t number[4];
	uint32_t begin, crc = block_crc;

	put_be32(number, tid);
	begin = crc32c_update(f->g.checksum_seed, number, sizeof(number));
	for (unsigned i = 0; i < 32; i++)
		if (begin >> i & 1)
			crc ^= f->shift[i];
	return crc;
}

// ---- a transaction becomes whole

// Whether a transaction can begin right behind this place. An async commit block may come before its blocks: a place that was only not
// written yet is no end then.
static bool walk_may_end(const struct journal_follow *f, const struct walk *w)
{
	const struct place *p = &f->places[w->at];

	if (w->data != 0)
		return false;
	return p->fresh || !(f->g.incompatible & JOURNAL_ASYNC_COMMIT) || ring_after(f, w->at) == f->tail || w->at == f->last_commit ||
	       (f->tail == 0 && f->last_commit == 0);
}

static enum walk_end walk_back(struct journal_follow *f, struct walk *w)
{
	for (;; w->at = ring_before(f, w->at)) {
		const struct place *p = &f->places[w->at];
		bool boundary = w->steps >= f->g.last - f->g.first || ring_after(f, w->at) == f->tail || !p->fresh || p->kind == JOURNAL_COMMIT;

		if (!boundary && p->kind == JOURNAL_DATA) {
			w->data++;
		} else if (!boundary && p->control && p->control->tid == w->tid) {
			if (p->control->tags.count != w->data)
				return WALK_BROKEN;
			w->data = 0;
		} else {
			return walk_may_end(f, w) ? WALK_WHOLE : !p->fresh ? WALK_HOLE : WALK_BROKEN;
		}
		w->steps++;
	}
}

// 1: the copy is as its tag says, or nobody wants to know; 0: it is damaged.
static int follow_check_copy(struct journal_follow *f, const struct walk *w, const struct journal_tag *t, uint32_t at, struct error *err)
{
	const struct place *data = &f->places[at];

	if (t->fs_block >= f->g.fs_blocks)
		return 0;
	if (data->unread && f->reads.wants(f->reads.context, t->fs_block) && place_read(f, at, err) < 0)
		return -1;
	return data->unread || !journal_has_checksums(&f->g) || journal_tag_matches(&f->g, t, follow_copy_crc(f, w->tid, data->crc));
}

static int follow_take_copy(struct journal_follow *f, const struct walk *w, const struct journal_tag *t, uint32_t at, struct error *err)
{
	struct place *data = &f->places[at];
	struct journal_copy copy = {.fs_block = t->fs_block, .journal_block = at, .escaped = t->escaped, .tid = w->tid, .checksum = t->checksum};
	int holds = follow_check_copy(f, w, t, at, err);

	data->fresh = false;
	if (holds < 0)
		return -1;
	if (holds == 0) {
		f->counts.damaged++;
		return 0;
	}
	copy.unchecked = data->unread && journal_has_checksums(&f->g);
	return copy_vector_append(&f->copies, copy) < 0 || u64_vector_append(&f->seqs, data->seq) < 0 ? error_set(err, "out of memory") : 0;
}

// Collects what lies between the place where the walk ended and the commit block, in the order of the log, and uses it up.
static int follow_collect(struct journal_follow *f, const struct walk *w, struct error *err)
{
	uint32_t at = ring_after(f, w->at);

	f->copies.count = f->seqs.count = f->revoked.count = 0;
	while (at != w->commit_at) {
		struct place *p = &f->places[at];
		struct control *c = p->control;

		p->fresh = false;
		at = ring_after(f, at);
		if (!c)
			continue; // its blocks were rewritten while an async commit waited
		for (size_t i = 0; i < c->revoked.count; i++)
			if (u64_vector_append(&f->revoked, c->revoked.items[i]) < 0)
				return error_set(err, "out of memory");
		for (size_t i = 0; i < c->tags.count && at != w->commit_at; i++, at = ring_after(f, at)) {
			if (follow_take_copy(f, w, &c->tags.items[i], at, err) < 0)
				return -1;
		}
		place_forget_control(f, p);
	}
	f->places[w->commit_at].fresh = false;
	f->last_commit = w->commit_at;
	return 0;
}

// What a commit block ends that is no whole transaction will not become one. Whoever writes commit blocks behind blocks that none of them takes
// would have each of them walk over all the ring.
static void walk_give_up(struct journal_follow *f, struct walk *w)
{
	uint32_t at = w->commit_at;

	f->counts.incomplete++;
	w->active = false;
	for (uint32_t left = w->steps > LONG_WALK ? w->steps : 0; left > 0; left--) {
		at = ring_before(f, at);
		f->places[at].fresh = false;
	}
}

static int follow_commit(struct journal_follow *f, struct walk *w, uint64_t seq, struct error *err)
{
	enum walk_end end = walk_back(f, w);
	struct journal_commit commit = {.tid = w->tid, .seq = seq, .commit_ns = w->commit_ns};

	if (end == WALK_HOLE && (f->g.incompatible & JOURNAL_ASYNC_COMMIT)) {
		f->waiting = *w;
		return 0;
	}
	f->waiting.active = false;
	if (end != WALK_WHOLE) {
		walk_give_up(f, w);
		return 0;
	}
	if (follow_collect(f, w, err) < 0)
		return -1;
	f->counts.commits++;
	commit.copies = f->copies.items;
	commit.copy_count = f->copies.count;
	commit.copy_seqs = f->seqs.items;
	commit.revoked = f->revoked.items;
	commit.revoked_count = f->revoked.count;
	return f->on_commit(f->context, &commit, err);
}

// ---- blocks arrive

static int follow_super(struct journal_follow *f, const uint8_t *bytes, struct error *err)
{
	uint32_t first = f->g.first, last = f->g.last;
	struct journal_super super;

	if (journal_super_decode(bytes, &f->g, &super, NULL) < 0) {
		follow_forget_all(f); // it is being made anew
		return 0;
	}
	if (f->g.incompatible & JOURNAL_FAST_COMMIT)
		return error_set(err, "fast_commit: what such commits changed cannot be followed");
	if (super.start == 0 || f->g.first != first || f->g.last != last ||
	    (f->uuid_known && memcmp(f->uuid, super.uuid, sizeof(super.uuid)) != 0))
		follow_forget_all(f);
	memcpy(f->uuid, super.uuid, sizeof(super.uuid));
	f->uuid_known = true;
	f->tail = super.start;
	return 0;
}

// A descriptor or revoke block: remembers what it says. A damaged one stays a data block, which its transaction then trips over.
static int follow_control(struct journal_follow *f, struct place *p, enum journal_kind kind, const uint8_t *bytes, struct error *err)
{
	struct control *c;

	if (!(kind == JOURNAL_DESCRIPTOR ? journal_tail_holds(&f->g, bytes) : journal_revokes_hold(&f->g, bytes)) || f->held > MAX_HELD)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return error_set(err, "out of memory");
	p->control = c;
	p->kind = (uint8_t)kind;
	c->tid = journal_block_tid(bytes);
	int result = kind == JOURNAL_DESCRIPTOR ? journal_tags_decode(&f->g, bytes, &c->tags, err)
						: journal_revokes_decode(&f->g, bytes, &c->revoked, err);
	f->held += c->tags.count + c->revoked.count;
	uint32_t at = (uint32_t)(p - f->places);

	for (size_t i = 0; i < c->tags.count && i < f->g.last - f->g.first; i++) {
		at = ring_after(f, at);
		f->places[at].announcer = (uint32_t)(p - f->places);
	}
	return result;
}

// An async commit waited for this block.
static int follow_go_on(struct journal_follow *f, uint64_t journal_block, uint64_t seq, struct error *err)
{
	struct walk w = f->waiting;

	return w.active && w.at == journal_block ? follow_commit(f, &w, seq, err) : 0;
}

bool journal_follow_announced(const struct journal_follow *f, uint64_t journal_block)
{
	return f->reads.read && journal_block >= f->g.first && journal_block < f->g.last &&
	       announces(f, f->places[journal_block].announcer, (uint32_t)journal_block);
}

int journal_follow_unread(struct journal_follow *f, uint64_t journal_block, uint64_t seq, struct error *err)
{
	struct place *p = &f->places[journal_block];

	if (p->control && place_let_go(f, (uint32_t)journal_block, err) < 0)
		return -1;
	p->seq = seq;
	p->fresh = p->unread = true;
	p->kind = JOURNAL_DATA;
	return follow_go_on(f, journal_block, seq, err);
}

int journal_follow_block(struct journal_follow *f, uint64_t journal_block, const uint8_t *bytes, uint64_t seq, struct error *err)
{
	enum journal_kind kind = journal_block_kind(bytes);
	struct place *p;

	if (journal_block >= f->g.journal_blocks)
		return error_set(err, "journal: block %llu of %llu", (unsigned long long)journal_block, (unsigned long long)f->g.journal_blocks);
	if (journal_block == 0)
		return follow_super(f, bytes, err);
	if (journal_block < f->g.first || journal_block >= f->g.last)
		return 0;
	p = &f->places[journal_block];
	if (p->control && place_let_go(f, (uint32_t)journal_block, err) < 0)
		return -1;
	p->seq = seq;
	p->fresh = true;
	p->unread = false;
	p->kind = JOURNAL_DATA;
	p->crc = journal_has_checksums(&f->g) ? crc32c_update(0, bytes, f->g.block_bytes) : 0;
	if ((kind == JOURNAL_DESCRIPTOR || kind == JOURNAL_REVOKE) && follow_control(f, p, kind, bytes, err) < 0)
		return -1;
	if (kind == JOURNAL_COMMIT && journal_commit_holds(&f->g, bytes)) {
		uint32_t at = (uint32_t)journal_block;
		struct walk w = {true, at, journal_block_tid(bytes), ring_before(f, at), 0, 0, journal_commit_time(bytes, NULL)};

		p->kind = JOURNAL_COMMIT;
		if (f->waiting.active)
			walk_give_up(f, &f->waiting);
		return follow_commit(f, &w, seq, err);
	}
	return follow_go_on(f, journal_block, seq, err);
}

// ----

int journal_follow_new(const struct journal_geometry *g, journal_on_commit *on_commit, void *context, struct journal_follow **ret,
		       struct error *err)
{
	struct journal_follow *f;

	if (g->incompatible & JOURNAL_FAST_COMMIT)
		return error_set(err, "fast_commit: what such commits changed cannot be followed");
	f = calloc(1, sizeof(*f));
	if (!f)
		return error_set(err, "out of memory");
	f->g = *g;
	f->g.extents = (struct journal_extents){0};
	f->on_commit = on_commit;
	f->context = context;
	f->places = calloc(g->journal_blocks, sizeof(*f->places));
	f->block = malloc(g->block_bytes);
	if (!f->places || !f->block) {
		free(f->places);
		free(f->block);
		free(f);
		return error_set(err, "out of memory");
	}
	follow_make_shift(f);
	*ret = f;
	return 0;
}

void journal_follow_free(struct journal_follow *f)
{
	if (!f)
		return;
	follow_forget_all(f);
	copy_vector_release(&f->copies);
	u64_vector_release(&f->seqs);
	u64_vector_release(&f->revoked);
	free(f->places);
	free(f->block);
	free(f);
}

void journal_follow_read_less(struct journal_follow *f, const struct journal_reads *reads)
{
	f->reads = *reads;
}

bool journal_follow_holds(const struct journal_follow *f, const struct journal_copy *copy, const uint8_t *bytes)
{
	const struct journal_tag tag = {.fs_block = copy->fs_block, .checksum = copy->checksum, .escaped = copy->escaped};

	return journal_block_kind(bytes) == JOURNAL_DATA && journal_tag_holds(&f->g, &tag, copy->tid, bytes);
}

bool journal_follow_doubts(const struct journal_follow *f)
{
	return f->doubts;
}

struct journal_follow_counts journal_follow_seen(const struct journal_follow *f)
{
	return f->counts;
}
