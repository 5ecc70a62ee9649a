// SPDX-License-Identifier: MIT
// A unix socket in the abstract namespace: no inode, only a name after a NUL byte.
#include "truth.h"

int main(void)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX, .sun_path = "\0provgraph test" };
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(here.sun_path + 1));
	int server = listener((struct sockaddr *)&here, length);
	pid_t client = TRY(fork());

	if (client == 0) {
		int fd = TRY(socket(AF_UNIX, SOCK_STREAM, 0));
		TRY(connect(fd, (struct sockaddr *)&here, length));
		_exit(0);
	}
	TRY(accept(server, NULL, NULL));
	wait_for(client);
	truth("edge unix %s unix:@%s", process(client), escaped(here.sun_path + 1));
	truth("edge unix unix:@%s %s", escaped(here.sun_path + 1), self());
	return 0;
}
