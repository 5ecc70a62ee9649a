// SPDX-License-Identifier: MIT
// Where journals lie (against debugfs), which ones are refused by name, and what a volume tells about its overlay.
#include "raw_disk.h"
#include "journal_ring.h"
#include "oracle.h"
#include "unit.h"

#include "snapshots/ext_layout.h"
#include "snapshots/journal_block.h"
#include "snapshots/volume.h"

static struct disk_at make(const char *options, const char *size)
{
	struct disk_at d;

	CHECK(oracle_run("rm -f v.img; mke2fs -q -F %s v.img %s", options, size) == 0);
	d.bytes = oracle_map("v.img", &d.size);
	return d;
}

static void drop(struct disk_at *d)
{
	munmap((void *)(uintptr_t)d->bytes, (size_t)d->size);
}

static uint8_t *super_of(const struct disk_at *d)
{
	return (uint8_t *)(uintptr_t)d->bytes + EXT_SUPER_OFFSET;
}

static struct journal_geometry locate(struct disk_at *d)
{
	struct journal_geometry g = {0};
	struct error err = {""};
	bool present = false;

	CHECK(journal_locate(raw_disk_read, d, &g, &present, &err) == 0 && present);
	CHECK_STRING(err.message, "");
	return g;
}

// debugfs tells the same places.
static void check_places(const char *options, const char *size, size_t extents_at_least)
{
	struct disk_at d = make(options, size);
	struct journal_geometry g = locate(&d);

	CHECK(g.extents.count >= extents_at_least);
	for (uint64_t block = 0; block < g.journal_blocks; block += 1 + g.journal_blocks / 9) {
		unsigned long long want = 0;
		uint64_t got = 0, back = 0;
		FILE *answer;

		CHECK(oracle_run("debugfs -R 'bmap <8> %llu' v.img 2>debugfs.txt >answer.txt", (unsigned long long)block) == 0);
		answer = fopen("answer.txt", "r");
		CHECK(answer && fscanf(answer, "%llu", &want) == 1);
		if (answer)
			(void)fclose(answer);
		CHECK(journal_to_fs(&g, block, &got) && journal_from_fs(&g, got, &back));
		CHECK_EQUAL(got, want);
		CHECK_EQUAL(back, block);
	}
	CHECK(!journal_to_fs(&g, g.journal_blocks, &(uint64_t){0}));
	CHECK(!journal_from_fs(&g, 1, &(uint64_t){0}));
	journal_extents_release(&g.extents);
	drop(&d);
}

// The inode is damaged: the superblock's copy of its map leads to the same place.
static void check_backup(const char *options)
{
	struct disk_at d = make(options, "24M");
	struct journal_geometry g = locate(&d), again;
	struct ext_layout l;
	uint8_t inode[EXT_INODE_BYTES], *found;
	bool present;

	CHECK(ext_layout_read(raw_disk_read, &d, &l, &present, NULL) == 0 && present);
	CHECK(ext_layout_inode(&l, raw_disk_read, &d, 8, inode, NULL) == 0);
	found = memmem(d.bytes, (size_t)d.size, inode, 64);
	CHECK(found != NULL);
	if (found)
		memset(found, 0, EXT_INODE_BYTES);
	again = locate(&d);
	CHECK_EQUAL(again.extents.count, g.extents.count);
	CHECK_EQUAL(again.journal_blocks, g.journal_blocks);
	CHECK(again.extents.count && memcmp(again.extents.items, g.extents.items, again.extents.count * sizeof(*g.extents.items)) == 0);
	super_of(&d)[EXT_S_JOURNAL_BACKUP_TYPE] = 0;
	journal_extents_release(&g.extents);
	journal_extents_release(&again.extents);
	CHECK(journal_locate(raw_disk_read, &d, &again, &present, NULL) < 0);
	drop(&d);
}

static void check_refused(struct disk_at *d, const char *word)
{
	struct volume *v;
	struct error err = {""};

	CHECK(volume_open(d, NULL, true, &v, &err) < 0);
	if (!strstr(err.message, word))
		fprintf(stderr, "\"%s\" does not name %s\n", err.message, word);
	CHECK(strstr(err.message, word) != NULL);
	CHECK(volume_open(d, NULL, false, &v, &err) == 0); // the home blocks can always be read
	volume_free(v);
}

static void test_refused(void)
{
	struct disk_at d = make("-t ext4 -b 1024 -J size=4", "24M");
	struct journal_geometry g = locate(&d);
	uint8_t *s = super_of(&d), *journal = (uint8_t *)(uintptr_t)d.bytes + g.extents.items[0].fs_block * 1024;
	struct volume *v;

	put_be32(journal + 40, JOURNAL_FAST_COMMIT);
	CHECK(volume_open(&d, NULL, true, &v, NULL) == 0); // clean: nothing to replay, fast or not
	CHECK(!volume_journal_of(v)->dirty);
	volume_free(v);
	put_be32(journal + 28, 1);
	check_refused(&d, "fast_commit");
	put_be32(journal + 40, 0x1000);
	check_refused(&d, "unknown features 0x1000");
	put_be32(journal + 40, JOURNAL_CHECKSUM_V3);
	journal[80] = 4;
	check_refused(&d, "checksum of its superblock differs");
	put_be32(journal + 40, 0);
	put_be32(journal + 12, 4096);
	check_refused(&d, "its blocks have 4096 bytes");
	put_be32(journal, 0);
	check_refused(&d, "no superblock");
	put_le32(s + EXT_S_JOURNAL_INODE, 0);
	check_refused(&d, "names no inode");
	put_le32(s + EXT_S_JOURNAL_DEVICE, 0x801);
	check_refused(&d, "external journal");
	put_le32(s + EXT_S_COMPATIBLE, get_le32(s + EXT_S_COMPATIBLE) & ~EXT_COMPAT_HAS_JOURNAL);
	CHECK(volume_open(&d, NULL, true, &v, NULL) == 0); // no journal
	CHECK(!volume_journal_of(v)->present);
	volume_free(v);
	put_le32(s + EXT_S_LOG_BLOCK, 40);
	check_refused(&d, "blocks of 2^40 KiB");
	journal_extents_release(&g.extents);
	drop(&d);
}

struct collected { uint8_t *bytes; uint64_t visits; };

static int collect(void *context, uint64_t disk_offset, const uint8_t *bytes, size_t length, struct error *err)
{
	struct collected *c = context;

	(void)err;
	memcpy(c->bytes + disk_offset, bytes, length);
	c->visits++;
	return 0;
}

// One dirty journal in a partition that begins at 1 MiB.
static void test_overlay(void)
{
	struct disk_at fs = make("-t ext4 -b 4096 -J size=4", "24M");
	uint64_t size = fs.size + (1u << 20), blocks[4] = {5000, 5001, 5900, 5001}, places[4];
	uint8_t *disk = calloc(1, size), *whole = malloc(fs.size), *contents = malloc(4 * 4096);
	struct disk_at d = {disk, size};
	struct journal_geometry g = locate(&fs);
	struct ring r = {.g = &g, .disk = disk + (1u << 20), .features = RING_V3 | RING_64BIT, .first = 1,
			 .last = g.maximum_length, .at = 7, .tid = 3};
	struct partition p = {.number = 1, .start_bytes = 1u << 20, .length_bytes = fs.size};
	struct collected c = {malloc(size), 0};
	struct disk_piece piece;
	struct volume *v = NULL;
	struct error err = {""};

	memcpy(disk + (1u << 20), fs.bytes, fs.size);
	super_of(&(struct disk_at){r.disk, fs.size})[EXT_S_INCOMPATIBLE] |= EXT_INCOMPAT_RECOVER;
	for (unsigned i = 0; i < 4 * 4096; i++)
		contents[i] = (uint8_t)(i / 4096 + 'a');
	put_be32(contents + 2 * 4096, JOURNAL_MAGIC);
	ring_super(&r, 7);
	ring_descriptor(&r, blocks, contents, 4);
	ring_commit(&r);
	for (unsigned i = 0; i < 4; i++)
		CHECK(journal_to_fs(&g, 8 + i, &places[i]));

	CHECK(volume_open(&d, &p, true, &v, &err) == 0);
	CHECK_STRING(err.message, "");
	CHECK_EQUAL(volume_start(v), 1u << 20);
	CHECK_EQUAL(volume_size(v), fs.size);
	CHECK(volume_journal_of(v)->dirty && volume_journal_of(v)->transactions == 1 && volume_journal_of(v)->escaped == 1);
	// Over the borders of blocks, and the newer of two copies.
	CHECK(volume_read(v, 5000 * 4096 + 4090, whole, 12, NULL) == 0 && memcmp(whole, "aaaaaadddddd", 12) == 0);
	CHECK(volume_read(v, 5900 * 4096 + 2, whole, 4, NULL) == 0 && memcmp(whole, "\x39\x98" "cc", 4) == 0);
	CHECK(volume_read(v, fs.size - 1, whole, 2, &err) < 0);
	// Which write was it? The journal's copy; before and behind it, home.
	CHECK(volume_resolve(v, 5001 * 4096 + 10, 9000, &piece, NULL) == 0);
	CHECK_EQUAL(piece.offset, 5001 * 4096 + 10);
	CHECK_EQUAL(piece.length, 1024 - 10);
	CHECK_EQUAL(piece.seq, 1 + 1024 + places[3] * 4);
	CHECK(volume_resolve(v, 5900 * 4096 - 100, 9000, &piece, NULL) == 0);
	CHECK_EQUAL(piece.length, 100);
	CHECK_EQUAL(piece.seq, 1 + 1024 + 5900 * 4 - 1);

	// All patches together are the volume.
	memcpy(c.bytes, disk, size);
	CHECK(volume_patches(v, collect, &c, &err) == 0);
	CHECK_EQUAL(c.visits, 4); // two superblocks, two runs of blocks
	CHECK(volume_read(v, 0, whole, fs.size, NULL) == 0);
	CHECK(memcmp(whole, c.bytes + (1u << 20), fs.size) == 0);
	CHECK((get_le32(whole + EXT_SUPER_OFFSET + EXT_S_INCOMPATIBLE) & EXT_INCOMPAT_RECOVER) == 0);
	oracle_save("v.img", whole, fs.size);
	CHECK(oracle_run("e2fsck -fn v.img") == 0);
	volume_free(v);

	CHECK(volume_open(&d, &p, false, &v, NULL) == 0);
	CHECK(volume_read(v, 0, whole, fs.size, NULL) == 0 && memcmp(whole, disk + (1u << 20), fs.size) == 0);
	volume_free(v);
	p.length_bytes++;
	CHECK(volume_open(&d, &p, false, &v, NULL) < 0);
	journal_extents_release(&g.extents);
	free(disk);
	free(whole);
	free(contents);
	free(c.bytes);
	drop(&fs);
}

int main(void)
{
	if (!oracle_present()) {
		puts("e2fsprogs is not here");
		return 77;
	}
	check_places("-t ext4 -b 4096 -J size=4", "24M", 1);
	check_places("-t ext4 -b 1024 -g 512 -O ^flex_bg,^resize_inode -J size=4", "40M", 8); // a tree of depth 1
	check_places("-t ext3 -b 1024 -J size=16", "40M", 8);                                 // up to double indirect blocks
	check_places("-t ext4 -b 1024 -O bigalloc -J size=4", "40M", 1);
	check_places("-t ext4 -b 65536 -J size=64", "200M", 1);
	check_backup("-t ext4 -b 1024 -J size=4");
	check_backup("-t ext3 -b 1024 -J size=4");
	test_refused();
	test_overlay();
	return unit_end();
}
