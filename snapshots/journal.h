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
	uint32_t last;            // the ring is [first, last): maximum_length without the blocks for fast commits
	uint32_t compatible, incompatible; // journal feature flags
	uint32_t checksum_seed;   // crc32c of the journal's UUID
	bool checksum_v2, checksum_v3, wide; // 64-bit block numbers
};

// Bytes of the file system at the moment of interest, offset in bytes.
typedef int journal_read(void *context, uint64_t offset, void *bytes, size_t length, struct error *err);

// Finds the journal by ext4 superblock and journal inode (also from the superblock's backup in s_jnl_blocks when the inode is
// unreadable). *ret_present false: no ext superblock here, or a file system without a journal. External journals, unknown features, a
// journal that lies nowhere: -1 by name. (Fast commits are refused where they would matter: by journal_replay() of a journal that is
// not clean, and by journal_follow_new().) The caller releases geometry->extents.
int journal_locate(journal_read *read, void *context, struct journal_geometry *ret, bool *ret_present, struct error *err);
// Journal block <-> file system block. False: outside.
bool journal_to_fs(const struct journal_geometry *g, uint64_t journal_block, uint64_t *ret_fs_block);
bool journal_from_fs(const struct journal_geometry *g, uint64_t fs_block, uint64_t *ret_journal_block);

// escaped: the first 4 bytes are the magic, stored as zeros. tid: of its transaction. unchecked: nobody has read it, and `checksum` is what its
// tag says (journal_follow_holds()).
struct journal_copy { uint64_t fs_block, journal_block; bool escaped, unchecked; uint32_t tid, checksum; };
VECTOR_DEFINE(journal_copies, struct journal_copy)

struct journal_result {
	struct journal_copies copies; // newest copy per block, revoked ones left out, sorted by fs_block
	uint64_t transactions, blocks, revoked, escaped;
	uint64_t damaged;             // copies whose checksum differs or whose place is outside: left out, as the kernel does
	uint32_t first_tid, last_tid; // of the committed ones, when there are any
	uint32_t next_tid;            // with which the next mount would go on
	bool dirty;                   // s_start is not 0
};
// What the kernel's recovery would write, by the rules of fs/jbd2/recovery.c. g may come from another moment of the same journal: the
// journal's superblock is read anew. A journal that the kernel would refuse is an error.
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
	const uint64_t *revoked; size_t revoked_count; // also copies of the same transaction do not count then
};
typedef int journal_on_commit(void *context, const struct journal_commit *commit, struct error *err);
int journal_follow_new(const struct journal_geometry *g, journal_on_commit *on_commit, void *context, struct journal_follow **ret,
		       struct error *err);
void journal_follow_free(struct journal_follow *f);
// What was seen so far. incomplete: commit blocks whose transaction was not all there, for example begun before the first record.
struct journal_follow_counts { uint64_t commits, incomplete, damaged /* copies with a wrong checksum, left out */; };
struct journal_follow_counts journal_follow_seen(const struct journal_follow *f);
// One journal block was written by record seq. `bytes` holds the whole block. Calls on_commit when a transaction became whole: its commit
// block is there, and everything between it and the transaction before was written since the ring came round last. Blocks may come in
// any order. Features, checksums and a journal made anew are taken from block 0 as it is written, so g may be older than they are.
int journal_follow_block(struct journal_follow *f, uint64_t journal_block, const uint8_t *bytes, uint64_t seq, struct error *err);

// Reading less. Most blocks of a ring are copies that nobody asks for, and the descriptor before them announces them. Of these the follower
// reads by itself the ones whose block is wanted when their transaction commits; the others it hands out `unchecked`. What is not verified
// then: the checksum of such a copy, until journal_follow_holds(); and that it is not, against what was announced, a descriptor, revoke or
// commit block, as no kernel writes there. A block that is read and belies its descriptor is a doubt: -1 and journal_follow_doubts(). Whoever
// meets it begins anew, without this.
struct journal_reads {
	bool (*wants)(void *context, uint64_t fs_block);
	// The journal block as record seq left it.
	int (*read)(void *context, uint64_t journal_block, uint64_t seq, uint8_t *bytes, struct error *err);
	void *context;
};
void journal_follow_read_less(struct journal_follow *f, const struct journal_reads *reads);
// Whether a block that is being written may be told by journal_follow_unread() instead of journal_follow_block().
bool journal_follow_announced(const struct journal_follow *f, uint64_t journal_block);
int journal_follow_unread(struct journal_follow *f, uint64_t journal_block, uint64_t seq, struct error *err);
bool journal_follow_holds(const struct journal_follow *f, const struct journal_copy *copy, const uint8_t *bytes);
bool journal_follow_doubts(const struct journal_follow *f);

#endif
