// SPDX-License-Identifier: MIT
#include "base/buffer.h"
#include "ingest/alert.h"
#include "ingest/ingest.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

struct parsed {
	struct alert_vector alerts;
	struct alert_report report;
	int result;
};

static struct parsed parse(const char *text, size_t length)
{
	struct parsed p = { .result = 0 };
	// An exact copy, so that a read beyond the end is seen by the sanitizer.
	char *copy = malloc(length ? length : 1);

	memcpy(copy, text, length);
	p.result = alert_parse_eve(copy, length, &p.alerts, &p.report, NULL);
	free(copy);
	return p;
}

static struct parsed parse_string(const char *text)
{
	return parse(text, strlen(text));
}

static const char *address_text(const struct event_address *a)
{
	static struct buffer out;

	buffer_clear(&out);
	address_format(&out, a, NULL, true);
	return buffer_string(&out);
}

// As Suricata 7 writes it (payload and flow counters shortened).
static const char full[] =
	"{\"timestamp\":\"2026-11-20T10:06:00.123456+0900\",\"flow_id\":1868733164183321,\"in_iface\":\"eth0\",\"event_type\":\"alert\","
	"\"src_ip\":\"192.0.2.31\",\"src_port\":50412,\"dest_ip\":\"10.0.0.5\",\"dest_port\":443,\"proto\":\"TCP\",\"pkt_src\":\"wire/pcap\","
	"\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":2027758,\"rev\":2,\"signature\":\"ET MALWARE \\u0022beacon\\u0022\","
	"\"category\":\"A Network Trojan was detected\",\"severity\":1},\"app_proto\":\"tls\",\"direction\":\"to_server\","
	"\"flow\":{\"pkts_toserver\":4,\"start\":\"2026-11-20T10:05:59.9+0900\",\"src_ip\":\"192.0.2.31\",\"dest_ip\":\"10.0.0.5\","
	"\"src_port\":50412,\"dest_port\":443}}\n";

static void test_full(void)
{
	struct parsed p = parse_string(full);

	CHECK_EQUAL(p.result, 0);
	CHECK_EQUAL(p.alerts.count, 1);
	const struct alert *a = &p.alerts.items[0];

	CHECK_EQUAL(a->time_ns, 1795136760123456000); // 2026-11-20T01:06:00.123456Z
	CHECK_EQUAL(a->line, 1);
	CHECK_STRING(address_text(&a->source), "192.0.2.31:50412");
	CHECK_STRING(address_text(&a->destination), "10.0.0.5:443");
	CHECK_STRING(a->protocol, "TCP");
	CHECK_STRING(a->signature, "ET MALWARE \"beacon\"");
	CHECK_EQUAL(a->signature_id, 2027758);
	CHECK_EQUAL(a->flow_id, 1868733164183321);
	CHECK_EQUAL(a->severity, 1);
	CHECK(a->to_server);
	alert_vector_release(&p.alerts);
}

static const char *head = "{\"timestamp\":\"2026-11-20T01:06:00Z\",\"event_type\":\"alert\",";

static struct parsed parse_rest(const char *rest)
{
	char line[2048];

	(void)snprintf(line, sizeof(line), "%s%s", head, rest);
	return parse_string(line);
}

static void test_variants(void)
{
	struct parsed p = parse_rest("\"src_ip\":\"2001:db8::1\",\"dest_ip\":\"::ffff:10.0.0.5\",\"proto\":\"ICMP\",\"direction\":\"to_client\"}");

	CHECK_EQUAL(p.alerts.count, 1);
	CHECK_STRING(address_text(&p.alerts.items[0].source), "2001:db8::1");
	CHECK_STRING(address_text(&p.alerts.items[0].destination), "10.0.0.5");
	CHECK_EQUAL(p.alerts.items[0].destination.port, 0);
	CHECK(!p.alerts.items[0].to_server);
	CHECK_STRING(p.alerts.items[0].signature, "");
	alert_vector_release(&p.alerts);

	p = parse_rest("\"flow\":{\"src_ip\":\"192.0.2.1\",\"src_port\":1,\"dest_ip\":\"10.0.0.5\",\"dest_port\":99999}}");
	CHECK_EQUAL(p.alerts.count, 1);
	CHECK_STRING(address_text(&p.alerts.items[0].source), "192.0.2.1:1");
	CHECK_EQUAL(p.alerts.items[0].destination.port, 0); // no such port
	alert_vector_release(&p.alerts);

	// A signature is cut between characters, and at a NUL.
	char long_rest[1200] = "\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"10.0.0.5\",\"alert\":{\"severity\":-1,\"signature\":\"a";

	for (int i = 0; i < 200; i++)
		strcat(long_rest, "\xc3\xa9"); // U+00E9
	strcat(long_rest, "\"}}");
	p = parse_rest(long_rest);
	CHECK_EQUAL(p.alerts.count, 1);
	CHECK_EQUAL(strlen(p.alerts.items[0].signature), 255);
	CHECK_EQUAL((unsigned char)p.alerts.items[0].signature[254], 0xa9);
	CHECK_EQUAL(p.alerts.items[0].severity, 0);
	alert_vector_release(&p.alerts);

	// Overlong forms, which json-c lets pass.
	p = parse_rest("\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"10.0.0.5\",\"alert\":{\"signature\":\"a\xc1\xa9z\"}}");
	CHECK_EQUAL(p.alerts.count, 1);
	CHECK_STRING(p.alerts.items[0].signature, "a\xef\xbf\xbd\xef\xbf\xbdz");
	alert_vector_release(&p.alerts);

	p = parse_rest("\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"10.0.0.5\",\"alert\":{\"signature\":\"a\\u0000b\"}}");
	CHECK_EQUAL(p.alerts.count, 1);
	CHECK_STRING(p.alerts.items[0].signature, "a");
	alert_vector_release(&p.alerts);
}

static void test_times(void)
{
	static const struct { const char *text; uint64_t ns; } good[] = {
		{ "2026-11-20T10:06:00.123456+0900", 1795136760123456000 }, { "2026-11-20T10:06:00.123456+09:00", 1795136760123456000 },
		{ "2026-11-20T01:06:00.123456Z", 1795136760123456000 },	    { "2026-11-19T22:06:00.123456-03", 1795136760123456000 },
		{ "2026-11-20T06:51:00+0545", 1795136760000000000 },	    { "2026-11-20T01:06:00.1234567891Z", 1795136760123456789 },
		{ "2024-02-29T00:00:00Z", 1709164800000000000 },	    { "1970-01-01T00:00:00Z", 0 },
	};
	static const char *const bad[] = { "2026-11-20T10:06:00.123456", "2026-11-20 10:06:00Z", "2026-13-20T10:06:00Z", "2026-11-20T24:06:00Z", "",
					   "2026-11-20T10:06:00.123456+9", "2026-11-20T10:06:00+09000", "2026-11-20T10:06:00+09:0", "1969-12-31T23:00:00Z",
					   "1795136760", "2026-11-20T10:06:00Zjunk", "20261120T100600Z" };
	char line[512];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(line, sizeof(line), "{\"timestamp\":\"%s\",\"event_type\":\"alert\",\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"10.0.0.5\"}",
			       good[i].text);
		struct parsed p = parse_string(line);

		CHECK_EQUAL(p.alerts.count, 1);
		if (p.alerts.count == 1)
			CHECK_EQUAL(p.alerts.items[0].time_ns, good[i].ns);
		alert_vector_release(&p.alerts);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(line, sizeof(line), "{\"timestamp\":\"%s\",\"event_type\":\"alert\",\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"10.0.0.5\"}", bad[i]);
		struct parsed p = parse_string(line);

		CHECK_EQUAL(p.alerts.count, 0);
		CHECK_EQUAL(p.report.rejected, 1);
		CHECK_STRING(p.report.first_reason, "alert without a readable timestamp");
	}
}

static void test_rejected(void)
{
	static const char *const bad[] = {
		"not json",
		"{",
		"{}",
		"[1]",
		"{\"event_type\":\"alert\"} trailing",
		"{\"event_type\":\"alert\"}{}",
		"{'event_type':'alert'}",
		"{\"event_type\":\"alert\",}",
		"{\"event_type\":NaN}",
		"{\"event_type\":1}",
		"{\"event_type\":\"alert\xff\"}",
		"{\"timestamp\":\"2026-11-20T01:06:00Z\",\"event_type\":\"alert\",\"src_ip\":\"10.0.0.5\"}",
		"{\"timestamp\":\"2026-11-20T01:06:00Z\",\"event_type\":\"alert\",\"src_ip\":\"10.0.0.5\\u0000\",\"dest_ip\":\"10.0.0.5\"}",
		"{\"timestamp\":\"2026-11-20T01:06:00Z\",\"event_type\":\"alert\",\"src_ip\":5,\"dest_ip\":\"10.0.0.5\"}",
		"{\"timestamp\":\"2026-11-20T01:06:00Z\",\"event_type\":\"alert\",\"flow\":7}",
	};
	struct buffer deep = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct parsed p = parse_string(bad[i]);

		CHECK_EQUAL(p.result, 0);
		CHECK_EQUAL(p.alerts.count, 0);
		CHECK_EQUAL(p.report.rejected, 1);
		CHECK_EQUAL(p.report.first_rejected_line, 1);
		CHECK(p.report.first_reason && p.report.first_reason[0]);
	}
	for (int i = 0; i < 100000; i++)
		buffer_add_byte(&deep, '[');
	struct parsed p = parse(deep.bytes, deep.length);

	CHECK_EQUAL(p.report.rejected, 1);
	buffer_release(&deep);
}

static void test_file(void)
{
	struct buffer text = { 0 };

	buffer_add_string(&text, "{\"timestamp\":\"2026-11-20T01:06:00Z\",\"event_type\":\"dns\"}\r\n\n   \n");
	buffer_add_string(&text, full);
	buffer_add_string(&text, "{\"broken\n");
	buffer_add(&text, full, sizeof(full) - 2); // the last line without a newline
	struct parsed p = parse(text.bytes, text.length);

	CHECK_EQUAL(p.report.lines, 6);
	CHECK_EQUAL(p.report.other, 1);
	CHECK_EQUAL(p.report.alerts, 2);
	CHECK_EQUAL(p.report.rejected, 1);
	CHECK_EQUAL(p.report.first_rejected_line, 5);
	CHECK_EQUAL(p.alerts.count, 2);
	CHECK_EQUAL(p.alerts.items[0].line, 4);
	CHECK_EQUAL(p.alerts.items[1].line, 6);
	alert_vector_release(&p.alerts);
	buffer_release(&text);

	p = parse("", 0);
	CHECK_EQUAL(p.report.lines, 0);
	CHECK_EQUAL(p.alerts.count, 0);
}

int main(void)
{
	test_full();
	test_variants();
	test_times();
	test_rejected();
	test_file();
	return unit_end();
}
