// SPDX-License-Identifier: MIT
// Opening a history whose end was cut or changed: what is torn is kept aside and told; what was durable is never cut.
#include "tests/unit/disk_faults.h"
#include "tests/unit/history_folder.h"
#include "tests/unit/unit.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "snapshots/crc32c.h"
#include "snapshots/history_header.h"
#include "snapshots/segment_cursor.h"
#include "snapshots/segment_format.h"
#include "snapshots/writer.h"

#include <sys/wait.h>

#define DISK_BYTES (1u << 20)
#define SEGMENT "h/segments/00000001.segment"

static const struct writer_options options = {.compress = WRITER_COMPRESS_NEVER};
static uint8_t original[1 << 20];
static uint64_t original_bytes;

static struct writer *open_writer(const char *folder, struct writer_recovery *recovery)
{
	struct writer *w = NULL;
	struct error err = {""};

	if (writer_open(folder, &options, &w, recovery, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	return w;
}

// OPEN, 6 writes, FLUSH, 3 writes; then the process is gone.
static void make_killed(void)
{
	struct history_plan plan = {.size_bytes = DISK_BYTES};
	struct error err;

	history_folder_remove("h");
	CHECK(history_init("h", &plan, &err) == 0);
	pid_t child = fork();

	if (child == 0) {
		struct writer *w = open_writer("h", NULL);

		for (unsigned i = 0; i < 6; i++)
			CHECK(writer_write(w, i * 512, "written before", 14, false, &err) == 0);
		CHECK(writer_flush(w, &err) == 0);
		for (unsigned i = 0; i < 3; i++)
			CHECK(writer_write(w, i * 512, "written behind", 14, false, &err) == 0);
		(void)usleep(120000); // the stage gets to the file by itself
		_exit(unit_failures ? 1 : 0);
	}
	int status = 1;

	CHECK(waitpid(child, &status, 0) == child && status == 0);
	int fd AUTO_CLOSE = open(SEGMENT, O_RDONLY | O_CLOEXEC);
	ssize_t got = read(fd, original, sizeof(original));

	CHECK(got > 0);
	original_bytes = (uint64_t)got;
}

static void put_back(uint64_t bytes)
{
	history_folder_empty("h/segments");
	history_folder_empty("h/index");
	int fd AUTO_CLOSE = open(SEGMENT, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(write(fd, original, bytes) == (ssize_t)bytes);
}

static bool same_file(const char *path, const uint8_t *bytes, uint64_t length)
{
	static uint8_t found[1 << 20];
	int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, found, sizeof(found)) == (ssize_t)length && memcmp(found, bytes, length) == 0;
}

struct place { uint64_t position, seq; uint8_t type; };
static struct place places[32];
static size_t place_count;

static void find_places(void)
{
	struct segment_cursor cursor;
	const uint8_t *header, *stored;
	struct record r;
	struct error err;
	int fd AUTO_CLOSE = open(SEGMENT, O_RDONLY | O_CLOEXEC);

	place_count = 0;
	segment_cursor_init(&cursor, fd, SEGMENT, SEGMENT_HEADER_BYTES, original_bytes);
	for (uint64_t at = cursor.position; segment_cursor_next(&cursor, &r, &header, &stored, &err) == SEGMENT_STEP_RECORD; at = cursor.position)
		places[place_count++] = (struct place){at, r.seq, r.type};
	segment_cursor_release(&cursor);
	CHECK_EQUAL(place_count, 11);
}

// Cut at every byte behind the FLUSH, and before it too: a cut leaves nothing behind it that could prove anything.
static void check_cuts(void)
{
	for (uint64_t length = original_bytes; length >= SEGMENT_HEADER_BYTES; length -= length > 400 && length % 8 == 3 ? 5 : 1) {
		struct writer_recovery recovery;
		struct error err;
		uint64_t whole = 0, end = SEGMENT_HEADER_BYTES;
		struct writer *w;

		put_back(length);
		while (whole < place_count && (whole + 1 < place_count ? places[whole + 1].position : original_bytes) <= length)
			end = ++whole < place_count ? places[whole].position : original_bytes;
		w = open_writer("h", &recovery);
		CHECK_EQUAL(recovery.kept_seq, whole);
		CHECK_EQUAL(recovery.torn, end != length);
		CHECK_EQUAL(recovery.torn_bytes, length - end);
		if (recovery.torn) {
			CHECK_STRING(recovery.torn_file, "segments/00000001.torn-1");
			CHECK(same_file("h/segments/00000001.torn-1", original + end, length - end));
			CHECK(strstr(recovery.reason.message, "00000001.segment: byte ") != NULL);
		}
		CHECK(writer_close(w, &err) == 0);
		w = open_writer("h", &recovery);
		CHECK(!recovery.torn);
		CHECK(writer_close(w, &err) == 0);
	}
}

// A flipped byte of what the FLUSH vouches for: refused by name, not a byte changed. Behind it: torn.
static void check_flips(void)
{
	static uint8_t flipped[sizeof(original)];
	uint64_t flush_position = places[7].position;

	CHECK_EQUAL(places[7].type, RECORD_FLUSH);
	for (uint64_t at = SEGMENT_HEADER_BYTES; at < original_bytes; at++) {
		struct writer_recovery recovery;
		struct writer *w = NULL;
		struct error err = {""};

		memcpy(flipped, original, original_bytes);
		flipped[at] ^= (uint8_t)(1 << at % 8);
		put_back(original_bytes);
		int fd AUTO_CLOSE = open(SEGMENT, O_WRONLY | O_CLOEXEC);

		CHECK(pwrite(fd, flipped + at, 1, (off_t)at) == 1);
		int result = writer_open("h", &options, &w, &recovery, &err);

		if (at < flush_position) {
			CHECK_EQUAL(result, -EBADMSG);
			CHECK(strncmp(err.message, SEGMENT ": byte ", strlen(SEGMENT ": byte ")) == 0);
			CHECK(strstr(err.message, "this is damage, and nothing is cut") != NULL);
			CHECK(same_file(SEGMENT, flipped, original_bytes));
			CHECK(access("h/segments/00000001.torn-1", F_OK) < 0);
		} else {
			CHECK_EQUAL(result, 0);
			CHECK(recovery.torn && recovery.kept_seq >= 7);
		}
		if (w)
			CHECK(writer_close(w, &err) == 0);
	}
}

// A guest may write whatever it likes: also records. They prove nothing.
static void check_forgery(void)
{
	uint8_t forged[RECORD_HEADER_BYTES + RECORD_PROOF_BYTES] = {0};
	struct record r = {.type = RECORD_FLUSH, .seq = 9, .realtime_ns = 1, .length_bytes = RECORD_PROOF_BYTES, .stored_bytes = RECORD_PROOF_BYTES};
	struct writer_recovery recovery;
	struct error err;

	put_le64(forged + RECORD_HEADER_BYTES, 1000);
	memcpy(forged + RECORD_HEADER_BYTES + 8, "wrong UUID......", 16);
	record_encode(&r, forged + RECORD_HEADER_BYTES, forged);
	put_back(original_bytes);
	int fd AUTO_CLOSE = open(SEGMENT, O_WRONLY | O_CLOEXEC);

	CHECK(pwrite(fd, "x", 1, (off_t)places[9].position + RECORD_HEADER_BYTES) == 1);
	CHECK(pwrite(fd, forged, sizeof(forged), (off_t)original_bytes) == (ssize_t)sizeof(forged));
	struct writer *w = open_writer("h", &recovery);

	CHECK(recovery.torn && recovery.kept_seq == 9);
	CHECK(writer_close(w, &err) == 0);
}

static void expect_refused(const char *what, int status)
{
	struct writer *w = NULL;
	struct error err = {""};
	int result = writer_open("h", &options, &w, NULL, &err);

	CHECK_EQUAL(result, status);
	if (!strstr(err.message, what))
		fprintf(stderr, "\"%s\" does not say \"%s\"\n", err.message, what);
	CHECK(strstr(err.message, what) != NULL);
	if (w)
		(void)writer_close(w, NULL);
}

static void check_folder(void)
{
	put_back(original_bytes);
	CHECK(rename(SEGMENT, "h/segments/00000002.segment") == 0);
	expect_refused("1 of 2 segments are missing", -EBADMSG);
	put_back(original_bytes);
	CHECK(system("mv h/header h/kept && : > h/header") == 0);
	expect_refused("this is no header of a history", -EINVAL);
	CHECK(system("rm h/header") == 0);
	expect_refused("this is no history", -EINVAL);
	CHECK(system("mv h/kept h/header") == 0);
	expect_refused("", 0);
}

// What was not recorded is told by a GAP, once; and only where the end was not clean.
static void check_gap(void)
{
	struct history *h;
	struct history_facts facts;
	struct record r;
	struct error err;
	unsigned gaps = 0, opens = 0, closes = 0;
	char text[400] = "";

	put_back(original_bytes - 5);
	for (unsigned i = 0; i < 3; i++)
		CHECK(writer_close(open_writer("h", NULL), &err) == 0);
	CHECK(history_open("h", &h, &err) == 0 && history_facts(h, &facts, &err) == 0);
	for (uint64_t seq = 1; seq <= facts.last_seq; seq++) {
		CHECK(history_record(h, seq, &r, &err) == 0);
		opens += r.type == RECORD_OPEN;
		closes += r.type == RECORD_CLOSE;
		if (r.type != RECORD_GAP)
			continue;
		gaps++;
		CHECK(r.length_bytes < sizeof(text) && history_content(h, seq, 16, text, r.length_bytes - 16, &err) == 0);
	}
	history_free(h);
	CHECK_EQUAL(gaps, 1);
	CHECK_EQUAL(opens, 4);
	CHECK_EQUAL(closes, 3);
	CHECK_STRING(text, "the recording did not end cleanly; 67 bytes of an unfinished end are kept as segments/00000001.torn-1");
}

static void check_headers(void)
{
	struct history_header made = {.size_bytes = 1 << 20, .segment_bytes = SEGMENT_DEFAULT_BYTES, .has_base = true, .uuid = "0123456789abcde"}, h;
	uint8_t bytes[HISTORY_HEADER_BYTES];
	struct error err;

	history_header_encode(&made, bytes);
	CHECK(history_header_decode(bytes, sizeof(bytes), "header", &h, &err) == 0);
	CHECK(h.size_bytes == made.size_bytes && h.segment_bytes == made.segment_bytes && h.has_base && memcmp(h.uuid, made.uuid, 16) == 0);
	for (size_t length = 0; length < sizeof(bytes); length++)
		CHECK(history_header_decode(bytes, length, "header", &h, &err) < 0);
	for (size_t at = 0; at < sizeof(bytes); at++) {
		bytes[at] ^= 4;
		CHECK(history_header_decode(bytes, sizeof(bytes), "header", &h, &err) < 0);
		bytes[at] ^= 4;
	}
	put_le32(bytes + 16, 0x80); // an unknown compatible flag, and then an incompatible one
	put_le32(bytes + 124, crc32c(bytes, 124));
	CHECK(history_header_decode(bytes, sizeof(bytes), "header", &h, &err) == 0);
	put_le32(bytes + 20, 0x41);
	put_le32(bytes + 124, crc32c(bytes, 124));
	CHECK(history_header_decode(bytes, sizeof(bytes), "header", &h, &err) < 0);
	CHECK_STRING(err.message, "header: the history uses the incompatible feature 0x40, which this program does not know");
}

static void check_init(void)
{
	struct history_plan plan = {.size_bytes = 1000}, sound = {.size_bytes = 1 << 20}, no_base = {.base_path = "no-such-image"};
	struct error err;

	CHECK(history_init("odd", &plan, &err) < 0 && access("odd", F_OK) < 0);
	CHECK(history_init("h", &sound, &err) < 0);
	CHECK_STRING(err.message, "h: is there already, and not empty");
	CHECK(history_init("new", &no_base, &err) < 0 && access("new", F_OK) < 0);
	CHECK(mkdir("empty", 0700) == 0 && history_init("empty", &no_base, &err) < 0 && rmdir("empty") == 0);
	for (int i = 0; i < 20; i++) { // a disk that fails at the first, second ... sync
		faults.sync_fails_after = i;
		faults.reason = EIO;
		int result = history_init("failing", &sound, &err);

		faults.sync_fails_after = -1;
		if (result == 0) {
			CHECK(i > 1);
			return;
		}
		CHECK(access("failing", F_OK) < 0);
	}
	CHECK(false); // it works at last
}

int main(void)
{
	make_killed();
	faults.mode = FAULTS_FAST;
	find_places();
	check_cuts();
	check_flips();
	check_forgery();
	check_folder();
	check_gap();
	check_headers();
	check_init();
	return unit_end();
}
