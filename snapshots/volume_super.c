// SPDX-License-Identifier: MIT
#include "snapshots/volume_super.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "snapshots/crc32c.h"

#include <string.h>

#define READ_BYTES (256u << 10)

struct free_sums { uint64_t blocks, inodes; };

static void sums_add(struct free_sums *s, const struct ext_layout *l, const uint8_t *descriptor)
{
	uint64_t blocks = get_le16(descriptor + 0x0c), inodes = get_le16(descriptor + 0x0e); // bg_free_blocks_count_lo, inodes

	if (l->descriptor_bytes >= 64) {
		blocks |= (uint64_t)get_le16(descriptor + 0x2c) << 16;
		inodes |= (uint64_t)get_le16(descriptor + 0x2e) << 16;
	}
	s->blocks += blocks * l->cluster_blocks;
	s->inodes += inodes;
}

// Descriptors lie side by side, but with meta_bg, where each block of them has a place of its own.
static int sums_read(struct free_sums *s, const struct ext_layout *l, ext_read *read, void *context, struct error *err)
{
	uint8_t *bytes AUTO_FREE = malloc(READ_BYTES);
	uint32_t at_once = READ_BYTES / l->descriptor_bytes;

	if (!bytes)
		return error_set(err, "out of memory");
	if (l->incompatible & EXT_INCOMPAT_META_BG)
		at_once = l->block_bytes / l->descriptor_bytes;
	for (uint32_t group = 0; group < l->groups; group += at_once) {
		uint32_t count = l->groups - group < at_once ? l->groups - group : at_once;

		if (read(context, ext_layout_descriptor(l, group), bytes, (size_t)count * l->descriptor_bytes, err) < 0)
			return -1;
		for (uint32_t i = 0; i < count; i++)
			sums_add(s, l, bytes + (size_t)i * l->descriptor_bytes);
	}
	return 0;
}

int volume_super_recover(struct ext_layout *l, bool journal_error, ext_read *read, void *context, struct error *err)
{
	struct free_sums sums = {0};
	uint8_t *s = l->super;

	if (sums_read(&sums, l, read, context, err) < 0)
		return -1;
	put_le32(s + EXT_S_INCOMPATIBLE, get_le32(s + EXT_S_INCOMPATIBLE) & ~EXT_INCOMPAT_RECOVER);
	if (journal_error)
		put_le16(s + EXT_S_STATE, get_le16(s + EXT_S_STATE) | EXT_STATE_ERROR);
	// Descriptors that cannot be true are not summed up into the superblock.
	if (sums.blocks <= l->blocks && sums.inodes <= l->inodes) {
		put_le32(s + EXT_S_FREE_BLOCKS_LO, (uint32_t)sums.blocks);
		if (l->incompatible & EXT_INCOMPAT_64BIT)
			put_le32(s + EXT_S_FREE_BLOCKS_HI, (uint32_t)(sums.blocks >> 32));
		put_le32(s + EXT_S_FREE_INODES, (uint32_t)sums.inodes);
	}
	if (l->read_only_compatible & EXT_RO_COMPAT_METADATA_CSUM)
		put_le32(s + EXT_S_CHECKSUM, crc32c_update(UINT32_MAX, s, EXT_S_CHECKSUM));
	return 0;
}
