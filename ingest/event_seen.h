// SPDX-License-Identifier: MIT
// Which events were handed on not long ago. Private to ingest/.
#ifndef INGEST_EVENT_SEEN_H
#define INGEST_EVENT_SEEN_H

#include "base/error.h"
#include "ingest/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_key { uint64_t serial, ns; uint32_t host, used; };

// Two tables: what is new goes into the young one; event_seen_age() drops the old one and makes the young one old.
struct event_seen {
	struct event_key *young, *old;
	size_t young_count, young_size, old_size; // sizes are powers of two, or 0
};

// *ret_new: the event was in neither table; it is in one now.
int event_seen_add(struct event_seen *seen, const struct event *event, bool *ret_new, struct error *err);
void event_seen_age(struct event_seen *seen);
void event_seen_release(struct event_seen *seen);

#endif
