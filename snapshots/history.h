// SPDX-License-Identifier: MIT
// Front door: a history is a folder that holds every write of a virtual disk. One writer, any number of readers.
//
//     web01.history/
//       header                 UUID, disk size, flags; written once (history_header.h draws it)
//       base                   only with a base image: its path, size and SHA-256 per 4 MiB (base_image.h)
//       lock                   held by the writer (open file description lock); its pid as text
//       reserve                blocks kept for a clean close on a full disk
//       segments/00000001.segment ...           the evidence (segment.h); a cut tail is kept as NUMBER.torn-N
//       index/                 derived, may be removed at any time: sorted tables (table.h)
//
// FORMAT.md has the rules that bind them: order, crash, clock.
#ifndef SNAPSHOTS_HISTORY_H
#define SNAPSHOTS_HISTORY_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/vector.h"
#include "snapshots/segment.h"

#include <stdbool.h>
#include <stdint.h>

// ---- making one

struct history_plan {
	uint64_t size_bytes;    // of the disk; 0 with a base: the base's size
	const char *base_path;  // NULL: the disk starts with zeros
	uint64_t segment_bytes; // 0: SEGMENT_DEFAULT_BYTES
};
// Makes the folder (0700), which must not exist or be empty. On failure nothing of it stays behind. Writes no time anywhere.
int history_init(const char *folder, const struct history_plan *plan, struct error *err);

// ---- reading; while a writer runs, too

struct history;
// Reads the segments' headers and footers, scans what is unsealed. Costs the unsealed segments, not the history.
int history_open(const char *folder, struct history **ret, struct error *err);
void history_free(struct history *h);
// Sees what a running writer added meanwhile.
int history_refresh(struct history *h, struct error *err);

struct history_facts {
	const char *folder;
	uint8_t uuid[16];
	uint64_t size_bytes, segment_bytes;
	bool has_base;
	const char *base_path; // as recorded, absolute
	uint64_t last_seq;     // 0: no record yet
	uint64_t last_flush_seq, last_flush_ns;
	uint64_t first_ns, last_ns; // of the first and the last record; NANOTIME_NONE: no record
	uint64_t segment_count, record_count;
	bool torn;             // the unsealed end holds bytes that are no record (a crash, or a writer in the middle of one)
	struct error torn_reason;
	bool being_written;    // somebody holds the lock
};
int history_facts(struct history *h, struct history_facts *ret, struct error *err);
// What costs the history and not only its end: written_bytes is the sum of all WRITE lengths, out of every request table (read once).
struct history_space { uint64_t stored_bytes /* segments */, index_bytes, written_bytes; };
int history_space(struct history *h, struct history_space *ret, struct error *err);

// The row and the place of a record. seq 1 .. last_seq.
int history_row(struct history *h, uint64_t seq, struct segment_row *ret, struct error *err);
int history_record(struct history *h, uint64_t seq, struct record *ret, struct error *err);
// Content of a WRITE or note, see segment_read_content().
int history_content(struct history *h, uint64_t seq, uint64_t within, void *bytes, size_t length, struct error *err);
// Calls visit() for each row of seqs (from, to] in order; stops when it returns other than 0 and returns that (1), -1 on errors.
typedef int history_visit(void *context, uint64_t seq, const struct segment_row *row, struct error *err);
int history_walk(struct history *h, uint64_t from_seq, uint64_t to_seq, history_visit *visit, void *context, struct error *err);

// ---- moments: a state of the disk is a seq: everything up to it has happened

// The last seq whose time is not after time_ns. 0: before the first record. When the clock was stepped and time_ns falls into two
// clock epochs: -1, and err names both candidates as seq:N.
int history_moment(struct history *h, uint64_t time_ns, uint64_t *ret_seq, struct error *err);
// The realtime of a seq (0: NANOTIME_NONE).
int history_time_of(struct history *h, uint64_t seq, uint64_t *ret_ns, struct error *err);

// A stretch in which realtime ran with boottime.
struct history_epoch { uint64_t first_seq, last_seq, first_ns, last_ns; /* last_ns: until it ended, by its own clock */ };
VECTOR_DEFINE(epoch_vector, struct history_epoch)
int history_epochs(struct history *h, struct epoch_vector *ret, struct error *err);

// ---- judging

struct history_damage { char file[64]; uint64_t byte; struct error reason; };
VECTOR_DEFINE(damage_vector, struct history_damage)
struct history_verdict {
	struct damage_vector damages; // the caller releases; empty: sound
	uint64_t segments, records, bytes, tables;
	bool torn; struct error torn_reason; // an unfinished end is reported, and is no damage
};
// Every record, every seq, every table, without keys. progress may be NULL.
int history_verify(const char *folder, struct history_verdict *ret, void (*progress)(void *context, uint64_t done, uint64_t of), void *context,
		   struct error *err);

#endif
