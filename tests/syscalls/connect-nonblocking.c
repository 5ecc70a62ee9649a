// SPDX-License-Identifier: MIT
// A non-blocking connect ends with EINPROGRESS: success=no, and a real connection.
#include "truth.h"

#include <poll.h>

int main(void)
{
	struct sockaddr_in here = loopback4(0);

	(void)listener((struct sockaddr *)&here, sizeof(here));
	int fd = TRY(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	if (connect(fd, (struct sockaddr *)&here, sizeof(here)) == 0 || errno != EINPROGRESS)
		die("connect did not answer EINPROGRESS");
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	TRY(poll(&ready, 1, 5000));
	TRY(write(fd, "hello", 5));
	truth("edge connect %s %s observed", self(), address4(&here));
	truth("edge receive %s %s", address4(&here), self());
	return 0;
}
