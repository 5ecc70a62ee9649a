// SPDX-License-Identifier: MIT
// An execve that the kernel refuses starts nothing.
#include "truth.h"

int main(void)
{
	int fd = make_file("not-executable", "x");
	pid_t child = TRY(fork());

	if (child == 0) {
		execl("./not-executable", "x", (char *)NULL);
		_exit(0);
	}
	wait_for(child);
	truth("parent %s %s", process(child), self());
	truth("segments %s %s", process(child), escaped(own_exe()));
	truth("no-edge execute %s %s", file_fd(fd), process(child));
	return 0;
}
