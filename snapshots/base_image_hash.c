// SPDX-License-Identifier: MIT
#include "snapshots/base_image_hash.h"

#include "base/fileio.h"
#include "base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#define STEP_BYTES ((size_t)256 << 10)

int base_image_measure(int fd, const char *name, uint64_t *ret_size, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_set_errno(err, errno, "%s: cannot look at it", name);
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return error_set(err, "%s: a base image is a regular file or a block device", name);
	// st_size of a block device is 0.
	off_t end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return error_set_errno(err, errno, "%s: cannot find its size", name);
	*ret_size = (uint64_t)end;
	return 0;
}

static const uint8_t zeros[STEP_BYTES];

static int hash_range(EVP_MD_CTX *context, int fd, const char *name, uint64_t from, uint64_t to, bool hole, struct error *err)
{
	uint8_t *step AUTO_FREE = hole ? NULL : malloc(STEP_BYTES);

	if (!hole && !step)
		return error_set(err, "out of memory");
	while (from < to) {
		size_t want = to - from < STEP_BYTES ? (size_t)(to - from) : STEP_BYTES, got = want;

		if (!hole && fileio_pread(fd, step, want, from, &got, name, err) < 0)
			return -1;
		if (got != want)
			return error_set(err, "%s: ends at byte %" PRIu64 ", it is shorter than a moment ago", name, from + got);
		if (EVP_DigestUpdate(context, hole ? zeros : step, want) != 1)
			return error_set(err, "%s: libcrypto cannot compute SHA-256", name);
		from += want;
	}
	return 0;
}

// Where data begins at or behind `from`; `to` when there is none. A file system that cannot tell has no holes.
static uint64_t next_data(int fd, uint64_t from, uint64_t to)
{
	off_t at = lseek(fd, (off_t)from, SEEK_DATA);

	if (at < 0)
		return errno == ENXIO ? to : from;
	return (uint64_t)at < to ? (uint64_t)at : to;
}

static uint64_t next_hole(int fd, uint64_t from, uint64_t to)
{
	off_t at = lseek(fd, (off_t)from, SEEK_HOLE);

	return at > (off_t)from && (uint64_t)at < to ? (uint64_t)at : to;
}

static int hash_pieces(EVP_MD_CTX *context, int fd, const char *name, uint64_t from, uint64_t to, struct error *err)
{
	while (from < to) {
		uint64_t data = next_data(fd, from, to);

		if (hash_range(context, fd, name, from, data, true, err) < 0)
			return -1;
		from = data;
		uint64_t end = from < to ? next_hole(fd, from, to) : to;
		if (hash_range(context, fd, name, from, end, false, err) < 0)
			return -1;
		from = end;
	}
	return 0;
}

static int hash_span(int fd, const char *name, uint64_t from, uint64_t to, bool hole, uint8_t ret[BASE_HASH_BYTES], struct error *err)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int result;

	if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		result = error_set(err, "%s: libcrypto cannot compute SHA-256", name);
	else if (hole)
		result = hash_range(context, fd, name, from, to, true, err);
	else
		result = hash_pieces(context, fd, name, from, to, err);
	if (result == 0 && EVP_DigestFinal_ex(context, ret, NULL) != 1)
		result = error_set(err, "%s: libcrypto cannot compute SHA-256", name);
	EVP_MD_CTX_free(context);
	return result;
}

static uint8_t zero_chunk[BASE_HASH_BYTES]; // of a whole chunk of zeros: a sparse image of 1 TiB has 262,144 of them
static pthread_once_t zero_chunk_once = PTHREAD_ONCE_INIT;
static bool zero_chunk_known;

static void compute_zero_chunk(void)
{
	zero_chunk_known = hash_span(-1, "zeros", 0, BASE_CHUNK_BYTES, true, zero_chunk, NULL) == 0;
}

int base_image_hash_chunk(int fd, const char *name, uint64_t size_bytes, uint64_t chunk, uint8_t ret[BASE_HASH_BYTES], struct error *err)
{
	uint64_t from = chunk * BASE_CHUNK_BYTES;
	uint64_t to = size_bytes - from < BASE_CHUNK_BYTES ? size_bytes : from + BASE_CHUNK_BYTES;

	(void)pthread_once(&zero_chunk_once, compute_zero_chunk);
	if (zero_chunk_known && to - from == BASE_CHUNK_BYTES && next_data(fd, from, to) == to) {
		memcpy(ret, zero_chunk, sizeof(zero_chunk));
		return 0;
	}
	return hash_span(fd, name, from, to, false, ret, err);
}
