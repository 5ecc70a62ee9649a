// SPDX-License-Identifier: MIT
// A download that gets its name at the end: one file through all its names.
#include "truth.h"

int main(void)
{
	int fd = make_file("download.part", "data");

	TRY(mkdir("done", 0755));
	TRY(rename("download.part", "download"));
	TRY(rename("download", "done/program"));
	pid_t reader = run_reader("done/program");
	truth("edge create %s %s observed", self(), file_fd(fd));
	truth("edge rename %s %s observed", self(), file_fd(fd));
	truth("edge open-read %s %s observed", file_fd(fd), process(reader));
	truth("name %s %s", file_fd(fd), absolute("download.part"));
	truth("name %s %s", file_fd(fd), absolute("download"));
	truth("name %s %s", file_fd(fd), absolute("done/program"));
	truth("versions %s 1", file_fd(fd));
	return 0;
}
