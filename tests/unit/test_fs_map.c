// SPDX-License-Identifier: MIT
// Where a file's content lies, from raw inodes: extents, trees of them, block maps, inline data; and inodes that make no sense.
#include "snapshots/fs_map.h"

#include "base/bytes.h"
#include "tests/unit/unit.h"

#define BLOCK 1024u

static uint8_t disk[256 * BLOCK];
static unsigned reads;

static int read_disk(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	(void)context;
	(void)err;
	reads++;
	memset(bytes, 0, length);
	if (offset < sizeof(disk) && length <= sizeof(disk) - offset)
		memcpy(bytes, disk + offset, length);
	return 0;
}

static void put_header(uint8_t *node, unsigned entries, unsigned depth)
{
	put_le16(node, 0xF30A);
	put_le16(node + 2, (uint16_t)entries);
	put_le16(node + 4, 4);
	put_le16(node + 6, (uint16_t)depth);
}

static void put_extent(uint8_t *entry, uint32_t file_block, uint32_t length, uint32_t block)
{
	put_le32(entry, file_block);
	put_le16(entry + 4, (uint16_t)length);
	put_le16(entry + 6, 0);
	put_le32(entry + 8, block);
}

static void put_index(uint8_t *entry, uint32_t file_block, uint32_t block)
{
	put_le32(entry, file_block);
	put_le32(entry + 4, block);
	put_le32(entry + 8, 0);
}

static void begin_inode(uint8_t inode[256], uint16_t mode, uint32_t flags, uint32_t size)
{
	memset(inode, 0, 256);
	put_le16(inode, mode);
	put_le32(inode + 0x04, size);
	put_le32(inode + 0x20, flags);
	put_le16(inode + 0x80, 32);
}

static void check_run(const struct fs_map *m, size_t i, uint64_t file_block, uint64_t block, uint64_t count, bool unwritten)
{
	CHECK(i < m->runs.count);
	if (i >= m->runs.count)
		return;
	CHECK_EQUAL(m->runs.items[i].file_offset, file_block * BLOCK);
	CHECK_EQUAL(m->runs.items[i].volume_offset, block * BLOCK);
	CHECK_EQUAL(m->runs.items[i].length, count * BLOCK);
	CHECK_EQUAL(m->runs.items[i].unwritten, unwritten);
}

static void test_extents(void)
{
	uint8_t inode[256];
	struct fs_map m = {0};
	struct error err;
	bool hole;

	begin_inode(inode, 0x81A4, 0x80000, 20 * BLOCK);
	put_header(inode + 0x28, 4, 0);
	put_extent(inode + 0x28 + 12, 0, 2, 100);
	put_extent(inode + 0x28 + 24, 2, 3, 102);         // touches: one run
	put_extent(inode + 0x28 + 36, 8, 32768 + 4, 120); // unwritten
	put_extent(inode + 0x28 + 48, 15, 1, 50);
	CHECK_EQUAL(fs_map_decode(inode, 256, BLOCK, read_disk, NULL, &m, &err), 0);
	CHECK(!m.damaged);
	CHECK_EQUAL(m.runs.count, 3);
	check_run(&m, 0, 0, 100, 5, false);
	check_run(&m, 1, 8, 120, 4, true);
	check_run(&m, 2, 15, 50, 1, false);
	struct fs_run at = fs_map_at(&m, 5 * BLOCK + 10, 100 * BLOCK, &hole);
	CHECK(hole);
	CHECK_EQUAL(at.length, 3 * BLOCK - 10);
	at = fs_map_at(&m, BLOCK + 1, 10, &hole);
	CHECK(!hole);
	CHECK_EQUAL(at.volume_offset, 101 * BLOCK + 1);
	CHECK_EQUAL(at.length, 10);
	at = fs_map_at(&m, 16 * BLOCK, 7, &hole);
	CHECK(hole);
	CHECK_EQUAL(at.length, 7);

	uint8_t bytes[4 * BLOCK];

	memset(disk + 104 * BLOCK, 'x', BLOCK);
	memset(disk + 120 * BLOCK, 'y', BLOCK); // never to be seen: unwritten
	CHECK_EQUAL(fs_map_content(&m, read_disk, NULL, 4 * BLOCK + 1000, bytes, sizeof(bytes), &err), 0);
	CHECK(bytes[0] == 'x' && bytes[23] == 'x' && bytes[24] == 0 && bytes[sizeof(bytes) - 1] == 0);
	CHECK(memchr(bytes, 'y', sizeof(bytes)) == NULL);
	fs_map_release(&m);
}

static void test_tree(void)
{
	uint8_t inode[256];
	struct fs_map m = {0};
	struct error err;

	begin_inode(inode, 0x81A4, 0x80000, 20 * BLOCK);
	put_header(inode + 0x28, 2, 1);
	put_index(inode + 0x28 + 12, 0, 10);
	put_index(inode + 0x28 + 24, 8, 11);
	put_header(disk + 10 * BLOCK, 1, 0);
	put_extent(disk + 10 * BLOCK + 12, 0, 4, 60);
	put_header(disk + 11 * BLOCK, 1, 0);
	put_extent(disk + 11 * BLOCK + 12, 8, 4, 70);
	CHECK_EQUAL(fs_map_decode(inode, 256, BLOCK, read_disk, NULL, &m, &err), 0);
	CHECK(!m.damaged);
	CHECK_EQUAL(m.runs.count, 2);
	check_run(&m, 1, 8, 70, 4, false);
	CHECK_EQUAL(m.nodes.count, 2);
	CHECK_EQUAL(m.nodes.items[1], 11 * BLOCK);
	// A node that leads to itself: its depth must fall.
	put_header(disk + 10 * BLOCK, 1, 1);
	put_index(disk + 10 * BLOCK + 12, 0, 10);
	CHECK_EQUAL(fs_map_decode(inode, 256, BLOCK, read_disk, NULL, &m, &err), 0);
	CHECK(m.damaged);
	CHECK_EQUAL(m.runs.count, 1);
	// More entries than fit.
	put_header(inode + 0x28, 5, 0);
	CHECK_EQUAL(fs_map_decode(inode, 256, BLOCK, read_disk, NULL, &m, &err), 0);
	CHECK(m.damaged && m.runs.count == 0);
	// Extents that run backwards.
	put_header(inode + 0x28, 2, 0);
	put_extent(inode + 0x28 + 12, 5, 2, 60);
	put_extent(inode + 0x28 + 24, 3, 2, 70);
	CHECK_EQUAL(fs_map_decode(inode, 256, BLOCK, read_disk, NULL, &m, &err), 0);
	CHECK(m.damaged);
	CHECK_EQUAL(m.runs.count, 1);
	fs_map_release(&m);
}

static void test_block_map(void)
{
	uint8_t inode[256];
	struct fs_map m = {0};
	struct error err;

	begin_inode(inode, 0x81A4, 0, 300 * BLOCK);
	put_le32(inode + 0x28, 40);
	put_le32(inode + 0x28 + 4, 41);
	put_le32(inode + 0x28 + 3 * 4, 43);
	put_le32(inode + 0x28 + 12 * 4, 20); // indirect: blocks 12 .. 267
	put_le32(inode + 0x28 + 13 * 4, 21); // twice: from 268 on
	put_le32(disk + 20 * BLOCK, 80);
	put_le32(disk + 20 * BLOCK + 255 * 4, 81);
	put_le32(disk + 21 * BLOCK, 22);
	put_le32(disk + 22 * BLOCK + 4, 90);
	CHECK_EQUAL(fs_map_decode(inode, 256, BLOCK, read_disk, NULL, &m, &err), 0);
	CHECK(!m.damaged);
	CHECK_EQUAL(m.runs.count, 5);
	check_run(&m, 0, 0, 40, 2, false);
	check_run(&m, 1, 3, 43, 1, false);
	check_run(&m, 2, 12, 80, 1, false);
	check_run(&m, 3, 267, 81, 1, false);
	check_run(&m, 4, 269, 90, 1, false);
	CHECK_EQUAL(m.nodes.count, 3);
	// Every pointer leads back: an end is found all the same.
	for (unsigned i = 0; i < 256; i++)
		put_le32(disk + 23 * BLOCK + i * 4, 23);
	put_le32(inode + 0x6C, 0xFFFF); // a huge size
	put_le32(inode + 0x28 + 14 * 4, 23);
	reads = 0;
	CHECK_EQUAL(fs_map_decode(inode, 256, BLOCK, read_disk, NULL, &m, &err), 0);
	CHECK(reads <= 66000);
	fs_map_release(&m);
}

static void test_inline(void)
{
	uint8_t inode[256], bytes[80];
	struct fs_map m = {0}, same = {0};
	struct error err;

	begin_inode(inode, 0x81A4, 0x10000000, 64);
	memset(inode + 0x28, 'a', 60);
	put_le32(inode + 160, 0xEA020000);
	inode[164] = 4; // name length
	inode[165] = 7; // system.
	put_le16(inode + 166, 40);
	put_le32(inode + 172, 4);
	memcpy(inode + 180, "data", 4);
	memcpy(inode + 164 + 40, "rest", 4);
	CHECK_EQUAL(fs_map_decode(inode, 256, BLOCK, read_disk, NULL, &m, &err), 0);
	CHECK_EQUAL(m.inline_length, 64);
	CHECK_EQUAL(fs_map_content(&m, read_disk, NULL, 50, bytes, 20, &err), 0);
	CHECK(memcmp(bytes, "aaaaaaaaaarest\0\0\0\0\0\0", 20) == 0);
	CHECK_EQUAL(fs_map_decode(inode, 256, BLOCK, read_disk, NULL, &same, &err), 0);
	CHECK(fs_map_equal(&m, &same));
	inode[0x28] = 'b';
	CHECK_EQUAL(fs_map_decode(inode, 256, BLOCK, read_disk, NULL, &same, &err), 0);
	CHECK(!fs_map_equal(&m, &same));
	// Values outside the inode.
	put_le32(inode + 172, 4000);
	CHECK_EQUAL(fs_map_decode(inode, 256, BLOCK, read_disk, NULL, &m, &err), 0);
	CHECK_EQUAL(m.inline_length, 60);
	// A fast symlink.
	begin_inode(inode, 0xA1FF, 0, 4);
	memcpy(inode + 0x28, "dest", 4);
	CHECK_EQUAL(fs_map_decode(inode, 256, BLOCK, read_disk, NULL, &m, &err), 0);
	CHECK_EQUAL(m.inline_length, 4);
	fs_map_release(&m);
	fs_map_release(&same);
}

// Whatever the bytes: it ends, and runs are sorted and do not overlap.
static void test_random(void)
{
	uint8_t inode[256];
	struct fs_map m = {0};
	struct error err;
	unsigned seed = 7;

	for (size_t i = 0; i < sizeof(disk); i++)
		disk[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
	for (unsigned round = 0; round < 3000; round++) {
		for (size_t i = 0; i < sizeof(inode); i++)
			inode[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
		put_le16(inode, 0x81A4);
		put_le32(inode + 0x04, 5000 * BLOCK);
		put_le32(inode + 0x6C, 0);
		if (round % 3 == 0) {
			put_le32(inode + 0x20, 0x80000);
			put_header(inode + 0x28, round % 6, round % 4);
		} else if (round % 3 == 1) {
			put_le32(inode + 0x20, 0);
		}
		for (size_t length = 0; length <= 256; length += 32)
			CHECK_EQUAL(fs_map_decode(inode, length, BLOCK, read_disk, NULL, &m, &err), 0);
		for (size_t i = 1; i < m.runs.count; i++)
			CHECK(m.runs.items[i - 1].file_offset + m.runs.items[i - 1].length <= m.runs.items[i].file_offset);
	}
	fs_map_release(&m);
}

int main(void)
{
	test_extents();
	test_tree();
	test_block_map();
	test_inline();
	test_random();
	return unit_end();
}
