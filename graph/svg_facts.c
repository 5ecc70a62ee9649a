// SPDX-License-Identifier: MIT
// What is in the file and not in the drawing: the details of nodes and edges, the raw lines of their events, the members of folds. It
// is data, in <metadata>, as text in elements of ours; the script shows it as text when somebody asks.
//
//     <desc data-of="n7" data-key="path">/tmp/.x/stage2</desc>
//     <desc data-of="e4" data-key="records" data-list="0 1 2">389749 389751</desc>     further serials as the text
//     <desc data-record="0" data-serial="389749" data-t="...">type=SYSCALL ...</desc>
//     <desc data-of="case" data-key="disk">fe:10 is web01.history ...</desc>            what svg_facts_disk.c adds of recorded disks
//     <desc data-of="f3" data-key="member" data-kind="file" data-t="..." data-score="0.12">/usr/lib/...</desc>
#include "graph/svg.h"

#include "base/text.h"
#include "graph/disk_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MEMBERS_MOST 5000 /* of all folds: what a browser opens without a wait */

void facts_open(struct facts *f, const char *key)
{
	buffer_printf(f->out, "<desc data-of=\"%s\" data-key=\"%s\">", f->of, key);
}

void facts_close(struct facts *f)
{
	buffer_add_string(f->out, "</desc>\n");
}

void facts_text(struct facts *f, const char *key, struct text t)
{
	if (t.length == 0)
		return;
	facts_open(f, key);
	text_xml(f->out, t.bytes, t.length);
	facts_close(f);
}

// Lines stay lines: each one is made visible by itself.
void facts_add_lines(struct buffer *out, struct text t)
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

void facts_lines(struct facts *f, const char *key, struct text t)
{
	if (t.length == 0)
		return;
	facts_open(f, key);
	facts_add_lines(f->out, t);
	facts_close(f);
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
	facts_text(f, "command", n->full);
	facts_text(f, "program", n->exe);
	facts_text(f, "comm", n->comm);
	facts_text(f, "folder", n->cwd);
	facts_text(f, "terminal", n->tty);
	facts_text(f, "user", n->user);
	facts_open(f, "ids");
	buffer_printf(f->out, "pid %" PRIu32 ", parent %" PRIu32 ", ", n->pid, n->ppid);
	add_id(f->out, "auid", n->auid);
	buffer_add_string(f->out, ", ");
	add_id(f->out, "uid", n->uid);
	buffer_add_string(f->out, ", ");
	add_id(f->out, "euid", n->euid);
	buffer_add_string(f->out, ", ");
	add_id(f->out, "session", n->session);
	facts_close(f);
}

static void state_fact(struct facts *f, const char *key, char glyph, uint64_t ns)
{
	facts_open(f, key);
	buffer_printf(f->out, "%c ", glyph);
	nanotime_format(f->out, ns, NANOTIME_FULL, f->p->zone);
	buffer_add_byte(f->out, ' ');
}

static void file_facts(struct facts *f, const struct picture_node *n)
{
	facts_text(f, "path", n->full);
	for (size_t i = 0; i < n->name_count; i++)
		if (n->names[i].length != n->full.length || memcmp(n->names[i].bytes, n->full.bytes, n->full.length) != 0)
			facts_text(f, "also named", n->names[i]);
	facts_open(f, "inode");
	buffer_printf(f->out, "%" PRIu64 " on %02" PRIx32 ":%02" PRIx32 ", generation %" PRIu32, n->inode, n->dev >> 20,
			n->dev & 0xfffff, n->generation);
	facts_close(f);
	for (size_t i = 0; i < n->state_count; i++) {
		state_fact(f, "state", n->states[i].glyph, n->states[i].time_ns);
		text_xml(f->out, n->states[i].words.bytes, n->states[i].words.length);
		facts_close(f);
	}
	facts_of_disk_states(f, n);
}

static void life_fact(struct facts *f, const struct picture_node *n)
{
	if (n->first_ns == 0 || n->first_ns == NANOTIME_NONE)
		return;
	facts_open(f, n->kind == PICTURE_PROCESS ? "life" : "seen");
	nanotime_format(f->out, n->first_ns, NANOTIME_FULL, f->p->zone);
	if (n->last_ns > n->first_ns && n->last_ns != NANOTIME_NONE) {
		buffer_add_string(f->out, n->ended ? " \u2013 " : " \u2013 at least ");
		nanotime_format(f->out, n->last_ns, NANOTIME_FULL, f->p->zone);
		buffer_add_string(f->out, " (");
		nanotime_format_duration(f->out, n->last_ns - n->first_ns);
		buffer_add_byte(f->out, ')');
	}
	facts_close(f);
}

static void mark_facts(struct facts *f, const struct picture_node *n)
{
	const struct { bool set; const char *words; } marks[] = {
		{n->alert, "the alert's address"}, {n->root_cause, "root cause"}, {n->on_path, "on the path from the root cause to the alert"},
		{n->choke_point, "choke point: many causes had to pass here"}, {n->login, "login"}, {n->persistence, "persists"},
		{n->user_changed, "changed its user"}, {n->root, "root, and logged in as another user"},
		{n->after_module_load, "after a kernel module was loaded: the kernel's word no more"},
		{n->inferred_only, "known by inference only"}, {n->gap_overlap, "evidence is missing in its life"},
		{n->recovered, "known only by records that a disk gave back"},
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (marks[i].set)
			facts_text(f, "mark", svg_words(marks[i].words));
}

static void node_facts(struct facts *f, uint32_t index)
{
	const struct picture_node *n = &f->p->nodes.items[index];

	(void)snprintf(f->of, sizeof(f->of), "n%" PRIu32, n->id);
	facts_text(f, "name", n->name);
	if (n->kind == PICTURE_PROCESS)
		process_facts(f, n);
	else if (n->kind == PICTURE_FILE)
		file_facts(f, n);
	else
		facts_text(f, n->kind == PICTURE_FOLD ? "holds" : "about", n->detail);
	if (n->kind == PICTURE_FOLD && n->fold < f->p->folds.count)
		facts_text(f, "folded", f->p->folds.items[n->fold].rule);
	life_fact(f, n);
	mark_facts(f, n);
	facts_text(f, "reason", n->reason);
	facts_lines(f, "score", n->explanation);
	facts_of_recoveries(f, index);
}

// ---- edges and their evidence

static void edge_facts(struct facts *f, const struct picture_edge *e)
{
	static const char *const classes[] = {"observed", "inferred", "uncertain"};

	(void)snprintf(f->of, sizeof(f->of), "e%" PRIu32, e->id);
	struct buffer label = {0};
	disk_edge_label(&label, e);
	facts_text(f, "what", (struct text){buffer_string(&label), label.length});
	f->out->failed = f->out->failed || label.failed;
	buffer_release(&label);
	facts_open(f, "sure");
	buffer_printf(f->out, "%s%s%s%s", e->correlation ? "same destination, not a flow" : classes[e->class],
			e->failed ? ", refused by the kernel" : "", e->recovered ? ", by records that a disk gave back" : "",
			e->no_write_seen ? ", and the disk shows that nothing was written" : "");
	facts_close(f);
	facts_open(f, "events");
	text_count(f->out, e->count);
	facts_close(f);
	buffer_printf(f->out, "<desc data-of=\"%s\" data-key=\"serials\">", f->of);
	for (size_t i = 0; i < e->serial_count; i++)
		buffer_printf(f->out, "%s%" PRIu64, i ? " " : "", e->serials[i]);
	facts_close(f);
	buffer_printf(f->out, "<desc data-of=\"%s\" data-key=\"records\" data-list=\"", f->of);
	for (size_t i = 0; i < e->record_count; i++)
		buffer_printf(f->out, "%s%" PRIu32, i ? " " : "", e->records[i]);
	buffer_add_string(f->out, "\">");
	for (size_t i = 0; i < e->further_serial_count; i++)
		buffer_printf(f->out, "%s%" PRIu64, i ? " " : "", e->further_serials[i]);
	facts_close(f);
}

static void record_facts(struct facts *f)
{
	for (size_t i = 0; i < f->p->records.count; i++) {
		const struct picture_record *r = &f->p->records.items[i];

		buffer_printf(f->out, "<desc data-record=\"%zu\" data-serial=\"%" PRIu64 "\"", i, r->serial);
		svg_data_time(f->out, "t", r->time_ns);
		buffer_add_byte(f->out, '>');
		facts_add_lines(f->out, r->lines);
		facts_close(f);
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
	facts_close(f);
}

// Every fold gets its share of the limit; members come best first.
static void fold_facts(struct facts *f)
{
	size_t left = MEMBERS_MOST;

	for (uint32_t i = 0; i < f->p->folds.count; i++) {
		const struct picture_fold *fold = &f->p->folds.items[i];
		size_t share = left / (f->p->folds.count - i), shown = fold->member_count < share ? fold->member_count : share;

		(void)snprintf(f->of, sizeof(f->of), "f%" PRIu32, i + 1);
		facts_open(f, "count");
		buffer_printf(f->out, "%zu", fold->member_count);
		facts_close(f);
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
		facts_text(f, "words", f->p->steps.items[i].words);
	}
}

void svg_facts(struct buffer *out, const struct picture *p, bool all)
{
	struct facts f = {.out = out, .p = p, .all = all};

	buffer_add_string(out, "<metadata id=\"facts\">\n");
	for (uint32_t i = 0; i < p->nodes.count; i++)
		node_facts(&f, i);
	for (size_t i = 0; i < p->edges.count; i++)
		edge_facts(&f, &p->edges.items[i]);
	step_facts(&f);
	facts_of_disks(&f);
	fold_facts(&f);
	record_facts(&f);
	buffer_add_string(out, "</metadata>\n");
}
