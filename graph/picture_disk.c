// SPDX-License-Identifier: MIT
// What recorded disks say of what is drawn: states of files, opens without a write, births that no record saw.
#include "graph/picture_work.h"

#include "base/nanotime.h"
#include "base/text.h"
#include "graph/annotate.h"
#include "graph/label.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STATES_MAX 64u /* our limit for one file; of more those that tell least are left out, and counted */

// ---- states

// What became of a name, or of attributes.
static const char *name_words(const struct graph *g, const struct annotate_state *s)
{
	enum flow_op op = s->edge == GRAPH_NONE ? FLOW_COUNT : (enum flow_op)g->edges.items[s->edge].op;

	return op == FLOW_RENAME ? "renamed" : op == FLOW_LINK ? "linked" : op == FLOW_DELETE ? "a name removed" : op == FLOW_ATTRIBUTE ? "attributes changed" :
	       annotate_state_words(ANNOTATE_STATE_NAME);
}

// What the state changed: of the file's content, else of its name or attributes.
static const char *change_words(const struct graph *g, const struct file *f, const struct annotate_state *s)
{
	const char *content = annotate_change_words(&s->disk);

	if (s->disk.links == 0 && s->disk.change != 0)
		return "deleted";
	if (s->verdict == ANNOTATE_STATE_BEFORE)
		return "";
	if (f->kind == FILE_FOLDER && !(s->disk.change & TIMELINE_APPEARED))
		return "entries or attributes";
	if (content[0])
		return content;
	return s->verdict == ANNOTATE_STATE_NAME ? name_words(g, s) : s->disk.change ? "newer mtime" : "";
}

void picture_disk_bytes(const struct annotate_state *s, struct buffer *out)
{
	uint64_t from = s->disk.changed_from, last = s->disk.changed_to > from ? s->disk.changed_to - 1 : from;

	buffer_add_string(out, last > from ? "bytes " : "byte ");
	text_count(out, from);
	if (last == from)
		return;
	buffer_add_string(out, " to ");
	text_count(out, last);
}

void picture_disk_actor(const struct graph *g, const struct annotate_state *s, struct buffer *out)
{
	buffer_add_string(out, " by ");
	label_process(g, graph_segment_of(g, g->edges.items[s->edge].from), out);
	if (s->candidates == 0)
		buffer_add_string(out, ", after it was closed (mapped?)");
	else if (s->candidates > 1)
		buffer_printf(out, ", or by %" PRIu32 " other%s that had it open", s->candidates - 1, s->candidates == 2 ? "" : "s");
}

// What changed, the verdict, by whom, the doubt. What a box shows ends at the first comma or bracket.
static void state_words(const struct graph *g, const struct file *f, const struct annotate_state *s, struct buffer *out)
{
	const char *change = change_words(g, f, s);
	bool plain = s->verdict == ANNOTATE_STATE_WRITTEN || s->verdict == ANNOTATE_STATE_NAME;

	buffer_add_string(out, change);
	if (!plain)
		buffer_printf(out, "%s%s", change[0] ? ": " : "", annotate_state_words(s->verdict));
	if (s->verdict == ANNOTATE_STATE_CONTENT_PENDING) {
		buffer_add_string(out, " (");
		text_count(out, s->disk.pending_bytes);
		buffer_add_string(out, s->disk.pending_bytes == 1 ? " byte)" : " bytes)");
	}
	if (s->disk.change & TIMELINE_REWRITTEN) {
		buffer_add_string(out, ", ");
		picture_disk_bytes(s, out);
	}
	if (s->edge == GRAPH_NONE)
		return;
	buffer_add_string(out, s->verdict == ANNOTATE_STATE_WRITTEN && !(s->disk.change & TIMELINE_CUT) ? ", written here" : ",");
	picture_disk_actor(g, s, out);
}

static void fill_state(struct picture_work *w, const struct file *f, const struct annotate_state *s, struct picture_disk_state *ret, struct buffer *b)
{
	*ret = (struct picture_disk_state){
		.glyph = annotate_glyph(&s->disk), .time_ns = s->guest_ns, .size_bytes = s->disk.size_bytes, .syscall_ns = s->syscall_ns,
		.inode_ns = s->inode_ns, .arrival_ns = s->disk.arrival_ns ? s->disk.arrival_ns : NANOTIME_NONE, .seq = s->disk.seq, .loss = s->loss,
	};
	if (s->disk.links == 0 && s->disk.change != 0)
		ret->glyph = 'x';
	state_words(w->g, f, s, b);
	if (s->verdict == ANNOTATE_STATE_UNSEEN && !f->created_seen && !(s->disk.change & TIMELINE_DELETED))
		buffer_add_string(b, "; open since before the log?");
	ret->verdict = picture_take_text(w->p, b);
}

// How much a state tells beside those around it: 3 its ends, 2 content that went, 1 another verdict than before, 0 more of the same.
static unsigned weight_of(const struct annotate_states *states, size_t index)
{
	const struct annotate_state *s = &states->items[index];
	const unsigned plain = TIMELINE_GREW | TIMELINE_ARRIVED | TIMELINE_METADATA;

	if (index == 0 || index + 1 == states->count)
		return 3;
	return s->loss || s->disk.change & ~plain ? 2 : s->verdict != states->items[index - 1].verdict;
}

// Which of many states are drawn: what tells most, and of equals those at even steps.
static size_t choose_states(const struct annotate_states *states, uint32_t *chosen)
{
	size_t counts[4] = {0}, rooms[4], seen[4] = {0}, room = STATES_MAX, count = 0;

	for (size_t i = 0; i < states->count; i++)
		counts[weight_of(states, i)]++;
	for (size_t k = 4; k-- > 0;) {
		rooms[k] = counts[k] < room ? counts[k] : room;
		room -= rooms[k];
	}
	for (size_t i = 0; i < states->count; i++) {
		unsigned k = weight_of(states, i);
		if ((seen[k] + 1) * rooms[k] / counts[k] > seen[k] * rooms[k] / counts[k])
			chosen[count++] = (uint32_t)i;
		seen[k]++;
	}
	return count;
}

static void fill_states(struct picture_work *w, const struct file *f, const struct annotate_answer *answer, struct picture_node *n, struct buffer *b)
{
	uint32_t chosen[STATES_MAX];
	size_t count = choose_states(&answer->states, chosen);

	buffer_add_string(b, annotate_verdict_words(answer->verdict));
	if (count < answer->states.count) {
		buffer_printf(b, " (%zu of ", count);
		text_count(b, answer->states.count);
		buffer_add_string(b, " states)");
	}
	n->disk_verdict = picture_take_text(w->p, b);
	n->disk_states = picture_allocate(w->p, count * sizeof(*n->disk_states));
	for (size_t i = 0; n->disk_states && i < count; i++)
		fill_state(w, f, &answer->states.items[chosen[i]], &n->disk_states[n->disk_state_count++], b);
}

// ---- births

// "...; made 2026-11-18 03:12:05 by the disk's birth time; what was read of the log does not reach that far"
static void tell_birth(struct picture_work *w, struct picture_node *n, struct buffer *b)
{
	buffer_add(b, n->reason.bytes, n->reason.length);
	buffer_add_string(b, "; made ");
	nanotime_format(b, n->born_ns, NANOTIME_DATE, w->p->zone);
	buffer_add_byte(b, ' ');
	nanotime_format(b, n->born_ns, NANOTIME_SECONDS, w->p->zone);
	buffer_add_string(b, " by the disk's birth time; ");
	buffer_add_string(b, n->born_ns < w->p->from_ns ? "what was read of the log does not reach that far" : "no record tells of it");
	n->reason = picture_take_text(w->p, b);
}

static void fill_file(struct picture_work *w, uint32_t node, struct buffer *b)
{
	struct picture_node *n = &w->p->nodes.items[node];
	uint32_t file = w->g->nodes.items[w->s.items[w->subject_of_node[node]].best].entity;
	const struct file *f = &w->g->files.items[file];
	const struct annotate_answer *answer = annotation_of(w->options->annotation, file);

	n->disk = answer->volume;
	fill_states(w, f, answer, n, b);
	if (!f->created_seen && answer->crtime_ns != NANOTIME_NONE) {
		n->born_ns = answer->crtime_ns;
		tell_birth(w, n, b);
	}
}

// ---- edges

static bool joins_fold(const struct picture *p, const struct picture_edge *e)
{
	return p->nodes.items[e->from].kind == PICTURE_FOLD || p->nodes.items[e->to].kind == PICTURE_FOLD;
}

// An edge between two boxes is as its flows are. That of a fold knows its members already (fold_edge.c).
static void mark_edges(struct picture_work *w)
{
	const uint32_t opened = UINT32_C(1) << FLOW_OPEN_WRITE, wrote = UINT32_C(1) << FLOW_WRITE | UINT32_C(1) << FLOW_TRUNCATE;

	for (size_t i = 0; i < w->p->edges.count; i++) {
		struct picture_edge *e = &w->p->edges.items[i];
		if (!joins_fold(w->p, e))
			e->no_write_seen = (e->ops & opened) && !(e->ops & wrote);
	}
	for (size_t i = 0; i < w->flows.count; i++) {
		const struct drawn_flow *f = &w->flows.items[i];
		struct picture_edge *e = f->edge < w->p->edges.count ? &w->p->edges.items[f->edge] : NULL;
		if (!e || f->op != FLOW_OPEN_WRITE || f->failed || joins_fold(w->p, e))
			continue;
		e->no_write_seen &= !f->perhaps_written;
		e->ended_by_disk |= f->ended_by_disk;
		e->write_until_ns = f->until_ns > e->write_until_ns ? f->until_ns : e->write_until_ns;
	}
}

int picture_add_disk(struct picture_work *w)
{
	struct buffer b = {0};

	for (uint32_t i = 0; i < w->p->nodes.count && w->options->annotation; i++)
		if (w->p->nodes.items[i].kind == PICTURE_FILE)
			fill_file(w, i, &b);
	mark_edges(w);
	bool failed = b.failed || picture_failed(w->p);
	buffer_release(&b);
	return failed ? -1 : 0;
}
