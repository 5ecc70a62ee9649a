// SPDX-License-Identifier: MIT
// One host's serials and times: where a record belongs, when its event is complete, which boot it is of, what is missing.
//
// Rules (facts behind them: kernel/audit.c takes a serial when the first record of an event is written, and the stamp when the call
// was entered; so serials rise with the end of calls and stamps may be old):
//  - An event is complete when HOST_WINDOW later serials have been seen, or at the end. Records of one event stood 16,338 lines apart
//    in a measured log, and every event has at least one line.
//  - A record far away from the newest serial, or with a serial that is taken by another stamp, is a *stray*: one damaged line, a very
//    late one, or the first of a new counting. It waits alone; a second event near it decides: a leap ahead is followed; a fall
//    back begins a new epoch when its stamps lie behind all stamps so far, or hours before them (a boot, a reverted machine); else it is an
//    event of its own.
//  - When DAEMON_START or SYSTEM_BOOT stood just before, a fall back needs no second event.
//  - Serials that never came count as missing once 10 s of later stamps have passed; those before the first complete event
//    and in the last 10 s do not count. A stray may still fill them.
// Private to ingest/.
#ifndef INGEST_HOST_STATE_H
#define INGEST_HOST_STATE_H

#include "base/error.h"
#include "ingest/completeness.h"
#include "ingest/ring.h"

#include <stdbool.h>
#include <stdint.h>

#define HOST_WINDOW 16384u           /* serials */
#define HOST_WINDOW_MIN 64u          /* with a thousand hosts */
#define HOST_MISSING_AFTER_NS (10 * UINT64_C(1000000000))
#define HOST_HOLES 256u              /* ranges of serials that may still come */
#define HOST_QUEUE 64u               /* records of auditd's own counter that wait for their place */

struct host_state;
// A complete event: 0, 1 to stop, -1. The slot is cleared afterwards.
typedef int host_deliver(void *context, struct host_state *h, struct slot *s, struct error *err);
// A gap that is certain now.
typedef int host_gap(void *context, struct host_state *h, const struct completeness_gap *gap, struct error *err);

struct host_hooks {
	host_deliver *deliver;
	host_gap *gap;
	void *context;
	struct slot_pool *pool;
};

struct host_hole { uint64_t first, last, from_ns, to_ns; };

struct host_queued { uint64_t after; struct slot slot; };

struct host_state {
	uint32_t host, epoch;
	bool started;
	struct ring ring;
	uint64_t latest_ns;          // running maximum of stamps
	uint64_t outlier_ns;         // a stamp more than an hour ahead: believed when a second event confirms it
	uint32_t outlier_serial;
	bool has_outlier;
	bool boot_hint;              // DAEMON_START or SYSTEM_BOOT, and no higher serial since
	bool other_kernel;           // DAEMON_START named another kernel than before: the next record is of a new boot
	uint32_t kernel;
	struct slot stray;
	bool has_stray, stray_conflict;
	bool anchored;               // a complete event was delivered in this epoch
	uint64_t delivered_serial, delivered_ns;
	struct host_hole holes[HOST_HOLES];
	size_t hole_count;
	struct host_queued *queue;
	size_t queue_count;
};

struct host_state *host_state_new(uint32_t host, size_t window); // NULL: out of memory
void host_state_free(struct host_state *h, struct slot_pool *pool);

// The slot of the event that a record (serial, time) belongs to; a new one has time_ns set and nothing else. May deliver.
int host_state_place(struct host_state *h, const struct host_hooks *hooks, uint32_t serial, uint64_t time_ns, struct slot **ret, struct error *err);
// After the record was read into its slot: sets the slot's latest_ns.
void host_state_touch(struct host_state *h, struct slot *s);
// A record of auditd's own counter: delivered alone, in its place among the others.
int host_state_queue(struct host_state *h, const struct host_hooks *hooks, struct slot *s, struct error *err);
// Delivers all that is held; the host goes on after it.
int host_state_flush(struct host_state *h, const struct host_hooks *hooks, struct error *err);
int host_state_finish(struct host_state *h, const struct host_hooks *hooks, struct error *err);
// Makes the window smaller (memory is needed for other hosts).
int host_state_shrink(struct host_state *h, const struct host_hooks *hooks, size_t window, struct error *err);

#endif
