// SPDX-License-Identifier: MIT
// Inside a pid namespace clone returns the child's number there (2, 3 ...), while pid= and ppid= are the host's.
#include "truth.h"

// The host's number: /proc was mounted outside.
static pid_t host_pid(void)
{
	char text[16] = "";
	TRY(readlink("/proc/self", text, sizeof(text) - 1));
	return (pid_t)atoi(text);
}

int main(void)
{
	TRY(unshare(CLONE_NEWPID));
	pid_t first = TRY(fork()); // number 1 in there
	if (first == 0) {
		pid_t parent = host_pid(), inner = TRY(fork());
		if (inner == 0) {
			truth("parent process:%d process:%d", host_pid(), parent);
			truth("no-edge * process:%d process:%d", parent, getpid());
			(void)make_file("from-inside", "x");
			truth("edge create process:%d %s observed", host_pid(), file_at("from-inside"));
			_exit(0);
		}
		wait_for(inner);
		_exit(0);
	}
	wait_for(first);
	truth("parent %s %s", process(first), self());
	return 0;
}
