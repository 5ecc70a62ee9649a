// SPDX-License-Identifier: MIT
// Partition tables of sfdisk, read as Linux reads them; damaged and hostile ones; what lies in a partition, by real mkfs programs where
// they are installed and by magic numbers where not.
#include "oracle.h"
#include "unit.h"

#include "base/bytes.h"
#include "snapshots/partition.h"

#include <zlib.h>

#define MIB (UINT64_C(1) << 20)
#define DISK_BYTES (64 * MIB)

static uint64_t reads;

struct image { uint8_t *bytes; uint64_t size; };

static int image_read(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	const struct image *i = context;

	reads++;
	if (length > i->size || offset > i->size - length)
		return error_set(err, "beyond the end");
	memcpy(bytes, i->bytes + offset, length);
	return 0;
}

static struct partition_vector find(struct image *i)
{
	struct partition_vector all = {0};
	struct error err = {""};

	if (partition_find(image_read, i, i->size, &all, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		CHECK(false);
	}
	return all;
}

static void check_partition(const struct partition_vector *all, unsigned index, unsigned number, uint64_t start, uint64_t length,
			    const char *kind)
{
	if (index >= all->count) {
		CHECK(index < all->count);
		return;
	}
	CHECK_EQUAL(all->items[index].number, number);
	CHECK_EQUAL(all->items[index].start_bytes, start);
	CHECK_EQUAL(all->items[index].length_bytes, length);
	CHECK_STRING(all->items[index].kind, kind);
}

static struct image make_disk(const char *table)
{
	struct image i;

	CHECK(oracle_run("rm -f disk.img; truncate -s %llu disk.img; printf '%s' | sfdisk -q disk.img", (unsigned long long)DISK_BYTES, table) == 0);
	i.bytes = oracle_map("disk.img", &i.size);
	return i;
}

static void drop(struct image *i, struct partition_vector *all)
{
	partition_vector_release(all);
	munmap(i->bytes, (size_t)i->size);
}

static void put_file(struct image *i, uint64_t at, const char *options, const char *size)
{
	struct image fs;

	CHECK(oracle_run("rm -f fs.img; mke2fs -q -F %s fs.img %s", options, size) == 0);
	fs.bytes = oracle_map("fs.img", &fs.size);
	memcpy(i->bytes + at, fs.bytes, fs.size);
	munmap(fs.bytes, (size_t)fs.size);
}

static void test_dos(void)
{
	struct image i = make_disk("label: dos\\nstart=2048,size=16384,type=83\\nstart=20480,size=4096,type=82\\n"
				   "start=32768,size=90000,type=5\\nstart=34816,size=16384,type=83\\nstart=53248,size=8192,type=83\\n");
	struct partition_vector all;
	struct partition p;
	struct error err;

	put_file(&i, 34816 * 512, "-t ext3", "8M");
	all = find(&i);
	CHECK_EQUAL(all.count, 4);
	check_partition(&all, 0, 1, 2048 * 512, 16384 * 512, "unknown");
	check_partition(&all, 1, 2, 20480 * 512, 4096 * 512, "unknown");
	check_partition(&all, 2, 5, 34816 * 512, 16384 * 512, "ext3");
	check_partition(&all, 3, 6, 53248 * 512, 8192 * 512, "unknown");
	CHECK(partition_choose(&all, -1, &p, &err) == 0 && p.number == 5 && p.readable);
	CHECK(partition_choose(&all, 2, &p, &err) == 0 && p.number == 2);
	CHECK(partition_choose(&all, 3, &p, &err) < 0);
	CHECK_STRING(err.message, "no partition 3; there are: 1 (unknown, 8.0 MiB), 2 (unknown, 2.0 MiB), 5 (ext3, 8.0 MiB), 6 (unknown, 4.0 MiB)");
	partition_vector_release(&all);

	put_file(&i, 2048 * 512, "-t ext4", "8M");
	all = find(&i);
	CHECK(partition_choose(&all, -1, &p, &err) < 0 && strstr(err.message, "name one of the partitions, as HISTORY:N: 1 (ext4, 8.0 MiB)"));
	partition_vector_release(&all);

	// A chain that bites its tail: the second link points to the first.
	put_le32(i.bytes + 32768 * 512 + 446 + 16 + 8, 0);
	reads = 0;
	all = find(&i);
	CHECK(all.count >= 3 && all.count <= 110 && reads < 20000);
	drop(&i, &all);
}

static void test_gpt(void)
{
	struct image i = make_disk("label: gpt\\nstart=2048,size=16384\\nstart=20480,size=4096\\nstart=32768,size=16384\\n");
	struct partition_vector all;

	put_file(&i, 32768 * 512, "-t ext2", "8M");
	for (unsigned damage = 0; damage < 5; damage++) {
		if (damage == 1)
			i.bytes[512 + 20] ^= 1;  // the main header's checksum
		if (damage == 2)
			i.bytes[512 + 20] ^= 1, i.bytes[1024 + 300] ^= 1; // an entry
		if (damage == 3)
			memset(i.bytes, 0, 34 * 512); // everything in front
		if (damage == 4) // and the backup
			i.bytes[i.size - 512 + 70] ^= 1;
		all = find(&i);
		if (damage < 4) {
			CHECK_EQUAL(all.count, 3);
			check_partition(&all, 2, 3, 32768 * 512, 16384 * 512, "ext2");
		} else {
			CHECK_EQUAL(all.count, 1);
			check_partition(&all, 0, 0, 0, DISK_BYTES, "unknown");
		}
		partition_vector_release(&all);
	}
	munmap(i.bytes, (size_t)i.size);
}

// A protective entry is what makes a GPT count; a leftover behind a file system on the whole disk does not.
static void test_leftover(void)
{
	struct image i = make_disk("label: gpt\\nstart=2048,size=16384\\n");
	struct partition_vector all;

	memset(i.bytes, 0, 512);
	put_file(&i, 0, "-t ext4", "32M");
	all = find(&i);
	CHECK_EQUAL(all.count, 1);
	check_partition(&all, 0, 0, 0, DISK_BYTES, "ext4");
	drop(&i, &all);
}

// Sectors of 4096 bytes: the same numbers mean other places.
static void test_large_sectors(void)
{
	struct image i = make_disk("label: dos\\nstart=256,size=2048,type=83\\n");
	struct partition_vector all;

	put_file(&i, 256 * 4096, "-t ext4", "8M");
	all = find(&i);
	CHECK_EQUAL(all.count, 1);
	check_partition(&all, 0, 1, 256 * 4096, 2048 * 4096, "ext4");
	drop(&i, &all);
}

// The same for a GPT: sfdisk's table of 512-byte sectors, moved and counted anew.
static void test_large_sectors_gpt(void)
{
	struct image i = make_disk("label: gpt\nstart=2048,size=16384\n");
	uint8_t *header = i.bytes + 4096, *entries = i.bytes + 2 * 4096, old_entries[128 * 128];
	struct partition_vector all;

	memcpy(old_entries, i.bytes + 1024, sizeof(old_entries));
	memmove(header, i.bytes + 512, 92);
	memset(i.bytes + 512, 0, 4096 - 512);
	memcpy(entries, old_entries, sizeof(old_entries));
	memset(i.bytes + i.size - 512, 0, 512);
	put_le64(entries + 32, 2048 / 8);
	put_le64(entries + 40, (2048 + 16384) / 8 - 1);
	put_le64(header + 72, 2);
	put_le32(header + 88, (uint32_t)crc32(0, entries, 128 * 128));
	put_le32(header + 16, 0);
	put_le32(header + 16, (uint32_t)crc32(0, header, 92));
	put_file(&i, 2048 * 512, "-t ext4", "8M");
	all = find(&i);
	CHECK_EQUAL(all.count, 1);
	check_partition(&all, 0, 1, 2048 * 512, 16384 * 512, "ext4");
	drop(&i, &all);
}

static void test_whole_disk(void)
{
	uint8_t *bytes = calloc(1, (size_t)DISK_BYTES);
	struct image i = {bytes, DISK_BYTES}, tiny = {bytes, 100};
	struct partition_vector all;
	struct partition p;
	struct error err;

	all = find(&i);
	check_partition(&all, 0, 0, 0, DISK_BYTES, "unknown");
	CHECK(partition_choose(&all, -1, &p, &err) < 0 && strstr(err.message, "no partition holds a file system: the whole disk (unknown, 64.0 MiB)"));
	partition_vector_release(&all);
	all = find(&tiny);
	check_partition(&all, 0, 0, 0, 100, "unknown");
	partition_vector_release(&all);

	// A FAT boot sector has the signature of a partition table.
	memcpy(bytes + 3, "mkfs.fat", 8);
	memcpy(bytes + 0x36, "FAT16   ", 8);
	memset(bytes + 62, 0xb4, 448);
	bytes[510] = 0x55;
	bytes[511] = 0xaa;
	all = find(&i);
	CHECK_EQUAL(all.count, 1);
	check_partition(&all, 0, 0, 0, DISK_BYTES, "vfat");
	CHECK(!all.items[0].readable && strstr(all.items[0].reason, "disk views") && strstr(all.items[0].reason, "replays its log"));
	partition_vector_release(&all);
	free(bytes);
}

static void check_kind(const char *command, const char *kind, bool readable)
{
	struct image i;
	struct partition p = {0};

	CHECK(oracle_run("rm -f fs.img; truncate -s 320M fs.img") == 0);
	if (oracle_run("%s", command) != 0) { // 127: not installed; others need more than this machine has
		fprintf(stderr, "left out: %s\n", command);
		return;
	}
	i.bytes = oracle_map("fs.img", &i.size);
	p.length_bytes = i.size;
	partition_probe(image_read, &i, &p);
	CHECK_STRING(p.kind, kind);
	CHECK_EQUAL(p.readable, readable);
	if (!readable && strcmp(kind, "swap") != 0)
		CHECK(strlen(p.reason) > 20 && strlen(p.reason) + 1 < sizeof(p.reason));
	munmap(i.bytes, (size_t)i.size);
}

static void test_kinds(void)
{
	check_kind("mke2fs -q -F -t ext2 fs.img", "ext2", true);
	check_kind("mke2fs -q -F -t ext3 fs.img", "ext3", true);
	check_kind("mke2fs -q -F -t ext4 fs.img", "ext4", true);
	check_kind("mke2fs -q -F -t ext4 -O bigalloc,inline_data,^resize_inode,meta_bg,encrypt fs.img", "ext4", true);
	check_kind("mke2fs -q -F -O journal_dev fs.img", "ext journal", false);
	check_kind("mkswap -q fs.img && mke2fs -q -F -t ext4 fs.img", "ext4", true);
	check_kind("mkswap -q fs.img", "swap", false);
	check_kind("mkfs.xfs -q -f fs.img", "xfs", false);
	check_kind("mkfs.btrfs -q -f fs.img", "btrfs", false);
	check_kind("printf secret | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 fs.img -", "LUKS", false);
	check_kind("printf 'LABELONE________________LVM2 001' | dd of=fs.img bs=1 seek=512 conv=notrunc status=none", "LVM", false);
	check_kind("printf '\\374\\116\\053\\251' | dd of=fs.img bs=1 seek=4096 conv=notrunc status=none", "md RAID", false);
	check_kind("printf '\\374\\116\\053\\251' | dd of=fs.img bs=1 seek=335478784 conv=notrunc status=none", "md RAID", false);
	check_kind("printf '\\014\\261\\272\\000' | dd of=fs.img bs=1 seek=135168 conv=notrunc status=none", "zfs", false);
	check_kind("printf hsqs | dd of=fs.img conv=notrunc status=none", "squashfs", false);
	// A mark that a guest puts before its file system hides nothing; what was really made over one counts.
	check_kind("mke2fs -q -F -t ext4 fs.img && printf XFSB | dd of=fs.img conv=notrunc status=none", "ext4", true);
	check_kind("mke2fs -q -F -t ext4 fs.img && printf 'LUKS\\272\\276' | dd of=fs.img conv=notrunc status=none", "ext4", true);
	check_kind("mke2fs -q -F -t ext4 fs.img && mkfs.xfs -q -f fs.img", "xfs", false);
	check_kind("mke2fs -q -F -t ext4 fs.img && mkfs.vfat -F 32 fs.img", "vfat", false);
	check_kind("mke2fs -q -F -t ext4 fs.img && printf secret | cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 fs.img -",
		   "LUKS", false);
	check_kind("mke2fs -q -F -t ext4 fs.img && printf '\\001' | dd of=fs.img bs=1 seek=1123 conv=notrunc status=none", "ext4", false);
}

int main(void)
{
	if (!oracle_present() || oracle_run("sfdisk -v") != 0) {
		puts("e2fsprogs or sfdisk is not here");
		return 77;
	}
	test_dos();
	test_gpt();
	test_leftover();
	test_large_sectors();
	test_large_sectors_gpt();
	test_whole_disk();
	test_kinds();
	return unit_end();
}
