// SPDX-License-Identifier: MIT
// Walks records in a file in order, through one buffer; each is checked in full (header, checksum, padding).
#ifndef SNAPSHOTS_SEGMENT_CURSOR_H
#define SNAPSHOTS_SEGMENT_CURSOR_H

#include "snapshots/record.h"

struct segment_cursor {
	int fd;
	const char *name;   // for messages
	uint64_t position;  // of the next record
	uint64_t end;       // of the bytes that may hold records
	uint8_t *bytes;     // of the file from `from` on
	size_t capacity, held;
	uint64_t from;
};

enum segment_step {
	SEGMENT_STEP_RECORD, // *ret, *ret_header and *ret_stored are set (valid until the next call); position is behind it
	SEGMENT_STEP_END,    // position == end
	SEGMENT_STEP_BAD,    // no whole valid record at position; err tells why
	SEGMENT_STEP_FAILED, // the file cannot be read, or out of memory; err
};

// Takes the position of the first record; fd stays the caller's.
void segment_cursor_init(struct segment_cursor *c, int fd, const char *name, uint64_t position, uint64_t end);
void segment_cursor_release(struct segment_cursor *c);
enum segment_step segment_cursor_next(struct segment_cursor *c, struct record *ret, const uint8_t **ret_header, const uint8_t **ret_stored,
				      struct error *err);
// `length` bytes at `at` (within [.., end)), or NULL and err.
const uint8_t *segment_cursor_bytes(struct segment_cursor *c, uint64_t at, size_t length, struct error *err);

#endif
