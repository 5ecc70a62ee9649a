// SPDX-License-Identifier: MIT
// vfork and execve: the record of the parent's vfork comes after those of the child, which has long executed by then.
#include "truth.h"

int main(void)
{
	pid_t child = TRY(vfork());
	if (child == 0) {
		execl("/usr/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	wait_for(child);
	truth_of_exec(child, "/usr/bin/true");
	return 0;
}
