// SPDX-License-Identifier: MIT
// Which commit blocks count as samples: those of a live journal, not copies of old ones. And stamps of audit records in bytes.
#include "base/bytes.h"
#include "base/nanotime.h"
#include "snapshots/fs_clock.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define SECOND NANOTIME_SECOND
#define MS NANOTIME_MILLISECOND
#define START UINT64_C(1795252951000000000)
#define BLOCK 1024u

static struct error err;

// A journal of 100 blocks in two extents, in a file system that begins at byte 4096.
static struct fs_clock_ring make_ring(uint32_t incompatible)
{
	struct journal_geometry g = {.block_bytes = BLOCK, .fs_blocks = 1000, .journal_blocks = 100, .incompatible = incompatible};
	struct fs_clock_ring ring;

	CHECK(journal_extents_append(&g.extents, (struct journal_extent){0, 500, 60}) == 0);
	CHECK(journal_extents_append(&g.extents, (struct journal_extent){60, 100, 40}) == 0);
	CHECK_EQUAL(fs_clock_ring_init(&ring, &g, 4096, &err), 0);
	journal_extents_release(&g.extents);
	return ring;
}

static void make_commit(uint8_t header[FS_CLOCK_HEADER_BYTES], uint32_t tid, uint64_t stamp_ns)
{
	memset(header, 0, FS_CLOCK_HEADER_BYTES);
	put_be32(header, 0xc03b3998u);
	put_be32(header + 4, 2);
	put_be32(header + 8, tid);
	put_be32(header + 48, (uint32_t)(stamp_ns / SECOND >> 32));
	put_be32(header + 52, (uint32_t)(stamp_ns / SECOND));
	put_be32(header + 56, (uint32_t)(stamp_ns % SECOND));
}

static void commit(struct fs_clock_ring *r, struct guest_clock_samples *samples, uint32_t tid, uint64_t stamp_ns, uint64_t host_ns)
{
	uint8_t header[FS_CLOCK_HEADER_BYTES];

	make_commit(header, tid, stamp_ns);
	CHECK_EQUAL(fs_clock_ring_note(r, NULL, true, host_ns - MS, 0, samples, &err), 0); // what is committed
	CHECK_EQUAL(fs_clock_ring_note(r, header, true, host_ns, 0, samples, &err), 0);
}

static void test_places(void)
{
	struct fs_clock_ring r = make_ring(0), same = make_ring(0);
	uint64_t within, first = 4096 + 501 * BLOCK, second = 4096 + 100 * BLOCK;

	CHECK(fs_clock_ring_same(&r, &same));
	CHECK(!fs_clock_ring_touched(&r, 4096 + 500 * BLOCK, BLOCK)); // its superblock
	CHECK(fs_clock_ring_touched(&r, first, BLOCK));
	CHECK(fs_clock_ring_touched(&r, first + 59 * BLOCK - 1, 1));
	CHECK(!fs_clock_ring_touched(&r, first + 59 * BLOCK, BLOCK));
	CHECK(fs_clock_ring_touched(&r, second, 1) && !fs_clock_ring_touched(&r, second - 512, 512));
	CHECK(fs_clock_ring_touched(&r, 0, UINT64_C(1) << 40));
	CHECK(fs_clock_ring_commit_at(&r, first, BLOCK, &within) && within == 0);
	CHECK(fs_clock_ring_commit_at(&r, first, 5 * BLOCK, &within) && within == 4 * BLOCK); // the last one
	CHECK(!fs_clock_ring_commit_at(&r, first, BLOCK - 512, &within));
	CHECK(!fs_clock_ring_commit_at(&r, first + 512, BLOCK, &within));
	CHECK(!fs_clock_ring_commit_at(&r, first + 58 * BLOCK, 2 * BLOCK, &within)); // ends behind the ring
	fs_clock_ring_release(&r);
	fs_clock_ring_release(&same);
}

// The first commits are held until they prove to be a live chain; then all count.
static void test_live(void)
{
	struct fs_clock_ring r = make_ring(0);
	struct guest_clock_samples samples = {0};

	for (uint32_t i = 0; i < 10; i++) {
		commit(&r, &samples, UINT32_MAX - 4 + i, START + i * 2 * SECOND, START + i * 2 * SECOND + SECOND / 2 + i * MS); // tids wrap
		CHECK_EQUAL(samples.count, i < 3 ? 0 : i + 1);
	}
	CHECK_EQUAL(samples.items[5].not_before_ns, samples.items[5].host_ns - MS);
	CHECK_EQUAL(samples.items[5].guest_ns, START + 10 * SECOND);
	// The guest's clock was set back by an hour: the next tid all the same.
	commit(&r, &samples, 6, START - 3600 * SECOND, START + 30 * SECOND);
	CHECK_EQUAL(samples.count, 11);
	guest_clock_samples_release(&samples);
	fs_clock_ring_release(&r);
}

static void test_few(void)
{
	struct fs_clock_ring r = make_ring(0);
	struct guest_clock_samples samples = {0};

	commit(&r, &samples, 7, START, START + SECOND);
	CHECK_EQUAL(samples.count, 0);
	CHECK_EQUAL(fs_clock_ring_end(&r, &samples, &err), 0);
	CHECK_EQUAL(samples.count, 1); // better than nothing
	guest_clock_samples_release(&samples);
	fs_clock_ring_release(&r);
}

// A log of writes that was imported without times.
static void test_timeless(void)
{
	struct fs_clock_ring r = make_ring(0);
	struct guest_clock_samples samples = {0};
	uint8_t header[FS_CLOCK_HEADER_BYTES];

	for (uint32_t i = 0; i < 3; i++) {
		make_commit(header, 10 + i, START + i * MS);
		CHECK_EQUAL(fs_clock_ring_note(&r, NULL, true, START + 2 * i, 0, &samples, &err), 0);
		CHECK_EQUAL(fs_clock_ring_note(&r, header, true, START + 2 * i + 1, 0, &samples, &err), 0);
	}
	CHECK_EQUAL(fs_clock_ring_end(&r, &samples, &err), 0);
	CHECK_EQUAL(samples.count, 0);
	fs_clock_ring_release(&r);
	guest_clock_samples_release(&samples);
}

// A copy of an old journal, block by block, faster than it came about; the same commit once more; then the journal goes on.
static void test_copies(void)
{
	struct fs_clock_ring r = make_ring(0);
	struct guest_clock_samples samples = {0};

	for (uint32_t i = 0; i < 40; i++)
		commit(&r, &samples, 1000 + i, START - 86400 * SECOND + i * 5 * SECOND, START + i * MS);
	CHECK_EQUAL(samples.count, 0);
	CHECK_EQUAL(fs_clock_ring_end(&r, &samples, &err), 0);
	CHECK_EQUAL(samples.count, 0); // nothing at all is better than these
	for (uint32_t i = 0; i < 10; i++)
		commit(&r, &samples, 1040 + i, START + (10 + i) * SECOND, START + (10 + i) * SECOND + 5 * MS);
	CHECK_EQUAL(samples.count, 10);
	commit(&r, &samples, 1049, START + 19 * SECOND, START + 600 * SECOND);
	commit(&r, &samples, 1020, START + 19 * SECOND, START + 601 * SECOND);
	CHECK_EQUAL(samples.count, 10);
	commit(&r, &samples, 1050, START + 602 * SECOND, START + 602 * SECOND + MS);
	CHECK_EQUAL(samples.count, 11);
	guest_clock_samples_release(&samples);
	fs_clock_ring_release(&r);
}

// Whoever writes a commit far ahead does not shut the journal out; a journal made anew counts, too.
static void test_forged_and_anew(void)
{
	for (uint32_t anew = 1; anew <= 101; anew += 100) { // made anew at 1; goes on at 101
		struct fs_clock_ring r = make_ring(0);
		struct guest_clock_samples samples = {0};

		for (uint32_t i = 0; i < 100; i++)
			commit(&r, &samples, 1 + i, START + i * SECOND, START + i * SECOND + MS);
		CHECK_EQUAL(samples.count, 100);
		commit(&r, &samples, 1000, START + 10000 * SECOND, START + 100 * SECOND);
		CHECK_EQUAL(samples.count, 101); // for the estimate to judge
		for (uint32_t i = 0; i < 20; i++)
			commit(&r, &samples, anew + i, START + (101 + i) * SECOND, START + (101 + i) * SECOND + MS);
		CHECK_EQUAL(samples.count, 121);
		guest_clock_samples_release(&samples);
		fs_clock_ring_release(&r);
	}
}

// No lower end: what came in one request; commits that wait for nothing; behind a step of the host's clock.
static void test_bounds(void)
{
	struct fs_clock_ring r = make_ring(0), loose = make_ring(0x4 /* JBD2_FEATURE_INCOMPAT_ASYNC_COMMIT */);
	struct guest_clock_samples samples = {0};
	uint8_t header[FS_CLOCK_HEADER_BYTES];

	for (uint32_t i = 0; i < 5; i++) {
		commit(&r, &samples, 1 + i, START + i * 2 * SECOND, START + i * 2 * SECOND + MS);
		commit(&loose, &samples, 1 + i, START + i * 2 * SECOND, START + i * 2 * SECOND + MS);
	}
	make_commit(header, 6, START + 10 * SECOND);
	CHECK_EQUAL(fs_clock_ring_note(&r, header, false, START + 11 * SECOND, 0, &samples, &err), 0);
	CHECK_EQUAL(samples.items[samples.count - 1].not_before_ns, 0);
	make_commit(header, 7, START + 11 * SECOND);
	CHECK_EQUAL(fs_clock_ring_note(&r, header, true, START + 12 * SECOND, 1, &samples, &err), 0);
	CHECK_EQUAL(samples.items[samples.count - 1].not_before_ns, 0);
	make_commit(header, 8, START + 12 * SECOND);
	CHECK_EQUAL(fs_clock_ring_note(&r, header, true, START + 13 * SECOND, 1, &samples, &err), 0);
	CHECK_EQUAL(samples.items[samples.count - 1].not_before_ns, START + 12 * SECOND);
	make_commit(header, 6, START + 10 * SECOND);
	CHECK_EQUAL(fs_clock_ring_note(&loose, header, true, START + 11 * SECOND, 0, &samples, &err), 0);
	CHECK_EQUAL(samples.items[samples.count - 1].not_before_ns, 0);
	// No commit block, and ones without a time.
	size_t before = samples.count;

	put_be32(header + 4, 1);
	CHECK_EQUAL(fs_clock_ring_note(&loose, header, true, START + 12 * SECOND, 0, &samples, &err), 0);
	make_commit(header, 7, 0);
	CHECK_EQUAL(fs_clock_ring_note(&loose, header, true, START + 12 * SECOND, 0, &samples, &err), 0);
	make_commit(header, 7, START);
	put_be32(header + 56, 1000000000);
	CHECK_EQUAL(fs_clock_ring_note(&loose, header, true, START + 12 * SECOND, 0, &samples, &err), 0);
	CHECK_EQUAL(samples.count, before);
	guest_clock_samples_release(&samples);
	fs_clock_ring_release(&r);
	fs_clock_ring_release(&loose);
}

static void test_stamps(void)
{
	static const struct { const char *text; uint64_t ns, serial; } cases[] = {
		{"type=SYSCALL msg=audit(1795252951.123:77): arch", START + 123 * MS, 77},
		{"audit(1795252951.123:77) audit(1795252952.004:78) audit(1795", START + SECOND + 4 * MS, 78},
		{"audit(audit(1795252951.000:1)", START, 1},
		{"audit(1795252951.12:77)", 0, 0},   {"audit(1795252951.1234:77)", 0, 0}, {"audit(1795252951.123:)", 0, 0}, {"audit(1795252951.123:77", 0, 0},
		{"audit(.123:77)", 0, 0},            {"audit(99999999999999999999.123:77)", 0, 0}, {"audit(0.123:77)", 0, 0}, {"audit(", 0, 0}, {"", 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t ns = 0, serial = 0;
		size_t length = strlen(cases[i].text);
		char *copy = malloc(length + 1); // its end is where the sanitizer watches

		memcpy(copy, cases[i].text, length);
		CHECK_EQUAL(fs_clock_stamp(copy, length, &ns, &serial), cases[i].ns != 0);
		CHECK_EQUAL(ns, cases[i].ns);
		CHECK_EQUAL(serial, cases[i].serial);
		free(copy);
	}
}

int main(void)
{
	test_places();
	test_live();
	test_few();
	test_timeless();
	test_copies();
	test_forged_and_anew();
	test_bounds();
	test_stamps();
	return unit_end();
}
