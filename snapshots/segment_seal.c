// SPDX-License-Identifier: MIT
// The request table and the footer: what makes a segment cheap to open, and says that all of it reached the disk.
#include "base/memory.h"
#include "snapshots/crc32c.h"
#include "snapshots/segment_format.h"

#include <errno.h>
#include <unistd.h>

static int write_at(int fd, const uint8_t *bytes, size_t length, uint64_t at, const char *name, struct error *err)
{
	while (length > 0) {
		ssize_t put = pwrite(fd, bytes, length, (off_t)at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return error_set_errno(err, errno, "%s: cannot write", name);
		bytes += put;
		length -= (size_t)put;
		at += (uint64_t)put;
	}
	return 0;
}

int segment_seal(struct segment *s, const char *name, struct error *err)
{
	size_t table_bytes = (size_t)s->record_count * SEGMENT_ROW_BYTES, total = table_bytes + SEGMENT_FOOTER_BYTES;
	uint8_t *bytes AUTO_FREE = malloc(total);

	if (!bytes)
		return error_set(err, "out of memory");
	for (uint64_t i = 0; i < s->record_count; i++)
		segment_format_row(&s->rows[i], bytes + i * SEGMENT_ROW_BYTES);
	segment_format_footer(s, crc32c(bytes, table_bytes), bytes + table_bytes);
	// The footer vouches for the table as well: it must not reach the disk before it.
	if (write_at(s->fd, bytes, table_bytes, s->records_end, name, err) < 0)
		return -1;
	if (fdatasync(s->fd) < 0)
		return error_set_errno(err, errno, "%s: cannot write", name);
	if (write_at(s->fd, bytes + table_bytes, SEGMENT_FOOTER_BYTES, s->records_end + table_bytes, name, err) < 0)
		return -1;
	// What was kept free behind the records goes back to the file system.
	if (ftruncate(s->fd, (off_t)(s->records_end + total)) < 0 || fdatasync(s->fd) < 0)
		return error_set_errno(err, errno, "%s: cannot write", name);
	s->sealed = true;
	free(s->rows);
	s->rows = NULL;
	s->row_capacity = 0;
	return 0;
}
