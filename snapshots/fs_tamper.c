// SPDX-License-Identifier: MIT
// An append-only file changed anywhere but at its end.
//
// The states tell where to look; only the moments around a bad one are read. NUL bytes that fill in later are data on its way, not a
// change. A name that goes to another inode while the old one lives on was rotated; a copy with other lines in its place was not.
#include "snapshots/fs_lines.h"
#include "snapshots/fs_states.h"
#include "snapshots/timeline_wire.h"

#include <stdlib.h>

#define BAD (TIMELINE_CUT | TIMELINE_REWRITTEN | TIMELINE_REPLACED | TIMELINE_DELETED)
#define ONE_ACT_NS (2 * UINT64_C(1000000000)) /* writes of one act: a file that is emptied and filled again, many blocks rewritten */
#define DETAILED_FINDINGS 200u /* the lines of further ones are not looked for: each costs two views */
#define KIND_BITS 0xF000u      /* S_IFMT and S_IFREG as Linux stores them */
#define REGULAR_BITS 0x8000u
#define HEAD_BYTES 256u        /* what tells a doctored copy from a fresh log */

struct tamper {
	struct fs_job *job;
	const struct fs_track *track;
	uint64_t told;
};

// ---- the content of a file at a moment

struct content { struct fs_moment moment; uint64_t inode; };

static int read_content(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	struct content *c = context;
	uint8_t *at = bytes;

	while (length > 0) {
		size_t got = 0;

		if (fs_ext_read(c->moment.fs, c->inode, offset, at, length, &got, err) < 0)
			return -1;
		if (got == 0) { // shorter than its inode says
			memset(at, 0, length);
			return 0;
		}
		at += got;
		offset += got;
		length -= got;
	}
	return 0;
}

static int open_content(struct fs_job *job, uint64_t seq, uint64_t inode, struct content *ret, struct fs_text *ret_text, struct error *err)
{
	struct fs_file file = {0};

	*ret = (struct content){.inode = inode};
	*ret_text = (struct fs_text){.read = read_content, .context = ret};
	if (fs_moment_open(job, seq, true, &ret->moment, err) < 0)
		return -1;
	if (inode == 0)
		return 0;
	if (fs_ext_stat(ret->moment.fs, inode, &file, err) < 0) {
		fs_moment_release(&ret->moment);
		return -1;
	}
	ret_text->size = file.size_bytes;
	fs_file_release(&file);
	return 0;
}

// ---- one finding

// Which states belong to the act that state `first` begins: the last of them.
static size_t end_of_act(const struct fs_track *t, size_t first)
{
	const struct timeline_state *s = t->states.items;
	size_t last = first;
	bool emptied = (s[first].change & TIMELINE_CUT) && s[first].size_bytes == 0;

	if (s[first].change & (TIMELINE_REPLACED | TIMELINE_DELETED))
		return first;
	while (last + 1 < t->states.count && s[last + 1].arrival_ns < s[last].arrival_ns + ONE_ACT_NS) {
		unsigned next = s[last + 1].change;

		if (next & (TIMELINE_REPLACED | TIMELINE_DELETED | TIMELINE_APPEARED))
			break;
		// Cutting within a block writes the block with zeros behind the new end before the size is committed.
		bool cuts = (next & TIMELINE_CUT) && s[last].changed_from >= s[last + 1].size_bytes;

		if (!emptied && !cuts && !(next & TIMELINE_REWRITTEN) && next != TIMELINE_METADATA)
			break;
		last++;
	}
	return last;
}

static uint64_t content_seq(const struct fs_track *t, size_t i) // when the state's content was all there
{
	return t->states.items[i].pending_bytes > 0 ? t->extras.items[i].complete_seq : t->states.items[i].seq;
}

static int send_finding(struct tamper *t, const struct timeline_finding *f, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};

	t->told++;
	timeline_put_finding(&payload, f);
	return buffer_check(&payload, err) < 0 ? -1 : fs_job_send(t->job, FSREAD_FRAME_FINDING, &payload, err);
}

static bool same_beginning(const struct fs_text *a, const struct fs_text *b, bool *ret, struct error *err)
{
	uint8_t x[HEAD_BYTES], y[HEAD_BYTES];
	uint64_t length = a->size < b->size ? a->size : b->size;

	length = length < HEAD_BYTES ? length : HEAD_BYTES;
	*ret = false;
	if (length == 0)
		return true;
	if (a->read(a->context, 0, x, (size_t)length, err) < 0 || b->read(b->context, 0, y, (size_t)length, err) < 0)
		return false;
	*ret = memcmp(x, y, (size_t)length) == 0;
	return true;
}

// Compares what the name held right before state `first` with what it holds once the act is over. *ret_bad false: it only grew, or it was a
// rotation.
static int compare_act(struct tamper *t, size_t last, uint64_t equal_until, struct timeline_finding *f, bool *ret_bad, struct error *err)
{
	struct content old, new;
	struct fs_text before, after;
	struct fs_lines lines = {0};
	bool copied = false;
	int result = -1;

	*ret_bad = true;
	if (open_content(t->job, f->before_seq, f->inode_before, &old, &before, err) < 0)
		return -1;
	if (open_content(t->job, content_seq(t->track, last), f->inode_after, &new, &after, err) < 0) {
		fs_moment_release(&old.moment);
		return -1;
	}
	if ((f->change & TIMELINE_RENAMED) && !same_beginning(&before, &after, &copied, err))
		goto out;
	if ((f->change & TIMELINE_RENAMED) && !copied) {
		*ret_bad = false; // a fresh file: rotation
		result = 0;
		goto out;
	}
	result = fs_lines_compare(&before, &after, equal_until, TIMELINE_LINE_BYTES, &lines, err);
	if (result < 0)
		goto out;
	*ret_bad = lines.differ;
	f->offset = lines.offset;
	f->line = lines.line;
	f->lines_removed = lines.removed;
	f->lines_added = lines.added;
	f->before = lines.before;
	f->before_length = lines.before_length;
	f->after = lines.after;
	f->after_length = lines.after_length;
out:
	fs_moment_release(&old.moment);
	fs_moment_release(&new.moment);
	return result;
}

// One act, and whether it is told.
static int judge_act(struct tamper *t, size_t first, size_t last, struct error *err)
{
	const struct timeline_state *s = &t->track->states.items[first];
	const struct fs_track_extra *e = &t->track->extras.items[first];
	struct timeline_finding f = {.before_seq = s->seq - 1, .seq = s->seq, .arrival_ns = s->arrival_ns, .inode_before = s->inode, .inode_after = s->inode};
	bool bad = true;

	for (size_t i = first; i <= last; i++)
		f.change |= t->track->states.items[i].change & (BAD | TIMELINE_RENAMED);
	f.offset = f.change & (TIMELINE_REPLACED | TIMELINE_DELETED) ? 0 : s->changed_from;
	if (f.change & TIMELINE_REPLACED)
		f.inode_before = e->previous_inode;
	if (f.change & TIMELINE_DELETED)
		f.inode_after = 0;
	if ((f.change & TIMELINE_DELETED) && (f.change & TIMELINE_RENAMED))
		return 0; // moved away: nothing of it is lost
	if (t->told >= DETAILED_FINDINGS)
		return send_finding(t, &f, err);
	int result = compare_act(t, last, f.offset, &f, &bad, err);

	if (result == 0 && bad)
		result = send_finding(t, &f, err);
	timeline_finding_release(&f);
	return result;
}

// A folder changes in every place, and has no lines: "at its end only" would be a lie about it.
static int check_kind(const struct fsread_question *q, const struct timeline_states *states, struct error *err)
{
	struct buffer name AUTO_RELEASE_BUFFER = {0};

	for (size_t i = 0; i < states->count; i++)
		if ((states->items[i].mode & KIND_BITS) == REGULAR_BITS)
			return 0;
	fs_span_name(q, &name);
	return error_set(err, "%s: is no regular file; only one that grows at its end can be judged", buffer_string(&name));
}

int fs_job_tamper(struct fs_job *job, struct error *err)
{
	struct fs_span span;
	struct fs_track track = {0};
	struct tamper t = {.job = job, .track = &track};
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
		result = check_kind(job->question, &track.states, err);
	for (size_t i = 0; result == 0 && i < track.states.count; i++) {
		if (!(track.states.items[i].change & BAD))
			continue;
		size_t last = end_of_act(&track, i);

		result = judge_act(&t, i, last, err);
		i = last;
	}
	fs_track_release(&track);
	fs_span_release(&span);
	return result;
}
