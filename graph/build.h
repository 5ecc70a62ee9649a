// SPDX-License-Identifier: MIT
// What graph_add_event keeps while a graph is built; gone after graph_finish. Private to graph/build*.c.
//
//   build.c             takes events and hands them to the links below
//   build_flow.c        edges: adding, merging, evidence
//   build_process.c     instances of pids and their segments        build_birth.c   forks, late parents, threads
//   build_exec.c        execve, exit, identities                    build_name.c    what a PATH item is called
//   build_file.c        generations, versions, names of files       build_open.c    opens, reads and writes
//   build_entry.c       create, rename, link, unlink, truncate ...  build_descriptor.c  who holds what open, and heirs
//   build_channel.c     pipes                                       build_net.c     connections
//   build_local.c       connections between processes of one host
//   build_unix.c        unix sockets, service managers              build_reach.c   ptrace and its kind, signals, the kernel
//   build_past.c        who was there before the window             build_finish.c  ends, order, indices
//   build_earlier.c     who made a file before the window
//   build_settle.c      what only the whole log shows               build_tree.c    sessions and services
//
// Out of memory is remembered in `failed` and told once, by graph_add_event and graph_finish: the functions below return GRAPH_NONE
// (or do nothing) and may be called with GRAPH_NONE, so that the links read as the rules that they are.
#ifndef GRAPH_BUILD_H
#define GRAPH_BUILD_H

#include "base/error.h"
#include "base/nanotime.h"
#include "graph/graph.h"
#include "graph/table.h"

#include <stdbool.h>
#include <stdint.h>

// --- edges

// Until when the end of an edge is open.
enum edge_until {
	UNTIL_FIXED,     // end_ns is what it is
	UNTIL_SEGMENT,   // as long as its processes keep their image: an audited open is a licence, not a read
};

struct proof { uint32_t evidence, count, next; }; // further events behind an edge; next: GRAPH_NONE ends
VECTOR_DEFINE(proof_vector, struct proof)
struct edge_state { uint32_t proof_head, proof_tail; uint8_t until; bool dead; };
VECTOR_DEFINE(edge_state_vector, struct edge_state)

// --- processes

struct realm { uint32_t host, epoch, kernel; }; // where pids and inodes are numbers of their own; kernel: its entity, GRAPH_NONE
VECTOR_DEFINE(realm_vector, struct realm)

struct segment_state {
	uint64_t exec_end_ns;           // when its execve had returned; the start is the segment's
	uint32_t evidence, evidence_count;
	uint8_t exec_class;             // CLASS_INFERRED: nobody audited the execve, but program and name changed
	bool executed;                  // began by execve
};
VECTOR_DEFINE(segment_state_vector, struct segment_state)

struct process_state {
	uint32_t realm;
	uint32_t ppid;                  // latest; reparenting changes it
	uint64_t first_ns;              // it existed by then: first record, or first mention
	uint64_t last_ns;               // latest stamp of its records
	uint64_t exit_latest_ns;        // its exit had happened; NANOTIME_NONE: not seen
	uint32_t origin;                // segment that forked it, as far as known; GRAPH_NONE
	uint64_t fork_start_ns, fork_end_ns, fork_serial;
	uint32_t fork_evidence, fork_evidence_count;
	uint32_t depth;                 // forks since the first process that is known
	struct descriptors *descriptors;
	uint32_t next_instance;         // of the same pid, GRAPH_NONE
	bool has_child;
	bool asked;                     // named by graph_missing_ancestors
	bool past_closed;               // older records with this pid are about another process
};
VECTOR_DEFINE(process_state_vector, struct process_state)

// A fork whose child has not shown itself: it may be late, silent, a thread (clone3 hides its flags), or have another number here
// than the one that clone returned (exit= is a pid in the caller's pid namespace).
struct birth {
	uint32_t realm, pid, creator;   // creator: process
	uint32_t origin;                // segment of it
	uint32_t child;                 // process that it became, GRAPH_NONE
	uint64_t start_ns, end_ns, serial;
	uint32_t evidence, evidence_count;
	struct descriptors *descriptors;
	bool sibling;                   // CLONE_PARENT: the child's parent is the creator's
	bool maybe_thread;
};
VECTOR_DEFINE(birth_vector, struct birth)

// --- files

struct file_state {
	uint32_t realm;
	uint32_t older;                 // generation of the same inode, GRAPH_NONE
	uint64_t first_ns;
};
VECTOR_DEFINE(file_state_vector, struct file_state)

struct folder { uint32_t realm, dev; uint64_t inode; uint32_t name; }; // absolute name of a folder's inode
VECTOR_DEFINE(folder_vector, struct folder)

struct symlink_name { uint32_t realm, name, file; }; // file: symlink that has or had this name
VECTOR_DEFINE(symlink_vector, struct symlink_name)

// --- descriptors

enum descriptor_kind {
	DESCRIPTOR_FILE,
	DESCRIPTOR_PIPE,
	DESCRIPTOR_CONNECTION,
	DESCRIPTOR_SOCKET, // unix
	DESCRIPTOR_PORT,   // bound to a port: item is the port's number
};
// What a file was opened for, as far as programs that are started next are concerned.
enum descriptor_use {
	USE_OWN,          // the opener's own business
	USE_OUTPUT,       // for writing: the program that it becomes may write on (nohup; spawn with a file as output)
	USE_REDIRECT,     // by a shell's forked copy: the next program's standard input or output (`cmd > file`, `( a; b ) > file`)
	USE_SHELL_OUTPUT, // for writing, by a shell itself: `exec > file`, `done > file`; or `echo > file`, which is over: nobody recorded
};
struct descriptor {
	int32_t fd;                     // -1: somewhere; the number that it was recorded with was taken again
	uint32_t item;                  // file, pipe, connection or unix socket
	uint32_t owner, owner_depth;    // process that opened it
	uint32_t edges[2];              // that an audited close ends: reading, writing; GRAPH_NONE
	uint8_t kind;
	bool cloexec, reads, writes;
	uint8_t use;                    // enum descriptor_use
};
// Shared between a parent and its children until one of them changes it.
struct descriptors { uint32_t references, count, capacity; struct descriptor items[]; };

#define PIPE_HEIRS 2 /* children of one process that get a pipe: a reader and a writer. Who closed what nobody audits */
struct pipe_state {
	uint32_t segment;               // that made it
	uint32_t heirs[PIPE_HEIRS], heir_count;
	uint32_t evidence, evidence_count;
	bool two_way;                   // a pair of sockets
};
VECTOR_DEFINE(pipe_state_vector, struct pipe_state)

// --- unix sockets

struct unix_client { uint32_t socket, segment; uint64_t time_ns, serial; uint32_t evidence, evidence_count; };
VECTOR_DEFINE(unix_client_vector, struct unix_client)

// A connection that came from the host itself; port 0: the server's bind is not on record.
struct local_accept { uint32_t realm, connection, segment; uint16_t port; uint64_t time_ns, serial; uint32_t evidence, evidence_count; };
VECTOR_DEFINE(local_accept_vector, struct local_accept)

// "Please start this": to a manager whose socket was bound before the log began.
struct start_request { uint32_t segment, socket, manager, realm, uid; uint64_t time_ns, serial; uint32_t evidence, evidence_count; };
VECTOR_DEFINE(start_vector, struct start_request)

// --- system calls by name, as ids of the graph's strings

struct call_shape { uint32_t name; int8_t dirfd, second_dirfd; }; // arguments that are folders' descriptors, -1: none
VECTOR_DEFINE(call_shape_vector, struct call_shape)

struct graph_builder {
	struct graph *g;
	const struct event *event;      // being taken in
	uint32_t realm;                 // of it
	uint32_t file_realm;            // of the files in it: the same, but for an event of an older boot that made a file of this one
	uint32_t evidence, evidence_count; // of it in g->evidence, once somebody asked (count 0: not yet)
	struct u32_vector recovered;    // where evidence of recovered events begins, ascending
	uint32_t fresh;                 // process that this event is the first of, GRAPH_NONE
	bool failed;                    // out of memory

	struct table edge_table;        // (from, to, op, class, failed) -> newest
	struct edge_state_vector edge_states;
	struct proof_vector proofs;

	struct realm_vector realms;
	struct table realm_table;       // (host, epoch) -> realm
	struct table process_table;     // (realm, pid) -> newest instance
	struct process_state_vector process_states;
	struct segment_state_vector segment_states;
	struct table birth_table;       // (realm, pid) -> newest birth
	struct birth_vector births;

	struct table file_table;        // (realm, dev, inode) -> newest generation
	struct file_state_vector file_states;
	struct table folder_table;      // (realm, dev, inode) -> folder
	struct folder_vector folders;
	struct table symlink_table;     // (realm, name) -> symlink
	struct symlink_vector symlinks;
	struct table socket_table;      // (realm, dev, inode) or (realm, abstract name) -> socket
	struct u32_vector socket_realms; // parallel to g->sockets
	struct table datagram_table;    // (segment, descriptor, address) -> connection

	struct pipe_state_vector pipe_states;
	struct unix_client_vector unix_clients;
	struct local_accept_vector local_accepts;
	struct start_vector starts;
	struct u32_vector asked;        // processes, as graph_missing_ancestors named them
	struct u32_vector creators;     // processes whose ancestors matter, too: they made a file before the window

	struct call_shape_vector shapes;
	struct table shape_table;       // name -> shape
	uint32_t call_clone, call_clone3, call_open, call_creat, call_openat2, call_open_by_handle, call_sendfile, call_sendfile64,
		call_tee, call_delete_module, call_execveat, call_unshare, call_kill, call_pipe2;
	bool pipes_audited, exits_audited; // so that an absence means something
	uint32_t file_epoch;            // build_earlier.c: the files of this event are known in this boot
	bool other_file_epoch;
	bool past;                      // taking in an event from before the window
};

struct graph_builder *builder_new(struct graph *g); // NULL: out of memory
void builder_free(struct graph_builder *b);
int builder_check(struct graph_builder *b, const char *what, struct error *err); // -1 and err when memory ran out
void builder_begin(struct graph_builder *b, const struct event *e);
// Grows a small array that most entities have one item of: 1, 2, 4 ... items. -1: out of memory.
int builder_grow(void **items, size_t *capacity, size_t count, size_t item_bytes);
static inline bool event_has(const struct event *e, uint32_t fields) { return (e->present & fields) == fields; }

// --- build_flow.c

uint32_t node_add(struct graph_builder *b, enum node_kind kind, uint32_t entity, uint32_t part, uint64_t start_ns);
// Keeps the places of the current event's lines, once; sets *ret_first and *ret_count.
void evidence_keep(struct graph_builder *b, uint32_t *ret_first, uint32_t *ret_count);

struct flow {
	uint32_t from, to;
	enum flow_op op;
	enum flow_class class;
	enum edge_until until;
	bool failed;
	uint64_t start_ns, end_ns, serial;
	uint32_t evidence, evidence_count;
};
// Adds an edge, or merges it into one that says the same where that changes no reachability. Returns the edge.
uint32_t flow_add(struct graph_builder *b, const struct flow *f);
// Of the current event: between its entry and its return; or from its entry on for as long as the segment lives.
uint32_t flow_now(struct graph_builder *b, uint32_t from, uint32_t to, enum flow_op op, enum flow_class class_);
uint32_t flow_from_now(struct graph_builder *b, uint32_t from, uint32_t to, enum flow_op op, enum flow_class class_);

// --- build_process.c, build_birth.c

uint32_t realm_of(struct graph_builder *b, uint32_t host, uint32_t epoch);
uint32_t process_find(const struct graph_builder *b, uint32_t realm, uint32_t pid); // newest instance, GRAPH_NONE
uint32_t process_new(struct graph_builder *b, uint32_t realm, uint32_t pid, uint64_t since_ns);
uint32_t segment_add(struct graph_builder *b, uint32_t process, uint64_t start_ns, uint64_t serial);
uint32_t process_segment(const struct graph_builder *b, uint32_t process); // newest; index in g->segments
uint32_t process_node(const struct graph_builder *b, uint32_t process);    // of it
uint32_t process_of_event(struct graph_builder *b);
// Who has this pid at a time (somebody's ppid, a target): known, or made as implied. *ret_class may be NULL.
uint32_t process_named(struct graph_builder *b, uint32_t pid, uint64_t time_ns, enum flow_class *ret_class);
uint32_t process_before(struct graph_builder *b, uint32_t pid, uint64_t time_ns); // build_past.c: who had it then
void process_set_parent(struct graph_builder *b, uint32_t child, uint32_t parent, enum flow_class class_);
// Runs an interpreter of command lines, by its program's name: where nobody recorded who shares what, shells are the ones that do.
bool process_is_shell(const struct graph_builder *b, uint32_t process);
void segment_fill(struct graph_builder *b, uint32_t segment, const struct event *e); // what is not known yet

uint32_t birth_find(const struct graph_builder *b, uint32_t realm, uint32_t pid); // newest that waits for its child, GRAPH_NONE
bool birth_fits(const struct graph_builder *b, uint32_t birth, uint32_t current, const struct event *e, enum flow_class *ret_class);
uint32_t birth_become(struct graph_builder *b, uint32_t birth, enum flow_class class_); // the child, as a new process
void birth_attach(struct graph_builder *b, uint32_t birth, uint32_t child, enum flow_class class_); // late: the child has acted already
void link_fork(struct graph_builder *b, uint32_t process);

// --- build_exec.c

void link_exec(struct graph_builder *b, uint32_t process);
void link_exit(struct graph_builder *b, uint32_t process);
#define AUDIT_ANOM_ABEND_TYPE 1701 /* linux/audit.h: ended by a signal that dumps core */
void identity_note(struct graph_builder *b, uint32_t process, const struct event *e);
void identity_inherit(struct graph_builder *b, uint32_t child, uint32_t creator, uint64_t time_ns, uint64_t serial);
void segment_watch(struct graph_builder *b, uint32_t process); // an execve that nobody audited
void segment_arguments(struct graph_builder *b, uint32_t segment, const struct event *e);
void segment_files(struct graph_builder *b, uint32_t process, uint32_t segment); // program, interpreter, links

// --- build_name.c

void name_init(struct graph_builder *b);
struct call_shape call_shape(const struct graph_builder *b, uint32_t name);
struct resolved { uint32_t name; bool absolute; int32_t descriptor; }; // descriptor: the name is a way to it (/proc/self/fd/N), else -1
// What a PATH item is called, as far as the records allow. dirfd: AT_FDCWD or a descriptor; parent: its PARENT item or NULL.
struct resolved name_resolve(struct graph_builder *b, uint32_t process, const struct event_path *path, int32_t dirfd,
			     const struct event_path *parent);
void folder_learn(struct graph_builder *b, uint32_t dev, uint64_t inode, uint32_t name);
bool name_starts(const struct graph_builder *b, uint32_t name, const char *prefix);

// --- build_file.c

uint32_t file_find(const struct graph_builder *b, uint32_t realm, uint32_t dev, uint64_t inode); // newest generation, GRAPH_NONE
uint32_t file_of(struct graph_builder *b, const struct event_path *path, struct resolved name); // made if it was not known
uint32_t file_create(struct graph_builder *b, const struct event_path *path, struct resolved name); // a new generation
uint32_t file_create_memfd(struct graph_builder *b);
void file_bind_inode(struct graph_builder *b, uint32_t file, const struct event_path *path);
uint32_t file_node(const struct graph_builder *b, uint32_t file); // of the newest version
uint32_t file_node_at(const struct graph_builder *b, uint32_t file, uint64_t ns); // of the version in force then
void file_cut(struct graph_builder *b, uint32_t file); // what was in it does not flow on
void file_name_add(struct graph_builder *b, uint32_t file, uint32_t name, bool absolute, bool given);
void file_name_end(struct graph_builder *b, uint32_t file, uint32_t name);
uint32_t file_deleted(struct graph_builder *b, const struct event_path *path, struct resolved name); // of a DELETE item
uint32_t file_symlink_at(const struct graph_builder *b, uint32_t realm, uint32_t name); // known symlink of that name, GRAPH_NONE
void file_symlink_set(struct graph_builder *b, uint32_t file, uint32_t name);
const struct event_path *event_object(const struct event *e); // the last PATH that is no PARENT and has an inode; NULL

// --- build_open.c, build_entry.c

void link_open(struct graph_builder *b, uint32_t process);
void link_memfd(struct graph_builder *b, uint32_t process);
void link_transfer(struct graph_builder *b, uint32_t process); // read, write, copy, mmap
void link_symlink(struct graph_builder *b, uint32_t node, uint32_t name, uint32_t file); // name was a symlink to file
void link_entry(struct graph_builder *b, uint32_t process);     // create, rename, link, symlink, unlink, mkdir, mknod
void link_truncate(struct graph_builder *b, uint32_t process);
void link_attribute(struct graph_builder *b, uint32_t process);

// --- build_descriptor.c

void descriptors_free(struct descriptors *d); // one reference less
struct descriptors *descriptors_share(struct descriptors *d);
void descriptor_put(struct graph_builder *b, uint32_t process, struct descriptor d); // owner is filled in
const struct descriptor *descriptor_get(const struct graph_builder *b, uint32_t process, int32_t fd); // NULL: not known
void descriptor_close(struct graph_builder *b, uint32_t process, int32_t fd);
void descriptor_copy(struct graph_builder *b, uint32_t process, int32_t from, int32_t to);
void descriptors_execute(struct graph_builder *b, uint32_t process); // after execve: drops and hands on
void descriptors_settle(struct graph_builder *b); // at the end: forked workers that never exec

// --- build_channel.c

void link_pipe(struct graph_builder *b, uint32_t process);
void pipe_take_heir(struct graph_builder *b, uint32_t child);
void pipes_settle(struct graph_builder *b);
bool pipe_has_heir(const struct graph_builder *b, uint32_t pipe, uint32_t process);
void pipe_join_heir(struct graph_builder *b, uint32_t pipe, uint32_t segment, bool reads, bool writes, uint64_t start_ns,
		    uint64_t serial, uint32_t evidence, uint32_t evidence_count);

// --- build_net.c, build_unix.c, build_local.c

void link_connect(struct graph_builder *b, uint32_t process);
void link_accept(struct graph_builder *b, uint32_t process);
void link_send(struct graph_builder *b, uint32_t process);
void link_bind(struct graph_builder *b, uint32_t process);
void unix_connect(struct graph_builder *b, uint32_t process, const struct event_address *a);
void unix_accept(struct graph_builder *b, uint32_t process);
void unix_settle(struct graph_builder *b);
void local_bind(struct graph_builder *b, uint32_t process, const struct event_address *a);
void local_accept(struct graph_builder *b, uint32_t process, uint32_t connection);
void locals_settle(struct graph_builder *b);

// --- build_reach.c

void link_reach(struct graph_builder *b, uint32_t process); // ptrace, process_vm_*
bool reach_by_name(struct graph_builder *b, uint32_t process, uint32_t name, bool writes); // /proc/N/mem
void link_signal(struct graph_builder *b, uint32_t process);
void link_kernel(struct graph_builder *b, uint32_t process);

// --- at the end

void births_settle(struct graph_builder *b);  // build_settle.c: silent children, children of other pid namespaces
void pipes_guess(struct graph_builder *b);    // siblings under one shell, without pipe records
void starts_settle(struct graph_builder *b);  // who was asked to start something
void trees_settle(struct graph_builder *b);   // build_tree.c
void trees_count(struct graph_builder *b);

#endif
