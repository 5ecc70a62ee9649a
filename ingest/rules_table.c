// SPDX-License-Identifier: MIT
// The table of audit rules, and samples/provgraph.rules from it.
//
// Shares ("3.7 % of the events") were measured with these rules on kernel 6.18 over a mixed workload: compiling, git, archives, 600
// short shell commands, package queries, a web server: 51,354 events, 35.9 MB, 699 bytes an event. The cost of the rules for a
// system call that none of them records was measured with 3 million getppid() calls: 291 ns without audit, 448 ns with one
// rule, 556 ns with all of these.
#include "ingest/rules.h"

#include <string.h>

#define B64 "-a always,exit -F arch=b64 -S "
#define B32 "-a always,exit -F arch=b32 -S "
#define OP(name) (UINT64_C(1) << (name))

static const char preamble[] =
	"# The audit rules that provgraph wants. `provgraph rules` prints this file; `provgraph rules --check` says what the\n"
	"# rules of a host, or its log, leave blind. Put it into /etc/audit/rules.d/ and run `augenrules --load`.\n"
	"#\n"
	"# The order counts: the kernel takes the first rule that matches. Groups are independent: leave out what a host cannot\n"
	"# afford, and provgraph says what it cannot see. Every rule is there twice, for 64-bit (b64) and for 32-bit programs\n"
	"# (b32); without the second an attacker only has to bring a 32-bit program.\n"
	"#\n"
	"# Written for x86-64, Linux 5.16 or newer and auditctl 3.0 or newer. Numbers stand for calls that auditctl 3.0 has no name\n"
	"# for: 452 is fchmodat2, 283 is kexec_load of 32-bit programs.\n"
	"#\n"
	"# Costs are shares of a mixed workload (compiling, git, archives, 600 short commands, a web server): 51,354 events,\n"
	"# 699 bytes each. A call that no rule records becomes 0.27 us slower (one rule alone: 0.16 us).\n"
	"#\n"
	"# Loss becomes visible in the log itself with `auditctl --reset-lost` every 10 s (a timer); it still works after -e 2.\n"
	"\n"
	"# Start from nothing. A backlog of about 40 MB survives bursts; when it is full, processes wait for the log instead of\n"
	"# losing records.\n"
	"-D\n"
	"-b 16384\n"
	"--backlog_wait_time 60000\n"
	"-f 1\n";

static const char *const exec_lines[] = {
	B64 "execve,execveat -F exit!=-ENOENT -k provgraph_exec",
	B32 "execve,execveat -F exit!=-ENOENT -k provgraph_exec",
	NULL,
};
static const char *const fork_lines[] = {
	"-a never,exit -F arch=b64 -S clone -F a0&0x10000",
	"-a never,exit -F arch=b32 -S clone -F a0&0x10000",
	B64 "fork,vfork,clone,clone3 -F success=1 -k provgraph_fork",
	B32 "fork,vfork,clone,clone3 -F success=1 -k provgraph_fork",
	NULL,
};
static const char *const exit_lines[] = {
	B64 "exit_group -k provgraph_exit",
	B32 "exit_group -k provgraph_exit",
	NULL,
};
static const char *const connect_lines[] = {
	B64 "connect -k provgraph_connect",
	B32 "connect -k provgraph_connect",
	B32 "socketcall -F a0=3 -k provgraph_connect",
	NULL,
};
static const char *const accept_lines[] = {
	B64 "accept,accept4,bind -F success=1 -k provgraph_accept",
	B32 "accept4,bind -F success=1 -k provgraph_accept",
	B32 "socketcall -F a0=2 -F success=1 -k provgraph_accept",
	B32 "socketcall -F a0=5 -F success=1 -k provgraph_accept",
	B32 "socketcall -F a0=18 -F success=1 -k provgraph_accept",
	NULL,
};
static const char *const datagram_lines[] = {
	B64 "sendto,sendmsg,sendmmsg -F saddr_fam=2 -k provgraph_datagram",
	B64 "sendto,sendmsg,sendmmsg -F saddr_fam=10 -k provgraph_datagram",
	B32 "sendto,sendmsg,sendmmsg,socketcall -F saddr_fam=2 -k provgraph_datagram",
	B32 "sendto,sendmsg,sendmmsg,socketcall -F saddr_fam=10 -k provgraph_datagram",
	NULL,
};
static const char *const write_lines[] = {
	B64 "open -F a1&0x243 -F success=1 -k provgraph_write",
	B64 "openat,open_by_handle_at -F a2&0x243 -F success=1 -k provgraph_write",
	B64 "creat,openat2,truncate,ftruncate -F success=1 -k provgraph_write",
	B32 "open -F a1&0x243 -F success=1 -k provgraph_write",
	B32 "openat,open_by_handle_at -F a2&0x243 -F success=1 -k provgraph_write",
	B32 "creat,openat2,truncate,truncate64,ftruncate,ftruncate64 -F success=1 -k provgraph_write",
	NULL,
};
#define NAME_CALLS "rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat"
static const char *const name_lines[] = {
	B64 NAME_CALLS " -F success=1 -k provgraph_name",
	B32 NAME_CALLS " -F success=1 -k provgraph_name",
	NULL,
};
static const char *const read_lines[] = {
	B64 "open,openat,open_by_handle_at -F success=1 -k provgraph_read",
	B32 "open,openat,open_by_handle_at -F success=1 -k provgraph_read",
	NULL,
};
#define MODE_CALLS "chmod,fchmod,fchmodat,452,chown,fchown,lchown,fchownat"
#define XATTR_CALLS "setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr"
#define TIME_CALLS "utime,utimes,futimesat,utimensat"
static const char *const attribute_lines[] = {
	B64 MODE_CALLS "," XATTR_CALLS "," TIME_CALLS " -F success=1 -k provgraph_attribute",
	B32 MODE_CALLS ",chown32,fchown32,lchown32," XATTR_CALLS "," TIME_CALLS
		",utimensat_time64 -F success=1 -k provgraph_attribute",
	NULL,
};
static const char *const pipe_lines[] = {
	B64 "pipe,pipe2,socketpair -F success=1 -k provgraph_pipe",
	B32 "pipe,pipe2,socketpair -F success=1 -k provgraph_pipe",
	B32 "socketcall -F a0=8 -F success=1 -k provgraph_pipe",
	NULL,
};
static const char *const memfd_lines[] = {
	B64 "memfd_create -F success=1 -k provgraph_memfd",
	B32 "memfd_create -F success=1 -k provgraph_memfd",
	NULL,
};
static const char *const inject_lines[] = {
	B64 "ptrace -F a0>=0x4 -F a0<=0x6 -k provgraph_inject",
	B64 "ptrace -F a0>=0xd -F a0<=0x10 -k provgraph_inject",
	B64 "ptrace -F a0>=0x4205 -F a0<=0x4206 -k provgraph_inject",
	B64 "process_vm_readv,process_vm_writev,pidfd_getfd -k provgraph_inject",
	B32 "ptrace -F a0>=0x4 -F a0<=0x6 -k provgraph_inject",
	B32 "ptrace -F a0>=0xd -F a0<=0x10 -k provgraph_inject",
	B32 "ptrace -F a0>=0x4205 -F a0<=0x4206 -k provgraph_inject",
	B32 "process_vm_readv,process_vm_writev,pidfd_getfd -k provgraph_inject",
	NULL,
};
#define ID_CALLS "setuid,setgid,setreuid,setregid,setresuid,setresgid,setgroups"
static const char *const identity_lines[] = {
	B64 ID_CALLS ",capset -F success=1 -k provgraph_identity",
	B32 ID_CALLS ",setuid32,setgid32,setreuid32,setregid32,setresuid32,setresgid32,setgroups32,capset"
		" -F success=1 -k provgraph_identity",
	NULL,
};
static const char *const kernel_lines[] = {
	B64 "init_module,finit_module,delete_module,kexec_load,kexec_file_load -k provgraph_kernel",
	B64 "bpf -F a0=5 -k provgraph_kernel",
	B32 "init_module,finit_module,delete_module,283 -k provgraph_kernel",
	B32 "bpf -F a0=5 -k provgraph_kernel",
	NULL,
};
#define MOUNT_CALLS "umount2,move_mount,pivot_root,chroot,setns,unshare"
static const char *const mount_lines[] = {
	B64 "mount," MOUNT_CALLS " -F success=1 -k provgraph_mount",
	B32 "mount,umount," MOUNT_CALLS " -F success=1 -k provgraph_mount",
	NULL,
};
static const char *const io_uring_lines[] = {
	B64 "io_uring_setup -F success=1 -k provgraph_io_uring",
	B32 "io_uring_setup -F success=1 -k provgraph_io_uring",
	NULL,
};
static const char *const signal_lines[] = {
	B64 "kill,pidfd_send_signal -F a1!=0 -F success=1 -k provgraph_signal",
	B32 "kill,pidfd_send_signal -F a1!=0 -F success=1 -k provgraph_signal",
	NULL,
};

static const struct rule_group groups[] = {
	{
		"provgraph_exec", "programs that start",
		"which program a process is, its arguments, the file that was executed and its interpreter. With this\n"
		"group and provgraph_connect alone there is a process tree under an alert.",
		"3.7 % of the events, 6.4 % of the bytes. Failures with ENOENT are the shell's search through PATH (up\n"
		"to 45 % of all execve calls) and left out; refused attempts (EACCES ...) are evidence and kept.",
		exec_lines, NULL, OP(OP_EXEC),
	},
	{
		"provgraph_fork", "who started whom",
		"processes that never execute anything (a forked server, a shell's subshell), births by pid, pid reuse.\n"
		"Without it parents come from ppid= alone, which changes when a parent ends first.",
		"3.8 % of the events. Threads are left out where the kernel can tell: clone has its flags in a0 on x86\n"
		"(CLONE_THREAD 0x10000); clone3 hides them in memory, so its threads are recorded.",
		fork_lines, NULL, OP(OP_FORK),
	},
	{
		"provgraph_exit", "when a process ended",
		"the end of every licence that an open gave: without it a file once opened for writing stays a\n"
		"possible target until the end of the log. A process killed by a signal leaves no such record.",
		"3.7 % of the events, 2.0 % of the bytes (no paths). exit of a single thread is not asked for.",
		exit_lines, NULL, OP(OP_EXIT),
	},
	{
		"provgraph_connect", "connections that go out",
		"what an alert is found by: the process that talked to an address. Also clients of unix sockets.",
		"1.3 % of the events, most of them unix sockets. No success filter: a non-blocking connect reports\n"
		"EINPROGRESS and is a real connection, and a refused one is evidence.",
		connect_lines, NULL, OP(OP_CONNECT),
	},
	{
		"provgraph_accept", "connections that come in",
		"who connected to a server, and which process serves a unix socket (bind names its inode).",
		"under 0.1 % here; one event per connection on a busy server. Failures (EAGAIN) are left out.",
		accept_lines, NULL, OP(OP_ACCEPT) | OP(OP_BIND),
	},
	{
		"provgraph_datagram", "datagrams that name their destination",
		"UDP without connect: tunnels over DNS, beacons, scans.",
		"nothing for TCP and for connected UDP: only calls that passed an IPv4 or IPv6 address match\n"
		"(saddr_fam). One event per datagram on name servers and the like.",
		datagram_lines, NULL, OP(OP_SEND),
	},
	{
		"provgraph_write", "files opened for writing, created or cut",
		"where a file came from, and that its content was cut. 0x243 = O_WRONLY, O_RDWR, O_CREAT, O_TRUNC.\n"
		"openat2 hides its flags from rules and is recorded whole.",
		"0.9 % of the events. Databases that call ftruncate often make more.",
		write_lines, NULL, OP(OP_OPEN) | OP(OP_TRUNCATE),
	},
	{
		"provgraph_name", "names that come and go",
		"downloads that are renamed into place, hard and symbolic links, deleted traces, folders.",
		"1.1 % of the events, 1.5 % of the bytes (two to five paths each).",
		name_lines, NULL, OP(OP_RENAME) | OP(OP_LINK) | OP(OP_SYMLINK) | OP(OP_UNLINK) | OP(OP_MKDIR) | OP(OP_MKNOD),
	},
	{
		"provgraph_read", "files opened for reading",
		"what a process knew: the attachment that it opened, the secret that it sent, the script that it ran.\n"
		"Without it a file has writers, and nobody whom it reached but by execve.",
		"83 % of the events, more than all other groups together. Half of them can be locale data; the line that is\n"
		"commented out below saves 46 % of all events and hides that somebody read those files (writers stay).",
		read_lines, "-a never,exit -F arch=b64 -S openat -F dir=/usr/lib/locale", OP(OP_OPEN),
	},
	{
		"provgraph_attribute", "mode, owner, capabilities and times",
		"chmod +x and setuid bits, file capabilities, times that were set back.",
		"0.4 % of the events; unpacking archives and installing packages make several per file.",
		attribute_lines, NULL, OP(OP_ATTRIBUTE),
	},
	{
		"provgraph_pipe", "pipes and socket pairs",
		"`curl URL | sh`: the record of pipe2 names both descriptors, so the processes that inherit them can be joined.\n"
		"Without it two siblings that overlap in time are joined as uncertain.",
		"2.2 % of the events, 1.7 % of the bytes. Event loops make some at start only.",
		pipe_lines, NULL, OP(OP_PIPE) | OP(OP_SOCKETPAIR),
	},
	{
		"provgraph_memfd", "files that exist in memory only",
		"programs that are executed without ever being on a disk.",
		"rare: graphics, sound and container programs make a few.",
		memfd_lines, NULL, OP(OP_MEMFD),
	},
	{
		"provgraph_inject", "one process that changes or reads another",
		"attach, seize and writes by ptrace (requests 0x4-0x6, 0xd-0x10, 0x4205-0x4206), process_vm_writev and\n"
		"_readv, descriptors taken by pidfd_getfd.",
		"nothing without debuggers. Reading by ptrace (what strace does thousands of times) is left out.",
		inject_lines, NULL, OP(OP_PTRACE) | OP(OP_VM_WRITE) | OP(OP_VM_READ),
	},
	{
		"provgraph_identity", "who a process becomes",
		"the moment of a change of user or capabilities. The ids stand on every record anyway, so this only\n"
		"makes the moment exact.",
		"under 0.1 %: a few per login, sudo, cron job or service start.",
		identity_lines, NULL, OP(OP_SETID),
	},
	{
		"provgraph_kernel", "code that enters the kernel",
		"modules, another kernel, BPF programs (a0=5 is BPF_PROG_LOAD; look-ups in BPF maps are left out). What is\n"
		"recorded after a module was loaded has to be read with doubt.",
		"rare. Failures are kept: they are attempts.",
		kernel_lines, NULL, OP(OP_MODULE) | OP(OP_BPF),
	},
	{
		"provgraph_mount", "the world that a process sees is changed",
		"mounts, chroot and namespaces: from here on the same path may mean another file.",
		"rare but for containers and sandboxes (tens of events per start).",
		mount_lines, NULL, OP(OP_MOUNT) | OP(OP_NAMESPACE),
	},
	{
		"provgraph_io_uring", "a blind spot opens",
		"what a process does through io_uring leaves no record under the rules above; this says who could have.\n"
		"(auditctl 3.1 or newer: -a always,io_uring -S openat,unlinkat,renameat,connect records the work itself.)",
		"one event per ring.",
		io_uring_lines, NULL, OP(OP_IO_URING),
	},
	{
		"provgraph_signal", "processes that are told to stop",
		"who killed the log daemon or the sensor. Never a way that information takes.",
		"under 0.1 %. Signal 0 (is it alive?) and signals to single threads (tgkill) are left out: Go\n"
		"programs send those all the time.",
		signal_lines, NULL, OP(OP_KILL),
	},
};
#define GROUP_COUNT (sizeof(groups) / sizeof(groups[0]))

size_t rules_group_count(void)
{
	return GROUP_COUNT;
}

const struct rule_group *rules_group(size_t index)
{
	return index < GROUP_COUNT ? &groups[index] : NULL;
}

// "# Buys: first line\n#   second line\n"
static void write_comment(struct buffer *out, const char *label, const char *text)
{
	buffer_printf(out, "# %s: ", label);
	for (const char *c = text; *c; c++) {
		buffer_add_byte(out, *c);
		if (*c == '\n')
			buffer_add_string(out, "#   ");
	}
	buffer_add_byte(out, '\n');
}

void rules_write(struct buffer *out)
{
	buffer_add_string(out, preamble);
	for (size_t g = 0; g < GROUP_COUNT; g++) {
		buffer_printf(out, "\n# %s: %s\n", groups[g].key, groups[g].title);
		write_comment(out, "Buys", groups[g].buys);
		write_comment(out, "Costs", groups[g].costs);
		if (groups[g].optional)
			buffer_printf(out, "#%s\n", groups[g].optional);
		for (const char *const *line = groups[g].lines; *line; line++)
			buffer_printf(out, "%s\n", *line);
	}
}

// Whether the comma-separated list after "-S " of a line of ours names the call.
static bool line_names(const char *line, const char *name)
{
	const char *list = strstr(line, " -S ");
	size_t length = strlen(name);

	if (!list)
		return false;
	for (const char *c = list + 4; *c && *c != ' ';) {
		size_t item = strcspn(c, ", ");
		if (item == length && memcmp(c, name, length) == 0)
			return true;
		c += item;
		if (*c == ',')
			c++;
	}
	return false;
}

const char *rules_line_for(const char *name, bool b32, const struct rule_group **ret_group)
{
	for (size_t g = 0; g < GROUP_COUNT; g++)
		for (const char *const *line = groups[g].lines; *line; line++) {
			const char *prefix = b32 ? B32 : B64;
			if (strncmp(*line, prefix, strlen(prefix)) != 0 || !line_names(*line, name))
				continue;
			if (ret_group)
				*ret_group = &groups[g];
			return *line;
		}
	return NULL;
}

const struct rule_group *rules_group_for_op(enum syscall_op op)
{
	for (size_t g = 0; g < GROUP_COUNT; g++)
		if (groups[g].ops & OP(op))
			return &groups[g];
	return NULL;
}

bool rules_group_seen(const struct rule_group *group, const uint64_t events_by_op[OP_COUNT])
{
	for (unsigned op = 0; op < OP_COUNT; op++)
		if ((group->ops & OP(op)) && events_by_op[op] > 0)
			return true;
	return false;
}
