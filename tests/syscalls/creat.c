// SPDX-License-Identifier: MIT
// creat is open for writing with O_CREAT and O_TRUNC, and has no flags to show.
#include "truth.h"

int main(void)
{
	int fd = (int)TRY(syscall(SYS_creat, "made", 0644));
	TRY(write(fd, "data", 4));
	pid_t again = TRY(fork());
	if (again == 0) {
		TRY(syscall(SYS_creat, "made", 0644));
		_exit(0);
	}
	wait_for(again);
	truth("edge create %s %s observed", self(), file_fd(fd));
	truth("edge truncate %s %s observed", process(again), file_fd(fd));
	truth("edge open-write %s %s observed", process(again), file_fd(fd));
	truth("no-edge open-read %s %s", file_fd(fd), process(again));
	return 0;
}
