// SPDX-License-Identifier: MIT
// Behind the last whole record: a tail that a crash tore, or damage of what was durable?
//
// A FLUSH or CLOSE record is written after the fdatasync that it tells of. So one that stands whole behind the first broken record, and says
// that this one was durable, proves that the record was damaged later. It is known by its checksum and by the UUID in it, which the guest
// does not know: contents of writes in the torn tail cannot pass for it.
#include "snapshots/recover_work.h"

#include "base/bytes.h"
#include "base/fileio.h"
#include "base/memory.h"
#include "snapshots/segment_cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_TORN_FILES 10000 // our limit for one segment's number
#define COPY_BYTES 65536
#define PROOF_RECORD_BYTES (RECORD_HEADER_BYTES + RECORD_PROOF_BYTES)

// Whether the bytes are a whole proof that record `seq` was durable.
static bool is_proof(const struct recovery *r, const uint8_t *bytes, uint64_t seq)
{
	const uint8_t *content = bytes + RECORD_HEADER_BYTES;
	struct error ignored;
	struct record record;

	if (bytes[8] != RECORD_FLUSH && bytes[8] != RECORD_CLOSE)
		return false;
	if (record_decode(bytes, RECORD_HEADER_BYTES, &record, &ignored) < 0 || record.stored_bytes != RECORD_PROOF_BYTES)
		return false;
	return record_check(&record, bytes, content) && memcmp(content + 8, r->header->uuid, 16) == 0 && get_le64(content) >= seq;
}

bool recover_is_clean(const struct recovery *r)
{
	char *name AUTO_FREE = r->segment_count == 0 ? NULL : recover_name(r, r->segment_count);
	int fd AUTO_CLOSE = name ? open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	uint8_t end[PROOF_RECORD_BYTES];
	struct error ignored;
	struct segment s;
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0 || segment_open(&s, fd, name, &ignored) < 0)
		return false;
	if (s.sealed)
		return true;
	return status.st_size >= SEGMENT_HEADER_BYTES + PROOF_RECORD_BYTES &&
	       pread(fd, end, sizeof(end), status.st_size - (off_t)sizeof(end)) == (ssize_t)sizeof(end) && end[8] == RECORD_CLOSE &&
	       is_proof(r, end, 0);
}

// 1: a proof stands in the file behind `position`, 0: none, or a negative errno.
static int find_proof(const struct recovery *r, int fd, const char *name, uint64_t position, uint64_t *ret_at, struct error *err)
{
	struct segment_cursor cursor;
	struct stat status;
	int result = 0;

	if (fstat(fd, &status) < 0) {
		(void)error_set_errno(err, errno, "%s: cannot read", name);
		return -EIO;
	}
	segment_cursor_init(&cursor, fd, name, position, (uint64_t)status.st_size);
	for (uint64_t at = position; result == 0 && at + PROOF_RECORD_BYTES <= cursor.end; at += 8) {
		const uint8_t *bytes = segment_cursor_bytes(&cursor, at, PROOF_RECORD_BYTES, err);

		if (!bytes)
			result = -EIO;
		else if (is_proof(r, bytes, r->out->last_seq + 1)) {
			*ret_at = at;
			result = 1;
		}
	}
	segment_cursor_release(&cursor);
	return result;
}

static int refuse_damage(const struct recovery *r, uint64_t number, uint64_t at, struct error *err)
{
	(void)error_set(err, "%s; record %" PRIu64 " was durable, as byte %" PRIu64 " of segment %" PRIu64 " proves: this is damage, and nothing is cut",
			r->why.message, r->out->last_seq + 1, at, number);
	return -EBADMSG;
}

static int look_for_proofs(const struct recovery *r, struct error *err)
{
	int result = 0;

	for (uint64_t number = r->end_number; result == 0 && number <= r->segment_count; number++) {
		char *name AUTO_FREE = recover_name(r, number);
		int fd AUTO_CLOSE = name ? open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
		uint64_t at;
		struct segment s;
		struct error ignored;

		if (fd < 0) {
			(void)error_set_errno(err, errno, "%s/segments: cannot open segment %" PRIu64, r->folder, number);
			return -EIO;
		}
		result = find_proof(r, fd, name, number == r->end_number ? r->end_position : 0, &at, err);
		// A sealed segment is a proof, too: its footer was written when all before it was durable.
		if (result == 0 && segment_open(&s, fd, name, &ignored) == 0 && s.sealed) {
			at = s.records_end + s.record_count * SEGMENT_ROW_BYTES;
			result = 1;
		}
		if (result == 1)
			return refuse_damage(r, number, at, err);
	}
	return result;
}

// ---- keeping the tail

// A name for the tail that nobody has yet.
static int torn_name(const struct recovery *r, uint64_t number, char *ret, size_t length, struct error *err)
{
	struct stat status;

	for (unsigned i = 1; i <= MAX_TORN_FILES; i++) {
		(void)snprintf(ret, length, "%08" PRIu64 ".torn-%u", number, i);
		if (fstatat(r->segments_fd, ret, &status, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
			return 0;
	}
	(void)error_set(err, "%s/segments: too many torn tails of segment %" PRIu64, r->folder, number);
	return -EIO;
}

static void tell(struct recovery *r, const char *torn, uint64_t bytes)
{
	struct writer_recovery *told = r->recovery;

	told->torn = true;
	told->torn_bytes += bytes;
	told->reason = r->why;
	// The name of the part that comes first in the log; later segments are renamed before it.
	(void)snprintf(told->torn_file, sizeof(told->torn_file), "segments/%.50s", torn);
}

// A segment of which nothing belongs to the log.
static int put_aside(struct recovery *r, uint64_t number, struct error *err)
{
	char name[64], torn[64];
	struct stat status;

	(void)snprintf(name, sizeof(name), "%08" PRIu64 ".segment", number);
	if (fstatat(r->segments_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
		(void)error_set_errno(err, errno, "%s/segments/%s: cannot read", r->folder, name);
		return -EIO;
	}
	if (status.st_size == 0 && unlinkat(r->segments_fd, name, 0) == 0)
		return 0;
	if (torn_name(r, number, torn, sizeof(torn), err) < 0)
		return -EIO;
	if (renameat(r->segments_fd, name, r->segments_fd, torn) < 0) {
		(void)error_set_errno(err, errno, "%s/segments/%s: cannot be put aside", r->folder, name);
		return -EIO;
	}
	tell(r, torn, (uint64_t)status.st_size);
	return 0;
}

static int copy_tail(int from, uint64_t position, uint64_t end, int to, const char *name, struct error *err)
{
	uint8_t bytes[COPY_BYTES];

	while (position < end) {
		size_t part = end - position < sizeof(bytes) ? (size_t)(end - position) : sizeof(bytes), got;

		if (fileio_pread(from, bytes, part, position, &got, name, err) < 0 || fileio_write_fd(to, bytes, got, name, err) < 0)
			return -1;
		if (got == 0)
			break;
		position += got;
	}
	return fsync(to) == 0 ? 0 : error_set_errno(err, errno, "%s: cannot be made durable", name);
}

// The tail of the last segment that belongs to the log: copied, then cut.
static int cut_tail(struct recovery *r, struct segment *s, struct error *err)
{
	char torn[64];
	struct stat status;

	if (fstat(s->fd, &status) < 0 || torn_name(r, s->number, torn, sizeof(torn), err) < 0)
		return -EIO;
	uint64_t end = (uint64_t)status.st_size;
	int to AUTO_CLOSE = openat(r->segments_fd, torn, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (to < 0) {
		(void)error_set_errno(err, errno, "%s/segments/%s: cannot make it", r->folder, torn);
		return -EIO;
	}
	if (copy_tail(s->fd, s->records_end, end, to, torn, err) < 0) {
		(void)unlinkat(r->segments_fd, torn, 0);
		return -EIO;
	}
	if (fsync(r->segments_fd) < 0 || ftruncate(s->fd, (off_t)s->records_end) < 0 || fdatasync(s->fd) < 0) {
		(void)error_set_errno(err, errno, "%s/segments: segment %" PRIu64 " cannot be cut", r->folder, s->number);
		return -EIO;
	}
	tell(r, torn, end - s->records_end);
	return 0;
}

int recover_cut(struct recovery *r, struct error *err)
{
	int result = look_for_proofs(r, err);
	uint64_t first_aside = r->end_position == 0 ? r->end_number : r->end_number + 1;

	// From the last one down: should this be cut short, what is left is still the log and its tail.
	for (uint64_t number = r->segment_count; result == 0 && number >= first_aside; number--)
		result = put_aside(r, number, err);
	if (result == 0 && r->end_position != 0)
		result = cut_tail(r, &r->out->unsealed.items[r->out->unsealed.count - 1], err);
	if (result == 0 && fsync(r->segments_fd) < 0) {
		(void)error_set_errno(err, errno, "%s/segments: cannot be made durable", r->folder);
		result = -EIO;
	}
	return result;
}
