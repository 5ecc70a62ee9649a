// SPDX-License-Identifier: MIT
#include "snapshots/lock.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// The pid is text for people: which process to look for. Nothing is decided by it.
static int refuse(const char *folder, int fd, struct error *err)
{
	char text[16];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
	size_t digits = 0;

	while (got > 0 && digits < (size_t)got && isdigit((unsigned char)text[digits]))
		digits++;
	text[digits] = '\0';
	if (digits == 0)
		return error_set(err, "%s: another process is recording into it", folder);
	return error_set(err, "%s: process %s is recording into it", folder, text);
}

int lock_take(const char *folder, int *ret_fd, struct error *err)
{
	struct buffer name AUTO_RELEASE_BUFFER = {0};
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char text[16];

	buffer_printf(&name, "%s/lock", folder);
	if (buffer_check(&name, err) < 0)
		return -1;
	int fd = open(name.bytes, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0)
		return error_set_errno(err, errno, "%s: cannot open", name.bytes);
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		int reason = errno;

		if (reason == EAGAIN || reason == EACCES)
			(void)refuse(folder, fd, err);
		else
			(void)error_set_errno(err, reason, "%s: cannot lock", name.bytes);
		(void)close(fd);
		return -1;
	}
	int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	// On a full disk the lock works without its text.
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) < 0)
		(void)ftruncate(fd, 0);
	*ret_fd = fd;
	return 0;
}

int lock_is_held(const char *folder, bool *ret_held, struct error *err)
{
	struct buffer name AUTO_RELEASE_BUFFER = {0};
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	buffer_printf(&name, "%s/lock", folder);
	if (buffer_check(&name, err) < 0)
		return -1;
	int fd AUTO_CLOSE = open(name.bytes, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0) {
		*ret_held = false;
		return 0;
	}
	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return error_set_errno(err, errno, "%s: cannot ask for its lock", name.bytes);
	*ret_held = lock.l_type != F_UNLCK;
	return 0;
}
