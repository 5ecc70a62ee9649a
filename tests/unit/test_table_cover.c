// SPDX-License-Identifier: MIT
// The index of a history at every prefix of its segments, whole and with pieces missing, damaged or strange.
#include "snapshots/table_cover.h"
#include "tests/unit/make_segments.h"
#include "tests/unit/unit.h"

#define SEGMENTS 22u
#define DISK 8192u
static uint64_t truth[SEGMENTS + 1][DISK];
static struct segment facts[SEGMENTS + 1];
static uint64_t state = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static bool fact(void *context, uint64_t number, struct segment *ret)
{
	(void)context;
	if (number < 1 || number > SEGMENTS)
		return false;
	*ret = facts[number];
	return true;
}

static void make_history(void)
{
	struct maker m = {.folder = "h"};

	maker_folder("h");
	for (uint64_t n = 1; n <= SEGMENTS; n++) {
		maker_begin(&m, n);
		memcpy(truth[n], truth[n - 1], sizeof(truth[n]));
		unsigned count = n == 7 ? 0 : 60;
		for (unsigned i = 0; i < count; i++) {
			enum record_type type = (enum record_type)(1 + draw(5)); // FLUSH and the like, too
			uint32_t length = (uint32_t)(1 + draw(draw(20) == 0 ? DISK : 100));
			uint64_t offset = draw(DISK - length + 1);
			bool touches = type <= RECORD_TRIM;
			uint64_t seq = maker_add(&m, touches ? type : RECORD_FLUSH, touches ? offset : 0, touches ? length : 0, NULL);
			for (uint32_t j = 0; j < length && touches; j++)
				truth[n][offset + j] = seq;
		}
		facts[n] = m.segment;
		facts[n].fd = -1;
		facts[n].rows = NULL;
		facts[n].sealed = true;
		maker_seal(&m);
	}
	buffer_release(&m.output);
}

static struct table_cover_plan plan_for(uint64_t segment_count, bool keep)
{
	return (struct table_cover_plan){.folder = "h", .uuid = made_uuid, .segment_count = segment_count, .segment = fact, .keep = keep};
}

// Every byte of the disk, as it was behind segment `count`. Returns how many tables had to be made.
static size_t check(uint64_t count, bool keep)
{
	struct table_cover_plan plan = plan_for(count, keep);
	struct table_cover *c;
	struct error err = {{0}};
	struct piece p;
	bool same = true;

	if (table_cover_open(&plan, &c, &err) < 0) {
		CHECK_STRING(err.message, "");
		return 0;
	}
	for (uint64_t at = 0; at < DISK; at += p.length) {
		if (table_cover_resolve(c, at, DISK - at, &p, NULL, &err) < 0) {
			CHECK_STRING(err.message, "");
			break;
		}
		same = same && p.length > 0;
		for (uint64_t i = at; i < at + p.length; i++)
			same = same && p.seq == truth[count][i];
	}
	CHECK(same);
	CHECK_EQUAL(table_cover_segments(c), count);
	size_t made = table_cover_made(c);
	table_cover_free(c);
	return made;
}

static unsigned files(void)
{
	unsigned count = 0;
	char name[TABLE_NAME_BYTES], path[128];

	for (unsigned level = 0; level <= 3; level++) {
		for (uint64_t first = 1; first <= SEGMENTS; first += table_level_segments(level)) {
			table_name(name, level, first);
			(void)snprintf(path, sizeof(path), "h/index/%s", name);
			count += access(path, F_OK) == 0;
		}
	}
	return count;
}

static void remove_index(void)
{
	CHECK(system("rm -rf h/index") == 0);
}

static char *path_of(char *path, size_t size, unsigned level, uint64_t first)
{
	char name[TABLE_NAME_BYTES];

	table_name(name, level, first);
	(void)snprintf(path, size, "h/index/%s", name);
	return path;
}

static void damage(unsigned level, uint64_t first, off_t at)
{
	char path[128];
	uint8_t byte;
	int fd = open(path_of(path, sizeof(path), level, first), O_RDWR);

	CHECK(fd >= 0);
	CHECK(pread(fd, &byte, 1, at) == 1);
	byte ^= 0x10;
	CHECK(pwrite(fd, &byte, 1, at) == 1);
	(void)close(fd);
}

static void complete_all(void)
{
	struct table_cover_plan plan = plan_for(0, true);
	struct error err = {{0}};

	for (unsigned level = 0; level <= 2; level++) {
		for (uint64_t first = 1; first - 1 + table_level_segments(level) <= SEGMENTS; first += table_level_segments(level))
			CHECK(table_cover_complete(&plan, level, first, NULL, &err) == 0);
	}
	CHECK_EQUAL(files(), 22 + 5 + 1);
}

static bool stop_at_once(void *context)
{
	(void)context;
	return true;
}

int main(void)
{
	struct error err = {{0}};
	char path[128], other[128];

	make_history();
	// A reader without any index: nothing is left behind.
	for (uint64_t n = 0; n <= SEGMENTS; n++)
		CHECK((check(n, false) > 0) == (n > 0));
	CHECK_EQUAL(files(), 0);
	// The same where no file can be made, as in a sandbox: in memory.
	CHECK(setenv("TMPDIR", "/nowhere", 1) == 0);
	for (uint64_t n = 0; n <= SEGMENTS; n++)
		CHECK((check(n, false) > 0) == (n > 0));
	CHECK(unsetenv("TMPDIR") == 0);
	CHECK_EQUAL(files(), 0);
	// A writer without an index folder puts back what it needs.
	remove_index();
	CHECK_EQUAL(check(21, true), 21 + 5 + 1); // 16 + 4 + 1 segments
	CHECK_EQUAL(files(), 21 + 5 + 1);
	CHECK_EQUAL(check(21, false), 0);
	CHECK_EQUAL(check(22, false), 1);
	// Whole.
	complete_all();
	for (uint64_t n = 0; n <= SEGMENTS; n++)
		CHECK_EQUAL(check(n, false), 0);
	// Merged ones missing: the smaller ones do.
	CHECK(unlink(path_of(path, sizeof(path), 2, 1)) == 0);
	CHECK_EQUAL(check(22, false), 0);
	complete_all();
	// Damage at every kind of place, met when opening or when reading.
	static const off_t places[] = {0, 20, 60, 4095, 4096, 4100, 4200, 8191};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		damage(2, 1, places[i]);
		damage(1, 9, places[i]);
		damage(0, 10, places[i]);
		(void)check(22, false);
		(void)check(10, false);
		CHECK(setenv("TMPDIR", "/nowhere", 1) == 0);
		(void)check(22, false);
		CHECK(unsetenv("TMPDIR") == 0);
		(void)check(22, true);
		(void)check(12, true);
		(void)check(10, true);
		complete_all();
		CHECK_EQUAL(check(22, false) + check(12, false) + check(10, false), 0); // mended for good
	}
	// Another run's table under this name; one cut short; no file at all.
	CHECK(rename(path_of(path, sizeof(path), 0, 3), path_of(other, sizeof(other), 0, 22)) == 0);
	CHECK(truncate(path_of(path, sizeof(path), 1, 5), 5000) == 0);
	CHECK(unlink(path_of(path, sizeof(path), 0, 21)) == 0);
	CHECK(mkdir(path_of(path, sizeof(path), 0, 21), 0700) == 0);
	for (uint64_t n = 0; n <= SEGMENTS; n++)
		(void)check(n, false);
	CHECK(rmdir(path_of(path, sizeof(path), 0, 21)) == 0);
	complete_all();
	// Other segments under the same numbers: their times differ.
	facts[2].greatest_realtime_ns++;
	CHECK(check(4, false) > 0);
	facts[2].greatest_realtime_ns--;
	CHECK_EQUAL(check(4, false), 0);
	// A segment that is not the one that was seen: an error that names it, not an answer.
	remove_index();
	facts[3].record_count--;
	struct table_cover_plan plan = plan_for(5, false);
	struct table_cover *c;
	CHECK(table_cover_open(&plan, &c, &err) == -1);
	CHECK(strstr(err.message, "00000003.segment") != NULL);
	facts[3].record_count++;
	// Told to stop.
	plan.stop = stop_at_once;
	CHECK(table_cover_open(&plan, &c, &err) == -1);
	return unit_end();
}
