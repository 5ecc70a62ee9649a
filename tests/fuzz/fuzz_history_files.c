// SPDX-License-Identifier: MIT
// The files `header` and `base` of a history. Their checksums are made right first, so that what lies behind them is reached.
#include "base/bytes.h"
#include "snapshots/base_image.h"
#include "snapshots/crc32c.h"
#include "snapshots/history_header.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_base(const uint8_t *bytes, size_t length)
{
	struct base_head head;
	struct error err;

	if (base_head_decode(bytes, length, &head, &err) < 0)
		return;
	size_t path_bytes = strlen(head.path);
	if (head.path[0] != '/' || path_bytes > BASE_MAX_PATH_BYTES || BASE_HEAD_BYTES + path_bytes > length)
		abort();
	if (head.size_bytes > BASE_MAX_IMAGE_BYTES || head.chunk_count * BASE_CHUNK_BYTES < head.size_bytes ||
	    head.file_bytes != BASE_HEAD_BYTES + path_bytes + head.chunk_count * BASE_HASH_BYTES + 4)
		abort();
}

static void check_header(const uint8_t *bytes, size_t length)
{
	uint8_t again[HISTORY_HEADER_BYTES];
	struct history_header header, other;
	struct error err;

	if (history_header_decode(bytes, length, "header", &header, &err) < 0)
		return;
	if (header.size_bytes == 0 || header.size_bytes > HISTORY_MAX_DISK_BYTES)
		abort();
	history_header_encode(&header, again);
	if (history_header_decode(again, sizeof(again), "header", &other, &err) < 0 || memcmp(other.uuid, header.uuid, sizeof(other.uuid)) != 0 ||
	    other.size_bytes != header.size_bytes || other.segment_bytes != header.segment_bytes || other.has_base != header.has_base)
		abort();
}

static void mend_base(uint8_t *bytes, size_t length)
{
	if (length < BASE_HEAD_BYTES)
		return;
	uint32_t path_bytes = get_le32(bytes + 36);
	uint32_t crc = crc32c_update(UINT32_MAX, bytes, 60);

	if (path_bytes <= length - BASE_HEAD_BYTES)
		put_le32(bytes + 60, ~crc32c_update(crc, bytes + BASE_HEAD_BYTES, path_bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = calloc(1, size ? size : 1);

	if (!bytes)
		abort();
	if (size > 0)
		memcpy(bytes, data, size);
	check_base(bytes, size);
	check_header(bytes, size);
	mend_base(bytes, size);
	check_base(bytes, size);
	if (size >= HISTORY_HEADER_BYTES) {
		put_le32(bytes + 124, crc32c(bytes, 124));
		check_header(bytes, size);
	}
	free(bytes);
	return 0;
}
