// SPDX-License-Identifier: MIT
// provgraph disk views HISTORY --socket S: every past moment as an export of its own, read only.
#include "cmd/disk.h"

#include "base/memory.h"
#include "base/text.h"
#include "cmd/nbdkit.h"
#include "snapshots/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add_example(struct buffer *out, const char *command, const char *moment, const char *socket, const char *more)
{
	struct buffer uri AUTO_RELEASE_BUFFER = {0};

	nbdkit_uri(&uri, moment, socket);
	buffer_printf(out, "  %s ", command);
	text_shell(out, buffer_string(&uri), uri.length, NULL);
	buffer_printf(out, "%s\n", more);
}

// With the newest moment as the example, since it is sure to exist.
static int add_examples(struct buffer *out, const char *folder, const char *socket, struct error *err)
{
	struct history *h;
	struct history_facts facts;
	char number[40], raw[48], time[48];

	if (history_open(folder, &h, err) < 0)
		return -1;
	int result = history_facts(h, &facts, err);

	history_free(h);
	if (result < 0)
		return -1;
	(void)snprintf(number, sizeof(number), "seq:%" PRIu64, facts.last_seq);
	(void)snprintf(raw, sizeof(raw), "raw:%s", number);
	(void)snprintf(time, sizeof(time), "@%" PRIu64 ".%09u", facts.last_ns / NANOTIME_SECOND, (unsigned)(facts.last_ns % NANOTIME_SECOND));
	buffer_add_string(out, "Any moment is an export, read only, as:\n");
	add_example(out, "nbdinfo", facts.last_seq > 0 ? time : number, socket, "");
	add_example(out, "qemu-img convert -O qcow2", number, socket, " moment.qcow2");
	add_example(out, "nbdfuse FOLDER", raw, socket, "     (without journal replay)");
	return buffer_check(out, err);
}

static int make_plan(const struct disk_options *o, struct nbdkit_plan *plan, struct error *err)
{
	char *folder AUTO_FREE = realpath(o->history, NULL);

	if (!o->socket)
		return error_set(err, "disk views: where to listen? --socket SOCKET");
	if (!folder)
		return error_set_errno(err, errno, "%s", o->history);
	if (nbdkit_plan_add(plan, "history", folder, err) < 0 || nbdkit_plan_add(plan, "mode", "views", err) < 0)
		return -1;
	return nbdkit_plan_add(plan, "tz", o->zone.utc ? "UTC" : o->zone.name, err);
}

int disk_views(const struct disk_options *o)
{
	struct nbdkit_plan plan = {.group = o->socket_group};
	struct buffer socket AUTO_RELEASE_BUFFER = {0}, announce AUTO_RELEASE_BUFFER = {0};
	struct error err;
	int result = -1;

	if (make_plan(o, &plan, &err) == 0 && nbdkit_socket_name(o->socket, &socket, &err) == 0 &&
	    add_examples(&announce, o->history, buffer_string(&socket), &err) == 0) {
		plan.socket = buffer_string(&socket);
		result = nbdkit_run(&plan, &announce, &err);
	}
	nbdkit_plan_release(&plan);
	if (result < 0)
		report_error(&err);
	return result < 0 ? STATUS_ERROR : STATUS_WRITTEN;
}
