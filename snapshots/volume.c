// SPDX-License-Identifier: MIT
// Layers, from below: the recorded bytes of the partition; the journal's copies, block by block; the two patched superblocks.
// Only numbers are kept in memory: a copy's bytes are read from the journal's place when they are wanted.
#include "snapshots/volume.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "snapshots/journal_block.h"
#include "snapshots/volume_super.h"

#include <string.h>

#define PATCH_BYTES 1024u          // both superblocks
#define VISIT_BYTES (256u << 10)   // neighbouring blocks are told together

struct patch { uint64_t offset; uint8_t bytes[PATCH_BYTES]; };

struct volume {
	struct disk_at *disk;
	uint64_t start, size;
	uint32_t block_bytes;       // of the journal; 0: no overlay
	struct journal_geometry geometry;
	struct journal_copies copies;
	struct patch patches[2];
	unsigned patch_count;
	struct volume_journal journal;
};

static int volume_read_home(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	struct volume *v = context;

	if (length > v->size || offset > v->size - length)
		return error_set(err, "bytes %llu to %llu lie beyond the end of the volume (%llu bytes)", (unsigned long long)offset,
				 (unsigned long long)(offset + length), (unsigned long long)v->size);
	return disk_at_read(v->disk, v->start + offset, bytes, length, err);
}

// The first copy whose block is not before fs_block.
static size_t volume_copy_from(const struct volume *v, uint64_t fs_block)
{
	size_t low = 0, high = v->copies.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (v->copies.items[middle].fs_block < fs_block)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

// Puts what one copy changes into bytes[offset, +length).
static int volume_apply_copy(struct volume *v, const struct journal_copy *c, uint64_t offset, uint8_t *bytes, size_t length,
			     struct error *err)
{
	uint64_t begin = c->fs_block * v->block_bytes, end = begin + v->block_bytes, from = begin > offset ? begin : offset, place;
	uint64_t to = end < offset + length ? end : offset + length;
	uint8_t magic[4];

	if (!journal_to_fs(&v->geometry, c->journal_block, &place))
		return error_set(err, "journal: block %llu is outside of its file", (unsigned long long)c->journal_block);
	if (volume_read_home(v, place * v->block_bytes + (from - begin), bytes + (from - offset), to - from, err) < 0)
		return -1;
	put_be32(magic, JOURNAL_MAGIC);
	for (uint64_t at = from; c->escaped && at < to && at < begin + sizeof(magic); at++)
		bytes[at - offset] = magic[at - begin];
	return 0;
}

static void volume_apply_patch(const struct patch *p, uint64_t offset, uint8_t *bytes, size_t length)
{
	uint64_t from = p->offset > offset ? p->offset : offset;
	uint64_t to = p->offset + PATCH_BYTES < offset + length ? p->offset + PATCH_BYTES : offset + length;

	if (from < to)
		memcpy(bytes + (from - offset), p->bytes + (from - p->offset), to - from);
}

int volume_read(struct volume *v, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	if (length == 0)
		return 0;
	if (volume_read_home(v, offset, bytes, length, err) < 0)
		return -1;
	if (v->block_bytes == 0)
		return 0;
	for (size_t i = volume_copy_from(v, offset / v->block_bytes);
	     i < v->copies.count && v->copies.items[i].fs_block * v->block_bytes < offset + length; i++)
		if (volume_apply_copy(v, &v->copies.items[i], offset, bytes, length, err) < 0)
			return -1;
	for (unsigned i = 0; i < v->patch_count; i++)
		volume_apply_patch(&v->patches[i], offset, bytes, length);
	return 0;
}

static int volume_read_replayed(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	return volume_read(context, offset, bytes, length, err);
}

// ---- making the overlay

static int volume_patch_journal(struct volume *v, uint32_t next_tid, bool *ret_error, struct error *err)
{
	struct patch *p = &v->patches[v->patch_count];
	struct journal_geometry ignored = v->geometry;
	struct journal_super super;

	p->offset = v->geometry.extents.items[0].fs_block * v->block_bytes;
	if (volume_read(v, p->offset, p->bytes, PATCH_BYTES, err) < 0 || journal_super_decode(p->bytes, &ignored, &super, err) < 0)
		return -1;
	*ret_error = super.error != 0;
	journal_super_clear(p->bytes, next_tid);
	v->patch_count++;
	return 0;
}

// Recovery's last steps: an empty journal, and a superblock that needs none.
static int volume_patch_supers(struct volume *v, const struct journal_result *r, struct error *err)
{
	struct patch *p;
	struct ext_layout layout;
	bool present, journal_error = false;

	if (ext_layout_read(volume_read_replayed, v, &layout, &present, err) < 0)
		return -1;
	if (!present || (layout.incompatible & EXT_INCOMPAT_JOURNAL_DEVICE))
		return error_set(err, "journal: after its replay there is no ext superblock");
	if (!r->dirty && !(layout.incompatible & EXT_INCOMPAT_RECOVER))
		return 0;
	if (r->dirty && volume_patch_journal(v, r->next_tid, &journal_error, err) < 0)
		return -1;
	p = &v->patches[v->patch_count];
	if (volume_super_recover(&layout, journal_error, volume_read_replayed, v, err) < 0)
		return -1;
	p->offset = EXT_SUPER_OFFSET;
	memcpy(p->bytes, layout.super, PATCH_BYTES);
	v->patch_count++;
	return 0;
}

static int volume_replay(struct volume *v, struct error *err)
{
	struct journal_result result;

	if (v->size < EXT_SUPER_OFFSET + EXT_SUPER_BYTES)
		return 0;
	if (journal_locate(volume_read_home, v, &v->geometry, &v->journal.present, err) < 0)
		return -1;
	if (!v->journal.present)
		return 0;
	if (journal_replay(&v->geometry, volume_read_home, v, &result, err) < 0)
		return -1;
	v->block_bytes = v->geometry.block_bytes;
	v->copies = result.copies;
	v->journal = (struct volume_journal){true, result.dirty, result.transactions, result.blocks, result.revoked, result.escaped,
					     result.damaged, result.first_tid, result.last_tid};
	return volume_patch_supers(v, &result, err);
}

int volume_open(struct disk_at *d, const struct partition *p, bool replay, struct volume **ret, struct error *err)
{
	struct volume *v = calloc(1, sizeof(*v));

	if (!v)
		return error_set(err, "out of memory");
	v->disk = d;
	v->size = disk_at_size(d);
	if (p) {
		if (p->start_bytes > v->size || p->length_bytes > v->size - p->start_bytes) {
			free(v);
			return error_set(err, "partition %u does not lie within the disk", p->number);
		}
		v->start = p->start_bytes;
		v->size = p->length_bytes;
	}
	if (replay && volume_replay(v, err) < 0) {
		volume_free(v);
		return -1;
	}
	*ret = v;
	return 0;
}

void volume_free(struct volume *v)
{
	if (!v)
		return;
	journal_extents_release(&v->geometry.extents);
	journal_copies_release(&v->copies);
	free(v);
}

uint64_t volume_size(const struct volume *v)
{
	return v->size;
}

uint64_t volume_start(const struct volume *v)
{
	return v->start;
}

const struct volume_journal *volume_journal_of(const struct volume *v)
{
	return &v->journal;
}

// ---- what the overlay changes

int volume_resolve(struct volume *v, uint64_t offset, uint64_t length, struct disk_piece *ret, struct error *err)
{
	uint64_t home = v->start + offset, place;

	if (length == 0 || length > v->size || offset > v->size - length)
		return error_set(err, "the volume has %llu bytes", (unsigned long long)v->size);
	if (v->block_bytes != 0 && v->copies.count != 0) {
		size_t i = volume_copy_from(v, offset / v->block_bytes);
		const struct journal_copy *c = i < v->copies.count ? &v->copies.items[i] : NULL;
		uint64_t begin = c ? c->fs_block * v->block_bytes : 0;

		if (c && begin <= offset) {
			if (!journal_to_fs(&v->geometry, c->journal_block, &place))
				return error_set(err, "journal: block %llu is outside of its file", (unsigned long long)c->journal_block);
			if (length > begin + v->block_bytes - offset)
				length = begin + v->block_bytes - offset;
			home = v->start + place * v->block_bytes + (offset - begin);
		} else if (c && length > begin - offset) {
			length = begin - offset;
		}
	}
	if (disk_at_resolve(v->disk, home, length, ret, NULL, err) < 0)
		return -1;
	ret->offset = offset;
	return 0;
}

static bool volume_covers(const struct volume *v, const struct patch *p)
{
	size_t i = volume_copy_from(v, p->offset / v->block_bytes);

	return i < v->copies.count && v->copies.items[i].fs_block == p->offset / v->block_bytes;
}

int volume_patches(struct volume *v, volume_patch *visit, void *context, struct error *err)
{
	uint8_t *bytes AUTO_FREE = NULL;

	for (unsigned i = 0; i < v->patch_count; i++)
		if (!volume_covers(v, &v->patches[i]) && visit(context, v->start + v->patches[i].offset, v->patches[i].bytes, PATCH_BYTES, err) < 0)
			return -1;
	if (v->copies.count == 0)
		return 0;
	bytes = malloc(VISIT_BYTES);
	if (!bytes)
		return error_set(err, "out of memory");
	for (size_t i = 0, next; i < v->copies.count; i = next) {
		uint64_t first = v->copies.items[i].fs_block, offset = first * v->block_bytes;

		for (next = i + 1; next < v->copies.count && v->copies.items[next].fs_block == first + (next - i) &&
		     (next - i + 1) * v->block_bytes <= VISIT_BYTES;)
			next++;
		if (volume_read(v, offset, bytes, (next - i) * v->block_bytes, err) < 0 ||
		    visit(context, v->start + offset, bytes, (next - i) * v->block_bytes, err) < 0)
			return -1;
	}
	return 0;
}
