// SPDX-License-Identifier: MIT
#include "graph/describe.h"

#include "base/nanotime.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <inttypes.h>

static void add_visible(const struct intern *strings, uint32_t id, struct buffer *out)
{
	text_visible(out, intern_string(strings, id), intern_length(strings, id));
}

void describe_address(const struct intern *strings, const struct event_address *a, struct buffer *out)
{
	char ip[INET6_ADDRSTRLEN] = "";
	switch (a->kind) {
	case ADDRESS_IPV4:
		buffer_add_string(out, inet_ntop(AF_INET, a->ip, ip, sizeof(ip)));
		break;
	case ADDRESS_IPV6:
		inet_ntop(AF_INET6, a->ip, ip, sizeof(ip));
		buffer_printf(out, a->port ? "[%s]" : "%s", ip);
		break;
	case ADDRESS_UNIX_ABSTRACT:
		buffer_add_byte(out, '@');
		add_visible(strings, a->path, out);
		return;
	case ADDRESS_UNIX:
		add_visible(strings, a->path, out);
		return;
	case ADDRESS_NETLINK:
		buffer_add_string(out, "netlink");
		return;
	case ADDRESS_NONE:
	case ADDRESS_OTHER:
		buffer_printf(out, "address family %u", a->family);
		return;
	}
	if (a->port)
		buffer_printf(out, ":%u", a->port);
}

static void describe_segment(const struct graph *g, const struct segment *s, struct buffer *out)
{
	const struct process *p = &g->processes.items[s->process];
	const char *base = intern_string(g->strings, s->exe);
	size_t base_length = intern_length(g->strings, s->exe), folder_length;
	if (base_length)
		text_split_path(base, base_length, &base, &base_length, &folder_length);
	else if (s->comm)
		base = intern_string(g->strings, s->comm), base_length = intern_length(g->strings, s->comm);
	if (base_length)
		text_visible(out, base, base_length);
	else
		buffer_add_string(out, "process");
	buffer_printf(out, " [%" PRIu32 "]", p->pid);
}

static void describe_file(const struct graph *g, const struct file *f, struct buffer *out)
{
	uint32_t name = file_name_at(f, NANOTIME_NONE);
	if (name)
		add_visible(g->strings, name, out);
	else
		buffer_printf(out, "inode %" PRIu64 " on %02x:%02x", f->inode, f->dev >> 20, f->dev & 0xfffff);
}

void describe_node(const struct graph *g, uint32_t node, struct buffer *out)
{
	const struct graph_node *n = &g->nodes.items[node];
	switch ((enum node_kind)n->kind) {
	case NODE_PROCESS:
		describe_segment(g, graph_segment_of(g, node), out);
		break;
	case NODE_FILE:
		describe_file(g, graph_file_of(g, node), out);
		break;
	case NODE_CONNECTION:
		describe_address(g->strings, &graph_connection_of(g, node)->address, out);
		break;
	case NODE_PIPE:
		buffer_printf(out, "pipe of %" PRIu32, g->processes.items[g->pipes.items[n->entity].process].pid);
		break;
	case NODE_UNIX_SOCKET:
		buffer_add_string(out, g->sockets.items[n->entity].abstract ? "@" : "");
		add_visible(g->strings, g->sockets.items[n->entity].path, out);
		break;
	case NODE_KERNEL:
		buffer_add_string(out, "kernel");
		break;
	}
}
