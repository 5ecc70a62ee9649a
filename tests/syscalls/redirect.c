// SPDX-License-Identifier: MIT
// `echo hello > out`: the forked shell opens the file, and the program that it executes then writes to what it inherited.
#include "truth.h"

int main(void)
{
	pid_t child = TRY(fork());

	if (child == 0) {
		int fd = TRY(open("out", O_WRONLY | O_CREAT, 0644));
		TRY(dup2(fd, STDOUT_FILENO));
		TRY(close(fd));
		execl("/usr/bin/echo", "echo", "hello", (char *)NULL);
		die("echo");
	}
	wait_for(child);
	truth_of_exec(child, "/usr/bin/echo");
	truth("edge create %s#0 %s observed", process(child), file_at("out"));
	truth("edge * %s#1 %s", process(child), file_at("out"));
	return 0;
}
