// SPDX-License-Identifier: MIT
// Every state of random histories against a plain array: sealed and unsealed, compressed, with and without tables and base image, several
// views at once, and while recording goes on.
#include "snapshots/disk_at.h"

#include "tests/unit/disk_model.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#define KIB UINT64_C(1024)

struct recorded {
	struct disk_model model;
	char *parent, *folder;
	struct writer *writer;
};

static void begin(struct recorded *r, uint64_t seed, uint64_t size, size_t count, const char *base_path, enum writer_compress compress)
{
	struct history_plan plan = { .size_bytes = size, .segment_bytes = 64 * KIB, .base_path = base_path };
	struct writer_recovery recovery;
	struct error err = { "" };

	model_init(&r->model, seed, size);
	model_generate(&r->model, count);
	r->parent = model_folder();
	if (asprintf(&r->folder, "%s/h", r->parent) < 0)
		abort();
	struct writer_options options = model_options(&r->model);
	options.compress = compress;
	CHECK_EQUAL(history_init(r->folder, &plan, &err), 0);
	CHECK_EQUAL(writer_open(r->folder, &options, &r->writer, &recovery, &err), 0);
	if (err.message[0])
		fprintf(stderr, "%s\n", err.message);
}

static void play(struct recorded *r, size_t from, size_t to)
{
	struct error err = { "" };

	CHECK_EQUAL(model_play(&r->model, r->writer, from, to, &err), 0);
	if (err.message[0])
		fprintf(stderr, "%s\n", err.message);
}

static void finish(struct recorded *r)
{
	struct error err = { "" };

	if (r->writer)
		CHECK_EQUAL(writer_close(r->writer, &err), 0);
	r->writer = NULL;
}

static void end(struct recorded *r)
{
	finish(r);
	model_remove(r->parent);
	model_release(&r->model);
	free(r->parent);
	free(r->folder);
}

static struct history *open_history(const struct recorded *r)
{
	struct history *h = NULL;
	struct error err = { "" };

	CHECK_EQUAL(history_open(r->folder, &h, &err), 0);
	if (!h) {
		fprintf(stderr, "%s\n", err.message);
		abort();
	}
	return h;
}

static uint64_t last_seq(struct history *h)
{
	struct history_facts facts = { .last_seq = 0 };
	struct error err = { "" };

	CHECK_EQUAL(history_facts(h, &facts, &err), 0);
	return facts.last_seq;
}

// Pieces follow one another, end with the disk, and name a record that holds them.
static bool pieces_hold(struct history *h, struct disk_at *d, struct error *err)
{
	for (uint64_t at = 0; at < disk_at_size(d);) {
		struct segment_row row;
		struct disk_piece p;

		if (disk_at_resolve(d, at, disk_at_size(d) - at, &p, NULL, err) < 0)
			return false;
		if (p.offset != at || p.length == 0 || p.length > disk_at_size(d) - at || p.seq > disk_at_seq(d))
			return false;
		if (p.seq > 0) {
			if (history_row(h, p.seq, &row, err) < 0 || row.offset_bytes > at || row.offset_bytes + row.length_bytes < at + p.length ||
			    p.zero != (row.type != RECORD_WRITE))
				return false;
		}
		at += p.length;
	}
	return true;
}

static bool same_at(struct history *h, const struct model_cursor *c, size_t step)
{
	struct error err = { "" };
	struct disk_at *d;

	if (disk_at_open(h, c->seq, &d, &err) < 0) {
		fprintf(stderr, "seq %" PRIu64 ": %s\n", c->seq, err.message);
		return false;
	}
	bool same = model_differs(d, c, step, &err) == MODEL_EQUAL && pieces_hold(h, d, &err);
	disk_at_free(d);
	if (!same)
		fprintf(stderr, "seq %" PRIu64 ": %s\n", c->seq, err.message);
	return same;
}

static size_t step_for(uint64_t seq)
{
	static const size_t steps[] = { 512, 4096, 65536, 1000, 333333 };

	return steps[seq % 5];
}

// From the first to the last seq, every `stride`-th.
static void check_states(struct recorded *r, struct history *h, uint64_t stride)
{
	struct model_cursor c;
	struct error err = { "" };
	uint64_t last = last_seq(h);
	bool same = true;

	model_cursor_init(&c, &r->model);
	CHECK(last > 0);
	for (uint64_t seq = 0; same && seq <= last; seq += seq + stride > last && seq < last ? last - seq : stride) {
		CHECK_EQUAL(model_cursor_move(&c, h, seq, &err), 0);
		same = same_at(h, &c, step_for(seq));
	}
	CHECK(same);
	CHECK_STRING(err.message, "");
	model_cursor_release(&c);
}

static void remove_index(const struct recorded *r)
{
	char *path;

	if (asprintf(&path, "%s/index", r->folder) < 0)
		abort();
	model_remove(path);
	free(path);
}

// ---- cases

static void test_all_states(uint64_t seed, enum writer_compress compress)
{
	struct recorded r;

	begin(&r, seed, 300 * KIB, 400, NULL, compress);
	play(&r, 0, r.model.count / 2);
	struct history *h = open_history(&r);
	check_states(&r, h, 1);
	play(&r, r.model.count / 2, r.model.count);
	finish(&r);
	struct error err = { "" };
	CHECK_EQUAL(history_refresh(h, &err), 0);
	check_states(&r, h, 7);
	remove_index(&r);
	check_states(&r, h, 31);
	history_free(h);
	h = open_history(&r);
	check_states(&r, h, 1);
	history_free(h);
	end(&r);
}

static void test_reopened(uint64_t seed)
{
	struct recorded r;
	struct writer_recovery recovery;
	struct error err = { "" };

	begin(&r, seed, 200 * KIB + 512, 300, NULL, WRITER_COMPRESS_NOW);
	for (size_t part = 0; part < 6; part++) {
		play(&r, part * 50, part * 50 + 50);
		finish(&r);
		if (part == 3)
			remove_index(&r);
		struct history *h = open_history(&r);
		check_states(&r, h, 3);
		history_free(h);
		struct writer_options options = model_options(&r.model);
		options.compress = part % 2 ? WRITER_COMPRESS_NOW : WRITER_COMPRESS_NEVER;
		CHECK_EQUAL(writer_open(r.folder, &options, &r.writer, &recovery, &err), 0);
		CHECK(!recovery.torn);
	}
	end(&r);
}

static void test_base(uint64_t seed)
{
	char *parent = model_folder(), *image;
	uint64_t size = 200 * KIB, image_size = 150 * KIB + 700;
	struct recorded r;

	if (asprintf(&image, "%s/image", parent) < 0)
		abort();
	uint8_t *bytes = malloc(image_size);
	for (size_t i = 0; i < image_size; i++)
		bytes[i] = (uint8_t)(i / 3);
	int fd = open(image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(pwrite(fd, bytes, image_size, 0) == (ssize_t)image_size);
	(void)close(fd);
	begin(&r, seed, size, 200, image, WRITER_COMPRESS_COLD);
	memcpy(r.model.base, bytes, image_size);
	play(&r, 0, r.model.count);
	struct history *h = open_history(&r);
	check_states(&r, h, 1);
	history_free(h);

	// Gone: the history can be opened and asked, but no state can be read.
	struct error err = { "" };
	struct disk_at *d;
	CHECK_EQUAL(unlink(image), 0);
	h = open_history(&r);
	CHECK(last_seq(h) > 100);
	CHECK_EQUAL(disk_at_open(h, 5, &d, &err), -1);
	CHECK(strstr(err.message, "the base image is gone") != NULL);
	history_free(h);
	end(&r);
	model_remove(parent);
	free(bytes);
	free(image);
	free(parent);
}

// Views that are open at once stay what they are, while more is recorded, sealed and compressed.
static void test_open_views(uint64_t seed)
{
	enum { VIEWS = 12 };
	struct recorded r;
	struct disk_at *views[VIEWS];
	struct model_cursor cursors[VIEWS];
	struct error err = { "" };

	begin(&r, seed, 256 * KIB, 480, NULL, WRITER_COMPRESS_NOW);
	play(&r, 0, 240);
	struct history *h = open_history(&r);
	uint64_t last = last_seq(h);
	for (size_t i = 0; i < VIEWS; i++) {
		model_cursor_init(&cursors[i], &r.model);
		CHECK_EQUAL(model_cursor_move(&cursors[i], h, last * i / (VIEWS - 1), &err), 0);
		CHECK_EQUAL(disk_at_open(h, cursors[i].seq, &views[i], &err), 0);
	}
	for (size_t round = 0; round < 24; round++) {
		play(&r, 240 + 10 * round, 250 + 10 * round);
		if (round % 3 == 0)
			CHECK_EQUAL(history_refresh(h, &err), 0);
		CHECK(model_differs(views[round % VIEWS], &cursors[round % VIEWS], step_for(round), &err) == MODEL_EQUAL);
	}
	finish(&r);
	for (size_t i = 0; i < VIEWS; i++) {
		CHECK(model_differs(views[i], &cursors[i], step_for(i), &err) == MODEL_EQUAL);
		disk_at_free(views[i]);
		model_cursor_release(&cursors[i]);
	}
	CHECK_STRING(err.message, "");
	history_free(h);
	end(&r);
}

// ---- threads: one records, some read views of the same history object

struct reading {
	struct recorded *recorded;
	struct history *history;
	uint64_t seed;
	atomic_bool *done;
	bool failed;
	unsigned compared;
};

static void *read_states(void *argument)
{
	struct reading *g = argument;
	struct error err = { "" };

	while (!g->failed && (!atomic_load(g->done) || g->compared < 20)) {
		struct model_cursor c;

		model_cursor_init(&c, &g->recorded->model);
		g->failed = history_refresh(g->history, &err) < 0;
		uint64_t last = 0;
		struct history_facts facts;
		if (!g->failed && history_facts(g->history, &facts, &err) == 0)
			last = facts.last_seq;
		uint64_t seq = model_mix(&g->seed) % (last + 1);
		g->failed = g->failed || model_cursor_move(&c, g->history, seq, &err) < 0 || !same_at(g->history, &c, step_for(seq));
		model_cursor_release(&c);
		g->compared++;
	}
	if (g->failed)
		fprintf(stderr, "%s\n", err.message);
	return NULL;
}

static void test_threads(uint64_t seed)
{
	struct recorded r;
	struct reading readings[3];
	pthread_t threads[3];
	atomic_bool done = false;

	begin(&r, seed, 256 * KIB, 1500, NULL, WRITER_COMPRESS_NOW);
	struct history *h = open_history(&r);
	for (size_t i = 0; i < 3; i++) {
		readings[i] = (struct reading){ .recorded = &r, .history = h, .seed = seed + i, .done = &done };
		CHECK_EQUAL(pthread_create(&threads[i], NULL, read_states, &readings[i]), 0);
	}
	play(&r, 0, r.model.count);
	atomic_store(&done, true);
	for (size_t i = 0; i < 3; i++) {
		(void)pthread_join(threads[i], NULL);
		CHECK(!readings[i].failed && readings[i].compared >= 20);
	}
	history_free(h);
	end(&r);
}

// ---- hundreds of thousands of bytes in one record, and the largest disks

static void test_huge_disk(void)
{
	struct history_plan plan = { .size_bytes = UINT64_C(1) << 40, .segment_bytes = 64 * KIB };
	char *parent = model_folder(), *folder;
	struct writer_options options = { .compress = WRITER_COMPRESS_NEVER };
	struct writer_recovery recovery;
	struct error err = { "" };
	struct writer *w;
	struct history *h;
	struct disk_at *d;
	struct disk_piece p;
	uint8_t bytes[4096], back[8192];

	memset(bytes, 0x77, sizeof(bytes));
	if (asprintf(&folder, "%s/h", parent) < 0)
		abort();
	CHECK_EQUAL(history_init(folder, &plan, &err), 0);
	CHECK_EQUAL(writer_open(folder, &options, &w, &recovery, &err), 0);
	CHECK_EQUAL(writer_write(w, plan.size_bytes - 4096, bytes, 4096, false, &err), 0);                       // 2
	for (uint64_t at = 0; at < plan.size_bytes; at += UINT64_C(2) << 30)
		CHECK_EQUAL(writer_trim(w, at, UINT64_C(2) << 30, false, &err), 0);                               // 3..514
	CHECK_EQUAL(writer_write(w, plan.size_bytes - 2048, bytes, 2048, true, &err), 0);
	CHECK_EQUAL(history_open(folder, &h, &err), 0);
	CHECK_EQUAL(disk_at_open(h, last_seq(h), &d, &err), 0);
	CHECK_EQUAL(disk_at_resolve(d, 0, plan.size_bytes, &p, NULL, &err), 0);
	CHECK(p.seq == 3 && p.zero && p.length == UINT64_C(2) << 30);
	CHECK_EQUAL(disk_at_read(d, plan.size_bytes - 4096, back, sizeof(back), &err), 0);
	CHECK(back[2047] == 0 && back[2048] == 0x77 && back[4095] == 0x77 && back[4096] == 0 && back[8191] == 0);
	disk_at_free(d);
	CHECK_EQUAL(disk_at_open(h, 2, &d, &err), 0);
	CHECK_EQUAL(disk_at_read(d, plan.size_bytes - 4096, back, 4096, &err), 0);
	CHECK(memcmp(back, bytes, 4096) == 0);
	disk_at_free(d);
	CHECK_EQUAL(disk_at_open(h, last_seq(h) + 1, &d, &err), -1);
	CHECK(strstr(err.message, "there is no seq:") != NULL);
	history_free(h);
	CHECK_EQUAL(writer_close(w, &err), 0);
	model_remove(parent);
	free(parent);
	free(folder);
}

int main(void)
{
	test_all_states(1, WRITER_COMPRESS_NEVER);
	test_all_states(2, WRITER_COMPRESS_NOW);
	test_reopened(3);
	test_base(4);
	test_open_views(5);
	test_threads(6);
	test_huge_disk();
	return unit_end();
}
