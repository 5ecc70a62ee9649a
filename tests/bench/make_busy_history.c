// SPDX-License-Identifier: MIT
// A history of a busy guest, made without one: an ext4 image that lies beneath, and 4 KiB requests as the kernel would send them over 20
// minutes: data of files, transactions of the journal with right checksums, blocks brought home when the ring has to go on.
//
//     for i in $(seq 1000); do echo "file $i" >tree/$i; done
//     mke2fs -q -t ext4 -b 4096 -J size=64 -d tree image 4G
//     make_busy_history FOLDER IMAGE REQUESTS [compressed]
//
// Of the requests about 30 % go to the journal, as many to homes of metadata, the rest is data; one in 50 is a block of a file in tree, whose
// inode (12 on) changes with it. Files are cut, deleted and made anew, too. Prints:  inodes FIRST LAST
#include "base/bytes.h"
#include "snapshots/segment_compress.h"
#include "snapshots/writer.h"
#include "tests/unit/journal_ring.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 4096u
#define SUPERBLOCK 1024u
#define FIRST_FILE 13u            // behind lost+found, 11, and the first one, which stays as it is
#define JOURNAL_BLOCKS 300u       // of a transaction
#define CHANGED_FILES 20u         // in it
#define OTHER_DATA 385u           // blocks written meanwhile: with those that go home later, 1,000 requests a transaction
#define CHECKPOINT_EVERY 20u      // transactions
#define WINDOW_NS (UINT64_C(1200) * 1000000000)
#define START_NS UINT64_C(1795252951000000000)
#define MOST_COPIES 512u

struct busy {
	uint8_t *disk;               // as the guest has it in memory
	uint64_t fs_blocks, files;
	struct journal_geometry geometry;
	struct ring ring;
	struct writer *writer;
	uint64_t random, sent, wanted, now_ns;
	uint8_t *dirty;              // by block: committed, not at home yet
	uint32_t inode_bytes, inodes_per_group, descriptor_bytes;
	struct error err;
};

static void fail(const char *what, const struct error *err)
{
	fprintf(stderr, "make_busy_history: %s: %s\n", what, err ? err->message : "failed");
	exit(1);
}

static uint64_t draw(struct busy *b, uint64_t below)
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

static void send_block(struct busy *b, uint64_t fs_block)
{
	b->now_ns += WINDOW_NS / b->wanted;
	if (writer_write(b->writer, fs_block * BLOCK, b->disk + fs_block * BLOCK, BLOCK, false, &b->err) < 0)
		fail("a write", &b->err);
	b->sent++;
}

static void send_journal_block(void *context, uint32_t journal_block, const uint8_t *bytes)
{
	struct busy *b = context;
	uint64_t fs_block = 0;

	(void)bytes; // is on b->disk
	if (journal_to_fs(&b->geometry, journal_block, &fs_block))
		send_block(b, fs_block);
}

// ---- where things lie

static uint64_t inode_table(const struct busy *b, uint64_t group)
{
	const uint8_t *d = b->disk + BLOCK + group * b->descriptor_bytes;

	return get_le32(d + 8) | (b->descriptor_bytes >= 64 ? (uint64_t)get_le32(d + 0x28) << 32 : 0); // bg_inode_table
}

static uint64_t inode_place(const struct busy *b, uint64_t inode)
{
	return inode_table(b, (inode - 1) / b->inodes_per_group) * BLOCK + (inode - 1) % b->inodes_per_group * b->inode_bytes;
}

static uint64_t data_block(const struct busy *b, uint64_t inode) // of its first extent
{
	return get_le32(b->disk + inode_place(b, inode) + 40 + 12 + 8);
}

static int read_disk(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	(void)err;
	memcpy(bytes, ((const struct busy *)context)->disk + offset, length);
	return 0;
}

// ---- what the guest does

static void fill_text(struct busy *b, uint8_t *at, size_t length)
{
	for (size_t i = 0; i < length; i++)
		at[i] = i % 8 < 5 ? (uint8_t)('a' + i % 23) : (uint8_t)('0' + draw(b, 10));
}

static void send_other_data(struct busy *b)
{
	uint64_t block = b->fs_blocks / 4 * 3 + draw(b, b->fs_blocks / 4);

	if (draw(b, 4) == 0)
		for (size_t i = 0; i < BLOCK; i += 8)
			put_le64(b->disk + block * BLOCK + i, draw(b, UINT64_MAX));
	else
		fill_text(b, b->disk + block * BLOCK, BLOCK);
	send_block(b, block);
}

static void add_copy(uint64_t *copies, uint32_t *count, uint64_t block)
{
	for (uint32_t i = 0; i < *count; i++)
		if (copies[i] == block)
			return;
	copies[(*count)++] = block;
}

static void touch_times(struct busy *b, uint8_t *inode)
{
	put_le32(inode + 12, (uint32_t)(b->now_ns / 1000000000)); // i_ctime
	put_le32(inode + 16, (uint32_t)(b->now_ns / 1000000000)); // i_mtime
}

// A line more, or the beginning anew; a deletion, or a file where one was deleted.
static void change_file(struct busy *b, uint64_t *copies, uint32_t *count)
{
	uint64_t number = FIRST_FILE + draw(b, b->files);
	uint8_t *inode = b->disk + inode_place(b, number), *data = b->disk + data_block(b, number) * BLOCK;
	uint32_t size = get_le32(inode + 4), more = 20 + (uint32_t)draw(b, 100);

	touch_times(b, inode);
	add_copy(copies, count, inode_place(b, number) / BLOCK);
	if (inode[26] == 0) {                                   // i_links_count
		inode[26] = 1;
		put_le32(inode + 20, 0);                        // i_dtime
		put_le32(inode + 100, get_le32(inode + 100) + 1); // i_generation
		put_le32(inode + 0x90, (uint32_t)(b->now_ns / 1000000000)); // i_crtime
		size = 0;
	} else if (draw(b, 100) == 0) {
		inode[26] = 0;
		put_le32(inode + 20, (uint32_t)(b->now_ns / 1000000000));
		return;
	}
	if (size + more > BLOCK) {
		size = 0;
		memset(data, 0, BLOCK);
	}
	if (draw(b, 10) == 0) // times alone
		return;
	fill_text(b, data + size, more);
	put_le32(inode + 4, size + more);
	send_block(b, data_block(b, number));
}

static void change_other_metadata(struct busy *b, uint64_t *copies, uint32_t *count)
{
	uint64_t groups = b->fs_blocks / (8 * BLOCK), table_blocks = (uint64_t)b->inodes_per_group * b->inode_bytes / BLOCK;
	uint64_t block = inode_table(b, 1 + draw(b, groups - 1)) + draw(b, table_blocks);

	put_le32(b->disk + block * BLOCK + draw(b, BLOCK / b->inode_bytes) * b->inode_bytes + 16, (uint32_t)draw(b, UINT32_MAX));
	add_copy(copies, count, block);
}

static void send_transaction(struct busy *b)
{
	uint64_t copies[MOST_COPIES];
	uint32_t count = 0, most = ring_tags_fit(&b->ring);
	uint8_t *contents = malloc((size_t)MOST_COPIES * BLOCK);

	for (unsigned i = 0; i < CHANGED_FILES; i++)
		change_file(b, copies, &count);
	while (count < JOURNAL_BLOCKS - 3)
		change_other_metadata(b, copies, &count);
	for (uint32_t i = 0; i < count; i++) {
		memcpy(contents + (size_t)i * BLOCK, b->disk + copies[i] * BLOCK, BLOCK);
		b->dirty[copies[i]] = 1;
	}
	for (uint32_t i = 0; i < count; i += most)
		ring_descriptor(&b->ring, copies + i, contents + (size_t)i * BLOCK, count - i < most ? count - i : most);
	b->ring.seconds = b->now_ns / 1000000000;
	ring_commit(&b->ring);
	free(contents);
}

// Everything goes home, and the ring's start moves up.
static void send_checkpoint(struct busy *b)
{
	for (uint64_t i = 0; i < b->fs_blocks && b->sent < b->wanted; i++) {
		if (b->dirty[i])
			send_block(b, i);
		b->dirty[i] = 0;
	}
	ring_super(&b->ring, b->ring.at);
}

static void send_all(struct busy *b)
{
	for (unsigned i = 1; b->sent < b->wanted; i++) {
		send_transaction(b);
		for (unsigned k = 0; k < OTHER_DATA && b->sent < b->wanted; k++)
			send_other_data(b);
		if (i % CHECKPOINT_EVERY == 0)
			send_checkpoint(b);
	}
}

// ---- from the outside

static void open_image(struct busy *b, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	bool present = false;

	if (fd < 0 || fstat(fd, &status) < 0)
		fail(path, NULL);
	b->disk = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
	if (b->disk == MAP_FAILED)
		fail(path, NULL);
	(void)close(fd);
	const uint8_t *super = b->disk + SUPERBLOCK;

	b->fs_blocks = get_le32(super + 4);
	b->inodes_per_group = get_le32(super + 0x28);
	b->inode_bytes = get_le16(super + 0x58);
	b->descriptor_bytes = get_le32(super + 0x60) & 0x80 ? get_le16(super + 0xFE) : 32; // INCOMPAT_64BIT, s_desc_size
	if (journal_locate(read_disk, b, &b->geometry, &present, &b->err) < 0 || !present || b->geometry.block_bytes != BLOCK)
		fail(path, present ? &b->err : NULL);
	while (get_le16(b->disk + inode_place(b, FIRST_FILE + b->files)) >> 12 == 8) // regular files in a row
		b->files++;
	b->dirty = calloc(b->fs_blocks, 1);
	if (b->files == 0 || !b->dirty)
		fail("no files in the image", NULL);
	b->ring = (struct ring){.disk = b->disk, .g = &b->geometry, .features = RING_64BIT | RING_V3, .first = b->geometry.first, .last = b->geometry.last,
				.at = b->geometry.first, .tid = 2, .seconds = START_NS / 1000000000, .legacy_sum = UINT32_MAX,
				.written = send_journal_block, .context = b};
	memcpy(b->ring.uuid, ring_block(&b->ring, 0) + 48, 16);
}

static void compress_all(const char *folder)
{
	for (uint64_t number = 1;; number++) {
		struct segment s;
		struct error err;
		int result = segment_compress(folder, number, NULL, NULL, &s, &err);

		if (result == 0)
			segment_release(&s);
		else
			break; // the last one is not sealed, and then comes none
	}
}

int main(int argc, char **argv)
{
	struct busy b = {.random = 88172645463325252u, .now_ns = START_NS};
	struct history_plan plan = {0};
	struct writer_recovery recovery;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: make_busy_history FOLDER IMAGE REQUESTS [compressed]\n");
		return 2;
	}
	char *image = realpath(argv[2], NULL);

	b.wanted = strtoull(argv[3], NULL, 10);
	if (!image || b.wanted == 0)
		fail(argv[2], NULL);
	open_image(&b, image);
	plan.base_path = image;
	struct writer_options options = {.compress = WRITER_COMPRESS_NEVER, .realtime = busy_clock, .boottime = busy_clock, .clock_context = &b};

	if (history_init(argv[1], &plan, &b.err) < 0 || writer_open(argv[1], &options, &b.writer, &recovery, &b.err) < 0)
		fail(argv[1], &b.err);
	ring_super(&b.ring, b.ring.at);
	send_all(&b);
	if (writer_close(b.writer, &b.err) < 0)
		fail(argv[1], &b.err);
	if (argc == 5)
		compress_all(argv[1]);
	printf("inodes %u %" PRIu64 "\n", FIRST_FILE, FIRST_FILE + b.files - 1);
	journal_extents_release(&b.geometry.extents);
	free(b.dirty);
	free(image);
	return 0;
}
