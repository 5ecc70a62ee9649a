// SPDX-License-Identifier: MIT
#include "ingest/syscall_kind.h"

#include "base/memory.h"

#include <libaudit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_ENTRIES 2048u /* power of two; a log holds a few hundred different calls */
#define X32_BIT 0x40000000u /* __X32_SYSCALL_BIT, asm/unistd.h */
#define ARCH_X86_64 0xc000003eu
#define ARCH_RISCV64 0xc00000f3u
#define ARCH_LOONGARCH64 0xc0000102u

struct cache_entry {
	bool used;
	uint32_t arch, number;
	struct syscall_kind kind;
};

struct syscall_table {
	struct intern *strings;
	struct cache_entry cache[CACHE_ENTRIES];
};

struct name_op {
	const char *name;
	enum syscall_op op;
};

// Sorted by name (the unit test checks it). Names are those of libaudit, over all its architectures.
static const struct name_op ops[] = {
	{"accept", OP_ACCEPT}, {"accept4", OP_ACCEPT}, {"bind", OP_BIND}, {"bpf", OP_BPF}, {"chmod", OP_ATTRIBUTE},
	{"chown", OP_ATTRIBUTE}, {"chown32", OP_ATTRIBUTE}, {"chroot", OP_MOUNT}, {"clone", OP_FORK}, {"clone2", OP_FORK},
	{"clone3", OP_FORK}, {"close", OP_CLOSE}, {"close_range", OP_CLOSE}, {"connect", OP_CONNECT},
	{"copy_file_range", OP_COPY}, {"creat", OP_OPEN}, {"delete_module", OP_MODULE}, {"dup", OP_DUP}, {"dup2", OP_DUP},
	{"dup3", OP_DUP}, {"execve", OP_EXEC}, {"execveat", OP_EXEC}, {"exit_group", OP_EXIT}, {"fchmod", OP_ATTRIBUTE},
	{"fchmodat", OP_ATTRIBUTE}, {"fchmodat2", OP_ATTRIBUTE}, {"fchown", OP_ATTRIBUTE}, {"fchown32", OP_ATTRIBUTE},
	{"fchownat", OP_ATTRIBUTE}, {"file_setattr", OP_ATTRIBUTE}, {"finit_module", OP_MODULE}, {"fork", OP_FORK},
	{"fremovexattr", OP_ATTRIBUTE}, {"fsetxattr", OP_ATTRIBUTE}, {"fsmount", OP_MOUNT}, {"ftruncate", OP_TRUNCATE},
	{"ftruncate64", OP_TRUNCATE}, {"futimesat", OP_ATTRIBUTE}, {"init_module", OP_MODULE}, {"io_uring_enter", OP_IO_URING},
	{"io_uring_register", OP_IO_URING}, {"io_uring_setup", OP_IO_URING}, {"kill", OP_KILL}, {"lchown", OP_ATTRIBUTE},
	{"lchown32", OP_ATTRIBUTE}, {"link", OP_LINK}, {"linkat", OP_LINK}, {"listen", OP_LISTEN},
	{"lremovexattr", OP_ATTRIBUTE}, {"lsetxattr", OP_ATTRIBUTE}, {"memfd_create", OP_MEMFD}, {"memfd_secret", OP_MEMFD},
	{"mkdir", OP_MKDIR}, {"mkdirat", OP_MKDIR}, {"mknod", OP_MKNOD}, {"mknodat", OP_MKNOD}, {"mmap", OP_MMAP},
	{"mmap2", OP_MMAP}, {"mount", OP_MOUNT}, {"mount_setattr", OP_MOUNT}, {"move_mount", OP_MOUNT}, {"open", OP_OPEN},
	{"open_by_handle_at", OP_OPEN}, {"open_tree", OP_MOUNT}, {"open_tree_attr", OP_MOUNT}, {"openat", OP_OPEN},
	{"openat2", OP_OPEN}, {"pidfd_send_signal", OP_KILL}, {"pipe", OP_PIPE}, {"pipe2", OP_PIPE}, {"pivot_root", OP_MOUNT},
	{"pread", OP_READ}, {"pread64", OP_READ}, {"preadv", OP_READ}, {"preadv2", OP_READ}, {"process_vm_readv", OP_VM_READ},
	{"process_vm_writev", OP_VM_WRITE}, {"ptrace", OP_PTRACE}, {"pwrite", OP_WRITE}, {"pwrite64", OP_WRITE},
	{"pwritev", OP_WRITE}, {"pwritev2", OP_WRITE}, {"read", OP_READ}, {"readv", OP_READ}, {"recv", OP_RECEIVE},
	{"recvfrom", OP_RECEIVE}, {"recvmmsg", OP_RECEIVE}, {"recvmmsg_time64", OP_RECEIVE}, {"recvmsg", OP_RECEIVE},
	{"removexattr", OP_ATTRIBUTE}, {"removexattrat", OP_ATTRIBUTE}, {"rename", OP_RENAME}, {"renameat", OP_RENAME},
	{"renameat2", OP_RENAME}, {"rmdir", OP_UNLINK}, {"rt_sigqueueinfo", OP_KILL}, {"rt_tgsigqueueinfo", OP_KILL},
	{"send", OP_SEND}, {"sendfile", OP_COPY}, {"sendfile64", OP_COPY}, {"sendmmsg", OP_SEND}, {"sendmsg", OP_SEND},
	{"sendto", OP_SEND}, {"setfsgid", OP_SETID}, {"setfsgid32", OP_SETID}, {"setfsuid", OP_SETID}, {"setfsuid32", OP_SETID},
	{"setgid", OP_SETID}, {"setgid32", OP_SETID}, {"setgroups", OP_SETID}, {"setgroups32", OP_SETID}, {"setns", OP_NAMESPACE},
	{"setregid", OP_SETID}, {"setregid32", OP_SETID}, {"setresgid", OP_SETID}, {"setresgid32", OP_SETID},
	{"setresuid", OP_SETID}, {"setresuid32", OP_SETID}, {"setreuid", OP_SETID}, {"setreuid32", OP_SETID},
	{"setuid", OP_SETID}, {"setuid32", OP_SETID}, {"setxattr", OP_ATTRIBUTE}, {"setxattrat", OP_ATTRIBUTE},
	{"socket", OP_SOCKET}, {"socketpair", OP_SOCKETPAIR}, {"splice", OP_COPY}, {"symlink", OP_SYMLINK},
	{"symlinkat", OP_SYMLINK}, {"tee", OP_COPY}, {"tgkill", OP_KILL}, {"tkill", OP_KILL}, {"truncate", OP_TRUNCATE},
	{"truncate64", OP_TRUNCATE}, {"umount", OP_MOUNT}, {"umount2", OP_MOUNT}, {"unlink", OP_UNLINK},
	{"unlinkat", OP_UNLINK}, {"unshare", OP_NAMESPACE}, {"utime", OP_ATTRIBUTE}, {"utimensat", OP_ATTRIBUTE},
	{"utimensat_time64", OP_ATTRIBUTE}, {"utimes", OP_ATTRIBUTE}, {"vfork", OP_FORK}, {"vmsplice", OP_COPY},
	{"write", OP_WRITE}, {"writev", OP_WRITE},
};

// Numbers from 424 on mean the same on every architecture but alpha. libaudit 3.0.9 ends at 450; these are from
// include/uapi/asm-generic/unistd.h of Linux 6.18.
static const char *const new_names[] = {
	"cachestat", "fchmodat2", "map_shadow_stack", "futex_wake", "futex_wait", "futex_requeue", "statmount", "listmount",
	"lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", "mseal", "setxattrat", "getxattrat", "listxattrat",
	"removexattrat", "open_tree_attr", "file_getattr", "file_setattr",
};
#define FIRST_NEW_NAME 451u

// The x32 ABI has its own numbers from 512 on (arch/x86/entry/syscalls/syscall_64.tbl); below it shares x86-64's.
static const char *const x32_names[] = {
	"rt_sigaction", "rt_sigreturn", "ioctl", "readv", "writev", "recvfrom", "sendmsg", "recvmsg", "execve", "ptrace",
	"rt_sigpending", "rt_sigtimedwait", "rt_sigqueueinfo", "sigaltstack", "timer_create", "mq_notify", "kexec_load", "waitid",
	"set_robust_list", "get_robust_list", "vmsplice", "move_pages", "preadv", "pwritev", "rt_tgsigqueueinfo", "recvmmsg",
	"sendmmsg", "process_vm_readv", "process_vm_writev", "setsockopt", "getsockopt", "io_setup", "io_submit", "execveat",
	"preadv2", "pwritev2",
};
#define FIRST_X32_NAME 512u

/* SYS_SOCKET .. SYS_SENDMMSG, linux/net.h; 0 is no call */
static const char *const socketcall_names[] = {
	NULL, "socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair", "send", "recv",
	"sendto", "recvfrom", "shutdown", "setsockopt", "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg",
};

/* IORING_OP_*, linux/io_uring.h of Linux 6.18 */
static const char *const uring_names[] = {
	"nop", "readv", "writev", "fsync", "read_fixed", "write_fixed", "poll_add", "poll_remove", "sync_file_range", "sendmsg",
	"recvmsg", "timeout", "timeout_remove", "accept", "async_cancel", "link_timeout", "connect", "fallocate", "openat",
	"close", "files_update", "statx", "read", "write", "fadvise", "madvise", "send", "recv", "openat2", "epoll_ctl",
	"splice", "provide_buffers", "remove_buffers", "tee", "shutdown", "renameat", "unlinkat", "mkdirat", "symlinkat",
	"linkat", "msg_ring", "fsetxattr", "setxattr", "fgetxattr", "getxattr", "socket", "uring_cmd", "send_zc", "sendmsg_zc",
	"read_multishot", "waitid", "futex_wait", "futex_wake", "futex_waitv", "fixed_fd_install", "ftruncate", "bind",
	"listen", "recv_zc", "epoll_wait", "readv_fixed", "writev_fixed", "pipe",
};

static int compare_name(const void *key, const void *entry)
{
	return strcmp(key, ((const struct name_op *)entry)->name);
}

enum syscall_op syscall_op_of_name(const char *name)
{
	const struct name_op *found = bsearch(name, ops, ARRAY_LENGTH(ops), sizeof(ops[0]), compare_name);

	return found ? found->op : OP_OTHER;
}

// libaudit's table for the ABI. Its riscv and loongarch are missing; both use the generic numbers, as arm64 does.
static int machine_of_arch(uint32_t arch)
{
	if (arch == ARCH_RISCV64 || arch == ARCH_LOONGARCH64)
		return MACH_AARCH64;
	return audit_elf_to_machine(arch);
}

// A static string, or NULL when nobody knows the number.
static const char *name_of(uint32_t arch, uint32_t number)
{
	if (arch == ARCH_X86_64 && (number & X32_BIT)) {
		number &= ~X32_BIT;
		if (number >= FIRST_X32_NAME)
			return number - FIRST_X32_NAME < ARRAY_LENGTH(x32_names) ? x32_names[number - FIRST_X32_NAME] : NULL;
	}
	int machine = machine_of_arch(arch);
	const char *name = machine < 0 || number > INT32_MAX ? NULL : audit_syscall_to_name((int)number, machine);

	if (!name && machine != MACH_ALPHA && number >= FIRST_NEW_NAME && number - FIRST_NEW_NAME < ARRAY_LENGTH(new_names))
		name = new_names[number - FIRST_NEW_NAME];
	return name;
}

struct syscall_table *syscall_table_new(struct intern *strings)
{
	struct syscall_table *t = calloc(1, sizeof(*t));

	if (t)
		t->strings = strings;
	return t;
}

void syscall_table_free(struct syscall_table *t)
{
	free(t);
}

struct syscall_kind syscall_table_find(struct syscall_table *t, uint32_t arch, uint32_t number)
{
	struct cache_entry *e = &t->cache[(number ^ arch >> 24) & (CACHE_ENTRIES - 1)];
	char unknown[32];

	if (e->used && e->arch == arch && e->number == number)
		return e->kind;
	const char *name = name_of(arch, number);

	if (!name) {
		(void)snprintf(unknown, sizeof(unknown), "syscall_%u", number);
		name = unknown;
	}
	*e = (struct cache_entry){.used = true, .arch = arch, .number = number,
				  .kind = {.name = intern_add_string(t->strings, name), .op = syscall_op_of_name(name),
					   .multiplexed = strcmp(name, "socketcall") == 0}};
	return e->kind;
}

struct syscall_kind syscall_table_socketcall(struct syscall_table *t, uint64_t call)
{
	const char *name = call < ARRAY_LENGTH(socketcall_names) && socketcall_names[call] ? socketcall_names[call] : "socketcall";

	return (struct syscall_kind){.name = intern_add_string(t->strings, name), .op = syscall_op_of_name(name)};
}

struct syscall_kind syscall_table_uring(struct syscall_table *t, uint32_t operation)
{
	char name[48];

	if (operation < ARRAY_LENGTH(uring_names))
		(void)snprintf(name, sizeof(name), "uring_%s", uring_names[operation]);
	else
		(void)snprintf(name, sizeof(name), "uring_op_%u", operation);
	return (struct syscall_kind){.name = intern_add_string(t->strings, name), .op = OP_IO_URING};
}

const char *syscall_op_name(enum syscall_op op)
{
	static const char *const names[OP_COUNT] = {
		[OP_OTHER] = "other", [OP_EXEC] = "exec", [OP_FORK] = "fork", [OP_EXIT] = "exit", [OP_OPEN] = "open",
		[OP_READ] = "read", [OP_WRITE] = "write", [OP_COPY] = "copy", [OP_TRUNCATE] = "truncate", [OP_RENAME] = "rename",
		[OP_LINK] = "link", [OP_SYMLINK] = "symlink", [OP_UNLINK] = "unlink", [OP_MKDIR] = "mkdir", [OP_MKNOD] = "mknod",
		[OP_ATTRIBUTE] = "attribute", [OP_CONNECT] = "connect", [OP_ACCEPT] = "accept", [OP_BIND] = "bind",
		[OP_LISTEN] = "listen", [OP_SEND] = "send", [OP_RECEIVE] = "receive", [OP_PIPE] = "pipe",
		[OP_SOCKETPAIR] = "socketpair", [OP_SOCKET] = "socket", [OP_DUP] = "dup", [OP_CLOSE] = "close", [OP_MEMFD] = "memfd",
		[OP_MMAP] = "mmap", [OP_PTRACE] = "ptrace", [OP_VM_WRITE] = "vm_write", [OP_VM_READ] = "vm_read", [OP_KILL] = "kill",
		[OP_SETID] = "setid", [OP_MODULE] = "module", [OP_BPF] = "bpf", [OP_MOUNT] = "mount", [OP_NAMESPACE] = "namespace",
		[OP_IO_URING] = "io_uring",
	};

	return (unsigned)op < OP_COUNT ? names[op] : "?";
}
