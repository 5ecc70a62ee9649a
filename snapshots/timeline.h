// SPDX-License-Identifier: MIT
// Front door: which states did a file have? The graph asks for its file nodes; `disk log`, `tamper`, `diff`, `files` print.
//
// Answers come from provgraph-fsread. Every state that reached the disk counts: home blocks, and each commit of the journal, so that
// 1,200 appends with fsync give 1,201 states though the inode's home shows a handful.
#ifndef SNAPSHOTS_TIMELINE_H
#define SNAPSHOTS_TIMELINE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum timeline_change { // what a state changed against the one before; several may be set
	TIMELINE_APPEARED = 1,  // first state of this inode and generation
	TIMELINE_GREW = 2,      // more bytes; those before unchanged
	TIMELINE_CUT = 4,       // fewer bytes
	TIMELINE_REWRITTEN = 8, // bytes changed that were there before
	TIMELINE_ARRIVED = 16,  // content that was pending came in; the file itself was not changed
	TIMELINE_METADATA = 32, // mode, owner, times, links only
	TIMELINE_DELETED = 64,   // the last name of the inode is gone; by path: the name. Sizes and times are those of what went
	TIMELINE_REPLACED = 128, // the name now means another inode (by path only): rename over it, delete and create
	TIMELINE_RENAMED = 256,  // with REPLACED or DELETED: what the name meant before lives on under another name (log rotation, mv)
};

struct timeline_state {
	uint64_t seq;             // the moment from which on a replayed view shows it
	uint64_t arrival_ns;      // host time of that record; 0 for the state in force at from_seq (change 0): it is older
	uint64_t inode;
	uint32_t generation;
	uint64_t size_bytes, mtime_ns, ctime_ns, crtime_ns; // guest clock; NANOTIME_NONE: not there
	uint32_t mode, uid, gid, links;
	unsigned change;          // enum timeline_change bits
	uint64_t changed_from, changed_to; // bytes [from, to) of the file that differ from the state before
	uint64_t pending_bytes;   // of the file's bytes that this state shows as NUL and that came in later
	bool from_journal;        // only a commit shows it (home blocks were never written with it)
	uint32_t tid;             // of that commit
};
VECTOR_DEFINE(timeline_states, struct timeline_state)

struct timeline_file { // volume and file
	const char *history; int partition; // < 0: the only file system
	const void *path; size_t path_length; // NULL: by inode
	uint64_t inode;
	struct buffer *warnings; // lines for people are appended; NULL: not wanted
};
// The states between two moments (from_seq, to_seq], oldest first, and before them the one in force at from_seq (if any). By path: the states
// of whatever the name meant. 0; 1 when the file was never there; -1.
int timeline_states(const struct timeline_file *file, uint64_t from_seq, uint64_t to_seq, struct timeline_states *ret, struct error *err);

// ---- many files at once

#define TIMELINE_MAX_INODES 4096u /* our limit for one question */
// The states of many inodes in one walk over the history, each as timeline_states() would tell it by inode: grouped by inode in the order
// asked (`inodes` holds no number twice), oldest first within one. An inode that was never there has none. 0, also when none had any; -1.
int timeline_inodes(const struct timeline_file *volume, const uint64_t *inodes, size_t count, uint64_t from_seq, uint64_t to_seq,
		    struct timeline_states *ret, struct error *err);

// ---- the guest's clock against the host's

// A stretch of host time in which the guest's clock ran evenly. The next begins where it was stepped, began to run at another rate, or where
// the recorder's own clock was stepped.
//
// Who is root in the guest can write any block of its disk, and so forge stamps. Single ones are left out and counted (contradicting). Who
// forges most of them moves the offset, but not unseen: a burst shows as two steps, there and back; only who forges every stamp from the
// first one on is believed, as one is who sets the guest's clock itself.
struct timeline_clock_piece {
	uint64_t from_ns, to_ns;   // host time, half-open; together they cover 0 .. NANOTIME_NONE
	uint64_t base_ns;          // host time at which offset_ns holds
	int64_t offset_ns;         // host minus guest
	double drift;              // change of the offset, ns per ns of host time
	uint64_t error_ns;         // between its samples the true offset lies within offset +- error
	uint64_t base_error_ns;    // at base_ns, in the middle, where it is least; from there to the first and the last sample it grows evenly
	uint64_t sampled_from_ns, sampled_to_ns; // samples show that it ran so from then until then; away from them the error grows by
	double drift_error;        // ns per ns
	uint64_t samples;
	uint64_t contradicting;    // further ones, left out: they contradict those before and behind them
	enum timeline_clock_source { TIMELINE_CLOCK_JOURNAL = 1 /* jbd2 commit blocks */, TIMELINE_CLOCK_AUDIT /* stamps inside blocks of an audit log */ } source;
	bool stepped;              // the guest's clock jumped where this piece begins: a finding
	bool host_stepped;         // the recorder's clock was stepped there
	int64_t step_ns;           // stepped: how far the guest's clock was set; negative: back
};
VECTOR_DEFINE(timeline_clock_pieces, struct timeline_clock_piece)
struct timeline_span { uint64_t from_ns, to_ns; }; // host time
VECTOR_DEFINE(timeline_spans, struct timeline_span)

struct timeline_clock {
	struct timeline_clock_pieces pieces;
	struct u64_vector mounts;  // host times at which the file system was mounted to be written: the guest was started anew, perhaps after a
				   // crash, and what it had not written by then it never wrote
};
void timeline_clock_release(struct timeline_clock *c);
// Out of the records (from_seq, to_seq]. 0; 1: nothing there tells the guest's time (no pieces); -1.
// The journal is read by its headers alone: a million records cost about 0.1 s. A longer span gives a smaller error.
int timeline_clock(const struct timeline_file *volume, uint64_t from_seq, uint64_t to_seq, struct timeline_clock *ret, struct error *err);
// Offset and error at a moment of host time. False: unknown. Between the last sample before a step and the first behind it nobody knows
// which offset held: the error covers both.
bool timeline_clock_at(const struct timeline_clock *c, uint64_t host_ns, int64_t *ret_offset_ns, uint64_t *ret_error_ns);
// Guest -> host. 0; 1: the guest's clock was set back and showed this time twice, the later one is told; -1: unknown (no pieces).
// A time that the guest's clock never showed, because it was set forward over it: the moment of that step.
int timeline_clock_to_host(const struct timeline_clock *c, uint64_t guest_ns, uint64_t *ret_host_ns, uint64_t *ret_error_ns);
int timeline_clock_to_guest(const struct timeline_clock *c, uint64_t host_ns, uint64_t *ret_guest_ns, uint64_t *ret_error_ns); // 0, -1

// One change of an append-only file other than at its end.
struct timeline_finding {
	uint64_t before_seq, seq, arrival_ns; // the last good moment; the state that changed it
	unsigned change;          // CUT, REWRITTEN, REPLACED, DELETED; with RENAMED where the old file lives on under another name
	uint64_t offset;          // first byte that differs
	uint64_t inode_before, inode_after;
	char *before, *after;     // the line(s) around the first difference, as bytes
	size_t before_length, after_length;
	uint64_t line;            // number of the first line that differs, from 1
	uint64_t lines_removed, lines_added;
};
VECTOR_DEFINE(timeline_findings, struct timeline_finding)
void timeline_findings_free(struct timeline_findings *f);
int timeline_tamper(const struct timeline_file *file, uint64_t from_seq, uint64_t to_seq, struct timeline_findings *ret, struct error *err);

// A name that differs between two moments.
struct timeline_difference {
	enum timeline_what {
		TIMELINE_ADDED = 1,
		TIMELINE_REMOVED,
		TIMELINE_KIND,
		TIMELINE_SIZE,
		TIMELINE_CONTENT,
		TIMELINE_ATTRIBUTES,
		TIMELINE_CAME_AND_WENT, // FILES only: there at neither moment
	} what;
	char *path; size_t path_length;
	uint64_t inode_before, inode_after, size_before, size_after; // CAME_AND_WENT: size_after is the last size it had
	unsigned kind_before, kind_after;  // enum fs_kind
	uint64_t changed_ns;               // FILES: disk arrival of the last change in the span; 0 else
};
VECTOR_DEFINE(timeline_differences, struct timeline_difference)
void timeline_differences_free(struct timeline_differences *d);
// Both answers are sorted by path. A name that another inode has taken over is one difference (inode_before, inode_after).
int timeline_diff(const struct timeline_file *volume, uint64_t from_seq, uint64_t to_seq, struct timeline_differences *ret, struct error *err);
// All files that changed in between, also those that came and went.
int timeline_files(const struct timeline_file *volume, uint64_t from_seq, uint64_t to_seq, struct timeline_differences *ret, struct error *err);

#endif
