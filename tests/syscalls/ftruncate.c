// SPDX-License-Identifier: MIT
// ftruncate names a descriptor only: the file comes from the open that gave it.
#include "truth.h"

int main(void)
{
	int fd = make_file("cut", "long content");

	TRY(ftruncate(fd, 4));
	truth("edge truncate %s %s", self(), file_fd(fd));
	return 0;
}
