// SPDX-License-Identifier: MIT
// What a download and its use look like: one process writes a file, another makes it executable, a third runs it.
#include "truth.h"

int main(void)
{
	pid_t copier = run_program("/usr/bin/cp", (char *[]){ "cp", "/usr/bin/true", "stage", NULL });
	const char *stage = absolute("stage"), *file = file_at("stage");
	pid_t changer = run_program("/usr/bin/chmod", (char *[]){ "chmod", "700", "stage", NULL });
	pid_t runner = run_program("./stage", (char *[]){ "stage", NULL });

	truth("edge open-read %s %s#1 observed", file_at("/usr/bin/true"), process(copier));
	truth("edge create %s#1 %s observed", process(copier), file);
	truth("edge attribute %s#1 %s observed", process(changer), file);
	truth("edge execute %s %s#1 observed", file, process(runner));
	truth("flow %s %s", file_at("/usr/bin/true"), process(runner));
	truth("flow %s#1 %s", process(changer), process(runner));
	truth("no-flow %s %s", process(runner), process(copier));
	truth("segments %s %s %s", process(runner), escaped(own_exe()), escaped(stage));
	return 0;
}
