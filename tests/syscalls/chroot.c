// SPDX-License-Identifier: MIT
// After chroot names mean something else; the inode is still the file's.
#include "truth.h"

int main(void)
{
	TRY(mkdir("jail", 0755));
	int fd = make_file("jail/inside", "x");
	pid_t child = TRY(fork());
	if (child == 0) {
		TRY(chroot("jail"));
		TRY(chdir("/"));
		TRY(open("/inside", O_RDONLY));
		_exit(0);
	}
	wait_for(child);
	truth("edge kernel %s kernel observed", process(child));
	truth("edge open-read %s %s observed", file_fd(fd), process(child));
	truth("name %s %s", file_fd(fd), absolute("jail/inside"));
	return 0;
}
