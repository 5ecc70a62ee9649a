// SPDX-License-Identifier: MIT
#include "graph/disk_words.h"

#include "base/nanotime.h"
#include "base/text.h"
#include "graph/write_words.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define FINDING_SPAN_NS (600 * NANOTIME_SECOND) /* our choice: one sentence for what went in ten minutes */

static bool is_time(uint64_t ns)
{
	return ns != 0 && ns != NANOTIME_NONE;
}

void disk_state_time(struct buffer *out, const struct picture *p, const struct picture_disk_state *state)
{
	if (is_time(state->time_ns)) {
		words_time(out, p, state->time_ns);
	} else if (is_time(state->arrival_ns)) {
		buffer_add_string(out, "host ");
		words_time(out, p, state->arrival_ns);
	} else {
		buffer_add_string(out, "earlier");
	}
}

static void state_words(struct buffer *out, const struct picture_disk_state *state, size_t length)
{
	text_size(out, state->size_bytes);
	if (length > 0) {
		buffer_add_byte(out, ' ');
		buffer_add(out, state->verdict.bytes, length);
	}
}

void disk_state_words(struct buffer *out, const struct picture_disk_state *state)
{
	state_words(out, state, state->verdict.length);
}

// ", ", "; ", " (": what follows is detail.
static bool ends_short(const char *bytes, size_t length)
{
	return length > 1 && (((bytes[0] == ',' || bytes[0] == ';') && bytes[1] == ' ') || (bytes[0] == ' ' && bytes[1] == '('));
}

void disk_state_short(struct buffer *out, const struct picture_disk_state *state)
{
	const struct text *verdict = &state->verdict;
	size_t end = 0;

	while (end < verdict->length && !ends_short(verdict->bytes + end, verdict->length - end))
		end++;
	state_words(out, state, end);
}

const struct text *disk_node_verdict(const struct picture_node *node)
{
	static const char uncovered[] = "disk not covered";
	const struct text *verdict = &node->disk_verdict;

	// What no disk was named for is said once, for the whole device (disk_coverage_words).
	if (node->disk == GRAPH_NONE && verdict->length == sizeof(uncovered) - 1 && memcmp(verdict->bytes, uncovered, verdict->length) == 0)
		return NULL;
	return node->disk_state_count == 0 && verdict->length > 0 ? verdict : NULL;
}

static bool says(struct text t, const char *words)
{
	return t.length > 0 && memmem(t.bytes, t.length, words, strlen(words)) != NULL;
}

void disk_edge_label(struct buffer *out, const struct picture_edge *edge)
{
	buffer_add(out, edge->label.bytes, edge->label.length);
	if (edge->no_write_seen && !says(edge->label, "no write seen"))
		buffer_add_string(out, ", no write seen");
	if (edge->recovered && !says(edge->label, "recovered"))
		buffer_add_string(out, " (recovered)");
}

bool disk_step_is_recovered(const struct picture *p, const struct picture_step *step)
{
	if (step->alert) // the IDS knows of it by itself
		return false;
	if (step->edge < p->edges.count)
		return p->edges.items[step->edge].recovered;
	return step->node < p->nodes.count && p->nodes.items[step->node].recovered;
}

bool disk_is_asked(const struct picture *p)
{
	return p->disks.count > 0;
}

// ---- findings

// Of one log, and gone within a while: whoever cleans a log does it line by line, or the system writes it piece by piece.
static bool belongs(const struct picture_log_finding *a, const struct picture_log_finding *b)
{
	uint64_t apart = a->gone_ns > b->gone_ns ? a->gone_ns - b->gone_ns : b->gone_ns - a->gone_ns;

	return a->changed == b->changed && is_time(a->gone_ns) == is_time(b->gone_ns) && apart <= FINDING_SPAN_NS &&
	       a->log.length == b->log.length && (a->log.length == 0 || memcmp(a->log.bytes, b->log.bytes, a->log.length) == 0);
}

static bool next_records(const struct picture *p, struct disk_finding *at)
{
	const struct picture_log_finding *items = p->log_findings.items;
	size_t first = at->first + at->count;

	if (first >= p->log_findings.count)
		return false;
	size_t end = first + 1;
	while (end < p->log_findings.count && belongs(&items[first], &items[end]))
		end++;
	*at = (struct disk_finding){.first = first, .count = end - first};
	return true;
}

static struct text last_part(struct text path)
{
	for (size_t i = path.length; i-- > 0;)
		if (path.bytes[i] == '/')
			return (struct text){path.bytes + i + 1, path.length - i - 1};
	return path;
}

// The log of which removed records are told is not told once more as a file.
static bool is_told_by_records(const struct picture *p, uint32_t node)
{
	if (node >= p->nodes.count)
		return false;
	struct text name = last_part(p->nodes.items[node].full);

	for (size_t i = 0; i < p->log_findings.count; i++) {
		struct text log = last_part(p->log_findings.items[i].log); // "audit.log of web01.history"

		if (log.length >= name.length && name.length > 0 && memcmp(log.bytes, name.bytes, name.length) == 0 &&
		    (log.length == name.length || log.bytes[name.length] == ' '))
			return true;
	}
	return false;
}

static bool next_note(const struct picture *p, struct disk_finding *at)
{
	for (size_t i = at->is_note ? at->note + 1 : 0; i < p->notes.count; i++)
		if (p->notes.items[i].loss && !is_told_by_records(p, p->notes.items[i].node)) {
			*at = (struct disk_finding){.is_note = true, .note = i};
			return true;
		}
	return false;
}

static bool next_step_of_clock(const struct picture *p, struct disk_finding *at)
{
	size_t disk = at->is_clock ? at->disk : 0, piece = at->is_clock ? at->piece + 1 : 0;

	for (; disk < p->disks.count; disk++, piece = 0)
		for (; piece < p->disks.items[disk].clock_count; piece++)
			if (p->disks.items[disk].clock[piece].stepped) {
				*at = (struct disk_finding){.is_clock = true, .disk = disk, .piece = piece};
				return true;
			}
	return false;
}

bool disk_finding_next(const struct picture *p, struct disk_finding *at)
{
	return (!at->is_clock && !at->is_note && next_records(p, at)) || (!at->is_clock && next_note(p, at)) || next_step_of_clock(p, at);
}

size_t disk_finding_count(const struct picture *p)
{
	struct disk_finding at = {0};
	size_t count = 0;

	while (disk_finding_next(p, &at))
		count++;
	return count;
}

// " at 10:08:41 (...)", " between 10:08:41 and 10:08:50 (...)"
static void add_at(struct buffer *out, const struct picture *p, uint64_t from_ns, uint64_t to_ns)
{
	struct buffer from = {0}, to = {0};

	if (!is_time(from_ns))
		return;
	words_time(&from, p, from_ns);
	words_time(&to, p, to_ns);
	bool same = strcmp(buffer_string(&from), buffer_string(&to)) == 0;
	if (same)
		buffer_printf(out, " at %s", buffer_string(&from));
	else
		buffer_printf(out, " between %s and %s", buffer_string(&from), buffer_string(&to));
	buffer_add_string(out, " (on the disk, host clock)");
	out->failed = out->failed || from.failed || to.failed;
	buffer_release(&from);
	buffer_release(&to);
}

// "3 records of audit.log were removed at 10:08:41 (on the disk, host clock) and are drawn from the disk"
static void record_words(struct buffer *out, const struct picture *p, const struct disk_finding *finding)
{
	const struct picture_log_finding *f = &p->log_findings.items[finding->first];
	bool one = finding->count == 1;
	uint64_t first_ns = f->gone_ns, last_ns = f->gone_ns;
	size_t drawn = 0;

	for (size_t i = 0; i < finding->count; i++) {
		drawn += f[i].node < p->nodes.count || f[i].edge < p->edges.count;
		first_ns = f[i].gone_ns < first_ns ? f[i].gone_ns : first_ns;
		last_ns = f[i].gone_ns > last_ns ? f[i].gone_ns : last_ns;
	}
	text_count(out, finding->count);
	buffer_add_string(out, one ? " record of " : " records of ");
	if (f->log.length > 0)
		buffer_add(out, f->log.bytes, f->log.length);
	else
		buffer_add_string(out, "the log");
	buffer_add_string(out, one ? " was " : " were ");
	buffer_add_string(out, f->changed ? "changed" : "removed");
	add_at(out, p, first_ns, last_ns);
	if (drawn == finding->count) {
		buffer_add_string(out, one ? " and is drawn from the disk" : " and are drawn from the disk");
	} else if (drawn > 0) {
		buffer_add_string(out, "; ");
		text_count(out, drawn);
		buffer_add_string(out, drawn == 1 ? " of them is drawn from the disk" : " of them are drawn from the disk");
	} else {
		buffer_add_string(out, one ? "; nothing in this picture rests on it" : "; nothing in this picture rests on them");
	}
}

static double offset_at(const struct picture_clock *c, uint64_t ns)
{
	double away = ns >= c->base_ns ? (double)(ns - c->base_ns) : -(double)(c->base_ns - ns);

	return (double)c->offset_ns + c->drift * away;
}

// "the clock of the machine on fe:10 was set forward by 3,600.000 s at 10:05:00 (on the disk, host clock)"
static void clock_words(struct buffer *out, const struct picture *p, const struct disk_finding *finding)
{
	const struct picture_disk *disk = &p->disks.items[finding->disk];
	const struct picture_clock *c = &disk->clock[finding->piece];

	buffer_add_string(out, "the clock of the machine on ");
	buffer_add(out, disk->dev.bytes, disk->dev.length);
	buffer_add_string(out, " was set");
	if (finding->piece > 0) { // host minus guest shrinks when the guest goes ahead
		double step = offset_at(c - 1, c->from_ns) - offset_at(c, c->from_ns);
		uint64_t milliseconds = fabs(step) < 9e18 ? (uint64_t)(fabs(step) / (double)NANOTIME_MILLISECOND + 0.5) : 0;

		buffer_add_string(out, step < 0 ? " back by " : " forward by ");
		text_count(out, milliseconds / 1000);
		buffer_printf(out, ".%03u s", (unsigned)(milliseconds % 1000));
	}
	add_at(out, p, c->from_ns, c->from_ns);
}

// 2: a step of the story rests on it; 1: something that is drawn.
static unsigned weight_of(const struct picture *p, const struct picture_log_finding *f)
{
	if (f->edge < p->edges.count)
		return p->edges.items[f->edge].step_count > 0 ? 2 : 1;
	return f->node < p->nodes.count ? 1 : 0;
}

static bool is_same_event(const struct picture_log_finding *a, const struct picture_log_finding *b)
{
	return a->serial == b->serial && a->serial != 0 && a->time_ns == b->time_ns;
}

static void insert_in_order(size_t *indices, size_t count, size_t index)
{
	size_t at = count;

	for (; at > 0 && indices[at - 1] > index; at--)
		indices[at] = indices[at - 1];
	indices[at] = index;
}

size_t disk_finding_records(const struct picture *p, const struct disk_finding *finding, size_t *ret, size_t room)
{
	const struct picture_log_finding *items = p->log_findings.items;
	size_t count = 0;

	for (unsigned weight = 3; weight-- > 0;)
		for (size_t i = finding->first; i < finding->first + finding->count && count < room; i++) {
			bool first = i == finding->first || !is_same_event(&items[i - 1], &items[i]); // of an event the records stand together
			if (first && weight_of(p, &items[i]) == weight)
				insert_in_order(ret, count++, i);
		}
	return count;
}

// Without the interval at its end, which stands in "What was cleaned".
static void note_words(struct buffer *out, const struct picture *p, const struct disk_finding *finding)
{
	static const char between[] = ", between ";
	struct text words = p->notes.items[finding->note].words;
	size_t length = words.length;

	for (size_t i = 0; i + sizeof(between) - 1 <= words.length; i++)
		if (memcmp(words.bytes + i, between, sizeof(between) - 1) == 0)
			length = i;
	buffer_add(out, words.bytes, length);
}

void disk_finding_words(struct buffer *out, const struct picture *p, const struct disk_finding *finding)
{
	if (finding->is_clock)
		clock_words(out, p, finding);
	else if (finding->is_note)
		note_words(out, p, finding);
	else
		record_words(out, p, finding);
}

bool disk_recovery_is_elsewhere(const struct picture *p, const struct picture_recovery *r)
{
	static const char unnamed[] = " --disk HISTORY ";

	return disk_is_asked(p) && r->command.length > 0 && memmem(r->command.bytes, r->command.length, unnamed, sizeof(unnamed) - 1) != NULL;
}

bool disk_recovery_is_worth(const struct picture *p, const struct picture_recovery *r)
{
	const struct picture_node *n = &p->nodes.items[r->node];
	bool is_changed = r->before_sha256.length > 0 && r->after_sha256.length > 0; // by the step that matters

	return !disk_recovery_is_elsewhere(p, r) && (r->lost || n->on_path || n->persistence || r->executed_sha256.length > 0 || is_changed);
}
