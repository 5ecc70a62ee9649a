// SPDX-License-Identifier: MIT
#include "snapshots/history_header.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/memory.h"
#include "snapshots/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECKED_BYTES 124 // the checksum follows

static const char magic[8] = "PGHISTO\n";

void history_header_encode(const struct history_header *h, uint8_t ret[HISTORY_HEADER_BYTES])
{
	memset(ret, 0, HISTORY_HEADER_BYTES);
	memcpy(ret, magic, 8);
	put_le32(ret + 8, HISTORY_VERSION);
	put_le32(ret + 12, HISTORY_HEADER_BYTES);
	put_le32(ret + 20, h->has_base ? HISTORY_INCOMPATIBLE_BASE : 0);
	memcpy(ret + 24, h->uuid, 16);
	put_le64(ret + 40, h->size_bytes);
	put_le64(ret + 48, h->segment_bytes);
	put_le32(ret + CHECKED_BYTES, crc32c(ret, CHECKED_BYTES));
}

int history_header_decode(const uint8_t *bytes, size_t length, const char *name, struct history_header *ret, struct error *err)
{
	if (length < 8 || memcmp(bytes, magic, 8) != 0)
		return error_set(err, "%s: this is no header of a history", name);
	if (length < HISTORY_HEADER_BYTES)
		return error_set(err, "%s: byte %zu: the header is cut short", name, length);
	if (crc32c(bytes, CHECKED_BYTES) != get_le32(bytes + CHECKED_BYTES))
		return error_set(err, "%s: byte 0: checksum of the header differs", name);
	if (get_le32(bytes + 8) != HISTORY_VERSION || get_le32(bytes + 12) != HISTORY_HEADER_BYTES)
		return error_set(err, "%s: history of version %" PRIu32 ", this program knows version %d", name, get_le32(bytes + 8), HISTORY_VERSION);
	uint32_t unknown = get_le32(bytes + 20) & ~HISTORY_INCOMPATIBLE_BASE;

	if (unknown != 0)
		return error_set(err, "%s: the history uses the incompatible feature 0x%" PRIx32 ", which this program does not know", name, unknown);
	struct history_header h = {.size_bytes = get_le64(bytes + 40), .segment_bytes = get_le64(bytes + 48),
				   .has_base = get_le32(bytes + 20) & HISTORY_INCOMPATIBLE_BASE};

	memcpy(h.uuid, bytes + 24, 16);
	if (h.size_bytes == 0 || h.size_bytes > HISTORY_MAX_DISK_BYTES)
		return error_set(err, "%s: byte 40: impossible disk size %" PRIu64, name, h.size_bytes);
	if (h.segment_bytes < HISTORY_MIN_SEGMENT_BYTES || h.segment_bytes > HISTORY_MAX_SEGMENT_BYTES)
		return error_set(err, "%s: byte 48: impossible segment size %" PRIu64, name, h.segment_bytes);
	*ret = h;
	return 0;
}

int history_header_read(const char *folder, struct history_header *ret, struct error *err)
{
	struct buffer name AUTO_RELEASE_BUFFER = {0};
	uint8_t bytes[HISTORY_HEADER_BYTES];
	struct stat status;

	buffer_printf(&name, "%s/header", folder);
	if (buffer_check(&name, err) < 0)
		return -1;
	// Without O_NONBLOCK a FIFO of that name would hang us.
	int fd AUTO_CLOSE = open(name.bytes, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR) && stat(folder, &status) == 0)
		return error_set(err, "%s: this is no history (it has no file 'header')", folder);
	if (fd < 0)
		return error_set_errno(err, errno, "%s: cannot open", errno == ENOENT ? folder : name.bytes);
	ssize_t got = pread(fd, bytes, sizeof(bytes), 0);

	if (got < 0)
		return error_set_errno(err, errno, "%s: cannot read", name.bytes);
	return history_header_decode(bytes, (size_t)got, name.bytes, ret, err);
}
