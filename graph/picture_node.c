// SPDX-License-Identifier: MIT
// Picture nodes: one per shown subject and per fold, numbered in order of first time.
#include "graph/picture_work.h"

#include "base/nanotime.h"
#include "base/text.h"
#include "graph/label.h"
#include "graph/persistence.h"
#include "graph/picture_session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_BYTES 400 /* of a command line, in labels; argv[] holds all */
#define STATES_MAX 64
#define NAMES_MAX 64
#define ID_UNSET UINT32_MAX

// --- processes

static void find_life(const struct picture_work *w, uint32_t subject, struct picture_node *n)
{
	n->first_ns = NANOTIME_NONE;
	n->last_ns = 0;
	for (uint32_t i = w->s.member_start[subject]; i < w->s.member_start[subject + 1]; i++) {
		uint32_t node = w->s.members[i];
		const struct graph_node *g = &w->g->nodes.items[node];
		n->first_ns = g->start_ns < n->first_ns ? g->start_ns : n->first_ns;
		n->ended = g->end_ns != NANOTIME_NONE;
		uint64_t last = g->end_ns != NANOTIME_NONE ? g->end_ns : g->start_ns;
		for (uint32_t k = w->g->out_start.items[node]; last != g->end_ns && k < w->g->out_start.items[node + 1]; k++) {
			uint64_t t = w->g->edges.items[w->g->out_edges.items[k]].last_ns;
			last = t > last ? t : last;
		}
		n->last_ns = last > n->last_ns ? last : n->last_ns;
	}
}

static void set_user(struct picture_work *w, const struct process *p, struct picture_node *n, struct buffer *b)
{
	if (p->implied) { // no record of its own: absent is not zero, and not root
		n->uid = n->euid = ID_UNSET;
		return;
	}
	user_name(w, p->host, n->euid, b);
	n->user = picture_take_text(w->p, b);
	n->root = n->euid == 0 && p->auid != 0 && p->auid != ID_UNSET;
}

static void set_arguments(struct picture_work *w, const struct segment *s, struct picture_node *n)
{
	n->argv = picture_allocate(w->p, s->argv_count * sizeof(*n->argv));
	if (!n->argv)
		return;
	n->argv_count = s->argv_count;
	for (uint32_t i = 0; i < s->argv_count; i++)
		n->argv[i] = picture_string_text(w->p, w->g, w->g->arguments.items[s->argv + i]);
}

// The first process of a session that somebody logged in to; not of a cron job.
static bool begins_login(const struct graph *g, uint32_t process)
{
	const struct process *p = &g->processes.items[process];
	if (p->session == ID_UNSET || p->parent == GRAPH_NONE || !session_begins(g, process))
		return false;
	const struct segment *starter = session_image_at(g, p->parent, p->birth_ns);
	struct label_span name = starter ? label_program(g, starter) : (struct label_span){NULL, 0};
	return persistence_starts_for_others(name.bytes, name.length) && !persistence_runs_jobs(name.bytes, name.length);
}

static void fill_process(struct picture_work *w, uint32_t subject, struct picture_node *n, struct buffer *b)
{
	const struct segment *s = subjects_segment(&w->s, subject);
	const struct process *p = &w->g->processes.items[s->process];
	struct label_span program = label_program(w->g, s);
	n->name = program.length ? picture_text(w->p, program.bytes, program.length) : picture_text(w->p, "process", 7);
	label_command(w->g, s, COMMAND_BYTES, b);
	n->detail = picture_take_text(w->p, b);
	label_command(w->g, s, SIZE_MAX / 2, b);
	n->full = picture_take_text(w->p, b);
	n->pid = p->pid;
	n->ppid = p->parent != GRAPH_NONE ? w->g->processes.items[p->parent].pid : p->ppid;
	n->exe = picture_string_text(w->p, w->g, s->exe);
	n->comm = picture_string_text(w->p, w->g, s->comm);
	n->cwd = picture_string_text(w->p, w->g, s->cwd);
	n->tty = picture_string_text(w->p, w->g, s->tty);
	n->auid = p->auid;
	n->session = p->session;
	n->uid = s->ids.uid;
	n->euid = s->ids.euid;
	for (size_t i = 0; i < p->identities.count; i++) { // what it had become while it was this image
		const struct identity_change *c = &p->identities.items[i];
		if (c->time_ns < s->start_ns || c->time_ns >= s->end_ns)
			continue;
		n->uid = c->ids.uid;
		n->euid = c->ids.euid;
	}
	n->user_changed = (w->s.items[subject].marks & MARK_PRIVILEGE) != 0;
	n->login = (w->s.items[subject].marks & MARK_LINE) && begins_login(w->g, s->process);
	set_arguments(w, s, n);
	set_user(w, p, n, b);
}

// --- files

static const char *state_words(enum flow_op op)
{
	return op == FLOW_CREATE ? "created" : op == FLOW_TRUNCATE ? "truncated" : op == FLOW_DELETE ? "deleted" :
	       op == FLOW_RENAME ? "renamed" : op == FLOW_LINK ? "linked" : op == FLOW_WRITE ? "written to" : "opened for writing";
}

static char state_glyph(enum flow_op op)
{
	switch (op) {
	case FLOW_CREATE:
		return '+';
	case FLOW_OPEN_WRITE:
	case FLOW_WRITE:
		return '~';
	case FLOW_TRUNCATE:
		return 'v';
	case FLOW_DELETE:
		return 'x';
	case FLOW_RENAME:
	case FLOW_LINK:
		return '>';
	default:
		return 0;
	}
}

struct raw_state { uint64_t time_ns, serial; enum flow_op op; };
VECTOR_DEFINE(state_vector, struct raw_state)

static int compare_states(const void *a, const void *b)
{
	const struct raw_state *x = a, *y = b;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	if (x->serial != y->serial)
		return x->serial < y->serial ? -1 : 1;
	if ((x->op == FLOW_CREATE) != (y->op == FLOW_CREATE)) // what one call did: it made the file first
		return x->op == FLOW_CREATE ? -1 : 1;
	return (int)x->op - (int)y->op;
}

// What the records say of the file's content over time, whoever did it.
static int collect_states(const struct picture_work *w, uint32_t subject, struct state_vector *out)
{
	for (uint32_t i = w->s.member_start[subject]; i < w->s.member_start[subject + 1]; i++) {
		uint32_t node = w->s.members[i];
		for (uint32_t k = w->g->in_start.items[node]; k < w->g->in_start.items[node + 1]; k++) {
			const struct flow_edge *e = &w->g->edges.items[w->g->in_edges.items[k]];
			if (e->failed || !state_glyph(e->op))
				continue;
			if (state_vector_append(out, (struct raw_state){e->start_ns, e->serial, e->op}) < 0)
				return -1;
		}
	}
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare_states);
	return 0;
}

static int fill_states(struct picture_work *w, uint32_t subject, struct picture_node *n)
{
	struct state_vector raw = {0};
	if (collect_states(w, subject, &raw) < 0) {
		state_vector_release(&raw);
		return -1;
	}
	n->states = picture_allocate(w->p, (raw.count < STATES_MAX ? raw.count : STATES_MAX) * sizeof(*n->states));
	for (size_t i = 0; i < raw.count && n->states && n->state_count < STATES_MAX; i++) {
		const struct raw_state *r = &raw.items[i];
		char glyph = state_glyph(r->op);
		bool same_call = i && raw.items[i - 1].serial == r->serial && raw.items[i - 1].op == FLOW_CREATE;
		if (same_call && glyph == '~') // created by the very open that wants to write
			continue;
		if (n->state_count && n->states[n->state_count - 1].glyph == glyph && glyph == '~')
			continue;
		const char *words = state_words(r->op);
		const struct file *f = subjects_file(&w->s, subject);
		if (r->op == FLOW_DELETE && (f->deleted_ns == NANOTIME_NONE || r->time_ns < f->deleted_ns)) {
			glyph = '>'; // it had another name: the file itself lived on
			words = "name removed";
		}
		n->states[n->state_count++] = (struct picture_state){glyph, r->time_ns, picture_text(w->p, words, strlen(words))};
	}
	state_vector_release(&raw);
	return picture_failed(w->p) ? -1 : 0;
}

static int fill_file(struct picture_work *w, uint32_t subject, struct picture_node *n, struct buffer *b)
{
	const struct file *f = subjects_file(&w->s, subject);
	const char *base;
	size_t base_length, folder_length;
	label_file(w->g, f, NANOTIME_NONE, b);
	n->full = picture_take_text(w->p, b);
	text_split_path(n->full.bytes ? n->full.bytes : "", n->full.length, &base, &base_length, &folder_length);
	if (n->full.length && n->full.bytes[0] == '(') { // "(unnamed in /tmp)": words of the graph, no path
		base = n->full.bytes;
		base_length = n->full.length;
		folder_length = 0;
	}
	n->name = picture_text(w->p, base, base_length);
	n->detail = picture_text(w->p, n->full.bytes, folder_length);
	if (f->kind == FILE_MEMFD)
		n->detail = picture_text(w->p, "only in memory", strlen("only in memory"));
	n->dev = f->dev;
	n->inode = f->inode;
	n->generation = f->generation;
	size_t names = f->names.count < NAMES_MAX ? f->names.count : NAMES_MAX;
	n->names = picture_allocate(w->p, names * sizeof(*n->names));
	for (size_t i = 0; n->names && i < names; i++)
		n->names[n->name_count++] = picture_string_text(w->p, w->g, f->names.items[i].name);
	n->ended = f->deleted_ns != NANOTIME_NONE;
	n->persistence = (w->s.items[subject].marks & MARK_PERSISTS) != 0;
	return fill_states(w, subject, n);
}

// --- others

static void fill_address(struct picture_work *w, uint32_t subject, struct picture_node *n, struct buffer *b)
{
	const struct connection *first = graph_connection_of(w->g, w->s.items[subject].best);
	bool tcp = false, udp = false;
	for (uint32_t i = w->s.member_start[subject]; i < w->s.member_start[subject + 1]; i++) {
		const struct connection *c = graph_connection_of(w->g, w->s.members[i]);
		udp |= c->datagram;
		// Only a stream is ever in progress, refused at once, or accepted; a plain connect tells nothing of the kind.
		tcp |= c->result != CONNECTION_DONE || c->direction == CONNECTION_IN;
	}
	n->address = first->address;
	label_host_address(w->g, &first->address, b);
	n->name = picture_take_text(w->p, b);
	const char *protocol = tcp ? "tcp" : udp ? "udp" : "";
	n->protocol = picture_text(w->p, protocol, strlen(protocol));
	if (first->direction == CONNECTION_IN) {
		n->address.port = 0;
		buffer_add_string(b, "came in");
	} else if (first->address.kind == ADDRESS_IPV4 || first->address.kind == ADDRESS_IPV6) {
		if (*protocol)
			buffer_printf(b, "%u/%s", first->address.port, protocol);
		else
			buffer_printf(b, "port %u", first->address.port);
	}
	n->detail = picture_take_text(w->p, b);
	label_address(w->g, &n->address, b);
	n->full = picture_take_text(w->p, b);
	n->alert = (w->s.items[subject].marks & MARK_ALERT) != 0;
}

static void fill_channel(struct picture_work *w, uint32_t subject, struct picture_node *n, struct buffer *b)
{
	const struct graph_node *node = &w->g->nodes.items[w->s.items[subject].best];
	if (node->kind == NODE_UNIX_SOCKET) {
		const struct unix_socket *u = &w->g->sockets.items[node->entity];
		const char *base;
		size_t base_length, folder_length;
		if (u->abstract)
			buffer_add_byte(b, '@');
		buffer_add(b, intern_string(w->g->strings, u->path), intern_length(w->g->strings, u->path));
		n->full = picture_take_text(w->p, b);
		text_split_path(n->full.bytes ? n->full.bytes : "", n->full.length, &base, &base_length, &folder_length);
		n->name = picture_text(w->p, base, base_length);
		n->detail = picture_text(w->p, "unix socket", strlen("unix socket"));
		n->dev = u->dev;
		n->inode = u->inode;
		return;
	}
	n->name = picture_text(w->p, "pipe", 4);
	n->full = n->name;
}

static void fill_kernel(struct picture_work *w, struct picture_node *n)
{
	n->name = picture_text(w->p, "kernel", 6);
	n->full = n->name;
	n->detail = picture_text(w->p, "modules, mounts, bpf", strlen("modules, mounts, bpf"));
}

// --- why it is shown

static void set_reason(struct picture_work *w, uint32_t subject, struct picture_node *n, struct buffer *b)
{
	const struct subject *it = &w->s.items[subject];
	static const struct { uint32_t mark; const char *words; } reasons[] = {
		{MARK_ALERT, "the alert's address"}, {MARK_PATH, "on the path to the contact"},
		{MARK_LINE, "on the contact's line of fork and exec"}, {MARK_CHOKE, "choke point: much of what led here passes through it"},
		{MARK_PERSISTS, "persists"}, {MARK_CLEANED, "a log that was cut, removed or replaced"},
		{MARK_REMOVED, "written, run, then removed"}, {MARK_DROPPED, "written, then run"},
		{MARK_KERNEL, "kernel changed or process injected into"}, {MARK_PRIVILEGE, "its user changed"},
	};
	if (subject == w->path.contact)
		buffer_add_string(b, "made the contact; ");
	if (subject == w->path.root)
		buffer_add_string(b, "root cause; ");
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (it->marks & reasons[i].mark)
			buffer_printf(b, "%s; ", reasons[i].words);
	static const char *const sides[] = {"", "contact", "cause", "effect"};
	buffer_add_string(b, it->side != TRACE_NONE ? sides[it->side] :
			     it->kind == PICTURE_FILE ? "outside the slice: opened for reading by what followed" :
			     "outside the slice: contacted the same address");
	if (it->side != TRACE_NONE)
		buffer_printf(b, ", score %.3g, rank %" PRIu32 " of %zu", w->t->nodes[it->best].score, it->rank, w->t->order.count);
	n->reason = picture_take_text(w->p, b);
}

static bool after_module(const struct picture_work *w, uint32_t host, uint64_t ns)
{
	for (size_t i = 0; i < w->g->kernels.count; i++) {
		const struct kernel_entity *k = &w->g->kernels.items[i];
		if (k->host == host && k->module_loaded_ns && k->module_loaded_ns != NANOTIME_NONE && ns > k->module_loaded_ns)
			return true;
	}
	return false;
}

static uint32_t host_of(const struct picture_work *w, uint32_t node)
{
	const struct segment *s = graph_segment_of(w->g, node);
	const struct file *f = graph_file_of(w->g, node);
	const struct connection *c = graph_connection_of(w->g, node);
	return s ? w->g->processes.items[s->process].host : f ? f->host : c ? c->host : 0;
}

static void set_graph_nodes(struct picture_work *w, uint32_t subject, struct picture_node *n)
{
	n->graph_node_count = w->s.member_start[subject + 1] - w->s.member_start[subject];
	n->graph_nodes = picture_allocate(w->p, n->graph_node_count * sizeof(*n->graph_nodes));
	if (n->graph_nodes)
		memcpy(n->graph_nodes, w->s.members + w->s.member_start[subject], n->graph_node_count * sizeof(*n->graph_nodes));
}

// Known only by records that a disk history gave back.
static bool is_recovered(const struct picture_work *w, const struct picture_node *n)
{
	bool recovered = false;

	for (size_t i = 0; i < n->graph_node_count && n->graph_nodes; i++) {
		const struct graph_node *node = &w->g->nodes.items[n->graph_nodes[i]];

		if (node->given)
			return false;
		recovered |= node->recovered;
	}
	return recovered;
}

static int fill_subject(struct picture_work *w, uint32_t subject, struct picture_node *n, struct buffer *b)
{
	const struct subject *it = &w->s.items[subject];
	n->kind = it->kind;
	n->fold = GRAPH_NONE;
	n->side = it->side;
	n->rank = it->rank == UINT32_MAX ? 0 : it->rank;
	n->score = it->side == TRACE_NONE ? 0 : w->t->nodes[it->best].score;
	n->on_path = (it->marks & MARK_PATH) != 0;
	n->root_cause = subject == w->path.root;
	// That everything passes through the session's own shell and its sshd goes without saying.
	n->choke_point = (it->marks & MARK_CHOKE) && ((it->marks & MARK_PATH) || !(it->marks & (MARK_LINE | MARK_ABOVE)));
	find_life(w, subject, n);
	n->after_module_load = after_module(w, host_of(w, it->best), n->first_ns);
	set_graph_nodes(w, subject, n);
	n->recovered = is_recovered(w, n);
	set_reason(w, subject, n, b);
	switch (n->kind) {
	case PICTURE_PROCESS:
		fill_process(w, subject, n, b);
		break;
	case PICTURE_FILE:
		return fill_file(w, subject, n, b);
	case PICTURE_ADDRESS:
		fill_address(w, subject, n, b);
		break;
	case PICTURE_CHANNEL:
		fill_channel(w, subject, n, b);
		break;
	case PICTURE_KERNEL:
		fill_kernel(w, n);
		break;
	case PICTURE_FOLD:
		break;
	}
	return picture_failed(w->p) ? -1 : 0;
}

// --- order and numbers

struct draft { uint64_t first_ns; uint32_t order, subject, fold; };
VECTOR_DEFINE(draft_vector, struct draft)

static int compare_drafts(const void *a, const void *b)
{
	const struct draft *x = a, *y = b;
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int list_drafts(const struct picture_work *w, struct draft_vector *out)
{
	uint32_t order = 0;
	for (uint32_t i = 0; i < w->s.count; i++)
		if ((w->s.items[i].marks & MARK_SHOWN) &&
		    draft_vector_append(out, (struct draft){w->s.items[i].first_ns, order++, i, GRAPH_NONE}) < 0)
			return -1;
	for (uint32_t i = 0; i < w->folds.items.count; i++) {
		struct draft d = {NANOTIME_NONE, order++, GRAPH_NONE, i};
		const struct u32_vector *members = &w->folds.items.items[i].members;
		for (size_t k = 0; k < members->count; k++) {
			uint64_t first = w->s.items[members->items[k]].first_ns;
			d.first_ns = first < d.first_ns ? first : d.first_ns;
		}
		if (draft_vector_append(out, d) < 0)
			return -1;
	}
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare_drafts);
	return 0;
}

uint32_t picture_node_of(const struct picture_work *w, uint32_t subject)
{
	return subject == GRAPH_NONE ? GRAPH_NONE : w->s.items[subject].drawn;
}

// A pipe that is drawn as an edge counts as part of the node that is next on its way (fold.c did the same for folded ones).
static int place_pipes(struct picture_work *w)
{
	for (uint32_t i = 0; i < w->s.count; i++) {
		struct subject *it = &w->s.items[i];
		if (!it->pipe || it->side == TRACE_NONE || it->drawn != GRAPH_NONE)
			continue;
		uint32_t next = subjects_next(&w->s, i, NULL);
		it->drawn = next == GRAPH_NONE ? picture_node_of(w, w->path.contact) : w->s.items[next].drawn;
		struct picture_node *n = it->drawn == GRAPH_NONE ? NULL : &w->p->nodes.items[it->drawn];
		uint32_t *nodes = n ? picture_allocate(w->p, (n->graph_node_count + 1) * sizeof(*nodes)) : NULL;
		if (!nodes)
			continue;
		memcpy(nodes, n->graph_nodes, n->graph_node_count * sizeof(*nodes));
		nodes[n->graph_node_count++] = w->s.items[i].best;
		n->graph_nodes = nodes;
	}
	return picture_failed(w->p) ? -1 : 0;
}

static int fill_drafts(struct picture_work *w, const struct draft_vector *drafts)
{
	struct buffer b = {0};
	int result = 0;
	w->subject_of_node = malloc((drafts->count + 1) * sizeof(*w->subject_of_node));
	if (!w->subject_of_node)
		return -1;
	for (uint32_t i = 0; i < drafts->count && result == 0; i++) {
		const struct draft *d = &drafts->items[i];
		struct picture_node n = {.id = i + 1, .disk = GRAPH_NONE, .born_ns = NANOTIME_NONE};
		w->subject_of_node[i] = d->subject;
		if (d->subject != GRAPH_NONE) {
			w->s.items[d->subject].drawn = i;
			result = fill_subject(w, d->subject, &n, &b);
		} else {
			const struct u32_vector *members = &w->folds.items.items[d->fold].members;
			for (size_t k = 0; k < members->count; k++)
				w->s.items[members->items[k]].drawn = i;
			result = picture_fill_fold(w, d->fold, &n, &b);
		}
		if (result == 0)
			result = picture_node_vector_append(&w->p->nodes, n);
	}
	buffer_release(&b);
	return result;
}

// The picture's folds are numbered in the order of their nodes; reorder the work's to match.
static int number_folds(struct picture_work *w, struct draft_vector *drafts)
{
	struct fold_vector sorted = {0};
	for (size_t i = 0; i < drafts->count; i++) {
		struct draft *d = &drafts->items[i];
		if (d->fold == GRAPH_NONE)
			continue;
		if (fold_vector_append(&sorted, w->folds.items.items[d->fold]) < 0) {
			fold_vector_release(&sorted);
			return -1;
		}
		d->fold = (uint32_t)(sorted.count - 1);
	}
	fold_vector_release(&w->folds.items);
	w->folds.items = sorted;
	for (uint32_t i = 0; i < sorted.count; i++)
		for (size_t k = 0; k < sorted.items[i].members.count; k++)
			w->folds.of[sorted.items[i].members.items[k]] = i;
	return 0;
}

int picture_make_nodes(struct picture_work *w)
{
	struct draft_vector drafts = {0};
	int result = list_drafts(w, &drafts);
	if (result == 0)
		result = number_folds(w, &drafts);
	if (result == 0)
		result = fill_drafts(w, &drafts);
	draft_vector_release(&drafts);
	return result == 0 ? place_pipes(w) : -1;
}
