// SPDX-License-Identifier: MIT
// Who logged in from where. Two kinds of evidence stand side by side: what programs say (sshd's USER_LOGIN: a claim, matched by
// the session number that the kernel stamped on it), and what the kernel saw (the listener accepted a connection, then forked the
// session's first process).
#include "graph/notes.h"

#include "base/nanotime.h"
#include "base/text.h"
#include "graph/label.h"
#include "graph/persistence.h"
#include "graph/picture_session.h"

#include <inttypes.h>
#include <string.h>

#define ID_UNSET UINT32_MAX
#define USER_LOGIN 1112 /* linux/audit.h, as the next one */
#define USER_START 1105

static void add_string(struct note_taker *n, uint32_t id)
{
	buffer_add(&n->b, intern_string(n->w->g->strings, id), intern_length(n->w->g->strings, id));
}

static void add_program_of_claim(struct note_taker *n, const struct claim *c)
{
	const char *base = "a program";
	size_t base_length = strlen(base), folder_length;
	if (c->exe)
		text_split_path(intern_string(n->w->g->strings, c->exe), intern_length(n->w->g->strings, c->exe), &base, &base_length, &folder_length);
	buffer_add(&n->b, base, base_length);
}

// Made by `process` or one above it in its session: the pid on a claim is the kernel's.
static bool claimed_by_ancestor(const struct graph *g, const struct claim *c, uint32_t process)
{
	uint32_t session = g->processes.items[process].session;
	for (uint32_t at = process; at != GRAPH_NONE && g->processes.items[at].session == session; at = g->processes.items[at].parent)
		if (g->processes.items[at].pid == c->pid)
			return true;
	return false;
}

// The claim that tells most of a session's beginning: its first USER_LOGIN, else its first USER_START.
static const struct claim *login_claim(const struct graph *g, uint32_t process)
{
	const struct process *p = &g->processes.items[process];
	static const uint32_t types[] = {USER_LOGIN, USER_START};
	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
		for (size_t i = 0; i < g->claims.count; i++) {
			const struct claim *c = &g->claims.items[i];
			if (c->host == p->host && c->epoch == p->epoch && c->session == p->session && c->type == types[t] && c->success &&
			    claimed_by_ancestor(g, c, process))
				return c;
		}
	return NULL;
}

static void say_claim(struct note_taker *n, const struct claim *c, const struct process *p)
{
	add_program_of_claim(n, c);
	buffer_add_string(&n->b, " says: ");
	user_name(n->w, p->host, p->auid, &n->b); // named by the claims of the session, of which this is one
	buffer_add_string(&n->b, " logged in");
	if (c->address.kind == ADDRESS_IPV4 || c->address.kind == ADDRESS_IPV6) {
		buffer_add_string(&n->b, " from ");
		label_host_address(n->w->g, &c->address, &n->b);
	} else if (c->hostname) {
		buffer_add_string(&n->b, " from ");
		add_string(n, c->hostname);
	}
	if (c->terminal) {
		buffer_add_string(&n->b, " on ");
		add_string(n, c->terminal);
	}
	buffer_printf(&n->b, " (session %" PRIu32 ", auid %" PRIu32 ")", p->session, p->auid);
}

static struct label_span program_of(const struct graph *g, uint32_t process, uint64_t ns)
{
	const struct segment *s = process == GRAPH_NONE ? NULL : session_image_at(g, process, ns);
	return s ? label_program(g, s) : (struct label_span){"", 0};
}

static bool is_called(struct label_span name, const char *word)
{
	return name.length >= strlen(word) && memcmp(name.bytes, word, strlen(word)) == 0;
}

static void add_process(struct note_taker *n, uint32_t process, uint64_t ns)
{
	const struct segment *s = session_image_at(n->w->g, process, ns);
	if (s)
		label_process(n->w->g, s, &n->b);
	else
		buffer_printf(&n->b, "process %" PRIu32, n->w->g->processes.items[process].pid);
}

static void add_owner(struct note_taker *n, const struct process *p)
{
	buffer_add_string(&n->b, " as ");
	user_name(n->w, p->host, p->ids.euid, &n->b);
	if (p->session != ID_UNSET)
		buffer_printf(&n->b, " (session %" PRIu32 ")", p->session);
}

// The topmost process between `process` and the first of its service that is neither shell nor starter: "lighttpd", not "start.sh".
static uint32_t service_of(const struct graph *g, uint32_t process, uint32_t first)
{
	uint32_t best = process;
	for (uint32_t at = process; at != GRAPH_NONE; at = g->processes.items[at].parent) {
		struct label_span name = program_of(g, at, NANOTIME_NONE);
		if (name.length && !persistence_is_shell(name.bytes, name.length) && !persistence_begins_sessions(name.bytes, name.length))
			best = at;
		if (at == first)
			break;
	}
	return best;
}

// Only what was drawn on the path is asked about: the first node of it in this session.
static void note_login(struct note_taker *n, uint32_t process, uint32_t first, uint32_t node)
{
	const struct graph *g = n->w->g;
	const struct process *p = &g->processes.items[process], *top = &g->processes.items[first];
	struct label_span starter = program_of(g, top->parent, top->birth_ns);
	const struct claim *c = p->session == ID_UNSET ? NULL : login_claim(g, process);
	if (top->parent != GRAPH_NONE && persistence_runs_jobs(starter.bytes, starter.length)) {
		add_process(n, top->parent, top->birth_ns);
		buffer_add_string(&n->b, " ran a job");
		add_owner(n, p);
		notes_put(n, NOTE_LOGIN, top->birth_ns, node, false);
	} else if (c && (c->type == USER_LOGIN || c->terminal || c->address.kind != ADDRESS_NONE)) {
		say_claim(n, c, p);
		notes_put(n, NOTE_LOGIN, c->time_ns, node, true);
	} else if (is_called(starter, "sshd") || is_called(starter, "login")) {
		buffer_printf(&n->b, "session %" PRIu32 " of ", p->session);
		user_name(n->w, p->host, p->auid, &n->b);
		buffer_add_string(&n->b, ": no record of its login in the logs read");
		notes_put(n, NOTE_LOGIN, top->birth_ns, node, false);
	} else {
		uint32_t service = service_of(g, process, first);
		add_process(n, service, NANOTIME_NONE);
		buffer_add_string(&n->b, " is a service, run");
		add_owner(n, &g->processes.items[service]);
		buffer_add_string(&n->b, ": no login is known behind it");
		notes_put(n, NOTE_LOGIN, g->processes.items[service].birth_ns, node, false);
	}
}

// The listener that forked the session's first process had accepted this address before (picture_path.c marked both).
static void note_login_peer(struct note_taker *n)
{
	const struct picture_work *w = n->w;
	uint64_t birth = w->path.line.count ? w->s.items[w->path.line.items[0]].first_ns : 0;
	const struct connection *best = NULL;
	for (size_t i = 0; i < w->g->connections.count; i++) {
		const struct connection *c = &w->g->connections.items[i];
		uint32_t listener = c->segment < w->g->segments.count ? w->s.of[w->g->segments.items[c->segment].node] : GRAPH_NONE;
		if (c->direction != CONNECTION_IN || c->time_ns > birth || !(w->s.items[w->s.of[c->node]].marks & MARK_LOGIN_PEER) ||
		    listener == GRAPH_NONE || !(w->s.items[listener].marks & MARK_LOGIN_PEER))
			continue;
		if (!best || c->time_ns >= best->time_ns)
			best = c;
	}
	if (!best)
		return;
	label_process(w->g, &w->g->segments.items[best->segment], &n->b);
	buffer_add_string(&n->b, " accepted a connection from ");
	label_host_address(w->g, &best->address, &n->b);
	buffer_add_string(&n->b, ", then started the session");
	notes_put(n, NOTE_LOGIN, best->time_ns, picture_node_of(w, w->s.of[best->node]), false);
}

struct session_key { uint32_t first, session; };

static void note_session_of(struct note_taker *n, uint32_t subject, struct session_key *seen, size_t *seen_count)
{
	const struct graph *g = n->w->g;
	const struct segment *s = subjects_segment(&n->w->s, subject);
	if (!s || (n->w->s.items[subject].marks & MARK_ABOVE))
		return;
	struct session_key key = {session_first(g, s->process), g->processes.items[s->process].session};
	for (size_t i = 0; i < *seen_count; i++)
		if (seen[i].first == key.first && seen[i].session == key.session)
			return;
	if (*seen_count == NOTES_PER_KIND)
		return;
	seen[(*seen_count)++] = key;
	note_login(n, s->process, key.first, picture_node_of(n->w, subject));
}

void notes_take_logins(struct note_taker *n)
{
	struct session_key seen[NOTES_PER_KIND];
	size_t count = 0;
	if (n->w->path.contact != GRAPH_NONE)
		note_session_of(n, n->w->path.contact, seen, &count);
	for (uint32_t i = 0; i < n->w->s.count; i++)
		if (n->w->s.items[i].kind == PICTURE_PROCESS && (n->w->s.items[i].marks & MARK_PATH))
			note_session_of(n, i, seen, &count);
	note_login_peer(n);
}
