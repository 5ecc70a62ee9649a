// SPDX-License-Identifier: MIT
// What a disk history could give back: for each drawn file one moment, and the command that asks for the content of that moment.
//
// The moment is the last one before the file was deleted, replaced or cut; else when it was first executed; else the end of what is
// known of it. The log does not say which history holds the file's disk: HISTORY stands in the command.
#include "graph/picture_work.h"

#include "base/nanotime.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

// The first state that destroys content; NULL: none does.
static const struct picture_state *destroyed(const struct picture_node *n)
{
	for (size_t i = 0; i < n->state_count; i++)
		if (n->states[i].glyph == 'x' || n->states[i].glyph == 'v')
			return &n->states[i];
	return NULL;
}

static uint64_t executed_ns(const struct picture *p, uint32_t node)
{
	uint64_t first = NANOTIME_NONE;

	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];
		if (e->from == node && (e->ops & UINT32_C(1) << FLOW_EXECUTE) && !e->failed && e->first_ns < first)
			first = e->first_ns;
	}
	return first;
}

static void choose_moment(const struct picture *p, uint32_t node, struct picture_recovery *r, struct buffer *words)
{
	const struct picture_node *n = &p->nodes.items[node];
	const struct picture_state *end = destroyed(n);
	uint64_t executed = executed_ns(p, node);

	if (end && end->time_ns > 0) {
		r->lost = true;
		r->time_ns = end->time_ns - 1;
		buffer_add_string(words, "before it was ");
		buffer_add(words, end->words.bytes, end->words.length);
	} else if (executed != NANOTIME_NONE) {
		r->time_ns = executed;
		buffer_add_string(words, "as it was executed");
	} else if (n->state_count > 0) {
		r->time_ns = n->states[n->state_count - 1].time_ns;
		buffer_add_string(words, "as it was ");
		buffer_add(words, n->states[n->state_count - 1].words.bytes, n->states[n->state_count - 1].words.length);
	} else {
		r->time_ns = n->last_ns;
		buffer_add_string(words, "as it was last opened");
	}
}

#define PROC_INODES_FROM UINT64_C(0xf0000000) /* PROC_DYNAMIC_FIRST in the kernel's fs/proc/generic.c; they are 32 bits wide */

static bool begins(struct text t, const char *with)
{
	return t.length >= strlen(with) && memcmp(t.bytes, with, strlen(with)) == 0;
}

// What the kernel makes up when it is read lies on no disk. Its file systems have no block device: major 0, as memory's and btrfs have.
static bool is_kernels(const struct file *f, const struct picture_node *n)
{
	return f->sink || (n->dev >> 20 == 0 && ((n->inode >= PROC_INODES_FROM && n->inode <= UINT32_MAX) || begins(n->full, "/proc/") || begins(n->full, "/sys/")));
}

// Folders, pipes, sockets and devices have no content of their own.
static bool has_content(const struct picture_work *w, const struct picture_node *n)
{
	const struct graph_node *node = n->kind == PICTURE_FILE && n->graph_node_count > 0 ? &w->g->nodes.items[n->graph_nodes[0]] : NULL;

	if (!node || n->inode == 0)
		return false;
	if (node->kind != NODE_FILE)
		return true;
	const struct file *f = &w->g->files.items[node->entity];
	enum file_kind kind = f->kind;
	if (is_kernels(f, n))
		return false;
	return kind == FILE_UNKNOWN || kind == FILE_REGULAR || kind == FILE_SYMLINK;
}

int picture_find_recoveries(struct picture_work *w)
{
	struct buffer words = {0};
	bool failed = false;

	for (uint32_t i = 0; i < w->p->nodes.count && !failed; i++) {
		const struct picture_node *n = &w->p->nodes.items[i];
		struct picture_recovery r = {.node = i, .edge = GRAPH_NONE};

		if (!has_content(w, n))
			continue;
		choose_moment(w->p, i, &r, &words);
		r.words = picture_take_text(w->p, &words);
		if (r.time_ns == 0 || r.time_ns == NANOTIME_NONE)
			continue;
		buffer_add_string(&words, "provgraph --restore-at ");
		nanotime_format(&words, r.time_ns, NANOTIME_FULL, w->p->zone);
		buffer_printf(&words, " --disk HISTORY --inode %" PRIu64, n->inode);
		r.command = picture_take_text(w->p, &words);
		failed = picture_recovery_vector_append(&w->p->recoveries, r) < 0;
	}
	failed = failed || words.failed || picture_failed(w->p);
	buffer_release(&words);
	return failed ? -1 : 0;
}
