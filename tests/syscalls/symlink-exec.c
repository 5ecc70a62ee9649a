// SPDX-License-Identifier: MIT
// A program executed through a symbolic link that was made before: the record has the link's name and the program's inode, and
// the link is a cause too.
#include "truth.h"

int main(void)
{
	TRY(symlink("/usr/bin/true", "update"));
	pid_t child = run_program("./update", (char *[]){ "./update", NULL });
	truth_of_exec(child, "/usr/bin/true");
	truth("edge create %s %s observed", self(), symlink_at("update"));
	truth("edge symlink %s %s#1", symlink_at("update"), process(child));
	return 0;
}
