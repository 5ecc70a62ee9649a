// SPDX-License-Identifier: MIT
// Front door for alerts of intrusion detection systems (Suricata EVE, JSON lines).
#ifndef INGEST_ALERT_H
#define INGEST_ALERT_H

#include "base/error.h"
#include "base/vector.h"
#include "ingest/event.h"

#include <stdbool.h>
#include <stdint.h>

struct alert {
	uint64_t time_ns;
	uint64_t line;               // in the file, from 1
	struct event_address source, destination; // ports inside; path unused
	char protocol[16];           // "TCP"
	bool to_server;              // direction: "to_server" (default) or "to_client"
	uint64_t flow_id, signature_id;
	char signature[256];         // as the file says (valid UTF-8, may be hostile)
	uint32_t severity;
};
VECTOR_DEFINE(alert_vector, struct alert)

// All alert lines (event_type "alert") of EVE text, in order; other event types are skipped and counted.
// A line that is not JSON, or an alert without addresses or time, counts as rejected. -1 only when out of memory.
struct alert_report { uint64_t lines, alerts, other, rejected; uint64_t first_rejected_line; const char *first_reason; };
int alert_parse_eve(const char *bytes, size_t length, struct alert_vector *out, struct alert_report *ret_report, struct error *err);

#endif
