// SPDX-License-Identifier: MIT
// Folders come and go like files.
#include "truth.h"

int main(void)
{
	TRY(mkdir("folder", 0755));
	const char *folder = file_at("folder");
	TRY(mkdirat(AT_FDCWD, "folder/below", 0755));
	const char *below = file_at("folder/below");
	TRY(rmdir("folder/below"));
	truth("edge create %s %s observed", self(), folder);
	truth("edge create %s %s observed", self(), below);
	truth("edge delete %s %s observed", self(), below);
	truth("no-edge delete %s %s", self(), folder);
	truth("name %s %s", below, absolute("folder/below"));
	return 0;
}
