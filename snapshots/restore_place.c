// SPDX-License-Identifier: MIT
// One new file, mode 0600, that appears whole or not at all: it has no name (O_TMPFILE) or a temporary one until its content is there.
#include "snapshots/restore_parts.h"

#include "base/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int restore_place_check(const char *path, bool force, struct error *err)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : error_set_errno(err, errno, "%s: cannot create", path);
	if (S_ISDIR(status.st_mode))
		return error_set(err, "%s: is a folder; name the new file", path);
	if (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode))
		return 0;
	if (fileio_check_replaced(path, status.st_mode, err) < 0)
		return -1;
	if (force)
		return 0;
	return error_set(err, "%s: exists already; --force writes over it", path);
}

static int folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (int)(slash - path) + 1 : 0;
}

// Without a name nothing can stay behind, whatever kills us. Naming it later goes through /proc.
static int open_nameless(const char *path)
{
	char folder[PATH_MAX];
	int length = folder_length(path);

	if (access("/proc/self/fd", X_OK) < 0)
		return -1;
	if (length == 0)
		return open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (snprintf(folder, sizeof(folder), "%.*s", length, path) >= (int)sizeof(folder))
		return -1;
	return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static int open_direct(struct restore_place *p, struct error *err)
{
	struct stat status;

	if (lstat(p->path, &status) < 0 || !(S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode)))
		return 0;
	p->direct = true;
	p->fd = open(p->path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	if (p->fd < 0)
		return error_set_errno(err, errno, "%s: cannot open", p->path);
	if (fstat(p->fd, &status) == 0 && (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode)))
		return 0;
	return error_set(err, "%s: was a device or a FIFO, and no longer is", p->path);
}

int restore_place_open(struct restore_place *p, const char *path, bool force, struct error *err)
{
	*p = (struct restore_place){.path = path, .fd = -1, .force = force};
	if (!path || strcmp(path, "-") == 0) {
		p->path = "standard output";
		p->direct = true;
		p->fd = STDOUT_FILENO;
		return 0;
	}
	if (restore_place_check(path, force, err) < 0 || open_direct(p, err) < 0)
		return -1;
	if (p->direct)
		return 0;
	p->fd = open_nameless(path);
	if (p->fd >= 0)
		return 0;
	if (snprintf(p->temporary, sizeof(p->temporary), "%.*s.provgraph-XXXXXX", folder_length(path), path) >= (int)sizeof(p->temporary))
		return error_set(err, "%s: the name is too long", path);
	p->fd = mkostemp(p->temporary, O_CLOEXEC);
	if (p->fd < 0)
		return error_set_errno(err, errno, "%s: cannot create a file there", path);
	p->named = true;
	return 0;
}

// A name for what has none; beside the place when something there is to be replaced.
static int give_name(struct restore_place *p, struct error *err)
{
	char self[64];

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", p->fd);
	if (!p->force) {
		if (linkat(AT_FDCWD, self, AT_FDCWD, p->path, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		return errno == EEXIST ? error_set(err, "%s: exists already; --force writes over it", p->path)
				       : error_set_errno(err, errno, "%s: cannot create", p->path);
	}
	for (unsigned attempt = 0; attempt < 1000; attempt++) {
		if (snprintf(p->temporary, sizeof(p->temporary), "%.*s.provgraph-%ld-%u", folder_length(p->path), p->path, (long)getpid(), attempt) >=
		    (int)sizeof(p->temporary))
			return error_set(err, "%s: the name is too long", p->path);
		if (linkat(AT_FDCWD, self, AT_FDCWD, p->temporary, AT_SYMLINK_FOLLOW) == 0) {
			p->named = true;
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return error_set_errno(err, errno, "%s: cannot create a file beside it", p->path);
}

static int move_name(struct restore_place *p, struct error *err)
{
	int result = p->force ? rename(p->temporary, p->path) : renameat2(AT_FDCWD, p->temporary, AT_FDCWD, p->path, RENAME_NOREPLACE);

	if (result < 0 && !p->force && (errno == EINVAL || errno == ENOSYS)) { // a file system that cannot: a link cannot replace either
		result = link(p->temporary, p->path);
		if (result == 0)
			(void)unlink(p->temporary);
	}
	if (result < 0)
		return errno == EEXIST ? error_set(err, "%s: exists already; --force writes over it", p->path)
				       : error_set_errno(err, errno, "%s: cannot create", p->path);
	p->named = false;
	return 0;
}

int restore_place_commit(struct restore_place *p, struct error *err)
{
	if (p->direct)
		return 0;
	if (fsync(p->fd) < 0 && errno != EINVAL)
		return error_set_errno(err, errno, "%s: cannot write to the disk", p->path);
	if (!p->named && give_name(p, err) < 0)
		return -1;
	return p->named ? move_name(p, err) : 0;
}

void restore_place_abort(struct restore_place *p)
{
	if (p->named)
		(void)unlink(p->temporary);
	if (p->fd >= 0 && p->fd != STDOUT_FILENO)
		(void)close(p->fd);
	*p = (struct restore_place){.fd = -1};
}
