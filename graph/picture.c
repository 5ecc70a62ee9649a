// SPDX-License-Identifier: MIT
// The picture from end to end: subjects, path, choice, folds, nodes, edges, story, notes.
#include "graph/picture.h"

#include "graph/label.h"
#include "graph/picture_choose.h"
#include "graph/picture_work.h"

#include <stdlib.h>
#include <string.h>

// --- the arena: every text and small array of a picture, freed at once

#define CHUNK_BYTES 65536

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(16) char bytes[];
};

struct arena {
	struct chunk *chunks; // the newest first
	bool failed;
};

void *picture_allocate(struct picture *p, size_t bytes)
{
	struct arena *a = p->arena;
	size_t needed = (bytes + 15) & ~(size_t)15;
	if (a->failed || needed < bytes)
		return NULL;
	struct chunk *c = a->chunks;
	if (!c || c->size - c->used < needed) {
		size_t size = needed > CHUNK_BYTES ? needed : CHUNK_BYTES;
		c = malloc(sizeof(*c) + size);
		if (!c) {
			a->failed = true;
			return NULL;
		}
		*c = (struct chunk){.next = a->chunks, .size = size};
		a->chunks = c;
	}
	void *result = c->bytes + c->used;
	c->used += needed;
	return memset(result, 0, needed);
}

bool picture_failed(const struct picture *p)
{
	return ((const struct arena *)p->arena)->failed;
}

struct text picture_text(struct picture *p, const void *bytes, size_t length)
{
	char *copy = picture_allocate(p, length + 1);
	if (!copy)
		return (struct text){NULL, 0};
	if (length)
		memcpy(copy, bytes, length);
	return (struct text){copy, length};
}

struct text picture_take_text(struct picture *p, struct buffer *b)
{
	struct text t = picture_text(p, buffer_string(b), b->length);
	if (b->failed)
		((struct arena *)p->arena)->failed = true;
	buffer_clear(b);
	return t;
}

struct text picture_string_text(struct picture *p, const struct graph *g, uint32_t string)
{
	return picture_text(p, intern_string(g->strings, string), intern_length(g->strings, string));
}

static struct text string_text(struct picture *p, const char *string)
{
	return picture_text(p, string ? string : "", string ? strlen(string) : 0);
}

// --- life

static struct picture *picture_new(const struct graph *g, const struct trace *t, const struct picture_options *options)
{
	struct picture *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->arena = calloc(1, sizeof(struct arena));
	if (!p->arena) {
		free(p);
		return NULL;
	}
	p->alert_address = options->alert_address;
	p->alert_port = options->alert_port;
	p->alert_ns = options->alert_ns;
	p->alert_signature = string_text(p, options->alert_signature);
	p->from_ns = options->from_ns;
	p->to_ns = options->to_ns;
	p->zone = options->zone;
	p->linear_time = options->linear_time;
	p->command = string_text(p, options->command);
	p->version = string_text(p, options->version);
	p->events = g->events;
	p->graph_nodes = g->nodes.count;
	p->graph_edges = g->edges.count;
	p->sliced_nodes = t->order.count;
	p->contact_ns = NANOTIME_NONE;
	if (t->contact != GRAPH_NONE) {
		const struct connection *c = &g->connections.items[t->contact];
		p->contact_ns = c->time_ns;
		p->host = picture_string_text(p, g, c->host);
	}
	return p;
}

void picture_free(struct picture *p)
{
	if (!p)
		return;
	struct arena *a = p->arena;
	while (a->chunks) {
		struct chunk *next = a->chunks->next;
		free(a->chunks);
		a->chunks = next;
	}
	free(a);
	picture_node_vector_release(&p->nodes);
	for (size_t i = 0; i < p->edges.count; i++)
		free(p->edges.items[i].points);
	picture_edge_vector_release(&p->edges);
	picture_fold_vector_release(&p->folds);
	picture_step_vector_release(&p->steps);
	picture_note_vector_release(&p->notes);
	picture_missing_vector_release(&p->missing);
	picture_input_vector_release(&p->inputs);
	picture_recovery_vector_release(&p->recoveries);
	picture_record_vector_release(&p->records);
	for (size_t i = 0; i < p->disks.count; i++)
		free(p->disks.items[i].clock);
	picture_disk_vector_release(&p->disks);
	picture_log_finding_vector_release(&p->log_findings);
	free(p);
}

// --- the title

static bool same_name(const struct graph *g, const struct segment *a, const struct segment *b)
{
	struct label_span x = label_program(g, a), y = label_program(g, b);
	return x.length == y.length && (x.length == 0 || memcmp(x.bytes, y.bytes, x.length) == 0);
}

// "python3 (started from thunderbird) contacted 10.0.0.5:443"
int picture_make_title(struct picture_work *w)
{
	struct buffer b = {0};
	const struct connection *c = w->t->contact == GRAPH_NONE ? NULL : &w->g->connections.items[w->t->contact];
	if (!c || w->path.contact == GRAPH_NONE) {
		label_host_address(w->g, &w->options->alert_address, &b);
		buffer_add_string(&b, ": no contact found");
		w->p->title = picture_take_text(w->p, &b);
		buffer_release(&b);
		return picture_failed(w->p) ? -1 : 0;
	}
	const struct segment *segment = subjects_segment(&w->s, w->path.contact), *root = subjects_segment(&w->s, w->path.root);
	struct label_span name = label_program(w->g, segment);
	buffer_add(&b, name.length ? name.bytes : "a process", name.length ? name.length : strlen("a process"));
	// Nothing more interesting than itself: then the nearest other program above it is all there is to say.
	for (size_t i = w->path.line.count; i-- > 0 && same_name(w->g, root, segment) && w->path.same_line;)
		root = subjects_segment(&w->s, w->path.line.items[i]);
	if (root && !same_name(w->g, root, segment) && label_program(w->g, root).length) {
		struct label_span from = label_program(w->g, root);
		buffer_add_string(&b, w->path.same_line ? " (started from " : " (traced back to ");
		buffer_add(&b, from.bytes, from.length);
		buffer_add_byte(&b, ')');
	}
	if (c->result == CONNECTION_REFUSED)
		buffer_add_string(&b, " tried to contact ");
	else
		buffer_add_string(&b, c->direction == CONNECTION_IN ? " was contacted by " : " contacted ");
	struct event_address address = c->address;
	if (c->direction == CONNECTION_IN)
		address.port = 0;
	label_address(w->g, &address, &b);
	w->p->title = picture_take_text(w->p, &b);
	buffer_release(&b);
	return picture_failed(w->p) ? -1 : 0;
}

// --- the whole

static int build(struct picture_work *w, struct error *err)
{
	if (subjects_init(&w->s, w->g, w->t, err) < 0 || picture_path_find(&w->s, &w->path, err) < 0 ||
	    folds_init(&w->s, &w->folds, err) < 0 ||
	    picture_choose(&w->s, &w->path, &w->folds, w->options->drawn, err) < 0)
		return -1;
	if (users_find(w) < 0 || picture_find_collected(w) < 0 || picture_find_correlation(w) < 0 || picture_make_nodes(w) < 0 || picture_make_edges(w) < 0 || picture_add_disk(w) < 0 ||
	    picture_make_title(w) < 0 || story_tell(w) < 0 || notes_take(w) < 0 || picture_explain(w) < 0 ||
	    picture_find_recoveries(w) < 0 || picture_failed(w->p))
		return error_set(err, "picture: out of memory");
	return 0;
}

struct picture *picture_build(const struct graph *g, const struct trace *t, const struct picture_options *options, struct error *err)
{
	struct picture_work w = {.g = g, .t = t, .options = options, .p = picture_new(g, t, options)};
	if (!w.p) {
		error_set(err, "picture: out of memory");
		return NULL;
	}
	int result = build(&w, err);
	subjects_release(&w.s);
	picture_path_release(&w.path);
	folds_release(&w.folds);
	user_vector_release(&w.users);
	flow_vector_release(&w.flows);
	free(w.subject_of_node);
	if (result == 0)
		return w.p;
	picture_free(w.p);
	return NULL;
}

// --- what cmd/ adds

// A node's life may hide things inside a gap: it is drawn so that nobody takes an absence there for evidence.
static void flag_gap(struct picture *p, uint64_t from_ns, uint64_t to_ns)
{
	for (size_t i = 0; i < p->nodes.count; i++) {
		struct picture_node *n = &p->nodes.items[i];
		if (n->kind != PICTURE_FOLD && n->first_ns < to_ns && n->last_ns >= from_ns)
			n->gap_overlap = true;
	}
}

int picture_add_missing(struct picture *p, bool loss, uint64_t from_ns, uint64_t to_ns, const char *words, const char *rule, struct error *err)
{
	struct picture_missing m = {.loss = loss, .from_ns = from_ns, .to_ns = to_ns};
	m.words = string_text(p, words);
	m.rule = string_text(p, rule);
	if (picture_failed(p) || picture_missing_vector_append(&p->missing, m) < 0)
		return error_set(err, "picture: out of memory");
	// A counter of the whole window has no place in time: flagging every node for it would tell nothing.
	bool placed = from_ns != NANOTIME_NONE && to_ns != NANOTIME_NONE && (from_ns > p->from_ns || to_ns < p->to_ns);
	if (loss && placed)
		flag_gap(p, from_ns, to_ns > from_ns ? to_ns : from_ns + 1);
	return 0;
}

int picture_add_input(struct picture *p, const char *name, const char *sha256, uint64_t from, uint64_t to, struct error *err)
{
	struct picture_input input = {string_text(p, name), string_text(p, sha256), from, to};
	if (picture_failed(p) || picture_input_vector_append(&p->inputs, input) < 0)
		return error_set(err, "picture: out of memory");
	return 0;
}
