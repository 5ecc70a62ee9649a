// SPDX-License-Identifier: MIT
#include "base/fileio.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STEP_BYTES 65536

int fileio_read(struct buffer *out, const char *path, size_t max_bytes, struct error *err)
{
	bool standard_input = strcmp(path, "-") == 0;
	const char *name = standard_input ? "standard input" : path;
	int own_fd AUTO_CLOSE = standard_input ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int fd = standard_input ? STDIN_FILENO : own_fd;
	char step[STEP_BYTES];
	size_t total = 0;

	if (fd < 0)
		return error_set_errno(err, errno, "%s: cannot open", name);
	for (;;) {
		ssize_t got = read(fd, step, sizeof(step));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(err, errno, "%s: cannot read", name);
		if (got == 0)
			return buffer_check(out, err);
		total += (size_t)got;
		if (total > max_bytes)
			return error_set(err, "%s: larger than the limit of %zu bytes", name, max_bytes);
		buffer_add(out, step, (size_t)got);
	}
}

int fileio_write_fd(int fd, const void *bytes, size_t length, const char *name, struct error *err)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t put = write(fd, at, length < SSIZE_MAX ? length : SSIZE_MAX);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return error_set_errno(err, errno, "%s: cannot write", name);
		at += put;
		length -= (size_t)put;
	}
	return 0;
}

// renameat2 says "not over an existing file" without a race; file systems that cannot do it get a hard link, which cannot either.
static int move_into_place(const char *temporary, const char *path, bool force, struct error *err)
{
	if (force) {
		if (rename(temporary, path) < 0)
			return error_set_errno(err, errno, "%s: cannot rename the finished file onto it", path);
		return 0;
	}
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EINVAL || errno == ENOSYS) {
		if (link(temporary, path) == 0) {
			(void)unlink(temporary);
			return 0;
		}
	}
	if (errno == EEXIST)
		return error_set(err, "%s: exists already; --force writes over it", path);
	return error_set_errno(err, errno, "%s: cannot create", path);
}

static int fill_temporary(int fd, const char *temporary, const char *path, const void *bytes, size_t length,
			  unsigned mode, bool force, struct error *err)
{
	if (fileio_write_fd(fd, bytes, length, path, err) < 0)
		return -1;
	// mkstemp made it 0600; the wanted mode obeys the umask as open(2) would.
	mode_t mask = umask(0);

	(void)umask(mask);
	if (fchmod(fd, (mode_t)mode & ~mask) < 0)
		return error_set_errno(err, errno, "%s: cannot set its mode", path);
	// EINVAL: this file system has nothing to sync (some FUSE and special ones).
	if (fsync(fd) < 0 && errno != EINVAL)
		return error_set_errno(err, errno, "%s: cannot write to the disk", path);
	return move_into_place(temporary, path, force, err);
}

static int write_beside(const char *path, const void *bytes, size_t length, unsigned mode, bool force, struct error *err)
{
	char temporary[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int folder_length = slash ? (int)(slash - path) + 1 : 0;

	if (snprintf(temporary, sizeof(temporary), "%.*s.provgraph-XXXXXX", folder_length, path) >= (int)sizeof(temporary))
		return error_set(err, "%s: the name is too long", path);
	int fd AUTO_CLOSE = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "%s: cannot create a file beside it", path);
	if (fill_temporary(fd, temporary, path, bytes, length, mode, force, err) < 0) {
		(void)unlink(temporary);
		return -1;
	}
	return 0;
}

int fileio_check_replaced(const char *path, unsigned mode, struct error *err)
{
	bool system = strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;

	if (S_ISREG(mode) || (S_ISLNK(mode) && !system))
		return 0;
	return error_set(err, "%s: is no regular file, and is not replaced by one; - is standard output", path);
}

int fileio_write(const char *path, const void *bytes, size_t length, unsigned mode, bool force, struct error *err)
{
	struct stat status;
	sigset_t interrupts, before;

	if (strcmp(path, "-") == 0)
		return fileio_write_fd(STDOUT_FILENO, bytes, length, "standard output", err);
	if (lstat(path, &status) == 0) {
		if (S_ISDIR(status.st_mode))
			return error_set(err, "%s: is a folder", path);
		// A device or a FIFO that the user named is written to, not replaced by a file.
		if (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode)) {
			int fd AUTO_CLOSE = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

			if (fd < 0)
				return error_set_errno(err, errno, "%s: cannot open", path);
			return fileio_write_fd(fd, bytes, length, path, err);
		}
		if (fileio_check_replaced(path, status.st_mode, err) < 0)
			return -1;
		if (!force)
			return error_set(err, "%s: exists already; --force writes over it", path);
	}
	// Ctrl-C takes effect after the clean-up, so that it leaves no temporary file.
	(void)sigemptyset(&interrupts);
	(void)sigaddset(&interrupts, SIGINT);
	(void)sigaddset(&interrupts, SIGTERM);
	(void)sigaddset(&interrupts, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &interrupts, &before);
	int result = write_beside(path, bytes, length, mode, force, err);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}

// ---- a draft

static int name_beside(const char *path, char *ret, size_t size, struct error *err)
{
	const char *slash = strrchr(path, '/');

	if (snprintf(ret, size, "%.*s.provgraph-XXXXXX", slash ? (int)(slash - path) + 1 : 0, path) >= (int)size)
		return error_set(err, "%s: the name is too long", path);
	return 0;
}

static int open_unnamed(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int length = slash ? (int)(slash - path) + 1 : 0;

	if (snprintf(folder, sizeof(folder), "%.*s", length ? length : 1, length ? path : ".") >= (int)sizeof(folder))
		return -1;
	return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

int fileio_draft_begin(struct fileio_draft *ret, const char *path, unsigned mode, bool force, struct error *err)
{
	struct stat status;

	*ret = (struct fileio_draft){.path = path, .mode = mode, .force = force};
	if (lstat(path, &status) == 0) {
		if (fileio_check_replaced(path, status.st_mode, err) < 0)
			return -1;
		if (!force)
			return error_set(err, "%s: exists already; --force writes over it", path);
	}
	ret->fd = open_unnamed(path);
	if (ret->fd >= 0)
		return 0;
	if (name_beside(path, ret->temporary, sizeof(ret->temporary), err) < 0)
		return -1;
	ret->fd = mkostemp(ret->temporary, O_CLOEXEC);
	return ret->fd >= 0 ? 0 : error_set_errno(err, errno, "%s: cannot create a file beside it", path);
}

// A file without a name gets one beside its place; from there it moves as others do.
static int name_draft(struct fileio_draft *d, struct error *err)
{
	char own[40];

	(void)snprintf(own, sizeof(own), "/proc/self/fd/%d", d->fd);
	for (int tries = 0; tries < 100; tries++) {
		if (name_beside(d->path, d->temporary, sizeof(d->temporary), err) < 0)
			return -1;
		int place = mkstemp(d->temporary); // finds a free name; linkat() wants it unused

		if (place < 0)
			break;
		(void)close(place);
		(void)unlink(d->temporary);
		if (linkat(AT_FDCWD, own, AT_FDCWD, d->temporary, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	d->temporary[0] = '\0';
	return error_set_errno(err, errno, "%s: cannot create a file beside it", d->path);
}

int fileio_draft_finish(struct fileio_draft *d, struct error *err)
{
	mode_t mask = umask(0);
	sigset_t interrupts, before;
	int result = 0;

	(void)umask(mask);
	if (fchmod(d->fd, (mode_t)d->mode & ~mask) < 0)
		result = error_set_errno(err, errno, "%s: cannot set its mode", d->path);
	else if (fsync(d->fd) < 0 && errno != EINVAL)
		result = error_set_errno(err, errno, "%s: cannot write to the disk", d->path);
	(void)sigemptyset(&interrupts);
	(void)sigaddset(&interrupts, SIGINT);
	(void)sigaddset(&interrupts, SIGTERM);
	(void)sigaddset(&interrupts, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &interrupts, &before);
	if (result == 0 && !d->temporary[0])
		result = name_draft(d, err);
	if (result == 0)
		result = move_into_place(d->temporary, d->path, d->force, err);
	if (result == 0)
		d->temporary[0] = '\0';
	fileio_draft_abandon(d);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}

void fileio_draft_abandon(struct fileio_draft *d)
{
	if (d->fd >= 0)
		(void)close(d->fd);
	d->fd = -1;
	if (d->temporary[0])
		(void)unlink(d->temporary);
	d->temporary[0] = '\0';
}

int fileio_pread(int fd, void *bytes, size_t length, uint64_t offset, size_t *ret_read, const char *name, struct error *err)
{
	size_t total = 0;

	while (total < length) {
		if (offset > INT64_MAX - total)
			return error_set(err, "%s: position %" PRIu64 " is beyond any file", name, offset);
		ssize_t got = pread(fd, (char *)bytes + total, length - total, (off_t)(offset + total));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(err, errno, "%s: cannot read at byte %" PRIu64, name, offset + total);
		if (got == 0)
			break;
		total += (size_t)got;
	}
	*ret_read = total;
	return 0;
}

int fileio_temporary(struct error *err)
{
	const char *folder = getenv("TMPDIR");
	char path[PATH_MAX];

	// /var/tmp and not /tmp: a decompressed log can be larger than a /tmp that lives in memory.
	if (!folder || !*folder)
		folder = "/var/tmp";
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	if (snprintf(path, sizeof(path), "%s/provgraph-XXXXXX", folder) >= (int)sizeof(path))
		return error_set(err, "%s: the name is too long", folder);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "%s: cannot create a temporary file", folder);
	(void)unlink(path);
	return fd;
}

static int digest_range(EVP_MD_CTX *context, int fd, uint64_t from, uint64_t to, const char *name, struct error *err)
{
	static const size_t step_bytes = (size_t)1 << 18;
	char *step AUTO_FREE = malloc(step_bytes);

	if (!step)
		return error_set(err, "out of memory");
	while (from < to) {
		size_t want = to - from < step_bytes ? (size_t)(to - from) : step_bytes, got = 0;

		if (fileio_pread(fd, step, want, from, &got, name, err) < 0)
			return -1;
		if (got == 0)
			break;
		if (EVP_DigestUpdate(context, step, got) != 1)
			return error_set(err, "%s: SHA-256 failed", name);
		from += got;
	}
	return 0;
}

int fileio_sha256_fd(int fd, uint64_t from, uint64_t to, const char *name, struct fileio_digest *ret, struct error *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(context);
		return error_set(err, "%s: SHA-256 is not available", name);
	}
	int result = digest_range(context, fd, from, to, name, err);
	if (result == 0 && EVP_DigestFinal_ex(context, digest, &length) != 1)
		result = error_set(err, "%s: SHA-256 failed", name);
	EVP_MD_CTX_free(context);
	if (result < 0)
		return -1;
	for (unsigned i = 0; i < 32; i++)
		(void)snprintf(ret->hex + 2 * i, 3, "%02x", digest[i]);
	return 0;
}
