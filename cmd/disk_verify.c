// SPDX-License-Identifier: MIT
// provgraph disk verify HISTORY: every record, sequence number and index, and which byte of which file is wrong.
#include "cmd/disk.h"

#include "base/buffer.h"
#include "base/text.h"
#include "snapshots/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdio.h>
#include <string.h>

static void on_progress(void *context, uint64_t done, uint64_t of)
{
	progress_share(context, "verifying", done, of);
}

// A reason that names the file and the byte itself is shown without: both stand before it.
static const char *reason_alone(const struct history_damage *d)
{
	const char *at = strstr(d->reason.message, d->file);
	int end = -1;

	if (at)
		(void)sscanf(at + strlen(d->file), ": byte %*[0-9]: %n", &end);
	return end < 0 ? d->reason.message : at + strlen(d->file) + end;
}

static void add_text(struct buffer *out, const struct disk_options *o, const struct history_verdict *v)
{
	for (size_t i = 0; i < v->damages.count; i++) {
		const struct history_damage *d = &v->damages.items[i];

		text_terminal(out, d->file, strlen(d->file));
		buffer_printf(out, ": byte %" PRIu64 ": ", d->byte);
		text_terminal(out, reason_alone(d), strlen(reason_alone(d)));
		buffer_add_byte(out, '\n');
	}
	text_terminal(out, o->history, strlen(o->history));
	buffer_add_string(out, v->damages.count > 0 ? ": DAMAGED: " : ": sound: ");
	text_count(out, v->records);
	buffer_printf(out, " records in %" PRIu64 " segment%s, ", v->segments, v->segments == 1 ? "" : "s");
	text_size(out, v->bytes);
	buffer_printf(out, ", %" PRIu64 " index table%s\n", v->tables, v->tables == 1 ? "" : "s");
	if (v->torn) {
		buffer_add_string(out, "The end is unfinished, as after a crash or while a writer is at work: ");
		text_terminal(out, v->torn_reason.message, strlen(v->torn_reason.message));
		buffer_add_byte(out, '\n');
	}
}

static void add_json(struct buffer *out, const struct history_verdict *v)
{
	buffer_printf(out, "{\n  \"schema\": 1,\n  \"sound\": %s,\n  \"records\": %" PRIu64 ",\n  \"segments\": %" PRIu64 ",\n",
		      v->damages.count > 0 ? "false" : "true", v->records, v->segments);
	buffer_printf(out, "  \"bytes\": %" PRIu64 ",\n  \"tables\": %" PRIu64 ",\n  \"unfinished\": %s,\n  \"damages\": [", v->bytes, v->tables,
		      v->torn ? "true" : "false");
	for (size_t i = 0; i < v->damages.count; i++) {
		const struct history_damage *d = &v->damages.items[i];

		buffer_printf(out, "%s\n    {\"file\": ", i ? "," : "");
		text_json(out, d->file, strlen(d->file), NULL);
		buffer_printf(out, ", \"byte\": %" PRIu64 ", \"reason\": ", d->byte);
		text_json(out, reason_alone(d), strlen(reason_alone(d)), NULL);
		buffer_add_byte(out, '}');
	}
	buffer_add_string(out, v->damages.count > 0 ? "\n  ]\n}\n" : "]\n}\n");
}

int disk_verify(const struct disk_options *o)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};
	struct history_verdict verdict = {0};
	struct progress progress;
	struct error err;

	progress_begin(&progress, o->quiet || o->json);
	int result = history_verify(o->history, &verdict, on_progress, &progress, &err);

	progress_end(&progress);
	if (result == 0) {
		if (o->json)
			add_json(&text, &verdict);
		else
			add_text(&text, o, &verdict);
		result = disk_print(o, &text, &err);
	}
	bool damaged = verdict.damages.count > 0;

	damage_vector_release(&verdict.damages);
	if (result < 0) {
		report_error(&err);
		return STATUS_ERROR;
	}
	return damaged ? STATUS_INTEGRITY : STATUS_WRITTEN;
}
