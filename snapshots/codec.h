// SPDX-License-Identifier: MIT
// Content of a WRITE as it is stored.
//
// RAW: the bytes without trailing zeros. LZ4 and ZSTD: the content is cut every CODEC_CHUNK_BYTES, so that a small read out of a large
// request decompresses little: u32 stored length of each chunk (top bit: the chunk is raw), then the chunks.
#ifndef SNAPSHOTS_CODEC_H
#define SNAPSHOTS_CODEC_H

#include "base/buffer.h"
#include "base/error.h"
#include "snapshots/record.h"

#define CODEC_CHUNK_BYTES (128u << 10)

// Length without trailing zero bytes.
size_t codec_trim(const void *bytes, size_t length);
// Appends the stored form of `bytes` to out and returns the codec that was used: RAW when `wanted` gains nothing.
enum record_codec codec_encode(enum record_codec wanted, const void *bytes, size_t length, struct buffer *out);
// `length` bytes from `within` on, out of `content_bytes` of content that are stored as `stored`. Any input is safe.
int codec_decode(enum record_codec codec, const void *stored, size_t stored_bytes, uint64_t content_bytes, uint64_t within,
		 void *bytes, size_t length, struct error *err);

// The same in two steps, for whoever reads the stored bytes from a file: the table of chunks is the first codec_table_bytes() of them
// (at most stored_bytes, else it is damaged), codec_locate() tells which of the stored bytes are needed, codec_decode_part() takes them.
// 0 < length, within + length <= content_bytes.
size_t codec_table_bytes(enum record_codec codec, uint64_t content_bytes);
int codec_locate(enum record_codec codec, const void *table, size_t stored_bytes, uint64_t content_bytes, uint64_t within, size_t length,
		 size_t *ret_from, size_t *ret_to, struct error *err);
int codec_decode_part(enum record_codec codec, const void *table, const void *part, size_t part_bytes, uint64_t content_bytes, uint64_t within,
		      void *bytes, size_t length, struct error *err);

#endif
