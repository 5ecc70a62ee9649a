// SPDX-License-Identifier: MIT
// What was taken. A file that tar read after the contact led nowhere that the records show (its bytes left through a connection, and
// audit does not see bytes), so it is neither cause nor effect and not in the slice. An analyst asks for it all the same: files
// that the incident's own processes opened for reading, as far as they are not read by everybody.
#include "graph/picture_work.h"

#include "graph/picture_choose.h"

#include <stdlib.h>

#define READERS_MAX 3      /* nodes that one picture spends on this */
#define PRIOR_MIN 0.5      /* rank's prior: read by few of the log's sessions and services */

static bool is_taken(const struct picture_work *w, uint32_t edge)
{
	const struct flow_edge *e = &w->g->edges.items[edge];
	const struct subject *it = &w->s.items[w->s.of[e->from]];
	const struct file *f = graph_file_of(w->g, e->from);
	if (!f || it->side != TRACE_NONE || e->failed || e->class != CLASS_OBSERVED || (e->op != FLOW_OPEN_READ && e->op != FLOW_READ) ||
	    f->sink || f->kind == FILE_FOLDER || f->kind == FILE_CHARACTER)
		return false;
	struct trace_factors factors;
	trace_edge_factors(w->t, edge, &factors);
	return factors.prior >= PRIOR_MIN;
}

static int find_taken(const struct picture_work *w, uint32_t reader, uint8_t *seen, struct u32_vector *out)
{
	for (uint32_t i = w->s.member_start[reader]; i < w->s.member_start[reader + 1]; i++) {
		uint32_t node = w->s.members[i];
		for (uint32_t k = w->g->in_start.items[node]; k < w->g->in_start.items[node + 1]; k++) {
			uint32_t edge = w->g->in_edges.items[k], file = w->s.of[w->g->edges.items[edge].from];
			if (!is_taken(w, edge) || seen[file])
				continue;
			seen[file] = 1;
			if (u32_vector_append(out, file) < 0)
				return -1;
		}
	}
	return 0;
}

static int add_taken(struct picture_work *w, uint32_t reader, struct u32_vector *files)
{
	if (files->count == 1) {
		w->s.items[files->items[0]].marks |= MARK_SHOWN;
		return 0;
	}
	struct fold fold = {.anchor = reader, .side = TRACE_NONE, .op = FLOW_OPEN_READ, .kind = PICTURE_FILE, .collected = true};
	fold.members = *files;
	if (fold_vector_append(&w->folds.items, fold) < 0)
		return -1;
	for (size_t i = 0; i < files->count; i++)
		w->folds.of[files->items[i]] = (uint32_t)(w->folds.items.count - 1);
	*files = (struct u32_vector){0};
	return 0;
}

static bool may_have_taken(const struct picture_work *w, uint32_t subject)
{
	const struct subject *it = &w->s.items[subject];
	return it->kind == PICTURE_PROCESS && (it->marks & MARK_SHOWN) && (it->marks & MARK_OURS) && !(it->marks & MARK_ABOVE) &&
	       (it->side == TRACE_EFFECT || subject == w->path.contact);
}

int picture_find_collected(struct picture_work *w)
{
	size_t drawn = picture_count_drawn(w), taken = 0;
	struct u32_vector files = {0};
	uint8_t *seen = calloc((size_t)w->s.count + 1, 1);
	int result = seen ? 0 : -1;
	for (size_t i = 0; i < w->t->order.count && result == 0 && taken < READERS_MAX && drawn < PICTURE_DRAWN_DEFAULT; i++) {
		uint32_t reader = w->s.of[w->t->order.items[i]];
		if (w->s.items[reader].best != w->t->order.items[i] || !may_have_taken(w, reader))
			continue;
		files.count = 0;
		result = find_taken(w, reader, seen, &files);
		if (result == 0 && files.count) {
			result = add_taken(w, reader, &files);
			drawn++;
			taken++;
		}
	}
	u32_vector_release(&files);
	free(seen);
	return result;
}
