// SPDX-License-Identifier: MIT
#include "snapshots/history_numbers.h"

#include "base/bytes.h"
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
#define PROOF_TOTAL_BYTES (RECORD_HEADER_BYTES + RECORD_PROOF_BYTES)

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

// A guest chooses the bytes of its disk, but it does not know the UUID.
static uint64_t proof_in(const uint8_t *bytes, size_t length, const uint8_t uuid[16], uint64_t seq)
{
	for (size_t at = 0; at + PROOF_TOTAL_BYTES <= length; at += 8) {
		const uint8_t *content = bytes + at + RECORD_HEADER_BYTES;
		struct record r;

		if (memcmp(content + 8, uuid, 16) != 0 || get_le64(content) < seq || record_decode(bytes + at, RECORD_HEADER_BYTES, &r, NULL) < 0)
			continue;
		if ((r.type == RECORD_FLUSH || r.type == RECORD_CLOSE) && r.stored_bytes == RECORD_PROOF_BYTES && record_check(&r, bytes + at, content))
			return get_le64(content);
	}
	return 0;
}

static int search_file(int fd, const char *name, const uint8_t uuid[16], uint64_t from, uint64_t seq, uint64_t *ret_seq, struct error *err)
{
	uint8_t *step AUTO_FREE = malloc(STEP_BYTES);
	uint64_t at = (from + 7) & ~UINT64_C(7);
	size_t got = STEP_BYTES;

	if (!step)
		return error_set(err, "out of memory");
	*ret_seq = 0;
	// Neighbouring steps share the bytes of one proof less one position.
	for (; got == STEP_BYTES && *ret_seq == 0; at += STEP_BYTES - PROOF_TOTAL_BYTES + 8) {
		if (fileio_pread(fd, step, STEP_BYTES, at, &got, name, err) < 0)
			return -1;
		*ret_seq = proof_in(step, got, uuid, seq);
	}
	return 0;
}

int history_find_proof(const char *folder, const struct history_numbers *numbers, const uint8_t uuid[16], size_t index, uint64_t from, uint64_t seq,
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
		if (search_file(fd, name, uuid, from, seq, ret_seq, err) < 0)
			return -1;
	}
	return 0;
}
