// SPDX-License-Identifier: MIT
// Inside the sandbox what is named can be read, and nothing else can be done: each attempt is made by a child that is really locked in.
#include "base/memory.h"
#include "snapshots/sandbox.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY_BYTES (UINT64_C(1) << 30)

// Each gives 0 when it was refused (or, for the first ones, allowed) as it should.
static int refused(long result)
{
	return result < 0 && (errno == EPERM || errno == EACCES) ? 0 : 1;
}

static int reads_inside(void)
{
	char bytes[8];
	int fd = open("inside/file", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, bytes, sizeof(bytes)) == 5 ? 0 : 1;
}

static int reads_base(void)
{
	return open("base", O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 1;
}

static int opens_outside(void) { return refused(open("outside", O_RDONLY | O_CLOEXEC)); }
static int opens_passwd(void) { return refused(open("/etc/passwd", O_RDONLY | O_CLOEXEC)); }
static int climbs_out(void) { return refused(open("inside/../outside", O_RDONLY | O_CLOEXEC)); }
static int lists_outside(void) { return refused(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }
static int opens_to_write(void) { return refused(open("inside/file", O_RDWR | O_CLOEXEC)); }
static int creates(void) { return refused(open("inside/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); }
static int makes_nameless(void) { return refused(open("inside", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)); }
static int truncates(void) { return refused(truncate("inside/file", 0)); }
static int unlinks(void) { return refused(unlink("inside/file")); }
static int renames(void) { return refused(rename("inside/file", "inside/other")); }
static int makes_folder(void) { return refused(mkdir("inside/folder", 0700)); }
static int makes_socket(void) { return refused(socket(AF_INET, SOCK_STREAM, 0)); }
static int makes_unix_socket(void) { return refused(socket(AF_UNIX, SOCK_STREAM, 0)); }
static int signals(void) { return refused(kill(getppid(), 0)); }
static int traces(void) { return refused(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)); }
static int becomes_root(void) { return refused(setresuid(0, 0, 0)); }

static int forks(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return refused(pid);
}

static int executes(void)
{
	char name[] = "true", *argv[] = {name, NULL}, *environment[] = {NULL};

	return refused(execve("/bin/true", argv, environment));
}

static int makes_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? 0 : 1;
}

static int sees_proc(void) { return refused(open("/proc/self/status", O_RDONLY | O_CLOEXEC)); }

// Root's child is nobody; whoever has no root stays what it is.
static int is_root(void)
{
	return getuid() == 0 || geteuid() == 0 || getegid() == 0 ? 1 : 0;
}

// 0: as wished. 2: the kernel has no Landlock, so that places are not told apart.
static int locked_in(int (*attempt)(void), bool *ret_landlock)
{
	static const char *const readable[] = {"inside", "base"};
	const struct sandbox_limits limits = {.memory_bytes = MEMORY_BYTES, .cpu_seconds = 10, .files = 32};
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct error err;
		bool landlock;

		if (sandbox_limit(&limits, &err) < 0 || sandbox_enter(readable, ARRAY_LENGTH(readable), &landlock, &err) < 0)
			_exit(9);
		_exit(attempt() | (landlock ? 0 : 4));
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 8;
	*ret_landlock = (WEXITSTATUS(status) & 4) == 0;
	return WEXITSTATUS(status) & ~4;
}

static void write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, "hello", 5) == 5 && close(fd) == 0);
}

struct attempt { const char *name; int (*run)(void); bool needs_landlock; };

// A limit that is reached fails; it does not take the machine.
static int takes_memory(void)
{
	void *p = mmap(NULL, 2 * MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? 0 : 1;
}

int main(void)
{
	static const struct attempt attempts[] = {
		{"reads inside", reads_inside, false}, {"reads the base", reads_base, false}, {"opens outside", opens_outside, true},
		{"opens /etc/passwd", opens_passwd, true}, {"climbs out", climbs_out, true}, {"lists outside", lists_outside, true},
		{"opens to write", opens_to_write, false}, {"creates", creates, false}, {"makes a nameless file", makes_nameless, false},
		{"truncates", truncates, false}, {"unlinks", unlinks, false}, {"renames", renames, false}, {"makes a folder", makes_folder, false},
		{"makes a socket", makes_socket, false}, {"makes a unix socket", makes_unix_socket, false}, {"signals", signals, false},
		{"traces", traces, false}, {"becomes root", becomes_root, false}, {"forks", forks, false}, {"executes", executes, false},
		{"makes code", makes_code, false}, {"sees /proc", sees_proc, true}, {"is root", is_root, false},
#if !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
		{"takes memory", takes_memory, false},
#endif
	};

	(void)takes_memory;
	CHECK(mkdir("inside", 0700) == 0);
	write_file("inside/file");
	write_file("base");
	write_file("outside");
	for (size_t i = 0; i < ARRAY_LENGTH(attempts); i++) {
		bool landlock = true;
		int result = locked_in(attempts[i].run, &landlock);

		if (attempts[i].needs_landlock && !landlock && result == 1)
			continue;
		if (result != 0)
			fprintf(stderr, "%s: %d\n", attempts[i].name, result);
		CHECK_EQUAL(result, 0);
	}
	struct stat status;

	CHECK(stat("inside/file", &status) == 0 && status.st_size == 5);
	CHECK(stat("inside/new", &status) < 0 && stat("inside/folder", &status) < 0);
	return unit_end();
}
