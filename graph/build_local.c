// SPDX-License-Identifier: MIT
// Connections between processes of one host (a web server and its application, a proxy): connect records the server's port, accept
// the client's, so nothing on record joins the two ends. Only over the loopback is it sure that they are of one host; there
//   - an accept on a socket that was bound to the port is the other end of the next connect to it: inferred
//   - an accept whose socket was bound before the log is the other end of a connect just before it: uncertain
#include "graph/build.h"

#include <stdlib.h>
#include <string.h>

#define TICK_NS (4 * NANOTIME_MILLISECOND)      /* the audit clock's, at 250 Hz */
#define ACCEPT_WAITS_NS (10 * NANOTIME_SECOND)  /* our limit for a connection that waits to be accepted */
#define HANDSHAKE_NS (100 * NANOTIME_MILLISECOND) /* the same where the port is not known: a server that does nothing else */

static bool is_loopback(const struct event_address *a)
{
	static const uint8_t ip6[16] = {[15] = 1};
	return (a->kind == ADDRESS_IPV4 && a->ip[0] == 127) || (a->kind == ADDRESS_IPV6 && memcmp(a->ip, ip6, sizeof(ip6)) == 0);
}

void local_bind(struct graph_builder *b, uint32_t process, const struct event_address *a)
{
	const struct event *e = b->event;
	if ((a->kind != ADDRESS_IPV4 && a->kind != ADDRESS_IPV6) || a->port == 0 || !event_has(e, EVENT_HAS_ARGS))
		return;
	struct descriptor d = {.fd = (int32_t)e->args[0], .kind = DESCRIPTOR_PORT, .item = a->port, .edges = {GRAPH_NONE, GRAPH_NONE}};
	descriptor_put(b, process, d);
}

void local_accept(struct graph_builder *b, uint32_t process, uint32_t connection)
{
	const struct event *e = b->event;
	const struct connection *c = &b->g->connections.items[connection];
	if (!is_loopback(&c->address))
		return;
	const struct descriptor *d = event_has(e, EVENT_HAS_ARGS) ? descriptor_get(b, process, (int32_t)e->args[0]) : NULL;
	struct local_accept a = {.realm = b->realm, .connection = connection, .segment = process_segment(b, process), .time_ns = c->time_ns, .serial = e->serial,
				 .port = d && d->kind == DESCRIPTOR_PORT ? (uint16_t)d->item : 0};
	evidence_keep(b, &a.evidence, &a.evidence_count);
	if (local_accept_vector_append(&b->local_accepts, a) < 0)
		b->failed = true;
}

static int compare_accepts(const void *x, const void *y)
{
	const struct local_accept *a = x, *b = y;
	if (a->realm != b->realm)
		return a->realm < b->realm ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return a->connection < b->connection ? -1 : a->connection > b->connection;
}

// The first accept of the port from `from` on that nobody has taken; next[i] leads from a taken one to the one after it.
static size_t first_free(const struct graph_builder *b, uint32_t *next, uint32_t realm, uint16_t port, uint64_t from_ns)
{
	const struct local_accept key = {.realm = realm, .port = port, .time_ns = from_ns};
	size_t low = 0, high = b->local_accepts.count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (compare_accepts(&b->local_accepts.items[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low < b->local_accepts.count && next[low] != low) {
		next[low] = next[next[low]];
		low = next[low];
	}
	return low;
}

static bool is_of(const struct graph_builder *b, size_t accept, uint32_t realm, uint16_t port, uint64_t until_ns)
{
	if (accept >= b->local_accepts.count)
		return false;
	const struct local_accept *a = &b->local_accepts.items[accept];
	return a->realm == realm && a->port == port && a->time_ns <= until_ns;
}

static void join(struct graph_builder *b, const struct connection *c, const struct local_accept *a, enum flow_class class_)
{
	struct flow f = {.from = c->node, .to = b->g->segments.items[a->segment].node, .op = FLOW_RECEIVE, .class = class_, .until = UNTIL_SEGMENT,
			 .start_ns = a->time_ns > c->time_ns ? a->time_ns : c->time_ns, .end_ns = NANOTIME_NONE, .serial = a->serial, .evidence = a->evidence,
			 .evidence_count = a->evidence_count};
	flow_add(b, &f);
	f.to = f.from, f.from = b->g->segments.items[a->segment].node, f.op = FLOW_ACCEPT;
	flow_add(b, &f);
}

static void find_other_end(struct graph_builder *b, uint32_t *next, const struct connection *c)
{
	uint32_t realm = b->process_states.items[c->process].realm;
	uint64_t from_ns = c->time_ns > TICK_NS ? c->time_ns - TICK_NS : 0;
	size_t accept = first_free(b, next, realm, c->address.port, from_ns);
	enum flow_class class_ = CLASS_INFERRED;
	if (!is_of(b, accept, realm, c->address.port, c->time_ns + ACCEPT_WAITS_NS)) {
		accept = first_free(b, next, realm, 0, from_ns);
		class_ = CLASS_UNCERTAIN;
		if (!is_of(b, accept, realm, 0, c->time_ns + HANDSHAKE_NS))
			return;
	}
	next[accept] = (uint32_t)accept + 1;
	join(b, c, &b->local_accepts.items[accept], class_);
}

void locals_settle(struct graph_builder *b)
{
	size_t count = b->local_accepts.count;
	uint32_t *next = count ? malloc((count + 1) * sizeof(*next)) : NULL;
	if (count == 0)
		return;
	if (!next) {
		b->failed = true;
		return;
	}
	qsort(b->local_accepts.items, count, sizeof(*b->local_accepts.items), compare_accepts);
	for (uint32_t i = 0; i <= count; i++)
		next[i] = i;
	for (uint32_t i = 0; i < b->g->connections.count; i++) {
		const struct connection *c = &b->g->connections.items[i];
		if (c->direction == CONNECTION_OUT && c->result != CONNECTION_REFUSED && !c->datagram && c->address.port && is_loopback(&c->address))
			find_other_end(b, next, c);
	}
	free(next);
}
