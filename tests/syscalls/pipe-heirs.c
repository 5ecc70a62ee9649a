// SPDX-License-Identifier: MIT
// `writer | reader` as a shell makes it: the parent makes the pipe, two children inherit an end each and execute.
#include "truth.h"

static pid_t start(int take, int as, const int ends[2], const char *program, const char *argument)
{
	pid_t child = TRY(fork());
	if (child > 0)
		return child;
	TRY(dup2(ends[take], as));
	close(ends[0]);
	close(ends[1]);
	if (as == STDIN_FILENO) {
		int nowhere = TRY(open("/dev/null", O_WRONLY));
		TRY(dup2(nowhere, STDOUT_FILENO));
	}
	execl(program, program, argument, (char *)NULL);
	die(program);
}

int main(void)
{
	int ends[2];

	TRY(pipe2(ends, 0));
	pid_t writer = start(1, STDOUT_FILENO, ends, "/usr/bin/echo", "hello");
	pid_t reader = start(0, STDIN_FILENO, ends, "/usr/bin/cat", NULL);
	close(ends[0]);
	close(ends[1]);
	wait_for(writer);
	wait_for(reader);
	truth("segments %s %s /usr/bin/echo", process(writer), escaped(own_exe()));
	truth("segments %s %s /usr/bin/cat", process(reader), escaped(own_exe()));
	truth("edge pipe %s#1 pipe:%d", process(writer), getpid());
	truth("edge pipe pipe:%d %s#1", getpid(), process(reader));
	truth("flow %s#1 %s#1", process(writer), process(reader));
	return 0;
}
