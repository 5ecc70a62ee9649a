// SPDX-License-Identifier: MIT
#include "snapshots/segment_compress.h"

#include "base/fileio.h"
#include "base/memory.h"
#include "snapshots/codec.h"
#include "snapshots/segment_cursor.h"
#include "snapshots/segment_format.h"
#include "snapshots/table_cover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEAST_BYTES 128u               // stored contents below gain nothing
#define OUTPUT_BYTES ((size_t)1 << 20) // written at once
#define COMPARE_BYTES ((size_t)1 << 20)
#define COMPARE_ROWS 256u

struct rewrite {
	const struct segment *from;
	struct segment to;
	const char *name;      // of the old file, for messages
	struct buffer output;  // bytes up to to.records_end that are not in the file yet
	struct buffer content; // of one record
	struct buffer stored;
	segment_compress_stop *stop;
	void *context;
};

static void rewrite_release(struct rewrite *w)
{
	buffer_release(&w->output);
	buffer_release(&w->content);
	buffer_release(&w->stored);
}

static int write_output(struct rewrite *w, struct error *err)
{
	if (buffer_check(&w->output, err) < 0 || fileio_write_fd(w->to.fd, w->output.bytes, w->output.length, w->name, err) < 0)
		return -1;
	// Writeback starts at once, so that few dirty pages pile up before the sync.
	(void)sync_file_range(w->to.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	buffer_clear(&w->output);
	return 0;
}

// Large buffers for a rare large request are given back at once.
static void shrink(struct buffer *b)
{
	if (b->capacity > 8 * OUTPUT_BYTES)
		buffer_release(b);
	else
		buffer_clear(b);
}

// The uncompressed content of a WRITE.
static int unpack(struct rewrite *w, const struct record *r, const uint8_t *stored, struct error *err)
{
	static const uint8_t zeros[4096];

	shrink(&w->content);
	if (r->codec == RECORD_RAW) {
		buffer_add(&w->content, stored, r->stored_bytes);
		while (w->content.length < r->length_bytes && !w->content.failed) {
			size_t missing = (size_t)r->length_bytes - w->content.length;
			buffer_add(&w->content, zeros, missing < sizeof(zeros) ? missing : sizeof(zeros));
		}
		return buffer_check(&w->content, err);
	}
	buffer_clear(&w->content);
	for (uint64_t at = 0; at < r->length_bytes; at += CODEC_CHUNK_BYTES) {
		uint8_t chunk[CODEC_CHUNK_BYTES];
		size_t length = r->length_bytes - at < sizeof(chunk) ? (size_t)(r->length_bytes - at) : sizeof(chunk);
		if (codec_decode(r->codec, stored, r->stored_bytes, r->length_bytes, at, chunk, length, err) < 0)
			return -1;
		buffer_add(&w->content, chunk, length);
	}
	return buffer_check(&w->content, err);
}

// The record goes out as it is, or with its content compressed when that is shorter.
static int copy_record(struct rewrite *w, struct record r, const uint8_t *stored, struct error *err)
{
	static const uint8_t padding[8];
	uint8_t header[RECORD_HEADER_BYTES];

	if (r.type == RECORD_WRITE && r.codec != RECORD_ZSTD && r.stored_bytes >= LEAST_BYTES) {
		if (unpack(w, &r, stored, err) < 0)
			return -1;
		shrink(&w->stored);
		enum record_codec codec = codec_encode(RECORD_ZSTD, w->content.bytes, w->content.length, &w->stored);
		if (buffer_check(&w->stored, err) < 0)
			return -1;
		if (w->stored.length < r.stored_bytes) {
			r.codec = (uint8_t)codec;
			r.stored_bytes = (uint32_t)w->stored.length;
			stored = (const uint8_t *)w->stored.bytes;
		}
	}
	if (segment_reserve_row(&w->to, err) < 0)
		return -1;
	record_encode(&r, stored, header);
	buffer_add(&w->output, header, sizeof(header));
	buffer_add(&w->output, stored, r.stored_bytes);
	buffer_add(&w->output, padding, (size_t)(record_total_bytes(&r) - sizeof(header) - r.stored_bytes));
	segment_add_row(&w->to, &r);
	return w->output.length >= OUTPUT_BYTES ? write_output(w, err) : buffer_check(&w->output, err);
}

static int copy_records(struct rewrite *w, struct error *err)
{
	struct segment_cursor cursor;
	const uint8_t *header, *stored;
	struct record r;
	enum segment_step step;
	int result = 0;

	segment_cursor_init(&cursor, w->from->fd, w->name, SEGMENT_HEADER_BYTES, w->from->records_end);
	while (result == 0 && (step = segment_cursor_next(&cursor, &r, &header, &stored, err)) == SEGMENT_STEP_RECORD) {
		if (r.seq != w->from->first_seq + w->to.record_count)
			result = error_set(err, "%s: byte %llu: another seq than the one that follows", w->name, (unsigned long long)cursor.position);
		else if (w->stop && w->stop(w->context))
			result = 1;
		else
			result = copy_record(w, r, stored, err);
	}
	segment_cursor_release(&cursor);
	if (result != 0)
		return result;
	if (step != SEGMENT_STEP_END)
		return -1;
	if (w->to.record_count != w->from->record_count)
		return error_set(err, "%s: holds another number of records than its footer says", w->name);
	return write_output(w, err);
}

static int write_new(struct rewrite *w, struct error *err)
{
	uint8_t header[SEGMENT_HEADER_BYTES];

	memcpy(w->to.uuid, w->from->uuid, sizeof(w->to.uuid));
	w->to.number = w->from->number;
	w->to.first_seq = w->from->first_seq;
	segment_start(&w->to);
	segment_format_header(w->to.number, w->to.first_seq, w->to.uuid, header);
	buffer_add(&w->output, header, sizeof(header));
	int result = copy_records(w, err);
	if (result != 0)
		return result;
	w->to.compressed = true;
	// The records first, as in any sealed segment: a footer vouches for them.
	if (fdatasync(w->to.fd) < 0)
		return error_set_errno(err, errno, "%s: cannot write its compressed form", w->name);
	return segment_seal(&w->to, w->name, err);
}

// ---- comparing

static bool same_row(const struct segment_row *a, const struct segment_row *b)
{
	return a->realtime_ns == b->realtime_ns && a->offset_bytes == b->offset_bytes && a->length_bytes == b->length_bytes && a->flags == b->flags &&
	       a->type == b->type;
}

static int same_content(const struct rewrite *w, const struct segment_row *old, const struct segment_row *new, uint8_t *bytes, struct error *err)
{
	if (old->type == RECORD_ZERO || old->type == RECORD_TRIM)
		return 0;
	for (uint64_t at = 0; at < old->length_bytes; at += COMPARE_BYTES) {
		size_t length = old->length_bytes - at < COMPARE_BYTES ? (size_t)(old->length_bytes - at) : COMPARE_BYTES;
		if (segment_read_content(w->from, old, at, bytes, length, w->name, err) < 0 ||
		    segment_read_content(&w->to, new, at, bytes + COMPARE_BYTES, length, w->name, err) < 0)
			return -1;
		if (memcmp(bytes, bytes + COMPARE_BYTES, length) != 0)
			return error_set(err, "%s: byte %llu: reads back differently when compressed", w->name, (unsigned long long)old->position);
	}
	return 0;
}

static int compare(const struct rewrite *w, struct error *err)
{
	uint8_t *bytes AUTO_FREE = malloc(2 * COMPARE_BYTES);
	struct segment_row *rows AUTO_FREE = malloc(2 * COMPARE_ROWS * sizeof(*rows));
	int result = 0;

	if (!bytes || !rows)
		return error_set(err, "out of memory");
	for (uint64_t at = 0; at < w->from->record_count && result == 0; at += COMPARE_ROWS) {
		size_t count = w->from->record_count - at < COMPARE_ROWS ? (size_t)(w->from->record_count - at) : COMPARE_ROWS;
		if (segment_read_rows(w->from, at, count, rows, w->name, err) < 0 ||
		    segment_read_rows(&w->to, at, count, rows + COMPARE_ROWS, w->name, err) < 0)
			return -1;
		for (size_t i = 0; i < count && result == 0; i++) {
			if (!same_row(&rows[i], &rows[COMPARE_ROWS + i]))
				result = error_set(err, "%s: the request table differs when compressed", w->name);
			else
				result = same_content(w, &rows[i], &rows[COMPARE_ROWS + i], bytes, err);
			if (result == 0 && w->stop && w->stop(w->context))
				result = 1;
		}
	}
	return result;
}

// ---- one segment

static int sync_folder(const char *folder, struct error *err)
{
	char *path AUTO_FREE = NULL;

	if (asprintf(&path, "%s/segments", folder) < 0) {
		path = NULL;
		return error_set(err, "out of memory");
	}
	int fd AUTO_CLOSE = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? error_set_errno(err, errno, "%s: cannot sync", path) : 0;
}

static int replace(struct rewrite *w, const char *folder, struct error *err)
{
	char *temporary AUTO_FREE = NULL;
	struct stat status;

	w->to.fd = table_create_temporary(folder, &temporary, err);
	if (w->to.fd < 0)
		return -1;
	int result = 0;
	if (fstat(w->from->fd, &status) < 0 || fchmod(w->to.fd, status.st_mode & 0777) < 0)
		result = error_set_errno(err, errno, "%s: cannot give its compressed form the same mode", w->name);
	if (result == 0)
		result = write_new(w, err);
	if (result == 0)
		result = compare(w, err);
	if (result == 0 && rename(temporary, w->name) < 0)
		result = error_set_errno(err, errno, "%s: cannot be replaced by its compressed form", w->name);
	if (result != 0) {
		(void)unlink(temporary);
		segment_release(&w->to);
		return result;
	}
	// Renamed or not after a crash: both files are whole. So a failure here is told, and nothing is taken back.
	if (sync_folder(folder, err) < 0) {
		segment_release(&w->to);
		return -1;
	}
	return 0;
}

int segment_compress(const char *folder, uint64_t number, segment_compress_stop *stop, void *context, struct segment *ret, struct error *err)
{
	char *name AUTO_FREE = NULL;
	struct segment from;

	if (asprintf(&name, "%s/segments/%08llu.segment", folder, (unsigned long long)number) < 0) {
		name = NULL;
		return error_set(err, "out of memory");
	}
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return error_set_errno(err, errno, "%s: cannot open", name);
	if (segment_open(&from, fd, name, err) < 0) {
		(void)close(fd);
		return -1;
	}
	int result = 1;
	if (from.sealed && !from.compressed) {
		struct rewrite w = {.from = &from, .to = {.fd = -1}, .name = name, .stop = stop, .context = context};
		result = replace(&w, folder, err);
		rewrite_release(&w);
		if (result == 0)
			*ret = w.to;
	}
	segment_release(&from);
	return result;
}
