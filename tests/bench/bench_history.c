// SPDX-License-Identifier: MIT
// What the index of a disk history costs. Histories are generated directly: their WRITEs hold zeros only, so that a record takes 56 bytes
// and has everything that a real one has but its content; a segment gets as many as 64 MiB of real 4 KiB requests would be.
//
//     bench_history make FOLDER MIB [HOT_PERCENT]   MIB of 4 KiB writes on a disk of 1 TiB, indexed; the last segment is unsealed and has contents
//     bench_history versions FOLDER mixed|alone     a million versions of one block, alone or among as many others and TRIMs
//     bench_history discard FOLDER                  a disk of 1 TiB discarded twice
//     bench_history open FOLDER                     medians in ms: history_open, a view at its end, writer_open, history_facts
//     bench_history load FOLDER SECONDS             what requests ask of the index while it grows: the longest, and memory
//     bench_history traffic FOLDER SECONDS          the same with whole requests through a writer, as fast as they go
#include "base/bytes.h"
#include "snapshots/disk_at.h"
#include "snapshots/history.h"
#include "snapshots/history_header.h"
#include "snapshots/sealer.h"
#include "snapshots/writer.h"
#include "tests/unit/make_segments.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define TIB (UINT64_C(1) << 40)
#define BLOCK 4096u
#define RECORDS_IN_SEGMENT 16161u // (64 MiB - 128) / (4096 + 56)
#define RUNS 9

static uint64_t state = 88172645463325252u;

static uint64_t draw(uint64_t *s, uint64_t below)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s % below;
}

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void row(const char *what, const char *wanted, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void row(const char *what, const char *wanted, const char *format, ...)
{
	char measured[128];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(measured, sizeof(measured), format, arguments);
	va_end(arguments);
	printf("%-58s %14s   %s\n", what, measured, wanted);
	(void)fflush(stdout);
}

static uint64_t status_kib(const char *field) // of /proc/self/status
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	uint64_t value = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, field, strlen(field)) == 0)
			(void)sscanf(line + strlen(field), ": %" SCNu64, &value);
	}
	if (file)
		(void)fclose(file);
	return value;
}

static uint64_t bytes_in(const char *folder, const char *inner)
{
	char path[512];
	uint64_t bytes = 0;
	struct stat status;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, inner);
	DIR *d = opendir(path);
	for (struct dirent *entry; d && (entry = readdir(d));) {
		if (entry->d_name[0] != '.' && fstatat(dirfd(d), entry->d_name, &status, 0) == 0)
			bytes += (uint64_t)status.st_size;
	}
	if (d)
		(void)closedir(d);
	return bytes;
}

// ---- making histories

static uint8_t uuid[16];

static void start_history(struct maker *m, const char *folder, uint64_t segment_bytes)
{
	struct history_plan plan = {.size_bytes = TIB, .segment_bytes = segment_bytes};
	struct history_header header;
	struct error err = {{0}};

	if (history_init(folder, &plan, &err) < 0 || history_header_read(folder, &header, &err) < 0)
		maker_fail(folder, &err);
	memcpy(uuid, header.uuid, sizeof(uuid));
	*m = (struct maker){.folder = folder, .uuid = uuid};
}

static void ignore(void *context, const struct segment *segment)
{
	(void)context;
	(void)segment;
}

static void tell(void *context, const char *message)
{
	(void)context;
	fprintf(stderr, "%s\n", message);
}

// All tables, as the writer's sealing thread makes them.
static void index_history(const char *folder, const char *name)
{
	struct sealer_hooks hooks = {.replaced = ignore, .warn = tell};
	struct error err = {{0}};
	struct sealer *s;
	struct live *l;
	double began = now_s();

	if (live_open(folder, TIB, &l, &err) < 0 || sealer_start(folder, uuid, l, WRITER_COMPRESS_NEVER, &hooks, &s, &err) < 0)
		maker_fail(folder, &err);
	if (!sealer_wait(s, 3600 * 1000))
		fprintf(stderr, "%s: indexing did not end\n", folder);
	sealer_stop(s);
	live_free(l);
	char what[128];
	(void)snprintf(what, sizeof(what), "%s: its index made anew, s", name);
	row(what, "", "%.1f", now_s() - began);
}

static void add_last_segment(struct maker *m, uint64_t number)
{
	uint8_t bytes[BLOCK];

	maker_begin(m, number);
	for (unsigned i = 0; i < RECORDS_IN_SEGMENT / 2; i++) {
		for (unsigned j = 0; j < BLOCK; j += 8)
			put_le64(bytes + j, draw(&state, UINT64_MAX));
		(void)maker_add(m, RECORD_WRITE, draw(&state, TIB / BLOCK) * BLOCK, BLOCK, bytes);
	}
	(void)maker_add(m, RECORD_CLOSE, 0, 0, NULL);
	maker_flush(m);
	segment_release(&m->segment);
}

static int make(const char *folder, uint64_t mib, unsigned hot_percent)
{
	struct maker m;
	uint64_t segments = mib / 64;

	start_history(&m, folder, 0);
	for (uint64_t n = 1; n <= segments; n++) {
		maker_begin(&m, n);
		for (unsigned i = 0; i < RECORDS_IN_SEGMENT; i++) {
			uint64_t block = draw(&state, 100) < hot_percent ? draw(&state, 64) : draw(&state, TIB / BLOCK);
			(void)maker_add(&m, RECORD_WRITE, block * BLOCK, BLOCK, NULL);
		}
		maker_seal(&m);
	}
	add_last_segment(&m, segments + 1);
	buffer_release(&m.output);
	char name[64];
	(void)snprintf(name, sizeof(name), "%" PRIu64 " MiB of 4 KiB writes", mib);
	index_history(folder, name);
	(void)snprintf(name, sizeof(name), "  index MiB of %" PRIu64 " records", m.last_seq);
	row(name, "", "%.1f", (double)bytes_in(folder, "index") / 1048576);
	return 0;
}

// ---- lookups

static int versions(const char *folder, bool alone)
{
	struct maker m;
	struct history *h;
	struct error err = {{0}};
	uint64_t block = TIB / 2 / BLOCK, made = 0;

	start_history(&m, folder, 0);
	for (uint64_t n = 1; made < 1000000; n++) {
		maker_begin(&m, n);
		for (unsigned i = 0; i < RECORDS_IN_SEGMENT && made < 1000000; i++) {
			uint64_t chance = alone ? 0 : draw(&state, 1000);
			if (chance < 499) {
				(void)maker_add(&m, RECORD_WRITE, block * BLOCK, BLOCK, NULL);
				made++;
			} else if (chance < 998) {
				(void)maker_add(&m, RECORD_WRITE, draw(&state, TIB / BLOCK) * BLOCK, BLOCK, NULL);
			} else { // all around it and on it
				(void)maker_add(&m, RECORD_TRIM, TIB / 2 - draw(&state, UINT32_MAX / BLOCK) * BLOCK, UINT32_MAX / BLOCK * BLOCK, NULL);
			}
		}
		maker_seal(&m);
	}
	buffer_release(&m.output);
	index_history(folder, alone ? "a million versions of one block" : "the same among a million others and TRIMs");
	if (history_open(folder, &h, &err) < 0)
		maker_fail(folder, &err);
	uint64_t most = 0, sum = 0, count = 0;
	double spent = 0;
	for (unsigned view = 0; view < 200; view++) {
		struct disk_at *d;
		if (disk_at_open(h, 1 + draw(&state, m.last_seq), &d, &err) < 0)
			maker_fail(folder, &err);
		for (unsigned i = 0; i < 50; i++) {
			uint64_t probes = 0, at = i == 0 ? block : draw(&state, TIB / BLOCK);
			struct disk_piece p;
			double began = now_s();
			if (disk_at_resolve(d, at * BLOCK, BLOCK, &p, &probes, &err) < 0)
				maker_fail(folder, &err);
			spent += now_s() - began;
			most = probes > most ? probes : most;
			sum += probes;
			count++;
		}
		disk_at_free(d);
	}
	history_free(h);
	row("  pages read for a lookup at any moment, at most", "<= 64", "%" PRIu64, most);
	row("  on the average; us", "", "%.2f; %.1f", (double)sum / (double)count, spent / (double)count * 1e6);
	return 0;
}

// ---- discards

static int discard(const char *folder)
{
	struct maker m;
	struct writer_options options = {.compress = WRITER_COMPRESS_NEVER, .warn = tell};
	struct writer *w;
	struct error err = {{0}};
	double longest = 0, began = now_s();

	start_history(&m, folder, HISTORY_MIN_SEGMENT_BYTES); // small, so that the discards are sealed and indexed
	if (writer_open(folder, &options, &w, NULL, &err) < 0)
		maker_fail(folder, &err);
	for (unsigned times = 0; times < 2; times++) {
		for (uint64_t at = 0; at < TIB; at += UINT64_C(1) << 31) { // requests of 2 GiB, as Linux sends them
			double before = now_s();
			if (writer_trim(w, at, UINT64_C(1) << 31, false, &err) < 0)
				maker_fail(folder, &err);
			longest = now_s() - before > longest ? now_s() - before : longest;
		}
	}
	uint8_t bytes[BLOCK];
	memset(bytes, 1, sizeof(bytes));
	for (unsigned i = 0; i < 32; i++) { // so that the segment of the last TRIM is full
		if (writer_write(w, i * BLOCK, bytes, sizeof(bytes), false, &err) < 0)
			maker_fail(folder, &err);
	}
	double asked = now_s();
	if (writer_flush(w, &err) < 0)
		maker_fail(folder, &err);
	for (unsigned i = 0; i < 100 && bytes_in(folder, "index") == 0; i++) // the sealing thread is at work
		(void)usleep(100000);
	(void)usleep(500000);
	if (writer_close(w, &err) < 0)
		maker_fail(folder, &err);
	row("a disk of 1 TiB discarded twice: 1024 TRIMs, s", "", "%.2f", asked - began);
	row("  the longest, ms", "<= 20", "%.2f", longest * 1e3);
	row("  index KiB", "<= 1024", "%.1f", (double)bytes_in(folder, "index") / 1024);
	row("  resident MiB", "<= 256", "%" PRIu64, status_kib("VmHWM") / 1024);
	return 0;
}

// ---- opening

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, RUNS, sizeof(*values), compare_doubles);
	return values[RUNS / 2] * 1e3;
}

static int open_times(const char *folder)
{
	double history_s[RUNS], facts_s[RUNS], view_s[RUNS], writer_s[RUNS];
	struct writer_options options = {.compress = WRITER_COMPRESS_NEVER, .warn = tell};
	struct error err = {{0}};

	for (unsigned i = 0; i < RUNS; i++) {
		struct history_facts facts;
		struct history *h;
		struct disk_at *d;
		struct writer *w;
		double began = now_s();
		if (history_open(folder, &h, &err) < 0)
			maker_fail(folder, &err);
		history_s[i] = now_s() - began;
		began = now_s();
		if (history_facts(h, &facts, &err) < 0)
			maker_fail(folder, &err);
		facts_s[i] = now_s() - began;
		began = now_s();
		if (disk_at_open(h, facts.last_seq, &d, &err) < 0)
			maker_fail(folder, &err);
		view_s[i] = now_s() - began;
		disk_at_free(d);
		history_free(h);
		began = now_s();
		if (writer_open(folder, &options, &w, NULL, &err) < 0)
			maker_fail(folder, &err);
		writer_s[i] = now_s() - began;
		if (writer_close(w, &err) < 0)
			maker_fail(folder, &err);
	}
	printf("%.1f %.1f %.1f %.1f\n", median(history_s), median(view_s), median(writer_s), median(facts_s));
	return 0;
}

// ---- load

static atomic_bool over;
struct load {
	const char *folder;
	struct writer *w; // traffic: whole requests
	struct live *l;   // load: what a request asks of the index
	struct sealer *s;
	uint64_t seed, requests;
	double longest;      // seconds
	unsigned slow_count; // requests over 20 ms
};

// How long this thread has been ready to run while others had the processors: on a busy machine that is most of a long request, and none
// of it is ours.
static double waited_s(void)
{
	static _Thread_local int fd = -1;
	unsigned long long ran, waited = 0;
	char text[128] = "";

	if (fd < 0)
		fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, text, sizeof(text) - 1, 0) <= 0 || sscanf(text, "%llu %llu", &ran, &waited) != 2)
		return 0;
	return (double)waited / 1e9;
}

struct stopwatch { double began, waited; };
static struct stopwatch start_watch(void)
{
	return (struct stopwatch){.waited = waited_s(), .began = now_s()};
}

static void count(struct load *l, struct stopwatch watch)
{
	double took = now_s() - watch.began;

	if (took > 0.001) // the thread waited inside, or before the clock was read: at most so long was it the request's own
		took -= waited_s() - watch.waited;
	l->longest = took > l->longest ? took : l->longest;
	l->slow_count += took > 0.020;
	l->requests++;
}

static void *write_requests(void *context)
{
	struct load *l = context;
	struct error err = {{0}};
	uint8_t bytes[BLOCK];

	memset(bytes, 7, sizeof(bytes));
	while (!atomic_load(&over)) {
		struct stopwatch watch = start_watch();
		if (writer_write(l->w, draw(&l->seed, TIB / BLOCK) * BLOCK, bytes, sizeof(bytes), false, &err) < 0)
			maker_fail("write", &err);
		count(l, watch);
	}
	return NULL;
}

static void *read_requests(void *context)
{
	struct load *l = context;
	struct error err = {{0}};
	uint8_t bytes[BLOCK];

	while (!atomic_load(&over)) {
		struct stopwatch watch = start_watch();
		if (writer_read(l->w, draw(&l->seed, TIB / BLOCK) * BLOCK, bytes, sizeof(bytes), &err) < 0)
			maker_fail("read", &err);
		count(l, watch);
	}
	return NULL;
}

// 50,000 records a second (200 MB/s of 4 KiB writes), handed over to the sealing thread as a writer does it.
static void *note_records(void *context)
{
	struct load *l = context;
	struct error err = {{0}};
	struct maker m = {.folder = l->folder, .uuid = uuid, .last_seq = l->requests};
	double next = now_s();

	l->requests = 0;
	for (uint64_t n = live_sealed_count(l->l) + 1; !atomic_load(&over); n++) {
		maker_begin(&m, n);
		while (m.segment.record_count < RECORDS_IN_SEGMENT && !atomic_load(&over)) {
			uint64_t at = draw(&l->seed, TIB / BLOCK) * BLOCK, seq = maker_add(&m, RECORD_WRITE, at, BLOCK, NULL);
			struct stopwatch watch = start_watch();
			if (live_note(l->l, n, seq, RECORD_WRITE, at, BLOCK, &err) < 0)
				maker_fail("note", &err);
			sealer_throttle(l->s);
			count(l, watch);
			next += 1.0 / 50000;
			if (next > now_s() + 0.001)
				(void)usleep(1000);
		}
		maker_flush(&m);
		struct segment full = m.segment;
		if (sealer_push(l->s, &full, &err) < 0)
			maker_fail("push", &err);
	}
	buffer_release(&m.output);
	return NULL;
}

static void *resolve_blocks(void *context)
{
	struct load *l = context;
	struct error err = {{0}};
	struct live_piece p;

	while (!atomic_load(&over)) {
		struct stopwatch watch = start_watch();
		if (live_resolve(l->l, draw(&l->seed, TIB / BLOCK) * BLOCK, BLOCK, &p, &err) < 0)
			maker_fail("resolve", &err);
		count(l, watch);
	}
	return NULL;
}

// What this machine does to a thread that has nothing to do with an index: it reads a page that is in memory.
static void *do_little(void *context)
{
	struct load *l = context;
	uint8_t bytes[BLOCK];
	int fd = open("/proc/self/exe", O_RDONLY);

	while (!atomic_load(&over)) {
		struct stopwatch watch = start_watch();
		if (pread(fd, bytes, sizeof(bytes), 4096) < 0)
			break;
		count(l, watch);
	}
	(void)close(fd);
	return NULL;
}

static void run_threads(void *(*const *functions)(void *), struct load *loads, unsigned threads, unsigned seconds)
{
	pthread_t ids[3];

	for (unsigned i = 0; i < threads; i++) {
		if (pthread_create(&ids[i], NULL, functions[i], &loads[i]) != 0)
			exit(1);
	}
	(void)sleep(seconds);
	atomic_store(&over, true);
	for (unsigned i = 0; i < threads; i++)
		(void)pthread_join(ids[i], NULL);
}

static void show_load(const char *what, const char *wanted, const struct load *l, unsigned seconds)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "  %s: %.0f/s, longest ms; over 20 ms", what, (double)l->requests / seconds);
	row(text, wanted, "%.1f; %u", l->longest * 1e3, l->slow_count);
}

static void show_memory(void)
{
	row("  resident MiB at most", "<= 256", "%" PRIu64, status_kib("VmHWM") / 1024);
}

static int load(const char *folder, unsigned seconds)
{
	struct sealer_hooks hooks = {.replaced = ignore, .warn = tell};
	struct load loads[3] = {{.seed = 17}, {.seed = 23}, {.seed = 29}};
	void *(*const functions[3])(void *) = {note_records, resolve_blocks, do_little};
	struct history_header header;
	struct error err = {{0}};
	struct segment last;
	struct sealer *s;
	struct live *l;

	if (history_header_read(folder, &header, &err) < 0 || live_open(folder, TIB, &l, &err) < 0)
		maker_fail(folder, &err);
	memcpy(uuid, header.uuid, sizeof(uuid));
	if (sealer_start(folder, uuid, l, WRITER_COMPRESS_NEVER, &hooks, &s, &err) < 0)
		maker_fail(folder, &err);
	// The unsealed segment is written anew.
	loads[0].requests = live_segment(l, live_sealed_count(l), &last) ? last.first_seq + last.record_count - 1 : 0;
	for (unsigned i = 0; i < 3; i++) {
		loads[i].folder = folder;
		loads[i].l = l;
		loads[i].s = s;
	}
	run_threads(functions, loads, 3, seconds);
	show_load("records noted", "0 over", &loads[0], seconds);
	show_load("blocks looked up", "0 over", &loads[1], seconds);
	show_load("an idle thread's reads", "", &loads[2], seconds);
	show_memory();
	sealer_stop(s);
	live_free(l);
	return 0;
}

static int traffic(const char *folder, unsigned seconds)
{
	struct writer_options options = {.compress = WRITER_COMPRESS_NEVER, .warn = tell};
	struct load loads[3] = {{.seed = 17}, {.seed = 23}, {.seed = 29}};
	void *(*const functions[3])(void *) = {write_requests, read_requests, do_little};
	struct error err = {{0}};
	struct writer *w;

	if (writer_open(folder, &options, &w, NULL, &err) < 0)
		maker_fail(folder, &err);
	loads[0].w = loads[1].w = w;
	run_threads(functions, loads, 3, seconds);
	show_load("4k random writes", "", &loads[0], seconds);
	show_load("4k random reads", "", &loads[1], seconds);
	show_load("an idle thread's reads", "", &loads[2], seconds);
	show_memory();
	if (writer_close(w, &err) < 0)
		maker_fail(folder, &err);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (strcmp(verb, "make") == 0 && argc > 3)
		return make(argv[2], strtoull(argv[3], NULL, 10), argc > 4 ? (unsigned)atoi(argv[4]) : 0);
	if (strcmp(verb, "versions") == 0 && argc > 3)
		return versions(argv[2], strcmp(argv[3], "alone") == 0);
	if (strcmp(verb, "discard") == 0)
		return discard(argv[2]);
	if (strcmp(verb, "open") == 0)
		return open_times(argv[2]);
	if (strcmp(verb, "load") == 0 && argc > 3)
		return load(argv[2], (unsigned)atoi(argv[3]));
	if (strcmp(verb, "traffic") == 0 && argc > 3)
		return traffic(argv[2], (unsigned)atoi(argv[3]));
	fprintf(stderr, "usage: bench_history make|versions|discard|open|load|traffic FOLDER ...\n");
	return 2;
}
