// SPDX-License-Identifier: MIT
// The case: what a person is shown. About 50 drawn nodes (never over 60), the rest folded with counts and names, a numbered
// story, and what is missing. Writers (graph/write.h) turn it into svg, json, csv, dot, graphml, text and compute nothing of their own.
//
// Strings in here are raw bytes as the log had them, in `text` spans owned by the picture (may hold any byte): each writer escapes.
#ifndef GRAPH_PICTURE_H
#define GRAPH_PICTURE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/nanotime.h"
#include "base/vector.h"
#include "graph/model.h"
#include "graph/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct annotation;

struct text { const char *bytes; size_t length; }; // bytes may be NULL when length is 0; NUL follows otherwise

// What a recorded disk showed of a file at one moment (graph/annotate.h).
struct picture_disk_state {
	char glyph;                  // as in picture_state
	uint64_t time_ns;            // its arrival on the disk by the guest's clock, so that it stands right on the axis
	uint64_t size_bytes;
	struct text verdict;         // what changed, by whom, and the doubt: "grew, written here by rsyslogd [612], or by 1 other that had it open",
				     // "changed in place: no record accounts for it", "as before" ...
	bool loss;                   // content went, or was changed, of a file that had only ever been appended to
	// Three times of one state; NANOTIME_NONE: not known.
	uint64_t syscall_ns, inode_ns; // the record that accounts for it, and the inode's own: both the guest's clock
	uint64_t arrival_ns;         // the host's clock: the one that --restore-at takes
	uint64_t seq;                // the moment of the history, exactly
};

enum picture_kind { PICTURE_PROCESS, PICTURE_FILE, PICTURE_ADDRESS, PICTURE_CHANNEL /* pipe, unix socket */, PICTURE_KERNEL, PICTURE_FOLD };

struct picture_state { char glyph; uint64_t time_ns; struct text words; }; // '+' created '~' opened for writing 'v' truncated 'x' deleted; > renamed

struct picture_node {
	uint32_t id;                 // printed as n%u; stable: 1, 2, ... in order of first time
	enum picture_kind kind;
	struct text name;            // process: base name of exe or comm; file: base name; address: "10.0.0.5"; fold: "212 files"
	struct text detail;          // process: command line; file: folder; address: "443/tcp"; fold: common prefix
	struct text full;            // the whole path, the whole command line
	struct text user;            // "alice", "uid 1000"; process only
	bool user_changed, root;     // uid changed in its life; euid 0 with another auid
	uint32_t pid, ppid;
	struct text exe, comm, cwd, tty;
	struct text *argv; size_t argv_count;
	uint32_t auid, uid, euid, session;
	uint32_t dev; uint64_t inode; uint32_t generation; // file
	struct text *names; size_t name_count;             // all names of a file
	struct event_address address; // address
	struct text protocol;
	uint64_t first_ns, last_ns;  // of what is known about it (process: birth/exit)
	bool ended;                  // exit or delete was seen
	struct picture_state *states; size_t state_count; // files: what the records say of its content over time
	struct picture_disk_state *disk_states; size_t disk_state_count; // in order of time; shown instead of `states` where there are any
	struct text disk_verdict;    // file: "shown", "never reached the disk", "disk not covered", "not asked" ...; empty: no disk was given
	uint32_t disk;               // index into picture.disks; GRAPH_NONE
	uint64_t born_ns;            // file: the disk's birth time (guest clock) where no record saw its creation; NANOTIME_NONE
	bool recovered;              // known only by records that a disk history gave back
	enum trace_side side;
	bool alert, on_path, root_cause, choke_point, login, persistence, after_module_load, gap_overlap, inferred_only;
	double score; uint32_t rank;
	struct text reason;          // one line: why it is shown
	struct text explanation;     // every factor of its score, a line per edge of its best path (trace_explain); fold: empty
	uint32_t *graph_nodes; size_t graph_node_count; // what it stands for in the graph
	uint32_t fold;               // PICTURE_FOLD: index into folds; else GRAPH_NONE
	// layout, filled by layout_run: centre and size in px
	double x, y, width, height;
	bool attached;               // a fold that stands right above or below its only neighbour
};
VECTOR_DEFINE(picture_node_vector, struct picture_node)

struct picture_edge {
	uint32_t id;                 // e%u
	uint32_t from, to;           // picture nodes (indices)
	enum flow_op op;             // most severe of what was merged: delete > truncate = setid > connect > exec > write > read > fork
	uint32_t ops;                // bit per flow_op merged here
	enum flow_class class;
	bool failed, on_path, both_ways, correlation; // correlation: same destination, dotted, never walked
	bool recovered;              // rests on records that a disk history gave back
	bool no_write_seen;          // every open for writing behind it: the disk shows that nothing was written
	bool ended_by_disk;          // of an open for writing behind it the interval ends with the last write that the disk shows
	uint64_t write_until_ns;     // end of the last open for writing behind it; 0: none, or a fold's; NANOTIME_NONE: open when the log ends
	uint64_t count, first_ns, last_ns;
	uint64_t until_ns;           // last moment at which something may have flowed; NANOTIME_NONE: open when the log ends
	struct text label;           // "opened for writing x7", "executed", "connected (in progress) x4"
	uint64_t *serials; size_t serial_count; // at most 20, first ones
	struct edge_evidence *evidence; size_t evidence_count; // the same, with their lines' places
	uint64_t *further_serials; size_t further_serial_count; // events after those: at most 80
	uint32_t *records; size_t record_count; // raw lines of `evidence`: indices into the picture's records
	uint32_t step;               // first story number on it, 0 = none
	uint32_t *steps; size_t step_count;
	bool attached;               // layout_run: of such a fold; its words stand in the fold's box
	bool apart, apart_into;      // layout_run: drawn at one end (the target's?) only, where words name the other
	double *points; size_t point_count; // layout_run: cubic Bezier, x y pairs: 1 + 3k points; malloc, picture_free frees them
};
VECTOR_DEFINE(picture_edge_vector, struct picture_edge)

struct picture_member { struct text name; enum picture_kind kind; uint32_t pid; uint32_t dev; uint64_t inode; double score; uint64_t first_ns; uint32_t graph_node; };
struct picture_fold {
	uint32_t node;               // picture node that stands for it
	struct text rule;            // "opened for reading by python3 2311 in /usr/lib/python3.11"
	struct picture_member *members; size_t member_count;
};
VECTOR_DEFINE(picture_fold_vector, struct picture_fold)

struct picture_step {
	uint32_t number;             // from 1, in order of time; 0 = the alert line
	uint64_t time_ns;
	struct text words;           // "python3 [2311] opened /tmp/.x/stage2 for writing x7"
	uint32_t edge, node;         // picture indices, GRAPH_NONE
	bool on_path, alert;
};
VECTOR_DEFINE(picture_step_vector, struct picture_step)

enum note_kind { NOTE_LOGIN, NOTE_RAN, NOTE_DROPPED, NOTE_PERSISTS, NOTE_PRIVILEGE, NOTE_CLEANED, NOTE_CONTACT, NOTE_OTHER_CONTACT };
struct picture_note {
	enum note_kind kind;
	uint64_t time_ns;
	struct text words;
	uint32_t node;
	bool claimed;
	bool loss;                   // a recorded disk shows that a log lost what it held
};
VECTOR_DEFINE(picture_note_vector, struct picture_note)

// One line of completeness: loss is measured loss in the window (exit status 3); the others are standing blind spots.
struct picture_missing { bool loss; uint64_t from_ns, to_ns; struct text words; struct text rule; /* audit rule line that would have closed it, or empty */ };
VECTOR_DEFINE(picture_missing_vector, struct picture_missing)

struct picture_input { struct text name; struct text sha256; uint64_t from, to; }; // part read; to 0: nothing of it was
VECTOR_DEFINE(picture_input_vector, struct picture_input)

// The lines of one event, exactly as the log has them.
struct picture_record { uint64_t serial, time_ns; struct evidence_ref ref; struct text lines; };
VECTOR_DEFINE(picture_record_vector, struct picture_record)

// A file whose content a disk history could give back, and the command that asks for it.
struct picture_recovery {
	uint32_t node;
	uint64_t time_ns;            // the content of this moment
	bool lost;                   // the file's last content is gone from the disk, or was changed
	struct text words;           // "as it was before it was deleted"
	struct text command;         // HISTORY stands for the disk history where this case does not name it
	// Where a disk was asked; empty else. Brought by cmd/ (picture_set_preview).
	uint32_t edge;               // of the graph: the one that matters; GRAPH_NONE
	struct text command_after;   // the same for the first state after it
	struct text verdict;         // "complete", "content pending: 33 bytes, complete from ...", "not on the disk at this moment"
	struct text before_sha256, after_sha256, executed_sha256;
	struct text preview;         // lines: "  same", "- gone", "+ new" (a text diff), or hex dumps of both
	bool preview_is_hex, preview_is_cut;
};
VECTOR_DEFINE(picture_recovery_vector, struct picture_recovery)

// A recorded disk that was asked.
struct picture_disk {
	struct text dev, name, mount; // "fe:10", "web01.history:1"; mount may be empty
	uint64_t recorded_from_ns, recorded_to_ns; // host clock
	uint32_t births_compared, births_matched;
	uint32_t asked;              // files
	// malloc, picture_free frees it
	struct picture_clock { uint64_t from_ns, to_ns, base_ns; int64_t offset_ns; double drift; uint64_t error_ns; struct text source; bool stepped; } *clock;
	size_t clock_count;
	struct text words;           // one line for people: mapping, clock and its error, what was tightened
};
VECTOR_DEFINE(picture_disk_vector, struct picture_disk)

// A record of a log that the disk shows to have been removed or changed.
struct picture_log_finding {
	uint64_t time_ns, serial;    // the record's own
	uint64_t arrival_ns, gone_ns;// host clock: when it reached the disk; when it went. NANOTIME_NONE: unknown
	bool changed;                // else removed
	struct text log;             // where it was
	struct text was, is;         // the lines; is: empty when removed
	uint32_t node, edge;         // what it is drawn as; GRAPH_NONE
};
VECTOR_DEFINE(picture_log_finding_vector, struct picture_log_finding)

struct picture {
	struct text title;           // "python3 (started from thunderbird) contacted 10.0.0.5:443"
	struct text host;
	struct event_address alert_address; uint16_t alert_port;
	uint64_t alert_ns;           // NANOTIME_NONE: the user named no time
	struct text alert_signature; // from the IDS, or empty
	uint64_t contact_ns, from_ns, to_ns; // the window
	uint64_t events, graph_nodes, graph_edges, sliced_nodes; // "18,204 events reduced to 20 links"
	struct timezone_choice zone;
	struct text command, version; // provenance line
	struct picture_node_vector nodes;
	struct picture_edge_vector edges;
	struct picture_fold_vector folds;
	struct picture_step_vector steps;
	struct picture_note_vector notes;
	struct picture_missing_vector missing;
	struct picture_input_vector inputs;
	struct picture_recovery_vector recoveries; // by node
	struct picture_record_vector records;      // picture_add_record; none: cmd/ brought none
	struct picture_disk_vector disks;          // cmd/ brings them
	struct picture_log_finding_vector log_findings; // by time; cmd/ brings them
	bool linear_time;            // the timeline is to scale: waits are as long as they were
	bool layout_fell_back;       // our own layout: exit status 3
	uint32_t layout_rows;        // by layout_run: 1, or more when a wide graph was broken into rows
	double around_y;             // by layout_run: below this stands what is not on the path; 0: all stands together
	double width, height;        // of the causality pane's content
	void *arena;                 // private: owns every text
};

struct picture_options {
	uint32_t drawn;              // aim, 0 = 50; never more than 60
	struct timezone_choice zone;
	struct event_address alert_address; uint16_t alert_port;
	uint64_t alert_ns;
	const char *alert_signature; // may be NULL
	uint64_t from_ns, to_ns;
	const char *command, *version;
	bool linear_time;
	const struct annotation *annotation; // what disks showed (graph/annotate.h); NULL: none was asked
	const char *(*user_name)(uint32_t uid, void *context); // NULL: numbers only. Never the analyst's own /etc/passwd by default
	void *user_name_context;
};

// Folds, names, tells the story. NULL and err on failure.
struct picture *picture_build(const struct graph *g, const struct trace *t, const struct picture_options *options, struct error *err);
void picture_free(struct picture *p);

// Adds a line about missing evidence or an input; copies the bytes. cmd/ turns `struct completeness` into these.
int picture_add_missing(struct picture *p, bool loss, uint64_t from_ns, uint64_t to_ns, const char *words, const char *rule, struct error *err);
int picture_add_input(struct picture *p, const char *name, const char *sha256, uint64_t from, uint64_t to, struct error *err);
// The lines behind evidence `index` of edge `edge`; copies them, once for all edges that rest on the same event.
int picture_add_record(struct picture *p, uint32_t edge, size_t index, const char *lines, size_t length, struct error *err);
bool picture_has_record(struct picture *p, uint32_t edge, size_t index); // notes it for this edge when another edge brought it
struct text picture_text(struct picture *p, const void *bytes, size_t length); // copies into the arena; {NULL,0} when out of memory

// --why: NODE is a path, `pid`, `pid@time`, an address or a printed id (n12). Answers for shown and folded nodes, and says of a
// node outside the slice that, and why, it is not in it. 0 written, 1 no such node anywhere, -1 err.
int picture_why(const struct picture *p, const struct graph *g, const struct trace *t, const char *node,
		struct buffer *out, struct error *err);

#endif
