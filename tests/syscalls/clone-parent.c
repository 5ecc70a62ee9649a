// SPDX-License-Identifier: MIT
// CLONE_PARENT: the new process is the caller's sibling.
#include "truth.h"

int main(void)
{
	int pipe_ends[2], status;
	pid_t sibling = 0;

	TRY(pipe(pipe_ends));
	pid_t child = TRY(fork());
	if (child == 0) {
		sibling = (pid_t)TRY(syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0));
		if (sibling == 0) {
			(void)make_file("by-sibling", "x");
			_exit(0);
		}
		TRY(write(pipe_ends[1], &sibling, sizeof(sibling)));
		_exit(0);
	}
	wait_for(child);
	TRY(read(pipe_ends[0], &sibling, sizeof(sibling)));
	TRY(waitpid(sibling, &status, 0));
	truth("parent %s %s", process(sibling), self());
	truth("edge fork %s %s", process(child), process(sibling)); // information came from who cloned
	truth("edge create %s %s observed", process(sibling), file_at("by-sibling"));
	return 0;
}
