// SPDX-License-Identifier: MIT
// PROCTITLE is what a process says about itself: it can be any text, and the kernel keeps the first one that it logged, so that after
// an execve it may still be the title from before.
#include "truth.h"

#include <sys/prctl.h>

int main(int argc, char **argv)
{
	if (argc == 1) {
		pid_t child = TRY(fork());
		if (child == 0) {
			(void)make_file("logs-the-first-title", "x");
			execl("/proc/self/exe", "[kworker/0:1]", "second life", (char *)NULL);
			die("exec");
		}
		wait_for(child);
		truth("segments %s %s %s", process(child), escaped(own_exe()), escaped(own_exe()));
		truth("edge create %s#0 %s observed", process(child), file_at("logs-the-first-title"));
		truth("edge create %s#1 %s observed", process(child), file_at("after-exec"));
		truth("argv %s#1 2 %zu", process(child), strlen("[kworker/0:1]") + strlen("second life"));
		return 0;
	}
	(void)argv;
	TRY(prctl(PR_SET_NAME, "a\x1b]0;b\" exe=\"x"));
	(void)make_file("after-exec", "x");
	return 0;
}
