// SPDX-License-Identifier: MIT
// The states of many inodes: one walk, each inode's states together, in the order asked.
#include "snapshots/fs_states.h"
#include "snapshots/fs_tracks.h"

#include "base/memory.h"

#include <inttypes.h>

#define CUT_NAMED 4u // in one warning

static int warn_cut(struct fs_job *job, const struct fs_tracks *t, struct error *err)
{
	struct buffer line AUTO_RELEASE_BUFFER = {0};
	size_t named = 0;

	buffer_add_string(&line, "more states than are told at once, or a content in more pieces than are looked at: states are missing of inode");
	for (size_t i = 0; i < t->count && named < CUT_NAMED; i++) {
		const struct timeline_states *states = &t->items[i].states;

		if (t->items[i].too_many)
			buffer_printf(&line, "%s %" PRIu64 " behind seq:%" PRIu64, named++ > 0 ? "," : "", job->question->list[i],
				      states->count > 0 ? states->items[states->count - 1].seq : job->question->from_seq);
	}
	if (t->cut > named)
		buffer_printf(&line, " and %zu others", t->cut - named);
	buffer_add_string(&line, "; ask for a shorter span");
	return buffer_check(&line, err) < 0 ? -1 : fs_job_warn(job, buffer_string(&line), err);
}

static int follow(struct fs_job *job, struct fs_span *span, struct fs_tracks *t, struct error *err)
{
	const struct fsread_question *q = job->question;

	if (fs_tracks_init(t, span->cursor, span->end.fs, q->list, q->list_count, err) < 0 || fs_tracks_run(t, q->to_seq, err) < 0 ||
	    fs_tracks_settle(t, q->to_seq, fs_span_patience(job->history, q->to_seq), err) < 0)
		return -1;
	if (t->cut > 0 && warn_cut(job, t, err) < 0)
		return -1;
	return fs_span_warn(job, span, err);
}

// One walk; false in *ret_sure: what it did not read of the journal may matter, and all of it has to be read.
static int answer(struct fs_job *job, bool read_less, bool *ret_sure, struct error *err)
{
	struct fs_span span;
	struct fs_tracks tracks = {0};
	int result;

	if (fs_span_open(job, job->question->from_seq, job->question->to_seq, &span, err) < 0)
		return -1;
	if (read_less)
		fs_cursor_read_less(span.cursor);
	result = follow(job, &span, &tracks, err);
	*ret_sure = !fs_cursor_doubts(span.cursor);
	for (size_t i = 0; result == 0 && *ret_sure && i < tracks.count; i++)
		result = fs_job_send_states(job, &tracks.items[i].states, err);
	fs_tracks_release(&tracks);
	fs_span_release(&span);
	return result;
}

int fs_job_inodes(struct fs_job *job, struct error *err)
{
	bool sure = true;

	if (job->question->list_count > TIMELINE_MAX_INODES)
		return error_set(err, "provgraph-fsread: was asked for %zu inodes at once, %u are the most", job->question->list_count, TIMELINE_MAX_INODES);
	if (answer(job, true, &sure, err) == 0 && sure)
		return 0;
	return sure ? -1 : answer(job, false, &sure, err);
}
