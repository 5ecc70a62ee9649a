// SPDX-License-Identifier: MIT
// The client's side: a question to provgraph-fsread, its frames into vectors.
#include "snapshots/timeline_wire.h"

#include "base/memory.h"
#include "snapshots/fsread.h"

#include <stdlib.h>

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

static int ask_differences(enum fsread_job job, const struct timeline_file *volume, uint64_t from_seq, uint64_t to_seq,
			   struct timeline_differences *ret, struct error *err)
{
	struct fsread_question q = question_of(job, volume, from_seq, to_seq);
	struct timeline_differences found = {0};
	int result = ask(&q, on_difference, &found, volume->warnings, err);

	if (result == 0)
		*ret = found;
	else
		timeline_differences_free(&found);
	return result;
}

int timeline_diff(const struct timeline_file *volume, uint64_t from_seq, uint64_t to_seq, struct timeline_differences *ret, struct error *err)
{
	return ask_differences(FSREAD_DIFF, volume, from_seq, to_seq, ret, err);
}

int timeline_files(const struct timeline_file *volume, uint64_t from_seq, uint64_t to_seq, struct timeline_differences *ret, struct error *err)
{
	return ask_differences(FSREAD_FILES, volume, from_seq, to_seq, ret, err);
}
