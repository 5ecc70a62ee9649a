// SPDX-License-Identifier: MIT
// Pictures built by hand, for the tests of layout and writers: an incident of 16 nodes, one of any size, and the calls they are made of.
#ifndef TESTS_UNIT_PICTURES_H
#define TESTS_UNIT_PICTURES_H

#include "graph/picture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICTURES_ZERO (UINT64_C(1795136400) * NANOTIME_SECOND) /* 2026-11-20T10:00:00+09:00 */
#define MADE_UNUSED __attribute__((unused))

static void *pictures_memory[65536];
static size_t pictures_memory_count;

static void *made(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory || pictures_memory_count == sizeof(pictures_memory) / sizeof(*pictures_memory))
		abort();
	pictures_memory[pictures_memory_count++] = memory;
	return memory;
}

static struct text made_bytes(const void *bytes, size_t length)
{
	char *copy = made(length + 1);

	memcpy(copy, bytes, length);
	return (struct text){copy, length};
}

static struct text made_text(const char *string)
{
	return made_bytes(string, strlen(string));
}

// "10:05:09.123" on the incident's day.
static uint64_t at(unsigned hour, unsigned minute, unsigned second, unsigned millisecond)
{
	return PICTURES_ZERO + ((uint64_t)(hour - 10) * 3600 + minute * 60 + second) * NANOTIME_SECOND + millisecond * NANOTIME_MILLISECOND;
}

static struct picture *made_picture(void)
{
	struct picture *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->alert_ns = at(10, 6, 0, 0);
	p->contact_ns = at(10, 5, 15, 204);
	p->from_ns = at(10, 0, 0, 0) - 4 * 60 * NANOTIME_SECOND;
	p->to_ns = at(10, 16, 0, 0);
	p->zone = (struct timezone_choice){.name = "+09:00"};
	p->version = made_text("0.1.0");
	p->command = made_text("provgraph --alert-ip 10.0.0.5 --window 20m");
	p->host = made_text("ws-17");
	p->alert_address = (struct event_address){.kind = ADDRESS_IPV4, .port = 443, .ip = {10, 0, 0, 5}};
	p->alert_port = 443;
	return p;
}

// Frees the picture, not its texts: several pictures share that memory.
static void made_drop(struct picture *p)
{
	for (size_t i = 0; i < p->edges.count; i++)
		free(p->edges.items[i].points);
	picture_node_vector_release(&p->nodes);
	picture_edge_vector_release(&p->edges);
	picture_fold_vector_release(&p->folds);
	picture_step_vector_release(&p->steps);
	picture_note_vector_release(&p->notes);
	picture_missing_vector_release(&p->missing);
	picture_input_vector_release(&p->inputs);
	picture_recovery_vector_release(&p->recoveries);
	picture_record_vector_release(&p->records);
	for (size_t i = 0; i < p->disks.count; i++)
		free(p->disks.items[i].clock);
	picture_disk_vector_release(&p->disks);
	picture_log_finding_vector_release(&p->log_findings);
	free(p);
}

// Frees the last picture and all texts.
static void made_free(struct picture *p)
{
	made_drop(p);
	while (pictures_memory_count > 0)
		free(pictures_memory[--pictures_memory_count]);
}

static struct picture_node *made_node(struct picture *p, enum picture_kind kind, struct text name, struct text detail, uint64_t first_ns)
{
	struct picture_node node = {
		.disk = GRAPH_NONE,
		.born_ns = NANOTIME_NONE,
		.id = (uint32_t)p->nodes.count + 1, .kind = kind, .name = name, .detail = detail, .full = detail, .first_ns = first_ns,
		.last_ns = first_ns, .score = 0.5, .rank = (uint32_t)p->nodes.count + 1, .fold = GRAPH_NONE,
		.auid = EVENT_ID_UNSET, .session = EVENT_ID_UNSET, .side = TRACE_CAUSE,
	};

	if (picture_node_vector_append(&p->nodes, node) < 0)
		abort();
	return &p->nodes.items[p->nodes.count - 1];
}

MADE_UNUSED static uint32_t made_process(struct picture *p, const char *name, uint32_t pid, uint32_t ppid, const char *command,
					 const char *user, uint64_t first_ns, uint64_t exit_ns)
{
	struct picture_node *n = made_node(p, PICTURE_PROCESS, made_text(name), made_text(command), first_ns);

	n->pid = pid;
	n->ppid = ppid;
	n->user = made_text(user);
	n->root = strcmp(user, "root") == 0;
	n->user_changed = n->root;
	n->auid = 1000;
	n->uid = n->root ? 0 : 1000;
	n->euid = n->uid;
	n->session = 2;
	n->ended = exit_ns != 0;
	n->last_ns = exit_ns ? exit_ns : first_ns;
	n->exe = made_text(name);
	n->comm = made_text(name);
	n->cwd = made_text("/home/alice");
	n->argv = made(2 * sizeof(*n->argv));
	n->argv[0] = made_text(name);
	n->argv[1] = made_text(command);
	n->argv_count = 2;
	n->reason = made_text("on the contact's own line");
	return (uint32_t)(n - p->nodes.items);
}

MADE_UNUSED static uint32_t made_file(struct picture *p, const char *folder, const char *base, uint64_t inode, uint64_t first_ns)
{
	struct picture_node *n = made_node(p, PICTURE_FILE, made_text(base), made_text(folder), first_ns);
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s%s", folder, base);
	n->full = made_text(path);
	n->names = made(sizeof(*n->names));
	n->names[0] = n->full;
	n->name_count = 1;
	n->dev = 0xfeu << 20;
	n->inode = inode;
	n->generation = 1;
	n->reason = made_text("opened for writing by python3 [2311]");
	return (uint32_t)(n - p->nodes.items);
}

MADE_UNUSED static void made_state(struct picture *p, uint32_t node, char glyph, uint64_t time_ns, const char *words)
{
	struct picture_node *n = &p->nodes.items[node];
	struct picture_state *states = made((n->state_count + 1) * sizeof(*states));

	if (n->state_count)
		memcpy(states, n->states, n->state_count * sizeof(*states));
	states[n->state_count++] = (struct picture_state){glyph, time_ns, made_text(words)};
	n->states = states;
	n->last_ns = time_ns;
	n->ended = glyph == 'x';
}

MADE_UNUSED static uint32_t made_address(struct picture *p, const char *ip, uint16_t port, uint64_t first_ns)
{
	char words[32];
	struct event_address address = {.kind = ADDRESS_IPV4, .family = AF_INET, .port = port};

	(void)snprintf(words, sizeof(words), "%u/tcp", port);
	if (inet_pton(AF_INET, ip, address.ip) != 1)
		abort();
	struct picture_node *n = made_node(p, PICTURE_ADDRESS, made_text(ip), made_text(words), first_ns);
	n->address = address;
	n->protocol = made_text("tcp");
	return (uint32_t)(n - p->nodes.items);
}

MADE_UNUSED static uint32_t made_fold(struct picture *p, const char *name, const char *prefix, const char *rule, size_t members, uint64_t first_ns)
{
	struct picture_node *n = made_node(p, PICTURE_FOLD, made_text(name), made_text(prefix), first_ns);
	uint32_t node = (uint32_t)(n - p->nodes.items);
	struct picture_fold fold = {.node = node, .rule = made_text(rule), .member_count = members};

	n->fold = (uint32_t)p->folds.count;
	fold.members = made((members + 1) * sizeof(*fold.members));
	for (size_t i = 0; i < members; i++) {
		char path[4096];

		(void)snprintf(path, sizeof(path), "%s/member%zu", prefix, i);
		fold.members[i] = (struct picture_member){.name = made_text(path), .kind = PICTURE_FILE, .dev = 0xfeu << 20, .inode = 9000 + i,
							  .score = 0.01, .first_ns = first_ns, .graph_node = (uint32_t)(500 + i)};
	}
	if (picture_fold_vector_append(&p->folds, fold) < 0)
		abort();
	return node;
}

MADE_UNUSED static uint32_t made_edge(struct picture *p, uint32_t from, uint32_t to, enum flow_op op, uint64_t first_ns, uint64_t count, const char *label)
{
	struct picture_edge e = {
		.id = (uint32_t)p->edges.count + 1, .from = from, .to = to, .op = op, .ops = UINT32_C(1) << op, .class = CLASS_OBSERVED,
		.count = count, .first_ns = first_ns, .last_ns = first_ns + (count - 1) * NANOTIME_SECOND, .label = made_text(label),
	};

	e.serial_count = count < 20 ? count : 20;
	e.serials = made(e.serial_count * sizeof(*e.serials));
	for (size_t i = 0; i < e.serial_count; i++)
		e.serials[i] = 1000 + 100 * p->edges.count + i;
	if (picture_edge_vector_append(&p->edges, e) < 0)
		abort();
	return (uint32_t)p->edges.count - 1;
}

MADE_UNUSED static void made_step(struct picture *p, uint32_t edge, uint64_t time_ns, bool on_path, const char *words)
{
	uint32_t number = 1;

	for (size_t i = 0; i < p->steps.count; i++)
		number += !p->steps.items[i].alert;
	struct picture_step step = {.number = number, .time_ns = time_ns, .words = made_text(words), .edge = edge, .node = GRAPH_NONE, .on_path = on_path};

	if (edge != GRAPH_NONE) {
		struct picture_edge *e = &p->edges.items[edge];
		uint32_t *steps = made((e->step_count + 1) * sizeof(*steps));

		if (e->step_count)
			memcpy(steps, e->steps, e->step_count * sizeof(*steps));
		steps[e->step_count++] = number;
		e->steps = steps;
		e->step = e->steps[0];
	}
	if (picture_step_vector_append(&p->steps, step) < 0)
		abort();
}

MADE_UNUSED static void made_alert_step(struct picture *p, const char *words)
{
	struct picture_step step = {.number = 0, .time_ns = p->alert_ns, .words = made_text(words), .edge = GRAPH_NONE, .node = GRAPH_NONE, .alert = true};

	if (picture_step_vector_append(&p->steps, step) < 0)
		abort();
}

MADE_UNUSED static void made_note(struct picture *p, enum note_kind kind, uint64_t time_ns, uint32_t node, bool claimed, const char *words)
{
	struct picture_note note = {.kind = kind, .time_ns = time_ns, .words = made_text(words), .node = node, .claimed = claimed};

	if (picture_note_vector_append(&p->notes, note) < 0)
		abort();
}

MADE_UNUSED static void made_missing(struct picture *p, bool loss, uint64_t from_ns, uint64_t to_ns, const char *words, const char *rule)
{
	struct picture_missing missing = {.loss = loss, .from_ns = from_ns, .to_ns = to_ns, .words = made_text(words), .rule = made_text(rule)};

	if (picture_missing_vector_append(&p->missing, missing) < 0)
		abort();
}

MADE_UNUSED static void made_input(struct picture *p, const char *name, const char *sha256, uint64_t bytes)
{
	struct picture_input input = {.name = made_text(name), .sha256 = made_text(sha256), .from = 0, .to = bytes};

	if (picture_input_vector_append(&p->inputs, input) < 0)
		abort();
}

MADE_UNUSED static void made_disk_state(struct picture *p, uint32_t file, char glyph, uint64_t ns, uint64_t size_bytes, const char *verdict)
{
	struct picture_node *n = &p->nodes.items[file];
	struct picture_disk_state *states = made((n->disk_state_count + 1) * sizeof(*states));

	if (n->disk_state_count)
		memcpy(states, n->disk_states, n->disk_state_count * sizeof(*states));
	states[n->disk_state_count++] = (struct picture_disk_state){.glyph = glyph, .time_ns = ns, .size_bytes = size_bytes, .verdict = made_text(verdict)};
	n->disk_states = states;
}

// The three times and the seq of a file's last disk state.
MADE_UNUSED static void made_disk_times(struct picture *p, uint32_t file, uint64_t syscall_ns, uint64_t inode_ns, uint64_t arrival_ns, uint64_t seq)
{
	struct picture_node *n = &p->nodes.items[file];
	struct picture_disk_state *state = &n->disk_states[n->disk_state_count - 1];

	state->syscall_ns = syscall_ns;
	state->inode_ns = inode_ns;
	state->arrival_ns = arrival_ns;
	state->seq = seq;
}

MADE_UNUSED static void made_disk(struct picture *p, const char *dev, const char *name, const char *words)
{
	struct picture_disk disk = {
		.dev = made_text(dev), .name = made_text(name), .words = made_text(words), .recorded_from_ns = at(10, 0, 0, 0),
		.recorded_to_ns = at(10, 30, 0, 0), .births_compared = 12, .births_matched = 12, .asked = 6, .clock_count = 2,
		.clock = calloc(2, sizeof(*disk.clock)),
	};

	if (!disk.clock)
		abort();
	disk.clock[0] = (struct picture_clock){.to_ns = at(10, 20, 0, 0), .base_ns = at(10, 0, 0, 0), .offset_ns = 4020874 * (int64_t)1000000,
					       .error_ns = 2100000, .source = made_text("jbd2")};
	disk.clock[1] = (struct picture_clock){.from_ns = at(10, 20, 0, 0), .to_ns = NANOTIME_NONE, .base_ns = at(10, 20, 0, 0),
					       .offset_ns = 420874 * (int64_t)1000000, .drift = 1e-6, .error_ns = 3000000, .source = made_text("jbd2")};
	if (picture_disk_vector_append(&p->disks, disk) < 0)
		abort();
}

MADE_UNUSED static void made_log_finding(struct picture *p, uint64_t ns, uint64_t gone_ns, uint32_t edge, const char *was, const char *is)
{
	struct picture_log_finding f = {
		.time_ns = ns, .serial = 100 + p->log_findings.count, .arrival_ns = gone_ns - 30 * NANOTIME_SECOND, .gone_ns = gone_ns,
		.changed = is[0] != '\0', .log = made_text("/var/log/audit/audit.log"), .was = made_text(was), .is = made_text(is),
		.node = edge == GRAPH_NONE ? GRAPH_NONE : p->edges.items[edge].to, .edge = edge,
	};

	if (picture_log_finding_vector_append(&p->log_findings, f) < 0)
		abort();
}

MADE_UNUSED static void made_record(struct picture *p, uint32_t edge, uint64_t serial, uint64_t ns, const char *lines)
{
	struct picture_record record = {.serial = serial, .time_ns = ns, .lines = made_text(lines)};
	struct picture_edge *e = &p->edges.items[edge];

	e->records = made(sizeof(*e->records));
	e->records[0] = (uint32_t)p->records.count;
	e->record_count = 1;
	if (picture_record_vector_append(&p->records, record) < 0)
		abort();
}

MADE_UNUSED static void made_recovery(struct picture *p, uint32_t node, uint64_t ns, const char *words, const char *command)
{
	struct picture_recovery r = {.node = node, .time_ns = ns, .edge = GRAPH_NONE, .lost = true, .words = made_text(words), .command = made_text(command)};

	if (picture_recovery_vector_append(&p->recoveries, r) < 0)
		abort();
}

MADE_UNUSED static void made_on_path(struct picture *p, uint32_t edge)
{
	struct picture_edge *e = &p->edges.items[edge];

	e->on_path = true;
	p->nodes.items[e->from].on_path = true;
	p->nodes.items[e->to].on_path = true;
}

// A mail attachment, an interpreter, a second stage, a contact, a cleaned log.
MADE_UNUSED static struct picture *made_incident(void)
{
	struct picture *p = made_picture();
	uint32_t shell = made_process(p, "gnome-shell", 1804, 1501, "/usr/bin/gnome-shell", "alice", at(10, 0, 2, 0), 0);
	uint32_t mail = made_process(p, "thunderbird", 2103, 1804, "/usr/lib/thunderbird/thunderbird", "alice", at(10, 1, 12, 0), 0);
	uint32_t invoice = made_file(p, "/home/alice/Downloads/", "invoice.py", 131072, at(10, 4, 37, 80));
	uint32_t python = made_process(p, "python3", 2311, 2103, "python3 /home/alice/Downloads/invoice.py", "alice", at(10, 5, 2, 12), at(10, 9, 31, 0));
	uint32_t library = made_fold(p, "212 files", "/usr/lib/python3.11/**", "opened for reading by python3 [2311] below /usr/lib/python3.11", 212, at(10, 5, 2, 300));
	uint32_t stage = made_file(p, "/tmp/.x/", "stage2", 131080, at(10, 5, 9, 4));
	uint32_t host = made_address(p, "10.0.0.5", 443, at(10, 5, 15, 204));
	uint32_t sh = made_process(p, "sh", 2320, 2311, "sh -c 'tar czf /tmp/.x/out.tgz ~/Documents'", "alice", at(10, 7, 30, 400), at(10, 7, 52, 0));
	uint32_t tar = made_process(p, "tar", 2322, 2320, "tar czf /tmp/.x/out.tgz /home/alice/Documents", "alice", at(10, 7, 30, 600), at(10, 7, 51, 900));
	uint32_t documents = made_fold(p, "23 files", "/home/alice/Documents", "opened for reading by tar [2322] in /home/alice/Documents", 23, at(10, 7, 31, 0));
	uint32_t out = made_file(p, "/tmp/.x/", "out.tgz", 131090, at(10, 7, 30, 700));
	uint32_t sudo = made_process(p, "sudo", 2339, 2311, "sudo /tmp/.x/stage2 --clean", "root", at(10, 8, 40, 0), at(10, 8, 55, 0));
	uint32_t clean = made_process(p, "stage2", 2341, 2339, "/tmp/.x/stage2 --clean", "root", at(10, 8, 40, 600), at(10, 8, 52, 0));
	uint32_t log = made_file(p, "/var/log/", "auth.log", 262144, at(10, 6, 2, 0));
	uint32_t cron = made_file(p, "/etc/cron.d/", "sysstat-update", 262150, at(10, 8, 44, 0));

	p->title = made_text("python3 (started from thunderbird) contacted 10.0.0.5:443");
	p->alert_signature = made_text("ET TROJAN beacon");
	p->events = 18204;
	p->graph_nodes = 2113;
	p->graph_edges = 9320;
	p->sliced_nodes = 310;
	p->nodes.items[mail].root_cause = true;
	p->nodes.items[host].alert = true;
	p->nodes.items[host].side = TRACE_SEED;
	p->nodes.items[python].choke_point = true;
	p->nodes.items[cron].persistence = true;
	made_state(p, invoice, '+', at(10, 4, 37, 80), "created");
	made_state(p, invoice, '~', at(10, 4, 37, 900), "opened for writing");
	made_state(p, invoice, 'x', at(10, 9, 12, 4), "deleted");
	made_state(p, stage, '+', at(10, 5, 9, 4), "created");
	made_state(p, stage, '~', at(10, 5, 9, 4), "opened for writing x7");
	made_state(p, out, '+', at(10, 7, 30, 700), "created");
	made_state(p, out, 'x', at(10, 9, 5, 0), "deleted");
	made_state(p, log, 'v', at(10, 8, 41, 203), "truncated");
	made_state(p, log, 'x', at(10, 8, 41, 900), "deleted");
	made_state(p, cron, '+', at(10, 8, 44, 0), "created");

	made_edge(p, shell, mail, FLOW_FORK, at(10, 1, 12, 0), 1, "started");
	uint32_t wrote = made_edge(p, mail, invoice, FLOW_CREATE, at(10, 4, 37, 80), 3, "created, opened for writing x3");
	uint32_t started = made_edge(p, mail, python, FLOW_FORK, at(10, 5, 2, 0), 1, "started");
	uint32_t executed = made_edge(p, invoice, python, FLOW_EXECUTE, at(10, 5, 2, 12), 1, "executed");
	made_edge(p, library, python, FLOW_OPEN_READ, at(10, 5, 2, 300), 212, "opened for reading x212");
	uint32_t dropped = made_edge(p, python, stage, FLOW_CREATE, at(10, 5, 9, 4), 7, "created, opened for writing x7");
	uint32_t contact = made_edge(p, python, host, FLOW_CONNECT, at(10, 5, 15, 204), 4, "connected x4");
	made_edge(p, python, sh, FLOW_FORK, at(10, 7, 30, 400), 1, "started");
	made_edge(p, sh, tar, FLOW_FORK, at(10, 7, 30, 600), 1, "started");
	uint32_t read = made_edge(p, documents, tar, FLOW_OPEN_READ, at(10, 7, 31, 0), 23, "opened for reading x23");
	uint32_t packed = made_edge(p, tar, out, FLOW_CREATE, at(10, 7, 30, 700), 1, "created");
	uint32_t fetched = made_edge(p, out, python, FLOW_OPEN_READ, at(10, 7, 58, 0), 2, "opened for reading x2");
	made_edge(p, python, sudo, FLOW_FORK, at(10, 8, 40, 0), 1, "started");
	uint32_t rooted = made_edge(p, sudo, clean, FLOW_FORK, at(10, 8, 40, 600), 1, "started");
	made_edge(p, stage, clean, FLOW_EXECUTE, at(10, 8, 40, 600), 1, "executed");
	uint32_t cleaned = made_edge(p, clean, log, FLOW_DELETE, at(10, 8, 41, 203), 2, "truncated, deleted");
	uint32_t persisted = made_edge(p, clean, cron, FLOW_CREATE, at(10, 8, 44, 0), 1, "created");
	made_edge(p, python, out, FLOW_DELETE, at(10, 9, 5, 0), 1, "deleted");
	uint32_t own = made_edge(p, python, invoice, FLOW_DELETE, at(10, 9, 12, 4), 1, "deleted");

	made_on_path(p, wrote);
	made_on_path(p, started);
	made_on_path(p, executed);
	made_on_path(p, contact);
	p->edges.items[fetched].class = CLASS_INFERRED;
	made_step(p, wrote, at(10, 4, 37, 80), true, "thunderbird [2103] created /home/alice/Downloads/invoice.py and opened it for writing x3");
	made_step(p, started, at(10, 5, 2, 0), true, "thunderbird [2103] started python3 [2311]");
	made_step(p, executed, at(10, 5, 2, 12), true, "python3 [2311] executed /home/alice/Downloads/invoice.py");
	made_step(p, dropped, at(10, 5, 9, 4), false, "python3 [2311] created /tmp/.x/stage2");
	made_step(p, contact, at(10, 5, 15, 204), true, "python3 [2311] connected to 10.0.0.5:443");
	made_alert_step(p, "Alert on 10.0.0.5:443: ET TROJAN beacon");
	made_step(p, read, at(10, 7, 31, 0), false, "tar [2322] opened 23 files in /home/alice/Documents for reading");
	made_step(p, packed, at(10, 7, 51, 0), false, "tar [2322] created /tmp/.x/out.tgz");
	made_step(p, fetched, at(10, 7, 58, 0), false, "python3 [2311] opened /tmp/.x/out.tgz for reading x2");
	made_step(p, rooted, at(10, 8, 40, 600), false, "sudo [2339] started stage2 [2341] as root");
	made_step(p, cleaned, at(10, 8, 41, 203), false, "stage2 [2341] truncated /var/log/auth.log");
	made_step(p, cleaned, at(10, 8, 41, 900), false, "stage2 [2341] deleted /var/log/auth.log");
	made_step(p, persisted, at(10, 8, 44, 0), false, "stage2 [2341] created /etc/cron.d/sysstat-update");
	made_step(p, own, at(10, 9, 12, 4), false, "python3 [2311] deleted /home/alice/Downloads/invoice.py");
	made_note(p, NOTE_LOGIN, at(9 + 1, 0, 1, 0), GRAPH_NONE, true, "alice on tty2 from this machine (gdm-session-worker says so), session 2");
	made_note(p, NOTE_RAN, at(10, 5, 2, 12), python, false, "python3 [2311] ran /home/alice/Downloads/invoice.py, which thunderbird [2103] had created");
	made_note(p, NOTE_DROPPED, at(10, 5, 9, 4), stage, false, "/tmp/.x/stage2 by python3 [2311], executed by sudo [2339]");
	made_note(p, NOTE_PERSISTS, at(10, 8, 44, 0), cron, false, "/etc/cron.d/sysstat-update by stage2 [2341] (cron table)");
	made_note(p, NOTE_PRIVILEGE, at(10, 8, 40, 600), sudo, false, "sudo [2339]: uid 1000 became root");
	made_note(p, NOTE_CLEANED, at(10, 8, 41, 900), log, false, "/var/log/auth.log truncated and deleted by stage2 [2341]");
	made_missing(p, true, at(10, 7, 55, 0), at(10, 7, 57, 500), "41 serials never came (serials 8120 to 8160)", "");
	made_missing(p, false, NANOTIME_NONE, NANOTIME_NONE, "accept was never audited in this log: who connected to this host is not known", "-a always,exit -F arch=b64 -S accept,accept4 -k provgraph-net");
	made_missing(p, false, NANOTIME_NONE, NANOTIME_NONE, "kernel loss: unknown (no lost= count in this log)", "");
	made_input(p, "audit.log", "3f9a6cf2c0e8f3f0a5a1f6b1e2c3d4e5f60718293a4b5c6d7e8f90a1b2c3c210", 41234567);
	return p;
}

// The same with a second witness: a recorded disk that knows some of its files, and gave removed records back.
MADE_UNUSED static struct picture *made_witnessed(void)
{
	enum { INVOICE = 2, PYTHON, STAGE = 5, OUT = 10, CLEAN = 12, LOG, CRON };
	static const char hash[] = "3f9a6cf2c0e8f3f0a5a1f6b1e2c3d4e5f60718293a4b5c6d7e8f90a1b2c3c210";
	static const char diff[] = "@ 3 lines gone, none new (88.1 KiB before, 87.8 KiB after)\n@ line 1204 before, 1204 after\n"
				   "  Nov 20 10:08:39 ws-17 systemd[1]: Started Session 3 of user alice.\n"
				   "  Nov 20 10:08:40 ws-17 sshd[811]: Connection closed by 192.0.2.7 port 50022\n"
				   "- Nov 20 10:08:40 ws-17 sudo:    alice : TTY=pts/0 ; PWD=/tmp/.x ; USER=root ; COMMAND=/tmp/.x/stage2 --clean\n"
				   "- Nov 20 10:08:40 ws-17 sudo: pam_unix(sudo:session): session opened for user root(uid=0) by (uid=1000)\n"
				   "- Nov 20 10:08:40 ws-17 sudo: pam_unix(sudo:session): session closed for user root\n"
				   "  Nov 20 10:09:01 ws-17 CRON[2350]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)\n"
				   "  Nov 20 10:10:01 ws-17 CRON[2361]: (root) CMD (test -e /run/x && touch /run/x)";
	static const char hex[] = "@ appeared: 217,088 B\n+ 00000000  7f 45 4c 46 02 01 01 00  00 00 00 00 00 00 00 00  |.ELF............|\n"
				  "+ 00000010  03 00 3e 00 01 00 00 00  50 10 00 00 00 00 00 00  |..>.....P.......|\n@ 13,566 more rows of 16 bytes";
	struct picture *p = made_incident();
	uint64_t host = 4020874 * NANOTIME_MILLISECOND;

	p->command = made_text("provgraph --alert-ip 10.0.0.5 --window 20m --log audit.log --disk fe:00=ws17.history");
	made_disk(p, "fe:00", "ws17.history", "fe:00 is ws17.history: 12 of 12 births match; guest clock 4,020.874 s behind \u00b12.1 ms (jbd2); 4 intervals ended");
	p->disks.items[0].clock[1].stepped = true;
	made_disk_state(p, INVOICE, '+', at(10, 5, 9, 600), 6963, "written here");
	made_disk_times(p, INVOICE, at(10, 4, 37, 900), at(10, 4, 37, 903), at(10, 5, 9, 600) + host, 1042);
	made_disk_state(p, INVOICE, 'x', at(10, 9, 14, 0), 6963, "deleted");
	made_disk_times(p, INVOICE, at(10, 9, 12, 4), NANOTIME_NONE, at(10, 9, 14, 0) + host, 2200);
	made_disk_state(p, STAGE, '+', at(10, 5, 10, 0), 0, "content pending (217,088 bytes)");
	made_disk_times(p, STAGE, at(10, 5, 9, 4), at(10, 5, 9, 4), at(10, 5, 10, 0) + host, 1050);
	made_disk_state(p, STAGE, '~', at(10, 5, 41, 0), 217088, "written here");
	made_disk_times(p, STAGE, at(10, 5, 9, 4), at(10, 5, 9, 8), at(10, 5, 41, 0) + host, 1077);
	made_disk_state(p, LOG, '~', NANOTIME_NONE, 88 * 1024, "as before");
	for (unsigned i = 0; i < 6; i++)
		made_disk_state(p, LOG, '~', at(10, 6, 2 + 20 * (i % 3), 0) + i / 3 * 60 * NANOTIME_SECOND, 88 * 1024 + 100 * i, "written here");
	made_disk_state(p, LOG, 'v', at(10, 8, 42, 0), 90000, "no record accounts for it");
	made_disk_times(p, LOG, NANOTIME_NONE, at(10, 8, 41, 203), at(10, 8, 42, 0) + host, 2100);
	p->nodes.items[OUT].disk_verdict = made_text("never reached the disk");
	p->nodes.items[CRON].disk_verdict = made_text("not asked");
	p->nodes.items[LOG].born_ns = at(10, 0, 0, 0) - 400 * 3600 * NANOTIME_SECOND;
	for (uint32_t i = 0; i < p->edges.count; i++) {
		struct picture_edge *e = &p->edges.items[i];

		e->recovered = e->to == CRON || (e->from == CLEAN && e->to == LOG);
		e->no_write_seen = e->to == OUT && e->op == FLOW_CREATE;
	}
	p->nodes.items[CRON].recovered = true;
	for (uint32_t i = 0; i < 3; i++)
		made_log_finding(p, at(10, 8, 41, 203 + i), at(10, 8, 52, 0) + host, 15,
				 "type=SYSCALL msg=audit(1795136921.203:8201): arch=c000003e syscall=87 success=yes exit=0 pid=2341 auid=1000 uid=0 comm=\"stage2\"\n"
				 "type=PATH msg=audit(1795136921.203:8201): item=0 name=\"/var/log/auth.log\" inode=262144", "");
	made_log_finding(p, at(10, 8, 44, 0), at(10, 8, 53, 0) + host, GRAPH_NONE, "type=USER_CMD msg=audit(1795136924.0:8207): uid=0 auid=1000",
			 "type=USER_CMD msg=audit(1795136924.0:8207): uid=0 auid=0");
	made_recovery(p, LOG, at(10, 8, 41, 202), "as it was before it was truncated",
		      "provgraph --restore-at 2026-11-20T11:15:42.076999999+09:00 --disk ws17.history --inode 262144");
	made_recovery(p, STAGE, at(10, 8, 40, 600), "as it was executed",
		      "provgraph --restore-at 2026-11-20T11:15:41.474000000+09:00 --disk ws17.history --inode 131080");
	made_recovery(p, OUT, at(10, 9, 4, 999), "before it was deleted", "provgraph --restore-at 2026-11-20T10:09:04.999999999+09:00 --disk HISTORY --inode 131090");
	struct picture_recovery *log = &p->recoveries.items[0], *stage = &p->recoveries.items[1];
	log->command_after = made_text("provgraph --restore-at @2100 --disk ws17.history --inode 262144");
	log->verdict = made_text("content pending: 33 bytes, complete from 11:15:44 on");
	log->before_sha256 = log->after_sha256 = stage->executed_sha256 = stage->after_sha256 = made_text(hash);
	log->preview = made_text(diff);
	log->preview_is_cut = true;
	stage->verdict = made_text("complete");
	stage->lost = false;
	stage->preview = made_text(hex);
	stage->preview_is_hex = true;
	return p;
}

static uint32_t made_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223; // Numerical Recipes' generator: the same picture everywhere
	return *state >> 8;
}

// `count` nodes: 35 % processes in a tree, the rest files beside them, a host; edges about 1.3 per node.
MADE_UNUSED static struct picture *made_large(unsigned count, uint32_t seed)
{
	struct picture *p = made_picture();
	uint32_t state = seed;
	uint32_t processes[64], process_count = 0;

	p->title = made_text("worker (started from sshd) contacted 10.0.0.5:443");
	for (unsigned i = 0; i < count; i++) {
		uint64_t now = at(10, 0, 0, 0) + (uint64_t)i * 7 * NANOTIME_SECOND;
		char name[64], command[128];

		if (process_count < 64 && (i == 0 || made_random(&state) % 100 < 35)) {
			(void)snprintf(name, sizeof(name), "worker%u", i);
			(void)snprintf(command, sizeof(command), "/usr/local/lib/app/worker%u --queue mail --id %u", i, i * 31);
			uint32_t node = made_process(p, name, 3000 + i, 2999 + i, command, i % 7 ? "www-data" : "root", now, i % 3 ? now + NANOTIME_SECOND : 0);

			if (process_count > 0)
				made_edge(p, processes[made_random(&state) % process_count], node, FLOW_FORK, now, 1, "started");
			processes[process_count++] = node;
		} else if (i == count - 1) {
			uint32_t node = made_address(p, "10.0.0.5", 443, now);

			p->nodes.items[node].alert = true;
			made_edge(p, processes[process_count - 1], node, FLOW_CONNECT, now, 2, "connected x2");
		} else {
			(void)snprintf(name, sizeof(name), "file-%u.dat", i);
			uint32_t node = made_file(p, "/var/lib/app/queue/incoming/", name, 7000 + i, now);
			uint32_t by = processes[made_random(&state) % process_count];

			made_state(p, node, '+', now, "created");
			made_edge(p, by, node, FLOW_CREATE, now, 1 + i % 4, "created");
			if (made_random(&state) % 100 < 45)
				made_edge(p, node, processes[made_random(&state) % process_count], FLOW_OPEN_READ, now + NANOTIME_SECOND, 1 + i % 9, "opened for reading x3");
		}
	}
	return p;
}

#endif
