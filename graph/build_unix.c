// SPDX-License-Identifier: MIT
// Unix sockets: client and server meet at dev:inode (bind shows CREATE, connect NORMAL) or at the abstract name. Passing of
// descriptors stays at this level. A server that was there before the log is not known: then only what the client may have sent counts,
// and for service managers a guess who was asked to start something.
#include "graph/build.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// --- sockets

static uint32_t socket_hash(const struct graph_builder *b, const struct unix_socket *s)
{
	uint64_t key = s->abstract ? s->path : s->inode;
	return table_hash(&b->socket_table, (uint64_t)b->realm << 32 | (s->abstract ? UINT32_MAX : s->dev), key);
}

static uint32_t socket_find(const struct graph_builder *b, const struct unix_socket *s)
{
	uint32_t hash = socket_hash(b, s), item;
	for (size_t cursor = 0; (item = table_next(&b->socket_table, hash, &cursor)) != TABLE_NONE;) {
		const struct unix_socket *known = &b->g->sockets.items[item];
		if (b->socket_realms.items[item] != b->realm || known->abstract != s->abstract)
			continue;
		if (s->abstract ? known->path == s->path : known->dev == s->dev && known->inode == s->inode)
			return item;
	}
	return GRAPH_NONE;
}

static const struct event_path *socket_item(const struct event *e)
{
	const struct event_path *path = event_object(e);
	return path && ((path->mode & S_IFMT) == S_IFSOCK || path->mode == 0) ? path : NULL;
}

// The socket of an address; `bound`: a new one begins. GRAPH_NONE: a name that leads nowhere.
static uint32_t socket_of(struct graph_builder *b, uint32_t process, const struct event_address *a, bool bound)
{
	const struct event *e = b->event;
	const struct event_path *path = socket_item(e);
	struct unix_socket s = {.host = e->host, .epoch = e->epoch, .path = a->path, .abstract = a->kind == ADDRESS_UNIX_ABSTRACT, .server = GRAPH_NONE};
	if (!s.abstract) {
		if (!path)
			return GRAPH_NONE;
		s.dev = path->dev;
		s.inode = path->inode;
		struct resolved name = name_resolve(b, process, path, AT_FDCWD, NULL);
		s.path = name.name ? name.name : a->path;
	}
	uint32_t known = socket_find(b, &s), hash = socket_hash(b, &s), index = (uint32_t)b->g->sockets.count;
	if (known != GRAPH_NONE && !bound)
		return known;
	s.node = node_add(b, NODE_UNIX_SOCKET, index, 0, bound ? e->earliest_ns : 0);
	if (u32_vector_append(&b->socket_realms, b->realm) < 0 || socket_vector_append(&b->g->sockets, s) < 0 ||
	    (known == GRAPH_NONE && table_add(&b->socket_table, hash, index) < 0)) {
		b->failed = true;
		return GRAPH_NONE;
	}
	if (known != GRAPH_NONE)
		table_replace(&b->socket_table, hash, known, index);
	return index;
}

static void serve(struct graph_builder *b, uint32_t process, uint32_t socket)
{
	uint32_t node = process_node(b, process), other = b->g->sockets.items[socket].node;
	if (b->g->sockets.items[socket].server == GRAPH_NONE)
		b->g->sockets.items[socket].server = process;
	flow_from_now(b, node, other, FLOW_UNIX, CLASS_OBSERVED);
	flow_from_now(b, other, node, FLOW_UNIX, CLASS_OBSERVED);
}

void link_bind(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	for (size_t i = 0; i < e->address_count; i++) {
		const struct event_address *a = &e->addresses[i];
		local_bind(b, process, a);
		if ((a->kind != ADDRESS_UNIX && a->kind != ADDRESS_UNIX_ABSTRACT) || (a->kind == ADDRESS_UNIX && !a->path))
			continue;
		uint32_t socket = socket_of(b, process, a, true);
		if (socket == GRAPH_NONE)
			continue;
		serve(b, process, socket);
		struct descriptor d = {.fd = event_has(e, EVENT_HAS_ARGS) ? (int32_t)e->args[0] : -1, .kind = DESCRIPTOR_SOCKET, .item = socket,
				       .edges = {GRAPH_NONE, GRAPH_NONE}, .reads = true, .writes = true};
		descriptor_put(b, process, d);
	}
}

// Who accepts serves, though somebody else may have bound: a forked worker, a socket that was handed over.
void unix_accept(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	const struct descriptor *d = event_has(e, EVENT_HAS_ARGS) ? descriptor_get(b, process, (int32_t)e->args[0]) : NULL;
	if (d && d->kind == DESCRIPTOR_SOCKET)
		serve(b, process, d->item);
}

// --- clients

// Sockets at which one asks for something to be started, and the comm= of who answers. A path that ends in '/' stands for all below it;
// "/run/user/" is followed by the uid of the answering process. The system bus passes requests on to systemd.
static const struct { const char *path, *end, *server; } managers[] = {
	{"/run/systemd/private", "", "systemd"}, {"/run/dbus/system_bus_socket", "", "systemd"}, {"/run/user/", "/systemd/private", "systemd"},
	{"/run/user/", "/bus", "systemd"}, {"/run/docker.sock", "", "dockerd"}, {"/run/containerd/containerd.sock", "", "containerd"},
	{"/run/podman/podman.sock", "", "podman"}, {"/run/crio/crio.sock", "", "crio"}, {"/run/snapd.socket", "", "snapd"},
	{"/run/libvirt/libvirt-sock", "", "libvirtd"}, {"/tmp/tmux-", "", "tmux: server"}, {"/run/screen/", "", "screen"},
};

static uint32_t manager_of(const struct graph_builder *b, uint32_t path, uint32_t *ret_uid)
{
	const char *name = intern_string(b->g->strings, path);
	*ret_uid = UINT32_MAX;
	if (strncmp(name, "/var/run/", 9) == 0)
		name += 4; // a link to /run
	for (uint32_t i = 0; i < sizeof(managers) / sizeof(managers[0]); i++) {
		size_t length = strlen(managers[i].path), all = strlen(name), end = strlen(managers[i].end);
		bool below = managers[i].path[length - 1] == '/' || managers[i].path[length - 1] == '-';
		if (strncmp(name, managers[i].path, length) != 0 || (!below && name[length]) || all < length + end || strcmp(name + all - end, managers[i].end) != 0)
			continue;
		if (end)
			*ret_uid = (uint32_t)strtoul(name + length, NULL, 10);
		return i;
	}
	return GRAPH_NONE;
}

void unix_connect(struct graph_builder *b, uint32_t process, const struct event_address *a)
{
	const struct event *e = b->event;
	if ((event_has(e, EVENT_HAS_SUCCESS) && !e->success) || (a->kind == ADDRESS_UNIX && !a->path))
		return;
	uint32_t socket = socket_of(b, process, a, false), evidence, evidence_count, uid;
	if (socket == GRAPH_NONE)
		return;
	uint32_t segment = process_segment(b, process), manager = manager_of(b, b->g->sockets.items[socket].path, &uid);
	evidence_keep(b, &evidence, &evidence_count);
	flow_from_now(b, process_node(b, process), b->g->sockets.items[socket].node, FLOW_UNIX, CLASS_OBSERVED);
	struct unix_client client = {.socket = socket, .segment = segment, .time_ns = e->earliest_ns, .serial = e->serial, .evidence = evidence, .evidence_count = evidence_count};
	struct start_request start = {.segment = segment, .socket = socket, .manager = manager, .realm = b->realm, .uid = uid, .time_ns = e->earliest_ns,
				      .serial = e->serial, .evidence = evidence, .evidence_count = evidence_count};
	if (unix_client_vector_append(&b->unix_clients, client) < 0 || (manager != GRAPH_NONE && start_vector_append(&b->starts, start) < 0))
		b->failed = true;
}

// What the server may have sent back. Without a server nothing comes back: other clients are no source of what one reads.
void unix_settle(struct graph_builder *b)
{
	for (size_t i = 0; i < b->unix_clients.count; i++) {
		const struct unix_client *c = &b->unix_clients.items[i];
		const struct unix_socket *s = &b->g->sockets.items[c->socket];
		struct flow f = {.from = s->node, .to = b->g->segments.items[c->segment].node, .op = FLOW_UNIX, .class = CLASS_OBSERVED, .until = UNTIL_SEGMENT,
				 .start_ns = c->time_ns, .end_ns = NANOTIME_NONE, .serial = c->serial, .evidence = c->evidence, .evidence_count = c->evidence_count};
		if (s->server != GRAPH_NONE)
			flow_add(b, &f);
	}
}

// --- "please start this"

static bool answers(const struct graph_builder *b, const struct segment *s, const struct start_request *r)
{
	const struct process *p = &b->g->processes.items[s->process];
	const char *server = managers[r->manager].server;
	uint64_t exit_ns = p->exit_ns;
	if (b->process_states.items[s->process].realm != r->realm || s->start_ns > r->time_ns || exit_ns < r->time_ns)
		return false;
	if (r->uid == UINT32_MAX && strcmp(server, "systemd") == 0)
		return p->pid == 1;
	return strcmp(intern_string(b->g->strings, s->comm), server) == 0 && (r->uid == UINT32_MAX || p->ids.uid == r->uid);
}

// Segments that can be a manager: few. Ordered as the segments are.
static void find_answering(struct graph_builder *b, struct u32_vector *out)
{
	for (uint32_t i = 0; i < b->g->segments.count; i++) {
		const struct segment *s = &b->g->segments.items[i];
		bool fits = b->g->processes.items[s->process].pid == 1;
		for (size_t k = 0; !fits && k < sizeof(managers) / sizeof(managers[0]); k++)
			fits = s->comm && strcmp(intern_string(b->g->strings, s->comm), managers[k].server) == 0;
		if (fits && u32_vector_append(out, i) < 0)
			b->failed = true;
	}
}

void starts_settle(struct graph_builder *b)
{
	struct u32_vector answering = {0};
	if (b->starts.count)
		find_answering(b, &answering);
	for (size_t i = 0; i < b->starts.count; i++) {
		const struct start_request *r = &b->starts.items[i];
		struct flow f = {.from = b->g->segments.items[r->segment].node, .op = FLOW_START, .class = CLASS_UNCERTAIN, .until = UNTIL_SEGMENT, .start_ns = r->time_ns,
				 .end_ns = NANOTIME_NONE, .serial = r->serial, .evidence = r->evidence, .evidence_count = r->evidence_count};
		if (b->g->sockets.items[r->socket].server != GRAPH_NONE)
			continue; // who serves it is on record: the flow goes through the socket
		for (size_t k = 0; k < answering.count; k++) {
			const struct segment *s = &b->g->segments.items[answering.items[k]];
			if (!answers(b, s, r))
				continue;
			f.to = s->node;
			flow_add(b, &f);
			break;
		}
	}
	u32_vector_release(&answering);
}
