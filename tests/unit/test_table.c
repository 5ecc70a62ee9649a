// SPDX-License-Identifier: MIT
// Index tables against a disk with one seq for each byte: built, merged, damaged byte by byte, cut short, and taken for another's.
#include "base/bytes.h"
#include "base/fileio.h"
#include "snapshots/crc32c.h"
#include "snapshots/table.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK 49152u
#define RUNS 16u
static uint64_t truth[RUNS + 1][DISK]; // after each run
static uint64_t state = 88172645463325252u;
static const uint8_t uuid[16] = "0123456789abcdef";

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static int new_file(void)
{
	struct error err = {{0}};
	int fd = fileio_temporary(&err);

	CHECK(fd >= 0);
	return fd;
}

static struct segment fake_segment(uint64_t number, uint64_t first_seq, uint64_t records)
{
	return (struct segment){.fd = -1, .number = number, .first_seq = first_seq, .record_count = records, .sealed = true,
				.least_realtime_ns = first_seq * 7, .greatest_realtime_ns = first_seq * 9, .last_flush_seq = first_seq};
}

static struct table *opened(int fd, const struct table_identity *id)
{
	struct error err = {{0}};
	struct table *t = NULL;

	CHECK(table_open(fd, "t", id, &t, &err) == 0);
	if (!t) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	return t;
}

static struct table *built(const struct extent_map *map, const struct table_identity *id)
{
	struct error err = {{0}};
	int fd = new_file();

	CHECK(table_build(fd, "t", id, map, &err) == 0);
	return opened(fd, id);
}

// Every byte, by lookups of random length from where the last one ended; and by the cursor.
static void compare(const struct table *t, const uint64_t *before, const uint64_t *after)
{
	struct error err = {{0}};
	bool same = true;
	uint64_t most_probes = 0;

	for (uint64_t at = 0; at < DISK;) {
		struct piece p;
		uint64_t probes = 0, length = 1 + draw(DISK - at);
		if (table_lookup(t, at, length, &p, &probes, &err) < 0) {
			CHECK_STRING(err.message, "");
			return;
		}
		most_probes = probes > most_probes ? probes : most_probes;
		same = same && p.offset == at && p.length > 0 && p.length <= length;
		for (uint64_t i = at; i < at + p.length; i++) // what these runs did not write, they do not know
			same = same && p.seq == (after[i] != before[i] ? after[i] : 0);
		at += p.length;
	}
	CHECK(same);
	CHECK(most_probes <= 5);

	struct table_cursor *c = malloc(sizeof(*c));
	struct extent e;
	uint64_t at = 0, entries = 0;
	int more;
	table_cursor_start(c, t);
	for (; (more = table_cursor_next(c, &e, &err)) == 1; entries++) {
		for (; at < e.offset; at++)
			same = same && after[at] == before[at];
		for (; at < e.offset + e.length; at++)
			same = same && after[at] == e.seq && e.type == 1 + e.seq % 3;
	}
	for (; at < DISK; at++)
		same = same && after[at] == before[at];
	CHECK(same);
	CHECK_EQUAL(more, 0);
	CHECK_EQUAL(entries, table_entry_count(t));
	free(c);
}

// Sixteen runs of writes, tables of one, four and sixteen of them.
static void run_histories(unsigned writes, uint32_t longest, uint32_t unit)
{
	struct table *level0[RUNS], *level1[4];
	struct segment segments[RUNS];
	struct error err = {{0}};
	uint64_t seq = 0;

	memset(truth, 0, sizeof(truth));
	for (unsigned r = 0; r < RUNS; r++) {
		struct extent_map map = {0};
		unsigned count = r == 5 ? 0 : writes; // one run holds nothing
		segments[r] = fake_segment(r + 1, seq + 1, count);
		memcpy(truth[r + 1], truth[r], sizeof(truth[r]));
		for (unsigned i = 0; i < count; i++) {
			seq++;
			struct extent e = {.seq = seq, .length = (uint32_t)(1 + draw(longest / unit)) * unit, .type = (uint8_t)(1 + seq % 3)};
			e.offset = draw((DISK - e.length) / unit + 1) * unit;
			CHECK(extent_map_insert(&map, &e) == 0);
			for (uint32_t j = 0; j < e.length; j++)
				truth[r + 1][e.offset + j] = seq;
		}
		struct table_identity id;
		table_identity_init(&id, uuid, r + 1);
		table_identity_add(&id, &segments[r]);
		level0[r] = built(&map, &id);
		extent_map_release(&map);
		compare(level0[r], truth[r], truth[r + 1]);
	}
	for (unsigned level = 1, step = 4; level <= 2; level++, step *= 4) {
		for (unsigned r = 0; r < RUNS; r += step) {
			struct table_identity id;
			table_identity_init(&id, uuid, r + 1);
			for (unsigned i = 0; i < step; i++)
				table_identity_add(&id, &segments[r + i]);
			int fd = new_file();
			CHECK(table_merge(fd, "t", &id, (const struct table *const *)(level == 1 ? level0 + r : level1), 4, NULL, NULL, &err) == 0);
			struct table *t = opened(fd, &id);
			compare(t, truth[r], truth[r + step]);
			CHECK_EQUAL(table_identity_of(t)->segment_count, step);
			if (level == 1)
				level1[r / 4] = t;
			else
				table_free(t);
		}
	}
	for (unsigned r = 0; r < RUNS; r++)
		table_free(level0[r]);
	for (unsigned r = 0; r < 4; r++)
		table_free(level1[r]);
}

// 200,000 extents: three levels of pages.
static void run_deep(void)
{
	struct extent_map map = {0};
	struct table_identity id;
	struct segment s = fake_segment(1, 1, 200000);
	struct error err = {{0}};
	struct piece p;
	bool same = true;

	for (uint64_t seq = 1; seq <= 200000; seq++) {
		struct extent e = {.offset = seq * 8192, .seq = seq, .length = 4096, .type = 1};
		CHECK(extent_map_insert(&map, &e) == 0);
	}
	table_identity_init(&id, uuid, 1);
	table_identity_add(&id, &s);
	struct table *t = built(&map, &id);
	CHECK_EQUAL(table_entry_count(t), 200000);
	CHECK(table_bytes(t) < 200000 * 19);
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t at = draw(200002 * 8192), probes = 0;
		CHECK(table_lookup(t, at, 1 << 20, &p, &probes, &err) == 0);
		struct piece q = extent_map_lookup(&map, at, 1 << 20);
		same = same && p.length == q.length && p.seq == q.seq && p.type == q.type && probes == 2;
	}
	CHECK(same);
	table_free(t);
	extent_map_release(&map);
}

// ---- damage

static bool serves(int fd, const struct table_identity *id)
{
	struct error err = {{0}};
	struct table *t = NULL;
	struct piece p;
	bool sound = true;

	if (table_open(fd, "t", id, &t, &err) < 0) {
		CHECK(strncmp(err.message, "t: ", 3) == 0);
		return false;
	}
	for (uint64_t at = 0; at < DISK && sound; at += p.length)
		sound = table_lookup(t, at, DISK - at, &p, NULL, &err) == 0 && p.length > 0;
	struct table_cursor c;
	struct extent e;
	int more = 1;
	table_cursor_start(&c, t);
	while (more == 1)
		more = table_cursor_next(&c, &e, &err);
	CHECK((more == 0) == sound);
	table_free(t);
	return sound;
}

static int copy_of(const uint8_t *bytes, size_t length)
{
	int fd = new_file();
	struct error err = {{0}};

	CHECK(fileio_write_fd(fd, bytes, length, "t", &err) == 0);
	return fd;
}

static void run_damage(void)
{
	struct extent_map map = {0};
	struct table_identity id, other;
	struct segment s = fake_segment(1, 1, 1000);
	struct error err = {{0}};
	static uint8_t bytes[1 << 16];

	for (uint64_t seq = 1; seq <= 700; seq++) {
		struct extent e = {.offset = seq * 64, .seq = seq, .length = 32, .type = 2};
		CHECK(extent_map_insert(&map, &e) == 0);
	}
	table_identity_init(&id, uuid, 1);
	table_identity_add(&id, &s);
	struct table *t = built(&map, &id);
	uint64_t length = table_bytes(t);
	CHECK_EQUAL(length, 6 * 4096); // header, four leaves, the root
	table_free(t);
	int fd = new_file();
	CHECK(table_build(fd, "t", &id, &map, &err) == 0);
	size_t got;
	CHECK(fileio_pread(fd, bytes, sizeof(bytes), 0, &got, "t", &err) == 0);
	CHECK_EQUAL(got, length);
	CHECK(serves(fd, &id));

	// A flipped bit anywhere is found.
	unsigned missed = 0;
	for (size_t i = 0; i < length; i += i % 4096 < 200 ? 1 : 13) {
		uint8_t right = bytes[i];
		bytes[i] ^= (uint8_t)(1u << draw(8));
		missed += serves(copy_of(bytes, length), &id);
		bytes[i] = right;
	}
	CHECK_EQUAL(missed, 0);
	// So is a missing or a longer end.
	for (size_t cut = 0; cut < length; cut += 509)
		CHECK(!serves(copy_of(bytes, cut), &id));
	CHECK(!serves(copy_of(bytes, length + 1), &id));
	// Two leaves changed places.
	uint8_t page[4096];
	memcpy(page, bytes + 4096, 4096);
	memmove(bytes + 4096, bytes + 8192, 4096);
	memcpy(bytes + 8192, page, 4096);
	CHECK(!serves(copy_of(bytes, length), &id));
	memmove(bytes + 8192, bytes + 4096, 4096);
	memcpy(bytes + 4096, page, 4096);
	CHECK(serves(copy_of(bytes, length), &id));

	// Another history's, another run's, other segments'.
	other = id;
	other.uuid[3] ^= 1;
	CHECK(!serves(copy_of(bytes, length), &other));
	table_identity_init(&other, uuid, 2);
	table_identity_add(&other, &s);
	CHECK(!serves(copy_of(bytes, length), &other));
	struct segment changed = s;
	changed.greatest_realtime_ns++;
	table_identity_init(&other, uuid, 1);
	table_identity_add(&other, &changed);
	CHECK(!serves(copy_of(bytes, length), &other));
	// An extent that these segments cannot hold, with sound checksums.
	changed = s;
	changed.record_count = 600;
	table_identity_init(&other, uuid, 1);
	table_identity_add(&other, &changed);
	fd = new_file();
	CHECK(table_build(fd, "t", &other, &map, &err) == 0);
	CHECK(!serves(fd, &other));
	// A header that claims more levels than there are.
	put_le32(bytes + 68, 3);
	put_le32(bytes + 4092, crc32c(bytes, 4092));
	CHECK(!serves(copy_of(bytes, length), &id));
	extent_map_release(&map);
}

static void run_memory(void)
{
	struct table_memory small = {.most = 2 * TABLE_PAGE_BYTES - 1}, fitting = {.most = 2 * TABLE_PAGE_BYTES};
	struct extent_map map = {0};
	struct table_identity id;
	struct error err = {{0}};
	struct table *t = NULL;
	struct piece p;

	table_identity_init(&id, uuid, 1);
	table_identity_add(&id, &(struct segment){.fd = -1, .number = 1, .first_seq = 1, .record_count = 9, .sealed = true});
	CHECK(extent_map_insert(&map, &(struct extent){.offset = 512, .seq = 3, .length = 512, .type = RECORD_WRITE}) == 0);
	CHECK(table_build_memory(&small, "t", &id, &map, &err) == -1);
	CHECK(strstr(err.message, "too large") != NULL && small.bytes == NULL);
	CHECK(table_build_memory(&fitting, "t", &id, &map, &err) == 0);
	CHECK(table_open_memory(&fitting, "t", &id, &t, &err) == 0);
	CHECK(table_lookup(t, 600, 4096, &p, NULL, &err) == 0 && p.seq == 3 && p.length == 424);
	CHECK_EQUAL(table_memory_bytes(t), 2 * TABLE_PAGE_BYTES);
	table_free(t);
	extent_map_release(&map);
}

static void run_names(void)
{
	char name[TABLE_NAME_BYTES];
	unsigned level;
	uint64_t first;

	table_name(name, 2, 17);
	CHECK_STRING(name, "2-00000017.table");
	CHECK(table_parse_name(name, &level, &first) && level == 2 && first == 17);
	table_name(name, 0, 123456789012);
	CHECK(table_parse_name(name, &level, &first) && level == 0 && first == 123456789012);
	static const char *const strangers[] = {"2-00000016.table", "0-00000000.table", "0-1.table", "0-00000001.table.new", "00-00000001.table",
						"0-00000001", "x", "", "99-00000001.table", "0--0000001.table", "0-99999999999999999999.table"};
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		CHECK(!table_parse_name(strangers[i], &level, &first));
}

int main(void)
{
	run_memory();
	run_names();
	run_histories(300, 300, 1);
	run_histories(40, 8192, 512);
	run_histories(4000, 20, 1);
	run_deep();
	run_damage();
	return unit_end();
}
