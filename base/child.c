// SPDX-License-Identifier: MIT
#include "base/child.h"

#include "base/memory.h"
#include "base/nanotime.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#ifndef PROVGRAPH_LIBEXECDIR
#define PROVGRAPH_LIBEXECDIR "/usr/local/libexec/provgraph" /* the Makefile's default */
#endif

struct channels {
	int input, output, status;                   // our ends
	int child_input, child_output, child_status; // the child's ends
};

static void close_one(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void channels_release(struct channels *c)
{
	close_one(&c->input);
	close_one(&c->output);
	close_one(&c->status);
	close_one(&c->child_input);
	close_one(&c->child_output);
	close_one(&c->child_status);
}

// The input is a socket and not a pipe, because send() can be told not to raise SIGPIPE.
static int channels_open(struct channels *c, struct error *err)
{
	int pair[2];

	*c = (struct channels){-1, -1, -1, -1, -1, -1};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set_errno(err, errno, "cannot create a socket pair");
	c->input = pair[0];
	c->child_input = pair[1];
	if (pipe2(pair, O_CLOEXEC) == 0) {
		c->output = pair[0];
		c->child_output = pair[1];
		if (pipe2(pair, O_CLOEXEC) == 0) {
			c->status = pair[0];
			c->child_status = pair[1];
			(void)fcntl(c->output, F_SETFL, O_NONBLOCK);
			(void)fcntl(c->input, F_SETFL, O_NONBLOCK);
			return 0;
		}
	}
	int reason = errno;

	channels_release(c);
	return error_set_errno(err, reason, "cannot create a pipe");
}

static void set_limit(int resource, uint64_t soft, uint64_t hard)
{
	struct rlimit limit = {.rlim_cur = (rlim_t)soft, .rlim_max = (rlim_t)hard};

	(void)setrlimit((__rlimit_resource_t)resource, &limit);
}

// In the child, between fork and exec: only async-signal-safe calls.
__attribute__((noreturn)) static void become(const char *const *argv, const struct channels *c, struct child_limits limits)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", locale[] = "LC_ALL=C";
	char *environment[] = {path, locale, NULL};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	set_limit(RLIMIT_CORE, 0, 0);
	if (limits.cpu_seconds > 0)
		set_limit(RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1);
	if (limits.memory_bytes > 0)
		set_limit(RLIMIT_AS, limits.memory_bytes, limits.memory_bytes);
	if (dup2(c->child_input, STDIN_FILENO) >= 0 && dup2(c->child_output, STDOUT_FILENO) >= 0 &&
	    (null < 0 || dup2(null, STDERR_FILENO) >= 0)) {
		// execve takes char *const[] for history's sake; it changes nothing.
		(void)execve(argv[0], (char *const *)(uintptr_t)argv, environment);
	}
	char failed = 1;

	(void)!write(c->child_status, &failed, 1);
	_exit(127);
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NANOTIME_SECOND + (uint64_t)now.tv_nsec;
}

struct exchange {
	const char *input;
	size_t input_left;
	struct buffer *output;
	uint64_t output_left;
	uint64_t deadline_ns;
	bool over_limit;
};

static void feed(struct channels *c, struct exchange *x)
{
	ssize_t put = send(c->input, x->input, x->input_left, MSG_NOSIGNAL);

	if (put >= 0) {
		x->input += put;
		x->input_left -= (size_t)put;
	} else if (errno != EAGAIN && errno != EINTR) {
		x->input_left = 0; // the child stopped reading: its status tells how it went
	}
	if (x->input_left == 0)
		close_one(&c->input);
}

static void drain(struct channels *c, struct exchange *x)
{
	char step[65536];
	ssize_t got = read(c->output, step, sizeof(step));

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		close_one(&c->output);
		return;
	}
	if ((uint64_t)got > x->output_left) {
		x->over_limit = true;
		return;
	}
	x->output_left -= (uint64_t)got;
	buffer_add(x->output, step, (size_t)got);
}

// Until the child has closed its output, or a limit is reached.
static void exchange_run(struct channels *c, struct exchange *x)
{
	if (x->input_left == 0)
		close_one(&c->input);
	while (c->output >= 0 && !x->over_limit) {
		uint64_t now = monotonic_ns();

		if (now >= x->deadline_ns) {
			x->over_limit = true;
			return;
		}
		uint64_t left_ms = (x->deadline_ns - now) / NANOTIME_MILLISECOND + 1;
		struct pollfd polls[2] = {
			{.fd = c->output, .events = POLLIN},
			{.fd = c->input, .events = POLLOUT}, // a negative fd is skipped
		};

		if (poll(polls, 2, left_ms > 60000 ? 60000 : (int)left_ms) <= 0)
			continue;
		if (polls[1].revents)
			feed(c, x);
		if (polls[0].revents)
			drain(c, x);
	}
}

// Waits for the child; kills it at the deadline even when it has closed its output and lives on.
static int reap(pid_t pid, struct exchange *x)
{
	int status = 0;
	uint64_t pause_ns = NANOTIME_MILLISECOND / 10;

	if (x->over_limit)
		(void)kill(pid, SIGKILL);
	for (;;) {
		pid_t done = waitpid(pid, &status, x->over_limit ? 0 : WNOHANG);

		if (done == pid)
			return status;
		if (done < 0 && errno != EINTR)
			return -1;
		if (done == 0) {
			struct timespec pause = {.tv_nsec = (long)pause_ns};

			if (monotonic_ns() >= x->deadline_ns) {
				x->over_limit = true;
				(void)kill(pid, SIGKILL);
				continue;
			}
			(void)nanosleep(&pause, NULL);
			if (pause_ns < 10 * NANOTIME_MILLISECOND)
				pause_ns *= 2;
		}
	}
}

static enum child_end judge(int status, bool over_limit, bool not_found)
{
	if (not_found)
		return CHILD_NOT_FOUND;
	if (over_limit)
		return CHILD_LIMIT;
	if (status != -1 && WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
		return CHILD_LIMIT;
	return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CHILD_OK : CHILD_FAILED;
}

int child_run(const char *const *argv, const void *input, size_t input_length, struct child_limits limits,
	      struct buffer *output, enum child_end *ret_end, struct error *err)
{
	struct channels c;

	if (channels_open(&c, err) < 0)
		return -1;
	pid_t pid = fork();
	if (pid < 0) {
		int reason = errno;

		channels_release(&c);
		return error_set_errno(err, reason, "%s: cannot start a process", argv[0]);
	}
	if (pid == 0)
		become(argv, &c, limits);
	close_one(&c.child_input);
	close_one(&c.child_output);
	close_one(&c.child_status);

	uint64_t now = monotonic_ns();
	struct exchange x = {
		.input = input,
		.input_left = input_length,
		.output = output,
		.output_left = limits.output_bytes,
		.deadline_ns = limits.wall_ns > UINT64_MAX - now ? UINT64_MAX : now + limits.wall_ns,
	};
	exchange_run(&c, &x);
	int status = reap(pid, &x);
	char failed;
	bool not_found = read(c.status, &failed, 1) == 1;

	channels_release(&c);
	if (buffer_check(output, err) < 0)
		return -1;
	*ret_end = judge(status, x.over_limit, not_found);
	return 0;
}

static bool is_program(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

// Whether FOLDER/NAME is a program; its path goes to `found`.
static bool try_place(const char *folder, const char *name, char found[PATH_MAX])
{
	return snprintf(found, PATH_MAX, "%s/%s", folder, name) < PATH_MAX && is_program(found);
}

// The second place makes an installed tree work wherever it was moved to, or staged.
int child_find_program(const char *name, char *ret_path, size_t path_size, struct error *err)
{
	char own[PATH_MAX / 2], moved[PATH_MAX], found[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
	bool known = false;

	own[length > 0 ? length : 0] = '\0';
	char *slash = strrchr(own, '/');
	if (slash) {
		*slash = '\0';
		(void)snprintf(moved, sizeof(moved), "%s/../libexec/provgraph", own);
		known = try_place(own, name, found) || try_place(moved, name, found);
	}
	// Inside nbdkit our own executable is nbdkit: there it is the plugin beside which to look.
	Dl_info object;
	if (!known && dladdr((void *)(uintptr_t)child_find_program, &object) != 0 && strchr(object.dli_fname, '/')) {
		(void)snprintf(moved, sizeof(moved), "%.*s", (int)(strrchr(object.dli_fname, '/') - object.dli_fname), object.dli_fname);
		known = try_place(moved, name, found);
	}
	if (!known && !try_place(PROVGRAPH_LIBEXECDIR, name, found))
		return error_set(err, "%s: found neither beside provgraph nor in %s", name, PROVGRAPH_LIBEXECDIR);
	if (strlen(found) >= path_size)
		return error_set(err, "%s: the path is too long", name);
	memcpy(ret_path, found, strlen(found) + 1);
	return 0;
}
