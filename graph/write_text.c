// SPDX-License-Identifier: MIT
// The case as text: first who logged in from where, what ran, what it dropped, what persists, what is missing; then the numbered
// story; then what to ask next. Everything that came from outside passes text_terminal() in add_words().
#include "graph/write.h"

#include "base/memory.h"
#include "base/nanotime.h"
#include "base/text.h"
#include "graph/disk_words.h"

#include <inttypes.h>
#include <string.h>

#define DEFAULT_COLUMNS 100
#define MIN_COLUMNS 40
#define EVENTS_SHOWN 10u   /* of all findings */
#define RECOVERIES_SHOWN 8u
#define PREVIEW_SHOWN 7u   /* lines: a summary, where it stands, and what fits */
#define HEX_SHOWN 2u       /* the summary, and the row that tells the kind of file */

// Select Graphic Rendition codes of ECMA-48; the only escapes in the output, and never from data.
#define STYLE_BOLD "1"
#define STYLE_ALERT "1;31"
#define STYLE_PATH "33"
#define STYLE_MUTED "2"

struct text_writer {
	const struct picture *p;
	struct buffer *out;
	size_t columns;
	bool color;
	enum nanotime_format format; // clock time, or in full when the story passes midnight
	struct buffer line;          // visible text of the paragraph at hand
};

static void style(struct text_writer *w, const char *code)
{
	if (w->color)
		buffer_printf(w->out, "\033[%sm", code);
}

static void style_end(struct text_writer *w)
{
	style(w, "0");
}

static void add_words(struct text_writer *w, struct text words)
{
	text_terminal(&w->line, words.bytes, words.length);
}

static void add_time(struct text_writer *w, uint64_t ns)
{
	if (ns != NANOTIME_NONE)
		nanotime_format(&w->line, ns, w->format, w->p->zone);
}

// --- paragraphs

static size_t character_bytes(const char *p, size_t left)
{
	size_t n = 1;
	while (n < left && ((unsigned char)p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

// As much of a word as fits into `cells`; at least one character.
static size_t fitting(const char *p, size_t length, size_t cells)
{
	size_t used = 0;
	while (used < length) {
		size_t next = used + character_bytes(p + used, length - used);
		if (used > 0 && text_cells(p, next) > cells)
			break;
		used = next;
	}
	return used;
}

static void new_line(struct text_writer *w, size_t indent)
{
	buffer_printf(w->out, "\n%*s", (int)indent, "");
}

// Writes the gathered paragraph after `at` cells of the line are taken, wrapped at blanks, with a hanging indent; long words
// (paths) are broken where the line ends.
static void flush_paragraph(struct text_writer *w, size_t at, size_t indent)
{
	const char *p = buffer_string(&w->line);
	size_t left = w->line.length;
	bool fresh = true;
	while (left) {
		size_t blank = 0;
		while (blank < left && p[blank] == ' ')
			blank++;
		size_t word = 0;
		while (blank + word < left && p[blank + word] != ' ')
			word++;
		size_t cells = text_cells(p + blank, word);
		if (!fresh && at + blank + cells > w->columns) {
			new_line(w, indent);
			at = indent;
		} else {
			buffer_printf(w->out, "%*s", (int)blank, "");
			at += blank;
		}
		p += blank;
		left -= blank;
		while (word) {
			size_t room = w->columns > at ? w->columns - at : 0;
			if (room < 2) { // the widest character takes two
				new_line(w, indent);
				at = indent;
				room = w->columns - at;
			}
			size_t part = fitting(p, word, room);
			buffer_add(w->out, p, part);
			at += text_cells(p, part);
			p += part;
			left -= part;
			word -= part;
			if (word) {
				new_line(w, indent);
				at = indent;
			}
		}
		fresh = false;
	}
	buffer_add_byte(w->out, '\n');
	buffer_clear(&w->line);
}

// One of our own sentences as a paragraph.
static void say(struct text_writer *w, const char *words)
{
	buffer_add_string(&w->line, words);
	flush_paragraph(w, 0, 4);
}

static void heading(struct text_writer *w, const char *words)
{
	buffer_add_byte(w->out, '\n');
	style(w, STYLE_BOLD);
	say(w, words);
	style_end(w);
}

// --- head

static void write_head(struct text_writer *w)
{
	const struct picture *p = w->p;
	style(w, STYLE_BOLD);
	add_words(w, p->title);
	flush_paragraph(w, 0, 4);
	style_end(w);
	buffer_add_string(&w->line, p->alert_ns != NANOTIME_NONE ? "alert " : "contact ");
	uint64_t ns = p->alert_ns != NANOTIME_NONE ? p->alert_ns : p->contact_ns;
	if (ns != NANOTIME_NONE)
		nanotime_format(&w->line, ns, NANOTIME_FULL, p->zone);
	if (p->alert_signature.length) {
		buffer_add_string(&w->line, ", ");
		add_words(w, p->alert_signature);
	}
	if (p->host.length) {
		buffer_add_string(&w->line, ", host ");
		add_words(w, p->host);
	}
	buffer_add_string(&w->line, ", window ");
	nanotime_format(&w->line, p->from_ns, NANOTIME_FULL, p->zone);
	buffer_add_string(&w->line, " to ");
	nanotime_format(&w->line, p->to_ns, NANOTIME_FULL, p->zone);
	buffer_add_string(&w->line, "; ");
	text_count(&w->line, p->events);
	buffer_add_string(&w->line, " events reduced to ");
	text_count(&w->line, p->edges.count);
	buffer_add_string(&w->line, " links");
	flush_paragraph(w, 0, 4);
}

// --- what recorded disks say

// Of what a log lost: a line for an event.
static void write_events(struct text_writer *w, const struct disk_finding *at, size_t *left)
{
	size_t index[EVENTS_SHOWN], shown = disk_finding_records(w->p, at, index, *left), records = 0;

	for (size_t i = 0; i < shown; i++) {
		struct buffer words = {0};

		records += disk_event_words(&words, w->p, at, index[i]) - index[i];
		buffer_add_string(&w->line, "  ");
		add_words(w, (struct text){buffer_string(&words), words.length});
		flush_paragraph(w, 0, 15);
		w->line.failed = w->line.failed || words.failed;
		buffer_release(&words);
	}
	*left -= shown;
	if (records < at->count) {
		buffer_printf(&w->line, "  +%zu more record%s; the lines of all: add --format json", at->count - records, at->count - records == 1 ? "" : "s");
		flush_paragraph(w, 0, 4);
	}
}

static void write_findings(struct text_writer *w)
{
	struct disk_finding at = {0};
	bool any = false;

	while (disk_finding_next(w->p, &at)) {
		struct buffer words = {0};

		if (!any)
			heading(w, "What the disk contradicts");
		any = true;
		disk_finding_words(&words, w->p, &at);
		buffer_add_string(w->out, "  ");
		style(w, STYLE_ALERT);
		add_words(w, (struct text){buffer_string(&words), words.length});
		flush_paragraph(w, 2, 4);
		style_end(w);
		w->line.failed = w->line.failed || words.failed;
		buffer_release(&words);
	}
}

static void write_changed_records(struct text_writer *w)
{
	struct disk_finding at = {0};
	size_t left = EVENTS_SHOWN;

	if (w->p->log_findings.count == 0)
		return;
	heading(w, "Records that were removed or changed");
	while (disk_finding_next(w->p, &at))
		write_events(w, &at, &left);
}

static void write_disks(struct text_writer *w)
{
	if (!disk_is_asked(w->p))
		return;
	heading(w, "Disks");
	for (size_t i = 0; i < w->p->disks.count; i++) {
		buffer_add_string(&w->line, "  ");
		add_words(w, w->p->disks.items[i].words);
		flush_paragraph(w, 0, 4);
	}
	struct buffer coverage = {0};
	disk_coverage_words(&coverage, w->p);
	if (coverage.length > 0) {
		buffer_add_string(&w->line, "  ");
		add_words(w, (struct text){buffer_string(&coverage), coverage.length});
		flush_paragraph(w, 0, 4);
	}
	w->line.failed = w->line.failed || coverage.failed;
	buffer_release(&coverage);
}

// --- notes

static const char *note_heading(enum note_kind kind)
{
	switch (kind) {
	case NOTE_LOGIN:
		return "Who logged in from where";
	case NOTE_RAN:
		return "What ran";
	case NOTE_DROPPED:
		return "What it dropped";
	case NOTE_PERSISTS:
		return "What persists";
	case NOTE_PRIVILEGE:
		return "Changes of user";
	case NOTE_CLEANED:
		return "What was cleaned";
	case NOTE_CONTACT:
		return "Contacts with the alert's address";
	case NOTE_OTHER_CONTACT:
		return "Other contacts";
	}
	return "Notes";
}

static size_t time_cells(const struct text_writer *w)
{
	struct buffer b = {0};
	nanotime_format(&b, w->p->contact_ns != NANOTIME_NONE ? w->p->contact_ns : w->p->from_ns, w->format, w->p->zone);
	size_t cells = b.length;
	buffer_release(&b);
	return cells;
}

static void pad_line(struct text_writer *w, size_t cells)
{
	do // at least one, for times with more decimals than most
		buffer_add_byte(&w->line, ' ');
	while (!w->line.failed && text_cells(buffer_string(&w->line), w->line.length) < cells);
}

static void write_note(struct text_writer *w, const struct picture_note *note)
{
	size_t times = time_cells(w);
	buffer_add_string(&w->line, "  ");
	add_time(w, note->time_ns);
	pad_line(w, times + 4);
	add_words(w, note->words);
	if (note->claimed)
		buffer_add_string(&w->line, " [claimed]");
	if (note->node != GRAPH_NONE && note->node < w->p->nodes.count)
		buffer_printf(&w->line, " n%" PRIu32, w->p->nodes.items[note->node].id);
	flush_paragraph(w, 0, times + 4);
}

static void write_notes(struct text_writer *w, enum note_kind kind, const char *when_none)
{
	bool any = false;
	for (size_t i = 0; i < w->p->notes.count; i++) {
		const struct picture_note *note = &w->p->notes.items[i];
		if (note->kind != kind)
			continue;
		if (!any)
			heading(w, note_heading(kind));
		any = true;
		write_note(w, note);
	}
	if (!any && when_none) {
		heading(w, note_heading(kind));
		buffer_add_string(&w->line, "  ");
		say(w, when_none);
	}
}

// --- what a disk gives back

// Not wrapped, so that a terminal's selection is the command.
static void write_unwrapped(struct text_writer *w, const char *before, struct text t)
{
	if (t.length == 0)
		return;
	buffer_add_string(w->out, before);
	text_terminal(w->out, t.bytes, t.length);
	buffer_add_byte(w->out, '\n');
}

static void write_preview(struct text_writer *w, struct text preview, size_t most)
{
	size_t lines = 0;

	for (size_t at = 0; at < preview.length; lines++) {
		const char *feed = memchr(preview.bytes + at, '\n', preview.length - at);
		size_t length = feed ? (size_t)(feed - preview.bytes) - at : preview.length - at;

		if (lines < most) {
			bool differs = length > 0 && (preview.bytes[at] == '-' || preview.bytes[at] == '+');

			buffer_add_string(w->out, "    ");
			style(w, differs ? STYLE_ALERT : STYLE_MUTED);
			add_words(w, (struct text){preview.bytes + at, length});
			flush_paragraph(w, 4, 8);
			style_end(w);
		}
		at += length + 1;
	}
	if (lines > most) {
		buffer_printf(&w->line, "    +%zu more line%s: add --format json", lines - most, lines - most == 1 ? "" : "s");
		flush_paragraph(w, 0, 8);
	}
}

static void write_recovery(struct text_writer *w, const struct picture_recovery *r)
{
	const struct picture_node *n = &w->p->nodes.items[r->node];

	buffer_add_string(&w->line, "  ");
	add_words(w, n->full);
	buffer_add_string(&w->line, ", ");
	add_words(w, r->words);
	if (r->verdict.length > 0) {
		buffer_add_string(&w->line, ": ");
		add_words(w, r->verdict);
	}
	buffer_printf(&w->line, " n%" PRIu32, n->id);
	flush_paragraph(w, 0, 4);
	write_unwrapped(w, "    sha256 before      ", r->before_sha256);
	write_unwrapped(w, "    sha256 after       ", r->after_sha256);
	write_unwrapped(w, "    sha256 as executed ", r->executed_sha256);
	write_preview(w, r->preview, r->preview_is_hex ? HEX_SHOWN : PREVIEW_SHOWN);
	write_unwrapped(w, r->command_after.length > 0 ? "    before: " : "    ", r->command);
	write_unwrapped(w, "    after:  ", r->command_after);
}

static void write_recoveries(struct text_writer *w)
{
	size_t worth = 0;

	for (int lost = 1; lost >= 0 && disk_is_asked(w->p); lost--)
		for (size_t i = 0; i < w->p->recoveries.count; i++) {
			const struct picture_recovery *r = &w->p->recoveries.items[i];

			if (r->lost != (lost == 1) || !disk_recovery_is_worth(w->p, r) || ++worth > RECOVERIES_SHOWN)
				continue;
			if (worth == 1)
				heading(w, "What the disk gives back (-o FILE writes it into a file)");
			write_recovery(w, r);
		}
	if (worth > RECOVERIES_SHOWN) {
		buffer_printf(&w->line, "  +%zu more file%s: add --format json", worth - RECOVERIES_SHOWN, worth - RECOVERIES_SHOWN == 1 ? "" : "s");
		flush_paragraph(w, 0, 4);
	}
}

// --- what is missing

static void write_missing(struct text_writer *w)
{
	heading(w, "What is missing");
	if (!w->p->missing.count)
		say(w, "  nothing that the logs would tell of");
	for (int pass = 0; pass < 2; pass++) // measured loss first
		for (size_t i = 0; i < w->p->missing.count; i++) {
			const struct picture_missing *m = &w->p->missing.items[i];
			if (m->loss != (pass == 0))
				continue;
			buffer_add_string(w->out, "  ");
			if (m->loss)
				style(w, STYLE_ALERT);
			buffer_add_string(w->out, m->loss ? "LOSS  " : "blind ");
			if (m->loss)
				style_end(w);
			add_words(w, m->words);
			flush_paragraph(w, 8, 8);
			if (!m->rule.length)
				continue;
			say(w, "        rule that would have recorded it:");
			style(w, STYLE_MUTED);
			write_unwrapped(w, "        ", m->rule);
			style_end(w);
		}
}

// --- the story

static void write_step(struct text_writer *w, const struct picture_step *step)
{
	size_t times = time_cells(w);
	const char *code = step->alert ? STYLE_ALERT : step->on_path ? STYLE_PATH : NULL;
	if (code)
		style(w, code);
	if (step->alert)
		buffer_add_string(w->out, "   ! ");
	else
		buffer_printf(w->out, " %2" PRIu32 "%c ", step->number, step->on_path ? '*' : ' ');
	if (code)
		style_end(w);
	add_time(w, step->time_ns);
	pad_line(w, times + 2);
	add_words(w, step->words);
	if (disk_step_is_recovered(w->p, step))
		buffer_add_string(&w->line, " [recovered]");
	flush_paragraph(w, 5, times + 7);
}

static void write_story(struct text_writer *w)
{
	heading(w, "Story (* on the path from the root cause to the contact)");
	if (!w->p->steps.count)
		say(w, "  no step is known");
	for (size_t i = 0; i < w->p->steps.count; i++)
		write_step(w, &w->p->steps.items[i]);
}

// --- next

static void write_folds(struct text_writer *w)
{
	size_t members = 0;
	for (size_t i = 0; i < w->p->folds.count; i++)
		members += w->p->folds.items[i].member_count;
	if (!members)
		return;
	buffer_add_string(&w->line, "  ");
	text_count(&w->line, members);
	buffer_add_string(&w->line, " further nodes are folded into ");
	text_count(&w->line, w->p->folds.count);
	buffer_add_string(&w->line, "; all their names: add --format json");
	flush_paragraph(w, 0, 4);
}

static const struct picture_node *node_to_ask(const struct picture *p)
{
	const struct picture_node *best = NULL;
	for (size_t i = 0; i < p->nodes.count; i++) {
		const struct picture_node *n = &p->nodes.items[i];
		if (n->kind == PICTURE_FOLD || n->alert || !n->rank)
			continue;
		if (n->root_cause)
			return n;
		if (!best || n->rank < best->rank)
			best = n;
	}
	return best;
}

static void write_next(struct text_writer *w)
{
	const struct picture_node *ask = node_to_ask(w->p);
	bool rules = false;
	heading(w, "Next");
	if (ask) {
		buffer_printf(&w->line, "  why is a node here: add --why n%" PRIu32 " (", ask->id);
		add_words(w, ask->name);
		buffer_add_string(&w->line, "), or a path, a pid, an address");
		flush_paragraph(w, 0, 4);
	}
	write_folds(w);
	for (size_t i = 0; i < w->p->missing.count; i++)
		rules |= w->p->missing.items[i].rule.length > 0;
	if (rules)
		say(w, "  record more from now on: provgraph rules");
	if (w->p->layout_fell_back)
		say(w, "  the drawing's layout fell back to the built-in one");
	for (size_t i = 0; i < w->p->inputs.count; i++) {
		const struct picture_input *input = &w->p->inputs.items[i];
		if (input->to == 0)
			continue;
		buffer_add_string(&w->line, "  read: ");
		add_words(w, input->name);
		if (input->sha256.length) {
			buffer_add_string(&w->line, " sha256 ");
			add_words(w, input->sha256);
		}
		style(w, STYLE_MUTED);
		flush_paragraph(w, 0, 4);
		style_end(w);
	}
}

// Clock times are enough while all of them share a day and an offset; the head has both.
static enum nanotime_format choose_format(const struct picture *p)
{
	struct buffer first = {0}, other = {0};
	uint64_t base = p->contact_ns != NANOTIME_NONE ? p->contact_ns : p->from_ns;
	bool same = true;
	nanotime_format(&first, base, NANOTIME_DATE, p->zone);
	nanotime_format_offset(&first, base, p->zone);
	for (size_t i = 0; i < p->steps.count + p->notes.count && same; i++) {
		uint64_t ns = i < p->steps.count ? p->steps.items[i].time_ns : p->notes.items[i - p->steps.count].time_ns;
		if (ns == NANOTIME_NONE)
			continue;
		buffer_clear(&other);
		nanotime_format(&other, ns, NANOTIME_DATE, p->zone);
		nanotime_format_offset(&other, ns, p->zone);
		same = strcmp(buffer_string(&first), buffer_string(&other)) == 0;
	}
	buffer_release(&first);
	buffer_release(&other);
	return same ? NANOTIME_CLOCK : NANOTIME_FULL;
}

int write_text(const struct picture *p, struct write_text_options options, struct buffer *out, struct error *err)
{
	struct text_writer w = {.p = p, .out = out, .color = options.color, .format = choose_format(p)};
	w.columns = options.columns ? options.columns : DEFAULT_COLUMNS;
	w.columns = w.columns < MIN_COLUMNS ? MIN_COLUMNS : w.columns;
	write_head(&w);
	write_findings(&w);
	write_disks(&w);
	write_notes(&w, NOTE_LOGIN, "the logs do not tell");
	static const enum note_kind kinds[] = {NOTE_RAN, NOTE_DROPPED, NOTE_PERSISTS, NOTE_PRIVILEGE, NOTE_CLEANED, NOTE_CONTACT, NOTE_OTHER_CONTACT};
	for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
		write_notes(&w, kinds[i], kinds[i] == NOTE_PERSISTS ? "nothing that was seen" : NULL);
	write_recoveries(&w);
	write_missing(&w);
	write_story(&w);
	write_changed_records(&w);
	write_next(&w);
	int result = w.line.failed ? error_set(err, "text: out of memory") : buffer_check(out, err);
	buffer_release(&w.line);
	return result;
}
