// SPDX-License-Identifier: MIT
// A TCP connection over IPv4: out from the client, in at the server.
#include "truth.h"

int main(void)
{
	struct sockaddr_in here = loopback4(0), peer;
	socklen_t length = sizeof(peer);
	int server = listener((struct sockaddr *)&here, sizeof(here));
	pid_t client = TRY(fork());

	if (client == 0) {
		int fd = TRY(socket(AF_INET, SOCK_STREAM, 0));
		TRY(connect(fd, (struct sockaddr *)&here, sizeof(here)));
		TRY(write(fd, "hello", 5));
		_exit(0);
	}
	TRY(accept(server, (struct sockaddr *)&peer, &length));
	wait_for(client);
	truth("edge connect %s %s observed", process(client), address4(&here));
	truth("edge receive %s %s", address4(&here), process(client));
	truth("edge accept %s %s observed", self(), address4(&peer));
	truth("edge receive %s %s", address4(&peer), self());
	truth("no-edge connect %s %s", self(), address4(&here));
	return 0;
}
