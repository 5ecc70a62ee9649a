// SPDX-License-Identifier: MIT
// Which contents are wanted: for each drawn file the moments of graph/annotate.h, and the nearest complete state beside what is not whole.
#include "cmd/evidence_parts.h"

#include "base/memory.h"

#define TICK_NS (10 * NANOTIME_MILLISECOND) /* between an audit stamp and the inode's time of the same call: both are ticks, CONFIG_HZ >= 100 */

// ---- contents, each once

static int want_content(struct evidence *e, struct witness_volume *volume, const struct contents_wish *wish, size_t *ret, struct error *err)
{
	struct evidence_content c = {.volume = volume, .wish = *wish};

	for (size_t i = 0; i < e->contents.count; i++) {
		const struct evidence_content *o = &e->contents.items[i];

		if (o->volume == volume && o->wish.seq == wish->seq && o->wish.inode == wish->inode && o->wish.generation == wish->generation) {
			*ret = i;
			return 0;
		}
	}
	if (e->contents.count >= CONTENTS_MAX_WISHES)
		return error_set(err, "--evidence: more than %u contents", CONTENTS_MAX_WISHES);
	if (evidence_contents_append(&e->contents, c) < 0)
		return error_set(err, "out of memory");
	*ret = e->contents.count - 1;
	return 0;
}

static struct contents_wish wish_of(const struct evidence *e, uint32_t file, uint64_t seq)
{
	struct contents_wish wish = {.seq = seq, .inode = e->in->graph->files.items[file].inode, .has_generation = true};

	wish.generation = annotation_of(e->witness->annotation, file)->generation;
	return wish;
}

// ---- moments of a file

// Why nothing can be asked of it; NULL: it can.
static const char *why_not(const struct annotate_answer *a)
{
	switch (a->verdict) {
	case ANNOTATE_SHOWN:
	case ANNOTATE_PENDING:
		return NULL;
	default:
		return annotate_verdict_words(a->verdict);
	}
}

// The record whose state is meant; the entry tells when there is none.
static int find_seq(struct evidence_entry *entry, const struct annotate_moment *m, struct error *err)
{
	struct witness_volume *v = entry->volume;
	uint64_t host_ns = m->kind != ANNOTATE_BEFORE ? m->host_ns : m->host_ns > m->error_ns ? m->host_ns - m->error_ns : 0;

	if (m->kind == ANNOTATE_AFTER) {
		entry->seq = m->seq;
		if (m->seq == 0)
			entry->reason = "no later state in the recording";
		return 0;
	}
	if (v->first_ns == NANOTIME_NONE || host_ns < v->first_ns) {
		entry->reason = "the recording begins later";
		return 0;
	}
	entry->after_the_end = host_ns > v->last_ns;
	return witness_volume_seq_at(v, host_ns, &entry->seq, err);
}

static int add_moment(struct evidence *e, struct evidence_entry *entry, const struct annotate_moment *m, struct error *err)
{
	entry->what = m->kind == ANNOTATE_BEFORE ? EVIDENCE_BEFORE : m->kind == ANNOTATE_AFTER ? EVIDENCE_AFTER : EVIDENCE_EXECUTED;
	entry->edge = m->edge;
	entry->ops = UINT32_C(1) << e->in->graph->edges.items[m->edge].op;
	entry->serial = m->serial;
	entry->guest_ns = m->guest_ns;
	entry->host_ns = m->host_ns;
	entry->error_ns = m->error_ns;
	entry->content = SIZE_MAX;
	entry->reason = why_not(annotation_of(e->witness->annotation, entry->file));
	if (!entry->reason && find_seq(entry, m, err) < 0)
		return -1;
	if (!entry->reason) {
		struct contents_wish wish = wish_of(e, entry->file, entry->seq);

		if (want_content(e, entry->volume, &wish, &entry->content, err) < 0)
			return -1;
	}
	return evidence_entries_append(&e->entries, *entry) < 0 ? error_set(err, "out of memory") : 0;
}

// What an event did, from what tells most: FLOW_* in this order.
static unsigned severity(enum flow_op op)
{
	static const enum flow_op order[] = {FLOW_WRITE, FLOW_OPEN_WRITE, FLOW_CREATE, FLOW_RENAME, FLOW_TRUNCATE, FLOW_DELETE};

	for (unsigned i = 0; i < ARRAY_LENGTH(order); i++)
		if (order[i] == op)
			return i + 1;
	return 0;
}

// A call that creates, opens and cuts stands behind three edges, and is one event with one content before and one after.
static bool join_event(struct evidence *e, size_t first, const struct annotate_moment *m)
{
	enum evidence_what what = m->kind == ANNOTATE_BEFORE ? EVIDENCE_BEFORE : EVIDENCE_AFTER;
	enum flow_op op = (enum flow_op)e->in->graph->edges.items[m->edge].op;

	for (size_t i = e->entries.count; m->kind != ANNOTATE_EXECUTED && i > first; i--) {
		struct evidence_entry *o = &e->entries.items[i - 1];

		if (o->guest_ns != m->guest_ns)
			return false;
		if (o->serial != m->serial || o->what != what)
			continue;
		o->ops |= UINT32_C(1) << op;
		if (severity(op) > severity((enum flow_op)e->in->graph->edges.items[o->edge].op))
			o->edge = m->edge;
		return true;
	}
	return false;
}

// Of one event the edge that tells most comes first, so that its first state after is the one that is taken: moments of an event are few.
static void most_severe_first(const struct graph *g, struct annotate_moments *moments)
{
	for (size_t i = 1; i < moments->count; i++) {
		for (size_t k = i; k > 0; k--) {
			struct annotate_moment *a = &moments->items[k - 1], *b = &moments->items[k], swapped = *a;

			if (a->guest_ns != b->guest_ns || a->serial != b->serial ||
			    severity((enum flow_op)g->edges.items[a->edge].op) >= severity((enum flow_op)g->edges.items[b->edge].op))
				break;
			*a = *b;
			*b = swapped;
		}
	}
}

static int add_file(struct evidence *e, uint32_t node, uint32_t file, unsigned *event, struct error *err)
{
	struct witness_volume *volume = witness_volume_of(e->witness, file);
	struct annotate_moments moments = {0};
	size_t first = e->entries.count;

	if (!volume) {
		e->uncovered++;
		return 0;
	}
	e->files++;
	int result = annotation_moments(e->witness->annotation, e->in->graph, file, &moments, err);

	most_severe_first(e->in->graph, &moments);
	for (size_t i = 0; i < moments.count && result == 0; i++) {
		const struct annotate_moment *m = &moments.items[i];
		struct evidence_entry entry = {.node = node, .file = file, .volume = volume};

		if (join_event(e, first, m))
			continue;
		const struct evidence_entry *last = e->entries.count > first ? &e->entries.items[e->entries.count - 1] : NULL;

		*event += !last || last->guest_ns != m->guest_ns || last->serial != m->serial;
		entry.event = *event;
		result = add_moment(e, &entry, m, err);
	}
	annotate_moments_release(&moments);
	return result;
}

// The files that a drawn node stands for: its graph nodes are their versions.
int evidence_add_node(struct evidence *e, uint32_t node, struct error *err)
{
	const struct picture_node *n = &e->in->picture->nodes.items[node];
	const struct graph *g = e->in->graph;
	unsigned event = 0;

	for (size_t i = 0; i < n->graph_node_count; i++) {
		const struct file *f = graph_file_of(g, n->graph_nodes[i]);
		bool seen = !f || f->kind == FILE_FOLDER; // the content of a folder is its names, which disk diff tells

		for (size_t k = 0; k < i && !seen; k++)
			seen = graph_file_of(g, n->graph_nodes[k]) == f;
		if (!seen && add_file(e, node, (uint32_t)(f - g->files.items), &event, err) < 0)
			return -1;
	}
	return 0;
}

// ---- the nearest complete state

static bool is_complete(const struct evidence_content *c)
{
	return c->answer.whole && c->answer.pending_bytes == 0;
}

bool evidence_is_not_yet(const struct evidence *e, const struct evidence_entry *entry)
{
	const struct annotate_answer *a = annotation_of(e->witness->annotation, entry->file);

	return entry->what == EVIDENCE_EXECUTED ||
	       (entry->what == EVIDENCE_BEFORE && a->crtime_ns != NANOTIME_NONE && a->crtime_ns + TICK_NS < entry->guest_ns);
}

// What the guest had made of the file by then, and the disk had not: a program runs out of memory long before its content is on the disk. By
// the inode's time of modification and the log's stamp, both the guest's clock. 0: the disk had it all.
static uint64_t state_not_yet_shown(const struct evidence *e, const struct evidence_entry *entry)
{
	const struct annotate_states *states = &annotation_of(e->witness->annotation, entry->file)->states;
	uint64_t until_ns = entry->what == EVIDENCE_EXECUTED ? entry->guest_ns + TICK_NS : entry->guest_ns, found = 0;

	if (entry->what != EVIDENCE_EXECUTED && entry->what != EVIDENCE_BEFORE)
		return 0;
	for (size_t i = 0; i < states->count; i++) {
		const struct timeline_state *s = &states->items[i].disk;

		if (s->seq > entry->seq && s->mtime_ns != NANOTIME_NONE && s->mtime_ns < until_ns && !(s->change & TIMELINE_DELETED) &&
		    (s->change & ~(unsigned)TIMELINE_METADATA))
			found = s->seq;
	}
	return found;
}

// Content that never came: the last earlier state that shows all of the file, else the first later one.
static uint64_t state_beside(const struct evidence *e, const struct evidence_entry *entry)
{
	const struct annotate_states *states = &annotation_of(e->witness->annotation, entry->file)->states;
	uint64_t earlier = 0;

	for (size_t i = 0; i < states->count; i++) {
		const struct timeline_state *s = &states->items[i].disk;

		if ((s->change & TIMELINE_DELETED) || s->pending_bytes > 0 || s->size_bytes == 0)
			continue;
		if (s->seq > entry->seq)
			return earlier != 0 ? earlier : s->seq;
		if (s->seq < entry->seq)
			earlier = s->seq;
	}
	return earlier;
}

static uint64_t nearest_complete(const struct evidence *e, const struct evidence_entry *entry)
{
	const struct contents_answer *a = &e->contents.items[entry->content].answer;

	if (a->there && !a->whole) // what cannot be read is not nearer to it elsewhere
		return 0;
	if (entry->later_seq != 0 && (entry->what == EVIDENCE_EXECUTED || !a->there || a->pending_bytes == 0))
		return entry->later_seq;
	if (a->pending_bytes == 0)
		return 0;
	return a->complete_seq != 0 ? a->complete_seq : state_beside(e, entry);
}

static int want_seq(struct evidence *e, struct evidence_entry *entry, uint64_t seq, struct error *err)
{
	struct contents_wish wish = wish_of(e, entry->file, seq);

	entry->seq = seq;
	return want_content(e, entry->volume, &wish, &entry->content, err);
}

static int add_complete(struct evidence *e, size_t parent, struct error *err)
{
	struct evidence_entry *entry = &e->entries.items[parent], complete = *entry;

	entry->later_seq = state_not_yet_shown(e, entry);
	uint64_t seq = nearest_complete(e, entry);

	if (seq == 0 || seq == entry->seq)
		return 0;
	complete.what = EVIDENCE_COMPLETE;
	complete.after_the_end = false;
	complete.later_seq = 0;
	if (want_seq(e, &complete, seq, err) < 0 || evidence_entries_append(&e->entries, complete) < 0)
		return error_set(err, "out of memory");
	e->entries.items[parent].complete_seq = seq;
	e->entries.items[e->entries.count - 1].parent = parent;
	return 0;
}

// A state that was taken for complete may be pending itself.
static int follow_complete(struct evidence *e, struct evidence_entry *entry, struct error *err)
{
	const struct evidence_content *c = &e->contents.items[entry->content];
	uint64_t next = c->answer.whole ? c->answer.complete_seq : 0;

	if (is_complete(c) || next == 0)
		return 0;
	e->entries.items[entry->parent].complete_seq = next;
	return want_seq(e, entry, next, err);
}

int evidence_add_complete(struct evidence *e, bool first, struct error *err)
{
	size_t count = e->entries.count;

	for (size_t i = 0; i < count; i++) {
		struct evidence_entry *entry = &e->entries.items[i];

		if (entry->content == SIZE_MAX)
			continue;
		if (entry->what == EVIDENCE_COMPLETE ? follow_complete(e, entry, err) < 0 : first && add_complete(e, i, err) < 0)
			return -1;
	}
	return 0;
}

void evidence_drop_incomplete(struct evidence *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->entries.count; i++) {
		struct evidence_entry *entry = &e->entries.items[i];

		const struct contents_answer *a = entry->content == SIZE_MAX ? NULL : &e->contents.items[entry->content].answer;

		if (entry->what == EVIDENCE_COMPLETE && a && !is_complete(&e->contents.items[entry->content]) && a->reason.message[0] == '\0')
			e->entries.items[entry->parent].complete_seq = 0;
		else
			e->entries.items[kept++] = *entry;
	}
	e->entries.count = kept;
}
