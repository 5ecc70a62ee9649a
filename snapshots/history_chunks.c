// SPDX-License-Identifier: MIT
// Contents of compressed records, with the last decompressed chunks kept: a large request of which other writes left only pieces is read
// in many small steps, each of which would decompress CODEC_CHUNK_BYTES again.
#include "snapshots/history_inside.h"

#include "snapshots/codec.h"

#include <string.h>

struct history_chunk { // CODEC_CHUNK_BYTES of a record's content, less in its last chunk
	uint64_t serial, seq, index;
	uint8_t *bytes;
};

struct history_chunk *history_chunks_new(void)
{
	return calloc(HISTORY_CHUNKS, sizeof(struct history_chunk));
}

void history_chunks_free(struct history_chunk *chunks)
{
	for (size_t i = 0; chunks && i < HISTORY_CHUNKS; i++)
		free(chunks[i].bytes);
	free(chunks);
}

static struct history_chunk *find_slot(struct history *h, uint64_t serial, uint64_t seq, uint64_t index)
{
	return &h->chunks[(serial * 37 + seq * 5 + index) % HISTORY_CHUNKS];
}

static bool copy_kept(struct history *h, const struct history_chunk *wanted, size_t from, void *bytes, size_t length)
{
	(void)pthread_mutex_lock(&h->lock);
	const struct history_chunk *slot = find_slot(h, wanted->serial, wanted->seq, wanted->index);
	bool there = slot->bytes && slot->serial == wanted->serial && slot->seq == wanted->seq && slot->index == wanted->index;
	if (there)
		memcpy(bytes, slot->bytes + from, length);
	(void)pthread_mutex_unlock(&h->lock);
	return there;
}

static void keep(struct history *h, const struct history_chunk *chunk)
{
	(void)pthread_mutex_lock(&h->lock);
	struct history_chunk *slot = find_slot(h, chunk->serial, chunk->seq, chunk->index);
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
