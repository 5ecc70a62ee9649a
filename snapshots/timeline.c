// SPDX-License-Identifier: MIT
// The client's side: a question to provgraph-fsread, its frames into vectors.
#include "snapshots/timeline_wire.h"

#include "base/memory.h"
#include "snapshots/fsread.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ANSWERS ((size_t)1 << 22) /* our limit for records of one answer: whoever sends more is not our own reader */

static struct fsread_question question_of(enum fsread_job job, const struct timeline_file *file, uint64_t from_seq, uint64_t to_seq)
{
	struct fsread_question q = {.job = job, .history = file->history, .partition = file->partition, .from_seq = from_seq, .to_seq = to_seq};

	q.path = file->path;
	q.path_length = file->path_length;
	q.inode = file->inode;
	return q;
}

// 1: no such file. Warnings go to the caller's buffer, where there is one.
static int ask(const struct fsread_question *q, fsread_on_frame *on_frame, void *context, struct buffer *warnings, struct error *err)
{
	struct fsread_answer answer = {0};
	int result = fsread_ask(q, on_frame, context, &answer, err);

	if (warnings && answer.warnings.length > 0)
		buffer_add(warnings, answer.warnings.bytes, answer.warnings.length);
	if (result < 0 && answer.failure == FSREAD_NO_SUCH_FILE)
		result = 1;
	buffer_release(&answer.warnings);
	return result;
}

static int unexpected(uint32_t type, struct error *err)
{
	return error_set(err, "provgraph-fsread: sent a frame of kind %u that nobody asked for", type);
}

static int on_state(void *context, uint32_t type, const void *payload, size_t length, struct error *err)
{
	struct timeline_states *states = context;
	struct wire_reader r = wire_read(payload, length);
	struct timeline_state s;

	if (type != FSREAD_FRAME_STATE || states->count >= MAX_ANSWERS)
		return unexpected(type, err);
	if (timeline_get_state(&r, &s, err) < 0)
		return -1;
	return timeline_states_append(states, s) < 0 ? error_set(err, "out of memory") : 0;
}

int timeline_states(const struct timeline_file *file, uint64_t from_seq, uint64_t to_seq, struct timeline_states *ret, struct error *err)
{
	struct fsread_question q = question_of(FSREAD_STATES, file, from_seq, to_seq);
	struct timeline_states found = {0};
	int result = ask(&q, on_state, &found, file->warnings, err);

	if (result == 0)
		*ret = found;
	else
		timeline_states_release(&found);
	return result;
}

struct inodes_answer {
	const uint64_t *asked;
	size_t count, at; // asked[at]: whose states come
	uint64_t from_seq, to_seq;
	struct timeline_states states;
};

// The reader tells each inode's states together, in the order asked.
static int on_inode_state(void *context, uint32_t type, const void *payload, size_t length, struct error *err)
{
	struct inodes_answer *a = context;
	size_t before = a->states.count;

	if (on_state(&a->states, type, payload, length, err) < 0)
		return -1;
	const struct timeline_state *s = &a->states.items[before], *last = before > 0 ? s - 1 : NULL;

	while (a->at < a->count && a->asked[a->at] != s->inode)
		a->at++;
	if (a->at == a->count)
		return error_set(err, "provgraph-fsread: tells of inode %" PRIu64 ", which nobody asked for, or not in the order asked", s->inode);
	if (s->seq < a->from_seq || s->seq > a->to_seq || (last && last->inode == s->inode && s->seq < last->seq))
		return error_set(err, "provgraph-fsread: tells of inode %" PRIu64 " at seq:%" PRIu64 ", which is out of order", s->inode, s->seq);
	return 0;
}

int timeline_inodes(const struct timeline_file *volume, const uint64_t *inodes, size_t count, uint64_t from_seq, uint64_t to_seq,
		    struct timeline_states *ret, struct error *err)
{
	struct fsread_question q = question_of(FSREAD_INODES, volume, from_seq, to_seq);
	struct inodes_answer answer = {.asked = inodes, .count = count, .from_seq = from_seq, .to_seq = to_seq};

	if (count > TIMELINE_MAX_INODES)
		return error_set(err, "%s: asked for %zu inodes at once, %u are the most", volume->history, count, TIMELINE_MAX_INODES);
	q.path = NULL;
	q.path_length = 0;
	q.inode = 0;
	q.list = inodes;
	q.list_count = count;
	if (ask(&q, on_inode_state, &answer, volume->warnings, err) != 0) {
		timeline_states_release(&answer.states);
		return -1;
	}
	*ret = answer.states;
	return 0;
}

static int on_finding(void *context, uint32_t type, const void *payload, size_t length, struct error *err)
{
	struct timeline_findings *findings = context;
	struct wire_reader r = wire_read(payload, length);
	struct timeline_finding f;

	if (type != FSREAD_FRAME_FINDING || findings->count >= MAX_ANSWERS)
		return unexpected(type, err);
	if (timeline_get_finding(&r, &f, err) < 0)
		return -1;
	if (timeline_findings_append(findings, f) < 0) {
		timeline_finding_release(&f);
		return error_set(err, "out of memory");
	}
	return 0;
}

void timeline_findings_free(struct timeline_findings *f)
{
	for (size_t i = 0; i < f->count; i++)
		timeline_finding_release(&f->items[i]);
	timeline_findings_release(f);
}

int timeline_tamper(const struct timeline_file *file, uint64_t from_seq, uint64_t to_seq, struct timeline_findings *ret, struct error *err)
{
	struct fsread_question q = question_of(FSREAD_TAMPER, file, from_seq, to_seq);
	struct timeline_findings found = {0};
	int result = ask(&q, on_finding, &found, file->warnings, err);

	if (result == 0)
		*ret = found;
	else
		timeline_findings_free(&found);
	return result;
}

static int on_difference(void *context, uint32_t type, const void *payload, size_t length, struct error *err)
{
	struct timeline_differences *differences = context;
	struct wire_reader r = wire_read(payload, length);
	struct timeline_difference d;

	if (type != FSREAD_FRAME_CHANGE || differences->count >= MAX_ANSWERS)
		return unexpected(type, err);
	if (timeline_get_difference(&r, &d, err) < 0)
		return -1;
	if (timeline_differences_append(differences, d) < 0) {
		free(d.path);
		return error_set(err, "out of memory");
	}
	return 0;
}

void timeline_differences_free(struct timeline_differences *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->items[i].path);
	timeline_differences_release(d);
}

// By path, then in the order of time, what went before what came.
static int compare_differences(const void *a, const void *b)
{
	const struct timeline_difference *x = a, *y = b;
	size_t shorter = x->path_length < y->path_length ? x->path_length : y->path_length;
	int order = shorter > 0 ? memcmp(x->path, y->path, shorter) : 0;

	if (order != 0)
		return order;
	if (x->path_length != y->path_length)
		return x->path_length < y->path_length ? -1 : 1;
	if ((x->what == TIMELINE_REMOVED) != (y->what == TIMELINE_REMOVED))
		return x->what == TIMELINE_REMOVED ? -1 : 1;
	if ((x->what == TIMELINE_ADDED) != (y->what == TIMELINE_ADDED))
		return x->what == TIMELINE_ADDED ? -1 : 1;
	if (x->changed_ns != y->changed_ns)
		return x->changed_ns < y->changed_ns ? -1 : 1;
	return x->inode_before < y->inode_before ? -1 : x->inode_before > y->inode_before;
}

// A name that went and came means another file now: one line, as for a file that was changed.
static void join_replaced(struct timeline_differences *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++) {
		struct timeline_difference *last = kept > 0 ? &d->items[kept - 1] : NULL, *now = &d->items[i];

		if (!last || last->what != TIMELINE_REMOVED || now->what != TIMELINE_ADDED || now->path_length == 0 ||
		    last->path_length != now->path_length || memcmp(last->path, now->path, now->path_length) != 0) {
			d->items[kept++] = *now;
			continue;
		}
		last->what = last->kind_before != now->kind_after	? TIMELINE_KIND
			     : last->size_before != now->size_after ? TIMELINE_SIZE
								      : TIMELINE_CONTENT;
		last->inode_after = now->inode_after;
		last->kind_after = now->kind_after;
		last->size_after = now->size_after;
		last->changed_ns = last->changed_ns > now->changed_ns ? last->changed_ns : now->changed_ns;
		free(now->path);
	}
	d->count = kept;
}

static int ask_differences(enum fsread_job job, const struct timeline_file *volume, uint64_t from_seq, uint64_t to_seq,
			   struct timeline_differences *ret, struct error *err)
{
	struct fsread_question q = question_of(job, volume, from_seq, to_seq);
	struct timeline_differences found = {0};
	int result = ask(&q, on_difference, &found, volume->warnings, err);

	if (result != 0) {
		timeline_differences_free(&found);
		return result;
	}
	if (found.count > 1)
		qsort(found.items, found.count, sizeof(*found.items), compare_differences);
	join_replaced(&found);
	*ret = found;
	return 0;
}

int timeline_diff(const struct timeline_file *volume, uint64_t from_seq, uint64_t to_seq, struct timeline_differences *ret, struct error *err)
{
	return ask_differences(FSREAD_DIFF, volume, from_seq, to_seq, ret, err);
}

int timeline_files(const struct timeline_file *volume, uint64_t from_seq, uint64_t to_seq, struct timeline_differences *ret, struct error *err)
{
	return ask_differences(FSREAD_FILES, volume, from_seq, to_seq, ret, err);
}
