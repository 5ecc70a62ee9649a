// SPDX-License-Identifier: MIT
#include "base/buffer.h"
#include "base/fileio.h"
#include "base/memory.h"
#include "snapshots/base_image.h"
#include "snapshots/history.h"
#include "snapshots/history_header.h"
#include "snapshots/reserve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR_BYTES 512 // what every guest may ask for

static int check_plan(const struct history_plan *plan, struct error *err)
{
	uint64_t segment_bytes = plan->segment_bytes ? plan->segment_bytes : SEGMENT_DEFAULT_BYTES;

	if (plan->size_bytes == 0 && !plan->base_path)
		return error_set(err, "a disk needs a size or a base image");
	if (plan->size_bytes > HISTORY_MAX_DISK_BYTES)
		return error_set(err, "a disk of %llu bytes is too large", (unsigned long long)plan->size_bytes);
	if (plan->size_bytes % SECTOR_BYTES != 0)
		return error_set(err, "a disk's size must be a multiple of %d bytes", SECTOR_BYTES);
	if (segment_bytes < HISTORY_MIN_SEGMENT_BYTES || segment_bytes > HISTORY_MAX_SEGMENT_BYTES)
		return error_set(err, "segments must have between 64 KiB and 8 GiB");
	return 0;
}

// 1: made, 0: an empty folder was there.
static int make_folder(const char *folder, struct error *err)
{
	struct dirent *entry;
	int result = 0;

	if (mkdir(folder, 0700) == 0)
		return 1;
	if (errno != EEXIST)
		return error_set_errno(err, errno, "%s: cannot make the folder", folder);
	DIR *there = opendir(folder);

	if (!there)
		return error_set_errno(err, errno, "%s: cannot make the folder here", folder);
	while (result == 0 && (entry = readdir(there)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = error_set(err, "%s: is there already, and not empty", folder);
	(void)closedir(there);
	return result;
}

static int sync_folder(const char *path, struct error *err)
{
	int fd AUTO_CLOSE = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0 ? 0 : error_set_errno(err, errno, "%s: cannot be made durable", path);
}

static int sync_parent(const char *folder, struct error *err)
{
	char *copy AUTO_FREE = strdup(folder);

	return copy ? sync_folder(dirname(copy), err) : error_set(err, "out of memory");
}

static int write_header(const char *folder, const struct history_plan *plan, uint64_t base_bytes, struct error *err)
{
	struct buffer path AUTO_RELEASE_BUFFER = {0};
	struct history_header header = {.size_bytes = plan->size_bytes ? plan->size_bytes : base_bytes,
					.segment_bytes = plan->segment_bytes ? plan->segment_bytes : SEGMENT_DEFAULT_BYTES,
					.has_base = plan->base_path != NULL};
	uint8_t bytes[HISTORY_HEADER_BYTES];

	if (header.size_bytes == 0 || header.size_bytes > HISTORY_MAX_DISK_BYTES || header.size_bytes % SECTOR_BYTES != 0)
		return error_set(err, "%s: its size is no multiple of %d bytes: give the disk a size", plan->base_path, SECTOR_BYTES);
	if (base_bytes > header.size_bytes)
		return error_set(err, "%s: is larger than the disk", plan->base_path);
	if (getrandom(header.uuid, sizeof(header.uuid), 0) != (ssize_t)sizeof(header.uuid))
		return error_set_errno(err, errno, "cannot make a UUID");
	header.uuid[6] = (uint8_t)((header.uuid[6] & 0x0f) | 0x40); // RFC 9562 section 5.4: version 4
	header.uuid[8] = (uint8_t)((header.uuid[8] & 0x3f) | 0x80);
	history_header_encode(&header, bytes);
	buffer_printf(&path, "%s/header", folder);
	if (buffer_check(&path, err) < 0)
		return -1;
	return fileio_write(path.bytes, bytes, sizeof(bytes), 0600, false, err);
}

static int fill_folder(const char *folder, int fd, const struct history_plan *plan, struct error *err)
{
	uint64_t base_bytes = 0;
	bool full = false;

	if (mkdirat(fd, "segments", 0700) < 0 || mkdirat(fd, "index", 0700) < 0)
		return error_set_errno(err, errno, "%s: cannot make folders", folder);
	int lock AUTO_CLOSE = openat(fd, "lock", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (lock < 0)
		return error_set_errno(err, errno, "%s/lock: cannot make it", folder);
	if (reserve_keep(fd, folder, &full, err) < 0)
		return -1;
	if (!full)
		return error_set_errno(err, ENOSPC, "%s: cannot make a history", folder);
	if (plan->base_path && base_image_record(folder, plan->base_path, &base_bytes, err) < 0)
		return -1;
	// The header is the last: a folder that has it is complete.
	if (write_header(folder, plan, base_bytes, err) < 0)
		return -1;
	return sync_folder(folder, err) < 0 || sync_parent(folder, err) < 0 ? -1 : 0;
}

static void empty_folder(int fd)
{
	static const char *const files[] = {"header", "base", "reserve", "lock"};

	for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
		(void)unlinkat(fd, files[i], 0);
	(void)unlinkat(fd, "segments", AT_REMOVEDIR);
	(void)unlinkat(fd, "index", AT_REMOVEDIR);
}

int history_init(const char *folder, const struct history_plan *plan, struct error *err)
{
	if (check_plan(plan, err) < 0)
		return -1;
	int made = make_folder(folder, err);

	if (made < 0)
		return -1;
	int fd AUTO_CLOSE = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && fill_folder(folder, fd, plan, err) == 0)
		return 0;
	if (fd < 0)
		(void)error_set_errno(err, errno, "%s: cannot open", folder);
	else
		empty_folder(fd);
	if (made)
		(void)rmdir(folder);
	return -1;
}
