// SPDX-License-Identifier: MIT
// The jbd2 journal of ext3 and ext4: what its committed transactions hold.
// Source of the format: Linux include/linux/jbd2.h, fs/jbd2/recovery.c; Documentation/filesystems/ext4/journal.rst.
//
// Two users. A view wants the state after replay: journal_replay(). A timeline wants every commit that was ever written, also those
// that a later lap of the ring overwrote: journal_follow_*() is fed with each write to the journal's blocks, in order.
#ifndef SNAPSHOTS_JOURNAL_H
#define SNAPSHOTS_JOURNAL_H

#include "base/error.h"
#include "base/vector.h"

#include <stdbool.h>
#include <stdint.h>

// Where journal block n lies, in file system blocks, as the journal inode's extents or block map say.
struct journal_extent { uint64_t journal_block, fs_block, count; };
VECTOR_DEFINE(journal_extents, struct journal_extent)

struct journal_geometry {
	uint32_t block_bytes;     // of the file system = of the journal
	uint64_t fs_blocks;
	struct journal_extents extents;
	uint64_t journal_blocks;  // sum of the extents
	uint32_t maximum_length, first; // s_maxlen, s_first
	uint32_t incompatible;    // journal feature flags
	uint32_t checksum_seed;   // crc32c of the journal's UUID
	bool checksum_v2, checksum_v3, wide; // 64-bit block numbers
};

// Bytes of the file system at the moment of interest, offset in bytes.
typedef int journal_read(void *context, uint64_t offset, void *bytes, size_t length, struct error *err);

// Finds the journal by ext4 superblock and journal inode (also from the superblock's backup in s_jnl_blocks when the inode is
// unreadable). *ret_present false: the file system has none. Fast commits, external journals, unknown features: -1 by name.
// The caller releases geometry->extents.
int journal_locate(journal_read *read, void *context, struct journal_geometry *ret, bool *ret_present, struct error *err);

struct journal_copy { uint64_t fs_block, journal_block; bool escaped; }; // escaped: first 4 bytes are the magic, stored as zeros
VECTOR_DEFINE(journal_copies, struct journal_copy)

struct journal_result {
	struct journal_copies copies; // newest copy per block, revoked ones left out, sorted by fs_block
	uint64_t transactions, blocks, revoked, escaped;
	uint32_t first_tid, last_tid;
	bool dirty;                   // s_start is not 0
};
int journal_replay(const struct journal_geometry *g, journal_read *read, void *context, struct journal_result *ret, struct error *err);
void journal_result_release(struct journal_result *r);

// ---- following the ring through time

struct journal_follow;
struct journal_commit {
	uint32_t tid;
	uint64_t seq;               // of the record that completed the commit block: the transaction counts from then on
	uint64_t commit_ns;         // h_commit_sec/nsec: the guest's clock; 0 = not there
	const struct journal_copy *copies; size_t copy_count;
	const uint64_t *copy_seqs;  // for each copy, the record that wrote it into the journal
	const uint64_t *revoked; size_t revoked_count;
};
typedef int journal_on_commit(void *context, const struct journal_commit *commit, struct error *err);
int journal_follow_new(const struct journal_geometry *g, journal_on_commit *on_commit, void *context, struct journal_follow **ret, struct error *err);
void journal_follow_free(struct journal_follow *f);
// One journal block was written by record seq. `bytes` holds the whole block. Calls on_commit when a transaction became whole.
int journal_follow_block(struct journal_follow *f, uint64_t journal_block, const uint8_t *bytes, uint64_t seq, struct error *err);

#endif
