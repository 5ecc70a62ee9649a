// SPDX-License-Identifier: MIT
#include "graph/label.h"

#include "base/nanotime.h"
#include "base/text.h"
#include "graph/persistence.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#define SCRIPT_ARGUMENTS 16 /* so many first arguments are looked at for the script's name */

static struct label_span span_of(const struct graph *g, uint32_t id)
{
	return (struct label_span){intern_string(g->strings, id), intern_length(g->strings, id)};
}

static struct label_span base_of(struct label_span path)
{
	size_t folder_length;
	struct label_span base;
	text_split_path(path.bytes, path.length, &base.bytes, &base.length, &folder_length);
	return base;
}

struct label_span label_program(const struct graph *g, const struct segment *s)
{
	return s->exe ? base_of(span_of(g, s->exe)) : span_of(g, s->comm);
}

static void add_argument(struct label_span a, struct buffer *out)
{
	bool quote = a.length == 0;
	for (size_t i = 0; i < a.length && !quote; i++)
		quote = a.bytes[i] == ' ' || a.bytes[i] == '\'' || a.bytes[i] == '"' || a.bytes[i] == '\n';
	if (quote)
		buffer_add_byte(out, '\'');
	buffer_add(out, a.bytes, a.length);
	if (quote)
		buffer_add_byte(out, '\'');
}

// Cuts at `max` bytes after `start`, not within a character of UTF-8.
static void cut(struct buffer *out, size_t start, size_t max)
{
	if (out->length - start <= max || out->failed)
		return;
	size_t at = start + max;
	while (at > start && ((unsigned char)out->bytes[at] & 0xc0) == 0x80)
		at--;
	out->length = at;
	buffer_add_string(out, "...");
}

void label_command(const struct graph *g, const struct segment *s, size_t max_bytes, struct buffer *out)
{
	size_t start = out->length;
	for (uint32_t i = 0; i < s->argv_count && out->length - start <= max_bytes; i++) {
		if (i)
			buffer_add_byte(out, ' ');
		add_argument(span_of(g, g->arguments.items[s->argv + i]), out);
	}
	if (s->argv_count && s->argv_count < s->argc)
		buffer_add_string(out, " (arguments missing)");
	if (!s->argv_count) {
		struct label_span name = span_of(g, s->exe ? s->exe : s->comm);
		buffer_add(out, name.bytes, name.length);
	}
	cut(out, start, max_bytes);
}

void label_process(const struct graph *g, const struct segment *s, struct buffer *out)
{
	struct label_span name = label_program(g, s);
	if (name.length)
		buffer_add(out, name.bytes, name.length);
	else
		buffer_add_string(out, "process");
	buffer_printf(out, " [%" PRIu32 "]", g->processes.items[s->process].pid);
}

void label_file(const struct graph *g, const struct file *f, uint64_t at_ns, struct buffer *out)
{
	uint32_t name = file_name_at(f, at_ns);
	if (!name)
		name = file_name_at(f, NANOTIME_NONE);
	if (name)
		buffer_add(out, intern_string(g->strings, name), intern_length(g->strings, name));
	else
		buffer_printf(out, "inode %" PRIu64 " on %02x:%02x", f->inode, f->dev >> 20, f->dev & 0xfffff);
}

void label_host_address(const struct graph *g, const struct event_address *a, struct buffer *out)
{
	char ip[INET6_ADDRSTRLEN] = "";
	switch (a->kind) {
	case ADDRESS_IPV4:
		buffer_add_string(out, inet_ntop(AF_INET, a->ip, ip, sizeof(ip)));
		break;
	case ADDRESS_IPV6:
		buffer_add_string(out, inet_ntop(AF_INET6, a->ip, ip, sizeof(ip)));
		break;
	case ADDRESS_UNIX_ABSTRACT:
		buffer_add_byte(out, '@');
		buffer_add(out, span_of(g, a->path).bytes, span_of(g, a->path).length);
		break;
	case ADDRESS_UNIX:
		buffer_add(out, span_of(g, a->path).bytes, span_of(g, a->path).length);
		break;
	case ADDRESS_NETLINK:
		buffer_add_string(out, "netlink");
		break;
	case ADDRESS_NONE:
		buffer_add_string(out, "unknown peer");
		break;
	case ADDRESS_OTHER:
		buffer_printf(out, "address family %u", a->family);
		break;
	}
}

void label_address(const struct graph *g, const struct event_address *a, struct buffer *out)
{
	bool brackets = a->kind == ADDRESS_IPV6 && a->port;
	if (brackets)
		buffer_add_byte(out, '[');
	label_host_address(g, a, out);
	if (brackets)
		buffer_add_byte(out, ']');
	if (a->port && (a->kind == ADDRESS_IPV4 || a->kind == ADDRESS_IPV6))
		buffer_printf(out, ":%u", a->port);
}

bool label_is_script_of(const struct graph *g, const struct file *f, const struct segment *s)
{
	struct label_span program = s ? label_program(g, s) : (struct label_span){NULL, 0};
	if (!f || !s || !persistence_is_interpreter(program.bytes, program.length))
		return false;
	// The first argument that is no option is the script; what follows it are the script's own arguments.
	for (uint32_t i = 1; i < s->argv_count && i < SCRIPT_ARGUMENTS; i++) {
		struct label_span a = span_of(g, g->arguments.items[s->argv + i]);
		if (a.length == 0 || a.bytes[0] == '-')
			continue;
		struct label_span base = base_of(a);
		for (size_t k = 0; k < f->names.count; k++) {
			struct label_span name = base_of(span_of(g, f->names.items[k].name));
			if (base.length && name.length == base.length && memcmp(name.bytes, base.bytes, base.length) == 0)
				return true;
		}
		return false;
	}
	return false;
}

bool label_is_named_by(const struct graph *g, const struct file *f, const struct segment *s)
{
	for (uint32_t i = 1; f && s && i < s->argv_count && i < SCRIPT_ARGUMENTS; i++) {
		struct label_span base = base_of(span_of(g, g->arguments.items[s->argv + i]));
		for (size_t k = 0; base.length > 1 && k < f->names.count; k++) {
			struct label_span name = base_of(span_of(g, f->names.items[k].name));
			if (name.length == base.length && memcmp(name.bytes, base.bytes, base.length) == 0)
				return true;
		}
	}
	return false;
}

unsigned label_severity(enum flow_op op)
{
	static const uint8_t severity[FLOW_COUNT] = {
		[FLOW_DELETE] = 24, [FLOW_TRUNCATE] = 23, [FLOW_INJECT] = 22, [FLOW_KERNEL] = 21, [FLOW_CONNECT] = 20,
		[FLOW_ACCEPT] = 19, [FLOW_RECEIVE] = 18, [FLOW_EXECUTE] = 17, [FLOW_EXEC] = 16, [FLOW_SYMLINK] = 15,
		[FLOW_CREATE] = 14, [FLOW_RENAME] = 13, [FLOW_LINK] = 12, [FLOW_WRITE] = 11, [FLOW_OPEN_WRITE] = 10,
		[FLOW_ATTRIBUTE] = 9, [FLOW_START] = 8, [FLOW_PIPE] = 7, [FLOW_UNIX] = 6, [FLOW_READ] = 5,
		[FLOW_OPEN_READ] = 4, [FLOW_INTERPRET] = 3, [FLOW_FORK] = 2, [FLOW_SIGNAL] = 1,
	};
	return severity[op];
}

static void label_connect(const struct graph *g, const struct flow_edge *e, struct buffer *out)
{
	const struct connection *c = graph_connection_of(g, e->to);
	if (c && c->result == CONNECTION_REFUSED)
		buffer_printf(out, "tried to connect: %s", strerrordesc_np(c->error) ? strerrordesc_np(c->error) : "failed");
	else if (c && c->datagram)
		buffer_add_string(out, "sent to");
	else if (c && c->result == CONNECTION_IN_PROGRESS)
		buffer_add_string(out, "connected (in progress)");
	else
		buffer_add_string(out, "connected");
}

// An inferred flow of this kind comes from a descriptor that was open at fork: nobody saw it used.
static bool label_inherited(enum flow_op op, struct buffer *out)
{
	switch (op) {
	case FLOW_CONNECT:
	case FLOW_ACCEPT:
	case FLOW_RECEIVE:
		buffer_add_string(out, "inherited the connection");
		return true;
	case FLOW_OPEN_READ:
		buffer_add_string(out, "inherited, open for reading");
		return true;
	case FLOW_OPEN_WRITE:
		buffer_add_string(out, "inherited, open for writing");
		return true;
	default:
		return false;
	}
}

void label_flow(const struct graph *g, const struct flow_edge *sample, struct buffer *out)
{
	if (sample->class == CLASS_INFERRED && label_inherited(sample->op, out))
		return;
	if (sample->op == FLOW_CONNECT) {
		label_connect(g, sample, out);
		return;
	}
	if (sample->failed)
		buffer_add_string(out, "tried: ");
	bool to_process = g->nodes.items[sample->to].kind == NODE_PROCESS;
	if (sample->op == FLOW_PIPE)
		buffer_add_string(out, "piped to");
	else if (sample->op == FLOW_FORK)
		buffer_add_string(out, sample->class == CLASS_OBSERVED ? "started" : "parent of");
	else if (sample->op == FLOW_ACCEPT)
		buffer_add_string(out, "accepted");
	else if (sample->op == FLOW_RECEIVE)
		buffer_add_string(out, to_process ? "may have received" : "received");
	else
		buffer_add_string(out, flow_op_words(sample->op));
}
