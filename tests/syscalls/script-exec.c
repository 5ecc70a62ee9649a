// SPDX-License-Identifier: MIT
// A script: item 0 of the record is the script, the shell is its interpreter, and exe= is the shell.
#include "truth.h"

int main(void)
{
	int fd = make_file("script", "#!/bin/sh\ntrue\n");

	TRY(fchmod(fd, 0755));
	TRY(close(fd));
	pid_t child = run_program("./script", (char *[]){ "./script", "argument", NULL });
	truth("parent %s %s", process(child), self());
	truth("segments %s %s /usr/bin/dash", process(child), escaped(own_exe()));
	truth("edge create %s %s observed", self(), file_at("script"));
	truth("edge attribute %s %s observed", self(), file_at("script"));
	truth("edge execute %s %s#1 observed", file_at("script"), process(child));
	truth("edge interpret %s %s#1 observed", file_at("/usr/bin/dash"), process(child));
	truth("no-edge execute %s %s", file_at("/usr/bin/dash"), process(child));
	return 0;
}
