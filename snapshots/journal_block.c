// SPDX-License-Identifier: MIT
#include "snapshots/journal_block.h"

#include "base/bytes.h"
#include "snapshots/crc32c.h"

#include <string.h>

#define HEADER_BYTES 12u
#define TAIL_BYTES 4u          // struct jbd2_journal_block_tail
#define REVOKE_HEADER_BYTES 16u
#define UUID_BYTES 16u
#define COMMIT_CHECKSUM 16u    // h_chksum[0]
#define COMMIT_SECONDS 48u
#define COMMIT_NANOSECONDS 56u
#define COMMIT_HEADER_BYTES 64u // sizeof(struct commit_header)
#define CRC32_BE_POLYNOMIAL 0x04c11db7u // CRC-32 of IEEE 802.3, most significant bit first

enum journal_kind journal_block_kind(const uint8_t *block)
{
	uint32_t kind = get_be32(block + 4);

	return get_be32(block) == JOURNAL_MAGIC && kind >= JOURNAL_DESCRIPTOR && kind <= JOURNAL_REVOKE ? (enum journal_kind)kind : JOURNAL_DATA;
}

uint32_t journal_block_tid(const uint8_t *block)
{
	return get_be32(block + 8);
}

static uint32_t tag_bytes(const struct journal_geometry *g)
{
	if (g->checksum_v3)
		return 16;
	return 8u + (g->checksum_v2 ? 2u : 0) + (g->wide ? 4u : 0);
}

int journal_tags_decode(const struct journal_geometry *g, const uint8_t *block, struct journal_tags *tags, struct error *err)
{
	uint32_t bytes = tag_bytes(g), end = g->block_bytes - (journal_has_checksums(g) ? TAIL_BYTES : 0);

	for (uint32_t at = HEADER_BYTES; at + bytes <= end;) {
		const uint8_t *t = block + at;
		uint32_t flags = get_be16(t + 6); // the lower half of v3's flags
		struct journal_tag tag = {.fs_block = get_be32(t), .escaped = flags & JOURNAL_TAG_ESCAPED};

		if (g->wide)
			tag.fs_block |= (uint64_t)get_be32(t + 8) << 32;
		tag.checksum = g->checksum_v3 ? get_be32(t + 12) : get_be16(t + 4);
		if (journal_tags_append(tags, tag) < 0)
			return error_set(err, "out of memory");
		if (flags & JOURNAL_TAG_LAST)
			break;
		at += bytes + (flags & JOURNAL_TAG_SAME_UUID ? 0 : UUID_BYTES);
	}
	return 0;
}

// The checksum over `length` bytes of which the 4 at `hole` count as zero.
static uint32_t crc32c_with_hole(uint32_t crc, const uint8_t *bytes, size_t length, size_t hole)
{
	static const uint8_t zeros[4];

	crc = crc32c_update(crc, bytes, hole);
	crc = crc32c_update(crc, zeros, sizeof(zeros));
	return crc32c_update(crc, bytes + hole + 4, length - hole - 4);
}

bool journal_tail_holds(const struct journal_geometry *g, const uint8_t *block)
{
	size_t tail = g->block_bytes - TAIL_BYTES;

	return !journal_has_checksums(g) || crc32c_with_hole(g->checksum_seed, block, g->block_bytes, tail) == get_be32(block + tail);
}

bool journal_revokes_hold(const struct journal_geometry *g, const uint8_t *block)
{
	return get_be32(block + HEADER_BYTES) <= g->block_bytes - (journal_has_checksums(g) ? TAIL_BYTES : 0) && journal_tail_holds(g, block);
}

int journal_revokes_decode(const struct journal_geometry *g, const uint8_t *block, struct u64_vector *blocks, struct error *err)
{
	uint32_t used = get_be32(block + HEADER_BYTES), width = g->wide ? 8 : 4;

	for (uint32_t at = REVOKE_HEADER_BYTES; at + width <= used; at += width)
		if (u64_vector_append(blocks, g->wide ? get_be64(block + at) : get_be32(block + at)) < 0)
			return error_set(err, "out of memory");
	return 0;
}

bool journal_commit_holds(const struct journal_geometry *g, const uint8_t *block)
{
	uint8_t whole[65536] = {0}; // a header that reached the disk before the rest of its block: the rest counts as zeros
	uint32_t wanted = get_be32(block + COMMIT_CHECKSUM);

	if (!journal_has_checksums(g) || crc32c_with_hole(g->checksum_seed, block, g->block_bytes, COMMIT_CHECKSUM) == wanted)
		return true;
	memcpy(whole, block, COMMIT_HEADER_BYTES);
	return crc32c_with_hole(g->checksum_seed, whole, g->block_bytes, COMMIT_CHECKSUM) == wanted;
}

bool journal_tag_holds(const struct journal_geometry *g, const struct journal_tag *tag, uint32_t tid, const uint8_t *block)
{
	uint8_t number[4];
	uint32_t crc;

	if (!journal_has_checksums(g))
		return true;
	put_be32(number, tid);
	crc = crc32c_update(crc32c_update(g->checksum_seed, number, sizeof(number)), block, g->block_bytes);
	return journal_tag_matches(g, tag, crc);
}

bool journal_tag_matches(const struct journal_geometry *g, const struct journal_tag *tag, uint32_t crc)
{
	return tag->checksum == (g->checksum_v3 ? crc : (uint16_t)crc); // v2 keeps the lower half
}

uint64_t journal_commit_time(const uint8_t *block, uint64_t *ret_seconds)
{
	uint64_t seconds = get_be64(block + COMMIT_SECONDS);
	uint32_t nanoseconds = get_be32(block + COMMIT_NANOSECONDS);

	if (ret_seconds)
		*ret_seconds = seconds;
	if (seconds == 0 || seconds > UINT64_MAX / 1000000000u - 1 || nanoseconds >= 1000000000u)
		return 0;
	return seconds * 1000000000u + nanoseconds;
}

uint32_t journal_crc32_be(uint32_t crc, const uint8_t *bytes, size_t length)
{
	uint32_t table[256];

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i << 24;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] << 1 ^ (table[i] & 0x80000000u ? CRC32_BE_POLYNOMIAL : 0);
	}
	for (size_t i = 0; i < length; i++)
		crc = crc << 8 ^ table[crc >> 24 ^ bytes[i]];
	return crc;
}
