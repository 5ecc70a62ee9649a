// SPDX-License-Identifier: MIT
// Inside of writer.h: what its files share. Nobody else includes this.
//
// A request goes: checksum of its content (no lock) -> append_lock: stamp, row, bytes into the stage, live map -> answer. The stage, one
// of two buffers, reaches the file when it is full, 40 ms after its first byte, or for a FLUSH; whoever writes it holds write_lock, so
// bytes reach a file in the order of the log, and at most one stage is on its way while the other one fills.
//
// Locks, outer first: sync_lock (one fdatasync at a time), write_lock, append_lock. Under append_lock no file is written, but for requests
// that are larger than a stage.
#ifndef SNAPSHOTS_WRITER_WORK_H
#define SNAPSHOTS_WRITER_WORK_H

#include "base/vector.h"
#include "snapshots/base_image.h"
#include "snapshots/clock.h"
#include "snapshots/history_header.h"
#include "snapshots/live.h"
#include "snapshots/sealer.h"
#include "snapshots/writer.h"

#include <pthread.h>
#include <stdatomic.h>

#define STAGE_BYTES ((size_t)1 << 20)
#define STAGE_DELAY_NS INT64_C(40000000)   // a staged byte reaches the file within 50 ms; the write itself takes part of them
#define ROOM_STEP_BYTES (UINT64_C(8) << 20) // of a segment, asked from the file system ahead of the records
#define MARGIN_BYTES UINT64_C(4096)         // always kept free behind the records for FLUSH, CLOCK and CLOSE
#define CLOSE_MARGIN_BYTES UINT64_C(512)    // of it for CLOCK and CLOSE alone
#define CACHED_SEGMENTS 64                  // sealed segments that are open for reading

#define ROWS_PER_PAGE 128 // 4 KiB of a request table
#define ROW_PAGES 64      // of each cached segment: 16 MiB in all at most

struct writer_row_page { uint64_t page; uint8_t bytes[ROWS_PER_PAGE * SEGMENT_ROW_BYTES]; };

struct writer_segment { // a segment and the file that it is in; shared, see writer_segment_put()
	struct segment s;
	char *name;
	atomic_uint references;
	// Of an unsealed one, under append_lock:
	uint64_t written_end; // bytes before it are in the file, those behind it in a stage
	uint64_t room_end;    // the file system keeps blocks up to here
	bool dirty;           // written to since the last fdatasync
	bool handed_over;     // the sealer has it
	// Of a cached one, under cache_lock:
	uint64_t used_at;
	struct writer_row_page *row_pages[ROW_PAGES];
};
VECTOR_DEFINE(writer_segment_vector, struct writer_segment *)

struct stage {
	uint8_t *bytes;
	size_t used;
	uint64_t from;             // position in the file
	struct writer_segment *to; // NULL: empty
};

struct writer {
	struct writer_options options;
	struct history_header header;
	char *folder;
	int folder_fd, segments_fd, lock_fd;
	struct live *live;
	struct sealer *sealer;
	struct base_image *base; // NULL: none

	pthread_mutex_t sync_lock, write_lock, append_lock, cache_lock;
	pthread_cond_t wake; // of the staging thread
	pthread_t thread;
	bool thread_started, stopping, thread_idle;

	// Under append_lock.
	struct writer_segment_vector unsealed; // older first; the last one takes the records
	struct u64_vector first_seqs, segment_bytes; // of segment number 1, 2 ...; the latter as they were sealed, 0 before
	struct stage stages[2], *filling, *on_its_way;
	struct clock clock;
	uint64_t last_seq, durable_seq;
	uint64_t last_realtime_ns; // of the last record
	uint64_t stored_bytes, index_bytes; // all that counts for max_size_bytes
	uint8_t last_type;
	bool folder_dirty; // a segment was made since the folder was synced
	bool room_unknown; // the file system cannot keep blocks: requests are written through instead
	atomic_bool failed; // set under append_lock; may be looked at without
	bool told_full, spent_reserve;
	struct error failure;

	struct writer_segment *cache[CACHED_SEGMENTS]; // under cache_lock
	uint64_t cache_clock;
};

// What goes into a record, before it has its place in the log.
struct writer_entry {
	enum record_type type;
	enum record_codec codec;
	uint16_t flags;
	uint64_t offset, length;
	const void *stored;
	uint32_t stored_bytes, content_crc;
	bool has_time; // realtime_ns is given (import)
	uint64_t realtime_ns;
	bool must; // may use the margin
};

// writer_append.c
int writer_append(struct writer *w, const struct writer_entry *e, uint64_t *ret_seq, struct error *err);
int writer_append_note(struct writer *w, enum record_type type, uint16_t flags, const void *content, size_t length, struct error *err);
// FLUSH or CLOSE, with the proof of what is durable now.
int writer_append_proof(struct writer *w, enum record_type type, uint16_t flags, struct error *err);

// writer_stage.c
int writer_start_stages(struct writer *w, struct error *err);
void writer_stop_stages(struct writer *w);
// Writes what is staged; *ret_seq (may be NULL): everything up to it is in the files. -EIO after any failure.
int writer_drain(struct writer *w, uint64_t *ret_seq, struct error *err);
int writer_drain_locked(struct writer *w, uint64_t *ret_seq, struct error *err); // write_lock is held
// Everything up to target is durable when it returns 0.
int writer_sync(struct writer *w, uint64_t target_seq, struct error *err);
int writer_pwrite(struct writer_segment *to, const void *bytes, size_t length, uint64_t at, struct error *err);
// append_lock held: remembers the first failure; nothing is answered with success any more. Returns -EIO.
int writer_fail(struct writer *w, const struct error *why);
int writer_failed(const struct writer *w, struct error *err); // append_lock held: 0 or -EIO

// writer_segments.c
struct writer_segment *writer_segment_new(struct segment *s, const char *folder);
void writer_segment_put(struct writer_segment *s);
// append_lock held, nothing staged: the next segment takes the records.
int writer_next_segment(struct writer *w, struct error *err);
// append_lock held: `bytes` more fit into the open segment, with the margin behind them. -ENOSPC, or another errno.
int writer_make_room(struct writer *w, uint64_t bytes, uint64_t margin, struct error *err);
struct writer_segment *writer_open_segment(struct writer *w); // append_lock held
// Once all is written: what was kept free behind the last record goes back to the file system.
void writer_give_back_room(struct writer *w);
void writer_release_segments(struct writer *w);
// writer_cache.c
uint64_t writer_number_of(const struct writer *w, uint64_t seq); // of the segment that holds it; append_lock held
// A sealed segment, referenced; opened when it is not cached.
struct writer_segment *writer_sealed_segment(struct writer *w, uint64_t number, struct error *err);
int writer_sealed_row(struct writer *w, struct writer_segment *s, uint64_t seq, struct segment_row *ret, struct error *err);

// writer_seal.c
int writer_start_sealer(struct writer *w, struct error *err);
// append_lock held: the sealer gets the first `count` unsealed segments, to which nothing is appended any more.
void writer_seal_later(struct writer *w, size_t count);
// An import writes no CLOSE: a footer says that its end is durable.
void writer_seal_import(struct writer *w);
void writer_warn(const struct writer *w, const char *message);

#endif
