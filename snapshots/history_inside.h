// SPDX-License-Identifier: MIT
// Inside of history.h: what its files share. Nobody else includes this.
//
// A history keeps some hundred bytes for each segment, and rows only of unsealed ones. Files of sealed segments are opened when
// something is read, and closed again when HISTORY_MAX_FILES are open. One mutex guards all of it; contents are read outside of it,
// from a file object that is held meanwhile.
#ifndef SNAPSHOTS_HISTORY_INSIDE_H
#define SNAPSHOTS_HISTORY_INSIDE_H

#include "snapshots/base_image.h"
#include "base/nanotime.h"
#include "snapshots/history.h"

#include <pthread.h>

#define HISTORY_MAX_FILES 256  // our limit: open sealed segments at once; programs start with 1024 descriptors
#define HISTORY_PAGE_ROWS 64   // rows that are read at once for a single lookup
#define HISTORY_PAGES 256      // 640 KiB of rows
#define HISTORY_CHECKED 8192   // 128 KiB; records whose checksum was right, so that a large one is not summed up for each small read

// An open segment file. One that was replaced by its sealed or compressed form lives on until nobody holds it.
struct history_file {
	unsigned references;
	uint64_t serial; // differs for each file ever opened: rows of the raw and of the compressed form do not mix
	bool table_checked;
	struct segment segment;
};

struct history_segment {
	uint64_t number, first_seq, record_count, records_end;
	uint64_t least_realtime_ns, greatest_realtime_ns, last_flush_seq;
	uint64_t written_bytes; // valid when counted
	uint64_t used;          // for finding the file that was not used for the longest time
	uint32_t clock_count;
	uint64_t checked_inode, checked_change_ns; // the file whose request table had the right checksum; it need not be read again
	bool sealed, compressed, counted;
	char *name;                // for messages and for opening it again
	struct history_file *file; // NULL: closed. Always open while unsealed
};
VECTOR_DEFINE(history_segment_vector, struct history_segment)

struct history_page { // rows [index * HISTORY_PAGE_ROWS, ...) of a file
	uint64_t serial, index;
	struct segment_row rows[HISTORY_PAGE_ROWS];
};

#define HISTORY_CHUNKS 32u     // 4 MiB of decompressed content
#define HISTORY_BLOCKS 256u    // 1 MiB of requests of one block: a block of inodes is compared with what it was some hundred requests ago
#define HISTORY_BLOCK_BYTES 4096u
#define RECORD_CHECKSUM_AT 4   // record.h

struct history_chunk;

struct history_checked {
	uint64_t serial, seq; // of the file
};

struct history {
	pthread_mutex_t lock;
	char *folder;
	struct history_facts fixed; // what the header said
	struct base_head base_head;
	struct history_segment_vector segments; // number = index + 1
	uint64_t uses, serials;
	size_t open_files[HISTORY_MAX_FILES], open_count; // indices of the sealed segments whose files are open
	bool torn;
	struct error torn_reason;
	struct history_page *pages;
	struct history_checked *checked;
	struct history_chunk *chunks;
	struct base_image *base; // opened at first use
	struct epoch_vector epochs;
	uint64_t epochs_until; // records up to this one are in epochs
	char boot_id[36];      // of the last OPEN among them
	bool has_boot_id;
};

// ---- history_files.c; the caller holds the lock

// Opens segment `index` unless it is open, and holds it. history_file_put() lets go.
int history_file_get(struct history *h, size_t index, struct history_file **ret, struct error *err);
void history_file_put(struct history_file *f);
// Puts f in place of the segment's file; takes over the caller's reference.
void history_file_replace(struct history *h, size_t index, struct history_file *f);
struct history_file *history_file_new(struct history *h); // one reference, fd -1; NULL: out of memory
// Rows [first, first + count) of segment `index`, and the file that they belong to (held) when ret_file is not NULL.
int history_rows(struct history *h, size_t index, uint64_t first, size_t count, struct segment_row *ret, struct history_file **ret_file,
		 struct error *err);
// The same for a single row, through the pages.
int history_one_row(struct history *h, size_t index, uint64_t at, struct segment_row *ret, struct history_file **ret_file, struct error *err);

// ---- history_list.c; the caller holds the lock

int history_list_load(struct history *h, struct error *err);
int history_list_refresh(struct history *h, struct error *err);

// ---- history_read.c; the caller holds the lock

uint64_t history_last_seq(const struct history *h);
// Index of the segment that holds seq, which lies in 1 .. last.
size_t history_find(const struct history *h, uint64_t seq);
int history_check_seq(const struct history *h, uint64_t seq, struct error *err);
int history_read_at(struct history *h, uint64_t seq, struct segment_row *ret_row, struct history_file **ret_file, struct error *err);

// A row with what is needed to read its record while the lock is not held.
struct history_place {
	uint64_t seq;
	struct segment_row row;
	struct history_file *file;
	struct segment segment; // a copy: of an unsealed one, rows and counts go on growing
	const char *name;       // lives as long as the history
	bool checked;           // its checksum was right before
};

// ---- history_chunks.c; takes the lock

struct history_chunk *history_chunks_new(void); // NULL: out of memory
void history_chunks_free(struct history_chunk *chunks);
// A small record is read as a whole: its checksum and its content come from the same bytes, in one system call.
#define HISTORY_SMALL_BYTES 8192u // stored, with its header
bool history_is_small(const struct segment_row *row);
// As segment_read_content(); checks the record, too.
int history_chunks_read_small(struct history *h, struct history_place *p, uint64_t within, void *bytes, size_t length, struct error *err);
// As segment_read_content(), for a record that was checked.
int history_chunks_read(struct history *h, const struct history_place *p, uint64_t within, void *bytes, size_t length, struct error *err);

// Takes the lock. Content of the WRITE seq, as it lies on the disk at `offset`; -1 also when the record does not hold that range.
int history_content_at(struct history *h, uint64_t seq, uint64_t offset, void *bytes, size_t length, struct error *err);
// Takes the lock. What the header and footer of segment `index` said; false: there is none.
bool history_segment_facts(struct history *h, size_t index, struct segment *ret);

// ---- history.c

// The base image, opened at the first call; NULL when there is none. Takes the lock.
int history_base(struct history *h, struct base_image **ret, struct error *err);

#endif
