// SPDX-License-Identifier: MIT
#include "snapshots/wire.h"

#include "base/bytes.h"
#include "base/fileio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEADER_BYTES 8 // u32 type, u32 length

void wire_put_u64(struct buffer *out, uint64_t value)
{
	uint8_t bytes[8];

	put_le64(bytes, value);
	buffer_add(out, bytes, sizeof(bytes));
}

void wire_put_bytes(struct buffer *out, const void *bytes, size_t length)
{
	uint8_t prefix[4];

	put_le32(prefix, (uint32_t)length);
	buffer_add(out, prefix, sizeof(prefix));
	if (length > 0)
		buffer_add(out, bytes, length);
}

void wire_put_string(struct buffer *out, const char *string)
{
	wire_put_bytes(out, string, string ? strlen(string) : 0);
}

// NULL when fewer bytes are left; the reader stays failed from then on.
static const uint8_t *take(struct wire_reader *r, size_t length)
{
	const uint8_t *at = r->at;

	if (r->failed || (size_t)(r->end - r->at) < length) {
		r->failed = true;
		return NULL;
	}
	r->at += length;
	return at;
}

uint64_t wire_get_u64(struct wire_reader *r)
{
	const uint8_t *at = take(r, 8);

	return at ? get_le64(at) : 0;
}

const uint8_t *wire_get_bytes(struct wire_reader *r, size_t *ret_length)
{
	const uint8_t *prefix = take(r, 4), *at = NULL;
	size_t length = prefix ? get_le32(prefix) : 0;

	if (prefix)
		at = take(r, length);
	*ret_length = at ? length : 0;
	return at;
}

char *wire_get_string(struct wire_reader *r, size_t max_bytes)
{
	size_t length;
	const uint8_t *at = wire_get_bytes(r, &length);

	if (!at || length > max_bytes || memchr(at, 0, length)) {
		r->failed = true;
		return NULL;
	}
	char *copy = malloc(length + 1);

	if (!copy) {
		r->failed = true;
		return NULL;
	}
	if (length > 0)
		memcpy(copy, at, length);
	copy[length] = '\0';
	return copy;
}

int wire_end(const struct wire_reader *r, const char *what, struct error *err)
{
	if (r->failed)
		return error_set(err, "%s: shorter than it says, or a value is out of bounds", what);
	if (r->at != r->end)
		return error_set(err, "%s: %zu bytes too many", what, (size_t)(r->end - r->at));
	return 0;
}

int wire_send(int fd, uint32_t type, const void *payload, size_t length, struct error *err)
{
	uint8_t header[HEADER_BYTES];
	struct iovec parts[2] = {{.iov_base = header, .iov_len = HEADER_BYTES}, {.iov_base = (void *)(uintptr_t)payload, .iov_len = length}};
	ssize_t put;

	if (length > WIRE_MAX_FRAME_BYTES)
		return error_set(err, "a frame of %zu bytes is larger than the limit", length);
	put_le32(header, type);
	put_le32(header + 4, (uint32_t)length);
	do
		put = writev(fd, parts, 2);
	while (put < 0 && errno == EINTR);
	if (put < 0)
		return error_set_errno(err, errno, "cannot write to the other process");
	size_t done = (size_t)put;

	if (done < HEADER_BYTES) {
		if (fileio_write_fd(fd, header + done, HEADER_BYTES - done, "the other process", err) < 0)
			return -1;
		done = HEADER_BYTES;
	}
	done -= HEADER_BYTES;
	if (done == length)
		return 0; // payload may be NULL
	return fileio_write_fd(fd, (const uint8_t *)payload + done, length - done, "the other process", err);
}

void wire_put_frame(struct buffer *out, uint32_t type, const struct buffer *payload)
{
	uint8_t header[HEADER_BYTES];

	put_le32(header, type);
	put_le32(header + 4, (uint32_t)payload->length);
	buffer_add(out, header, sizeof(header));
	buffer_add(out, payload->bytes, payload->length);
}

// *ret_read is short only at the end of the stream.
static int read_exactly(int fd, void *bytes, size_t length, size_t *ret_read, struct error *err)
{
	size_t total = 0;

	while (total < length) {
		ssize_t got = read(fd, (char *)bytes + total, length - total);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(err, errno, "cannot read from the other process");
		if (got == 0)
			break;
		total += (size_t)got;
	}
	*ret_read = total;
	return 0;
}

int wire_receive(int fd, struct buffer *payload, uint32_t *ret_type, struct error *err)
{
	uint8_t header[HEADER_BYTES], step[16384];
	size_t got;

	if (read_exactly(fd, header, sizeof(header), &got, err) < 0)
		return -1;
	if (got == 0) {
		*ret_type = 0;
		return 0;
	}
	size_t left = got == sizeof(header) ? get_le32(header + 4) : 0;

	if (got < sizeof(header) || get_le32(header) == 0 || left > WIRE_MAX_FRAME_BYTES)
		return error_set(err, "the other process sent something that is no frame");
	buffer_clear(payload);
	while (left > 0) {
		size_t want = left < sizeof(step) ? left : sizeof(step);

		if (read_exactly(fd, step, want, &got, err) < 0)
			return -1;
		if (got < want)
			return error_set(err, "the other process stopped in the middle of a frame");
		buffer_add(payload, step, got);
		left -= got;
	}
	if (buffer_check(payload, err) < 0)
		return -1;
	*ret_type = get_le32(header);
	return 0;
}
