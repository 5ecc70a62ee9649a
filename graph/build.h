// SPDX-License-Identifier: MIT
// What graph_add_event keeps while a graph is built; gone after graph_finish. Private to graph/build*.c.
//
//   build.c         takes events and hands them to      build_process.c  instances, births, execs, exits, identities
//   build_edge.c    edges before their ends are known   build_file.c     names, generations, versions, opens
//   build_finish.c  ends, versions, sorting, indices    build_net.c      connections, unix sockets
//   build_past.c    who was there before the window     build_channel.c  descriptors, pipes, injection, kernel
//
// All int functions return 0, or -1 when out of memory.
#ifndef GRAPH_BUILD_H
#define GRAPH_BUILD_H

#include "base/error.h"
#include "graph/graph.h"
#include "graph/table.h"

#include <stdbool.h>
#include <stdint.h>

#define EDGE_EVIDENCE_MAX 20   /* events kept per edge; edge.count tells all */
#define DESCRIPTORS_MAX 256    /* per process; the oldest is forgotten */
#define PIPES_INHERITED 4      /* a child inherits at most so many of its parent's newest pipes ... */
#define PIPE_HEIRS 2           /* ... and a pipe at most so many children of one process: a reader and a writer */

// An edge whose end is not known yet. One end is a process node, the other a file (its version is found at the end) or a node.
struct draft_edge {
	uint32_t process_node;       // GRAPH_NONE: `from` and `other` are both plain nodes
	uint32_t other;              // file index if is_file, else node
	uint32_t from;               // only without process_node
	bool is_file, into_other;    // into_other: process -> other
	bool until_end;              // ends when the segment ends, or its descriptor is closed
	bool survives_exec;          // the descriptor is still there after execve
	bool failed;
	uint8_t op, class;
	uint64_t start_ns, end_ns, last_ns, serial;
	uint32_t version;            // is_file: content version in force at the first event, by serial order (exact where ticks are not)
	uint32_t count, evidence_head, evidence_tail, evidence_count;
};
VECTOR_DEFINE(draft_vector, struct draft_edge)

struct evidence_link { struct edge_evidence evidence; uint32_t next; };
VECTOR_DEFINE(evidence_link_vector, struct evidence_link)

enum descriptor_kind { DESCRIPTOR_FILE, DESCRIPTOR_CONNECTION, DESCRIPTOR_OTHER };
struct descriptor {
	int32_t fd;
	uint8_t kind;
	bool cloexec;
	uint32_t file;               // DESCRIPTOR_FILE
	uint32_t connection;         // DESCRIPTOR_CONNECTION: its node
	uint32_t drafts[2];          // the edges that it keeps open, GRAPH_NONE
};
VECTOR_DEFINE(descriptor_vector, struct descriptor)

struct held_pipe { uint32_t pipe, heirs, first_heir; bool open[2]; }; // open: the read end, the write end, as far as anybody knows
VECTOR_DEFINE(held_pipe_vector, struct held_pipe)

struct process_state {
	uint64_t first_ns;           // stamp of its first event
	uint64_t last_ns;            // and of its last
	uint32_t parent_node;        // segment that forked it, GRAPH_NONE
	uint64_t fork_start_ns, fork_end_ns, fork_serial;
	uint32_t fork_evidence;      // link, GRAPH_NONE
	bool exec_seen, asked;       // asked: named by graph_missing_ancestors
	struct descriptor_vector descriptors;
	struct held_pipe_vector pipes;
};
VECTOR_DEFINE(process_state_vector, struct process_state)

// A fork whose child has not shown itself yet: perhaps a thread, perhaps silent, perhaps late.
struct birth {
	uint32_t parent_node, parent, ppid_of_parent, evidence;
	uint64_t start_ns, end_ns, serial;
	bool same_parent;            // CLONE_PARENT: the child's ppid is the caller's
	bool has_identity;
	struct identity_change identity; // the forker's, which the child begins with
};
VECTOR_DEFINE(birth_vector, struct birth)

struct file_state { uint32_t older; uint32_t cuts; }; // older generation of the same inode
VECTOR_DEFINE(file_state_vector, struct file_state)

struct start_request { uint32_t client_node; const char *server; uint64_t time_ns, serial; uint32_t host, evidence; };
VECTOR_DEFINE(start_vector, struct start_request)

struct graph_builder {
	struct table processes;      // (host, epoch, pid) -> newest instance
	struct table births;         // (host, epoch, child pid) -> birth
	struct table files;          // (host, epoch, dev, inode) -> newest generation
	struct table symlinks;       // (host, name) -> file that is a symlink of that name
	struct table sockets;        // (host, epoch, dev, inode) or abstract name -> socket
	struct table drafts;         // (process node, file, op, cuts) -> draft that takes further opens in
	struct table kernels;        // host -> kernel
	struct process_state_vector states; // parallel to graph.processes
	struct file_state_vector file_states; // parallel to graph.files
	struct birth_vector birth_list;
	struct draft_vector draft_list;
	struct evidence_link_vector evidence;
	struct start_vector starts;
	bool pipes_audited;
	bool past;                   // taking in an event from before the window
};

void graph_drop_builder(struct graph *g); // build.c

// --- build_edge.c
// Keeps the place of an event's lines; GRAPH_NONE when the event has none. -1: out of memory.
int builder_evidence(struct graph *g, const struct event *e, uint32_t *ret_link);
// Adds a draft with its first evidence; *ret_index may be NULL.
int builder_draft(struct graph *g, struct draft_edge draft, const struct event *e, uint32_t *ret_index);
// A flow between a segment and a file or node. Same (segment, file, op) that are both open-ended become one.
int builder_file_edge(struct graph *g, uint32_t process_node, uint32_t file, enum flow_op op, bool into_file, bool until_end,
		      bool survives_exec, enum flow_class class_, const struct event *e, uint32_t *ret_index);
int builder_node_edge(struct graph *g, uint32_t process_node, uint32_t other, enum flow_op op, bool into_other, bool until_end,
		      enum flow_class class_, const struct event *e, uint32_t *ret_index);
int builder_plain_edge(struct graph *g, uint32_t from, uint32_t to, enum flow_op op, enum flow_class class_, uint64_t start_ns,
		       uint64_t end_ns, uint64_t serial, uint32_t evidence);
uint32_t builder_add_node(struct graph *g, enum node_kind kind, uint32_t entity, uint32_t part, uint64_t start_ns); // GRAPH_NONE: out of memory

// --- build_process.c
// The process that did this event; made if it was not known. GRAPH_NONE: out of memory.
uint32_t builder_process(struct graph *g, const struct event *e);
uint32_t builder_process_by_pid(struct graph *g, uint32_t host, uint32_t epoch, uint32_t pid, uint64_t time_ns); // made as implied if unknown
uint32_t builder_segment_node(const struct graph *g, uint32_t process); // its newest segment's node
uint32_t builder_segment_node_at(const struct graph *g, uint32_t process, uint64_t time_ns);
int builder_fork(struct graph *g, uint32_t process, const struct event *e);
int builder_exec(struct graph *g, uint32_t process, const struct event *e);
int builder_exit(struct graph *g, uint32_t process, const struct event *e);
int builder_identity(struct graph *g, uint32_t process, const struct event *e);
// Runs a shell, by its program's name: where the records do not say who shares what, shells are the ones that do.
bool builder_is_shell(const struct graph *g, uint32_t process);
int builder_fill_segment(struct graph *g, struct segment *s, const struct event *e);

// --- build_file.c
// The file of a PATH item: current generation, or a new one when `created`. GRAPH_NONE in *ret when the item has no inode.
int builder_file(struct graph *g, uint32_t process, const struct event *e, const struct event_path *path, uint32_t name, bool created, uint32_t *ret);
// Absolute, tidied name of a PATH item, as far as the records allow (string id).
uint32_t builder_path_name(struct graph *g, uint32_t process, const struct event *e, const struct event_path *path, int32_t dirfd);
int builder_add_name(struct graph *g, uint32_t file, uint32_t name, uint64_t time_ns);
int builder_cut(struct graph *g, uint32_t file, uint64_t time_ns); // a new content version begins
int builder_open(struct graph *g, uint32_t process, const struct event *e);
int builder_names(struct graph *g, uint32_t process, const struct event *e);  // rename, link, unlink, symlink, mkdir, mknod
int builder_truncate(struct graph *g, uint32_t process, const struct event *e);
int builder_attribute(struct graph *g, uint32_t process, const struct event *e);
int builder_memfd(struct graph *g, uint32_t process, const struct event *e);
int builder_exec_files(struct graph *g, uint32_t process, uint32_t segment, const struct event *e); // program, interpreter, links
int builder_follow_link(struct graph *g, uint32_t process_node, uint32_t host, uint32_t name, uint32_t file, const struct event *e);

// --- build_net.c
int builder_connect(struct graph *g, uint32_t process, const struct event *e);
int builder_accept(struct graph *g, uint32_t process, const struct event *e);
int builder_bind(struct graph *g, uint32_t process, const struct event *e);
int builder_send(struct graph *g, uint32_t process, const struct event *e);

// --- build_channel.c
void builder_descriptor_set(struct graph *g, uint32_t process, struct descriptor d);
struct descriptor *builder_descriptor(struct graph *g, uint32_t process, int32_t fd); // NULL: not known
void builder_descriptor_close(struct graph *g, uint32_t process, int32_t fd, uint64_t time_ns);
void builder_descriptors_exec(struct graph *g, uint32_t process);
int builder_inherit(struct graph *g, uint32_t parent, uint32_t child, uint64_t time_ns, const struct event *e);
int builder_pipe(struct graph *g, uint32_t process, const struct event *e);
int builder_inject(struct graph *g, uint32_t process, const struct event *e);
int builder_signal(struct graph *g, uint32_t process, const struct event *e);
int builder_kernel(struct graph *g, uint32_t process, const struct event *e);
int builder_inject_by_path(struct graph *g, uint32_t process, uint32_t name, bool write, const struct event *e, bool *ret_was_memory);

#endif
