// SPDX-License-Identifier: MIT
// Audit text -> events. Groups records by (node, serial, time), without timers.
//
// Records of one event may lie 16,000 lines apart, so an event is complete when it is evicted from a ring of slots indexed by
// serial, or at the end; never "when the next serial comes", never after 2 s, never at PROCTITLE. Events are therefore delivered
// near, but not exactly in, serial order: `ordered` delivery sorts out what the ring holds.
//
// Private to ingest/: sources feed it, tests and fuzzers drive it with bytes.
#ifndef INGEST_ASSEMBLE_H
#define INGEST_ASSEMBLE_H

#include "base/error.h"
#include "base/intern.h"
#include "ingest/completeness.h"
#include "ingest/event.h"

#include <stddef.h>
#include <stdint.h>

struct assembler;

// `strings` and `c` must outlive it; `host` is the id for records without node=. NULL: out of memory.
struct assembler *assembler_new(struct intern *strings, uint32_t host, struct completeness *c,
				event_callback *callback, void *context);
void assembler_free(struct assembler *a);
// What is known of the logs, by their numbers: events out of recovered ones are marked, lines that are left out are not read. They must
// outlive it.
struct log_file;
void assembler_know_logs(struct assembler *a, struct log_file *const *logs, size_t count);

// Bytes of log `log` that start at offset `offset` of it. They may end inside a line: *ret_used says how many bytes (whole lines)
// were consumed; the caller feeds the rest again with what follows. With `last` an unterminated last line counts as a line.
// Returns 0, 1 when the callback asked to stop, -1 with err. Deterministic for any cutting of the input into pieces.
int assembler_feed(struct assembler *a, uint32_t log, uint64_t offset, const char *bytes, size_t length, bool last,
		   size_t *ret_used, struct error *err);
// Delivers what is still held (end of the last log).
int assembler_finish(struct assembler *a, struct error *err);

#endif
