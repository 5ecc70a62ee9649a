// SPDX-License-Identifier: MIT
// fork and execve: the program's file and its loader flow into the child's second segment.
#include "truth.h"

int main(void)
{
	pid_t child = run_program("/usr/bin/true", (char *[]){ "true", "argument one", "two", NULL });

	truth_of_exec(child, "/usr/bin/true");
	truth("edge exec %s#0 %s#1 observed", process(child), process(child));
	truth("edge execute %s %s#1 observed", file_at("/usr/bin/true"), process(child));
	truth("no-edge execute %s %s#0", file_at("/usr/bin/true"), process(child));
	truth("edge interpret %s %s#1 observed", file_at("/lib64/ld-linux-x86-64.so.2"), process(child));
	truth("argv %s#1 3 %zu", process(child), strlen("true") + strlen("argument one") + strlen("two"));
	return 0;
}
