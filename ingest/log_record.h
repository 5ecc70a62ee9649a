// SPDX-License-Identifier: MIT
// Front door: one line of audit text, as far as two copies of a record have to be told from each other.
#ifndef INGEST_LOG_RECORD_H
#define INGEST_LOG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_record {
	const char *node;          // of node=; NULL: none
	size_t node_length;
	// What all copies of a record have in common: from type= on, without what auditd itself translated (behind 0x1d) and blanks at the end.
	const char *text;
	size_t text_length;
	size_t head_length;        // of text, up to its body: type and stamp
	const char *item; size_t item_length; // "item=2" of a PATH record; else length 0
	uint64_t time_ns;
	uint32_t serial;
};
// A line without its newline. False: it is no audit record.
bool log_record_read(const char *line, size_t length, struct log_record *ret);

#endif
