// SPDX-License-Identifier: MIT
// The door to nbdkit (its only home): the live disk, or views of the past. Nothing here prints or ends the process; what goes wrong is
// told by nbdkit_error() with bytes made visible, since export names and logs of guests are chosen by others.
//
//     mode=live     one export, the empty name: reads and writes through snapshots/writer.h
//     mode=views    an export for each moment, read only: snapshots/view.h
#include "base/memory.h"
#include "base/text.h"
#include "snapshots/view.h"
#include "snapshots/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

#define MINIMUM_BLOCK 512u
#define PREFERRED_BLOCK 4096u
#define MAXIMUM_BLOCK (32u << 20) /* what clients take for granted: NBD's doc/proto.md, "block size constraints" */

static struct {
	char *folder, *zone_name;
	enum { MODE_NONE, MODE_LIVE, MODE_VIEWS } mode;
	struct writer_options options;
	struct timezone_choice zone;
	int closed_fd; // told with one byte how it ended: 'c' closed whole, 'd' the history is damaged; -1: nobody wants to know
	struct writer *writer;
	struct views *views;
} plugin = {.closed_fd = -1};

static void complain(const char *message)
{
	struct buffer visible AUTO_RELEASE_BUFFER = {0};

	text_visible(&visible, message, strlen(message));
	nbdkit_error("%s", buffer_string(&visible));
}

// A guest on a full disk tries again and again: what is said once is not said again until something else was.
static void complain_once(const char *message)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct error last;

	(void)pthread_mutex_lock(&lock);
	bool again = strcmp(last.message, message) == 0;

	(void)error_set(&last, "%s", message);
	(void)pthread_mutex_unlock(&lock);
	if (!again)
		complain(message);
}

static int complain_errno(int negative_errno, const struct error *err)
{
	complain_once(err->message);
	nbdkit_set_error(negative_errno < -1 ? -negative_errno : EIO);
	return -1;
}

static void warn(void *context, const char *message)
{
	(void)context;
	complain_once(message);
}

// ---- configuration

static int set_word(const char *key, const char *value, const char *first, const char *second, const char *third, int *ret)
{
	const char *const words[] = {first, second, third};

	for (int i = 0; i < 3; i++) {
		if (words[i] && strcmp(value, words[i]) == 0) {
			*ret = i;
			return 0;
		}
	}
	nbdkit_error("%s is none of %s, %s%s%s", key, first, second, third ? ", " : "", third ? third : "");
	return -1;
}

static int set_copy(char **ret, char *copy)
{
	if (!copy)
		return -1; // nbdkit_realpath() has told why
	free(*ret);
	*ret = copy;
	return 0;
}

static int plugin_config(const char *key, const char *value)
{
	int choice = 0;

	if (strcmp(key, "history") == 0)
		return set_copy(&plugin.folder, nbdkit_realpath(value));
	if (strcmp(key, "tz") == 0)
		return set_copy(&plugin.zone_name, strdup(value));
	if (strcmp(key, "max-size") == 0) {
		int64_t bytes = nbdkit_parse_size(value);

		plugin.options.max_size_bytes = bytes > 0 ? (uint64_t)bytes : 0;
		return bytes < 0 ? -1 : 0;
	}
	if (strcmp(key, "closed-fd") == 0)
		return nbdkit_parse_int(key, value, &plugin.closed_fd);
	if (strcmp(key, "mode") == 0) {
		if (set_word(key, value, "live", "views", NULL, &choice) < 0)
			return -1;
		plugin.mode = choice == 0 ? MODE_LIVE : MODE_VIEWS;
	} else if (strcmp(key, "sync") == 0) {
		if (set_word(key, value, "staged", "direct", NULL, &choice) < 0)
			return -1;
		plugin.options.direct = choice == 1;
	} else if (strcmp(key, "inline") == 0) {
		if (set_word(key, value, "raw", "lz4", NULL, &choice) < 0)
			return -1;
		plugin.options.inline_codec = choice == 0 ? RECORD_RAW : RECORD_LZ4;
	} else if (strcmp(key, "compress") == 0) {
		if (set_word(key, value, "cold", "now", "never", &choice) < 0)
			return -1;
		plugin.options.compress = choice == 0 ? WRITER_COMPRESS_COLD : choice == 1 ? WRITER_COMPRESS_NOW : WRITER_COMPRESS_NEVER;
	} else {
		complain(key);
		nbdkit_error("is no parameter of this plugin");
		return -1;
	}
	return 0;
}

static int plugin_config_complete(void)
{
	if (!plugin.folder || plugin.mode == MODE_NONE) {
		nbdkit_error("history=FOLDER and mode=live|views are needed; provgraph disk serve and disk views give them");
		return -1;
	}
	plugin.zone.utc = plugin.zone_name && strcmp(plugin.zone_name, "UTC") == 0;
	plugin.zone.name = plugin.zone.utc ? NULL : plugin.zone_name;
	return 0;
}

static void tell_end(char how)
{
	if (plugin.closed_fd >= 0 && write(plugin.closed_fd, &how, 1) != 1)
		nbdkit_error("nobody listens to the end of this recording");
}

// Not earlier: the writer starts threads, and nbdkit may fork before.
static int plugin_after_fork(void)
{
	struct writer_recovery recovery = {0};
	struct error err;
	int result;

	if (plugin.closed_fd >= 0)
		(void)fcntl(plugin.closed_fd, F_SETFD, FD_CLOEXEC);
	plugin.options.warn = warn;
	if (plugin.mode == MODE_LIVE)
		result = writer_open(plugin.folder, &plugin.options, &plugin.writer, &recovery, &err);
	else
		result = views_open(plugin.folder, plugin.zone, &plugin.views, &err);
	if (result < 0) {
		complain(err.message);
		if (result == -EBADMSG)
			tell_end('d');
		return -1;
	}
	if (recovery.torn) {
		(void)error_set(&err, "the last recording ended in the middle: %" PRIu64 " bytes behind seq:%" PRIu64 " were cut and kept as %s (%s)",
				recovery.torn_bytes, recovery.kept_seq, recovery.torn_file, recovery.reason.message);
		complain(err.message);
	}
	return 0;
}

// All connections are closed.
static void plugin_cleanup(void)
{
	struct error err;
	int result = 0;

	if (plugin.writer)
		result = writer_close(plugin.writer, &err);
	plugin.writer = NULL;
	views_free(plugin.views);
	plugin.views = NULL;
	if (result < 0)
		complain(err.message);
	else
		tell_end('c');
}

static void plugin_unload(void)
{
	free(plugin.folder);
	free(plugin.zone_name);
}

// ---- connections

// What open() gives when the disk is live; views are struct view.
static char live_handle;

static void *plugin_open(int readonly)
{
	const char *name = nbdkit_export_name();
	struct view *view = NULL;
	struct error err;

	(void)readonly;
	if (!name)
		return NULL;
	if (plugin.mode == MODE_LIVE) {
		if (!*name)
			return &live_handle;
		(void)error_set(&err, "%s: this is the live disk, without a name; provgraph disk views serves its past", name);
		complain(err.message);
		return NULL;
	}
	if (view_open(plugin.views, name, &view, &err) < 0) {
		complain(err.message);
		return NULL;
	}
	for (const char *at = buffer_string(view_warnings(view)); *at;) {
		size_t length = strcspn(at, "\n");

		(void)error_set(&err, "warning: %s: %.*s", name, (int)length, at);
		complain(err.message);
		at += length + (at[length] == '\n');
	}
	return view;
}

static void plugin_close(void *handle)
{
	if (handle != &live_handle)
		view_free(handle);
}

static const char *plugin_default_export(int readonly, int is_tls)
{
	(void)readonly;
	(void)is_tls;
	return "";
}

static int plugin_list_exports(int readonly, int is_tls, struct nbdkit_exports *exports)
{
	(void)readonly;
	(void)is_tls;
	return plugin.mode == MODE_LIVE ? nbdkit_add_export(exports, "", NULL) : 0;
}

static int64_t plugin_get_size(void *handle)
{
	return (int64_t)(handle == &live_handle ? writer_size_bytes(plugin.writer) : view_size_bytes(handle));
}

static int is_live(void *handle)
{
	return handle == &live_handle;
}

static int always(void *handle)
{
	(void)handle;
	return 1;
}

static int can_fua(void *handle)
{
	return is_live(handle) ? NBDKIT_FUA_NATIVE : NBDKIT_FUA_NONE;
}

static int plugin_block_size(void *handle, uint32_t *minimum, uint32_t *preferred, uint32_t *maximum)
{
	*minimum = plugin_get_size(handle) % MINIMUM_BLOCK == 0 ? MINIMUM_BLOCK : 1;
	*preferred = PREFERRED_BLOCK;
	*maximum = MAXIMUM_BLOCK;
	return 0;
}

// ---- requests

static int plugin_pread(void *handle, void *bytes, uint32_t count, uint64_t offset, uint32_t flags)
{
	struct error err;
	int result;

	(void)flags;
	if (is_live(handle))
		result = writer_read(plugin.writer, offset, bytes, count, &err);
	else
		result = view_read(handle, offset, bytes, count, &err);
	return result < 0 ? complain_errno(result, &err) : 0;
}

static int plugin_pwrite(void *handle, const void *bytes, uint32_t count, uint64_t offset, uint32_t flags)
{
	struct error err;
	int result;

	(void)handle;
	result = writer_write(plugin.writer, offset, bytes, count, flags & NBDKIT_FLAG_FUA, &err);
	return result < 0 ? complain_errno(result, &err) : 0;
}

static int plugin_zero(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	struct error err;
	int result;

	(void)handle;
	result = writer_zero(plugin.writer, offset, count, flags & NBDKIT_FLAG_MAY_TRIM, flags & NBDKIT_FLAG_FUA, &err);
	return result < 0 ? complain_errno(result, &err) : 0;
}

static int plugin_trim(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	struct error err;
	int result;

	(void)handle;
	result = writer_trim(plugin.writer, offset, count, flags & NBDKIT_FLAG_FUA, &err);
	return result < 0 ? complain_errno(result, &err) : 0;
}

static int plugin_flush(void *handle, uint32_t flags)
{
	struct error err;
	int result;

	(void)flags;
	if (!is_live(handle))
		return 0;
	result = writer_flush(plugin.writer, &err);
	return result < 0 ? complain_errno(result, &err) : 0;
}

static int add_extent(void *context, uint64_t offset, uint64_t length, bool zero)
{
	return nbdkit_add_extent(context, offset, length, zero ? NBDKIT_EXTENT_HOLE | NBDKIT_EXTENT_ZERO : 0);
}

static int plugin_extents(void *handle, uint32_t count, uint64_t offset, uint32_t flags, struct nbdkit_extents *extents)
{
	struct error err = {.message = "cannot tell which parts of the disk hold data"};
	int result;

	(void)flags;
	if (is_live(handle))
		result = writer_extents(plugin.writer, offset, count, add_extent, extents, &err);
	else
		result = view_extents(handle, offset, count, add_extent, extents, &err);
	return result < 0 ? complain_errno(result, &err) : 0;
}

static struct nbdkit_plugin plugin_table = {
	.name = "provgraph",
	.longname = "provgraph disk history",
	.description = "Records every write of a virtual disk, or serves any moment of it read only.",
	.config = plugin_config,
	.config_complete = plugin_config_complete,
	.config_help = "history=FOLDER  (required) made by provgraph disk init\n"
		       "mode=live|views (required) the disk itself, or its past by export name\n"
		       "sync=staged|direct, inline=raw|lz4, compress=cold|now|never, max-size=SIZE: see provgraph-disk(1)\n"
		       "tz=ZONE         zone of export names that have none",
	.after_fork = plugin_after_fork,
	.cleanup = plugin_cleanup,
	.unload = plugin_unload,
	.open = plugin_open,
	.close = plugin_close,
	.default_export = plugin_default_export,
	.list_exports = plugin_list_exports,
	.get_size = plugin_get_size,
	.can_write = is_live,
	.can_flush = always,
	.can_trim = is_live,
	.can_zero = is_live,
	.can_fast_zero = is_live,
	.can_fua = can_fua,
	.can_multi_conn = always,
	.can_extents = always,
	.block_size = plugin_block_size,
	.pread = plugin_pread,
	.pwrite = plugin_pwrite,
	.zero = plugin_zero,
	.trim = plugin_trim,
	.flush = plugin_flush,
	.extents = plugin_extents,
};

struct nbdkit_plugin *plugin_init(void); // the next line defines it without having declared it
NBDKIT_REGISTER_PLUGIN(plugin_table)
