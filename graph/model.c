// SPDX-License-Identifier: MIT
#include "graph/model.h"

#include "base/nanotime.h"

#include <stddef.h>

// Stable names (json, csv, tests) and the words of the story, side by side.
static const struct { const char *name, *words; } flow_names[FLOW_COUNT] = {
	[FLOW_FORK] = {"fork", "started"},
	[FLOW_EXEC] = {"exec", "became"},
	[FLOW_EXECUTE] = {"execute", "executed"},
	[FLOW_INTERPRET] = {"interpret", "interpreted by"},
	[FLOW_OPEN_READ] = {"open-read", "opened for reading"},
	[FLOW_READ] = {"read", "read"},
	[FLOW_OPEN_WRITE] = {"open-write", "opened for writing"},
	[FLOW_WRITE] = {"write", "wrote"},
	[FLOW_CREATE] = {"create", "created"},
	[FLOW_RENAME] = {"rename", "renamed"},
	[FLOW_LINK] = {"link", "linked"},
	[FLOW_TRUNCATE] = {"truncate", "truncated"},
	[FLOW_DELETE] = {"delete", "deleted"},
	[FLOW_ATTRIBUTE] = {"attribute", "changed attributes"},
	[FLOW_SYMLINK] = {"symlink", "followed the link"},
	[FLOW_CONNECT] = {"connect", "connected"},
	[FLOW_ACCEPT] = {"accept", "accepted a connection"},
	[FLOW_RECEIVE] = {"receive", "may have received"},
	[FLOW_PIPE] = {"pipe", "shared a pipe"},
	[FLOW_UNIX] = {"unix", "used the socket"},
	[FLOW_START] = {"start", "asked to start"},
	[FLOW_INJECT] = {"inject", "reached into"},
	[FLOW_SIGNAL] = {"signal", "sent a signal"},
	[FLOW_KERNEL] = {"kernel", "changed the kernel"},
};

const char *flow_op_name(enum flow_op op)
{
	return op < FLOW_COUNT ? flow_names[op].name : "?";
}

const char *flow_op_words(enum flow_op op)
{
	return op < FLOW_COUNT ? flow_names[op].words : "?";
}

const char *flow_class_name(enum flow_class c)
{
	static const char *const names[] = {"observed", "inferred", "uncertain"};
	return c <= CLASS_UNCERTAIN ? names[c] : "?";
}

const char *node_kind_name(enum node_kind k)
{
	static const char *const names[] = {"process", "file", "connection", "pipe", "unix-socket", "kernel"};
	return k <= NODE_KERNEL ? names[k] : "?";
}

bool flow_is_effect_only(enum flow_op op)
{
	return op == FLOW_DELETE || op == FLOW_SIGNAL;
}

// Entries of the file system before ways by which the file was reached, resolved names before unresolved ones; of equals the newest.
static int name_worth(const struct file_name *n)
{
	return 2 * n->given + n->absolute;
}

uint32_t file_name_at(const struct file *f, uint64_t ns)
{
	const struct file_name *best = NULL;
	bool best_alive = false;
	for (size_t i = 0; i < f->names.count; i++) {
		const struct file_name *n = &f->names.items[i];
		bool alive = ns == NANOTIME_NONE ? n->to_ns == NANOTIME_NONE : n->from_ns <= ns && ns <= n->to_ns;
		if (best && (alive != best_alive ? !alive : name_worth(n) < name_worth(best)))
			continue;
		best = n;
		best_alive = alive;
	}
	return best ? best->name : 0;
}

const struct segment *graph_segment_of(const struct graph *g, uint32_t node)
{
	const struct graph_node *n = &g->nodes.items[node];
	if (n->kind != NODE_PROCESS)
		return NULL;
	return &g->segments.items[g->processes.items[n->entity].segments.items[n->part]];
}

const struct file *graph_file_of(const struct graph *g, uint32_t node)
{
	const struct graph_node *n = &g->nodes.items[node];
	return n->kind == NODE_FILE ? &g->files.items[n->entity] : NULL;
}

const struct connection *graph_connection_of(const struct graph *g, uint32_t node)
{
	const struct graph_node *n = &g->nodes.items[node];
	return n->kind == NODE_CONNECTION ? &g->connections.items[n->entity] : NULL;
}
