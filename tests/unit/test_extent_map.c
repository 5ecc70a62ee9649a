// SPDX-License-Identifier: MIT
// The extent map against a map with one seq for each byte.
#include "snapshots/extent_map.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define DISK 65536u
static uint64_t truth[DISK];
static uint64_t state = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static uint8_t type_of(uint64_t seq)
{
	return (uint8_t)(1 + seq % 3);
}

static void insert(struct extent_map *m, uint64_t offset, uint32_t length, uint64_t seq)
{
	struct extent e = {.offset = offset, .seq = seq, .length = length, .type = type_of(seq)};

	CHECK(extent_map_insert(m, &e) == 0);
	for (uint32_t i = 0; i < length; i++)
		truth[offset + i] = seq;
}

static void compare(const struct extent_map *m)
{
	struct extent_cursor c = {0};
	struct extent e;
	uint64_t at = 0, seen = 0;
	bool same = true;

	while (extent_map_next(m, &c, &e)) {
		same = same && e.offset >= at && e.length > 0 && e.type == type_of(e.seq);
		for (; at < e.offset; at++)
			same = same && truth[at] == 0;
		for (; at < e.offset + e.length; at++)
			same = same && truth[at] == e.seq;
		seen++;
	}
	for (; at < DISK; at++)
		same = same && truth[at] == 0;
	CHECK(same);
	CHECK_EQUAL(seen, m->count);
}

static void compare_lookups(const struct extent_map *m, unsigned count)
{
	bool same = true;

	for (unsigned i = 0; i < count; i++) {
		uint64_t offset = draw(DISK), length = 1 + draw(DISK - offset);
		struct piece p = extent_map_lookup(m, offset, length);
		same = same && p.offset == offset && p.length >= 1 && p.length <= length && p.seq == truth[offset] &&
		       (p.seq == 0 || p.type == type_of(p.seq));
		for (uint64_t at = offset; at < offset + p.length; at++)
			same = same && truth[at] == p.seq;
		// It ends only where something else begins. (Two parts of one record never touch.)
		same = same && (p.length == length || truth[offset + p.length] != p.seq);
	}
	CHECK(same);
}

// Lengths of this size, at multiples of `unit`.
static void run(unsigned inserts, uint32_t longest, uint32_t unit, uint32_t rare_longest)
{
	struct extent_map m = {0};

	memset(truth, 0, sizeof(truth));
	compare(&m);
	for (uint64_t seq = 1; seq <= inserts; seq++) {
		uint32_t most = rare_longest > 0 && draw(500) == 0 ? rare_longest : longest;
		uint32_t length = (uint32_t)(1 + draw(most / unit)) * unit;
		insert(&m, draw((DISK - length) / unit + 1) * unit, length, seq);
		if (seq % (inserts / 40) == 0) {
			compare(&m);
			compare_lookups(&m, 200);
		}
	}
	extent_map_release(&m);
	CHECK_EQUAL(m.count, 0);
}

static void run_streams(void)
{
	struct extent_map m = {0};
	uint64_t seq = 0;

	memset(truth, 0, sizeof(truth));
	for (uint64_t at = 0; at + 8 <= DISK; at += 16) // upwards, with gaps
		insert(&m, at, 8, ++seq);
	compare(&m);
	CHECK(extent_map_bytes(&m) <= m.count * 24 + 3 * 4096);
	for (uint64_t at = DISK - 16; at > 16; at -= 16) // downwards, into the gaps
		insert(&m, at - 4, 3, ++seq);
	compare(&m);
	CHECK(extent_map_bytes(&m) <= m.count * 45 + 3 * 4096);
	insert(&m, 1, DISK - 2, ++seq); // all but the first and the last byte
	compare(&m);
	CHECK(m.count <= 3);
	CHECK(m.leaf_count <= 2);
	insert(&m, 100, 1, ++seq); // splits one
	CHECK(m.count <= 5);
	compare(&m);
	extent_map_release(&m);
}

// Memory at a million extents that came in random order.
static void run_large(void)
{
	struct extent_map m = {0};

	for (uint64_t seq = 1; seq <= 1000000; seq++) {
		struct extent e = {.offset = draw(UINT64_C(1) << 40) & ~UINT64_C(4095), .seq = seq, .length = 4096, .type = 1};
		CHECK(extent_map_insert(&m, &e) == 0);
	}
	CHECK(m.count > 990000);
	CHECK(extent_map_bytes(&m) <= m.count * 32);
	struct extent all = {.offset = 0, .seq = 2000000, .length = UINT32_MAX, .type = 3};
	for (uint64_t at = 0; at < UINT64_C(1) << 40; at += UINT32_MAX) {
		all.offset = at;
		CHECK(extent_map_insert(&m, &all) == 0);
	}
	CHECK_EQUAL(m.count, 257);
	CHECK(extent_map_bytes(&m) < 1 << 20);
	struct piece p = extent_map_lookup(&m, UINT64_C(1) << 39, 4096);
	CHECK_EQUAL(p.seq, 2000000);
	CHECK_EQUAL(p.type, 3);
	extent_map_release(&m);
}

int main(void)
{
	run(4000, 300, 1, 0);
	run(20000, 12, 1, 40000);
	run(20000, 64, 8, 4096);
	run(40000, 2, 1, 20000);
	run_streams();
	run_large();
	return unit_end();
}
