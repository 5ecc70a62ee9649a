// SPDX-License-Identifier: MIT
// What a reader of guest bytes that was taken over could say: every frame's content, whatever its bytes, is refused or taken in bounds; a file
// that is taken goes back into the same bytes.
#include "base/buffer.h"
#include "snapshots/fs_file.h"
#include "snapshots/fsread.h"
#include "snapshots/partition.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_file(const uint8_t *data, size_t size)
{
	struct wire_reader r = wire_read(data, size);
	struct fs_file file;
	struct error err;
	struct buffer again = {0};

	if (fs_file_get(&r, &file, &err) < 0)
		return;
	if ((file.path && file.path_length != strlen(file.path)) || (file.target && file.target_length != strlen(file.target)) ||
	    file.path_length > FS_PATH_BYTES || file.target_length > FS_PATH_BYTES)
		abort();
	(void)fs_kind_name(file.kind);
	fs_file_put(&again, &file);
	if (wire_end(&r, "a file", &err) == 0 && (again.length != size || memcmp(again.bytes, data, size) != 0))
		abort();
	buffer_release(&again);
	fs_file_release(&file);
}

static void try_question(const uint8_t *data, size_t size)
{
	struct wire_reader r = wire_read(data, size);
	struct fsread_question q;
	struct error err;

	if (fsread_question_get(&r, &q, &err) < 0)
		return;
	if (!q.history || (q.path && q.path_length != strlen(q.path)))
		abort();
	fsread_question_release(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct partition partition;
	struct error err;
	uint64_t offset;
	const uint8_t *bytes;
	size_t length;

	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0:
		try_file(data + 1, size - 1);
		break;
	case 1:
		try_question(data + 1, size - 1);
		break;
	case 2:
		if (fsread_get_piece(data + 1, size - 1, &offset, &bytes, &length, &err) == 0 && length > 0 &&
		    (bytes < data + 1 || bytes + length > data + size || offset + length < offset))
			abort();
		break;
	default:
		if (fsread_get_partition(data + 1, size - 1, &partition, &err) == 0 &&
		    (!memchr(partition.kind, 0, sizeof(partition.kind)) || !memchr(partition.reason, 0, sizeof(partition.reason))))
			abort();
		break;
	}
	return 0;
}
