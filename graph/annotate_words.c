// SPDX-License-Identifier: MIT
// What callers see of an annotation, and what readers do.
#include "graph/annotate_work.h"

const struct annotate_answer *annotation_of(const struct annotation *a, uint32_t file)
{
	return &a->answers[file];
}

const struct annotate_volume *annotation_volume(const struct annotation *a, uint32_t volume)
{
	return &a->volumes[volume];
}

const char *annotate_verdict_words(enum annotate_verdict v)
{
	switch (v) {
	case ANNOTATE_NOT_ASKED: return "not asked";
	case ANNOTATE_NOT_COVERED: return "disk not covered";
	case ANNOTATE_SHOWN: return "shown";
	case ANNOTATE_NEVER_REACHED: return "never reached the disk";
	case ANNOTATE_PENDING: return "content pending";
	}
	return "?";
}

const char *annotate_state_words(enum annotate_state_verdict v)
{
	switch (v) {
	case ANNOTATE_STATE_BEFORE: return "as before";
	case ANNOTATE_STATE_WRITTEN: return "written here";
	case ANNOTATE_STATE_UNSEEN: return "no record accounts for it";
	case ANNOTATE_STATE_CONTENT_PENDING: return "content pending";
	case ANNOTATE_STATE_NAME: return "name or attributes";
	case ANNOTATE_STATE_AFTER: return "after the log ends";
	}
	return "?";
}

const char *annotate_change_words(const struct timeline_state *s)
{
	const unsigned change = s->change;

	if (change & TIMELINE_APPEARED)
		return "appeared";
	if (change & TIMELINE_DELETED)
		return "deleted";
	if (change & TIMELINE_CUT)
		return s->size_bytes == 0 ? "emptied" : change & TIMELINE_REWRITTEN ? "cut and changed in place" : "cut";
	if (change & TIMELINE_REWRITTEN)
		return change & TIMELINE_GREW ? "changed in place and grew" : "changed in place";
	if (change & TIMELINE_GREW)
		return "grew";
	return change & TIMELINE_ARRIVED ? "content came in" : change & TIMELINE_RENAMED ? "renamed" : "";
}

char annotate_glyph(const struct timeline_state *s)
{
	if (s->change & TIMELINE_APPEARED)
		return '+';
	if (s->change & TIMELINE_DELETED)
		return 'x';
	if (s->change & TIMELINE_CUT)
		return 'v';
	if (s->change & (TIMELINE_GREW | TIMELINE_REWRITTEN | TIMELINE_ARRIVED))
		return '~';
	return s->change ? '>' : '~'; // names and attributes; 0: its content was as it is
}
