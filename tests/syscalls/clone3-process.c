// SPDX-License-Identifier: MIT
// clone3 without any sharing: a process, though its record shows a pointer where the flags should be.
#include "truth.h"

#include <linux/sched.h>

int main(void)
{
	struct clone_args arguments = { .exit_signal = SIGCHLD };
	pid_t child = (pid_t)TRY(syscall(SYS_clone3, &arguments, sizeof(arguments)));

	if (child == 0) {
		execl("/usr/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	wait_for(child);
	truth_of_exec(child, "/usr/bin/true");
	return 0;
}
