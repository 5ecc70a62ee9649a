// SPDX-License-Identifier: MIT
// The newest state of the disk: which record holds each byte, and where that record's bytes are just now.
#include "snapshots/writer_work.h"

#include "base/memory.h"
#include "snapshots/codec.h"
#include "snapshots/segment_format.h"

#include <errno.h>
#include <string.h>

#define MAX_PIECES 16384u // of one answer to writer_extents(): 0.1 s of lookups

// append_lock held: bytes [at, at + length) of the segment's file, of which those behind written_end are in the stages.
// *ret_in_file: how many of the first ones are in the file.
static void copy_staged(struct writer *w, const struct writer_segment *from, uint64_t at, uint8_t *bytes, size_t length, size_t *ret_in_file)
{
	struct stage *const stages[2] = {w->on_its_way, w->filling};
	size_t in_file = at >= from->written_end ? 0 : from->written_end - at < length ? (size_t)(from->written_end - at) : length;

	*ret_in_file = in_file;
	for (size_t i = 0; i < 2; i++) {
		const struct stage *stage = stages[i];
		uint64_t begin = at + in_file, end = at + length;

		if (stage->to != from || stage->used == 0)
			continue;
		begin = begin > stage->from ? begin : stage->from;
		end = end < stage->from + stage->used ? end : stage->from + stage->used;
		if (begin < end)
			memcpy(bytes + (begin - at), stage->bytes + (begin - stage->from), (size_t)(end - begin));
	}
}

struct place { // of a record, while it is read
	struct writer_segment *segment; // referenced
	struct segment_row row;
};

// append_lock held. False: the record is in a sealed segment.
static bool find_unsealed(struct writer *w, uint64_t seq, struct place *ret)
{
	for (size_t i = w->unsealed.count; i-- > 0;) {
		struct writer_segment *s = w->unsealed.items[i];

		if (seq < s->s.first_seq)
			continue;
		ret->segment = s;
		ret->row = s->s.rows[seq - s->s.first_seq];
		(void)atomic_fetch_add(&s->references, 1);
		return true;
	}
	return false;
}

static int find_sealed(struct writer *w, uint64_t number, uint64_t seq, struct place *ret, struct error *err)
{
	ret->segment = writer_sealed_segment(w, number, err);
	if (!ret->segment)
		return -1;
	if (writer_sealed_row(w, ret->segment, seq, &ret->row, err) == 0)
		return 0;
	writer_segment_put(ret->segment);
	return -1;
}

// A compressed record of which a part is staged: its stored bytes are put together first.
static int decode_staged(const struct place *p, uint8_t *stored, size_t in_file, uint64_t within, void *bytes, size_t length, struct error *err)
{
	struct error why;

	if (segment_read_stored(&p->segment->s, &p->row, 0, in_file, stored, p->segment->name, err) < 0)
		return -1;
	if (codec_decode(p->row.codec, stored, p->row.stored_bytes, p->row.length_bytes, within, bytes, length, &why) == 0)
		return 0;
	return error_set(err, "%s: %s", p->segment->name, why.message);
}

// append_lock is held and given away.
static int read_unsealed(struct writer *w, const struct place *p, uint64_t within, uint8_t *bytes, size_t length, struct error *err)
{
	const struct segment_row *row = &p->row;
	uint64_t content_at = row->position + RECORD_HEADER_BYTES;

	if (content_at + row->stored_bytes <= p->segment->written_end) {
		(void)pthread_mutex_unlock(&w->append_lock);
		return segment_read_content(&p->segment->s, row, within, bytes, length, p->segment->name, err);
	}
	bool raw = row->codec == RECORD_RAW;
	size_t first = !raw ? 0 : within < row->stored_bytes ? (size_t)within : row->stored_bytes, in_file;
	size_t have = raw && row->stored_bytes - first > length ? length : row->stored_bytes - first;
	uint8_t *stored AUTO_FREE = raw ? NULL : malloc(have + 1);

	if (!raw && !stored) {
		(void)pthread_mutex_unlock(&w->append_lock);
		return error_set(err, "out of memory");
	}
	copy_staged(w, p->segment, content_at + first, raw ? bytes : stored, have, &in_file);
	(void)pthread_mutex_unlock(&w->append_lock);
	if (!raw)
		return decode_staged(p, stored, in_file, within, bytes, length, err);
	memset(bytes + have, 0, length - have);
	return segment_read_stored(&p->segment->s, row, first, first + in_file, bytes, p->segment->name, err);
}

static int read_record(struct writer *w, const struct live_piece *piece, uint8_t *bytes, struct error *err)
{
	struct place p;
	int result;

	(void)pthread_mutex_lock(&w->append_lock);
	bool unsealed = find_unsealed(w, piece->seq, &p);

	if (!unsealed) {
		uint64_t number = writer_number_of(w, piece->seq);

		(void)pthread_mutex_unlock(&w->append_lock);
		if (find_sealed(w, number, piece->seq, &p, err) < 0)
			return -1;
	}
	uint64_t within = piece->offset - p.row.offset_bytes;

	if (p.row.type != RECORD_WRITE || piece->offset < p.row.offset_bytes || within + piece->length > p.row.length_bytes) {
		if (unsealed)
			(void)pthread_mutex_unlock(&w->append_lock);
		result = error_set(err, "%s: the index leads to a record that does not hold these bytes", p.segment->name);
	} else if (unsealed) {
		result = read_unsealed(w, &p, within, bytes, (size_t)piece->length, err);
	} else {
		result = segment_read_content(&p.segment->s, &p.row, within, bytes, (size_t)piece->length, p.segment->name, err);
	}
	writer_segment_put(p.segment);
	return result;
}

static int check_range(struct writer *w, uint64_t offset, uint64_t length, struct error *err)
{
	if (length > w->header.size_bytes || offset > w->header.size_bytes - length) {
		(void)error_set(err, "%s: the request ends behind the disk", w->folder);
		return -EINVAL;
	}
	if (!atomic_load(&w->failed))
		return 0;
	(void)pthread_mutex_lock(&w->append_lock);
	int result = writer_failed(w, err);

	(void)pthread_mutex_unlock(&w->append_lock);
	return result;
}

int writer_read(struct writer *w, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	uint8_t *at = bytes;
	int result = check_range(w, offset, length, err);

	while (result == 0 && length > 0) {
		struct live_piece piece;

		if (live_resolve(w->live, offset, length, &piece, err) < 0)
			return -EIO;
		if (piece.seq == 0 && w->base)
			result = base_image_read(w->base, offset, at, (size_t)piece.length, err);
		else if (piece.seq == 0 || piece.type != RECORD_WRITE)
			memset(at, 0, (size_t)piece.length);
		else
			result = read_record(w, &piece, at, err);
		if (result < 0)
			return -EIO;
		offset += piece.length;
		at += piece.length;
		length -= (size_t)piece.length;
	}
	return result;
}

int writer_extents(struct writer *w, uint64_t offset, uint64_t length, writer_extent *visit, void *context, struct error *err)
{
	int result = check_range(w, offset, length, err);
	uint64_t from = offset;
	bool hole = false;

	// A client asks again from where the answer ends.
	for (unsigned pieces = 0; result == 0 && length > 0 && pieces < MAX_PIECES; pieces++) {
		struct live_piece piece;

		if (live_resolve(w->live, offset, length, &piece, err) < 0)
			return -EIO;
		bool is_hole = piece.seq == 0 ? !w->base : piece.type != RECORD_WRITE;

		if (offset > from && is_hole != hole) {
			if (visit(context, from, offset - from, hole) != 0)
				return 0;
			from = offset;
		}
		hole = is_hole;
		offset += piece.length;
		length -= piece.length;
	}
	if (result == 0 && offset > from)
		(void)visit(context, from, offset - from, hole);
	return result;
}
