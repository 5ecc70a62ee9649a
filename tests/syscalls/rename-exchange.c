// SPDX-License-Identifier: MIT
// renameat2 with RENAME_EXCHANGE: two files swap their names, nothing is deleted.
#include "truth.h"

int main(void)
{
	int left = make_file("left", "l"), right = make_file("right", "r");

	TRY(renameat2(AT_FDCWD, "left", AT_FDCWD, "right", RENAME_EXCHANGE));
	pid_t reader = run_reader("left");
	truth("edge rename %s %s", self(), file_fd(left));
	truth("edge rename %s %s", self(), file_fd(right));
	truth("edge open-read %s %s observed", file_fd(right), process(reader));
	truth("name %s %s", file_fd(left), absolute("right"));
	truth("name %s %s", file_fd(right), absolute("left"));
	return 0;
}
