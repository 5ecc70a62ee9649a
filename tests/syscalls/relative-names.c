// SPDX-License-Identifier: MIT
// Relative names after chdir: the current folder stands in the event's CWD record.
#include "truth.h"

int main(void)
{
	const char *below = strdup(absolute("deep/er/below")), *beside = strdup(absolute("deep/beside"));

	TRY(mkdir("deep", 0755));
	TRY(mkdir("deep/er", 0755));
	TRY(chdir("deep/er"));
	int one = make_file("below", "1"), two = make_file("../beside", "2"), three = make_file("./.././er//dots", "3");
	truth("edge create %s %s observed", self(), file_fd(one));
	truth("name %s %s", file_fd(one), below);
	truth("name %s %s", file_fd(two), beside);
	truth("name %s %s", file_fd(three), absolute("dots"));
	return 0;
}
