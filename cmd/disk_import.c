// SPDX-License-Identifier: MIT
// provgraph disk import HISTORY FILE: the writes that dm-log-writes, QEMU's blklogwrites or another history's export logged.
#include "cmd/disk.h"

#include "base/buffer.h"
#include "base/fileio.h"
#include "base/memory.h"
#include "base/text.h"
#include "snapshots/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

struct log_file {
	int fd;
	const char *name;
};

static int read_log(void *context, uint64_t offset, void *bytes, size_t length, size_t *ret_read, struct error *err)
{
	const struct log_file *file = context;

	return fileio_pread(file->fd, bytes, length, offset, ret_read, file->name, err);
}

static void on_progress(void *context, uint64_t done, uint64_t of)
{
	progress_share(context, "importing", done, of);
}

// Only into a history without writes; *ret_least_ns: nothing may be imported that is earlier than what is in it.
static int check_history(const struct disk_options *o, uint64_t *ret_least_ns, struct error *err)
{
	struct history *h;
	struct history_facts facts;

	if (history_open(o->history, &h, err) < 0)
		return -1;
	int result = history_facts(h, &facts, err);

	for (uint64_t seq = 1; result == 0 && seq <= facts.last_seq; seq++) {
		struct segment_row row;

		result = history_row(h, seq, &row, err);
		if (result == 0 && row.type >= RECORD_WRITE && row.type <= RECORD_TRIM)
			result = error_set(err, "%s: has writes already (the first is seq:%" PRIu64 "); a log is imported into a new history",
					   o->history, seq);
	}
	history_free(h);
	if (result == 0)
		*ret_least_ns = facts.last_seq > 0 ? facts.last_ns : 0;
	return result;
}

static void say_result(const struct disk_options *o, const struct exchange_counts *c)
{
	struct buffer line AUTO_RELEASE_BUFFER = {0};

	buffer_printf(&line, "%s: ", o->history);
	text_count(&line, c->writes);
	buffer_add_string(&line, " writes (");
	text_size(&line, c->bytes);
	buffer_add_string(&line, "), ");
	text_count(&line, c->discards);
	buffer_add_string(&line, " discards, ");
	text_count(&line, c->flushes);
	buffer_add_string(&line, " flushes");
	if (c->first_ns != NANOTIME_NONE) {
		buffer_add_string(&line, " from ");
		nanotime_format(&line, c->first_ns, NANOTIME_FULL, o->zone);
		buffer_add_string(&line, " to ");
		nanotime_format(&line, c->last_ns, NANOTIME_FULL, o->zone);
	}
	report_line("%s", buffer_string(&line));
}

static int import(const struct disk_options *o, struct exchange_reader *reader, uint64_t start_ns, uint64_t least_ns,
		  struct exchange_counts *counts, struct error *err)
{
	const struct writer_options options = {.imported = true, .compress = WRITER_COMPRESS_COLD};
	struct writer_recovery recovery = {0};
	struct writer *writer;
	struct progress progress;
	struct error later;

	if (writer_open(o->history, &options, &writer, &recovery, err) < 0)
		return -1;
	progress_begin(&progress, o->quiet);
	int result = exchange_import(reader, writer, start_ns, least_ns, counts, on_progress, &progress, err);

	progress_end(&progress);
	if (writer_close(writer, result < 0 ? &later : err) < 0)
		result = -1;
	return result;
}

int disk_import(const struct disk_options *o)
{
	struct exchange_reader *reader AUTO_FREE = malloc(sizeof(*reader));
	struct exchange_counts counts;
	struct log_file file = {.fd = -1, .name = o->operands[0]};
	uint64_t start_ns = EXCHANGE_NO_START, least_ns = 0;
	struct error err;
	int result = reader ? 0 : error_set(&err, "out of memory");

	if (result == 0 && o->start)
		result = nanotime_parse(o->start, o->zone, o->now_ns, &start_ns, NULL, &err);
	if (result == 0)
		result = check_history(o, &least_ns, &err);
	if (result == 0 && (file.fd = open(file.name, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
		result = error_set_errno(&err, errno, "%s: cannot open", file.name);
	if (result == 0)
		result = exchange_open(reader, read_log, &file, file.name, &err);
	if (result == 0)
		result = import(o, reader, start_ns, least_ns, &counts, &err);
	if (file.fd >= 0)
		(void)close(file.fd);
	if (result < 0)
		report_error(&err);
	else if (!o->quiet)
		say_result(o, &counts);
	return result < 0 ? STATUS_ERROR : STATUS_WRITTEN;
}
