// SPDX-License-Identifier: MIT
#include "snapshots/overlay.h"

#include "base/fileio.h"
#include "base/memory.h"
#include "base/vector.h"

#include <errno.h>
#include <inttypes.h>

#define MAX_OVERLAY_BYTES (UINT64_C(16) << 30) /* our limit; the largest journal that mke2fs makes is far below */
#define MAX_RUNS (1u << 22)                    /* our limit: 96 MiB of table; a journal of 16 GiB in 4 KiB blocks */

struct run {
	uint64_t offset, length, position; // position: in the file
};
VECTOR_DEFINE(run_vector, struct run)

struct overlay {
	int fd;
	uint64_t disk_bytes, file_bytes;
	struct run_vector runs;
};

int overlay_new(uint64_t disk_bytes, struct overlay **ret, struct error *err)
{
	struct overlay *o = calloc(1, sizeof(*o));

	if (!o)
		return error_set(err, "out of memory");
	o->disk_bytes = disk_bytes;
	o->fd = fileio_temporary(err);
	if (o->fd < 0) {
		free(o);
		return -1;
	}
	*ret = o;
	return 0;
}

void overlay_free(struct overlay *o)
{
	if (!o)
		return;
	(void)close(o->fd);
	run_vector_release(&o->runs);
	free(o);
}

int overlay_add(struct overlay *o, uint64_t offset, const void *bytes, size_t length, struct error *err)
{
	struct run *last = o->runs.count > 0 ? &o->runs.items[o->runs.count - 1] : NULL;
	size_t put = 0;

	if (length == 0 || length > o->disk_bytes || offset > o->disk_bytes - length)
		return error_set(err, "journal replay: a change at byte %" PRIu64 " lies outside the disk", offset);
	if (o->file_bytes + length > MAX_OVERLAY_BYTES || o->runs.count >= MAX_RUNS)
		return error_set(err, "journal replay: changes more than the limit of %" PRIu64 " bytes", MAX_OVERLAY_BYTES);
	while (put < length) {
		ssize_t step = pwrite(o->fd, (const char *)bytes + put, length - put, (off_t)(o->file_bytes + put));

		if (step < 0 && errno == EINTR)
			continue;
		if (step < 0)
			return error_set_errno(err, errno, "journal replay: cannot write its temporary file");
		put += (size_t)step;
	}
	if (last && last->offset + last->length == offset)
		last->length += length;
	else if (run_vector_append(&o->runs, (struct run){offset, length, o->file_bytes}) < 0)
		return error_set(err, "out of memory");
	o->file_bytes += length;
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

int overlay_finish(struct overlay *o, struct error *err)
{
	if (o->runs.count > 0)
		qsort(o->runs.items, o->runs.count, sizeof(*o->runs.items), by_offset);
	for (size_t i = 1; i < o->runs.count; i++)
		if (o->runs.items[i - 1].offset + o->runs.items[i - 1].length > o->runs.items[i].offset)
			return error_set(err, "journal replay: two changes of byte %" PRIu64, o->runs.items[i].offset);
	return 0;
}

// The first run that ends behind offset.
static size_t find_run(const struct overlay *o, uint64_t offset)
{
	size_t low = 0, high = o->runs.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct run *r = &o->runs.items[middle];

		if (r->offset + r->length > offset)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

int overlay_apply(const struct overlay *o, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	for (size_t i = find_run(o, offset); i < o->runs.count && o->runs.items[i].offset < offset + length; i++) {
		const struct run *r = &o->runs.items[i];
		uint64_t from = r->offset > offset ? r->offset : offset;
		uint64_t to = r->offset + r->length < offset + length ? r->offset + r->length : offset + length;
		size_t got = 0;

		if (fileio_pread(o->fd, (char *)bytes + (from - offset), (size_t)(to - from), r->position + (from - r->offset), &got,
				 "journal replay", err) < 0)
			return -1;
		if (got != to - from)
			return error_set(err, "journal replay: its temporary file was cut");
	}
	return 0;
}

uint64_t overlay_run(const struct overlay *o, uint64_t offset, uint64_t length, bool *ret_inside)
{
	size_t i = find_run(o, offset);
	uint64_t end = UINT64_MAX;

	*ret_inside = false;
	if (i < o->runs.count && o->runs.items[i].offset <= offset) {
		*ret_inside = true;
		end = o->runs.items[i].offset + o->runs.items[i].length;
	} else if (i < o->runs.count) {
		end = o->runs.items[i].offset;
	}
	return end - offset < length ? end - offset : length;
}
