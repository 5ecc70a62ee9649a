// SPDX-License-Identifier: MIT
// A named pipe is a channel between who writes and who reads.
#include "truth.h"

int main(void)
{
	TRY(mknod("channel", S_IFIFO | 0644, 0));
	pid_t writer = TRY(fork());
	if (writer == 0) {
		int fd = TRY(open("channel", O_WRONLY));
		TRY(write(fd, "x", 1));
		_exit(0);
	}
	pid_t reader = run_reader("channel");
	wait_for(writer);
	truth("edge create %s %s observed", self(), file_at("channel"));
	truth("edge open-write %s %s observed", process(writer), file_at("channel"));
	truth("edge open-read %s %s observed", file_at("channel"), process(reader));
	truth("flow %s %s", process(writer), process(reader));
	return 0;
}
