// SPDX-License-Identifier: MIT
// The replayed view of a volume, moving forward through time, record by record.
//
// Opening a view at each of 1,200 states would replay the journal 1,200 times. The cursor does it once: home blocks are what the
// records since a base moment wrote (an extent map over a disk_at); on top lie the newest copies that the journal's commits hold, for
// as long as the journal's tail has not passed their transaction. So at each record it shows what volume_open(.., replay) would.
//
//     fs_cursor_watch(c, owner, ranges, err);      // which bytes matter to whom; others cost a few ns a record
//     fs_cursor_walk(c, to_seq, before, after, context, err);
// before() is called while the cursor still shows the old bytes, after() once it shows the new ones.
#ifndef SNAPSHOTS_FS_CURSOR_H
#define SNAPSHOTS_FS_CURSOR_H

#include "base/vector.h"
#include "snapshots/disk_at.h"
#include "snapshots/fs_watches.h"
#include "snapshots/partition.h"

struct fs_cursor;

enum fs_source { FS_FROM_RECORD, FS_FROM_ZEROS, FS_FROM_COPY, FS_FROM_HOME };
struct fs_change { // watched bytes of the volume that get new content
	uint64_t offset, length;
	enum fs_source source;
	uint64_t source_seq, source_within; // RECORD: which one, and where in its content they begin. COPY: the journal block's
	uint32_t owner; // who watches them; bytes that several watch are a change for each
	bool escaped;  // COPY
	bool shadowed; // a home block was written while the journal holds a newer copy: the view does not change
};
VECTOR_DEFINE(fs_changes, struct fs_change)

struct fs_step {
	uint64_t seq, realtime_ns;
	bool commit;     // the changes come from a commit that this record completed
	bool tail_moved; // the journal's start moved: blocks may show their home content again. changes: those, as far as they are watched
	bool unsure;     // with tail_moved: others, too (another journal was met since)
	uint32_t tid;
	struct fs_changes changes;
};
// 0 goes on, 1 ends the walk, -1 and err.
typedef int fs_cursor_visit(void *context, const struct fs_step *step, struct error *err);

// At seq; block_bytes: of the file system. h must stay open.
int fs_cursor_open(struct history *h, const struct partition *p, uint32_t block_bytes, uint64_t seq, struct fs_cursor **ret, struct error *err);
void fs_cursor_free(struct fs_cursor *c);
uint64_t fs_cursor_seq(const struct fs_cursor *c);
uint64_t fs_cursor_time(const struct fs_cursor *c); // of that record; 0: none
uint32_t fs_cursor_block_bytes(const struct fs_cursor *c);
// Whether the volume has a journal, as far as the cursor could see.
bool fs_cursor_has_journal(const struct fs_cursor *c);
// Copies of blocks that commits on the way should have brought, and that were left out: their checksum is wrong.
uint64_t fs_cursor_damaged_copies(const struct fs_cursor *c);

// Right after opening: does not read journal blocks that nobody watches, which is most of what a cursor costs. What is not verified then is
// said in journal.h; a damaged copy of a watched block is left out as ever. Where what was not read turns out to matter and to be other than
// announced, reads and walks fail, and fs_cursor_doubts() is true: begin anew with a cursor that reads everything.
void fs_cursor_read_less(struct fs_cursor *c);
bool fs_cursor_doubts(const struct fs_cursor *c);

// What the owner watches from now on (fs_watches.h): not what it did before. Owners are small numbers; one is enough for one who asks.
int fs_cursor_watch(struct fs_cursor *c, uint32_t owner, struct fs_ranges *ranges, struct error *err);
void fs_cursor_watch_all(struct fs_cursor *c); // for owner 0

// Moves to to_seq. after may be called without before() when only the journal's tail moved. 1 when a visit ended it.
int fs_cursor_walk(struct fs_cursor *c, uint64_t to_seq, fs_cursor_visit *before, fs_cursor_visit *after, void *context, struct error *err);

// Bytes of the volume as the view shows them now. Beyond its end: zeros.
int fs_cursor_read(struct fs_cursor *c, uint64_t offset, void *bytes, size_t length, struct error *err);
// Bytes [within, within + length) that a change brings.
int fs_cursor_new_bytes(struct fs_cursor *c, const struct fs_change *change, uint64_t within, void *bytes, size_t length, struct error *err);

#endif
