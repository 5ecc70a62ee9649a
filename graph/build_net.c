// SPDX-License-Identifier: MIT
// Connections: a node for each, since two processes that talk to one address have nothing else in common. Unix sockets: client and
// server meet at dev:inode (bind shows CREATE, connect NORMAL) or at the abstract name.
#include "graph/build.h"

#include "base/nanotime.h"

#include <errno.h>
#include <string.h>

#define ERESTARTSYS_NUMBER 512 /* include/linux/errno.h: the call goes on after a signal */

static bool is_remote(const struct event_address *a)
{
	return a->kind == ADDRESS_IPV4 || a->kind == ADDRESS_IPV6;
}

static enum connection_result result_of(const struct event *e, int32_t *ret_error)
{
	*ret_error = e->exit < 0 && e->exit > -4096 ? (int32_t)-e->exit : 0;
	if (!(e->present & EVENT_HAS_SUCCESS) || e->success)
		return CONNECTION_DONE;
	if (*ret_error == EINPROGRESS || *ret_error == EALREADY || *ret_error == EINTR || *ret_error == ERESTARTSYS_NUMBER)
		return CONNECTION_IN_PROGRESS;
	return *ret_error == EISCONN ? CONNECTION_DONE : CONNECTION_REFUSED;
}

static int add_connection(struct graph *g, uint32_t process, const struct event *e, const struct event_address *a,
			  enum connection_direction direction, bool datagram)
{
	const struct process *p = &g->processes.items[process];
	struct connection c = {
		.host = e->host, .epoch = e->epoch, .process = process, .segment = p->segments.items[p->segments.count - 1],
		.fd = (int32_t)(direction == CONNECTION_IN ? e->exit : (int64_t)e->args[0]), .address = *a, .direction = (uint8_t)direction,
		.time_ns = e->earliest_ns, .serial = e->serial, .datagram = datagram,
	};
	c.result = (uint8_t)result_of(e, &c.error);
	c.node = builder_add_node(g, NODE_CONNECTION, (uint32_t)g->connections.count, 0, e->earliest_ns);
	uint32_t node = g->segments.items[c.segment].node, draft;
	bool failed = c.result == CONNECTION_REFUSED;
	if (c.node == GRAPH_NONE || connection_vector_append(&g->connections, c) < 0 ||
	    builder_node_edge(g, node, c.node, direction == CONNECTION_IN ? FLOW_ACCEPT : FLOW_CONNECT, true, !failed, CLASS_OBSERVED, e, &draft) < 0)
		return -1;
	g->builder->draft_list.items[draft].failed = failed;
	uint32_t back = GRAPH_NONE;
	if (!failed && builder_node_edge(g, node, c.node, FLOW_RECEIVE, false, true, CLASS_OBSERVED, e, &back) < 0)
		return -1;
	if (!failed)
		builder_descriptor_set(g, process, (struct descriptor){.fd = c.fd, .kind = DESCRIPTOR_CONNECTION, .connection = c.node, .drafts = {draft, back}});
	return 0;
}

// --- unix sockets

// Who usually serves a socket that was bound before the log began. Only for "asked to start", always uncertain.
static const struct { const char *path, *server; } known_servers[] = {
	{"/run/systemd/private", "systemd"}, {"/run/dbus/system_bus_socket", "dbus-daemon"}, {"/run/docker.sock", "dockerd"},
	{"/run/containerd/containerd.sock", "containerd"}, {"/run/libvirt/libvirt-sock", "libvirtd"},
	{"/run/podman/podman.sock", "podman"}, {"/run/snapd.socket", "snapd"}, {"/run/crio/crio.sock", "crio"},
};

static const char *known_server(const char *path)
{
	if (strncmp(path, "/var/run/", 9) == 0)
		path += 4;
	for (size_t i = 0; i < sizeof(known_servers) / sizeof(known_servers[0]); i++)
		if (strcmp(path, known_servers[i].path) == 0)
			return known_servers[i].server;
	if (strncmp(path, "/run/user/", 10) == 0 && strstr(path, "/systemd/private"))
		return "systemd";
	if (strncmp(path, "/tmp/tmux-", 10) == 0)
		return "tmux: server";
	return NULL;
}

static const struct event_path *socket_path(const struct event *e)
{
	for (size_t i = 0; i < e->path_count; i++)
		if (e->paths[i].nametype != NAMETYPE_PARENT && e->paths[i].has_inode)
			return &e->paths[i];
	return NULL;
}

static int unix_socket(struct graph *g, const struct event *e, const struct event_address *a, bool fresh, uint32_t *ret)
{
	const struct event_path *path = socket_path(e);
	bool abstract = a->kind == ADDRESS_UNIX_ABSTRACT;
	*ret = GRAPH_NONE;
	if (!abstract && !path)
		return 0; // a failed look-up: nothing to meet at
	uint64_t key = abstract ? table_key(e->host, e->epoch, a->path, 4) : table_key((uint64_t)e->host << 32 | e->epoch, path->dev, path->inode, 5);
	uint32_t known = table_get(&g->builder->sockets, key);
	if (known != TABLE_NONE && !fresh) {
		*ret = known;
		return 0;
	}
	struct unix_socket s = {.host = e->host, .epoch = e->epoch, .path = a->path, .abstract = abstract, .server = GRAPH_NONE};
	if (!abstract)
		s.dev = path->dev, s.inode = path->inode;
	*ret = (uint32_t)g->sockets.count;
	s.node = builder_add_node(g, NODE_UNIX_SOCKET, *ret, 0, fresh ? e->earliest_ns : 0);
	if (s.node == GRAPH_NONE || socket_vector_append(&g->sockets, s) < 0)
		return -1;
	return table_put(&g->builder->sockets, key, *ret);
}

static int connect_unix(struct graph *g, uint32_t process, const struct event *e, const struct event_address *a)
{
	uint32_t socket, node = builder_segment_node(g, process), evidence;
	enum connection_result result = result_of(e, &(int32_t){0});
	if (result == CONNECTION_REFUSED)
		return 0;
	const char *server = a->kind == ADDRESS_UNIX ? known_server(intern_string(g->strings, a->path)) : NULL;
	if (server) {
		struct start_request request = {.client_node = node, .server = server, .time_ns = e->earliest_ns, .serial = e->serial, .host = e->host};
		if (builder_evidence(g, e, &evidence) < 0)
			return -1;
		request.evidence = evidence;
		if (start_vector_append(&g->builder->starts, request) < 0)
			return -1;
	}
	if (unix_socket(g, e, a, false, &socket) < 0)
		return -1;
	if (socket == GRAPH_NONE)
		return 0;
	uint32_t out, in = GRAPH_NONE;
	if (builder_node_edge(g, node, g->sockets.items[socket].node, FLOW_UNIX, true, true, CLASS_OBSERVED, e, &out) < 0)
		return -1;
	// Without a known server nothing comes back: other clients are no source of what this one reads.
	if (g->sockets.items[socket].server != GRAPH_NONE &&
	    builder_node_edge(g, node, g->sockets.items[socket].node, FLOW_UNIX, false, true, CLASS_OBSERVED, e, &in) < 0)
		return -1;
	builder_descriptor_set(g, process, (struct descriptor){.fd = (int32_t)e->args[0], .kind = DESCRIPTOR_OTHER, .drafts = {out, in}});
	return 0;
}

int builder_bind(struct graph *g, uint32_t process, const struct event *e)
{
	for (size_t i = 0; i < e->address_count; i++) {
		const struct event_address *a = &e->addresses[i];
		uint32_t socket, node = builder_segment_node(g, process);
		if (a->kind != ADDRESS_UNIX && a->kind != ADDRESS_UNIX_ABSTRACT)
			continue;
		if (unix_socket(g, e, a, true, &socket) < 0)
			return -1;
		if (socket == GRAPH_NONE)
			continue;
		g->sockets.items[socket].server = process;
		if (builder_node_edge(g, node, g->sockets.items[socket].node, FLOW_UNIX, true, true, CLASS_OBSERVED, e, NULL) < 0 ||
		    builder_node_edge(g, node, g->sockets.items[socket].node, FLOW_UNIX, false, true, CLASS_OBSERVED, e, NULL) < 0)
			return -1;
	}
	return 0;
}

// --- calls

int builder_connect(struct graph *g, uint32_t process, const struct event *e)
{
	for (size_t i = 0; i < e->address_count; i++) {
		const struct event_address *a = &e->addresses[i];
		if (is_remote(a) && add_connection(g, process, e, a, CONNECTION_OUT, false) < 0)
			return -1;
		if ((a->kind == ADDRESS_UNIX || a->kind == ADDRESS_UNIX_ABSTRACT) && connect_unix(g, process, e, a) < 0)
			return -1;
	}
	return 0;
}

int builder_accept(struct graph *g, uint32_t process, const struct event *e)
{
	for (size_t i = 0; i < e->address_count; i++)
		if (is_remote(&e->addresses[i]) && e->success && add_connection(g, process, e, &e->addresses[i], CONNECTION_IN, false) < 0)
			return -1;
	return 0;
}

int builder_send(struct graph *g, uint32_t process, const struct event *e)
{
	for (size_t i = 0; i < e->address_count; i++)
		if (is_remote(&e->addresses[i]) &&
		    add_connection(g, process, e, &e->addresses[i], e->op == OP_RECEIVE ? CONNECTION_IN : CONNECTION_OUT, true) < 0)
			return -1;
	return 0;
}
