// SPDX-License-Identifier: MIT
// A request becomes a record: its place in the log, its time, its bytes in the stage.
#include "snapshots/writer_work.h"

#include "base/bytes.h"
#include "snapshots/crc32c.h"
#include "snapshots/segment_format.h"

#include <errno.h>
#include <string.h>

#define CLOCK_RECORD_BYTES 64u // a CLOCK record that may have to go before any other: header and u64
// Our limit, far below the format's: what a segment takes in memory until it is sealed, 130 bytes a record, stays below 40 MiB also when a
// guest sends nothing but TRIMs. Segments of 4 KiB writes hold 16,161.
#define FULL_RECORDS (UINT64_C(1) << 18)

static uint64_t total_bytes(const struct writer_entry *e)
{
	return (RECORD_HEADER_BYTES + (uint64_t)e->stored_bytes + 7) & ~UINT64_C(7);
}

// ---- putting one record; append_lock held, room in the stage and in the file is there

static void stage_bytes(struct writer *w, const void *bytes, size_t length)
{
	if (length > 0)
		memcpy(w->filling->bytes + w->filling->used, bytes, length);
	w->filling->used += length;
}

static void stage_record(struct writer *w, struct writer_segment *to, const struct record *r, const uint8_t *header, const void *stored)
{
	static const uint8_t padding[8];

	if (w->filling->used == 0) {
		w->filling->to = to;
		w->filling->from = to->s.records_end;
		if (w->thread_idle)
			(void)pthread_cond_signal(&w->wake);
	}
	stage_bytes(w, header, RECORD_HEADER_BYTES);
	stage_bytes(w, stored, r->stored_bytes);
	stage_bytes(w, padding, (size_t)record_total_bytes(r) - RECORD_HEADER_BYTES - r->stored_bytes);
}

// A record that no stage holds: straight to the file, while everybody waits.
static int write_large(struct writer_segment *to, const struct record *r, const uint8_t *header, const void *stored, struct error *err)
{
	static const uint8_t padding[8];
	uint64_t at = to->s.records_end;

	to->dirty = true;
	if (writer_pwrite(to, header, RECORD_HEADER_BYTES, at, err) < 0 ||
	    writer_pwrite(to, stored, r->stored_bytes, at + RECORD_HEADER_BYTES, err) < 0 ||
	    writer_pwrite(to, padding, (size_t)record_total_bytes(r) - RECORD_HEADER_BYTES - r->stored_bytes,
			  at + RECORD_HEADER_BYTES + r->stored_bytes, err) < 0)
		return -1;
	to->written_end = at + record_total_bytes(r);
	return 0;
}

static int put_record(struct writer *w, const struct writer_entry *e, struct clock_pair now, bool large, struct error *err)
{
	struct writer_segment *to = writer_open_segment(w);
	struct record r = {.type = (uint8_t)e->type, .codec = (uint8_t)e->codec, .flags = e->flags, .stored_bytes = e->stored_bytes,
			   .seq = w->last_seq + 1, .realtime_ns = now.realtime_ns, .boottime_ns = now.boottime_ns,
			   .offset_bytes = e->offset, .length_bytes = e->length};
	uint8_t header[RECORD_HEADER_BYTES];
	struct error why;

	if (segment_reserve_row(&to->s, err) < 0)
		return -ENOMEM;
	record_encode_summed(&r, e->content_crc, header);
	if (!large) {
		stage_record(w, to, &r, header, e->stored);
	} else if (write_large(to, &r, header, e->stored, &why) < 0) {
		(void)writer_fail(w, &why);
		return writer_failed(w, err);
	}
	segment_add_row(&to->s, &r);
	w->last_seq = r.seq;
	w->last_realtime_ns = r.realtime_ns;
	w->last_type = r.type;
	w->stored_bytes += record_total_bytes(&r) + SEGMENT_ROW_BYTES;
	// The record is in the log; a live map without it would answer reads wrongly.
	if (record_touches_disk(&r) && live_note(w->live, to->s.number, r.seq, r.type, r.offset_bytes, r.length_bytes, &why) < 0) {
		(void)writer_fail(w, &why);
		return writer_failed(w, err);
	}
	return 0;
}

static int put_clock(struct writer *w, struct clock_pair now, uint64_t expected_ns, bool large, struct error *err)
{
	uint8_t content[8];

	put_le64(content, expected_ns);
	struct writer_entry e = {.type = RECORD_CLOCK, .length = 8, .stored = content, .stored_bytes = 8,
				 .content_crc = crc32c_update(0, content, 8)};

	return put_record(w, &e, now, large, err);
}

static int put_stamped(struct writer *w, const struct writer_entry *e, bool large, struct error *err)
{
	uint64_t expected;
	int result = 0;

	if (e->has_time)
		return put_record(w, e, (struct clock_pair){.realtime_ns = e->realtime_ns}, large, err);
	struct clock_pair now = clock_now(&w->clock);

	if (clock_stepped(&w->clock, now, &expected))
		result = put_clock(w, now, expected, large, err);
	if (result < 0)
		return result;
	w->clock.last = now;
	w->clock.known = true;
	return put_record(w, e, now, large, err);
}

// ---- making room; append_lock is held, and given away for a moment where a stage has to be written

enum readiness { READY, DRAIN_FIRST }; // or a negative errno

static int make_ready(struct writer *w, const struct writer_entry *e, bool large, struct error *err)
{
	uint64_t bytes = total_bytes(e) + CLOCK_RECORD_BYTES;
	struct writer_segment *to = writer_open_segment(w);
	int result = writer_failed(w, err);

	if (result < 0)
		return result;
	if (to->s.records_end >= w->header.segment_bytes || to->s.record_count >= FULL_RECORDS) {
		// Also what another thread is just writing: a full segment is sealed at once, and its footer vouches for all of it.
		if (w->filling->used > 0 || w->on_its_way->used > 0)
			return DRAIN_FIRST;
		result = writer_next_segment(w, err);
		// On a full disk the old one takes what must not be refused.
		if (result < 0 && !(result == -ENOSPC && e->must && to->s.record_count + 2 <= SEGMENT_MAX_RECORDS))
			return result;
	}
	if (large ? w->filling->used > 0 : w->filling->used + bytes > STAGE_BYTES)
		return DRAIN_FIRST;
	result = writer_make_room(w, bytes, e->type == RECORD_CLOSE ? 0 : e->must ? CLOSE_MARGIN_BYTES : MARGIN_BYTES, err);
	return result < 0 ? result : READY;
}

int writer_append(struct writer *w, const struct writer_entry *e, uint64_t *ret_seq, struct error *err)
{
	// Twice the bytes, so that a stage always has room for a record that is not large, and a CLOCK before it.
	bool large = 2 * total_bytes(e) > STAGE_BYTES;
	int ready;

	if (!e->must)
		sealer_throttle(w->sealer);
	if (large)
		(void)pthread_mutex_lock(&w->write_lock);
	(void)pthread_mutex_lock(&w->append_lock);
	while ((ready = make_ready(w, e, large, err)) == DRAIN_FIRST) {
		(void)pthread_mutex_unlock(&w->append_lock);
		ready = large ? writer_drain_locked(w, NULL, err) : writer_drain(w, NULL, err);
		(void)pthread_mutex_lock(&w->append_lock);
		if (ready < 0)
			break;
	}
	int result = ready < 0 ? ready : put_stamped(w, e, large, err);

	if (result == 0 && ret_seq)
		*ret_seq = w->last_seq;
	bool through = w->options.direct || w->room_unknown;

	(void)pthread_mutex_unlock(&w->append_lock);
	if (large)
		(void)pthread_mutex_unlock(&w->write_lock);
	if (result == 0 && through)
		result = writer_drain(w, NULL, err);
	return result;
}

int writer_append_note(struct writer *w, enum record_type type, uint16_t flags, const void *content, size_t length, struct error *err)
{
	struct writer_entry e = {.type = type, .flags = flags, .length = length, .stored = content, .stored_bytes = (uint32_t)length,
				 .content_crc = crc32c_update(0, content, length), .must = type != RECORD_MARK};

	return writer_append(w, &e, NULL, err);
}

int writer_append_proof(struct writer *w, enum record_type type, uint16_t flags, struct error *err)
{
	uint8_t content[RECORD_PROOF_BYTES];

	(void)pthread_mutex_lock(&w->append_lock);
	put_le64(content, w->durable_seq);
	bool nothing_new = w->last_type == RECORD_FLUSH;

	(void)pthread_mutex_unlock(&w->append_lock);
	memcpy(content + 8, w->header.uuid, 16);
	int result = writer_append_note(w, type, flags, content, sizeof(content), err);

	// On a full disk nothing can have been written since: the FLUSH that is there says all.
	return result == -ENOSPC && nothing_new && type == RECORD_FLUSH ? 0 : result;
}
