// SPDX-License-Identifier: MIT
// UDP: connected, and by sendto and sendmsg with an address. A send without an address names nobody.
#include "truth.h"

int main(void)
{
	struct sockaddr_in one = loopback4(5301), two = loopback4(5302), three = loopback4(5303);
	struct iovec bytes = { "x", 1 };
	struct msghdr message = { .msg_name = &three, .msg_namelen = sizeof(three), .msg_iov = &bytes, .msg_iovlen = 1 };
	int connected = TRY(socket(AF_INET, SOCK_DGRAM, 0)), free = TRY(socket(AF_INET, SOCK_DGRAM, 0));

	TRY(connect(connected, (struct sockaddr *)&one, sizeof(one)));
	TRY(send(connected, "x", 1, 0));
	TRY(sendto(free, "x", 1, 0, (struct sockaddr *)&two, sizeof(two)));
	TRY(sendmsg(free, &message, 0));
	truth("edge connect %s %s observed", self(), address4(&one));
	truth("edge connect %s %s observed", self(), address4(&two));
	truth("edge connect %s %s observed", self(), address4(&three));
	return 0;
}
