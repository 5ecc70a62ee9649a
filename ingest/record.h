// SPDX-License-Identifier: MIT
// The header of one line of audit text.
//
//     [node=NAME ]type=TYPE msg=audit(SECONDS.MILLIS:SERIAL):[ ]BODY[\x1dENRICHED]
//
// ENRICHED is auditd's own translation of numbers into names, made when the line was written (names of that host, not evidence).
// The body is not looked at here: record types have their own readers. Private to ingest/.
#ifndef INGEST_RECORD_H
#define INGEST_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Kernel: 8970 bytes (MAX_AUDIT_MESSAGE_LENGTH, linux/audit.h), doubled at most by auditd's ENRICHED part. Longer lines are no records.
#define RECORD_MAX_BYTES 65536

struct record {
	const char *node, *type, *body;
	size_t node_length, type_length, body_length; // node NULL without node=
	uint64_t time_ns;
	uint32_t serial;
};

// `line` without its newline. NULL, or why this is no audit record (a static sentence part: "no type= at the start").
const char *record_parse(const char *line, size_t length, struct record *ret);
// The body without the part behind 0x1d, and without a final carriage return.
size_t record_raw_length(const char *body, size_t length);

#endif
