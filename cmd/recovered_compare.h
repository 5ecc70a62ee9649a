// SPDX-License-Identifier: MIT
// The lines that a disk ever held of a log against those of the log at hand: which were removed, which are forged. No history and no source
// is asked here.
//
// The line that stood on the disk first is auditd's own. One that has the same stamp, serial, type and item, and came when that one went,
// took its place. A log at hand that was taken earlier lacks what came later, and one that was rotated lacks what is older: neither was
// removed, as long as the disk still has it.
#ifndef CMD_RECOVERED_COMPARE_H
#define CMD_RECOVERED_COMPARE_H

#include "base/error.h"
#include "base/line_hash.h"
#include "base/vector.h"
#include "snapshots/log_lines.h"

#include <stdbool.h>
#include <stdint.h>

#define COMPARE_NONE UINT32_MAX
#define COMPARE_ONE_ACT_NS (2 * UINT64_C(1000000000)) /* as in snapshots/fs_tamper.c: writes of one act */
#define COMPARE_LATE_NS (120 * UINT64_C(1000000000)) /* content reaches the disk 35 s late as a rule; a stamp so much older than those before it is no delay */

enum compare_fate {
	COMPARE_KEPT = 1,   // in the log at hand
	COMPARE_REMOVED,    // given back
	COMPARE_REPLACED,   // given back; another line took its place
	COMPARE_FORGED,     // took another one's place, and is not in the log at hand
	COMPARE_LACKING,    // the disk still has it, and the log at hand goes on before and behind it: an extract, or a copy that was altered; given back
	COMPARE_NEWER,      // behind the end of the log at hand, and still on the disk
	COMPARE_OLDER,      // before its beginning, and still on the disk
	COMPARE_ROTATED,    // before its beginning; went with its rotated file: given back, and nobody's fault
	COMPARE_PASSING,    // half of an old line and half of a new one, while somebody wrote over the log
	COMPARE_NO_RECORD,  // no audit record
};

struct compared {           // a line of the disk
	const struct log_line *disk;
	const char *bytes;
	uint64_t time_ns;
	uint32_t serial, log;      // log: as given to compare_add
	enum compare_fate fate;
	uint32_t place_of;         // FORGED, or KEPT and forged: the line whose place it took
	uint64_t late_ns;          // it was put in front of lines whose stamps are so much newer; 0: it was not
	uint64_t gone_seq;         // of the record, however auditd enriched it; 0: still on the disk
	// private
	uint64_t hash, key;
	uint32_t next, tail;       // further ones with the same key
	bool in_log;
};
VECTOR_DEFINE(compared_vector, struct compared)

struct forged_line {        // of the log at hand
	size_t log;
	uint64_t offset;
	uint32_t was;              // the line of the disk in whose place it stands
	char *bytes; size_t length; // malloc
};
VECTOR_DEFINE(forged_vector, struct forged_line)

struct comparison {
	struct compared_vector lines;
	struct forged_vector forged;
	uint64_t given;            // records of the log at hand
	uint64_t matched;          // of them on the disk
	uint64_t first_ns, last_ns; // of the log at hand
	const char *host;           // whose disks they are; NULL: not named. Records with another node= are not compared
	// private
	struct line_key key;
	uint32_t *by_text, *by_key; // open hash tables
	size_t slots;
	char *node; size_t node_length; // of the first record with one
	bool many_nodes;           // several hosts: a record that no disk held may be another host's
	struct log_group { uint32_t group; bool matched; } *groups; // per log: those that hold a line in common are one group
	uint32_t log_count;
	struct candidate_vector { struct candidate *items; size_t count, capacity; } candidates;
};

int compare_init(struct comparison *c, struct error *err);
void compare_release(struct comparison *c);
// All lines of a log of a disk; `lines` must outlive the comparison.
int compare_add(struct comparison *c, const struct log_lines *lines, uint32_t log, struct error *err);
int compare_index(struct comparison *c, struct error *err); // once all are there
// A line of the log at hand.
int compare_given(struct comparison *c, size_t log, uint64_t offset, const char *bytes, size_t length, struct error *err);
// Once the log at hand was told: does it, or a log that has lines in common with it, hold any record of the log at hand?
bool compare_is_akin(const struct comparison *c, uint32_t log);
// Decides each line's fate. alone: there is no log at hand; what the disk still holds is it.
int compare_decide(struct comparison *c, bool alone, struct error *err);
bool compare_gives_back(const struct compared *line);

#endif
