// SPDX-License-Identifier: MIT
// A file that is removed while it is open: it goes on without a name, and /proc still reaches it.
#include "truth.h"

int main(void)
{
	int fd = make_file("ghost", "data");
	char path[64];

	TRY(unlink("ghost"));
	TRY(write(fd, "more", 4));
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	pid_t reader = run_reader(path);
	truth("edge create %s %s observed", self(), file_fd(fd));
	truth("edge delete %s %s observed", self(), file_fd(fd));
	truth("edge open-read %s %s observed", file_fd(fd), process(reader));
	return 0;
}
