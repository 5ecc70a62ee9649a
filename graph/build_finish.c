// SPDX-License-Identifier: MIT
// From drafts to edges: ends, content versions, session and service trees, how many trees use a file, order, indices.
#include "graph/build.h"

#include "base/nanotime.h"

#include <stdlib.h>
#include <string.h>

#define SIBLINGS_APART_NS (8 * NANOTIME_MILLISECOND) /* a shell forks a pipeline's members within two ticks */
#define LATER_SEGMENTS 4 /* a descriptor that survives execve is followed through so many of them */

// --- ends of segments

static void end_segments(struct graph *g)
{
	for (size_t i = 0; i < g->processes.count; i++) {
		const struct process *p = &g->processes.items[i];
		for (size_t k = 0; k < p->segments.count; k++) {
			struct segment *s = &g->segments.items[p->segments.items[k]];
			if (k + 1 < p->segments.count)
				s->end_ns = g->segments.items[p->segments.items[k + 1]].start_ns;
			else
				s->end_ns = p->exit_ns;
			if (s->end_ns < s->start_ns)
				s->end_ns = s->start_ns;
			g->nodes.items[s->node].end_ns = s->end_ns;
		}
	}
}

// --- edges that only the whole shows

static int fork_edges(struct graph *g)
{
	for (uint32_t i = 0; i < g->processes.count; i++) {
		const struct process *p = &g->processes.items[i];
		const struct process_state *s = &g->builder->states.items[i];
		if (s->parent_node == GRAPH_NONE)
			continue;
		uint32_t child = g->segments.items[p->segments.items[0]].node;
		if (builder_plain_edge(g, s->parent_node, child, FLOW_FORK, p->parent_class, s->fork_start_ns, s->fork_end_ns, s->fork_serial, s->fork_evidence) < 0)
			return -1;
	}
	return 0;
}

struct sibling { uint32_t parent, process; uint64_t birth_ns; };

static int compare_siblings(const void *a, const void *b)
{
	const struct sibling *x = a, *y = b;
	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	if (x->birth_ns != y->birth_ns)
		return x->birth_ns < y->birth_ns ? -1 : 1;
	return x->process < y->process ? -1 : x->process > y->process;
}

// `curl X | sh` without pipe2 records: siblings under one shell that were born together and overlap. Uncertain.
static int sibling_pipes(struct graph *g)
{
	if (g->builder->pipes_audited || g->processes.count == 0)
		return 0;
	struct sibling *siblings = malloc(g->processes.count * sizeof(*siblings));
	if (!siblings)
		return -1;
	size_t count = 0;
	for (uint32_t i = 0; i < g->processes.count; i++) {
		const struct process *p = &g->processes.items[i];
		if (p->parent != GRAPH_NONE && !p->implied && builder_is_shell(g, p->parent))
			siblings[count++] = (struct sibling){p->parent, i, p->birth_ns};
	}
	qsort(siblings, count, sizeof(*siblings), compare_siblings);
	int result = 0;
	for (size_t i = 1; i < count && result == 0; i++) {
		const struct sibling *a = &siblings[i - 1], *b = &siblings[i];
		const struct process *first = &g->processes.items[a->process], *second = &g->processes.items[b->process];
		if (a->parent != b->parent || b->birth_ns - a->birth_ns > SIBLINGS_APART_NS || first->exit_ns < b->birth_ns)
			continue;
		result = builder_plain_edge(g, builder_segment_node(g, a->process), builder_segment_node(g, b->process), FLOW_PIPE, CLASS_UNCERTAIN,
					    b->birth_ns, first->exit_ns < second->exit_ns ? first->exit_ns : second->exit_ns,
					    g->segments.items[second->segments.items[0]].serial, GRAPH_NONE);
	}
	free(siblings);
	return result;
}

static bool runs(const struct graph *g, const struct segment *s, const char *comm)
{
	return strcmp(intern_string(g->strings, s->comm), comm) == 0;
}

// "Please start this for me", sent to a service manager whose socket was bound before the log began.
static int start_edges(struct graph *g)
{
	for (size_t i = 0; i < g->builder->starts.count; i++) {
		const struct start_request *r = &g->builder->starts.items[i];
		for (size_t k = 0; k < g->segments.count; k++) {
			const struct segment *s = &g->segments.items[k];
			const struct process *p = &g->processes.items[s->process];
			bool manager = strcmp(r->server, "systemd") == 0 && p->pid == 1;
			if (p->host != r->host || s->start_ns > r->time_ns || s->end_ns < r->time_ns || !(manager || runs(g, s, r->server)))
				continue;
			if (builder_plain_edge(g, r->client_node, s->node, FLOW_START, CLASS_UNCERTAIN, r->time_ns, r->time_ns, r->serial, r->evidence) < 0)
				return -1;
			break;
		}
	}
	return 0;
}

// --- drafts become edges

static int flatten_evidence(struct graph *g, const struct draft_edge *d, uint32_t *ret_first)
{
	*ret_first = (uint32_t)g->evidence.count;
	for (uint32_t i = 0, link = d->evidence_head; i < d->evidence_count; i++) {
		const struct evidence_link *l = &g->builder->evidence.items[link];
		if (evidence_vector_append(&g->evidence, l->evidence) < 0)
			return -1;
		link = l->next;
	}
	return 0;
}

static int emit(struct graph *g, const struct draft_edge *d, uint32_t process_node, uint32_t other, enum flow_class class_,
		uint64_t start_ns, uint64_t end_ns, uint32_t evidence)
{
	struct flow_edge e = {
		.from = d->into_other ? process_node : other, .to = d->into_other ? other : process_node,
		.op = d->op, .class = (uint8_t)class_, .failed = d->failed, .start_ns = start_ns, .end_ns = end_ns < start_ns ? start_ns : end_ns,
		.serial = d->serial, .count = d->count, .last_ns = d->last_ns, .evidence = evidence, .evidence_count = d->evidence_count,
	};
	return edge_vector_append(&g->edges, e);
}

// One edge for each content version that was alive during [start, end].
static int emit_file(struct graph *g, const struct draft_edge *d, uint32_t process_node, enum flow_class class_, uint64_t start_ns,
		     uint64_t end_ns, uint32_t first_version, uint32_t evidence)
{
	const struct file *f = &g->files.items[d->other];
	for (size_t v = first_version; v < f->versions.count; v++) {
		const struct graph_node *n = &g->nodes.items[f->versions.items[v]];
		uint64_t from = v == first_version || n->start_ns < start_ns ? start_ns : n->start_ns;
		uint64_t to = end_ns < n->end_ns ? end_ns : n->end_ns;
		if (v > first_version && n->start_ns > end_ns)
			break;
		if (n->end_ns < start_ns && v + 1 < f->versions.count)
			continue;
		if (emit(g, d, process_node, f->versions.items[v], class_, from, to, evidence) < 0)
			return -1;
	}
	return 0;
}

static int emit_draft(struct graph *g, const struct draft_edge *d)
{
	uint32_t evidence;
	if (flatten_evidence(g, d, &evidence) < 0)
		return -1;
	if (d->process_node == GRAPH_NONE) {
		struct draft_edge plain = *d;
		plain.into_other = true;
		return emit(g, &plain, d->from, d->other, d->class, d->start_ns, d->end_ns, evidence);
	}
	const struct segment *s = graph_segment_of(g, d->process_node);
	const struct process *p = &g->processes.items[s->process];
	bool open = d->until_end && d->end_ns == NANOTIME_NONE;
	uint64_t end_ns = open ? s->end_ns : d->end_ns;
	int result = d->is_file ? emit_file(g, d, d->process_node, d->class, d->start_ns, end_ns, d->version, evidence) :
				  emit(g, d, d->process_node, d->other, d->class, d->start_ns, end_ns, evidence);
	for (size_t k = s->ordinal + 1; result == 0 && open && d->survives_exec && k < p->segments.count && k <= s->ordinal + LATER_SEGMENTS; k++) {
		const struct segment *later = &g->segments.items[p->segments.items[k]];
		enum flow_class class_ = d->class > CLASS_INFERRED ? d->class : CLASS_INFERRED;
		result = d->is_file ? emit_file(g, d, later->node, class_, later->start_ns, later->end_ns, d->version, evidence) :
				      emit(g, d, later->node, d->other, class_, later->start_ns, later->end_ns, evidence);
	}
	return result;
}

// --- trees: a login session, or a service below the first process

static uint32_t tree_of(struct graph *g, struct table *trees, uint64_t key)
{
	uint32_t known = table_get(trees, key);
	if (known != TABLE_NONE)
		return known;
	return table_put(trees, key, g->trees) < 0 ? GRAPH_NONE : g->trees++;
}

static int find_trees(struct graph *g)
{
	struct table trees = {0};
	int result = 0;
	for (uint32_t i = 0; i < g->processes.count && result == 0; i++) {
		struct process *p = &g->processes.items[i];
		uint64_t key;
		if (p->session != EVENT_ID_UNSET) {
			key = table_key((uint64_t)p->host << 32 | p->epoch, p->session, 0, 7);
		} else {
			uint32_t top = i;
			for (uint32_t hops = 0; hops < 64; hops++) { // our limit: deeper than any service; keeps a long chain cheap
				uint32_t parent = g->processes.items[top].parent;
				if (parent == GRAPH_NONE || g->processes.items[parent].pid <= 2)
					break;
				top = parent;
			}
			key = table_key(top, 0, 0, 8);
		}
		p->tree = tree_of(g, &trees, key);
		result = p->tree == GRAPH_NONE ? -1 : 0;
	}
	table_release(&trees);
	return result;
}

static int count_users(struct graph *g)
{
	struct table seen = {0};
	int result = 0;
	for (size_t i = 0; i < g->edges.count && result == 0; i++) {
		const struct flow_edge *e = &g->edges.items[i];
		bool from_file = g->nodes.items[e->from].kind == NODE_FILE;
		const struct segment *s = graph_segment_of(g, from_file ? e->to : e->from);
		uint32_t node = from_file ? e->from : e->to;
		if (!s || g->nodes.items[node].kind != NODE_FILE)
			continue;
		struct file *f = &g->files.items[g->nodes.items[node].entity];
		uint32_t tree = g->processes.items[s->process].tree;
		for (int reading = 0; reading <= (from_file ? 1 : 0) && result == 0; reading++) {
			uint64_t key = table_key(g->nodes.items[node].entity, tree, (uint64_t)reading, 9);
			if (table_get(&seen, key) != TABLE_NONE)
				continue;
			result = table_put(&seen, key, 1);
			*(reading ? &f->readers_trees : &f->accessors_trees) += 1;
		}
	}
	table_release(&seen);
	return result;
}

// --- order and indices

static int compare_edges(const void *a, const void *b)
{
	const struct flow_edge *x = a, *y = b;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->serial != y->serial)
		return x->serial < y->serial ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->op < y->op ? -1 : x->op > y->op;
}

static int index_side(struct graph *g, bool in, struct u32_vector *starts, struct u32_vector *list)
{
	size_t n = g->nodes.count, m = g->edges.count;
	if (u32_vector_reserve(starts, n + 2) < 0 || u32_vector_reserve(list, m + 1) < 0)
		return -1;
	memset(starts->items, 0, (n + 2) * sizeof(*starts->items));
	for (size_t i = 0; i < m; i++)
		starts->items[(in ? g->edges.items[i].to : g->edges.items[i].from) + 1]++;
	for (size_t i = 1; i <= n; i++)
		starts->items[i] += starts->items[i - 1];
	starts->count = n + 1;
	uint32_t *next = malloc((n + 1) * sizeof(*next));
	if (!next)
		return -1;
	memcpy(next, starts->items, (n + 1) * sizeof(*next));
	for (uint32_t i = 0; i < m; i++) // in order of edges, so that each node's edges are in order of start
		list->items[next[in ? g->edges.items[i].to : g->edges.items[i].from]++] = i;
	list->count = m;
	free(next);
	return 0;
}

static int finish(struct graph *g)
{
	end_segments(g);
	if (fork_edges(g) < 0 || sibling_pipes(g) < 0 || start_edges(g) < 0)
		return -1;
	for (size_t i = 0; i < g->builder->draft_list.count; i++)
		if (emit_draft(g, &g->builder->draft_list.items[i]) < 0)
			return -1;
	if (find_trees(g) < 0 || count_users(g) < 0)
		return -1;
	if (g->edges.count)
		qsort(g->edges.items, g->edges.count, sizeof(*g->edges.items), compare_edges);
	if (index_side(g, false, &g->out_start, &g->out_edges) < 0)
		return -1;
	return index_side(g, true, &g->in_start, &g->in_edges);
}

int graph_finish(struct graph *g, struct error *err)
{
	if (g->builder && finish(g) < 0)
		return error_set(err, "building the graph: out of memory");
	graph_drop_builder(g);
	return 0;
}
