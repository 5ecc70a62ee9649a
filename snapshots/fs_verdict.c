// SPDX-License-Identifier: MIT
#include "snapshots/fs_verdict.h"

#include "base/nanotime.h"
#include "snapshots/fs_guest_offset.h"
#include "snapshots/fs_states.h"

#include <inttypes.h>
#include <stdlib.h>

#define TAIL_BYTES ((size_t)64 << 10)
#define BEFORE_CTIME_NS (2 * NANOTIME_SECOND)  /* how far a guest's clock may run behind the host's and still tell where to look */
#define BEHIND_CTIME_NS (60 * NANOTIME_SECOND) /* a change of an inode is committed within 5 s; a loaded guest takes longer */
#define LOOKED_AT_RECORDS 300000u              /* our limit for finding an arrival: about 0.1 s */
#define MISSED_RECORDS (UINT64_C(1) << 24)     /* our limit for finding a name that is not there, either way: some seconds */
#define MISSED_FIRST_RECORDS 4096u             /* looked through first */
#define MISSED_FACTOR 16u                      /* then so many times as many */
#define WRITTEN_BEFORE_NS (10 * (int64_t)NANOTIME_MILLISECOND) /* a block this much older than the file's last change does not hold it */
#define WRITTEN_BEFORE_KNOWN_NS (100 * (int64_t)NANOTIME_MILLISECOND) /* the guest's clock is known by commits, which are late by a write */
#define MAX_TIME_NS (UINT64_C(1) << 62)        /* a later one is none, and differences fit */

struct tail { // the end of a file at the moment
	uint64_t nul_bytes;    // NUL bytes at its end, at most TAIL_BYTES
	bool unwritten;        // some of it lies in preallocated blocks
	bool mapped;           // its last byte lies in a block
	uint64_t last_offset;  // of that byte, on the volume
};

struct tail_of { struct tail *tail; uint64_t size; };

static int note_run(void *context, const struct fs_run *run, struct error *err)
{
	struct tail_of *c = context;
	uint64_t last = c->size - 1;

	(void)err;
	if (run->file_offset >= c->size)
		return 0;
	c->tail->unwritten |= run->unwritten;
	if (last >= run->file_offset && last - run->file_offset < run->length && !run->unwritten) {
		c->tail->mapped = true;
		c->tail->last_offset = run->volume_offset + (last - run->file_offset);
	}
	return 0;
}

static int look_at_tail(struct fs_moment *m, uint64_t inode, uint64_t size, struct tail *ret, struct error *err)
{
	struct tail_of context = {ret, size};
	size_t length = size < TAIL_BYTES ? (size_t)size : TAIL_BYTES, got = 0;
	uint8_t *bytes;
	int result;

	*ret = (struct tail){0};
	if (size == 0)
		return 0;
	bytes = malloc(length);
	if (!bytes)
		return error_set(err, "out of memory");
	result = fs_ext_read(m->fs, inode, size - length, bytes, length, &got, err);
	for (size_t i = got; result == 0 && i > 0 && bytes[i - 1] == 0; i--)
		ret->nul_bytes++;
	free(bytes);
	return result < 0 ? -1 : fs_ext_runs(m->fs, inode, note_run, &context, err);
}

// ---- forward: does content come in?

static int look_forward(struct fs_job *job, struct fs_moment *m, const struct fs_file *file, struct fs_verdict *v, struct error *err)
{
	uint64_t seq = disk_at_seq(m->disk);
	struct fs_cursor *cursor;
	struct fs_track track = {0};
	int result;

	if (fs_cursor_open(job->history, &m->partition, fs_ext_block_bytes(m->fs), seq, &cursor, err) < 0)
		return -1;
	result = fs_track_init(&track, cursor, m->fs, NULL, 0, file->inode, err);
	track.stop_inode_change_seq = seq;
	if (result == 0)
		result = fs_track_run(&track, fs_span_patience(job->history, seq), err);
	if (result == 0 && track.states.count > 0 && track.states.items[0].pending_bytes > 0) {
		v->kind = FS_PENDING;
		v->pending_bytes = track.states.items[0].pending_bytes;
		v->pending_from = track.extras.items[0].pending_from;
		v->complete_seq = track.extras.items[0].complete_seq;
		v->complete_ns = track.extras.items[0].complete_ns;
	}
	fs_track_release(&track);
	fs_cursor_free(cursor);
	return result;
}

// NUL bytes at the end that nothing fills in later: was their block written at all since the file was last changed? (The guest crashed, or the
// recording ends before.) Preallocated blocks are no sign: zeros are what they mean.
static int judge_never_came(struct fs_job *job, struct fs_moment *m, const struct fs_file *file, const struct tail *tail, struct fs_verdict *v,
			    struct error *err)
{
	struct disk_piece piece;
	uint64_t written_ns;
	int64_t offset_ns = 0;
	bool known;

	if (tail->nul_bytes == 0 || !tail->mapped || file->mtime_ns >= MAX_TIME_NS)
		return 0;
	if (volume_resolve(m->volume, tail->last_offset, 1, &piece, err) < 0)
		return -1;
	if (piece.seq == 0 || piece.zero)
		return 0;
	if (history_time_of(job->history, piece.seq, &written_ns, err) < 0)
		return -1;
	if (written_ns >= MAX_TIME_NS)
		return 0;
	// The inode's time is the guest's.
	if (fs_guest_offset(job, m, file->mtime_ns, &offset_ns, &known, err) < 0)
		return -1;
	if ((int64_t)written_ns + (known ? WRITTEN_BEFORE_KNOWN_NS : WRITTEN_BEFORE_NS) >= (int64_t)file->mtime_ns + offset_ns)
		return 0;
	v->kind = FS_PENDING;
	v->pending_bytes = tail->nul_bytes;
	v->pending_from = file->size_bytes - tail->nul_bytes;
	return 0;
}

// ---- backward: when did this state arrive?

static bool is_state(const struct timeline_state *s, const struct fs_file *file)
{
	return s->size_bytes == file->size_bytes && s->mtime_ns == file->mtime_ns && s->ctime_ns == file->ctime_ns && s->generation == file->generation;
}

// The file's ctime by the host's clock. Where the disk does not tell the guest's, both are taken to be alike.
static int changed_on_host(struct fs_job *job, struct fs_moment *m, const struct fs_file *file, uint64_t *ret_ns, struct error *err)
{
	int64_t offset_ns = 0;
	bool known = false;

	*ret_ns = NANOTIME_NONE;
	if (file->ctime_ns == NANOTIME_NONE)
		return 0;
	if (fs_guest_offset(job, m, file->ctime_ns, &offset_ns, &known, err) < 0)
		return -1;
	if (!known)
		offset_ns = 0;
	if (offset_ns < 0 ? file->ctime_ns > (uint64_t)-offset_ns : file->ctime_ns < (uint64_t)INT64_MAX)
		*ret_ns = file->ctime_ns + (uint64_t)offset_ns;
	return 0;
}

// The file's ctime says where to look.
static int find_arrival(struct fs_job *job, struct fs_moment *m, const struct fs_file *file, struct fs_verdict *v, struct error *err)
{
	uint64_t seq = disk_at_seq(m->disk), changed_ns, from, to;
	struct fs_cursor *cursor;
	struct fs_track track = {0};
	struct error ignored;

	if (changed_on_host(job, m, file, &changed_ns, err) < 0)
		return -1;
	if (changed_ns == NANOTIME_NONE || changed_ns < BEFORE_CTIME_NS || changed_ns > NANOTIME_NONE - BEHIND_CTIME_NS ||
	    history_moment(job->history, changed_ns - BEFORE_CTIME_NS, &from, &ignored) < 0 ||
	    history_moment(job->history, changed_ns + BEHIND_CTIME_NS, &to, &ignored) < 0)
		return 0;
	to = to < seq ? to : seq;
	if (from >= to || to - from > LOOKED_AT_RECORDS)
		return 0;
	if (fs_cursor_open(job->history, &m->partition, fs_ext_block_bytes(m->fs), from, &cursor, err) < 0)
		return -1;
	int result = fs_track_init(&track, cursor, m->fs, NULL, 0, file->inode, err);

	if (result == 0)
		result = fs_track_run(&track, to, err);
	// The state in force at the beginning of the window is older than it: its arrival stays unknown.
	for (size_t i = 0; result == 0 && i < track.states.count && v->arrival_seq == 0; i++) {
		const struct timeline_state *s = &track.states.items[i];

		if (!is_state(s, file))
			continue;
		if (s->change == 0)
			break;
		v->arrival_seq = s->seq;
		v->arrival_ns = s->arrival_ns;
	}
	fs_track_release(&track);
	fs_cursor_free(cursor);
	return result;
}

// ---- a name that is not there

static int too_long(struct error *err)
{
	return error_set(err, "the history has more records than are looked through for a name (%" PRIu64 " before and behind the moment)", MISSED_RECORDS);
}

// The states of what was asked for in (from, to], and before them the one at `from`; with `first` no more than one behind it.
static int track_missing(struct fs_job *job, struct fs_moment *m, uint64_t from, uint64_t to, bool first, struct fs_track *ret, struct error *err)
{
	const struct fsread_question *q = job->question;
	struct fs_cursor *cursor;

	*ret = (struct fs_track){0};
	if (fs_cursor_open(job->history, &m->partition, fs_ext_block_bytes(m->fs), from, &cursor, err) < 0)
		return -1;
	int result = fs_track_init(ret, cursor, m->fs, q->path, q->path_length, q->inode, err);

	ret->stop_inode_change_seq = first ? from : 0;
	if (result == 0)
		result = fs_track_run(ret, to, err);
	fs_cursor_free(cursor);
	return result;
}

// When it was last there: the search goes further back in growing steps, because most names are asked for soon after they went.
static int find_last(struct fs_job *job, struct fs_moment *m, uint64_t seq, struct fs_verdict *v, struct error *err)
{
	bool found = false;

	for (uint64_t records = MISSED_FIRST_RECORDS; !found; records *= MISSED_FACTOR) {
		uint64_t from = seq > records ? seq - records : 0;
		struct fs_track track;
		int result = track_missing(job, m, from, seq, false, &track, err);

		found = result == 0 && track.states.count > 0;
		if (found && (track.states.items[track.states.count - 1].change & TIMELINE_DELETED)) {
			const struct timeline_state *s = &track.states.items[track.states.count - 1];

			v->kind = FS_GONE;
			v->complete_seq = s->seq - 1;
			v->arrival_seq = s->seq;
			v->arrival_ns = s->arrival_ns;
			result = history_time_of(job->history, v->complete_seq, &v->complete_ns, err);
		}
		fs_track_release(&track);
		if (result < 0)
			return -1;
		if (from == 0)
			return 0;
		if (!found && records >= MISSED_RECORDS)
			return too_long(err);
	}
	return 0;
}

// When it is first there again. *ret_made: its inode says that the guest had made it before the moment.
static int find_next(struct fs_job *job, struct fs_moment *m, uint64_t seq, struct fs_verdict *v, bool *ret_made, struct error *err)
{
	uint64_t asked_ns = job->question->time_ns, time_ns;
	struct history_facts facts;
	struct fs_track track;

	*ret_made = false;
	if (history_facts(job->history, &facts, err) < 0 || history_time_of(job->history, seq, &time_ns, err) < 0)
		return -1;
	bool whole = facts.last_seq - seq <= MISSED_RECORDS;
	int result = track_missing(job, m, seq, whole ? facts.last_seq : seq + MISSED_RECORDS, true, &track, err);

	if (result == 0 && track.states.count > 0) {
		const struct timeline_state *s = &track.states.items[0];

		if (time_ns == NANOTIME_NONE || asked_ns > time_ns)
			time_ns = asked_ns;
		v->kind = FS_UNBORN;
		v->complete_seq = s->seq;
		v->complete_ns = s->arrival_ns;
		*ret_made = s->crtime_ns != NANOTIME_NONE && s->crtime_ns <= time_ns;
	} else if (result == 0 && !whole) {
		result = too_long(err);
	}
	fs_track_release(&track);
	return result;
}

static int judge_absent(struct fs_job *job, struct fs_moment *m, struct fs_verdict *v, struct error *err)
{
	struct fs_verdict next = {.kind = FS_NEVER};
	struct error too_far;
	uint64_t seq = disk_at_seq(m->disk);
	bool made;
	int result = find_next(job, m, seq, &next, &made, &too_far);

	if (result == 0 && made) {
		*v = next;
		v->kind = FS_NOT_YET;
		return 0;
	}
	if (find_last(job, m, seq, v, err) < 0)
		return -1;
	if (v->kind == FS_GONE)
		return 0;
	if (result < 0)
		return error_set(err, "%s", too_far.message);
	*v = next;
	return 0;
}

// ----

static int judge_content(struct fs_job *job, struct fs_moment *m, const struct fs_file *file, struct fs_verdict *v, bool *ret_searched,
			 struct error *err)
{
	struct tail tail = {0};

	v->kind = FS_ON_DISK;
	*ret_searched = false;
	if (file->kind != FS_REGULAR)
		return 0;
	if (look_at_tail(m, file->inode, file->size_bytes, &tail, err) < 0)
		return -1;
	if (tail.nul_bytes == 0 && !tail.unwritten)
		return 0;
	*ret_searched = true;
	if (look_forward(job, m, file, v, err) < 0)
		return -1;
	return v->kind == FS_PENDING ? 0 : judge_never_came(job, m, file, &tail, v, err);
}

static int judge_present(struct fs_job *job, struct fs_moment *m, const struct fs_file *file, struct fs_verdict *v, struct error *err)
{
	bool searched;

	if (find_arrival(job, m, file, v, err) < 0)
		return -1;
	return judge_content(job, m, file, v, &searched, err);
}

int fs_verdict_content(struct fs_job *job, struct fs_moment *m, uint64_t inode, struct fs_verdict *ret, bool *ret_searched, struct error *err)
{
	struct fs_verdict v = {0};
	struct fs_file file = {0};

	if (fs_ext_stat(m->fs, inode, &file, err) < 0)
		return -1;
	int result = judge_content(job, m, &file, &v, ret_searched, err);

	fs_file_release(&file);
	if (result == 0)
		*ret = v;
	return result;
}

int fs_verdict_judge(struct fs_job *job, struct fs_moment *m, uint64_t inode, struct fs_verdict *ret, struct error *err)
{
	struct fs_verdict v = {0};
	struct fs_file file = {0};
	int result;

	if (inode == 0) {
		result = judge_absent(job, m, &v, err);
	} else {
		if (fs_ext_stat(m->fs, inode, &file, err) < 0)
			return -1;
		result = judge_present(job, m, &file, &v, err);
		fs_file_release(&file);
	}
	if (result == 0)
		*ret = v;
	return result;
}
