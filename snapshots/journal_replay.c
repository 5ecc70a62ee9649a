// SPDX-License-Identifier: MIT
// Recovery as fs/jbd2/recovery.c does it, in one walk and one sweep instead of three passes:
//   walk    from s_start, tid by tid, until a block does not belong to the log; notes tags and revokes. What follows the last good
//           commit block is forgotten. (The kernel's SCAN and REVOKE.)
//   sweep   over the noted copies: revoked ones and those with a wrong checksum go, the newest of each block stays. (REPLAY.)
// The walk never consumes more blocks than the ring has, which ends it in rings that no kernel wrote.
#include "snapshots/journal_block.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <string.h>

#define WALK_WINDOW_BYTES (16u << 10)   // read ahead while control blocks are looked for
#define SWEEP_WINDOW_BYTES (512u << 10) // read ahead while every block is wanted
#define MAX_REVOKES (4u << 20)          // our limit
#define CRC32_CHECKSUM_TYPE 1u          // JBD2_CRC32_CHKSUM
#define CRC32_CHECKSUM_BYTES 4u         // JBD2_CRC32_CHKSUM_SIZE

struct logged { uint64_t fs_block; uint32_t journal_block, tid, checksum, order; bool escaped; };
VECTOR_DEFINE(logged_vector, struct logged)
struct revoke { uint64_t fs_block; uint32_t tid; };
VECTOR_DEFINE(revoke_vector, struct revoke)

struct recovery {
	struct journal_geometry g; // with the journal superblock of this moment
	journal_read *read;
	void *context;
	uint8_t *window;
	size_t window_bytes;
	uint64_t window_first, window_count; // journal blocks in the window
	struct logged_vector logged;
	struct revoke_vector revokes;
	struct journal_tags tags;
	struct u64_vector numbers;
	// the walk
	uint32_t at, tid, transaction_crc;
	uint64_t consumed;
	size_t committed_logged, committed_revokes;
	uint64_t transactions, last_seconds;
	bool suspicious; // a descriptor or revoke block is not sound: the commit block decides what that means
	struct journal_result *result;
};

static const uint8_t *recovery_block(struct recovery *r, uint32_t journal_block, struct error *err)
{
	uint64_t fs_block, run = 1, most = r->window_bytes / r->g.block_bytes;

	if (journal_block >= r->window_first && journal_block - r->window_first < r->window_count)
		return r->window + (journal_block - r->window_first) * r->g.block_bytes;
	if (!journal_to_fs(&r->g, journal_block, &fs_block)) {
		(void)error_set(err, "journal: block %u is outside of its file", journal_block);
		return NULL;
	}
	for (uint64_t next; run < most && journal_to_fs(&r->g, journal_block + run, &next) && next == fs_block + run;)
		run++;
	r->window_count = 0;
	if (r->read(r->context, fs_block * r->g.block_bytes, r->window, run * r->g.block_bytes, err) < 0)
		return NULL;
	r->window_first = journal_block;
	r->window_count = run;
	return r->window;
}

// Steps over `count` blocks of the ring.
static void walk_advance(struct recovery *r, size_t count)
{
	r->consumed += count;
	r->at += (uint32_t)count;
	if (r->at >= r->g.last)
		r->at = r->g.first + (r->at - r->g.last) % (r->g.last - r->g.first);
}

// Notes the copies behind a descriptor, which is already stepped over.
static int walk_descriptor(struct recovery *r, const uint8_t *block, struct error *err)
{
	bool sum = r->g.compatible & JOURNAL_COMPAT_CHECKSUM;

	if (!journal_tail_holds(&r->g, block))
		r->suspicious = true;
	r->tags.count = 0;
	if (journal_tags_decode(&r->g, block, &r->tags, err) < 0)
		return -1;
	if (sum)
		r->transaction_crc = journal_crc32_be(r->transaction_crc, block, r->g.block_bytes);
	for (size_t i = 0; i < r->tags.count; i++) {
		const struct journal_tag *t = &r->tags.items[i];
		struct logged l = {t->fs_block, r->at, r->tid, t->checksum, (uint32_t)r->logged.count, t->escaped};

		if (sum) {
			const uint8_t *data = recovery_block(r, r->at, err);

			if (!data)
				return -1;
			r->transaction_crc = journal_crc32_be(r->transaction_crc, data, r->g.block_bytes);
		}
		walk_advance(r, 1);
		if (logged_vector_append(&r->logged, l) < 0)
			return error_set(err, "out of memory");
	}
	return 0;
}

static int walk_revoke(struct recovery *r, const uint8_t *block, struct error *err)
{
	if (!journal_revokes_hold(&r->g, block)) {
		r->suspicious = true;
		return 0;
	}
	r->numbers.count = 0;
	if (journal_revokes_decode(&r->g, block, &r->numbers, err) < 0)
		return -1;
	if (r->revokes.count + r->numbers.count > MAX_REVOKES)
		return error_set(err, "journal: more than %u revoked blocks", MAX_REVOKES);
	for (size_t i = 0; i < r->numbers.count; i++)
		if (revoke_vector_append(&r->revokes, (struct revoke){r->numbers.items[i], r->tid}) < 0)
			return error_set(err, "out of memory");
	return 0;
}

static bool commit_checksum_holds(const struct recovery *r, const uint8_t *block)
{
	uint32_t found = get_be32(block + 16);

	if (!(r->g.compatible & JOURNAL_COMPAT_CHECKSUM))
		return journal_commit_holds(&r->g, block);
	// A kernel that writes none may have had the journal since the feature was set.
	return (found == r->transaction_crc && block[12] == CRC32_CHECKSUM_TYPE && block[13] == CRC32_CHECKSUM_BYTES) ||
	       (found == 0 && block[12] == 0 && block[13] == 0);
}

// *ret_more false: the log ends before this transaction.
static int walk_commit(struct recovery *r, const uint8_t *block, bool *ret_more, struct error *err)
{
	uint64_t seconds;

	(void)journal_commit_time(block, &seconds);
	*ret_more = false;
	if (r->suspicious) { // older than the transaction before: left over from an earlier life of the ring
		if (seconds < r->last_seconds)
			return 0;
		return error_set(err, "journal: a descriptor or revoke block is damaged in transaction %u, which is committed: "
				 "the kernel would not replay this journal; --raw reads what the home blocks hold", r->tid);
	}
	if (!commit_checksum_holds(r, block))
		return 0;
	*ret_more = true;
	r->transaction_crc = UINT32_MAX;
	r->last_seconds = seconds;
	r->committed_logged = r->logged.count;
	r->committed_revokes = r->revokes.count;
	r->transactions++;
	r->tid++;
	return 0;
}

static int recovery_walk(struct recovery *r, struct error *err)
{
	uint32_t ring = r->g.last - r->g.first;
	bool more = true;

	r->transaction_crc = UINT32_MAX;
	while (more && r->consumed <= ring) {
		const uint8_t *block = recovery_block(r, r->at, err);
		enum journal_kind kind;
		int result = 0;

		if (!block)
			return -1;
		kind = journal_block_kind(block);
		if (kind == JOURNAL_DATA || journal_block_tid(block) != r->tid)
			break;
		walk_advance(r, 1);
		if (kind == JOURNAL_DESCRIPTOR) {
			// The window may move while the data are summed.
			uint8_t copy[65536];

			memcpy(copy, block, r->g.block_bytes);
			result = walk_descriptor(r, copy, err);
		} else if (kind == JOURNAL_REVOKE) {
			result = walk_revoke(r, block, err);
		} else if (kind == JOURNAL_COMMIT) {
			result = walk_commit(r, block, &more, err);
		} else {
			more = false;
		}
		if (result < 0)
			return -1;
	}
	r->logged.count = r->committed_logged;
	r->revokes.count = r->committed_revokes;
	return 0;
}

static int compare_revokes(const void *a, const void *b)
{
	const struct revoke *x = a, *y = b;

	if (x->fs_block != y->fs_block)
		return x->fs_block < y->fs_block ? -1 : 1;
	return x->tid == y->tid ? 0 : journal_tid_reached(x->tid, y->tid) ? -1 : 1; // newest first
}

static bool recovery_revoked(const struct recovery *r, const struct logged *l)
{
	size_t low = 0, high = r->revokes.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->revokes.items[middle].fs_block < l->fs_block)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->revokes.count && r->revokes.items[low].fs_block == l->fs_block && journal_tid_reached(r->revokes.items[low].tid, l->tid);
}

static int compare_logged(const void *a, const void *b)
{
	const struct logged *x = a, *y = b;

	if (x->fs_block != y->fs_block)
		return x->fs_block < y->fs_block ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

// Drops what replay would not write, in the order of the log.
static int recovery_judge(struct recovery *r, struct error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->logged.count; i++) {
		struct logged l = r->logged.items[i];
		struct journal_tag tag = {l.fs_block, l.checksum, l.escaped};

		if (recovery_revoked(r, &l)) {
			r->result->revoked++;
			continue;
		}
		if (journal_has_checksums(&r->g)) {
			const uint8_t *data = recovery_block(r, l.journal_block, err);

			if (!data)
				return -1;
			if (!journal_tag_holds(&r->g, &tag, l.tid, data)) {
				r->result->damaged++;
				continue;
			}
		}
		if (l.fs_block >= r->g.fs_blocks) {
			r->result->damaged++;
			continue;
		}
		r->result->blocks++;
		r->result->escaped += l.escaped;
		r->logged.items[kept++] = l;
	}
	r->logged.count = kept;
	return 0;
}

static int recovery_sweep(struct recovery *r, struct error *err)
{
	if (r->revokes.count)
		qsort(r->revokes.items, r->revokes.count, sizeof(*r->revokes.items), compare_revokes);
	if (recovery_judge(r, err) < 0)
		return -1;
	if (r->logged.count)
		qsort(r->logged.items, r->logged.count, sizeof(*r->logged.items), compare_logged);
	if (journal_copies_reserve(&r->result->copies, r->logged.count) < 0)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < r->logged.count; i++) {
		const struct logged *l = &r->logged.items[i];

		if (i + 1 < r->logged.count && l[1].fs_block == l->fs_block)
			continue; // a newer one follows
		(void)journal_copies_append(&r->result->copies, (struct journal_copy){.fs_block = l->fs_block, .journal_block = l->journal_block, .escaped = l->escaped, .tid = l->tid});
	}
	return 0;
}

static int recovery_run(struct recovery *r, struct error *err)
{
	const uint8_t *block = recovery_block(r, 0, err);
	struct journal_super super;

	if (!block || journal_super_decode(block, &r->g, &super, err) < 0)
		return -1;
	r->result->next_tid = super.sequence + 1;
	r->result->dirty = super.start != 0;
	if (super.start == 0)
		return 0;
	if (r->g.incompatible & JOURNAL_FAST_COMMIT)
		return error_set(err, "fast_commit: the journal is not clean, and fast commits cannot be replayed; "
				 "--raw reads what the home blocks hold");
	if (super.start >= r->g.last)
		return error_set(err, "journal: its log starts at block %u of %u", super.start, r->g.last);
	r->at = super.start;
	r->tid = r->result->first_tid = super.sequence;
	if (recovery_walk(r, err) < 0)
		return -1;
	r->result->transactions = r->transactions;
	r->result->last_tid = r->tid - 1;
	r->result->next_tid = r->tid + 1;
	r->window_bytes = SWEEP_WINDOW_BYTES;
	return recovery_sweep(r, err);
}

int journal_replay(const struct journal_geometry *g, journal_read *read, void *context, struct journal_result *ret, struct error *err)
{
	struct journal_result result = {0};
	struct recovery r = {.g = *g, .read = read, .context = context, .result = &result};
	int status;

	memset(ret, 0, sizeof(*ret));
	r.window_bytes = WALK_WINDOW_BYTES > g->block_bytes ? WALK_WINDOW_BYTES : g->block_bytes;
	r.window = malloc(SWEEP_WINDOW_BYTES);
	if (!r.window)
		return error_set(err, "out of memory");
	status = recovery_run(&r, err);
	logged_vector_release(&r.logged);
	revoke_vector_release(&r.revokes);
	journal_tags_release(&r.tags);
	u64_vector_release(&r.numbers);
	free(r.window);
	if (status < 0)
		journal_result_release(&result);
	else
		*ret = result;
	return status;
}

void journal_result_release(struct journal_result *r)
{
	journal_copies_release(&r->copies);
}
