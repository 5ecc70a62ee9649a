// SPDX-License-Identifier: MIT
// Log files as a source: what its parts (opening, scanning, finding, addresses) share. Private to ingest/.
#ifndef INGEST_SOURCE_FILES_H
#define INGEST_SOURCE_FILES_H

#include "base/vector.h"
#include "ingest/log_set.h"
#include "ingest/source.h"

#include <stdbool.h>
#include <stdint.h>

// Where scan() first met a boot of a host: find() counts on from there into the past.
struct epoch_mark {
	uint32_t host, epoch, log;
	uint64_t offset, serial, ns;
};
VECTOR_DEFINE(epoch_mark_vector, struct epoch_mark)

struct files_source {
	struct source base;
	struct log_set set;
	struct intern *strings;
	uint32_t host;           // the one that the user named; with `only_host` all others are left out
	bool only_host, strict;
	uint64_t slack_ns;
	struct epoch_mark_vector epochs; // of the last scan, in the order met
};

// Times with slack that do not run over.
static inline uint64_t files_time_before(const struct files_source *s, uint64_t ns)
{
	return ns > s->slack_ns ? ns - s->slack_ns : 0;
}

static inline uint64_t files_time_after(const struct files_source *s, uint64_t ns)
{
	return ns < UINT64_MAX - s->slack_ns ? ns + s->slack_ns : UINT64_MAX;
}

static inline bool files_host_wanted(const struct files_source *s, uint32_t host)
{
	return !s->only_host || host == s->host;
}

// As in ingest.h: source_add, source_lines, source_leave_out.
int files_add(struct source *source, const struct source_log *log, struct error *err);
int files_lines(struct source *source, source_line *callback, void *context, struct error *err);
int files_leave_out(struct source *source, size_t log, uint64_t offset, struct error *err);
// As in ingest.h: source_scan, source_find, source_addresses.
int files_scan(struct source *source, uint64_t from_ns, uint64_t to_ns, event_callback *callback, void *context, struct completeness *c,
	       struct error *err);
int files_find(struct source *source, const struct find_keys *keys, uint64_t before_ns, struct find_limit limit, event_callback *callback,
	       void *context, struct find_report *ret_report, struct error *err);
int files_addresses(struct source *source, uint64_t from_ns, uint64_t to_ns, struct address_seen **ret, size_t *ret_count,
		    struct completeness *c, struct error *err);

#endif
