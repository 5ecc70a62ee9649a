// SPDX-License-Identifier: MIT
// Between fs_cursor.c (home blocks, walking) and fs_cursor_journal.c (what the journal lays over them).
#ifndef SNAPSHOTS_FS_CURSOR_WORK_H
#define SNAPSHOTS_FS_CURSOR_WORK_H

#include "snapshots/extent_map.h"
#include "snapshots/fs_cursor.h"
#include "snapshots/fs_pages.h"
#include "snapshots/journal.h"

struct fs_overlay_copy { // the newest committed copy of a block
	uint64_t fs_block;
	uint64_t seq;         // of the record that wrote it into the journal; 0: it was there before the cursor's origin
	uint64_t disk_offset; // of the journal block
	uint32_t tid, checksum;
	bool used, dead, escaped;
	bool unchecked; // its content was not looked at yet
};

struct fs_overlay { // open addressing by fs_block
	struct fs_overlay_copy *slots;
	size_t capacity, used; // capacity: a power of two; used counts the dead as well
};

struct fs_cursor {
	struct history *history;
	struct partition partition;
	uint32_t block_bytes;
	uint64_t seq;           // the view holds every record up to it
	struct disk_at *origin; // where the cursor began: journal copies that were there before
	struct disk_at *base;   // home blocks before `written`; may be the origin
	// Records (base's seq, seq]. Small writes of whole blocks, nearly all of them, are noted by block: a tenth of the cost of an extent.
	struct fs_pages blocks;    // block of the volume -> seq << 8 | type
	struct extent_map written; // by disk offset: all others

	struct fs_watches watches;
	bool watch_all;

	unsigned journals_seen;          // goes up when the journal is looked for anew
	bool unsure;                     // what the overlay held was dropped since the tail moved last
	bool has_journal, seeks_journal; // seeks: the superblock promises one that was not there yet
	uint8_t identity[32];            // of the superblock: UUID and journal inode; another one means another file system
	struct journal_geometry geometry;
	struct journal_extents by_block; // geometry.extents in the order of fs_block
	struct journal_follow *follow;
	bool reads_less, doubts;
	uint64_t damaged_before; // by followers of journals that are no more
	uint32_t tail_tid;
	bool journal_empty;              // s_start is 0
	struct fs_overlay overlay;

	// The walk that is going on.
	fs_cursor_visit *before, *after;
	void *context;
	struct fs_step step;
	uint64_t quiet_until;            // commits up to this record only warm the follower up
	bool ended;                      // a visit within a commit answered 1
};

// The record since the base that holds the byte, and how far (at most length); seq 0: none.
struct piece fs_cursor_written_at(const struct fs_cursor *c, uint64_t offset, uint64_t length);
int fs_cursor_read_home(struct fs_cursor *c, uint64_t offset, void *bytes, size_t length, struct error *err);
// The content of a whole journal block as record seq left it.
int fs_cursor_read_written(struct fs_cursor *c, uint64_t seq, uint64_t disk_offset, void *bytes, size_t length, struct error *err);
// Clips [from, to) to what is watched and appends pieces of it to c->step.changes by `add`.
typedef int fs_cursor_piece(struct fs_cursor *c, struct fs_range piece, uint32_t owner, void *context, struct error *err);
int fs_cursor_clip(struct fs_cursor *c, uint64_t from, uint64_t to, fs_cursor_piece *add, void *context, struct error *err);

// fs_cursor_overlay.c
static inline bool fs_cursor_tid_before(uint32_t a, uint32_t b) // transaction numbers wrap
{
	return (int32_t)(a - b) < 0;
}
bool fs_cursor_overlay_is_empty(const struct fs_cursor *c);
int fs_cursor_overlay_put(struct fs_cursor *c, const struct fs_overlay_copy *copy, struct error *err);
void fs_cursor_overlay_revoke(struct fs_cursor *c, uint64_t fs_block);
void fs_cursor_overlay_clear(struct fs_cursor *c);
bool fs_cursor_copy_lives(const struct fs_cursor *c, const struct fs_overlay_copy *copy); // the tail has not passed it
const struct fs_overlay_copy *fs_cursor_live_copy(const struct fs_cursor *c, uint64_t fs_block);
// The same for who goes by it: one that nobody looked at is looked at first. *ret NULL: there is none.
int fs_cursor_sure_copy(struct fs_cursor *c, uint64_t fs_block, const struct fs_overlay_copy **ret, struct error *err);
int fs_cursor_read_copy(struct fs_cursor *c, const struct fs_overlay_copy *copy, uint64_t within, void *bytes, size_t length, struct error *err);
// fs_cursor_journal.c
int fs_cursor_journal_open(struct fs_cursor *c, struct error *err);     // at c->seq
void fs_cursor_journal_release(struct fs_cursor *c);
// A record wrote [offset, + length) of the volume. Feeds journal blocks, commits, looks for a journal where there was none.
int fs_cursor_journal_note(struct fs_cursor *c, uint64_t seq, const struct segment_row *row, uint64_t offset, uint64_t length, struct error *err);

#endif
