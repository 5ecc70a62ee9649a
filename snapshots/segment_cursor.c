// SPDX-License-Identifier: MIT
#include "snapshots/segment_cursor.h"

#include "base/fileio.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STEP_BYTES ((size_t)1 << 20) // large enough that reading costs little, small beside our memory limit

void segment_cursor_init(struct segment_cursor *c, int fd, const char *name, uint64_t position, uint64_t end)
{
	*c = (struct segment_cursor){.fd = fd, .name = name, .position = position, .end = end, .from = position};
}

void segment_cursor_release(struct segment_cursor *c)
{
	free(c->bytes);
	c->bytes = NULL;
	c->capacity = c->held = 0;
}

static int make_room(struct segment_cursor *c, size_t length, struct error *err)
{
	size_t capacity = length > STEP_BYTES ? length : STEP_BYTES;

	if (capacity <= c->capacity)
		return 0;
	uint8_t *bytes = realloc(c->bytes, capacity);

	if (!bytes)
		return error_set(err, "out of memory");
	c->bytes = bytes;
	c->capacity = capacity;
	return 0;
}

const uint8_t *segment_cursor_bytes(struct segment_cursor *c, uint64_t at, size_t length, struct error *err)
{
	size_t got, kept = 0;

	if (at >= c->from && at + length <= c->from + c->held)
		return c->bytes + (at - c->from);
	if (make_room(c, length, err) < 0)
		return NULL;
	if (at >= c->from && at < c->from + c->held) {
		kept = (size_t)(c->from + c->held - at);
		memmove(c->bytes, c->bytes + (at - c->from), kept);
	}
	c->from = at;
	c->held = kept;
	uint64_t left = c->end - at - kept;
	size_t room = c->capacity - kept, wanted = left < room ? (size_t)left : room;

	if (fileio_pread(c->fd, c->bytes + kept, wanted, at + kept, &got, c->name, err) < 0)
		return NULL;
	c->held += got;
	if (c->held < length) {
		(void)error_set(err, "%s: byte %" PRIu64 ": the file got shorter while it was read", c->name, at + c->held);
		return NULL;
	}
	return c->bytes;
}

static enum segment_step bad(const struct segment_cursor *c, const struct error *why, struct error *err)
{
	(void)error_set(err, "%s: byte %" PRIu64 ": %s", c->name, c->position, why->message);
	return SEGMENT_STEP_BAD;
}

enum segment_step segment_cursor_next(struct segment_cursor *c, struct record *ret, const uint8_t **ret_header, const uint8_t **ret_stored,
				      struct error *err)
{
	uint64_t left = c->end - c->position;
	struct error why;
	struct record r;

	if (left == 0)
		return SEGMENT_STEP_END;
	size_t header_bytes = left < RECORD_HEADER_BYTES ? (size_t)left : RECORD_HEADER_BYTES;
	const uint8_t *header = segment_cursor_bytes(c, c->position, header_bytes, err);

	if (!header)
		return SEGMENT_STEP_FAILED;
	if (record_decode(header, header_bytes, &r, &why) < 0)
		return bad(c, &why, err);
	if (record_total_bytes(&r) > left) {
		(void)error_set(&why, "record %" PRIu64 " is cut short: %" PRIu64 " of %" PRIu64 " bytes", r.seq, left, record_total_bytes(&r));
		return bad(c, &why, err);
	}
	header = segment_cursor_bytes(c, c->position, (size_t)record_total_bytes(&r), err);
	if (!header)
		return SEGMENT_STEP_FAILED;
	if (!record_check(&r, header, header + RECORD_HEADER_BYTES)) {
		(void)error_set(&why, "record %" PRIu64 ": checksum differs", r.seq);
		return bad(c, &why, err);
	}
	c->position += record_total_bytes(&r);
	*ret = r;
	*ret_header = header;
	*ret_stored = header + RECORD_HEADER_BYTES;
	return SEGMENT_STEP_RECORD;
}
