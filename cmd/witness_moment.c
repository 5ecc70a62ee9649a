// SPDX-License-Identifier: MIT
#include "cmd/witness_moment.h"

#include "base/memory.h"
#include "cmd/investigate.h"

#define TICK_NS (4 * NANOTIME_MILLISECOND) // stamps of audit run so much early at most: CONFIG_HZ=250

// What matters most has the greatest weight; 0: no moment of interest.
static const struct {
	enum flow_op op;
	int weight;
	const char *words;
} ops[] = {
	{FLOW_DELETE, 6, "before it was deleted"},
	{FLOW_TRUNCATE, 5, "before it was cut"},
	{FLOW_OPEN_WRITE, 4, "before it was last opened for writing"},
	{FLOW_WRITE, 4, "before it was last written"},
	{FLOW_CREATE, 3, "before it was made"},
	{FLOW_RENAME, 2, "before it was renamed"},
	{FLOW_EXECUTE, 1, "as it was executed"},
	{FLOW_INTERPRET, 1, "as it was executed"},
};

static size_t kind_of(const struct graph *g, const struct annotate_moment *m)
{
	size_t i = 0;

	while (i < ARRAY_LENGTH(ops) && (enum flow_op)g->edges.items[m->edge].op != ops[i].op)
		i++;
	return i;
}

// The state in force at seq, of those that are known; NULL: none. *ret_next: the first one after it, or NULL.
static const struct annotate_state *state_at(const struct annotate_answer *a, uint64_t seq, const struct annotate_state **ret_next)
{
	const struct annotate_state *in_force = NULL;

	*ret_next = NULL;
	for (size_t i = 0; i < a->states.count; i++) {
		if (a->states.items[i].disk.seq > seq) {
			*ret_next = &a->states.items[i];
			break;
		}
		in_force = &a->states.items[i];
	}
	return in_force;
}

// A program runs out of memory, long before its content is on the disk. Where the disk has it only later, the file's own time of
// modification (the guest's clock, as the log's) says whether it is still the content that was executed.
static uint64_t complete_as_executed(const struct annotate_answer *a, const struct annotate_moment *m, uint64_t seq)
{
	const struct annotate_state *next, *s = state_at(a, seq, &next);

	if (s && s->disk.pending_bytes == 0 && s->disk.links > 0)
		return seq;
	for (; next && next < a->states.items + a->states.count; next++) {
		if (next->disk.links == 0 || next->disk.mtime_ns == NANOTIME_NONE || next->disk.mtime_ns > m->guest_ns + TICK_NS)
			break;
		if (next->disk.pending_bytes == 0)
			return next->disk.seq;
	}
	return seq;
}

static int take_moment(const struct graph *g, struct witness_volume *v, const struct annotate_answer *a, const struct annotate_moment *m,
		       int *weight, struct witness_choice *c, struct error *err)
{
	size_t kind = kind_of(g, m);
	bool first_execution = m->kind == ANNOTATE_EXECUTED && !c->executed;

	if (kind == ARRAY_LENGTH(ops))
		return 0;
	if (m->kind == ANNOTATE_AFTER) {
		if (m->edge == c->edge && m->guest_ns == c->guest_ns)
			c->after_seq = m->seq;
		return 0;
	}
	if (!first_execution && (m->kind == ANNOTATE_EXECUTED || ops[kind].weight < *weight))
		return 0;
	uint64_t seq, host_ns = m->host_ns;

	if (m->kind == ANNOTATE_BEFORE) // surely
		host_ns -= m->error_ns < host_ns ? m->error_ns : host_ns;
	if (witness_volume_seq_at(v, host_ns, &seq, err) < 0)
		return -1;
	if (first_execution) {
		c->executed = true;
		c->executed_seq = complete_as_executed(a, m, seq);
	}
	if (ops[kind].weight < *weight)
		return 0;
	*weight = ops[kind].weight;
	c->edge = m->edge;
	c->guest_ns = m->guest_ns;
	c->before_seq = m->kind == ANNOTATE_EXECUTED ? c->executed_seq : seq;
	c->after_seq = 0;
	c->deleted = ops[kind].op == FLOW_DELETE;
	c->words = ops[kind].words;
	return 0;
}

// Nothing ties the states to the log: the last one that had the file.
static int last_state(const struct annotate_answer *a, struct witness_choice *c)
{
	const struct annotate_state *last = NULL;

	for (size_t i = 0; i < a->states.count; i++)
		if (a->states.items[i].disk.links > 0)
			last = &a->states.items[i];
	if (!last)
		return 1;
	c->before_seq = last->disk.seq;
	c->words = "as the disk last showed it";
	return 0;
}

int witness_choose(const struct investigation *in, struct witness_volume *v, uint32_t file, struct witness_choice *ret, struct error *err)
{
	const struct annotate_answer *a = annotation_of(in->witness.annotation, file);
	struct annotate_moments moments = {0};
	struct witness_choice c = {.edge = GRAPH_NONE, .guest_ns = NANOTIME_NONE};
	int weight = 0, result = annotation_moments(in->witness.annotation, in->graph, file, &moments, err);

	for (size_t i = 0; i < moments.count && result == 0; i++)
		result = take_moment(in->graph, v, a, &moments.items[i], &weight, &c, err);
	annotate_moments_release(&moments);
	if (result == 0 && c.edge == GRAPH_NONE)
		result = last_state(a, &c);
	if (result == 0)
		*ret = c;
	return result;
}
