// SPDX-License-Identifier: MIT
// A process becomes another user: the ids on its records change.
#include "truth.h"

int main(void)
{
	pid_t child = TRY(fork());

	if (child == 0) {
		(void)TRY(open("/etc/passwd", O_RDONLY));
		TRY(setresgid(65534, 65534, 65534));
		TRY(setresuid(65534, 65534, 65534));
		(void)TRY(open("/etc/passwd", O_RDONLY));
		_exit(0);
	}
	wait_for(child);
	truth("parent %s %s", process(child), self());
	truth("privilege %s 0 65534", process(child));
	truth("edge open-read %s %s observed", file_at("/etc/passwd"), process(child));
	return 0;
}
