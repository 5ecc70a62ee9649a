// SPDX-License-Identifier: MIT
// The file `base`: written at init, read ever after.
#include "snapshots/base_image.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/fileio.h"
#include "base/memory.h"
#include "snapshots/base_image_hash.h"
#include "snapshots/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE_VERSION 1
#define CRC_AT 60

static const char magic[8] = { 'P', 'G', 'B', 'A', 'S', 'E', '1', '\n' };

static uint32_t head_checksum(const uint8_t *head, const void *path, size_t path_bytes)
{
	return ~crc32c_update(crc32c_update(UINT32_MAX, head, CRC_AT), path, path_bytes);
}

static int check_zeros(const uint8_t *head, struct error *err)
{
	for (size_t i = 40; i < CRC_AT; i++)
		if (head[i] != 0)
			return error_set(err, "byte %zu: is not zero", i);
	return 0;
}

static int check_fixed(const uint8_t *head, size_t length, struct error *err)
{
	if (length < BASE_HEAD_BYTES)
		return error_set(err, "byte %zu: the header is cut off", length);
	if (memcmp(head, magic, sizeof(magic)) != 0)
		return error_set(err, "byte 0: is not the record of a base image");
	if (get_le32(head + 8) != BASE_VERSION || get_le32(head + 12) != BASE_HEAD_BYTES)
		return error_set(err, "byte 8: version %u with a header of %u bytes is not known to this program", get_le32(head + 8),
				 get_le32(head + 12));
	if (get_le32(head + 20) != 0)
		return error_set(err, "byte 20: needs features that this program does not have (flags %#x)", get_le32(head + 20));
	if (get_le64(head + 24) > BASE_MAX_IMAGE_BYTES)
		return error_set(err, "byte 24: a size of %" PRIu64 " bytes is beyond the limit", get_le64(head + 24));
	if (get_le32(head + 32) != BASE_CHUNK_BYTES)
		return error_set(err, "byte 32: chunks of %u bytes are not known to this program", get_le32(head + 32));
	return check_zeros(head, err);
}

int base_head_decode(const uint8_t *bytes, size_t length, struct base_head *ret, struct error *err)
{
	if (check_fixed(bytes, length, err) < 0)
		return -1;
	const uint8_t *path = bytes + BASE_HEAD_BYTES;
	uint32_t path_bytes = get_le32(bytes + 36);

	if (path_bytes == 0 || path_bytes > BASE_MAX_PATH_BYTES || path_bytes > length - BASE_HEAD_BYTES)
		return error_set(err, "byte 36: a path of %u bytes", path_bytes);
	if (head_checksum(bytes, path, path_bytes) != get_le32(bytes + CRC_AT))
		return error_set(err, "byte %d: the checksum of the header differs", CRC_AT);
	if (path[0] != '/' || memchr(path, '\0', path_bytes))
		return error_set(err, "byte %d: is no absolute path", BASE_HEAD_BYTES);
	ret->size_bytes = get_le64(bytes + 24);
	ret->chunk_count = (ret->size_bytes + BASE_CHUNK_BYTES - 1) / BASE_CHUNK_BYTES;
	ret->file_bytes = BASE_HEAD_BYTES + path_bytes + ret->chunk_count * BASE_HASH_BYTES + 4;
	memcpy(ret->path, path, path_bytes);
	ret->path[path_bytes] = '\0';
	return 0;
}

static void add_head(struct buffer *out, const char *path, uint64_t size_bytes)
{
	uint8_t head[BASE_HEAD_BYTES] = { 0 };
	size_t path_bytes = strlen(path);

	memcpy(head, magic, sizeof(magic));
	put_le32(head + 8, BASE_VERSION);
	put_le32(head + 12, BASE_HEAD_BYTES);
	put_le64(head + 24, size_bytes);
	put_le32(head + 32, BASE_CHUNK_BYTES);
	put_le32(head + 36, (uint32_t)path_bytes);
	put_le32(head + CRC_AT, head_checksum(head, path, path_bytes));
	buffer_add(out, head, sizeof(head));
	buffer_add(out, path, path_bytes);
}

static int add_hashes(struct buffer *out, int fd, const char *path, uint64_t size_bytes, struct error *err)
{
	uint32_t crc = UINT32_MAX;
	uint8_t hash[BASE_HASH_BYTES], sum[4];

	for (uint64_t chunk = 0; chunk * BASE_CHUNK_BYTES < size_bytes; chunk++) {
		if (base_image_hash_chunk(fd, path, size_bytes, chunk, hash, err) < 0)
			return -1;
		crc = crc32c_update(crc, hash, sizeof(hash));
		buffer_add(out, hash, sizeof(hash));
	}
	put_le32(sum, ~crc);
	buffer_add(out, sum, sizeof(sum));
	return buffer_check(out, err);
}

int base_image_record(const char *folder, const char *image_path, uint64_t *ret_size, struct error *err)
{
	struct buffer out AUTO_RELEASE_BUFFER = { 0 };
	char *name AUTO_FREE = NULL;
	// Links are followed now: what they name later may be another image.
	char *path AUTO_FREE = realpath(image_path, NULL);
	int fd AUTO_CLOSE = -1;
	uint64_t size;

	if (!path)
		return error_set_errno(err, errno, "%s: cannot find the base image", image_path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return error_set_errno(err, errno, "%s: cannot open the base image", path);
	if (base_image_measure(fd, path, &size, err) < 0)
		return -1;
	if (size == 0 || size > BASE_MAX_IMAGE_BYTES)
		return error_set(err, "%s: a base image has 1 to 2^50 bytes, this has %" PRIu64, path, size);
	add_head(&out, path, size);
	if (add_hashes(&out, fd, path, size, err) < 0)
		return -1;
	if (asprintf(&name, "%s/base", folder) < 0)
		return error_set(err, "out of memory");
	if (fileio_write(name, out.bytes, out.length, 0600, false, err) < 0)
		return -1;
	*ret_size = size;
	return 0;
}
