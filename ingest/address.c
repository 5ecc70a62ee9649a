// SPDX-License-Identifier: MIT
// Text <-> network address.
#include "ingest/ingest.h"

#include "base/buffer.h"
#include "base/text.h"
#include "ingest/sockaddr.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

// "fe80::1%2": the scope is kept when it is a number; names of interfaces mean something on their own host only.
static bool parse_scope(const char *text, uint32_t *ret)
{
	uint64_t scope = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		scope = scope * 10 + (uint64_t)(*text - '0');
		if (scope > UINT32_MAX)
			return false;
	}
	*ret = (uint32_t)scope;
	return true;
}

static bool parse_ipv6(char *text, struct event_address *ret)
{
	char *percent = strchr(text, '%');
	struct event_address a = { .kind = ADDRESS_IPV6, .family = AF_INET6 };

	if (percent) {
		*percent = '\0';
		if (!parse_scope(percent + 1, &a.scope))
			return false;
	}
	if (inet_pton(AF_INET6, text, a.ip) != 1)
		return false;
	sockaddr_unmap(&a);
	*ret = a;
	return true;
}

int address_parse(const char *text, struct event_address *ret, struct error *err)
{
	struct event_address a = { .kind = ADDRESS_IPV4, .family = AF_INET };
	char copy[INET6_ADDRSTRLEN + 16];
	size_t length = strlen(text);

	if (length > 0 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof(copy))
		return error_set(err, "\"%.64s\" is no IP address (10.0.0.5, 2001:db8::1)", text);
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (inet_pton(AF_INET, copy, a.ip) == 1) {
		*ret = a;
		return 0;
	}
	if (parse_ipv6(copy, ret))
		return 0;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (strchr(copy, '/'))
		return error_set(err, "\"%s\" is a network; one address is wanted", copy);
	if (strspn(copy, "0123456789.:") == length && strchr(copy, '.') && strchr(copy, ':'))
		return error_set(err, "\"%s\" is no IP address; the port has an option of its own", copy);
	return error_set(err, "\"%s\" is no IP address (10.0.0.5, 2001:db8::1)", copy);
}

static void format_unix(struct buffer *out, const struct event_address *a, const struct intern *strings)
{
	buffer_add_string(out, a->kind == ADDRESS_UNIX ? "unix:" : "unix:@");
	if (strings && a->path)
		text_visible(out, intern_string(strings, a->path), intern_length(strings, a->path));
}

void address_format(struct buffer *out, const struct event_address *a, const struct intern *strings, bool with_port)
{
	char text[INET6_ADDRSTRLEN] = "";
	bool port = with_port && a->port != 0;

	switch (a->kind) {
	case ADDRESS_NONE:
		buffer_add_string(out, "no address");
		break;
	case ADDRESS_IPV4:
		(void)inet_ntop(AF_INET, a->ip, text, sizeof(text));
		buffer_add_string(out, text);
		break;
	case ADDRESS_IPV6:
		(void)inet_ntop(AF_INET6, a->ip, text, sizeof(text));
		buffer_printf(out, port ? "[%s" : "%s", text);
		if (a->scope)
			buffer_printf(out, "%%%" PRIu32, a->scope);
		if (port)
			buffer_add_byte(out, ']');
		break;
	case ADDRESS_UNIX:
	case ADDRESS_UNIX_ABSTRACT:
		format_unix(out, a, strings);
		return;
	case ADDRESS_NETLINK:
		buffer_add_string(out, "netlink");
		return;
	case ADDRESS_OTHER:
		buffer_printf(out, "address family %u", (unsigned)a->family);
		return;
	}
	if (port)
		buffer_printf(out, ":%u", (unsigned)a->port);
}

bool address_same_host(const struct event_address *a, const struct event_address *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == ADDRESS_IPV4)
		return memcmp(a->ip, b->ip, 4) == 0;
	return a->kind == ADDRESS_IPV6 && memcmp(a->ip, b->ip, 16) == 0;
}
