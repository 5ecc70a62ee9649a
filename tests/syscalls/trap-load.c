// SPDX-License-Identifier: MIT
// Two processes that rename as fast as they can, for logs under pressure: records of different events interleave, and with a small
// backlog the kernel loses some.
#include "truth.h"

static void renames(const char *name, int count)
{
	char other[32];

	snprintf(other, sizeof(other), "%s-renamed", name);
	(void)make_file(name, "x");
	for (int i = 0; i < count; i++)
		TRY(rename(i % 2 ? other : name, i % 2 ? name : other));
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 40;
	pid_t children[3];

	for (int i = 0; i < 3; i++) {
		children[i] = TRY(fork());
		if (children[i] == 0) {
			char name[16];
			snprintf(name, sizeof(name), "file-%d", i);
			renames(name, count);
			_exit(0);
		}
	}
	for (int i = 0; i < 3; i++) {
		char name[16];
		wait_for(children[i]);
		snprintf(name, sizeof(name), "file-%d", i);
		truth("edge create %s %s observed", process(children[i]), file_at(name));
		truth("edge rename %s %s observed", process(children[i]), file_at(name));
	}
	return 0;
}
