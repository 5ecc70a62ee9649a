// SPDX-License-Identifier: MIT
// The events of one host that are not complete yet, indexed by serial.
//
//      next                                  head
//   ----|------------------------------------|--------> serials
//       delivered before | held or still missing | not seen yet
//
// A slot's place is its serial modulo the size, so finding and replacing cost the same however far lines of one event lie apart.
// `occupied` has a bit per slot: leaps over serials that never came cost a word of bits per 64. Private to ingest/.
#ifndef INGEST_RING_H
#define INGEST_RING_H

#include "ingest/slot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	struct slot *slots;
	uint64_t *occupied;
	uint64_t mask;       // size - 1
	uint64_t next, head; // window: [next, head]; head - next < size
};

int ring_init(struct ring *r, size_t size); // a power of two >= 64. -1: out of memory
void ring_release(struct ring *r);          // slots must be empty
// An empty ring whose newest serial will be `head`.
void ring_start(struct ring *r, uint64_t head);
// The lowest held serial in [from, limit). False: none.
bool ring_first(const struct ring *r, uint64_t from, uint64_t limit, uint64_t *ret_serial);

static inline bool ring_holds(const struct ring *r, uint64_t serial)
{
	uint64_t at = serial & r->mask;

	return r->occupied[at / 64] >> (at % 64) & 1;
}

static inline struct slot *ring_slot(const struct ring *r, uint64_t serial)
{
	return &r->slots[serial & r->mask];
}

// For a serial inside the window that is not held.
static inline struct slot *ring_take(struct ring *r, uint64_t serial)
{
	uint64_t at = serial & r->mask;

	r->occupied[at / 64] |= (uint64_t)1 << (at % 64);
	return &r->slots[at];
}

static inline void ring_drop(struct ring *r, uint64_t serial)
{
	uint64_t at = serial & r->mask;

	r->occupied[at / 64] &= ~((uint64_t)1 << (at % 64));
}

#endif
