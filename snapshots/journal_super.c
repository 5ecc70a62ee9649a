// SPDX-License-Identifier: MIT
// The journal's own superblock, big endian:
//
//      0  magic, kind 3 or 4, tid      28  u32 start: where the log begins, 0 = nothing to replay
//     12  u32 block size               32  u32 error number
//     16  u32 maximum length           36  u32 compatible, incompatible, read-only compatible (kind 4 from here on)
//     20  u32 first block of the log   48  UUID
//     24  u32 first tid of the log     80  u8 checksum type; 84 u32 blocks for fast commits; 252 u32 checksum over all 1024 bytes
#include "snapshots/journal_block.h"

#include "base/bytes.h"
#include "snapshots/crc32c.h"

#include <string.h>

enum {
	S_BLOCK_BYTES = 12, S_MAXIMUM_LENGTH = 16, S_FIRST = 20, S_SEQUENCE = 24, S_START = 28, S_ERROR = 32, S_COMPATIBLE = 36,
	S_INCOMPATIBLE = 40, S_READ_ONLY_COMPATIBLE = 44, S_UUID = 48, S_CHECKSUM_TYPE = 80, S_FAST_COMMIT_BLOCKS = 84, S_CHECKSUM = 252,
};
#define CHECKSUM_CRC32C 4u               // JBD2_CRC32C_CHKSUM
#define FAST_COMMIT_DEFAULT_BLOCKS 256u  // JBD2_DEFAULT_FAST_COMMIT_BLOCKS

static uint32_t super_checksum(const uint8_t *bytes)
{
	static const uint8_t zeros[4];
	uint32_t crc = crc32c_update(UINT32_MAX, bytes, S_CHECKSUM);

	crc = crc32c_update(crc, zeros, sizeof(zeros));
	return crc32c_update(crc, bytes + S_CHECKSUM + 4, JOURNAL_SUPER_BYTES - S_CHECKSUM - 4);
}

static bool super_has_checksums(const uint8_t *bytes)
{
	return get_be32(bytes + 4) == JOURNAL_SUPER_V2 && (get_be32(bytes + S_INCOMPATIBLE) & (JOURNAL_CHECKSUM_V2 | JOURNAL_CHECKSUM_V3));
}

static int super_features(const uint8_t *bytes, struct journal_geometry *g, struct journal_super *s, struct error *err)
{
	uint32_t unknown = get_be32(bytes + S_INCOMPATIBLE) & ~JOURNAL_INCOMPATIBLE_KNOWN, other = get_be32(bytes + S_READ_ONLY_COMPATIBLE);

	if (unknown || other)
		return error_set(err, "journal: unknown features 0x%x/0x%x: its transactions cannot be read", unknown, other);
	g->compatible = get_be32(bytes + S_COMPATIBLE);
	g->incompatible = get_be32(bytes + S_INCOMPATIBLE);
	g->wide = g->incompatible & JOURNAL_64BIT;
	g->checksum_v2 = g->incompatible & JOURNAL_CHECKSUM_V2;
	g->checksum_v3 = g->incompatible & JOURNAL_CHECKSUM_V3;
	if (g->checksum_v2 && g->checksum_v3)
		return error_set(err, "journal: checksums of version 2 and 3 at once");
	if (journal_has_checksums(g) && (g->compatible & JOURNAL_COMPAT_CHECKSUM))
		return error_set(err, "journal: checksums of version 1 and %d at once", g->checksum_v3 ? 3 : 2);
	memcpy(s->uuid, bytes + S_UUID, sizeof(s->uuid));
	g->checksum_seed = crc32c_update(UINT32_MAX, s->uuid, sizeof(s->uuid));
	if (!journal_has_checksums(g))
		return 0;
	if (bytes[S_CHECKSUM_TYPE] != CHECKSUM_CRC32C)
		return error_set(err, "journal: unknown checksum type %u", bytes[S_CHECKSUM_TYPE]);
	if (super_checksum(bytes) != get_be32(bytes + S_CHECKSUM))
		return error_set(err, "journal: the checksum of its superblock differs");
	return 0;
}

static int super_ring(const uint8_t *bytes, struct journal_geometry *g, struct error *err)
{
	g->maximum_length = get_be32(bytes + S_MAXIMUM_LENGTH);
	g->first = get_be32(bytes + S_FIRST);
	g->last = g->maximum_length;
	if (get_be32(bytes + S_BLOCK_BYTES) != g->block_bytes)
		return error_set(err, "journal: its blocks have %u bytes, those of the file system %u", get_be32(bytes + S_BLOCK_BYTES), g->block_bytes);
	if (g->maximum_length > g->journal_blocks)
		return error_set(err, "journal: %u blocks, but its file has %llu", g->maximum_length, (unsigned long long)g->journal_blocks);
	if (g->incompatible & JOURNAL_FAST_COMMIT) {
		uint32_t blocks = get_be32(bytes + S_FAST_COMMIT_BLOCKS);

		if (blocks == 0)
			blocks = FAST_COMMIT_DEFAULT_BLOCKS;
		if (blocks >= g->last)
			return error_set(err, "journal: %u of %u blocks are for fast commits", blocks, g->maximum_length);
		g->last -= blocks;
	}
	if (g->first == 0 || g->first >= g->last)
		return error_set(err, "journal: its log begins at block %u of %u", g->first, g->last);
	return 0;
}

int journal_super_decode(const uint8_t *bytes, struct journal_geometry *g, struct journal_super *ret, struct error *err)
{
	enum journal_kind kind = journal_block_kind(bytes);
	struct journal_geometry read = *g;
	struct journal_super s = {
		.sequence = get_be32(bytes + S_SEQUENCE), .start = get_be32(bytes + S_START), .error = get_be32(bytes + S_ERROR),
	};

	if (kind != JOURNAL_SUPER_V1 && kind != JOURNAL_SUPER_V2)
		return error_set(err, "journal: no superblock where the journal begins");
	read.compatible = read.incompatible = 0;
	read.wide = read.checksum_v2 = read.checksum_v3 = false;
	if ((kind == JOURNAL_SUPER_V2 && super_features(bytes, &read, &s, err) < 0) || super_ring(bytes, &read, err) < 0)
		return -1;
	*g = read;
	*ret = s;
	return 0;
}

void journal_super_clear(uint8_t bytes[JOURNAL_SUPER_BYTES], uint32_t next_tid)
{
	put_be32(bytes + S_SEQUENCE, next_tid);
	put_be32(bytes + S_START, 0);
	put_be32(bytes + S_ERROR, 0);
	if (super_has_checksums(bytes))
		put_be32(bytes + S_CHECKSUM, super_checksum(bytes));
}
