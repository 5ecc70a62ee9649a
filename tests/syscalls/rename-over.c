// SPDX-License-Identifier: MIT
// rename onto an existing file: the name goes on with another inode, and the old content reaches no later reader.
#include "truth.h"

int main(void)
{
	pid_t author = run_writer("config");
	int old = TRY(open("config", O_PATH)), new = make_file("config.new", "new");
	pid_t before = run_reader("config");

	TRY(rename("config.new", "config"));
	pid_t after = run_reader("config");
	truth("edge open-read %s %s observed", file_fd(old), process(before));
	truth("edge rename %s %s observed", self(), file_fd(new));
	truth("edge delete|rename %s %s observed", self(), file_fd(old));
	truth("edge open-read %s %s observed", file_fd(new), process(after));
	truth("no-edge * %s %s", file_fd(old), process(after));
	truth("flow %s %s", process(author), process(before));
	truth("no-flow %s %s", process(author), process(after));
	truth("flow %s %s", self(), process(after));
	truth("name %s %s", file_fd(new), absolute("config"));
	truth("name %s %s", file_fd(new), absolute("config.new"));
	return 0;
}
