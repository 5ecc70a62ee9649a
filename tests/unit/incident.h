// SPDX-License-Identifier: MIT
// Graphs by hand for tests of the picture: processes, files, connections and flows, without events. One graph per program run
// at a time; helpers abort on out-of-memory, as tests may.
#ifndef TESTS_UNIT_INCIDENT_H
#define TESTS_UNIT_INCIDENT_H

#include "base/nanotime.h"
#include "graph/model.h"
#include "graph/trace.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T0 (UINT64_C(1795255200) * NANOTIME_SECOND) /* 2026-11-21T10:00:00Z */
#define AT(seconds) (T0 + (uint64_t)(seconds) * NANOTIME_SECOND)

struct incident {
	struct graph g;
	uint64_t serial;
};

static inline uint32_t incident_string(struct incident *i, const char *s)
{
	return intern_add_string(i->g.strings, s);
}

static inline void incident_init(struct incident *i)
{
	memset(i, 0, sizeof(*i));
	i->g.strings = intern_new();
	i->g.trees = 20;
	i->serial = 100;
}

static inline uint32_t incident_node(struct incident *i, enum node_kind kind, size_t entity, uint32_t part, uint64_t start)
{
	struct graph_node n = {.kind = (uint8_t)kind, .entity = (uint32_t)entity, .part = part, .start_ns = start, .end_ns = NANOTIME_NONE};
	if (node_vector_append(&i->g.nodes, n) < 0)
		abort();
	return (uint32_t)(i->g.nodes.count - 1);
}

static inline void incident_edge(struct incident *i, uint32_t from, uint32_t to, enum flow_op op, uint64_t start, uint64_t end)
{
	struct flow_edge e = {.from = from, .to = to, .op = (uint8_t)op, .start_ns = start, .end_ns = end, .serial = i->serial++,
			      .count = 1, .last_ns = start};
	if (edge_vector_append(&i->g.edges, e) < 0)
		abort();
}

// Another image of a process. `command`: words between blanks are the arguments.
static inline uint32_t incident_segment(struct incident *i, uint32_t process, const char *exe, const char *command, uint64_t start, bool stub)
{
	struct process *p = &i->g.processes.items[process];
	struct segment s = {.process = process, .ordinal = (uint32_t)p->segments.count, .start_ns = start, .end_ns = NANOTIME_NONE,
			    .serial = i->serial, .exe = incident_string(i, exe), .program_file = GRAPH_NONE, .ids = p->ids, .forked_stub = stub};
	s.argv = (uint32_t)i->g.arguments.count;
	char *copy = strdup(command), *save = NULL;
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		u32_vector_append(&i->g.arguments, incident_string(i, word));
		s.argv_count++;
	}
	free(copy);
	s.argc = s.argv_count;
	s.node = incident_node(i, NODE_PROCESS, process, s.ordinal, start);
	if (p->segments.count) {
		struct segment *last = &i->g.segments.items[p->segments.items[p->segments.count - 1]];
		last->end_ns = i->g.nodes.items[last->node].end_ns = start;
	}
	uint32_t before = p->segments.count ? i->g.segments.items[p->segments.items[p->segments.count - 1]].node : GRAPH_NONE;
	u32_vector_append(&p->segments, (uint32_t)i->g.segments.count);
	segment_vector_append(&i->g.segments, s);
	if (before != GRAPH_NONE)
		incident_edge(i, before, s.node, FLOW_EXEC, start, start);
	return s.node;
}

// A process with a stub (forked from `parent`, a node; GRAPH_NONE: none) and the program that it executes. Its node.
static inline uint32_t incident_process(struct incident *i, uint32_t pid, uint32_t parent, const char *exe, const char *command,
					uint64_t start, uint32_t uid, uint32_t session)
{
	struct process p = {.pid = pid, .instance = 1, .birth_ns = start, .exit_ns = NANOTIME_NONE, .birth_seen = true, .parent = GRAPH_NONE,
			    .auid = uid, .session = session, .tree = session == UINT32_MAX ? 0 : session};
	p.ids = (struct event_ids){uid, uid, uid, uid, uid, uid, uid, uid};
	const struct segment *above = parent == GRAPH_NONE ? NULL : graph_segment_of(&i->g, parent);
	uint32_t process = (uint32_t)i->g.processes.count;
	p.parent = above ? above->process : GRAPH_NONE;
	p.ppid = above ? i->g.processes.items[above->process].pid : 1;
	process_vector_append(&i->g.processes, p);
	if (above) {
		uint32_t stub = incident_segment(i, process, intern_string(i->g.strings, above->exe), "", start, true);
		incident_edge(i, parent, stub, FLOW_FORK, start, start);
	}
	return incident_segment(i, process, exe, command, start + NANOTIME_MILLISECOND, false);
}

static inline uint32_t incident_file(struct incident *i, const char *name, uint64_t inode, uint32_t trees)
{
	struct file f = {.dev = 0xfe << 20, .generation = 1, .inode = inode, .kind = FILE_REGULAR, .created_ns = NANOTIME_NONE,
			 .deleted_ns = NANOTIME_NONE, .readers_trees = trees, .accessors_trees = trees};
	uint32_t node = incident_node(i, NODE_FILE, i->g.files.count, 0, T0);
	struct file_name n = {.name = incident_string(i, name), .to_ns = NANOTIME_NONE, .absolute = true};
	file_name_vector_append(&f.names, n);
	u32_vector_append(&f.versions, node);
	file_vector_append(&i->g.files, f);
	return node;
}

static inline uint32_t incident_contact(struct incident *i, uint32_t from, const char *ip, uint16_t port, uint64_t time)
{
	const struct segment *s = graph_segment_of(&i->g, from);
	struct connection c = {.process = s->process, .segment = 0, .address = {.kind = ADDRESS_IPV4, .family = AF_INET, .port = port}, .time_ns = time};
	inet_pton(AF_INET, ip, c.address.ip);
	c.node = incident_node(i, NODE_CONNECTION, i->g.connections.count, 0, time);
	connection_vector_append(&i->g.connections, c);
	incident_edge(i, from, c.node, FLOW_CONNECT, time, NANOTIME_NONE);
	incident_edge(i, c.node, from, FLOW_RECEIVE, time, NANOTIME_NONE);
	return (uint32_t)(i->g.connections.count - 1);
}

static inline int incident_compare(const void *a, const void *b)
{
	const struct flow_edge *x = a, *y = b;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static inline void incident_index(const struct graph *g, struct u32_vector *starts, struct u32_vector *edges, bool out)
{
	u32_vector_reserve(starts, g->nodes.count + 1);
	u32_vector_reserve(edges, g->edges.count + 1);
	memset(starts->items, 0, (g->nodes.count + 1) * sizeof(uint32_t));
	starts->count = g->nodes.count + 1;
	edges->count = g->edges.count;
	for (size_t e = 0; e < g->edges.count; e++)
		starts->items[(out ? g->edges.items[e].from : g->edges.items[e].to) + 1]++;
	for (size_t n = 0; n < g->nodes.count; n++)
		starts->items[n + 1] += starts->items[n];
	uint32_t *next = malloc((g->nodes.count + 1) * sizeof(*next));
	memcpy(next, starts->items, (g->nodes.count + 1) * sizeof(*next));
	for (uint32_t e = 0; e < g->edges.count; e++)
		edges->items[next[out ? g->edges.items[e].from : g->edges.items[e].to]++] = e;
	free(next);
}

static inline void incident_finish(struct incident *i)
{
	qsort(i->g.edges.items, i->g.edges.count, sizeof(*i->g.edges.items), incident_compare);
	incident_index(&i->g, &i->g.out_start, &i->g.out_edges, true);
	incident_index(&i->g, &i->g.in_start, &i->g.in_edges, false);
	i->g.events = i->serial - 100;
}

static inline void incident_release(struct incident *i)
{
	struct graph *g = &i->g;
	for (size_t k = 0; k < g->processes.count; k++) {
		u32_vector_release(&g->processes.items[k].segments);
		identity_vector_release(&g->processes.items[k].identities);
	}
	for (size_t k = 0; k < g->files.count; k++) {
		file_name_vector_release(&g->files.items[k].names);
		u32_vector_release(&g->files.items[k].versions);
	}
	node_vector_release(&g->nodes);
	edge_vector_release(&g->edges);
	evidence_vector_release(&g->evidence);
	process_vector_release(&g->processes);
	segment_vector_release(&g->segments);
	u32_vector_release(&g->arguments);
	file_vector_release(&g->files);
	connection_vector_release(&g->connections);
	pipe_vector_release(&g->pipes);
	claim_vector_release(&g->claims);
	u32_vector_release(&g->out_start);
	u32_vector_release(&g->out_edges);
	u32_vector_release(&g->in_start);
	u32_vector_release(&g->in_edges);
	intern_free(g->strings);
}

// --- a mail attachment that opens a door

struct mail_incident {
	struct incident i;
	uint32_t sshd, bash, mutt, shell, python, stage2, tar, sudo; // process nodes
	uint32_t attachment, stage2_file, mailbox, auth_log, cron_job, archive, passwd; // file nodes
	uint32_t contact;
};

static inline void mail_incident_init(struct mail_incident *m)
{
	struct incident *i = &m->i;
	incident_init(i);
	m->sshd = incident_process(i, 900, GRAPH_NONE, "/usr/sbin/sshd", "sshd", AT(1), 1000, 3);
	m->bash = incident_process(i, 910, m->sshd, "/usr/bin/bash", "-bash", AT(2), 1000, 3);
	m->mutt = incident_process(i, 920, m->bash, "/usr/bin/mutt", "mutt -f inbox", AT(10), 1000, 3);
	m->mailbox = incident_file(i, "/var/mail/alice", 11, 2);
	m->attachment = incident_file(i, "/home/alice/Downloads/invoice.py", 12, 1);
	m->stage2_file = incident_file(i, "/tmp/.x/stage2", 13, 1);
	m->auth_log = incident_file(i, "/var/log/auth.log", 14, 6);
	m->cron_job = incident_file(i, "/etc/cron.d/update", 15, 1);
	m->archive = incident_file(i, "/tmp/.x/out.tgz", 16, 1);
	m->passwd = incident_file(i, "/etc/passwd", 17, 18);
	incident_edge(i, m->mailbox, m->mutt, FLOW_OPEN_READ, AT(11), AT(400));
	incident_edge(i, m->mutt, m->attachment, FLOW_CREATE, AT(20), AT(21));
	i->serial--; // one open did both
	incident_edge(i, m->mutt, m->attachment, FLOW_OPEN_WRITE, AT(20), AT(21));
	m->shell = incident_process(i, 930, m->mutt, "/usr/bin/dash", "sh -c python3", AT(30), 1000, 3);
	m->python = incident_process(i, 940, m->shell, "/usr/bin/python3.11", "python3 /home/alice/Downloads/invoice.py", AT(31), 1000, 3);
	incident_edge(i, m->attachment, m->python, FLOW_OPEN_READ, AT(32), AT(200));
	incident_edge(i, m->passwd, m->python, FLOW_OPEN_READ, AT(33), AT(34));
	incident_edge(i, m->python, m->stage2_file, FLOW_CREATE, AT(40), AT(41));
	m->stage2 = incident_process(i, 950, m->python, "/tmp/.x/stage2", "/tmp/.x/stage2 --quiet", AT(50), 1000, 3);
	incident_edge(i, m->stage2_file, m->stage2, FLOW_EXECUTE, AT(50) + 1000000, AT(300));
	m->contact = incident_contact(i, m->stage2, "10.0.0.5", 443, AT(60));
	m->tar = incident_process(i, 960, m->stage2, "/usr/bin/tar", "tar czf /tmp/.x/out.tgz /home/alice/Documents", AT(70), 1000, 3);
	incident_edge(i, m->tar, m->archive, FLOW_CREATE, AT(71), AT(75));
	incident_edge(i, m->stage2, m->cron_job, FLOW_CREATE, AT(80), AT(81));
	incident_edge(i, m->stage2, m->auth_log, FLOW_TRUNCATE, AT(90), AT(91));
	incident_edge(i, m->stage2, m->stage2_file, FLOW_DELETE, AT(95), AT(95));
	incident_edge(i, m->stage2, m->attachment, FLOW_DELETE, AT(96), AT(96));
	i->g.files.items[i->g.nodes.items[m->stage2_file].entity].deleted_ns = AT(95);
	i->g.files.items[i->g.nodes.items[m->attachment].entity].deleted_ns = AT(96);
	struct claim login = {.time_ns = AT(1), .type = 1112, .pid = 900, .auid = 1000, .session = 3, .success = true,
			      .account = incident_string(i, "alice"), .exe = incident_string(i, "/usr/sbin/sshd"),
			      .address = {.kind = ADDRESS_IPV4, .family = AF_INET, .ip = {10, 0, 0, 77}}};
	claim_vector_append(&i->g.claims, login);
}

// Ordinary things around it: libraries that everybody reads, documents, other sessions under the same sshd.
static inline void mail_incident_add_noise(struct mail_incident *m, unsigned amount)
{
	struct incident *i = &m->i;
	char name[128];
	for (unsigned k = 0; k < amount; k++) {
		snprintf(name, sizeof(name), "/usr/lib/python3.11/module%u.py", k);
		uint32_t library = incident_file(i, name, 1000 + k, 12);
		incident_edge(i, library, m->python, FLOW_OPEN_READ, AT(33), AT(34));
		snprintf(name, sizeof(name), "/home/alice/Documents/plan%u.txt", k);
		uint32_t document = incident_file(i, name, 100000 + k, 1);
		incident_edge(i, document, m->tar, FLOW_OPEN_READ, AT(72), AT(73));
		uint32_t other = incident_process(i, 2000 + k, m->sshd, "/usr/bin/bash", "-bash", AT(3), 1001, 100 + k);
		uint32_t sed = incident_process(i, 200000 + k, other, "/usr/bin/sed", "sed s/a/b/", AT(4), 1001, 100 + k);
		snprintf(name, sizeof(name), "/home/bob/work%u.txt", k);
		uint32_t work = incident_file(i, name, 200000 + k, 1);
		incident_edge(i, sed, work, FLOW_OPEN_WRITE, AT(5), AT(6));
	}
}

#endif
