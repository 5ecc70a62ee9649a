// SPDX-License-Identifier: MIT
#include "ingest/syscall_kind.h"
#include "tests/unit/unit.h"

static void test_names(void)
{
	static const struct { uint32_t arch, number; const char *name; enum syscall_op op; } want[] = {
		{0xc000003e, 59, "execve", OP_EXEC}, {0xc000003e, 322, "execveat", OP_EXEC}, {0xc000003e, 435, "clone3", OP_FORK},
		{0xc000003e, 437, "openat2", OP_OPEN}, {0xc000003e, 42, "connect", OP_CONNECT}, {0xc000003e, 231, "exit_group", OP_EXIT},
		{0xc000003e, 60, "exit", OP_OTHER}, {0xc000003e, 326, "copy_file_range", OP_COPY}, {0xc000003e, 17, "pread", OP_READ},
		{0xc000003e, 425, "io_uring_setup", OP_IO_URING}, {0xc000003e, 452, "fchmodat2", OP_ATTRIBUTE},
		{0xc000003e, 451, "cachestat", OP_OTHER}, {0xc000003e, 463, "setxattrat", OP_ATTRIBUTE}, {0xc000003e, 462, "mseal", OP_OTHER},
		{0xc000003e, 9999, "syscall_9999", OP_OTHER}, {0xc000003e, UINT32_MAX, "syscall_4294967295", OP_OTHER},
		{0xc000003e, 0x40000000 | 520, "execve", OP_EXEC}, {0xc000003e, 0x40000000 | 2, "open", OP_OPEN}, // x32
		{0x40000003, 11, "execve", OP_EXEC}, {0x40000003, 5, "open", OP_OPEN}, {0x40000003, 59, "oldolduname", OP_OTHER},
		{0x40000003, 102, "socketcall", OP_OTHER}, {0x40000003, 362, "connect", OP_CONNECT},
		{0xc00000b7, 221, "execve", OP_EXEC}, {0xc00000b7, 220, "clone", OP_FORK}, {0xc00000b7, 56, "openat", OP_OPEN},
		{0xc00000f3, 221, "execve", OP_EXEC}, {0xc0000102, 203, "connect", OP_CONNECT}, // generic numbers
		{0x12345678, 59, "syscall_59", OP_OTHER},
	};
	struct intern *strings = intern_new();
	struct syscall_table *t = syscall_table_new(strings);

	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
			struct syscall_kind kind = syscall_table_find(t, want[i].arch, want[i].number);

			CHECK_STRING(intern_string(strings, kind.name), want[i].name);
			CHECK_EQUAL(kind.op, want[i].op);
			CHECK_EQUAL(kind.multiplexed, strcmp(want[i].name, "socketcall") == 0);
		}
	}
	syscall_table_free(t);
	intern_free(strings);
}

static void check_kind(const struct intern *strings, struct syscall_kind kind, const char *name, enum syscall_op op)
{
	CHECK_STRING(intern_string(strings, kind.name), name);
	CHECK_EQUAL(kind.op, op);
}

static void test_inner(void)
{
	struct intern *strings = intern_new();
	struct syscall_table *t = syscall_table_new(strings);

	check_kind(strings, syscall_table_socketcall(t, 3), "connect", OP_CONNECT);
	check_kind(strings, syscall_table_socketcall(t, 5), "accept", OP_ACCEPT);
	check_kind(strings, syscall_table_socketcall(t, 18), "accept4", OP_ACCEPT);
	check_kind(strings, syscall_table_socketcall(t, 0), "socketcall", OP_OTHER);
	check_kind(strings, syscall_table_socketcall(t, UINT64_MAX), "socketcall", OP_OTHER);
	check_kind(strings, syscall_table_uring(t, 18), "uring_openat", OP_IO_URING);
	check_kind(strings, syscall_table_uring(t, 36), "uring_unlinkat", OP_IO_URING);
	check_kind(strings, syscall_table_uring(t, 1000), "uring_op_1000", OP_IO_URING);
	syscall_table_free(t);
	intern_free(strings);
}

// The search by halves wants the table in order: every name of it must be found.
static void test_every_op(void)
{
	static const struct { const char *name; enum syscall_op op; } want[] = {
		{"accept", OP_ACCEPT}, {"accept4", OP_ACCEPT}, {"bind", OP_BIND}, {"bpf", OP_BPF}, {"chmod", OP_ATTRIBUTE}, {"chown32", OP_ATTRIBUTE},
		{"chroot", OP_MOUNT}, {"clone", OP_FORK}, {"close_range", OP_CLOSE}, {"connect", OP_CONNECT}, {"creat", OP_OPEN},
		{"delete_module", OP_MODULE}, {"dup3", OP_DUP}, {"execveat", OP_EXEC}, {"file_setattr", OP_ATTRIBUTE}, {"finit_module", OP_MODULE},
		{"fork", OP_FORK}, {"fsetxattr", OP_ATTRIBUTE}, {"ftruncate64", OP_TRUNCATE}, {"futimesat", OP_ATTRIBUTE}, {"init_module", OP_MODULE},
		{"kill", OP_KILL}, {"linkat", OP_LINK}, {"listen", OP_LISTEN}, {"lremovexattr", OP_ATTRIBUTE}, {"memfd_create", OP_MEMFD},
		{"mkdirat", OP_MKDIR}, {"mknodat", OP_MKNOD}, {"mmap2", OP_MMAP}, {"move_mount", OP_MOUNT}, {"open", OP_OPEN},
		{"open_by_handle_at", OP_OPEN}, {"open_tree_attr", OP_MOUNT}, {"openat", OP_OPEN}, {"openat2", OP_OPEN}, {"pidfd_send_signal", OP_KILL},
		{"pipe", OP_PIPE}, {"pipe2", OP_PIPE}, {"pread64", OP_READ}, {"preadv2", OP_READ}, {"process_vm_readv", OP_VM_READ},
		{"process_vm_writev", OP_VM_WRITE}, {"ptrace", OP_PTRACE}, {"pwrite64", OP_WRITE}, {"pwritev2", OP_WRITE}, {"read", OP_READ},
		{"recvmmsg_time64", OP_RECEIVE}, {"removexattrat", OP_ATTRIBUTE}, {"rename", OP_RENAME}, {"renameat2", OP_RENAME}, {"rmdir", OP_UNLINK},
		{"rt_tgsigqueueinfo", OP_KILL}, {"send", OP_SEND}, {"sendfile64", OP_COPY}, {"sendmmsg", OP_SEND}, {"sendto", OP_SEND},
		{"setfsuid32", OP_SETID}, {"setgid", OP_SETID}, {"setns", OP_NAMESPACE}, {"setresuid32", OP_SETID}, {"setuid", OP_SETID},
		{"setxattr", OP_ATTRIBUTE}, {"socket", OP_SOCKET}, {"socketpair", OP_SOCKETPAIR}, {"splice", OP_COPY}, {"symlinkat", OP_SYMLINK},
		{"tee", OP_COPY}, {"tgkill", OP_KILL}, {"tkill", OP_KILL}, {"truncate", OP_TRUNCATE}, {"umount2", OP_MOUNT}, {"unlink", OP_UNLINK},
		{"unlinkat", OP_UNLINK}, {"unshare", OP_NAMESPACE}, {"utimensat_time64", OP_ATTRIBUTE}, {"vfork", OP_FORK}, {"write", OP_WRITE},
		{"writev", OP_WRITE}, {"getpid", OP_OTHER}, {"", OP_OTHER}, {"zzz", OP_OTHER},
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		CHECK_EQUAL(syscall_op_of_name(want[i].name), want[i].op);
	for (int op = 0; op < OP_COUNT; op++)
		CHECK(strlen(syscall_op_name((enum syscall_op)op)) > 1);
	CHECK_STRING(syscall_op_name(OP_COUNT), "?");
}

int main(void)
{
	test_names();
	test_inner();
	test_every_op();
	return unit_end();
}
