// SPDX-License-Identifier: MIT
#include "snapshots/base_image.h"

#include "base/bytes.h"
#include "base/fileio.h"
#include "base/memory.h"
#include "snapshots/base_image_hash.h"
#include "snapshots/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STEP_BYTES ((size_t)64 << 10)

struct base_image {
	int list_fd, image_fd; // the file `base`, and the image itself
	char *list_name;
	struct base_head head;
	_Atomic uint8_t *checked; // a bit per chunk: its hash was right
};

static int open_list(const char *folder, char **ret_name, int *ret_fd, struct error *err)
{
	char *name = NULL;

	if (asprintf(&name, "%s/base", folder) < 0)
		return error_set(err, "out of memory");
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		(void)error_set_errno(err, errno, "%s: cannot open", name);
		free(name);
		return -1;
	}
	*ret_name = name;
	*ret_fd = fd;
	return 0;
}

static int read_head(int fd, const char *name, struct base_head *ret, struct error *err)
{
	uint8_t bytes[BASE_HEAD_BYTES + BASE_MAX_PATH_BYTES];
	struct error reason;
	size_t got;

	if (fileio_pread(fd, bytes, sizeof(bytes), 0, &got, name, err) < 0)
		return -1;
	if (base_head_decode(bytes, got, ret, &reason) < 0)
		return error_set(err, "%s: %s", name, reason.message);
	return 0;
}

int base_head_read(const char *folder, struct base_head *ret, struct error *err)
{
	char *name AUTO_FREE = NULL;
	int fd AUTO_CLOSE = -1;

	return open_list(folder, &name, &fd, err) < 0 ? -1 : read_head(fd, name, ret, err);
}

static uint64_t hashes_position(const struct base_head *head)
{
	return BASE_HEAD_BYTES + strlen(head->path);
}

// The hashes are what every later judgement of the image rests on, so they are judged first.
static int check_hashes(const struct base_image *b, struct error *err)
{
	uint64_t at = hashes_position(&b->head), end = b->head.file_bytes - 4;
	uint8_t *step AUTO_FREE = malloc(STEP_BYTES);
	uint8_t stored[4];
	uint32_t crc = UINT32_MAX;
	struct stat status;
	size_t got;

	if (!step)
		return error_set(err, "out of memory");
	if (fstat(b->list_fd, &status) < 0)
		return error_set_errno(err, errno, "%s: cannot look at it", b->list_name);
	if ((uint64_t)status.st_size != b->head.file_bytes)
		return error_set(err, "%s: has %" PRIu64 " bytes where its header asks for %" PRIu64, b->list_name,
				 (uint64_t)status.st_size, b->head.file_bytes);
	for (; at < end; at += got) {
		size_t want = end - at < STEP_BYTES ? (size_t)(end - at) : STEP_BYTES;

		if (fileio_pread(b->list_fd, step, want, at, &got, b->list_name, err) < 0)
			return -1;
		if (got != want)
			return error_set(err, "%s: ends at byte %" PRIu64, b->list_name, at + got);
		crc = crc32c_update(crc, step, got);
	}
	if (fileio_pread(b->list_fd, stored, sizeof(stored), end, &got, b->list_name, err) < 0)
		return -1;
	if (got != sizeof(stored) || get_le32(stored) != ~crc)
		return error_set(err, "%s: byte %" PRIu64 ": the checksum of the hashes differs", b->list_name, end);
	return 0;
}

static int open_image(struct base_image *b, struct error *err)
{
	uint64_t size;

	b->image_fd = open(b->head.path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (b->image_fd < 0 && errno == ENOENT)
		return error_set(err, "%s: the base image is gone: this history holds only what was written onto it (recorded in %s)",
				 b->head.path, b->list_name);
	if (b->image_fd < 0)
		return error_set_errno(err, errno, "%s: cannot open the base image (recorded in %s)", b->head.path, b->list_name);
	if (base_image_measure(b->image_fd, b->head.path, &size, err) < 0)
		return -1;
	if (size != b->head.size_bytes)
		return error_set(err, "%s: is not the base image: it has %" PRIu64 " bytes, the recorded one %" PRIu64, b->head.path, size,
				 b->head.size_bytes);
	return 0;
}

int base_image_open(const char *folder, struct base_image **ret, struct error *err)
{
	struct base_image *b = calloc(1, sizeof(*b));

	if (!b)
		return error_set(err, "out of memory");
	b->list_fd = b->image_fd = -1;
	if (open_list(folder, &b->list_name, &b->list_fd, err) < 0 || read_head(b->list_fd, b->list_name, &b->head, err) < 0 ||
	    check_hashes(b, err) < 0 || open_image(b, err) < 0) {
		base_image_free(b);
		return -1;
	}
	b->checked = calloc((size_t)(b->head.chunk_count / 8 + 1), 1);
	if (!b->checked) {
		base_image_free(b);
		return error_set(err, "out of memory");
	}
	*ret = b;
	return 0;
}

void base_image_free(struct base_image *b)
{
	if (!b)
		return;
	if (b->list_fd >= 0)
		(void)close(b->list_fd);
	if (b->image_fd >= 0)
		(void)close(b->image_fd);
	free(b->list_name);
	free((void *)b->checked);
	free(b);
}

uint64_t base_image_size(const struct base_image *b)
{
	return b->head.size_bytes;
}

// Two threads that meet here hash the same chunk twice, and come to the same answer.
static int check_chunk(struct base_image *b, uint64_t chunk, struct error *err)
{
	uint8_t bit = (uint8_t)(1u << (chunk % 8)), wanted[BASE_HASH_BYTES], found[BASE_HASH_BYTES];
	uint64_t at = hashes_position(&b->head) + chunk * BASE_HASH_BYTES;
	size_t got;

	if (atomic_load(&b->checked[chunk / 8]) & bit)
		return 0;
	if (fileio_pread(b->list_fd, wanted, sizeof(wanted), at, &got, b->list_name, err) < 0)
		return -1;
	if (got != sizeof(wanted))
		return error_set(err, "%s: ends at byte %" PRIu64, b->list_name, at + got);
	if (base_image_hash_chunk(b->image_fd, b->head.path, b->head.size_bytes, chunk, found, err) < 0)
		return -1;
	if (memcmp(found, wanted, sizeof(wanted)) != 0)
		return error_set(err, "%s: is not the base image: chunk %" PRIu64 ", at byte %" PRIu64 ", differs from the recorded one (%s)",
				 b->head.path, chunk, chunk * BASE_CHUNK_BYTES, b->list_name);
	(void)atomic_fetch_or(&b->checked[chunk / 8], bit);
	return 0;
}

int base_image_read(struct base_image *b, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	size_t inside = offset >= b->head.size_bytes ? 0 : length, got;

	if (inside > 0 && b->head.size_bytes - offset < length)
		inside = (size_t)(b->head.size_bytes - offset);
	for (uint64_t chunk = offset / BASE_CHUNK_BYTES; inside > 0 && chunk <= (offset + inside - 1) / BASE_CHUNK_BYTES; chunk++)
		if (check_chunk(b, chunk, err) < 0)
			return -1;
	if (inside > 0) {
		if (fileio_pread(b->image_fd, bytes, inside, offset, &got, b->head.path, err) < 0)
			return -1;
		if (got != inside)
			return error_set(err, "%s: the base image ends at byte %" PRIu64 " now", b->head.path, offset + got);
	}
	memset((uint8_t *)bytes + inside, 0, length - inside);
	return 0;
}
