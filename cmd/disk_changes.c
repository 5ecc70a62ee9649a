// SPDX-License-Identifier: MIT
// provgraph disk diff HISTORY T1 T2 and provgraph disk files HISTORY T1 T2.
#include "cmd/disk_changes.h"

#include "base/text.h"
#include "cmd/disk_span.h"
#include "cmd/report.h"
#include "snapshots/fs_file.h"

#include <inttypes.h>

static const char *word_of(enum timeline_what what)
{
	switch (what) {
	case TIMELINE_ADDED:
		return "added";
	case TIMELINE_REMOVED:
		return "removed";
	case TIMELINE_KIND:
		return "kind";
	case TIMELINE_SIZE:
		return "size";
	case TIMELINE_CONTENT:
		return "content";
	case TIMELINE_ATTRIBUTES:
		return "attributes";
	case TIMELINE_CAME_AND_WENT:
		return "came-and-went";
	}
	return "?";
}

static void add_size(struct buffer *out, uint64_t inode, uint64_t size)
{
	if (inode == 0)
		buffer_printf(out, " %12s", "-");
	else
		buffer_printf(out, " %12" PRIu64, size);
}

static unsigned kind_of(const struct timeline_difference *d)
{
	unsigned kind = d->inode_after != 0 ? d->kind_after : d->kind_before;

	return kind <= FS_SOCKET ? kind : FS_OTHER;
}

static void add_path(struct buffer *out, const struct timeline_difference *d)
{
	if (d->path_length > 0)
		text_terminal(out, d->path, d->path_length);
	else
		buffer_printf(out, "inode %" PRIu64 " (no name of it reached the disk)", d->inode_before ? d->inode_before : d->inode_after);
}

static void add_text(struct buffer *out, const struct disk_options *o, const struct timeline_differences *all, bool with_times)
{
	if (with_times)
		buffer_printf(out, "%-35s ", "LAST CHANGE ON DISK");
	buffer_printf(out, "%-13s %-9s %12s %12s %s\n", "WHAT", "KIND", "SIZE BEFORE", "AFTER", "PATH");
	for (size_t i = 0; i < all->count; i++) {
		const struct timeline_difference *d = &all->items[i];

		if (with_times) {
			disk_add_time(out, o, d->changed_ns);
			buffer_add_byte(out, ' ');
		}
		buffer_printf(out, "%-13s %-9s", word_of(d->what), fs_kind_name((enum fs_kind)kind_of(d)));
		add_size(out, d->what == TIMELINE_CAME_AND_WENT ? 0 : d->inode_before, d->size_before);
		add_size(out, d->inode_after, d->size_after);
		buffer_add_byte(out, ' ');
		add_path(out, d);
		buffer_add_byte(out, '\n');
	}
}

static void add_json(struct buffer *out, const struct disk_options *o, const struct timeline_differences *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct timeline_difference *d = &all->items[i];

		buffer_printf(out, "{\"what\":\"%s\",\"kind\":\"%s\"", word_of(d->what), fs_kind_name((enum fs_kind)kind_of(d)));
		if (d->path_length > 0)
			disk_add_json_text(out, "path", d->path, d->path_length);
		disk_add_json_number(out, "inode_before", d->inode_before);
		disk_add_json_number(out, "inode_after", d->inode_after);
		disk_add_json_number(out, "size_before", d->size_before);
		disk_add_json_number(out, "size_after", d->size_after);
		disk_add_json_time(out, o, "changed", d->changed_ns);
		buffer_add_string(out, "}\n");
	}
}

int disk_changes(const struct disk_options *o, disk_changes_ask *ask, bool with_times, bool *ret_any)
{
	struct disk_span span;
	struct timeline_differences all = {0};
	struct buffer out AUTO_RELEASE_BUFFER = {0};
	struct error err;
	int result;

	if (disk_span_of_moments(o, &span, &err) < 0) {
		report_error(&err);
		return -1;
	}
	span.file.warnings = &span.warnings;
	result = ask(&span.file, span.from_seq, span.to_seq, &all, &err) == 0 ? 0 : -1;
	disk_span_report(o, &span);
	if (result == 0) {
		if (o->json)
			add_json(&out, o, &all);
		else if (all.count > 0)
			add_text(&out, o, &all, with_times);
		result = disk_print(o, &out, &err);
	}
	if (result < 0)
		report_error(&err);
	*ret_any = all.count > 0;
	timeline_differences_free(&all);
	disk_span_release(&span);
	return result;
}
