// SPDX-License-Identifier: MIT
// What disks tell of cleaned files beyond the records: a log that was changed elsewhere than at its end, or deleted and written anew.
#include "graph/notes.h"

#include "base/nanotime.h"
#include "base/text.h"
#include "graph/annotate.h"
#include "graph/label.h"
#include "graph/story.h"

#include <inttypes.h>
#include <string.h>

#define LOSSES_MAX NOTES_LOST
#define LOSSES_OF_FILE 2u

struct losses {
	struct note_taker *n;
	uint32_t subject, file, told;
	const struct annotate_answer *answer;
};

static void add_time(struct note_taker *n, uint64_t ns)
{
	nanotime_format(&n->b, ns, NANOTIME_CLOCK, n->w->p->zone);
}

// "10:05:09.157 +-6 ms (on the disk, seq:28)". Only where the host's clock is known by the guest's does an arrival stand beside a record.
static void add_arrival(const struct losses *l, const struct annotate_state *s)
{
	const struct annotate_volume *v = annotation_volume(l->n->w->options->annotation, l->answer->volume);
	struct buffer *b = &l->n->b;
	int64_t offset;
	uint64_t error_ns;

	add_time(l->n, s->guest_ns != NANOTIME_NONE ? s->guest_ns : s->disk.arrival_ns);
	if (s->guest_ns != NANOTIME_NONE && v->clock && timeline_clock_at(v->clock, s->disk.arrival_ns, &offset, &error_ns)) // and what printing cuts off
		buffer_printf(b, " +-%" PRIu64 " ms", (error_ns + s->guest_ns % NANOTIME_MILLISECOND + NANOTIME_MILLISECOND - 1) / NANOTIME_MILLISECOND);
	buffer_printf(b, " (on the disk%s, seq:%" PRIu64 ")", s->guest_ns == NANOTIME_NONE ? " by the host's clock" : "", s->disk.seq);
}

// An open for writing says only from when on, as one that made the file does; the other calls are the change itself.
static bool is_opening(const struct losses *l, const struct annotate_state *s)
{
	enum flow_op op = l->n->w->g->edges.items[s->edge].op;

	return op == FLOW_OPEN_WRITE || op == FLOW_CREATE;
}

// ", by invoice.bin [155], between 10:05:09.086 (opened) and 10:05:09.157 +-6 ms (on the disk, seq:28)"
static void add_doer(const struct losses *l, const struct annotate_state *s)
{
	struct buffer *b = &l->n->b;

	if (s->edge == GRAPH_NONE) {
		buffer_add_string(b, ", by nobody that the log tells of, before ");
	} else {
		buffer_add_string(b, ",");
		picture_disk_actor(l->n->w->g, s, b);
		buffer_add_string(b, ", between ");
		add_time(l->n, s->syscall_ns);
		buffer_add_string(b, is_opening(l, s) ? " (opened) and " : " (the call) and ");
	}
	add_arrival(l, s);
}

static uint64_t note_time(const struct annotate_state *s)
{
	return s->guest_ns != NANOTIME_NONE ? s->guest_ns : s->syscall_ns != NANOTIME_NONE ? s->syscall_ns : s->disk.arrival_ns;
}

static void put(const struct losses *l, const struct annotate_state *s)
{
	struct note_taker *n = l->n;

	if (s->disk.change & (TIMELINE_CUT | TIMELINE_DELETED) && n->lost_count < NOTES_LOST)
		n->lost[n->lost_count++] = l->subject;
	size_t before = n->w->p->notes.count;

	notes_put(n, NOTE_CLEANED, note_time(s), picture_node_of(n->w, l->subject), false);
	if (n->w->p->notes.count > before)
		n->w->p->notes.items[before].loss = true;
}

static void tell_changed(const struct losses *l, size_t index)
{
	const struct annotate_state *s = &l->answer->states.items[index];
	struct note_taker *n = l->n;

	label_file(n->w->g, &n->w->g->files.items[l->file], s->syscall_ns, &n->b);
	if (s->disk.change & TIMELINE_CUT) {
		buffer_add_string(&n->b, s->disk.size_bytes == 0 ? " was emptied: " : " was cut: ");
		text_count(&n->b, index > 0 ? l->answer->states.items[index - 1].disk.size_bytes : 0);
		buffer_add_string(&n->b, " bytes before, ");
		text_count(&n->b, s->disk.size_bytes);
		buffer_add_string(&n->b, " after");
	} else {
		buffer_add_string(&n->b, " was changed elsewhere than at its end (");
		picture_disk_bytes(s, &n->b);
		buffer_add_string(&n->b, " of ");
		text_count(&n->b, s->disk.size_bytes);
		buffer_add_byte(&n->b, ')');
	}
	add_doer(l, s);
	put(l, s);
}

// ---- deleted and written anew

static void tell_anew(const struct losses *l, size_t index)
{
	const struct annotate_state *s = &l->answer->states.items[index];
	struct note_taker *n = l->n;
	uint64_t gone_ns = s->syscall_ns != NANOTIME_NONE ? s->syscall_ns : s->guest_ns;
	uint32_t anew = gone_ns == NANOTIME_NONE ? GRAPH_NONE : annotate_written_anew(n->w->g, l->file, gone_ns);

	if (anew == GRAPH_NONE)
		return;
	const struct annotate_state *first = annotate_first_full(annotation_of(n->w->options->annotation, anew));
	bool replaced = s->edge != GRAPH_NONE && story_replaces(n->w->g, &n->w->g->edges.items[s->edge]);

	label_file(n->w->g, &n->w->g->files.items[l->file], gone_ns, &n->b);
	buffer_add_string(&n->b, replaced ? " was replaced by another file: " : " was deleted and written anew: ");
	text_count(&n->b, s->disk.size_bytes);
	buffer_add_string(&n->b, " bytes before, ");
	if (first)
		text_count(&n->b, first->disk.size_bytes);
	buffer_add_string(&n->b, first ? " after" : "and nothing after that has reached the disk");
	add_doer(l, s);
	put(l, s);
}

// ---- the whole

static void tell_losses(struct losses *l, uint32_t *left)
{
	const struct annotate_states *states = &l->answer->states;

	for (size_t i = 0; i < states->count && l->told < LOSSES_OF_FILE && *left > 0; i++) {
		const struct annotate_state *s = &states->items[i];
		uint32_t before = l->n->counts[NOTE_CLEANED] + l->n->more[NOTE_CLEANED];

		if (!s->loss || s->verdict == ANNOTATE_STATE_AFTER || s->verdict == ANNOTATE_STATE_BEFORE)
			continue;
		if (s->disk.change & TIMELINE_DELETED)
			tell_anew(l, i);
		else
			tell_changed(l, i);
		bool done = l->n->counts[NOTE_CLEANED] + l->n->more[NOTE_CLEANED] > before;
		l->told += done;
		*left -= done;
	}
}

void notes_take_losses(struct note_taker *n)
{
	const struct picture_work *w = n->w;
	uint32_t left = LOSSES_MAX;

	for (size_t i = 0; w->options->annotation && i < w->t->order.count && left > 0 && n->result == 0; i++) {
		uint32_t node = w->t->order.items[i], subject = w->s.of[node];

		if (w->g->nodes.items[node].kind != NODE_FILE || w->s.items[subject].best != node)
			continue;
		struct losses l = {.n = n, .subject = subject, .file = w->g->nodes.items[node].entity};
		l.answer = annotation_of(w->options->annotation, l.file);
		if (l.answer->volume != GRAPH_NONE)
			tell_losses(&l, &left);
	}
}
