// SPDX-License-Identifier: MIT
#include "snapshots/history_numbers.h"

#include "base/fileio.h"
#include "base/memory.h"
#include "snapshots/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STEP_BYTES ((size_t)1 << 20)
// Our limit: guests choose the bytes of disks, and a lost tail is not longer than this many records.
#define PLAUSIBLE_RECORDS (UINT64_C(1) << 32)

static bool parse_name(const char *text, uint64_t *ret_number)
{
	char again[64];
	uint64_t number;

	if (text[0] < '0' || text[0] > '9' || sscanf(text, "%" SCNu64 ".segment", &number) != 1 || number == 0)
		return false;
	(void)snprintf(again, sizeof(again), "%08" PRIu64 ".segment", number);
	if (strcmp(again, text) != 0)
		return false;
	*ret_number = number;
	return true;
}

static int compare(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return one < other ? -1 : one > other;
}

int history_numbers_read(struct history_numbers *ret, const char *folder, struct error *err)
{
	struct history_numbers found = { 0 };
	char *path AUTO_FREE = NULL;
	int result = 0;

	if (asprintf(&path, "%s/segments", folder) < 0)
		return error_set(err, "out of memory");
	DIR *segments = opendir(path);
	if (!segments)
		return error_set_errno(err, errno, "%s: cannot open", path);
	for (struct dirent *entry; result == 0 && (entry = readdir(segments));) {
		uint64_t number;

		if (parse_name(entry->d_name, &number) && u64_vector_append(&found.list, number) < 0)
			result = error_set(err, "out of memory");
	}
	(void)closedir(segments);
	if (result < 0) {
		u64_vector_release(&found.list);
		return -1;
	}
	if (found.list.count > 0)
		qsort(found.list.items, found.list.count, sizeof(*found.list.items), compare);
	*ret = found;
	return 0;
}

// ---- what stands behind a bad place

static uint64_t flush_in(const uint8_t *bytes, size_t length, uint64_t seq)
{
	for (size_t at = 0; at + RECORD_HEADER_BYTES <= length; at += 8) {
		struct record r;

		if (memcmp(bytes + at, "PGR1", 4) != 0 || record_decode(bytes + at, RECORD_HEADER_BYTES, &r, NULL) < 0)
			continue;
		if (r.type == RECORD_FLUSH && r.stored_bytes == 0 && r.seq >= seq && r.seq - seq < PLAUSIBLE_RECORDS &&
		    record_check(&r, bytes + at, bytes + at + RECORD_HEADER_BYTES))
			return r.seq;
	}
	return 0;
}

static int search_file(int fd, const char *name, uint64_t from, uint64_t seq, uint64_t *ret_seq, struct error *err)
{
	uint8_t *step AUTO_FREE = malloc(STEP_BYTES);
	uint64_t at = (from + 7) & ~UINT64_C(7);
	size_t got = STEP_BYTES;

	if (!step)
		return error_set(err, "out of memory");
	*ret_seq = 0;
	// Neighbouring steps share the bytes of one header less one position.
	for (; got == STEP_BYTES && *ret_seq == 0; at += STEP_BYTES - RECORD_HEADER_BYTES + 8) {
		if (fileio_pread(fd, step, STEP_BYTES, at, &got, name, err) < 0)
			return -1;
		*ret_seq = flush_in(step, got, seq);
	}
	return 0;
}

int history_find_flush(const char *folder, const struct history_numbers *numbers, size_t index, uint64_t from, uint64_t seq,
		       uint64_t *ret_seq, struct error *err)
{
	*ret_seq = 0;
	for (; *ret_seq == 0 && index < numbers->list.count; index++, from = SEGMENT_HEADER_BYTES) {
		char *name AUTO_FREE = NULL;

		if (asprintf(&name, "%s/segments/%08" PRIu64 ".segment", folder, numbers->list.items[index]) < 0)
			return error_set(err, "out of memory");
		int fd AUTO_CLOSE = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return error_set_errno(err, errno, "%s: cannot open", name);
		if (search_file(fd, name, from, seq, ret_seq, err) < 0)
			return -1;
	}
	return 0;
}
