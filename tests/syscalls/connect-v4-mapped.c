// SPDX-License-Identifier: MIT
// An IPv4 address written as IPv6 (::ffff:127.0.0.1): the same peer as 127.0.0.1.
#include "truth.h"

int main(void)
{
	struct sockaddr_in here = loopback4(0);
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6 };

	(void)listener((struct sockaddr *)&here, sizeof(here));
	TRY(inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr));
	mapped.sin6_port = here.sin_port;
	int fd = TRY(socket(AF_INET6, SOCK_STREAM, 0));
	TRY(connect(fd, (struct sockaddr *)&mapped, sizeof(mapped)));
	truth("edge connect %s %s observed", self(), address4(&here));
	truth("edge receive %s %s", address4(&here), self());
	return 0;
}
