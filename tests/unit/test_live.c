// SPDX-License-Identifier: MIT
// The newest state: against a disk with one seq for each byte, and with threads that ask while segments are written, sealed and merged.
#include "snapshots/live.h"
#include "snapshots/live_blocks.h"
#include "snapshots/sealer.h"
#include "snapshots/table_cover.h"
#include "tests/unit/make_segments.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>

#define DISK 262144u // 64 blocks
#define SEGMENTS 14u
static uint64_t truth[DISK];
static uint64_t state = 88172645463325252u;

static uint64_t draw(uint64_t *s, uint64_t below)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s % below;
}

static void add(struct maker *m, struct live *l, enum record_type type, uint64_t offset, uint32_t length)
{
	struct error err = {{0}};
	uint64_t seq = maker_add(m, type, offset, length, NULL);

	CHECK(live_note(l, m->segment.number, seq, (uint8_t)type, offset, length, &err) == 0);
	for (uint32_t i = 0; i < length; i++)
		truth[offset + i] = seq;
}

static void check_range(struct live *l, uint64_t from, uint64_t to)
{
	struct error err = {{0}};
	struct live_piece p;
	bool same = true;

	for (uint64_t at = from; at < to; at += p.length) {
		if (live_resolve(l, at, to - at, &p, &err) < 0) {
			CHECK_STRING(err.message, "");
			return;
		}
		same = same && p.offset == at && p.length > 0 && p.length <= to - at;
		for (uint64_t i = at; i < at + p.length && same; i++)
			same = p.seq == truth[i];
	}
	CHECK(same);
}

static void check_some(struct live *l)
{
	for (unsigned i = 0; i < 20; i++) {
		uint64_t from = draw(&state, DISK), to = from + 1 + draw(&state, draw(&state, 2) ? 9000 : DISK);
		check_range(l, from, to > DISK ? DISK : to);
		if (draw(&state, 150) == 0) // rarely, so that it meets what was found before a segment was indexed
			live_fill(l);
	}
}

static uint32_t some_length(void)
{
	switch (draw(&state, 10)) {
	case 0:
		return (uint32_t)(1 + draw(&state, DISK));
	case 1:
	case 2:
		return (uint32_t)(1 + draw(&state, 5000));
	case 3:
		return 512;
	default:
		return (uint32_t)(1 + draw(&state, 4)) * 4096;
	}
}

static void add_some(struct maker *m, struct live *l, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t length = some_length();
		uint64_t unit = draw(&state, 4) == 0 ? 1 : length % 4096 == 0 ? 4096 : 512;
		uint64_t offset = draw(&state, (DISK - length) / unit + 1) * unit;
		add(m, l, (enum record_type)(1 + draw(&state, 3)), offset, length);
	}
}

static struct table_cover_plan plan_for(struct live *l)
{
	return (struct table_cover_plan){.folder = "h", .uuid = made_uuid, .segment = live_segment, .context = l, .keep = true};
}

// Sealing `lag` segments behind the writing one.
static void run_model(uint64_t lag)
{
	struct maker m = {.folder = "h"};
	struct segment sealed[SEGMENTS + 1];
	struct error err = {{0}};
	struct live *l;
	uint64_t indexed = 0;

	CHECK(system("rm -rf h") == 0);
	maker_folder("h");
	memset(truth, 0, sizeof(truth));
	CHECK(live_open("h", DISK, &l, &err) == 0);
	check_range(l, 0, DISK);
	for (uint64_t n = 1; n <= SEGMENTS; n++) {
		maker_begin(&m, n);
		for (unsigned i = 0; i < 8; i++) {
			add_some(&m, l, n == 3 ? 0 : 5);
			check_some(l);
		}
		sealed[n] = m.segment;
		maker_seal(&m);
		sealed[n].sealed = true;
		while (indexed + lag < n || (n == SEGMENTS && indexed < n)) {
			indexed++;
			struct table_cover_plan plan = plan_for(l);
			CHECK(live_sealed(l, &sealed[indexed], &err) == 0);
			CHECK(table_cover_complete(&plan, 0, indexed, NULL, &err) == 0);
			check_some(l);
			CHECK(live_indexed(l, indexed, &err) == 0);
			if (indexed % 4 == 0) {
				CHECK(table_cover_complete(&plan, 1, indexed - 3, NULL, &err) == 0);
				CHECK(live_refresh(l, &err) == 0);
			}
			check_range(l, 0, DISK);
			check_some(l);
		}
	}
	CHECK_EQUAL(live_waiting(l), 0);
	CHECK(live_indexed(l, SEGMENTS + 1, &err) == -1);
	CHECK(live_sealed(l, &sealed[2], &err) == -1);
	// Out of order is refused.
	CHECK(live_note(l, 20, 100000, RECORD_WRITE, 0, 4096, &err) == 0);
	CHECK(live_indexed(l, 21, &err) == -1);
	CHECK(live_note(l, 20, 100001, RECORD_WRITE, UINT64_MAX - 5, 4096, &err) == -1);
	CHECK(live_note(l, 20, 100001, RECORD_WRITE, 5, 0, &err) == -1);
	live_free(l);

	// Opened again: out of tables alone; then without any of them.
	CHECK(live_open("h", DISK, &l, &err) == 0);
	CHECK_EQUAL(live_sealed_count(l), SEGMENTS);
	CHECK(!live_index_incomplete(l));
	check_range(l, 0, DISK);
	check_some(l);
	// Every table that it uses is damaged while it is in use.
	CHECK(system("for t in h/index/*.table; do printf X | dd of=$t bs=1 seek=4200 conv=notrunc status=none; done") == 0);
	live_free(l);
	CHECK(live_open("h", DISK, &l, &err) == 0);
	check_range(l, 0, DISK);
	CHECK(live_index_incomplete(l));
	CHECK(!live_index_incomplete(l));
	check_some(l);
	live_free(l);
	CHECK(system("rm -rf h/index") == 0);
	CHECK(live_open("h", DISK, &l, &err) == 0);
	CHECK(live_index_incomplete(l));
	check_range(l, 0, DISK);
	live_free(l);
	buffer_release(&m.output);
}

// ---- the block map alone

static void run_blocks(void)
{
	struct live_blocks *b = live_blocks_new("h", UINT64_C(1) << 40);
	struct extent_map map = {0};
	struct piece p, filled = {.offset = 100, .length = 20000, .seq = 7, .type = 1};

	CHECK(b != NULL);
	CHECK(!live_blocks_lookup(b, 0, 4096, &p));
	live_blocks_fill(b, &filled); // blocks 1, 2 and 3 are whole
	CHECK(!live_blocks_lookup(b, 100, 10, &p));
	CHECK(live_blocks_lookup(b, 5000, 100000, &p));
	CHECK(p.offset == 5000 && p.length == 4 * 4096 - 5000 && p.seq == 7 && p.type == 1);
	CHECK(!live_blocks_lookup(b, 4 * 4096, 4096, &p));
	filled = (struct piece){.offset = 1 << 20, .length = 4096, .seq = 0};
	live_blocks_fill(b, &filled); // nobody wrote there: that is known, too
	CHECK(live_blocks_lookup(b, 1 << 20, 4096, &p) && p.seq == 0 && p.length == 4096);
	struct extent half = {.offset = 2 * 4096 + 512, .seq = 9, .length = 4096, .type = 2};
	CHECK(extent_map_insert(&map, &half) == 0);
	struct extent trim = {.offset = 1 << 30, .seq = 10, .length = UINT32_MAX, .type = 3};
	CHECK(extent_map_insert(&map, &trim) == 0);
	filled = (struct piece){.offset = UINT64_C(3) << 30, .length = 8192, .seq = 5, .type = 1};
	live_blocks_fill(b, &filled);
	CHECK(live_blocks_lookup(b, UINT64_C(3) << 30, 8192, &p) && p.seq == 5);
	struct extent whole = {.offset = UINT64_C(9) << 30, .seq = 11, .length = 3 * 4096, .type = 1};
	CHECK(extent_map_insert(&map, &whole) == 0);
	filled = (struct piece){.offset = (UINT64_C(9) << 30) + 4096, .length = 8 * 4096, .seq = 6, .type = 1};
	live_blocks_fill(b, &filled);
	live_blocks_update(b, &map);
	CHECK(live_blocks_lookup(b, 4096, 8192, &p) && p.seq == 7 && p.length == 4096);
	CHECK(!live_blocks_lookup(b, 2 * 4096, 8192, &p));
	CHECK(!live_blocks_lookup(b, 3 * 4096, 4096, &p));
	CHECK(!live_blocks_lookup(b, UINT64_C(3) << 30, 8192, &p));
	CHECK(live_blocks_lookup(b, UINT64_C(9) << 30, 65536, &p) && p.seq == 11 && p.length == 3 * 4096);
	CHECK(live_blocks_lookup(b, (UINT64_C(9) << 30) + 5 * 4096, 65536, &p) && p.seq == 6 && p.length == 4 * 4096);
	CHECK(!live_blocks_lookup(b, UINT64_C(1) << 40, 4096, &p)); // beyond the disk
	// A page that was forgotten says nothing of what it held when something else of it is filled in.
	filled = (struct piece){.offset = (UINT64_C(3) << 30) + 4 * 4096, .length = 4096, .seq = 12, .type = 1};
	live_blocks_fill(b, &filled);
	CHECK(!live_blocks_lookup(b, UINT64_C(3) << 30, 8192, &p));
	CHECK(live_blocks_lookup(b, (UINT64_C(3) << 30) + 4 * 4096, 8192, &p) && p.seq == 12 && p.length == 4096);
	live_blocks_forget(b);
	CHECK(!live_blocks_lookup(b, 4096, 8192, &p));
	// More pages than one update makes dirty: all of them are either right or forgotten.
	extent_map_release(&map);
	unsigned known = 0;
	for (uint64_t page = 0; page < 3000; page++) {
		filled = (struct piece){.offset = page << 21, .length = 1 << 21, .seq = 20, .type = 1};
		live_blocks_fill(b, &filled);
		struct extent e = {.offset = (page << 21) + 8192, .seq = 21, .length = 4096, .type = 1};
		CHECK(extent_map_insert(&map, &e) == 0);
	}
	live_blocks_update(b, &map);
	for (uint64_t page = 0; page < 3000; page++) {
		bool answers = live_blocks_lookup(b, (page << 21) + 8192, 4096, &p);
		known += answers;
		CHECK(!answers || p.seq == 21);
		CHECK(live_blocks_lookup(b, page << 21, 4096, &p) == answers);
	}
	CHECK(known > 0 && known < 3000);
	CHECK(live_blocks_new("h", UINT64_C(1) << 60) == NULL);
	extent_map_release(&map);
	live_blocks_free(b);
}

// ---- threads

#define BLOCKS 4096u
#define RECORDS_IN_SEGMENT 400u
static atomic_uint_fast64_t acknowledged[BLOCKS]; // the newest record of each block that was noted
static uint32_t first_block[2000000], block_count[2000000];
static atomic_uint_fast64_t asked;
static atomic_bool over;
static atomic_uint wrong;

static void *ask(void *context)
{
	struct live *l = ((void **)context)[0];
	uint64_t s = *(uint64_t *)((void **)context)[1];

	while (!atomic_load(&over)) {
		uint64_t block = draw(&s, draw(&s, 2) ? 16 : BLOCKS), count = 1 + draw(&s, 20);
		uint64_t within = draw(&s, 8) * 512;
		uint64_t before = atomic_load(&acknowledged[block]);
		struct error err = {{0}};
		struct live_piece p;
		if (live_resolve(l, block * 4096 + within, count * 4096, &p, &err) < 0) {
			atomic_fetch_add(&wrong, 1);
			continue;
		}
		// No record that was noted before the question is missed, and the record is one that holds the block.
		bool right = p.length > 0 && p.seq >= before && (p.seq == 0 || (first_block[p.seq] <= block && block < first_block[p.seq] + block_count[p.seq]));
		if (p.seq != 0)
			right = right && block * 4096 + within + p.length <= (uint64_t)(first_block[p.seq] + block_count[p.seq]) * 4096;
		if (!right)
			atomic_fetch_add(&wrong, 1);
		atomic_fetch_add(&asked, 1);
	}
	return NULL;
}

static atomic_uint replaced;
static void on_replaced(void *context, const struct segment *segment)
{
	(void)context;
	if (!segment->sealed || segment->fd < 0)
		atomic_fetch_add(&wrong, 1);
	atomic_fetch_add(&replaced, 1);
}

static void on_warn(void *context, const char *message)
{
	(void)context;
	fprintf(stderr, "warned: %s\n", message);
	atomic_fetch_add(&wrong, 1);
}

// The segment goes to the sealing thread as a writer hands it over.
static void hand_over(struct maker *m, struct sealer *s)
{
	struct error err = {{0}};

	maker_flush(m);
	struct segment full = m->segment;
	CHECK(sealer_push(s, &full, &err) == 0);
	memset(&m->segment, 0, sizeof(m->segment));
}

static void run_threads(unsigned segments)
{
	struct sealer_hooks hooks = {.replaced = on_replaced, .warn = on_warn};
	struct maker m = {.folder = "t"};
	struct error err = {{0}};
	struct sealer *s;
	struct live *l;
	pthread_t threads[2];
	uint64_t seeds[2] = {12345, 67890};
	void *arguments[2][2];

	maker_folder("t");
	CHECK(live_open("t", (uint64_t)BLOCKS * 4096, &l, &err) == 0);
	CHECK(sealer_start("t", made_uuid, l, WRITER_COMPRESS_NEVER, &hooks, &s, &err) == 0);
	for (unsigned i = 0; i < 2; i++) {
		arguments[i][0] = l;
		arguments[i][1] = &seeds[i];
		CHECK(pthread_create(&threads[i], NULL, ask, arguments[i]) == 0);
	}
	for (unsigned n = 1; n <= segments; n++) {
		maker_begin(&m, n);
		for (unsigned i = 0; i < RECORDS_IN_SEGMENT; i++) {
			uint32_t count = draw(&state, 100) == 0 ? 1000 : (uint32_t)(1 + draw(&state, 4));
			uint32_t block = (uint32_t)draw(&state, draw(&state, 2) ? 16 : BLOCKS - count);
			uint64_t seq = m.last_seq + 1;
			first_block[seq] = block;
			block_count[seq] = count;
			(void)maker_add(&m, RECORD_WRITE, (uint64_t)block * 4096, count * 4096, NULL);
			CHECK(live_note(l, n, seq, RECORD_WRITE, (uint64_t)block * 4096, count * 4096, &err) == 0);
			for (uint32_t b = block; b < block + count; b++)
				atomic_store(&acknowledged[b], seq);
			sealer_note_activity(s);
		}
		hand_over(&m, s);
	}
	CHECK(sealer_wait(s, 60000));
	CHECK_EQUAL(live_waiting(l), 0);
	atomic_store(&over, true);
	for (unsigned i = 0; i < 2; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK_EQUAL(atomic_load(&wrong), 0);
	CHECK(atomic_load(&asked) > segments);
	CHECK_EQUAL(atomic_load(&replaced), segments);
	sealer_stop(s);
	live_free(l);
	buffer_release(&m.output);
}

int main(void)
{
	run_model(0);
	run_model(1);
	run_model(7); // more than the block map is brought up to date for
	run_blocks();
	run_threads(60);
	return unit_end();
}
