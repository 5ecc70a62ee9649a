// SPDX-License-Identifier: MIT
// fexecve of an ordinary file: the record's name is empty, but exe= and the inode are right.
#include "truth.h"

int main(void)
{
	int program = TRY(open("/usr/bin/true", O_RDONLY | O_CLOEXEC));
	pid_t child = TRY(fork());

	if (child == 0) {
		extern char **environ;
		fexecve(program, (char *[]){ "true", NULL }, environ);
		die("fexecve");
	}
	wait_for(child);
	truth_of_exec(child, "/usr/bin/true");
	return 0;
}
