// SPDX-License-Identifier: MIT
// The socket is made here and handed to nbdkit as systemd hands sockets to services (sd_listen_fds(3)): so its mode and group are
// right from its first moment, and it is taken away at the end, which nbdkit does not do.
#include "cmd/nbdkit.h"

#include "base/bytes.h"
#include "base/child.h"
#include "base/fileio.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define PLUGIN "nbdkit-provgraph-plugin.so"
#define LISTEN_FD 3 /* sd_listen_fds(3): the first that is handed over */
#define CLOSED_FD 4 /* nbdkit_plugin.c writes a byte there: how it ended */
#define BACKLOG 64
#define PATIENCE_MS 1000

// From the NBD project's doc/proto.md.
#define NBD_GREETING_BYTES 18
#define NBD_MAGIC UINT64_C(0x4e42444d41474943)
#define NBD_OPTION_MAGIC UINT64_C(0x49484156454F5054)
#define NBD_CLIENT_FIXED_NEWSTYLE 1
#define NBD_OPTION_ABORT 2

// ---- the plan

int nbdkit_plan_add(struct nbdkit_plan *plan, const char *key, const char *value, struct error *err)
{
	char *argument = NULL;

	if (!value || !*value)
		return 0;
	if (asprintf(&argument, "%s=%s", key, value) < 0 || argument_vector_append(&plan->config, argument) < 0) {
		free(argument);
		return error_set(err, "out of memory");
	}
	return 0;
}

void nbdkit_plan_release(struct nbdkit_plan *plan)
{
	for (size_t i = 0; i < plan->config.count; i++)
		free(plan->config.items[i]);
	argument_vector_release(&plan->config);
}

int nbdkit_socket_name(const char *socket, struct buffer *ret, struct error *err)
{
	const char *slash = strrchr(socket, '/');
	char *folder AUTO_FREE = slash ? strndup(socket, slash == socket ? 1 : (size_t)(slash - socket)) : strdup(".");
	char *real AUTO_FREE = folder ? realpath(folder, NULL) : NULL;
	struct buffer visible AUTO_RELEASE_BUFFER = {0};

	if (!folder)
		return error_set(err, "out of memory");
	if (!real)
		return error_set_errno(err, errno, "%s: the socket's folder", folder);
	buffer_printf(ret, "%s/%s", strcmp(real, "/") == 0 ? "" : real, slash ? slash + 1 : socket);
	text_visible(&visible, buffer_string(ret), ret->length);
	if (buffer_check(ret, err) < 0)
		return -1;
	if (!(slash ? slash[1] : socket[0]))
		return error_set(err, "%s: names no socket", socket);
	if (ret->length >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return error_set(err, "%s: a socket's name has at most %zu bytes", buffer_string(ret),
				 sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
	if (strcmp(buffer_string(&visible), buffer_string(ret)) != 0)
		return error_set(err, "%s: a socket's name may hold no bytes that cannot be shown", socket);
	return 0;
}

static void add_percent(struct buffer *out, const char *text, const char *also_plain)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c) ||
			     strchr(also_plain, c);

		if (plain)
			buffer_add_byte(out, (char)c);
		else
			buffer_printf(out, "%%%02X", c);
	}
}

void nbdkit_uri(struct buffer *out, const char *export_name, const char *socket)
{
	buffer_add_string(out, "nbd+unix:///");
	add_percent(out, export_name, "");
	buffer_add_string(out, "?socket=");
	add_percent(out, socket, "/");
}

// ---- the socket

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int why = errno;

		(void)close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

// Reads the server's greeting as it comes, and says goodbye as the protocol wants it. True once the server answered.
static bool take_greeting(int fd, uint8_t *greeting, size_t *have)
{
	uint8_t goodbye[20] = {0};
	ssize_t got = recv(fd, greeting + *have, NBD_GREETING_BYTES - *have, MSG_DONTWAIT);

	if (got > 0)
		*have += (size_t)got;
	if (*have < NBD_GREETING_BYTES || get_be64(greeting) != NBD_MAGIC)
		return false;
	put_be32(goodbye, NBD_CLIENT_FIXED_NEWSTYLE);
	put_be32(goodbye + 4, NBD_OPTION_MAGIC >> 32);
	put_be32(goodbye + 8, (uint32_t)NBD_OPTION_MAGIC);
	put_be32(goodbye + 12, NBD_OPTION_ABORT);
	(void)send(fd, goodbye, sizeof(goodbye), MSG_NOSIGNAL);
	return true;
}

// A socket that a server left behind when it was killed. Anything else of that name is not ours to remove.
static int remove_stale(const char *path, struct error *err)
{
	struct stat status;
	int fd AUTO_CLOSE = -1;

	if (lstat(path, &status) < 0)
		return error_set_errno(err, errno, "%s", path);
	if (!S_ISSOCK(status.st_mode))
		return error_set(err, "%s: exists, and is no socket", path);
	fd = connect_to(path);
	if (fd >= 0) {
		uint8_t greeting[NBD_GREETING_BYTES];
		struct pollfd answer = {.fd = fd, .events = POLLIN};
		size_t have = 0;

		// Left without a word, an NBD server would complain of us.
		if (poll(&answer, 1, PATIENCE_MS) > 0)
			(void)take_greeting(fd, greeting, &have);
		return error_set(err, "%s: somebody serves this socket already", path);
	}
	if (errno != ECONNREFUSED)
		return error_set_errno(err, errno, "%s: exists, and cannot be asked whether it is in use", path);
	if (unlink(path) < 0)
		return error_set_errno(err, errno, "%s: cannot remove the socket of a server that is gone", path);
	return 0;
}

static int find_group(const char *name, gid_t *ret, struct error *err)
{
	char space[16384];
	struct group group, *found = NULL;
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	if (getgrnam_r(name, &group, space, sizeof(space), &found) == 0 && found)
		*ret = found->gr_gid;
	else if (*name >= '0' && *name <= '9' && !*end && number < UINT32_MAX)
		*ret = (gid_t)number;
	else
		return error_set(err, "--socket-group %s: no such group", name);
	return 0;
}

static int listen_on(const char *path, const char *group, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	gid_t gid = 0;
	int fd = -1;

	if (group && find_group(group, &gid, err) < 0)
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot make a socket");
	mode_t before = umask(0177);
	int bound = bind(fd, (struct sockaddr *)&address, sizeof(address));

	if (bound < 0 && errno == EADDRINUSE && remove_stale(path, err) == 0)
		bound = bind(fd, (struct sockaddr *)&address, sizeof(address));
	else if (bound < 0 && errno == EADDRINUSE)
		bound = -2; // err is set
	(void)umask(before);
	if (bound == -1)
		(void)error_set_errno(err, errno, "%s: cannot listen", path);
	if (bound < 0) {
		(void)close(fd);
		return -1;
	}
	if ((group && (chown(path, (uid_t)-1, gid) < 0 || chmod(path, 0660) < 0)) || listen(fd, BACKLOG) < 0) {
		(void)error_set_errno(err, errno, "%s: cannot open the socket%s%s", path, group ? " to the group " : "", group ? group : "");
		(void)unlink(path);
		(void)close(fd);
		return -1;
	}
	return fd;
}

// ---- the process

// Puts two descriptors where the other side looks for them, whatever their numbers are now.
static int place_descriptors(int listen_fd, int closed_fd)
{
	int high = fcntl(closed_fd, F_DUPFD_CLOEXEC, CLOSED_FD + 1);

	return high < 0 || dup2(listen_fd, LISTEN_FD) < 0 || fcntl(LISTEN_FD, F_SETFD, 0) < 0 || dup2(high, CLOSED_FD) < 0 ? -1 : 0;
}

static _Noreturn void become_nbdkit(const struct nbdkit_plan *plan, const char *plugin, int listen_fd, int closed_fd, const sigset_t *mask)
{
	char pid[24], closed[24];
	size_t count = 0;
	char **argv = calloc(plan->config.count + 8, sizeof(*argv));

	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	(void)snprintf(closed, sizeof(closed), "closed-fd=%d", CLOSED_FD);
	if (!argv || place_descriptors(listen_fd, closed_fd) < 0 || setenv("LISTEN_PID", pid, 1) < 0 || setenv("LISTEN_FDS", "1", 1) < 0)
		_exit(126);
	(void)unsetenv("LISTEN_FDNAMES");
	argv[count++] = (char *)(uintptr_t)"nbdkit";
	argv[count++] = (char *)(uintptr_t)"--foreground";
	argv[count++] = (char *)(uintptr_t)"--exit-with-parent";
	argv[count++] = (char *)(uintptr_t)plugin;
	argv[count++] = closed;
	for (size_t i = 0; i < plan->config.count; i++)
		argv[count++] = plan->config.items[i];
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	(void)execvp(argv[0], argv);
	// An ordinary user's PATH lacks the folder in which some distributions have it.
	(void)execv("/usr/sbin/nbdkit", argv);
	_exit(127);
}

// Sends SIGTERM on when we get a signal to end. 1 when the process ended (*ret_status), else 0.
static int take_signals(int signal_fd, pid_t pid, int *ret_status)
{
	struct signalfd_siginfo info;

	while (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			(void)kill(pid, SIGTERM);
	return waitpid(pid, ret_status, WNOHANG) == pid;
}

static int wait_for_end(pid_t pid, int signal_fd, int *client, const struct buffer *announce, int *ret_status, struct error *err)
{
	struct pollfd events[2] = {{.fd = signal_fd, .events = POLLIN}, {.fd = *client, .events = POLLIN}};
	uint8_t greeting[NBD_GREETING_BYTES];
	size_t have = 0;
	int result = 0;

	for (;;) {
		if (poll(events, 2, -1) < 0 && errno != EINTR)
			return error_set_errno(err, errno, "cannot wait for nbdkit");
		if (events[1].revents) {
			bool ready = take_greeting(*client, greeting, &have);

			if (ready && result == 0 &&
			    fileio_write_fd(STDOUT_FILENO, buffer_string(announce), announce->length, "standard output", err) < 0) {
				(void)kill(pid, SIGTERM); // nobody learns how to use the disk
				result = -1;
			}
			if (ready || (events[1].revents & (POLLHUP | POLLERR))) {
				(void)close(*client);
				events[1].fd = *client = -1;
			}
		}
		if (events[0].revents && take_signals(signal_fd, pid, ret_status))
			return result;
	}
}

static int judge_end(int status, int closed_fd, struct error *err)
{
	char how = '\0';

	if (read(closed_fd, &how, 1) == 1 && how == 'd') {
		(void)error_set(err, "nothing is recorded into a damaged history; provgraph disk verify lists what is wrong");
		return NBDKIT_DAMAGED;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return how == 'c' ? 0 : error_set(err, "nbdkit ended, but the history was not closed whole");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return error_set(err, "nbdkit: not found in PATH; Debian's package is nbdkit");
	if (WIFEXITED(status))
		return error_set(err, "nbdkit ended with status %d", WEXITSTATUS(status));
	return error_set(err, "nbdkit was ended by signal %d", WTERMSIG(status));
}

static int supervise(const struct nbdkit_plan *plan, const char *plugin, int *listen_fd, const struct buffer *announce, struct error *err)
{
	sigset_t signals, before;
	int signal_fd AUTO_CLOSE = -1, client AUTO_CLOSE = -1, closed_from AUTO_CLOSE = -1, status = 0, closed[2];

	if (pipe2(closed, O_CLOEXEC) < 0)
		return error_set_errno(err, errno, "cannot make a pipe");
	closed_from = closed[0];
	int closed_to AUTO_CLOSE = closed[1];

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigaddset(&signals, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &signals, &before);
	signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	client = connect_to(plan->socket);
	if (signal_fd < 0 || client < 0)
		return error_set_errno(err, errno, "%s: cannot wait for nbdkit", plan->socket);
	pid_t pid = fork();

	if (pid == 0)
		become_nbdkit(plan, plugin, *listen_fd, closed_to, &before);
	if (pid < 0)
		return error_set_errno(err, errno, "cannot start nbdkit");
	// Ours goes, so that clients see the end of nbdkit.
	(void)close(*listen_fd);
	*listen_fd = -1;
	(void)close(closed_to);
	closed_to = -1;
	int result = wait_for_end(pid, signal_fd, &client, announce, &status, err);

	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return result < 0 ? -1 : judge_end(status, closed_from, err);
}

int nbdkit_run(const struct nbdkit_plan *plan, const struct buffer *announce, struct error *err)
{
	char plugin[PATH_MAX];
	int listen_fd AUTO_CLOSE = -1;

	if (child_find_program(PLUGIN, plugin, sizeof(plugin), err) < 0)
		return -1;
	listen_fd = listen_on(plan->socket, plan->group, err);
	if (listen_fd < 0)
		return -1;
	int result = supervise(plan, plugin, &listen_fd, announce, err);

	(void)unlink(plan->socket);
	return result;
}
