// SPDX-License-Identifier: MIT
// What may be on the disk after the power failed, at any moment of a recording, and what opening makes of it.
//
// A recording is made with all its writes, syncs and renames remembered. A crash state is built from a prefix of them: what was synced is
// there; of the rest each 512-byte sector has any of the contents it ever had, a file any length between, and of the unsynced names a
// prefix. It must open again, as a prefix of the log that holds everything that was promised.
//
// CRASH_STATES: how many (default 3000).
#include "tests/unit/disk_faults.h"
#include "tests/unit/history_folder.h"
#include "tests/unit/unit.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "snapshots/history_header.h"
#include "snapshots/recover.h"
#include "snapshots/writer.h"

#include <sys/wait.h>

#define DISK_BYTES (256u << 10)
#define SEGMENT_BYTES (64u << 10)
#define SECTOR_BYTES 512u
#define REQUESTS 90
#define STATES_PER_RECORDING 250
#define MAX_FILES 16

static uint64_t random_state;

static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15); // splitmix64, Steele and others 2014
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t next_random(uint64_t below)
{
	return mix(random_state++) % below;
}

static void fail(const char *what, uint64_t seed, const struct error *err)
{
	fprintf(stderr, "%s (state %ju): %s\n", what, (uintmax_t)seed, err ? err->message : "");
	unit_checks++;
	unit_failures++;
}

// ---- the recording

struct reference { // record seq - 1
	struct record record;
	uint8_t *content;
};
static struct reference *reference;
static size_t reference_count;


static uint64_t ticks;
static uint64_t tick(void *context)
{
	(void)context;
	return UINT64_C(1795252951000000000) + __atomic_fetch_add(&ticks, 1000, __ATOMIC_RELAXED);
}

static const struct writer_options options = {.compress = WRITER_COMPRESS_NEVER, .realtime = tick, .boottime = tick};

// Two clients: what one begins while the other's FLUSH is on its way is not covered by that.
#define CLIENTS 2

struct client {
	struct writer *w;
	unsigned number;
	uint64_t random;
	uint64_t answered; // writes, each with client and number as its first bytes
};
static struct client clients[CLIENTS];

static uint64_t client_random(struct client *c, uint64_t below)
{
	return mix(c->random++) % below;
}

static void one_write(struct client *c, bool fua)
{
	uint8_t bytes[12000];
	struct error err = {""};
	size_t length = 8 + (size_t)client_random(c, client_random(c, 2) ? 600 : sizeof(bytes) - 8);
	uint64_t n = c->answered + 1, tag = (uint64_t)c->number << 32 | n;

	for (size_t at = 0; at < length; at++)
		bytes[at] = (uint8_t)mix(tag * 100003 + at);
	memcpy(bytes, &tag, sizeof(tag));
	CHECK(writer_write(c->w, client_random(c, DISK_BYTES - length), bytes, length, fua, &err) == 0);
	__atomic_store_n(&c->answered, n, __ATOMIC_SEQ_CST);
}

// What was answered before a FLUSH begins is promised when that is answered. The seq of a write is found later, by its tag.
static void one_flush(struct client *c)
{
	uint64_t answered[CLIENTS];
	struct error err;

	for (unsigned i = 0; i < CLIENTS; i++)
		answered[i] = __atomic_load_n(&clients[i].answered, __ATOMIC_SEQ_CST);
	CHECK(writer_flush(c->w, &err) == 0);
	for (unsigned i = 0; i < CLIENTS; i++)
		if (answered[i] > 0)
			(void)faults_note((struct fault_op){.kind = FAULT_ANSWER, .length = 1, .seq = (uint64_t)i << 32 | answered[i]});
}

static void *run_client(void *argument)
{
	struct client *c = argument;
	struct error err;

	for (unsigned i = 0; i < REQUESTS / CLIENTS; i++) {
		uint64_t kind = client_random(c, 20);

		if (kind < 16)
			one_write(c, false);
		else if (kind == 16)
			CHECK(writer_trim(c->w, client_random(c, DISK_BYTES - 5000), 5000, false, &err) == 0);
		else if (kind == 17) {
			one_write(c, true);
			(void)faults_note((struct fault_op){.kind = FAULT_ANSWER, .length = 1, .seq = (uint64_t)c->number << 32 | c->answered});
		} else
			one_flush(c);
		if (client_random(c, 12) == 0)
			(void)usleep(1000); // lets the sealer come between
	}
	return NULL;
}

static void make_recording(const char *folder)
{
	struct history_plan plan = {.size_bytes = DISK_BYTES, .segment_bytes = SEGMENT_BYTES};
	struct writer *w;
	struct error err = {""};
	pthread_t threads[CLIENTS];

	faults.mode = FAULTS_FAST;
	CHECK(history_init(folder, &plan, &err) == 0);
	faults.mode = FAULTS_RECORD;
	if (writer_open(folder, &options, &w, NULL, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	(void)faults_note((struct fault_op){.kind = FAULT_ANSWER, .seq = 1}); // the OPEN record
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i] = (struct client){.w = w, .number = i, .random = random_state + ((uint64_t)i << 20)};
	for (unsigned i = 0; i < CLIENTS; i++)
		CHECK(pthread_create(&threads[i], NULL, run_client, &clients[i]) == 0);
	for (unsigned i = 0; i < CLIENTS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(writer_close(w, &err) == 0);
	faults.mode = FAULTS_FAST;
}

static void read_reference(const char *folder)
{
	struct history *h;
	struct history_facts facts;
	struct error err = {""};

	CHECK(history_open(folder, &h, &err) == 0);
	CHECK(history_facts(h, &facts, &err) == 0);
	reference_count = (size_t)facts.last_seq;
	reference = calloc(reference_count, sizeof(*reference));
	for (size_t i = 0; i < reference_count; i++) {
		struct record *r = &reference[i].record;

		CHECK(history_record(h, i + 1, r, &err) == 0);
		if (r->type != RECORD_WRITE)
			continue;
		reference[i].content = malloc(r->length_bytes);
		CHECK(history_content(h, i + 1, 0, reference[i].content, r->length_bytes, &err) == 0);
	}
	history_free(h);
}

static void resolve_answers(void)
{
	for (size_t i = 0; i < faults.count; i++) {
		struct fault_op *op = &faults.ops[i];
		uint64_t tag = op->seq;

		if (op->kind != FAULT_ANSWER || op->length == 0)
			continue;
		op->seq = 0;
		for (size_t n = 0; n < reference_count && op->seq == 0; n++)
			if (reference[n].content && memcmp(reference[n].content, &tag, sizeof(tag)) == 0)
				op->seq = n + 1;
		CHECK(op->seq != 0);
	}
}

static void forget_reference(void)
{
	for (size_t i = 0; i < reference_count; i++)
		free(reference[i].content);
	free(reference);
	reference = NULL;
	reference_count = 0;
}

// ---- building a crash state

struct crash {
	uint64_t seed;
	size_t cut;              // operations before this index were begun
	size_t names;            // unsynced renames of which so many are there
	unsigned style;          // how much of what was not synced is there
	size_t reached;          // style 1: writes before it are there, one is torn
	uint64_t promised_seq;
};

struct crash_file {
	ino_t file;
	char name[64];
	uint8_t *bytes;
	uint64_t length, capacity;
	size_t durable; // operations before this index are there in full
};

// Up to which operation this sector's content had come to the disk.
static size_t sector_reached(const struct crash *c, const struct crash_file *f, uint64_t sector)
{
	uint64_t random = mix(c->seed ^ mix(f->file * 1000003 + sector));

	switch (c->style) {
	case 0:
		return 0; // nothing but what was synced
	case 1:
		return c->reached + (random & 1); // in order, the last write torn
	case 2:
		return random % 10 != 0 ? c->cut : (size_t)(random >> 8) % (c->cut + 1); // nearly all
	default:
		return random & 1 ? (size_t)(random >> 8) % (c->cut + 1) : 0;
	}
}

static void put_bytes(struct crash_file *f, const struct fault_op *op, uint64_t from, uint64_t to)
{
	if (to > f->capacity) {
		uint64_t capacity = (to + 65535) * 2;
		uint8_t *bytes = realloc(f->bytes, capacity);

		if (!bytes)
			abort();
		memset(bytes + f->capacity, 0, capacity - f->capacity);
		f->bytes = bytes;
		f->capacity = capacity;
	}
	memcpy(f->bytes + from, op->bytes + (from - op->offset), to - from);
	if (to > f->length)
		f->length = to;
}

static void put_write(const struct crash *c, struct crash_file *f, const struct fault_op *op, size_t index)
{
	uint64_t end = op->offset + op->length;

	for (uint64_t at = op->offset, next; at < end; at = next) {
		next = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
		next = next < end ? next : end;
		if (index < f->durable || index < sector_reached(c, f, at / SECTOR_BYTES))
			put_bytes(f, op, at, next);
	}
}

static void fill_file(const struct crash *c, struct crash_file *f)
{
	uint64_t greatest = 0;

	f->length = 0;
	f->durable = 0;
	if (f->bytes)
		memset(f->bytes, 0, f->capacity);
	for (size_t i = 0; i < c->cut; i++)
		if (faults.ops[i].kind == FAULT_SYNC && faults.ops[i].file == f->file && faults.ops[i].covers > f->durable)
			f->durable = faults.ops[i].covers;
	for (size_t i = 0; i < c->cut; i++) {
		const struct fault_op *op = &faults.ops[i];

		if (op->file != f->file)
			continue;
		if (op->kind == FAULT_WRITE) {
			put_write(c, f, op, i);
			greatest = op->offset + op->length > greatest ? op->offset + op->length : greatest;
		} else if (op->kind == FAULT_CUT && i < f->durable && op->length < f->length) {
			f->length = op->length;
		}
	}
	// A length may reach the disk before the bytes.
	if (c->style == 3 && mix(c->seed + f->file) % 4 == 0 && greatest > f->length && greatest <= f->capacity)
		f->length = greatest;
}

// The names in segments/, and what they lead to.
static size_t list_files(const struct crash *c, ino_t folder, struct crash_file *files)
{
	size_t durable = 0, count = 0, unsynced = 0;

	for (size_t i = 0; i < c->cut; i++)
		if (faults.ops[i].kind == FAULT_SYNC && faults.ops[i].file == folder && faults.ops[i].covers > durable)
			durable = faults.ops[i].covers;
	for (size_t i = 0; i < c->cut && count < MAX_FILES; i++) {
		if (faults.ops[i].kind != FAULT_RENAME || (i >= durable && unsynced++ >= c->names))
			continue;
		files[count].file = faults.ops[i].file;
		(void)snprintf(files[count].name, sizeof(files[count].name), "%s", faults.ops[i].name);
		count++;
	}
	return count;
}

static void build(const struct crash *c, ino_t folder, struct crash_file *files)
{
	char path[160];
	size_t count = list_files(c, folder, files);

	history_folder_empty("crashed/segments");
	history_folder_empty("crashed/index");
	for (size_t i = 0; i < count; i++) {
		fill_file(c, &files[i]);
		(void)snprintf(path, sizeof(path), "crashed/segments/%s", files[i].name);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		CHECK(fd >= 0 && (files[i].length == 0 || write(fd, files[i].bytes, files[i].length) == (ssize_t)files[i].length));
		(void)close(fd);
	}
}

// ---- judging it

// Every record that is left is the one that was written.
static bool same_records(const struct recovered *r)
{
	for (size_t i = 0; i < r->unsealed.count; i++) {
		const struct segment *s = &r->unsealed.items[i];

		for (uint64_t n = 0; n < s->record_count; n++) {
			struct record found;
			struct error err;
			uint64_t seq = s->first_seq + n;

			if (seq > reference_count || segment_read_record(s, &s->rows[n], &found, "crashed", &err) < 0 || found.seq != seq ||
			    found.checksum != reference[seq - 1].record.checksum)
				return false;
		}
	}
	return true;
}

static bool recover_once(const struct crash *c, struct writer_recovery *ret_recovery)
{
	struct history_header header;
	struct recovered r;
	struct error err = {""};

	if (history_header_read("crashed", &header, &err) < 0 || recover("crashed", &header, &r, ret_recovery, &err) < 0) {
		fail("does not open", c->seed, &err);
		return false;
	}
	bool fine = r.last_seq >= c->promised_seq && r.last_seq <= reference_count && same_records(&r);

	if (r.last_seq < c->promised_seq)
		fprintf(stderr, "lost: seq %ju was promised, %ju is there\n", (uintmax_t)c->promised_seq, (uintmax_t)r.last_seq);
	if (!fine)
		fail("a wrong prefix", c->seed, NULL);
	recovered_release(&r);
	return fine;
}

// The process dies in the middle of the repair: what the next one finds is as good.
static void interrupt_repair(const struct crash *c)
{
	struct history_header header;
	struct error err;
	pid_t child = fork();

	if (child == 0) {
		struct recovered r;
		struct writer_recovery recovery;

		faults.steps_left = (int)next_random(4);
		if (history_header_read("crashed", &header, &err) == 0)
			(void)recover("crashed", &header, &r, &recovery, &err);
		_exit(0);
	}
	CHECK(waitpid(child, NULL, 0) == child);
	(void)c;
}

// Through the front doors: a reader changes nothing and sees what a writer will keep, and that reads back.
static void open_fully(const struct crash *c)
{
	static uint8_t wanted[DISK_BYTES], got[DISK_BYTES];
	struct writer_recovery recovery;
	struct history_facts facts;
	struct history *h;
	struct writer *w;
	struct error err = {""};

	if (history_open("crashed", &h, &err) < 0 || history_facts(h, &facts, &err) < 0) {
		fail("cannot be read", c->seed, &err);
		return;
	}
	uint64_t seen_seq = facts.last_seq;

	history_free(h);
	if (writer_open("crashed", &options, &w, &recovery, &err) < 0) {
		fail("cannot be opened", c->seed, &err);
		return;
	}
	CHECK_EQUAL(recovery.kept_seq, seen_seq);
	memset(wanted, 0, sizeof(wanted));
	for (uint64_t i = 0; i < recovery.kept_seq && i < reference_count; i++) {
		const struct record *r = &reference[i].record;

		if (r->type == RECORD_WRITE)
			memcpy(wanted + r->offset_bytes, reference[i].content, r->length_bytes);
		else if (record_touches_disk(r))
			memset(wanted + r->offset_bytes, 0, r->length_bytes);
	}
	CHECK(writer_read(w, 0, got, sizeof(got), &err) == 0);
	if (memcmp(wanted, got, sizeof(got)) != 0)
		fail("the disk reads wrongly", c->seed, NULL);
	CHECK(writer_close(w, &err) == 0);
}

static void one_state(ino_t folder, struct crash_file *files, uint64_t number)
{
	struct crash c = {.seed = mix(number), .cut = 1 + (size_t)next_random(faults.count), .style = (unsigned)next_random(4)};
	struct writer_recovery recovery;

	c.names = (size_t)next_random(3);
	c.reached = (size_t)next_random(c.cut + 1);
	for (size_t i = 0; i < c.cut; i++)
		if (faults.ops[i].kind == FAULT_ANSWER && faults.ops[i].seq > c.promised_seq)
			c.promised_seq = faults.ops[i].seq;
	build(&c, folder, files);
	if (number % 40 == 0) {
		open_fully(&c);
		return;
	}
	if (number % 10 == 1)
		interrupt_repair(&c);
	if (recover_once(&c, &recovery) && recovery.torn) {
		// A second opening finds nothing to do.
		struct writer_recovery again;

		if (recover_once(&c, &again) && (again.torn || again.kept_seq != recovery.kept_seq))
			fail("the repair did not end it", c.seed, NULL);
	}
}

static void copy_header(const char *from)
{
	char command[200];

	(void)snprintf(command, sizeof(command), "rm -rf crashed && mkdir -p crashed/segments crashed/index && cp %s/header crashed/", from);
	CHECK(system(command) == 0);
}

int main(void)
{
	const char *text = getenv("CRASH_STATES");
	uint64_t states = text ? strtoull(text, NULL, 10) : 3000, done = 0;
	struct crash_file files[MAX_FILES] = {0};
	char folder[32], segments[64];

	for (unsigned round = 0; done < states && unit_failures == 0; round++) {
		struct stat status = {0};

		random_state = (uint64_t)round << 32;
		(void)snprintf(folder, sizeof(folder), "recording-%u", round);
		(void)snprintf(segments, sizeof(segments), "%s/segments", folder);
		make_recording(folder);
		read_reference(folder);
		resolve_answers();
		copy_header(folder);
		CHECK(stat(segments, &status) == 0);
		for (unsigned i = 0; i < STATES_PER_RECORDING && done < states && unit_failures == 0; i++)
			one_state(status.st_ino, files, done++);
		forget_reference();
		faults_forget();
	}
	for (size_t i = 0; i < MAX_FILES; i++)
		free(files[i].bytes);
	CHECK_EQUAL(done, states);
	return unit_end();
}
