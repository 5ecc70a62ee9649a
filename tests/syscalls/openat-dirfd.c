// SPDX-License-Identifier: MIT
// openat, renameat, unlinkat relative to a folder's descriptor: cwd does not say where they are.
#include "truth.h"

int main(void)
{
	TRY(mkdir("folder", 0755));
	int folder = TRY(open("folder", O_RDONLY | O_DIRECTORY));
	int fd = TRY(openat(folder, "inside", O_WRONLY | O_CREAT, 0644));
	int gone = TRY(openat(folder, "gone", O_WRONLY | O_CREAT, 0644));

	TRY(renameat(folder, "inside", folder, "renamed"));
	TRY(unlinkat(folder, "gone", 0));
	TRY(openat(folder, "renamed", O_RDONLY));
	truth("edge create %s %s observed", self(), file_fd(fd));
	truth("edge open-read %s %s observed", file_fd(fd), self());
	truth("edge delete %s %s observed", self(), file_fd(gone));
	truth("name %s %s", file_fd(fd), absolute("folder/inside"));
	truth("name %s %s", file_fd(fd), absolute("folder/renamed"));
	return 0;
}
