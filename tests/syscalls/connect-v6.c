// SPDX-License-Identifier: MIT
// A TCP connection over IPv6.
#include "truth.h"

int main(void)
{
	struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT }, peer;
	socklen_t length = sizeof(peer);
	int server = listener((struct sockaddr *)&here, sizeof(here));
	pid_t client = TRY(fork());

	if (client == 0) {
		int fd = TRY(socket(AF_INET6, SOCK_STREAM, 0));
		TRY(connect(fd, (struct sockaddr *)&here, sizeof(here)));
		_exit(0);
	}
	TRY(accept4(server, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC));
	wait_for(client);
	truth("edge connect %s %s observed", process(client), address6(&here));
	truth("edge receive %s %s", address6(&here), process(client));
	truth("edge accept %s %s observed", self(), address6(&peer));
	return 0;
}
