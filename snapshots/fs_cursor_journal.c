// SPDX-License-Identifier: MIT
// What the journal lays over the home blocks, kept up to date with every record.
//
// A committed copy counts until the journal's tail (s_sequence, s_start in its superblock) has passed its transaction: by then the kernel
// has written the block home. A revoke takes copies of its own and of older transactions away, as recovery does.
// Source: Linux fs/jbd2/recovery.c, fs/jbd2/revoke.c, include/linux/jbd2.h.
#include "snapshots/fs_cursor_work.h"

#include "base/bytes.h"

#include <stdlib.h>

#define EXT_SUPERBLOCK_OFFSET 1024u
#define EXT_MAGIC 0xEF53u          /* EXT4_SUPER_MAGIC, linux/magic.h */
#define EXT_COMPAT_HAS_JOURNAL 4u  /* fs/ext4/ext4.h */
#define JOURNAL_MAGIC 0xC03B3998u  /* JBD2_MAGIC_NUMBER */
#define WARM_UP_RECORDS 65536u     /* how far back a transaction that is under way at the origin may have begun */
#define WARM_UP_BLOCKS 4096u
#define FEED_BYTES (256u << 10)

// ---- commits

static int add_copy_piece(struct fs_cursor *c, struct fs_range piece, uint32_t owner, void *context, struct error *err)
{
	struct fs_change change = *(const struct fs_change *)context;

	change.offset = piece.from;
	change.length = piece.to - piece.from;
	change.owner = owner;
	return fs_changes_append(&c->step.changes, change) < 0 ? error_set(err, "out of memory") : 0;
}

static uint64_t journal_disk_offset(const struct fs_cursor *c, uint64_t journal_block)
{
	const struct journal_extents *extents = &c->geometry.extents;

	for (size_t i = 0; i < extents->count; i++) {
		const struct journal_extent *e = &extents->items[i];

		if (journal_block >= e->journal_block && journal_block - e->journal_block < e->count)
			return c->partition.start_bytes + (e->fs_block + journal_block - e->journal_block) * c->block_bytes;
	}
	return UINT64_MAX;
}

static int gather_commit(struct fs_cursor *c, const struct journal_commit *commit, struct error *err)
{
	c->step.changes.count = 0;
	for (size_t i = 0; i < commit->copy_count; i++) {
		const struct journal_copy *copy = &commit->copies[i];
		struct fs_change change = {.source = FS_FROM_COPY, .source_seq = commit->copy_seqs[i], .escaped = copy->escaped};
		uint64_t from = copy->fs_block * c->block_bytes;

		change.source_within = journal_disk_offset(c, copy->journal_block);
		if (copy->fs_block < c->geometry.fs_blocks && fs_cursor_clip(c, from, from + c->block_bytes, add_copy_piece, &change, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < commit->revoked_count; i++) {
		struct fs_change change = {.source = FS_FROM_HOME};
		uint64_t from = commit->revoked[i] * c->block_bytes;

		if (fs_cursor_live_copy(c, commit->revoked[i]) &&
		    fs_cursor_clip(c, from, from + c->block_bytes, add_copy_piece, &change, err) < 0)
			return -1;
	}
	return 0;
}

static int apply_commit(struct fs_cursor *c, const struct journal_commit *commit, struct error *err)
{
	for (size_t i = 0; i < commit->copy_count; i++) {
		const struct journal_copy *copy = &commit->copies[i];
		struct fs_overlay_copy entry = {.fs_block = copy->fs_block, .seq = commit->copy_seqs[i], .tid = commit->tid, .used = true};

		entry.escaped = copy->escaped;
		entry.unchecked = copy->unchecked;
		entry.checksum = copy->checksum;
		entry.disk_offset = journal_disk_offset(c, copy->journal_block);
		if (copy->fs_block < c->geometry.fs_blocks && entry.disk_offset != UINT64_MAX && fs_cursor_overlay_put(c, &entry, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < commit->revoked_count; i++)
		fs_cursor_overlay_revoke(c, commit->revoked[i]);
	return 0;
}

// A visit's 1 must not look like a failure to the follower: it waits in c->ended.
static int on_commit(void *context, const struct journal_commit *commit, struct error *err)
{
	struct fs_cursor *c = context;

	if (commit->seq <= c->quiet_until || c->ended || fs_cursor_tid_before(commit->tid, c->tail_tid))
		return 0;
	if (gather_commit(c, commit, err) < 0)
		return -1;
	c->step.commit = true;
	c->step.tail_moved = false;
	c->step.tid = commit->tid;
	bool seen = c->step.changes.count > 0;
	int result = seen ? c->before(c->context, &c->step, err) : 0;

	if (result == 0)
		result = apply_commit(c, commit, err);
	if (result == 0 && seen)
		result = c->after(c->context, &c->step, err);
	c->ended = result > 0;
	return result < 0 ? -1 : 0;
}

// ---- finding the journal

static int read_home(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	struct fs_cursor *c = context;

	if (offset > c->partition.length_bytes || length > c->partition.length_bytes - offset)
		return error_set(err, "the journal points outside the file system");
	return fs_cursor_read_home(c, offset, bytes, length, err);
}

static int compare_extents(const void *a, const void *b)
{
	const struct journal_extent *x = a, *y = b;

	return x->fs_block < y->fs_block ? -1 : x->fs_block > y->fs_block;
}

// What tells one file system from the next one made over it. false: no ext file system there.
static bool read_identity(struct fs_cursor *c, uint8_t identity[32], bool *ret_promised, struct error *err)
{
	uint8_t super[256];

	if (fs_cursor_read_home(c, EXT_SUPERBLOCK_OFFSET, super, sizeof(super), err) < 0 || get_le16(super + 0x38) != EXT_MAGIC)
		return false;
	memset(identity, 0, 32);
	memcpy(identity, super + 0x68, 16);     // s_uuid
	memcpy(identity + 16, super + 0xE0, 4); // s_journal_inum
	memcpy(identity + 20, super + 0x18, 4); // s_log_block_size
	*ret_promised = get_le32(super + 0x5C) & EXT_COMPAT_HAS_JOURNAL;
	identity[24] = *ret_promised;
	return true;
}

// The tail: which transactions recovery would replay.
static void take_tail(struct fs_cursor *c, const uint8_t *super)
{
	c->tail_tid = get_be32(super + 24);          // s_sequence
	c->journal_empty = get_be32(super + 28) == 0; // s_start
}

// The last record that wrote there, so that the copy can be read when the ring has gone on. 0: none did. Parts of a block may come from several.
static int origin_of(struct fs_cursor *c, uint64_t disk_offset, uint64_t *ret_seq, struct error *err)
{
	*ret_seq = 0;
	for (uint64_t done = 0; done < c->block_bytes;) {
		uint64_t at = disk_offset + done, left = c->block_bytes - done;
		struct piece piece = fs_cursor_written_at(c, at - c->partition.start_bytes, left);
		struct disk_piece older = {.seq = piece.seq, .length = piece.length};

		if (piece.seq == 0 && disk_at_resolve(c->base, at, piece.length, &older, NULL, err) < 0)
			return -1;
		if (older.seq > *ret_seq)
			*ret_seq = older.seq;
		done += older.length > 0 ? older.length : left;
	}
	return 0;
}

// Copies of transactions that are already there. Their own numbers are not told one by one: the last one's stands for all, so they count
// a little longer than in truth, while home shows the same.
static int load_replay(struct fs_cursor *c, struct error *err)
{
	struct journal_result found = {0};
	int result = journal_replay(&c->geometry, read_home, c, &found, err);

	for (size_t i = 0; result == 0 && i < found.copies.count; i++) {
		const struct journal_copy *copy = &found.copies.items[i];
		struct fs_overlay_copy entry = {.fs_block = copy->fs_block, .tid = found.last_tid, .used = true, .escaped = copy->escaped};

		entry.disk_offset = journal_disk_offset(c, copy->journal_block);
		if (copy->fs_block >= c->geometry.fs_blocks || entry.disk_offset == UINT64_MAX)
			continue;
		result = origin_of(c, entry.disk_offset, &entry.seq, err);
		if (result == 0)
			result = fs_cursor_overlay_put(c, &entry, err);
	}
	journal_result_release(&found);
	return result;
}

uint64_t fs_cursor_damaged_copies(const struct fs_cursor *c)
{
	return c->damaged_before + (c->follow ? journal_follow_seen(c->follow).damaged : 0);
}

bool fs_cursor_doubts(const struct fs_cursor *c)
{
	return c->doubts || (c->follow && journal_follow_doubts(c->follow));
}

static void forget_journal(struct fs_cursor *c)
{
	c->doubts = fs_cursor_doubts(c);
	c->damaged_before = fs_cursor_damaged_copies(c);
	journal_follow_free(c->follow);
	c->follow = NULL;
	journal_extents_release(&c->geometry.extents);
	journal_extents_release(&c->by_block);
	fs_cursor_overlay_clear(c);
	c->unsure = true;
	c->has_journal = false;
	c->journal_empty = true;
}

static bool wants_block(void *context, uint64_t fs_block)
{
	const struct fs_cursor *c = context;
	uint64_t from = fs_block * c->block_bytes, to = from + c->block_bytes;
	struct fs_watches_at at = fs_watches_find(&c->watches, from);
	struct fs_range range;
	uint32_t owner;

	return c->watch_all || fs_watches_next(&c->watches, &at, from, to, &range, &owner);
}

static int read_journal_block(void *context, uint64_t journal_block, uint64_t seq, uint8_t *bytes, struct error *err)
{
	struct fs_cursor *c = context;

	return fs_cursor_read_written(c, seq, journal_disk_offset(c, journal_block), bytes, c->block_bytes, err);
}

static void read_less(struct fs_cursor *c)
{
	const struct journal_reads reads = {.wants = wants_block, .read = read_journal_block, .context = c};

	journal_follow_read_less(c->follow, &reads);
}

void fs_cursor_read_less(struct fs_cursor *c)
{
	c->reads_less = true;
	if (c->follow)
		read_less(c);
}

// The follower learns the ring's start and checksums from block 0.
static int begin_following(struct fs_cursor *c, const uint8_t *super, struct error *err)
{
	if (journal_follow_new(&c->geometry, on_commit, c, &c->follow, err) < 0)
		return -1;
	if (c->reads_less)
		read_less(c);
	take_tail(c, super);
	c->has_journal = true;
	c->seeks_journal = false;
	return journal_follow_block(c->follow, 0, super, c->seq, err);
}

static bool order_extents(struct fs_cursor *c)
{
	for (size_t i = 0; i < c->geometry.extents.count; i++) {
		if (journal_extents_append(&c->by_block, c->geometry.extents.items[i]) < 0)
			return false;
	}
	qsort(c->by_block.items, c->by_block.count, sizeof(*c->by_block.items), compare_extents);
	return true;
}

// A journal that cannot be found is no error: in the middle of mkfs there is none yet, and whoever opens a view at the end of the span is
// told by name what cannot be read. One that cannot be followed (fast commits) is.
static int locate(struct fs_cursor *c, struct error *err)
{
	struct error ignored;
	bool present = false;
	uint8_t *super;
	int result = 0;

	forget_journal(c);
	c->journals_seen++;
	c->seeks_journal = true;
	if (!read_identity(c, c->identity, &present, &ignored))
		return 0;
	if (!present) {
		c->seeks_journal = false;
		return 0;
	}
	if (journal_locate(read_home, c, &c->geometry, &present, &ignored) < 0 || !present || c->geometry.block_bytes != c->block_bytes ||
	    c->geometry.extents.count == 0 || !order_extents(c))
		return 0;
	super = malloc(c->block_bytes);
	if (!super)
		return error_set(err, "out of memory");
	if (fs_cursor_read_home(c, c->geometry.extents.items[0].fs_block * c->block_bytes, super, c->block_bytes, &ignored) == 0 &&
	    get_be32(super) == JOURNAL_MAGIC)
		result = begin_following(c, super, err);
	free(super);
	if (result == 0 && c->has_journal && !c->journal_empty && load_replay(c, &ignored) < 0)
		fs_cursor_overlay_clear(c); // a journal that the kernel would refuse: a view at that moment says so
	return result;
}

void fs_cursor_journal_release(struct fs_cursor *c)
{
	forget_journal(c);
}

// ---- feeding the follower

// Watched blocks that the new tail leaves without a copy.
static int gather_passed(struct fs_cursor *c, const uint8_t *super, struct error *err)
{
	bool empty = get_be32(super + 28) == 0;
	uint32_t tail = get_be32(super + 24);

	c->step.changes.count = 0;
	for (size_t i = 0; !c->watch_all && i < c->overlay.capacity; i++) {
		const struct fs_overlay_copy *copy = &c->overlay.slots[i];
		struct fs_change change = {.source = FS_FROM_HOME};
		uint64_t from = copy->fs_block * c->block_bytes;

		if (fs_cursor_copy_lives(c, copy) && (empty || fs_cursor_tid_before(copy->tid, tail)) &&
		    fs_cursor_clip(c, from, from + c->block_bytes, add_copy_piece, &change, err) < 0)
			return -1;
	}
	return 0;
}

// Journal block 0: the tail moves, or the journal was made anew at another size.
static int note_journal_super(struct fs_cursor *c, const uint8_t *super, struct error *err)
{
	if (get_be32(super) != JOURNAL_MAGIC)
		return 0;
	if (get_be32(super + 16) != c->geometry.maximum_length)
		return locate(c, err);
	bool moved = c->tail_tid != get_be32(super + 24) || c->journal_empty != (get_be32(super + 28) == 0);

	if (!moved || c->seq <= c->quiet_until) {
		take_tail(c, super);
		return 0;
	}
	if (gather_passed(c, super, err) < 0)
		return -1;
	take_tail(c, super);
	c->step.commit = false;
	c->step.tail_moved = true;
	c->step.unsure = c->unsure;
	c->unsure = false;
	int result = c->after(c->context, &c->step, err);

	c->ended = result > 0;
	return result < 0 ? -1 : 0;
}

static int feed_block(struct fs_cursor *c, uint64_t journal_block, const uint8_t *bytes, uint64_t seq, struct error *err)
{
	if (c->ended || !c->has_journal)
		return 0;
	if (journal_block == 0 && c->seq <= c->quiet_until)
		return 0; // the newest one was shown already
	if (journal_follow_block(c->follow, journal_block, bytes, seq, err) < 0)
		return -1;
	return journal_block == 0 ? note_journal_super(c, bytes, err) : 0;
}

struct fed { uint64_t seq, offset, length; bool zeros; const struct segment_row *row; }; // offset: of the written range, on the volume

// Tells of blocks from `at` on that were announced, without reading them; *ret_count of at most `most`.
static int pass_announced(struct fs_cursor *c, const struct fed *f, uint64_t journal_block, uint64_t most, uint64_t *ret_count, struct error *err)
{
	uint64_t count = 0;

	for (; !f->zeros && count < most && journal_follow_announced(c->follow, journal_block + count); count++) {
		if (journal_follow_unread(c->follow, journal_block + count, f->seq, err) < 0)
			return -1;
	}
	*ret_count = count;
	return 0;
}

// How many blocks from fs_block on, at most `most`, the record covers wholly.
static uint64_t whole_blocks(const struct fs_cursor *c, const struct fed *f, uint64_t fs_block, uint64_t most)
{
	uint64_t end = (f->offset + f->length) / c->block_bytes;

	if (fs_block * c->block_bytes < f->offset || end <= fs_block)
		return 0;
	return end - fs_block < most ? end - fs_block : most;
}

// Blocks from fs_block on as the record left them: *ret_count of at most `most`.
static int read_blocks(struct fs_cursor *c, const struct fed *f, uint64_t fs_block, uint64_t most, uint8_t *buffer, uint64_t *ret_count, struct error *err)
{
	uint64_t offset = fs_block * c->block_bytes, part = FEED_BYTES / c->block_bytes, whole = whole_blocks(c, f, fs_block, most);

	if (part == 0 || whole == 0 || c->reads_less) // this one may be a descriptor that announces the next ones
		part = 1;
	else if (part > whole)
		part = whole;
	*ret_count = part;
	if (whole == 0)
		return fs_cursor_read_written(c, f->seq, c->partition.start_bytes + offset, buffer, c->block_bytes, err);
	if (!f->zeros)
		return history_content(c->history, f->seq, c->partition.start_bytes + offset - f->row->offset_bytes, buffer, part * c->block_bytes, err);
	memset(buffer, 0, part * c->block_bytes);
	return 0;
}

// Blocks [first, first + count) of the file system hold journal blocks from journal_block on; the record covers part of them.
static int feed_run(struct fs_cursor *c, const struct fed *f, uint64_t first, uint64_t count, uint64_t journal_block, uint8_t *buffer, struct error *err)
{
	uint32_t size = c->block_bytes;
	unsigned journal = c->journals_seen;

	for (uint64_t done = 0; done < count && !c->ended;) {
		uint64_t passed, part = 1;

		if (pass_announced(c, f, journal_block + done, whole_blocks(c, f, first + done, count - done), &passed, err) < 0)
			return -1;
		done += passed;
		if (done == count || c->ended)
			break;
		if (read_blocks(c, f, first + done, count - done, buffer, &part, err) < 0)
			return -1;
		for (uint64_t i = 0; i < part; i++) {
			if (feed_block(c, journal_block + done + i, buffer + i * size, f->seq, err) < 0)
				return -1;
			if (c->journals_seen != journal)
				return 0; // block 0 showed that it is another journal now
		}
		done += part;
	}
	return 0;
}

static int feed_record(struct fs_cursor *c, const struct fed *f, struct error *err)
{
	uint64_t first = f->offset / c->block_bytes, end = (f->offset + f->length + c->block_bytes - 1) / c->block_bytes;
	uint8_t *buffer = NULL;
	unsigned journal = c->journals_seen;
	int result = 0;

	for (size_t i = 0; c->journals_seen == journal && i < c->by_block.count && result == 0; i++) {
		struct journal_extent e = c->by_block.items[i];
		uint64_t from = e.fs_block > first ? e.fs_block : first, to = e.fs_block + e.count < end ? e.fs_block + e.count : end;

		if (from >= to)
			continue;
		if (!buffer && !(buffer = malloc(FEED_BYTES > c->block_bytes ? FEED_BYTES : c->block_bytes)))
			return error_set(err, "out of memory");
		result = feed_run(c, f, from, to - from, e.journal_block + from - e.fs_block, buffer, err);
	}
	free(buffer);
	return result;
}

static int note_superblock(struct fs_cursor *c, uint64_t offset, uint64_t length, struct error *err)
{
	uint8_t identity[32];
	struct error ignored;
	bool promised;

	if (offset >= EXT_SUPERBLOCK_OFFSET + 1024 || offset + length <= EXT_SUPERBLOCK_OFFSET)
		return 0;
	if (c->seeks_journal || !read_identity(c, identity, &promised, &ignored) || memcmp(identity, c->identity, sizeof(identity)) != 0)
		return locate(c, err);
	return 0;
}

int fs_cursor_journal_note(struct fs_cursor *c, uint64_t seq, const struct segment_row *row, uint64_t offset, uint64_t length, struct error *err)
{
	struct fed f = {.seq = seq, .offset = offset, .length = length, .zeros = row->type != RECORD_WRITE, .row = row};

	if (row->type == RECORD_FLUSH) // mkfs ends with one
		return locate(c, err);
	if (note_superblock(c, offset, length, err) < 0)
		return -1;
	if (c->has_journal && feed_record(c, &f, err) < 0)
		return -1;
	return c->ended ? 1 : 0;
}

// ---- the beginning

struct warm_row { uint64_t seq; struct segment_row row; };
VECTOR_DEFINE(warm_rows, struct warm_row)
struct warm_up { struct fs_cursor *cursor; struct warm_rows rows; };

static int collect_row(void *context, uint64_t seq, const struct segment_row *row, struct error *err)
{
	struct warm_up *w = context;
	const struct fs_cursor *c = w->cursor;
	uint64_t start = c->partition.start_bytes;

	if (row->type != RECORD_WRITE || row->offset_bytes < start)
		return 0;
	for (size_t i = 0; i < c->by_block.count; i++) {
		const struct journal_extent *e = &c->by_block.items[i];
		uint64_t from = start + e->fs_block * c->block_bytes, to = from + e->count * c->block_bytes;

		if (row->offset_bytes < to && row->offset_bytes + row->length_bytes > from)
			return warm_rows_append(&w->rows, (struct warm_row){seq, *row}) < 0 ? error_set(err, "out of memory") : 0;
	}
	return 0;
}

// A transaction may have begun before the origin and commit behind it: the follower is shown what came shortly before.
static int warm_up(struct fs_cursor *c, struct error *err)
{
	struct warm_up w = {.cursor = c};
	uint64_t from = c->seq > WARM_UP_RECORDS ? c->seq - WARM_UP_RECORDS : 0, blocks = 0;
	int result = history_walk(c->history, from, c->seq, collect_row, &w, err);
	size_t first = w.rows.count;

	while (first > 0 && blocks < WARM_UP_BLOCKS)
		blocks += w.rows.items[--first].row.length_bytes / c->block_bytes + 1;
	for (size_t i = first; result == 0 && i < w.rows.count; i++) {
		const struct segment_row *row = &w.rows.items[i].row;
		struct fed f = {.seq = w.rows.items[i].seq, .offset = row->offset_bytes - c->partition.start_bytes, .length = row->length_bytes, .row = row};

		result = feed_record(c, &f, err);
	}
	warm_rows_release(&w.rows);
	return result;
}

int fs_cursor_journal_open(struct fs_cursor *c, struct error *err)
{
	c->quiet_until = c->seq;
	if (locate(c, err) < 0)
		return -1;
	c->unsure = false; // who looks at the cursor begins now
	return c->has_journal ? warm_up(c, err) : 0;
}
