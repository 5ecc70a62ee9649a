// SPDX-License-Identifier: MIT
// Open files of a history, and rows of their request tables.
#include "snapshots/history_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct history_file *history_file_new(struct history *h)
{
	struct history_file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->references = 1;
	f->serial = ++h->serials;
	f->segment.fd = -1;
	return f;
}

void history_file_put(struct history_file *f)
{
	if (!f || --f->references > 0)
		return;
	segment_release(&f->segment);
	free(f);
}

static void close_oldest(struct history *h)
{
	size_t oldest = 0;

	for (size_t i = 1; i < h->open_count; i++)
		if (h->segments.items[h->open_files[i]].used < h->segments.items[h->open_files[oldest]].used)
			oldest = i;
	struct history_segment *s = &h->segments.items[h->open_files[oldest]];
	history_file_put(s->file);
	s->file = NULL;
	h->open_files[oldest] = h->open_files[--h->open_count];
}

void history_file_replace(struct history *h, size_t index, struct history_file *f)
{
	struct history_segment *s = &h->segments.items[index];

	// Only unsealed segments come here with a file, and those are not in the list.
	history_file_put(s->file);
	s->file = f;
	s->used = ++h->uses;
	if (!f->segment.sealed)
		return;
	if (h->open_count == HISTORY_MAX_FILES)
		close_oldest(h);
	h->open_files[h->open_count++] = index;
}

// It was read before: what it holds now must be the same records, be they compressed meanwhile.
static int check_same(const struct history_segment *s, const struct segment *now, const uint8_t uuid[16], struct error *err)
{
	if (now->sealed && now->number == s->number && now->first_seq == s->first_seq && now->record_count == s->record_count &&
	    memcmp(now->uuid, uuid, 16) == 0)
		return 0;
	return error_set(err, "%s: is not the segment that was there when the history was opened", s->name);
}

static int open_again(struct history *h, size_t index, struct error *err)
{
	struct history_segment *s = &h->segments.items[index];
	struct history_file *f = history_file_new(h);

	if (!f)
		return error_set(err, "out of memory");
	int fd = open(s->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0) {
		history_file_put(f);
		return error_set_errno(err, errno, "%s: cannot open", s->name);
	}
	if (segment_open(&f->segment, fd, s->name, err) < 0 || check_same(s, &f->segment, h->fixed.uuid, err) < 0) {
		if (f->segment.fd < 0)
			(void)close(fd);
		history_file_put(f);
		return -1;
	}
	history_file_replace(h, index, f);
	return 0;
}

int history_file_get(struct history *h, size_t index, struct history_file **ret, struct error *err)
{
	struct history_segment *s = &h->segments.items[index];

	if (!s->file && open_again(h, index, err) < 0)
		return -1;
	s->used = ++h->uses;
	s->file->references++;
	*ret = s->file;
	return 0;
}

static int check_table(struct history_segment *s, const struct segment *segment, struct error *err)
{
	struct stat status;

	if (fstat(segment->fd, &status) < 0)
		return error_set_errno(err, errno, "%s: cannot look at it", s->name);
	uint64_t change_ns = (uint64_t)status.st_ctim.tv_sec * NANOTIME_SECOND + (uint64_t)status.st_ctim.tv_nsec;
	if (s->checked_inode == status.st_ino && s->checked_change_ns == change_ns)
		return 0;
	if (segment_check_table(segment, s->name, err) < 0)
		return -1;
	s->checked_inode = status.st_ino;
	s->checked_change_ns = change_ns;
	return 0;
}

// A held file, whose rows can be believed.
static int get_checked(struct history *h, size_t index, struct history_file **ret, struct error *err)
{
	struct history_segment *s = &h->segments.items[index];

	if (history_file_get(h, index, ret, err) < 0)
		return -1;
	if (!(*ret)->segment.sealed || (*ret)->table_checked)
		return 0;
	if (check_table(s, &(*ret)->segment, err) < 0) {
		history_file_put(*ret);
		return -1;
	}
	(*ret)->table_checked = true;
	return 0;
}

static int finish(struct history_file *f, int result, struct history_file **ret_file)
{
	if (result < 0 || !ret_file)
		history_file_put(f);
	else
		*ret_file = f;
	return result;
}

int history_rows(struct history *h, size_t index, uint64_t first, size_t count, struct segment_row *ret, struct history_file **ret_file,
		 struct error *err)
{
	struct history_file *f;

	if (get_checked(h, index, &f, err) < 0)
		return -1;
	return finish(f, segment_read_rows(&f->segment, first, count, ret, h->segments.items[index].name, err), ret_file);
}

int history_one_row(struct history *h, size_t index, uint64_t at, struct segment_row *ret, struct history_file **ret_file, struct error *err)
{
	struct history_segment *s = &h->segments.items[index];
	uint64_t page_index = at / HISTORY_PAGE_ROWS, first = page_index * HISTORY_PAGE_ROWS;
	struct history_file *f;

	// Rows of an unsealed segment are in memory already, and their last page grows.
	if (!s->sealed)
		return history_rows(h, index, at, 1, ret, ret_file, err);
	if (get_checked(h, index, &f, err) < 0)
		return -1;
	struct history_page *page = &h->pages[(f->serial * 31 + page_index) % HISTORY_PAGES];
	if (page->serial != f->serial || page->index != page_index) {
		uint64_t left = s->record_count - first;
		size_t count = left < HISTORY_PAGE_ROWS ? (size_t)left : HISTORY_PAGE_ROWS;

		page->serial = 0;
		if (segment_read_rows(&f->segment, first, count, page->rows, s->name, err) < 0)
			return finish(f, -1, ret_file);
		page->serial = f->serial;
		page->index = page_index;
	}
	*ret = page->rows[at - first];
	return finish(f, 0, ret_file);
}
