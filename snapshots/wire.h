// SPDX-License-Identifier: MIT
// What provgraph and provgraph-fsread say to each other over two pipes: plain values, little endian, nothing nested.
// A frame is u32 type, u32 length, payload. The reader believes nothing: every length is checked, a short payload is an error that
// wire_end() tells once.
#ifndef SNAPSHOTS_WIRE_H
#define SNAPSHOTS_WIRE_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MAX_FRAME_BYTES (4u << 20)

void wire_put_u64(struct buffer *out, uint64_t value);
void wire_put_bytes(struct buffer *out, const void *bytes, size_t length); // u32 length, bytes
void wire_put_string(struct buffer *out, const char *string);              // NULL = ""

struct wire_reader { const uint8_t *at, *end; bool failed; };
static inline struct wire_reader wire_read(const void *bytes, size_t length)
{
	return (struct wire_reader){.at = bytes, .end = (const uint8_t *)bytes + length};
}
uint64_t wire_get_u64(struct wire_reader *r);
// Points into the frame. NULL and *ret_length 0 after a failure.
const uint8_t *wire_get_bytes(struct wire_reader *r, size_t *ret_length);
// A copy, NUL-terminated, that the caller frees; a NUL inside or a length over max_bytes is a failure (NULL).
char *wire_get_string(struct wire_reader *r, size_t max_bytes);
// 0 when everything was there and nothing is left.
int wire_end(const struct wire_reader *r, const char *what, struct error *err);

int wire_send(int fd, uint32_t type, const void *payload, size_t length, struct error *err);
// Small frames that go out together: appends one, to be written as it is.
void wire_put_frame(struct buffer *out, uint32_t type, const struct buffer *payload);
// *ret_type 0 at the end of the stream.
int wire_receive(int fd, struct buffer *payload, uint32_t *ret_type, struct error *err);

#endif
