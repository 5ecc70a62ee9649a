// SPDX-License-Identifier: MIT
// The manifest keeps what restoring does not: owners, modes, times, symlinks, what was left out and why. JSON lines, one a file.
#include "snapshots/restore_parts.h"

#include "base/nanotime.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

static void add_bytes(struct buffer *out, const char *key, const char *bytes, size_t length)
{
	bool lossy = false;

	buffer_printf(out, ",\"%s\":", key);
	text_json(out, bytes, length, &lossy);
	if (!lossy)
		return;
	buffer_printf(out, ",\"%s_b64\":\"", key);
	text_base64(out, bytes, length);
	buffer_add_byte(out, '"');
}

static void add_time(struct buffer *out, const char *key, uint64_t ns)
{
	const struct timezone_choice utc = {.utc = true};

	if (ns == NANOTIME_NONE)
		return;
	buffer_printf(out, ",\"%s\":\"", key);
	nanotime_format(out, ns, NANOTIME_FULL, utc);
	buffer_add_byte(out, '"');
}

void restore_manifest_add(struct buffer *out, const struct fs_file *file, const char *sha256, const char *hard_link_to, size_t link_length,
			  const char *skipped)
{
	buffer_printf(out, "{\"kind\":\"%s\"", fs_kind_name(file->kind));
	if (file->path)
		add_bytes(out, "path", file->path, file->path_length);
	buffer_printf(out, ",\"inode\":%" PRIu64 ",\"generation\":%" PRIu32 ",\"mode\":\"%06" PRIo32 "\",\"uid\":%" PRIu32 ",\"gid\":%" PRIu32
			   ",\"links\":%" PRIu32 ",\"size\":%" PRIu64, file->inode, file->generation, file->mode, file->uid, file->gid, file->links,
		      file->size_bytes);
	add_time(out, "modified", file->mtime_ns);
	add_time(out, "changed", file->ctime_ns);
	add_time(out, "accessed", file->atime_ns);
	add_time(out, "born", file->crtime_ns);
	if (file->target)
		add_bytes(out, "target", file->target, file->target_length);
	if (sha256)
		buffer_printf(out, ",\"sha256\":\"%s\"", sha256);
	if (hard_link_to)
		add_bytes(out, "hard_link_to", hard_link_to, link_length);
	if (skipped)
		add_bytes(out, "skipped", skipped, strlen(skipped));
	buffer_add_string(out, "}\n");
}
