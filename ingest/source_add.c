// SPDX-License-Identifier: MIT
// Logs that a recorded disk gave back, beside those that were given: how they join, and how both are compared line by line.
#include "ingest/source_files.h"

#include "base/memory.h"
#include "ingest/record.h"

#include <string.h>
#include <unistd.h>

#define STEP_BYTES ((size_t)1 << 19)

// ---- one more log

// The host of the first log's records: what its first record says, or what the log was given.
static int host_of_first(struct files_source *s, uint32_t *ret, struct error *err)
{
	char *bytes AUTO_FREE = NULL;
	size_t got = 0;

	*ret = s->set.count > 0 ? s->set.logs[0]->host : s->host;
	if (s->set.count == 0 || !s->set.logs[0]->has_node)
		return 0;
	bytes = malloc(STEP_BYTES);
	if (!bytes)
		return error_set(err, "out of memory");
	if (log_file_read(s->set.logs[0], 0, bytes, STEP_BYTES, &got, err) < 0)
		return -1;
	for (const char *at = bytes, *end = bytes + got, *newline; (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
		struct record record;

		if (record_parse(at, (size_t)(newline - at), &record) || !record.node)
			continue;
		*ret = intern_add(s->strings, record.node, record.node_length);
		break;
	}
	return 0;
}

int files_add(struct source *source, const struct source_log *log, struct error *err)
{
	struct files_source *s = (struct files_source *)source;
	uint32_t host = log->host ? intern_add_string(s->strings, log->host) : 0;

	if (!log->host && host_of_first(s, &host, err) < 0) {
		(void)close(log->fd);
		return -1;
	}
	struct log_file *f = log_file_open_fd(log->fd, log->name, err);

	if (!f)
		return -1;
	f->recovered = log->recovered;
	f->host = host;
	return log_set_add(&s->set, f, err);
}

// ---- every line

struct lines {
	source_line *callback;
	void *context;
	char *bytes;
};

static int lines_of(struct lines *l, size_t log, struct log_file *f, struct error *err)
{
	uint64_t at = 0;         // of the buffer's beginning, where a line begins
	bool in_long_line = false; // its beginning was told

	if (log_file_prepare(f, err) < 0)
		return -1;
	while (at < f->size_bytes) {
		size_t got = 0, used = 0;

		if (log_file_read(f, at, l->bytes, STEP_BYTES, &got, err) < 0)
			return -1;
		if (got == 0)
			break;
		for (const char *newline; (newline = memchr(l->bytes + used, '\n', got - used));) {
			size_t length = (size_t)(newline - l->bytes) - used;
			int result = in_long_line ? 0 : l->callback(l->context, log, at + used, l->bytes + used, length < RECORD_MAX_BYTES ? length : RECORD_MAX_BYTES, err);

			if (result != 0)
				return result;
			in_long_line = false;
			used += length + 1;
		}
		// What is left: the last line, or one that is longer than the buffer, of which only the beginning is told.
		if (used == 0 || at + got >= f->size_bytes) {
			size_t length = got - used;
			int result = in_long_line || length == 0 ? 0 : l->callback(l->context, log, at + used, l->bytes + used, length < RECORD_MAX_BYTES ? length : RECORD_MAX_BYTES, err);

			if (result != 0)
				return result;
			in_long_line = true;
			used = got;
		}
		at += used;
	}
	return 0;
}

int files_lines(struct source *source, source_line *callback, void *context, struct error *err)
{
	struct files_source *s = (struct files_source *)source;
	char *bytes AUTO_FREE = malloc(STEP_BYTES);
	struct lines l = {.callback = callback, .context = context, .bytes = bytes};

	if (!bytes)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < s->set.count; i++) {
		int result = lines_of(&l, i, s->set.logs[i], err);

		if (result != 0)
			return result < 0 ? -1 : 0;
	}
	return 0;
}

int files_leave_out(struct source *source, size_t log, uint64_t offset, struct error *err)
{
	struct files_source *s = (struct files_source *)source;

	if (log >= s->set.count)
		return error_set(err, "there is no log number %zu", log);
	struct u64_vector *all = &s->set.logs[log]->left_out;
	size_t at = all->count;

	if (u64_vector_append(all, offset) < 0)
		return error_set(err, "out of memory");
	for (; at > 0 && all->items[at - 1] > offset; at--) // they come in order as a rule
		all->items[at] = all->items[at - 1];
	all->items[at] = offset;
	return 0;
}
