// SPDX-License-Identifier: MIT
// Socket addresses as a hostile caller gives them: the kernel writes them down with the caller's length before it looks at them.
// A reader that trusts the family reads beyond the end.
#include "truth.h"

static void odd(uint16_t family, socklen_t length, const void *rest)
{
	unsigned char bytes[sizeof(struct sockaddr_storage)] = { 0 };
	int fd = TRY(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	memcpy(bytes, &family, sizeof(family));
	if (rest && length > 2)
		memcpy(bytes + 2, rest, length - 2);
	(void)connect(fd, (struct sockaddr *)(void *)bytes, length);
	close(fd);
}

int main(void)
{
	static const unsigned char many[126] = { [0 ... 125] = 'A' };
	struct sockaddr_in6 scoped = { .sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_flowinfo = htonl(0xabcde), .sin6_scope_id = 1 };

	for (socklen_t length = 1; length <= 16; length++)
		odd(AF_INET, length, "\x01\xbb\x0a\x00\x00\x05\0\0\0\0\0\0\0\0");
	odd(AF_AX25, 2, NULL); // 3: reads beyond two bytes in libauparse 3.0.9
	odd(AF_ATMPVC, 2, NULL);
	odd(AF_INET6, 2, NULL);
	odd(AF_INET6, 8, many);
	odd(AF_INET6, 27, many);
	odd(AF_NETLINK, 2, NULL);
	odd(AF_PACKET, 20, many);
	odd(AF_UNIX, 2, NULL);
	odd(AF_UNIX, 3, "\0");
	odd(AF_UNIX, 110, many); // a path without its NUL
	odd(AF_UNIX, 128, many);
	odd(0xffff, 128, many);
	odd(AF_UNSPEC, 16, NULL); // dissolves an association, connects nothing
	TRY(inet_pton(AF_INET6, "fe80::1", &scoped.sin6_addr));
	int fd = TRY(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	(void)connect(fd, (struct sockaddr *)&scoped, sizeof(scoped));
	truth("edge connect %s address:10.0.0.5:443", self()); // of the length 16
	truth("no-edge * address:65.65.65.65:16705 %s", self());
	return 0;
}
