// SPDX-License-Identifier: MIT
// process_vm_writev and process_vm_readv: memory of another process, written and read.
#include "truth.h"

#include <sys/uio.h>

static char memory[8] = "secret";

int main(void)
{
	int status;
	char buffer[8] = "pwned";
	struct iovec mine = { buffer, sizeof(buffer) }, theirs = { memory, sizeof(memory) };
	pid_t target = TRY(fork());

	if (target == 0)
		for (;;)
			pause();
	pid_t writer = TRY(fork());
	if (writer == 0) {
		TRY(process_vm_writev(target, &mine, 1, &theirs, 1, 0));
		_exit(0);
	}
	wait_for(writer);
	pid_t reader = TRY(fork());
	if (reader == 0) {
		TRY(process_vm_readv(target, &mine, 1, &theirs, 1, 0));
		_exit(0);
	}
	wait_for(reader);
	TRY(kill(target, SIGKILL));
	TRY(waitpid(target, &status, 0));
	truth("edge inject %s %s", process(writer), process(target));
	truth("edge inject %s %s", process(target), process(reader));
	truth("flow %s %s", process(writer), process(reader));
	truth("no-flow %s %s", process(reader), process(writer));
	truth("no-edge inject %s %s", process(reader), process(target));
	return 0;
}
