// SPDX-License-Identifier: MIT
// Writing into /proc/PID/mem is an injection that looks like an open.
#include "truth.h"

static char memory[8] = "before";

int main(void)
{
	int status;
	char path[64];
	pid_t victim = TRY(fork());

	if (victim == 0)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/%d/mem", victim);
	int fd = TRY(open(path, O_RDWR));
	TRY(pwrite(fd, "after", 6, (off_t)(uintptr_t)memory));
	TRY(kill(victim, SIGKILL));
	TRY(waitpid(victim, &status, 0));
	truth("edge inject %s %s", self(), process(victim));
	return 0;
}
