// SPDX-License-Identifier: MIT
// Which states are the loss of content of a log: of a file that had only ever been appended to.
#include "graph/annotate_work.h"

#include "graph/persistence.h"

#define LOG_GROWTHS 2u /* our choice: without a log's name this often it must have grown before */
#define ANEW_NS (60 * NANOTIME_SECOND) /* our choice: what comes so near to the deletion is the same log, written anew */
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

// ---- deleted, and written anew

static bool shares_log_name(const struct graph *g, const struct file *a, const struct file *b)
{
	for (size_t i = 0; i < a->names.count; i++) {
		uint32_t name = a->names.items[i].name;
		if (!persistence_is_log(intern_string(g->strings, name), intern_length(g->strings, name)))
			continue;
		for (size_t k = 0; k < b->names.count; k++)
			if (name == b->names.items[k].name)
				return true;
	}
	return false;
}

uint32_t annotate_written_anew(const struct graph *g, uint32_t file, uint64_t gone_ns)
{
	const struct file *old = &g->files.items[file];
	uint32_t best = GRAPH_NONE;
	uint64_t best_ns = NANOTIME_NONE;

	for (uint32_t i = 0; i < g->files.count; i++) {
		const struct file *f = &g->files.items[i];
		if (i == file || !f->created_seen || f->host != old->host || f->dev != old->dev || f->created_ns >= best_ns ||
		    annotate_apart(f->created_ns, gone_ns) > ANEW_NS || !shares_log_name(g, old, f))
			continue;
		best = i;
		best_ns = f->created_ns;
	}
	return best;
}

const struct annotate_state *annotate_first_full(const struct annotate_answer *a)
{
	for (size_t i = 0; i < a->states.count; i++)
		if (a->states.items[i].disk.size_bytes > 0 && a->states.items[i].disk.links > 0)
			return &a->states.items[i];
	return NULL;
}
