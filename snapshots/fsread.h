// SPDX-License-Identifier: MIT
// Asking provgraph-fsread, the only process that interprets guest bytes.
//
// The question goes in, frames come out (wire.h); the job's own header says which. The process has no network, opens nothing but
// the history and its base image (Landlock, seccomp), has limits on memory and time, and is not root.
#ifndef SNAPSHOTS_FSREAD_H
#define SNAPSHOTS_FSREAD_H

#include "base/buffer.h"
#include "base/error.h"
#include "snapshots/wire.h"

#include <stdbool.h>
#include <stdint.h>

#define FSREAD_PROTOCOL 3 // both sides must agree; the first thing said
#define FSREAD_MOUNTS 3u  // a SAMPLE frame's source that is no sample (enum timeline_clock_source)

enum fsread_job {
	FSREAD_PARTITIONS = 1, // what is on the disk at to_seq
	FSREAD_PATCHES,        // what journal replay changes (disk views)
	FSREAD_STAT,           // one file: what it is
	FSREAD_CONTENT,        // one file's bytes, with its verdict
	FSREAD_LIST,           // a folder's entries
	FSREAD_TREE,           // a folder and everything below, with contents
	FSREAD_STATES,         // timeline.h: the states of one file between two moments
	FSREAD_TAMPER,         // timeline.h
	FSREAD_DIFF,           // timeline.h
	FSREAD_FILES,          // timeline.h
	FSREAD_INODES,         // timeline.h: the states of many inodes; list: the inodes
	FSREAD_CLOCK,          // timeline.h: samples of the guest's clock
	FSREAD_CONTENTS,       // contents.h: many inodes at many moments; list: four numbers for each wish
	FSREAD_LINES,          // log_lines.h: every line that a log ever held
};
#define FSREAD_LAST_JOB FSREAD_LINES

struct fsread_question {
	enum fsread_job job;
	const char *history;   // folder
	int partition;         // < 0: the only one with a file system
	uint64_t from_seq, to_seq; // the moment is to_seq; jobs over a span take (from_seq, to_seq]
	const void *path;      // bytes, may hold anything but NUL; NULL: by inode
	size_t path_length;
	uint64_t inode;        // when path is NULL
	bool raw;              // home blocks, without replay
	uint64_t max_bytes;    // of content; 0: no limit
	uint64_t time_ns;      // the moment as it was asked for, when that is later than to_seq's own time; 0: not known
	const uint64_t *list;  // further numbers, as the job says
	size_t list_count;
};
#define FSREAD_MAX_LIST (4u * 65536u) /* our limit: half a frame */

enum fsread_frame {
	FSREAD_FRAME_HELLO = 1,  // u64 protocol
	FSREAD_FRAME_ERROR,      // u64 kind (enum fsread_failure), string sentence
	FSREAD_FRAME_WARNING,    // string sentence
	FSREAD_FRAME_PARTITION,  // u64 number, start, length, string kind, u64 readable, string reason
	FSREAD_FRAME_PATCH,      // u64 disk offset, bytes
	FSREAD_FRAME_JOURNAL,    // u64 present, dirty, transactions, blocks, revoked, escaped, damaged
	FSREAD_FRAME_FILE,       // a struct fs_file (fs_file.h)
	FSREAD_FRAME_DATA,       // u64 offset, bytes: content of the last FILE, ascending; holes are not sent
	FSREAD_FRAME_VERDICT,    // fs_verdict.h
	FSREAD_FRAME_STATE,      // timeline.h
	FSREAD_FRAME_CHANGE,     // timeline.h
	FSREAD_FRAME_FINDING,    // timeline.h
	FSREAD_FRAME_END,        // the answer is whole; no END = something broke
	FSREAD_FRAME_WHOLE,      // in a tree: the last FILE's content was sent in full (its VERDICT, if any, before); CONTENTS: string, why it was not
	FSREAD_FRAME_SAMPLE,     // CLOCK: u64 source (enum timeline_clock_source); host, not before, guest ns, epoch for each sample. Source 0: when epochs begin
				 // FSREAD_MOUNTS: when it was mounted
	FSREAD_FRAME_WISH,       // CONTENTS: u64 number of the wish that the next frames answer, u64 there
	FSREAD_FRAME_LINE,       // LINES
	FSREAD_FRAME_QUESTION,   // the only one that goes the other way, behind a HELLO
};
enum fsread_failure {
	FSREAD_BROKEN = 1,     // cannot read: damage, unsupported file system, limits
	FSREAD_NO_SUCH_FILE,   // exit 1
	FSREAD_PARTITION_UNCLEAR, // exit 2, the sentence holds the list
};

// How the question travels.
void fsread_question_put(struct buffer *out, const struct fsread_question *q);
int fsread_question_get(struct wire_reader *r, struct fsread_question *ret, struct error *err); // strings are ret's
void fsread_question_release(struct fsread_question *q); // only after fsread_question_get()

// PATCH and DATA: an offset and bytes within the payload.
int fsread_get_piece(const void *payload, size_t length, uint64_t *ret_offset, const uint8_t **ret_bytes, size_t *ret_length,
		     struct error *err);
// PARTITION.
struct partition;
int fsread_get_partition(const void *payload, size_t length, struct partition *ret, struct error *err);

// Called for each frame but HELLO, ERROR, WARNING, END. Anything in payload may be a lie of a process that was taken over.
typedef int fsread_on_frame(void *context, uint32_t type, const void *payload, size_t length, struct error *err);
struct fsread_answer {
	enum fsread_failure failure; // 0: fine
	struct buffer warnings;      // one line each; the caller releases
};
// Runs the process to its end, or kills it when the answer breaks a limit or on_frame() returns other than 0. -1: it could not be run, or err tells its ERROR (then ret->failure says which kind).
int fsread_ask(const struct fsread_question *q, fsread_on_frame *on_frame, void *context, struct fsread_answer *ret, struct error *err);

#endif
