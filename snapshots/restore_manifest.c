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

static void add_verdict(struct buffer *out, const struct fs_verdict *v)
{
	if (v->kind != FS_PENDING) {
		buffer_add_string(out, ",\"verdict\":\"on disk\"");
		return;
	}
	buffer_printf(out, ",\"verdict\":\"committed, content pending\",\"pending_bytes\":%" PRIu64 ",\"pending_from\":%" PRIu64, v->pending_bytes,
		      v->pending_from);
	if (v->complete_seq == 0)
		return;
	buffer_printf(out, ",\"complete_seq\":%" PRIu64, v->complete_seq);
	add_time(out, "complete", v->complete_ns);
}

void restore_manifest_add(struct buffer *out, const struct fs_file *file, const struct restore_line *line)
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
	if (line->sha256)
		buffer_printf(out, ",\"sha256\":\"%s\"", line->sha256);
	if (line->verdict)
		add_verdict(out, line->verdict);
	if (line->hard_link_to)
		add_bytes(out, "hard_link_to", line->hard_link_to, strlen(line->hard_link_to));
	if (line->skipped)
		add_bytes(out, "skipped", line->skipped, strlen(line->skipped));
	buffer_add_string(out, "}\n");
}
