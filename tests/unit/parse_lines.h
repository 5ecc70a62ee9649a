// SPDX-License-Identifier: MIT
// Feeds audit text to an assembler and keeps copies of the events, for tests.
#ifndef TESTS_UNIT_PARSE_LINES_H
#define TESTS_UNIT_PARSE_LINES_H

#include "base/intern.h"
#include "ingest/assemble.h"
#include "ingest/completeness.h"
#include "ingest/event_store.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parsed {
	struct intern *strings;
	struct completeness c;
	struct event_store store;
	struct error err;
	int result;
	size_t stop_after; // 0: never
};

static inline int parsed_on_event(void *context, const struct event *event, struct error *err)
{
	struct parsed *p = context;

	if (event_store_add(&p->store, event, err) < 0)
		return -1;
	return p->stop_after && p->store.count >= p->stop_after;
}

// The text in pieces of `piece` bytes (0: as a whole), as a source would read it.
static inline void parsed_feed(struct parsed *p, const char *text, size_t length, size_t piece)
{
	struct assembler *a = assembler_new(p->strings, 0, &p->c, parsed_on_event, p);
	size_t offset = 0, end = 0, used = 0;

	p->result = a ? 0 : -1;
	while (p->result == 0 && (offset < length || end < length)) {
		end = piece && length - end > piece ? end + piece : length;
		p->result = assembler_feed(a, 0, offset, text + offset, end - offset, end == length, &used, &p->err);
		offset += used;
		if (end == length)
			break;
	}
	if (p->result == 0)
		p->result = assembler_finish(a, &p->err);
	assembler_free(a);
}

static inline void parsed_init(struct parsed *p, const char *text, size_t length, size_t piece)
{
	memset(p, 0, sizeof(*p));
	p->strings = intern_new();
	if (!p->strings)
		abort();
	parsed_feed(p, text, length, piece);
}

static inline void parsed_release(struct parsed *p)
{
	event_store_release(&p->store);
	completeness_release(&p->c);
	intern_free(p->strings);
}

static inline const char *parsed_string(const struct parsed *p, uint32_t id)
{
	return intern_string(p->strings, id);
}

// The first event with this serial; NULL: none.
static inline const struct event *parsed_find(const struct parsed *p, uint64_t serial)
{
	for (size_t i = 0; i < p->store.count; i++)
		if (p->store.items[i]->serial == serial && p->store.items[i]->kind != EVENT_GAP)
			return p->store.items[i];
	return NULL;
}

// A whole file, NUL behind it. NULL: cannot be read. The caller frees.
static inline char *read_whole_file(const char *path, size_t *ret_length)
{
	FILE *file = fopen(path, "rb");
	char *bytes = NULL;
	size_t length = 0, capacity = 0, got = 1;

	while (file && got > 0) {
		if (capacity - length < 65536) {
			capacity = capacity * 2 + 131072;
			bytes = realloc(bytes, capacity + 1);
			if (!bytes)
				abort();
		}
		got = fread(bytes + length, 1, capacity - length, file);
		length += got;
	}
	if (file)
		(void)fclose(file);
	if (bytes)
		bytes[length] = '\0';
	*ret_length = length;
	return bytes;
}

// The folder of recordings of the kernel: tests/syscalls/recordings below the project's root.
static inline const char *recordings_folder(void)
{
	static char path[4096];
	const char *root = getenv("SRCDIR");

	(void)snprintf(path, sizeof(path), "%s/tests/syscalls/recordings", root ? root : ".");
	return path;
}

#endif
