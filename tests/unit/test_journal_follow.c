// SPDX-License-Identifier: MIT
// A ring that is written for many laps, its blocks in any order inside a transaction, gives each transaction exactly once, when its
// commit block is there, with the records that wrote its blocks. A twin that reads less tells the same.
#include "raw_disk.h"
#include "journal_ring.h"
#include "unit.h"

#include "snapshots/journal_block.h"

#include <time.h>

#define BLOCK 1024u
#define JOURNAL_BLOCKS 1024u
#define FS_BLOCKS 100000u
#define MAX_COPIES 400u

static uint64_t seed = 7;

static uint32_t dice(uint32_t sides)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % sides;
}

struct write { uint32_t journal_block; uint8_t bytes[BLOCK]; };

static struct write pending[JOURNAL_BLOCKS];
static unsigned pending_count;
static struct journal_follow *follow;
static uint64_t next_seq = 1, block_seq[JOURNAL_BLOCKS];

// What the writer put into the transaction, and what was told.
static struct { uint64_t fs_block[MAX_COPIES], revoked[MAX_COPIES]; unsigned copies, revokes; } want;
static unsigned told;
static bool told_right;
static uint32_t want_tid;

// The twin: what it was told of, and what the one that reads everything told last.
static struct journal_follow *less;
static uint8_t on_disk[JOURNAL_BLOCKS][BLOCK];
static struct { struct journal_copy copies[MAX_COPIES]; uint64_t seqs[MAX_COPIES]; size_t count; uint32_t tid; unsigned commits; } told_all;
static unsigned unread, unchecked, compared, doubts, less_commits;

static bool wants(void *context, uint64_t fs_block)
{
	(void)context;
	return fs_block % 3 == 0;
}

static int read_block(void *context, uint64_t journal_block, uint64_t seq, uint8_t *bytes, struct error *err)
{
	(void)context;
	(void)err;
	CHECK_EQUAL(seq, block_seq[journal_block]);
	memcpy(bytes, on_disk[journal_block], BLOCK);
	return 0;
}

static int on_less(void *context, const struct journal_commit *c, struct error *err)
{
	bool same = c->tid == told_all.tid && c->copy_count == told_all.count;

	(void)context;
	(void)err;
	less_commits++;
	for (size_t i = 0; same && i < c->copy_count; i++) {
		const struct journal_copy *mine = &c->copies[i], *other = &told_all.copies[i];

		same = mine->fs_block == other->fs_block && mine->journal_block == other->journal_block && mine->escaped == other->escaped &&
		       mine->tid == other->tid && c->copy_seqs[i] == told_all.seqs[i] && !other->unchecked;
		if (mine->unchecked) {
			same &= mine->fs_block % 3 != 0 && journal_follow_holds(less, mine, on_disk[mine->journal_block]);
			unchecked++;
		}
	}
	CHECK(same);
	compared++;
	return 0;
}

static void begin_less(const struct journal_geometry *g)
{
	const struct journal_reads reads = {.wants = wants, .read = read_block};

	CHECK(journal_follow_new(g, on_less, NULL, &less, NULL) == 0);
	journal_follow_read_less(less, &reads);
	less_commits = 0;
}

static void end_less(void)
{
	journal_follow_free(less);
	less = NULL;
}

static void feed_less(uint32_t journal_block, const uint8_t *bytes)
{
	struct error err;
	int result;

	memcpy(on_disk[journal_block], bytes, BLOCK);
	if (!less)
		return;
	if (journal_follow_announced(less, journal_block)) {
		unread++;
		result = journal_follow_unread(less, journal_block, next_seq, &err);
	} else {
		result = journal_follow_block(less, journal_block, bytes, next_seq, &err);
	}
	CHECK_EQUAL(result < 0, journal_follow_doubts(less));
	if (result < 0) { // what a crash left over: whoever uses it begins anew
		doubts++;
		end_less();
	} else {
		CHECK_EQUAL(less_commits, told_all.commits);
	}
}

static void keep(void *context, uint32_t journal_block, const uint8_t *bytes)
{
	(void)context;
	pending[pending_count].journal_block = journal_block;
	memcpy(pending[pending_count++].bytes, bytes, BLOCK);
}

static int on_commit(void *context, const struct journal_commit *c, struct error *err)
{
	(void)context;
	(void)err;
	told_all.tid = c->tid;
	told_all.count = c->copy_count;
	told_all.commits++;
	memcpy(told_all.copies, c->copies, c->copy_count * sizeof(*c->copies));
	memcpy(told_all.seqs, c->copy_seqs, c->copy_count * sizeof(*c->copy_seqs));
	told++;
	told_right = c->tid == want_tid && c->seq == next_seq && c->copy_count == want.copies && c->revoked_count == want.revokes &&
		     c->commit_ns % 1000000000u == 123456789;
	for (size_t i = 0; told_right && i < c->copy_count; i++)
		told_right = c->copies[i].fs_block == want.fs_block[i] && c->copies[i].tid == c->tid &&
			     c->copy_seqs[i] == block_seq[c->copies[i].journal_block];
	for (size_t i = 0; told_right && i < c->revoked_count; i++)
		told_right = c->revoked[i] == want.revoked[i];
	return 0;
}

static void feed(unsigned i)
{
	block_seq[pending[i].journal_block] = next_seq;
	CHECK(journal_follow_block(follow, pending[i].journal_block, pending[i].bytes, next_seq, NULL) == 0);
	feed_less(pending[i].journal_block, pending[i].bytes);
	next_seq++;
}

static void shuffle(unsigned count)
{
	for (unsigned i = count; i > 1; i--) {
		unsigned j = dice(i);
		struct write w = pending[i - 1];

		pending[i - 1] = pending[j];
		pending[j] = w;
	}
}

static void write_transaction(struct ring *r)
{
	unsigned parts = 1 + dice(4);

	memset(&want, 0, sizeof(want));
	while (parts--) {
		uint64_t blocks[32];
		static uint8_t contents[32 * BLOCK];
		uint32_t count = 1 + dice(30);

		if (dice(3) == 0) {
			for (uint32_t i = 0; i < 5; i++)
				want.revoked[want.revokes++] = blocks[i] = dice(FS_BLOCKS);
			ring_revoke(r, blocks, 5);
		}
		for (uint32_t i = 0; i < count; i++) {
			want.fs_block[want.copies++] = blocks[i] = dice(FS_BLOCKS);
			for (uint32_t at = 0; at < BLOCK; at += 4)
				put_be32(contents + i * BLOCK + at, dice(UINT32_MAX >> 1));
			if (dice(5) == 0)
				put_be32(contents + i * BLOCK, 0xc03b3998u);
		}
		ring_descriptor(r, blocks, contents, count);
	}
}

static void run_ring(uint32_t features, uint32_t tid)
{
	static uint8_t disk[(JOURNAL_BLOCKS + 1) * BLOCK];
	struct journal_extent extent = {0, 1, JOURNAL_BLOCKS};
	struct journal_geometry g = {.block_bytes = BLOCK, .fs_blocks = FS_BLOCKS, .extents = {&extent, 1, 1}, .journal_blocks = JOURNAL_BLOCKS,
				     .maximum_length = JOURNAL_BLOCKS, .first = 1, .last = JOURNAL_BLOCKS};
	struct ring r = {.disk = disk, .g = &g, .features = features, .first = 1, .last = JOURNAL_BLOCKS, .at = 1 + dice(1000), .tid = tid,
			 .seconds = 1795252951, .written = keep, .legacy_sum = UINT32_MAX};
	struct journal_follow_counts counts;
	bool async = features & JOURNAL_ASYNC_COMMIT;

	memset(disk, 0, sizeof(disk));
	put_be32(disk + BLOCK, 0xc03b3998u);
	put_be32(disk + BLOCK + 12, BLOCK);
	put_be32(disk + BLOCK + 16, JOURNAL_BLOCKS);
	CHECK(journal_follow_new(&g, on_commit, NULL, &follow, NULL) == 0);
	begin_less(&g);
	told = told_all.commits = 0;
	for (unsigned t = 0, transactions = 0; t < 200; t++) {
		unsigned before = told;

		pending_count = 0;
		if (t % 20 == 0) { // a mount: the features arrive here, and sometimes the log starts at its first block again
			if (dice(2) || t == 0)
				ring_super(&r, 0);
			if (dice(2))
				r.at = 1;
			ring_super(&r, r.at);
			for (unsigned i = 0; i < pending_count; i++)
				feed(i);
			pending_count = 0;
		}
		write_transaction(&r);
		shuffle(pending_count);
		if (dice(8) == 0) { // a crash: the kernel goes on behind the last commit, with the same tid
			uint32_t at = r.at;

			for (unsigned i = 0; i < pending_count; i++)
				feed(i);
			CHECK_EQUAL(told, before);
			r.at = (at + r.last - r.first - 1 - pending_count % (r.last - r.first)) % (r.last - r.first) + 1;
			pending_count = 0;
			if (dice(2)) // or it starts anew
				r.at = 1;
			if (async) // leftovers cannot be told from blocks that come late, until recovery empties the journal
				ring_super(&r, 0);
			ring_super(&r, r.at);
			for (unsigned i = 0; i < pending_count; i++)
				feed(i);
			pending_count = 0;
			write_transaction(&r);
			shuffle(pending_count);
		}
		want_tid = r.tid;
		ring_commit(&r);
		if (async)
			shuffle(pending_count);
		for (unsigned i = 0; i + 1 < pending_count; i++) {
			feed(i);
			CHECK_EQUAL(told, before);
		}
		told_right = false;
		feed(pending_count - 1);
		transactions++;
		CHECK(told == before + 1 && told_right);
		if (told != before + 1 || !told_right)
			fprintf(stderr, "features %u, transaction %u, told %u\n", features, t, told - before);
		CHECK_EQUAL(told, transactions);
	}
	counts = journal_follow_seen(follow);
	CHECK_EQUAL(counts.commits, 200);
	CHECK_EQUAL(counts.incomplete, 0);
	CHECK_EQUAL(counts.damaged, 0);
	journal_follow_free(follow);
	end_less();
}

static struct journal_copy seen_less[4];
static size_t seen_less_count;

static int note_less(void *context, const struct journal_commit *c, struct error *err)
{
	(void)context;
	(void)err;
	seen_less_count = c->copy_count;
	memcpy(seen_less, c->copies, c->copy_count * sizeof(*c->copies));
	return 0;
}

// Blocks 10, 11 and 12, of which 12 is wanted: a wrong copy of it is left out; a wrong one of another does not hold once somebody looks.
static void test_less_damage(const struct journal_geometry *g, struct ring *r)
{
	const struct journal_reads reads = {.wants = wants, .read = read_block};
	uint64_t blocks[3] = {10, 11, 12};
	static uint8_t contents[3 * BLOCK];
	struct error err;

	for (unsigned wrong = 1; wrong <= 3; wrong++) {
		struct journal_follow *f;

		CHECK(journal_follow_new(g, note_less, NULL, &f, NULL) == 0);
		journal_follow_read_less(f, &reads);
		pending_count = 0;
		seen_less_count = 0;
		ring_descriptor(r, blocks, contents, 3);
		ring_commit(r);
		pending[wrong].bytes[7] ^= 1;
		for (unsigned i = 0; i < pending_count; i++) {
			uint32_t at = pending[i].journal_block;

			memcpy(on_disk[at], pending[i].bytes, BLOCK);
			block_seq[at] = i + 1;
			CHECK_EQUAL(journal_follow_announced(f, at), i >= 1 && i <= 3);
			CHECK((i >= 1 && i <= 3 ? journal_follow_unread(f, at, i + 1, &err) : journal_follow_block(f, at, pending[i].bytes, i + 1, &err)) == 0);
		}
		CHECK_EQUAL(seen_less_count, wrong == 3 ? 2 : 3);
		CHECK_EQUAL(journal_follow_seen(f).damaged, wrong == 3);
		for (size_t i = 0; i < seen_less_count; i++) {
			CHECK_EQUAL(seen_less[i].unchecked, i < 2);
			CHECK_EQUAL(journal_follow_holds(f, &seen_less[i], on_disk[seen_less[i].journal_block]), i + 1 != wrong);
		}
		CHECK(!journal_follow_doubts(f));
		// A block of the magic where a copy was announced.
		uint32_t first = r->at, data = first + 1;

		pending_count = 0;
		ring_descriptor(r, blocks, contents, 3);
		CHECK(journal_follow_block(f, first, pending[0].bytes, 10, &err) == 0 && journal_follow_unread(f, data, 11, &err) == 0);
		memcpy(on_disk[data], pending[0].bytes, BLOCK);
		block_seq[data] = 11;
		CHECK(journal_follow_block(f, first, pending[1].bytes, 12, &err) < 0 && journal_follow_doubts(f));
		journal_follow_free(f);
	}
}

// The first records may lie in the middle of a transaction; a wrong copy is left out; fast commits are refused.
static void test_edges(void)
{
	static uint8_t disk[(JOURNAL_BLOCKS + 1) * BLOCK], contents[3 * BLOCK];
	struct journal_extent extent = {0, 1, JOURNAL_BLOCKS};
	struct journal_geometry g = {.block_bytes = BLOCK, .fs_blocks = FS_BLOCKS, .extents = {&extent, 1, 1}, .journal_blocks = JOURNAL_BLOCKS,
				     .maximum_length = JOURNAL_BLOCKS, .first = 1, .last = JOURNAL_BLOCKS, .checksum_v3 = true, .wide = true};
	struct ring r = {.disk = disk, .g = &g, .features = RING_V3 | RING_64BIT, .first = 1, .last = JOURNAL_BLOCKS, .at = 500, .tid = 9,
			 .seconds = 1, .written = keep};
	uint64_t blocks[3] = {10, 11, 12};
	struct error err;

	g.checksum_seed = crc32c_update(UINT32_MAX, r.uuid, 16);
	CHECK(journal_follow_new(&g, on_commit, NULL, &follow, NULL) == 0);
	begin_less(&g);
	told = told_all.commits = 0;
	pending_count = 0;
	ring_descriptor(&r, blocks, contents, 3);
	ring_commit(&r);
	for (unsigned i = 2; i < pending_count; i++)
		feed(i);
	CHECK_EQUAL(told, 0);
	CHECK_EQUAL(journal_follow_seen(follow).incomplete, 1);

	pending_count = 0;
	want_tid = r.tid;
	want.copies = 2;
	want.revokes = 0;
	want.fs_block[0] = 10;
	want.fs_block[1] = 12;
	ring_descriptor(&r, blocks, contents, 3);
	ring_commit(&r);
	pending[2].bytes[5] ^= 1;
	end_less(); // it would tell of block 11, which it does not read: test_less_damage()
	for (unsigned i = 0; i < pending_count; i++)
		feed(i);
	CHECK(told == 1 && told_right);
	CHECK_EQUAL(journal_follow_seen(follow).damaged, 1);
	test_less_damage(&g, &r);

	// A made-up commit block without its checksum counts for nothing.
	pending_count = 0;
	ring_commit(&r);
	pending[0].bytes[20] ^= 1;
	feed(0);
	CHECK_EQUAL(told, 1);
	CHECK(journal_follow_block(follow, JOURNAL_BLOCKS, contents, 1, &err) < 0);
	journal_follow_free(follow);

	g.incompatible = JOURNAL_FAST_COMMIT;
	CHECK(journal_follow_new(&g, on_commit, NULL, &follow, &err) < 0 && strstr(err.message, "fast_commit"));
}

static int on_none(void *context, const struct journal_commit *c, struct error *err)
{
	(void)context;
	(void)err;
	CHECK(c->copy_count == 0 && c->revoked_count == 0);
	return 0;
}

// Commit blocks that end nothing, again and again behind a ring full of blocks: each would be a walk over all of them. So, too, where the journal
// says that commit blocks may come before their blocks.
static void test_commits_of_nothing(uint32_t incompatible)
{
	enum { RING = 1 << 17, COMMITS = 30000 };
	struct journal_geometry g = {.block_bytes = BLOCK, .fs_blocks = FS_BLOCKS, .journal_blocks = RING, .maximum_length = RING, .first = 1, .last = RING,
				     .incompatible = incompatible};
	uint8_t data[BLOCK] = {1}, commit[BLOCK] = {0};
	struct journal_follow *f;
	struct error err;
	clock_t began = clock();

	put_be32(commit, 0xc03b3998u);
	put_be32(commit + 4, 2);
	put_be32(commit + 8, 5);
	CHECK(journal_follow_new(&g, on_none, NULL, &f, &err) == 0);
	for (uint64_t i = 2; i < RING - 1; i++)
		CHECK(journal_follow_block(f, i, data, i, &err) == 0);
	for (unsigned i = 0; i < COMMITS; i++)
		CHECK(journal_follow_block(f, RING - 1, commit, RING + i, &err) == 0);
	CHECK(journal_follow_seen(f).incomplete >= 1);
	CHECK(clock() - began < 2 * CLOCKS_PER_SEC); // else several times as much
	journal_follow_free(f);
}

int main(void)
{
	static const uint32_t features[] = {RING_V3 | RING_64BIT, 0, RING_64BIT, RING_V2, RING_V2 | RING_64BIT, RING_V3};

	for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		run_ring(features[i], 1);
		run_ring(features[i], UINT32_MAX - 50);
		run_ring(features[i] | JOURNAL_ASYNC_COMMIT, 77);
	}
	CHECK(compared > 1000 && unread > 10000 && unchecked > 10000);
	CHECK(doubts < 18);
	test_edges();
	test_commits_of_nothing(0);
	test_commits_of_nothing(JOURNAL_ASYNC_COMMIT);
	return unit_end();
}
