// SPDX-License-Identifier: MIT
// Between fs_job_lines.c (what a log held while it had a name) and fs_job_lines_nameless.c (what was written to it after).
#ifndef SNAPSHOTS_FS_JOB_LINES_H
#define SNAPSHOTS_FS_JOB_LINES_H

#include "snapshots/fs_states.h"
#include "snapshots/line_table.h"

struct moved { uint64_t inode, from_seq, mtime_ns; uint32_t generation; bool nameless; }; // a file that is followed by its inode
VECTOR_DEFINE(moved_vector, struct moved)

struct lines {
	struct fs_job *job;
	struct fs_span *span;
	struct line_table table;
	struct moved_vector moved;
	struct buffer frame;        // lines that wait to be sent
	const struct timeline_state *state; // that brings them
	uint64_t arrival_ns;
	bool moved_on;              // of a file that was the log before
	bool reads_all, doubts;     // of the journal; a cursor that read less found that it should not have
	uint64_t nameless_work;     // looking at files without a name: entries of their maps
};
int lines_flush(struct lines *l, struct error *err);
int lines_cursor_open(struct lines *l, uint64_t seq, struct fs_cursor **ret, struct error *err);
void lines_cursor_free(struct lines *l, struct fs_cursor *cursor);
// Bytes [from, to) changed, of a file of `size` bytes that lies as the map says.
int lines_take(struct lines *l, struct fs_cursor *cursor, const struct fs_map *map, uint64_t size, struct line_file *file, uint64_t from, uint64_t to,
	       const struct line_moment *when, struct error *err);

// Whether the inode has no name any more, and content: somebody has it open, and may write on.
int lines_is_nameless(struct lines *l, struct fs_cursor *cursor, uint64_t inode, uint32_t generation, bool *ret, struct error *err);
int lines_follow_nameless(struct lines *l, const struct moved *file, struct error *err);

#endif
