// SPDX-License-Identifier: MIT
// An innocent service of the long scene (guest-daemons): guest-sync FILE ADDRESS PORT SECONDS
//
// Holds a file open, to append to it what a server may have to say. After some seconds it asks the server, finds nothing of the kind in what
// comes, writes nothing, and lives on.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in server = { .sin_family = AF_INET };
	char bytes[4096];
	int file, peer;

	if (argc != 5)
		return 2;
	file = open(argv[1], O_WRONLY | O_APPEND | O_CLOEXEC);
	if (file < 0)
		return 1;
	sleep((unsigned)atoi(argv[4]));
	inet_pton(AF_INET, argv[2], &server.sin_addr);
	server.sin_port = htons((unsigned short)atoi(argv[3]));
	peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (peer < 0 || connect(peer, (struct sockaddr *)&server, sizeof(server)) < 0)
		return 1;
	for (ssize_t length; (length = read(peer, bytes, sizeof(bytes))) > 0;)
		if (memmem(bytes, (size_t)length, "\ndesk=", 6) && write(file, "desk=hamburg\n", 13) != 13)
			return 1;
	close(peer);
	for (;;)
		pause();
}
