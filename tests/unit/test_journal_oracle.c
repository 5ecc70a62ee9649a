// SPDX-License-Identifier: MIT
// Replayed volumes against `e2fsck -E journal_only`, block by block: transactions by debugfs, and random rings (every layout of tags,
// every checksum, wrapped tids, revokes, escapes, wrap) that end in every way in which a crash can end them.
#include "raw_disk.h"
#include "journal_ring.h"
#include "oracle.h"
#include "unit.h"

#include "snapshots/volume.h"

#define DEBUGFS_STATES 24u
#define RANDOM_STATES 208u

static unsigned states, refusals, dirty_states, replayed_blocks, revoked_blocks, escaped_blocks, damaged_blocks;
static uint64_t seed = 20261121;

static uint32_t dice(uint32_t sides)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % sides;
}

// All blocks but those of the two superblocks. Returns how many differ.
static unsigned compare_volume(struct volume *v, const uint8_t *want, uint64_t size, uint32_t block_bytes, uint64_t journal_super)
{
	static uint8_t bytes[1 << 20];
	unsigned differing = 0;
	struct error err;

	for (uint64_t at = 0; at < size; at += sizeof(bytes)) {
		size_t length = size - at < sizeof(bytes) ? (size_t)(size - at) : sizeof(bytes);

		if (volume_read(v, at, bytes, length, &err) < 0)
			return 1000000;
		for (size_t i = 0; i < length; i += block_bytes) {
			uint64_t block = (at + i) / block_bytes;

			if (memcmp(bytes + i, want + at + i, block_bytes) == 0 || block == 1024 / block_bytes || block == journal_super)
				continue;
			if (differing++ == 0)
				fprintf(stderr, "block %llu differs\n", (unsigned long long)block);
		}
	}
	return differing;
}

// One state: ours and e2fsck's.
static void check_state(const uint8_t *bytes, uint64_t size, const char *what)
{
	struct disk_at disk = {bytes, size};
	struct journal_geometry g;
	struct volume *v = NULL;
	struct error err = {""};
	bool present;
	uint64_t recovered_size;
	uint8_t *recovered;

	oracle_save("state.img", bytes, size);
	(void)oracle_run("e2fsck -y -E journal_only state.img");
	recovered = oracle_map("state.img", &recovered_size);
	states++;
	CHECK(recovered_size == size);
	CHECK(journal_locate(raw_disk_read, &disk, &g, &present, &err) == 0 && present);
	if (volume_open(&disk, NULL, true, &v, &err) < 0) {
		fprintf(stderr, "%s: %s\n", what, err.message);
		CHECK(false);
	} else {
		const struct volume_journal *j = volume_journal_of(v);
		unsigned differing = compare_volume(v, recovered, size, g.block_bytes, g.extents.items[0].fs_block);

		if (differing) {
			fprintf(stderr, "%s: %u blocks differ\n", what, differing);
			oracle_save("differs.img", bytes, size);
		}
		CHECK(differing == 0);
		dirty_states += j->dirty;
		replayed_blocks += (unsigned)j->blocks;
		revoked_blocks += (unsigned)j->revoked;
		escaped_blocks += (unsigned)j->escaped;
		damaged_blocks += (unsigned)j->damaged;
		volume_free(v);
	}
	journal_extents_release(&g.extents);
	munmap(recovered, (size_t)recovered_size);
}

// A descriptor or revoke block of a committed transaction is damaged: both refuse the whole journal.
static void check_refusal(const uint8_t *bytes, uint64_t size, uint32_t block_bytes, uint64_t lowest)
{
	struct disk_at disk = {bytes, size};
	struct volume *v;
	struct error err = {""};
	uint64_t recovered_size, from = lowest * block_bytes, length = UINT64_C(200) * block_bytes;
	uint8_t *recovered;

	oracle_save("state.img", bytes, size);
	(void)oracle_run("e2fsck -y -E journal_only state.img");
	recovered = oracle_map("state.img", &recovered_size);
	CHECK(memcmp(bytes + from, recovered + from, length) == 0);
	CHECK(volume_open(&disk, NULL, true, &v, &err) < 0);
	CHECK(strstr(err.message, "damaged in transaction") != NULL);
	refusals++;
	munmap(recovered, (size_t)recovered_size);
}

// ---- written by debugfs

static void check_debugfs(unsigned n)
{
	static const char *const features[] = {"metadata_csum,64bit", "^metadata_csum,^64bit", "64bit,^metadata_csum", "^64bit,metadata_csum"};
	static const char *const opens[] = {"jo -c", "jo", "jo -c -v 2", "jo -c -v 3"};
	FILE *script = fopen("script", "w");
	bool small = n & 1;
	uint64_t size;
	uint8_t *bytes;
	char what[128];

	if (!script)
		abort();
	fprintf(script, "%s\n", opens[n / 4 % 4]);
	for (unsigned t = 0; t < 6; t++) {
		fprintf(script, "jw -b ");
		for (unsigned i = 0, at = 5000 + dice(300); i < 3 + dice(12); i++, at += 1 + dice(9))
			fprintf(script, "%s%u", i ? "," : "", at);
		if (t % 3 == 2)
			fprintf(script, " -r %u,%u", 5000 + dice(300), 5000 + dice(300));
		fprintf(script, "%s junk\n", t == 5 ? " -c" : "");
	}
	fprintf(script, "jc\n");
	(void)fclose(script);
	snprintf(what, sizeof(what), "debugfs: %s, %s, blocks of %d", features[n % 4], opens[n / 4 % 4], small ? 1024 : 4096);
	CHECK(oracle_run("rm -f d.img; mke2fs -q -F -t ext4 -b %d -J size=4 -O %s d.img 24M", small ? 1024 : 4096, features[n % 4]) == 0);
	CHECK(oracle_run("debugfs -w -f script d.img") == 0);
	bytes = oracle_map("d.img", &size);
	check_state(bytes, size, what);
	munmap(bytes, (size_t)size);
}

// ---- random rings

struct base { const char *name, *options; uint32_t size_mib; };

static const struct base bases[] = {
	{"4k, 4 MiB", "-t ext4 -b 4096 -J size=4", 24},
	{"1k, 4 MiB", "-t ext4 -b 1024 -J size=4", 24},
	{"4k, 16 MiB", "-t ext4 -b 4096 -J size=16", 40},
	{"1k, 16 MiB", "-t ext4 -b 1024 -J size=16", 40},
	{"ext3 1k", "-t ext3 -b 1024 -J size=4", 24},
	{"ext3 4k", "-t ext3 -b 4096 -J size=16", 40},
	{"no metadata_csum, no 64bit", "-t ext4 -O ^metadata_csum,^64bit -b 4096 -J size=4", 24},
	{"bigalloc", "-t ext4 -O bigalloc -b 4096 -J size=4", 40},
	{"meta_bg", "-t ext4 -O meta_bg,^resize_inode -b 1024 -J size=4", 40},
};
#define BASE_COUNT (sizeof(bases) / sizeof(bases[0]))

// One transaction over blocks near the end of the disk, which a fresh file system does not use.
static void random_transaction(struct ring *r, uint32_t budget)
{
	uint64_t blocks[64], lowest = r->g->fs_blocks - 1000, ignored;
	uint32_t size = r->g->block_bytes;
	uint8_t *contents = malloc((size_t)size * 64);

	if (journal_from_fs(r->g, lowest, &ignored) || journal_from_fs(r->g, lowest + 200, &ignored))
		abort();

	while (budget > 70) {
		uint32_t count = 1 + dice(ring_tags_fit(r) < 60 ? ring_tags_fit(r) : 60);

		if (dice(3) == 0) {
			for (uint32_t i = 0; i < 8; i++)
				blocks[i] = lowest + dice(200);
			ring_revoke(r, blocks, 1 + dice(8));
			budget--;
		}
		for (uint32_t i = 0; i < count; i++) {
			uint8_t *data = contents + (size_t)i * size;

			blocks[i] = lowest + dice(200);
			for (uint32_t at = 0; at < size; at += 4)
				put_be32(data + at, dice(UINT32_MAX >> 1));
			if (dice(4) == 0)
				put_be32(data, 0xc03b3998u);
		}
		ring_descriptor(r, blocks, contents, count);
		budget -= count + 1 < budget ? count + 1 : budget;
		if (dice(2))
			break;
	}
	free(contents);
}

static void random_end(struct ring *r, uint32_t descriptor)
{
	switch (dice(6)) {
	case 0: // the commit block is not there
		break;
	case 1: // it is another one's
		r->tid += 3;
		ring_commit(r);
		break;
	case 2: // its checksum differs: the log ends before it
		ring_commit(r);
		if (ring_checksums(r) || r->compatible)
			ring_block(r, r->at == r->first ? r->last - 1 : r->at - 1)[17] ^= 4;
		break;
	case 3: // a copy was damaged; only checksums can tell
		ring_commit(r);
		if (ring_checksums(r))
			ring_block(r, ring_next(r, descriptor))[77] ^= 1;
		break;
	default:
		ring_commit(r);
	}
}

static void check_random(const struct base *base, const uint8_t *empty, uint64_t size, unsigned n)
{
	static const uint32_t features[] = {RING_V3 | RING_64BIT, 0, RING_64BIT, RING_V2, RING_V2 | RING_64BIT, RING_V3};
	uint8_t *bytes = malloc(size);
	struct disk_at disk = {bytes, size};
	struct journal_geometry g;
	struct ring r = {.disk = bytes, .g = &g, .features = features[n % 6], .tid = n % 5 ? 1 + dice(1000) : UINT32_MAX - 2,
			 .seconds = 1795252951};
	bool present;
	uint32_t start, written = 0, committed = 0, descriptor;
	char what[128];

	memcpy(bytes, empty, size);
	if (journal_locate(raw_disk_read, &disk, &g, &present, NULL) < 0 || !present)
		abort();
	r.compatible = r.features == 0 && dice(2) ? 1 : 0;
	r.legacy_sum = UINT32_MAX;
	r.first = 1;
	r.last = g.maximum_length;
	r.at = start = 1 + dice(r.last - 1);
	memset(r.uuid, (int)n, sizeof(r.uuid));
	ring_super(&r, start);
	do {
		uint32_t before = r.at;

		descriptor = before;
		random_transaction(&r, 1 + dice(400));
		written += r.at >= before ? r.at - before : r.at + (r.last - r.first) - before;
		if (written + 500 > r.last - r.first || dice(12) == 0)
			break;
		ring_commit(&r);
		written++;
		committed++;
	} while (true);
	if (get_be32(ring_block(&r, descriptor) + 4) == 5)
		descriptor = ring_next(&r, descriptor);
	random_end(&r, descriptor);
	snprintf(what, sizeof(what), "%s, features %u/%u, start %u, state %u", base->name, r.features, r.compatible, start, n);
	check_state(bytes, size, what);
	if (committed > 0 && ring_checksums(&r) && get_be32(ring_block(&r, start) + 4) != 2) {
		ring_block(&r, start)[20] ^= 1;
		check_refusal(bytes, size, g.block_bytes, g.fs_blocks - 1000);
	}
	journal_extents_release(&g.extents);
	free(bytes);
}

int main(void)
{
	if (!oracle_present()) {
		puts("e2fsprogs is not here");
		return 77;
	}
	CHECK(oracle_run("head -c 80000 /dev/urandom >junk") == 0);
	for (unsigned n = 0; n < DEBUGFS_STATES; n++)
		check_debugfs(n);
	for (unsigned b = 0; b < BASE_COUNT; b++) {
		uint64_t size;
		uint8_t *empty;

		CHECK(oracle_run("rm -f base.img; mke2fs -q -F %s base.img %uM", bases[b].options, bases[b].size_mib) == 0);
		empty = oracle_map("base.img", &size);
		for (unsigned n = b; n < RANDOM_STATES; n += BASE_COUNT)
			check_random(&bases[b], empty, size, n);
		munmap(empty, (size_t)size);
	}
	CHECK(states >= 200);
	CHECK(dirty_states == states && refusals > 30);
	CHECK(replayed_blocks > 10000 && revoked_blocks > 100 && escaped_blocks > 100 && damaged_blocks > 5);
	return unit_end();
}
