// SPDX-License-Identifier: MIT
#include "snapshots/log_lines.h"

#include "base/fileio.h"
#include "snapshots/fsread.h"
#include "snapshots/line_table.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WRITE_BYTES ((size_t)1 << 20)

struct taking {
	struct log_lines *lines;
	uint64_t from_seq, to_seq; // that were asked for
	struct buffer waiting; // bytes that are not in the spool yet
	bool anew;             // once
};

static int spool(struct taking *t, size_t least, struct error *err)
{
	if (t->waiting.length < least)
		return 0;
	if (buffer_check(&t->waiting, err) < 0 || fileio_write_fd(t->lines->fd, t->waiting.bytes, t->waiting.length, "temporary file", err) < 0)
		return -1;
	buffer_clear(&t->waiting);
	return 0;
}

static int lies(struct error *err)
{
	return error_set(err, "provgraph-fsread: sent a line of a log that cannot be");
}

static bool is_asked(const struct taking *t, uint64_t seq)
{
	return seq >= t->from_seq && seq <= t->to_seq;
}

static int take_came(struct taking *t, struct wire_reader *r, struct error *err)
{
	struct log_line line = {.seq = wire_get_u64(r)};

	line.arrival_ns = wire_get_u64(r);
	line.inode = wire_get_u64(r);
	if (!r->failed && !is_asked(t, line.seq))
		return lies(err);
	while (!r->failed && r->at < r->end) {
		uint64_t offset = wire_get_u64(r);
		size_t length;
		const uint8_t *bytes = wire_get_bytes(r, &length);

		if (r->failed)
			break;
		if (length == 0 || length > LINE_TABLE_LINE_BYTES || memchr(bytes, '\n', length) || memchr(bytes, '\0', length) ||
		    t->lines->lines.count >= LINE_TABLE_MAX_LINES)
			return lies(err);
		line.at = t->lines->length;
		line.length = (uint32_t)length;
		line.complete = offset & 1;
		line.mixed = offset & 2;
		line.offset = offset >> 2;
		buffer_add(&t->waiting, bytes, length);
		buffer_add_byte(&t->waiting, '\n');
		t->lines->length += length + 1;
		if (log_line_vector_append(&t->lines->lines, line) < 0)
			return error_set(err, "out of memory");
		if (spool(t, WRITE_BYTES, err) < 0)
			return -1;
	}
	return wire_end(r, "lines of a log", err);
}

static int take_went(struct taking *t, struct wire_reader *r, struct error *err)
{
	while (!r->failed && r->at < r->end) {
		uint64_t index = wire_get_u64(r), seq = wire_get_u64(r), ns = wire_get_u64(r), change = wire_get_u64(r);

		if (r->failed || index >= t->lines->lines.count)
			return error_set(err, "provgraph-fsread: it tells the end of a line that it never sent");
		if (!is_asked(t, seq) || seq < t->lines->lines.items[index].seq)
			return lies(err);
		t->lines->lines.items[index].gone_seq = seq;
		t->lines->lines.items[index].gone_ns = ns;
		t->lines->lines.items[index].gone_change = (unsigned)change;
	}
	return wire_end(r, "lines of a log", err);
}

// The reader found that it had to read more (fs_cursor.h).
static int take_anew(struct taking *t, struct wire_reader *r, struct error *err)
{
	if (t->anew)
		return error_set(err, "provgraph-fsread: it begins the lines of a log a third time");
	t->anew = true;
	if (ftruncate(t->lines->fd, 0) < 0 || lseek(t->lines->fd, 0, SEEK_SET) < 0)
		return error_set_errno(err, errno, "temporary file: cannot be emptied");
	buffer_clear(&t->waiting);
	t->lines->lines.count = 0;
	t->lines->length = 0;
	return wire_end(r, "lines of a log", err);
}

static int on_frame(void *context, uint32_t type, const void *payload, size_t length, struct error *err)
{
	struct wire_reader r = wire_read(payload, length);
	uint64_t kind = wire_get_u64(&r);

	if (type != FSREAD_FRAME_LINE || kind < LINE_FRAME_CAME || kind > LINE_FRAME_ANEW)
		return error_set(err, "provgraph-fsread: sent a frame of kind %u that nobody asked for", type);
	if (kind == LINE_FRAME_ANEW)
		return take_anew(context, &r, err);
	return kind == LINE_FRAME_CAME ? take_came(context, &r, err) : take_went(context, &r, err);
}

static int map_spool(struct log_lines *l, struct error *err)
{
	if (l->length == 0)
		return 0;
	void *bytes = mmap(NULL, l->length, PROT_READ, MAP_PRIVATE, l->fd, 0);

	if (bytes == MAP_FAILED)
		return error_set_errno(err, errno, "temporary file: cannot be mapped");
	l->bytes = bytes;
	return 0;
}

int log_lines_read(const struct timeline_file *file, uint64_t from_seq, uint64_t to_seq, struct log_lines *ret, struct error *err)
{
	struct fsread_question q = {.job = FSREAD_LINES, .history = file->history, .partition = file->partition, .from_seq = from_seq, .to_seq = to_seq,
				    .path = file->path, .path_length = file->path_length, .inode = file->inode};
	struct log_lines lines = {.fd = -1};
	struct taking t = {.lines = &lines, .from_seq = from_seq, .to_seq = to_seq};
	struct fsread_answer answer = {0};
	int result = lines.fd = fileio_temporary(err);

	if (result >= 0)
		result = fsread_ask(&q, on_frame, &t, &answer, err);
	if (file->warnings && answer.warnings.length > 0)
		buffer_add(file->warnings, answer.warnings.bytes, answer.warnings.length);
	if (result == 0)
		result = spool(&t, 1, err) < 0 ? -1 : map_spool(&lines, err);
	else if (answer.failure == FSREAD_NO_SUCH_FILE)
		result = 1;
	if (result == 0)
		*ret = lines;
	else
		log_lines_free(&lines);
	buffer_release(&t.waiting);
	buffer_release(&answer.warnings);
	return result;
}

void log_lines_free(struct log_lines *l)
{
	if (l->bytes)
		(void)munmap((void *)(uintptr_t)l->bytes, l->length);
	if (l->fd >= 0)
		(void)close(l->fd);
	log_line_vector_release(&l->lines);
	*l = (struct log_lines){.fd = -1};
}
