// SPDX-License-Identifier: MIT
// --why NODE: where a node stands in the picture and what its score is made of; for one outside the slice, why it is not in it.
#include "graph/picture.h"

#include "base/nanotime.h"
#include "base/text.h"
#include "graph/describe.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ANSWERS_MAX 10
#define WORD_BYTES 128

struct asker {
	const struct picture *p;
	const struct graph *g;
	const struct trace *t;
	struct buffer *out;
	size_t answered, more;
	struct error *err;
	int result;
};

// --- where a graph node stands in the picture

static bool same_thing(const struct graph *g, uint32_t a, uint32_t b)
{
	const struct graph_node *x = &g->nodes.items[a], *y = &g->nodes.items[b];
	return x->kind == y->kind && x->entity == y->entity && (x->kind != NODE_PROCESS || a == b);
}

static const struct picture_node *drawn_as(const struct asker *a, uint32_t node)
{
	for (size_t i = 0; i < a->p->nodes.count; i++) {
		const struct picture_node *n = &a->p->nodes.items[i];
		for (size_t k = 0; k < n->graph_node_count; k++)
			if (n->graph_nodes[k] == node)
				return n;
	}
	return NULL;
}

// A fold's members name one node each: a folded process with several images is found by any of them.
static const struct picture_fold *folded_into(const struct asker *a, uint32_t node)
{
	const struct graph_node *wanted = &a->g->nodes.items[node];
	for (int exact = 1; exact >= 0; exact--)
		for (size_t i = 0; i < a->p->folds.count; i++) {
			const struct picture_fold *f = &a->p->folds.items[i];
			for (size_t k = 0; k < f->member_count; k++) {
				uint32_t member = f->members[k].graph_node;
				const struct graph_node *m = &a->g->nodes.items[member];
				if (exact ? same_thing(a->g, member, node) : m->kind == wanted->kind && m->entity == wanted->entity)
					return f;
			}
		}
	return NULL;
}

static void add_visible(const struct asker *a, struct text t)
{
	text_visible(a->out, t.bytes, t.length);
}

static void say_place(const struct asker *a, uint32_t node)
{
	const struct picture_node *drawn = drawn_as(a, node);
	if (drawn) {
		buffer_printf(a->out, "drawn as n%" PRIu32 " ", drawn->id);
		add_visible(a, drawn->name);
		buffer_add_string(a->out, ": ");
		add_visible(a, drawn->reason);
		buffer_add_byte(a->out, '\n');
		return;
	}
	const struct picture_fold *fold = folded_into(a, node);
	if (!fold)
		return;
	const struct picture_node *n = &a->p->nodes.items[fold->node];
	buffer_printf(a->out, "folded into n%" PRIu32 " (", n->id);
	add_visible(a, n->name);
	buffer_add_string(a->out, "): ");
	add_visible(a, fold->rule);
	buffer_add_byte(a->out, '\n');
}

// --- why something is outside

static void say_time(const struct asker *a, uint64_t ns)
{
	nanotime_format(a->out, ns, NANOTIME_FULL, a->p->zone);
}

// A flow into something that led to the contact, but too late: that is the whole reason.
static bool say_too_late(const struct asker *a, uint32_t node)
{
	for (uint32_t i = a->g->out_start.items[node]; i < a->g->out_start.items[node + 1]; i++) {
		const struct flow_edge *e = &a->g->edges.items[a->g->out_edges.items[i]];
		const struct trace_node *to = &a->t->nodes[e->to];
		if ((to->side != TRACE_CAUSE && to->side != TRACE_SEED) || e->start_ns <= to->usable_ns)
			continue;
		buffer_add_string(a->out, "  its flow into ");
		describe_node(a->g, e->to, a->out);
		buffer_printf(a->out, " (%s) began at ", flow_op_words(e->op));
		say_time(a, e->start_ns);
		buffer_add_string(a->out, ", after the last moment at which that could lead to the contact, ");
		say_time(a, to->usable_ns);
		buffer_add_byte(a->out, '\n');
		return true;
	}
	return false;
}

static void say_outside(const struct asker *a, uint32_t node)
{
	uint32_t in = a->g->in_start.items[node + 1] - a->g->in_start.items[node];
	uint32_t out = a->g->out_start.items[node + 1] - a->g->out_start.items[node];
	if (say_too_late(a, node))
		return;
	buffer_printf(a->out, "  %" PRIu32 " flows into it and %" PRIu32 " out of it are known; none leads to the contact, and none of "
		      "its causes is among what led there\n", in, out);
}

static void answer(struct asker *a, uint32_t node)
{
	if (a->result < 0)
		return;
	if (a->answered >= ANSWERS_MAX) {
		a->more++;
		return;
	}
	if (a->answered++)
		buffer_add_byte(a->out, '\n');
	say_place(a, node);
	if (trace_explain(a->t, node, a->out, a->err) < 0)
		a->result = -1;
	else if (a->t->nodes[node].side == TRACE_NONE)
		say_outside(a, node);
}

// --- what was asked for

// Of several nodes of one thing the best ranked speaks for it.
static uint32_t better(const struct asker *a, uint32_t best, uint32_t node)
{
	if (best == GRAPH_NONE)
		return node;
	const struct trace_node *x = &a->t->nodes[best], *y = &a->t->nodes[node];
	if (x->side == TRACE_NONE || y->side == TRACE_NONE)
		return x->side == TRACE_NONE && y->side != TRACE_NONE ? node : best;
	return y->rank < x->rank ? node : best;
}

static void ask_id(struct asker *a, uint64_t id)
{
	if (id == 0 || id > a->p->nodes.count)
		return;
	const struct picture_node *n = &a->p->nodes.items[id - 1];
	uint32_t best = GRAPH_NONE;
	for (size_t i = 0; i < n->graph_node_count; i++)
		best = better(a, best, n->graph_nodes[i]);
	if (best != GRAPH_NONE) {
		answer(a, best);
		return;
	}
	if (n->kind != PICTURE_FOLD)
		return;
	a->answered++;
	const struct picture_fold *f = &a->p->folds.items[n->fold];
	buffer_printf(a->out, "n%" PRIu32 " ", n->id);
	add_visible(a, n->name);
	buffer_add_string(a->out, ": ");
	add_visible(a, f->rule);
	buffer_add_byte(a->out, '\n');
	for (size_t i = 0; i < f->member_count && i < 3 * ANSWERS_MAX; i++) {
		buffer_printf(a->out, "  %.3g  ", f->members[i].score);
		add_visible(a, f->members[i].name);
		buffer_add_byte(a->out, '\n');
	}
	if (f->member_count > 3 * ANSWERS_MAX)
		buffer_printf(a->out, "  and %zu more: --format json names them\n", f->member_count - 3 * ANSWERS_MAX);
}

static void ask_pid(struct asker *a, uint64_t pid, uint64_t at_ns)
{
	for (size_t i = 0; i < a->g->processes.count; i++) {
		const struct process *p = &a->g->processes.items[i];
		if (p->pid != pid || (at_ns != NANOTIME_NONE && (at_ns < p->birth_ns || at_ns > p->exit_ns)))
			continue;
		uint32_t best = GRAPH_NONE;
		for (size_t k = 0; k < p->segments.count; k++)
			best = better(a, best, a->g->segments.items[p->segments.items[k]].node);
		if (best != GRAPH_NONE)
			answer(a, best);
	}
}

static void ask_address(struct asker *a, const struct event_address *address)
{
	uint32_t best = GRAPH_NONE;
	for (size_t i = 0; i < a->g->connections.count; i++) {
		const struct connection *c = &a->g->connections.items[i];
		if (c->address.kind == address->kind && memcmp(c->address.ip, address->ip, sizeof(address->ip)) == 0 &&
		    (!address->port || c->address.port == address->port))
			best = better(a, best, c->node);
	}
	if (best != GRAPH_NONE)
		answer(a, best);
}

static bool has_suffix_name(const char *name, size_t length, const char *asked, size_t asked_length)
{
	return length > asked_length && name[length - asked_length - 1] == '/' &&
	       memcmp(name + length - asked_length, asked, asked_length) == 0;
}

static bool file_is_called(const struct asker *a, const struct file *f, const char *asked, size_t length, bool exact)
{
	for (size_t k = 0; k < f->names.count; k++) {
		const char *name = intern_string(a->g->strings, f->names.items[k].name);
		size_t name_length = intern_length(a->g->strings, f->names.items[k].name);
		if (exact ? name_length == length && memcmp(name, asked, length) == 0 : has_suffix_name(name, name_length, asked, length))
			return true;
	}
	return false;
}

// The whole path; when nothing has it, files that end with it ("stage2", "log/auth.log").
static void ask_path(struct asker *a, const char *asked)
{
	size_t length = strlen(asked);
	for (int exact = 1; exact >= 0 && !a->answered && length; exact--) {
		for (size_t i = 0; i < a->g->files.count; i++) {
			const struct file *f = &a->g->files.items[i];
			uint32_t best = GRAPH_NONE;
			if (!f->versions.count || !file_is_called(a, f, asked, length, exact))
				continue;
			for (size_t k = 0; k < f->versions.count; k++)
				best = better(a, best, f->versions.items[k]);
			answer(a, best);
		}
		for (size_t i = 0; exact && i < a->g->sockets.count; i++) {
			const struct unix_socket *u = &a->g->sockets.items[i];
			if (intern_length(a->g->strings, u->path) == length &&
			    memcmp(intern_string(a->g->strings, u->path), asked, length) == 0)
				answer(a, u->node);
		}
	}
}

static bool parse_number(const char *text, char end, uint64_t *ret, const char **ret_after)
{
	uint64_t n = 0;
	const char *p = text;
	while (*p >= '0' && *p <= '9' && n < UINT32_MAX)
		n = n * 10 + (uint64_t)(*p++ - '0');
	if (p == text || n > UINT32_MAX || (*p && *p != end))
		return false;
	*ret = n;
	*ret_after = p;
	return true;
}

// "10.0.0.5", "10.0.0.5:443", "2001:db8::1", "[2001:db8::1]:443".
static bool parse_address(const char *asked, struct event_address *ret)
{
	char word[WORD_BYTES];
	uint64_t port = 0;
	const char *after, *end = asked + strlen(asked);
	const char *colon = strrchr(asked, ':');
	bool brackets = asked[0] == '[' && strchr(asked, ']');
	*ret = (struct event_address){.kind = ADDRESS_NONE};
	if (brackets)
		end = strchr(asked, ']');
	else if (colon && strchr(asked, ':') == colon)
		end = colon;
	size_t length = (size_t)(end - asked) - brackets;
	if (length >= sizeof(word))
		return false;
	memcpy(word, asked + brackets, length);
	word[length] = '\0';
	const char *tail = brackets ? end + 1 : end;
	if (*tail == ':' && (!parse_number(tail + 1, '\0', &port, &after) || port > UINT16_MAX))
		return false;
	ret->port = (uint16_t)port;
	if (inet_pton(AF_INET, word, ret->ip) == 1)
		ret->kind = ADDRESS_IPV4;
	else if (inet_pton(AF_INET6, word, ret->ip) == 1)
		ret->kind = ADDRESS_IPV6;
	return ret->kind != ADDRESS_NONE;
}

static void ask(struct asker *a, const char *asked)
{
	uint64_t number, at_ns = NANOTIME_NONE;
	const char *after;
	struct event_address address;
	if (asked[0] == 'n' && parse_number(asked + 1, '\0', &number, &after)) {
		ask_id(a, number);
	} else if (parse_number(asked, '@', &number, &after)) {
		// relative words ("-2h") start from the end of the window: a case has no other now
		if (*after == '@' && nanotime_parse(after + 1, a->p->zone, a->p->to_ns, &at_ns, NULL, a->err) < 0)
			a->result = -1;
		else
			ask_pid(a, number, at_ns);
	} else if (parse_address(asked, &address)) {
		ask_address(a, &address);
	}
	if (!a->answered && a->result == 0)
		ask_path(a, asked);
}

int picture_why(const struct picture *p, const struct graph *g, const struct trace *t, const char *node,
		struct buffer *out, struct error *err)
{
	struct asker a = {.p = p, .g = g, .t = t, .out = out, .err = err};
	ask(&a, node);
	if (a.result < 0)
		return -1;
	if (a.more)
		buffer_printf(out, "\nand %zu more; name one by pid@time, a whole path or a printed id\n", a.more);
	if (buffer_check(out, err) < 0)
		return -1;
	return a.answered ? 0 : 1;
}
