// SPDX-License-Identifier: MIT
// provgraph disk cat HISTORY TIME PATH, and provgraph --restore-at: a file or a folder as it was, and what is known about it.
#include "base/fileio.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/disk_ask.h"
#include "cmd/report.h"
#include "snapshots/history.h"
#include "snapshots/restore.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BYTES_DEFAULT (UINT64_C(4) << 30) // what --max-bytes says when it is not given
#define MANIFEST_SUFFIX ".manifest.jsonl"
#define MANIFEST_MODE 0600

// The verdicts of restore_report.verdict, in the order of snapshots/fs_verdict.h.
enum verdict { UNKNOWN, ON_DISK, PENDING, NOT_YET, NEVER, GONE, UNBORN };
static const char *const verdict_words[] = {
	"unknown", "on disk", "committed, content pending", "not yet on disk", "never on disk", "no longer on disk", "not yet on disk",
};

struct cat {
	const struct disk_options *o;
	struct history *history;
	struct fsread_question question;
	struct restore_report report;
	struct buffer manifest; // its path, should a folder be restored
};

// ---- words

static void add_name(struct buffer *out, const struct cat *c)
{
	if (c->question.path)
		text_terminal(out, c->question.path, c->question.path_length);
	else
		buffer_printf(out, "inode %" PRIu64, c->question.inode);
}

static void add_time(struct buffer *out, const struct cat *c, const char *what, uint64_t ns)
{
	buffer_add_string(out, what);
	if (ns == NANOTIME_NONE)
		buffer_add_string(out, "not there");
	else
		nanotime_format(out, ns, NANOTIME_FULL, c->o->zone);
}

// The command that gives the first later complete state, or the last that had the file; every part of it as a shell reads it.
static void add_command(struct buffer *out, const struct cat *c)
{
	bool exact = true;
	uint64_t seq;

	buffer_add_string(out, "provgraph --restore-at ");
	// Behind the last state that had the file is the one that has it no more: both may be of one time.
	if (c->report.verdict == GONE && (history_moment(c->history, c->report.complete_ns, &seq, NULL) < 0 || seq != c->report.complete_seq))
		buffer_printf(out, "seq:%" PRIu64, c->report.complete_seq);
	else
		disk_ask_time(out, c->history, c->report.complete_ns, c->report.complete_seq);
	buffer_add_string(out, " --disk ");
	struct buffer disk AUTO_RELEASE_BUFFER = {0}, path AUTO_RELEASE_BUFFER = {0};

	buffer_add_string(&disk, c->question.history);
	if (c->question.partition >= 0)
		buffer_printf(&disk, ":%d", c->question.partition);
	text_shell(out, buffer_string(&disk), disk.length, NULL);
	if (c->question.path)
		text_shell(&path, c->question.path, c->question.path_length, &exact);
	if (c->question.path && exact)
		buffer_printf(out, " --path %s", buffer_string(&path));
	else
		buffer_printf(out, " --inode %" PRIu64, c->question.path ? c->report.file.inode : c->question.inode);
	buffer_add_string(out, " -o FILE");
}

static void add_verdict(struct buffer *out, const struct cat *c)
{
	const struct restore_report *r = &c->report;

	if (r->verdict > UNBORN || (r->verdict == UNKNOWN && c->question.raw)) {
		buffer_add_string(out, "not judged: these are the home blocks, without the journal");
		return;
	}
	buffer_add_string(out, verdict_words[r->verdict]);
	if (r->verdict == PENDING) {
		buffer_add_string(out, ": ");
		text_count(out, r->pending_bytes);
		buffer_printf(out, " bytes from byte %" PRIu64 " on read as zeros, ", r->pending_from);
		if (r->complete_seq == 0)
			buffer_add_string(out, "and never reached the disk in this history");
		else
			add_time(out, c, "and arrive at ", r->complete_ns);
	} else if (r->verdict == NOT_YET && r->complete_seq != 0) {
		add_time(out, c, ": the guest had made it, and it is first seen at ", r->complete_ns);
	} else if (r->verdict == UNBORN) {
		add_time(out, c, ": it is first seen at ", r->complete_ns);
	} else if (r->verdict == GONE) {
		add_time(out, c, ": it was there before, and is gone since ", r->arrival_ns);
	}
}

static void label(struct buffer *out, const char *what)
{
	buffer_printf(out, "\n  %-13s ", what);
}

// ---- the report for people

static void report_file(const struct cat *c)
{
	const struct restore_report *r = &c->report;
	struct buffer text AUTO_RELEASE_BUFFER = {0}, verdict AUTO_RELEASE_BUFFER = {0};

	add_name(&text, c);
	buffer_add_string(&text, ", ");
	disk_ask_moment(&text, c->o, c->history, c->question.to_seq);
	label(&text, "content:");
	text_count(&text, r->file.size_bytes);
	buffer_printf(&text, " bytes, SHA-256 %s", r->sha256);
	label(&text, "system call:");
	buffer_add_string(&text, "not known here; audit records tell it");
	label(&text, "inode:");
	buffer_printf(&text, "%" PRIu64, r->file.inode);
	add_time(&text, c, ", modified ", r->file.mtime_ns);
	add_time(&text, c, ", changed ", r->file.ctime_ns);
	add_time(&text, c, ", born ", r->file.crtime_ns);
	buffer_add_string(&text, " (the guest's clock)");
	label(&text, "disk arrival:");
	if (r->arrival_seq != 0) {
		nanotime_format(&text, r->arrival_ns, NANOTIME_FULL, c->o->zone);
		buffer_printf(&text, " (this host's clock, seq:%" PRIu64 ")", r->arrival_seq);
	} else {
		buffer_add_string(&text, "not known");
	}
	label(&text, "verdict:");
	add_verdict(&verdict, c);
	buffer_add_string(&text, buffer_string(&verdict));
	report_line("%s", buffer_string(&text));
}

// Content that is not whole is worth a line even when --quiet: exit 0 says nothing of it.
static void report_pending(const struct cat *c)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};

	if (c->report.verdict != PENDING)
		return;
	if (c->o->quiet) {
		add_name(&text, c);
		buffer_add_string(&text, ": ");
		add_verdict(&text, c);
		report_line("warning: %s", buffer_string(&text));
		buffer_clear(&text);
	}
	if (c->report.complete_seq == 0)
		return;
	add_command(&text, c);
	report_line("the first later state that has them: %s", buffer_string(&text));
}

static void report_absent(const struct cat *c)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0}, verdict AUTO_RELEASE_BUFFER = {0};

	report_error(&c->report.reason);
	if (c->report.verdict == UNKNOWN)
		return;
	add_verdict(&verdict, c);
	report_line("verdict: %s", buffer_string(&verdict));
	if (c->report.complete_seq == 0)
		return;
	add_command(&text, c);
	report_line("the %s state that has it: %s", c->report.verdict == GONE ? "last" : "first", buffer_string(&text));
}

// ---- the report for programs

static void json_text(struct buffer *out, const char *key, const void *bytes, size_t length)
{
	bool lossy = false;

	buffer_printf(out, "  \"%s\": ", key);
	text_json(out, bytes, length, &lossy);
	buffer_add_string(out, ",\n");
	if (!lossy)
		return;
	buffer_printf(out, "  \"%s_b64\": \"", key);
	text_base64(out, bytes, length);
	buffer_add_string(out, "\",\n");
}

// RFC 3339 in the wanted zone; null where it is not known.
static void json_time(struct buffer *out, const struct cat *c, const char *key, uint64_t ns, bool known)
{
	buffer_printf(out, "  \"%s\": ", key);
	if (known && ns != NANOTIME_NONE) {
		buffer_add_byte(out, '"');
		nanotime_format(out, ns, NANOTIME_FULL, c->o->zone);
		buffer_add_byte(out, '"');
	} else {
		buffer_add_string(out, "null");
	}
	buffer_add_string(out, ",\n");
}

static void json_number(struct buffer *out, const char *key, uint64_t value)
{
	buffer_printf(out, "  \"%s\": %" PRIu64 ",\n", key, value);
}

static void add_json(struct buffer *out, const struct cat *c, bool found)
{
	const struct restore_report *r = &c->report;
	uint64_t moment_ns = NANOTIME_NONE;

	buffer_printf(out, "{\n  \"found\": %s,\n", found ? "true" : "false");
	json_text(out, "history", c->question.history, strlen(c->question.history));
	if (c->question.path)
		json_text(out, "path", c->question.path, c->question.path_length);
	json_number(out, "seq", c->question.to_seq);
	(void)history_time_of(c->history, c->question.to_seq, &moment_ns, NULL);
	json_time(out, c, "moment", moment_ns, true);
	buffer_printf(out, "  \"raw\": %s,\n", c->question.raw ? "true" : "false");
	if (found) {
		buffer_printf(out, "  \"kind\": \"%s\",\n", fs_kind_name(r->file.kind));
		json_number(out, "inode", r->file.inode);
		json_number(out, "generation", r->file.generation);
		buffer_printf(out, "  \"mode\": \"%06" PRIo32 "\",\n", r->file.mode);
		json_number(out, "uid", r->file.uid);
		json_number(out, "gid", r->file.gid);
		json_number(out, "size", r->file.size_bytes);
		json_time(out, c, "modified", r->file.mtime_ns, true);
		json_time(out, c, "changed", r->file.ctime_ns, true);
		json_time(out, c, "accessed", r->file.atime_ns, true);
		json_time(out, c, "born", r->file.crtime_ns, true);
	}
	if (found && r->is_tree) {
		json_number(out, "files", r->files);
		json_number(out, "folders", r->folders);
		json_number(out, "bytes", r->bytes);
		json_number(out, "skipped", r->skipped);
		json_number(out, "pending_files", r->pending_files);
	} else if (found) {
		buffer_printf(out, "  \"sha256\": \"%s\",\n", r->sha256);
	}
	json_number(out, "arrival_seq", r->arrival_seq);
	json_time(out, c, "arrival", r->arrival_ns, r->arrival_seq != 0);
	json_number(out, "pending_bytes", r->pending_bytes);
	json_number(out, "pending_from", r->pending_from);
	json_number(out, "complete_seq", r->verdict == GONE ? 0 : r->complete_seq);
	json_time(out, c, "complete", r->complete_ns, r->complete_seq != 0 && r->verdict != GONE);
	json_number(out, "last_seq", r->verdict == GONE ? r->complete_seq : 0);
	json_time(out, c, "last", r->complete_ns, r->verdict == GONE);
	json_text(out, "warnings", buffer_string(&r->warnings), r->warnings.length);
	buffer_printf(out, "  \"verdict\": \"%s\"\n}\n", r->verdict <= UNBORN ? verdict_words[r->verdict] : "unknown");
}

// ---- running

// What would be owners and modes in a restored tree stands in a file beside it.
static int write_manifest(const struct cat *c, struct error *err)
{
	const char *path = buffer_string(&c->manifest);

	if (buffer_check(&c->report.manifest, err) < 0)
		return -1;
	if (fileio_write(path, c->report.manifest.bytes, c->report.manifest.length, MANIFEST_MODE, c->o->force, err) < 0)
		return -1;
	if (c->report.pending_files > 0)
		report_line("warning: content of %" PRIu64 " files is committed and pending; %s says which", c->report.pending_files, path);
	if (!c->o->quiet)
		report_line("%" PRIu64 " file%s, %" PRIu64 " folder%s, %" PRIu64 " bytes; %" PRIu64 " left out%s; %s has owners, modes, times and "
			    "what was left out", c->report.files, c->report.files == 1 ? "" : "s", c->report.folders, c->report.folders == 1 ? "" : "s",
			    c->report.bytes, c->report.skipped,
			    c->report.warnings.length > 0 ? " besides the warnings" : "", path);
	return 0;
}

static int tell(const struct cat *c, bool found, struct error *err)
{
	struct buffer json AUTO_RELEASE_BUFFER = {0};

	disk_ask_warn(c->o, &c->report.warnings);
	if (found && c->report.is_tree && write_manifest(c, err) < 0)
		return -1;
	if (!found)
		report_absent(c);
	else if (!c->report.is_tree && !c->o->quiet)
		report_file(c);
	if (found)
		report_pending(c);
	if (!c->o->json)
		return 0;
	add_json(&json, c, found);
	if (buffer_check(&json, err) < 0)
		return -1;
	return fileio_write_fd(STDOUT_FILENO, json.bytes, json.length, "standard output", err);
}

static int check(const struct disk_options *o, struct error *err)
{
	struct stat status;

	if (o->json && (!o->output || strcmp(o->output, "-") == 0))
		return error_set(err, "disk %s: --json goes to standard output; name the file of the content with -o", o->verb);
	if (o->output && strcmp(o->output, "-") != 0 && !o->force && lstat(o->output, &status) == 0 && S_ISREG(status.st_mode))
		return error_set(err, "%s: exists already; --force writes over it", o->output);
	return 0;
}

static int name_manifest(struct cat *c, struct error *err)
{
	const char *output = c->o->output ? c->o->output : "";
	size_t length = strlen(output);

	while (length > 1 && output[length - 1] == '/')
		length--;
	buffer_add(&c->manifest, output, length);
	buffer_add_string(&c->manifest, MANIFEST_SUFFIX);
	return buffer_check(&c->manifest, err);
}

static int cat(struct cat *c, struct error *err)
{
	struct restore_plan plan = {.output = c->o->output, .force = c->o->force};
	enum restore_end end;

	if (check(c->o, err) < 0 || name_manifest(c, err) < 0 || disk_ask(c->o, false, &c->history, &c->question, err) < 0)
		return STATUS_ERROR;
	c->question.job = FSREAD_CONTENT;
	c->question.max_bytes = c->o->max_bytes ? c->o->max_bytes : MAX_BYTES_DEFAULT;
	plan.question = c->question;
	plan.beside = buffer_string(&c->manifest);
	plan.visible = isatty(STDOUT_FILENO);
	if (restore_run(&plan, &end, &c->report, err) < 0)
		return STATUS_ERROR;
	if (tell(c, end == RESTORE_WRITTEN, err) < 0)
		return STATUS_ERROR;
	return end == RESTORE_WRITTEN ? STATUS_WRITTEN : STATUS_NO_MATCH;
}

int disk_cat(const struct disk_options *o)
{
	struct cat c = {.o = o};
	struct error err;

	if (o->image)
		return disk_export(o);
	int status = cat(&c, &err);

	if (status == STATUS_ERROR)
		report_error(&err);
	restore_report_release(&c.report);
	buffer_release(&c.manifest);
	history_free(c.history);
	return status;
}
