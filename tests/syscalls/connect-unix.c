// SPDX-License-Identifier: MIT
// A unix socket with a name: bind creates its inode, and connect names the same one.
#include "truth.h"

int main(void)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX, .sun_path = "server.socket" };
	int server = listener((struct sockaddr *)&here, sizeof(here));
	struct stat status;
	pid_t client = TRY(fork());

	if (client == 0) {
		int fd = TRY(socket(AF_UNIX, SOCK_STREAM, 0));
		TRY(connect(fd, (struct sockaddr *)&here, sizeof(here)));
		TRY(write(fd, "hello", 5));
		_exit(0);
	}
	TRY(accept(server, NULL, NULL));
	wait_for(client);
	TRY(stat(here.sun_path, &status));
	const char *name = strchr(file_stat(&status), ':');
	truth("edge unix %s unix%s", process(client), name);
	truth("edge unix unix%s %s", name, self());
	truth("flow %s %s", process(client), self());
	return 0;
}
