// SPDX-License-Identifier: MIT
// Connections: a node for each connect, accept, and peer of a datagram socket, since two processes that talk to one address have
// nothing else in common. EINPROGRESS is how a non-blocking connect begins, whatever success= says; a refusal is evidence of an
// attempt, and nothing comes back.
#include "graph/build.h"

#include <errno.h>
#include <string.h>

#define ERESTARTSYS_NUMBER 512 /* include/linux/errno.h: the call goes on after a signal */

static bool is_remote(const struct event_address *a)
{
	return a->kind == ADDRESS_IPV4 || a->kind == ADDRESS_IPV6;
}

static bool is_unix(const struct event_address *a)
{
	return a->kind == ADDRESS_UNIX || a->kind == ADDRESS_UNIX_ABSTRACT;
}

static enum connection_result result_of(const struct event *e, int32_t *ret_error)
{
	*ret_error = event_has(e, EVENT_HAS_EXIT) && e->exit < 0 && e->exit > -4096 ? (int32_t)-e->exit : 0;
	if (!event_has(e, EVENT_HAS_SUCCESS) || e->success || *ret_error == EISCONN)
		return CONNECTION_DONE;
	if (*ret_error == EINPROGRESS || *ret_error == EALREADY || *ret_error == EINTR || *ret_error == ERESTARTSYS_NUMBER)
		return CONNECTION_IN_PROGRESS;
	return CONNECTION_REFUSED;
}

static int32_t socket_argument(const struct event *e)
{
	return event_has(e, EVENT_HAS_ARGS) ? (int32_t)e->args[0] : -1;
}

static uint32_t connection_new(struct graph_builder *b, uint32_t process, const struct event_address *a, enum connection_direction direction,
			       int32_t fd, uint64_t time_ns)
{
	const struct event *e = b->event;
	struct connection c = {
		.host = e->host, .epoch = e->epoch, .process = process, .segment = process_segment(b, process), .fd = fd, .address = *a,
		.direction = (uint8_t)direction, .time_ns = time_ns, .serial = e->serial,
	};
	c.result = (uint8_t)result_of(e, &c.error);
	c.node = node_add(b, NODE_CONNECTION, (uint32_t)b->g->connections.count, 0, time_ns);
	if (connection_vector_append(&b->g->connections, c) < 0) {
		b->failed = true;
		return GRAPH_NONE;
	}
	return (uint32_t)(b->g->connections.count - 1);
}

static void connection_flows(struct graph_builder *b, uint32_t process, uint32_t connection)
{
	const struct connection *c = &b->g->connections.items[connection];
	uint32_t segment = process_node(b, process);
	struct descriptor d = {.fd = c->fd, .kind = DESCRIPTOR_CONNECTION, .item = connection, .edges = {GRAPH_NONE, GRAPH_NONE}, .reads = true, .writes = true};
	bool failed = c->result == CONNECTION_REFUSED;
	struct flow f = {
		.from = segment, .to = c->node, .op = c->direction == CONNECTION_IN ? FLOW_ACCEPT : FLOW_CONNECT, .class = CLASS_OBSERVED,
		.failed = failed, .until = failed ? UNTIL_FIXED : UNTIL_SEGMENT, .start_ns = c->time_ns > b->event->earliest_ns ? c->time_ns : b->event->earliest_ns,
		.end_ns = failed ? b->event->latest_ns : NANOTIME_NONE, .serial = b->event->serial,
	};
	evidence_keep(b, &f.evidence, &f.evidence_count);
	d.edges[1] = flow_add(b, &f);
	if (failed)
		return;
	f.from = c->node, f.to = segment, f.op = FLOW_RECEIVE;
	d.edges[0] = flow_add(b, &f);
	descriptor_put(b, process, d);
}

static bool same_peer(const struct event_address *a, const struct event_address *b)
{
	return a->kind == b->kind && a->port == b->port && memcmp(a->ip, b->ip, a->kind == ADDRESS_IPV4 ? 4 : 16) == 0;
}

// connect on a socket that is connecting, or connected, asks how it went. Only these two answers are sure to be about the same socket: a
// number can be another socket's by now, since closes are not on record.
static bool connect_again(struct graph_builder *b, uint32_t process, const struct event_address *a, int32_t fd)
{
	const struct descriptor *d = descriptor_get(b, process, fd);
	int32_t error;
	enum connection_result result = result_of(b->event, &error);
	if (!d || d->kind != DESCRIPTOR_CONNECTION || (error != EALREADY && error != EISCONN))
		return false;
	struct connection *c = &b->g->connections.items[d->item];
	if (!same_peer(&c->address, a))
		return false;
	c->result = (uint8_t)result;
	c->error = error == EISCONN ? 0 : c->error;
	return true;
}

void link_connect(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	int32_t fd = socket_argument(e);
	for (size_t i = 0; i < e->address_count; i++) {
		const struct event_address *a = &e->addresses[i];
		if (is_unix(a))
			unix_connect(b, process, a);
		if (!is_remote(a) || connect_again(b, process, a, fd))
			continue;
		uint32_t connection = connection_new(b, process, a, CONNECTION_OUT, fd, e->earliest_ns);
		if (connection != GRAPH_NONE)
			connection_flows(b, process, connection);
	}
}

// accept waits: its stamp can be hours older than the connection, so what matters is when it had returned.
void link_accept(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	bool remote = false;
	for (size_t i = 0; i < e->address_count; i++) {
		if (!is_remote(&e->addresses[i]))
			continue;
		remote = true;
		uint32_t connection = connection_new(b, process, &e->addresses[i], CONNECTION_IN, event_has(e, EVENT_HAS_EXIT) ? (int32_t)e->exit : -1, e->latest_ns);
		if (connection == GRAPH_NONE)
			return;
		connection_flows(b, process, connection);
		local_accept(b, process, connection);
	}
	if (!remote)
		unix_accept(b, process); // the peer of a unix socket has no name as a rule
}

// --- datagrams: one node per socket and peer

static uint32_t datagram_find(const struct graph_builder *b, uint32_t segment, int32_t fd, const struct event_address *a, bool failed, uint32_t *ret_hash)
{
	uint64_t words[2] = {0};
	memcpy(words, a->ip, a->kind == ADDRESS_IPV4 ? 4 : 16);
	*ret_hash = table_hash(&b->datagram_table, (uint64_t)segment << 32 | (uint32_t)fd, words[0] ^ words[1] << 1 ^ a->port);
	uint32_t item;
	for (size_t cursor = 0; (item = table_next(&b->datagram_table, *ret_hash, &cursor)) != TABLE_NONE;) {
		const struct connection *c = &b->g->connections.items[item];
		if (c->segment == segment && c->fd == fd && same_peer(&c->address, a) && (c->result == CONNECTION_REFUSED) == failed)
			return item;
	}
	return GRAPH_NONE;
}

void link_send(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	int32_t fd = socket_argument(e), error;
	bool incoming = e->op == OP_RECEIVE, failed = result_of(e, &error) == CONNECTION_REFUSED;
	for (size_t i = 0; i < e->address_count; i++) {
		const struct event_address *a = &e->addresses[i];
		uint32_t hash;
		if (is_unix(a) && !incoming)
			unix_connect(b, process, a);
		if (!is_remote(a) || (incoming && failed))
			continue;
		uint32_t connection = datagram_find(b, process_segment(b, process), fd, a, failed, &hash);
		if (connection == GRAPH_NONE) {
			connection = connection_new(b, process, a, incoming ? CONNECTION_IN : CONNECTION_OUT, fd, incoming ? e->latest_ns : e->earliest_ns);
			if (connection == GRAPH_NONE)
				return;
			b->g->connections.items[connection].datagram = true;
			if (table_add(&b->datagram_table, hash, connection) < 0)
				b->failed = true;
		}
		connection_flows(b, process, connection);
	}
}
