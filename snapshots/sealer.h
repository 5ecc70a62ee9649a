// SPDX-License-Identifier: MIT
// The background thread of a writer: full segments get their footer, their table in index/, merged tables, and are compressed with zstd.
// It never holds a lock that a request waits for while it reads, writes or computes. Nice 19.
#ifndef SNAPSHOTS_SEALER_H
#define SNAPSHOTS_SEALER_H

#include "snapshots/live.h"
#include "snapshots/writer.h"

struct sealer;

struct sealer_hooks {
	// A segment became sealed, or was replaced by its compressed form: the writer reopens it. fd is the new file's.
	void (*replaced)(void *context, const struct segment *segment);
	void (*warn)(void *context, const char *message);
	void *context;
};
int sealer_start(const char *folder, const uint8_t uuid[16], struct live *l, enum writer_compress compress, const struct sealer_hooks *hooks,
		 struct sealer **ret, struct error *err);
// Takes over the segment (with its rows; the struct is copied, fd is dup'ed by the caller when it needs its own).
int sealer_push(struct sealer *s, const struct segment *full, struct error *err);
// The guest just wrote (compression of WRITER_COMPRESS_COLD waits for calm).
void sealer_note_activity(struct sealer *s);
// Ends after the step in hand: what is left is done after the next start.
void sealer_stop(struct sealer *s);

#endif
