// SPDX-License-Identifier: MIT
// One pid, two processes: the second is born after the first has ended.
#include "truth.h"

#include <linux/sched.h>

static pid_t run_as(pid_t pid, const char *program)
{
	struct clone_args arguments = {
		.exit_signal = SIGCHLD,
		.set_tid = pid ? (uintptr_t)&pid : 0,
		.set_tid_size = pid ? 1 : 0,
	};
	long child = syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (child < 0)
		skip("clone3 with set_tid");
	if (child == 0) {
		execl(program, program, (char *)NULL);
		die(program);
	}
	wait_for((pid_t)child);
	return (pid_t)child;
}

int main(void)
{
	pid_t pid = run_as(0, "/usr/bin/true");

	if (run_as(pid, "/usr/bin/sync") != pid)
		die("another pid");
	truth("segments %s/1 %s /usr/bin/true", process(pid), escaped(own_exe()));
	truth("segments %s/2 %s /usr/bin/sync", process(pid), escaped(own_exe()));
	truth("parent %s/1 %s", process(pid), self());
	truth("parent %s/2 %s", process(pid), self());
	truth("edge execute %s %s/1", file_at("/usr/bin/true"), process(pid));
	truth("no-edge execute %s %s/2", file_at("/usr/bin/true"), process(pid));
	truth("no-edge execute %s %s/1", file_at("/usr/bin/sync"), process(pid));
	return 0;
}
