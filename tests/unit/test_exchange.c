// SPDX-License-Identifier: MIT
// Logs of dm-log-writes out of memory: what entries mean, and every cut and every wrong number refused.
#include "base/bytes.h"
#include "base/memory.h"
#include "base/nanotime.h"
#include "snapshots/exchange.h"
#include "snapshots/exchange_format.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define SECTOR 512u

struct log {
	uint8_t bytes[64 * SECTOR];
	size_t length;
};

static int read_log(void *context, uint64_t offset, void *bytes, size_t length, size_t *ret_read, struct error *err)
{
	const struct log *log = context;
	size_t there = offset < log->length ? log->length - (size_t)offset : 0;

	(void)err;
	*ret_read = there < length ? there : length;
	memcpy(bytes, log->bytes + (there ? offset : 0), *ret_read);
	return 0;
}

static void begin(struct log *log, uint32_t sector_bytes)
{
	memset(log, 0, sizeof(*log));
	put_le64(log->bytes, LOG_MAGIC);
	put_le64(log->bytes + 8, LOG_VERSION);
	put_le32(log->bytes + 24, sector_bytes);
	log->length = sector_bytes;
}

// Returns where the entry stands.
static uint8_t *add(struct log *log, uint64_t sector, uint64_t sectors, uint64_t flags, const char *text)
{
	uint8_t *entry = log->bytes + log->length;

	put_le64(entry, sector);
	put_le64(entry + 8, sectors);
	put_le64(entry + 16, flags);
	put_le64(entry + 24, text ? strlen(text) : 0);
	if (text)
		memcpy(entry + LOG_ENTRY_BYTES, text, strlen(text));
	log->length += SECTOR;
	if (!(flags & (LOG_DISCARD | LOG_MARK))) {
		memset(log->bytes + log->length, 0x5a, (size_t)sectors * SECTOR);
		log->length += (size_t)sectors * SECTOR;
	}
	put_le64(log->bytes + 16, get_le64(log->bytes + 16) + 1);
	return entry;
}

static void fill(struct log *log)
{
	begin(log, SECTOR);
	(void)add(log, 8, 2, 0, NULL);
	(void)add(log, 0, 0, LOG_MARK, "t=1795252951562320442");
	(void)add(log, 16, 1, LOG_FLUSH | LOG_FUA | LOG_METADATA, NULL);
	(void)add(log, 24, 8, LOG_DISCARD, NULL);
	(void)add(log, 0, 0, LOG_FLUSH, NULL);
	(void)add(log, 0, 0, LOG_MARK, "somebody's words");
}

// Reads to the end or the first refusal; the number of entries that were given.
static unsigned read_all(struct log *log, struct exchange_entry *entries, size_t room, bool *ret_refused)
{
	struct exchange_reader *reader AUTO_FREE = malloc(sizeof(*reader));
	struct error err;
	unsigned count = 0;
	bool end = false;

	*ret_refused = !reader || exchange_open(reader, read_log, log, "log", &err) < 0;
	while (!*ret_refused && !end && count < room) {
		*ret_refused = exchange_next(reader, &entries[count], &end, &err) < 0;
		count += !*ret_refused && !end;
	}
	return count;
}

static void meaning(void)
{
	struct log *log AUTO_FREE = malloc(sizeof(*log));
	struct exchange_entry e[16];
	bool refused;

	fill(log);
	CHECK_EQUAL(read_all(log, e, ARRAY_LENGTH(e), &refused), 6);
	CHECK(!refused);
	CHECK(e[0].kind == EXCHANGE_WRITE && !e[0].fua && !e[0].flush_first);
	CHECK_EQUAL(e[0].offset_bytes, 8 * SECTOR);
	CHECK_EQUAL(e[0].length_bytes, 2 * SECTOR);
	CHECK_EQUAL(e[0].data_position, 2 * SECTOR);
	CHECK(e[1].kind == EXCHANGE_MARK);
	CHECK_EQUAL(e[1].time_ns, UINT64_C(1795252951562320442));
	CHECK(e[2].kind == EXCHANGE_WRITE && e[2].fua && e[2].flush_first);
	CHECK(e[3].kind == EXCHANGE_TRIM);
	CHECK_EQUAL(e[3].length_bytes, 8 * SECTOR);
	CHECK(e[4].kind == EXCHANGE_FLUSH);
	CHECK(e[5].kind == EXCHANGE_MARK);
	CHECK_EQUAL(e[5].text_length, strlen("somebody's words"));
	CHECK(e[5].time_ns == NANOTIME_NONE);
}

static void times(void)
{
	static const char *const none[] = {"t=", "t=x", "t=1x", "T=1", "t=12345678901234567890", "t= 1", "tt=1", "t=-1"};
	struct log *log AUTO_FREE = malloc(sizeof(*log));
	struct exchange_entry e[2];
	bool refused;

	for (size_t i = 0; i < ARRAY_LENGTH(none); i++) {
		begin(log, SECTOR);
		(void)add(log, 0, 0, LOG_MARK, none[i]);
		CHECK_EQUAL(read_all(log, e, 2, &refused), 1);
		CHECK(e[0].time_ns == NANOTIME_NONE);
	}
	begin(log, SECTOR);
	// Some writers count the NUL.
	put_le64(add(log, 0, 0, LOG_MARK, "t=0") + 24, 4);
	CHECK_EQUAL(read_all(log, e, 2, &refused), 1);
	CHECK_EQUAL(e[0].time_ns, 0);
}

// Cut anywhere: never more entries than the bytes before the cut hold.
static void cuts(void)
{
	struct log *log AUTO_FREE = malloc(sizeof(*log));
	struct exchange_entry e[16];
	bool refused;

	fill(log);
	size_t whole = log->length;
	for (size_t length = 0; length < whole; length++) {
		log->length = length;
		unsigned count = read_all(log, e, ARRAY_LENGTH(e), &refused);

		// The last entry is a mark: only its text has to be there.
		bool all = length >= whole - SECTOR + LOG_ENTRY_BYTES + strlen("somebody's words");
		CHECK(refused == !all);
		CHECK(count <= 6);
	}
}

static void wrong_numbers(void)
{
	struct log *log AUTO_FREE = malloc(sizeof(*log));
	struct exchange_entry e[16];
	bool refused;
	static const uint32_t sectors[] = {0, 1, 511, 513, 1024 + 512, 131072, UINT32_MAX};
	static const struct { size_t field; uint64_t value; } wrong[] = {
		{0, UINT64_MAX}, {0, UINT64_MAX >> 9}, {8, UINT64_MAX}, {8, UINT64_MAX >> 9}, {16, 32}, {16, UINT64_MAX},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(sectors); i++) {
		fill(log);
		put_le32(log->bytes + 24, sectors[i]);
		(void)read_all(log, e, ARRAY_LENGTH(e), &refused);
		CHECK(refused);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
		begin(log, SECTOR);
		put_le64(add(log, 8, 1, 0, NULL) + wrong[i].field, wrong[i].value);
		(void)read_all(log, e, ARRAY_LENGTH(e), &refused);
		CHECK(refused);
	}
	begin(log, SECTOR);
	put_le64(add(log, 0, 0, LOG_MARK, "x") + 24, SECTOR - LOG_ENTRY_BYTES + 1);
	(void)read_all(log, e, ARRAY_LENGTH(e), &refused);
	CHECK(refused);
	fill(log);
	put_le64(log->bytes + 8, 2);
	(void)read_all(log, e, ARRAY_LENGTH(e), &refused);
	CHECK(refused);
}

int main(void)
{
	meaning();
	times();
	cuts();
	wrong_numbers();
	return unit_end();
}
