// SPDX-License-Identifier: MIT
// A signal to another process: an effect, and no way for information.
#include "truth.h"

int main(void)
{
	int status;
	pid_t target = TRY(fork());

	if (target == 0)
		for (;;)
			pause();
	pid_t killer = TRY(fork());
	if (killer == 0) {
		TRY(kill(target, SIGTERM));
		_exit(0);
	}
	wait_for(killer);
	TRY(waitpid(target, &status, 0));
	truth("edge signal %s %s observed", process(killer), process(target));
	return 0;
}
