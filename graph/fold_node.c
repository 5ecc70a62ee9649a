// SPDX-License-Identifier: MIT
// A fold as a picture node: how many, of what, by what rule, with every member's name.
#include "graph/picture_work.h"

#include "base/nanotime.h"
#include "base/text.h"
#include "graph/label.h"

#include <inttypes.h>
#include <string.h>

#define PROGRAMS_NAMED 3

static struct text member_name(struct picture_work *w, uint32_t subject, struct buffer *b)
{
	const struct subject *it = &w->s.items[subject];
	const struct graph_node *node = &w->g->nodes.items[it->best];
	switch ((enum node_kind)node->kind) {
	case NODE_PROCESS:
		label_process(w->g, subjects_segment(&w->s, subject), b);
		break;
	case NODE_FILE:
		label_file(w->g, subjects_file(&w->s, subject), NANOTIME_NONE, b);
		break;
	case NODE_CONNECTION:
		label_address(w->g, &graph_connection_of(w->g, it->best)->address, b);
		break;
	case NODE_PIPE:
		buffer_printf(b, "pipe of %" PRIu32, w->g->processes.items[w->g->pipes.items[node->entity].process].pid);
		break;
	case NODE_UNIX_SOCKET:
		buffer_add(b, intern_string(w->g->strings, w->g->sockets.items[node->entity].path),
			   intern_length(w->g->strings, w->g->sockets.items[node->entity].path));
		break;
	case NODE_KERNEL:
		buffer_add_string(b, "kernel");
		break;
	}
	return picture_take_text(w->p, b);
}

static void fill_member(struct picture_work *w, uint32_t subject, struct picture_member *m, struct buffer *b)
{
	const struct subject *it = &w->s.items[subject];
	const struct segment *s = subjects_segment(&w->s, subject);
	const struct file *f = subjects_file(&w->s, subject);
	*m = (struct picture_member){.kind = it->kind, .first_ns = it->first_ns, .graph_node = it->best};
	m->score = it->side == TRACE_NONE ? 0 : w->t->nodes[it->best].score;
	m->pid = s ? w->g->processes.items[s->process].pid : 0;
	m->dev = f ? f->dev : 0;
	m->inode = f ? f->inode : 0;
	m->name = member_name(w, subject, b);
}

// --- "212 files, 3 processes"

static void add_count(struct buffer *b, size_t n, const char *one, const char *many)
{
	if (!n)
		return;
	if (b->length)
		buffer_add_string(b, ", ");
	text_count(b, n);
	buffer_printf(b, " %s", n == 1 ? one : many);
}

static void name_fold(const struct picture_fold *f, struct buffer *b)
{
	size_t counts[PICTURE_FOLD] = {0};
	for (size_t i = 0; i < f->member_count; i++)
		counts[f->members[i].kind]++;
	add_count(b, counts[PICTURE_PROCESS], "process", "processes");
	add_count(b, counts[PICTURE_FILE], "file", "files");
	add_count(b, counts[PICTURE_ADDRESS], "address", "addresses");
	if (!b->length) // pipes are told only where there is nothing else
		add_count(b, counts[PICTURE_CHANNEL], "channel", "channels");
	add_count(b, counts[PICTURE_KERNEL], "kernel", "kernels");
}

// --- what they have in common

static bool common_folder(const struct picture_fold *f, struct text *ret)
{
	const char *bytes = NULL;
	size_t length = 0;
	for (size_t i = 0; i < f->member_count; i++) {
		const struct picture_member *m = &f->members[i];
		const char *base;
		size_t base_length, folder;
		if (m->kind != PICTURE_FILE)
			continue;
		text_split_path(m->name.bytes, m->name.length, &base, &base_length, &folder);
		if (!bytes) {
			bytes = m->name.bytes;
			length = folder;
		}
		size_t same = 0;
		while (same < length && same < folder && bytes[same] == m->name.bytes[same])
			same++;
		// whole folder names only
		bool whole = (same == length || bytes[same] == '/') && (same == folder || m->name.bytes[same] == '/');
		while (!whole && same > 0 && bytes[--same] != '/')
			;
		length = same;
	}
	*ret = (struct text){bytes, length};
	return length > 1;
}

struct program_count { struct label_span name; size_t count; };

// The programs that occur most; the first seen first among equals.
static void name_programs(const struct picture_work *w, const struct fold *fold, struct buffer *b)
{
	struct program_count programs[64];
	size_t known = 0;
	bool others = false;
	for (size_t i = 0; i < fold->members.count; i++) {
		const struct segment *s = subjects_segment(&w->s, fold->members.items[i]);
		struct label_span name = s ? label_program(w->g, s) : (struct label_span){NULL, 0};
		size_t k = 0;
		if (!name.length)
			continue;
		while (k < known && (programs[k].name.length != name.length || memcmp(programs[k].name.bytes, name.bytes, name.length) != 0))
			k++;
		if (k == sizeof(programs) / sizeof(programs[0])) {
			others = true;
			continue;
		}
		if (k == known)
			programs[known++] = (struct program_count){name, 0};
		programs[k].count++;
	}
	for (size_t named = 0; named < PROGRAMS_NAMED && named < known; named++) {
		size_t best = 0;
		for (size_t k = 1; k < known; k++)
			best = programs[k].count > programs[best].count ? k : best;
		buffer_add_string(b, named ? ", " : "");
		buffer_add(b, programs[best].name.bytes, programs[best].name.length);
		programs[best].count = 0;
	}
	if (known > PROGRAMS_NAMED || others)
		buffer_add_string(b, " ...");
}

// The names themselves, as far as they fit.
static void name_members(const struct picture_fold *f, struct buffer *b)
{
	for (size_t i = 0; i < f->member_count && b->length < 60; i++) {
		buffer_add_string(b, i ? ", " : "");
		buffer_add(b, f->members[i].name.bytes, f->members[i].name.length);
	}
}

static struct text fold_detail(struct picture_work *w, const struct fold *fold, const struct picture_fold *f, struct buffer *b)
{
	struct text folder;
	if (fold->kind == PICTURE_PROCESS || fold->kind == PICTURE_FOLD)
		name_programs(w, fold, b);
	else if (fold->kind == PICTURE_FILE && common_folder(f, &folder))
		buffer_add(b, folder.bytes, folder.length);
	else if (fold->kind == PICTURE_FILE)
		buffer_add_string(b, "in several folders");
	else
		name_members(f, b);
	return picture_take_text(w->p, b);
}

// --- the rule, in words

static void add_anchor(const struct picture_work *w, uint32_t anchor, struct buffer *b)
{
	const struct subject *it = &w->s.items[anchor];
	if (it->kind == PICTURE_PROCESS)
		label_process(w->g, subjects_segment(&w->s, anchor), b);
	else if (it->kind == PICTURE_FILE)
		label_file(w->g, subjects_file(&w->s, anchor), NANOTIME_NONE, b);
	else if (it->kind == PICTURE_ADDRESS)
		label_address(w->g, &graph_connection_of(w->g, it->best)->address, b);
	else
		buffer_add_string(b, it->kind == PICTURE_KERNEL ? "the kernel" : "a channel");
}

static struct text fold_rule(struct picture_work *w, const struct fold *fold, struct buffer *b)
{
	if (fold->correlation) {
		buffer_add_string(b, "not linked with the contact: only contacted ");
		add_anchor(w, fold->anchor, b);
		return picture_take_text(w->p, b);
	}
	if (fold->collected) {
		buffer_add_string(b, "opened for reading by ");
		add_anchor(w, fold->anchor, b);
		buffer_add_string(b, "; led nowhere that the records show");
		return picture_take_text(w->p, b);
	}
	// The rest is gathered at the nearest drawn node of its best path, or at the contact: that claims no flow of its own.
	if (fold->op == FLOW_COUNT)
		buffer_add_string(b, fold->side == TRACE_EFFECT ? "further effects; nearest drawn: " : "further causes; nearest drawn: ");
	else
		buffer_add_string(b, fold->side == TRACE_EFFECT ? "follows from " : "leads to ");
	add_anchor(w, fold->anchor, b);
	if (fold->op != FLOW_COUNT)
		buffer_printf(b, ": %s", flow_op_words(fold->op));
	buffer_add_string(b, fold->siblings ? "; siblings in one place" : "; ranked below what is drawn");
	return picture_take_text(w->p, b);
}

int picture_fill_fold(struct picture_work *w, uint32_t fold, struct picture_node *n, struct buffer *b)
{
	const struct fold *from = &w->folds.items.items[fold];
	struct picture_fold f = {.node = n->id - 1};
	f.members = picture_allocate(w->p, from->members.count * sizeof(*f.members));
	n->kind = PICTURE_FOLD;
	n->fold = (uint32_t)w->p->folds.count;
	n->side = from->side;
	n->first_ns = NANOTIME_NONE;
	if (!f.members)
		return -1;
	f.member_count = from->members.count;
	for (size_t i = 0; i < f.member_count; i++) {
		struct picture_member *m = &f.members[i];
		fill_member(w, from->members.items[i], m, b);
		n->first_ns = m->first_ns < n->first_ns ? m->first_ns : n->first_ns;
		n->last_ns = m->first_ns > n->last_ns ? m->first_ns : n->last_ns;
		n->score = m->score > n->score ? m->score : n->score;
	}
	n->rank = from->members.count ? w->s.items[from->members.items[0]].rank : 0;
	n->rank = n->rank == UINT32_MAX ? 0 : n->rank;
	name_fold(&f, b);
	if (from->kind == PICTURE_PROCESS && from->siblings) {
		buffer_add_string(b, ": ");
		name_programs(w, from, b);
	}
	n->name = picture_take_text(w->p, b);
	n->detail = fold_detail(w, from, &f, b);
	f.rule = fold_rule(w, from, b);
	n->full = f.rule;
	n->reason = f.rule;
	if (picture_failed(w->p) || picture_fold_vector_append(&w->p->folds, f) < 0)
		return -1;
	return 0;
}
