// SPDX-License-Identifier: MIT
#include "base/interrupts.h"

#include "base/memory.h"

void interrupts_hold(sigset_t *ret_before)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	sigset_t held;
	struct sigaction action;

	(void)sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_LENGTH(signals); i++)
		if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			(void)sigaddset(&held, signals[i]);
	(void)pthread_sigmask(SIG_BLOCK, &held, ret_before);
}

bool interrupts_waiting(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGHUP) == 1);
}

void interrupts_restore(const sigset_t *before)
{
	(void)pthread_sigmask(SIG_SETMASK, before, NULL);
}
