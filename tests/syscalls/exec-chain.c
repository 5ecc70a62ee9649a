// SPDX-License-Identifier: MIT
// One process, several programs: env searches PATH in vain at first, then becomes the program.
#include "truth.h"

int main(void)
{
	TRY(setenv("PATH", "/nonexistent:/usr/local/sbin:/usr/bin", 1));
	pid_t child = run_program("/usr/bin/env", (char *[]){ "env", "nice", "true", NULL });

	truth("parent %s %s", process(child), self());
	truth("segments %s %s /usr/bin/env /usr/bin/nice /usr/bin/true", process(child), escaped(own_exe()));
	truth("edge exec %s#1 %s#2 observed", process(child), process(child));
	truth("edge exec %s#2 %s#3 observed", process(child), process(child));
	truth("edge execute %s %s#2 observed", file_at("/usr/bin/nice"), process(child));
	truth("edge execute %s %s#3 observed", file_at("/usr/bin/true"), process(child));
	return 0;
}
