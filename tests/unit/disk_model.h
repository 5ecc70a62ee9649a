// SPDX-License-Identifier: MIT
// A naive twin of a disk history: a list of random requests, made before anything is recorded, and a plain array that they are applied
// to. Whoever records the list (in this process or another one, at once or in parts) can be compared with it at every seq.
//
//     struct disk_model m;
//     model_init(&m, seed, size_bytes);                  // m.base may be filled now, for a base image
//     model_generate(&m, 1000);
//     struct writer_options o = model_options(&m);       // clocks that the list steers
//     model_play(&m, writer, 0, m.count, &err);
//     struct model_cursor c; model_cursor_init(&c, &m);
//     model_cursor_move(&c, history, seq);               // c.state is the disk after seq; only forward
//     CHECK(model_differs(disk_at, &c) == MODEL_EQUAL);
#ifndef TESTS_UNIT_DISK_MODEL_H
#define TESTS_UNIT_DISK_MODEL_H

#include "snapshots/disk_at.h"
#include "snapshots/writer.h"
#include "tests/unit/unit.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#define MODEL_EQUAL UINT64_MAX
#define MODEL_MAX_REQUEST (200u << 10)
#define MODEL_START_NS UINT64_C(1795252951000000000)

enum model_kind { MODEL_WRITE, MODEL_ZERO, MODEL_TRIM, MODEL_FLUSH, MODEL_MARK, MODEL_STEP /* of the clock */ };

struct model_op {
	enum model_kind kind;
	bool fua;
	uint64_t offset, length, seed;
	int64_t step_ns;
};

struct disk_model {
	uint64_t size_bytes, random;
	uint8_t *base; // what the disk starts with
	struct model_op *ops;
	size_t count, capacity;
	// The clocks while it is played.
	uint64_t realtime_ns, boottime_ns, tick;
};

static inline uint64_t model_mix(uint64_t *state) // splitmix64, public domain (Vigna, prng.di.unimi.it)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline uint64_t model_below(struct disk_model *m, uint64_t bound)
{
	return model_mix(&m->random) % bound;
}

static inline void model_init(struct disk_model *m, uint64_t seed, uint64_t size_bytes)
{
	*m = (struct disk_model){ .size_bytes = size_bytes, .random = seed, .realtime_ns = MODEL_START_NS, .boottime_ns = 1000 };
	m->base = calloc(size_bytes, 1);
	if (!m->base)
		abort();
}

static inline void model_release(struct disk_model *m)
{
	free(m->base);
	free(m->ops);
}

static inline void model_add(struct disk_model *m, struct model_op op)
{
	if (m->count == m->capacity) {
		m->capacity = m->capacity ? 2 * m->capacity : 256;
		m->ops = realloc(m->ops, m->capacity * sizeof(*m->ops));
		if (!m->ops)
			abort();
	}
	m->ops[m->count++] = op;
}

// Sizes as file systems send them, and some that none sends.
static inline struct model_op model_random_range(struct disk_model *m)
{
	static const uint32_t units[] = { 512, 4096, 4096, 4096, 1, 65536 };
	uint64_t unit = units[model_below(m, 6)];
	uint64_t most = model_below(m, 20) == 0 ? MODEL_MAX_REQUEST / unit : 8;
	struct model_op op = { .seed = model_mix(&m->random) };

	if (most == 0 || unit == 65536)
		most = 2;
	if (unit == 1)
		most = 9000;
	op.length = (1 + model_below(m, most)) * unit;
	if (op.length > m->size_bytes)
		op.length = m->size_bytes;
	// A third of them hits a few hot places, as journals and logs do.
	uint64_t places = (m->size_bytes - op.length) / unit + 1;
	op.offset = unit * (model_below(m, 3) == 0 ? model_below(m, places < 4 ? places : 4) : model_below(m, places));
	return op;
}

static inline void model_generate(struct disk_model *m, size_t count)
{
	while (count-- > 0) {
		uint64_t dice = model_below(m, 100);
		struct model_op op = model_random_range(m);

		op.kind = dice < 70 ? MODEL_WRITE : dice < 78 ? MODEL_ZERO : dice < 86 ? MODEL_TRIM : dice < 95 ? MODEL_FLUSH : dice < 98 ? MODEL_MARK : MODEL_STEP;
		op.fua = op.kind <= MODEL_TRIM && model_below(m, 25) == 0;
		if (op.kind == MODEL_STEP) // up to 4 ms (no epoch), or up to 200 s either way
			op.step_ns = (int64_t)model_below(m, 2) ? (int64_t)model_below(m, 8000000) - 4000000 :
				     (int64_t)(model_below(m, 400) * 1000000000) - INT64_C(200000000000);
		if ((op.kind == MODEL_ZERO || op.kind == MODEL_TRIM) && model_below(m, 30) == 0) {
			op.offset = 0;
			op.length = m->size_bytes;
		}
		model_add(m, op);
	}
}

// What a WRITE holds: zeros at its end, text, noise or nothing but zeros.
static inline void model_fill(const struct model_op *op, uint8_t *bytes)
{
	uint64_t state = op->seed, kind = model_mix(&state) % 8;
	uint64_t used = kind == 0 ? 0 : kind < 3 ? op->length / 2 : op->length;

	memset(bytes, 0, op->length);
	for (uint64_t i = 0; i < used; i += 8) {
		uint64_t word = model_mix(&state);
		size_t length = used - i < 8 ? (size_t)(used - i) : 8;

		if (kind >= 5) // compressible
			word = UINT64_C(0x2061746164206574) + (word & 0x0f);
		memcpy(bytes + i, &word, length);
	}
}

// ---- recording

static inline uint64_t model_realtime(void *context)
{
	struct disk_model *m = context;

	m->tick = 20000 + (m->tick * 7 + 13) % 100000;
	__atomic_fetch_add(&m->realtime_ns, m->tick, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&m->boottime_ns, m->tick, __ATOMIC_SEQ_CST);
	return m->realtime_ns;
}

static inline uint64_t model_boottime(void *context)
{
	return ((struct disk_model *)context)->boottime_ns;
}

static inline struct writer_options model_options(struct disk_model *m)
{
	return (struct writer_options){ .realtime = model_realtime, .boottime = model_boottime, .clock_context = m };
}

static inline int model_play_one(struct disk_model *m, struct writer *w, const struct model_op *op, uint8_t *bytes, struct error *err)
{
	switch (op->kind) {
	case MODEL_WRITE:
		model_fill(op, bytes);
		return writer_write(w, op->offset, bytes, op->length, op->fua, err);
	case MODEL_ZERO:
		return writer_zero(w, op->offset, op->length, op->seed % 2, op->fua, err);
	case MODEL_TRIM:
		return writer_trim(w, op->offset, op->length, op->fua, err);
	case MODEL_FLUSH:
		return writer_flush(w, err);
	case MODEL_MARK:
		return writer_mark(w, "a mark", err);
	case MODEL_STEP:
		m->realtime_ns += (uint64_t)op->step_ns;
		return 0;
	}
	return -1;
}

// Requests [from, to). 0, or what the writer answered.
static inline int model_play(struct disk_model *m, struct writer *w, size_t from, size_t to, struct error *err)
{
	uint8_t *bytes = malloc(MODEL_MAX_REQUEST);
	int result = bytes ? 0 : -1;

	for (; result == 0 && from < to; from++)
		result = model_play_one(m, w, &m->ops[from], bytes, err);
	free(bytes);
	return result;
}

// ---- comparing

struct model_cursor {
	const struct disk_model *model;
	uint64_t seq;
	size_t op; // the next one
	uint8_t *state, *bytes;
};

static inline void model_cursor_init(struct model_cursor *c, const struct disk_model *m)
{
	*c = (struct model_cursor){ .model = m, .state = malloc(m->size_bytes), .bytes = malloc(MODEL_MAX_REQUEST) };
	if (!c->state || !c->bytes)
		abort();
	memcpy(c->state, m->base, m->size_bytes);
}

static inline void model_cursor_release(struct model_cursor *c)
{
	free(c->state);
	free(c->bytes);
}

// Rows that touch the disk must be the list's requests, one by one.
static inline int model_visit(void *context, uint64_t seq, const struct segment_row *row, struct error *err)
{
	struct model_cursor *c = context;

	if (row->type < RECORD_WRITE || row->type > RECORD_TRIM)
		return 0;
	while (c->op < c->model->count && c->model->ops[c->op].kind > MODEL_TRIM)
		c->op++;
	if (c->op == c->model->count)
		return error_set(err, "seq %" PRIu64 ": more requests than were made", seq);
	const struct model_op *op = &c->model->ops[c->op++];
	if (row->type != (op->kind == MODEL_WRITE ? RECORD_WRITE : op->kind == MODEL_ZERO ? RECORD_ZERO : RECORD_TRIM) ||
	    row->offset_bytes != op->offset || row->length_bytes != op->length)
		return error_set(err, "seq %" PRIu64 ": is not request %zu", seq, c->op - 1);
	if (op->kind == MODEL_WRITE) {
		model_fill(op, c->bytes);
		memcpy(c->state + op->offset, c->bytes, op->length);
	} else {
		memset(c->state + op->offset, 0, op->length);
	}
	return 0;
}

static inline int model_cursor_move(struct model_cursor *c, struct history *h, uint64_t seq, struct error *err)
{
	if (history_walk(h, c->seq, seq, model_visit, c, err) != 0)
		return -1;
	c->seq = seq;
	return 0;
}

// The first byte at which the view is not c's state; MODEL_EQUAL. `step`: how much is read at once.
static inline uint64_t model_differs(struct disk_at *d, const struct model_cursor *c, size_t step, struct error *err)
{
	uint8_t *bytes = malloc(step);
	uint64_t size = c->model->size_bytes, result = MODEL_EQUAL;

	for (uint64_t at = 0; bytes && result == MODEL_EQUAL && at < size; at += step) {
		size_t length = size - at < step ? (size_t)(size - at) : step;

		memset(bytes, 0xa5, step);
		if (disk_at_read(d, at, bytes, length, err) < 0) {
			result = at;
			break;
		}
		for (size_t i = 0; result == MODEL_EQUAL && i < length; i++)
			if (bytes[i] != c->state[at + i])
				result = at + i;
		if (result != MODEL_EQUAL)
			(void)error_set(err, "byte %" PRIu64 " differs", result);
	}
	free(bytes);
	return result;
}

// ---- folders

static inline int model_remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status, (void)type, (void)where;
	return remove(path);
}

static inline void model_remove(const char *folder)
{
	(void)nftw(folder, model_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

// A new folder below $TMPDIR or /tmp; the caller frees.
static inline char *model_folder(void)
{
	const char *parent = getenv("TMPDIR");
	char *path = NULL;

	if (asprintf(&path, "%s/provgraph-model-XXXXXX", parent && *parent ? parent : "/tmp") < 0 || !mkdtemp(path))
		abort();
	return path;
}

#endif
