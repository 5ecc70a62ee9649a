// SPDX-License-Identifier: MIT
// From places in a log to whole events. Private to ingest/.
#ifndef INGEST_FIND_PARSE_H
#define INGEST_FIND_PARSE_H

#include "base/error.h"
#include "base/vector.h"
#include "ingest/event_store.h"
#include "ingest/source_files.h"

#include <stdint.h>

#define FIND_BUFFER_BYTES ((uint64_t)1 << 20)

struct span { uint64_t from, to; };
VECTOR_DEFINE(span_vector, struct span)

struct find_parser {
	struct files_source *source;
	const struct find_keys *keys;
	uint64_t before_ns, not_before_ns;
	char *bytes;                     // FIND_BUFFER_BYTES
	unsigned fruitless;              // looks for far records that found none
};

// Widens a place by the margin in which the other records of its event stand, and joins it with the last span where they meet. Places
// come in ascending order.
int find_parse_add(struct span_vector *spans, uint64_t place, struct error *err);
// Parses the spans of a log; the events that match the keys and times go into `found`. A span at an end of the log reaches into the log
// before or behind it: rotation cuts between the records of an event.
int find_parse_spans(struct find_parser *p, uint32_t log, struct span_vector *spans, struct event_store *found, struct error *err);
// When *event misses records, looks for lines of its serial further away. *event is replaced by the more complete copy, in `store`.
// Gives up for good after some vain looks: then it is the rules that leave such records out.
int find_parse_whole(struct find_parser *p, struct event_store *store, const struct event **event, struct error *err);

#endif
