// SPDX-License-Identifier: MIT
#include "base/buffer.h"
#include "ingest/ingest.h"
#include "tests/unit/unit.h"

static const char *round_trip(const char *text, bool with_port, uint16_t port)
{
	static struct buffer out;
	struct event_address a;
	struct error err = { "" };

	buffer_clear(&out);
	if (address_parse(text, &a, &err) < 0) {
		buffer_printf(&out, "error: %s", err.message);
		return buffer_string(&out);
	}
	a.port = port;
	address_format(&out, &a, NULL, with_port);
	return buffer_string(&out);
}

static void test_good(void)
{
	struct event_address a;

	CHECK_STRING(round_trip("10.0.0.5", false, 0), "10.0.0.5");
	CHECK_STRING(round_trip("[10.0.0.5]", false, 0), "10.0.0.5");
	CHECK_STRING(round_trip("::ffff:10.0.0.5", false, 0), "10.0.0.5");
	CHECK_STRING(round_trip("::FFFF:0a00:0005", false, 0), "10.0.0.5");
	CHECK_STRING(round_trip("2001:0DB8:0::1", false, 0), "2001:db8::1");
	CHECK_STRING(round_trip("[2001:db8::1]", true, 443), "[2001:db8::1]:443");
	CHECK_STRING(round_trip("2001:db8::1", true, 0), "2001:db8::1");
	CHECK_STRING(round_trip("10.0.0.5", true, 65535), "10.0.0.5:65535");
	CHECK_STRING(round_trip("fe80::1%2", true, 22), "[fe80::1%2]:22");
	CHECK_STRING(round_trip("::1", false, 0), "::1");
	CHECK_STRING(round_trip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, 0), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	CHECK_EQUAL(address_parse("::ffff:10.0.0.5", &a, NULL), 0);
	CHECK_EQUAL(a.kind, ADDRESS_IPV4);
	CHECK(a.mapped);
	CHECK_EQUAL(a.ip[0], 10);
	CHECK_EQUAL(a.ip[3], 5);
}

static void test_bad(void)
{
	static const char *const bad[] = { "", "[]", "10.0.0", "10.0.0.256", "010.0.0.5x", "example.org", "10.0.0.0/24", "10.0.0.5:443", ":::", "2001:db8::g",
					   "fe80::1%eth0", "fe80::1%", "fe80::1%99999999999", "[10.0.0.5", " 10.0.0.5",
					   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct event_address a = { .kind = ADDRESS_NETLINK };
		struct error err = { "" };

		CHECK_EQUAL(address_parse(bad[i], &a, &err), -1);
		CHECK(err.message[0] != '\0');
		CHECK_EQUAL(a.kind, ADDRESS_NETLINK); // untouched
	}
	CHECK_STRING(round_trip("10.0.0.0/24", false, 0), "error: \"10.0.0.0/24\" is a network; one address is wanted");
	CHECK_STRING(round_trip("10.0.0.5:443", false, 0), "error: \"10.0.0.5:443\" is no IP address; the port has an option of its own");
}

static void test_same_host(void)
{
	struct event_address a, b, none = { .kind = ADDRESS_NONE };

	(void)address_parse("10.0.0.5", &a, NULL);
	(void)address_parse("::ffff:10.0.0.5", &b, NULL);
	a.port = 1;
	b.port = 2;
	CHECK(address_same_host(&a, &b));
	(void)address_parse("10.0.0.6", &b, NULL);
	CHECK(!address_same_host(&a, &b));
	(void)address_parse("2001:db8::1", &a, NULL);
	(void)address_parse("2001:db8::2", &b, NULL);
	CHECK(!address_same_host(&a, &b));
	CHECK(address_same_host(&a, &a));
	CHECK(!address_same_host(&none, &none));
}

static void test_other_kinds(void)
{
	struct intern *strings = intern_new();
	struct event_address a = { .kind = ADDRESS_UNIX, .path = intern_add(strings, "/run/\x1b[31mx", 10) };
	struct buffer out = { 0 };

	address_format(&out, &a, strings, true);
	CHECK_STRING(buffer_string(&out), "unix:/run/\\x1b[31m");
	buffer_clear(&out);
	a.kind = ADDRESS_UNIX_ABSTRACT;
	a.path = intern_add(strings, "b\0c", 3);
	address_format(&out, &a, strings, true);
	CHECK_STRING(buffer_string(&out), "unix:@b\\x00c");
	buffer_clear(&out);
	a = (struct event_address){ .kind = ADDRESS_OTHER, .family = 17 };
	address_format(&out, &a, strings, true);
	CHECK_STRING(buffer_string(&out), "address family 17");
	buffer_release(&out);
	intern_free(strings);
}

int main(void)
{
	test_good();
	test_bad();
	test_same_host();
	test_other_kinds();
	return unit_end();
}
