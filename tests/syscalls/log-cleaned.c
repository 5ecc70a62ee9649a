// SPDX-License-Identifier: MIT
// What intruders do at the end: lines of a log are removed through a copy, the program removes itself, and nothing of this is a way
// by which information goes on.
#include "truth.h"

int main(void)
{
	pid_t author = run_writer("auth.log");
	const char *old = file_at("auth.log");
	pid_t cleaner = TRY(fork());

	if (cleaner == 0) {
		char text[64];
		int log = TRY(open("auth.log", O_RDONLY));
		TRY(read(log, text, sizeof(text)));
		(void)make_file("auth.log.clean", "nothing happened");
		TRY(rename("auth.log.clean", "auth.log"));
		(void)make_file("tool", "x");
		TRY(unlink("tool"));
		_exit(0);
	}
	wait_for(cleaner);
	pid_t reader = run_reader("auth.log");
	truth("edge open-read %s %s observed", old, process(cleaner));
	truth("edge delete|rename %s %s observed", process(cleaner), old);
	truth("edge rename %s %s observed", process(cleaner), file_at("auth.log"));
	truth("flow %s %s", process(author), process(cleaner));
	truth("flow %s %s", process(cleaner), process(reader));
	truth("edge open-read %s %s observed", file_at("auth.log"), process(reader));
	return 0;
}
