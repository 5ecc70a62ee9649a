// SPDX-License-Identifier: MIT
#include "snapshots/reserve.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int reserve_blocks(int fd, uint64_t from, uint64_t to)
{
	while (fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from)) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

int reserve_keep(int folder_fd, const char *folder, bool *ret_full, struct error *err)
{
	int fd AUTO_CLOSE = openat(folder_fd, "reserve", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0)
		return error_set_errno(err, errno, "%s/reserve: cannot open", folder);
	*ret_full = true;
	if (fallocate(fd, 0, 0, RESERVE_BYTES) == 0 || errno == EOPNOTSUPP)
		return 0;
	if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG)
		return error_set_errno(err, errno, "%s/reserve: cannot keep room", folder);
	*ret_full = false;
	return 0;
}

void reserve_spend(int folder_fd)
{
	int fd AUTO_CLOSE = openat(folder_fd, "reserve", O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd >= 0)
		(void)!ftruncate(fd, 0); // where even this fails nothing is lost: the caller asks for room anyway
}
