// SPDX-License-Identifier: MIT
// execve by a thread that is not the first: the new program takes the process's id, and the thread's id is never one.
#include "truth.h"

#include <pthread.h>

static void *execute(void *unused)
{
	char line[64];

	(void)unused;
	snprintf(line, sizeof(line), "thread %d\n", (int)gettid());
	TRY(write(STDOUT_FILENO, line, strlen(line)));
	execl("/usr/bin/true", "true", (char *)NULL);
	die("true");
}

int main(void)
{
	pid_t child = TRY(fork());

	if (child == 0) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, execute, NULL) != 0)
			die("pthread_create");
		for (;;)
			pause();
	}
	wait_for(child);
	truth_of_exec(child, "/usr/bin/true");
	return 0;
}
