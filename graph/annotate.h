// SPDX-License-Identifier: MIT
// The second witness: what recorded disks showed of the files in the graph. Pure: cmd/ asks the disks, this weighs what they answered.
//
//   annotation_new -> annotation_wishes (the best files of a first ranking) -> [cmd/: timeline_inodes] -> annotation_take
//   -> annotation_births (is it the right disk?) -> annotation_tighten (edges end earlier) -> trace_run once more -> picture_build
//
// Files are matched by (volume, inode, generation), never by path. Audit and inode times are the guest's clock, arrivals the host's.
//
// Tightening is sound: an arrival at D proves that its write happened before D; data comes 30 to 40 s late, or never. A write at t of a
// file that lives on arrives by t + ANNOTATE_PATIENCE. So where neither the recording, nor the guest, nor the inode ended within that time
// after an open's end, and nothing arrived in between, the open's interval may end at the last arrival before (never begin later), and without
// any arrival "no write seen" holds. In all other cases interval and weight stay: a reader may have been served from the page cache
// long before the write arrived, and a deleted file's content never comes.
#ifndef GRAPH_ANNOTATE_H
#define GRAPH_ANNOTATE_H

#include "base/error.h"
#include "base/vector.h"
#include "graph/model.h"
#include "graph/trace.h"
#include "snapshots/timeline.h"

#include <stdbool.h>
#include <stdint.h>

#define ANNOTATE_ASKED 500u /* files that the disks are asked for */
#define ANNOTATE_PATIENCE_NS (60 * UINT64_C(1000000000))
#define ANNOTATE_LOOK_ON_NS (2 * ANNOTATE_PATIENCE_NS) /* patience, and some time for the write that shows that the guest lived on */

struct annotate_volume {
	uint32_t host, dev;        // host: string id, 0 = any
	const char *name;          // as printed: "web01.history:1"
	uint64_t from_ns, to_ns;   // host time of the first record that was asked about, and of the last WRITE among them (not the last FLUSH:
				   // a guest that is gone writes nothing). Ask for ANNOTATE_LOOK_ON_NS more than the window, or nothing near
				   // its end can be told
	const struct timeline_span *breaks; // host time in between of which nothing was recorded: what the guest did then is unknown
	size_t break_count;
	const struct timeline_clock *clock; // no pieces: nothing is tightened, and births without crtime are not compared
};

enum annotate_verdict {        // of a file
	ANNOTATE_NOT_ASKED = 1,    // a mapped volume, but not among the best
	ANNOTATE_NOT_COVERED,      // no disk for its device, or nothing recorded of that time
	ANNOTATE_SHOWN,            // states follow
	ANNOTATE_NEVER_REACHED,    // the log saw it made, and the disk never showed it although the recording went on
	ANNOTATE_PENDING,          // it is there, but of its last state content never came in
};
enum annotate_state_verdict {
	ANNOTATE_STATE_BEFORE = 1, // it was so before the window (or before the recording)
	ANNOTATE_STATE_WRITTEN,    // "written here": the inode's time lies in an open for writing (or truncate, rename ...) of the log
	ANNOTATE_STATE_UNSEEN,     // the disk changed and no record of the log accounts for it: a finding
	ANNOTATE_STATE_CONTENT_PENDING,
	ANNOTATE_STATE_NAME,       // renamed, linked, attributes, deleted
	ANNOTATE_STATE_AFTER,      // it was made so after the log ends
};
struct annotate_state {
	struct timeline_state disk;
	enum annotate_state_verdict verdict;
	uint64_t syscall_ns;       // of the record that accounts for it (guest clock); NANOTIME_NONE
	uint64_t inode_ns;         // mtime, or ctime where only that moved (guest clock); NANOTIME_NONE
	uint64_t guest_ns;         // the arrival by the guest's clock, for axes; NANOTIME_NONE: offset unknown
	uint32_t edge;             // that record's edge, GRAPH_NONE
	uint32_t candidates;       // processes that may as well have done it, this one among them: more than 1 is ambiguous. 0 with an edge: it had
				   // closed the file by then, and can have written only through a mapping
	bool loss;                 // content went, or was changed, of a file that had only ever been appended to
};
VECTOR_DEFINE(annotate_states, struct annotate_state)

struct annotate_answer {
	enum annotate_verdict verdict;
	uint32_t volume;           // index, GRAPH_NONE: none covers it
	uint32_t generation;       // the inode's i_generation; which life of the inode this file is
	uint64_t crtime_ns;        // NANOTIME_NONE: not there
	struct annotate_states states; // of that life, oldest first
};

struct annotation;
// Volumes are copied but for their clocks and breaks, which must outlive it. NULL and err.
struct annotation *annotation_new(const struct graph *g, const struct annotate_volume *volumes, size_t count, struct error *err);
void annotation_free(struct annotation *a);
// The time of which the log tells everything (guest clock). Without it: from the graph's first event to its last, which is too long where
// older events were brought in; it never tells more than that. To be set before annotation_take().
void annotation_set_window(struct annotation *a, uint64_t from_ns, uint64_t to_ns);

#define ANNOTATE_BIRTHS 16u /* files of a volume whose making is on record: so many are asked for, if need be outside of the slice */
struct annotate_wish { uint32_t file, volume; uint64_t inode; bool birth_only /* its states are no part of the case */; };
VECTOR_DEFINE(annotate_wishes, struct annotate_wish)
// The best `limit` files of the slice on the volumes, best first; ties as in trace.order. Two lives of one inode are two wishes. Behind them
// those that only tell whether it is the right disk: a case that made no file itself would believe any.
int annotation_wishes(struct annotation *a, const struct trace *t, size_t limit, struct annotate_wishes *ret, struct error *err);
// What a volume answered about the inodes of its wishes (all states, as timeline_inodes() groups them).
int annotation_take(struct annotation *a, uint32_t volume, const struct timeline_states *states, struct error *err);
// The volume's answer may lack states (a damaged journal, more states than are told at once): nothing on it is tightened, and
// nothing is said to have never reached it, for its silence proves nothing. Before annotation_take().
void annotation_doubt(struct annotation *a, uint32_t volume);

// Is it the right disk? The log's births (open, creat, mkdir, mknod, symlink; not rename, not link) against the inode's.
struct annotate_births { uint32_t compared, matched; };
int annotation_births(const struct annotation *a, uint32_t volume, struct annotate_births *ret, struct error *err);

struct annotate_tightened { uint64_t ended, no_write_seen; };
// Shortens edges of g (the graph it was made for), and marks those without a write. Call once, when all was taken.
int annotation_tighten(struct annotation *a, struct graph *g, struct annotate_tightened *ret, struct error *err);

// Never NULL for a file of the graph.
const struct annotate_answer *annotation_of(const struct annotation *a, uint32_t file);
const struct annotate_volume *annotation_volume(const struct annotation *a, uint32_t volume);
const char *annotate_verdict_words(enum annotate_verdict v);             // "never reached the disk"
const char *annotate_state_words(enum annotate_state_verdict v);         // "written here"
const char *annotate_change_words(const struct timeline_state *s);       // what it changed: "grew", "changed in place", "emptied"; ""
// The file that came under the name of a log when that was deleted, or was put in its place; GRAPH_NONE.
uint32_t annotate_written_anew(const struct graph *g, uint32_t file, uint64_t gone_ns);
const struct annotate_state *annotate_first_full(const struct annotate_answer *a); // the first state with content; NULL
char annotate_glyph(const struct timeline_state *s);                     // '+' '~' 'v' 'x' '>'

// ---- moments: which contents matter for a file

enum annotate_moment_kind { ANNOTATE_BEFORE = 1, ANNOTATE_AFTER, ANNOTATE_EXECUTED };
struct annotate_moment {
	enum annotate_moment_kind kind;
	uint32_t edge;             // of the graph
	uint64_t serial, guest_ns; // of the event (an edge can stand for several); serial 0: the last of more than the graph keeps
	uint64_t host_ns, error_ns;// guest_ns by the host's clock
	// AFTER: of the first state after; 0: none came. Else 0, and the last record is meant that is not after host_ns - error_ns (BEFORE: it
	// is surely from before the event) or host_ns (EXECUTED: execve reads the file after its stamp).
	uint64_t seq;
};
VECTOR_DEFINE(annotate_moments, struct annotate_moment)
// For each event that opened the file for writing, truncated, renamed or deleted it: BEFORE and AFTER; for each that executed it: EXECUTED.
// One for each event of each edge: a call that creates and opens stands behind two. In order of time. None where no volume covers the
// file or its clock is unknown. ret is overwritten.
int annotation_moments(const struct annotation *a, const struct graph *g, uint32_t file, struct annotate_moments *ret, struct error *err);

#endif
