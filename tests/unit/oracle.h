// SPDX-License-Identifier: MIT
// File system images made and recovered by e2fsprogs, in memory on our side.
#ifndef TESTS_UNIT_ORACLE_H
#define TESTS_UNIT_ORACLE_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// Exit status of a command line, whose output goes to `oracle.txt`.
__attribute__((format(printf, 1, 2))) static int oracle_run(const char *format, ...)
{
	char line[2048], whole[2200];
	va_list values;
	int status;

	va_start(values, format);
	(void)vsnprintf(line, sizeof(line), format, values);
	va_end(values);
	(void)snprintf(whole, sizeof(whole), "PATH=$PATH:/usr/sbin:/sbin; { %s; } >oracle.txt 2>&1 </dev/null", line);
	status = system(whole);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static bool oracle_present(void)
{
	return oracle_run("mke2fs -V && e2fsck -V && debugfs -V") == 0;
}

// A private, writable mapping of a whole file; abort() on failure.
static uint8_t *oracle_map(const char *path, uint64_t *ret_size)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *bytes;

	if (fd < 0 || fstat(fd, &status) < 0)
		abort();
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		abort();
	(void)close(fd);
	*ret_size = (uint64_t)status.st_size;
	return bytes;
}

// Writes an image with holes where it holds zeros.
__attribute__((unused)) static void oracle_save(const char *path, const uint8_t *bytes, uint64_t size)
{
	static const uint8_t zeros[65536];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		abort();
	for (uint64_t at = 0; at < size; at += sizeof(zeros)) {
		size_t length = size - at < sizeof(zeros) ? (size_t)(size - at) : sizeof(zeros);

		if (memcmp(bytes + at, zeros, length) != 0 && pwrite(fd, bytes + at, length, (off_t)at) != (ssize_t)length)
			abort();
	}
	(void)close(fd);
}

#endif
