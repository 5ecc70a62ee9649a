// SPDX-License-Identifier: MIT
// Every line that some files ever held. Pure: whoever follows the files says which bytes changed; only those are looked at again, so that
// a log of 10,000 appends costs its own length.
//
// A line ends in a newline; lines are told apart by a keyed hash, and two equal ones are one. One that holds a NUL byte is none: that is
// content on its way (pages come in one by one), and what stands there will be seen when it is there.
#ifndef SNAPSHOTS_LINE_TABLE_H
#define SNAPSHOTS_LINE_TABLE_H

#include "base/error.h"
#include "base/line_hash.h"
#include "base/vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_TABLE_LINE_BYTES 65536u                /* our limit: of a longer line only its beginning is kept */
#define LINE_TABLE_MAX_LINES (UINT32_C(1) << 24)    /* our limit: 16 million distinct lines, about 1 GB */
#define LINE_TABLE_MAX_READ (UINT64_C(64) << 30)    /* our limit for the bytes that are looked at */

struct line_moment { uint64_t seq, time_ns; unsigned change; }; // change: bits of timeline.h, only handed on

struct line_entry {                // a distinct line, in the order in which they were found
	uint64_t hash;
	uint64_t gone_seq, gone_ns;    // live == 0: when the last one went
	uint32_t live;                 // places that hold it
	unsigned gone_change;
};
VECTOR_DEFINE(line_entries, struct line_entry)

struct line_found { uint64_t offset; const char *bytes; size_t length; bool complete; }; // length: without the newline
typedef int line_table_found(void *context, const struct line_found *line, struct error *err); // of a line that was never seen before

struct line_table {
	struct line_entries entries;
	uint32_t *slots;               // by hash: index of the entry, LINE_NONE
	size_t slot_count;
	struct line_key key;
	uint64_t read_bytes;
	bool full;                     // stopped at one of the limits
	// Not NULL: what is read stands in a file without a name. Its lines are told and count as gone at once; those that are known stay as they are.
	const struct line_moment *nameless;
	line_table_found *found;
	void *context;
	char *chunk, *line;            // being read; the beginning of the line that is being read
};
#define LINE_NONE UINT32_MAX

#define LINE_NAMELESS (UINT32_MAX - 1)

struct line_place { uint64_t from, to; uint32_t entry; }; // bytes of the file with the newline; LINE_NONE: not told (empty, or NUL bytes)
VECTOR_DEFINE(line_places, struct line_place)

struct line_file {                 // zeroed at first
	struct line_places places;     // where lines lie, in order, without overlap; what is behind the last one is the unfinished line
	char *tail;                    // its beginning
	size_t tail_kept;              // so much of it, up to LINE_TABLE_LINE_BYTES
	uint64_t tail_from, tail_to;   // to: the end of the file
	bool tail_nul;                 // it holds NUL bytes
};

struct line_source { // a file's content now
	uint64_t size;
	int (*read)(void *context, uint64_t offset, void *bytes, size_t length, struct error *err);
	uint64_t (*data)(void *context, uint64_t offset); // first byte from offset on that is not in a hole; NULL: there are no holes
	void *context;
};

// Frames of FSREAD_LINES begin with one of these as u64, and are full of what follows it.
enum line_frame {
	LINE_FRAME_CAME = 1, // u64 seq, host ns, inode; then of each line: u64 offset << 2 | mixed << 1 | complete, bytes. Lines are numbered in this order, from 0
	LINE_FRAME_WENT,     // of each line: u64 number, seq, host ns, change
	LINE_FRAME_ANEW,     // nothing more: what came before counts for nothing, it begins from the first line. At most once
};

int line_table_init(struct line_table *t, line_table_found *found, void *context, struct error *err);
void line_table_release(struct line_table *t);
void line_file_release(struct line_file *f);

// From where on content may still be on its way: the first line with NUL bytes among the last ones, or the unfinished line.
uint64_t line_file_unsettled(const struct line_file *f);
// Bytes [from, to) of the file are others than before, or new, or gone; where it became shorter, `to` is its old end.
int line_file_change(struct line_table *t, struct line_file *f, const struct line_source *now, uint64_t from, uint64_t to,
		     const struct line_moment *when, struct error *err);
// The file is gone. Its unfinished last line is told now (complete false).
int line_file_remove(struct line_table *t, struct line_file *f, const struct line_moment *when, struct error *err);

#endif
