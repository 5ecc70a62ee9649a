// SPDX-License-Identifier: MIT
// Nothing is ever made outside the new folder. Names are judged here again, though the other process judged them: it may have been taken
// over. And the kernel is asked to stay below the folder and to follow no symlink, because somebody else may be at work in it.
#include "snapshots/restore_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *restore_beneath_check(const char *path, size_t length)
{
	size_t at = 0;

	if (length == 0 || length > FS_PATH_BYTES - 1)
		return "its path is empty or too long";
	if (memchr(path, 0, length))
		return "its path holds a NUL";
	for (;;) {
		const char *slash = memchr(path + at, '/', length - at);
		size_t part = slash ? (size_t)(slash - path) - at : length - at;

		if (part == 0)
			return "its path has an empty part";
		if (part > FS_NAME_BYTES)
			return "a part of its path is too long";
		if (path[at] == '.' && (part == 1 || (part == 2 && path[at + 1] == '.')))
			return "its path has a part \".\" or \"..\"";
		if (!slash)
			return NULL;
		at += part + 1;
	}
}

// For kernels (or containers) without openat2(): part by part, never through a symlink, never onto another file system.
static int walk(int root_fd, const char *folder)
{
	struct stat root, status;
	int fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0 || fstat(fd, &root) < 0)
		return fd;
	while (*folder) {
		char part[FS_NAME_BYTES + 1];
		size_t length = strcspn(folder, "/");

		memcpy(part, folder, length);
		part[length] = '\0';
		int next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int reason = errno;

		(void)close(fd);
		if (next >= 0 && (fstat(next, &status) < 0 || status.st_dev != root.st_dev)) {
			(void)close(next);
			next = -1;
			reason = EXDEV;
		}
		errno = reason;
		if (next < 0)
			return -1;
		fd = next;
		folder += length + (folder[length] == '/');
	}
	return fd;
}

int restore_beneath_open(int root_fd, const char *path, int *ret_fd, const char **ret_name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	const char *slash = strrchr(path, '/');
	char folder[FS_PATH_BYTES];
	size_t length = slash ? (size_t)(slash - path) : 0;

	if (length >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(folder, path, length);
	folder[length] = '\0';
	int fd = (int)syscall(SYS_openat2, root_fd, length > 0 ? folder : ".", &how, sizeof(how));

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = walk(root_fd, folder);
	if (fd < 0)
		return -1;
	*ret_fd = fd;
	*ret_name = slash ? slash + 1 : path;
	return 0;
}
