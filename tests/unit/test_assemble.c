// SPDX-License-Identifier: MIT
// Which lines make one event, which boot it is of, what is missing: the rules of ingest/host_state.h.
#include "tests/unit/parse_lines.h"
#include "tests/unit/unit.h"

#include "base/buffer.h"

#include <inttypes.h>

#define SECOND UINT64_C(1000) /* times are in ms since START */
#define START UINT64_C(1795263326000)

static struct buffer text;

static void head(const char *node, const char *type, uint64_t ms, uint64_t serial)
{
	if (node)
		buffer_printf(&text, "node=%s ", node);
	buffer_printf(&text, "type=%s msg=audit(%" PRIu64 ".%03u:%" PRIu64 "): ", type, (START + ms) / 1000, (unsigned)((START + ms) % 1000), serial);
}

static void call_of(const char *node, uint64_t ms, uint64_t serial, unsigned items)
{
	head(node, "SYSCALL", ms, serial);
	buffer_printf(&text, "arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=7f0b300940b1 a2=80000 a3=0 items=%u ppid=1 pid=%u "
		      "auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=9 comm=\"x\" exe=\"/x\" key=(null)\n",
		      items, 1000 + (unsigned)(serial % 100));
}

static void call(uint64_t ms, uint64_t serial, unsigned items)
{
	call_of(NULL, ms, serial, items);
}

static void path(uint64_t ms, uint64_t serial, unsigned item)
{
	head(NULL, "PATH", ms, serial);
	buffer_printf(&text, "item=%u name=\"/f%u\" inode=7 dev=fe:00 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL\n", item, item);
}

static struct parsed run(void)
{
	struct parsed p;

	parsed_init(&p, buffer_string(&text), text.length, 0);
	CHECK_EQUAL(p.result, 0);
	CHECK_STRING(p.err.message, "");
	CHECK_EQUAL(p.c.records + p.c.rejected, p.c.lines);
	CHECK_EQUAL(p.c.bytes, text.length);
	buffer_clear(&text);
	return p;
}

static size_t count_kind(const struct parsed *p, enum event_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < p->store.count; i++)
		count += p->store.items[i]->kind == kind;
	return count;
}

static size_t count_cause(const struct parsed *p, enum gap_cause cause)
{
	size_t count = 0;

	for (size_t i = 0; i < p->c.gaps.count; i++)
		count += p->c.gaps.items[i].cause == cause;
	return count;
}

// The task slept in audit_log_start between two of its records: 16,338 lines in a measured log.
static void test_far_apart(void)
{
	call(0, 100, 2);
	path(0, 100, 0);
	for (unsigned i = 1; i <= 16338; i++)
		call(i, 100 + i, 0);
	path(0, 100, 1);
	struct parsed p = run();
	const struct event *e = parsed_find(&p, 100);

	CHECK_EQUAL(p.store.count, 16339);
	CHECK(e && e->path_count == 2 && e->paths[1].item == 1 && !(e->present & EVENT_PARTIAL));
	CHECK(e && e->evidence_count == 2 && e->evidence[0].offset == 0 && e->evidence[1].offset > 1000000);
	CHECK(e && e->latest_ns == (START + 16338) * 1000000);
	CHECK_EQUAL(p.c.partial, 0);
	parsed_release(&p);
}

// Events of 209 calls of a measured log began with a serial one or two below what had been seen. Order is by serial.
static void test_order(void)
{
	static const unsigned serials[] = {10, 12, 11, 14, 13, 15};

	for (size_t i = 0; i < 6; i++)
		call(1000 - serials[i], serials[i], 0);
	struct parsed p = run();

	CHECK_EQUAL(p.store.count, 6);
	for (size_t i = 0; i < p.store.count; i++) {
		CHECK_EQUAL(p.store.items[i]->serial, 10 + i);
		CHECK_EQUAL(p.store.items[i]->epoch, 0);
	}
	parsed_release(&p);
}

// [earliest, latest]: the entry's stamp, and the largest stamp that had been written by the event's last line.
static void test_interval(void)
{
	call(500, 1, 0);
	call(100, 2, 1); // entered long ago, e.g. accept()
	call(700, 3, 0);
	path(100, 2, 0);
	call(600, 4, 0);
	struct parsed p = run();
	const struct event *blocked = parsed_find(&p, 2), *last = parsed_find(&p, 4);

	CHECK(blocked && blocked->earliest_ns == (START + 100) * 1000000 && blocked->latest_ns == (START + 700) * 1000000);
	CHECK(last && last->earliest_ns == (START + 600) * 1000000 && last->latest_ns == (START + 700) * 1000000);
	CHECK_EQUAL(p.c.first_ns, (START + 100) * 1000000);
	CHECK_EQUAL(p.c.last_ns, (START + 700) * 1000000);
	parsed_release(&p);
}

// The same serials and times on two hosts are two events each; hosts have epochs and gaps of their own.
static void test_hosts(void)
{
	for (unsigned i = 0; i < 50; i++) {
		call_of("web", i, 100 + i, 0);
		call_of("db", i, 100 + i, 0);
		if (i % 2)
			call_of(NULL, i, 100 + i / 2, 0);
	}
	struct parsed p = run();
	uint32_t web = intern_find(p.strings, "web", 3);
	size_t of_web = 0;

	CHECK_EQUAL(p.store.count, 125);
	for (size_t i = 0; i < p.store.count; i++)
		of_web += p.store.items[i]->host == web;
	CHECK_EQUAL(of_web, 50);
	CHECK_EQUAL(p.c.serials_missing, 0);
	parsed_release(&p);
}

// More hosts than windows fit: each keeps what it has, and the number of hosts has a limit that is told.
static void test_many_hosts(void)
{
	char node[32];

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 1200; i++) {
			(void)snprintf(node, sizeof(node), "h%u", i);
			call_of(node, round, 5 + round, 0);
		}
	}
	struct parsed p = run();

	CHECK_EQUAL(p.store.count, 2 * 1024);
	CHECK_EQUAL(p.c.rejected, 2 * 176);
	CHECK_STRING(p.c.rejected_first[0].reason, "too many different node= names");
	parsed_release(&p);
}

static void test_reboot(void)
{
	for (unsigned i = 0; i < 200; i++)
		call(i, 5000 + i, 0);
	for (unsigned i = 0; i < 20; i++)
		call(60 * SECOND + i, 3 + i, 0);
	struct parsed p = run();

	CHECK_EQUAL(p.store.count, 220);
	CHECK_EQUAL(p.store.items[199]->epoch, 0);
	CHECK_EQUAL(p.store.items[200]->epoch, 1);
	CHECK_EQUAL(p.store.items[200]->serial, 3);
	CHECK_EQUAL(p.c.serials_missing, 0);
	parsed_release(&p);
}

// A machine that was reverted, clock and all: serials and stamps fall back together. What was before does not stretch what follows.
static void test_revert(void)
{
	for (unsigned i = 0; i < 100; i++)
		call(10000 * SECOND + i, 90000 + i, 0);
	for (unsigned i = 0; i < 100; i++)
		call(1000 * SECOND + i, 40000 + i, 0);
	struct parsed p = run();
	const struct event *e = parsed_find(&p, 40050);

	CHECK_EQUAL(p.store.count, 200);
	CHECK(e && e->epoch == 1 && e->latest_ns == e->earliest_ns);
	CHECK_EQUAL(p.c.serials_missing, 0);
	parsed_release(&p);
	for (unsigned i = 0; i < 10; i++)
		call(10000 * SECOND + i, 500 + i, 0);
	head(NULL, "DAEMON_START", 5 * SECOND, 4744);
	buffer_add_string(&text, "op=start ver=3.0.9 format=raw kernel=6.1.0 auid=4294967295 pid=1 uid=0 ses=4294967295 res=success\n");
	for (unsigned i = 0; i < 10; i++)
		call(5 * SECOND + i, 490 + i, 0); // booted with a wrong clock
	p = run();
	e = parsed_find(&p, 495);
	CHECK(e && e->epoch == 1 && e->latest_ns == e->earliest_ns);
	parsed_release(&p);
}

// A short boot, then another: the serials are near, but DAEMON_START says so. A restart of auditd alone is no boot.
static void test_daemon_start(void)
{
	call(0, 10, 0);
	call(1, 11, 0);
	head(NULL, "DAEMON_END", 1000, 7777);
	buffer_add_string(&text, "op=terminate auid=0 uid=0 ses=4294967295 pid=1 res=success\n");
	head(NULL, "DAEMON_START", 30 * SECOND, 4744);
	buffer_add_string(&text, "op=start ver=3.0.9 format=raw kernel=6.1.0 auid=4294967295 pid=1 uid=0 ses=4294967295 res=success\n");
	call(30 * SECOND, 12, 0); // auditd was restarted
	call(30 * SECOND + 1, 14, 0);
	call(30 * SECOND + 1, 13, 0); // out of order, which is no boot
	head(NULL, "DAEMON_START", 90 * SECOND, 100);
	buffer_add_string(&text, "op=start ver=3.0.9 format=raw kernel=6.1.0 auid=4294967295 pid=1 uid=0 ses=4294967295 res=success\n");
	call(90 * SECOND, 9, 0); // the machine was
	call(90 * SECOND + 1, 10, 0);
	head(NULL, "DAEMON_START", 190 * SECOND, 5000);
	buffer_add_string(&text, "op=start ver=3.0.9 format=raw kernel=6.2.0 auid=4294967295 pid=1 uid=0 ses=4294967295 res=success\n");
	call(190 * SECOND, 50, 0); // with another kernel: no doubt, whatever the serial
	struct parsed p = run();
	const struct event *const *e = (const struct event *const *)p.store.items;

	CHECK_EQUAL(p.store.count, 12);
	CHECK_EQUAL(count_kind(&p, EVENT_DAEMON), 4);
	CHECK_EQUAL(p.c.daemon_starts, 3);
	CHECK_EQUAL(count_cause(&p, GAP_DAEMON_DOWN), 1);
	CHECK(p.c.gaps.count == 1 && p.c.gaps.items[0].from_ns == (START + 1000) * 1000000 && p.c.gaps.items[0].to_ns == (START + 30000) * 1000000);
	CHECK(e[2]->kind == EVENT_DAEMON && e[2]->trust == TRUST_CLAIMED && e[3]->kind == EVENT_DAEMON && e[4]->serial == 12);
	CHECK(e[4]->epoch == 0 && e[5]->epoch == 0 && e[6]->epoch == 0 && e[6]->serial == 14);
	CHECK(e[p.store.count - 1]->serial == 50 && e[p.store.count - 1]->epoch == 2);
	CHECK_EQUAL(p.c.serials_missing, 0);
	parsed_release(&p);
}

// Serials are unsigned int in the kernel.
static void test_wrap(void)
{
	for (unsigned i = 0; i < 10; i++)
		call(i, (uint32_t)(UINT32_MAX - 4 + i), 0);
	struct parsed p = run();

	CHECK_EQUAL(p.store.count, 10);
	CHECK_EQUAL(p.store.items[4]->serial, UINT32_MAX);
	CHECK_EQUAL(p.store.items[5]->serial, 0);
	CHECK_EQUAL(p.store.items[9]->epoch, 0);
	CHECK_EQUAL(p.c.serials_missing, 0);
	parsed_release(&p);
}

// One damaged line: another serial, or another time. It is an event of its own and nothing else changes.
static void test_damage(void)
{
	for (unsigned i = 0; i < 40; i++) {
		call(i, 1000 + i, 1);
		if (i == 10)
			path(i, 4000000000u, 0);
		else if (i == 20)
			path(i + UINT64_C(4000000) * SECOND, 1000 + i, 0);
		else if (i == 30)
			path(i, 3, 0);
		else
			path(i, 1000 + i, 0);
	}
	struct parsed p = run();
	const struct event *e = parsed_find(&p, 1039);

	CHECK_EQUAL(p.store.count, 43);
	CHECK_EQUAL(p.c.partial, 6);
	CHECK_EQUAL(p.c.serials_missing, 0);
	CHECK(e && e->epoch == 0 && e->latest_ns == (START + 39) * 1000000);
	CHECK_EQUAL(p.c.last_ns, (START + 39) * 1000000);
	parsed_release(&p);
}

// auditd was down for an hour, the kernel went on counting: a leap that a second event confirms.
static void test_leap(void)
{
	for (unsigned i = 0; i < 10; i++)
		call(i, 100 + i, 0);
	for (unsigned i = 0; i < 10; i++)
		call(7200 * SECOND + i, 900000 + i, 0);
	for (unsigned i = 0; i < 10; i++)
		call(7220 * SECOND + i, 900010 + i, 0);
	struct parsed p = run();

	CHECK_EQUAL(count_kind(&p, EVENT_SYSCALL), 30);
	CHECK_EQUAL(count_kind(&p, EVENT_GAP), 1);
	CHECK_EQUAL(p.c.serials_missing, 900000 - 110);
	CHECK_EQUAL(count_cause(&p, GAP_SERIALS_MISSING), 1);
	CHECK_EQUAL(p.c.gaps.items[0].first_serial, 110);
	CHECK_EQUAL(p.c.gaps.items[0].last_serial, 899999);
	CHECK(p.c.gaps.items[0].from_ns == (START + 9) * 1000000 && p.c.gaps.items[0].to_ns == (START + 7200000) * 1000000);
	CHECK_EQUAL(p.store.items[20]->epoch, 0);
	parsed_release(&p);
}

// Missing only once 10 s of later log time have passed.
static void test_missing_at_end(void)
{
	call(0, 1, 0);
	call(1, 3, 0);
	call(9 * SECOND, 4, 0);
	struct parsed p = run();

	CHECK_EQUAL(p.c.serials_missing, 0);
	parsed_release(&p);
	call(0, 1, 0);
	call(1, 3, 0);
	call(11 * SECOND, 4, 0);
	p = run();
	CHECK_EQUAL(p.c.serials_missing, 1);
	CHECK_EQUAL(p.store.items[p.store.count - 1]->kind, EVENT_GAP);
	CHECK_EQUAL(p.store.items[p.store.count - 1]->gap.count, 1);
	parsed_release(&p);
}

// Reading begins in the middle of a log: the rest of an old event comes first. What lies between was not read, it is not missing.
static void test_missing_at_start(void)
{
	path(0, 100, 1);
	call(1, 5000, 0);
	call(2, 5001, 0);
	call(60 * SECOND, 5002, 0);
	struct parsed p = run();
	const struct event *e = parsed_find(&p, 100);

	CHECK_EQUAL(p.c.serials_missing, 0);
	CHECK(e && (e->present & EVENT_PARTIAL) && e->kind == EVENT_SYSCALL && !(e->present & EVENT_HAS_SYSCALL) && e->path_count == 1);
	parsed_release(&p);
}

// A line so late that its place is gone fills the hole that it had left.
static void test_late_line(void)
{
	call(0, 1, 0);
	for (unsigned i = 3; i < 20000; i++)
		call(i / 100, i, 0);
	call(0, 2, 0);
	call(60 * SECOND, 20000, 0);
	struct parsed p = run();

	CHECK_EQUAL(count_kind(&p, EVENT_SYSCALL), 20000);
	CHECK_EQUAL(p.c.serials_missing, 0);
	parsed_release(&p);
}

static void test_rejected(void)
{
	call(0, 1, 0);
	buffer_add_string(&text, "\n----\ntype=SYSCALL msg=audit(1.0:1): x\n");
	buffer_add(&text, "\0\0\0\n", 4);
	call(5, 2, 0);
	for (size_t i = 0; i < 20; i++)
		buffer_add_string(&text, "garbage\n");
	buffer_add_string(&text, "cut without newline");
	struct parsed p = run();

	CHECK_EQUAL(p.c.lines, 27);
	CHECK_EQUAL(p.c.rejected, 25);
	CHECK_EQUAL(p.c.rejected_first[0].line, 2);
	CHECK_STRING(p.c.rejected_first[0].reason, "empty line");
	CHECK_STRING(p.c.rejected_first[1].reason, "no type= at the start");
	CHECK_STRING(p.c.rejected_first[2].reason, "time without three digits of milliseconds");
	CHECK_EQUAL(p.c.rejected_first[9].line, 12);
	CHECK_EQUAL(count_cause(&p, GAP_REJECTED), 2);
	CHECK(p.c.gaps.items[0].count == 4 && p.c.gaps.items[0].from_ns == START * 1000000 && p.c.gaps.items[0].to_ns == (START + 5) * 1000000);
	parsed_release(&p);
}

static void test_long_line(void)
{
	call(0, 1, 0);
	for (size_t i = 0; i < 10u << 20; i++)
		buffer_add_byte(&text, 'A');
	buffer_add_byte(&text, '\n');
	call(0, 2, 0);
	size_t length = text.length;
	char *bytes = malloc(length);
	size_t pieces[] = {0, 70000, 1000, 4096, 65536, 65537};

	memcpy(bytes, buffer_string(&text), length);
	buffer_clear(&text);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct parsed p;

		parsed_init(&p, bytes, length, pieces[i]);
		CHECK_EQUAL(p.result, 0);
		CHECK_EQUAL(p.c.lines, 3);
		CHECK_EQUAL(p.c.rejected, 1);
		CHECK_EQUAL(p.c.rejected_first[0].line, 2);
		CHECK_EQUAL(p.store.count, 2);
		CHECK_EQUAL(p.c.bytes, length);
		parsed_release(&p);
	}
	free(bytes);
}

static void test_stop(void)
{
	struct parsed p;

	for (unsigned i = 0; i < 40000; i++)
		call(i, i + 1, 0);
	memset(&p, 0, sizeof(p));
	p.strings = intern_new();
	p.stop_after = 5;
	parsed_feed(&p, buffer_string(&text), text.length, 0);
	CHECK_EQUAL(p.result, 1);
	CHECK_EQUAL(p.store.count, 5);
	parsed_release(&p);
	buffer_clear(&text);
}

static void config(uint64_t ms, uint64_t serial, const char *body)
{
	head(NULL, "CONFIG_CHANGE", ms, serial);
	buffer_printf(&text, "%s\n", body);
}

static void test_ledger(void)
{
	call(0, 1, 0);
	config(1000, 2, "op=set lost=0 old=12 auid=0 ses=1 res=1");
	config(2000, 3, "lost=0 old=0 auid=0 ses=1 res=1"); // old kernels
	config(3000, 4, "op=set audit_enabled=0 old=1 auid=0 ses=1 res=1");
	config(9000, 5, "op=set audit_enabled=1 old=0 auid=0 ses=1 res=1");
	config(9500, 6, "auid=0 ses=1 subj=unconfined op=remove_rule key=\"k\" list=4 res=1");
	config(9600, 7, "op=set lost=0 old=99 auid=0 ses=1 res=0"); // refused
	struct parsed p = run();
	const struct event *e = parsed_find(&p, 6), *off = parsed_find(&p, 4);

	CHECK(p.c.loss_ledger);
	CHECK_EQUAL(p.c.kernel_lost, 12);
	CHECK_EQUAL(p.c.config_changes, 6);
	CHECK_EQUAL(count_cause(&p, GAP_KERNEL_LOST), 1);
	CHECK_EQUAL(count_cause(&p, GAP_CONFIG), 2);
	CHECK(e && e->kind == EVENT_CONFIG && (e->present & EVENT_HAS_KEY));
	CHECK_STRING(parsed_string(&p, e ? e->claim_op : 0), "remove_rule");
	CHECK_STRING(parsed_string(&p, off ? off->claim_unit : 0), "audit_enabled=0 old=1");
	parsed_release(&p);
	call(0, 1, 0);
	p = run();
	CHECK(!p.c.loss_ledger);
	parsed_release(&p);
}

// Logs that were made to hurt: memory and time stay bounded, counts stay right.
static void test_hostile_serials(void)
{
	for (unsigned i = 0; i < 30000; i++)
		call(i, (uint32_t)(i * 2654435761u), 0); // every line a leap
	struct parsed p = run();

	CHECK_EQUAL(count_kind(&p, EVENT_SYSCALL), 30000);
	parsed_release(&p);
	for (unsigned i = 0; i < 45000; i++)
		call(i * 20, 1 + 2 * i, 0); // every second missing
	p = run();
	CHECK_EQUAL(count_kind(&p, EVENT_SYSCALL), 45000);
	CHECK(p.c.serials_missing > 44000);
	CHECK(p.c.gaps.count <= 65536);
	parsed_release(&p);
}

static void test_hostile_event(void)
{
	call(0, 1, 2000000000);
	for (unsigned i = 0; i < 5000; i++)
		path(0, 1, 4000 - i % 4001);
	for (unsigned i = 0; i < 3000; i++) {
		head(NULL, "EXECVE", 0, 1);
		buffer_printf(&text, "a%u=\"x\" a4000000000=\"y\" a%u[0]=\"z\"\n", i, i);
		head(NULL, "OBJ_PID", 0, 1);
		buffer_printf(&text, "opid=%u ocomm=\"x\" opid=%u\n", i, i);
		head(NULL, "SOCKADDR", 0, 1);
		buffer_add_string(&text, "saddr=020001BB0A000005\n");
		call(1, 2, 0);
	}
	struct parsed p = run();
	const struct event *e = parsed_find(&p, 1);

	CHECK(e && (e->present & EVENT_PARTIAL) && e->path_count == 1024 && e->target_count == 256 && e->address_count == 16);
	CHECK(e && e->evidence_count == 256);
	CHECK_EQUAL(p.store.count, 2);
	parsed_release(&p);
}

int main(void)
{
	test_far_apart();
	test_order();
	test_interval();
	test_hosts();
	test_many_hosts();
	test_reboot();
	test_revert();
	test_daemon_start();
	test_wrap();
	test_damage();
	test_leap();
	test_missing_at_end();
	test_missing_at_start();
	test_late_line();
	test_rejected();
	test_long_line();
	test_stop();
	test_ledger();
	test_hostile_serials();
	test_hostile_event();
	buffer_release(&text);
	return unit_end();
}
