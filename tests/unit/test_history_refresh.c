// SPDX-License-Identifier: MIT
// A reader beside a writer process that appends, seals, indexes and compresses as fast as it can, and is killed again and again: no
// refresh, no open and no verification may ever see anything wrong, and every state must be right.
#include "snapshots/disk_at.h"

#include "tests/unit/disk_model.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS 12
#define ROUND_NS UINT64_C(120000000)
#define LAST_REQUESTS 200

struct race {
	struct disk_model model;
	char *parent, *folder;
	uint64_t random, last_seq, refreshes, opens, verifications, compared;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static _Noreturn void write_in_child(struct race *r, size_t from, size_t to)
{
	struct writer_options options = model_options(&r->model);
	struct writer_recovery recovery;
	struct writer *w;
	struct error err = { "" };

	options.compress = WRITER_COMPRESS_NOW;
	if (writer_open(r->folder, &options, &w, &recovery, &err) < 0 || model_play(&r->model, w, from, to, &err) < 0 ||
	    writer_close(w, &err) < 0) {
		fprintf(stderr, "writer: %s\n", err.message);
		_exit(1);
	}
	_exit(0);
}

// The request that follows the last one that was recorded.
static size_t next_op(struct race *r)
{
	struct model_cursor c;
	struct history_facts facts;
	struct history *h;
	struct error err = { "" };
	size_t result = 0;

	model_cursor_init(&c, &r->model);
	CHECK_EQUAL(history_open(r->folder, &h, &err), 0);
	CHECK_EQUAL(history_facts(h, &facts, &err), 0);
	CHECK_EQUAL(model_cursor_move(&c, h, facts.last_seq, &err), 0);
	CHECK_STRING(err.message, "");
	result = c.op;
	history_free(h);
	model_cursor_release(&c);
	return result;
}

static bool compare_somewhere(struct race *r, struct history *h, uint64_t last, struct error *err)
{
	struct model_cursor c;
	struct disk_at *d;
	bool same = false;

	model_cursor_init(&c, &r->model);
	if (model_cursor_move(&c, h, model_mix(&r->random) % (last + 1), err) == 0 && disk_at_open(h, c.seq, &d, err) == 0) {
		same = model_differs(d, &c, 65536, err) == MODEL_EQUAL;
		disk_at_free(d);
	}
	model_cursor_release(&c);
	r->compared++;
	return same;
}

static bool look_again(struct race *r, struct history *h, struct error *err)
{
	struct history_facts facts;

	r->refreshes++;
	if (history_refresh(h, err) < 0 || history_facts(h, &facts, err) < 0)
		return false;
	// Nothing that was seen is lost, not even when the writer is killed: it was in the file.
	if (facts.last_seq < r->last_seq)
		return error_set(err, "seq:%" PRIu64 " was seen, now seq:%" PRIu64 " is the last", r->last_seq, facts.last_seq), false;
	r->last_seq = facts.last_seq;
	return r->refreshes % 4 || compare_somewhere(r, h, facts.last_seq, err);
}

static bool open_anew(struct race *r, struct error *err)
{
	struct history *h;

	r->opens++;
	if (history_open(r->folder, &h, err) < 0)
		return false;
	bool well = look_again(r, h, err);
	history_free(h);
	return well;
}

static bool verify(struct race *r, struct error *err)
{
	struct history_verdict verdict;

	r->verifications++;
	if (history_verify(r->folder, &verdict, NULL, NULL, err) < 0)
		return false;
	bool sound = verdict.damages.count == 0;
	if (!sound)
		(void)error_set(err, "damage in %s at byte %" PRIu64 ": %.900s", verdict.damages.items[0].file, verdict.damages.items[0].byte,
				verdict.damages.items[0].reason.message);
	damage_vector_release(&verdict.damages);
	return sound;
}

static bool read_beside(struct race *r, struct history *h, pid_t child)
{
	uint64_t until = now_ns() + ROUND_NS;
	struct error err = { "" };
	bool well = true;

	for (unsigned turn = 0; well && (now_ns() < until || turn < 3); turn++) {
		well = turn % 7 == 5 ? open_anew(r, &err) : turn % 29 == 7 ? verify(r, &err) : look_again(r, h, &err);
		if (waitpid(child, NULL, WNOHANG | WNOWAIT) > 0)
			break;
	}
	if (!well)
		fprintf(stderr, "reader: %s\n", err.message);
	return well;
}

static bool one_round(struct race *r, struct history *h, size_t round)
{
	size_t from = next_op(r), to = r->model.count;
	bool last = round + 1 == ROUNDS;
	int status = 0;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0)
		write_in_child(r, from, last && to - from > LAST_REQUESTS ? from + LAST_REQUESTS : to);
	bool well = read_beside(r, h, child);
	// The last one ends by itself.
	if (!last)
		(void)kill(child, SIGKILL);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return well;
}

int main(void)
{
	struct race r = { .random = 77 };
	struct history_plan plan = { .size_bytes = 512 << 10, .segment_bytes = 64 << 10 };
	struct error err = { "" };
	struct history *h = NULL;
	bool well = true;

	model_init(&r.model, 42, plan.size_bytes);
	model_generate(&r.model, 9000);
	r.parent = model_folder();
	if (asprintf(&r.folder, "%s/h", r.parent) < 0)
		abort();
	CHECK_EQUAL(history_init(r.folder, &plan, &err), 0);
	CHECK_EQUAL(history_open(r.folder, &h, &err), 0);
	for (size_t round = 0; well && round < ROUNDS; round++)
		well = one_round(&r, h, round);
	CHECK(well);
	CHECK(verify(&r, &err));
	CHECK_STRING(err.message, "");
	CHECK(r.last_seq > 0 && r.compared > 0 && r.verifications > 1 && r.opens > 1);
	if (getenv("VERBOSE"))
		fprintf(stderr, "%" PRIu64 " records, %" PRIu64 " refreshes, %" PRIu64 " opens, %" PRIu64 " verifications, %" PRIu64 " states compared\n",
			r.last_seq, r.refreshes, r.opens, r.verifications, r.compared);
	history_free(h);
	if (well)
		model_remove(r.parent);
	model_release(&r.model);
	free(r.parent);
	free(r.folder);
	return unit_end();
}
