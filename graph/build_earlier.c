// SPDX-License-Identifier: MIT
// Files that were made before the window: which to ask for, and taking in what their makers did. The events of long ago come first and in
// order of time, so that they build up as any others do; only a file of an older boot has to be known as the one of now.
#include "graph/build.h"

static bool is_worth_following(const struct graph *g, const struct file *f)
{
	if (f->created_seen || f->sink || f->inode == 0 || f->kind == FILE_MEMFD)
		return false;
	// Folders, terminals and FIFOs carry nothing of their maker.
	return (f->kind == FILE_REGULAR || f->kind == FILE_UNKNOWN || f->kind == FILE_SYMLINK) && g->nodes.items[f->versions.items[0]].kind == NODE_FILE;
}

int graph_missing_creators(const struct graph *g, const struct trace *t, double min_score, size_t limit, struct creator_vector *out, struct error *err)
{
	for (size_t i = 0; i < t->order.count && out->count < limit; i++) {
		uint32_t node = t->order.items[i];
		const struct trace_node *n = &t->nodes[node];

		if (n->score < min_score)
			break; // best first
		// What only followed tells nothing of the beginning; and a later version's content is not what the maker wrote.
		if (n->side != TRACE_CAUSE || g->nodes.items[node].kind != NODE_FILE || g->nodes.items[node].part != 0)
			continue;
		const struct file *f = &g->files.items[g->nodes.items[node].entity];
		struct creator_wanted w = {.host = f->host, .epoch = f->epoch, .dev = f->dev, .inode = f->inode, .score = n->score};

		w.before_ns = n->usable_ns;
		if (is_worth_following(g, f) && f->generation == 1 && creator_vector_append(out, w) < 0)
			return error_set(err, "out of memory");
	}
	return 0;
}

int graph_add_earlier_event(struct graph *g, const struct event *event, uint32_t file_epoch, bool maker, struct error *err)
{
	struct graph_builder *b = g->builder;

	b->file_epoch = file_epoch;
	b->other_file_epoch = file_epoch != event->epoch;
	int result = graph_add_event(g, event, err);
	b->other_file_epoch = false;
	if (result < 0 || !maker || event->kind != EVENT_SYSCALL || !event_has(event, EVENT_HAS_PID))
		return result;
	uint32_t process = process_find(b, realm_of(b, event->host, event->epoch), event->pid);

	if (process != GRAPH_NONE && u32_vector_append(&b->creators, process) < 0)
		b->failed = true;
	return builder_check(b, "creators", err);
}
