// SPDX-License-Identifier: MIT
// The provenance graph: what exists (entities), and how information flowed between them (edges).
//
// Entities                                   Nodes (what edges join)
//   process   (host, epoch, pid, birth)        one node per exec segment of it
//   file      (host, epoch, dev, inode, gen.)  one node per content version of a generation
//   connection one per connect/accept/send     one node; addresses only group them and are never a way through
//   pipe, unix socket, kernel                  one node each
//
// Why versions: truncation and rename-over cut the content; what was there before does not flow on. A version has a life
// [start_ns, end_ns); edges join only versions alive during the edge.
// Why segments: execve wipes memory. What a segment read before flows on only through the exec edge.
//
// Every edge u -> v carries an interval [start_ns, end_ns]: information may have flowed at any instant within it. An audited open is a
// licence until close or exit, not a read. Time stamps are syscall entry on a 4 ms tick; ties are broken by serial.
//
// All arrays are dense, in order of first sight; indices are stable: the same events give the same graph.
#ifndef GRAPH_MODEL_H
#define GRAPH_MODEL_H

#include "base/vector.h"
#include "ingest/event.h"

#include <stdbool.h>
#include <stdint.h>

#define GRAPH_NONE UINT32_MAX

enum node_kind { NODE_PROCESS, NODE_FILE, NODE_CONNECTION, NODE_PIPE, NODE_UNIX_SOCKET, NODE_KERNEL };

// Direction is the flow of information.
enum flow_op {
	FLOW_FORK,       // parent -> child
	FLOW_EXEC,       // segment -> next segment of the same process
	FLOW_EXECUTE,    // file -> segment: the program or script that was executed (PATH item 0)
	FLOW_INTERPRET,  // file -> segment: its interpreter, ld.so
	FLOW_OPEN_READ,  // file -> segment: opened for reading
	FLOW_READ,       // file -> segment: a read was audited, or mmap
	FLOW_OPEN_WRITE, // segment -> file: opened for writing
	FLOW_WRITE,      // segment -> file: a write was audited
	FLOW_CREATE,     // segment -> file: brought it into being (open O_CREAT, mkdir, mknod, symlink)
	FLOW_RENAME,     // segment -> file: gave it this name
	FLOW_LINK,       // segment -> file: a further name
	FLOW_TRUNCATE,   // segment -> file: emptied or cut it (a new version begins)
	FLOW_DELETE,     // segment -> file: removed a name. An effect only: nothing is caused through it
	FLOW_ATTRIBUTE,  // segment -> file: mode, owner, times, xattr
	FLOW_SYMLINK,    // symlink file -> segment: executed or opened by its name
	FLOW_CONNECT,    // segment -> connection (connect, send)
	FLOW_ACCEPT,     // segment -> connection (accept: what the server may have sent)
	FLOW_RECEIVE,    // connection -> segment
	FLOW_PIPE,       // segment -> pipe, pipe -> segment, or sibling -> sibling
	FLOW_UNIX,       // segment <-> unix socket
	FLOW_START,      // asked to start: client -> service manager or started process
	FLOW_INJECT,     // injector -> victim (ptrace, process_vm_writev, /proc/N/mem); victim -> reader (process_vm_readv)
	FLOW_SIGNAL,     // sender -> target (kill): an effect only
	FLOW_KERNEL,     // segment -> kernel (module, bpf, mount, setns)
	FLOW_COUNT
};

enum flow_class { CLASS_OBSERVED, CLASS_INFERRED, CLASS_UNCERTAIN };

struct flow_edge {
	uint32_t from, to;           // nodes
	uint8_t op, class;           // enum flow_op, enum flow_class
	bool failed;                 // an attempt that the kernel refused (failed connect): evidence, carries nothing back
	bool recovered;              // an event behind it stands only in records that a disk history gave back
	bool no_write_seen;          // opened for writing, and a recorded disk shows that nothing was written (graph/annotate.h)
	bool ended_by_disk;          // end_ns was moved by a disk's last arrival
	bool write_seen;             // a state on a recorded disk was written within it, and nobody else had the file open for writing then
	uint64_t start_ns, end_ns;   // NANOTIME_NONE as end = still open when the log ends
	uint64_t serial;             // of the first event; ties of time
	uint32_t count;              // parallel flows merged into this one (only where that changes no reachability)
	uint64_t last_ns;            // stamp of the last merged event
	uint32_t evidence, evidence_count; // index into graph.evidence (first 20 events kept; count tells all)
};

// One event that stands behind an edge: enough to find and print its lines again.
struct edge_evidence { uint64_t serial, time_ns; struct evidence_ref ref; };

struct graph_node {
	uint8_t kind;                // enum node_kind
	bool given, recovered;       // flows at it rest on records of the logs that were given; on some that a disk history gave back
	uint32_t entity;             // index in processes, files, connections, pipes, sockets; kernels
	uint32_t part;               // process: segment ordinal; file: version ordinal; else 0
	uint64_t start_ns, end_ns;   // life; end NANOTIME_NONE = not seen to end
};

struct identity_change { uint64_t time_ns, serial; struct event_ids ids; uint32_t auid, session; };
VECTOR_DEFINE(identity_vector, struct identity_change)

struct segment {                 // what a process was between two execs
	uint32_t process, ordinal, node;
	uint64_t start_ns, end_ns, serial;
	uint32_t exe, comm, cwd, tty;    // strings; 0 unknown
	uint32_t argv, argv_count, argc; // argv: index into graph.arguments (string ids)
	uint32_t title;              // PROCTITLE: the process's own claim
	uint32_t program_file;       // file executed (item 0), GRAPH_NONE unknown
	struct event_ids ids;        // at its start
	bool forked_stub;            // from fork to the first exec: a copy of the parent's image
};
VECTOR_DEFINE(segment_vector, struct segment)

struct process {
	uint32_t host, epoch, pid, instance; // instance: 1st, 2nd ... process with this pid
	uint64_t birth_ns, exit_ns;  // exit NANOTIME_NONE: not seen
	bool birth_seen;             // a fork event named it; else first seen, parent by ppid
	bool implied;                // no event of its own: only named as somebody's parent
	uint8_t parent_class;        // enum flow_class
	uint32_t parent;             // process, GRAPH_NONE
	uint32_t ppid;               // of its first record
	uint32_t auid, session;
	struct event_ids ids;        // latest known
	uint32_t tree;               // session or service tree it belongs to (graph.trees counts): rank's df
	struct u32_vector segments;  // indices into graph.segments, in order; at least one
	struct identity_vector identities; // changes of uid/euid/auid/ses, oldest first; [0] = at first sight
};
VECTOR_DEFINE(process_vector, struct process)

enum file_kind { FILE_UNKNOWN, FILE_REGULAR, FILE_FOLDER, FILE_SYMLINK, FILE_FIFO, FILE_CHARACTER, FILE_BLOCK, FILE_SOCKET, FILE_MEMFD };

// absolute: resolved as far as the records allow. given: an entry of the file system (created, renamed, linked, or the kernel's own
// path of a running program); else only a way by which it was reached, perhaps through a link.
struct file_name { uint32_t name; uint64_t from_ns, to_ns; bool absolute, given; };
VECTOR_DEFINE(file_name_vector, struct file_name)

struct file {
	uint32_t host, epoch, dev, generation; // generation from 1, in one (host, epoch, dev, inode)
	uint64_t inode;
	uint8_t kind;
	bool sink;                   // /dev/null, /dev/tty, /proc/self ...: no flow passes through it
	bool created_seen;
	uint64_t created_ns, deleted_ns; // NANOTIME_NONE: not seen
	uint32_t symlink_target;     // string, if a symlink event told it
	struct file_name_vector names;
	struct u32_vector versions;  // nodes, in order of time
	uint32_t readers_trees, accessors_trees; // distinct trees that read/executed it; that touched it (df)
};
VECTOR_DEFINE(file_vector, struct file)

enum connection_direction { CONNECTION_OUT, CONNECTION_IN };
enum connection_result { CONNECTION_DONE, CONNECTION_IN_PROGRESS, CONNECTION_REFUSED };

struct connection {
	uint32_t host, epoch, process, segment, node;
	int32_t fd;
	struct event_address address; // the remote end
	uint8_t direction, result;
	int32_t error;               // errno of a failed one, EINPROGRESS ...
	uint64_t time_ns, serial;
	bool datagram;               // sendto and its kind
};
VECTOR_DEFINE(connection_vector, struct connection)

struct pipe_channel { uint32_t host, epoch, process; int32_t fds[2]; uint64_t time_ns, serial; uint32_t node; };
VECTOR_DEFINE(pipe_vector, struct pipe_channel)

struct unix_socket { uint32_t host, epoch, dev; uint64_t inode; uint32_t path; bool abstract; uint32_t server; /* process or GRAPH_NONE */ uint32_t node; };
VECTOR_DEFINE(socket_vector, struct unix_socket)

struct kernel_entity { uint32_t host; uint32_t node; uint64_t module_loaded_ns; }; // what is recorded after a module load is marked
VECTOR_DEFINE(kernel_vector, struct kernel_entity)

struct claim {                   // who came from where: programs' words
	uint64_t time_ns, serial;
	uint32_t host, epoch, type, type_name, pid, auid, session, uid;
	uint32_t op, account, hostname, terminal, exe, unit;
	struct event_address address;
	bool success;
	enum event_trust trust;
};
VECTOR_DEFINE(claim_vector, struct claim)

VECTOR_DEFINE(node_vector, struct graph_node)
VECTOR_DEFINE(edge_vector, struct flow_edge)
VECTOR_DEFINE(evidence_vector, struct edge_evidence)

struct graph {
	struct intern *strings;      // shared with the source; not owned
	struct node_vector nodes;
	struct edge_vector edges;    // after graph_finish: sorted by (start_ns, serial, from, to, op)
	struct evidence_vector evidence;
	struct process_vector processes;
	struct segment_vector segments;
	struct u32_vector arguments;
	struct file_vector files;
	struct connection_vector connections;
	struct pipe_vector pipes;
	struct socket_vector sockets;
	struct kernel_vector kernels;
	struct claim_vector claims;
	uint32_t trees;              // distinct session and service trees
	uint64_t events;             // events taken in
	uint64_t first_ns, last_ns;
	// after graph_finish: edges by node, as offsets into index arrays (CSR): out_edges[out_start[n] .. out_start[n+1])
	struct u32_vector out_start, out_edges, in_start, in_edges;
	struct graph_builder *builder; // private; gone after graph_finish
};

const char *flow_op_name(enum flow_op op);        // "open-write": stable, for json, csv, tests
const char *flow_op_words(enum flow_op op);       // "opened for writing": what the records prove
const char *flow_class_name(enum flow_class c);
const char *node_kind_name(enum node_kind k);
bool flow_is_effect_only(enum flow_op op);        // delete, signal: never walked backward

// The best known name of a file at a time (NANOTIME_NONE: the latest); 0 when it never had one.
uint32_t file_name_at(const struct file *f, uint64_t ns);
const struct segment *graph_segment_of(const struct graph *g, uint32_t node); // NULL when not a process node
const struct file *graph_file_of(const struct graph *g, uint32_t node);
const struct connection *graph_connection_of(const struct graph *g, uint32_t node);

#endif
