// SPDX-License-Identifier: MIT
// A thread by clone with CLONE_THREAD: the flags are in a0.
#include "truth.h"

static char stack[65536] __attribute__((aligned(16)));
static volatile pid_t tid;

// Raw calls only: a thread without glibc's bookkeeping must not use stdio or errno.
static int work(void *unused)
{
	(void)unused;
	long fd = syscall(SYS_openat, AT_FDCWD, "by-thread", O_WRONLY | O_CREAT, 0644);
	tid = fd < 0 ? -1 : (pid_t)syscall(SYS_gettid);
	syscall(SYS_exit, 0);
	return 0;
}

int main(void)
{
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

	TRY(clone(work, stack + sizeof(stack), flags, NULL));
	while (tid == 0)
		usleep(1000);
	truth("thread %d", (int)tid);
	truth("edge create %s %s observed", self(), file_at("by-thread"));
	return 0;
}
