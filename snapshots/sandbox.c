// SPDX-License-Identifier: MIT
#include "snapshots/sandbox.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_ASAN 1
#endif
#endif
#ifndef SANDBOX_ASAN
#define SANDBOX_ASAN 0
#endif

#define NOBODY 65534 // the overflow id, as in /proc/sys/kernel/overflowuid

// ---- limits and privileges

static int set_limit(int resource, uint64_t value, const char *what, struct error *err)
{
	struct rlimit limit, wanted = {.rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)value};

	// A lower limit that is there already stays.
	if (getrlimit((__rlimit_resource_t)resource, &limit) == 0 && limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted.rlim_max)
		wanted.rlim_cur = wanted.rlim_max = limit.rlim_max;
	if (setrlimit((__rlimit_resource_t)resource, &wanted) < 0)
		return error_set_errno(err, errno, "sandbox: cannot limit %s", what);
	return 0;
}

static int set_limits(const struct sandbox_limits *l, struct error *err)
{
	if (set_limit(RLIMIT_CORE, 0, "core dumps", err) < 0 || set_limit(RLIMIT_FSIZE, 0, "the size of files", err) < 0 ||
	    set_limit(RLIMIT_NOFILE, l->files, "open files", err) < 0 || set_limit(RLIMIT_CPU, l->cpu_seconds, "CPU time", err) < 0)
		return -1;
	return SANDBOX_ASAN ? 0 : set_limit(RLIMIT_AS, l->memory_bytes, "memory", err);
}

static int keep_read_only(struct error *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct held[2], data[2] = {{0}};
	uint32_t reading = UINT32_C(1) << CAP_DAC_READ_SEARCH;

	if (syscall(SYS_capget, &header, held) < 0)
		return error_set_errno(err, errno, "sandbox: cannot read capabilities");
	data[0].effective = data[0].permitted = held[0].permitted & reading;
	if (syscall(SYS_capset, &header, data) < 0)
		return error_set_errno(err, errno, "sandbox: cannot give up capabilities");
	return 0;
}

// Root becomes nobody and keeps the right to read and search, because a history is often readable by root alone.
static int give_up_root(struct error *err)
{
	if (geteuid() != 0 && getuid() != 0)
		return keep_read_only(err); // a service may have been given capabilities
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return error_set_errno(err, errno, "sandbox: cannot prepare to give up root");
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		(void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); // without the right to: there is nothing to gain from it then
	// In a container, nobody may not exist (EINVAL) or root may lack the right to change its ids (EPERM): giving up its capabilities is
	// what counts, and is not optional.
	if ((setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0) &&
	    errno != EINVAL && errno != EPERM)
		return error_set_errno(err, errno, "sandbox: cannot give up root");
	return keep_read_only(err);
}

int sandbox_limit(const struct sandbox_limits *limits, struct error *err)
{
	pid_t parent = getppid();

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set_errno(err, errno, "sandbox: cannot refuse new privileges");
	if (set_limits(limits, err) < 0 || give_up_root(err) < 0)
		return -1;
	// Both are forgotten when ids change. Nobody else's ptrace, and no life after the one who asks.
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return error_set_errno(err, errno, "sandbox: cannot tie its life to its parent's");
	if (getppid() != parent)
		return error_set(err, "sandbox: whoever asked is gone");
	return 0;
}

// ---- Landlock, Documentation/userspace-api/landlock.rst. The structs of newer kernels are larger than older headers know.

struct ruleset { uint64_t fs, net, scoped; };

#define FS_ALL_V1 ((UINT64_C(1) << 13) - 1) // EXECUTE .. MAKE_SYM
#define FS_REFER (UINT64_C(1) << 13)        // ABI 2
#define FS_TRUNCATE (UINT64_C(1) << 14)     // ABI 3
#define FS_IOCTL_DEVICE (UINT64_C(1) << 15) // ABI 5
#define NET_TCP UINT64_C(3)                 // ABI 4: bind, connect
#define SCOPED_ALL UINT64_C(3)              // ABI 6: abstract unix sockets, signals

static int allow_reading(int ruleset, const char *path, struct error *err)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
	int fd AUTO_CLOSE = open(path, O_PATH | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return error_set_errno(err, errno, "%s: cannot open", path);
	if (S_ISDIR(status.st_mode))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return error_set_errno(err, errno, "sandbox: cannot leave %s readable", path);
	return 0;
}

static int enter_landlock(const char *const *readable, size_t count, bool *ret_there, struct error *err)
{
	struct ruleset rules = {.fs = FS_ALL_V1};
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	size_t size = sizeof(rules.fs);

	*ret_there = abi > 0;
	if (abi <= 0)
		return 0; // ENOSYS: not in this kernel; EOPNOTSUPP: not switched on
	if (abi >= 2)
		rules.fs |= FS_REFER;
	if (abi >= 3)
		rules.fs |= FS_TRUNCATE;
	if (abi >= 5)
		rules.fs |= FS_IOCTL_DEVICE;
	if (abi >= 4) {
		rules.net = NET_TCP;
		size += sizeof(rules.net);
	}
	if (abi >= 6) {
		rules.scoped = SCOPED_ALL;
		size += sizeof(rules.scoped);
	}
	int fd AUTO_CLOSE = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);

	if (fd < 0)
		return error_set_errno(err, errno, "sandbox: cannot make Landlock's rules");
	for (size_t i = 0; i < count; i++)
		if (allow_reading(fd, readable[i], err) < 0)
			return -1;
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return error_set_errno(err, errno, "sandbox: Landlock refuses");
	return 0;
}

// ---- seccomp

// What reading files, memory and the end of a process need. Everything else fails with EPERM.
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(readv), SCMP_SYS(preadv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
	SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(fstatfs), SCMP_SYS(getdents64),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(fadvise64),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom), SCMP_SYS(sysinfo), SCMP_SYS(sched_yield),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static int add_open(scmp_filter_ctx filter)
{
	const scmp_datum_t writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
	int code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, writing, 0));

#ifdef __NR_open
	if (code == 0)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, writing, 0));
#endif
	return code;
}

// Asking who holds a lock, and copies of a descriptor; setting nothing.
static int add_fcntl(scmp_filter_ctx filter)
{
	static const int commands[] = {F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC, F_GETLK, F_OFD_GETLK};
	int code = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(commands) && code == 0; i++)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[i], 0));
	return code;
}

// Memory that is mapped or changed later cannot be run: code can only be what is there.
static int add_memory(scmp_filter_ctx filter)
{
	int code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	if (code == 0)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return code;
}

static int add_rules(scmp_filter_ctx filter)
{
	int code = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(allowed) && code == 0; i++)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (code == 0)
		code = add_open(filter);
	if (code == 0)
		code = add_fcntl(filter);
	if (code == 0)
		code = add_memory(filter);
	return code;
}

static int enter_seccomp(struct error *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (!filter)
		return error_set(err, "sandbox: cannot prepare the filter of system calls");
	int code = add_rules(filter);

	if (code == 0)
		code = seccomp_load(filter);
	seccomp_release(filter);
	if (code < 0)
		return error_set_errno(err, -code, "sandbox: cannot filter system calls");
	return 0;
}

int sandbox_enter(const char *const *readable, size_t count, bool *ret_landlock, struct error *err)
{
	if (enter_landlock(readable, count, ret_landlock, err) < 0)
		return -1;
	return enter_seccomp(err);
}
