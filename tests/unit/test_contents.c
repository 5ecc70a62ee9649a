// SPDX-License-Identifier: MIT
// Many contents in one walk are what a question for each gives, byte for byte and verdict for verdict; and the answers of a reader that was
// taken over are refused.
//
// The reader is looked for beside the running program: a copy of this one runs in the test's folder, beside provgraph-fsread, or beside
// a further copy of itself that lies.
#include "base/bytes.h"
#include "base/memory.h"
#include "snapshots/contents.h"
#include "snapshots/fs_verdict.h"
#include "snapshots/fsread.h"
#include "snapshots/history.h"
#include "tests/unit/unit.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SEEN 4096

struct seen { // what one question, or one wish, gave
	bool ended, there, has_file, judged, whole, refused;
	struct buffer bytes; // holes as zeros
	enum fs_kind kind;
	uint32_t generation;
	uint64_t size, pending_bytes, pending_from, complete_seq, complete_ns;
	char target[64], sha256[65], reason[256];
};

static void release_seen(struct seen *s)
{
	buffer_release(&s->bytes);
}

static void add_data(struct seen *s, uint64_t offset, const void *bytes, size_t length)
{
	CHECK(offset >= s->bytes.length);
	while (s->bytes.length < offset)
		buffer_add_byte(&s->bytes, 0);
	buffer_add(&s->bytes, bytes, length);
}

static void note_file(struct seen *s, const struct fs_file *f)
{
	s->there = s->has_file = true;
	s->kind = f->kind;
	s->generation = f->generation;
	s->size = f->size_bytes;
	(void)snprintf(s->target, sizeof(s->target), "%s", f->target ? f->target : "");
}

// ---- the oracle: what disk cat asks

static int oracle_frame(void *context, uint32_t type, const void *payload, size_t length, struct error *err)
{
	struct seen *s = context;
	struct wire_reader r = wire_read(payload, length);
	struct fs_file f = {0};
	struct fs_verdict v;
	uint64_t offset;
	const uint8_t *bytes;
	size_t count;

	switch (type) {
	case FSREAD_FRAME_FILE:
		if (fs_file_get(&r, &f, err) < 0)
			return -1;
		note_file(s, &f);
		fs_file_release(&f);
		return 0;
	case FSREAD_FRAME_DATA:
		if (fsread_get_piece(payload, length, &offset, &bytes, &count, err) < 0)
			return -1;
		add_data(s, offset, bytes, count);
		return 0;
	case FSREAD_FRAME_VERDICT:
		if (fs_verdict_get(&r, &v, err) < 0)
			return -1;
		s->judged = true;
		s->pending_bytes = v.pending_bytes;
		s->pending_from = v.pending_from;
		s->complete_seq = v.complete_seq;
		s->complete_ns = v.complete_ns;
		return 0;
	default:
		return 0;
	}
}

// A folder has no bytes in the answer to CONTENT, and neither for us.
static void ask_oracle(const char *history, uint64_t seq, uint64_t inode, struct seen *ret)
{
	struct fsread_question q = {.job = FSREAD_CONTENT, .history = history, .partition = -1, .to_seq = seq, .inode = inode};
	struct fsread_answer answer;
	struct error err;

	*ret = (struct seen){0};
	int result = fsread_ask(&q, oracle_frame, ret, &answer, &err);

	ret->refused = result < 0 && strstr(err.message, "damaged"); // an inode that cannot be decoded is "no such file" there, but told as damaged
	ret->there = result == 0 || ret->refused;
	while (ret->there && !ret->refused && ret->kind == FS_REGULAR && ret->bytes.length < ret->size)
		buffer_add_byte(&ret->bytes, 0);
	buffer_release(&answer.warnings);
}

// ---- what is tested

struct gathered { struct seen *items; uint64_t last_seq; const struct contents_wish *wishes; size_t ends; };

static int gather_data(void *context, size_t wish, uint64_t offset, const void *bytes, size_t length, struct error *err)
{
	struct gathered *g = context;

	(void)err;
	add_data(&g->items[wish], offset, bytes, length);
	return 0;
}

static int gather_end(void *context, const struct contents_answer *a, struct error *err)
{
	struct gathered *g = context;
	struct seen *s = &g->items[a->wish];

	(void)err;
	CHECK(!s->ended);
	CHECK(g->wishes[a->wish].seq >= g->last_seq);
	g->last_seq = g->wishes[a->wish].seq;
	g->ends++;
	s->ended = true;
	if (a->there)
		note_file(s, &a->file);
	s->whole = a->whole;
	s->judged = a->judged;
	s->pending_bytes = a->pending_bytes;
	s->pending_from = a->pending_from;
	s->complete_seq = a->complete_seq;
	s->complete_ns = a->complete_ns;
	(void)snprintf(s->sha256, sizeof(s->sha256), "%s", a->sha256);
	(void)snprintf(s->reason, sizeof(s->reason), "%.255s", a->reason.message);
	while (a->whole && s->bytes.length < s->size)
		buffer_add_byte(&s->bytes, 0);
	return 0;
}

static int read_all(const char *history, const struct contents_wish *wishes, size_t count, struct seen *ret, struct error *err)
{
	struct timeline_file volume = {.history = history, .partition = -1};
	struct gathered g = {.items = ret, .wishes = wishes};
	struct contents_visit visit = {.data = gather_data, .end = gather_end, .context = &g};
	int result = contents_read(&volume, wishes, count, &visit, err);

	if (result == 0)
		CHECK_EQUAL(g.ends, count);
	return result;
}

static void digest(const struct buffer *bytes, char ret[65])
{
	uint8_t out[32];

	CHECK_EQUAL(EVP_Digest(bytes->bytes ? bytes->bytes : "", bytes->length, out, NULL, EVP_sha256(), NULL), 1);
	for (size_t i = 0; i < sizeof(out); i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", out[i]);
}

static bool equal(const struct seen *got, const struct seen *want)
{
	char sha256[65];

	if (got->there != want->there)
		return false;
	if (!want->there)
		return !got->whole && got->sha256[0] == '\0' && got->bytes.length == 0;
	if (want->refused)
		return !got->whole && strstr(got->reason, "damaged");
	if (got->kind != want->kind || got->size != want->size || got->generation != want->generation || strcmp(got->target, want->target) != 0)
		return false;
	if (want->kind != FS_REGULAR)
		return !got->whole && got->bytes.length == 0;
	digest(&want->bytes, sha256);
	return got->whole && got->judged && strcmp(got->sha256, sha256) == 0 && got->bytes.length == want->bytes.length &&
	       (want->bytes.length == 0 || memcmp(got->bytes.bytes, want->bytes.bytes, want->bytes.length) == 0) &&
	       got->pending_bytes == want->pending_bytes && got->pending_from == want->pending_from && got->complete_seq == want->complete_seq &&
	       got->complete_ns == want->complete_ns;
}

struct counts { unsigned whole, absent, other, pending; };

// Each of the inodes [first, last] at every step-th moment, asked for backwards, against the oracle.
static struct counts compare(const char *history, uint64_t first_seq, uint64_t step, uint64_t first, uint64_t last)
{
	struct contents_wish *wishes = calloc(MAX_SEEN, sizeof(*wishes));
	struct seen *seen = calloc(MAX_SEEN, sizeof(*seen));
	struct counts counts = {0};
	struct history *h;
	struct history_facts facts = {0};
	struct error err = {""};
	size_t count = 0;

	CHECK(history_open(history, &h, &err) == 0 && history_facts(h, &facts, &err) == 0);
	for (uint64_t seq = facts.last_seq + 1; seq-- > first_seq && count + (last - first) < MAX_SEEN; seq -= seq >= step ? step - 1 : seq) {
		for (uint64_t inode = first; inode <= last; inode++)
			wishes[count++] = (struct contents_wish){.seq = seq, .inode = inode};
	}
	history_free(h);
	CHECK_EQUAL(read_all(history, wishes, count, seen, &err), 0);
	CHECK_STRING(err.message, "");
	for (size_t i = 0; i < count; i++) {
		struct seen want;

		ask_oracle(history, wishes[i].seq, wishes[i].inode, &want);
		if (!equal(&seen[i], &want))
			fprintf(stderr, "%s: seq %" PRIu64 ", inode %" PRIu64 ": there %d/%d, %zu/%zu bytes, pending %" PRIu64 "/%" PRIu64 ": %s\n", history,
				wishes[i].seq, wishes[i].inode, seen[i].there, want.there, seen[i].bytes.length, want.bytes.length,
				seen[i].pending_bytes, want.pending_bytes, seen[i].reason);
		CHECK(equal(&seen[i], &want));
		counts.whole += want.there && want.kind == FS_REGULAR && !want.refused;
		counts.absent += !want.there;
		counts.other += want.there && want.kind != FS_REGULAR;
		counts.pending += want.pending_bytes > 0;
		release_seen(&want);
		release_seen(&seen[i]);
	}
	free(wishes);
	free(seen);
	return counts;
}

static void test_recorded(void)
{
	char history[512];

	(void)snprintf(history, sizeof(history), "%s/samples/guest-disk/web01.history", getenv("SRCDIR"));
	struct counts c = compare(history, 60, 3, 12, 16);

	CHECK(c.whole >= 20 && c.absent >= 20 && c.other >= 20);
	// Each moment of a small disk, from before there was a file system on.
	CHECK_EQUAL(system("tar xzf \"$SRCDIR/tests/cli/data/pending.history.tar.gz\""), 0);
	c = compare("pending.history", 0, 1, 12, 13);
	CHECK(c.pending >= 3 && c.whole >= 20 && c.absent >= 3);
}

// Kinds of file systems that a recording of a kernel's ext4 does not have: small blocks, the block map, content in the inode; holes, long
// and short symlinks. mke2fs forgets NUL bytes at the end of content that it puts into an inode: a damaged file.
static void test_made(void)
{
	static const char *const kinds[] = {
		"-t ext4 -b 1024", "-t ext4 -b 4096 -O inline_data -I 256", "-t ext2 -b 1024", "-t ext3 -b 4096", "-t ext4 -O bigalloc -C 16384",
	};
	struct error err = {""};
	char command[512];

	if (system("mke2fs -V >log 2>&1") != 0) {
		puts("mke2fs is not installed: files in file systems of all kinds were not compared");
		return;
	}
	CHECK_EQUAL(system("mkdir tree && printf short >tree/a && seq 1 20000 >tree/b && truncate -s 3M tree/c && printf x >>tree/c && printf y | "
			   "dd of=tree/c bs=1 seek=700000 conv=notrunc status=none && ln -s a tree/d && ln -s $(printf '%0100d' 7) tree/e && "
			   "mkdir tree/f && head -c 130 /dev/zero >tree/g && : >tree/h && mkfifo tree/i"), 0);
	for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
		struct history_plan plan = {.base_path = "image"};
		struct counts c;

		(void)snprintf(command, sizeof(command), "rm -rf image made; mke2fs -q -F %s -d tree image 16M >log 2>&1", kinds[i]);
		CHECK_EQUAL(system(command), 0);
		CHECK_EQUAL(history_init("made", &plan, &err), 0);
		c = compare("made", 0, 1, 11, 22);
		CHECK(c.whole + (i == 1) == 5 && c.other >= 5 && c.absent >= 1); // lost+found, folder, FIFO, two symlinks
	}
}

static void test_limits(void)
{
	struct contents_wish wishes[] = {
		{.seq = 200, .inode = 14, .max_bytes = 10}, {.seq = 200, .inode = 14, .has_generation = true, .generation = 1},
		{.seq = 200, .inode = UINT64_MAX},	    {.seq = 200, .inode = 14}, {.seq = 200, .inode = 14}, {.seq = 0, .inode = 14},
	};
	struct seen seen[ARRAY_LENGTH(wishes)] = {0};
	struct error err = {""};
	char history[512];

	(void)snprintf(history, sizeof(history), "%s/samples/guest-disk/web01.history", getenv("SRCDIR"));
	CHECK_EQUAL(read_all(history, wishes, ARRAY_LENGTH(wishes), seen, &err), 0);
	CHECK(seen[0].there && !seen[0].whole && seen[0].bytes.length == 10 && seen[0].sha256[0] == '\0' && strstr(seen[0].reason, "10 were asked for"));
	CHECK(!seen[1].there && !seen[2].there);
	CHECK(seen[3].whole && seen[4].whole && seen[3].bytes.length == seen[4].bytes.length && seen[3].bytes.length > 10);
	CHECK(!seen[5].there && seen[5].reason[0] != '\0'); // nothing was on the disk
	wishes[0] = (struct contents_wish){.seq = 200, .inode = 14, .has_generation = true, .generation = seen[3].generation};
	for (size_t i = 0; i < ARRAY_LENGTH(wishes); i++) {
		release_seen(&seen[i]);
		seen[i] = (struct seen){0};
	}
	CHECK_EQUAL(read_all(history, wishes, 1, seen, &err), 0);
	CHECK(seen[0].whole);
	release_seen(&seen[0]);
	CHECK_EQUAL(read_all(history, wishes, 0, seen, &err), 0);
	wishes[0].seq = 100000;
	CHECK_EQUAL(read_all(history, wishes, 1, seen, &err), -1);
	CHECK(strstr(err.message, "no seq:100000"));
	CHECK_EQUAL(read_all("nothing.history", wishes, 1, seen, &err), -1);
}

// ---- a reader that was taken over

static void frame(enum fsread_frame type, struct buffer *payload)
{
	(void)wire_send(STDOUT_FILENO, type, payload->bytes ? payload->bytes : "", payload->length, NULL);
	buffer_clear(payload);
}

static void frame_numbers(enum fsread_frame type, const uint64_t *numbers, size_t count)
{
	struct buffer payload = {0};

	for (size_t i = 0; i < count; i++)
		wire_put_u64(&payload, numbers[i]);
	frame(type, &payload);
	buffer_release(&payload);
}

static void frame_wish(uint64_t number, uint64_t there)
{
	frame_numbers(FSREAD_FRAME_WISH, (uint64_t[]){number, there}, 2);
}

static void frame_file(uint64_t inode, uint32_t generation, uint64_t size)
{
	struct fs_file file = {.inode = inode, .generation = generation, .kind = FS_REGULAR, .links = 1, .size_bytes = size, .mode = 0100644};
	struct buffer payload = {0};

	fs_file_put(&payload, &file);
	frame(FSREAD_FRAME_FILE, &payload);
	buffer_release(&payload);
}

static void frame_bytes(enum fsread_frame type, bool with_offset, uint64_t offset, const char *bytes)
{
	struct buffer payload = {0};

	if (with_offset)
		wire_put_u64(&payload, offset);
	wire_put_bytes(&payload, bytes, strlen(bytes));
	frame(type, &payload);
	buffer_release(&payload);
}

static void frame_verdict(enum fs_verdict_kind kind, uint64_t bytes, uint64_t from, uint64_t seq)
{
	frame_numbers(FSREAD_FRAME_VERDICT, (uint64_t[]){kind, bytes, from, seq, 0, 0, 0}, 7);
}

enum lie {
	NONE, OTHER_WISH, TWICE, BEFORE_END, NO_WISH, OTHER_INODE, OTHER_GENERATION, TWO_FILES, NO_FILE, BACKWARDS, BEYOND, WRAPS, AFTER_VERDICT,
	VERDICT_KIND, VERDICT_SIZE, VERDICT_PAST, VERDICT_NOTHING, ENDS_TWICE, MISSING, STRANGER, HUGE_HOLE, LIES
};

// Two wishes: inode 12, generation 5, of 8 bytes; then inode 13, not there.
static void lie(enum lie which)
{
	frame_numbers(FSREAD_FRAME_HELLO, (uint64_t[]){FSREAD_PROTOCOL}, 1);
	if (which != NO_WISH)
		frame_wish(which == OTHER_WISH, which == BEFORE_END ? 2 : 1);
	if (which == TWICE)
		frame_wish(0, 1);
	if (which != NO_FILE)
		frame_file(which == OTHER_INODE ? 13 : 12, which == OTHER_GENERATION ? 6 : 5, which == HUGE_HOLE ? UINT64_MAX : 8);
	if (which == TWO_FILES)
		frame_file(12, 5, 8);
	frame_bytes(FSREAD_FRAME_DATA, true, 2, "abc");
	if (which == BACKWARDS || which == BEYOND || which == WRAPS)
		frame_bytes(FSREAD_FRAME_DATA, true, which == BACKWARDS ? 4 : which == BEYOND ? 6 : UINT64_MAX - 1, "abc");
	if (which >= VERDICT_KIND && which <= VERDICT_NOTHING)
		frame_verdict(which == VERDICT_KIND ? FS_GONE : FS_PENDING, which != VERDICT_NOTHING, which == VERDICT_SIZE ? 8 : 5, which == VERDICT_PAST ? 7 : 0);
	else
		frame_verdict(FS_PENDING, 3, 5, 9);
	if (which == AFTER_VERDICT)
		frame_bytes(FSREAD_FRAME_DATA, true, 5, "x");
	if (which == STRANGER)
		frame_bytes(FSREAD_FRAME_LINE, false, 0, "x");
	frame_bytes(FSREAD_FRAME_WHOLE, false, 0, "");
	if (which == ENDS_TWICE)
		frame_bytes(FSREAD_FRAME_WHOLE, false, 0, "");
	if (which != MISSING) {
		frame_wish(1, 0);
		frame_bytes(FSREAD_FRAME_WHOLE, false, 0, "");
	}
	frame_numbers(FSREAD_FRAME_END, NULL, 0);
}

static void test_lies(void)
{
	const struct contents_wish wishes[] = {{.seq = 7, .inode = 12, .has_generation = true, .generation = 5}, {.seq = 7, .inode = 13}};
	struct buffer want = {0};
	char sha256[65], command[64];

	buffer_add(&want, "\0\0abc\0\0\0", 8);
	digest(&want, sha256);
	buffer_release(&want);
	for (enum lie which = NONE; which < LIES; which++) {
		struct seen seen[2] = {0};
		struct error err = {""};

		(void)snprintf(command, sizeof(command), "printf %u >lie", which);
		CHECK_EQUAL(system(command), 0);
		int result = read_all("h", wishes, 2, seen, &err);

		if (result != (which == NONE || which == HUGE_HOLE ? 0 : -1))
			fprintf(stderr, "lie %u\n", which);
		CHECK_EQUAL(result, which == NONE || which == HUGE_HOLE ? 0 : -1);
		CHECK((err.message[0] == '\0') == (result == 0));
		if (which == NONE) {
			CHECK(seen[0].whole && seen[0].pending_bytes == 3 && seen[0].pending_from == 5 && seen[0].complete_seq == 9);
			CHECK_STRING(seen[0].sha256, sha256);
			CHECK(!seen[1].there);
		}
		if (which == HUGE_HOLE)
			CHECK(!seen[0].whole && strstr(seen[0].reason, "holes"));
		release_seen(&seen[0]);
		release_seen(&seen[1]);
	}
}

static int be_liar(void)
{
	FILE *file = fopen("lie", "r");
	unsigned which = LIES;

	if (!file || fscanf(file, "%u", &which) != 1)
		return 2;
	(void)fclose(file);
	lie((enum lie)which);
	return 0;
}

int main(int argc, char **argv)
{
	if (strcmp(argv[0], "provgraph-fsread") == 0)
		return be_liar();
	if (argc == 7 && strcmp(argv[1], "compare") == 0) { // HISTORY FIRST-SEQ STEP FIRST LAST: for tests/root/disk-timeline.sh
		struct counts c = compare(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10), strtoull(argv[5], NULL, 10), strtoull(argv[6], NULL, 10));

		printf("%u whole, %u absent, %u others, %u pending\n", c.whole, c.absent, c.other, c.pending);
		CHECK(c.whole > 0);
		return unit_end();
	}
	if (argc == 1) {
		CHECK_EQUAL(system("cp /proc/$PPID/exe contents && ln -s \"$BUILD/provgraph-fsread\" provgraph-fsread"), 0);
		return execl("./contents", "contents", "again", (char *)NULL);
	}
	test_recorded();
	test_made();
	test_limits();
	CHECK_EQUAL(system("ln -sf contents provgraph-fsread"), 0);
	test_lies();
	return unit_end();
}
