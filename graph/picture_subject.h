// SPDX-License-Identifier: MIT
// Subjects: what can become one node of the picture. Every node of the graph belongs to exactly one.
//
//   process   one per image that did something. A forked stub belongs to the program it executes (fork + exec is one box), and an
//             image that did nothing but execute the next one (env -> python3) belongs to that one
//   file      all versions of one generation
//   address   all connections with one remote address: outgoing by address and port, incoming by address alone (the peer's
//             port is a new one each time)
//   channel   a unix socket; a pipe, which is never drawn: it becomes an edge between those at its ends
//   kernel    one per host
#ifndef GRAPH_PICTURE_SUBJECT_H
#define GRAPH_PICTURE_SUBJECT_H

#include "base/error.h"
#include "graph/model.h"
#include "graph/picture.h"
#include "graph/trace.h"

#include <stdbool.h>
#include <stdint.h>

enum subject_mark {
	MARK_CREATED = 1u << 0,    // file: a sliced process brought it into being
	MARK_WRITTEN = 1u << 1,    // file: a sliced process opened it for writing, renamed it, ...
	MARK_RUN = 1u << 2,        // file: executed, or given to an interpreter as its script
	MARK_DROPPED = 1u << 3,    // file: written, then run
	MARK_PERSISTS = 1u << 4,   // file: written at a place from which it is started again (graph/persistence.h)
	MARK_CLEANED = 1u << 5,    // file: a log, cut or removed or replaced
	MARK_REMOVED = 1u << 6,    // file: written and run in this log, then deleted
	MARK_PRIVILEGE = 1u << 7,  // process: its effective user changed, or it became root
	MARK_CONTACT = 1u << 8,    // address: somebody else than the alert's
	MARK_INCIDENT = 1u << 9,   // hangs on what is on the path, not only on a common ancestor
	MARK_PATH = 1u << 10,      // on the chain from the root cause to the contact
	MARK_LINE = 1u << 11,      // the contact's own line of fork and exec, up to where its session or service begins
	MARK_CHOKE = 1u << 12,
	MARK_ALERT = 1u << 13,     // the alert's address
	MARK_KERNEL = 1u << 14,    // kernel changed or process injected into
	MARK_SESSION = 1u << 16,   // hangs on the contact's own session or service, above the path
	MARK_LOGIN_PEER = 1u << 17, // the listener that forked the session, and the address that it had accepted
	MARK_SECRET = 1u << 19,    // file: keys, password hashes (graph/persistence.h), opened for reading by the incident
	MARK_ABOVE = 1u << 18,     // above the begin of a session or service on the path: started it for others
	MARK_OURS = 1u << 20,      // part of the incident: on the path, following from it, or started by it; what the story is about
	MARK_SHELL = 1u << 21,     // the session's shell, on the path only because the path's first command was typed in it
	MARK_SCRATCH = 1u << 22,   // file: made and removed by one process, and used by nobody else
	MARK_SHOWN = 1u << 15,     // chosen for the picture as a node of its own
};

#define SUBJECT_SEVERAL (UINT32_MAX - 1)

struct subject {
	uint8_t kind;              // enum picture_kind, never PICTURE_FOLD
	uint8_t side;              // enum trace_side; TRACE_NONE: outside the slice
	bool pipe;
	uint8_t places;            // file: private to picture_subject.c
	uint32_t marks;            // enum subject_mark
	uint32_t best;             // its sliced node of the best rank; outside the slice its first node
	uint32_t rank, cost;       // of `best`
	uint32_t drawn;            // picture node that shows it or its fold, GRAPH_NONE
	uint32_t sole;             // file: the only process that had to do with it; GRAPH_NONE: nobody yet, SUBJECT_SEVERAL
	uint32_t actor;            // file: the incident's process nearest to the contact that did what must be seen to it, GRAPH_NONE
	uint64_t first_ns;         // of its first node
	uint64_t written_ns;       // file: first write by a sliced process; NANOTIME_NONE
	uint64_t run_ns;           // file: last run; 0
};

struct subjects {
	const struct graph *graph;
	const struct trace *trace;
	struct subject *items;
	uint32_t count;
	uint32_t *of;              // subject of each graph node
	uint32_t *member_start, *members; // graph nodes by subject: members[member_start[s] .. member_start[s + 1])
};

// *ret must be released. -1: out of memory.
int subjects_init(struct subjects *ret, const struct graph *g, const struct trace *t, struct error *err);
void subjects_release(struct subjects *s);

// The subject one hop nearer to the contact on the best path of `subject`, pipes passed through; GRAPH_NONE at the contact itself.
// *ret_edge (may be NULL): the edge that enters or leaves `subject` there.
uint32_t subjects_next(const struct subjects *s, uint32_t subject, uint32_t *ret_edge);
// Segment that names a process subject (the last of its images: the earlier ones only led to it); NULL for others.
const struct segment *subjects_segment(const struct subjects *s, uint32_t subject);
const struct file *subjects_file(const struct subjects *s, uint32_t subject);
// Sliced, and not a pipe: has to be drawn or to be in a fold.
bool subjects_wanted(const struct subject *subject);

#endif
