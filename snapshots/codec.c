// SPDX-License-Identifier: MIT
#include "snapshots/codec.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <lz4.h>
#include <pthread.h>
#include <string.h>
#include <zstd.h>

#define CHUNK_IS_RAW (UINT32_C(1) << 31)
#define ZSTD_LEVEL 1 // 0.44 bytes per byte written on streams of real ext4; higher levels cost more than they save there

// What coding needs beside the bytes: kept for each thread, since making a context costs more than a small chunk.
struct room {
	ZSTD_CCtx *compress;
	ZSTD_DCtx *decompress;
	char chunk[CODEC_CHUNK_BYTES];
};
static pthread_key_t room_key;
static pthread_once_t room_once = PTHREAD_ONCE_INIT;
static bool room_key_made;

static void room_free(void *pointer)
{
	struct room *room = pointer;

	(void)ZSTD_freeCCtx(room->compress);
	(void)ZSTD_freeDCtx(room->decompress);
	free(room);
}

static void make_room_key(void)
{
	room_key_made = pthread_key_create(&room_key, room_free) == 0;
}

// NULL: out of memory.
static struct room *room_of_thread(void)
{
	pthread_once(&room_once, make_room_key);
	if (!room_key_made)
		return NULL;
	struct room *room = pthread_getspecific(room_key);

	if (room)
		return room;
	room = calloc(1, sizeof(*room));
	if (!room)
		return NULL;
	room->compress = ZSTD_createCCtx();
	room->decompress = ZSTD_createDCtx();
	if (!room->compress || !room->decompress || pthread_setspecific(room_key, room) != 0) {
		room_free(room);
		return NULL;
	}
	return room;
}

size_t codec_trim(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint64_t word;

	for (; length >= 8; length -= 8) {
		memcpy(&word, at + length - 8, sizeof(word));
		if (word != 0)
			break;
	}
	while (length > 0 && at[length - 1] == 0)
		length--;
	return length;
}

static size_t chunk_count(uint64_t content_bytes)
{
	return (size_t)((content_bytes + CODEC_CHUNK_BYTES - 1) / CODEC_CHUNK_BYTES);
}

static size_t chunk_bytes(uint64_t content_bytes, size_t i)
{
	uint64_t left = content_bytes - (uint64_t)i * CODEC_CHUNK_BYTES;

	return left < CODEC_CHUNK_BYTES ? (size_t)left : CODEC_CHUNK_BYTES;
}

// Compresses into the room. Stored length, or 0 when the chunk does not get smaller.
static size_t encode_chunk(enum record_codec codec, struct room *room, const char *bytes, size_t length)
{
	if (length < 2)
		return 0;
	if (codec == RECORD_LZ4) {
		int stored = LZ4_compress_default(bytes, room->chunk, (int)length, (int)length - 1);

		return stored > 0 ? (size_t)stored : 0;
	}
	size_t stored = ZSTD_compressCCtx(room->compress, room->chunk, length - 1, bytes, length, ZSTD_LEVEL);

	return ZSTD_isError(stored) ? 0 : stored;
}

static void encode_chunks(enum record_codec codec, struct room *room, const char *bytes, size_t length, struct buffer *out)
{
	size_t table = out->length, count = chunk_count(length);

	for (size_t i = 0; i < count; i++)
		buffer_add(out, "\0\0\0", 4);
	for (size_t i = 0; i < count && !out->failed; i++) {
		const char *chunk = bytes + i * CODEC_CHUNK_BYTES;
		size_t part = chunk_bytes(length, i), stored = encode_chunk(codec, room, chunk, part);

		put_le32((uint8_t *)out->bytes + table + 4 * i, stored ? (uint32_t)stored : (uint32_t)part | CHUNK_IS_RAW);
		buffer_add(out, stored ? room->chunk : chunk, stored ? stored : part);
	}
}

enum record_codec codec_encode(enum record_codec wanted, const void *bytes, size_t length, struct buffer *out)
{
	size_t trimmed = codec_trim(bytes, length), before = out->length;
	struct room *room = wanted == RECORD_RAW || trimmed == 0 ? NULL : room_of_thread();

	if (room) {
		encode_chunks(wanted, room, bytes, length, out);
		if (out->failed || out->length - before < trimmed)
			return wanted;
		out->length = before;
	}
	buffer_add(out, bytes, trimmed);
	return RECORD_RAW;
}

size_t codec_table_bytes(enum record_codec codec, uint64_t content_bytes)
{
	return codec == RECORD_RAW ? 0 : 4 * chunk_count(content_bytes);
}


int codec_locate(enum record_codec codec, const void *table, size_t stored_bytes, uint64_t content_bytes, uint64_t within, size_t length,
		 size_t *ret_from, size_t *ret_to, struct error *err)
{
	if (codec == RECORD_RAW) {
		*ret_from = within < stored_bytes ? (size_t)within : stored_bytes;
		*ret_to = within + length < stored_bytes ? (size_t)(within + length) : stored_bytes;
		return 0;
	}
	size_t first = (size_t)(within / CODEC_CHUNK_BYTES), last = (size_t)((within + length - 1) / CODEC_CHUNK_BYTES);
	size_t at = codec_table_bytes(codec, content_bytes), from = at;

	for (size_t i = 0; i <= last; i++) {
		if (i == first)
			from = at;
		size_t chunk = get_le32((const uint8_t *)table + 4 * i) & ~CHUNK_IS_RAW;

		if (at > stored_bytes || chunk > stored_bytes - at)
			return error_set(err, "compressed content: chunk %zu ends behind the record", i);
		at += chunk;
	}
	*ret_from = from;
	*ret_to = at;
	return 0;
}

static int decode_chunk(enum record_codec codec, struct room *room, const char *stored, size_t stored_bytes, char *out, size_t length)
{
	if (codec == RECORD_LZ4)
		return LZ4_decompress_safe(stored, out, (int)stored_bytes, (int)length) == (int)length ? 0 : -1;
	return ZSTD_decompressDCtx(room->decompress, out, length, stored, stored_bytes) == length ? 0 : -1;
}

int codec_decode_part(enum record_codec codec, const void *table, const void *part, size_t part_bytes, uint64_t content_bytes, uint64_t within,
		      void *bytes, size_t length, struct error *err)
{
	char *out = bytes;
	const char *at = part;

	if (codec == RECORD_RAW) {
		size_t have = part_bytes < length ? part_bytes : length;

		if (have > 0)
			memcpy(out, part, have);
		memset(out + have, 0, length - have);
		return 0;
	}
	struct room *room = room_of_thread();

	if (!room)
		return error_set(err, "out of memory");
	for (size_t i = (size_t)(within / CODEC_CHUNK_BYTES); length > 0; i++) {
		uint32_t entry = get_le32((const uint8_t *)table + 4 * i);
		size_t stored = entry & ~CHUNK_IS_RAW, whole = chunk_bytes(content_bytes, i), skip = (size_t)(within - (uint64_t)i * CODEC_CHUNK_BYTES);
		size_t take = whole - skip < length ? whole - skip : length;

		if (stored > part_bytes)
			return error_set(err, "compressed content: chunk %zu is cut short", i);
		if (entry & CHUNK_IS_RAW) {
			if (stored != whole)
				return error_set(err, "compressed content: chunk %zu has the wrong length", i);
			memcpy(out, at + skip, take);
		} else {
			char *to = take == whole ? out : room->chunk;

			if (decode_chunk(codec, room, at, stored, to, whole) < 0)
				return error_set(err, "compressed content: chunk %zu cannot be decompressed", i);
			if (to != out)
				memcpy(out, to + skip, take);
		}
		at += stored;
		part_bytes -= stored;
		out += take;
		within += take;
		length -= take;
	}
	return 0;
}

int codec_decode(enum record_codec codec, const void *stored, size_t stored_bytes, uint64_t content_bytes, uint64_t within, void *bytes,
		 size_t length, struct error *err)
{
	size_t from, to;

	if (within > content_bytes || length > content_bytes - within)
		return error_set(err, "content ends before the bytes that were asked for");
	if (length == 0)
		return 0;
	if (codec != RECORD_RAW && codec != RECORD_LZ4 && codec != RECORD_ZSTD)
		return error_set(err, "content in the unknown coding %u", (unsigned)codec);
	if (stored_bytes < codec_table_bytes(codec, content_bytes))
		return error_set(err, "compressed content: the table of chunks is cut short");
	if (codec_locate(codec, stored, stored_bytes, content_bytes, within, length, &from, &to, err) < 0)
		return -1;
	return codec_decode_part(codec, stored, (const char *)stored + from, to - from, content_bytes, within, bytes, length, err);
}
