// SPDX-License-Identifier: MIT
#include "base/memory.h"
#include "base/nanotime.h"
#include "ingest/ingest.h"
#include "ingest/needle.h"
#include "tests/unit/audit_lines.h"
#include "tests/unit/unit.h"

static const uint64_t all = NANOTIME_NONE;

struct seen_event { uint64_t serial, earliest_ns, latest_ns; uint32_t host, epoch, pid, log; size_t addresses, paths, evidence; bool partial; enum event_kind kind; };
VECTOR_DEFINE(seen_vector, struct seen_event)

struct finder {
	struct folder folder;
	struct intern *strings;
	struct source *source;
	struct seen_vector seen;
	struct find_report report;
	struct error err;
	size_t stop_after;
};

static int on_event(void *context, const struct event *e, struct error *err)
{
	struct finder *f = context;
	struct seen_event s = { .serial = e->serial, .earliest_ns = e->earliest_ns, .latest_ns = e->latest_ns, .host = e->host,
				.epoch = e->epoch, .pid = e->pid, .addresses = e->address_count, .paths = e->path_count,
				.evidence = e->evidence_count, .partial = e->present & EVENT_PARTIAL, .kind = e->kind,
				.log = e->evidence_count > 0 ? e->evidence[0].log : 0 };

	(void)err;
	if (seen_vector_append(&f->seen, s) < 0)
		abort();
	return f->stop_after > 0 && f->seen.count == f->stop_after;
}

static struct finder finder_make(void)
{
	return (struct finder){ .folder = folder_make(), .strings = intern_new() };
}

static void finder_write(struct finder *f, const char *name, struct lines *l)
{
	(void)folder_write(&f->folder, name, l->text.bytes, l->text.length);
	buffer_release(&l->text);
}

static void finder_open(struct finder *f)
{
	const char *path = f->folder.path;

	f->source = source_open_files(&path, 1, (struct source_options){ 0 }, f->strings, &f->err);
	CHECK(f->source != NULL);
	if (!f->source)
		fprintf(stderr, "%s\n", f->err.message);
}

static void find(struct finder *f, const struct find_keys *keys, uint64_t before_ns, struct find_limit limit)
{
	f->seen.count = 0;
	if (!f->source)
		return;
	CHECK_EQUAL(source_find(f->source, keys, before_ns, limit, on_event, f, &f->report, &f->err), 0);
}

static void finder_end(struct finder *f)
{
	source_free(f->source);
	folder_remove(&f->folder);
	seen_vector_release(&f->seen);
	intern_free(f->strings);
}

static struct find_keys address_keys(const char *text, uint16_t port)
{
	struct find_keys keys = { .by_address = true, .port = port };

	CHECK_EQUAL(address_parse(text, &keys.address, NULL), 0);
	return keys;
}

static bool newest_first(const struct finder *f)
{
	for (size_t i = 1; i < f->seen.count; i++) {
		if (f->seen.items[i].earliest_ns > f->seen.items[i - 1].earliest_ns)
			return false;
	}
	return true;
}

// ---- needles

static size_t find_by_hand(const char *const *needles, size_t count, const char *bytes, size_t length, size_t from, size_t *ret_which)
{
	for (size_t at = from; at < length; at++) {
		for (size_t i = 0; i < count; i++) {
			if (length - at >= strlen(needles[i]) && memcmp(bytes + at, needles[i], strlen(needles[i])) == 0) {
				*ret_which = i;
				return at;
			}
		}
	}
	return length;
}

static void test_needles(void)
{
	static const char *const words[] = { "ab", "a", "bab", "aaaa", "cabcab", "bbbbbbbbb" };
	struct needles n = { .count = 0 };
	bool vectors_agree = true;

	CHECK(!needles_add(&n, "", 0));
	srand(3);
	for (size_t count = 1; count <= 6; count++) {
		CHECK(needles_add(&n, words[count - 1], strlen(words[count - 1])));
		for (int round = 0; round < 2000; round++) {
			size_t length = (size_t)rand() % 200, which = 9, expected_which = 9;
			char *bytes AUTO_FREE = malloc(length + 1); // exact, for the sanitizer

			for (size_t i = 0; i < length; i++)
				bytes[i] = "abc"[rand() % (round % 3 + 1)];
			size_t from = length ? (size_t)rand() % length : 0;
			size_t expected = find_by_hand(words, count, bytes, length, from, &expected_which);

			if (needles_find(&n, bytes, length, from, &which) != expected || which != expected_which)
				vectors_agree = false;
		}
	}
	CHECK(vectors_agree);
	CHECK_EQUAL(n.longest, 9);
}

// ---- addresses

static void test_addresses(void)
{
	struct finder f = finder_make();
	struct lines l = { .node = NULL };
	uint64_t t = LINES_START_MS;
	struct find_keys keys;

	lines_connect(&l, t, 1, 10, "020001BB0A0000050000000000000000");
	lines_connect(&l, t + 10, 2, 11, "020000500a0000050000000000000000");                                       // other tools write lower case
	lines_connect(&l, t + 20, 3, 12, "0A0001BB0000000000000000000000000000FFFF0A00000500000000"); // ::ffff:10.0.0.5
	lines_connect(&l, t + 30, 4, 13, "0A0001BB0000000020010DB800000000000000000000000100000000"); // 2001:db8::1
	lines_connect(&l, t + 40, 5, 14, "020001BB0A0000060000000000000000");                                       // a neighbour
	lines_connect(&l, t + 50, 6, 15, "01002F72756E2F0A0000050000");                                             // a path that looks like it
	lines_login(&l, t + 60, 7, 16, "10.0.0.5");
	lines_login(&l, t + 70, 8, 17, "10.0.0.53");
	lines_connect(&l, t + 80, 9, 18, "020001BB0A00000500000000");
	lines_connect(&l, t + 90, 10, 19, "0200");
	lines_open(&l, t + 100, 11, 20, "/tmp/saddr=020001BB0A0000050000000000000000", 7); // a file of that name
	finder_write(&f, "audit.log", &l);
	finder_open(&f);

	keys = address_keys("10.0.0.5", 0);
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 5);
	CHECK(newest_first(&f));
	CHECK_EQUAL(f.seen.items[0].serial, 9);
	CHECK_EQUAL(f.seen.items[1].kind, EVENT_CLAIM);
	CHECK_EQUAL(f.seen.items[4].serial, 1);
	CHECK_EQUAL(f.seen.items[4].pid, 10);
	CHECK(f.report.complete);
	keys = address_keys("::ffff:10.0.0.5", 443);
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 3); // a claim has no port
	keys = address_keys("2001:db8::1", 0);
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 1);
	CHECK_EQUAL(f.seen.items[0].serial, 4);
	keys = address_keys("10.0.0.7", 0);
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 0);
	CHECK(f.report.complete);

	// Borders of time: the moment itself belongs to it.
	keys = address_keys("10.0.0.5", 0);
	find(&f, &keys, LINES_NS(t + 20), (struct find_limit){ .not_before_ns = LINES_NS(t + 10) });
	CHECK_EQUAL(f.seen.count, 2);
	CHECK_EQUAL(f.seen.items[0].serial, 3);
	CHECK_EQUAL(f.seen.items[1].serial, 2);
	find(&f, &keys, LINES_NS(t - 1), (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 0);
	f.stop_after = 1;
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 1);
	f.stop_after = 0;

	struct address_seen *seen = NULL;
	size_t count = 0;

	CHECK_EQUAL(source_addresses(f.source, 0, all, &seen, &count, NULL, &f.err), 0);
	CHECK_EQUAL(count, 4);
	if (count == 4) {
		CHECK_EQUAL(seen[0].count, 3); // 10.0.0.5:443
		CHECK_EQUAL(seen[0].address.port, 443);
		CHECK_EQUAL(seen[0].first_ns, LINES_NS(t));
		CHECK_EQUAL(seen[0].last_ns, LINES_NS(t + 80));
		CHECK(address_same_host(&seen[0].address, &keys.address));
		CHECK_EQUAL(seen[1].count, 1);
		CHECK_EQUAL(seen[3].address.kind, ADDRESS_IPV6);
	}
	free(seen);
	CHECK_EQUAL(source_addresses(f.source, LINES_NS(t + 40), LINES_NS(t + 80), &seen, &count, NULL, &f.err), 0);
	CHECK_EQUAL(count, 1); // half open
	free(seen);
	finder_end(&f);
}

// ---- pids and inodes

static void test_pids(void)
{
	struct finder f = finder_make();
	struct lines l = { .node = NULL };
	uint32_t pids[] = { 42, 4711, 5, 6 };
	struct find_keys keys = { .pids = pids, .pid_count = 1 };
	struct find_inode const inodes[] = { { 0xfd00001, 78 }, { 0xfd00001, 79 }, { 0xfd00002, 80 } };

	lines_fork(&l, LINES_START_MS, 1, 1, 42);
	lines_open(&l, LINES_START_MS + 10, 2, 42, "/etc/a", 77);
	lines_open(&l, LINES_START_MS + 20, 3, 420, "/etc/b", 78);
	lines_fork(&l, LINES_START_MS + 30, 4, 420, 4711);
	lines_open(&l, LINES_START_MS + 40, 5, 4711, "/etc/c pid=42 inode=78 x", 80);
	lines_open(&l, LINES_START_MS + 50, 6, 43, "/etc/d", 79);
	lines_login(&l, LINES_START_MS + 60, 7, 42, "192.0.2.1");
	finder_write(&f, "audit.log", &l);
	finder_open(&f);
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 3); // the fork that made it, its open, its login
	if (f.seen.count == 3) {
		CHECK_EQUAL(f.seen.items[0].serial, 7);
		CHECK_EQUAL(f.seen.items[1].serial, 2);
		CHECK_EQUAL(f.seen.items[2].serial, 1);
	}
	keys.pid_count = 4;
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 5);
	keys = (struct find_keys){ .inodes = inodes, .inode_count = 1 };
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 1);
	keys.inode_count = 3; // the third one is of another device
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 2);
	keys = (struct find_keys){ .host = 9999, .inodes = inodes, .inode_count = 3 };
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 0);
	keys = (struct find_keys){ .pid_count = 0 };
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 0);
	finder_end(&f);
}

// ---- many blocks

static void on_count(struct lines *l, uint64_t ms, unsigned serial)
{
	char saddr[40];

	if (serial % 97 == 0) {
		(void)snprintf(saddr, sizeof(saddr), "020001BB0A0000%02X0000000000000000", serial % 5);
		lines_connect(l, ms, serial, 100 + serial % 300, saddr);
	} else {
		lines_open(l, ms, serial, 100 + serial % 300, "/usr/lib/x86_64-linux-gnu/libc.so.6", 1000 + serial % 700);
	}
}

// What scan() and a filter find, find() finds too; over several files and blocks.
struct brute { const struct find_keys *keys; uint64_t before_ns; struct seen_vector seen; };

static int on_scanned(void *context, const struct event *e, struct error *err)
{
	struct brute *b = context;
	bool match = false;

	(void)err;
	for (size_t i = 0; i < e->address_count && b->keys->by_address; i++)
		match |= address_same_host(&e->addresses[i], &b->keys->address);
	for (size_t i = 0; i < b->keys->pid_count; i++)
		match |= e->kind == EVENT_SYSCALL && e->pid == b->keys->pids[i];
	for (size_t i = 0; i < e->path_count; i++) {
		for (size_t k = 0; k < b->keys->inode_count; k++)
			match |= e->paths[i].inode == b->keys->inodes[k].inode;
	}
	if (match && e->earliest_ns <= b->before_ns &&
	    seen_vector_append(&b->seen, (struct seen_event){ .serial = e->serial, .addresses = e->address_count, .paths = e->path_count, .earliest_ns = e->earliest_ns }) < 0)
		abort();
	return 0;
}

static int by_serial(const void *a, const void *b)
{
	const struct seen_event *x = a, *y = b;

	return (x->serial > y->serial) - (x->serial < y->serial);
}

static void check_against_scan(struct finder *f, const struct find_keys *keys, uint64_t before_ns)
{
	struct brute b = { .keys = keys, .before_ns = before_ns };
	bool same = true;

	CHECK_EQUAL(source_scan(f->source, 0, all, on_scanned, &b, NULL, &f->err), 0);
	find(f, keys, before_ns, (struct find_limit){ 0 });
	CHECK_EQUAL(f->seen.count, b.seen.count);
	CHECK(b.seen.count > 0);
	qsort(f->seen.items, f->seen.count, sizeof(*f->seen.items), by_serial);
	qsort(b.seen.items, b.seen.count, sizeof(*b.seen.items), by_serial);
	for (size_t i = 0; i < b.seen.count && i < f->seen.count; i++) {
		if (f->seen.items[i].serial != b.seen.items[i].serial || f->seen.items[i].addresses != b.seen.items[i].addresses ||
		    f->seen.items[i].paths != b.seen.items[i].paths) {
			same = false;
			break;
		}
	}
	CHECK(same);
	seen_vector_release(&b.seen);
}

static void test_many_blocks(void)
{
	struct finder f = finder_make();
	const char *const names[] = { "audit.log.2", "audit.log.1", "audit.log" };
	uint32_t pids[] = { 150, 151, 152 };
	struct find_inode const inodes[] = { { 0xfd00001, 1003 }, { 0xfd00001, 1204 }, { 0xfd00001, 1699 } };
	uint64_t ms = LINES_START_MS;
	unsigned serial = 1;

	srand(11);
	for (size_t i = 0; i < 3; i++) {
		struct lines l = { .node = NULL };

		for (unsigned n = 0; n < 6000; n++, serial++) {
			ms += (unsigned)rand() % 30;
			on_count(&l, ms, serial);
		}
		finder_write(&f, names[i], &l);
	}
	finder_open(&f);
	for (int round = 0; round < 8; round++) {
		uint64_t before = round < 2 ? all : LINES_NS(LINES_START_MS + (uint64_t)rand() % (ms - LINES_START_MS) + 50000);
		struct find_keys keys = address_keys("10.0.0.3", 0);

		check_against_scan(&f, &keys, before);
		keys = (struct find_keys){ .pids = pids, .pid_count = 1 + (size_t)round % 3 };
		check_against_scan(&f, &keys, before);
		keys = (struct find_keys){ .inodes = inodes, .inode_count = 1 + (size_t)round % 3 };
		check_against_scan(&f, &keys, before);
	}
	// A limit in bytes is kept and told; what lies near the end is found within it.
	struct find_keys keys = address_keys("10.0.0.3", 0);

	find(&f, &keys, all, (struct find_limit){ .max_bytes = 2 << 20 });
	CHECK(!f.report.complete);
	CHECK(f.report.bytes >= 2 << 20 && f.report.bytes <= 3 << 20);
	CHECK(f.seen.count > 0 && f.seen.count < 36);
	CHECK(f.report.reached_ns > LINES_NS(LINES_START_MS) && f.report.reached_ns < LINES_NS(ms));
	find(&f, &keys, all, (struct find_limit){ .not_before_ns = LINES_NS(ms - 10000) });
	CHECK(f.report.complete);
	CHECK(f.report.bytes < 3 << 20);
	f.stop_after = 1;
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 1);
	CHECK(f.report.bytes <= 1 << 20);
	finder_end(&f);
}

// ---- records that stand far apart

static void test_far_apart(void)
{
	struct finder f = finder_make();
	struct lines l = { .node = NULL };
	uint32_t pid = 77;
	struct find_keys keys = address_keys("10.0.0.5", 0), by_pid = { .pids = &pid, .pid_count = 1 };
	unsigned serial = 2;

	for (unsigned i = 0; i < 3000; i++, serial++)
		lines_open(&l, LINES_START_MS + serial, serial, 1000, "/etc/hosts", 7);
	unsigned split = serial++;

	// As with a full backlog: the first record, 16,000 other lines, the others.
	lines_syscall(&l, LINES_START_MS + split, split, 42, -115, 0, 77);
	for (unsigned i = 0; i < 4000; i++, serial++)
		lines_open(&l, LINES_START_MS + split + i / 4, serial, 1000, "/etc/hosts", 7);
	lines_head(&l, "SOCKADDR", LINES_START_MS + split, split);
	buffer_add_string(&l.text, "saddr=020001BB0A0000050000000000000000\n");
	lines_title(&l, LINES_START_MS + split, split);
	for (unsigned i = 0; i < 3000; i++, serial++)
		lines_open(&l, LINES_START_MS + serial, serial, 1000, "/etc/hosts", 7);
	finder_write(&f, "audit.log", &l);
	finder_open(&f);
	for (int i = 0; i < 2; i++) {
		find(&f, i ? &by_pid : &keys, all, (struct find_limit){ 0 });
		CHECK_EQUAL(f.seen.count, 1);
		if (f.seen.count == 1) {
			CHECK_EQUAL(f.seen.items[0].pid, 77);
			CHECK_EQUAL(f.seen.items[0].addresses, 1);
			CHECK(!f.seen.items[0].partial);
		}
	}
	finder_end(&f);
}

// The address stands in the first line of a log, the call in the last line of the one before.
static void test_across_rotation(void)
{
	struct finder f = finder_make();
	struct lines old = { .node = NULL }, new = { .node = NULL };
	uint32_t pid = 77;
	struct find_keys keys = address_keys("10.0.0.5", 0), by_pid = { .pids = &pid, .pid_count = 1 };

	for (unsigned i = 0; i < 500; i++)
		lines_open(&old, LINES_START_MS + i, 100 + i, 1000, "/etc/hosts", 7);
	lines_syscall(&old, LINES_START_MS + 500, 600, 42, 0, 0, 77);
	lines_head(&new, "SOCKADDR", LINES_START_MS + 500, 600);
	buffer_add_string(&new.text, "saddr=020001BB0A0000050000000000000000\n");
	lines_title(&new, LINES_START_MS + 500, 600);
	for (unsigned i = 0; i < 500; i++)
		lines_open(&new, LINES_START_MS + 501 + i, 601 + i, 1000, "/etc/hosts", 7);
	finder_write(&f, "audit.log.1", &old);
	finder_write(&f, "audit.log", &new);
	finder_open(&f);
	for (int i = 0; i < 2; i++) {
		find(&f, i ? &by_pid : &keys, all, (struct find_limit){ 0 });
		CHECK_EQUAL(f.seen.count, 1);
		if (f.seen.count == 1) {
			CHECK_EQUAL(f.seen.items[0].pid, 77);
			CHECK_EQUAL(f.seen.items[0].addresses, 1);
			CHECK_EQUAL(f.seen.items[0].log, 0);
		}
	}
	finder_end(&f);
}

// ---- several logs of one time, and boots

static void test_two_hosts(void)
{
	struct finder f = finder_make();
	struct lines a = { .node = "web01" }, b = { .node = "db01" };
	struct find_keys keys = address_keys("10.0.0.5", 0);

	for (unsigned i = 0; i < 20000; i++) {
		if (i % 1000 == 1)
			lines_connect(i % 2000 == 1 ? &a : &b, LINES_START_MS + i, i + 1, 50, "020001BB0A0000050000000000000000");
		else
			lines_open(i % 2 ? &a : &b, LINES_START_MS + i, i + 1, 1000, "/etc/hosts", 7);
	}
	finder_write(&f, "audit.log.web", &a);
	finder_write(&f, "audit.log.db", &b);
	finder_open(&f);
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 20);
	// Blocks of the two logs alternate: newest first up to a block's time, here 1 MiB or some 1,200 events of each.
	for (size_t i = 1; i < f.seen.count; i++)
		CHECK(f.seen.items[i].earliest_ns < f.seen.items[i - 1].earliest_ns + LINES_NS(3000));
	keys.host = intern_find(f.strings, "web01", 5);
	CHECK(keys.host != 0);
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 10);
	finder_end(&f);
}

static int ignore(void *context, const struct event *e, struct error *err)
{
	(void)context;
	(void)e;
	(void)err;
	return 0;
}

static void test_boots(void)
{
	struct finder f = finder_make();
	struct lines l = { .node = NULL };
	uint32_t pid = 1000;
	struct find_keys keys = { .pids = &pid, .pid_count = 1 };
	uint64_t ms = LINES_START_MS;

	// Three boots; in each, pid 1000 opens a file now and then. The second one is longer than the first, which serials do not show.
	for (unsigned boot = 0; boot < 3; boot++) {
		for (unsigned i = 0; i < 4000 + 1000 * boot; i++)
			lines_open(&l, ms + i * 10, 1 + i, i % 500 == 3 ? 1000 : 2000, "/etc/hosts", 7);
		ms += 200000;
	}
	finder_write(&f, "audit.log", &l);
	finder_open(&f);
	CHECK_EQUAL(source_scan(f.source, LINES_NS(ms - 200000 + 20000), LINES_NS(ms), ignore, NULL, NULL, &f.err), 0);
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, 8 + 10 + 12);
	for (size_t i = 0; i < f.seen.count; i++) {
		uint32_t expected = i < 12 ? 0 : i < 22 ? UINT32_MAX : UINT32_MAX - 1;

		CHECK_EQUAL(f.seen.items[i].epoch, expected);
	}
	finder_end(&f);
}

// ---- recorded logs

// What scan() and find() say about a real log, and about the same log rotated in pieces, is the same.
static void test_recorded(const char *sample)
{
	struct finder f = finder_make();
	const char *root = getenv("SRCDIR");
	char path[512];
	struct find_keys keys = address_keys("10.0.0.5", 0);
	uint32_t pids[] = { 1, 1, 1 };
	struct completeness c = { .bytes = 0 };
	struct buffer text = { 0 };

	(void)snprintf(path, sizeof(path), "%s/samples/%s", root ? root : ".", sample);
	const char *paths[1] = { path };

	f.source = source_open_files(paths, 1, (struct source_options){ 0 }, f.strings, &f.err);
	CHECK(f.source != NULL);
	if (!f.source) {
		fprintf(stderr, "%s\n", f.err.message);
		finder_end(&f);
		return;
	}
	CHECK(source_note(f.source, 0) == NULL);
	CHECK_EQUAL(source_scan(f.source, 0, all, on_event, &f, &c, &f.err), 0);
	CHECK_EQUAL(c.rejected, 0);
	CHECK_EQUAL(c.duplicate, 0);
	CHECK(c.events >= 20000 || strstr(sample, "few-rules"));
	uint64_t whole = f.seen.count, events = c.events;

	check_against_scan(&f, &keys, all);
	pids[0] = pids[1] = pids[2] = f.seen.items[0].pid;
	keys = (struct find_keys){ .pids = pids, .pid_count = 1 };
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK(f.seen.count > 1);
	size_t by_digits = f.seen.count;

	keys.pid_count = 3; // by "pid=" and a look at the number
	find(&f, &keys, all, (struct find_limit){ 0 });
	CHECK_EQUAL(f.seen.count, by_digits);

	// The text, log after log, cut into pieces between lines.
	for (size_t log = 0; log < source_log_count(f.source); log++) {
		char hex[65];
		uint64_t from, to;

		CHECK_EQUAL(source_log_digest(f.source, log, hex, &from, &to, &f.err), 0);
		for (uint64_t at = from; at < to; at += 65536) {
			struct evidence_ref part = { .log = (uint32_t)log, .offset = at, .length = to - at < 65536 ? (uint32_t)(to - at) : 65536 };

			CHECK_EQUAL(source_evidence(f.source, &part, &text, &f.err), 0);
		}
	}
	CHECK_EQUAL(text.length, c.bytes);
	for (size_t i = 0, start = 0; i < 5; i++) {
		size_t end = i == 4 ? text.length : text.length / 5 * (i + 1);
		char name[32];

		while (end < text.length && text.bytes[end - 1] != '\n')
			end++;
		(void)snprintf(name, sizeof(name), i == 4 ? "audit.log" : "audit.log.%zu", 4 - i);
		(void)folder_write(&f.folder, name, text.bytes + start, end - start);
		start = end;
	}
	buffer_release(&text);
	completeness_release(&c);
	source_free(f.source);
	finder_open(&f);
	f.seen.count = 0;
	CHECK_EQUAL(source_scan(f.source, 0, all, on_event, &f, &c, &f.err), 0);
	CHECK_EQUAL(f.seen.count, whole);
	CHECK_EQUAL(c.events, events);
	CHECK_EQUAL(c.rejected, 0);
	CHECK_EQUAL(c.duplicate, 0);
	keys = address_keys("10.0.0.5", 0);
	check_against_scan(&f, &keys, all);
	completeness_release(&c);
	finder_end(&f);
}

int main(void)
{
	test_recorded("mail-attachment/audit.log.zst");
	test_recorded("mail-attachment-few-rules");
	test_needles();
	test_addresses();
	test_pids();
	test_many_blocks();
	test_far_apart();
	test_across_rotation();
	test_two_hosts();
	test_boots();
	return unit_end();
}
