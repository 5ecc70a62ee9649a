// SPDX-License-Identifier: MIT
#include "cmd/disk_ask.h"

#include "base/text.h"
#include "cmd/report.h"
#include "snapshots/history.h"

#include <inttypes.h>
#include <string.h>

static int choose_file(const struct disk_options *o, bool root_else, struct fsread_question *q, struct error *err)
{
	const char *path = o->operand_count > 1 ? o->operands[1] : o->path;
	bool by_inode = o->has_inode || o->inode != 0;

	if ((o->operand_count > 1) + (o->path != NULL) + by_inode > 1)
		return error_set(err, "disk %s: a path and an inode, or two paths: which?", o->verb);
	if (!path && !by_inode && !root_else)
		return error_set(err, "disk %s: which file? Give its path or --inode N", o->verb);
	if (!path && !by_inode)
		path = "/";
	if (path && strlen(path) > 4096)
		return error_set(err, "disk %s: the path is longer than 4096 bytes", o->verb);
	q->path = path;
	q->path_length = path ? strlen(path) : 0;
	q->inode = o->inode;
	return 0;
}

int disk_ask(const struct disk_options *o, bool root_else, struct history **ret_history, struct fsread_question *ret, struct error *err)
{
	struct fsread_question q = {.history = o->history, .partition = o->partition, .raw = o->raw};
	struct history *h;

	if (o->operand_count == 0)
		return error_set(err, "disk %s: at which TIME?", o->verb);
	if (choose_file(o, root_else, &q, err) < 0 || history_open(o->history, &h, err) < 0)
		return -1;
	if (disk_moment(h, o->operands[0], o, &q.to_seq, err) < 0) {
		history_free(h);
		return -1;
	}
	// Between two records nothing changes on the disk, but files are born.
	if (strncmp(o->operands[0], "seq:", 4) != 0 && disk_time(o->operands[0], o, true, &q.time_ns, err) < 0)
		q.time_ns = 0;
	*ret_history = h;
	*ret = q;
	return 0;
}

void disk_ask_warn(const struct disk_options *o, const struct buffer *warnings)
{
	const char *at = buffer_string(warnings);

	while (*at && !o->quiet) {
		int length = (int)strcspn(at, "\n");

		report_line("%.*s", length, at);
		at += length;
		at += *at == '\n';
	}
}

void disk_ask_moment(struct buffer *out, const struct disk_options *o, struct history *h, uint64_t seq)
{
	uint64_t ns;

	if (seq == 0 || history_time_of(h, seq, &ns, NULL) < 0 || ns == NANOTIME_NONE) {
		buffer_add_string(out, "before the first record");
		return;
	}
	nanotime_format(out, ns, NANOTIME_FULL, o->zone);
	buffer_printf(out, " (seq:%" PRIu64 ")", seq);
}

void disk_ask_time(struct buffer *out, struct history *h, uint64_t ns, uint64_t seq)
{
	uint64_t there;

	if (history_moment(h, ns, &there, NULL) < 0 || there < seq)
		buffer_printf(out, "seq:%" PRIu64, seq);
	else
		buffer_printf(out, "@%" PRIu64 ".%09" PRIu64, ns / NANOTIME_SECOND, ns % NANOTIME_SECOND);
}
