// SPDX-License-Identifier: MIT
#include "snapshots/history_inside.h"

#include "base/memory.h"
#include "snapshots/history_header.h"
#include "snapshots/lock.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT_ROWS 1024

// ---- opening

static int read_header(struct history *h, struct error *err)
{
	struct history_header header;

	if (history_header_read(h->folder, &header, err) < 0)
		return -1;
	memcpy(h->fixed.uuid, header.uuid, sizeof(h->fixed.uuid));
	h->fixed.folder = h->folder;
	h->fixed.size_bytes = header.size_bytes;
	h->fixed.segment_bytes = header.segment_bytes;
	h->fixed.has_base = header.has_base;
	if (!header.has_base)
		return 0;
	if (base_head_read(h->folder, &h->base_head, err) < 0)
		return -1;
	h->fixed.base_path = h->base_head.path;
	return 0;
}

static struct history *history_new(const char *folder)
{
	struct history *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->folder = strdup(folder);
	h->pages = calloc(HISTORY_PAGES, sizeof(*h->pages));
	h->checked = calloc(HISTORY_CHECKED, sizeof(*h->checked));
	h->chunks = history_chunks_new();
	if (!h->folder || !h->pages || !h->checked || !h->chunks || pthread_mutex_init(&h->lock, NULL) != 0) {
		free(h->folder);
		free(h->pages);
		free(h->checked);
		history_chunks_free(h->chunks);
		free(h);
		return NULL;
	}
	return h;
}

int history_open(const char *folder, struct history **ret, struct error *err)
{
	struct history *h = history_new(folder);

	if (!h)
		return error_set(err, "out of memory");
	// "web01.history/" and "web01.history" give the same names in messages.
	for (size_t length = strlen(h->folder); length > 1 && h->folder[length - 1] == '/'; length--)
		h->folder[length - 1] = '\0';
	if (read_header(h, err) < 0 || history_list_load(h, err) < 0) {
		history_free(h);
		return -1;
	}
	*ret = h;
	return 0;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->segments.count; i++) {
		history_file_put(h->segments.items[i].file);
		free(h->segments.items[i].name);
	}
	history_segment_vector_release(&h->segments);
	epoch_vector_release(&h->epochs);
	base_image_free(h->base);
	(void)pthread_mutex_destroy(&h->lock);
	free(h->pages);
	free(h->checked);
	history_chunks_free(h->chunks);
	free(h->folder);
	free(h);
}

int history_refresh(struct history *h, struct error *err)
{
	(void)pthread_mutex_lock(&h->lock);
	int result = history_list_refresh(h, err);
	(void)pthread_mutex_unlock(&h->lock);
	return result;
}

int history_base(struct history *h, struct base_image **ret, struct error *err)
{
	(void)pthread_mutex_lock(&h->lock);
	int result = h->fixed.has_base && !h->base ? base_image_open(h->folder, &h->base, err) : 0;
	*ret = h->base;
	(void)pthread_mutex_unlock(&h->lock);
	return result;
}

// ---- facts

static int count_written(struct history *h, size_t index, struct error *err)
{
	struct history_segment *s = &h->segments.items[index];
	struct segment_row *rows AUTO_FREE = malloc(COUNT_ROWS * sizeof(*rows));
	uint64_t sum = 0;

	if (!rows)
		return error_set(err, "out of memory");
	for (uint64_t at = 0; at < s->record_count;) {
		size_t count = s->record_count - at < COUNT_ROWS ? (size_t)(s->record_count - at) : COUNT_ROWS;

		if (history_rows(h, index, at, count, rows, NULL, err) < 0)
			return -1;
		for (size_t i = 0; i < count; i++)
			sum += rows[i].type == RECORD_WRITE ? rows[i].length_bytes : 0;
		at += count;
	}
	s->written_bytes = sum;
	s->counted = true;
	return 0;
}

static uint64_t index_bytes(const char *folder)
{
	char *path AUTO_FREE = NULL;
	uint64_t sum = 0;

	if (asprintf(&path, "%s/index", folder) < 0)
		return 0;
	DIR *index = opendir(path);
	if (!index)
		return 0;
	for (struct dirent *entry; (entry = readdir(index));) {
		struct stat status;

		if (fstatat(dirfd(index), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode))
			sum += (uint64_t)status.st_size;
	}
	(void)closedir(index);
	return sum;
}

static int time_at(struct history *h, uint64_t seq, uint64_t *ret_ns, struct error *err)
{
	struct segment_row row;

	*ret_ns = NANOTIME_NONE;
	if (seq == 0)
		return 0;
	if (history_read_at(h, seq, &row, NULL, err) < 0)
		return -1;
	*ret_ns = row.realtime_ns;
	return 0;
}

static int collect_facts(struct history *h, struct history_facts *f, struct error *err)
{
	*f = h->fixed;
	f->segment_count = h->segments.count;
	f->last_seq = f->record_count = history_last_seq(h);
	for (size_t i = h->segments.count; i-- > 0 && f->last_flush_seq == 0;)
		f->last_flush_seq = h->segments.items[i].last_flush_seq;
	if (time_at(h, f->last_seq > 0 ? 1 : 0, &f->first_ns, err) < 0 || time_at(h, f->last_seq, &f->last_ns, err) < 0 ||
	    time_at(h, f->last_flush_seq, &f->last_flush_ns, err) < 0)
		return -1;
	f->torn = h->torn;
	if (h->torn)
		f->torn_reason = h->torn_reason;
	return lock_is_held(h->folder, &f->being_written, err);
}

int history_facts(struct history *h, struct history_facts *ret, struct error *err)
{
	struct history_facts facts;

	(void)pthread_mutex_lock(&h->lock);
	int result = collect_facts(h, &facts, err);
	(void)pthread_mutex_unlock(&h->lock);
	if (result == 0)
		*ret = facts;
	return result;
}

static int collect_space(struct history *h, struct history_space *ret, struct error *err)
{
	for (size_t i = 0; i < h->segments.count; i++) {
		struct history_segment *s = &h->segments.items[i];
		struct stat status = { .st_size = 0 };

		// Asked each time: compressing makes it smaller.
		(void)stat(s->name, &status);
		if (!s->counted && count_written(h, i, err) < 0)
			return -1;
		ret->stored_bytes += (uint64_t)status.st_size;
		ret->written_bytes += s->written_bytes;
	}
	return 0;
}

int history_space(struct history *h, struct history_space *ret, struct error *err)
{
	struct history_space space = { .index_bytes = index_bytes(h->folder) };

	(void)pthread_mutex_lock(&h->lock);
	int result = collect_space(h, &space, err);
	(void)pthread_mutex_unlock(&h->lock);
	if (result == 0)
		*ret = space;
	return result;
}
