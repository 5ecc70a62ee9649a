// SPDX-License-Identifier: MIT
#include "base/fileio.h"
#include "base/memory.h"
#include "base/nanotime.h"
#include "ingest/ingest.h"
#include "tests/unit/audit_lines.h"
#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <zlib.h>
#include <zstd.h>

static const uint64_t all = NANOTIME_NONE;

struct seen_event { uint64_t serial, earliest_ns, latest_ns; uint32_t host, epoch, pid; size_t paths; bool partial; struct evidence_ref ref; };
VECTOR_DEFINE(seen_vector, struct seen_event)

struct opened {
	struct intern *strings;
	struct source *source;
	struct error err;
	struct seen_vector seen;
	struct completeness c;
	size_t stop_after;
};

static int on_event(void *context, const struct event *e, struct error *err)
{
	struct opened *o = context;
	struct seen_event s = { .serial = e->serial, .earliest_ns = e->earliest_ns, .latest_ns = e->latest_ns, .host = e->host, .epoch = e->epoch,
				.pid = e->pid, .paths = e->path_count, .partial = e->present & EVENT_PARTIAL };

	(void)err;
	if (e->kind != EVENT_SYSCALL && e->kind != EVENT_CLAIM)
		return 0;
	if (e->evidence_count > 0)
		s.ref = e->evidence[0];
	if (seen_vector_append(&o->seen, s) < 0)
		abort();
	return o->stop_after > 0 && o->seen.count == o->stop_after;
}

static struct opened open_paths(const char *const *paths, size_t count, struct source_options options)
{
	struct opened o = { .strings = intern_new() };

	o.source = source_open_files(paths, count, options, o.strings, &o.err);
	return o;
}

static struct opened open_path(const char *path)
{
	return open_paths(&path, 1, (struct source_options){ 0 });
}

static void scan(struct opened *o, uint64_t from_ns, uint64_t to_ns)
{
	o->seen.count = 0;
	completeness_release(&o->c);
	CHECK(o->source != NULL);
	if (!o->source) {
		fprintf(stderr, "%s\n", o->err.message);
		return;
	}
	int result = source_scan(o->source, from_ns, to_ns, on_event, o, &o->c, &o->err);

	CHECK_EQUAL(result, 0);
	if (result < 0)
		fprintf(stderr, "%s\n", o->err.message);
}

static void close_opened(struct opened *o)
{
	source_free(o->source);
	completeness_release(&o->c);
	seen_vector_release(&o->seen);
	intern_free(o->strings);
}

static bool rising_serials(const struct opened *o)
{
	for (size_t i = 1; i < o->seen.count; i++) {
		if (o->seen.items[i].serial <= o->seen.items[i - 1].serial)
			return false;
	}
	return true;
}

// `count` opens, one each `step_ms`, with serials from `serial` on.
static struct lines make_opens(uint64_t start_ms, unsigned serial, unsigned count, unsigned step_ms)
{
	struct lines l = { .node = NULL };

	for (unsigned i = 0; i < count; i++)
		lines_open(&l, start_ms + (uint64_t)i * step_ms, serial + i, 1000 + i % 50, "/etc/hosts", 77 + i % 9);
	return l;
}

static struct buffer gzip(const void *bytes, size_t length)
{
	struct buffer out = { 0 };
	uLong size = compressBound(length) + 64;
	unsigned char *packed AUTO_FREE = malloc(size);
	z_stream z = { .next_in = (z_const Bytef *)(uintptr_t)bytes, .avail_in = (uInt)length, .next_out = packed, .avail_out = (uInt)size };

	if (!packed || deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK || deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	buffer_add(&out, packed, z.total_out);
	(void)deflateEnd(&z);
	return out;
}

static struct buffer zstd(const void *bytes, size_t length)
{
	struct buffer out = { 0 };
	size_t size = ZSTD_compressBound(length);
	char *packed AUTO_FREE = malloc(size);
	size_t n = packed ? ZSTD_compress(packed, size, bytes, length, 3) : 0;

	buffer_add(&out, packed, n);
	return out;
}

// ---- files

static void test_plain(void)
{
	struct folder f = folder_make();
	struct lines l = make_opens(LINES_START_MS, 100, 50, 10);
	struct opened o = open_path(folder_write(&f, "audit.log", l.text.bytes, l.text.length));
	uint64_t first = 0, last = 0, from = 0, to = 0;
	char hex[65];
	struct buffer text = { 0 };

	scan(&o, 0, all);
	CHECK_EQUAL(o.seen.count, 50);
	CHECK(rising_serials(&o));
	CHECK_EQUAL(o.c.rejected, 0);
	CHECK_EQUAL(o.c.partial, 0);
	CHECK_EQUAL(o.c.lines, 200);
	CHECK_EQUAL(o.c.bytes, l.text.length);
	CHECK_EQUAL(o.c.gaps.count, 0);
	CHECK(!completeness_loss_in(&o.c, 0, all));
	CHECK_EQUAL(source_span(o.source, &first, &last, &o.err), 0);
	CHECK_EQUAL(first, LINES_NS(LINES_START_MS));
	CHECK_EQUAL(last, LINES_NS(LINES_START_MS + 490));
	CHECK_EQUAL(source_log_count(o.source), 1);
	CHECK_STRING(source_log_name(o.source, 0), folder_file(&f, "audit.log"));
	CHECK_STRING(source_log_name(o.source, 1), "");
	CHECK(source_note(o.source, 0) == NULL);
	CHECK_EQUAL(source_log_digest(o.source, 0, hex, &from, &to, &o.err), 0);
	CHECK_EQUAL(from, 0);
	CHECK_EQUAL(to, l.text.length);
	CHECK_EQUAL(strlen(hex), 64);
	CHECK_EQUAL(source_evidence(o.source, &o.seen.items[1].ref, &text, &o.err), 0);
	CHECK(strncmp(buffer_string(&text), "type=SYSCALL msg=audit(1795263700.010:101): arch=", 49) == 0);
	CHECK_EQUAL(buffer_string(&text)[text.length - 1], '\n');
	CHECK_EQUAL(source_evidence(o.source, &(struct evidence_ref){ .log = 7 }, &text, &o.err), -1);
	CHECK_EQUAL(source_log_digest(o.source, 7, hex, &from, &to, &o.err), -1);
	o.stop_after = 5;
	scan(&o, 0, all);
	CHECK_EQUAL(o.seen.count, 5);
	close_opened(&o);
	buffer_release(&text);
	buffer_release(&l.text);
	folder_remove(&f);
}

// Four pieces of one log, rotated, two of them compressed; names and numbers do not tell the order.
static void write_set(const struct folder *f, const struct lines *l, unsigned cut_bytes)
{
	const char *names[4] = { "audit.log.10.gz", "audit.log.9.zst", "audit.log.1", "audit.log" };
	size_t quarter = l->text.length / 4;

	for (size_t i = 0; i < 4; i++) {
		const char *start = l->text.bytes + i * quarter;
		size_t length = i < 3 ? quarter : l->text.length - 3 * quarter;
		// Rotation happens between lines, not between events: align both ends to lines.
		while (start > l->text.bytes && start[-1] != '\n') {
			start++;
			length--;
		}
		while (start[length - 1] != '\n')
			length++;
		struct buffer packed = i == 0 ? gzip(start, length) : i == 1 ? zstd(start, length) : (struct buffer){ 0 };

		if (packed.bytes)
			(void)folder_write(f, names[i], packed.bytes, packed.length - (i == 0 ? cut_bytes : 0));
		else
			(void)folder_write(f, names[i], start, length);
		buffer_release(&packed);
	}
}

static void test_rotated(void)
{
	struct folder f = folder_make();
	struct lines l = make_opens(LINES_START_MS, 5000, 5000, 20);
	struct opened o;
	char hex[65];
	uint64_t from, to;

	write_set(&f, &l, 0);
	(void)folder_write(&f, "notes.txt", "not a log\n", 10);
	o = open_path(f.path);
	scan(&o, 0, all);
	CHECK_EQUAL(o.seen.count, 5000);
	CHECK(rising_serials(&o));
	CHECK_EQUAL(o.c.duplicate, 0);
	CHECK_EQUAL(o.c.partial, 0);
	CHECK_EQUAL(o.c.bytes, l.text.length);
	CHECK_EQUAL(source_log_count(o.source), 4);
	CHECK_STRING(source_log_name(o.source, 0), folder_file(&f, "audit.log.10.gz"));
	CHECK_STRING(source_log_name(o.source, 3), folder_file(&f, "audit.log"));
	CHECK(source_note(o.source, 0) == NULL);

	// The window lies in the last two files; the compressed ones before it are not read, and their digest is empty.
	struct opened w = open_path(f.path);
	scan(&w, LINES_NS(LINES_START_MS + 80000), LINES_NS(LINES_START_MS + 81000));
	CHECK_EQUAL(w.seen.count, 50);
	CHECK_EQUAL(source_log_digest(w.source, 0, hex, &from, &to, &w.err), 0);
	CHECK_EQUAL(to, 0);
	CHECK_STRING(hex, "");
	close_opened(&w);

	// A pattern gives the same; a file named twice is read once.
	const char *paths[3] = { folder_file(&f, "audit.log*"), f.path, folder_file(&f, "audit.log.1") };
	struct opened twice = open_paths(paths, 3, (struct source_options){ 0 });
	scan(&twice, 0, all);
	CHECK_EQUAL(twice.seen.count, 5000);
	CHECK_EQUAL(twice.c.duplicate, 0);
	close_opened(&twice);
	close_opened(&o);
	buffer_release(&l.text);
	folder_remove(&f);
}

static void test_compressed_parts(void)
{
	struct folder f = folder_make();
	struct lines l = make_opens(LINES_START_MS, 1, 400, 10);
	size_t half = l.text.length / 2;
	struct buffer a = gzip(l.text.bytes, half), b = gzip(l.text.bytes + half, l.text.length - half);
	struct buffer c = zstd(l.text.bytes, half), d = zstd(l.text.bytes + half, l.text.length - half);
	struct opened o;

	// Two members with padding behind; two frames with a skippable one between them.
	buffer_add(&a, b.bytes, b.length);
	buffer_add(&a, "\0\0\0\0\0\0\0", 7);
	o = open_path(folder_write(&f, "two.gz", a.bytes, a.length));
	scan(&o, 0, all);
	CHECK_EQUAL(o.seen.count, 400);
	CHECK(source_note(o.source, 0) == NULL);
	close_opened(&o);
	buffer_add(&c, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
	buffer_add(&c, d.bytes, d.length);
	o = open_path(folder_write(&f, "two.zst", c.bytes, c.length));
	scan(&o, 0, all);
	CHECK_EQUAL(o.seen.count, 400);
	CHECK(source_note(o.source, 0) == NULL);
	close_opened(&o);
	buffer_release(&a);
	buffer_release(&b);
	buffer_release(&c);
	buffer_release(&d);
	buffer_release(&l.text);
	folder_remove(&f);
}

// Cut or damaged: what can be decoded is used, and the rest is said to be missing.
static void test_damaged(void)
{
	struct folder f = folder_make();
	struct lines l = make_opens(LINES_START_MS, 1, 2000, 10);
	struct buffer gz = gzip(l.text.bytes, l.text.length), zst = zstd(l.text.bytes, l.text.length);

	for (int i = 0; i < 4; i++) {
		struct buffer *packed = i < 2 ? &gz : &zst;
		size_t length = i % 2 == 0 ? packed->length / 2 : packed->length;
		char *bytes AUTO_FREE = malloc(length);

		memcpy(bytes, packed->bytes, length);
		if (i % 2 == 1)
			memset(bytes + length * 3 / 4, 0xff, 40);
		struct opened o = open_path(folder_write(&f, "cut", bytes, length));

		CHECK(o.source != NULL || i >= 2); // one zstd block may hold it all: then nothing can be decoded
		if (!o.source) {
			close_opened(&o);
			continue;
		}
		scan(&o, 0, all);
		CHECK(o.seen.count < 2000);
		CHECK(i >= 2 || o.seen.count > 100);
		CHECK(source_note(o.source, 0) != NULL && strstr(source_note(o.source, 0), "only the first "));
		CHECK(completeness_loss_in(&o.c, 0, all));
		CHECK_EQUAL(o.c.gaps.items[o.c.gaps.count - 1].cause, GAP_REJECTED);
		CHECK(!completeness_loss_in(&(struct completeness){ .gaps = o.c.gaps }, 0, LINES_NS(LINES_START_MS)));
		close_opened(&o);
	}
	buffer_release(&gz);
	buffer_release(&zst);
	buffer_release(&l.text);
	folder_remove(&f);
}

static void feed_standard_input(const void *bytes, size_t length)
{
	int ends[2];

	if (pipe(ends) < 0)
		abort();
	if (fork() == 0) {
		(void)close(ends[0]);
		_exit(fileio_write_fd(ends[1], bytes, length, "pipe", NULL) < 0);
	}
	(void)close(ends[1]);
	(void)dup2(ends[0], STDIN_FILENO);
	(void)close(ends[0]);
}

static void test_standard_input(void)
{
	struct lines l = make_opens(LINES_START_MS, 1, 3000, 10);
	struct buffer packed = zstd(l.text.bytes, l.text.length);
	int status, old = dup(STDIN_FILENO);

	for (int i = 0; i < 2; i++) {
		feed_standard_input(i ? packed.bytes : l.text.bytes, i ? packed.length : l.text.length);
		struct opened o = open_path("-");

		scan(&o, LINES_NS(LINES_START_MS + 1000), LINES_NS(LINES_START_MS + 2000));
		CHECK_EQUAL(o.seen.count, 100);
		CHECK_STRING(source_log_name(o.source, 0), "standard input");
		scan(&o, 0, all); // it can be asked again
		CHECK_EQUAL(o.seen.count, 3000);
		close_opened(&o);
		(void)wait(&status);
		CHECK_EQUAL(status, 0);
	}
	if (old >= 0) {
		(void)dup2(old, STDIN_FILENO);
		(void)close(old);
	}
	buffer_release(&packed);
	buffer_release(&l.text);
}

static const char *open_error(const char *path)
{
	static char message[1024];
	struct opened o = open_path(path);

	CHECK(o.source == NULL);
	(void)snprintf(message, sizeof(message), "%s", o.err.message);
	close_opened(&o);
	return message;
}

#define CHECK_HOLDS(text, part)                                                                \
	do {                                                                                   \
		const char *holds_text = (text);                                               \
		CHECK(strstr(holds_text, (part)) != NULL);                                     \
		if (!strstr(holds_text, (part)))                                               \
			fprintf(stderr, "  \"%s\" does not hold \"%s\"\n", holds_text, (part)); \
	} while (0)

static void test_errors(void)
{
	struct folder f = folder_make();
	struct buffer gz = gzip("hello\n", 6);
	char tar[512] = "audit.log";

	memcpy(tar + 257, "ustar", 5);
	CHECK_HOLDS(open_error("/no-such-folder/audit.log"), "/no-such-folder/audit.log: cannot open: No such file");
	CHECK_HOLDS(open_error("/no-such-folder/audit.log*"), "no file has such a name");
	CHECK_HOLDS(open_error(folder_write(&f, "empty", "", 0)), "is empty");
	CHECK_HOLDS(open_error(folder_write(&f, "text", "Nov 21 kernel: hello\n", 21)), "text of another kind");
	CHECK_HOLDS(open_error(folder_write(&f, "png", "\x89PNG\r\n\x1a\n\0\0", 10)), "a PNG picture");
	CHECK_HOLDS(open_error(folder_write(&f, "xz", "\xfd" "7zXZ\0\0\4", 8)), "xz data: decompress it first");
	CHECK_HOLDS(open_error(folder_write(&f, "journal", "LPKSHHRH\0\0", 10)), "systemd journal");
	CHECK_HOLDS(open_error(folder_write(&f, "tar", tar, sizeof(tar))), "tar archive");
	CHECK_HOLDS(open_error(folder_write(&f, "json", "{\"a\":1}\n", 8)), "JSON text");
	CHECK_HOLDS(open_error(folder_write(&f, "zeros", "\0\0\0\0\0\0\0\0", 8)), "binary data");
	CHECK_HOLDS(open_error(folder_write(&f, "hello.gz", gz.bytes, gz.length)), "text of another kind");
	CHECK_HOLDS(open_error(folder_write(&f, "kern.log", "[1] audit: type=1400 audit(1.2:3): x\n", 37)), "a kernel log");
	CHECK_HOLDS(open_error(f.path), "no audit record");
	buffer_release(&gz);
	folder_remove(&f);
	f = folder_make();
	CHECK_HOLDS(open_error(f.path), "no log file in this folder");
	// As root nothing is unreadable: give that up for a moment.
	if (geteuid() != 0 || seteuid(65534) == 0) {
		struct folder own = folder_make();
		const char *path = folder_write(&own, "audit.log", "x", 1);

		(void)chmod(path, 0);
		CHECK_HOLDS(open_error(own.path), "audit.log: cannot open: Permission denied (run as root, or copy");
		(void)chmod(own.path, 0);
		CHECK_HOLDS(open_error(own.path), "cannot read: Permission denied (run as root, or copy");
		(void)chmod(own.path, 0700);
		folder_remove(&own);
		if (getuid() == 0)
			CHECK_EQUAL(seteuid(0), 0);
	}
	folder_remove(&f);
}

// Logs under other names in a folder of their own; what is no log is left out and named.
static void test_other_names(void)
{
	struct folder f = folder_make();
	struct lines l = make_opens(LINES_START_MS, 1, 10, 10);

	(void)folder_write(&f, "web01.log", l.text.bytes, l.text.length);
	(void)folder_write(&f, "README", "see web01.log\n", 14);
	(void)folder_write(&f, "zero", "", 0);
	struct opened o = open_path(f.path);

	scan(&o, 0, all);
	CHECK_EQUAL(o.seen.count, 10);
	CHECK_EQUAL(source_log_count(o.source), 1);
	CHECK_HOLDS(source_note(o.source, 0), "README: left out: no audit record in it, it looks like text of another kind");
	CHECK_HOLDS(source_note(o.source, 1), "zero: is empty");
	CHECK(source_note(o.source, 2) == NULL);
	close_opened(&o);
	buffer_release(&l.text);
	folder_remove(&f);
}

static void test_shrinks(void)
{
	struct folder f = folder_make();
	struct lines l = make_opens(LINES_START_MS, 1, 1000, 10);
	const char *path = folder_write(&f, "audit.log", l.text.bytes, l.text.length);
	struct opened o = open_path(path);

	CHECK_EQUAL(truncate(path, (off_t)(l.text.length / 2)), 0);
	scan(&o, 0, all);
	CHECK(o.seen.count >= 499 && o.seen.count <= 501);
	CHECK_HOLDS(source_note(o.source, 0), "became shorter while it was read");
	CHECK(completeness_loss_in(&o.c, 0, all));
	close_opened(&o);

	// What is appended later, and a rename, change nothing.
	path = folder_write(&f, "audit.log", l.text.bytes, l.text.length);
	o = open_path(path);
	FILE *more = fopen(path, "ae");

	(void)fputs("type=SYSCALL msg=audit(1795263900.000:99999): arch=", more);
	(void)fclose(more);
	(void)rename(path, folder_file(&f, "audit.log.1"));
	scan(&o, 0, all);
	CHECK_EQUAL(o.seen.count, 1000);
	CHECK_EQUAL(o.c.rejected, 0);
	CHECK(source_note(o.source, 0) == NULL);
	close_opened(&o);
	buffer_release(&l.text);
	folder_remove(&f);
}

static void test_junk(void)
{
	struct folder f = folder_make();
	struct lines l = make_opens(LINES_START_MS, 1, 20, 10);
	struct buffer text = { 0 };
	const char *path;
	struct opened o;

	for (int i = 0; i < 100000; i++)
		buffer_add_string(&text, "junk\n");
	for (int i = 0; i < 3000000; i++)
		buffer_add_byte(&text, 'x'); // a line longer than any buffer
	buffer_add_byte(&text, '\n');
	buffer_add(&text, l.text.bytes, l.text.length);
	path = folder_write(&f, "audit.log", text.bytes, text.length);
	o = open_path(path);
	scan(&o, 0, all);
	CHECK_EQUAL(o.seen.count, 20);
	CHECK_EQUAL(o.c.rejected, 100001);
	CHECK_EQUAL(o.c.lines, 100001 + 80);
	CHECK_EQUAL(o.c.bytes, text.length);
	CHECK_EQUAL(o.c.rejected_first[1].offset, 5);
	CHECK(completeness_loss_in(&o.c, 0, all));
	close_opened(&o);
	o = open_paths(&path, 1, (struct source_options){ .strict = true });
	CHECK_EQUAL(source_scan(o.source, 0, all, on_event, &o, NULL, &o.err), -1);
	CHECK_HOLDS(o.err.message, "audit.log: at byte 0: no audit record: ");
	close_opened(&o);
	buffer_release(&text);
	buffer_release(&l.text);
	folder_remove(&f);
}

// ---- logs that overlap

static void check_same_as_whole(const struct folder *f, const struct lines *whole, uint64_t duplicates)
{
	struct folder one = folder_make();
	struct opened a = open_path(folder_write(&one, "audit.log", whole->text.bytes, whole->text.length)), b = open_path(f->path);

	scan(&a, 0, all);
	scan(&b, 0, all);
	CHECK_EQUAL(b.seen.count, a.seen.count);
	for (size_t i = 0; i < a.seen.count && i < b.seen.count; i++) {
		CHECK(a.seen.items[i].serial == b.seen.items[i].serial && a.seen.items[i].earliest_ns == b.seen.items[i].earliest_ns &&
		      a.seen.items[i].paths == b.seen.items[i].paths);
	}
	CHECK_EQUAL(b.c.partial, 0);
	CHECK_EQUAL(b.c.serials_missing, 0);
	CHECK_EQUAL(b.c.duplicate, duplicates);
	close_opened(&a);
	close_opened(&b);
	folder_remove(&one);
}

static void test_overlaps(void)
{
	struct folder f = folder_make();
	struct lines l = make_opens(LINES_START_MS, 1, 3000, 10), part[2] = { { .node = NULL }, { .node = NULL } };
	const char *third = strstr(l.text.bytes + l.text.length / 3, "type=SYSCALL");
	size_t at = (size_t)(third - l.text.bytes);
	unsigned before = 0; // events before the third

	(void)sscanf(strchr(third, ':'), ":%u", &before);
	before--;
	// A whole copy; a copy made before more was written; the last two thirds once more.
	(void)folder_write(&f, "audit.log", l.text.bytes, l.text.length);
	(void)folder_write(&f, "audit.log.1", l.text.bytes, l.text.length);
	check_same_as_whole(&f, &l, 3000);
	(void)folder_write(&f, "audit.log.1", l.text.bytes, at);
	check_same_as_whole(&f, &l, before);
	(void)folder_write(&f, "audit.log.1", l.text.bytes + at, l.text.length - at);
	check_same_as_whole(&f, &l, 3000 - before);
	// An event is cut by the end of one copy: its lines in the other are not lost.
	(void)folder_write(&f, "audit.log.1", l.text.bytes, (size_t)(strstr(third, "type=CWD") - l.text.bytes));
	check_same_as_whole(&f, &l, before + 1);
	// Two extracts that interleave, without a line in common.
	for (unsigned i = 0; i < 3000; i++)
		lines_open(&part[i % 7 > 2], LINES_START_MS + (uint64_t)i * 10, 1 + i, 1000 + i % 50, "/etc/hosts", 77 + i % 9);
	(void)folder_write(&f, "audit.log", part[0].text.bytes, part[0].text.length);
	(void)folder_write(&f, "audit.log.1", part[1].text.bytes, part[1].text.length);
	check_same_as_whole(&f, &l, 0);
	buffer_release(&part[0].text);
	buffer_release(&part[1].text);
	buffer_release(&l.text);
	folder_remove(&f);
}

// Events in order of exit with stamps of entry: some lie far back, as a blocked call's do.
static struct lines make_disorder(unsigned count, uint64_t *ret_ms)
{
	struct lines l = { .node = NULL };
	uint64_t ms = LINES_START_MS;

	srand(7);
	for (unsigned i = 0; i < count; i++) {
		unsigned late = rand() % 50 == 0 ? (unsigned)rand() % 4000 : 0;

		ms += (unsigned)rand() % 40;
		ret_ms[i] = ms - late;
		lines_open(&l, ms - late, 1 + i, 1000 + i % 50, "/etc/hosts", 77 + i % 9);
	}
	return l;
}

static size_t line_at(const struct lines *l, size_t at)
{
	while (at < l->text.length && at > 0 && l->text.bytes[at - 1] != '\n')
		at++;
	return at < l->text.length ? at : l->text.length;
}

// Any pieces that cover the log, with any overlaps, give the log; whole and through a window.
static void test_random_pieces(void)
{
	enum { COUNT = 12000 };
	uint64_t *stamps AUTO_FREE = calloc(COUNT, sizeof(*stamps));
	struct lines l = make_disorder(COUNT, stamps);

	srand(23);
	for (int round = 0; round < 24; round++) {
		bool same = true;
		struct folder f = folder_make(), one = folder_make();
		size_t pieces = 2 + (size_t)rand() % 6, at = 0;
		char name[32];

		for (size_t i = 0; i < pieces; i++) {
			size_t end = i + 1 == pieces ? l.text.length : line_at(&l, l.text.length / pieces * (i + 1) + (size_t)rand() % 40000);
			size_t back = round % 3 == 0 ? 0 : (size_t)rand() % (round % 3 == 1 ? 3000 : 900000);
			size_t start = at > back ? line_at(&l, at - back) : 0;

			(void)snprintf(name, sizeof(name), "audit.log.%zu", pieces - i);
			(void)folder_write(&f, name, l.text.bytes + start, end - start);
			at = end;
		}
		struct opened a = open_path(folder_write(&one, "audit.log", l.text.bytes, l.text.length)), b = open_path(f.path);

		for (int window = 0; window < 3; window++) {
			uint64_t from = stamps[rand() % COUNT], to = from + (uint64_t)rand() % 30000;

			scan(&a, window ? LINES_NS(from) : 0, window ? LINES_NS(to) : all);
			scan(&b, window ? LINES_NS(from) : 0, window ? LINES_NS(to) : all);
			CHECK_EQUAL(b.seen.count, a.seen.count);
			CHECK_EQUAL(b.c.rejected, 0);
			CHECK_EQUAL(b.c.partial, 0);
			CHECK_EQUAL(b.c.serials_missing, 0);
			for (size_t i = 0; i < a.seen.count && i < b.seen.count; i++) {
				if (a.seen.items[i].serial != b.seen.items[i].serial || a.seen.items[i].paths != b.seen.items[i].paths) {
					same = false;
					break;
				}
			}
		}
		CHECK(same);
		close_opened(&a);
		close_opened(&b);
		folder_remove(&f);
		folder_remove(&one);
	}
	buffer_release(&l.text);
}

// An event whose records stand on both sides of a rotation is one event.
static void test_event_across_rotation(void)
{
	struct folder f = folder_make();
	struct lines l = make_opens(LINES_START_MS, 1, 100, 10);
	const char *middle = strstr(strstr(l.text.bytes + l.text.length / 2, "type=SYSCALL"), "type=PATH");
	size_t at = (size_t)(middle - l.text.bytes);

	(void)folder_write(&f, "audit.log.1", l.text.bytes, at);
	(void)folder_write(&f, "audit.log", middle, l.text.length - at);
	check_same_as_whole(&f, &l, 0);
	buffer_release(&l.text);
	folder_remove(&f);
}

// ---- times

static void test_windows(void)
{
	enum { COUNT = 30000 };
	uint64_t *stamps AUTO_FREE = calloc(COUNT, sizeof(*stamps));
	struct folder f = folder_make();
	struct lines l = make_disorder(COUNT, stamps);
	struct opened o = open_path(folder_write(&f, "audit.log", l.text.bytes, l.text.length));
	uint64_t last = stamps[COUNT - 1];

	for (int round = 0; round < 60; round++) {
		uint64_t from = LINES_START_MS - 5000 + (uint64_t)rand() % (last - LINES_START_MS + 10000), to = from + (uint64_t)rand() % 20000;
		size_t expected = 0, latest_ms = 0;

		if (round < 20)
			from = stamps[rand() % COUNT]; // exactly at an event
		if (round < 10)
			to = from + 1;
		for (size_t i = 0; i < COUNT; i++) {
			latest_ms = stamps[i] > latest_ms ? stamps[i] : latest_ms;
			expected += stamps[i] < to && latest_ms >= from;
		}
		scan(&o, LINES_NS(from), LINES_NS(to));
		CHECK_EQUAL(o.seen.count, expected);
		CHECK_EQUAL(o.c.partial, 0);
		CHECK_EQUAL(o.c.serials_missing, 0);
		CHECK(o.c.bytes < 4000000 || to - from > 10000);
	}
	scan(&o, 0, LINES_NS(LINES_START_MS - 10000)); // the first ones may carry older stamps
	CHECK_EQUAL(o.seen.count, 0);
	scan(&o, LINES_NS(last + 3600000), all);
	CHECK_EQUAL(o.seen.count, 0);
	close_opened(&o);
	buffer_release(&l.text);
	folder_remove(&f);
}

// The clock is set back by an hour in the middle: both parts that show the time are found.
static void test_clock_set_back(void)
{
	struct folder f = folder_make();
	struct lines l = make_opens(LINES_START_MS, 1, 20000, 100), back = make_opens(LINES_START_MS + 1000000, 20001, 20000, 100);
	uint64_t from = LINES_START_MS + 1200000;

	buffer_add(&l.text, back.text.bytes, back.text.length);
	struct opened o = open_path(folder_write(&f, "audit.log", l.text.bytes, l.text.length));

	scan(&o, LINES_NS(from), LINES_NS(from + 10000));
	size_t early = 0, late = 0;

	for (size_t i = 0; i < o.seen.count; i++) {
		// The second time round only the running maximum touches the window, or the stamp itself.
		if (o.seen.items[i].earliest_ns >= LINES_NS(from) && o.seen.items[i].earliest_ns < LINES_NS(from + 10000)) {
			early += o.seen.items[i].serial <= 20000;
			late += o.seen.items[i].serial > 20000;
		}
	}
	CHECK_EQUAL(early, 100);
	CHECK_EQUAL(late, 100);
	close_opened(&o);
	buffer_release(&l.text);
	buffer_release(&back.text);
	folder_remove(&f);
}

// Set back to before the log began: its end is older than its begin, and the events between are still found.
static void test_clock_set_back_far(void)
{
	struct folder f = folder_make();
	struct lines l = make_opens(LINES_START_MS, 1, 2000, 100), back = make_opens(LINES_START_MS - 400000, 2001, 1000, 100);
	uint64_t from = LINES_START_MS + 150000, first_ns = 0, last_ns = 0;

	buffer_add(&l.text, back.text.bytes, back.text.length);
	struct opened o = open_path(folder_write(&f, "audit.log", l.text.bytes, l.text.length));

	CHECK_EQUAL(source_span(o.source, &first_ns, &last_ns, &o.err), 0);
	CHECK_EQUAL(first_ns, LINES_NS(LINES_START_MS));
	CHECK_EQUAL(last_ns, LINES_NS(LINES_START_MS + 199900));
	scan(&o, LINES_NS(from), LINES_NS(from + 10000));
	size_t found = 0;

	for (size_t i = 0; i < o.seen.count; i++)
		found += o.seen.items[i].earliest_ns >= LINES_NS(from) && o.seen.items[i].earliest_ns < LINES_NS(from + 10000);
	CHECK_EQUAL(found, 100);
	close_opened(&o);
	buffer_release(&l.text);
	buffer_release(&back.text);
	folder_remove(&f);
}

// ---- hosts and boots

static void test_hosts(void)
{
	struct folder f = folder_make();
	struct lines l = { .node = "web01" };

	for (unsigned i = 0; i < 200; i++) {
		l.node = i % 2 ? "web01" : "db01";
		lines_open(&l, LINES_START_MS + i * 10, 500 + i / 2, 1000, "/etc/hosts", 7); // both count alike
	}
	const char *path = folder_write(&f, "audit.log", l.text.bytes, l.text.length);
	struct opened o = open_path(path);

	scan(&o, 0, all);
	CHECK_EQUAL(o.seen.count, 200);
	CHECK_EQUAL(o.c.partial, 0);
	close_opened(&o);
	o = open_paths(&path, 1, (struct source_options){ .host = "db01" });
	scan(&o, 0, all);
	CHECK_EQUAL(o.seen.count, 100);
	CHECK_STRING(intern_string(o.strings, o.seen.items[0].host), "db01");
	close_opened(&o);
	buffer_release(&l.text);

	// Records without node= belong to the host that the user names.
	l = make_opens(LINES_START_MS, 1, 10, 10);
	path = folder_write(&f, "audit.log", l.text.bytes, l.text.length);
	o = open_paths(&path, 1, (struct source_options){ .host = "named" });
	scan(&o, 0, all);
	CHECK_EQUAL(o.seen.count, 10);
	CHECK_STRING(intern_string(o.strings, o.seen.items[0].host), "named");
	close_opened(&o);
	buffer_release(&l.text);
	folder_remove(&f);
}

// Two hosts count on their own, and nothing in the records says which is which: their paths do.
static void test_hosts_by_path(void)
{
	struct folder f = folder_make();
	struct lines web = make_opens(LINES_START_MS, 1000, 3000, 10), db = make_opens(LINES_START_MS + 5, 2000, 3000, 10);
	const char *paths[2] = { folder_write(&f, "web01.log", web.text.bytes, web.text.length),
				 folder_write(&f, "db01.log.1", db.text.bytes, db.text.length) };

	for (int round = 0; round < 2; round++) {
		struct opened o = open_paths(paths, 2, (struct source_options){ .host = round ? "db01" : NULL });
		size_t by_web = 0;

		scan(&o, 0, all);
		CHECK_EQUAL(o.seen.count, round ? 3000 : 6000);
		CHECK_EQUAL(o.c.serials_missing, 0);
		CHECK_EQUAL(o.c.duplicate, 0);
		for (size_t i = 0; i < o.seen.count; i++) {
			by_web += strcmp(intern_string(o.strings, o.seen.items[i].host), "web01") == 0;
			CHECK(o.seen.items[i].epoch == 0);
		}
		CHECK_EQUAL(by_web, round ? 0 : 3000);
		CHECK_HOLDS(source_note(o.source, 0), "several hosts whose records carry no node=");
		close_opened(&o);
	}
	buffer_release(&web.text);
	buffer_release(&db.text);
	folder_remove(&f);
}

static void test_reboot_between_files(void)
{
	struct folder f = folder_make();
	struct lines old = make_opens(LINES_START_MS, 90001, 100, 10), new = make_opens(LINES_START_MS + 60000, 2, 100, 10);

	(void)folder_write(&f, "audit.log.1", old.text.bytes, old.text.length);
	(void)folder_write(&f, "audit.log", new.text.bytes, new.text.length);
	struct opened o = open_path(f.path);

	scan(&o, 0, all);
	CHECK_EQUAL(o.seen.count, 200);
	CHECK(o.seen.items[0].epoch != o.seen.items[199].epoch);
	CHECK_EQUAL(o.c.serials_missing, 0);
	close_opened(&o);
	buffer_release(&old.text);
	buffer_release(&new.text);
	folder_remove(&f);
}

int main(void)
{
	test_plain();
	test_rotated();
	test_compressed_parts();
	test_damaged();
	test_standard_input();
	test_errors();
	test_other_names();
	test_shrinks();
	test_junk();
	test_overlaps();
	test_random_pieces();
	test_event_across_rotation();
	test_windows();
	test_clock_set_back();
	test_clock_set_back_far();
	test_hosts();
	test_hosts_by_path();
	test_reboot_between_files();
	return unit_end();
}
