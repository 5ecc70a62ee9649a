// SPDX-License-Identifier: MIT
// O_CLOEXEC: what was open before execve is not open after it.
#include "truth.h"

int main(void)
{
	pid_t child = TRY(fork());

	if (child == 0) {
		(void)TRY(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
		(void)TRY(open("private", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		execl("/usr/bin/true", "true", (char *)NULL);
		die("true");
	}
	wait_for(child);
	truth_of_exec(child, "/usr/bin/true");
	truth("edge open-read %s %s#0 observed", file_at("/etc/passwd"), process(child));
	truth("no-edge * %s %s#1", file_at("/etc/passwd"), process(child));
	truth("edge create %s#0 %s observed", process(child), file_at("private"));
	truth("no-edge * %s#1 %s", process(child), file_at("private"));
	return 0;
}
