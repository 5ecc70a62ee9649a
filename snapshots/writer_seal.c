// SPDX-License-Identifier: MIT
// Handing full segments to the sealer, and hearing back from it.
#include "snapshots/writer_work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMPORT_SEAL_MS 60000 // how long closing an import waits for the last segment to be sealed and indexed

// ---- what the sealer says

static void forget_cached(struct writer *w, uint64_t number)
{
	(void)pthread_mutex_lock(&w->cache_lock);
	for (size_t i = 0; i < CACHED_SEGMENTS; i++) {
		if (!w->cache[i] || w->cache[i]->s.number != number)
			continue;
		writer_segment_put(w->cache[i]); // whoever reads from it goes on
		w->cache[i] = NULL;
	}
	(void)pthread_mutex_unlock(&w->cache_lock);
}

// append_lock held.
static struct writer_segment *find_unsealed(struct writer *w, uint64_t number, size_t *ret_index)
{
	for (size_t i = 0; i < w->unsealed.count; i++) {
		*ret_index = i;
		if (w->unsealed.items[i]->s.number == number)
			return w->unsealed.items[i];
	}
	return NULL;
}

// A segment that was unsealed until now: its rows are in its table from here on.
static void drop_unsealed(struct writer *w, uint64_t number)
{
	size_t index;
	struct error why;

	(void)pthread_mutex_lock(&w->append_lock);
	struct writer_segment *s = find_unsealed(w, number, &index);

	if (s)
		(void)atomic_fetch_add(&s->references, 1);
	(void)pthread_mutex_unlock(&w->append_lock);
	if (!s)
		return;
	// The sealer synced through a file description of its own; an error that was meant for ours must not get lost.
	bool synced = fdatasync(s->s.fd) == 0 || error_set_errno(&why, errno, "%s: cannot be made durable", s->name) == 0;

	(void)pthread_mutex_lock(&w->append_lock);
	if (!synced)
		(void)writer_fail(w, &why);
	if (find_unsealed(w, number, &index) == s) {
		w->unsealed.count--;
		memmove(w->unsealed.items + index, w->unsealed.items + index + 1, (w->unsealed.count - index) * sizeof(*w->unsealed.items));
		writer_segment_put(s);
	}
	(void)pthread_mutex_unlock(&w->append_lock);
	writer_segment_put(s);
}

static uint64_t bytes_of_index(struct writer *w)
{
	int fd = openat(w->folder_fd, "index", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat status;
	uint64_t bytes = 0;

	if (!folder) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	while ((entry = readdir(folder)))
		if (fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode))
			bytes += (uint64_t)status.st_size;
	(void)closedir(folder);
	return bytes;
}

static void count_index(struct writer *w)
{
	uint64_t bytes = w->options.max_size_bytes != 0 ? bytes_of_index(w) : 0;

	(void)pthread_mutex_lock(&w->append_lock);
	w->index_bytes = bytes;
	(void)pthread_mutex_unlock(&w->append_lock);
}

static void take_replaced(void *context, const struct segment *segment)
{
	struct writer *w = context;
	struct stat status;

	drop_unsealed(w, segment->number);
	forget_cached(w, segment->number);
	if (fstat(segment->fd, &status) == 0) {
		(void)pthread_mutex_lock(&w->append_lock);
		uint64_t *bytes = &w->segment_bytes.items[segment->number - 1];

		if (*bytes != 0) // else its bytes were counted as they came
			w->stored_bytes += (uint64_t)status.st_size - *bytes;
		*bytes = (uint64_t)status.st_size;
		(void)pthread_mutex_unlock(&w->append_lock);
	}
	count_index(w);
}

static void take_failure(void *context, const struct error *why)
{
	struct writer *w = context;

	(void)pthread_mutex_lock(&w->append_lock);
	(void)writer_fail(w, why);
	(void)pthread_mutex_unlock(&w->append_lock);
}

static void take_warning(void *context, const char *message)
{
	writer_warn(context, message);
}

// ---- what it is told

// The sealer gets its own rows (and opens the file for itself): ours serve reads until it is done.
static bool hand_over(struct writer *w, const struct writer_segment *full)
{
	struct segment s = full->s;
	struct error why;

	s.row_capacity = s.record_count ? s.record_count : 1;
	s.rows = malloc(s.row_capacity * sizeof(*s.rows));
	s.fd = fcntl(full->s.fd, F_DUPFD_CLOEXEC, 0);
	if (!s.rows)
		(void)error_set(&why, "%s: cannot be sealed yet: out of memory", full->name);
	else if (s.fd < 0)
		(void)error_set_errno(&why, errno, "%s: cannot be sealed yet", full->name);
	else {
		memcpy(s.rows, full->s.rows, s.record_count * sizeof(*s.rows));
		if (sealer_push(w->sealer, &s, &why) == 0)
			return true;
	}
	segment_release(&s);
	writer_warn(w, why.message);
	return false;
}

// One that cannot be handed over is tried again with the next, and those behind it wait: a footer says that all before it are sealed.
void writer_seal_later(struct writer *w, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct writer_segment *full = w->unsealed.items[i];

		full->handed_over = full->handed_over || hand_over(w, full);
		if (!full->handed_over)
			return;
	}
}

int writer_start_sealer(struct writer *w, struct error *err)
{
	struct sealer_hooks hooks = {.replaced = take_replaced, .warn = take_warning, .failed = take_failure, .context = w};

	count_index(w);
	if (sealer_start(w->folder, w->header.uuid, w->live, w->options.compress, &hooks, &w->sealer, err) < 0)
		return -EIO;
	// The sealer is at work already: what it has sealed leaves the list, and the next one would be passed over.
	(void)pthread_mutex_lock(&w->append_lock);
	if (w->unsealed.count > 0)
		writer_seal_later(w, w->unsealed.count - 1);
	(void)pthread_mutex_unlock(&w->append_lock);
	return 0;
}

void writer_seal_import(struct writer *w)
{
	(void)pthread_mutex_lock(&w->append_lock);
	struct writer_segment *last = writer_open_segment(w);

	writer_seal_later(w, w->unsealed.count - (last->s.record_count == 0));
	(void)pthread_mutex_unlock(&w->append_lock);
	(void)sealer_wait(w->sealer, IMPORT_SEAL_MS);
}
