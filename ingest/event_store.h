// SPDX-License-Identifier: MIT
// Copies of events that outlive the callback. Private to ingest/.
#ifndef INGEST_EVENT_STORE_H
#define INGEST_EVENT_STORE_H

#include "base/error.h"
#include "ingest/event.h"

#include <stddef.h>

struct event_store {
	struct event **items; // each with its arrays in one allocation
	size_t count, capacity;
	size_t bytes;         // taken by all of them
};

int event_store_add(struct event_store *store, const struct event *event, struct error *err);
void event_store_clear(struct event_store *store);   // keeps the list's memory
void event_store_release(struct event_store *store);

#endif
