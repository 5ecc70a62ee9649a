// SPDX-License-Identifier: MIT
// Files: whole reads, and writes that are there in full or not at all.
#ifndef BASE_FILEIO_H
#define BASE_FILEIO_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Reads at most max_bytes from path ("-" = standard input) and appends them; a longer file is an error.
int fileio_read(struct buffer *out, const char *path, size_t max_bytes, struct error *err);
// Writes a temporary file beside path, syncs it, renames it onto path. mode e.g. 0644. Without `force` an existing path
// is an error (checked again at the rename, without a race). "-" writes to standard output. On any failure nothing of
// it stays behind.
int fileio_write(const char *path, const void *bytes, size_t length, unsigned mode, bool force, struct error *err);

// What --force may replace, by lstat()'s mode: a file, or a symlink that the system does not need (/dev/stdout). Else -1.
int fileio_check_replaced(const char *path, unsigned mode, struct error *err);

// The same for what is too large for memory: write to fd as you like, then finish or abandon. Where the file system knows files without
// a name (O_TMPFILE), nothing stays behind even when the process is killed.
struct fileio_draft {
	int fd;
	char temporary[4096]; // "" while the file has no name
	const char *path;     // must outlive the draft
	unsigned mode;
	bool force;
};
int fileio_draft_begin(struct fileio_draft *ret, const char *path, unsigned mode, bool force, struct error *err);
int fileio_draft_finish(struct fileio_draft *d, struct error *err); // syncs, moves into place; on failure the draft is gone, too
void fileio_draft_abandon(struct fileio_draft *d);

// Writes all of it to fd, through short writes and EINTR. EPIPE is an error like others.
int fileio_write_fd(int fd, const void *bytes, size_t length, const char *name, struct error *err);
// pread that goes on until length bytes, end of file or an error; *ret_read says how many.
int fileio_pread(int fd, void *bytes, size_t length, uint64_t offset, size_t *ret_read, const char *name, struct error *err);
// An unlinked temporary file in $TMPDIR or /var/tmp; -1 and err on failure.
int fileio_temporary(struct error *err);

struct fileio_digest { char hex[65]; }; // SHA-256, lower-case hex
int fileio_sha256_fd(int fd, uint64_t from, uint64_t to, const char *name, struct fileio_digest *ret, struct error *err);

#endif
