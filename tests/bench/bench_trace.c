// SPDX-License-Identifier: MIT
// Slice and rank on a graph of N edges (default 1,000,000) shaped like a busy host: a process tree, files of their own, and hubs
// that everybody reads. Prints edges, labels walked and CPU seconds. `make bench` runs it.
#include "base/nanotime.h"
#include "graph/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define TREES 200
#define HUBS 300

static uint64_t state = 42;

static uint32_t below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % n;
}

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add_process(struct graph *g, uint32_t parent, uint64_t birth)
{
	uint32_t index = (uint32_t)g->processes.count, node = (uint32_t)g->nodes.count;
	struct process p = {.pid = index + 2, .birth_ns = birth, .exit_ns = birth + 1 + below(100000), .parent = parent,
			    .tree = parent == GRAPH_NONE || index < TREES ? index % TREES : g->processes.items[parent].tree};
	u32_vector_append(&p.segments, index);
	process_vector_append(&g->processes, p);
	segment_vector_append(&g->segments, (struct segment){.process = index, .node = node, .start_ns = birth});
	node_vector_append(&g->nodes, (struct graph_node){.kind = NODE_PROCESS, .entity = index, .start_ns = birth, .end_ns = p.exit_ns});
}

static void add_file(struct graph *g, uint32_t df)
{
	uint32_t index = (uint32_t)g->files.count;
	file_vector_append(&g->files, (struct file){.inode = index, .generation = 1, .kind = FILE_REGULAR,
			   .readers_trees = df, .accessors_trees = df});
	node_vector_append(&g->nodes, (struct graph_node){.kind = NODE_FILE, .entity = index, .end_ns = NANOTIME_NONE});
}

static void add_edge(struct graph *g, uint32_t from, uint32_t to, enum flow_op op, uint64_t start, uint64_t end)
{
	edge_vector_append(&g->edges, (struct flow_edge){.from = from, .to = to, .op = (uint8_t)op, .start_ns = start,
			   .end_ns = end, .serial = g->edges.count, .count = 1});
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
	size_t n = g->nodes.count, m = g->edges.count;
	qsort(g->edges.items, m, sizeof(*g->edges.items), by_start);
	struct u32_vector *starts[] = {&g->out_start, &g->in_start}, *lists[] = {&g->out_edges, &g->in_edges};
	for (int side = 0; side < 2; side++) {
		uint32_t *at = calloc(n + 2, sizeof(*at)), *list = malloc((m + 1) * sizeof(*list));
		for (size_t i = 0; i < m; i++)
			at[(side ? g->edges.items[i].to : g->edges.items[i].from) + 2]++;
		for (size_t i = 2; i < n + 2; i++)
			at[i] += at[i - 1];
		for (uint32_t i = 0; i < m; i++)
			list[at[(side ? g->edges.items[i].to : g->edges.items[i].from) + 1]++] = i;
		*starts[side] = (struct u32_vector){at, n + 1, n + 2};
		*lists[side] = (struct u32_vector){list, m, m + 1};
	}
}

int main(int argc, char **argv)
{
	uint32_t edges = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
	uint32_t processes = edges / 8, files = edges / 3;
	struct graph g = {.trees = TREES};
	for (uint32_t i = 0; i < processes; i++)
		add_process(&g, i < TREES ? GRAPH_NONE : below(i), 10 * (uint64_t)i);
	for (uint32_t i = 0; i < files; i++)
		add_file(&g, i < HUBS ? 1 + below(TREES) : 1 + below(2));
	for (uint32_t i = 0; i < processes; i++)
		if (g.processes.items[i].parent != GRAPH_NONE)
			add_edge(&g, g.processes.items[i].parent, i, FLOW_FORK, 10 * (uint64_t)i, 10 * (uint64_t)i);
	while (g.edges.count < edges) {
		uint32_t p = below(processes), f = processes + (below(2) ? below(HUBS) : below(files));
		uint64_t start = g.processes.items[p].birth_ns + below(1000), end = g.processes.items[p].exit_ns;
		bool write = below(f >= processes + HUBS ? 4 : 30) == 0; // now and then a hub is written: closures explode
		add_edge(&g, write ? p : f, write ? f : p, write ? FLOW_OPEN_WRITE : FLOW_OPEN_READ, start, end > start ? end : start);
	}
	uint32_t who = processes - processes / 10, node = (uint32_t)g.nodes.count;
	uint64_t when = g.processes.items[who].birth_ns + 500;
	node_vector_append(&g.nodes, (struct graph_node){.kind = NODE_CONNECTION, .start_ns = when, .end_ns = NANOTIME_NONE});
	connection_vector_append(&g.connections, (struct connection){.node = node, .time_ns = when, .process = who});
	add_edge(&g, who, node, FLOW_CONNECT, when, NANOTIME_NONE);
	index_edges(&g);

	double before = cpu_seconds();
	struct trace t;
	struct error err;
	uint32_t contact = 0;
	if (trace_run(&g, &contact, 1, 0, (struct trace_options){0}, &t, &err) < 0) {
		fprintf(stderr, "bench_trace: %s\n", err.message);
		return 1;
	}
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	printf("slice+rank: %zu edges, %zu nodes, %" PRIu32 " causes, %" PRIu32 " effects, %" PRIu64
	       " edges walked, %.3f s CPU, %ld MiB peak\n", g.edges.count, g.nodes.count, t.cause_count, t.effect_count,
	       t.edges_walked, cpu_seconds() - before, usage.ru_maxrss / 1024);
	trace_release(&t);
	return 0; // the graph goes with the process
}
