// SPDX-License-Identifier: MIT
// Sealed segments, open for reading: a bounded number of them, with some pages of their request tables.
#include "snapshots/writer_work.h"

#include "base/fileio.h"
#include "snapshots/segment_format.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t writer_number_of(const struct writer *w, uint64_t seq)
{
	size_t low = 0, high = w->first_seqs.count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (w->first_seqs.items[middle] <= seq)
			low = middle;
		else
			high = middle;
	}
	return low + 1;
}

static struct writer_segment *find_cached(struct writer *w, uint64_t number)
{
	for (size_t i = 0; i < CACHED_SEGMENTS; i++)
		if (w->cache[i] && w->cache[i]->s.number == number)
			return w->cache[i];
	return NULL;
}

static void cache(struct writer *w, struct writer_segment *s)
{
	size_t oldest = 0;

	for (size_t i = 0; i < CACHED_SEGMENTS; i++) {
		if (!w->cache[i]) {
			oldest = i;
			break;
		}
		if (w->cache[i]->used_at < w->cache[oldest]->used_at)
			oldest = i;
	}
	writer_segment_put(w->cache[oldest]);
	w->cache[oldest] = s;
}

static struct writer_segment *open_sealed(struct writer *w, uint64_t number, struct error *err)
{
	struct segment s = {.number = number, .fd = -1};
	struct writer_segment *made = writer_segment_new(&s, w->folder);

	if (!made) {
		(void)error_set(err, "out of memory");
		return NULL;
	}
	int fd = open(made->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		(void)error_set_errno(err, errno, "%s: cannot open", made->name);
	else if (segment_open(&made->s, fd, made->name, err) == 0) {
		if (made->s.sealed && made->s.number == number && memcmp(made->s.uuid, w->header.uuid, 16) == 0)
			return made;
		(void)error_set(err, "%s: is no sealed segment of this history any more", made->name);
	} else
		(void)close(fd);
	writer_segment_put(made);
	return NULL;
}

struct writer_segment *writer_sealed_segment(struct writer *w, uint64_t number, struct error *err)
{
	(void)pthread_mutex_lock(&w->cache_lock);
	struct writer_segment *s = find_cached(w, number);

	if (!s && (s = open_sealed(w, number, err)))
		cache(w, s);
	if (s) {
		s->used_at = ++w->cache_clock;
		(void)atomic_fetch_add(&s->references, 1);
	}
	(void)pthread_mutex_unlock(&w->cache_lock);
	return s;
}

// ---- rows of them

// A page of the request table, as it is in the file; cache_lock held. NULL: not here.
static const uint8_t *find_page(const struct writer_segment *s, uint64_t page)
{
	const struct writer_row_page *found = s->row_pages[page % ROW_PAGES];

	return found && found->page == page ? found->bytes : NULL;
}

static int read_page(const struct writer_segment *s, uint64_t page, struct writer_row_page *ret, struct error *err)
{
	uint64_t first = page * ROWS_PER_PAGE, left = s->s.record_count - first;
	size_t got, wanted = (left < ROWS_PER_PAGE ? (size_t)left : ROWS_PER_PAGE) * SEGMENT_ROW_BYTES;

	if (fileio_pread(s->s.fd, ret->bytes, wanted, s->s.records_end + first * SEGMENT_ROW_BYTES, &got, s->name, err) < 0)
		return -1;
	if (got != wanted)
		return error_set(err, "%s: the request table is cut short", s->name);
	ret->page = page;
	return 0;
}

int writer_sealed_row(struct writer *w, struct writer_segment *s, uint64_t seq, struct segment_row *ret, struct error *err)
{
	uint64_t index = seq - s->s.first_seq, page = index / ROWS_PER_PAGE;
	uint8_t row[SEGMENT_ROW_BYTES];

	if (seq < s->s.first_seq || index >= s->s.record_count)
		return error_set(err, "%s: has no record %" PRIu64, s->name, seq);
	(void)pthread_mutex_lock(&w->cache_lock);
	const uint8_t *bytes = find_page(s, page);

	if (bytes)
		memcpy(row, bytes + index % ROWS_PER_PAGE * SEGMENT_ROW_BYTES, sizeof(row));
	(void)pthread_mutex_unlock(&w->cache_lock);
	if (!bytes) {
		struct writer_row_page *made = malloc(sizeof(*made));

		if (!made)
			return error_set(err, "out of memory");
		if (read_page(s, page, made, err) < 0) {
			free(made);
			return -1;
		}
		memcpy(row, made->bytes + index % ROWS_PER_PAGE * SEGMENT_ROW_BYTES, sizeof(row));
		(void)pthread_mutex_lock(&w->cache_lock);
		struct writer_row_page *before = s->row_pages[page % ROW_PAGES];

		s->row_pages[page % ROW_PAGES] = made;
		(void)pthread_mutex_unlock(&w->cache_lock);
		free(before);
	}
	return segment_parse_row(&s->s, row, ret, s->name, err);
}
