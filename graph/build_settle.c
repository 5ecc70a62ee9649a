// SPDX-License-Identifier: MIT
// What only the whole log shows: forks whose child never spoke, and pipes that nobody audited.
#include "graph/build.h"

#include <stdlib.h>
#include <string.h>

#define SIBLINGS_APART_NS (8 * NANOTIME_MILLISECOND) /* a shell forks a pipeline's members within two ticks of the audit clock */

// --- births

static int compare_births(const void *x, const void *y, void *builder)
{
	const struct graph_builder *b = builder;
	uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;
	const struct birth *f = &b->births.items[i], *s = &b->births.items[k];
	if (f->creator != s->creator)
		return f->creator < s->creator ? -1 : 1;
	return i < k ? -1 : i > k;
}

// Births without a child, by creator and in order of records.
static void silent_births(struct graph_builder *b, struct u32_vector *out)
{
	for (uint32_t i = 0; i < b->births.count; i++)
		if (b->births.items[i].child == GRAPH_NONE && !b->births.items[i].maybe_thread && u32_vector_append(out, i) < 0)
			b->failed = true;
	if (out->count)
		qsort_r(out->items, out->count, sizeof(*out->items), compare_births, b);
}

static size_t first_of_creator(const struct graph_builder *b, const struct u32_vector *silent, uint32_t creator)
{
	size_t low = 0, high = silent->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (b->births.items[silent->items[middle]].creator < creator)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

// The next birth that nobody has taken, at or after `from`; next[i] leads from a taken one onwards.
static size_t first_free(uint32_t *next, size_t from)
{
	while (next[from] != from) {
		next[from] = next[next[from]];
		from = next[from];
	}
	return from;
}

// A child in another pid namespace: clone returned a number that nobody here has, and a process nobody named has this parent.
static void match_namespace(struct graph_builder *b, const struct u32_vector *silent, uint32_t *next, uint32_t child)
{
	const struct process *p = &b->g->processes.items[child];
	const struct process_state *s = &b->process_states.items[child];
	if (p->birth_seen || p->implied || p->parent == GRAPH_NONE || p->parent_class == CLASS_UNCERTAIN)
		return;
	size_t i = first_free(next, first_of_creator(b, silent, p->parent));
	if (i == silent->count)
		return;
	const struct birth *f = &b->births.items[silent->items[i]];
	if (f->creator != p->parent || f->start_ns > s->first_ns)
		return;
	next[i] = (uint32_t)i + 1;
	birth_attach(b, silent->items[i], child, CLASS_INFERRED);
	b->g->processes.items[child].birth_seen = false; // no record names it
}

// A number that somebody else has here was of another namespace; a child that was killed before it spoke leaves a free one.
static void materialize(struct graph_builder *b, uint32_t birth)
{
	const struct birth *f = &b->births.items[birth];
	uint32_t known = process_find(b, f->realm, f->pid);
	if (f->child == GRAPH_NONE && (known == GRAPH_NONE || b->g->processes.items[known].exit_ns < f->start_ns))
		birth_become(b, birth, CLASS_OBSERVED);
}

void births_settle(struct graph_builder *b)
{
	struct u32_vector silent = {0};
	struct event nothing = {0};
	silent_births(b, &silent);
	uint32_t *next = malloc((silent.count + 1) * sizeof(*next));
	if (!next) {
		b->failed = true;
		u32_vector_release(&silent);
		return;
	}
	for (uint32_t i = 0; i <= silent.count; i++)
		next[i] = i;
	b->event = &nothing;
	for (uint32_t i = 0; i < b->g->processes.count && silent.count; i++)
		match_namespace(b, &silent, next, i);
	for (size_t i = 0; i < silent.count; i++) {
		const struct birth *f = &b->births.items[silent.items[i]];
		b->realm = f->realm;
		nothing.earliest_ns = nothing.latest_ns = f->start_ns;
		nothing.serial = f->serial;
		materialize(b, silent.items[i]);
	}
	b->event = NULL;
	free(next);
	u32_vector_release(&silent);
}

// --- pipes without records

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

static void guess_pipe(struct graph_builder *b, const struct sibling *first, const struct sibling *second)
{
	const struct process *p = &b->g->processes.items[first->process];
	const struct segment *to = &b->g->segments.items[process_segment(b, second->process)];
	if (first->parent != second->parent || second->birth_ns - first->birth_ns > SIBLINGS_APART_NS || p->exit_ns < second->birth_ns)
		return;
	struct flow f = {.from = process_node(b, first->process), .to = to->node, .op = FLOW_PIPE, .class = CLASS_UNCERTAIN, .until = UNTIL_SEGMENT,
			 .start_ns = second->birth_ns, .end_ns = NANOTIME_NONE, .serial = to->serial};
	f.evidence = b->segment_states.items[process_segment(b, second->process)].evidence;
	f.evidence_count = b->segment_states.items[process_segment(b, second->process)].evidence_count;
	flow_add(b, &f);
}

// `curl X | sh` without pipe2 records: neighbours under one shell that were born together and lived at once.
void pipes_guess(struct graph_builder *b)
{
	if (b->pipes_audited || b->g->processes.count == 0)
		return;
	struct sibling *siblings = malloc(b->g->processes.count * sizeof(*siblings));
	size_t count = 0;
	if (!siblings) {
		b->failed = true;
		return;
	}
	for (uint32_t i = 0; i < b->g->processes.count; i++) {
		const struct process *p = &b->g->processes.items[i];
		bool executed = b->segment_states.items[process_segment(b, i)].executed;
		if (p->parent != GRAPH_NONE && !p->implied && executed && process_is_shell(b, p->parent))
			siblings[count++] = (struct sibling){p->parent, i, p->birth_ns};
	}
	qsort(siblings, count, sizeof(*siblings), compare_siblings);
	for (size_t i = 1; i < count; i++)
		guess_pipe(b, &siblings[i - 1], &siblings[i]);
	free(siblings);
}
