// SPDX-License-Identifier: MIT
// Part of thirty-two.c, built with -m32 -nostdlib -static: creates and renames a file, and connects to 127.0.0.1:4032 by socketcall.
static int call(int number, const void *a, const void *b, const void *c)
{
	int result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

// Numbers of the i386 ABI: asm/unistd_32.h and linux/net.h.
enum { NR_EXIT_GROUP = 252, NR_OPEN = 5, NR_RENAME = 38, NR_SOCKETCALL = 102, SYS_SOCKET = 1, SYS_CONNECT = 3 };
enum { WRITE_CREATE = 01 | 0100, IPV4 = 2, STREAM = 1 };

void _start(void)
{
	static const unsigned char address[16] = { IPV4, 0, 4032 >> 8, 4032 & 255, 127, 0, 0, 1 };
	long open_socket[3] = { IPV4, STREAM, 0 }, to_connect[3] = { 0, (long)address, sizeof(address) };

	int failed = call(NR_OPEN, "by-32-bit.part", (const void *)WRITE_CREATE, (const void *)0644) < 0;
	failed |= call(NR_RENAME, "by-32-bit.part", "by-32-bit", 0) < 0;
	to_connect[0] = call(NR_SOCKETCALL, (const void *)SYS_SOCKET, open_socket, 0);
	failed |= call(NR_SOCKETCALL, (const void *)SYS_CONNECT, to_connect, 0) < 0;
	call(NR_EXIT_GROUP, (const void *)(long)failed, 0, 0);
	__builtin_unreachable();
}
