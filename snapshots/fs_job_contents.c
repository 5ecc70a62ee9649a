// SPDX-License-Identifier: MIT
// Contents of many inodes at many moments: one cursor moves through the wishes, which come in the order of their seqs.
//
// For each wish: WISH; when it is there FILE, then of a regular file DATA and VERDICT; and WHOLE, whose sentence says why the content is not
// whole ("": it is). What cannot be read is told there, and the next wish follows.
//
// Nobody watches anything on the way, so the cursor reads no copies of the journal but those that contents are made of. Should that not do
// (fs_cursor_doubts), the wish that met it is answered again with a cursor that reads everything, and so are those that follow. What was
// sent already is not sent twice, but must come out the same.
#include "snapshots/fs_states.h"
#include "snapshots/fs_verdict.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "snapshots/crc32c.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NUMBERS_OF_WISH 4u
#define PIECE_BYTES (512u << 10)
#define PIECE_HEADER_BYTES 12u // u64 offset, u32 length
#define MAX_SEARCHES 500u      // our limit for content that may come in later: each may take some hundredths of a second
#define SUPERBLOCK_AT 1024u    // fs/ext4/ext4.h
#define SUPERBLOCK_BYTES 1024u
#define SENTENCE_BYTES 900u    // what the other side takes

struct walk {
	struct fs_job *job;
	struct fs_span span;     // opened where the file system was first met as it is now
	bool is_open;
	uint8_t superblock[SUPERBLOCK_BYTES]; // by which it was opened
	struct fs_map map;
	uint8_t *piece;          // PIECE_HEADER_BYTES + PIECE_BYTES
	bool reads_all;          // of the journal
	struct said { uint64_t frames; uint32_t sum; } said, before; // of the wish that is being answered; before: when it was answered first
	bool differs;            // the second time it is another answer
	unsigned searches;
	uint64_t told_encrypted; // inode of the last warning
};

// ---- the file system at a moment

static int ignore_step(void *context, const struct fs_step *step, struct error *err)
{
	(void)context;
	(void)step;
	(void)err;
	return 0;
}

// What says where inodes lie, and whose they are: another value means that the file system was made anew, or resized.
static bool same_geometry(const uint8_t *a, const uint8_t *b)
{
	static const struct { uint16_t at, length; } fields[] = {
		{0x00, 8},  // s_inodes_count, s_blocks_count_lo
		{0x18, 20}, // s_log_block_size .. s_inodes_per_group
		{0x38, 2},  // s_magic
		{0x58, 2},  // s_inode_size
		{0x60, 4},  // s_feature_incompat: 64bit moves the descriptors' fields; the bit of a journal to replay comes and goes
		{0x68, 16}, // s_uuid
	};

	for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
		uint32_t ignored = fields[i].at == 0x60 ? 0x4u : 0; // EXT4_FEATURE_INCOMPAT_RECOVER

		if (fields[i].length == 4 ? (get_le32(a + fields[i].at) | ignored) != (get_le32(b + fields[i].at) | ignored)
					  : memcmp(a + fields[i].at, b + fields[i].at, fields[i].length) != 0)
			return false;
	}
	return true;
}

static int read_superblock(struct walk *w, uint8_t *bytes, struct error *err)
{
	return fs_cursor_read(w->span.cursor, SUPERBLOCK_AT, bytes, SUPERBLOCK_BYTES, err);
}

static int close_span(struct walk *w, struct error *err)
{
	if (!w->is_open)
		return 0;
	int result = fs_span_warn(w->job, &w->span, err);

	fs_span_release(&w->span);
	w->is_open = false;
	return result;
}

static int open_span(struct walk *w, uint64_t seq, struct error *err)
{
	if (fs_moment_open(w->job, seq, true, &w->span.end, err) < 0)
		return -1;
	if (fs_cursor_open(w->job->history, &w->span.end.partition, fs_ext_block_bytes(w->span.end.fs), seq, &w->span.cursor, err) < 0) {
		fs_moment_release(&w->span.end);
		return -1;
	}
	w->is_open = true;
	if (!w->reads_all)
		fs_cursor_read_less(w->span.cursor);
	return read_superblock(w, w->superblock, err);
}

static bool has_doubts(const struct walk *w)
{
	return w->is_open && !w->reads_all && fs_cursor_doubts(w->span.cursor);
}

// Moves to seq. The file system is opened anew where it is not the one that was opened.
static int move_to(struct walk *w, uint64_t seq, struct error *err)
{
	uint8_t now[SUPERBLOCK_BYTES];

	if (w->is_open) {
		if (fs_cursor_walk(w->span.cursor, seq, ignore_step, ignore_step, NULL, err) < 0 || read_superblock(w, now, err) < 0)
			return -1;
		if (same_geometry(w->superblock, now))
			return 0;
		if (close_span(w, err) < 0)
			return -1;
	}
	return open_span(w, seq, err);
}

// ---- one file

static int say(struct walk *w, enum fsread_frame type, const void *bytes, size_t length, struct error *err)
{
	w->said.frames++;
	w->said.sum = crc32c_update(w->said.sum, bytes, length);
	if (w->said.frames > w->before.frames)
		return wire_send(w->job->out_fd, type, bytes, length, err);
	w->differs = w->said.frames == w->before.frames && w->said.sum != w->before.sum;
	return w->differs ? error_set(err, "provgraph-fsread: two readings differ") : 0;
}

static int say_payload(struct walk *w, enum fsread_frame type, const struct buffer *payload, struct error *err)
{
	return buffer_check(payload, err) < 0 ? -1 : say(w, type, payload->bytes, payload->length, err);
}

static int send_wish(struct walk *w, uint64_t wish, bool there, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};

	wire_put_u64(&payload, wish);
	wire_put_u64(&payload, there);
	return say_payload(w, FSREAD_FRAME_WISH, &payload, err);
}

static int send_whole(struct walk *w, const char *reason, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};
	size_t length = strlen(reason);

	wire_put_bytes(&payload, reason, length < SENTENCE_BYTES ? length : SENTENCE_BYTES);
	return say_payload(w, FSREAD_FRAME_WHOLE, &payload, err);
}

static int send_file(struct walk *w, const struct fs_file *file, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};

	fs_file_put(&payload, file);
	return say_payload(w, FSREAD_FRAME_FILE, &payload, err);
}

static int send_piece(struct walk *w, uint64_t offset, size_t length, struct error *err)
{
	put_le64(w->piece, offset);
	put_le32(w->piece + 8, (uint32_t)length);
	return say(w, FSREAD_FRAME_DATA, w->piece, PIECE_HEADER_BYTES + length, err);
}

// One stretch of the file, as the map has it.
static int send_stretch(struct walk *w, uint64_t offset, uint64_t length, bool *ret_pipe_broke, struct error *err)
{
	for (uint64_t done = 0; done < length;) {
		size_t step = length - done < PIECE_BYTES ? (size_t)(length - done) : PIECE_BYTES;

		if (fs_map_content(&w->map, fs_names_read, w->span.cursor, offset + done, w->piece + PIECE_HEADER_BYTES, step, err) < 0)
			return -1;
		if (send_piece(w, offset + done, step, err) < 0) {
			*ret_pipe_broke = true;
			return -1;
		}
		done += step;
	}
	return 0;
}

// The first `end` bytes; holes and preallocated blocks are left out.
static int send_content(struct walk *w, uint64_t end, bool *ret_pipe_broke, struct error *err)
{
	if (w->map.inline_bytes) {
		uint64_t length = end < w->map.inline_length ? end : w->map.inline_length;

		return send_stretch(w, 0, length, ret_pipe_broke, err);
	}
	for (size_t i = 0; i < w->map.runs.count; i++) {
		const struct fs_run *run = &w->map.runs.items[i];
		uint64_t left = run->file_offset < end ? end - run->file_offset : 0;

		if (!run->unwritten && send_stretch(w, run->file_offset, run->length < left ? run->length : left, ret_pipe_broke, err) < 0)
			return -1;
	}
	return 0;
}

// Only content that ends in NUL bytes or lies in preallocated blocks can be on its way: fs_verdict_content() finds all else to be on the
// disk, and opening the moment for it is what costs.
static int may_be_pending(struct walk *w, uint64_t size, bool *ret, struct error *err)
{
	uint8_t last = 0;

	*ret = false;
	if (size == 0)
		return 0;
	for (size_t i = 0; i < w->map.runs.count && !*ret; i++)
		*ret = w->map.runs.items[i].unwritten && w->map.runs.items[i].file_offset < size;
	if (fs_map_content(&w->map, fs_names_read, w->span.cursor, size - 1, &last, 1, err) < 0)
		return -1;
	*ret |= last == 0;
	return 0;
}

static int judge(struct walk *w, const struct fs_file *file, uint64_t seq, struct fs_verdict *ret, struct error *err)
{
	struct fs_moment m;
	bool pending, searched;

	*ret = (struct fs_verdict){.kind = FS_ON_DISK};
	if (may_be_pending(w, file->size_bytes, &pending, err) < 0)
		return -1;
	if (!pending)
		return 0;
	if (w->searches++ >= MAX_SEARCHES)
		return error_set(err, "more than %u contents end in NUL bytes: this one was not judged", MAX_SEARCHES);
	if (fs_moment_open(w->job, seq, true, &m, err) < 0)
		return -1;
	int result = fs_verdict_content(w->job, &m, file->inode, ret, &searched, err);

	fs_moment_release(&m);
	return result;
}

// No VERDICT: it could not be judged. That takes nothing from the content. 1: the cursor has doubts.
static int send_verdict(struct walk *w, const struct fs_file *file, uint64_t seq, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};
	struct fs_verdict verdict;
	struct error reason;
	char line[sizeof(reason.message) + 100];

	if (judge(w, file, seq, &verdict, &reason) == 0) {
		fs_verdict_put(&payload, &verdict);
		return say_payload(w, FSREAD_FRAME_VERDICT, &payload, err);
	}
	if (has_doubts(w))
		return 1;
	(void)snprintf(line, sizeof(line), "inode %" PRIu64 " at seq:%" PRIu64 ": whether its content is whole could not be judged: %s", file->inode, seq,
		       reason.message);
	return fs_job_warn(w->job, line, err);
}

static int warn_encrypted(struct walk *w, const struct fs_file *file, struct error *err)
{
	char line[128];

	if (!(file->flags & FS_FLAG_ENCRYPTED) || w->told_encrypted == file->inode)
		return 0;
	w->told_encrypted = file->inode;
	(void)snprintf(line, sizeof(line), "inode %" PRIu64 ": the guest encrypted it; its bytes are given as the disk has them", file->inode);
	return fs_job_warn(w->job, line, err);
}

static int read_target(struct walk *w, struct fs_file *file, struct error *err)
{
	uint64_t length = file->size_bytes < FS_PATH_BYTES ? file->size_bytes : FS_PATH_BYTES;

	file->target = calloc(1, (size_t)length + 1);
	if (!file->target)
		return error_set(err, "out of memory");
	if (fs_map_content(&w->map, fs_names_read, w->span.cursor, 0, file->target, (size_t)length, err) < 0)
		return -1;
	file->target_length = strlen(file->target); // a NUL ends it for the guest's kernel, too
	return 0;
}

// The inode at the cursor's moment. *ret_there false: free, deleted, or another generation.
static int load(struct walk *w, const uint64_t *wish, struct fs_inode *space, struct fs_file *ret, bool *ret_there, struct error *err)
{
	bool found;

	*ret_there = false;
	if (fs_inode_read(w->span.cursor, w->span.end.fs, wish[1], space, &found, err) < 0)
		return -1;
	if (!found || !fs_inode_lives(space->raw) || (wish[2] != UINT64_MAX && fs_inode_generation(space) != wish[2]))
		return 0;
	if (fs_ext_decode_inode(w->span.end.fs, wish[1], space->raw, space->length, ret, err) < 0 ||
	    fs_map_decode(space->raw, space->length, fs_cursor_block_bytes(w->span.cursor), fs_names_read, w->span.cursor, &w->map, err) < 0)
		return -1;
	*ret_there = true;
	return ret->kind == FS_SYMLINK ? read_target(w, ret, err) : 0;
}

static bool is_damaged(const struct fs_map *map, const struct fs_file *file)
{
	return map->damaged || (map->inline_bytes && file->size_bytes > map->inline_length);
}

// DATA, VERDICT, WHOLE. 1: the cursor has doubts.
static int answer_content(struct walk *w, const uint64_t *wish, const struct fs_file *file, struct error *err)
{
	uint64_t end = wish[3] > 0 && wish[3] < file->size_bytes ? wish[3] : file->size_bytes;
	struct error reason = {""};
	bool pipe_broke = false;

	if (file->kind != FS_REGULAR)
		return send_whole(w, "", err);
	if (warn_encrypted(w, file, err) < 0)
		return -1;
	if (send_content(w, end, &pipe_broke, &reason) < 0 && pipe_broke)
		return error_set(err, "%s", reason.message);
	if (has_doubts(w))
		return 1;
	if (reason.message[0] == '\0' && is_damaged(&w->map, file))
		(void)error_set(&reason, "inode %" PRIu64 " is damaged: where its content lies is not told in full", file->inode);
	int result = reason.message[0] == '\0' ? send_verdict(w, file, wish[0], err) : 0;

	if (result != 0)
		return result;
	return send_whole(w, reason.message, err);
}

static void give_up_span(struct walk *w)
{
	if (w->is_open)
		fs_span_release(&w->span);
	w->is_open = false;
}

// 1: the cursor has doubts.
static int try_wish(struct walk *w, uint64_t number, const uint64_t *wish, struct fs_inode *space, struct error *err)
{
	struct fs_file file = {0};
	struct error reason = {""};
	bool there = false, moved = move_to(w, wish[0], &reason) == 0;
	int result = moved ? load(w, wish, space, &file, &there, &reason) : -1;

	if (has_doubts(w)) {
		result = 1;
	} else if (result < 0) { // a disk that cannot be read then: the next moment may be a better one
		if (!moved)
			give_up_span(w);
		result = send_wish(w, number, false, err) < 0 ? -1 : send_whole(w, reason.message, err);
	} else {
		result = send_wish(w, number, there, err);
		if (result == 0 && there)
			result = send_file(w, &file, err) < 0 ? -1 : answer_content(w, wish, &file, err);
		else if (result == 0)
			result = send_whole(w, "", err);
	}
	fs_file_release(&file);
	return result;
}

static int answer_wish(struct walk *w, uint64_t number, const uint64_t *wish, struct fs_inode *space, struct error *err)
{
	w->said = w->before = (struct said){0};
	int result = try_wish(w, number, wish, space, err);

	if (result <= 0)
		return result;
	give_up_span(w);
	w->reads_all = true;
	w->before = w->said;
	w->said = (struct said){0};
	result = try_wish(w, number, wish, space, err);
	if (w->before.frames == 0 || (!w->differs && w->said.frames > w->before.frames))
		return result;
	// Half of it is sent, and is not so: no kernel wrote such a journal.
	w->differs = false;
	w->before.frames = 0;
	return send_whole(w, "the journal's copies are not what their descriptors say: the content cannot be told", err);
}

static int check_question(struct fs_job *job, struct error *err)
{
	const struct fsread_question *q = job->question;
	struct history_facts facts;

	if (history_facts(job->history, &facts, err) < 0)
		return -1;
	if (q->list_count == 0 || q->list_count % NUMBERS_OF_WISH != 0)
		return error_set(err, "provgraph-fsread: a wish has %u numbers, and %zu came", NUMBERS_OF_WISH, q->list_count);
	for (size_t i = 0; i < q->list_count; i += NUMBERS_OF_WISH) {
		if (q->list[i] > facts.last_seq)
			return error_set(err, "%s: has no seq:%" PRIu64 "; it ends with seq:%" PRIu64, q->history, q->list[i], facts.last_seq);
		if (i > 0 && q->list[i] < q->list[i - NUMBERS_OF_WISH])
			return error_set(err, "provgraph-fsread: the wishes are not in the order of time");
	}
	return 0;
}

int fs_job_contents(struct fs_job *job, struct error *err)
{
	const struct fsread_question *q = job->question;
	struct walk w = {.job = job};
	struct fs_inode *space AUTO_FREE = malloc(sizeof(*space));
	uint8_t *piece AUTO_FREE = malloc(PIECE_HEADER_BYTES + PIECE_BYTES);
	int result = space && piece ? check_question(job, err) : error_set(err, "out of memory");

	w.piece = piece;
	for (size_t i = 0; result == 0 && i < q->list_count; i += NUMBERS_OF_WISH)
		result = answer_wish(&w, i / NUMBERS_OF_WISH, q->list + i, space, err);
	if (result == 0)
		result = close_span(&w, err);
	else
		give_up_span(&w);
	fs_map_release(&w.map);
	return result;
}
