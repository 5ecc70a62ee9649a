// SPDX-License-Identifier: MIT
// O_PATH gives a handle on a name. No data flows either way.
#include "truth.h"

int main(void)
{
	int fd = make_file("handle", "data");
	pid_t child = TRY(fork());

	if (child == 0) {
		TRY(open("handle", O_PATH));
		_exit(0);
	}
	wait_for(child);
	truth("edge create %s %s observed", self(), file_fd(fd));
	truth("no-edge * %s %s", file_fd(fd), process(child));
	truth("no-edge * %s %s", process(child), file_fd(fd));
	return 0;
}
