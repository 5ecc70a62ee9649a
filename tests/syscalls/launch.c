// SPDX-License-Identifier: MIT
// launch AUID PROGRAM [ARG...]: gives this process a login user of its own, and becomes the program. The recorder keeps
// everything without a login user out of the log, at kernel level, so that serials have no gaps.
#include "truth.h"

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	int fd = TRY(open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC));
	TRY(write(fd, argv[1], strlen(argv[1])));
	TRY(close(fd));
	execv(argv[2], argv + 2);
	die(argv[2]);
}
