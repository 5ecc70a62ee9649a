// SPDX-License-Identifier: MIT
// What was read before it was written was not caused by the writing; but an open is a licence: who opened before and still holds
// the file when it is written may have read the new content.
#include "truth.h"

int main(void)
{
	(void)make_file("shared", "first");
	pid_t early = run_reader("shared");
	usleep(20000); // audit's clock ticks every 4 ms

	int ready[2], go[2];
	char byte;
	TRY(pipe2(ready, O_CLOEXEC));
	TRY(pipe2(go, O_CLOEXEC));
	pid_t holder = TRY(fork());
	if (holder == 0) {
		int fd = TRY(open("shared", O_RDONLY));
		TRY(write(ready[1], "x", 1));
		TRY(read(go[0], &byte, 1));
		TRY(read(fd, &byte, 1));
		_exit(0);
	}
	TRY(read(ready[0], &byte, 1));
	pid_t writer = TRY(fork());
	if (writer == 0) {
		int fd = TRY(open("shared", O_WRONLY | O_APPEND));
		TRY(write(fd, "second", 6));
		_exit(0);
	}
	wait_for(writer);
	TRY(write(go[1], "x", 1));
	wait_for(holder);
	pid_t late = run_reader("shared");
	truth("no-flow %s %s", process(writer), process(early));
	truth("edge open-read %s %s observed", file_at("shared"), process(early));
	truth("flow %s %s", file_at("shared"), process(holder));
	truth("flow %s %s", process(writer), process(late));
	truth("no-flow %s %s", process(late), process(writer));
	return 0;
}
