// SPDX-License-Identifier: MIT
// Disks that fail or are full, clocks that step, logs of other programs: what a writer answers, and what it leaves.
#include "tests/unit/disk_faults.h"
#include "tests/unit/history_folder.h"
#include "tests/unit/unit.h"

#include "base/bytes.h"
#include "snapshots/segment_format.h"
#include "snapshots/writer.h"

#include <sys/resource.h>

#define DISK_BYTES (1u << 20)

static char warning[1024];
static unsigned warnings;

static void warn(void *context, const char *message)
{
	(void)context;
	(void)snprintf(warning, sizeof(warning), "%s", message);
	warnings++;
}

static uint64_t realtime_ns, boottime_ns;
static uint64_t realtime(void *context)
{
	(void)context;
	return __atomic_add_fetch(&realtime_ns, 1000, __ATOMIC_RELAXED);
}
static uint64_t boottime(void *context)
{
	(void)context;
	return __atomic_add_fetch(&boottime_ns, 1000, __ATOMIC_RELAXED);
}

static struct writer_options options = {.compress = WRITER_COMPRESS_NEVER, .warn = warn};

static struct writer *open_with(const struct writer_options *o, struct writer_recovery *recovery)
{
	struct writer *w = NULL;
	struct error err = {""};

	warnings = 0;
	if (writer_open("h", o, &w, recovery, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	return w;
}

static void make(uint64_t segment_bytes)
{
	struct history_plan plan = {.size_bytes = DISK_BYTES, .segment_bytes = segment_bytes};
	struct error err = {""};

	history_folder_remove("h");
	CHECK(history_init("h", &plan, &err) == 0);
	CHECK_STRING(err.message, "");
}

static void calm(void)
{
	faults.pwrite_fails_after = faults.sync_fails_after = faults.fallocate_fails_after = -1;
	faults.room_bytes = -1;
	faults.no_fallocate = false;
}

// ---- EIO

// After the first failure nothing is promised any more; what was promised before is there when the history is opened again.
static void check_poison(bool sync_fails)
{
	struct error err = {""};
	char got[8] = "";

	make(0);
	struct writer *w = open_with(&options, NULL);

	CHECK(writer_write(w, 0, "flushed", 7, false, &err) == 0);
	CHECK(writer_flush(w, &err) == 0);
	CHECK(writer_write(w, 0, "staged!", 7, false, &err) == 0);
	faults.reason = EIO;
	*(sync_fails ? &faults.sync_fails_after : &faults.pwrite_fails_after) = 0;
	CHECK_EQUAL(writer_flush(w, &err), -EIO);
	CHECK(strstr(err.message, "Input/output error (nothing is recorded any more until the history is opened again)") != NULL);
	CHECK_EQUAL(warnings, 1);
	calm(); // the second fdatasync would succeed: that must not count
	CHECK_EQUAL(writer_flush(w, &err), -EIO);
	CHECK_EQUAL(writer_write(w, 0, "again", 5, false, &err), -EIO);
	CHECK_EQUAL(writer_trim(w, 0, 512, false, &err), -EIO);
	CHECK_EQUAL(writer_read(w, 0, got, 7, &err), -EIO);
	CHECK_EQUAL(warnings, 1);
	CHECK(writer_close(w, &err) < 0);

	// What the kernel kept of it must not be taken for what is on the disk: written, then dropped, then read.
	faults.sync_calls = faults.drops = 0;
	faults.sync_fails_after = 0;
	CHECK_EQUAL(writer_open("h", &options, &w, NULL, &err), -EIO);
	CHECK_EQUAL(faults.drops, 0);
	calm();
	w = open_with(&options, NULL);
	CHECK_EQUAL(faults.drops, 1);
	CHECK(writer_read(w, 0, got, 7, &err) == 0);
	CHECK(strcmp(got, "flushed") == 0 || (sync_fails && strcmp(got, "staged!") == 0));
	CHECK(writer_close(w, &err) == 0);
	CHECK(writer_close(open_with(&options, NULL), &err) == 0);
	CHECK_EQUAL(faults.drops, 1); // after a clean end the cache is good
}

// A FUA write and a direct one learn of the failure themselves.
static void check_poison_at_once(void)
{
	struct writer_options direct = options;
	struct error err;

	make(0);
	direct.direct = true;
	struct writer *w = open_with(&direct, NULL);

	faults.pwrite_fails_after = 0;
	faults.reason = EIO;
	CHECK_EQUAL(writer_write(w, 0, "x", 1, false, &err), -EIO);
	calm();
	CHECK(writer_close(w, &err) < 0);
	w = open_with(&options, NULL);
	faults.sync_fails_after = 0;
	CHECK_EQUAL(writer_write(w, 0, "x", 1, true, &err), -EIO);
	calm();
	CHECK(writer_close(w, &err) < 0);
}

// ---- a full disk

static unsigned fill(struct writer *w, struct error *err, int *ret_result)
{
	unsigned written = 0;

	while ((*ret_result = writer_write(w, written * 512 % DISK_BYTES, &written, sizeof(written), false, err)) == 0)
		written++;
	return written;
}

// Told before the answer; then still: reads, a FLUSH, a clean end. With room again, on it goes.
static void check_full(uint64_t segment_bytes, int granted)
{
	struct writer_recovery recovery;
	struct error err = {""};
	unsigned last;
	int result;

	make(segment_bytes);
	struct writer *w = open_with(&options, NULL);

	faults.reason = ENOSPC;
	faults.fallocate_fails_after = granted;
	unsigned written = fill(w, &err, &result);

	CHECK_EQUAL(result, -ENOSPC);
	CHECK(strstr(err.message, "No space left on device") != NULL);
	CHECK(written > 0);
	CHECK_EQUAL(writer_write(w, 0, "xxx", 3, false, &err), -ENOSPC);
	CHECK_EQUAL(writer_zero(w, 0, 512, true, false, &err), -ENOSPC);
	CHECK_EQUAL(warnings, 1); // once for each time it gets full
	for (unsigned i = 0; i < 200; i++)
		CHECK(writer_flush(w, &err) == 0);
	CHECK(writer_read(w, (written - 1) * 512 % DISK_BYTES, &last, sizeof(last), &err) == 0 && last == written - 1);
	if (granted % 2 == 0) {
		calm();
		CHECK(writer_write(w, 0, "xxx", 3, false, &err) == 0);
	}
	CHECK(writer_close(w, &err) == 0);
	calm();
	w = open_with(&options, &recovery);
	CHECK(!recovery.torn);
	CHECK(writer_read(w, (written - 1) * 512 % DISK_BYTES, &last, sizeof(last), &err) == 0 && last == written - 1);
	CHECK(writer_close(w, &err) == 0);
}

// --max-size, to the byte.
static void check_max_size(void)
{
	unsigned before = 0;

	for (uint64_t most = 6000; most < 6200; most++) {
		struct writer_options small = options;
		struct error err;
		int result;

		make(0);
		small.max_size_bytes = most;
		struct writer *w = open_with(&small, NULL);
		unsigned written = fill(w, &err, &result);

		CHECK_EQUAL(result, -ENOSPC);
		CHECK(strstr(err.message, "has reached its largest size") != NULL);
		CHECK(written >= before && written <= before + 20);
		before = written;
		CHECK(writer_flush(w, &err) == 0);
		CHECK(writer_close(w, &err) == 0);
		struct stat status;

		CHECK(stat("h/segments/00000001.segment", &status) == 0 && (uint64_t)status.st_size <= most);
	}
}

// A file system that cannot keep room: every request is written before its answer, and where the file cannot grow the recording ends.
static void check_no_fallocate(void)
{
	struct error err;
	struct stat status;

	make(0);
	faults.no_fallocate = true;
	struct writer *w = open_with(&options, NULL);

	for (int i = 0; i < 3; i++)
		CHECK(writer_write(w, 0, "abc", 3, false, &err) == 0);
	CHECK(stat("h/segments/00000001.segment", &status) == 0);
	CHECK(writer_close(w, &err) == 0);
	for (int64_t room = status.st_size; room > status.st_size - 200; room--) {
		struct writer_recovery recovery;
		unsigned answered = 0;

		make(0);
		w = open_with(&options, NULL);
		faults.room_bytes = room;
		while (answered < 3 && writer_write(w, answered * 512, "abc", 3, false, &err) == 0)
			answered++;
		CHECK(writer_close(w, &err) <= 0);
		faults.room_bytes = -1;
		w = open_with(&options, &recovery);
		for (unsigned i = 0; i < answered; i++) {
			char got[4] = "";

			CHECK(writer_read(w, i * 512, got, 3, &err) == 0);
			CHECK_STRING(got, "abc");
		}
		CHECK(writer_close(w, &err) == 0);
	}
	calm();
}

// ---- clocks

struct seen { unsigned clocks; uint64_t expected[8], realtime[8]; };
static void read_clocks(struct seen *ret)
{
	struct history *h;
	struct history_facts facts;
	struct record r;
	struct error err;
	uint8_t content[8];

	memset(ret, 0, sizeof(*ret));
	CHECK(history_open("h", &h, &err) == 0 && history_facts(h, &facts, &err) == 0);
	for (uint64_t seq = 1; seq <= facts.last_seq; seq++) {
		CHECK(history_record(h, seq, &r, &err) == 0);
		if (r.type != RECORD_CLOCK || ret->clocks == 8)
			continue;
		CHECK(history_content(h, seq, 0, content, 8, &err) == 0);
		ret->realtime[ret->clocks] = r.realtime_ns;
		ret->expected[ret->clocks++] = get_le64(content);
	}
	history_free(h);
}

static void check_clocks(void)
{
	struct writer_options stepped = options;
	struct error err;
	struct seen seen;

	make(0);
	stepped.realtime = realtime;
	stepped.boottime = boottime;
	realtime_ns = UINT64_C(1795252951562320442);
	boottime_ns = UINT64_C(5000000000);
	struct writer *w = open_with(&stepped, NULL);

	CHECK(writer_write(w, 0, "a", 1, false, &err) == 0);
	realtime_ns += 9000000; // below the limit
	CHECK(writer_write(w, 0, "b", 1, false, &err) == 0);
	realtime_ns += 3600 * UINT64_C(1000000000); // an hour forward
	CHECK(writer_write(w, 0, "c", 1, false, &err) == 0);
	realtime_ns -= 7200 * UINT64_C(1000000000); // two back, while the next request is a large one
	static uint8_t large[600000];
	CHECK(writer_write(w, 0, large, sizeof(large), false, &err) == 0);
	realtime_ns += 100 * UINT64_C(1000000000); // the machine slept: both clocks went on
	boottime_ns += 100 * UINT64_C(1000000000);
	CHECK(writer_write(w, 0, "d", 1, false, &err) == 0);
	CHECK(writer_close(w, &err) == 0);
	read_clocks(&seen);
	CHECK_EQUAL(seen.clocks, 2);
	CHECK(seen.realtime[0] - seen.expected[0] > 3599 * UINT64_C(1000000000));
	CHECK(seen.expected[1] - seen.realtime[1] > 7199 * UINT64_C(1000000000));

	realtime_ns -= 50 * UINT64_C(1000000000); // stepped while nobody recorded, in the same boot
	CHECK(writer_close(open_with(&stepped, NULL), &err) == 0);
	read_clocks(&seen);
	CHECK_EQUAL(seen.clocks, 3);
	CHECK(writer_close(open_with(&stepped, NULL), &err) == 0);
	read_clocks(&seen);
	CHECK_EQUAL(seen.clocks, 3);
}

// ---- another program's log

static void check_import(void)
{
	struct writer_options import = {.imported = true, .compress = WRITER_COMPRESS_NEVER}, plain = options;
	struct history *h;
	struct history_facts facts;
	struct record r;
	struct error err = {""};
	struct writer *w;
	char got[6] = "";

	make(0);
	w = open_with(&import, NULL);
	CHECK(writer_import(w, RECORD_WRITE, 0, 1000, 512, 5, "hello", &err) == 0);
	CHECK(writer_import(w, RECORD_FLUSH, 0, 1001, 0, 0, NULL, &err) == 0);
	CHECK(writer_import(w, RECORD_MARK, 0, 1001, 0, 4, "mark", &err) == 0);
	CHECK(writer_import(w, RECORD_TRIM, RECORD_FUA, 2000, 0, 512, NULL, &err) == 0);
	CHECK_EQUAL(writer_import(w, RECORD_TRIM, 0, 1999, 0, 512, NULL, &err), -EINVAL);
	CHECK(strstr(err.message, "runs back") != NULL);
	CHECK_EQUAL(writer_import(w, RECORD_WRITE, 0, 2000, DISK_BYTES - 4, 5, "hello", &err), -EINVAL);
	CHECK_EQUAL(writer_import(w, RECORD_OPEN, 0, 2000, 0, 0, NULL, &err), -EINVAL);
	CHECK(writer_close(w, &err) == 0);
	CHECK(history_open("h", &h, &err) == 0 && history_facts(h, &facts, &err) == 0);
	CHECK_EQUAL(facts.last_seq, 4);
	CHECK_EQUAL(facts.first_ns, 1000);
	CHECK_EQUAL(facts.last_ns, 2000);
	CHECK(history_record(h, 4, &r, &err) == 0 && r.flags == (RECORD_IMPORTED | RECORD_FUA) && r.boottime_ns == 0 && r.type == RECORD_TRIM);
	history_free(h);
	CHECK_EQUAL(writer_open("h", &import, &w, NULL, &err), -EEXIST);
	w = open_with(&plain, NULL);
	CHECK(writer_read(w, 512, got, 5, &err) == 0);
	CHECK_STRING(got, "hello");
	CHECK(writer_close(w, &err) == 0);
	CHECK(history_open("h", &h, &err) == 0 && history_facts(h, &facts, &err) == 0);
	CHECK_EQUAL(facts.last_seq, 6); // OPEN, CLOSE: no GAP, no CLOCK
	history_free(h);
}

// ---- several clients at once

struct client { struct writer *w; unsigned number; unsigned wrong; };
static void *write_and_read(void *argument)
{
	struct client *c = argument;
	struct error err;
	uint8_t bytes[3000], got[3000];
	uint64_t base = c->number * (DISK_BYTES / 4), size = DISK_BYTES / 4 - sizeof(bytes);

	for (unsigned i = 0; i < 600; i++) {
		uint64_t at = base + i * UINT64_C(7919) % size;
		size_t length = 1 + i * 31 % sizeof(bytes);

		memset(bytes, (int)(c->number * 64 + i % 61), length);
		c->wrong += writer_write(c->w, at, bytes, length, i % 97 == 0, &err) < 0;
		c->wrong += i % 50 == 0 && writer_flush(c->w, &err) < 0;
		c->wrong += writer_read(c->w, at, got, length, &err) < 0 || memcmp(got, bytes, length) != 0;
	}
	return NULL;
}

static void check_clients(void)
{
	struct client clients[4];
	pthread_t threads[4];
	struct history_verdict verdict = {0};
	struct error err;

	make(1 << 18);
	struct writer *w = open_with(&options, NULL);

	for (unsigned i = 0; i < 4; i++) {
		clients[i] = (struct client){.w = w, .number = i};
		CHECK(pthread_create(&threads[i], NULL, write_and_read, &clients[i]) == 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		CHECK(pthread_join(threads[i], NULL) == 0);
		CHECK_EQUAL(clients[i].wrong, 0);
	}
	CHECK(writer_close(w, &err) == 0);
	CHECK(history_verify("h", &verdict, NULL, NULL, &err) == 0);
	CHECK_EQUAL(verdict.damages.count, 0);
	CHECK(!verdict.torn);
	damage_vector_release(&verdict.damages);
}

// ---- segments that follow each other

// A segment is full while its last bytes are still on their way to the file: it may not be sealed before they are there.
static void check_slow_write(void)
{
	static uint8_t block[4096], got[4096];
	struct error err = {""};

	make(1 << 16);
	struct writer *w = open_with(&options, NULL);

	faults.slow_us = 400000;
	faults.slow_after = 0;
	for (unsigned i = 0; i < 16; i++) {
		memset(block, (int)i + 1, sizeof(block));
		CHECK(writer_write(w, i * sizeof(block), block, sizeof(block), false, &err) == 0);
	}
	(void)usleep(120000); // the thread that writes what is staged is at it
	memset(block, 77, sizeof(block));
	CHECK(writer_write(w, 16 * sizeof(block), block, sizeof(block), false, &err) == 0);
	(void)usleep(150000); // the sealer had its time
	for (unsigned i = 0; i < 16; i++) {
		CHECK(writer_read(w, i * sizeof(block), got, sizeof(got), &err) == 0);
		CHECK(got[0] == i + 1 && got[4095] == i + 1);
	}
	CHECK(writer_close(w, &err) == 0);
}

static void limit_files(rlim_t count)
{
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = count == 0 ? limit.rlim_max : count;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void write_blocks(struct writer *w, unsigned from, unsigned to)
{
	static uint8_t block[4096];
	struct error err;

	for (unsigned i = from; i < to; i++) {
		memset(block, (int)i + 1, sizeof(block));
		CHECK(writer_write(w, i * sizeof(block), block, sizeof(block), false, &err) == 0);
	}
	CHECK(writer_flush(w, &err) == 0);
}

// Descriptors run out just when a segment is full. It is sealed later, and never after one that follows it.
static void check_few_files(void)
{
	struct history_verdict verdict = {0};
	struct writer_recovery recovery;
	struct error err = {""};
	static uint8_t filler[8192];
	uint8_t byte = 1;

	memset(filler, 1, sizeof(filler));
	make(1 << 16);
	struct writer *w = open_with(&options, NULL);

	write_blocks(w, 0, 15);
	CHECK(writer_write(w, 15 * 4096, filler, sizeof(filler), false, &err) == 0); // over the segment's size
	int next = dup(STDERR_FILENO);

	(void)close(next);
	limit_files((rlim_t)next);
	CHECK_EQUAL(writer_write(w, 0, &byte, 1, false, &err), -EIO);
	CHECK(strstr(err.message, "00000002.segment: cannot make it: Too many open files") != NULL);
	limit_files((rlim_t)next + 1);
	CHECK(writer_write(w, 0, &byte, 1, false, &err) == 0);
	CHECK(strstr(warning, "00000001.segment: cannot be sealed yet: Too many open files") != NULL);
	limit_files(0);
	write_blocks(w, 17, 60);
	for (unsigned tries = 0; tries < 400 && access("h/index/0-00000003.table", F_OK) < 0; tries++)
		(void)usleep(10000);
	CHECK(writer_close(w, &err) == 0);
	w = open_with(&options, &recovery);
	CHECK(!recovery.torn);
	CHECK(writer_read(w, 59 * 4096, &byte, 1, &err) == 0 && byte == 60);
	CHECK(writer_close(w, &err) == 0);
	CHECK(history_verify("h", &verdict, NULL, NULL, &err) == 0);
	CHECK_EQUAL(verdict.damages.count, 0);
	damage_vector_release(&verdict.damages);
}

// What was kept free behind the records is given back at a clean end.
static void check_room(void)
{
	static const uint8_t block[4096] = {[4095] = 1};
	struct error err = {""};
	struct stat status;

	make(0);
	struct writer *w = open_with(&options, NULL);

	faults.interrupted_after = 0; // a signal is no failure
	for (unsigned i = 0; i < 20; i++)
		CHECK(writer_write(w, i * 4096, block, sizeof(block), false, &err) == 0);
	CHECK_EQUAL(faults.interrupted_after, -1);
	CHECK(writer_close(w, &err) == 0);
	CHECK(stat("h/segments/00000001.segment", &status) == 0 && status.st_blocks * 512 < status.st_size + (1 << 16));
	w = open_with(&options, NULL);
	CHECK(writer_write(w, 0, "abc", 3, false, &err) == 0);
	CHECK(writer_close(w, &err) == 0);
	CHECK(stat("h/segments/00000001.segment", &status) == 0 && status.st_blocks * 512 < status.st_size + (1 << 16));
}

static void read_facts(struct history_facts *ret, uint8_t *ret_type, uint64_t seq)
{
	struct segment_row row = {.type = 0};
	struct history *h;
	struct error err;

	CHECK(history_open("h", &h, &err) == 0);
	CHECK(history_facts(h, ret, &err) == 0);
	CHECK(history_row(h, seq, &row, &err) == 0);
	*ret_type = row.type;
	history_free(h);
}

// A guest that knows all but the UUID writes content that ends as a footer would, in the last record.
static void check_forged_footer(void)
{
	struct writer_options direct = options;
	struct history_facts facts;
	static uint8_t content[4096];
	struct error err = {""};
	struct stat status;
	uint8_t type;

	make(0);
	direct.direct = true;
	struct writer *w = open_with(&direct, NULL);

	CHECK(writer_write(w, 0, "evidence", 8, false, &err) == 0);
	CHECK(stat("h/segments/00000001.segment", &status) == 0);
	struct segment forged = {.number = 1, .first_seq = 1};

	forged.records_end = (uint64_t)status.st_size + RECORD_HEADER_BYTES + sizeof(content) - SEGMENT_FOOTER_BYTES;
	segment_format_footer(&forged, 0, content + sizeof(content) - SEGMENT_FOOTER_BYTES);
	CHECK(writer_write(w, 4096, content, sizeof(content), false, &err) == 0);
	read_facts(&facts, &type, 2);
	CHECK_EQUAL(facts.last_seq, 3);
	CHECK_EQUAL(type, RECORD_WRITE);
	CHECK(writer_close(w, &err) == 0);
}

// Torn behind a CLOSE: a recording that began, and of which nothing was whole. The log says so.
static void check_torn_begin(void)
{
	struct writer_recovery recovery;
	struct history_facts facts;
	struct error err = {""};
	uint8_t type;

	make(0);
	CHECK(writer_close(open_with(&options, NULL), &err) == 0);
	int fd = open("h/segments/00000001.segment", O_WRONLY | O_APPEND);

	CHECK(write(fd, "half of a record", 16) == 16);
	(void)close(fd);
	struct writer *w = open_with(&options, &recovery);

	CHECK(recovery.torn);
	CHECK(writer_close(w, &err) == 0);
	read_facts(&facts, &type, 3);
	CHECK_EQUAL(type, RECORD_GAP);
}

int main(void)
{
	faults.mode = FAULTS_FAST;
	check_poison(false);
	check_poison(true);
	check_poison_at_once();
	check_full(0, 0);
	check_full(0, 1);
	for (int granted = 2; granted < 8; granted++)
		check_full(1 << 16, granted);
	check_max_size();
	check_no_fallocate();
	check_clocks();
	check_import();
	check_clients();
	check_slow_write();
	check_few_files();
	check_room();
	check_forged_footer();
	check_torn_begin();
	return unit_end();
}
