// SPDX-License-Identifier: MIT
// A 32-bit program: other numbers for the same calls, and socketcall(102), which hides which one it is in its first argument.
// The program itself is thirty-two-bit.c, which the recorder builds beside this one.
#include "truth.h"

int main(void)
{
	struct sockaddr_in here = loopback4(4032);
	char program[PATH_MAX];

	snprintf(program, sizeof(program), "%s-bit", own_exe());
	if (access(program, X_OK) < 0)
		skip("no 32-bit program");
	(void)listener((struct sockaddr *)&here, sizeof(here));
	pid_t child = run_program(program, (char *[]){ program, NULL });
	truth("parent %s %s", process(child), self());
	truth("segments %s %s %s", process(child), escaped(own_exe()), escaped(program));
	truth("edge execute %s %s#1 observed", file_at(program), process(child));
	truth("edge create %s %s observed", process(child), file_at("by-32-bit"));
	truth("edge rename %s %s observed", process(child), file_at("by-32-bit"));
	truth("name %s %s", file_at("by-32-bit"), absolute("by-32-bit"));
	truth("edge connect %s %s observed", process(child), address4(&here));
	truth("edge receive %s %s", address4(&here), process(child));
	return 0;
}
