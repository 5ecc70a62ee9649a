// SPDX-License-Identifier: MIT
// ext4 hands out the number of a removed inode at once: two files that have nothing to do with each other.
#include "truth.h"

int main(void)
{
	struct stat first, second;
	int fd = make_file("first", "one");

	TRY(fstat(fd, &first));
	TRY(close(fd));
	pid_t reader = run_reader("first");
	TRY(unlink("first"));
	for (int i = 0;; i++) {
		char name[16];
		snprintf(name, sizeof(name), "second%d", i);
		fd = make_file(name, "two");
		TRY(fstat(fd, &second));
		if (second.st_ino == first.st_ino)
			break;
		errno = 0;
		if (i == 64)
			skip("this file system does not reuse numbers");
	}
	const char *number = file_stat(&first);
	truth("edge create %s %s/1 observed", self(), number);
	truth("edge delete %s %s/1 observed", self(), number);
	truth("edge create %s %s/2 observed", self(), number);
	truth("edge open-read %s/1 %s observed", number, process(reader));
	truth("no-edge * %s/2 %s", number, process(reader));
	truth("no-edge delete %s %s/2", self(), number);
	truth("name %s/1 %s", number, absolute("first"));
	return 0;
}
