// SPDX-License-Identifier: MIT
// A daemon's double fork: when the parent ends, ppid= changes, and the process is still the same with the same parent.
#include "truth.h"

#include <sys/prctl.h>

int main(void)
{
	int ready[2], status;
	pid_t grandchild;

	TRY(prctl(PR_SET_CHILD_SUBREAPER, 1)); // so that the orphan comes back to us, and can be waited for
	TRY(pipe(ready));
	pid_t child = TRY(fork());
	if (child == 0) {
		grandchild = TRY(fork());
		if (grandchild == 0) {
			(void)make_file("before", "x");
			while (getppid() == child)
				usleep(1000);
			(void)make_file("after", "x");
			_exit(0);
		}
		TRY(write(ready[1], &grandchild, sizeof(grandchild)));
		while (access("before", F_OK) < 0)
			usleep(1000);
		_exit(0);
	}
	wait_for(child);
	TRY(read(ready[0], &grandchild, sizeof(grandchild)));
	TRY(waitpid(grandchild, &status, 0));
	truth("parent %s %s", process(grandchild), process(child));
	truth("parent %s %s", process(child), self());
	truth("edge create %s/1 %s observed", process(grandchild), file_at("before"));
	truth("edge create %s/1 %s observed", process(grandchild), file_at("after"));
	truth("no-edge fork %s %s", self(), process(grandchild));
	return 0;
}
