// SPDX-License-Identifier: MIT
// O_TRUNC and truncate each end a version of the content: what an earlier reader saw is not what a later one gets.
#include "truth.h"

int main(void)
{
	pid_t author = run_writer("emptied-by-open");
	int one = TRY(open("emptied-by-open", O_PATH)), two = make_file("emptied-by-name", "old");
	pid_t before = run_reader("emptied-by-open");

	usleep(20000); // audit's clock ticks every 4 ms: within a tick the graph lets both versions meet both readers
	TRY(open("emptied-by-open", O_WRONLY | O_TRUNC));
	TRY(truncate("emptied-by-name", 0));
	pid_t after = run_reader("emptied-by-open");
	truth("edge open-read %s %s observed", file_fd(one), process(before));
	truth("edge truncate %s %s observed", self(), file_fd(one));
	truth("edge open-write %s %s observed", self(), file_fd(one));
	truth("edge open-read %s %s observed", file_fd(one), process(after));
	truth("edge truncate %s %s observed", self(), file_fd(two));
	truth("versions %s 2", file_fd(one));
	truth("flow %s %s", process(author), process(before));
	truth("no-flow %s %s", process(author), process(after));
	truth("versions %s 2", file_fd(two));
	return 0;
}
