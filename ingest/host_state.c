// SPDX-License-Identifier: MIT
#include "ingest/host_state.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_HOUR (3600 * NS_PER_SECOND)
#define FIRST_TURN ((uint64_t)1 << 32) /* so that serials before the first have room below */
#define BOOT_DROP 64           /* a task can be overtaken by a few serials between taking one and writing it */
#define BOOT_PAUSE_NS NS_PER_SECOND /* no machine boots faster */

struct host_state *host_state_new(uint32_t host, size_t window)
{
	struct host_state *h = calloc(1, sizeof(*h));

	if (!h || ring_init(&h->ring, window) < 0) {
		free(h);
		return NULL;
	}
	h->host = host;
	return h;
}

void host_state_free(struct host_state *h, struct slot_pool *pool)
{
	uint64_t serial;

	if (!h)
		return;
	while (ring_first(&h->ring, h->ring.next, h->ring.head + 1, &serial)) {
		slot_clear(ring_slot(&h->ring, serial), pool);
		ring_drop(&h->ring, serial);
	}
	slot_clear(&h->stray, pool);
	for (size_t i = 0; i < h->queue_count; i++)
		slot_clear(&h->queue[i].slot, pool);
	free(h->queue);
	ring_release(&h->ring);
	free(h);
}

// ---- holes: serials that were passed over

static int report_hole(struct host_state *h, const struct host_hooks *hooks, const struct host_hole *hole, struct error *err)
{
	struct completeness_gap gap = {.cause = GAP_SERIALS_MISSING, .host = h->host, .epoch = h->epoch, .from_ns = hole->from_ns,
				       .to_ns = hole->to_ns, .count = hole->last - hole->first + 1,
				       .first_serial = (uint32_t)hole->first, .last_serial = (uint32_t)hole->last};

	return hooks->gap(hooks->context, h, &gap, err);
}

// Reports the holes that nothing can fill any more; with `all`, also makes room when the list is full.
static int settle_holes(struct host_state *h, const struct host_hooks *hooks, bool full, struct error *err)
{
	size_t settled = 0;

	while (settled < h->hole_count) {
		const struct host_hole *hole = &h->holes[settled];

		if (h->latest_ns < hole->to_ns + HOST_MISSING_AFTER_NS && !(full && settled == 0))
			break;
		settled++;
		if (report_hole(h, hooks, hole, err) < 0)
			return -1;
	}
	h->hole_count -= settled;
	memmove(h->holes, h->holes + settled, h->hole_count * sizeof(h->holes[0]));
	return 0;
}

static int add_hole(struct host_state *h, const struct host_hooks *hooks, uint64_t first, uint64_t last, uint64_t to_ns, struct error *err)
{
	uint64_t from_ns = h->delivered_ns;

	if (settle_holes(h, hooks, h->hole_count == HOST_HOLES, err) < 0)
		return -1;
	if (to_ns <= from_ns)
		to_ns = from_ns + 1;
	h->holes[h->hole_count++] = (struct host_hole){first, last, from_ns, to_ns};
	return 0;
}

// A late event came after all. Splits the range it stood in.
static void fill_hole(struct host_state *h, uint64_t serial)
{
	for (size_t i = 0; i < h->hole_count; i++) {
		struct host_hole *hole = &h->holes[i];

		if (serial < hole->first || serial > hole->last)
			continue;
		if (serial == hole->first && serial == hole->last) {
			h->hole_count--;
			memmove(hole, hole + 1, (h->hole_count - i) * sizeof(*hole));
		} else if (serial == hole->first) {
			hole->first++;
		} else if (serial == hole->last || h->hole_count == HOST_HOLES) {
			hole->last--; // with a full list the count stays right, the place is one off
		} else {
			memmove(hole + 2, hole + 1, (h->hole_count - i - 1) * sizeof(*hole));
			hole[1] = (struct host_hole){serial + 1, hole->last, hole->from_ns, hole->to_ns};
			hole->last = serial - 1;
			h->hole_count++;
		}
		return;
	}
}

// ---- delivery

static int deliver_slot(struct host_state *h, const struct host_hooks *hooks, struct slot *s, struct error *err)
{
	int result = hooks->deliver(hooks->context, h, s, err);

	slot_clear(s, hooks->pool);
	return result;
}

// Records of auditd's counter that were read before kernel serial `serial` was new.
static int deliver_queued(struct host_state *h, const struct host_hooks *hooks, uint64_t serial, struct error *err)
{
	size_t done = 0;
	int result = 0;

	while (result == 0 && done < h->queue_count && h->queue[done].after < serial)
		result = deliver_slot(h, hooks, &h->queue[done++].slot, err);
	if (done == 0)
		return result;
	h->queue_count -= done;
	memmove(h->queue, h->queue + done, h->queue_count * sizeof(h->queue[0]));
	return result;
}

static int deliver_held(struct host_state *h, const struct host_hooks *hooks, uint64_t serial, struct error *err)
{
	struct slot *s = ring_slot(&h->ring, serial);
	bool whole = !(s->seen & SEEN_PART) || (s->seen & (SEEN_SYSCALL | SEEN_URING));
	uint64_t latest_ns = s->latest_ns;

	int result = h->queue_count ? deliver_queued(h, hooks, serial, err) : 0;

	if (result)
		return result;
	// Before the first whole event nothing is missing: the reading began there.
	if (h->anchored && serial - h->delivered_serial > 1 &&
	    add_hole(h, hooks, h->delivered_serial + 1, serial - 1, latest_ns, err) < 0)
		return -1;
	h->anchored |= whole;
	h->delivered_serial = serial;
	if (latest_ns > h->delivered_ns)
		h->delivered_ns = latest_ns;
	ring_drop(&h->ring, serial);
	return deliver_slot(h, hooks, s, err);
}

// Everything below `limit`.
static int deliver_until(struct host_state *h, const struct host_hooks *hooks, uint64_t limit, struct error *err)
{
	uint64_t serial, from = h->ring.next;
	int result = 0;

	while (result == 0 && ring_first(&h->ring, from, limit, &serial)) {
		from = serial + 1;
		result = deliver_held(h, hooks, serial, err);
		h->ring.next = from;
	}
	if (result == 0 && limit > h->ring.next)
		h->ring.next = limit;
	return result;
}

static int deliver_stray(struct host_state *h, const struct host_hooks *hooks, struct error *err)
{
	if (!h->has_stray)
		return 0;
	h->has_stray = false;
	if (h->started && !h->stray_conflict)
		fill_hole(h, h->stray.serial);
	return deliver_slot(h, hooks, &h->stray, err);
}

int host_state_flush(struct host_state *h, const struct host_hooks *hooks, struct error *err)
{
	int result = h->started ? deliver_until(h, hooks, h->ring.head + 1, err) : 0;

	if (result == 0)
		result = deliver_stray(h, hooks, err);
	return result ? result : deliver_queued(h, hooks, UINT64_MAX, err);
}

int host_state_finish(struct host_state *h, const struct host_hooks *hooks, struct error *err)
{
	int result = host_state_flush(h, hooks, err);

	if (result == 0)
		result = settle_holes(h, hooks, false, err);
	h->hole_count = 0; // the last 10 s: they may still be on their way to the log
	return result;
}

// ---- time

void host_state_touch(struct host_state *h, struct slot *s)
{
	uint64_t time_ns = s->time_ns;

	// A stray's stamp counts when it turns out to belong here.
	if (time_ns > h->latest_ns && s != &h->stray) {
		// One damaged digit must not stretch every event that follows.
		bool far = h->latest_ns && time_ns - h->latest_ns > NS_PER_HOUR;

		if (far && !h->has_outlier) {
			h->has_outlier = true;
			h->outlier_ns = time_ns;
			h->outlier_serial = (uint32_t)s->serial;
		} else if (!far || h->outlier_serial != (uint32_t)s->serial) {
			h->latest_ns = far && h->outlier_ns < time_ns ? h->outlier_ns : time_ns;
			h->has_outlier = far && h->outlier_ns > h->latest_ns;
		}
	}
	s->latest_ns = h->latest_ns > time_ns ? h->latest_ns : time_ns;
}

// ---- places

// A macro: gcc 12 takes a function of prefetches alone for one without effects, and leaves the calls out.
#define PREFETCH(start, length)                                                                                   \
	do {                                                                                                      \
		for (size_t prefetch_at = 0; prefetch_at < (length); prefetch_at += 64)                          \
			__builtin_prefetch((const char *)(start) + prefetch_at, 1);                              \
		__builtin_prefetch((const char *)(start) + (length) - 1, 1);                                     \
	} while (0)

static struct slot *take(struct host_state *h, uint64_t serial, uint64_t time_ns)
{
	struct slot *s = ring_take(&h->ring, serial);
	const struct slot_extra *x = ring_slot(&h->ring, serial + 1)->extra;

	// What leaves the ring next was last touched 16,384 events ago: its slot is fetched two events ahead, what hangs on it one.
	PREFETCH(ring_slot(&h->ring, serial + 2), sizeof(*s));
	if (x)
		PREFETCH(x, sizeof(*x));
	s->serial = serial;
	s->time_ns = time_ns;
	return s;
}

static int advance(struct host_state *h, const struct host_hooks *hooks, uint64_t serial, struct error *err)
{
	int result = deliver_until(h, hooks, serial - h->ring.mask, err);

	if (result == 0)
		h->ring.head = serial;
	return result;
}

static void start_epoch(struct host_state *h, uint32_t serial)
{
	ring_start(&h->ring, FIRST_TURN + serial);
	h->started = true;
	h->anchored = false;
	h->boot_hint = h->other_kernel = false;
}

static int new_epoch(struct host_state *h, const struct host_hooks *hooks, uint32_t serial, uint64_t time_ns, struct error *err)
{
	int result = deliver_until(h, hooks, h->ring.head + 1, err);

	if (result == 0)
		result = settle_holes(h, hooks, false, err);
	if (result)
		return result;
	h->hole_count = 0; // a machine that went down wrote nothing after them
	if (time_ns < h->latest_ns)
		h->latest_ns = h->delivered_ns = 0; // the clock went back
	h->epoch++;
	start_epoch(h, serial);
	return 0;
}

// A serial below the newest with a stamp that cannot belong there: the counting began anew. After all others so far (a boot), or
// hours before them and far from the window (a machine that was reverted, or boots with a wrong clock).
static bool looks_like_boot(const struct host_state *h, int64_t ahead, uint64_t time_ns, bool conflict)
{
	if (ahead > 0)
		return false;
	if (time_ns > h->latest_ns + BOOT_PAUSE_NS)
		return conflict || h->boot_hint || -ahead >= BOOT_DROP;
	return time_ns + NS_PER_HOUR < h->latest_ns && (h->boot_hint || -ahead > (int64_t)h->ring.mask);
}

// The stray turns out to be the first of many: it moves into the ring.
static void adopt_stray(struct host_state *h)
{
	uint64_t serial = h->ring.head;
	struct slot *s = ring_take(&h->ring, serial);

	*s = h->stray;
	s->serial = serial;
	memset(&h->stray, 0, sizeof(h->stray));
	h->has_stray = false;
	host_state_touch(h, s);
}

// A second event near the stray: does it carry on? 1: yes, and the window is there now.
static int follow_stray(struct host_state *h, const struct host_hooks *hooks, uint32_t serial, uint64_t time_ns, bool *ret_followed,
			struct error *err)
{
	uint32_t stray = (uint32_t)h->stray.serial;
	int64_t near = (int32_t)(serial - stray), ahead = (int32_t)(stray - (uint32_t)h->ring.head);
	int result = 0;

	*ret_followed = false;
	if (near == 0 || near > (int64_t)h->ring.mask || -near > (int64_t)h->ring.mask)
		return 0;
	if (ahead > 0)
		result = advance(h, hooks, h->ring.head + (uint64_t)ahead, err);
	else if (looks_like_boot(h, ahead, h->stray.time_ns, h->stray_conflict) &&
		 (time_ns > h->latest_ns) == (h->stray.time_ns > h->latest_ns))
		result = new_epoch(h, hooks, stray, h->stray.time_ns, err);
	else
		return 0;
	if (result)
		return result;
	adopt_stray(h);
	*ret_followed = true;
	return 0;
}

static int place_stray(struct host_state *h, const struct host_hooks *hooks, uint32_t serial, uint64_t time_ns, bool conflict,
		       struct slot **ret, struct error *err)
{
	int64_t ahead = (int32_t)(serial - (uint32_t)h->ring.head);
	bool followed = false;

	if (h->has_stray && (uint32_t)h->stray.serial == serial && h->stray.time_ns == time_ns) {
		*ret = &h->stray;
		return 0;
	}
	if (h->boot_hint && looks_like_boot(h, ahead, time_ns, conflict)) {
		int result = new_epoch(h, hooks, serial, time_ns, err);

		*ret = result ? NULL : take(h, h->ring.head, time_ns);
		return result;
	}
	if (h->has_stray) {
		int result = follow_stray(h, hooks, serial, time_ns, &followed, err);

		if (result)
			return result;
		if (followed)
			return host_state_place(h, hooks, serial, time_ns, ret, err);
		result = deliver_stray(h, hooks, err);
		if (result)
			return result;
	}
	h->has_stray = true;
	h->stray_conflict = conflict;
	h->stray.serial = h->ring.head + (uint64_t)ahead;
	h->stray.time_ns = time_ns;
	*ret = &h->stray;
	return 0;
}

int host_state_place(struct host_state *h, const struct host_hooks *hooks, uint32_t serial, uint64_t time_ns, struct slot **ret,
		     struct error *err)
{
	if (!h->started) {
		start_epoch(h, serial);
	} else if (h->other_kernel && time_ns >= h->latest_ns) {
		int result = new_epoch(h, hooks, serial, time_ns, err);

		if (result)
			return result;
	}
	int64_t ahead = (int32_t)(serial - (uint32_t)h->ring.head), size = (int64_t)h->ring.mask + 1;
	uint64_t whole = h->ring.head + (uint64_t)ahead;
	bool conflict = false;

	if (ahead > 0 && ahead <= size) {
		int result = advance(h, hooks, whole, err);

		h->boot_hint = false; // the counting goes on: only auditd was started anew

		*ret = result ? NULL : take(h, whole, time_ns);
		return result;
	}
	if (ahead <= 0 && whole >= h->ring.next) {
		if (!ring_holds(&h->ring, whole)) {
			if (!looks_like_boot(h, ahead, time_ns, false)) {
				*ret = take(h, whole, time_ns);
				return 0;
			}
		} else if (ring_slot(&h->ring, whole)->time_ns == time_ns) {
			*ret = ring_slot(&h->ring, whole);
			return 0;
		} else {
			conflict = true;
		}
	}
	return place_stray(h, hooks, serial, time_ns, conflict, ret, err);
}

int host_state_queue(struct host_state *h, const struct host_hooks *hooks, struct slot *s, struct error *err)
{
	if (!h->queue)
		h->queue = calloc(HOST_QUEUE, sizeof(*h->queue));
	if (!h->queue)
		return error_set(err, "out of memory");
	if (h->queue_count == HOST_QUEUE) {
		int result = deliver_queued(h, hooks, h->queue[0].after + 1, err);

		if (result)
			return result;
	}
	s->latest_ns = h->latest_ns > s->time_ns ? h->latest_ns : s->time_ns;
	h->queue[h->queue_count++] = (struct host_queued){.after = h->started ? h->ring.head : 0, .slot = *s};
	return 0;
}

int host_state_shrink(struct host_state *h, const struct host_hooks *hooks, size_t window, struct error *err)
{
	struct ring smaller;
	uint64_t serial;

	if (window > h->ring.mask)
		return 0;
	int result = h->started ? deliver_until(h, hooks, h->ring.head + 1 - window, err) : 0;

	if (result)
		return result;
	if (ring_init(&smaller, window) < 0)
		return error_set(err, "out of memory");
	if (h->started) {
		smaller.head = h->ring.head;
		smaller.next = h->ring.next;
		while (ring_first(&h->ring, h->ring.next, h->ring.head + 1, &serial)) {
			*ring_take(&smaller, serial) = *ring_slot(&h->ring, serial);
			ring_drop(&h->ring, serial);
		}
	}
	ring_release(&h->ring);
	h->ring = smaller;
	return 0;
}
