// SPDX-License-Identifier: MIT
// Contents of compressed records, with the last decompressed chunks kept: a large request of which other writes left only pieces is read
// in many small steps, each of which would decompress CODEC_CHUNK_BYTES again.
#include "snapshots/history_inside.h"

#include "base/bytes.h"
#include "base/fileio.h"
#include "snapshots/codec.h"
#include "snapshots/crc32c.h"

#include <inttypes.h>
#include <string.h>

struct history_chunk { // CODEC_CHUNK_BYTES of a record's content, less in its last chunk
	uint64_t serial, seq, index;
	uint8_t *bytes;
	bool is_block; // of a request of HISTORY_BLOCK_BYTES at most
};

struct history_chunk *history_chunks_new(void)
{
	return calloc(HISTORY_CHUNKS + HISTORY_BLOCKS, sizeof(struct history_chunk));
}

void history_chunks_free(struct history_chunk *chunks)
{
	for (size_t i = 0; chunks && i < HISTORY_CHUNKS + HISTORY_BLOCKS; i++)
		free(chunks[i].bytes);
	free(chunks);
}

static struct history_chunk *find_slot(struct history *h, const struct history_chunk *of)
{
	uint64_t sum = of->serial * 37 + of->seq * 5 + of->index;

	return &h->chunks[of->is_block ? HISTORY_CHUNKS + sum % HISTORY_BLOCKS : sum % HISTORY_CHUNKS];
}

static bool copy_kept(struct history *h, const struct history_chunk *wanted, size_t from, void *bytes, size_t length)
{
	(void)pthread_mutex_lock(&h->lock);
	const struct history_chunk *slot = find_slot(h, wanted);
	bool there = slot->bytes && slot->serial == wanted->serial && slot->seq == wanted->seq && slot->index == wanted->index;
	if (there)
		memcpy(bytes, slot->bytes + from, length);
	(void)pthread_mutex_unlock(&h->lock);
	return there;
}

static void keep(struct history *h, const struct history_chunk *chunk)
{
	(void)pthread_mutex_lock(&h->lock);
	struct history_chunk *slot = find_slot(h, chunk);
	uint8_t *old = slot->bytes;
	*slot = *chunk;
	(void)pthread_mutex_unlock(&h->lock);
	free(old);
}

// A part of one chunk.
static int read_part(struct history *h, const struct history_place *p, uint64_t within, void *bytes, size_t length, struct error *err)
{
	struct history_chunk chunk = { .serial = p->file->serial, .seq = p->seq, .index = within / CODEC_CHUNK_BYTES };
	uint64_t from = chunk.index * CODEC_CHUNK_BYTES, left = p->row.length_bytes - from;
	size_t chunk_bytes = left < CODEC_CHUNK_BYTES ? (size_t)left : CODEC_CHUNK_BYTES;

	if (copy_kept(h, &chunk, (size_t)(within - from), bytes, length))
		return 0;
	chunk.bytes = malloc(chunk_bytes);
	if (!chunk.bytes)
		return error_set(err, "out of memory");
	if (segment_read_content(&p->segment, &p->row, from, chunk.bytes, chunk_bytes, p->name, err) < 0) {
		free(chunk.bytes);
		return -1;
	}
	memcpy(bytes, chunk.bytes + (within - from), length);
	keep(h, &chunk);
	return 0;
}

bool history_is_small(const struct segment_row *row)
{
	return row->type == RECORD_WRITE && row->length_bytes <= CODEC_CHUNK_BYTES && row->stored_bytes <= HISTORY_SMALL_BYTES - RECORD_HEADER_BYTES;
}

static int check_whole(const struct history_place *p, uint8_t *whole, size_t length, struct error *err)
{
	struct record record;

	if (segment_judge_record(&p->row, whole, length, &record, p->name, err) < 0)
		return -1;
	if (record.seq != p->seq)
		return error_set(err, "%s: byte %" PRIu64 ": holds seq:%" PRIu64 " where seq:%" PRIu64 " belongs", p->name, p->row.position,
				 record.seq, p->seq);
	if (length < RECORD_HEADER_BYTES + p->row.stored_bytes)
		return error_set(err, "%s: byte %" PRIu64 ": the record is cut short", p->name, p->row.position + length);
	put_le32(whole + RECORD_CHECKSUM_AT, 0);
	if (~crc32c_update(UINT32_MAX, whole, RECORD_HEADER_BYTES + p->row.stored_bytes) != record.checksum)
		return error_set(err, "%s: byte %" PRIu64 ": record %" PRIu64 ": checksum differs", p->name, p->row.position, p->seq);
	return 0;
}

static int decode_whole(const struct history_place *p, const uint8_t *stored, uint8_t *content, struct error *err)
{
	const struct segment_row *row = &p->row;
	struct error why;

	if (codec_decode(row->codec, stored, row->stored_bytes, row->length_bytes, 0, content, row->length_bytes, &why) < 0)
		return error_set(err, "%s: byte %" PRIu64 ": %s", p->name, row->position, why.message);
	return 0;
}

int history_chunks_read_small(struct history *h, struct history_place *p, uint64_t within, void *bytes, size_t length, struct error *err)
{
	struct history_chunk chunk = { .serial = p->file->serial, .seq = p->seq, .is_block = p->row.length_bytes <= HISTORY_BLOCK_BYTES };
	uint8_t whole[HISTORY_SMALL_BYTES];
	size_t got;

	if (within > p->row.length_bytes || length > p->row.length_bytes - within)
		return error_set(err, "%s: byte %" PRIu64 ": the record has no such content", p->name, p->row.position);
	if (length == 0 || copy_kept(h, &chunk, (size_t)within, bytes, length))
		return 0;
	if (fileio_pread(p->segment.fd, whole, RECORD_HEADER_BYTES + p->row.stored_bytes, p->row.position, &got, p->name, err) < 0 ||
	    check_whole(p, whole, got, err) < 0)
		return -1;
	p->checked = true;
	chunk.bytes = malloc(p->row.length_bytes);
	if (!chunk.bytes)
		return error_set(err, "out of memory");
	if (decode_whole(p, whole + RECORD_HEADER_BYTES, chunk.bytes, err) < 0) {
		free(chunk.bytes);
		return -1;
	}
	memcpy(bytes, chunk.bytes + within, length);
	keep(h, &chunk);
	return 0;
}

int history_chunks_read(struct history *h, const struct history_place *p, uint64_t within, void *bytes, size_t length, struct error *err)
{
	uint8_t *at = bytes;

	// Whole chunks are not asked for twice.
	if (p->row.codec == RECORD_RAW || within > p->row.length_bytes || length > p->row.length_bytes - within || length >= CODEC_CHUNK_BYTES)
		return segment_read_content(&p->segment, &p->row, within, bytes, length, p->name, err);
	while (length > 0) {
		uint64_t end = (within / CODEC_CHUNK_BYTES + 1) * CODEC_CHUNK_BYTES;
		size_t part = end - within < length ? (size_t)(end - within) : length;

		if (read_part(h, p, within, at, part, err) < 0)
			return -1;
		at += part;
		within += part;
		length -= part;
	}
	return 0;
}
