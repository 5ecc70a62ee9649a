// SPDX-License-Identifier: MIT
// A hard link: one file with two names.
#include "truth.h"

int main(void)
{
	int fd = make_file("first", "data");

	TRY(link("first", "second"));
	pid_t reader = run_reader("second");
	truth("edge create %s %s observed", self(), file_fd(fd));
	truth("edge link %s %s observed", self(), file_fd(fd));
	truth("edge open-read %s %s observed", file_fd(fd), process(reader));
	truth("name %s %s", file_fd(fd), absolute("first"));
	truth("name %s %s", file_fd(fd), absolute("second"));
	return 0;
}
