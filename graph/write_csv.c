// SPDX-License-Identifier: MIT
// A row per edge (record "edge"), then a row per thing that the evidence does not hold (record "missing"), so that a table which
// leaves this machine still says that it is incomplete. RFC 4180: CRLF, quotes where needed. Text is visible text (base/text.h);
// unless `raw`, cells that a spreadsheet would take for a formula get a ' in front.
#include "graph/write_words.h"
#include "graph/write.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

static const char *const columns[] = {
	"record", "time", "last_time", "count", "op", "class", "from_id", "from_kind", "from_name", "from_pid", "from_full", "to_id", "to_kind",
	"to_name", "to_pid", "to_full", "label", "host", "on_path", "failed", "both_ways", "step", "serials",
	"recovered", "no_write_seen",
};

struct row {
	struct buffer *out;
	bool raw;
	bool started;
};

static void cell_begin(struct row *r)
{
	if (r->started)
		buffer_add_byte(r->out, ',');
	r->started = true;
}

static void cell_text(struct row *r, struct text t)
{
	cell_begin(r);
	text_csv(r->out, t.bytes, t.length, r->raw);
}

static void cell_words(struct row *r, const char *words)
{
	cell_text(r, (struct text){words, strlen(words)});
}

static void cell_number(struct row *r, uint64_t value)
{
	cell_begin(r);
	buffer_printf(r->out, "%" PRIu64, value);
}

static void cell_time(struct row *r, uint64_t ns, struct timezone_choice zone)
{
	cell_begin(r);
	if (ns != NANOTIME_NONE)
		nanotime_format(r->out, ns, NANOTIME_FULL, zone);
}

static void row_end(struct row *r)
{
	buffer_add_string(r->out, "\r\n");
	r->started = false;
}

static void cells_node(struct row *r, const struct picture_node *n)
{
	cell_begin(r);
	buffer_printf(r->out, "n%" PRIu32, n->id);
	cell_words(r, words_of_kind(n->kind));
	cell_text(r, n->name);
	cell_begin(r);
	if (n->kind == PICTURE_PROCESS)
		buffer_printf(r->out, "%" PRIu32, n->pid);
	cell_text(r, words_full_name(n));
}

static void edge_row(struct row *r, const struct picture *p, const struct picture_edge *e)
{
	cell_words(r, "edge");
	cell_time(r, e->first_ns, p->zone);
	cell_time(r, e->last_ns, p->zone);
	cell_number(r, e->count);
	cell_words(r, words_edge_op(p, e));
	cell_words(r, flow_class_name(e->class));
	cells_node(r, &p->nodes.items[e->from]);
	cells_node(r, &p->nodes.items[e->to]);
	cell_text(r, e->label);
	cell_text(r, p->host);
	cell_words(r, e->on_path ? "yes" : "no");
	cell_words(r, e->failed ? "yes" : "no");
	cell_words(r, e->both_ways ? "yes" : "no");
	cell_begin(r);
	for (size_t i = 0; i < e->step_count; i++)
		buffer_printf(r->out, "%s%" PRIu32, i ? " " : "", e->steps[i]);
	cell_begin(r);
	for (size_t i = 0; i < e->serial_count; i++)
		buffer_printf(r->out, "%s%" PRIu64, i ? " " : "", e->serials[i]);
	cell_words(r, e->recovered ? "yes" : "no");
	cell_words(r, e->no_write_seen ? "yes" : "no");
	row_end(r);
}

// Same columns; class tells measured loss from a standing blind spot, to_full the audit rule that would close it.
static void missing_row(struct row *r, const struct picture *p, const struct picture_missing *m)
{
	cell_words(r, "missing");
	cell_time(r, m->from_ns, p->zone);
	cell_time(r, m->to_ns, p->zone);
	cell_begin(r);
	cell_words(r, "missing");
	cell_words(r, m->loss ? "loss" : "blind-spot");
	for (int i = 0; i < 9; i++)
		cell_begin(r);
	cell_text(r, m->rule);
	cell_text(r, m->words);
	cell_text(r, p->host);
	for (int i = 0; i < 7; i++)
		cell_begin(r);
	row_end(r);
}

int write_csv(const struct picture *p, bool raw, struct buffer *out, struct error *err)
{
	struct row r = {.out = out, .raw = raw};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		cell_words(&r, columns[i]);
	row_end(&r);
	for (size_t i = 0; i < p->edges.count; i++)
		edge_row(&r, p, &p->edges.items[i]);
	for (size_t i = 0; i < p->missing.count; i++)
		missing_row(&r, p, &p->missing.items[i]);
	return buffer_check(out, err);
}
