// SPDX-License-Identifier: MIT
// Front door: every line that a log on a recorded disk ever held.
//
// What a program only appends to is evidence of what was there: a line that went was removed, or its file was. The answer comes from
// provgraph-fsread. A log that is rotated (another name, or the same one with a number behind it) keeps its lines.
#ifndef SNAPSHOTS_LOG_LINES_H
#define SNAPSHOTS_LOG_LINES_H

#include "snapshots/timeline.h"

// A distinct line: the first time that it stood there. Two equal lines are one.
struct log_line {
	uint64_t at;              // private: in the spool
	uint32_t length;          // without its newline; at most 64 KiB of it are kept
	bool complete;            // false: the log ended within it when it was deleted
	bool mixed;               // it came when a part of it was rewritten: forged, or seen while a writer was half done
	uint64_t seq, arrival_ns; // when it reached the disk (host clock); 0: it was there when the span began
	uint64_t gone_seq, gone_ns; // when it was gone for good (host clock); 0: still there at the end of the span
	unsigned gone_change;     // by what: bits of enum timeline_change; RENAMED: its file was moved on before (rotation)
	uint64_t inode, offset;   // where it first stood
};
VECTOR_DEFINE(log_line_vector, struct log_line)

struct log_lines {
	struct log_line_vector lines; // in the order in which they came; rotated files that were there before, oldest first, come first
	int fd;                   // private: an unlinked temporary file with the bytes
	const char *bytes;        // private: the same, mapped
	uint64_t length;
};

// Of the lines in (from_seq, to_seq], and those that were there at from_seq. file->path: the log's present name. 0; 1 when the file was
// never there; -1. *ret is released by log_lines_free() after 0.
int log_lines_read(const struct timeline_file *file, uint64_t from_seq, uint64_t to_seq, struct log_lines *ret, struct error *err);
void log_lines_free(struct log_lines *l);
static inline const char *log_line_bytes(const struct log_lines *l, const struct log_line *line) // line->length bytes; no NUL among them or behind
{
	return l->bytes + line->at;
}

#endif
