// SPDX-License-Identifier: MIT
// From times to states: inside an epoch, across steps of the clock both ways, across boots. The records are written by hand, so that
// their times are exactly what the test wants.
#include "base/bytes.h"
#include "base/nanotime.h"
#include "snapshots/segment_format.h"

#include "tests/unit/disk_model.h"

#include <fcntl.h>
#include <sys/stat.h>

#define SECOND NANOTIME_SECOND
#define MS NANOTIME_MILLISECOND
#define START UINT64_C(1795252951000000000)

struct script {
	char *folder;
	int fd;
	uint64_t number, seq, position;
	uint8_t uuid[16];
	char boot; // the letter that its boot id is made of
};

static void next_segment(struct script *s)
{
	uint8_t header[SEGMENT_HEADER_BYTES];
	char *name;

	if (s->fd >= 0)
		(void)close(s->fd);
	if (asprintf(&name, "%s/segments/%08u.segment", s->folder, (unsigned)++s->number) < 0)
		abort();
	s->fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	segment_format_header(s->number, s->seq + 1, s->uuid, header);
	CHECK(s->fd >= 0 && pwrite(s->fd, header, sizeof(header), 0) == (ssize_t)sizeof(header));
	s->position = sizeof(header);
	free(name);
}

static struct script script_begin(void)
{
	struct script s = { .folder = model_folder(), .fd = -1, .boot = 'a' };
	struct history_plan plan = { .size_bytes = 1 << 20 };
	struct history *h;
	struct history_facts facts;
	struct error err = { "" };

	CHECK_EQUAL(history_init(s.folder, &plan, &err), 0);
	CHECK_EQUAL(history_open(s.folder, &h, &err), 0);
	CHECK_EQUAL(history_facts(h, &facts, &err), 0);
	memcpy(s.uuid, facts.uuid, sizeof(s.uuid));
	history_free(h);
	next_segment(&s);
	return s;
}

static void script_end(struct script *s)
{
	(void)close(s->fd);
	model_remove(s->folder);
	free(s->folder);
}

static void add(struct script *s, enum record_type type, uint64_t time_ns, const void *content, uint32_t length)
{
	uint8_t bytes[RECORD_HEADER_BYTES + 64] = { 0 };
	struct record r = { .type = (uint8_t)type, .seq = ++s->seq, .realtime_ns = time_ns, .boottime_ns = s->seq, .length_bytes = length,
			    .stored_bytes = length };

	if (type == RECORD_TRIM)
		r.length_bytes = 4096;
	memcpy(bytes + RECORD_HEADER_BYTES, content, length);
	record_encode(&r, content, bytes);
	size_t total = (size_t)record_total_bytes(&r);
	CHECK(pwrite(s->fd, bytes, total, (off_t)s->position) == (ssize_t)total);
	s->position += total;
}

static void add_trim(struct script *s, uint64_t time_ns)
{
	add(s, RECORD_TRIM, time_ns, "", 0);
}

static void add_open(struct script *s, uint64_t time_ns)
{
	char text[40];

	memset(text, s->boot, 36);
	memcpy(text + 36, "test", 4);
	add(s, RECORD_OPEN, time_ns, text, sizeof(text));
}

static void add_clock(struct script *s, uint64_t time_ns, uint64_t expected_ns)
{
	uint8_t content[8];

	put_le64(content, expected_ns);
	add(s, RECORD_CLOCK, time_ns, content, sizeof(content));
}

// ---- asking

static uint64_t moment(struct script *s, uint64_t time_ns, struct error *err)
{
	struct history *h;
	uint64_t seq = UINT64_MAX;

	*err = (struct error){ "" };
	if (history_open(s->folder, &h, err) < 0 || history_moment(h, time_ns, &seq, err) < 0)
		seq = UINT64_MAX;
	history_free(h);
	return seq;
}

#define CHECK_MOMENT(s, time_ns, seq)                                              \
	do {                                                                       \
		struct error moment_err;                                           \
		CHECK_EQUAL(moment((s), (time_ns), &moment_err), (seq));           \
		CHECK_STRING(moment_err.message, "");                              \
	} while (0)

#define CHECK_REFUSED(s, time_ns, a, b)                                            \
	do {                                                                       \
		struct error moment_err;                                           \
		CHECK_EQUAL(moment((s), (time_ns), &moment_err), UINT64_MAX);      \
		CHECK(strstr(moment_err.message, (a)) && strstr(moment_err.message, (b))); \
	} while (0)

static void check_epochs(struct script *s, const struct history_epoch *wanted, size_t count)
{
	struct epoch_vector found = { 0 };
	struct history *h;
	struct error err = { "" };

	CHECK_EQUAL(history_open(s->folder, &h, &err), 0);
	CHECK_EQUAL(history_epochs(h, &found, &err), 0);
	CHECK_EQUAL(found.count, count);
	for (size_t i = 0; i < count && i < found.count; i++) {
		CHECK_EQUAL(found.items[i].first_seq, wanted[i].first_seq);
		CHECK_EQUAL(found.items[i].last_seq, wanted[i].last_seq);
		CHECK_EQUAL(found.items[i].first_ns, wanted[i].first_ns);
		CHECK_EQUAL(found.items[i].last_ns, wanted[i].last_ns);
	}
	epoch_vector_release(&found);
	history_free(h);
}

// ---- scripts

static void test_empty(void)
{
	struct script s = script_begin();

	CHECK_MOMENT(&s, START, 0);
	check_epochs(&s, NULL, 0);
	script_end(&s);
}

static void test_one_epoch(void)
{
	struct script s = script_begin();

	add_open(&s, START);                  // 1
	add_trim(&s, START + SECOND);         // 2
	add_trim(&s, START + SECOND);         // 3: at the same time
	next_segment(&s);
	add_trim(&s, START + 2 * SECOND);     // 4
	add_trim(&s, START + 2 * SECOND - 9 * MS); // 5: a small step back is no epoch
	add_trim(&s, START + 3 * SECOND);     // 6
	CHECK_MOMENT(&s, 0, 0);
	CHECK_MOMENT(&s, START - 1, 0);
	CHECK_MOMENT(&s, START, 1);
	CHECK_MOMENT(&s, START + SECOND - 1, 1);
	CHECK_MOMENT(&s, START + SECOND, 3);
	CHECK_MOMENT(&s, START + 2 * SECOND - 10 * MS, 3);
	CHECK_MOMENT(&s, START + 2 * SECOND - 9 * MS, 5); // the last with time <= T, though 4 came later by its clock
	CHECK_MOMENT(&s, START + 2 * SECOND, 5);
	CHECK_MOMENT(&s, START + 3 * SECOND, 6);
	CHECK_MOMENT(&s, UINT64_MAX, 6);
	check_epochs(&s, &(struct history_epoch){ 1, 6, START, START + 3 * SECOND }, 1);
	script_end(&s);
}

static void test_step_back(void)
{
	struct script s = script_begin();

	add_open(&s, START);
	add_trim(&s, START + 100 * SECOND);                              // 2
	add_trim(&s, START + 110 * SECOND);                              // 3
	add_clock(&s, START + 50 * SECOND, START + 120 * SECOND);        // 4: 70 s back
	add_trim(&s, START + 60 * SECOND);                               // 5
	CHECK_MOMENT(&s, START + 50 * SECOND - 1, 1);
	CHECK_REFUSED(&s, START + 50 * SECOND, "seq:1 ", "seq:4 ");
	CHECK_REFUSED(&s, START + 105 * SECOND, "seq:2 ", "seq:5 ");
	CHECK_REFUSED(&s, START + 105 * SECOND, "2026-11-21T09:24:16", "recorded 2026-11-21T09:23:31");
	// Until 120 s by its own clock the first epoch went on, though nothing was recorded.
	CHECK_REFUSED(&s, START + 120 * SECOND, "seq:3 ", "seq:5 ");
	CHECK_MOMENT(&s, START + 120 * SECOND + 1, 5);
	const struct history_epoch wanted[] = { { 1, 3, START, START + 120 * SECOND }, { 4, 5, START + 50 * SECOND, START + 60 * SECOND } };
	check_epochs(&s, wanted, 2);
	script_end(&s);
}

static void test_step_forward(void)
{
	struct script s = script_begin();

	add_open(&s, START);
	add_trim(&s, START + 10 * SECOND);                                // 2
	next_segment(&s);
	add_clock(&s, START + 3600 * SECOND, START + 20 * SECOND);        // 3
	add_trim(&s, START + 3610 * SECOND);                              // 4
	CHECK_MOMENT(&s, START + 20 * SECOND, 2);
	CHECK_MOMENT(&s, START + 1000 * SECOND, 2); // no clock showed that; everything before the step is the answer
	CHECK_MOMENT(&s, START + 3600 * SECOND - 1, 2);
	CHECK_MOMENT(&s, START + 3600 * SECOND, 3);
	CHECK_MOMENT(&s, START + 3610 * SECOND, 4);
	// And back again over all of it: times of the gap now belong to the new epoch as well.
	add_clock(&s, START + 1800 * SECOND, START + 3620 * SECOND);      // 5
	CHECK_MOMENT(&s, START + 1000 * SECOND, 2);
	CHECK_REFUSED(&s, START + 2000 * SECOND, "seq:2 ", "seq:5 ");
	CHECK_REFUSED(&s, START + 3615 * SECOND, "seq:4 ", "seq:5 ");
	script_end(&s);
}

static void test_boots(void)
{
	struct script s = script_begin();

	add_open(&s, START);                 // 1
	add_trim(&s, START + 10 * SECOND);   // 2
	add_open(&s, START + 10 * SECOND - 5 * MS); // 3: the same boot, a little back: no epoch
	add_trim(&s, START + 20 * SECOND);   // 4
	s.boot = 'b';
	next_segment(&s);
	add_open(&s, START + 500 * SECOND);  // 5: another boot, forward: no epoch
	add_trim(&s, START + 510 * SECOND);  // 6
	CHECK_MOMENT(&s, START + 15 * SECOND, 3);
	CHECK_MOMENT(&s, START + 400 * SECOND, 4);
	s.boot = 'c';
	add_open(&s, START + 505 * SECOND);  // 7: another boot, back: an epoch
	add_trim(&s, START + 600 * SECOND);  // 8
	CHECK_REFUSED(&s, START + 507 * SECOND, "seq:5 ", "seq:7 ");
	CHECK_REFUSED(&s, START + 510 * SECOND, "seq:6 ", "seq:7 ");
	CHECK_MOMENT(&s, START + 511 * SECOND, 7);
	CHECK_MOMENT(&s, START + 600 * SECOND, 8);
	const struct history_epoch wanted[] = { { 1, 6, START, START + 510 * SECOND }, { 7, 8, START + 505 * SECOND, START + 600 * SECOND } };
	check_epochs(&s, wanted, 2);
	script_end(&s);
}

static void test_grown(void)
{
	struct script s = script_begin();
	struct history *h;
	struct error err = { "" };
	uint64_t seq;

	add_open(&s, START);
	CHECK_EQUAL(history_open(s.folder, &h, &err), 0);
	CHECK_EQUAL(history_moment(h, START + SECOND, &seq, &err), 0);
	CHECK_EQUAL(seq, 1);
	add_trim(&s, START + SECOND);
	add_clock(&s, START + SECOND / 2, START + SECOND);
	CHECK_EQUAL(history_moment(h, START + SECOND, &seq, &err), 0);
	CHECK_EQUAL(seq, 1);
	CHECK_EQUAL(history_refresh(h, &err), 0);
	CHECK_EQUAL(history_moment(h, START + SECOND, &seq, &err), -1);
	CHECK_EQUAL(history_moment(h, START + SECOND / 2 - 1, &seq, &err), 0);
	CHECK_EQUAL(seq, 1);
	history_free(h);
	script_end(&s);
}

int main(void)
{
	test_empty();
	test_one_epoch();
	test_step_back();
	test_step_forward();
	test_boots();
	test_grown();
	return unit_end();
}
