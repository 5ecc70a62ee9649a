// SPDX-License-Identifier: MIT
// A stage that runs again and again: every run is a process of its own.
#include "truth.h"

int main(void)
{
	for (int i = 0; i < 12; i++) {
		pid_t child = run_program("/usr/bin/true", (char *[]){ "true", NULL });
		truth_of_exec(child, "/usr/bin/true");
	}
	return 0;
}
