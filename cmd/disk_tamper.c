// SPDX-License-Identifier: MIT
// provgraph disk tamper HISTORY PATH: was an append-only file changed anywhere but at its end?
#include "base/text.h"
#include "cmd/disk_ask.h"
#include "cmd/disk_span.h"
#include "cmd/report.h"

#include <inttypes.h>
#include <string.h>

#define SHOWN_LINES 12u
#define SHOWN_BYTES 400u /* of a line; a block of NUL bytes is one line */

static const char *act_of(const struct timeline_finding *f)
{
	if (f->change & TIMELINE_DELETED)
		return "deleted";
	if (f->change & TIMELINE_REPLACED)
		return f->change & TIMELINE_RENAMED ? "replaced; the old file was moved aside" : "replaced by another file";
	if (f->change & TIMELINE_REWRITTEN)
		return "rewritten in place";
	return "cut";
}

static void add_lines(struct buffer *out, char sign, const char *bytes, size_t length, uint64_t all)
{
	const char *end = bytes + length;
	uint64_t shown = 0;

	while (bytes < end && shown < SHOWN_LINES) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *stop = newline ? newline : end;

		size_t length_shown = (size_t)(stop - bytes) < SHOWN_BYTES ? (size_t)(stop - bytes) : SHOWN_BYTES;

		buffer_printf(out, "  %c ", sign);
		text_terminal(out, bytes, length_shown);
		buffer_add_string(out, bytes + length_shown < stop ? " ...\n" : "\n");
		bytes = newline ? newline + 1 : end;
		shown++;
	}
	if (all > shown && shown > 0) {
		buffer_printf(out, "  %c ... ", sign);
		text_count(out, all - shown);
		buffer_add_string(out, " more lines\n");
	}
}

static void add_count(struct buffer *out, uint64_t n, const char *what)
{
	text_count(out, n);
	buffer_printf(out, n == 1 ? " line %s" : " lines %s", what);
}

static void add_command(struct buffer *out, const struct disk_options *o, const struct disk_span *s, uint64_t seq)
{
	buffer_add_string(out, "  before: provgraph disk cat ");
	text_shell(out, o->history, strlen(o->history), NULL);
	if (o->partition >= 0)
		buffer_printf(out, ":%d", o->partition);
	buffer_printf(out, " seq:%" PRIu64 " ", seq);
	if (s->file.path)
		text_shell(out, s->file.path, s->file.path_length, NULL);
	else
		buffer_printf(out, "--inode %" PRIu64, s->file.inode);
	buffer_add_byte(out, '\n');
}

static void add_text(struct buffer *out, const struct disk_options *o, const struct disk_span *s, const struct timeline_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct timeline_finding *f = &findings->items[i];

		nanotime_format(out, f->arrival_ns, NANOTIME_FULL, o->zone);
		buffer_printf(out, " (seq:%" PRIu64 "): %s", f->seq, act_of(f));
		if (f->line > 0) {
			buffer_printf(out, ", line %" PRIu64 " (byte %" PRIu64 "): ", f->line, f->offset);
			add_count(out, f->lines_removed, "gone, ");
			add_count(out, f->lines_added, "new");
		} else {
			buffer_printf(out, " from byte %" PRIu64 " on", f->offset);
		}
		buffer_add_byte(out, '\n');
		add_lines(out, '-', f->before, f->before_length, f->lines_removed);
		add_lines(out, '+', f->after, f->after_length, f->lines_added);
		add_command(out, o, s, f->before_seq);
	}
}

static void add_json(struct buffer *out, const struct disk_options *o, const struct timeline_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct timeline_finding *f = &findings->items[i];

		buffer_printf(out, "{\"seq\":%" PRIu64, f->seq);
		disk_add_json_time(out, o, "arrival", f->arrival_ns);
		disk_add_json_number(out, "before_seq", f->before_seq);
		disk_add_json_change(out, f->change);
		disk_add_json_number(out, "inode_before", f->inode_before);
		disk_add_json_number(out, "inode_after", f->inode_after);
		disk_add_json_number(out, "offset", f->offset);
		disk_add_json_number(out, "line", f->line);
		disk_add_json_number(out, "lines_removed", f->lines_removed);
		disk_add_json_number(out, "lines_added", f->lines_added);
		disk_add_json_text(out, "before", f->before, f->before_length);
		disk_add_json_text(out, "after", f->after, f->after_length);
		buffer_add_string(out, "}\n");
	}
}

int disk_tamper(const struct disk_options *o)
{
	struct disk_span span;
	struct timeline_findings findings = {0};
	struct buffer out AUTO_RELEASE_BUFFER = {0};
	struct error err;
	int status = STATUS_ERROR, result;

	if (disk_span_of_file(o, &span, &err) < 0) {
		report_error(&err);
		return STATUS_ERROR;
	}
	span.file.warnings = &span.warnings;
	result = timeline_tamper(&span.file, span.from_seq, span.to_seq, &findings, &err);
	disk_span_report(o, &span);
	if (result == 0) {
		if (o->json)
			add_json(&out, o, &findings);
		else
			add_text(&out, o, &span, &findings);
		result = disk_print(o, &out, &err);
		status = result < 0 ? STATUS_ERROR : findings.count > 0 ? STATUS_NO_MATCH : STATUS_WRITTEN;
		if (result == 0 && findings.count == 0 && !o->quiet)
			report_line("changed at its end only");
	}
	// A file that was never there cannot be judged: that is no clean answer, and no finding either.
	if (status == STATUS_ERROR)
		report_error(&err);
	timeline_findings_free(&findings);
	disk_span_release(&span);
	return status;
}
