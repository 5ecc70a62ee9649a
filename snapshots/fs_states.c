// SPDX-License-Identifier: MIT
#include "snapshots/fs_states.h"

#include "base/fileio.h"
#include "base/nanotime.h"
#include "base/text.h"
#include "snapshots/timeline_wire.h"

#include <inttypes.h>
#include <stdio.h>

#define SEND_BYTES ((size_t)64 << 10) /* of states that are sent together: one by one, sending them is a tenth of the work */
#define UNKNOWN_CLOCK_RECORDS 65536u /* looked at behind the span where the clock was stepped and no time can be told */

int fs_span_open(struct fs_job *job, uint64_t from_seq, uint64_t to_seq, struct fs_span *ret, struct error *err)
{
	struct error reason;

	*ret = (struct fs_span){0};
	if (fs_moment_open(job, to_seq, true, &ret->end, &reason) < 0) {
		if (!job->unreadable)
			return error_set(err, "%s", reason.message);
		// Whoever covers tracks wipes disks: what was there before is still in the history.
		return error_set(err, "%s (at seq:%" PRIu64 ", the end of the span: what was there before can be read in a span that ends earlier)", reason.message, to_seq);
	}
	if (fs_cursor_open(job->history, &ret->end.partition, fs_ext_block_bytes(ret->end.fs), from_seq, &ret->cursor, err) < 0) {
		fs_moment_release(&ret->end);
		return -1;
	}
	return 0;
}

int fs_span_warn(struct fs_job *job, const struct fs_span *s, struct error *err)
{
	uint64_t damaged = fs_cursor_damaged_copies(s->cursor);
	char line[160];

	if (damaged == 0)
		return 0;
	(void)snprintf(line, sizeof(line), "%" PRIu64 " blocks of commits in the journal are damaged and were left out: states may be missing", damaged);
	return fs_job_warn(job, line, err);
}

void fs_span_release(struct fs_span *s)
{
	fs_cursor_free(s->cursor);
	fs_moment_release(&s->end);
	s->cursor = NULL;
}

uint64_t fs_span_patience(struct history *h, uint64_t seq)
{
	struct history_facts facts;
	struct error ignored;
	uint64_t time_ns, last = seq;

	if (history_facts(h, &facts, &ignored) < 0)
		return seq;
	if (history_time_of(h, seq, &time_ns, &ignored) < 0 || time_ns == NANOTIME_NONE ||
	    history_moment(h, time_ns + FS_TRACK_PATIENCE_NS, &last, &ignored) < 0 || last < seq)
		last = seq + UNKNOWN_CLOCK_RECORDS;
	return last < facts.last_seq ? last : facts.last_seq;
}

void fs_span_name(const struct fsread_question *q, struct buffer *out)
{
	if (q->path)
		text_visible(out, q->path, q->path_length);
	else
		buffer_printf(out, "inode %" PRIu64, q->inode);
}

int fs_span_track(struct fs_job *job, struct fs_span *span, struct fs_track *ret, struct error *err)
{
	const struct fsread_question *q = job->question;
	bool pending = false;

	if (fs_track_init(ret, span->cursor, span->end.fs, q->path, q->path_length, q->inode, err) < 0 ||
	    fs_track_run(ret, q->to_seq, err) < 0 || fs_track_may_be_pending(ret, &pending, err) < 0)
		return -1;
	if (ret->too_many)
		return fs_job_warn(job, "the file has more states than are told at once (500,000), or more pieces than are looked at: ask for a shorter span", err);
	if (pending) {
		ret->stop_inode_change_seq = q->to_seq;
		if (fs_track_run(ret, fs_span_patience(job->history, q->to_seq), err) < 0)
			return -1;
	}
	fs_track_cut(ret, q->to_seq);
	return fs_span_warn(job, span, err);
}

int fs_job_send_states(struct fs_job *job, const struct timeline_states *states, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0}, frames AUTO_RELEASE_BUFFER = {0};

	for (size_t i = 0; i < states->count; i++) {
		buffer_clear(&payload);
		timeline_put_state(&payload, &states->items[i]);
		wire_put_frame(&frames, FSREAD_FRAME_STATE, &payload);
		if (buffer_check(&payload, err) < 0 || buffer_check(&frames, err) < 0)
			return -1;
		if (frames.length < SEND_BYTES && i + 1 < states->count)
			continue;
		if (fileio_write_fd(job->out_fd, frames.bytes, frames.length, "the other process", err) < 0)
			return -1;
		buffer_clear(&frames);
	}
	return 0;
}

int fs_job_states(struct fs_job *job, struct error *err)
{
	struct fs_span span;
	struct fs_track track = {0};
	int result;

	if (fs_span_open(job, job->question->from_seq, job->question->to_seq, &span, err) < 0)
		return -1;
	result = fs_span_track(job, &span, &track, err);
	if (result == 0 && track.states.count == 0) {
		struct buffer name AUTO_RELEASE_BUFFER = {0};

		fs_span_name(job->question, &name);
		job->failure = FSREAD_NO_SUCH_FILE;
		result = error_set(err, "%s: was never there in this span of the history", buffer_string(&name));
	}
	if (result == 0)
		result = fs_job_send_states(job, &track.states, err);
	fs_track_release(&track);
	fs_span_release(&span);
	return result;
}
