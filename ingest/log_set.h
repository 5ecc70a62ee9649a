// SPDX-License-Identifier: MIT
// The paths that the user named -> audit logs, oldest first.
//
// A rotated set (audit.log.2, audit.log.1, audit.log) is put in order by the stamp of each log's first record: names say less, since
// log shippers and analysts rename. Private to ingest/.
#ifndef INGEST_LOG_SET_H
#define INGEST_LOG_SET_H

#include "base/error.h"
#include "ingest/log_file.h"

#include <stddef.h>

struct log_set {
	struct log_file **logs; // by (first stamp, rotation number, name)
	size_t count;
	char **notes;           // what was left out, and why: whole sentences
	size_t note_count;
};

// -1 and err: a path that was named cannot be read or holds no audit record, or nothing is left. `set` needs releasing either way.
int log_set_open(struct log_set *set, const char *const *paths, size_t count, struct error *err);
// One more log, which is open; owns f in every case. What holds no audit record is left out, with a note.
int log_set_add(struct log_set *set, struct log_file *f, struct error *err);
void log_set_release(struct log_set *set);

// Fills has_last/last_ns of every log. A compressed log whose successor in its rotated set is known is not decompressed for it:
// its records end where the successor's begin (last_estimated).
int log_set_find_last(struct log_set *set, struct error *err);

// Adds a sentence to the notes.
int log_set_note(struct log_set *set, struct error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));

// The name without what rotation and compression added: "/var/log/audit/audit.log.2.gz" -> "/var/log/audit/audit.log".
size_t log_set_stem(const char *name);

#endif
