// SPDX-License-Identifier: MIT
// A history of hundreds of segments: open files are bounded, rows and contents are right, ends are where they are, and an unfinished end
// is reported without being touched.
#include "base/bytes.h"
#include "base/nanotime.h"
#include "snapshots/history_header.h"

#include "tests/unit/disk_model.h"
#include "tests/unit/make_segments.h"

#include <dirent.h>

#define SEGMENTS 400u
#define RECORDS 3u // in each
#define MOST_FILES 256u // HISTORY_MAX_FILES

static size_t open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	while (folder && readdir(folder))
		count++;
	if (folder)
		(void)closedir(folder);
	return count;
}

static void fill(uint8_t bytes[64], uint64_t seq)
{
	for (size_t i = 0; i < 8; i++)
		put_le64(bytes + 8 * i, seq * 31 + i + 1);
}

static void make(const char *folder)
{
	struct history_plan plan = { .size_bytes = 1 << 20 };
	struct history_header header = { .size_bytes = 0 };
	struct error err = { "" };
	uint8_t bytes[64];

	CHECK_EQUAL(history_init(folder, &plan, &err), 0);
	CHECK_EQUAL(history_header_read(folder, &header, &err), 0);
	struct maker m = { .folder = folder, .uuid = header.uuid };
	for (unsigned number = 1; number <= SEGMENTS; number++) {
		maker_begin(&m, number);
		for (unsigned i = 0; i < RECORDS; i++) {
			fill(bytes, m.last_seq + 1);
			(void)maker_add(&m, RECORD_WRITE, m.last_seq % 1000 * 64, 64, bytes);
		}
		if (number < SEGMENTS) {
			maker_seal(&m);
		} else {
			maker_flush(&m);
			segment_release(&m.segment);
		}
	}
	buffer_release(&m.output);
}

static int count_row(void *context, uint64_t seq, const struct segment_row *row, struct error *err)
{
	uint64_t *next = context;

	(void)err;
	return row->type == RECORD_WRITE && seq == *next ? (++*next, 0) : 1;
}

static int stop_at_7(void *context, uint64_t seq, const struct segment_row *row, struct error *err)
{
	(void)context, (void)row;
	return seq == 7 ? 1 : seq > 7 ? error_set(err, "not stopped") : 0;
}

static void test_walks(struct history *h)
{
	struct error err = { "" };
	uint64_t next = 1;

	CHECK_EQUAL(history_walk(h, 0, SEGMENTS * RECORDS, count_row, &next, &err), 0);
	CHECK_EQUAL(next, SEGMENTS * RECORDS + 1);
	next = 500;
	CHECK_EQUAL(history_walk(h, 499, 504, count_row, &next, &err), 0);
	CHECK_EQUAL(next, 505);
	CHECK_EQUAL(history_walk(h, 5, 5, count_row, &next, &err), 0);
	CHECK_EQUAL(history_walk(h, 2, 100, stop_at_7, NULL, &err), 1);
	CHECK_STRING(err.message, "");
	CHECK_EQUAL(history_walk(h, 0, SEGMENTS * RECORDS + 1, count_row, &next, &err), -1);
	CHECK(strstr(err.message, "there is no seq:1201, the last one is seq:1200") != NULL);
}

static void test_reads(struct history *h)
{
	struct error err = { "" };
	uint64_t random = 9;
	size_t wrong = 0;

	for (size_t i = 0; i < 3000; i++) {
		uint64_t seq = 1 + model_mix(&random) % (SEGMENTS * RECORDS);
		uint8_t bytes[64], wanted[64];
		struct record record;

		fill(wanted, seq);
		wrong += history_record(h, seq, &record, &err) < 0 || record.seq != seq || record.boottime_ns != seq * 1000000;
		wrong += history_content(h, seq, 10, bytes, 50, &err) < 0 || memcmp(bytes, wanted + 10, 50) != 0;
	}
	CHECK_EQUAL(wrong, 0);
	CHECK_STRING(err.message, "");
	CHECK_EQUAL(history_content(h, 3, 60, (uint8_t[8]){ 0 }, 8, &err), -1);
	CHECK_EQUAL(history_record(h, 0, &(struct record){ 0 }, &err), -1);
	CHECK_EQUAL(history_row(h, SEGMENTS * RECORDS + 1, &(struct segment_row){ 0 }, &err), -1);
}

static void test_many_segments(const char *folder)
{
	struct history *h = NULL;
	struct history_facts facts;
	struct history_space space;
	struct error err = { "" };
	size_t before = open_files();

	CHECK_EQUAL(history_open(folder, &h, &err), 0);
	CHECK(open_files() <= before + 1); // that of the unsealed segment
	CHECK_EQUAL(history_facts(h, &facts, &err), 0);
	CHECK_EQUAL(facts.last_seq, SEGMENTS * RECORDS);
	CHECK_EQUAL(facts.segment_count, SEGMENTS);
	CHECK(!facts.torn && !facts.being_written && facts.last_flush_seq == 0 && facts.last_flush_ns == NANOTIME_NONE);
	CHECK_EQUAL(facts.last_ns - facts.first_ns, (SEGMENTS * RECORDS - 1) * UINT64_C(1000000));
	test_reads(h);
	CHECK(open_files() <= before + 1 + MOST_FILES);
	test_walks(h);
	CHECK_EQUAL(history_space(h, &space, &err), 0);
	CHECK_EQUAL(space.written_bytes, SEGMENTS * RECORDS * 64);
	CHECK(space.stored_bytes > space.written_bytes);
	CHECK(open_files() <= before + 1 + MOST_FILES);
	history_free(h);
	CHECK_EQUAL(open_files(), before);
}

// Half a record at the end: told, not touched, and gone as soon as the rest arrives.
static void test_torn(const char *folder)
{
	char *name;
	struct history *h;
	struct history_facts facts;
	struct error err = { "" };
	struct stat status;
	uint8_t bytes[RECORD_HEADER_BYTES + 64];
	struct record r = { .type = RECORD_WRITE, .seq = SEGMENTS * RECORDS + 1, .realtime_ns = MODEL_START_NS, .length_bytes = 64, .stored_bytes = 64 };

	if (asprintf(&name, "%s/segments/%08u.segment", folder, SEGMENTS) < 0)
		abort();
	fill(bytes + RECORD_HEADER_BYTES, r.seq);
	record_encode(&r, bytes + RECORD_HEADER_BYTES, bytes);
	CHECK_EQUAL(history_open(folder, &h, &err), 0);
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	CHECK(fstat(fd, &status) == 0 && pwrite(fd, bytes, 70, status.st_size) == 70);
	CHECK_EQUAL(history_refresh(h, &err), 0);
	CHECK_EQUAL(history_facts(h, &facts, &err), 0);
	CHECK(facts.torn && facts.last_seq == SEGMENTS * RECORDS && strstr(facts.torn_reason.message, "is cut short"));
	CHECK(pwrite(fd, bytes + 70, sizeof(bytes) - 70, status.st_size + 70) == (ssize_t)sizeof(bytes) - 70);
	CHECK_EQUAL(history_refresh(h, &err), 0);
	CHECK_EQUAL(history_facts(h, &facts, &err), 0);
	CHECK(!facts.torn && facts.last_seq == SEGMENTS * RECORDS + 1);
	// Somebody cuts away what was seen already: no silent change of the past.
	CHECK_EQUAL(ftruncate(fd, status.st_size - 8), 0);
	CHECK_EQUAL(history_content(h, SEGMENTS * RECORDS + 1, 0, bytes, 64, &err), -1);
	(void)close(fd);
	history_free(h);
	CHECK_STRING(name + strlen(name) - 8, ".segment");
	free(name);
}

static void test_no_history(const char *parent)
{
	struct history *h;
	struct error err = { "" };
	char *path;

	if (asprintf(&path, "%s/none", parent) < 0)
		abort();
	CHECK_EQUAL(history_open(path, &h, &err), -1);
	CHECK(strstr(err.message, "none") != NULL);
	CHECK_EQUAL(history_open(parent, &h, &err), -1);
	free(path);
}

int main(void)
{
	char *parent = model_folder(), *folder;

	if (asprintf(&folder, "%s/h", parent) < 0)
		abort();
	make(folder);
	test_many_segments(folder);
	test_torn(folder);
	test_no_history(parent);
	model_remove(parent);
	free(folder);
	free(parent);
	return unit_end();
}
