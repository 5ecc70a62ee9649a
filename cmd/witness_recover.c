// SPDX-License-Identifier: MIT
// The recover panel: for each drawn file on a recorded disk the commands that give its content before and after what matters, their
// hashes, and what differs. One walk over each history.
#include "cmd/witness.h"

#include "base/memory.h"
#include "base/text.h"
#include "cmd/investigate.h"
#include "cmd/witness_moment.h"
#include "graph/preview.h"
#include "snapshots/contents.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// A digest needs the whole content, a preview its beginning. Larger files and what goes beyond the sum are only previewed, so that the
// page does not wait for them.
#define WHOLE_BYTES (UINT64_C(64) << 20)
#define ALL_BYTES (UINT64_C(256) << 20)
#define NO_CONTENT SIZE_MAX

struct content {               // of one file at one moment
	struct contents_wish wish;
	bool answered, there, whole, judged;
	uint64_t size_bytes, pending_bytes, complete_ns;
	char sha256[65];
	struct error reason;
	struct buffer head;        // the first PREVIEW_BYTES, holes as zeros
};
VECTOR_DEFINE(content_vector, struct content)

struct panel {                 // one entry of picture.recoveries
	struct picture_recovery *recovery;
	struct witness_choice choice;
	size_t before, after, executed, before_settled, after_settled; // contents; NO_CONTENT
	size_t anew;               // the log that was written in its place
	bool never_came;           // the log tells of content, the disk has the file without: that it was empty is no finding
};
VECTOR_DEFINE(panel_vector, struct panel)

struct work {
	struct investigation *in;
	struct witness_volume *volume;
	struct content_vector contents;
	struct panel_vector panels;
	uint64_t whole_bytes;      // asked for
	bool failed;               // the disk did not answer
};

static void work_release(struct work *w)
{
	for (size_t i = 0; i < w->contents.count; i++)
		buffer_release(&w->contents.items[i].head);
	content_vector_release(&w->contents);
	panel_vector_release(&w->panels);
}

// ---- what to ask for

static uint64_t largest(const struct annotate_answer *a)
{
	uint64_t size = 0;

	for (size_t i = 0; i < a->states.count; i++)
		size = a->states.items[i].disk.size_bytes > size ? a->states.items[i].disk.size_bytes : size;
	return size;
}

static int want(struct work *w, uint32_t file, uint64_t seq, size_t *ret, struct error *err)
{
	const struct annotate_answer *a = annotation_of(w->in->witness.annotation, file);
	struct content c = {.wish = {.seq = seq, .inode = w->in->graph->files.items[file].inode}};
	uint64_t size = largest(a);

	c.wish.has_generation = a->states.count > 0;
	c.wish.generation = a->generation;
	for (size_t i = 0; i < w->contents.count; i++) {
		const struct contents_wish *other = &w->contents.items[i].wish;

		if (other->seq == seq && other->inode == c.wish.inode && other->has_generation == c.wish.has_generation &&
		    other->generation == c.wish.generation) {
			*ret = i;
			return 0;
		}
	}
	c.wish.max_bytes = size <= WHOLE_BYTES && w->whole_bytes + size <= ALL_BYTES ? WHOLE_BYTES : PREVIEW_BYTES;
	if (c.wish.max_bytes == WHOLE_BYTES)
		w->whole_bytes += size;
	if (content_vector_append(&w->contents, c) < 0)
		return error_set(err, "out of memory");
	*ret = w->contents.count - 1;
	return 0;
}

static uint32_t file_of(const struct investigation *in, const struct picture_node *n)
{
	if (n->kind != PICTURE_FILE || n->graph_node_count == 0)
		return GRAPH_NONE;
	const struct graph_node *node = &in->graph->nodes.items[n->graph_nodes[0]];

	return node->kind == NODE_FILE ? node->entity : GRAPH_NONE;
}

// A log that was deleted and written anew: what the new one leaves out is the point.
static int want_anew(struct work *w, uint32_t file, struct panel *p, struct error *err)
{
	uint32_t anew = annotate_written_anew(w->in->graph, file, p->choice.guest_ns);
	const struct annotate_state *s =
		anew == GRAPH_NONE || witness_volume_of(&w->in->witness, anew) != w->volume ? NULL : annotate_first_full(annotation_of(w->in->witness.annotation, anew));

	return s ? want(w, anew, s->disk.seq, &p->anew, err) : 0;
}

// 0; 1: no state of it can be told; -1.
static int plan(struct work *w, struct picture_recovery *r, uint32_t file, struct error *err)
{
	struct panel p = {.recovery = r, .before = NO_CONTENT, .after = NO_CONTENT, .executed = NO_CONTENT,
			  .before_settled = NO_CONTENT, .after_settled = NO_CONTENT, .anew = NO_CONTENT};
	int result = witness_choose(w->in, w->volume, file, &p.choice, err);

	if (result != 0)
		return result;
	p.never_came = (p.choice.deleted || p.choice.executed) && annotation_of(w->in->witness.annotation, file)->verdict == ANNOTATE_PENDING;
	bool after = p.choice.after_seq != 0 && !p.choice.deleted;

	if (want(w, file, p.choice.before_seq, &p.before, err) < 0 || want(w, file, p.choice.before_settled_seq, &p.before_settled, err) < 0 ||
	    (after && want(w, file, p.choice.after_seq, &p.after, err) < 0) ||
	    (after && want(w, file, p.choice.after_settled_seq, &p.after_settled, err) < 0) || (p.choice.executed && want(w, file, p.choice.executed_seq, &p.executed, err) < 0))
		return -1;
	if (p.choice.deleted && want_anew(w, file, &p, err) < 0)
		return -1;
	return panel_vector_append(&w->panels, p) < 0 ? error_set(err, "out of memory") : 0;
}

// ---- what came

static int on_data(void *context, size_t wish, uint64_t offset, const void *bytes, size_t length, struct error *err)
{
	struct work *w = context;

	if (wish >= w->contents.count)
		return error_set(err, "provgraph-fsread: answered what nobody asked");
	struct buffer *head = &w->contents.items[wish].head;

	if (offset >= PREVIEW_BYTES)
		return 0;
	if (length > PREVIEW_BYTES - offset)
		length = (size_t)(PREVIEW_BYTES - offset);
	while (head->length < offset && !head->failed)
		buffer_add_byte(head, '\0');
	if (head->length == offset)
		buffer_add(head, bytes, length);
	return buffer_check(head, err);
}

static int on_end(void *context, const struct contents_answer *a, struct error *err)
{
	struct work *w = context;

	if (a->wish >= w->contents.count)
		return error_set(err, "provgraph-fsread: answered what nobody asked");
	struct content *c = &w->contents.items[a->wish];

	c->answered = true;
	c->there = a->there;
	c->whole = a->there && a->whole;
	c->judged = a->there && a->judged;
	c->size_bytes = a->there ? a->file.size_bytes : 0;
	c->pending_bytes = a->pending_bytes;
	c->complete_ns = a->complete_seq != 0 ? a->complete_ns : NANOTIME_NONE;
	memcpy(c->sha256, c->whole ? a->sha256 : "", c->whole ? sizeof(c->sha256) : 1);
	if (!c->whole)
		c->reason = a->reason;
	// A hole at the end was not sent.
	uint64_t until = c->size_bytes < PREVIEW_BYTES ? c->size_bytes : PREVIEW_BYTES;

	while (c->whole && c->head.length < until && !c->head.failed)
		buffer_add_byte(&c->head, '\0');
	return buffer_check(&c->head, err);
}

static int ask(struct work *w, struct error *err)
{
	struct contents_visit visit = {.data = on_data, .end = on_end, .context = w};
	struct contents_wish *wishes = malloc((w->contents.count + 1) * sizeof(*wishes));

	if (!wishes)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < w->contents.count; i++)
		wishes[i] = w->contents.items[i].wish;
	int result = contents_read(&w->volume->file, wishes, w->contents.count, &visit, err);

	free(wishes);
	return result;
}

// ---- what the panel says

static bool is_missing(const struct panel *p, const struct content *c)
{
	return p->never_came && c->there && c->size_bytes == 0;
}

static void add_verdict(struct buffer *out, const struct investigation *in, const struct panel *p, const struct content *c)
{
	if (!c->there) {
		buffer_add_string(out, "not on the disk at this moment");
	} else if (is_missing(p, c)) {
		buffer_add_string(out, "content pending: the disk shows it empty, and what was written never reached it");
	} else if (c->judged && c->pending_bytes > 0) {
		buffer_add_string(out, "content pending: ");
		text_count(out, c->pending_bytes);
		buffer_add_string(out, c->pending_bytes == 1 ? " byte" : " bytes");
		if (c->complete_ns == NANOTIME_NONE) {
			buffer_add_string(out, " that never reached the disk");
		} else {
			buffer_add_string(out, ", complete from ");
			nanotime_format(out, c->complete_ns, NANOTIME_FULL, in->options->zone);
		}
	} else if (c->whole) {
		buffer_add_string(out, "complete");
	} else {
		const char *reason = c->reason.message[0] ? c->reason.message : "too large for this page";

		buffer_add_string(out, "not read to its end: ");
		text_terminal(out, reason, strlen(reason));
	}
}

static struct text command(struct work *w, uint64_t seq, uint64_t inode, struct error *err)
{
	struct buffer words AUTO_RELEASE_BUFFER = {0};
	struct text result = {NULL, 0};

	buffer_add_string(&words, "provgraph --restore-at ");
	witness_volume_moment(w->volume, seq, w->in->options->zone, &words);
	buffer_add_string(&words, " --disk ");
	text_shell(&words, w->volume->argument, strlen(w->volume->argument), NULL);
	buffer_printf(&words, " --inode %" PRIu64, inode);
	if (buffer_check(&words, err) == 0)
		result = picture_text(w->in->picture, words.bytes, words.length);
	return result;
}

static struct text words_of(struct work *w, const char *words)
{
	return picture_text(w->in->picture, words, strlen(words));
}

static struct text digest(struct work *w, const struct panel *p, size_t content)
{
	const struct content *c = content == NO_CONTENT ? NULL : &w->contents.items[content];

	return words_of(w, !c || is_missing(p, c) ? "" : c->sha256);
}

static struct preview_content shown(const struct work *w, size_t content)
{
	const struct content *c = content == NO_CONTENT ? NULL : &w->contents.items[content];

	if (!c || !c->there)
		return (struct preview_content){0};
	return (struct preview_content){.there = true, .bytes = buffer_string(&c->head), .length = c->head.length, .size_bytes = c->size_bytes};
}

// Says so where a content is shown as it came in later than the moment of its command.
static void note_settled(struct work *w, const struct panel *p, struct buffer *out)
{
	const struct { size_t exact, shown; const char *words; } sides[] = {
		{p->before, p->before_settled, "@ before: as it came in by "}, {p->after, p->after_settled, "@ after: as it came in by "},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(sides); i++) {
		if (sides[i].exact == sides[i].shown)
			continue;
		buffer_add_string(out, sides[i].words);
		witness_volume_moment(w->volume, w->contents.items[sides[i].shown].wish.seq, w->in->options->zone, out);
		buffer_add_byte(out, '\n');
	}
}

// Two contents, or one that went or came: else there is nothing to compare.
static int add_preview(struct work *w, const struct panel *p, struct error *err)
{
	struct buffer lines AUTO_RELEASE_BUFFER = {0};
	struct preview_content old = shown(w, p->before_settled), new = shown(w, p->anew != NO_CONTENT ? p->anew : p->after_settled);
	struct preview_result result = {0};

	if ((!old.there && !new.there) || (p->after == NO_CONTENT && !p->choice.deleted) || is_missing(p, &w->contents.items[p->before_settled]))
		return 0;
	note_settled(w, p, &lines);
	if (new.there && p->anew != NO_CONTENT)
		buffer_add_string(&lines, "@ the second is the file that was made anew under the name\n");
	if (preview_write(&old, &new, &lines, &result, err) < 0 || buffer_check(&lines, err) < 0)
		return -1;
	p->recovery->preview = picture_text(w->in->picture, lines.bytes, lines.length);
	p->recovery->preview_is_hex = result.is_hex;
	p->recovery->preview_is_cut = result.is_cut;
	return 0;
}

static int fill(struct work *w, const struct panel *p, struct error *err)
{
	struct picture_recovery *r = p->recovery;
	const struct content *before = &w->contents.items[p->before], *after = p->after == NO_CONTENT ? NULL : &w->contents.items[p->after];
	struct buffer verdict AUTO_RELEASE_BUFFER = {0};

	r->edge = p->choice.edge;
	if (p->choice.guest_ns != NANOTIME_NONE)
		r->time_ns = p->choice.guest_ns;
	r->words = p->choice.words;
	r->before_sha256 = digest(w, p, p->before);
	r->after_sha256 = digest(w, p, p->after);
	r->executed_sha256 = digest(w, p, p->executed);
	r->command = command(w, p->choice.before_seq, before->wish.inode, err);
	if (w->failed) {
		r->before_sha256 = r->after_sha256 = r->executed_sha256 = (struct text){NULL, 0};
		r->verdict = words_of(w, "not read: the disk did not answer");
		return 0;
	}
	if (before->there || !after || !after->there) {
		add_verdict(&verdict, w->in, p, before);
		if (after && after->there)
			r->command_after = command(w, p->choice.after_seq, after->wish.inode, err);
	} else { // it came by what happened: there is nothing to restore before it
		r->words = words_of(w, "as the disk first showed it");
		r->command = command(w, p->choice.after_seq, after->wish.inode, err);
		buffer_add_string(&verdict, "not on the disk before; then ");
		add_verdict(&verdict, w->in, p, after);
	}
	if (buffer_check(&verdict, err) < 0)
		return -1;
	r->verdict = picture_text(w->in->picture, verdict.bytes, verdict.length);
	return add_preview(w, p, err);
}

// A file that the disk never showed: the command says the same, for whoever wants to see it.
static void never_there(struct work *w, struct picture_recovery *r, uint32_t file, struct error *err)
{
	r->verdict = words_of(w, annotate_verdict_words(annotation_of(w->in->witness.annotation, file)->verdict));
	r->command = command(w, w->volume->to_seq, w->in->graph->files.items[file].inode, err);
}

// The disk has it, but was not asked for it, or has no state of it: the moment is the log's, by the guest's clock.
static void by_the_log(struct work *w, struct picture_recovery *r, uint32_t file, struct error *err)
{
	struct buffer words AUTO_RELEASE_BUFFER = {0};

	buffer_add_string(&words, "provgraph --restore-at ");
	nanotime_format(&words, r->time_ns, NANOTIME_FULL, w->in->options->zone);
	buffer_add_string(&words, " --guest-time --disk ");
	text_shell(&words, w->volume->argument, strlen(w->volume->argument), NULL);
	buffer_printf(&words, " --inode %" PRIu64, w->in->graph->files.items[file].inode);
	if (buffer_check(&words, err) == 0)
		r->command = picture_text(w->in->picture, words.bytes, words.length);
	r->verdict = words_of(w, annotate_verdict_words(annotation_of(w->in->witness.annotation, file)->verdict));
}

static int recover_volume(struct work *w, struct error *err)
{
	struct picture *p = w->in->picture;

	for (size_t i = 0; i < p->recoveries.count; i++) {
		struct picture_recovery *r = &p->recoveries.items[i];
		uint32_t file = file_of(w->in, &p->nodes.items[r->node]);

		if (file == GRAPH_NONE || witness_volume_of(&w->in->witness, file) != w->volume)
			continue;
		bool never = annotation_of(w->in->witness.annotation, file)->verdict == ANNOTATE_NEVER_REACHED;
		int result = never ? 0 : plan(w, r, file, err);

		if (never)
			never_there(w, r, file, err);
		if (result > 0)
			by_the_log(w, r, file, err);
		if (result < 0)
			return -1;
	}
	if (w->panels.count == 0)
		return 0;
	struct error reason;

	// A disk that is damaged just there takes the contents with it, not the case.
	if (ask(w, &reason) < 0) {
		report_line("%s: %s; the page has commands, but no contents of this disk", w->volume->argument, reason.message);
		for (size_t i = 0; i < w->contents.count; i++)
			buffer_clear(&w->contents.items[i].head);
		w->failed = true;
	}
	for (size_t i = 0; i < w->panels.count; i++)
		if (fill(w, &w->panels.items[i], err) < 0)
			return -1;
	return 0;
}

int witness_recover(struct investigation *in, struct error *err)
{
	struct witness *witness = &in->witness;

	if (witness->recovered)
		return 0;
	witness->recovered = true;
	for (size_t i = 0; i < witness->covered; i++) {
		struct work w = {.in = in, .volume = &witness->volumes[i]};
		int result = recover_volume(&w, err);

		work_release(&w);
		if (result < 0)
			return -1;
	}
	return 0;
}
