// SPDX-License-Identifier: MIT
// The background thread of a writer: full segments get their footer, their table in index/, merged tables, and are compressed with zstd.
// It never holds a lock that a request waits for while it reads, writes or computes. Nice 19.
#ifndef SNAPSHOTS_SEALER_H
#define SNAPSHOTS_SEALER_H

#include "snapshots/live.h"
#include "snapshots/writer.h"

struct sealer;

struct sealer_hooks {
	// A segment became sealed, or was replaced by its compressed form: the writer reopens it. fd is the new file's, and closed after the call.
	void (*replaced)(void *context, const struct segment *segment);
	void (*warn)(void *context, const char *message); // once for each kind of trouble, until it is over; may be NULL
	// The records of a full segment cannot be made durable: whoever records must not promise anything any more. May be NULL.
	void (*failed)(void *context, const struct error *why);
	void *context;
};
int sealer_start(const char *folder, const uint8_t uuid[16], struct live *l, enum writer_compress compress, const struct sealer_hooks *hooks,
		 struct sealer **ret, struct error *err);
// Takes over the segment (with its rows; the struct is copied, fd is dup'ed by the caller when it needs its own). In the order of numbers,
// after the last live_note() for it. On failure it stays the caller's.
int sealer_push(struct sealer *s, const struct segment *full, struct error *err);
// The guest just wrote (compression of WRITER_COMPRESS_COLD waits for calm).
void sealer_note_activity(struct sealer *s);
// Slows a request down, by at most SEALER_MAX_DELAY_NS, while the guest writes faster than the disk takes: what waits to be sealed is kept in
// memory, some 130 bytes a record. To be called without a lock, before a request that adds a record. Costs nothing else.
#define SEALER_MAX_DELAY_NS 10000000L
void sealer_throttle(struct sealer *s);
// Nothing is left to do now but what waits for calm, for space or for colder segments. For tests and the importer; waits for at most
// timeout_ms, false when that was not enough.
bool sealer_wait(struct sealer *s, unsigned timeout_ms);
// Ends after the step in hand, which is a short one: what is left is done after the next start. s NULL is fine.
void sealer_stop(struct sealer *s);

#endif
