// SPDX-License-Identifier: MIT
// One recorded disk of --disk [HOST/]DEV=HISTORY[:PARTITION]: its history, the guest's clock, and which records the window is.
//
// Knows nothing of the graph (cmd/witness.h does).
#ifndef CMD_WITNESS_VOLUME_H
#define CMD_WITNESS_VOLUME_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/nanotime.h"
#include "snapshots/timeline.h"

#include <stdbool.h>
#include <stdint.h>

struct history; // snapshots/history.h

// What one --disk says. Strings are malloc'ed.
struct witness_mapping {
	char *host;                // NULL: none named, the contact's
	uint32_t dev;              // major << 20 | minor, as in struct event_path
	char *history;             // folder, without :PARTITION
	int partition;             // < 0: the only one with a file system
};
// Reads no evidence. -1 and err on wrong usage.
int witness_parse(const char *text, struct witness_mapping *ret, struct error *err);
void witness_mapping_release(struct witness_mapping *m);

struct witness_volume {
	struct witness_mapping mapping;
	char *name;                // "web01.history:1", without folders: for pages
	char *argument;            // "evidence/web01.history:1": what --disk takes after --restore-at; not quoted
	// witness_volume_open
	struct history *history;   // for times and records; whatever interprets what the guest wrote is asked by `file`
	uint8_t uuid[16];
	uint64_t first_ns, last_ns, last_seq; // of the record as it was read; NANOTIME_NONE, NANOTIME_NONE, 0: nothing was recorded yet
	bool being_written;        // somebody records into it
	uint64_t end_seq;          // 0, or: behind it the file system could not be read any more (wiped?), so the record counts up to there
	uint64_t unreadable_ns;    // host time from which on; with end_seq
	struct timeline_file file; // history, partition and warnings: what the front doors of snapshots/ take
	struct buffer warnings;    // of provgraph-fsread, a line each; the names in them are the guest's
	struct buffer root;        // private: names in the root folder, each behind a slash
	bool root_known;
	struct timeline_clock clock; // of the whole history; no pieces: the disk does not tell the guest's time
	// witness_volume_look
	uint64_t host_from_ns, host_to_ns; // the window by the host's clock, its error included; unknown clock: all of the record
	bool covered;              // something of the window was recorded; else the rest is 0
	uint64_t from_seq, to_seq; // asked are the records (from_seq, to_seq]
	uint64_t from_ns, to_ns;   // host time of the first of them, and of the last write among them
	struct timeline_spans breaks; // in between: recording was interrupted
	// cmd/witness.c
	uint32_t host;             // string id of the log; 0: any
	uint32_t asked;            // files
	uint32_t births_compared, births_matched;
	bool failed;               // its states could not be read
	bool unnamed;              // the log names no file of this device: only the audit log on it counts
};

// Takes over the mapping. The history is opened, and the clock asked for. -1: it cannot be used.
int witness_volume_open(struct witness_volume *v, struct witness_mapping *mapping, struct error *err);
// Sets end_seq, where it is needed. witness_volume_open() calls it.
int witness_volume_find_end(struct witness_volume *v, struct error *err);
// The window [from_ns, to_ns) by the guest's clock -> records, a little before it and after_ns behind it included.
int witness_volume_look(struct witness_volume *v, uint64_t from_ns, uint64_t to_ns, uint64_t after_ns, struct error *err);
void witness_volume_release(struct witness_volume *v);

// The last record not after a moment of host time (0: before all). Where a step of the host's clock makes that two, the later one.
int witness_volume_seq_at(struct witness_volume *v, uint64_t host_ns, uint64_t *ret_seq, struct error *err);
// "2026-11-21T10:06:00.123456789+09:00", or "seq:N" where that time does not lead to this record: for --restore-at.
void witness_volume_moment(struct witness_volume *v, uint64_t seq, struct timezone_choice zone, struct buffer *out);

// Whether the root folder of its file system held, at the end of the record or some moments before, an entry whose name begins so. Asked once;
// true when that cannot be told. Tells cheaply where something can have been.
bool witness_volume_root_has(struct witness_volume *v, const char *name, size_t length);

#endif
