// SPDX-License-Identifier: MIT
// A busy guest without a guest: an ext4 image that lies beneath, and 4 KiB requests as the kernel would send them over 20 minutes: data of
// files, transactions of the journal with right checksums, blocks brought home when the ring has to go on.
//
//     for i in $(seq 1000); do echo "file $i" >tree/$i; done
//     mke2fs -q -t ext4 -b 4096 -J size=64 -d tree image 4G
//
//     struct busy b = {.wanted = 1000000};
//     busy_open_image(&b, "image");
//     busy_record(&b, "folder");    // a history
//     busy_release(&b);
//
// Of the requests about 30 % go to the journal, as many to homes of metadata, the rest is data; one in 50 is a block of a file in tree, whose
// inode (BUSY_FIRST_FILE on) changes with it. Files are cut, deleted and made anew, too. Failures end the program.
#ifndef TESTS_UNIT_BUSY_GUEST_H
#define TESTS_UNIT_BUSY_GUEST_H

#include "base/bytes.h"
#include "snapshots/writer.h"
#include "tests/unit/journal_ring.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_BLOCK 4096u
#define BUSY_SUPERBLOCK 1024u
#define BUSY_FIRST_FILE 13u      // behind lost+found, 11, and the first one, which stays as it is
#define BUSY_COPIES 297u         // of a transaction, with two descriptors and a commit block; fewer where the ring is small
#define BUSY_CHANGED_FILES 20u   // in it
#define BUSY_OTHER_DATA 385u     // blocks written meanwhile: with those that go home later, 1,000 requests a transaction
#define BUSY_WINDOW_NS (UINT64_C(1200) * 1000000000)
#define BUSY_START_NS UINT64_C(1795252951000000000)
#define BUSY_MOST_COPIES 400u

struct busy {
	uint64_t wanted;             // how many requests
	unsigned damaged;            // one in so many copies goes wrong on its way into the journal, and files move to blocks of old metadata; 0: none
	// The rest belongs to this file.
	uint8_t *disk;               // as the guest has it in memory
	char *image;
	size_t disk_bytes;
	uint64_t fs_blocks, files;
	struct journal_geometry geometry;
	struct ring ring;
	struct writer *writer;
	uint64_t random, sent, now_ns;
	uint32_t since_checkpoint;   // blocks of the ring
	uint8_t *dirty;              // by block: committed, not at home yet
	uint32_t inode_bytes, inodes_per_group, descriptor_bytes;
	struct error err;
};

__attribute__((noreturn)) static void busy_fail(const char *what, const struct error *err)
{
	fprintf(stderr, "%s: %s\n", what, err ? err->message : "failed");
	exit(1);
}

static uint64_t busy_draw(struct busy *b, uint64_t below)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return b->random % below;
}

static uint64_t busy_clock(void *context)
{
	return ((const struct busy *)context)->now_ns;
}

static void busy_send(struct busy *b, uint64_t fs_block, const uint8_t *bytes)
{
	b->now_ns += BUSY_WINDOW_NS / b->wanted;
	if (writer_write(b->writer, fs_block * BUSY_BLOCK, bytes, BUSY_BLOCK, false, &b->err) < 0)
		busy_fail("a write", &b->err);
	b->sent++;
}

static void busy_send_block(struct busy *b, uint64_t fs_block)
{
	busy_send(b, fs_block, b->disk + fs_block * BUSY_BLOCK);
}

static void busy_send_journal_block(void *context, uint32_t journal_block, const uint8_t *bytes)
{
	struct busy *b = context;
	uint64_t fs_block = 0;
	uint8_t wrong[BUSY_BLOCK];

	if (!journal_to_fs(&b->geometry, journal_block, &fs_block))
		busy_fail("the journal", NULL);
	memcpy(wrong, bytes, BUSY_BLOCK);
	if (b->damaged > 0 && get_be32(bytes) != 0xc03b3998u && busy_draw(b, b->damaged) == 0)
		wrong[busy_draw(b, BUSY_BLOCK)] ^= 1;
	busy_send(b, fs_block, wrong);
	b->since_checkpoint++;
}

// ---- where things lie

static uint64_t busy_inode_table(const struct busy *b, uint64_t group)
{
	const uint8_t *d = b->disk + BUSY_BLOCK + group * b->descriptor_bytes;

	return get_le32(d + 8) | (b->descriptor_bytes >= 64 ? (uint64_t)get_le32(d + 0x28) << 32 : 0); // bg_inode_table
}

static uint64_t busy_inode_place(const struct busy *b, uint64_t inode)
{
	return busy_inode_table(b, (inode - 1) / b->inodes_per_group) * BUSY_BLOCK + (inode - 1) % b->inodes_per_group * b->inode_bytes;
}

static uint64_t busy_data_block(const struct busy *b, uint64_t inode) // of its first extent
{
	return get_le32(b->disk + busy_inode_place(b, inode) + 40 + 12 + 8);
}

static int busy_read_disk(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	(void)err;
	memcpy(bytes, ((const struct busy *)context)->disk + offset, length);
	return 0;
}

// ---- what the guest does

static void busy_fill_text(struct busy *b, uint8_t *at, size_t length)
{
	for (size_t i = 0; i < length; i++)
		at[i] = i % 8 < 5 ? (uint8_t)('a' + i % 23) : (uint8_t)('0' + busy_draw(b, 10));
}

static void busy_send_other_data(struct busy *b)
{
	uint64_t block = b->fs_blocks / 4 * 3 + busy_draw(b, b->fs_blocks / 4);

	if (busy_draw(b, 4) == 0)
		for (size_t i = 0; i < BUSY_BLOCK; i += 8)
			put_le64(b->disk + block * BUSY_BLOCK + i, busy_draw(b, UINT64_MAX));
	else
		busy_fill_text(b, b->disk + block * BUSY_BLOCK, BUSY_BLOCK);
	busy_send_block(b, block);
}

static void busy_add_copy(uint64_t *copies, uint32_t *count, uint64_t block)
{
	for (uint32_t i = 0; i < *count; i++)
		if (copies[i] == block)
			return;
	copies[(*count)++] = block;
}

static void busy_touch_times(struct busy *b, uint8_t *inode)
{
	put_le32(inode + 12, (uint32_t)(b->now_ns / 1000000000)); // i_ctime
	put_le32(inode + 16, (uint32_t)(b->now_ns / 1000000000)); // i_mtime
}

static uint64_t busy_other_metadata(struct busy *b)
{
	uint64_t groups = b->fs_blocks / (8 * BUSY_BLOCK), table_blocks = (uint64_t)b->inodes_per_group * b->inode_bytes / BUSY_BLOCK;

	return busy_inode_table(b, 1 + busy_draw(b, groups - 1)) + busy_draw(b, table_blocks);
}

// A line more, or the beginning anew; a deletion, or a file where one was deleted.
static void busy_change_file(struct busy *b, uint64_t *copies, uint32_t *count)
{
	uint64_t number = BUSY_FIRST_FILE + busy_draw(b, b->files);
	uint8_t *inode = b->disk + busy_inode_place(b, number), *data;
	uint32_t size = get_le32(inode + 4), more = 20 + (uint32_t)busy_draw(b, 100);

	if (b->damaged > 0 && busy_draw(b, 5) == 0)
		put_le32(inode + 40 + 12 + 8, (uint32_t)busy_other_metadata(b)); // ee_start_lo
	data = b->disk + busy_data_block(b, number) * BUSY_BLOCK;
	busy_touch_times(b, inode);
	busy_add_copy(copies, count, busy_inode_place(b, number) / BUSY_BLOCK);
	if (inode[26] == 0) {                                   // i_links_count
		inode[26] = 1;
		put_le32(inode + 20, 0);                        // i_dtime
		put_le32(inode + 100, get_le32(inode + 100) + 1); // i_generation
		put_le32(inode + 0x90, (uint32_t)(b->now_ns / 1000000000)); // i_crtime
		size = 0;
	} else if (busy_draw(b, 100) == 0) {
		inode[26] = 0;
		put_le32(inode + 20, (uint32_t)(b->now_ns / 1000000000));
		return;
	}
	if (size + more > BUSY_BLOCK) {
		size = 0;
		memset(data, 0, BUSY_BLOCK);
	}
	if (busy_draw(b, 10) == 0) // times alone
		return;
	busy_fill_text(b, data + size, more);
	put_le32(inode + 4, size + more);
	busy_send_block(b, busy_data_block(b, number));
}

static void busy_change_other_metadata(struct busy *b, uint64_t *copies, uint32_t *count)
{
	uint64_t block = busy_other_metadata(b);

	put_le32(b->disk + block * BUSY_BLOCK + busy_draw(b, BUSY_BLOCK / b->inode_bytes) * b->inode_bytes + 16, (uint32_t)busy_draw(b, UINT32_MAX));
	busy_add_copy(copies, count, block);
}

static void busy_send_transaction(struct busy *b)
{
	uint64_t copies[BUSY_MOST_COPIES];
	uint32_t count = 0, most = ring_tags_fit(&b->ring), eighth = (b->ring.last - b->ring.first) / 8;
	uint8_t *contents = malloc((size_t)BUSY_MOST_COPIES * BUSY_BLOCK);

	for (unsigned i = 0; i < BUSY_CHANGED_FILES; i++)
		busy_change_file(b, copies, &count);
	while (count < BUSY_COPIES && count < eighth)
		busy_change_other_metadata(b, copies, &count);
	for (uint32_t i = 0; i < count; i++) {
		memcpy(contents + (size_t)i * BUSY_BLOCK, b->disk + copies[i] * BUSY_BLOCK, BUSY_BLOCK);
		b->dirty[copies[i]] = 1;
	}
	for (uint32_t i = 0; i < count; i += most)
		ring_descriptor(&b->ring, copies + i, contents + (size_t)i * BUSY_BLOCK, count - i < most ? count - i : most);
	b->ring.seconds = b->now_ns / 1000000000;
	b->ring.nanoseconds = (uint32_t)(b->now_ns % 1000000000);
	ring_commit(&b->ring);
	free(contents);
}

// Everything goes home, and the ring's start moves up.
static void busy_send_checkpoint(struct busy *b)
{
	for (uint64_t i = 0; i < b->fs_blocks && b->sent < b->wanted; i++) {
		if (b->dirty[i])
			busy_send_block(b, i);
		b->dirty[i] = 0;
	}
	ring_super(&b->ring, b->ring.at);
	b->since_checkpoint = 0;
}

static void busy_send_all(struct busy *b)
{
	while (b->sent < b->wanted) {
		busy_send_transaction(b);
		for (unsigned k = 0; k < BUSY_OTHER_DATA && b->sent < b->wanted; k++)
			busy_send_other_data(b);
		if (b->since_checkpoint > (b->ring.last - b->ring.first) * 2 / 5)
			busy_send_checkpoint(b);
	}
}

// ---- from the outside

static void busy_open_image(struct busy *b, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	bool present = false;

	if (fd < 0 || fstat(fd, &status) < 0)
		busy_fail(path, NULL);
	b->random = 88172645463325252u;
	b->now_ns = BUSY_START_NS;
	b->image = realpath(path, NULL);
	b->disk_bytes = (size_t)status.st_size;
	b->disk = mmap(NULL, b->disk_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
	if (b->disk == MAP_FAILED || !b->image)
		busy_fail(path, NULL);
	(void)close(fd);
	const uint8_t *super = b->disk + BUSY_SUPERBLOCK;

	b->fs_blocks = get_le32(super + 4);
	b->inodes_per_group = get_le32(super + 0x28);
	b->inode_bytes = get_le16(super + 0x58);
	b->descriptor_bytes = get_le32(super + 0x60) & 0x80 ? get_le16(super + 0xFE) : 32; // INCOMPAT_64BIT, s_desc_size
	if (journal_locate(busy_read_disk, b, &b->geometry, &present, &b->err) < 0 || !present || b->geometry.block_bytes != BUSY_BLOCK)
		busy_fail(path, present ? &b->err : NULL);
	while (get_le16(b->disk + busy_inode_place(b, BUSY_FIRST_FILE + b->files)) >> 12 == 8) // regular files in a row
		b->files++;
	b->dirty = calloc(b->fs_blocks, 1);
	if (b->files == 0 || !b->dirty)
		busy_fail("no files in the image", NULL);
	b->ring = (struct ring){.disk = b->disk, .g = &b->geometry, .features = RING_64BIT | RING_V3, .first = b->geometry.first, .last = b->geometry.last,
				.at = b->geometry.first, .tid = 2, .seconds = BUSY_START_NS / 1000000000, .legacy_sum = UINT32_MAX,
				.written = busy_send_journal_block, .context = b};
	memcpy(b->ring.uuid, ring_block(&b->ring, 0) + 48, 16);
}

// The history of it.
static void busy_record(struct busy *b, const char *folder)
{
	struct history_plan plan = {.base_path = b->image};
	struct writer_options options = {.compress = WRITER_COMPRESS_NEVER, .realtime = busy_clock, .boottime = busy_clock, .clock_context = b};
	struct writer_recovery recovery;

	if (history_init(folder, &plan, &b->err) < 0 || writer_open(folder, &options, &b->writer, &recovery, &b->err) < 0)
		busy_fail(folder, &b->err);
	ring_super(&b->ring, b->ring.at);
	busy_send_all(b);
	if (writer_close(b->writer, &b->err) < 0)
		busy_fail(folder, &b->err);
}

static void busy_release(struct busy *b)
{
	journal_extents_release(&b->geometry.extents);
	(void)munmap(b->disk, b->disk_bytes);
	free(b->dirty);
	free(b->image);
}

#endif
