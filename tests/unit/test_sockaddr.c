// SPDX-License-Identifier: MIT
#include "ingest/fields.h"
#include "ingest/sockaddr.h"
#include "tests/unit/unit.h"

static struct intern *strings;

static struct event_address decode(const char *hex, bool big_endian)
{
	uint8_t bytes[SOCKADDR_MAX_BYTES];
	struct event_address a;

	CHECK(hex_decode(hex, strlen(hex), bytes));
	sockaddr_decode(bytes, strlen(hex) / 2, big_endian, strings, &a);
	return a;
}

static void check_v4(const char *hex, bool big_endian, const char *ip, uint16_t port, bool mapped)
{
	struct event_address a = decode(hex, big_endian);
	char text[32];

	(void)snprintf(text, sizeof(text), "%u.%u.%u.%u", a.ip[0], a.ip[1], a.ip[2], a.ip[3]);
	CHECK_EQUAL(a.kind, ADDRESS_IPV4);
	CHECK_STRING(text, ip);
	CHECK_EQUAL(a.port, port);
	CHECK_EQUAL(a.mapped, mapped);
}

static void check_kind(const char *hex, enum address_family_kind kind, uint16_t family)
{
	struct event_address a = decode(hex, false);

	CHECK_EQUAL(a.kind, kind);
	CHECK_EQUAL(a.family, family);
}

static void check_unix(const char *hex, enum address_family_kind kind, const char *path, size_t length)
{
	struct event_address a = decode(hex, false);

	CHECK_EQUAL(a.kind, kind);
	CHECK_EQUAL(intern_length(strings, a.path), length);
	CHECK(intern_length(strings, a.path) == length && memcmp(intern_string(strings, a.path), path, length) == 0);
}

static void test_inet(void)
{
	check_v4("0200270F7F0000010000000000000000", false, "127.0.0.1", 9999, false);
	check_v4("020001BB0A000005", false, "10.0.0.5", 443, false);            // without sin_zero
	check_v4("000201BB0A0000050000000000000000", true, "10.0.0.5", 443, false); // s390x, ppc64
	check_kind("020001BB0A0000", ADDRESS_OTHER, 2);
	check_kind("0200", ADDRESS_OTHER, 2);
}

static void test_inet6(void)
{
	struct event_address a = decode("0A0001BB0000000020010DB800000000000000000000000100000000", false);

	CHECK(a.kind == ADDRESS_IPV6 && a.port == 443 && a.ip[0] == 0x20 && a.ip[15] == 1 && !a.mapped);
	a = decode("0A00005000000000FE80000000000000000000000000000103000000", false);
	CHECK_EQUAL(a.scope, 3);
	a = decode("0A00005000000000FE800000000000000000000000000001", false); // SIN6_LEN_RFC2133
	CHECK(a.kind == ADDRESS_IPV6 && a.scope == 0);
	check_v4("0A0001BB0000000000000000000000000000FFFF0A00000500000000", false, "10.0.0.5", 443, true);
	check_kind("0A00005000000000FE8000000000000000000000000000", ADDRESS_OTHER, 10); // one byte short
	check_kind("0A00", ADDRESS_OTHER, 10);
}

static void test_unix(void)
{
	check_unix("01002F72756E2F78", ADDRESS_UNIX, "/run/x", 6); // not terminated
	check_unix("01002F72756E2F78002F676172626167650000", ADDRESS_UNIX, "/run/x", 6);
	check_unix("0100", ADDRESS_UNIX, "", 0); // unnamed
	check_unix("01000070726F7667726170682074657374", ADDRESS_UNIX_ABSTRACT, "provgraph test", 14);
	check_unix("010000610062", ADDRESS_UNIX_ABSTRACT, "a\0b", 3);
	check_unix("0100000000000000", ADDRESS_UNIX, "", 0); // only padding
	check_unix("0100006162000000", ADDRESS_UNIX_ABSTRACT, "ab", 2);
	check_unix("01006162", ADDRESS_UNIX, "ab", 2); // a relative path is not an abstract name
}

static void test_others(void)
{
	check_kind("100000000000000000000000", ADDRESS_NETLINK, 16);
	check_kind("1000000000000000", ADDRESS_OTHER, 16);
	check_kind("1100000000", ADDRESS_OTHER, 17);
	check_kind("0000", ADDRESS_OTHER, 0); // AF_UNSPEC: connect() that undoes a connect()
	check_kind("02", ADDRESS_NONE, 0);
	check_kind("", ADDRESS_NONE, 0);
}

int main(void)
{
	strings = intern_new();
	test_inet();
	test_inet6();
	test_unix();
	test_others();
	intern_free(strings);
	return unit_end();
}
