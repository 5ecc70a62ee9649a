// SPDX-License-Identifier: MIT
// posix_spawn: shares memory with the parent until the execve, and reports late like vfork.
#include "truth.h"

#include <spawn.h>

int main(void)
{
	pid_t child;
	extern char **environ;

	errno = posix_spawn(&child, "/usr/bin/true", NULL, NULL, (char *[]){ "true", NULL }, environ);
	if (errno)
		die("posix_spawn");
	wait_for(child);
	truth_of_exec(child, "/usr/bin/true");
	return 0;
}
