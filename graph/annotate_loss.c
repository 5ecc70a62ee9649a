// SPDX-License-Identifier: MIT
// Which states are the loss of content of a log: of a file that had only ever been appended to.
#include "graph/annotate_work.h"

#include "graph/persistence.h"

#define LOG_GROWTHS 2u /* our choice: without a log's name this often it must have grown before */
#define LOG_LOSSES 4u  /* our choice: what is changed more often is not only appended to */

static bool is_named_log(const struct graph *g, const struct file *f)
{
	for (size_t i = 0; i < f->names.count; i++)
		if (persistence_is_log(intern_string(g->strings, f->names.items[i].name), intern_length(g->strings, f->names.items[i].name)))
			return true;
	return false;
}

// A log grows, and is hardly ever changed elsewhere than at its end. What is changed in place as often as it grows (a database) is none.
void annotate_mark_losses(const struct graph *g, const struct file *f, struct annotate_states *states)
{
	const unsigned loss = TIMELINE_CUT | TIMELINE_REWRITTEN | TIMELINE_DELETED;
	bool named = is_named_log(g, f);
	size_t least = named ? 1 : LOG_GROWTHS, grew = 0, changed = 0, growths = 0, changes = 0;

	for (size_t i = 0; i < states->count; i++) {
		growths += (states->items[i].disk.change & (TIMELINE_GREW | TIMELINE_REWRITTEN)) == TIMELINE_GREW;
		changes += (states->items[i].disk.change & TIMELINE_REWRITTEN) != 0;
	}
	for (size_t i = 0; i < states->count && growths >= changes && f->kind != FILE_FOLDER; i++) {
		unsigned change = states->items[i].disk.change;
		states->items[i].loss = (change & loss) && grew >= least && changed < LOG_LOSSES;
		grew += (change & (TIMELINE_GREW | TIMELINE_REWRITTEN)) == TIMELINE_GREW;
		changed += (change & loss) != 0;
	}
}
