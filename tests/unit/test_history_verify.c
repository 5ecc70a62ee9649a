// SPDX-License-Identifier: MIT
// Whatever is changed, cut, removed, swapped or slipped into a history is found, and no view of it gives wrong bytes. What is harmless by
// definition is listed here: the unfinished end, and all that is derived while nothing proves that it was there.
#include "base/bytes.h"
#include "snapshots/disk_at.h"
#include "snapshots/history_header.h"
#include "snapshots/table_cover.h"

#include "tests/unit/disk_model.h"
#include "tests/unit/make_segments.h"

#define DISK_BYTES 16384u
#define IMAGE_BYTES 10000u
#define SEALED 5u // and one more that is not
#define RECORDS 6u // in each

struct history_files {
	char *parent, *folder;
	uint8_t uuid[16];
	uint8_t newest[DISK_BYTES];
	uint64_t last_seq, last_flush_end; // bytes of the unsealed segment up to its last FLUSH
};

static char *path_in(const char *folder, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		abort();
	return path;
}

// ---- a small history

// A FLUSH with its proof (record.h) that everything before it was durable.
static void add_proof(const struct history_files *f, struct maker *m)
{
	uint8_t bytes[RECORD_HEADER_BYTES + RECORD_PROOF_BYTES], *content = bytes + RECORD_HEADER_BYTES;
	struct record r = { .type = RECORD_FLUSH, .length_bytes = RECORD_PROOF_BYTES, .stored_bytes = RECORD_PROOF_BYTES };
	struct error err;

	put_le64(content, m->last_seq);
	memcpy(content + 8, f->uuid, 16);
	r.seq = ++m->last_seq;
	r.realtime_ns = MODEL_START_NS + r.seq;
	record_encode(&r, content, bytes);
	CHECK_EQUAL(segment_reserve_row(&m->segment, &err), 0);
	buffer_add(&m->output, bytes, sizeof(bytes));
	segment_add_row(&m->segment, &r);
}

static void add_records(struct history_files *f, struct maker *m, uint64_t salt)
{
	uint8_t bytes[512];

	for (uint64_t i = 0; i < RECORDS; i++) {
		uint64_t offset = (salt * 1000 + i * 700) % (DISK_BYTES - 512);

		memset(bytes, (int)(1 + (salt * 16 + i) % 250), sizeof(bytes));
		if (i == 3) {
			(void)maker_add(m, RECORD_TRIM, offset, 300, NULL);
			memset(f->newest + offset, 0, 300);
		} else if (i == RECORDS - 1) {
			add_proof(f, m);
		} else {
			(void)maker_add(m, RECORD_WRITE, offset, (uint32_t)(40 + 30 * i), bytes);
			memcpy(f->newest + offset, bytes, 40 + 30 * i);
		}
	}
}

static bool open_known(void *context, uint64_t number, struct segment *ret)
{
	struct history *h = context;
	char name[512];
	struct history_facts facts;
	struct error err;

	if (history_facts(h, &facts, &err) < 0)
		return false;
	(void)snprintf(name, sizeof(name), "%s/segments/%08u.segment", facts.folder, (unsigned)number);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	bool there = fd >= 0 && segment_open(ret, fd, name, &err) == 0;
	if (fd >= 0)
		(void)close(fd);
	ret->fd = -1;
	return there;
}

static void make_tables(const struct history_files *f)
{
	struct history *h;
	struct error err = { "" };
	bool made = false;

	CHECK_EQUAL(history_open(f->folder, &h, &err), 0);
	struct table_cover_plan plan = { .folder = f->folder, .uuid = f->uuid, .segment_count = SEALED, .segment = open_known, .context = h,
		.keep = true };
	for (uint64_t i = 1; i <= SEALED; i++)
		CHECK_EQUAL(table_cover_complete(&plan, 0, i, &made, &err), 0);
	CHECK_EQUAL(table_cover_complete(&plan, 1, 1, &made, &err), 0);
	CHECK_STRING(err.message, "");
	history_free(h);
}

static void make_base(struct history_files *f)
{
	char *image = path_in(f->parent, "image");
	int fd = open(image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	for (size_t i = 0; i < IMAGE_BYTES; i++)
		f->newest[i] = (uint8_t)(i / 7);
	CHECK(pwrite(fd, f->newest, IMAGE_BYTES, 0) == (ssize_t)IMAGE_BYTES);
	(void)close(fd);
	free(image);
}

static void read_uuid(struct history_files *f)
{
	struct history_header header = { .size_bytes = 0 };
	struct error err = { "" };

	CHECK_EQUAL(history_header_read(f->folder, &header, &err), 0);
	memcpy(f->uuid, header.uuid, sizeof(f->uuid));
}

static struct history_files make(void)
{
	struct history_files f = { .parent = model_folder() };
	char *image = path_in(f.parent, "image");
	struct history_plan plan = { .size_bytes = DISK_BYTES, .base_path = image };
	struct error err = { "" };

	f.folder = path_in(f.parent, "h");
	make_base(&f);
	CHECK_EQUAL(history_init(f.folder, &plan, &err), 0);
	CHECK_STRING(err.message, "");
	read_uuid(&f);
	struct maker m = { .folder = f.folder, .uuid = f.uuid };
	for (uint64_t number = 1; number <= SEALED; number++) {
		maker_begin(&m, number);
		add_records(&f, &m, number);
		maker_seal(&m);
	}
	maker_begin(&m, SEALED + 1);
	add_records(&f, &m, SEALED + 1);
	f.last_flush_end = m.segment.records_end;
	(void)maker_add(&m, RECORD_WRITE, 100, 20, "behind the last sync");
	memcpy(f.newest + 100, "behind the last sync", 20);
	(void)maker_add(&m, RECORD_MARK, 0, 0, NULL);
	maker_flush(&m);
	segment_release(&m.segment);
	f.last_seq = m.last_seq;
	buffer_release(&m.output);
	make_tables(&f);
	free(image);
	return f;
}

static void unmake(struct history_files *f)
{
	model_remove(f->parent);
	free(f->parent);
	free(f->folder);
}

// ---- judging

struct judgement {
	bool failed, torn, readable;
	size_t damages;
	struct history_damage first;
};

// A view may be refused, or parts of it. None may be wrong: at the last seq that is there, if that is the one that was written.
static bool never_wrong(const struct history_files *f)
{
	struct history *h;
	struct disk_at *d;
	struct error err;
	struct history_facts facts;
	uint8_t bytes[128];
	bool right = true;

	if (history_open(f->folder, &h, &err) < 0)
		return true;
	if (history_facts(h, &facts, &err) == 0 && facts.last_seq == f->last_seq && disk_at_open(h, f->last_seq, &d, &err) == 0) {
		for (uint64_t at = 0; right && at < DISK_BYTES; at += sizeof(bytes))
			right = disk_at_read(d, at, bytes, sizeof(bytes), &err) < 0 || memcmp(bytes, f->newest + at, sizeof(bytes)) == 0;
		disk_at_free(d);
	}
	history_free(h);
	return right;
}

static struct judgement judge(const struct history_files *f)
{
	struct history_verdict verdict = { .torn = false };
	struct judgement j = { .failed = false };
	struct error err = { "" };

	if (history_verify(f->folder, &verdict, NULL, NULL, &err) < 0) {
		j.failed = true;
		return j;
	}
	j.torn = verdict.torn;
	j.damages = verdict.damages.count;
	if (j.damages > 0)
		j.first = verdict.damages.items[0];
	damage_vector_release(&verdict.damages);
	return j;
}

static void check_sound(const struct history_files *f)
{
	struct history_verdict verdict = { .torn = false };
	struct error err = { "" };

	CHECK_EQUAL(history_verify(f->folder, &verdict, NULL, NULL, &err), 0);
	CHECK_EQUAL(verdict.damages.count, 0);
	if (verdict.damages.count > 0)
		fprintf(stderr, "%s at %" PRIu64 ": %s\n", verdict.damages.items[0].file, verdict.damages.items[0].byte,
			verdict.damages.items[0].reason.message);
	CHECK(!verdict.torn);
	CHECK_EQUAL(verdict.segments, SEALED + 1);
	CHECK_EQUAL(verdict.records, f->last_seq);
	CHECK_EQUAL(verdict.tables, SEALED + 1);
	CHECK_STRING(err.message, "");
	damage_vector_release(&verdict.damages);
	CHECK(never_wrong(f));
}

// ---- a bit of each byte

static uint64_t file_size(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static void flip(const char *path, uint64_t at, unsigned bit)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte = 0;

	if (pread(fd, &byte, 1, (off_t)at) != 1)
		abort();
	byte ^= (uint8_t)(1u << bit);
	if (pwrite(fd, &byte, 1, (off_t)at) != 1)
		abort();
	(void)close(fd);
}

// harmless_from: from this byte on, a flip may be an unfinished end instead of damage.
static void flip_all(const struct history_files *f, const char *name, uint64_t stride, uint64_t harmless_from)
{
	char *path = path_in(f->folder, name);
	uint64_t size = file_size(path), missed = 0, wrong = 0, elsewhere = 0;

	CHECK(size > 0);
	for (uint64_t at = 0; at < size; at += stride) {
		flip(path, at, (unsigned)(at * 5 % 8));
		struct judgement j = judge(f);
		bool harmless = j.torn && at >= harmless_from;

		if (j.damages == 0 && !harmless) {
			if (missed++ == 0)
				fprintf(stderr, "%s: a flip at byte %" PRIu64 " was not found\n", name, at);
		} else if (j.damages > 0 && strcmp(j.first.file, name) != 0) {
			if (elsewhere++ == 0)
				fprintf(stderr, "%s: a flip at byte %" PRIu64 " was found in %s: %s\n", name, at, j.first.file, j.first.reason.message);
		}
		if (!never_wrong(f) && wrong++ == 0)
			fprintf(stderr, "%s: a flip at byte %" PRIu64 " gives wrong bytes\n", name, at);
		flip(path, at, (unsigned)(at * 5 % 8));
	}
	CHECK_EQUAL(missed, 0);
	CHECK_EQUAL(wrong, 0);
	CHECK_EQUAL(elsewhere, 0);
	free(path);
}

static bool is_soak(void)
{
	return getenv("PROVGRAPH_SOAK") != NULL;
}

static void test_flips(const struct history_files *f)
{
	char name[64];
	// 29 is no divisor of a field's or record's size: every field of every page is met, none of them always at the same byte.
	uint64_t index_stride = is_soak() ? 1 : 29;

	flip_all(f, "header", 1, UINT64_MAX);
	flip_all(f, "base", 1, UINT64_MAX);
	for (unsigned number = 1; number <= SEALED; number++) {
		(void)snprintf(name, sizeof(name), "segments/%08u.segment", number);
		// The first one in full; the others are made alike.
		flip_all(f, name, number == 1 || is_soak() ? 1 : 5, UINT64_MAX);
		(void)snprintf(name, sizeof(name), "index/0-%08u.table", number);
		flip_all(f, name, index_stride, UINT64_MAX);
	}
	// Behind the last FLUSH of the unsealed end, a bad record is what a crash leaves.
	(void)snprintf(name, sizeof(name), "segments/%08u.segment", SEALED + 1);
	flip_all(f, name, 1, f->last_flush_end - RECORD_HEADER_BYTES - RECORD_PROOF_BYTES);
	flip_all(f, "index/1-00000001.table", index_stride, UINT64_MAX);
}

// A view makes missing tables out of the request tables: a flipped row there is an error, not another state.
static void test_rows_without_tables(const struct history_files *f)
{
	char *index = path_in(f->folder, "index"), *kept = path_in(f->parent, "kept"), *path = path_in(f->folder, "segments/00000002.segment");
	uint64_t size = file_size(path), from = size - SEGMENT_FOOTER_BYTES - RECORDS * SEGMENT_ROW_BYTES, wrong = 0;

	CHECK_EQUAL(rename(index, kept), 0);
	for (uint64_t at = from; at < size; at++) {
		flip(path, at, (unsigned)(at * 3 % 8));
		if (!never_wrong(f) && wrong++ == 0)
			fprintf(stderr, "without tables, a flip at byte %" PRIu64 " gives wrong bytes\n", at);
		flip(path, at, (unsigned)(at * 3 % 8));
	}
	CHECK_EQUAL(wrong, 0);
	CHECK_EQUAL(rename(kept, index), 0);
	free(index);
	free(kept);
	free(path);
}

// ---- cut at every byte

static void test_cuts(const struct history_files *f, unsigned number)
{
	char name[64];
	(void)snprintf(name, sizeof(name), "segments/%08u.segment", number);
	char *path = path_in(f->folder, name), *kept = path_in(f->parent, "kept");
	uint64_t size = file_size(path), missed = 0, wrong = 0;

	CHECK_EQUAL(rename(path, kept), 0);
	struct buffer bytes = { 0 };
	struct error err = { "" };
	CHECK_EQUAL(fileio_read(&bytes, kept, 1 << 20, &err), 0);
	for (uint64_t length = 0; length < size; length += is_soak() ? 1 : 7) {
		CHECK_EQUAL(fileio_write(path, bytes.bytes, length, 0600, true, &err), 0);
		struct judgement j = judge(f);
		// The unsealed end may end anywhere: at a whole record nobody can tell.
		if (number <= SEALED && j.damages == 0 && missed++ == 0)
			fprintf(stderr, "%s: cut at byte %" PRIu64 " and not found\n", name, length);
		if (number > SEALED && length < f->last_flush_end && j.damages > 0 && missed++ == 0)
			fprintf(stderr, "%s: cut at byte %" PRIu64 " is called damage: %s\n", name, length, j.first.reason.message);
		if (!never_wrong(f) && wrong++ == 0)
			fprintf(stderr, "%s: cut at byte %" PRIu64 " gives wrong bytes\n", name, length);
	}
	CHECK_EQUAL(missed, 0);
	CHECK_EQUAL(wrong, 0);
	CHECK_EQUAL(rename(kept, path), 0);
	buffer_release(&bytes);
	free(path);
	free(kept);
}

// ---- removed, swapped, foreign, written anew

static void swap(const struct history_files *f, const char *a, const char *b)
{
	char *one = path_in(f->folder, a), *other = path_in(f->folder, b), *kept = path_in(f->parent, "kept");

	CHECK(rename(one, kept) == 0 && rename(other, one) == 0 && rename(kept, other) == 0);
	free(one);
	free(other);
	free(kept);
}

static void check_found(const struct history_files *f, const char *file, const char *why)
{
	struct judgement j = judge(f);

	CHECK(!j.failed && j.damages > 0);
	CHECK_STRING(j.first.file, file);
	CHECK(strstr(j.first.reason.message, why) != NULL);
	if (!strstr(j.first.reason.message, why))
		fprintf(stderr, "says: %s\n", j.first.reason.message);
	CHECK(never_wrong(f));
}

static void test_removed(const struct history_files *f)
{
	char *kept = path_in(f->parent, "kept");

	for (unsigned number = 1; number <= SEALED; number++) {
		char name[64];
		struct history *h;
		struct error err = { "" };

		(void)snprintf(name, sizeof(name), "segments/%08u.segment", number);
		char *path = path_in(f->folder, name);
		CHECK_EQUAL(rename(path, kept), 0);
		check_found(f, name, "missing");
		CHECK_EQUAL(history_open(f->folder, &h, &err), -1);
		CHECK(strstr(err.message, name) && strstr(err.message, "is missing"));
		CHECK_EQUAL(rename(kept, path), 0);
		free(path);
	}
	free(kept);
}

// Nothing in the segments tells that others followed; the tables do.
static void test_end_removed(const struct history_files *f)
{
	char *last = path_in(f->folder, "segments/00000006.segment"), *before = path_in(f->folder, "segments/00000005.segment");
	char *kept_last = path_in(f->parent, "kept-6"), *kept_before = path_in(f->parent, "kept-5");

	CHECK(rename(last, kept_last) == 0 && rename(before, kept_before) == 0);
	check_found(f, "index/0-00000005.table", "missing at the end");
	CHECK(rename(kept_last, last) == 0 && rename(kept_before, before) == 0);
	free(last);
	free(before);
	free(kept_last);
	free(kept_before);
}

static void test_exchanged(const struct history_files *f)
{
	swap(f, "segments/00000002.segment", "segments/00000004.segment");
	check_found(f, "segments/00000002.segment", "is segment number 4");
	swap(f, "segments/00000002.segment", "segments/00000004.segment");
	swap(f, "index/0-00000002.table", "index/0-00000003.table");
	check_found(f, "index/0-00000002.table", "differs from what the segments give");
	swap(f, "index/0-00000002.table", "index/0-00000003.table");

	struct history_files foreign = make();
	char *ours = path_in(f->folder, "segments/00000003.segment"), *theirs = path_in(foreign.folder, "segments/00000003.segment");
	char *kept = path_in(f->parent, "kept");
	CHECK(rename(ours, kept) == 0 && rename(theirs, ours) == 0);
	check_found(f, "segments/00000003.segment", "belongs to another history");
	CHECK_EQUAL(rename(kept, ours), 0);
	free(theirs);
	free(ours);
	ours = path_in(f->folder, "index/1-00000001.table");
	theirs = path_in(foreign.folder, "index/1-00000001.table");
	CHECK(rename(ours, kept) == 0 && rename(theirs, ours) == 0);
	check_found(f, "index/1-00000001.table", "differs from what the segments give");
	CHECK_EQUAL(rename(kept, ours), 0);
	unmake(&foreign);
	free(theirs);
	free(ours);
	free(kept);
}

// A table with right checksums and the right name that says something else than its segment.
static void test_forged_table(const struct history_files *f)
{
	char *path = path_in(f->folder, "index/0-00000002.table"), *kept = path_in(f->parent, "kept"), *name = path_in(f->folder, "segments/00000002.segment");
	struct extent_map map = { 0 };
	struct table_identity id;
	struct segment s;
	struct error err = { "" };
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	CHECK_EQUAL(segment_open(&s, fd, name, &err), 0);
	table_identity_init(&id, f->uuid, 2);
	table_identity_add(&id, &s);
	CHECK_EQUAL(table_replay(&map, &s, s.first_seq + 2, name, &err), 0); // the rest of its requests is left out
	segment_release(&s);
	CHECK_EQUAL(rename(path, kept), 0);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK_EQUAL(table_build(fd, path, &id, &map, &err), 0);
	(void)close(fd);
	struct judgement j = judge(f);
	CHECK(j.damages == 1 && strcmp(j.first.file, "index/0-00000002.table") == 0);
	CHECK_EQUAL(rename(kept, path), 0);
	extent_map_release(&map);
	free(path);
	free(kept);
	free(name);
}

static void test_image(const struct history_files *f)
{
	char *image = path_in(f->parent, "image"), *kept = path_in(f->parent, "kept");

	flip(image, 5000, 3);
	check_found(f, "base", "differs from the recorded one");
	flip(image, 5000, 3);
	CHECK_EQUAL(rename(image, kept), 0);
	check_found(f, "base", "the base image is gone");
	CHECK_EQUAL(rename(kept, image), 0);
	free(image);
	free(kept);
}

// Everything at once: nothing hides behind the first damage.
static void test_many(const struct history_files *f)
{
	char *one = path_in(f->folder, "segments/00000001.segment"), *other = path_in(f->folder, "segments/00000004.segment");
	char *table = path_in(f->folder, "index/0-00000005.table"), *base = path_in(f->folder, "base");

	flip(one, 200, 1), flip(other, 300, 1), flip(table, 20, 1), flip(base, 70, 1);
	CHECK_EQUAL(judge(f).damages, 4);
	flip(one, 200, 1), flip(other, 300, 1), flip(table, 20, 1), flip(base, 70, 1);
	free(one);
	free(other);
	free(table);
	free(base);
}

int main(void)
{
	struct history_files f = make();

	check_sound(&f);
	test_flips(&f);
	test_rows_without_tables(&f);
	for (unsigned number = is_soak() ? 1 : SEALED - 1; number <= SEALED + 1; number++)
		test_cuts(&f, number);
	test_removed(&f);
	test_end_removed(&f);
	test_exchanged(&f);
	test_forged_table(&f);
	test_image(&f);
	test_many(&f);
	check_sound(&f);
	unmake(&f);
	return unit_end();
}
