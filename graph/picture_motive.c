// SPDX-License-Identifier: MIT
#include "graph/picture_motive.h"

#include "graph/label.h"
#include "graph/persistence.h"
#include "graph/picture_session.h"

#include <string.h>

#define EDGES_PER_STEP 65536 /* our limit on edges looked at around one node */

static bool is_content(enum flow_op op)
{
	return op == FLOW_CREATE || op == FLOW_OPEN_WRITE || op == FLOW_WRITE || op == FLOW_PIPE || op == FLOW_UNIX;
}

// How well an edge names the writer of a content: an observed write before one that an inherited descriptor only made possible, and
// both before a mere renamer.
static unsigned writer_weight(const struct flow_edge *e)
{
	if (is_content(e->op))
		return e->class == CLASS_OBSERVED ? 3 : 2;
	return e->op == FLOW_RENAME || e->op == FLOW_LINK ? 1 : 0;
}

// Who wrote `node` last before `before_ns`, other than the reader; of a pipe: who stands left of the reader in a pipeline.
static uint32_t last_writer(const struct subjects *s, uint32_t node, uint64_t before_ns, uint32_t reader)
{
	bool pipe = s->graph->nodes.items[node].kind == NODE_PIPE;
	uint32_t best = GRAPH_NONE, end = s->graph->in_start.items[node + 1], looked = 0;
	unsigned best_weight = 1;
	for (uint32_t i = s->graph->in_start.items[node]; i < end && looked < EDGES_PER_STEP; i++, looked++) {
		const struct flow_edge *e = &s->graph->edges.items[s->graph->in_edges.items[i]];
		if (e->start_ns > before_ns)
			break;
		if (e->failed || s->of[e->from] == s->of[reader] || s->graph->nodes.items[e->from].kind != NODE_PROCESS ||
		    (pipe && !session_pipeline(s->graph, e->from, reader)))
			continue;
		unsigned weight = writer_weight(e);
		if (weight >= best_weight) {
			best = s->graph->in_edges.items[i];
			best_weight = weight;
		}
	}
	return best;
}

// What neither begins sessions nor is a shell has a story of its own. A stub is judged by the program that it went on to execute.
bool motive_has_own_story(const struct subjects *s, uint32_t node)
{
	struct label_span p = label_program(s->graph, subjects_segment(s, s->of[node]));
	return p.length && !persistence_begins_sessions(p.bytes, p.length) && !persistence_is_shell(p.bytes, p.length);
}

static bool carries_content(const struct file *f)
{
	return !f->sink && f->kind != FILE_FOLDER && f->kind != FILE_CHARACTER && f->kind != FILE_SOCKET;
}

static double file_strength(const struct subjects *s, uint32_t edge)
{
	const struct flow_edge *e = &s->graph->edges.items[edge];
	const struct subject *file = &s->items[s->of[e->from]];
	const struct segment *reader = graph_segment_of(s->graph, e->to);
	if (e->op == FLOW_EXECUTE)
		return 1.0;
	if (e->op == FLOW_SYMLINK)
		return 0.3;
	if (e->op != FLOW_OPEN_READ && e->op != FLOW_READ && e->op != FLOW_INTERPRET)
		return 0;
	if (label_is_script_of(s->graph, graph_file_of(s->graph, e->from), reader))
		return 1.0;
	struct label_span program = label_program(s->graph, reader);
	if ((file->marks & MARK_PERSISTS) && persistence_begins_sessions(program.bytes, program.length))
		return 0.9;
	// A shell or a daemon reads so much that nothing follows from one file of it.
	if (!motive_has_own_story(s, e->to))
		return 0;
	if (label_is_named_by(s->graph, graph_file_of(s->graph, e->from), reader))
		return 0.7;
	struct trace_factors factors;
	trace_edge_factors(s->trace, edge, &factors);
	return 0.4 * factors.prior * factors.fan;
}

// Any argument that is no option: its script, or what it was told to run.
static bool has_script(const struct graph *g, const struct segment *s)
{
	for (uint32_t i = 1; i < s->argv_count; i++) {
		uint32_t a = g->arguments.items[s->argv + i];
		const char *bytes = intern_string(g->strings, a);
		size_t length = intern_length(g->strings, a);
		if (length == 0 || bytes[0] != '-' || memchr(bytes, 'c', length)) // -c, -ec: the next one is the command
			return true;
	}
	return s->argv_count == 0; // not known
}

// `sh` with nothing to run but what comes in: a pipe into it is its script.
static double pipe_strength(const struct graph *g, const struct flow_edge *e)
{
	const struct segment *s = graph_segment_of(g, e->to);
	struct label_span program = label_program(g, s);
	return persistence_is_interpreter(program.bytes, program.length) && !has_script(g, s) ? 0.7 : 0.2;
}

static bool motive_of_edge(const struct subjects *s, uint32_t edge, uint64_t time, struct motive *ret)
{
	const struct flow_edge *e = &s->graph->edges.items[edge];
	uint32_t reader = s->of[e->to];
	uint64_t until = e->end_ns < time ? e->end_ns : time;
	*ret = (struct motive){.read_edge = edge, .write_edge = GRAPH_NONE, .time_ns = until};
	switch ((enum node_kind)s->graph->nodes.items[e->from].kind) {
	case NODE_FILE:
		if (!carries_content(graph_file_of(s->graph, e->from)))
			return false;
		ret->strength = file_strength(s, edge);
		// A program is taken as it was when it was executed; what is read may come as long as it is open.
		ret->write_edge = ret->strength < MOTIVE_MIN ? GRAPH_NONE :
				  last_writer(s, e->from, ret->strength >= 1.0 ? e->start_ns : until, e->to);
		break;
	case NODE_PIPE:
		ret->strength = pipe_strength(s->graph, e);
		ret->write_edge = last_writer(s, e->from, until, e->to);
		break;
	case NODE_PROCESS:
		if (e->op != FLOW_INJECT && e->op != FLOW_PIPE)
			return false;
		ret->strength = e->op == FLOW_INJECT ? 1.0 : pipe_strength(s->graph, e);
		return ret->strength >= MOTIVE_MIN && s->of[e->from] != reader;
	case NODE_CONNECTION:
	case NODE_UNIX_SOCKET:
	case NODE_KERNEL:
		return false;
	}
	return ret->strength >= MOTIVE_MIN && ret->write_edge != GRAPH_NONE;
}

bool motive_stronger(const struct graph *g, const struct motive *a, const struct motive *b)
{
	if (a->strength > b->strength || a->strength < b->strength)
		return a->strength > b->strength;
	const struct flow_edge *x = &g->edges.items[a->read_edge], *y = &g->edges.items[b->read_edge];
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns;
	return a->read_edge < b->read_edge;
}

// Puts `in` into its place; of several flows from one source the strongest counts.
static size_t keep_motive(const struct subjects *s, struct motive *best, size_t count, const struct motive *in)
{
	const struct edge_vector *edges = &s->graph->edges;
	for (size_t k = 0; k < count; k++) {
		if (s->of[edges->items[best[k].read_edge].from] != s->of[edges->items[in->read_edge].from])
			continue;
		if (!motive_stronger(s->graph, in, &best[k]))
			return count;
		memmove(&best[k], &best[k + 1], (--count - k) * sizeof(*best));
		break;
	}
	size_t at = count < MOTIVES_MAX ? count++ : MOTIVES_MAX;
	for (; at > 0 && motive_stronger(s->graph, in, &best[at - 1]); at--)
		if (at < MOTIVES_MAX)
			best[at] = best[at - 1];
	if (at < MOTIVES_MAX)
		best[at] = *in;
	return count;
}

size_t motives_of(const struct subjects *s, uint32_t node, uint64_t time_ns, struct motive best[MOTIVES_MAX])
{
	const struct graph *g = s->graph;
	size_t count = 0;
	uint32_t looked = 0;
	for (uint32_t i = g->in_start.items[node]; i < g->in_start.items[node + 1]; i++) {
		struct motive in;
		uint32_t edge = g->in_edges.items[i];
		if (g->edges.items[edge].start_ns > time_ns || ++looked > EDGES_PER_STEP)
			break;
		if (!g->edges.items[edge].failed && motive_of_edge(s, edge, time_ns, &in))
			count = keep_motive(s, best, count, &in);
	}
	return count;
}
