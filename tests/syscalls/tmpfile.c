// SPDX-License-Identifier: MIT
// O_TMPFILE: the record of the open shows the folder's name with the new file's inode; linkat names it later.
#include "truth.h"

int main(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	char path[64];

	if (fd < 0)
		skip("O_TMPFILE");
	TRY(write(fd, "data", 4));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	TRY(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	pid_t reader = run_reader("named");
	truth("edge create|open-write %s %s observed", self(), file_fd(fd));
	truth("edge link %s %s observed", self(), file_fd(fd));
	truth("edge open-read %s %s observed", file_fd(fd), process(reader));
	truth("name %s %s", file_fd(fd), absolute("named"));
	return 0;
}
