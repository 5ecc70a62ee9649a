// SPDX-License-Identifier: MIT
// The case file. Its schema is described in graph/CASE.md; a key that goes away or changes its meaning raises CASE_SCHEMA.
#include "graph/json_emit.h"
#include "graph/write_json_disk.h"
#include "graph/write_words.h"
#include "graph/write.h"

#include <inttypes.h>
#include <stdio.h>

#define CASE_SCHEMA 1

static void id_of(struct json *j, const char *key, char letter, uint32_t number)
{
	char id[16];

	(void)snprintf(id, sizeof(id), "%c%" PRIu32, letter, number);
	json_words(j, key, id);
}

static void node_id(struct json *j, const char *key, const struct picture *p, uint32_t node)
{
	if (node < p->nodes.count)
		id_of(j, key, 'n', p->nodes.items[node].id);
	else
		json_number_or_null(j, key, 0, 0);
}

static void add_texts(struct json *j, const char *key, const struct text *texts, size_t count)
{
	json_begin(j, key, '[');
	for (size_t i = 0; i < count; i++)
		json_text(j, NULL, texts[i]);
	json_end(j, ']');
}

static void add_numbers(struct json *j, const char *key, const uint32_t *numbers, size_t count)
{
	json_begin(j, key, '[');
	for (size_t i = 0; i < count; i++)
		json_number(j, NULL, numbers[i]);
	json_end(j, ']');
}

static void add_address(struct json *j, const char *key, const struct event_address *address)
{
	struct buffer words = {0};

	words_address(&words, address);
	if (words.length > 0)
		json_text(j, key, (struct text){words.bytes, words.length});
	else
		json_number_or_null(j, key, 0, 0);
	buffer_release(&words);
}

static void add_device(struct json *j, const char *key, uint32_t dev)
{
	struct buffer words = {0};

	words_device(&words, dev);
	json_words(j, key, buffer_string(&words));
	buffer_release(&words);
}

static void add_head(struct json *j, const struct picture *p)
{
	json_number(j, "schema", CASE_SCHEMA);
	json_text(j, "provgraph", p->version);
	json_text(j, "command", p->command);
	json_text(j, "title", p->title);
	json_text(j, "host", p->host);
	json_line(j);
	json_begin(j, "alert", '{');
	add_address(j, "address", &p->alert_address);
	json_number_or_null(j, "port", p->alert_port, 0);
	json_time(j, "time", p->alert_ns, p->zone);
	json_text(j, "signature", p->alert_signature);
	json_time(j, "contact", p->contact_ns, p->zone);
	json_end(j, '}');
	json_line(j);
	json_begin(j, "window", '{');
	json_time(j, "from", p->from_ns, p->zone);
	json_time(j, "to", p->to_ns, p->zone);
	json_end(j, '}');
	json_line(j);
	json_begin(j, "counts", '{');
	json_number(j, "events", p->events);
	json_number(j, "graph_nodes", p->graph_nodes);
	json_number(j, "graph_edges", p->graph_edges);
	json_number(j, "sliced_nodes", p->sliced_nodes);
	json_end(j, '}');
}

static void add_completeness(struct json *j, const struct picture *p)
{
	json_line(j);
	json_begin(j, "completeness", '{');
	json_bool(j, "loss", words_has_loss(p));
	json_begin(j, "missing", '[');
	for (size_t i = 0; i < p->missing.count; i++) {
		const struct picture_missing *m = &p->missing.items[i];

		json_line(j);
		json_begin(j, NULL, '{');
		json_bool(j, "loss", m->loss);
		json_time(j, "from", m->from_ns, p->zone);
		json_time(j, "to", m->to_ns, p->zone);
		json_text(j, "words", m->words);
		json_text(j, "rule", m->rule);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_end(j, '}');
	json_line(j);
	json_begin(j, "inputs", '[');
	for (size_t i = 0; i < p->inputs.count; i++) {
		const struct picture_input *input = &p->inputs.items[i];

		json_line(j);
		json_begin(j, NULL, '{');
		json_text(j, "name", input->name);
		json_wide(j, "from", input->from);
		json_wide(j, "to", input->to);
		json_text(j, "sha256", input->sha256);
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void add_process(struct json *j, const struct picture_node *n)
{
	json_number(j, "pid", n->pid);
	json_number(j, "ppid", n->ppid);
	json_text(j, "exe", n->exe);
	json_text(j, "comm", n->comm);
	json_text(j, "command", n->full);
	add_texts(j, "argv", n->argv, n->argv_count);
	json_text(j, "cwd", n->cwd);
	json_text(j, "tty", n->tty);
	json_text(j, "user", n->user);
	json_number_or_null(j, "auid", n->auid, EVENT_ID_UNSET);
	json_number_or_null(j, "uid", n->uid, EVENT_ID_UNSET);
	json_number_or_null(j, "euid", n->euid, EVENT_ID_UNSET);
	json_number_or_null(j, "session", n->session, EVENT_ID_UNSET);
	json_bool(j, "user_changed", n->user_changed);
	json_bool(j, "root", n->root);
}

static void add_file(struct json *j, const struct picture *p, const struct picture_node *n)
{
	json_text(j, "path", n->full);
	add_texts(j, "names", n->names, n->name_count);
	add_device(j, "dev", n->dev);
	json_wide(j, "inode", n->inode);
	json_number(j, "generation", n->generation);
	json_begin(j, "states", '[');
	for (size_t i = 0; i < n->state_count; i++) {
		char glyph[2] = {n->states[i].glyph, '\0'};

		json_begin(j, NULL, '{');
		json_words(j, "glyph", glyph);
		json_time(j, "time", n->states[i].time_ns, p->zone);
		json_text(j, "words", n->states[i].words);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_begin(j, "disk_states", '[');
	for (size_t i = 0; i < n->disk_state_count; i++) {
		char glyph[2] = {n->disk_states[i].glyph, '\0'};

		json_begin(j, NULL, '{');
		json_words(j, "glyph", glyph);
		json_time(j, "time", n->disk_states[i].time_ns, p->zone);
		json_wide(j, "size", n->disk_states[i].size_bytes);
		json_text(j, "verdict", n->disk_states[i].verdict);
		json_bool(j, "loss", n->disk_states[i].loss);
		json_time(j, "syscall", n->disk_states[i].syscall_ns, p->zone);
		json_time(j, "inode", n->disk_states[i].inode_ns, p->zone);
		json_time(j, "arrival", n->disk_states[i].arrival_ns, p->zone);
		json_wide(j, "seq", n->disk_states[i].seq);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_text(j, "disk_verdict", n->disk_verdict);
	json_number_or_null(j, "disk", n->disk, GRAPH_NONE);
	json_time(j, "born", n->born_ns, p->zone);
}

static void add_flags(struct json *j, const struct picture_node *n)
{
	json_bool(j, "alert", n->alert);
	json_bool(j, "on_path", n->on_path);
	json_bool(j, "root_cause", n->root_cause);
	json_bool(j, "choke_point", n->choke_point);
	json_bool(j, "login", n->login);
	json_bool(j, "persistence", n->persistence);
	json_bool(j, "after_module_load", n->after_module_load);
	json_bool(j, "gap_overlap", n->gap_overlap);
	json_bool(j, "inferred_only", n->inferred_only);
	json_bool(j, "recovered", n->recovered);
}

static void add_node(struct json *j, const struct picture *p, const struct picture_node *n)
{
	json_line(j);
	json_begin(j, NULL, '{');
	id_of(j, "id", 'n', n->id);
	json_words(j, "kind", words_of_kind(n->kind));
	json_text(j, "name", n->name);
	json_text(j, "detail", n->detail);
	if (n->kind == PICTURE_PROCESS) {
		add_process(j, n);
	} else if (n->kind == PICTURE_FILE) {
		add_file(j, p, n);
	} else if (n->kind == PICTURE_ADDRESS) {
		add_address(j, "address", &n->address);
		json_number_or_null(j, "port", n->address.port, 0);
		json_text(j, "protocol", n->protocol);
	} else if (n->kind == PICTURE_FOLD) {
		id_of(j, "fold", 'f', n->fold + 1);
	} else {
		json_text(j, "path", n->full);
	}
	json_time(j, "first", n->first_ns, p->zone);
	json_time(j, "last", n->last_ns, p->zone);
	json_bool(j, "ended", n->ended);
	json_words(j, "side", words_of_side(n->side));
	add_flags(j, n);
	json_score(j, "score", n->score);
	json_number(j, "rank", n->rank);
	json_text(j, "reason", n->reason);
	json_text(j, "explanation", n->explanation);
	add_numbers(j, "graph_nodes", n->graph_nodes, n->graph_node_count);
	json_end(j, '}');
}

static void add_evidence(struct json *j, const struct picture *p, const struct picture_edge *e)
{
	json_begin(j, "serials", '[');
	for (size_t i = 0; i < e->serial_count; i++)
		json_wide(j, NULL, e->serials[i]);
	json_end(j, ']');
	json_begin(j, "evidence", '[');
	for (size_t i = 0; i < e->evidence_count; i++) {
		const struct edge_evidence *evidence = &e->evidence[i];

		json_begin(j, NULL, '{');
		json_wide(j, "serial", evidence->serial);
		json_time(j, "time", evidence->time_ns, p->zone);
		json_number(j, "log", evidence->ref.log);
		json_wide(j, "offset", evidence->ref.offset);
		json_number(j, "length", evidence->ref.length);
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void add_edge(struct json *j, const struct picture *p, const struct picture_edge *e)
{
	json_line(j);
	json_begin(j, NULL, '{');
	id_of(j, "id", 'e', e->id);
	node_id(j, "from", p, e->from);
	node_id(j, "to", p, e->to);
	json_words(j, "op", words_edge_op(p, e));
	json_begin(j, "ops", '[');
	for (unsigned op = 0; op < FLOW_COUNT; op++)
		if (!e->correlation && (e->ops & UINT32_C(1) << op))
			json_words(j, NULL, flow_op_name((enum flow_op)op));
	json_end(j, ']');
	json_words(j, "class", flow_class_name(e->class));
	json_bool(j, "correlation", e->correlation);
	json_bool(j, "failed", e->failed);
	json_bool(j, "both_ways", e->both_ways);
	json_bool(j, "recovered", e->recovered);
	json_bool(j, "no_write_seen", e->no_write_seen);
	json_bool(j, "ended_by_disk", e->ended_by_disk);
	json_bool(j, "on_path", e->on_path);
	json_text(j, "label", e->label);
	json_number(j, "count", e->count);
	json_time(j, "first", e->first_ns, p->zone);
	json_time(j, "last", e->last_ns, p->zone);
	json_time(j, "write_until", e->write_until_ns ? e->write_until_ns : NANOTIME_NONE, p->zone);
	add_numbers(j, "steps", e->steps, e->step_count);
	add_evidence(j, p, e);
	json_end(j, '}');
}

static void add_fold(struct json *j, const struct picture *p, uint32_t index)
{
	const struct picture_fold *f = &p->folds.items[index];

	json_line(j);
	json_begin(j, NULL, '{');
	id_of(j, "id", 'f', index + 1);
	node_id(j, "node", p, f->node);
	json_text(j, "rule", f->rule);
	json_number(j, "count", f->member_count);
	json_begin(j, "members", '[');
	for (size_t i = 0; i < f->member_count; i++) {
		const struct picture_member *m = &f->members[i];

		json_line(j);
		json_begin(j, NULL, '{');
		json_words(j, "kind", words_of_kind(m->kind));
		json_text(j, "name", m->name);
		if (m->kind == PICTURE_PROCESS)
			json_number(j, "pid", m->pid);
		if (m->kind == PICTURE_FILE) {
			add_device(j, "dev", m->dev);
			json_wide(j, "inode", m->inode);
		}
		json_time(j, "first", m->first_ns, p->zone);
		json_score(j, "score", m->score);
		json_number(j, "graph_node", m->graph_node);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_end(j, '}');
}

static void add_story(struct json *j, const struct picture *p)
{
	json_begin(j, "story", '[');
	for (size_t i = 0; i < p->steps.count; i++) {
		const struct picture_step *s = &p->steps.items[i];

		json_line(j);
		json_begin(j, NULL, '{');
		json_number_or_null(j, "number", s->number, 0);
		json_time(j, "time", s->time_ns, p->zone);
		json_text(j, "words", s->words);
		if (s->edge < p->edges.count)
			id_of(j, "edge", 'e', p->edges.items[s->edge].id);
		else
			json_number_or_null(j, "edge", 0, 0);
		node_id(j, "node", p, s->node);
		json_bool(j, "on_path", s->on_path);
		json_bool(j, "alert", s->alert);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_line(j);
	json_begin(j, "notes", '[');
	for (size_t i = 0; i < p->notes.count; i++) {
		const struct picture_note *note = &p->notes.items[i];

		json_line(j);
		json_begin(j, NULL, '{');
		json_words(j, "kind", words_of_note(note->kind));
		json_time(j, "time", note->time_ns, p->zone);
		json_text(j, "words", note->words);
		node_id(j, "node", p, note->node);
		json_bool(j, "claimed", note->claimed);
		json_bool(j, "loss", note->loss);
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void add_recoveries(struct json *j, const struct picture *p)
{
	json_begin(j, "recover", '[');
	for (size_t i = 0; i < p->recoveries.count; i++) {
		const struct picture_recovery *r = &p->recoveries.items[i];

		json_line(j);
		json_begin(j, NULL, '{');
		node_id(j, "node", p, r->node);
		json_time(j, "time", r->time_ns, p->zone);
		json_bool(j, "lost", r->lost);
		json_text(j, "words", r->words);
		json_text(j, "command", r->command);
		json_text(j, "command_after", r->command_after);
		json_text(j, "verdict", r->verdict);
		json_text(j, "before_sha256", r->before_sha256);
		json_text(j, "after_sha256", r->after_sha256);
		json_text(j, "executed_sha256", r->executed_sha256);
		json_text(j, "preview", r->preview);
		json_bool(j, "preview_is_hex", r->preview_is_hex);
		json_bool(j, "preview_is_cut", r->preview_is_cut);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_line(j);
}

int write_json(const struct picture *p, struct buffer *out, struct error *err)
{
	struct json j = {.out = out};

	json_begin(&j, NULL, '{');
	add_head(&j, p);
	add_completeness(&j, p);
	json_line(&j);
	json_begin(&j, "nodes", '[');
	for (size_t i = 0; i < p->nodes.count; i++)
		add_node(&j, p, &p->nodes.items[i]);
	json_end(&j, ']');
	json_line(&j);
	json_begin(&j, "edges", '[');
	for (size_t i = 0; i < p->edges.count; i++)
		add_edge(&j, p, &p->edges.items[i]);
	json_end(&j, ']');
	json_line(&j);
	json_begin(&j, "folded", '[');
	for (uint32_t i = 0; i < p->folds.count; i++)
		add_fold(&j, p, i);
	json_end(&j, ']');
	json_line(&j);
	add_story(&j, p);
	json_line(&j);
	add_recoveries(&j, p);
	json_disks(&j, p);
	json_log_findings(&j, p);
	json_begin(&j, "choke_points", '[');
	for (uint32_t i = 0; i < p->nodes.count; i++)
		if (p->nodes.items[i].choke_point)
			node_id(&j, NULL, p, i);
	json_end(&j, ']');
	json_end(&j, '}');
	buffer_add_byte(out, '\n');
	return buffer_check(out, err);
}
