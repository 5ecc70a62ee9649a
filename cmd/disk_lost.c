// SPDX-License-Identifier: MIT
// provgraph disk lost HISTORY PATH: the lines that a log once held and no longer does.
#include "base/text.h"
#include "cmd/disk_span.h"
#include "cmd/report.h"
#include "snapshots/log_lines.h"

#include <inttypes.h>

static void add_text(struct buffer *out, const struct disk_options *o, const struct log_lines *lines)
{
	buffer_printf(out, "%-35s %-35s %s\n", "GONE FROM DISK", "ON DISK SINCE", "LINE");
	for (size_t i = 0; i < lines->lines.count; i++) {
		const struct log_line *line = &lines->lines.items[i];

		if (line->gone_seq == 0)
			continue;
		disk_add_time(out, o, line->gone_ns);
		buffer_add_byte(out, ' ');
		disk_add_time(out, o, line->arrival_ns);
		buffer_add_byte(out, ' ');
		text_terminal(out, log_line_bytes(lines, line), line->length);
		buffer_add_byte(out, '\n');
	}
}

static void add_json(struct buffer *out, const struct disk_options *o, const struct log_lines *lines)
{
	for (size_t i = 0; i < lines->lines.count; i++) {
		const struct log_line *line = &lines->lines.items[i];

		if (line->gone_seq == 0)
			continue;
		buffer_printf(out, "{\"seq\":%" PRIu64, line->gone_seq);
		disk_add_json_time(out, o, "gone", line->gone_ns);
		disk_add_json_change(out, line->gone_change);
		disk_add_json_time(out, o, "arrival", line->arrival_ns);
		disk_add_json_number(out, "arrival_seq", line->seq);
		disk_add_json_number(out, "inode", line->inode);
		disk_add_json_number(out, "offset", line->offset);
		buffer_printf(out, ",\"whole\":%s", line->complete ? "true" : "false");
		disk_add_json_text(out, "line", log_line_bytes(lines, line), line->length);
		buffer_add_string(out, "}\n");
	}
}

static uint64_t count_lost(const struct log_lines *lines)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < lines->lines.count; i++)
		lost += lines->lines.items[i].gone_seq > 0;
	return lost;
}

static int tell(const struct disk_options *o, const struct log_lines *lines, uint64_t lost, struct error *err)
{
	struct buffer out AUTO_RELEASE_BUFFER = {0};

	if (o->json)
		add_json(&out, o, lines);
	else if (lost > 0)
		add_text(&out, o, lines);
	if (disk_print(o, &out, err) < 0)
		return -1;
	if (!o->quiet) {
		struct buffer line AUTO_RELEASE_BUFFER = {0};

		buffer_add_string(&line, "of ");
		text_count(&line, lines->lines.count);
		buffer_add_string(&line, lines->lines.count == 1 ? " line, " : " different lines, ");
		text_count(&line, lost);
		buffer_add_string(&line, lost == 1 ? " is gone" : " are gone");
		report_line("%s", buffer_string(&line));
	}
	return 0;
}

int disk_lost(const struct disk_options *o)
{
	struct disk_span span;
	struct log_lines lines = {.fd = -1};
	struct error err;
	int status = STATUS_ERROR;

	if (disk_span_of_file(o, &span, &err) < 0) {
		report_error(&err);
		return STATUS_ERROR;
	}
	span.file.warnings = &span.warnings;
	int result = log_lines_read(&span.file, span.from_seq, span.to_seq, &lines, &err);

	disk_span_report(o, &span);
	if (result == 0) {
		uint64_t lost = count_lost(&lines);

		result = tell(o, &lines, lost, &err);
		status = result < 0 ? STATUS_ERROR : lost > 0 ? STATUS_NO_MATCH : STATUS_WRITTEN;
	}
	if (status == STATUS_ERROR)
		report_error(&err);
	log_lines_free(&lines);
	disk_span_release(&span);
	return status;
}
