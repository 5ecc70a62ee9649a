// SPDX-License-Identifier: MIT
// openat2: its flags are in a structure, and the kernel writes them down in a record of their own (OPENAT2, oflag in octal).
#include "truth.h"

#include <linux/openat2.h>

static int open_how(const char *name, uint64_t flags, uint64_t mode)
{
	struct open_how how = { .flags = flags, .mode = mode, .resolve = RESOLVE_NO_SYMLINKS };
	return (int)TRY(syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof(how)));
}

int main(void)
{
	int fd = open_how("new", O_RDWR | O_CREAT, 0640);
	pid_t reader = TRY(fork());
	if (reader == 0) {
		open_how("new", O_RDONLY, 0);
		_exit(0);
	}
	wait_for(reader);
	pid_t cutter = TRY(fork());
	if (cutter == 0) {
		open_how("new", O_WRONLY | O_TRUNC, 0);
		_exit(0);
	}
	wait_for(cutter);
	truth("edge create %s %s observed", self(), file_fd(fd));
	truth("edge open-read %s %s observed", file_fd(fd), process(reader));
	truth("no-edge open-write %s %s", process(reader), file_fd(fd));
	truth("edge open-write %s %s observed", process(cutter), file_fd(fd));
	truth("edge truncate %s %s observed", process(cutter), file_fd(fd));
	return 0;
}
