// SPDX-License-Identifier: MIT
// A flat folder (0700) of files (0600) whose names we made. It is filled beside its place and gets its name by a rename.
#include "cmd/evidence_parts.h"

#include "base/fileio.h"
#include "base/memory.h"
#include "cmd/evidence.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0700
#define FILE_MODE 0600

// Names that a run of ours makes: only such are ever removed from a folder that was there before.
static bool is_our_name(const char *name)
{
	size_t length = strlen(name);

	if (strcmp(name, "manifest.jsonl") == 0 || strcmp(name, "manifest.sha256") == 0)
		return true;
	return length > 6 && name[0] == 'n' && isdigit((unsigned char)name[1]) && strcmp(name + length - 4, ".bin") == 0;
}

// Calls it for each entry but . and ..; stops at -1.
static int each_entry(int folder_fd, const char *path, int (*visit)(int folder_fd, const char *path, const char *name, struct error *err),
		      struct error *err)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int result = 0;

	if (!folder) {
		(void)error_set_errno(err, errno, "%s: cannot list", path);
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	while (result == 0 && (entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = visit(folder_fd, path, entry->d_name, err);
	}
	(void)closedir(folder);
	return result;
}

static int refuse_entry(int folder_fd, const char *path, const char *name, struct error *err)
{
	(void)folder_fd;
	(void)name;
	return error_set(err, "%s: is not empty; --force replaces what an earlier --evidence wrote there", path);
}

static int check_entry(int folder_fd, const char *path, const char *name, struct error *err)
{
	struct stat status;

	if (is_our_name(name) && fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode))
		return 0;
	return error_set(err, "%s: holds %s, which --evidence did not write; name another folder", path, name);
}

static int remove_entry(int folder_fd, const char *path, const char *name, struct error *err)
{
	(void)path;
	(void)err;
	(void)unlinkat(folder_fd, name, 0);
	return 0;
}

// What stands at the place may be replaced: an empty folder, or with force one of ours. *ret_exists: there is one.
static int check_place(const char *path, bool force, bool *ret_exists, struct error *err)
{
	struct stat status;

	*ret_exists = false;
	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : error_set_errno(err, errno, "%s: cannot create", path);
	if (!S_ISDIR(status.st_mode))
		return error_set(err, "%s: exists already and is not a folder", path);
	int fd AUTO_CLOSE = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_set_errno(err, errno, "%s: cannot open", path);
	*ret_exists = true;
	return each_entry(fd, path, force ? check_entry : refuse_entry, err);
}

// Without slashes at its end.
static int clean_path(const char *path, char ret[PATH_MAX], struct error *err)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (length == 0 || length >= PATH_MAX - 32)
		return error_set(err, length == 0 ? "--evidence: name a folder" : "%s: the name is too long", path);
	memcpy(ret, path, length);
	ret[length] = '\0';
	return 0;
}

int evidence_check(const char *folder, bool force, struct error *err)
{
	char path[PATH_MAX];
	bool exists;

	return clean_path(folder, path, err) < 0 ? -1 : check_place(path, force, &exists, err);
}

int evidence_folder_begin(struct evidence_folder *f, const char *path, bool force, struct error *err)
{
	char name[PATH_MAX], clean[PATH_MAX];
	bool exists;

	*f = (struct evidence_folder){.path = path, .fd = -1, .force = force};
	if (clean_path(path, clean, err) < 0 || check_place(clean, force, &exists, err) < 0)
		return -1;
	if (snprintf(name, sizeof(name), "%s.provgraph-XXXXXX", clean) >= (int)sizeof(name))
		return error_set(err, "%s: the name is too long", path);
	if (!mkdtemp(name)) // mode 0700
		return error_set_errno(err, errno, "%s: cannot create a folder there", path);
	memcpy(f->temporary, name, sizeof(name));
	f->fd = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (f->fd >= 0)
		return 0;
	(void)error_set_errno(err, errno, "%s: cannot open the new folder", path);
	evidence_folder_abort(f);
	return -1;
}

int evidence_folder_create(const struct evidence_folder *f, const char *name, int *ret_fd, struct error *err)
{
	int fd = openat(f->fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

	if (fd < 0)
		return error_set_errno(err, errno, "%s/%s: cannot create", f->path, name);
	*ret_fd = fd;
	return 0;
}

int evidence_folder_write(const struct evidence_folder *f, const char *name, const struct buffer *bytes, struct fileio_digest *ret_digest,
			  struct error *err)
{
	int fd AUTO_CLOSE = -1;

	if (evidence_folder_create(f, name, &fd, err) < 0 || fileio_write_fd(fd, buffer_string(bytes), bytes->length, name, err) < 0)
		return -1;
	return ret_digest ? fileio_sha256_fd(fd, 0, bytes->length, name, ret_digest, err) : 0;
}

int evidence_folder_rename(const struct evidence_folder *f, const char *from, const char *to, struct error *err)
{
	return renameat(f->fd, from, f->fd, to) == 0 ? 0 : error_set_errno(err, errno, "%s/%s: cannot be named", f->path, to);
}

void evidence_folder_remove(const struct evidence_folder *f, const char *name)
{
	(void)unlinkat(f->fd, name, 0);
}

// Removes the folder at f->temporary, whichever it is by now, and what lies in it.
static void remove_temporary(struct evidence_folder *f)
{
	int fd AUTO_CLOSE = open(f->temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		(void)each_entry(fd, f->temporary, remove_entry, NULL);
	(void)rmdir(f->temporary);
	f->temporary[0] = '\0';
}

// The old folder goes where the new one was, and is emptied there.
static int exchange(struct evidence_folder *f, const char *path, struct error *err)
{
	char aside[PATH_MAX + 16];

	if (renameat2(AT_FDCWD, f->temporary, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
		remove_temporary(f);
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS)
		return error_set_errno(err, errno, "%s: cannot be replaced", path);
	(void)snprintf(aside, sizeof(aside), "%s.old", f->temporary); // a file system that cannot exchange
	if (rename(path, aside) < 0 || rename(f->temporary, path) < 0)
		return error_set_errno(err, errno, "%s: cannot be replaced", path);
	(void)snprintf(f->temporary, sizeof(f->temporary), "%.*s", (int)sizeof(f->temporary) - 1, aside);
	remove_temporary(f);
	return 0;
}

static int put_in_place(struct evidence_folder *f, const char *path, bool exists, struct error *err)
{
	if (!exists && renameat2(AT_FDCWD, f->temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (!exists && errno != EINVAL && errno != ENOSYS)
		return error_set_errno(err, errno, "%s: cannot create", path);
	if (rename(f->temporary, path) == 0) // an empty folder gives way, a full one does not
		return 0;
	if (exists && f->force && (errno == ENOTEMPTY || errno == EEXIST))
		return exchange(f, path, err);
	return error_set_errno(err, errno, "%s: cannot create", path);
}

int evidence_folder_commit(struct evidence_folder *f, struct error *err)
{
	char path[PATH_MAX];
	bool exists;

	if (syncfs(f->fd) < 0)
		return error_set_errno(err, errno, "%s: cannot write to the disk", f->path);
	if (clean_path(f->path, path, err) < 0 || check_place(path, f->force, &exists, err) < 0 || put_in_place(f, path, exists, err) < 0)
		return -1;
	f->temporary[0] = '\0';
	(void)close(f->fd);
	f->fd = -1;
	return 0;
}

void evidence_folder_abort(struct evidence_folder *f)
{
	if (f->temporary[0] != '\0')
		remove_temporary(f);
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
}
