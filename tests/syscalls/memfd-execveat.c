// SPDX-License-Identifier: MIT
// A program that exists in memory only: memfd_create, write, execveat with an empty name.
#include "truth.h"

#include <sys/mman.h>
#include <sys/sendfile.h>

int main(void)
{
	int program = TRY(open("/usr/bin/true", O_RDONLY | O_CLOEXEC));
	int memory = TRY(memfd_create("evil plan", MFD_CLOEXEC));
	struct stat status;

	TRY(fstat(program, &status));
	if (sendfile(memory, program, NULL, (size_t)status.st_size) != status.st_size)
		die("sendfile");
	pid_t child = TRY(fork());
	if (child == 0) {
		extern char **environ;
		execveat(memory, "", (char *[]){ "true", NULL }, environ, AT_EMPTY_PATH);
		die("execveat");
	}
	wait_for(child);
	truth("parent %s %s", process(child), self());
	truth("segments %s %s %s", process(child), escaped(own_exe()), escaped("/memfd:evil plan (deleted)"));
	truth("edge create|open-write %s memfd:%d:%s", self(), getpid(), escaped("evil plan"));
	truth("edge execute memfd:%d:%s %s#1", getpid(), escaped("evil plan"), process(child));
	truth("edge open-read %s %s observed", file_at("/usr/bin/true"), self());
	return 0;
}
