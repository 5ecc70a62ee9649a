// SPDX-License-Identifier: MIT
// Slice and rank in one search: see trace.h for what is computed and why it is exact.
//
// A label says "information at `node` at `time` can still reach a seed, at this cost, through `edge`" (backward), or "could be at
// `node` as early as `time`" (forward). Labels are popped by cost. At one node only a label with a better time than all popped
// before is of use: it costs more, but opens edges that the cheaper ones could not take. What is popped first is the best path;
// the best time over all labels is the slice.
//
//   backward   T(seed) = contact        forward   E(start) from the chosen backward paths
//              u -> v usable iff start <= T(v)               u -> v usable iff end >= E(u)
//              T(u) = min(end, T(v))                         E(v) = max(start, E(u))
#include "graph/trace.h"

#include "base/nanotime.h"
#include "graph/describe.h"
#include "graph/rank.h"
#include "graph/structure.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CHOSEN 100
#define CHOKE_SHARE 10         /* a choke point has at least a tenth of all causes behind it */
#define CHOKE_POINTS_MAX 8

struct label {
	uint64_t time;
	uint32_t node, edge, parent; // parent label: one step nearer the seed (backward) or the start (forward)
	uint32_t cost;
	uint32_t line_cost;          // backward: as cost, but with nothing free
	bool terminal;               // an effect only: reached, not walked through
};
VECTOR_DEFINE(label_vector, struct label)

struct labels { struct label_vector cause, effect; };

struct search {
	const struct graph *g;
	const uint32_t *edge_costs;
	const uint8_t *free_edge;    // backward: on a seed's own line
	bool forward;
	struct label_vector *labels;
	struct u32_vector heap;      // indices of labels, best first
	uint64_t *best_time;         // per node, over popped labels
	uint32_t *first_label;       // per node; GRAPH_NONE: not reached
	uint64_t edges_walked;
};

// --- heap of labels: by cost, then by the better time, then by index (first pushed): a total order

static bool better_time(const struct search *s, uint64_t a, uint64_t b)
{
	return s->forward ? a < b : a > b;
}

static bool label_before(const struct search *s, uint32_t a, uint32_t b)
{
	const struct label *x = &s->labels->items[a], *y = &s->labels->items[b];
	if (x->cost != y->cost)
		return x->cost < y->cost;
	if (x->time != y->time)
		return better_time(s, x->time, y->time);
	return a < b;
}

static int heap_push(struct search *s, uint32_t label)
{
	if (u32_vector_append(&s->heap, label) < 0)
		return -1;
	uint32_t *h = s->heap.items;
	size_t i = s->heap.count - 1;
	while (i > 0 && label_before(s, label, h[(i - 1) / 2])) {
		h[i] = h[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h[i] = label;
	return 0;
}

static uint32_t heap_pop(struct search *s)
{
	uint32_t *h = s->heap.items, top = h[0], last = h[--s->heap.count];
	size_t i = 0, n = s->heap.count;
	for (size_t child = 1; child < n; child = 2 * i + 1) {
		if (child + 1 < n && label_before(s, h[child + 1], h[child]))
			child++;
		if (!label_before(s, h[child], last))
			break;
		h[i] = h[child];
		i = child;
	}
	if (n)
		h[i] = last;
	return top;
}

// --- the search

static int search_init(struct search *s, const struct graph *g, struct label_vector *labels, bool forward)
{
	size_t n = g->nodes.count + 1;
	s->g = g;
	s->labels = labels;
	s->forward = forward;
	s->best_time = malloc(n * sizeof(*s->best_time));
	s->first_label = malloc(n * sizeof(*s->first_label));
	if (!s->best_time || !s->first_label)
		return -1;
	memset(s->first_label, 0xff, n * sizeof(*s->first_label)); // GRAPH_NONE
	return 0;
}

static void search_release(struct search *s)
{
	u32_vector_release(&s->heap);
	free(s->best_time);
	free(s->first_label);
}

static uint32_t add_cost(uint32_t a, uint32_t b)
{
	return a + (uint64_t)b >= TRACE_COST_UNREACHED ? TRACE_COST_UNREACHED - 1 : a + b;
}

// Dominated: something at least as cheap was popped there with a time at least as good.
static bool dominated(const struct search *s, uint32_t node, uint64_t time)
{
	return s->first_label[node] != GRAPH_NONE && !better_time(s, time, s->best_time[node]);
}

static int search_push(struct search *s, struct label label)
{
	if (dominated(s, label.node, label.time))
		return 0;
	if (label_vector_append(s->labels, label) < 0)
		return -1;
	return heap_push(s, (uint32_t)(s->labels->count - 1));
}

static bool is_sink(const struct graph *g, uint32_t node)
{
	const struct file *f = graph_file_of(g, node);
	return f && f->sink;
}

static int relax_backward(struct search *s, uint32_t from_label)
{
	const struct label at = s->labels->items[from_label];
	const struct graph *g = s->g;
	for (uint32_t i = g->in_start.items[at.node]; i < g->in_start.items[at.node + 1]; i++) {
		uint32_t edge = g->in_edges.items[i];
		const struct flow_edge *e = &g->edges.items[edge];
		if (e->start_ns > at.time)
			break; // edges of a node are in order of start
		s->edges_walked++;
		if (e->failed || flow_is_effect_only(e->op))
			continue;
		struct label next = {.node = e->from, .edge = edge, .parent = from_label};
		next.time = e->end_ns < at.time ? e->end_ns : at.time;
		next.cost = s->free_edge[edge] ? at.cost : add_cost(at.cost, s->edge_costs[edge]);
		next.line_cost = add_cost(at.line_cost, s->edge_costs[edge]);
		if (search_push(s, next) < 0)
			return -1;
	}
	return 0;
}

static int relax_forward(struct search *s, uint32_t from_label)
{
	const struct label at = s->labels->items[from_label];
	const struct graph *g = s->g;
	if (at.terminal)
		return 0;
	for (uint32_t i = g->out_start.items[at.node]; i < g->out_start.items[at.node + 1]; i++) {
		uint32_t edge = g->out_edges.items[i];
		const struct flow_edge *e = &g->edges.items[edge];
		s->edges_walked++;
		if (e->end_ns < at.time)
			continue;
		struct label next = {.node = e->to, .edge = edge, .parent = from_label};
		next.time = e->start_ns > at.time ? e->start_ns : at.time;
		next.cost = add_cost(at.cost, s->edge_costs[edge]);
		next.terminal = e->failed || flow_is_effect_only(e->op);
		if (search_push(s, next) < 0)
			return -1;
	}
	return 0;
}

static int search_run(struct search *s)
{
	while (s->heap.count) {
		uint32_t label = heap_pop(s);
		const struct label *l = &s->labels->items[label];
		if (dominated(s, l->node, l->time))
			continue;
		bool first = s->first_label[l->node] == GRAPH_NONE;
		if (first)
			s->first_label[l->node] = label;
		// A terminal label must not keep out a later one that can be walked on.
		if (!l->terminal)
			s->best_time[l->node] = l->time;
		else if (first)
			s->best_time[l->node] = NANOTIME_NONE;
		if (is_sink(s->g, l->node))
			continue;
		if ((s->forward ? relax_forward(s, label) : relax_backward(s, label)) < 0)
			return -1;
	}
	return 0;
}

// --- backward

// Fork and exec edges from a seed's segment up to where its line begins.
static void mark_line(const struct graph *g, uint32_t node, uint64_t time, uint8_t *free_edge, struct trace_node *nodes)
{
	while (!nodes[node].free_line) {
		nodes[node].free_line = true;
		for (uint32_t i = g->in_start.items[node]; i < g->in_start.items[node + 1]; i++) {
			const struct flow_edge *e = &g->edges.items[g->in_edges.items[i]];
			if (e->start_ns > time)
				break;
			if ((e->op == FLOW_FORK || e->op == FLOW_EXEC) && e->class != CLASS_UNCERTAIN) {
				free_edge[g->in_edges.items[i]] = 1;
				node = e->from;
				break;
			}
		}
	}
}

// A contact: its connection, and the segment that made it even if the kernel refused it.
static int seed_contact(struct search *s, struct trace *t, uint8_t *free_edge, uint32_t contact)
{
	const struct graph *g = s->g;
	const struct connection *c = &g->connections.items[contact];
	uint32_t label = (uint32_t)s->labels->count;
	struct label seed = {.node = c->node, .edge = GRAPH_NONE, .parent = GRAPH_NONE, .time = c->time_ns};
	if (search_push(s, seed) < 0 || u32_vector_append(&t->seeds, c->node) < 0)
		return -1;
	t->nodes[c->node].seed = true;
	for (uint32_t i = g->in_start.items[c->node]; i < g->in_start.items[c->node + 1]; i++) {
		uint32_t edge = g->in_edges.items[i];
		const struct flow_edge *e = &g->edges.items[edge];
		if (e->op != FLOW_CONNECT && e->op != FLOW_ACCEPT)
			continue;
		free_edge[edge] = 1;
		struct label segment = {.node = e->from, .edge = edge, .parent = label, .time = c->time_ns};
		if (!t->nodes[e->from].seed && u32_vector_append(&t->seeds, e->from) < 0)
			return -1;
		t->nodes[e->from].seed = true;
		if (search_push(s, segment) < 0)
			return -1;
		mark_line(g, e->from, c->time_ns, free_edge, t->nodes);
	}
	return 0;
}

static void take_causes(const struct search *s, struct trace *t)
{
	for (uint32_t n = 0; n < s->g->nodes.count; n++) {
		struct trace_node *node = &t->nodes[n];
		node->cost = TRACE_COST_UNREACHED;
		node->next_edge = node->next_label = GRAPH_NONE;
		if (s->first_label[n] == GRAPH_NONE)
			continue;
		const struct label *l = &s->labels->items[s->first_label[n]];
		node->side = node->seed ? TRACE_SEED : TRACE_CAUSE;
		node->cost = l->cost;
		node->usable_ns = s->best_time[n];
		node->next_edge = l->edge;
		node->next_label = s->first_label[n];
		t->cause_count++;
	}
}

// --- order

struct order_key { uint32_t node, cost; uint64_t start_ns; };

static int compare_order(const void *a, const void *b)
{
	const struct order_key *x = a, *y = b;
	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static int sort_nodes(struct trace *t)
{
	size_t n = t->graph->nodes.count, used = 0;
	struct order_key *keys = malloc((n + 1) * sizeof(*keys));
	if (!keys)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		if (t->nodes[i].cost != TRACE_COST_UNREACHED)
			keys[used++] = (struct order_key){i, t->nodes[i].cost, t->graph->nodes.items[i].start_ns};
	qsort(keys, used, sizeof(*keys), compare_order);
	t->order.count = 0;
	int result = u32_vector_reserve(&t->order, used + 1);
	for (size_t i = 0; result == 0 && i < used; i++) {
		t->order.items[t->order.count++] = keys[i].node;
		t->nodes[keys[i].node].rank = (uint32_t)i + 1;
		t->nodes[keys[i].node].score = exp(-(double)keys[i].cost / 1e6);
	}
	free(keys);
	return result;
}

// --- forward

// Walks one chosen path toward its seed and notes how early each node on it could have been reached.
static void reach_along_path(const struct trace *t, const struct label_vector *labels, uint32_t node, uint64_t *earliest)
{
	uint64_t time = t->graph->nodes.items[node].start_ns;
	uint32_t label = t->nodes[node].next_label;
	while (label != GRAPH_NONE) {
		const struct label *l = &labels->items[label];
		if (earliest[l->node] <= time)
			return; // somebody got here as early: the rest of this path is known
		earliest[l->node] = time;
		if (l->edge != GRAPH_NONE && t->graph->edges.items[l->edge].start_ns > time)
			time = t->graph->edges.items[l->edge].start_ns;
		label = l->parent;
	}
}

static int start_forward(struct search *s, const struct trace *t, const struct label_vector *causes, uint32_t chosen)
{
	size_t n = s->g->nodes.count;
	uint64_t *earliest = malloc((n + 1) * sizeof(*earliest));
	if (!earliest)
		return -1;
	memset(earliest, 0xff, (n + 1) * sizeof(*earliest)); // NANOTIME_NONE: not on a chosen path
	uint32_t taken = 0;
	for (size_t i = 0; i < t->order.count; i++) {
		uint32_t node = t->order.items[i];
		if (t->nodes[node].free_line || t->nodes[node].seed || taken++ < chosen)
			reach_along_path(t, causes, node, earliest);
	}
	int result = 0;
	for (uint32_t node = 0; result == 0 && node < n; node++) {
		if (earliest[node] == NANOTIME_NONE)
			continue;
		struct label start = {.node = node, .edge = GRAPH_NONE, .parent = GRAPH_NONE, .time = earliest[node]};
		start.cost = causes->items[t->nodes[node].next_label].line_cost;
		result = search_push(s, start);
	}
	free(earliest);
	return result;
}

static void take_effects(const struct search *s, struct trace *t)
{
	for (uint32_t n = 0; n < s->g->nodes.count; n++) {
		struct trace_node *node = &t->nodes[n];
		if (node->side != TRACE_NONE || s->first_label[n] == GRAPH_NONE)
			continue;
		const struct label *l = &s->labels->items[s->first_label[n]];
		node->side = TRACE_EFFECT;
		node->cost = l->cost;
		node->usable_ns = s->best_time[n] == NANOTIME_NONE ? l->time : s->best_time[n];
		node->next_edge = l->edge;
		node->next_label = s->first_label[n];
		t->effect_count++;
	}
}

// --- choke points

// The sliced cause edges turned round, from one root that stands before all seeds. Nodes keep their numbers; root is the last.
static int cause_edges(const struct trace *t, uint32_t root, struct u32_vector *from, struct u32_vector *to)
{
	for (size_t i = 0; i < t->graph->edges.count; i++) {
		const struct flow_edge *e = &t->graph->edges.items[i];
		uint8_t a = t->nodes[e->from].side, b = t->nodes[e->to].side;
		bool causes = (a == TRACE_CAUSE || a == TRACE_SEED) && (b == TRACE_CAUSE || b == TRACE_SEED);
		if (!causes || e->failed || flow_is_effect_only(e->op) || e->start_ns > t->nodes[e->to].usable_ns)
			continue;
		if (u32_vector_append(from, e->to) < 0 || u32_vector_append(to, e->from) < 0)
			return -1;
	}
	for (size_t i = 0; i < t->seeds.count; i++)
		if (u32_vector_append(from, root) < 0 || u32_vector_append(to, t->seeds.items[i]) < 0)
			return -1;
	return 0;
}

// How many causes lie behind each node: sums over the dominator tree, deepest first.
static int count_behind(uint32_t count, uint32_t root, const uint32_t *idom, uint32_t *behind, uint32_t *depth)
{
	struct u32_vector stack = {0};
	memset(depth, 0xff, count * sizeof(*depth));
	depth[root] = 0;
	uint32_t deepest = 0;
	int result = 0;
	for (uint32_t n = 0; n < count && result == 0; n++) {
		stack.count = 0;
		uint32_t at = n;
		while (at != GRAPH_NONE && depth[at] == GRAPH_NONE && result == 0) {
			result = u32_vector_append(&stack, at);
			at = idom[at];
		}
		uint32_t d = at == GRAPH_NONE ? GRAPH_NONE : depth[at];
		while (stack.count && d != GRAPH_NONE) {
			depth[stack.items[--stack.count]] = ++d;
			deepest = d > deepest ? d : deepest;
		}
	}
	u32_vector_release(&stack);
	if (result < 0)
		return -1;
	// bucket by depth: from the deepest up
	uint32_t *start = calloc((size_t)deepest + 2, sizeof(*start)), *sorted = malloc((count + 1) * sizeof(*sorted));
	if (start && sorted) {
		for (uint32_t n = 0; n < count; n++)
			if (depth[n] != GRAPH_NONE)
				start[depth[n] + 1]++;
		for (uint32_t d = 0; d <= deepest; d++)
			start[d + 1] += start[d];
		uint32_t total = start[deepest + 1];
		for (uint32_t n = 0; n < count; n++)
			if (depth[n] != GRAPH_NONE)
				sorted[start[depth[n]]++] = n;
		for (uint32_t i = total; i-- > 0;)
			if (idom[sorted[i]] != GRAPH_NONE)
				behind[idom[sorted[i]]] += behind[sorted[i]] + 1;
	} else {
		result = -1;
	}
	free(start);
	free(sorted);
	return result;
}

static int take_choke_points(struct trace *t, uint32_t count, const uint32_t *behind, const uint32_t *depth)
{
	uint32_t most = 0;
	for (uint32_t n = 0; n < count; n++)
		most = depth[n] != GRAPH_NONE && depth[n] > most && behind[n] ? depth[n] : most;
	for (uint32_t d = most; d >= 1; d--) // nearest the root cause first; at one depth by number
		for (uint32_t n = 0; n < count; n++)
			if (depth[n] == d && behind[n] * CHOKE_SHARE >= t->cause_count && behind[n] &&
			    t->nodes[n].side == TRACE_CAUSE && t->choke_points.count < CHOKE_POINTS_MAX &&
			    u32_vector_append(&t->choke_points, n) < 0)
				return -1;
	return 0;
}

static int find_choke_points(struct trace *t, struct error *err)
{
	uint32_t root = (uint32_t)t->graph->nodes.count, count = root + 1;
	struct u32_vector from = {0}, to = {0};
	uint32_t *idom = malloc(count * sizeof(*idom)), *behind = calloc(count, sizeof(*behind));
	uint32_t *depth = malloc(count * sizeof(*depth));
	int result = -1;
	if (!idom || !behind || !depth || cause_edges(t, root, &from, &to) < 0)
		error_set(err, "choke points: out of memory");
	else if (structure_dominators(count, from.items, to.items, from.count, root, idom, err) == 0) {
		result = count_behind(count, root, idom, behind, depth);
		if (result == 0)
			result = take_choke_points(t, root, behind, depth);
		if (result < 0)
			error_set(err, "choke points: out of memory");
	}
	u32_vector_release(&from);
	u32_vector_release(&to);
	free(idom);
	free(behind);
	free(depth);
	return result;
}

// --- the whole

static int trace_backward(struct trace *t, const uint32_t *contacts, size_t count, const uint32_t *costs)
{
	struct labels *labels = t->labels;
	uint8_t *free_edge = calloc(t->graph->edges.count + 1, 1);
	struct search s = {.edge_costs = costs, .free_edge = free_edge};
	int result = free_edge ? search_init(&s, t->graph, &labels->cause, false) : -1;
	for (size_t i = 0; result == 0 && i < count; i++)
		result = seed_contact(&s, t, free_edge, contacts[i]);
	if (result == 0)
		result = search_run(&s);
	if (result == 0)
		take_causes(&s, t);
	t->edges_walked += s.edges_walked;
	search_release(&s);
	free(free_edge);
	return result;
}

static int trace_forward(struct trace *t, const uint32_t *costs, uint32_t chosen)
{
	struct labels *labels = t->labels;
	struct search s = {.edge_costs = costs};
	int result = search_init(&s, t->graph, &labels->effect, true);
	if (result == 0)
		result = start_forward(&s, t, &labels->cause, chosen);
	if (result == 0)
		result = search_run(&s);
	if (result == 0)
		take_effects(&s, t);
	t->edges_walked += s.edges_walked;
	search_release(&s);
	return result;
}

int trace_run(const struct graph *g, const uint32_t *contacts, size_t count, uint32_t main_contact,
	      struct trace_options options, struct trace *ret, struct error *err)
{
	struct trace t = {.graph = g, .contact = main_contact, .baseline = options.baseline};
	t.nodes = calloc(g->nodes.count + 1, sizeof(*t.nodes));
	t.labels = calloc(1, sizeof(struct labels));
	uint32_t *costs = NULL;
	bool done = t.nodes && t.labels && rank_edge_costs(g, options.baseline, &costs, err) == 0 &&
		    trace_backward(&t, contacts, count, costs) == 0 && sort_nodes(&t) == 0 &&
		    trace_forward(&t, costs, options.chosen ? options.chosen : DEFAULT_CHOSEN) == 0 &&
		    sort_nodes(&t) == 0;
	free(costs);
	if (!done) {
		trace_release(&t);
		return error_set(err, "tracing %zu edges: out of memory", g->edges.count);
	}
	if (find_choke_points(&t, err) < 0) {
		trace_release(&t);
		return -1;
	}
	*ret = t;
	return 0;
}

void trace_release(struct trace *t)
{
	struct labels *labels = t->labels;
	if (labels) {
		label_vector_release(&labels->cause);
		label_vector_release(&labels->effect);
	}
	free(labels);
	free(t->nodes);
	u32_vector_release(&t->seeds);
	u32_vector_release(&t->order);
	u32_vector_release(&t->choke_points);
	memset(t, 0, sizeof(*t));
}

// --- paths

// Can information travel along these edges, one after the other? Checked forward again, independently of the search.
static bool path_possible(const struct graph *g, const struct u32_vector *edges)
{
	uint64_t now = 0;
	for (size_t i = 0; i < edges->count; i++) {
		const struct flow_edge *e = &g->edges.items[edges->items[i]];
		now = e->start_ns > now ? e->start_ns : now;
		if (now > e->end_ns || (i && g->edges.items[edges->items[i - 1]].to != e->from))
			return false;
	}
	return true;
}

int trace_path(const struct trace *t, uint32_t node, struct u32_vector *ret_edges, struct error *err)
{
	const struct labels *labels = t->labels;
	const struct trace_node *n = &t->nodes[node];
	bool effect = n->side == TRACE_EFFECT;
	const struct label_vector *chain = effect ? &labels->effect : &labels->cause;
	ret_edges->count = 0;
	for (uint32_t label = n->next_label; label != GRAPH_NONE; label = chain->items[label].parent)
		if (chain->items[label].edge != GRAPH_NONE && u32_vector_append(ret_edges, chain->items[label].edge) < 0)
			return error_set(err, "path: out of memory");
	if (effect) // collected from the end back
		for (size_t i = 0, j = ret_edges->count; i + 1 < j; i++) {
			uint32_t swapped = ret_edges->items[i];
			ret_edges->items[i] = ret_edges->items[--j];
			ret_edges->items[j] = swapped;
		}
	if (!path_possible(t->graph, ret_edges))
		return error_set(err, "node %" PRIu32 ": its path is not possible in time (a defect of the search)", node);
	return 0;
}

void trace_edge_factors(const struct trace *t, uint32_t edge, struct trace_factors *ret)
{
	rank_edge_factors(t->graph, t->baseline, edge, ret);
}

static void explain_edge(const struct trace *t, uint32_t edge, struct buffer *out)
{
	const struct flow_edge *e = &t->graph->edges.items[edge];
	struct trace_factors f;
	trace_edge_factors(t, edge, &f);
	uint32_t cost = rank_cost_of(&f);
	buffer_add_string(out, "  ");
	describe_node(t->graph, e->from, out);
	buffer_printf(out, " -> ");
	describe_node(t->graph, e->to, out);
	buffer_printf(out, ": %.2f = %s %.2f", exp(-(double)cost / 1e6), flow_op_name(e->op), f.op);
	if (f.class_ < 1)
		buffer_printf(out, " x %s %.2f", flow_class_name(e->class), f.class_);
	if (f.df)
		buffer_printf(out, " x prior %.2f (used by %" PRIu32 " of %" PRIu32 " session and service trees)", f.prior, f.df, f.trees);
	if (f.fan < 1)
		buffer_printf(out, " x fan %.2f (%" PRIu32 ")", f.fan, f.fan_degree);
	if (f.rare < 1)
		buffer_printf(out, " x in baseline %.2f", f.rare);
	buffer_printf(out, "; serial %" PRIu64 "\n", e->serial);
}

int trace_explain(const struct trace *t, uint32_t node, struct buffer *out, struct error *err)
{
	static const char *const sides[] = {"not in the slice", "contact", "cause", "effect"};
	const struct trace_node *n = &t->nodes[node];
	describe_node(t->graph, node, out);
	if (n->side == TRACE_NONE) {
		buffer_add_string(out, ": not in the slice: no flow that is possible in time joins it with the contact\n");
		return buffer_check(out, err);
	}
	buffer_printf(out, ": %s, score %.3g, rank %" PRIu32 " of %zu%s\n", sides[n->side], n->score, n->rank,
		      t->order.count, n->free_line ? "; on the contact's own line of fork and exec (free, always shown)" : "");
	struct u32_vector path = {0};
	int result = trace_path(t, node, &path, err);
	for (size_t i = 0; result == 0 && i < path.count; i++)
		explain_edge(t, path.items[i], out);
	u32_vector_release(&path);
	return result < 0 ? -1 : buffer_check(out, err);
}
