// SPDX-License-Identifier: MIT
// What the programs of this folder share: they do one thing to the kernel, and print what a provenance graph of it must hold.
//
// One truth per line on standard output, # starts a comment. Entities are words without spaces:
//   process:PID[/N][#S]     N: which process of that number (from 1); S: which exec segment of it (from 0)
//   file:MAJ:MIN:INODE[/N]  device as audit prints it (hexadecimal); N: which generation of the number (from 1)
//   address:IP:PORT  pipe:PID  unix:MAJ:MIN:INODE  unix:@NAME  memfd:PID:NAME  kernel
// Truths:
//   edge OP FROM TO [observed|inferred|uncertain] [failed]    OP: names of graph/model.h, A|B = either
//   no-edge OP FROM TO                                        OP: also *
//   flow FROM TO, no-flow FROM TO                             over any number of edges, possible in time
//   parent process:CHILD process:PARENT
//   segments process:PID EXE EXE ...                          programs in order; the first may be the forked copy of the parent
//   argv process:PID#S COUNT BYTES                            arguments and their bytes together
//   privilege process:PID OLDEUID NEWEUID
//   thread TID                                                is no process
//   no-process PID                                            likewise
//   claim TYPE process:PID                                    a claim of this record type (number), sent by that process
//   name file:... PATH                                        one of its names
//   sink file:...                                             no flow passes through it
//   versions file:... N                                       has at least N content versions
//   io-uring-setups N                                         completeness counts so many rings
// Names are escaped: \xNN for bytes up to space, from 0x7f, and the backslash.
#ifndef TESTS_SYSCALLS_TRUTH_H
#define TESTS_SYSCALLS_TRUTH_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

UNUSED __attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	_exit(1);
}

// The pattern cannot happen on this kernel: the recorder leaves it out and says why.
UNUSED __attribute__((noreturn)) static void skip(const char *why)
{
	fprintf(stderr, "%s: %s\n", why, strerror(errno));
	_exit(77);
}

// Passes a result on, or ends the program with the text of what failed.
#define TRY(call)                                                              \
	({                                                                     \
		__typeof__(call) try_result = (call);                          \
		if ((intptr_t)try_result == -1)                                \
			die(#call);                                            \
		try_result;                                                    \
	})

UNUSED __attribute__((format(printf, 1, 2))) static void truth(const char *format, ...)
{
	char line[65536];
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= sizeof(line) - 1)
		die("truth too long");
	line[length] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)length + 1) != length + 1)
		die("write");
}

// Strings below live until 16 others were made.
UNUSED static char *truth_slot(void)
{
	static char slots[16][5 * PATH_MAX];
	static unsigned next;
	return slots[next++ % 16];
}

UNUSED static const char *process(pid_t pid)
{
	char *slot = truth_slot();
	sprintf(slot, "process:%d", (int)pid);
	return slot;
}

UNUSED static const char *self(void)
{
	return process(getpid());
}

UNUSED static const char *file_stat(const struct stat *status)
{
	char *slot = truth_slot();
	sprintf(slot, "file:%02x:%02x:%ju", major(status->st_dev), minor(status->st_dev), (uintmax_t)status->st_ino);
	return slot;
}

UNUSED static const char *file_fd(int fd)
{
	struct stat status;
	TRY(fstat(fd, &status));
	return file_stat(&status);
}

UNUSED static const char *file_at(const char *path)
{
	struct stat status;
	TRY(stat(path, &status));
	return file_stat(&status);
}

UNUSED static const char *symlink_at(const char *path)
{
	struct stat status;
	TRY(lstat(path, &status));
	return file_stat(&status);
}

UNUSED static const char *escaped(const char *name)
{
	char *slot = truth_slot(), *out = slot;
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		out += *c <= ' ' || *c >= 0x7f || *c == '\\' ? sprintf(out, "\\x%02X", *c) : sprintf(out, "%c", *c);
	*out = 0;
	return slot;
}

// The absolute path of a name in the current folder.
UNUSED static const char *absolute(const char *name)
{
	char folder[PATH_MAX], *slot = truth_slot();
	if (!getcwd(folder, sizeof(folder)))
		die("getcwd");
	snprintf(slot, 5 * PATH_MAX, "%s/%s", folder, name);
	return slot;
}

UNUSED static const char *own_exe(void)
{
	char *slot = truth_slot();
	ssize_t length = TRY(readlink("/proc/self/exe", slot, PATH_MAX));
	slot[length] = 0;
	return slot;
}

UNUSED static void wait_for(pid_t pid)
{
	int status;
	TRY(waitpid(pid, &status, 0));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		errno = 0;
		die("child failed");
	}
}

// A file with some bytes; the descriptor stays open.
UNUSED static int make_file(const char *name, const char *text)
{
	int fd = TRY(open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
	TRY(write(fd, text, strlen(text)));
	return fd;
}

// fork and execve; returns the pid after it has ended.
UNUSED static pid_t run_program(const char *program, char *const argv[])
{
	pid_t pid = TRY(fork());
	if (pid == 0) {
		execv(program, argv);
		die(program);
	}
	wait_for(pid);
	return pid;
}

// A forked child that makes a file.
UNUSED static pid_t run_writer(const char *name)
{
	pid_t pid = TRY(fork());
	if (pid == 0) {
		(void)make_file(name, "by a writer");
		_exit(0);
	}
	wait_for(pid);
	return pid;
}

// A forked child that opens a name for reading, and reads.
UNUSED static pid_t run_reader(const char *name)
{
	pid_t pid = TRY(fork());
	if (pid == 0) {
		char byte;
		int fd = TRY(open(name, O_RDONLY));
		TRY(read(fd, &byte, 1));
		_exit(0);
	}
	wait_for(pid);
	return pid;
}

UNUSED static int listener(struct sockaddr *address, socklen_t length)
{
	int fd = TRY(socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
	TRY(bind(fd, address, length));
	TRY(listen(fd, 5));
	if (address->sa_family != AF_UNIX)
		TRY(getsockname(fd, address, &length));
	return fd;
}

UNUSED static struct sockaddr_in loopback4(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

UNUSED static const char *address4(const struct sockaddr_in *address)
{
	char *slot = truth_slot(), ip[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &address->sin_addr, ip, sizeof(ip));
	sprintf(slot, "address:%s:%u", ip, ntohs(address->sin_port));
	return slot;
}

UNUSED static const char *address6(const struct sockaddr_in6 *address)
{
	char *slot = truth_slot(), ip[INET6_ADDRSTRLEN];
	inet_ntop(AF_INET6, &address->sin6_addr, ip, sizeof(ip));
	sprintf(slot, "address:[%s]:%u", ip, ntohs(address->sin6_port));
	return slot;
}

// What every fork followed by execve must show.
UNUSED static void truth_of_exec(pid_t child, const char *exe)
{
	truth("parent %s %s", process(child), self());
	truth("edge fork %s %s observed", self(), process(child));
	truth("segments %s %s %s", process(child), escaped(own_exe()), escaped(exe));
	truth("edge execute %s %s observed", file_at(exe), process(child));
}

#endif
