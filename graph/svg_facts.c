// SPDX-License-Identifier: MIT
// What is in the file and not in the drawing: the details of nodes and edges, the raw lines of their events, the members of folds. It
// is data, in <metadata>, as text in elements of ours; the script shows it as text when somebody asks.
//
//     <desc data-of="n7" data-key="path">/tmp/.x/stage2</desc>
//     <desc data-of="e4" data-key="records" data-list="0 1 2">389749 389751</desc>     further serials as the text
//     <desc data-record="0" data-serial="389749" data-t="...">type=SYSCALL ...</desc>
//     <desc data-of="f3" data-key="member" data-kind="file" data-t="..." data-score="0.12">/usr/lib/...</desc>
#include "graph/svg.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MEMBERS_MOST 5000 /* of all folds: what a browser opens without a wait */

struct facts {
	struct buffer *out;
	const struct picture *p;
	char of[16]; // n7
};

static void open_fact(struct facts *f, const char *key)
{
	buffer_printf(f->out, "<desc data-of=\"%s\" data-key=\"%s\">", f->of, key);
}

static void close_fact(struct facts *f)
{
	buffer_add_string(f->out, "</desc>\n");
}

static void add_text(struct facts *f, const char *key, struct text t)
{
	if (t.length == 0)
		return;
	open_fact(f, key);
	text_xml(f->out, t.bytes, t.length);
	close_fact(f);
}

// Lines stay lines: each one is made visible by itself.
static void add_lines(struct buffer *out, struct text t)
{
	for (size_t at = 0; at < t.length;) {
		size_t end = at;

		while (end < t.length && t.bytes[end] != '\n')
			end++;
		text_xml(out, t.bytes + at, end - at);
		at = end + 1;
		if (at < t.length)
			buffer_add_byte(out, '\n');
	}
}

static void add_id(struct buffer *out, const char *name, uint32_t id)
{
	if (id == EVENT_ID_UNSET)
		buffer_printf(out, "%s not set", name);
	else
		buffer_printf(out, "%s %" PRIu32, name, id);
}

static void process_facts(struct facts *f, const struct picture_node *n)
{
	add_text(f, "command", n->full);
	add_text(f, "program", n->exe);
	add_text(f, "comm", n->comm);
	add_text(f, "folder", n->cwd);
	add_text(f, "terminal", n->tty);
	add_text(f, "user", n->user);
	open_fact(f, "ids");
	buffer_printf(f->out, "pid %" PRIu32 ", parent %" PRIu32 ", ", n->pid, n->ppid);
	add_id(f->out, "auid", n->auid);
	buffer_add_string(f->out, ", ");
	add_id(f->out, "uid", n->uid);
	buffer_add_string(f->out, ", ");
	add_id(f->out, "euid", n->euid);
	buffer_add_string(f->out, ", ");
	add_id(f->out, "session", n->session);
	close_fact(f);
}

static void state_fact(struct facts *f, const char *key, char glyph, uint64_t ns)
{
	open_fact(f, key);
	buffer_printf(f->out, "%c ", glyph);
	nanotime_format(f->out, ns, NANOTIME_FULL, f->p->zone);
	buffer_add_byte(f->out, ' ');
}

static void file_facts(struct facts *f, const struct picture_node *n)
{
	add_text(f, "path", n->full);
	for (size_t i = 0; i < n->name_count; i++)
		if (n->names[i].length != n->full.length || memcmp(n->names[i].bytes, n->full.bytes, n->full.length) != 0)
			add_text(f, "also named", n->names[i]);
	open_fact(f, "inode");
	buffer_printf(f->out, "%" PRIu64 " on %02" PRIx32 ":%02" PRIx32 ", generation %" PRIu32, n->inode, n->dev >> 20,
			n->dev & 0xfffff, n->generation);
	close_fact(f);
	for (size_t i = 0; i < n->state_count; i++) {
		state_fact(f, "state", n->states[i].glyph, n->states[i].time_ns);
		text_xml(f->out, n->states[i].words.bytes, n->states[i].words.length);
		close_fact(f);
	}
	for (size_t i = 0; i < n->disk_state_count; i++) {
		state_fact(f, "on disk", n->disk_states[i].glyph, n->disk_states[i].time_ns);
		text_size(f->out, n->disk_states[i].size_bytes);
		buffer_add_byte(f->out, ' ');
		text_xml(f->out, n->disk_states[i].verdict.bytes, n->disk_states[i].verdict.length);
		close_fact(f);
	}
}

static void life_fact(struct facts *f, const struct picture_node *n)
{
	if (n->first_ns == 0 || n->first_ns == NANOTIME_NONE)
		return;
	open_fact(f, n->kind == PICTURE_PROCESS ? "life" : "seen");
	nanotime_format(f->out, n->first_ns, NANOTIME_FULL, f->p->zone);
	if (n->last_ns > n->first_ns && n->last_ns != NANOTIME_NONE) {
		buffer_add_string(f->out, n->ended ? " \u2013 " : " \u2013 at least ");
		nanotime_format(f->out, n->last_ns, NANOTIME_FULL, f->p->zone);
		buffer_add_string(f->out, " (");
		nanotime_format_duration(f->out, n->last_ns - n->first_ns);
		buffer_add_byte(f->out, ')');
	}
	close_fact(f);
}

static void mark_facts(struct facts *f, const struct picture_node *n)
{
	const struct { bool set; const char *words; } marks[] = {
		{n->alert, "the alert's address"}, {n->root_cause, "root cause"}, {n->on_path, "on the path from the root cause to the alert"},
		{n->choke_point, "choke point: many causes had to pass here"}, {n->login, "login"}, {n->persistence, "persists"},
		{n->user_changed, "changed its user"}, {n->root, "root, and logged in as another user"},
		{n->after_module_load, "after a kernel module was loaded: the kernel's word no more"},
		{n->inferred_only, "known by inference only"}, {n->gap_overlap, "evidence is missing in its life"},
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (marks[i].set)
			add_text(f, "mark", svg_words(marks[i].words));
}

static void node_facts(struct facts *f, uint32_t index)
{
	const struct picture_node *n = &f->p->nodes.items[index];

	(void)snprintf(f->of, sizeof(f->of), "n%" PRIu32, n->id);
	add_text(f, "name", n->name);
	if (n->kind == PICTURE_PROCESS)
		process_facts(f, n);
	else if (n->kind == PICTURE_FILE)
		file_facts(f, n);
	else
		add_text(f, n->kind == PICTURE_FOLD ? "holds" : "about", n->detail);
	if (n->kind == PICTURE_FOLD && n->fold < f->p->folds.count)
		add_text(f, "folded", f->p->folds.items[n->fold].rule);
	life_fact(f, n);
	mark_facts(f, n);
	add_text(f, "reason", n->reason);
	if (n->explanation.length > 0) {
		open_fact(f, "score");
		add_lines(f->out, n->explanation);
		close_fact(f);
	}
	for (size_t i = 0; i < f->p->recoveries.count; i++)
		if (f->p->recoveries.items[i].node == index) {
			add_text(f, "recover", f->p->recoveries.items[i].words);
			add_text(f, "restore", f->p->recoveries.items[i].command);
		}
}

// ---- edges and their evidence

static void edge_facts(struct facts *f, const struct picture_edge *e)
{
	static const char *const classes[] = {"observed", "inferred", "uncertain"};

	(void)snprintf(f->of, sizeof(f->of), "e%" PRIu32, e->id);
	add_text(f, "what", e->label);
	open_fact(f, "sure");
	buffer_printf(f->out, "%s%s", e->correlation ? "same destination, not a flow" : classes[e->class],
			e->failed ? ", refused by the kernel" : "");
	close_fact(f);
	open_fact(f, "events");
	text_count(f->out, e->count);
	close_fact(f);
	buffer_printf(f->out, "<desc data-of=\"%s\" data-key=\"serials\">", f->of);
	for (size_t i = 0; i < e->serial_count; i++)
		buffer_printf(f->out, "%s%" PRIu64, i ? " " : "", e->serials[i]);
	close_fact(f);
	buffer_printf(f->out, "<desc data-of=\"%s\" data-key=\"records\" data-list=\"", f->of);
	for (size_t i = 0; i < e->record_count; i++)
		buffer_printf(f->out, "%s%" PRIu32, i ? " " : "", e->records[i]);
	buffer_add_string(f->out, "\">");
	for (size_t i = 0; i < e->further_serial_count; i++)
		buffer_printf(f->out, "%s%" PRIu64, i ? " " : "", e->further_serials[i]);
	close_fact(f);
}

static void record_facts(struct facts *f)
{
	for (size_t i = 0; i < f->p->records.count; i++) {
		const struct picture_record *r = &f->p->records.items[i];

		buffer_printf(f->out, "<desc data-record=\"%zu\" data-serial=\"%" PRIu64 "\"", i, r->serial);
		svg_data_time(f->out, "t", r->time_ns);
		buffer_add_byte(f->out, '>');
		add_lines(f->out, r->lines);
		close_fact(f);
	}
}

// ---- members

static void member_fact(struct facts *f, const struct picture_member *m)
{
	buffer_printf(f->out, "<desc data-of=\"%s\" data-key=\"member\" data-kind=\"%s\"", f->of, svg_kind_class(m->kind));
	if (m->kind == PICTURE_PROCESS)
		buffer_printf(f->out, " data-pid=\"%" PRIu32 "\"", m->pid);
	if (m->kind == PICTURE_FILE)
		buffer_printf(f->out, " data-inode=\"%" PRIu64 "\"", m->inode);
	svg_data_time(f->out, "t", m->first_ns);
	buffer_printf(f->out, " data-score=\"%u.%04u\">", (unsigned)(m->score * 10000 + 0.5) / 10000, (unsigned)(m->score * 10000 + 0.5) % 10000);
	text_xml(f->out, m->name.bytes, m->name.length);
	close_fact(f);
}

// Every fold gets its share of the limit; members come best first.
static void fold_facts(struct facts *f)
{
	size_t left = MEMBERS_MOST;

	for (uint32_t i = 0; i < f->p->folds.count; i++) {
		const struct picture_fold *fold = &f->p->folds.items[i];
		size_t share = left / (f->p->folds.count - i), shown = fold->member_count < share ? fold->member_count : share;

		(void)snprintf(f->of, sizeof(f->of), "f%" PRIu32, i + 1);
		open_fact(f, "count");
		buffer_printf(f->out, "%zu", fold->member_count);
		close_fact(f);
		for (size_t k = 0; k < shown; k++)
			member_fact(f, &fold->members[k]);
		left -= shown;
	}
}

// The words of each step in one piece: the drawing has them in lines.
static void step_facts(struct facts *f)
{
	for (size_t i = 0; i < f->p->steps.count; i++) {
		(void)snprintf(f->of, sizeof(f->of), "s%" PRIu32, f->p->steps.items[i].number);
		add_text(f, "words", f->p->steps.items[i].words);
	}
}

void svg_facts(struct buffer *out, const struct picture *p)
{
	struct facts f = {.out = out, .p = p};

	buffer_add_string(out, "<metadata id=\"facts\">\n");
	for (uint32_t i = 0; i < p->nodes.count; i++)
		node_facts(&f, i);
	for (size_t i = 0; i < p->edges.count; i++)
		edge_facts(&f, &p->edges.items[i]);
	step_facts(&f);
	fold_facts(&f);
	record_facts(&f);
	buffer_add_string(out, "</metadata>\n");
}
