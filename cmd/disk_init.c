// SPDX-License-Identifier: MIT
// provgraph disk init HISTORY --size N|--base IMAGE
#include "cmd/disk.h"

#include "base/buffer.h"
#include "base/text.h"
#include "snapshots/history.h"

#include <string.h>

#define SECTOR 512

static int make_plan(const struct disk_options *o, struct history_plan *plan, struct error *err)
{
	if (!o->size && !o->base)
		return error_set(err, "disk init: how large is the disk? --size SIZE, or --base IMAGE for the image it starts from");
	if (o->partition >= 0)
		return error_set(err, "disk init: a history's name may not end in :NUMBER, which names a partition");
	plan->base_path = o->base;
	if (o->size && disk_parse_size("size", o->size, &plan->size_bytes, err) < 0)
		return -1;
	if (plan->size_bytes % SECTOR != 0)
		return error_set(err, "--size %s: is no multiple of %d bytes", o->size, SECTOR);
	return o->segment_size ? disk_parse_size("segment-size", o->segment_size, &plan->segment_bytes, err) : 0;
}

static void say_next(const struct disk_options *o)
{
	struct buffer line = {0};

	buffer_add_string(&line, "record with: provgraph disk serve ");
	text_shell(&line, o->history, strlen(o->history), NULL);
	buffer_add_string(&line, " --socket SOCKET");
	report_line("%s", buffer_string(&line));
	buffer_release(&line);
}

int disk_init(const struct disk_options *o)
{
	struct history_plan plan = {0};
	struct error err;

	if (make_plan(o, &plan, &err) < 0 || history_init(o->history, &plan, &err) < 0) {
		report_error(&err);
		return STATUS_ERROR;
	}
	if (!o->quiet)
		say_next(o);
	return STATUS_WRITTEN;
}
