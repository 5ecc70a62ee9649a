// SPDX-License-Identifier: MIT
// provgraph disk serve HISTORY --socket S: the live disk of one virtual machine.
#include "cmd/disk.h"

#include "base/memory.h"
#include "base/text.h"
#include "cmd/nbdkit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int check_word(const char *option, const char *value, const char *const *words, struct error *err)
{
	struct buffer list AUTO_RELEASE_BUFFER = {0};

	for (size_t i = 0; value && words[i]; i++) {
		if (strcmp(value, words[i]) == 0)
			return 0;
		buffer_printf(&list, "%s%s", i ? ", " : "", words[i]);
	}
	return value ? error_set(err, "--%s %s: is not one of %s", option, value, buffer_string(&list)) : 0;
}

static int check_options(const struct disk_options *o, struct error *err)
{
	static const char *const sync_modes[] = {"staged", "direct", NULL}, *const codecs[] = {"raw", "lz4", NULL},
				 *const moments[] = {"cold", "now", "never", NULL};

	if (!o->socket)
		return error_set(err, "disk %s: where to listen? --socket SOCKET", o->verb);
	if (check_word("sync", o->sync, sync_modes, err) < 0 || check_word("inline", o->inline_codec, codecs, err) < 0)
		return -1;
	return check_word("compress", o->compress, moments, err);
}

// What the user types to give the disk to a virtual machine. nbd+unix URIs hold no comma, which -drive would take for its own.
static void add_attachment(struct buffer *out, const char *socket)
{
	struct buffer drive AUTO_RELEASE_BUFFER = {0};

	buffer_add_string(&drive, "file=");
	nbdkit_uri(&drive, "", socket);
	buffer_add_string(&drive, ",format=raw,if=virtio,discard=unmap");
	buffer_add_string(out, "QEMU:\n  -drive ");
	text_shell(out, buffer_string(&drive), drive.length, NULL);
	buffer_add_string(out, "\nlibvirt:\n"
			       "  <disk type='network' device='disk'>\n"
			       "    <driver name='qemu' type='raw' discard='unmap'/>\n"
			       "    <source protocol='nbd'>\n"
			       "      <host transport='unix' socket='");
	text_xml(out, socket, strlen(socket));
	buffer_add_string(out, "'/>\n"
			       "    </source>\n"
			       "    <target dev='vda' bus='virtio'/>\n"
			       "  </disk>\n");
}

static int make_plan(const struct disk_options *o, struct nbdkit_plan *plan, struct error *err)
{
	char *folder AUTO_FREE = realpath(o->history, NULL), size[24] = "";
	uint64_t max_bytes = 0;

	if (!folder)
		return error_set_errno(err, errno, "%s", o->history);
	if (o->max_size && disk_parse_size("max-size", o->max_size, &max_bytes, err) < 0)
		return -1;
	if (max_bytes)
		(void)snprintf(size, sizeof(size), "%" PRIu64, max_bytes);
	if (nbdkit_plan_add(plan, "history", folder, err) < 0 || nbdkit_plan_add(plan, "mode", "live", err) < 0 ||
	    nbdkit_plan_add(plan, "sync", o->sync, err) < 0 || nbdkit_plan_add(plan, "inline", o->inline_codec, err) < 0 ||
	    nbdkit_plan_add(plan, "compress", o->compress, err) < 0)
		return -1;
	return nbdkit_plan_add(plan, "max-size", size, err);
}

int disk_serve(const struct disk_options *o)
{
	struct nbdkit_plan plan = {.group = o->socket_group};
	struct buffer socket AUTO_RELEASE_BUFFER = {0}, announce AUTO_RELEASE_BUFFER = {0};
	struct error err;
	int result = -1;

	if (check_options(o, &err) == 0 && nbdkit_socket_name(o->socket, &socket, &err) == 0 && make_plan(o, &plan, &err) == 0) {
		plan.socket = buffer_string(&socket);
		add_attachment(&announce, plan.socket);
		result = buffer_check(&announce, &err) < 0 ? -1 : nbdkit_run(&plan, &announce, &err);
	}
	nbdkit_plan_release(&plan);
	if (result < 0)
		report_error(&err);
	if (result == NBDKIT_DAMAGED)
		return STATUS_INTEGRITY;
	return result < 0 ? STATUS_ERROR : STATUS_WRITTEN;
}
