// SPDX-License-Identifier: MIT
#include "ingest/log_file.h"

#include "base/memory.h"
#include "ingest/spool.h"
#include "ingest/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LAST_STEP_BYTES ((size_t)65536)
#define PEAK_STEPS 64u /* looked at in a log whose end is older than its begin */

__attribute__((format(printf, 2, 3))) static void set_note(struct log_file *f, const char *format, ...)
{
	va_list arguments;
	char *note = NULL;

	if (f->note)
		return; // the first thing that went wrong explains the others
	va_start(arguments, format);
	if (vasprintf(&note, format, arguments) >= 0)
		f->note = note;
	va_end(arguments);
}

void log_file_free(struct log_file *f)
{
	if (!f)
		return;
	if (f->fd >= 0 && f->fd != STDIN_FILENO)
		(void)close(f->fd);
	if (f->spool_fd >= 0)
		(void)close(f->spool_fd);
	u64_vector_release(&f->left_out);
	free(f->name);
	free(f->note);
	free(f);
}

static int finish_spool(struct log_file *f, int out_fd, const struct spool_end *end)
{
	f->spool_fd = out_fd;
	f->size_bytes = end->text_bytes;
	f->ready = true;
	if (end->damage) {
		f->cut = true;
		set_note(f, "%s: %s: only the first %" PRIu64 " bytes of its text can be read", f->name, end->damage, end->text_bytes);
	}
	return 0;
}

static int spool_now(struct log_file *f, const unsigned char *head, size_t head_length, struct error *err)
{
	struct spool_end end = { 0 };
	int out_fd AUTO_CLOSE = fileio_temporary(err);

	if (out_fd < 0 || spool_copy(f->fd, head, head_length, f->storage, f->name, out_fd, &end, err) < 0)
		return -1;
	int kept = out_fd;

	out_fd = -1;
	return finish_spool(f, kept, &end);
}

// Bytes from a pipe, until `size` or the end.
static int read_pipe(int fd, unsigned char *bytes, size_t size, size_t *ret_length, const char *name, struct error *err)
{
	size_t total = 0;

	while (total < size) {
		ssize_t got = read(fd, bytes + total, size - total);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(err, errno, "%s: cannot read", name);
		if (got == 0)
			break;
		total += (size_t)got;
	}
	*ret_length = total;
	return 0;
}

static const struct { const char *magic; size_t length; const char *what; } looks[] = {
	{ "\xfd" "7zXZ", 5, "xz data: decompress it first" },
	{ "BZh", 3, "bzip2 data: decompress it first" },
	{ "\x04\x22\x4d\x18", 4, "lz4 data: decompress it first" },
	{ "PK\x03\x04", 4, "a zip archive: unpack it first" },
	{ "LPKSHHRH", 8, "a systemd journal: write it out with \"journalctl _TRANSPORT=audit\" or use auditd's own log" },
	{ "\x7f" "ELF", 4, "a program" },
	{ "\x89PNG", 4, "a PNG picture" },
	{ "%PDF", 4, "a PDF document" },
	{ "SQLite format 3", 15, "an SQLite database" },
	{ "\xd4\xc3\xb2\xa1", 4, "a packet capture" },
	{ "\x0a\x0d\x0d\x0a", 4, "a packet capture" },
};

const char *log_file_looks_like(const char *head, size_t length)
{
	size_t control = 0;

	if (length == 0)
		return "an empty file";
	for (size_t i = 0; i < ARRAY_LENGTH(looks); i++) {
		if (length >= looks[i].length && memcmp(head, looks[i].magic, looks[i].length) == 0)
			return looks[i].what;
	}
	if (length >= 262 && memcmp(head + 257, "ustar", 5) == 0) // POSIX.1-1988 tar header, offset of its magic
		return "a tar archive: unpack it first";
	for (size_t i = 0; i < length; i++)
		control += (unsigned char)head[i] < 0x20 && !memchr("\t\n\r\f\033", head[i], 5);
	if (control > length / 64)
		return "binary data";
	if (memmem(head, length, "audit: type=", 12))
		return "a kernel log with audit messages in it, not auditd's own log";
	if (head[0] == '{' || head[0] == '[')
		return "JSON text";
	return "text of another kind";
}

static bool first_stamp(struct log_file *f, const char *bytes, size_t length)
{
	struct stamp_block block;

	stamp_block_read(bytes, length, true, &block);
	if (block.count > 0) {
		f->first_ns = block.first_ns;
		f->has_node = block.has_node;
	}
	return block.count > 0;
}

// Junk can stand in front of the records. A log that is only compressed is not decoded for it: its head decides.
static int find_first(struct log_file *f, struct error *err)
{
	size_t length = 0;
	char *bytes AUTO_FREE = malloc(LOG_HEAD_BYTES);

	if (!bytes)
		return error_set(err, "out of memory");
	if (!f->ready) {
		if (spool_head(f->fd, f->storage, f->name, bytes, LOG_HEAD_BYTES, &length, err) < 0)
			return -1;
		f->has_first = first_stamp(f, bytes, length);
		if (f->has_first || length < LOG_HEAD_BYTES)
			return 0;
		if (log_file_prepare(f, err) < 0)
			return -1;
	}
	for (uint64_t at = 0; at < f->size_bytes && !f->has_first; at += length) {
		if (log_file_read(f, at, bytes, LOG_HEAD_BYTES, &length, err) < 0)
			return -1;
		if (length == 0)
			break;
		f->has_first = first_stamp(f, bytes, length);
		// A line that the step cut in two is seen whole by stepping back to its start.
		size_t start = stamp_line_start(bytes, length);
		if (!f->has_first && start > 0 && at + length < f->size_bytes)
			length = start;
	}
	return 0;
}

static int open_seekable(struct log_file *f, const struct stat *status, struct error *err)
{
	unsigned char magic[4];
	size_t length = 0;

	if (fileio_pread(f->fd, magic, sizeof(magic), 0, &length, f->name, err) < 0)
		return -1;
	f->storage = spool_storage(magic, length);
	if (f->storage == LOG_PLAIN) {
		f->size_bytes = (uint64_t)status->st_size;
		f->ready = true;
	}
	return find_first(f, err);
}

static int open_pipe(struct log_file *f, struct error *err)
{
	unsigned char magic[4];
	size_t length = 0;

	if (read_pipe(f->fd, magic, sizeof(magic), &length, f->name, err) < 0)
		return -1;
	f->storage = spool_storage(magic, length);
	if (spool_now(f, magic, length, err) < 0)
		return -1;
	return find_first(f, err);
}

static int open_any(struct log_file *f, struct error *err)
{
	struct stat status;

	if (fstat(f->fd, &status) < 0)
		return error_set_errno(err, errno, "%s: cannot read", f->name);
	f->dev = status.st_dev;
	f->ino = status.st_ino;
	if (S_ISDIR(status.st_mode))
		return error_set(err, "%s: is a folder", f->name);
	// A shell's "< file" may stand somewhere inside; then it is read on from there, as others would.
	if (S_ISREG(status.st_mode) && (f->fd != STDIN_FILENO || lseek(f->fd, 0, SEEK_CUR) == 0))
		return open_seekable(f, &status, err);
	return open_pipe(f, err);
}

static struct log_file *open_named(int fd, const char *name, struct error *err)
{
	struct log_file *f = calloc(1, sizeof(*f));

	if (f) {
		f->spool_fd = -1;
		f->fd = fd;
		f->name = strdup(name);
	}
	if (!f || !f->name)
		(void)error_set(err, "out of memory");
	else if (open_any(f, err) == 0)
		return f;
	if (!f && fd >= 0 && fd != STDIN_FILENO)
		(void)close(fd);
	log_file_free(f);
	return NULL;
}

struct log_file *log_file_open(const char *path, struct error *err)
{
	if (strcmp(path, "-") == 0)
		return open_named(STDIN_FILENO, "standard input", err);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		const char *hint = errno == EACCES ? " (run as root, or copy the log and name the copy with --log)" : "";

		(void)error_set(err, "%s: cannot open: %s%s", path, strerror(errno), hint);
		return NULL;
	}
	return open_named(fd, path, err);
}

struct log_file *log_file_open_fd(int fd, const char *name, struct error *err)
{
	return open_named(fd, name, err);
}

bool log_file_leaves_out(const struct log_file *f, uint64_t offset)
{
	size_t low = 0, high = f->left_out.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->left_out.items[middle] < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < f->left_out.count && f->left_out.items[low] == offset;
}

int log_file_prepare(struct log_file *f, struct error *err)
{
	if (f->ready)
		return 0;
	if (lseek(f->fd, 0, SEEK_SET) < 0)
		return error_set_errno(err, errno, "%s: cannot read", f->name);
	if (spool_now(f, NULL, 0, err) < 0)
		return -1;
	return 0;
}

int log_file_read(struct log_file *f, uint64_t offset, char *bytes, size_t length, size_t *ret_read, struct error *err)
{
	size_t got = 0;

	if (log_file_prepare(f, err) < 0)
		return -1;
	if (offset >= f->size_bytes)
		length = 0;
	else if (length > f->size_bytes - offset)
		length = (size_t)(f->size_bytes - offset);
	if (length > 0 && fileio_pread(f->spool_fd >= 0 ? f->spool_fd : f->fd, bytes, length, offset, &got, f->name, err) < 0)
		return -1;
	if (got < length) {
		f->cut = true;
		set_note(f, "%s: became shorter while it was read: %" PRIu64 " of %" PRIu64 " bytes are gone", f->name,
			 f->size_bytes - (offset + got), f->size_bytes);
		f->size_bytes = offset + got;
	}
	*ret_read = got;
	return 0;
}

// The clock was set back: the largest stamp stands somewhere in the middle. All of a small log is read, of a large one samples.
static int find_peak(struct log_file *f, char *bytes, struct error *err)
{
	uint64_t steps = (f->size_bytes + LAST_STEP_BYTES - 1) / LAST_STEP_BYTES;

	f->set_back = true;
	f->last_ns = f->first_ns;
	if (steps > PEAK_STEPS)
		steps = PEAK_STEPS;
	for (uint64_t i = 0; i < steps; i++) {
		uint64_t start = f->size_bytes / steps * i;
		struct stamp_block block;
		size_t got = 0;

		if (log_file_read(f, start, bytes, LAST_STEP_BYTES, &got, err) < 0)
			return -1;
		stamp_block_read(bytes, got, start == 0, &block);
		if (block.count > 0 && block.max_ns > f->last_ns)
			f->last_ns = block.max_ns;
	}
	return 0;
}

int log_file_find_last(struct log_file *f, struct error *err)
{
	char *bytes AUTO_FREE = NULL;
	uint64_t end;

	if (f->has_last && !f->last_estimated)
		return 0;
	if (log_file_prepare(f, err) < 0)
		return -1;
	bytes = malloc(LAST_STEP_BYTES);
	if (!bytes)
		return error_set(err, "out of memory");
	f->has_last = f->last_estimated = false;
	end = f->size_bytes;
	while (end > 0) {
		uint64_t start = end > LAST_STEP_BYTES ? end - LAST_STEP_BYTES : 0;
		struct stamp_block block;
		size_t got = 0;

		if (log_file_read(f, start, bytes, (size_t)(end - start), &got, err) < 0)
			return -1;
		stamp_block_read(bytes, got, start == 0, &block);
		if (block.count > 0) {
			f->has_last = true;
			f->last_ns = block.max_ns;
			return f->last_ns < f->first_ns ? find_peak(f, bytes, err) : 0;
		}
		if (start == 0)
			break;
		// The line that crosses the step's start is seen by overlapping the steps.
		end = start + LAST_STEP_BYTES / 4;
	}
	return 0;
}

int log_file_sha256(struct log_file *f, uint64_t from, uint64_t to, struct fileio_digest *ret, struct error *err)
{
	if (log_file_prepare(f, err) < 0)
		return -1;
	return fileio_sha256_fd(f->spool_fd >= 0 ? f->spool_fd : f->fd, from, to, f->name, ret, err);
}
