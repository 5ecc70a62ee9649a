// SPDX-License-Identifier: MIT
// Logs that a disk gave back: whole events, half events, forged lines; against the log before anything was removed from it.
#include "base/fileio.h"
#include "base/nanotime.h"
#include "ingest/ingest.h"
#include "tests/unit/audit_lines.h"
#include "tests/unit/unit.h"

#define EVENTS 400u
#define FIRST 1000u
#define MS(i) (LINES_START_MS + (i) * 1000u)
#define SADDR "0200115C0A000005000000000000000000" /* 10.0.0.5:4444 */

static int temporary(const struct buffer *text)
{
	struct error err;
	int fd = fileio_temporary(&err);

	if (fd < 0 || fileio_write_fd(fd, text->bytes, text->length, "test", &err) < 0)
		abort();
	return fd;
}

// Event i: every tenth is a connect to 10.0.0.5, the others are opens.
static void add_event(struct lines *l, unsigned i)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "/srv/file-%u", i);
	if (i % 10 == 5)
		lines_connect(l, MS(i), FIRST + i, 500 + i % 7, SADDR);
	else
		lines_open(l, MS(i), FIRST + i, 500 + i % 7, name, 100 + i);
}

struct seen { uint64_t serials, recovered, partial, connects, recovered_serial_sum; size_t records; char forged[64]; };

static int on_event(void *context, const struct event *e, struct error *err)
{
	struct seen *s = context;

	(void)err;
	if (e->kind != EVENT_SYSCALL)
		return 0;
	s->serials++;
	s->recovered += e->recovered;
	s->recovered_serial_sum += e->recovered ? e->serial : 0;
	s->partial += (e->present & EVENT_PARTIAL) != 0;
	s->connects += e->op == OP_CONNECT && e->address_count == 1;
	s->records += e->path_count;
	return 0;
}

static int on_found(void *context, const struct event *e, struct error *err)
{
	struct seen *s = context;

	(void)err;
	s->serials++;
	s->recovered += e->recovered;
	s->connects += e->op == OP_CONNECT && e->address_count == 1;
	return 0;
}

static struct seen scan(struct source *source, struct completeness *c)
{
	struct seen s = {0};
	struct error err;

	*c = (struct completeness){0};
	CHECK_EQUAL(source_scan(source, 0, NANOTIME_NONE, on_event, &s, c, &err), 0);
	return s;
}

// The log without what `removed` says of event i and record k of it; those go to `other`.
static void split(bool (*removed)(unsigned i, unsigned k), struct lines *kept, struct lines *other)
{
	for (unsigned i = 0; i < EVENTS; i++) {
		struct lines one = {{0}, NULL};
		unsigned k = 0;

		add_event(&one, i);
		for (const char *at = one.text.bytes, *end = at + one.text.length; at < end; k++) {
			const char *newline = memchr(at, '\n', (size_t)(end - at));

			buffer_add(&(removed(i, k) ? other : kept)->text, at, (size_t)(newline + 1 - at));
			at = newline + 1;
		}
		buffer_release(&one.text);
	}
}

static bool whole_events(unsigned i, unsigned k) { (void)k; return i >= 200 && i < 230; }
static bool syscalls_of_connects(unsigned i, unsigned k) { return i % 10 == 5 && k == 0; }
static bool addresses(unsigned i, unsigned k) { return i % 10 == 5 && k == 1; }
static bool nothing(unsigned i, unsigned k) { (void)i; (void)k; return false; }

static void check_given_back(bool (*removed)(unsigned i, unsigned k), uint64_t events_touched)
{
	struct lines kept = {{0}, NULL}, other = {{0}, NULL};
	struct intern *strings = intern_new();
	struct completeness c;
	struct error err;

	split(removed, &kept, &other);
	struct source_log given = {.name = "audit.log", .fd = temporary(&kept.text)}, back = {.name = "h:/audit.log (recovered)", .recovered = true};
	struct source *source = source_open_logs(&given, 1, (struct source_options){0}, strings, &err);

	CHECK(source != NULL);
	if (events_touched > 0) {
		back.fd = temporary(&other.text);
		CHECK_EQUAL(source_add(source, &back, &err), 0);
	}
	CHECK_EQUAL(source_log_count(source), events_touched > 0 ? 2 : 1);
	struct seen s = scan(source, &c);

	CHECK_EQUAL(s.serials, EVENTS);
	CHECK_EQUAL(s.recovered, events_touched);
	CHECK_EQUAL(s.partial, 0);
	CHECK_EQUAL(s.connects, EVENTS / 10);
	CHECK_EQUAL(c.serials_missing, 0);
	CHECK_EQUAL(c.gaps.count, 0);
	CHECK(!completeness_loss_in(&c, 0, NANOTIME_NONE));
	completeness_release(&c);

	// find() puts halves together, too.
	struct find_keys keys = {.by_address = true, .address = {.kind = ADDRESS_IPV4, .ip = {10, 0, 0, 5}}};
	struct find_report report;
	struct seen found = {0};

	CHECK_EQUAL(source_find(source, &keys, NANOTIME_NONE, (struct find_limit){0}, on_found, &found, &report, &err), 0);
	CHECK_EQUAL(found.serials, EVENTS / 10);
	CHECK_EQUAL(found.connects, EVENTS / 10);
	source_free(source);
	intern_free(strings);
	buffer_release(&kept.text);
	buffer_release(&other.text);
}

// Without the disk the same log is known to lack serials: the test above could not fail else.
static void check_loss_without(void)
{
	struct lines kept = {{0}, NULL}, other = {{0}, NULL};
	struct intern *strings = intern_new();
	struct completeness c;
	struct error err;

	split(whole_events, &kept, &other);
	struct source_log given = {.name = "audit.log", .fd = temporary(&kept.text)};
	struct source *source = source_open_logs(&given, 1, (struct source_options){0}, strings, &err);
	struct seen s = scan(source, &c);

	CHECK_EQUAL(s.serials, EVENTS - 30);
	CHECK_EQUAL(c.serials_missing, 30);
	completeness_release(&c);
	source_free(source);
	intern_free(strings);
	buffer_release(&kept.text);
	buffer_release(&other.text);
}

struct forged { struct source *source; unsigned lines; };

static int leave_out(void *context, size_t log, uint64_t offset, const char *bytes, size_t length, struct error *err)
{
	struct forged *f = context;

	f->lines++;
	return memmem(bytes, length, "/srv/innocent", 13) ? source_leave_out(f->source, log, offset, err) : 0;
}

static int on_name(void *context, const struct event *e, struct error *err)
{
	struct intern *strings = context;

	(void)err;
	if (e->kind == EVENT_SYSCALL && e->serial == FIRST + 42) {
		CHECK(e->recovered);
		CHECK_EQUAL(e->path_count, 1);
		CHECK_STRING(intern_string(strings, e->paths[0].name), "/srv/file-42");
	}
	return 0;
}

static void check_forged(void)
{
	struct lines log = {{0}, NULL}, was = {{0}, NULL};
	struct intern *strings = intern_new();
	struct error err;

	for (unsigned i = 0; i < EVENTS; i++) {
		struct lines one = {{0}, NULL};

		add_event(&one, i);
		char *name = i == 42 ? memmem(one.text.bytes, one.text.length, "/srv/file-42", 12) : NULL;

		if (name) {
			buffer_add(&log.text, one.text.bytes, (size_t)(name - one.text.bytes));
			buffer_add_string(&log.text, "/srv/innocent");
			buffer_add(&log.text, name + 12, one.text.length - (size_t)(name + 12 - one.text.bytes));
			lines_path(&was, MS(i), FIRST + i, "/srv/file-42", 100 + i);
		} else {
			buffer_add(&log.text, one.text.bytes, one.text.length);
		}
		buffer_release(&one.text);
	}
	struct source_log given = {.name = "audit.log", .fd = temporary(&log.text)}, back = {.name = "recovered", .fd = temporary(&was.text), .recovered = true};
	struct source *source = source_open_logs(&given, 1, (struct source_options){0}, strings, &err);
	struct forged forged = {.source = source};

	CHECK(source != NULL);
	CHECK_EQUAL(source_lines(source, leave_out, &forged, &err), 0);
	CHECK_EQUAL(forged.lines, EVENTS / 10 * (9 * 4 + 3));
	CHECK_EQUAL(source_add(source, &back, &err), 0);
	CHECK_EQUAL(source_scan(source, 0, NANOTIME_NONE, on_name, strings, NULL, &err), 0);
	source_free(source);
	intern_free(strings);
	buffer_release(&log.text);
	buffer_release(&was.text);
}

struct counted { unsigned count; size_t longest; };

static int count_line(void *context, size_t log, uint64_t offset, const char *bytes, size_t length, struct error *err)
{
	struct counted *c = context;

	(void)log;
	(void)offset;
	(void)bytes;
	(void)err;
	c->count++;
	c->longest = length > c->longest ? length : c->longest;
	return 0;
}

// Lines of a mebibyte, no newline at the end, NUL bytes: each is one line.
static void check_long_lines(void)
{
	struct lines log = {{0}, NULL};
	struct intern *strings = intern_new();
	struct counted c = {0};
	struct error err;

	add_event(&log, 1);
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned k = 0; k < 1u << 20; k++)
			buffer_add_byte(&log.text, k % 100 ? 'x' : '\0');
		buffer_add_byte(&log.text, '\n');
	}
	add_event(&log, 2);
	buffer_add_string(&log.text, "no newline");
	struct source_log given = {.name = "audit.log", .fd = temporary(&log.text)};
	struct source *source = source_open_logs(&given, 1, (struct source_options){0}, strings, &err);

	CHECK_EQUAL(source_lines(source, count_line, &c, &err), 0);
	CHECK_EQUAL(c.count, 4 + 3 + 4 + 1);
	CHECK_EQUAL(c.longest, 65536);
	source_free(source);
	intern_free(strings);
	buffer_release(&log.text);
}

// Only what a disk gave back; or nothing at all.
static void check_alone(void)
{
	struct lines log = {{0}, NULL};
	struct intern *strings = intern_new();
	struct completeness c;
	struct error err;

	for (unsigned i = 0; i < 20; i++)
		add_event(&log, i);
	struct source_log logs[2] = {{.name = "audit.log", .fd = fileio_temporary(&err)}, {.name = "recovered", .fd = temporary(&log.text), .recovered = true}};
	struct source *source = source_open_logs(logs, 2, (struct source_options){0}, strings, &err);

	CHECK(source != NULL);
	struct seen s = scan(source, &c);

	CHECK_EQUAL(s.serials, 20);
	CHECK_EQUAL(s.recovered, 20);
	completeness_release(&c);
	source_free(source);
	logs[0].fd = fileio_temporary(&err);
	CHECK(source_open_logs(logs, 1, (struct source_options){0}, strings, &err) == NULL);
	CHECK(strstr(err.message, "audit.log: is empty: no audit record to read") != NULL);
	intern_free(strings);
	buffer_release(&log.text);
}

int main(void)
{
	check_given_back(nothing, 0);
	check_given_back(whole_events, 30);
	check_given_back(syscalls_of_connects, EVENTS / 10);
	check_given_back(addresses, EVENTS / 10);
	check_loss_without();
	check_forged();
	check_long_lines();
	check_alone();
	return unit_end();
}
