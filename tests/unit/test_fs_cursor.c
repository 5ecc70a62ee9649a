// SPDX-License-Identifier: MIT
// The cursor beside the replayed view. A guest is played that journals blocks (some begin with the journal's magic), revokes them, writes them
// as data, takes them home, and now and then loses its journal; its writes come whole, in sectors, in long requests and as zeros. At random moments a cursor
// that walked there shows what volume_open() shows, and what it shows of watched blocks is what its steps told.
//
// And the guest's clock, an hour behind, as its commits tell it.
//
//     test_fs_cursor IMAGE FOLDER FEATURES   IMAGE: of an ext file system with a journal; FEATURES: enum of journal_ring.h. Makes FOLDER.
#include "snapshots/fs_cursor.h"
#include "snapshots/fs_guest_offset.h"
#include "snapshots/history.h"
#include "snapshots/volume.h"
#include "snapshots/writer.h"

#include "tests/unit/journal_ring.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ODD_START (UINT64_C(63) * 512) // of the partition: not a multiple of its blocks
#define EVEN_START (UINT64_C(1) << 20) // for blocks of more than 1 KiB
#define BEHIND_BYTES (UINT64_C(256) << 10)
#define PLAYED 40u           // blocks that the guest works on, which no file has
#define BEFORE_END 600u      // where they begin
#define TRANSACTIONS 500u
#define MOST 12u             // copies of one
#define WALKS 8u
#define STOPS 25u            // of a walk
#define JOURNAL_MAGIC 0xC03B3998u
#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define GUEST_BEHIND_NS (3600 * SECOND)
#define LATEST_MS 200u       // between a commit's stamp and its block

static uint64_t random_state = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

static void must(int result, const struct error *err)
{
	if (result >= 0)
		return;
	fprintf(stderr, "%s\n", err->message);
	exit(1);
}

// ---- the guest

struct guest {
	uint8_t *disk; // the volume as the guest has it
	uint64_t start, bytes, first_block; // start: on the disk; first_block: of those played with
	uint32_t block;
	struct journal_geometry geometry;
	struct ring ring;
	struct writer *writer;
	uint8_t *home;                         // of the blocks played with, as they are outside the journal
	bool dirty[PLAYED], journaled[PLAYED]; // committed and not at home yet; the journal may hold a copy
	uint32_t used;                         // blocks of the ring
	uint64_t now_ns;
	struct error err;
};

static uint64_t clock_now(void *context)
{
	return ((const struct guest *)context)->now_ns;
}

static void send(struct guest *g, uint64_t offset, const uint8_t *bytes, size_t length)
{
	g->now_ns += 1000000;
	must(writer_write(g->writer, g->start + offset, bytes, length, false, &g->err), &g->err);
}

static void send_journal_block(void *context, uint32_t journal_block, const uint8_t *bytes)
{
	struct guest *g = context;
	uint64_t fs_block = 0;

	CHECK(journal_to_fs(&g->geometry, journal_block, &fs_block));
	if (draw(30) == 0) { // in two requests
		send(g, fs_block * g->block, bytes, 512);
		send(g, fs_block * g->block + 512, bytes + 512, g->block - 512);
	} else {
		send(g, fs_block * g->block, bytes, g->block);
	}
	g->used++;
}

static uint8_t *played(const struct guest *g, uint64_t i)
{
	return g->disk + (g->first_block + i) * g->block;
}

static void came_home(struct guest *g, uint64_t i)
{
	memcpy(g->home + i * g->block, played(g, i), g->block);
}

static void scribble(struct guest *g, uint64_t i)
{
	uint8_t *at = played(g, i);

	for (uint32_t k = 0; k < g->block; k += 8)
		put_le64(at + k, random_state * (k + 1));
	(void)draw(2);
	if (draw(4) == 0)
		put_be32(at, JOURNAL_MAGIC);
	if (draw(10) == 0)
		memset(at, 0, g->block);
}

// Data: not journaled, or no more.
static void write_data(struct guest *g, uint64_t i)
{
	uint64_t run = draw(8) == 0 ? 1 + draw(9) : 1, offset;

	for (uint64_t k = 0; k < run; k++)
		if (i + k >= PLAYED || g->journaled[i + k])
			run = k;
	if (run == 0)
		return;
	for (uint64_t k = 0; k < run; k++)
		scribble(g, i + k);
	offset = (g->first_block + i) * g->block;
	if (draw(6) == 0) {
		memset(played(g, i), 0, run * g->block);
		g->now_ns += 1000000;
		must(writer_zero(g->writer, g->start + offset, run * g->block, true, false, &g->err), &g->err);
	} else if (draw(6) == 0) {
		send(g, offset, played(g, i), 512);
		send(g, offset + 512, played(g, i) + 512, run * g->block - 512);
	} else {
		send(g, offset, played(g, i), run * g->block);
	}
	for (uint64_t k = 0; k < run; k++)
		came_home(g, i + k);
}

// Whoever empties the journal takes back what only it holds.
static void lose_journal(struct guest *g)
{
	for (uint64_t i = 0; i < PLAYED; i++) {
		if (g->dirty[i])
			memcpy(played(g, i), g->home + i * g->block, g->block);
		g->dirty[i] = g->journaled[i] = false;
	}
	ring_super(&g->ring, 0);
	ring_super(&g->ring, g->ring.at);
	g->used = 0;
}

static void go_home(struct guest *g)
{
	for (uint64_t i = 0; i < PLAYED; i++) {
		if (g->dirty[i]) {
			send(g, (g->first_block + i) * g->block, played(g, i), g->block);
			came_home(g, i);
		}
		g->dirty[i] = g->journaled[i] = false;
	}
	if (draw(4) == 0)
		ring_super(&g->ring, 0); // clean; as when it is mounted again
	ring_super(&g->ring, g->ring.at);
	g->used = 0;
}

static void transaction(struct guest *g)
{
	uint64_t blocks[MOST], revoked[MOST];
	uint32_t count = 1 + (uint32_t)draw(MOST), revokes = 0;
	uint8_t *contents = malloc((size_t)MOST * g->block);
	bool in[PLAYED] = {false}, out[PLAYED] = {false};

	for (uint32_t i = 0; i < count; i++) {
		uint64_t n = draw(PLAYED);

		while (in[n])
			n = (n + 1) % PLAYED;
		in[n] = g->journaled[n] = true;
		scribble(g, n);
		blocks[i] = g->first_block + n;
		memcpy(contents + (size_t)i * g->block, played(g, n), g->block);
	}
	for (uint64_t n = draw(PLAYED); draw(4) != 0 && revokes < MOST; n = draw(PLAYED)) {
		if (in[n] || out[n] || !g->dirty[n])
			continue;
		out[n] = true;
		revoked[revokes++] = g->first_block + n;
	}
	uint32_t half = count > 1 ? (uint32_t)draw(count) : 0;

	if (half > 0)
		ring_descriptor(&g->ring, blocks, contents, half);
	if (revokes > 0)
		ring_revoke(&g->ring, revoked, revokes);
	if (draw(3) == 0)
		write_data(g, draw(PLAYED));
	ring_descriptor(&g->ring, blocks + half, contents + (size_t)half * g->block, count - half);
	uint64_t stamp_ns = g->now_ns - GUEST_BEHIND_NS - draw(LATEST_MS) * MS;

	g->ring.seconds = stamp_ns / SECOND;
	g->ring.nanoseconds = (uint32_t)(stamp_ns % SECOND);
	ring_commit(&g->ring);
	for (uint64_t n = 0; n < PLAYED; n++) {
		g->dirty[n] = (g->dirty[n] || in[n]) && !out[n];
		g->journaled[n] = g->journaled[n] && !out[n];
	}
	free(contents);
}

static int read_disk(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	const struct guest *g = context;

	if (offset > g->bytes || length > g->bytes - offset)
		return error_set(err, "outside");
	memcpy(bytes, g->disk + offset, length);
	return 0;
}

static void open_image(struct guest *g, const char *path, uint32_t features)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status = {0};
	bool present = false;

	CHECK(fd >= 0 && fstat(fd, &status) == 0);
	g->bytes = (uint64_t)status.st_size;
	g->disk = mmap(NULL, g->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(g->disk != MAP_FAILED);
	(void)close(fd);
	must(journal_locate(read_disk, g, &g->geometry, &present, &g->err), &g->err);
	CHECK(present);
	g->block = g->geometry.block_bytes;
	g->start = g->block == 1024 ? ODD_START : EVEN_START;
	g->first_block = g->bytes / g->block - BEFORE_END;
	g->home = calloc(PLAYED, g->block);
	CHECK(g->home != NULL);
	for (uint64_t i = 0; i < PLAYED; i++) {
		uint64_t ignored;

		CHECK(!journal_from_fs(&g->geometry, g->first_block + i, &ignored));
		came_home(g, i);
	}
	g->ring = (struct ring){.disk = g->disk, .g = &g->geometry, .features = features, .first = g->geometry.first, .last = g->geometry.last,
				.at = g->geometry.first, .tid = UINT32_MAX - 200, .seconds = 1795252951, .legacy_sum = UINT32_MAX,
				.written = send_journal_block, .context = g};
	memcpy(g->ring.uuid, ring_block(&g->ring, 0) + 48, 16);
}

static void record(struct guest *g, const char *folder)
{
	struct history_plan plan = {.size_bytes = g->start + g->bytes + BEHIND_BYTES};
	struct writer_options options = {.realtime = clock_now, .boottime = clock_now, .clock_context = g};
	struct writer_recovery recovery;

	plan.size_bytes = (plan.size_bytes + 4095) / 4096 * 4096;
	g->now_ns = UINT64_C(1795252951000000000);
	must(history_init(folder, &plan, &g->err), &g->err);
	must(writer_open(folder, &options, &g->writer, &recovery, &g->err), &g->err);
	for (uint64_t at = 0; at < g->bytes; at += 65536)
		send(g, at, g->disk + at, g->bytes - at < 65536 ? (size_t)(g->bytes - at) : 65536);
	ring_super(&g->ring, g->ring.at);
	for (unsigned i = 0; i < TRANSACTIONS; i++) {
		transaction(g);
		for (uint64_t k = draw(6); k > 0; k--)
			write_data(g, draw(PLAYED));
		if (g->used > (g->ring.last - g->ring.first) / 2)
			go_home(g);
		if (draw(40) == 0)
			lose_journal(g);
	}
	must(writer_close(g->writer, &g->err), &g->err);
}

// ---- the views

struct watcher {
	struct fs_cursor *cursor;
	const struct guest *guest;
	bool watched[PLAYED];
	uint8_t *known; // what the steps told of them
};

static void learn(struct watcher *w, uint64_t i)
{
	const struct guest *g = w->guest;
	struct error err;

	must(fs_cursor_read(w->cursor, (g->first_block + i) * g->block, w->known + i * g->block, g->block, &err), &err);
}

static int before(void *context, const struct fs_step *step, struct error *err)
{
	struct watcher *w = context;
	const struct guest *g = w->guest;

	for (size_t i = 0; i < step->changes.count; i++) {
		const struct fs_change *c = &step->changes.items[i];
		uint64_t at = c->offset - g->first_block * g->block;

		if (!c->shadowed && fs_cursor_new_bytes(w->cursor, c, 0, w->known + at, (size_t)c->length, err) < 0)
			return -1;
	}
	return 0;
}

static int after(void *context, const struct fs_step *step, struct error *err)
{
	struct watcher *w = context;

	const struct guest *g = w->guest;

	for (size_t i = 0; i < step->changes.count && step->tail_moved; i++)
		learn(w, step->changes.items[i].offset / g->block - g->first_block);
	CHECK(!step->unsure);
	(void)err;
	return 0;
}

static void watch(struct watcher *w)
{
	const struct guest *g = w->guest;
	struct fs_ranges ranges = {0};
	struct error err;

	for (uint64_t i = 0; i < PLAYED; i++) {
		uint64_t from = (g->first_block + i) * g->block;

		w->watched[i] = draw(2) == 0;
		learn(w, i);
		if (w->watched[i])
			CHECK(fs_ranges_append(&ranges, (struct fs_range){from, from + g->block}) == 0);
	}
	must(fs_cursor_watch(w->cursor, 0, &ranges, &err), &err);
	fs_ranges_release(&ranges);
}

// false: said so on stderr.
static bool same_as_view(struct watcher *w, struct history *h, const struct partition *p)
{
	const struct guest *g = w->guest;
	struct disk_at *disk;
	struct volume *volume;
	struct error err;
	uint8_t *want = malloc(g->block), *got = malloc(g->block);
	bool same = true;

	must(disk_at_open(h, fs_cursor_seq(w->cursor), &disk, &err), &err);
	must(volume_open(disk, p, true, &volume, &err), &err);
	for (uint64_t i = 0; i < PLAYED && same; i++) {
		uint64_t offset = (g->first_block + i) * g->block;

		must(volume_read(volume, offset, want, g->block, &err), &err);
		if (w->watched[i] && memcmp(want, w->known + i * g->block, g->block) != 0)
			same = fprintf(stderr, "seq:%" PRIu64 ": block %" PRIu64 " is not what was told\n", fs_cursor_seq(w->cursor), i) < 0;
		must(fs_cursor_read(w->cursor, offset, got, g->block, &err), &err);
		if (memcmp(want, got, g->block) != 0)
			same = fprintf(stderr, "seq:%" PRIu64 ": block %" PRIu64 " shows other bytes\n", fs_cursor_seq(w->cursor), i) < 0;
	}
	volume_free(volume);
	disk_at_free(disk);
	free(want);
	free(got);
	return same;
}

static void walk(const struct guest *g, struct history *h, bool read_less)
{
	struct history_facts facts;
	struct partition p = {.start_bytes = g->start, .length_bytes = g->bytes};
	struct watcher w = {.guest = g, .known = calloc(PLAYED, g->block)};
	struct error err;
	bool same = true;

	must(history_facts(h, &facts, &err), &err);
	uint64_t first = g->bytes / 65536 + 2, from = first + draw(facts.last_seq - first);

	must(fs_cursor_open(h, &p, g->block, from, &w.cursor, &err), &err);
	if (read_less)
		fs_cursor_read_less(w.cursor);
	watch(&w);
	for (unsigned i = 0; i < STOPS && same; i++) {
		uint64_t seq = fs_cursor_seq(w.cursor) + draw(draw(5) == 0 ? 400 : 30);

		must(fs_cursor_walk(w.cursor, seq < facts.last_seq ? seq : facts.last_seq, before, after, &w, &err), &err);
		same = same_as_view(&w, h, &p);
		CHECK(same);
		if (draw(3) == 0)
			watch(&w);
	}
	CHECK_EQUAL(fs_cursor_damaged_copies(w.cursor), 0);
	fs_cursor_free(w.cursor);
	free(w.known);
}

// Of the commits that the journal still shows, the one that was least late tells the guest's clock.
static void check_offset(const struct guest *g, struct history *h)
{
	struct partition p = {.start_bytes = g->start, .length_bytes = g->bytes};
	struct fs_job job = {.history = h};
	struct fs_moment moment = {.partition = p};
	struct disk_at *disk;
	struct history_facts facts;
	struct error err;
	int64_t offset_ns = 0;
	bool known = false;

	must(history_facts(h, &facts, &err), &err);
	must(disk_at_open(h, facts.last_seq, &disk, &err), &err);
	must(volume_open(disk, &p, true, &moment.volume, &err), &err);
	must(fs_guest_offset(&job, &moment, g->now_ns - GUEST_BEHIND_NS, &offset_ns, &known, &err), &err);
	CHECK(known);
	CHECK(offset_ns > (int64_t)GUEST_BEHIND_NS && offset_ns < (int64_t)(GUEST_BEHIND_NS + LATEST_MS * MS / 8));
	volume_free(moment.volume);
	disk_at_free(disk);
}

int main(int argc, char **argv)
{
	struct guest g = {0};
	struct history *h = NULL;

	CHECK(true);
	if (argc != 4)
		return unit_end();
	open_image(&g, argv[1], (uint32_t)atoi(argv[3]));
	record(&g, argv[2]);
	must(history_open(argv[2], &h, &g.err), &g.err);
	for (unsigned i = 0; i < WALKS; i++)
		walk(&g, h, i % 2 == 0);
	check_offset(&g, h);
	history_free(h);
	free(g.home);
	journal_extents_release(&g.geometry.extents);
	(void)munmap(g.disk, g.bytes);
	return unit_end();
}
