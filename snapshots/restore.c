// SPDX-License-Identifier: MIT
#include "snapshots/restore.h"

#include "base/interrupts.h"
#include "base/memory.h"
#include "snapshots/fs_verdict.h"
#include "snapshots/restore_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct run {
	const struct restore_plan *plan;
	struct restore_report *report;
	bool has_file, is_folder;
	struct restore_place place;
	bool streaming;
	struct restore_stream stream;
	struct restore_tree *tree;
};

static bool to_standard_output(const struct restore_plan *plan)
{
	return !plan->output || strcmp(plan->output, "-") == 0;
}

// Ctrl-C takes effect after the clean-up: the signals are blocked, and looked at here.
static int check_interrupt(struct error *err)
{
	return interrupts_waiting() ? error_set(err, "interrupted") : 0;
}

static void sentence_path(const struct fs_file *file, const char **ret, int *ret_length)
{
	*ret = file->path ? file->path : "the inode";
	*ret_length = file->path ? (int)file->path_length : 9;
}

// What can be written as one file, and what to do instead.
static int judge_kind(struct run *run, struct error *err)
{
	const struct fs_file *file = &run->report->file;
	const char *path;
	int length;

	sentence_path(file, &path, &length);
	switch (file->kind) {
	case FS_REGULAR:
		return 0;
	case FS_FOLDER:
		run->is_folder = true;
		return error_set(err, "%.*s: is a folder; -o FOLDER restores it with all below, \"provgraph disk ls\" lists it", length, path);
	case FS_SYMLINK:
		return error_set(err, "%.*s: is a symlink to %.*s; ask for that", length, path, (int)file->target_length,
				 file->target ? file->target : "");
	default:
		return error_set(err, "%.*s: is a %s and has no content", length, path, fs_kind_name(file->kind));
	}
}

static int take_file(struct run *run, struct wire_reader r, struct error *err)
{
	const struct restore_plan *plan = run->plan;

	if (run->has_file)
		return error_set(err, "the answer holds two files where one was asked for");
	if (fs_file_get(&r, &run->report->file, err) < 0 || wire_end(&r, "the file", err) < 0)
		return -1;
	run->has_file = true;
	if (judge_kind(run, err) < 0)
		return -1;
	// The other process has judged this, too; it may lie.
	if (plan->question.max_bytes > 0 && run->report->file.size_bytes > plan->question.max_bytes)
		return error_set(err, "the file has %" PRIu64 " bytes, and --max-bytes allows %" PRIu64, run->report->file.size_bytes,
				 plan->question.max_bytes);
	if (restore_place_open(&run->place, plan->output, plan->force, err) < 0 ||
	    restore_stream_init(&run->stream, run->place.fd, run->place.path, run->report->file.size_bytes, err) < 0)
		return -1;
	run->stream.visible = plan->visible && to_standard_output(plan);
	run->streaming = true;
	return 0;
}

static int take_verdict(struct run *run, struct wire_reader r, struct error *err)
{
	struct restore_report *report = run->report;
	struct fs_verdict v;

	if (fs_verdict_get(&r, &v, err) < 0 || wire_end(&r, "the verdict", err) < 0)
		return -1;
	report->verdict = v.kind;
	report->pending_bytes = v.pending_bytes;
	report->pending_from = v.pending_from;
	report->complete_seq = v.complete_seq;
	report->complete_ns = v.complete_ns;
	report->arrival_seq = v.arrival_seq;
	report->arrival_ns = v.arrival_ns;
	return 0;
}

static int on_frame(void *context, uint32_t type, const void *payload, size_t length, struct error *err)
{
	struct run *run = context;
	uint64_t offset;
	const uint8_t *bytes;
	size_t count;

	if (check_interrupt(err) < 0)
		return -1;
	if (run->tree)
		return restore_tree_frame(run->tree, type, payload, length, err);
	if (type == FSREAD_FRAME_VERDICT)
		return take_verdict(run, wire_read(payload, length), err);
	switch (type) {
	case FSREAD_FRAME_FILE:
		return take_file(run, wire_read(payload, length), err);
	case FSREAD_FRAME_DATA:
		if (!run->streaming)
			return error_set(err, "the answer has content without a file");
		if (fsread_get_piece(payload, length, &offset, &bytes, &count, err) < 0)
			return -1;
		return restore_stream_add(&run->stream, offset, bytes, count, err);
	default:
		return 0;
	}
}

static int ask(struct run *run, enum fsread_job job, enum restore_end *ret_end, struct error *err)
{
	struct fsread_question question = run->plan->question;
	struct fsread_answer answer;

	question.job = job;
	int result = fsread_ask(&question, on_frame, run, &answer, err);

	if (answer.warnings.length > 0)
		buffer_add(&run->report->warnings, answer.warnings.bytes, answer.warnings.length);
	buffer_release(&answer.warnings);
	if (result < 0 && answer.failure == FSREAD_NO_SUCH_FILE) {
		*ret_end = RESTORE_NO_SUCH_FILE;
		if (err)
			run->report->reason = *err;
		return 1;
	}
	return result;
}

static int finish_file(struct run *run, struct error *err)
{
	if (!run->streaming)
		return error_set(err, "the answer held no file");
	if (restore_stream_finish(&run->stream, run->report->sha256, err) < 0 || check_interrupt(err) < 0 ||
	    restore_place_commit(&run->place, err) < 0)
		return -1;
	run->report->files = 1;
	run->report->bytes = run->report->file.size_bytes;
	restore_manifest_add(&run->report->manifest, &run->report->file, &(struct restore_line){.sha256 = run->report->sha256});
	return buffer_check(&run->report->manifest, err);
}

static int restore_one(struct run *run, enum restore_end *ret_end, struct error *err)
{
	int result = ask(run, FSREAD_CONTENT, ret_end, err);

	if (result == 0)
		result = finish_file(run, err);
	restore_stream_release(&run->stream);
	restore_place_abort(&run->place);
	return result;
}

static int restore_folder(struct run *run, enum restore_end *ret_end, struct error *err)
{
	const struct restore_plan *plan = run->plan;
	struct stat status;

	fs_file_release(&run->report->file);
	if (plan->beside && !plan->force && lstat(plan->beside, &status) == 0)
		return error_set(err, "%s: exists already; --force writes over it", plan->beside);
	if (restore_tree_new(plan->output, plan->question.max_bytes, run->report, &run->tree, err) < 0)
		return -1;
	int result = ask(run, FSREAD_TREE, ret_end, err);

	if (result == 0)
		result = check_interrupt(err) < 0 ? -1 : restore_tree_commit(run->tree, err);
	restore_tree_free(run->tree);
	run->report->is_tree = true;
	return result;
}

static int run_blocked(struct run *run, enum restore_end *ret_end, struct error *err)
{
	const struct restore_plan *plan = run->plan;
	struct error reason;
	int result;

	*ret_end = RESTORE_WRITTEN;
	if (plan->question.job == FSREAD_TREE) {
		if (to_standard_output(plan))
			return error_set(err, "a folder cannot go to standard output; name a new one with -o");
		result = restore_folder(run, ret_end, err);
	} else {
		result = restore_one(run, ret_end, &reason);
		if (result < 0 && run->is_folder && !to_standard_output(plan)) {
			buffer_clear(&run->report->warnings);
			result = restore_folder(run, ret_end, err);
		} else if (result < 0 && err) {
			*err = reason;
		}
	}
	return result < 0 ? -1 : 0;
}

int restore_run(const struct restore_plan *plan, enum restore_end *ret_end, struct restore_report *ret, struct error *err)
{
	struct run run = {.plan = plan, .report = ret, .place.fd = -1, .stream.fd = -1};
	sigset_t before;

	*ret = (struct restore_report){0};
	interrupts_hold(&before);
	int result = run_blocked(&run, ret_end, err);

	if (result < 0)
		restore_report_release(ret);
	interrupts_restore(&before);
	return result;
}

void restore_report_release(struct restore_report *r)
{
	fs_file_release(&r->file);
	buffer_release(&r->manifest);
	buffer_release(&r->warnings);
	*r = (struct restore_report){0};
}
