// SPDX-License-Identifier: MIT
// O_APPEND adds to the content and cuts nothing.
#include "truth.h"

int main(void)
{
	int fd = make_file("log", "one\n");
	pid_t child = TRY(fork());

	if (child == 0) {
		int log = TRY(open("log", O_WRONLY | O_APPEND));
		TRY(write(log, "two\n", 4));
		_exit(0);
	}
	wait_for(child);
	truth("edge open-write %s %s observed", process(child), file_fd(fd));
	truth("no-edge truncate %s %s", process(child), file_fd(fd));
	truth("no-edge create %s %s", process(child), file_fd(fd));
	truth("no-edge open-read %s %s", file_fd(fd), process(child));
	return 0;
}
