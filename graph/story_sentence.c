// SPDX-License-Identifier: MIT
#include "graph/story.h"

#include "base/nanotime.h"
#include "graph/annotate.h"
#include "graph/label.h"
#include "graph/persistence.h"

#include <inttypes.h>
#include <string.h>

#define COMMAND_BYTES 160
#define ID_UNSET UINT32_MAX

static void add_text(struct buffer *out, struct text t)
{
	buffer_add(out, t.bytes, t.length);
}

void story_name(const struct picture_node *n, struct buffer *out)
{
	if (n->kind == PICTURE_PROCESS) {
		add_text(out, n->name);
		buffer_printf(out, " [%" PRIu32 "]", n->pid);
	} else if (n->kind == PICTURE_FOLD || n->kind == PICTURE_KERNEL) {
		add_text(out, n->name);
	} else {
		add_text(out, n->full);
	}
}

void story_user(const struct picture_work *w, const struct process *p, uint32_t euid, struct buffer *out)
{
	user_name(w, p->host, euid, out);
	if (p->auid != ID_UNSET && p->auid != euid) {
		buffer_add_string(out, ", logged in as ");
		user_name(w, p->host, p->auid, out);
	}
}

static void add_times(struct buffer *out, uint64_t count)
{
	if (count > 1)
		buffer_printf(out, " x%" PRIu64, count);
}

// The command that an image was started with, where it says more than the program's name.
static void add_command(const struct picture_work *w, const struct picture_node *n, struct buffer *out)
{
	uint32_t subject = w->subject_of_node[n->id - 1];
	const struct segment *s = subject == GRAPH_NONE ? NULL : subjects_segment(&w->s, subject);
	if (!s || s->argv_count < 2)
		return;
	buffer_add_string(out, ": ");
	label_command(w->g, s, COMMAND_BYTES, out);
}

static void add_as_user(const struct picture_node *from, const struct picture_node *to, struct buffer *out)
{
	if (from->euid == to->euid || !to->user.length)
		return;
	buffer_add_string(out, " as ");
	add_text(out, to->user);
}

static void say_process(const struct picture_work *w, const struct drawn_flow *f, const char *verb, struct buffer *out)
{
	const struct picture_node *from = &w->p->nodes.items[f->from], *to = &w->p->nodes.items[f->to];
	story_name(from, out);
	buffer_printf(out, " %s ", verb);
	story_name(to, out);
	add_as_user(from, to, out);
	add_command(w, to, out);
}

static void say_connect(const struct picture_work *w, const struct drawn_flow *f, struct buffer *out)
{
	const struct flow_edge *sample = &w->g->edges.items[f->sample];
	story_name(&w->p->nodes.items[f->from], out);
	buffer_add_byte(out, ' ');
	struct buffer words = {0};
	label_flow(w->g, sample, &words);
	if (f->failed) { // "tried to connect: Connection refused" -> the address goes before the reason
		buffer_add_string(out, "tried to connect to ");
		story_name(&w->p->nodes.items[f->to], out);
		const char *reason = strchr(buffer_string(&words), ':');
		buffer_add_string(out, reason ? reason : "");
	} else if (strcmp(buffer_string(&words), "sent to") == 0) {
		buffer_add_string(out, "sent to ");
		story_name(&w->p->nodes.items[f->to], out);
	} else {
		buffer_add_string(out, "connected to ");
		story_name(&w->p->nodes.items[f->to], out);
		if (strstr(buffer_string(&words), "in progress"))
			buffer_add_string(out, " (in progress)");
	}
	if (words.failed)
		out->failed = true;
	buffer_release(&words);
	add_times(out, f->count);
}

// Of several names within one tick of the clock the first: what was done to a file was done before it was renamed.
static uint32_t first_name_at(const struct file *f, uint64_t ns)
{
	for (size_t i = 0; i < f->names.count; i++)
		if (f->names.items[i].from_ns <= ns && ns <= f->names.items[i].to_ns)
			return f->names.items[i].name;
	return 0;
}

// The name that a file had then, and the one that it is drawn with if that came later (sed -i writes beside, and renames).
static void add_file_then(const struct picture_work *w, const struct drawn_flow *f, struct buffer *out)
{
	const struct picture_node *to = &w->p->nodes.items[f->to];
	uint32_t subject = w->subject_of_node[f->to];
	const struct file *file = subject == GRAPH_NONE ? NULL : subjects_file(&w->s, subject);
	uint32_t name = file ? first_name_at(file, f->first_ns) : 0;
	const char *bytes = intern_string(w->g->strings, name);
	size_t length = intern_length(w->g->strings, name);
	if (!name || f->op == FLOW_RENAME || f->op == FLOW_LINK || (length == to->full.length && memcmp(bytes, to->full.bytes, length) == 0)) {
		add_text(out, to->full);
		return;
	}
	buffer_add(out, bytes, length);
	if (f->op != FLOW_DELETE) {
		buffer_add_string(out, " (later ");
		add_text(out, to->full);
		buffer_add_string(out, ")");
	}
}

static void say_file(const struct picture_work *w, const struct drawn_flow *f, const char *verb, const char *after, struct buffer *out)
{
	story_name(&w->p->nodes.items[f->from], out);
	buffer_printf(out, " %s ", verb);
	add_file_then(w, f, out);
	buffer_add_string(out, after);
	add_times(out, f->count);
}

static void add_persistence(const struct picture_work *w, const struct drawn_flow *f, struct buffer *out)
{
	const struct text path = w->p->nodes.items[f->to].full;
	const char *what = persistence_of_path(path.bytes ? path.bytes : "", path.length);
	if (what)
		buffer_printf(out, " (%s)", what);
}

// Created by an open that wanted to write: how often it was opened so is told in the same sentence.
static void say_created(const struct picture_work *w, const struct drawn_flow *f, struct buffer *out)
{
	say_file(w, f, "created", "", out);
	for (size_t i = 0; i < w->flows.count; i++) {
		const struct drawn_flow *other = &w->flows.items[i];
		if (other->from == f->from && other->to == f->to && other->op == FLOW_OPEN_WRITE && other->count > f->count) {
			buffer_add_string(out, ", opened it for writing");
			add_times(out, other->count);
		}
	}
	add_persistence(w, f, out);
}

bool story_removes_a_name(const struct picture_work *w, const struct drawn_flow *f)
{
	uint32_t subject = w->subject_of_node[f->to];
	const struct file *file = subject == GRAPH_NONE ? NULL : subjects_file(&w->s, subject);
	return file && file->names.count > 1 && f->last_ns < w->s.items[subject].run_ns;
}

bool story_replaces(const struct graph *g, const struct flow_edge *e)
{
	if (e->op != FLOW_DELETE)
		return false;
	for (uint32_t i = g->out_start.items[e->from]; i < g->out_start.items[e->from + 1]; i++) {
		const struct flow_edge *other = &g->edges.items[g->out_edges.items[i]];
		if (other->op == FLOW_RENAME && other->serial == e->serial)
			return true;
		if (other->start_ns > e->start_ns)
			break;
	}
	return false;
}

static void say_deleted(const struct picture_work *w, const struct drawn_flow *f, struct buffer *out)
{
	uint32_t subject = w->subject_of_node[f->to];
	if (story_removes_a_name(w, f)) {
		say_file(w, f, "removed another name of", "", out);
		return;
	}
	bool replaced = story_replaces(w->g, &w->g->edges.items[f->sample]);
	say_file(w, f, replaced ? "replaced" : "deleted", replaced ? " by another file" : "", out);
	if (subject == GRAPH_NONE)
		return;
	uint32_t marks = w->s.items[subject].marks;
	if (marks & MARK_CLEANED)
		buffer_add_string(out, " (a log)");
	else if (marks & MARK_REMOVED)
		buffer_add_string(out, ", which had been run");
}

static void say_opened(const struct picture_work *w, const struct drawn_flow *f, struct buffer *out)
{
	const struct picture_node *from = &w->p->nodes.items[f->from], *to = &w->p->nodes.items[f->to];
	const struct flow_edge *sample = &w->g->edges.items[f->sample];
	story_name(to, out);
	bool script = label_is_script_of(w->g, graph_file_of(w->g, sample->from), graph_segment_of(w->g, sample->to));
	if (script)
		buffer_add_string(out, " ran the script ");
	else
		buffer_printf(out, " %s ", f->op == FLOW_READ ? "read" : "opened");
	add_text(out, from->full);
	if (!script && f->op == FLOW_OPEN_READ)
		buffer_add_string(out, " for reading");
	if (!script)
		add_times(out, f->count);
}

static void say_reverse(const struct picture_work *w, const struct drawn_flow *f, const char *verb, struct buffer *out)
{
	story_name(&w->p->nodes.items[f->to], out);
	buffer_printf(out, " %s ", verb);
	story_name(&w->p->nodes.items[f->from], out);
	if (f->op != FLOW_EXECUTE && f->op != FLOW_SYMLINK)
		add_times(out, f->count);
}

static void say_other(const struct picture_work *w, const struct drawn_flow *f, struct buffer *out)
{
	story_name(&w->p->nodes.items[f->from], out);
	buffer_printf(out, " %s ", flow_op_words(f->op));
	story_name(&w->p->nodes.items[f->to], out);
	add_times(out, f->count);
}

// What was open at fork and never seen in use.
static bool say_inherited(const struct picture_work *w, const struct drawn_flow *f, struct buffer *out)
{
	bool to_process = w->p->nodes.items[f->to].kind == PICTURE_PROCESS;
	const struct picture_node *process = &w->p->nodes.items[to_process ? f->to : f->from];
	const struct picture_node *other = &w->p->nodes.items[to_process ? f->from : f->to];
	if (f->class != CLASS_INFERRED || other->kind == PICTURE_PROCESS)
		return false;
	const char *what = f->op == FLOW_OPEN_WRITE ? " open for writing" : f->op == FLOW_OPEN_READ ? " open for reading" : "";
	if (!*what && f->op != FLOW_CONNECT && f->op != FLOW_RECEIVE && f->op != FLOW_ACCEPT)
		return false;
	story_name(process, out);
	buffer_add_string(out, *what ? " inherited " : " inherited the connection with ");
	story_name(other, out);
	buffer_add_string(out, what);
	return true;
}

// "tar [31138] opened 41 files in /home/alice/Documents for reading".
static bool say_group(const struct picture_work *w, const struct drawn_flow *f, struct buffer *out)
{
	const struct picture_node *from = &w->p->nodes.items[f->from], *to = &w->p->nodes.items[f->to];
	bool reads = from->kind == PICTURE_FOLD;
	const struct picture_node *group = reads ? from : to;
	if (group->kind != PICTURE_FOLD)
		return false;
	bool opened = f->op == FLOW_OPEN_READ || f->op == FLOW_OPEN_WRITE;
	story_name(reads ? to : from, out);
	buffer_printf(out, " %s ", opened ? "opened" : flow_op_words(f->op));
	add_text(out, group->name);
	if (group->detail.length && group->detail.bytes[0] == '/')
		buffer_add_string(out, " in ");
	else
		buffer_add_byte(out, ' ');
	add_text(out, group->detail);
	if (opened)
		buffer_add_string(out, f->op == FLOW_OPEN_READ ? " for reading" : " for writing");
	return true;
}

// What a recorded disk shows of it: content of a log that was changed elsewhere than at its end while the process had it open.
static void add_change(const struct picture_work *w, const struct drawn_flow *f, struct buffer *out)
{
	const struct graph_node *node = &w->g->nodes.items[w->g->edges.items[f->sample].to];
	uint32_t actor = w->subject_of_node[f->from];

	if (!w->options->annotation || node->kind != NODE_FILE || actor == GRAPH_NONE)
		return;
	const struct annotate_states *states = &annotation_of(w->options->annotation, node->entity)->states;
	for (size_t i = 0; i < states->count; i++) {
		const struct annotate_state *s = &states->items[i];
		if (!s->loss || !(s->disk.change & TIMELINE_REWRITTEN) || s->edge == GRAPH_NONE || w->s.of[w->g->edges.items[s->edge].from] != actor)
			continue;
		buffer_add_string(out, "; the disk shows it changed in place");
		if (s->candidates > 1)
			buffer_printf(out, ", by this or %" PRIu32 " other%s that had it open", s->candidates - 1, s->candidates == 2 ? "" : "s");
		return;
	}
}

static void say_flow(const struct picture_work *w, const struct drawn_flow *f, struct buffer *out)
{
	bool from_process = w->p->nodes.items[f->from].kind == PICTURE_PROCESS;
	switch ((enum flow_op)f->op) {
	case FLOW_FORK:
		say_process(w, f, f->class == CLASS_OBSERVED ? "started" : "is the parent of", out);
		return;
	case FLOW_EXEC:
		say_process(w, f, "executed", out);
		return;
	case FLOW_PIPE:
		say_process(w, f, "was piped to", out);
		return;
	case FLOW_EXECUTE:
	case FLOW_SYMLINK:
		say_reverse(w, f, f->op == FLOW_EXECUTE ? "was executed from" : "was executed through the link", out);
		return;
	case FLOW_INTERPRET:
		say_reverse(w, f, "was interpreted by", out);
		return;
	case FLOW_OPEN_READ:
	case FLOW_READ:
		say_opened(w, f, out);
		return;
	case FLOW_CREATE:
		say_created(w, f, out);
		return;
	case FLOW_OPEN_WRITE:
		say_file(w, f, "opened", " for writing", out);
		add_persistence(w, f, out);
		add_change(w, f, out);
		return;
	case FLOW_DELETE:
		say_deleted(w, f, out);
		return;
	case FLOW_ATTRIBUTE:
		say_file(w, f, "changed attributes of", "", out);
		return;
	case FLOW_RENAME:
		say_file(w, f, "renamed a file to", "", out);
		return;
	case FLOW_LINK:
		say_file(w, f, "gave a file the name", "", out);
		return;
	case FLOW_CONNECT:
		say_connect(w, f, out);
		return;
	case FLOW_ACCEPT:
		say_file(w, f, "accepted a connection from", "", out);
		return;
	case FLOW_RECEIVE:
		if (from_process)
			break;
		say_reverse(w, f, "may have received from", out);
		return;
	default:
		break;
	}
	say_other(w, f, out);
}

void story_sentence(const struct picture_work *w, const struct drawn_flow *f, struct buffer *out)
{
	if (say_group(w, f, out) || say_inherited(w, f, out))
		return;
	say_flow(w, f, out);
	if (f->class == CLASS_UNCERTAIN)
		buffer_add_string(out, " (uncertain)");
	else if (f->class == CLASS_INFERRED)
		buffer_add_string(out, " (inferred)");
}
