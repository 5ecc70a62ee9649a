// SPDX-License-Identifier: MIT
// Stands between the program and the kernel for whatever changes a file: the functions below replace libc's in the test that includes this.
//
//   FAULTS_PASS    through to the kernel
//   FAULTS_RECORD  through to the kernel, and remembered in order; syncs are remembered only
//   FAULTS_FAST    through to the kernel; syncs do nothing
// In all of them the next calls can be made to fail, see struct faults.
#ifndef TESTS_UNIT_DISK_FAULTS_H
#define TESTS_UNIT_DISK_FAULTS_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum fault_op_kind { FAULT_WRITE, FAULT_CUT, FAULT_SYNC, FAULT_RENAME, FAULT_ANSWER };
struct fault_op {
	enum fault_op_kind kind;
	ino_t file;            // WRITE, CUT, SYNC (of a file or a folder), RENAME: whose name
	uint64_t offset, length;
	uint8_t *bytes;        // WRITE
	size_t covers;         // SYNC: operations before this index are durable by it
	char name[64];         // RENAME: the new name
	uint64_t seq;          // ANSWER: everything up to it was promised
};

static struct faults {
	enum { FAULTS_PASS, FAULTS_RECORD, FAULTS_FAST } mode;
	pthread_mutex_t lock;
	struct fault_op *ops;
	size_t count, capacity;
	// -1: never; else this many calls succeed first
	int pwrite_fails_after, sync_fails_after, fallocate_fails_after, kill_after;
	int slow_after;       // this many pwrites, then one that waits for slow_us before it begins
	unsigned slow_us;
	int interrupted_after; // this many fallocates, then one that a signal interrupts
	int reason;           // errno of what fails
	int64_t room_bytes;   // pwrite beyond this offset of any file is short, then ENOSPC; -1: no limit
	bool no_fallocate;    // EOPNOTSUPP
	int sync_calls, drops; // drops: of what the kernel had cached of a file
	int steps_left;       // of changes of names and sizes and of writes; at 0 the process ends. -1: no limit
} faults __attribute__((unused)) = {.lock = PTHREAD_MUTEX_INITIALIZER, .pwrite_fails_after = -1, .sync_fails_after = -1, .fallocate_fails_after = -1,
	   .kill_after = -1, .slow_after = -1, .interrupted_after = -1, .room_bytes = -1, .steps_left = -1};

static ino_t faults_file(int fd)
{
	struct stat status;

	return fstat(fd, &status) < 0 ? 0 : status.st_ino;
}

// Returns its index.
static size_t faults_note(struct fault_op op)
{
	(void)pthread_mutex_lock(&faults.lock);
	if (faults.count == faults.capacity) {
		faults.capacity = faults.capacity ? faults.capacity * 2 : 1024;
		faults.ops = realloc(faults.ops, faults.capacity * sizeof(*faults.ops));
		if (!faults.ops)
			abort();
	}
	size_t index = faults.count++;

	faults.ops[index] = op;
	(void)pthread_mutex_unlock(&faults.lock);
	return index;
}

static __attribute__((unused)) void faults_forget(void)
{
	for (size_t i = 0; i < faults.count; i++)
		free(faults.ops[i].bytes);
	free(faults.ops);
	faults.ops = NULL;
	faults.count = faults.capacity = 0;
}

static bool faults_due(int *after)
{
	(void)pthread_mutex_lock(&faults.lock);
	bool due = *after == 0;

	if (*after > 0)
		(*after)--;
	(void)pthread_mutex_unlock(&faults.lock);
	return due;
}

static void faults_step(void)
{
	if (faults.steps_left < 0)
		return;
	if (faults.steps_left-- == 0)
		_exit(99);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
	faults_step();
	if (faults_due(&faults.kill_after)) {
		(void)syscall(SYS_pwrite64, fd, bytes, length / 2 + length % 7, offset);
		(void)kill(getpid(), SIGKILL);
	}
	if (faults_due(&faults.slow_after)) {
		faults.slow_after = -1;
		(void)usleep(faults.slow_us);
	}
	if (faults_due(&faults.pwrite_fails_after)) {
		errno = faults.reason;
		return -1;
	}
	if (faults.room_bytes >= 0 && offset + (off_t)length > faults.room_bytes) {
		if (offset >= faults.room_bytes) {
			errno = ENOSPC;
			return -1;
		}
		length = (size_t)(faults.room_bytes - offset);
	}
	if (faults.mode == FAULTS_RECORD) {
		struct fault_op op = {.kind = FAULT_WRITE, .file = faults_file(fd), .offset = (uint64_t)offset, .length = length, .bytes = malloc(length + 1)};

		if (!op.bytes)
			abort();
		memcpy(op.bytes, bytes, length);
		(void)faults_note(op);
	}
	return syscall(SYS_pwrite64, fd, bytes, length, offset);
}

static int faults_sync(int fd, long call)
{
	(void)pthread_mutex_lock(&faults.lock);
	size_t covers = faults.count;

	faults.sync_calls++;
	(void)pthread_mutex_unlock(&faults.lock);
	if (faults_due(&faults.sync_fails_after)) {
		errno = faults.reason;
		return -1;
	}
	if (faults.mode == FAULTS_RECORD)
		(void)usleep(300); // as a disk: what others do meanwhile is not covered
	if (faults.mode == FAULTS_RECORD)
		(void)faults_note((struct fault_op){.kind = FAULT_SYNC, .file = faults_file(fd), .covers = covers});
	return faults.mode == FAULTS_PASS ? (int)syscall(call, fd) : 0;
}

int posix_fadvise(int fd, off_t offset, off_t length, int advice)
{
	if (advice == POSIX_FADV_DONTNEED && faults.sync_calls > 0)
		faults.drops++;
	return (int)syscall(SYS_fadvise64, fd, offset, length, advice);
}

int fdatasync(int fd)
{
	return faults_sync(fd, SYS_fdatasync);
}

int fsync(int fd)
{
	return faults_sync(fd, SYS_fsync);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
	if (faults.no_fallocate) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if (faults_due(&faults.interrupted_after)) {
		faults.interrupted_after = -1;
		errno = EINTR;
		return -1;
	}
	if (faults_due(&faults.fallocate_fails_after)) {
		faults.fallocate_fails_after = 0; // a full disk stays full
		errno = faults.reason;
		return -1;
	}
	return (int)syscall(SYS_fallocate, fd, mode, offset, length);
}

int ftruncate(int fd, off_t length)
{
	faults_step();
	if (faults.mode == FAULTS_RECORD)
		(void)faults_note((struct fault_op){.kind = FAULT_CUT, .file = faults_file(fd), .length = (uint64_t)length});
	return (int)syscall(SYS_ftruncate, fd, length);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	struct stat status;

	faults_step();
	if (faults.mode == FAULTS_RECORD && fstatat(from_folder, from, &status, AT_SYMLINK_NOFOLLOW) == 0) {
		struct fault_op op = {.kind = FAULT_RENAME, .file = status.st_ino};

		(void)snprintf(op.name, sizeof(op.name), "%s", to);
		(void)faults_note(op);
	}
	return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
}

#endif
