// SPDX-License-Identifier: MIT
// provgraph disk export HISTORY TIME -o FILE: the whole disk at a moment as a raw image.
// provgraph disk export HISTORY --format dm-log-writes -o FILE: all its writes, for other programs.
#include "cmd/disk.h"

#include "base/fileio.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/vector.h"
#include "cmd/disk_ask.h"
#include "snapshots/exchange.h"
#include "snapshots/view.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define IMAGE_MODE 0600 /* whoever may read the image reads every file of the guest */
#define STEP_BYTES (1u << 20)
#define LOOK_BYTES (UINT64_C(1) << 30) /* of the disk, for one question about its extents */
#define HOLE_BYTES 4096

// Where the bytes go: a file that can have holes, or a stream that cannot.
struct sink {
	int fd;
	const char *name;
	bool stream;
	uint8_t *step;
};

struct piece {
	uint64_t offset, length;
};
VECTOR_DEFINE(piece_vector, struct piece)

static void on_progress(void *context, uint64_t done, uint64_t of)
{
	progress_share(context, "exporting", done, of);
}

// ---- an image

static bool is_zero(const uint8_t *bytes, size_t length)
{
	return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

// Leaves out what is zero: a file gets holes there.
static int write_at(const struct sink *sink, const uint8_t *bytes, size_t length, uint64_t offset, struct error *err)
{
	for (size_t done = 0; done < length;) {
		size_t end = done;

		while (done < length && is_zero(bytes + done, length - done < HOLE_BYTES ? length - done : HOLE_BYTES))
			done += HOLE_BYTES;
		if (done >= length)
			return 0;
		for (end = done; end < length && !is_zero(bytes + end, length - end < HOLE_BYTES ? length - end : HOLE_BYTES);)
			end += HOLE_BYTES;
		if (end > length)
			end = length;
		while (done < end) {
			ssize_t put = pwrite(sink->fd, bytes + done, end - done, (off_t)(offset + done));

			if (put < 0 && errno == EINTR)
				continue;
			if (put < 0)
				return error_set_errno(err, errno, "%s: cannot write", sink->name);
			done += (size_t)put;
		}
	}
	return 0;
}

static int copy_piece(struct view *view, const struct sink *sink, const struct piece *p, struct error *err)
{
	for (uint64_t done = 0; done < p->length;) {
		size_t step = p->length - done < STEP_BYTES ? (size_t)(p->length - done) : STEP_BYTES;

		if (view_read(view, p->offset + done, sink->step, step, err) < 0)
			return -1;
		if (sink->stream ? fileio_write_fd(sink->fd, sink->step, step, sink->name, err) < 0 :
				   write_at(sink, sink->step, step, p->offset + done, err) < 0)
			return -1;
		done += step;
	}
	return 0;
}

struct look {
	struct piece_vector data;
	uint64_t end; // how far the answer went
};

static int keep_data(void *context, uint64_t offset, uint64_t length, bool zero)
{
	struct look *look = context;

	look->end = offset + length;
	return zero ? 0 : piece_vector_append(&look->data, (struct piece){offset, length});
}

static int copy_disk(struct view *view, const struct sink *sink, struct progress *progress, struct error *err)
{
	uint64_t size = view_size_bytes(view), offset = 0;
	int result = 0;

	while (result == 0 && offset < size) {
		uint64_t length = size - offset < LOOK_BYTES ? size - offset : LOOK_BYTES;
		struct look look = {.end = offset + length};

		if (sink->stream)
			result = copy_piece(view, sink, &(struct piece){offset, length}, err);
		else
			result = view_extents(view, offset, length, keep_data, &look, err);
		for (size_t i = 0; result == 0 && i < look.data.count; i++) {
			result = copy_piece(view, sink, &look.data.items[i], err);
			progress_share(progress, "exporting", look.data.items[i].offset, size);
		}
		piece_vector_release(&look.data);
		offset = look.end;
		progress_share(progress, "exporting", offset, size);
	}
	if (result == 0 && !sink->stream && ftruncate(sink->fd, (off_t)size) < 0)
		result = error_set_errno(err, errno, "%s: cannot set its length", sink->name);
	return result;
}

static int open_view(const struct disk_options *o, struct views **ret_views, struct view **ret, struct error *err)
{
	struct history *h = NULL;
	uint64_t seq = 0;
	char name[48];
	int result = history_open(o->history, &h, err);

	if (result == 0)
		result = disk_moment(h, o->operands[0], o, &seq, err);
	if (result == 0 && !o->quiet) { // which of the states that TIME may mean it was
		struct buffer moment AUTO_RELEASE_BUFFER = {0};

		disk_ask_moment(&moment, o, h, seq);
		report_line("moment: %s", buffer_string(&moment));
	}
	history_free(h);
	if (result < 0 || views_open(o->history, o->zone, ret_views, err) < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%sseq:%" PRIu64, o->raw ? "raw:" : "", seq);
	return view_open(*ret_views, name, ret, err);
}

static int export_image(const struct disk_options *o, struct sink *sink, struct progress *progress, struct error *err)
{
	struct views *views = NULL;
	struct view *view = NULL;
	int result = open_view(o, &views, &view, err);

	if (result == 0) {
		struct disk_options loud = *o;

		loud.quiet = false; // an image that is not what was asked for is worth a line
		disk_ask_warn(&loud, view_warnings(view));
		result = copy_disk(view, sink, progress, err);
	}
	view_free(view);
	views_free(views);
	return result;
}

// ---- a write log

static int export_log(const struct disk_options *o, const struct sink *sink, struct progress *progress, struct error *err)
{
	struct exchange_counts counts;
	struct history_facts facts;
	struct history *h = NULL;
	int result = history_open(o->history, &h, err);

	if (result == 0)
		result = history_facts(h, &facts, err);
	if (result == 0)
		result = exchange_export(h, facts.last_seq, sink->fd, sink->name, &counts, on_progress, progress, err);
	if (result == 0 && facts.has_base)
		report_line("%s: holds the writes alone; what was on %s before is not in it", sink->name, facts.base_path);
	history_free(h);
	if (result < 0)
		return -1;
	if (counts.cut_marks > 0)
		report_line("%s: %" PRIu64 " marks were cut at 480 bytes", sink->name, counts.cut_marks);
	if (counts.steps_back > 0)
		report_line("%s: the clock was put back %" PRIu64 " times; disk import will refuse that", sink->name, counts.steps_back);
	return 0;
}

// ---- where to

static int check_options(const struct disk_options *o, struct error *err)
{
	bool log = o->format && strcmp(o->format, "dm-log-writes") == 0;
	struct stat status;

	if (o->format && !log && strcmp(o->format, "raw") != 0)
		return error_set(err, "--format %s: is not one of raw, dm-log-writes", o->format);
	if (!o->output)
		return error_set(err, "disk %s: where to? -o FILE", o->verb);
	if (log && o->operand_count > 0)
		return error_set(err, "disk export: a log of all writes has no TIME; leave out %s", o->operands[0]);
	if (log && o->raw)
		return error_set(err, "disk export: --raw belongs to an image");
	if (!log && o->operand_count == 0)
		return error_set(err, "disk export: which moment? provgraph disk export %s TIME -o FILE", o->history);
	if (strcmp(o->output, "-") != 0)
		return 0;
	if (log)
		return error_set(err, "disk export: a log of all writes goes to a file, not to standard output");
	if (fstat(STDOUT_FILENO, &status) == 0 && S_ISCHR(status.st_mode) && isatty(STDOUT_FILENO))
		return error_set(err, "disk %s: a terminal cannot take an image; -o FILE, or a pipe", o->verb);
	return 0;
}

static int export(const struct disk_options *o, struct sink *sink, struct progress *progress, struct error *err)
{
	struct fileio_draft draft;

	if (strcmp(o->output, "-") == 0) {
		*sink = (struct sink){.fd = STDOUT_FILENO, .name = "standard output", .stream = true, .step = sink->step};
		return export_image(o, sink, progress, err);
	}
	if (fileio_draft_begin(&draft, o->output, IMAGE_MODE, o->force, err) < 0)
		return -1;
	sink->fd = draft.fd;
	sink->name = o->output;
	if ((o->format && strcmp(o->format, "raw") != 0 ? export_log(o, sink, progress, err) : export_image(o, sink, progress, err)) < 0) {
		fileio_draft_abandon(&draft);
		return -1;
	}
	return fileio_draft_finish(&draft, err);
}

int disk_export(const struct disk_options *o)
{
	struct sink sink = {.step = malloc(STEP_BYTES)};
	struct progress progress;
	struct error err;
	int result = sink.step ? check_options(o, &err) : error_set(&err, "out of memory");

	if (result == 0) {
		progress_begin(&progress, o->quiet);
		result = export(o, &sink, &progress, &err);
		progress_end(&progress);
	}
	free(sink.step);
	if (result < 0)
		report_error(&err);
	return result < 0 ? STATUS_ERROR : STATUS_WRITTEN;
}
