// SPDX-License-Identifier: MIT
// What was found out about the log, into the picture.
#include "cmd/recovered.h"

#include "base/memory.h"
#include "base/text.h"
#include "cmd/investigate.h"
#include "cmd/witness.h"

#include <stdlib.h>
#include <string.h>

#define MAX_FINDINGS 500u    /* our limit for records that are named; the note counts all */
#define SHOWN_BYTES 2048u    /* of a line */

static struct text shown(struct investigation *in, const char *bytes, size_t length)
{
	return picture_text(in->picture, bytes, length < SHOWN_BYTES ? length : SHOWN_BYTES);
}

static bool in_window(const struct investigation *in, uint64_t ns)
{
	return ns >= in->from_ns && ns < in->to_ns;
}

// The drawn link that rests on the record; GRAPH_NONE.
static uint32_t edge_of(const struct picture *p, uint64_t serial, uint64_t time_ns)
{
	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		for (size_t k = 0; k < e->evidence_count; k++)
			if (e->evidence[k].serial == serial && e->evidence[k].time_ns == time_ns)
				return (uint32_t)i;
	}
	return GRAPH_NONE;
}

// What stands in the line's place now: in the log at hand, else on the disk.
static void text_now(const struct recovered_logs *r, uint32_t was, const char **ret_bytes, size_t *ret_length)
{
	const struct comparison *c = &r->comparison;

	*ret_length = 0;
	for (size_t i = 0; i < c->forged.count; i++) {
		if (c->forged.items[i].was == was) {
			*ret_bytes = c->forged.items[i].bytes;
			*ret_length = c->forged.items[i].length;
			return;
		}
	}
	for (size_t i = 0; i < c->lines.count; i++) {
		if (c->lines.items[i].place_of == was) { // the last one
			*ret_bytes = c->lines.items[i].bytes;
			*ret_length = c->lines.items[i].disk->length;
		}
	}
}

static int add_finding(struct investigation *in, uint32_t index, struct error *err)
{
	const struct compared *line = &in->recovered.comparison.lines.items[index];
	const struct disk_log *log = &in->recovered.logs[line->log];
	struct picture_log_finding f = {.time_ns = line->time_ns, .serial = line->serial, .node = GRAPH_NONE};
	const char *now = NULL;
	size_t now_length = 0;

	f.arrival_ns = line->disk->arrival_ns ? line->disk->arrival_ns : NANOTIME_NONE;
	f.gone_ns = line->disk->gone_ns ? line->disk->gone_ns : NANOTIME_NONE;
	f.log = picture_text(in->picture, log->name, strlen(log->name));
	f.edge = edge_of(in->picture, line->serial, line->time_ns);
	if (f.edge != GRAPH_NONE)
		f.node = in->picture->edges.items[f.edge].from;
	if (line->fate == COMPARE_KEPT) { // put in front of newer ones
		f.changed = true;
		f.is = shown(in, line->bytes, line->disk->length);
	} else {
		f.changed = line->fate == COMPARE_REPLACED;
		f.was = shown(in, line->bytes, line->disk->length);
		if (f.changed)
			text_now(&in->recovered, index, &now, &now_length);
		f.is = shown(in, now, now_length);
	}
	return picture_log_finding_vector_append(&in->picture->log_findings, f) < 0 ? error_set(err, "out of memory") : 0;
}

static int by_time(const void *a, const void *b)
{
	const struct picture_log_finding *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

// Those of the window first; others as far as there is room.
static int add_findings(struct investigation *in, struct error *err)
{
	const struct comparison *c = &in->recovered.comparison;
	struct picture_log_finding_vector *all = &in->picture->log_findings;

	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < c->lines.count && all->count < MAX_FINDINGS; i++) {
			const struct compared *line = &c->lines.items[i];
			bool found = line->fate == COMPARE_REMOVED || line->fate == COMPARE_REPLACED || (line->fate == COMPARE_KEPT && line->late_ns > 0);

			if (found && in_window(in, line->time_ns) == (pass == 0) && add_finding(in, i, err) < 0)
				return -1;
		}
	}
	if (all->count > 1)
		qsort(all->items, all->count, sizeof(*all->items), by_time);
	return 0;
}

// ---- the note

static void add_count(struct buffer *out, uint64_t n, const char *what)
{
	if (n == 0)
		return;
	if (out->length > 0)
		buffer_add_string(out, ", ");
	text_count(out, n);
	buffer_add_string(out, what);
}

static const struct timeline_clock *clock_of(const struct investigation *in, const struct disk_log *log)
{
	for (size_t i = 0; i < in->witness.count; i++)
		if (in->witness.volumes[i].mapping.history == log->history)
			return &in->witness.volumes[i].clock;
	return NULL;
}

// When the first record went, by the guest's clock; else the last stamp that was removed.
static uint64_t first_gone(const struct investigation *in, uint64_t *ret_host_ns)
{
	const struct recovered_logs *r = &in->recovered;
	const struct compared *first = NULL;
	uint64_t last_ns = 0, guest_ns, error_ns;

	for (size_t i = 0; i < r->comparison.lines.count; i++) {
		const struct compared *line = &r->comparison.lines.items[i];

		if (line->fate != COMPARE_REMOVED && line->fate != COMPARE_REPLACED)
			continue;
		last_ns = line->time_ns > last_ns ? line->time_ns : last_ns;
		if (line->disk->gone_ns > 0 && (!first || line->disk->gone_ns < first->disk->gone_ns))
			first = line;
	}
	*ret_host_ns = first ? first->disk->gone_ns : NANOTIME_NONE;
	const struct timeline_clock *clock = first ? clock_of(in, &r->logs[first->log]) : NULL;

	if (clock && timeline_clock_to_guest(clock, first->disk->gone_ns, &guest_ns, &error_ns) == 0)
		return guest_ns;
	return last_ns;
}

// Among its kind by time, as the others are (graph/notes.c).
static int insert_note(struct picture_note_vector *notes, struct picture_note note, struct error *err)
{
	if (picture_note_vector_append(notes, note) < 0)
		return error_set(err, "out of memory");
	for (size_t i = notes->count - 1; i > 0; i--) {
		const struct picture_note *before = &notes->items[i - 1];

		if (before->kind < note.kind || (before->kind == note.kind && before->time_ns <= note.time_ns))
			break;
		notes->items[i] = *before;
		notes->items[i - 1] = note;
	}
	return 0;
}

static int add_note(struct investigation *in, struct error *err)
{
	const struct recovered_logs *r = &in->recovered;
	struct buffer words AUTO_RELEASE_BUFFER = {0};
	uint64_t host_ns;
	struct picture_note note = {.kind = NOTE_CLEANED, .node = GRAPH_NONE};

	add_count(&words, r->removed, r->removed == 1 ? " record of the audit log removed" : " records of the audit log removed");
	add_count(&words, r->changed, r->removed > 0 ? " changed" : " records of the audit log changed");
	add_count(&words, r->late, r->removed + r->changed > 0 ? " put in later" : " records put into the audit log later");
	add_count(&words, r->nameless, " written to it after it had been removed");
	if (words.length == 0)
		return 0;
	note.time_ns = first_gone(in, &host_ns);
	buffer_printf(&words, "; given back by %s", r->logs[0].name);
	if (host_ns != NANOTIME_NONE) {
		buffer_add_string(&words, " (gone from the disk from ");
		nanotime_format(&words, host_ns, NANOTIME_FULL, in->options->zone);
		buffer_add_string(&words, " on, by the host's clock)");
	}
	note.words = picture_text(in->picture, words.bytes, words.length);
	if (buffer_check(&words, err) < 0)
		return -1;
	return insert_note(&in->picture->notes, note, err);
}

static void report(const struct investigation *in)
{
	const struct recovered_logs *r = &in->recovered;
	struct buffer words AUTO_RELEASE_BUFFER = {0};

	if (in->options->quiet)
		return;
	add_count(&words, r->removed, r->removed == 1 ? " record was removed" : " records were removed");
	add_count(&words, r->changed, " changed");
	add_count(&words, r->late, " put in later");
	add_count(&words, r->nameless, " written to it after it had been removed");
	add_count(&words, r->rotated, " went with rotated files");
	if (words.length > 0)
		report_line("%s: %s; the disk gives back what it once held", r->logs[0].name, buffer_string(&words));
	buffer_clear(&words);
	add_count(&words, r->lacking, r->lacking == 1 ? " record" : " records");
	if (words.length > 0)
		report_line("%s: %s that it still holds are not in the log at hand: an extract, or an altered copy; they are taken from the disk",
			    r->logs[0].name, buffer_string(&words));
	buffer_clear(&words);
	add_count(&words, r->later_removed, r->later_removed == 1 ? " record of the log" : " records of the log");
	if (words.length > 0)
		report_line("%s: %s no longer stand there: removed after the log at hand was copied", r->logs[0].name, buffer_string(&words));
}

int recovered_logs_tell(struct investigation *in, struct error *err)
{
	if (!in->recovered.compared)
		return 0;
	if (add_findings(in, err) < 0 || add_note(in, err) < 0)
		return -1;
	report(in);
	return 0;
}
