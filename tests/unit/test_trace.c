// SPDX-License-Identifier: MIT
// Slice and rank against an exhaustive search, and the promises of trace.h.
#include "base/nanotime.h"
#include "graph/rank.h"
#include "graph/trace.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

// --- graphs by hand: nodes without entities behind them (kind kernel), so that factors come from the flow alone

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % n;
}

static int by_start(const void *a, const void *b)
{
	const struct flow_edge *x = a, *y = b;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static void index_edges(struct graph *g)
{
	qsort(g->edges.items, g->edges.count, sizeof(*g->edges.items), by_start);
	for (uint32_t n = 0; n < g->nodes.count; n++) {
		u32_vector_append(&g->out_start, (uint32_t)g->out_edges.count);
		u32_vector_append(&g->in_start, (uint32_t)g->in_edges.count);
		for (uint32_t i = 0; i < g->edges.count; i++) {
			if (g->edges.items[i].from == n)
				u32_vector_append(&g->out_edges, i);
			if (g->edges.items[i].to == n)
				u32_vector_append(&g->in_edges, i);
		}
	}
	u32_vector_append(&g->out_start, (uint32_t)g->out_edges.count);
	u32_vector_append(&g->in_start, (uint32_t)g->in_edges.count);
}

static void add_nodes(struct graph *g, uint32_t count)
{
	g->trees = 4;
	for (uint32_t i = 0; i < count; i++)
		node_vector_append(&g->nodes, (struct graph_node){.kind = NODE_KERNEL, .end_ns = NANOTIME_NONE});
	kernel_vector_append(&g->kernels, (struct kernel_entity){0});
}

static void add_edge(struct graph *g, uint32_t from, uint32_t to, enum flow_op op, uint64_t start, uint64_t end)
{
	struct flow_edge e = {.from = from, .to = to, .op = (uint8_t)op, .start_ns = start, .end_ns = end,
			      .serial = g->edges.count + 1, .count = 1};
	edge_vector_append(&g->edges, e);
}

// The contact: node `from` connects at `time`; the connection is a node of its own, the last one.
static void add_contact(struct graph *g, uint32_t from, uint64_t time)
{
	uint32_t node = (uint32_t)g->nodes.count;
	node_vector_append(&g->nodes, (struct graph_node){.kind = NODE_CONNECTION,
			   .entity = (uint32_t)g->connections.count, .start_ns = time, .end_ns = NANOTIME_NONE});
	connection_vector_append(&g->connections, (struct connection){.node = node, .time_ns = time});
	add_edge(g, from, node, FLOW_CONNECT, time, NANOTIME_NONE);
}

static void release_graph(struct graph *g)
{
	node_vector_release(&g->nodes);
	edge_vector_release(&g->edges);
	kernel_vector_release(&g->kernels);
	connection_vector_release(&g->connections);
	u32_vector_release(&g->out_start);
	u32_vector_release(&g->out_edges);
	u32_vector_release(&g->in_start);
	u32_vector_release(&g->in_edges);
}

// --- the exhaustive search: every path without a repeated node, from the seed back

struct truth { uint64_t latest[16]; uint32_t cheapest[16]; bool reached[16]; };

static void walk_all(const struct graph *g, const struct trace *t, uint32_t node, uint64_t time, uint32_t cost,
		     uint32_t visited, struct truth *truth)
{
	if (!truth->reached[node] || cost < truth->cheapest[node])
		truth->cheapest[node] = cost;
	if (!truth->reached[node] || time > truth->latest[node])
		truth->latest[node] = time;
	truth->reached[node] = true;
	for (uint32_t i = 0; i < g->edges.count; i++) {
		const struct flow_edge *e = &g->edges.items[i];
		if (e->to != node || e->start_ns > time || e->failed || flow_is_effect_only(e->op) || (visited >> e->from & 1))
			continue;
		struct trace_factors f;
		trace_edge_factors(t, i, &f);
		bool free_edge = (e->op == FLOW_FORK || e->op == FLOW_CONNECT) && t->nodes[e->from].free_line &&
				 t->nodes[e->to].free_line;
		free_edge = free_edge || (e->op == FLOW_CONNECT && g->nodes.items[e->to].kind == NODE_CONNECTION);
		walk_all(g, t, e->from, e->end_ns < time ? e->end_ns : time, free_edge ? cost : cost + rank_cost_of(&f),
			 visited | 1u << e->from, truth);
	}
}

static void check_paths(const struct trace *t)
{
	struct u32_vector path = {0};
	for (size_t i = 0; i < t->order.count; i++) {
		struct error err = {""};
		CHECK(trace_path(t, t->order.items[i], &path, &err) == 0);
		CHECK_STRING(err.message, "");
	}
	u32_vector_release(&path);
}

static void test_random_graphs(void)
{
	static const enum flow_op ops[] = {FLOW_OPEN_READ, FLOW_OPEN_WRITE, FLOW_EXECUTE, FLOW_PIPE, FLOW_DELETE, FLOW_CREATE};
	unsigned reached = 0, unreached = 0;
	for (int round = 0; round < 3000; round++) {
		struct graph g = {0};
		uint32_t n = 3 + random_below(5);
		add_nodes(&g, n);
		uint32_t edges = n + random_below(8);
		for (uint32_t i = 0; i < edges; i++) {
			uint64_t start = 1 + random_below(20);
			add_edge(&g, random_below(n), random_below(n), ops[random_below(6)], start,
				 random_below(3) ? start + random_below(6) : NANOTIME_NONE);
		}
		add_contact(&g, random_below(n), 8 + random_below(10));
		index_edges(&g);
		struct trace t;
		struct error err;
		uint32_t contact = 0;
		CHECK(trace_run(&g, &contact, 1, 0, (struct trace_options){0}, &t, &err) == 0);
		struct truth truth = {0};
		walk_all(&g, &t, n, g.connections.items[0].time_ns, 0, 1u << n, &truth);
		walk_all(&g, &t, n, NANOTIME_NONE, TRACE_SENT_COST, 1u << n, &truth); // what may have been sent
		for (uint32_t i = 0; i <= n; i++) {
			bool cause = t.nodes[i].side == TRACE_CAUSE || t.nodes[i].side == TRACE_SEED;
			bool both = t.nodes[i].side == TRACE_EFFECT && t.nodes[i].sent; // shown as an effect, since that is cheaper
			CHECK_EQUAL(cause || both, truth.reached[i]);
			if (!cause || !truth.reached[i]) {
				unreached++;
				continue;
			}
			reached++;
			CHECK_EQUAL(t.nodes[i].cost, truth.cheapest[i]);
			CHECK_EQUAL(t.nodes[i].usable_ns, truth.latest[i]);
		}
		check_paths(&t);
		trace_release(&t);
		release_graph(&g);
	}
	CHECK(reached > 1000 && unreached > 1000); // the graphs exercise both
}

// Forward: equal to an exhaustive search from the seed, when the seed is all that was chosen.
static void walk_forward(const struct graph *g, uint32_t node, uint64_t time, uint32_t visited, bool *reached)
{
	reached[node] = true;
	for (uint32_t i = 0; i < g->edges.count; i++) {
		const struct flow_edge *e = &g->edges.items[i];
		if (e->from != node || e->end_ns < time || (visited >> e->to & 1))
			continue;
		if (flow_is_effect_only(e->op))
			reached[e->to] = true;
		else
			walk_forward(g, e->to, e->start_ns > time ? e->start_ns : time, visited | 1u << e->to, reached);
	}
}

static void test_random_effects(void)
{
	static const enum flow_op ops[] = {FLOW_OPEN_READ, FLOW_OPEN_WRITE, FLOW_EXECUTE, FLOW_DELETE};
	unsigned effects = 0;
	for (int round = 0; round < 2000; round++) {
		struct graph g = {0};
		uint32_t n = 3 + random_below(5), seed = random_below(n);
		add_nodes(&g, n);
		for (uint32_t i = 0; i < n + 6; i++) {
			uint64_t start = 11 + random_below(20); // all after the contact: nothing leads to it
			uint32_t from = random_below(n), to = random_below(n);
			if (to != seed)
				add_edge(&g, from, to, ops[random_below(4)], start, start + random_below(6));
		}
		add_contact(&g, seed, 10);
		index_edges(&g);
		struct trace t;
		struct error err;
		uint32_t contact = 0;
		CHECK(trace_run(&g, &contact, 1, 0, (struct trace_options){0}, &t, &err) == 0);
		bool want[16] = {0};
		walk_forward(&g, seed, 0, 1u << seed, want);
		for (uint32_t i = 0; i < n; i++) {
			CHECK_EQUAL(t.nodes[i].side != TRACE_NONE, want[i]);
			effects += t.nodes[i].side == TRACE_EFFECT;
		}
		check_paths(&t);
		trace_release(&t);
		release_graph(&g);
	}
	CHECK(effects > 1000);
}

// a -> b -> contact, where a's flow into b began only after the contact: impossible, though the static path is there.
static void test_time_is_respected(void)
{
	struct graph g = {0};
	add_nodes(&g, 4);
	add_edge(&g, 0, 1, FLOW_OPEN_READ, 50, 60);
	add_edge(&g, 2, 1, FLOW_OPEN_READ, 5, 6);
	add_edge(&g, 3, 1, FLOW_OPEN_READ, 42, 60); // after the contact, while the connection lasts: may have been sent
	add_contact(&g, 1, 40);
	g.edges.items[g.edges.count - 1].end_ns = 45;
	index_edges(&g);
	struct trace t;
	struct error err;
	uint32_t contact = 0;
	CHECK(trace_run(&g, &contact, 1, 0, (struct trace_options){0}, &t, &err) == 0);
	CHECK_EQUAL(t.nodes[0].side, TRACE_NONE);
	CHECK_EQUAL(t.nodes[3].side, TRACE_CAUSE);
	CHECK(t.nodes[3].sent && !t.nodes[2].sent);
	CHECK_EQUAL(t.nodes[2].side, TRACE_CAUSE);
	struct buffer out = {0};
	CHECK(trace_explain(&t, 0, &out, &err) == 0);
	CHECK(strstr(buffer_string(&out), "not in the slice") != NULL);
	buffer_release(&out);
	trace_release(&t);
	release_graph(&g);
}

// Two roads: the cheap one must be left early, the dear one stays open longer. What only the dear one can use is found too.
static void test_dear_label_opens_edges(void)
{
	struct graph g = {0};
	add_nodes(&g, 4);                              // 0 root, 1 middle, 2 seed
	add_edge(&g, 1, 2, FLOW_EXECUTE, 10, 11);      // cheap, closes at 11
	add_edge(&g, 1, 2, FLOW_UNIX, 10, 30);         // dear, open until 30
	add_edge(&g, 0, 1, FLOW_OPEN_WRITE, 20, 21);   // only the dear one can use this
	add_contact(&g, 2, 40);
	index_edges(&g);
	struct trace t;
	struct error err;
	uint32_t contact = 0;
	CHECK(trace_run(&g, &contact, 1, 0, (struct trace_options){0}, &t, &err) == 0);
	CHECK_EQUAL(t.nodes[0].side, TRACE_CAUSE);
	CHECK_EQUAL(g.edges.items[t.nodes[1].next_edge].op, FLOW_EXECUTE);
	struct u32_vector path = {0};
	CHECK(trace_path(&t, 0, &path, &err) == 0);
	CHECK_EQUAL(path.count, 3);
	CHECK_EQUAL(g.edges.items[path.items[1]].op, FLOW_UNIX);
	u32_vector_release(&path);
	trace_release(&t);
	release_graph(&g);
}

// More alternatives at one node than are kept: the dearest of 200 roads is the only one that stays open long enough, and is found.
static void test_many_labels_stay_exact(void)
{
	struct graph g = {0};
	add_nodes(&g, 203); // 0 .. 199 a chain into the seed, 200 seed, 201 has a road to each of the chain, 202 uses the last
	for (uint32_t i = 0; i < 200; i++) {
		add_edge(&g, i, i ? i - 1 : 200, FLOW_EXECUTE, 1, NANOTIME_NONE);
		add_edge(&g, 201, i, FLOW_OPEN_READ, 1, i + 1);
	}
	add_edge(&g, 202, 201, FLOW_OPEN_WRITE, 190, 195);
	add_contact(&g, 200, 1000);
	index_edges(&g);
	struct trace t;
	struct error err;
	uint32_t contact = 0;
	CHECK(trace_run(&g, &contact, 1, 0, (struct trace_options){0}, &t, &err) == 0);
	CHECK_EQUAL(t.nodes[201].usable_ns, 200);
	CHECK_EQUAL(t.nodes[202].side, TRACE_CAUSE);
	CHECK_EQUAL(t.nodes[202].usable_ns, 195);
	check_paths(&t);
	trace_release(&t);
	release_graph(&g);
}

// A stage between a root and the contact: everything before it must pass through it.
static void test_choke_point(void)
{
	struct graph g = {0};
	add_nodes(&g, 12);
	for (uint32_t i = 2; i < 12; i++)
		add_edge(&g, i, 1, FLOW_OPEN_READ, 5, 6);
	add_edge(&g, 1, 0, FLOW_OPEN_WRITE, 7, 8);
	add_contact(&g, 0, 20);
	index_edges(&g);
	struct trace t;
	struct error err;
	uint32_t contact = 0;
	CHECK(trace_run(&g, &contact, 1, 0, (struct trace_options){0}, &t, &err) == 0);
	CHECK_EQUAL(t.choke_points.count, 1);
	CHECK(t.choke_points.count == 1 && t.choke_points.items[0] == 1);
	trace_release(&t);
	release_graph(&g);
}

// A failed or deleted thing is an effect and no way through.
static void test_effects_end_there(void)
{
	struct graph g = {0};
	add_nodes(&g, 4);
	add_edge(&g, 0, 1, FLOW_DELETE, 30, 30);
	add_edge(&g, 1, 2, FLOW_OPEN_READ, 31, 40);
	add_edge(&g, 3, 0, FLOW_SIGNAL, 5, 5); // a signal causes nothing
	add_contact(&g, 0, 20);
	index_edges(&g);
	struct trace t;
	struct error err;
	uint32_t contact = 0;
	CHECK(trace_run(&g, &contact, 1, 0, (struct trace_options){0}, &t, &err) == 0);
	CHECK_EQUAL(t.nodes[1].side, TRACE_EFFECT);
	CHECK_EQUAL(t.nodes[2].side, TRACE_NONE);
	CHECK_EQUAL(t.nodes[3].side, TRACE_NONE);
	trace_release(&t);
	release_graph(&g);
}

int main(void)
{
	test_random_graphs();
	test_random_effects();
	test_time_is_respected();
	test_dear_label_opens_edges();
	test_many_labels_stay_exact();
	test_choke_point();
	test_effects_end_there();
	return unit_end();
}
