// SPDX-License-Identifier: MIT
// A module that the kernel does not take (this file is none): an attempt.
#include "truth.h"

int main(void)
{
	int fd = make_file("rootkit.ko", "not a module");

	if (syscall(SYS_finit_module, fd, "", 0) == 0)
		die("the kernel took it");
	truth("edge kernel %s kernel failed", self());
	return 0;
}
