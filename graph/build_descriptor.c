// SPDX-License-Identifier: MIT
// Who holds what open, as far as the records tell: dup2 and close are rarely audited. A child shares its parent's table until one of
// them changes it. What heirs may have used becomes inferred edges, by rules that keep a shell with 3,000 children from getting 3,000
// times everything that it ever opened:
//   - a file that a shell's forked copy opened is the next program's input or output (`cmd > file`), and of two generations below
//   - a file that any other process opened for writing without O_CLOEXEC goes through its execve: the newest ones
//   - a shell's children may write where the shell itself writes: its newest files only
//   - a pipe goes to the first two children after it was made, and to what these fork before they execute (build_channel.c)
//   - a connection goes through execve of its own process (a reverse shell), to forked copies, and to a shell or a shell's children
//   - a forked copy that never executes gets the same
#include "graph/build.h"

#include <stdlib.h>
#include <string.h>

#define DESCRIPTORS_MAX 64      /* our limit per process; the oldest is forgotten */
#define SOMEWHERE_MAX 16        /* our limit for those whose number was taken again */
#define REDIRECT_DEPTH 2        /* forks that a redirection is followed through */
#define REDIRECTS_KEPT 4        /* standard input, output, error and one more: the newest */
#define OUTPUTS_KEPT 2          /* files that were opened for writing and go on: the newest */
#define SHELL_OUTPUTS_KEPT 2
#define CONNECTIONS_KEPT 4      /* connections that go on to a new program or a child: the newest */

// --- tables

struct descriptors *descriptors_share(struct descriptors *d)
{
	if (d)
		d->references++;
	return d;
}

void descriptors_free(struct descriptors *d)
{
	if (d && --d->references == 0)
		free(d);
}

// The process's own table, with room for one more. NULL: out of memory.
static struct descriptors *own_table(struct graph_builder *b, uint32_t process)
{
	struct descriptors **slot = &b->process_states.items[process].descriptors, *old = *slot;
	uint32_t count = old ? old->count : 0, capacity = old ? old->capacity : 0;
	if (old && old->references == 1 && count < capacity)
		return old;
	if (count == capacity)
		capacity = capacity ? 2 * capacity : 4;
	struct descriptors *table = malloc(sizeof(*table) + capacity * sizeof(table->items[0]));
	if (!table) {
		b->failed = true;
		return NULL;
	}
	table->references = 1;
	table->count = count;
	table->capacity = capacity;
	if (count)
		memcpy(table->items, old->items, count * sizeof(table->items[0]));
	descriptors_free(old);
	*slot = table;
	return table;
}

static void drop(struct descriptors *t, uint32_t index)
{
	memmove(&t->items[index], &t->items[index + 1], (t->count - index - 1) * sizeof(t->items[0]));
	t->count--;
}

// Its number is taken again. Whoever may have moved it first (dup2 onto 0, 1, 2) still holds it, somewhere.
static bool stays_somewhere(const struct descriptor *d, uint32_t process)
{
	return d->use == USE_REDIRECT || (d->owner != process && d->kind != DESCRIPTOR_FILE);
}

static void make_room(struct descriptors *t)
{
	uint32_t somewhere = 0;
	for (uint32_t i = t->count; i-- > 0;)
		if (t->items[i].fd < 0 && ++somewhere > SOMEWHERE_MAX)
			drop(t, i);
	if (t->count >= DESCRIPTORS_MAX)
		drop(t, 0);
}

void descriptor_put(struct graph_builder *b, uint32_t process, struct descriptor d)
{
	struct descriptors *t = d.fd < 0 ? NULL : own_table(b, process);
	if (!t)
		return;
	d.owner = process;
	d.owner_depth = b->process_states.items[process].depth;
	for (uint32_t i = t->count; i-- > 0;) {
		if (t->items[i].fd != d.fd)
			continue;
		if (stays_somewhere(&t->items[i], process))
			t->items[i].fd = -1;
		else
			drop(t, i);
		break;
	}
	make_room(t);
	t->items[t->count++] = d;
}

// An inode number that was taken again was free: nobody holds the older file open any more, whatever close calls are on record.
static bool is_over(const struct graph_builder *b, const struct descriptor *d)
{
	if (d->kind != DESCRIPTOR_FILE)
		return false;
	const struct u32_vector *v = &b->g->files.items[d->item].versions;
	return b->g->nodes.items[v->items[v->count - 1]].end_ns != NANOTIME_NONE;
}

static const struct descriptor *find(const struct graph_builder *b, uint32_t process, int32_t fd)
{
	const struct descriptors *t = b->process_states.items[process].descriptors;
	for (uint32_t i = t && fd >= 0 ? t->count : 0; i-- > 0;)
		if (t->items[i].fd == fd)
			return &t->items[i];
	return NULL;
}

const struct descriptor *descriptor_get(const struct graph_builder *b, uint32_t process, int32_t fd)
{
	const struct descriptor *d = find(b, process, fd);
	return d && !is_over(b, d) ? d : NULL;
}

// The licence that the open gave ends here, unless another descriptor or another open keeps the edge.
static void end_edges(struct graph_builder *b, const struct descriptors *t, const struct descriptor *d)
{
	for (int side = 0; side < 2; side++) {
		uint32_t edge = d->edges[side];
		if (edge == GRAPH_NONE || b->g->edges.items[edge].count > 1)
			continue;
		bool held = false;
		for (uint32_t i = 0; i < t->count; i++)
			held |= &t->items[i] != d && t->items[i].edges[side] == edge;
		if (held)
			continue;
		b->edge_states.items[edge].until = UNTIL_FIXED;
		b->g->edges.items[edge].end_ns = b->event->latest_ns;
	}
}

void descriptor_close(struct graph_builder *b, uint32_t process, int32_t fd)
{
	if (!find(b, process, fd))
		return;
	struct descriptors *t = own_table(b, process);
	for (uint32_t i = t ? t->count : 0; i-- > 0;) {
		if (t->items[i].fd != fd)
			continue;
		if (t->items[i].owner == process)
			end_edges(b, t, &t->items[i]);
		drop(t, i);
		return;
	}
}

void descriptor_copy(struct graph_builder *b, uint32_t process, int32_t from, int32_t to)
{
	const struct descriptor *d = descriptor_get(b, process, from);
	if (!d || to < 0 || from == to)
		return;
	struct descriptor copy = *d;
	uint32_t owner = d->owner, depth = d->owner_depth;
	copy.fd = to;
	copy.cloexec = false; // the copy's flag is clear, but for dup3's O_CLOEXEC
	descriptor_put(b, process, copy);
	struct descriptors *t = b->process_states.items[process].descriptors;
	if (t && t->count && t->items[t->count - 1].fd == to) {
		t->items[t->count - 1].owner = owner; // still whose it was
		t->items[t->count - 1].owner_depth = depth;
	}
}

// --- heirs

// An heir: the segment that may use the descriptor, since when, and the event that made it so.
struct heir { uint32_t process, segment; uint64_t start_ns, serial; uint32_t evidence, evidence_count; };

static void file_flow(struct graph_builder *b, const struct heir *h, const struct descriptor *d)
{
	uint32_t node = b->g->segments.items[h->segment].node, file = file_node_at(b, d->item, h->start_ns);
	struct flow f = {.class = CLASS_INFERRED, .until = UNTIL_SEGMENT, .start_ns = h->start_ns, .end_ns = NANOTIME_NONE, .serial = h->serial,
			 .evidence = h->evidence, .evidence_count = h->evidence_count};
	if (d->writes) {
		f.from = node, f.to = file, f.op = FLOW_OPEN_WRITE;
		flow_add(b, &f);
	}
	if (d->reads) {
		f.from = file, f.to = node, f.op = FLOW_OPEN_READ;
		flow_add(b, &f);
	}
}

static void connection_flow(struct graph_builder *b, const struct heir *h, const struct descriptor *d)
{
	const struct connection *c = &b->g->connections.items[d->item];
	uint32_t node = b->g->segments.items[h->segment].node;
	struct flow f = {.class = CLASS_INFERRED, .until = UNTIL_SEGMENT, .start_ns = h->start_ns, .end_ns = NANOTIME_NONE, .serial = h->serial,
			 .evidence = h->evidence, .evidence_count = h->evidence_count};
	f.from = node, f.to = c->node, f.op = c->direction == CONNECTION_IN ? FLOW_ACCEPT : FLOW_CONNECT;
	flow_add(b, &f);
	f.from = c->node, f.to = node, f.op = FLOW_RECEIVE;
	flow_add(b, &f);
}

static bool carries_data(const struct graph_builder *b, const struct descriptor *d)
{
	const struct file *f = &b->g->files.items[d->item];
	return !f->sink && f->kind != FILE_FOLDER && (d->reads || d->writes) && !is_over(b, d);
}

static uint32_t forks_since(const struct graph_builder *b, uint32_t process, const struct descriptor *d)
{
	return d->owner == process ? 0 : b->process_states.items[process].depth - d->owner_depth;
}

// Does the pipe reach this process: as its maker, as one of the first children, or below such a child that has not executed?
static bool holds_pipe(const struct graph_builder *b, uint32_t process, const struct descriptor *d)
{
	if (d->owner == process)
		return !d->cloexec;
	if (pipe_has_heir(b, d->item, process))
		return true;
	uint32_t parent = b->g->processes.items[process].parent;
	return parent != GRAPH_NONE && forks_since(b, process, d) == 2 && pipe_has_heir(b, d->item, parent) &&
	       b->g->segments.items[process_segment(b, parent)].forked_stub;
}

static void inherit_flow(struct graph_builder *b, const struct heir *h, const struct descriptor *d)
{
	if (d->kind == DESCRIPTOR_FILE)
		file_flow(b, h, d);
	else if (d->kind == DESCRIPTOR_CONNECTION)
		connection_flow(b, h, d);
	else if (d->kind == DESCRIPTOR_PIPE)
		pipe_join_heir(b, d->item, h->segment, d->reads, d->writes, h->start_ns, h->serial, h->evidence, h->evidence_count);
}

struct kept { uint32_t redirects, outputs, shell_outputs, connections; };

static bool file_goes_on(const struct graph_builder *b, const struct descriptor *d, uint32_t forks, struct kept *kept)
{
	if (!carries_data(b, d))
		return false;
	switch ((enum descriptor_use)d->use) {
	case USE_OWN: return false;
	case USE_OUTPUT: return forks == 0 && kept->outputs++ < OUTPUTS_KEPT;
	case USE_REDIRECT: return forks <= REDIRECT_DEPTH && kept->redirects++ < REDIRECTS_KEPT;
	case USE_SHELL_OUTPUT: return forks <= 1 && kept->shell_outputs++ < SHELL_OUTPUTS_KEPT;
	}
	return false;
}

// Who starts a shell hands it his connection; who starts tar does not as a rule, though it stays open there if nobody closed it.
static bool connection_goes_on(const struct graph_builder *b, uint32_t process, const struct descriptor *d, uint32_t forks, struct kept *kept)
{
	bool given = forks == 0 || (forks == 1 && (b->g->segments.items[process_segment(b, process)].forked_stub || process_is_shell(b, process) ||
						    process_is_shell(b, d->owner)));
	return given && kept->connections++ < CONNECTIONS_KEPT;
}

// Does the process, or the program that it becomes, have what the descriptor stands for? Asked from the newest on. Of a connection the
// records do not tell O_CLOEXEC, and dup2 clears it.
static bool goes_on(const struct graph_builder *b, uint32_t process, const struct descriptor *d, struct kept *kept)
{
	uint32_t forks = forks_since(b, process, d);
	switch ((enum descriptor_kind)d->kind) {
	case DESCRIPTOR_FILE: return file_goes_on(b, d, forks, kept);
	case DESCRIPTOR_PIPE: return holds_pipe(b, process, d);
	case DESCRIPTOR_CONNECTION: return connection_goes_on(b, process, d, forks, kept);
	case DESCRIPTOR_SOCKET:
	case DESCRIPTOR_PORT: return false;
	}
	return false;
}

static bool changes_at_exec(const struct descriptor *d)
{
	return d->kind == DESCRIPTOR_FILE && (d->cloexec || d->use == USE_OUTPUT || d->use == USE_SHELL_OUTPUT);
}

// What is left of the table when the program runs: nothing with O_CLOEXEC, and outputs are standard output now, for its children too.
static void renew_table(struct graph_builder *b, uint32_t process)
{
	struct descriptors *t = own_table(b, process);
	struct kept kept = {0};
	for (uint32_t i = t ? t->count : 0; i-- > 0;) {
		struct descriptor *d = &t->items[i];
		if (!changes_at_exec(d))
			continue;
		if (d->cloexec)
			drop(t, i);
		else
			d->use = file_goes_on(b, d, forks_since(b, process, d), &kept) ? USE_REDIRECT : USE_OWN;
	}
}

void descriptors_execute(struct graph_builder *b, uint32_t process)
{
	const struct descriptors *t = b->process_states.items[process].descriptors;
	if (!t || t->count == 0)
		return;
	struct heir h = {.process = process, .segment = process_segment(b, process), .start_ns = b->event->earliest_ns, .serial = b->event->serial};
	struct kept kept = {0};
	bool changes = false;
	evidence_keep(b, &h.evidence, &h.evidence_count);
	for (uint32_t i = t->count; i-- > 0;) {
		const struct descriptor *d = &t->items[i];
		changes |= changes_at_exec(d);
		if (goes_on(b, process, d, &kept))
			inherit_flow(b, &h, d);
	}
	if (changes)
		renew_table(b, process);
}

static void settle_worker(struct graph_builder *b, uint32_t process)
{
	const struct process *p = &b->g->processes.items[process];
	const struct process_state *s = &b->process_states.items[process];
	const struct descriptors *t = s->descriptors;
	struct heir h = {.process = process, .segment = p->segments.items[0], .start_ns = p->birth_ns, .serial = s->fork_serial,
			 .evidence = s->fork_evidence, .evidence_count = s->fork_evidence_count};
	struct kept kept = {0};
	for (uint32_t i = t ? t->count : 0; i-- > 0;) {
		const struct descriptor *d = &t->items[i];
		if (d->owner != process && goes_on(b, process, d, &kept))
			inherit_flow(b, &h, d);
	}
}

void descriptors_settle(struct graph_builder *b)
{
	for (uint32_t i = 0; i < b->g->processes.count; i++) {
		const struct process *p = &b->g->processes.items[i];
		if (p->segments.count == 1 && b->g->segments.items[p->segments.items[0]].forked_stub)
			settle_worker(b, i);
	}
}
