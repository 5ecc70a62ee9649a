// SPDX-License-Identifier: MIT
// Front door for whoever records: the nbdkit plugin and the importer.
//
// Every function may be called from several threads at once. They return 0 or a negative errno (-EIO, -ENOSPC ...) for the client, and
// fill err with the sentence for people. After a failed write or fsync every later request gives -EIO until the history is opened
// again, from what is durable.
#ifndef SNAPSHOTS_WRITER_H
#define SNAPSHOTS_WRITER_H

#include "snapshots/history.h"

struct writer;

struct writer_options {
	bool direct;                // sync=direct: every request reaches the file before its answer (default: within 50 ms, at FLUSH at once)
	enum record_codec inline_codec; // RECORD_RAW (default) or RECORD_LZ4
	enum writer_compress { WRITER_COMPRESS_COLD, WRITER_COMPRESS_NOW, WRITER_COMPRESS_NEVER } compress; // zstd of sealed segments, in the background
	uint64_t max_size_bytes;    // 0: as much as the file system has
	bool imported;              // no OPEN, CLOSE, CLOCK or GAP record: only writer_import() adds any
	const char *program;        // name and version for the OPEN record; NULL: "provgraph"
	void (*warn)(void *context, const char *message); // told once per event, from any thread; may be NULL
	void *warn_context;
	// For tests: clocks to use instead of the machine's; NULL = the machine's.
	uint64_t (*realtime)(void *context);
	uint64_t (*boottime)(void *context);
	void *clock_context;
};

struct writer_recovery { // what opening had to do after a crash
	bool torn;               // a tail was cut
	uint64_t torn_bytes, kept_seq;
	char torn_file[64];      // where it is kept
	struct error reason;
};

// Takes the lock (a second writer is refused by name of the pid), recovers, appends OPEN. Refuses, and cuts nothing, where damage
// lies anywhere else than behind the last FLUSH of the unsealed end.
int writer_open(const char *folder, const struct writer_options *options, struct writer **ret, struct writer_recovery *ret_recovery, struct error *err);
// Everything durable, CLOSE, seals nothing that would take long. Frees w in any case.
int writer_close(struct writer *w, struct error *err);

uint64_t writer_size_bytes(const struct writer *w);
int writer_write(struct writer *w, uint64_t offset, const void *bytes, size_t length, bool fua, struct error *err);
int writer_zero(struct writer *w, uint64_t offset, uint64_t length, bool may_trim, bool fua, struct error *err);
int writer_trim(struct writer *w, uint64_t offset, uint64_t length, bool fua, struct error *err);
int writer_flush(struct writer *w, struct error *err);
int writer_mark(struct writer *w, const char *text, struct error *err);
int writer_read(struct writer *w, uint64_t offset, void *bytes, size_t length, struct error *err);
// Extents of [offset, offset + length) for NBD block status.
typedef int writer_extent(void *context, uint64_t offset, uint64_t length, bool hole_and_zero);
int writer_extents(struct writer *w, uint64_t offset, uint64_t length, writer_extent *visit, void *context, struct error *err);

// An entry of another program's log, at its own time: WRITE (bytes), ZERO, TRIM, FLUSH, MARK (bytes = text). Flag RECORD_IMPORTED is set.
int writer_import(struct writer *w, enum record_type type, uint16_t flags, uint64_t realtime_ns, uint64_t offset, uint64_t length,
		  const void *bytes, struct error *err);

#endif
