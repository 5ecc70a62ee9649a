// SPDX-License-Identifier: MIT
// Single blocks of a jbd2 journal: kinds, tags, checksums. Nothing here knows where a block lies.
//
// All integers are big endian. Each control block begins with u32 magic, u32 kind, u32 tid.
//     descriptor   12: tags, one per block that follows; the last has JOURNAL_TAG_LAST; with checksums the block's last 4 bytes are one
//         tag      v3: u32 block, u32 flags, u32 block's upper half, u32 checksum
//                  else: u32 block, u16 checksum (v2), u16 flags, u32 upper half (64bit), 2 bytes more with v2
//                  then a UUID of 16 bytes, unless JOURNAL_TAG_SAME_UUID
//     revoke       12: u32 bytes in use, 16: block numbers, u32 or (64bit) u64
//     commit       12: u8 checksum type, u8 size, 16: u32[8] checksum, 48: u64 seconds, 56: u32 nanoseconds
// A logged block that begins with the magic is stored with zeros there, and its tag says so (JOURNAL_TAG_ESCAPED).
// Source: Linux include/linux/jbd2.h, fs/jbd2/recovery.c.
#ifndef SNAPSHOTS_JOURNAL_BLOCK_H
#define SNAPSHOTS_JOURNAL_BLOCK_H

#include "snapshots/journal.h"

#include <stddef.h>

#define JOURNAL_MAGIC 0xc03b3998u
#define JOURNAL_SUPER_BYTES 1024u
#define JOURNAL_MAX_BLOCKS (1u << 22) // our limits for a ring: 16 GiB of 4 KiB blocks; mke2fs makes at most 1 GiB unless told
#define JOURNAL_MAX_BYTES (UINT64_C(16) << 30)

enum journal_kind {
	JOURNAL_DATA = 0, JOURNAL_DESCRIPTOR = 1, JOURNAL_COMMIT = 2, JOURNAL_SUPER_V1 = 3, JOURNAL_SUPER_V2 = 4, JOURNAL_REVOKE = 5,
};

// Features. compatible:
#define JOURNAL_COMPAT_CHECKSUM 0x1u
// incompatible:
#define JOURNAL_REVOKES 0x1u
#define JOURNAL_64BIT 0x2u
#define JOURNAL_ASYNC_COMMIT 0x4u
#define JOURNAL_CHECKSUM_V2 0x8u
#define JOURNAL_CHECKSUM_V3 0x10u
#define JOURNAL_FAST_COMMIT 0x20u
#define JOURNAL_INCOMPATIBLE_KNOWN 0x3fu

#define JOURNAL_TAG_ESCAPED 1u
#define JOURNAL_TAG_SAME_UUID 2u
#define JOURNAL_TAG_LAST 8u

static inline bool journal_has_checksums(const struct journal_geometry *g) { return g->checksum_v2 || g->checksum_v3; }
// tids wrap: a is not before b.
static inline bool journal_tid_reached(uint32_t a, uint32_t b) { return (int32_t)(a - b) >= 0; }

// JOURNAL_DATA when it is no control block.
enum journal_kind journal_block_kind(const uint8_t *block);
uint32_t journal_block_tid(const uint8_t *block);

// What the journal's own superblock says beyond the geometry.
struct journal_super { uint32_t sequence, start, error; uint8_t uuid[16]; };
// Judges the first 1024 bytes of journal block 0 and takes features and limits into g (whose block_bytes and journal_blocks are set).
int journal_super_decode(const uint8_t *bytes, struct journal_geometry *g, struct journal_super *ret, struct error *err);
// Marks the journal as empty, as recovery does: the next tid, no start, no error; and its checksum.
void journal_super_clear(uint8_t bytes[JOURNAL_SUPER_BYTES], uint32_t next_tid);

struct journal_tag { uint64_t fs_block; uint32_t checksum; bool escaped; };
VECTOR_DEFINE(journal_tags, struct journal_tag)
// Appends the tags of a descriptor.
int journal_tags_decode(const struct journal_geometry *g, const uint8_t *block, struct journal_tags *tags, struct error *err);
// Checksum at the end of descriptors and revoke blocks. True without the feature.
bool journal_tail_holds(const struct journal_geometry *g, const uint8_t *block);
// Of a commit block; also true for one whose header alone was written over older bytes.
bool journal_commit_holds(const struct journal_geometry *g, const uint8_t *block);
// Of a logged block, as stored: CRC-32C of seed, tid (big endian) and block.
bool journal_tag_holds(const struct journal_geometry *g, const struct journal_tag *tag, uint32_t tid, const uint8_t *block);
bool journal_tag_matches(const struct journal_geometry *g, const struct journal_tag *tag, uint32_t crc);
uint64_t journal_commit_time(const uint8_t *block, uint64_t *ret_seconds); // ns since 1970; 0: not there

// A revoke block's length can be true, and its checksum holds.
bool journal_revokes_hold(const struct journal_geometry *g, const uint8_t *block);
// Appends the blocks that such a block names.
int journal_revokes_decode(const struct journal_geometry *g, const uint8_t *block, struct u64_vector *blocks, struct error *err);

// CRC-32 as the kernel's crc32_be(): of whole transactions, with JOURNAL_COMPAT_CHECKSUM.
uint32_t journal_crc32_be(uint32_t crc, const uint8_t *bytes, size_t length);

#endif
