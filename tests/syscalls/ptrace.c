// SPDX-License-Identifier: MIT
// A debugger attaches and writes into another process: OBJ_PID names the victim.
#include "truth.h"

#include <sys/ptrace.h>

static volatile long word = 1;

int main(void)
{
	pid_t victim = TRY(fork());
	int status;

	if (victim == 0)
		for (;;)
			pause();
	TRY(ptrace(PTRACE_ATTACH, victim, NULL, NULL));
	TRY(waitpid(victim, &status, 0));
	TRY(ptrace(PTRACE_POKEDATA, victim, (void *)(uintptr_t)&word, (void *)2));
	TRY(ptrace(PTRACE_DETACH, victim, NULL, NULL));
	TRY(kill(victim, SIGKILL));
	TRY(waitpid(victim, &status, 0));
	truth("edge inject %s %s observed", self(), process(victim));
	truth("no-edge inject %s %s", process(victim), self());
	truth("edge signal %s %s observed", self(), process(victim));
	return 0;
}
