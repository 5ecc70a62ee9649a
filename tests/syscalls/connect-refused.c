// SPDX-License-Identifier: MIT
// A refused connection is evidence of an attempt, and nothing came back.
#include "truth.h"

int main(void)
{
	struct sockaddr_in here = loopback4(0);
	int server = listener((struct sockaddr *)&here, sizeof(here));

	TRY(close(server)); // nobody listens on this port any more
	int fd = TRY(socket(AF_INET, SOCK_STREAM, 0));
	if (connect(fd, (struct sockaddr *)&here, sizeof(here)) == 0 || errno != ECONNREFUSED)
		die("connect was not refused");
	truth("edge connect %s %s failed", self(), address4(&here));
	truth("no-edge receive %s %s", address4(&here), self());
	truth("no-flow %s %s", address4(&here), self());
	return 0;
}
