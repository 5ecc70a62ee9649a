// SPDX-License-Identifier: MIT
#include "ingest/sockaddr.h"

#include <string.h>

// Numbers and offsets from linux/socket.h, in.h, in6.h, un.h: the log's host may not be the one we run on.
enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 10, FAMILY_NETLINK = 16 };
enum {
	FAMILY_BYTES = 2,
	PORT_AT = 2,
	INET_ADDRESS_AT = 4, INET_BYTES = 8,           // sin_zero may be missing
	INET6_ADDRESS_AT = 8, INET6_BYTES = 24,        // without sin6_scope_id: SIN6_LEN_RFC2133, net/ipv6.h
	INET6_SCOPE_AT = 24, INET6_SCOPE_BYTES = 28,
	NETLINK_BYTES = 12,
};

static uint16_t get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

static uint32_t get_u32(const uint8_t *p, bool big_endian)
{
	return big_endian ? (uint32_t)get_be16(p) << 16 | get_be16(p + 2) : (uint32_t)get_le16(p + 2) << 16 | get_le16(p);
}

void sockaddr_unmap(struct event_address *a)
{
	static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}; /* RFC 4291, 2.5.5.2 */

	if (a->kind != ADDRESS_IPV6 || memcmp(a->ip, prefix, sizeof(prefix)) != 0)
		return;
	a->kind = ADDRESS_IPV4;
	a->mapped = true;
	memmove(a->ip, a->ip + 12, 4);
	memset(a->ip + 4, 0, 12);
	a->scope = 0;
}

static void decode_inet(const uint8_t *bytes, struct event_address *ret)
{
	ret->kind = ADDRESS_IPV4;
	ret->port = get_be16(bytes + PORT_AT);
	memcpy(ret->ip, bytes + INET_ADDRESS_AT, 4);
}

static void decode_inet6(const uint8_t *bytes, size_t length, bool big_endian, struct event_address *ret)
{
	ret->kind = ADDRESS_IPV6;
	ret->port = get_be16(bytes + PORT_AT);
	memcpy(ret->ip, bytes + INET6_ADDRESS_AT, 16);
	if (length >= INET6_SCOPE_BYTES)
		ret->scope = get_u32(bytes + INET6_SCOPE_AT, big_endian);
	sockaddr_unmap(ret);
}

// A path ends at its first NUL (or with the bytes: sun_path need not be terminated). An abstract name begins with a NUL, and every
// later byte of the length given counts, NULs too; but the kernel logs getname()'s fixed size for some calls, so NULs at the end are padding.
static void decode_unix(const uint8_t *bytes, size_t length, struct intern *strings, struct event_address *ret)
{
	const char *path = (const char *)bytes + FAMILY_BYTES;
	size_t room = length - FAMILY_BYTES;

	ret->kind = ADDRESS_UNIX;
	if (room == 0)
		return; // an unnamed socket: the address of a socketpair, or of a client that did not bind
	if (path[0] != '\0') {
		ret->path = intern_add(strings, path, strnlen(path, room));
		return;
	}
	while (room > 1 && path[room - 1] == '\0')
		room--;
	if (room > 1) {
		ret->kind = ADDRESS_UNIX_ABSTRACT;
		ret->path = intern_add(strings, path + 1, room - 1);
	}
}

void sockaddr_decode(const uint8_t *bytes, size_t length, bool big_endian, struct intern *strings, struct event_address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (length < FAMILY_BYTES)
		return;
	ret->family = big_endian ? get_be16(bytes) : get_le16(bytes);
	ret->kind = ADDRESS_OTHER;
	if (ret->family == FAMILY_INET && length >= INET_BYTES)
		decode_inet(bytes, ret);
	else if (ret->family == FAMILY_INET6 && length >= INET6_BYTES)
		decode_inet6(bytes, length, big_endian, ret);
	else if (ret->family == FAMILY_UNIX)
		decode_unix(bytes, length, strings, ret);
	else if (ret->family == FAMILY_NETLINK && length >= NETLINK_BYTES)
		ret->kind = ADDRESS_NETLINK;
}
