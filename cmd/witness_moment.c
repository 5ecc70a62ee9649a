// SPDX-License-Identifier: MIT
#include "cmd/witness_moment.h"

#include "base/memory.h"
#include "cmd/investigate.h"
#include "graph/describe.h"

// What matters most has the greatest weight; among equals, what the process did that stands nearest to the contact, and then the latest.
static const struct {
	enum flow_op op;
	int weight;
	const char *words;
} ops[] = {
	{FLOW_DELETE, 6, "deleted it"},
	{FLOW_TRUNCATE, 5, "cut it"},
	{FLOW_OPEN_WRITE, 4, "opened it for writing"},
	{FLOW_WRITE, 4, "wrote to it"},
	{FLOW_CREATE, 3, "made it"},
	{FLOW_RENAME, 2, "renamed it"},
	{FLOW_EXECUTE, 1, "executed it"},
	{FLOW_INTERPRET, 1, "executed it"},
};

static size_t kind_of(const struct graph *g, const struct annotate_moment *m)
{
	size_t i = 0;

	while (i < ARRAY_LENGTH(ops) && (enum flow_op)g->edges.items[m->edge].op != ops[i].op)
		i++;
	return i;
}

// Content is in memory long before it is on the disk: 30 to 40 s, and a size may come as late. The inode's own time of change, which no
// program can set, tells that a later state holds what the file was until limit_ns (the guest's clock). A clock that was set back tells
// nothing (set forward, it still shows later what is later), nor do bytes that were written anew under an unchanged time: data goes to the disk ahead of its inode.
static uint64_t settled(const struct witness_volume *v, const struct annotate_answer *a, uint64_t seq, uint64_t limit_ns)
{
	for (size_t i = 0; i < v->clock.pieces.count; i++)
		if (v->clock.pieces.items[i].stepped && v->clock.pieces.items[i].step_ns < 0)
			return seq;
	for (size_t i = 0; i < a->states.count; i++) {
		const struct timeline_state *s = &a->states.items[i].disk;
		bool ahead = i > 0 && s->ctime_ns == a->states.items[i - 1].disk.ctime_ns && (s->change & (TIMELINE_REWRITTEN | TIMELINE_CUT));

		if (s->seq <= seq)
			continue;
		if (s->links == 0 || s->ctime_ns == NANOTIME_NONE || s->ctime_ns > limit_ns || ahead)
			break;
		if (s->pending_bytes == 0)
			seq = s->seq;
	}
	return seq;
}

// The state in force at seq was changed last at this time.
static uint64_t changed_ns(const struct annotate_answer *a, uint64_t seq)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < a->states.count && a->states.items[i].disk.seq <= seq; i++)
		ns = a->states.items[i].disk.ctime_ns;
	return ns != NANOTIME_NONE ? ns : 0;
}

struct chooser {
	struct investigation *in;
	struct witness_volume *volume;
	const struct annotate_answer *answer;
	struct witness_choice choice;
	int weight;
	double score;              // of the process
	size_t kind;               // in ops
};

// The process of an edge: contents flow from it, or to it.
static uint32_t actor(const struct graph *g, uint32_t edge)
{
	const struct flow_edge *e = &g->edges.items[edge];

	return e->op == FLOW_EXECUTE || e->op == FLOW_INTERPRET ? e->to : e->from;
}

static bool matters_less(const struct chooser *c, const struct annotate_moment *m, size_t kind)
{
	if (ops[kind].weight != c->weight)
		return ops[kind].weight < c->weight;
	return c->in->trace.nodes[actor(c->in->graph, m->edge)].score < c->score;
}

static int take_moment(struct chooser *c, const struct annotate_moment *m, struct error *err)
{
	struct witness_choice *choice = &c->choice;
	size_t kind = kind_of(c->in->graph, m);
	bool first_execution = m->kind == ANNOTATE_EXECUTED && !choice->executed;

	if (m->kind == ANNOTATE_AFTER && m->edge == choice->edge && m->guest_ns == choice->guest_ns)
		choice->after_seq = m->seq;
	if (choice->after_seq != 0)
		choice->after_settled_seq = settled(c->volume, c->answer, choice->after_seq, changed_ns(c->answer, choice->after_seq));
	if (kind == ARRAY_LENGTH(ops) || m->kind == ANNOTATE_AFTER || (!first_execution && matters_less(c, m, kind)))
		return 0;
	uint64_t seq, host_ns = m->host_ns;

	if (m->kind == ANNOTATE_BEFORE) // surely
		host_ns -= m->error_ns < host_ns ? m->error_ns : host_ns;
	if (witness_volume_seq_at(c->volume, host_ns, &seq, err) < 0)
		return -1;
	if (first_execution) {
		choice->executed = true;
		choice->executed_seq = settled(c->volume, c->answer, seq, m->guest_ns);
	}
	if (matters_less(c, m, kind) || (m->kind == ANNOTATE_EXECUTED && !first_execution))
		return 0;
	c->weight = ops[kind].weight;
	c->score = c->in->trace.nodes[actor(c->in->graph, m->edge)].score;
	c->kind = kind;
	choice->edge = m->edge;
	choice->guest_ns = m->guest_ns;
	choice->before_seq = m->kind == ANNOTATE_EXECUTED ? choice->executed_seq : seq;
	choice->before_settled_seq = m->kind == ANNOTATE_EXECUTED ? choice->executed_seq : settled(c->volume, c->answer, seq, m->guest_ns - 1);
	choice->after_seq = choice->after_settled_seq = 0;
	choice->deleted = ops[kind].op == FLOW_DELETE;
	return 0;
}

static int name_choice(struct chooser *c, struct error *err)
{
	struct buffer words AUTO_RELEASE_BUFFER = {0};

	buffer_add_string(&words, ops[c->kind].weight == 1 ? "as " : "before ");
	describe_node(c->in->graph, actor(c->in->graph, c->choice.edge), &words);
	buffer_printf(&words, " %s", ops[c->kind].words);
	c->choice.words = picture_text(c->in->picture, words.bytes, words.length);
	return buffer_check(&words, err);
}

// Nothing ties the states to the log: the last one that had the file.
static int last_state(struct picture *p, const struct annotate_answer *a, struct witness_choice *c)
{
	static const char words[] = "as the disk last showed it";
	const struct annotate_state *last = NULL;

	for (size_t i = 0; i < a->states.count; i++)
		if (a->states.items[i].disk.links > 0)
			last = &a->states.items[i];
	if (!last)
		return 1;
	c->before_seq = c->before_settled_seq = last->disk.seq;
	c->words = picture_text(p, words, sizeof(words) - 1);
	return 0;
}

int witness_choose(struct investigation *in, struct witness_volume *v, uint32_t file, struct witness_choice *ret, struct error *err)
{
	struct chooser c = {.in = in, .volume = v, .answer = annotation_of(in->witness.annotation, file)};
	struct annotate_moments moments = {0};
	int result = annotation_moments(in->witness.annotation, in->graph, file, &moments, err);

	c.choice = (struct witness_choice){.edge = GRAPH_NONE, .guest_ns = NANOTIME_NONE};
	for (size_t i = 0; i < moments.count && result == 0; i++)
		result = take_moment(&c, &moments.items[i], err);
	annotate_moments_release(&moments);
	if (result == 0)
		result = c.choice.edge == GRAPH_NONE ? last_state(in->picture, c.answer, &c.choice) : name_choice(&c, err);
	if (result == 0)
		*ret = c.choice;
	return result;
}
