// SPDX-License-Identifier: MIT
// Below the picture: the numbered story, what an investigator asks first (who logged in, what ran, what persists ...), and what is
// missing. Somebody who has this file only can retell the incident.
#include "graph/svg.h"

#include "base/memory.h"
#include "graph/disk_words.h"
#include "graph/svg_blocks.h"

#define COLUMN_WIDTH 400.0 /* at least */
#define NOTES_OF_A_KIND 8  /* then "+5 more": json has all */
#define MISSING_SHOWN 14

// ---- what is said

static int add_steps(struct block_vector *out, const struct picture *p)
{
	if (p->steps.count > 0 && !block_add(out, BLOCK_HEADING, svg_words("Story")))
		return -1;
	for (size_t i = 0; i < p->steps.count; i++) {
		struct block *block = block_add(out, BLOCK_STEP, p->steps.items[i].words);

		if (!block)
			return -1;
		block->step = &p->steps.items[i];
		block->bad = block->step->alert;
		block->time_ns = block->step->time_ns;
		if (disk_step_is_recovered(p, block->step))
			buffer_add_string(&block->words, " (recovered)");
	}
	return 0;
}

static int add_notes(struct block_vector *out, const struct picture *p, enum note_kind kind, const char *heading)
{
	size_t shown = 0, hidden = 0;

	for (size_t i = 0; i < p->notes.count; i++) {
		const struct picture_note *note = &p->notes.items[i];

		if (note->kind != kind)
			continue;
		if (shown == NOTES_OF_A_KIND) {
			hidden++;
			continue;
		}
		if (shown++ == 0 && !block_add(out, BLOCK_HEADING, svg_words(heading)))
			return -1;
		struct block *block = block_add(out, BLOCK_NOTE, note->words);
		if (!block)
			return -1;
		block->time_ns = note->time_ns;
		block->node = note->node;
		if (note->claimed)
			buffer_add_string(&block->words, " (claimed by a program)");
	}
	return block_add_more(out, hidden);
}

static int add_missing(struct block_vector *out, const struct picture *p)
{
	size_t shown = 0;

	if (p->missing.count > 0 && !block_add(out, BLOCK_HEADING, svg_words("What is missing")))
		return -1;
	for (int loss = 1; loss >= 0; loss--)
		for (size_t i = 0; i < p->missing.count; i++) {
			const struct picture_missing *m = &p->missing.items[i];

			if (m->loss != (loss == 1) || shown == MISSING_SHOWN)
				continue;
			struct block *block = block_add(out, BLOCK_NOTE, m->words);
			if (!block)
				return -1;
			block->bad = m->loss;
			if (m->loss && m->from_ns != 0)
				block->time_ns = m->from_ns;
			if (m->rule.length > 0 && !block_add(out, BLOCK_RULE, m->rule))
				return -1;
			shown++;
		}
	return block_add_more(out, p->missing.count - shown);
}

static int add_rest(struct block_vector *out, const struct picture *p)
{
	static const struct { enum note_kind kind; const char *heading; } kinds[] = {
		{NOTE_LOGIN, "Who logged in"}, {NOTE_RAN, "What ran"}, {NOTE_DROPPED, "What was dropped"},
		{NOTE_PERSISTS, "What persists"}, {NOTE_PRIVILEGE, "Changes of privilege"}, {NOTE_CLEANED, "What was cleaned"},
		{NOTE_CONTACT, "Contacts"}, {NOTE_OTHER_CONTACT, "Other contacts"},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
		if (add_notes(out, p, kinds[i].kind, kinds[i].heading) < 0)
			return -1;
	return add_missing(out, p);
}

double svg_story(struct svg_page *page, double x, double y, double width)
{
	struct block_vector story = {0};

	// With a disk they are many lines: those stand where there are several columns.
	if (add_steps(&story, page->p) < 0 || (!disk_is_asked(page->p) && svg_add_recoveries(&story, page->p) < 0))
		page->out->failed = true;
	else if (story.count > 0)
		y += blocks_draw(page, &story, x, y, width, 1);
	blocks_release(&story);
	return y;
}

double svg_notes(struct svg_page *page, double y, double right)
{
	double room = right - SVG_MARGIN + SVG_COLUMN_GAP;
	size_t columns = (size_t)(room / (COLUMN_WIDTH + SVG_COLUMN_GAP));
	double width = room / (double)columns - SVG_COLUMN_GAP;
	struct block_vector notes = {0};

	if (svg_add_findings(&notes, page->p) < 0 || (disk_is_asked(page->p) && svg_add_recoveries(&notes, page->p) < 0) || add_rest(&notes, page->p) < 0)
		page->out->failed = true;
	else if (notes.count > 0)
		y += blocks_draw(page, &notes, SVG_MARGIN, y, width, columns);
	blocks_release(&notes);
	return y;
}
