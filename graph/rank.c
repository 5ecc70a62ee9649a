// SPDX-License-Identifier: MIT
#include "graph/rank.h"

#include "base/nanotime.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CONDUCTANCE_MAX 0.98   /* every hop costs something, or the length of a path would not count */
#define CONDUCTANCE_MIN 1e-6
#define PRIOR_MIN 0.02
#define PROCESS_FAN_MIN 0.5    /* reached at degree 14: starting 3,000 children tells no more than starting 14 */
#define RARE_IN_BASELINE 0.3
#define NO_WRITE_SEEN 0.3      /* still a licence: what a process meant to do tells something, but no content came from it */

// Kinds of flow, by how much they tell. Only ratios matter.
static const double op_factor[FLOW_COUNT] = {
	[FLOW_FORK] = 0.9, [FLOW_EXEC] = 1.0, [FLOW_EXECUTE] = 1.0, [FLOW_INTERPRET] = 0.6,
	[FLOW_OPEN_READ] = 0.85, [FLOW_READ] = 0.9, [FLOW_OPEN_WRITE] = 0.95, [FLOW_WRITE] = 0.98,
	[FLOW_CREATE] = 0.95, [FLOW_RENAME] = 0.95, [FLOW_LINK] = 0.9, [FLOW_TRUNCATE] = 0.95,
	[FLOW_DELETE] = 0.95, [FLOW_ATTRIBUTE] = 0.7, [FLOW_SYMLINK] = 0.9,
	[FLOW_CONNECT] = 0.95, [FLOW_ACCEPT] = 0.95, [FLOW_RECEIVE] = 0.95, [FLOW_PIPE] = 0.9,
	[FLOW_UNIX] = 0.6, [FLOW_START] = 0.6, [FLOW_INJECT] = 1.0, [FLOW_SIGNAL] = 0.4,
	[FLOW_KERNEL] = 0.9,
};
#define FOLDER_LISTING 0.35    /* reading a folder's entries carries names, hardly contents */
#define SINK_FACTOR 0.3        /* /dev/null, /proc/self ...: nothing passes from one process to another */

// --- a baseline: open addressing over 64-bit keys, never iterated, so its order cannot reach the output

struct baseline_slot { uint64_t key; uint32_t trees, last_tree; };

struct baseline {
	struct baseline_slot *slots;
	size_t capacity, used;
	uint32_t trees;
};

static uint64_t mix(uint64_t h, const void *bytes, size_t length)
{
	const uint8_t *p = bytes;
	for (size_t i = 0; i < length; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3); // FNV-1a
	return (h ^ (h >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
}

static uint64_t mix_string(uint64_t h, const struct intern *strings, uint32_t id)
{
	return mix(h, intern_string(strings, id), intern_length(strings, id));
}

static struct baseline_slot *baseline_slot(const struct baseline *b, uint64_t key)
{
	for (size_t i = (size_t)key & (b->capacity - 1);; i = (i + 1) & (b->capacity - 1))
		if (b->slots[i].key == key || b->slots[i].key == 0)
			return &b->slots[i];
}

static int baseline_rehash(struct baseline *b)
{
	struct baseline bigger = {.capacity = b->capacity ? 2 * b->capacity : 1024, .trees = b->trees};
	bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -1;
	for (size_t i = 0; i < b->capacity; i++)
		if (b->slots[i].key)
			*baseline_slot(&bigger, b->slots[i].key) = b->slots[i];
	bigger.used = b->used;
	free(b->slots);
	*b = bigger;
	return 0;
}

// One tree did this once more. Edges come sorted by time, not by tree, so a tree that returns after another one counts
// again: df is then too high, never too low, which only makes the ordinary more ordinary.
static int baseline_count(struct baseline *b, uint64_t key, uint32_t tree)
{
	if (2 * (b->used + 1) > b->capacity && baseline_rehash(b) < 0)
		return -1;
	struct baseline_slot *slot = baseline_slot(b, key ? key : 1);
	if (!slot->key) {
		*slot = (struct baseline_slot){.key = key ? key : 1, .last_tree = tree, .trees = 1};
		b->used++;
	} else if (slot->last_tree != tree) {
		slot->last_tree = tree;
		if (slot->trees < b->trees)
			slot->trees++;
	}
	return 0;
}

static uint32_t baseline_trees(const struct baseline *b, uint64_t key)
{
	return b->capacity ? baseline_slot(b, key ? key : 1)->trees : 0;
}

// --- what an edge is about

static const struct segment *edge_segment(const struct graph *g, const struct flow_edge *e)
{
	const struct segment *s = graph_segment_of(g, e->from);
	return s ? s : graph_segment_of(g, e->to);
}

static const struct file *edge_file(const struct graph *g, const struct flow_edge *e)
{
	const struct file *f = graph_file_of(g, e->from);
	return f ? f : graph_file_of(g, e->to);
}

static uint64_t path_key(const struct graph *g, const struct file *f)
{
	return mix_string(1, g->strings, file_name_at(f, NANOTIME_NONE));
}

// (program, flow, what it touched): a file's folder, a child's program, an address.
static uint64_t habit_key(const struct graph *g, const struct flow_edge *e)
{
	const struct segment *s = edge_segment(g, e);
	uint64_t h = mix(2, &e->op, 1);
	h = s ? mix_string(h, g->strings, s->exe) : h;
	const struct file *f = edge_file(g, e);
	if (f) {
		uint32_t name = file_name_at(f, NANOTIME_NONE);
		const char *base;
		size_t base_length, folder_length;
		text_split_path(intern_string(g->strings, name), intern_length(g->strings, name), &base,
				&base_length, &folder_length);
		return mix(h, intern_string(g->strings, name), folder_length);
	}
	const struct connection *c = graph_connection_of(g, e->to);
	c = c ? c : graph_connection_of(g, e->from);
	if (c)
		return mix(h, c->address.ip, sizeof(c->address.ip));
	const struct segment *to = graph_segment_of(g, e->to);
	return to ? mix_string(h, g->strings, to->exe) : h;
}

static uint32_t edge_tree(const struct graph *g, const struct flow_edge *e)
{
	const struct segment *s = edge_segment(g, e);
	return s ? g->processes.items[s->process].tree : 0;
}

static bool reads_file(enum flow_op op)
{
	return op == FLOW_OPEN_READ || op == FLOW_READ || op == FLOW_EXECUTE || op == FLOW_INTERPRET;
}

struct baseline *baseline_new(const struct graph *g, struct error *err)
{
	struct baseline *b = calloc(1, sizeof(*b));
	if (!b || baseline_rehash(b) < 0)
		goto out_of_memory;
	b->trees = g->trees ? g->trees : 1;
	for (size_t i = 0; i < g->edges.count; i++) {
		const struct flow_edge *e = &g->edges.items[i];
		const struct file *f = edge_file(g, e);
		uint32_t tree = edge_tree(g, e);
		if (baseline_count(b, habit_key(g, e), tree) < 0 ||
		    (f && reads_file(e->op) && baseline_count(b, path_key(g, f), tree) < 0))
			goto out_of_memory;
	}
	return b;
out_of_memory:
	baseline_free(b);
	error_set(err, "baseline: out of memory");
	return NULL;
}

void baseline_free(struct baseline *b)
{
	if (b)
		free(b->slots);
	free(b);
}

// --- factors

// How uncommon: 1 for what one tree alone uses, PRIOR_MIN for what all do.
static double prior_of(uint32_t df, uint32_t trees)
{
	double prior = 1.0 - log(df ? (double)df : 1.0) / log(1.0 + (double)(trees ? trees : 1));
	return prior < PRIOR_MIN ? PRIOR_MIN : prior;
}

static void file_factors(const struct graph *g, const struct baseline *b, const struct flow_edge *e,
			 const struct file *f, struct trace_factors *ret)
{
	bool from_file = graph_file_of(g, e->from) != NULL;
	uint32_t df = from_file ? f->readers_trees : f->accessors_trees;
	ret->trees = g->trees ? g->trees : 1;
	if (b) {
		uint32_t known = baseline_trees(b, path_key(g, f));
		df = df > known + 1 ? df : known + 1;
		ret->trees = ret->trees > b->trees + 1 ? ret->trees : b->trees + 1;
	}
	ret->df = df ? df : 1;
	ret->prior = prior_of(ret->df, ret->trees);
	if (!from_file) // the file is charged in full where it is read; a write to a common file tells somewhat less
		ret->prior = sqrt(ret->prior);
	if (e->op == FLOW_DELETE || e->op == FLOW_TRUNCATE || e->op == FLOW_RENAME)
		ret->prior = 1.0; // to clean a common log is no less telling for its being common
	if (from_file) {
		ret->fan_degree = ret->df;
		ret->fan = 1.0 / log2(1.0 + (double)ret->df);
	}
	if (f->kind == FILE_FOLDER && e->op == FLOW_OPEN_READ)
		ret->op = FOLDER_LISTING;
	if (f->sink)
		ret->op *= SINK_FACTOR;
}

static double class_factor(const struct flow_edge *e)
{
	if (e->class == CLASS_OBSERVED)
		return 1.0;
	if (e->class == CLASS_UNCERTAIN)
		return 0.3;
	if (e->op == FLOW_PIPE)
		return 0.75; // a pipe is two such edges: the record of pipe2, and who was forked while it was open
	return e->op == FLOW_FORK ? 0.8 : 0.5;
}

void rank_edge_factors(const struct graph *g, const struct baseline *baseline, uint32_t edge, struct trace_factors *ret)
{
	const struct flow_edge *e = &g->edges.items[edge];
	*ret = (struct trace_factors){.op = op_factor[e->op], .class_ = class_factor(e), .prior = 1, .fan = 1, .rare = 1, .disk = 1};
	if (graph_segment_of(g, e->from) && graph_file_of(g, e->to)) {
		ret->fan_degree = g->out_start.items[e->from + 1] - g->out_start.items[e->from];
		ret->fan = 1.0 / sqrt(log2(2.0 + (double)ret->fan_degree));
		if (ret->fan < PROCESS_FAN_MIN)
			ret->fan = PROCESS_FAN_MIN;
	}
	const struct file *f = edge_file(g, e);
	if (f)
		file_factors(g, baseline, e, f, ret);
	if (baseline && baseline_trees(baseline, habit_key(g, e)) > 0)
		ret->rare = RARE_IN_BASELINE;
	if (e->no_write_seen)
		ret->disk = NO_WRITE_SEEN;
}

uint32_t rank_cost_of(const struct trace_factors *f)
{
	double conductance = f->op * f->class_ * f->prior * f->fan * f->rare * f->disk;
	if (conductance > CONDUCTANCE_MAX)
		conductance = CONDUCTANCE_MAX;
	if (conductance < CONDUCTANCE_MIN)
		conductance = CONDUCTANCE_MIN;
	return (uint32_t)lround(-log(conductance) * 1e6);
}

int rank_edge_costs(const struct graph *g, const struct baseline *baseline, uint32_t **ret_costs, struct error *err)
{
	uint32_t *costs = malloc((g->edges.count + 1) * sizeof(*costs));
	if (!costs)
		return error_set(err, "ranking %zu edges: out of memory", g->edges.count);
	for (uint32_t i = 0; i < g->edges.count; i++) {
		struct trace_factors f;
		rank_edge_factors(g, baseline, i, &f);
		costs[i] = rank_cost_of(&f);
	}
	*ret_costs = costs;
	return 0;
}
