// SPDX-License-Identifier: MIT
// A set-uid program: the effective user changes at execve, without any call of the setuid family.
#include "truth.h"

#include <sys/sendfile.h>

int main(void)
{
	int program = TRY(open("/usr/bin/true", O_RDONLY | O_CLOEXEC)), copy = make_file("helper", "");
	struct stat status;

	TRY(fstat(program, &status));
	if (sendfile(copy, program, NULL, (size_t)status.st_size) != status.st_size)
		die("sendfile");
	TRY(fchmod(copy, 04755));
	TRY(close(copy));
	const char *helper = absolute("helper");
	pid_t child = TRY(fork());
	if (child == 0) {
		TRY(setresuid(65534, 65534, 65534));
		execl(helper, "helper", (char *)NULL);
		die("helper");
	}
	wait_for(child);
	truth("segments %s %s %s", process(child), escaped(own_exe()), escaped(helper));
	truth("privilege %s 0 65534", process(child));
	truth("privilege %s 65534 0", process(child));
	truth("edge attribute %s %s observed", self(), file_at("helper"));
	truth("edge execute %s %s#1 observed", file_at("helper"), process(child));
	return 0;
}
