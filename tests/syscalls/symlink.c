// SPDX-License-Identifier: MIT
// A symbolic link that is opened by its name: the record shows the link's name with the target's inode.
#include "truth.h"

int main(void)
{
	int fd = make_file("target", "data");

	TRY(symlink("target", "shortcut"));
	pid_t reader = run_reader("shortcut");
	truth("edge create %s %s observed", self(), symlink_at("shortcut"));
	truth("edge open-read %s %s observed", file_fd(fd), process(reader));
	truth("no-edge open-read %s %s", symlink_at("shortcut"), process(reader));
	truth("name %s %s", symlink_at("shortcut"), absolute("shortcut"));
	return 0;
}
