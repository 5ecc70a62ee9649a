// SPDX-License-Identifier: MIT
// What a source has to be able to do. Private to ingest/: each kind of source fills in a table; ingest.h calls through it.
#ifndef INGEST_SOURCE_H
#define INGEST_SOURCE_H

#include "ingest/ingest.h"

struct source_methods {
	void (*free)(struct source *s);
	int (*span)(struct source *s, uint64_t *ret_first_ns, uint64_t *ret_last_ns, struct error *err);
	size_t (*log_count)(const struct source *s);
	const char *(*log_name)(const struct source *s, size_t log);
	const char *(*note)(const struct source *s, size_t index);
	int (*log_digest)(struct source *s, size_t log, char ret_hex[65], uint64_t *ret_from, uint64_t *ret_to, struct error *err);
	int (*evidence)(struct source *s, const struct evidence_ref *ref, struct buffer *out, struct error *err);
	int (*add)(struct source *s, const struct source_log *log, struct error *err);
	int (*lines)(struct source *s, source_line *callback, void *context, struct error *err);
	int (*leave_out)(struct source *s, size_t log, uint64_t offset, struct error *err);
	int (*scan)(struct source *s, uint64_t from_ns, uint64_t to_ns, event_callback *callback, void *context, struct completeness *c,
		    struct error *err);
	int (*find)(struct source *s, const struct find_keys *keys, uint64_t before_ns, struct find_limit limit, event_callback *callback,
		    void *context, struct find_report *ret_report, struct error *err);
	int (*addresses)(struct source *s, uint64_t from_ns, uint64_t to_ns, struct address_seen **ret, size_t *ret_count,
			 struct completeness *c, struct error *err);
};

struct source {
	const struct source_methods *methods; // first member of every source's own struct
};

#endif
