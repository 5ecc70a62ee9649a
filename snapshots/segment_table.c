// SPDX-License-Identifier: MIT
// The checksum of a request table.
#include "base/bytes.h"
#include "base/fileio.h"
#include "base/memory.h"
#include "snapshots/crc32c.h"
#include "snapshots/segment.h"

#include <inttypes.h>

#define STEP_BYTES ((size_t)64 << 10)
#define FOOTER_TABLE_CRC 72 // segment.h

int segment_check_table(const struct segment *s, const char *name, struct error *err)
{
	uint64_t at = s->records_end, end = at + s->record_count * SEGMENT_ROW_BYTES;
	uint8_t *step AUTO_FREE = malloc(STEP_BYTES);
	uint8_t footer[SEGMENT_FOOTER_BYTES];
	uint32_t crc = UINT32_MAX;
	size_t got;

	if (!step)
		return error_set(err, "out of memory");
	for (; at < end; at += got) {
		size_t want = end - at < STEP_BYTES ? (size_t)(end - at) : STEP_BYTES;

		if (fileio_pread(s->fd, step, want, at, &got, name, err) < 0)
			return -1;
		if (got != want)
			return error_set(err, "%s: byte %" PRIu64 ": the request table is cut short", name, at + got);
		crc = crc32c_update(crc, step, got);
	}
	if (fileio_pread(s->fd, footer, sizeof(footer), end, &got, name, err) < 0)
		return -1;
	if (got != sizeof(footer) || get_le32(footer + FOOTER_TABLE_CRC) != ~crc)
		return error_set(err, "%s: byte %" PRIu64 ": the checksum of the request table differs", name, s->records_end);
	return 0;
}
