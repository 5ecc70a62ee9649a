// SPDX-License-Identifier: MIT
// A volume made of bytes in memory or of an image file: stands in for snapshots/volume.c where a test or a fuzzer wants the reader of file
// systems alone.
#ifndef TESTS_UNIT_VOLUME_DOUBLE_H
#define TESTS_UNIT_VOLUME_DOUBLE_H

#include "snapshots/volume.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct volume {
	const uint8_t *bytes; // NULL: fd
	uint64_t size;
	int fd;
	uint64_t reads, read_bytes; // so far
	uint64_t max_reads;         // 0: no limit; more fail
};

uint64_t volume_size(const struct volume *v)
{
	return v->size;
}

int volume_read(struct volume *v, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	v->reads++;
	v->read_bytes += length;
	if (v->max_reads > 0 && v->reads > v->max_reads)
		return error_set(err, "enough was read");
	if (offset > v->size || length > v->size - offset)
		return error_set(err, "beyond the end of the volume");
	if (v->bytes) {
		memcpy(bytes, v->bytes + offset, length);
		return 0;
	}
	return pread(v->fd, bytes, length, (off_t)offset) == (ssize_t)length ? 0 : error_set(err, "cannot read the image");
}

#endif
