// SPDX-License-Identifier: MIT
// Any bytes as a disk with an ext file system: the journal is found and replayed, or refused; every byte of the volume reads, and what it
// tells about itself holds together. Then its journal's blocks are followed as if they were just written.
#include "tests/unit/raw_disk.h"

#include "snapshots/journal_block.h"
#include "snapshots/volume.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

struct patched { uint8_t *bytes; uint64_t size; };

static int on_patch(void *context, uint64_t disk_offset, const uint8_t *bytes, size_t length, struct error *err)
{
	struct patched *p = context;

	(void)err;
	require(disk_offset <= p->size && length <= p->size - disk_offset);
	memcpy(p->bytes + disk_offset, bytes, length);
	return 0;
}

// The recorded bytes with all patches are the volume.
static void check_volume(struct volume *v, const uint8_t *data, size_t size)
{
	struct patched p = {malloc(size + 1), size};
	uint8_t *whole = malloc(size + 1);
	struct disk_piece piece;
	struct error err;

	require(p.bytes && whole);
	memcpy(p.bytes, data, size);
	if (volume_read(v, 0, whole, size, &err) == 0 && volume_patches(v, on_patch, &p, &err) == 0)
		require(memcmp(whole, p.bytes, size) == 0);
	for (uint64_t at = 0; at < size; at += piece.length)
		if (volume_resolve(v, at, size - at, &piece, &err) < 0 || piece.length == 0)
			break;
	require(volume_read(v, size, whole, 1, &err) < 0);
	free(p.bytes);
	free(whole);
}

static int on_commit(void *context, const struct journal_commit *c, struct error *err)
{
	uint64_t *commits = context;

	(void)err;
	for (size_t i = 0; i < c->copy_count; i++)
		require(c->copy_seqs[i] > 0 && c->copy_seqs[i] <= c->seq);
	(*commits)++;
	return 0;
}

// A follower that reads less, beside the other one: of the same blocks, in the same order.
struct less { struct journal_follow *follow; struct disk_at *disk; const struct journal_geometry *g; };

static bool wants(void *context, uint64_t fs_block)
{
	(void)context;
	return fs_block % 2 == 0;
}

static int read_place(void *context, uint64_t journal_block, uint64_t seq, uint8_t *bytes, struct error *err)
{
	const struct less *l = context;
	uint64_t place = 0;

	require(seq > 0 && journal_to_fs(l->g, journal_block, &place));
	return raw_disk_read(l->disk, place * l->g->block_bytes, bytes, l->g->block_bytes, err);
}

static void feed_less(struct less *l, uint64_t journal_block, const uint8_t *block, uint64_t seq)
{
	struct error err;
	int result;

	if (!l->follow)
		return;
	result = journal_follow_announced(l->follow, journal_block) ? journal_follow_unread(l->follow, journal_block, seq, &err)
								    : journal_follow_block(l->follow, journal_block, block, seq, &err);
	if (result < 0) {
		journal_follow_free(l->follow);
		l->follow = NULL;
	}
}

// Twice, as a second lap would write them.
static void check_follow(struct disk_at *disk)
{
	struct journal_follow *f;
	struct journal_geometry g;
	struct error err;
	bool present;
	uint64_t commits = 0, less_commits = 0, seq = 1;
	struct less less = {.disk = disk, .g = &g};
	const struct journal_reads reads = {.wants = wants, .read = read_place, .context = &less};
	uint8_t *block;

	if (journal_locate(raw_disk_read, disk, &g, &present, &err) < 0 || !present)
		return;
	block = malloc(g.block_bytes);
	require(block != NULL);
	if (g.journal_blocks <= 65536 && journal_follow_new(&g, on_commit, &commits, &f, &err) == 0) {
		require(journal_follow_new(&g, on_commit, &less_commits, &less.follow, &err) == 0);
		journal_follow_read_less(less.follow, &reads);
		for (uint64_t i = 0; i < 2 * g.journal_blocks; i++) {
			uint64_t place = 0, back = 0;

			require(journal_to_fs(&g, i % g.journal_blocks, &place) && journal_from_fs(&g, place, &back));
			if (raw_disk_read(disk, place * g.block_bytes, block, g.block_bytes, &err) < 0)
				continue;
			feed_less(&less, i % g.journal_blocks, block, seq);
			if (journal_follow_block(f, i % g.journal_blocks, block, seq++, &err) < 0)
				break;
		}
		require(journal_follow_seen(f).commits == commits);
		journal_follow_free(f);
		journal_follow_free(less.follow);
	}
	free(block);
	journal_extents_release(&g.extents);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct disk_at disk = {data, size};
	struct volume *v;
	struct error err;

	for (int replay = 0; replay < 2; replay++) {
		if (volume_open(&disk, NULL, replay, &v, &err) < 0) {
			require(replay);
			continue;
		}
		check_volume(v, data, size);
		volume_free(v);
	}
	check_follow(&disk);
	return 0;
}
