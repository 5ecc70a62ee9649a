// SPDX-License-Identifier: MIT
// struct event: what any source of evidence tells the graph. The contract between ingest/ and graph/.
//
// It carries audit records, search-engine documents, VM operations and many hosts. A field counts only if its bit in
// `present` is set: absent is not zero. Strings are ids of the source's struct intern (raw bytes as the kernel knew
// them, hex decoded; 0 = empty). An event and its arrays are valid during the callback only.
#ifndef INGEST_EVENT_H
#define INGEST_EVENT_H

#include "base/intern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
	EVENT_SYSCALL,      // what the kernel saw a process do
	EVENT_CLAIM,        // USER_LOGIN, SERVICE_START ...: a program says so; only pid/uid/auid/ses are the kernel's.
			    // With TRUST_KERNEL: a LOGIN record (type 1006), the kernel's own word that `pid` got auid and session
			    // (old ones in old_auid, old_session; claim_success is its res=); fields of its SYSCALL are there too if it came
	EVENT_VM_OPERATION, // reserved: operations on virtual machines
	EVENT_GAP,          // evidence is missing here: see event_gap
	EVENT_CONFIG,       // CONFIG_CHANGE: rules or audit's own switches changed. claim_op is op= ("set", "add_rule", "remove_rule"), claim_unit
			    // the switch as written ("audit_enabled=0 old=1"), key the rule's key
	EVENT_DAEMON,       // DAEMON_START, DAEMON_END ...: the audit daemon's own life; another serial counter
};

enum event_trust { TRUST_KERNEL, TRUST_CLAIMED, TRUST_DERIVED };

// What a system call does for provenance, over all ABIs and variants (ingest/syscall_kind.c maps to it).
enum syscall_op {
	OP_OTHER,
	OP_EXEC,        // execve, execveat
	OP_FORK,        // fork, vfork, clone, clone3
	OP_EXIT,        // exit_group (exit of a single thread is OP_OTHER)
	OP_OPEN,        // open, openat, openat2, creat, open_by_handle_at, memfd_create is OP_MEMFD
	OP_READ,        // read, pread64, readv ...: rarely audited, proves a read
	OP_WRITE,       // write, pwrite64, writev, sendfile/copy_file_range/splice have OP_COPY
	OP_COPY,        // sendfile, copy_file_range, splice, tee, FICLONE is not seen
	OP_TRUNCATE,    // truncate, ftruncate
	OP_RENAME,      // rename, renameat, renameat2
	OP_LINK,        // link, linkat
	OP_SYMLINK,     // symlink, symlinkat
	OP_UNLINK,      // unlink, unlinkat, rmdir
	OP_MKDIR,       // mkdir, mkdirat
	OP_MKNOD,       // mknod, mknodat
	OP_ATTRIBUTE,   // chmod, chown, setxattr, utimensat families
	OP_CONNECT,
	OP_ACCEPT,      // accept, accept4
	OP_BIND,
	OP_LISTEN,
	OP_SEND,        // sendto, sendmsg, sendmmsg with an address
	OP_RECEIVE,     // recvfrom, recvmsg, recvmmsg
	OP_PIPE,        // pipe, pipe2
	OP_SOCKETPAIR,
	OP_SOCKET,
	OP_DUP,         // dup, dup2, dup3, fcntl is OP_OTHER
	OP_CLOSE,
	OP_MEMFD,       // memfd_create
	OP_MMAP,
	OP_PTRACE,
	OP_VM_WRITE,    // process_vm_writev
	OP_VM_READ,     // process_vm_readv
	OP_KILL,        // kill, tkill, tgkill, pidfd_send_signal
	OP_SETID,       // setuid, setgid, setresuid ... families
	OP_MODULE,      // init_module, finit_module, delete_module
	OP_BPF,
	OP_MOUNT,       // mount, umount2, move_mount, pivot_root, chroot
	OP_NAMESPACE,   // setns, unshare
	OP_IO_URING,    // io_uring_setup, io_uring_enter, io_uring_register; and URINGOP records
	OP_COUNT
};

enum event_field {
	EVENT_HAS_ARCH = 1u << 0,
	EVENT_HAS_SYSCALL = 1u << 1,  // number, op
	EVENT_HAS_SUCCESS = 1u << 2,
	EVENT_HAS_EXIT = 1u << 3,     // exit_group has none
	EVENT_HAS_ARGS = 1u << 4,     // a0..a3
	EVENT_HAS_PID = 1u << 5,
	EVENT_HAS_PPID = 1u << 6,
	EVENT_HAS_IDS = 1u << 7,      // uid gid euid suid fsuid egid sgid fsgid
	EVENT_HAS_AUID = 1u << 8,
	EVENT_HAS_SESSION = 1u << 9,
	EVENT_HAS_COMM = 1u << 10,
	EVENT_HAS_EXE = 1u << 11,
	EVENT_HAS_CWD = 1u << 12,
	EVENT_HAS_ARGV = 1u << 13,    // EXECVE records
	EVENT_HAS_OPEN_HOW = 1u << 14,// OPENAT2 record: open_flags, open_mode, open_resolve
	EVENT_HAS_FD_PAIR = 1u << 15,
	EVENT_HAS_KEY = 1u << 16,
	EVENT_HAS_TTY = 1u << 17,
	EVENT_HAS_TITLE = 1u << 18,   // PROCTITLE: the process's own words, a claim, cut by the kernel at 128 bytes
	EVENT_HAS_UID = 1u << 19,     // only uid (claims)
	EVENT_HAS_TEXT = 1u << 20,    // claims: op, acct, addr, terminal, result below
	EVENT_HAS_LOGIN = 1u << 21,   // LOGIN record: old_auid, old_session (auid and session are the new ones)
	EVENT_HAS_MODULE = 1u << 22,  // KERN_MODULE record: module
	EVENT_HAS_MMAP = 1u << 23,    // MMAP record: fds[0] is the mapped descriptor, mmap_flags
	EVENT_HAS_BPF = 1u << 24,     // BPF record: bpf_program; claim_op "LOAD" or "UNLOAD"
	EVENT_PARTIAL = 1u << 31,     // records are missing: items= says more PATHs, argc= more arguments ...
};

#define EVENT_ID_UNSET UINT32_MAX /* auid=4294967295, ses=4294967295: not set */

enum path_nametype { NAMETYPE_UNKNOWN, NAMETYPE_NORMAL, NAMETYPE_PARENT, NAMETYPE_CREATE, NAMETYPE_DELETE };

struct event_path {
	uint32_t name;      // as given: may be relative, empty (execveat, memfd), or the directory's (O_TMPFILE)
	uint32_t item;
	uint64_t inode;     // valid if has_inode
	uint32_t dev;       // major << 20 | minor, as the kernel's dev_t
	uint32_t rdev;
	uint32_t mode;      // st_mode in full
	uint32_t ouid, ogid;
	enum path_nametype nametype;
	bool has_inode;     // false: failed look-up
	bool has_name;      // false: name=(null)
};

enum address_family_kind { ADDRESS_NONE, ADDRESS_IPV4, ADDRESS_IPV6, ADDRESS_UNIX, ADDRESS_UNIX_ABSTRACT, ADDRESS_NETLINK, ADDRESS_OTHER };

// IPv4-mapped IPv6 (::ffff:a.b.c.d) is delivered as ADDRESS_IPV4 with mapped = true: it is the same peer.
struct event_address {
	enum address_family_kind kind;
	uint16_t family;    // AF_*
	uint16_t port;      // host order; 0 = none
	bool mapped;
	uint8_t ip[16];     // 4 or 16 bytes, network order
	uint32_t scope;     // IPv6
	uint32_t path;      // unix: the path, or the abstract name without its leading NUL
};

struct event_target { // OBJ_PID: the other process of ptrace, kill, process_vm_*
	uint32_t pid, uid, auid, session;
	uint32_t comm;
};

struct event_ids { uint32_t uid, gid, euid, suid, fsuid, egid, sgid, fsgid; };

enum gap_cause {
	GAP_SERIALS_MISSING,  // kernel serials that never came
	GAP_KERNEL_LOST,      // lost=0 old=N: the kernel's own count of what it threw away
	GAP_DAEMON_DOWN,      // DAEMON_END .. DAEMON_START
	GAP_REJECTED,         // lines that are no audit records
	GAP_CONFIG,           // audit was switched off or rules were removed: coverage, not loss
};

struct event_gap { enum gap_cause cause; uint64_t from_ns, to_ns, count; };

// Where the event's lines stand: several spans, since lines of one event can lie 16,000 apart.
struct evidence_ref {
	uint32_t log;        // index in the source's list of logs (source_log_name)
	uint32_t length;     // bytes
	uint64_t offset;     // byte offset in the (decompressed) log
};

struct event {
	enum event_kind kind;
	enum event_trust trust;
	uint32_t host;       // node= or the host's name; 0 = the log does not say
	uint32_t epoch;      // boot (or VM revert) number within the source, from 0: pids and inodes start again
	uint64_t serial;
	uint64_t earliest_ns;// the record's stamp: syscall ENTRY, on the kernel's tick (4 ms here)
	uint64_t latest_ns;  // it had returned by then: running maximum of stamps when its last record was written
	uint32_t type;       // audit message type of the first record (1300 SYSCALL, 1112 USER_LOGIN ...)
	uint32_t type_name;  // "SYSCALL", "USER_LOGIN"
	uint32_t present;    // enum event_field

	// EVENT_SYSCALL. An io_uring record has op OP_IO_URING, its operation as `syscall` ("uring_openat"), and no arch and arguments.
	// Records whose SYSCALL is missing come as EVENT_SYSCALL with EVENT_PARTIAL and without EVENT_HAS_SYSCALL. So do, not partial,
	// kernel records that need none (SECCOMP, ANOM_ABEND, AVC): `type` tells.
	uint32_t arch;       // AUDIT_ARCH_*: c000003e, 40000003 ...
	uint32_t syscall;    // number in that ABI (socketcall is already resolved: op and name are the inner call's)
	uint32_t syscall_name; // "openat"; "syscall_451" when nobody knows it
	enum syscall_op op;
	bool success;
	int64_t exit;        // negative errno on failure
	uint64_t args[4];    // of the inner call for socketcall
	uint32_t pid, ppid;  // pid is the thread group's id
	uint32_t auid, session;
	struct event_ids ids;
	uint32_t tty, comm, exe, key, cwd, title; // several keys stand in one string, with 0x01 between them
	uint64_t open_flags, open_mode, open_resolve; // OPENAT2
	int32_t fds[2];      // FD_PAIR; MMAP
	uint32_t mmap_flags;
	uint32_t module, bpf_program;
	uint32_t old_auid, old_session;
	uint32_t argc;       // as the record says; argv_count may be less (EVENT_PARTIAL)
	const uint32_t *argv;
	size_t argv_count;
	const struct event_path *paths; // in order of item
	size_t path_count;
	const struct event_address *addresses;
	size_t address_count;
	const struct event_target *targets;
	size_t target_count;

	// EVENT_CLAIM (all words of a program but pid, ids, auid, session): op="login", acct="alice", addr, terminal, res
	// claim_account is a name, or a uid in digits (sshd says id=1000).
	uint32_t claim_op, claim_account, claim_hostname, claim_terminal, claim_exe, claim_unit;
	struct event_address claim_address;
	bool claim_success;

	struct event_gap gap; // EVENT_GAP

	const struct evidence_ref *evidence;
	size_t evidence_count;
	bool recovered;      // a record of it is in no log that was given: a disk history gave it back
};

// Returns 0 to go on, 1 to stop the scan (no error), -1 with err.
struct error;
typedef int event_callback(void *context, const struct event *event, struct error *err);

// A copy with all its arrays in one allocation, which outlives the callback: free() it. NULL: out of memory.
struct event *event_copy(const struct event *event);

const char *syscall_op_name(enum syscall_op op); // "open", "exec" ...: for messages and tests

#endif
