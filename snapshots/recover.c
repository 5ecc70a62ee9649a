// SPDX-License-Identifier: MIT
// Rules of FORMAT.md, "Crash". Segments are looked at in order: sealed ones by their footers, then the unsealed end record by record.
#include "snapshots/recover.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "snapshots/recover_work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void recovered_release(struct recovered *r)
{
	for (size_t i = 0; i < r->unsealed.count; i++)
		segment_release(&r->unsealed.items[i]);
	segment_vector_release(&r->unsealed);
	u64_vector_release(&r->first_seqs);
	u64_vector_release(&r->segment_bytes);
}

char *recover_name(const struct recovery *r, uint64_t number)
{
	char *name;

	return asprintf(&name, "%s/segments/%08" PRIu64 ".segment", r->folder, number) < 0 ? NULL : name;
}

// The greatest number of a segment; -1 and err when one before it is missing.
static int count_segments(struct recovery *r, struct error *err)
{
	int fd = openat(r->segments_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	uint64_t greatest = 0, count = 0;
	struct dirent *entry;

	if (!folder) {
		(void)error_set_errno(err, errno, "%s/segments: cannot read", r->folder);
		if (fd >= 0)
			(void)close(fd);
		return -EIO;
	}
	while ((void)(errno = 0), (entry = readdir(folder))) {
		char again[64];
		uint64_t number = strtoull(entry->d_name, NULL, 10);

		(void)snprintf(again, sizeof(again), "%08" PRIu64 ".segment", number);
		if (number == 0 || strcmp(again, entry->d_name) != 0)
			continue;
		count++;
		if (number > greatest)
			greatest = number;
	}
	int reason = errno;

	(void)closedir(folder);
	if (reason != 0) { // fewer segments than there are would be written over
		(void)error_set_errno(err, reason, "%s/segments: cannot read", r->folder);
		return -EIO;
	}
	r->segment_count = greatest;
	if (count == greatest)
		return 0;
	(void)error_set(err, "%s/segments: %" PRIu64 " of %" PRIu64 " segments are missing", r->folder, greatest - count, greatest);
	return -EBADMSG;
}

// ---- the walk

// Where the log goes on, and where it ends.
static uint64_t next_seq(const struct recovery *r)
{
	return r->out->last_seq + 1;
}

static int damaged(struct error *err, const struct error *why)
{
	*err = *why;
	return -EBADMSG;
}

// 1: *ret is an opened segment that follows the log; 0: it cannot be part of the log (*why); or a negative errno.
static int open_next(struct recovery *r, uint64_t number, const char *name, struct segment *ret, struct error *why, struct error *err)
{
	struct stat status;
	int fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &status) < 0) {
		(void)error_set_errno(err, errno, "%s: cannot open", name);
		if (fd >= 0)
			(void)close(fd);
		return -EIO;
	}
	r->file_bytes = (uint64_t)status.st_size;
	if (segment_open(ret, fd, name, why) < 0) {
		(void)close(fd);
		return 0;
	}
	if (memcmp(ret->uuid, r->header->uuid, 16) == 0 && ret->number == number && ret->first_seq == next_seq(r))
		return 1;
	(void)error_set(why, "%s: byte 24: segment %" PRIu64 " from record %" PRIu64 " on stands where %" PRIu64 " from %" PRIu64 " on belongs", name,
			ret->number, ret->first_seq, number, next_seq(r));
	segment_release(ret);
	return 0;
}

// Whether the file after this one begins with the record that would follow: then what stands behind the records of this one is a piece
// of a table that was being written, and no record is missing.
static bool next_follows(struct recovery *r, uint64_t number)
{
	struct error ignored;
	struct segment next;

	if (number >= r->segment_count)
		return false;
	char *name AUTO_FREE = recover_name(r, number + 1);
	uint64_t file_bytes = r->file_bytes;

	if (!name || open_next(r, number + 1, name, &next, &ignored, &ignored) != 1)
		return false;
	r->file_bytes = file_bytes;
	segment_release(&next);
	return true;
}

// After a failed sync the kernel may keep pages that look written and never reached the disk. So where the end is not clean, what is
// dirty is written, what is clean is dropped, and the log is read from the disk.
static int reread(const struct recovery *r, const struct segment *s, const char *name, struct error *err)
{
	if (r->clean)
		return 0;
	if (fdatasync(s->fd) < 0) {
		(void)error_set_errno(err, errno, "%s: cannot be made durable", name);
		return -EIO;
	}
	(void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

// 1: the log goes on behind it; 0: it ends at r->end_position of this segment.
static int walk_unsealed(struct recovery *r, struct segment *s, const char *name, struct error *err)
{
	enum segment_end end;
	int result = reread(r, s, name, err);

	if (result < 0)
		return result;
	if (segment_scan(s, name, &end, &r->why, err) < 0)
		return -EIO;
	r->out->last_seq = s->first_seq + s->record_count - 1;
	bool whole = end == SEGMENT_END_CLEAN || next_follows(r, s->number);

	r->out->stored_bytes += s->records_end + s->record_count * SEGMENT_ROW_BYTES + SEGMENT_FOOTER_BYTES;
	r->end_number = s->number;
	r->end_position = s->records_end;
	if (segment_vector_append(&r->out->unsealed, *s) < 0) {
		(void)error_set(err, "out of memory");
		return -ENOMEM;
	}
	s->fd = -1;
	s->rows = NULL;
	return whole;
}

// 1: go on, 0: the log ends in or before this segment, or a negative errno.
static int walk_segment(struct recovery *r, uint64_t number, struct error *err)
{
	char *name AUTO_FREE = recover_name(r, number);
	struct segment s = {.fd = -1};
	struct error why;
	int result;

	if (!name || u64_vector_reserve(&r->out->first_seqs, 1) < 0 || u64_vector_reserve(&r->out->segment_bytes, 1) < 0) {
		(void)error_set(err, "out of memory");
		return -ENOMEM;
	}
	result = open_next(r, number, name, &s, &why, err);
	if (result == 0) {
		r->why = why;
		r->end_number = number;
		r->end_position = 0;
	}
	if (result <= 0)
		return result;
	(void)u64_vector_append(&r->out->first_seqs, s.first_seq);
	(void)u64_vector_append(&r->out->segment_bytes, s.sealed ? r->file_bytes : 0);
	if (!s.sealed) {
		result = walk_unsealed(r, &s, name, err);
	} else if (r->out->unsealed.count > 0) {
		(void)error_set(&why, "%s: is sealed, and the segment before it is not: its footer is damaged", name);
		result = damaged(err, &why);
	} else {
		r->out->stored_bytes += r->file_bytes;
		r->out->last_seq = s.first_seq + s.record_count - 1;
		if (s.record_count > 0)
			r->last_sealed = number;
		result = s.clock_count > 0 && u64_vector_append(&r->with_clock, number) < 0 ? -ENOMEM : 1;
	}
	segment_release(&s);
	return result;
}

// ---- what the log says of its end

static int open_sealed(struct recovery *r, uint64_t number, char **ret_name, struct segment *ret, struct error *err)
{
	char *name = recover_name(r, number);
	int fd = name ? open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;

	if (fd >= 0 && segment_open(ret, fd, name, err) == 0) {
		*ret_name = name;
		return 0;
	}
	if (fd < 0)
		(void)error_set_errno(err, errno, "%s/segments: cannot open segment %" PRIu64, r->folder, number);
	else
		(void)close(fd);
	free(name);
	return -EIO;
}

static int read_last(const struct segment *s, const char *name, struct record *ret, struct error *err)
{
	struct segment_row row;

	return segment_read_rows(s, s->record_count - 1, 1, &row, name, err) < 0 || segment_read_record(s, &row, ret, name, err) < 0 ? -EBADMSG : 0;
}

static int find_last(struct recovery *r, struct error *err)
{
	struct segment s;
	char *name AUTO_FREE = NULL;

	for (size_t i = r->out->unsealed.count; i-- > 0;)
		if (r->out->unsealed.items[i].record_count > 0)
			return read_last(&r->out->unsealed.items[i], r->folder, &r->out->last, err);
	if (r->last_sealed == 0)
		return 0;
	if (open_sealed(r, r->last_sealed, &name, &s, err) < 0)
		return -EIO;
	int result = read_last(&s, name, &r->out->last, err);

	segment_release(&s);
	return result;
}

// 1: the boot of the last OPEN in this segment was found; 0: it has none.
static int find_boot_in(const struct segment *s, const char *name, char ret[CLOCK_BOOT_ID_BYTES], struct error *err)
{
	struct segment_row rows[256];

	for (uint64_t end = s->clock_count == 0 ? 0 : s->record_count, first; end > 0; end = first) {
		first = end > ARRAY_LENGTH(rows) ? end - ARRAY_LENGTH(rows) : 0;
		if (segment_read_rows(s, first, (size_t)(end - first), rows, name, err) < 0)
			return -EBADMSG;
		for (size_t i = (size_t)(end - first); i-- > 0;)
			if (rows[i].type == RECORD_OPEN && rows[i].length_bytes >= CLOCK_BOOT_ID_BYTES)
				return segment_read_content(s, &rows[i], 0, ret, CLOCK_BOOT_ID_BYTES, name, err) < 0 ? -EBADMSG : 1;
	}
	return 0;
}

static int find_boot(struct recovery *r, struct error *err)
{
	int found = 0;

	for (size_t i = r->out->unsealed.count; found == 0 && i-- > 0;)
		found = find_boot_in(&r->out->unsealed.items[i], r->folder, r->out->boot_id, err);
	for (size_t i = r->with_clock.count; found == 0 && i-- > 0;) {
		char *name AUTO_FREE = NULL;
		struct segment s;

		if (open_sealed(r, r->with_clock.items[i], &name, &s, err) < 0)
			return -EIO;
		found = find_boot_in(&s, name, r->out->boot_id, err);
		segment_release(&s);
	}
	return found < 0 ? found : 0;
}

int recover(const char *folder, const struct history_header *header, struct recovered *ret, struct writer_recovery *ret_recovery, struct error *err)
{
	struct recovery r = {.folder = folder, .header = header, .out = ret, .recovery = ret_recovery};
	char *segments AUTO_FREE = NULL;
	int result = asprintf(&segments, "%s/segments", folder) < 0 ? -ENOMEM : 0, fd AUTO_CLOSE = -1;

	memset(ret, 0, sizeof(*ret));
	memset(ret_recovery, 0, sizeof(*ret_recovery));
	if (result == 0 && (fd = open(segments, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		(void)error_set_errno(err, errno, "%s: cannot open", segments);
		result = -EIO;
	}
	r.segments_fd = fd;
	if (result == 0)
		result = count_segments(&r, err);
	if (result == 0)
		r.clean = recover_is_clean(&r);
	for (uint64_t number = 1; result == 0 && number <= r.segment_count; number++) {
		int step = walk_segment(&r, number, err);

		if (step < 0)
			result = step;
		if (step == 0) {
			result = recover_cut(&r, err);
			break;
		}
	}
	if (result == 0)
		result = find_last(&r, err);
	if (result == 0)
		result = find_boot(&r, err);
	u64_vector_release(&r.with_clock);
	ret_recovery->kept_seq = ret->last_seq;
	if (result < 0)
		recovered_release(ret);
	return result;
}
